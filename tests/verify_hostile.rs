//! What nobody signed is never accepted, and nothing that a sender or a configuration holds makes the room panic.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{fs, path::Path};

use creel::{
    record::{Header, Headers, Timestamp, Verdict},
    verify::{Catalog, Example, Provider, Request, Secret},
};
use proptest::{collection::vec, prelude::*};

/// A signed request in three parts, each of which a forger may touch.
#[derive(Clone)]
struct Signed {
    headers: Headers,
    body: Vec<u8>,
    secret: Vec<u8>,
}

/// Where hexadecimal digits stand for the bytes that count, so that their case does not.
#[derive(Clone, Copy)]
struct Spelled {
    signature_in_hex: bool,
    secret_in_hex: bool,
    body_decoded: bool,
}

/// A bit of one of the parts.
#[derive(Clone, Copy, Debug)]
enum Bit {
    Header { at: usize, bit: usize },
    Body { bit: usize },
    Secret { bit: usize },
}

impl Signed {
    /// The example with nothing in it that is not signed: one signature, made anew where that can be done.
    fn of(provider: &Provider, example: &Example) -> Self {
        let request = example.request();
        let signed = provider.sign(&request, &example.secrets(), "").unwrap_or_default();
        let (added, body) = (signed.headers, signed.body);
        let stays = |header: &Header<'_>| !added.iter().any(|(name, _)| header.is(name));
        let mut headers: Headers = example.headers.iter().filter(stays).collect();
        for (name, value) in &added {
            headers.push(name.clone(), value.clone());
        }
        let body = body.unwrap_or_else(|| example.body.clone().into_bytes());
        Self { headers, body, secret: secret(provider).into_bytes() }
    }

    fn verdict(&self, provider: &Provider, example: &Example) -> Verdict {
        let request = Request { headers: &self.headers, body: &self.body, ..example.request() };
        provider.judge(&request, &[Secret::new(self.secret.clone())]).verdict
    }

    /// Every bit that the signature stands on.
    fn bits(&self, scheme: &serde_json::Value) -> Vec<Bit> {
        let text = scheme.to_string();
        let is_signed = |header: &Header<'_>| {
            let name = header.name_text();
            text.contains(&format!("\"header:{name}\"")) || text.contains(&format!("{{header:{name}}}"))
        };
        let headers = self.headers.iter().enumerate().filter(|(_, header)| is_signed(header));
        let in_headers = headers.flat_map(|(at, h)| (0..h.value.len() * 8).map(move |bit| Bit::Header { at, bit }));
        let in_secret = (0..self.secret.len() * 8).map(|bit| Bit::Secret { bit });
        let covered = if scheme["covers_body"] == true { self.body.len() * 8 } else { 0 };
        in_headers.chain(in_secret).chain((0..covered).map(|bit| Bit::Body { bit })).collect()
    }

    /// The same with that bit flipped; None where another spelling of the same bytes comes of it.
    fn flipped(&self, bit: Bit, spelled: Spelled) -> Option<Self> {
        let mut flipped = self.clone();
        match bit {
            Bit::Header { at, bit } => {
                let mut headers: Vec<_> =
                    self.headers.iter().map(|header| (header.name, header.value.to_vec())).collect();
                let same = flip(&mut headers[at].1, bit) && spelled.signature_in_hex;
                flipped.headers = headers.into_iter().collect();
                (!same).then_some(flipped)
            }
            Bit::Body { bit } => {
                let before = &self.body[(bit / 8).saturating_sub(2)..bit / 8];
                let escaped = before.contains(&b'%') && spelled.body_decoded;
                let same = flip(&mut flipped.body, bit) && escaped;
                (!same).then_some(flipped)
            }
            Bit::Secret { bit } => {
                let same = flip(&mut flipped.secret, bit) && spelled.secret_in_hex;
                (!same).then_some(flipped)
            }
        }
    }
}

/// Flips a bit, and says whether that turned a hexadecimal digit from lower to upper case or back.
fn flip(bytes: &mut [u8], bit: usize) -> bool {
    let byte = &mut bytes[bit / 8];
    *byte ^= 1 << (bit % 8);
    bit % 8 == 5 && matches!(byte, b'a'..=b'f' | b'A'..=b'F')
}

/// The secret of an example as its file writes it: an `Example` does not give it away.
fn secret(provider: &Provider) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("assets/providers/{}.toml", provider.name()));
    let text = fs::read_to_string(file).unwrap();
    let mut secrets = text.lines().filter_map(|line| line.strip_prefix("secret = \"")?.strip_suffix('"'));
    secrets.next().unwrap().to_owned()
}

/// Flips every bit that a request's signature stands on, one at a time, and gives how many were flipped.
fn flip_all(provider: &Provider, example: &Example) -> usize {
    let schemes = provider.json()["schemes"].clone();
    let scheme = &schemes[provider.scheme_judged(&example.request(), &example.secrets())];
    let signed = Signed::of(provider, example);
    assert_eq!(signed.verdict(provider, example), Verdict::Passed, "{}", provider.name());
    let bits = signed.bits(scheme);
    let spelled = Spelled {
        signature_in_hex: scheme["encoding"] == "hex",
        secret_in_hex: scheme["secret"].to_string().contains("hex"),
        body_decoded: scheme["content"].to_string().contains("sorted-form"),
    };
    let flipped = bits.iter().filter_map(|&bit| Some((bit, signed.flipped(bit, spelled)?)));
    flipped
        .map(|(bit, forged)| {
            assert_ne!(forged.verdict(provider, example), Verdict::Passed, "{}: {bit:?}", provider.name());
        })
        .count()
}

/// The example with a longer body, and still flips to make.
fn lengthened(example: &Example, by: usize) -> Example {
    Example { body: format!("{}{}", example.body, "x".repeat(by)), ..example.clone() }
}

/// The providers of whose requests at least that many bits are flipped: one of each family that we can sign for. Of a
/// family with a public key every bit of the examples is flipped, once: we cannot sign others.
const FAMILIES: [&str; 7] = ["github", "stripe", "standard-webhooks", "slack", "shopify", "gitlab-token", "twilio"];
const FLIPS: usize = 10_000;

/// Whether every bit of the signature's header and of what is signed must be as it is: one scheme, an HMAC or Ed25519,
/// in one header, under a secret that has one spelling. The bits of all other signatures are flipped in
/// `verify_examples`.
fn is_plain(provider: &Provider) -> bool {
    let schemes = provider.json()["schemes"].clone();
    let scheme = &schemes[0];
    let algorithm = scheme["algorithm"].as_str().unwrap();
    let place = scheme["signature"][0].as_str().unwrap();
    schemes.as_array().unwrap().len() == 1
        && (algorithm.starts_with("HMAC") || algorithm == "Ed25519")
        && scheme["signature"].as_array().unwrap().len() == 1
        && place.starts_with("header:")
        && !scheme["content"].as_str().unwrap().contains(['[', '?'])
}

#[test]
fn no_flipped_bit_of_an_example_is_accepted() {
    let mut all = 0;
    for provider in Catalog::builtin().unwrap().iter().filter(|p| !FAMILIES.contains(&p.name()) && is_plain(p)) {
        let flips: usize = provider.examples().iter().map(|example| flip_all(provider, example)).sum();
        assert!(flips > 500, "{}: {flips} flips", provider.name());
        all += 1;
    }
    assert!(all > 100, "{all}");
}

#[test]
fn of_ten_thousand_flipped_bits_none_is_accepted() {
    for name in FAMILIES {
        let provider = Catalog::builtin().unwrap().get(name).unwrap();
        let mut flips: usize = provider.examples().iter().map(|example| flip_all(provider, example)).sum();
        for by in 1.. {
            if flips >= FLIPS {
                break;
            }
            flips += flip_all(provider, &lengthened(&provider.examples()[0], by));
        }
    }
}

/// Bytes as a header may hold them, and bytes as it may not; now and then something that looks right.
fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..80),
        "[ -~]{0,80}".prop_map(String::into_bytes),
        "(t=[0-9]{0,25},)?(v1|v1a|v0|sha1|sha256)[=,]([0-9a-f]{0,70}|[A-Za-z0-9+/=]{0,90})( v1,[A-Za-z0-9=]{0,44})?"
            .prop_map(String::into_bytes),
        "[0-9]{0,30}".prop_map(String::into_bytes),
        "(http|https)?(://)?[a-z@:\\[\\]]{0,12}(:[0-9]{0,6})?(/[a-z?=&%#]{0,20})?".prop_map(String::into_bytes),
    ]
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..200),
        "[\\[{\"a-z:,0-9.eE\\]}\\\\u+-]{0,200}".prop_map(String::into_bytes),
        "([a-z+%]{0,9}=[0-9A-F%&+]{0,9}&){0,9}".prop_map(String::into_bytes),
    ]
}

fn secret_text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 1..80),
        "(whsec_|whpk_|whsk_)?[A-Za-z0-9+/]{0,88}={0,2}".prop_map(String::into_bytes),
        "[0-9a-f]{63,65}".prop_map(String::into_bytes),
    ]
}

/// Every header that a provider looks at, and those from which a URL is built.
const NAMES: [&str; 28] = [
    "Content-Type",
    "Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Host",
    "X-GitHub-Event",
    "X-GitHub-Delivery",
    "X-Hub-Signature",
    "X-Hub-Signature-256",
    "Stripe-Signature",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "svix-id",
    "svix-timestamp",
    "svix-signature",
    "X-Slack-Request-Timestamp",
    "X-Slack-Signature",
    "X-Shopify-Hmac-Sha256",
    "Shopify-Hmac-Sha256",
    "X-Shopify-Triggered-At",
    "X-Gitlab-Event",
    "X-Gitlab-Token",
    "Idempotency-Key",
    "X-Twilio-Signature",
    "I-Twilio-Idempotency-Token",
    "X-Signature-Timestamp",
    "X-Signature-Ed25519",
    "User-Agent",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_is_judged(
        values in vec((0..NAMES.len(), value()), 0..40),
        body in body(),
        secret in secret_text(),
        target in value(),
        url in proptest::option::of("(https?://)?[ -~é]{0,40}"),
        now in any::<i64>(),
        form in any::<bool>(),
    ) {
        let kind = if form { "application/x-www-form-urlencoded" } else { "application/json" };
        let given = values.iter().map(|(name, value)| (NAMES[*name], &value[..]));
        let headers: Headers = given.chain([("Content-Type", kind.as_bytes())]).collect();
        let request = Request {
            method: "POST",
            url: url.as_deref(),
            target: &target,
            headers: &headers,
            body: &body,
            truncated: false,
            rewritten: false,
            received_at: Timestamp::from_unix_ms(now),
        };
        let catalog = Catalog::builtin().unwrap();
        let _ = catalog.detect(&request);
        for provider in catalog.iter() {
            let secret = Secret::new(secret.clone());
            let judgement = provider.judge(&request, std::slice::from_ref(&secret));
            prop_assert!(judgement.verdict != Verdict::Unsigned);
            prop_assert!(judgement.verdict != Verdict::Passed || provider.name() == "gitlab-token");
            prop_assert_eq!(judgement.explanation.is_some(), judgement.verdict != Verdict::Passed);
            let _ = provider.event(&request);
            let _ = provider.sign(&request, std::slice::from_ref(&secret), "id");
        }
    }

    #[test]
    fn whatever_stands_in_a_file_is_read_or_refused(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(),
        length in 0..12_usize, other in "[ -~\n\"'{}\\[\\]=é]{0,12}")
    {
        let providers: Vec<_> = Catalog::builtin().unwrap().iter().collect();
        let provider = providers[which.index(providers.len())];
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("assets/providers/{}.toml", provider.name()));
        let mut text: Vec<char> = fs::read_to_string(file).unwrap().chars().collect();
        let at = at.index(text.len());
        let end = (at + length).min(text.len());
        text.splice(at..end, other.chars());
        let text: String = text.into_iter().collect();
        match Provider::parse("edited", &text) {
            Err(failure) => prop_assert!(failure.doing.contains("edited.toml") && !failure.why.is_empty()),
            Ok(edited) => {
                for example in provider.examples() {
                    let _ = edited.judge(&example.request(), std::slice::from_ref(&example.secret));
                    let _ = edited.event(&example.request());
                    let _ = edited.sign(&example.request(), &example.secrets(), "id");
                    let _ = (edited.facts(), edited.json());
                }
            }
        }
    }
}
