//! Why a head was refused, in words. What hyper says of it is "invalid header" at best; the recorder has the bytes, and here
//! they are looked at once more, row by row, for what it cannot have liked.
//!
//! Nothing is decided here: the request is refused already. Where no row holds, the words stay general.

use std::{borrow::Cow, ops::Range};

use hyper::Uri;

use super::Limits;
use crate::record::grammar::{is_of_token, is_of_value};

/// What all these reasons begin with, and what is said where none is found.
const MALFORMED: &str = "malformed head";

/// A row: what is wrong, with `{byte}` and `{at}` for the byte that shows it and its place in the head, from 0; and where
/// that is, if it is so.
type Row = (&'static str, fn(&Raw<'_>) -> Option<usize>);

/// The rows, in the order in which a head is read.
const ROWS: &[Row] = &[
    ("a carriage return that ends no line, at {at}", |head| {
        head.lines.iter().find_map(|line| head.first(&line.place, |b| b == b'\r'))
    }),
    ("byte {byte} in the method, at {at}", |head| head.first(head.parts.first()?, |b| !is_of_token(b))),
    ("byte {byte} in the target, at {at}", bad_in_target),
    ("a blank too many in the request line, at {at}", |head| {
        let place = head.parts.get(3)?;
        // The blank before it; a line that begins with one has none before that.
        Some(head.parts.iter().find(|part| part.is_empty()).unwrap_or(place).start.saturating_sub(1))
    }),
    ("the request line is not METHOD TARGET VERSION", |head| {
        head.is_request_line_whole().filter(|_| head.parts.len() < 3)
    }),
    ("the version is neither HTTP/1.0 nor HTTP/1.1", |head| {
        head.is_request_line_whole().filter(|_| !matches!(head.part(2), b"HTTP/1.0" | b"HTTP/1.1"))
    }),
    ("the target has none of the forms that there are (RFC 9112, section 3.2)", |head| {
        head.is_request_line_whole().filter(|_| Uri::try_from(head.part(1)).is_err())
    }),
    ("a header goes on in the next line (RFC 9112, section 5.2)", |head| {
        head.headers().map(|line| line.place.start).find(|&at| is_blank(head.bytes[at]))
    }),
    ("a line without a colon, at {at}", |head| {
        head.headers().find(|line| line.is_whole && head.name(line).is_none()).map(|line| line.place.start)
    }),
    ("a header without a name, at {at}", |head| head.names().find(Range::is_empty).map(|name| name.start)),
    ("a blank before a colon, at {at} (RFC 9112, section 5.1)", |head| {
        head.names().map(|name| name.end - 1).find(|&at| is_blank(head.bytes[at]))
    }),
    ("byte {byte} in a header's name, at {at}", |head| {
        head.names().find_map(|name| head.first(&name, |b| !is_of_token(b)))
    }),
    ("byte {byte} in a header's value, at {at}", |head| {
        head.headers().find_map(|line| head.first(&line.place, |b| !is_of_value(b)))
    }),
    ("Transfer-Encoding in HTTP/1.0", |head| {
        head.values("transfer-encoding").next().filter(|_| head.part(2) == b"HTTP/1.0").map(|(at, _)| at)
    }),
    ("the last Transfer-Encoding is not chunked", |head| {
        head.values("transfer-encoding").last().filter(|(_, value)| !ends_chunked(value)).map(|(at, _)| at)
    }),
    ("an empty Content-Length", |head| head.length(<[u8]>::is_empty)),
    ("a Content-Length that is not digits alone", |head| head.length(|value| !value.iter().all(u8::is_ascii_digit))),
    ("a Content-Length over 2^64", |head| head.length(is_past_counting)),
    ("two Content-Lengths", |head| {
        let (_, first) = head.values("content-length").next()?;
        head.length(|value| value != first)
    }),
];

/// Why a head that was refused as malformed was.
pub(super) fn malformed(raw: &[u8]) -> Cow<'static, str> {
    let head = Raw::of(raw);
    let Some((words, at)) = ROWS.iter().find_map(|(words, seen)| Some((words, seen(&head)?))) else {
        return MALFORMED.into();
    };
    let byte = format!("{:#04x}", raw.get(at).copied().unwrap_or_default());
    let words = words.replace("{byte}", &byte).replace("{at}", &at.to_string());
    format!("{MALFORMED}: {words}").into()
}

/// Why a head that was refused as too large was: which limit it met.
pub(super) fn too_large(raw: &[u8], limits: &Limits) -> Cow<'static, str> {
    let (count, most) = (Raw::of(raw).headers().count(), limits.headers);
    if count > most {
        return format!("{count} headers, {most} are taken: [limits] headers").into();
    }
    format!("the head is too large, {} KiB are taken: [limits] head_kib", limits.head_bytes >> 10).into()
}

/// A head's bytes, taken apart without belief: any bytes at all may stand here, and they may end anywhere.
struct Raw<'a> {
    bytes: &'a [u8],
    /// The request line and the headers.
    lines: Vec<Line>,
    /// What stands between the blanks of the request line.
    parts: Vec<Range<usize>>,
}

/// A line, without its end.
struct Line {
    place: Range<usize>,
    /// Whether its end has come.
    is_whole: bool,
}

impl<'a> Raw<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        let mut at = bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        let mut lines = Vec::new();
        while let Some(line) = Line::at(bytes, at).filter(|line| !line.place.is_empty()) {
            at = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end + 1);
            lines.push(line);
        }
        let parts = lines.first().map_or_else(Vec::new, |line| parts(bytes, &line.place));
        Self { bytes, lines, parts }
    }

    fn headers(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().skip(1)
    }

    /// What stands before the first colon of a header.
    fn name(&self, line: &Line) -> Option<Range<usize>> {
        let colon = memchr::memchr(b':', &self.bytes[line.place.clone()])?;
        Some(line.place.start..line.place.start + colon)
    }

    fn names(&self) -> impl Iterator<Item = Range<usize>> {
        self.headers().filter_map(|line| self.name(line))
    }

    /// The values of that name, each with the place of its line.
    fn values(&self, name: &str) -> impl Iterator<Item = (usize, &'a [u8])> {
        self.headers().filter_map(move |line| {
            let own = self.name(line)?;
            let has_name = self.bytes[own.clone()].eq_ignore_ascii_case(name.as_bytes());
            has_name.then(|| (own.start, self.bytes[own.end + 1..line.place.end].trim_ascii()))
        })
    }

    /// Where a length stands of which that is true.
    fn length(&self, is_so: impl Fn(&[u8]) -> bool) -> Option<usize> {
        self.values("content-length").find(|(_, value)| is_so(value)).map(|(at, _)| at)
    }

    /// Where the first such byte stands.
    fn first(&self, place: &Range<usize>, is_so: impl Fn(u8) -> bool) -> Option<usize> {
        self.bytes[place.clone()].iter().position(|&b| is_so(b)).map(|at| place.start + at)
    }

    fn part(&self, at: usize) -> &'a [u8] {
        self.parts.get(at).map_or(&[], |part| &self.bytes[part.clone()])
    }

    /// Where the request line begins, if its end has come.
    fn is_request_line_whole(&self) -> Option<usize> {
        self.lines.first().filter(|line| line.is_whole).map(|line| line.place.start)
    }
}

impl Line {
    /// The line that begins there; none where nothing does.
    fn at(bytes: &[u8], start: usize) -> Option<Self> {
        let rest = bytes.get(start..).filter(|rest| !rest.is_empty())?;
        let end = memchr::memchr(b'\n', rest);
        let line = &rest[..end.unwrap_or(rest.len())];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        Some(Self { place: start..start + line.len(), is_whole: end.is_some() })
    }
}

fn parts(bytes: &[u8], line: &Range<usize>) -> Vec<Range<usize>> {
    let mut start = line.start;
    let parts = bytes[line.clone()].split(|&b| b == b' ').map(|part| {
        let place = start..start + part.len();
        start = place.end + 1;
        place
    });
    parts.collect()
}

/// A byte of the target that cannot stand there. Of those that only a URL's grammar forbids, the library that reads
/// targets takes some; it is asked.
fn bad_in_target(head: &Raw<'_>) -> Option<usize> {
    let place = head.parts.get(1)?;
    let target = head.part(1);
    let read = target.iter().position(|&b| b == b'#').unwrap_or(target.len());
    let query = target[..read].iter().position(|&b| b == b'?').unwrap_or(read);
    let is_taken = |at: usize, b: u8| {
        let before = if at > query { &b"/?"[..] } else { b"/" };
        Uri::try_from([before, &[b]].concat()).is_ok()
    };
    let is_bad = |(at, &b): (usize, &u8)| match b {
        0..=0x20 | 0x7f => true,
        b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' => at < read && !is_taken(at, b),
        _ => false,
    };
    let byte = target.iter().enumerate().position(is_bad);
    let text = || std::str::from_utf8(&target[..read]).err().map(|why| why.valid_up_to());
    byte.or_else(text).map(|at| place.start + at)
}

fn is_blank(b: u8) -> bool {
    matches!(b, b' ' | b'\t')
}

fn ends_chunked(value: &[u8]) -> bool {
    value.rsplit(|&b| b == b',').next().is_some_and(|last| last.trim_ascii().eq_ignore_ascii_case(b"chunked"))
}

/// hyper keeps the two largest numbers for itself.
fn is_past_counting(digits: &[u8]) -> bool {
    let number = std::str::from_utf8(digits).ok().and_then(|text| text.parse::<u64>().ok());
    number.is_none_or(|number| number > u64::MAX - 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_is_seen_in_a_head_that_has_it() {
        let heads: &[&[u8]] = &[
            b"GET / HTTP/1.1\r\nA: b\rc\r\n\r\n",
            b"G(T / HTTP/1.1\r\n\r\n",
            b"GET /a<b HTTP/1.1\r\n\r\n",
            b"GET  / HTTP/1.1\r\n\r\n",
            b"GET /\r\n\r\n",
            b"GET / HTTP/1.2\r\n\r\n",
            b"GET a/b HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
            b"GET / HTTP/1.1\r\nA\r\n\r\n",
            b"GET / HTTP/1.1\r\n: b\r\n\r\n",
            b"GET / HTTP/1.1\r\nA : b\r\n\r\n",
            b"GET / HTTP/1.1\r\nA(: b\r\n\r\n",
            b"GET / HTTP/1.1\r\nA: \0\r\n\r\n",
            b"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
            b"GET / HTTP/1.1\r\nContent-Length: \r\n\r\n",
            b"GET / HTTP/1.1\r\ncontent-length: +5\r\n\r\n",
            b"GET / HTTP/1.1\r\nContent-Length: 18446744073709551616\r\n\r\n",
            b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        ];
        assert_eq!(heads.len(), ROWS.len(), "each row has a head");
        for (at, raw) in heads.iter().enumerate() {
            let head = Raw::of(raw);
            assert_eq!(ROWS.iter().position(|(_, seen)| seen(&head).is_some()), Some(at), "{}", malformed(raw));
        }
    }

    #[test]
    fn a_byte_is_named_with_its_place_and_what_nothing_is_wrong_with_is_left_alone() {
        for (raw, words) in [
            (&b"GET /1234567<9 HTTP/1.1\r\n\r\n"[..], "malformed head: byte 0x3c in the target, at 12"),
            (b"GET /?q=\xff HTTP/1.1\r\n\r\n", "malformed head: byte 0xff in the target, at 8"),
            (b"GET /a b HTTP/1.1\r\n\r\n", "malformed head: a blank too many in the request line, at 8"),
            (b"GET / HTTP/1.1\r\nA: \0", "malformed head: byte 0x00 in a header's value, at 19"),
            (b"GET /{a}|\"?<>#<\r HTTP/1.1", "malformed head: a carriage return that ends no line, at 15"),
            (b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\nA: \xff\r\nB", MALFORMED),
            (b"OPTIONS * HTTP/1.1\r\n\r\n", MALFORMED),
            (b"CONNECT h:1 HTTP/1.1\r\n\r\n", MALFORMED),
            (b"GET http://h/x HTTP/1.0\n\n", MALFORMED),
            (b"", MALFORMED),
        ] {
            assert_eq!(malformed(raw), words, "{}", raw.escape_ascii());
        }
    }

    #[test]
    fn a_head_over_a_limit_names_the_limit() {
        let limits = Limits { headers: 2, ..Limits::default() };
        let many = b"GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n";
        assert_eq!(too_large(many, &limits), "3 headers, 2 are taken: [limits] headers");
        let long = too_large(many, &Limits::default());
        assert_eq!(long, "the head is too large, 64 KiB are taken: [limits] head_kib");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_are_too_odd(
            picks in proptest::collection::vec(proptest::sample::select(&b"GET /:\r\n\t\0<?#\xff\x80HTTP/1.0,+"[..]), 0..60),
            any: Vec<u8>,
        ) {
            for raw in [picks, any] {
                let _ = (malformed(&raw), too_large(&raw, &Limits::default()));
            }
        }
    }
}
