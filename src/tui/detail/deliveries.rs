//! The deliveries' tab.

use super::{
    facts::{fact, outcome, text_fact},
    headers::header_line,
};
use crate::{
    body,
    record::{Delivery, Errand, Outcome, Post, Reply, counted},
    tui::{
        age,
        keys::Mode,
        layout,
        line::{self, Piece, Pieces, piece, plain},
        look::Paint,
        model::Model,
    },
};

/// How many lines of a reply's body are shown.
const REPLY_LINES: usize = 200;
/// How far the content coding of a reply is undone, in bytes: only its first lines are shown.
const REPLY_UNDONE: u64 = 1 << 20;

/// How wide the bar of the slowest delivery is, in columns.
const BAR: u32 = 24;

pub(super) fn deliveries(model: &Model, columns: usize) -> Vec<Pieces> {
    let standing = standing_rows(model, columns);
    if model.detail.deliveries.is_empty() && !standing.is_empty() {
        return standing;
    }
    if model.detail.deliveries.is_empty() {
        let words = "Not sent on yet. {resend} resends it to the endpoint's app, {resend-to} to a URL that you are asked for; every byte stays as it came, and what had to change is listed here.";
        return line::paragraph(Paint::Dim, &model.keys.told(words), columns);
    }
    let standing = (!standing.is_empty()).then_some(standing);
    standing.into_iter().chain(each(model)).collect::<Vec<_>>().join(&[Vec::new()][..])
}

/// Whether the open capture is on its way to an app, since somebody resends it here.
pub(super) fn is_sent(model: &Model) -> bool {
    model.detail.id().is_some_and(|id| model.sending.contains(&id))
}

/// What is said of a capture that is.
pub(super) const SENT: &str = "on its way: the app has not answered yet";

/// What of it is still to be sent and when, or never will be unasked.
pub(super) fn standing(model: &Model) -> Vec<Piece> {
    if is_sent(model) {
        return vec![piece(Paint::Warning, SENT)];
    }
    let row = model.list.row().filter(|row| Some(row.id) == model.detail.id());
    let Some(post) = row.and_then(|row| row.post) else { return Vec::new() };
    let keys =
        if post == Post::Dead { "{resend-dead} sends it once more, {drop} drops it" } else { "{drop} ends that" };
    let keys = model.keys.told(keys);
    let (paint, unread) = match post {
        Post::Dead => (Paint::Bad, "given up"),
        Post::Waiting => (Paint::Warning, "on its way, or waiting for its next try"),
    };
    match &model.detail.errands[..] {
        // They are still to be read.
        [] => vec![piece(paint, &format!("{unread}; {keys}"))],
        [only] => vec![piece(paint, &format!("{}; {keys}", words(model, only, "")))],
        several => {
            let paint = |errand: &Errand| if errand.dead { Paint::Bad } else { Paint::Warning };
            let each = several.iter().map(|errand| piece(paint(errand), &words(model, errand, app(&errand.lane))));
            each.chain([piece(Paint::Dim, &keys)]).collect()
        }
    }
}

/// The same, in rows of their own.
fn standing_rows(model: &Model, columns: usize) -> Vec<Pieces> {
    standing(model).iter().flat_map(|piece| line::paragraph(piece.paint, &piece.text, columns)).collect()
}

/// To which app a lane leads.
fn app(lane: &str) -> &str {
    lane.rsplit_once("→ ").map_or(lane, |(_, app)| app)
}

/// From how much time on a moment is told by its day, in milliseconds.
const LONG: i64 = 12 * 3_600_000;

/// How one of them stands, in words.
fn words(model: &Model, errand: &Errand, app: &str) -> String {
    let (tries, due) = (errand.tries, errand.due_at);
    let to = if app.is_empty() { String::new() } else { format!(" to {app}") };
    if errand.dead {
        let why = errand.why.as_ref().map_or(String::new(), |why| format!(": {why}"));
        let after = if tries > 1 { format!(" after {}", counted(tries.into(), "try")) } else { String::new() };
        return format!("given up{to}{after}{why}");
    }
    let left = due.since_ms(model.now);
    if left <= 0 {
        return format!("try {}{to} is on its way, or waits for its turn", tries + 1);
    }
    let at = if left < LONG { due.clock(&model.zone) } else { due.date_and_clock(&model.zone) };
    format!("try {}{to} in {}, at {at}", tries + 1, age::left(left))
}

/// The lines of each delivery.
fn each(model: &Model) -> impl Iterator<Item = Vec<Pieces>> {
    model.detail.deliveries.iter().enumerate().map(|(at, delivery)| delivery_lines(model, at, delivery))
}

/// The first line of the delivery that the cursor is on.
pub(super) fn first_line(model: &Model) -> usize {
    let columns = usize::from(layout::areas(model).detail.width);
    let above = match standing_rows(model, columns).len() {
        0 => 0,
        rows => rows + 1,
    };
    above + each(model).take(model.detail.delivery).map(|lines| lines.len() + 1).sum::<usize>()
}

fn delivery_lines(model: &Model, at: usize, delivery: &Delivery) -> Vec<Pieces> {
    let unfolded = model.detail.is_unfolded(at, delivery.id);
    let sign = match (unfolded, model.look.unicode) {
        (true, true) => "▾",
        (false, true) => "▸",
        (true, false) => "v",
        (false, false) => ">",
    };
    let paint = heading(model, at);
    let mut lines = vec![
        vec![piece(paint, &format!("{sign} try {}", delivery.attempt)), piece(Paint::Plain, "  "), outcome(delivery)],
        fact("took", bar(model, delivery)),
        text_fact("to", &delivery.to),
    ];
    if !unfolded {
        return lines;
    }
    lines.push(text_fact("at", &delivery.started_at.date_and_clock(&model.zone)));
    let mut name = "changed";
    for change in &delivery.receipt {
        lines.push(text_fact(name, &change.to_string()));
        name = "";
    }
    if delivery.receipt.is_empty() {
        lines.push(fact("changed", vec![piece(Paint::Dim, "nothing: sent as it came")]));
    }
    if let Outcome::Replied(reply) = &delivery.outcome {
        lines.extend([Vec::new(), vec![piece(Paint::Dim, "reply")]]);
        lines.extend(reply.headers.iter().map(|header| header_line(model, header)));
        let of_body = match model.detail.replies.get(&delivery.id) {
            Some(Some(lines)) => lines.clone(),
            _ if reply.body.is_empty() => Vec::new(),
            _ => vec![Vec::new(), vec![piece(Paint::Dim, "…")]],
        };
        lines.extend(of_body);
    }
    lines
}

/// Where there are several, the one that keys act on stands out.
fn heading(model: &Model, at: usize) -> Paint {
    match model.mode {
        _ if at != model.detail.delivery || model.detail.deliveries.len() < 2 => Paint::Heading,
        Mode::Detail => Paint::Selected,
        _ => Paint::Resting,
    }
}

/// How long it took, beside the slowest of them.
fn bar(model: &Model, delivery: &Delivery) -> Vec<Piece> {
    let slowest = model.detail.deliveries.iter().map(|other| other.took_ms).max().unwrap_or(0).max(1);
    let filled = delivery.took_ms.saturating_mul(u64::from(BAR)).div_ceil(slowest) as usize;
    let (full, empty) = if model.look.unicode { ("━", "─") } else { ("=", "-") };
    let rest = BAR as usize - filled.min(BAR as usize);
    vec![
        piece(Paint::Brand, &full.repeat(filled)),
        piece(Paint::Dim, &empty.repeat(rest)),
        piece(Paint::Plain, &format!(" {} ms", delivery.took_ms)),
    ]
}

/// The lines of a reply's body, an empty one before them.
pub(super) fn reply_lines(reply: &Reply) -> Vec<Pieces> {
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
