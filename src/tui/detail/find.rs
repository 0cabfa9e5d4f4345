//! Finding a text in the open tab.

use std::sync::Arc;

use super::{Scroll, Tab, aside, deliveries, source, tree};
use crate::{
    body::{self, Document},
    tui::{
        effect::Effect,
        layout,
        line::{self, Piece, Pieces},
        look::Paint,
        model::Model,
    },
};

/// How many places are kept at most; of more it is said that there are more.
pub(in crate::tui) const PLACES: usize = 100_000;
/// How many lines are looked at before it is asked whether anybody still waits.
const LINES_AT_ONCE: usize = 1_024;

/// What is looked for. Case matters only where it has a capital letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tui) struct Needle {
    letters: Vec<char>,
    exact: bool,
}

/// A place where it is: a line, and how many characters stand before it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::tui) struct Hit {
    line: usize,
    at: usize,
}

/// What of the tab is searched: another one is searched anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Searched {
    tab: Tab,
    stamp: u64,
    is_sent: bool,
}

/// A search.
#[derive(Debug)]
pub(in crate::tui) struct Find {
    text: String,
    needle: Needle,
    hits: Vec<Hit>,
    /// Whether there are more than are kept.
    more: bool,
    /// Whether a document is still being searched.
    waits: bool,
    current: usize,
    searched: Option<Searched>,
    /// Answers of other generations are late.
    generation: u64,
}

impl Needle {
    /// None where there is nothing to look for.
    fn new(text: &str) -> Option<Self> {
        let exact = text.chars().any(char::is_uppercase);
        let letters: Vec<char> = text.chars().collect();
        (!letters.is_empty()).then_some(Self { letters, exact })
    }

    /// Where it begins in a line, in characters; places do not overlap.
    fn places(&self, line: &[char]) -> Vec<usize> {
        let folded = |c: char| if self.exact { c } else { c.to_lowercase().next().unwrap_or(c) };
        let (mut at, mut found) = (0, Vec::new());
        while at + self.letters.len() <= line.len() {
            let is_here = self.letters.iter().zip(&line[at..]).all(|(a, b)| folded(*a) == folded(*b));
            if is_here {
                found.push(at);
            }
            at += if is_here { self.letters.len() } else { 1 };
        }
        found
    }

    fn hits(&self, line: usize, pieces: &[Piece]) -> Vec<Hit> {
        self.places(&letters(pieces)).into_iter().map(|at| Hit { line, at }).collect()
    }

    /// A line with every place marked.
    fn marked(&self, pieces: Pieces) -> Pieces {
        let places = self.places(&letters(&pieces));
        if places.is_empty() {
            return pieces;
        }
        let length = self.letters.len();
        let is_in = |at: usize| places.iter().any(|place| (*place..place + length).contains(&at));
        let mut marked: Pieces = Vec::new();
        let mut at = 0;
        for Piece { paint, text } in pieces {
            for c in text.chars() {
                let paint = if is_in(at) { Paint::Selected } else { paint };
                match marked.last_mut().filter(|last| last.paint == paint) {
                    Some(last) => last.text.push(c),
                    None => marked.push(Piece { paint, text: c.to_string() }),
                }
                at += 1;
            }
        }
        marked
    }
}

fn letters(pieces: &[Piece]) -> Vec<char> {
    pieces.iter().flat_map(|piece| piece.text.chars()).collect()
}

/// Looks through a document, whose first line is the tab's line `first`. Slow: for a worker. None where nobody waits any
/// more; whether there are more than are kept.
pub(in crate::tui) fn in_document(
    needle: &Needle,
    document: &Arc<dyn Document>,
    first: usize,
    is_late: impl Fn() -> bool,
) -> Option<(Vec<Hit>, bool)> {
    let mut hits = Vec::new();
    let count = document.line_count();
    for start in (0..count).step_by(LINES_AT_ONCE) {
        if is_late() {
            return None;
        }
        let lines = document.lines(start..(start + LINES_AT_ONCE).min(count));
        for (at, found) in lines.into_iter().enumerate() {
            hits.extend(needle.hits(first + start + at, &line::of_body(found)));
        }
        if hits.len() > PLACES {
            hits.truncate(PLACES);
            return Some((hits, true));
        }
    }
    Some((hits, false))
}

/// A line of the open tab as it is drawn: with what is looked for marked.
pub(super) fn marked(model: &Model, pieces: Pieces) -> Pieces {
    match &model.detail.find {
        Some(find) => find.needle.marked(pieces),
        None => pieces,
    }
}

/// Looks for another text; an empty one ends it.
pub(in crate::tui) fn look_for(model: &mut Model, text: &str) {
    let generation = model.detail.find.as_ref().map_or(1, |find| find.generation + 1) + model.detail.finds;
    model.detail.finds = generation;
    model.detail.find = Needle::new(text).map(|needle| Find {
        text: text.to_owned(),
        needle,
        hits: Vec::new(),
        more: false,
        waits: false,
        current: 0,
        searched: None,
        generation,
    });
}

/// Searches what the open tab shows where it is not searched yet: at once what is short, by a wish what may be long.
pub(in crate::tui) fn keep_up(model: &mut Model, effects: &mut Vec<Effect>) {
    let searched = Searched { tab: model.detail.tab, stamp: model.detail.stamp, is_sent: deliveries::is_sent(model) };
    if model.detail.capture.is_none() || model.detail.find.as_ref().is_none_or(|find| find.searched == Some(searched)) {
        return;
    }
    let columns = usize::from(layout::areas(model).detail.width);
    let generation = model.detail.finds + 1;
    let Some(needle) = model.detail.find.as_ref().map(|find| find.needle.clone()) else { return };
    let source = source(model, columns);
    let hits: Vec<_> = source.before.iter().enumerate().flat_map(|(at, line)| needle.hits(at, line)).collect();
    // What is folded away is searched, too.
    let whole = model.detail.cursor.whole().filter(|_| is_in_cursor(model));
    let document = whole.or(source.document).cloned();
    let first = source.before.len();
    drop(source);
    model.detail.finds = generation;
    let waits = document.is_some();
    effects.extend(document.map(|document| Effect::Find { generation, needle, document, first }));
    if let Some(find) = &mut model.detail.find {
        (find.hits, find.more, find.waits, find.current) = (hits, false, waits, 0);
        (find.searched, find.generation) = (Some(searched), generation);
    }
    if !waits {
        effects.extend(show_first(model));
    }
}

/// Whether the open tab is one whose lines fold: places count those that are folded away.
fn is_in_cursor(model: &Model) -> bool {
    model.detail.tab == Tab::Body && model.detail.cursor.is_on()
}

/// Takes what was found in a document.
pub(in crate::tui) fn found(model: &mut Model, generation: u64, hits: Vec<Hit>, more: bool) -> Vec<Effect> {
    let Some(find) = model.detail.find.as_mut().filter(|find| find.generation == generation) else {
        return Vec::new();
    };
    find.hits.extend(hits);
    (find.more, find.waits) = (more, false);
    show_first(model)
}

/// Goes to the first place at or below what is seen, or to the first of all.
fn show_first(model: &mut Model) -> Vec<Effect> {
    let row = model.detail.scroll[model.detail.tab as usize].line;
    let top = if is_in_cursor(model) { tree::line_at(model, row) } else { row };
    let Some(find) = &mut model.detail.find else { return Vec::new() };
    find.current = find.hits.iter().position(|hit| hit.line >= top).unwrap_or(0);
    show_current(model)
}

/// Goes to the next place or the one before it, around the ends.
pub(in crate::tui) fn step(model: &mut Model, forward: bool) -> Vec<Effect> {
    let Some(find) = model.detail.find.as_mut().filter(|find| !find.hits.is_empty()) else { return Vec::new() };
    let count = find.hits.len();
    find.current = (find.current + if forward { 1 } else { count - 1 }) % count;
    show_current(model)
}

/// Scrolls so that the current place is seen, and no more than that; what is folded over it is unfolded.
fn show_current(model: &mut Model) -> Vec<Effect> {
    let area = layout::areas(model).detail;
    let (columns, height) = (usize::from(area.width), usize::from(super::body_rows(model, area.height)));
    let found = model.detail.find.as_ref().and_then(|find| find.hits.get(find.current)).copied();
    let Some(mut hit) = found else { return Vec::new() };
    let mut effects = Vec::new();
    if is_in_cursor(model) {
        effects = tree::reveal(model, hit.line);
        hit.line = tree::row_of(model, hit.line);
    }
    let from = model.detail.scroll[model.detail.tab as usize];
    let is_row = aside::reveal(model, hit.line, hit.at);
    let source = source(model, columns);
    let pieces = source.line(hit.line);
    let indent = line::hang(&pieces, columns);
    let rows = line::wrap_under(&pieces, columns, indent);
    let ends = rows.iter().enumerate().scan(0, |before, (at, row)| {
        *before += letters(row).len() - if at > 0 { indent } else { 0 };
        Some(*before)
    });
    let row = if is_row { 0 } else { { ends }.position(|end| hit.at < end).unwrap_or(0) };
    let target = Scroll { line: hit.line, row };
    let is_seen = source.rows(from, columns, height).iter().any(|(place, _)| *place == target);
    let to = if is_seen { from } else { source.above(target, columns, height / 3) };
    drop(source);
    model.detail.scroll[model.detail.tab as usize] = to;
    effects
}

/// What is looked for and how often it is there, in so many columns: `/needle 3/17`. Rather less of the text than of the number.
pub(in crate::tui) fn words(model: &Model, columns: usize) -> Option<String> {
    let find = model.detail.find.as_ref()?;
    let count = match (find.waits, find.hits.len(), find.more) {
        (true, ..) => "searching".to_owned(),
        (false, 0, _) => "not here".to_owned(),
        (false, count, more) => format!("{}/{count}{}", find.current + 1, if more { "+" } else { "" }),
    };
    let text = body::escape(&format!("/{}", find.text)).into_owned();
    Some(format!("{} {count}", body::fit(&text, columns.saturating_sub(body::width(&count) + 1))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::line::plain;

    #[test]
    fn case_matters_only_with_a_capital() {
        let places = |needle: &str, line: &str| Needle::new(needle).unwrap().places(&line.chars().collect::<Vec<_>>());
        assert_eq!(places("ab", "xABxabab"), [1, 4, 6]);
        assert_eq!(places("Ab", "abAb"), [2]);
        assert_eq!(places("ü", "ÜüU"), [0, 1]);
        assert_eq!(places("aa", "aaaa"), [0, 2]);
        assert!(Needle::new("").is_none());
    }

    #[test]
    fn what_is_found_is_marked_across_pieces() {
        let needle = Needle::new("bc").unwrap();
        let line = [plain("ab"), plain("cd")].concat();
        let marked = needle.marked(line);
        let texts: Vec<_> = marked.iter().map(|piece| (piece.paint, &piece.text[..])).collect();
        assert_eq!(texts, [(Paint::Plain, "a"), (Paint::Selected, "bc"), (Paint::Plain, "d")]);
    }
}
