//! The list of what was turned away at the door.

use super::{act, say};
use crate::{
    record::Failure,
    tui::{
        effect::Effect,
        model::{Model, Notice},
        refused::Refusals,
        sheet::Content,
    },
};

/// Asks for the list.
pub(super) fn ask() -> Vec<Effect> {
    vec![Effect::Refusals { opens: true }]
}

/// Asks for it again where it is shown: something was committed.
pub(super) fn again(model: &Model) -> Option<Effect> {
    let is_shown = model.sheet.as_ref().is_some_and(|sheet| matches!(sheet.content, Content::Refusals(_)));
    is_shown.then_some(Effect::Refusals { opens: false })
}

/// The list came. Where it was put away meanwhile, it stays so.
pub(super) fn came(model: &mut Model, opens: bool, refusals: Result<Refusals, Failure>) -> Vec<Effect> {
    let refusals = match refusals {
        Ok(refusals) => refusals,
        Err(failure) => return say(model, Notice::of(&failure)),
    };
    if opens {
        return act::show(model, "Turned away at the door".to_owned(), Content::Refusals(refusals));
    }
    if let Some(Content::Refusals(shown)) = model.sheet.as_mut().map(|sheet| &mut sheet.content) {
        *shown = refusals;
    }
    Vec::new()
}
