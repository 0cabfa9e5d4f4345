//! What the mouse does: a click selects a row, a second one opens it; a click opens a tab or does what the footer says; the
//! wheel scrolls, the border between list and detail is dragged. Where it is switched off, it is the terminal's again.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use super::{detail, list};
use crate::tui::{
    effect::Effect,
    keys::{Command, Mode},
    layout,
    list::Order,
    model::Model,
    view,
};

/// How many rows the wheel scrolls.
const WHEEL: isize = 3;

/// Takes what the mouse did. While something is typed it does nothing.
pub(super) fn moved(model: &mut Model, event: MouseEvent) -> Vec<Effect> {
    if model.prompt.is_some() {
        return Vec::new();
    }
    if model.palette.is_some() {
        return super::act::palette_mouse(model, event);
    }
    let at = Position::new(event.column, event.row);
    match event.kind {
        MouseEventKind::ScrollDown => wheel(model, at, WHEEL),
        MouseEventKind::ScrollUp => wheel(model, at, -WHEEL),
        MouseEventKind::ScrollRight => aside(model, at, true),
        MouseEventKind::ScrollLeft => aside(model, at, false),
        MouseEventKind::Down(MouseButton::Left) => click(model, at),
        MouseEventKind::Drag(MouseButton::Left) if model.dragging => drag(model, event.column),
        MouseEventKind::Up(_) => {
            model.dragging = false;
            Vec::new()
        }
        _ => Vec::new(),
    }
}

fn wheel(model: &mut Model, at: Position, rows: isize) -> Vec<Effect> {
    if matches!(model.mode, Mode::List | Mode::Detail) {
        let areas = layout::areas(model);
        if areas.list.contains(at) {
            return list::move_by(model, rows);
        }
        return detail::scroll(model, rows);
    }
    let command = if rows > 0 { Command::Down } else { Command::Up };
    (0..WHEEL).flat_map(|_| super::move_by(model, command)).collect()
}

fn aside(model: &mut Model, at: Position, right: bool) -> Vec<Effect> {
    let is_there = matches!(model.mode, Mode::List | Mode::Detail) && layout::areas(model).detail.contains(at);
    if is_there && crate::tui::detail::aside::is_wide(model) {
        crate::tui::detail::aside::step(model, right);
    }
    Vec::new()
}

fn click(model: &mut Model, at: Position) -> Vec<Effect> {
    if layout::areas(model).footer.contains(at) {
        model.notice = None;
        return view::footer_command(model, at.x).map_or_else(Vec::new, |command| super::obey(model, command));
    }
    if !matches!(model.mode, Mode::List | Mode::Detail) {
        return Vec::new();
    }
    let areas = layout::areas(model);
    if areas.header.contains(at)
        && let Some(command) = view::leads_to(model, at.x)
    {
        return super::obey(model, command);
    }
    if areas.rule.contains(at) {
        model.dragging = true;
        return Vec::new();
    }
    if areas.tabs.contains(at) {
        let tab = view::tab_at(model, usize::from(areas.tabs.width), usize::from(at.x - areas.tabs.x));
        return tab.map_or_else(Vec::new, |tab| detail::show_tab(model, tab));
    }
    if areas.detail.contains(at) {
        model.mode = Mode::Detail;
        return Vec::new();
    }
    if areas.list.contains(at) {
        return select(model, usize::from(at.y - areas.list.y));
    }
    Vec::new()
}

/// Selects the row that is seen so many rows below the first.
fn select(model: &mut Model, below: usize) -> Vec<Effect> {
    model.mode = Mode::List;
    let seen = model.list.seen().count();
    let place = if model.list.order == Order::Oldest { seen.checked_sub(below + 1) } else { Some(below) };
    let Some(place) = place.filter(|place| *place < seen) else { return Vec::new() };
    let rows = (model.list.top + place) as isize - model.list.place() as isize;
    if rows == 0 && layout::areas(model).detail.height == 0 {
        // What is selected already is meant to be opened, where it does not stand beside the list.
        return super::obey(model, Command::Open);
    }
    // As keys move: down is to the newer where the newest is below.
    list::move_by(model, if model.list.order == Order::Oldest { -rows } else { rows })
}

fn drag(model: &mut Model, column: u16) -> Vec<Effect> {
    let share = u32::from(column) * 100 / u32::from(model.size.0.max(1));
    model.panes.share = Some((share as u16).clamp(*layout::SHARES.start(), *layout::SHARES.end()));
    Vec::new()
}
