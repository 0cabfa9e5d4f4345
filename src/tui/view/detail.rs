//! The detail.

use ratatui::{buffer::Buffer, layout::Rect};

use super::lines;
use crate::{
    body,
    tui::{
        detail::{self, TABS, Tab},
        keys::Mode,
        layout::Areas,
        line::{Pieces, line, piece},
        look::Paint,
        model::Model,
    },
};

/// Draws the tabs and the open one.
pub(super) fn draw(model: &Model, areas: &Areas, buffer: &mut Buffer) {
    rule(model, areas.rule, buffer);
    if areas.detail.height == 0 || model.detail.capture.is_none() {
        return;
    }
    lines([line(&tabs(model, usize::from(areas.tabs.width)), model.look)], areas.tabs, buffer);
    let (columns, height) = (usize::from(areas.detail.width), usize::from(areas.detail.height));
    let from = model.detail.scroll[model.detail.tab as usize];
    let rows = detail::source(model, columns).rows(from, columns, height);
    lines(rows.iter().map(|(_, pieces)| line(pieces, model.look)), areas.detail, buffer);
}

fn rule(model: &Model, area: Rect, buffer: &mut Buffer) {
    let row = [piece(Paint::Rule, model.look.signs().rule)];
    lines((0..area.height).map(|_| line(&row, model.look)), area, buffer);
}

/// The tabs' names, shortened to their first letters where there is no room; the open one stands out. What a body is
/// shown as stands at the right end.
fn tabs(model: &Model, columns: usize) -> Pieces {
    let names = |short: bool| -> Pieces {
        let mut pieces = Vec::new();
        for (tab, name) in TABS {
            let name = if short { &name[..4.min(name.len())] } else { name };
            let open = *tab == model.detail.tab;
            let paint = match (open, model.mode) {
                (true, Mode::Detail) => Paint::Selected,
                (true, _) => Paint::Resting,
                (false, _) => Paint::Dim,
            };
            pieces.push(piece(paint, &format!(" {name} ")));
        }
        pieces
    };
    let width = |pieces: &Pieces| pieces.iter().map(|piece| body::width(&piece.text)).sum::<usize>();
    let mut row = names(false);
    if width(&row) > columns {
        row = names(true);
    }
    let note = note(model);
    let room = columns.saturating_sub(width(&row) + 2);
    if !note.is_empty() && room > 6 {
        let note = body::fit(&note, room);
        let gap = columns.saturating_sub(width(&row) + body::width(&note) + 1);
        row.push(piece(Paint::Plain, &" ".repeat(gap)));
        row.push(piece(Paint::Dim, &note));
    }
    row
}

/// Which tab stands at a column of their row.
pub(in crate::tui) fn tab_at(model: &Model, columns: usize, at: usize) -> Option<usize> {
    let mut end = 0;
    tabs(model, columns).iter().take(TABS.len()).position(|piece| {
        end += body::width(&piece.text);
        at < end
    })
}

/// The view of the body, and what its document says of itself.
fn note(model: &Model) -> String {
    if let Some(words) = detail::find::words(model) {
        return words;
    }
    let Some(body) = model.detail.body.as_ref().filter(|_| model.detail.tab == Tab::Body) else { return String::new() };
    let name = body::VIEWS[body.view].name;
    match body.document.as_ref().ok().and_then(|document| document.note()) {
        Some(note) => format!("{name}: {note}"),
        None => format!("{name}, v for another view"),
    }
}
