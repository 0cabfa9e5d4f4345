//! What must still be brought to an app: errands and batches, written and settled.

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
    /// Errands that cannot be tried, because of that.
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

const ERRAND: &str = "INSERT INTO errand (id, capture, lane, batch, tries, due_at, dead) VALUES (?, ?, ?, ?, 0, ?, 0)";
const BATCH: &str = "INSERT INTO batch (at, total, spec) VALUES (?, ?, ?)";
const DONE_OF_BATCH: &str = "DELETE FROM errand WHERE id = ? AND batch IS NOT NULL";
const STANDING: &str = "SELECT capture, dead FROM errand WHERE id = ?";
const DONE: &str = "DELETE FROM errand WHERE id = ?";
const TRIED: &str = "UPDATE errand SET tries = tries + 1, due_at = ?, why = ? WHERE id = ?";
const DIED: &str = "UPDATE errand SET tries = tries + ?, dead = 1, why = ? WHERE id = ? AND dead = 0
    RETURNING capture, batch IS NULL";
const REVIVED: &str = "UPDATE errand SET tries = 0, dead = 0, due_at = ?, why = NULL WHERE id = ? AND dead = 1
    RETURNING capture, batch IS NULL";
// Of several apps the worst says how the capture stands.
const STANDS: &str = "UPDATE summary SET post = (SELECT max(dead) + 1 FROM errand WHERE capture = ?1 AND batch IS NULL)
    WHERE id = ?1";
const ANSWERED: &str = "UPDATE summary SET reply = ? WHERE id = ?";
const FORGET: &str = "DELETE FROM errand WHERE capture = ? RETURNING batch IS NULL, dead";
const OPEN: &str = "INSERT OR REPLACE INTO circuit (lane, failures, until, why) VALUES (?, ?, ?, ?)";
const CLOSE: &str = "DELETE FROM circuit WHERE lane = ?";

impl Transaction<'_> {
    /// Writes an errand for each lane. Gives the first one's id.
    pub(super) fn errands(&mut self, capture: CaptureId, lanes: &[Arc<str>], at: Timestamp) -> Result<ErrandId, Error> {
        let first = ErrandId(self.next_errand + self.tally.errands);
        for lane in lanes {
            self.errand(capture, lane, None, at)?;
        }
        self.tally.waiting += lanes.len() as i64;
        Ok(first)
    }

    fn errand(
        &mut self,
        capture: CaptureId,
        lane: &str,
        batch: Option<BatchId>,
        due_at: Timestamp,
    ) -> Result<(), Error> {
        let id = self.next_errand + self.tally.errands;
        let batch = batch.map(|batch| batch.0);
        self.connection.prepare_cached(ERRAND)?.execute(params![id, capture.0, lane, batch, due_at.unix_ms()])?;
        self.tally.errands += 1;
        Ok(())
    }

    /// Writes what a try meant for its errand.
    pub(super) fn settle(&mut self, capture: CaptureId, settlement: &Settlement) -> Result<(), Error> {
        let id = settlement.errand;
        match &settlement.next {
            Next::Done => drop(self.done(id)?),
            Next::Again(due_at, why) => {
                self.connection.prepare_cached(TRIED)?.execute(params![due_at.unix_ms(), why, id.0])?;
            }
            Next::Dead(why) => drop(self.die(id, why, 1)?),
        }
        if let Some(status) = settlement.answered {
            self.connection.prepare_cached(ANSWERED)?.execute(params![status, capture.0])?;
        }
        Ok(())
    }

    /// Writes a change.
    pub(super) fn post(&mut self, posting: &Posting) -> Result<Posted, Error> {
        let each = |ids: &[ErrandId], change: &mut dyn FnMut(ErrandId) -> Result<bool, Error>| {
            let changed = ids.iter().map(|&id| change(id)).collect::<Result<Vec<_>, _>>()?;
            Ok(Posted::Changed(changed.into_iter().filter(|&changed| changed).count() as u64))
        };
        match posting {
            Posting::Batch { at, spec, captures } => self.batch(*at, spec, captures),
            Posting::Drop(ids) => each(ids, &mut |id| self.done(id)),
            Posting::GiveUp(ids, why) => each(ids, &mut |id| self.die(id, why, 0)),
            Posting::Revive(ids, at) => each(ids, &mut |id| self.revive(id, *at)),
            Posting::Open(Circuit { lane, failures, until, why }) => {
                let changed =
                    self.connection.prepare_cached(OPEN)?.execute(params![lane, failures, until.unix_ms(), why])?;
                Ok(Posted::Changed(changed as u64))
            }
            Posting::Close(lane) => Ok(Posted::Changed(self.connection.prepare_cached(CLOSE)?.execute([lane])? as u64)),
        }
    }

    fn batch(&mut self, at: Timestamp, spec: &str, captures: &[CaptureId]) -> Result<Posted, Error> {
        let first = ErrandId(self.next_errand + self.tally.errands);
        self.connection.prepare_cached(BATCH)?.execute(params![at.unix_ms(), captures.len() as i64, spec])?;
        let batch = BatchId(self.connection.last_insert_rowid());
        for &capture in captures {
            self.errand(capture, "", Some(batch), at)?;
        }
        Ok(Posted::Batch(batch, first))
    }

    fn done(&mut self, id: ErrandId) -> Result<bool, Error> {
        if self.connection.prepare_cached(DONE_OF_BATCH)?.execute([id.0])? > 0 {
            return Ok(true);
        }
        let gone = self
            .connection
            .prepare_cached(STANDING)?
            .query_row([id.0], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)));
        let Some((capture, dead)) = gone.optional()? else { return Ok(false) };
        self.connection.prepare_cached(DONE)?.execute([id.0])?;
        self.tally.waiting -= 1 - dead;
        self.tally.dead -= dead;
        self.stands(capture)?;
        Ok(true)
    }

    fn die(&mut self, id: ErrandId, why: &str, tries: u32) -> Result<bool, Error> {
        self.turned(DIED, &[&tries, &why, &id.0], 1)
    }

    fn revive(&mut self, id: ErrandId, at: Timestamp) -> Result<bool, Error> {
        self.turned(REVIVED, &[&at.unix_ms(), &id.0], -1)
    }

    /// Changes an errand from waiting to given up, or back.
    fn turned(&mut self, sql: &str, values: &[&dyn rusqlite::ToSql], dead: i64) -> Result<bool, Error> {
        let turned = self
            .connection
            .prepare_cached(sql)?
            .query_row(values, |row| Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?)));
        let Some((capture, is_forwarded)) = turned.optional()? else { return Ok(false) };
        if is_forwarded {
            self.tally.waiting -= dead;
            self.tally.dead += dead;
            self.stands(capture)?;
        }
        Ok(true)
    }

    fn stands(&self, capture: i64) -> Result<(), Error> {
        self.connection.prepare_cached(STANDS)?.execute([capture]).map(drop)
    }

    /// Deletes the errands of a capture that is deleted.
    pub(super) fn forget_errands(&mut self, capture: i64) -> Result<(), Error> {
        let mut statement = self.connection.prepare_cached(FORGET)?;
        let gone = statement.query_map([capture], |row| Ok((row.get::<_, bool>(0)?, row.get::<_, i64>(1)?)))?;
        for row in gone {
            let (is_forwarded, dead) = row?;
            if is_forwarded {
                self.tally.waiting -= 1 - dead;
                self.tally.dead -= dead;
            }
        }
        Ok(())
    }
}
