//! `theme`, `[keys]` and `[filters]`: how the screen looks, what its keys do, and which filters have names. Which themes and
//! commands there are, the screen knows.

use std::collections::BTreeMap;

use toml::{Spanned, Value};

use super::place::Place;
use crate::record::Failure;

/// What the configuration says of the screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Screen {
    /// The theme's name.
    pub theme: Option<String>,
    /// The keys that are bound otherwise.
    pub keys: Vec<KeyWish>,
    /// The filters that have names.
    pub filters: Vec<FilterRow>,
}

/// A filter that has a name, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterRow {
    /// The name.
    pub name: String,
    /// Where it stands: file, line and column.
    pub name_at: String,
    /// The filter.
    pub text: String,
    /// Where that stands.
    pub text_at: String,
}

/// A command, and the chords that are to do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyWish {
    /// The command's name.
    pub command: String,
    /// Where it stands: file, line and column.
    pub at: String,
    /// The chords; none: no key does it.
    pub chords: Vec<String>,
    /// Where those stand.
    pub chords_at: String,
}

/// The table as it is read.
pub(super) type KeyRows = BTreeMap<Spanned<String>, Spanned<Value>>;

/// Reads the table: a chord or a list of chords for each command.
pub(super) fn keys(rows: KeyRows, place: &Place<'_>) -> Result<Vec<KeyWish>, Failure> {
    let wish = |(command, value): (Spanned<String>, Spanned<Value>)| {
        let span = value.span();
        let chords = match value.into_inner() {
            Value::String(chord) => Some(vec![chord]),
            Value::Array(chords) => chords.iter().map(|chord| chord.as_str().map(str::to_owned)).collect(),
            _ => None,
        };
        let wrong = || place.at(&span, "a key is a chord or a list of chords: \"j\", [\"j\", \"down\"]");
        Ok(KeyWish {
            at: place.words(&command.span()),
            command: command.into_inner(),
            chords: chords.ok_or_else(wrong)?,
            chords_at: place.words(&span),
        })
    };
    rows.into_iter().map(wish).collect()
}

/// The table of filters as it is read.
pub(super) type FilterRows = BTreeMap<Spanned<String>, Spanned<String>>;

/// Reads the table: a filter for each name.
pub(super) fn filters(rows: FilterRows, place: &Place<'_>) -> Vec<FilterRow> {
    let row = |(name, text): (Spanned<String>, Spanned<String>)| FilterRow {
        name_at: place.words(&name.span()),
        name: name.into_inner(),
        text_at: place.words(&text.span()),
        text: text.into_inner(),
    };
    rows.into_iter().map(row).collect()
}
