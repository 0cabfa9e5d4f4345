//! What may be meant by what is being typed.

use super::{
    FIELDS, Field,
    field::{self, OPERATORS},
    print::value_of,
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
    } else if let Some((field, typed, value)) = value_in(&piece) {
        values(field, typed, value, &seen)
    } else {
        names_and_joints(&piece)
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

/// The field, what was typed up to its value, and the value so far; none where the piece is no test.
fn value_in(piece: &str) -> Option<(&'static Field, &str, &str)> {
    let at = piece.find([':', '=', '!', '>', '<', '~'])?;
    let field = field::named(&piece[..at])?;
    let sign = OPERATORS.iter().find(|row| piece[at..].starts_with(row.0))?.0;
    let value = &piece[at + sign.len()..];
    Some((field, &piece[..at + sign.len()], value))
}

fn values<'a>(field: &Field, typed: &str, value: &str, seen: &impl Fn(&str) -> &'a [String]) -> Vec<Offer> {
    let known = field.values().into_iter().map(str::to_owned);
    let all = known.chain(seen(field.name).iter().cloned());
    let wanted = lower(value.trim_start_matches('"'));
    let offer = |value: String| Offer { text: format!("{typed}{}", value_of(&value)), help: String::new() };
    let (begin, within): (Vec<_>, Vec<_>) = all
        .filter(|value| lower(value).contains(&wanted) && lower(value) != wanted)
        .partition(|value| lower(value).starts_with(&wanted));
    begin.into_iter().chain(within).take(MOST).map(offer).collect()
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
        let seen = |field: &str| if field == "event" { &events[..] } else { &[] };
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
            ("body", 0, &["body:", "body."]),
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
        for field in FIELDS {
            for value in field.values() {
                let text = format!("{}:{}", field.name, value_of(value));
                assert!(crate::query::Filter::parse(&text).is_ok(), "{text}");
            }
        }
    }
}
