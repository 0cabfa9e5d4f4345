//! The detail: one capture, in tabs.

use std::sync::Arc;

use super::{
    layout,
    line::{self, Pieces, piece, plain},
    look::Paint,
    model::Model,
    msg::{BodyView, Opened},
};
use crate::{
    body::{self, Document},
    record::{Capture, CaptureId, Delivery, Evidence, Fault, Header, Outcome, Reply, Verdict},
};

/// The tabs, with their names.
pub(super) const TABS: &[(Tab, &str)] = &[
    (Tab::Overview, "Overview"),
    (Tab::Body, "Body"),
    (Tab::Headers, "Headers"),
    (Tab::Signature, "Signature"),
    (Tab::Deliveries, "Deliveries"),
];

/// How many lines of a reply's body are shown.
const REPLY_LINES: usize = 200;
/// How far the content coding of a reply is undone, in bytes: it is done while the screen is drawn.
const REPLY_UNDONE: u64 = 1 << 20;
/// How many lines of a body the overview shows.
const PREVIEW_LINES: usize = 40;
/// How far the names of facts reach.
const NAMES: usize = 11;

/// A side of a capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tab {
    #[default]
    Overview,
    Body,
    Headers,
    Signature,
    Deliveries,
}

/// A place in a document: a line, and which of the rows it takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Scroll {
    pub(super) line: usize,
    pub(super) row: usize,
}

/// What is open.
#[derive(Default)]
pub(super) struct Detail {
    pub(super) tab: Tab,
    pub(super) capture: Option<Arc<Capture>>,
    /// Newest first.
    pub(super) deliveries: Vec<Delivery>,
    pub(super) body: Option<BodyView>,
    pub(super) scroll: [Scroll; 5],
    /// Whether secrets in headers are shown.
    pub(super) unmasked: bool,
    /// Answers of other generations are late.
    pub(super) generation: u64,
    /// What is open, or on its way.
    wanted: Option<CaptureId>,
}

impl Detail {
    /// What is open, or on its way.
    pub(super) fn id(&self) -> Option<CaptureId> {
        self.wanted
    }

    /// Whether another capture should be opened.
    pub(super) fn wants(&self, id: CaptureId) -> bool {
        self.wanted != Some(id)
    }

    /// A capture is on its way. What is open stays until it comes.
    pub(super) fn open(&mut self, id: CaptureId) {
        self.generation += 1;
        self.wanted = Some(id);
        self.unmasked = false;
    }

    /// Nothing is open.
    pub(super) fn close(&mut self) {
        self.generation += 1;
        (self.wanted, self.capture, self.body) = (None, None, None);
        self.deliveries.clear();
    }

    /// Takes what came.
    pub(super) fn take(&mut self, opened: Opened) {
        self.scroll = Default::default();
        self.deliveries = opened.deliveries;
        self.body = Some(opened.body);
        self.capture = Some(opened.capture);
    }

    /// Takes deliveries that were read again.
    pub(super) fn take_deliveries(&mut self, id: CaptureId, deliveries: Vec<Delivery>) {
        if self.wanted == Some(id) {
            self.deliveries = deliveries;
        }
    }
}

/// A document as the detail scrolls through it: lines that are made when they are asked for.
pub(super) struct Source<'a> {
    count: usize,
    lines: Box<dyn Fn(usize) -> Pieces + 'a>,
}

impl Source<'_> {
    /// The rows from a place on, each with its place, at most so many.
    pub(super) fn rows(&self, from: Scroll, columns: usize, most: usize) -> Vec<(Scroll, Pieces)> {
        let mut rows = Vec::new();
        let mut skip = from.row;
        for line in from.line..self.count {
            let wrapped = line::wrap(&(self.lines)(line), columns).into_iter().enumerate().skip(skip);
            rows.extend(wrapped.map(|(row, pieces)| (Scroll { line, row }, pieces)));
            skip = 0;
            if rows.len() >= most {
                break;
            }
        }
        rows.truncate(most);
        rows
    }

    /// The place so many rows above another one.
    fn above(&self, mut at: Scroll, columns: usize, mut rows: usize) -> Scroll {
        while rows > at.row && at.line > 0 {
            rows -= at.row + 1;
            at.line -= 1;
            at.row = line::wrap(&(self.lines)(at.line), columns).len() - 1;
        }
        Scroll { row: at.row.saturating_sub(rows), ..at }
    }

    /// The last place from which a whole screen is seen.
    fn last(&self, columns: usize, height: usize) -> Scroll {
        let Some(line) = self.count.checked_sub(1) else { return Scroll::default() };
        let end = Scroll { line, row: line::wrap(&(self.lines)(line), columns).len() - 1 };
        self.above(end, columns, height.saturating_sub(1))
    }
}

/// What the open tab shows at a width.
pub(super) fn source(model: &Model, columns: usize) -> Source<'_> {
    if model.detail.tab == Tab::Body
        && let Some(BodyView { document: Ok(document), .. }) = &model.detail.body
    {
        return Source { count: document.line_count(), lines: Box::new(|at| body_line(document, at)) };
    }
    let lines = match &model.detail.capture {
        Some(capture) => tab_lines(model, capture, columns),
        None => Vec::new(),
    };
    Source { count: lines.len(), lines: Box::new(move |at| lines.get(at).cloned().unwrap_or_default()) }
}

fn body_line(document: &Arc<dyn Document>, at: usize) -> Pieces {
    document.lines(at..at + 1).into_iter().next().map(line::of_body).unwrap_or_default()
}

/// Keeps the scroll within what there is.
pub(super) fn clamp(model: &mut Model) {
    scroll(model, 0);
}

/// Scrolls the open tab by rows; `isize::MIN` and `MAX` are its ends.
pub(super) fn scroll(model: &mut Model, rows: isize) {
    let area = layout::areas(model).detail;
    if area.height == 0 || model.detail.capture.is_none() {
        return;
    }
    let (columns, height) = (usize::from(area.width), usize::from(area.height));
    let at = model.detail.scroll[model.detail.tab as usize];
    let source = source(model, columns);
    let last = source.last(columns, height);
    let to = match rows {
        isize::MIN => Scroll::default(),
        isize::MAX => last,
        up if up < 0 => source.above(at, columns, up.unsigned_abs()),
        down => {
            let down = down.unsigned_abs();
            source.rows(at, columns, down + 1).last().map_or(at, |row| row.0)
        }
    };
    drop(source);
    model.detail.scroll[model.detail.tab as usize] = to.min(last);
}

fn tab_lines(model: &Model, capture: &Capture, columns: usize) -> Vec<Pieces> {
    match model.detail.tab {
        Tab::Overview => overview(model, capture, columns),
        Tab::Body => no_body(model, columns),
        Tab::Headers => headers(model, capture),
        Tab::Signature => signature(capture, columns),
        Tab::Deliveries => deliveries(model, columns),
    }
}

/// A fact: its name, and what it is.
fn fact(name: &str, value: Vec<super::line::Piece>) -> Pieces {
    let mut line = vec![piece(Paint::Dim, &format!("{name:<NAMES$}"))];
    line.extend(value);
    line
}

fn text_fact(name: &str, value: &str) -> Pieces {
    fact(name, vec![piece(Paint::Plain, value)])
}

/// What a capture is, in a person's words.
fn overview(model: &Model, capture: &Capture, columns: usize) -> Vec<Pieces> {
    let signs = model.look.signs();
    let mut lines = vec![
        vec![
            piece(Paint::Heading, &format!("#{} {} ", capture.id, capture.head.method())),
            piece(Paint::Heading, &String::from_utf8_lossy(capture.head.target())),
        ],
        Vec::new(),
    ];
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
    lines.push(fact("signature", vec![verdict(capture)]));
    if let Some(explanation) = &capture.judgement.explanation {
        lines.extend(indented(Paint::Plain, &explanation.text, columns));
    }
    for sentence in capture.course() {
        let sign = if capture.duplicate_of.is_some() { signs.duplicate } else { signs.late };
        lines.push(fact("delivery", vec![piece(Paint::Warning, &format!("{sign} {sentence}"))]));
    }
    if let Some(asked) = &capture.judgement.handshake {
        lines.push(fact("handshake", vec![piece(Paint::Heading, &asked.about)]));
        lines.extend(asked.show.iter().map(|show| fact("", vec![piece(Paint::Warning, show)])));
        lines.extend(asked.answer.iter().filter(|it| !it.is_empty()).map(|answer| text_fact("answer", answer)));
    }
    for flag in capture.flags.iter() {
        lines.push(fact("odd", vec![piece(Paint::Warning, &format!("{} {}", signs.flag, flag.sentence()))]));
    }
    lines.push(text_fact("body", &body_words(capture)));
    let answered = if capture.reply_status == 0 {
        "nobody was left to answer".to_owned()
    } else {
        capture.reply_status.to_string()
    };
    lines.push(text_fact("answered", &answered));
    lines.push(match model.detail.deliveries.first() {
        Some(delivery) => fact("app", vec![outcome(delivery)]),
        None => fact("app", vec![piece(Paint::Dim, "not sent on yet; r resends it")]),
    });
    lines.extend(preview(model));
    lines
}

/// The beginning of the body, below what is known of it.
fn preview(model: &Model) -> Vec<Pieces> {
    let Some(BodyView { document: Ok(document), .. }) = &model.detail.body else { return Vec::new() };
    let count = document.line_count();
    let mut lines = vec![Vec::new()];
    lines.extend(document.lines(0..PREVIEW_LINES.min(count)).into_iter().map(line::of_body));
    if count > PREVIEW_LINES {
        lines.push(vec![piece(Paint::Dim, &format!("{} more lines: 2 shows the body", count - PREVIEW_LINES))]);
    }
    lines
}

fn indented(paint: Paint, text: &str, columns: usize) -> Vec<Pieces> {
    let rows = line::paragraph(paint, text, columns.saturating_sub(NAMES).max(20));
    rows.into_iter().map(|row| fact("", row)).collect()
}

fn body_words(capture: &Capture) -> String {
    let kind = capture.head.headers().text("content-type").unwrap_or("no content type");
    let size = capture.body.size;
    match (capture.body.truncated, capture.body.declared) {
        (true, Some(declared)) => format!("the first {size} of {declared} bytes, {kind}"),
        (true, None) => format!("the first {size} bytes, {kind}"),
        (false, _) if size == 0 => "none".to_owned(),
        (false, _) => format!("{size} bytes, {kind}"),
    }
}

/// A verdict in words and its colour.
fn verdict(capture: &Capture) -> super::line::Piece {
    let judgement = &capture.judgement;
    let (paint, words) = match (judgement.verdict, judgement.fault) {
        (Verdict::Passed, _) if judgement.covers_body == Some(false) => {
            (Paint::Warning, "passed, and says nothing about the body")
        }
        (Verdict::Passed, _) => (Paint::Good, "passed"),
        (Verdict::Failed, Some(Fault::HeaderMissing)) => (Paint::Bad, "failed: it is not there"),
        (Verdict::Failed, Some(Fault::Malformed)) => (Paint::Bad, "failed: it is not in the scheme's form"),
        (Verdict::Failed, Some(Fault::Stale)) => (Paint::Bad, "failed: it is right and too old"),
        (Verdict::Failed, _) => (Paint::Bad, "failed: it is not of these bytes"),
        (Verdict::Unsigned, _) => (Paint::Dim, "none: no provider creel knows signs like this"),
        (Verdict::Unchecked, Some(Fault::SecretMissing)) => (Paint::Warning, "unchecked: no secret"),
        (Verdict::Unchecked, _) => (Paint::Warning, "unchecked: this cannot be checked here"),
    };
    piece(paint, words)
}

fn no_body(model: &Model, columns: usize) -> Vec<Pieces> {
    match &model.detail.body {
        Some(BodyView { document: Err(why), .. }) => line::paragraph(Paint::Warning, why, columns),
        _ => Vec::new(),
    }
}

fn header_line(model: &Model, header: Header<'_>) -> Pieces {
    let name = header.name_text();
    let hidden = header.lets_in() && !model.detail.unmasked && !header.value.is_empty();
    let value = if hidden {
        piece(Paint::Dim, &format!("{} {} bytes, m shows them", model.look.signs().mask, header.value.len()))
    } else {
        super::line::Piece { paint: Paint::Plain, text: body::escape_bytes(header.value) }
    };
    vec![piece(Paint::Body(body::Role::Key), &name), piece(Paint::Dim, ": "), value]
}

/// Order and case as they came.
fn headers(model: &Model, capture: &Capture) -> Vec<Pieces> {
    let head = &capture.head;
    let first = vec![
        piece(Paint::Heading, &head.method()),
        super::line::Piece { paint: Paint::Plain, text: format!(" {} ", body::escape_bytes(head.target())) },
        piece(Paint::Dim, head.version().name()),
    ];
    let mut lines = vec![first];
    lines.extend(head.headers().iter().map(|header| header_line(model, header)));
    if !capture.trailers.is_empty() {
        lines.extend([Vec::new(), vec![piece(Paint::Heading, "after the body")]]);
        lines.extend(capture.trailers.iter().map(|header| header_line(model, header)));
    }
    lines
}

/// What came, what was expected, and why it did not pass.
fn signature(capture: &Capture, columns: usize) -> Vec<Pieces> {
    let judgement = &capture.judgement;
    let mut lines = vec![fact("verdict", vec![verdict(capture)])];
    if let Some(explanation) = &judgement.explanation {
        lines.extend(indented(Paint::Plain, &explanation.text, columns));
    }
    let Some(evidence) = &judgement.evidence else { return lines };
    lines.push(Vec::new());
    if let Some(provider) = &capture.provider {
        lines.push(text_fact("provider", provider));
    }
    lines.push(text_fact("header", &evidence.place));
    lines.push(text_fact("signed", &evidence.content));
    if let Some(age) = judgement.age_s {
        lines.push(text_fact("timestamp", &age_words(age)));
    }
    if let Some(words) = judgement.uncovered() {
        lines.push(fact("covers", vec![piece(Paint::Warning, &words)]));
    }
    if let Some(explanation) = judgement.explanation.as_ref().filter(|explanation| explanation.tried > 1) {
        lines.extend(explanation.by.iter().map(|by| text_fact("proof", by)));
        lines.push(text_fact("searched", &format!("{} candidates", explanation.tried)));
    }
    lines.extend(evidence.difference.iter().flat_map(|difference| differs(difference)));
    lines.push(Vec::new());
    lines.extend(compared(evidence, judgement.verdict, judgement.fault, columns));
    lines
}

/// Where the signed body differs from the one that came: the place, and both one under the other.
fn differs(difference: &str) -> Vec<Pieces> {
    let parts = difference.split_once(": signed ").zip(difference.rsplit_once(", received "));
    let Some(((place, _), (signed, received))) = parts else { return vec![text_fact("differs", difference)] };
    let signed = signed.split_once(": signed ").map_or(signed, |(_, signed)| signed);
    vec![
        text_fact("differs", &format!("at {place}")),
        fact("  signed", vec![piece(Paint::Good, signed)]),
        fact("  came", vec![piece(Paint::Bad, received)]),
    ]
}

fn age_words(age: i64) -> String {
    match age {
        0 => "of the same second as the request".to_owned(),
        1.. => format!("{age} s before the request came"),
        _ => format!("{} s after the request came", -age),
    }
}

/// Received over expected, wrapped alike, with the characters marked that differ.
fn compared(evidence: &Evidence, verdict: Verdict, fault: Option<Fault>, columns: usize) -> Vec<Pieces> {
    let received = evidence.received.as_deref();
    if received.is_none() && evidence.expected.is_none() && fault != Some(Fault::HeaderMissing) {
        let words = "a token: it is the secret itself, and is not shown";
        return vec![fact("received", vec![piece(Paint::Dim, words)])];
    }
    let Some(expected) = evidence.expected.as_deref() else {
        let words = received
            .map_or_else(|| fact("received", vec![piece(Paint::Bad, "nothing")]), |it| text_fact("received", it));
        return vec![words];
    };
    let Some(received) = received else {
        return vec![fact("received", vec![piece(Paint::Bad, "nothing")]), text_fact("expected", expected)];
    };
    let part = same_part(received, expected);
    let mut lines = Vec::new();
    if part != received {
        lines.push(text_fact("header", received));
        lines.push(Vec::new());
    }
    let width = columns.saturating_sub(NAMES).max(16);
    let (came, due): (Vec<char>, Vec<char>) = (part.chars().collect(), expected.chars().collect());
    let rows = came.len().max(due.len()).div_ceil(width);
    for row in 0..rows {
        let slice = |chars: &[char]| chars.iter().skip(row * width).take(width).copied().collect::<Vec<_>>();
        let (came, due) = (slice(&came), slice(&due));
        let name = |name| if row == 0 { name } else { "" };
        lines.push(fact(name("received"), marked(&came, &due, verdict, Paint::Marked)));
        lines.push(fact(name("expected"), marked(&due, &came, verdict, Paint::Good)));
    }
    lines
}

/// The part of a header that is to be compared: for a list of signatures, the first of the expected one's kind.
fn same_part<'a>(received: &'a str, expected: &str) -> &'a str {
    let key = expected.find(['=', ',']).map_or("", |at| &expected[..=at]);
    let start = if key.len() <= 8 { received.find(key).unwrap_or(0) } else { 0 };
    let rest = &received[start..];
    rest.char_indices().nth(expected.chars().count()).map_or(rest, |(at, _)| &rest[..at])
}

fn marked(chars: &[char], others: &[char], verdict: Verdict, paint: Paint) -> Vec<super::line::Piece> {
    let mut pieces: Vec<super::line::Piece> = Vec::new();
    for (at, c) in chars.iter().enumerate() {
        let differs = verdict == Verdict::Failed && others.get(at) != Some(c);
        let paint = if differs { paint } else { Paint::Plain };
        match pieces.last_mut() {
            Some(last) if last.paint == paint => last.text.push_str(&body::escape(&c.to_string())),
            _ => pieces.push(piece(paint, &c.to_string())),
        }
    }
    pieces
}

/// What came of a delivery, with its colour.
fn outcome(delivery: &Delivery) -> super::line::Piece {
    match &delivery.outcome {
        Outcome::Replied(reply) => {
            let paint = if (200..300).contains(&reply.status) { Paint::Good } else { Paint::Bad };
            piece(paint, &format!("{} in {} ms", reply.status, delivery.took_ms))
        }
        Outcome::Failed(why) => piece(Paint::Bad, &format!("failed: {why}")),
    }
}

fn deliveries(model: &Model, columns: usize) -> Vec<Pieces> {
    if model.detail.deliveries.is_empty() {
        let words = "Not sent on yet. r resends it to the endpoint's app, R to a URL that you are asked for; every byte stays as it came, and what had to change is listed here.";
        return line::paragraph(Paint::Dim, words, columns);
    }
    let each = model.detail.deliveries.iter().map(|delivery| delivery_lines(model, delivery));
    each.collect::<Vec<_>>().join(&[Vec::new()][..])
}

fn delivery_lines(model: &Model, delivery: &Delivery) -> Vec<Pieces> {
    let mut lines = vec![
        vec![piece(Paint::Heading, &format!("try {}  ", delivery.attempt)), outcome(delivery)],
        text_fact("to", &delivery.to),
        text_fact("at", &delivery.started_at.date_and_clock(&model.zone)),
    ];
    let mut name = "changed";
    for change in &delivery.receipt {
        lines.push(text_fact(name, &change.to_string()));
        name = "";
    }
    if let Outcome::Replied(reply) = &delivery.outcome {
        lines.push(vec![piece(Paint::Dim, "reply")]);
        lines.extend(reply.headers.iter().map(|header| header_line(model, header)));
        lines.extend(reply_body(reply));
    }
    lines
}

fn reply_body(reply: &Reply) -> Vec<Pieces> {
    if reply.body.is_empty() {
        return Vec::new();
    }
    let content = body::Content::within(&reply.body, &reply.headers, REPLY_UNDONE);
    let mut lines = vec![Vec::new()];
    match body::best(&content).show(&content) {
        Ok(document) => {
            lines.extend(document.lines(0..REPLY_LINES).into_iter().map(line::of_body));
            if reply.truncated || document.line_count() > REPLY_LINES {
                lines.push(vec![piece(Paint::Dim, "the reply goes on; this is its first part")]);
            }
        }
        Err(why) => lines.push(plain(&why)),
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_of_the_expected_kind_is_compared() {
        for (received, expected, part) in [
            ("sha256=00ff", "sha256=11ee", "sha256=00ff"),
            ("t=1,v1=aaaa,v0=bbbb", "v1=cccc", "v1=aaaa"),
            ("v1,AAAA v1,BBBB", "v1,CCCC", "v1,AAAA"),
            ("rubbish", "v1=cccc", "rubbish"),
            ("", "v1=cccc", ""),
        ] {
            assert_eq!(same_part(received, expected), part);
        }
    }
}
