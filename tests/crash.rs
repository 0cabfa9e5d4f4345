//! Kill the process at any moment: every request that was answered is there, once.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod support;

use std::{
    collections::BTreeSet,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use support::Home;

/// How many senders keep creel busy.
const SENDERS: usize = 16;

/// How often it is killed; more with `CREEL_SOAK=1`.
fn rounds() -> usize {
    if std::env::var_os("CREEL_SOAK").is_some() { 200 } else { 25 }
}

#[test]
fn what_was_acknowledged_outlives_kill_9() {
    let home = Home::new();
    let mut acknowledged = BTreeSet::new();
    for round in 0..rounds() {
        let serving = home.serve(&["--quiet"]);
        // A number of acknowledgements no clock chose: the kill falls anywhere in a batch, a commit, a checkpoint.
        let enough = 40 + (round * 7919) % 900;
        let count = Arc::new(AtomicUsize::new(0));
        let senders: Vec<_> = (0..SENDERS)
            .map(|sender| {
                let (address, count) = (serving.address, Arc::clone(&count));
                thread::spawn(move || send(address, &format!("/{round}/{sender}"), &count))
            })
            .collect();
        while count.load(Ordering::Relaxed) < enough {
            thread::yield_now();
        }
        serving.signal("KILL");
        for sender in senders {
            acknowledged.extend(sender.join().unwrap());
        }
    }
    let kept: Vec<String> = home.captures().iter().map(|row| row["path"].as_str().unwrap().to_owned()).collect();
    let unique: BTreeSet<_> = kept.iter().cloned().collect();
    assert_eq!(kept.len(), unique.len(), "a request was kept twice");
    let lost: Vec<_> = acknowledged.difference(&unique).collect();
    assert!(lost.is_empty(), "{} of {} acknowledged requests are lost: {lost:?}", lost.len(), acknowledged.len());
    assert!(acknowledged.len() >= rounds() * 40);
    let surplus = unique.len() - acknowledged.len();
    assert!(surplus <= rounds() * SENDERS, "{surplus} requests were kept that nobody sent");
    // A clean start and stop on the same store: it is whole.
    let (code, _, said) = home.serve(&["--quiet"]).stop();
    assert_eq!((code, &said[..]), (Some(0), ""));
}

/// Sends requests with names of their own until the connection breaks; gives the names that were acknowledged.
fn send(address: SocketAddr, prefix: &str, count: &AtomicUsize) -> Vec<String> {
    let mut acknowledged = Vec::new();
    let Ok(mut stream) = TcpStream::connect(address) else { return acknowledged };
    for n in 0.. {
        let path = format!("{prefix}/{n}");
        let request = format!("POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: 13\r\n\r\n{{\"some\":\"id\"}}");
        if stream.write_all(request.as_bytes()).is_err() || !answered(&mut stream) {
            break;
        }
        acknowledged.push(path);
        count.fetch_add(1, Ordering::Relaxed);
    }
    acknowledged
}

/// Whether a whole 200 came. The answers are small and end with creel's own brace.
fn answered(stream: &mut TcpStream) -> bool {
    let mut answer = Vec::new();
    let mut part = [0; 1024];
    loop {
        match stream.read(&mut part) {
            Ok(0) | Err(_) => return false,
            Ok(n) => answer.extend_from_slice(&part[..n]),
        }
        if answer.ends_with(b"}") {
            return answer.starts_with(b"HTTP/1.1 200");
        }
    }
}
