//! The detail.

use std::sync::Arc;

use ratatui::{buffer::Buffer, layout::Rect};

use super::lines;
use crate::{
    body::{self, Document},
    record::counted,
    tui::{
        detail::{self, FORMS, TABS, Tab},
        keys::{Command, Mode},
        layout::{self, Areas},
        line::{Piece, Pieces, line, piece, width},
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
    let (columns, height) = (areas.detail.width, detail::body_rows(model, areas.detail.height));
    let from = model.detail.scroll[model.detail.tab as usize];
    let rows = detail::source(model, usize::from(columns)).rows(from, usize::from(columns), usize::from(height));
    let is_body = model.detail.tab == Tab::Body && model.detail.cursor.is_on();
    let under = |line: usize| is_body && line == model.detail.cursor.row();
    let selected = if model.mode == Mode::Detail { Paint::Selected } else { Paint::Resting };
    let drawn = rows.into_iter().map(|(at, mut pieces)| {
        if under(at.line) {
            pieces.iter_mut().for_each(|piece| piece.paint = in_row(piece.paint, selected));
        }
        line(&pieces, model.look)
    });
    lines(drawn, areas.detail, buffer);
    if height < areas.detail.height {
        let area = Rect { y: areas.detail.y + height, height: 1, ..areas.detail };
        lines([line(&path(model, usize::from(columns)), model.look)], area, buffer);
    }
}

/// The paint of a piece in the row of the cursor: what was looked for is told apart in it, too.
fn in_row(paint: Paint, row: Paint) -> Paint {
    match (paint, row) {
        (Paint::Selected, Paint::Selected) => Paint::Heading,
        (Paint::Selected, _) => paint,
        _ => row,
    }
}

/// The path of what stands under the cursor; its end where it is long, and how it is written where there is room.
fn path(model: &Model, columns: usize) -> Pieces {
    let words = body::escape(&model.detail.cursor.words(&model.keys)).into_owned();
    let mut pieces = vec![piece(Paint::Brand, &end(&words, columns.saturating_sub(1)))];
    let is_cut = model.detail.body.as_ref().is_some_and(|body| body.is_cut);
    // How long it is nobody knows where its end may be still to come.
    let bytes = model.detail.cursor.under().filter(|_| !is_cut);
    let bytes = bytes.map(|under| counted(under.value.len() as u64, "byte"));
    let size = bytes.map_or(String::new(), |bytes| format!(", {bytes}"));
    let spelling = model.detail.cursor.spelling().map_or(String::new(), |name| format!("  {name}{size}"));
    let mut used = body::width(&words);
    if used + body::width(&spelling) < columns {
        pieces.push(piece(Paint::Dim, &spelling));
        used += body::width(&spelling);
    }
    if let Some(note) = note_below(model) {
        let room = columns.saturating_sub(used);
        let gap = if used == 0 { 0 } else { room.saturating_sub(body::width(&note)) };
        if used == 0 || gap >= 2 {
            pieces.push(piece(Paint::Dim, &format!("{}{}", " ".repeat(gap), body::fit(&note, room))));
        }
    }
    pieces
}

/// What the body's document says of itself, where it has no room beside the tabs: it stands below then.
pub(in crate::tui) fn note_below(model: &Model) -> Option<String> {
    let body = model.detail.body.as_ref().filter(|_| model.detail.tab == Tab::Body)?;
    let document = body.document.as_ref().ok()?;
    let said = &said(model, document)?[..];
    let first = document.lines(0..1).into_iter().flatten().map(|span| span.text).collect::<String>();
    if first.contains(said) {
        // It stands there already.
        return None;
    }
    let columns = usize::from(layout::areas(model).tabs.width);
    let row = names(model, columns);
    let name = body::VIEWS.get(body.view).map_or("", |view| view.name);
    let needed = width(&row) + 2 + body::width(name) + 2 + body::width(said);
    (needed > columns || model.detail.find.is_some()).then(|| said.to_owned())
}

/// What is said of a document: which columns of it are seen, and what it says of itself.
fn said(model: &Model, document: &Arc<dyn Document>) -> Option<String> {
    let parts = [detail::aside::words(model), document.note().map(str::to_owned)];
    parts.into_iter().flatten().reduce(|seen, note| format!("{seen}; {note}"))
}

/// The end of a text, in so many columns.
pub(super) fn end(text: &str, columns: usize) -> String {
    if body::width(text) <= columns {
        return text.to_owned();
    }
    let mut kept: Vec<char> = Vec::new();
    for char in text.chars().rev() {
        kept.push(char);
        if body::width(&kept.iter().rev().collect::<String>()) + 1 > columns {
            kept.pop();
            break;
        }
    }
    std::iter::once('…').chain(kept.into_iter().rev()).collect()
}

fn rule(model: &Model, area: Rect, buffer: &mut Buffer) {
    let row = [piece(Paint::Rule, model.look.signs().rule)];
    lines((0..area.height).map(|_| line(&row, model.look)), area, buffer);
}

/// What stands between the tabs and what is beside them, and how much of that there is at least.
const GAP: usize = 2;
const VIEW: usize = 7;
/// How many of a tab's forms are names.
const NAMES: usize = FORMS - 1;

/// The tabs' names, in the longest form that there is room for; the open one stands out.
fn names(model: &Model, columns: usize) -> Pieces {
    let name = |(tab, forms): &(Tab, [&str; FORMS]), form: usize| {
        let (paint, form) = match (*tab == model.detail.tab, model.mode) {
            (true, Mode::Detail) => (Paint::Selected, form.min(NAMES - 1)),
            (true, _) => (Paint::Resting, form.min(NAMES - 1)),
            (false, _) => (Paint::Dim, form),
        };
        piece(paint, &format!(" {} ", forms[form]))
    };
    let row = |form: usize| -> Pieces { TABS.iter().map(|tab| name(tab, form)).collect() };
    // As much room is left as the name of most views takes, so that going to the body, whatever it is, moves no tab. What is
    // looked for has all that it needs, and the tabs that are not open have only their keys for it where they must.
    let found = detail::find::words(model, columns).map(|words| body::width(&words));
    let forms = if found.is_some() { FORMS } else { NAMES };
    let left = GAP + found.unwrap_or_default().max(VIEW);
    (0..forms).map(row).find(|row| width(row) + left <= columns).unwrap_or_else(|| row(forms - 1))
}

/// Of what else stands beside the tabs what matters most: the view's own name.
fn shortest(note: &str) -> &str {
    note.split([',', ':', ';']).next().unwrap_or_default()
}

/// The row of the tabs. What a body is shown as stands at the right end.
fn tabs(model: &Model, columns: usize) -> Pieces {
    let mut row = names(model, columns);
    let room = columns.saturating_sub(width(&row) + GAP);
    if let Some(words) = detail::find::words(model, room) {
        row.extend(at_end(&words, columns.saturating_sub(width(&row))));
        return row;
    }
    let note = note(model);
    // Where there is no room for all of it, what is said of the body stands below.
    let fits = |note: &&str| body::width(note) <= room;
    let name = shortest(&note);
    let views = views(model);
    let (said, others) = note.rsplit_once(&views).unwrap_or((&note, ""));
    let others = if note_below(model).is_some() { format!("{name}{views}{others}") } else { note.clone() };
    let forms = [&others[..], said, name];
    let note = forms.into_iter().find(fits).unwrap_or(name);
    if !note.is_empty() && room >= VIEW {
        row.extend(at_end(&body::fit(note, room), columns.saturating_sub(width(&row))));
    }
    row
}

/// Words at the right end of so many columns, a blank behind them.
fn at_end(words: &str, columns: usize) -> [Piece; 2] {
    let gap = columns.saturating_sub(body::width(words) + 1);
    [piece(Paint::Plain, &" ".repeat(gap)), piece(Paint::Dim, words)]
}

/// What stands before the names of the other views that fit.
fn views(model: &Model) -> String {
    format!("; {}: ", model.keys.of(Command::NextView))
}

/// Which tab stands at a column of their row.
pub(in crate::tui) fn tab_at(model: &Model, columns: usize, at: usize) -> Option<usize> {
    let mut end = 0;
    tabs(model, columns).iter().take(TABS.len()).position(|piece| {
        end += body::width(&piece.text);
        at < end
    })
}

/// The view of the body, what its document says of itself, and which other views fit.
fn note(model: &Model) -> String {
    let Some(body) = model.detail.body.as_ref().filter(|_| model.detail.tab == Tab::Body) else { return String::new() };
    let name = body::VIEWS.get(body.view).map_or("", |view| view.name);
    let reading = if body.is_cut { ", still reading" } else { "" };
    let note = body.document.as_ref().ok().and_then(|document| said(model, document));
    let others = body::VIEWS.iter().zip(body.fits.iter()).filter(|(view, fits)| **fits && view.name != name);
    let others: Vec<&str> = others.map(|(view, _)| view.name).collect();
    let note = note.map_or(String::new(), |note| format!(": {note}"));
    let others = if others.is_empty() { String::new() } else { format!("{}{}", views(model), others.join(" ")) };
    format!("{name}{reading}{note}{others}")
}
