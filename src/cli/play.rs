//! `creel play`: a rehearsal sent to an app, its replies held against what is expected.

use std::{
    fs::File,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, channel},
};

use clap::Args;
use serde_json::json;

use super::{Answer, Common, Printer, Secrets, input};
use crate::{
    engine::{
        self, Engine, Play as Playing, Played, Rehearsal, Step,
        edit::Edit,
        export::{PRIVATE, refuse_store},
        target::sendable,
    },
    export::json,
    record::{Failure, text::lossless},
};

#[derive(Debug, Args)]
pub(crate) struct Play {
    /// The folder that `creel rehearse` made
    folder: PathBuf,
    /// The app; without a path each request's own target is kept
    #[arg(long, value_name = "URL")]
    to: String,
    /// How many times as fast as it came; 0 for as fast as it goes
    #[arg(long, value_name = "N", default_value_t = 1.0, value_parser = input::amount, allow_negative_numbers = true)]
    speed: f64,
    /// The last request first
    #[arg(long, conflicts_with = "shuffle")]
    reverse: bool,
    /// In another order, that of the seed
    #[arg(long)]
    shuffle: bool,
    /// The seed of --shuffle; one of chance is printed
    #[arg(long, value_name = "N", requires = "shuffle", value_parser = input::whole::<u64>, allow_negative_numbers = true)]
    seed: Option<u64>,
    /// Each request twice, one right after the other
    #[arg(long)]
    double: bool,
    /// Sign each anew, with a fresh timestamp, by its endpoint's secret or the one given here
    #[arg(long)]
    resign: bool,
    /// With --resign: give each a new delivery id
    #[arg(long, requires = "resign")]
    new_id: bool,
    #[command(flatten)]
    secrets: Secrets,
    /// Take an https certificate that nobody vouches for
    #[arg(long)]
    insecure: bool,
    /// Write the results as JUnit XML, for CI; - for standard output, in place of the lines
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

pub(super) fn run(play: &Play, common: &Common) -> Result<Answer, Failure> {
    let printer = common.printer();
    let rehearsal = Rehearsal::read(&play.folder)?;
    // Nobody plays for an hour to hear then that the results cannot be written.
    let mut results = play
        .junit
        .as_deref()
        .filter(|path| !is_standard_output(path))
        .map(|path| results_in(path, common))
        .transpose()?;
    let printer =
        if play.junit.as_deref().is_some_and(is_standard_output) { Printer::new(false, true) } else { printer };
    let playing = playing(play, &printer)?;
    let engine = Engine::visit(common.settings()?);
    let mut all = Vec::new();
    let ended = engine.play(&rehearsal, &playing, &stop()?, |played| {
        if let Some(step) = rehearsal.steps.get(played.step) {
            print(&printer, step, played)?;
        }
        all.push(played.clone());
        Ok(())
    });
    engine.stop()?;
    let failed = all.iter().filter(|played| !played.faults.is_empty()).count();
    if let Some(path) = &play.junit {
        let text = junit(&play.folder, &rehearsal, &all);
        match &mut results {
            None => printer.bytes(text.as_bytes())?,
            Some(file) => write(file, &text).map_err(unwritable(path))?,
        }
    }
    // Who stopped it has the results of what was played.
    ended?;
    if !printer.json && !printer.quiet {
        printer.line(&format!("{} played, {} as expected, {failed} not", all.len(), all.len() - failed))?;
    }
    Ok(if failed == 0 && !all.is_empty() { Answer::Yes } else { Answer::No })
}

/// Hears the first signal; the second ends the process at once.
fn stop() -> Result<Receiver<()>, Failure> {
    let (say, heard) = channel();
    let mut asked = false;
    engine::on_signal(move || {
        if asked {
            std::process::exit(2);
        }
        asked = true;
        let _ = say.send(());
    })?;
    Ok(heard)
}

fn is_standard_output(path: &Path) -> bool {
    path == Path::new("-")
}

/// The file for the results. What stands in it stays until they are there. A new one is its owner's alone: targets and pieces
/// of replies stand in it.
fn results_in(path: &Path, common: &Common) -> Result<File, Failure> {
    refuse_store(&common.store()?, path)?;
    File::options().write(true).create(true).truncate(false).mode(PRIVATE).open(path).map_err(unwritable(path))
}

/// Writes the results in place of what stands there. A pipe has nothing to be replaced.
fn write(file: &mut File, text: &str) -> io::Result<()> {
    if file.metadata()?.is_file() {
        file.set_len(0)?;
    }
    file.write_all(text.as_bytes())
}

fn unwritable(path: &Path) -> impl Fn(io::Error) -> Failure {
    move |why| Failure::new(format!("writing {}", path.display()), why)
}

fn playing(play: &Play, printer: &Printer) -> Result<Playing, Failure> {
    let secrets = play.secrets.read()?;
    sendable(&play.to)?;
    let shuffle = play.shuffle.then(|| play.seed.unwrap_or_else(|| crate::engine::now().unix_ms().cast_unsigned()));
    if let Some(seed) = shuffle.filter(|_| play.seed.is_none() && !printer.quiet) {
        super::report(&format!("shuffled by --seed {seed}"));
    }
    Ok(Playing {
        to: play.to.clone(),
        insecure: play.insecure,
        speed: play.speed,
        reverse: play.reverse,
        shuffle,
        double: play.double,
        edit: Edit { resign: play.resign, new_id: play.new_id, secrets, ..Edit::default() },
    })
}

fn title(step: &Step) -> String {
    let line = format!("{} {} {}", step.file, step.head.method(), lossless(step.head.target()));
    step.event.as_ref().map_or(line.clone(), |event| format!("{line} {event}"))
}

fn print(printer: &Printer, step: &Step, played: &Played) -> Result<(), Failure> {
    let status = played.outcome.status();
    if printer.json {
        let (error, error_kind) = json::error(&played.outcome);
        return printer.value(&json!({
            "file": step.file, "event": step.event, "status": status, "error": error, "error_kind": error_kind,
            "took_ms": played.took_ms,
            "passed": played.faults.is_empty(), "faults": played.faults,
        }));
    }
    if printer.quiet {
        return Ok(());
    }
    let mark = if played.faults.is_empty() { "✓" } else { "✗" };
    let status = status.map_or("no reply".to_owned(), |status| status.to_string());
    printer.line(&format!("{mark} {}  {status} in {} ms", title(step), played.took_ms))?;
    played.faults.iter().try_for_each(|fault| printer.line(&format!("    {fault}")))
}

/// The results in the form that CI servers read (that of `JUnit`, as Jenkins and GitLab describe it).
fn junit(folder: &Path, rehearsal: &Rehearsal, all: &[Played]) -> String {
    let suite = xml(&folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy());
    let failed = all.iter().filter(|played| !played.faults.is_empty()).count();
    let seconds = |ms: u64| format!("{:.3}", ms as f64 / 1_000.0);
    let counts = format!(
        "tests=\"{}\" failures=\"{failed}\" errors=\"0\" time=\"{}\"",
        all.len(),
        seconds(all.iter().map(|played| played.took_ms).sum())
    );
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n  <testsuite name=\"{suite}\" {counts}>\n"
    );
    for played in all {
        let name = rehearsal.steps.get(played.step).map(title).unwrap_or_default();
        let (name, time) = (xml(&name), seconds(played.took_ms));
        text.push_str(&format!("    <testcase classname=\"{suite}\" name=\"{name}\" time=\"{time}\""));
        if let Some(first) = played.faults.first() {
            let (first, every) = (xml(first), xml(&played.faults.join("\n")));
            text.push_str(&format!(">\n      <failure message=\"{first}\">{every}</failure>\n    </testcase>\n"));
        } else {
            text.push_str("/>\n");
        }
    }
    text + "  </testsuite>\n</testsuites>\n"
}

/// Text for an attribute or an element; what XML 1.0 cannot hold is made visible.
fn xml(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' => safe.push_str("&#10;"),
            '\t' => safe.push_str("&#9;"),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => safe.push_str(&format!("\\u{{{:x}}}", char as u32)),
            char => safe.push(char),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::xml;

    #[test]
    fn no_text_breaks_out_of_its_place() {
        assert_eq!(xml("a<b>\"&\u{1b}[m\n"), "a&lt;b&gt;&quot;&amp;\\u{1b}[m&#10;");
    }
}
