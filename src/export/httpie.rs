//! The format `httpie`: one `http` command on one line that sends the same request again (version 3, httpie.io).
//!
//! The same are: method, headers with their case and repeats, and every byte of the body. The program has its own opinion of the
//! headers' order, adds `Connection: keep-alive`, takes a target in origin form only, percent-encodes in it what a browser would
//! (`[`, `{`, a `%` that begins no escape), and knows no bytes in it or in a header that are not UTF-8, and no backslash before
//! `:`, `;`, `=` or `@` in a header: the curl form keeps those.

use super::{
    sent,
    shell::{self, Input},
};
use crate::record::{Capture, Header};

/// Headers that the program makes itself.
const LEFT_OUT: [&str; 2] = ["host", "content-length"];
/// What it would add of its own.
const OWN: [&str; 3] = ["User-Agent", "Accept", "Accept-Encoding"];

pub(super) fn write(capture: &Capture) -> Vec<u8> {
    let has_body = !capture.body.bytes.is_empty();
    let mut words = vec!["http".to_owned(), "--path-as-is".to_owned()];
    words.extend((!has_body).then(|| "--ignore-stdin".to_owned()));
    words.push(shell::argument(capture.head.method().as_bytes()));
    words.push(shell::argument(&url(capture)));
    words.extend(headers(capture, has_body));
    let command = words.join(" ");
    let line = match has_body.then(|| shell::input(&capture.body.bytes)) {
        None => command,
        Some(Input::Argument(word)) => format!("printf %s {word} | {command}"),
        Some(Input::Pipe(source)) => format!("{source} | {command}"),
    };
    (line + "\n").into_bytes()
}

fn url(capture: &Capture) -> Vec<u8> {
    let target = capture.head.target();
    let path = if target.starts_with(b"/") { &target[..] } else { b"/" };
    [b"http://", sent::authority(capture).as_bytes(), path].concat()
}

fn headers(capture: &Capture, has_body: bool) -> Vec<String> {
    let named = capture.head.headers().named_by_connection();
    let is_sent = |header: &Header<'_>| sent::is_sent(*header, &named) && !LEFT_OUT.iter().any(|name| header.is(name));
    let headers = capture.head.headers();
    let mut lines: Vec<Vec<u8>> = headers.iter().filter(is_sent).map(line).collect();
    let own = OWN.into_iter().chain(has_body.then_some("Content-Type"));
    let unwanted = own.filter(|name| !headers.iter().filter(is_sent).any(|header| header.is(name)));
    lines.extend(unwanted.map(|name| format!("{name}:").into_bytes()));
    lines.iter().map(|line| shell::argument(line)).collect()
}

/// A header as the program takes it: with a semicolon for a colon where the value is empty. A backslash makes plain what would
/// make a field of JSON of it (`:=`), or send a file of whoever runs it (`:@`).
fn line(header: Header<'_>) -> Vec<u8> {
    let between: &[u8] = match header.value.first() {
        None => b";",
        Some(b'=' | b'@') => b":\\",
        Some(_) => b":",
    };
    [header.name, between, header.value].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_is_anything_but_a_value() {
        for (value, item) in [
            ("a=b@c", "X:a=b@c"),
            ("@/etc/passwd", "X:\\@/etc/passwd"),
            ("=@/etc/passwd", "X:\\=@/etc/passwd"),
            ("a\\b", "X:a\\b"),
            ("", "X;"),
        ] {
            let header = Header { name: b"X", value: value.as_bytes() };
            assert_eq!(String::from_utf8(line(header)).unwrap(), item);
        }
    }
}
