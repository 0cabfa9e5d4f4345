//! Drawing. Reads the model, changes nothing.

mod chrome;
mod detail;
mod frame;
mod help;
mod list;
mod offers;
mod sheet;
mod stats;

use ratatui::{
    Frame,
    buffer::{Buffer, Cell},
    style::Modifier,
};

pub(super) use self::{
    chrome::{footer_command, leads_to},
    detail::{note_below, tab_at},
    help::rows as help_rows,
    sheet::{last_row, palette_row_at, rows_over},
    stats::last_row as last_stats_row,
};
use super::{keys::Mode, layout, look::Paint, model::Model};
use crate::body;

/// Draws a frame.
pub(super) fn draw(model: &Model, frame: &mut Frame<'_>) {
    // Between a resize and its message the terminal and the model disagree for a frame; what does not fit is not drawn.
    let areas = layout::areas(model);
    let buffer = frame.buffer_mut();
    buffer.set_style(buffer.area, model.look.style(Paint::Plain));
    chrome::header(model, areas.header, buffer);
    list::draw(model, &areas, buffer);
    detail::draw(model, &areas, buffer);
    chrome::notice(model, areas.notice, buffer);
    sheet::sheet(model, buffer);
    let mut cursor = chrome::footer(model, areas.footer, buffer);
    if model.mode == Mode::Stats {
        stats::draw(model, buffer);
    }
    if model.mode == Mode::Help {
        help::draw(model, buffer);
    }
    if let Some(palette) = &model.palette {
        cursor = Some(sheet::palette(model, palette, buffer));
    }
    sweep(buffer);
    if let Some(position) = cursor.filter(|position| buffer.area.contains(*position)) {
        frame.set_cursor_position(position);
    }
}

/// The last look at a frame before the terminal sees it: whatever a terminal might obey, or not show, becomes a `?`.
/// Texts were escaped long before; this holds where somebody forgot.
fn sweep(buffer: &mut Buffer) {
    let mut cells = &mut buffer.content[..];
    while let Some((cell, behind)) = cells.split_first_mut() {
        if !cell.symbol().chars().all(body::is_safe) {
            cell.set_symbol("?");
        }
        if cell.symbol().len() > 1 {
            cover(cell, behind);
        }
        cells = behind;
    }
}

/// What a wide character covers is told apart from what is blank, so that it is drawn when the character goes: a terminal may have
/// put something of its own there, as the second letter of a flag. One that is half covered by something else is left out.
fn cover(cell: &mut Cell, behind: &mut [Cell]) {
    let covered = body::width(cell.symbol()).saturating_sub(1).min(behind.len());
    let covered = &mut behind[..covered];
    if covered.iter().any(|cell| cell.symbol() != " ") {
        cell.set_symbol(" ");
        return;
    }
    covered.iter_mut().for_each(|cell| cell.modifier.insert(Modifier::HIDDEN));
}

/// Draws lines one under the other; what is outside the area or the buffer is left out.
fn lines<'a>(
    lines: impl IntoIterator<Item = ratatui::text::Line<'a>>,
    area: ratatui::layout::Rect,
    buffer: &mut Buffer,
) {
    let area = area.intersection(buffer.area);
    for (y, line) in (area.y..area.y + area.height).zip(lines) {
        let (end, _) = buffer.set_line(area.x, y, &line, area.width);
        // A wide character that has no room leaves a column empty.
        let is_full = area.width > 0 && end + 1 >= area.right();
        if is_full && is_cut(&line, area.width) {
            mark_cut(buffer, area.right(), y);
        }
    }
}

/// Whether more of a line than blanks has no room.
fn is_cut(line: &ratatui::text::Line<'_>, columns: u16) -> bool {
    let mut left = usize::from(columns);
    line.spans.iter().any(|span| {
        let text = if left == 0 { &span.content } else { span.content.trim_end() };
        let width = body::width(text);
        let is_over = width > left && !text.trim().is_empty();
        left = left.saturating_sub(body::width(&span.content));
        is_over
    })
}

/// Puts the mark of what goes on into the last cell before a column; a wide character there makes room for it.
fn mark_cut(buffer: &mut Buffer, end: u16, y: u16) {
    let Some(last) = end.checked_sub(1) else { return };
    let before = last.checked_sub(1).filter(|x| body::width(buffer[(*x, y)].symbol()) > 1);
    for (x, symbol) in [(before, " "), (Some(last), "…")] {
        if let Some(cell) = x.and_then(|x| buffer.cell_mut((x, y))) {
            cell.set_symbol(symbol);
        }
    }
}

#[cfg(test)]
mod tests {
    use ratatui::{buffer::Buffer, layout::Rect};

    #[test]
    fn what_has_no_room_ends_in_a_mark_and_blanks_need_none() {
        for (text, columns, shown) in [
            ("trout", 5, "trout"),
            ("trout  ", 5, "trout"),
            ("trouts", 5, "trou…"),
            ("漢字", 4, "漢字"),
            ("漢字漢", 4, "漢 …"),
            ("a漢字", 4, "a漢…"),
            ("x", 0, ""),
        ] {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 8, 1));
            super::lines([ratatui::text::Line::from(text)], Rect::new(1, 0, columns, 1), &mut buffer);
            // What is behind a wide character is no character of its own.
            let mut symbols = buffer.content.iter().map(ratatui::buffer::Cell::symbol);
            let mut seen = String::new();
            while let Some(symbol) = symbols.next() {
                seen.push_str(symbol);
                for _ in 1..crate::body::width(symbol) {
                    symbols.next();
                }
            }
            assert_eq!(seen.trim(), shown, "{text} in {columns}");
        }
    }

    #[test]
    fn what_was_forgotten_is_swept() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 4, 1));
        for (cell, symbol) in buffer.content.iter_mut().zip(["\u{1b}[2J", "a\u{200b}", "\u{9b}", "漢"]) {
            cell.set_symbol(symbol);
        }
        super::sweep(&mut buffer);
        let symbols: Vec<_> = buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect();
        assert_eq!(symbols, ["?", "?", "?", "漢"]);
    }

    #[test]
    fn what_a_wide_character_covered_is_drawn_when_it_goes_and_half_of_one_is_none() {
        let row = |text: &str| {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 6, 1));
            super::lines([ratatui::text::Line::from(text)], buffer.area, &mut buffer);
            buffer
        };
        let mut flag = row("a🇨🇭b");
        super::sweep(&mut flag);
        let mut after = row("a");
        super::sweep(&mut after);
        let drawn: Vec<_> = flag.diff(&after).into_iter().map(|(x, _, cell)| (x, cell.symbol())).collect();
        assert_eq!(drawn, [(1, " "), (2, " "), (3, " ")]);
        let mut half = row("漢字");
        half[(3, 0)].set_symbol("│");
        super::sweep(&mut half);
        assert_eq!([0, 2, 3].map(|x| half[(x, 0)].symbol()), ["漢", " ", "│"]);
    }
}
