//! What is done with a capture beside sending it: compared, copied, kept, deleted and brought back; and the palette that
//! leads to all of it.

use std::sync::Arc;

use crossterm::event::{KeyEvent, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use super::{obey, say};
use crate::{
    body,
    engine::mask::Masked,
    query::Filter,
    record::{CaptureId, Failure, counted, thousands},
    tui::{
        copy::{self, CLIPBOARD_BYTES, Copied},
        deleted::DELETED,
        effect::{Ask, Compare, Effect},
        export::{Batch, Export},
        keys::{self, Command, Mode},
        model::{Model, Notice, Tone},
        msg::Compared,
        palette::{Choice, Palette},
        prompt::{Prompt, Purpose, Typed},
        sheet::{Content, Sheet},
        view,
    },
};

fn word(tone: Tone, text: String, hint: Option<&str>) -> Notice {
    Notice { tone, text, hint: hint.map(str::to_owned) }
}

/// The capture that is open, or selected in the list.
fn current(model: &Model) -> Option<CaptureId> {
    model.list.row().map(|row| row.id)
}

pub(super) fn open_palette(model: &mut Model, all: bool, text: &str) -> Vec<Effect> {
    model.palette = Some(Palette::new(all, text));
    // What can be copied is known of what is open.
    super::list::open_selected(model)
}

pub(super) fn palette_key(model: &mut Model, event: &KeyEvent) -> Vec<Effect> {
    let Some(mut palette) = model.palette.take() else { return Vec::new() };
    let rows = palette.rows(model);
    match keys::chord(event).as_deref() {
        Some("down" | "ctrl-n" | "tab") => palette.step(1, rows.len()),
        Some("up" | "ctrl-p" | "shift-tab") => palette.step(-1, rows.len()),
        Some("pagedown") => palette.step(10, rows.len()),
        Some("pageup") => palette.step(-10, rows.len()),
        _ => match palette.typed.key(event) {
            Typed::Left => return palette.draft().map_or_else(Vec::new, |id| super::edit::left(model, id)),
            Typed::Done => {
                let chosen = rows.get(palette.chosen.min(rows.len().saturating_sub(1)));
                return chosen.map_or_else(Vec::new, |row| choose(model, &row.choice));
            }
            Typed::Changed => palette.chosen = 0,
            Typed::Kept => {}
        },
    }
    model.palette = Some(palette);
    Vec::new()
}

/// The mouse does something while the palette is open: a click does what the row says, beside it the palette is left.
pub(super) fn palette_mouse(model: &mut Model, event: MouseEvent) -> Vec<Effect> {
    let Some(mut palette) = model.palette.take() else { return Vec::new() };
    let rows = palette.rows(model);
    match event.kind {
        MouseEventKind::ScrollDown => palette.step(1, rows.len()),
        MouseEventKind::ScrollUp => palette.step(-1, rows.len()),
        MouseEventKind::Down(MouseButton::Left) => {
            let at = view::palette_row_at(model, &palette, Position::new(event.column, event.row));
            return at.and_then(|at| rows.get(at)).map_or_else(Vec::new, |row| choose(model, &row.choice));
        }
        _ => {}
    }
    model.palette = Some(palette);
    Vec::new()
}

fn choose(model: &mut Model, choice: &Choice) -> Vec<Effect> {
    match choice {
        Choice::Command(command) => obey(model, *command),
        Choice::Copy(copied) => copy(model, copied),
        Choice::Keep(copied) => keep(model, copied),
        Choice::Replies => match current(model) {
            Some(id) => vec![Effect::Compare(Compare::Replies(id))],
            None => Vec::new(),
        },
        Choice::Export(Some(batch), format) => super::export::ask(model, Export::new(batch.clone(), *format)),
        Choice::Export(None, format) => super::export::begin(model, Some(*format)),
        Choice::Qr => qr(model),
        Choice::MarkAll => super::list::mark_all(model),
        Choice::UnmarkAll => vec![Effect::UnmarkAll],
        Choice::Draft(id, step) => super::edit::step(model, *id, *step),
        Choice::Header(at) => super::edit::header(model, *at),
    }
}

fn copy(model: &mut Model, copied: &Copied) -> Vec<Effect> {
    let Some((bytes, masked)) = copy::taken(model, copied) else { return Vec::new() };
    if bytes.len() > CLIPBOARD_BYTES {
        return keep(model, copied);
    }
    let size = counted(bytes.len() as u64, "byte");
    let text = format!("{size} handed to the terminal for the clipboard{}", hidden(model, masked));
    let hint =
        "where it does not arrive, the terminal does not take it (OSC 52): press {menu} and type save for a file";
    model.notice = Some(word(Tone::Good, text, Some(hint)));
    vec![Effect::Copy(bytes)]
}

fn keep(model: &mut Model, copied: &Copied) -> Vec<Effect> {
    let (Some(taken), Some(capture)) = (copy::taken(model, copied), &model.detail.capture) else { return Vec::new() };
    let (bytes, masked) = taken;
    vec![Effect::Keep { name: copy::file_name(capture.id, copied), bytes, masked }]
}

/// What is masked in something, and what could not be, for the end of a sentence about it.
fn hidden(model: &Model, masked: Masked) -> String {
    let key = model.keys.of(Command::Unmask);
    let hidden = masked.words().map(|words| format!("; masked in it: {words} (press {key} first for all as it came)"));
    let left = masked.left().map(|words| format!("; not masked: {words}"));
    hidden.into_iter().chain(left).collect()
}

/// A file was written.
pub(super) fn kept(model: &mut Model, kept: Result<(String, u64), Failure>, masked: Masked) -> Vec<Effect> {
    let notice = match kept {
        Ok((path, size)) => {
            word(Tone::Good, format!("{} written to {path}{}", body::amount(size), hidden(model, masked)), None)
        }
        Err(failure) => Notice::of(&failure),
    };
    say(model, notice)
}

fn qr(model: &mut Model) -> Vec<Effect> {
    let Some(address) = copy::address(model).map(str::to_owned) else {
        return say(model, word(Tone::Plain, "nobody listens: there is no address".to_owned(), None));
    };
    let Some(code) = body::qr(&address) else { return Vec::new() };
    show(model, "The address".to_owned(), Content::Qr { code, text: address })
}

pub(super) fn show(model: &mut Model, title: String, content: Content) -> Vec<Effect> {
    let before = model.sheet.as_ref().map_or(model.mode, |sheet| sheet.before);
    let before = if before == Mode::Help { model.before_help } else { before };
    model.sheet = Some(Sheet { title, content, scroll: 0, before });
    model.mode = Mode::Sheet;
    Vec::new()
}

/// The sheet is put away.
pub(super) fn put_away(model: &mut Model) {
    if let Some(sheet) = model.sheet.take() {
        model.mode = sheet.before;
    }
}

pub(super) fn scroll_sheet(model: &mut Model, rows: isize) -> Vec<Effect> {
    let last = view::last_row(model);
    if let Some(sheet) = &mut model.sheet {
        sheet.scroll = match rows {
            isize::MIN => 0,
            isize::MAX => last,
            rows => sheet.scroll.saturating_add_signed(rows).min(last),
        };
    }
    Vec::new()
}

/// A comparison is shown the other way.
pub(super) fn turn(model: &mut Model) -> Vec<Effect> {
    let Some(Sheet { content: Content::Diff { beside, .. }, .. }) = &mut model.sheet else {
        return say(model, word(Tone::Plain, "only a comparison has two sides".to_owned(), None));
    };
    *beside = !*beside;
    scroll_sheet(model, 0)
}

/// A repeat of an event is compared with its first capture; any other one with the one that was held before, or it is
/// held for the next.
pub(super) fn diff(model: &mut Model) -> Vec<Effect> {
    let Some(row) = model.list.row() else { return Vec::new() };
    let (id, first) = (row.id, row.duplicate_of);
    match (model.held.take(), first) {
        (Some(held), _) if held == id => say(model, word(Tone::Plain, format!("#{id} is let go"), None)),
        (Some(held), _) => vec![Effect::Compare(Compare::Captures(held, id))],
        (None, Some(first)) => vec![Effect::Compare(Compare::Captures(first, id))],
        (None, None) => {
            model.held = Some(id);
            let hint = "go to another capture and press {diff} there; {diff} again here lets go";
            say(model, word(Tone::Plain, format!("#{id} is held to be compared"), Some(hint)))
        }
    }
}

pub(super) fn compared(model: &mut Model, compared: Result<Compared, Failure>) -> Vec<Effect> {
    match compared {
        Ok(compared) => {
            let [before, after] = &compared.names;
            let title = format!("{before} and {after}");
            show_differences(model, &title, vec![compared], false)
        }
        Err(failure) => say(model, Notice::of(&failure)),
    }
}

/// Shows comparisons, one below the other.
pub(super) fn show_differences(model: &mut Model, title: &str, all: Vec<Compared>, is_preview: bool) -> Vec<Effect> {
    let parts = all.iter().flat_map(|compared| compared.parts.iter().flatten());
    let words = match parts.map(|part| part.differences.len()).sum() {
        0 => "no difference".to_owned(),
        count => counted(count as u64, "difference"),
    };
    show(model, format!("{title}: {words}"), Content::Diff { all, is_preview, beside: false })
}

/// Asks whether the selected capture is to be deleted.
pub(super) fn ask_delete(model: &mut Model) -> Vec<Effect> {
    let Some(id) = current(model) else { return Vec::new() };
    ask_whether(model, Batch::one(id))
}

/// What is marked came: it is asked whether that is to be deleted.
pub(super) fn doomed(model: &mut Model, marked: Result<Vec<CaptureId>, Failure>) -> Vec<Effect> {
    let mut ids = match marked {
        Ok(ids) => ids,
        Err(failure) => return say(model, Notice::of(&failure)),
    };
    ids.retain(|id| !model.deleted.contains(*id));
    if ids.is_empty() {
        return say(model, word(Tone::Plain, "nothing is marked".to_owned(), Some("{mark} marks a capture")));
    }
    if model.prompt.is_some() || model.palette.is_some() {
        // Something else was begun meanwhile.
        return Vec::new();
    }
    ask_whether(model, Batch { ids: ids.into(), marked: true })
}

fn ask_whether(model: &mut Model, batch: Batch) -> Vec<Effect> {
    if !model.deleted.has_room(batch.ids.len()) {
        let text = format!("{} captures at most are deleted before creel is left", thousands(DELETED as u64));
        return say(model, word(Tone::Plain, text, Some("`creel forget FILTER` deletes as many as there are")));
    }
    model.prompt = Some(Prompt::new(Purpose::Delete(batch), ""));
    Vec::new()
}

/// Takes captures out of the list. They go for good when creel is left; until then they can be brought back.
pub(super) fn delete(model: &mut Model, batch: Batch, answer: &str) -> Vec<Effect> {
    let is_one = batch.ids.len() == 1;
    let what = said(&batch);
    if !matches!(answer.trim(), "y" | "yes") {
        let stays = if is_one { "stays" } else { "stay" };
        return say(model, word(Tone::Plain, format!("{what} {stays}"), None));
    }
    model.deleted.add(batch);
    read_again(model);
    let (are, hint) = if is_one {
        ("is", "{undo} brings it back; it goes for good when creel is left")
    } else {
        ("are", "{undo} brings them back; they go for good when creel is left")
    };
    say(model, word(Tone::Good, format!("{what} {are} deleted"), Some(hint)))
}

/// Captures, in the words of a sentence about them.
fn said(batch: &Batch) -> String {
    match &batch.ids[..] {
        [id] => format!("#{id}"),
        ids => counted(ids.len() as u64, "capture"),
    }
}

/// Brings back what was deleted last.
pub(super) fn undo(model: &mut Model) -> Vec<Effect> {
    let Some(batch) = model.deleted.bring_back() else {
        return say(model, word(Tone::Plain, "nothing was deleted".to_owned(), None));
    };
    model.list.follow = false;
    // The newest of them: it stands above the others.
    model.list.selected = batch.ids.last().copied();
    read_again(model);
    let is = if batch.ids.len() == 1 { "is" } else { "are" };
    model.notice = Some(word(Tone::Good, format!("{} {is} back", said(&batch)), None));
    super::list::follow_selection(model)
}

fn read_again(model: &mut Model) {
    let list = &mut model.list;
    list.generation += 1;
    list.asked = None;
    list.arrived.restart();
    list.wanted = Some(if list.follow { Ask::Newest } else { Ask::Around });
}

/// Leaves: what was deleted goes for good first.
pub(super) fn quit(model: &mut Model) -> Vec<Effect> {
    let deleted = std::mem::take(&mut model.deleted).ids();
    let forget = (!deleted.is_empty()).then_some(Effect::Forget(deleted));
    forget.into_iter().chain([Effect::Quit]).collect()
}

/// The filter that rows are asked for with: the one in force, less what was deleted.
pub(in crate::tui) fn filter(model: &Model) -> Option<Arc<Filter>> {
    model.deleted.left_of(model.filter.as_deref()).map(Arc::new).or_else(|| model.filter.clone())
}
