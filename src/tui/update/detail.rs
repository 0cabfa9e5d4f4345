//! What happens to the detail.

use std::sync::Arc;

use super::{list, say};
use crate::{
    body,
    record::Failure,
    tui::{
        detail::{self, TABS, Tab},
        effect::Effect,
        keys::Mode,
        model::{Model, Notice, Tone},
        msg::Opened,
    },
};

pub(super) fn opened(model: &mut Model, generation: u64, opened: Result<Option<Opened>, Failure>) -> Vec<Effect> {
    if generation != model.detail.generation {
        return Vec::new();
    }
    match opened {
        Ok(Some(opened)) => {
            model.detail.take(opened);
            Vec::new()
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

pub(super) fn next_view(model: &mut Model) -> Vec<Effect> {
    model.detail.tab = Tab::Body;
    let (Some(capture), Some(body)) = (&model.detail.capture, &model.detail.body) else { return Vec::new() };
    let (capture, view) = (Arc::clone(capture), (body.view + 1) % body::VIEWS.len());
    vec![Effect::View { generation: model.detail.generation, capture, view }]
}

pub(super) fn scroll(model: &mut Model, rows: isize) -> Vec<Effect> {
    detail::scroll(model, rows);
    Vec::new()
}

pub(super) fn find_step(model: &mut Model, forward: bool) -> Vec<Effect> {
    detail::find::step(model, forward);
    Vec::new()
}

pub(super) fn step_delivery(model: &mut Model, forward: bool) -> Vec<Effect> {
    detail::step_delivery(model, forward);
    model.mode = Mode::Detail;
    list::follow_selection(model)
}

pub(super) fn fold(model: &mut Model) -> Vec<Effect> {
    if model.detail.tab == Tab::Deliveries {
        model.detail.fold();
    }
    Vec::new()
}
