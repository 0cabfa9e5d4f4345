//! `creel tail`: captures as they are committed, oldest first.

use std::{
    process,
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use clap::Args;

use super::{Answer, Common, Printer, export::tell_damaged, input, ls, row};
use crate::{
    engine::{self, Engine},
    query::{Filter, Sql},
    record::{CaptureId, Failure, Summary, Zone},
    store::{Reader, Rescued, Start},
};

/// How long a command that is told to stop waits for a reader that takes nothing.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(crate) struct Tail {
    /// Which: for example `provider:stripe sig:failed`; all words must match
    filter: Vec<String>,
    /// How many captures to begin with
    #[arg(long, short = 'n', default_value_t = 10, value_name = "N", value_parser = input::whole::<usize>, allow_negative_numbers = true)]
    lines: usize,
}

/// What is followed, and how far it was printed.
pub(super) struct Follow<'a> {
    pub(super) reader: &'a Reader,
    pub(super) filter: Option<&'a Filter>,
    pub(super) printer: &'a Printer,
    pub(super) zone: &'a Zone,
    pub(super) last: CaptureId,
}

pub(super) fn run(tail: &Tail, common: &Common) -> Result<Answer, Failure> {
    let printer = common.printer();
    let filter = input::filter(&tail.filter, common)?;
    if filter.as_ref().is_some_and(Filter::may_change) && !printer.quiet {
        super::report(
            &"replies, marks and ages come later, and each capture is looked at once, as it comes; `creel wait` waits for them",
        );
    }
    let engine = Engine::watch(common.settings()?)?;
    let rung = wakes(&engine, 0)?;
    let (reader, zone) = (engine.reader()?, engine::zone());
    let last = engine::newest(&reader)?;
    let condition = filter.as_ref().map(|filter| filter.sql(engine::now()));
    let mut list = reader.list(condition.as_ref());
    let begin = list.page(tail.lines)?;
    tell_damaged(&list.missed());
    let mut follow = Follow { reader: &reader, filter: filter.as_ref(), printer: &printer, zone: &zone, last };
    // What came since is followed.
    begin.iter().rev().filter(|row| row.id <= last).try_for_each(|row| follow.print(row))?;
    while !printer.closed() {
        follow.catch_up()?;
        if !matches!(rung.recv(), Ok(Wake::Ring)) || rung.try_iter().any(|wake| matches!(wake, Wake::Stop)) {
            break;
        }
    }
    Ok(Answer::Yes)
}

/// Hears the store's bell and the signals that end the process: by that code where it cannot end by itself, since nobody
/// reads what it prints.
pub(super) fn wakes(engine: &Engine, code: i32) -> Result<Receiver<Wake>, Failure> {
    let (ring, rung) = channel();
    let stop = ring.clone();
    engine.on_ring(move || drop(ring.send(Wake::Ring)));
    engine::on_signal(move || {
        let _ = stop.send(Wake::Stop);
        thread::sleep(LAST_WORDS);
        process::exit(code);
    })?;
    Ok(rung)
}

/// What ends a wait.
pub(super) enum Wake {
    /// Something was committed.
    Ring,
    /// The process is asked to end.
    Stop,
}

impl Follow<'_> {
    /// Prints what was committed since the last time, oldest first.
    pub(super) fn catch_up(&mut self) -> Result<(), Failure> {
        // What is newer than this comes with the next ring; without the bound, a page cut short by the filter's limit
        // and a page that is up to date would look alike.
        let newest = engine::newest(self.reader)?;
        while self.last < newest && !self.printer.closed() {
            let condition = self.filter.map(|filter| filter.sql(engine::now()));
            let start = Start::After(self.last);
            let Ok(rows) = self.reader.page(start, input::PAGE, condition.as_ref()) else {
                self.catch_up_past_damage(newest, condition.as_ref())?;
                continue;
            };
            rows.iter().rev().try_for_each(|row| self.print(row))?;
            self.last = match rows.first() {
                Some(row) if rows.len() == input::PAGE => row.id,
                newer => newest.max(newer.map_or(newest, |row| row.id)),
            };
        }
        Ok(())
    }

    /// A page of the same, and what of it cannot be read is named and left out. What is no damage of the file is an error.
    fn catch_up_past_damage(&mut self, newest: CaptureId, condition: Option<&Sql>) -> Result<(), Failure> {
        let slice = self.reader.past_damage(Start::After(self.last), input::PAGE, condition, || false)?;
        slice.rows.iter().rev().try_for_each(|row| self.print(row))?;
        tell_damaged(&slice.missed);
        self.last = match slice.rest {
            Some(Start::After(id)) => id,
            _ => newest.max(slice.newest),
        };
        Ok(())
    }

    fn print(&self, row: &Summary) -> Result<(), Failure> {
        if !self.printer.json {
            return self.printer.line(&row::line(row, self.zone));
        }
        let Err(why) = ls::print_json(self.reader, row.id, self.printer) else { return Ok(()) };
        match self.reader.rescue(row.id)? {
            Rescued::Damaged(_) => tell_damaged(&[(row.id, why)]),
            Rescued::Whole(_) | Rescued::Gone => return Err(why),
        };
        Ok(())
    }
}
