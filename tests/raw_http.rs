//! What comes over the wire, byte by byte: each odd request has its answer, its mark, and its place in the store.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod support;

use std::{
    io::{Read, Write},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http2::SendRequest;
use serde_json::Value;
use support::{Home, Serving};
use tokio::task::JoinHandle;

/// What should become of some bytes.
enum Fate {
    /// A capture, answered with this status, with these flags.
    Caught(u16, &'static [&'static str]),
    /// No capture; answered with this status, and counted as refused.
    Refused(u16),
}
use Fate::{Caught, Refused};

/// The longest name that there is room for in the table below.
type Row = (&'static str, &'static [u8], Fate);

const TABLE: &[Row] = &[
    ("plain", b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}", Caught(200, &[])),
    ("no body", b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", Caught(200, &[])),
    ("HTTP/1.0", b"GET / HTTP/1.0\r\n\r\n", Caught(200, &[])),
    ("HEAD", b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", Caught(200, &[])),
    ("OPTIONS *", b"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", Caught(200, &[])),
    ("unknown method", b"BREW /pot HTTP/1.1\r\nHost: h\r\n\r\n", Caught(200, &[])),
    ("method of 33 letters", b"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1\r\nHost: h\r\n\r\n", Caught(501, &["method-too-long"])),
    ("chunked", b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\n\r\n", Caught(200, &[])),
    ("trailers", b"POST / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nTrailer: X-T\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-T: 1\r\n\r\n", Caught(200, &["trailers"])),
    ("both lengths", b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", Caught(400, &["both-lengths"])),
    ("two equal lengths", b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", Caught(400, &["duplicate-length"])),
    ("two different lengths", b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", Refused(400)),
    ("length list", b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5, 5\r\n\r\nhello", Refused(400)),
    ("length +5", b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +5\r\n\r\nhello", Refused(400)),
    ("length 0x5", b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x5\r\n\r\nhello", Refused(400)),
    ("length -1", b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", Refused(400)),
    ("length 2^64", b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551616\r\n\r\n", Refused(400)),
    ("coding gzip, chunked", b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", Caught(501, &["transfer-coding"])),
    ("coding chunked, chunked", b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", Caught(501, &["transfer-coding"])),
    ("two coding lines", b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Caught(501, &["transfer-coding"])),
    ("coding identity", b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n", Refused(400)),
    ("coding xchunked", b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", Refused(400)),
    ("chunked on HTTP/1.0", b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Refused(400)),
    ("bare line feeds", b"POST /lf HTTP/1.1\nHost: h\nContent-Length: 1\n\na", Caught(200, &["lenient-framing"])),
    ("folded header", b"GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n", Refused(400)),
    ("NUL in a value", b"GET / HTTP/1.1\r\nHost: h\r\nA: b\0c\r\n\r\n", Refused(400)),
    ("ESC in a value", b"GET / HTTP/1.1\r\nHost: h\r\nA: \x1b[2J\r\n\r\n", Refused(400)),
    ("DEL in a value", b"GET / HTTP/1.1\r\nHost: h\r\nA: \x7f\r\n\r\n", Refused(400)),
    ("space in a name", b"GET / HTTP/1.1\r\nHost: h\r\nA b: c\r\n\r\n", Refused(400)),
    ("space before the colon", b"GET / HTTP/1.1\r\nHost: h\r\nA : c\r\n\r\n", Refused(400)),
    ("no name", b"GET / HTTP/1.1\r\nHost: h\r\n: c\r\n\r\n", Refused(400)),
    ("8-bit value", b"GET / HTTP/1.1\r\nHost: h\r\nA: \x9b31m caf\xe9\r\n\r\n", Caught(200, &["control-bytes"])),
    ("no Host", b"GET / HTTP/1.1\r\n\r\n", Caught(200, &["host-missing"])),
    ("two Hosts", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", Caught(400, &["host-bad"])),
    ("Host with a slash", b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", Caught(400, &["host-bad"])),
    ("CONNECT", b"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n", Caught(405, &["proxy-probe"])),
    ("absolute form", b"GET http://h/x HTTP/1.1\r\nHost: h\r\n\r\n", Caught(200, &[])),
    ("absolute form elsewhere", b"GET http://other/x HTTP/1.1\r\nHost: h\r\n\r\n", Caught(200, &["host-disagrees"])),
    ("dots and escapes in the path", b"GET /../..%00%1b[2J HTTP/1.1\r\nHost: h\r\n\r\n", Caught(200, &[])),
    ("raw UTF-8 in the path", b"GET /caf\xc3\xa9 HTTP/1.1\r\nHost: h\r\n\r\n", Caught(200, &["control-bytes"])),
    ("other expectation", b"POST / HTTP/1.1\r\nHost: h\r\nExpect: tea\r\nContent-Length: 1\r\n\r\na", Caught(417, &["expectation"])),
    ("websocket", b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", Caught(200, &["upgrade-asked"])),
    ("h2c upgrade", b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n", Caught(200, &["upgrade-asked"])),
    ("from a web page", b"POST / HTTP/1.1\r\nHost: h\r\nOrigin: https://evil.example\r\nContent-Length: 0\r\n\r\n", Caught(200, &["from-web-page"])),
    ("declared over the limit", b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99000000000\r\n\r\nabc", Caught(413, &["too-large"])),
    ("chunk +5", b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n+5\r\nhello\r\n0\r\n\r\n", Caught(400, &["bad-chunk"])),
    ("chunk 0x5", b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0x5\r\nhello\r\n0\r\n\r\n", Caught(400, &["bad-chunk"])),
    ("chunk without its line end", b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n", Caught(400, &["bad-chunk"])),
    ("chunk size overflow", b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\nfffffffffffffffff\r\n", Caught(400, &["bad-chunk"])),
    ("TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", Refused(400)),
    ("SSH banner", b"SSH-2.0-OpenSSH_9.2\r\n", Refused(400)),
    ("random bytes", b"\x00\x01\x02\xff\xfe\r\n\r\n", Refused(400)),
    ("HTTP/0.9", b"GET /\r\n\r\n", Refused(400)),
    ("HTTP/2.0 in text", b"GET / HTTP/2.0\r\nHost: h\r\n\r\n", Refused(400)),
    ("HTTP/3.7 in text", b"GET / HTTP/3.7\r\nHost: h\r\n\r\n", Refused(400)),
    ("leading empty lines", b"\r\n\r\nGET /late HTTP/1.1\r\nHost: h\r\n\r\n", Caught(200, &[])),
];

/// The first status in an answer.
fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
}

/// Sends bytes and says that no more will come; gives all that comes back.
fn send(serving: &Serving, bytes: &[u8]) -> String {
    let mut stream = serving.connect();
    stream.write_all(bytes).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn flags(row: &Value) -> Vec<&str> {
    row["flags"].as_array().unwrap().iter().map(|flag| flag.as_str().unwrap()).collect()
}

#[test]
fn every_odd_request_has_its_answer_and_its_mark() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    let mut wrong = Vec::new();
    for (name, bytes, fate) in TABLE {
        let before = home.captures().len();
        let answer = send(&serving, bytes);
        let rows = home.captures();
        let kept = rows.len() - before;
        let (wanted, count, marks) = match fate {
            Caught(status, flags) => (*status, 1, *flags),
            Refused(status) => (*status, 0, &[][..]),
        };
        if status(&answer) != wanted || kept != count {
            wrong.push(format!("{name}: {} and {kept} kept, not {wanted} and {count}", status(&answer)));
        } else if count == 1 && flags(&rows[before]) != marks {
            wrong.push(format!("{name}: flags {:?}, not {marks:?}", flags(&rows[before])));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_refused_head_is_listed_with_what_is_wrong_with_it_and_its_sender_is_told() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    let refused: Vec<_> = TABLE.iter().filter(|(_, _, fate)| matches!(fate, Refused(_))).collect();
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(101));
    let all = refused.iter().map(|(_, bytes, _)| *bytes).chain([many.as_bytes()]);
    let answers: Vec<_> = all.map(|bytes| send(&serving, bytes)).collect();
    // What was refused is on the disk once another request is answered.
    serving.post("/", &[], b"");
    let listed = home.yes(&["refused", "--json", "-n", "0"]);
    let mut reasons: Vec<String> = listed
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["reason"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(reasons.len(), answers.len());
    for (reason, answer) in reasons.iter().zip(answers.iter().rev()) {
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert_eq!(body, format!("{reason}\n"));
        let length = format!("Content-Length: {}", body.len());
        assert!(head.contains("Connection: close") && head.ends_with(&length), "{head}");
    }
    assert_eq!(reasons.remove(0), "101 headers, 100 are taken: [limits] headers");
    for ((name, _, _), reason) in refused.iter().rev().zip(&reasons) {
        assert!(reason.starts_with("malformed head: ") || reason.starts_with("not HTTP"), "{name}: {reason}");
    }
    for words in ["two Content-Lengths", "a Content-Length over 2^64", "a header goes on in the next line"] {
        assert!(reasons.iter().any(|reason| reason.contains(words)), "{words}: {reasons:?}");
    }
}

#[test]
fn a_caught_head_is_kept_as_it_came() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    let raw = b"PoST /a?x=1&x=2#no HTTP/1.1\r\nhOsT:  h \r\nX-Dup: a\r\nx-dup: b\r\nX-8: \xe9\r\nX-Empty:\r\nContent-Length: 3\r\n\r\n\x00\xff\n";
    send(&serving, raw);
    let one: Value = serde_json::from_str(&home.yes(&["show", "1", "--json"])).unwrap();
    let headers = serde_json::json!([
        ["hOsT", "h"],
        ["X-Dup", "a"],
        ["x-dup", "b"],
        ["X-8", "\u{e9}"],
        ["X-Empty", ""],
        ["Content-Length", "3"]
    ]);
    assert_eq!((&one["method"], &one["target"], &one["headers"]), (&"PoST".into(), &"/a?x=1&x=2#no".into(), &headers));
    assert_eq!(home.run(&["show", "1", "--as", "http"]).stdout, raw);
    assert_eq!(one["body"]["base64"], "AP8K");
}

#[test]
fn pipelined_requests_are_rows_of_their_own_in_order() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    let all: Vec<u8> = (0..20)
        .flat_map(|n| format!("POST /{n} HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n{}", n % 10).into_bytes())
        .chain(*b"rubbish rubbish\r\n\r\n")
        .collect();
    let answer = send(&serving, &all);
    assert_eq!((answer.matches("HTTP/1.1 200").count(), answer.matches("HTTP/1.1 400").count()), (20, 1));
    let paths: Vec<_> = home.captures().iter().map(|row| row["path"].as_str().unwrap().to_owned()).collect();
    assert_eq!(paths, (0..20).map(|n| format!("/{n}")).collect::<Vec<_>>());
}

#[test]
fn a_body_that_ends_early_is_kept_as_far_as_it_came() {
    let home = Home::new();
    let mut serving = home.serve(&[]);
    send(&serving, b"POST /cut HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nonly");
    assert!(serving.line().contains("/cut"));
    send(&serving, b"POST /chunk HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nonly\r\n");
    assert!(serving.line().contains("/chunk"));
    for (id, declared) in [("1", 10.into()), ("2", Value::Null)] {
        let one: Value = serde_json::from_str(&home.yes(&["show", id, "--json"])).unwrap();
        assert_eq!((&one["body"]["text"], &one["body"]["truncated"]), (&"only".into(), &true.into()));
        assert_eq!(flags(&one), ["cut"], "{declared}");
    }
}

#[test]
fn limits_are_set_in_the_configuration_and_hold() {
    let home = Home::new();
    home.write("creel.toml", "[limits]\nhead_s = 1\nbody_idle_s = 1\nkeep_alive_s = 1\nbody_mib = 1\nhead_kib = 8\nheaders = 10\nconnections = 4\n");
    let serving = home.serve(&["--quiet"]);
    // A chunked body over the limit: its first part is kept.
    let chunk = [b"10000\r\n".to_vec(), vec![b'x'; 0x10000], b"\r\n".to_vec()].concat();
    let head = b"POST /big HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    let answer = serving.raw(&[&head[..], &chunk.repeat(20)].concat());
    assert_eq!(status(&answer), 413, "{answer}");
    let one = &home.captures()[0];
    assert_eq!((&one["body"]["size"], flags(one)), (&(1 << 20).into(), vec!["too-large"]));
    // Too many headers, too large a head.
    let many = "A: b\r\n".repeat(11);
    assert_eq!(status(&send(&serving, format!("GET / HTTP/1.1\r\n{many}\r\n").as_bytes())), 431);
    let long = "a".repeat(9 << 10);
    assert_eq!(status(&send(&serving, format!("GET /{long} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes())), 431);
    // A head, and a body, that do not go on.
    assert_eq!(status(&serving.raw(b"GET / HTTP/1.1\r\nHo")), 408);
    assert_eq!(status(&serving.raw(b"POST /slow HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nslow")), 408);
    assert_eq!(flags(home.captures().last().unwrap()), ["cut"]);
    // A connection that says nothing more is closed; so is one too many.
    let answer = serving.raw(b"GET /idle HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!(answer.matches("HTTP/1.1 200").count(), 1);
    let crowd: Vec<_> = (0..4).map(|_| serving.connect()).collect();
    assert_eq!(status(&serving.raw(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")), 503);
    drop(crowd);
}

/// A connection that speaks HTTP/2: who sends on it, and its end.
async fn http2(serving: &Serving) -> (SendRequest<Full<Bytes>>, JoinHandle<hyper::Result<()>>) {
    let stream = tokio::net::TcpStream::connect(serving.address).await.unwrap();
    let (io, executor) = (hyper_util::rt::TokioIo::new(stream), hyper_util::rt::TokioExecutor::new());
    let (sender, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
    (sender, tokio::spawn(connection))
}

#[test]
fn an_http_2_connection_without_requests_is_closed_though_it_answers_every_ping() {
    let home = Home::new();
    home.write(
        "creel.toml",
        // Half of it is how long an answer to a ping may take, on a busy machine, too.
        "[limits]\nkeep_alive_s = 3\n\n[[endpoint]]\nname = \"slow\"\npath = \"/slow\"\nrespond = { delay_ms = 3500 }\n",
    );
    let serving = home.serve(&["--quiet"]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (status, ended) = runtime.block_on(async {
        let (mut sender, connection) = http2(&serving).await;
        let request = hyper::Request::get("http://h/slow").body(Full::default()).unwrap();
        let status = sender.send_request(request).await.unwrap().status();
        // Far longer than it takes: reached only where the connection is never closed.
        (status, tokio::time::timeout(Duration::from_secs(30), connection).await)
    });
    assert_eq!(status, 200, "one that waits for its answer is not idle");
    ended.expect("it stays open").unwrap().unwrap();
}

#[test]
fn frames_that_nobody_can_take_are_listed() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    serving.raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n");
    let refused = home.until(&["refused"], |rows| !rows.is_empty());
    assert!(refused.contains("malformed HTTP/2: frame with invalid size"), "{refused}");
}

#[test]
fn a_head_of_http_2_that_is_too_large_is_refused_and_listed_too() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let statuses = runtime.block_on(async {
        let (mut sender, _connection) = http2(&serving).await;
        let mut statuses = Vec::new();
        for (count, size) in [(1, 60 << 10), (1, 70 << 10), (101, 1), (90, 1)] {
            let mut request = hyper::Request::get("http://h/");
            for n in 0..count {
                request = request.header(format!("x-{n}"), "a".repeat(size));
            }
            statuses.push(sender.send_request(request.body(Full::default()).unwrap()).await.unwrap().status().as_u16());
        }
        statuses
    });
    assert_eq!(statuses, [200, 431, 431, 200]);
    let refused = home.until(&["refused"], |rows| rows.lines().count() == 2);
    for words in ["431", "the head is too large, 64 KiB are taken", "102 headers, 100 are taken"] {
        assert!(refused.contains(words), "{words}: {refused}");
    }
}

#[test]
fn cleartext_http_2_is_caught() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (status, head) = runtime.block_on(async {
        let (mut sender, _connection) = http2(&serving).await;
        let body = Full::new(Bytes::from_static(b"{\"h\":2}"));
        let request = hyper::Request::post("http://name.example/two?x")
            .header("x-dup", "a")
            .header("x-dup", "b")
            .body(body)
            .unwrap();
        let status = sender.send_request(request).await.unwrap().status();
        let request = hyper::Request::head("http://name.example/").body(Full::default()).unwrap();
        let head = sender.send_request(request).await.unwrap();
        (status, head.map(http_body_util::BodyExt::collect))
    });
    assert_eq!(status, 200);
    // A body after the answer to HEAD would be an error of the protocol.
    assert_eq!((head.status().as_u16(), &head.headers()["content-length"]), (200, &"12".parse().unwrap()));
    assert!(runtime.block_on(head.into_body()).unwrap().to_bytes().is_empty());
    let one: Value = serde_json::from_str(&home.yes(&["show", "1", "--json"])).unwrap();
    assert_eq!(
        (&one["version"], &one["target"], &one["body"]["text"]),
        (&"HTTP/2.0".into(), &"/two?x".into(), &"{\"h\":2}".into())
    );
    let headers = one["headers"].as_array().unwrap();
    assert!(headers.contains(&serde_json::json!(["host", "name.example"])), "{headers:?}");
    assert_eq!(headers.iter().filter(|pair| pair[0] == "x-dup").count(), 2);
}
