//! The preview: the selected capture as a jq program makes it, beside what came. Nothing is sent.

use super::{act, plain, say};
use crate::{
    engine::{
        GIVE_WHOLE, Transform,
        preview::{self, Lens},
    },
    record::{CaptureId, Failure},
    tui::{
        effect::Effect,
        model::{Model, Notice},
        msg::Compared,
        prompt::{LONGEST, Prompt, Purpose},
    },
};

/// Shows what the programs of the endpoint's forwards make of the selected capture; where there is none, one is asked for.
pub(super) fn begin(model: &mut Model) -> Vec<Effect> {
    let Some(row) = model.list.row() else { return Vec::new() };
    let (id, lenses) = (row.id, preview::lenses(model.endpoints.of_row(row)));
    if lenses.is_empty() { ask(model) } else { look(model, id, lenses) }
}

/// Asks for a program: the last one that was typed is there already, else that of the endpoint's forward.
pub(super) fn ask(model: &mut Model) -> Vec<Effect> {
    let Some(row) = model.list.row() else {
        return plain(model, "there is no capture yet that a program could change".to_owned(), None);
    };
    let lenses = preview::lenses(model.endpoints.of_row(row));
    let forwarded = lenses.first().map(|lens| &lens.transform);
    // What is kept in a file may have many lines, and a prompt has one.
    let forwarded = forwarded.filter(|it| !it.program.contains('\n') && it.program.chars().count() <= LONGEST);
    let before = model.program.as_ref().or(forwarded).cloned().unwrap_or_default();
    model.prompt = Some(Prompt::new(Purpose::Program(row.id, before.whole), &before.program));
    Vec::new()
}

/// While a program is typed: it is given the whole request, or the body again.
pub(super) fn turn_whole(model: &mut Model) {
    if let Some(Purpose::Program(_, whole)) = model.prompt.as_mut().map(|prompt| &mut prompt.purpose) {
        *whole = !*whole;
    }
}

/// A program was typed.
pub(super) fn typed(model: &mut Model, id: CaptureId, whole: bool, program: &str) -> Vec<Effect> {
    if program.trim().is_empty() {
        return Vec::new();
    }
    let transform = Transform { program: program.trim().to_owned(), whole };
    model.program = Some(transform.clone());
    look(model, id, vec![Lens::typed(transform)])
}

fn look(model: &mut Model, id: CaptureId, lenses: Vec<Lens>) -> Vec<Effect> {
    plain(model, format!("jq runs on #{id}"), None);
    vec![Effect::Preview { id, lenses }]
}

/// The programs ended, or were ended.
pub(super) fn came(
    model: &mut Model,
    id: CaptureId,
    lenses: &[Lens],
    made: Result<Vec<Compared>, Failure>,
) -> Vec<Effect> {
    let mut made = match made {
        Ok(made) => made,
        Err(failure) => return say(model, Notice::of(&failure)),
    };
    if let [Compared { parts, .. }] = &mut made[..]
        && let Err(failure) = parts
    {
        let failure = failure.clone();
        return match lenses {
            // What was typed can be mended.
            [Lens { to: None, transform }] => mend(model, id, transform, failure),
            _ => say(model, Notice::of(&failure)),
        };
    }
    model.notice = None;
    act::show_differences(model, &format!("#{id} by jq"), made, true)
}

/// Asks for a program again that failed, the cursor's mark where the failure says that something is wrong.
fn mend(model: &mut Model, id: CaptureId, transform: &Transform, mut failure: Failure) -> Vec<Effect> {
    let is_of_body = failure.hint.as_deref() == Some(GIVE_WHOLE);
    // What is said of the body points into that, and not into the program.
    let column = column(&failure.why).filter(|_| !is_of_body);
    if is_of_body {
        failure.hint = Some("{whole} gives it the whole request, and such a body as a text".to_owned());
    }
    let effects = super::prompt::again(model, Purpose::Program(id, transform.whole), &transform.program, failure);
    if let (Some(column), Some(error)) = (column, model.prompt.as_mut().and_then(|prompt| prompt.error.as_mut())) {
        error.column = column;
    }
    effects
}

/// The column that words about a program speak of first.
fn column(why: &str) -> Option<usize> {
    let (_, behind) = why.split_once("column ")?;
    behind.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}
