//! What is over a bound: which captures go next, so that no more is kept than was asked for.
//!
//! How old a capture is goes by the order in which they came. Of what was imported, and of what bears a time that is still to
//! come since a clock was wrong, the next capture tells when it was there at the latest; and behind the first one that is
//! young nothing is old, whatever its time says. So a clock that was once wrong takes nothing away that came late.
//!
//! What stays among what is over takes nobody's place: the bounds are of the newest. Else who has pinned as many as may be kept
//! would lose each capture as soon as it came.

use std::collections::HashSet;

use rusqlite::{Connection, Error, OptionalExtension};

use super::{
    Reader,
    stats::{CAPTURES, first_since, next, previous},
};
use crate::{
    query::Sql,
    record::{CaptureId, Failure, Flag, Tags, Timestamp},
};

/// Captures that go in one transaction, and the bytes of bodies after which it takes no further one: who captures meanwhile
/// waits for them.
const STEP_CAPTURES: usize = 64;
const STEP_BYTES: i64 = 1 << 20;

/// What is neither pinned nor still to be forwarded. Of what goes to several apps some may be given up and others wait.
const FREE: &str =
    "(tags & 2 = 0 AND (post IS NULL OR NOT EXISTS (SELECT 1 FROM errand WHERE errand.id >= summary.errand
    AND errand.id < summary.errand + summary.lanes AND errand.capture = summary.id AND errand.dead = 0)))";
const _: () = assert!(Tags::PINNED.bits() == 2);

const HEAD: &str = "SELECT length(head) FROM content WHERE id = ?";
const COUNTED: &str = "SELECT captures, bytes, next_id FROM counter";

/// How much is kept at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// What came before that moment is not.
    pub since: Option<Timestamp>,
    /// Bytes of heads and bodies.
    pub bytes: Option<u64>,
    /// How many captures.
    pub captures: Option<u64>,
}

/// How much of it is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// What goes in one transaction.
    Step,
    /// All of it.
    All,
}

/// Where a walk begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spot {
    /// The first number that it looks at.
    pub id: CaptureId,
    /// What stayed before that.
    pub stayed: Stayed,
}

/// What is over and stays: it is pinned, or waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stayed {
    /// How many captures.
    pub captures: u64,
    /// Bytes of their heads and bodies, where those are bounded.
    pub bytes: u64,
}

/// What is over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Over {
    /// Captures that go, oldest first. What is pinned or waits is not among them.
    pub ids: Vec<CaptureId>,
    /// How many of them are too old.
    pub old: u64,
    /// How many captures there are too many.
    pub captures: u64,
    /// How many bytes there are too many.
    pub bytes: u64,
    /// Where the next walk goes on, and what stayed until there.
    pub end: Spot,
    /// When the first one came that is not too old.
    pub next: Option<Timestamp>,
    /// The number that the next capture is given: it tells whether any came.
    pub given: i64,
}

impl Over {
    /// What is said to the writer. It looks again whether they may go: they may have been pinned meanwhile.
    pub fn condition(&self) -> Sql {
        let ids: Vec<_> = self.ids.iter().map(ToString::to_string).collect();
        Sql { text: format!("id IN ({}) AND {FREE}", ids.join(", ")), ..Sql::default() }
    }
}

impl Reader {
    /// What is over the bounds from a number on, at that time of the clock. Of what is to stay for another reason `stays` knows.
    pub fn over(
        &self,
        bounds: Bounds,
        now: Timestamp,
        (from, reach): (Spot, Reach),
        stays: &HashSet<CaptureId>,
    ) -> Result<Over, Failure> {
        self.ask("looking for what is over the bounds of [keep]", || {
            let state = self.connection().unchecked_transaction()?;
            let counted = |row: &rusqlite::Row<'_>| Ok([row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?]);
            let counted = state.prepare_cached(COUNTED)?.query_row((), counted)?;
            let [captures, bytes] = [(counted[0], bounds.captures), (counted[1], bounds.bytes)]
                .map(|(all, most)| most.map_or(0, |most| all.max(0).cast_unsigned().saturating_sub(most)));
            let over = Over { captures, bytes, given: counted[2], end: from, ..Over::default() };
            if bounds.since.is_none() && captures == 0 && bytes == 0 {
                return Ok(over);
            }
            let age = Age { state: &state, since: bounds.since, now, told: None };
            walk(&state, over, age, reach, stays)
        })
    }

    /// The longest time around a moment of the past in which nothing came: until now where nothing came since.
    pub fn pause_around(&self, moment: Timestamp, now: Timestamp) -> Result<i64, Failure> {
        self.ask("looking when captures came", || {
            let state = self.connection().unchecked_transaction()?;
            let first = first_since(&state, CAPTURES, moment)?;
            let Some(before) = previous(&state, CAPTURES, first)? else { return Ok(0) };
            let after = next(&state, CAPTURES, first)?.map_or(now.unix_ms(), |(_, at)| at.min(now.unix_ms()));
            Ok(after.saturating_sub(before))
        })
    }
}

fn walk(
    state: &Connection,
    mut over: Over,
    mut age: Age<'_>,
    reach: Reach,
    stays: &HashSet<CaptureId>,
) -> Result<Over, Error> {
    let sql = format!("SELECT id, received_at, flags, size, {FREE} FROM summary WHERE id >= ? ORDER BY id");
    let mut statement = state.prepare_cached(&sql)?;
    let mut head = state.prepare_cached(HEAD)?;
    let mut rows = statement.query([over.end.id.0])?;
    let (mut taken, mut taken_bytes, mut step) = (0, 0, 0);
    while let Some(row) = rows.next()? {
        let (id, at, flags, size) = (row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?, row.get::<_, i64>(3)?);
        let is_old = age.is_old(id, at, flags)?;
        let stayed = over.end.stayed;
        if !is_old && taken + stayed.captures >= over.captures && taken_bytes + stayed.bytes >= over.bytes {
            break;
        }
        let stays = !row.get::<_, bool>(4)? || stays.contains(&CaptureId(id));
        if !stays && reach == Reach::Step && (over.ids.len() >= STEP_CAPTURES || step >= STEP_BYTES) {
            break;
        }
        let mut bytes = 0;
        if over.bytes > 0 {
            let head: Option<i64> = head.query_row([id], |row| row.get(0)).optional()?;
            bytes = head.unwrap_or_default().saturating_add(size).max(0).cast_unsigned();
        }
        over.end.id = CaptureId(id.saturating_add(1));
        if stays {
            over.end.stayed = Stayed { captures: stayed.captures + 1, bytes: stayed.bytes + bytes };
            continue;
        }
        taken += 1;
        taken_bytes += bytes;
        step += size;
        over.old += u64::from(is_old);
        over.ids.push(CaptureId(id));
    }
    over.next = age.told.filter(|_| age.since.is_none()).map(|(_, at)| Timestamp::from_unix_ms(at));
    Ok(over)
}

/// Whether captures are too old, asked of one after the other.
struct Age<'c> {
    state: &'c Connection,
    /// None: those that come are not.
    since: Option<Timestamp>,
    now: Timestamp,
    /// The last one whose time was told by itself, and that time.
    told: Option<(i64, i64)>,
}

impl Age<'_> {
    fn is_old(&mut self, id: i64, at: i64, flags: i64) -> Result<bool, Error> {
        let Some(since) = self.since else { return Ok(false) };
        if self.told.is_none_or(|(told, _)| told < id) {
            let tells = flags & Flag::Imported.bit() == 0 && at <= self.now.unix_ms();
            self.told = if tells { Some((id, at)) } else { self.next(id)? };
        }
        let is_old = self.told.is_some_and(|(_, at)| at < since.unix_ms());
        if !is_old {
            self.since = None;
        }
        Ok(is_old)
    }

    /// The next one whose time tells when it came.
    fn next(&self, from: i64) -> Result<Option<(i64, i64)>, Error> {
        let mut from = from;
        while let Some((id, at)) = next(self.state, CAPTURES, from)? {
            if at <= self.now.unix_ms() {
                return Ok(Some((id, at)));
            }
            from = id.saturating_add(1);
        }
        Ok(None)
    }
}
