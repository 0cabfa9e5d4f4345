//! Header, notice, footer and prompt.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    text::{Line, Span},
};

use super::lines;
use crate::{
    body,
    tui::{
        keys::{KEYMAP, Mode},
        line::{Piece, line, piece},
        look::Paint,
        model::{Model, Tone},
        prompt::Prompt,
        stage::Place,
    },
};

/// What creel is, where it is, what the store holds, which filter is in force.
pub(super) fn header(model: &Model, area: Rect, buffer: &mut Buffer) {
    let signs = model.look.signs();
    let mut left = vec![piece(Paint::Brand, " creel "), piece(Paint::Plain, " ")];
    match &model.place {
        Place::Listening(url) => {
            left.push(piece(Paint::Heading, url));
            let (paint, word) = if model.server_ended { (Paint::Bad, "stopped") } else { (Paint::Good, "live") };
            left.push(piece(paint, &format!("  {} {word}", signs.live)));
        }
        Place::Watching { store, .. } => {
            left.push(piece(Paint::Dim, "watching "));
            left.push(piece(Paint::Heading, store));
        }
    }
    let mut right = counters(model);
    if let Some(filter) = &model.filter {
        right.push(piece(Paint::Warning, &format!("   filter: {}", filter.text())));
    }
    right.push(piece(Paint::Plain, " "));
    let room = usize::from(area.width).saturating_sub(width(&left) + 2);
    let right = shortened(right, room);
    let gap = usize::from(area.width).saturating_sub(width(&left) + width(&right));
    left.push(piece(Paint::Plain, &" ".repeat(gap)));
    left.extend(right);
    lines([line(&left, model.look)], area, buffer);
}

fn counters(model: &Model) -> Vec<Piece> {
    let counters = &model.counters;
    let dot = format!(" {} ", model.look.signs().dot);
    let mut pieces = vec![piece(Paint::Plain, &format!("{} caught", thousands(counters.captures)))];
    for (count, word, paint) in [
        (counters.failed, "failed", Paint::Bad),
        (counters.duplicates, "dup", Paint::Warning),
        (counters.refused, "refused", Paint::Warning),
        (counters.waiting, "waiting", Paint::Warning),
        (counters.dead, "given up", Paint::Bad),
        (counters.down, "down", Paint::Bad),
    ] {
        if count > 0 {
            pieces.push(piece(Paint::Dim, &dot));
            pieces.push(piece(paint, &format!("{} {word}", thousands(count))));
        }
    }
    pieces
}

/// A number with commas: `1,284`.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group)).collect();
    groups.join(",")
}

fn width(pieces: &[Piece]) -> usize {
    pieces.iter().map(|piece| body::width(&piece.text)).sum()
}

/// As many of the pieces as there is room for, the last of them cut.
fn shortened(pieces: Vec<Piece>, room: usize) -> Vec<Piece> {
    let mut used = 0;
    let fitted = pieces.into_iter().map_while(|piece| {
        let left = room.checked_sub(used).filter(|left| *left > 0)?;
        let text = body::fit(&piece.text, left);
        used += body::width(&piece.text);
        Some(Piece { text, ..piece })
    });
    fitted.collect()
}

/// A word to the user.
pub(super) fn notice(model: &Model, area: Rect, buffer: &mut Buffer) {
    let Some(notice) = &model.notice else { return };
    let paint = match notice.tone {
        Tone::Good => Paint::Good,
        Tone::Bad => Paint::Bad,
        Tone::Plain => Paint::Warning,
    };
    let columns = usize::from(area.width).saturating_sub(2);
    // A notice may be several lines of words; a row shows the first.
    let text = notice.text.lines().next().unwrap_or_default();
    let first = vec![piece(paint, &format!(" {}", body::fit(text, columns)))];
    let hint = notice
        .hint
        .iter()
        .map(|hint| vec![piece(Paint::Dim, &format!(" {}", body::fit(&hint.replace('\n', " "), columns)))]);
    lines([first].into_iter().chain(hint).map(|pieces| line(&pieces, model.look)), area, buffer);
}

/// The keys, or the prompt; where the cursor stands in it.
pub(super) fn footer(model: &Model, area: Rect, buffer: &mut Buffer) -> Option<Position> {
    if let Some(prompt) = &model.prompt {
        return Some(draw_prompt(model, prompt, area, buffer));
    }
    lines([keys(model, usize::from(area.width))], area, buffer);
    None
}

/// The keys of the mode that are for the footer, as many as fit.
fn keys(model: &Model, columns: usize) -> Line<'static> {
    const MOVES: &[(&str, &str)] = &[("j/k", "move"), ("tab", "tabs")];
    let own = |mode: Mode| match mode {
        Mode::Help => vec![("esc", "back")],
        Mode::Detail => [MOVES, &[("esc", "back")]].concat(),
        Mode::List => MOVES[..1].to_vec(),
    };
    let table = KEYMAP.iter().filter(|key| key.modes.contains(&model.mode));
    let rows = table.filter_map(|key| key.footer.map(|word| (key.chords[0], word)));
    let mut spans = vec![Span::raw(" ")];
    let mut used = 1;
    for (chord, word) in own(model.mode).into_iter().chain(rows) {
        let text = format!(" {word}  ");
        used += body::width(chord) + body::width(&text);
        if used > columns {
            break;
        }
        spans.push(Span::styled(chord, model.look.style(Paint::Heading)));
        spans.push(Span::styled(text, model.look.style(Paint::Dim)));
    }
    spans.into()
}

fn draw_prompt(model: &Model, prompt: &Prompt, area: Rect, buffer: &mut Buffer) -> Position {
    let label = prompt.label();
    let used = body::width(&label) + 1;
    let room = usize::from(area.width).saturating_sub(used + 1).max(1);
    // What does not fit scrolls away to the left, so that the cursor is always seen.
    let first = prompt.cursor.saturating_sub(room.saturating_sub(1));
    let text: String = prompt.text[first..].iter().collect();
    let before: String = prompt.text[first..prompt.cursor].iter().collect();
    let paint = if prompt.error.is_some() { Paint::Bad } else { Paint::Plain };
    let typed = vec![piece(Paint::Heading, &format!(" {label}")), piece(paint, &body::fit(&text, room))];
    let mut rows = vec![line(&typed, model.look)];
    if let Some(error) = &prompt.error {
        let indent = used + (error.column - 1).saturating_sub(first).min(room);
        let caret = format!("{}^ {error}", " ".repeat(indent));
        // Where the words do not fit behind the caret, they matter more than it does.
        let fits = body::width(&caret) <= usize::from(area.width);
        let words = if fits { caret } else { format!(" {}: {error}", error.column) };
        rows.push(line(&[piece(Paint::Bad, &body::fit(&words, usize::from(area.width)))], model.look));
    }
    lines(rows, area, buffer);
    Position::new(area.x + (used + body::width(&before)).min(usize::from(area.width)) as u16, area.y)
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_have_commas() {
        for (number, text) in [(0, "0"), (999, "999"), (1_284, "1,284"), (1_000_000, "1,000,000")] {
            assert_eq!(super::thousands(number), text);
        }
    }
}
