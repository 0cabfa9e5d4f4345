//! The help: every key, from the table, and the filter's fields from theirs.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    widgets::{Clear, Widget},
};

use super::lines;
use crate::{
    query,
    tui::{
        line::{Pieces, line, piece},
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

/// All but the header and the footer.
fn area(model: &Model) -> Rect {
    Rect::new(0, 1, model.size.0, model.size.1.saturating_sub(2))
}

/// Draws over everything between header and footer.
pub(super) fn draw(model: &Model, buffer: &mut Buffer) {
    let area = area(model).intersection(buffer.area);
    Clear.render(area, buffer);
    let rows = content(model).into_iter().skip(model.help_scroll).map(|row| line(&row, model.look));
    lines(rows, area, buffer);
}

fn content(model: &Model) -> Vec<Pieces> {
    let columns = usize::from(model.size.0);
    let signs = model.look.signs();
    let mut rows = vec![Vec::new(), vec![piece(Paint::Heading, "  Keys")], Vec::new()];
    for bound in model.keys.rows() {
        rows.push(row(&bound.chords.join("  "), bound.key.help, columns));
    }
    rows.extend([Vec::new(), vec![piece(Paint::Heading, "  Signs")], Vec::new()]);
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
        rows.push(vec![piece(paint, &format!("  {sign}  ")), piece(Paint::Plain, words)]);
    }
    rows.extend([Vec::new(), vec![piece(Paint::Heading, "  Filter")], Vec::new()]);
    let grammar = "words, \"phrases\" and fields; side by side all must match; and, or, not, ( )";
    rows.push(vec![piece(Paint::Dim, &format!("  {grammar}"))]);
    rows.push(row("@name", "a filter that was saved, or stands in creel.toml under [filters]", columns));
    for field in query::FIELDS {
        rows.push(row(field.example, field.help, columns));
    }
    rows
}

/// A key and what it does; on a narrow terminal the key gets less room.
fn row(key: &str, words: &str, columns: usize) -> Pieces {
    let room = if columns < 60 { 16 } else { CHORDS };
    let key = crate::body::fit(key, room);
    let blanks = " ".repeat(room - crate::body::width(&key));
    vec![piece(Paint::Brand, &format!("  {key}{blanks} ")), piece(Paint::Plain, words)]
}
