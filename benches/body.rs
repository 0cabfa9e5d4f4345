//! A hundred megabytes of JSON in the tree view: the first screen, the whole index, any screen through it, a fold, a path; beside
//! `serde_json`'s way to the same lines in the same run. Its lines are short, 11 bytes on average, which is the most work there can
//! be; the index of lines as long as those of a GitHub payload stands beside it.
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
    let body = json(mb * 1_000_000, charge);
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
    let longer = json(mb * 1_000_000, repository);
    let (indexed, took) = timed(|| creel::body::index(longer));
    println!(
        "the same of longer lines: {took:?}, {:.2} MiB, {} lines",
        mib(indexed.index_bytes()),
        indexed.line_count()
    );
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
fn json(bytes: usize, event: fn(usize) -> String) -> Bytes {
    let mut text = String::with_capacity(bytes + 1_000);
    text.push_str("{\"events\":[");
    for n in 0.. {
        if text.len() > bytes {
            break;
        }
        if n > 0 {
            text.push(',');
        }
        text.push_str(&event(n));
    }
    text.push_str("]}");
    text.into()
}

/// An event of a payment: names and values are short.
fn charge(n: usize) -> String {
    format!(
        "{{\"id\":\"evt_{n:08}\",\"object\":\"event\",\"created\":{},\"livemode\":false,\"data\":{{\"object\":{{\"id\":\"ch_{n:08}\",\
         \"amount\":{},\"currency\":\"eur\",\"description\":\"a fish, \\\"{n}\\\"\",\"paid\":true,\"metadata\":{{}},\"tags\":[\"a\",\"b\",null]}}}}}}",
        1_795_424_700 + n,
        n * 7 % 100_000
    )
}

/// An event of a repository: most values are addresses.
fn repository(n: usize) -> String {
    const API: &str = "https://api.github.com/repos/angler/creel";
    format!(
        "{{\"action\":\"opened\",\"number\":{n},\"repository\":{{\"id\":{},\"node_id\":\"R_{n:010}\",\"full_name\":\"angler/creel\",\
         \"private\":false,\"owner\":{{\"login\":\"angler\",\"site_admin\":false,\"url\":\"https://api.github.com/users/angler\"}},\
         \"html_url\":\"https://github.com/angler/creel\",\"keys_url\":\"{API}/keys{{/key_id}}\",\"hooks_url\":\"{API}/hooks\",\
         \"issue_events_url\":\"{API}/issues/events{{/number}}\",\"created_at\":\"2026-11-26T00:00:00Z\",\"license\":null,\"forks\":{}}}}}",
        186_853_002 + n,
        n % 1_000
    )
}

fn median(mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..TIMES).map(|_| timed(&mut work).1).collect();
    times.sort_unstable();
    times[TIMES / 2]
}

fn mib(bytes: usize) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
