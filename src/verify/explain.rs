//! Why a check did not pass, in words for a person.

use super::provider::{Provider, Scheme};
use crate::record::Explanation;

fn because(text: String, tried: u64) -> Option<Explanation> {
    Some(Explanation { by: None, text, tried })
}

/// The signature's header is not there.
pub(super) fn header_missing(provider: &Provider, scheme: &Scheme) -> Option<Explanation> {
    let (title, header) = (provider.title(), &scheme.header);
    because(
        format!(
            "{title} signs with the header {header}, and this request has none. Is a secret set at {title}, and did the request come from there?"
        ),
        0,
    )
}

/// The timestamp is not there.
pub(super) fn stamp_missing(provider: &Provider, place: &str) -> Option<Explanation> {
    because(format!("{} signs a timestamp in {place}, and this request has none.", provider.title()), 0)
}

/// There is no signature of the right form.
pub(super) fn malformed(scheme: &Scheme) -> Option<Explanation> {
    let (header, form) = (&scheme.header, scheme.form_of_signature());
    because(format!("What stands in {header} is no signature of this scheme, which looks like `{form}`."), 0)
}

/// The timestamp is no number.
pub(super) fn stamp_malformed(place: &str) -> Option<Explanation> {
    because(format!("The timestamp in {place} is not a number of seconds."), 0)
}

/// No signature is the one that a secret gives.
pub(super) fn mismatch(scheme: &Scheme, tried: u64, secrets: usize) -> Option<Explanation> {
    let secrets = if secrets == 1 {
        "the configured secret".to_owned()
    } else {
        format!("any of the {secrets} configured secrets")
    };
    let text = match &scheme.content {
        None => format!("The token is not {secrets}."),
        Some(_) if !scheme.algorithm.is_symmetric() => {
            format!(
                "The signature is not of these bytes under {secrets}. Either the key is of another sender, or something on the way changed what was signed."
            )
        }
        Some(content) => {
            let url = if content.has_url() {
                ", or the URL is not the one that was signed: set `url` to the one the sender knows"
            } else {
                ""
            };
            format!(
                "The signature is not the one that {secrets} gives for these bytes. Either the sender has another secret, or something on the way changed what was signed{url}."
            )
        }
    };
    because(text, tried)
}

/// The hash of the body that the URL carries is another one.
pub(super) fn body_changed(field: &str, tried: u64) -> Option<Explanation> {
    because(
        format!(
            "The URL is signed and right, but the body's SHA-256 is not the one in its `{field}`: the body was changed on the way."
        ),
        tried,
    )
}

/// The signature is right and old, or of the future.
pub(super) fn stale(age_s: i64, tolerance_s: i64, tried: u64) -> Option<Explanation> {
    let (age, side) = if age_s >= 0 { (age_s, "old") } else { (-age_s, "in the future") };
    because(
        format!(
            "The signature is right, but its timestamp is {age} s {side}, and {tolerance_s} s are allowed: an old delivery was sent again, or a clock is wrong."
        ),
        tried,
    )
}

/// There is no secret to check with.
pub(super) fn no_secret(provider: &Provider) -> Option<Explanation> {
    because(
        format!(
            "No secret is configured to check it with. Give the endpoint a `secret` in creel.toml, or start with --provider {} --secret-env NAME.",
            provider.name()
        ),
        0,
    )
}

/// A secret cannot be one of this scheme's.
pub(super) fn unusable_secret(scheme: &Scheme, why: &str) -> Option<Explanation> {
    because(format!("The configured secret cannot be used: {why}. This scheme's secret is {}.", scheme.form.words()), 0)
}

/// The body that is signed is not whole.
pub(super) fn cut_body() -> Option<Explanation> {
    because("The signature covers the body, and only the first part of the body is kept.".to_owned(), 0)
}
