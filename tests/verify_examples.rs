//! Every provider's file proves itself by its examples: what is signed passes, and whatever is changed in it fails for
//! the reason it should.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use creel::{
    record::{Fault, Header, Headers, Judgement, Timestamp, Verdict},
    verify::{Catalog, Example, Provider, Request, Secret},
};

/// Those that can be checked here.
fn checked() -> impl Iterator<Item = (&'static Provider, &'static Example)> {
    examples().filter(|(provider, example)| is_checked(provider, example))
}

/// Every example of every file.
fn examples() -> impl Iterator<Item = (&'static Provider, &'static Example)> {
    let catalog = Catalog::builtin().unwrap();
    catalog.iter().flat_map(|provider| provider.examples().iter().map(move |example| (provider, example)))
}

fn judge(provider: &Provider, example: &Example, request: &Request<'_>) -> Judgement {
    provider.judge(request, &example.secrets())
}

/// The example's headers with the value of one changed, or that one left out.
fn edited(headers: &Headers, name: &str, edit: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Headers {
    let change = |header: Header<'_>| {
        let value = if header.is(name) { edit(header.value)? } else { header.value.to_vec() };
        Some((header.name.to_vec(), value))
    };
    headers.iter().filter_map(change).collect()
}

/// Where the example's signature sits, as its file says.
fn signature_place(provider: &Provider, example: &Example) -> String {
    let scheme = &provider.json()["schemes"][provider.scheme_judged(&example.request(), &example.secrets())];
    let places = scheme["signature"].as_array().unwrap();
    let is_there = |place: &&serde_json::Value| {
        let place = place.as_str().unwrap();
        place.strip_prefix("header:").is_none_or(|name| example.headers.get(name).is_some())
    };
    places.iter().find(is_there).unwrap().as_str().unwrap().to_owned()
}

/// The example with another text in the place of its signature, or with none.
fn with_signature(example: &Example, place: &str, text: Option<&str>) -> Example {
    let mut other = example.clone();
    let (kind, name) = place.split_once(':').unwrap();
    let name = name.rsplit(['.', ':']).next().unwrap();
    let replaced = |all: &str, before: &str, ends: &[char]| {
        let start = all.find(before).unwrap_or_else(|| panic!("{before} in {all}")) + before.len();
        let end = all[start..].find(ends).map_or(all.len(), |at| start + at);
        match text {
            Some(text) => format!("{}{text}{}", &all[..start], &all[end..]),
            None => all.replacen(before, &before.replacen(name, "gone", 1), 1),
        }
    };
    match kind {
        "header" => other.headers = edited(&example.headers, name, |_| text.map(|text| text.as_bytes().to_vec())),
        "query" => other.url = replaced(&example.url, &format!("{name}="), &['&']),
        "body" => text.unwrap_or_default().clone_into(&mut other.body),
        "form" if !place.contains(" > ") => other.body = replaced(&example.body, &format!("{name}="), &['&']),
        _ => other.body = replaced(&example.body, &format!("\"{name}\":\""), &['"']),
    }
    other
}

#[track_caller]
fn assert_fault(judgement: &Judgement, verdict: Verdict, fault: Fault, what: &str) {
    assert_eq!((judgement.verdict, judgement.fault), (verdict, Some(fault)), "{what}: {:?}", judgement.explanation);
    let explanation = judgement.explanation.as_ref().unwrap();
    assert!(explanation.by.is_none() && explanation.text.ends_with(['.', '?']), "{what}: {}", explanation.text);
}

#[test]
fn every_file_has_an_example_for_each_of_its_schemes() {
    let mut counted = 0;
    for provider in Catalog::builtin().unwrap().iter() {
        counted += 1;
        for scheme in 0..provider.scheme_count() {
            let proves = |example: &&Example| provider.scheme_judged(&example.request(), &example.secrets()) == scheme;
            assert!(
                provider.examples().iter().any(|e| proves(&e)),
                "{}: no example of scheme {scheme}",
                provider.name()
            );
        }
    }
    assert!(counted >= 190, "{counted}");
}

/// Whether creel can check the example at all; what it cannot check it says so of, and passes nothing.
fn is_checked(provider: &Provider, example: &Example) -> bool {
    judge(provider, example, &example.request()).fault != Some(Fault::Unsupported)
}

#[test]
fn what_cannot_be_checked_offline_says_what_is_missing() {
    let all: Vec<_> = examples().filter(|(provider, example)| !is_checked(provider, example)).collect();
    assert!(!all.is_empty());
    for (provider, example) in all {
        let judgement = judge(provider, example, &example.request());
        assert_fault(&judgement, Verdict::Unchecked, Fault::Unsupported, provider.name());
        let needs = provider.json()["schemes"][0]["needs"].as_str().unwrap().to_owned();
        assert!(judgement.explanation.unwrap().text.contains(&needs), "{}", provider.name());
    }
}

#[test]
fn an_example_passes() {
    for (provider, example) in checked() {
        let judgement = judge(provider, example, &example.request());
        let what = format!("{}, {}: {:?}", provider.name(), example.about, judgement.explanation);
        assert_eq!(judgement.verdict, Verdict::Passed, "{what}");
        assert!(judgement.fault.is_none() && judgement.explanation.is_none(), "{what}");
        assert!(judgement.covers_body.is_some() && !judgement.evidence.unwrap().content.is_empty(), "{what}");
    }
}

#[test]
fn the_signature_a_passed_example_shows_as_expected_is_the_received_one() {
    for (provider, example) in checked() {
        let evidence = judge(provider, example, &example.request()).evidence.unwrap();
        if let (Some(received), Some(expected)) = (evidence.received, evidence.expected) {
            let signature = expected.split([',', ';']).map(str::trim).max_by_key(|word| word.len()).unwrap();
            assert!(received.contains(signature), "{}: {received} is not {expected}", provider.name());
        }
    }
}

#[test]
fn a_flipped_bit_in_what_is_signed_is_a_mismatch() {
    for (provider, example) in checked() {
        let covered = judge(provider, example, &example.request()).covers_body.unwrap();
        let place = signature_place(provider, example);
        if !covered || place == "body:text" || example.body.is_empty() {
            continue;
        }
        let mut body = example.body.clone().into_bytes();
        // In a value, not in the name of a field that must be there.
        let at = example.body.find("fish").unwrap_or(body.len() * 3 / 4);
        body[at] ^= 1;
        let request = Request { body: &body, ..example.request() };
        assert_fault(&judge(provider, example, &request), Verdict::Failed, Fault::Mismatch, provider.name());
    }
}

#[test]
fn another_signature_never_passes() {
    for (provider, example) in checked() {
        let place = signature_place(provider, example);
        let received = received(example, &place);
        let expected = judge(provider, example, &example.request()).evidence.unwrap().expected;
        // The list may hold more than the signature; the signature is the longest word of it.
        let words = |text: &str| text.split([',', ';', ' ', ':', '|', '%']).map(str::to_owned).collect::<Vec<_>>();
        let signature = words(expected.as_deref().unwrap_or(&received)).into_iter().max_by_key(String::len).unwrap();
        let signature = if received.contains(&signature) { &signature } else { &received };
        let start = received.find(signature.as_str()).unwrap();
        for at in start..start + signature.len() {
            let mut other = received.clone().into_bytes();
            other[at] ^= 1;
            let Ok(other) = String::from_utf8(other) else { continue };
            let other = with_signature(example, &place, Some(&other));
            let judgement = judge(provider, &other, &other.request());
            assert_ne!(judgement.verdict, Verdict::Passed, "{}: {received}, {at}", provider.name());
        }
    }
}

/// What stands in the place of the signature.
fn received(example: &Example, place: &str) -> String {
    let (kind, name) = place.split_once(':').unwrap();
    let name = name.rsplit(['.', ':']).next().unwrap();
    let after = |all: &str, before: &str, ends: &[char]| {
        let rest = all.split_once(before).unwrap().1;
        rest.split(ends).next().unwrap().to_owned()
    };
    match kind {
        "header" => String::from_utf8(example.headers.get(name).unwrap().to_vec()).unwrap(),
        "query" => after(&example.url, &format!("{name}="), &['&']),
        "body" => example.body.clone(),
        "form" if !place.contains(" > ") => after(&example.body, &format!("{name}="), &['&']),
        _ => after(&example.body, &format!("\"{name}\":\""), &['"']),
    }
}

#[test]
fn without_its_signature_a_header_is_missing() {
    for (provider, example) in checked() {
        let other = with_signature(example, &signature_place(provider, example), None);
        let judgement = judge(provider, &other, &other.request());
        assert_fault(&judgement, Verdict::Failed, Fault::HeaderMissing, provider.name());
    }
}

#[test]
fn a_garbled_signature_is_malformed() {
    for (provider, example) in checked() {
        let scheme = &provider.json()["schemes"][provider.scheme_judged(&example.request(), &example.secrets())];
        let is_text = scheme["encoding"] == "text" && scheme["algorithm"] == "token";
        let fault =
            if is_text && !scheme["form"].as_str().unwrap().contains(' ') { Fault::Mismatch } else { Fault::Malformed };
        let other = with_signature(example, &signature_place(provider, example), Some("garbled!"));
        let judgement = judge(provider, &other, &other.request());
        assert_fault(&judgement, Verdict::Failed, fault, provider.name());
    }
}

#[test]
fn an_old_timestamp_is_stale_and_its_age_is_told() {
    let mut with_tolerance = 0;
    for (provider, example) in checked() {
        let schemes = provider.json()["schemes"].clone();
        let scheme = &schemes[provider.scheme_judged(&example.request(), &example.secrets())];
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
    for (provider, example) in checked() {
        let received_at = Timestamp::from_unix_s(example.now.unix_s() + 86_400);
        let request = Request { received_at, body: b"{}", ..example.request() };
        let judgement = judge(provider, example, &request);
        // Where what is signed is a field of the body, it is gone with the body.
        let is_in_body = |text: &str| ["form:", "json:", "body:", "sns"].iter().any(|kind| text.contains(kind));
        let content = judgement.evidence.as_ref().unwrap().content.clone();
        if judgement.covers_body == Some(true)
            && !is_in_body(&signature_place(provider, example))
            && !is_in_body(&content)
        {
            assert_fault(&judgement, Verdict::Failed, Fault::Mismatch, provider.name());
        }
    }
}

#[test]
fn another_secret_gives_another_signature() {
    // Of the right form for every scheme: text, base64, hex and public keys at once, and of those that want two, two.
    let others = || {
        let hex = "00000000000000000000000000000000000000000000000000000000000000000000".get(..64).unwrap();
        [hex, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", include_str!("data/tls/cert.pem")].map(Secret::new)
    };
    for (provider, example) in checked() {
        let alone = others().map(|secret| provider.judge(&example.request(), &[secret]));
        assert!(alone.iter().all(|judgement| judgement.verdict != Verdict::Passed), "{}", provider.name());
        let wrong = provider.judge(&example.request(), &others());
        assert_fault(&wrong, Verdict::Failed, Fault::Mismatch, provider.name());

        let both: Vec<_> = others().into_iter().chain(example.secrets()).collect();
        assert_eq!(provider.judge(&example.request(), &both).verdict, Verdict::Passed, "{}", provider.name());
    }
}

#[test]
fn without_a_secret_nothing_is_checked() {
    for (provider, example) in checked() {
        for secrets in [&[][..], &[Secret::new("")]] {
            let judgement = provider.judge(&example.request(), secrets);
            assert_fault(&judgement, Verdict::Unchecked, Fault::SecretMissing, provider.name());
        }
    }
}

#[test]
fn a_cut_body_is_not_checked_where_it_is_signed() {
    for (provider, example) in checked() {
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
    for (provider, example) in checked() {
        let place = signature_place(provider, example);
        if !place.starts_with("header:") {
            continue;
        }
        let wrong = with_signature(example, &place, Some("garbled!")).headers;
        let headers: Headers = wrong.iter().chain(&example.headers).collect();
        let request = Request { headers: &headers, ..example.request() };
        let judgement = judge(provider, example, &request);
        assert_eq!(judgement.verdict, Verdict::Passed, "{}: {:?}", provider.name(), judgement.explanation);
        assert_fault(&provider.judge(&request, &[]), Verdict::Unchecked, Fault::SecretMissing, provider.name());
    }
}

#[test]
fn an_example_is_detected_as_its_own_provider() {
    for (provider, example) in checked() {
        let found = Catalog::builtin().unwrap().detect(&example.request()).map(Provider::name);
        let has_rule = provider.json()["detect"].as_array().is_some_and(|rules| !rules.is_empty());
        let expected = example.detected_as.as_deref().or(has_rule.then_some(provider.name()));
        assert_eq!(found, expected, "{}, {}", provider.name(), example.about);
    }
}

#[test]
fn an_examples_event_is_what_it_says() {
    for (provider, example) in checked() {
        assert_eq!(provider.event(&example.request()), example.event, "{}, {}", provider.name(), example.about);
    }
}

/// Two events of one thing, which keeps its id: what differs between them, in the first example.
const OF_ONE_THING: &[(&str, &str, &str)] = &[
    ("acuity", "action=", "action=re"),
    ("adyen-standard", "\"eventCode\":\"", "\"eventCode\":\"RE"),
    ("adyen-banking", "\"type\":\"", "\"type\":\"re"),
    ("cal-com", "\"triggerEvent\":\"", "\"triggerEvent\":\"RE"),
    ("calendly", "\"event\":\"", "\"event\":\"re"),
    ("elevenlabs", "post_call_transcription", "post_call_audio"),
    ("mandrill", "%22ts%22%3A1", "%22ts%22%3A2"),
    ("midtrans", "settlement", "pending"),
    ("onfido", "\"action\":\"", "\"action\":\"re"),
    ("paystack", "\"event\":\"", "\"event\":\"re"),
    ("plivo-v1", "StartApp", "Hangup"),
    ("plivo-v2", "delivered", "sent"),
    ("plivo-v3", "StartApp", "Hangup"),
    ("postmark", "DeliveredAt\":\"2025", "DeliveredAt\":\"2026"),
    ("retell", "\"event\":\"", "\"event\":\"re"),
    ("viber", "\"event\":\"", "\"event\":\"re"),
    ("vonage", "delivered", "read"),
    ("webex", "\"event\":\"", "\"event\":\"re"),
];

#[test]
fn two_events_of_one_thing_are_two() {
    for (name, from, to) in OF_ONE_THING {
        let provider = Catalog::builtin().unwrap().get(name).unwrap();
        let example = provider.examples().first().unwrap();
        let other = Example { body: example.body.replacen(from, to, 1), ..example.clone() };
        assert_ne!(other.body, example.body, "{name}");
        let id = |example: &Example| provider.event(&example.request()).id.unwrap();
        assert_ne!(id(&other), id(example), "{name}");
    }
    // Without the token of its delivery a message of Twilio's is told by its status, too.
    let twilio = Catalog::builtin().unwrap().get("twilio").unwrap();
    let id = |status: &str| {
        let headers = [("Content-Type", "application/x-www-form-urlencoded")].into_iter().collect();
        let body = format!("MessageSid=SM1&MessageStatus={status}");
        twilio.event(&Example { body, headers, ..twilio.examples()[0].clone() }.request()).id.unwrap()
    };
    assert_eq!([id("sent"), id("delivered")], ["SM1/sent", "SM1/delivered"]);
}

#[test]
fn what_is_signed_here_passes_here() {
    let mut signed = 0;
    for (provider, example) in checked() {
        let request = Request { received_at: Timestamp::from_unix_s(1_800_000_000), ..example.request() };
        let (only_sender, what) = (is_for_the_sender_alone(provider, example), provider.name());
        match provider.sign(&request, &example.secrets(), "id-of-ours") {
            Err(failure) => assert!(only_sender && failure.why.contains("only the sender"), "{what}: {failure}"),
            Ok(changes) => {
                assert!(!only_sender, "{what}");
                signed += 1;
                let headers = with(&example.headers, &changes.headers);
                let body = changes.body.as_deref().unwrap_or(example.body.as_bytes());
                let target = changes.target.as_deref().unwrap_or(request.target);
                let url = format!("https://example.com{}", std::str::from_utf8(target).unwrap());
                let request = Request { headers: &headers, body, target, url: Some(&url), ..request };
                let judgement = judge(provider, example, &request);
                assert_eq!(judgement.verdict, Verdict::Passed, "{what}: {:?} {changes:?}", judgement.explanation);
                let is_claim =
                    provider.json()["event"]["id"][0].as_str().is_some_and(|place| place.starts_with("claim:"));
                let sends_id = is_claim || changes.headers.iter().any(|(_, value)| value == "id-of-ours");
                // Another part of it may stand behind.
                let id = provider.event(&request).id.unwrap_or_default();
                assert_eq!(id == "id-of-ours" || id.starts_with("id-of-ours/"), sends_id, "{what}");
            }
        }
    }
    assert!(signed > 180, "{signed}");
}

#[test]
fn what_a_token_says_besides_stays_where_it_is_made_anew() {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let claims = |token: &str| -> serde_json::Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
    };
    let signed = |name: &str, body: &'static [u8], id: &str| {
        let provider = Catalog::builtin().unwrap().get(name).unwrap();
        let example = provider.examples().first().unwrap();
        let request = Request { body, ..example.request() };
        claims(&provider.sign(&request, &example.secrets(), id).unwrap().headers.last().unwrap().1)
    };
    // The name of the key, without which LiveKit's library takes nothing.
    let livekit = signed("livekit", b"{}", "");
    assert_eq!((&livekit["iss"], &livekit["nbf"]), (&"example".into(), &1_763_978_700.into()));
    assert_eq!(
        [signed("messagebird", b"{}", "new")["jti"].clone(), signed("messagebird", b"{}", "")["jti"].clone()],
        ["new", "evt_example_1"]
    );
    // What is said of a body that is no more goes.
    assert!(signed("messagebird", b"", "")["payload_hash"].is_null());
}

/// Whether the scheme of an example is one that only the sender can sign with.
fn is_for_the_sender_alone(provider: &Provider, example: &Example) -> bool {
    let scheme = &provider.json()["schemes"][provider.scheme_judged(&example.request(), &example.secrets())];
    let secret = scheme["secret"].as_str().unwrap();
    secret.starts_with("public key") || secret.starts_with("PEM")
}

/// The headers with others in the place of those of the same name.
fn with(headers: &Headers, added: &[(String, String)]) -> Headers {
    let stays = |header: &Header<'_>| !added.iter().any(|(name, _)| header.is(name));
    let mut all: Headers = headers.iter().filter(stays).collect();
    for (name, value) in added {
        all.push(name.clone(), value.clone());
    }
    all
}

#[test]
fn no_secret_is_in_what_is_shown() {
    for (provider, example) in checked() {
        let file = format!("{}/assets/providers/{}.toml", env!("CARGO_MANIFEST_DIR"), provider.name());
        let text = std::fs::read_to_string(file).unwrap();
        let secrets: Vec<_> =
            text.lines().filter_map(|line| line.strip_prefix("secret = \"")?.strip_suffix('"')).collect();
        // Keys in PEM, which are public, take several lines.
        let secrets: Vec<_> = secrets.into_iter().filter(|secret| secret.len() > 2).collect();
        assert!(!secrets.is_empty() || text.contains("form = \"pem\""));
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
