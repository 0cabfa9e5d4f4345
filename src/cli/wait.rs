//! `creel wait`: blocks until something comes, or does not.

use std::{
    collections::HashSet,
    path::Path,
    sync::mpsc::{Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use clap::Args;
use serde_json::json;

use super::{
    Answer, Common, Printer, input, ls, row,
    tail::{Wake, wakes},
};
use crate::{
    engine::{self, Engine, settings},
    query::Filter,
    record::{CaptureId, Failure, Zone},
    store::{Reader, Start},
};

/// How often a store is looked for that is not there yet.
const LOOK: Duration = Duration::from_millis(20);
/// How often looking may fail: for a second.
const MOST_FAILURES: u32 = 50;
/// How often it is looked whether a filter takes what is there by now, where time alone may decide that (`age>5s`).
const LOOK_AGAIN: Duration = Duration::from_millis(200);

#[derive(Debug, Args)]
pub(crate) struct Wait {
    /// Which: for example `provider:stripe event:invoice.paid sig:passed 'body.data.amount>5'`; all words must match
    filter: Vec<String>,
    /// How many must have come, one at least
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = input::count::<usize>, allow_negative_numbers = true)]
    count: usize,
    /// And after them one that this takes; again for one after that
    #[arg(long, value_name = "FILTER", conflicts_with = "absent")]
    then: Vec<String>,
    /// And after all of them none that the first filter takes, for that many seconds
    #[arg(long, value_name = "S", conflicts_with = "absent", value_parser = input::amount, allow_negative_numbers = true)]
    quiet_for: Option<f64>,
    /// How long to wait, in seconds
    #[arg(long, value_name = "S", default_value_t = 30.0, value_parser = input::amount, allow_negative_numbers = true)]
    timeout: f64,
    /// Yes where none comes for all that time
    #[arg(long, conflicts_with = "count")]
    absent: bool,
    /// Count what is there already, too; else only what comes from now on
    #[arg(long)]
    all: bool,
    /// Count what came after this number
    #[arg(long, value_name = "ID", conflicts_with = "all", value_parser = input::id)]
    after: Option<i64>,
}

/// What must come, one after the other.
struct Step {
    words: String,
    filter: Option<Filter>,
    count: usize,
}

/// What is waited for, and how far it is.
struct Waiting<'a> {
    reader: &'a Reader,
    rung: Receiver<Wake>,
    printer: &'a Printer,
    zone: Zone,
    /// Where looking goes on.
    last: CaptureId,
}

pub(super) fn run(wait: &Wait, common: &Common) -> Result<Answer, Failure> {
    let printer = common.printer();
    let steps = steps(wait, common)?;
    let until = deadline(wait.timeout);
    let settings = common.settings()?;
    let made = made(&settings.db, until, &printer)?;
    if made == Made::Never {
        return Ok(if wait.absent { Answer::Yes } else { told(&printer, wait, &steps[0], (0, None)) });
    }
    let engine = Engine::watch(settings)?;
    let rung = wakes(&engine, 2)?;
    let reader = engine.reader()?;
    let last = match (wait.after, wait.all) {
        (Some(id), _) => CaptureId(id),
        (None, true) => CaptureId(0),
        // All that is in such a store came from now on.
        (None, false) if made == Made::Meanwhile => CaptureId(0),
        (None, false) => engine::newest(&reader)?,
    };
    let mut waiting = Waiting { reader: &reader, rung, printer: &printer, zone: engine::zone(), last };
    for step in &steps {
        let found = waiting.step(step, until)?;
        if found < step.count && !wait.absent {
            return Ok(told(&printer, wait, step, (found, Some(engine.db()))));
        }
        if wait.absent {
            if found == 0 && !printer.quiet && !printer.json {
                tell_idle(engine.db());
            }
            return Ok(if found == 0 { Answer::Yes } else { Answer::No });
        }
    }
    let Some((seconds, first)) = wait.quiet_for.zip(steps.first()) else { return Ok(Answer::Yes) };
    let more = Step { words: String::new(), filter: first.filter.clone(), count: 1 };
    if waiting.step(&more, deadline(seconds))? == 0 {
        return Ok(Answer::Yes);
    }
    if printer.json {
        super::report(&json!({ "more_than": wait.count, "quiet_for_s": seconds }));
    } else if !printer.quiet {
        super::report(&format!("more came than {} within {seconds} s", wait.count));
    }
    Ok(Answer::Otherwise)
}

/// When the store was made.
#[derive(PartialEq, Eq)]
enum Made {
    Before,
    Meanwhile,
    Never,
}

/// Waits for the store: who captures may just be starting, and makes it.
fn made(db: &Path, until: Option<Instant>, printer: &Printer) -> Result<Made, Failure> {
    let (mut looks, mut failures) = (0_u32, 0);
    loop {
        let left = until.map_or(LOOK, |until| until.saturating_duration_since(Instant::now()));
        match Reader::is_made(db) {
            Ok(true) if looks == 0 => return Ok(Made::Before),
            Ok(true) => return Ok(Made::Meanwhile),
            Ok(false) if looks == 0 && !printer.quiet && !printer.json => {
                super::report(&format!("there is no store {} yet: waiting for one", db.display()));
            }
            Ok(false) => {}
            // What is being made can look like anything for a moment; what cannot be read says neither yes nor no.
            Err(failure) if failures == MOST_FAILURES || left.is_zero() => return Err(failure),
            Err(_) => failures += 1,
        }
        looks += 1;
        if left.is_zero() {
            return Ok(Made::Never);
        }
        thread::sleep(left.min(LOOK));
    }
}

fn steps(wait: &Wait, common: &Common) -> Result<Vec<Step>, Failure> {
    let first = Step { words: wait.filter.join(" "), filter: input::filter(&wait.filter, common)?, count: wait.count };
    let then = wait.then.iter().map(|words| {
        let filter = input::filter(std::slice::from_ref(words), common)?;
        Ok(Step { words: words.clone(), filter, count: 1 })
    });
    std::iter::once(Ok(first)).chain(then).collect()
}

fn stopped() -> Failure {
    Failure::new("waiting", "it was told to stop before it was over")
}

/// None: never.
fn deadline(seconds: f64) -> Option<Instant> {
    let patience = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
    Instant::now().checked_add(patience)
}

/// Says what did not come, of how many into which store.
fn told(printer: &Printer, wait: &Wait, step: &Step, (found, db): (usize, Option<&Path>)) -> Answer {
    if printer.json {
        let result = json!({ "missing": step.words, "found": found, "wanted": step.count, "timeout_s": wait.timeout });
        super::report(&result);
    } else if !printer.quiet {
        let which = match &step.words[..] {
            _ if wait.then.is_empty() => String::new(),
            "" => " of any capture".to_owned(),
            words => format!(" of `{words}`"),
        };
        super::report(&format!("{found} of {}{which} came within {} s", step.count, wait.timeout));
        db.into_iter().for_each(tell_idle);
    }
    Answer::No
}

/// Says that nothing could come any more, where nobody captures: it may be another store that is meant.
fn tell_idle(db: &Path) {
    if engine::holder(db).is_none() {
        super::report(&format!("no creel captures into {} now", settings::shown(db)));
    }
}

impl Waiting<'_> {
    /// Waits for a step's captures, and prints each; gives how many came in time.
    fn step(&mut self, step: &Step, until: Option<Instant>) -> Result<usize, Failure> {
        // What is not taken yet may be later: once the app has answered, or a minute old.
        let may_change = step.filter.as_ref().is_some_and(Filter::may_change);
        let (mut from, mut found) = (self.last, HashSet::new());
        loop {
            // Read before the page, so that what comes meanwhile is looked at with the next ring.
            let newest = engine::newest(self.reader)?;
            let condition = step.filter.as_ref().map(|filter| filter.sql(engine::now()));
            while found.len() < step.count {
                let rows = self.reader.page(Start::After(from), step.count, condition.as_ref())?;
                let mut new: Vec<_> = rows.iter().rev().filter(|row| !found.contains(&row.id)).collect();
                new.truncate(step.count - found.len());
                if new.is_empty() {
                    break;
                }
                new.iter().try_for_each(|row| self.print(row))?;
                found.extend(new.iter().map(|row| row.id));
                self.last = new.iter().map(|row| row.id).fold(self.last, CaptureId::max);
                from = if may_change { from } else { self.last };
            }
            let left = until.map_or(Duration::MAX, |until| until.saturating_duration_since(Instant::now()));
            if found.len() >= step.count || left.is_zero() {
                return Ok(found.len());
            }
            if !may_change {
                (self.last, from) = (self.last.max(newest), from.max(newest));
            }
            let woken = self.rung.recv_timeout(if may_change { left.min(LOOK_AGAIN) } else { left });
            // However often it rang meanwhile, it is looked once.
            let is_told_to_stop = self.rung.try_iter().any(|wake| matches!(wake, Wake::Stop));
            match woken {
                Ok(Wake::Stop) => return Err(stopped()),
                Err(RecvTimeoutError::Disconnected) => return Err(Failure::new("waiting", "a part of creel failed")),
                Ok(Wake::Ring) | Err(RecvTimeoutError::Timeout) if is_told_to_stop => return Err(stopped()),
                Ok(Wake::Ring) | Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn print(&self, row: &crate::record::Summary) -> Result<(), Failure> {
        if self.printer.json {
            ls::print_json(self.reader, row.id, self.printer)
        } else if self.printer.quiet {
            Ok(())
        } else {
            self.printer.line(&row::line(row, &self.zone))
        }
    }
}
