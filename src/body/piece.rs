//! Lines made one after another from a place in the bytes, and the sparse index that leads to any of them.

use std::ops::Range;

use super::{Document, LINE_CHARS, Line, Role, Span, escape};

/// A place is remembered for every so many lines: a few bytes of index for a kilobyte of body, and at most this many
/// lines walked to reach any.
const LINES_PER_MARK: usize = 128;

/// Stands before what goes on from the line above.
const CONTINUED: &str = "↪ ";

/// Columns from one tab stop to the next.
const TAB: usize = 4;

/// Something that can be read line by line from any place it has been at before.
pub(super) trait Walk {
    /// A place between two lines.
    type Place: Clone;
    /// The place before the first line.
    fn start(&self) -> Self::Place;
    /// Whether there is no further line.
    fn ended(&self, place: &Self::Place) -> bool;
    /// The byte that the next line begins with.
    fn offset(&self, _: &Self::Place) -> usize {
        0
    }
    /// How many brackets are open there.
    fn depth(&self, _: &Self::Place) -> u32 {
        0
    }
    /// Whether the next line goes on with what the one before it broke off.
    fn goes_on(&self, _: &Self::Place) -> bool {
        false
    }
    /// Where its columns stand in a line, where its lines stand in columns.
    fn columns(&self) -> &[Range<usize>] {
        &[]
    }
    /// Makes the line there and goes to its end. Makes the same breaks whatever the sink is.
    fn step(&self, place: &mut Self::Place, sink: &mut impl Sink);
    /// Goes to the end of the line there, as a step that keeps nothing.
    fn pass(&self, place: &mut Self::Place) {
        self.step(place, &mut Count);
    }
}

/// Where the parts of a line go.
pub(super) trait Sink {
    /// Whether anything is kept of what is put in; where not, work only for the eye may be left out.
    const DRAWS: bool;
    /// Bytes of the body: UTF-8 as a rule, escaped here.
    fn put(&mut self, role: Role, bytes: &[u8]);
    /// Text of the body, escaped here.
    fn put_text(&mut self, role: Role, text: &str) {
        self.put(role, text.as_bytes());
    }
    /// Text of the view's own.
    fn add(&mut self, role: Role, text: &str);
    /// Spaces up to the next tab stop.
    fn tab(&mut self);
    /// A line that was finished elsewhere.
    fn append(&mut self, line: Line);
    /// The mark of a line that goes on from the one above.
    fn continued(&mut self) {
        self.add(Role::Dim, CONTINUED);
    }
}

/// Keeps nothing: for counting lines.
pub(super) struct Count;

impl Sink for Count {
    const DRAWS: bool = false;
    fn put(&mut self, _: Role, _: &[u8]) {}
    fn add(&mut self, _: Role, _: &str) {}
    fn tab(&mut self) {}
    fn append(&mut self, _: Line) {}
}

/// Keeps a line.
#[derive(Default)]
struct Draw {
    line: Line,
    columns: usize,
}

impl Draw {
    fn span(&mut self, role: Role, text: &str) {
        if text.is_empty() {
            return;
        }
        self.columns += escape::width(text);
        match self.line.last_mut() {
            Some(span) if span.role == role => span.text.push_str(text),
            _ => self.line.push(Span { role, text: text.to_string() }),
        }
    }
}

impl Sink for Draw {
    const DRAWS: bool = true;

    fn put(&mut self, role: Role, bytes: &[u8]) {
        escape::pieces(bytes, &mut |text, is_escaped| {
            self.span(if is_escaped { Role::Control } else { role }, text);
        });
    }

    fn add(&mut self, role: Role, text: &str) {
        self.span(role, text);
    }

    fn tab(&mut self) {
        self.span(Role::Plain, &"    "[..TAB - self.columns % TAB]);
    }

    fn append(&mut self, line: Line) {
        for span in line {
            self.span(span.role, &span.text);
        }
    }
}

/// A place that is remembered, and the least depth at which one of the lines from it to the next mark begins.
struct Mark<P> {
    place: P,
    low: u32,
}

/// A document that walks: the lines are counted once, and made when they are asked for.
pub(super) struct Sparse<W: Walk> {
    pub(super) walk: W,
    marks: Vec<Mark<W::Place>>,
    lines: usize,
    note: Option<String>,
}

impl<W: Walk> Sparse<W> {
    /// Walks through once and remembers every so many lines where it was.
    pub(super) fn new(walk: W, note: Option<String>) -> Self {
        let (mut place, mut marks, mut lines) = (walk.start(), Vec::new(), 0);
        while !walk.ended(&place) {
            let mut mark = Mark { place: place.clone(), low: u32::MAX };
            for _ in 0..LINES_PER_MARK {
                if walk.ended(&place) {
                    break;
                }
                mark.low = mark.low.min(walk.depth(&place));
                walk.pass(&mut place);
                lines += 1;
            }
            marks.push(mark);
        }
        marks.shrink_to_fit();
        Self { walk, marks, lines, note }
    }

    /// The place before a line.
    pub(super) fn place(&self, line: usize) -> Option<W::Place> {
        let mut place = self.marks.get(line / LINES_PER_MARK).filter(|_| line < self.lines)?.place.clone();
        for _ in 0..line % LINES_PER_MARK {
            self.walk.pass(&mut place);
        }
        Some(place)
    }

    /// The places from a line on, each with its line.
    pub(super) fn places(&self, from: usize) -> impl Iterator<Item = (usize, W::Place)> + use<'_, W> {
        let mut next = self.place(from);
        (from..self.lines).map_while(move |line| {
            let place = next.clone()?;
            if let Some(next) = &mut next {
                self.walk.pass(next);
            }
            Some((line, place))
        })
    }

    /// The places of a range that may begin at most so deep: those of marks below which all lies deeper are left out.
    pub(super) fn shallow(
        &self,
        range: Range<usize>,
        depth: u32,
    ) -> impl Iterator<Item = (usize, W::Place)> + use<'_, W> {
        let end = range.end.min(self.lines);
        let marks = range.start / LINES_PER_MARK..end.div_ceil(LINES_PER_MARK);
        let marks = marks.filter(move |mark| self.marks.get(*mark).is_some_and(|mark| mark.low <= depth));
        marks.flat_map(move |mark| {
            let from = (mark * LINES_PER_MARK).max(range.start);
            let to = ((mark + 1) * LINES_PER_MARK).min(end);
            self.places(from).take(to.saturating_sub(from))
        })
    }

    /// The last line before that one which begins less deep than `depth`.
    pub(super) fn last_above(&self, line: usize, depth: u32) -> Option<usize> {
        let line = line.min(self.lines);
        let mut marks = (0..line.div_ceil(LINES_PER_MARK)).rev();
        marks.find_map(|mark| {
            self.marks.get(mark).filter(|mark| mark.low < depth)?;
            let from = mark * LINES_PER_MARK;
            let places = self.places(from).take((line - from).min(LINES_PER_MARK));
            places.filter(|(_, place)| self.walk.depth(place) < depth).last().map(|(line, _)| line)
        })
    }

    /// The line in which a byte stands; the last one for bytes past the end.
    pub(super) fn line_with(&self, byte: usize) -> usize {
        let mark = self.marks.partition_point(|mark| self.walk.offset(&mark.place) <= byte).saturating_sub(1);
        let from = mark * LINES_PER_MARK;
        let places = self.places(from).take(LINES_PER_MARK);
        places.take_while(|(_, place)| self.walk.offset(place) <= byte).last().map_or(from, |(line, _)| line)
    }

    /// How much memory the marks take, in bytes.
    pub(super) fn index_bytes(&self) -> usize {
        self.marks.capacity() * size_of::<Mark<W::Place>>()
    }
}

impl<W: Walk<Place: Send + Sync> + Send + Sync> Document for Sparse<W> {
    fn line_count(&self) -> usize {
        self.lines
    }

    fn lines(&self, range: Range<usize>) -> Vec<Line> {
        let range = range.start..range.end.min(self.lines);
        let Some(mut place) = self.place(range.start).filter(|_| !range.is_empty()) else { return Vec::new() };
        range.map(|_| self.line(&mut place)).collect()
    }

    fn columns(&self) -> &[Range<usize>] {
        self.walk.columns()
    }

    fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    fn index_bytes(&self) -> usize {
        self.index_bytes()
    }
}

impl<W: Walk> Sparse<W> {
    fn line(&self, place: &mut W::Place) -> Line {
        let mut draw = Draw::default();
        self.walk.step(place, &mut draw);
        draw.line
    }
}

/// The first part of some bytes, as it fits in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    /// How many bytes.
    pub(super) bytes: usize,
    /// How many characters they are shown in, at most.
    pub(super) chars: usize,
}

/// How many of the bytes, whole characters, are shown in at most that many characters; at least one character in any
/// case, where there is one. Looks at no more bytes than a line can hold.
pub(super) fn cut(bytes: &[u8], chars: usize) -> Cut {
    // A character has at most four bytes, so a longer window could not be filled.
    let window = &bytes[..bytes.len().min(LINE_CHARS * 4 + 4)];
    let plain = window.iter().take(chars).take_while(|byte| matches!(byte, b' '..=b'~')).count();
    if plain > 0 && plain == window.len().min(chars) {
        return Cut { bytes: plain, chars: plain };
    }
    let mut taken = Cut { bytes: 0, chars: 0 };
    for (bytes, shown) in window.utf8_chunks().flat_map(|chunk| sizes(&chunk)) {
        if taken.bytes > 0 && taken.chars + shown > chars {
            break;
        }
        taken = Cut { bytes: taken.bytes + bytes, chars: taken.chars + shown };
    }
    taken
}

/// The size of each character: bytes, and characters it is shown in. A byte that is no character is shown as `\x9b`.
fn sizes<'a>(chunk: &std::str::Utf8Chunk<'a>) -> impl Iterator<Item = (usize, usize)> + use<'a> {
    let shown = |char| if char == '\t' { TAB } else { escape::shown_chars(char) };
    let valid = chunk.valid().chars().map(move |char| (char.len_utf8(), shown(char)));
    valid.chain(chunk.invalid().iter().map(|_| (1, 4)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cut_fits_and_loses_nothing(text in "[a\u{301}\u{9b}\u{202e}\u{1b}東\u{10ffff}]{1,60}", chars in 12usize..50) {
            let (mut rest, mut parts) = (text.as_bytes(), Vec::new());
            while !rest.is_empty() {
                let (part, left) = rest.split_at(cut(rest, chars).bytes);
                prop_assert!(escape::escape_bytes(part).chars().count() <= chars);
                parts.extend_from_slice(part);
                rest = left;
            }
            prop_assert_eq!(parts, text.as_bytes());
        }

        #[test]
        fn a_cut_goes_forward_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 1..200), chars in 0usize..30) {
            prop_assert!((1..=bytes.len()).contains(&cut(&bytes, chars).bytes));
        }
    }
}
