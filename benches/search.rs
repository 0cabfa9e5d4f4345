//! A million captures searched: what the first fifty matches of a word cost, against `rg` over the same bodies as JSON lines.
//!
//! `cargo bench --bench search`; `CREEL_BENCH_ROWS` (1,000,000) sets its size. The store is made through the real writer and
//! marked by the real indexer, in a folder that goes with the bench.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench that cannot run ends")]

mod support;

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use creel::{
    query::Filter,
    record::Timestamp,
    store::{Indexer, Reader, Start, Writer},
};
use support::{EVENTS, capture, chance as id, fill, number, resident, timed};

/// How many matches a screen asks for at first.
const FIRST: usize = 50;
/// How often each search is timed; the median is told.
const TIMES: usize = 9;
/// How long a screen's slice of a search lasts.
const SLICE: Duration = Duration::from_millis(30);
/// What a search may take of rg's time.
const GOAL: f64 = 0.1;

fn main() {
    let rows: usize = number("CREEL_BENCH_ROWS", 1_000_000);
    let folder = tempfile::tempdir().unwrap();
    let (db, lines) = (folder.path().join("creel.db"), folder.path().join("bodies.jsonl"));
    let writer = filled(&db, &lines, rows);
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
        resident("self")
    );
    writer.close().unwrap();
    searches(&db, &lines, rows);
    println!("resident after the searches: {:.1} MiB, no file mapped", resident("self"));
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
        "body.number<10",
        "body.amount>450000",
        "body.amount<5",
        "body.amount=250000",
        "body.amount>=250000 body.amount<250010",
        "body.amount>500000",
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

/// A store of so many captures, and a file of their bodies, a line each.
fn filled(db: &Path, lines: &Path, rows: usize) -> Writer {
    let mut lines = BufWriter::new(File::create(lines).unwrap());
    let captures = (0..rows).map(|n| capture(n, &format!("evt_{:016x}", id(n)), text(n, rows)));
    fill(
        db,
        captures.inspect(|capture| {
            lines.write_all(&capture.body.bytes).unwrap();
            lines.write_all(b"\n").unwrap();
        }),
    )
}

/// A body of about 1 KiB: its own ids and numbers, words of a vocabulary of 4,000.
fn text(n: usize, rows: usize) -> String {
    let (_, kind, _) = EVENTS[n % EVENTS.len()];
    let rare = match n {
        n if [rows / 7, rows / 2, rows - rows / 5].contains(&n) => "coelacanth zyxq",
        n if n.is_multiple_of(1_000) => "sturgeon",
        _ => "gudgeon",
    };
    let amount = if rare.starts_with('c') { 499_995 } else { id(n ^ 0x1111) % 400_000 };
    let mut body = format!(
        r#"{{"id":"evt_{:016x}","type":"{kind}","number":{n},"amount":{amount},"rare":"{rare}","customer":"cus_{:016x}","text":""#,
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

/// Bytes that the tables of a store take.
fn pages(db: &Path) -> u64 {
    let store = rusqlite::Connection::open(db).unwrap();
    let count =
        |pragma: &str| store.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).unwrap().cast_unsigned();
    (count("page_count") - count("freelist_count")) * count("page_size")
}

fn median(mut work: impl FnMut()) -> Duration {
    let mut all: Vec<_> = (0..TIMES).map(|_| timed(&mut work).1).collect();
    all.sort_unstable();
    all[TIMES / 2]
}
