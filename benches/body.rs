//! A hundred megabytes of JSON in the tree view: the first screen, the whole index, any screen through it, a fold, a path; beside
//! `serde_json`'s way to the same lines in the same run.
//!
//! `cargo bench --bench body`; `CREEL_BENCH_MB` (100) sets the size.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench that cannot run ends")]

mod support;

use std::time::Duration;

use bytes::Bytes;
use creel::body::{Content, Folds, UNDONE_BYTES, best, shown, view_named};
use support::{number, resident, timed};

/// How many lines a screen has.
const SCREEN: usize = 60;
/// The piece of a large body that is shown before the rest is read, in bytes.
const FIRST: usize = 256 << 10;
/// How many times a short step is taken for its median.
const TIMES: usize = 201;

fn main() {
    let mb: usize = number("CREEL_BENCH_MB", 100);
    let body = json(mb * 1_000_000);
    println!("{} MB of JSON", body.len() / 1_000_000);
    let content =
        Content { bytes: body.clone(), content_type: Some("application/json".to_owned()), ..Content::default() };

    let headers = [("Content-Type", "application/json")].into_iter().collect();
    let first = median(|| {
        let content = Content::beginning(&body.slice(..FIRST.min(body.len())), &headers, UNDONE_BYTES);
        let document = best(&content).show(&content).unwrap();
        assert_eq!(document.lines(0..SCREEN).len(), SCREEN);
    });
    println!("first screen, of the first piece: {first:?}");

    let (indexed, took) = timed(|| creel::body::index(body.clone()));
    println!("whole sparse index: {took:?}, {:.2} MiB, {} lines", mib(indexed.index_bytes()), indexed.line_count());
    let (document, took) = timed(|| view_named("tree").unwrap().show(&content).unwrap());
    println!("the tree view opened, checked for errors and UTF-8 too: {took:?}");
    let lines = document.line_count();
    let mut seed = 1_u64;
    let mut random = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize
    };
    let screen = median(|| {
        let from = random() % lines;
        assert!(document.lines(from..from + SCREEN).len() <= SCREEN);
    });
    println!("any screen through the index: {screen:?}");

    let tree = document.tree().unwrap();
    let mut folds = Folds::default();
    let (_, root) = timed(|| tree.toggle(&mut folds, 0));
    let (folds, all) = timed(|| tree.folded_to(1));
    println!("the root folded: {root:?}; all folded to depth 1: {all:?}");
    let rows = folds.shown(lines);
    let folded = median(|| assert!(shown(&*document, &folds, rows / 2..rows / 2 + SCREEN).len() <= SCREEN));
    println!("a screen of {rows} rows of folds: {folded:?}");
    let (node, path) = timed(|| tree.node(lines - 3).unwrap());
    println!("the path of the last line ({node}): {path:?}", node = node.path);
    println!("resident {:.0} MiB", resident("self"));

    let (value, parsed) = timed(|| serde_json::from_slice::<serde_json::Value>(&body).unwrap());
    let (text, pretty) = timed(|| serde_json::to_string_pretty(&value).unwrap());
    println!("serde_json: into a Value {parsed:?}, and into {} pretty lines {pretty:?}", text.lines().count());
    println!("resident {:.0} MiB", resident("self"));
}

/// Events as a provider would send them, in one array, until there are so many bytes.
fn json(bytes: usize) -> Bytes {
    let mut text = String::with_capacity(bytes + 1_000);
    text.push_str("{\"events\":[");
    for n in 0.. {
        if text.len() > bytes {
            break;
        }
        if n > 0 {
            text.push(',');
        }
        text.push_str(&format!(
            "{{\"id\":\"evt_{n:08}\",\"object\":\"event\",\"created\":{},\"livemode\":false,\"data\":{{\"object\":{{\"id\":\"ch_{n:08}\",\
             \"amount\":{},\"currency\":\"eur\",\"description\":\"a fish, \\\"{n}\\\"\",\"paid\":true,\"metadata\":{{}},\"tags\":[\"a\",\"b\",null]}}}}}}",
            1_795_424_700 + n,
            n * 7 % 100_000
        ));
    }
    text.push_str("]}");
    text.into()
}

fn median(mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..TIMES).map(|_| timed(&mut work).1).collect();
    times.sort_unstable();
    times[TIMES / 2]
}

fn mib(bytes: usize) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
