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
    Bell, Bodies, Full, Pending, Posted, Posting, QUEUE_JOBS, Reader, Role, Start, Stored, Writer, file, holder,
    large::READ_INTO_MEMORY,
    looking,
    schema::{MIGRATIONS, migrate},
};
use crate::query::Filter;
use crate::record::{BatchId, Body, Capture, CaptureId, ErrandId, Event, Failure, Head, Post, Refusal, Timestamp, Uid};

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
fn a_run_of_captures_is_read_as_each_alone_and_ends_before_what_is_not_like_the_others() {
    let place = place();
    let writer = open(&place.path);
    let sizes = [10, 0, 3, 4, file::PAGE_BYTES, 2 * super::CHUNK_BYTES, 7, 8, 9];
    for (n, size) in sizes.into_iter().enumerate() {
        writer.capture(capture(&n.to_string(), size)).unwrap().blocking_recv().unwrap().unwrap();
    }
    poke(&writer, "DELETE FROM content WHERE id = 3; DELETE FROM summary WHERE id = 3");
    poke(&writer, "UPDATE content SET body = x'00' WHERE id = 9");
    let reader = Reader::open(&place.path).unwrap();
    let run = |first, count, most| {
        let mut found = Vec::new();
        let each = &mut |capture| {
            found.push(capture);
            found.len() < most
        };
        reader.run(CaptureId(first), count, each).unwrap();
        for capture in &found {
            assert_eq!(Some(capture), reader.capture(capture.id, Bodies::Read).unwrap().as_ref());
        }
        found.iter().map(|capture| capture.id.0).collect::<Vec<_>>()
    };
    assert_eq!(run(1, 9, 9), [1, 2], "3 was deleted");
    assert!(run(3, 1, 9).is_empty(), "what is not there is not the next one");
    assert_eq!(run(4, 9, 9), [4, 5], "6 is in pieces");
    assert_eq!(run(7, 9, 9), [7, 8], "9 is damaged");
    assert_eq!((run(7, 1, 9), run(7, 9, 1)), (vec![7], vec![7]), "so many, or until it is enough");
    assert!(run(10, 9, 9).is_empty());
}

#[test]
fn the_log_stays_short_however_much_comes() {
    let place = place();
    let writer = open(&place.path);
    // Two thousand pages, and what comes while the second hand is at work.
    let (page, most) = (file::PAGE_BYTES, 2_000 + 600);
    for n in 0..120 {
        writer.capture(capture(&n.to_string(), 40 * page)).unwrap().blocking_recv().unwrap().unwrap();
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
    damaged[4 * file::PAGE_BYTES..].fill(0xff);
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
    assert_eq!(writer.capture(capture("a", 10)).map(drop), Err(Full::Now));
    assert_eq!(writer.refuse(refusal()), Err(Full::Now));
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
    let refused = writer.capture(capture("a", 10)).map(drop).unwrap_err();
    assert!(refused.to_string().contains("has failed"), "it is not full: {refused}");
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

/// A store as it was when each capture of a batch had a row of its own, with captures 1 to 9.
fn older_store(path: &Path) {
    let mut store = rusqlite::Connection::open(path).unwrap();
    let before = MIGRATIONS.iter().position(|step| step.sql.contains("DROP INDEX errand_of")).unwrap();
    migrate(&mut store, &MIGRATIONS[..before]).unwrap();
    store
        .execute_batch(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9)
             INSERT INTO summary (id, uid, received_at, endpoint, peer, method, path, verdict, flags, size, truncated,
                reply, deliveries, post) SELECT i, zeroblob(16), 0, '', '', '', '', 0, 0, 0, 0, 200, 0,
                CASE i WHEN 1 THEN 1 WHEN 2 THEN 2 END FROM n;
             INSERT INTO content (id, sha256, chunks, head) SELECT id, zeroblob(32), 0, x'' FROM summary;
             -- Capture 1 waits in its second lane and is done in the first one; 2 waits in one, and is given up in another.
             INSERT INTO errand (id, capture, lane, tries, due_at, dead) VALUES
                (2, 1, 'b', 0, 0, 0), (3, 2, 'a', 0, 0, 0), (4, 2, 'b', 3, 0, 1);
             -- Batch 1 is at its end. Of batch 2, with errands 5 to 14, and of batch 3, with 15 to 17, some are left.
             INSERT INTO batch (id, at, total, spec) VALUES (1, 1, 4, '{}'), (2, 2, 10, '{\"a\":1}'), (3, 3, 3, '{}');
             INSERT INTO errand (id, capture, lane, batch, tries, due_at, dead) VALUES (7, 9, '', 2, 0, 0, 0),
                (8, 8, '', 2, 0, 0, 1), (10, 7, '', 2, 0, 0, 0), (12, 7, '', 2, 0, 0, 0), (13, 3, '', 2, 0, 0, 0),
                (17, 1, '', 3, 0, 0, 0);
             UPDATE counter SET next_id = 10, captures = 9, waiting = 2, dead = 1, next_errand = 18;",
        )
        .unwrap();
}

#[test]
fn what_an_older_store_still_had_to_send_is_sent_by_this_one() {
    let place = place();
    older_store(&place.path);
    let writer = open(&place.path);
    let post = |posting| writer.post(posting).unwrap().blocking_recv().unwrap().unwrap();
    let drop_errands = |ids: &[i64]| post(Posting::Drop(ids.iter().copied().map(ErrandId).collect()));
    let reader = Reader::open(&place.path).unwrap();
    let counts = || reader.counters().map(|counters| (counters.waiting, counters.dead)).unwrap();
    let stands = |id| reader.summary(CaptureId(id)).unwrap().unwrap().post;
    let left_of = |id| {
        let left = reader.left_of(BatchId(id)).unwrap();
        left.into_iter().map(|(capture, errand)| (capture.0, errand.0)).collect::<Vec<_>>()
    };
    let batches = || {
        let batches = reader.batches().unwrap().into_iter();
        batches.map(|batch| (batch.id.0, batch.at.unix_ms(), batch.total, batch.left, batch.spec)).collect::<Vec<_>>()
    };
    assert_eq!(batches(), [(3, 3, 3, 1, "{}".to_owned()), (2, 2, 10, 5, "{\"a\":1}".to_owned())]);
    assert_eq!(left_of(2), [(9, 7), (8, 8), (7, 10), (7, 12), (3, 13)]);
    assert_eq!((left_of(1), left_of(3)), (vec![], vec![(1, 17)]));
    let ids = |errands: Vec<crate::record::Errand>| errands.iter().map(|errand| errand.id.0).collect::<Vec<_>>();
    assert_eq!((ids(reader.waiting().unwrap()), ids(reader.dead(None).unwrap())), (vec![2, 3], vec![4]));
    assert_eq!((counts(), stands(1), stands(2)), ((2, 1), Some(Post::Waiting), Some(Post::Dead)));

    assert_eq!(drop_errands(&[2, 4, 6, 7, 8, 11, 13, 14]), Posted::Changed(5));
    assert_eq!((counts(), stands(1), stands(2)), ((1, 0), None, Some(Post::Waiting)));
    assert_eq!(left_of(2), [(7, 10), (7, 12)]);
    assert_eq!(drop_errands(&[17, 17]), Posted::Changed(1));
    let forgotten = writer.forget(Filter::parse("id<8").unwrap().sql(Timestamp::from_unix_ms(0))).unwrap();
    assert_eq!(forgotten.blocking_recv().unwrap().unwrap(), 7);
    assert_eq!((batches(), counts()), (vec![], (0, 0)));
    // The next one takes away what is left of what was deleted, and has a number that none had.
    let begin = || Posting::Batch { at: Timestamp::from_unix_ms(9), spec: String::new(), captures: vec![CaptureId(9)] };
    assert_eq!(post(begin()), Posted::Batch(BatchId(4), ErrandId(18)));
    assert_eq!(post(begin()), Posted::Batch(BatchId(5), ErrandId(19)));
    assert_eq!(drop_errands(&[18, 19]), Posted::Changed(2));
    let empty = writer.poke(|connection| {
        let rows =
            "SELECT (SELECT count(*) FROM batch) + (SELECT count(*) FROM batch_list) + (SELECT count(*) FROM errand)";
        assert_eq!(connection.query_row(rows, (), |row| row.get(0)), Ok(0));
        Ok(())
    });
    empty.blocking_recv().unwrap().unwrap();
}

#[test]
fn a_batch_of_many_is_struck_out_in_any_order_and_written_once_a_transaction() {
    let place = place();
    let writer = open(&place.path);
    let captures: Vec<CaptureId> = (0..4_500).map(|_| CaptureId(1)).collect();
    let id = store(&writer, "a").unwrap().id;
    assert_eq!(id, CaptureId(1));
    let begun = writer.post(Posting::Batch { at: Timestamp::from_unix_ms(1), spec: String::new(), captures }).unwrap();
    assert_eq!(begun.blocking_recv().unwrap(), Ok(Posted::Batch(BatchId(1), ErrandId(1))));
    let reader = Reader::open(&place.path).unwrap();
    let order: Vec<i64> = (0..4_500).map(|n| n * 1_009 % 4_500 + 1).collect();
    for (some, done) in order.chunks(500).zip(1_u64..) {
        let release = hold(&writer);
        let changes = writer.poke(|connection| {
            connection.execute_batch("CREATE TEMP TABLE IF NOT EXISTS told (at)")?;
            connection.execute_batch(
                "CREATE TEMP TRIGGER IF NOT EXISTS tell AFTER UPDATE ON main.batch BEGIN INSERT INTO told VALUES (1); END",
            )
        });
        let pending: Vec<_> = some
            .chunks(5)
            .map(|five| writer.post(Posting::Drop(five.iter().copied().map(ErrandId).collect())).unwrap())
            .collect();
        release.send(()).unwrap();
        changes.blocking_recv().unwrap().unwrap();
        for pending in pending {
            assert_eq!(pending.blocking_recv().unwrap(), Ok(Posted::Changed(5)));
        }
        let left = reader.left_of(BatchId(1)).unwrap();
        assert_eq!(left.len() as u64, 4_500 - done * 500);
        assert!(left.is_sorted_by_key(|(_, errand)| *errand));
        assert!(left.iter().all(|(_, errand)| !order[..done as usize * 500].contains(&errand.0)));
    }
    let told = writer.poke(|connection| {
        // The last time it was deleted.
        assert_eq!(connection.query_row("SELECT count(*) FROM temp.told", (), |row| row.get(0)), Ok(8));
        Ok(())
    });
    told.blocking_recv().unwrap().unwrap();
    assert_eq!(reader.batches().unwrap(), []);
}
