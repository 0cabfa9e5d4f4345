//! Says what is wrong with a signature, in one or two plain sentences.

use super::{
    Provider,
    check::{Finding, Problem},
    mac::Algorithm,
    scheme::Scheme,
    time::Window,
};
use crate::record::{Fault, Verdict, counted, span};

/// What a problem is called.
pub(super) fn judged(problem: &Problem) -> (Verdict, Fault) {
    match problem {
        Problem::SecretMissing | Problem::SecondSecretMissing(_) => (Verdict::Unchecked, Fault::SecretMissing),
        Problem::SecretUnusable(_)
        | Problem::Truncated
        | Problem::Rewritten
        | Problem::NotKept
        | Problem::Remote(_) => (Verdict::Unchecked, Fault::Unsupported),
        Problem::SignatureMissing | Problem::PartMissing(_) => (Verdict::Failed, Fault::HeaderMissing),
        Problem::Malformed(_) | Problem::BadTimestamp(_) => (Verdict::Failed, Fault::Malformed),
        Problem::Mismatch | Problem::BodyChanged | Problem::ClaimWrong(_) => (Verdict::Failed, Fault::Mismatch),
        Problem::Stale | Problem::OutOfTime(_) => (Verdict::Failed, Fault::Stale),
    }
}

/// The sentences. `secrets` is how many secrets there are.
pub(super) fn text(
    provider: &Provider,
    scheme: &Scheme,
    secrets: usize,
    problem: &Problem,
    finding: &Finding<'_>,
) -> String {
    let title = &provider.title;
    match problem {
        Problem::SecretMissing => format!(
            "No secret is configured for {title}, so its signature was not checked: name one as `secret` of the endpoint in \
             creel.toml, or with --secret-env."
        ),
        Problem::SecondSecretMissing(what) => {
            format!(
                "{title} signs {what} too: name it as a second secret of the endpoint, so that this can be checked."
            )
        }
        Problem::Remote(what) => {
            format!("{title} signs with {what}. creel asks nobody on the network, so this was not checked.")
        }
        Problem::SecretUnusable(why) => {
            format!(
                "The configured secret {why}. {title} hands it out as: {}.",
                scheme.secret.described(scheme.algorithm)
            )
        }
        Problem::Truncated => {
            "Only a part of the body was kept, and the signature covers all of it: it cannot be checked.".to_owned()
        }
        Problem::Rewritten => {
            "Where it was imported from the body was kept as parts, not as the bytes that were sent: written anew, it does not \
             give this signature, which so cannot be checked."
                .to_owned()
        }
        Problem::NotKept => {
            format!("Where it was imported from no headers were kept, and so no signature of {title}: there is nothing to check.")
        }
        Problem::SignatureMissing => {
            let places = provider.place_titles();
            let is_header = finding.place.header().is_some();
            let what = if is_header { "no such header" } else { "nothing there" };
            let dropped = if is_header { ", or does something between drop the header" } else { "" };
            format!("{title} signs with {places}; this request has {what}. Is a secret set on the provider's side{dropped}?")
        }
        Problem::PartMissing(part) => {
            format!(
                "{title} signs {}; this request has no {part}. Something between the sender and creel drops it, or somebody \
                 else sent it.",
                scheme.content_described()
            )
        }
        Problem::Malformed(why) => {
            format!("{why}. {title} writes it as {} in {}.", scheme.shape.described(), scheme.encoding.name())
        }
        Problem::BadTimestamp(why) => format!("{why}. {title} signs {}.", scheme.content_described()),
        Problem::Mismatch => mismatch(title, scheme, secrets, finding),
        Problem::ClaimWrong(name) => format!(
            "The token in {} is the sender's, but its claim {name} does not fit this request: it belongs to another one.",
            finding.place.title()
        ),
        Problem::OutOfTime(seconds) => format!(
            "The token in {} is right, but {} {} s before this request came. A replay, a late delivery, or a clock that \
             is wrong.",
            finding.place.title(),
            if *seconds > 0 { "it ended" } else { "it begins only later; it misses" },
            seconds.unsigned_abs()
        ),
        Problem::BodyChanged => {
            "The signature is right, but it covers the SHA-256 of another body: the body was changed on its way."
                .to_owned()
        }
        Problem::Stale => stale(title, scheme, finding),
    }
}

fn mismatch(title: &str, scheme: &Scheme, secrets: usize, finding: &Finding<'_>) -> String {
    if scheme.algorithm == Algorithm::Token {
        return format!("The token is not {}. {title} sends the secret itself.", who(secrets, "configured secret"));
    }
    let what = match scheme.algorithm.has_public_key() {
        true => format!(
            "The signature was not made by the holder of {} for these bytes.",
            who(secrets, "configured public key")
        ),
        false if secrets > 1 => {
            format!("None of the {secrets} configured secrets gives this signature for these bytes.")
        }
        false => "The signature is not the one that the configured secret gives for these bytes.".to_owned(),
    };
    match finding.urls.split_first() {
        None => format!("{what} The secret is another one, or what is signed was changed on its way."),
        Some((url, [])) => format!("{what} The signature covers the URL, taken to be {url}."),
        Some((url, others)) => {
            let others = counted(others.len() as u64, "other spelling");
            format!("{what} The signature covers the URL, taken to be {url} and {others}.")
        }
    }
}

fn who(secrets: usize, what: &str) -> String {
    if secrets > 1 { format!("one of the {secrets} {what}s") } else { format!("the {what}") }
}

fn stale(title: &str, scheme: &Scheme, finding: &Finding<'_>) -> String {
    let clock = scheme.clock.as_ref();
    let age = finding.age_s.unwrap_or_default();
    let side = if age < 0 { "in the future" } else { "old" };
    let tolerance = clock.and_then(|clock| clock.tolerance);
    let allowed = tolerance.map_or(0, |tolerance| tolerance.seconds);
    let both = tolerance.is_some_and(|tolerance| matches!(tolerance.window, Window::Both));
    let ways = if both { " either way" } else { "" };
    let name = finding.place.title();
    // Where it is a near thing, the very seconds are the proof.
    let is_near = age.saturating_abs() < allowed.saturating_mul(2);
    let words = |seconds: i64| if is_near { format!("{seconds} s") } else { span(seconds) };
    format!(
        "The signature in {name} is right, but its timestamp is {} {side}; {title} allows {}{ways}. A replay, a late \
         delivery, or a clock that is wrong.",
        words(age.saturating_abs()),
        words(allowed)
    )
}
