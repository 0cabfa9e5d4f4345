//! Searches with the index and without: no query misses a capture, whatever is inserted, deleted or marked meanwhile.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod store_support;

use creel::{
    query::{Content, Filter},
    record::{Capture, CaptureId, Head, Summary, Timestamp},
    store::{Bell, Bodies, Indexer, Reader, Role, Slice, Start, Writer},
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use store_support::{Place, body, capture, place};

fn now() -> Timestamp {
    Timestamp::from_unix_ms(1_795_424_800_000)
}

/// A small world of words, so that some stand in many captures, some in few and some in none.
fn written(n: u64) -> Capture {
    let fish = ["trout", "Pike", "perch", "zander", "caf\u{e9}"][n as usize % 5];
    let rare = if n.is_multiple_of(997) { "sturgeon" } else { "gudgeon" };
    let head = format!("POST /shop?fish={fish}&n={n} HTTP/1.1\r\nHost: h\r\nX-Event: {rare}-{:x}\r\n\r\n", n / 700);
    let text = match n % 4 {
        0 => format!(
            r#"{{"fish":"{fish}","n":{n},"id":"evt_{:08x}","rare":"{rare}"}}"#,
            n * 2_654_435_761 % 4_294_967_296
        ),
        1 => format!(r#"{{"fish":"\u00{:02x}{}","rare":"a\/{rare}","n":{n}.0}}"#, fish.as_bytes()[0], &fish[1..]),
        2 => format!("fish=%{:02X}{}&n={n}&rare={rare}+x", fish.as_bytes()[0], &fish[1..]),
        _ => format!("{fish} {rare} {n}"),
    };
    Capture { head: Head::parse(head.into()), body: body(text), ..capture(n) }
}

fn put(writer: &Writer, from: u64, count: u64) {
    // No more at once than the writer may have before it, however slow it is.
    for part in (from..from + count).collect::<Vec<_>>().chunks(1_000) {
        let pending: Vec<_> = part.iter().map(|n| writer.capture(written(*n)).unwrap()).collect();
        for pending in pending {
            pending.blocking_recv().unwrap().unwrap();
        }
    }
}

fn forget(writer: &Writer, filter: &str) {
    let sql = Filter::parse(filter).unwrap().sql(now());
    while writer.forget(sql.clone()).unwrap().blocking_recv().unwrap().unwrap() > 0 {}
}

fn ids(rows: &[Summary]) -> Vec<i64> {
    rows.iter().map(|row| row.id.0).collect()
}

/// All that there is, newest first.
fn everything(reader: &Reader) -> Vec<(Summary, Capture)> {
    let rows = reader.page(Start::Newest, usize::MAX, None).unwrap();
    rows.into_iter()
        .map(|row| {
            let capture = reader.capture(row.id, Bodies::Read).unwrap().unwrap();
            (row, capture)
        })
        .collect()
}

/// What a filter takes, one capture after the other, by the predicate alone.
fn scanned(all: &[(Summary, Capture)], filter: &Filter) -> Vec<i64> {
    let takes = |(row, capture): &&(Summary, Capture)| {
        filter.matches(row, &Content { head: capture.head.raw(), body: &capture.body.bytes }, now())
    };
    all.iter().filter(takes).map(|(row, _)| row.id.0).collect()
}

/// The same by searches, newest first and oldest first, in slices of every size.
fn searched(reader: &Reader, filter: &Filter, steps: u32) -> [Vec<i64>; 2] {
    [Start::Newest, Start::After(CaptureId(0))].map(|start| {
        let (mut all, mut next) = (Vec::new(), Some(start));
        while let Some(start) = next {
            let mut left = steps;
            let enough = || {
                left = left.saturating_sub(1);
                left == 0
            };
            let Slice { rows, rest, .. } = reader.search(start, 40, &filter.sql(now()), enough).unwrap();
            if matches!(start, Start::After(_)) {
                drop(all.splice(..0, ids(&rows)));
            } else {
                all.extend(ids(&rows));
            }
            next = rest;
        }
        all
    })
}

/// Whether the searches say the same as the predicate; how many captures each filter takes.
fn agree<'a>(reader: &Reader, filters: impl IntoIterator<Item = &'a str>, steps: u32) -> Vec<usize> {
    let all = everything(reader);
    let agree = |text: &str| {
        let filter = Filter::parse(text).unwrap();
        let expected = scanned(&all, &filter);
        assert_eq!(searched(reader, &filter, steps), [expected.clone(), expected.clone()], "{text}");
        assert_eq!(ids(&reader.page(Start::Newest, usize::MAX, Some(&filter.sql(now()))).unwrap()), expected, "{text}");
        expected.len()
    };
    filters.into_iter().map(agree).collect()
}

fn texts() -> impl Iterator<Item = &'static str> {
    FILTERS.iter().map(|row| row.0)
}

/// How many sheets there are.
fn sheets(place: &Place) -> i64 {
    let store = rusqlite::Connection::open(&place.path).unwrap();
    store.query_row("SELECT count(*) FROM gram_sheet", (), |row| row.get(0)).unwrap()
}

const FILTERS: &[(&str, bool)] = &[
    ("trout", true),
    ("STURGEON", true),
    ("sturgeon-5", true),
    ("salmon", false),
    ("evt_00000000", false),
    ("evt_9e3779b1", false),
    ("pik", true),
    ("caf\u{e9}", true),
    ("body.fish=trout", true),
    ("body.fish:erc", true),
    ("body.rare:\"/sturgeon\"", true),
    ("body.n=96", true),
    ("body.n>4000", true),
    ("body.n<-1", false),
    ("body.n<=2", true),
    ("body.n>=1199.5 body.n<1201", true),
    ("not body.n<5000", true),
    ("header.x-event~^stur", true),
    ("query.fish=pike", true),
    ("sturgeon or salmon", true),
    ("sturgeon trout", true),
    ("not gudgeon", true),
    ("sturgeon not trout", true),
    ("path:/shop id:100..120", true),
    ("event:push", false),
    ("body~\"sturg.on [0-9]+$\"", true),
];

#[test]
fn searches_say_the_same_with_the_index_and_without() {
    let place = place();
    let writer = place.capturing();
    put(&writer, 1, 5_400);
    let reader = Reader::open(&place.path).unwrap();
    let taken = agree(&reader, texts(), 1_000);
    for ((text, some), count) in FILTERS.iter().zip(&taken) {
        assert_eq!(*count > 0, *some, "{text}");
    }
    Indexer::catch_up(&place.path, &writer).unwrap();
    assert_eq!(sheets(&place), 3, "one large, two small");
    assert_eq!(agree(&reader, texts(), 7), taken, "with an index as without");
    forget(&writer, "trout or id:1200..1900");
    agree(&reader, texts(), 20);
    forget(&writer, "id:..4200");
    Indexer::catch_up(&place.path, &writer).unwrap();
    assert_eq!(sheets(&place), 2, "of what is gone there is no sheet");
    agree(&reader, texts(), 1);
    writer.close().unwrap();
}

#[test]
fn of_what_is_gone_behind_one_that_stays_there_is_no_sheet_either() {
    let place = place();
    let writer = place.capturing();
    put(&writer, 1, 9_000);
    Indexer::catch_up(&place.path, &writer).unwrap();
    assert_eq!(sheets(&place), 3, "two large, one small");
    forget(&writer, "id:2..8800");
    for _ in 0..2 {
        Indexer::catch_up(&place.path, &writer).unwrap();
        assert_eq!(sheets(&place), 1, "the first one's, and none is made of nothing");
    }
    let reader = Reader::open(&place.path).unwrap();
    agree(&reader, texts(), 20);
    writer.close().unwrap();
}

#[test]
fn an_index_passes_over_what_cannot_be_meant() {
    let place = place();
    let writer = place.capturing();
    put(&writer, 1, 4_200);
    let reader = Reader::open(&place.path).unwrap();
    let steps = |text: &str| {
        let mut steps = 0;
        let sql = Filter::parse(text).unwrap().sql(now());
        let slice = reader.search(Start::Newest, 50, &sql, || {
            steps += 1;
            false
        });
        assert_eq!(slice.unwrap().rest, None);
        steps
    };
    assert!(steps("salmon") > 60, "every block is looked through");
    Indexer::catch_up(&place.path, &writer).unwrap();
    assert!(steps("salmon") < 10, "{}", steps("salmon"));
    assert!(steps("body.fish=salmon") < 10);
    assert!(steps("body.n<-1") < 10 && steps("body.n>5000000") < 10);
    assert!(steps("sturgeon-5") < 20, "{}", steps("sturgeon-5"));
    writer.close().unwrap();
}

#[test]
fn a_search_that_is_cut_off_goes_on_where_it_was() {
    let place = place();
    let writer = place.capturing();
    put(&writer, 1, 600);
    let reader = Reader::open(&place.path).unwrap();
    let sql = Filter::parse("body~salmon").unwrap().sql(now());
    let slice = reader.search(Start::Newest, 50, &sql, || true).unwrap();
    assert_eq!((slice.rows.len(), slice.rest), (0, Some(Start::Before(CaptureId(576)))));
    assert_eq!(slice.percent, 4);
    let slice = reader.search(slice.rest.unwrap(), 50, &sql, || false).unwrap();
    assert_eq!((slice.rest, slice.percent), (None, 100));
    let empty = store_support::place();
    empty.capturing().close().unwrap();
    let slice = Reader::open(&empty.path).unwrap().search(Start::Newest, 50, &sql, || false).unwrap();
    assert_eq!(slice, Slice::default());
    writer.close().unwrap();
}

#[test]
fn the_index_is_made_beside_the_capturing() {
    let place = place();
    let bell = Bell::new();
    let (writer, _) = Writer::open(&place.path, Role::Capturing, bell.clone()).unwrap();
    put(&writer, 1, 300);
    let (rung, rings) = std::sync::mpsc::channel();
    bell.on_ring(move || {
        let _ = rung.send(());
    });
    let indexer = Indexer::start(&place.path, &writer, &bell).unwrap();
    put(&writer, 301, 900);
    let reader = Reader::open(&place.path).unwrap();
    let before = reader.data_version().unwrap();
    while sheets(&place) < 2 {
        std::thread::yield_now();
    }
    assert!(reader.data_version().unwrap() >= before);
    drop(indexer);
    let rings = rings.try_iter().count();
    assert!(rings <= 900, "the index rings no bell: {rings}");
    agree(&reader, ["sturgeon"], 100);
    writer.close().unwrap();
}

#[test]
fn a_large_body_is_found_though_it_is_not_marked() {
    let place = place();
    let writer = place.capturing();
    put(&writer, 1, 100);
    let large = [b"x".repeat(5 << 20), b" salmon".to_vec()].concat();
    store_support::store(&writer, Capture { body: body(large), ..capture(7) }).unwrap();
    put(&writer, 102, 1_000);
    Indexer::catch_up(&place.path, &writer).unwrap();
    let reader = Reader::open(&place.path).unwrap();
    assert_eq!(agree(&reader, ["salmon", "body~salmon"], 100), [1, 1]);
    writer.close().unwrap();
}

#[test]
fn damaged_marks_are_not_believed() {
    let place = place();
    let writer = place.capturing();
    put(&writer, 1, 1_100);
    Indexer::catch_up(&place.path, &writer).unwrap();
    writer.close().unwrap();
    let store = rusqlite::Connection::open(&place.path).unwrap();
    for damage in [
        "DELETE FROM gram_part WHERE id % 2 = 1",
        "UPDATE gram_part SET bits = x'00' WHERE id = 2048",
        "UPDATE gram_sheet SET width = 63 WHERE id = 0",
        "UPDATE gram_sheet SET version = 0",
    ] {
        store.execute_batch(damage).unwrap();
        let reader = Reader::open(&place.path).unwrap();
        assert_eq!(agree(&reader, ["sturgeon"], 100), [1], "{damage}");
    }
    let writer = place.capturing();
    Indexer::catch_up(&place.path, &writer).unwrap();
    let marked = "SELECT count(*) FROM gram_sheet WHERE version > 0 AND width = 16";
    assert_eq!(store.query_row(marked, (), |row| row.get::<_, i64>(0)).unwrap(), 2, "they are made anew");
    writer.close().unwrap();
}

/// What happens to a store.
#[derive(Clone, Debug)]
enum Step {
    Put(u64),
    Forget(i64, i64),
    ForgetWord(usize),
    Mark,
    /// The marking is cut off after so many of its writes.
    Break(usize),
    Search(usize, u32),
}

#[test]
fn nothing_is_missed_whatever_happens() {
    let step = prop_oneof![
        3 => (1_u64..1_500).prop_map(Step::Put),
        2 => (0_i64..6_000, 1_i64..2_500).prop_map(|(from, count)| Step::Forget(from, from + count)),
        1 => (0_usize..4).prop_map(Step::ForgetWord),
        2 => Just(Step::Mark),
        1 => (0_usize..3).prop_map(Step::Break),
        4 => (0..FILTERS.len(), 1_u32..50).prop_map(|(filter, steps)| Step::Search(filter, steps)),
    ];
    let soak = std::env::var_os("CREEL_SOAK").is_some();
    let mut runner =
        TestRunner::new(Config { cases: if soak { 200 } else { 5 }, failure_persistence: None, ..Config::default() });
    let happens = |steps: Vec<Step>| {
        let place = place();
        let mut writer = place.capturing();
        let mut next = 1;
        for step in steps {
            match step {
                Step::Put(count) => {
                    put(&writer, next, count);
                    next += count;
                }
                Step::Forget(from, to) => forget(&writer, &format!("id:{from}..{to}")),
                Step::ForgetWord(at) => forget(&writer, ["pike", "evt_1", "\"n=5\"", "sturgeon-2"][at]),
                Step::Mark => Indexer::catch_up(&place.path, &writer).unwrap(),
                Step::Break(parts) => {
                    // As after a crash: parts are there, and their sheet's row is not.
                    Indexer::catch_up(&place.path, &writer).unwrap();
                    writer.close().unwrap();
                    let store = rusqlite::Connection::open(&place.path).unwrap();
                    let last =
                        "DELETE FROM gram_sheet WHERE id IN (SELECT id FROM gram_sheet ORDER BY id DESC LIMIT ?)";
                    store.execute(last, [parts as i64]).unwrap();
                    writer = place.capturing();
                }
                Step::Search(at, steps) => drop(agree(&Reader::open(&place.path).unwrap(), [FILTERS[at].0], steps)),
            }
        }
        let reader = Reader::open(&place.path).unwrap();
        agree(&reader, texts().take(4), 9);
        writer.close().unwrap();
        Ok(())
    };
    runner.run(&prop::collection::vec(step, 3..9), happens).unwrap();
}
