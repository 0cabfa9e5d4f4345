//! What must stand in a capture that a filter takes: so that an index can pass over those that cannot be meant.
//!
//! [`texts`] and [`Filter::need`](super::Filter::need) are two halves of one promise: whatever a filter takes, what it
//! needs stands in the texts of it. A test holds them to it; an index may be built of the texts alone.

use std::borrow::Cow;

use super::Content;
use crate::record::{json, pairs};

/// What must stand in the texts of a capture, or be marked of its body. ASCII letters count in either case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Need {
    /// Nothing that one could look for.
    #[default]
    Anything,
    /// These bytes, in one piece, in one of the texts.
    Text(Vec<u8>),
    /// This mark, one of those of the body ([`marks`](super::marks)).
    Mark(u64),
    /// All of them, wherever.
    All(Vec<Need>),
    /// One of them.
    Any(Vec<Need>),
}

impl Need {
    pub(super) fn text(text: &str) -> Self {
        if text.is_empty() { Self::Anything } else { Self::Text(text.as_bytes().to_ascii_lowercase()) }
    }

    /// The ASCII runs of a text that was decoded: what is beyond ASCII may have been written in ways that are not undone.
    pub(super) fn ascii(text: &str) -> Self {
        Self::all(text.split(|c: char| !c.is_ascii()).map(Self::text))
    }

    pub(super) fn all(needs: impl IntoIterator<Item = Self>) -> Self {
        let mut needs: Vec<_> = needs.into_iter().filter(|need| *need != Self::Anything).collect();
        match needs.len() {
            0 => Self::Anything,
            1 => needs.remove(0),
            _ => Self::All(needs),
        }
    }

    pub(super) fn any(needs: impl IntoIterator<Item = Self>) -> Self {
        let needs: Vec<_> = needs.into_iter().collect();
        if needs.is_empty() || needs.contains(&Self::Anything) { Self::Anything } else { Self::Any(needs) }
    }
}

#[cfg(test)]
impl Need {
    /// Whether it is met where those texts and marks are there.
    pub(super) fn is_met(&self, text: &dyn Fn(&[u8]) -> bool, mark: &dyn Fn(u64) -> bool) -> bool {
        match self {
            Self::Anything => true,
            Self::Text(wanted) => text(wanted),
            Self::Mark(wanted) => mark(*wanted),
            Self::All(needs) => needs.iter().all(|need| need.is_met(text, mark)),
            Self::Any(needs) => needs.iter().any(|need| need.is_met(text, mark)),
        }
    }
}

/// The texts of a capture: its words in the row, its head, its body, and what is written in those in other ways — in JSON
/// with escapes, in forms and queries with percent signs. `body` is as a filter sees it, its codings undone.
pub fn texts(words: &[&[u8]], query: &[u8], content: &Content<'_>, mut take: impl FnMut(&[u8])) {
    words.iter().for_each(|word| take(word));
    take(content.head);
    take(content.body);
    decoded(query).into_iter().for_each(|text| take(&text));
    // What does not begin as JSON is asked as a form, whose fields may hold JSON.
    let form = if json::looks_like_json(content.body) { None } else { decoded(content.body) };
    if let Some(form) = &form {
        take(form);
    }
    let json = unescaped(form.as_deref().unwrap_or(content.body));
    json.into_iter().for_each(|text| take(&text));
}

/// A form's text with its percent signs and pluses undone; none where it has none. The pieces between `&` and `=` stay
/// where they are, so that a value stands in it in one piece.
fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr2(b'%', b'+', text)?;
    let pieces = pairs::pairs(text).flat_map(|(name, value)| [name, Cow::Borrowed(&b"="[..]), value, b"&".into()]);
    Some(pieces.fold(Vec::with_capacity(text.len()), |mut all, piece| {
        all.extend_from_slice(&piece);
        all
    }))
}

/// A JSON text with the escapes of its strings undone; none where it has none.
fn unescaped(text: &[u8]) -> Option<Vec<u8>> {
    let mut at = memchr::memchr(b'\\', text)?;
    let mut plain = text[..at].to_vec();
    while let Some(&byte) = text.get(at) {
        let (next, length) = match (byte, text.get(at + 1)) {
            (b'\\', Some(b'u')) => unicode(&text[at..]),
            (b'\\', Some(b'n')) => (Some('\n'), 2),
            (b'\\', Some(b't')) => (Some('\t'), 2),
            (b'\\', Some(b'r')) => (Some('\r'), 2),
            (b'\\', Some(b'b')) => (Some('\u{8}'), 2),
            (b'\\', Some(b'f')) => (Some('\u{c}'), 2),
            (b'\\', Some(&other)) if other.is_ascii() => (Some(char::from(other)), 2),
            _ => (None, 1),
        };
        match next {
            Some(c) => plain.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            None => plain.extend_from_slice(&text[at..at + length]),
        }
        at += length;
    }
    Some(plain)
}

/// The character of `\u` and four digits, or of two of them, and how many bytes they take; none where they are no character.
fn unicode(text: &[u8]) -> (Option<char>, usize) {
    let unit = |from: usize| {
        let digits = text.get(from..from + 6).filter(|unit| unit.starts_with(b"\\u"))?;
        u32::from_str_radix(std::str::from_utf8(&digits[2..]).ok()?, 16).ok()
    };
    match (unit(0), unit(6)) {
        (Some(high @ 0xd800..0xdc00), Some(low @ 0xdc00..0xe000)) => {
            (char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00)), 12)
        }
        (Some(unit), _) => (char::from_u32(unit), 6),
        (None, _) => (None, 2),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::query::Inside;

    /// Whether a need is met by those texts.
    fn is_met(need: &Need, texts: &[Vec<u8>]) -> bool {
        need.is_met(&|wanted| texts.iter().any(|text| memchr::memmem::find(text, wanted).is_some()), &|_| true)
    }

    fn texts_of(head: &[u8], body: &[u8]) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        let parsed = crate::record::Head::parse(bytes::Bytes::copy_from_slice(head));
        let query = parsed.query().unwrap_or_default().into_owned();
        texts(&[], query.as_bytes(), &Content { head, body }, |text| all.push(text.to_ascii_lowercase()));
        all
    }

    fn need(text: &str) -> Need {
        Inside::parse(text).unwrap_or_else(|| panic!("{text}")).need()
    }

    #[test]
    fn only_what_must_stand_there_is_needed() {
        let text = |text: &str| Need::Text(text.as_bytes().to_vec());
        for (filter, expected) in [
            ("Trout", text("trout")),
            ("body:Trout", text("trout")),
            ("body.fish=Trout", Need::All(vec![text("trout"), text("fish")])),
            ("body.fish:\"caf\u{e9}s\"", Need::All(vec![Need::All(vec![text("caf"), text("s")]), text("fish")])),
            ("body.n=nan", text("n")),
            ("body.n!=x", Need::Anything),
            ("body~^tr", text("tr")),
            ("body~\"tr[a-z]+t\"", Need::All(vec![text("tr"), text("t")])),
            ("body.fish~\"caf\u{e9}s\"", Need::All(vec![Need::All(vec![text("caf"), text("s")]), text("fish")])),
            ("header.X-Event~^p", Need::All(vec![text("p"), text("x-event")])),
            ("query.x=1", text("x")),
        ] {
            assert_eq!(need(filter), expected, "{filter}");
        }
    }

    #[test]
    fn what_is_compared_with_a_number_needs_its_name_and_a_mark_beside_the_digits() {
        for (filter, texts) in [("body.list[0].id>5", &["list", "id"][..]), ("body.n=12345", &["1234", "n"])] {
            let all = |wanted: &[u8]| texts.iter().any(|text| text.as_bytes() == wanted);
            assert!(need(filter).is_met(&all, &|_| true), "{filter}");
            assert!(!need(filter).is_met(&all, &|_| false), "{filter}");
            for left_out in texts {
                let others = |wanted: &[u8]| all(wanted) && left_out.as_bytes() != wanted;
                assert!(!need(filter).is_met(&others, &|_| true), "{filter} without {left_out}");
            }
        }
        assert!(need("body.list[0]>5").is_met(&|_| true, &|_| false), "a place in a list has no name of its own");
    }

    #[test]
    fn what_is_written_in_other_ways_is_among_the_texts() {
        let head = b"POST /a?x=%74rout+fly HTTP/1.1\r\n\r\n";
        for (filter, body) in [
            ("query.x=\"trout fly\"", &b""[..]),
            ("body.fish=trout", br#"{"\u0066ish":"\u0054rout"}"#),
            ("body.fish:\"a/b\"", br#"{"fish":"a\/b \ud83d\ude00"}"#),
            ("body.fish=\"\u{1f600}trout\"", br#"{"fish":"\ud83d\ude00tro\u0075t"}"#),
            ("body.fish=\"tr\\\\out\"", br#"{"fish":"tr\\out"}"#),
            ("body.data.fish=trout", b"data=%7B%22fish%22%3A%22tr%5Cu006fut%22%7D"),
            ("body.fish=\"trout fly\"", b"a=b&fish=trout+fly"),
            ("body.fish=\"trout\nfly\"", br#"{"fish":"trout\nfly"}"#),
        ] {
            let inside = Inside::parse(filter).unwrap();
            assert!(inside.takes(&Content { head, body }), "{filter}");
            assert!(is_met(&inside.need(), &texts_of(head, body)), "{filter}: {:?}", inside.need());
        }
    }

    proptest! {
        /// Whatever is taken has what is needed: JSON and forms of any text, escaped at random.
        #[test]
        fn whatever_is_taken_has_what_is_needed(
            key in "[a-c]{1,3}", value in "[a-cA-C\"\\\\/é\u{1f600} %+&=\n]{1,6}", escapes in any::<u64>(), form in any::<bool>(), at in 0_usize..6, len in 1_usize..6,
        ) {
            let json = format!("{{\"{}\":\"{}\"}}", escape(&key, escapes), escape(&value, escapes >> 8));
            let body = if form { format!("{}={}", percent(&key, escapes), percent(&value, escapes >> 8)) } else { json };
            let head = format!("POST /?{}={} HTTP/1.1\r\n\r\n", percent(&key, escapes >> 16), percent(&value, escapes >> 24));
            let part: String = value.chars().skip(at).take(len).collect();
            let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
            for wanted in [&value, &part] {
                for filter in ["body", "body.KEY", "query.KEY"].map(|field| field.replace("KEY", &key)) {
                    for sign in [":", "=", "!="] {
                        let Some(inside) = Inside::parse(&format!("{filter}{sign}\"{}\"", quoted(wanted))) else { continue };
                        let content = Content { head: head.as_bytes(), body: body.as_bytes() };
                        if inside.takes(&content) {
                            let texts = texts_of(head.as_bytes(), body.as_bytes());
                            prop_assert!(is_met(&inside.need(), &texts), "{} in {body} and {head}: {:?}", inside.text(), inside.need());
                        }
                    }
                }
            }
        }
    }

    /// The text in a JSON string, some of its characters by their numbers.
    fn escape(text: &str, which: u64) -> String {
        text.chars().enumerate().fold(String::new(), |all, (at, c)| match c {
            c if which >> at & 1 == 1 => {
                c.encode_utf16(&mut [0; 2]).iter().fold(all, |all, unit| format!("{all}\\u{unit:04X}"))
            }
            '\n' => all + "\\n",
            '"' | '\\' => format!("{all}\\{c}"),
            '/' if which >> at & 2 == 2 => all + "\\/",
            c => format!("{all}{c}"),
        })
    }

    /// The text in a form, some of its characters percent-encoded.
    fn percent(text: &str, which: u64) -> String {
        text.bytes().enumerate().fold(String::new(), |all, (at, b)| match b {
            b' ' if which >> at & 1 == 0 => all + "+",
            b if which >> at & 1 == 1 || !b.is_ascii_alphanumeric() => format!("{all}%{b:02X}"),
            b => format!("{all}{}", char::from(b)),
        })
    }
}
