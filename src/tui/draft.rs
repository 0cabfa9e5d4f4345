//! What a person made of a capture's request and has not let go of yet; and the programs that get the terminal for it.

use std::sync::Arc;

use crate::{
    engine::rewrite::{self, Rewritten},
    record::{Capture, CaptureId},
};

/// How many edited requests are kept until creel is left; of more the one with the lowest number goes.
pub(super) const DRAFTS: usize = 20;

/// An edited request.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) capture: Arc<Capture>,
    /// The text as it was left, to be edited again.
    pub(super) text: Vec<u8>,
    /// The request, or why the text is none.
    pub(super) request: Result<Arc<Rewritten>, String>,
}

impl Draft {
    /// What was made of a text; none where it changes nothing.
    pub(super) fn read(capture: Arc<Capture>, text: Vec<u8>) -> Option<Self> {
        let request = match rewrite::read(&capture, &text) {
            Ok(None) => return None,
            Ok(Some(request)) => Ok(Arc::new(request)),
            Err(failure) => Err(failure.why),
        };
        Some(Self { capture, text, request })
    }

    /// What is wrong with it.
    pub(super) fn wrong(&self) -> Option<String> {
        match &self.request {
            Err(why) => Some(format!("this is no request: {why}")),
            Ok(request) => request.broken.clone(),
        }
    }
}

/// What becomes of an edited request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It is sent.
    Send,
    /// It is signed anew and sent.
    Sign,
    /// It becomes a capture of its own.
    Keep,
    /// It is edited again.
    Again,
    /// It is forgotten.
    Drop,
}

/// The steps that there are for it, each with its name.
pub(super) fn steps(draft: &Draft) -> Vec<(Step, &'static str)> {
    let mut steps = match &draft.request {
        Err(_) => Vec::new(),
        Ok(request) => vec![
            (Step::Send, if request.broken.is_some() { "resend as it is, broken" } else { "resend as edited" }),
            (Step::Sign, "resend, signed anew with a fresh timestamp"),
            (Step::Keep, "save as a new capture, marked as edited"),
        ],
    };
    steps.extend([(Step::Again, "edit again"), (Step::Drop, "drop it")]);
    steps
}

/// What a program of the user's gets the terminal for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outside {
    /// A request is edited; without a text, as it came.
    Edit { id: CaptureId, text: Option<Vec<u8>> },
    /// A body is shown in the pager.
    Page { id: CaptureId },
    /// The shell has it, until it gives it back.
    Shell,
}

/// What came of that.
#[derive(Debug)]
pub(super) enum Returned {
    Edited { capture: Arc<Capture>, text: Vec<u8> },
    Nothing,
}
