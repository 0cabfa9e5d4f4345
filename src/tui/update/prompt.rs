//! What happens to the prompt, and to the filter that is typed in it.

use std::sync::Arc;

use crossterm::event::KeyEvent;

use crate::{
    engine::{pipe, respond::Words},
    query::{Filter, SyntaxError},
    record::{Failure, NOTE_CHARS, Tagging, thousands},
    tui::{
        effect::{Ask, Effect},
        hint,
        keys::{Command, Mode},
        model::{Model, Notice},
        prompt::{LONGEST, Prompt, Purpose, Typed},
    },
};

pub(super) fn paste(model: &mut Model, text: &str) -> Vec<Effect> {
    let Some(prompt) = &mut model.prompt else { return Vec::new() };
    // A prompt has one line: what stood on two is not one word now.
    let text = text.trim_end_matches(['\r', '\n']).replace("\r\n", " ").replace(['\r', '\n', '\t'], " ");
    let is_cut = prompt.text.len() + text.chars().count() > LONGEST;
    let effects = if prompt.insert(&text) == Typed::Changed {
        super::assist::offer(model);
        typed(model)
    } else {
        Vec::new()
    };
    if is_cut {
        let words = format!("a prompt has room for {} characters; the rest was left out", thousands(LONGEST as u64));
        return [effects, super::plain(model, words, None)].concat();
    }
    effects
}

pub(super) fn key(model: &mut Model, event: &KeyEvent) -> Vec<Effect> {
    if let Some(effects) = super::assist::key(model, event) {
        return effects;
    }
    match model.keys.command(Mode::Prompt, event) {
        Some(Command::Reveal) => {
            super::export::reveal(model);
            return Vec::new();
        }
        Some(Command::Whole) => {
            super::preview::turn_whole(model);
            return Vec::new();
        }
        _ => {}
    }
    let Some(prompt) = &mut model.prompt else { return Vec::new() };
    match prompt.key(event) {
        Typed::Kept => {
            // The cursor may stand in another piece now.
            prompt.assist.close();
            Vec::new()
        }
        Typed::Changed => {
            super::assist::offer(model);
            typed(model)
        }
        Typed::Left => leave_prompt(model),
        Typed::Done => finish_prompt(model),
    }
}

/// Something was typed: a good filter is in force at once, a bad one leaves the last good one.
pub(super) fn typed(model: &mut Model) -> Vec<Effect> {
    if let Some(text) = model.prompt.as_ref().filter(|prompt| matches!(prompt.purpose, Purpose::Find)).map(Prompt::text)
    {
        super::look_for(model, &text);
        return Vec::new();
    }
    let Some(prompt) = &mut model.prompt else { return Vec::new() };
    if !prompt.is_filter() {
        // Of a value the next character may be the one that was missing; of all else it is said once it was entered.
        let is_value = matches!(prompt.purpose, Purpose::Value(..));
        prompt.error = if is_value { super::edit::wrong(&prompt.text()) } else { None };
        return Vec::new();
    }
    match model.shelf.named.parse(&prompt.text()) {
        Ok(filter) => {
            prompt.error = None;
            set_filter(model, Some(filter));
        }
        Err(error) => prompt.error = Some(error),
    }
    Vec::new()
}

fn leave_prompt(model: &mut Model) -> Vec<Effect> {
    match model.prompt.take().map(|prompt| prompt.purpose) {
        Some(Purpose::Filter(before)) => set_filter(model, before.map(|filter| (*filter).clone())),
        Some(Purpose::Find) => super::look_for(model, ""),
        // What can be answered is told only as long as it is asked.
        Some(Purpose::Answer(_)) => model.notice = None,
        _ => {}
    }
    Vec::new()
}

/// What is wrong with what was entered, where that can be told before anything is done.
fn wrong(model: &Model, prompt: &Prompt) -> Option<SyntaxError> {
    let text = prompt.text();
    let text = text.trim();
    match &prompt.purpose {
        // Nothing entered is nothing wanted.
        _ if text.is_empty() => None,
        Purpose::Url(..) | Purpose::EditedUrl(..) => model.targets.named(text).err().map(of_whole),
        Purpose::Browse if !pipe::is_web(text) => Some(whole("only URLs of http and https are opened", None)),
        Purpose::Answer(_) => Words::typed(text).err().map(|why| whole(&why, None)),
        Purpose::Note(_) => too_long(text),
        Purpose::FilterName(_) => super::assist::wrong_name(model, text),
        _ => None,
    }
}

fn too_long(note: &str) -> Option<SyntaxError> {
    let count = note.chars().count();
    let words = format!("a note has {NOTE_CHARS} characters at most, and this {count}");
    (count > NOTE_CHARS).then_some(SyntaxError { column: NOTE_CHARS + 1, message: words, hint: None })
}

/// An error that is about all that was entered.
pub(super) fn whole(message: &str, hint: Option<String>) -> SyntaxError {
    SyntaxError { column: 1, message: message.to_owned(), hint }
}

fn of_whole(failure: Failure) -> SyntaxError {
    whole(&failure.why, failure.hint)
}

/// What was entered could not be done: it is asked for again, with what is wrong, so that it can be mended; or said, where
/// something else was begun meanwhile.
pub(super) fn again(model: &mut Model, purpose: Purpose, text: &str, failure: Failure) -> Vec<Effect> {
    if model.prompt.is_some() || model.palette.is_some() {
        return super::say(model, Notice::of(&failure));
    }
    model.notice = None;
    let hint = failure.hint.and_then(hint::here).map(|hint| model.keys.told(&hint).into_owned());
    let error = Some(whole(&failure.why, hint));
    model.prompt = Some(Prompt { error, ..Prompt::new(purpose, text) });
    Vec::new()
}

fn finish_prompt(model: &mut Model) -> Vec<Effect> {
    if let Some(error) = model.prompt.as_ref().and_then(|prompt| wrong(model, prompt))
        && let Some(prompt) = &mut model.prompt
    {
        prompt.error = Some(error);
    }
    if let Some(prompt) = model.prompt.as_mut().filter(|prompt| prompt.error.is_some()) {
        // Who enters it does not go on typing.
        prompt.assist.close();
    }
    // What is wrong stays where it is, so that it can be mended.
    let Some(prompt) = model.prompt.take_if(|prompt| prompt.error.is_none()) else { return Vec::new() };
    let text = prompt.text();
    let (id, resign) = match prompt.purpose {
        Purpose::Save(_) | Purpose::EditedUrl(..) | Purpose::Browse if text.trim().is_empty() => return Vec::new(),
        Purpose::Save(bytes) => return vec![Effect::Save { name: text, bytes }],
        Purpose::Url(id, resign) => (id, resign),
        Purpose::EditedUrl(id, resign) => {
            model.last_url = Some(text.trim().to_owned());
            return super::edit::send(model, id, Some(text.trim().to_owned()), resign);
        }
        Purpose::Pipe(id) => return super::outward::pipe(model, id, &text),
        Purpose::Program(id, whole) => return super::preview::typed(model, id, whole, &text),
        Purpose::Browse => return vec![Effect::Browse(text.trim().to_owned())],
        Purpose::Value(capture, path) => return super::edit::value_typed(model, &capture, &path, &text),
        Purpose::Header(capture, at) => return super::edit::header_typed(model, &capture, at, &text),
        Purpose::Answer(endpoint) => return super::door::typed(model, &endpoint, &text),
        Purpose::Note(id) => {
            let tagging = Tagging { note: Some(Tagging::note_of(&text)), ..Tagging::default() };
            return vec![Effect::Tag { ids: vec![id], tagging }];
        }
        Purpose::Export(export) => return super::export::typed(model, export, &text),
        Purpose::Over(export) => return super::export::over(model, export, &text),
        Purpose::Delete(batch) => return super::act::delete(model, batch, &text),
        Purpose::FilterName(filter) => return super::assist::name(filter, &text),
        Purpose::Filter(_) => {
            model.shelf.keep(&text);
            return Vec::new();
        }
        Purpose::Find => return Vec::new(),
    };
    let url = text.trim().to_owned();
    if url.is_empty() {
        return Vec::new();
    }
    model.last_url = Some(url.clone());
    model.sending.insert(id);
    vec![Effect::Resend { id, to: Some(url), resign }]
}

/// Puts a filter in force. The selection stays where it can; the window is read anew.
pub(super) fn set_filter(model: &mut Model, filter: Option<Filter>) {
    let filter = filter.filter(|filter| !filter.is_empty());
    if filter.as_ref().map(Filter::text) == model.filter.as_deref().map(Filter::text) {
        return;
    }
    model.filter = filter.map(Arc::new);
    let list = &mut model.list;
    list.generation += 1;
    list.asked = None;
    list.searched = 0;
    list.arrived.restart();
    (list.below, list.above) = (None, None);
    list.wanted = Some(if list.follow { Ask::Newest } else { Ask::Around });
}
