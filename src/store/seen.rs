//! Which events came before: 8 bytes a capture, over the whole history.
//!
//! An index over event ids in SQLite would write a random page for every row. Here each capture with an event id is a
//! pair of a 32-bit hash and a number, kept sorted in memory. A pair proves nothing: the row it points to is read before
//! it is believed, so that collisions, and captures deleted since, do no harm. Every [`RUN`] captures the pairs
//! are stored as one blob, in the transaction that stores the capture; a start reads those blobs and the rows after them.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, params};

use crate::record::CaptureId;

/// How many captures one stored run covers.
const RUN: i64 = 4_096;
/// How many pairs are kept in the set before they are merged into the sorted list.
const RECENT: usize = 65_536;

/// The event of a capture, as far as sameness goes.
#[derive(Clone, Copy)]
pub(super) struct EventKey<'a> {
    pub(super) endpoint: &'a str,
    pub(super) provider: &'a str,
    pub(super) event_id: &'a str,
}

impl EventKey<'_> {
    /// FNV-1a, its halves folded: the same in every process and for ever, as the stored runs need. A collision costs a
    /// look at a row.
    fn hash(&self) -> u32 {
        let parts = [self.endpoint, "\0", self.provider, "\0", self.event_id];
        let bytes = parts.iter().flat_map(|part| part.bytes());
        let hash =
            bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        (hash >> 32) as u32 ^ hash as u32
    }
}

/// Hash and number of a capture.
type Pair = (u32, u32);

/// The pairs of all captures.
pub(super) struct Seen {
    sorted: Vec<Pair>,
    recent: BTreeSet<Pair>,
    /// The pairs that no stored run has yet, in the order of their captures.
    tail: Vec<Pair>,
    /// The first capture that no stored run covers.
    tail_from: i64,
}

impl Seen {
    /// Reads the stored runs, and the rows after the last.
    pub(super) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let mut seen = Self { sorted: Vec::new(), recent: BTreeSet::new(), tail: Vec::new(), tail_from: 1 };
        let mut runs = connection.prepare("SELECT last_id, entries FROM event_run ORDER BY first_id")?;
        let mut rows = runs.query([])?;
        while let Some(row) = rows.next()? {
            seen.tail_from = row.get::<_, i64>(0)? + 1;
            seen.sorted.extend(decode(row.get_ref(1)?.as_blob()?));
        }
        seen.sorted.sort_unstable();
        let mut rest = connection.prepare(
            "SELECT id, endpoint, provider, event_id FROM summary
             WHERE id >= ? AND event_id IS NOT NULL AND provider IS NOT NULL ORDER BY id",
        )?;
        let mut rows = rest.query([seen.tail_from])?;
        while let Some(row) = rows.next()? {
            let text = |at| row.get_ref(at).and_then(|value| Ok(value.as_str()?));
            let key = EventKey { endpoint: text(1)?, provider: text(2)?, event_id: text(3)? };
            seen.insert(CaptureId(row.get(0)?), &key);
        }
        Ok(seen)
    }

    /// The first capture of this event, where there is one.
    pub(super) fn first(&self, connection: &Connection, key: &EventKey<'_>) -> rusqlite::Result<Option<CaptureId>> {
        let hash = key.hash();
        let from = self.sorted.partition_point(|pair| pair.0 < hash);
        let sorted = self.sorted[from..].iter().take_while(|pair| pair.0 == hash).map(|pair| pair.1);
        let recent = self.recent.range((hash, 0)..=(hash, u32::MAX)).map(|pair| pair.1);
        // What is in the set came after what is in the list: the first is found first.
        sorted.chain(recent).map(|id| verify(connection, i64::from(id), key)).find_map(Result::transpose).transpose()
    }

    /// Remembers a capture.
    pub(super) fn insert(&mut self, id: CaptureId, key: &EventKey<'_>) {
        // Past four thousand million captures a number no longer fits; those are simply never found again.
        let Ok(number) = u32::try_from(id.0) else { return };
        let pair = (key.hash(), number);
        self.tail.push(pair);
        self.recent.insert(pair);
        if self.recent.len() >= RECENT {
            self.merge();
        }
    }

    fn merge(&mut self) {
        self.sorted.extend(std::mem::take(&mut self.recent));
        self.sorted.sort_unstable();
    }

    /// Forgets the captures from this number on: their transaction was rolled back.
    pub(super) fn forget_from(&mut self, id: CaptureId) {
        let keep = |number: u32| i64::from(number) < id.0;
        self.sorted.retain(|pair| keep(pair.1));
        self.recent.retain(|pair| keep(pair.1));
        self.tail.retain(|pair| keep(pair.1));
    }

    /// Whether the captures up to this one fill a run that is not stored yet.
    pub(super) fn is_due(&self, last: CaptureId) -> bool {
        last.0 - self.tail_from + 1 >= RUN
    }

    /// Stores the run up to this capture, within the caller's transaction. [`Seen::stored`] must follow its commit.
    pub(super) fn store(&self, connection: &Connection, last: CaptureId) -> rusqlite::Result<()> {
        let sql = "INSERT INTO event_run (first_id, last_id, entries) VALUES (?, ?, ?)";
        connection.prepare_cached(sql)?.execute(params![self.tail_from, last.0, encode(&self.tail)]).map(drop)
    }

    /// The run up to this capture is committed.
    pub(super) fn stored(&mut self, last: CaptureId) {
        self.tail.clear();
        self.tail_from = last.0 + 1;
    }
}

/// The capture of that number, where it is of that event.
fn verify(connection: &Connection, id: i64, key: &EventKey<'_>) -> rusqlite::Result<Option<CaptureId>> {
    let sql = "SELECT 1 FROM summary WHERE id = ? AND event_id = ? AND provider = ? AND endpoint = ?";
    let parameters = params![id, key.event_id, key.provider, key.endpoint];
    let found = connection.prepare_cached(sql)?.query_row(parameters, |_| Ok(())).optional()?;
    Ok(found.map(|()| CaptureId(id)))
}

fn encode(pairs: &[Pair]) -> Vec<u8> {
    pairs.iter().flat_map(|(hash, id)| [hash.to_le_bytes(), id.to_le_bytes()]).flatten().collect()
}

fn decode(bytes: &[u8]) -> impl Iterator<Item = Pair> {
    let (numbers, _) = bytes.as_chunks::<4>();
    let (pairs, _) = numbers.as_chunks::<2>();
    pairs.iter().map(|[hash, id]| (u32::from_le_bytes(*hash), u32::from_le_bytes(*id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(event_id: &str) -> EventKey<'_> {
        EventKey { endpoint: "e", provider: "p", event_id }
    }

    fn store() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        let tables = "CREATE TABLE summary (id INTEGER PRIMARY KEY, endpoint, provider, event_id);
                      CREATE TABLE event_run (first_id INTEGER PRIMARY KEY, last_id, entries)";
        connection.execute_batch(tables).unwrap();
        connection
    }

    fn capture(connection: &Connection, seen: &mut Seen, id: i64, event_id: &str) -> Option<i64> {
        let first = seen.first(connection, &key(event_id)).unwrap();
        connection.execute("INSERT INTO summary VALUES (?, 'e', 'p', ?)", params![id, event_id]).unwrap();
        seen.insert(CaptureId(id), &key(event_id));
        if seen.is_due(CaptureId(id)) {
            seen.store(connection, CaptureId(id)).unwrap();
            seen.stored(CaptureId(id));
        }
        first.map(|id| id.0)
    }

    #[test]
    fn a_repeat_is_found_across_runs_and_restarts() {
        let connection = store();
        let mut seen = Seen::load(&connection).unwrap();
        for id in 1..=10_000 {
            assert_eq!(capture(&connection, &mut seen, id, &format!("event-{id}")), None);
        }
        let runs: i64 = connection.query_row("SELECT count(*) FROM event_run", [], |row| row.get(0)).unwrap();
        assert_eq!(runs, 2);
        for mut seen in [seen, Seen::load(&connection).unwrap()] {
            for id in [1, 4_096, 4_097, 9_999] {
                assert_eq!(seen.first(&connection, &key(&format!("event-{id}"))).unwrap(), Some(CaptureId(id)));
            }
            assert_eq!(seen.first(&connection, &key("event-0")).unwrap(), None);
            seen.merge();
            assert_eq!(seen.first(&connection, &key("event-9999")).unwrap(), Some(CaptureId(9_999)));
        }
    }

    #[test]
    fn the_first_of_several_is_named_and_a_deleted_one_is_not() {
        let connection = store();
        let mut seen = Seen::load(&connection).unwrap();
        assert_eq!(capture(&connection, &mut seen, 1, "a"), None);
        assert_eq!(capture(&connection, &mut seen, 2, "a"), Some(1));
        assert_eq!(capture(&connection, &mut seen, 3, "a"), Some(1));
        connection.execute("DELETE FROM summary WHERE id = 1", []).unwrap();
        assert_eq!(capture(&connection, &mut seen, 4, "a"), Some(2));
    }

    #[test]
    fn another_endpoints_or_providers_event_is_another_event_even_where_the_hash_is_the_same() {
        let connection = store();
        let mut seen = Seen::load(&connection).unwrap();
        capture(&connection, &mut seen, 1, "a");
        // The same hash by force: only the row can tell them apart.
        let other = key("b");
        seen.recent.insert((other.hash(), 1));
        assert_eq!(seen.first(&connection, &other).unwrap(), None);
        let elsewhere = EventKey { endpoint: "f", ..key("a") };
        assert_eq!(seen.first(&connection, &elsewhere).unwrap(), None);
    }

    #[test]
    fn what_was_rolled_back_is_forgotten() {
        let connection = store();
        let mut seen = Seen::load(&connection).unwrap();
        capture(&connection, &mut seen, 1, "a");
        seen.insert(CaptureId(2), &key("b"));
        seen.merge();
        seen.insert(CaptureId(3), &key("c"));
        seen.forget_from(CaptureId(2));
        assert_eq!((seen.sorted.len(), seen.recent.len(), seen.tail.len()), (1, 0, 1));
        assert_eq!(seen.first(&connection, &key("a")).unwrap(), Some(CaptureId(1)));
    }
}
