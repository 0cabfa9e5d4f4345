//! The writer in trouble: full disks, broken disks, poison, panic. Its transactions are interfered with from inside.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, mpsc},
};

use bytes::Bytes;
use rusqlite::{Error, ffi, limits::Limit};
use tempfile::TempDir;
use tokio::sync::oneshot::error::TryRecvError;

use super::{
    Bell, Bodies, Full, Pending, QUEUE_JOBS, Reader, Role, Start, Stored, Writer, holder, large::READ_INTO_MEMORY,
    looking,
};
use crate::record::{Body, Capture, CaptureId, Event, Failure, Head, Refusal, Timestamp, Uid};

struct Place {
    _folder: TempDir,
    path: PathBuf,
}

fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("creel.db");
    Place { _folder: folder, path }
}

/// A writer that answers by itself, without a runtime.
fn open(path: &Path) -> Writer {
    Writer::open(path, Role::Capturing, Bell::new()).unwrap().0
}

fn capture(event: &str, size: usize) -> Capture {
    let bytes = vec![b'x'; size];
    let sha256 = crate::verify::sha256(&bytes);
    let (head, body) = (Head::parse(Bytes::from_static(b"POST / HTTP/1.1\r\n\r\n")), Body::whole(bytes.into(), sha256));
    Capture {
        endpoint: "default".into(),
        peer: "127.0.0.1:1".into(),
        event: Event { id: Some(event.into()), ..Event::default() },
        reply_status: 200,
        ..Capture::new(Uid(1), Timestamp::from_unix_ms(1), head, body)
    }
}

fn refusal() -> Refusal {
    Refusal { at: Timestamp::from_unix_ms(1), peer: "p".into(), status: None, reason: "r".into(), head: vec![] }
}

fn store(writer: &Writer, event: &str) -> Result<Stored, Failure> {
    writer.capture(capture(event, 10)).unwrap().blocking_recv().unwrap()
}

/// Holds the writer inside a transaction until told, so that what is pushed meanwhile becomes one batch.
fn hold(writer: &Writer) -> mpsc::Sender<()> {
    let (entered, wait_entered) = mpsc::channel();
    let (release, released) = mpsc::channel();
    drop(writer.poke(move |_| {
        entered.send(()).unwrap();
        released.recv().unwrap();
        Ok(())
    }));
    wait_entered.recv().unwrap();
    release
}

fn poke(writer: &Writer, sql: &'static str) {
    writer.poke(move |connection| connection.execute_batch(sql)).blocking_recv().unwrap().unwrap();
}

fn disk_error() -> Error {
    Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_IOERR | (4 << 8)), None)
}

fn captures(path: &Path) -> u64 {
    let reader = Reader::open(path).unwrap();
    let counted = reader.counters().unwrap().captures;
    assert_eq!(reader.page(Start::Newest, usize::MAX, None).unwrap().len() as u64, counted);
    counted
}

#[test]
fn the_log_stays_short_however_much_comes() {
    let place = place();
    let writer = open(&place.path);
    let (page, most) = (16_384, 250 + 30);
    for n in 0..120 {
        writer.capture(capture(&n.to_string(), 20 * page)).unwrap().blocking_recv().unwrap().unwrap();
    }
    let log = fs::metadata(place.path.with_extension("db-wal")).unwrap().len();
    assert!((page as u64..(most * page) as u64).contains(&log), "{log} bytes, of 40 MB that came");
    writer.close().unwrap();
}

#[test]
fn nobody_is_answered_while_the_transaction_is_open() {
    let place = place();
    let writer = open(&place.path);
    let release = hold(&writer);
    let pending: Arc<Mutex<Pending<Stored>>> = Arc::new(Mutex::new(writer.capture(capture("a", 10)).unwrap()));
    let same = Arc::clone(&pending);
    let path = place.path.clone();
    let looked = writer.poke(move |connection| {
        assert_eq!(connection.query_row("SELECT count(*) FROM summary", (), |row| row.get(0)), Ok(1), "it is written");
        assert_eq!(same.lock().unwrap().try_recv(), Err(TryRecvError::Empty), "and not yet answered");
        assert_eq!(captures(&path), 0, "and nobody else sees it");
        Ok(())
    });
    release.send(()).unwrap();
    looked.blocking_recv().unwrap().unwrap();
    let pending = Arc::into_inner(pending).unwrap().into_inner().unwrap();
    assert_eq!(pending.blocking_recv().unwrap().unwrap().id, CaptureId(1));
    assert_eq!(captures(&place.path), 1);
}

#[test]
fn on_a_full_disk_everybody_of_the_batch_is_told_and_it_goes_on_when_there_is_space() {
    let place = place();
    let writer = open(&place.path);
    store(&writer, "before").unwrap();
    poke(&writer, "PRAGMA max_page_count = 1");
    let release = hold(&writer);
    let pending: Vec<_> = (0..20).map(|n| writer.capture(capture(&format!("e{n}"), 200_000)).unwrap()).collect();
    writer.refuse(refusal()).unwrap();
    release.send(()).unwrap();
    for pending in pending {
        let failure = pending.blocking_recv().unwrap().unwrap_err();
        assert!(failure.why.contains("the disk is full"), "{failure}");
    }
    assert_eq!(captures(&place.path), 1, "nothing is half written");
    poke(&writer, "PRAGMA max_page_count = 1000000");
    let next = store(&writer, "e0").unwrap();
    assert_eq!(next, Stored { id: CaptureId(2), duplicate_of: None, errand: None }, "the lost ones left no trace");
    writer.close().unwrap();
    assert_eq!(captures(&place.path), 2);
    assert_eq!(Reader::open(&place.path).unwrap().counters().unwrap().refused, 1, "the lost refusal is counted");
}

#[test]
fn after_an_error_of_the_disk_the_file_is_opened_again() {
    let place = place();
    let writer = open(&place.path);
    store(&writer, "before").unwrap();
    poke(&writer, "PRAGMA cache_size = -77");
    let release = hold(&writer);
    let lost = writer.capture(capture("lost", 10)).unwrap();
    let broken = writer.poke(|_| Err(disk_error()));
    release.send(()).unwrap();
    assert!(lost.blocking_recv().unwrap().unwrap_err().why.contains("the disk reported an error"));
    broken.blocking_recv().unwrap().unwrap_err();
    let connection_is_new = writer.poke(|connection| {
        assert_ne!(connection.pragma_query_value(None, "cache_size", |row| row.get(0)), Ok(-77));
        Ok(())
    });
    connection_is_new.blocking_recv().unwrap().unwrap();
    assert_eq!(store(&writer, "lost").unwrap(), Stored { id: CaptureId(2), duplicate_of: None, errand: None });
    assert_eq!(store(&writer, "before").unwrap().duplicate_of, Some(CaptureId(1)), "what was seen is known again");
}

#[test]
fn after_an_error_of_the_disk_a_damaged_file_acknowledges_nothing() {
    let place = place();
    let writer = open(&place.path);
    for n in 0..200 {
        store(&writer, &format!("e{n}")).unwrap();
    }
    writer.close().unwrap();
    let whole = fs::read(&place.path).unwrap();
    let writer = open(&place.path);
    let mut damaged = whole.clone();
    damaged[2 * 16_384..].fill(0xff);
    fs::write(&place.path, damaged).unwrap();
    writer.poke(|_| Err(disk_error())).blocking_recv().unwrap().unwrap_err();
    for _ in 0..2 {
        let failure = store(&writer, "new").unwrap_err();
        assert!(failure.why.contains("damaged"), "{failure}");
    }
    fs::write(&place.path, whole).unwrap();
    assert_eq!(store(&writer, "new").unwrap().id, CaptureId(201), "it goes on without a restart");
}

#[test]
fn one_poisoned_job_does_not_take_the_others_with_it() {
    let place = place();
    let bell = Bell::new();
    let rings = Arc::new(Mutex::new(0));
    let heard = Arc::clone(&rings);
    bell.on_ring(move || *heard.lock().unwrap() += 1);
    let (writer, _) = Writer::open(&place.path, Role::Capturing, bell).unwrap();
    let small_rows = writer.poke(|connection| connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, 100_000).map(drop));
    small_rows.blocking_recv().unwrap().unwrap();
    let release = hold(&writer);
    let pending: Vec<_> =
        [10, 150_000, 10].into_iter().map(|size| writer.capture(capture("same", size)).unwrap()).collect();
    release.send(()).unwrap();
    let results: Vec<_> = pending.into_iter().map(|pending| pending.blocking_recv().unwrap()).collect();
    assert_eq!(results[0], Ok(Stored { id: CaptureId(1), duplicate_of: None, errand: None }));
    assert!(results[1].as_ref().is_err_and(|failure| failure.why.contains("larger than SQLite can hold")));
    assert_eq!(results[2], Ok(Stored { id: CaptureId(2), duplicate_of: Some(CaptureId(1)), errand: None }));
    writer.close().unwrap();
    assert_eq!(*rings.lock().unwrap(), 3, "once a batch");
}

#[test]
fn a_body_too_large_for_memory_is_read_whole_and_left_when_nobody_waits_for_it() {
    let place = place();
    let writer = open(&place.path);
    let kept = capture("large", READ_INTO_MEMORY + 1);
    let id = writer.capture(kept.clone()).unwrap().blocking_recv().unwrap().unwrap().id;
    let reader = Reader::open(&place.path).unwrap();
    let begun = reader.capture(id, Bodies::First(10)).unwrap().unwrap();
    assert_eq!(reader.body(&begun, &|| false).unwrap(), None);
    for read in [reader.capture(id, Bodies::Read), reader.body(&begun, &|| true)] {
        let read = read.unwrap().unwrap();
        drop(looking());
        assert!(read.body == kept.body);
    }
}

#[test]
fn in_a_poisoned_batch_a_broken_disk_is_met_once() {
    let place = place();
    let writer = open(&place.path);
    let release = hold(&writer);
    let tries = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&tries);
    let poison = writer.poke(|_| Err(Error::QueryReturnedNoRows));
    let broken = writer.poke(|_| Err(disk_error()));
    let rest = writer.poke(move |_| {
        *counted.lock().unwrap() += 1;
        Ok(())
    });
    release.send(()).unwrap();
    poison.blocking_recv().unwrap().unwrap_err();
    assert!(broken.blocking_recv().unwrap().unwrap_err().why.contains("disk"));
    assert!(rest.blocking_recv().unwrap().unwrap_err().why.contains("disk"));
    assert_eq!(*tries.lock().unwrap(), 0);
    store(&writer, "after").unwrap();
}

#[test]
fn a_full_queue_says_so_and_loses_nothing_it_took() {
    let place = place();
    let writer = open(&place.path);
    let release = hold(&writer);
    let pending: Vec<_> = (1..QUEUE_JOBS).map(|_| writer.capture(capture("a", 10)).unwrap()).collect();
    assert_eq!(writer.capture(capture("a", 10)).map(drop), Err(Full));
    assert_eq!(writer.refuse(refusal()), Err(Full));
    release.send(()).unwrap();
    let ids: Vec<_> = pending.into_iter().map(|pending| pending.blocking_recv().unwrap().unwrap().id.0).collect();
    assert_eq!(ids, (1..QUEUE_JOBS as i64).collect::<Vec<_>>(), "in the order they came");
    writer.close().unwrap();
    let counters = Reader::open(&place.path).unwrap().counters().unwrap();
    assert_eq!((counters.captures, counters.refused), (QUEUE_JOBS as u64 - 1, 1));
}

#[test]
fn a_refusal_that_found_the_queue_full_is_counted_with_the_next_batch() {
    let place = place();
    let writer = open(&place.path);
    let release = hold(&writer);
    let mut taken = 0;
    while writer.refuse(refusal()).is_ok() {
        taken += 1;
    }
    release.send(()).unwrap();
    writer.close().unwrap();
    let reader = Reader::open(&place.path).unwrap();
    assert_eq!(reader.counters().unwrap().refused, taken + 1);
    assert_eq!(reader.refusals(usize::MAX).unwrap().len() as u64, taken);
}

#[test]
fn when_the_thread_dies_nobody_waits_for_it() {
    let place = place();
    let writer = open(&place.path);
    let release = hold(&writer);
    let dying = writer.poke(|_| panic!("on purpose"));
    let waiting = writer.capture(capture("a", 10)).unwrap();
    release.send(()).unwrap();
    dying.blocking_recv().unwrap_err();
    waiting.blocking_recv().unwrap_err();
    assert!(writer.clone().close().unwrap_err().why.contains("died"));
    assert_eq!(writer.capture(capture("a", 10)).map(drop), Err(Full));
    assert_eq!(holder(&place.path), None, "the next process may have the store");
    store(&open(&place.path), "next").unwrap();
}

#[test]
fn a_store_that_is_moved_away_is_not_written_to_any_more() {
    let place = place();
    let writer = open(&place.path);
    store(&writer, "a").unwrap();
    let away = place.path.with_extension("away");
    fs::rename(&place.path, &away).unwrap();
    assert!(store(&writer, "b").unwrap_err().why.contains("was moved or deleted"));
    fs::write(&place.path, "another file").unwrap();
    assert!(store(&writer, "b").unwrap_err().why.contains("was moved or deleted"));
    fs::rename(&away, &place.path).unwrap();
    assert_eq!(store(&writer, "b").unwrap().id, CaptureId(2));
}

#[test]
fn the_oldest_refusals_go_when_there_are_too_many_or_too_large_ones() {
    let place = place();
    let writer = open(&place.path);
    for n in 0..1_200 {
        writer.refuse(Refusal { head: vec![0; 64 * 1024], ..refusal() }).unwrap();
        if n % 500 == 0 {
            // Its answer says that there is room in the queue again.
            store(&writer, "a").unwrap();
        }
    }
    writer.close().unwrap();
    let reader = Reader::open(&place.path).unwrap();
    let kept = reader.refusals(usize::MAX).unwrap().len();
    assert!((1_024..=1_024 + 256).contains(&kept), "64 MiB of them, {kept}");
    drop(reader);
    let writer = open(&place.path);
    poke(
        &writer,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
         INSERT INTO refusal (at, peer, reason, head) SELECT i, '', '', x'' FROM n",
    );
    writer.refuse(Refusal { reason: "the last".into(), ..refusal() }).unwrap();
    writer.close().unwrap();
    let refusals = Reader::open(&place.path).unwrap().refusals(usize::MAX).unwrap();
    assert_eq!(refusals.len(), 10_000);
    assert_eq!(refusals[0].reason, "the last");
}

#[test]
fn a_time_is_counted_from_its_first_capture_on() {
    let place = place();
    let writer = open(&place.path);
    for second in 0..500_i64 {
        let mut one = capture(&format!("e{second}"), second as usize);
        one.received_at = Timestamp::from_unix_ms(second * 1_000);
        one.endpoint = if second % 2 == 0 { "even" } else { "odd" }.to_owned();
        drop(writer.capture(one).unwrap());
    }
    store(&writer, "an import of an old one").unwrap();
    let reader = Reader::open(&place.path).unwrap();
    let at = |second: i64| Timestamp::from_unix_ms(second * 1_000);
    let stats = reader.stats(at(400), at(460)).unwrap();
    assert_eq!((stats.all.iter().sum::<u64>(), stats.bytes), (60, (400..460).sum::<u64>()));
    assert!(stats.pieces.iter().all(|piece| piece.iter().sum::<u64>() == 1), "{:?}", stats.pieces);
    assert_eq!(stats.endpoints.iter().map(|(name, _)| &name[..]).collect::<Vec<_>>(), ["even", "odd"]);
    assert_eq!((stats.sizes.iter().sum::<u64>(), stats.took), (60, None));
    let (newest, beats) = reader.beats(CaptureId(0), at(490)).unwrap();
    assert_eq!((newest, beats.len()), (CaptureId(501), 10));
    assert_eq!(reader.beats(newest, at(490)).unwrap(), (newest, Vec::new()), "each is counted once");
}
