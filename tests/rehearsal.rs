//! A rehearsal: captures become files, files are played to an app, and its replies are held against what was expected.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    process::Stdio,
    time::{Duration, Instant},
};

use support::{Home, app::App, port::Port};

/// An app that tells what it gets, and says `{"ok":true}`, but to `/bad` that something is wrong.
fn app() -> App {
    App::start(|_, got| {
        let is_bad = got.starts_with("POST /bad");
        let (status, body) = if is_bad { ("500 No", "<oh \"no\">") } else { ("200 OK", "{\"ok\":true}") };
        Some(format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
    })
}

fn paths(app: &App, count: usize) -> Vec<String> {
    (0..count).map(|_| app.path()).collect()
}

/// A home with a rehearsal of three in `shop`.
fn rehearsed() -> Home {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    serving.post("/a", &[("X-Dup", "1"), ("x-dup", "2"), ("Authorization", "Bearer hunter2")], b"\x00\xff\r\n");
    serving.post("/b", &[], b"{\"n\":1}");
    serving.post("/c", &[], b"");
    serving.post("/other", &[], b"");
    let said = home.shares(&["rehearse", "path:/a or path:/b or path:/c", "--out", "shop"]);
    assert!(said.starts_with("3 written"), "{said}");
    home
}

#[test]
fn captures_become_files_and_arrive_as_they_came() {
    let home = rehearsed();
    let mut names: Vec<_> =
        fs::read_dir(home.path().join("shop")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["001.http", "002.http", "003.http", "scenario.toml"]);
    let mode = |name: &str| fs::metadata(home.path().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(["shop", "shop/001.http", "shop/scenario.toml"].map(mode), [0o700, 0o600, 0o600]);
    let first = fs::read(home.path().join("shop/001.http")).unwrap();
    let text = String::from_utf8_lossy(&first);
    assert!(first.ends_with(b"\r\n\r\n\x00\xff\r\n") && text.contains("X-Dup: 1\r\nx-dup: 2\r\n"), "{text}");
    assert!(!text.contains("hunter2") && text.contains("Authorization: ******"), "{text}");
    let app = app();
    let said = home.yes(&["play", "shop", "--to", &app.url, "--speed", "0"]);
    assert!(said.contains("3 played, 3 as expected, 0 not"), "{said}");
    let got = app.bytes();
    assert!(got.ends_with(b"\r\n\r\n\x00\xff\r\n"));
    let head = String::from_utf8_lossy(&got).into_owned();
    assert!(
        head.starts_with("POST /a HTTP/1.1\r\nHost: 127.0.0.1:") && head.contains("X-Dup: 1\r\nx-dup: 2\r\n"),
        "{head}"
    );
    assert!(home.fails(2, &["rehearse", "path:/a", "--out", "shop"]).contains("name a folder that is not there yet"));
    fs::create_dir(home.path().join("again.part")).unwrap();
    let said = home.fails(2, &["rehearse", "path:/a", "--out", "again"]);
    assert!(said.contains("writing again.part: ") && said.contains("one that was stopped has left it"), "{said}");
    assert_eq!(home.run(&["rehearse", "path:/none", "--out", "none"]).status.code(), Some(1));
}

#[test]
fn they_are_played_backwards_doubled_shuffled_and_in_their_own_rhythm() {
    let home = rehearsed();
    let app = app();
    let play = |args: &[&str]| home.yes(&[&["play", "shop", "--to", &app.url], args].concat());
    play(&["--speed", "0", "--reverse"]);
    assert_eq!(paths(&app, 3), ["/c", "/b", "/a"]);
    play(&["--speed", "0", "--double"]);
    assert_eq!(paths(&app, 6), ["/a", "/a", "/b", "/b", "/c", "/c"]);
    play(&["--speed", "0", "--shuffle", "--seed", "3"]);
    let shuffled = paths(&app, 3);
    play(&["--speed", "0", "--shuffle", "--seed", "3"]);
    assert_eq!(paths(&app, 3), shuffled);
    let scenario = home.path().join("shop/scenario.toml");
    let text = fs::read_to_string(&scenario).unwrap();
    let gaps = text.lines().map(|line| if line.starts_with("gap_ms") { "gap_ms = 1000" } else { line });
    fs::write(&scenario, gaps.collect::<Vec<_>>().join("\n")).unwrap();
    let began = Instant::now();
    play(&["--speed", "10"]);
    assert!((300..1_500).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
}

#[test]
fn replies_are_held_against_what_is_expected() {
    let home = rehearsed();
    let scenario = home.path().join("shop/scenario.toml");
    let expected = "[[step]]\nfile = '001.http'\nexpect = { status = 200, json = { '/ok' = true }, jq = '.ok == true' }\n\
        [[step]]\nfile = '002.http'\nevent = 'a<b>'\nexpect = { body_contains = 'nothing', jq = '.ok | not' }\n";
    fs::write(&scenario, expected).unwrap();
    let app = app();
    let output = home.run(&["play", "shop", "--to", &app.url, "--speed", "0", "--junit", "junit.xml"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("✓ 001.http POST /a") && said.contains("✗ 002.http POST /b a<b>"), "{said}");
    assert!(said.contains("there is no `nothing` in the body") && said.contains("`.ok | not` gives false"), "{said}");
    let results = home.path().join("junit.xml");
    assert_eq!(fs::metadata(&results).unwrap().permissions().mode() & 0o777, 0o600, "replies stand in it");
    let xml = fs::read_to_string(results).unwrap();
    for part in [
        "<testsuite name=\"shop\" tests=\"2\" failures=\"1\"",
        "<testcase classname=\"shop\" name=\"001.http POST /a\"",
        "name=\"002.http POST /b a&lt;b&gt;\"",
        "<failure message=\"there is no `nothing` in the body\">",
    ] {
        assert!(xml.contains(part), "{part}: {xml}");
    }
    let nobody = Port::reserved();
    let refused = home.run(&["play", "shop", "--to", &nobody.url(), "--speed", "0", "--json"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stdout).contains("connection refused"), "{refused:?}");
}

#[test]
fn who_stops_a_play_has_the_results_of_what_was_played() {
    let home = rehearsed();
    let scenario = "[[step]]\nfile = '001.http'\n[[step]]\nfile = '002.http'\ngap_ms = 3600000\n";
    fs::write(home.path().join("shop/scenario.toml"), scenario).unwrap();
    let app = app();
    let args = ["play", "shop", "--to", &app.url, "--junit", "junit.xml"];
    let mut play = home.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It waits for the second step's turn once it has told of the first.
    let mut line = String::new();
    BufReader::new(play.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("✓ 001.http"), "{line}");
    rustix::process::kill_process(rustix::process::Pid::from_child(&play), rustix::process::Signal::INT).unwrap();
    let output = play.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("told to stop before the last step"), "{output:?}");
    let xml = fs::read_to_string(home.path().join("junit.xml")).unwrap();
    assert!(xml.contains("tests=\"1\"") && xml.ends_with("</testsuites>\n"), "{xml}");
}

#[test]
fn they_are_signed_anew_on_the_way() {
    let home = Home::new();
    let serving = home.serve(&["--quiet", "--provider", "github", "--secret", "s"]);
    serving.post("/gh", &[("X-Hub-Signature-256", "sha256=00"), ("X-GitHub-Event", "push")], b"{\"a\":1}");
    home.yes(&["rehearse", "path:/gh", "--out", "gh"]);
    let app = app();
    home.command(&["play", "gh", "--to", &app.url, "--resign", "--secret-env", "GH"])
        .env("GH", "s3cret")
        .output()
        .unwrap();
    home.write("got.http", app.bytes());
    let judged = home.yes(&["verify", "--file", "got.http", "--provider", "github", "--secret", "s3cret"]);
    assert!(judged.starts_with("passed"), "{judged}");
}

#[test]
fn a_step_that_nobody_can_sign_is_named_before_anything_is_sent() {
    let home = rehearsed();
    let app = app();
    let play = |provider: &str, args: &[&str]| {
        let steps =
            format!("[[step]]\nfile = '001.http'\nprovider = 'github'\n[[step]]\nfile = '002.http'\n{provider}\n");
        fs::write(home.path().join("shop/scenario.toml"), steps).unwrap();
        home.fails(2, &[&["play", "shop", "--to", &app.url, "--speed", "0", "--resign"], args].concat())
    };
    let said = play("", &["--secret", "s"]);
    assert!(said.contains("signing 002.http anew: nobody says who signs it") && said.contains("[[step]]"), "{said}");
    let said = play("provider = 'githb'", &["--secret", "s"]);
    assert!(said.contains("002.http") && said.contains("did you mean `github`?"), "{said}");
    let said = play("provider = 'stripe'", &[]);
    assert!(said.contains("001.http: signing as GitHub: there is no secret"), "{said}");
    home.yes(&["play", "shop", "--to", &app.url, "--speed", "0"]);
    assert_eq!(paths(&app, 2), ["/a", "/b"], "nothing came before");
}

#[test]
fn a_scenario_that_cannot_be_meant_is_refused_before_anything_is_sent() {
    let home = rehearsed();
    let app = app();
    for (scenario, words) in [
        ("", "shop/scenario.toml: there is no [[step]] in it"),
        (
            "[[step]]\nfile = '001.http'\ngap_ms = -5",
            "scenario.toml:3:10: invalid value: integer `-5`, expected a whole number, 0 or more",
        ),
        ("[[step]]\nfile = '001.http'\nprovidr = 'x'", "did you mean `provider`?"),
        ("[[step]]\nfile = '001.http'\nexpect = { status = 999 }", "step 1 (001.http): no status is `999`"),
        (
            "[[step]]\nfile = '001.http'\n[[step]]\nfile = '002.http'\nexpect = { json = { 'ok' = true } }",
            "step 2 (002.http): `ok` is no JSON pointer: write `/ok`",
        ),
        (
            "[[step]]\nfile = '001.http'\nexpect = { jq = ['.ok', '.ok =='] }",
            "jq = `.ok ==`: term expected at its end (column 7)",
        ),
    ] {
        fs::write(home.path().join("shop/scenario.toml"), scenario).unwrap();
        let said = home.fails(2, &["play", "shop", "--to", &app.url, "--speed", "0"]);
        assert!(said.contains(words), "{scenario}: {said}");
    }
    fs::write(home.path().join("shop/scenario.toml"), "[[step]]\nfile = '001.http'\n").unwrap();
    let said = home.fails(2, &["play", "shop", "--to", &app.url, "--junit", "no/such/folder.xml"]);
    assert!(said.contains("writing no/such/folder.xml"), "{said}");
    let piped = home.yes(&["play", "shop", "--to", &app.url, "--quiet", "--junit", "/dev/stdout"]);
    assert!(piped.starts_with("<?xml"), "{piped}");
    let xml = home.yes(&["play", "shop/scenario.toml", "--to", &app.url, "--junit", "-"]);
    assert!(xml.starts_with("<?xml ") && xml.ends_with("</testsuites>\n"), "{xml}");
    assert_eq!(paths(&app, 1), ["/a"], "nothing came before");
    fs::write(home.path().join("shop/two.http"), "GET /x HTTP/1.1\r\n\r\nGET /y HTTP/1.1\r\n\r\n").unwrap();
    fs::write(home.path().join("shop/scenario.toml"), "[[step]]\nfile = 'two.http'\n").unwrap();
    let said = home.fails(2, &["play", "shop", "--to", &app.url]);
    assert!(said.contains("two.http: it holds more than one request"), "{said}");
    let said = home.fails(2, &["play", "nowhere", "--to", &app.url]);
    assert!(said.contains("`creel rehearse FILTER --out FOLDER` makes such a folder"), "{said}");
    let json = home.shares(&["rehearse", "path:/a", "--out", "json", "--json"]);
    assert_eq!(json, "{\"written\":1,\"folder\":\"json\",\"damaged\":[]}\n");
    assert!(home.run(&["rehearse", "path:/a", "--out", "tests/deep/webhooks", "--quiet"]).status.success());
    assert!(home.path().join("tests/deep/webhooks/scenario.toml").is_file(), "folders above it are made");
    let said = home.fails(2, &["rehearse", "path:/a", "--out", "json/scenario.toml/x"]);
    assert!(said.contains("writing json/scenario.toml/x: "), "{said}");
}

#[test]
fn a_scenario_names_no_file_but_its_own() {
    let home = rehearsed();
    fs::write(home.path().join("secret.http"), "GET / HTTP/1.1\r\n\r\n").unwrap();
    for file in ["../secret.http", "/etc/passwd", "..", "a/../001.http", ""] {
        fs::write(home.path().join("shop/scenario.toml"), format!("[[step]]\nfile = '{file}'\n")).unwrap();
        let said = home.fails(2, &["play", "shop", "--to", "http://127.0.0.1:1"]);
        assert!(said.contains("no name of a file in the folder"), "{file}: {said}");
    }
    fs::write(home.path().join("shop/scenario.toml"), "[[step]]\nfile = '001.http'\nexpcet = 1\n").unwrap();
    assert!(home.fails(2, &["play", "shop", "--to", "http://127.0.0.1:1"]).contains("expcet"));
    let began = Instant::now();
    assert!(home.fails(2, &["play", "nowhere", "--to", "http://127.0.0.1:1"]).contains("nowhere"));
    assert!(began.elapsed() < Duration::from_secs(20));
}
