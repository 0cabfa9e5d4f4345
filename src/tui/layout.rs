//! Where things are.
//!
//! ```text
//! ┌ header: creel, where, live, counters, filter ───────────────────────────────────────────────┐
//! │ columns of the list                          │ tabs                                          │
//! │ list                                         │ detail                                        │
//! │                                              │                                               │
//! ├ notice, where there is one (1 to 6 rows) ────────────────────────────────────────────────────┤
//! └ footer: keys, or the prompt and what is wrong with it (1 to 7 rows) ──────────────────────────┘
//! ```
//!
//! Narrow terminals show list or detail, whichever has the keys.

use ratatui::layout::Rect;

use super::{keys::Mode, model::Model, prompt::Prompt};

/// From how many columns on list and detail stand beside each other.
pub(super) const WIDE: u16 = 110;

/// The areas of a frame. An area that is not shown is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Areas {
    pub(super) header: Rect,
    /// The list's rows, its columns' names above them not among them.
    pub(super) columns: Rect,
    pub(super) list: Rect,
    pub(super) rule: Rect,
    pub(super) tabs: Rect,
    pub(super) detail: Rect,
    pub(super) notice: Rect,
    pub(super) footer: Rect,
}

/// The areas for a model. Drawing and updating both ask this.
pub(super) fn areas(model: &Model) -> Areas {
    let (columns, rows) = model.size;
    let prompt_rows = |prompt: &Prompt| prompt.above(model.size).len() + prompt.wrong(model.size).len();
    let footer_rows = 1 + model.prompt.as_ref().map_or(0, prompt_rows) as u16;
    let notice_rows = model.notice.as_ref().map_or(0, |notice| notice.rows(model.size, &model.keys).len() as u16);
    let mut left = Rect::new(0, 0, columns, rows);
    let mut areas = Areas { header: cut_top(&mut left, 1), ..Areas::default() };
    areas.footer = cut_bottom(&mut left, footer_rows);
    areas.notice = cut_bottom(&mut left, notice_rows);
    let beside = columns >= WIDE && !model.panes.zoomed && !is_welcome(model);
    if beside {
        let list = list_width(model);
        let mut side = Rect { width: list, ..left };
        areas.columns = cut_top(&mut side, 1);
        areas.list = side;
        areas.rule = Rect { x: list, width: 1, ..left };
        let mut side = Rect { x: list + 2, width: columns - list - 2, ..left };
        areas.tabs = cut_top(&mut side, 1);
        areas.detail = side;
    } else if shows_detail(model) {
        areas.tabs = cut_top(&mut left, 1);
        areas.detail = left;
    } else {
        areas.columns = cut_top(&mut left, 1);
        areas.list = left;
    }
    areas
}

/// Whether nothing is caught yet, and a newcomer is told what to do: there is nothing to stand beside that.
fn is_welcome(model: &Model) -> bool {
    let list = &model.list;
    list.read && list.rows.is_empty() && model.filter.is_none() && !list.order.is_sorted()
}

/// The share of the width that the list can be given, in percent.
pub(super) const SHARES: std::ops::RangeInclusive<u16> = 20..=80;

/// How wide the list is where it stands beside the detail.
fn list_width(model: &Model) -> u16 {
    let columns = model.size.0;
    match model.panes.share {
        Some(share) => (u32::from(columns) * u32::from(share.clamp(*SHARES.start(), *SHARES.end())) / 100) as u16,
        // The list needs no more than its columns take; the detail can use all there is.
        None => (columns * 11 / 20).clamp(66, 150),
    }
}

/// The share of the width that the list has now, in percent.
pub(super) fn share(model: &Model) -> u16 {
    (u32::from(list_width(model)) * 100 / u32::from(model.size.0.max(1))) as u16
}

/// Whether a terminal without room for both shows the detail.
fn shows_detail(model: &Model) -> bool {
    let mode = if model.mode == Mode::Help { model.before_help } else { model.mode };
    let under = model.sheet.as_ref().filter(|_| mode == Mode::Sheet).map_or(mode, |sheet| sheet.before);
    under == Mode::Detail
}

fn cut_top(area: &mut Rect, rows: u16) -> Rect {
    let rows = rows.min(area.height);
    let top = Rect { height: rows, ..*area };
    area.y += rows;
    area.height -= rows;
    top
}

fn cut_bottom(area: &mut Rect, rows: u16) -> Rect {
    let rows = rows.min(area.height);
    area.height -= rows;
    Rect { y: area.y + area.height, height: rows, ..*area }
}
