//! A capture leaves in every format as it came in, and its JSON is what the schema says.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use bytes::Bytes;
use creel::{
    body,
    export::{FORMATS, SCHEMA, json},
    record::{
        Body, Capture, CaptureId, Cause, Change, Delivery, DeliveryId, Errand, ErrandId, Event, Evidence, Explanation,
        Fault, Flag, Head, Header, Headers, Judgement, Mark, Outcome, Reply, Timestamp, Uid, Verdict, Version,
    },
};
use proptest::prelude::*;
use serde_json::Value;

fn moment(text: &str) -> Timestamp {
    Timestamp::from_rfc3339(text).unwrap()
}

fn capture(head: impl Into<Bytes>, body: impl Into<Bytes>) -> Capture {
    let received_at = moment("2026-11-23T09:05:00.123Z");
    let (uid, body) = (Uid::new(received_at, 7), Body::whole(body.into(), [0xAB; 32]));
    Capture {
        id: CaptureId(42),
        endpoint: "default".into(),
        peer: "127.0.0.1:50712".into(),
        reply_status: 200,
        ..Capture::new(uid, received_at, Head::parse(head.into()), body)
    }
}

/// A capture with something in every place.
fn full() -> Capture {
    let head =
        b"POST /stripe?x=1&y='a' HTTP/1.1\r\nHost: 127.0.0.1:27335\r\nStripe-Signature: t=1,v1=5257\r\nx-dup: 1\r\n\
        X-Dup: caf\xe9\r\nX-Empty:\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    Capture {
        endpoint: "stripe".into(),
        trailers: [("X-Checksum", "9")].into_iter().collect(),
        flags: [Flag::Trailers, Flag::ControlBytes].into_iter().collect(),
        provider: Some("stripe".into()),
        event: Event {
            id: Some("evt_1".into()),
            kind: Some("charge.succeeded".into()),
            created_at: Some(moment("2026-11-23T08:00:00Z")),
        },
        judgement: Judgement {
            verdict: Verdict::Failed,
            fault: Some(Fault::Stale),
            explanation: Some(Explanation { by: Some("clock".into()), text: "It is an hour old.".into(), tried: 3 }),
            evidence: Some(Evidence {
                place: "Stripe-Signature".into(),
                received: Some("5257".into()),
                expected: Some("5257".into()),
                content: "{timestamp}.{body}".into(),
                difference: None,
            }),
            age_s: Some(3_900),
            covers_body: Some(true),
            handshake: None,
            url: None,
        },
        duplicate_of: Some(CaptureId(40)),
        ..capture(&head[..], "{\"id\": \"evt_1\", \"name\": \"O'Neil\"}\n")
    }
}

fn deliveries() -> Vec<Delivery> {
    let delivery = |id, outcome| Delivery {
        id: DeliveryId(id),
        capture: CaptureId(42),
        to: "http://localhost:3000/webhooks".into(),
        started_at: moment("2026-11-23T09:06:00Z"),
        took_ms: 12,
        attempt: id as u32,
        receipt: vec![Change::Replaced {
            name: "Host".into(),
            from: "127.0.0.1:27335".into(),
            to: "localhost:3000".into(),
        }],
        outcome,
        errand: None,
    };
    let headers = [("Content-Type", "text/plain")].into_iter().collect();
    let reply = Reply { status: 500, headers, body: Bytes::from_static(b"\xff"), truncated: true };
    vec![
        delivery(2, Outcome::Replied(reply)),
        delivery(1, Outcome::Failed(Cause::Refused, "connection refused".into())),
    ]
}

fn written(name: &str, capture: &Capture) -> Vec<u8> {
    let format = FORMATS.iter().find(|format| format.name == name).unwrap();
    format.whole(capture)
}

#[test]
fn every_format_writes_what_its_golden_file_holds() {
    let golden: [(&str, &[u8]); 11] = [
        ("curl", include_bytes!("data/export/curl.sh")),
        ("http", include_bytes!("data/export/http.http")),
        ("json", include_bytes!("data/export/json.json")),
        ("har", include_bytes!("data/export/har.har")),
        ("httpie", include_bytes!("data/export/httpie.sh")),
        ("python", include_bytes!("data/export/python.py")),
        ("javascript", include_bytes!("data/export/javascript.js")),
        ("rust", include_bytes!("data/export/rust.rs")),
        ("go", include_bytes!("data/export/go.go")),
        ("cloudevents", include_bytes!("data/export/cloudevents.json")),
        ("csv", include_bytes!("data/export/csv.csv")),
    ];
    assert_eq!(golden.map(|file| file.0), FORMATS.iter().map(|format| format.name).collect::<Vec<_>>()[..]);
    for (name, file) in golden {
        let text = |bytes: &[u8]| body::escape_bytes(bytes).replace('␊', "␊\n");
        assert_eq!(text(&written(name, &full())), text(file), "{name}");
    }
}

#[test]
fn a_shown_capture_has_its_deliveries_and_its_contents() {
    let shown = format!("{:#}\n", json::capture(&full(), &deliveries(), true));
    assert_eq!(shown, include_str!("data/export/show.json"));
}

#[test]
fn the_contract_names_the_members_of_the_house_in_its_order() {
    let object = json::capture(&full(), &deliveries(), true);
    let order = [
        "id",
        "uid",
        "received_at",
        "endpoint",
        "peer",
        "method",
        "target",
        "path",
        "query",
        "version",
        "headers",
        "body",
        "provider",
        "event",
        "signature",
        "marks",
        "duplicate_of",
        "reply",
        "deliveries",
    ];
    let written: Vec<_> = object.as_object().unwrap().keys().filter(|key| order.contains(&key.as_str())).collect();
    assert_eq!(written, order);
    assert_eq!(object["marks"], serde_json::json!([Mark::Duplicate.name(), Mark::Stale.name()]));
}

#[test]
fn bodies_are_text_where_they_are_text_and_left_out_where_nobody_asks() {
    let binary = capture("POST / HTTP/1.1\r\n\r\n", &b"\xff\0"[..]);
    let body = |capture: &Capture, bodies| json::capture(capture, &[], bodies)["body"].clone();
    assert_eq!(body(&binary, true)["base64"], "/wA=");
    assert!(body(&binary, true).get("text").is_none());
    assert_eq!(body(&capture("GET / HTTP/1.1\r\n\r\n", ""), true)["text"], "");
    let keys: Vec<_> = body(&full(), false).as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["size", "sha256", "truncated"]);
    let mut left_in_the_store = full();
    left_in_the_store.body.bytes = Bytes::new();
    assert_eq!(body(&left_in_the_store, true), body(&full(), false));
    let replies = json::capture(&full(), &deliveries(), false)["deliveries"][0]["reply"]["body"].clone();
    assert_eq!(replies, serde_json::json!({ "size": 1, "truncated": true }));
}

/// What of JSON Schema the file uses; a keyword besides these fails, so that none is written and not checked.
fn check(schema: &Value, value: &Value, at: &str) {
    let root: Value = serde_json::from_str(SCHEMA).unwrap();
    for (keyword, rule) in schema.as_object().unwrap() {
        match keyword.as_str() {
            "description" | "title" | "$schema" | "$defs" => {}
            "$ref" => check(root.pointer(rule.as_str().unwrap().trim_start_matches('#')).unwrap(), value, at),
            "enum" => assert!(rule.as_array().unwrap().contains(value), "{at}: {value}"),
            "type" => {
                let named = |name: &Value| is_type(value, name.as_str().unwrap());
                assert!(
                    rule.as_array().map_or_else(|| named(rule), |names| names.iter().any(named)),
                    "{at}: {value} is no {rule}"
                );
            }
            "items" => value.as_array().into_iter().flatten().for_each(|item| check(rule, item, &format!("{at}[]"))),
            "required" => {
                let missing = |name: &&Value| value.get(name.as_str().unwrap()).is_none();
                let mut names = rule.as_array().unwrap().iter();
                assert_eq!(names.find(missing).filter(|_| value.is_object()), None, "{at}");
            }
            "additionalProperties" => assert_eq!(rule, false, "{at}"),
            "properties" => value.as_object().into_iter().flatten().for_each(|(name, member)| {
                let described = rule.get(name).unwrap_or_else(|| panic!("{at}.{name} is not in the schema"));
                check(described, member, &format!("{at}.{name}"));
            }),
            other => panic!("{at}: {other} is not checked"),
        }
    }
}

fn is_type(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{other} is no type"),
    }
}

#[test]
fn what_is_written_is_what_the_schema_says() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let plain = capture("GET / HTTP/1.0\r\n\r\n", "");
    let mut shown = json::capture(&plain, &[], true);
    let (lane, due_at) = ("bin → http://h".to_owned(), Timestamp::from_unix_ms(1));
    let errand = Errand { id: ErrandId(5), capture: CaptureId(1), lane, tries: 2, due_at, dead: false, why: None };
    shown["errands"] = vec![json::errand(&errand)].into();
    for object in [
        shown,
        json::capture(&full(), &deliveries(), true),
        json::capture(&full(), &deliveries(), false),
        json::capture(&plain, &[], true),
        serde_json::from_slice(&written("json", &plain)).unwrap(),
    ] {
        check(&schema, &object, "capture");
    }
}

#[test]
fn the_schema_knows_every_name_there_is() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let listed = |pointer: &str| {
        let names = schema.pointer(pointer).unwrap().as_array().unwrap();
        names.iter().filter_map(Value::as_str).map(str::to_string).collect::<Vec<_>>()
    };
    assert_eq!(listed("/$defs/delivery/properties/error_kind/enum"), Cause::all().map(Cause::name).collect::<Vec<_>>());
    assert_eq!(listed("/$defs/flag/enum"), Flag::all().map(Flag::name).collect::<Vec<_>>());
    assert_eq!(
        listed("/$defs/signature/properties/verdict/enum"),
        Verdict::all().map(Verdict::name).collect::<Vec<_>>()
    );
    assert_eq!(listed("/$defs/signature/properties/fault/enum"), Fault::all().map(Fault::name).collect::<Vec<_>>());
    let versions = [Version::Http10, Version::Http11, Version::Http2];
    assert_eq!(listed("/$defs/capture/properties/version/enum"), versions.map(Version::name));
}

#[test]
fn a_raw_request_reads_back_as_it_was() {
    let plain = capture("\r\nPOST /a HTTP/1.1\nX: 1\r\ncontent-length: 3\r\n\r\n", "a\r\n");
    assert_eq!(written("http", &plain), b"\r\nPOST /a HTTP/1.1\nX: 1\r\ncontent-length: 3\r\n\r\na\r\n");
    let both = b"POST / HTTP/1.1\r\nA: 1\r\ntransfer-encoding: chunked\r\nContent-Length: 9\r\nTransfer-Encoding: x\r\nB: 2\r\n\r\n";
    let chunked = capture(&both[..], "abc");
    assert_eq!(written("http", &chunked), b"POST / HTTP/1.1\r\nA: 1\r\nContent-Length: 3\r\nB: 2\r\n\r\nabc");
    let bare = capture("POST / HTTP/1.1", "abc");
    assert_eq!(written("http", &bare), b"POST / HTTP/1.1\r\n\r\nabc");
}

/// Takes one request off a socket, to the end of its body, and answers it.
fn take_one(mut stream: TcpStream) -> Vec<u8> {
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let (mut request, mut buffer) = (Vec::new(), vec![0; 65_536]);
    loop {
        let read = stream.read(&mut buffer).unwrap();
        request.extend_from_slice(&buffer[..read]);
        let end = request.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4);
        let length = |end: usize| {
            let head = Head::parse(Bytes::copy_from_slice(&request[..end]));
            head.headers().text("content-length").map_or(0, |text| text.parse().unwrap())
        };
        if read == 0 || end.is_some_and(|end| request.len() >= end + length(end)) {
            break;
        }
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
    request
}

/// Runs a command line in a shell that knows nothing of this machine's settings, and gives what came over the socket.
fn sent(shell: &str, line: &[u8], listener: &TcpListener) -> Vec<u8> {
    let listener = listener.try_clone().unwrap();
    let server = thread::spawn(move || take_one(listener.accept().unwrap().0));
    let home = tempfile::tempdir().unwrap();
    let path = std::env::var_os("PATH").unwrap();
    let mut child = Command::new(shell)
        .env_clear()
        .env("PATH", path)
        .env("HOME", home.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(line).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = body::escape_bytes(&output.stderr);
    assert!(output.status.success(), "{shell}: {said}: {}", body::escape_bytes(&line[..line.len().min(2_000)]));
    server.join().unwrap()
}

fn runs(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

#[test]
fn a_curl_line_sends_the_same_request_through_every_shell() {
    if !runs("curl") {
        println!("skipped: there is no curl on this machine");
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let request = |line: &[u8], headers: &[u8], body: &[u8]| {
        let head = [line, b" HTTP/1.1\r\nHost: ", host.as_bytes(), b"\r\n", headers, b"\r\n"].concat();
        capture(head, body.to_vec())
    };
    let every_byte: Vec<u8> = (0..=255).collect();
    let printable: Vec<u8> = (b'!'..=b'~').filter(|byte| *byte != b'#').collect();
    let length = |body: &[u8]| format!("Content-Length: {}\r\n", body.len()).into_bytes();
    let with_body = |body: &[u8]| request(b"POST /x", &length(body), body);
    let captures = vec![
        request(b"GET /", b"", b""),
        request(b"HEAD /a?b", b"Accept: */*\r\n", b""),
        request(b"DELETE /", b"Content-Length: 0\r\n", b""),
        request(b"PROPFIND /%2F%2f/../a/./b//c?q=[1-3]{a,b}&x=%41", b"uSER-aGENT: me\r\n", b""),
        request(&[b"GET /", &printable[..]].concat(), b"", b""),
        request(b"GET /a#b", b"", b""),
        request(b"OPTIONS *", b"", b""),
        request(b"GET http://other/p?q", b"", b""),
        request(b"GET /caf\xc3\xa9\x1b\xe9\\", b"", b""),
        request(
            b"POST /",
            b"X-Dup: 1\r\nx-a: '\"$(id)`id`!\\\r\nx-dup: 2\r\nX-Empty:\r\nX-8: caf\xe9\x9b\r\nX-Tab: a\tb %s %\r\n",
            b"",
        ),
        request(
            b"POST /",
            b"Connection: close, X-Hop\r\nX-Hop: 1\r\nTransfer-Encoding: chunked\r\nCookie: a=b\r\n",
            b"chunks",
        ),
        request(b"POST /", b"Content-Type: a/b\r\nExpect:\r\nContent-Length: 5000\r\n", &[b'x'; 5_000]),
        with_body(b"{\"a\": \"it's $HOME `id` \\n !!\"}"),
        with_body(b"@/etc/hostname"),
        with_body(b"-n 100% \\x41 'quoted'\r\n\t\n\n"),
        with_body("東京 naïve 🦀 \u{202e}\n".as_bytes()),
        with_body(&every_byte),
        with_body(&every_byte.repeat(800)),
        with_body(&b"long text, ".repeat(20_000)),
    ];
    let shells: Vec<_> = ["sh", "bash", "dash", "zsh"].into_iter().filter(|shell| runs(shell)).collect();
    for capture in &captures {
        let line = written("curl", capture);
        for shell in &shells {
            compare(capture, &sent(shell, &line, &listener));
        }
    }
}

fn compare(capture: &Capture, received: &[u8]) {
    let end = received.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let head = Head::parse(Bytes::copy_from_slice(&received[..end]));
    let line = |head: &Head| (head.method().into_owned(), head.target().clone());
    assert_eq!(line(&head), line(&capture.head));
    assert_eq!(head.headers().get("host"), capture.head.headers().get("host"));
    let own = ["host", "content-length", "user-agent", "connection", "transfer-encoding", "x-hop"];
    let theirs = |head: &Head| {
        let kept = |header: &Header<'_>| !own.contains(&&*header.name_text().to_ascii_lowercase());
        head.headers().iter().filter(kept).collect::<Headers>()
    };
    assert_eq!(theirs(&head), theirs(&capture.head), "{}", capture.head.method());
    assert_eq!(head.headers().get("user-agent"), capture.head.headers().get("user-agent"));
    assert!(
        received[end..] == capture.body.bytes,
        "{}",
        body::escape_bytes(&received[end..received.len().min(end + 200)])
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_curl_line_is_one_line_of_safe_characters(target in "(\\PC|[\\x00-\\x1f\u{202e}\u{301}]){0,20}", value: Vec<u8>, body: Vec<u8>, text in "\\PC{0,40}") {
        let head = [b"POST /", target.as_bytes(), b" HTTP/1.1\r\nX: ", &value, b"\r\n\r\n"].concat();
        for body in [body, text.into_bytes()] {
            let line = String::from_utf8(written("curl", &capture(head.clone(), body))).unwrap();
            let line = line.strip_suffix('\n').unwrap();
            prop_assert!(line.chars().all(body::is_safe), "{line:?}");
            prop_assert_eq!(body::escape(line), line);
        }
    }
}
