//! What may be meant by what is being typed.

use super::{
    FIELDS, Field,
    field::{self, OPERATORS, Operator},
    print::value_after,
    value::lower,
};

/// The most that is offered at once.
const MOST: usize = 50;
/// The words that join tests.
const JOINTS: &[(&str, &str)] = &[("and", "both"), ("or", "one of them"), ("not", "the opposite")];

/// Something that may be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// What would stand in place of the piece that is being typed.
    pub text: String,
    /// What it is.
    pub help: String,
}

/// What may be meant by the piece that is being typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// Where the piece begins, in characters; it ends at the cursor.
    pub from: usize,
    /// The likely ones first.
    pub offers: Vec<Offer>,
}

/// Says what may be meant by the piece before the cursor, which is counted in characters. `seen` gives the values of a
/// field that are known to occur; `names` are those of named filters, each with its filter as text.
pub fn complete<'a>(
    text: &str,
    cursor: usize,
    seen: impl Fn(&str) -> &'a [String],
    names: impl Iterator<Item = (&'a str, &'a str)>,
) -> Completion {
    let before: Vec<char> = text.chars().take(cursor).collect();
    let from = piece_start(&before);
    let piece: String = before[from..].iter().collect();
    let offers = if let Some(name) = piece.strip_prefix('@') {
        let all = names.map(|(name, filter)| Offer { text: format!("@{name}"), help: filter.to_owned() });
        fitting(all, &format!("@{name}"))
    } else if let Some(test) = test_in(&piece) {
        values(&test, seen(test.field.name))
    } else {
        let mut offers = [operators(&piece), own_names(&piece, &seen)].concat();
        let others = names_and_joints(&piece).into_iter();
        let others: Vec<_> = others.filter(|offer| offers.iter().all(|other| other.text != offer.text)).collect();
        offers.extend(others);
        offers
    };
    Completion { from, offers }
}

/// Where the piece begins that ends the text: after the last blank or bracket outside quotes.
fn piece_start(before: &[char]) -> usize {
    let (mut start, mut in_quotes, mut escaped) = (0, false, false);
    for (at, &c) in before.iter().enumerate() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_quotes => escaped = true,
            '"' => in_quotes = !in_quotes,
            c if !in_quotes && (c.is_whitespace() || matches!(c, '(' | ')')) => start = at + 1,
            _ => {}
        }
    }
    start
}

/// A test whose value is being typed.
struct Typed<'a> {
    field: &'static Field,
    /// What was typed up to the value.
    before: &'a str,
    operator: Operator,
    value: &'a str,
}

/// The test that a piece is; none where it is none, or not yet.
fn test_in(piece: &str) -> Option<Typed<'_>> {
    let at = piece.find([':', '=', '!', '>', '<', '~'])?;
    let field = field::named(&piece[..at])?;
    let (sign, operator) = *OPERATORS.iter().find(|row| piece[at..].starts_with(row.0))?;
    let (before, value) = piece.split_at(at + sign.len());
    Some(Typed { field, before, operator, value })
}

/// The values that the field may have or is known to have, those first that begin as was typed.
fn values(test: &Typed<'_>, seen: &[String]) -> Vec<Offer> {
    // `reply` is a number, too, and has an order; its words have none.
    let has_order = !test.operator.orders() || matches!(test.field.name, "age");
    let known = test.field.values().into_iter().filter(|_| has_order).map(str::to_owned);
    let mut all: Vec<String> = Vec::new();
    for value in known.chain(seen.iter().cloned()) {
        if !all.contains(&value) {
            all.push(value);
        }
    }
    let wanted = lower(test.value.trim_start_matches('"'));
    let offer = |value: String| Offer {
        text: format!("{}{}", test.before, value_after(test.operator, &value)),
        help: String::new(),
    };
    let (begin, within): (Vec<_>, Vec<_>) = all
        .into_iter()
        .filter(|value| lower(value).contains(&wanted) && lower(value) != wanted)
        .partition(|value| lower(value).starts_with(&wanted));
    begin.into_iter().chain(within).take(MOST).map(offer).collect()
}

/// How the field can be asked whose whole name was typed.
fn operators(piece: &str) -> Vec<Offer> {
    let Some(field) = field::named(piece).filter(|field| !field.is_family()) else { return Vec::new() };
    let takes = field.operators();
    takes.iter().map(|(sign, help)| Offer { text: format!("{piece}{sign}"), help: (*help).to_owned() }).collect()
}

/// The names behind the dot of a family that are known to occur: `header.x-event`.
fn own_names<'a>(piece: &str, seen: &impl Fn(&str) -> &'a [String]) -> Vec<Offer> {
    let Some(field) = FIELDS.iter().find(|field| {
        let family = field.name.split_once('.').filter(|_| field.is_family());
        family.is_some_and(|(family, _)| lower(piece).starts_with(&format!("{family}.")))
    }) else {
        return Vec::new();
    };
    let family = field.name.split('.').next().unwrap_or_default();
    let offers = seen(field.name).iter().map(|name| Offer { text: format!("{family}.{name}:"), help: String::new() });
    fitting(offers, piece)
}

fn names_and_joints(piece: &str) -> Vec<Offer> {
    if piece.is_empty() {
        return Vec::new();
    }
    let fields = FIELDS.iter().map(|field| {
        // A name of one's own follows the dot of a family; the others are most often asked with a colon.
        let text = match field.name.split_once('.').filter(|_| field.is_family()) {
            Some((family, _)) => format!("{family}."),
            None => format!("{}:", field.name),
        };
        Offer { text, help: field.help.to_owned() }
    });
    let joints = JOINTS.iter().map(|(word, help)| Offer { text: format!("{word} "), help: (*help).to_owned() });
    fitting(fields.chain(joints), piece)
}

/// Those that begin as the piece does.
fn fitting(offers: impl Iterator<Item = Offer>, piece: &str) -> Vec<Offer> {
    let piece = lower(piece);
    let longer = |offer: &Offer| {
        let text = lower(&offer.text);
        text.starts_with(&piece) && text.trim_end() != piece
    };
    offers.filter(longer).take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(text: &str) -> (usize, Vec<String>) {
        let events = ["charge.succeeded".to_owned(), "Push Hook".to_owned(), "recharge".to_owned()];
        let (headers, paths) = (["x-event".to_owned()], ["//odd".to_owned()]);
        let seen = |field: &str| match field {
            "event" => &events[..],
            "header.NAME" => &headers[..],
            "path" => &paths[..],
            _ => &[],
        };
        let completion = complete(text, text.chars().count(), seen, [("bad", "sig:failed")].into_iter());
        (completion.from, completion.offers.into_iter().map(|offer| offer.text).collect())
    }

    #[test]
    fn the_piece_before_the_cursor_is_completed() {
        for (text, from, offers) in [
            ("pr", 0, &["provider:"][..]),
            ("a (EV", 3, &["event:", "event.id:"]),
            ("sig:", 0, &["sig:passed", "sig:failed", "sig:unsigned", "sig:unchecked"]),
            ("x sig!=un", 2, &["sig!=unsigned", "sig!=unchecked"]),
            ("event:ch", 0, &["event:charge.succeeded", "event:recharge"]),
            ("event:\"pu", 0, &["event:\"Push Hook\""]),
            ("event=push", 0, &["event=\"Push Hook\""]),
            ("body", 0, &["body:", "body=", "body!=", "body~", "body."]),
            ("dup", 0, &["dup:", "dup!="]),
            ("size", 0, &["size:", "size=", "size!=", "size>", "size>=", "size<", "size<="]),
            ("path:", 0, &["path:\"//odd\""]),
            ("header.x", 0, &["header.x-event:"]),
            ("header.X-Event", 0, &["header.x-event:"]),
            ("a o", 2, &["or "]),
            ("@", 0, &["@bad"]),
            ("dup:y", 0, &["dup:yes"]),
            ("", 0, &[]),
            ("a ", 2, &[]),
            ("\"sig:", 0, &[]),
            ("nothing:x", 0, &[]),
        ] {
            assert_eq!(offered(text), (from, offers.iter().map(|text| (*text).to_owned()).collect()), "{text}");
        }
    }

    #[test]
    fn whatever_is_offered_can_be_read() {
        let none = |_: &str| -> &[String] { &[] };
        for field in FIELDS.iter().filter(|field| !field.is_family()) {
            let offers = |text: &str| complete(text, text.len(), none, std::iter::empty()).offers;
            for with_operator in offers(field.name).iter().filter(|offer| !offer.text.contains('.')) {
                for offer in offers(&with_operator.text) {
                    let read = crate::query::Filter::parse(&offer.text);
                    assert!(read.is_ok() || with_operator.text.ends_with('~'), "{}: {read:?}", offer.text);
                }
            }
        }
    }
}
