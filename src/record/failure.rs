//! Errors as data.

use std::fmt;

/// Something that did not work, said once and shown in one place: what creel was doing, why it failed, what to do.
///
/// The parts are sentences' worth of words without a final stop. None of them may hold a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What was being done, as a present participle phrase: "listening on 127.0.0.1:27335".
    pub doing: String,
    /// Why it failed: "the port is taken".
    pub why: String,
    /// What a person can do about it, where there is something: "use --listen with another port".
    pub hint: Option<String>,
}

impl Failure {
    /// A failure without a hint.
    pub fn new(doing: impl Into<String>, why: impl fmt::Display) -> Self {
        Self { doing: doing.into(), why: why.to_string(), hint: None }
    }

    /// The same failure with what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// All of it, where there is room for one line.
    pub fn in_a_line(&self) -> String {
        let hint = self.hint.as_ref().map_or(String::new(), |hint| format!(" ({hint})"));
        format!("{}: {}{hint}", self.doing, self.why)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.doing, self.why)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "\n  {hint}"))
    }
}

impl std::error::Error for Failure {}
