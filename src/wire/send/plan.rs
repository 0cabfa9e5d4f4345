//! What will be sent: the captured head with what has to change, and the receipt of it.

use bytes::Bytes;

use super::{PathRule, url::Url};
use crate::record::{Change, Head, Header, Headers, Version, text};

/// The head to send, and how it differs from the captured one.
pub(super) struct Plan {
    pub(super) method: String,
    pub(super) target: Vec<u8>,
    pub(super) head: Bytes,
    pub(super) receipt: Vec<Change>,
}

/// By what a head is changed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rules {
    /// What becomes of the captured path.
    pub(super) path: PathRule,
    /// Whether any certificate is taken.
    pub(super) insecure: bool,
    /// Whether the head's own `Host` is sent.
    pub(super) keep_host: bool,
    /// Whether the connection stays open for the next request.
    pub(super) stays_open: bool,
}

impl Plan {
    pub(super) fn new(head: &Head, body: &[u8], url: &Url, rules: Rules) -> Self {
        let Rules { path, insecure, .. } = rules;
        let mut receipt = Vec::new();
        let target = target(head, url, path, &mut receipt);
        if insecure && url.is_https() {
            let (from, to) = ("checked".to_owned(), "taken unchecked".to_owned());
            receipt.push(Change::Other { what: "certificate".to_owned(), from, to });
        }
        if head.version() != Version::Http11 {
            let (from, to) = (head.version().to_string(), Version::Http11.to_string());
            receipt.push(Change::Other { what: "version".to_owned(), from, to });
        }
        let headers = headers(head, body, url, rules, &mut receipt);
        let sent = head.remade(&head.method(), &target, Version::Http11, &headers);
        Self { method: head.method().into_owned(), head: sent.raw().clone(), target, receipt }
    }
}

/// The target in origin form: the captured one, its path replaced where the URL names one.
pub(super) fn target(head: &Head, url: &Url, path: PathRule, receipt: &mut Vec<Change>) -> Vec<u8> {
    let captured = &head.target()[..];
    let query = memchr::memchr(b'?', captured).map_or(&b""[..], |at| &captured[at..]);
    let target = match url.target() {
        Some(own) if path == PathRule::Appended => appended(own, head),
        // What the URL's own query says stands before what was captured.
        Some(own) if own.contains('?') && !query.is_empty() => [own.as_bytes(), b"&", &query[1..]].concat(),
        Some(own) => [own.as_bytes(), query].concat(),
        None if captured.starts_with(b"/") || captured == b"*" => captured.to_vec(),
        None => origin_form(head),
    };
    if target != captured {
        let (from, to) = (text::lossless(captured).into_owned(), text::lossless(&target).into_owned());
        receipt.push(Change::Other { what: "target".to_owned(), from, to });
    }
    target
}

/// The captured path and query behind the URL's path; what the URL's own query says stands before what was captured.
fn appended(own: &str, head: &Head) -> Vec<u8> {
    let captured = head.target();
    let captured = if captured.starts_with(b"/") { captured.to_vec() } else { origin_form(head) };
    let (path, query) = own.split_once('?').map_or((own, None), |(path, query)| (path, Some(query)));
    let at = memchr::memchr(b'?', &captured).unwrap_or(captured.len());
    let joined = [path.trim_end_matches('/').as_bytes(), &captured[..at]].concat();
    match (query, captured.get(at + 1..)) {
        (None, _) => [&joined, &captured[at..]].concat(),
        (Some(own), None | Some([])) => [&joined, &b"?"[..], own.as_bytes()].concat(),
        (Some(own), Some(rest)) => [&joined, &b"?"[..], own.as_bytes(), b"&", rest].concat(),
    }
}

fn origin_form(head: &Head) -> Vec<u8> {
    let path = head.path();
    let path = if path.starts_with('/') { path.into_owned() } else { "/".to_owned() };
    head.query().map_or(path.clone(), |query| format!("{path}?{query}")).into_bytes()
}

fn headers(head: &Head, body: &[u8], url: &Url, rules: Rules, receipt: &mut Vec<Change>) -> Headers {
    let Rules { keep_host, stays_open, .. } = rules;
    let named = head.headers().named_by_connection();
    // What it says already need not be said anew, in another place.
    let closes =
        !stays_open && head.headers().text("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    let length = body.len().to_string();
    let mut sent = Headers::with_capacity(head.headers().len() + 3);
    let (mut has_host, mut has_length) = (false, false);
    for header in head.headers() {
        let Header { name, value } = header;
        let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
        if is("host") && !has_host {
            has_host = true;
            if keep_host {
                sent.push(name, value);
            } else {
                replace(&mut sent, receipt, name, value, &url.authority());
            }
        } else if is("content-length") && !has_length {
            has_length = true;
            replace(&mut sent, receipt, name, value, &length);
        } else if is("connection") && closes {
            sent.push(name, value);
        } else if is("host")
            || is("content-length")
            || header.is_of_connection(&named)
            // It asks for an interim answer that nobody waits for here.
            || is("expect")
        {
            receipt.push(Change::Dropped { name: shown(name), value: shown(value) });
        } else {
            sent.push(name, value);
        }
    }
    if !has_host {
        add(&mut sent, receipt, "Host", &url.authority());
    }
    // A request without a body and without a length has none; one with a body needs it.
    if !has_length && !body.is_empty() {
        add(&mut sent, receipt, "Content-Length", &length);
    }
    if !stays_open && !closes {
        add(&mut sent, receipt, "Connection", "close");
    }
    sent
}

fn replace(sent: &mut Headers, receipt: &mut Vec<Change>, name: &[u8], value: &[u8], to: &str) {
    if value != to.as_bytes() {
        receipt.push(Change::Replaced { name: shown(name), from: shown(value), to: to.to_owned() });
    }
    sent.push(name, to);
}

fn add(sent: &mut Headers, receipt: &mut Vec<Change>, name: &'static str, value: &str) {
    receipt.push(Change::Added { name: name.to_owned(), value: value.to_owned() });
    sent.push(name, value);
}

fn shown(bytes: &[u8]) -> String {
    text::lossless(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(head: &str, body: &str, url: &str) -> (String, Vec<String>) {
        let head = Head::parse(Bytes::from(format!("{head}\r\n\r\n")));
        let plan = Plan::new(&head, body.as_bytes(), &Url::parse(url).unwrap(), Rules::default());
        let receipt = plan.receipt.iter().map(ToString::to_string).collect();
        (String::from_utf8(plan.head.to_vec()).unwrap(), receipt)
    }

    #[test]
    fn what_must_change_changes_and_stands_in_the_receipt() {
        let captured = "POST /a?x=1 HTTP/1.1\r\nhOsT: creel\r\nX-Dup: 1\r\nconnection: X-Hop, close\r\nX-Hop: 2\r\nx-dup: 3\r\n\
                        Transfer-Encoding: chunked\r\nExpect: 100-continue";
        let (sent, receipt) = plan(captured, "body", "http://app:3000");
        assert_eq!(
            sent,
            "POST /a?x=1 HTTP/1.1\r\nhOsT: app:3000\r\nX-Dup: 1\r\nx-dup: 3\r\nContent-Length: 4\r\nConnection: close\r\n\r\n"
        );
        assert_eq!(
            receipt,
            [
                "~ hOsT: creel → app:3000",
                "- connection: X-Hop, close",
                "- X-Hop: 2",
                "- Transfer-Encoding: chunked",
                "- Expect: 100-continue",
                "+ Content-Length: 4",
                "+ Connection: close"
            ]
        );
    }

    #[test]
    fn a_connection_that_was_to_be_closed_is_closed_again_without_a_word_of_it() {
        let captured = "GET /a HTTP/1.1\r\nHost: app\r\nconnection: Close\r\nX-B: 2";
        let (sent, receipt) = plan(captured, "", "http://app");
        assert_eq!((sent, receipt), (format!("{captured}\r\n\r\n"), Vec::<String>::new()));
    }

    #[test]
    fn a_captured_path_is_appended_where_that_is_wished_for() {
        for (captured, url, sent) in [
            ("/a?x=1", "http://h/b", "/b/a?x=1"),
            ("/a?x=1", "http://h/b/?k=v", "/b/a?k=v&x=1"),
            ("/a", "http://h/b?k=v", "/b/a?k=v"),
            ("/a?", "http://h/b?k=v", "/b/a?k=v"),
            ("/a?x=1", "http://h", "/a?x=1"),
            ("http://x/a?y", "http://h/b", "/b/a?y"),
        ] {
            let head = Head::parse(Bytes::from(format!("POST {captured} HTTP/1.1\r\nHost: x\r\n\r\n")));
            let rules = Rules { path: PathRule::Appended, stays_open: true, ..Rules::default() };
            let plan = Plan::new(&head, b"", &Url::parse(url).unwrap(), rules);
            assert_eq!(String::from_utf8(plan.target).unwrap(), sent, "{captured} to {url}");
        }
    }

    #[test]
    fn a_url_with_a_path_takes_the_captured_path_s_place() {
        for (captured, url, target) in [
            ("/a?x=1", "http://h", "/a?x=1"),
            ("/a?x=1", "http://h/", "/a?x=1"),
            ("/a?x=1", "http://h/b", "/b?x=1"),
            ("/a?x=1", "http://h/b?y=2", "/b?y=2&x=1"),
            ("/a", "http://h/b?y=2", "/b?y=2"),
            ("http://c/a?x", "http://h", "/a?x"),
            ("http://c", "http://h", "/"),
            ("*", "http://h", "*"),
        ] {
            let (sent, receipt) = plan(&format!("GET {captured} HTTP/1.1\r\nHost: h"), "", url);
            assert!(sent.starts_with(&format!("GET {target} HTTP/1.1\r\n")), "{captured} to {url}: {sent}");
            assert_eq!(receipt.iter().any(|line| line.starts_with("~ target")), captured != target, "{receipt:?}");
        }
    }

    #[test]
    fn http_2_becomes_http_1_1() {
        let (sent, receipt) = plan("POST /a HTTP/2.0\r\nhost: c\r\na: 1", "x", "http://h");
        assert_eq!(sent, "POST /a HTTP/1.1\r\nhost: h\r\na: 1\r\nContent-Length: 1\r\nConnection: close\r\n\r\n");
        assert!(
            receipt.contains(&"~ version: HTTP/2.0 → HTTP/1.1".to_owned())
                && receipt.contains(&"~ host: c → h".to_owned())
        );
    }
}
