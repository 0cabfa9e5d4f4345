//! A value put into a JSON text, by its path: in the place of one, or as a new one; all else stays byte for byte.

use std::ops::Range;

use super::{Path, Step};
use crate::record::token::{Member, Members};

/// A JSON text with another value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    /// The new text.
    pub bytes: Vec<u8>,
    /// Where the value stood in the old text whose place it took; none: it is new.
    pub before: Option<Range<usize>>,
}

impl Path {
    /// Puts a value, itself JSON, where the path leads in a JSON text. A member that an object does not have is added, within
    /// objects of its own where more of the names on its way are missing; the place behind an array's last one, too. Else:
    /// which piece is not there.
    pub fn put(&self, text: &[u8], value: &str) -> Result<Put, String> {
        if let Some(place) = self.find(text) {
            return Ok(Put { bytes: spliced(text, &place, value.as_bytes()), before: Some(place) });
        }
        let parts = (0..self.0.len()).rev().map(|length| self.0.split_at(length));
        let mut found = parts.map(|(there, rest)| (Self(there.to_vec()), rest));
        let deepest = found.find_map(|(there, rest)| there.find(text).zip(rest.split_first()).zip(Some(there)));
        let ((place, (step, rest)), there) = deepest.ok_or("there is no value")?;
        let name = room(text, &place, &there, step)?;
        let value = within(rest, value).map_err(|missing| {
            let below = Self(self.0[..=there.0.len()].to_vec());
            format!("there is no {below}, and so no element {missing} of it")
        })?;
        let (at, addition) = addition(text, &place, name, &value);
        Ok(Put { bytes: spliced(text, &(at..at), addition.as_bytes()), before: None })
    }
}

fn spliced(text: &[u8], place: &Range<usize>, value: &[u8]) -> Vec<u8> {
    [&text[..place.start], value, &text[place.end..]].concat()
}

/// Whether one more value may stand there, and by which name; none: at the end of an array.
fn room<'a>(text: &[u8], place: &Range<usize>, there: &Path, step: &'a Step) -> Result<Option<&'a str>, String> {
    let called = if there.0.is_empty() { "the whole".to_owned() } else { there.to_string() };
    let Some(members) = Members::of(text, place.start) else {
        let kind = kind(&text[place.clone()]);
        let step = Path(vec![step.clone()]);
        return Err(format!("there is nothing below which {step} could stand: {called} is {kind}"));
    };
    if members.is_object() {
        return match step {
            Step::Name(name) => Ok(Some(name)),
            Step::Place(nth) => Err(format!("there is no element {nth}: {called} is an object")),
        };
    }
    let nth = match step {
        Step::Name(name) => name
            .parse()
            .map_err(|_| format!("there is no member `{name}`: {called} is an array, of places from [0] on"))?,
        Step::Place(nth) => *nth,
    };
    match members.count() {
        count if count == nth => Ok(None),
        count => Err(format!("there is no element {nth}: {called} has {count}, and [{count}] would append one")),
    }
}

/// A value within the objects that the rest of its way asks for; the place, where an array would have to be made up.
fn within(rest: &[Step], value: &str) -> Result<String, usize> {
    rest.iter().rev().try_fold(value.to_owned(), |value, step| match step {
        Step::Name(name) => Ok(format!("{{{}:{value}}}", quoted(name))),
        Step::Place(nth) => Err(*nth),
    })
}

fn quoted(name: &str) -> String {
    serde_json::Value::from(name).to_string()
}

/// One more member or element, in the shape of the last one: where it goes in, and what.
fn addition(text: &[u8], place: &Range<usize>, name: Option<&str>, value: &str) -> (usize, String) {
    let name = name.map(quoted);
    let Some(Member { name: last_name, value: last }) = Members::of(text, place.start).and_then(Iterator::last) else {
        let name = name.map(|name| format!("{name}:")).unwrap_or_default();
        return (place.start + 1, format!("{name}{value}"));
    };
    let first = last_name.as_ref().map_or(last.start, |name| name.start);
    let space = text[..first].iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count();
    let space = String::from_utf8_lossy(&text[first - space..first]);
    let colon = last_name.map(|name| String::from_utf8_lossy(&text[name.end..last.start]));
    let name = name.zip(colon).map(|(name, colon)| format!("{name}{colon}")).unwrap_or_default();
    (last.end, format!(",{space}{name}{value}"))
}

fn kind(scalar: &[u8]) -> &'static str {
    match scalar.first() {
        Some(b'"') => "a text",
        Some(b'n') => "null",
        Some(b't') => "true",
        Some(b'f') => "false",
        _ => "a number",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(text: &str, path: &str, value: &str) -> Result<String, String> {
        let put = Path::parse(path).unwrap().put(text.as_bytes(), value)?;
        assert_eq!(put.before.is_some(), Path::parse(path).unwrap().find(text.as_bytes()).is_some());
        Ok(String::from_utf8(put.bytes).unwrap())
    }

    #[test]
    fn only_the_value_changes_in_every_spelling() {
        const TEXT: &str = r#"{ "a":1.0e2, "a":2,"é":"\u00e9" , "b":[1,{"c":"x"}]}"#;
        for path in ["b[1].c", "/b/1/c", "$.b[1].c", ".b[1].c", "b.1.c", "$[\"b\"][1].c"] {
            assert_eq!(put(TEXT, path, "5").unwrap(), TEXT.replace("\"x\"", "5"), "{path}");
        }
        assert_eq!(put(TEXT, "a", "[]").unwrap(), TEXT.replace(":2", ":[]"), "the last of its name counts");
        assert_eq!(put("{\"$\":{}}", "[\"$\"]", "1").unwrap(), "{\"$\":1}");
        assert_eq!(put(" 5 ", ".", "6").unwrap(), " 6 ");
    }

    #[test]
    fn what_is_new_has_the_shape_of_its_neighbour() {
        for (text, path, after) in [
            ("{}", "a", r#"{"a":7}"#),
            ("[ ]", "[0]", "[7 ]"),
            (r#"{"a":1}"#, "a b", r#"{"a":1,"a b":7}"#),
            (r#"{"a": 1, "b": []}"#, "c", r#"{"a": 1, "b": [], "c": 7}"#),
            ("{\n  \"a\": [\n    1\n  ]\n}\n", "b", "{\n  \"a\": [\n    1\n  ],\n  \"b\": 7\n}\n"),
            ("{\n  \"a\": [\n    1\n  ]\n}\n", "a[1]", "{\n  \"a\": [\n    1,\n    7\n  ]\n}\n"),
            (r#"{"a":{}}"#, "a.b.c", r#"{"a":{"b":{"c":7}}}"#),
            ("[1, 2]", "/2", "[1, 2, 7]"),
        ] {
            assert_eq!(put(text, path, "7").unwrap(), after, "{path} of {text}");
        }
    }

    #[test]
    fn the_piece_that_is_not_there_is_named() {
        for (path, words) in [
            ("b[3]", "there is no element 3: b has 2, and [2] would append one"),
            ("b[2].c[0]", "there is no b[2], and so no element 0 of it"),
            ("b.x", "there is no member `x`: b is an array, of places from [0] on"),
            ("[0]", "there is no element 0: the whole is an object"),
            ("a.c.d", "there is nothing below which c could stand: a is a number"),
            ("b[1].c.d", "there is nothing below which d could stand: b[1].c is a text"),
            ("n[0]", "there is no n, and so no element 0 of it"),
        ] {
            assert_eq!(put(r#"{"a":1,"b":[1,{"c":"x"}]}"#, path, "7"), Err(words.to_owned()), "{path}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_was_put_is_found(text in "[\\[\\]{}:,\"a1 \\n]{0,30}", path in "[a.\\[\\]01]{0,8}") {
            let is_json = serde_json::from_str::<serde_json::Value>(&text).is_ok();
            if let (true, Ok(path)) = (is_json, Path::parse(&path)) && let Ok(put) = path.put(text.as_bytes(), "77") {
                proptest::prop_assert!(serde_json::from_slice::<serde_json::Value>(&put.bytes).is_ok());
                let place = path.find(&put.bytes).unwrap();
                proptest::prop_assert_eq!(&put.bytes[place], b"77");
            }
        }
    }
}
