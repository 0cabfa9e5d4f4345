//! Handshakes: what providers ask before they send, and what creel answers in the endpoint's place.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use serde_json::Value;
use support::{Home, Serving};

const SECRET: &str = "example-secret-that-guards-nothing";

/// What a provider asks, and what it wants to hear.
struct Row {
    provider: &'static str,
    method: &'static str,
    target: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
    status: u16,
    answer: &'static str,
    answer_headers: &'static [(&'static str, &'static str)],
}

const ASK: Row = Row {
    provider: "",
    method: "POST",
    target: "/",
    headers: &[],
    body: "",
    status: 200,
    answer: "",
    answer_headers: &[],
};

const TEXT: &[(&str, &str)] = &[("content-type", "text/plain")];
const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

/// The keyed answers were made with Python's hmac and hashlib under [`SECRET`].
#[rustfmt::skip]
const ROWS: &[Row] = &[
    Row { provider: "slack", body: r#"{"type":"url_verification","challenge":"3eZbrw"}"#, answer: "3eZbrw", answer_headers: TEXT, ..ASK },
    Row { provider: "lark", body: r#"{"type":"url_verification","challenge":"a\"b"}"#, answer: r#"{"challenge":"a\"b"}"#, answer_headers: JSON, ..ASK },
    Row { provider: "monday", body: r#"{"challenge":"3eZbrw"}"#, answer: r#"{"challenge":"3eZbrw"}"#, answer_headers: JSON, ..ASK },
    Row { provider: "meta", method: "GET", target: "/?hub.mode=subscribe&hub.challenge=115&hub.verify_token=x", answer: "115", answer_headers: TEXT, ..ASK },
    Row { provider: "websub", method: "GET", target: "/?hub.mode=subscribe&hub.topic=t&hub.challenge=abc", answer: "abc", answer_headers: TEXT, ..ASK },
    Row { provider: "x", method: "GET", target: "/?crc_token=challenge", answer: r#"{"response_token":"sha256=hRF2aYLWrhMwVzrxXXSPT0/x+Io52bkc8eC9ykzdxEw="}"#, answer_headers: JSON, ..ASK },
    Row { provider: "dropbox", method: "GET", target: "/?challenge=abc", answer: "abc", answer_headers: &[("content-type", "text/plain"), ("x-content-type-options", "nosniff")], ..ASK },
    Row { provider: "nylas", method: "GET", target: "/?challenge=abc%20d", answer: "abc d", answer_headers: TEXT, ..ASK },
    Row { provider: "zoom", body: r#"{"event":"endpoint.url_validation","payload":{"plainToken":"qgg8"}}"#, answer: r#"{"plainToken":"qgg8","encryptedToken":"168dd2882a743b80d4bdaf86adae517541f18205f24d7739a7c1ed3eb21f39be"}"#, answer_headers: JSON, ..ASK },
    Row { provider: "asana", headers: &[("X-Hook-Secret", "b537")], body: "{}", answer: "", answer_headers: &[("x-hook-secret", "b537")], ..ASK },
    Row { provider: "notion", body: r#"{"verification_token":"secret_1"}"#, answer: "", ..ASK },
    Row { provider: "microsoft-graph", target: "/?validationToken=Validation%3a+Testing", answer: "Validation: Testing", answer_headers: TEXT, ..ASK },
    Row { provider: "azure-event-grid", headers: &[("aeg-event-type", "SubscriptionValidation")], body: r#"[{"data":{"validationCode":"512d"}}]"#, answer: r#"{"validationResponse":"512d"}"#, answer_headers: JSON, ..ASK },
    Row { provider: "cloudevents", method: "OPTIONS", headers: &[("WebHook-Request-Origin", "e.example")], answer: "", answer_headers: &[("webhook-allowed-origin", "e.example"), ("allow", "POST"), ("webhook-allowed-rate", "*")], ..ASK },
    Row { provider: "okta", method: "GET", headers: &[("x-okta-verification-challenge", "abc")], answer: r#"{"verification":"abc"}"#, answer_headers: JSON, ..ASK },
    Row { provider: "xero", headers: &[("x-xero-signature", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")], body: r#"{"events":[],"entropy":"S0m3r4nd0mt3xt"}"#, status: 401, ..ASK },
    Row { provider: "braintree", method: "GET", target: "/?bt_challenge=20f9f8ed05f77439fe955c977e4c8a53", answer: "example_public_key|92669c0aff0aa883fcc2afb882806a78197526aa", ..ASK },
    Row { provider: "qq-bot", body: r#"{"op":13,"d":{"plain_token":"Arq0D5A61EgUu4OxUvOp","event_ts":"1725442341"}}"#, answer: r#"{"plain_token":"Arq0D5A61EgUu4OxUvOp","signature":"87befc99c42c651b3aac0278e71ada338433ae26fcb24307bdc5ad38c1adc2d01bcfcadc0842edac85e85205028a1132afe09280305f13aa6909ffc2d652c706"}"#, answer_headers: JSON, ..ASK },
    Row { provider: "xero", headers: &[("x-xero-signature", "pZahRZ9oL53EUmislAyzgsPmBBG0+s2mH/acVUgrf54=")], body: r#"{"events":[],"entropy":"S0m3r4nd0mt3xt"}"#, ..ASK },
    Row { provider: "discord", headers: &[("X-Signature-Ed25519", "f9caf18f96679eeb5f8d4223a972420c80fcbcfc02f12c2d4d6d70713864fd0f223aef24a1c870661eacbb43ea9a495c4267fd0f1b20b33fdd5167e2e8482d07"), ("X-Signature-Timestamp", "1")], body: r#"{"type":1}"#, answer: r#"{"type":1}"#, answer_headers: JSON, ..ASK },
    Row { provider: "discord", headers: &[("X-Signature-Ed25519", "00"), ("X-Signature-Timestamp", "1")], body: r#"{"type":1}"#, status: 401, ..ASK },
    Row { provider: "onfleet", method: "GET", target: "/?check=abc", answer: "abc", answer_headers: TEXT, ..ASK },
    Row { provider: "front-app", headers: &[("x-front-challenge", "abc")], body: "{}", answer: "abc", answer_headers: TEXT, ..ASK },
    Row { provider: "trello", method: "HEAD", answer: "", ..ASK },
    Row { provider: "mandrill", method: "HEAD", answer: "", ..ASK },
    Row { provider: "surveymonkey", method: "HEAD", answer: "", ..ASK },
    Row { provider: "dropbox-sign", headers: &[("Content-Type", "application/x-www-form-urlencoded")], body: "json=%7B%22event%22%3A%7B%22event_hash%22%3A%22a%22%7D%7D", answer: "Hello API Event Received", answer_headers: TEXT, ..ASK },
];

fn ask(serving: &Serving, row: &Row) -> String {
    let mut request = format!("{} {} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n", row.method, row.target);
    for (name, value) in row.headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str(&format!("Content-Length: {}\r\n\r\n{}", row.body.len(), row.body));
    serving.raw(request.as_bytes())
}

fn secret_of(provider: &str) -> &'static str {
    // QQ's published example.
    if provider == "qq-bot" { "DG5g3B4j9X2KOErG" } else { SECRET }
}

fn latest(home: &Home) -> Value {
    let id = home.captures().last().unwrap()["id"].to_string();
    serde_json::from_str(&home.yes(&["show", &id, "--json"])).unwrap()
}

#[test]
fn every_handshake_is_answered_as_its_provider_wants() {
    for row in ROWS {
        let home = Home::new();
        let mut args = vec!["--quiet", "--provider", row.provider, "--secret", secret_of(row.provider)];
        if row.provider == "braintree" {
            args.extend(["--secret", "example_public_key"]);
        }
        if row.provider == "discord" {
            args[4] = "23bc54912c1e6e92c4a86825c867e27ffdc555bffbd4244f17a26abfffee965d";
        }
        let serving = home.serve(&args);
        let reply = ask(&serving, row);
        let what = row.provider;
        let (head, body) = reply.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with(&format!("HTTP/1.1 {}", row.status)), "{what}: {reply}");
        assert_eq!(body, row.answer, "{what}");
        for (name, value) in row.answer_headers {
            let line = format!("\r\n{name}: {value}");
            assert!(head.to_lowercase().contains(&line.to_lowercase()), "{what}: no {line} in {head}");
        }
        let capture = latest(&home);
        let asked = &capture["handshake"];
        assert!(!asked["about"].as_str().unwrap().is_empty(), "{what}");
        assert_eq!(asked["answer"], row.answer, "{what}");
        assert!(capture["flags"].as_array().unwrap().contains(&"handshake".into()), "{what}");
        assert_eq!(capture["reply"]["status"], row.status, "{what}");
        // What cannot be signed has not failed for that.
        let cannot = row.body.is_empty() || ["asana", "notion"].contains(&what);
        assert_eq!(capture["signature"]["verdict"] == "unsigned", cannot, "{what}: {}", capture["signature"]);
    }
}

#[test]
fn a_challenge_that_must_be_signed_is_answered_only_then() {
    let home = Home::new();
    let serving = home.serve(&["--quiet", "--provider", "twitch-eventsub", "--secret", SECRET]);
    let ask = |signature: &str| {
        let body = r#"{"challenge":"pogchamp"}"#;
        serving.raw(
            format!(
                "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTwitch-Eventsub-Message-Id: id-1\r\n\
                 Twitch-Eventsub-Message-Type: webhook_callback_verification\r\nTwitch-Eventsub-Message-Signature: \
                 sha256={signature}\r\nTwitch-Eventsub-Message-Timestamp: {}\r\nContent-Length: 24\r\n\r\n{body}",
                "2125-11-24T10:04:57Z"
            )
            .as_bytes(),
        )
    };
    // Twitch's window lets the future pass, so that this signature stays fresh.
    let right = ask("40fcc57678130e992e09b6bcbd515ff75977880d78eb72b0c6c4b07911fceb05");
    assert!(right.ends_with("\r\n\r\npogchamp"), "{right}");
    let wrong = ask(&"0".repeat(64));
    assert!(wrong.ends_with("{\"caught\":2}"), "{wrong}");
}

#[test]
fn a_handshake_can_be_left_to_the_app() {
    let home = Home::new();
    home.write("creel.toml", "[[endpoint]]\nname = 'slack'\npath = '/slack'\nprovider = 'slack'\nhandshake = false\n");
    let serving = home.serve(&["--quiet"]);
    let row = Row { target: "/slack", ..copy(&ROWS[0]) };
    assert!(ask(&serving, &row).ends_with("{\"caught\":1}"));
    assert_eq!(latest(&home)["handshake"], Value::Null);
}

#[test]
fn a_verify_token_that_is_another_is_not_answered() {
    let home = Home::new();
    home.write(
        "creel.toml",
        "[[endpoint]]\nname = 'meta'\npath = '/meta'\nprovider = 'meta'\nverify_token = { command = 'echo mine' }\n",
    );
    let serving = home.serve(&["--quiet"]);
    let with = |target| ask(&serving, &Row { target, ..copy(&ROWS[3]) });
    let right = with("/meta?hub.mode=subscribe&hub.challenge=115&hub.verify_token=mine");
    assert!(right.ends_with("\r\n\r\n115"), "{right}");
    let wrong = with("/meta?hub.mode=subscribe&hub.challenge=115&hub.verify_token=theirs");
    assert!(wrong.ends_with("{\"caught\":2}"), "{wrong}");
    let about = latest(&home)["handshake"]["about"].as_str().unwrap().to_owned();
    assert!(about.contains("not the configured verify-token") && !about.contains("mine"), "{about}");
}

#[test]
fn a_secret_that_is_handed_over_checks_what_comes_after_it() {
    let home = Home::new();
    home.write("creel.toml", "[[endpoint]]\nname = 'asana'\npath = '/asana'\nprovider = 'asana'\n");
    let serving = home.serve(&["--quiet"]);
    // HMAC-SHA256 of the body under b537.
    let headers = [("X-Hook-Signature", "59fc1ed13703dfd24f3a1a41ce80c28269ef193c528214b4df0f74ce62f38a3f")];
    serving.post("/asana", &headers, b"{\"events\":[]}");
    assert_eq!(latest(&home)["signature"]["fault"], "secret-missing");
    ask(&serving, &Row { target: "/asana", ..copy(&ROWS[9]) });
    serving.post("/asana", &headers, b"{\"events\":[]}");
    assert_eq!(latest(&home)["signature"]["verdict"], "passed");
}

#[test]
fn where_the_variable_of_a_secret_is_not_set_the_judgement_names_it() {
    let home = Home::new();
    home.write(
        "creel.toml",
        "[[endpoint]]\nname = 'asana'\npath = '/asana'\nprovider = 'asana'\nsecret = { env = 'CREEL_TEST_UNSET' }\n",
    );
    let serving = home.serve(&["--quiet"]);
    let id = serving.post("/asana", &[("X-Hook-Signature", "59fc")], b"{}");
    let kept = latest(&home)["signature"].clone();
    assert_eq!(kept["fault"], "secret-missing");
    let why = kept["explanation"]["text"].as_str().unwrap();
    assert!(why.contains("the environment variable CREEL_TEST_UNSET") && why.contains("was not set"), "{why}");
    let asked = home.run(&["verify", &id.to_string()]);
    assert!(String::from_utf8_lossy(&asked.stdout).contains("CREEL_TEST_UNSET"), "{asked:?}");
}

fn copy(row: &Row) -> Row {
    Row { ..*row }
}

#[test]
fn a_failed_check_is_explained_with_proof_where_it_is_stored() {
    let home = Home::new();
    home.write(
        "creel.toml",
        "[[endpoint]]\nname = 'one'\npath = '/one'\nprovider = 'github'\nsecret = { command = 'echo first' }\n\
         [[endpoint]]\nname = 'two'\npath = '/two'\nprovider = 'github'\nsecret = { command = 'echo second' }\n",
    );
    let serving = home.serve(&["--quiet"]);
    let id = serving.post(
        "/one",
        &[
            ("X-GitHub-Event", "push"),
            ("X-Hub-Signature-256", "sha256=2d38281c7c6e75cf9d08153bb140a7f919a0a514598fdbe913d4d622c00d4cd8"),
        ],
        b"{}",
    );
    let explanation = latest(&home)["signature"]["explanation"].clone();
    assert_eq!(explanation["by"], "secret-of-other-endpoint", "{explanation}");
    assert!(explanation["text"].as_str().unwrap().contains("the secret of endpoint `two`"), "{explanation}");
    let newline = serving.post(
        "/two",
        &[
            ("X-GitHub-Event", "push"),
            ("X-Hub-Signature-256", "sha256=2d38281c7c6e75cf9d08153bb140a7f919a0a514598fdbe913d4d622c00d4cd8"),
        ],
        b"{}\n",
    );
    let shown = home.yes(&["show", &newline.to_string()]);
    assert!(shown.contains("the body without its final newline") && shown.contains("byte 2: signed {}"), "{shown}");
    assert_eq!(home.run(&["verify", &id.to_string()]).status.code(), Some(1));
}
