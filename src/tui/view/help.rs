//! The help: every key, from the table, and the filter's fields from theirs; in as many columns as fit beside each other.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    frame::{self, Frame},
    lines,
    sheet::{outside, seen},
};
use crate::{
    body, query,
    tui::{
        keys::Command,
        line::{self, Pieces, line, paragraph, piece, wrap},
        look::Paint,
        model::Model,
    },
};

/// How far keys reach, and what a filter's example needs in a column with room.
const KEYS: usize = 16;
const EXAMPLES: usize = 22;
/// How far they reach at least.
const LEAST_KEYS: usize = 9;
/// Under how many columns a column is narrow.
const NARROW: usize = COLUMN;
/// How wide a column is at least where there are several, and what stands between two.
const COLUMN: usize = 54;
const GAP: usize = 2;

/// What is not torn apart by the end of a column: a key with all that is said of it.
type Item = Vec<Pieces>;

/// An item, and its text as it is looked for.
type Entry = (String, Item);

/// How far the help can be scrolled.
pub(in crate::tui) fn rows(model: &Model) -> usize {
    content(model).len().saturating_sub(usize::from(area(model).height))
}

fn area(model: &Model) -> Rect {
    frame::inside(outside(model))
}

/// Draws over everything between header and footer.
pub(super) fn draw(model: &Model, buffer: &mut Buffer) {
    let rows = content(model);
    let note = seen(model.help_scroll, usize::from(area(model).height), rows.len());
    let title = match model.help_words.trim() {
        "" => "Help".to_owned(),
        words => format!("Help: {words}"),
    };
    let frame = Frame { title, note, ..Frame::default() };
    let area = frame::draw(model, outside(model), &frame, buffer);
    lines(rows.into_iter().skip(model.help_scroll).map(|row| line(&row, model.look)), area, buffer);
}

/// The rows of the help, columns side by side.
fn content(model: &Model) -> Vec<Pieces> {
    let room = usize::from(area(model).width);
    let count = ((room + GAP) / (COLUMN + GAP)).max(1);
    let width = (room + GAP) / count - GAP.min(room);
    let items = items(model, width);
    if items.is_empty() {
        let key = model.keys.of(Command::Back);
        let words = format!("nothing in this help says {}: {key} shows all of it again", model.help_words.trim());
        return paragraph(Paint::Dim, &words, room.saturating_sub(2)).into_iter().map(indented).collect();
    }
    beside(balanced(&items, count), width)
}

fn indented(row: Pieces) -> Pieces {
    [vec![piece(Paint::Plain, " ")], row].concat()
}

/// Everything that has the words that are looked for, one below the other.
fn items(model: &Model, columns: usize) -> Vec<Item> {
    let signs = model.look.signs();
    let rows: Vec<_> = model.keys.rows().collect();
    let keys = rows.chunk_by(|_, next| next.key.part.is_none()).map(|part| {
        let entries = part.iter().map(|bound| {
            let (said, item) = entry(&bound.chords, bound.key.help, KEYS, columns);
            // The footer and creel.toml call it otherwise.
            (format!("{said} {} {}", bound.name, bound.key.footer.unwrap_or_default()), item)
        });
        (part[0].key.part.unwrap_or_default(), entries.collect())
    });
    let words = [
        (signs.passed, Paint::Good, "the signature is right"),
        (signs.partly, Paint::Warning, "the token is right; the body is not covered"),
        (signs.failed, Paint::Bad, "the signature is missing, wrong or stale: {tab-4} says why"),
        (signs.unchecked, Paint::Warning, "a provider is known, but no secret: it was not checked"),
        (signs.unsigned, Paint::Dim, "nothing says that it should be signed"),
        (signs.duplicate, Paint::Warning, "the same event came before; which delivery of it this is"),
        (signs.late, Paint::Warning, "an event that happened later came before it"),
        (signs.flag, Paint::Warning, "something is odd: {tab-1} says what"),
        (signs.marked, Paint::Brand, "marked by you, with {mark}"),
        (signs.pinned, Paint::Brand, "pinned by you, with {pin}"),
        (signs.noted, Paint::Brand, "you noted something, with {note}"),
        (signs.edited, Paint::Brand, "not caught: made of another capture"),
        (signs.folded, Paint::Plain, "so many repeats of its event are folded under it: {fold} shows them"),
    ];
    let meanings = words.map(|(sign, paint, words)| {
        let words = model.keys.told(words).into_owned();
        let item = meaning(sign, paint, &words, columns);
        (words, item)
    });
    let meanings = meanings.into();
    let grammar = "words, \"phrases\" and fields; side by side all must match; and, or, not, ( )";
    let (said, grammar) = (grammar.to_owned(), paragraph(Paint::Dim, grammar, columns.saturating_sub(2)));
    let mut filter = vec![(said, grammar.into_iter().map(indented).collect())];
    let saved = "a filter that was saved, or stands in creel.toml under [filters]";
    filter.push(entry(&["@name".to_owned()], saved, EXAMPLES, columns));
    filter.extend(query::FIELDS.iter().map(|field| entry(&[field.example.to_owned()], field.help, EXAMPLES, columns)));
    keys.chain([("Signs", meanings), ("Filters", filter)])
        .flat_map(|(heading, entries)| headed(heading, with_words(entries, &model.help_words)))
        .collect()
}

/// Those that have all the words, whatever their case.
fn with_words(entries: Vec<Entry>, words: &str) -> Vec<Item> {
    let words: Vec<_> = words.split_whitespace().map(str::to_lowercase).collect();
    let has_all = |(said, _): &Entry| words.iter().all(|word| said.to_lowercase().contains(word));
    entries.into_iter().filter(has_all).map(|(_, item)| item).collect()
}

fn entry(keys: &[String], words: &str, reach: usize, columns: usize) -> Entry {
    (format!("{} {words}", keys.join(" ")), row(keys, words, reach, columns))
}

/// A group with its heading, which stays with the first of it.
fn headed(heading: &str, mut items: Vec<Item>) -> Vec<Item> {
    if let Some(first) = items.first_mut() {
        first.splice(0..0, [Vec::new(), indented(vec![piece(Paint::Heading, heading)])]);
    }
    items
}

/// The same in at most so many columns, the highest of them as low as can be.
fn balanced(items: &[Item], count: usize) -> Vec<Vec<Pieces>> {
    let all = items.iter().map(Vec::len).sum::<usize>();
    let fitting = (all.div_ceil(count)..all).map(|height| filled(items, height)).find(|columns| columns.len() <= count);
    fitting.unwrap_or_else(|| filled(items, all))
}

/// Columns of that height, filled one after the other; none begins with an empty row.
fn filled(items: &[Item], height: usize) -> Vec<Vec<Pieces>> {
    let mut columns: Vec<Vec<Pieces>> = vec![Vec::new()];
    for item in items {
        if columns.last().is_some_and(|column| !column.is_empty() && column.len() + item.len() > height) {
            columns.push(Vec::new());
        }
        let Some(column) = columns.last_mut() else { continue };
        let skipped = usize::from(column.is_empty() && item.first().is_some_and(Vec::is_empty));
        column.extend(item.iter().skip(skipped).cloned());
    }
    columns
}

/// Columns side by side, each that wide.
fn beside(columns: Vec<Vec<Pieces>>, width: usize) -> Vec<Pieces> {
    let mut rows: Vec<Pieces> = Vec::new();
    for (at, column) in columns.into_iter().enumerate() {
        let start = at * (width + GAP);
        rows.resize(rows.len().max(column.len()), Vec::new());
        for (row, pieces) in rows.iter_mut().zip(column) {
            let used = line::width(row);
            row.push(piece(Paint::Plain, &" ".repeat(start.saturating_sub(used))));
            row.extend(pieces);
        }
    }
    rows
}

/// A sign and what it means.
fn meaning(sign: &str, paint: Paint, words: &str, columns: usize) -> Item {
    let rows = paragraph(Paint::Plain, words, columns.saturating_sub(5));
    let before = |at| if at == 0 { format!(" {sign}  ") } else { "    ".to_owned() };
    rows.into_iter().enumerate().map(|(at, row)| [vec![piece(paint, &before(at))], row].concat()).collect()
}

/// Keys that reach so far, and what they do, in as many rows as that takes; in a narrow column they get less room.
fn row(keys: &[String], words: &str, reach: usize, columns: usize) -> Item {
    let room = if columns < NARROW { KEYS.min(columns / 3).max(LEAST_KEYS) } else { reach };
    let keys = packed(keys, room);
    let words = paragraph(Paint::Plain, words, columns.saturating_sub(room + 3));
    let row = |at: usize| {
        let key = keys.get(at).map_or("", |key| key);
        let blanks = " ".repeat(room.saturating_sub(body::width(key)));
        let before = piece(Paint::Brand, &format!(" {key}{blanks} "));
        [vec![before], words.get(at).cloned().unwrap_or_default()].concat()
    };
    (0..keys.len().max(words.len())).map(row).collect()
}

/// Keys in rows of at most so many columns; one that is wider is broken.
fn packed(keys: &[String], room: usize) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for key in keys {
        match rows.last_mut().filter(|row| body::width(row) + 1 + body::width(key) <= room) {
            Some(row) => *row = format!("{row} {key}"),
            None => rows.extend(wrap(&[piece(Paint::Brand, key)], room).into_iter().map(text)),
        }
    }
    rows
}

fn text(row: Pieces) -> String {
    row.into_iter().map(|piece| piece.text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        record::Zone,
        tui::{keys::KEYMAP, look::Look, stage::Place},
    };

    fn help(columns: u16) -> Vec<String> {
        let place = Place::Listening("http://127.0.0.1:1".to_owned());
        let model = Model::new(place, Zone::utc(), Look::plain(true, true), (columns, 30));
        content(&model).into_iter().map(text).collect()
    }

    #[test]
    fn columns_are_as_many_as_fit_and_about_as_high_as_each_other() {
        for (columns, beside) in [(40, 1), (80, 1), (113, 1), (120, 2), (200, 3)] {
            let rows = help(columns);
            assert!(rows.iter().all(|row| body::width(row) <= usize::from(columns) - 2), "{columns}");
            let width = (usize::from(columns) - 2 + GAP) / beside;
            let is_filled = |row: &String, at: usize| {
                let seen: String = row.chars().skip(at * width).take(width).collect();
                !seen.trim().is_empty()
            };
            for at in 0..beside {
                let filled = rows.iter().filter(|row| is_filled(row, at)).count();
                assert!(filled * 10 >= rows.len() * 8, "column {at} of {beside}: {filled} of {} rows", rows.len());
            }
        }
    }

    #[test]
    fn nothing_is_cut_at_any_width() {
        let sorted = |words: &mut dyn Iterator<Item = &str>| {
            let mut words: Vec<_> = words.map(str::to_owned).collect();
            words.sort();
            words
        };
        for columns in [40, 54, 60, 118] {
            for key in KEYMAP {
                let keys: Vec<_> = key.chords.iter().map(|&chord| chord.to_owned()).collect();
                let shown =
                    row(&keys, key.help, KEYS, columns).into_iter().map(|row| text(row) + "\n").collect::<String>();
                let said = sorted(&mut key.chords.iter().copied().chain(key.help.split(' ')));
                assert_eq!(sorted(&mut shown.split_whitespace()), said, "at {columns}");
            }
            for field in query::FIELDS {
                let rows = row(&[field.example.to_owned()], field.help, EXAMPLES, columns);
                let keys: String = rows.iter().map(|row| row[0].text.trim()).collect();
                assert_eq!(keys, field.example.to_owned(), "at {columns}");
            }
        }
    }
}
