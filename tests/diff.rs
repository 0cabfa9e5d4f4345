//! `creel diff`: in what two captures differ.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
};

use support::Home;

#[test]
fn captures_differ_by_request_headers_and_values() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    serving.post("/a?x=1", &[("X-Same", "1"), ("X-Old", "o"), ("X-Val", "1")], br#"{"id":1,"list":[1,2]}"#);
    serving.post("/a?x=2", &[("x-same", "1"), ("X-New", "n"), ("X-Val", "2")], br#"{"id":1,"list":[1,3]}"#);
    let output = home.run(&["diff", "1", "2"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    for line in ["  ~ x: 1 → 2", "  + x-new: n", "  - x-old: o", "  ~ x-val: 1 → 2", "  ~ .list[1]: 2 → 3"] {
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }
    assert!(!text.contains("x-same"), "{text}");
    assert_eq!(home.yes(&["diff", "1", "1"]), "no difference\n");
    let json = String::from_utf8(home.run(&["diff", "1", "2", "--json"]).stdout).unwrap();
    let last: serde_json::Value = serde_json::from_str(json.lines().last().unwrap()).unwrap();
    assert_eq!(last, serde_json::json!({ "part": "body", "at": ".list[1]", "before": "2", "after": "3" }));
    serving.post("/a?x=2", &[("X-Val", "2")], br#"{"renamed":[1,3],"id":1}"#);
    let moved = String::from_utf8(home.run(&["diff", "2", "3"]).stdout).unwrap();
    assert!(moved.contains("  > .list → .renamed: [1,3]"), "{moved}");
    assert!(home.fails(2, &["diff", "1", "9"]).contains("there is none"));
}

#[test]
fn what_only_some_readers_see_is_a_difference() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    for (trailer, body) in [("X-Sum: 1\r\n", r#"{"a":1,"a":2}"#), ("X-Sum: 2\r\n", r#"{"a":2}"#), ("", r#"{"a":2}"#)] {
        let mut stream = serving.connect();
        let size = body.len();
        write!(
            stream,
            "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n\
             {size:x}\r\n{body}\r\n0\r\n{trailer}\r\n"
        )
        .unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
    }
    let differs = |a: &str, b: &str| String::from_utf8(home.run(&["diff", a, b]).stdout).unwrap();
    assert_eq!(differs("1", "2"), "body\n  - .a (overridden): 1\ntrailers\n  ~ x-sum: 1 → 2\n");
    assert_eq!(differs("2", "3"), "trailers\n  - x-sum: 2\n");
}

#[test]
fn replies_are_compared_too() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    serving.post("/", &[], b"1");
    serving.post("/", &[], b"2");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for (stream, (status, body)) in listener.incoming().zip([(500, "{\"ok\":false}"), (200, "{\"ok\":true}")]) {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        }
    });
    assert!(home.fails(2, &["diff", "1", "2", "--replies"]).contains("`creel resend 1` sends it"));
    assert!(home.fails(2, &["diff", "99", "1", "--replies"]).contains("reading capture 99: there is none"));
    home.run(&["resend", "1", "2", "--to", &url]);
    let text = String::from_utf8(home.run(&["diff", "1", "2", "--replies"]).stdout).unwrap();
    assert!(text.contains("~ status: 500 → 200") && text.contains("~ .ok: false → true"), "{text}");
}
