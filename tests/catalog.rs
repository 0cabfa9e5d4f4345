//! Every provider's file is proven: by its own examples and every way of breaking them, and by answers that the
//! providers themselves have published.

use creel::{
    record::{Fault, Headers, Timestamp, Verdict},
    verify::{Catalog, Example, Provider, Request, Secret},
};
use proptest::prelude::*;
use serde_json::Value;

fn catalog() -> &'static Catalog {
    Catalog::builtin().unwrap()
}

/// A delivery that can be broken.
#[derive(Clone, Debug)]
struct Delivery {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    secret: Vec<u8>,
    now: i64,
    truncated: bool,
}

impl Delivery {
    fn of(example: &Example) -> Self {
        Self {
            method: example.method.clone(),
            url: example.url.clone(),
            headers: example.headers.clone(),
            body: example.body.clone().into(),
            secret: example.secret.clone().into(),
            now: example.now,
            truncated: false,
        }
    }

    fn with<T>(&self, look: impl FnOnce(&Request<'_>) -> T) -> T {
        let headers: Headers = self.headers.iter().cloned().collect();
        let target = self.url.splitn(4, '/').nth(3).map_or("/".to_owned(), |rest| format!("/{rest}"));
        look(&Request {
            method: &self.method,
            url: Some(&self.url),
            target: target.as_bytes(),
            headers: &headers,
            body: &self.body,
            truncated: self.truncated,
            received_at: Timestamp::from_unix_s(self.now),
        })
    }

    fn judge(&self, provider: &Provider) -> (Verdict, Option<Fault>) {
        let judgement = self.with(|request| provider.judge(request, &[Secret::new(self.secret.clone())]));
        assert_eq!(judgement.explanation.is_some(), judgement.verdict != Verdict::Passed, "{judgement:?}");
        (judgement.verdict, judgement.fault)
    }
}

/// Every example of every file, with the header of its signature.
fn examples() -> impl Iterator<Item = (&'static Provider, Delivery, String)> {
    catalog().iter().flat_map(|provider| {
        provider.examples().iter().map(move |example| {
            let evidence = Delivery::of(example).with(|request| provider.judge(request, &[])).evidence.unwrap();
            (provider, Delivery::of(example), evidence.place)
        })
    })
}

fn edit(delivery: &Delivery, header: &str, change: impl Fn(&str) -> String) -> Delivery {
    let mut changed = delivery.clone();
    for (name, value) in &mut changed.headers {
        if name.eq_ignore_ascii_case(header) {
            *value = change(value);
        }
    }
    changed
}

#[test]
fn there_are_the_families_that_prove_the_grammar() {
    let names: Vec<_> = catalog().iter().map(Provider::name).collect();
    for name in [
        "github",
        "github-sha1",
        "stripe",
        "standard-webhooks",
        "svix",
        "slack",
        "shopify",
        "gitlab",
        "gitlab-token",
        "twilio",
        "discord",
    ] {
        assert!(names.contains(&name), "{name}");
    }
}

#[test]
fn every_example_passes_and_its_event_is_found() {
    for provider in catalog().iter() {
        for example in provider.examples() {
            let delivery = Delivery::of(example);
            assert_eq!(delivery.judge(provider), (Verdict::Passed, None), "{}", provider.name());
            let event = delivery.with(|request| provider.event(request));
            assert_eq!(
                (event.id, event.kind),
                (example.event_id.clone(), example.event_type.clone()),
                "{}",
                provider.name()
            );
        }
    }
}

#[test]
fn every_example_is_recognised_as_its_own_providers() {
    for (provider, delivery, _) in examples() {
        let found = delivery.with(|request| catalog().detect(request).map(Provider::name));
        assert_eq!(found, Some(provider.name()));
    }
}

#[test]
fn every_way_of_breaking_an_example_has_its_own_fault() {
    let failed = |fault| (Verdict::Failed, Some(fault));
    for (provider, delivery, place) in examples() {
        let name = provider.name();
        let covers_body = delivery.with(|request| provider.judge(request, &[])).covers_body == Some(true);

        let mut missing = delivery.clone();
        missing.headers.retain(|(header, _)| !header.eq_ignore_ascii_case(&place));
        assert_eq!(missing.judge(provider), failed(Fault::HeaderMissing), "{name} without {place}");

        let mut other = delivery.clone();
        other.secret = flipped_secret(&delivery.secret);
        assert_eq!(other.judge(provider), failed(Fault::Mismatch), "{name} with another secret");

        let none = delivery.with(|request| provider.judge(request, &[]));
        assert_eq!(
            (none.verdict, none.fault),
            (Verdict::Unchecked, Some(Fault::SecretMissing)),
            "{name} without a secret"
        );

        if covers_body {
            let mut tampered = delivery.clone();
            tampered.body[5] ^= 1;
            assert_eq!(tampered.judge(provider), failed(Fault::Mismatch), "{name} with another body");
            let cut = Delivery { truncated: true, ..delivery.clone() };
            assert_eq!(cut.judge(provider), (Verdict::Unchecked, Some(Fault::Unsupported)), "{name} with a cut body");
            let garbled = edit(&delivery, &place, |_| "rubbish".to_owned());
            assert_eq!(garbled.judge(provider), failed(Fault::Malformed), "{name} with rubbish for a signature");
        } else {
            let garbled = edit(&delivery, &place, |_| "rubbish".to_owned());
            assert_eq!(garbled.judge(provider), failed(Fault::Mismatch), "{name} with another token");
        }
    }
}

/// A secret of the same form that is another one: a letter in its middle is another letter.
fn flipped_secret(secret: &[u8]) -> Vec<u8> {
    let mut other = secret.to_vec();
    let at = other.len() / 2;
    other[at] = if other[at] == b'b' { b'c' } else { b'b' };
    other
}

#[test]
fn a_timestamp_outside_its_tolerance_is_stale_and_nothing_else() {
    for (provider, delivery, _) in examples() {
        let schemes = provider.json();
        let Some(stamp) = schemes["schemes"].as_array().unwrap().iter().find_map(|s| s["timestamp"].as_object()) else {
            continue;
        };
        let Some(tolerance) = stamp["tolerance_s"].as_i64() else { continue };
        let age = delivery.with(|request| provider.judge(request, &[])).age_s.unwrap();
        let at = |now| Delivery { now, ..delivery.clone() }.judge(provider);
        let sent = delivery.now - age;
        let stale = (Verdict::Failed, Some(Fault::Stale));
        let future = if stamp["future"] == true { stale } else { (Verdict::Passed, None) };
        assert_eq!(at(sent + tolerance), (Verdict::Passed, None), "{}", provider.name());
        assert_eq!(at(sent + tolerance + 1), stale, "{}", provider.name());
        assert_eq!(at(sent - tolerance - 1), future, "{}", provider.name());
        // Old and tampered with is tampered with.
        let both = Delivery { now: sent + tolerance + 1, body: b"{}".to_vec(), ..delivery.clone() };
        assert_eq!(both.judge(provider), (Verdict::Failed, Some(Fault::Mismatch)));
    }
}

#[test]
fn what_is_signed_passes_the_check() {
    for (provider, delivery, _) in examples() {
        let mut unsigned = delivery.clone();
        let symmetric = !provider.facts().iter().any(|(_, value)| value.starts_with("Ed25519"));
        unsigned.body = if unsigned.body.starts_with(b"{") { b"{\"another\":1}".to_vec() } else { b"a=1&b=2".to_vec() };
        if unsigned.url.contains("bodySHA256") {
            let hash =
                creel::verify::sha256(&unsigned.body).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            unsigned.url = format!("https://example.test/twilio?bodySHA256={hash}");
        }
        let secret = Secret::new(unsigned.secret.clone());
        let signed = unsigned.with(|request| provider.sign(request, &secret, "an-id"));
        assert_eq!(signed.is_ok(), symmetric, "{}", provider.name());
        let Ok(headers) = signed else { continue };
        unsigned.headers.retain(|(name, _)| !headers.iter().any(|(new, _)| new.eq_ignore_ascii_case(name)));
        unsigned.headers.extend(headers);
        assert_eq!(unsigned.judge(provider), (Verdict::Passed, None), "{}", provider.name());
    }
}

#[test]
fn the_published_answers_are_creels_answers() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("data/known-answers.json")).unwrap();
    assert!(cases.len() >= 30);
    for case in &cases {
        let text = |key: &str| case[key].as_str().unwrap_or_default().to_owned();
        let provider = catalog().get(&text("provider")).unwrap();
        let headers = case["headers"].as_object().unwrap().iter();
        let delivery = Delivery {
            method: text("method"),
            url: if case["url"].is_null() { "https://example.test/".to_owned() } else { text("url") },
            headers: headers.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect(),
            body: text("body").into(),
            secret: text("secret").into(),
            now: case["now"].as_i64().unwrap_or(1_700_000_000),
            truncated: false,
        };
        let verdict = if text("expect") == "valid" { Verdict::Passed } else { Verdict::Failed };
        assert_eq!(delivery.judge(provider).0, verdict, "{} ({})", text("id"), text("source"));
    }
}

#[test]
fn any_of_several_secrets_is_enough_and_an_unusable_one_does_no_harm() {
    for (provider, delivery, _) in examples() {
        let secrets = ["another", "!", ""].map(Secret::new).into_iter().chain([Secret::new(delivery.secret.clone())]);
        let judgement = delivery.with(|request| provider.judge(request, &secrets.collect::<Vec<_>>()));
        assert_eq!(judgement.verdict, Verdict::Passed, "{}: {judgement:?}", provider.name());
    }
}

#[test]
fn no_secret_and_no_token_is_shown() {
    for (provider, delivery, _) in examples() {
        let judgement = delivery.with(|request| provider.judge(request, &[Secret::new(delivery.secret.clone())]));
        let secret = String::from_utf8(delivery.secret.clone()).unwrap();
        assert!(!format!("{judgement:?}").contains(&secret), "{}", provider.name());
    }
}

#[test]
fn a_broken_file_is_refused_with_its_place() {
    let good = "title='T'\ndocs='D'\nconfidence='high'\n[detect]\nheaders=['A']\n[[scheme]]\nalgorithm='hmac-sha256'\nheader='A'\nencoding='hex'\nsecret={coding='text'}\ncontent='{body}'\n[[example]]\nmethod='POST'\nurl='u'\nheaders=[]\nbody=''\nsecret='s'\nnow=1\n";
    Provider::parse("good", good).unwrap();
    for (from, to, words) in [
        ("{body}", "{bodi}", "at 11:9: `{bodi}`"),
        ("hmac-sha256", "hmac-sha3", "at 7:11"),
        ("encoding", "encodin", "at 9:1: unknown field `encodin`"),
        ("content='{body}'", "", "signs a content"),
        ("now=1\n", "", "missing field `now`"),
        ("title='T'", "", "missing field `title`"),
    ] {
        let failure = Provider::parse("bad", &good.replace(from, to)).unwrap_err().to_string();
        assert!(failure.contains(words), "{from} → {to}: {failure}");
    }
    let without_example = good.split("[[example]]").next().unwrap();
    assert!(Provider::parse("bad", without_example).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// One bit of the body, of a signed header or of the secret is another one: never accepted.
    #[test]
    fn no_flipped_bit_is_accepted(pick in 0_usize..1000, part in 0..3, at in 0_usize..10_000, bit in 0_u8..7) {
        let all: Vec<_> = examples().collect();
        let (provider, mut delivery, place) = all[pick % all.len()].clone();
        let covers_body = delivery.with(|request| provider.judge(request, &[])).covers_body == Some(true);
        match part {
            0 if covers_body => {
                let at = at % delivery.body.len();
                delivery.body[at] ^= 1_u8 << bit;
            }
            1 => {
                let at = at % delivery.secret.len();
                let before = delivery.secret.clone();
                delivery.secret[at] ^= 1_u8 << bit;
                // Another way of writing the same key is the same key.
                prop_assume!(!before.eq_ignore_ascii_case(&delivery.secret) && before[at] != b'=');
            }
            _ => {
                let header = delivery.headers.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case(&place)).unwrap();
                let mut bytes = header.1.clone().into_bytes();
                let at = at % bytes.len();
                bytes[at] ^= 1_u8 << bit;
                let Ok(text) = String::from_utf8(bytes) else { return Ok(()) };
                // The case of hexadecimal digits, padding, and signatures of other versions say nothing.
                prop_assume!(!text.eq_ignore_ascii_case(&header.1) && header.1.as_bytes()[at] != b'=');
                prop_assume!(!header.1[..=at].contains("v0=0"));
                header.1 = text;
            }
        }
        let judgement = delivery.with(|request| provider.judge(request, &[Secret::new(delivery.secret.clone())]));
        prop_assert_ne!(judgement.verdict, Verdict::Passed, "{} {:?}", provider.name(), delivery);
    }

    #[test]
    fn nothing_that_comes_panics(
        header in "[A-Za-z-]{1,30}", value in prop::collection::vec(any::<u8>(), 0..200), body in prop::collection::vec(any::<u8>(), 0..200),
        secret in prop::collection::vec(any::<u8>(), 0..80), url in ".{0,60}",
    ) {
        for provider in catalog().iter() {
            let mut headers = Headers::default();
            headers.push(header.clone(), value.clone());
            for example in provider.examples() {
                for (name, _) in &example.headers {
                    headers.push(name.clone(), value.clone());
                }
            }
            let request = Request {
                method: "POST", url: Some(&url), target: &body, headers: &headers, body: &body, truncated: false,
                received_at: Timestamp::from_unix_ms(0),
            };
            let judgement = provider.judge(&request, &[Secret::new(secret.clone())]);
            prop_assert_ne!(judgement.verdict, Verdict::Passed);
            let _ = (provider.event(&request), catalog().detect(&request));
        }
    }
}
