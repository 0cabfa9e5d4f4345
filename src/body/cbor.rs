//! The view of CBOR (RFC 8949) in diagnostic notation (section 8), a line an item; a sequence of items (RFC 8742) one below the
//! other.

use super::{
    Content, Document, beside,
    items::{self, Format, Frame, Item, Left, What, Word, Wrong, behind, big_endian},
};

/// The tag of a moment in seconds since 1970 (section 3.4.2).
const MOMENT: u64 = 1;
/// What ends a container of no stated length (section 3.2.1).
const BREAK: u8 = 0xFF;
/// Marks of containers that only pieces of byte strings, or of texts, may stand in; and of the others.
const PIECES: [u64; 2] = [2, 3];
const ANYTHING: u64 = 0;

struct Cbor;

/// What its sender calls so, and begins as an item does.
pub(super) fn fits(content: &Content) -> bool {
    let media = content.media();
    let kind = media.split_once('/').map_or("", |(_, kind)| kind);
    let says = matches!(kind, "cbor" | "cbor-seq" | "cose") || kind.ends_with("+cbor") || kind.ends_with("+cbor-seq");
    says && content.coding().is_none() && Cbor.read(&content.bytes, 0, &[]).is_ok()
}

/// Opens any bytes, at once.
pub(super) fn open(content: &Content) -> Result<Box<dyn Document>, String> {
    items::open(content, Cbor, "CBOR in diagnostic notation")
}

/// The number that a head holds; none where the length is not stated.
fn argument(bytes: &[u8], at: usize, low: u8) -> Result<(Option<u64>, usize), Wrong> {
    match low {
        0..=23 => Ok((Some(u64::from(low)), at)),
        24..=27 => big_endian(bytes, at, 1 << (low - 24)).map(|(number, next)| (Some(number), next)),
        31 => Ok((None, at)),
        _ => Err(Wrong::Broken("no item begins with this byte")),
    }
}

impl Format for Cbor {
    const SEPARATOR: &'static str = ",";

    fn read(&self, bytes: &[u8], at: usize, open: &[Frame]) -> Result<Item, Wrong> {
        let first = *bytes.get(at).ok_or(Wrong::Ends)?;
        let (major, low) = (first >> 5, first & 31);
        let (number, next) = argument(bytes, at + 1, low)?;
        if let Some(Frame { left: Left::Mark(mark), .. }) = open.last()
            && PIECES.contains(mark)
            && (u64::from(major) != *mark || number.is_none())
        {
            return Err(Wrong::Broken("this is no piece of the string that it stands in"));
        }
        match (major, number) {
            (0, Some(number)) => Ok(Item::word(Word::Whole(i128::from(number)), next)),
            (1, Some(number)) => Ok(Item::word(Word::Whole(-1 - i128::from(number)), next)),
            (2, Some(length)) => Ok(Item::new(What::Blob(behind(bytes, next, length)?), next)),
            (3, Some(length)) => Ok(Item::new(What::Text(behind(bytes, next, length)?), next)),
            (2 | 3, None) => Ok(container("(_", Frame::list(Left::Mark(u64::from(major)), ")"), next)),
            (4, Some(count)) => Ok(container("[", Frame::list(Left::Items(count), "]"), next)),
            (4, None) => Ok(container("[_", Frame::list(Left::Mark(ANYTHING), "]"), next)),
            (5, Some(count)) => Ok(container("{", Frame::map(Left::Items(count), "}"), next)),
            (5, None) => Ok(container("{_", Frame::map(Left::Mark(ANYTHING), "}"), next)),
            (6, Some(tag)) => Ok(Item::new(What::Tag(tag, moment(bytes, next, tag)), next)),
            (7, Some(number)) => simple(low, number, next),
            (7, None) => Err(Wrong::Broken("a break, where none can be")),
            _ => Err(Wrong::Broken("no item begins with this byte")),
        }
    }

    fn ends(&self, bytes: &[u8], at: usize, _: u64) -> Option<usize> {
        (bytes.get(at) == Some(&BREAK)).then_some(at + 1)
    }
}

fn container(opens: &'static str, frame: Frame, next: usize) -> Item {
    Item::new(What::Open(opens, frame), next)
}

/// What a tagged whole number is, where it is a moment.
fn moment(bytes: &[u8], at: usize, tag: u64) -> Option<String> {
    let first = *bytes.get(at).filter(|first| tag == MOMENT && **first >> 5 == 0)?;
    let (seconds, _) = argument(bytes, at + 1, first & 31).ok()?;
    seconds.and_then(beside::unix).map(beside::words)
}

/// Values that need no content, and floating-point numbers (section 3.3).
fn simple(low: u8, number: u64, next: usize) -> Result<Item, Wrong> {
    let word = match (low, number) {
        (20, _) => Word::Literal("false"),
        (21, _) => Word::Literal("true"),
        (22, _) => Word::Literal("null"),
        (23, _) => Word::Literal("undefined"),
        (24, 0..=31) => return Err(Wrong::Broken("a simple value in two bytes that has one")),
        (25, _) => Word::Fraction(half(number as u16)),
        (26, _) => Word::Fraction(f64::from(f32::from_bits(number as u32))),
        (27, _) => Word::Fraction(f64::from_bits(number)),
        _ => Word::Simple(number),
    };
    Ok(Item::word(word, next))
}

/// A number of sixteen bits (appendix D).
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1F), f64::from(bits & 0x3FF));
    let size = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (fraction + 1024.0) * 2f64.powi(exponent - 25),
    };
    if bits & 0x8000 == 0 { size } else { -size }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8949, appendix A.
    #[test]
    fn the_examples_of_the_standard_are_shown_as_it_writes_them() {
        for (hex, diagnostic) in [
            ("00", "0"),
            ("17", "23"),
            ("1818", "24"),
            ("1bffffffffffffffff", "18446744073709551615"),
            ("c249010000000000000000", "2(h'010000000000000000')"),
            ("3bffffffffffffffff", "-18446744073709551616"),
            ("3903e7", "-1000"),
            ("f98000", "-0.0"),
            ("f93c00", "1.0"),
            ("fb3ff199999999999a", "1.1"),
            ("f97bff", "65504.0"),
            ("fa47c35000", "100000.0"),
            ("fb7e37e43c8800759c", "1e300"),
            ("f90001", "5.960464477539063e-8"),
            ("f90400", "6.103515625e-5"),
            ("f9c400", "-4.0"),
            ("f97c00", "Infinity"),
            ("f97e00", "NaN"),
            ("faff800000", "-Infinity"),
            ("f4", "false"),
            ("f6", "null"),
            ("f7", "undefined"),
            ("f0", "simple(16)"),
            ("f8ff", "simple(255)"),
            ("c11a514b67b0", "1(1363896240)  2013-03-21 20:04:00 UTC"),
            ("d74401020304", "23(h'01020304')"),
            ("40", "h''"),
            ("60", "\"\""),
            ("62225c", "\"\\\"\\\\\""),
            ("62c3bc", "\"ü\""),
            ("80", "[]"),
            ("8301820203820405", "[ 1, [ 2, 3 ], [ 4, 5 ] ]"),
            ("a201020304", "{ 1: 2, 3: 4 }"),
            ("826161a161626163", "[ \"a\", { \"b\": \"c\" } ]"),
            ("5f42010243030405ff", "(_ h'0102', h'030405' )"),
            ("7f657374726561646d696e67ff", "(_ \"strea\", \"ming\" )"),
            ("9fff", "[_]"),
            ("9f018202039f0405ffff", "[_ 1, [ 2, 3 ], [_ 4, 5 ] ]"),
            ("bf61610161629f0203ffff", "{_ \"a\": 1, \"b\": [_ 2, 3 ] }"),
            ("a1820102c10a", "{ [ 1, 2 ]: 1(10) }"),
            ("0102", "1 2"),
        ] {
            assert_eq!(items::tests::shown(hex, open), diagnostic, "{hex}");
        }
    }

    #[test]
    fn what_is_not_well_formed_is_shown_up_to_where_it_breaks() {
        for (hex, shown, at) in [
            ("8201", "[ 1, the body ends here, and the item does not", 2),
            ("62c3", "the body ends here, and the item does not", 0),
            ("ff", "a break, where none can be", 0),
            ("bf01ff", "{_ 1: a break, where none can be", 2),
            ("5f6161ff", "(_ this is no piece of the string that it stands in", 1),
            ("1c", "no item begins with this byte", 0),
            ("f814", "a simple value in two bytes that has one", 0),
        ] {
            assert_eq!(items::tests::shown(hex, open), shown, "{hex}");
            let content = items::tests::of_hex(hex);
            let document = open(&content).unwrap();
            let note = document.note().unwrap();
            assert!(note.contains(&format!("; broken at byte {at}: ")), "{hex}: {note}");
            let cut = open(&Content { is_cut: true, ..content }).unwrap();
            assert_eq!(cut.note().unwrap().contains("broken"), !shown.contains("the body ends"), "{hex}");
        }
    }
}
