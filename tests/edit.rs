//! A request in the user's editor, and what becomes of it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    os::unix::fs::PermissionsExt,
    process::{Output, Stdio},
};

use support::{Home, app::App};

/// An app that says 204 to everything and tells what it got.
fn app() -> App {
    App::start(|_, _| Some("HTTP/1.1 204 No Content\r\n\r\n".to_owned()))
}

/// A home with one capture, and in it an editor that runs those lines of shell with its file as `$1`.
fn home(editor: &str) -> Home {
    let home = Home::new();
    let serving = home.serve(&[]);
    serving.post("/hook?x=1", &[("X-Mine", "a"), ("Content-Type", "application/json")], br#"{"amount": 1.0}"#);
    serving.stop();
    let path = home.write("my editor", format!("#!/bin/sh\n{editor}\n"));
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    home
}

fn resend(home: &Home, args: &[&str]) -> Output {
    let all = [&["resend", "1"], args].concat();
    let mut command = home.command(&all);
    command.env_remove("VISUAL").env("EDITOR", "'./my editor' --wait").env("TMPDIR", home.path());
    command.stdin(Stdio::null()).output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// What creel wrote for the editor and did not take away.
fn left_over(home: &Home) -> usize {
    let names = std::fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().starts_with("creel-")).count()
}

#[test]
fn what_was_edited_is_sent_and_the_receipt_says_in_what_it_differs() {
    // The file is the owner's alone, and its last word comes after the editor's own.
    let home = home(
        r#"test "$1" = --wait && shift; ls -l "$1" | grep -q '^-rw-------' || exit 9
sed -i 's/1\.0/ 25.00/; s/^POST .hook/PUT \/other/; s/^X-Mine: a/X-Mine: b/' "$1""#,
    );
    let app = app();
    let output = resend(&home, &["--edit", "--to", &app.url, "--header", "X-More: 1"]);
    assert!(output.status.success(), "{}", said(&output));
    let sent = app.next();
    assert!(sent.starts_with("PUT /other?x=1 HTTP/1.1\r\n") && sent.contains("\r\nX-Mine: b\r\n"), "{sent}");
    assert!(sent.contains("\r\nX-More: 1\r\n") && sent.ends_with("\r\n\r\n{\"amount\":  25.00}"), "{sent}");
    let said = said(&output);
    for line in
        ["~ method: POST → PUT", "~ X-Mine: a → b", "~ Content-Length: 15 → 18", "~ body: 15 bytes → 18 bytes, edited"]
    {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert_eq!(left_over(&home), 0);
}

#[test]
fn what_was_not_changed_or_was_emptied_is_not_sent() {
    for editor in ["true", "shift; : > \"$1\"", "shift; touch \"$1\""] {
        let home = home(editor);
        let output = resend(&home, &["--edit", "--to", "http://127.0.0.1:9"]);
        assert_eq!((output.status.code(), &said(&output)[..]), (Some(1), "nothing was changed; nothing is sent\n"));
        assert_eq!(left_over(&home), 0);
    }
}

#[test]
fn an_editor_that_fails_or_is_not_there_sends_nothing_and_leaves_nothing() {
    let home = home("shift; echo x >> \"$1\"; kill -9 $$");
    let output = resend(&home, &["--edit", "--to", "http://127.0.0.1:9"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("it ended with signal: 9"), "{}", said(&output));
    assert_eq!(left_over(&home), 0);
    std::fs::remove_file(home.path().join("my editor")).unwrap();
    let output = resend(&home, &["--edit", "--to", "http://127.0.0.1:9"]);
    assert!(said(&output).contains("name another editor in EDITOR"), "{}", said(&output));
    assert!(home.captures()[0]["deliveries"].as_array().unwrap().is_empty());
}

#[test]
fn broken_json_is_refused_where_nobody_can_be_asked_unless_it_is_wished_for() {
    let home = home("shift; sed -i 's/1\\.0}/1.0/' \"$1\"");
    let app = app();
    let output = resend(&home, &["--edit", "--to", &app.url]);
    assert_eq!(output.status.code(), Some(2));
    let words = said(&output);
    assert!(words.contains("its body was JSON and is none any more") && words.contains("--as-it-is"), "{words}");
    let output = resend(&home, &["--edit", "--as-it-is", "--to", &app.url]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(app.next().ends_with("\r\n\r\n{\"amount\": 1.0"));
    // Nobody asked for the first one to be sent.
    assert!(app.is_idle());
}

#[test]
fn a_head_that_is_none_is_told_with_its_line() {
    let home = home("shift; sed -i 's/^X-Mine: a/X-Mine a/' \"$1\"");
    let output = resend(&home, &["--edit", "--as-it-is", "--to", "http://127.0.0.1:9"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("a header needs a colon"), "{}", said(&output));
}

#[test]
fn an_edited_request_is_saved_as_a_capture_that_says_what_it_was_made_of() {
    let home = home("shift; sed -i 's/1\\.0/25/' \"$1\"");
    let output = resend(&home, &["--edit", "--save"]);
    assert_eq!(said(&output), "#2 is an edited #1: unsigned\n");
    let made = &home.captures()[1];
    assert_eq!((&made["marks"], &made["edited_from"]), (&serde_json::json!(["edited"]), &1.into()));
    assert_eq!(home.yes(&["show", "2", "--body"]), "{\"amount\": 25}");
    let shown = home.yes(&["show", "2"]);
    assert!(shown.contains("an edited #1") && shown.contains("Content-Length: 14"), "{shown}");
    assert!(home.yes(&["ls", "mark:edited"]).contains("edited from #1"));
    // Without an editor too; and what changes nothing makes nothing.
    let output = resend(&home, &["--set", "amount=3", "--save", "--json"]);
    let made: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&made["id"], &made["edited_from"], &made["body"]["size"]), (&3.into(), &1.into(), &13.into()));
    assert!(home.fails(2, &["resend", "1", "--save"]).contains("nothing of it was changed"));
    assert!(home.fails(2, &["resend", "1", "2", "--save"]).contains("it takes one capture"));
}

#[test]
fn an_edited_event_can_be_signed_anew_and_is_no_repeat_of_it() {
    let home = home("shift; sed -i 's/\"a\"/\"b\"/' \"$1\"");
    home.write(
        "creel.toml",
        "[[endpoint]]\nname = \"gh\"\npath = \"/gh\"\nprovider = \"github\"\nsecret = { file = \"s\" }\n",
    );
    home.write("s", "trout");
    let serving = home.serve(&[]);
    let id = serving.post(
        "/gh",
        &[("X-GitHub-Event", "x"), ("X-GitHub-Delivery", "d1"), ("X-Hub-Signature-256", "sha256=00")],
        br#"{"n":"a"}"#,
    );
    let edited = home
        .command(&["resend", &id.to_string(), "--edit", "--resign", "--save", "--to", "http://127.0.0.1:9"])
        .env_remove("VISUAL")
        .env("EDITOR", "'./my editor' --wait")
        .output()
        .unwrap();
    assert!(said(&edited).ends_with("passed\n"), "{}", said(&edited));
    serving.post("/gh", &[("X-GitHub-Event", "x"), ("X-GitHub-Delivery", "d1")], br#"{"n":"a"}"#);
    let all = home.captures();
    let repeats: Vec<_> = all.iter().map(|capture| capture["duplicate_of"].clone()).collect();
    assert_eq!(repeats, [serde_json::Value::Null, serde_json::Value::Null, serde_json::Value::Null, id.into()]);
    assert_eq!(all[3]["attempt"], 2, "the edited one does not count");
    serving.stop();
}
