//! Deliveries whose verdict somebody else published: official documentation, official libraries, specifications.
//! `source` in the file says where; a note "by us" says what was changed in a published one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use creel::{
    record::{Headers, Timestamp, Verdict},
    verify::{Asked, Catalog, Request, Secret},
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    id: String,
    provider: String,
    method: String,
    url: Option<String>,
    headers: BTreeMap<String, String>,
    body: Option<String>,
    body_base64: Option<String>,
    secret: Secrets,
    /// PayPal's second secret.
    webhook_id: Option<String>,
    /// Braintree's second secret.
    public_key: Option<String>,
    /// Whether it is the answer to a handshake that was published, and which.
    #[serde(default)]
    handshake: bool,
    expect_response: Option<String>,
    /// Unix seconds; absent where the published test does not look at the age.
    now: Option<i64>,
    expect: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Secrets {
    One(String),
    Several(Vec<String>),
}

impl Case {
    fn secrets(&self) -> Vec<Secret> {
        let first = match &self.secret {
            Secrets::One(secret) => vec![secret.clone()],
            Secrets::Several(secrets) => secrets.clone(),
        };
        first.into_iter().chain(self.webhook_id.clone()).chain(self.public_key.clone()).map(Secret::new).collect()
    }

    fn body(&self) -> Vec<u8> {
        match (&self.body, &self.body_base64) {
            (_, Some(text)) => STANDARD.decode(text).unwrap(),
            (text, None) => text.clone().unwrap_or_default().into_bytes(),
        }
    }
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("data/known-answers.json")).unwrap()
}

fn verdict(case: &Case, url: Option<&str>, target: &str, headers: &Headers) -> (Verdict, String) {
    let provider = Catalog::builtin().unwrap().get(&case.provider).unwrap_or_else(|| panic!("{}", case.provider));
    let body = case.body();
    let request = Request {
        method: &case.method,
        url,
        target: target.as_bytes(),
        headers,
        body: &body,
        truncated: false,
        rewritten: false,
        received_at: Timestamp::from_unix_s(case.now.unwrap_or_default()),
    };
    let judgement = provider.judge(&request, &case.secrets());
    (judgement.verdict, format!("{}: {:?}", case.id, judgement.explanation))
}

/// The URL's host and what stands after it.
fn split(url: &str) -> (&str, &str) {
    let after = &url[url.find("://").unwrap() + 3..];
    after.split_at(after.find(['/', '?']).unwrap_or(after.len()))
}

#[test]
fn every_published_verdict_is_ours_too() {
    let mut wrong = Vec::new();
    for case in cases().iter().filter(|case| !case.handshake) {
        let headers: Headers = case.headers.iter().collect();
        let target = case.url.as_deref().map_or("/", |url| split(url).1);
        let (verdict, why) = verdict(case, case.url.as_deref(), target, &headers);
        if (verdict == Verdict::Passed) != (case.expect == "valid") {
            wrong.push(format!("{verdict:?} {why}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_published_answer_to_a_handshake_is_ours_too() {
    for case in cases().iter().filter(|case| case.handshake) {
        let headers: Headers = case.headers.iter().collect();
        let (url, body) = (case.url.as_deref().unwrap(), case.body());
        let request = Request {
            method: &case.method,
            url: Some(url),
            target: split(url).1.as_bytes(),
            headers: &headers,
            body: &body,
            truncated: false,
            rewritten: false,
            received_at: Timestamp::default(),
        };
        let provider = Catalog::builtin().unwrap().get(&case.provider).unwrap();
        let asked = provider.handshake(&request, &case.secrets(), Verdict::Failed, None).unwrap();
        let Asked::Answered(answer) = asked else { panic!("{}: {asked:?}", case.id) };
        assert_eq!(String::from_utf8(answer.body).ok(), case.expect_response, "{}", case.id);
    }
}

#[test]
fn a_signed_url_is_found_again_behind_a_tunnel() {
    // The same deliveries as they come out of a tunnel that ends TLS: by plain HTTP, the name in the Host header.
    let signed_urls: Vec<_> = cases().into_iter().filter(|case| case.provider == "twilio").collect();
    assert!(signed_urls.len() >= 8);
    for case in signed_urls {
        let (host, target) = split(case.url.as_deref().unwrap());
        let headers: Headers = case.headers.iter().map(|(n, v)| (&n[..], &v[..])).chain([("Host", host)]).collect();
        let (verdict, why) = verdict(&case, None, target, &headers);
        assert_eq!(verdict == Verdict::Passed, case.expect == "valid", "{why}");
    }
}

#[test]
fn there_are_cases_of_both_kinds_for_the_families() {
    let all = cases();
    let count = |expect: &str| all.iter().filter(|case| case.expect == expect).count();
    assert_eq!(all.len(), 141);
    let providers: std::collections::BTreeSet<_> = all.iter().map(|case| &case.provider).collect();
    assert!(providers.len() > 60 && count("valid") > 70 && count("invalid") > 40);
}
