//! Judging the signature of a capture again.

use super::{Notice, Tone, say};
use crate::{
    engine::Judged,
    record::{CaptureId, Failure, Judgement, Origin, Verdict},
    tui::{detail::Tab, effect::Effect, model::Model},
};

/// Judges the selected capture again.
pub(super) fn judge(model: &mut Model) -> Vec<Effect> {
    model.list.row().map(|row| Effect::Judge(row.id)).into_iter().collect()
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
        Judged { left: 1.., .. } if is_nobodys(model, id) => {
            let text = format!("nobody knows who signed #{id}");
            (Tone::Plain, text, Some("`provider` of its endpoint says so"))
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

/// Whether creel knows nobody who may have sent a capture.
fn is_nobodys(model: &Model, id: CaptureId) -> bool {
    model.list.row().is_some_and(|row| row.id == id && row.provider.is_none())
}

/// Asks for what is said of the open capture, where the list says something else of it.
pub(super) fn other_verdict(model: &Model) -> Option<Effect> {
    let capture = model.detail.capture.as_ref().filter(|capture| Some(capture.id) == model.detail.id())?;
    let row = model.list.rows.iter().find(|row| row.id == capture.id)?;
    let said = (capture.judgement.verdict, capture.judgement.fault, &capture.provider, &capture.event);
    ((row.verdict, row.fault, &row.provider, &row.event) != said).then_some(Effect::Judgement(capture.id))
}

/// What is said of a capture came.
pub(super) fn came(
    model: &mut Model,
    id: CaptureId,
    judgement: Result<Option<(Origin, Judgement)>, Failure>,
) -> Vec<Effect> {
    match judgement {
        Ok(judgement) => {
            judgement.into_iter().for_each(|(told, judgement)| model.detail.take_judgement(id, told, judgement));
            Vec::new()
        }
        Err(failure) => say(model, Notice::of(&failure)),
    }
}
