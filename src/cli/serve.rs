//! `creel serve`: capture without a screen.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

use clap::Args;

use super::{
    Answer, Bin, Common, Listen, Printer,
    print::WRITING,
    report,
    tail::{Follow, LAST_WORDS},
};
use crate::{
    engine::{self, Engine, Settings, Wishes, settings, tunnel},
    record::{CaptureId, Failure},
};

#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    bin: Bin,
    #[command(flatten)]
    listen: Listen,
    /// Whether a bare `creel` was typed where no screen can be.
    #[arg(skip)]
    instead: Option<&'static str>,
}

impl Serve {
    /// What a bare `creel` does without a screen.
    pub(super) fn in_place_of_the_screen(bin: Bin, listen: Listen, on_a_terminal: bool) -> Self {
        let why = if on_a_terminal { "--json asks for lines" } else { "this is not a terminal" };
        Self { bin, listen, instead: Some(why) }
    }

    /// The options given before the subcommand's name, where it has none of its own.
    pub(super) fn or(self, bin: Bin, listen: Listen) -> Self {
        Self { bin: self.bin.or(bin), listen: self.listen.or(listen), ..self }
    }

    pub(super) fn wishes(&self, common: &Common) -> Wishes {
        common.wishes(&self.bin, &self.listen)
    }
}

pub(super) fn run(serve: &Serve, common: &Common) -> Result<Answer, Failure> {
    // Before anybody is told that it listens: who stops it at once is heard too.
    let (stop, stopped) = channel();
    stop_by_signal(stop.clone())?;
    let printer = common.printer();
    let engine = Arc::new(Engine::capture(Settings::resolve(&serve.wishes(common))?)?);
    // Whoever starts creel from a script waits for this line.
    let first = engine.url().map_or(Ok(()), |url| printer.line(&format!("listening on {url}")));
    // What cannot be printed must not keep it from capturing.
    let (mut lines, newest) = (Lines::default(), engine.newest_before());
    lines.heard(first, &mut { newest }, || Ok(newest))?;
    if !printer.quiet {
        say_hello(serve, &engine);
    }
    let log = Log::start(&engine, printer, lines, stop.clone())?;
    engine.on_end(move || stop.send(()).unwrap_or_default())?;
    let _ = stopped.recv();
    engine.stop()?;
    log.end().map(|()| Answer::Yes)
}

/// What is printed while creel captures, by a thread of its own: who reads it may stop reading, and that must hold up neither
/// the capturing nor its end.
struct Log {
    tell: Sender<Line>,
    ended: Receiver<Result<(), Failure>>,
}

/// What there is to print.
enum Line {
    /// What was committed.
    Ring,
    /// What is said of forwarding and of the disk.
    News(String),
    /// The rest, and no more.
    End,
}

impl Log {
    /// Starts it. `stop` hears where it fails.
    fn start(engine: &Arc<Engine>, printer: Printer, lines: Lines, stop: Sender<()>) -> Result<Self, Failure> {
        let (tell, told) = channel();
        let news = tell.clone();
        engine.on_news(move |words, _| drop(news.send(Line::News(words.to_owned()))));
        let is_rung = Arc::new(AtomicBool::new(false));
        if !printer.quiet {
            let (bell, was_rung) = (tell.clone(), Arc::clone(&is_rung));
            // One ring waits at most, however long nobody reads.
            let ring = move || {
                if !was_rung.swap(true, Ordering::SeqCst) {
                    let _ = bell.send(Line::Ring);
                }
            };
            engine.on_ring(ring.clone());
            // What came before the bell was heard is printed too.
            ring();
        }
        let (say, ended) = channel();
        let engine = Arc::clone(engine);
        let body = move || {
            let printed = print(&engine, &printer, &told, &is_rung, lines);
            let _ = stop.send(());
            let _ = say.send(printed);
        };
        let thread = thread::Builder::new().name("creel-log".into()).spawn(body);
        thread.map(|_| Self { tell, ended }).map_err(|why| Failure::new("starting the thread that prints", why))
    }

    /// Prints the rest, unless nobody reads it.
    fn end(self) -> Result<(), Failure> {
        let _ = self.tell.send(Line::End);
        self.ended.recv_timeout(LAST_WORDS).unwrap_or(Ok(()))
    }
}

/// Prints what it is told of, to the end.
fn print(
    engine: &Engine,
    printer: &Printer,
    told: &Receiver<Line>,
    is_rung: &AtomicBool,
    mut lines: Lines,
) -> Result<(), Failure> {
    let (reader, zone) = (engine.reader()?, engine::zone());
    let last = engine.newest_before();
    let mut follow = Follow { reader: &reader, filter: None, printer, zone: &zone, last };
    let mut tunnel = Gate::default();
    for line in told {
        match &line {
            Line::News(words) => report(words),
            Line::Ring => {
                is_rung.store(false, Ordering::SeqCst);
                tunnel.look(engine);
            }
            Line::End => {}
        }
        if !printer.quiet {
            let before = follow.last;
            let printed = follow.catch_up();
            // Where there was nothing to print, nothing is known of who takes it.
            if printed.is_err() || follow.last != before {
                lines.heard(printed, &mut follow.last, || engine::newest(&reader))?;
            }
        }
        if matches!(line, Line::End) {
            break;
        }
    }
    Ok(())
}

/// Whether lines can be printed. A log that is full must not end the capturing.
#[derive(Default)]
struct Lines {
    are_lost: bool,
}

impl Lines {
    /// Says once that lines are lost, and passes over what they would have told.
    fn heard(
        &mut self,
        printed: Result<(), Failure>,
        last: &mut CaptureId,
        newest: impl FnOnce() -> Result<CaptureId, Failure>,
    ) -> Result<(), Failure> {
        let lost = match printed {
            Ok(()) => None,
            Err(failure) if failure.doing == WRITING => Some(failure),
            Err(failure) => return Err(failure),
        };
        match &lost {
            Some(failure) if !self.are_lost => report(&format!(
                "{failure}\ncapturing goes on; what comes is kept without a line here, and `creel ls` lists it"
            )),
            None if self.are_lost => report(&"what comes has its lines again"),
            _ => {}
        }
        self.are_lost = lost.is_some();
        if self.are_lost {
            *last = newest()?;
        }
        Ok(())
    }
}

/// What was last said of the tunnel.
#[derive(Default)]
struct Gate(Option<tunnel::State>);

impl Gate {
    /// Says how the tunnel stands, where that is new and worth a line.
    fn look(&mut self, engine: &Engine) {
        let state = engine.tunnel().filter(|state| *state != tunnel::State::Starting);
        if let Some(state) = state.filter(|state| self.0.as_ref() != Some(state)) {
            report(&state);
            self.0 = Some(state);
        }
    }
}

fn say_hello(serve: &Serve, engine: &Engine) {
    if let Some(why) = serve.instead {
        report(&format!(
            "{why}: capturing without the screen, like `creel serve`; `creel watch` shows it in a terminal"
        ));
    }
    report(&format!("keeping captures in {}", settings::shown(engine.db())));
    engine.notices().iter().for_each(|notice| report(notice));
    if let Some(fingerprint) = engine.fingerprint() {
        report(&format!("the certificate's SHA-256 is {fingerprint}"));
    }
    engine.metrics().into_iter().for_each(|words| report(&words));
    let told = engine.reader().and_then(|reader| engine.told(&reader)).unwrap_or_default();
    for (endpoint, answer) in told {
        report(&format!(
            "{endpoint} answers {answer}, as it was told; `creel respond {endpoint} --reset` takes it back"
        ));
    }
    if let Some(address) = engine.address()
        && !settings::is_loopback(&address)
    {
        report(&format!("{address} can be reached from other machines; creel asks nobody who they are"));
    }
}

/// The first signal stops in order, the second at once: what was acknowledged is stored either way.
fn stop_by_signal(stop: Sender<()>) -> Result<(), Failure> {
    let mut asked = false;
    engine::on_signal(move || {
        if asked {
            std::process::exit(2);
        }
        asked = true;
        let _ = stop.send(());
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_is_full_does_not_end_the_capturing_and_any_other_trouble_does() {
        let (mut lines, mut last) = (Lines::default(), CaptureId(3));
        let full = || Err(Failure::new(WRITING, "No space left on device"));
        lines.heard(full(), &mut last, || Ok(CaptureId(7))).unwrap();
        assert_eq!((lines.are_lost, last), (true, CaptureId(7)), "what was not printed is passed over");
        lines.heard(full(), &mut last, || Ok(CaptureId(9))).unwrap();
        lines.heard(Ok(()), &mut last, || unreachable!()).unwrap();
        assert_eq!((lines.are_lost, last), (false, CaptureId(9)));
        assert!(lines.heard(Err(Failure::new("reading", "damaged")), &mut last, || unreachable!()).is_err());
    }
}
