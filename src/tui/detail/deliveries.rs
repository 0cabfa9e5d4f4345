//! The deliveries' tab.

use super::{
    facts::{outcome, text_fact},
    headers::header_line,
};
use crate::{
    body,
    record::{Delivery, Outcome, Reply},
    tui::{
        line::{self, Pieces, piece, plain},
        look::Paint,
        model::Model,
    },
};

/// How many lines of a reply's body are shown.
const REPLY_LINES: usize = 200;
/// How far the content coding of a reply is undone, in bytes: it is done while the screen is drawn.
const REPLY_UNDONE: u64 = 1 << 20;

pub(super) fn deliveries(model: &Model, columns: usize) -> Vec<Pieces> {
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
