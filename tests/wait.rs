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
    // However short the wait: that nothing came is not known of it.
    for how in [&["--absent"][..], &[]] {
        home.fails(2, &[&["wait", "--timeout", "0", "--db", "other.db"], how].concat());
    }
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
    assert!(!String::from_utf8_lossy(&late.stderr).contains("no creel captures"), "{late:?}");
    serving.stop();
    // Another store may be meant: nothing can come into this one, which is as if it stayed away.
    for (args, code) in [(&["wait", "--timeout", "0.05"][..], 1), (&["wait", "--absent", "--timeout", "0.05"], 0)] {
        let said = home.fails(code, args);
        assert!(said.contains("no creel captures into ") && said.contains("creel.db now"), "{said}");
        assert!(home.fails(code, &[args, &["--quiet"]].concat()).is_empty());
    }
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
fn what_is_taken_only_later_is_waited_for() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    let wait = |args: &[&str]| {
        let all = [&["wait", "--timeout", "60", "--all"], args].concat();
        home.command(&all).stdout(Stdio::piped()).spawn().unwrap()
    };
    serving.post("/first", &[], b"{}");
    serving.post("/fish", &[], b"{}");
    let replied = wait(&["path:/fish", "reply:200", "--then", "path:/after"]);
    let old = wait(&["path:/first", "age>1s"]);
    let app = support::app::App::start(|_, _| support::app::status(200));
    serving.post("/other", &[], b"{}");
    home.yes(&["resend", "2", "--to", &app.url]);
    serving.post("/after", &[], b"{}");
    for (waiting, paths) in [(replied, ["/fish", "/after"]), (old, ["/first", ""])] {
        let output = waiting.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && paths.iter().all(|path| said.contains(path)), "{paths:?}: {said}");
    }
    // Of those that are taken already and may change, none is counted twice.
    let twice = home.run(&["wait", "--all", "reply:200", "--count", "2", "--timeout", "0.3"]);
    assert!(String::from_utf8_lossy(&twice.stderr).contains("1 of 2 came"), "{twice:?}");
}

// Linux tells which threads there are, and so when it listens.
#[cfg(target_os = "linux")]
#[test]
fn who_is_told_to_stop_has_seen_nothing_stay_away() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    for args in [&["--absent"][..], &["--count", "2"]] {
        let args = [&["wait", "path:/fish", "--after", "0", "--timeout", "60"], args].concat();
        let mut waiting = home.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        if args.contains(&"--count") {
            serving.post("/fish", &[], b"{}");
            BufReader::new(waiting.stdout.as_mut().unwrap()).read_line(&mut String::new()).unwrap();
        } else {
            let status = format!("/proc/{}/task", waiting.id());
            while !std::fs::read_dir(&status).unwrap().any(|task| {
                let name = task.unwrap().path().join("comm");
                std::fs::read_to_string(name).is_ok_and(|name| name.starts_with("creel-signals"))
            }) {
                std::thread::yield_now();
            }
        }
        let pid = rustix::process::Pid::from_child(&waiting);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let output = waiting.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert!(said.contains("it was told to stop before it was over"), "{said}");
    }
}

#[test]
fn a_wait_that_says_nothing_is_a_mistake() {
    let home = Home::new();
    for (args, words) in [
        (&["--count", "0"][..], "a whole number is wanted, 1 or more"),
        (&["--count", "-1"], "a whole number is wanted, 1 or more"),
        (&["--quiet-for", "-1"], "a number is wanted, 0 or more"),
    ] {
        assert!(home.fails(2, &[&["wait"], args].concat()).contains(words), "{args:?}");
    }
    home.serve(&["--quiet"]).post("/a", &[], b"");
    let said = home.run(&["wait", "--all", "--count", "2", "--then", "path:/a", "--timeout", "0.05"]);
    assert!(String::from_utf8_lossy(&said.stderr).contains("1 of 2 of any capture came within"), "{said:?}");
    let more = home.run(&["wait", "--json", "--all", "--quiet-for", "0"]);
    assert_eq!((more.status.code(), more.stderr.is_empty()), (Some(0), true));
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
    let json = home.run(&["wait", "path:/twice", "--all", "--quiet-for", "0.05", "--json"]);
    let said: serde_json::Value = serde_json::from_slice(&json.stderr).unwrap();
    assert_eq!(said, serde_json::json!({ "more_than": 1, "quiet_for_s": 0.05 }));
}
