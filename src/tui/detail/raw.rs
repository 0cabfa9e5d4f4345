//! The request as it came: head and body, control bytes visible.

use std::sync::Arc;

use crate::{
    body::{self, Content, Document},
    record::{Capture, mask},
    tui::{
        line::{Piece, Pieces, piece},
        look::Paint,
        model::Model,
    },
};

/// The lines of the head, each with its end made visible. Values that let somebody in are masked, in the request line, too.
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
            None if at == first && !model.detail.unmasked => request_line(line),
            None => shown(line),
        }
    };
    lines.iter().enumerate().map(line).collect()
}

/// The first line, the secrets in the query of its target masked.
fn request_line(line: &[u8]) -> Pieces {
    let end = line.iter().rposition(|byte| !byte.is_ascii_whitespace()).map_or(0, |at| at + 1);
    // The target ends where the version begins; in a line without one it goes on to the end.
    let end = memchr::memrchr(b' ', &line[..end]).filter(|&at| line[at..].starts_with(b" HTTP/")).unwrap_or(end);
    mask::target(&line[..end]).map_or_else(|| shown(line), |(masked, _)| shown(&[&masked, &line[end..]].concat()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_line_shows_no_secret_of_its_query_and_everything_else() {
        const ROWS: &[(&str, &str)] = &[
            ("POST /a?token=abc&b=1 HTTP/1.1\r\n", "POST /a?token=******&b=1 HTTP/1.1␍␊"),
            ("POST /a?b=1&api_key=abc HTTP/1.1\n", "POST /a?b=1&api_key=****** HTTP/1.1␊"),
            ("GET /a?sig=a b\r\n", "GET /a?sig=******␍␊"),
            ("GET /a?b=1 HTTP/1.1\r\n", "GET /a?b=1 HTTP/1.1␍␊"),
            ("\r\n", "␍␊"),
        ];
        for (came, seen) in ROWS {
            let text: String = request_line(came.as_bytes()).into_iter().map(|piece| piece.text).collect();
            assert_eq!(text, *seen);
        }
    }
}
