//! Code for a test, in four languages: it sends the request to the app at `APP` (HOST:PORT in the environment) and wants
//! a status of 2xx. What is sent is what [`super::sent`] says, to the byte; text stands as text, any other body in base64 or
//! as escaped bytes.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::sent::{self, Line};
use crate::record::{Capture, counted};

/// Around the tests: what they all need, and what runs them.
type Frame = (&'static str, &'static str);

pub(super) const PYTHON: Frame =
    (include_str!("../../assets/export/begin.py"), include_str!("../../assets/export/end.py"));

pub(super) const JAVASCRIPT: Frame = (include_str!("../../assets/export/begin.js"), "");

pub(super) const RUST: Frame = (include_str!("../../assets/export/begin.rs"), "");

pub(super) const GO: Frame = (include_str!("../../assets/export/begin.go"), "");

pub(super) fn python(capture: &Capture) -> Vec<u8> {
    let header = |line: &Line| match line {
        Line::Host(name) => format!("        (b{}, HOST),\n", bytes(name)),
        Line::Header(name, value) => format!("        (b{}, b{}),\n", bytes(name), bytes(value)),
    };
    let headers: String = sent::lines(capture).iter().map(header).collect();
    let body = match std::str::from_utf8(&capture.body.bytes) {
        Ok(text) if text.is_ascii() => format!("b{}", bytes(text.as_bytes())),
        Ok(string) => format!("{}.encode()", text(string, |c| format!("\\U{:08x}", c as u32))),
        Err(_) => format!("base64.b64decode(\"{}\")", STANDARD.encode(&capture.body.bytes)),
    };
    let (id, method, target) = (capture.id, bytes(capture.head.method().as_bytes()), bytes(capture.head.target()));
    format!(
        "\n\ndef test_capture_{id}():\n    # {}\n    reply = send({method}, {target}, [\n{headers}    ], {body})\n    \
         assert 200 <= reply.status < 300, (reply.status, reply.read())\n",
        about(capture)
    )
    .into_bytes()
}

pub(super) fn javascript(capture: &Capture) -> Vec<u8> {
    let header = |line: &Line| match line {
        Line::Host(name) => format!("    {}, APP,\n", bytes(name)),
        Line::Header(name, value) => format!("    {}, {},\n", bytes(name), bytes(value)),
    };
    let headers: String = sent::lines(capture).iter().map(header).collect();
    let body = match std::str::from_utf8(&capture.body.bytes) {
        Ok(string) => format!("Buffer.from({})", text(string, |c| format!("\\u{{{:x}}}", c as u32))),
        Err(_) => format!("Buffer.from(\"{}\", \"base64\")", STANDARD.encode(&capture.body.bytes)),
    };
    let (id, method, target) = (capture.id, bytes(capture.head.method().as_bytes()), bytes(capture.head.target()));
    format!(
        "\ntest(\"capture {id}\", async () => {{\n  // {}\n  const headers = [\n{headers}  ];\n  \
         const reply = await send({method}, {target}, headers, {body});\n  \
         assert.ok(reply.statusCode >= 200 && reply.statusCode < 300, `${{reply.statusCode}}`);\n}});\n",
        about(capture)
    )
    .into_bytes()
}

pub(super) fn rust(capture: &Capture) -> Vec<u8> {
    let header = |line: &Line| match line {
        Line::Host(name) => format!("        b\"{}: \",\n        app.as_bytes(),\n        b\"\\r\\n\",\n", plain(name)),
        Line::Header(name, value) => format!("        b{},\n", line_of(name, value)),
    };
    let headers: String = sent::lines(capture).iter().map(header).collect();
    let body = match std::str::from_utf8(&capture.body.bytes) {
        Ok(string) => format!("{}.as_bytes()", text(string, |c| format!("\\u{{{:x}}}", c as u32))),
        Err(_) => format!("b{}", bytes(&capture.body.bytes)),
    };
    format!(
        "\n#[test]\nfn capture_{}() {{\n    // {}\n    let app = app();\n    let head: &[&[u8]] = &[\n        b{},\n{headers}        b\"\\r\\n\",\n    ];\n    \
         let reply = send(head, {body});\n    assert!(reply.starts_with(\"HTTP/1.1 2\"), \"{{reply}}\");\n}}\n",
        capture.id,
        about(capture),
        bytes(&request_line(capture)),
    )
    .into_bytes()
}

pub(super) fn go(capture: &Capture) -> Vec<u8> {
    let header = |line: &Line| match line {
        Line::Host(name) => format!("\t\t\"{}: \" + app() + \"\\r\\n\",\n", plain(name)),
        Line::Header(name, value) => format!("\t\t{},\n", line_of(name, value)),
    };
    let headers: String = sent::lines(capture).iter().map(header).collect();
    let body = match std::str::from_utf8(&capture.body.bytes) {
        Ok(string) => text(string, |c| format!("\\U{:08x}", c as u32)),
        Err(_) => format!("decoded(\"{}\")", STANDARD.encode(&capture.body.bytes)),
    };
    format!(
        "\nfunc TestCapture{}(t *testing.T) {{\n\t// {}\n\thead := []string{{\n\t\t{},\n{headers}\t\t\"\\r\\n\",\n\t}}\n\t\
         reply := send(t, head, {body})\n\tif reply.StatusCode/100 != 2 {{\n\t\tt.Fatal(reply.Status)\n\t}}\n}}\n",
        capture.id,
        about(capture),
        bytes(&request_line(capture)),
    )
    .into_bytes()
}

/// What the capture is, for a comment: no word of it is the payload's.
fn about(capture: &Capture) -> String {
    format!("caught {}, {}", capture.received_at, counted(capture.body.size, "byte"))
}

fn request_line(capture: &Capture) -> Vec<u8> {
    [capture.head.method().as_bytes(), b" ", capture.head.target(), b" HTTP/1.1\r\n"].concat()
}

fn line_of(name: &[u8], value: &[u8]) -> String {
    bytes(&[name, b": ", value, b"\r\n"].concat())
}

/// A header's name, which is a token: nothing in it needs an escape.
fn plain(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

/// A literal of those bytes that Python (as bytes), JavaScript (as Latin 1), Rust (as bytes) and Go all read alike.
fn bytes(bytes: &[u8]) -> String {
    let mut literal = String::with_capacity(bytes.len() + 2);
    literal.push('"');
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => literal.extend(['\\', char::from(byte)]),
            b'\n' => literal.push_str("\\n"),
            b'\r' => literal.push_str("\\r"),
            b'\t' => literal.push_str("\\t"),
            b' '..=b'~' => literal.push(char::from(byte)),
            _ => literal.push_str(&format!("\\x{byte:02x}")),
        }
    }
    literal.push('"');
    literal
}

/// A literal of that text; `escape` writes what is not ASCII.
fn text(text: &str, escape: impl Fn(char) -> String) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => literal.extend(['\\', char]),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            ' '..='~' => literal.push(char),
            _ => literal.push_str(&escape(char)),
        }
    }
    literal.push('"');
    literal
}
