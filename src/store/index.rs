//! The index of searches, made beside the capturing and long after it: a thread of its own reads what was committed,
//! marks what stands in it ([`gram`](super::gram)) and has that written in jobs of the writer's, small enough to hold nobody
//! up.
//!
//! What has no sheet is looked through, so an index that is behind, or not there at all, costs time and never a row.
//! A run of captures is marked once its last number was given; its texts never change after that, but for what is told anew
//! (`retold`), whose blocks may hold anything from then on. Deleted captures leave their marks, which only say "perhaps" too
//! often.

use std::{
    collections::BTreeSet,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rusqlite::{Connection, Error, OptionalExtension, Row, params};

use super::{
    Bell, file,
    function::plain,
    gram::{BLOCK, LARGE, Marks, PART_BYTES, PARTS, SHARP_PART, SMALL, Sharp, Sheet, WIDTHS, joined},
    looker::{Looker, Sleep},
    trouble,
    writer::Writer,
};
use crate::{
    query::{Content, WHOLE_BODY, marks, texts},
    record::Failure,
};

/// How texts are cut and marked. A sheet of another version is not asked, and is made anew.
pub(super) const VERSION: i64 = 2;
/// The most bytes of a body that is marked; the block of a larger one may hold anything.
const LARGEST: i64 = 4 << 20;
/// Parts that are written in one transaction, 16 KiB each.
const PARTS_AT_ONCE: usize = 8;
/// The most small sheets that are made of an older store: 67 million captures. What is older is looked through.
const MOST_WAITING: i64 = 1 << 17;
/// The shortest time between two looks for what is to be done, so that a flood does not wake the thread with each commit.
const LOOK: Duration = Duration::from_millis(200);
/// Captures and deliveries a second from which on these go first, and how many captures may then wait for their marks: a search
/// looks through those in a quarter of a second.
const FLOOD: f64 = 1_000.0;
const MOST_LATE: i64 = 1 << 17;
/// The shortest time over which is told how many come, and the longest.
const PACE: RangeInclusive<Duration> = Duration::from_millis(50)..=Duration::from_secs(2);
/// The time after which is tried again what failed.
const AGAIN: Duration = Duration::from_secs(5);

/// Something to write.
#[derive(Debug, Default)]
pub(super) struct Change {
    /// Sheets that go, with their parts.
    pub dropped: Vec<i64>,
    /// Parts of a sheet, by their ids.
    pub parts: Vec<(i64, Vec<u8>)>,
    /// A sheet whose parts are all there.
    pub sheet: Option<(i64, Sheet)>,
}

impl Change {
    /// Bytes it takes in memory.
    pub(super) fn bytes(&self) -> usize {
        self.parts.iter().map(|(_, bits)| bits.len()).sum()
    }
}

/// The id of a small sheet, and of a large one, by its place among its like.
pub(super) fn small_id(place: i64) -> i64 {
    place * 2
}

pub(super) fn large_id(place: i64) -> i64 {
    place * 2 + 1
}

/// A sheet's row, of this version.
pub(super) fn sheet(connection: &Connection, id: i64) -> Result<Option<Sheet>, Error> {
    let sql = "SELECT width, always, sharp FROM gram_sheet WHERE id = ? AND version = ?";
    connection
        .prepare_cached(sql)?
        .query_row([id, VERSION], |row| {
            Ok(Sheet { width: row.get(0)?, always: row.get::<_, i64>(1)?.cast_unsigned(), sharp: row.get(2)? })
        })
        .optional()
        // A damaged file may say anything.
        .map(|sheet| sheet.filter(|sheet| WIDTHS.contains(&sheet.width)))
}

/// The thread that keeps the index. It ends when this is dropped.
#[derive(Debug)]
pub struct Indexer(#[expect(dead_code, reason = "it is there to be dropped")] Looker);

impl Indexer {
    /// Starts it for the store of a capturing writer; `bell` is that writer's.
    pub fn start(path: &Path, writer: &Writer, bell: &Bell) -> Result<Self, Failure> {
        let (path, writer) = (file::absolute(path)?, writer.clone());
        let body = move |sleep| {
            step_back();
            Clerk { path, writer, sleep, state: None, pace: Pace::default() }.run();
        };
        Looker::start("creel-index", bell, body).map(Self)
    }

    /// Marks all that can be marked by now, on the caller's thread.
    pub fn catch_up(path: &Path, writer: &Writer) -> Result<(), Failure> {
        let (path, writer) = (file::absolute(path)?, writer.clone());
        let mut clerk = Clerk { path, writer, sleep: Sleep::default(), state: None, pace: Pace::default() };
        while clerk.step()? {}
        Ok(())
    }
}

/// Lets who captures and sends go first: a flood is caught at full speed, and marked by what is left of the processors.
fn step_back() {
    /// The politest there is: setpriority(2).
    #[cfg(target_os = "linux")]
    const NICE: i32 = 19;
    // On Linux a priority is a thread's own; elsewhere it would be that of the whole process.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, NICE);
}

/// What the thread has.
struct Clerk {
    path: PathBuf,
    writer: Writer,
    sleep: Sleep,
    /// None: not looked yet, or something failed since.
    state: Option<State>,
    pace: Pace,
}

/// How many captures and deliveries come.
#[derive(Default)]
struct Pace {
    /// When it was looked last, and how many there had been then.
    before: Option<(Instant, i64)>,
    is_flood: bool,
}

impl Pace {
    /// Whether it is a flood, told that there have been so many at `now`.
    fn is_flood(&mut self, now: Instant, count: i64) -> bool {
        let Some((then, before)) = self.before else {
            self.before = Some((now, count));
            return false;
        };
        let took = now.saturating_duration_since(then);
        if took >= *PACE.start() {
            self.is_flood = took <= *PACE.end() && (count - before) as f64 > FLOOD * took.as_secs_f64();
            self.before = Some((now, count));
        }
        self.is_flood
    }
}

/// What is marked, and what is still to be.
struct State {
    connection: Connection,
    small: BTreeSet<i64>,
    large: BTreeSet<i64>,
    /// Places of small sheets that are to be made, the newest last: it is made first.
    waiting: Vec<i64>,
    /// The places before this one are marked or wait.
    known: i64,
    sharp: Option<RunOfSharp>,
    /// The oldest capture there was at the last look.
    oldest: Option<i64>,
    /// How many captures had been deleted when all sheets were last looked at for whether anything of theirs is left.
    deleted: i64,
}

/// What is written, by the sheet's place.
#[derive(Clone, Copy)]
enum Work {
    Small(i64),
    Large(i64),
    /// Sheets go.
    Gone,
}

/// The sharp filter of the large sheet in the making, and which of its eight small ones are in it.
struct RunOfSharp {
    place: i64,
    sharp: Sharp,
    has: [bool; 8],
}

impl RunOfSharp {
    fn new(place: i64) -> Self {
        Self { place, sharp: Sharp::new(), has: [false; 8] }
    }
}

impl Clerk {
    fn run(mut self) {
        while self.sleep.begins_to_look() {
            if self.gives_way() {
                self.sleep.pause(LOOK);
                continue;
            }
            match self.step() {
                Ok(true) => {}
                Ok(false) => {
                    self.sleep.until_rung(None);
                    self.sleep.pause(LOOK);
                }
                // A search looks through what is not marked; who captures is told by the writer what is wrong.
                Err(_) => {
                    self.state = None;
                    self.sleep.pause(AGAIN);
                }
            }
        }
    }

    /// Whether capturing and sending go first: so many come, and so few wait.
    fn gives_way(&mut self) -> bool {
        let Some(state) = &self.state else { return false };
        // What cannot be read now, the next step says.
        let Ok((next, deliveries)) = state.counted() else { return false };
        self.pace.is_flood(Instant::now(), next.saturating_add(deliveries)) && next - state.marked() < MOST_LATE
    }

    /// Does one thing. Whether there may be more to do.
    fn step(&mut self) -> Result<bool, Failure> {
        let state = match &mut self.state {
            Some(state) => state,
            none => none.insert(State::load(&self.path)?),
        };
        let next = state.next().map_err(|error| trouble::failure("keeping the index of searches", &error))?;
        let Some((work, changes)) = next else { return Ok(false) };
        for change in changes {
            if self.sleep.is_over() {
                return Ok(false);
            }
            let Ok(pending) = self.writer.index(change) else {
                return Err(Failure::new("writing the index of searches", "the writer has more than enough to do"));
            };
            pending
                .blocking_recv()
                .map_err(|_| Failure::new("writing the index of searches", "the store is closed"))??;
        }
        if let Some(state) = &mut self.state {
            state.done(work);
        }
        Ok(true)
    }
}

impl State {
    fn load(path: &Path) -> Result<Self, Failure> {
        let connection = file::connect_reading(path)?;
        let (mut small, mut large) = (BTreeSet::new(), BTreeSet::new());
        let read = |small: &mut BTreeSet<i64>, large: &mut BTreeSet<i64>| -> Result<(), Error> {
            let mut sheets = connection.prepare("SELECT id FROM gram_sheet WHERE version = ?")?;
            let mut rows = sheets.query([VERSION])?;
            while let Some(row) = rows.next()? {
                let id: i64 = row.get(0)?;
                let _ = if id % 2 == 0 { small.insert(id / 2) } else { large.insert(id / 2) };
            }
            Ok(())
        };
        read(&mut small, &mut large).map_err(|error| trouble::failure("reading the index of searches", &error))?;
        Ok(Self { connection, small, large, waiting: Vec::new(), known: 0, sharp: None, oldest: None, deleted: 0 })
    }

    /// The numbers that the next capture and the next delivery get.
    fn counted(&self) -> Result<(i64, i64), Error> {
        let sql = "SELECT next_id, next_delivery FROM counter";
        self.connection.prepare_cached(sql)?.query_row((), |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// The number below which captures are marked, but for those that wait.
    fn marked(&self) -> i64 {
        (self.known - self.waiting.len() as i64) * SMALL
    }

    /// How many small sheets there can be by now.
    fn full(&self) -> Result<i64, Error> {
        self.counted().map(|(next, _)| next / SMALL)
    }

    fn oldest(&self) -> Result<Option<i64>, Error> {
        self.connection.prepare_cached("SELECT min(id) FROM summary")?.query_row((), |row| row.get(0))
    }

    fn deleted(&self) -> Result<i64, Error> {
        let sql = "SELECT next_id - 1 - captures FROM counter";
        self.connection.prepare_cached(sql)?.query_row((), |row| row.get(0))
    }

    /// Whether any of those captures are left.
    fn is_any(&self, first: i64, count: i64) -> Result<bool, Error> {
        let sql = "SELECT 1 FROM summary WHERE id >= ? AND id < ? LIMIT 1";
        self.connection.prepare_cached(sql)?.exists([first, first + count])
    }

    /// What is to be written next; none where all is marked.
    fn next(&mut self) -> Result<Option<(Work, Vec<Change>)>, Error> {
        let full = self.full()?;
        if full > self.known {
            // Below the oldest there is nothing to mark.
            let from = self.known.max(self.oldest()?.map_or(full, |oldest| oldest / SMALL));
            let has_one = |place: &i64| self.small.contains(place) || self.large.contains(&(place / 8));
            let from = from.max(full - MOST_WAITING);
            for place in (from..full).filter(|place| !has_one(place)) {
                if self.is_any(place * SMALL, SMALL)? {
                    self.waiting.push(place);
                }
            }
            self.known = full;
        }
        if let Some(place) = self.ripe() {
            return self.large(place).map(Some);
        }
        if let Some(place) = self.waiting.pop() {
            return self.small(place).map(|changes| Some((Work::Small(place), changes)));
        }
        self.gone()
    }

    /// What was written is there.
    fn done(&mut self, work: Work) {
        match work {
            Work::Small(place) => drop(self.small.replace(place)),
            Work::Large(place) => {
                self.small.retain(|small| small / 8 != place);
                self.large.insert(place);
                self.sharp = self.sharp.take().filter(|run| run.place != place);
            }
            Work::Gone => {}
        }
    }

    /// The place of a large sheet all of whose small ones are there.
    fn ripe(&self) -> Option<i64> {
        let is_whole = |place: &i64| (place * 8..place * 8 + 8).all(|small| self.small.contains(&small));
        self.small.iter().filter(|small| *small % 8 == 0).map(|small| small / 8).find(is_whole)
    }

    /// Makes a small sheet.
    fn small(&mut self, place: i64) -> Result<Vec<Change>, Error> {
        let run = match self.sharp.take() {
            Some(run) if run.place == place / 8 => self.sharp.insert(run),
            _ => self.sharp.insert(RunOfSharp::new(place / 8)),
        };
        let first = place * SMALL;
        let bytes: i64 = self
            .connection
            .prepare_cached("SELECT coalesce(sum(min(size, ?3)), 0) FROM summary WHERE id >= ?1 AND id < ?2")?
            .query_row([first, first + SMALL, LARGEST], |row| row.get(0))?;
        let mut marks = Marks::new(bytes as usize);
        read(&self.connection, first, |id, piece| {
            marks.turn_to(((id - first) / BLOCK) as u32);
            match piece {
                Piece::Text(text) => marks.add(text, &mut run.sharp),
                Piece::Mark(mark) => marks.add_mark(mark),
                Piece::Unread => marks.pass(),
            }
        })?;
        run.has[(place % 8) as usize] = true;
        let (sheet, bits) = marks.finish();
        Ok(written(small_id(place), sheet, &bits, None, Vec::new()))
    }

    /// Makes a large sheet of eight small ones, which go with it.
    fn large(&mut self, place: i64) -> Result<(Work, Vec<Change>), Error> {
        let mut small: [Option<(Sheet, Vec<u8>)>; 8] = Default::default();
        for (one, at) in small.iter_mut().zip(place * 8..) {
            *one = self.read_small(at)?;
            if one.is_none() {
                // It is damaged, or somebody else's: it is made again.
                self.small.remove(&at);
                self.waiting.push(at);
                return Ok((Work::Gone, vec![Change { dropped: vec![small_id(at)], ..Change::default() }]));
            }
        }
        let (mut sheet, bits) = joined(&small);
        let mut run = self.sharp.take().filter(|run| run.place == place).unwrap_or_else(|| RunOfSharp::new(place));
        for at in (0..8).filter(|at| !run.has[*at]) {
            read(&self.connection, (place * 8 + at as i64) * SMALL, |_, piece| {
                if let Piece::Text(text) = piece {
                    run.sharp.add(text);
                }
            })?;
        }
        // A body that was passed over is not in the sharp filter.
        let sharp = if sheet.always == 0 { run.sharp.bytes() } else { None };
        sheet.sharp = sharp.is_some();
        let dropped = (place * 8..place * 8 + 8).map(small_id).collect();
        Ok((Work::Large(place), written(large_id(place), sheet, &bits, sharp.as_deref(), dropped)))
    }

    fn read_small(&self, place: i64) -> Result<Option<(Sheet, Vec<u8>)>, Error> {
        let id = small_id(place);
        let Some(sheet) = sheet(&self.connection, id)? else { return Ok(None) };
        let sql = "SELECT bits FROM gram_part WHERE id >= ? AND id < ? ORDER BY id";
        let mut bits = Vec::with_capacity(1 << sheet.width);
        let mut parts = self.connection.prepare_cached(sql)?;
        let mut rows = parts.query([id * PARTS, (id + 1) * PARTS])?;
        while let Some(row) = rows.next()? {
            bits.extend_from_slice(row.get_ref(0)?.as_blob()?);
        }
        // A part may be left of a wider sheet that was cut off when it was written.
        bits.truncate(1 << sheet.width);
        Ok((bits.len() == 1 << sheet.width).then_some((sheet, bits)))
    }

    /// The sheets of captures that were deleted: of the oldest at once, and behind one that stays, a pinned one say, where
    /// many were.
    fn gone(&mut self) -> Result<Option<(Work, Vec<Change>)>, Error> {
        let (oldest, deleted) = (self.oldest()?, self.deleted()?);
        let are_many = deleted - self.deleted >= LARGE;
        if std::mem::replace(&mut self.oldest, oldest) == oldest && !are_many {
            return Ok(None);
        }
        // Numbers are not given twice: below the oldest nothing comes any more.
        let below = oldest.unwrap_or(self.known * SMALL);
        let kept = self.small.split_off(&(below / SMALL));
        let small = std::mem::replace(&mut self.small, kept);
        let kept = self.large.split_off(&(below / LARGE));
        let large = std::mem::replace(&mut self.large, kept);
        let mut dropped: Vec<_> = small.into_iter().map(small_id).chain(large.into_iter().map(large_id)).collect();
        if are_many {
            dropped.append(&mut self.emptied()?);
            self.deleted = deleted;
        }
        Ok((!dropped.is_empty()).then(|| (Work::Gone, vec![Change { dropped, ..Change::default() }])))
    }

    /// Takes out the sheets of whose captures none is left.
    fn emptied(&mut self) -> Result<Vec<i64>, Error> {
        let mut empty = BTreeSet::new();
        for &place in &self.small {
            if !self.is_any(place * SMALL, SMALL)? {
                empty.insert(small_id(place));
            }
        }
        for &place in &self.large {
            if !self.is_any(place * LARGE, LARGE)? {
                empty.insert(large_id(place));
            }
        }
        self.small.retain(|place| !empty.contains(&small_id(*place)));
        self.large.retain(|place| !empty.contains(&large_id(*place)));
        Ok(empty.into_iter().collect())
    }
}

/// What is marked of a capture.
enum Piece<'a> {
    Text(&'a [u8]),
    Mark(u64),
    /// It may hold anything.
    Unread,
}

/// Reads what is to be marked of the captures of a small sheet, each piece with its capture's number.
fn read(connection: &Connection, first: i64, mut take: impl FnMut(i64, Piece<'_>)) -> Result<(), Error> {
    let sql = format!(
        "SELECT id, method, path, coalesce(query, ''), coalesce(event_type, ''), coalesce(event_id, ''),
            coalesce(provider, ''), endpoint, head, CASE WHEN size <= ?3 THEN {WHOLE_BODY} END, size <= ?3
        FROM summary JOIN content USING (id) WHERE id >= ?1 AND id < ?2"
    );
    let mut captures = connection.prepare_cached(&sql)?;
    let mut rows = captures.query(params![first, first + SMALL, LARGEST])?;
    while let Some(row) = rows.next()? {
        let id = row.get(0)?;
        let body = row.get_ref(9)?.as_bytes_or_null()?.unwrap_or_default();
        let body = plain(row.get_ref(8)?.as_bytes()?, body);
        if row.get::<_, bool>(10)? && body.len() as i64 <= LARGEST {
            let (words, content) = words_and_content(row, &body)?;
            texts(&words, words[2], &content, |text| take(id, Piece::Text(text)));
            marks(&content, |mark| take(id, Piece::Mark(mark)));
        } else {
            take(id, Piece::Unread);
        }
    }
    Ok(())
}

fn words_and_content<'a>(row: &'a Row<'_>, body: &'a [u8]) -> Result<([&'a [u8]; 7], Content<'a>), Error> {
    let mut words: [&[u8]; 7] = [&[]; 7];
    for (at, word) in words.iter_mut().enumerate() {
        *word = row.get_ref(at + 1)?.as_bytes()?;
    }
    Ok((words, Content { head: row.get_ref(8)?.as_bytes()?, body }))
}

/// A sheet as changes, the last of which makes it known.
fn written(id: i64, sheet: Sheet, bits: &[u8], sharp: Option<&[u8]>, dropped: Vec<i64>) -> Vec<Change> {
    let sharp = sharp.unwrap_or_default().chunks(PART_BYTES).zip(SHARP_PART..);
    let parts: Vec<_> = bits.chunks(PART_BYTES).zip(0..).chain(sharp).collect();
    let mut changes: Vec<Change> = parts
        .chunks(PARTS_AT_ONCE)
        .map(|parts| Change {
            parts: parts.iter().map(|(bits, part)| (id * PARTS + part, bits.to_vec())).collect(),
            ..Change::default()
        })
        .collect();
    if let Some(last) = changes.last_mut() {
        (last.sheet, last.dropped) = (Some((id, sheet)), dropped);
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_told_by_how_many_came_over_some_time() {
        let (start, mut pace) = (Instant::now(), Pace::default());
        let mut after = |ms: u64, next: i64| pace.is_flood(start + Duration::from_millis(ms), next);
        assert!(!after(0, 1_000_000), "nothing is known yet");
        assert!(!after(10, 1_000_100), "too short a time to tell");
        assert!(after(100, 1_001_000));
        assert!(after(110, 1_001_000), "it goes on until the next look");
        assert!(!after(300, 1_001_100), "a hundred in a fifth of a second");
        assert!(!after(60_000, 1_101_100), "whatever came while nobody looked");
    }
}
