//! How large the numbers of a body are, as marks: so that an index can pass over captures none of whose numbers lie where a
//! filter wants them.
//!
//! [`marks`] and [`Magnitudes::need`] are two halves of one promise, as texts and needs are: of whatever a comparison with a number
//! takes, one of the marks that it needs is there. A mark is of a name and says one thing of the value under it: how many
//! digits its number has, which ones it begins with, or that it is no number. Numbers that are close may have the same marks.

use std::ops::RangeInclusive;

use super::{Content, Need, field::Operator};
use crate::record::{
    json::{self, Scalar},
    pairs,
};

/// How many leading digits are told.
const DIGITS: u32 = 4;
/// The numbers that so many digits begin, and the first of them.
const STEPS: u32 = 9_000;
const FIRST: u32 = 1_000;
/// The decades that have digits told: from 0.000001 up to below 10^18. There is one more below them and one above.
const DECADES: u32 = 24;
const SMALLEST: f64 = 1e-6;
const LARGEST: f64 = 1e18;
/// Of every so many decades one is told to lie below a number or above it, so that many are asked for by one mark.
const STRIDE: u32 = 4;
/// About how many marks are asked for: more would be set by chance too often.
const ASKED: usize = 12;
/// The longest name that marks are made of, in bytes. Each value has a dozen marks and the name goes into each: of a body that is
/// half a name and half numbers they would take hours.
const NAME_BYTES: usize = 64;
/// By how much a number may be off that was read in another way.
const SLACK: f64 = 1e-9;

/// What a mark says of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    /// It is no number.
    Text,
    Zero,
    /// It is in that decade. The sign is that of the number.
    Decade(bool, u32),
    /// It is in that decade or a larger one; or in a smaller one.
    From(bool, u32),
    Below(bool, u32),
    /// It is in that decade and begins with those digits, so many.
    Begins(bool, u32, u32, u32),
    /// Not all that the body holds could be read.
    Unread,
}

impl Said {
    /// The same number in each version, since marks are kept: what it says and the name, as FNV-1a goes over bytes.
    fn mark(self, name: &[u8]) -> u64 {
        let (kind, sign, a, b) = match self {
            Self::Text => (0, false, 0, 0),
            Self::Zero => (1, false, 0, 0),
            Self::Decade(sign, decade) => (2, sign, decade, 0),
            Self::From(sign, decade) => (3, sign, decade, 0),
            Self::Below(sign, decade) => (4, sign, decade, 0),
            Self::Unread => (5, false, 0, 0),
            Self::Begins(sign, decade, count, digits) => (5 + count, sign, decade, digits),
        };
        let said = u64::from(kind) << 48 | u64::from(sign) << 40 | u64::from(a) << 32 | u64::from(b);
        mixed(name.iter().fold(mixed(said), |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)))
    }
}

/// Each bit of it hangs on each of the number's (the last step of `splitmix64`).
fn mixed(number: u64) -> u64 {
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

/// The marks of what a filter can compare in a body: each value of JSON or of a form under the name that it lies below.
pub fn marks(content: &Content<'_>, mut take: impl FnMut(u64)) {
    let (mut is_whole, mut is_named) = (true, true);
    let mut each = |name: &[u8], scalar: Scalar<'_>| {
        is_named &= name.len() <= NAME_BYTES;
        if name.len() <= NAME_BYTES {
            said(&scalar, |said| take(said.mark(name)));
        }
    };
    if json::looks_like_json(content.body) {
        is_whole = json::scalars(content.body, b"", each);
    } else {
        for (name, value) in pairs::pairs(content.body) {
            if json::looks_like_json(&value) {
                is_whole &= json::scalars(&value, &name, &mut each);
            }
            each(&name, Scalar::Text(value));
        }
    }
    if !(is_whole && is_named) {
        take(Said::Unread.mark(b""));
    }
}

/// What there is to say of a value.
fn said(scalar: &Scalar<'_>, mut take: impl FnMut(Said)) {
    let number = match scalar {
        Scalar::Text(text) => number(text),
        Scalar::Word(word) => number(word),
    };
    match number {
        None => take(Said::Text),
        Some(number) if number.is_nan() => {}
        Some(0.0) => take(Said::Zero),
        Some(number) => {
            let (is_negative, place) = (number < 0.0, place(number.abs()));
            let decade = decade(place);
            take(Said::Decade(is_negative, decade));
            (0..=DECADES).step_by(STRIDE as usize).for_each(|other| {
                take(if other <= decade { Said::From(is_negative, other) } else { Said::Below(is_negative, other) });
            });
            for (count, digits) in digits(place).into_iter().flat_map(beginnings) {
                take(Said::Begins(is_negative, decade, count, digits));
            }
        }
    }
}

/// The number that a text is, as it is compared.
pub(super) fn number(text: &[u8]) -> Option<f64> {
    let text = text.trim_ascii();
    // Most texts are told by their first byte: of words `inf`, `nan` and `infinity` are numbers, too.
    let first = text.first()?;
    let may_be = first.is_ascii_digit() || matches!(first, b'+' | b'-' | b'.' | b'i' | b'I' | b'n' | b'N');
    if may_be { std::str::from_utf8(text).ok()?.parse().ok() } else { None }
}

/// Where a positive number stands among all: of two numbers the larger one does not stand before the other.
fn place(number: f64) -> u32 {
    if number < SMALLEST {
        return 0;
    }
    if number >= LARGEST {
        return DECADES * STEPS + 1;
    }
    // The thousands are the tenth decade.
    let (mut first, mut decades) = if number < 1e3 { (number * 1e9, 0) } else { (number, 9) };
    while first >= f64::from(FIRST * 10) {
        (first, decades) = (first / 10.0, decades + 1);
    }
    decades * STEPS + (first as u32).clamp(FIRST, FIRST * 10 - 1) - FIRST + 1
}

/// The decade of a place: 0 below all that have digits, and one above them.
fn decade(place: u32) -> u32 {
    place.div_ceil(STEPS)
}

/// The places of a decade.
fn places(decade: u32) -> RangeInclusive<u32> {
    decade.checked_sub(1).map_or(0..=0, |before| before * STEPS + 1..=decade * STEPS)
}

/// The digits that a place's numbers begin with.
fn digits(place: u32) -> Option<u32> {
    (1..=DECADES * STEPS).contains(&place).then(|| (place - 1) % STEPS + FIRST)
}

/// How four digits begin, by the count of digits.
fn beginnings(digits: u32) -> impl Iterator<Item = (u32, u32)> {
    (1..=DIGITS).map(move |count| (count, digits / 10_u32.pow(DIGITS - count)))
}

/// The numbers that a comparison takes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Magnitudes {
    range: RangeInclusive<f64>,
    /// Whether a text that is no number may be taken, too.
    with_texts: bool,
}

impl Magnitudes {
    /// None where all are taken, or a number is not compared.
    pub(super) fn new(operator: Operator, number: f64) -> Option<Self> {
        let slack = (number * SLACK).abs();
        let (least, most) = (number - slack, number + slack);
        let range = match operator {
            Operator::Is => least..=most,
            Operator::Above | Operator::AtLeast => least..=f64::INFINITY,
            Operator::Below | Operator::AtMost => f64::NEG_INFINITY..=most,
            Operator::Has | Operator::IsNot | Operator::Matches => return None,
        };
        number.is_finite().then_some(Self { range, with_texts: operator.orders() })
    }

    /// Those that another comparison takes, too.
    #[must_use]
    pub(super) fn and(&self, other: &Self) -> Self {
        let (least, most) = (self.range.start().max(*other.range.start()), self.range.end().min(*other.range.end()));
        Self { range: least..=most, with_texts: self.with_texts && other.with_texts }
    }

    /// What is needed of a body in which the value at a path of those steps is taken.
    pub(super) fn need(&self, steps: &[String]) -> Need {
        // What a number at the end leads to lies below the name before it, or below the number as a name.
        let last = steps.last().filter(|name| name.parse::<usize>().is_err());
        let Some(name) = last else { return Need::Anything };
        let (least, most) = (*self.range.start(), *self.range.end());
        let mut all = Vec::new();
        if most > 0.0 {
            asked(place(least.max(0.0)), place(most), false, &mut all);
        }
        if least < 0.0 {
            asked(place((-most).max(0.0)), place(-least), true, &mut all);
        }
        all.extend(self.range.contains(&0.0).then_some(Said::Zero));
        all.extend(self.with_texts.then_some(Said::Text));
        let unread = Need::Mark(Said::Unread.mark(b""));
        Need::any(all.into_iter().map(|said| Need::Mark(said.mark(name.as_bytes()))).chain([unread]))
    }
}

/// What is asked to find all numbers between two places.
fn asked(from: u32, to: u32, is_negative: bool, all: &mut Vec<Said>) {
    let mut whole = Vec::new();
    for decade in decade(from)..=decade(to) {
        let places = places(decade);
        match (digits(from.max(*places.start())), digits(to.min(*places.end()))) {
            (Some(least), Some(most)) if (least, most) != (FIRST, FIRST * 10 - 1) => {
                let begins = |(count, digits)| Said::Begins(is_negative, decade, count, digits);
                all.extend(begun(least, most).into_iter().map(begins));
            }
            _ => whole.push(decade),
        }
    }
    let (Some(&first), Some(&last)) = (whole.first(), whole.last()) else { return };
    let (below, above) = ((last + 1) / STRIDE * STRIDE, first.next_multiple_of(STRIDE));
    let said = |decade: u32| match decade {
        _ if last > DECADES && decade >= above => Said::From(is_negative, above),
        _ if first == 0 && last <= DECADES && decade < below => Said::Below(is_negative, below),
        _ => Said::Decade(is_negative, decade),
    };
    let mut whole: Vec<_> = whole.into_iter().map(said).collect();
    whole.dedup();
    all.append(&mut whole);
}

/// Beginnings that all from `least` to `most` have, of four digits each: as few of them as tell enough.
fn begun(least: u32, most: u32) -> Vec<(u32, u32)> {
    let mut found = Vec::new();
    // Those of the present count that lie within wholly or partly.
    let mut open: Vec<u32> = (least / 1_000..=most / 1_000).collect();
    for count in 1..=DIGITS {
        let width = 10_u32.pow(DIGITS - count);
        let (whole, partly): (Vec<u32>, Vec<u32>) =
            open.into_iter().partition(|digits| least <= digits * width && digits * width + width - 1 <= most);
        found.extend(whole.into_iter().map(|digits| (count, digits)));
        let next: Vec<u32> = partly.iter().flat_map(|digits| digits * 10..digits * 10 + 10).collect();
        let width = width / 10;
        let next: Vec<u32> =
            next.into_iter().filter(|digits| digits * width <= most && least < (digits + 1) * width).collect();
        if found.len() + next.len() > ASKED {
            found.extend(partly.into_iter().map(|digits| (count, digits)));
            break;
        }
        open = next;
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::query::{Filter, Inside};

    fn marked(body: &[u8]) -> Vec<u64> {
        let mut all = Vec::new();
        marks(&Content { head: b"", body }, |mark| all.push(mark));
        all
    }

    /// Whether what a filter needs of marks is there; its texts are told elsewhere.
    fn is_met(need: &Need, marks: &[u64]) -> bool {
        need.is_met(&|_| true, &|mark| marks.contains(&mark))
    }

    fn has(body: &str, filter: &str) -> bool {
        is_met(&Filter::parse(filter).unwrap().need(), &marked(body.as_bytes()))
    }

    #[test]
    fn a_body_whose_numbers_lie_elsewhere_is_passed_over() {
        for (body, filter, expected) in [
            (r#"{"n":999950}"#, "body.n>999900", true),
            (r#"{"n":999750}"#, "body.n>999900", false),
            (r#"{"n":99995,"m":999950}"#, "body.n>999900", false),
            (r#"{"n":12}"#, "body.n>999900", false),
            (r#"{"n":1e300}"#, "body.n>999900", true),
            (r#"{"n":"1000000 fish"}"#, "body.n>999900", true),
            (r#"{"n":" 5 "}"#, "body.n<4", false),
            (r#"{"n":0}"#, "body.n<1", true),
            (r#"{"n":-3}"#, "body.n<1", true),
            (r#"{"n":-3}"#, "body.n<-4", false),
            (r#"{"n":-5000}"#, "body.n>-4", false),
            (r#"{"n":0.25}"#, "body.n=0.25", true),
            (r#"{"n":0.26}"#, "body.n=0.25", false),
            (r#"{"l":[{"n":1100},{"n":1300}]}"#, "body.l[0].n>1199.5 body.l[0].n<1201", false),
            (r#"{"l":[{"n":1200},{"n":1300}]}"#, "body.l[0].n>1199.5 body.l[0].n<1201", true),
            (r#"{"l":[{"n":1100},{"n":1300}]}"#, "body.l[1].n>1199.5 body.l[0].n<1201", true),
            (r#"{"n":1200}"#, "body.n>1201 body.n<1199.5", false),
            (r#"{"list":[{"n":7},{"n":70}]}"#, "body.list[1].n>50", true),
            (r#"{"list":[{"n":7},{"n":8}]}"#, "body.list[1].n>50", false),
            ("n=7&m=70", "body.n>50", false),
            ("m=70&data=%7B%22n%22%3A60%7D", "body.data.n>50", true),
            (r#"{"n":60,"m":[[1,2],"broken"#, "body.n>50", true),
            (r#"{"m":[[60,2],"broken"#, "body.n>50", false),
            (r#"{"a":{"x.n":60}}"#, "body.a[\"x.n\"]>50", true),
            (r#"{"a":{"x.n":40,"n":60}}"#, "body.a[\"x.n\"]>50", false),
            ("\u{feff}{\"n\":60}", "body.n>50", true),
            ("card[n]=60", "body.card[n]>50", true),
            // A name that is too long for marks may be any.
            (&format!("{{\"{}\":1}}", "n".repeat(65)), "body.n>50", true),
            (&format!("{{\"{}\":1}}", "n".repeat(64)), "body.n>50", false),
        ] {
            assert_eq!(has(body, filter), expected, "{filter} of {body}");
        }
    }

    /// How many marks are asked for.
    fn count(need: &Need) -> usize {
        match need {
            Need::Mark(_) => 1,
            Need::All(needs) | Need::Any(needs) => needs.iter().map(count).sum(),
            _ => 0,
        }
    }

    #[test]
    fn few_marks_are_asked_for() {
        for filter in ["body.n>999900", "body.n>1234567", "body.n<0.00123", "body.n=1795424700", "body.n>=-99.99"] {
            let need = Inside::parse(filter).unwrap().need();
            assert!((2..=24).contains(&count(&need)), "{filter}: {} in {need:?}", count(&need));
        }
    }

    /// Numbers as they are written, many of them close to each other.
    fn written() -> impl Strategy<Value = String> {
        prop_oneof![
            "-?[0-9]{1,3}",
            "-?(1|9|99|100|999|1000)0{0,4}",
            "-?[1-9][0-9]{0,19}",
            "-?[0-9]{1,4}\\.[0-9]{1,8}",
            "-?[1-9](\\.[0-9]{1,3})?e-?[0-9]{1,3}",
            any::<f64>().prop_map(|number| number.to_string()),
            "[a-z]{1,3}|inf|nan|-infinity",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        /// Whatever a comparison takes has a mark that it needs.
        #[test]
        fn whatever_is_compared_and_taken_is_marked(
            value in written(), wanted in written(), sign in "=|>|<|>=|<=", quoted in any::<bool>(), shape in 0..4_usize, deep in any::<bool>(),
        ) {
            let value = if quoted || value.parse::<f64>().is_err() { format!("\"{value}\"") } else { value };
            let (body, path) = match shape {
                0 => (format!("{{\"a\":1,\"n\":{value}}}"), "n"),
                1 => (format!("{{\"a\":[{{\"n\":{value}}}]}}"), "a[0].n"),
                2 => (format!("a=7&n={}", value.trim_matches('"').replace('+', "%2B")), "n"),
                _ => (format!("{{\"n\":{value},\"a\":{{\"n\":5,\"b"), "n"),
            };
            let body = if deep { body.replacen("\"a\":", &format!("\"d\":{}{},\"a\":", "[".repeat(1_100), "]".repeat(1_100)), 1) } else { body };
            for wanted in [&wanted, value.trim_matches('"')] {
                let Some(inside) = Inside::parse(&format!("body.{path}{sign}\"{wanted}\"")) else { continue };
                if inside.takes(&Content { head: b"", body: body.as_bytes() }) {
                    prop_assert!(is_met(&inside.need(), &marked(body.as_bytes())), "{} in {body}: {:?}", inside.text(), inside.need());
                }
            }
        }

        /// The same of two comparisons of one value.
        #[test]
        fn whatever_lies_between_two_numbers_is_marked(value in written(), from in written(), to in written(), with in "[<>]=?") {
            let value = if value.parse::<f64>().is_ok_and(f64::is_finite) { value } else { format!("\"{value}\"") };
            let body = format!("{{\"n\":{value}}}");
            for (from, to) in [(&from, &to), (&from, &value.trim_matches('"').to_owned())] {
                let tests = [format!("body.n>=\"{from}\""), format!("body.n{with}\"{to}\"")];
                let takes = |test: &String| Inside::parse(test).is_some_and(|inside| inside.takes(&Content { head: b"", body: body.as_bytes() }));
                if tests.iter().all(takes) {
                    let filter = Filter::parse(&tests.join(" ")).unwrap();
                    prop_assert!(is_met(&filter.need(), &marked(body.as_bytes())), "{} in {body}: {:?}", filter.text(), filter.need());
                }
            }
        }

        #[test]
        fn the_larger_number_does_not_stand_before_the_other(a in any::<f64>(), b in any::<f64>(), small in 0.0..1e6, step in 0.0..1e-3) {
            for (a, b) in [(a.abs(), b.abs()), (small, small + step)] {
                prop_assert!(a > b || place(a) <= place(b), "{a} {b}");
            }
        }
    }
}
