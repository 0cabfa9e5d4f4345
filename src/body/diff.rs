//! In what two bodies differ: JSON by its values, anything else by its lines.

use std::fmt;

use serde_json::Value;

use super::{Content, escape};

/// The largest body that is compared as JSON or by lines, in bytes; of larger ones it is only said that they differ.
const COMPARED_BYTES: usize = 4 << 20;
/// Lines on both sides, multiplied, up to which the shortest difference is looked for. Beyond it only what is equal at
/// both ends is left out.
const COMPARED_LINES: usize = 4_000_000;
/// The longest value that is shown, in characters.
const SHOWN: usize = 120;

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where: a path in JSON (`.data.items[3].id`), or a line of the first body (`line 7`). Empty for the whole.
    pub at: String,
    /// What was there; none: it was added. Safe to show.
    pub before: Option<String>,
    /// What is there; none: it was removed. Safe to show.
    pub after: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => write!(f, "~ {}: {before} → {after}", self.at),
            (Some(before), None) => write!(f, "- {}: {before}", self.at),
            (None, Some(after)) => write!(f, "+ {}: {after}", self.at),
            (None, None) => write!(f, "  {}", self.at),
        }
    }
}

/// In what a body differs from another; nothing where they are the same, byte for byte. Where two are equal as JSON and
/// not as bytes, that is the difference.
pub fn diff(before: &Content, after: &Content) -> Vec<Difference> {
    if before.bytes == after.bytes {
        return Vec::new();
    }
    let whole = |words: String| {
        vec![Difference {
            at: "body".to_owned(),
            before: Some(words),
            after: Some(format!("{} bytes", after.bytes.len())),
        }]
    };
    if before.bytes.len().max(after.bytes.len()) > COMPARED_BYTES {
        return whole(format!("{} bytes, too many to compare", before.bytes.len()));
    }
    let json = |content: &Content| serde_json::from_slice::<Value>(&content.bytes).ok();
    if let Some((a, b)) = json(before).zip(json(after)) {
        let mut found = Vec::new();
        values(&mut String::new(), &a, &b, &mut found);
        return if found.is_empty() {
            whole(format!("{} bytes, the same JSON in other words", before.bytes.len()))
        } else {
            found
        };
    }
    match (std::str::from_utf8(&before.bytes), std::str::from_utf8(&after.bytes)) {
        (Ok(a), Ok(b)) => lines(a, b),
        _ => whole(format!("{} bytes", before.bytes.len())),
    }
}

fn values(path: &mut String, before: &Value, after: &Value, found: &mut Vec<Difference>) {
    let end = path.len();
    match (before, after) {
        (Value::Object(a), Value::Object(b)) => {
            for (name, value) in a {
                path.push_str(&step(name));
                match b.get(name) {
                    Some(other) => values(path, value, other, found),
                    None => found.push(one(path, Some(value), None)),
                }
                path.truncate(end);
            }
            for (name, value) in b.iter().filter(|(name, _)| !a.contains_key(*name)) {
                found.push(one(&format!("{path}{}", step(name)), None, Some(value)));
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            for at in 0..a.len().max(b.len()) {
                path.push_str(&format!("[{at}]"));
                match (a.get(at), b.get(at)) {
                    (Some(value), Some(other)) => values(path, value, other, found),
                    (value, other) => found.push(one(path, value, other)),
                }
                path.truncate(end);
            }
        }
        (a, b) if a == b => {}
        (a, b) => found.push(one(path, Some(a), Some(b))),
    }
}

fn one(path: &str, before: Option<&Value>, after: Option<&Value>) -> Difference {
    let at = if path.is_empty() { ".".to_owned() } else { escape(path).into_owned() };
    Difference {
        at,
        before: before.map(|value| shown(&value.to_string())),
        after: after.map(|value| shown(&value.to_string())),
    }
}

/// A member's step in a path, as jq writes it.
fn step(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if plain { format!(".{name}") } else { format!("[{}]", Value::String(name.to_owned())) }
}

fn shown(text: &str) -> String {
    let mut letters = text.chars();
    let short: String = letters.by_ref().take(SHOWN).collect();
    let dots = if letters.next().is_some() { "…" } else { "" };
    format!("{}{dots}", escape(&short))
}

/// By lines: the longest common sequence stays, what is between is removed and added.
fn lines(before: &str, after: &str) -> Vec<Difference> {
    let (a, b): (Vec<&str>, Vec<&str>) = (before.split('\n').collect(), after.split('\n').collect());
    let start = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let rest = a.len().min(b.len()) - start;
    let end = a.iter().rev().zip(b.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[start..a.len() - end], &b[start..b.len() - end]);
    let removed =
        |at: usize| Difference { at: format!("line {}", start + at + 1), before: Some(shown(a[at])), after: None };
    let added = |at: usize, line: &str| Difference {
        at: format!("line {}", start + at + 1),
        before: None,
        after: Some(shown(line)),
    };
    if a.len().saturating_mul(b.len()) > COMPARED_LINES {
        let all = (0..a.len()).map(removed);
        return all.chain(b.iter().map(|line| added(a.len(), line))).collect();
    }
    let table = common(a, b);
    let (mut i, mut j, mut found) = (0, 0, Vec::new());
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            (i, j) = (i + 1, j + 1);
        } else if j == b.len() || (i < a.len() && table[i + 1][j] >= table[i][j + 1]) {
            found.push(removed(i));
            i += 1;
        } else {
            found.push(added(i, b[j]));
            j += 1;
        }
    }
    found
}

/// How long the longest common sequence is of what follows each pair of places.
fn common(a: &[&str], b: &[&str]) -> Vec<Vec<u32>> {
    let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            table[i][j] = if a[i] == b[j] { table[i + 1][j + 1] + 1 } else { table[i + 1][j].max(table[i][j + 1]) };
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(before: &str, after: &str) -> Vec<String> {
        let content = |text: &str| Content { bytes: text.to_owned().into(), ..Content::default() };
        diff(&content(before), &content(after)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn json_differs_by_its_values() {
        assert_eq!(
            found(
                r#"{"a":1,"b":{"c":[1,2,3],"odd key":null},"gone":true}"#,
                r#"{"b":{"c":[1,5],"odd key":"x"},"a":1,"new":{"d":1.0}}"#
            ),
            [
                "~ .b.c[1]: 2 → 5",
                "- .b.c[2]: 3",
                "~ .b[\"odd key\"]: null → \"x\"",
                "- .gone: true",
                "+ .new: {\"d\":1.0}",
            ]
        );
        assert_eq!(found("1", "[1]"), ["~ .: 1 → [1]"]);
        assert_eq!(found(r#"{"a":1}"#, r#"{ "a": 1 }"#), ["~ body: 7 bytes, the same JSON in other words → 10 bytes"]);
        assert_eq!(found(r#"{"n":1.0}"#, r#"{"n":1.00}"#), ["~ .n: 1.0 → 1.00"], "numbers are compared as they stand");
    }

    #[test]
    fn text_differs_by_its_lines() {
        assert_eq!(found("a\nb\nc\nd", "a\nc\nx\nd"), ["- line 2: b", "+ line 4: x"]);
        assert_eq!(found("a", "a\n"), ["+ line 2: "]);
        assert!(found("same", "same").is_empty());
    }

    #[test]
    fn nothing_of_a_body_is_shown_unescaped_or_without_end() {
        let long = format!("\"{}\"", "\u{1b}[31m".repeat(200));
        let found = found("1", &long.replace('\u{1b}', "\\u001b"));
        assert!(found[0].chars().all(super::super::is_safe) && found[0].chars().count() < 900, "{found:?}");
        let binary = Content { bytes: vec![0xff].into(), ..Content::default() };
        assert_eq!(diff(&binary, &Content::default()).len(), 1);
    }
}
