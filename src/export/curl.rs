//! The format `curl`: one command on one line that sends the same request again, over HTTP/1.1.
//!
//! The same are: method, target, the headers with their order, case and repeats, and every byte of the body. Not the
//! same are: the place of `Host`, `User-Agent` and `Content-Length`, where curl has its own opinion; the headers that
//! speak of the connection and not of the request (RFC 9110, section 7.6.1), which are left out; the framing, which
//! becomes a `Content-Length`; and what is left out besides: trailers, and header lines whose name is no token. A body
//! that was cut is sent as far as it was kept.
//!
//! The request goes to where its `Host` says, in plain HTTP. A `Host` that no URL can hold goes as a header to creel's
//! usual address instead.

use super::{
    sent,
    shell::{self, Input},
};
use crate::record::{Capture, Header, Version};

/// Headers that curl makes itself, beside those of one connection.
const LEFT_OUT: [&str; 2] = ["host", "content-length"];

/// From this size on curl may ask before it sends.
const EXPECTS: usize = 1_024;

pub(super) fn write(capture: &Capture) -> Vec<u8> {
    let mut words = vec!["curl".to_string()];
    words.push(if capture.head.version() == Version::Http10 { "--http1.0" } else { "--http1.1" }.into());
    words.extend(["--path-as-is".into(), "--globoff".into()]);
    let body = body(capture);
    words.extend(method(&capture.head.method(), body.is_some()));
    words.extend(address(capture));
    words.extend(headers(capture, body.is_some()));
    let command = match body {
        None => words.join(" "),
        Some(Input::Argument(word)) => format!("{} --data-binary {word}", words.join(" ")),
        Some(Input::Pipe(source)) => format!("{source} | {} --data-binary @-", words.join(" ")),
    };
    (command + "\n").into_bytes()
}

/// The body, where there was one, even an empty one.
fn body(capture: &Capture) -> Option<Input> {
    let headers = capture.head.headers();
    let is_framed = headers.get("content-length").is_some() || headers.get("transfer-encoding").is_some();
    (is_framed || !capture.body.bytes.is_empty()).then(|| shell::input(&capture.body.bytes))
}

/// The method. With a HEAD from `-X`, curl would wait for a body that does not come.
fn method(method: &str, has_body: bool) -> Vec<String> {
    match (method, has_body) {
        ("HEAD", false) => vec!["--head".into()],
        _ => vec!["-X".into(), shell::argument(method.as_bytes())],
    }
}

/// The URL, and the target beside it where no URL holds it as it was sent.
fn address(capture: &Capture) -> Vec<String> {
    let (target, authority) = (capture.head.target(), sent::authority(capture));
    let is_in_url = |byte: u8| matches!(byte, b'!'..=b'~') && !b"#\\".contains(&byte);
    if target.starts_with(b"/") && target.iter().all(|&byte| is_in_url(byte)) {
        let url = [b"http://", authority.as_bytes(), target].concat();
        return vec![shell::argument(&url)];
    }
    let url = shell::argument(format!("http://{authority}/").as_bytes());
    vec!["--request-target".into(), shell::argument(target), url]
}

fn headers(capture: &Capture, has_body: bool) -> Vec<String> {
    let headers = capture.head.headers();
    let host = headers.get("host");
    let mut lines: Vec<Vec<u8>> = Vec::new();
    match host {
        None => lines.push(b"Host:".to_vec()),
        Some(value) if std::str::from_utf8(value).is_ok_and(sent::is_authority) => {}
        Some(value) => lines.push([b"Host: ", value].concat()),
    }
    let named = capture.head.headers().named_by_connection();
    let is_sent = |header: &Header<'_>| sent::is_sent(*header, &named) && !LEFT_OUT.iter().any(|name| header.is(name));
    lines.extend(headers.iter().filter(is_sent).map(line));
    // What curl would add of its own.
    let mut own = vec!["User-Agent", "Accept"];
    own.extend(has_body.then_some("Content-Type"));
    own.extend((has_body && capture.body.bytes.len() > EXPECTS).then_some("Expect"));
    let added = own.into_iter().filter(|name| !headers.iter().filter(is_sent).any(|header| header.is(name)));
    lines.extend(added.map(|name| format!("{name}:").into_bytes()));
    lines.iter().flat_map(|line| ["-H".to_string(), shell::argument(line)]).collect()
}

/// A header as curl takes it: with a semicolon for a colon where the value is empty.
fn line(header: Header<'_>) -> Vec<u8> {
    if header.value.is_empty() {
        return [header.name, b";"].concat();
    }
    [header.name, b": ", header.value].concat()
}
