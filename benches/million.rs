//! A store of a million captures: what it costs to open, to list, to page and to look at.
//!
//! `cargo bench --bench million`; `CREEL_BENCH_ROWS` (1,000,000) sets its size. The store is made through the real
//! writer, in a folder that goes with the bench.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench that cannot run ends")]

use std::{
    collections::VecDeque,
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use bytes::Bytes;
use creel::{
    query::Filter,
    record::{Body, Capture, CaptureId, Event, Flags, Head, Headers, Judgement, Timestamp, Uid, Verdict},
    store::{Bell, Bodies, Reader, Role, Start, Writer},
};

/// How many rows a screen asks for.
const PAGE: usize = 60;
/// How many pages are read for a median.
const PAGES: usize = 2_000;
/// Shapes of events: provider, type, path.
const EVENTS: [(&str, &str, &str); 4] = [
    ("github", "push", "/github"),
    ("stripe", "charge.succeeded", "/stripe"),
    ("shopify", "orders/create", "/shopify"),
    ("slack", "app_mention", "/slack/events"),
];

fn main() {
    let rows: usize = std::env::var("CREEL_BENCH_ROWS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("creel.db");
    let took = fill(&db, rows);
    let bytes = fs::metadata(&db).unwrap().len();
    println!(
        "{rows} captures in {:.1} s, {:.1} µs each; the store has {} MiB",
        took.as_secs_f64(),
        took.as_secs_f64() * 1e6 / rows as f64,
        bytes >> 20
    );

    let (reader, opened) = timed(|| Reader::open(&db).unwrap());
    let (_, counted) = timed(|| reader.counters().unwrap());
    let (first, listed) = timed(|| reader.page(Start::Newest, PAGE, None).unwrap());
    assert_eq!(first.len(), PAGE.min(rows));
    println!("open {opened:?}, counters {counted:?}, first page {listed:?}");

    let mut seed = 1_u64;
    let mut random = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        CaptureId((seed >> 33) as i64 % rows as i64 + 1)
    };
    let pages = |random: &mut dyn FnMut() -> CaptureId| {
        times(|| drop(reader.page(Start::Before(random()), PAGE, None).unwrap()))
    };
    pages(&mut random);
    println!("any page, warm: {}", pages(&mut random));
    println!("any capture with its body: {}", times(|| drop(reader.capture(random(), Bodies::Read).unwrap().unwrap())));
    let filter = Filter::parse("event:no-such-event").unwrap().sql(Timestamp::default());
    let (_, scanned) = timed(|| reader.page(Start::Newest, PAGE, Some(&filter)).unwrap());
    println!("a filter that takes nothing, over all rows: {scanned:?}");
    println!("resident with the pages read: {:.1} MiB", resident());

    let ls = (0..7).map(|_| timed(|| command(&db, &["ls"])).1).min().unwrap();
    println!("`creel ls`, the whole process, best of 7: {ls:?}");
    let (writer, reopened) = timed(|| Writer::open(&db, Role::Capturing, Bell::new()).unwrap());
    println!("opened for capturing again, event ids read: {reopened:?}, resident {:.1} MiB", resident());
    writer.0.close().unwrap();
}

fn fill(db: &Path, rows: usize) -> Duration {
    let (writer, settler) = Writer::open(db, Role::Capturing, Bell::new()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let began = Instant::now();
    runtime.block_on(async {
        tokio::spawn(settler.run());
        let mut pending = VecDeque::new();
        for n in 0..rows {
            pending.push_back(writer.capture(capture(n)).unwrap());
            if pending.len() >= 2_000 {
                pending.pop_front().unwrap().await.unwrap().unwrap();
            }
        }
        for waiting in pending {
            waiting.await.unwrap().unwrap();
        }
    });
    writer.close().unwrap();
    began.elapsed()
}

fn capture(n: usize) -> Capture {
    let (provider, kind, path) = EVENTS[n % EVENTS.len()];
    let id = format!("evt_{n:016x}");
    let words = "a payload repeats its own words in urls and names ".repeat(9 + n % 23);
    let body = Bytes::from(format!(r#"{{"id":"{id}","type":"{kind}","number":{n},"text":"{words}"}}"#));
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nUser-Agent: a sender's name and version\r\n\
         X-Delivery: {id}\r\nX-Event: {kind}\r\nX-Signature: sha256={n:064x}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let at = Timestamp::from_unix_ms(1_795_424_700_000 + n as i64);
    Capture {
        id: CaptureId::default(),
        uid: Uid::new(at, n as u128),
        received_at: at,
        endpoint: "default".to_owned(),
        peer: "127.0.0.1:50712".to_owned(),
        head: Head::parse(Bytes::from(head)),
        body: Body { size: body.len() as u64, bytes: body, sha256: [n as u8; 32], declared: None, truncated: false },
        trailers: Headers::default(),
        flags: Flags::default(),
        provider: Some(provider.to_owned()),
        event: Event { id: Some(id), kind: Some(kind.to_owned()), created_at: None },
        judgement: Judgement { verdict: Verdict::Passed, covers_body: Some(true), ..Judgement::default() },
        duplicate_of: None,
        repeat: None,
        late_ms: None,
        tags: creel::record::Tags::NONE,
        note: None,
        reply_status: 200,
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let began = Instant::now();
    (work(), began.elapsed())
}

/// Median, 99th percentile and worst of many runs.
fn times(mut work: impl FnMut()) -> String {
    let mut all: Vec<_> = (0..PAGES).map(|_| timed(&mut work).1).collect();
    all.sort_unstable();
    format!("median {:?}, p99 {:?}, worst {:?}", all[PAGES / 2], all[PAGES * 99 / 100], all[PAGES - 1])
}

fn command(db: &Path, args: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_creel"));
    assert!(command.args(args).env("CREEL_DB", db).stdout(Stdio::null()).status().unwrap().success());
}

/// Resident memory of this process (proc(5): `status`, `VmRSS`).
fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or(0.0) / 1024.0
}
