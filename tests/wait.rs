//! `creel wait`: what scripts wait on.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

use support::Home;

#[test]
fn it_ends_when_enough_have_come() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    serving.post("/before", &[], b"{}");
    let waiting = home
        .command(&["wait", "path:/fish", "--count", "2", "--timeout", "60", "--json", "--after", "1"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    for path in ["/fish/1", "/other", "/fish/2", "/fish/3"] {
        serving.post(path, &[], b"{}");
    }
    let output = waiting.wait_with_output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let paths: Vec<String> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["path"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(paths, ["/fish/1", "/fish/2"]);
}

#[test]
fn a_store_that_is_made_later_is_waited_for() {
    let home = Home::new();
    assert_eq!(home.run(&["wait", "--timeout", "0.05"]).status.code(), Some(1));
    assert_eq!(home.run(&["wait", "--absent", "--timeout", "0.05", "--quiet"]).status.code(), Some(0));
    let mut waiting = home
        .command(&["wait", "path:/fish", "--timeout", "60"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    BufReader::new(waiting.stderr.take().unwrap()).read_line(&mut said).unwrap();
    assert!(said.contains("yet: waiting for one"), "{said}");
    // What comes before it has opened the store counts, too.
    home.serve(&["--quiet"]).post("/fish", &[], b"{}");
    let output = waiting.wait_with_output().unwrap();
    assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("/fish"), "{output:?}");
    home.write("other.db", "no store".repeat(999));
    let other = home.fails(2, &["wait", "--timeout", "60", "--db", "other.db"]);
    assert!(other.contains("it is not a SQLite database"), "{other}");
}

#[test]
fn what_is_there_counts_when_asked_and_time_runs_out() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    serving.post("/fish", &[], b"{}");
    assert!(home.yes(&["wait", "path:/fish", "--all", "--timeout", "60"]).contains("/fish"));
    let late = home.run(&["wait", "path:/fish", "--timeout", "0.05"]);
    assert_eq!(late.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&late.stderr).contains("0 of 1 came within 0.05 s"), "{late:?}");
    assert_eq!(home.yes(&["wait", "path:/none", "--absent", "--timeout", "0.05"]), "");
    assert_eq!(home.run(&["wait", "path:/fish", "--all", "--absent", "--timeout", "60"]).status.code(), Some(1));
    assert!(home.fails(2, &["wait", "size>x"]).contains("is no number"));
}

#[test]
fn an_order_is_waited_for_and_what_is_missing_is_named() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    for path in ["/paid", "/created", "/paid"] {
        serving.post(path, &[], b"{\"amount\":7}");
    }
    let wait = |args: &[&str]| home.run(&[&["wait", "--all", "--timeout", "0.05"], args].concat());
    assert_eq!(wait(&["path:/created", "--then", "path:/paid body.amount>5"]).status.code(), Some(0));
    let missing = wait(&["path:/paid", "--count", "2", "--then", "path:/created"]);
    assert_eq!(missing.status.code(), Some(1), "the one that came stands before the second");
    let said = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert!(said.contains("0 of 1 of `path:/created` came within 0.05 s"), "{said}");
    let json = wait(&["path:/none", "--json"]);
    let said: serde_json::Value = serde_json::from_slice(&json.stderr).unwrap();
    assert_eq!(said, serde_json::json!({ "missing": "path:/none", "found": 0, "wanted": 1, "timeout_s": 0.05 }));
}

#[test]
fn more_than_asked_for_is_an_answer_of_its_own() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    for path in ["/once", "/twice", "/twice"] {
        serving.post(path, &[], b"{}");
    }
    let wait = |path: &str| home.run(&["wait", path, "--all", "--quiet-for", "0.05"]).status.code();
    assert_eq!((wait("path:/once"), wait("path:/twice")), (Some(0), Some(3)));
}
