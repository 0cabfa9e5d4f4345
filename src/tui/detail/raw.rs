//! The request as it came: head and body, control bytes visible.

use std::sync::Arc;

use crate::{
    body::{self, Content, Document},
    record::Capture,
    tui::{
        line::{Piece, Pieces, piece},
        look::Paint,
        model::Model,
    },
};

/// The lines of the head, each with its end made visible. Values that let somebody in are masked.
pub(super) fn head(model: &Model, capture: &Capture) -> Vec<Pieces> {
    let raw = capture.head.raw();
    let mut lines: Vec<&[u8]> = raw.split_inclusive(|&byte| byte == b'\n').collect();
    if lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    let first = lines.iter().position(|line| !line.trim_ascii().is_empty()).unwrap_or(0);
    let headers: Vec<_> = capture.head.headers().iter().collect();
    let line = |(at, line): (usize, &&[u8])| {
        let header = at.checked_sub(first + 1).and_then(|at| headers.get(at));
        let hidden = header.filter(|header| header.lets_in() && !model.detail.unmasked && !header.value.is_empty());
        match hidden {
            Some(header) => vec![
                Piece { paint: Paint::Plain, text: body::escape_bytes(header.name) },
                piece(Paint::Dim, &format!(": {}", model.look.signs().mask)),
            ],
            None => shown(line),
        }
    };
    lines.iter().enumerate().map(line).collect()
}

/// A line with its end as pictures.
fn shown(line: &[u8]) -> Pieces {
    let text = line.strip_suffix(b"\n").unwrap_or(line);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    vec![
        Piece { paint: Paint::Plain, text: body::escape_bytes(text) },
        Piece { paint: Paint::Dim, text: body::escape_bytes(&line[text.len()..]) },
    ]
}

/// Any bytes as text, line by line, whatever their sender says of them. Made on a worker's thread.
pub(in crate::tui) fn document(bytes: bytes::Bytes) -> Result<Arc<dyn Document>, String> {
    let content = Content { bytes, ..Content::default() };
    let text = body::VIEWS.iter().find(|view| view.name == "text").or(body::VIEWS.last());
    text.map_or_else(|| Err("there is no view of text".to_owned()), |view| (view.open)(&content).map(Arc::from))
}
