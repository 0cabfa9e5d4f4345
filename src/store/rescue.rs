//! What can still be read of a damaged file: one capture after the other, past those that cannot.

use std::{cmp::Reverse, collections::VecDeque, ops::Range};

use rusqlite::params_from_iter;

use super::{
    Bodies, Reader, Slice, Sorting, Start,
    reader::damaged,
    select::{self, SUMMARY_COLUMNS},
    trouble::{Kind, Trouble},
};
use crate::query::{Sql, Value};
use crate::record::{Capture, CaptureId, Failure, Summary};

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
    /// One capture, with its whole body: for whoever goes on with the others, or with what is left, where the file is damaged
    /// at this one.
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
        let end = self.end()?;
        let mut all = Vec::new();
        for first in (1..end).step_by(AT_ONCE) {
            let ids = first..end.min(first + AT_ONCE as i64);
            all.extend(self.past(ids, &mut |ids| self.taken(ids, condition), missed)?);
        }
        Ok(all)
    }

    /// The list, past what is damaged in it.
    pub fn list<'a>(&'a self, condition: Option<&'a Sql>) -> List<'a> {
        List { reader: self, condition, start: Start::Newest, below: None, rows: VecDeque::new(), missed: Vec::new() }
    }

    /// What [`Reader::page`] or, with a condition, [`Reader::search`] gives, past what is damaged: number by number, until
    /// `enough` says so.
    pub fn past_damage(
        &self,
        start: Start,
        limit: usize,
        condition: Option<&Sql>,
        enough: impl Fn() -> bool,
    ) -> Result<Slice, Failure> {
        let end = self.end()?;
        let mut left = match start {
            Start::Newest => 1..end,
            Start::Before(id) => 1..id.0.min(end),
            Start::After(id) => id.0.saturating_add(1)..end,
        };
        let is_down = !matches!(start, Start::After(_));
        let (mut rows, mut missed) = (Vec::new(), Vec::new());
        while !left.is_empty() && rows.len() < limit {
            let ids = if is_down {
                left.end.saturating_sub(AT_ONCE as i64).max(left.start)..left.end
            } else {
                left.start..left.start.saturating_add(AT_ONCE as i64).min(left.end)
            };
            let read = &mut |ids| self.rows_of(ids, condition);
            let mut more = self.past(ids.clone(), read, &mut |id, why| missed.push((id, why)))?;
            left = if is_down { left.start..ids.start } else { ids.end..left.end };
            if is_down {
                more.reverse();
            }
            rows.append(&mut more);
            if enough() {
                break;
            }
        }
        if rows.len() > limit {
            rows.truncate(limit);
            // What lies behind the last one is read once more.
            left = rows
                .last()
                .map_or(left.clone(), |last| if is_down { left.start..last.id.0 } else { last.id.0 + 1..left.end });
        }
        let rest = match left.is_empty() {
            true => None,
            false if is_down => Some(Start::Before(CaptureId(left.end))),
            false => Some(Start::After(CaptureId(left.start - 1))),
        };
        let behind = (end - 1).saturating_sub(left.end - left.start).max(0);
        let percent = (behind * 100 / (end - 1).max(1)).clamp(0, 100) as u8;
        if !is_down {
            rows.reverse();
        }
        Ok(Slice { rows, rest, percent, newest: CaptureId(end - 1), missed })
    }

    /// What [`Reader::sorted`] gives, past what is damaged.
    pub fn sorted_past_damage(&self, by: Sorting, limit: usize, condition: Option<&Sql>) -> Result<Slice, Failure> {
        let end = self.end()?;
        let (mut rows, mut missed) = (Vec::new(), Vec::new());
        let value = |row: &Summary| match by {
            Sorting::Size => Some(row.size),
            Sorting::Took => row.took_ms,
        };
        for first in (1..end).step_by(AT_ONCE) {
            let ids = first..end.min(first + AT_ONCE as i64);
            let read = &mut |ids| self.rows_of(ids, condition);
            let more = self.past(ids, read, &mut |id, why| missed.push((id, why)))?;
            rows.extend(more.into_iter().filter(|row| value(row).is_some()));
            rows.sort_by_key(|row| Reverse((value(row), row.id)));
            rows.truncate(limit);
        }
        Ok(Slice { rows, rest: None, percent: 100, newest: CaptureId(end - 1), missed })
    }

    /// The number that the next capture is given.
    fn end(&self) -> Result<i64, Failure> {
        self.ask("reading the counts", || {
            self.connection().query_row("SELECT next_id FROM counter", (), |row| row.get(0))
        })
    }

    /// What `read` gives for these numbers; where it cannot read them together, for each by itself.
    fn past<T>(
        &self,
        ids: Range<i64>,
        read: &mut dyn FnMut(Range<i64>) -> Result<Vec<T>, Trouble>,
        missed: &mut dyn FnMut(CaptureId, Failure),
    ) -> Result<Vec<T>, Failure> {
        match read(ids.clone()) {
            Ok(all) => return Ok(all),
            Err(trouble) => of_the_file(trouble)?,
        };
        let mut all = Vec::new();
        for id in ids {
            match read(id..id + 1) {
                Ok(one) => all.extend(one),
                Err(trouble) => self.miss(id, of_the_file(trouble)?, missed),
            }
        }
        Ok(all)
    }

    /// Tells of one that cannot be read, unless it is gone.
    fn miss(&self, id: i64, why: Failure, missed: &mut dyn FnMut(CaptureId, Failure)) {
        // What was deleted has no content either.
        let is_there = self.look("reading what is there", || {
            self.connection().prepare_cached("SELECT 1 FROM content WHERE id = ?")?.exists([id])
        });
        if is_there.unwrap_or(true) {
            missed(CaptureId(id), why);
        }
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

    /// The rows of these numbers, oldest first.
    fn rows_of(&self, ids: Range<i64>, condition: Option<&Sql>) -> Result<Vec<Summary>, Trouble> {
        let wanted = condition.map_or(String::new(), |condition| format!("AND ({})", condition.text));
        let sql = format!("SELECT {SUMMARY_COLUMNS} FROM summary WHERE id >= ? AND id < ? {wanted} ORDER BY id");
        let bounds = [ids.start, ids.end].map(Value::Int);
        let values = bounds.iter().chain(condition.into_iter().flat_map(|condition| &condition.values));
        self.look("reading the list", || {
            let mut statement = self.connection().prepare_cached(&sql)?;
            statement.query_map(params_from_iter(values), select::summary)?.collect()
        })
    }
}

/// The rows of the list that fulfil a condition, newest first. Of a sound file it is read page by page. From a page on that
/// cannot be read it goes by numbers: what cannot be read is left out, and kept to be told.
#[derive(Debug)]
pub struct List<'a> {
    reader: &'a Reader,
    condition: Option<&'a Sql>,
    start: Start,
    /// Where the file is damaged: the number below which is read on.
    below: Option<i64>,
    /// Newest first.
    rows: VecDeque<Summary>,
    missed: Vec<(CaptureId, Failure)>,
}

impl List<'_> {
    /// At most so many further ones; none at the end.
    pub fn page(&mut self, limit: usize) -> Result<Vec<Summary>, Failure> {
        if self.below.is_none() {
            match self.reader.page(self.start, limit, self.condition) {
                Ok(rows) => {
                    self.start = rows.last().map_or(self.start, |row| Start::Before(row.id));
                    return Ok(rows);
                }
                Err(_) => self.below = Some(self.from()?),
            }
        }
        // Whatever was wrong with the page: what is no damage of the file ends this, too.
        while let Some(below) = self.below.filter(|below| *below > 1 && self.rows.len() < limit) {
            let first = below.saturating_sub(AT_ONCE as i64).max(1);
            let (reader, condition, before) = (self.reader, self.condition, self.missed.len());
            let missed = &mut self.missed;
            let read = &mut |ids| reader.rows_of(ids, condition);
            let rows = reader.past(first..below, read, &mut |id, why| missed.push((id, why)))?;
            missed[before..].reverse();
            self.rows.extend(rows.into_iter().rev());
            self.below = Some(first);
        }
        Ok(self.rows.drain(..limit.min(self.rows.len())).collect())
    }

    fn from(&self) -> Result<i64, Failure> {
        match self.start {
            Start::Before(id) => Ok(id.0),
            Start::Newest | Start::After(_) => self.reader.end(),
        }
    }

    /// What could not be read so far, oldest first; what the condition says of it nobody knows.
    pub fn missed(self) -> Vec<(CaptureId, Failure)> {
        self.missed.into_iter().rev().collect()
    }
}

/// What the file itself is to blame for; anything else ends the reading.
fn of_the_file(trouble: Trouble) -> Result<Failure, Failure> {
    if trouble.kind == Kind::File { Ok(trouble.failure) } else { Err(trouble.failure) }
}
