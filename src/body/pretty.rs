//! Indented JSON, a line at a time, from any bytes.
//!
//! This reads tokens, not values: it needs no valid input, remembers nothing but where it is and how deep, and shows
//! every byte that is not white space between tokens exactly once and in order. What is wrong is said by the caller.

use std::{num::NonZero, ops::Range, thread};

use bytes::Bytes;

use super::{
    LINE_CHARS, Role,
    piece::{Count, Cut, DEPTH_GUESSED, Sink, Walk, cut},
};
use crate::record::token;

/// How deep the indentation goes; what lies deeper is shown at this depth.
const DEEPEST_INDENT: u32 = 40;

/// What a line's beginning is taken to use, however deep it is: so what a line holds does not change with its depth.
const INDENT: usize = DEEPEST_INDENT as usize * 2;

/// How many bytes a part has at least that is worth a thread.
const PART: usize = 1 << 20;

/// In how many parts at most a body is read at a time.
const MOST_PARTS: usize = 8;

/// How far from where a part could begin a place is looked for that a line begins at.
const LOOK_FOR: usize = 64 << 10;

/// Tokens up to this many bytes are never measured: they are taken for the widest they could be.
const SHORT: usize = 256;

/// Room that a line keeps for what is not measured: an arrow, a colon, brackets, a comma.
const SPARE: usize = 16;

/// What a byte begins.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Space,
    Comma,
    Colon,
    Close,
    // What follows begins a value.
    Open,
    Quote,
    Word,
}

/// What each byte begins.
const KINDS: [Kind; 256] = {
    let mut kinds = [Kind::Word; 256];
    let mut byte = 0;
    while byte < kinds.len() {
        kinds[byte] = match byte as u8 {
            b' ' | b'\t' | b'\n' | b'\r' => Kind::Space,
            b',' => Kind::Comma,
            b':' => Kind::Colon,
            b'}' | b']' => Kind::Close,
            b'{' | b'[' => Kind::Open,
            b'"' => Kind::Quote,
            _ => Kind::Word,
        };
        byte += 1;
    }
    kinds
};

/// The place after the closing quote of a string whose text begins there; none where it is not short, or not closed.
/// Looks at eight bytes at a time: most names and values end in the first or second eight.
fn short_string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    let end = bytes.len().min(at + SHORT - 1);
    while let Some(eight) = bytes.get(at..end).and_then(|rest| rest.first_chunk()) {
        let eight = u64::from_le_bytes(*eight);
        match (marked(eight, b'"') | marked(eight, b'\\')).trailing_zeros() as usize / 8 {
            8 => at += 8,
            found if bytes[at + found] == b'"' => return Some(at + found + 1),
            // What stands behind a backslash ends nothing.
            found => at += found + 2,
        }
    }
    while at < end {
        match bytes[at] {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    None
}

/// Marks the highest bit of each of eight bytes that is that one, and maybe of others after the first: the subtraction borrows
/// from those alone.
fn marked(eight: u64, byte: u8) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let zeroed = eight ^ (ONES * u64::from(byte));
    zeroed.wrapping_sub(ONES) & !zeroed & (ONES << 7)
}

/// The bytes and where the first of them is that makes them no JSON.
pub(super) struct Pretty {
    pub(super) bytes: Bytes,
    pub(super) error: Option<usize>,
    /// Where names begin that their object had before, in order.
    pub(super) doubled: Vec<usize>,
}

/// Before a line: the next byte, how many brackets are open, and the token that the line goes on with.
#[derive(Clone, Copy)]
pub(super) struct Place {
    at: usize,
    depth: u32,
    inside: Option<Token>,
}

/// A token that ends there.
#[derive(Clone, Copy)]
struct Token {
    end: usize,
    role: Role,
}

/// What a line has so far.
struct Progress {
    /// How many characters at most.
    used: usize,
    is_empty: bool,
    /// Whether a value is complete: only a comma may follow on the same line.
    has_value: bool,
}

impl Walk for Pretty {
    type Place = Place;

    fn start(&self) -> Place {
        Place { at: self.after_space(0), depth: 0, inside: None }
    }

    fn guesses(&self) -> Vec<Place> {
        let bytes = self.bytes.len();
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let parts = threads.min(MOST_PARTS).min(bytes / PART);
        (1..parts).filter_map(|part| self.guess(bytes / parts * part)).collect()
    }

    fn ended(&self, place: &Place) -> bool {
        place.at >= self.bytes.len()
    }

    fn offset(&self, place: &Place) -> usize {
        place.at
    }

    fn depth(&self, place: &Place) -> u32 {
        place.depth
    }

    fn set_depth(&self, place: &mut Place, depth: u32) {
        place.depth = depth;
    }

    fn goes_on(&self, place: &Place) -> bool {
        place.inside.is_some()
    }

    fn step(&self, place: &mut Place, sink: &mut impl Sink) {
        self.line(place, sink);
        if place.inside.is_none() {
            place.at = self.after_space(place.at);
        }
    }

    fn pass(&self, place: &mut Place) {
        if !self.skim(place) {
            self.step(place, &mut Count);
        }
    }
}

impl Pretty {
    /// The place after a comma from there on that a string follows, and what can follow a string: within a string there is no
    /// such place, except where it is made to look like one.
    fn guess(&self, from: usize) -> Option<Place> {
        let until = self.bytes.len().min(from + LOOK_FOR);
        let commas =
            memchr::memchr_iter(b',', &self.bytes[from..until]).map(|comma| self.after_space(from + comma + 1));
        let mut strings = commas.filter(|&at| self.bytes.get(at) == Some(&b'"'));
        let at = strings.find(|&at| {
            let after = short_string_end(&self.bytes, at + 1).and_then(|end| self.bytes.get(self.after_space(end)));
            matches!(after, Some(b':' | b',' | b'}' | b']'))
        })?;
        Some(self.guessed(at))
    }

    /// The place there, where a line may begin.
    pub(super) fn guessed(&self, at: usize) -> Place {
        Place { at: self.after_space(at.min(self.bytes.len())), depth: DEPTH_GUESSED, inside: None }
    }

    /// Passes a line whose tokens are all short; else it stays where it is and says no. A body of 100 MB has ten million
    /// lines, nearly all of them like that, and all of them are passed once to count them.
    fn skim(&self, place: &mut Place) -> bool {
        if place.inside.is_some() {
            return false;
        }
        let (bytes, mut depth) = (&self.bytes[..], place.depth);
        let mut used = INDENT;
        let (mut at, mut is_empty, mut has_value) = (place.at, true, false);
        while let Some(&byte) = bytes.get(at) {
            let kind = KINDS[usize::from(byte)];
            if kind == Kind::Space {
                at += 1;
                continue;
            }
            if (kind == Kind::Close && !is_empty) || (has_value && kind > Kind::Close) {
                break;
            }
            // As `token` has it: with more on the line, its end is measured.
            if used + SPARE + 4 * SHORT >= LINE_CHARS {
                return false;
            }
            let start = at;
            at += 1;
            match kind {
                Kind::Space => {}
                Kind::Comma => break,
                Kind::Colon => has_value = false,
                Kind::Close => {
                    depth = depth.saturating_sub(1);
                    has_value = true;
                }
                Kind::Open => {
                    at = self.after_space(at);
                    // `{` and `}`, `[` and `]` are two apart.
                    if bytes.get(at) != Some(&(byte + 2)) {
                        depth = depth.saturating_add(1);
                        break;
                    }
                    at += 1;
                    has_value = true;
                }
                Kind::Quote => {
                    let Some(end) = short_string_end(bytes, at) else { return false };
                    at = end;
                    // That of a name ends with the colon, which comes next.
                    has_value = true;
                }
                Kind::Word => {
                    while bytes.get(at).is_some_and(|byte| KINDS[usize::from(*byte)] == Kind::Word) {
                        at += 1;
                    }
                    if at - start > SHORT {
                        return false;
                    }
                    has_value = true;
                }
            }
            is_empty = false;
            used += (at - start) * 4;
        }
        while bytes.get(at).is_some_and(|byte| KINDS[usize::from(*byte)] == Kind::Space) {
            at += 1;
        }
        *place = Place { at, depth, inside: None };
        true
    }

    fn line(&self, place: &mut Place, sink: &mut impl Sink) {
        let mut line = Progress { used: INDENT, is_empty: true, has_value: false };
        if let Some(token) = place.inside.take() {
            sink.continued();
            line.is_empty = false;
            if !self.token(place, token, &mut line, sink) {
                return;
            }
        }
        while line.used + SPARE < LINE_CHARS {
            place.at = self.after_space(place.at);
            let Some(&byte) = self.bytes.get(place.at) else { return };
            let goes_on = match byte {
                b',' => self.comma(place, &mut line, sink),
                b':' => self.colon(place, &mut line, sink),
                b'}' | b']' => line.is_empty && self.close(place, &mut line, sink),
                _ if line.has_value => false,
                b'{' | b'[' => self.open(place, &mut line, sink),
                b'"' => self.token(place, self.string(place.at), &mut line, sink),
                _ => self.token(place, self.scalar(place.at), &mut line, sink),
            };
            if !goes_on {
                return;
            }
        }
    }

    fn comma(&self, place: &mut Place, line: &mut Progress, sink: &mut impl Sink) -> bool {
        self.mark(place, 1, line, sink);
        false
    }

    fn colon(&self, place: &mut Place, line: &mut Progress, sink: &mut impl Sink) -> bool {
        self.mark(place, 1, line, sink);
        sink.add(Role::Plain, " ");
        line.used += 1;
        line.has_value = false;
        true
    }

    fn close(&self, place: &mut Place, line: &mut Progress, sink: &mut impl Sink) -> bool {
        place.depth = place.depth.saturating_sub(1);
        self.mark(place, 1, line, sink);
        line.has_value = true;
        true
    }

    /// An opening bracket ends its line, unless the closing one follows at once.
    fn open(&self, place: &mut Place, line: &mut Progress, sink: &mut impl Sink) -> bool {
        let close = if self.bytes[place.at] == b'{' { b'}' } else { b']' };
        self.mark(place, 1, line, sink);
        let next = self.after_space(place.at);
        if self.bytes.get(next) != Some(&close) {
            place.depth = place.depth.saturating_add(1);
            return false;
        }
        place.at = next;
        self.mark(place, 1, line, sink);
        line.has_value = true;
        true
    }

    /// Shows as much of a token as the line has room for. False where it goes on in the next line.
    fn token<S: Sink>(&self, place: &mut Place, token: Token, line: &mut Progress, sink: &mut S) -> bool {
        indent(place, line, sink);
        let rest = &self.bytes[place.at..token.end];
        let part = if rest.len() <= SHORT && line.used + SPARE + 4 * SHORT < LINE_CHARS {
            Cut { bytes: rest.len(), chars: rest.len() * 4 }
        } else {
            cut(rest, LINE_CHARS.saturating_sub(line.used + SPARE))
        };
        let end = place.at + part.bytes;
        if S::DRAWS {
            sink.put(self.role(token.role, place.at, end), &rest[..part.bytes]);
        }
        line.used += part.chars;
        place.at = end;
        if end < token.end {
            place.inside = Some(token);
            return false;
        }
        line.has_value = token.role != Role::Key;
        true
    }

    fn mark<S: Sink>(&self, place: &mut Place, length: usize, line: &mut Progress, sink: &mut S) {
        indent(place, line, sink);
        let end = place.at + length;
        if S::DRAWS {
            sink.put(self.role(Role::Punctuation, place.at, end), &self.bytes[place.at..end]);
        }
        line.used += length;
        place.at = end;
    }

    fn role(&self, role: Role, start: usize, end: usize) -> Role {
        let wrong = |places: &[usize]| {
            let next = places.partition_point(|&place| place < start);
            places.get(next).is_some_and(|&place| place < end)
        };
        if wrong(self.error.as_slice()) || (role == Role::Key && wrong(&self.doubled)) { Role::Error } else { role }
    }

    fn after_space(&self, at: usize) -> usize {
        token::after_space(&self.bytes, at)
    }

    /// The string that begins there: up to its closing quote, to the end of the bytes where there is none.
    fn string(&self, start: usize) -> Token {
        let Some(end) = token::string_end(&self.bytes, start) else {
            return Token { end: self.bytes.len(), role: Role::Error };
        };
        let is_key = self.bytes.get(self.after_space(end)) == Some(&b':');
        Token { end, role: if is_key { Role::Key } else { Role::Text } }
    }

    /// Where the text stands that is the value of a line, which begins at a byte; none where that is no text.
    pub(super) fn text_of(&self, at: usize) -> Option<Range<usize>> {
        let is_text = |at: usize| self.bytes.get(at) == Some(&b'"');
        let first = is_text(at).then(|| self.string(at))?;
        if first.role != Role::Key {
            return Some(at..first.end);
        }
        let value = self.after_space(self.after_space(first.end) + 1);
        is_text(value).then(|| value..self.string(value).end)
    }

    /// Whatever begins there and is neither a string nor a bracket, up to the next white space or mark.
    fn scalar(&self, start: usize) -> Token {
        let end = token::word_end(&self.bytes, start);
        let role = match &self.bytes[start..end] {
            b"true" | b"false" | b"null" => Role::Literal,
            text if is_number(text) => Role::Number,
            _ => Role::Error,
        };
        Token { end, role }
    }
}

/// Indents a line that is still empty.
fn indent<S: Sink>(place: &Place, line: &mut Progress, sink: &mut S) {
    if std::mem::take(&mut line.is_empty) && S::DRAWS {
        (0..place.depth.min(DEEPEST_INDENT)).for_each(|_| sink.add(Role::Plain, "  "));
    }
}

/// Whether this is a number of JSON (RFC 8259, section 6).
fn is_number(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(text);
    if whole == 0 || (whole > 1 && text[0] == b'0') {
        return false;
    }
    let mut rest = &text[whole..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let length = digits(fraction);
        if length == 0 {
            return false;
        }
        rest = &fraction[length..];
    }
    if let Some(exponent) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) {
        let exponent = exponent.strip_prefix(b"+").or_else(|| exponent.strip_prefix(b"-")).unwrap_or(exponent);
        let length = digits(exponent);
        return length > 0 && length == exponent.len();
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A line that is skimmed ends where it would be broken.
        #[test]
        fn skimming_ends_where_a_step_does(parts in prop::collection::vec(prop_oneof![
            8 => "[\\[\\]{},:\" \n]", 4 => "\"[a\\\\é]{0,3}\"", 2 => "[1-9]{1,3}", 1 => "\"a{240,270}\"", 1 => "b{250,260}", 1 => "(\"k\":){60}",
        ], 0..60)) {
            let pretty = Pretty { bytes: parts.concat().into(), error: None, doubled: Vec::new() };
            let mut place = pretty.start();
            while !pretty.ended(&place) {
                let (mut stepped, mut passed) = (place, place);
                pretty.step(&mut stepped, &mut Count);
                pretty.pass(&mut passed);
                let ends = |place: &Place| (place.at, place.depth, place.inside.map(|token| token.end));
                prop_assert_eq!(ends(&stepped), ends(&passed), "from {:?}", ends(&place));
                place = stepped;
            }
        }
    }

    #[test]
    fn a_part_begins_at_a_string_and_not_within_one() {
        for (text, place) in [
            (r#"{"a":"b", "c":1}"#, Some(10)),
            (r#"["some, ","more"]"#, Some(10)),
            (r#"["{\"a\":1,\"b\":2}","c"]"#, Some(21)),
            ("[1,2,3]", None),
            (r#"[1,"open"#, None),
        ] {
            let pretty = Pretty { bytes: text.into(), error: None, doubled: Vec::new() };
            assert_eq!(pretty.guess(0).map(|place| place.at), place, "{text}");
        }
    }

    #[test]
    fn numbers_are_the_ones_of_the_standard() {
        for number in ["0", "-0", "10", "1.5", "-1.5e+400", "0E0", "123456789012345678901234567890"] {
            assert!(is_number(number.as_bytes()), "{number}");
        }
        for other in ["", "-", "01", "1.", ".5", "1e", "1e+", "+1", "NaN", "0x1", "1a", "1.5.5", "1e5x"] {
            assert!(!is_number(other.as_bytes()), "{other}");
        }
    }
}
