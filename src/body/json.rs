//! The view of JSON: indented and coloured, every number and string as sent, broken or not.

use bytes::Bytes;
use serde::de::IgnoredAny;

use super::{Content, Document, double::doubled, escape, fit, piece::Sparse, pretty::Pretty};
use crate::record::json::mark_bytes;

/// An object or array is taken for JSON where the sender says so, even if it is broken; anything else only if it is
/// valid, and a lone value only if the sender says so too.
pub(super) fn fits(content: &Content) -> bool {
    let bytes = content.bytes[mark_bytes(&content.bytes)..].trim_ascii_start();
    if content.coding().is_some() || bytes.is_empty() {
        return false;
    }
    match (matches!(bytes[0], b'{' | b'['), content.says_json()) {
        (true, true) => true,
        (false, false) => false,
        _ => check(&content.bytes).map_or_else(|broken| content.is_cut && broken.is_end, |_| true),
    }
}

/// Counts the lines: one pass over the bytes, no tree.
pub(super) fn open(content: &Content) -> Result<Box<dyn Document>, String> {
    let (pretty, note) = read(content)?;
    Ok(Box::new(Sparse::new(pretty, note)))
}

/// The body as JSON, and what a reader should know of it.
pub(super) fn read(content: &Content) -> Result<(Pretty, Option<String>), String> {
    content.refuse_coding()?;
    let bytes = content.bytes.clone();
    let checked = check(&bytes).map_err(|broken| Some(broken).filter(|broken| !(content.is_cut && broken.is_end)));
    let doubled = doubled(&bytes);
    let mut notes = Vec::new();
    match &checked {
        Ok(0) if bytes.is_empty() => notes.push("no body".to_string()),
        Ok(0) => notes.push("nothing but white space".to_string()),
        Ok(1) | Err(None) => {}
        Ok(values) => notes.push(format!("{values} JSON values, one after another")),
        Err(Some(broken)) => notes.push(broken.to_string()),
    }
    notes.extend(twice(&bytes, &doubled));
    if mark_bytes(&bytes) > 0 {
        notes.push("begins with a byte order mark".to_string());
    }
    if let Err(error) = std::str::from_utf8(&bytes)
        && !(content.is_cut && error.error_len().is_none())
    {
        notes.push(format!("not UTF-8 at byte {}", error.valid_up_to()));
    }
    if !content.says_json() && content.content_type.is_some() {
        notes.push(format!("JSON, though its Content-Type says {}", fit(&content.media(), 60)));
    }
    let note = (!notes.is_empty()).then(|| escape(&notes.join("; ")).into_owned());
    let error = checked.err().flatten().map(|broken| broken.byte);
    let doubled = doubled.into_iter().map(|name| name.start).collect();
    Ok((Pretty { bytes, error, doubled }, note))
}

/// What is said of names that their objects have twice.
fn twice(bytes: &[u8], doubled: &[std::ops::Range<usize>]) -> Option<String> {
    let first = fit(&String::from_utf8_lossy(&bytes[doubled.first()?.clone()]), 40);
    Some(match doubled.len() {
        1 => format!("1 name is there twice in its object: {first}"),
        count => format!("{count} names are there twice in their objects: {first} and others"),
    })
}

/// The lines of those bytes.
pub(super) fn document(bytes: Bytes, error: Option<usize>, note: Option<String>) -> Box<dyn Document> {
    Box::new(Sparse::new(Pretty { bytes, error, doubled: Vec::new() }, note))
}

/// Where and why bytes are no JSON.
#[derive(Debug)]
pub(super) struct Broken {
    byte: usize,
    line: usize,
    column: usize,
    why: String,
    /// Whether what there is breaks off and is not wrong.
    pub(super) is_end: bool,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "invalid JSON at {}:{} (byte {}): {}", self.line, self.column, self.byte, self.why)
    }
}

/// How many JSON values the bytes are, one after another. Allocates nothing but a byte for each open bracket.
pub(super) fn check(bytes: &[u8]) -> Result<usize, Broken> {
    let text = &bytes[mark_bytes(bytes)..];
    let mut values = 0;
    for value in serde_json::Deserializer::from_slice(text).into_iter::<IgnoredAny>() {
        value.map_err(|error| broken(bytes, bytes.len() - text.len(), &error))?;
        values += 1;
    }
    Ok(values)
}

/// The error counts lines from one and bytes within a line from one; a person counts characters.
fn broken(bytes: &[u8], skipped: usize, error: &serde_json::Error) -> Broken {
    let text = &bytes[skipped..];
    let ends = memchr::memchr_iter(b'\n', text);
    let start = ends.take(error.line() - 1).last().map_or(0, |end| end + 1);
    let within = if error.is_eof() { text.len() - start } else { error.column().saturating_sub(1) };
    let at = (start + within).min(text.len());
    let column = String::from_utf8_lossy(&text[start..at]).chars().count() + 1;
    let said = error.to_string();
    let why = if is_trailing_comma(&text[..at], text.get(at)) {
        "trailing comma"
    } else {
        said.rfind(" at line ").map_or(said.as_str(), |end| &said[..end])
    };
    Broken { byte: skipped + at, line: error.line(), column, why: why.to_string(), is_end: error.is_eof() }
}

fn is_trailing_comma(before: &[u8], byte: Option<&u8>) -> bool {
    matches!(byte, Some(b'}' | b']')) && before.trim_ascii_end().ends_with(b",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::{LINE_CHARS, Role};

    fn opened(text: impl Into<Bytes>) -> Box<dyn Document> {
        let content =
            Content { bytes: text.into(), content_type: Some("application/json".into()), ..Content::default() };
        open(&content).unwrap()
    }

    fn shown(document: &dyn Document) -> Vec<String> {
        let lines = document.lines(0..document.line_count());
        assert_eq!(lines.len(), document.line_count());
        lines.iter().map(|line| line.iter().map(|span| span.text.as_str()).collect()).collect()
    }

    #[test]
    fn an_object_is_indented_and_its_values_stay_as_sent() {
        let document = opened(r#"{"b":1.50,"a":"\u00e9\/","a":[ ],"n":{"x":[true,-0e5,{}]}}"#);
        let lines = shown(&*document);
        assert_eq!(
            lines,
            [
                "{",
                r#"  "b": 1.50,"#,
                r#"  "a": "\u00e9\/","#,
                r#"  "a": [],"#,
                r#"  "n": {"#,
                r#"    "x": ["#,
                "      true,",
                "      -0e5,",
                "      {}",
                "    ]",
                "  }",
                "}",
            ]
        );
        assert_eq!(document.note(), Some("1 name is there twice in its object: \"a\""));
    }

    #[test]
    fn a_quote_behind_a_backslash_ends_no_string() {
        let lines = shown(&*opened(r#"["a\\","\"b, {\\\"c",1]"#));
        assert_eq!(lines, ["[", r#"  "a\\","#, r#"  "\"b, {\\\"c","#, "  1", "]"]);
    }

    #[test]
    fn every_token_has_its_role() {
        let lines = opened(r#"{"k":"v","n":[1,null]}"#).lines(0..9);
        let roles = |line: usize| lines[line].iter().map(|span| span.role).collect::<Vec<_>>();
        assert_eq!(roles(1), [Role::Plain, Role::Key, Role::Punctuation, Role::Plain, Role::Text, Role::Punctuation]);
        assert_eq!(roles(3), [Role::Plain, Role::Number, Role::Punctuation]);
        assert_eq!(roles(4), [Role::Plain, Role::Literal]);
    }

    #[test]
    fn broken_json_shows_and_says_where() {
        for (text, note) in [
            ("{\"a\": 1,}", "invalid JSON at 1:9 (byte 8): trailing comma"),
            ("{\n \"é\": NaN}", "invalid JSON at 2:7 (byte 9): expected value"),
            ("{\"a\": \"foo", "invalid JSON at 1:11 (byte 10): EOF while parsing a string"),
            ("[1 2]", "invalid JSON at 1:4 (byte 3): expected `,` or `]`"),
            ("[1]x", "invalid JSON at 1:4 (byte 3): expected value"),
        ] {
            assert_eq!(opened(text).note(), Some(note), "{text}");
        }
        let wrong = opened("{\"a\": NaN}").lines(1..2).remove(0);
        assert!(wrong.iter().any(|span| span.role == Role::Error && span.text == "NaN"));
        let comma = opened("{\"a\":1,}").lines(0..9);
        assert!(comma.iter().flatten().any(|span| span.role == Role::Error && span.text == "}"), "{comma:?}");
    }

    #[test]
    fn control_bytes_inside_a_string_are_shown_as_control() {
        let lines = opened("[\"a\u{1b}[2J\u{202e}b\"]").lines(1..2);
        let control: Vec<_> =
            lines[0].iter().filter(|span| span.role == Role::Control).map(|s| s.text.as_str()).collect();
        assert_eq!(control, ["␛", "‹U+202E›"]);
    }

    #[test]
    fn lines_of_json_are_several_values() {
        let document = opened("{\"a\":1}\n{\"b\":2}\n");
        assert_eq!(document.note(), Some("2 JSON values, one after another"));
        assert_eq!(shown(&*document), ["{", "  \"a\": 1", "}", "{", "  \"b\": 2", "}"]);
    }

    #[test]
    fn any_screen_is_the_same_through_the_index_and_from_the_top() {
        let text = (0..500).map(|n| format!("{{\"n\":[{n},{n}]}}\n")).collect::<Vec<_>>().concat();
        let document = opened(text);
        let all = document.lines(0..document.line_count());
        for start in [0, 1, 63, 64, 65, 1_000, all.len() - 1] {
            let end = (start + 70).min(all.len());
            assert_eq!(document.lines(start..start + 70), all[start..end], "from {start}");
        }
        assert!(document.lines(all.len()..all.len() + 5).is_empty());
    }

    #[test]
    fn a_long_string_goes_on_in_the_next_lines_and_loses_nothing() {
        let long = format!("{}\\\"{}", "x".repeat(10_000), "é\u{1b}".repeat(5_000));
        let document = opened(format!("{{\"{long}\":\"{long}\",\"z\":1}}"));
        let lines = document.lines(0..document.line_count());
        let text = |line: &crate::body::Line| line.iter().map(|s| s.text.as_str()).collect::<String>();
        assert!(lines.iter().all(|line| text(line).chars().count() <= LINE_CHARS));
        let kept: String = lines
            .iter()
            .flatten()
            .filter(|s| s.role != Role::Dim && s.role != Role::Plain)
            .map(|s| s.text.as_str())
            .collect();
        assert_eq!(kept, format!("{{\"{long}\":\"{long}\",\"z\":1}}").replace('\u{1b}', "␛"));
        assert_eq!(text(&lines[lines.len() - 2]), "  \"z\": 1");
    }

    #[test]
    fn a_hundred_thousand_brackets_open_at_once() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        let document = opened(deep.clone());
        assert_eq!((document.line_count(), document.note()), (199_999, None));
        assert!(shown(&*document).iter().all(|line| line.len() < 100));
        let half = opened(deep[..150_000].to_string());
        assert!(half.note().unwrap().contains("EOF while parsing a list"));
    }

    #[test]
    fn a_byte_order_mark_is_shown_and_named() {
        let document = opened("\u{feff}{\"a\":1}");
        assert_eq!(document.note(), Some("begins with a byte order mark"));
        assert_eq!(shown(&*document)[..2], ["‹U+FEFF›", "{"]);
    }
}
