//! What happens to the model. Total and pure: no clock, no file, no waiting.

use std::sync::Arc;

use crossterm::event::KeyEvent;

use super::{
    detail::{self, TABS, Tab},
    effect::{Ask, Effect},
    keys::{self, Command, Mode},
    layout,
    model::{Model, Notice, Tone},
    msg::{Msg, Opened},
    prompt::{Prompt, Purpose, Typed},
    view,
};
use crate::{
    body,
    query::Filter,
    record::{CaptureId, Delivery, Failure, Outcome, Summary},
    store::Start,
};

/// Takes a message; gives what is wished for because of it.
pub(super) fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let mut effects = react(model, msg);
    model.list.height = usize::from(layout::areas(model).list.height);
    model.list.show_selected();
    detail::clamp(model);
    ask_for_rows(model, &mut effects);
    effects
}

fn react(model: &mut Model, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Key(event) => key(model, &event),
        Msg::Paste(text) => paste(model, &text),
        Msg::Resize(columns, rows) => {
            model.size = (columns, rows);
            follow_selection(model)
        }
        Msg::Stop => vec![Effect::Quit],
        Msg::ServerEnded => {
            model.server_ended = true;
            let why = Failure::new("capturing", "the server ended; nothing new will be caught");
            say(model, Notice::of(&why.hint("quit with q: the reason is told there")))
        }
        Msg::Panicked(words) => say(
            model,
            Notice::of(
                &Failure::new("a part of creel failed", words).hint("what was answered is stored; the rest goes on"),
            ),
        ),
        Msg::Ring => {
            model.rung = true;
            Vec::new()
        }
        Msg::Frame => frame(model),
        Msg::Page { generation, ask, rows } => page(model, generation, ask, rows),
        Msg::Counted(counters) => counted(model, counters),
        Msg::Opened { generation, opened } => opened_(model, generation, opened),
        Msg::Viewed { generation, body } => {
            if generation == model.detail.generation {
                model.detail.body = Some(body);
                model.detail.scroll[Tab::Body as usize] = detail::Scroll::default();
            }
            Vec::new()
        }
        Msg::Deliveries { id, deliveries } => match deliveries {
            Ok(deliveries) => {
                model.detail.take_deliveries(id, deliveries);
                Vec::new()
            }
            Err(failure) => say(model, Notice::of(&failure)),
        },
        Msg::Resent { id, delivery } => resent(model, id, delivery),
    }
}

fn say(model: &mut Model, notice: Notice) -> Vec<Effect> {
    model.notice = Some(notice);
    Vec::new()
}

/// A frame is about to be drawn: what rang since the last one is asked for now, so that a flood costs one question a
/// frame and not one a capture.
fn frame(model: &mut Model) -> Vec<Effect> {
    if !model.rung || model.list.asked.is_some() {
        return Vec::new();
    }
    model.rung = false;
    let begins = !model.list.read;
    model.list.follow |= begins;
    model.list.wanted.get_or_insert(if model.list.follow { Ask::Newest } else { Ask::Again });
    vec![Effect::Count]
}

/// Asks for the rows that are wanted, one page at a time.
fn ask_for_rows(model: &mut Model, effects: &mut Vec<Effect>) {
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

fn page(model: &mut Model, generation: u64, ask: Ask, rows: Result<Vec<Summary>, Failure>) -> Vec<Effect> {
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

fn counted(model: &mut Model, counters: Result<crate::record::Counters, Failure>) -> Vec<Effect> {
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

fn opened_(model: &mut Model, generation: u64, opened: Result<Option<Opened>, Failure>) -> Vec<Effect> {
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

fn resent(model: &mut Model, id: CaptureId, delivery: Result<Delivery, Failure>) -> Vec<Effect> {
    model.sending.remove(&id);
    model.rung = true;
    match delivery {
        Ok(delivery) => {
            let notice = outcome(&delivery);
            model.notice = Some(notice);
            vec![Effect::Deliveries(id)]
        }
        Err(failure) => say(model, Notice::of(&failure)),
    }
}

fn outcome(delivery: &Delivery) -> Notice {
    let id = delivery.capture;
    match &delivery.outcome {
        Outcome::Replied(reply) => {
            let tone = if (200..300).contains(&reply.status) { Tone::Good } else { Tone::Bad };
            Notice {
                tone,
                text: format!("#{id}: {} answered {} in {} ms", delivery.to, reply.status, delivery.took_ms),
                hint: None,
            }
        }
        Outcome::Failed(why) => Notice { tone: Tone::Bad, text: format!("#{id}: {why}"), hint: None },
    }
}

fn key(model: &mut Model, event: &KeyEvent) -> Vec<Effect> {
    if model.prompt.is_some() {
        return type_key(model, event);
    }
    let Some(command) = keys::command(model.mode, event) else { return Vec::new() };
    model.notice = None;
    obey(model, command)
}

fn obey(model: &mut Model, command: Command) -> Vec<Effect> {
    match command {
        Command::Quit => vec![Effect::Quit],
        Command::Help => help(model),
        Command::Back => back(model),
        Command::Filter => {
            let text = model.filter.as_ref().map_or(String::new(), |filter| filter.text().to_owned());
            model.prompt = Some(Prompt::new(Purpose::Filter(model.filter.clone()), &text));
            model.list.anchor = model.list.selected;
            Vec::new()
        }
        Command::Resend => resend(model, false, false),
        Command::ResendTo => resend(model, true, false),
        Command::Resign => resend(model, false, true),
        Command::Open => {
            model.mode = Mode::Detail;
            follow_selection(model)
        }
        Command::Tab(tab) => show_tab(model, tab),
        Command::NextTab => show_tab(model, (model.detail.tab as usize + 1) % TABS.len()),
        Command::PreviousTab => show_tab(model, (model.detail.tab as usize + TABS.len() - 1) % TABS.len()),
        Command::NextView => next_view(model),
        Command::Unmask => {
            model.detail.unmasked = !model.detail.unmasked;
            Vec::new()
        }
        Command::ScrollDown => scroll(model, 1),
        Command::ScrollUp => scroll(model, -1),
        movement => move_by(model, movement),
    }
}

fn help(model: &mut Model) -> Vec<Effect> {
    if model.mode == Mode::Help {
        return back(model);
    }
    (model.before_help, model.mode, model.help_scroll) = (model.mode, Mode::Help, 0);
    Vec::new()
}

fn back(model: &mut Model) -> Vec<Effect> {
    match model.mode {
        Mode::Help => model.mode = model.before_help,
        Mode::Detail => model.mode = Mode::List,
        Mode::List => set_filter(model, None),
    }
    Vec::new()
}

fn move_by(model: &mut Model, command: Command) -> Vec<Effect> {
    let area = layout::areas(model);
    let page = isize::from(
        match model.mode {
            Mode::List => area.list.height,
            Mode::Detail => area.detail.height,
            Mode::Help => model.size.1,
        } as i16
            - 1,
    )
    .max(1);
    let rows = match command {
        Command::Down => 1,
        Command::Up => -1,
        Command::PageDown => page,
        Command::PageUp => -page,
        Command::Top => isize::MIN,
        Command::Bottom => isize::MAX,
        _ => return Vec::new(),
    };
    match model.mode {
        Mode::List => move_in_list(model, rows),
        Mode::Detail => scroll(model, rows),
        Mode::Help => {
            model.help_scroll = model.help_scroll.saturating_add_signed(rows).min(view::help_rows(model));
            Vec::new()
        }
    }
}

fn move_in_list(model: &mut Model, rows: isize) -> Vec<Effect> {
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
fn follow_selection(model: &mut Model) -> Vec<Effect> {
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

fn show_tab(model: &mut Model, tab: usize) -> Vec<Effect> {
    model.detail.tab = TABS[tab.min(TABS.len() - 1)].0;
    model.mode = Mode::Detail;
    follow_selection(model)
}

fn next_view(model: &mut Model) -> Vec<Effect> {
    model.detail.tab = Tab::Body;
    let (Some(capture), Some(body)) = (&model.detail.capture, &model.detail.body) else { return Vec::new() };
    let (capture, view) = (Arc::clone(capture), (body.view + 1) % body::VIEWS.len());
    vec![Effect::View { generation: model.detail.generation, capture, view }]
}

fn scroll(model: &mut Model, rows: isize) -> Vec<Effect> {
    detail::scroll(model, rows);
    Vec::new()
}

/// Resends the selected capture, as it came or signed anew: to its endpoint's app, or to a URL that is asked for.
fn resend(model: &mut Model, ask: bool, resign: bool) -> Vec<Effect> {
    let Some(row) = model.list.row() else {
        return say(model, Notice { tone: Tone::Plain, text: "there is nothing to resend yet".to_owned(), hint: None });
    };
    let (id, app) = (row.id, model.apps.get(&row.endpoint).cloned());
    if model.sending.contains(&id) {
        return say(model, Notice { tone: Tone::Plain, text: format!("#{id} is on its way"), hint: None });
    }
    match (ask, app) {
        (false, Some(_)) => {
            model.sending.insert(id);
            vec![Effect::Resend { id, to: None, resign }]
        }
        (_, app) => {
            let text = model.last_url.clone().or(app).unwrap_or_else(|| "http://localhost:".to_owned());
            model.prompt = Some(Prompt::new(Purpose::Url(id, resign), &text));
            Vec::new()
        }
    }
}

fn paste(model: &mut Model, text: &str) -> Vec<Effect> {
    let Some(prompt) = &mut model.prompt else { return Vec::new() };
    if prompt.insert(text) == Typed::Changed { typed(model) } else { Vec::new() }
}

fn type_key(model: &mut Model, event: &KeyEvent) -> Vec<Effect> {
    let Some(prompt) = &mut model.prompt else { return Vec::new() };
    match prompt.key(event) {
        Typed::Kept => Vec::new(),
        Typed::Changed => typed(model),
        Typed::Left => leave_prompt(model),
        Typed::Done => finish_prompt(model),
    }
}

/// Something was typed: a good filter is in force at once, a bad one leaves the last good one.
fn typed(model: &mut Model) -> Vec<Effect> {
    let Some(prompt) = model.prompt.as_mut().filter(|prompt| matches!(prompt.purpose, Purpose::Filter(_))) else {
        return Vec::new();
    };
    match Filter::parse(&prompt.text()) {
        Ok(filter) => {
            prompt.error = None;
            set_filter(model, Some(filter));
        }
        Err(error) => prompt.error = Some(error),
    }
    Vec::new()
}

fn leave_prompt(model: &mut Model) -> Vec<Effect> {
    if let Some(Prompt { purpose: Purpose::Filter(before), .. }) = model.prompt.take() {
        let before = before.map(|filter| (*filter).clone());
        set_filter(model, before);
    }
    Vec::new()
}

fn finish_prompt(model: &mut Model) -> Vec<Effect> {
    // A filter that cannot be read stays where it is, so that it can be mended.
    let Some(prompt) = model.prompt.take_if(|prompt| prompt.error.is_none()) else { return Vec::new() };
    let Purpose::Url(id, resign) = prompt.purpose else { return Vec::new() };
    let url = prompt.text().trim().to_owned();
    if url.is_empty() {
        return Vec::new();
    }
    model.last_url = Some(url.clone());
    model.sending.insert(id);
    vec![Effect::Resend { id, to: Some(url), resign }]
}

/// Puts a filter in force. The selection stays where it can; the window is read anew.
fn set_filter(model: &mut Model, filter: Option<Filter>) {
    let filter = filter.filter(|filter| !filter.is_empty());
    if filter.as_ref().map(Filter::text) == model.filter.as_deref().map(Filter::text) {
        return;
    }
    model.filter = filter.map(Arc::new);
    let list = &mut model.list;
    list.generation += 1;
    list.asked = None;
    list.wanted = Some(if list.follow { Ask::Newest } else { Ask::Around });
}
