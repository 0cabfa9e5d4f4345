//! What happens to the detail.

use std::sync::Arc;

use bytes::Bytes;

use super::{list, plain, say};
use crate::{
    body,
    record::{Capture, CaptureId, Failure, mask},
    tui::{
        detail::{self, TABS, Tab, tree},
        effect::Effect,
        keys::{Command, Mode},
        layout,
        model::{Model, Notice, Tone},
        msg::{BodyView, Opened},
        prompt::{Prompt, Purpose},
    },
    verify::Try,
};

pub(super) fn opened(model: &mut Model, generation: u64, opened: Result<Option<Opened>, Failure>) -> Vec<Effect> {
    if generation != model.detail.generation {
        return Vec::new();
    }
    match opened {
        Ok(Some(opened)) => {
            model.detail.take(opened);
            let mut effects = rest(model);
            effects.extend(ask_for_tries(model));
            effects.extend(left_in(model));
            effects.extend(tree::show(model));
            effects.extend(super::outward::opened(model));
            effects
        }
        Ok(None) => {
            model.detail.close();
            say(model, Notice { tone: Tone::Plain, text: "this capture was deleted".to_owned(), hint: None })
        }
        Err(failure) => say(model, Notice::of(&failure)),
    }
}

pub(super) fn show_tab(model: &mut Model, tab: usize) -> Vec<Effect> {
    model.detail.tab = TABS[tab.min(TABS.len() - 1)].0;
    model.mode = Mode::Detail;
    list::follow_selection(model)
}

pub(super) fn next_tab(model: &mut Model, forward: bool) -> Vec<Effect> {
    show_tab(model, (model.detail.tab as usize + if forward { 1 } else { TABS.len() - 1 }) % TABS.len())
}

/// Scrolls a table that is wider than the pane by a column; else goes to another tab.
pub(super) fn scroll_aside(model: &mut Model, right: bool) -> Vec<Effect> {
    if model.mode != Mode::Detail || !detail::aside::is_wide(model) {
        return next_tab(model, right);
    }
    detail::aside::step(model, right);
    Vec::new()
}

/// Of a large body only the first piece came; asks for the rest.
fn rest(model: &Model) -> Vec<Effect> {
    let is_cut = model.detail.body.as_ref().is_some_and(|body| body.is_cut);
    let capture = model.detail.capture.as_ref().filter(|_| is_cut);
    let generation = model.detail.generation;
    capture.map(|capture| Effect::Rest { generation, capture: Arc::clone(capture) }).into_iter().collect()
}

/// Asks for the tries at the open capture's event.
fn ask_for_tries(model: &Model) -> Option<Effect> {
    let capture = model.detail.capture.as_ref().filter(|capture| capture.event.id.is_some())?;
    Some(Effect::Tries { generation: model.detail.generation, capture: Arc::clone(capture) })
}

/// Asks for them again where the list has one that is not among them.
pub(super) fn newer_try(model: &Model) -> Option<Effect> {
    let capture = model.detail.capture.as_ref().filter(|capture| Some(capture.id) == model.detail.id())?;
    let first = capture.duplicate_of.unwrap_or(capture.id);
    let newest = model.list.rows.iter().find(|row| row.duplicate_of == Some(first))?.id;
    let is_known = model.detail.tries.last().is_some_and(|last| last.id >= newest) || newest <= model.detail.tries_to;
    if is_known { None } else { ask_for_tries(model) }
}

/// The tries at the open capture's event came.
pub(super) fn tries(model: &mut Model, generation: u64, tries: Result<Vec<Try>, Failure>) -> Vec<Effect> {
    if generation != model.detail.generation {
        return Vec::new();
    }
    match tries {
        Ok(tries) => {
            model.detail.tries_to = model.list.rows.first().map_or(CaptureId(0), |row| row.id);
            model.detail.take_tries(tries);
            Vec::new()
        }
        Err(failure) => say(model, Notice::of(&failure)),
    }
}

/// A capture that was open before was left in another view: asks for that.
fn left_in(model: &Model) -> Option<Effect> {
    let shown = model.detail.body.as_ref().filter(|body| !body.is_cut)?.view;
    let view = model.detail.left_in().filter(|view| *view != shown)?;
    let capture = Arc::clone(model.detail.capture.as_ref()?);
    Some(Effect::View { generation: model.detail.generation, capture, view })
}

/// The rest of a body was read: it is opened in the view that its first piece is shown in.
pub(super) fn whole(model: &mut Model, generation: u64, whole: Result<Option<Arc<Capture>>, Failure>) -> Vec<Effect> {
    if generation != model.detail.generation {
        return Vec::new();
    }
    match whole {
        Ok(Some(capture)) => {
            model.detail.capture = Some(Arc::clone(&capture));
            let shown = model.detail.body.as_ref().map_or(0, |body| body.view);
            let view = model.detail.left_in().unwrap_or(shown);
            vec![Effect::View { generation, capture, view }]
        }
        Ok(None) => Vec::new(),
        Err(failure) => say(model, Notice::of(&failure)),
    }
}

/// A body was opened in a view. Where that is what follows the piece that is shown, nothing moves.
pub(super) fn viewed(model: &mut Model, generation: u64, body: BodyView) -> Vec<Effect> {
    if generation != model.detail.generation {
        return Vec::new();
    }
    let goes_on = model.detail.take_body(body);
    let refold = if goes_on { tree::go_on(model) } else { None };
    [tree::show(model), refold.into_iter().collect()].concat()
}

/// Why a key of folds has nothing to do, and what helps; none where it has.
pub(super) fn no_fold(model: &Model, command: Command) -> Option<(&'static str, Option<&'static str>)> {
    let detail = &model.detail;
    let tree = detail.cursor.whole().filter(|whole| whole.tree().is_some());
    match (detail.tab, command) {
        (Tab::Deliveries, Command::Toggle) if detail.deliveries.is_empty() => Some(("there is no delivery yet", None)),
        (Tab::Body, _) if tree.is_none() => {
            let why = if command == Command::Spell { "this view has no paths" } else { "nothing folds in this view" };
            let hint = "{next-view} goes through the views: the tree has paths and folds";
            Some((why, detail.fits("tree").then_some(hint)))
        }
        (Tab::Body, Command::FoldLess | Command::Unfold) if detail.cursor.is_unfolded() => {
            Some(("all is unfolded", None))
        }
        (Tab::Body, Command::FoldMore) if detail.cursor.depth() == Some(1) => Some((
            "only the first level is left open",
            Some("{fold-less} opens one level more, {toggle} what the cursor is on"),
        )),
        (Tab::Body, _) | (Tab::Deliveries, Command::Toggle) => None,
        _ => Some(("nothing folds here", Some("{tab-2} shows the body, which does"))),
    }
}

/// Shows or masks secrets, and says so where they are not seen.
pub(super) fn unmask(model: &mut Model) -> Vec<Effect> {
    let Some(capture) = &model.detail.capture else { return Vec::new() };
    let is_sheet = model.mode == Mode::Sheet;
    let head = &capture.head;
    let is_masked = head.headers().iter().any(|header| header.lets_in() && !header.value.is_empty())
        || mask::target(head.target()).is_some();
    if !is_sheet && !is_masked {
        let text = "nothing in the target or the headers of this capture lets anybody in: nothing is masked";
        return plain(model, text.to_owned(), None);
    }
    model.detail.unmask();
    if !is_sheet && matches!(model.detail.tab, Tab::Headers | Tab::Raw) {
        return Vec::new();
    }
    let text = if model.detail.unmasked { "secrets are shown" } else { "secrets are masked" };
    let hint = "{tab-3} shows the headers, {tab-6} the request as it came";
    plain(model, text.to_owned(), (!is_sheet).then_some(hint))
}

/// The next view, of those that the body looks like one for or of all. Where the body is not shown, it is now.
pub(super) fn next_view(model: &mut Model, fitting: bool) -> Vec<Effect> {
    if layout::areas(model).detail.height == 0 {
        return show_tab(model, Tab::Body as usize);
    }
    model.detail.tab = Tab::Body;
    let (Some(capture), Some(body)) = (&model.detail.capture, &model.detail.body) else { return Vec::new() };
    let count = body::VIEWS.len();
    let mut others = (1..=count).map(|step| (body.view + step) % count);
    let view = others.find(|view| !fitting || body.fits.get(*view) == Some(&true));
    let Some(view) = view.filter(|view| *view != body.view) else {
        return plain(model, "no other view fits this body".to_owned(), Some("{other-view} goes through all of them"));
    };
    let effect = Effect::View { generation: model.detail.generation, capture: Arc::clone(capture), view };
    model.detail.stays();
    vec![effect]
}

/// Asks under which name the part under the cursor shall be saved.
pub(super) fn save(model: &mut Model) -> Vec<Effect> {
    let part = model.detail.cursor.part().filter(|_| model.detail.tab == Tab::Body);
    let Some(part) = part else {
        let text = "only parts of a multipart body can be saved one by one".to_owned();
        return plain(model, text, None);
    };
    model.prompt = Some(Prompt::new(Purpose::Save(part.bytes.clone()), &part.name));
    Vec::new()
}

/// A part was saved, or not.
pub(super) fn saved(model: &mut Model, name: &str, bytes: Bytes, saved: Result<String, Failure>) -> Vec<Effect> {
    match saved {
        Ok(place) => say(model, Notice { tone: Tone::Good, text: format!("saved as {place}"), hint: None }),
        Err(failure) => super::prompt::again(model, Purpose::Save(bytes), name, failure),
    }
}

pub(super) fn scroll(model: &mut Model, rows: isize) -> Vec<Effect> {
    if model.mode == Mode::Detail && model.detail.tab == Tab::Body && model.detail.cursor.is_on() {
        return tree::step(model, rows);
    }
    detail::scroll(model, rows);
    Vec::new()
}

pub(super) fn find_step(model: &mut Model, forward: bool) -> Vec<Effect> {
    detail::find::step(model, forward)
}

pub(super) fn step_delivery(model: &mut Model, forward: bool) -> Vec<Effect> {
    let (tab, at) = (model.detail.tab, model.detail.delivery);
    detail::step_delivery(model, forward);
    model.mode = Mode::Detail;
    let effects = list::follow_selection(model);
    if (tab, at) == (Tab::Deliveries, model.detail.delivery) {
        let text = match (model.detail.deliveries.len(), forward) {
            (0, _) => "there is no delivery yet",
            (1, _) => "there is no other delivery",
            (_, true) => "this is the oldest delivery",
            (_, false) => "this is the newest delivery",
        };
        plain(model, text.to_owned(), None);
    }
    effects
}

pub(super) fn fold(model: &mut Model) -> Vec<Effect> {
    if model.detail.tab == Tab::Deliveries {
        model.detail.fold();
    }
    Vec::new()
}
