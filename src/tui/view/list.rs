//! The list.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::lines;
use crate::{
    body,
    record::{LastDelivery, Summary, Verdict},
    tui::{
        keys::Mode,
        layout::Areas,
        line::{Pieces, line, paragraph, piece},
        look::Paint,
        model::Model,
        stage::Place,
    },
};

/// A column: its name, how wide it is, whether it stands to the right, and from how many columns on it is there.
struct Column {
    name: &'static str,
    width: usize,
    right: bool,
    from: usize,
    cell: fn(&Model, &Summary) -> (Paint, String),
}

/// The columns from left to right. What is left of the width goes to path and event.
const COLUMNS: &[Column] = &[
    Column { name: "#", width: 7, right: true, from: 0, cell: |_, row| (Paint::Dim, row.id.to_string()) },
    Column {
        name: "time",
        width: 8,
        right: false,
        from: 50,
        cell: |model, row| (Paint::Dim, row.received_at.clock(&model.zone)),
    },
    Column { name: "method", width: 6, right: false, from: 46, cell: |_, row| (Paint::Plain, row.method.clone()) },
    Column { name: "path", width: PATH, right: false, from: 0, cell: path },
    Column { name: "event", width: EVENT, right: false, from: 62, cell: event },
    Column { name: "size", width: 5, right: true, from: 56, cell: |_, row| (Paint::Dim, body::size(row.size)) },
    Column { name: "sig", width: 3, right: false, from: 0, cell: signature },
    Column { name: "app", width: 4, right: true, from: 0, cell: app },
];

/// Stand for widths that depend on the terminal's.
const PATH: usize = usize::MAX;
const EVENT: usize = usize::MAX - 1;

/// Draws the list, or what to do where there is none.
pub(super) fn draw(model: &Model, areas: &Areas, buffer: &mut Buffer) {
    if areas.list.height == 0 {
        return;
    }
    if model.list.rows.is_empty() {
        if model.list.read {
            empty(model, areas.list, buffer);
        }
        return;
    }
    let columns = columns(usize::from(areas.list.width));
    lines([line(&names(model, &columns), model.look)], areas.columns, buffer);
    let rows = model.list.rows.iter().skip(model.list.top).take(usize::from(areas.list.height));
    for (row, y) in rows.zip(areas.list.y..) {
        let area = Rect { y, height: 1, ..areas.list };
        let selected = model.list.selected == Some(row.id);
        let pieces = cells(model, row, &columns);
        lines([line(&pieces, model.look)], area, buffer);
        if selected {
            buffer.set_style(area.intersection(buffer.area), selection(model));
        }
    }
    hint(model, areas.list, buffer);
}

/// The selected row stands out where the keys are, and is known again where they are not.
fn selection(model: &Model) -> Style {
    let paint = if model.mode == Mode::Detail { Paint::Resting } else { Paint::Selected };
    model.look.style(paint)
}

/// The columns that a width has room for, with their widths.
fn columns(width: usize) -> Vec<(&'static Column, usize)> {
    let there: Vec<_> = COLUMNS.iter().filter(|column| width >= column.from).collect();
    let fixed: usize = there.iter().filter(|column| column.width < EVENT).map(|column| column.width + 1).sum();
    let has_event = there.iter().any(|column| column.width == EVENT);
    let rest = width.saturating_sub(fixed + if has_event { 3 } else { 2 });
    let event = if has_event { rest * 11 / 20 } else { 0 };
    there
        .into_iter()
        .map(|column| match column.width {
            PATH => (column, rest - event),
            EVENT => (column, event),
            width => (column, width),
        })
        .collect()
}

fn names(model: &Model, columns: &[(&Column, usize)]) -> Pieces {
    let _ = model;
    columns.iter().map(|(column, width)| piece(Paint::Dim, &cell(column.name, *width, column.right))).collect()
}

fn cells(model: &Model, row: &Summary, columns: &[(&Column, usize)]) -> Pieces {
    let cells = columns.iter().map(|(column, width)| {
        let (paint, text) = (column.cell)(model, row);
        piece(paint, &cell(&text, *width, column.right))
    });
    cells.collect()
}

/// A text in a column, with a blank behind it.
fn cell(text: &str, width: usize, right: bool) -> String {
    let text = body::fit(text, width);
    let blanks = " ".repeat(width.saturating_sub(body::width(&text)));
    if right { format!("{blanks}{text} ") } else { format!("{text}{blanks} ") }
}

/// The path, with the facts that a person should see at once before it.
fn path(model: &Model, row: &Summary) -> (Paint, String) {
    let signs = model.look.signs();
    let odd = row.truncated || !row.flags.is_empty();
    let duplicate = match (row.duplicate_of, row.repeat) {
        (Some(_), Some(repeat)) => format!("{}{} ", signs.duplicate, repeat.attempt),
        (Some(_), None) => format!("{} ", signs.duplicate),
        (None, _) => String::new(),
    };
    let late = row.late_ms.map_or(String::new(), |_| format!("{} ", signs.late));
    let flag = if odd { format!("{} ", signs.flag) } else { String::new() };
    let paint = if odd || row.duplicate_of.is_some() || row.late_ms.is_some() { Paint::Warning } else { Paint::Plain };
    let query = if row.query.is_some() { "?" } else { "" };
    (paint, format!("{duplicate}{late}{flag}{}{query}", row.path))
}

fn event(_: &Model, row: &Summary) -> (Paint, String) {
    match (&row.event.kind, &row.provider) {
        (Some(kind), _) => (Paint::Plain, kind.clone()),
        (None, Some(provider)) => (Paint::Dim, provider.clone()),
        (None, None) => (Paint::Dim, String::new()),
    }
}

fn signature(model: &Model, row: &Summary) -> (Paint, String) {
    let signs = model.look.signs();
    let (paint, sign) = match row.verdict {
        Verdict::Passed if row.covers_body == Some(false) => (Paint::Warning, signs.partly),
        Verdict::Passed => (Paint::Good, signs.passed),
        Verdict::Failed => (Paint::Bad, signs.failed),
        Verdict::Unsigned => (Paint::Dim, signs.unsigned),
        Verdict::Unchecked => (Paint::Warning, signs.unchecked),
    };
    (paint, format!(" {sign}"))
}

fn app(model: &Model, row: &Summary) -> (Paint, String) {
    if model.sending.contains(&row.id) {
        return (Paint::Warning, model.look.signs().sending.to_owned());
    }
    match row.last_delivery {
        Some(LastDelivery::Replied(status)) if (200..300).contains(&status) => (Paint::Good, status.to_string()),
        Some(LastDelivery::Replied(status)) => (Paint::Bad, status.to_string()),
        Some(LastDelivery::Failed) => (Paint::Bad, "fail".to_owned()),
        None => (Paint::Dim, String::new()),
    }
}

/// What arrived since following ended.
fn hint(model: &Model, area: Rect, buffer: &mut Buffer) {
    let new = model.counters.captures.saturating_sub(model.list.left_at);
    if model.list.follow || new == 0 {
        return;
    }
    let up = if model.look.unicode { "↑" } else { "^" };
    let text = format!(" {new} new {up} g ");
    let width = body::width(&text) as u16;
    let area =
        Rect { x: area.x + area.width.saturating_sub(width + 1), width: width.min(area.width), height: 1, ..area };
    let style = model.look.style(Paint::Brand).add_modifier(ratatui::style::Modifier::REVERSED);
    lines([ratatui::text::Line::styled(text, style)], area, buffer);
}

/// Nothing to list: because nothing came, or because the filter takes nothing.
fn empty(model: &Model, area: Rect, buffer: &mut Buffer) {
    let columns = usize::from(area.width).saturating_sub(4).max(10);
    let mut rows = vec![Vec::new()];
    if let Some(filter) = &model.filter {
        rows.push(vec![piece(Paint::Heading, "Nothing matches")]);
        rows.extend(paragraph(Paint::Plain, filter.text(), columns));
        rows.push(Vec::new());
        rows.push(vec![
            piece(Paint::Heading, "esc"),
            piece(Paint::Dim, " takes the filter away, "),
            piece(Paint::Heading, "/"),
            piece(Paint::Dim, " changes it"),
        ]);
    } else {
        rows.extend(welcome(&model.place, columns));
    }
    let rows = rows.into_iter().map(|mut row| {
        row.insert(0, piece(Paint::Plain, "  "));
        line(&row, model.look)
    });
    lines(rows, area, buffer);
}

/// What a newcomer needs: where to send, a line that works, how to let others in.
fn welcome(place: &Place, columns: usize) -> Vec<Pieces> {
    let (url, here) = match place {
        Place::Listening(url) => (Some(url.clone()), true),
        Place::Watching { address, .. } => (address.clone(), false),
    };
    let mut rows = Vec::new();
    let Some(url) = url else {
        rows.push(vec![piece(Paint::Heading, "Nothing caught yet, and nobody is catching")]);
        rows.push(Vec::new());
        rows.extend(paragraph(
            Paint::Plain,
            "Start `creel serve` on this store in another terminal; what it catches shows up here.",
            columns,
        ));
        return rows;
    };
    rows.push(vec![piece(Paint::Heading, "Waiting for the first webhook")]);
    rows.push(Vec::new());
    let how = if here { "Send any request to this address, on any path:" } else { "Another creel listens here:" };
    rows.extend(paragraph(Paint::Plain, how, columns));
    rows.push(vec![piece(Paint::Brand, &format!("  {url}"))]);
    rows.push(Vec::new());
    rows.extend(paragraph(Paint::Plain, "For example, in another terminal:", columns));
    let curl = format!("curl -d '{{\"hello\":\"creel\"}}' {url}/hello");
    rows.extend(crate::tui::line::wrap(&[piece(Paint::Good, &curl)], columns));
    rows.push(Vec::new());
    let port = url.rsplit(':').next().unwrap_or_default().to_owned();
    let tunnel = format!(
        "To let a provider reach it, open a tunnel of yours: ssh -R, bore, cloudflared or ngrok, to port {port}."
    );
    rows.extend(paragraph(Paint::Dim, &tunnel, columns));
    rows.push(Vec::new());
    rows.push(vec![
        piece(Paint::Heading, "?"),
        piece(Paint::Dim, " shows every key, "),
        piece(Paint::Heading, "q"),
        piece(Paint::Dim, " quits"),
    ]);
    rows
}
