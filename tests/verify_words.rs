//! What a failed check says to a person, and what signing says when it cannot.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use creel::{
    record::{Fault, Header, Headers, Judgement, Timestamp, Verdict},
    verify::{Catalog, Example, Provider, Request, Secret},
};

fn provider(name: &str) -> (&'static Provider, &'static Example) {
    let provider = Catalog::builtin().unwrap().get(name).unwrap();
    (provider, &provider.examples()[0])
}

/// The example's headers, with some set to another value or (None) left out.
fn headers(example: &Example, changes: &[(&str, Option<&str>)]) -> Headers {
    let stays = |header: &Header<'_>| !changes.iter().any(|(name, _)| header.is(name));
    let mut headers: Headers = example.headers.iter().filter(stays).collect();
    for (name, value) in changes {
        if let Some(value) = value {
            headers.push(name, value);
        }
    }
    headers
}

/// The judgement of the example with some headers changed.
fn judged(name: &str, changes: &[(&str, Option<&str>)], secrets: Option<&[Secret]>) -> Judgement {
    let (provider, example) = provider(name);
    let headers = headers(example, changes);
    let own = [example.secret.clone()];
    provider.judge(&Request { headers: &headers, ..example.request() }, secrets.unwrap_or(&own))
}

fn words(judgement: &Judgement) -> (Fault, &str) {
    (judgement.fault.unwrap(), &judgement.explanation.as_ref().unwrap().text)
}

#[test]
fn what_is_missing_is_named() {
    assert_eq!(
        words(&judged("github", &[("X-Hub-Signature-256", None)], None)),
        (
            Fault::HeaderMissing,
            "GitHub signs with X-Hub-Signature-256; this request has no such header. Is a secret set on the provider's \
             side, or does something between drop the header?"
        )
    );
    assert_eq!(
        words(&judged("svix", &[("svix-signature", None)], None)).1,
        "Svix signs with svix-signature or webhook-signature; this request has no such header. Is a secret set on the \
         provider's side, or does something between drop the header?"
    );
    assert_eq!(
        words(&judged("standard-webhooks", &[("webhook-id", None)], None)),
        (
            Fault::HeaderMissing,
            "Standard Webhooks signs {header:webhook-id}.{timestamp}.{body}; this request has no webhook-id. Something \
             between the sender and creel drops it, or somebody else sent it."
        )
    );
    assert_eq!(
        words(&judged("slack", &[("X-Slack-Request-Timestamp", None)], None)),
        (
            Fault::HeaderMissing,
            "Slack signs v0:{timestamp}:{body}; this request has no X-Slack-Request-Timestamp. Something between the sender \
             and creel drops it, or somebody else sent it."
        )
    );
}

#[test]
fn what_is_malformed_is_named() {
    let cases = [
        (
            "github",
            ("X-Hub-Signature-256", "sha1=00"),
            "X-Hub-Signature-256 does not begin with sha256=. GitHub writes it as sha256=SIGNATURE in hex.",
        ),
        (
            "github",
            ("X-Hub-Signature-256", "sha256=00"),
            "X-Hub-Signature-256 holds no 32 bytes in hex. GitHub writes it as sha256=SIGNATURE in hex.",
        ),
        (
            "stripe",
            ("Stripe-Signature", "t=17,v0=00"),
            "Stripe-Signature has no item v1=SIGNATURE. Stripe writes it as v1=SIGNATURE in hex.",
        ),
        (
            "stripe",
            ("Stripe-Signature", "v1=00"),
            "Stripe-Signature has no timestamp t. Stripe signs {timestamp}.{body}.",
        ),
        (
            "stripe",
            ("Stripe-Signature", "t=now,v1=00"),
            "The timestamp in Stripe-Signature is not in Unix seconds. Stripe signs {timestamp}.{body}.",
        ),
        (
            "slack",
            ("X-Slack-Request-Timestamp", "1.5"),
            "The timestamp in X-Slack-Request-Timestamp is not in Unix seconds. Slack signs v0:{timestamp}:{body}.",
        ),
        (
            // The last letter stands for bits that no encoder sets.
            "shopify",
            ("X-Shopify-Hmac-Sha256", "hMTq0K2x7oyOjoBwGYeTj5oxfnaVYXzbanUG9aajpKJ="),
            "X-Shopify-Hmac-Sha256 holds no 32 bytes in base64. Shopify writes it as SIGNATURE in base64.",
        ),
    ];
    for (name, (header, value), text) in cases {
        let judgement = judged(name, &[(header, Some(value))], None);
        assert_eq!(words(&judgement), (Fault::Malformed, text));
        assert_eq!(judgement.explanation.unwrap().tried, 0);
    }
}

#[test]
fn a_mismatch_says_what_was_tried() {
    let wrong = [Secret::new("one"), Secret::new("two")];
    let judgement = judged("github", &[], Some(&wrong[..1]));
    assert_eq!(
        words(&judgement),
        (
            Fault::Mismatch,
            "The signature is not the one that the configured secret gives for these bytes. The secret is another one, \
             or what is signed was changed on its way."
        )
    );
    let evidence = judgement.evidence.unwrap();
    assert_eq!((&evidence.place[..], &evidence.content[..]), ("X-Hub-Signature-256", "{body}"));
    assert!(evidence.expected.as_ref().unwrap().starts_with("sha256=") && evidence.expected != evidence.received);

    let judgement = judged("github", &[], Some(&wrong));
    assert!(words(&judgement).1.starts_with("None of the 2 configured secrets gives this signature"));
    assert_eq!(judgement.explanation.unwrap().tried, 2);

    // Two signatures in the header, two secrets.
    let two = [Secret::new("b25l"), Secret::new("dHdv")];
    assert_eq!(judged("standard-webhooks", &[], Some(&two)).explanation.unwrap().tried, 4);

    let other_key = [Secret::new("00".repeat(32))];
    assert!(
        words(&judged("discord", &[], Some(&other_key)))
            .1
            .starts_with("The signature was not made by the holder of the configured public key for these bytes.")
    );
    assert_eq!(
        words(&judged("gitlab-token", &[], Some(&wrong))),
        (
            Fault::Mismatch,
            "The token is not one of the 2 configured secrets. GitLab (secret token) sends the secret itself."
        )
    );
    let twilio = judged("twilio", &[], Some(&wrong[..1]));
    assert!(words(&twilio).1.ends_with(
        "The signature covers the URL, taken to be https://example.com/twilio?shop=7 and 1 other spelling."
    ));
}

#[test]
fn a_stale_signature_says_how_old_it_is() {
    let (provider, example) = provider("stripe");
    let request = Request { received_at: Timestamp::from_unix_s(example.now.unix_s() + 7200), ..example.request() };
    let judgement = provider.judge(&request, std::slice::from_ref(&example.secret));
    assert_eq!(
        words(&judgement),
        (
            Fault::Stale,
            "The signature in Stripe-Signature is right, but its timestamp is 2 h old; Stripe allows 300 s. A replay, \
             a late delivery, or a clock that is wrong."
        )
    );
    assert_eq!(judgement.age_s, Some(7203));
    // Where it is a near thing, the very seconds are the proof.
    let request = Request { received_at: Timestamp::from_unix_s(example.now.unix_s() + 302), ..example.request() };
    let near = provider.judge(&request, std::slice::from_ref(&example.secret));
    assert!(words(&near).1.contains("its timestamp is 305 s old; Stripe allows 300 s."), "{}", words(&near).1);
    let request =
        Request { received_at: Timestamp::from_unix_s(example.now.unix_s() + 9 * 86_400), ..example.request() };
    let far = provider.judge(&request, std::slice::from_ref(&example.secret));
    assert!(words(&far).1.contains("its timestamp is 9 d old;"), "{}", words(&far).1);
}

#[test]
fn a_body_that_is_not_the_signed_hash_is_a_mismatch() {
    let (provider, _) = provider("twilio");
    let example = &provider.examples()[1];
    let request = Request { body: b"{}", ..example.request() };
    let judgement = provider.judge(&request, std::slice::from_ref(&example.secret));
    assert_eq!(
        words(&judgement),
        (
            Fault::Mismatch,
            "The signature is right, but it covers the SHA-256 of another body: the body was changed on its way."
        )
    );
}

#[test]
fn a_hash_that_nobody_signed_proves_nothing() {
    // The signature of an empty POST to the configured URL, and a body whose hash stands in the target only.
    let (provider, example) = provider("twilio");
    let url = "https://example.com/twilio";
    let empty =
        Request { url: Some(url), target: b"/twilio", body: b"", headers: &Headers::default(), ..example.request() };
    let headers: Headers = provider.sign(&empty, &example.secrets(), "").unwrap().headers.into_iter().collect();
    let secrets = std::slice::from_ref(&example.secret);
    assert_eq!(provider.judge(&Request { headers: &headers, ..empty }, secrets).verdict, Verdict::Passed);

    let body = b"{\"forged\":true}";
    let target = format!("/twilio?bodySHA256={}", hex::encode(creel::verify::sha256(body)));
    let forged = Request { headers: &headers, target: target.as_bytes(), body, ..empty };
    let judgement = provider.judge(&forged, secrets);
    assert_eq!((judgement.verdict, judgement.fault), (Verdict::Failed, Some(Fault::Mismatch)));
}

#[test]
fn a_secret_of_another_form_is_named_without_it() {
    for (name, secret, text) in [
        (
            "svix",
            "whsec_hunter2hunter2!",
            "The configured secret is not base64 after whsec_. Svix hands it out as: base64 after whsec_.",
        ),
        (
            "discord",
            "abcd",
            "The configured secret holds 2 bytes; a public key has 32. Discord hands it out as: public key, hex.",
        ),
    ] {
        let judgement = judged(name, &[], Some(&[Secret::new(secret)]));
        assert_eq!(judgement.verdict, Verdict::Unchecked);
        assert_eq!(words(&judgement), (Fault::Unsupported, text));
    }
    // One that can be used is enough.
    let (provider, example) = provider("svix");
    let secrets = [Secret::new("whsec_!"), example.secret.clone()];
    assert_eq!(provider.judge(&example.request(), &secrets).verdict, Verdict::Passed);
}

#[test]
fn a_token_is_not_shown_in_the_evidence() {
    for secrets in [None, Some(&[Secret::new("other")][..])] {
        let evidence = judged("gitlab-token", &[], secrets).evidence.unwrap();
        assert_eq!((evidence.received, evidence.expected), (None, None));
        assert_eq!(evidence.content, "nothing: the secret itself is sent");
    }
    let evidence = judged("discord", &[], None).evidence.unwrap();
    assert!(evidence.received.is_some() && evidence.expected.is_none());
}

#[test]
fn of_two_places_one_that_is_right_is_enough() {
    let (provider, example) = provider("shopify");
    let right = example.headers.text("X-Shopify-Hmac-Sha256").unwrap();
    let wrong = "hMTq0K2x7oyOjoBwGYeTj5oxfnaVYXzbanUG9aajpKI=";
    let judged = |first: &str, second: &str| {
        let changes = [("X-Shopify-Hmac-Sha256", Some(first)), ("Shopify-Hmac-Sha256", Some(second))];
        let headers = headers(example, &changes);
        let request = Request { headers: &headers, ..example.request() };
        let judgement = provider.judge(&request, std::slice::from_ref(&example.secret));
        (judgement.verdict, judgement.evidence.unwrap().place)
    };
    assert_eq!(judged(wrong, right), (Verdict::Passed, "Shopify-Hmac-Sha256".to_owned()));
    assert_eq!(judged(right, wrong), (Verdict::Passed, "X-Shopify-Hmac-Sha256".to_owned()));
    assert_eq!(judged(wrong, wrong).0, Verdict::Failed);
}

#[test]
fn a_flood_of_signatures_is_cut_short() {
    let item = format!("v1a,{}", "A".repeat(86) + "==");
    let flood = vec![item; 700].join(" ");
    let (provider, example) = provider("standard-webhooks-ed25519");
    let mut headers = headers(example, &[("webhook-signature", Some(&flood))]);
    (0..50).for_each(|_| headers.push("webhook-signature", flood.clone()));
    let request = Request { headers: &headers, ..example.request() };
    let judgement = provider.judge(&request, std::slice::from_ref(&example.secret));
    assert_eq!((judgement.fault, judgement.explanation.unwrap().tried), (Some(Fault::Mismatch), 16));
}

#[test]
fn a_huge_body_is_not_hashed_for_every_spelling_of_the_url() {
    let (provider, example) = provider("twilio");
    let body = vec![b'x'; 9 << 20];
    let request = Request { body: &body, ..example.request() };
    let judgement = provider.judge(&request, std::slice::from_ref(&example.secret));
    assert_eq!((judgement.fault, judgement.explanation.unwrap().tried), (Some(Fault::Mismatch), 1));
}

#[test]
fn signing_says_why_it_cannot() {
    let (discord, example) = provider("discord");
    let failure = discord.sign(&example.request(), &example.secrets(), "").unwrap_err();
    assert_eq!(failure.why, "only the sender holds the key that signs; a public key can but check");
    assert_eq!(failure.doing, "signing a request as Discord");

    let (webhooks, example) = provider("standard-webhooks");
    let bare = Request { headers: &Headers::default(), ..example.request() };
    let failure = webhooks.sign(&bare, &example.secrets(), "").unwrap_err();
    assert_eq!(failure.why, "it signs webhook-id, which the request does not have");
    let failure = webhooks.sign(&bare, &[Secret::new("hunter2!")], "msg_1").unwrap_err();
    assert_eq!(failure.why, "the secret is not base64 after whsec_");

    let (twilio, example) = provider("twilio");
    let json = headers(example, &[("Content-Type", Some("application/json"))]);
    let failure = twilio.sign(&Request { headers: &json, body: b"{}", ..example.request() }, &example.secrets(), "");
    let failure = failure.unwrap_err();
    assert_eq!(failure.why, "it signs the fields of a form, and this body is JSON");
    assert_eq!(
        failure.hint.as_deref(),
        Some("put 44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a at query:bodySHA256")
    );
}

#[test]
fn who_holds_the_private_key_can_sign() {
    // The seed and the public key of the examples of the two files, as Standard Webhooks writes a private key.
    let private =
        Secret::new("whsk_YSBmYWxzZSBzZWVkIGZvciBhbiBleGFtcGxlIGZpbGVvN4tOsYXj0YjOgkpDOxThGWIKU31BY8q4avJy5X4FmA==");
    for name in ["standard-webhooks-ed25519", "svix-ed25519"] {
        let (provider, example) = provider(name);
        let request = Request { headers: &Headers::default(), body: b"{\"new\":1}", ..example.request() };
        let headers: Headers =
            provider.sign(&request, std::slice::from_ref(&private), "msg_new").unwrap().headers.into_iter().collect();
        let signed = Request { headers: &headers, ..request };
        for secret in [&example.secret, &private] {
            assert_eq!(provider.judge(&signed, std::slice::from_ref(secret)).verdict, Verdict::Passed);
        }
        assert_eq!(provider.event(&signed).id.as_deref(), Some("msg_new"));
    }
}
