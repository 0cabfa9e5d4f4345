//! What must still be brought to an app: errands, written and settled.

use std::sync::Arc;

use rusqlite::{Error, OptionalExtension, params};

use super::{insert::Transaction, queue::Haste};
use crate::record::{BatchId, CaptureId, Circuit, ErrandId, Next, Settlement, Timestamp};

/// A change of what must still be brought to an app.
#[derive(Clone, Debug)]
pub enum Posting {
    /// Captures that are sent again together.
    Batch {
        /// When it was begun.
        at: Timestamp,
        /// How they are sent, as JSON. No secret may stand in it.
        spec: String,
        /// The captures, in the order in which they are sent.
        captures: Vec<CaptureId>,
    },
    /// Errands that are no longer to be done.
    Drop(Vec<ErrandId>),
    /// Errands that cannot be tried, because of that. What is of a batch is not given up: it stays to be sent.
    GiveUp(Vec<ErrandId>, String),
    /// Errands that were given up and are to be tried again from that moment on.
    Revive(Vec<ErrandId>, Timestamp),
    /// Nothing goes to an app for a while.
    Open(Circuit),
    /// It goes there again.
    Close(String),
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posted {
    /// A batch, with the first of its errands; the others follow it.
    Batch(BatchId, ErrandId),
    /// How many rows were changed.
    Changed(u64),
}

impl Posting {
    /// Nobody waits for an errand that is merely struck out.
    pub(super) fn haste(&self) -> Haste {
        if matches!(self, Self::Drop(_)) { Haste::Soon } else { Haste::Now }
    }

    /// Bytes it takes in memory.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Batch { captures, spec, .. } => captures.len() * size_of::<CaptureId>() + spec.len(),
            Self::Drop(ids) | Self::GiveUp(ids, _) | Self::Revive(ids, _) => ids.len() * size_of::<ErrandId>(),
            Self::Open(_) | Self::Close(_) => 0,
        }
    }
}

/// How the capture of a row of `summary` stands: of several apps the worst says. Looked up by number; of the numbers that
/// its errands have in an older store, some may be another's.
macro_rules! worst {
    () => {
        "(SELECT max(dead) + 1 FROM errand WHERE errand.id >= summary.errand
        AND errand.id < summary.errand + summary.lanes AND capture = summary.id)"
    };
}
pub(super) use worst;

const ERRAND: &str = "INSERT INTO errand (id, capture, lane, tries, due_at, dead) VALUES (?, ?, ?, 0, ?, 0)";
const STANDING: &str = "SELECT capture, dead FROM errand WHERE id = ?";
const DONE: &str = "DELETE FROM errand WHERE id = ?";
const TRIED: &str = "UPDATE errand SET tries = tries + 1, due_at = ?, why = ? WHERE id = ?";
const DIED: &str = "UPDATE errand SET tries = tries + ?, dead = 1, why = ? WHERE id = ? AND dead = 0
    RETURNING capture";
const REVIVED: &str =
    "UPDATE errand SET tries = 0, dead = 0, due_at = ?, why = NULL WHERE id = ? AND dead = 1 RETURNING capture";
const STANDS: &str = concat!("UPDATE summary SET post = ", worst!(), " WHERE id = ?");
const FORGET: &str = "DELETE FROM errand WHERE id >= (SELECT errand FROM summary WHERE id = ?1)
    AND id < (SELECT errand + lanes FROM summary WHERE id = ?1) AND capture = ?1 RETURNING dead";
const OPEN: &str = "INSERT OR REPLACE INTO circuit (lane, failures, until, why) VALUES (?, ?, ?, ?)";
const CLOSE: &str = "DELETE FROM circuit WHERE lane = ?";

/// An errand that is not any more what it was.
enum Turned {
    /// One that forwards the capture of that number.
    Forward(i64),
    OfBatch,
}

impl Transaction<'_> {
    /// Writes an errand for each lane. Gives the first one's id.
    pub(super) fn errands(&mut self, capture: CaptureId, lanes: &[Arc<str>], at: Timestamp) -> Result<ErrandId, Error> {
        let first = ErrandId(self.next_errand + self.tally.errands);
        let mut statement = self.connection.prepare_cached(ERRAND)?;
        for (lane, id) in lanes.iter().zip(first.0..) {
            statement.execute(params![id, capture.0, lane, at.unix_ms()])?;
        }
        self.tally.errands += lanes.len() as i64;
        self.tally.waiting += lanes.len() as i64;
        Ok(first)
    }

    /// Writes what a try meant for its errand. Gives whether its capture may stand otherwise now, which is still to be
    /// written.
    pub(super) fn settle(&mut self, settlement: &Settlement) -> Result<bool, Error> {
        let id = settlement.errand;
        let changed = match &settlement.next {
            Next::Done => self.done(id)?,
            Next::Again(due_at, why) => {
                self.connection.prepare_cached(TRIED)?.execute(params![due_at.unix_ms(), why, id.0])?;
                None
            }
            Next::Dead(why) => self.die(id, why, 1)?,
        };
        Ok(matches!(changed, Some(Turned::Forward(_))))
    }

    /// Writes a change.
    pub(super) fn post(&mut self, posting: &Posting) -> Result<Posted, Error> {
        match posting {
            Posting::Batch { at, spec, captures } => self.batch(*at, spec, captures),
            Posting::Drop(ids) => self.each(ids, Self::done),
            Posting::GiveUp(ids, why) => self.each(ids, |this, id| this.die(id, why, 0)),
            Posting::Revive(ids, at) => self.each(ids, |this, id| this.revive(id, *at)),
            Posting::Open(Circuit { lane, failures, until, why }) => {
                let changed =
                    self.connection.prepare_cached(OPEN)?.execute(params![lane, failures, until.unix_ms(), why])?;
                Ok(Posted::Changed(changed as u64))
            }
            Posting::Close(lane) => Ok(Posted::Changed(self.connection.prepare_cached(CLOSE)?.execute([lane])? as u64)),
        }
    }

    /// Changes errands, one after the other, and how their captures stand.
    fn each(
        &mut self,
        ids: &[ErrandId],
        mut change: impl FnMut(&mut Self, ErrandId) -> Result<Option<Turned>, Error>,
    ) -> Result<Posted, Error> {
        let mut count = 0;
        for &id in ids {
            let Some(turned) = change(self, id)? else { continue };
            count += 1;
            if let Turned::Forward(capture) = turned {
                self.connection.prepare_cached(STANDS)?.execute([capture])?;
            }
        }
        Ok(Posted::Changed(count))
    }

    fn done(&mut self, id: ErrandId) -> Result<Option<Turned>, Error> {
        // Of a batch there are many in one transaction.
        if let Some(is_struck) = self.batches.strike_known(id) {
            return Ok(is_struck.then_some(Turned::OfBatch));
        }
        let gone = self
            .connection
            .prepare_cached(STANDING)?
            .query_row([id.0], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)));
        let Some((capture, dead)) = gone.optional()? else {
            return Ok(self.batches.strike(self.connection, id)?.then_some(Turned::OfBatch));
        };
        self.connection.prepare_cached(DONE)?.execute([id.0])?;
        self.tally.waiting -= 1 - dead;
        self.tally.dead -= dead;
        Ok(Some(Turned::Forward(capture)))
    }

    fn die(&mut self, id: ErrandId, why: &str, tries: u32) -> Result<Option<Turned>, Error> {
        self.turned(DIED, &[&tries, &why, &id.0], 1)
    }

    fn revive(&mut self, id: ErrandId, at: Timestamp) -> Result<Option<Turned>, Error> {
        self.turned(REVIVED, &[&at.unix_ms(), &id.0], -1)
    }

    /// Changes an errand from waiting to given up, or back.
    fn turned(&mut self, sql: &str, values: &[&dyn rusqlite::ToSql], dead: i64) -> Result<Option<Turned>, Error> {
        let turned = self.connection.prepare_cached(sql)?.query_row(values, |row| row.get(0));
        let Some(capture) = turned.optional()? else { return Ok(None) };
        self.tally.waiting -= dead;
        self.tally.dead += dead;
        Ok(Some(Turned::Forward(capture)))
    }

    /// Deletes the errands that forward a capture, before it is deleted itself.
    pub(super) fn forget_errands(&mut self, capture: i64) -> Result<(), Error> {
        let mut statement = self.connection.prepare_cached(FORGET)?;
        for dead in statement.query_map([capture], |row| row.get::<_, i64>(0))? {
            let dead = dead?;
            self.tally.waiting -= 1 - dead;
            self.tally.dead -= dead;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::params_from_iter;

    use super::*;
    use crate::store::{
        batch::{ENDED, IS_THERE, OF_ERRAND, PARTS, STRUCK},
        insert::{self, DELIVERED},
        reader::{OF_CAPTURE, deliveries_of},
        schema::{MIGRATIONS, migrate},
    };

    #[test]
    fn errands_and_deliveries_are_looked_up_by_number_and_no_table_is_walked_through() {
        let mut store = rusqlite::Connection::open_in_memory().unwrap();
        migrate(&mut store, MIGRATIONS).unwrap();
        let (of_one, deliveries) = (format!("SELECT 1 FROM errand WHERE {OF_CAPTURE}"), deliveries_of());
        let of_errands = [DELIVERED, STANDS, FORGET, STANDING, DONE, TRIED, DIED, REVIVED, &of_one];
        let of_batches = [OF_ERRAND, STRUCK, ENDED[0], ENDED[1], PARTS, IS_THERE];
        let of_deliveries = insert::FORGET.into_iter().chain([&deliveries[..]]);
        for sql in of_errands.into_iter().chain(of_batches).chain(of_deliveries) {
            let mut plan = store.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let count = plan.parameter_count();
            let steps = plan.query_map(params_from_iter(vec![0; count]), |row| row.get(3)).unwrap();
            let steps: Vec<String> = steps.map(Result::unwrap).collect();
            let is_a_lookup = |step: &String| match step.split(' ').next() {
                Some("SEARCH") => step.contains("USING INTEGER PRIMARY KEY"),
                // What was found so far of a chain of deliveries.
                Some("SCAN") => step == "SCAN of",
                _ => true,
            };
            assert!(!steps.is_empty() && steps.iter().all(is_a_lookup), "{sql}: {steps:?}");
        }
    }
}
