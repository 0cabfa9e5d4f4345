//! Captures are judged again by the configuration of now, and the verdict is kept where somebody wants that.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use support::{Home, Serving};

const LAB: &str =
    "[[endpoint]]\nname = 'lab'\npath = '/lab'\nprovider = 'gitlab-token'\nsecret = { file = 'secret' }\n";

fn post(serving: &Serving, path: &str, token: &str) -> i64 {
    serving.post(path, &[("X-Gitlab-Event", "Push Hook"), ("X-Gitlab-Token", token)], b"{}")
}

fn said(home: &Home, args: &[&str]) -> (Option<i32>, String) {
    let output = home.run(args);
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

fn verdicts(home: &Home) -> Vec<String> {
    let captures = home.captures();
    captures.iter().map(|it| it["signature"]["verdict"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_wrong_secret_is_mended_and_what_failed_by_it_passes_once_somebody_asks() {
    let home = Home::new();
    home.write("creel.toml", LAB);
    home.write("secret", "pike");
    let serving = home.serve(&["--quiet"]);
    let first = post(&serving, "/lab", "trout").to_string();
    post(&serving, "/lab/b", "trout");
    let third = post(&serving, "/lab", "eel");
    assert_eq!(verdicts(&home), ["failed"; 3]);
    home.write("secret", "trout");
    assert!(home.yes(&["verify", &first]).starts_with("passed"), "it is said");
    assert_eq!(verdicts(&home), ["failed"; 3], "and nothing is changed by that");
    assert!(home.yes(&["verify", &first, "--keep"]).starts_with("passed"));
    let (code, text) = said(&home, &["verify", "--filter", "sig:failed", "--keep"]);
    assert_eq!((code, &text[..]), (Some(1), "judged again: 1 passed, 1 failed\n"));
    assert!(home.yes(&["ls", "sig:failed"]).trim_start().starts_with(&format!("{third} ")));
    let (code, text) = said(&home, &["verify", "--filter", "path:/lab/b", "--keep", "--json"]);
    assert_eq!((code, &text[..]), (Some(0), "{\"passed\":1,\"failed\":0,\"unchecked\":0,\"left\":0}\n"));
    let stats: serde_json::Value = serde_json::from_str(&home.yes(&["stats", "--json"])).unwrap();
    assert_eq!((&stats["verdicts"]["passed"], &stats["verdicts"]["failed"]), (&2.into(), &1.into()));
}

#[test]
fn a_request_that_looks_like_anothers_is_said_to() {
    let home = Home::new();
    home.write("secret", "trout");
    home.write("lab.http", "POST / HTTP/1.1\r\nX-Gitlab-Event: Push Hook\r\nX-Gitlab-Token: trout\r\n\r\n{}");
    let verify = |provider, secret: &[&str]| {
        let args = [&["verify", "--file", "lab.http", "--provider", provider], secret].concat();
        said(&home, &args).1
    };
    let meant = "But it looks like GitLab (secret token)'s: is `provider = \"gitlab-token\"` meant?";
    for provider in ["gitlab", "github"] {
        for secret in [&["--secret-file", "secret"][..], &[]] {
            let text = verify(provider, secret);
            assert!(text.contains(meant), "{provider}: {text}");
        }
    }
    assert!(!verify("gitlab-token", &[]).contains("looks like"));
    assert!(verify("gitlab-token", &["--secret-file", "secret"]).starts_with("passed"));
}

#[test]
fn what_is_another_providers_now_is_left_and_what_is_nobodys_too() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    let known = post(&serving, "/lab", "trout").to_string();
    let unknown = serving.post("/plain", &[], b"{}").to_string();
    drop(serving);
    home.write("creel.toml", "[[endpoint]]\nname = 'lab'\npath = '/lab'\nprovider = 'github'\n");
    for id in [known, unknown] {
        let (code, text) = said(&home, &["verify", &id, "--keep"]);
        assert_eq!((code, &text[..]), (Some(1), "judged again: 1 left alone\n"), "{id}");
    }
    let none = said(&home, &["verify", "--filter", "path:/nowhere", "--keep"]);
    assert_eq!(none, (Some(1), "judged again: nothing\n".to_owned()));
    // A secret that is not there says nothing against what one has said.
    home.write("creel.toml", LAB);
    home.write("secret", "trout");
    assert!(home.yes(&["verify", "1", "--keep"]).starts_with("passed"));
    home.write("creel.toml", "");
    assert_eq!(said(&home, &["verify", "1", "--keep"]), (Some(1), "judged again: 1 unchecked\n".to_owned()));
    assert_eq!(verdicts(&home)[0], "passed");
    assert!(home.fails(2, &["verify", "99", "--keep"]).contains("99"));
    assert!(home.fails(2, &["verify", "--filter", "sig:failed"]).contains("--keep"));
    assert!(home.fails(2, &["verify", "1", "--keep", "--secret", "trout"]).contains("--keep"));
}

#[test]
fn a_provider_that_is_known_since_says_whose_it_was_and_of_what_event() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    let spawn = |id: &str| {
        let body = format!("{{\"id\":\"{id}\",\"kind\":\"spawned\",\"why\":\"spring\"}}");
        serving.post("/mine", &[("X-Mine", "trout")], body.as_bytes())
    };
    let first = spawn("a").to_string();
    spawn("b");
    spawn("a");
    assert!(home.captures().iter().all(|it| it["provider"].is_null() && it["marks"].as_array().unwrap().is_empty()));
    let (_, text) = said(&home, &["verify", &first, "--keep"]);
    assert_eq!(text, "judged again: 1 left alone\n", "nobody knows it yet");
    let own = |kind: &str| {
        let folder = home.path().join(".config/creel/providers");
        std::fs::create_dir_all(&folder).unwrap();
        let text = format!(
            "title = 'Mine'\ndocs = ''\nconfidence = 'low'\n[[detect]]\nwith = ['X-Mine']\n[event]\nid = ['json:id']\n\
             type = ['json:{kind}']\n[[scheme]]\nalgorithm = 'token'\nencoding = 'text'\nsignature = {{ in = ['header:X-Mine'] }}\n"
        );
        std::fs::write(folder.join("mine.toml"), text).unwrap();
    };
    own("kind");
    home.write("secret", "trout");
    home.write("creel.toml", "[[endpoint]]\nname = 'mine'\npath = '/mine'\nsecret = { file = 'secret' }\n");
    let (code, text) = said(&home, &["verify", "--filter", "path:/mine", "--keep"]);
    assert_eq!((code, &text[..]), (Some(0), "judged again: 3 passed\n"));
    let listed = |filter: &str| {
        let ids = home.run(&["ls", filter, "--json"]).stdout;
        let rows = String::from_utf8(ids).unwrap();
        rows.lines()
            .map(|row| serde_json::from_str::<serde_json::Value>(row).unwrap()["id"].as_i64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(listed("provider:mine event:spawned event.id=a"), [3, 1]);
    assert_eq!(home.captures()[2]["duplicate_of"], 1);
    assert_eq!(home.captures()[2]["endpoint"], "default", "it came to what it came to");
    // What the file says later it says of them, too, and the verdict is the same.
    own("why");
    assert!(home.yes(&["verify", &first, "--keep"]).starts_with("passed"));
    assert_eq!(listed("event:spring"), [1]);
    assert_eq!(home.captures()[2]["duplicate_of"], serde_json::Value::Null, "the first is of another event now");
}
