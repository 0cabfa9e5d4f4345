//! The sheet and the palette, over list and detail.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
};

use super::{
    frame::{self, Frame},
    lines,
};
use crate::{
    body,
    tui::{
        layout::{self, Areas},
        line::{self, Pieces, line, piece},
        look::Paint,
        model::Model,
        palette::{Palette, Row},
    },
};

/// How wide the palette is at most, in columns, frame and all.
const PALETTE_COLUMNS: u16 = 88;
/// How high the palette is at most, in rows, frame and all.
const PALETTE_ROWS: u16 = 20;

/// All but the header, a notice and the footer.
pub(super) fn outside(model: &Model) -> Rect {
    let Areas { header, notice, .. } = layout::areas(model);
    Rect::new(0, header.height, model.size.0, notice.y.saturating_sub(header.height))
}

/// How many rows are seen of what lies over list and detail.
pub(in crate::tui) fn rows_over(model: &Model) -> u16 {
    area(model).height
}

/// What a sheet has for its rows.
fn area(model: &Model) -> Rect {
    frame::inside(outside(model))
}

/// How far the sheet can be scrolled.
pub(in crate::tui) fn last_row(model: &Model) -> usize {
    let area = area(model);
    let rows = model.sheet.as_ref().map_or(0, |sheet| sheet.rows(model, usize::from(area.width)).len());
    rows.saturating_sub(usize::from(area.height))
}

/// Draws the sheet.
pub(super) fn sheet(model: &Model, buffer: &mut Buffer) {
    let Some(sheet) = &model.sheet else { return };
    let area = area(model);
    let rows = sheet.rows(model, usize::from(area.width));
    let note = seen(sheet.scroll, usize::from(area.height), rows.len());
    let frame = Frame { title: sheet.title.clone(), note, ..Frame::default() };
    let area = frame::draw(model, outside(model), &frame, buffer);
    lines(rows.into_iter().skip(sheet.scroll).map(|row| line(&row, model.look)), area, buffer);
}

/// Which rows are seen of how many; nothing where all are.
pub(super) fn seen(scroll: usize, height: usize, count: usize) -> String {
    if count <= height { String::new() } else { format!("{}-{} of {count}", scroll + 1, (scroll + height).min(count)) }
}

/// Where the palette is: no higher than all its rows need, and what is wrong with what it asks of.
fn palette_area(model: &Model, palette: &Palette) -> Rect {
    let (columns, rows) = model.size;
    let width = columns.saturating_sub(if columns > 60 { 8 } else { 0 }).min(PALETTE_COLUMNS);
    let needed =
        palette.all_rows(model).len() + 3 + warning(model, palette, usize::from(width.saturating_sub(2))).len();
    let height = rows.saturating_sub(2).min(PALETTE_ROWS).min(u16::try_from(needed).unwrap_or(PALETTE_ROWS));
    Rect::new((columns - width) / 2, 1.min(rows), width, height)
}

/// What is wrong with what the palette asks of, in so many columns.
fn warning(model: &Model, palette: &Palette, columns: usize) -> Vec<Pieces> {
    let text = palette.warning(model);
    text.map_or_else(Vec::new, |text| line::paragraph(Paint::Bad, &text, columns.saturating_sub(4)))
}

/// Which of the palette's rows is the first that is seen, and how many are.
fn window(model: &Model, palette: &Palette, count: usize) -> (usize, usize) {
    let seen = usize::from(frame::inside(palette_area(model, palette)).height.saturating_sub(1)).max(1);
    let chosen = palette.chosen.min(count.saturating_sub(1));
    ((chosen + 1).saturating_sub(seen), seen)
}

/// Which row of the palette stands at a place of the terminal.
pub(in crate::tui) fn palette_row_at(model: &Model, palette: &Palette, at: Position) -> Option<usize> {
    let inner = frame::inside(palette_area(model, palette));
    let count = palette.rows(model).len();
    let (top, _) = window(model, palette, count);
    let row = at.y.checked_sub(inner.y + 1).filter(|_| inner.contains(at))?;
    Some(top + usize::from(row)).filter(|row| *row < count)
}

/// Draws the palette; where the cursor stands in it.
pub(super) fn palette(model: &Model, palette: &Palette, buffer: &mut Buffer) -> Position {
    let rows = palette.rows(model);
    let chosen = palette.chosen.min(rows.len().saturating_sub(1));
    let note = if rows.is_empty() { String::new() } else { format!("{} of {}", chosen + 1, rows.len()) };
    let keys = [("enter", "does it"), (if model.look.unicode { "↑↓" } else { "up/down" }, "choose"), ("esc", "leaves")];
    let keys = keys.into_iter().map(|(chord, words)| (chord.to_owned(), words)).collect();
    let frame = Frame { title: palette.title(), note, keys };
    let inner = frame::draw(model, palette_area(model, palette), &frame, buffer);
    let columns = usize::from(inner.width);
    let room = columns.saturating_sub(4).max(1);
    let first = palette.typed.first_seen(room);
    let typed = body::fit(&palette.typed.seen(first, first..palette.typed.text.len()), room);
    let head = [piece(Paint::Brand, " > "), piece(Paint::Plain, &typed)];
    let chords = rows.iter().map(|row| body::width(&row.chord)).max().unwrap_or(0);
    let (top, seen) = window(model, palette, rows.len());
    let shown = rows.iter().enumerate().skip(top).take(seen);
    let shown = shown.map(|(at, row)| line(&palette_row(row, at == chosen, chords, columns), model.look));
    let nothing = rows.is_empty().then(|| line(&[piece(Paint::Dim, "   nothing has these letters")], model.look));
    let warning = warning(model, palette, columns);
    let indented = |row: Pieces| line(&[vec![piece(Paint::Plain, "   ")], row].concat(), model.look);
    let warning = warning.into_iter().map(indented);
    lines(std::iter::once(line(&head, model.look)).chain(shown).chain(nothing).chain(warning), inner, buffer);
    let before = palette.typed.seen(first, first..palette.typed.cursor);
    Position::new(inner.x + (3 + body::width(&before)).min(columns) as u16, inner.y)
}

/// A row as wide as the palette: what it does, and at the right, in a column of their own, the keys.
fn palette_row(row: &Row, is_chosen: bool, chords: usize, columns: usize) -> Pieces {
    let gap = if chords > 0 { 2 } else { 0 };
    let room = columns.saturating_sub(chords + gap + 4);
    let name = body::fit(&row.name, room);
    let blanks = " ".repeat(room.saturating_sub(body::width(&name)) + gap);
    let (plain, chord) = if is_chosen { (Paint::Selected, Paint::Selected) } else { (Paint::Plain, Paint::Brand) };
    let sign = if is_chosen { " > " } else { "   " };
    vec![piece(plain, &format!("{sign}{name}{blanks}")), piece(chord, &format!("{:<chords$} ", row.chord))]
}
