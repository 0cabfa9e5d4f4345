//! What the user typed, read with words for what is wrong with it.

use crate::{query::Filter, record::Failure};

/// A filter from the words of a command line, joined by blanks. None where there are none.
pub(super) fn filter(words: &[String]) -> Result<Option<Filter>, Failure> {
    let text = words.join(" ");
    if text.trim().is_empty() {
        return Ok(None);
    }
    Filter::parse(&text).map(Some).map_err(|error| {
        let pointer = format!("{text}\n  {:>1$}", "^", error.column);
        let hint = error.hint.map_or(pointer.clone(), |hint| format!("{pointer}\n  {hint}"));
        Failure::new("reading the filter", format!("{}, at column {}", error.message, error.column)).hint(hint)
    })
}
