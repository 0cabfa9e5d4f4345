//! A shell command that sends the request again: one that `sh` and `curl` make the same bytes of.
//!
//! What curl writes itself is left to it: `Content-Length`, and the headers of one connection. Headers that curl would
//! add are told not to. A body that is no line of text goes through base 64.

use std::fmt::Write;

use super::base64;
use crate::record::{Capture, Header, text};

/// Headers that curl writes itself, or that are of one connection.
const LEFT_OUT: &[&str] = &[
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
    "expect",
    ":authority",
];
/// Headers that curl adds where they are not given: given without a value, they are not sent.
const ADDED_BY_CURL: &[&str] = &["User-Agent", "Accept", "Content-Type", "Expect"];

pub(super) fn write(capture: &Capture) -> Vec<u8> {
    let head = &capture.head;
    let has_body = !capture.body.bytes.is_empty();
    let mut line = String::new();
    let body = body(capture);
    if let Body::Piped(text) = &body {
        let _ = write!(line, "printf %s {text} | base64 -d | ");
    }
    let _ = write!(line, "curl --http1.1 --path-as-is --globoff -X {}", quoted(head.method().as_bytes()));
    for Header { name, value } in head.headers().iter().filter(|header| kept(header)) {
        // curl sends a header without a value only where it ends with a semicolon.
        let pair = if value.is_empty() { [&name[..], b";"].concat() } else { [&name[..], b": ", value].concat() };
        let _ = write!(line, " -H {}", quoted(&pair));
    }
    for name in ADDED_BY_CURL.iter().filter(|name| head.headers().get(name).is_none_or(|_| **name == "Expect")) {
        if has_body || *name != "Content-Type" {
            let _ = write!(line, " -H '{name}:'");
        }
    }
    match body {
        Body::None => {}
        Body::Inline(text) => {
            let _ = write!(line, " --data-binary {text}");
        }
        Body::Piped(_) => line.push_str(" --data-binary @-"),
    }
    let host = head.host().map_or_else(|| "localhost".into(), text::lossless);
    let target = head.target();
    let url = if target.starts_with(b"/") {
        [b"http://", host.as_bytes(), target].concat()
    } else {
        // Absolute and asterisk forms are not what curl makes of a URL.
        let _ = write!(line, " --request-target {}", quoted(target));
        [b"http://", host.as_bytes(), b"/"].concat()
    };
    let _ = writeln!(line, " {}", quoted(&url));
    line.into_bytes()
}

fn kept(header: &Header) -> bool {
    !LEFT_OUT.iter().any(|name| header.name.eq_ignore_ascii_case(name.as_bytes()))
}

enum Body {
    None,
    /// As a quoted word.
    Inline(String),
    /// Through a pipe, as base 64.
    Piped(String),
}

/// A word may have no NUL, and one that begins with `@` names a file to curl; a line end is better not on a command line.
fn body(capture: &Capture) -> Body {
    let bytes = &capture.body.bytes;
    if bytes.is_empty() {
        return Body::None;
    }
    let plain =
        std::str::from_utf8(bytes).is_ok_and(|text| !text.chars().any(char::is_control)) && !bytes.starts_with(b"@");
    if plain { Body::Inline(quoted(bytes)) } else { Body::Piped(base64::encode(bytes)) }
}

/// A word for `sh`: in single quotes where it is more than letters. Bytes that are no text go in as they are: a shell
/// word is bytes.
fn quoted(bytes: &[u8]) -> String {
    let text = text::lossless(bytes);
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.into_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::fixture;

    fn line(head: &'static [u8], body: &'static [u8]) -> String {
        String::from_utf8(write(&fixture::capture(head, body))).unwrap()
    }

    #[test]
    fn a_command_has_everything_and_quotes_what_a_shell_would_read() {
        assert_eq!(
            line(b"POST /a?x=1&y=$(id) HTTP/1.1\r\nHost: h:1\r\nUser-Agent: u\r\nX-It: don't\r\nContent-Length: 9\r\nX-None:\r\n\r\n", b"{\"a\":\"'\"}"),
            "curl --http1.1 --path-as-is --globoff -X POST -H 'Host: h:1' -H 'User-Agent: u' -H 'X-It: don'\\''t' -H 'X-None;' \
             -H 'Accept:' -H 'Content-Type:' -H 'Expect:' --data-binary '{\"a\":\"'\\''\"}' 'http://h:1/a?x=1&y=$(id)'\n"
        );
    }

    #[test]
    fn a_body_that_is_no_line_goes_through_base_64() {
        for body in [&b"a\nb"[..], b"\x00", b"@file", b"\xff"] {
            let line = line(b"POST / HTTP/1.1\r\nHost: h\r\n\r\n", body);
            assert!(line.starts_with(&format!("printf %s {} | base64 -d | curl ", base64::encode(body))), "{line}");
            assert_eq!(line.matches('\n').count(), 1);
        }
    }
}
