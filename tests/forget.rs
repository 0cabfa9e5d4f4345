//! `creel forget`: what is deleted is gone with all that belongs to it, and nothing else is.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use creel::store::{FORGET_AT_ONCE, Reader};
use rusqlite::Connection;
use support::{Home, port::Port};

fn rows(home: &Home, table: &str) -> i64 {
    let store = Connection::open(home.db()).unwrap();
    store.query_row(&format!("SELECT count(*) FROM {table}"), (), |row| row.get(0)).unwrap()
}

#[test]
fn what_a_filter_takes_is_gone_while_a_creel_captures() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    let large = vec![b'x'; 600 << 10];
    for (path, body) in [("/a", &large[..]), ("/b", b"{}"), ("/a", b"{}")] {
        serving.post(path, &[], body);
    }
    let nobody = Port::reserved();
    home.run(&["resend", "1", "2", "--to", &nobody.url()]);
    assert_eq!((rows(&home, "chunk"), rows(&home, "delivery")), (3, 2));
    assert_eq!(home.yes(&["forget", "path:/a"]), "2 forgotten\n");
    assert_eq!(["chunk", "content", "summary", "delivery"].map(|table| rows(&home, table)), [0, 1, 1, 1]);
    let counters = Reader::open(&home.db()).unwrap().counters().unwrap();
    assert!(home.yes(&["show", "2"]).contains("2 bytes"), "the other is whole");
    assert_eq!(counters.captures, 1);
    assert!(counters.bytes < 1_000, "{}", counters.bytes);
    assert_eq!(serving.post("/c", &[], b"{}"), 4, "a number is never given again");
    assert_eq!(home.run(&["forget", "path:/a"]).status.code(), Some(1));
    assert!(home.fails(2, &["forget", "size>x"]).contains("at column"));
    assert!(home.fails(2, &["forget", "1"]).contains("id:1 is the capture of that number"));
}

#[test]
fn the_counts_of_failed_and_repeated_captures_go_with_them() {
    let home = Home::new();
    let serving = home.serve(&["--quiet", "--provider", "github", "--secret", "s"]);
    let headers = [("X-GitHub-Delivery", "d1"), ("X-Hub-Signature-256", "sha256=00")];
    serving.post("/", &headers, b"{}");
    serving.post("/", &headers, b"{}");
    let counters = || Reader::open(&home.db()).unwrap().counters().unwrap();
    assert_eq!((counters().failed, counters().duplicates), (2, 1));
    home.yes(&["forget", "dup:yes"]);
    assert_eq!((counters().captures, counters().failed, counters().duplicates), (1, 1, 0));
}

#[test]
fn all_are_forgotten_in_steps() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    let count = FORGET_AT_ONCE + 7;
    let mut stream = serving.connect();
    for _ in 0..count {
        std::io::Write::write_all(&mut stream, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
        let mut answer = [0; 1024];
        assert!(std::io::Read::read(&mut stream, &mut answer).unwrap() > 0);
    }
    assert_eq!(home.yes(&["forget", "--all"]), format!("{count} forgotten\n"));
    let counters = Reader::open(&home.db()).unwrap().counters().unwrap();
    assert_eq!((counters.captures, counters.bytes), (0, 0));
    assert!(home.fails(2, &["forget"]).contains("--all"));
}
