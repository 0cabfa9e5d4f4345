//! Captures as they may be shown to others: what lets somebody in is masked, and told.

use std::ops::AddAssign;

use crate::{
    body::{self, Content},
    record::{
        Capture, Flag, Head, Header, Headers, counted,
        mask::{self, MASK},
    },
    verify,
};

/// How much was masked, in one capture or in many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Masked {
    /// Headers and trailers.
    pub headers: usize,
    /// Fields of queries.
    pub fields: usize,
    /// Values in bodies.
    pub values: usize,
    /// Bodies in which nobody looked, since they are of other kinds.
    pub unread: usize,
    /// Bodies under a content coding that hold secrets: they stay, since nothing else fits in their place.
    pub packed: usize,
}

impl AddAssign for Masked {
    fn add_assign(&mut self, more: Self) {
        self.headers += more.headers;
        self.fields += more.fields;
        self.values += more.values;
        self.unread += more.unread;
        self.packed += more.packed;
    }
}

impl Masked {
    /// What is secret and was not masked, in words; none where nothing is known to be.
    pub fn left(&self) -> Option<String> {
        let bodies = counted(self.packed as u64, "body");
        (self.packed > 0).then(|| format!("secrets in {bodies} under a Content-Encoding, which stay as they came"))
    }

    /// What was masked, in words: `2 headers and 1 value in a body`; none where nothing was.
    pub fn words(&self) -> Option<String> {
        let rows =
            [(self.headers, "header", ""), (self.fields, "field", " of queries"), (self.values, "value", " in bodies")];
        let told = rows.iter().filter(|(count, ..)| *count > 0);
        let told: Vec<_> =
            told.map(|(count, what, place)| format!("{}{place}", counted(*count as u64, what))).collect();
        let (last, before) = told.split_last()?;
        Some(if before.is_empty() { last.clone() } else { format!("{} and {last}", before.join(", ")) })
    }
}

/// A capture without what lets somebody in, and what that was. As it is where there is none of it. What was found out about it
/// is concealed, too.
pub fn masked(capture: Capture) -> (Capture, Masked) {
    let mut told = Masked::default();
    let mut capture = capture;
    if let Some((target, count)) = mask::target(capture.head.target()) {
        let head = &capture.head;
        capture.head = head.remade(&head.method(), &target, head.version(), head.headers());
        told.fields = count;
    }
    let places = secret_lines(capture.head.headers());
    capture.head = places.iter().fold(capture.head, |head: Head, &at| head.with_value(at, MASK.as_bytes()));
    let trailers = secret_lines(&capture.trailers);
    if !trailers.is_empty() {
        let line = |(at, line): (usize, Header<'_>)| {
            let value = if trailers.contains(&at) { MASK.as_bytes() } else { line.value };
            (line.name.to_vec(), value.to_vec())
        };
        capture.trailers = capture.trailers.iter().enumerate().map(line).collect();
    }
    told.headers = places.len() + trailers.len();
    let content = Content::of(&capture.body.bytes, capture.head.headers());
    let mut bytes = content.bytes.to_vec();
    let looked = body::mask::mask(&content, &mut bytes);
    let is_cut = content.undone.as_ref().is_some_and(|undone| undone.stopped);
    told.unread = usize::from(looked.unread || is_cut);
    if content.undone.is_some() {
        told.packed = usize::from(looked.count > 0);
    } else if looked.count > 0 {
        capture.body.sha256 = verify::sha256(&bytes);
        capture.body.bytes = bytes.into();
        told.values = looked.count;
    }
    if told.words().is_some() {
        capture.flags.insert(Flag::Masked);
    }
    let has_secrets = told.fields + told.values + told.packed > 0;
    capture.judgement = capture.judgement.concealed(has_secrets);
    (capture, told)
}

/// The places of the lines that let somebody in.
fn secret_lines(headers: &Headers) -> Vec<usize> {
    let lines = headers.iter().enumerate();
    lines.filter(|(_, header)| header.lets_in() && !header.value.is_empty()).map(|(at, _)| at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Body, Timestamp, Uid};

    fn told(head: &str, body: &'static [u8]) -> Masked {
        let head = Head::parse(format!("{head}\r\n\r\n").into());
        let body = Body::whole(body.into(), verify::sha256(body));
        let (capture, told) = masked(Capture::new(Uid(1), Timestamp::from_unix_ms(1), head, body));
        assert_eq!(capture.flags.contains(Flag::Masked), told.words().is_some());
        assert_eq!(capture.body.sha256, verify::sha256(&capture.body.bytes));
        told
    }

    #[test]
    fn what_was_masked_is_counted_and_so_is_what_nobody_can_look_into() {
        const FORM: &str = "Content-Type: Application/X-WWW-Form-Urlencoded; charset=utf-8";
        let none = Masked::default();
        let all = told("POST /?token=a&b=1 HTTP/1.1\r\nCookie: a\r\nX-Api-Key: b", b"{\"token\":\"a\"}");
        assert_eq!(all.words().as_deref(), Some("2 headers, 1 field of queries and 1 value in bodies"));
        assert_eq!(told(&format!("POST / HTTP/1.1\r\n{FORM}"), b"token=a"), Masked { values: 1, ..none });
        let packed = format!("POST / HTTP/1.1\r\n{FORM}\r\nContent-Encoding: gzip");
        assert_eq!(told(&packed, b"\x1f\x8b\x08"), Masked { unread: 1, ..none });
        let zipped = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x2b\xc9\xcf\x4e\xcd\xb3\x4d\x04\x00\xfe\x28\xe7\x8c\x07\x00\x00\x00";
        let left = told(&packed, zipped);
        assert_eq!(left, Masked { packed: 1, ..none });
        assert!(left.left().unwrap().starts_with("secrets in 1 body under a Content-Encoding"), "{left:?}");
        assert_eq!(told("POST / HTTP/1.1\r\nAuthorization:", b""), none);
    }
}
