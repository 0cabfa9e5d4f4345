//! What helps while a filter is typed: what is offered is chosen and taken, a used one recalled, one saved by a name. A command
//! that a body was given to is recalled by the same keys.

use crossterm::event::KeyEvent;

use super::{prompt, say};
use crate::{
    query::{self, SyntaxError},
    record::Failure,
    tui::{
        effect::Effect,
        filters::Known,
        keys::{self, Command, Mode},
        model::{Model, Notice, Tone},
        prompt::{Prompt, Purpose},
    },
};

/// Does what a key says that is one of a filter's prompt; none where it is for the line that is typed.
pub(super) fn key(model: &mut Model, event: &KeyEvent) -> Option<Vec<Effect>> {
    if matches!(model.prompt.as_ref()?.purpose, Purpose::Pipe(_)) {
        return match model.keys.command(Mode::Prompt, event)? {
            Command::ChooseNext | Command::NewerFilter => Some(recall(model, false)),
            Command::ChoosePrevious | Command::OlderFilter => Some(recall(model, true)),
            _ => None,
        };
    }
    let prompt = model.prompt.as_mut().filter(|prompt| prompt.is_filter())?;
    if prompt.assist.chosen.is_some() {
        match keys::chord(event).as_deref() {
            Some("enter") => return Some(take(model)),
            Some("esc") => {
                prompt.assist.close();
                return Some(Vec::new());
            }
            _ => {}
        }
    }
    let is_open = !prompt.assist.completion.offers.is_empty();
    match model.keys.command(Mode::Prompt, event)? {
        Command::Take => return Some(take(model)),
        Command::ChooseNext if is_open => prompt.assist.choose(true),
        Command::ChoosePrevious if is_open => prompt.assist.choose(false),
        Command::ChooseNext | Command::NewerFilter => return Some(recall(model, false)),
        Command::ChoosePrevious | Command::OlderFilter => return Some(recall(model, true)),
        Command::SaveFilter => ask_name(model),
        _ => return None,
    }
    Some(Vec::new())
}

/// Says anew what may be meant, since the text is another one.
pub(super) fn offer(model: &mut Model) {
    let Some(prompt) = model.prompt.as_mut().filter(|prompt| prompt.is_filter()) else { return };
    prompt.assist.completion = model.shelf.complete(&prompt.text(), prompt.cursor);
    prompt.assist.chosen = None;
}

/// Values came that are known to occur: they may be meant, too.
pub(super) fn known(model: &mut Model, known: Result<Known, Failure>) -> Vec<Effect> {
    // Without them less is offered; the list itself says what is wrong with the store.
    let Ok(known) = known else { return Vec::new() };
    model.shelf.known = known;
    if let Some(capture) = &model.detail.capture {
        let mut names: Vec<_> =
            capture.head.headers().iter().map(|header| header.name_text().to_ascii_lowercase()).collect();
        names.sort_unstable();
        names.dedup();
        model.shelf.known.insert("header.NAME".to_owned(), names);
    }
    if model.prompt.as_ref().is_some_and(|prompt| !prompt.assist.completion.offers.is_empty()) {
        offer(model);
    }
    Vec::new()
}

/// Puts what is chosen, or else the first of what is offered, in place of the piece before the cursor.
fn take(model: &mut Model) -> Vec<Effect> {
    let Some(prompt) = model.prompt.as_mut() else { return Vec::new() };
    let completion = &prompt.assist.completion;
    let Some(text) = completion.offers.get(prompt.assist.chosen.unwrap_or(0)).map(|offer| offer.text.clone()) else {
        return Vec::new();
    };
    prompt.put(completion.from, &text);
    offer(model);
    prompt::typed(model)
}

/// Puts a line that was used before into the prompt, or a newer one; behind the newest is what was typed.
fn recall(model: &mut Model, older: bool) -> Vec<Effect> {
    let Some(prompt) = model.prompt.as_mut() else { return Vec::new() };
    let typed = prompt.text();
    let used = if prompt.is_filter() { &model.shelf.used } else { &model.commands };
    // What stands there already is none to go to.
    let is_other = |at: &usize| used.get(*at).is_some_and(|text| *text != typed);
    let (draft, to) = match (prompt.assist.recalled.take(), older) {
        (None, false) => return Vec::new(),
        (None, true) => (typed.clone(), (0..used.len()).find(is_other)),
        (Some((at, draft)), true) => (draft, Some((at + 1).min(used.len().saturating_sub(1)))),
        (Some((at, draft)), false) => (draft, at.checked_sub(1)),
    };
    match to {
        Some(at) => {
            prompt.replace(used.get(at).map_or("", |text| text));
            prompt.assist.recalled = Some((at, draft));
        }
        None => prompt.replace(&draft),
    }
    prompt.assist.close();
    prompt::typed(model)
}

/// Asks for the name of the filter that was typed.
fn ask_name(model: &mut Model) {
    let Some(prompt) = model.prompt.take_if(|prompt| prompt.error.is_none()) else { return };
    model.prompt = Some(Prompt::new(Purpose::FilterName(prompt.text().trim().to_owned()), ""));
}

/// Why a filter cannot have a name; none where it can.
pub(super) fn wrong_name(model: &Model, name: &str) -> Option<SyntaxError> {
    let name = bare(name);
    let (words, hint) = if !query::is_name(name) {
        (format!("`{name}` is no name for a filter"), "letters, digits, - and _")
    } else if model.shelf.named.configured.contains(name) {
        (format!("@{name} stands in the configuration"), "it is changed there")
    } else {
        return None;
    };
    Some(prompt::whole(&words, Some(hint.to_owned())))
}

/// A name as it was typed, with the sign that it is used with or without.
fn bare(name: &str) -> &str {
    name.trim().trim_start_matches('@')
}

/// A name was typed for a filter.
pub(super) fn name(text: String, name: &str) -> Vec<Effect> {
    let name = bare(name);
    if name.is_empty() {
        return Vec::new();
    }
    vec![Effect::KeepFilter { name: name.to_owned(), text }]
}

/// A filter was saved, or its name taken away.
pub(super) fn kept(model: &mut Model, name: &str, text: &str, kept: Result<(), Failure>) -> Vec<Effect> {
    if let Err(failure) = kept {
        return say(model, Notice::of(&failure));
    }
    let (words, hint) = match model.shelf.named.parse(text) {
        Ok(filter) if !filter.is_empty() => {
            model.shelf.keep(text);
            model.shelf.named.names.insert(name.to_owned(), filter);
            (format!("@{name} is {text}"), Some(format!("here, in other filters, and in `creel ls @{name}`")))
        }
        _ => {
            model.shelf.named.names.remove(name);
            (format!("no filter has the name @{name} any more"), None)
        }
    };
    say(model, Notice { tone: Tone::Good, text: words, hint })
}
