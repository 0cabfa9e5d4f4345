//! The view of any bytes: offset, sixteen bytes in two groups of eight, and the ASCII among them; fewer bytes a row where there
//! is less room.

use std::{fmt::Write, ops::Range};

use bytes::Bytes;

use super::{Content, Document, Line, Role, Span};

const PER_LINE: usize = 16;
/// How many bytes a row has, and how many columns that takes: a part of a line each where a whole one has no room.
const ROWS: [(usize, usize); 3] = [(PER_LINE, 76), (8, 43), (4, 27)];

/// Always.
pub(super) fn fits(_: &Content) -> bool {
    true
}

/// Opens anything, at once.
#[allow(clippy::unnecessary_wraps)] // The shape of every view's row.
pub(super) fn open(content: &Content) -> Result<Box<dyn Document>, String> {
    let undone = content.undone.as_ref();
    let bytes = undone.map_or(&content.bytes, |undone| &undone.received).clone();
    let coding = undone.map(|undone| undone.coding.clone()).or_else(|| content.coding());
    let why = content.not_undone.as_ref().map_or(String::new(), |why| format!(": {}", super::fit(why, 160)));
    let coding = coding.map(|coding| format!("content-encoding {coding}: shown as received{why}"));
    let note = coding.or_else(|| bytes.is_empty().then(|| "no body".to_string()));
    Ok(Box::new(Hex { bytes, note }))
}

struct Hex {
    bytes: Bytes,
    note: Option<String>,
}

impl Document for Hex {
    fn line_count(&self) -> usize {
        self.bytes.len().div_ceil(PER_LINE)
    }

    fn lines(&self, range: Range<usize>) -> Vec<Line> {
        (range.start..range.end.min(self.line_count())).map(|line| self.row(line * PER_LINE, PER_LINE)).collect()
    }

    fn rows_within(&self, line: usize, columns: usize) -> Option<Vec<Line>> {
        let (per_row, _) = ROWS.into_iter().find(|(_, needed)| *needed <= columns)?;
        let start = line * PER_LINE;
        let end = (start + PER_LINE).min(self.bytes.len());
        Some((start..end).step_by(per_row).map(|offset| self.row(offset, per_row)).collect())
    }

    fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }
}

impl Hex {
    fn row(&self, offset: usize, per_row: usize) -> Line {
        let bytes = &self.bytes[offset..self.bytes.len().min(offset + per_row)];
        let mut line = vec![Span { role: Role::Address, text: format!("{offset:08x}  ") }];
        for place in 0..per_row {
            let gap = if place == 8 { " " } else { "" };
            match bytes.get(place) {
                Some(byte) => add(&mut line, role(*byte), |text| write!(text, "{gap}{byte:02x} ")),
                None => add(&mut line, Role::Plain, |text| write!(text, "{gap}   ")),
            }
        }
        add(&mut line, Role::Plain, |text| text.write_str(" "));
        for &byte in bytes {
            let shown = if is_shown(byte) { char::from(byte) } else { '·' };
            let role = if is_shown(byte) { Role::Text } else { Role::Dim };
            add(&mut line, role, |text| text.write_char(shown));
        }
        line
    }
}

fn is_shown(byte: u8) -> bool {
    matches!(byte, 0x20..=0x7E)
}

fn role(byte: u8) -> Role {
    match byte {
        0 => Role::Dim,
        _ if is_shown(byte) => Role::Plain,
        1..=0x1F | 0x7F => Role::Control,
        _ => Role::Number,
    }
}

/// Writes into the last span of that role, or a new one. Writing to a `String` cannot fail.
fn add(line: &mut Line, role: Role, write: impl FnOnce(&mut String) -> std::fmt::Result) {
    if line.last().is_none_or(|span| span.role != role) {
        line.push(Span { role, text: String::new() });
    }
    if let Some(span) = line.last_mut() {
        let _ = write(&mut span.text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(bytes: &'static [u8]) -> Vec<String> {
        let content = Content { bytes: Bytes::from_static(bytes), ..Content::default() };
        let document = open(&content).unwrap();
        let lines = document.lines(0..document.line_count());
        lines.iter().map(|line| line.iter().map(|span| span.text.as_str()).collect()).collect()
    }

    #[test]
    fn bytes_stand_in_two_groups_beside_their_ascii() {
        assert_eq!(
            shown(b"GIF89a\0\x01\x1b[2J~\x7f\x80\xff!"),
            [
                "00000000  47 49 46 38 39 61 00 01  1b 5b 32 4a 7e 7f 80 ff  GIF89a···[2J~···",
                "00000010  21                                                !",
            ]
        );
        assert!(shown(b"").is_empty());
    }

    #[test]
    fn where_there_is_less_room_a_row_has_fewer_bytes_and_none_is_left_out() {
        let content = Content { bytes: Bytes::from_static(b"0123456789abcdefXYZ"), ..Content::default() };
        let document = open(&content).unwrap();
        let rows = |line, columns| {
            let text = |line: &Line| line.iter().map(|span| span.text.as_str()).collect::<String>();
            document.rows_within(line, columns).map(|rows| rows.iter().map(text).collect::<Vec<_>>())
        };
        for (per_row, needed) in ROWS {
            let fitting = rows(0, needed).unwrap();
            assert_eq!(fitting.len(), PER_LINE / per_row);
            assert!(fitting.iter().all(|row| row.len() == needed), "{fitting:?}");
        }
        assert_eq!(rows(0, 50).unwrap()[1], "00000008  38 39 61 62 63 64 65 66  89abcdef");
        assert_eq!(rows(1, 50).unwrap(), ["00000010  58 59 5a                 XYZ"]);
        assert_eq!(rows(0, 20), None);
    }
}
