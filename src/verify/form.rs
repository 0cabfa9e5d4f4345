//! What signatures do with forms and queries, and the parts of other bodies that schemes point at.

use std::{borrow::Cow, collections::HashMap, ops::Range};

use crate::record::multipart::{Part, Parts, parameter};
pub(super) use crate::record::pairs::{Pair, pairs, value};

/// How many pairs of a query Node's `querystring.parse` looks at (its `maxKeys`).
const NODE_MAX_KEYS: usize = 1000;

/// How many parts of a form are looked at: as many as PHP takes (`max_input_vars`). Each is looked at once for each field, on the
/// thread that answers.
const MOST_PARTS: usize = 1_000;

/// Where the content of the first whole part of that name lies in a multipart form; none where the media type says that the
/// body is none.
pub(super) fn multipart_place(body: &[u8], content_type: &[u8], name: &str) -> Option<Range<usize>> {
    let boundary = boundary(content_type)?;
    let mut parts = Parts::of(body, &boundary)?;
    for _ in 0..MOST_PARTS {
        let place = parts.next()?;
        let part = Part::at(body, place);
        if !parts.is_cut() && part.name().is_some_and(|it| it == name) {
            return Some(part.body);
        }
    }
    None
}

/// Whether a media type is that of a multipart form (RFC 7578).
pub(super) fn is_multipart(content_type: &[u8]) -> bool {
    boundary(content_type).is_some()
}

fn boundary(content_type: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(content_type).ok()?;
    let media = text.split(';').next().unwrap_or_default().trim();
    let named = media.eq_ignore_ascii_case("multipart/form-data").then(|| parameter(text, "boundary"))?;
    named.filter(|name| !name.is_empty()).map(String::into_bytes)
}

/// The text of the first element of that name, without the marks of a CDATA section.
pub(super) fn xml_text<'a>(body: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let after = &body[memmem(body, open.as_bytes())? + open.len()..];
    let text = after[..memmem(after, close.as_bytes())?].trim_ascii();
    Some(text.strip_prefix(b"<![CDATA[").and_then(|text| text.strip_suffix(b"]]>")).unwrap_or(text))
}

fn memmem(text: &[u8], wanted: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, wanted)
}

/// Every pair once, sorted by name and value, written as name and value without anything between: what Twilio signs
/// (twilio-node, `getExpectedTwilioSignature`).
pub(super) fn sorted(encoded: &[u8]) -> Vec<u8> {
    let mut pairs: Vec<_> = pairs(encoded).collect();
    pairs.sort();
    pairs.dedup();
    pairs.iter().flat_map(|(name, value)| name.iter().chain(value.iter())).copied().collect()
}

/// A query as Node's `querystring` writes it after reading it: a space as `%20`, `A-Z a-z 0-9 - _ . ~ ! ' ( ) *` as they
/// are, values of one name side by side.
pub(super) fn rewritten(query: &str) -> String {
    let mut groups: Vec<Vec<Pair<'_>>> = Vec::new();
    let mut places: HashMap<Cow<'_, [u8]>, usize> = HashMap::new();
    for pair in pairs(query.as_bytes()).take(NODE_MAX_KEYS) {
        let place = *places.entry(pair.0.clone()).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(pair),
            None => groups.push(vec![pair]),
        }
    }
    let written = |(name, value): &Pair<'_>| format!("{}={}", escape(name), escape(value));
    groups.iter().flatten().map(written).collect::<Vec<_>>().join("&")
}

/// A name or a value as every form's reader understands it: all but letters, digits, `-`, `.` and `_` percent-encoded.
pub(super) fn escaped(bytes: &[u8]) -> String {
    with_percents(bytes, b"-_.")
}

fn escape(bytes: &[u8]) -> String {
    with_percents(bytes, b"-_.~!'()*")
}

/// A text with all but letters, digits and `plain` percent-encoded.
pub(super) fn with_percents(bytes: &[u8], plain: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, &byte| {
        if byte.is_ascii_alphanumeric() || plain.contains(&byte) {
            text.push(char::from(byte));
        } else {
            push_percent(&mut text, byte);
        }
        text
    })
}

/// Appends `%XX`.
pub(super) fn push_percent(text: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    text.push('%');
    text.push(char::from(DIGITS[usize::from(byte >> 4)]));
    text.push(char::from(DIGITS[usize::from(byte & 15)]));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_multipart_form_are_found() {
        const KIND: &str = "Multipart/Form-Data; x=\"; boundary=no\"; charset=utf-8; boundary=\"b\"";
        let body = b"--b\r\nX: name=\"json\"\r\nContent-Disposition: form-data; filename=\"name=json; name=json\"; name=\"a\"\r\n\r\n1 --b\r\n--bc\r\n\
            --b\r\ncontent-disposition: form-data; name=json\r\n\r\n{\r\n}\r\n--b--\r\n";
        let value = |body: &[u8], kind: &str, name| {
            let place = multipart_place(body, kind.as_bytes(), name);
            place.map(|place| String::from_utf8(body[place].to_vec()).unwrap())
        };
        let found = |name| value(body, KIND, name);
        assert_eq!(
            [found("json"), found("a"), found("absent")],
            [Some("{\r\n}".into()), Some("1 --b\r\n--bc".into()), None]
        );
        for kind in [
            "text/plain; boundary=b",
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/form-datab; boundary=b",
        ] {
            assert_eq!(value(body, kind, "json"), None, "{kind}");
        }
        let part = "--b\r\nContent-Disposition: form-data; name=x\r\n\r\n1\r\n";
        let last = "--b\r\nContent-Disposition: form-data; name=json\r\n\r\n2\r\n--b--";
        let found = |before: usize| value((part.repeat(before) + last).as_bytes(), KIND, "json");
        assert_eq!((found(MOST_PARTS - 1), found(MOST_PARTS)), (Some("2".into()), None));
        let cut = b"--b\r\nContent-Disposition: form-data; name=\"json\"\r\n\r\n{";
        assert_eq!(value(cut, KIND, "json"), None, "a part without its end may be half of one");
    }

    #[test]
    fn elements_of_xml_are_found() {
        let body = b"<xml><Encrypt><![CDATA[ab]]></Encrypt><A> c </A></xml>";
        assert_eq!(
            [xml_text(body, "Encrypt"), xml_text(body, "A"), xml_text(body, "B")],
            [Some(&b"ab"[..]), Some(b"c"), None]
        );
    }

    #[test]
    fn sorting_removes_only_equal_pairs() {
        assert_eq!(sorted(b"Sid=CA&Digits=56&Digits=12&Digits=12"), b"Digits12Digits56SidCA");
        assert_ne!(sorted(b"a=%FF"), sorted(b"a=%FE"));
    }

    #[test]
    fn a_query_is_rewritten_as_node_does() {
        assert_eq!(rewritten("a=It%27s+amazing&b=%2f&a=2&c"), "a=It's%20amazing&a=2&b=%2F&c=");
    }
}
