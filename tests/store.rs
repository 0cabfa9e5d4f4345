//! The store by itself: what is committed before it is answered, what outlives what, and what is refused.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use creel::{
    query::Filter,
    record::{
        Body, Capture, CaptureId, Cause, Change, Delivery, DeliveryId, Event, Evidence, Explanation, Fault, Flag, Head,
        Headers, Judgement, LastDelivery, Outcome, Refusal, Reply, Timestamp, Uid, Verdict,
    },
    store::{self, Bell, Bodies, Pending, Reader, Role, Start, Stored, Writer},
};
use proptest::prelude::*;

/// A store of the test's own, and a runtime that wakes those who wait.
struct Place {
    folder: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
}

impl Place {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { folder: tempfile::tempdir().unwrap(), runtime }
    }

    fn db(&self) -> PathBuf {
        self.folder.path().join("creel.db")
    }

    fn open(&self, role: Role) -> Writer {
        let (writer, settler) = Writer::open(&self.db(), role, Bell::new()).unwrap();
        self.runtime.spawn(settler.run());
        writer
    }

    fn reader(&self) -> Reader {
        Reader::open(&self.db()).unwrap()
    }

    fn wait<T>(&self, pending: Pending<T>) -> Result<T, creel::record::Failure> {
        self.runtime.block_on(pending).unwrap()
    }

    fn store(&self, writer: &Writer, capture: Capture) -> Stored {
        self.wait(writer.capture(capture).unwrap()).unwrap()
    }
}

fn capture(event_id: &str, body: Bytes) -> Capture {
    let at = Timestamp::from_unix_ms(1_795_424_700_123);
    let head = Head::parse(Bytes::from_static(b"PoST /a?x=1 HTTP/1.1\r\nX-Dup: a\r\nx-dup:  b\xe9\r\n\r\n"));
    let sha256 = creel::verify::sha256(&body);
    let body = Body { declared: Some(9), truncated: true, ..Body::whole(body, sha256) };
    Capture {
        endpoint: "shop".to_owned(),
        peer: "127.0.0.1:5".to_owned(),
        trailers: [("X-T", "1")].into_iter().collect(),
        flags: [Flag::Cut, Flag::Trailers].into_iter().collect(),
        provider: Some("stripe".to_owned()),
        event: Event { id: Some(event_id.to_owned()), kind: Some("charge".to_owned()), created_at: Some(at) },
        judgement: Judgement {
            verdict: Verdict::Failed,
            fault: Some(Fault::Stale),
            explanation: Some(Explanation { by: Some("x".to_owned()), text: "Too old.".to_owned(), tried: 3 }),
            evidence: Some(Evidence {
                place: "H".to_owned(),
                received: None,
                expected: Some("e".to_owned()),
                content: "c".to_owned(),
                difference: None,
            }),
            age_s: Some(-4),
            covers_body: Some(false),
            handshake: None,
            url: None,
        },
        reply_status: 413,
        ..Capture::new(Uid::new(at, 7), at, head, body)
    }
}

fn small(event_id: &str) -> Capture {
    capture(event_id, Bytes::from_static(b"{}"))
}

#[test]
fn what_is_answered_is_there_for_another_connection() {
    let place = Place::new();
    let writer = place.open(Role::Capturing);
    let reader = place.reader();
    for n in 1..=50 {
        let stored = place.store(&writer, small(&n.to_string()));
        assert_eq!(stored, Stored { id: CaptureId(n), duplicate_of: None, errand: None });
        assert!(reader.summary(CaptureId(n)).unwrap().is_some());
    }
    assert_eq!(reader.counters().unwrap().captures, 50);
    drop(reader);
    writer.close().unwrap();
    assert!(!place.folder.path().join("creel.db-wal").exists(), "a stopped creel leaves one file and its lock behind");
}

#[test]
fn everything_that_goes_in_comes_out() {
    let place = Place::new();
    let writer = place.open(Role::Capturing);
    // Within a row, at its edge, in chunks.
    for (n, size) in [0, 5, 256 << 10, (256 << 10) + 1, 600 << 10].into_iter().enumerate() {
        let body = Bytes::from((0..size).map(|at| (at % 251) as u8).collect::<Vec<_>>());
        let given = capture(&n.to_string(), body);
        let stored = place.store(&writer, given.clone());
        let expected = Capture { id: stored.id, ..given };
        assert_eq!(place.reader().capture(stored.id, Bodies::Read).unwrap().unwrap(), expected);
        let left = place.reader().capture(stored.id, Bodies::Leave).unwrap().unwrap();
        assert_eq!((left.body.bytes.len(), left.body.size), (0, size as u64));
        let first = place.reader().capture(stored.id, Bodies::First(1_000)).unwrap().unwrap();
        assert_eq!(first.body.bytes.len(), size.min(256 << 10), "a small body whole, of a large one the first piece");
        assert_eq!(place.reader().body(&first, &|| true).unwrap().as_ref(), Some(&expected));
        assert_eq!(place.reader().body(&first, &|| false).unwrap(), None, "nobody waits for it any more");
    }
    assert_eq!(place.reader().capture(CaptureId(99), Bodies::Read).unwrap(), None);
}

#[test]
fn the_first_of_the_same_event_is_named_also_within_a_batch_and_after_a_restart() {
    let place = Place::new();
    let writer = place.open(Role::Capturing);
    let pending: Vec<_> = ["a", "b", "a", "a"].map(|id| writer.capture(small(id)).unwrap()).into_iter().collect();
    let firsts: Vec<_> = pending.into_iter().map(|p| place.wait(p).unwrap().duplicate_of.map(|id| id.0)).collect();
    assert_eq!(firsts, [None, None, Some(1), Some(1)]);
    writer.close().unwrap();
    let writer = place.open(Role::Capturing);
    assert_eq!(
        place.store(&writer, small("b")),
        Stored { id: CaptureId(5), duplicate_of: Some(CaptureId(2)), errand: None }
    );
    let elsewhere = Capture { endpoint: "other".to_owned(), ..small("b") };
    assert_eq!(place.store(&writer, elsewhere).duplicate_of, None);
    assert_eq!(place.reader().counters().unwrap().duplicates, 3);
}

#[test]
fn pages_go_by_key_in_both_directions_and_through_a_filter() {
    let place = Place::new();
    let writer = place.open(Role::Capturing);
    for n in 0..30 {
        let kind = if n % 3 == 0 { "push" } else { "issues" };
        let event = Event { id: None, kind: Some(kind.to_owned()), created_at: None };
        place.store(&writer, Capture { event, ..small("") });
    }
    let reader = place.reader();
    let ids = |start, limit, filter: &str| {
        let filter = Filter::parse(filter).unwrap().sql(Timestamp::default());
        let page = reader.page(start, limit, Some(&filter)).unwrap();
        page.iter().map(|row| row.id.0).collect::<Vec<_>>()
    };
    assert_eq!(ids(Start::Newest, 3, ""), [30, 29, 28]);
    assert_eq!(ids(Start::Before(CaptureId(28)), 3, ""), [27, 26, 25]);
    assert_eq!(ids(Start::After(CaptureId(25)), 3, ""), [28, 27, 26]);
    assert_eq!(ids(Start::Before(CaptureId(1)), 3, ""), [0_i64; 0]);
    assert_eq!(ids(Start::Newest, 3, "event:push"), [28, 25, 22]);
    assert_eq!(ids(Start::After(CaptureId(22)), 9, "event:push"), [28, 25]);
}

#[test]
fn a_delivery_is_numbered_kept_and_shown_in_its_row_also_from_another_process() {
    let place = Place::new();
    let writer = place.open(Role::Capturing);
    let id = place.store(&writer, small("a")).id;
    let visitor = place.open(Role::Visiting);
    let reply = Reply {
        status: 503,
        headers: [("A", "1")].into_iter().collect(),
        body: Bytes::from_static(b"\xff"),
        truncated: true,
    };
    let outcomes = [Outcome::Failed(Cause::NoHost, "nobody".to_owned()), Outcome::Replied(reply)];
    for (attempt, (writer, outcome)) in [&writer, &visitor].into_iter().zip(outcomes).enumerate() {
        let receipt = vec![
            Change::Replaced { name: "Host".to_owned(), from: "a".to_owned(), to: "b".to_owned() },
            Change::Dropped { name: "TE".to_owned(), value: "x".to_owned() },
            Change::Added { name: "Connection".to_owned(), value: "close".to_owned() },
            Change::Other { what: "target".to_owned(), from: "/a".to_owned(), to: "/b".to_owned() },
        ];
        let at = Timestamp::from_unix_ms(5);
        let given = Delivery {
            id: DeliveryId(0),
            capture: id,
            to: "http://h".to_owned(),
            started_at: at,
            took_ms: 12,
            attempt: 0,
            receipt,
            outcome,
            errand: None,
        };
        let stored = place.wait(writer.deliver(given.clone()).unwrap()).unwrap();
        assert_eq!(stored, Delivery { id: stored.id, attempt: attempt as u32 + 1, ..given });
        assert_eq!(place.reader().deliveries(id).unwrap()[0], stored);
    }
    let row = place.reader().summary(id).unwrap().unwrap();
    assert_eq!((row.deliveries, row.last_delivery), (2, Some(LastDelivery::Replied(503))));
}

#[test]
fn refused_requests_are_listed_and_counted() {
    let place = Place::new();
    let writer = place.open(Role::Capturing);
    let refusal = Refusal {
        at: Timestamp::from_unix_ms(1),
        peer: "p".to_owned(),
        status: Some(400),
        reason: "r".to_owned(),
        head: vec![0, 255],
    };
    writer.refuse(refusal.clone()).unwrap();
    place.store(&writer, small("after it in the queue"));
    assert_eq!(place.reader().refusals(10).unwrap(), [refusal]);
    assert_eq!(place.reader().counters().unwrap().refused, 1);
}

#[test]
fn the_bell_rings_here_and_the_version_changes_there() {
    let place = Place::new();
    let bell = Bell::new();
    let rings = Arc::new(AtomicUsize::new(0));
    let heard = Arc::clone(&rings);
    bell.on_ring(move || {
        heard.fetch_add(1, Ordering::SeqCst);
    });
    let (writer, settler) = Writer::open(&place.db(), Role::Capturing, bell).unwrap();
    place.runtime.spawn(settler.run());
    let reader = place.reader();
    let before = reader.data_version().unwrap();
    place.store(&writer, small("a"));
    writer.close().unwrap();
    assert!(rings.load(Ordering::SeqCst) > 0);
    assert_ne!(reader.data_version().unwrap(), before);
}

#[test]
fn a_second_capturer_is_told_who_has_the_store_and_where() {
    let place = Place::new();
    let writer = place.open(Role::Capturing);
    writer.announce("127.0.0.1:27335").unwrap();
    let failure = Writer::open(&place.db(), Role::Capturing, Bell::new()).err().unwrap().to_string();
    assert!(failure.contains(&std::process::id().to_string()) && failure.contains("127.0.0.1:27335"), "{failure}");
    assert!(failure.contains("creel watch"), "{failure}");
    assert_eq!(store::holder(&place.db()).unwrap().address.as_deref(), Some("127.0.0.1:27335"));
    writer.close().unwrap();
    assert!(store::holder(&place.db()).is_none());
}

#[test]
fn a_row_that_cannot_be_written_does_not_take_the_others_with_it() {
    let place = Place::new();
    let writer = place.open(Role::Capturing);
    place.store(&writer, small("a"));
    let trigger = "CREATE TRIGGER poison BEFORE INSERT ON summary WHEN new.endpoint = 'poison' BEGIN SELECT raise(ABORT, 'poison'); END";
    rusqlite::Connection::open(place.db()).unwrap().execute_batch(trigger).unwrap();
    let poison = Capture { endpoint: "poison".to_owned(), ..small("p") };
    let pending: Vec<_> = [small("b"), poison, small("c")].map(|it| writer.capture(it).unwrap()).into_iter().collect();
    let stored: Vec<_> = pending.into_iter().map(|p| place.wait(p).is_ok()).collect();
    assert_eq!(stored, [true, false, true]);
    assert_eq!(place.reader().counters().unwrap().captures, 3);
}

#[test]
fn dropping_a_writer_does_not_hang_and_loses_nothing_acknowledged() {
    let place = Place::new();
    let writer = place.open(Role::Capturing);
    place.store(&writer, small("a"));
    drop(writer);
    assert!(place.reader().summary(CaptureId(1)).unwrap().is_some());
}

#[test]
fn its_files_are_their_owners_alone() {
    let place = Place::new();
    let writer = place.open(Role::Capturing);
    place.store(&writer, small("a"));
    for entry in fs::read_dir(place.folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", entry.file_name());
    }
}

/// Damage: whatever bytes are flipped, a reader fails with words or gives rows, and never panics.
#[test]
fn a_damaged_file_is_an_error_or_rows_and_never_a_panic() {
    let place = Place::new();
    let writer = place.open(Role::Capturing);
    (0..40).for_each(|n| drop(place.store(&writer, small(&n.to_string())).id.to_string()));
    writer.close().unwrap();
    let whole = fs::read(place.db()).unwrap();
    let mut seed = 9_u32;
    for _ in 0..100 {
        let mut bytes = whole.clone();
        for _ in 0..20 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = seed as usize % bytes.len();
            bytes[at] ^= (seed >> 24) as u8 | 1;
        }
        look_at(&place.db(), &bytes);
    }
}

fn look_at(db: &Path, bytes: &[u8]) {
    fs::write(db, bytes).unwrap();
    let Ok(reader) = Reader::open(db) else { return };
    let _ = (reader.counters(), reader.refusals(5), reader.page(Start::Newest, 50, None));
    for id in 1..=40 {
        let _ = (reader.capture(CaptureId(id), Bodies::Read), reader.deliveries(CaptureId(id)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_capture_comes_out_as_it_went_in(
        target in "/[!-~é]{0,40}", headers in prop::collection::vec(("[!-9;-~]{1,12}", prop::collection::vec(0x21_u8..=0xff, 0..20)), 0..8),
        body in prop::collection::vec(any::<u8>(), 0..2_000), flags in 0_i64..1 << 18, text in prop::option::of(".{0,20}"),
    ) {
        let place = Place::new();
        let writer = place.open(Role::Capturing);
        let mut list = Headers::default();
        headers.into_iter().for_each(|(name, value)| list.push(name, value));
        let given = Capture {
            head: Head::from_parts("POST", target.as_bytes(), creel::record::Version::Http11, &list),
            flags: creel::record::Flags::from_bits(flags),
            event: Event { id: text.clone(), kind: text.clone(), created_at: None },
            provider: text,
            ..capture("", Bytes::from(body))
        };
        let stored = place.store(&writer, given.clone());
        let expected = Capture { id: stored.id, ..given };
        prop_assert_eq!(place.reader().capture(stored.id, Bodies::Read).unwrap().unwrap(), expected);
    }
}
