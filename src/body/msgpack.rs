//! The view of `MessagePack` (msgpack.org), in the notation of JSON with bytes as `h'00'`; several values one below the other.

use super::{
    Content, Document, beside,
    items::{self, Format, Frame, Item, Left, What, Word, Wrong, behind, big_endian},
};

/// The kind of an extension that is a moment.
const MOMENT: i8 = -1;

struct MessagePack;

/// What its sender calls so, and begins as a value does.
pub(super) fn fits(content: &Content) -> bool {
    let media = content.media();
    let kind = media.split_once('/').map_or("", |(_, kind)| kind);
    let says = matches!(kind, "msgpack" | "x-msgpack" | "vnd.msgpack") || kind.ends_with("+msgpack");
    says && content.coding().is_none() && MessagePack.read(&content.bytes, 0, &[]).is_ok()
}

/// Opens any bytes, at once.
pub(super) fn open(content: &Content) -> Result<Box<dyn Document>, String> {
    items::open(content, MessagePack, "MessagePack")
}

impl Format for MessagePack {
    const SEPARATOR: &'static str = ",";

    fn read(&self, bytes: &[u8], at: usize, _: &[Frame]) -> Result<Item, Wrong> {
        let first = *bytes.get(at).ok_or(Wrong::Ends)?;
        let sized = |count: u8| big_endian(bytes, at + 1, usize::from(count));
        let low = |mask: u8| u64::from(first & mask);
        let word = |word, next| Ok(Item::word(word, next));
        let whole = |number: i64, next| word(Word::Whole(number.into()), next);
        let literal = |words| word(Word::Literal(words), at + 1);
        match first {
            0x00..=0x7F => whole(i64::from(first), at + 1),
            0x80..=0x8F => Ok(map((low(0x0F), at + 1))),
            0x90..=0x9F => Ok(list((low(0x0F), at + 1))),
            0xA0..=0xBF => text(bytes, (low(0x1F), at + 1)),
            0xC0 => literal("nil"),
            0xC1 => Err(Wrong::Broken("no value begins with this byte")),
            0xC2 => literal("false"),
            0xC3 => literal("true"),
            0xC4..=0xC6 => {
                let (length, next) = sized(1 << (first - 0xC4))?;
                Ok(Item::new(What::Blob(behind(bytes, next, length)?), next))
            }
            0xC7..=0xC9 => extension(bytes, sized(1 << (first - 0xC7))?),
            0xCA => {
                sized(4).and_then(|(bits, next)| word(Word::Fraction(f64::from(f32::from_bits(bits as u32))), next))
            }
            0xCB => sized(8).and_then(|(bits, next)| word(Word::Fraction(f64::from_bits(bits)), next)),
            0xCC..=0xCF => sized(1 << (first - 0xCC)).and_then(|(bits, next)| word(Word::Whole(bits.into()), next)),
            0xD0..=0xD3 => {
                let (bits, next) = sized(1 << (first - 0xD0))?;
                whole(signed(bits, 8 << (first - 0xD0)), next)
            }
            0xD4..=0xD8 => extension(bytes, (1 << (first - 0xD4), at + 1)),
            0xD9..=0xDB => text(bytes, sized(1 << (first - 0xD9))?),
            0xDC | 0xDD => sized(2 << (first - 0xDC)).map(list),
            0xDE | 0xDF => sized(2 << (first - 0xDE)).map(map),
            0xE0..=0xFF => whole(i64::from(first as i8), at + 1),
        }
    }

    fn ends(&self, _: &[u8], _: usize, _: u64) -> Option<usize> {
        None
    }
}

fn map((count, next): (u64, usize)) -> Item {
    Item::new(What::Open("{", Frame::map(Left::Items(count), "}")), next)
}

fn list((count, next): (u64, usize)) -> Item {
    Item::new(What::Open("[", Frame::list(Left::Items(count), "]")), next)
}

fn text(bytes: &[u8], (length, next): (u64, usize)) -> Result<Item, Wrong> {
    Ok(Item::new(What::Text(behind(bytes, next, length)?), next))
}

/// A number of so many bits with a sign.
fn signed(bits: u64, width: u32) -> i64 {
    let unused = 64 - width;
    (bits << unused) as i64 >> unused
}

/// Bytes of a kind of the application's own; the one kind that is everybody's is a moment.
fn extension(bytes: &[u8], (length, at): (u64, usize)) -> Result<Item, Wrong> {
    let kind = *bytes.get(at).ok_or(Wrong::Ends)? as i8;
    let end = behind(bytes, at + 1, length)?;
    let label = Some((i64::from(kind), "ext"));
    let aside = (kind == MOMENT).then(|| moment(&bytes[at + 1..end])).flatten();
    Ok(Item { label, aside, ..Item::new(What::Blob(end), at + 1) })
}

/// The moment that an extension holds: seconds in 32 bits, in 34 behind 30 of nanoseconds, or in 64 behind 32 of them.
fn moment(bytes: &[u8]) -> Option<String> {
    let (number, _) = big_endian(bytes, bytes.len().saturating_sub(8), bytes.len().min(8)).ok()?;
    let seconds = match bytes.len() {
        4 | 12 => number,
        8 => number & ((1 << 34) - 1),
        _ => return None,
    };
    beside::unix(seconds).map(beside::words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_value_is_shown_as_what_it_is() {
        for (hex, shown) in [
            ("7f", "127"),
            ("e0", "-32"),
            ("ccff", "255"),
            ("cfffffffffffffffff", "18446744073709551615"),
            ("d080", "-128"),
            ("d18000", "-32768"),
            ("d38000000000000000", "-9223372036854775808"),
            ("ca3fc00000", "1.5"),
            ("cb3ff199999999999a", "1.1"),
            ("c0", "nil"),
            ("c3", "true"),
            ("a3666f6f", "\"foo\""),
            ("d903666f6f", "\"foo\""),
            ("c403010203", "h'010203'"),
            ("93010203", "[ 1, 2, 3 ]"),
            ("dc00020102", "[ 1, 2 ]"),
            ("82a1610190a162", "{ \"a\": 1, []: \"b\" }"),
            ("df0000000101c2", "{ 1: false }"),
            ("d40501", "5 ext: h'01'"),
            ("d6ff514b67b0", "-1 ext: h'514b67b0'  2013-03-21 20:04:00 UTC"),
            ("c70cff00000001 00000000514b67b0", "-1 ext: h'0000000100000000514b67b0'  2013-03-21 20:04:00 UTC"),
            ("c1", "no value begins with this byte"),
            ("9201", "[ 1, the body ends here, and the item does not"),
        ] {
            assert_eq!(items::tests::shown(hex, open), shown, "{hex}");
        }
    }
}
