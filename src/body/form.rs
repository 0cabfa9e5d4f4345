//! The view of form fields: `application/x-www-form-urlencoded` (URL Standard, section 5), decoded, one field a line.
//!
//! A value that holds JSON, as Slack's and GitHub's `payload` does, is shown indented below its name, and one of several
//! lines is shown in lines.

use std::collections::BTreeMap;

use bytes::Bytes;
use memchr::memchr;

use super::{
    Content, Document, LINE_CHARS, Role, json,
    piece::{Sink, Sparse, Walk, cut},
    text, tree,
};
use crate::record::{counted, json::looks_like_json, pairs::decode};

/// How many values are opened below their names for what they hold; of the fields after them every value that fits is
/// one line. A body of a million tiny objects stays cheap.
const OPENED: usize = 1_000;

/// How a value of JSON begins that is no lone one.
const BRACKETS: &[&[u8]] = &[b"%7B", b"%7b", b"%5B", b"%5b", b"{", b"["];

/// How many fields are looked at for one that holds JSON.
const PAYLOAD_FIELDS: usize = 100;

/// How many characters of a name are shown.
const NAME_CHARS: usize = 1_024;

/// Whatever the sender calls a form.
pub(super) fn fits(content: &Content) -> bool {
    content.is_form()
        && content.bytes.contains(&b'=')
        && !content.bytes.iter().any(|&byte| byte < b' ' && !matches!(byte, b'\r' | b'\n'))
}

/// Where a form has a field of JSON, as GitHub's and Slack's have one named `payload`: its name and value.
fn payload(bytes: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut at = 0;
    for _ in 0..PAYLOAD_FIELDS {
        if at >= bytes.len() {
            return None;
        }
        let field = Field::at(bytes, at);
        if BRACKETS.iter().any(|bracket| field.value.starts_with(bracket)) {
            let value = decode(field.value);
            if json::check(&value).is_ok() {
                return Some((decode(field.name).into_owned(), value.into_owned()));
            }
        }
        at = field.next;
    }
    None
}

/// A form of which a field holds JSON.
pub(super) fn fits_payload(content: &Content) -> bool {
    fits(content) && payload(&content.bytes).is_some()
}

/// The JSON in the first field that holds some, as a tree.
pub(super) fn open_payload(content: &Content) -> Result<Box<dyn Document>, String> {
    content.refuse_coding()?;
    let (name, value) = payload(&content.bytes).ok_or("no field of a form holds JSON here")?;
    let others = memchr::memchr_iter(b'&', &content.bytes).count();
    let others = if others == 0 {
        String::new()
    } else {
        format!("; the form view shows the {}", counted(others as u64, "other"))
    };
    let name = super::fit(&String::from_utf8_lossy(&name), 60);
    Ok(tree::noted(value.into(), format!("the JSON in the field {name}{others}")))
}

/// Decodes each field once to see what it holds.
pub(super) fn open(content: &Content) -> Result<Box<dyn Document>, String> {
    content.refuse_coding()?;
    let bytes = content.bytes.clone();
    let mut below = BTreeMap::new();
    let mut at = 0;
    while at < bytes.len() {
        let field = Field::at(&bytes, at);
        if let Some(document) = opened(&field, below.len() < OPENED) {
            below.insert(at, document);
        }
        at = field.next;
    }
    let note = bytes.is_empty().then(|| "no body".to_string());
    Ok(Box::new(Sparse::new(Form { bytes, below }, note)))
}

/// What is shown below the name instead of beside it: JSON and lines where wanted, and what no line can hold in any case.
fn opened(field: &Field<'_>, is_wanted: bool) -> Option<Box<dyn Document>> {
    let value = decode(field.value);
    let is_long = cut(&value, LINE_CHARS - NAME_CHARS - 16).bytes < value.len();
    let holds_json = looks_like_json(&value);
    if is_wanted && holds_json && json::check(&value).is_ok() {
        return Some(json::document(Bytes::copy_from_slice(&value), None, None));
    }
    let is_lines = is_wanted && value.contains(&b'\n');
    (is_long || is_lines).then(|| text::document(Bytes::copy_from_slice(&value), false, None))
}

/// One field, not decoded.
struct Field<'a> {
    name: &'a [u8],
    value: &'a [u8],
    has_value: bool,
    /// Where the next field begins.
    next: usize,
}

impl<'a> Field<'a> {
    fn at(bytes: &'a [u8], at: usize) -> Self {
        let rest = &bytes[at..];
        let length = memchr(b'&', rest).unwrap_or(rest.len());
        let pair = &rest[..length];
        let name_end = memchr(b'=', pair);
        let (name, value) = name_end.map_or((pair, &pair[..0]), |end| (&pair[..end], &pair[end + 1..]));
        Self { name, value, has_value: name_end.is_some(), next: at + length + 1 }
    }
}

struct Form {
    bytes: Bytes,
    /// What is shown below a name, by where its field begins.
    below: BTreeMap<usize, Box<dyn Document>>,
}

/// Before a line: the field, and the line within what is shown below its name, counted from one. A line below a name
/// knows where the next field begins, so that nobody looks for it once a line.
#[derive(Clone, Copy)]
struct Place {
    at: usize,
    row: usize,
    next: usize,
}

impl Walk for Form {
    type Place = Place;

    fn start(&self) -> Place {
        Place { at: 0, row: 0, next: 0 }
    }

    fn ended(&self, place: &Place) -> bool {
        place.at >= self.bytes.len()
    }

    fn step(&self, place: &mut Place, sink: &mut impl Sink) {
        let below = self.below.get(&place.at).map(|document| &**document);
        match (below, place.row.checked_sub(1)) {
            (Some(document), Some(line)) => draw_below(document, line, sink),
            _ => place.next = self.field(place.at, below.is_none(), sink),
        }
        let rows = below.map_or(0, Document::line_count);
        *place = if place.row < rows {
            Place { row: place.row + 1, ..*place }
        } else {
            Place { at: place.next, row: 0, next: 0 }
        };
    }
}

impl Form {
    /// Draws the line of a field's name and gives where the next field begins.
    fn field<S: Sink>(&self, at: usize, with_value: bool, sink: &mut S) -> usize {
        let field = Field::at(&self.bytes, at);
        if !S::DRAWS {
            return field.next;
        }
        let name = decode(field.name);
        let shown = cut(&name, NAME_CHARS).bytes;
        sink.put(Role::Key, &name[..shown]);
        if shown < name.len() {
            sink.add(Role::Dim, &format!("… {} more", counted((name.len() - shown) as u64, "byte")));
        }
        if field.has_value {
            sink.add(Role::Punctuation, " = ");
        }
        if with_value {
            sink.put(Role::Text, &decode(field.value));
        }
        field.next
    }
}

fn draw_below<S: Sink>(document: &dyn Document, line: usize, sink: &mut S) {
    if S::DRAWS {
        sink.add(Role::Plain, "  ");
        document.lines(line..line + 1).into_iter().for_each(|line| sink.append(line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::Line;

    fn opened(bytes: impl Into<Bytes>) -> Box<dyn Document> {
        let content_type = Some("application/x-www-form-urlencoded".to_string());
        open(&Content { bytes: bytes.into(), content_type, ..Content::default() }).unwrap()
    }

    fn text(line: &Line) -> String {
        line.iter().map(|span| span.text.as_str()).collect()
    }

    fn shown(document: &dyn Document) -> Vec<String> {
        document.lines(0..document.line_count()).iter().map(text).collect()
    }

    #[test]
    fn fields_are_decoded_in_their_order_and_number() {
        let document = opened("b=1+2%2B3&a=caf%C3%A9&a=%zz%9&flag&=&x=%9B%1b");
        let lines = shown(&*document);
        assert_eq!(lines, ["b = 1 2+3", "a = café", "a = %zz%9", "flag", " = ", "x = \\x9b␛"]);
    }

    #[test]
    fn json_in_a_value_is_shown_below_its_name() {
        let lines = shown(&*opened("payload=%7B%22a%22%3A%5B1%5D%7D&token=%7Bx&z=1"));
        assert_eq!(lines, ["payload = ", "  {", "    \"a\": [", "      1", "    ]", "  }", "token = {x", "z = 1"]);
    }

    #[test]
    fn the_json_of_a_field_is_a_tree_of_its_own() {
        let form = |text: &str| Content {
            bytes: text.to_owned().into(),
            content_type: Some("application/x-www-form-urlencoded".to_owned()),
            ..Content::default()
        };
        let content = form("token=x&payload=%7B%22a%22%3A%5B1%2C2%5D%7D");
        assert!(fits_payload(&content) && !fits_payload(&form("a=1&b={x")));
        let document = open_payload(&content).unwrap();
        assert_eq!(shown(&*document)[1], "  \"a\": [");
        assert_eq!(document.note(), Some("the JSON in the field payload; the form view shows the 1 other"));
        assert_eq!(document.tree().unwrap().node(2).unwrap().path.to_string(), "a[0]");
    }

    #[test]
    fn a_value_of_several_lines_is_shown_in_lines() {
        assert_eq!(shown(&*opened("body=a%0Ab&z=1")), ["body = ", "  a", "  b", "z = 1"]);
    }

    #[test]
    fn a_million_tiny_objects_and_one_huge_value_stay_cheap() {
        let document = opened("a={}&".repeat(100_000) + "z=" + &"%1b".repeat(100_000));
        let lines = document.lines(0..document.line_count());
        assert!(lines.iter().all(|line| text(line).chars().count() <= LINE_CHARS));
        let escapes = lines.iter().map(|line| text(line).matches('␛').count()).sum::<usize>();
        assert_eq!((escapes, text(&lines[lines.len() - 26]).as_str()), (100_000, "z = "));
    }

    #[test]
    fn what_is_chunked_is_the_same_from_any_line() {
        let document = opened("a=%7B%22x%22:1%7D&b=2&".repeat(200));
        let all = document.lines(0..document.line_count());
        for start in [0, 1, 63, 64, 65, 700] {
            assert_eq!(document.lines(start..start + 9), all[start..start + 9]);
        }
    }
}
