//! The sheet and the palette, over list and detail.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::{Color, Style},
    text::Line,
    widgets::{Clear, Widget},
};

use super::lines;
use crate::{
    body,
    tui::{
        line::{Piece, line, piece},
        look::Paint,
        model::Model,
        palette::Palette,
        sheet::Content,
    },
};

/// How wide the palette is at most, in columns.
const PALETTE_COLUMNS: u16 = 84;
/// How many of its rows are seen at most.
const PALETTE_ROWS: u16 = 16;

/// All but the header and the footer; below the sheet's title.
fn area(model: &Model) -> Rect {
    Rect::new(0, 2, model.size.0, model.size.1.saturating_sub(3))
}

/// How far the sheet can be scrolled.
pub(in crate::tui) fn last_row(model: &Model) -> usize {
    let area = area(model);
    let rows = model.sheet.as_ref().map_or(0, |sheet| sheet.rows(model, usize::from(area.width)).len());
    rows.saturating_sub(usize::from(area.height))
}

/// Draws the sheet.
pub(super) fn sheet(model: &Model, buffer: &mut Buffer) {
    let Some(sheet) = &model.sheet else { return };
    let area = area(model);
    Clear.render(Rect { y: 1, height: area.height + 1, ..area }.intersection(buffer.area), buffer);
    let title = [piece(Paint::Heading, &format!(" {}", sheet.title))];
    lines([line(&title, model.look)], Rect { y: 1, height: 1, ..area }, buffer);
    let code = if let Content::Qr { code, .. } = &sheet.content { code.len() } else { 0 };
    // A camera wants dark on light, whatever the theme.
    let paper = Style::new().fg(Color::Black).bg(Color::White);
    let draw = |(at, row): (usize, Vec<Piece>)| {
        if at < code {
            Line::from(row.into_iter().map(|it| it.text).collect::<String>()).style(paper)
        } else {
            line(&row, model.look)
        }
    };
    let rows = sheet.rows(model, usize::from(area.width)).into_iter().enumerate().skip(sheet.scroll).map(draw);
    lines(rows, area, buffer);
}

/// Draws the palette; where the cursor stands in it.
pub(super) fn palette(model: &Model, palette: &Palette, buffer: &mut Buffer) -> Position {
    let rows = palette.rows(model);
    let width = model.size.0.saturating_sub(4).min(PALETTE_COLUMNS);
    let height = (PALETTE_ROWS + 2).min(model.size.1.saturating_sub(2));
    let area = Rect::new((model.size.0 - width) / 2, 1.min(model.size.1), width, height);
    Clear.render(area.intersection(buffer.area), buffer);
    let columns = usize::from(width);
    let typed = palette.typed.text();
    let count = format!("{} ", rows.len());
    let gap = columns.saturating_sub(body::width(&typed) + 3 + count.len());
    let head = [
        piece(Paint::Brand, " > "),
        piece(Paint::Plain, &typed),
        piece(Paint::Dim, &format!("{}{count}", " ".repeat(gap))),
    ];
    let seen = usize::from(height.saturating_sub(2)).max(1);
    let chosen = palette.chosen.min(rows.len().saturating_sub(1));
    let top = (chosen + 1).saturating_sub(seen);
    let shown = rows.iter().enumerate().skip(top).take(seen).map(|(at, row)| {
        let paint = if at == chosen { Paint::Selected } else { Paint::Plain };
        let name = body::fit(&row.name, columns.saturating_sub(body::width(row.chord) + 4));
        let gap = columns.saturating_sub(body::width(&name) + body::width(row.chord) + 3);
        let chord = if at == chosen { Paint::Selected } else { Paint::Brand };
        line(
            &[piece(paint, &format!("  {name}{}", " ".repeat(gap))), piece(chord, &format!("{} ", row.chord))],
            model.look,
        )
    });
    let foot = [piece(Paint::Dim, "  enter does it, esc leaves")];
    let all: Vec<_> = std::iter::once(line(&head, model.look)).chain(shown).chain([line(&foot, model.look)]).collect();
    let filled = u16::try_from(all.len()).unwrap_or(height).min(height);
    lines(all, Rect { height: filled, ..area }, buffer);
    let before: String = palette.typed.text.iter().take(palette.typed.cursor).collect();
    Position::new(area.x + (3 + body::width(&before)).min(columns) as u16, area.y)
}
