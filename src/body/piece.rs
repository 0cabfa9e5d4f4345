//! Lines made one after another from a place in the bytes, and the sparse index that leads to any of them.

use std::{iter::once, ops::Range, thread};

use super::{Document, LINE_CHARS, Line, Role, Span, escape};

/// A place is remembered for every so many lines: a few bytes of index for a kilobyte of body, and at most this many
/// lines walked to reach any.
const LINES_PER_MARK: usize = 128;

/// How deep a place is said to be of which one cannot tell how deep it is: as far from the least depth as from the greatest.
pub(super) const DEPTH_GUESSED: u32 = 1 << 30;

/// Stands before what goes on from the line above.
pub(super) const CONTINUED: &str = "↪ ";

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
    /// Further places, in order, before which a line ends as far as that can be seen without reading all that stands before
    /// them. Each is `DEPTH_GUESSED` deep. None where it is not worth while to read in parts.
    fn guesses(&self) -> Vec<Self::Place> {
        Vec::new()
    }
    /// The byte that the next line begins with.
    fn offset(&self, _: &Self::Place) -> usize {
        0
    }
    /// How many brackets are open there.
    fn depth(&self, _: &Self::Place) -> u32 {
        0
    }
    /// Makes that place so deep. What lines hold does not change with their depth.
    fn set_depth(&self, _: &mut Self::Place, _: u32) {}
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

/// Lines counted one after another, a mark for each `LINES_PER_MARK` of them.
struct Counted<P> {
    marks: Vec<Mark<P>>,
    lines: usize,
    end: P,
    /// The least depth of any of its places, that of the end too.
    low: u32,
}

impl<P: Clone> Counted<P> {
    /// The lines from a place up to the first one that begins at or after that byte.
    fn new<W: Walk<Place = P>>(walk: &W, from: P, until: usize) -> Self {
        let (mut place, mut marks, mut lines) = (from, Vec::new(), 0);
        let ended = |place: &P| walk.ended(place) || walk.offset(place) >= until;
        while !ended(&place) {
            let mut mark = Mark { place: place.clone(), low: u32::MAX };
            for _ in 0..LINES_PER_MARK {
                if ended(&place) {
                    break;
                }
                mark.low = mark.low.min(walk.depth(&place));
                walk.pass(&mut place);
                lines += 1;
            }
            marks.push(mark);
        }
        let low = marks.iter().map(|mark| mark.low).fold(walk.depth(&place), u32::min);
        Self { marks, lines, end: place, low }
    }

    /// What was counted from a guessed place, where that place was truly reached: as deep as it then is. None where it was not, or
    /// where more is closed than was open, which has no effect on how deep it is.
    fn joined<W: Walk<Place = P>>(mut self, walk: &W, guess: &P, reached: &P) -> Option<Self> {
        let depth = walk.depth(reached);
        let is_there = walk.offset(reached) == walk.offset(guess) && !walk.goes_on(reached);
        if !is_there || self.low < DEPTH_GUESSED - depth.min(DEPTH_GUESSED) {
            return None;
        }
        let deepen = |place: &mut P| {
            let guessed = walk.depth(place);
            walk.set_depth(place, guessed + depth - DEPTH_GUESSED);
        };
        for mark in &mut self.marks {
            deepen(&mut mark.place);
            mark.low = mark.low + depth - DEPTH_GUESSED;
        }
        deepen(&mut self.end);
        self.low = self.low + depth - DEPTH_GUESSED;
        Some(self)
    }
}

/// Where lines begin that were counted one after another: the first of them, and the first of their marks.
struct Run {
    line: usize,
    mark: usize,
}

/// A document that walks: the lines are counted once, and made when they are asked for.
pub(super) struct Sparse<W: Walk> {
    pub(super) walk: W,
    runs: Vec<Run>,
    marks: Vec<Mark<W::Place>>,
    lines: usize,
    note: Option<String>,
}

impl<W: Walk<Place: Send + Sync> + Sync> Sparse<W> {
    /// Walks through once, in several parts at a time where that is worth while, and remembers every so many lines where it was.
    pub(super) fn new(walk: W, note: Option<String>) -> Self {
        let guesses = walk.guesses();
        Self::in_parts(walk, &guesses, note)
    }

    fn in_parts(walk: W, guesses: &[W::Place], note: Option<String>) -> Self {
        let ends: Vec<usize> = guesses.iter().map(|guess| walk.offset(guess)).chain(once(usize::MAX)).collect();
        let (first, rest) = thread::scope(|scope| {
            let walk = &walk;
            let count = |(guess, until): (&W::Place, usize)| {
                let guess = guess.clone();
                thread::Builder::new().spawn_scoped(scope, move || Counted::new(walk, guess, until)).ok()
            };
            let rest: Vec<_> = guesses.iter().zip(ends.iter().copied().skip(1)).map(count).collect();
            let first = Counted::new(walk, walk.start(), ends[0]);
            // A part that no thread could count is counted below.
            (first, rest.into_iter().map(|part| part?.join().ok()).collect::<Vec<_>>())
        });
        let mut sparse = Self { walk, runs: Vec::new(), marks: Vec::new(), lines: 0, note };
        let mut reached = sparse.add(first);
        for ((guess, until), part) in guesses.iter().zip(ends.into_iter().skip(1)).zip(rest) {
            let part = part.and_then(|part| part.joined(&sparse.walk, guess, &reached));
            let part = part.unwrap_or_else(|| Counted::new(&sparse.walk, reached, until));
            reached = sparse.add(part);
        }
        sparse.marks.shrink_to_fit();
        sparse
    }
}

impl<W: Walk> Sparse<W> {
    /// Adds what comes next, and tells where that ends.
    fn add(&mut self, part: Counted<W::Place>) -> W::Place {
        if part.lines > 0 {
            self.runs.push(Run { line: self.lines, mark: self.marks.len() });
            self.marks.extend(part.marks);
            self.lines += part.lines;
        }
        part.end
    }

    /// The mark that leads to a line.
    fn mark_of(&self, line: usize) -> usize {
        let run = self.runs.partition_point(|run| run.line <= line).checked_sub(1);
        run.map_or(0, |run| self.runs[run].mark + (line - self.runs[run].line) / LINES_PER_MARK)
    }

    /// The lines that a mark leads to.
    fn lines_of(&self, mark: usize) -> Range<usize> {
        let first = |mark: usize| {
            let run = self.runs.partition_point(|run| run.mark <= mark).checked_sub(1);
            run.map_or(0, |run| self.runs[run].line + (mark - self.runs[run].mark) * LINES_PER_MARK)
        };
        let end = if mark + 1 < self.marks.len() { first(mark + 1) } else { self.lines };
        first(mark)..end
    }

    /// The place behind the last line; none where there is no line.
    pub(super) fn end(&self) -> Option<W::Place> {
        let mut place = self.place(self.lines.checked_sub(1)?)?;
        self.walk.pass(&mut place);
        Some(place)
    }

    /// Says something of the whole.
    pub(super) fn noted(self, note: String) -> Self {
        Self { note: Some(note), ..self }
    }

    /// The place before a line.
    pub(super) fn place(&self, line: usize) -> Option<W::Place> {
        let mark = self.mark_of(line);
        let mut place = self.marks.get(mark).filter(|_| line < self.lines)?.place.clone();
        for _ in self.lines_of(mark).start..line {
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
        let range = range.start..range.end.min(self.lines);
        let marks = if range.is_empty() { 0..0 } else { self.mark_of(range.start)..self.mark_of(range.end - 1) + 1 };
        let marks = marks.filter(move |mark| self.marks.get(*mark).is_some_and(|mark| mark.low <= depth));
        marks.flat_map(move |mark| {
            let lines = self.lines_of(mark);
            let from = lines.start.max(range.start);
            self.places(from).take(lines.end.min(range.end) - from)
        })
    }

    /// The last line before that one which begins less deep than `depth`.
    pub(super) fn last_above(&self, line: usize, depth: u32) -> Option<usize> {
        let line = line.min(self.lines);
        let mut marks = (0..=self.mark_of(line.checked_sub(1)?)).rev();
        marks.find_map(|mark| {
            self.marks.get(mark).filter(|mark| mark.low < depth)?;
            let lines = self.lines_of(mark);
            let places = self.places(lines.start).take(lines.end.min(line) - lines.start);
            places.filter(|(_, place)| self.walk.depth(place) < depth).last().map(|(line, _)| line)
        })
    }

    /// The line in which a byte stands; the last one for bytes past the end.
    pub(super) fn line_with(&self, byte: usize) -> usize {
        let mark = self.marks.partition_point(|mark| self.walk.offset(&mark.place) <= byte).saturating_sub(1);
        let lines = self.lines_of(mark);
        let places = self.places(lines.start).take(lines.len());
        places.take_while(|(_, place)| self.walk.offset(place) <= byte).last().map_or(lines.start, |(line, _)| line)
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
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::body::pretty::Pretty;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        /// Wherever parts are guessed to begin, rightly or wrongly, the lines are those of one walk, and so is all that is found by them.
        #[test]
        fn parts_make_the_lines_of_the_whole(
            parts in prop::collection::vec(prop_oneof![
                12 => "[\\[\\]{},: \n]", 6 => "\"[a,\\\\\"]{0,3}\",?", 6 => "[1-9],", 4 => "\\{\"k\":\\[", 2 => "\"a{250,1000}\",",
            ], 0..600),
            wrong in prop::collection::vec(0usize..1_500, 0..3),
            right in prop::collection::vec(0usize..600, 0..3),
        ) {
            let pretty = || Pretty { bytes: parts.concat().into(), error: None, doubled: Vec::new() };
            let whole = Sparse::in_parts(pretty(), &[], None);
            let offset = |sparse: &Sparse<Pretty>, line| sparse.place(line).map(|place| sparse.walk.offset(&place));
            let guesses: BTreeSet<_> = wrong.into_iter().chain(right.iter().filter_map(|&line| offset(&whole, line))).collect();
            let guesses: Vec<_> = guesses.into_iter().map(|at| pretty().guessed(at)).collect();
            let parts = Sparse::in_parts(pretty(), &guesses, None);

            let places = |sparse: &Sparse<Pretty>| -> Vec<_> {
                let places = sparse.places(0);
                places.map(|(line, place)| (line, sparse.walk.offset(&place), sparse.walk.depth(&place))).collect()
            };
            prop_assert_eq!(places(&whole), places(&parts));
            for line in (0..=whole.lines).step_by(9) {
                prop_assert_eq!(offset(&whole, line), offset(&parts, line));
                let depth = line as u32 % 4;
                prop_assert_eq!(whole.last_above(line, depth), parts.last_above(line, depth));
                let shallow = |sparse: &Sparse<Pretty>| -> Vec<_> {
                    let found = sparse.shallow(line..line + 200, depth);
                    found.filter(|(_, place)| sparse.walk.depth(place) <= depth).map(|(line, _)| line).collect()
                };
                prop_assert_eq!(shallow(&whole), shallow(&parts));
            }
            for byte in (0..whole.walk.bytes.len()).step_by(61) {
                prop_assert_eq!(whole.line_with(byte), parts.line_with(byte));
            }
        }
    }

    /// A part that is right is not counted once more.
    #[test]
    fn a_part_that_is_reached_is_kept_as_deep_as_it_is() {
        let pretty = Pretty { bytes: r#"{"a":[1,{"b":2,"c":3}],"d":4}"#.into(), error: None, doubled: Vec::new() };
        let (guess, false_guess) = (pretty.guessed(15), pretty.guessed(16));
        let reached = Counted::new(&pretty, pretty.start(), 15).end;
        let joined = |guess| Counted::new(&pretty, guess, usize::MAX).joined(&pretty, &guess, &reached);
        assert_eq!(
            joined(guess).map(|part| (part.lines, part.low, part.marks[0].low, pretty.depth(&part.end))),
            Some((5, 0, 1, 0))
        );
        assert!(joined(false_guess).is_none());
        // More is closed than was open: the depth stays at none, which only one walk from the beginning can know.
        let pretty = Pretty { bytes: "1]],2".into(), error: None, doubled: Vec::new() };
        let guess = pretty.guessed(1);
        let reached = Counted::new(&pretty, pretty.start(), 1).end;
        assert!(Counted::new(&pretty, guess, usize::MAX).joined(&pretty, &guess, &reached).is_none());
    }

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
