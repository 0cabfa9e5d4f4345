//! The request in the user's editor, before it is sent again.

use std::io::{self, IsTerminal, Write};

use super::super::report;
use crate::{
    body,
    engine::{
        aside,
        rewrite::{self, Rewritten},
    },
    record::{Capture, Failure},
};

/// What becomes of a text that is no request, or of JSON that broke.
enum Next {
    Again,
    AsItIs,
    Drop,
}

/// Has the request edited until it is one, or until the person gives up; none where nothing was changed.
pub(super) fn in_editor(capture: &Capture, as_it_is: bool) -> Result<Option<Rewritten>, Failure> {
    let mut text = rewrite::text(capture);
    let name = format!("request-{}.http", capture.id);
    loop {
        text = aside::edit(&text, &name)?;
        let next = match rewrite::read(capture, &text) {
            Ok(Some(Rewritten { broken: Some(_), .. })) if as_it_is => Next::AsItIs,
            Ok(Some(Rewritten { broken: Some(why), .. })) => {
                let failure = Failure::new(format!("editing request #{}", capture.id), why);
                ask(failure.hint("--as-it-is sends it so"), true)?
            }
            Ok(None) => {
                report(&"nothing was changed; nothing is sent");
                return Ok(None);
            }
            Ok(edited) => return Ok(edited),
            Err(failure) => ask(failure, false)?,
        };
        match next {
            Next::Again => {}
            Next::AsItIs => return rewrite::read(capture, &text),
            Next::Drop => {
                report(&"given up; nothing is sent");
                return Ok(None);
            }
        }
    }
}

/// Asks what to do, where there is a terminal to ask on; else that is the failure.
fn ask(failure: Failure, is_sendable: bool) -> Result<Next, Failure> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(failure);
    }
    let words = format!("{}: {}", failure.doing, failure.why);
    let choice =
        if is_sendable { "e edits it again, s sends it as it is, q gives up" } else { "e edits it again, q gives up" };
    loop {
        let _ = write!(io::stderr(), "{}\n{choice}: ", body::escape(&words));
        let mut answer = String::new();
        let read = io::stdin().read_line(&mut answer).map_err(|why| Failure::new("reading an answer", why))?;
        match answer.trim() {
            "e" | "edit" => return Ok(Next::Again),
            "s" | "send" if is_sendable => return Ok(Next::AsItIs),
            "q" | "quit" => return Ok(Next::Drop),
            _ if read == 0 => return Ok(Next::Drop),
            _ => {}
        }
    }
}
