//! Where in a file a mistake is, and what was probably meant.

use std::{ops::Range, path::Path};

use crate::record::Failure;

/// A file under the reader's finger.
pub(in crate::engine) struct Place<'a> {
    pub(in crate::engine) path: &'a Path,
    pub(in crate::engine) text: &'a str,
}

impl Place<'_> {
    pub(super) fn at(&self, span: &Range<usize>, why: impl std::fmt::Display) -> Failure {
        Failure::new(format!("reading {}", self.words(span)), why)
    }

    /// Where something stands: file, line and column.
    pub(super) fn words(&self, span: &Range<usize>) -> String {
        let before = &self.text[..span.start.min(self.text.len())];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("{}:{line}:{column}", self.path.display())
    }

    /// Where the value of a key stands within a table: a part of the file that may go on after its span.
    pub(super) fn value_of(&self, key: &str, table: &Range<usize>) -> Range<usize> {
        let from = table.start.min(self.text.len());
        let value = self.text[from..].match_indices(key).find_map(|(at, _)| {
            let is_end = self.text[..from + at].ends_with(|c: char| c.is_alphanumeric() || "_-".contains(c));
            let after = if is_end { "" } else { &self.text[from + at + key.len()..] };
            let value = after.trim_start().strip_prefix('=')?.trim_start();
            Some(self.text.len() - value.len())
        });
        value.map_or(table.clone(), |value| value..value)
    }

    /// What the parser says of the file.
    pub(in crate::engine) fn syntax(&self, error: &toml::de::Error) -> Failure {
        let (span, message) = (error.span().unwrap_or(0..0), error.message());
        let failure = self.meant(&span, message);
        // One table where a list of them is wanted.
        let head = self.text[span.start.min(self.text.len())..].strip_prefix('[');
        match head.and_then(|head| head.split_once(']')).filter(|_| message.contains("expected a sequence")) {
            Some((name, _)) => failure.hint(format!("there may be several of it: write [[{name}]]")),
            None => failure,
        }
    }

    /// A mistake there, and what was probably meant.
    fn meant(&self, span: &Range<usize>, message: &str) -> Failure {
        let failure = self.at(span, in_words(message.trim_end()));
        if let Some(near) = nearest_key(message) {
            return failure.hint(format!("did you mean `{near}`?"));
        }
        match unknown_key(message).and_then(|key| Some((key, super::table_of(key)?))) {
            Some((key, table)) => failure.hint(format!("`{key}` is a key of {table}")),
            None => failure,
        }
    }
}

/// What the parser calls by the names of Rust's types, in words.
fn in_words(message: &str) -> String {
    const NAMES: [(&str, &str); 12] = [
        ("u8", "a whole number from 0 to 255"),
        ("u16", "a whole number from 0 to 65535"),
        ("u32", "a whole number from 0 to 4294967295"),
        ("u64", "a whole number, 0 or more"),
        ("usize", "a whole number, 0 or more"),
        ("i64", "a whole number"),
        ("f64", "a number"),
        ("a nonzero u32", "a whole number from 1 to 4294967295"),
        ("path string", "a path in quotation marks"),
        ("a sequence", "a list: [ … ]"),
        ("a map", "a table: { … }"),
        ("a boolean", "true or false"),
    ];
    let Some((before, name)) = message.rsplit_once("expected ") else { return message.to_owned() };
    let words = NAMES.iter().find(|(rust, _)| *rust == name).map(|(_, words)| *words);
    let words = words.or(name.starts_with("struct ").then_some("a table: { … }"));
    words.map_or_else(|| message.to_owned(), |words| format!("{before}expected {words}"))
}

/// The key that a message says is unknown.
fn unknown_key(message: &str) -> Option<&str> {
    message.strip_prefix("unknown field `")?.split('`').next()
}

/// The key nearest to the unknown one that a message names: "unknown field `a`, expected one of `b`, `c`".
fn nearest_key(message: &str) -> Option<&str> {
    let rest = message.strip_prefix("unknown field `").or_else(|| message.strip_prefix("unknown variant `"))?;
    let mut quoted = rest.split('`').step_by(2);
    let unknown = quoted.next()?;
    quoted
        .map(|key| (strsim::damerau_levenshtein(unknown, key), key))
        .filter(|(distance, key)| *distance <= 1 + key.len() / 3)
        .min()
        .map(|(_, key)| key)
}
