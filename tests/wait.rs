//! `creel wait`: what scripts wait on.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::process::Stdio;

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
