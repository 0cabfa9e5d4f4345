//! A request's head: request line and headers, as bytes and as parts.

use std::{borrow::Cow, fmt, ops::Range};

use bytes::{Bytes, BytesMut};

use super::{Header, Headers, text};

/// The protocol version of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
    /// HTTP/2
    Http2,
}

impl Version {
    /// The name as it stands in a request line, and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
            Self::Http2 => "HTTP/2.0",
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The head of a request. The raw bytes are the truth; the parts are slices of them.
///
/// For HTTP/1 the bytes are the ones from the wire. For HTTP/2, which has no such bytes, they are written in the same
/// form from what the protocol gave: lower-case names, the pseudo headers as request line and `host`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    raw: Bytes,
    method: Bytes,
    target: Bytes,
    version: Version,
    headers: Headers,
}

impl Head {
    /// Takes a head apart. Total: a line that is no header is kept as a name without a value, so that nothing is lost
    /// from a head that the protocol library let pass. Empty lines before the request line (RFC 9112, section 2.2)
    /// stay in the raw bytes and are skipped.
    pub fn parse(raw: Bytes) -> Self {
        let start = raw.iter().position(|b| !matches!(b, b'\r' | b'\n')).unwrap_or(raw.len());
        let mut lines = Lines { raw: &raw, at: start };
        let line = raw.slice(lines.next().unwrap_or_default());
        let (method, rest) = line
            .iter()
            .position(|&b| b == b' ')
            .map_or((line.clone(), Bytes::new()), |at| (line.slice(..at), line.slice(at + 1..)));
        let (target, version) = match rest.iter().rposition(|&b| b == b' ') {
            Some(at) => (rest.slice(..at), rest.slice(at + 1..)),
            None => (rest, Bytes::new()),
        };
        let version = match &version[..] {
            b"HTTP/1.0" => Version::Http10,
            b"HTTP/2.0" => Version::Http2,
            _ => Version::Http11,
        };
        let headers =
            Headers::of(raw.clone(), lines.take_while(|line| !line.is_empty()).map(|line| header(&raw, line)));
        Self { raw, method, target, version, headers }
    }

    /// Writes a head from its parts, in the form of HTTP/1.
    pub fn from_parts(method: &str, target: &[u8], version: Version, headers: &Headers) -> Self {
        let size = headers.iter().map(|h| h.name.len() + h.value.len() + 4).sum::<usize>();
        let mut raw = BytesMut::with_capacity(size + method.len() + target.len() + 16);
        for part in [method.as_bytes(), b" ", target, b" ", version.name().as_bytes(), b"\r\n"] {
            raw.extend_from_slice(part);
        }
        for header in headers {
            for part in [header.name, b": ", header.value, b"\r\n"] {
                raw.extend_from_slice(part);
            }
        }
        raw.extend_from_slice(b"\r\n");
        Self::parse(raw.freeze())
    }

    /// The head with another value in a header's place; every other byte stays as it came.
    #[must_use]
    pub fn with_value(&self, at: usize, value: &[u8]) -> Self {
        let Some((_, place)) = self.headers.places(at) else { return self.clone() };
        let mut raw = BytesMut::with_capacity(self.raw.len() + value.len());
        raw.extend_from_slice(&self.raw[..place.start]);
        self.write_value(at, value, &mut raw);
        raw.extend_from_slice(&self.raw[place.end..]);
        Self::parse(raw.freeze())
    }

    /// A head of other parts. A header that stands in this one keeps its line as it came, white space and all; one that has
    /// another value keeps what stands around the value.
    #[must_use]
    pub fn remade(&self, method: &str, target: &[u8], version: Version, headers: &Headers) -> Self {
        let mut raw = BytesMut::with_capacity(self.raw.len() + target.len());
        for part in [method.as_bytes(), b" ", target, b" ", version.name().as_bytes(), b"\r\n"] {
            raw.extend_from_slice(part);
        }
        for (header, line) in headers.iter().zip(self.lines_of(headers)) {
            match line.and_then(|at| Some((at, self.headers.places(at)?))) {
                Some((at, (name, value))) => {
                    raw.extend_from_slice(&self.raw[name.start..value.start]);
                    self.write_value(at, header.value, &mut raw);
                    raw.extend_from_slice(self.behind(value.end));
                }
                None => [header.name, b": ", header.value].iter().for_each(|part| raw.extend_from_slice(part)),
            }
            raw.extend_from_slice(b"\r\n");
        }
        raw.extend_from_slice(b"\r\n");
        Self::parse(raw.freeze())
    }

    /// Writes a value behind what stands before it on its line; a line without a colon gets one.
    fn write_value(&self, at: usize, value: &[u8], raw: &mut BytesMut) {
        let has_colon = self.headers.places(at).is_some_and(|(name, _)| self.raw.get(name.end) == Some(&b':'));
        if !has_colon && !value.is_empty() {
            raw.extend_from_slice(b": ");
        }
        raw.extend_from_slice(value);
    }

    /// What stands from a place on to the end of its line.
    fn behind(&self, at: usize) -> &[u8] {
        let rest = &self.raw[at..];
        let line = &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())];
        line.strip_suffix(b"\r").unwrap_or(line)
    }

    /// For each header the line of this head that it is, or else one of its name; each line once.
    fn lines_of(&self, headers: &Headers) -> Vec<Option<usize>> {
        let own: Vec<_> = self.headers.iter().collect();
        let mut free = vec![true; own.len()];
        let mut take = |from: usize, fits: &dyn Fn(&Header<'_>) -> bool| {
            let at = (from..own.len()).chain(0..from).find(|&at| free[at] && fits(&own[at]))?;
            free[at] = false;
            Some(at)
        };
        let mut next = 0;
        let same = headers.iter().map(|header| {
            let at = take(next, &|own| *own == header);
            next = at.map_or(next, |at| at + 1);
            at
        });
        let mut lines: Vec<_> = same.collect();
        for (line, header) in lines.iter_mut().zip(headers).filter(|(line, _)| line.is_none()) {
            *line = take(0, &|own| own.name == header.name);
        }
        lines
    }

    /// The bytes, request line to empty line.
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// The method as sent. The wire lets only tokens (RFC 9110, section 5.6.2) pass, so this is ASCII there.
    pub fn method(&self) -> Cow<'_, str> {
        text::lossless(&self.method)
    }

    /// The request target as sent: origin form as a rule, but also absolute form, authority form or `*`.
    pub fn target(&self) -> &Bytes {
        &self.target
    }

    /// The protocol version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The headers as sent.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The target's path: what stands before the first `?`, without scheme and authority. Not decoded.
    pub fn path(&self) -> Cow<'_, str> {
        text::lossless(path_and_query(&self.target).0)
    }

    /// The target's query: what stands after the first `?`, where there is one. Not decoded.
    pub fn query(&self) -> Option<Cow<'_, str>> {
        path_and_query(&self.target).1.map(text::lossless)
    }
}

/// Splits a request target into path and query, both as sent. Of an absolute form, scheme and authority are left out;
/// `*` and an authority form are their own path.
fn path_and_query(target: &[u8]) -> (&[u8], Option<&[u8]>) {
    let path_start = match find(target, b"://") {
        Some(at) if !target.starts_with(b"/") => {
            let authority = at + 3;
            target[authority..].iter().position(|b| matches!(b, b'/' | b'?')).map_or(target.len(), |p| authority + p)
        }
        _ => 0,
    };
    let rest = &target[path_start..];
    match rest.iter().position(|&b| b == b'?') {
        Some(at) => (&rest[..at], Some(&rest[at + 1..])),
        None => (rest, None),
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// Where a header line's name and value stand in a head.
fn header(raw: &[u8], line: Range<usize>) -> (Range<usize>, Range<usize>) {
    let Some(colon) = memchr::memchr(b':', &raw[line.clone()]).map(|at| line.start + at) else {
        return (line.clone(), line.end..line.end);
    };
    let after = &raw[colon + 1..line.end];
    let start = line.end - after.trim_ascii_start().len();
    (line.start..colon, start..start + after.trim_ascii().len())
}

/// The places of a head's lines: ended by LF, a CR before it cut off.
struct Lines<'a> {
    raw: &'a [u8],
    at: usize,
}

impl Iterator for Lines<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        if self.at >= self.raw.len() {
            return None;
        }
        let (start, rest) = (self.at, &self.raw[self.at..]);
        let (len, step) = memchr::memchr(b'\n', rest).map_or((rest.len(), rest.len()), |at| (at, at + 1));
        let len = if rest[..len].ends_with(b"\r") { len - 1 } else { len };
        self.at += step;
        Some(start..start + len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &'static str) -> Head {
        Head::parse(Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn a_head_keeps_order_case_and_duplicates() {
        let head = head("POST /a?x=1&x=2 HTTP/1.1\r\nX-Dup: a\r\nhOsT:  h \r\nx-dup: b\r\n\r\n");
        assert_eq!((&*head.method(), &*head.path(), head.query().as_deref()), ("POST", "/a", Some("x=1&x=2")));
        let names: Vec<_> = head.headers().iter().map(crate::record::Header::name_text).collect();
        assert_eq!(names, ["X-Dup", "hOsT", "x-dup"]);
        assert_eq!(head.headers().get_all("X-DUP").collect::<Vec<_>>(), [b"a", b"b"]);
        assert_eq!(head.headers().get("host"), Some(&b"h"[..]));
    }

    #[test]
    fn bare_line_feeds_and_leading_empty_lines_are_read() {
        let head = head("\r\n\nGET / HTTP/1.0\nA: 1\n\n");
        assert_eq!((&*head.method(), head.version()), ("GET", Version::Http10));
        assert_eq!(head.headers().len(), 1);
    }

    #[test]
    fn odd_targets_have_a_path() {
        for (target, path, query) in [
            ("*", "*", None),
            ("http://h:1/p?q", "/p", Some("q")),
            ("http://h", "", None),
            ("http://h?q=1", "", Some("q=1")),
            ("h:443", "h:443", None),
            ("/r?u=http://x/y", "/r", Some("u=http://x/y")),
            ("/a://b", "/a://b", None),
        ] {
            let (p, q) = path_and_query(target.as_bytes());
            assert_eq!((p, q), (path.as_bytes(), query.map(str::as_bytes)), "{target}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let headers: Headers = [("a", "1"), ("a", "2")].into_iter().collect();
        let head = Head::from_parts("PUT", b"/x", Version::Http2, &headers);
        assert_eq!(&head.raw()[..], b"PUT /x HTTP/2.0\r\na: 1\r\na: 2\r\n\r\n");
        assert_eq!((head.headers(), head.version()), (&headers, Version::Http2));
    }

    /// What a tidy sender does not write: spaces, a tab, no space, doubles, mixed case, a bare line feed, a line without a colon.
    const ODD: &str = "POST /a HTTP/1.1\r\nHost:  h\r\nx-dUP:\t1\r\nX-None:\r\nX-Bare:b \t \nX-Dup:1\r\nx-dUP:   2 \r\nno colon\r\n\r\n";

    #[test]
    fn another_value_leaves_every_other_byte_as_it_came() {
        for (at, from, to) in [
            (0, "Host:  h\r\n", "Host:  other\r\n"),
            (1, "x-dUP:\t1\r\n", "x-dUP:\tother\r\n"),
            (2, "X-None:\r\n", "X-None:other\r\n"),
            (3, "X-Bare:b \t \n", "X-Bare:other \t \n"),
            (4, "X-Dup:1\r\n", "X-Dup:other\r\n"),
            (5, "x-dUP:   2 \r\n", "x-dUP:   other \r\n"),
            (6, "no colon\r\n", "no colon: other\r\n"),
        ] {
            let expected = ODD.replacen(from, to, 1);
            let changed = head(ODD).with_value(at, b"other");
            assert_eq!(std::str::from_utf8(changed.raw()).unwrap(), expected, "{at}");
            assert_eq!(changed.headers().iter().nth(at).unwrap().value, b"other");
        }
        assert_eq!(head(ODD).with_value(7, b"other"), head(ODD), "there is none");
    }

    #[test]
    fn a_head_made_of_another_keeps_the_lines_that_are_left() {
        let odd = head(ODD);
        let whole = odd.remade("POST", b"/a", Version::Http11, odd.headers());
        assert_eq!(std::str::from_utf8(whole.raw()).unwrap(), ODD.replace("\t \n", "\t \r\n"));
        let list = [("X-New", "n"), ("x-dUP", "9"), ("x-dUP", "1"), ("X-Dup", "1"), ("no colon", ""), ("Host", "h")];
        let other = odd.remade("PUT", b"/b", Version::Http11, &list.into_iter().collect());
        let expected =
            "PUT /b HTTP/1.1\r\nX-New: n\r\nx-dUP:   9 \r\nx-dUP:\t1\r\nX-Dup:1\r\nno colon\r\nHost:  h\r\n\r\n";
        assert_eq!(std::str::from_utf8(other.raw()).unwrap(), expected);
        assert!(
            other
                .headers()
                .iter()
                .map(|header| (header.name, header.value))
                .eq(list.map(|(name, value)| (name.as_bytes(), value.as_bytes())))
        );
    }

    #[test]
    fn rubbish_is_kept_and_never_panics() {
        let head = head("rubbish");
        assert_eq!((&*head.method(), &head.raw()[..]), ("rubbish", &b"rubbish"[..]));
        assert_eq!(&*Head::parse(Bytes::new()).method(), "");
    }
}
