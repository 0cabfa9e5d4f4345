//! Which events came before: a set over the whole history that costs a capture next to nothing.
//!
//! An index of SQLite over event ids, which are random, would rewrite a random page for every capture. Instead 8
//! bytes a capture lie in memory: a hash of its event and its number. What the set says is only a hint; the row of each
//! candidate is asked. So deleted captures, equal hashes and a damaged hint do no harm.
//!
//! In the file the set lies in runs, one row for about every [`RUN`] captures, written in the transaction that
//! completes it; a start reads the runs and only the captures after the last of them.

use std::{
    collections::{BTreeSet, HashMap},
    hash::Hasher,
    ops::RangeInclusive,
};

use rusqlite::{Connection, Error, params};

use crate::record::{Capture, Flag};

/// Captures after which their hashes are written as one row.
const RUN: i64 = 4_096;
/// Entries that wait in a tree before they are merged into the sorted list: no more than a processor's cache holds.
const RECENT: usize = 16_384;
/// How many captures of one event are remembered, so that it is known on when its first are deleted, and a storm of
/// repeats costs no memory.
const SPARES: usize = 8;
/// Of how many captures, as a part of all entries, the runs may be gone before their entries leave memory, too: to look at all
/// of them costs as much as that many captures do anyway.
const GONE_PART: usize = 4;
/// Bytes of an entry in the file.
const ENTRY_BYTES: usize = 8;

/// What makes two captures captures of one event. Its type, too: many providers give no id but that of what an event is about (a
/// call, a booking, an envelope), and that has an event of each type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key<'a> {
    pub endpoint: &'a str,
    pub provider: Option<&'a str>,
    pub event_id: &'a str,
    pub event_type: Option<&'a str>,
}

/// The runs of whose captures none is left.
macro_rules! gone {
    () => {
        "FROM event_run WHERE NOT EXISTS (SELECT 1 FROM summary WHERE summary.id BETWEEN first_id AND last_id)"
    };
}

/// An endpoint and a provider.
type Source = (String, Option<String>);

type Hash = Box<dyn Fn(&Key<'_>) -> u32 + Send>;

/// The set. An entry is the hash in the upper half of a number and the capture's id in the lower, so that the numbers'
/// order is by hash and then by age. Ids past 2³² have no entry, and their repeats are not found.
pub(super) struct Seen {
    hash: Hash,
    /// Old entries, sorted.
    sorted: Sorted,
    /// New entries, those of the open transaction among them.
    recent: BTreeSet<u64>,
    /// The open transaction's entries.
    staged: Vec<u64>,
    /// The entries that are in no run yet, the open transaction's among them.
    tail: Vec<u64>,
    /// The first capture that is in no run yet.
    tail_from: i64,
    /// The last capture of the run that the open transaction writes.
    staged_run: Option<i64>,
    /// How many runs were deleted whose entries are still in memory.
    gone: usize,
    /// The captures of the runs that the open transaction leaves, where it is time to look at all entries.
    staged_left: Option<Vec<RangeInclusive<i64>>>,
    /// The newest event time of each endpoint and provider, in Unix milliseconds.
    newest: HashMap<Source, i64>,
    /// What the open transaction changed of it: the value before.
    staged_newest: Vec<(Source, Option<i64>)>,
    /// Whether another process stores captures, and writes the runs.
    beside: bool,
    /// The last row of what was told anew that is in it.
    heard: i64,
}

impl Seen {
    /// Reads the set from the store.
    pub(super) fn load(connection: &Connection) -> Result<Self, Error> {
        let seed: Vec<u8> = connection.query_row("SELECT seed FROM counter", (), |row| row.get(0))?;
        Self::load_with(connection, keyed(&seed))
    }

    /// Deletes the runs of whose captures none is left, so that a store of which the oldest go again and again does not grow by
    /// them, and gives how many. One look at each; nothing is written where there is none.
    pub(super) fn delete_gone(connection: &Connection) -> Result<usize, Error> {
        if connection.prepare_cached(concat!("SELECT 1 ", gone!(), " LIMIT 1"))?.exists(())? {
            return connection.execute(concat!("DELETE ", gone!()), ());
        }
        Ok(0)
    }

    /// An empty set, for a writer that stores no captures.
    pub(super) fn unused() -> Self {
        Self { beside: true, ..Self::empty(keyed(&[])) }
    }

    /// The set as it stands in the store, for one transaction of a writer that is not the one who stores captures.
    pub(super) fn load_beside(connection: &Connection) -> Result<Self, Error> {
        Self::load(connection).map(|seen| Self { beside: true, ..seen })
    }

    /// Whether another process stores captures.
    pub(super) fn is_beside(&self) -> bool {
        self.beside
    }

    fn empty(hash: Hash) -> Self {
        Self {
            hash,
            sorted: Sorted::default(),
            recent: BTreeSet::new(),
            staged: Vec::new(),
            tail: Vec::new(),
            tail_from: 1,
            staged_run: None,
            gone: 0,
            staged_left: None,
            newest: HashMap::new(),
            staged_newest: Vec::new(),
            beside: false,
            heard: 0,
        }
    }

    fn load_with(connection: &Connection, hash: Hash) -> Result<Self, Error> {
        let mut seen = Self::empty(hash);
        let mut entries = seen.load_runs(connection)?;
        seen.load_tail(connection)?;
        seen.load_newest(connection)?;
        entries.extend_from_slice(&seen.tail);
        seen.sorted = Sorted::new(entries);
        seen.hear(connection)?;
        Ok(seen)
    }

    /// The entries of all runs.
    fn load_runs(&mut self, connection: &Connection) -> Result<Vec<u64>, Error> {
        let runs: i64 = connection.query_row("SELECT count(*) FROM event_run", (), |row| row.get(0))?;
        let mut all = Vec::with_capacity((runs + 1) as usize * RUN as usize);
        let mut runs = connection.prepare("SELECT last_id, entries FROM event_run ORDER BY first_id")?;
        let mut rows = runs.query(())?;
        while let Some(row) = rows.next()? {
            self.tail_from = self.tail_from.max(row.get::<_, i64>(0)?.saturating_add(1));
            let entries = row.get_ref(1)?.as_blob()?.as_chunks::<ENTRY_BYTES>().0;
            all.extend(entries.iter().map(|entry| u64::from_le_bytes(*entry)));
        }
        Ok(all)
    }

    fn load_tail(&mut self, connection: &Connection) -> Result<(), Error> {
        let mut captures = connection.prepare(
            "SELECT id, endpoint, provider, event_id, event_type FROM summary WHERE id >= ? AND event_id IS NOT NULL
             AND edited_from IS NULL ORDER BY id",
        )?;
        let mut rows = captures.query([self.tail_from])?;
        while let Some(row) = rows.next()? {
            let (endpoint, provider, event_id) = (row.get_ref(1)?, row.get_ref(2)?, row.get_ref(3)?);
            let key = Key {
                endpoint: endpoint.as_str()?,
                provider: provider.as_str_or_null()?,
                event_id: event_id.as_str()?,
                event_type: row.get_ref(4)?.as_str_or_null()?,
            };
            self.tail.extend(entry((self.hash)(&key), row.get(0)?));
        }
        Ok(())
    }

    fn load_newest(&mut self, connection: &Connection) -> Result<(), Error> {
        let mut newest = connection.prepare(
            "SELECT endpoint, provider, max(event_at) FROM
                (SELECT endpoint, provider, event_at, flags FROM summary WHERE edited_from IS NULL ORDER BY id DESC LIMIT ?)
             WHERE event_at IS NOT NULL AND flags & ? = 0 GROUP BY endpoint, provider",
        )?;
        let mut rows = newest.query([RUN, Flag::Imported.bit()])?;
        while let Some(row) = rows.next()? {
            self.newest.insert((row.get(0)?, row.get(1)?), row.get(2)?);
        }
        Ok(())
    }

    /// Whether something was told anew since the last look, by its last row.
    pub(super) fn has_news(&self, last: i64) -> bool {
        !self.beside && last > self.heard
    }

    /// Takes in what was told anew since the last look, by whatever process.
    pub(super) fn hear(&mut self, connection: &Connection) -> Result<(), Error> {
        let mut told = connection.prepare_cached(
            "SELECT n, id, endpoint, provider, event_id, event_type FROM retold JOIN summary ON id = capture
             WHERE n > ? AND event_id IS NOT NULL AND edited_from IS NULL ORDER BY n",
        )?;
        let mut rows = told.query([self.heard])?;
        while let Some(row) = rows.next()? {
            let key = Key {
                endpoint: row.get_ref(2)?.as_str()?,
                provider: row.get_ref(3)?.as_str_or_null()?,
                event_id: row.get_ref(4)?.as_str()?,
                event_type: row.get_ref(5)?.as_str_or_null()?,
            };
            self.recent.extend(entry((self.hash)(&key), row.get(1)?));
        }
        self.heard = connection.query_row("SELECT coalesce(max(n), 0) FROM retold", (), |row| row.get(0))?;
        Ok(())
    }

    /// Notes that a capture, which is in the store already, is of that event. What is in it too often does no harm, so that
    /// nothing is to be undone.
    pub(super) fn note(&mut self, key: &Key<'_>, id: i64) {
        self.recent.extend(entry((self.hash)(key), id));
    }

    /// The captures that may be of that event, oldest first.
    pub(super) fn of_event(&self, key: &Key<'_>) -> impl Iterator<Item = i64> {
        self.candidates((self.hash)(key))
    }

    /// By how much a capture's event is older than the newest that came in by the same endpoint from the same provider.
    /// A repeat is not late: it is the same event. Holds as [`Seen::admit`] does.
    pub(super) fn late_ms(&mut self, capture: &Capture, is_repeat: bool) -> Option<i64> {
        let at = capture.event.created_at.filter(|_| !is_repeat)?.unix_ms();
        let key = (capture.endpoint.clone(), capture.provider.clone());
        let before = self.newest.get(&key).copied();
        if before.is_none_or(|before| before <= at) {
            self.newest.insert(key.clone(), at);
            self.staged_newest.push((key, before));
        }
        before.map(|before| before.saturating_sub(at)).filter(|late| *late > 0)
    }

    /// Notes that the capture `id` is of that event, and gives the first capture of it. `is_same` asks the store
    /// whether a candidate is of that event. Holds for the open transaction until [`Seen::commit`] or
    /// [`Seen::roll_back`].
    pub(super) fn admit(
        &mut self,
        key: &Key<'_>,
        id: i64,
        mut is_same: impl FnMut(i64) -> Result<bool, Error>,
    ) -> Result<Option<i64>, Error> {
        let hash = (self.hash)(key);
        let (mut first, mut known) = (None, 0);
        for candidate in self.candidates(hash) {
            known += 1;
            if first.is_none() && is_same(candidate)? {
                first = Some(candidate);
            }
            if first.is_some() && known >= SPARES {
                return Ok(first);
            }
        }
        if let Some(entry) = entry(hash, id) {
            self.recent.insert(entry);
            self.staged.push(entry);
            self.tail.push(entry);
        }
        Ok(first)
    }

    /// The captures with that hash, oldest first.
    fn candidates(&self, hash: u32) -> impl Iterator<Item = i64> {
        let all = u64::from(hash) << 32..=u64::from(hash) << 32 | u64::from(u32::MAX);
        let end = *all.end();
        let old = self.sorted.from(*all.start()).iter().take_while(move |entry| **entry <= end);
        old.chain(self.recent.range(all)).map(|entry| i64::from(*entry as u32))
    }

    /// Writes a run, when the captures up to `last_id` fill one, and deletes those of whose captures none is left. Part of the
    /// transaction.
    pub(super) fn write_run(&mut self, connection: &Connection, last_id: i64) -> Result<(), Error> {
        if self.beside || last_id.saturating_sub(self.tail_from) + 1 < RUN {
            return Ok(());
        }
        let mut entries = self.tail.clone();
        entries.sort_unstable();
        let blob: Vec<u8> = entries.iter().flat_map(|entry| entry.to_le_bytes()).collect();
        connection
            .prepare_cached("INSERT INTO event_run (first_id, last_id, entries) VALUES (?, ?, ?)")?
            .execute(params![self.tail_from, last_id, blob])?;
        self.staged_run = Some(last_id);
        // Where this never is, they are counted twice, and all entries are looked at a little sooner.
        self.gone += Self::delete_gone(connection)?;
        if self.gone * RUN as usize > RECENT.max(self.sorted.entries.len() / GONE_PART) {
            let mut left = connection.prepare_cached("SELECT first_id, last_id FROM event_run ORDER BY first_id")?;
            let ranges = left.query_map((), |row| Ok(row.get(0)?..=row.get(1)?))?;
            self.staged_left = Some(ranges.collect::<Result<_, _>>()?);
        }
        Ok(())
    }

    /// Leaves out the entries of captures that are in no run any more.
    fn leave_out_gone(&mut self, left: &[RangeInclusive<i64>]) {
        let tail_from = self.tail_from;
        let is_left = |entry: u64| {
            let id = i64::from(entry as u32);
            id >= tail_from
                || left.get(left.partition_point(|run| *run.end() < id)).is_some_and(|run| run.contains(&id))
        };
        self.sorted.retain(is_left);
        self.gone = 0;
    }

    /// The transaction is committed.
    pub(super) fn commit(&mut self) {
        self.staged.clear();
        self.staged_newest.clear();
        if let Some(last_id) = self.staged_run.take() {
            self.tail.clear();
            self.tail_from = last_id + 1;
        }
        if self.recent.len() >= RECENT {
            self.sorted.merge(&std::mem::take(&mut self.recent));
        }
        if let Some(left) = self.staged_left.take() {
            self.leave_out_gone(&left);
        }
    }

    /// The transaction never was.
    pub(super) fn roll_back(&mut self) {
        self.tail.truncate(self.tail.len().saturating_sub(self.staged.len()));
        for entry in self.staged.drain(..) {
            self.recent.remove(&entry);
        }
        for (key, before) in self.staged_newest.drain(..).rev() {
            match before {
                Some(before) => self.newest.insert(key, before),
                None => self.newest.remove(&key),
            };
        }
        (self.staged_run, self.staged_left) = (None, None);
    }
}

/// A hash that nobody outside the store can foresee: without a key, a sender could choose event ids of one hash, and
/// each would cost a look at all before it. `SipHash` with the key of the file.
#[allow(
    deprecated,
    reason = "its successor does not promise the same hash in the next release; this one lies in files"
)]
fn keyed(seed: &[u8]) -> Hash {
    let (mut halves, _) = seed.as_chunks::<8>();
    let mut half = || halves.split_off_first().map_or(0, |half| u64::from_le_bytes(*half));
    let (first, second) = (half(), half());
    Box::new(move |key| {
        let mut hasher = std::hash::SipHasher::new_with_keys(first, second);
        for part in [key.endpoint, key.provider.unwrap_or_default(), key.event_id, key.event_type.unwrap_or_default()] {
            hasher.write(part.as_bytes());
            // No UTF-8 text holds this byte, so that the parts cannot run into one another.
            hasher.write_u8(0xff);
        }
        hasher.finish() as u32
    })
}

fn entry(hash: u32, id: i64) -> Option<u64> {
    u32::try_from(id).ok().map(|id| u64::from(hash) << 32 | u64::from(id))
}

/// Entries in order, with a table of where those of each upper half of a hash begin: a look-up touches three lines of
/// memory, where halving a long list would touch twenty.
#[derive(Default)]
struct Sorted {
    entries: Vec<u64>,
    /// One place more than there are halves; empty for no entries.
    starts: Vec<u32>,
}

/// How many values the upper half of a hash has.
const HALVES: usize = 1 << 16;

/// The upper half of an entry's hash.
fn half(entry: u64) -> usize {
    (entry >> 48) as usize
}

impl Sorted {
    fn new(mut entries: Vec<u64>) -> Self {
        entries.sort_unstable();
        let mut sorted = Self { entries, starts: Vec::new() };
        sorted.index();
        sorted
    }

    fn index(&mut self) {
        self.starts.clear();
        self.starts.resize(if self.entries.is_empty() { 0 } else { HALVES + 1 }, 0);
        for entry in &self.entries {
            self.starts[half(*entry) + 1] += 1;
        }
        for at in 1..self.starts.len() {
            self.starts[at] += self.starts[at - 1];
        }
    }

    /// The entries from `wanted` on that are of the same half.
    fn from(&self, wanted: u64) -> &[u64] {
        let Some([start, end]) = self.starts.get(half(wanted)..half(wanted) + 2) else { return &[] };
        let same = &self.entries[*start as usize..*end as usize];
        &same[same.partition_point(|entry| *entry < wanted)..]
    }

    /// Leaves out the others.
    fn retain(&mut self, is_left: impl Fn(u64) -> bool) {
        self.entries.retain(|entry| is_left(*entry));
        self.index();
    }

    /// Merges new entries, from the end, in place.
    fn merge(&mut self, new: &BTreeSet<u64>) {
        let entries = &mut self.entries;
        let mut old = entries.len();
        entries.reserve_exact(new.len());
        entries.resize(old + new.len(), 0);
        let mut gap = entries.len();
        for &entry in new.iter().rev() {
            let keep = entries[..old].partition_point(|&before| before <= entry);
            gap -= old - keep;
            entries.copy_within(keep..old, gap);
            old = keep;
            gap -= 1;
            entries[gap] = entry;
        }
        self.index();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema;

    fn store() -> Connection {
        let mut store = Connection::open_in_memory().unwrap();
        schema::migrate(&mut store, schema::MIGRATIONS).unwrap();
        store
    }

    #[test]
    fn what_is_of_a_hash_is_found_among_even_and_crowded_ones() {
        let even: Vec<u64> = (0..1_000).map(|n| n << 54 | 7).collect();
        let crowded: Vec<u64> = (0..1_000).chain((0..1_000).map(|n| u64::MAX - 2 * n)).collect();
        for entries in [even, crowded, Vec::new()] {
            let sorted = Sorted::new(entries.clone());
            let near = |entry: &u64| [entry.saturating_sub(1), *entry, entry.saturating_add(1)];
            for wanted in entries.iter().flat_map(near).chain([0, 1 << 63, u64::MAX]) {
                let mut same: Vec<_> =
                    entries.iter().filter(|entry| **entry >= wanted && half(**entry) == half(wanted)).collect();
                same.sort();
                assert_eq!(sorted.from(wanted).iter().collect::<Vec<_>>(), same, "{wanted}");
            }
        }
    }

    fn key(event_id: &str) -> Key<'_> {
        Key { endpoint: "shop", provider: Some("stripe"), event_id, event_type: None }
    }

    /// What the writer does with one capture.
    fn capture(seen: &mut Seen, store: &Connection, id: i64, event_id: &str) -> Option<i64> {
        let first = seen.admit(&key(event_id), id, |candidate| is_same(store, candidate, event_id)).unwrap();
        store
            .execute(
                "INSERT INTO summary (id, uid, received_at, endpoint, peer, method, path, provider, event_id, verdict,
                                      flags, size, truncated, reply, deliveries)
                 VALUES (?, x'', 0, 'shop', '', '', '', 'stripe', ?, 0, 0, 0, 0, 200, 0)",
                params![id, event_id],
            )
            .unwrap();
        first
    }

    fn is_same(store: &Connection, id: i64, event_id: &str) -> Result<bool, Error> {
        store.prepare("SELECT 1 FROM summary WHERE id = ? AND event_id = ?")?.exists(params![id, event_id])
    }

    fn end(seen: &mut Seen, store: &Connection, last_id: i64) {
        seen.write_run(store, last_id).unwrap();
        seen.commit();
    }

    fn runs(store: &Connection) -> i64 {
        store.query_row("SELECT count(*) FROM event_run", (), |row| row.get(0)).unwrap()
    }

    #[test]
    fn repeats_name_the_first_capture_of_the_event_even_in_one_transaction() {
        let store = store();
        let mut seen = Seen::load(&store).unwrap();
        let found: Vec<_> =
            (1..).zip(["a", "b", "a", "a"]).map(|(id, event)| capture(&mut seen, &store, id, event)).collect();
        assert_eq!(found, [None, None, Some(1), Some(1)]);
        end(&mut seen, &store, 4);
        assert_eq!(capture(&mut seen, &store, 5, "b"), Some(2));
    }

    #[test]
    fn endpoint_provider_and_type_tell_events_of_one_id_apart() {
        let hash = keyed(&[7; 16]);
        let keys = [
            Key { endpoint: "a", provider: Some("b"), event_id: "c", event_type: None },
            Key { endpoint: "a", provider: Some("b"), event_id: "c", event_type: Some("d") },
            Key { endpoint: "a", provider: Some("b"), event_id: "cd", event_type: None },
            Key { endpoint: "ab", provider: None, event_id: "c", event_type: None },
            Key { endpoint: "a", provider: None, event_id: "bc", event_type: None },
            Key { endpoint: "a", provider: Some("bc"), event_id: "", event_type: None },
        ];
        let mut hashes: Vec<u32> = keys.iter().map(&hash).collect();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), keys.len());
        assert_ne!(hash(&keys[0]), keyed(&[8; 16])(&keys[0]), "another store, another hash");
    }

    #[test]
    fn a_restart_remembers_the_runs_and_the_tail() {
        let store = store();
        let mut seen = Seen::load(&store).unwrap();
        let total = 2 * RUN + 100;
        for id in 1..=total {
            assert_eq!(capture(&mut seen, &store, id, &format!("evt_{id}")), None);
            if id % 7 == 0 {
                end(&mut seen, &store, id);
            }
        }
        end(&mut seen, &store, total);
        assert_eq!(runs(&store), 2);
        let mut again = Seen::load(&store).unwrap();
        assert_eq!(again.sorted.entries.len(), total as usize);
        assert!(again.tail.len() < RUN as usize);
        for id in [1, 2, RUN, RUN + 1, 2 * RUN, total] {
            assert_eq!(capture(&mut again, &store, total + id, &format!("evt_{id}")), Some(id), "{id}");
        }
        again.commit();
    }

    #[test]
    fn of_captures_that_are_gone_nothing_is_remembered_after_a_restart() {
        let store = store();
        let mut seen = Seen::load(&store).unwrap();
        for id in 1..=3 * RUN {
            capture(&mut seen, &store, id, &format!("evt_{id}"));
            end(&mut seen, &store, id);
        }
        // One that is pinned stays.
        store.execute("DELETE FROM summary WHERE id BETWEEN 2 AND ?", [2 * RUN]).unwrap();
        Seen::delete_gone(&store).unwrap();
        assert_eq!(runs(&store), 2);
        let mut again = Seen::load(&store).unwrap();
        assert_eq!(again.sorted.entries.len(), 2 * RUN as usize);
        let next = 3 * RUN + 1;
        for (at, (id, first)) in [(1, Some(1)), (RUN + 1, None), (next - 1, Some(next - 1))].into_iter().enumerate() {
            assert_eq!(capture(&mut again, &store, next + at as i64, &format!("evt_{id}")), first, "{id}");
        }
        // Where the last ones are gone, too, the next run begins behind what is left.
        store.execute("DELETE FROM summary WHERE id > 1", ()).unwrap();
        Seen::delete_gone(&store).unwrap();
        let mut again = Seen::load(&store).unwrap();
        assert_eq!(capture(&mut again, &store, next + 3, "evt_1"), Some(1));
        end(&mut again, &store, next + 3);
        assert_eq!(runs(&store), 2);
    }

    #[test]
    fn a_store_of_which_the_oldest_go_again_and_again_remembers_no_more_the_longer_it_runs() {
        let store = store();
        let mut seen = Seen::load(&store).unwrap();
        let mut most = 0;
        for id in 1..=20 * RUN {
            capture(&mut seen, &store, id, &format!("evt_{id}"));
            end(&mut seen, &store, id);
            if id % 64 == 0 {
                store.execute("DELETE FROM summary WHERE id BETWEEN 2 AND ?", [id - 1_000]).unwrap();
            }
            most = most.max(seen.sorted.entries.len() + seen.recent.len());
        }
        assert!(runs(&store) <= 3, "{}", runs(&store));
        assert!(most < 3 * RECENT, "{most}");
        // What is left is known: what is pinned, in a run, and what is new.
        for (at, id) in [1, 20 * RUN - 999, 20 * RUN].into_iter().enumerate() {
            let event = format!("evt_{id}");
            assert_eq!(capture(&mut seen, &store, 20 * RUN + 1 + at as i64, &event), Some(id));
        }
    }

    #[test]
    fn captures_of_equal_hash_are_told_apart() {
        let store = store();
        let mut seen = Seen::load_with(&store, Box::new(|_| 42)).unwrap();
        let events = ["a", "b", "c", "b", "a", "d"];
        let found: Vec<_> = (1..).zip(events).map(|(id, event)| capture(&mut seen, &store, id, event)).collect();
        assert_eq!(found, [None, None, None, Some(2), Some(1), None]);
    }

    #[test]
    fn when_the_first_is_deleted_the_next_is_the_first() {
        let store = store();
        let mut seen = Seen::load(&store).unwrap();
        for id in 1..=3 {
            capture(&mut seen, &store, id, "a");
        }
        store.execute("DELETE FROM summary WHERE id = 1", ()).unwrap();
        assert_eq!(capture(&mut seen, &store, 4, "a"), Some(2));
        store.execute("DELETE FROM summary", ()).unwrap();
        assert_eq!(capture(&mut seen, &store, 5, "a"), None);
        assert_eq!(capture(&mut seen, &store, 6, "a"), Some(5));
    }

    #[test]
    fn a_storm_of_repeats_takes_a_few_entries() {
        let store = store();
        let mut seen = Seen::load(&store).unwrap();
        for id in 1..=1_000 {
            capture(&mut seen, &store, id, "a");
        }
        assert_eq!(seen.recent.len(), SPARES);
    }

    #[test]
    fn a_transaction_that_was_rolled_back_left_no_trace() {
        let mut store = store();
        let mut seen = Seen::load(&store).unwrap();
        capture(&mut seen, &store, 1, "before");
        seen.commit();
        let transaction = store.transaction().unwrap();
        for id in 2..=RUN + 2 {
            capture(&mut seen, &transaction, id, &format!("lost_{id}"));
        }
        seen.write_run(&transaction, RUN + 2).unwrap();
        transaction.rollback().unwrap();
        seen.roll_back();
        assert_eq!((seen.recent.len(), seen.tail.len(), seen.tail_from), (1, 1, 1));
        assert_eq!(runs(&store), 0);
        assert_eq!(capture(&mut seen, &store, 2, "lost_2"), None);
        assert_eq!(capture(&mut seen, &store, 3, "before"), Some(1));
    }

    #[test]
    fn merging_keeps_the_order() {
        let mut sorted = Sorted::new(vec![20, 5, 9, 1]);
        sorted.merge(&BTreeSet::from([0, 4, 6, 7, 21]));
        assert_eq!(sorted.entries, [0, 1, 4, 5, 6, 7, 9, 20, 21]);
        sorted.merge(&BTreeSet::new());
        assert_eq!(sorted.from(5), [5, 6, 7, 9, 20, 21]);
        let mut empty = Sorted::default();
        empty.merge(&BTreeSet::from([2, 1]));
        assert_eq!(empty.from(0), [1, 2]);
    }

    #[test]
    fn entries_are_found_in_the_list_and_in_the_tree() {
        let store = store();
        let mut seen = Seen::load(&store).unwrap();
        for id in 1..=3 {
            capture(&mut seen, &store, id, "a");
        }
        seen.sorted.merge(&std::mem::take(&mut seen.recent));
        capture(&mut seen, &store, 4, "a");
        let hash = (seen.hash)(&key("a"));
        assert_eq!(seen.candidates(hash).collect::<Vec<_>>(), [1, 2, 3, 4]);
    }

    #[test]
    fn a_damaged_run_hints_at_nothing_and_breaks_nothing() {
        let store = store();
        let rubbish = vec![0xff_u8; 8 * 20 + 3];
        store.execute("INSERT INTO event_run VALUES (1, 1, ?)", [rubbish]).unwrap();
        let mut seen = Seen::load_with(&store, Box::new(|_| u32::MAX)).unwrap();
        assert_eq!(capture(&mut seen, &store, 2, "a"), None);
        assert_eq!(capture(&mut seen, &store, 3, "a"), Some(2));
    }
}
