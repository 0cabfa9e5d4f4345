//! `creel mark`: what a person says of a capture is found again, by whoever looks.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use support::Home;

fn listed(home: &Home, filter: &str) -> String {
    let output = home.run(&["ls", "--json", filter]);
    let lines = String::from_utf8(output.stdout).unwrap();
    let id = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].to_string();
    lines.lines().map(id).collect::<Vec<_>>().join(" ")
}

#[test]
fn marks_pins_and_notes_are_filters_while_a_creel_captures() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    for path in ["/a", "/b", "/c"] {
        serving.post(path, &[], b"{}");
    }
    assert_eq!(home.yes(&["mark", "1", "3"]), "2 changed\n");
    assert_eq!(home.yes(&["mark", "3", "--pin", "--note", "ask\nAnna"]), "1 changed\n");
    assert_eq!(listed(&home, "mark:marked"), "3 1");
    assert_eq!(listed(&home, "mark:pinned note:anna"), "3");
    let shown: serde_json::Value = serde_json::from_str(&home.yes(&["show", "3", "--json"])).unwrap();
    assert_eq!((&shown["marks"], &shown["note"]), (&serde_json::json!(["marked", "pinned"]), &"ask Anna".into()));
    assert_eq!(home.yes(&["mark", "--unmark", "--filter", "mark:marked"]), "2 changed\n");
    assert_eq!(home.yes(&["mark", "3", "--note", ""]), "1 changed\n", "the pin is left");
    assert_eq!((listed(&home, "mark:marked"), listed(&home, "mark:pinned")), (String::new(), "3".to_owned()));
    assert_eq!(listed(&home, "note:anna"), "");
    let output = home.run(&["mark", "2", "99"]);
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(1), &b"1 of 2 changed\n"[..]));
    assert!(String::from_utf8_lossy(&output.stderr).contains("reading capture 99: there is none"));
    let output = home.run(&["mark", "1", "1", "98", "99", "--json"]);
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said, serde_json::json!({"changed": 1, "missing": [98, 99]}), "each once");
    assert!(home.fails(2, &["mark", "99"]).contains("reading capture 99: there is none"));
    assert!(home.fails(1, &["mark", "--filter", "id:99"]).contains("no capture matches"));
    for args in [&["mark", "--filter", ""][..], &["resend", "--to", "http://127.0.0.1:1", "--filter", " "]] {
        assert!(home.fails(2, args).contains("'id>0' takes every capture"), "an unset variable is not everything");
    }
    assert_eq!(home.yes(&["mark", "--filter", "id>0"]), "3 changed\n");
    assert!(home.fails(2, &["mark"]).contains("ID"));
}
