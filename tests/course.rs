//! How a capture stands among the others: which delivery of its event it is, whether it is a retry, out of order, stale.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;
use support::{Home, Serving, port::Port};

/// Each delivery is signed anew, as by a sender that tries again.
fn post(serving: &Serving, path: &str, id: &str, created: i64) -> i64 {
    static SIGNED: AtomicU32 = AtomicU32::new(1);
    let signature = format!("t={},v1=00", SIGNED.fetch_add(1, Ordering::Relaxed));
    let body = format!(r#"{{"id":"{id}","type":"charge.succeeded","created":{created}}}"#);
    serving.post(path, &[("Stripe-Signature", &signature)], body.as_bytes())
}

fn shown(home: &Home, id: i64) -> Value {
    serde_json::from_str(&home.yes(&["show", &id.to_string(), "--json"])).unwrap()
}

fn marks(home: &Home, id: i64) -> Vec<String> {
    serde_json::from_value(shown(home, id)["marks"].clone()).unwrap()
}

fn config(home: &Home) {
    home.write(
        "creel.toml",
        "[[endpoint]]\nname = 'good'\npath = '/good'\nprovider = 'stripe'\n\
         [[endpoint]]\nname = 'bad'\npath = '/bad'\nprovider = 'stripe'\nrespond = { status = 500 }\n",
    );
}

/// A call has one id and an event of each type; a subscription has one, and notifications at many times.
#[test]
fn what_an_event_is_about_does_not_make_another_one_its_repeat() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    let call = |event: &str| {
        let body = format!(r#"{{"event":"{event}","call":{{"call_id":"c1"}}}}"#);
        serving.post("/retell", &[("x-retell-signature", "v=1763978697000,d=00")], body.as_bytes())
    };
    let (_, ended, again) = (call("call_started"), call("call_ended"), call("call_ended"));
    assert_eq!(shown(&home, ended)["duplicate_of"], Value::Null);
    assert_eq!(shown(&home, again)["duplicate_of"], ended);
    let table = |at: &str| {
        let body = format!(r#"{{"base":{{"id":"app1"}},"webhook":{{"id":"ach1"}},"timestamp":"{at}"}}"#);
        serving.post("/airtable", &[("X-Airtable-Content-MAC", "hmac-sha256=00")], body.as_bytes())
    };
    let (first, later) = (table("2026-11-24T10:04:57.000Z"), table("2026-11-24T10:05:00.000Z"));
    assert_eq!(shown(&home, first)["event"]["id"], "ach1/2026-11-24T10:04:57.000Z");
    assert_eq!(shown(&home, later)["duplicate_of"], Value::Null);
    // A store that was closed and opened again tells them apart, too.
    drop(serving);
    let serving = home.serve(&["--quiet"]);
    let body = br#"{"event":"call_started","call":{"call_id":"c1"}}"#;
    let started = serving.post("/retell", &[("x-retell-signature", "v=1763978697000,d=00")], body);
    assert_eq!(shown(&home, started)["duplicate_of"], 1);
}

#[test]
fn a_repeat_is_counted_and_a_failed_one_makes_it_a_retry() {
    let home = Home::new();
    config(&home);
    let serving = home.serve(&["--quiet"]);
    let first = post(&serving, "/good", "evt_1", 100);
    let second = post(&serving, "/good", "evt_1", 100);
    assert_eq!((&shown(&home, first)["attempt"], &shown(&home, first)["gap_ms"]), (&1.into(), &Value::Null));
    let capture = shown(&home, second);
    assert_eq!((&capture["attempt"], &capture["duplicate_of"]), (&2.into(), &first.into()));
    assert!(capture["gap_ms"].as_i64().unwrap() >= 0);
    assert_eq!(marks(&home, second), ["duplicate"], "creel answered the first with success");

    // A store that was closed and opened again counts on.
    drop(serving);
    let serving = home.serve(&["--quiet"]);
    let third = post(&serving, "/good", "evt_1", 100);
    assert_eq!(shown(&home, third)["attempt"], 3);

    let failed = post(&serving, "/bad", "evt_2", 100);
    let again = post(&serving, "/bad", "evt_2", 100);
    assert_eq!((marks(&home, failed).len(), marks(&home, again)), (0, vec!["duplicate".into(), "retry".into()]));
    for (filter, ids) in [
        ("mark:retry", vec![again]),
        ("attempt>2", vec![third]),
        ("attempt:1", vec![failed, first]),
        ("mark:duplicate gap<1h", vec![again, third, second]),
    ] {
        let args = [&["ls", "--json"][..], &filter.split(' ').collect::<Vec<_>>()].concat();
        let listed = home.yes(&args);
        let found: Vec<i64> =
            listed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_i64().unwrap()).collect();
        assert_eq!(found, ids, "{filter}");
    }
    assert!(home.yes(&["ls", "mark:retry"]).contains("retry 2 of #4, "), "{}", home.yes(&["ls"]));
    assert!(home.yes(&["show", &third.to_string()]).contains("delivery 3 of the event of #1, "));
}

#[test]
fn an_app_that_failed_makes_the_next_delivery_a_retry() {
    let home = Home::new();
    config(&home);
    let serving = home.serve(&["--quiet"]);
    let first = post(&serving, "/good", "evt_1", 100);
    let nobody = Port::reserved();
    let refused = home.run(&["resend", &first.to_string(), "--to", &nobody.url()]);
    assert_eq!(refused.status.code(), Some(1));
    let again = post(&serving, "/good", "evt_1", 100);
    assert_eq!(marks(&home, again), ["duplicate", "retry"]);
}

#[test]
fn an_event_older_than_one_before_it_is_out_of_order() {
    let home = Home::new();
    config(&home);
    let serving = home.serve(&["--quiet"]);
    let newer = post(&serving, "/good", "evt_2", 1_000);
    let older = post(&serving, "/good", "evt_1", 995);
    assert!(marks(&home, newer).is_empty());
    assert_eq!((marks(&home, older), &shown(&home, older)["late_ms"]), (vec!["out-of-order".into()], &5_000.into()));
    let elsewhere = post(&serving, "/bad", "evt_3", 10);
    assert!(marks(&home, elsewhere).is_empty(), "each endpoint has an order of its own");
    drop(serving);
    let serving = home.serve(&["--quiet"]);
    let late = post(&serving, "/good", "evt_4", 999);
    assert_eq!(marks(&home, late), ["out-of-order"], "what came before the start counts");
    assert!(home.yes(&["show", &late.to_string()]).contains("out of order: it happened 1.0 s before"));
    let repeat = post(&serving, "/good", "evt_1", 995);
    assert_eq!(marks(&home, repeat), ["duplicate"], "a repeat is not late");
}

#[test]
fn a_delivery_that_is_played_back_is_no_retry() {
    let home = Home::new();
    config(&home);
    let serving = home.serve(&["--quiet"]);
    let signed = |time: i64| ("Stripe-Signature", format!("t={time},v1={}", "0".repeat(64)));
    let post = |(name, value): (&str, String)| serving.post("/good", &[(name, &value)], b"{\"id\":\"evt_1\"}");
    let first = post(signed(1));
    let again = post(signed(2));
    let replayed = post(signed(2));
    assert_eq!((marks(&home, first).len(), marks(&home, again)), (0, vec!["duplicate".into()]));
    assert_eq!(marks(&home, replayed), ["duplicate", "replayed"]);
    assert!(home.yes(&["ls", "mark:replayed"]).contains("replay 3 of #1, "));
}

#[test]
fn the_tries_at_an_event_are_shown_beside_the_schedule_that_its_provider_publishes() {
    let home = Home::new();
    home.write(
        "creel.toml",
        "[[endpoint]]\nname = 'svix'\npath = '/svix'\nprovider = 'svix'\nrespond = { status = 503 }\n",
    );
    let serving = home.serve(&["--quiet"]);
    let headers = [("svix-id", "msg \"1\\"), ("svix-timestamp", "1"), ("svix-signature", "v1,AA==")];
    let first = serving.post("/svix", &headers, b"{}");
    let alone = home.yes(&["show", &first.to_string()]);
    assert!(!alone.contains("try 1"), "one try is none to compare: {alone}");
    let second = serving.post("/svix", &headers, b"{}");
    for id in [first, second] {
        let said = home.yes(&["show", &id.to_string()]);
        for words in
            ["tries      published", "7 retries, after 5 s, 5 min", "try 1", "try 2", "sooner than published (5.0 s)"]
        {
            assert!(said.contains(words), "{words}: {said}");
        }
        assert!(said.contains("5 min after the last, as published"), "it was answered 503: {said}");
    }
}
