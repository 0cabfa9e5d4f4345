//! What happens to the list.

use std::{collections::BTreeMap, sync::Arc};

use super::{plain, prompt, say};
use crate::{
    query::Filter,
    record::{self, CaptureId, Counters, Failure, Tagging, Tags},
    store::{Slice, Start},
    tui::{
        effect::{Ask, Effect},
        keys::{Command, Mode},
        layout,
        list::Order,
        model::{Model, Notice, Tone},
        prompt::{Prompt, Purpose},
    },
};

/// Asks for the rows that are wanted, one page at a time.
pub(super) fn ask_for_rows(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.list.asked.is_some() {
        return;
    }
    let filter = super::act::filter(model);
    let list = &mut model.list;
    let Some(ask) = list.wanted.take().or_else(|| list.wants()) else { return };
    let (start, limit) = list.start(ask);
    // A window without rows cannot be continued.
    let ask = if start == Start::Newest && ask != Ask::Oldest { Ask::Newest } else { ask };
    if list.order.is_sorted() {
        list.asked = Some(Ask::Newest);
        effects.push(Effect::Sorted { generation: list.generation, order: list.order, filter });
        return;
    }
    list.asked = Some(ask);
    if let (Ask::Kept, Some(filter)) = (ask, &filter) {
        let ids = list.rows.iter().map(|row| row.id).collect();
        effects.push(Effect::Again { generation: list.generation, ids, filter: Arc::clone(filter) });
        return;
    }
    effects.push(Effect::Page { generation: list.generation, ask, start, limit, filter });
}

/// How many rows a sorted list has at most: the store looks at every row for it, and holds no more than these.
pub(in crate::tui) const SORTED_ROWS: usize = 500;

pub(super) fn page(model: &mut Model, generation: u64, ask: Ask, rows: Result<Slice, Failure>) -> Vec<Effect> {
    if generation != model.list.generation {
        return Vec::new();
    }
    model.list.asked = None;
    let slice = match rows {
        Ok(slice) => slice,
        Err(failure) => {
            model.list.read = true;
            (model.list.at_newest, model.list.at_oldest) = (true, true);
            return say(model, Notice::of(&failure));
        }
    };
    tell_missed(model, &slice.missed);
    if ask == Ask::Around && slice.rows.is_empty() && slice.rest.is_none() {
        model.list.wanted = Some(Ask::Newest);
        return Vec::new();
    }
    let moved = model.list.take(ask, slice);
    if ask == Ask::Newest && !model.list.rows.is_empty() {
        // What stands there now is not new.
        model.list.arrived.begin(model.list.newest);
    }
    if ask == Ask::Kept && model.list.follow {
        model.list.wanted.get_or_insert(Ask::Newer);
    }
    if model.prompt.is_none() {
        model.list.anchor = None;
    }
    let mut effects = if moved || model.list.selected.is_none() { follow_selection(model) } else { Vec::new() };
    let row = model.list.rows.iter().find(|row| Some(row.id) == model.detail.id());
    if let Some(row) = row.filter(|row| model.detail.lags_behind(row)) {
        effects.push(Effect::Deliveries(row.id));
    }
    effects.extend(super::detail::newer_try(model));
    effects.extend(super::signature::other_verdict(model));
    effects
}

/// Says of each capture that cannot be read so once: the list goes on without it.
fn tell_missed(model: &mut Model, missed: &[(CaptureId, Failure)]) {
    let new: BTreeMap<CaptureId, &Failure> =
        missed.iter().filter(|(id, _)| model.list.missed.insert(*id)).map(|(id, why)| (*id, why)).collect();
    let (Some((first, failure)), Some((last, _))) = (new.first_key_value(), new.last_key_value()) else { return };
    let is_run = (last.0 - first.0) as usize + 1 == new.len();
    let which = match new.len() {
        1 => format!("#{first}"),
        _ if is_run => format!("#{first} to #{last}"),
        count => format!("{} between #{first} and #{last}", record::counted(count as u64, "capture")),
    };
    let text = format!("{which} cannot be read: {}", failure.why);
    model.news.add(model.now, Tone::Bad, text.clone());
    model.notice = Some(Notice { tone: Tone::Bad, text, hint: failure.hint.clone() });
}

pub(super) fn counted(model: &mut Model, counters: Result<Counters, Failure>) -> Vec<Effect> {
    match counters {
        Ok(counters) => {
            model.counters = counters;
            Vec::new()
        }
        Err(failure) => say(model, Notice::of(&failure)),
    }
}

pub(super) fn move_by(model: &mut Model, rows: isize) -> Vec<Effect> {
    // Where the newest is below, down is to the newer, and the end is where it is followed.
    let upside_down = model.list.order == Order::Oldest;
    let rows = match rows {
        isize::MIN if upside_down => isize::MAX,
        isize::MAX if upside_down => isize::MIN,
        rows => rows,
    };
    match rows {
        // It is sorted anew, for what came since.
        isize::MIN if model.list.order.is_sorted() => sort(model),
        isize::MIN => {
            model.list.follow = true;
            model.list.wanted = Some(Ask::Newest);
        }
        isize::MAX if model.list.order.is_sorted() => {
            model.list.step(isize::MAX);
            return follow_selection(model);
        }
        isize::MAX => {
            stop_following(model);
            model.list.wanted = Some(Ask::Oldest);
        }
        rows => {
            if model.list.step(if upside_down { -rows } else { rows }) {
                stop_following(model);
                return follow_selection(model);
            }
        }
    }
    Vec::new()
}

/// Asks for a sorted list, and goes to what comes first in it.
fn sort(model: &mut Model) {
    model.list.selected = None;
    model.list.wanted = Some(Ask::Newest);
}

fn stop_following(model: &mut Model) {
    if model.list.follow {
        model.list.arrived.begin(model.list.newest);
    }
    model.list.follow = false;
}

/// Who looks into one capture, or is asked what to do with it, is not carried off to the next: following rests meanwhile, and
/// goes on afterwards where nothing came.
pub(super) fn rest(model: &mut Model) {
    let looks = |mode: Mode| matches!(mode, Mode::Detail | Mode::Sheet);
    let is_asked = model.palette.is_some() || model.prompt.as_ref().is_some_and(|prompt| !prompt.is_filter());
    let rests = is_asked || looks(model.mode) || (model.mode == Mode::Help && looks(model.before_help));
    if rests && model.list.follow {
        stop_following(model);
        model.list.rests = true;
    } else if !rests && std::mem::take(&mut model.list.rests) {
        model.list.follow |= model.list.place() == 0 && !model.list.order.is_sorted();
    }
}

/// What is selected is opened, whether it is shown or not.
pub(super) fn open_selected(model: &mut Model) -> Vec<Effect> {
    match model.list.selected {
        Some(id) if model.detail.wants(id) => {
            model.detail.open(id);
            vec![Effect::Open { generation: model.detail.generation, id }]
        }
        _ => Vec::new(),
    }
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

/// Whether a command is one of the list's.
pub(super) fn knows(command: Command) -> bool {
    matches!(
        command,
        Command::Mark
            | Command::Pin
            | Command::Note
            | Command::PinnedOnly
            | Command::Order
            | Command::Clock
            | Command::Group
            | Command::Fold
            | Command::Zoom
            | Command::Widen
            | Command::Narrow
    )
}

/// Does what a command of the list says.
pub(super) fn obey(model: &mut Model, command: Command) -> Vec<Effect> {
    match command {
        Command::Mark => {
            let mut effects = tag(model, Tags::MARKED);
            effects.extend(move_by(model, 1));
            return effects;
        }
        Command::Pin => return tag(model, Tags::PINNED),
        Command::Note => {
            if let Some(row) = model.list.row() {
                let text = row.note.clone().unwrap_or_default();
                model.prompt = Some(Prompt::new(Purpose::Note(row.id), &text));
            }
        }
        Command::PinnedOnly => pinned_only(model),
        Command::Order => return order(model, model.list.order.next()),
        Command::Clock => {
            model.panes.relative = !model.panes.relative;
            let text = if model.panes.relative { "times by how long ago" } else { "times by the clock" };
            return say(model, Notice { tone: Tone::Plain, text: text.to_owned(), hint: None });
        }
        Command::Group => {
            model.list.grouped = !model.list.grouped;
            model.list.rearrange();
            let text =
                if model.list.grouped { "repeats stand under their first" } else { "every capture stands alone" };
            say(model, Notice { tone: Tone::Plain, text: text.to_owned(), hint: None });
            return follow_selection(model);
        }
        Command::Fold => {
            if model.list.fold() {
                return follow_selection(model);
            }
            let hint = if model.list.grouped {
                None
            } else {
                Some("{group} puts repeats of an event under its first capture")
            };
            return plain(model, "no repeats lie under this capture".to_owned(), hint);
        }
        Command::Zoom | Command::Widen | Command::Narrow if model.size.0 < layout::WIDE => {
            let text = format!("list and detail stand beside each other from {} columns on", layout::WIDE);
            return plain(model, text, None);
        }
        Command::Zoom => {
            model.panes.zoomed = !model.panes.zoomed;
            return follow_selection(model);
        }
        Command::Widen => resize(model, STEP),
        Command::Narrow => resize(model, -STEP),
        _ => {}
    }
    Vec::new()
}

/// By how many percent of the width a key moves the border between list and detail.
const STEP: i16 = 5;

fn resize(model: &mut Model, by: i16) {
    let share = layout::share(model).saturating_add_signed(by);
    model.panes.share = Some(share.clamp(*layout::SHARES.start(), *layout::SHARES.end()));
}

/// Gives the selected capture a tag, or takes it away.
fn tag(model: &Model, tag: Tags) -> Vec<Effect> {
    let Some(row) = model.list.row() else { return Vec::new() };
    let tagging = if row.tags.has(tag) {
        Tagging { take: tag, ..Tagging::default() }
    } else {
        Tagging { give: tag, ..Tagging::default() }
    };
    vec![Effect::Tag { ids: vec![row.id], tagging }]
}

/// Captures were tagged: their rows say so once they are read again.
pub(super) fn tagged(model: &mut Model, tagged: Result<u64, Failure>) -> Vec<Effect> {
    model.rung = true;
    match tagged {
        Ok(0) => say(model, Notice { tone: Tone::Plain, text: "this capture was deleted".to_owned(), hint: None }),
        Ok(_) => Vec::new(),
        Err(failure) => say(model, Notice::of(&failure)),
    }
}

/// Marks all that the filter takes. Without one that would be the whole store, which nobody means.
pub(super) fn mark_all(model: &mut Model) -> Vec<Effect> {
    match super::act::filter(model).filter(|_| model.filter.is_some()) {
        Some(filter) => vec![Effect::MarkAll(filter)],
        None => plain(model, "no filter says which captures are meant".to_owned(), Some("{filter} types one")),
    }
}

/// Many captures were marked, or unmarked.
pub(super) fn tagged_all(model: &mut Model, marked: bool, tagged: Result<u64, Failure>) -> Vec<Effect> {
    model.rung = true;
    match (tagged, marked) {
        (Ok(0), true) => plain(model, "there was nothing to mark".to_owned(), None),
        (Ok(0), false) => plain(model, "nothing is marked".to_owned(), None),
        (Ok(count), _) => {
            let words = if marked { "marked" } else { "unmarked" };
            let hint =
                marked.then_some("`mark:marked` finds them; {resend-marked} resends them, {export} exports them");
            plain(model, format!("{} {words}", record::counted(count, "capture")), hint)
        }
        (Err(failure), _) => say(model, Notice::of(&failure)),
    }
}

/// The filter that takes what is pinned.
const PINNED: &str = "mark:pinned";

fn pinned_only(model: &mut Model) {
    let is_on = model.filter.as_deref().map(Filter::text) == Some(PINNED);
    let filter = if is_on { None } else { Filter::parse(PINNED).ok() };
    prompt::set_filter(model, filter);
}

/// Puts an order in force. The selection stays where it can.
fn order(model: &mut Model, order: Order) -> Vec<Effect> {
    let list = &mut model.list;
    let was_sorted = list.order.is_sorted();
    list.order = order;
    list.generation += 1;
    list.asked = None;
    if order.is_sorted() {
        stop_following(model);
        sort(model);
    } else if was_sorted {
        list.wanted = Some(Ask::Around);
    }
    let bound = if order.is_sorted() { format!(", of all: the first {SORTED_ROWS}") } else { String::new() };
    say(model, Notice { tone: Tone::Plain, text: format!("{}{bound}", order.name()), hint: None })
}
