//! The view of tables: CSV and lines of JSON objects, a row each, in columns. Long cells are cut; other views show them whole.

use std::{borrow::Cow, ops::Range};

use bytes::Bytes;
use memchr::{memchr, memchr2};

use super::{
    Content, Document, LINE_CHARS, Role, fit,
    path::name_of,
    piece::{Sink, Sparse, Walk, cut},
    text, width,
};
use crate::record::{counted, json::mark_bytes, token::Members};

/// How many rows are looked at to lay out the columns.
const LOOKED_AT: usize = 200;
/// How many columns there are at most, and how wide each is at most.
const MOST_COLUMNS: usize = 40;
const WIDEST: usize = 40;
/// What stands between two cells.
const GAP: &str = "  ";
/// How much of a cell is looked at, in bytes.
const CELL_BYTES: usize = 512;

/// What the sender calls CSV, or tab-separated, or lines of JSON; nothing else: any text is a table of one column.
pub(super) fn fits(content: &Content) -> bool {
    content.coding().is_none()
        && !content.bytes.is_empty()
        && !content.bytes.contains(&0)
        && match kind(content) {
            Some(Kind::Separated(_)) => true,
            Some(Kind::Json) => content.bytes.trim_ascii_start().first() == Some(&b'{'),
            None => false,
        }
}

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Cells with that byte between them (RFC 4180).
    Separated(u8),
    /// An object of JSON a line.
    Json,
}

fn kind(content: &Content) -> Option<Kind> {
    if content.says_json_lines() {
        return Some(Kind::Json);
    }
    match &content.media()[..] {
        "text/csv" | "application/csv" | "text/x-csv" => Some(Kind::Separated(separator(&content.bytes))),
        "text/tab-separated-values" => Some(Kind::Separated(b'\t')),
        _ => None,
    }
}

/// The one of the usual separators that the first line has most of.
fn separator(bytes: &[u8]) -> u8 {
    let line = &bytes[..memchr(b'\n', bytes).unwrap_or(bytes.len()).min(4_096)];
    let count = |&separator: &u8| memchr::memchr_iter(separator, line).count();
    [b'|', b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b',')
}

/// Lays out the columns by the first rows, and counts the lines.
pub(super) fn open(content: &Content) -> Result<Box<dyn Document>, String> {
    content.refuse_coding()?;
    let is_json = content.bytes.trim_ascii_start().first() == Some(&b'{');
    let otherwise = if is_json { Kind::Json } else { Kind::Separated(separator(&content.bytes)) };
    let kind = kind(content).unwrap_or(otherwise);
    let (bytes, said) = text::decoded(content);
    // The mark of UTF-8 is no part of the first column's name.
    let bytes = bytes.slice(mark_bytes(&bytes)..);
    let mut table = Table { bytes, kind, names: Vec::new(), widths: Vec::new(), columns: Vec::new() };
    let is_all = table.lay_out();
    let is_cut = !is_all || table.widths.iter().any(|width| *width > WIDEST);
    // How many columns there are, who shows them says beside which of them are seen.
    let cut = is_cut.then(|| "long cells are cut".to_owned());
    let note = said.into_iter().chain(cut).reduce(|said, cut| format!("{said}; {cut}"));
    Ok(Box::new(Sparse::new(table, note.map(|note| super::escape(&note).into_owned()))))
}

struct Table {
    bytes: Bytes,
    kind: Kind,
    /// The names of the columns, where rows name them.
    names: Vec<String>,
    widths: Vec<usize>,
    /// Where they stand in a line.
    columns: Vec<Range<usize>>,
}

/// Before a line: the next byte; whether that is the line of the names.
#[derive(Clone, Copy)]
struct Place {
    at: usize,
    is_head: bool,
}

impl Walk for Table {
    type Place = Place;

    fn start(&self) -> Place {
        Place { at: 0, is_head: self.kind == Kind::Json && !self.names.is_empty() }
    }

    fn ended(&self, place: &Place) -> bool {
        place.at >= self.bytes.len()
    }

    fn offset(&self, place: &Place) -> usize {
        place.at
    }

    fn columns(&self) -> &[Range<usize>] {
        &self.columns
    }

    fn step(&self, place: &mut Place, sink: &mut impl Sink) {
        if std::mem::take(&mut place.is_head) {
            let first = self.names.iter().map(|name| (Role::Key, Cow::Borrowed(name.as_bytes()))).collect();
            self.row(&Cells { first, more: 0 }, sink);
            return;
        }
        let row = self.record(place.at);
        self.draw(row.clone(), place.at == 0, sink);
        place.at = row.end + usize::from(row.end < self.bytes.len());
    }
}

/// A cell, with what it is.
type Cell<'a> = (Role, Cow<'a, [u8]>);

/// The first cells of a row, and how many more there are: of a million that a hostile row has none is kept.
struct Cells<'a> {
    first: Vec<Cell<'a>>,
    more: usize,
}

impl Table {
    /// The record that begins there: to its line end, those in quotes aside.
    fn record(&self, start: usize) -> Range<usize> {
        let mut at = start;
        let mut in_quotes = false;
        while let Some(found) = self.bytes.get(at..).and_then(|rest| match self.kind {
            Kind::Json => memchr(b'\n', rest),
            Kind::Separated(_) => memchr2(b'\n', b'"', rest),
        }) {
            at += found;
            match self.bytes[at] {
                b'\n' if !in_quotes => return start..at,
                b'"' => in_quotes = !in_quotes,
                _ => {}
            }
            at += 1;
        }
        start..self.bytes.len()
    }

    /// Says how wide each column is. Whether every row was looked at for that.
    fn lay_out(&mut self) -> bool {
        let (mut at, mut widths) = (0, Vec::new());
        for nth in 0..LOOKED_AT {
            if at >= self.bytes.len() {
                break;
            }
            let row = self.record(at);
            if self.kind == Kind::Json {
                self.name_columns(&row);
            }
            let cells = self.cells(&row, nth == 0).map(|cells| cells.first).unwrap_or_default();
            widths.resize(widths.len().max(cells.len()), 1);
            for (widest, (_, cell)) in widths.iter_mut().zip(&cells) {
                *widest = (*widest).max(width(&shown(cell)));
            }
            at = row.end + 1;
        }
        for (widest, name) in widths.iter_mut().zip(&self.names) {
            *widest = (*widest).max(width(&shown(name.as_bytes())));
        }
        let mut start = 0;
        let place = |widest: &usize| {
            let column = start..start + (*widest).min(WIDEST);
            start = column.end + GAP.len();
            column
        };
        self.columns = widths.iter().map(place).collect();
        self.widths = widths;
        at >= self.bytes.len()
    }

    fn name_columns(&mut self, row: &Range<usize>) {
        let bytes = self.bytes.slice(row.clone());
        for member in Members::of(&bytes, 0).into_iter().flatten().take(MOST_COLUMNS) {
            let Some(name) = member.name.map(|name| name_of(&bytes[name])) else { continue };
            if self.names.len() < MOST_COLUMNS && !self.names.contains(&name) {
                self.names.push(name);
            }
        }
    }

    /// The cells of a row, in the order of the columns; none where it has no columns.
    fn cells(&self, row: &Range<usize>, is_first: bool) -> Option<Cells<'_>> {
        let bytes = &self.bytes[row.clone()];
        match self.kind {
            Kind::Separated(separator) => {
                let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
                Some(separated(bytes, separator, if is_first { Role::Key } else { Role::Text }))
            }
            Kind::Json => self.members(bytes).map(|first| Cells { first, more: 0 }),
        }
    }

    fn members<'a>(&self, bytes: &'a [u8]) -> Option<Vec<Cell<'a>>> {
        let members = Members::of(bytes, 0).filter(Members::is_object)?;
        let mut cells: Vec<Cell<'a>> = vec![(Role::Plain, Cow::Borrowed(&b""[..])); self.names.len()];
        for member in members {
            let name = member.name.map(|name| name_of(&bytes[name])).unwrap_or_default();
            let Some(cell) = self.names.iter().position(|it| *it == name).and_then(|at| cells.get_mut(at)) else {
                continue;
            };
            let value = &bytes[member.value];
            *cell = match value.first() {
                Some(b'"') => (Role::Text, Cow::Borrowed(value.get(1..value.len() - 1).unwrap_or_default())),
                Some(b'{' | b'[') => (Role::Dim, Cow::Borrowed(value)),
                Some(b't' | b'f' | b'n') => (Role::Literal, Cow::Borrowed(value)),
                _ => (Role::Number, Cow::Borrowed(value)),
            };
        }
        Some(cells)
    }

    fn draw<S: Sink>(&self, row: Range<usize>, is_first: bool, sink: &mut S) {
        if !S::DRAWS {
            return;
        }
        if let Some(cells) = self.cells(&row, is_first) {
            return self.row(&cells, sink);
        }
        // What is no object is shown as it is.
        let bytes = &self.bytes[row];
        let taken = cut(bytes, LINE_CHARS - 64).bytes;
        if taken > 0 {
            sink.put(Role::Error, &bytes[..taken]);
        }
        if taken < bytes.len() {
            sink.add(Role::Dim, &format!("… {} more", counted((bytes.len() - taken) as u64, "byte")));
        }
    }

    fn row<S: Sink>(&self, cells: &Cells<'_>, sink: &mut S) {
        if !S::DRAWS {
            return;
        }
        let Cells { first, more } = cells;
        for (at, ((role, cell), &widest)) in first.iter().zip(&self.widths).enumerate() {
            let text = fit(&shown(cell), widest.min(WIDEST));
            let gap = widest.min(WIDEST).saturating_sub(width(&text));
            if !text.is_empty() {
                sink.add(*role, &text);
            }
            if at + 1 < first.len().min(self.widths.len()) {
                sink.add(Role::Plain, &" ".repeat(gap));
                sink.add(Role::Dim, GAP);
            }
        }
        // A row further down may have more of them than those that the columns were laid out by.
        let more = more + first.len().saturating_sub(self.widths.len());
        if more > 0 {
            sink.add(Role::Dim, &format!("{GAP}… {} more", counted(more as u64, "cell")));
        }
    }
}

/// A cell as it is shown, before it is cut to its column.
fn shown(cell: &[u8]) -> String {
    super::escape_bytes(&cell[..cell.len().min(CELL_BYTES)])
}

/// The cells of a line, without quotes, and with two of them as the one they stand for.
fn separated(line: &[u8], separator: u8, role: Role) -> Cells<'_> {
    let mut cells = Cells { first: Vec::new(), more: 0 };
    let mut rest = line;
    loop {
        let (cell, length) = if let Some(quoted) = rest.strip_prefix(b"\"") {
            let (cell, length) = unquoted(quoted);
            // What stands behind the closing quote belongs to the cell, so that nothing is left out.
            let tail = memchr(separator, &quoted[length..]).unwrap_or(quoted.len() - length);
            let cell = if tail == 0 { cell } else { [&cell[..], &quoted[length..length + tail]].concat().into() };
            (cell, 1 + length + tail)
        } else {
            let length = memchr(separator, rest).unwrap_or(rest.len());
            (Cow::Borrowed(&rest[..length]), length)
        };
        if cells.first.len() < MOST_COLUMNS {
            cells.first.push((role, cell));
        } else {
            cells.more += 1;
        }
        match rest.get(length + 1..) {
            Some(after) => rest = after,
            None => return cells,
        }
    }
}

/// The text up to the closing quote, and how many bytes that is with the quote.
fn unquoted(text: &[u8]) -> (Cow<'_, [u8]>, usize) {
    let mut value = Vec::new();
    let mut at = 0;
    while let Some(found) = memchr(b'"', &text[at..]) {
        value.extend_from_slice(&text[at..at + found]);
        at += found + 1;
        if text.get(at) != Some(&b'"') {
            return (value.into(), at);
        }
        value.push(b'"');
        at += 1;
    }
    (Cow::Borrowed(text), text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown_as(body: &str, kind: &str) -> Vec<String> {
        let content =
            Content { bytes: body.to_owned().into(), content_type: Some(kind.to_owned()), ..Content::default() };
        assert!(fits(&content), "{body}");
        let document = open(&content).unwrap();
        let lines = document.lines(0..document.line_count());
        let text = |line: &super::super::Line| line.iter().map(|span| &span.text[..]).collect::<String>();
        lines.iter().map(|line| text(line).trim_end().to_owned()).collect()
    }

    #[test]
    fn cells_stand_in_columns() {
        assert_eq!(
            shown_as("id,name,note\r\n1,\"trout, brown\",\"said \"\"hi\"\"\"\r\n22,\"two\nlines\",x\r\n", "text/csv"),
            ["id  name          note", "1   trout, brown  said \"hi\"", "22  two␊lines     x"]
        );
        assert_eq!(
            shown_as("\u{feff}id;name\r\n1;trout\r\n", "text/csv"),
            ["id  name", "1   trout"],
            "as Excel writes it"
        );
        assert_eq!(shown_as("a;b\n1;2", "text/csv"), ["a  b", "1  2"]);
        assert_eq!(shown_as("a\tb\n1\t\t3", "text/tab-separated-values"), ["a  b", "1     3"]);
    }

    #[test]
    fn that_cells_are_cut_is_said_where_one_is_or_may_be() {
        let long = format!("a,b\n1,{}\n", "trout ".repeat(9));
        let many = "1,2\n".repeat(LOOKED_AT + 1);
        for (body, note) in
            [("a,b\n1,2\n", None), (&long, Some("long cells are cut")), (&many, Some("long cells are cut"))]
        {
            let content = Content { bytes: body.to_owned().into(), ..Content::default() };
            assert_eq!(open(&content).unwrap().note(), note, "{body}");
        }
    }

    #[test]
    fn lines_of_json_have_the_columns_that_their_objects_name() {
        assert_eq!(
            shown_as(
                "{\"id\":1,\"fish\":\"trout\"}\n{\"fish\":\"pike\",\"at\":[1,2]}\nnot json\n",
                "application/x-ndjson"
            ),
            ["id  fish   at", "1   trout", "    pike   [1,2]", "not json"]
        );
    }

    #[test]
    fn it_is_told_where_the_columns_stand() {
        let body = format!("id,name,note\n1,trout,{}\n22,鱼,\n", "x".repeat(90));
        let content = Content { bytes: body.into(), content_type: Some("text/csv".to_owned()), ..Content::default() };
        assert_eq!(open(&content).unwrap().columns(), [0..2, 4..9, 11..51]);
    }

    #[test]
    fn a_long_cell_is_cut_and_many_columns_are_counted() {
        let row = vec!["x".repeat(90); 50].join(",");
        let lines = shown_as(&row, "text/csv");
        assert!(lines[0].contains(&format!("{}…", "x".repeat(39))));
        assert!(lines[0].ends_with("… 10 cells more"), "{}", lines[0]);
        let widening = format!("a,b\n{}{}\n", "1,2\n".repeat(LOOKED_AT), vec!["3"; 60].join(","));
        assert_eq!(shown_as(&widening, "text/csv")[LOOKED_AT + 1], "3  3  … 58 cells more");
    }
}
