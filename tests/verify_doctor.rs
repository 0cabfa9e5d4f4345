//! The doctor: every class of fault is made, and found to be what it is; and nothing else is ever explained.

#![allow(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "a test that cannot go on fails; the rows are one kind of function"
)]

use std::collections::BTreeSet;

use creel::{
    record::{Headers, Timestamp},
    verify::{Budget, Catalog, Diagnosis, Request, Search, Secret, Suspect},
};

const SECRET: &str = "whsec_c2VjcmV0LW9mLXRoZS10ZXN0cw==";
const OTHER: &str = "the-secret-of-the-other-shop";
const BODY: &str = "{\"id\":\"evt_1\",\"url\":\"https://a/b\",\"name\":\"é\",\"n\":1.0,\"list\":[1,2]}\n";
const NOW: i64 = 1_763_978_700;

/// A header's name and value.
type Pair = (String, String);

/// A delivery: what was signed, and what came.
struct Delivery {
    provider: &'static str,
    /// The provider that signed, where not that one.
    signed_as: &'static str,
    signed_body: Vec<u8>,
    signed_with: String,
    /// The secret that is configured here.
    secret: String,
    signed_url: String,
    body: Vec<u8>,
    url: String,
    /// Whether that is configured; else it is told by the request.
    is_named: bool,
    content_type: &'static str,
    /// What becomes of each signed header.
    edit: fn(Pair) -> Pair,
    /// A header that comes besides.
    beside: (&'static str, &'static str),
}

impl Delivery {
    fn of(provider: &'static str) -> Self {
        Self {
            provider,
            signed_as: provider,
            signed_body: BODY.into(),
            signed_with: SECRET.into(),
            secret: SECRET.into(),
            signed_url: "https://shop.example/hook?b=2&a=1".into(),
            body: BODY.into(),
            url: "https://shop.example/hook?b=2&a=1".into(),
            is_named: true,
            content_type: "application/json",
            edit: |header| header,
            beside: ("Accept", "*/*"),
        }
    }

    fn diagnose(&self, budget: Budget, clock: &dyn Fn() -> u64) -> Diagnosis {
        let catalog = Catalog::builtin().unwrap();
        let base: Headers = [
            ("Content-Type", self.content_type),
            ("Host", "shop.example"),
            ("webhook-id", "msg_1"),
            ("X-Sent-At", "1763978700"),
        ]
        .into_iter()
        .collect();
        let unsigned = Request {
            method: "POST",
            url: Some(&self.signed_url),
            target: b"/hook?b=2&a=1",
            headers: &base,
            body: &self.signed_body,
            truncated: false,
            rewritten: false,
            received_at: Timestamp::from_unix_s(NOW),
        };
        let signer = catalog.get(self.signed_as).unwrap();
        let signed = signer.sign(&unsigned, &[Secret::new(self.signed_with.clone())], "msg_1").unwrap();
        let mut headers = base.clone();
        headers.push(self.beside.0, self.beside.1);
        for (name, value) in signed.headers {
            let (name, value) = (self.edit)((name, value));
            headers.push(name, value);
        }
        let received =
            Request { headers: &headers, body: &self.body, url: self.is_named.then_some(&self.url), ..unsigned };
        let others = [Secret::new(OTHER)];
        let others = [Suspect { endpoint: "other-shop", secrets: &others }];
        let provider = catalog.get(self.provider).unwrap();
        catalog.diagnose(provider, &received, &[Secret::new(self.secret.clone())], &others, budget, clock)
    }
}

fn body(provider: &'static str, signed: impl Into<Vec<u8>>, received: impl Into<Vec<u8>>) -> Delivery {
    Delivery { signed_body: signed.into(), body: received.into(), ..Delivery::of(provider) }
}

fn secret(provider: &'static str, signed_with: &str) -> Delivery {
    Delivery { signed_with: signed_with.into(), ..Delivery::of(provider) }
}

fn configured(secret: &str) -> Delivery {
    Delivery { secret: secret.into(), ..Delivery::of("github") }
}

fn form(signed: &str, received: &str) -> Delivery {
    Delivery { content_type: "application/x-www-form-urlencoded", ..body("github", signed, received) }
}

fn url(signed: &str, received: &str) -> Delivery {
    Delivery { signed_url: signed.into(), url: received.into(), ..Delivery::of("square") }
}

/// A URL that is not configured, and a header that a proxy adds.
fn behind(signed: &str, beside: (&'static str, &'static str)) -> Delivery {
    let signed = format!("{signed}?b=2&a=1");
    Delivery { beside, ..url(&signed, "https://shop.example/hook?b=2&a=1") }
}

fn edited(provider: &'static str, edit: fn(Pair) -> Pair) -> Delivery {
    Delivery { edit, ..Delivery::of(provider) }
}

/// Hex as base64.
fn in_base64((name, value): Pair) -> Pair {
    use base64::{Engine, engine::general_purpose::STANDARD};
    match value.strip_prefix("sha256=").map(hex::decode) {
        Some(Ok(bytes)) => (name, STANDARD.encode(bytes)),
        _ => (name, value),
    }
}

/// GitHub's old signature beside one of its new ones that is another body's.
fn with_a_wrong_sha256() -> Delivery {
    const ANOTHER: &str = "sha256=a5bd08ece19d718735d2e252d2601bd0ff66e8b1b365d7733205de2fabdc0d66";
    Delivery { signed_as: "github-sha1", beside: ("X-Hub-Signature-256", ANOTHER), ..Delivery::of("github") }
}

/// Base64 without its last sign, `=`.
fn unpadded((name, value): Pair) -> Pair {
    (name, value.trim_end_matches('=').to_owned())
}

fn in_another_header((name, value): Pair) -> Pair {
    let is_it = name.eq_ignore_ascii_case("X-Hub-Signature-256");
    (if is_it { "X-Signature-Of-Mine".to_owned() } else { name }, value)
}

fn with_another_time((name, value): Pair) -> Pair {
    let is_it = name.eq_ignore_ascii_case("X-Slack-Request-Timestamp");
    (name, if is_it { "1763978000".to_owned() } else { value })
}

fn in_milliseconds((name, value): Pair) -> Pair {
    let is_it = name.eq_ignore_ascii_case("X-Slack-Request-Timestamp");
    (name, if is_it { value + "000" } else { value })
}

fn compact() -> String {
    BODY.trim_end().to_owned()
}

fn long(len: usize) -> Vec<u8> {
    b"0123456789abcdef".iter().copied().cycle().take(len).collect()
}

/// Every fault that somebody makes, and the class that must be found.
fn faults() -> Vec<(&'static str, Delivery)> {
    [secrets_taken_wrongly(), bodies_changed(), json_written_anew(), two_at_once(), other_faults()]
        .into_iter()
        .flatten()
        .collect()
}

fn secrets_taken_wrongly() -> Vec<(&'static str, Delivery)> {
    vec![
        ("secret-of-other-endpoint", secret("github", OTHER)),
        ("secret-of-other-endpoint", Delivery { signed_with: OTHER.into(), ..body("github", compact(), BODY) }),
        ("secret-white-space", secret("github", &format!("{SECRET}\n"))),
        ("secret-quotes", secret("github", &format!("\"{SECRET}\""))),
        ("secret-prefix", secret("github", SECRET.trim_start_matches("whsec_"))),
        ("secret-white-space", secret("github", &format!("{SECRET}\r\n"))),
        ("secret-white-space", secret("github", &format!("{SECRET} "))),
        ("secret-white-space", configured(&format!("{SECRET}\\n"))),
        ("secret-bom", configured(&format!("\u{feff}{SECRET}\n"))),
        ("secret-quotes", configured(&format!("\"{SECRET}\"\n"))),
        ("secret-quotes", secret("github", &format!("'{SECRET}'"))),
        ("secret-name", configured(&format!("GITHUB_SECRET={SECRET}"))),
        ("secret-name", configured(&format!("export GITHUB_SECRET=\"{SECRET}\""))),
        ("secret-name", configured(&format!("Bearer {SECRET}"))),
        ("secret-case", secret("github", &SECRET.to_ascii_uppercase())),
        ("secret-case", secret("github", &SECRET.to_ascii_lowercase())),
        ("secret-form", secret("github", &SECRET.replace('=', "%3D"))),
        ("secret-form", configured(&SECRET.replace('=', "%3D"))),
        ("secret-form", secret("github", &in_base64_text(SECRET))),
        ("secret-form", secret("github", &hex::encode(SECRET))),
        ("secret-form", Delivery { signed_with: "~~~".into(), ..configured("fn5-") }),
        ("secret-unset", secret("github", "\0")),
        ("secret-unset", secret("gitlab-token", "undefined")),
        ("secret-unset", secret("stripe", "None")),
        // Standard Webhooks decodes the secret; GitHub's scheme takes it as text.
        (
            "secret-form",
            Delivery {
                signed_with: format!("whsec_{}", "d2hzZWNfYzJWamNtVjBMVzltTFhSb1pTMTBaWE4wY3c9PQ=="),
                ..Delivery::of("standard-webhooks")
            },
        ),
    ]
}

fn bodies_changed() -> Vec<(&'static str, Delivery)> {
    let latin1: Vec<u8> = BODY.chars().map(|letter| letter as u8).collect();
    vec![
        ("body-final-newline", body("github", compact(), BODY)),
        ("body-final-newline", body("stripe", BODY, compact())),
        ("body-final-newline", body("shopify", format!("{}\r\n", compact()), compact())),
        ("body-line-ends", body("github", "a\nb\nc", "a\r\nb\r\nc")),
        ("body-line-ends", body("github", "a\r\nb\r\nc", "a\nb\nc")),
        ("body-bom", body("github", BODY, format!("\u{feff}{BODY}"))),
        ("body-bom", body("github", format!("\u{feff}{BODY}"), BODY)),
        ("body-white-space", body("github", compact(), format!("  {BODY}  "))),
        ("body-charset", body("github", BODY, latin1.clone())),
        ("body-charset", body("github", latin1, BODY)),
        ("body-charset", body("github", "a price of 5 €", b"a price of 5 \x80")),
        ("body-charset", body("github", b"a price of 5 \x80", "a price of 5 €")),
        ("body-charset", body("github", "caf\u{e9}", "cafe\u{301}")),
        ("body-charset", body("github", "cafe\u{301}", "caf\u{e9}")),
        ("body-json-string", body("github", r#"{"a":"b"}"#, r#""{\"a\":\"b\"}""#)),
        ("body-json-string", body("github", r#""{\"a\":\"b\"}""#, r#"{"a":"b"}"#)),
        ("body-encoding", body("github", BODY, gzip(BODY.as_bytes()))),
        ("body-encoding", body("github", BODY, in_base64_text(BODY))),
        ("body-encoding", body("github", in_base64_text(BODY), BODY)),
        ("body-object", body("github", "[object Object]", BODY)),
        ("body-object", body("github", "{'a': 1.5, 'b': [True, None]}", r#"{"a":1.50,"b":[true,null]}"#)),
        ("body-charset", body("github", in_utf16(BODY, u16::to_le_bytes), BODY)),
        ("body-charset", body("github", in_utf16(BODY, u16::to_be_bytes), BODY)),
        ("body-charset", body("github", BODY, in_utf16(BODY, u16::to_le_bytes))),
        ("body-charset", body("github", BODY, in_utf16(&format!("\u{feff}{BODY}"), u16::to_be_bytes))),
        ("body-part", body("github", r#"{"a": 1}"#, r#"{"headers":{},"body":"{\"a\": 1}"}"#)),
        ("body-part", body("github", r#"{"a": 1}"#, r#"{"event":{"a": 1},"sent_at":1}"#)),
        ("body-form", form("a=1+2&b=3", "a=1%202&b=3")),
        ("body-form", form("a=1%202&b=3", "a=1+2&b=3")),
        ("body-form", form("a=%7Eb+c%2A", "a=~b%20c*")),
        ("body-form", form("a=~b+c%2A", "a=%7eb%20c*")),
        ("body-form", form("a=%7Eb+c*", "a=~b%20c%2A")),
        ("body-form", form("a=~b%20(c)*", "a=%7Eb+%28c%29%2A")),
        ("body-form", form("{\"a\":\"b=c\"}", "%7B%22a%22%3A%22b=c%22%7D")),
        ("body-form", form("a=é", "a=%C3%A9")),
        ("body-form", form("{\"a\":1}", "payload=%7B%22a%22%3A1%7D")),
        ("body-empty", body("github", "", BODY)),
        ("body-cut", body("github", long(4096), long(6000))),
        ("body-cut", Delivery { beside: ("Content-Length", "77"), ..body("github", long(77), long(99)) }),
    ]
}

fn in_utf16(text: &str, write: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(write).collect()
}

/// What was signed with another reading of the secret, or for another URL, and changed on its way besides.
fn two_at_once() -> Vec<(&'static str, Delivery)> {
    let (spaced, short) = (r#"{"a": 1, "b": 2}"#, r#"{"a":1,"b":2}"#);
    let signed_with = |secret: &str, delivery: Delivery| Delivery { signed_with: secret.to_owned(), ..delivery };
    let elsewhere = || url("https://shop.example/hook/?b=2&a=1", "https://shop.example/hook?b=2&a=1");
    vec![
        ("secret-white-space", signed_with(&format!("{SECRET}\n"), body("github", spaced, short))),
        ("secret-prefix", signed_with(SECRET.trim_start_matches("whsec_"), body("stripe", compact(), BODY))),
        ("secret-form", signed_with(&in_base64_text(SECRET), body("github", short, format!("{spaced}\n")))),
        ("secret-unset", signed_with("undefined", body("github", spaced, short))),
        ("url", Delivery { signed_body: spaced.into(), body: short.into(), ..elsewhere() }),
        ("url", Delivery { signed_body: BODY.into(), body: compact().into(), ..elsewhere() }),
    ]
}

fn json_written_anew() -> Vec<(&'static str, Delivery)> {
    vec![
        ("json-spacing", body("github", r#"{"a": 1, "b": [1, 2]}"#, r#"{"a":1,"b":[1,2]}"#)),
        ("json-spacing", body("github", r#"{"a":1,"b":[1,2]}"#, "{\n  \"a\": 1,\n  \"b\": [\n    1,\n    2\n  ]\n}")),
        ("json-key-order", body("github", r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#)),
        ("json-escapes", body("github", r#"{"a":"\u00e9"}"#, r#"{"a":"é"}"#)),
        ("json-escapes", body("github", r#"{"a":"\u00e9","b":"c\/d"}"#, r#"{"a":"é","b":"c/d"}"#)),
        ("json-escapes", body("github", r#"{"a":"b\/c"}"#, r#"{"a":"b/c"}"#)),
        ("json-numbers", body("github", r#"{"a":1,"b":10}"#, r#"{"a":1.0,"b":1e1}"#)),
        ("json-numbers", body("github", r#"{"a": 1000.0, "b": 1e-07}"#, r#"{"a":1e3,"b":0.0000001}"#)),
        ("json-empty-objects", body("github", r#"{"a":[],"b":"c\/d"}"#, r#"{"a":{},"b":"c/d"}"#)),
        ("json-key-order", body("github", r#"{"1":1,"a":2}"#, r#"{"a":2,"1":1}"#)),
        ("json-key-order", body("github", r#"{"a": 1, "c": 3, "bb": 2}"#, r#"{"bb":2,"c":3,"a":1}"#)),
        ("json-spacing", body("github", "{\n\t\"a\": 1\n}\n", r#"{"a":1}"#)),
        ("json-spacing", body("github", r#"{"a" : 1, "b" : 2}"#, r#"{"a":1,"b":2}"#)),
        ("json-escapes", body("github", r#"{"a":"\u0026\u00E9"}"#, r#"{"a":"&é"}"#)),
    ]
}

fn other_faults() -> Vec<(&'static str, Delivery)> {
    vec![
        ("url", url("https://shop.example/hook?b=2&a=1", "http://shop.example/hook?b=2&a=1")),
        ("url", url("https://shop.example/hook/?b=2&a=1", "https://shop.example/hook?b=2&a=1")),
        ("url", url("https://shop.example/hook", "https://shop.example/hook?b=2&a=1")),
        ("url", url("https://shop.example/hook?a=1&b=2", "https://shop.example/hook?b=2&a=1")),
        ("url", url("https://shop.example/hook?b=2&a=1", "https://other.example/elsewhere")),
        (
            "url",
            behind("https://first.example/hook", ("Forwarded", "for=1.2.3.4;host=first.example, host=second.example")),
        ),
        ("url", behind("https://shop.example/api/hook", ("X-Forwarded-Prefix", "/api/"))),
        ("url", behind("https://shop.example/api/hook", ("X-Original-URI", "/api/hook?b=2&a=1"))),
        ("url", behind("https://shop.example:8443/hook", ("X-Forwarded-Port", "8443"))),
        ("timestamp", edited("slack", in_milliseconds)),
        // The time that was signed stands in X-Sent-At.
        ("timestamp", edited("slack", with_another_time)),
        ("timestamp", edited("slack", one_second_later)),
        ("encoding", edited("github", in_base64_of_hex)),
        ("encoding", edited("github", |(name, value)| (name, value.replace('=', ":")))),
        ("encoding", edited("github", |(name, value)| (name, format!("\"{value}\"")))),
        ("encoding", edited("github", |(name, value)| (name, format!("sha256={}, {value}", "0".repeat(64))))),
        ("encoding", edited("shopify", |(name, value)| (name, value.replace('=', "%3D")))),
        ("algorithm", edited("github", |(name, _)| (name, format!("sha256={}", sha256(BODY))))),
        ("algorithm", edited("github", |(name, _)| (name, format!("sha256={}", sha256(&format!("{SECRET}{BODY}")))))),
        ("algorithm", Delivery { signed_with: BODY.into(), ..body("github", SECRET, BODY) }),
        ("algorithm", Delivery { signed_as: "authorize-net", edit: authorize_as_github, ..Delivery::of("github") }),
        ("encoding", edited("github", in_base64)),
        ("encoding", edited("shopify", unpadded)),
        ("other-signature", with_a_wrong_sha256()),
        ("other-header", edited("github", in_another_header)),
        ("content", Delivery { signed_as: "github", edit: github_as_stripe, ..Delivery::of("stripe") }),
        ("other-provider", Delivery { signed_as: "shopify", ..Delivery::of("github") }),
        ("other-provider", Delivery { signed_as: "slack", signed_with: SECRET.into(), ..Delivery::of("stripe") }),
    ]
}

/// What base64 makes of the text.
fn in_base64_text(text: &str) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    STANDARD.encode(text)
}

/// The hex digits, taken for the bytes.
fn in_base64_of_hex((name, value): Pair) -> Pair {
    (name, value.strip_prefix("sha256=").map_or(value.clone(), |hex| format!("sha256={}", in_base64_text(hex))))
}

fn sha256(text: &str) -> String {
    hex::encode(creel::verify::sha256(text.as_bytes()))
}

/// The clock was read again after signing.
fn one_second_later((name, value): Pair) -> Pair {
    let is_it = name.eq_ignore_ascii_case("X-Slack-Request-Timestamp");
    (name, if is_it { (NOW + 1).to_string() } else { value })
}

/// HMAC-SHA512 in hex where GitHub has HMAC-SHA256.
fn authorize_as_github((_, value): Pair) -> Pair {
    ("X-Hub-Signature-256".to_owned(), value.to_ascii_lowercase())
}

/// GitHub's signature, of the body alone, where Stripe has that of time and body.
fn github_as_stripe((_, value): Pair) -> Pair {
    ("Stripe-Signature".to_owned(), value.replace("sha256=", &format!("t={NOW},v1=")))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

#[test]
fn every_fault_is_found_to_be_what_it_is() {
    let mut wrong = Vec::new();
    for (class, delivery) in faults() {
        let found = delivery.diagnose(Budget::default(), &|| 0);
        if found.by != Some(class) {
            wrong.push(format!("{class}: {found:?}"));
        }
        assert!(!found.text.contains(SECRET) && !found.text.contains(OTHER), "{}", found.text);
        assert!(found.text.ends_with('.') && !found.text.contains('\n'), "{}", found.text);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let classes: BTreeSet<_> = faults().into_iter().map(|fault| fault.0).collect();
    assert!(classes.len() >= 20, "{classes:?}");
}

#[test]
fn the_differing_bytes_are_shown() {
    let found = body("github", compact(), BODY).diagnose(Budget::default(), &|| 0);
    let difference = found.difference.unwrap();
    assert!(difference.ends_with(":[1,2]}, received ….0,\"list\":[1,2]}\\n"), "{difference}");
    assert!(found.text.starts_with("The signature is right for the body without its final newline."), "{}", found.text);
}

#[test]
fn a_weaker_signature_beside_the_own_one_is_no_remedy() {
    let found = with_a_wrong_sha256().diagnose(Budget::default(), &|| 0);
    let told = "Not the signature in X-Hub-Signature-256 but the one beside it, in X-Hub-Signature, is right";
    assert!(found.text.starts_with(told), "{}", found.text);
    assert!(
        found.text.ends_with("Do not fall back on HMAC-SHA1.") && !found.text.contains("provider ="),
        "{}",
        found.text
    );
    // Where the own one did not come at all, the sender is one that knows no other.
    let alone = Delivery { beside: ("Accept", "*/*"), ..with_a_wrong_sha256() };
    assert_eq!(alone.diagnose(Budget::default(), &|| 0).by, Some("other-provider"));
}

#[test]
fn what_the_check_has_proved_is_said_where_nothing_more_is_found() {
    // A token that any scheme of tokens takes at its word is no other provider's: the one that looks at the body is right.
    for (provider, proved) in [
        ("livekit", "The signature is right, but it covers the SHA-256 of another body"),
        ("vonage", "The signature is right, but it covers the SHA-256 of another body"),
    ] {
        let found = body(provider, r#"{"amount":1}"#, r#"{"amount":2}"#).diagnose(Budget::default(), &|| 0);
        assert!(found.text.starts_with(proved) && !found.text.contains("provider ="), "{}", found.text);
        assert_eq!((found.by, found.search), (None, Search::Proved));
        // To know that the secret is right adds nothing to it, and neither does a search that was broken off.
        assert_eq!(found.clone().with_a_proven_secret(), found);
        let broken_off = body(provider, r#"{"amount":1}"#, r#"{"amount":2}"#).diagnose(LITTLE, &|| 0);
        assert!(broken_off.text.starts_with(proved) && broken_off.search == Search::Proved, "{}", broken_off.text);
    }
    let elsewhere = Delivery { url: "https://elsewhere.example/".into(), ..Delivery::of("messagebird") };
    let found = Delivery { body: "{}".into(), ..elsewhere }.diagnose(Budget::default(), &|| 0);
    assert!(found.text.starts_with("The "), "{}", found.text);
    assert!(!found.text.contains("The secret is probably another one"), "{}", found.text);
}

const LITTLE: Budget = Budget { candidates: 3, ms: 1_000 };

#[test]
fn where_the_secret_is_right_for_others_it_is_not_blamed() {
    let proven = |delivery: Delivery| delivery.diagnose(Budget::default(), &|| 0).with_a_proven_secret().text;
    let of_another_hook = proven(secret("github", "the secret of another hook"));
    assert!(of_another_hook.contains("another hook of the sender signed it"), "{of_another_hook}");
    assert!(!of_another_hook.contains("another URL"), "GitHub signs no URL: {of_another_hook}");
    let elsewhere = proven(url("https://nobody-knows.example/hook", "https://shop.example/hook"));
    assert!(elsewhere.contains("The secret is right") && elsewhere.contains("another URL"), "{elsewhere}");
}

#[test]
fn a_key_that_is_none_to_sign_with_is_told_by_how_it_begins() {
    let text = |provider, secret: &str, budget| {
        Delivery { secret: secret.into(), ..Delivery::of(provider) }.diagnose(budget, &|| 0).text
    };
    for budget in [Budget::default(), LITTLE] {
        let key = text("stripe", "sk_test_4eC39HqLyjWDarjtT1zdp7dc", budget);
        assert!(key.contains("Stripe's signing secrets begin with whsec_"), "{key}");
        assert!(!key.contains("sk_test"), "{key}");
    }
    let another = text("stripe", "whsec_another", Budget::default());
    assert!(another.ends_with("The secret is probably another one."), "{another}");
    assert!(!text("github", "another", Budget::default()).contains("begin with"));
}

#[test]
fn what_is_advised_would_mend_it() {
    let text = |delivery: Delivery| delivery.diagnose(Budget::default(), &|| 0).text;
    let host = text(url("https://first.example/hook?b=2&a=1", "https://shop.example/hook?b=2&a=1"));
    assert!(host.contains("knows this endpoint by another URL"), "nobody can know that host: {host}");
    let scheme = text(url("http://shop.example/hook?b=2&a=1", "https://shop.example/hook?b=2&a=1"));
    assert!(scheme.ends_with("Set `url = \"http://shop.example/hook\"` for this endpoint."), "{scheme}");
    let order = text(url("https://shop.example/hook?a=1&b=2", "https://shop.example/hook?b=2&a=1"));
    assert!(order.contains("changes its query"), "the same `url` again would not mend it: {order}");
    let unnamed = text(Delivery { is_named: false, ..url("https://shop.example/hook?a=1&b=2", "") });
    assert!(unnamed.contains("changes its query"), "nor would one that is told by the request: {unnamed}");
    let styled = text(body("github", r#"{"a":"b\/c", "\u00e9":1}"#.replace(", ", ","), r#"{"a":"b/c","é":1}"#));
    assert!(styled.contains("as PHP does it (slashes escaped, what is not ASCII as \\u)"), "{styled}");
}

#[test]
fn base64_without_its_padding_is_called_that() {
    for number in 0..20 {
        let signed = format!("{{\"n\":{number}}}");
        let delivery = Delivery { edit: unpadded, ..body("shopify", signed.clone(), signed) };
        let found = delivery.diagnose(Budget::default(), &|| 0);
        assert!(found.text.contains("written in base64 without its padding (=)"), "{number}: {}", found.text);
    }
}

#[test]
fn a_valid_delivery_has_nothing_to_explain() {
    let catalog = Catalog::builtin().unwrap();
    let others = [Secret::new(OTHER)];
    let others = [Suspect { endpoint: "other-shop", secrets: &others }];
    for provider in catalog.iter() {
        for example in provider.examples() {
            let found =
                catalog.diagnose(provider, &example.request(), &example.secrets(), &others, Budget::default(), &|| 0);
            assert_eq!(found.by, None, "{}: {}", provider.name(), found.text);
        }
    }
}

#[test]
fn a_random_signature_is_never_explained() {
    let catalog = Catalog::builtin().unwrap();
    for provider in catalog.iter() {
        for example in provider.examples() {
            // Secrets of nobody: what they give, no one has sent.
            let secrets = [Secret::new("4a6f7572206973206e6f742079657420646f6e652c2062757420736f6f6e2e20")];
            let others = [Secret::new(OTHER)];
            let others = [Suspect { endpoint: "other-shop", secrets: &others }];
            let budget = Budget { candidates: 6_000, ms: 60_000 };
            let found = catalog.diagnose(provider, &example.request(), &secrets, &others, budget, &|| 0);
            assert_eq!(found.by, None, "{}: {}", provider.name(), found.text);
            assert!(found.text.starts_with("Nothing of"), "{}", found.text);
        }
    }
}

#[test]
fn the_budget_is_kept_and_told() {
    let lost = || secret("github", "nobody-knows-this-one");
    let by_count = lost().diagnose(Budget { candidates: 40, ms: 1_000 }, &|| 0);
    assert!(by_count.by.is_none() && (40..60).contains(&by_count.tried), "{by_count:?}");
    assert!(by_count.text.contains(&format!("first {} candidates", by_count.tried)), "{}", by_count.text);
    // A clock that goes on by a millisecond each time somebody looks.
    let time = std::cell::Cell::new(0);
    let clock = || time.replace(time.get() + 1);
    let by_time = lost().diagnose(Budget { candidates: 100_000, ms: 25 }, &clock);
    assert!(by_time.by.is_none() && by_time.tried < 40 && by_time.text.contains("ms."), "{by_time:?}");
}
