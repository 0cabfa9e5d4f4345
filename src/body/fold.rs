//! Folding: which lines of a document are shown, and what stands for those that are not.
//!
//! A fold is a range of lines. Nothing here knows values: what opens and what closes is told by how deep lines begin.

use std::{ops::Range, sync::Arc};

use super::{Document, Line, Role, Span};
use crate::record::counted;

/// How many folds there are at most. What would be folded beyond them stays open.
pub(super) const MOST_FOLDS: usize = 1_000_000;

/// Lines that are folded into the one before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fold {
    /// The line that opens, which stays.
    pub(super) line: u32,
    /// The line that closes, which is hidden with all between them.
    pub(super) end: u32,
    /// How many values lie in it, or characters of a text; none where they were too many to count.
    pub(super) count: Option<u32>,
    /// Whether it is a text: of its own line only the beginning is shown.
    pub(super) is_text: bool,
}

/// What is folded in a document, and where each shown line is.
#[derive(Clone, Debug, Default)]
pub struct Folds {
    /// By the lines that open; they may lie in each other.
    closed: Vec<Fold>,
    /// Those that lie in no other, each with how many lines are hidden above it.
    outer: Vec<(Fold, u32)>,
    /// How deep the document was unfolded at once: what opens below that is folded when it comes into sight.
    depth: Option<u32>,
}

impl Folds {
    /// Folds, by the lines that open.
    pub(super) fn new(closed: Vec<Fold>, depth: Option<u32>) -> Self {
        let mut folds = Self { closed, outer: Vec::new(), depth };
        folds.arrange();
        folds
    }

    /// Each fold as it is in another reading of the same lines; those that are none there are left out.
    pub(super) fn each(&self, again: impl Fn(&Fold) -> Option<Fold>) -> Self {
        Self::new(self.closed.iter().filter_map(again).collect(), self.depth)
    }

    fn arrange(&mut self) {
        let mut hidden = 0;
        self.outer.clear();
        for fold in &self.closed {
            if self.outer.last().is_none_or(|(last, _)| fold.line > last.end) {
                self.outer.push((*fold, hidden));
                hidden += fold.end - fold.line;
            }
        }
    }

    /// How deep the document was unfolded at once.
    pub fn depth(&self) -> Option<u32> {
        self.depth
    }

    /// How many folds there are.
    pub fn count(&self) -> usize {
        self.closed.len()
    }

    /// Whether nothing is folded.
    pub fn is_empty(&self) -> bool {
        self.closed.is_empty()
    }

    /// How many lines of so many are shown.
    pub fn shown(&self, lines: usize) -> usize {
        let hidden = self.outer.last().map_or(0, |(fold, above)| above + fold.end - fold.line);
        lines.saturating_sub(hidden as usize)
    }

    /// The line that is shown at a row.
    pub fn line(&self, row: usize) -> usize {
        let after = self.outer.partition_point(|(fold, above)| ((fold.line - above) as usize) < row);
        let hidden = after.checked_sub(1).and_then(|last| self.outer.get(last));
        row + hidden.map_or(0, |(fold, above)| (above + fold.end - fold.line) as usize)
    }

    /// The row at which a line is shown, or that of the line it is folded into.
    pub fn row(&self, line: usize) -> usize {
        let after = self.outer.partition_point(|(fold, _)| (fold.line as usize) < line);
        match after.checked_sub(1).and_then(|last| self.outer.get(last)) {
            Some((fold, above)) if line <= fold.end as usize => (fold.line - above) as usize,
            Some((fold, above)) => line - (above + fold.end - fold.line) as usize,
            None => line,
        }
    }

    /// The fold that a line opens.
    pub fn at(&self, line: usize) -> Option<&Fold> {
        self.closed.binary_search_by_key(&line, |fold| fold.line as usize).ok().and_then(|at| self.closed.get(at))
    }

    /// Whether a line, or a part of it, is folded away.
    pub fn hides(&self, line: usize) -> bool {
        self.line(self.row(line)) != line || self.at(line).is_some_and(|fold| fold.is_text)
    }

    /// Folds one more.
    pub(super) fn close(&mut self, fold: Fold) {
        if self.closed.len() < MOST_FOLDS
            && let Err(at) = self.closed.binary_search_by_key(&fold.line, |fold| fold.line)
        {
            self.closed.insert(at, fold);
            self.arrange();
        }
    }

    /// Unfolds what a line opens, and folds others.
    pub(super) fn open(&mut self, line: usize, others: Vec<Fold>) {
        self.closed.retain(|fold| fold.line as usize != line);
        let room = MOST_FOLDS.saturating_sub(self.closed.len());
        self.closed.extend(others.into_iter().take(room));
        self.closed.sort_by_key(|fold| fold.line);
        self.closed.dedup_by_key(|fold| fold.line);
        self.arrange();
    }

    /// Unfolds whatever hides a line.
    pub fn reveal(&mut self, line: usize) {
        let line = line as u32;
        let hides = |fold: &Fold| (fold.line + u32::from(!fold.is_text)..=fold.end).contains(&line);
        self.closed.retain(|fold| !hides(fold));
        self.arrange();
    }
}

/// The lines that are shown at those rows, each with its own number.
pub fn shown(document: &dyn Document, folds: &Folds, rows: Range<usize>) -> Vec<(usize, Line)> {
    let rows = rows.start..rows.end.min(folds.shown(document.line_count()));
    if folds.is_empty() {
        return rows.clone().zip(document.lines(rows)).collect();
    }
    rows.filter_map(|row| {
        let line = folds.line(row);
        let mut shown = document.lines(line..line + 1).pop()?;
        if let Some(fold) = folds.at(line) {
            stand_in(&mut shown, document, fold);
        }
        Some((line, shown))
    })
    .collect()
}

/// A document of which only the lines are left that are shown.
struct Folded {
    document: Arc<dyn Document>,
    folds: Folds,
}

/// The document with those folds.
pub fn folded(document: Arc<dyn Document>, folds: &Folds) -> Arc<dyn Document> {
    if folds.is_empty() { document } else { Arc::new(Folded { document, folds: folds.clone() }) }
}

impl Document for Folded {
    fn line_count(&self) -> usize {
        self.folds.shown(self.document.line_count())
    }

    fn lines(&self, range: Range<usize>) -> Vec<Line> {
        shown(&*self.document, &self.folds, range).into_iter().map(|(_, line)| line).collect()
    }

    fn note(&self) -> Option<&str> {
        self.document.note()
    }
}

/// Adds to the line that opens what stands for the folded ones: how they end, and how many values they hold.
fn stand_in(line: &mut Line, document: &dyn Document, fold: &Fold) {
    if fold.is_text {
        return begin(line, document, fold);
    }
    line.push(Span { role: Role::Dim, text: "…".to_owned() });
    let end = document.lines(fold.end as usize..fold.end as usize + 1).pop().unwrap_or_default();
    line.extend(end.into_iter().filter(|span| span.role != Role::Plain));
    let words = match fold.count {
        Some(count) => counted(u64::from(count), "value"),
        None => counted(u64::from(fold.end - fold.line).saturating_sub(1), "line"),
    };
    line.push(Span { role: Role::Dim, text: format!(" {words}") });
}

/// How many characters of a folded text are shown.
const BEGINNING: usize = 20;

/// Leaves the beginning of a text in its line, and says how long it is.
fn begin(line: &mut Line, document: &dyn Document, fold: &Fold) {
    let last = document.lines(fold.end as usize..fold.end as usize + 1).pop().unwrap_or_default();
    let behind = last.iter().rev().take_while(|span| span.role != Role::Text);
    let comma = behind.filter(|span| span.role == Role::Punctuation && span.text.starts_with(',')).last().cloned();
    let begins = line.iter().position(|span| span.role == Role::Text).unwrap_or(line.len());
    let text: String = line.drain(begins..).filter(|span| span.role == Role::Text).map(|span| span.text).collect();
    let text: String = text.chars().take(BEGINNING).collect();
    line.extend([(Role::Text, text), (Role::Dim, "…".to_owned())].map(|(role, text)| Span { role, text }));
    line.push(Span { role: Role::Text, text: "\"".to_owned() });
    line.extend(comma);
    let words = match fold.count {
        Some(count) => counted(u64::from(count), "character"),
        None => counted(u64::from(fold.end - fold.line) + 1, "line"),
    };
    line.push(Span { role: Role::Dim, text: format!(" {words}") });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn folds(ranges: &[(u32, u32)]) -> Folds {
        Folds::new(ranges.iter().map(|&(line, end)| Fold { line, end, count: None, is_text: false }).collect(), None)
    }

    #[test]
    fn what_is_folded_is_not_counted_and_lines_find_their_rows() {
        let folds = folds(&[(1, 3), (2, 3), (6, 8)]);
        assert_eq!(folds.shown(10), 6);
        assert_eq!((0..6).map(|row| folds.line(row)).collect::<Vec<_>>(), [0, 1, 4, 5, 6, 9]);
        assert_eq!((0..10).map(|line| folds.row(line)).collect::<Vec<_>>(), [0, 1, 1, 1, 2, 3, 4, 4, 4, 5]);
        assert!(folds.hides(2) && !folds.hides(6));
    }

    proptest! {
        #[test]
        fn rows_and_lines_agree_with_counting(nested in prop::collection::vec((0u32..60, 1u32..20), 0..12)) {
            // Brackets lie in each other or apart.
            let mut ranges: Vec<(u32, u32)> = Vec::new();
            for (line, length) in nested {
                let end = line + length;
                let crosses = |&(a, b): &(u32, u32)| (a < line && line <= b && b < end) || (line < a && a <= end && end < b) || a == line;
                if !ranges.iter().any(crosses) {
                    ranges.push((line, end));
                }
            }
            ranges.sort_unstable();
            let folds = folds(&ranges);
            let lines: Vec<usize> = (0..100).filter(|&line| !ranges.iter().any(|&(a, b)| (a as usize) < line && line <= b as usize)).collect();
            prop_assert_eq!(folds.shown(100), lines.len());
            for (row, &line) in lines.iter().enumerate() {
                prop_assert_eq!(folds.line(row), line);
                prop_assert_eq!(folds.row(line), row);
            }
            for line in 0..100 {
                let above = lines.iter().rposition(|&shown| shown <= line).unwrap();
                prop_assert_eq!(folds.row(line), above);
            }
        }
    }
}
