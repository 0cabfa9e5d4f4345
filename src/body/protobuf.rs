//! The view of a message of Protocol Buffers without its schema (protobuf.dev, "Encoding"): the numbers of its fields, and how
//! each is written. What the bytes of a field are cannot be told from the wire: what is guessed is marked so.

use super::{
    Content, Document,
    items::{self, DEEPEST, Format, Frame, Item, Left, What, Word, Wrong, behind, float},
};

/// The largest number that a field may have.
const LARGEST_FIELD: u64 = (1 << 29) - 1;

/// How a field is written.
const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const LENGTH: u64 = 2;
const GROUP: u64 = 3;
const GROUP_END: u64 = 4;
const FIXED32: u64 = 5;

struct Protobuf;

/// What its sender calls so, and begins as a field does.
pub(super) fn fits(content: &Content) -> bool {
    let media = content.media();
    let kind = media.split_once('/').map_or("", |(_, kind)| kind);
    let says = matches!(kind, "protobuf" | "x-protobuf" | "vnd.google.protobuf" | "x-google-protobuf")
        || kind.ends_with("+protobuf")
        || kind.ends_with("+proto");
    says && content.coding().is_none() && Protobuf.read(&content.bytes, 0, &[]).is_ok()
}

/// Opens any bytes, at once.
pub(super) fn open(content: &Content) -> Result<Box<dyn Document>, String> {
    items::open(content, Protobuf, "protobuf without its schema: a ? marks a guess")
}

impl Format for Protobuf {
    const SEPARATOR: &'static str = "";

    fn read(&self, bytes: &[u8], at: usize, open: &[Frame]) -> Result<Item, Wrong> {
        // A message in a field ends with the field, whatever the last field of it claims.
        let until = |frame: &Frame| if let Left::Until(end) = frame.left { Some(end) } else { None };
        let bytes = &bytes[..open.iter().rev().find_map(until).unwrap_or(bytes.len())];
        let (field, wire, next) = tag(bytes, at)?;
        let label = |words| Some((field as i64, words));
        match wire {
            VARINT => {
                let (number, next) = varint(bytes, next)?;
                let aside = ((number as i64) < 0).then(|| format!("{} with a sign", number as i64));
                let item = Item::word(Word::Whole(number.into()), next);
                Ok(Item { label: label("varint"), aside, ..item })
            }
            FIXED64 | FIXED32 => {
                let count = if wire == FIXED64 { 8 } else { 4 };
                let end = behind(bytes, next, count)?;
                let number = bytes[next..end].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
                let fraction =
                    if wire == FIXED64 { f64::from_bits(number) } else { f64::from(f32::from_bits(number as u32)) };
                let aside = is_likely(fraction).then(|| format!("{} as a fraction?", float(fraction)));
                let words = if wire == FIXED64 { "fixed64" } else { "fixed32" };
                Ok(Item { label: label(words), aside, ..Item::word(Word::Whole(number.into()), end) })
            }
            LENGTH => {
                let (length, next) = varint(bytes, next)?;
                let end = behind(bytes, next, length)?;
                let (words, what) = guess(bytes, next, end, open.len());
                Ok(Item { label: label(words), ..Item::new(what, next) })
            }
            GROUP => {
                let frame = Frame::list(Left::Mark(field), "}");
                Ok(Item { label: label("group"), ..Item::new(What::Open("{", frame), next) })
            }
            GROUP_END => Err(Wrong::Broken("a group ends that did not begin")),
            _ => Err(Wrong::Broken("no field is written in this way")),
        }
    }

    fn ends(&self, bytes: &[u8], at: usize, mark: u64) -> Option<usize> {
        let (field, wire, next) = tag(bytes, at).ok()?;
        (field == mark && wire == GROUP_END).then_some(next)
    }
}

/// What the bytes of a field probably are: text where no character of it acts, a message where they read as one to the end.
fn guess(bytes: &[u8], at: usize, end: usize, depth: usize) -> (&'static str, What) {
    let value = &bytes[at..end];
    let text = std::str::from_utf8(value).ok();
    let has_control = |text: &str, but: &[char]| text.chars().any(|c| c.is_control() && !but.contains(&c));
    if text.is_some_and(|text| !has_control(text, &[])) {
        // Nothing at all may be anything.
        return (if value.is_empty() { "empty" } else { "text?" }, What::Text(end));
    }
    if depth + 1 < DEEPEST && is_message(value) {
        return ("message?", What::Open("{", Frame::list(Left::Until(end), "}")));
    }
    match text {
        Some(text) if !has_control(text, &['\n', '\r', '\t']) => ("text?", What::Text(end)),
        _ => ("bytes", What::Blob(end)),
    }
}

/// Whether fields follow each other to the very end. What lies in them is not looked at, so that a message of messages of
/// messages is not read again and again.
fn is_message(bytes: &[u8]) -> bool {
    let mut at = 0;
    while at < bytes.len() {
        let Ok(next) = behind_field(bytes, at) else { return false };
        at = next;
    }
    true
}

fn behind_field(bytes: &[u8], at: usize) -> Result<usize, Wrong> {
    let (_, wire, next) = tag(bytes, at)?;
    match wire {
        VARINT => varint(bytes, next).map(|(_, next)| next),
        FIXED64 => behind(bytes, next, 8),
        FIXED32 => behind(bytes, next, 4),
        LENGTH => varint(bytes, next).and_then(|(length, next)| behind(bytes, next, length)),
        // Groups are older than most messages: a guess does not count on them.
        _ => Err(Wrong::Broken("no field is written in this way")),
    }
}

/// A field's number, how it is written, and the byte behind that.
fn tag(bytes: &[u8], at: usize) -> Result<(u64, u64, usize), Wrong> {
    let (tag, next) = varint(bytes, at)?;
    match tag >> 3 {
        1..=LARGEST_FIELD => Ok((tag >> 3, tag & 7, next)),
        _ => Err(Wrong::Broken("no field has such a number")),
    }
}

/// Seven bits a byte, the lowest first, ten bytes at most.
fn varint(bytes: &[u8], at: usize) -> Result<(u64, usize), Wrong> {
    let mut number: u64 = 0;
    for place in 0..10 {
        let byte = *bytes.get(at + place).ok_or(Wrong::Ends)?;
        if place == 9 && byte > 1 {
            break;
        }
        number |= u64::from(byte & 0x7F) << (7 * place);
        if byte < 0x80 {
            return Ok((number, at + place + 1));
        }
    }
    Err(Wrong::Broken("a number of more than 64 bits"))
}

/// Whether a fraction is one that somebody may have meant: whole numbers look like very small ones.
fn is_likely(number: f64) -> bool {
    number == 0.0 || (number.is_finite() && (1e-9..1e15).contains(&number.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_shown_by_number_and_what_is_guessed_is_marked() {
        for (hex, shown) in [
            ("089601", "1 varint: 150"),
            ("120774657374696e67", "2 text?: \"testing\""),
            ("1a03089601", "3 message?: { 1 varint: 150 }"),
            ("0a0c0a0a68656c6c6f20666973 68", "1 message?: { 1 text?: \"hello fish\" }"),
            ("3206038e029ea705", "6 bytes: h'038e029ea705'"),
            ("0a036120 0a", "1 text?: \"a ␊\""),
            ("0a00", "1 empty: \"\""),
            ("09000000000000f83f", "1 fixed64: 4609434218613702656  1.5 as a fraction?"),
            ("0d07000000", "1 fixed32: 7"),
            ("08ffffffffffffffffff01", "1 varint: 18446744073709551615  -1 with a sign"),
            ("0b08010c1002", "1 group: { 1 varint: 1 } 2 varint: 2"),
            ("0b14", "1 group: { a group ends that did not begin"),
            ("0801 0a05", "1 varint: 1 the body ends here, and the item does not"),
            ("00", "no field has such a number"),
            ("0e", "no field is written in this way"),
            ("08ffffffffffffffffff02", "a number of more than 64 bits"),
        ] {
            assert_eq!(items::tests::shown(hex, open), shown, "{hex}");
        }
    }
}
