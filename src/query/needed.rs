//! What must stand in a text so that a regular expression matches in it, or a number is equal to it.

use regex_syntax::{
    ParserBuilder,
    hir::{Class, Hir, HirKind, Repetition},
};

use super::Need;

/// The longest piece that is told of what is repeated, in bytes: more would hardly make it rarer.
const LONGEST: usize = 64;
/// Significant digits that a number may have to be told: with more of them, numbers that are written differently are equal
/// as 64-bit floating point numbers.
const DIGITS: usize = 15;

impl Need {
    /// What stands in every text in which the expression has a match. `decoded`: the text was written with escapes, so
    /// that only its ASCII runs are told.
    pub(super) fn pattern(pattern: &str, decoded: bool) -> Self {
        // The settings of `regex::bytes`.
        let parsed = ParserBuilder::new().utf8(false).build().parse(pattern);
        parsed.map_or(Self::Anything, |hir| piece(&hir).need(decoded))
    }

    /// What stands in every text that is this number, however it is written (`12345`, `1.2345e4`); `text` is it as typed.
    ///
    /// A text that rounds to the number begins with its digits but for the last one, and a point may stand among them.
    pub(super) fn number(text: &str) -> Self {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        if !unsigned.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            return Self::Anything;
        }
        let digits: String = unsigned.chars().filter(char::is_ascii_digit).collect();
        let digits = digits.trim_start_matches('0');
        // Zeros at the end may be written as an exponent.
        let digits = digits.trim_end_matches('0');
        let Some(first) = digits.len().checked_sub(1).filter(|_| digits.len() <= DIGITS) else { return Self::Anything };
        let first = &digits[..first];
        let with_point = (1..first.len()).map(|at| format!("{}.{}", &first[..at], &first[at..]));
        Self::any(with_point.chain([first.to_owned()]).map(|text| Self::text(&text)))
    }
}

/// What is known of a part of an expression.
enum Piece {
    /// It matches exactly this, ASCII letters in either case.
    Exact(Vec<u8>),
    /// What matches has this in it.
    Has(Vec<Piece>),
    /// One of them.
    One(Vec<Piece>),
}

impl Piece {
    const UNKNOWN: Self = Self::Has(Vec::new());

    fn need(self, decoded: bool) -> Need {
        match self {
            Self::Exact(bytes) if decoded => {
                Need::all(bytes.split(|byte| !byte.is_ascii()).map(|run| Self::Exact(run.to_vec()).need(false)))
            }
            Self::Exact(bytes) if bytes.is_empty() => Need::Anything,
            Self::Exact(bytes) => Need::Text(bytes.to_ascii_lowercase()),
            Self::Has(pieces) => Need::all(pieces.into_iter().map(|piece| piece.need(decoded))),
            Self::One(pieces) => Need::any(pieces.into_iter().map(|piece| piece.need(decoded))),
        }
    }
}

fn piece(hir: &Hir) -> Piece {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Piece::Exact(Vec::new()),
        HirKind::Literal(literal) => Piece::Exact(literal.0.to_vec()),
        HirKind::Class(class) => letter(class).map_or(Piece::UNKNOWN, |letter| Piece::Exact(vec![letter])),
        HirKind::Repetition(repetition) => repeated(repetition),
        HirKind::Capture(capture) => piece(&capture.sub),
        HirKind::Concat(parts) => joined(parts),
        HirKind::Alternation(parts) => Piece::One(parts.iter().map(piece).collect()),
    }
}

/// The letter of a class that is nothing but it in both its cases.
fn letter(class: &Class) -> Option<u8> {
    let ranges: Vec<(u32, u32)> = match class {
        Class::Unicode(class) => class.ranges().iter().map(|r| (r.start().into(), r.end().into())).collect(),
        Class::Bytes(class) => class.ranges().iter().map(|r| (r.start().into(), r.end().into())).collect(),
    };
    let [(upper, also), (lower, and)] = ranges[..] else { return None };
    let letter = u8::try_from(lower).ok().filter(u8::is_ascii_lowercase)?;
    ((upper, also, and) == (letter.to_ascii_uppercase().into(), upper, lower)).then_some(letter)
}

fn repeated(repetition: &Repetition) -> Piece {
    if repetition.min == 0 {
        return Piece::UNKNOWN;
    }
    let times = repetition.min as usize;
    match piece(&repetition.sub) {
        Piece::Exact(bytes) if repetition.max == Some(repetition.min) && bytes.len() * times <= LONGEST => {
            Piece::Exact(bytes.repeat(times))
        }
        Piece::Exact(bytes) => {
            let times = times.min(LONGEST / bytes.len().max(1)).max(1);
            Piece::Has(vec![Piece::Exact(bytes.repeat(times))])
        }
        has => has,
    }
}

/// What stands one behind the other: exact pieces grow together.
fn joined(parts: &[Hir]) -> Piece {
    let (mut has, mut run) = (Vec::new(), Vec::new());
    for part in parts {
        match piece(part) {
            Piece::Exact(bytes) => run.extend(bytes),
            other => has.extend([Piece::Exact(std::mem::take(&mut run)), other]),
        }
    }
    if has.is_empty() {
        return Piece::Exact(run);
    }
    has.push(Piece::Exact(run));
    Piece::Has(has)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::query::Pattern;

    /// Whether a need is met in one text.
    fn is_met(need: &Need, text: &[u8]) -> bool {
        let text = text.to_ascii_lowercase();
        need.is_met(&|wanted| memchr::memmem::find(&text, wanted).is_some(), &|_| true)
    }

    #[test]
    fn an_expression_needs_its_literal_pieces() {
        let text = |text: &str| Need::Text(text.as_bytes().to_vec());
        let any = |texts: &[&str]| Need::Any(texts.iter().map(|one| text(one)).collect());
        for (pattern, expected) in [
            ("Trout", text("trout")),
            ("^trout$", text("trout")),
            (r"\btro\sut", Need::All(vec![text("tro"), text("ut")])),
            ("coela[a-z]+h", Need::All(vec![text("coela"), text("h")])),
            ("(?i)trout", text("trout")),
            // In either case a k may be the sign of the kelvin, and an s a long one.
            ("(?i)pike", Need::All(vec![text("pi"), text("e")])),
            ("(?i-u)pike", text("pike")),
            ("(trout|pike) fly", Need::All(vec![any(&["trout", "pike"]), text(" fly")])),
            ("trout|.", Need::Anything),
            ("trout|", Need::Anything),
            ("a*b?", Need::Anything),
            ("(trout)+", text("trout")),
            ("(ab){3}c", text("abababc")),
            ("(ab){2,}", text("abab")),
            ("x{0,5}", Need::Anything),
            (r"caf\xc3\xa9 noir", text("caf\u{c3}\u{a9} noir")),
            ("[t]rout", text("trout")),
            (".*", Need::Anything),
        ] {
            assert_eq!(Need::pattern(pattern, false), expected, "{pattern}");
        }
        assert_eq!(Need::pattern("caf\u{e9} noir", true), Need::All(vec![text("caf"), text(" noir")]));
        assert_eq!(Need::pattern("(", false), Need::Anything);
    }

    #[test]
    fn a_number_needs_its_first_digits_wherever_the_point_stands() {
        let any = |texts: &[&str]| Need::Any(texts.iter().map(|text| Need::Text(text.as_bytes().to_vec())).collect());
        for (number, expected) in [
            ("77777", any(&["7.777", "77.77", "777.7", "7777"])),
            ("-0.0123456", any(&["1.2345", "12.345", "123.45", "1234.5", "12345"])),
            ("12", any(&["1"])),
            ("1200000", any(&["1"])),
            ("7", Need::Anything),
            ("0", Need::Anything),
            ("", Need::Anything),
            ("nan", Need::Anything),
            ("1e5", Need::Anything),
            ("12345678901234567", Need::Anything),
        ] {
            assert_eq!(Need::number(number), expected, "{number}");
        }
    }

    proptest! {
        /// Whatever an expression matches has what it needs.
        #[test]
        fn whatever_matches_has_what_is_needed(pattern in "(\\(\\?i\\))?([ab]|a\\+|b\\{2\\}|\\[ab\\]|\\(ab\\|ba\\)|a\\?|\\.|é|k|\\^|K){1,6}", text in "[abABékK\u{212a}]{0,8}") {
            let built = Pattern::new(&pattern);
            prop_assume!(built.is_ok());
            if built.unwrap().is_match(text.as_bytes()) {
                prop_assert!(is_met(&Need::pattern(&pattern, false), text.as_bytes()), "{pattern} in {text}");
            }
        }

        /// Whatever is equal to a number has what it needs.
        #[test]
        fn whatever_is_equal_has_what_is_needed(number in 0_u64..10_000_000_000_000_000, scale in 0_u32..12, exponent in -20_i32..20, tail in 0_u64..1_000_000_000_000, below: bool) {
            let wanted = number / 10_u64.pow(scale);
            let value = wanted as f64;
            // As it is, by an exponent, and with digits that are lost when it is read.
            let shifted = format!("{}e{exponent}", shift(&wanted.to_string(), -exponent));
            let nearly = if below { format!("{}.99999999999999999{tail}", wanted.saturating_sub(1)) } else { format!("{wanted}.000000000000000{tail}") };
            for written in [wanted.to_string(), format!("{wanted}.0"), format!("{value:e}"), shifted, nearly] {
                if written.parse() == Ok(value) {
                    prop_assert!(is_met(&Need::number(&wanted.to_string()), written.as_bytes()), "{written} is {wanted}");
                }
            }
        }
    }

    /// A whole number's digits, its point moved to the right by so many places.
    fn shift(digits: &str, by: i32) -> String {
        if by >= 0 {
            return format!("{digits}{}", "0".repeat(by as usize));
        }
        let places = by.unsigned_abs() as usize;
        let padded = format!("{digits:0>width$}", width = places + 1);
        let (whole, part) = padded.split_at(padded.len() - places);
        format!("{whole}.{part}")
    }
}
