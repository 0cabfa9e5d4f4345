//! What arrives at an app is what was caught, byte for byte, but for what the receipt says; and no reply does harm.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc::{Receiver, channel},
    thread,
};

use serde_json::Value;
use support::{
    Home, Serving,
    app::{App, request, status},
    port::Port,
};

/// An app that tells what it got and does what it is told with the connection.
fn app(act: impl Fn(TcpStream) + Send + 'static) -> (String, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (told, heard) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let request = request(&mut stream).unwrap_or_default();
            act(stream);
            let _ = told.send(request);
        }
    });
    (url, heard)
}

fn say(bytes: &'static [u8]) -> impl Fn(TcpStream) + Send + 'static {
    move |mut stream| drop(stream.write_all(bytes))
}

fn send(serving: &Serving, raw: &[u8]) {
    let mut stream = serving.connect();
    stream.write_all(raw).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let _ = stream.read_to_end(&mut Vec::new());
}

fn delivery(home: &Home, id: &str, to: &str) -> Value {
    let output = home.run(&["resend", id, "--to", to, "--json"]);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

/// Odd requests: what came, less what may change. `{H}` stands for the Host that was sent.
const ODD: &[&[u8]] = &[
    b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"DELETE /d HTTP/1.1\r\nHost: x\r\n\r\n",
    b"BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /q?a=1&a=2&&b=%20+ HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    b"POST /../%2e/%00//x HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /caf\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST / HTTP/1.1\r\nX-First: 1\r\nhOsT: x\r\nX-Last: 2\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nX-Dup: a\r\nx-dup: b\r\nX-DUP: c\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nX-Empty: \r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nX-8-bit: caf\xe9 \x9b\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nX-Odd!#$%&'*+-.^_`|~: y\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x00",
    b"POST / HTTP/1.1\r\nHost: x\r\nCONTENT-LENGTH: 5\r\n\r\n\r\n\r\n\x00",
    b"POST / HTTP/1.1\r\nHost: x\r\nCookie: a=b; c=d\r\nAuthorization: Basic eDp5\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nAccept: */*\r\nUser-Agent: \r\nDate: yesterday\r\n\r\n",
    b"PATCH /p HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n{\"n\":1.0,  ",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    b"HEAD /h HTTP/1.1\r\nHost: x\r\n\r\n",
    b"PUT /p HTTP/1.1\r\nHost: x\r\nStripe-Signature: t=1,v1=aa,v0=bb\r\nContent-Length: 1\r\n\r\nx",
    b"post /lower HTTP/1.1\r\nHost: x\r\n\r\n",
    b"PROPFIND /dav/ HTTP/1.1\r\nHost: x\r\nDepth: 1\r\n\r\n",
    b"M-SEARCH * HTTP/1.1\r\nHost: x\r\nMAN: \"ssdp:discover\"\r\n\r\n",
    b"REPORT!#$%&'*+-.^_`|~ /token HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /with-a-body HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody",
    b"DELETE /with-a-body HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n\xff\x00",
    b"POST /\xf0\x9f\xa6\x80/\xe6\x9d\xb1?q=\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /%zz/%2F%2f/%C3%A9/%e9?%3d%26=%00 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST //double//slash// HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /a/./b/../c?/../d HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /?? HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /?a=http://b/c&d=[1]{2}|^` HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /a;v=1,2:3@4!$'()*+ HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nX-Inner: a\tb  c\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nX-Quoted: \"a, b\"; c=\"\\\"\", d\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nA: 1\r\na: 1\r\nA: 1\r\na: 1\r\nA: 1\r\na: 1\r\nA: 1\r\na: 1\r\nA: 1\r\na: 1\r\nA: 1\r\na: 1\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nX: \r\nX: \r\nY: \r\nX: \r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nSet-Cookie: a\r\nCookie: b\r\nCookie: c\r\nCookie: \r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nAccept-Encoding: br\r\nCache-Control: no-cache\r\nPragma: no-cache\r\nRange: bytes=0-\r\nIf-Match: *\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.2.3.4\r\nForwarded: for=1.2.3.4;host=y\r\nVia: 1.1 p\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\n1: 2\r\n-: -\r\n~: ~\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\n\r\n\r\nHTTP",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 51\r\n\r\n--b\r\nContent-Disposition: form-data; name=a\r\n\r\n\x00\xff\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: br, gzip\r\nContent-Length: 3\r\n\r\n{} ",
];

/// What came, what must arrive (`{H}` is the app's host), and what the receipt says beside the host and the connection.
type Other = (&'static [u8], &'static str, &'static [&'static str]);

/// Requests of which something must change on the way: it does, and nothing else.
const OTHER: &[Other] = &[
    (
        b"POST /t HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\nA: 1\r\n\r\n1;e=1\r\na\r\n2\r\n\r\n\r\n0\r\nX-T: 9\r\n\r\n",
        "POST /t HTTP/1.1\r\nHost: {H}\r\nA: 1\r\nContent-Length: 3\r\nConnection: close\r\n\r\na\r\n",
        &["- Transfer-Encoding: chunked", "- Trailer: X-T", "+ Content-Length: 3"],
    ),
    (
        b"GET http://other:1/p?q=1 HTTP/1.1\r\nHost: other:1\r\n\r\n",
        "GET /p?q=1 HTTP/1.1\r\nHost: {H}\r\nConnection: close\r\n\r\n",
        &["~ target: http://other:1/p?q=1 → /p?q=1"],
    ),
    (
        b"GET http://other HTTP/1.1\r\nHost: other\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: {H}\r\nConnection: close\r\n\r\n",
        &["~ target: http://other → /"],
    ),
    (
        b"GET /old HTTP/1.0\r\nA: 1\r\n\r\n",
        "GET /old HTTP/1.1\r\nA: 1\r\nHost: {H}\r\nConnection: close\r\n\r\n",
        &["~ version: HTTP/1.0 → HTTP/1.1"],
    ),
    (
        b"POST / HTTP/1.1\r\nHost: x\r\nKeep-Alive: 5\r\nTE: trailers\r\nProxy-Connection: x\r\nconnection: X-Hop, close\r\nX-Hop: 1\r\nZ: 2\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: {H}\r\nZ: 2\r\nConnection: close\r\n\r\n",
        &["- Keep-Alive: 5", "- TE: trailers", "- Proxy-Connection: x", "- connection: X-Hop, close", "- X-Hop: 1"],
    ),
    (
        b"POST / HTTP/1.1\r\nHost:x\r\nA:1\r\nB:   2  \r\n\r\n",
        "POST / HTTP/1.1\r\nHost:{H}\r\nA:1\r\nB:   2  \r\nConnection: close\r\n\r\n",
        &[],
    ),
];

#[test]
fn what_must_change_changes_and_nothing_else() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    let (url, heard) = app(say(b"HTTP/1.1 204 No Content\r\n\r\n"));
    let host = url.trim_start_matches("http://");
    for (n, (raw, arrives, lines)) in OTHER.iter().enumerate() {
        send(&serving, raw);
        let delivery = delivery(&home, &(n + 1).to_string(), &url);
        let got = heard.recv().unwrap();
        assert_eq!(String::from_utf8_lossy(&got), arrives.replace("{H}", host), "request {n}: {delivery}");
        let receipt: Vec<_> = delivery["receipt"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let said = receipt.iter().filter(|line| !line.contains("ost: ") && **line != "+ Connection: close");
        let mut said: Vec<_> = said.copied().collect();
        let mut lines = lines.to_vec();
        said.sort_unstable();
        lines.sort_unstable();
        assert_eq!(said, lines, "request {n}");
    }
}

#[test]
fn a_head_as_long_as_it_may_be_and_a_body_of_every_byte_arrive_as_they_came() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    let (url, heard) = app(say(b"HTTP/1.1 204 No Content\r\n\r\n"));
    let (long, every): (String, Vec<u8>) = ("v".repeat(30_000), (0..=255).cycle().take(100_000).collect());
    let head =
        format!("POST /{} HTTP/1.1\r\nHost: HOST\r\nX-Long: {long}\r\nContent-Length: 100000\r\n", "p".repeat(8_000));
    send(&serving, &[head.replace("HOST", "x").as_bytes(), b"\r\n", &every].concat());
    assert_eq!(delivery(&home, "1", &url)["status"], 204);
    let head = head.replace("HOST", url.trim_start_matches("http://")) + "Connection: close\r\n\r\n";
    assert!(heard.recv().unwrap() == [head.as_bytes(), &every].concat());
}

#[test]
fn odd_requests_arrive_as_they_came() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    let (url, heard) = app(say(b"HTTP/1.1 204 No Content\r\n\r\n"));
    let host = url.trim_start_matches("http://").as_bytes().to_vec();
    for (n, raw) in ODD.iter().enumerate() {
        send(&serving, raw);
        let delivery = delivery(&home, &(n + 1).to_string(), &url);
        assert_eq!(delivery["status"], 204, "{delivery}");
        // Host is the app's, and the connection is closed afterwards: the receipt says both, and nothing else changed.
        let text = raw
            .windows(3)
            .position(|w| w == b": x")
            .map(|at| [&raw[..at + 2], &host, &raw[at + 3..]].concat())
            .unwrap();
        let end = text.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
        let expected = [&text[..end], b"\r\nConnection: close", &text[end..]].concat();
        let got = heard.recv().unwrap();
        assert_eq!(String::from_utf8_lossy(&got), String::from_utf8_lossy(&expected), "request {n}");
        let receipt = delivery["receipt"].as_array().unwrap();
        assert_eq!(receipt.len(), 2, "{receipt:?}");
    }
}

#[test]
fn a_chunked_request_is_sent_with_its_length_and_the_receipt_says_so() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    let (url, heard) = app(say(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    send(
        &serving,
        b"POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nA: 1\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
    );
    let delivery = delivery(&home, "1", &format!("{url}/hooks?k=v"));
    let got = String::from_utf8(heard.recv().unwrap()).unwrap();
    assert!(
        got.starts_with("POST /hooks?k=v HTTP/1.1\r\n")
            && got.ends_with("A: 1\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc"),
        "{got}"
    );
    let receipt: Vec<_> = delivery["receipt"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    for line in ["~ target: /c → /hooks?k=v", "- Transfer-Encoding: chunked", "+ Content-Length: 3"] {
        assert!(receipt.contains(&line), "{line}: {receipt:?}");
    }
}

#[test]
fn every_way_an_app_can_fail_is_told_in_words() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    send(&serving, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}");
    let garbage = app(say(b"\x16\x03\x01 not http at all\r\n\r\n"));
    let silence = app(drop);
    let half = app(say(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf"));
    let long_head = app(|mut stream| {
        drop(stream.write_all(&[b"HTTP/1.1 200 OK\r\nA: ", &vec![b'a'; 200 << 10][..], b"\r\n\r\n"].concat()));
    });
    let nobody = Port::reserved();
    for (to, words) in [
        (&garbage.0[..], "did not answer in HTTP/1"),
        (&silence.0, "closed the connection without a whole reply"),
        (&half.0, "closed the connection without a whole reply"),
        (&long_head.0, "larger than 64 KiB"),
        (&nobody.url(), "connection refused: nothing listens on"),
    ] {
        let delivery = delivery(&home, "1", to);
        let error = delivery["error"].as_str().unwrap();
        assert!(error.contains(words) && !error.contains('\n'), "{to}: {error}");
        assert_eq!(delivery["status"], Value::Null);
    }
}

#[test]
fn what_is_no_url_is_told_before_anything_is_sent_or_stored() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    serving.post("/", &[], b"{}");
    for (to, hint) in [("localhost:3000", "did you mean http://localhost:3000?"), ("ftp://h", "it is http://HOST")] {
        for args in [&["resend", "1", "--to", to][..], &["send", "github/push", "--secret", "s", "--to", to]] {
            let said = home.fails(2, args);
            assert!(said.contains("is no URL that creel can send to") && said.contains(hint), "{args:?}: {said}");
        }
        assert!(home.fails(2, &["serve", "--listen", "0", "--forward", to]).contains(hint));
    }
    assert!(home.captures()[0]["deliveries"].as_array().unwrap().is_empty());
}

#[test]
fn a_reply_is_kept_as_it_came_and_no_longer_than_its_limit() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    send(&serving, b"POST / HTTP/1.1\r\nHost: x\r\n\r\n");
    // Interim replies, a redirect, odd headers: kept and not followed.
    let odd = app(say(b"HTTP/1.1 103 Early Hints\r\nLink: no\r\n\r\nHTTP/1.1 302 Found\r\nLOCATION: http://127.0.0.1:1/\r\nX-b: 1\r\nx-B: 2\r\nContent-Length: 1\r\n\r\n!"));
    let redirect = delivery(&home, "1", &odd.0);
    let headers =
        serde_json::json!([["LOCATION", "http://127.0.0.1:1/"], ["X-b", "1"], ["x-B", "2"], ["Content-Length", "1"]]);
    assert_eq!((&redirect["status"], &redirect["reply"]["headers"]), (&302.into(), &headers));
    let endless = app(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(&[b'x'; 8 << 10]).is_ok() {}
    });
    let cut = delivery(&home, "1", &endless.0);
    assert_eq!(
        (&cut["status"], &cut["reply"]["body"]["size"], &cut["reply"]["body"]["truncated"]),
        (&200.into(), &(1 << 20).into(), &true.into())
    );
}

/// An app behind TLS, with a certificate that nobody vouches for. Its key is in `tests/data`: it guards nothing.
fn secure_app() -> (String, Receiver<Vec<u8>>) {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
    let cert = CertificateDer::from_pem_slice(include_bytes!("data/tls/cert.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("data/tls/key.pem")).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert], key)
        .unwrap();
    let config = std::sync::Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let (told, heard) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = rustls::ServerConnection::new(std::sync::Arc::clone(&config)).unwrap();
            let mut stream = rustls::StreamOwned::new(connection, stream.unwrap());
            let request = request(&mut stream).unwrap_or_default();
            let _ = stream.write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
            let _ = told.send(request);
        }
    });
    (url, heard)
}

#[test]
fn an_app_behind_tls_gets_the_bytes_only_when_its_certificate_is_vouched_for_or_waived() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    send(&serving, b"POST /a HTTP/1.1\r\nHost: x\r\nX-dUp: 1\r\nContent-Length: 2\r\n\r\n{}");
    let (url, heard) = secure_app();
    let refused = delivery(&home, "1", &url);
    let error = refused["error"].as_str().unwrap();
    assert!(error.contains("nobody vouches for its certificate") && error.contains("--insecure"), "{error}");
    assert_eq!(heard.recv().unwrap(), b"", "not a byte of it was sent");
    let output = home.run(&["resend", "1", "--to", &url, "--insecure", "--json"]);
    let taken: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(taken["status"], 202, "{taken}");
    let host = url.trim_start_matches("https://");
    let expected = format!("POST /a HTTP/1.1\r\nHost: {host}\r\nX-dUp: 1\r\nContent-Length: 2\r\n");
    let got = String::from_utf8(heard.recv().unwrap()).unwrap();
    assert!(got.starts_with(&expected) && got.ends_with("\r\n\r\n{}"), "{got}");
}

#[test]
fn what_is_edited_is_sent_and_told_in_the_receipt() {
    let home = Home::new();
    home.write(
        "creel.toml",
        "[[endpoint]]\nname = 'gh'\npath = '/gh'\nprovider = 'github'\nsecret = { command = 'echo s' }\n",
    );
    let serving = home.serve(&["--quiet"]);
    send(&serving, b"POST /gh HTTP/1.1\r\nHost: x\r\nX-Old: 1\r\nX-GitHub-Event: push\r\nX-Hub-Signature-256: sha256=00\r\nX-GitHub-Delivery: d1\r\nContent-Length: 15\r\n\r\n{\"a\":{\"b\":1.0}}");
    let (url, heard) = app(say(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    let edits = [
        "--set",
        "body.a.b=5",
        "--set",
        "c=new",
        "--header",
        "X-Mine: 2",
        "--drop-header",
        "x-old",
        "--resign",
        "--new-id",
    ];
    let output = home.run(&[&["resend", "1", "--to", &url, "--json"], &edits[..]].concat());
    let sent: Value = serde_json::from_slice(&output.stdout).unwrap();
    let got = String::from_utf8(heard.recv().unwrap()).unwrap();
    let (head, body) = got.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, r#"{"a":{"b":5},"c":"new"}"#);
    assert!(head.contains("X-Mine: 2") && !head.contains("X-Old") && head.contains("Content-Length: 23"), "{head}");
    // The app judges it as its provider's: right, and a new delivery.
    home.write("got.http", &got);
    assert!(home.yes(&["verify", "--file", "got.http", "--provider", "github", "--secret", "s"]).starts_with("passed"));
    assert!(head.contains("X-GitHub-Delivery: resend_"), "{head}");
    let receipt = sent["receipt"].to_string();
    for line in [
        "- X-Old: 1",
        "+ X-Mine: 2",
        "~ X-GitHub-Delivery: d1",
        "~ X-Hub-Signature-256",
        "~ body a.b: 1.0 → 5",
        "~ body c: nothing → \\\"new\\\", new",
        "~ body: 15 bytes → 23 bytes, edited",
    ] {
        assert!(receipt.contains(line), "{line}: {receipt}");
    }
    // Without edits nothing of it is touched.
    let plain = delivery(&home, "1", &url)["receipt"].to_string();
    assert!(!plain.contains("X-") && !plain.contains("body"), "{plain}");
    for (args, words) in [
        (&["resend", "1", "--to", &url, "--set", "a.b.c=1"][..], "nothing below which c could stand"),
        (
            &["resend", "1", "--to", &url, "--set", "a[1]=1"],
            "setting a[1] of capture 1: there is no element 1: a is an object",
        ),
        (&["resend", "1", "--to", &url, "--set", "=1"], "sets nothing"),
        (&["resend", "1", "--to", &url, "--header", "x"], "is no header"),
        (&["resend", "1", "--to", &url, "--header", "bad name: v"], "reading --header `bad name`: it is no header"),
        (&["resend", "1", "--to", &url, "--header", "X-A: a\r\nX-B: c"], "reading --header `X-A`: there is a line end"),
        (&["respond", "gh", "--header", "X-A: a\nX-B: c"], "reading --header `X-A`: there is a line end"),
    ] {
        assert!(home.fails(2, args).contains(words), "{args:?}");
    }
}

#[test]
fn a_header_is_had_twice_and_host_too_and_the_receipt_says_so() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    send(
        &serving,
        b"POST /a HTTP/1.1\r\nHost: x\r\nX-Dup: a\r\nX-Between: 0\r\nx-dup: b\r\nContent-Length: 2\r\n\r\n{}",
    );
    let (url, heard) = app(say(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    let headers =
        ["--header", "x-dup: 1", "--header", "X-Dup: 2", "--header", "Host: shop.example", "--header", "X-Dup: 1"];
    let sent: Value =
        serde_json::from_slice(&home.run(&[&["resend", "1", "--to", &url, "--json"], &headers[..]].concat()).stdout)
            .unwrap();
    let got = String::from_utf8(heard.recv().unwrap()).unwrap();
    let head = "POST /a HTTP/1.1\r\nHost: shop.example\r\nX-Dup: 1\r\nX-Dup: 2\r\nX-Dup: 1\r\nX-Between: 0\r\n";
    assert!(got.starts_with(head), "{got}");
    let receipt =
        ["~ X-Dup: a → 1", "- x-dup: b", "+ X-Dup: 2", "~ Host: x → shop.example", "+ X-Dup: 1", "+ Connection: close"];
    assert_eq!(sent["receipt"], serde_json::json!(receipt));
    // One that a person wrote into the request is meant as well; one that nobody named is the app's.
    home.yes(&["resend", "1", "--to", &url, "--whole", "--transform", ".headers[0][1] = \"by.jq\""]);
    assert!(String::from_utf8(heard.recv().unwrap()).unwrap().contains("Host: by.jq\r\n"));
    home.yes(&["resend", "1", "--to", &url, "--whole", "--transform", ".headers[1][1] = \"by jq\""]);
    assert!(String::from_utf8(heard.recv().unwrap()).unwrap().contains(url.trim_start_matches("http://")));
    let sample =
        ["--header", "Host: h.example", "--header", "User-Agent: mine", "--header", "Content-Type: text/plain"];
    home.yes(&[&["send", "github/push", "--secret", "s", "--to", &url], &sample[..]].concat());
    let got = String::from_utf8(heard.recv().unwrap()).unwrap();
    for line in ["Host: h.example\r\n", "User-Agent: mine\r\n", "Content-Type: text/plain\r\n"] {
        let name = line.split(':').next().unwrap();
        assert!(got.contains(line) && got.matches(&format!("\n{name}:")).count() == 1, "{line}: {got}");
    }
    for name in ["Content-Length", "transfer-encoding", "Connection", "Expect"] {
        for what in [&["resend", "1"][..], &["send", "github", "--secret", "s"]] {
            let said = home.fails(2, &[what, &["--to", &url, "--header", &format!("{name}: 1")]].concat());
            assert!(said.contains(&format!("reading --header `{name}`: creel sets it itself")), "{said}");
        }
    }
}

#[test]
fn a_line_of_the_head_that_nothing_is_done_to_is_sent_as_it_came() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    let odd = "hOsT:  x\r\nX-Tab:\t1\r\nX-None:\r\nX-dUP:2  \r\nx-dup:   3\r\n";
    send(&serving, format!("POST /a HTTP/1.1\r\n{odd}Content-Length:2\r\n\r\n{{}}").as_bytes());
    let (url, heard) = app(say(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    let host = url.trim_start_matches("http://").to_owned();
    let lines = odd.replace("  x", &format!("  {host}"));
    for (args, lines) in [
        (&[][..], lines.clone()),
        (&["--header", "X-Tab: new"], lines.replace("\t1", "\tnew")),
        (&["--header", "X-New: new"], lines.clone()),
        (&["--drop-header", "x-dup"], lines.replace("X-dUP:2  \r\nx-dup:   3\r\n", "")),
    ] {
        home.yes(&[&["resend", "1", "--to", &url], args].concat());
        let got = String::from_utf8(heard.recv().unwrap()).unwrap();
        let length = "Content-Length:2\r\n";
        assert!(got.starts_with(&format!("POST /a HTTP/1.1\r\n{lines}{length}")), "{args:?}: {got}");
        assert_eq!(got.contains("X-New: new\r\n"), args.contains(&"X-New: new"), "{got}");
    }
}

#[test]
fn all_that_a_filter_takes_are_sent_oldest_first() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    for path in ["/a", "/b", "/a/c"] {
        send(&serving, format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").as_bytes());
    }
    let (url, heard) = app(say(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    let said = home.yes(&["resend", "--filter", "path:/a", "--to", &url, "--rate", "1000"]);
    assert!(said.contains("2 sent in ") && said.contains("s: 2 × 2xx; p50 "), "{said}");
    let paths: Vec<_> = heard.iter().take(2).map(|got| String::from_utf8(got).unwrap()[5..9].to_owned()).collect();
    assert_eq!(paths, ["/a H", "/a/c"]);
    assert_eq!(home.run(&["resend", "--filter", "path:/none", "--to", &url]).status.code(), Some(1));
}

#[test]
fn what_came_before_its_endpoint_was_configured_goes_to_its_app() {
    let home = Home::new();
    home.serve(&["--quiet"]).post("/shop/x", &[], b"{}");
    assert!(home.fails(2, &["resend", "1"]).contains("the endpoint `default` has no app"));
    let (url, got) = app(say(b"HTTP/1.1 204 No Content\r\n\r\n"));
    home.write("creel.toml", format!("[[endpoint]]\nname = 'shop'\npath = '/shop'\nforward = '{url}'"));
    home.yes(&["resend", "1"]);
    assert!(got.recv().unwrap().starts_with(b"POST /shop/x "));
}

#[test]
fn a_signature_over_the_url_is_over_the_one_that_the_app_is_asked_by() {
    let home = Home::new();
    let app = App::start(|_, _| status(200));
    home.write("creel.toml", format!("[[target]]\nname = 'below'\nurl = '{}/app'\nappend_path = true\n", app.url));
    let serving = home.serve(&["--quiet", "--provider", "twilio"]);
    serving.post("/in?x=1", &[("Content-Type", "application/x-www-form-urlencoded")], b"a=1");
    let elsewhere = format!("{}/hooks/twilio?key=2", app.url);
    for (to, asked) in [(&app.url[..], "/in?x=1"), (&elsewhere, "/hooks/twilio?key=2&x=1"), ("below", "/app/in?x=1")] {
        home.yes(&["resend", "1", "--to", to, "--resign", "--secret", "s"]);
        let got = app.next();
        assert!(got.starts_with(&format!("POST {asked} HTTP/1.1\r\n")), "{got}");
        home.write("got.http", &got);
        let url = format!("{}{asked}", app.url);
        let args = ["verify", "--file", "got.http", "--provider", "twilio", "--secret", "s", "--url", &url];
        assert!(home.yes(&args).starts_with("passed"), "{to}");
    }
}
