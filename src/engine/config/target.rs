//! `[[target]]`: a named place to send to.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::place::Place;
use crate::{
    engine::target::{Target, sendable},
    record::Failure,
    wire::PathRule,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TargetRow {
    name: Spanned<String>,
    url: Spanned<String>,
    #[serde(default)]
    insecure: bool,
    #[serde(default)]
    resign: bool,
    #[serde(default)]
    cloudevents: bool,
    #[serde(default)]
    append_path: bool,
}

impl TargetRow {
    /// The target. `before` are those that stand above it in the file.
    pub(super) fn read(self, place: &Place<'_>, before: &[Target]) -> Result<Target, Failure> {
        let name = self.name.get_ref();
        if name.is_empty() || name.contains([':', '/', '.']) {
            let why = format!("`{name}` is no name for a target: it would be taken for a URL");
            return Err(place.at(&self.name.span(), why));
        }
        if before.iter().any(|target| target.name.as_ref() == Some(name)) {
            return Err(place.at(&self.name.span(), format!("two targets are called `{name}`")));
        }
        check_url(place, &self.url)?;
        let path = if self.append_path { PathRule::Appended } else { PathRule::Replaced };
        let (insecure, resign, cloudevents) = (self.insecure, self.resign, self.cloudevents);
        let (name, url) = (Some(self.name.into_inner()), self.url.into_inner());
        Ok(Target { name, url, insecure, resign, cloudevents, path })
    }
}

/// Whether a URL can be sent to.
fn check_url(place: &Place<'_>, url: &Spanned<String>) -> Result<(), Failure> {
    sendable(url.get_ref()).map_err(|failure| wrong_target(place, &url.span(), failure))
}

/// What is wrong with what was written as a target, at its place.
pub(super) fn wrong_target(place: &Place<'_>, at: &Range<usize>, failure: Failure) -> Failure {
    let said = place.at(at, format!("{}: {}", failure.doing, failure.why));
    failure.hint.into_iter().fold(said, Failure::hint)
}
