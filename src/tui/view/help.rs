//! The help: every key, from the table, and the filter's fields from theirs.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    frame::{self, Frame},
    lines,
    sheet::{outside, seen},
};
use crate::{
    query,
    tui::{
        line::{Pieces, line, paragraph, piece},
        look::Paint,
        model::Model,
    },
};

/// How far the chords reach.
const CHORDS: usize = 26;

/// How far the help can be scrolled.
pub(in crate::tui) fn rows(model: &Model) -> usize {
    content(model).len().saturating_sub(usize::from(area(model).height))
}

fn area(model: &Model) -> Rect {
    frame::inside(outside(model))
}

/// Draws over everything between header and footer.
pub(super) fn draw(model: &Model, buffer: &mut Buffer) {
    let rows = content(model);
    let note = seen(model.help_scroll, usize::from(area(model).height), rows.len());
    let frame = Frame { title: "Help".to_owned(), note, ..Frame::default() };
    let area = frame::draw(model, outside(model), &frame, buffer);
    lines(rows.into_iter().skip(model.help_scroll).map(|row| line(&row, model.look)), area, buffer);
}

fn content(model: &Model) -> Vec<Pieces> {
    let columns = usize::from(area(model).width);
    let signs = model.look.signs();
    let mut rows = vec![vec![piece(Paint::Heading, " Keys")], Vec::new()];
    for bound in model.keys.rows() {
        rows.extend(row(&bound.chords.join("  "), bound.key.help, columns));
    }
    rows.extend([Vec::new(), vec![piece(Paint::Heading, " Signs")], Vec::new()]);
    for (sign, paint, words) in [
        (signs.passed, Paint::Good, "the signature is right"),
        (signs.partly, Paint::Warning, "the token is right; the body is not covered"),
        (signs.failed, Paint::Bad, "the signature is missing, wrong or stale: tab 4 says why"),
        (signs.unchecked, Paint::Warning, "a provider is known, but no secret: it was not checked"),
        (signs.unsigned, Paint::Dim, "nothing says that it should be signed"),
        (signs.duplicate, Paint::Warning, "the same event came before; which delivery of it this is"),
        (signs.late, Paint::Warning, "an event that happened later came before it"),
        (signs.flag, Paint::Warning, "something is odd: tab 1 says what"),
        (signs.marked, Paint::Brand, "marked by you, with space"),
        (signs.pinned, Paint::Brand, "pinned by you, with p"),
        (signs.noted, Paint::Brand, "you noted something, with ;"),
        (signs.edited, Paint::Brand, "not caught: made of another capture"),
        (signs.folded, Paint::Plain, "so many repeats of its event are folded under it: x shows them"),
    ] {
        let words = paragraph(Paint::Plain, words, columns.saturating_sub(6));
        rows.extend(words.into_iter().enumerate().map(|(at, row)| {
            let before = if at == 0 { format!(" {sign}  ") } else { "    ".to_owned() };
            [vec![piece(paint, &before)], row].concat()
        }));
    }
    rows.extend([Vec::new(), vec![piece(Paint::Heading, " Filter")], Vec::new()]);
    let grammar = "words, \"phrases\" and fields; side by side all must match; and, or, not, ( )";
    let grammar = paragraph(Paint::Dim, grammar, columns.saturating_sub(2));
    rows.extend(grammar.into_iter().map(|row| [vec![piece(Paint::Dim, " ")], row].concat()));
    rows.extend(row("@name", "a filter that was saved, or stands in creel.toml under [filters]", columns));
    for field in query::FIELDS {
        rows.extend(row(field.example, field.help, columns));
    }
    rows
}

/// A key and what it does, in as many rows as that takes; on a narrow terminal the key gets less room.
fn row(key: &str, words: &str, columns: usize) -> Vec<Pieces> {
    let room = if columns < 60 { 16 } else { CHORDS };
    let key = crate::body::fit(key, room);
    let blanks = " ".repeat(room - crate::body::width(&key));
    let mut before = piece(Paint::Brand, &format!(" {key}{blanks} "));
    let paragraph = paragraph(Paint::Plain, words, columns.saturating_sub(room + 3));
    let row = |row: Pieces| {
        let rest = piece(Paint::Plain, &" ".repeat(room + 2));
        [vec![std::mem::replace(&mut before, rest)], row].concat()
    };
    paragraph.into_iter().map(row).collect()
}
