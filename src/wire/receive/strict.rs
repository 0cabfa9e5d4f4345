//! What hyper lets pass and creel does not, or not silently: rules over the head as it came.
//!
//! Where two readers of one request could disagree about where it ends or for whom it is, the request is kept, flagged
//! and refused (RFC 9112, sections 3.2, 6.1 and 6.3).

use super::limits::METHOD_LETTERS;
use crate::record::{Flag, Flags, Head, Header, Version};

/// What the rules say of a head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ruling {
    pub(super) flags: Flags,
    /// The status of the first rule that refuses.
    pub(super) status: Option<u16>,
}

/// What the rules ask of a head, gathered in one pass over its lines: a pass for each rule would cost more than all else
/// that is done with a head.
struct Facts<'h> {
    head: &'h Head,
    lengths: usize,
    codings: usize,
    /// Whether a coding is not plainly `chunked`.
    odd_coding: bool,
    hosts: usize,
    host: Option<&'h [u8]>,
    bad_host: bool,
    /// Whether something else is expected than to go on.
    odd_expectation: bool,
    upgrade: bool,
    from_web_page: bool,
}

impl<'h> Facts<'h> {
    fn of(head: &'h Head) -> Self {
        let mut facts = Self {
            head,
            lengths: 0,
            codings: 0,
            odd_coding: false,
            hosts: 0,
            host: None,
            bad_host: false,
            odd_expectation: false,
            upgrade: false,
            from_web_page: false,
        };
        head.headers().iter().for_each(|header| facts.hear(header));
        facts
    }

    fn hear(&mut self, header: Header<'h>) {
        // Lengths first: they tell most names apart.
        match header.name.len() {
            4 if header.is("host") => {
                self.hosts += 1;
                self.host = self.host.or(Some(header.value));
                self.bad_host |= header.value.iter().any(|&b| !b.is_ascii_graphic() || NOT_IN_A_HOST.contains(&b));
            }
            6 if header.is("expect") => self.odd_expectation |= !header.value.eq_ignore_ascii_case(b"100-continue"),
            6 if header.is("origin") => self.from_web_page = true,
            7 if header.is("upgrade") => self.upgrade = true,
            14 if header.is("content-length") => self.lengths += 1,
            14 if header.is("sec-fetch-site") => self.from_web_page |= header.value != b"none",
            17 if header.is("transfer-encoding") => {
                self.codings += 1;
                self.odd_coding |= !header.value.eq_ignore_ascii_case(b"chunked");
            }
            _ => {}
        }
    }
}

/// What no host holds, of what can be seen.
const NOT_IN_A_HOST: &[u8] = b"/\\?#@\"<>^`{|}";

/// A rule: its flag, the status it insists on, and when it applies.
type Rule = (Flag, Option<u16>, fn(&Facts<'_>) -> bool);

/// The rules, those that refuse first.
const RULES: &[Rule] = &[
    (Flag::BothLengths, Some(400), |facts| facts.lengths > 0 && facts.codings > 0),
    (Flag::DuplicateLength, Some(400), |facts| facts.lengths > 1),
    (Flag::TransferCoding, Some(501), |facts| facts.codings > 1 || facts.odd_coding),
    (Flag::HostBad, Some(400), |facts| facts.hosts > 1 || facts.bad_host),
    (Flag::ProxyProbe, Some(405), |facts| facts.head.method() == "CONNECT"),
    (Flag::MethodTooLong, Some(501), |facts| facts.head.method().len() > METHOD_LETTERS),
    (Flag::Expectation, Some(417), |facts| facts.odd_expectation),
    (Flag::HostMissing, None, |facts| facts.hosts == 0 && facts.head.version() == Version::Http11),
    (Flag::HostDisagrees, None, other_host),
    (Flag::UpgradeAsked, None, |facts| facts.upgrade),
    (Flag::LenientFraming, None, |facts| bare_line_feed(facts.head)),
    (Flag::FromWebPage, None, |facts| facts.from_web_page),
    (Flag::ControlBytes, None, |facts| control_bytes(facts.head)),
];

/// Applies every rule.
pub(super) fn rule(head: &Head) -> Ruling {
    let facts = Facts::of(head);
    let mut ruling = Ruling::default();
    for (flag, status, applies) in RULES {
        if applies(&facts) {
            ruling.flags.insert(*flag);
            ruling.status = ruling.status.or(*status);
        }
    }
    ruling
}

fn other_host(facts: &Facts<'_>) -> bool {
    let target = facts.head.target();
    let Some(at) = memchr::memmem::find(target, b"://").filter(|_| !target.starts_with(b"/")) else { return false };
    let rest = &target[at + 3..];
    let authority = &rest[..rest.iter().position(|b| b"/?#".contains(b)).unwrap_or(rest.len())];
    facts.host.is_some_and(|host| !host.eq_ignore_ascii_case(authority))
}

fn bare_line_feed(head: &Head) -> bool {
    let raw = head.raw();
    memchr::memchr_iter(b'\n', raw).any(|at| at == 0 || raw[at - 1] != b'\r')
}

fn control_bytes(head: &Head) -> bool {
    let in_a_line = |b: u8| (b < 0x20 && b != b'\t') || b >= 0x7f;
    let in_a_head = |b: u8| (b < 0x20 && b != b'\t' && b != b'\r' && b != b'\n') || b >= 0x7f;
    let lines = || [&head.target()[..]].into_iter().chain(head.headers().iter().map(|header| header.value));
    // One look at the whole tells that there is none; only where there may be one is it asked where.
    let may_have = has(head.raw(), in_a_head) || carriage_return_alone(head.raw());
    may_have && lines().any(|line| has(line, in_a_line))
}

/// Whether one of the bytes is odd. Not `any`: a loop without a way out looks at many bytes at a time.
fn has(bytes: &[u8], odd: impl Fn(u8) -> bool) -> bool {
    bytes.iter().fold(0, |found, b| found | u8::from(odd(*b))) > 0
}

/// Whether a CR stands anywhere but before an LF.
fn carriage_return_alone(raw: &[u8]) -> bool {
    memchr::memchr_iter(b'\r', raw).any(|at| raw.get(at + 1) != Some(&b'\n'))
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
