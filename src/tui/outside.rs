//! Programs of the user's that get the terminal: read what they need, lend it, take it back.

use std::sync::Arc;

use super::{
    draft::{Outside, Returned},
    stage::Stage,
    terminal,
};
use crate::{
    engine::{self, aside, rewrite},
    record::Failure,
};

/// Lends the terminal for that. For the thread that draws.
pub(super) fn lend(stage: &dyn Stage, what: Outside, mouse: bool) -> Result<Returned, Failure> {
    let read = |id| stage.capture(id)?.ok_or_else(|| engine::no_such_capture(id));
    match what {
        Outside::Edit { id, text } => {
            let capture = Arc::new(read(id)?);
            let text = text.unwrap_or_else(|| rewrite::text(&capture));
            let text = terminal::lend(mouse, || aside::edit(&text, &format!("request-{id}.http")))??;
            Ok(Returned::Edited { capture, text })
        }
        Outside::Page { id } => {
            let body = read(id)?.body.bytes;
            terminal::lend(mouse, || aside::page(&body, &format!("body-{id}")))??;
            Ok(Returned::Nothing)
        }
        Outside::Shell => terminal::stop(mouse).map(|()| Returned::Nothing),
    }
}
