//! Binary formats whose items lie in each other: one walk for all of them, a line an item; each format says only how an item
//! begins.
//!
//! Nothing here recurses, and a place knows the containers that are open there, [`DEEPEST`] of them at most. Whatever a head
//! claims, a line takes at least a byte of the body.

use std::fmt;

use bytes::Bytes;
use memchr::memchr2;

use super::{
    Content, Document, LINE_CHARS, Role,
    piece::{CONTINUED, Sink, Sparse, Walk, cut},
};
use crate::record::counted;

/// How many items may lie in each other.
pub(super) const DEEPEST: usize = 64;
/// How many lines there are at most: of single bytes a large body would have more than anybody reads, and counting them takes time.
const MOST_LINES: u32 = 2_000_000;
/// How many bytes of a byte string are shown.
const SHOWN_BYTES: usize = 32;
/// How many characters of a line texts have at most: what follows one, and what must stand in one line, has room behind it.
const TEXT_CHARS: usize = LINE_CHARS / 2;

/// A value that is told in a few words. They are made only where they are drawn.
pub(super) enum Word {
    Literal(&'static str),
    Simple(u64),
    Whole(i128),
    Fraction(f64),
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(words) => f.write_str(words),
            Self::Simple(number) => write!(f, "simple({number})"),
            Self::Whole(number) => write!(f, "{number}"),
            Self::Fraction(number) => f.write_str(&float(*number)),
        }
    }
}

/// What an item is.
pub(super) enum What {
    /// It is finished with these words.
    Word(Word),
    /// A text from the head's end to that byte.
    Text(usize),
    /// Bytes from the head's end to that byte.
    Blob(usize),
    /// More items, in brackets.
    Open(&'static str, Frame),
    /// A number that says something of the next item, and what is told beside that one.
    Tag(u64, Option<String>),
}

/// How an item begins.
pub(super) struct Item {
    /// What stands before it: a number, and what is said of that.
    pub(super) label: Option<(i64, &'static str)>,
    pub(super) what: What,
    /// What is told beside it.
    pub(super) aside: Option<String>,
    /// The byte behind its head, or behind all of it where it has no content.
    pub(super) next: usize,
}

impl Item {
    pub(super) fn new(what: What, next: usize) -> Self {
        Self { label: None, what, aside: None, next }
    }

    pub(super) fn word(word: Word, next: usize) -> Self {
        Self::new(What::Word(word), next)
    }
}

/// When a container is at its end.
#[derive(Clone, Copy, Debug)]
pub(super) enum Left {
    /// After so many items, or pairs.
    Items(u64),
    /// At that byte.
    Until(usize),
    /// Where the format says so; by a number of the format's own.
    Mark(u64),
}

/// A container that is open.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) left: Left,
    closes: &'static str,
    /// Whether its items are pairs, and whether the next one is the first of a pair.
    is_map: bool,
    at_key: bool,
    aside: Option<String>,
}

impl Frame {
    pub(super) fn list(left: Left, closes: &'static str) -> Self {
        Self { left, closes, is_map: false, at_key: false, aside: None }
    }

    pub(super) fn map(left: Left, closes: &'static str) -> Self {
        Self { is_map: true, at_key: true, ..Self::list(left, closes) }
    }

    /// An item that is tagged.
    fn tag(aside: Option<String>) -> Self {
        Self { aside, ..Self::list(Left::Items(1), ")") }
    }

    fn is_tag(&self) -> bool {
        self.closes == ")" && matches!(self.left, Left::Items(_))
    }
}

/// What is wrong with a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It ends before it should.
    Ends,
    /// It is not of this format.
    Broken(&'static str),
    /// It may be right, and goes on beyond what is read.
    Beyond(&'static str),
}

/// A format.
pub(super) trait Format: Send + Sync {
    /// What stands behind an item that another one follows.
    const SEPARATOR: &'static str;
    /// How an item begins that stands at a byte, within the containers that are open there, before a byte.
    fn read(&self, bytes: &[u8], at: usize, open: &[Frame]) -> Result<Item, Wrong>;
    /// The byte behind the mark that ends a container, where it stands there.
    fn ends(&self, bytes: &[u8], at: usize, mark: u64) -> Option<usize>;
}

/// A place between two lines.
#[derive(Clone)]
pub(super) struct Place {
    at: usize,
    open: Vec<Frame>,
    /// Where the text ends that the last line broke off.
    text: Option<usize>,
    /// What is told beside it.
    aside: Option<String>,
    wrong: Option<Wrong>,
    /// How many lines there are above.
    lines: u32,
}

/// A body in a format.
struct Items<F> {
    bytes: Bytes,
    format: F,
    is_cut: bool,
}

/// Opens a body in a format, and says in the note what that is and what is wrong with it.
pub(super) fn open<F: Format + 'static>(
    content: &Content,
    format: F,
    words: &str,
) -> Result<Box<dyn Document>, String> {
    content.refuse_coding()?;
    let items = Items { bytes: content.bytes.clone(), format, is_cut: content.is_cut };
    let sparse = Sparse::new(items, None);
    let wrong = sparse.end().and_then(|place| Some((place.at, place.wrong?)));
    let wrong = wrong.filter(|(_, wrong)| !(content.is_cut && *wrong == Wrong::Ends));
    let how = |wrong: &Wrong| if matches!(wrong, Wrong::Beyond(_)) { "read up to" } else { "broken at" };
    let wrong = wrong.map(|(at, wrong)| format!("; {} byte {at}: {}", how(&wrong), wrong.words())).unwrap_or_default();
    Ok(Box::new(sparse.noted(format!("{words}{wrong}"))))
}

impl Wrong {
    fn words(&self) -> &'static str {
        match self {
            Self::Ends => "the body ends here, and the item does not",
            Self::Broken(words) | Self::Beyond(words) => words,
        }
    }
}

/// A line as it is made.
struct Pen<'a, S> {
    sink: &'a mut S,
    /// How many characters are in it.
    used: usize,
}

impl<S: Sink> Pen<'_, S> {
    fn add(&mut self, role: Role, words: &str) {
        self.used += words.chars().count();
        self.sink.add(role, words);
    }

    /// Whether a text can begin here, or go on.
    fn has_room(&self) -> bool {
        self.used + 16 < TEXT_CHARS
    }

    /// As much of a text as has room, and how many bytes that is.
    fn text(&mut self, bytes: &[u8]) -> usize {
        // A quote or a backslash takes two.
        let taken = cut(bytes, TEXT_CHARS.saturating_sub(self.used) / 2);
        self.used += 2 * taken.chars;
        let taken = taken.bytes;
        let mut rest = &bytes[..taken];
        while let Some(at) = memchr2(b'"', b'\\', rest).filter(|_| S::DRAWS) {
            self.put(&rest[..at]);
            self.sink.add(Role::Text, "\\");
            self.put(&rest[at..=at]);
            rest = &rest[at + 1..];
        }
        self.put(rest);
        taken
    }

    fn put(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.sink.put(Role::Text, bytes);
        }
    }

    /// The first of some bytes, and how many there are where those are not all.
    fn blob(&mut self, bytes: &[u8]) {
        if !S::DRAWS {
            return;
        }
        let shown = bytes.iter().take(SHOWN_BYTES);
        let hex = shown.fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        self.add(Role::Punctuation, "h'");
        self.add(Role::Text, &hex);
        self.add(Role::Punctuation, "'");
        if bytes.len() > SHOWN_BYTES {
            self.add(Role::Dim, "…");
        }
    }

    fn word(&mut self, word: &Word) {
        let is_number = matches!(word, Word::Whole(_) | Word::Fraction(_));
        if S::DRAWS {
            self.add(if is_number { Role::Number } else { Role::Literal }, &word.to_string());
        }
    }

    fn label(&mut self, number: i64, words: &str) {
        if S::DRAWS {
            self.add(Role::Key, &number.to_string());
            self.add(Role::Dim, &format!(" {words}"));
            self.add(Role::Punctuation, ": ");
        }
    }

    fn aside(&mut self, words: Option<&String>) {
        if let Some(words) = words {
            self.add(Role::Dim, &format!("  {words}"));
        }
    }
}

impl<F: Format> Walk for Items<F> {
    type Place = Place;

    fn start(&self) -> Place {
        Place { at: 0, open: Vec::new(), text: None, aside: None, wrong: None, lines: 0 }
    }

    fn ended(&self, place: &Place) -> bool {
        let is_done = place.at >= self.bytes.len() && place.open.is_empty() && place.text.is_none();
        is_done || place.wrong.is_some()
    }

    fn offset(&self, place: &Place) -> usize {
        place.at
    }

    fn depth(&self, place: &Place) -> u32 {
        place.open.len() as u32
    }

    fn goes_on(&self, place: &Place) -> bool {
        place.text.is_some()
    }

    fn step(&self, place: &mut Place, sink: &mut impl Sink) {
        let mut pen = Pen { sink, used: 0 };
        place.lines += 1;
        if place.lines > MOST_LINES {
            let words = "more than two million lines; the hex view shows the rest";
            self.stop(Wrong::Beyond(words), place, &mut pen);
            return;
        }
        if let Some(end) = place.text {
            pen.add(Role::Dim, CONTINUED);
            if !self.text(place, end, &mut pen) || !self.after(place, &mut pen) {
                return;
            }
        } else {
            let closes = place.open.last().is_some_and(|frame| self.end_of(frame, place.at).is_some());
            // A tag stands in the line of what it is about.
            let depth = place.open.iter().filter(|frame| !frame.is_tag()).count();
            pen.add(Role::Plain, &"  ".repeat(depth - usize::from(closes)));
        }
        while self.item(place, &mut pen) {}
    }
}

impl<F: Format> Items<F> {
    /// Where a container ends that is at its end.
    fn end_of(&self, frame: &Frame, at: usize) -> Option<usize> {
        match frame.left {
            Left::Items(count) => (count == 0).then_some(at),
            Left::Until(end) => (at >= end).then_some(at),
            Left::Mark(mark) if frame.at_key || !frame.is_map => self.format.ends(&self.bytes, at, mark),
            Left::Mark(_) => None,
        }
    }

    /// Draws an item, or the end of a container. Whether the line goes on.
    fn item(&self, place: &mut Place, pen: &mut Pen<'_, impl Sink>) -> bool {
        if let Some(end) = place.open.last().and_then(|frame| self.end_of(frame, place.at)) {
            let closes = place.open.pop().map_or("", |frame| frame.closes);
            place.at = end;
            pen.add(Role::Punctuation, closes);
            return self.after(place, pen);
        }
        match self.format.read(&self.bytes, place.at, &place.open) {
            Ok(item) => self.draw(item, place, pen),
            Err(wrong) => self.stop(wrong, place, pen),
        }
    }

    fn draw(&self, item: Item, place: &mut Place, pen: &mut Pen<'_, impl Sink>) -> bool {
        if let Some((number, words)) = item.label {
            pen.label(number, words);
        }
        place.at = item.next;
        let is_too_deep = place.open.len() >= DEEPEST;
        match item.what {
            What::Word(word) => pen.word(&word),
            What::Text(end) => {
                pen.add(Role::Punctuation, "\"");
                place.aside = item.aside;
                return self.text(place, end, pen) && self.after(place, pen);
            }
            What::Blob(end) => {
                pen.blob(&self.bytes[item.next..end]);
                place.at = end;
                place.aside = item.aside.or_else(|| more_of(end - item.next));
                return self.after(place, pen);
            }
            What::Open(..) | What::Tag(..) if is_too_deep => {
                return self.stop(
                    Wrong::Beyond("more than 64 items lie in each other; the hex view shows them"),
                    place,
                    pen,
                );
            }
            What::Open(opens, frame) => {
                pen.add(Role::Punctuation, opens);
                pen.aside(item.aside.as_ref());
                let is_empty = self.end_of(&frame, place.at).is_some();
                place.open.push(frame);
                return is_empty;
            }
            What::Tag(number, aside) => {
                pen.add(Role::Markup, &number.to_string());
                pen.add(Role::Punctuation, "(");
                place.open.push(Frame::tag(aside));
                return true;
            }
        }
        place.aside = item.aside;
        self.after(place, pen)
    }

    /// Draws what there is room for of a text. Whether that is all.
    fn text(&self, place: &mut Place, end: usize, pen: &mut Pen<'_, impl Sink>) -> bool {
        if !pen.has_room() {
            place.text = Some(end);
            return false;
        }
        place.at += pen.text(&self.bytes[place.at..end]);
        let is_whole = place.at >= end;
        place.text = (!is_whole).then_some(end);
        if is_whole {
            pen.add(Role::Punctuation, "\"");
        }
        is_whole
    }

    /// What stands behind an item. Whether the line goes on.
    fn after(&self, place: &mut Place, pen: &mut Pen<'_, impl Sink>) -> bool {
        let mut aside = place.aside.take();
        while let Some(tag) = place.open.pop_if(|frame| frame.is_tag()) {
            pen.add(Role::Punctuation, tag.closes);
            aside = tag.aside.or(aside);
        }
        let Some(frame) = place.open.last_mut() else {
            pen.aside(aside.as_ref());
            return false;
        };
        if frame.is_map && frame.at_key {
            frame.at_key = false;
            pen.add(Role::Punctuation, ": ");
            return true;
        }
        frame.at_key = frame.is_map;
        if let Left::Items(count) = &mut frame.left {
            *count = count.saturating_sub(1);
        }
        if self.end_of(&place.open[place.open.len() - 1], place.at).is_none() && !F::SEPARATOR.is_empty() {
            pen.add(Role::Punctuation, F::SEPARATOR);
        }
        pen.aside(aside.as_ref());
        false
    }

    /// Ends the document: what comes next cannot be read.
    fn stop(&self, wrong: Wrong, place: &mut Place, pen: &mut Pen<'_, impl Sink>) -> bool {
        match &wrong {
            Wrong::Ends if self.is_cut => pen.add(Role::Dim, "… the rest is still to be read"),
            wrong => pen.add(Role::Error, wrong.words()),
        }
        place.wrong = Some(wrong);
        false
    }
}

/// How many bytes there are, where only the first are shown.
fn more_of(count: usize) -> Option<String> {
    (count > SHOWN_BYTES).then(|| counted(count as u64, "byte"))
}

/// A big-endian number of so many bytes, and the byte behind it.
pub(super) fn big_endian(bytes: &[u8], at: usize, count: usize) -> Result<(u64, usize), Wrong> {
    let end = at.checked_add(count).ok_or(Wrong::Ends)?;
    let digits = bytes.get(at..end).ok_or(Wrong::Ends)?;
    Ok((digits.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)), end))
}

/// The byte behind so many more, which must be there.
pub(super) fn behind(bytes: &[u8], at: usize, count: u64) -> Result<usize, Wrong> {
    let end = usize::try_from(count).ok().and_then(|count| at.checked_add(count));
    end.filter(|end| *end <= bytes.len()).ok_or(Wrong::Ends)
}

/// A number with a fraction, so that it is seen to be one.
pub(super) fn float(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "Infinity".to_owned() } else { "-Infinity".to_owned() }
    } else {
        format!("{number:?}")
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A body by its bytes, two digits each.
    pub(in crate::body) fn of_hex(hex: &str) -> Content {
        let digits = hex.replace(' ', "");
        let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
        let bytes: Vec<u8> = (0..digits.len()).step_by(2).map(byte).collect();
        Content { bytes: bytes.into(), ..Content::default() }
    }

    #[test]
    fn more_lines_than_anybody_reads_are_not_counted() {
        let bytes = vec![1; MOST_LINES as usize + 100];
        let document = super::super::cbor::open(&Content { bytes: bytes.into(), ..Content::default() }).unwrap();
        assert_eq!(document.line_count(), MOST_LINES as usize + 1);
        let last = document.lines(MOST_LINES as usize..usize::MAX);
        assert!(last[0][0].text.starts_with("more than two million lines"), "{last:?}");
        assert!(document.note().unwrap().contains("; read up to byte 2000000: "), "{:?}", document.note());
    }

    /// A body in the notation of its format: lines one behind the other, no more white space than is needed.
    pub(in crate::body) fn shown(hex: &str, open: fn(&Content) -> Result<Box<dyn Document>, String>) -> String {
        let document = open(&of_hex(hex)).unwrap();
        let text = |line: &super::super::Line| line.iter().map(|span| &span.text[..]).collect::<String>();
        let lines = document.lines(0..document.line_count());
        lines.iter().map(|line| text(line).trim().to_owned()).collect::<Vec<_>>().join(" ")
    }
}
