//! What happens to the list.

use super::say;
use crate::{
    record::{Counters, Failure, Summary},
    store::Start,
    tui::{
        effect::{Ask, Effect},
        layout,
        model::{Model, Notice},
    },
};

/// Asks for the rows that are wanted, one page at a time.
pub(super) fn ask_for_rows(model: &mut Model, effects: &mut Vec<Effect>) {
    let list = &mut model.list;
    if list.asked.is_some() {
        return;
    }
    let near = if list.read && !list.follow { list.near_an_end() } else { None };
    let Some(ask) = list.wanted.take().or(near) else { return };
    let (start, limit) = list.start(ask);
    // A window without rows cannot be continued.
    let ask = if start == Start::Newest && ask != Ask::Oldest { Ask::Newest } else { ask };
    list.asked = Some(ask);
    effects.push(Effect::Page { generation: list.generation, ask, start, limit, filter: model.filter.clone() });
}

pub(super) fn page(model: &mut Model, generation: u64, ask: Ask, rows: Result<Vec<Summary>, Failure>) -> Vec<Effect> {
    if generation != model.list.generation {
        return Vec::new();
    }
    model.list.asked = None;
    let rows = match rows {
        Ok(rows) => rows,
        Err(failure) => {
            model.list.read = true;
            (model.list.at_newest, model.list.at_oldest) = (true, true);
            return say(model, Notice::of(&failure));
        }
    };
    if ask == Ask::Around && rows.is_empty() {
        model.list.wanted = Some(Ask::Newest);
        return Vec::new();
    }
    let moved = model.list.take(ask, rows);
    if model.prompt.is_none() {
        model.list.anchor = None;
    }
    let mut effects = if moved { follow_selection(model) } else { Vec::new() };
    let known = model.detail.deliveries.len();
    let row = model.list.rows.iter().find(|row| Some(row.id) == model.detail.id());
    if let Some(row) = row.filter(|row| row.deliveries as usize != known) {
        effects.push(Effect::Deliveries(row.id));
    }
    effects
}

pub(super) fn counted(model: &mut Model, counters: Result<Counters, Failure>) -> Vec<Effect> {
    match counters {
        Ok(counters) => {
            model.counters = counters;
            if model.list.follow {
                model.list.left_at = counters.captures;
            }
            Vec::new()
        }
        Err(failure) => say(model, Notice::of(&failure)),
    }
}

pub(super) fn move_by(model: &mut Model, rows: isize) -> Vec<Effect> {
    match rows {
        isize::MIN => {
            model.list.follow = true;
            model.list.left_at = model.counters.captures;
            model.list.wanted = Some(Ask::Newest);
        }
        isize::MAX => {
            stop_following(model);
            model.list.wanted = Some(Ask::Oldest);
        }
        rows => {
            if model.list.step(rows) {
                stop_following(model);
                return follow_selection(model);
            }
        }
    }
    Vec::new()
}

fn stop_following(model: &mut Model) {
    if model.list.follow {
        model.list.left_at = model.counters.captures;
    }
    model.list.follow = false;
}

/// The detail shows what is selected, where it is shown at all.
pub(super) fn follow_selection(model: &mut Model) -> Vec<Effect> {
    let shown = layout::areas(model).detail.height > 0;
    match model.list.selected {
        Some(id) if shown && model.detail.wants(id) => {
            model.detail.open(id);
            vec![Effect::Open { generation: model.detail.generation, id }]
        }
        None => {
            model.detail.close();
            Vec::new()
        }
        _ => Vec::new(),
    }
}
