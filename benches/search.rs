//! A million captures searched: what the first fifty matches of a word cost, against `rg` over the same bodies as JSON lines.
//!
//! `cargo bench --bench search`; `CREEL_BENCH_ROWS` (1,000,000) sets its size. The store is made through the real writer and
//! marked by the real indexer, in a folder that goes with the bench.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench that cannot run ends")]

use std::{
    collections::VecDeque,
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use bytes::Bytes;
use creel::{
    query::Filter,
    record::{Body, Capture, CaptureId, Event, Flags, Head, Headers, Judgement, Tags, Timestamp, Uid, Verdict},
    store::{Bell, Indexer, Reader, Role, Start, Writer},
};

/// How many matches a screen asks for at first.
const FIRST: usize = 50;
/// How often each search is timed; the median is told.
const TIMES: usize = 9;
/// How long a screen's slice of a search lasts.
const SLICE: Duration = Duration::from_millis(30);
/// What a search may take of rg's time.
const GOAL: f64 = 0.1;
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
    let (db, lines) = (folder.path().join("creel.db"), folder.path().join("bodies.jsonl"));
    let writer = fill(&db, &lines, rows);
    let bodies = fs::metadata(&lines).unwrap().len();
    println!("{rows} captures, {} MiB of bodies, {} bytes each", bodies >> 20, bodies / rows as u64);

    let before = pages(&db);
    let ((), took) = timed(|| Indexer::catch_up(&db, &writer).unwrap());
    let index = (pages(&db) - before) as f64;
    println!(
        "index: {:.2} µs a capture, its writing and waiting for the disk included; {:.0} bytes a capture, {:.1} % of the bodies; resident {:.1} MiB",
        took.as_secs_f64() * 1e6 / rows as f64,
        index / rows as f64,
        index * 100.0 / bodies as f64,
        resident()
    );
    writer.close().unwrap();
    searches(&db, &lines, rows);
    println!("resident after the searches: {:.1} MiB, no file mapped", resident());
}

/// Words and ids, rare, common and missing; then what an index helps little.
fn searches(db: &Path, lines: &Path, rows: usize) {
    let reader = Reader::open(db).unwrap();
    let some = |n: usize| format!("evt_{:016x}", id(n));
    let needles = [
        ("common, 9 bytes", "succeeded".to_owned()),
        ("common, 4 bytes", "push".to_owned()),
        ("one in 1,000", "sturgeon".to_owned()),
        ("three in all", "coelacanth".to_owned()),
        ("three, 4 bytes", "zyxq".to_owned()),
        ("an id, the oldest", some(3)),
        ("an id, the newest", some(rows - 5)),
        ("12 hex of an id", some(rows / 2)[8..].to_owned()),
        ("8 hex of an id", some(rows / 3)[12..].to_owned()),
        ("missing, a word", "salamander".to_owned()),
        ("missing, 4 bytes", "qqzv".to_owned()),
        ("missing, an id", format!("evt_{:016x}", id(rows * 3))),
    ];
    let ripgrep =
        Command::new("rg").arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success());
    if !ripgrep {
        println!("rg is not installed: no ratio to it is told");
    }
    println!("{:<20} {:>6} {:>12} {:>12} {:>8}", "first 50 of", "found", "creel", "rg -c -F", "ratio");
    for (what, needle) in &needles {
        let (found, took) = search(&reader, needle);
        let rg = if ripgrep { Some(median(|| grep(needle, lines))) } else { None };
        let ratio = rg.map(|rg| took.as_secs_f64() / rg.as_secs_f64());
        println!(
            "{what:<20} {found:>6} {took:>12.1?} {:>12} {:>8}{}",
            rg.map_or(String::new(), |rg| format!("{rg:.1?}")),
            ratio.map_or(String::new(), |ratio| format!("{ratio:.4}")),
            if ratio.is_some_and(|ratio| ratio > GOAL) { "  over the goal" } else { "" }
        );
    }
    println!("{:<44} {:>6} {:>12} {:>12}", "streamed", "found", "first rows", "all");
    for filter in [
        "body.number=77777",
        "body.number>999900",
        "body.id=evt_none",
        "body.type:succ body.number<1000",
        "body~\"coela[a-z]+h\"",
        "body~\"no such [0-9]+\"",
        "header.x-event=push",
        "qq",
        "event:push sig:failed",
    ] {
        let (first, all, found) = streamed(&reader, filter);
        println!(
            "{filter:<44} {found:>6} {:>12} {all:>12.1?}",
            first.map_or("none".to_owned(), |first| format!("{first:.1?}"))
        );
    }
}

/// The median time of the first matches, and how many there are.
fn search(reader: &Reader, needle: &str) -> (usize, Duration) {
    let filter = Filter::parse(&format!("\"{needle}\"")).unwrap().sql(Timestamp::default());
    let found = reader.page(Start::Newest, FIRST, Some(&filter)).unwrap().len();
    (found, median(|| drop(reader.page(Start::Newest, FIRST, Some(&filter)).unwrap())))
}

/// A search as the screen makes it: when the first rows came, when the fiftieth or the end, and how many there were.
fn streamed(reader: &Reader, filter: &str) -> (Option<Duration>, Duration, usize) {
    let filter = Filter::parse(filter).unwrap().sql(Timestamp::default());
    let began = Instant::now();
    let (mut first, mut found, mut next) = (None, 0, Some(Start::Newest));
    while let Some(start) = next.filter(|_| found < FIRST) {
        let until = Instant::now() + SLICE;
        let slice = reader.search(start, FIRST - found, &filter, || Instant::now() >= until).unwrap();
        if !slice.rows.is_empty() {
            first.get_or_insert(began.elapsed());
        }
        (found, next) = (found + slice.rows.len(), slice.rest);
    }
    (first, began.elapsed(), found)
}

fn grep(needle: &str, lines: &Path) {
    let _ = Command::new("rg").args(["-c", "-F", needle]).arg(lines).stdout(Stdio::null()).status().unwrap();
}

fn fill(db: &Path, lines: &Path, rows: usize) -> Writer {
    let (writer, settler) = Writer::open(db, Role::Capturing, Bell::new()).unwrap();
    let mut lines = BufWriter::new(File::create(lines).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let settling = runtime.spawn(settler.run());
    runtime.block_on(async {
        let mut pending = VecDeque::new();
        for n in 0..rows {
            let capture = capture(n, rows);
            lines.write_all(&capture.body.bytes).unwrap();
            lines.write_all(b"\n").unwrap();
            pending.push_back(writer.capture(capture).unwrap());
            if pending.len() >= 2_000 {
                pending.pop_front().unwrap().await.unwrap().unwrap();
            }
        }
        for waiting in pending {
            waiting.await.unwrap().unwrap();
        }
    });
    // From now on the writer's thread answers by itself.
    settling.abort();
    drop(runtime);
    writer
}

/// A number that looks like chance.
fn id(n: usize) -> u64 {
    let mut x = (n as u64).wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A body of about 1 KiB: its own ids and numbers, words of a vocabulary of 4,000.
fn text(n: usize, rows: usize) -> String {
    let (_, kind, _) = EVENTS[n % EVENTS.len()];
    let rare = match n {
        n if [rows / 7, rows / 2, rows - rows / 5].contains(&n) => "coelacanth zyxq",
        n if n.is_multiple_of(1_000) => "sturgeon",
        _ => "gudgeon",
    };
    let mut body = format!(
        r#"{{"id":"evt_{:016x}","type":"{kind}","number":{n},"rare":"{rare}","customer":"cus_{:016x}","text":""#,
        id(n),
        id(n ^ 0x5555)
    );
    let mut seed = id(n);
    while body.len() < 960 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        body.push_str(&word((seed >> 33) as usize % 4_000));
        body.push(' ');
    }
    body.push_str(&format!(r#"","request":"req_{:016x}{:016x}"}}"#, id(n ^ 0xaaaa), id(n ^ 0xcccc)));
    body
}

/// A word of the vocabulary.
fn word(n: usize) -> String {
    const PARTS: [&str; 16] =
        ["an", "be", "cor", "del", "es", "fin", "gra", "hol", "in", "ju", "ker", "lo", "mar", "ne", "or", "pre"];
    format!("{}{}{}", PARTS[n % 16], PARTS[n / 16 % 16], PARTS[n / 256 % 16])
}

fn capture(n: usize, rows: usize) -> Capture {
    let (provider, kind, path) = EVENTS[n % EVENTS.len()];
    let event = format!("evt_{:016x}", id(n));
    let body = Bytes::from(text(n, rows));
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nUser-Agent: a sender's name and version\r\n\
         X-Delivery: {event}\r\nX-Event: {kind}\r\nX-Signature: sha256={:016x}{:016x}\r\nContent-Length: {}\r\n\r\n",
        id(n ^ 0x1111),
        id(n ^ 0x2222),
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
        event: Event { id: Some(event), kind: Some(kind.to_owned()), created_at: None },
        judgement: Judgement { verdict: Verdict::Passed, covers_body: Some(true), ..Judgement::default() },
        duplicate_of: None,
        repeat: None,
        late_ms: None,
        reply_status: 200,
        tags: Tags::default(),
        note: None,
    }
}

/// Bytes that the tables of a store take.
fn pages(db: &Path) -> u64 {
    let store = rusqlite::Connection::open(db).unwrap();
    let count =
        |pragma: &str| store.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).unwrap().cast_unsigned();
    (count("page_count") - count("freelist_count")) * count("page_size")
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let began = Instant::now();
    (work(), began.elapsed())
}

fn median(mut work: impl FnMut()) -> Duration {
    let mut all: Vec<_> = (0..TIMES).map(|_| timed(&mut work).1).collect();
    all.sort_unstable();
    all[TIMES / 2]
}

/// MiB that this process holds.
fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).unwrap_or_default() / 1024.0
}
