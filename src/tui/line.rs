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

/// How many columns pieces take beside each other.
pub(super) fn width(pieces: &[Piece]) -> usize {
    pieces.iter().map(|piece| body::width(&piece.text)).sum()
}

/// A line of a body view's, as pieces.
pub(super) fn of_body(line: body::Line) -> Pieces {
    line.into_iter().map(|span| Piece { paint: Paint::Body(span.role), text: span.text }).collect()
}

/// A line of a code for a camera: dark on light where that can be painted; else the light is filled, as most terminals are dark.
pub(super) fn modules(line: &str, look: Look) -> Piece {
    if look.colour {
        return piece(Paint::Paper, line);
    }
    let filled = line.chars().map(|block| match block {
        '█' => ' ',
        '▀' => '▄',
        '▄' => '▀',
        _ => '█',
    });
    piece(Paint::Plain, &filled.collect::<String>())
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

/// The rows that a line takes at a width, at least one. Breaks between grapheme clusters.
pub(super) fn wrap(pieces: &[Piece], columns: usize) -> Vec<Pieces> {
    wrap_under(pieces, columns, 0)
}

/// The same; the rows after the first begin so many columns to the right.
pub(super) fn wrap_under(pieces: &[Piece], columns: usize, indent: usize) -> Vec<Pieces> {
    let columns = columns.max(1);
    let indent = indent.min(columns - 1);
    let mut rows = vec![Vec::new()];
    let (mut used, mut start) = (0, 0);
    for piece in pieces {
        if piece.text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            // Nearly all there is: a byte a column, so that nothing is looked up for it.
            let mut rest = &piece.text[..];
            while used + rest.len() > columns {
                let (row, after) = rest.split_at(columns.saturating_sub(used));
                push(&mut rows, piece.paint, row.to_owned());
                rows.push(Vec::new());
                push(&mut rows, Paint::Plain, " ".repeat(indent));
                (rest, used, start) = (after, indent, indent);
            }
            used += rest.len();
            push(&mut rows, piece.paint, rest.to_owned());
            continue;
        }
        let mut text = String::new();
        for grapheme in piece.text.graphemes(true) {
            let width = grapheme.width();
            if used + width > columns && used > start {
                push(&mut rows, piece.paint, std::mem::take(&mut text));
                rows.push(Vec::new());
                push(&mut rows, Paint::Plain, " ".repeat(indent));
                (used, start) = (indent, indent);
            }
            text.push_str(grapheme);
            used += width;
        }
        push(&mut rows, piece.paint, text);
    }
    rows
}

/// The narrowest room in which wrapped lines are indented, in columns.
const ROOM: usize = 24;

/// How far to the right a line goes on where it is wrapped: behind the name of a fact, below what a line of a structure holds
/// and a little more. Plain text goes on as it is.
pub(super) fn hang(pieces: &[Piece], columns: usize) -> usize {
    let Some(first) = pieces.first().filter(|_| columns >= ROOM) else { return 0 };
    let blanks = pieces.iter().flat_map(|piece| piece.text.chars()).take_while(|c| *c == ' ').count();
    let is_name = first.paint == Paint::Dim && first.text.ends_with(' ') && pieces.len() > 1;
    let indent = match first.paint {
        _ if is_name => body::width(&first.text),
        Paint::Plain | Paint::Body(body::Role::Plain | body::Role::Text) if blanks == 0 => 0,
        _ => blanks + 2,
    };
    indent.min(columns / 2)
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
        let mixed = [piece(Paint::Plain, "abcdefg"), piece(Paint::Dim, "é"), piece(Paint::Plain, "hi")];
        assert_eq!(texts(&wrap_under(&mixed, 4, 1)), ["abcd", " efg", " éhi"]);
        assert_eq!(texts(&wrap(&[piece(Paint::Plain, "漢字"), piece(Paint::Plain, "ab")], 1)), ["漢", "字", "a", "b"]);
    }

    #[test]
    fn a_wrapped_line_goes_on_below_what_it_holds() {
        let key = |text: &str| piece(Paint::Body(body::Role::Key), text);
        let line = [plain("    ").remove(0), key("\"name\": "), plain("a text that is long").remove(0)];
        let rows = wrap_under(&line, 24, hang(&line, 24));
        assert_eq!(texts(&rows), ["    \"name\": a text that ", "      is long"]);
        assert_eq!(hang(&[piece(Paint::Dim, "endpoint   "), key("x")], 40), 11, "a fact goes on behind its name");
        assert_eq!([hang(&plain("text"), 40), hang(&line, 10), hang(&[], 40)], [0; 3]);
        assert_eq!(hang(&[piece(Paint::Plain, &" ".repeat(90))], 40), 20, "there is always room for half of it");
        assert_eq!(
            texts(&wrap_under(&plain("漢字漢"), 2, 1)),
            ["漢", " 字", " 漢"],
            "one that never fits ends all the same"
        );
    }

    #[test]
    fn a_paragraph_breaks_at_blanks() {
        assert_eq!(texts(&paragraph(Paint::Plain, "one two three", 8)), ["one two", "three"]);
        assert_eq!(texts(&paragraph(Paint::Plain, "incomprehensible", 8)), ["incompre", "hensible"]);
    }
}
