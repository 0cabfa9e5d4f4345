//! What hyper lets pass and creel does not, or not silently: rules over the head as it came.
//!
//! Where two readers of one request could disagree about where it ends or for whom it is, the request is kept, flagged
//! and refused (RFC 9112, sections 3.2, 6.1 and 6.3).

use super::limits::METHOD_LETTERS;
use crate::record::{Flag, Flags, Head, Version};

/// What the rules say of a head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ruling {
    pub(super) flags: Flags,
    /// The status of the first rule that refuses.
    pub(super) status: Option<u16>,
}

/// A rule: its flag, the status it insists on, and when it applies.
type Rule = (Flag, Option<u16>, fn(&Head) -> bool);

/// The rules, those that refuse first.
const RULES: &[Rule] = &[
    (Flag::BothLengths, Some(400), |head| count(head, "content-length") > 0 && count(head, "transfer-encoding") > 0),
    (Flag::DuplicateLength, Some(400), |head| count(head, "content-length") > 1),
    (Flag::TransferCoding, Some(501), odd_coding),
    (Flag::HostBad, Some(400), bad_host),
    (Flag::ProxyProbe, Some(405), |head| head.method() == "CONNECT"),
    (Flag::MethodTooLong, Some(501), |head| head.method().len() > METHOD_LETTERS),
    (Flag::Expectation, Some(417), |head| any(head, "expect", |value| !value.eq_ignore_ascii_case(b"100-continue"))),
    (Flag::HostMissing, None, |head| head.version() == Version::Http11 && head.headers().get("host").is_none()),
    (Flag::HostDisagrees, None, other_host),
    (Flag::UpgradeAsked, None, |head| count(head, "upgrade") > 0),
    (Flag::LenientFraming, None, bare_line_feed),
    (Flag::FromWebPage, None, from_web_page),
    (Flag::ControlBytes, None, control_bytes),
];

/// Applies every rule.
pub(super) fn rule(head: &Head) -> Ruling {
    let mut ruling = Ruling::default();
    for (flag, status, applies) in RULES {
        if applies(head) {
            ruling.flags.insert(*flag);
            ruling.status = ruling.status.or(*status);
        }
    }
    ruling
}

fn count(head: &Head, name: &str) -> usize {
    head.headers().get_all(name).count()
}

fn any(head: &Head, name: &str, test: fn(&[u8]) -> bool) -> bool {
    head.headers().get_all(name).any(test)
}

fn odd_coding(head: &Head) -> bool {
    match count(head, "transfer-encoding") {
        0 => false,
        1 => any(head, "transfer-encoding", |value| !value.eq_ignore_ascii_case(b"chunked")),
        _ => true,
    }
}

fn bad_host(head: &Head) -> bool {
    let odd = |value: &[u8]| value.iter().any(|b| !b.is_ascii_graphic() || b"/\\?#@\"<>^`{|}".contains(b));
    count(head, "host") > 1 || head.headers().get_all("host").any(odd)
}

fn other_host(head: &Head) -> bool {
    let target = head.target();
    let Some(at) = memchr::memmem::find(target, b"://").filter(|_| !target.starts_with(b"/")) else { return false };
    let rest = &target[at + 3..];
    let authority = &rest[..rest.iter().position(|b| b"/?#".contains(b)).unwrap_or(rest.len())];
    head.headers().get("host").is_some_and(|host| !host.eq_ignore_ascii_case(authority))
}

fn bare_line_feed(head: &Head) -> bool {
    let raw = head.raw();
    memchr::memchr_iter(b'\n', raw).any(|at| at == 0 || raw[at - 1] != b'\r')
}

fn from_web_page(head: &Head) -> bool {
    any(head, "sec-fetch-site", |site| site != b"none") || count(head, "origin") > 0
}

fn control_bytes(head: &Head) -> bool {
    let odd = |b: u8| (b < 0x20 && b != b'\t') || b >= 0x7f;
    // Not `any`: a loop without a way out looks at sixteen bytes at a time.
    let has_odd = |bytes: &[u8]| bytes.iter().fold(0, |found, b| found | u8::from(odd(*b))) > 0;
    has_odd(head.target()) || head.headers().iter().any(|header| has_odd(header.value))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn each_rule_has_a_head_that_it_alone_takes() {
        for (lines, flag, status) in [
            (
                "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
                Flag::BothLengths,
                Some(400),
            ),
            ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 5", Flag::DuplicateLength, Some(400)),
            ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked", Flag::TransferCoding, Some(501)),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: a", Flag::HostBad, Some(400)),
            ("GET / HTTP/1.1\r\nHost: a b", Flag::HostBad, Some(400)),
            ("CONNECT h:443 HTTP/1.1\r\nHost: h:443", Flag::ProxyProbe, Some(405)),
            ("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1\r\nHost: h", Flag::MethodTooLong, Some(501)),
            ("POST / HTTP/1.1\r\nHost: h\r\nExpect: tea", Flag::Expectation, Some(417)),
            ("GET / HTTP/1.1", Flag::HostMissing, None),
            ("GET http://other/ HTTP/1.1\r\nHost: h", Flag::HostDisagrees, None),
            ("GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket", Flag::UpgradeAsked, None),
            ("POST / HTTP/1.1\r\nHost: h\r\nOrigin: https://evil.example", Flag::FromWebPage, None),
            ("POST / HTTP/1.1\r\nHost: h\r\nSec-Fetch-Site: cross-site", Flag::FromWebPage, None),
            ("GET / HTTP/1.1\r\nHost: h\r\nA: caf\u{e9}", Flag::ControlBytes, None),
        ] {
            let ruling = rule(&Head::parse(Bytes::from(format!("{lines}\r\n\r\n"))));
            assert_eq!((ruling.flags.iter().collect::<Vec<_>>(), ruling.status), (vec![flag], status), "{lines}");
        }
        let bare = rule(&Head::parse(Bytes::from_static(b"GET / HTTP/1.1\nHost: h\n\n")));
        assert_eq!(bare.flags.iter().collect::<Vec<_>>(), [Flag::LenientFraming]);
    }

    #[test]
    fn an_ordinary_head_breaks_no_rule() {
        for lines in [
            "POST /a?b=http://c HTTP/1.1\r\nHost: h:1\r\nContent-Length: 5\r\nExpect: 100-continue",
            "GET http://h/ HTTP/1.1\r\nHost: h",
            "GET / HTTP/1.0",
            "OPTIONS * HTTP/1.1\r\nHost: [::1]:8",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked",
        ] {
            let ruling = rule(&Head::parse(Bytes::from(format!("{lines}\r\n\r\n"))));
            assert_eq!(ruling, Ruling::default(), "{lines}");
        }
    }
}
