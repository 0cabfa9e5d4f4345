//! The overview.

use super::facts::{NAMES, fact, indented, outcome, text_fact, told, verdict};
use super::{
    Tab, aside,
    deliveries::{SENT, is_sent, standing},
};
use crate::{
    body, engine,
    record::{Capture, Delivery, Tags, counted, thousands},
    tui::{
        keys::Command,
        line::{self, Piece, Pieces, piece},
        look::Paint,
        model::Model,
        msg::BodyView,
    },
    verify,
};

/// How many lines of a body the overview shows.
const PREVIEW_LINES: usize = 40;

/// What a capture is, in a person's words.
pub(super) fn overview(model: &Model, capture: &Capture, columns: usize) -> Vec<Pieces> {
    let signs = model.look.signs();
    let mut lines = vec![vec![heading(model, capture, columns)], Vec::new()];
    lines.extend(said(model, capture, columns));
    let event = capture.event.kind.as_deref();
    if let Some(provider) = &capture.provider {
        lines.push(text_fact("provider", provider));
    }
    if let Some(kind) = event {
        lines.push(fact("event", vec![piece(Paint::Heading, kind)]));
    }
    if let Some(id) = &capture.event.id {
        lines.push(text_fact("event id", id));
    }
    if let Some(at) = capture.event.created_at {
        lines.push(text_fact("happened", &at.date_and_clock(&model.zone)));
    }
    lines.push(text_fact("received", &capture.received_at.date_and_clock(&model.zone)));
    lines.push(text_fact("from", &capture.peer));
    lines.push(text_fact("endpoint", &capture.endpoint));
    let verdict = verdict(capture);
    lines.extend(told("signature", verdict.paint, &verdict.text, columns));
    if let Some(explanation) = &capture.judgement.explanation {
        lines.extend(indented(Paint::Plain, &explanation.text, columns));
    }
    for sentence in capture.course() {
        let sign = if capture.edited_from.is_some() {
            signs.edited
        } else if capture.duplicate_of.is_some() {
            signs.duplicate
        } else {
            signs.late
        };
        lines.extend(told("delivery", Paint::Warning, &format!("{sign} {sentence}"), columns));
    }
    lines.extend(tries(model, capture, columns));
    if let Some(asked) = &capture.judgement.handshake {
        lines.push(fact("handshake", vec![piece(Paint::Heading, &asked.about)]));
        lines.extend(asked.show.iter().map(|show| fact("", vec![piece(Paint::Warning, show)])));
        lines.extend(asked.answer.iter().filter(|it| !it.is_empty()).map(|answer| text_fact("answer", answer)));
    }
    for flag in capture.flags.iter() {
        lines.extend(told("odd", Paint::Warning, &format!("{} {}", signs.flag, flag.sentence()), columns));
    }
    lines.extend(told("body", Paint::Plain, &body_words(capture, body_note(model).as_deref()), columns));
    lines.push(text_fact("answered", &capture.answer_in_words()));
    let app = model.detail.deliveries.first().map(outcome);
    let app = match app {
        _ if is_sent(model) => piece(Paint::Warning, SENT),
        Some(app) => app,
        None => piece(Paint::Dim, &model.keys.told("not sent on yet; {resend} resends it")),
    };
    lines.extend(told("app", app.paint, &app.text, columns));
    let last = model.detail.deliveries.first().filter(|_| !is_sent(model));
    for sentence in last.map(|last| blame(capture, last)).unwrap_or_default() {
        lines.extend(indented(Paint::Warning, &sentence, columns));
    }
    let standing = standing(model).into_iter().filter(|_| !is_sent(model));
    lines.extend(standing.flat_map(|piece| indented(piece.paint, &piece.text, columns)));
    lines.extend(preview(model, columns));
    lines
}

/// How many rows the heading has at most, and how far those after the first are set in: a target of thousands of characters
/// must not push away all that is to be known. The raw request has it whole.
const HEADING_ROWS: usize = 4;
const SET_IN: usize = 2;

/// What it is, in a line.
fn heading(model: &Model, capture: &Capture, columns: usize) -> Piece {
    let target = model.detail.target(capture);
    let target = String::from_utf8_lossy(&target);
    let words = format!("#{} {} {target}", capture.id, capture.head.method());
    let room = columns + columns.saturating_sub(SET_IN) * (HEADING_ROWS - 1);
    piece(Paint::Heading, &body::fit(&words, room))
}

/// What a person said of it: the note as a whole, a mark, a pin. The list's row knows what was said since it was opened.
fn said(model: &Model, capture: &Capture, columns: usize) -> Vec<Pieces> {
    let row = model.list.rows.iter().find(|row| row.id == capture.id);
    let tags = row.map_or(capture.tags, |row| row.tags);
    let note = row.map_or(capture.note.as_deref(), |row| row.note.as_deref());
    let done = [(Tags::MARKED, "marked"), (Tags::PINNED, "pinned")];
    let done: Vec<_> = done.into_iter().filter(|(tag, _)| tags.has(*tag)).map(|(_, word)| word).collect();
    let mut lines = named("note", Paint::Brand, note.unwrap_or_default(), columns);
    if !done.is_empty() {
        lines.push(fact("you", vec![piece(Paint::Brand, &format!("{} it", done.join(" and ")))]));
    }
    if tags.has(Tags::EDITED) {
        lines.push(fact("edited", vec![piece(Paint::Brand, "not caught: made of another capture")]));
    }
    lines
}

/// A fact of several words, as many rows as they take; none where there are no words.
fn named(name: &str, paint: Paint, words: &str, columns: usize) -> Vec<Pieces> {
    let mut rows = if words.is_empty() { Vec::new() } else { indented(paint, words, columns) };
    if let Some(first) = rows.first_mut() {
        let rest = first.split_off(1);
        *first = fact(name, rest);
    }
    rows
}

/// How wide the name of a try is: its capture, its number, the gap before it.
const TRY: usize = 23;

/// The tries at the event beside the schedule that its provider publishes. Where it is narrow, words go on below the bar.
fn tries(model: &Model, capture: &Capture, columns: usize) -> Vec<Pieces> {
    let Ok(catalog) = engine::catalog() else { return Vec::new() };
    let Some(provider) = capture.provider.as_deref().and_then(|name| catalog.get(name)) else { return Vec::new() };
    let rows = verify::retries(&model.detail.tries, provider.habits(), model.look.unicode);
    let mut lines: Vec<Pieces> = Vec::new();
    for row in rows {
        let paint = if row.agrees { Paint::Plain } else { Paint::Warning };
        let is_open = model.detail.capture.as_ref().is_some_and(|it| row.name.starts_with(&format!("#{} ", it.id)));
        let head = piece(if is_open { Paint::Heading } else { Paint::Dim }, &format!("{:<TRY$}", row.name));
        let has_bar = !row.bar.trim().is_empty();
        let bar = piece(Paint::Brand, if has_bar { &row.bar } else { "" });
        let words = piece(paint, &format!("{}{}", if has_bar { "  " } else { "" }, row.words));
        let (room, bar_width) = (columns.saturating_sub(NAMES + TRY), body::width(&bar.text));
        let from = lines.len();
        if bar_width + body::width(&words.text) <= room {
            lines.push(fact("", vec![head, bar, words]));
        } else if has_bar && bar_width <= room {
            lines.push(fact("", vec![head, bar]));
            lines.extend(indented(paint, &row.words, columns));
        } else {
            lines.extend((!head.text.trim().is_empty()).then(|| fact("", vec![head])));
            lines.extend((has_bar && bar_width <= room + TRY).then(|| fact("", vec![bar])));
            lines.extend(indented(paint, &row.words, columns));
        }
        if from == 0 {
            lines.first_mut().and_then(|line| line.first_mut()).into_iter().for_each(|name| {
                name.text = format!("{:<NAMES$}", "tries");
            });
        }
    }
    lines
}

/// Whose bug it is, by the check and the last reply.
fn blame(capture: &Capture, last: &Delivery) -> Vec<String> {
    let catalog = engine::catalog().ok();
    let provider = capture.provider.as_deref().and_then(|name| catalog.as_ref()?.get(name));
    verify::blame(&capture.judgement, last, provider)
}

/// What the body's document says of itself, as that it is no whole JSON; none where its first line says so.
fn body_note(model: &Model) -> Option<String> {
    let document = model.detail.body.as_ref()?.document.as_ref().ok()?;
    let note = document.note()?;
    let first: String = document.lines(0..1).into_iter().flatten().map(|span| span.text).collect();
    (!first.contains(note)).then(|| note.to_owned())
}

/// The beginning of the body, below what is known of it.
fn preview(model: &Model, columns: usize) -> Vec<Pieces> {
    let Some(BodyView { document: Ok(document), .. }) = &model.detail.body else { return Vec::new() };
    let count = document.line_count();
    let mut lines = vec![Vec::new()];
    let shown = document.lines(0..PREVIEW_LINES.min(count)).into_iter().map(line::of_body).enumerate();
    lines.extend(shown.flat_map(|(at, pieces)| match document.rows_within(at, columns) {
        Some(rows) => rows.into_iter().map(line::of_body).collect(),
        None => vec![aside::beginning(&**document, pieces, columns, model.look.signs())],
    }));
    if count > PREVIEW_LINES {
        let more = counted((count - PREVIEW_LINES) as u64, "line");
        let key = model.keys.of(Command::Tab(Tab::Body as usize));
        lines.push(vec![piece(Paint::Dim, &format!("{more} more: {key} shows the body"))]);
    }
    lines
}

/// How much of a body there is, of what kind it says that it is, and what its document says of it.
fn body_words(capture: &Capture, note: Option<&str>) -> String {
    let size = capture.body.size;
    let bytes = |size| counted(size, "byte");
    let much = match (capture.body.truncated, capture.body.declared) {
        (true, Some(declared)) => format!("the first {} of {}", thousands(size), bytes(declared)),
        (true, None) => format!("the first {}", bytes(size)),
        (false, _) if size == 0 => return "none".to_owned(),
        (false, _) => bytes(size),
    };
    let kind = capture.head.headers().text("content-type").unwrap_or("no content type");
    match note {
        // It doubts the kind, and names it.
        Some(note) if note.contains(kind) => format!("{much}; {note}"),
        Some(note) => format!("{much}, {kind}; {note}"),
        None => format!("{much}, {kind}"),
    }
}
