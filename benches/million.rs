//! A store of a million captures: what it costs to open, to list, to page and to look at.
//!
//! `cargo bench --bench million`; `CREEL_BENCH_ROWS` (1,000,000) sets its size. The store is made through the real
//! writer, in a folder that goes with the bench.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench that cannot run ends")]

mod support;

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use creel::{
    query::Filter,
    record::{CaptureId, Timestamp},
    store::{Bell, Bodies, Reader, Role, Start, Writer},
};
use support::{common, fill, number, resident, spread, timed};

/// How many rows a screen asks for.
const PAGE: usize = 60;
/// How many pages are read for a median.
const PAGES: usize = 2_000;

fn main() {
    let rows: usize = number("CREEL_BENCH_ROWS", 1_000_000);
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("creel.db");
    let ((), took) = timed(|| fill(&db, (0..rows).map(common)).close().unwrap());
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
    println!("resident with the pages read: {:.1} MiB", resident("self"));

    let ls = (0..7).map(|_| timed(|| command(&db, &["ls"])).1).min().unwrap();
    println!("`creel ls`, the whole process, best of 7: {ls:?}");
    let (writer, reopened) = timed(|| Writer::open(&db, Role::Capturing, Bell::new()).unwrap());
    println!("opened for capturing again, event ids read: {reopened:?}, resident {:.1} MiB", resident("self"));
    writer.0.close().unwrap();
}

/// Median, 99th percentile and worst of many runs.
fn times(mut work: impl FnMut()) -> String {
    spread((0..PAGES).map(|_| timed(&mut work).1).collect())
}

fn command(db: &Path, args: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_creel"));
    assert!(command.args(args).env("CREEL_DB", db).stdout(Stdio::null()).status().unwrap().success());
}
