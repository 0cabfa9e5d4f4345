//! The statistics: what came in the last minute, hour or day, drawn as bars.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    frame::{self, Frame},
    lines,
    sheet::{outside, seen},
};
use crate::{
    body,
    engine::figures::{self, sum},
    record::thousands,
    store::{Counts, SIZES, Stats, TIMES},
    tui::{
        age,
        line::{self, Pieces, line, piece},
        look::{Look, Paint},
        model::Model,
        stats::WINDOWS,
    },
};

/// What stands above what scrolls, and what scrolls.
type Rows = (Vec<Pieces>, Vec<Pieces>);

/// How far the statistics can be scrolled.
pub(in crate::tui) fn last_row(model: &Model) -> usize {
    let area = frame::inside(outside(model));
    let (above, rows) = content(model, area);
    rows.len().saturating_sub(usize::from(area.height).saturating_sub(above.len()))
}

/// Draws over everything between header and footer.
pub(super) fn draw(model: &Model, buffer: &mut Buffer) {
    let (above, rows) = content(model, frame::inside(outside(model)));
    let height = usize::from(frame::inside(outside(model)).height).saturating_sub(above.len());
    let scroll = model.stats.scroll.min(rows.len().saturating_sub(height));
    let frame = Frame { title: "Statistics".to_owned(), note: seen(scroll, height, rows.len()), ..Frame::default() };
    let area = frame::draw(model, outside(model), &frame, buffer);
    let all = above.iter().chain(rows.iter().skip(scroll));
    lines(all.map(|row| line(row, model.look)), area, buffer);
}

fn content(model: &Model, area: Rect) -> Rows {
    let (columns, height) = (usize::from(area.width), usize::from(area.height));
    let mut above = vec![windows(model)];
    let mut rows = Vec::new();
    match &model.stats.stats {
        None => rows.push(vec![piece(Paint::Dim, " counting…")]),
        Some(stats) => {
            above.extend(wrapped(totals(stats), columns));
            rows.push(Vec::new());
            if sum(&stats.all) == 0 {
                let (name, _) = WINDOWS.get(model.stats.window).copied().unwrap_or_default();
                let more =
                    if model.stats.window + 1 < WINDOWS.len() { "; {next-window} shows a longer time" } else { "" };
                let words = format!("Nothing came in the {name}{}.", model.keys.told(more));
                rows.extend(
                    line::paragraph(Paint::Dim, &words, columns)
                        .into_iter()
                        .map(|row| [vec![piece(Paint::Dim, " ")], row].concat()),
                );
                return (above, rows);
            }
            rows.extend(chart(stats, columns, chart_rows(height), model.look));
            rows.push(Vec::new());
            rows.extend(tables(stats, columns, model.look));
        }
    }
    (above, rows)
}

/// Numbers with their names, as many in a row as there is room for; none is torn.
fn wrapped(words: Pieces, columns: usize) -> Vec<Pieces> {
    let mut rows: Vec<Pieces> = vec![Vec::new()];
    let mut used = 0;
    for word in words {
        let width = body::width(&word.text);
        if used > 0 && used + width > columns {
            rows.push(Vec::new());
            used = 0;
        }
        used += width;
        rows.last_mut().into_iter().for_each(|row| row.push(word.clone()));
    }
    rows
}

/// How high the chart is: a third of the room, within bounds.
fn chart_rows(height: usize) -> usize {
    (height / 3).clamp(4, 14)
}

fn windows(model: &Model) -> Pieces {
    let mut row = Vec::new();
    for (at, (name, _)) in WINDOWS.iter().enumerate() {
        let paint = if at == model.stats.window { Paint::Selected } else { Paint::Dim };
        row.push(piece(paint, &format!(" {name} ")));
    }
    row
}

fn paint_of(verdict: usize) -> Paint {
    [Paint::Good, Paint::Bad, Paint::Dim, Paint::Warning].get(verdict).copied().unwrap_or(Paint::Plain)
}

fn totals(stats: &Stats) -> Pieces {
    let [all, rate, bytes] = figures::caught(stats);
    let mut row = vec![
        piece(Paint::Heading, &format!(" {all} caught")),
        piece(Paint::Dim, &format!("   {rate}")),
        piece(Paint::Dim, &format!("   {bytes}")),
    ];
    let there = figures::verdicts(&stats.all).enumerate().filter(|(_, (count, _))| *count > 0);
    row.extend(there.map(|(at, (_, words))| piece(paint_of(at), &format!("   {words}"))));
    row
}

/// Bars over time, stacked by verdict: what failed stands below.
fn chart(stats: &Stats, columns: usize, height: usize, look: Look) -> Vec<Pieces> {
    const AXIS: usize = 8;
    let room = columns.saturating_sub(AXIS + 2);
    let pieces = joined(&stats.pieces, room);
    let widths = widths(pieces.len(), room);
    // A gap between bars where there is room for one, and they look alike all the same.
    let gap = usize::from(widths.iter().all(|width| *width > 2));
    let most = pieces.iter().map(sum).max().unwrap_or(0).max(1);
    let mut rows = Vec::new();
    for row in (0..height).rev() {
        let label = if row + 1 == height { thousands(most) } else { String::new() };
        let label = if row == 0 { "0".to_owned() } else { label };
        let mut out = vec![piece(Paint::Dim, &format!("{:>AXIS$} ", body::fit(&label, AXIS)))];
        for (counts, width) in pieces.iter().zip(&widths) {
            let (paint, sign) = cell(counts, most, row, height, look);
            out.push(piece(paint, &format!("{}{}", sign.repeat(width - gap), " ".repeat(gap))));
        }
        rows.push(out);
    }
    let (from, to) = (format!("{} ago", age::words(stats.until, stats.since)), "now");
    let used = widths.iter().sum::<usize>() - gap.min(widths.len());
    let blanks = used.saturating_sub(from.len() + to.len());
    rows.push(vec![piece(Paint::Dim, &format!("{:>1$} {from}{2}{to}", "", AXIS, " ".repeat(blanks)))]);
    rows
}

/// How wide each of so many bars is, so that all of them have the whole room.
fn widths(bars: usize, room: usize) -> Vec<usize> {
    let end = |bar: usize| bar * room.max(bars) / bars.max(1);
    (0..bars).map(|bar| end(bar + 1) - end(bar)).collect()
}

/// The pieces of a time, as many of them joined to one as it takes for all to have a column.
fn joined(pieces: &[Counts], columns: usize) -> Vec<Counts> {
    let each = pieces.len().div_ceil(columns.max(1)).max(1);
    let sum = |few: &[Counts]| std::array::from_fn(|verdict| few.iter().map(|counts| counts[verdict]).sum());
    pieces.rchunks(each).rev().map(sum).collect()
}

/// The verdicts, the worst first: it stands below, or to the left.
const WORST_FIRST: [usize; 4] = [1, 3, 2, 0];

/// How many of a bar's cells each verdict has: by its share, and at least one each where there are enough. One cell after the
/// other goes to who has the most captures for each cell it has (Adams' method).
fn shares(counts: &Counts, cells: usize) -> [usize; 4] {
    let mut given = [0; 4];
    for _ in 0..cells {
        let there = WORST_FIRST.into_iter().filter(|verdict| counts[*verdict] > 0);
        // Of two that have as much the worse one comes first.
        let next = there.reduce(|best, other| {
            let more = |one: usize, two: usize| u128::from(counts[one]) * given[two] as u128;
            let is_more = match (given[best], given[other]) {
                (0, 0) => counts[other] > counts[best],
                _ => more(other, best) > more(best, other),
            };
            if is_more { other } else { best }
        });
        next.into_iter().for_each(|verdict| given[verdict] += 1);
    }
    given
}

/// One cell of a bar: which verdict it shows, and how much of it is filled.
fn cell(counts: &Counts, most: u64, row: usize, height: usize, look: Look) -> (Paint, &'static str) {
    let levels = look.signs().levels;
    let steps = levels.len() as u64 - 1;
    let top = (sum(counts) * height as u64 * steps).div_ceil(most.max(1));
    let level = top.saturating_sub(row as u64 * steps).min(steps);
    let given = shares(counts, top.div_ceil(steps) as usize);
    let mut reached = 0;
    let verdict = WORST_FIRST.into_iter().find(|verdict| {
        reached += given[*verdict];
        reached > row
    });
    (verdict.map_or(Paint::Plain, paint_of), levels.get(level as usize).copied().unwrap_or(" "))
}

/// A table of bars.
struct Table {
    name: &'static str,
    /// What is said of all of them.
    note: Option<String>,
    rows: Vec<(String, Of)>,
}

/// What a bar is of.
#[derive(Clone, Copy)]
enum Of {
    /// So many.
    Number(u64),
    /// So many of each verdict.
    Verdicts(Counts),
}

impl Of {
    fn count(self) -> u64 {
        match self {
            Self::Number(count) => count,
            Self::Verdicts(counts) => sum(&counts),
        }
    }

    /// The number, and what failed of it: a bar's colours are not seen everywhere.
    fn words(self) -> [String; 2] {
        match self {
            Self::Number(count) => [thousands(count), String::new()],
            Self::Verdicts(counts) => figures::all_and_failed(&counts),
        }
    }
}

/// The four tables beside each other, or fewer where the terminal is narrow.
fn tables(stats: &Stats, columns: usize, look: Look) -> Vec<Pieces> {
    let tables = [
        by_name("endpoint", &stats.endpoints),
        by_name("provider", &stats.providers),
        classes("size", &SIZES, &stats.sizes, body::size),
        Table { note: note(stats), ..classes("sent on", &TIMES, &stats.times, figures::took) },
    ];
    let beside = (columns / 38).clamp(1, tables.len());
    let width = (columns.saturating_sub(2) / beside).max(1);
    // All bars begin at the same place, and those of one table end so that the longest number stands behind them.
    let names = tables.iter().flat_map(|table| &table.rows).map(|(name, _)| body::width(name));
    let label = names.max().unwrap_or_default().min(LABEL);
    let mut rows = Vec::new();
    for group in tables.chunks(beside) {
        let columns: Vec<Vec<Pieces>> =
            group.iter().map(|table| bars(table, label, width.saturating_sub(2), look)).collect();
        let longest = columns.iter().map(Vec::len).max().unwrap_or(0);
        for at in 0..longest {
            let mut row = vec![piece(Paint::Plain, " ")];
            for column in &columns {
                let cells = column.get(at).cloned().unwrap_or_default();
                let used = line::width(&cells);
                row.extend(cells);
                row.push(piece(Paint::Plain, &" ".repeat(width.saturating_sub(used))));
            }
            rows.push(row);
        }
        rows.push(Vec::new());
    }
    rows.pop();
    rows
}

/// What apps made of what was sent to them: how often it was, the bars say.
fn note(stats: &Stats) -> Option<String> {
    figures::sent(stats).map(|[_, words @ ..]| words.join("   "))
}

/// How many names a table has at most, and how wide one is.
const NAMES: usize = 8;
const LABEL: usize = 14;

fn by_name(name: &'static str, counts: &[(String, Counts)]) -> Table {
    let row = |(name, counts): &(String, Counts)| (figures::name(name).to_owned(), Of::Verdicts(*counts));
    Table { name, note: None, rows: counts.iter().take(NAMES).map(row).collect() }
}

fn classes(name: &'static str, ends: &[u64], counts: &[u64], words: fn(u64) -> String) -> Table {
    let last = ends.last().map(|end| format!("≥ {}", words(*end)));
    let names = ends.iter().map(|end| format!("< {}", words(*end))).chain(last);
    let rows = names.zip(counts).filter(|(_, count)| **count > 0).map(|(name, count)| (name, Of::Number(*count)));
    Table { name, note: None, rows: rows.collect() }
}

/// A table's lines: its name, what is said of all of it, and a bar for each row.
fn bars(table: &Table, label: usize, width: usize, look: Look) -> Vec<Pieces> {
    let mut rows = vec![vec![piece(Paint::Heading, &body::fit(table.name, width))]];
    rows.extend(table.note.iter().flat_map(|note| line::paragraph(Paint::Dim, note, width)));
    if table.rows.is_empty() {
        rows.push(vec![piece(Paint::Dim, "nothing")]);
    }
    let most = table.rows.iter().map(|row| row.1.count()).max().unwrap_or(1).max(1);
    let number = table.rows.iter().map(|row| body::width(&row.1.words().concat())).max().unwrap_or_default();
    let room = width.saturating_sub(label + number + 2);
    for (name, of) in &table.rows {
        let name = body::fit(name, label);
        let blanks = " ".repeat(label.saturating_sub(body::width(&name)) + 1);
        let mut row = vec![piece(Paint::Dim, &format!("{name}{blanks}"))];
        row.extend(parted(*of, &bar(of.count(), most, room, look)));
        let [all, failed] = of.words();
        row.push(piece(Paint::Plain, &format!(" {all}")));
        row.push(piece(Paint::Bad, &failed));
        rows.push(row);
    }
    rows
}

/// A bar in the colours of its verdicts, each as long as its share.
fn parted(of: Of, bar: &str) -> Pieces {
    let Of::Verdicts(counts) = of else { return vec![piece(Paint::Brand, bar)] };
    let given = shares(&counts, bar.chars().count());
    let mut cells = bar.chars();
    let mut part = |verdict: usize| piece(paint_of(verdict), &cells.by_ref().take(given[verdict]).collect::<String>());
    WORST_FIRST.into_iter().map(&mut part).filter(|piece| !piece.text.is_empty()).collect()
}

/// A bar of a length, to a part of a cell.
fn bar(count: u64, most: u64, room: usize, look: Look) -> String {
    let parts = look.signs().parts;
    let steps = (parts.len() - 1).max(1) as u64;
    let filled = (u128::from(count) * room as u128 * u128::from(steps)).div_ceil(u128::from(most.max(1))) as u64;
    let whole = parts.last().copied().unwrap_or("#").repeat((filled / steps) as usize);
    format!("{whole}{}", parts.get((filled % steps) as usize).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOK: Look = Look::plain(true, true);

    #[test]
    fn a_bar_is_as_long_as_its_number_and_never_nothing_for_something() {
        assert_eq!(bar(10, 10, 4, LOOK), "████");
        assert_eq!(bar(5, 10, 4, LOOK), "██");
        assert_eq!(bar(1, 1_000, 4, LOOK), "▏");
        assert_eq!(bar(0, 10, 4, LOOK), "");
        assert_eq!(bar(u64::MAX, u64::MAX, 2, Look::plain(true, false)), "##");
    }

    #[test]
    fn a_narrow_chart_leaves_nothing_out() {
        let pieces: Vec<Counts> = (1..=7).map(|count| [count, 0, 0, 1]).collect();
        assert_eq!(joined(&pieces, 7), pieces);
        assert_eq!(joined(&pieces, 6), [[1, 0, 0, 1], [5, 0, 0, 2], [9, 0, 0, 2], [13, 0, 0, 2]]);
        assert_eq!(joined(&pieces, 0), [[28, 0, 0, 7]]);
        assert_eq!(joined(&[], 9), [[0; 4]; 0]);
    }

    #[test]
    fn the_bars_of_a_chart_have_the_whole_room() {
        assert_eq!(widths(4, 10), [2, 3, 2, 3]);
        assert_eq!(widths(3, 1), [1, 1, 1]);
        assert_eq!(widths(0, 9), [0; 0]);
        for columns in [20, 60, 78, 100, 119, 150, 179, 200] {
            let stats = Stats { pieces: vec![[1, 0, 0, 0]; 60], ..Stats::default() };
            let used = chart(&stats, columns, 4, LOOK).iter().map(|row| line::width(row)).max();
            assert!(used.is_some_and(|used| used + 1 >= columns && used <= columns), "{columns}: {used:?}");
        }
    }

    #[test]
    fn the_cells_of_a_bar_are_shared_by_verdict() {
        for (counts, cells, given) in [
            ([9, 1, 0, 0], 10, [9, 1, 0, 0]),
            ([5, 5, 0, 0], 10, [5, 5, 0, 0]),
            ([999, 1, 0, 0], 4, [3, 1, 0, 0]),
            ([3, 1, 2, 4], 10, [3, 1, 2, 4]),
            ([9, 1, 0, 0], 1, [1, 0, 0, 0]),
            ([1, 1, 0, 0], 1, [0, 1, 0, 0]),
            ([0, 7, 0, 0], 3, [0, 3, 0, 0]),
            ([u64::MAX, 0, 0, u64::MAX], 4, [2, 0, 0, 2]),
            ([0; 4], 5, [0; 4]),
        ] {
            assert_eq!(shares(&counts, cells), given, "{counts:?}");
        }
    }

    #[test]
    fn a_bar_of_a_table_is_parted_by_verdict_and_no_longer_for_it() {
        let parts: Vec<_> =
            parted(Of::Verdicts([9, 1, 0, 0]), "█████▌").into_iter().map(|piece| (piece.paint, piece.text)).collect();
        assert_eq!(parts, [(Paint::Bad, "█".to_owned()), (Paint::Good, "████▌".to_owned())]);
    }

    #[test]
    fn what_failed_is_seen_however_little_it_is() {
        let counts = [999, 1, 0, 0];
        assert_eq!(cell(&counts, 1_000, 0, 4, LOOK).0, Paint::Bad);
        assert_eq!(cell(&counts, 1_000, 3, 4, LOOK), (Paint::Good, "█"));
        assert_eq!(cell(&[0; 4], 1_000, 0, 4, LOOK).1, " ");
    }
}
