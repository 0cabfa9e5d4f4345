//! Finds out how a sender signs whom no file describes: one request and the secret are enough.
//!
//! What is tried are provider files. Each candidate is written as one, read like any other, and judges the request; so
//! what is found is proved by the request before anybody sees it, and can be kept as it stands. What senders do to sign
//! stands in `tables`: algorithms by the length of what they make, and what is signed.
//! A signature in a body, a token that is a JWT and a key that signs whole heads (RFC 9421) are not looked for.
//!
//! A secret goes into no candidate and no answer; nor does a part of one.

mod file;
mod marks;
mod tables;

pub use self::marks::sounds_like_one;
use self::{
    file::{Candidate, candidates, family, file, tokens, vendor},
    marks::{ids, marks, moments},
    tables::ALGORITHMS,
};
use super::{Provider, Request, Secret};
use crate::record::Verdict;

/// When a search ends: each of the two is about a second.
const BUDGET: Budget = Budget { tried: 30_000, bytes: 1 << 30 };
/// What a sender is called whose headers are anybody's.
const NAMELESS: &str = "sender";

/// What was found out of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Learned {
    /// What the sender is called: as was wished, or as a header's name tells.
    pub name: String,
    /// The provider's file, by which the request passes.
    pub file: String,
    /// Where the signature stands.
    pub place: String,
    /// How it is made, for eyes.
    pub how: String,
    /// Whether its headers tell the sender; else an endpoint must name it.
    pub is_told: bool,
    /// Candidates that were tried, this one with them.
    pub tried: u64,
}

/// What was tried in vain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unlearned {
    /// Where something stands that may be a signature, the likeliest first.
    pub places: Vec<String>,
    /// Candidates that were tried.
    pub tried: u64,
    /// Whether some were left out, since the body is large or much may be a signature.
    pub is_cut: bool,
}

/// What a search may cost.
#[derive(Clone, Copy)]
struct Budget {
    /// Candidates that are tried.
    tried: u64,
    /// Bytes that go through an algorithm.
    bytes: usize,
}

/// Searches for a provider's file by which a request passes, with one of these secrets. `name` is what the file calls
/// the sender, if somebody says so.
pub fn learn(name: Option<&str>, request: &Request<'_>, secrets: &[Secret]) -> Result<Learned, Unlearned> {
    learn_within(BUDGET, name, request, secrets)
}

fn learn_within(
    budget: Budget,
    name: Option<&str>,
    request: &Request<'_>,
    secrets: &[Secret],
) -> Result<Learned, Unlearned> {
    let marks = marks(request);
    let ids = ids(request);
    let mut places: Vec<String> = Vec::new();
    for name in marks.iter().map(|mark| &mark.name) {
        if !places.contains(name) {
            places.push(name.clone());
        }
    }
    let mut search = Search { budget, request, secrets, tried: 0, bytes: 0 };
    let learned = |found: Candidate<'_>, search: &Search<'_>| {
        let name = name.map(str::to_owned).or_else(|| vendor(found.name)).unwrap_or_else(|| NAMELESS.to_owned());
        let file = file(&name, request, &found, &ids);
        let is_told = !family(request, found.name).is_empty();
        Learned { name, file, place: found.name.to_owned(), how: found.how, is_told, tried: search.tried }
    };
    for mark in &marks {
        let moments = moments(request, mark);
        for algorithm in ALGORITHMS.iter().filter(|algorithm| algorithm.bytes.contains(&mark.bytes)) {
            for candidate in candidates(mark, algorithm, &moments, &ids) {
                if search.is_over() {
                    return Err(Unlearned { places, tried: search.tried, is_cut: true });
                }
                if search.fits(&candidate.scheme) {
                    return Ok(learned(candidate, &search));
                }
            }
        }
    }
    for candidate in tokens(request) {
        if search.fits(&candidate.scheme) {
            return Ok(learned(candidate, &search));
        }
    }
    Err(Unlearned { places, tried: search.tried, is_cut: false })
}

struct Search<'a> {
    budget: Budget,
    request: &'a Request<'a>,
    secrets: &'a [Secret],
    tried: u64,
    bytes: usize,
}

impl Search<'_> {
    fn is_over(&self) -> bool {
        self.bytes > self.budget.bytes || self.tried >= self.budget.tried
    }

    /// Whether the request passes by that scheme.
    fn fits(&mut self, scheme: &str) -> bool {
        let text = format!("title = \"\"\ndocs = \"\"\nconfidence = \"low\"\n{scheme}");
        let Ok(provider) = Provider::parse("learned", &text) else { return false };
        self.tried += 1;
        self.bytes += (self.request.body.len() + 1) * self.secrets.len();
        provider.judge(self.request, self.secrets).verdict == Verdict::Passed
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{marks::MAX_MARKS, *};
    use crate::{
        record::{Headers, Timestamp},
        verify::Catalog,
    };

    /// A request by its headers, and what is found out of it.
    fn found(headers: &[(&str, &str)], body: &[u8], secret: &str) -> Result<Learned, Unlearned> {
        let headers: Headers = headers.iter().copied().collect();
        learn(None, &request(&headers, body), &[Secret::new(secret)])
    }

    fn request<'a>(headers: &'a Headers, body: &'a [u8]) -> Request<'a> {
        Request {
            method: "POST",
            url: None,
            target: b"/hook",
            headers,
            body,
            truncated: false,
            rewritten: false,
            received_at: Timestamp::from_unix_s(1_763_978_700),
        }
    }

    #[test]
    fn most_of_the_catalog_is_found_out_from_one_request_of_each() {
        let (mut all, mut learned_of) = (BTreeSet::new(), BTreeSet::new());
        for provider in Catalog::builtin().unwrap().iter() {
            for example in provider.examples() {
                let (request, secrets) = (example.request(), example.secrets());
                if provider.judge(&request, &secrets).verdict != Verdict::Passed {
                    continue;
                }
                all.insert(provider.name());
                let Ok(learned) = learn(None, &request, &secrets) else { continue };
                learned_of.insert(provider.name());
                let file = Provider::parse(&learned.name, &learned.file).unwrap();
                let judgement = file.judge(&request, &secrets);
                assert_eq!(judgement.verdict, Verdict::Passed, "{}", learned.file);
                assert!(file.rules.is_empty() || file.has_marks(&request), "{}", learned.file);
                for secret in &secrets {
                    let secret = String::from_utf8_lossy(secret.bytes()).into_owned();
                    assert!(!learned.file.contains(&secret), "{}", learned.file);
                }
                if judgement.covers_body == Some(true) && !request.body.is_empty() {
                    let changed = [b"x", request.body].concat();
                    let tampered = Request { body: &changed, ..request };
                    assert_eq!(file.judge(&tampered, &secrets).verdict, Verdict::Failed, "{}", learned.file);
                }
            }
        }
        assert!(learned_of.len() * 10 >= all.len() * 7, "{} of {}: {learned_of:?}", learned_of.len(), all.len());
        for name in ["github", "stripe", "slack", "shopify", "svix", "discord", "zoom", "square", "twilio", "telegram"]
        {
            assert!(learned_of.contains(name), "{name}");
        }
    }

    #[test]
    fn a_file_tells_the_sender_and_its_events_as_far_as_a_request_shows_them() {
        const MODEL: &str = r#"
title = ""
docs = ""
confidence = "low"
[[scheme]]
signature = { in = ["header:X-Acme-Signature"], split = ";", pair = ":", key = "sig" }
algorithm = "hmac-sha512"
encoding = "base64"
content = "{body}.{timestamp}"
timestamp = { in = "pair:at", unit = "ms" }
"#;
        let body = br#"{"id":"evt_1","type":"fish.caught"}"#;
        let headers: Headers = [("X-Acme-Event", "fish.caught")].into_iter().collect();
        let model = Provider::parse("model", MODEL).unwrap();
        let signed = model.sign(&request(&headers, body), &[Secret::new("s3cr3t")], "").unwrap();
        let (name, value) = &signed.headers[0];
        let learned = found(&[("X-Acme-Event", "fish.caught"), (name, value)], body, "s3cr3t").unwrap();
        assert_eq!(
            learned.file,
            r#"title = "acme"
docs = ""
confidence = "low"

[[detect]]
with = ["X-Acme-Signature", "X-Acme-Event"]

[event]
id = ["json:id"]
type = ["header:X-Acme-Event"]

[[scheme]]
signature = { in = ["header:X-Acme-Signature"], split = ";", pair = ":", key = "sig" }
algorithm = "hmac-sha512"
encoding = "base64"
secret = { form = "text" }
content = "{body}.{timestamp}"
timestamp = { in = "pair:at", unit = "ms" }
"#
        );
        assert_eq!((&*learned.name, &*learned.place), ("acme", "X-Acme-Signature"));
        assert_eq!(learned.how, "hmac-sha512 of {body}.{timestamp} in base64");
    }

    #[test]
    fn where_nothing_fits_it_is_said_what_was_looked_at() {
        let hex = "0a".repeat(32);
        let sent = [("X-Trace", hex.as_str()), ("X-Acme-Signature", hex.as_str()), ("Accept", "*/*")];
        let unlearned = found(&sent, b"{}", "s3cr3t").unwrap_err();
        assert_eq!(unlearned.places, ["X-Acme-Signature", "X-Trace"]);
        assert!(unlearned.tried > 100 && !unlearned.is_cut);
        assert_eq!(found(&[("Accept", "*/*")], b"{}", "s3cr3t").unwrap_err().places, Vec::<String>::new());
    }

    #[test]
    fn what_a_sender_writes_stays_a_text_of_the_file_and_its_amount_is_bounded() {
        let hex = "0a".repeat(32);
        let many: Vec<(String, String)> =
            (0..200).map(|at| (format!("X-Sign-{at}-Id"), format!("\u{1b}[2J\"\\\n\"\"\"={hex}"))).collect();
        let many: Vec<_> = many.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let headers: Headers = many.iter().copied().collect();
        let secrets = [Secret::new("s3cr3t")];
        let unlearned =
            learn_within(Budget { tried: 500, ..BUDGET }, None, &request(&headers, b"{}"), &secrets).unwrap_err();
        assert!(unlearned.places.len() <= MAX_MARKS && unlearned.is_cut, "{unlearned:?}");
        assert_eq!(unlearned.tried, 500, "each could be read");
    }

    #[test]
    fn a_large_body_ends_the_search_before_it_takes_long() {
        let headers: Headers = [("X-Signature", "0a".repeat(32))].into_iter().collect();
        let budget = Budget { bytes: 1_000, ..BUDGET };
        let secrets = [Secret::new("s3cr3t")];
        let unlearned = learn_within(budget, None, &request(&headers, &[b' '; 300]), &secrets).unwrap_err();
        assert!(unlearned.is_cut && unlearned.tried == 4, "{unlearned:?}");
    }
}
