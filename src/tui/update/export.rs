//! Captures into a file: what is marked, else the selected one; in a form that is chosen, under a name that is asked for.

use super::{plain, say};
use crate::{
    body,
    engine::mask::Masked,
    record::{CaptureId, Failure, thousands},
    tui::{
        effect::Effect,
        export::{Batch, Export, Exported},
        keys::Command,
        model::{Model, Notice, Tone},
        palette::Palette,
        prompt::{Prompt, Purpose},
    },
};

/// Looks what is marked, to be exported in a form; without one, that is asked next.
pub(super) fn begin(model: &mut Model, format: Option<usize>) -> Vec<Effect> {
    if let Some(export) = &model.exporting {
        let text = format!("{} is still being written to {}", export.words(), export.path);
        return plain(model, text, Some("{back} stops that"));
    }
    vec![Effect::Marked { format, selected: model.list.row().map(|row| row.id) }]
}

/// What is marked came: it is exported, or else what was selected.
pub(super) fn marked(
    model: &mut Model,
    format: Option<usize>,
    selected: Option<CaptureId>,
    marked: Result<Vec<CaptureId>, Failure>,
) -> Vec<Effect> {
    let mut ids = match marked {
        Ok(ids) => ids,
        Err(failure) => return say(model, Notice::of(&failure)),
    };
    ids.retain(|id| !model.deleted.contains(*id));
    let is_marked = !ids.is_empty();
    if !is_marked {
        ids.extend(selected);
    }
    if ids.is_empty() {
        return plain(model, "there is nothing to export yet".to_owned(), None);
    }
    if model.prompt.is_some() || model.palette.is_some() {
        // Something else was begun meanwhile.
        return Vec::new();
    }
    let batch = Batch { ids: ids.into(), marked: is_marked };
    match format {
        Some(format) => return ask(model, Export::new(batch, format)),
        None => model.palette = Some(Palette::of_export(batch)),
    }
    Vec::new()
}

/// Asks where to; a place is there already.
pub(super) fn ask(model: &mut Model, export: Export) -> Vec<Effect> {
    let path = export.path.clone();
    model.prompt = Some(Prompt::new(Purpose::Export(export), &path));
    Vec::new()
}

/// Shows or masks in the file that is asked for what lets somebody in.
pub(super) fn reveal(model: &mut Model) {
    if let Some(Prompt { purpose: Purpose::Export(export), .. }) = &mut model.prompt {
        export.reveal = !export.reveal;
    }
}

/// A place was typed.
pub(super) fn typed(model: &mut Model, export: Export, path: &str) -> Vec<Effect> {
    if path.trim().is_empty() {
        return Vec::new();
    }
    send(model, Export { path: path.trim().to_owned(), over: false, ..export })
}

fn send(model: &mut Model, export: Export) -> Vec<Effect> {
    let text = format!("{} is being written to {}", export.words(), export.path);
    model.notice = Some(Notice { tone: Tone::Plain, text, hint: None });
    model.exporting = Some(export.clone());
    vec![Effect::Export(export)]
}

/// So many are written.
pub(super) fn goes_on(model: &mut Model, count: usize) -> Vec<Effect> {
    let Some(export) = &model.exporting else { return Vec::new() };
    let (count, all) = (thousands(count as u64), thousands(export.batch.ids.len() as u64));
    let key = model.keys.of(Command::Back);
    let text = format!("{count} of {all} are written to {}; {key} stops that", export.path);
    plain(model, text, None)
}

/// Ends it: the file is whole or not there.
pub(super) fn stop(model: &mut Model) -> Vec<Effect> {
    model.exporting = None;
    vec![Effect::StopExport]
}

/// Whether what stands at the place is written over was answered; else another place is asked for.
pub(super) fn over(model: &mut Model, export: Export, answer: &str) -> Vec<Effect> {
    if matches!(answer.trim(), "y" | "yes") { send(model, Export { over: true, ..export }) } else { ask(model, export) }
}

/// The file is there, or not.
pub(super) fn exported(model: &mut Model, export: Export, exported: Result<Exported, Failure>) -> Vec<Effect> {
    model.exporting = None;
    let (path, count, bytes, masked) = match exported {
        Err(failure) => {
            let path = export.path.clone();
            return super::prompt::again(model, Purpose::Export(export), &path, failure);
        }
        Ok(Exported::Stopped) => return plain(model, "export stopped, nothing was written".to_owned(), None),
        Ok(Exported::IsThere) if model.prompt.is_some() || model.palette.is_some() => {
            let text = format!("{} is there already: nothing was written", export.path);
            return plain(model, text, Some("export it again, under another name"));
        }
        Ok(Exported::IsThere) => {
            model.notice = None;
            model.prompt = Some(Prompt::new(Purpose::Over(export), ""));
            return Vec::new();
        }
        Ok(Exported::Written { path, count, bytes, masked }) => (path, count, bytes, masked),
    };
    let gone = export.batch.ids.len() - count.min(export.batch.ids.len());
    let gone = if gone == 0 { String::new() } else { format!("; {gone} of them are deleted by now") };
    let text = format!("{}, {}, is written to {path}{gone}", export.words(), body::size(bytes));
    let hint = if export.reveal { "with its secrets: keep it to yourself".to_owned() } else { hidden(masked) };
    say(model, Notice { tone: Tone::Good, text, hint: Some(hint) })
}

/// What is masked in a file, and what could not be.
fn hidden(masked: Masked) -> String {
    let hidden = match masked.words() {
        Some(words) if masked.values > 0 => format!("masked in it: {words}; a signature over such a body does not fit"),
        Some(words) => format!("masked in it: {words}"),
        None if masked.packed > 0 => "nothing is masked in it".to_owned(),
        None if masked.unread > 0 => {
            "nothing is masked in it; nobody looks into bodies that are no JSON, no form and no XML".to_owned()
        }
        None => "there was no secret in it to mask".to_owned(),
    };
    masked.left().map_or(hidden.clone(), |left| format!("{hidden}; not masked: {left}"))
}
