//! A frame around what lies over list and detail: its title above, its keys below.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    widgets::{Clear, Widget},
};

use super::lines;
use crate::{
    body,
    tui::{
        line::{self, Pieces, line, piece},
        look::{Look, Paint},
        model::Model,
    },
};

/// The signs of a frame: its corners from the upper left on, across, down.
const UNICODE: [&str; 6] = ["╭", "╮", "╰", "╯", "─", "│"];
const ASCII: [&str; 6] = ["+", "+", "+", "+", "-", "|"];

/// What stands in a frame's lines.
#[derive(Default)]
pub(super) struct Frame {
    /// Above, to the left.
    pub(super) title: String,
    /// Above, to the right: a count, a place.
    pub(super) note: String,
    /// Below: keys and what they do.
    pub(super) keys: Vec<(String, &'static str)>,
}

/// What is left for a content within a frame.
pub(super) fn inside(area: Rect) -> Rect {
    Rect { x: area.x + 1, y: area.y + 1, width: area.width.saturating_sub(2), height: area.height.saturating_sub(2) }
}

/// Clears an area and draws a frame around it; gives what is left within.
pub(super) fn draw(model: &Model, area: Rect, frame: &Frame, buffer: &mut Buffer) -> Rect {
    let area = area.intersection(buffer.area);
    Clear.render(area, buffer);
    buffer.set_style(area, model.look.style(Paint::Plain));
    if area.width < 2 || area.height < 2 {
        return Rect::default();
    }
    let signs = if model.look.unicode { &UNICODE } else { &ASCII };
    let width = usize::from(area.width);
    let above = edge(&above(frame, width.saturating_sub(4)), [signs[0], signs[4], signs[1]], width);
    let below = edge(&below(frame, width.saturating_sub(4)), [signs[2], signs[4], signs[3]], width);
    let side = || [piece(Paint::Rule, signs[5])];
    for y in area.y + 1..area.y + area.height - 1 {
        put(&side(), Rect { y, height: 1, width: 1, ..area }, model.look, buffer);
        put(&side(), Rect { x: area.x + area.width - 1, y, height: 1, width: 1 }, model.look, buffer);
    }
    put(&above, Rect { height: 1, ..area }, model.look, buffer);
    put(&below, Rect { y: area.y + area.height - 1, height: 1, ..area }, model.look, buffer);
    inside(area)
}

fn put(pieces: &[crate::tui::line::Piece], area: Rect, look: Look, buffer: &mut Buffer) {
    lines([line(pieces, look)], area, buffer);
}

/// A line of the frame with a text in it, and one at its right end.
fn edge(texts: &(Pieces, Pieces), [left, across, right]: [&str; 3], width: usize) -> Pieces {
    let rest = width.saturating_sub(line::width(&texts.0) + line::width(&texts.1) + 4);
    let mut row = vec![piece(Paint::Rule, &format!("{left}{across}"))];
    row.extend(texts.0.clone());
    row.push(piece(Paint::Rule, &across.repeat(rest)));
    row.extend(texts.1.clone());
    row.push(piece(Paint::Rule, &format!("{across}{right}")));
    row
}

fn above(frame: &Frame, room: usize) -> (Pieces, Pieces) {
    let note = if frame.note.is_empty() { String::new() } else { format!(" {} ", frame.note) };
    let note = if body::width(&note) + 8 <= room { note } else { String::new() };
    let title = body::fit(&frame.title, room.saturating_sub(body::width(&note) + 2));
    let title = if title.is_empty() { Vec::new() } else { vec![piece(Paint::Heading, &format!(" {title} "))] };
    (title, vec![piece(Paint::Dim, &note)])
}

/// As many of the keys as there is room for.
fn below(frame: &Frame, room: usize) -> (Pieces, Pieces) {
    let mut row = Vec::new();
    let mut used = 1;
    for (chord, words) in &frame.keys {
        used += body::width(chord) + body::width(words) + 2;
        if used > room {
            break;
        }
        row.push(piece(Paint::Heading, &format!(" {chord}")));
        row.push(piece(Paint::Dim, &format!(" {words}")));
    }
    if !row.is_empty() {
        row.push(piece(Paint::Dim, " "));
    }
    (row, Vec::new())
}
