//! Captures that are of another provider or event than they were when they came: a provider's file that was added or changed
//! since says so, and they were judged again by it.
//!
//! All captures of the events concerned are laid anew in the order of their numbers, so that each repeat names the first of its
//! event. What else knows them by what they were hears of it from the table `retold`: the set of events of whoever stores
//! captures ([`Seen`]), at the beginning of each transaction and at a start; and the index of searches, for which their blocks
//! may hold anything from then on.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, Error, Row, params};

use super::{
    codec,
    gram::{BLOCK, LARGE, SMALL},
    index::{large_id, small_id},
    insert::{Transaction, has_failed, is_replay_of},
    seen::{Key, Seen},
};
use crate::record::{Flag, Flags, Origin, Timestamp};

const RETOLD: &str = "INSERT INTO retold (capture) VALUES (?)";
const TELL: &str = "UPDATE summary SET provider = ?2, event_id = ?3, event_type = ?4, event_at = ?5 WHERE id = ?1";
const KEY: &str = "SELECT endpoint, provider, event_id, event_type, edited_from IS NOT NULL FROM summary WHERE id = ?";
/// The first of a capture's event, as its row names it.
const FIRST: &str = "SELECT coalesce(duplicate_of, id) FROM summary WHERE id = ?";
/// Its repeats name it, and the newest of them stands in its row.
const REPEATS: &str = "SELECT id FROM summary WHERE id > ?1 AND id <= (SELECT last_repeat FROM summary WHERE id = ?1)
    AND duplicate_of = ?1";
const MEMBER: &str =
    "SELECT received_at, reply, app, flags, age_s, judgement, uid, duplicate_of, attempt, gap_ms, retry, last_repeat
    FROM summary JOIN content USING (id) WHERE summary.id = ?";
const LAY: &str = "UPDATE summary SET duplicate_of = ?2, attempt = ?3, gap_ms = ?4, retry = ?5, last_repeat = ?6,
    late_ms = CASE WHEN ?2 IS NULL THEN late_ms END WHERE id = ?1";
const MAY_HOLD_ANYTHING: &str = "UPDATE gram_sheet SET always = always | ?2, sharp = 0 WHERE id = ?1";
const RETOLD_OF: &str = "SELECT capture FROM retold WHERE capture >= ? AND capture < ?";

/// What the captures of an event have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Common {
    endpoint: String,
    provider: Option<String>,
    event_id: String,
    event_type: Option<String>,
}

impl Common {
    fn key(&self) -> Key<'_> {
        Key {
            endpoint: &self.endpoint,
            provider: self.provider.as_deref(),
            event_id: &self.event_id,
            event_type: self.event_type.as_deref(),
        }
    }
}

/// How a capture stands among those of its event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Place {
    duplicate_of: Option<i64>,
    attempt: Option<u32>,
    gap_ms: Option<i64>,
    retry: Option<i64>,
    last_repeat: Option<i64>,
}

/// One of an event, as far as the next of it is told by it.
struct Member {
    received_at: i64,
    has_failed: bool,
    is_imported: bool,
    age_s: Option<i64>,
    received: Option<String>,
    uid: Vec<u8>,
    place: Place,
}

impl Member {
    fn read(row: &Row<'_>) -> Result<Self, Error> {
        let flags = Flags::from_bits(row.get(3)?);
        let words: Option<String> = row.get(5)?;
        Ok(Self {
            received_at: row.get(0)?,
            has_failed: has_failed(row.get(1)?, row.get(2)?, flags),
            is_imported: flags.contains(Flag::Imported),
            age_s: row.get(4)?,
            received: codec::words_out(words.as_deref()).and_then(|(_, evidence, ..)| evidence?.received),
            uid: row.get(6)?,
            place: Place {
                duplicate_of: row.get(7)?,
                attempt: row.get(8)?,
                gap_ms: row.get(9)?,
                retry: row.get(10)?,
                last_repeat: row.get(11)?,
            },
        })
    }

    /// Its place behind another one of its event, which was the `attempt`th.
    fn behind(&self, last: &Self, attempt: u32) -> Place {
        let is_replay = is_replay_of(self.age_s, self.received.as_deref(), last.received.as_deref());
        Place {
            attempt: Some(attempt.saturating_add(1)),
            gap_ms: Some(self.received_at.saturating_sub(last.received_at)),
            retry: Some(i64::from(last.has_failed) | i64::from(is_replay) << 1),
            ..Place::default()
        }
    }
}

impl Transaction<'_> {
    /// Writes whose captures are now, and what their events are; and lays the captures of all events concerned anew. Each event
    /// is looked at once, however many of its captures are told: of one that came ten thousand times all are.
    pub(super) fn tell_anew(&mut self, told: &[(i64, &Origin)], seen: &mut Seen) -> Result<(), Error> {
        let ids: Vec<i64> = told.iter().map(|&(id, _)| id).collect();
        let mut concerned = self.of_the_events_of(&ids, seen)?;
        for &(id, Origin { provider, event }) in told {
            let at = event.created_at.map(Timestamp::unix_ms);
            self.connection.prepare_cached(TELL)?.execute(params![id, provider, event.id, event.kind, at])?;
            self.connection.prepare_cached(RETOLD)?.execute([id])?;
            may_hold_anything(self.connection, id)?;
        }
        concerned.extend(self.of_the_events_of(&ids, seen)?);
        let mut events: BTreeMap<Common, Vec<i64>> = BTreeMap::new();
        for &id in &concerned {
            match self.common(id)? {
                Some(common) => events.entry(common).or_default().push(id),
                None => self.lay(&[id])?,
            }
        }
        for (common, id) in ids.iter().filter_map(|id| Some((self.common(*id).transpose()?, *id))) {
            seen.note(&common?.key(), id);
        }
        events.values().try_for_each(|ids| self.lay(ids))
    }

    /// What a capture has in common with others of its event; none where it has none, or is no delivery of it.
    fn common(&self, id: i64) -> Result<Option<Common>, Error> {
        let read = |row: &Row<'_>| {
            let (event_id, is_made): (Option<String>, bool) = (row.get(2)?, row.get(4)?);
            let (endpoint, provider, event_type) = (row.get(0)?, row.get(1)?, row.get(3)?);
            let event_id = event_id.filter(|_| !is_made);
            Ok(event_id.map(|event_id| Common { endpoint, provider, event_id, event_type }))
        };
        self.connection.prepare_cached(KEY)?.query_row([id], read)
    }

    /// The captures, and all that stand with them among those of their events, or should.
    fn of_the_events_of(&self, ids: &[i64], seen: &Seen) -> Result<BTreeSet<i64>, Error> {
        let mut all: BTreeSet<i64> = ids.iter().copied().collect();
        let mut events: BTreeMap<Common, Vec<i64>> = BTreeMap::new();
        for &id in ids {
            if let Some(common) = self.common(id)? {
                events.entry(common).or_default().push(id);
            }
        }
        for (common, own) in events {
            all.extend(self.of_event(&common, &own, seen)?);
        }
        Ok(all)
    }

    /// The captures of an event, of which some are known.
    fn of_event(&self, common: &Common, known: &[i64], seen: &Seen) -> Result<BTreeSet<i64>, Error> {
        let mut all = BTreeSet::new();
        for one in seen.of_event(&common.key()).chain(known.iter().copied()) {
            // What the set says is only a hint.
            if all.contains(&one) || !self.is_there(one)? || self.common(one)?.as_ref() != Some(common) {
                continue;
            }
            all.insert(one);
            let first: i64 = self.connection.prepare_cached(FIRST)?.query_row([one], |row| row.get(0))?;
            // With its first, which may be deleted and is named all the same, all its repeats are there.
            if first != one && all.contains(&first) {
                continue;
            }
            let mut repeats = self.connection.prepare_cached(REPEATS)?;
            all.extend(repeats.query_map([first], |row| row.get(0))?.collect::<Result<Vec<i64>, _>>()?);
            if first == one || self.is_there(first)? {
                all.insert(first);
            }
        }
        Ok(all)
    }

    fn is_there(&self, id: i64) -> Result<bool, Error> {
        self.connection.prepare_cached("SELECT 1 FROM summary WHERE id = ?")?.exists([id])
    }

    /// Lays the captures of one event anew, in the order of their numbers.
    fn lay(&mut self, ids: &[i64]) -> Result<(), Error> {
        let mut members = Vec::with_capacity(ids.len());
        for id in ids {
            members.push((*id, self.connection.prepare_cached(MEMBER)?.query_row([id], Member::read)?));
        }
        let mut places: Vec<Place> = Vec::with_capacity(members.len());
        let (mut last, mut attempt) = (0, 1);
        for (at, (_, member)) in members.iter().enumerate() {
            if at == 0 {
                places.push(Place::default());
                continue;
            }
            let before = &members[last].1;
            // One that was imported and is older is no delivery after it.
            let is_none = member.is_imported && (member.uid == before.uid || member.received_at < before.received_at);
            let place = if is_none { Place::default() } else { member.behind(before, attempt) };
            (last, attempt) = if is_none { (last, attempt) } else { (at, attempt + 1) };
            places.push(Place { duplicate_of: Some(members[0].0), ..place });
        }
        if let Some(first) = places.first_mut() {
            first.last_repeat = (last > 0).then(|| members[last].0);
        }
        for ((id, member), place) in members.iter().zip(places).filter(|((_, member), place)| member.place != *place) {
            let Place { duplicate_of, attempt, gap_ms, retry, last_repeat } = place;
            let row = params![id, duplicate_of, attempt, gap_ms, retry, last_repeat];
            self.connection.prepare_cached(LAY)?.execute(row)?;
            self.tally.duplicates += i64::from(duplicate_of.is_some()) - i64::from(member.place.duplicate_of.is_some());
        }
        Ok(())
    }
}

/// Says in the sheets of a capture that its block may hold anything: what stands there was marked of what it was.
fn may_hold_anything(connection: &Connection, id: i64) -> Result<(), Error> {
    let mut say = connection.prepare_cached(MAY_HOLD_ANYTHING)?;
    say.execute([small_id(id / SMALL), 1 << (id % SMALL / BLOCK)])?;
    say.execute([large_id(id / LARGE), 1 << (id % LARGE / BLOCK)])?;
    Ok(())
}

/// The same of all in a sheet that was made meanwhile, maybe of what they were.
pub(super) fn may_hold_what_was_retold(connection: &Connection, sheet: i64) -> Result<(), Error> {
    let count = if sheet % 2 == 0 { SMALL } else { LARGE };
    let first = sheet / 2 * count;
    let mut retold = connection.prepare_cached(RETOLD_OF)?;
    let ids = retold.query_map([first, first + count], |row| row.get(0))?.collect::<Result<BTreeSet<i64>, _>>()?;
    ids.into_iter().try_for_each(|id| may_hold_anything(connection, id))
}
