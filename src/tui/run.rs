//! The loop: messages in, frames out, wishes to the workers.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use crossterm::event::{self, Event, KeyEvent};
use ratatui::{Terminal, backend::Backend};

use super::{
    age,
    configured::Configured,
    effect::Effect,
    fault,
    look::Look,
    model::{Model, Notice, Tone},
    msg::Msg,
    stage::{Place, Stage},
    state::State,
    terminal::{self, Guard},
    update::update,
    view,
    workers::{Answers, Hands, Workers},
};
use crate::{
    body, engine,
    record::{Failure, Timestamp, Zone},
};

/// The shortest time between two frames: at most 60 a second.
const FRAME: Duration = Duration::from_micros(16_667);

/// What the screen is told at its start.
pub(super) struct Options {
    pub(super) place: Place,
    pub(super) configured: Configured,
    pub(super) notices: Vec<String>,
    pub(super) zone: Zone,
    pub(super) look: Look,
    /// How it was left the last time.
    pub(super) state: State,
    /// What was typed before the loop began.
    pub(super) typed: Vec<KeyEvent>,
    pub(super) hands: Hands,
    /// Tells the time.
    pub(super) clock: fn() -> Timestamp,
}

/// Where the loop hears what happens.
pub(super) trait Inbox {
    /// The next message; none where nothing comes within that time. Without a time it waits until something comes.
    fn next(&self, wait: Option<Duration>) -> Option<Msg>;
}

impl Inbox for Receiver<Msg> {
    fn next(&self, wait: Option<Duration>) -> Option<Msg> {
        match wait {
            Some(wait) => match self.recv_timeout(wait) {
                Err(RecvTimeoutError::Timeout) => None,
                // Nobody is left who could say anything.
                heard => Some(heard.unwrap_or(Msg::Stop)),
            },
            None => Some(self.recv().unwrap_or(Msg::Stop)),
        }
    }
}

/// Runs the screen on the terminal until it is left.
pub(super) fn on_terminal(stage: &Arc<dyn Stage>, options: Options) -> Result<State, Failure> {
    let (messages, inbox) = channel();
    terminal::tell_panics(messages.clone());
    let stop = messages.clone();
    engine::on_signal(move || drop(stop.send(Msg::Stop)))?;
    engine::before_quitting(terminal::leave)?;
    let over = messages.clone();
    stage.on_end(Box::new(move || drop(over.send(Msg::ServerEnded))))?;
    let news = messages.clone();
    stage.on_news(Box::new(move |text, tidings| drop(news.send(Msg::News(text.to_owned(), tidings)))));
    let reread = messages.clone();
    stage.on_reread(Box::new(move |configured| drop(reread.send(Msg::Configured(Box::new(configured))))));
    let (guard, mut terminal) = Guard::take()?;
    for key in &options.typed {
        let _ = messages.send(Msg::Key(*key));
    }
    listen_to_keys(messages.clone())?;
    let answers = Answers::new(messages);
    let left = catch_unwind(AssertUnwindSafe(|| run(&mut terminal, stage, options, &answers, &inbox)));
    drop(guard);
    let mut panics = terminal::panics();
    let left = left.unwrap_or_else(|_| {
        let words = panics.pop().unwrap_or_default();
        Err(Failure::new("showing the screen", words).hint("what was answered is stored; start creel again"))
    });
    for words in panics {
        terminal::tell(&format!("a part of creel failed while it ran: {}", body::escape(&words)));
    }
    left
}

/// A thread that waits for the terminal. It ends with the process: nothing can wake it but the terminal, or who wants it to
/// read nothing for a while.
fn listen_to_keys(messages: Sender<Msg>) -> Result<(), Failure> {
    let listen = move || {
        // A panic is told by its hook. Where one left off, what reads keys may wait for ever for the end of what broke it.
        let _ = catch_unwind(AssertUnwindSafe(|| read_keys(&messages)));
        // The terminal is gone, or cannot be understood: a screen that hears no key could not be left by one.
        let _ = messages.send(Msg::Stop);
    };
    let spawned = thread::Builder::new().name("creel-keys".to_owned()).spawn(listen);
    spawned.map(drop).map_err(|why| Failure::new("listening to the keys", why))
}

/// Reads keys until there is no terminal, or nobody who wants to hear them.
fn read_keys(messages: &Sender<Msg>) {
    fault::point("keys");
    while let Ok(event) = event::read() {
        let message = match event {
            Event::Key(key) => Msg::Key(key),
            Event::Mouse(event) => Msg::Mouse(event),
            Event::Paste(text) => Msg::Paste(text),
            Event::Resize(columns, rows) => Msg::Resize(columns, rows),
            _ => continue,
        };
        if messages.send(message).is_err() {
            return;
        }
        terminal::pause_where_asked();
    }
}

/// The loop itself, on any backend: waits until something happens, takes all that has, draws once.
///
/// Gives how it is left, where it is left in order.
pub(super) fn run<B: Backend>(
    terminal: &mut Terminal<B>,
    stage: &Arc<dyn Stage>,
    options: Options,
    answers: &Answers,
    inbox: &impl Inbox,
) -> Result<State, Failure> {
    let failed = |why: B::Error| Failure::new("drawing", why);
    let size = terminal.size().map_err(failed)?;
    let (clock, hands) = (options.clock, options.hands);
    let mut model = begin(options, (size.width, size.height))?;
    (hands.mouse)(model.mouse);
    let bell = ring_once(stage, answers);
    let workers = Workers::start(stage, answers, hands)?;
    let mut next_frame = Instant::now();
    let mut heard = Heard::Something;
    loop {
        // What is asked for here is answered after this frame, and drawn in the next.
        bell.store(false, Ordering::Release);
        update(&mut model, Msg::Clock(clock()));
        if dispatch(&workers, update(&mut model, Msg::Frame)) {
            break;
        }
        if heard == Heard::OnlyTheBell {
            // The picture would be the last one: the answer, which is there in a moment, must not wait for its turn behind it.
            heard = hear(&mut model, &workers, inbox, next_frame);
            match heard {
                Heard::Leave => break,
                Heard::OnlyTheBell => continue,
                Heard::Something => {}
            }
        }
        fault::point("screen");
        match terminal.draw(|frame| view::draw(&model, frame)) {
            // Its window was closed.
            Err(_) if (hands.is_gone)() => break,
            drawn => drawn.map_err(failed).map(drop)?,
        }
        next_frame = Instant::now().max(next_frame) + FRAME;
        heard = hear(&mut model, &workers, inbox, next_frame);
        if heard == Heard::Leave {
            break;
        }
        if workers.was_lent() {
            // Not `Terminal::clear`, which asks the terminal where the cursor is: the keys' thread would hear the answer.
            terminal.backend_mut().clear().map_err(failed)?;
            terminal.swap_buffers();
            let size = terminal.size().map_err(failed)?;
            dispatch(&workers, update(&mut model, Msg::Resize(size.width, size.height)));
        }
    }
    workers.leave().map(|()| State::of(&model))
}

/// The model that a screen begins with.
fn begin(options: Options, size: (u16, u16)) -> Result<Model, Failure> {
    let mut model = Model::new(options.place, options.zone, options.look, size);
    model.follow(options.configured)?;
    options.state.lay_over(&mut model);
    model.notice = options.notices.first().map(|text| Notice { tone: Tone::Plain, text: text.clone(), hint: None });
    Ok(model)
}

/// What came between two frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    /// The screen is to be left.
    Leave,
    /// Nothing but that something was stored, of which nothing is known yet.
    OnlyTheBell,
    /// Something that may change the picture, if only time.
    Something,
}

/// Waits until something happens, or until what is drawn has aged; then takes what comes until the next frame is due, so
/// that a flood costs no more than its frames.
fn hear(model: &mut Model, workers: &Workers, inbox: &impl Inbox, next_frame: Instant) -> Heard {
    let mut message = inbox.next(age::next(model));
    let mut heard = if matches!(message, Some(Msg::Ring)) { Heard::OnlyTheBell } else { Heard::Something };
    while let Some(it) = message {
        if !matches!(it, Msg::Ring) {
            heard = Heard::Something;
        }
        if dispatch(workers, update(model, it)) {
            return Heard::Leave;
        }
        message = match next_frame.saturating_duration_since(Instant::now()) {
            Duration::ZERO => None,
            rest => inbox.next(Some(rest)),
        };
    }
    heard
}

/// Turns the bell's rings into at most one message between two frames.
fn ring_once(stage: &Arc<dyn Stage>, answers: &Answers) -> Arc<AtomicBool> {
    let rung = Arc::new(AtomicBool::new(false));
    let (heard, answers) = (Arc::clone(&rung), answers.clone());
    stage.on_ring(Box::new(move || {
        if !heard.swap(true, Ordering::AcqRel) {
            answers.send(Msg::Ring);
        }
    }));
    rung
}

/// Hands wishes out. Whether the wish is to leave.
fn dispatch(workers: &Workers, effects: Vec<Effect>) -> bool {
    effects.into_iter().any(|effect| {
        let quit = matches!(effect, Effect::Quit);
        workers.take(effect);
        quit
    })
}
