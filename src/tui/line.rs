//! Lines of painted text, and their wrapping.

use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::look::{Look, Paint};
use crate::body;

/// A piece of text with its role. The text is escaped when it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) paint: Paint,
    pub(super) text: String,
}

/// A line before it is wrapped.
pub(super) type Pieces = Vec<Piece>;

/// A piece of any text.
pub(super) fn piece(paint: Paint, text: &str) -> Piece {
    Piece { paint, text: body::escape(text).into_owned() }
}

/// A line of one piece.
pub(super) fn plain(text: &str) -> Pieces {
    vec![piece(Paint::Plain, text)]
}

/// A line of a body view's, as pieces.
pub(super) fn of_body(line: body::Line) -> Pieces {
    line.into_iter().map(|span| Piece { paint: Paint::Body(span.role), text: span.text }).collect()
}

/// A line for the terminal.
pub(super) fn line(pieces: &[Piece], look: Look) -> Line<'static> {
    let text = |piece: &Piece| match piece.paint {
        Paint::Body(body::Role::Pixels(top, bottom)) if !look.has_pixels() => {
            piece.text.chars().map(|_| body::shade(top, bottom)).collect()
        }
        _ => piece.text.clone(),
    };
    pieces.iter().map(|piece| Span::styled(text(piece), look.style(piece.paint))).collect()
}

/// The rows that a line takes at a width, at least one. Breaks between grapheme clusters; an own indent is kept.
pub(super) fn wrap(pieces: &[Piece], columns: usize) -> Vec<Pieces> {
    let columns = columns.max(1);
    let mut rows = vec![Vec::new()];
    let mut used = 0;
    for piece in pieces {
        let mut text = String::new();
        for grapheme in piece.text.graphemes(true) {
            let width = grapheme.width();
            if used + width > columns && used > 0 {
                push(&mut rows, piece.paint, std::mem::take(&mut text));
                rows.push(Vec::new());
                used = 0;
            }
            text.push_str(grapheme);
            used += width;
        }
        push(&mut rows, piece.paint, text);
    }
    rows
}

fn push(rows: &mut [Pieces], paint: Paint, text: String) {
    if let Some(row) = rows.last_mut().filter(|_| !text.is_empty()) {
        row.push(Piece { paint, text });
    }
}

/// Words, wrapped at blanks where they can be.
pub(super) fn paragraph(paint: Paint, text: &str, columns: usize) -> Vec<Pieces> {
    let text = body::escape(text);
    let mut rows = Vec::new();
    let mut row = String::new();
    for word in text.split(' ') {
        if !row.is_empty() && body::width(&row) + 1 + body::width(word) > columns {
            rows.push(vec![Piece { paint, text: std::mem::take(&mut row) }]);
        }
        if !row.is_empty() {
            row.push(' ');
        }
        row.push_str(word);
    }
    rows.push(vec![Piece { paint, text: row }]);
    rows.iter().flat_map(|row| wrap(row, columns)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(rows: &[Pieces]) -> Vec<String> {
        rows.iter().map(|row| row.iter().map(|piece| &piece.text[..]).collect()).collect()
    }

    #[test]
    fn a_line_breaks_at_its_columns_and_not_within_a_character() {
        let line = [piece(Paint::Plain, "ab"), piece(Paint::Dim, "c漢字d")];
        assert_eq!(texts(&wrap(&line, 4)), ["abc", "漢字", "d"]);
        assert_eq!(texts(&wrap(&line, 1)), ["a", "b", "c", "漢", "字", "d"]);
        assert_eq!(texts(&wrap(&[], 4)), [""]);
    }

    #[test]
    fn a_paragraph_breaks_at_blanks() {
        assert_eq!(texts(&paragraph(Paint::Plain, "one two three", 8)), ["one two", "three"]);
        assert_eq!(texts(&paragraph(Paint::Plain, "incomprehensible", 8)), ["incompre", "hensible"]);
    }
}
