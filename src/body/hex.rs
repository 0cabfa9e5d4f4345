//! The view of any bytes: offset, sixteen bytes in two groups of eight, and the ASCII among them.

use std::{fmt::Write, ops::Range};

use bytes::Bytes;

use super::{Content, Document, Line, Role, Span};

const PER_LINE: usize = 16;

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
        (range.start..range.end.min(self.line_count())).map(|line| self.line(line * PER_LINE)).collect()
    }

    fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }
}

impl Hex {
    fn line(&self, offset: usize) -> Line {
        let bytes = &self.bytes[offset..self.bytes.len().min(offset + PER_LINE)];
        let mut line = vec![Span { role: Role::Address, text: format!("{offset:08x}  ") }];
        for place in 0..PER_LINE {
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
}
