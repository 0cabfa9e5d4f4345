//! The headers' tab.

use super::explained::explained;
use crate::{
    body,
    record::{Capture, Header, counted},
    tui::{
        keys::Command,
        line::{self, Piece, Pieces, piece},
        look::Paint,
        model::Model,
    },
};

pub(super) fn header_line(model: &Model, header: Header<'_>) -> Pieces {
    let name = header.name_text();
    let hidden = header.lets_in() && !model.detail.unmasked && !header.value.is_empty();
    let value = if hidden {
        piece(
            Paint::Dim,
            &format!(
                "{} {}, {} shows them",
                model.look.signs().mask,
                counted(header.value.len() as u64, "byte"),
                model.keys.of(Command::Unmask)
            ),
        )
    } else {
        Piece { paint: Paint::Plain, text: body::escape_bytes(header.value) }
    };
    vec![piece(Paint::Body(body::Role::Key), &name), piece(Paint::Dim, ": "), value]
}

/// A header of the request, with a few words about it where it is one that is worth them: behind it, or below.
fn explained_lines(model: &Model, capture: &Capture, header: Header<'_>, columns: usize) -> Vec<Pieces> {
    let mut line = header_line(model, header);
    let Some(words) = explained(capture, header) else { return vec![line] };
    let words = model.keys.told(&words);
    let words = format!("  {} {words}", model.look.signs().dot);
    let used = line::width(&line);
    if used + body::width(&words) <= columns {
        line.push(piece(Paint::Dim, &words));
        return vec![line];
    }
    let below = line::paragraph(Paint::Dim, words.trim_start(), columns.saturating_sub(4).max(20));
    let indented = |row: Pieces| [piece(Paint::Dim, "    ")].into_iter().chain(row).collect();
    [line].into_iter().chain(below.into_iter().map(indented)).collect()
}

/// Order and case as they came.
pub(super) fn headers(model: &Model, capture: &Capture, columns: usize) -> Vec<Pieces> {
    let head = &capture.head;
    let first = vec![
        piece(Paint::Heading, &head.method()),
        Piece { paint: Paint::Plain, text: format!(" {} ", body::escape_bytes(&model.detail.target(capture))) },
        piece(Paint::Dim, head.version().name()),
    ];
    let mut lines = vec![first];
    lines.extend(head.headers().iter().flat_map(|header| explained_lines(model, capture, header, columns)));
    if !capture.trailers.is_empty() {
        lines.extend([Vec::new(), vec![piece(Paint::Heading, "after the body")]]);
        lines.extend(capture.trailers.iter().map(|header| header_line(model, header)));
    }
    lines
}
