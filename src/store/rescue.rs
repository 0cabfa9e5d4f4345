//! What can still be read of a damaged file: one capture after the other, past those that cannot.

use std::ops::Range;

use rusqlite::params_from_iter;

use super::{
    Bodies, Reader,
    reader::damaged,
    trouble::{Kind, Trouble},
};
use crate::query::{Sql, Value};
use crate::record::{Capture, CaptureId, Failure};

/// How many numbers are asked for at once. Where one of them cannot be read, each is asked for by itself.
const AT_ONCE: usize = 500;

/// What is left of a capture in a file that may be damaged.
#[derive(Debug)]
pub enum Rescued {
    /// All of it.
    Whole(Box<Capture>),
    /// It is not in the store, or not any more.
    Gone,
    /// It cannot be read, and why.
    Damaged(Failure),
}

impl Reader {
    /// One capture that the list had, with its whole body: for whoever goes on with the others where the file is damaged at
    /// this one.
    pub fn rescue(&self, id: CaptureId) -> Result<Rescued, Failure> {
        let doing = || format!("reading capture {id}");
        match self.find(id, Bodies::Read) {
            Ok(Some(capture)) => Ok(Rescued::Whole(Box::new(capture))),
            Ok(None) if self.summary(id)?.is_none() => Ok(Rescued::Gone),
            Ok(None) => Ok(Rescued::Damaged(damaged(doing(), "only its row of the list is there"))),
            Err(trouble) => of_the_file(trouble).map(Rescued::Damaged),
        }
    }

    /// The captures that fulfil the condition, oldest first. Those of which a damaged file does not tell that are left out and
    /// told to `missed`.
    pub fn sift(
        &self,
        condition: Option<&Sql>,
        missed: &mut dyn FnMut(CaptureId, Failure),
    ) -> Result<Vec<CaptureId>, Failure> {
        let end: i64 = self.ask("reading the counts", || {
            self.connection().query_row("SELECT next_id FROM counter", (), |row| row.get(0))
        })?;
        let mut all = Vec::new();
        for first in (1..end).step_by(AT_ONCE) {
            let last = end.min(first + AT_ONCE as i64);
            match self.taken(first..last, condition) {
                Ok(taken) => all.extend(taken),
                Err(trouble) => {
                    of_the_file(trouble)?;
                    for id in first..last {
                        all.extend(self.taken_alone(id, condition, missed)?);
                    }
                }
            }
        }
        Ok(all)
    }

    /// One of them, where it fulfils the condition.
    fn taken_alone(
        &self,
        id: i64,
        condition: Option<&Sql>,
        missed: &mut dyn FnMut(CaptureId, Failure),
    ) -> Result<Vec<CaptureId>, Failure> {
        let why = match self.taken(id..id + 1, condition) {
            Ok(taken) => return Ok(taken),
            Err(trouble) => of_the_file(trouble)?,
        };
        // What was deleted has no content either.
        let is_there = self.look("reading what is there", || {
            self.connection().prepare_cached("SELECT 1 FROM content WHERE id = ?")?.exists([id])
        });
        if is_there.unwrap_or(true) {
            missed(CaptureId(id), why);
        }
        Ok(Vec::new())
    }

    fn taken(&self, ids: Range<i64>, condition: Option<&Sql>) -> Result<Vec<CaptureId>, Trouble> {
        let wanted = condition.map_or(String::new(), |condition| format!("AND ({})", condition.text));
        let sql = format!("SELECT id FROM summary WHERE id >= ? AND id < ? {wanted} ORDER BY id");
        let bounds = [ids.start, ids.end].map(Value::Int);
        let values = bounds.iter().chain(condition.into_iter().flat_map(|condition| &condition.values));
        self.look("reading the list", || {
            let mut statement = self.connection().prepare_cached(&sql)?;
            statement.query_map(params_from_iter(values), |row| row.get(0).map(CaptureId))?.collect()
        })
    }
}

/// What the file itself is to blame for; anything else ends the reading.
fn of_the_file(trouble: Trouble) -> Result<Failure, Failure> {
    if trouble.kind == Kind::File { Ok(trouble.failure) } else { Err(trouble.failure) }
}
