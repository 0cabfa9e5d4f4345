//! Guards at the door: who may not come in is told so, counted and listed, and nothing of it is caught.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    io::{Read, Write},
    time::Duration,
};

use serde_json::Value;
use support::{Home, Serving};

fn home(guard: &str) -> Home {
    let home = Home::new();
    home.write(
        "creel.toml",
        format!(
            "trusted_proxies = ['127.0.0.1']\n[[endpoint]]\nname = 'open'\npath = '/open'\n\
             [[endpoint]]\nname = 'shut'\npath = '/shut'\nguard = {{ {guard} }}\n"
        ),
    );
    home
}

fn ask(serving: &Serving, method: &str, target: &str, lines: &str) -> String {
    serving.raw(format!("{method} {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{lines}\r\n").as_bytes())
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
}

fn refused(home: &Home) -> Vec<Value> {
    let output = home.run(&["refused", "--json", "-n", "0"]);
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn who_may_not_come_in_is_told_why_and_listed() {
    const KEYS: &str = "token = { command = 'echo t0ken' }, basic = { user = 'u', password = { command = 'echo p' } }, \
        header = { name = 'X-Api-Key', value = { command = 'echo k3y' } }";
    for (guard, method, target, lines, expected, reason) in [
        (KEYS, "POST", "/shut", "", 401, "shut: no key was shown"),
        (KEYS, "POST", "/shut", "Authorization: Bearer other\r\n", 401, "shut: the key that was shown is wrong"),
        (KEYS, "POST", "/shut/below", "X-Api-Key: other\r\n", 401, "shut: the key that was shown is wrong"),
        (KEYS, "POST", "/shut?token=other", "", 401, "shut: the key that was shown is wrong"),
        (KEYS, "POST", "/shut?token=t0ken", "", 200, ""),
        (KEYS, "POST", "/shut?token=t0ken", "Authorization: Bearer other\r\n", 200, ""),
        (KEYS, "POST", "/shut", "Authorization: Bearer t0ken\r\n", 200, ""),
        (KEYS, "POST", "/shut", "Authorization: Basic dTpw\r\n", 200, ""),
        (KEYS, "POST", "/shut", "X-Api-Key: k3y\r\n", 200, ""),
        (KEYS, "POST", "/open", "", 200, ""),
        (
            "token = { env = 'CREEL_TEST_NO_SUCH_VARIABLE' }",
            "GET",
            "/shut?token=",
            "",
            401,
            "shut: the key that was shown is wrong",
        ),
        ("methods = ['POST']", "GET", "/shut", "", 405, "shut: this method is not among the allowed ones"),
        ("methods = ['POST']", "POST", "/shut", "", 200, ""),
        (
            "allow = ['192.0.2.0/24']",
            "POST",
            "/shut",
            "",
            403,
            "shut: the address 127.0.0.1 is not among the allowed ones",
        ),
        ("allow = ['192.0.2.0/24']", "POST", "/shut", "X-Forwarded-For: 192.0.2.7\r\n", 200, ""),
        (
            "allow = ['192.0.2.0/24']",
            "POST",
            "/shut",
            "X-Forwarded-For: 192.0.2.7, 198.51.100.1\r\n",
            403,
            "shut: the address 198.51.100.1 is not among the allowed ones",
        ),
        ("allow = ['github']", "POST", "/shut", "X-Forwarded-For: 140.82.115.9\r\n", 200, ""),
        (
            "allow = ['stripe', 'telegram']",
            "POST",
            "/shut",
            "Forwarded: for=140.82.115.9\r\n",
            403,
            "shut: the address 140.82.115.9 is not among the allowed ones",
        ),
        ("deny = ['127.0.0.0/8']", "POST", "/shut", "", 403, "shut: the address 127.0.0.1 is denied"),
        ("deny = ['192.0.2.7']", "POST", "/shut", "", 200, ""),
    ] {
        let home = home(guard);
        let serving = home.serve(&["--quiet"]);
        let answer = ask(&serving, method, target, lines);
        let what = format!("{guard} {method} {target} {lines}");
        assert_eq!(status(&answer), expected, "{what}: {answer}");
        // What was refused is on the disk once another request is answered.
        ask(&serving, "POST", "/open", "");
        let caught = home.captures().len();
        let list = refused(&home);
        if expected == 200 {
            assert_eq!((caught, list.len()), (2, 0), "{what}");
        } else {
            assert_eq!((caught, list.len()), (1, 1), "{what}");
            assert_eq!((&list[0]["status"], &list[0]["reason"]), (&expected.into(), &reason.into()), "{what}");
            let text = home.yes(&["refused", "--heads"]);
            assert!(text.contains(reason) && !text.contains("other"), "keys are masked: {text}");
        }
    }
}

#[test]
fn an_answer_says_what_would_help() {
    let guard = "token = { command = 'echo t' }, basic = { user = 'u', password = { command = 'echo p' } }";
    let answer = ask(&home(guard).serve(&["--quiet"]), "GET", "/shut", "").to_lowercase();
    assert!(answer.contains("www-authenticate: bearer") && answer.contains("www-authenticate: basic"), "{answer}");
    let answer = ask(&home("methods = ['POST', 'PUT']").serve(&["--quiet"]), "GET", "/shut", "").to_lowercase();
    assert!(answer.contains("allow: post, put\r\n"), "{answer}");
}

#[test]
fn a_body_is_not_read_before_its_head_was_let_in() {
    let home = home("token = { command = 'echo t' }");
    let serving = home.serve(&["--quiet"]);
    let mut stream = serving.connect();
    // No byte of the body is ever sent: the answer does not wait for one.
    stream.write_all(b"POST /shut HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n").unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 401");
}

#[test]
fn a_body_over_the_endpoint_s_own_limit_is_cut() {
    let home = home("body_kib = 1");
    let serving = home.serve(&["--quiet"]);
    let send = |target: &str, size: usize| {
        let head = format!("POST {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n");
        status(&serving.raw(&[head.into_bytes(), vec![b'x'; size]].concat()))
    };
    assert_eq!([send("/shut", 1_024), send("/shut", 1_025), send("/open", 1_025)], [200, 413, 200]);
}

#[test]
fn too_many_are_told_when_to_come_again() {
    let home = home("rate_per_address = { per_minute = 1, burst = 2 }, rate = { per_minute = 2, burst = 3 }");
    let serving = home.serve(&["--quiet"]);
    let from = |address: &str| ask(&serving, "POST", "/shut", &format!("X-Forwarded-For: {address}\r\n"));
    let statuses =
        ["192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|address| status(&from(address)));
    assert_eq!(statuses, [200, 200, 429, 200, 429]);
    let answer = from("192.0.2.1").to_lowercase();
    let wait: u64 = answer.split("retry-after: ").nth(1).unwrap().split('\r').next().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{answer}");
    ask(&serving, "POST", "/open", "");
    let reasons: Vec<_> = refused(&home).iter().map(|row| row["reason"].as_str().unwrap().to_owned()).collect();
    assert_eq!(reasons.len(), 3, "{reasons:?}");
    assert!(
        reasons[1].contains("too many requests for this endpoint") && reasons[2].contains("192.0.2.1 sends too often")
    );
}

#[test]
fn who_shows_no_key_uses_up_nothing_of_what_all_share() {
    let home = home("token = { command = 'echo t' }, methods = ['POST'], rate = { per_minute = 1, burst = 1 }");
    let serving = home.serve(&["--quiet"]);
    let with =
        |method: &str, key: &str| status(&ask(&serving, method, "/shut", &format!("Authorization: Bearer {key}\r\n")));
    let statuses = [with("POST", "x"), with("GET", "t"), with("POST", "x"), with("POST", "t"), with("POST", "t")];
    assert_eq!(statuses, [401, 405, 401, 200, 429]);
}

#[test]
fn a_strict_endpoint_answers_401_to_what_does_not_pass_and_keeps_it() {
    let home = Home::new();
    home.write(
        "creel.toml",
        "[[endpoint]]\nname = 'a'\npath = '/a'\nprovider = 'github'\nsecret = { command = 'echo first' }\nstrict = true\n",
    );
    let serving = home.serve(&["--quiet"]);
    let with = |signature: &str| {
        let lines = format!("X-GitHub-Event: push\r\n{signature}Content-Length: 2\r\n\r\n{{}}");
        status(&serving.raw(format!("POST /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{lines}").as_bytes()))
    };
    assert_eq!([with(""), with("X-Hub-Signature-256: sha256=00\r\n")], [401, 401]);
    assert_eq!(home.captures().len(), 2, "all are kept");
    let sent = home.run(&["send", "github/push", "--to", &format!("http://{}/a", serving.address), "--json"]);
    assert_eq!(serde_json::from_slice::<Value>(&sent.stdout).unwrap()["status"], 200);
}

#[test]
fn a_guard_that_cannot_be_meant_is_refused_with_its_place() {
    for (guard, place, word) in [
        ("allow = ['10.0.0.0/33']", "creel.toml:8:20", "no address and no network"),
        ("allow = ['githbu']", "creel.toml:8:20", "did you mean `github`"),
        ("allow = ['slack']", "creel.toml:8:20", "publishes no addresses"),
        ("methods = ['post']", "creel.toml:8:22", "written like POST"),
        ("methods = []", "creel.toml:8:21", "an empty list lets nobody in"),
        ("allow = []", "creel.toml:8:19", "an empty list lets nobody in"),
        ("allow = '192.0.2.1'", "creel.toml:8:19", "expected a list: [ … ]"),
        ("rate = 600", "creel.toml:8:18", "expected { per_minute = 600 }, or with burst"),
        ("header = { name = 'X Y', value = { env = 'X' } }", "creel.toml:8:29", "no header has the name `X Y`"),
        ("rate = { per_minute = 0 }", "creel.toml:8:33", "lets nobody in"),
        ("tokn = { env = 'X' }", "creel.toml:8:", "did you mean `token`"),
        ("basic = { user = 'a:b', password = { env = 'X' } }", "creel.toml:8:28", "no colon"),
    ] {
        let said = home(guard).fails(2, &["serve", "--listen", "0"]);
        assert!(said.contains(place) && said.contains(word), "{guard}: {said}");
    }
    let home = Home::new();
    home.write("creel.toml", "trusted_proxies = ['here']\n");
    assert!(home.fails(2, &["serve", "--listen", "0"]).contains("creel.toml:1:20"));
}

#[test]
fn who_sent_something_by_a_trusted_proxy_is_shown_found_and_exported() {
    let home = home("allow = ['203.0.113.9']");
    let serving = home.serve(&["--quiet"]);
    for (lines, senders) in [
        ("", &[][..]),
        ("X-Forwarded-For: 192.0.2.1, 203.0.113.9\r\n", &["203.0.113.9"]),
        ("Forwarded: for=\"[2001:db8::1]:4711\"\r\n", &["2001:db8::1"]),
        ("X-Forwarded-For: 203.0.113.9\r\nForwarded: for=192.0.2.7\r\n", &["203.0.113.9", "192.0.2.7"]),
        ("X-Forwarded-For: unknown\r\n", &[]),
    ] {
        assert_eq!(status(&ask(&serving, "GET", "/open", lines)), 200);
        let capture = home.captures().pop().unwrap();
        assert_eq!(capture["forwarded_for"], serde_json::json!(senders), "{lines}");
        assert!(capture["peer"].as_str().unwrap().starts_with("127.0.0.1:"), "{capture}");
    }
    assert!(home.yes(&["show", "2"]).contains(" from 203.0.113.9 via 127.0.0.1:"));
    assert_eq!(home.yes(&["ls", "ip:203.0.113.9"]).lines().count(), 2);
    assert_eq!(home.yes(&["ls", "ip:127.0.0.1"]).lines().count(), 5);

    let other = Home::new();
    other.write("all.jsonl", home.yes(&["export"]));
    other.yes(&["import", "all.jsonl"]);
    assert_eq!(other.captures()[3]["forwarded_for"], serde_json::json!(["203.0.113.9", "192.0.2.7"]));

    assert_eq!(status(&ask(&serving, "GET", "/shut", "X-Forwarded-For: 192.0.2.66\r\n")), 403);
    assert!(home.until(&["refused"], |rows| !rows.is_empty()).contains("192.0.2.66 via 127.0.0.1:"));
    let row = refused(&home).pop().unwrap();
    assert_eq!(row["forwarded_for"], serde_json::json!(["192.0.2.66"]));
    assert!(row["peer"].as_str().unwrap().starts_with("127.0.0.1:"), "{row}");

    // Whom nobody trusts is not believed.
    home.write("creel.toml", "");
    serving.stop();
    let serving = home.serve(&["--quiet"]);
    ask(&serving, "GET", "/open", "X-Forwarded-For: 203.0.113.9\r\n");
    assert_eq!(home.captures().pop().unwrap()["forwarded_for"], serde_json::json!([]));
}

#[test]
fn the_page_of_a_web_site_is_let_in_by_nothing_and_reads_nothing() {
    let home = home("");
    let serving = home.serve(&["--quiet"]);
    for (method, lines) in [
        ("OPTIONS", "Origin: https://evil.example\r\nAccess-Control-Request-Method: POST\r\n"),
        ("POST", "Origin: https://evil.example\r\nContent-Length: 0\r\n"),
        ("GET", "Sec-Fetch-Site: cross-site\r\n"),
    ] {
        let answer = ask(&serving, method, "/open", lines).to_lowercase();
        assert!(!answer.contains("access-control-"), "{answer}");
        assert_eq!(home.captures().pop().unwrap()["flags"][0], "from-web-page", "{method}");
    }
}
