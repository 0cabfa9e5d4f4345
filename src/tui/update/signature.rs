//! Judging the signature of a capture again.

use super::{Notice, Tone, plain, say};
use crate::{
    engine::Judged,
    record::{CaptureId, Failure, Judgement, Verdict},
    tui::{detail::Tab, effect::Effect, model::Model},
};

/// Judges the selected capture again.
pub(super) fn judge(model: &mut Model) -> Vec<Effect> {
    let Some(row) = model.list.row() else { return Vec::new() };
    if row.provider.is_none() {
        return plain(
            model,
            format!("nobody knows who signed #{}", row.id),
            Some("`provider` of its endpoint says so"),
        );
    }
    vec![Effect::Judge(row.id)]
}

/// It was judged.
pub(super) fn judged(model: &mut Model, id: CaptureId, judged: Result<Judged, Failure>) -> Vec<Effect> {
    model.rung = true;
    let judged = match judged {
        Ok(judged) => judged,
        Err(failure) => return say(model, Notice::of(&failure)),
    };
    let why = (model.detail.tab != Tab::Signature).then_some("{tab-4} says why");
    let (tone, text, hint) = match judged {
        Judged { passed: 1.., .. } => (Tone::Good, format!("#{id} passes"), None),
        Judged { failed: 1.., .. } => (Tone::Bad, format!("#{id} fails"), why),
        Judged { open: 1.., .. } => {
            let was_checked = model.list.row().is_some_and(|row| row.id == id && row.verdict != Verdict::Unchecked);
            let hint = if was_checked { Some("what was found when it came stays") } else { why };
            (Tone::Plain, format!("#{id} cannot be checked by the secrets of now"), hint)
        }
        Judged { left: 1.., .. } => {
            let text = format!("#{id} stays as it is: its endpoint is another provider's now");
            (Tone::Plain, text, Some("`creel verify` says what that would come to"))
        }
        _ => (Tone::Plain, format!("#{id} was deleted"), None),
    };
    model.notice = Some(Notice { tone, text, hint: hint.map(str::to_owned) });
    vec![Effect::Judgement(id)]
}

/// Asks for what is said of the open capture, where the list says something else of it.
pub(super) fn other_verdict(model: &Model) -> Option<Effect> {
    let capture = model.detail.capture.as_ref().filter(|capture| Some(capture.id) == model.detail.id())?;
    let row = model.list.rows.iter().find(|row| row.id == capture.id)?;
    let said = (capture.judgement.verdict, capture.judgement.fault);
    ((row.verdict, row.fault) != said).then_some(Effect::Judgement(capture.id))
}

/// What is said of a capture came.
pub(super) fn came(model: &mut Model, id: CaptureId, judgement: Result<Option<Judgement>, Failure>) -> Vec<Effect> {
    match judgement {
        Ok(judgement) => {
            judgement.into_iter().for_each(|judgement| model.detail.take_judgement(id, judgement));
            Vec::new()
        }
        Err(failure) => say(model, Notice::of(&failure)),
    }
}
