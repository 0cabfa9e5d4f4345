//! Rows that a filter takes, a slice at a time.
//!
//! A search walks over the numbers of captures, newest first or oldest first, and asks the index which blocks of them may
//! be meant; those, and what is not in the index yet, are looked through by SQL. It can end between any two steps and go
//! on from there, so that a screen shows what was found while the rest is still searched.

use rusqlite::{Connection, Error, OptionalExtension, params_from_iter};

use super::{
    Reader, Start,
    gram::{BLOCK, Gram, LARGE, PARTS, Probe, SMALL, Sheet},
    index::{self, large_id, small_id},
    select::{self, SUMMARY_COLUMNS},
};
use crate::query::{Sql, Value};
use crate::record::{CaptureId, Failure, Summary};

/// Blocks that are looked through at once where no bodies are read.
const BLOCKS_AT_ONCE: u32 = 64;
/// Steps of a search between two looks at the store as it is then: a read transaction must not last.
const STEPS: u32 = 2_000;

/// No capture has a greater number (`insert`).
const MOST_ID: i64 = 1 << 47;

/// What was found so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slice {
    /// Rows, newest first.
    pub rows: Vec<Summary>,
    /// Where the search goes on; none where it is at its end.
    pub rest: Option<Start>,
    /// How much of the list lies behind it, in percent.
    pub percent: u8,
    /// The newest capture there was, whether or not it was taken.
    pub newest: CaptureId,
    /// What could not be read, since the file is damaged, and why.
    pub missed: Vec<(CaptureId, Failure)>,
}

impl Reader {
    /// At most `limit` rows that fulfil the condition, in the order of [`Reader::page`]: as many as are found before
    /// `enough` says so. It is asked about every tenth of a millisecond, where bodies are small.
    pub fn search(
        &self,
        start: Start,
        limit: usize,
        condition: &Sql,
        mut enough: impl FnMut() -> bool,
    ) -> Result<Slice, Failure> {
        self.ask("searching the list", || {
            // All steps see one state of the store.
            let state = self.connection().unchecked_transaction()?;
            let Some(mut walk) = Walk::new(&state, start, condition)? else { return Ok(Slice::default()) };
            let mut rows = Vec::new();
            let mut is_over = false;
            while rows.len() < limit && !is_over {
                match walk.step()? {
                    None => is_over = true,
                    Some(range) => walk.look(range, limit, &mut rows)?,
                }
                if enough() {
                    break;
                }
            }
            let (rest, percent) = (walk.rest().filter(|_| !is_over), walk.percent());
            if !walk.down {
                rows.reverse();
            }
            Ok(Slice { rows, rest, percent, newest: CaptureId(walk.newest), missed: Vec::new() })
        })
    }

    /// Those of some rows that are still there and fulfil the condition, as they are now, newest first.
    pub fn again(&self, ids: &[CaptureId], condition: &Sql) -> Result<Vec<Summary>, Failure> {
        let sql = format!("SELECT {SUMMARY_COLUMNS} FROM summary WHERE id = ? AND ({})", condition.text);
        self.ask("reading rows of the list again", || {
            let mut statement = self.connection().prepare_cached(&sql)?;
            let mut rows = Vec::with_capacity(ids.len());
            for id in ids {
                let values = [Value::Int(id.0)].into_iter().chain(condition.values.iter().cloned());
                rows.extend(statement.query_row(params_from_iter(values), select::summary).optional()?);
            }
            Ok(rows)
        })
    }

    /// [`Reader::search`] to the end.
    pub(super) fn search_all(&self, start: Start, limit: usize, condition: &Sql) -> Result<Vec<Summary>, Failure> {
        let (mut rows, mut next) = (Vec::new(), Some(start));
        while let Some(start) = next.filter(|_| rows.len() < limit) {
            let mut steps = 0;
            let enough = || {
                steps += 1;
                steps > STEPS
            };
            let Slice { rows: more, rest, .. } = self.search(start, limit - rows.len(), condition, enough)?;
            match start {
                Start::After(_) => drop(rows.splice(..0, more)),
                _ => rows.extend(more),
            }
            next = rest;
        }
        Ok(rows)
    }
}

/// A run of captures, by its first and its last number.
type Range = (i64, i64);

/// The marks of one sheet, or that there are none.
#[derive(Clone, Copy)]
struct Group {
    first: i64,
    blocks: u32,
    /// The blocks that may be meant.
    meant: u64,
    is_marked: bool,
}

/// A search on its way.
struct Walk<'c> {
    connection: &'c Connection,
    probe: Probe,
    sql: String,
    values: Vec<Value>,
    at_once: u32,
    down: bool,
    /// The next number.
    at: i64,
    oldest: i64,
    newest: i64,
    group: Option<Group>,
}

impl<'c> Walk<'c> {
    /// None where there is nothing to search.
    fn new(connection: &'c Connection, start: Start, condition: &Sql) -> Result<Option<Self>, Error> {
        let ends = "SELECT (SELECT min(id) FROM summary), (SELECT max(id) FROM summary)";
        let (oldest, newest): (Option<i64>, Option<i64>) =
            connection.prepare_cached(ends)?.query_row((), |row| Ok((row.get(0)?, row.get(1)?)))?;
        let Some((oldest, newest)) = oldest.zip(newest) else { return Ok(None) };
        // Only a damaged file has numbers beyond these.
        let (oldest, newest) = (oldest.max(0), newest.min(MOST_ID));
        let (at, down) = match start {
            Start::Newest => (newest, true),
            Start::Before(id) => (id.0.saturating_sub(1).min(newest), true),
            Start::After(id) => (id.0.saturating_add(1).max(oldest), false),
        };
        let order = if down { "DESC" } else { "ASC" };
        let sql = format!(
            "SELECT {SUMMARY_COLUMNS} FROM summary WHERE id >= ? AND id <= ? AND ({}) ORDER BY id {order} LIMIT ?",
            condition.text
        );
        Ok(Some(Self {
            connection,
            probe: Probe::of(&condition.need),
            sql,
            values: condition.values.clone(),
            at_once: if condition.reads_bodies { 1 } else { BLOCKS_AT_ONCE },
            down,
            at,
            oldest,
            newest,
            group: None,
        }))
    }

    /// Goes on to the next captures that may be meant.
    fn step(&mut self) -> Result<Option<Range>, Error> {
        while (self.oldest..=self.newest).contains(&self.at) {
            let Group { first, blocks, meant, .. } = self.group()?;
            let from = ((self.at - first) / BLOCK) as u32;
            let ahead = if self.down { meant & (u64::MAX >> (63 - from)) } else { meant & (u64::MAX << from) };
            if ahead == 0 {
                self.at = if self.down { first - 1 } else { first + i64::from(blocks) * BLOCK };
                continue;
            }
            return Ok(Some(self.range(first, ahead)));
        }
        Ok(None)
    }

    /// The next blocks that are set, and the walk behind them.
    fn range(&mut self, first: i64, ahead: u64) -> Range {
        let (low, count) = if self.down {
            let high = ahead.ilog2();
            let count = (ahead << (63 - high)).leading_ones().min(self.at_once);
            (high + 1 - count, count)
        } else {
            let low = ahead.trailing_zeros();
            (low, (ahead >> low).trailing_ones().min(self.at_once))
        };
        let (from, to) = (first + i64::from(low) * BLOCK, first + i64::from(low + count) * BLOCK - 1);
        let range = if self.down { (from, to.min(self.at)) } else { (from.max(self.at), to) };
        self.at = if self.down { range.0 - 1 } else { range.1 + 1 };
        range
    }

    /// The group that the walk is in.
    fn group(&mut self) -> Result<Group, Error> {
        let is_in = |group: &Group| (group.first..group.first + i64::from(group.blocks) * BLOCK).contains(&self.at);
        let group = match self.group.filter(is_in) {
            Some(group) if group.is_marked => return Ok(group),
            Some(group) => group,
            None => self.ask()?,
        };
        self.group = Some(group);
        if !group.is_marked && self.pass_gap()? { self.group_after_gap() } else { Ok(group) }
    }

    /// Passes over numbers of which there are no captures. Whether the walk is in another group now.
    fn pass_gap(&mut self) -> Result<bool, Error> {
        let sql = if self.down {
            "SELECT max(id) FROM summary WHERE id <= ?"
        } else {
            "SELECT min(id) FROM summary WHERE id >= ?"
        };
        let next: Option<i64> = self.connection.prepare_cached(sql)?.query_row([self.at], |row| row.get(0))?;
        let before = self.at.div_euclid(SMALL);
        if let Some(next) = next {
            self.at = next;
        }
        Ok(self.at.div_euclid(SMALL) != before)
    }

    fn group_after_gap(&mut self) -> Result<Group, Error> {
        let group = self.ask()?;
        self.group = Some(group);
        Ok(group)
    }

    /// Asks the index about where the walk is.
    fn ask(&self) -> Result<Group, Error> {
        let place = self.at.div_euclid(LARGE);
        if let Some(sheet) = index::sheet(self.connection, large_id(place))? {
            let meant = self.meant(large_id(place), sheet, 8)?;
            return Ok(Group { first: place * LARGE, blocks: 64, meant, is_marked: true });
        }
        let place = self.at.div_euclid(SMALL);
        let (meant, is_marked) = match index::sheet(self.connection, small_id(place))? {
            Some(sheet) => (self.meant(small_id(place), sheet, 1)?, true),
            None => (0xff, false),
        };
        Ok(Group { first: place * SMALL, blocks: 8, meant, is_marked })
    }

    /// The blocks of a sheet that may be meant.
    fn meant(&self, id: i64, sheet: Sheet, bytes: usize) -> Result<u64, Error> {
        let all = if bytes == 8 { u64::MAX } else { 0xff };
        if sheet.sharp {
            let mut ask = |gram: Gram| {
                let Some((part, at, mask)) = gram.sharp_place() else { return Ok(1) };
                let word = self.bits(id, part, at, 8)?;
                Ok::<_, Error>(u64::from(word.is_none_or(|word| word & mask == mask)))
            };
            if self.probe.ask(1, &mut ask)? == 0 {
                return Ok(0);
            }
        }
        let mut ask = |gram: Gram| {
            let (part, at) = gram.place(sheet.width, bytes);
            Ok::<_, Error>(self.bits(id, part, at, bytes)?.unwrap_or(all))
        };
        Ok((self.probe.ask(all, &mut ask)? | sheet.always) & all)
    }

    /// Some bytes of a part, as a number; none where they are not there, as only in a damaged file.
    fn bits(&self, sheet: i64, part: i64, at: usize, count: usize) -> Result<Option<u64>, Error> {
        let mut statement = self.connection.prepare_cached("SELECT bits FROM gram_part WHERE id = ?")?;
        let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |all, byte| all << 8 | u64::from(*byte));
        statement
            .query_row([sheet * PARTS + part], |row| Ok(row.get_ref(0)?.as_blob()?.get(at..at + count).map(number)))
            .optional()
            .map(Option::flatten)
    }

    /// Looks through a run of captures.
    fn look(&mut self, (from, to): Range, limit: usize, rows: &mut Vec<Summary>) -> Result<(), Error> {
        let left = Value::Int(i64::try_from(limit - rows.len()).unwrap_or(i64::MAX));
        let values = [Value::Int(from), Value::Int(to)].into_iter().chain(self.values.iter().cloned()).chain([left]);
        let mut statement = self.connection.prepare_cached(&self.sql)?;
        let mut found = statement.query(params_from_iter(values))?;
        while let Some(row) = found.next()? {
            rows.push(select::summary(row)?);
        }
        // The last one may stand before the run's end.
        if let Some(last) = rows.last().filter(|_| rows.len() >= limit) {
            self.at = if self.down { last.id.0 - 1 } else { last.id.0 + 1 };
        }
        Ok(())
    }

    fn rest(&self) -> Option<Start> {
        let is_inside = (self.oldest..=self.newest).contains(&self.at);
        is_inside.then_some(if self.down {
            Start::Before(CaptureId(self.at + 1))
        } else {
            Start::After(CaptureId(self.at - 1))
        })
    }

    fn percent(&self) -> u8 {
        let behind = if self.down { self.newest - self.at } else { self.at - self.oldest };
        let all = (self.newest - self.oldest + 1).max(1);
        (i128::from(behind) * 100 / i128::from(all)).clamp(0, 100) as u8
    }
}
