//! Code for a test sends what creel would send again, to the byte but for the white space around a header's value, which each
//! language writes itself: proved on a socket, in each language there is here.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    io::{Read, Write},
    net::TcpListener,
    process::{Command, Stdio},
    thread,
};

use bytes::Bytes;
use creel::{
    export::FORMATS,
    record::{Body, Capture, CaptureId, Head, Timestamp, Uid},
    wire::{self, Outgoing, SendLimits},
};

fn capture(id: i64, head: &[u8], body: &[u8]) -> Capture {
    let received_at = Timestamp::from_unix_ms(1_795_424_700_123);
    let (head, body) = (Head::parse(Bytes::copy_from_slice(head)), Bytes::copy_from_slice(body));
    Capture {
        id: CaptureId(id),
        ..Capture::new(Uid::new(received_at, 7), received_at, head, Body::whole(body, [0; 32]))
    }
}

fn captures() -> Vec<Capture> {
    let every_byte: Vec<u8> = (0..=255).collect();
    let requests: &[(&[u8], &[u8])] = &[
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b""),
        (b"POST /a?x=1&y='\"$`\\ HTTP/1.1\r\nX-First: 1\r\nhOsT: x\r\nX-Last: \"'\\$`%s {a}\r\n\r\n", b"{\"a\": \"it's \\n\"}\n"),
        (b"POST /caf\xc3\xa9\xe9 HTTP/1.1\r\nHost: x\r\nX-Dup: 1\r\nx-dup: caf\xe9\x9b\r\nX-DUP: 3\r\nContent-Length: 9\r\n\r\n", &every_byte),
        (b"BREW /pot HTTP/1.1\r\nHost: x\r\nX-Empty:\r\nX-Tab: a\tb\r\nContent-Length: 0\r\n\r\n", b""),
        (b"PUT /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: X-Hop\r\nX-Hop: 1\r\nA: 2\r\n\r\n", "東京 🦀 \u{0} \u{202e}\r\n".as_bytes()),
        (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", b""),
        (b"DELETE /d HTTP/1.1\r\nhost: x\r\nUser-Agent: \r\nExpect: 100-continue\r\n\r\n", b"#{x} ${y} `z`"),
    ];
    (1..).zip(requests).map(|(id, (head, body))| capture(id, head, body)).collect()
}

/// An app that takes each request and keeps its bytes.
fn app(count: usize) -> (String, thread::JoinHandle<Vec<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let taken = thread::spawn(move || {
        let one = || {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut request, mut part) = (Vec::new(), [0; 4096]);
            while !is_whole(&request) {
                let read = stream.read(&mut part).unwrap();
                assert_ne!(read, 0, "{}", String::from_utf8_lossy(&request));
                request.extend_from_slice(&part[..read]);
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
            request
        };
        (0..count).map(|_| one()).collect()
    });
    (address, taken)
}

fn is_whole(request: &[u8]) -> bool {
    let Some(end) = request.windows(4).position(|part| part == b"\r\n\r\n").map(|at| at + 4) else { return false };
    let head = Head::parse(Bytes::copy_from_slice(&request[..end]));
    request.len() - end >= head.headers().text("content-length").map_or(0, |text| text.parse().unwrap())
}

/// What creel itself sends for those captures.
fn resent(captures: &[Capture]) -> (String, Vec<Vec<u8>>) {
    let (address, taken) = app(captures.len());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for capture in captures {
        let (head, body) = (capture.head.clone(), capture.body.bytes.clone());
        let outgoing = Outgoing {
            head,
            body,
            to: format!("http://{address}"),
            insecure: false,
            path: wire::PathRule::default(),
            keep_host: false,
        };
        let sent = runtime.block_on(wire::send(outgoing, &SendLimits::default()));
        assert_eq!(sent.outcome.status(), Some(200), "{sent:?}");
    }
    (address, taken.join().unwrap())
}

/// A request with one space before each header's value, and none behind it.
fn tidy(request: &[u8]) -> Vec<u8> {
    let end = request.windows(4).position(|part| part == b"\r\n\r\n").unwrap() + 4;
    let head = Head::parse(Bytes::copy_from_slice(&request[..end]));
    let tidy = Head::from_parts(&head.method(), head.target(), head.version(), head.headers());
    [tidy.raw(), &request[end..]].concat()
}

fn runs(program: &str, arg: &str) -> bool {
    Command::new(program).arg(arg).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

fn proved(format: &str, file: &str, compile: &[&str], run: &[&str]) {
    let program = compile.first().or(run.first()).unwrap();
    if !runs(program, if *program == "go" { "version" } else { "--version" }) {
        println!("skipped: there is no {program} on this machine");
        return;
    }
    let captures = captures();
    let format = FORMATS.iter().find(|row| row.name == format).unwrap();
    let mut text = format.begin.as_bytes().to_vec();
    captures.iter().for_each(|capture| text.extend((format.write)(capture)));
    text.extend(format.end.as_bytes());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(file), &text).unwrap();
    let (address, taken) = app(captures.len());
    for line in [compile, run].into_iter().filter(|line| !line.is_empty()) {
        let output = Command::new(line[0])
            .args(&line[1..])
            .current_dir(folder.path())
            .env("APP", &address)
            .env("GOFLAGS", "-mod=mod")
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        assert!(
            output.status.success(),
            "{line:?}: {}\n{}",
            String::from_utf8_lossy(&said),
            String::from_utf8_lossy(&text)
        );
    }
    let (own, expected) = resent(&captures);
    for (got, expected) in taken.join().unwrap().iter().zip(&expected) {
        let shown = |bytes: &[u8]| creel::body::escape_bytes(bytes).replace(&own, "APP").replace(&address, "APP");
        assert_eq!(shown(got), shown(&tidy(expected)));
    }
}

#[test]
fn python_sends_what_creel_sends() {
    proved("python", "sent.py", &[], &["python3", "sent.py"]);
}

#[test]
fn javascript_sends_what_creel_sends() {
    proved("javascript", "sent.js", &[], &["node", "sent.js"]);
}

#[test]
fn rust_sends_what_creel_sends() {
    proved("rust", "sent.rs", &["rustc", "--edition=2021", "--test", "sent.rs"], &["./sent", "--test-threads=1"]);
}

#[test]
fn go_sends_what_creel_sends() {
    proved("go", "sent_test.go", &[], &["go", "test", "sent_test.go"]);
}
