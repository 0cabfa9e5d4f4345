//! The header list, as it came.

use std::{fmt, ops::Range};

use bytes::{Bytes, BytesMut};

use super::text;

/// One header line: name and value as the sender wrote them, without the white space around the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// The name in the sender's case.
    pub name: &'a [u8],
    /// The value's bytes.
    pub value: &'a [u8],
}

/// A header list that keeps order, case and duplicates. Look-ups ignore case; nothing is ever merged.
///
/// One buffer and a pair of places a line: the list of a captured head is a reading of the head's own bytes, and costs one
/// allocation, however many lines it has.
#[derive(Clone, Default)]
pub struct Headers {
    bytes: Bytes,
    lines: Vec<Line>,
}

/// Where a line's name and value stand in the buffer.
#[derive(Clone, Debug)]
struct Line {
    name: Range<u32>,
    value: Range<u32>,
}

fn slice<'a>(bytes: &'a [u8], range: &Range<u32>) -> &'a [u8] {
    bytes.get(range.start as usize..range.end as usize).unwrap_or_default()
}

impl Headers {
    /// The lines that stand in `bytes`, each as the places of its name and of its value. Places past 4 GiB do not exist:
    /// no head is that long.
    pub(super) fn of(bytes: Bytes, lines: impl Iterator<Item = (Range<usize>, Range<usize>)>) -> Self {
        let narrow = |range: Range<usize>| range.start as u32..range.end as u32;
        let lines = lines.map(|(name, value)| Line { name: narrow(name), value: narrow(value) }).collect();
        Self { bytes, lines }
    }

    /// A list with room for `n` headers.
    pub fn with_capacity(n: usize) -> Self {
        Self { bytes: Bytes::new(), lines: Vec::with_capacity(n) }
    }

    /// Appends a header at the end.
    pub fn push(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        let mut bytes = BytesMut::from(std::mem::take(&mut self.bytes));
        let mut append = |part: &[u8]| {
            let start = bytes.len() as u32;
            bytes.extend_from_slice(part);
            start..bytes.len() as u32
        };
        let line = Line { name: append(name.as_ref()), value: append(value.as_ref()) };
        self.bytes = bytes.freeze();
        self.lines.push(line);
    }

    /// Where name and value of a line stand in the bytes that the list is a reading of.
    pub(super) fn places(&self, at: usize) -> Option<(Range<usize>, Range<usize>)> {
        let wide = |range: &Range<u32>| range.start as usize..range.end as usize;
        self.lines.get(at).map(|line| (wide(&line.name), wide(&line.value)))
    }

    /// The first value of that name.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.get_all(name).next()
    }

    /// Every value of that name, in the order they came.
    pub fn get_all<'h, 'n>(&'h self, name: &'n str) -> impl Iterator<Item = &'h [u8]> + use<'h, 'n> {
        // Lengths first: they tell most names apart, and lie beside each other.
        let has_name = |line: &&Line| {
            line.name.len() == name.len() && slice(&self.bytes, &line.name).eq_ignore_ascii_case(name.as_bytes())
        };
        self.lines.iter().filter(has_name).map(|line| slice(&self.bytes, &line.value))
    }

    /// The first value of that name, where it is UTF-8.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// The names that `Connection` says are of that connection alone (RFC 9110, section 7.6.1), in lower case. What the
    /// message needs stays.
    pub fn named_by_connection(&self) -> Vec<String> {
        let names = self.get_all("connection").flat_map(|value| value.split(|&byte| byte == b','));
        let names = names.map(|name| text::lossless(name.trim_ascii()).to_ascii_lowercase());
        names.filter(|name| !["host", "content-length", "content-type"].contains(&&name[..])).collect()
    }

    /// The list as the sender ordered it.
    pub fn iter(&self) -> Iter<'_> {
        Iter { bytes: &self.bytes, lines: self.lines.iter() }
    }

    /// How many header lines there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

impl PartialEq for Headers {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other)
    }
}

impl Eq for Headers {}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|header| (header.name_text(), header.value_text()))).finish()
    }
}

/// The lines of a header list, in order.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    bytes: &'a [u8],
    lines: std::slice::Iter<'a, Line>,
}

impl<'a> Iter<'a> {
    fn header(bytes: &'a [u8], line: &Line) -> Header<'a> {
        Header { name: slice(bytes, &line.name), value: slice(bytes, &line.value) }
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = Header<'a>;

    fn next(&mut self) -> Option<Header<'a>> {
        self.lines.next().map(|line| Self::header(self.bytes, line))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.lines.size_hint()
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.lines.next_back().map(|line| Self::header(self.bytes, line))
    }
}

impl ExactSizeIterator for Iter<'_> {}

impl<'a> IntoIterator for &'a Headers {
    type Item = Header<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl<'a> FromIterator<Header<'a>> for Headers {
    fn from_iter<T: IntoIterator<Item = Header<'a>>>(iter: T) -> Self {
        iter.into_iter().map(|header| (header.name, header.value)).collect()
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> FromIterator<(N, V)> for Headers {
    fn from_iter<T: IntoIterator<Item = (N, V)>>(iter: T) -> Self {
        let mut headers = Self::default();
        iter.into_iter().for_each(|(name, value)| headers.push(name, value));
        headers
    }
}

/// Headers that speak of one connection, not of the message (RFC 9110, section 7.6.1), and the one that went with an
/// upgrade to HTTP/2.
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
];

impl Header<'_> {
    /// Whether it speaks of one connection, not of the message.
    pub fn is_hop_by_hop(self) -> bool {
        HOP_BY_HOP.iter().any(|name| self.is(name))
    }

    /// Whether it speaks of the connection and not of the message; `named` by `Connection`, in lower case.
    pub fn is_of_connection(self, named: &[String]) -> bool {
        self.is_hop_by_hop() || named.iter().any(|name| self.is(name))
    }

    /// Whether that is its name. Case says nothing.
    pub fn is(self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

impl<'a> Header<'a> {
    /// The name as text (see [`text::lossless`]).
    pub fn name_text(self) -> std::borrow::Cow<'a, str> {
        text::lossless(self.name)
    }

    /// The value as text (see [`text::lossless`]).
    pub fn value_text(self) -> std::borrow::Cow<'a, str> {
        text::lossless(self.value)
    }
}
