//! `creel send` and `creel sign`: what is sent is what the provider would send, and every way to spoil it is seen.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeSet;

use creel::{
    record::Headers,
    verify::{Catalog, Request, Sample, Secret},
};
use serde_json::Value;
use support::{Home, port::Port};

/// A secret that is of every form: text, base64 and hex.
const SECRET: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

fn shown(home: &Home, id: i64) -> Value {
    serde_json::from_str(&home.yes(&["show", &id.to_string(), "--json"])).unwrap()
}

#[test]
fn every_sample_arrives_signed_as_its_provider_signs() {
    let home = Home::new();
    let samples: Vec<Sample> = Sample::all().collect();
    let providers: BTreeSet<_> = samples.iter().map(|sample| sample.provider).collect();
    assert!(providers.len() >= 40, "{}", providers.len());
    let endpoint = |name: &&str| {
        format!("[[endpoint]]\nname = '{name}'\npath = '/{name}'\nprovider = '{name}'\nsecret = {{ file = 's' }}\n")
    };
    let rows = providers.iter().map(endpoint).collect::<Vec<_>>().concat();
    home.write("s", SECRET);
    home.write("creel.toml", rows);
    let _serving = home.serve(&["--quiet"]);
    let mut untimed = BTreeSet::new();
    for (at, sample) in samples.iter().enumerate() {
        let what = format!("{}/{}", sample.provider, sample.event);
        let line = home.yes(&["send", &what]);
        assert!(line.starts_with(&what) && line.contains(" 200 in "), "{line}");
        let capture = shown(&home, at as i64 + 1);
        assert_eq!(capture["signature"]["verdict"], "passed", "{what}: {}", capture["signature"]);
        assert_eq!(capture["provider"], sample.provider);
        let provider = Catalog::builtin().unwrap().get(sample.provider).unwrap().json();
        let has_type = !provider["event"]["type"].as_array().unwrap().is_empty();
        assert_eq!(!capture["event"]["type"].is_null(), has_type, "{what}");
        let has_time = !provider["event"]["created_at"].as_array().unwrap().is_empty();
        if capture["event"]["created_at"].is_null() == has_time {
            untimed.insert(what);
        }
    }
    // Of these the event itself does not say when it was.
    assert_eq!(untimed, ["slack/command"].map(str::to_owned).into());
}

/// Libraries take nothing without them, or read the body only then.
#[test]
fn what_the_provider_s_own_library_asks_for_is_sent_too() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    home.write("body.json", r#"{"created":"2020-01-01T00:00:00Z"}"#);
    let to = format!("http://{}/", serving.address);
    for (provider, name, value) in [
        ("box", "Box-Signature-Version", "1"),
        ("box", "Box-Signature-Algorithm", "HmacSHA256"),
        ("shopify", "X-Shopify-Shop-Domain", "example.myshopify.com"),
        ("livekit", "Content-Type", "application/webhook+json"),
        ("twitch-eventsub", "Twitch-Eventsub-Message-Type", "notification"),
        ("stripe", "Content-Type", "application/json"),
    ] {
        home.yes(&["send", provider, "--body", "body.json", "--secret", SECRET, "--to", &to]);
        let sent = shown(&home, home.captures().len() as i64);
        let all: Vec<_> = sent["headers"].as_array().unwrap().iter().filter(|pair| pair[0] == name).collect();
        assert_eq!(all, [&serde_json::json!([name, value])], "{provider}");
    }
    let kept = ["--header", "X-Shopify-Shop-Domain: mine.example", "--secret", SECRET, "--to", &to];
    home.yes(&[&["send", "shopify", "--body", "body.json"], &kept[..]].concat());
    let sent = shown(&home, home.captures().len() as i64);
    assert_eq!(sent["headers"].to_string().matches("X-Shopify-Shop-Domain").count(), 1);
    // A moment is written as the one that stands there is.
    home.yes(&["send", "stripe", "--body", "body.json", "--secret", SECRET, "--to", &to]);
    let body = shown(&home, home.captures().len() as i64)["body"]["text"].as_str().unwrap().to_owned();
    assert!(body.starts_with(r#"{"created":"20"#) && !body.contains("2020-01-01"), "{body}");
}

#[test]
fn a_provider_in_the_place_of_a_fault_is_shown_its_own() {
    let home = Home::new();
    for (name, tip) in [
        ("github", "who sends stands first: creel send github"),
        ("githb", "who sends stands first: creel send github"),
        ("stal", "a similar value exists: 'stale'"),
    ] {
        let said = home.fails(2, &["send", "github", "--as", name]);
        assert!(said.contains(tip) && said.contains("wrong-secret, stale, tampered"), "{name}: {said}");
    }
    assert!(!home.fails(2, &["send", "github", "--as", "xyzzy-foo-bar"]).contains("creel send"));
}

#[test]
fn every_way_to_spoil_an_event_is_seen() {
    let home = Home::new();
    home.write("creel.toml", format!("[[endpoint]]\nname = 'stripe'\npath = '/stripe'\nprovider = 'stripe'\nsecret = {{ command = 'echo {SECRET}' }}\n"));
    let _serving = home.serve(&["--quiet"]);
    let mut id = 0;
    for (fault, count, verdict, named) in [
        ("wrong-secret", 1, "failed", Some("mismatch")),
        ("stale", 1, "failed", Some("stale")),
        ("tampered", 1, "failed", Some("mismatch")),
        ("unsigned", 1, "failed", Some("header-missing")),
        ("duplicate", 2, "passed", None),
        ("reordered", 2, "passed", None),
    ] {
        // Without a header nobody can tell whose it is but by the endpoint, which names its provider.
        home.yes(&["send", "stripe/invoice.paid", "--as", fault]);
        id += count;
        let capture = shown(&home, id);
        assert_eq!(capture["signature"]["verdict"], verdict, "{fault}: {capture}");
        assert_eq!(capture["signature"]["fault"], named.map_or(Value::Null, Into::into), "{fault}");
        let before = shown(&home, id - count + 1);
        assert_eq!(capture["event"]["id"] == before["event"]["id"], count == 1 || fault == "duplicate", "{fault}");
        if fault == "reordered" {
            assert!(capture["event"]["created_at"].as_str() < before["event"]["created_at"].as_str());
        }
    }
}

#[test]
fn an_event_is_sent_stale_only_where_that_is_seen() {
    let home = Home::new();
    home.write("s", SECRET);
    let providers: BTreeSet<_> = Sample::all().map(|sample| sample.provider).collect();
    let endpoint = |name: &&str| {
        format!("[[endpoint]]\nname = '{name}'\npath = '/{name}'\nprovider = '{name}'\nsecret = {{ file = 's' }}\n")
    };
    home.write("creel.toml", providers.iter().map(endpoint).collect::<String>());
    let _serving = home.serve(&["--quiet"]);
    let mut id = 0;
    let mut seen = 0;
    for provider in providers {
        let sent = home.run(&["send", provider, "--as", "stale"]);
        let said = String::from_utf8(sent.stderr).unwrap();
        if sent.status.code() == Some(2) {
            assert!(said.contains("signs no time"), "{provider}: {said}");
            continue;
        }
        id += 1;
        let signature = &shown(&home, id)["signature"];
        // Some say when they sign, and not how old that may be.
        let age = signature["age_s"].as_i64();
        assert!(signature["verdict"] == "failed" || age.is_some_and(|age| age > 3_600), "{provider}: {signature}");
        seen += usize::from(signature["fault"] == "stale");
    }
    assert!(seen >= 10, "{seen}");
}

#[test]
fn a_body_of_ones_own_is_signed_and_set() {
    let home = Home::new();
    let serving = home.serve(&["--quiet", "--provider", "github", "--secret", SECRET]);
    home.write("body.json", r#"{"a":{"b":1},"list":[{"c":2}]}"#);
    let to = format!("http://{}/deep?x=1", serving.address);
    let args = ["send", "github/star", "--body", "body.json", "--secret", SECRET, "--to", &to];
    let more = ["--set", "a.b=5", "--set", "list.0.c=text", "--set", "new.er=[true]", "--header", "X-Mine: 1"];
    home.yes(&[&args[..], &more].concat());
    let capture = shown(&home, 1);
    assert_eq!(capture["body"]["text"], r#"{"a":{"b":5},"list":[{"c":"text"}],"new":{"er":[true]}}"#);
    assert_eq!((&capture["target"], &capture["event"]["type"]), (&"/deep?x=1".into(), &"star".into()));
    assert_eq!(capture["signature"]["verdict"], "passed");
    assert!(capture["headers"].as_array().unwrap().contains(&serde_json::json!(["X-Mine", "1"])));
    home.yes(&["send", "github/push", "--secret", SECRET, "--to", &to, "--times", "3", "--rate", "500"]);
    assert_eq!(home.captures().len(), 4);
}

#[test]
fn what_cannot_be_sent_is_said_in_words() {
    let home = Home::new();
    home.write(
        "creel.toml",
        "[[endpoint]]\nname = 'shop'\npath = '/shop'\nprovider = 'stripe'\nsecret = { env = 'CREEL_TEST_UNSET' }\n",
    );
    for (args, words) in [
        (&["send", "gitub"][..], "did you mean `github`?"),
        (&["send", "github/nothing", "--secret", "x", "--to", "http://127.0.0.1:9"], "creel has no such sample"),
        (&["send", "github"], "there is no secret"),
        (&["send", "github", "--secret-env", "CREEL_TEST_UNSET"], "CREEL_TEST_UNSET: it is not set"),
        (&["send", "stripe"], "there is no secret: the environment variable CREEL_TEST_UNSET is not set"),
        (&["sign", "--provider", "svix", "--file", "/dev/null", "--secret-env", "CREEL_TEST_UNSET"], "it is not set"),
        (&["send", "github", "--secret", "x"], "no creel captures into this store"),
        (&["send", "github", "--set", "a", "--secret", "x", "--to", "http://h"], "`a` sets nothing"),
        (&["send", "github", "--as", "stale", "--secret", "x", "--to", "http://h"], "GitHub signs no time"),
        (&["send", "shopify", "--as", "stale", "--secret", "x", "--to", "http://h"], "Shopify signs no time"),
        (&["send", "wise", "--secret", "x", "--to", "http://h", "--body", "/dev/null"], "a public key"),
        (&["sign", "--provider", "github", "--file", "/dev/null"], "there is no secret"),
    ] {
        let error = home.fails(2, args);
        assert!(error.contains(words), "{args:?}: {error}");
    }
    let nobody = Port::reserved();
    let refused = home.run(&["send", "github", "--secret", "x", "--to", &nobody.url()]);
    assert_eq!(refused.status.code(), Some(1));
}

#[test]
fn sign_prints_the_headers_that_verify_takes() {
    let home = Home::new();
    home.write("body", "{\"a\":1}");
    for provider in ["github", "stripe", "svix", "slack", "twilio", "hubspot-v3", "mailgun"] {
        let json = provider == "mailgun";
        home.write(
            "body",
            if json { r#"{"signature":{"token":"t","timestamp":"1","signature":""}}"# } else { "a=1&b=2" },
        );
        let url = "https://shop.example/hook";
        let kind =
            if json { "Content-Type: application/json" } else { "Content-Type: application/x-www-form-urlencoded" };
        let common = ["--provider", provider, "--secret", SECRET, "--url", url, "--now", "1763978700"];
        let signed = home.yes(&[&["sign", "--file", "body", "--id", "msg_1", "--header", kind], &common[..]].concat());
        let (headers, body) =
            signed.split_once("\n\n").map_or((signed.trim_end(), "a=1&b=2"), |(h, b)| (h, b.trim_end()));
        home.write("request.http", format!("POST /hook HTTP/1.1\n{kind}\n{headers}\n\n{body}"));
        let verdict = home.yes(&[&["verify", "--file", "request.http", "--json"], &common[..]].concat());
        assert!(verdict.contains("\"passed\""), "{provider}: {verdict}");
    }
    let twilio = ["sign", "--file", "body", "--provider", "twilio", "--secret", SECRET];
    assert!(home.fails(2, &twilio).contains("--url URL, as the sender knows it"));
    let said = home.fails(2, &[&twilio[..], &["--url", "shop.example/hook"]].concat());
    assert!(said.contains("https://HOST/PATH"), "{said}");
}

#[test]
fn a_provider_s_file_is_judged_and_used() {
    let home = Home::new();
    let good = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/providers/github.toml")).unwrap();
    home.write("acme.toml", &good);
    assert!(home.yes(&["providers", "check", "acme.toml"]).starts_with("acme: right; "));
    home.write("acme.toml", good.replacen("sha256=", "sha257=", 1));
    assert!(home.run(&["providers", "check", "acme.toml"]).status.code() == Some(1));
    home.write("acme.toml", good.replace("hmac-sha256", "hmac-sha265"));
    let error = home.fails(2, &["providers", "check", "acme.toml"]);
    assert!(error.contains("acme.toml") && error.contains("line ") && error.contains("hmac-sha256"), "{error}");

    let own = home.path().join("config/creel/providers");
    std::fs::create_dir_all(&own).unwrap();
    std::fs::write(own.join("acme.toml"), good.replace("X-GitHub-Event", "X-Acme-Event")).unwrap();
    let run = |args: &[&str]| home.command(args).env("XDG_CONFIG_HOME", home.path().join("config")).output().unwrap();
    let listed = String::from_utf8(run(&["providers"]).stdout).unwrap();
    assert!(listed.contains("\nacme ") || listed.starts_with("acme "), "{listed}");
    std::fs::write(own.join("acme.toml"), "title = 7").unwrap();
    let broken = run(&["providers"]);
    assert_eq!(broken.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&broken.stderr).contains("acme.toml"), "{broken:?}");
}

#[test]
fn what_a_secret_of_nobody_signs_is_no_one_s() {
    let mut tried = 0;
    for provider in Catalog::builtin().unwrap().iter() {
        let example = &provider.examples()[0];
        let wrong = [provider.secret_of_nobody()];
        let request = example.request();
        let Ok(signed) = provider.sign(&request, &wrong, "") else { continue };
        let kept = request.headers.iter().filter(|header| !signed.headers.iter().any(|(name, _)| header.is(name)));
        let mut headers: Headers = kept.collect();
        signed.headers.iter().for_each(|(name, value)| headers.push(name, value));
        let body = signed.body.unwrap_or_else(|| request.body.to_vec());
        let target = signed.target.unwrap_or_else(|| request.target.to_vec());
        let sent = Request { headers: &headers, body: &body, target: &target, ..request };
        let fault = |secrets: &[Secret]| provider.judge(&sent, secrets).fault;
        assert_ne!(fault(&example.secrets()), None, "{}", provider.name());
        tried += 1;
    }
    assert!(tried > 100, "{tried} providers can sign");
}

#[test]
fn a_secret_that_was_right_for_others_is_not_blamed() {
    let home = Home::new();
    let file = "[[endpoint]]\nname = 'github'\npath = '/github'\nprovider = 'github'\nsecret = { env = 'S' }\n";
    home.write("creel.toml", file);
    let serve = |secret: &str| {
        let mut command = home.command(&["serve", "--quiet", "--listen", "127.0.0.1:0"]);
        support::Serving::start({
            command.env("S", secret);
            command
        })
    };
    let send = |args: &[&str]| {
        let mut command = home.command(&[&["send", "github/push", "--secret", SECRET], args].concat());
        assert!(command.env("S", SECRET).output().unwrap().status.success());
    };
    // A machine that has no time for a search ends it early: then it is asked for once more.
    let to_its_end = |explain: &dyn Fn() -> String| {
        std::iter::repeat_with(explain).find(|text| !text.contains("the search ended")).unwrap()
    };
    let ids = std::cell::Cell::new(0);
    let tampered = || {
        send(&["--as", "tampered"]);
        ids.set(ids.get() + 1);
        let row = home.until(&["show", &ids.get().to_string(), "--json"], |text| text.contains("candidate"));
        serde_json::from_str::<Value>(&row).unwrap()["signature"]["explanation"]["text"].as_str().unwrap().to_owned()
    };
    let verify = |secret: &str| {
        let mut command = home.command(&["verify", "1"]);
        String::from_utf8(command.env("S", secret).output().unwrap().stdout).unwrap()
    };
    let serving = serve(SECRET);
    let before = to_its_end(&tampered);
    assert!(before.contains("The secret is probably another one"), "{before}");
    send(&[]);
    ids.set(ids.get() + 1);
    let after = tampered();
    assert!(after.contains("The secret is right, as others that came here show"), "{after}");
    let again = verify(SECRET);
    assert!(again.contains("The secret is right"), "{again}");
    // Where the secret is another one by now, it is no longer said to be right.
    let other = to_its_end(&|| verify("another"));
    assert!(other.contains("probably another one"), "{other}");
    drop(serving);
}

#[test]
fn a_secret_may_begin_like_an_option() {
    let home = Home::new();
    home.write("body", "{}");
    let sign = |args: &[&str]| home.yes(&[&["sign", "--provider", "github", "--file", "body"], args].concat());
    assert_eq!(sign(&["--secret", "-----BEGIN x"]), sign(&["--secret=-----BEGIN x"]));
}
