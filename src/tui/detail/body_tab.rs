//! The body's tab.

use std::sync::Arc;

use crate::{
    body::Document,
    tui::{
        line::{self, Pieces},
        look::Paint,
        model::Model,
        msg::BodyView,
    },
};

pub(super) fn body_line(document: &Arc<dyn Document>, at: usize) -> Pieces {
    document.lines(at..at + 1).into_iter().next().map(line::of_body).unwrap_or_default()
}

pub(super) fn no_body(model: &Model, columns: usize) -> Vec<Pieces> {
    match &model.detail.body {
        Some(BodyView { document: Err(why), .. }) => line::paragraph(Paint::Warning, why, columns),
        Some(BodyView { document: Ok(document), .. }) if document.line_count() == 0 => {
            line::paragraph(Paint::Dim, "The request has no body.", columns)
        }
        _ => Vec::new(),
    }
}
