//! `creel export`: what leaves is whole, in one piece, and says no secrets unless asked.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::sync::atomic::Ordering;

use creel::{
    engine::export::{Reading, to_file, write},
    export::FORMATS,
    record::CaptureId,
    store::Reader,
};
use serde_json::Value;
use support::Home;

#[test]
fn what_a_filter_takes_is_written_oldest_first_and_masked() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    serving.post("/a?x=1&y", &[("Authorization", "Bearer hunter2"), ("Content-Type", "text/plain")], b"one");
    serving.post("/b", &[], b"two");
    serving.post("/a", &[], b"\xff\xfe");
    let lines = home.shares(&["export", "path:/a"]);
    let ids: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].clone()).collect();
    assert_eq!(ids, [1, 3]);
    assert!(!lines.contains("hunter2") && lines.contains("******"), "{lines}");
    assert!(home.yes(&["export", "path:/a", "--reveal"]).contains("hunter2"));

    serving.post("/key?x=1&token=hunter3&y=%20", &[], b"");
    for format in ["json", "curl", "http", "httpie", "har", "csv", "python"] {
        let masked = home.shares(&["export", "path:/key", "--as", format]);
        assert!(!masked.contains("hunter3") && masked.contains("token="), "{format}: {masked}");
    }
    assert!(home.shares(&["export", "path:/key"]).contains("/key?x=1&token=******&y=%20"));
    assert!(home.yes(&["export", "path:/key", "--reveal"]).contains("token=hunter3"));
    assert_eq!(home.yes(&["forget", "path:/key"]), "1 forgotten\n");

    assert_eq!(home.shares(&["export", "--as", "har", "--out", "all.har"]), "3 exported\n");
    let har: Value = serde_json::from_slice(&std::fs::read(home.path().join("all.har")).unwrap()).unwrap();
    let entries = har["log"]["entries"].as_array().unwrap();
    assert_eq!((har["log"]["version"].as_str(), entries.len()), (Some("1.2"), 3));
    let request = &entries[0]["request"];
    assert!(request["url"].as_str().unwrap().ends_with("/a?x=1&y"), "{request}");
    assert_eq!(
        request["queryString"],
        serde_json::json!([{ "name": "x", "value": "1" }, { "name": "y", "value": "" }])
    );
    assert_eq!(request["postData"], serde_json::json!({ "mimeType": "text/plain", "text": "one" }));
    assert_eq!(entries[2]["request"]["postData"]["_encoding"], "base64");
    assert!(!home.path().join("all.har.part").exists());

    assert_eq!(home.yes(&["export", "path:/b", "--out", "-"]), home.yes(&["export", "path:/b"]));
    assert!(!home.path().join("-").exists(), "it is standard output, as for all that reads");
    assert_eq!(home.yes(&["export", "path:/b", "--out", "b", "--json"]), "{\"exported\":1,\"damaged\":[]}\n");

    assert_eq!(home.run(&["export", "path:/none"]).status.code(), Some(1));
    assert!(home.fails(2, &["export", "--out", "no/such/folder/x"]).contains("no/such/folder/x"));
}

/// What is secret in the three captures below, and stands nowhere else.
const SECRETS: [&str; 5] = ["hunter1", "hunter2", "hunter3", "hunter4", "hunter5"];

/// What a creel holds whose senders put secrets in every place that is known for them.
fn home_with_secrets() -> Home {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    let json = br#"{"type":"event_callback","token":"hunter2","more":{"client_secret":"hunter3"},"key":"PROJ-1"}"#;
    serving.post("/json?api_key=hunter1", &[("Content-Type", "application/json")], json);
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    serving.post("/form", &form, b"team=T1&token=hunter4&payload=%7B%22token%22%3A%22hunter5%22%7D");
    serving.post("/text", &[("Content-Type", "text/plain")], b"the token: not looked for");
    home
}

#[test]
fn secrets_in_queries_forms_and_json_are_masked_in_every_form_and_that_is_told() {
    let home = home_with_secrets();
    let said = home.run(&["export"]);
    let text = String::from_utf8(said.stderr).unwrap();
    assert!(text.contains("masked: 1 field of queries and 4 values in bodies (a signature over"), "{text}");
    assert!(text.contains("1 body of other kinds than JSON, forms and XML may hold more"), "{text}");
    for form in ["json", "curl", "http", "har", "httpie", "python", "javascript", "rust", "go", "cloudevents", "csv"] {
        let written = home.shares(&["export", "--as", form]);
        assert!(SECRETS.iter().all(|secret| !written.contains(secret)), "{form}: {written}");
        let shown: String = ["1", "2"].iter().map(|id| home.shares(&["show", id, "--as", form])).collect();
        assert!(SECRETS.iter().all(|secret| !shown.contains(secret)), "{form}: {shown}");
    }
    let whole = home.yes(&["export", "--reveal", "--as", "http"]);
    assert!(SECRETS.iter().all(|secret| whole.contains(secret)), "{whole}");
    let written = home.shares(&["export", "--as", "http"]);
    assert!(written.contains(r#""token":"*******","more":{"client_secret":"*******"},"key":"PROJ-1"}"#), "{written}");
    assert!(written.contains("team=T1&token=*******&payload=%7B%22token%22%3A%22*******%22%7D"), "{written}");
    assert!(home.run(&["export", "--reveal"]).stderr.is_empty() && home.run(&["export", "-q"]).stderr.is_empty());
    assert!(home.fails(2, &["show", "1", "--reveal"]).contains("--as"));
}

#[test]
fn what_was_masked_comes_in_again_with_a_flag_that_says_so() {
    let home = home_with_secrets();
    for form in ["json", "har"] {
        home.shares(&["export", "--as", form, "--out", "shared"]);
        let other = Home::new();
        other.yes(&["import", home.path().join("shared").to_str().unwrap()]);
        let is_flagged = |capture: &Value| capture["flags"].as_array().unwrap().contains(&"masked".into());
        // The text has none that anybody found.
        assert_eq!(other.captures().iter().map(is_flagged).collect::<Vec<_>>(), [true, true, false], "{form}");
        let (body, came) = (other.yes(&["show", "1", "--body"]), home.yes(&["show", "1", "--body"]));
        assert!(body.contains(r#""token":"*******""#) && body.len() == came.len(), "{form}: {body}");
    }
}

#[test]
fn the_signature_that_was_expected_is_not_shared() {
    let home = Home::new();
    home.write(
        "creel.toml",
        "[[endpoint]]\nname = 'github'\npath = '/github'\nprovider = 'github'\nsecret = { command = 'echo s3cret' }\n",
    );
    let serving = home.serve(&["--quiet"]);
    serving.post("/github", &[("X-Hub-Signature-256", &format!("sha256={}", "0".repeat(64)))], b"{}");
    let expected =
        |text: String| serde_json::from_str::<Value>(&text).unwrap()["signature"]["evidence"]["expected"].clone();
    let whole = expected(home.yes(&["export", "--reveal"]));
    assert!(whole.as_str().unwrap().starts_with("sha256="), "{whole}");
    assert_eq!(expected(home.yes(&["export"])), "******");
}

#[test]
fn what_is_no_file_is_written_into_and_a_link_stays_one() {
    let home = Home::new();
    home.serve(&["--quiet"]).post("/a", &[], b"one");
    let lines = home.yes(&["export"]);
    let pipe = home.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let ((told, read), from) = (std::sync::mpsc::channel(), pipe.clone());
    std::thread::spawn(move || told.send(std::fs::read_to_string(from).unwrap()));
    assert_eq!(home.yes(&["export", "--out", pipe.to_str().unwrap()]), "1 exported\n");
    assert_eq!(read.recv().unwrap(), lines);
    home.write("target.jsonl", "old");
    let link = home.path().join("link.jsonl");
    std::os::unix::fs::symlink("target.jsonl", &link).unwrap();
    home.yes(&["export", "--out", "link.jsonl"]);
    assert!(link.is_symlink());
    assert_eq!(std::fs::read_to_string(home.path().join("target.jsonl")).unwrap(), lines);
}

#[test]
fn the_store_is_not_written_over() {
    let home = Home::new();
    home.serve(&["--quiet"]).post("/a", &[], b"trout");
    home.yes(&["rehearse", "id=1", "--out", "folder"]);
    for args in [
        &["export", "--out", "creel.db"][..],
        &["play", "folder", "--to", "http://127.0.0.1:1", "--junit", "creel.db-wal"],
    ] {
        let said = home.fails(2, args);
        assert!(said.contains("the store is there") && said.contains("name another file"), "{said}");
    }
    assert_eq!(home.captures().len(), 1);
}

#[test]
fn what_is_told_to_stop_leaves_nothing_unfinished() {
    let home = Home::new();
    home.serve(&["--quiet"]).post("/a", &[], b"trout");
    let reader = Reader::open(&home.db()).unwrap();
    let mut reading = Reading::of(&reader, false);
    reading.stop().store(true, Ordering::Relaxed);
    let (out, format) = (home.path().join("all"), (&FORMATS[0], false));
    let written = to_file(&home.db(), &out, true, |out| write(out, &mut reading, &[CaptureId(1)], format, |_, _| ()));
    assert!(written.unwrap_err().to_string().contains("told to stop"));
    let rest = std::fs::read_dir(home.path()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    assert!(!rest.into_iter().any(|name| name.starts_with("all")));
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    serving.post("/", &[], b"x");
    let said = home.fails(2, &["export", "--out", "new/x.jsonl"]);
    assert!(said.starts_with("creel: writing new/x.jsonl: there is no folder new\n"), "{said}");
}
