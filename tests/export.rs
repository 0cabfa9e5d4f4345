//! `creel export`: what leaves is whole, in one piece, and says no secrets unless asked.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use serde_json::Value;
use support::Home;

#[test]
fn what_a_filter_takes_is_written_oldest_first_and_masked() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    serving.post("/a?x=1&y", &[("Authorization", "Bearer hunter2"), ("Content-Type", "text/plain")], b"one");
    serving.post("/b", &[], b"two");
    serving.post("/a", &[], b"\xff\xfe");
    let lines = home.yes(&["export", "path:/a"]);
    let ids: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].clone()).collect();
    assert_eq!(ids, [1, 3]);
    assert!(!lines.contains("hunter2") && lines.contains("******"), "{lines}");
    assert!(home.yes(&["export", "path:/a", "--reveal"]).contains("hunter2"));

    serving.post("/key?x=1&token=hunter3&y=%20", &[], b"");
    for format in ["json", "curl", "http", "httpie", "har", "csv", "python"] {
        let masked = home.yes(&["export", "path:/key", "--as", format]);
        assert!(!masked.contains("hunter3") && masked.contains("token="), "{format}: {masked}");
    }
    assert!(home.yes(&["export", "path:/key"]).contains("/key?x=1&token=******&y=%20"));
    assert!(home.yes(&["export", "path:/key", "--reveal"]).contains("token=hunter3"));
    assert_eq!(home.yes(&["forget", "path:/key"]), "1 forgotten\n");

    assert_eq!(home.yes(&["export", "--as", "har", "--out", "all.har"]), "3 exported\n");
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
    assert_eq!(home.yes(&["export", "path:/b", "--out", "b", "--json"]), "{\"exported\":1}\n");

    assert_eq!(home.run(&["export", "path:/none"]).status.code(), Some(1));
    assert!(home.fails(2, &["export", "--out", "no/such/folder/x"]).contains("no/such/folder/x"));
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
