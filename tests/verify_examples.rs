//! Every provider's file proves itself by its examples: what is signed passes, and whatever is changed in it fails for
//! the reason it should.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use creel::{
    record::{Fault, Header, Headers, Judgement, Timestamp, Verdict},
    verify::{Catalog, Example, Provider, Request, Secret},
};

/// Every example of every file.
fn examples() -> impl Iterator<Item = (&'static Provider, &'static Example)> {
    let catalog = Catalog::builtin().unwrap();
    catalog.iter().flat_map(|provider| provider.examples().iter().map(move |example| (provider, example)))
}

fn judge(provider: &Provider, example: &Example, request: &Request<'_>) -> Judgement {
    provider.judge(request, std::slice::from_ref(&example.secret))
}

/// The example's headers with the value of one changed, or that one left out.
fn edited(example: &Example, name: &str, edit: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Headers {
    let change = |header: &Header| {
        let is_it = header.name.eq_ignore_ascii_case(name.as_bytes());
        let value = if is_it { edit(&header.value)? } else { header.value.to_vec() };
        Some(Header { name: header.name.clone(), value: value.into() })
    };
    example.headers.iter().filter_map(change).collect()
}

/// The header that holds the example's signature.
fn signature_header(provider: &Provider, example: &Example) -> String {
    judge(provider, example, &example.request()).evidence.unwrap().place
}

#[track_caller]
fn assert_fault(judgement: &Judgement, verdict: Verdict, fault: Fault, what: &str) {
    assert_eq!((judgement.verdict, judgement.fault), (verdict, Some(fault)), "{what}: {:?}", judgement.explanation);
    let explanation = judgement.explanation.as_ref().unwrap();
    assert!(explanation.by.is_none() && explanation.text.ends_with(['.', '?']), "{what}: {}", explanation.text);
}

#[test]
fn every_file_has_an_example_for_each_of_its_schemes() {
    for provider in Catalog::builtin().unwrap().iter() {
        for scheme in 0..provider.scheme_count() {
            let proves = |example: &&Example| provider.scheme_of(&example.request()) == scheme;
            assert!(
                provider.examples().iter().any(|e| proves(&e)),
                "{}: no example of scheme {scheme}",
                provider.name()
            );
        }
    }
}

#[test]
fn an_example_passes() {
    for (provider, example) in examples() {
        let judgement = judge(provider, example, &example.request());
        let what = format!("{}, {}: {:?}", provider.name(), example.about, judgement.explanation);
        assert_eq!(judgement.verdict, Verdict::Passed, "{what}");
        assert!(judgement.fault.is_none() && judgement.explanation.is_none(), "{what}");
        assert!(judgement.covers_body.is_some() && !judgement.evidence.unwrap().content.is_empty(), "{what}");
    }
}

#[test]
fn the_signature_a_passed_example_shows_as_expected_is_the_received_one() {
    for (provider, example) in examples() {
        let evidence = judge(provider, example, &example.request()).evidence.unwrap();
        if let (Some(received), Some(expected)) = (evidence.received, evidence.expected) {
            assert!(received.contains(&expected), "{}: {received} is not {expected}", provider.name());
        }
    }
}

#[test]
fn a_flipped_bit_in_what_is_signed_is_a_mismatch() {
    for (provider, example) in examples() {
        let covered = judge(provider, example, &example.request()).covers_body.unwrap();
        let place = signature_header(provider, example);
        let mut body = example.body.clone().into_bytes();
        let middle = body.len() / 2;
        let mut headers = example.headers.clone();
        if covered {
            body[middle] ^= 1;
        } else {
            headers = edited(example, &place, |value| {
                let mut value = value.to_vec();
                value[0] ^= 1;
                Some(value)
            });
        }
        let request = Request { body: &body, headers: &headers, ..example.request() };
        assert_fault(&judge(provider, example, &request), Verdict::Failed, Fault::Mismatch, provider.name());
    }
}

#[test]
fn without_its_signature_a_header_is_missing() {
    for (provider, example) in examples() {
        let place = signature_header(provider, example);
        let headers = edited(example, &place, |_| None);
        let judgement = judge(provider, example, &Request { headers: &headers, ..example.request() });
        assert_fault(&judgement, Verdict::Failed, Fault::HeaderMissing, provider.name());
    }
}

#[test]
fn a_garbled_signature_is_malformed_where_it_has_a_form() {
    for (provider, example) in examples() {
        let place = signature_header(provider, example);
        let headers = edited(example, &place, |_| Some(b"garbled!".to_vec()));
        let judgement = judge(provider, example, &Request { headers: &headers, ..example.request() });
        let is_token = judgement.evidence.as_ref().unwrap().content.starts_with("nothing");
        let fault = if is_token { Fault::Mismatch } else { Fault::Malformed };
        assert_fault(&judgement, Verdict::Failed, fault, provider.name());
    }
}

#[test]
fn an_old_timestamp_is_stale_and_its_age_is_told() {
    let mut with_tolerance = 0;
    for (provider, example) in examples() {
        let schemes = provider.json()["schemes"].clone();
        let scheme = &schemes[provider.scheme_of(&example.request())];
        let age = judge(provider, example, &example.request()).age_s;
        assert_eq!(age.is_some(), !scheme["timestamp"].is_null(), "{}", provider.name());
        let Some(tolerance) = scheme["tolerance_s"].as_i64() else { continue };
        with_tolerance += 1;
        let signed_at = example.now.unix_s() - age.unwrap();
        let at_age = |age: i64| {
            let request = Request { received_at: Timestamp::from_unix_s(signed_at + age), ..example.request() };
            judge(provider, example, &request)
        };
        assert_eq!(at_age(tolerance).verdict, Verdict::Passed, "{}", provider.name());
        let old = at_age(tolerance + 1);
        assert_fault(&old, Verdict::Failed, Fault::Stale, provider.name());
        assert_eq!(old.age_s, Some(tolerance + 1));
        let early = at_age(-tolerance - 1);
        match scheme["window"].as_str().unwrap() {
            "past only" => assert_eq!(early.verdict, Verdict::Passed, "{}", provider.name()),
            _ => assert_fault(&early, Verdict::Failed, Fault::Stale, provider.name()),
        }
        assert_eq!(early.age_s, Some(-tolerance - 1));
    }
    assert!(with_tolerance > 5);
}

#[test]
fn an_old_and_wrong_signature_is_wrong_first() {
    for (provider, example) in examples() {
        let received_at = Timestamp::from_unix_s(example.now.unix_s() + 86_400);
        let request = Request { received_at, body: b"{}", ..example.request() };
        let judgement = judge(provider, example, &request);
        if judgement.covers_body == Some(true) {
            assert_fault(&judgement, Verdict::Failed, Fault::Mismatch, provider.name());
        }
    }
}

#[test]
fn another_secret_gives_another_signature() {
    // Of the right form for every scheme: text, base64, hex and a public key at once.
    let other =
        || Secret::new("00000000000000000000000000000000000000000000000000000000000000000000".get(..64).unwrap());
    let other_public = || Secret::new("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    for (provider, example) in examples() {
        let judged = [other(), other_public()].map(|secret| provider.judge(&example.request(), &[secret]));
        let wrong = judged.iter().find(|judgement| judgement.verdict == Verdict::Failed).unwrap();
        assert_fault(wrong, Verdict::Failed, Fault::Mismatch, provider.name());
        assert!(judged.iter().all(|judgement| judgement.verdict != Verdict::Passed));

        let both = [other(), other_public(), example.secret.clone()];
        assert_eq!(provider.judge(&example.request(), &both).verdict, Verdict::Passed, "{}", provider.name());
    }
}

#[test]
fn without_a_secret_nothing_is_checked() {
    for (provider, example) in examples() {
        for secrets in [&[][..], &[Secret::new("")]] {
            let judgement = provider.judge(&example.request(), secrets);
            assert_fault(&judgement, Verdict::Unchecked, Fault::SecretMissing, provider.name());
        }
    }
}

#[test]
fn a_cut_body_is_not_checked_where_it_is_signed() {
    for (provider, example) in examples() {
        let request = Request { truncated: true, ..example.request() };
        let judgement = judge(provider, example, &request);
        if judgement.covers_body.unwrap() {
            assert_fault(&judgement, Verdict::Unchecked, Fault::Unsupported, provider.name());
        } else {
            assert_eq!(judgement.verdict, Verdict::Passed);
        }
    }
}

#[test]
fn two_signature_headers_are_each_judged() {
    for (provider, example) in examples() {
        let place = signature_header(provider, example);
        let wrong = edited(example, &place, |_| Some(b"garbled!".to_vec()));
        let headers: Headers = wrong.iter().chain(&example.headers).cloned().collect();
        let request = Request { headers: &headers, ..example.request() };
        let judgement = judge(provider, example, &request);
        assert_eq!(judgement.verdict, Verdict::Passed, "{}: {:?}", provider.name(), judgement.explanation);
        assert_fault(&provider.judge(&request, &[]), Verdict::Unchecked, Fault::SecretMissing, provider.name());
    }
}

#[test]
fn an_example_is_detected_as_its_own_provider() {
    for (provider, example) in examples() {
        let found = Catalog::builtin().unwrap().detect(&example.request()).map(Provider::name);
        let has_rule = provider.json()["detect"].as_array().is_some_and(|rules| !rules.is_empty());
        let expected = example.detected_as.as_deref().or(has_rule.then_some(provider.name()));
        assert_eq!(found, expected, "{}, {}", provider.name(), example.about);
    }
}

#[test]
fn an_examples_event_is_what_it_says() {
    for (provider, example) in examples() {
        assert_eq!(provider.event(&example.request()), example.event, "{}, {}", provider.name(), example.about);
    }
}

#[test]
fn what_is_signed_here_passes_here() {
    for (provider, example) in examples() {
        let request = Request { received_at: Timestamp::from_unix_s(1_800_000_000), ..example.request() };
        let public_key = provider.json()["schemes"][0]["algorithm"] == "Ed25519";
        match provider.sign(&request, &example.secret, "id-of-ours") {
            Err(failure) => assert!(public_key && failure.why.contains("only the sender"), "{failure}"),
            Ok(added) => {
                assert!(!public_key);
                let headers = with(&example.headers, &added);
                let signed = Request { headers: &headers, ..request };
                let judgement = judge(provider, example, &signed);
                assert_eq!(judgement.verdict, Verdict::Passed, "{}: {:?}", provider.name(), judgement.explanation);
                let sends_id = added.iter().any(|(_, value)| value == "id-of-ours");
                assert_eq!(
                    provider.event(&signed).id.as_deref() == Some("id-of-ours"),
                    sends_id,
                    "{}",
                    provider.name()
                );
            }
        }
    }
}

/// The headers with others in the place of those of the same name.
fn with(headers: &Headers, added: &[(String, String)]) -> Headers {
    let stays = |header: &&Header| !added.iter().any(|(n, _)| header.name.eq_ignore_ascii_case(n.as_bytes()));
    let mut all: Headers = headers.iter().filter(stays).cloned().collect();
    for (name, value) in added {
        all.push(name.clone(), value.clone());
    }
    all
}

#[test]
fn no_secret_is_in_what_is_shown() {
    for (provider, example) in examples() {
        let file = format!("{}/assets/providers/{}.toml", env!("CARGO_MANIFEST_DIR"), provider.name());
        let text = std::fs::read_to_string(file).unwrap();
        let secrets: Vec<_> =
            text.lines().filter_map(|line| line.strip_prefix("secret = \"")?.strip_suffix('"')).collect();
        assert!(!secrets.is_empty());
        let request = example.request();
        let unsigned = Request { headers: &Headers::default(), ..request };
        let changed = Request { body: b"{}", ..request };
        for request in [request, unsigned, changed] {
            let shown = format!("{:?} {:?}", judge(provider, example, &request), example.secret);
            assert!(!secrets.iter().any(|secret| shown.contains(secret)), "{}: {shown}", provider.name());
        }
    }
}

#[test]
fn every_file_describes_itself() {
    for provider in Catalog::builtin().unwrap().iter() {
        let facts = provider.facts();
        for name in ["provider", "title", "docs", "confidence", "signature in", "signed", "secret", "covers the body"] {
            assert!(facts.iter().any(|(n, value)| *n == name && !value.is_empty()), "{}: {name}", provider.name());
        }
        assert!(provider.docs().starts_with("https://"), "{}", provider.name());
    }
}
