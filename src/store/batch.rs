//! Batches: captures that are sent again together.
//!
//! The list of a batch is written once, as it begins, and read when it is continued. What is left of it is a few ranges of
//! numbers beside it: a transaction strikes out in memory all that it settles, and writes the ranges once.

use rusqlite::{Connection, Error, OptionalExtension, Row, params, types::Type};

use super::{
    insert::Transaction,
    post::Posted,
    select::{count, unreadable},
};
use crate::record::{Batch, BatchId, CaptureId, ErrandId, Timestamp};

/// Captures in one row of the list: about two pages.
const PART: usize = 2_000;
/// Bytes of a number in a list.
const WIDTH: usize = size_of::<i64>();

const BEGIN: &str = "INSERT INTO batch (first, last, id, at, total, ranges, spec) VALUES (?, ?, ?, ?, ?, ?, ?)";
const LIST: &str = "INSERT INTO batch_list (id, captures) VALUES (?, ?)";
const ALL: &str = "SELECT first, last, ranges FROM batch";
pub(super) const OF_ERRAND: &str = "SELECT first, last, ranges FROM batch WHERE first <= ? ORDER BY first DESC LIMIT 1";
pub(super) const STRUCK: &str = "UPDATE batch SET ranges = ? WHERE first = ?";
pub(super) const ENDED: [&str; 2] =
    ["DELETE FROM batch WHERE first = ?1 AND ?2 = ?2", "DELETE FROM batch_list WHERE id BETWEEN ? AND ?"];
pub(super) const PARTS: &str = "SELECT id, captures FROM batch_list
    WHERE id BETWEEN (SELECT max(id) FROM batch_list WHERE id <= ?1) AND ?2 ORDER BY id";
pub(super) const IS_THERE: &str = "SELECT 1 FROM summary WHERE id = ?";
const UNENDED: &str = "SELECT first, last, ranges, id, at, total, spec FROM batch ORDER BY id DESC";
const NUMBERED: &str = "SELECT first, last, ranges FROM batch WHERE id = ?";

/// Numbers that are left: ranges, first and last, that ascend and do not touch.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Ranges(Vec<(i64, i64)>);

impl Ranges {
    fn read(bytes: &[u8]) -> Option<Self> {
        let (pairs, rest) = bytes.as_chunks::<{ 2 * WIDTH }>();
        let number = |bytes: &[u8]| bytes.try_into().map(i64::from_be_bytes).ok();
        let pair = |pair: &[u8; 2 * WIDTH]| Some((number(&pair[..WIDTH])?, number(&pair[WIDTH..])?));
        let ranges = pairs.iter().map(pair).collect::<Option<Vec<_>>>()?;
        let ascends = ranges.iter().all(|(first, last)| first <= last) && ranges.is_sorted_by(|a, b| a.1 < b.0);
        (rest.is_empty() && ascends).then_some(Self(ranges))
    }

    fn bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|(first, last)| [first.to_be_bytes(), last.to_be_bytes()]).flatten().collect()
    }

    /// The place of the range in which a number is.
    fn place(&self, number: i64) -> Option<usize> {
        let at = self.0.partition_point(|&(_, last)| last < number);
        self.0.get(at).is_some_and(|&(first, _)| first <= number).then_some(at)
    }

    /// Strikes out a number. Gives whether it was left.
    fn strike(&mut self, number: i64) -> bool {
        let Some(at) = self.place(number) else { return false };
        let (first, last) = self.0[at];
        let halves = [(first, number - 1), (number + 1, last)].into_iter().filter(|(first, last)| first <= last);
        self.0.splice(at..=at, halves);
        true
    }
}

/// How far a batch is.
#[derive(Debug)]
struct Progress {
    /// The errand numbers of its first and its last.
    first: i64,
    last: i64,
    left: Ranges,
    is_changed: bool,
}

impl Progress {
    fn read(row: &Row<'_>) -> Result<Self, Error> {
        let (first, last) = (row.get(0)?, row.get(1)?);
        let left = Ranges::read(row.get_ref(2)?.as_blob()?).ok_or_else(|| unreadable(2, Type::Blob))?;
        Ok(Self { first, last, left, is_changed: false })
    }

    fn has(&self, errand: i64) -> bool {
        (self.first..=self.last).contains(&errand)
    }

    fn strike(&mut self, errand: i64) -> bool {
        let is_struck = self.left.strike(errand);
        self.is_changed |= is_struck;
        is_struck
    }

    /// Gives what is left, in its order: capture, errand, and whether the capture is still there. Until it is told to stop.
    fn each_left(&self, connection: &Connection, mut each: impl FnMut(i64, i64, bool) -> bool) -> Result<(), Error> {
        let Some(&(from, _)) = self.left.0.first() else { return Ok(()) };
        let (mut parts, mut is_there) = (connection.prepare_cached(PARTS)?, connection.prepare_cached(IS_THERE)?);
        let mut rows = parts.query([from, self.last])?;
        while let Some(row) = rows.next()? {
            let begin: i64 = row.get(0)?;
            let (captures, _) = row.get_ref(1)?.as_blob()?.as_chunks::<WIDTH>();
            for (&capture, errand) in captures.iter().zip(begin..) {
                let capture = i64::from_be_bytes(capture);
                if self.left.place(errand).is_some() && !each(capture, errand, is_there.exists([capture])?) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// What is left of it to be sent. Of what was deleted nothing is.
    fn left(&self, connection: &Connection) -> Result<Vec<(CaptureId, ErrandId)>, Error> {
        let mut left = Vec::new();
        self.each_left(connection, |capture, errand, is_there| {
            left.extend(is_there.then_some((CaptureId(capture), ErrandId(errand))));
            true
        })?;
        Ok(left)
    }

    fn write(&self, connection: &Connection) -> Result<(), Error> {
        if !self.left.0.is_empty() {
            return connection.prepare_cached(STRUCK)?.execute(params![self.left.bytes(), self.first]).map(drop);
        }
        for sql in ENDED {
            connection.prepare_cached(sql)?.execute([self.first, self.last])?;
        }
        Ok(())
    }
}

/// How far the batches are of which a transaction settles something.
#[derive(Debug, Default)]
pub(super) struct Batches(Vec<Progress>);

impl Batches {
    /// Strikes out an errand of a batch that is known. None: it is of no such batch.
    pub(super) fn strike_known(&mut self, errand: ErrandId) -> Option<bool> {
        self.0.iter_mut().find(|progress| progress.has(errand.0)).map(|progress| progress.strike(errand.0))
    }

    /// Strikes out an errand of a batch. Gives whether it was left.
    pub(super) fn strike(&mut self, connection: &Connection, errand: ErrandId) -> Result<bool, Error> {
        if let Some(is_struck) = self.strike_known(errand) {
            return Ok(is_struck);
        }
        let progress = connection.prepare_cached(OF_ERRAND)?.query_row([errand.0], Progress::read).optional()?;
        self.0.extend(progress.filter(|progress| progress.has(errand.0)));
        Ok(self.strike_known(errand).unwrap_or(false))
    }

    /// Strikes out what stands at the front of each batch and was deleted, so that no batch stays of which nothing can be
    /// sent any more.
    fn strike_deleted(&mut self, connection: &Connection) -> Result<(), Error> {
        let all: Vec<Progress> =
            connection.prepare_cached(ALL)?.query_map((), Progress::read)?.collect::<Result<_, _>>()?;
        for progress in all {
            if !self.0.iter().any(|known| known.first == progress.first) {
                self.0.push(progress);
            }
        }
        for progress in &mut self.0 {
            let mut gone = Vec::new();
            progress.each_left(connection, |_, errand, is_there| {
                gone.extend((!is_there).then_some(errand));
                !is_there
            })?;
            for errand in gone {
                progress.strike(errand);
            }
        }
        Ok(())
    }

    /// Writes how far they are.
    pub(super) fn write(&self, connection: &Connection) -> Result<(), Error> {
        self.0.iter().filter(|progress| progress.is_changed).try_for_each(|progress| progress.write(connection))
    }
}

impl Transaction<'_> {
    /// Writes a batch. Its errands have the numbers from the first on.
    pub(super) fn batch(&mut self, at: Timestamp, spec: &str, captures: &[CaptureId]) -> Result<Posted, Error> {
        self.batches.strike_deleted(self.connection)?;
        let id = self.next_batch + self.tally.batches;
        let first = self.next_errand + self.tally.errands;
        let total = captures.len() as i64;
        self.tally.batches += 1;
        self.tally.errands += total;
        if total > 0 {
            let last = first + total - 1;
            let left = Ranges(vec![(first, last)]).bytes();
            self.connection.prepare_cached(BEGIN)?.execute(params![
                first,
                last,
                id,
                at.unix_ms(),
                total,
                left,
                spec
            ])?;
        }
        let mut list = self.connection.prepare_cached(LIST)?;
        for (part, begin) in captures.chunks(PART).zip((first..).step_by(PART)) {
            let bytes: Vec<u8> = part.iter().flat_map(|capture| capture.0.to_be_bytes()).collect();
            list.execute(params![begin, bytes])?;
        }
        Ok(Posted::Batch(BatchId(id), ErrandId(first)))
    }
}

/// The batches of which something is left, newest first.
pub(super) fn unended(connection: &Connection) -> Result<Vec<Batch>, Error> {
    let read = |row: &Row<'_>| {
        let left = Progress::read(row)?.left(connection)?.len() as u64;
        let (id, at) = (BatchId(row.get(3)?), Timestamp::from_unix_ms(row.get(4)?));
        Ok(Batch { id, at, total: count(row, 5)?, left, spec: row.get(6)? })
    };
    let mut statement = connection.prepare_cached(UNENDED)?;
    let batches = statement.query_map((), read)?.filter(|batch| !matches!(batch, Ok(Batch { left: 0, .. })));
    batches.collect()
}

/// What is left of a batch, in its order.
pub(super) fn left_of(connection: &Connection, batch: BatchId) -> Result<Vec<(CaptureId, ErrandId)>, Error> {
    let progress = connection.prepare_cached(NUMBERED)?.query_row([batch.0], Progress::read).optional()?;
    progress.map_or(Ok(Vec::new()), |progress| progress.left(connection))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranges_are_the_numbers_that_were_not_struck_out(struck in prop::collection::vec(0_i64..40, 0..60)) {
            let (mut ranges, mut left) = (Ranges(vec![(3, 33)]), (3..=33).collect::<BTreeSet<i64>>());
            for number in struck {
                prop_assert_eq!(ranges.strike(number), left.remove(&number));
                let numbers: Vec<_> = ranges.0.iter().flat_map(|&(first, last)| first..=last).collect();
                prop_assert_eq!(numbers, left.iter().copied().collect::<Vec<_>>());
                prop_assert_eq!(Ranges::read(&ranges.bytes()), Some(ranges.clone()));
            }
        }
    }

    #[test]
    fn damaged_ranges_are_none() {
        for ranges in [&[(2, 1)][..], &[(1, 2), (2, 3)], &[(5, 6), (1, 2)]] {
            assert_eq!(Ranges::read(&Ranges(ranges.to_vec()).bytes()), None, "{ranges:?}");
        }
        assert_eq!(Ranges::read(&[0; 17]), None);
    }
}
