//! `creel check` reads a configuration as a start would, and starts nothing.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use support::Home;

const CREEL_TOML: &str = r#"
listen = "127.0.0.1:1"
[[target]]
name = "staging"
url = "https://staging.example/hooks"
[[endpoint]]
name = "shop"
path = "/shop"
provider = "stripe"
secret = [{ command = "echo s3cret" }, { env = "CREEL_TEST_NOT_SET" }]
strict = true
respond = { status = 202 }
[[endpoint.forward]]
to = "staging"
when = "sig:passed"
answer = "proxy"
order = "kept"
transform = ".a = 1"
[[endpoint]]
name = "plain"
path = "/plain"
forward = "http://localhost:3000"
guard = { methods = ["POST"] }
[[alert]]
when = "sig:failed"
run = "true"
[[alert]]
when = "endpoint:shop"
absent = "1h"
[metrics]
listen = "9464"
[keep]
captures = 5
"#;

#[test]
fn it_says_what_is_read_and_what_is_missing_and_no_secret() {
    let home = Home::new();
    home.write("creel.toml", CREEL_TOML);
    let output = home.run(&["check"]);
    let (text, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(1), "a variable is not set: {said}");
    for line in [
        "read      creel.toml",
        "listens   http://127.0.0.1:1",
        "endpoint  shop at /shop: stripe; 1 secret; strict; answers 202; forwards `sig:passed` to staging, proxied, in order, by jq",
        "endpoint  plain at /plain: whoever the headers tell; no secret; guarded; r resends to http://localhost:3000",
        "target    staging: https://staging.example/hooks",
        "alert     at `sig:failed`, every 60 s at most; runs true",
        "alert     where nothing comes for 60 min of `endpoint:shop`",
        "metrics   127.0.0.1:9464",
    ] {
        assert!(text.lines().any(|it| it == line), "{line}\n{text}");
    }
    assert!(text.contains("keep      forgets the oldest over 5 captures"), "{text}");
    assert!(said.contains("CREEL_TEST_NOT_SET is not set") && !text.contains("s3cret"), "{said}");
    assert!(!home.db().exists(), "nothing is started");
    let json: serde_json::Value = serde_json::from_slice(&home.run(&["check", "--json"]).stdout).unwrap();
    assert_eq!((&json["files"][0], json["rows"][0]["what"].as_str()), (&"creel.toml".into(), Some("listens")));
    assert_eq!(json["notices"].as_array().unwrap().len(), 1);
}

#[test]
fn a_mistake_is_an_error_with_its_place_and_nothing_to_read_is_none() {
    let home = Home::new();
    assert!(home.yes(&["check"]).starts_with("read      no creel.toml here"));
    home.write(
        "creel.toml",
        "[[endpoint]]\nname = 'a'\npath = '/a'\n[[endpoint.forward]]\nto = 'http://h'\ntransform = '.a ='",
    );
    let said = home.fails(2, &["check"]);
    assert!(said.contains("creel.toml:6:13"), "{said}");
}

#[test]
fn what_only_a_start_would_meet_is_found_too() {
    let home = Home::new();
    let endpoint = "[[endpoint]]\nname = 'a'\npath = '/a'\n";
    let forward = format!("{endpoint}[[endpoint.forward]]\nto = 'http://h'\n");
    for (text, code, words) in [
        ("[tls]\ncert = 'no.pem'\nkey = 'no.pem'", 2, "reading no.pem: No such file"),
        ("[keys]\ndwn = 'j'", 2, "creel.toml:2:1: there is no command `dwn`"),
        ("[keys]\ndown = 'ctl-j'", 2, "creel.toml:2:8: `ctl-j` is no key"),
        ("theme = 'drak'", 1, "there is no theme `drak`; there are dark"),
        ("listen = 'nowhere'", 2, "creel.toml:1:10: `nowhere`: it is not ADDR:PORT"),
        ("listen = '9464'\n[metrics]\nlisten = '9464'", 2, "127.0.0.1:9464 is where webhooks come in"),
        ("[alert]\nwhen = 'x'", 2, "there may be several of it: write [[alert]]"),
        (&format!("{endpoint}secret = {{ file = 'none' }}"), 2, "creel.toml:4:10: reading a secret from the file none"),
        (&format!("{endpoint}secret = [{{ command = 'exit 3' }}]"), 2, "creel.toml:4:10: reading a secret from"),
        (&format!("{endpoint}[[endpoint.forward]]\nto = 'stagin'"), 2, "creel.toml:5:6: sending to `stagin`"),
        (&format!("{forward}answer = 'prxy'"), 2, "creel.toml:6:10: unknown variant `prxy`"),
        (&format!("{forward}retry = 'provder'"), 2, "creel.toml:6:9: `retry` is"),
        (&format!("{forward}retry = ['5s', 'soon']"), 2, "creel.toml:6:16: `soon` is no time"),
    ] {
        home.write("creel.toml", text);
        let said = home.fails(code, &["check"]);
        assert!(said.contains(words), "{text}\n→ {said}");
    }
}

#[test]
fn a_home_that_is_no_folder_holds_no_configuration() {
    let home = Home::new();
    let output = home.command(&["check"]).env("HOME", "/dev/null").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("read      no creel.toml here"));
}
