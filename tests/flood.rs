//! What many large bodies take of the memory is given back when they are gone.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(target_os = "linux")]

mod support;

use std::{
    io::Write,
    net::TcpStream,
    time::{Duration, Instant},
};

use support::{Home, Serving};

const MIB: usize = 1 << 20;
/// How long the memory may take to become what it should be.
const PATIENCE: Duration = Duration::from_secs(60);

/// The memory of a process that is its own, in bytes.
fn memory(pid: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1_024
}

fn becomes(serving: &Serving, wanted: impl Fn(usize) -> bool, what: &str) {
    let began = Instant::now();
    while !wanted(memory(serving.pid())) {
        assert!(began.elapsed() < PATIENCE, "{what}: {} MiB", memory(serving.pid()) / MIB);
        std::thread::yield_now();
    }
}

#[test]
fn what_a_flood_took_is_given_back_though_nothing_more_comes() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    let head = b"POST /large HTTP/1.1\r\nHost: h\r\nContent-Length: 26214400\r\n\r\n";
    let part = vec![b'x'; MIB / 2];
    let begin = |_| {
        let mut stream = serving.connect();
        stream.write_all(head).unwrap();
        stream.write_all(&part).unwrap();
        stream
    };
    let senders: Vec<TcpStream> = (0..160).map(begin).collect();
    becomes(&serving, |bytes| bytes > 72 * MIB, "not all of it came");
    drop(senders);
    becomes(&serving, |bytes| bytes < 40 * MIB, "it is kept");
    // What came of them is in the store.
    home.until(&["ls", "-n", "0", "--json", "cut:yes"], |rows| rows.lines().count() == 160);
}
