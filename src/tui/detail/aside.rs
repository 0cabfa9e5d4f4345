//! A table that is wider than its pane: seen from one of its columns on.

use std::{ops::Range, sync::Arc};

use unicode_segmentation::UnicodeSegmentation;

use super::{Detail, Tab, body_tab};
use crate::{
    body::{self, Document, Role},
    record::{CaptureId, counted},
    tui::{
        layout,
        line::{self, Pieces, piece},
        look::{Paint, Signs},
        model::Model,
    },
};

/// How many columns of the screen the mark takes that more stands to the left.
const MARK: usize = 2;

/// The first column that is seen of a capture's table. Of another capture, or in another view, it is the first of all.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Aside {
    of: Option<(CaptureId, usize)>,
    first: usize,
}

/// The open table.
fn table(detail: &Detail) -> Option<&Arc<dyn Document>> {
    super::document(detail).filter(|document| detail.tab == Tab::Body && !document.columns().is_empty())
}

/// What is looked at: another one begins at its left end.
fn shown(detail: &Detail) -> Option<(CaptureId, usize)> {
    Some((detail.capture.as_ref()?.id, detail.body.as_ref()?.view))
}

/// The first column that is seen.
fn first(detail: &Detail, columns: &[Range<usize>]) -> usize {
    let is_kept = detail.aside.of.is_some() && detail.aside.of == shown(detail);
    if is_kept { detail.aside.first.min(columns.len().saturating_sub(1)) } else { 0 }
}

/// The columns that are seen whole from one on, at least that one.
fn seen(columns: &[Range<usize>], first: usize, width: usize) -> Range<usize> {
    let start = columns.get(first).map_or(0, |column| column.start);
    let room = width.saturating_sub(if first > 0 { MARK } else { 0 });
    let is_last = |at: usize| at + 1 == columns.len();
    // Where another one follows, the mark of that takes a place.
    let fits = |at: usize| columns[at].end - start + usize::from(!is_last(at)) <= room;
    let count = (first..columns.len()).take_while(|&at| fits(at)).count();
    first..(first + count.max(1)).min(columns.len())
}

/// The column from which on the last one is seen.
fn last(columns: &[Range<usize>], width: usize) -> usize {
    let whole = |&first: &usize| seen(columns, first, width).end == columns.len();
    (0..columns.len()).find(whole).unwrap_or(columns.len().saturating_sub(1))
}

fn width(model: &Model) -> usize {
    usize::from(layout::areas(model).detail.width)
}

/// Whether the open tab shows a table that is wider than the pane.
pub(in crate::tui) fn is_wide(model: &Model) -> bool {
    columns_seen(model).is_some_and(|(seen, all)| seen.len() < all)
}

/// Which columns of a table are seen.
pub(in crate::tui) fn words(model: &Model) -> Option<String> {
    let (seen, all) = columns_seen(model)?;
    let (from, to) = (seen.start + 1, seen.end);
    Some(match to - from {
        _ if (from, to) == (1, all) => counted(all as u64, "column"),
        0 => format!("column {to} of {all}"),
        _ => format!("columns {from}-{to} of {all}"),
    })
}

/// The columns that are seen of the open tab's table, and how many it has.
fn columns_seen(model: &Model) -> Option<(Range<usize>, usize)> {
    let columns = table(&model.detail)?.columns();
    Some((seen(columns, first(&model.detail, columns), width(model)), columns.len()))
}

/// Goes a column to the right or to the left, until the last one is seen.
pub(in crate::tui) fn step(model: &mut Model, right: bool) {
    let Some(document) = table(&model.detail) else { return };
    let (at, end) = (first(&model.detail, document.columns()), last(document.columns(), width(model)));
    let to = if right { (at + 1).min(end.max(at)) } else { at.saturating_sub(1) };
    model.detail.aside = Aside { of: shown(&model.detail), first: to };
}

/// Goes aside so that what stands at a character of a line is seen, and no further; whether the line stands in columns.
pub(super) fn reveal(model: &mut Model, line: usize, at: usize) -> bool {
    let Some(document) = table(&model.detail) else { return false };
    let pieces = body_tab::body_line(document, line);
    if !is_in_columns(&pieces) {
        return false;
    }
    let before: String = pieces.iter().flat_map(|piece| piece.text.chars()).take(at).collect();
    let (place, columns) = (body::width(&before), document.columns());
    let column = columns.iter().rposition(|column| column.start <= place).unwrap_or(0);
    let is_seen = |&first: &usize| seen(columns, first, width(model)).contains(&column);
    let now = first(&model.detail, columns);
    let to = if is_seen(&now) { now } else { (0..=column).find(is_seen).unwrap_or(column) };
    model.detail.aside = Aside { of: shown(&model.detail), first: to };
    true
}

fn is_in_columns(pieces: &Pieces) -> bool {
    pieces.first().is_none_or(|piece| piece.paint != Paint::Body(Role::Error))
}

/// A row of the open table from the first column that is seen on, with a mark at each end where more stands.
pub(super) fn row(model: &Model, line: usize, width: usize) -> Option<Pieces> {
    let document = table(&model.detail)?;
    let pieces = body_tab::body_line(document, line);
    let first = first(&model.detail, document.columns());
    let start = document.columns().get(first).map_or(0, |column| column.start);
    is_in_columns(&pieces).then(|| row_from(pieces, start, width, model.look.signs()))
}

/// A line of a body as far as there is room, where it is a row of a table; any other whole.
pub(super) fn beginning(document: &dyn Document, pieces: Pieces, width: usize, signs: &Signs) -> Pieces {
    let is_row = !document.columns().is_empty() && is_in_columns(&pieces);
    if is_row { row_from(pieces, 0, width, signs) } else { pieces }
}

fn row_from(mut pieces: Pieces, start: usize, width: usize, signs: &Signs) -> Pieces {
    while pieces.last().is_some_and(|piece| piece.text.trim().is_empty()) {
        pieces.pop();
    }
    part(&pieces, start, width, signs)
}

/// The part of a row from a place on that has room.
fn part(pieces: &Pieces, start: usize, width: usize, signs: &Signs) -> Pieces {
    let all = line::width(pieces);
    let mut row = Vec::new();
    let mut room = width;
    if start > 0 {
        row.push(piece(Paint::Dim, &format!("{:MARK$}", if all > 0 { signs.left } else { "" })));
        room = room.saturating_sub(MARK);
    }
    let goes_on = all.saturating_sub(start) > room;
    let end = start + if goes_on { room.saturating_sub(1) } else { room };
    let mut at = 0;
    for pieces in pieces {
        let mut text = String::new();
        for grapheme in pieces.text.graphemes(true) {
            let next = at + body::width(grapheme);
            match (at >= start && next <= end, at < end && next > start) {
                (true, _) => text.push_str(grapheme),
                // Half of a wide one.
                (false, true) => text.push_str(&" ".repeat(next.min(end) - at.max(start))),
                (false, false) => {}
            }
            at = next;
        }
        if !text.is_empty() {
            row.push(crate::tui::line::Piece { paint: pieces.paint, text });
        }
    }
    if goes_on {
        row.push(piece(Paint::Dim, signs.right));
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::{line::plain, look::Look};

    fn shown(text: &str, start: usize, width: usize) -> String {
        let row = part(&plain(text), start, width, Look::plain(true, true).signs());
        row.into_iter().map(|piece| piece.text).collect()
    }

    #[test]
    fn a_row_has_marks_where_more_stands() {
        assert_eq!(shown("1   trout  a note", 0, 40), "1   trout  a note");
        assert_eq!(shown("1   trout  a note", 0, 12), "1   trout  ›");
        assert_eq!(shown("1   trout  a note", 4, 9), "‹ trout ›");
        assert_eq!(shown("1   trout  a note", 11, 8), "‹ a note");
        assert_eq!(shown("22", 11, 8), "‹ ");
        assert_eq!((shown("", 11, 8), shown("鱼鱼鱼", 0, 4)), ("  ".into(), "鱼 ›".into()));
        assert_eq!((shown("trout", 0, 1), shown("trout", 2, 1)), ("›".into(), "‹ ›".into()));
    }

    #[test]
    fn the_columns_that_are_seen_whole_are_told() {
        let columns = [0..2, 4..9, 11..51, 53..60];
        assert_eq!(seen(&columns, 0, 100), 0..4);
        assert_eq!(seen(&columns, 0, 10), 0..2);
        assert_eq!(seen(&columns, 0, 9), 0..1, "the mark takes a place");
        assert_eq!(seen(&columns, 2, 20), 2..3, "one that has no room is seen as far as it has");
        assert_eq!((last(&columns, 60), last(&columns, 53), last(&columns, 20)), (0, 2, 3));
    }
}
