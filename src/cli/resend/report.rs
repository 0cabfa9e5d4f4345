//! What came of what was sent again: a line each, how far it is, and one summary.

use std::{collections::BTreeMap, time::Instant};

use serde_json::json;

use super::super::{
    Printer,
    progress::{self, Progress},
    show,
};
use crate::{
    body::compare,
    engine::{self, Each},
    export::json,
    record::{CaptureId, Cause, Delivery, Failure, Outcome, Turn},
    store::{Bodies, Reader},
    verify,
};

/// Up to how many each has a line; of more only those that are not right, or are right again.
const LINES: usize = 50;

/// The summing up of what is sent.
pub(super) struct Report<'a> {
    printer: &'a Printer,
    reader: &'a Reader,
    total: usize,
    began: Instant,
    progress: Progress,
    /// How often each class of status came; 0: no reply.
    classes: BTreeMap<u16, usize>,
    turns: BTreeMap<Turn, usize>,
    times_ms: Vec<u64>,
    right: usize,
    /// What was not right, in the order in which it came.
    wrong: Vec<CaptureId>,
    failure: Option<Failure>,
}

/// Whether nothing listened there.
pub(super) fn is_refused(each: &Each) -> bool {
    let outcome = each.as_ref().map(|delivery| &delivery.outcome);
    matches!(outcome, Ok(Outcome::Failed(Cause::Refused, _)))
}

impl<'a> Report<'a> {
    pub(super) fn new(printer: &'a Printer, reader: &'a Reader, total: usize) -> Self {
        Self {
            printer,
            reader,
            total,
            began: Instant::now(),
            progress: Progress::new(printer),
            classes: BTreeMap::new(),
            turns: BTreeMap::new(),
            times_ms: Vec::new(),
            right: 0,
            wrong: Vec::new(),
            failure: None,
        }
    }

    /// One is over.
    pub(super) fn take(&mut self, each: Each) -> Result<(), Failure> {
        let delivery = match each {
            Ok(delivery) => delivery,
            Err((id, failure)) => {
                self.wrong.push(id);
                if self.total > 1 {
                    super::super::report(&format!("#{id}: {failure}"));
                }
                self.failure.get_or_insert(failure);
                return Ok(());
            }
        };
        let before = if delivery.attempt > 1 { self.last_before(&delivery)? } else { None };
        let turn = Turn::of(before.as_ref(), &delivery.outcome);
        *self.classes.entry(delivery.status().map_or(0, |status| status / 100)).or_default() += 1;
        *self.turns.entry(turn).or_default() += 1;
        self.times_ms.push(delivery.took_ms);
        if delivery.outcome.is_success() {
            self.right += 1;
        } else {
            self.wrong.push(delivery.capture);
        }
        self.print(&delivery, turn, before.as_ref())?;
        self.draw();
        Ok(())
    }

    /// What came of the delivery before this one.
    fn last_before(&self, delivery: &Delivery) -> Result<Option<Outcome>, Failure> {
        let all = self.reader.deliveries(delivery.capture)?;
        Ok(all.into_iter().find(|other| other.id < delivery.id).map(|other| other.outcome))
    }

    fn print(&self, delivery: &Delivery, turn: Turn, before: Option<&Outcome>) -> Result<(), Failure> {
        let (printer, is_alone) = (self.printer, self.total == 1);
        let says = if self.total <= LINES { self.says(delivery)? } else { Vec::new() };
        if printer.json {
            let mut value = json::delivery(delivery, true);
            // Several captures may be sent: each line says which.
            value["capture"] = json!(delivery.capture.0);
            value["turn"] = json!(turn.name());
            value["says"] = json!(says);
            return printer.value(&value);
        }
        let is_news = !delivery.outcome.is_success() || turn == Turn::Fixed;
        if self.total > LINES && !is_news {
            return Ok(());
        }
        let turned = if turn == Turn::First { String::new() } else { format!("  ({})", turn.name()) };
        printer.line(&format!("{}{turned}", show::outcome(delivery)))?;
        if printer.quiet {
            return Ok(());
        }
        if is_alone {
            delivery.receipt.iter().try_for_each(|change| printer.line(&format!("  {change}")))?;
        }
        says.iter().try_for_each(|sentence| printer.line(&format!("  {sentence}")))?;
        let (Some(Outcome::Replied(before)), Outcome::Replied(after)) = (before, &delivery.outcome) else {
            return Ok(());
        };
        if turn == Turn::Same || self.total > LINES {
            return Ok(());
        }
        compare::replies((before.status, before), (after.status, after))
            .iter()
            .flat_map(|part| &part.differences)
            .try_for_each(|difference| printer.line(&format!("    {difference}")))
    }

    /// Whose bug it is.
    fn says(&self, delivery: &Delivery) -> Result<Vec<String>, Failure> {
        let Some(capture) = self.reader.capture(delivery.capture, Bodies::Leave)? else { return Ok(Vec::new()) };
        let catalog = engine::catalog()?;
        let provider = capture.provider.as_deref().and_then(|name| catalog.get(name));
        Ok(verify::blame(&capture.judgement, delivery, provider))
    }

    fn done(&self) -> usize {
        self.right + self.wrong.len()
    }

    /// How many are left to be sent.
    pub(super) fn left(&self) -> usize {
        self.total.saturating_sub(self.done())
    }

    /// How far it is, where not each has a line.
    fn draw(&mut self) {
        if self.total > LINES {
            let (done, total) = (self.done(), self.total);
            self.progress.draw(|took| progress::of(done, total, None, took));
        }
    }

    /// One line of everything.
    pub(super) fn summary(&mut self) -> Result<(), Failure> {
        self.progress.wipe();
        if self.total <= 1 || self.printer.json || self.printer.quiet {
            return Ok(());
        }
        let classes = self.classes.iter().rev().map(|(class, count)| match class {
            0 => format!("{count} failed"),
            class => format!("{count} × {class}xx"),
        });
        let turns = self.turns.iter().filter(|(turn, _)| !matches!(turn, Turn::First | Turn::Same));
        let turns: Vec<_> = turns.map(|(turn, count)| format!("{count} {}", turn.name())).collect();
        let turns = if turns.is_empty() { String::new() } else { format!("; {}", turns.join(", ")) };
        let seconds = self.began.elapsed().as_secs_f64();
        let sent = self.times_ms.len();
        let unsent = match self.done() - sent {
            0 => String::new(),
            count => format!("; {count} could not be sent"),
        };
        if sent == 0 {
            return self.printer.line(&format!("0 sent in {seconds:.1} s{unsent}"));
        }
        let times = format!("p50 {} ms, p95 {} ms", self.percentile(50), self.percentile(95));
        let classes = classes.collect::<Vec<_>>().join(", ");
        self.printer.line(&format!("{sent} sent in {seconds:.1} s: {classes}; {times}{turns}{unsent}"))
    }

    fn percentile(&self, percent: usize) -> u64 {
        let mut times = self.times_ms.clone();
        times.sort_unstable();
        times.get((times.len() * percent / 100).min(times.len().saturating_sub(1))).copied().unwrap_or_default()
    }

    /// Whether all there were are right.
    pub(super) fn is_all_right(&self) -> bool {
        self.right == self.total && self.total > 0
    }

    /// Where the only one could not even be sent, that is the answer.
    pub(super) fn failed(&mut self) -> Option<Failure> {
        self.failure.take_if(|_| self.total == 1)
    }
}
