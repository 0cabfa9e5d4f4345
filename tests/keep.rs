//! `[keep]` in a real creel: what is over is forgotten beside the capturing, said, and never half.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::io::{Read, Write};

use creel::store::{Reader, Start};
use support::{Home, Serving};

/// Sends so many, one after the other on one connection.
fn post(serving: &Serving, count: usize) {
    let mut stream = serving.connect();
    for _ in 0..count {
        stream.write_all(b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}").unwrap();
        let mut answer = [0; 1024];
        let read = stream.read(&mut answer).unwrap();
        assert!(answer[..read].starts_with(b"HTTP/1.1 200"));
    }
}

/// How many captures there are, which is how many are counted.
fn there_are(home: &Home) -> usize {
    let reader = Reader::open(&home.db()).unwrap();
    let (rows, counted) =
        reader.at_once(|reader| (reader.page(Start::Newest, 9_999, None), reader.counters())).unwrap();
    let (rows, counted) = (rows.unwrap(), counted.unwrap());
    assert_eq!(rows.len() as u64, counted.captures);
    rows.len()
}

#[test]
fn over_a_bound_the_oldest_go_beside_the_capturing_and_it_is_said_once() {
    let home = Home::new();
    home.write("creel.toml", "[keep]\ncaptures = 5\nfor = '7d'\n");
    let mut serving = home.serve(&[]);
    serving.says("[keep] forgets what is older than 7d, and the oldest over 5 captures; what is pinned or waits stays");
    post(&serving, 3);
    home.yes(&["mark", "1", "--pin"]);
    post(&serving, 9);
    serving.says("the store is over 5 captures: the oldest are forgotten, but for 1 that is pinned or waits");
    // The newest five, and what stays takes no place of theirs.
    let left = home.until(&["ls", "--json"], |rows| rows.lines().count() == 6);
    assert!(left.lines().last().unwrap().starts_with("{\"id\":1,"), "{left}");
    assert!(left.lines().next().unwrap().starts_with("{\"id\":12,"), "{left}");
    assert_eq!(there_are(&home), 6);
    let (code, _, said) = serving.stop();
    assert_eq!((code, said.contains("[keep]")), (Some(0), false), "{said}");
}

#[test]
fn what_is_over_at_a_start_goes_then_and_a_watching_creel_forgets_nothing() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    post(&serving, 30);
    home.write("creel.toml", "[keep]\ncaptures = 10\n");
    home.yes(&["ls"]);
    home.yes(&["mark", "30"]);
    assert_eq!(there_are(&home), 30);
    drop(serving);
    let mut serving = home.serve(&["--quiet"]);
    serving.says("the store is over 10 captures: the oldest are forgotten");
    home.until(&["ls", "--json"], |rows| rows.lines().count() == 10);
    // Its numbers are not given again.
    assert_eq!(serving.post("/", &[], b""), 31);
}

/// Each step is one transaction, which holds the counts, too.
#[test]
fn killed_in_the_middle_it_has_forgotten_whole_captures_and_goes_on_at_the_next_start() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    post(&serving, 700);
    drop(serving);
    home.write("creel.toml", "[keep]\ncaptures = 10\n");
    let mut left = 700;
    while left > 10 {
        let serving = home.serve(&["--quiet"]);
        let before = left;
        while left == before {
            left = there_are(&home);
        }
        serving.signal("KILL");
        drop(serving);
        left = there_are(&home);
        assert!((10..before).contains(&left), "{left} of {before}");
    }
    let (code, _, said) = home.serve(&["--quiet"]).stop();
    assert_eq!((code, &said[..]), (Some(0), ""));
    assert_eq!(there_are(&home), 10);
}

#[test]
fn a_bound_that_cannot_be_meant_is_pointed_at() {
    let home = Home::new();
    home.write("creel.toml", "[keep]\nfor = '30 days'\n");
    let said = home.fails(2, &["serve", "--listen", "0"]);
    assert!(said.contains("creel.toml:2:7") && said.contains("write it like for = \"30d\""), "{said}");
}
