//! What came in a time: counted over the rows of that time, never over the whole store.
//!
//! There is no index over time. Numbers ascend with it, so that the first capture of a time is found by halving. What was
//! imported did not come here: it is not counted, and the halving passes over its numbers, whose times do not ascend.

use std::collections::BTreeMap;

use rusqlite::{Connection, Error, OptionalExtension, Row};

use super::{Reader, select};
use crate::record::{CaptureId, Failure, Flag, Timestamp, Verdict};

/// How many verdicts there are.
pub const VERDICTS: usize = 4;
/// Into how many pieces a time is cut.
pub const PIECES: usize = 60;
/// The upper ends of the classes of sizes, in bytes; a last class has what is larger.
pub const SIZES: [u64; 7] = [256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20];
/// The upper ends of the classes of an app's times, in milliseconds; a last class has what took longer.
pub const TIMES: [u64; 8] = [5, 10, 25, 50, 100, 250, 1_000, 5_000];
/// How many names of endpoints and of providers are told apart; what more there are count as one.
const NAMES: usize = 64;

/// How many there are of each verdict, by its place in `Verdict::all()`.
pub type Counts = [u64; VERDICTS];

/// What came in a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// From then.
    pub since: Timestamp,
    /// Until then.
    pub until: Timestamp,
    /// By verdict.
    pub all: Counts,
    /// Bytes of bodies.
    pub bytes: u64,
    /// By verdict, for each of [`PIECES`] equal pieces of the time, oldest first.
    pub pieces: Vec<Counts>,
    /// By endpoint, the most first.
    pub endpoints: Vec<(String, Counts)>,
    /// By provider, the most first; no name: of nobody known.
    pub providers: Vec<(String, Counts)>,
    /// By class of [`SIZES`].
    pub sizes: [u64; SIZES.len() + 1],
    /// Deliveries, by class of [`TIMES`].
    pub times: [u64; TIMES.len() + 1],
    /// Deliveries that were answered 2xx.
    pub answered: u64,
    /// What half of the deliveries, and 95 of 100, took at most, in milliseconds.
    pub took: Option<(u64, u64)>,
}

/// How many came in a second, of one verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beat {
    /// Unix seconds.
    pub second: i64,
    /// The verdict's place.
    pub verdict: usize,
    /// How many.
    pub count: u64,
}

impl Reader {
    /// What came after a capture and not before a moment, by second and verdict; and the newest capture that was counted.
    pub fn beats(&self, after: CaptureId, since: Timestamp) -> Result<(CaptureId, Vec<Beat>), Failure> {
        self.ask("counting what came", || {
            let state = self.connection().unchecked_transaction()?;
            let newest: i64 = newest(&state, CAPTURES)?;
            let first = first_since(&state, CAPTURES, since)?.max(after.0 + 1);
            let mut statement = state.prepare_cached(
                "SELECT received_at / 1000, verdict, count(*) FROM summary WHERE id BETWEEN ? AND ? AND received_at >= ?
                AND flags & ? = 0 GROUP BY 1, 2",
            )?;
            let rows = statement.query_map([first, newest, since.unix_ms(), Flag::Imported.bit()], |row| {
                Ok(Beat { second: row.get(0)?, verdict: place(row, 1)?, count: select::count(row, 2)? })
            })?;
            Ok((CaptureId(newest.max(after.0)), rows.collect::<Result<_, _>>()?))
        })
    }

    /// What came from a moment until another one.
    pub fn stats(&self, since: Timestamp, until: Timestamp) -> Result<Stats, Failure> {
        self.ask("counting what came", || {
            let state = self.connection().unchecked_transaction()?;
            let mut count = Count::new(since, until);
            let mut statement = state.prepare_cached(
                "SELECT received_at, verdict, endpoint, coalesce(provider, ''), size FROM summary
                WHERE id >= ? AND received_at >= ? AND received_at < ? AND flags & ? = 0",
            )?;
            let first = first_since(&state, CAPTURES, since)?;
            let mut rows = statement.query([first, since.unix_ms(), until.unix_ms(), Flag::Imported.bit()])?;
            while let Some(row) = rows.next()? {
                count.row(row)?;
            }
            let mut statement = state.prepare_cached(
                "SELECT took_ms, coalesce(status, 0) FROM delivery WHERE id >= ? AND started_at >= ? AND started_at < ?",
            )?;
            let first = first_since(&state, DELIVERIES, since)?;
            let mut rows = statement.query([first, since.unix_ms(), until.unix_ms()])?;
            let mut times = Vec::new();
            while let Some(row) = rows.next()? {
                times.push(select::count(row, 0)?);
                count.stats.answered += u64::from((200..300).contains(&row.get::<_, i64>(1)?));
            }
            Ok(count.finish(times))
        })
    }
}

/// A table whose numbers ascend with a time: its name, the column, and the table of those numbers that do not.
pub(super) type Course = (&'static str, &'static str, Option<&'static str>);
pub(super) const CAPTURES: Course = ("summary", "received_at", Some("imported"));
const DELIVERIES: Course = ("delivery", "started_at", None);

fn newest(state: &Connection, (table, ..): Course) -> Result<i64, Error> {
    let sql = format!("SELECT coalesce(max(id), 0) FROM {table}");
    state.prepare_cached(&sql)?.query_row((), |row| row.get(0))
}

/// The first number whose row is not before a moment: some twenty looks, however many rows there are.
pub(super) fn first_since(state: &Connection, course: Course, since: Timestamp) -> Result<i64, Error> {
    let (mut low, mut high) = (1, newest(state, course)?.saturating_add(1));
    while low < high {
        let middle = low + (high - low) / 2;
        // What is passed over is on neither side: where nothing else is above the middle, all that counts is below.
        match next(state, course, middle)? {
            Some((id, at)) if id < high && at < since.unix_ms() => low = id + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}

/// The first row from a number on whose time counts: its number and its time.
pub(super) fn next(
    state: &Connection,
    (table, column, others): Course,
    from: i64,
) -> Result<Option<(i64, i64)>, Error> {
    let sql = format!("SELECT id, {column} FROM {table} WHERE id >= ? ORDER BY id LIMIT 1");
    let mut statement = state.prepare_cached(&sql)?;
    let mut from = from;
    loop {
        let found: Option<(i64, i64)> = statement.query_row([from], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let (Some((id, _)), Some(others)) = (found, others) else { return Ok(found) };
        let sql = format!("SELECT last_id FROM {others} WHERE first_id <= ? ORDER BY first_id DESC LIMIT 1");
        let last: Option<i64> = state.prepare_cached(&sql)?.query_row([id], |row| row.get(0)).optional()?;
        match last {
            Some(last) if last >= id => from = last.saturating_add(1),
            _ => return Ok(found),
        }
    }
}

/// The time of the last row before a number whose time counts.
pub(super) fn previous(state: &Connection, (table, column, others): Course, before: i64) -> Result<Option<i64>, Error> {
    let sql = format!("SELECT id, {column} FROM {table} WHERE id < ? ORDER BY id DESC LIMIT 1");
    let mut statement = state.prepare_cached(&sql)?;
    let mut before = before;
    loop {
        let found: Option<(i64, i64)> =
            statement.query_row([before], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let Some((id, at)) = found else { return Ok(None) };
        let Some(others) = others else { return Ok(Some(at)) };
        let sql = format!("SELECT first_id, last_id FROM {others} WHERE first_id <= ? ORDER BY first_id DESC LIMIT 1");
        let range = state.prepare_cached(&sql)?.query_row([id], |row| Ok((row.get(0)?, row.get(1)?)));
        let range: Option<(i64, i64)> = range.optional()?;
        match range {
            Some((first, last)) if last >= id => before = first,
            _ => return Ok(Some(at)),
        }
    }
}

fn place(row: &Row<'_>, column: usize) -> Result<usize, Error> {
    let at: i64 = row.get(column)?;
    usize::try_from(at).ok().filter(|at| *at < VERDICTS).ok_or(Error::IntegralValueOutOfRange(column, at))
}

const _: () = assert!(Verdict::Unchecked as usize == VERDICTS - 1);

/// The count under way.
struct Count {
    stats: Stats,
    endpoints: BTreeMap<String, Counts>,
    providers: BTreeMap<String, Counts>,
}

impl Count {
    fn new(since: Timestamp, until: Timestamp) -> Self {
        let stats = Stats { since, until, pieces: vec![[0; VERDICTS]; PIECES], ..Stats::default() };
        Self { stats, endpoints: BTreeMap::new(), providers: BTreeMap::new() }
    }

    fn row(&mut self, row: &Row<'_>) -> Result<(), Error> {
        let (at, verdict, size) = (row.get::<_, i64>(0)?, place(row, 1)?, select::count(row, 4)?);
        let stats = &mut self.stats;
        let (since, until) = (stats.since.unix_ms(), stats.until.unix_ms());
        let piece = (at - since).max(0) as u128 * PIECES as u128 / (until - since).max(1) as u128;
        stats.all[verdict] += 1;
        stats.bytes += size;
        if let Some(piece) = stats.pieces.get_mut(piece as usize) {
            piece[verdict] += 1;
        }
        stats.sizes[SIZES.partition_point(|end| *end <= size)] += 1;
        named(&mut self.endpoints, row.get_ref(2)?.as_str().unwrap_or_default(), verdict);
        named(&mut self.providers, row.get_ref(3)?.as_str().unwrap_or_default(), verdict);
        Ok(())
    }

    fn finish(mut self, mut times: Vec<u64>) -> Stats {
        for took in &times {
            self.stats.times[TIMES.partition_point(|end| end <= took)] += 1;
        }
        times.sort_unstable();
        let of = |percent: usize| times.get((times.len() * percent).div_ceil(100).saturating_sub(1)).copied();
        self.stats.took = of(50).zip(of(95));
        self.stats.endpoints = sorted(self.endpoints);
        self.stats.providers = sorted(self.providers);
        self.stats
    }
}

fn named(counts: &mut BTreeMap<String, Counts>, name: &str, verdict: usize) {
    // No name is made where there is one already: this runs for each of a million rows.
    if let Some(count) = counts.get_mut(name) {
        count[verdict] += 1;
        return;
    }
    let name = if counts.len() < NAMES { name } else { "others" };
    counts.entry(name.to_owned()).or_default()[verdict] += 1;
}

fn sorted(counts: BTreeMap<String, Counts>) -> Vec<(String, Counts)> {
    let mut all: Vec<_> = counts.into_iter().collect();
    all.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.iter().sum::<u64>()));
    all
}
