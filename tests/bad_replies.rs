//! Apps that answer badly: each is told in words, harms nobody, and a sender who waits for one hears that there was no reply.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::Duration,
};

use creel::{
    record::{Cause, Head, Outcome},
    wire::{self, Outgoing, PathRule, SendLimits},
};
use serde_json::Value;
use support::{Home, port::Port};

/// An app that does this with each connection.
fn app(act: fn(TcpStream)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || listener.incoming().for_each(|stream| drop(thread::spawn(move || act(stream.unwrap())))));
    url
}

/// Reads the request, which ends with `}`.
fn heard(stream: &mut TcpStream) {
    let (mut all, mut part) = (Vec::new(), [0; 4096]);
    while !all.ends_with(b"}") {
        let n = stream.read(&mut part).unwrap();
        assert_ne!(n, 0);
        all.extend_from_slice(&part[..n]);
    }
}

/// Hears the request and says something.
fn says(mut stream: TcpStream, bytes: &[u8]) {
    heard(&mut stream);
    let _ = stream.write_all(bytes);
}

/// Closes with the request unread, which resets the connection.
fn resets(stream: TcpStream) {
    let _ = stream.peek(&mut [0]);
    drop(stream);
}

fn hangs(mut stream: TcpStream) {
    heard(&mut stream);
    // Until creel goes away.
    let _ = stream.read(&mut [0]);
}

fn never_ends(mut stream: TcpStream) {
    heard(&mut stream);
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
    while stream.write_all(&[b'x'; 8 << 10]).is_ok() {}
}

fn never_begins(mut stream: TcpStream) {
    heard(&mut stream);
    while stream.write_all(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n").is_ok() {}
}

/// Where to, what is told of it, in words and as a fact, and the status that a sender who waits gets.
fn all(nobody: &Port) -> Vec<(String, &'static str, &'static str, u16)> {
    vec![
        (nobody.url(), "connection refused", "refused", 502),
        (app(resets), "", "broken-off", 502),
        (app(|stream| says(stream, b"")), "closed the connection without a whole reply", "broken-off", 502),
        (app(hangs), "no whole reply within 1.5s", "timed-out", 504),
        (app(never_begins), "", "timed-out", 504),
        (app(|stream| says(stream, b"\x00\x01\x02 hello\r\n\r\n")), "did not answer in HTTP/1", "not-http", 502),
        (
            app(|stream| says(stream, b"HTTP/1.1 2x0 OK\r\n\r\n")),
            "broken HTTP: invalid HTTP status-code",
            "broken-http",
            502,
        ),
        (
            app(|stream| says(stream, b"HTTP/1.1 200 OK\r\nA B\r\n\r\n")),
            "broken HTTP: invalid HTTP header",
            "broken-http",
            502,
        ),
        (
            app(|stream| says(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")),
            "closed the connection without a whole reply",
            "broken-off",
            502,
        ),
        (
            app(|stream| says(stream, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal")),
            "closed the connection without a whole reply",
            "broken-off",
            502,
        ),
        (
            app(|stream| says(stream, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")),
            "",
            "broken-http",
            502,
        ),
        (
            app(|stream| says(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab")),
            "broken HTTP: ",
            "broken-http",
            502,
        ),
        (
            app(|stream| {
                says(stream, &[b"HTTP/1.1 200 OK\r\n", &b"A: bcdef\r\n".repeat(300)[..], b"\r\n"].concat());
            }),
            "the reply has more than 100 headers",
            "too-large",
            502,
        ),
        (
            app(|stream| says(stream, &[b"HTTP/1.1 200 OK\r\nA: ", &[b'a'; 100 << 10][..], b"\r\n\r\n"].concat())),
            "larger than 64 KiB",
            "too-large",
            502,
        ),
    ]
}

/// The last delivery of a capture.
fn delivery(home: &Home, id: &str) -> Value {
    let shown: Value = serde_json::from_str(&home.yes(&["show", id, "--json"])).unwrap();
    shown["deliveries"][0].clone()
}

/// How long creel waits, in seconds: long for those that answer, however busy the machine is; not for those that never do.
fn patience(status: u16) -> f64 {
    if status == 504 { 1.5 } else { 60.0 }
}

fn config(home: &Home, rows: impl Iterator<Item = (usize, String)>) {
    let rows = rows.map(|(n, forward)| format!("[[endpoint]]\nname = 'e{n}'\npath = '/{n}'\nforward = {forward}\n"));
    home.write("creel.toml", rows.collect::<String>());
}

#[test]
fn a_sender_who_waits_hears_that_there_was_no_reply() {
    let home = Home::new();
    let nobody = Port::reserved();
    let all = all(&nobody);
    let forward = |to: &str, status| format!("{{ to = '{to}', answer = 'proxy', timeout_s = {:?} }}", patience(status));
    config(&home, all.iter().enumerate().map(|(n, (to, .., status))| (n, forward(to, *status))));
    let serving = home.serve(&["--quiet"]);
    for (n, (_, words, kind, status)) in all.iter().enumerate() {
        let request = format!("POST /{n} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{{}}");
        let answer = serving.raw(request.as_bytes());
        let begin: String = answer.chars().take(200).collect();
        assert!(begin.starts_with(&format!("HTTP/1.1 {status} ")), "{n}: {begin}");
        assert!(answer.ends_with(&format!("{{\"caught\":{},\"app\":\"no reply\"}}", n + 1)), "{n}: {answer}");
        let shown = home.until(&["show", &(n + 1).to_string()], |shown| shown.contains("failed: "));
        assert!(shown.contains(words), "{n}: {shown}");
        assert_eq!(delivery(&home, &(n + 1).to_string())["error_kind"], *kind, "{n}: {shown}");
    }
    assert_eq!(home.run(&["dead"]).status.code(), Some(1), "its sender tries again, and creel does not");
}

#[test]
fn each_is_tried_again_and_given_up_with_its_reason() {
    let home = Home::new();
    let nobody = Port::reserved();
    let all = all(&nobody);
    let forward = |to: &str, status| format!("{{ to = '{to}', retry = ['1ms'], timeout_s = {:?} }}", patience(status));
    config(&home, all.iter().enumerate().map(|(n, (to, .., status))| (n, forward(to, *status))));
    let serving = home.serve(&["--quiet"]);
    for n in 0..all.len() {
        assert_eq!(serving.post(&format!("/{n}"), &[], b"{}"), n as i64 + 1);
    }
    let dead = home.until(&["dead"], |dead| dead.lines().count() == all.len());
    for (n, (_, words, ..)) in all.iter().enumerate() {
        let line = dead.lines().find(|line| line.starts_with(&format!("#{} ", n + 1))).unwrap();
        assert!(line.contains("2 tries") && line.contains(words), "{line}");
    }
}

#[test]
fn an_endless_reply_is_cut_and_a_sender_gets_no_part_of_it() {
    let home = Home::new();
    let to = app(never_ends);
    config(
        &home,
        [format!("{{ to = '{to}' }}"), format!("{{ to = '{to}', answer = 'proxy' }}")].into_iter().enumerate(),
    );
    let serving = home.serve(&["--quiet"]);
    serving.post("/0", &[], b"{}");
    let reply = |id: &str| {
        home.until(&["ls", &format!("id={id}"), "reply:200"], |listed| !listed.is_empty());
        let shown: Value = serde_json::from_str(&home.yes(&["show", id, "--json"])).unwrap();
        shown["deliveries"][0]["reply"]["body"].clone()
    };
    let kept = reply("1");
    assert_eq!((&kept["size"], &kept["truncated"]), (&(1 << 20).into(), &true.into()));
    let shown = home.yes(&["show", "1"]);
    assert!(shown.contains(" lines more, in --json)") && shown.lines().count() < 300, "a person sees its beginning");
    let answer = serving.raw(b"POST /1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}");
    assert!(answer.starts_with("HTTP/1.1 502 ") && answer.ends_with("\"app\":\"no reply\"}"), "{answer}");
    assert_eq!(reply("2")["truncated"], true);
}

#[test]
fn a_redirect_is_shown_and_never_followed() {
    let home = Home::new();
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let place = format!("http://{}/secret", elsewhere.local_addr().unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = format!("http://{}", listener.local_addr().unwrap());
    let redirect = format!("HTTP/1.1 307 Temporary Redirect\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n");
    thread::spawn(move || listener.incoming().for_each(|stream| says(stream.unwrap(), redirect.as_bytes())));
    config(
        &home,
        [format!("{{ to = '{to}', retry = 'never' }}"), format!("{{ to = '{to}', answer = 'proxy' }}")]
            .into_iter()
            .enumerate(),
    );
    let serving = home.serve(&["--quiet"]);
    serving.post("/0", &[], b"{}");
    let dead = home.until(&["dead"], |dead| !dead.is_empty());
    assert!(dead.contains("answered 307"), "{dead}");
    let answer = serving.raw(b"POST /1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}");
    assert!(answer.starts_with("HTTP/1.1 307 ") && answer.contains(&place), "the sender may follow it: {answer}");
    let shown = home.until(&["show", "1", "--json"], |shown| shown.contains(&place));
    assert!(shown.contains("307"), "{shown}");
    let resent = home.run(&["resend", "1", "--to", &to]);
    assert_eq!(resent.status.code(), Some(1));
    let said = String::from_utf8(resent.stdout).unwrap();
    assert!(said.contains(&format!("it points to {place}")), "{said}");
    assert_eq!(elsewhere.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "nobody went there");
}

#[test]
fn a_sender_chooses_no_target_and_no_web_page_drives_it() {
    let home = Home::new();
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let victim = elsewhere.local_addr().unwrap();
    let to = app(|stream| says(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    config(&home, [format!("{{ to = '{to}' }}")].into_iter().enumerate());
    let serving = home.serve(&["--quiet"]);
    for head in [
        format!("POST http://{victim}/0 HTTP/1.1\r\nHost: {victim}\r\n"),
        format!("POST /0?to=http://{victim}&url=http://{victim} HTTP/1.1\r\nHost: {victim}\r\n"),
        format!(
            "POST /0 HTTP/1.1\r\nHost: x\r\nX-Forwarded-Host: {victim}\r\nForwarded: host={victim}\r\nCreel-To: http://{victim}\r\n"
        ),
        format!("POST /0/@{victim}/ HTTP/1.1\r\nHost: x\r\n"),
        format!("POST /0//{victim}/x HTTP/1.1\r\nHost: x\r\n"),
    ] {
        let answer = serving.raw(format!("{head}Connection: close\r\nContent-Length: 2\r\n\r\n{{}}").as_bytes());
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
    home.until(&["ls", "reply:200"], |listed| listed.lines().count() == 5);
    assert_eq!(elsewhere.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "nobody went there");
}

#[test]
fn an_app_that_does_not_speak_tls_is_told_so() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    serving.post("/", &[], b"{}");
    let plain = app(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    });
    let output = home.run(&["resend", "1", "--to", &plain.replace("http:", "https:")]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("it answers, and not in TLS"), "{said}");
}

/// A secure app that does this with what it hears first, which is not the request.
fn secure(act: fn(TcpStream)) -> String {
    app(act).replace("http:", "https:")
}

#[test]
fn what_keeps_a_request_from_its_app_is_a_fact_beside_the_words_and_stays_one() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    serving.post("/", &[], b"{}");
    let other = Home::new();
    let unvouched = other.serve(&["--quiet", "--tls"]);
    let not_tls = |mut stream: TcpStream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    };
    let disagrees = |mut stream: TcpStream| {
        let _ = stream.read(&mut [0; 4096]);
        // An alert: fatal, handshake_failure (RFC 8446, section 6).
        let _ = stream.write_all(b"\x15\x03\x03\x00\x02\x02\x28");
    };
    let goes = |mut stream: TcpStream| drop(stream.read(&mut [0; 4096]));
    let mut cases = vec![
        // No name has a label of more than 63 bytes, so that nobody is asked for it.
        (format!("http://{}.test", "a".repeat(64)), "no-host", "no address for `a"),
        (secure(not_tls), "not-tls", "it answers, and not in TLS"),
        (secure(disagrees), "tls", "TLS with 127.0.0.1: "),
        (secure(goes), "broken-off", "TLS with 127.0.0.1: "),
        (format!("https://{}", unvouched.address), "certificate", "nobody vouches for its certificate"),
    ];
    if cfg!(target_os = "linux") {
        // The broadcast address of loopback, to which no connection leads.
        cases.push(("http://127.255.255.255:9".to_owned(), "unreachable", "127.255.255.255:9 cannot be reached"));
    }
    for (to, kind, words) in cases {
        let output = home.run(&["resend", "1", "--to", &to, "--json"]);
        assert_eq!(output.status.code(), Some(1), "{to}");
        let sent: Value = serde_json::from_slice(&output.stdout).unwrap();
        let kept = delivery(&home, "1");
        assert!(kept["error"].as_str().unwrap().contains(words), "{to}: {kept}");
        assert_eq!((&kept["error_kind"], &sent["error_kind"]), (&kind.into(), &kind.into()), "{to}: {kept}");
        let sample = home.run(&["send", "github/push", "--secret", "s", "--to", &to, "--json"]);
        let sample: Value = serde_json::from_slice(&sample.stdout).unwrap();
        assert_eq!(sample["error_kind"], kind, "{to}");
    }
}

/// What comes of a request that is sent without a store.
fn sent(head: &'static [u8], to: &str, limits: &SendLimits) -> Outcome {
    let head = Head::parse(bytes::Bytes::from_static(head));
    let (body, path) = (bytes::Bytes::new(), PathRule::default());
    let outgoing = Outgoing { head, body, to: to.to_owned(), path, insecure: false, keep_host: false };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(wire::send(outgoing, limits)).outcome
}

#[test]
fn what_never_gets_as_far_as_a_request_is_a_fact_too() {
    let get = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let here = app(|_| ());
    let own = here.trim_start_matches("http://").parse().unwrap();
    let in_a_ring = SendLimits { own: vec![own], ..SendLimits::default() };
    let by_tunnel = SendLimits { own_urls: vec![here.clone()], ..SendLimits::default() };
    let in_a_hurry = SendLimits { connect: Duration::from_millis(300), ..SendLimits::default() };
    let silent = secure(|mut stream| while stream.read(&mut [0; 4096]).is_ok_and(|n| n > 0) {});
    for (head, to, limits, cause) in [
        (&get[..], &here, in_a_ring, Cause::Ring),
        (get, &here, by_tunnel, Cause::Ring),
        (get, &silent, in_a_hurry, Cause::NoTls),
        (b"G@T / HTTP/1.1\r\nHost: x\r\n\r\n", &here, SendLimits::default(), Cause::Unsendable),
        (get, &"ftp://h".to_owned(), SendLimits::default(), Cause::Unsendable),
    ] {
        match sent(head, to, &limits) {
            Outcome::Failed(said, _) if said == cause => {}
            other => panic!("{to}: {cause:?} is told as {other:?}"),
        }
    }
}
