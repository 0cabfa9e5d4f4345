//! What happens to the model. Total and pure: no clock, no file, no waiting.
//!
//! This file tells messages and commands apart; what they do is told by room: the list, the detail, the prompt,
//! deliveries.

mod act;
mod assist;
mod deliver;
mod detail;
mod door;
mod edit;
mod export;
mod list;
mod mouse;
mod outward;
mod preview;
mod prompt;
mod refused;
mod signature;
mod stats;

pub(super) use self::{act::filter, list::SORTED_ROWS};

use crossterm::event::KeyEvent;

use super::{
    arrived,
    configured::Configured,
    copy,
    detail::{Tab, tree},
    effect::{Ask, Effect},
    keys::{self, Command, Mode},
    layout,
    model::{Model, Notice, Tone},
    msg::Msg,
    prompt::{Prompt, Purpose},
    unknown_theme, view,
};
use crate::{query::Filter, record::Failure};

/// Takes a message; gives what is wished for because of it.
pub(super) fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let mut effects = react(model, msg);
    list::rest(model);
    model.list.height = usize::from(layout::areas(model).list.height);
    model.list.show_selected();
    super::detail::prepare(model, &mut effects);
    super::detail::find::keep_up(model, &mut effects);
    super::detail::clamp(model);
    list::ask_for_rows(model, &mut effects);
    arrived::ask(model, &mut effects);
    effects
}

fn react(model: &mut Model, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Key(event) => key(model, &event),
        Msg::Mouse(event) => mouse::moved(model, event),
        Msg::Paste(text) => prompt::paste(model, &text),
        Msg::Resize(columns, rows) => {
            model.size = (columns, rows);
            list::follow_selection(model)
        }
        Msg::Stop => act::quit(model),
        Msg::ServerEnded => {
            model.server_ended = true;
            let why = Failure::new("capturing", "the server ended; nothing new will be caught");
            say(model, Notice::of(&why.hint("quit with {quit}: the reason is told there")))
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
        Msg::Clock(now) => {
            model.now = now;
            Vec::new()
        }
        Msg::Frame => frame(model),
        Msg::Page { generation, ask, rows } => list::page(model, generation, ask, rows),
        Msg::Arrived { generation, counted } => {
            model.list.arrived.take(generation, counted.ok());
            Vec::new()
        }
        Msg::Dropped { id, dropped } => deliver::dropped(model, id, dropped),
        Msg::Judged { id, judged } => signature::judged(model, id, judged),
        Msg::Judgement { id, judgement } => signature::came(model, id, judgement),
        Msg::Tagged(tagged) => list::tagged(model, tagged),
        Msg::TaggedAll { marked, tagged } => list::tagged_all(model, marked, tagged),
        Msg::Beats(beats) => stats::beats(model, beats),
        Msg::Stats { generation, stats } => stats::came(model, generation, stats),
        Msg::Counted(counters) => list::counted(model, counters),
        Msg::Door(door) => door::looked(model, door),
        Msg::Refusals { opens, refusals } => refused::came(model, opens, refusals),
        Msg::Told { endpoint, answer } => door::told(model, &endpoint, answer),
        Msg::Opened { generation, opened } => detail::opened(model, generation, opened),
        Msg::Prepared { generation, prepared } => {
            model.detail.take_prepared(generation, prepared);
            Vec::new()
        }
        Msg::Found { generation, hits, more } => super::detail::find::found(model, generation, hits, more),
        Msg::Viewed { generation, body } => detail::viewed(model, generation, body),
        Msg::Whole { generation, whole } => detail::whole(model, generation, whole),
        Msg::Located { generation, line, node } => tree::located(model, generation, line, node),
        Msg::Folded { generation, folds } => tree::folded(model, generation, folds),
        Msg::Saved { name, bytes, saved } => detail::saved(model, &name, bytes, saved),
        Msg::Deliveries { id, deliveries } => match deliveries {
            Ok((deliveries, errands)) => {
                model.detail.take_deliveries(id, deliveries, errands);
                Vec::new()
            }
            Err(failure) => say(model, Notice::of(&failure)),
        },
        Msg::Known(known) => assist::known(model, known),
        Msg::FilterKept { name, text, kept } => assist::kept(model, &name, &text, kept),
        Msg::Tries { generation, tries } => detail::tries(model, generation, tries),
        Msg::Kept(kept, masked) => act::kept(model, kept, masked),
        Msg::Doomed(marked) => act::doomed(model, marked),
        Msg::Marked { format, selected, marked } => export::marked(model, format, selected, marked),
        Msg::Exporting(count) => export::goes_on(model, count),
        Msg::Exported { export, exported } => export::exported(model, export, exported),
        Msg::Compared(compared) => act::compared(model, compared),
        Msg::Resent { id, delivery } => deliver::resent(model, id, delivery),
        Msg::Piped { command, piped } => outward::piped(model, &command, piped),
        Msg::Previewed { id, lenses, made } => preview::came(model, id, &lenses, made),
        Msg::Browsed { url, browsed } => outward::browsed(model, &url, browsed),
        Msg::Back(returned) => edit::back(model, returned),
        Msg::KeptEdited { from, kept } => edit::kept(model, from, kept),
        Msg::ResentMarked(sent) => deliver::resent_marked(model, sent),
        Msg::News(text, tidings) => deliver::news(model, text, tidings),
        Msg::Configured(configured) => reread(model, *configured),
    }
}

/// Another configuration is in force. What of it the screen cannot follow is told.
fn reread(model: &mut Model, configured: Configured) -> Vec<Effect> {
    let unknown = configured.theme.as_deref().and_then(|name| unknown_theme(model.look.themes, name));
    match (model.follow(configured), unknown) {
        (Err(failure), _) => say(model, Notice::of(&failure)),
        (Ok(()), Some(words)) => plain(model, words, None),
        (Ok(()), None) => Vec::new(),
    }
}

fn say(model: &mut Model, notice: Notice) -> Vec<Effect> {
    model.notice = Some(notice);
    Vec::new()
}

/// Folds, unfolds, or says why nothing does.
fn fold(model: &mut Model, command: Command) -> Vec<Effect> {
    if let Some((why, hint)) = detail::no_fold(model, command) {
        return plain(model, why.to_owned(), hint);
    }
    match command {
        Command::FoldMore => tree::deepen(model, false),
        Command::FoldLess => tree::deepen(model, true),
        Command::Unfold => tree::unfold(model),
        Command::Spell => tree::respell(model),
        _ if model.detail.tab == Tab::Body => tree::toggle(model),
        _ => detail::fold(model),
    }
}

/// Says something that is neither good nor bad.
fn plain(model: &mut Model, text: String, hint: Option<&str>) -> Vec<Effect> {
    say(model, Notice { tone: Tone::Plain, text, hint: hint.map(str::to_owned) })
}

/// A frame is about to be drawn: what rang since the last one is asked for now, so that a flood costs one question a
/// frame and not one a capture.
fn frame(model: &mut Model) -> Vec<Effect> {
    let mut effects = stats::ask(model);
    if !model.rung || model.list.asked.is_some() {
        return effects;
    }
    model.rung = false;
    model.list.rang();
    let begins = !model.list.read;
    model.list.follow |= begins;
    // A sorted list is what there was when it was asked for: to sort anew for each arrival would never end.
    if begins || !model.list.order.is_sorted() {
        let rereads = model.filter.as_deref().is_none_or(Filter::may_change) || begins;
        model.list.wanted.get_or_insert(match model.list.follow {
            // What a search found is not searched again: the window's rows are read anew, then what came since.
            _ if !rereads => Ask::Kept,
            true => Ask::Newest,
            false => Ask::Again,
        });
    }
    effects.extend([Effect::Count, Effect::Door]);
    effects.extend(refused::again(model));
    effects.extend(stats::ask_for_beats(model));
    effects
}

fn key(model: &mut Model, event: &KeyEvent) -> Vec<Effect> {
    if model.prompt.is_some() {
        return prompt::key(model, event);
    }
    if model.palette.is_some() {
        return act::palette_key(model, event);
    }
    let Some(command) = model.keys.command(model.mode, event) else { return no_key(model, event) };
    model.notice = None;
    obey(model, command)
}

/// Says where a key does something that does nothing here.
fn no_key(model: &mut Model, event: &KeyEvent) -> Vec<Effect> {
    // What no character is may be anything that a terminal tells.
    let Some(chord) = keys::chord(event).filter(|chord| chord.chars().count() == 1) else { return Vec::new() };
    let (text, hint) = match (model.mode, model.keys.anywhere(&chord)) {
        (_, None) => (format!("{chord} is no key"), "{help} shows every key"),
        (Mode::List, Some(_)) if model.list.rows.is_empty() => return nothing_there(model),
        (Mode::List, Some(row)) => (format!("{chord} is for an open capture: {}", row.key.help), "{open} opens it"),
        (Mode::Detail, Some(row)) => (format!("{chord} is for the list: {}", row.key.help), "{back} goes back there"),
        _ => (format!("{chord} is for the list and an open capture"), "{back} goes back there"),
    };
    plain(model, text, Some(hint))
}

fn obey(model: &mut Model, command: Command) -> Vec<Effect> {
    let is_among_captures = matches!(model.mode, Mode::List | Mode::Detail);
    if is_among_captures && model.list.read && model.list.rows.is_empty() && command.needs_capture() {
        return nothing_there(model);
    }
    match command {
        Command::Quit => act::quit(model),
        Command::Help => help(model),
        Command::Suspend => edit::suspend(model),
        Command::Back if model.exporting.is_some() => export::stop(model),
        Command::Back => back(model),
        Command::Filter => {
            let text = model.filter.as_ref().map_or(String::new(), |filter| filter.text().to_owned());
            model.prompt = Some(Prompt::new(Purpose::Filter(model.filter.clone()), &text));
            model.list.anchor = model.list.selected;
            vec![Effect::Known]
        }
        Command::Find => {
            model.prompt = Some(Prompt::new(Purpose::Find, ""));
            Vec::new()
        }
        Command::FindNext | Command::FindPrevious if model.detail.find.is_none() => {
            plain(model, "nothing is looked for".to_owned(), Some("{find} finds a text in the open tab"))
        }
        Command::FindNext => detail::find_step(model, true),
        Command::FindPrevious => detail::find_step(model, false),
        Command::NextDelivery => detail::step_delivery(model, true),
        Command::PreviousDelivery => detail::step_delivery(model, false),
        Command::Edit => edit::begin(model),
        Command::EditValue => edit::value(model),
        Command::Pipe => outward::ask_pipe(model),
        Command::Preview => preview::begin(model),
        Command::Program => preview::ask(model),
        Command::Browse => outward::ask_browse(model),
        Command::Pager => edit::page(model),
        Command::Palette => act::open_palette(model, true, ""),
        Command::Menu => act::open_palette(model, false, ""),
        Command::Copy => act::open_palette(model, false, "copy "),
        Command::Export => export::begin(model, None),
        Command::Diff => act::diff(model),
        Command::Turn => act::turn(model),
        Command::Delete => act::ask_delete(model),
        Command::DeleteMarked => vec![Effect::Doomed],
        Command::Undo => act::undo(model),
        Command::Resend => deliver::resend(model, false, false),
        Command::ResendTo => deliver::resend(model, true, false),
        Command::Resign => deliver::resend(model, false, true),
        Command::ResendMarked => deliver::resend_marked(model),
        Command::ResendDead => deliver::resend_dead(model),
        Command::Drop => deliver::drop_errands(model),
        Command::Judge => signature::judge(model),
        Command::Open => {
            model.mode = Mode::Detail;
            list::follow_selection(model)
        }
        Command::Tab(tab) => detail::show_tab(model, tab),
        Command::NextTab => detail::next_tab(model, true),
        Command::PreviousTab => detail::next_tab(model, false),
        Command::ScrollRight => detail::scroll_aside(model, true),
        Command::ScrollLeft => detail::scroll_aside(model, false),
        Command::NextView => detail::next_view(model, true),
        Command::OtherView => detail::next_view(model, false),
        Command::Toggle | Command::FoldMore | Command::FoldLess | Command::Unfold | Command::Spell => {
            fold(model, command)
        }
        Command::Save => detail::save(model),
        Command::Unmask => detail::unmask(model),
        Command::ScrollDown | Command::ScrollUp if layout::areas(model).detail.height == 0 => {
            plain(model, "the detail is not beside the list".to_owned(), Some("{open} opens the capture"))
        }
        Command::ScrollDown => detail::scroll(model, 1),
        Command::ScrollUp => detail::scroll(model, -1),
        Command::Stats => stats::open(model),
        Command::NextWindow => stats::turn(model, 1),
        Command::PreviousWindow => stats::turn(model, -1),
        Command::Mouse => {
            model.mouse = !model.mouse;
            let text = if model.mouse { "the mouse clicks, scrolls and drags" } else { "the mouse is the terminal's" };
            say(model, Notice { tone: Tone::Plain, text: text.to_owned(), hint: None });
            vec![Effect::Mouse(model.mouse)]
        }
        Command::Refused => refused::ask(),
        Command::News => deliver::show_news(model),
        Command::Answer => door::ask(model),
        Command::Theme => {
            model.look = model.look.next_theme();
            model.theme_chosen = true;
            let name = model.look.theme.map_or("terminal", |theme| &theme.name[..]).to_owned();
            say(model, Notice { tone: Tone::Plain, text: format!("theme: {name}"), hint: None })
        }
        command if list::knows(command) => list::obey(model, command),
        movement => move_by(model, movement),
    }
}

/// Says why a key does nothing.
fn nothing_there(model: &mut Model) -> Vec<Effect> {
    model.mode = Mode::List;
    let (text, hint) = match (&model.filter, copy::address(model)) {
        (None, _) if model.list.order.is_sorted() && model.counters.captures > 0 => (
            "nothing was sent to an app yet".to_owned(),
            Some("{order} lists the captures in another order".to_owned()),
        ),
        (Some(filter), _) => {
            (format!("nothing matches {}", filter.text()), Some("{back} takes the filter away".to_owned()))
        }
        (None, Some(address)) => ("nothing is caught yet".to_owned(), Some(format!("send a request to {address}"))),
        (None, None) => ("nothing is caught yet, and nobody is catching".to_owned(), None),
    };
    say(model, Notice { tone: Tone::Plain, text, hint })
}

fn help(model: &mut Model) -> Vec<Effect> {
    if model.mode == Mode::Help {
        model.mode = model.before_help;
        return Vec::new();
    }
    (model.before_help, model.mode) = (model.mode, Mode::Help);
    look_for(model, "");
    Vec::new()
}

/// Looks for a text, where one can be found: in the help, or in the open tab. None: for nothing any more.
fn look_for(model: &mut Model, text: &str) {
    if model.mode == Mode::Help {
        (model.help_words, model.help_scroll) = (text.to_owned(), 0);
    } else {
        super::detail::find::look_for(model, text);
    }
}

fn back(model: &mut Model) -> Vec<Effect> {
    match model.mode {
        Mode::Help if !model.help_words.is_empty() => look_for(model, ""),
        Mode::Help => model.mode = model.before_help,
        Mode::Sheet => act::put_away(model),
        Mode::Detail if model.detail.find.is_some() => look_for(model, ""),
        Mode::Detail | Mode::Stats | Mode::Prompt => model.mode = Mode::List,
        Mode::List if model.filter.is_none() => {
            let hint = "{quit} quits".to_owned();
            return say(
                model,
                Notice { tone: Tone::Plain, text: "there is nothing to go back from".to_owned(), hint: Some(hint) },
            );
        }
        Mode::List => prompt::set_filter(model, None),
    }
    Vec::new()
}

fn move_by(model: &mut Model, command: Command) -> Vec<Effect> {
    let area = layout::areas(model);
    let page = isize::from(
        match model.mode {
            Mode::List => area.list.height,
            Mode::Detail => area.detail.height,
            Mode::Help | Mode::Stats | Mode::Sheet | Mode::Prompt => view::rows_over(model),
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
        Mode::List => list::move_by(model, rows),
        Mode::Detail => detail::scroll(model, rows),
        Mode::Stats => stats::scroll(model, rows),
        Mode::Prompt => Vec::new(),
        Mode::Sheet => act::scroll_sheet(model, rows),
        Mode::Help => {
            model.help_scroll = model.help_scroll.saturating_add_signed(rows).min(view::help_rows(model));
            Vec::new()
        }
    }
}
