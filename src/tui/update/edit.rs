//! What happens to requests that a person edits: whole in the editor, or a value in place; and what becomes of them.

use std::sync::Arc;

use super::{plain, say};
use crate::{
    body,
    engine::rewrite,
    query::SyntaxError,
    record::{Capture, CaptureId, Failure},
    tui::{
        copy,
        detail::Tab,
        draft::{DRAFTS, Draft, Outside, Returned, Step},
        effect::Effect,
        model::{Model, Notice, Tone},
        palette::Palette,
        prompt::{LONGEST, Prompt, Purpose},
        stage::Place,
    },
};

/// Opens the selected capture's request in the editor; where it was edited already, asks what becomes of that.
pub(super) fn begin(model: &mut Model) -> Vec<Effect> {
    let Some(id) = model.list.row().map(|row| row.id) else {
        return plain(model, "there is nothing to edit yet".to_owned(), None);
    };
    if model.drafts.contains_key(&id) {
        return choose(model, id);
    }
    vec![Effect::Outside { what: Outside::Edit { id, text: None }, mouse: model.mouse }]
}

/// Shows the selected capture's body in the pager.
pub(super) fn page(model: &mut Model) -> Vec<Effect> {
    match model.list.row().map(|row| row.id) {
        Some(id) => vec![Effect::Outside { what: Outside::Page { id }, mouse: model.mouse }],
        None => plain(model, "there is no body to show yet".to_owned(), None),
    }
}

/// Leaves the terminal to the shell; not where senders would wait meanwhile.
pub(super) fn suspend(model: &mut Model) -> Vec<Effect> {
    if matches!(model.place, Place::Watching { .. }) {
        return vec![Effect::Outside { what: Outside::Shell, mouse: model.mouse }];
    }
    let hint = "`creel serve &` captures in the background, and `creel watch` shows it";
    plain(model, "while creel stood still it would answer nobody".to_owned(), Some(hint))
}

/// The terminal is creel's again.
pub(super) fn back(model: &mut Model, returned: Result<Returned, Failure>) -> Vec<Effect> {
    match returned {
        Err(failure) => say(model, Notice::of(&failure)),
        Ok(Returned::Nothing) => Vec::new(),
        Ok(Returned::Edited { capture, text }) => {
            let id = capture.id;
            if let Some(draft) = Draft::read(capture, text) {
                return put(model, draft);
            }
            model.drafts.remove(&id);
            plain(model, format!("#{id} was not changed"), None)
        }
    }
}

/// Keeps an edited request, and asks what becomes of it.
fn put(model: &mut Model, draft: Draft) -> Vec<Effect> {
    let id = draft.capture.id;
    model.drafts.insert(id, draft);
    while model.drafts.len() > DRAFTS {
        let other = model.drafts.keys().find(|other| **other != id).copied();
        other.map(|other| model.drafts.remove(&other));
    }
    choose(model, id)
}

fn choose(model: &mut Model, id: CaptureId) -> Vec<Effect> {
    model.palette = Some(Palette::of_draft(id));
    Vec::new()
}

/// The choice was left: the edit stays.
pub(super) fn left(model: &mut Model, id: CaptureId) -> Vec<Effect> {
    plain(model, format!("the edit of #{id} is kept until creel is left"), Some("{edit} goes on with it"))
}

/// Does what was chosen.
pub(super) fn step(model: &mut Model, id: CaptureId, step: Step) -> Vec<Effect> {
    let Some(draft) = model.drafts.get(&id) else { return Vec::new() };
    match (step, &draft.request) {
        (Step::Again, _) => {
            let text = Some(draft.text.clone());
            vec![Effect::Outside { what: Outside::Edit { id, text }, mouse: model.mouse }]
        }
        (Step::Drop, _) => {
            model.drafts.remove(&id);
            plain(model, format!("the edit of #{id} is dropped"), None)
        }
        (Step::Keep, Ok(request)) => {
            vec![Effect::KeepEdited { capture: Arc::clone(&draft.capture), request: Arc::clone(request) }]
        }
        (Step::Send | Step::Sign, Ok(_)) => {
            let resign = step == Step::Sign;
            if model.endpoints.of_capture(&draft.capture).app.is_some() {
                return send(model, id, None, resign);
            }
            let text = model.last_url.clone().unwrap_or_else(|| "http://localhost:".to_owned());
            model.prompt = Some(Prompt::new(Purpose::EditedUrl(id, resign), &text));
            Vec::new()
        }
        (_, Err(_)) => Vec::new(),
    }
}

/// Sends it, to the endpoint's app or to a URL. It is kept: what the app says may want another edit.
pub(super) fn send(model: &mut Model, id: CaptureId, to: Option<String>, resign: bool) -> Vec<Effect> {
    let request = model.drafts.get(&id).and_then(|draft| draft.request.as_ref().ok()).cloned();
    let Some(request) = request else { return Vec::new() };
    if !model.sending.insert(id) {
        return plain(model, format!("#{id} is on its way"), None);
    }
    vec![Effect::ResendEdited { id, to, resign, request }]
}

/// It became a capture of its own, or not.
pub(super) fn kept(model: &mut Model, from: CaptureId, kept: Result<CaptureId, Failure>) -> Vec<Effect> {
    match kept {
        Ok(id) => {
            model.drafts.remove(&from);
            model.rung = true;
            let text = format!("#{id} is an edited #{from}; `mark:edited` finds it");
            say(model, Notice { tone: Tone::Good, text, hint: None })
        }
        Err(failure) => say(model, Notice::of(&failure)),
    }
}

/// Asks for another value in the place of the one under the cursor.
pub(super) fn value(model: &mut Model) -> Vec<Effect> {
    const HINT: &str = "{edit} edits the whole request in the editor";
    let Some(capture) = copy::open(model).filter(|_| model.detail.tab == Tab::Body) else {
        let text = model.keys.told("{tab-2} shows the body; the value under its cursor is edited").into_owned();
        return plain(model, text, Some(HINT));
    };
    let Some((node, bytes)) = model.detail.cursor.node() else {
        let views = "{next-view} goes through the views; in the tree {edit-value} edits";
        let hint = if model.detail.fits("tree") { views } else { HINT };
        return plain(model, "only values of JSON are edited in place, in the tree".to_owned(), Some(hint));
    };
    if *bytes != capture.body.bytes || node.nth > 0 {
        let text = "only a body that is one JSON text as sent is edited in place".to_owned();
        return plain(model, text, Some(HINT));
    }
    let Some(text) = bytes.get(node.value.clone()).and_then(one_line) else {
        return plain(model, "this value is too long for one line, or has several".to_owned(), Some(HINT));
    };
    let purpose = Purpose::Value(Arc::clone(capture), node.path.clone());
    model.prompt = Some(Prompt::new(purpose, &text));
    Vec::new()
}

/// Asks for another value of a header.
pub(super) fn header(model: &mut Model, at: usize) -> Vec<Effect> {
    let Some(capture) = copy::open(model) else { return Vec::new() };
    let Some(text) = capture.head.headers().iter().nth(at).and_then(|header| one_line(header.value)) else {
        let hint = Some("{edit} edits the whole request in the editor");
        return plain(model, "this value is no text for one line".to_owned(), hint);
    };
    model.prompt = Some(Prompt::new(Purpose::Header(Arc::clone(capture), at), &text));
    Vec::new()
}

/// A value that the prompt takes as it is.
fn one_line(value: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(value).ok()?;
    let fits = text.chars().count() <= LONGEST && text.chars().all(body::is_safe);
    fits.then(|| text.to_owned())
}

/// What is wrong with a value that is typed.
pub(super) fn wrong(text: &str) -> Option<SyntaxError> {
    let why = serde_json::from_str::<serde_json::Value>(text).err()?;
    let hint = Some("a text stands in quotation marks".to_owned());
    Some(SyntaxError { column: why.column().max(1), message: "this is no JSON".to_owned(), hint })
}

/// A value was typed: only its place in the body changes.
pub(super) fn value_typed(model: &mut Model, capture: &Arc<Capture>, path: &body::Path, text: &str) -> Vec<Effect> {
    let (head, bytes) = latest(model, capture);
    // An edit meanwhile may have taken the value away: it is not put back as a new one.
    let Some(body::Put { bytes: body, .. }) = path.put(&bytes, text).ok().filter(|put| put.before.is_some()) else {
        let text = "this value is not in the edited body any more".to_owned();
        return plain(model, text, Some("{edit} goes on with the edit"));
    };
    made(model, capture, rewrite::text_of(capture.id, &rewrite::fitting(head, bytes.len(), body.len()), &body))
}

/// A header's value was typed.
pub(super) fn header_typed(model: &mut Model, capture: &Arc<Capture>, at: usize, text: &str) -> Vec<Effect> {
    let (head, bytes) = latest(model, capture);
    let head = rewrite::with_header(&head, at, text);
    made(model, capture, rewrite::text_of(capture.id, &head, &bytes))
}

/// The request as it was last edited, else as it came.
fn latest(model: &Model, capture: &Capture) -> (crate::record::Head, bytes::Bytes) {
    match model.drafts.get(&capture.id).map(|draft| &draft.request) {
        Some(Ok(request)) => (request.head.clone(), request.body.clone()),
        _ => (capture.head.clone(), capture.body.bytes.clone()),
    }
}

fn made(model: &mut Model, capture: &Arc<Capture>, text: Vec<u8>) -> Vec<Effect> {
    if let Some(draft) = Draft::read(Arc::clone(capture), text) {
        return put(model, draft);
    }
    model.drafts.remove(&capture.id);
    plain(model, format!("#{} is as it came", capture.id), None)
}
