//! Deliveries whose verdict somebody else published: official documentation, official libraries, specifications.
//! `source` in the file says where; a note "by us" says what was changed in a published one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;

use creel::{
    record::{Headers, Timestamp, Verdict},
    verify::{Catalog, Request, Secret},
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    id: String,
    provider: String,
    method: String,
    url: Option<String>,
    headers: BTreeMap<String, String>,
    body: String,
    secret: String,
    /// Unix seconds; absent where the published test does not look at the age.
    now: Option<i64>,
    expect: String,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("data/known-answers.json")).unwrap()
}

fn verdict(case: &Case, url: Option<&str>, target: &str, headers: &Headers) -> (Verdict, String) {
    let provider = Catalog::builtin().unwrap().get(&case.provider).unwrap();
    let request = Request {
        method: &case.method,
        url,
        target: target.as_bytes(),
        headers,
        body: case.body.as_bytes(),
        truncated: false,
        received_at: Timestamp::from_unix_s(case.now.unwrap_or_default()),
    };
    let judgement = provider.judge(&request, &[Secret::new(case.secret.clone())]);
    (judgement.verdict, format!("{}: {:?}", case.id, judgement.explanation))
}

fn expected(case: &Case) -> Verdict {
    if case.expect == "valid" { Verdict::Passed } else { Verdict::Failed }
}

/// The URL's host and what stands after it.
fn split(url: &str) -> (&str, &str) {
    let after = &url[url.find("://").unwrap() + 3..];
    after.split_at(after.find('/').unwrap())
}

#[test]
fn every_published_verdict_is_ours_too() {
    for case in cases() {
        let headers: Headers = case.headers.iter().collect();
        let target = case.url.as_deref().map_or("/", |url| split(url).1);
        let (verdict, why) = verdict(&case, case.url.as_deref(), target, &headers);
        assert_eq!(verdict, expected(&case), "{why}");
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
        assert_eq!(verdict, expected(&case), "{why}");
    }
}

#[test]
fn there_are_cases_of_both_kinds_for_the_families() {
    let all = cases();
    let count = |expect: &str| all.iter().filter(|case| case.expect == expect).count();
    assert_eq!((count("valid"), count("invalid")), (28, 13));
}
