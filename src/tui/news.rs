//! What creel said by itself: apps that are down, what was given up, alerts. A notice goes with the next key, and somebody who
//! was away wants to read it all the same.

use std::collections::VecDeque;

use super::{
    line::{self, Pieces, piece},
    look::Paint,
    model::{Model, Tone},
};
use crate::{body, record::Timestamp};

/// How many are kept.
const KEPT: usize = 500;

/// What was said, the newest first.
#[derive(Debug, Default)]
pub(super) struct News {
    said: VecDeque<Said>,
    /// How many of them nobody has read.
    pub(super) unread: u64,
}

#[derive(Debug)]
struct Said {
    at: Timestamp,
    tone: Tone,
    text: String,
}

impl News {
    pub(super) fn add(&mut self, at: Timestamp, tone: Tone, text: String) {
        self.said.push_front(Said { at, tone, text });
        self.said.truncate(KEPT);
        self.unread += 1;
    }
}

/// The rows of the sheet.
pub(super) fn rows(model: &Model, columns: usize) -> Vec<Pieces> {
    if model.news.said.is_empty() {
        let words = "Nothing was said yet. What creel tells by itself stands here: an app that is down or answers again, what was \
                     given up, alerts, and what could not be kept.";
        return line::paragraph(Paint::Dim, words, columns);
    }
    let row = |said: &Said| {
        let time = format!("{}  ", said.at.clock(&model.zone));
        let paint = if said.tone == Tone::Good { Paint::Good } else { Paint::Warning };
        let indent = body::width(&time);
        let text = line::paragraph(paint, &said.text, columns.saturating_sub(indent).max(1));
        let begin = move |at: usize| if at == 0 { time.clone() } else { " ".repeat(indent) };
        text.into_iter().enumerate().map(move |(at, row)| [vec![piece(Paint::Dim, &begin(at))], row].concat()).collect()
    };
    model.news.said.iter().flat_map(|said| -> Vec<Pieces> { row(said) }).collect()
}
