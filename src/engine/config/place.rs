//! Where in a file a mistake is, and what was probably meant.

use std::{ops::Range, path::Path};

use crate::record::Failure;

/// A file under the reader's finger.
pub(super) struct Place<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
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

    pub(super) fn syntax(&self, error: &toml::de::Error) -> Failure {
        let failure = self.at(&error.span().unwrap_or(0..0), error.message().trim_end());
        match nearest_key(error.message()) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure,
        }
    }
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
