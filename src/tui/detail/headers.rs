//! The headers' tab.

use super::explained::explained;
use crate::{
    body,
    record::{Capture, Header},
    tui::{
        line::{Piece, Pieces, piece},
        look::Paint,
        model::Model,
    },
};

pub(super) fn header_line(model: &Model, header: Header<'_>) -> Pieces {
    let name = header.name_text();
    let hidden = header.lets_in() && !model.detail.unmasked && !header.value.is_empty();
    let value = if hidden {
        piece(Paint::Dim, &format!("{} {} bytes, m shows them", model.look.signs().mask, header.value.len()))
    } else {
        Piece { paint: Paint::Plain, text: body::escape_bytes(header.value) }
    };
    vec![piece(Paint::Body(body::Role::Key), &name), piece(Paint::Dim, ": "), value]
}

/// A header of the request, with a few words about it where it is one that is worth them.
fn explained_line(model: &Model, capture: &Capture, header: Header<'_>) -> Pieces {
    let mut line = header_line(model, header);
    if let Some(words) = explained(capture, header) {
        let dot = model.look.signs().dot;
        line.push(piece(Paint::Dim, &format!("  {dot} {words}")));
    }
    line
}

/// Order and case as they came.
pub(super) fn headers(model: &Model, capture: &Capture) -> Vec<Pieces> {
    let head = &capture.head;
    let first = vec![
        piece(Paint::Heading, &head.method()),
        Piece { paint: Paint::Plain, text: format!(" {} ", body::escape_bytes(head.target())) },
        piece(Paint::Dim, head.version().name()),
    ];
    let mut lines = vec![first];
    lines.extend(head.headers().iter().map(|header| explained_line(model, capture, header)));
    if !capture.trailers.is_empty() {
        lines.extend([Vec::new(), vec![piece(Paint::Heading, "after the body")]]);
        lines.extend(capture.trailers.iter().map(|header| header_line(model, header)));
    }
    lines
}
