//! Alerts: what comes, what an app answers and what does not come is told, and given to a command of the user's.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{fs, io::Read, process::Command};

use support::{
    Home,
    app::{App, status},
};

/// A pipe by its name, so that what a command writes is an event.
fn fifo(home: &Home) -> std::path::PathBuf {
    let path = home.path().join("told");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

const TELL: &str = r#"{ printf '%s\n' "$CREEL_COUNT" "$CREEL_ID" "$CREEL_ALERT"; cat; } > told"#;

#[test]
fn what_a_filter_takes_is_told_and_given_to_a_command_without_its_secrets() {
    let home = Home::new();
    home.write("creel.toml", format!("[[alert]]\nwhen = \"path:/pay\"\nrun = '''{TELL}'''\n"));
    let told = fifo(&home);
    let mut serving = home.serve(&[]);
    serving.post("/other", &[], b"{}");
    let id = serving.post("/pay/$(touch%20owned)?token=s3cret", &[("Authorization", "Bearer s3cret")], b"{}");
    let text = fs::read_to_string(told).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[..2], ["1", &id.to_string()], "{text}");
    assert_eq!(lines[2], format!("#{id} POST /pay/$(touch%20owned) matches `path:/pay`"));
    let capture: serde_json::Value = serde_json::from_str(lines[3]).unwrap();
    assert_eq!((&capture["id"], &capture["path"]), (&id.into(), &"/pay/$(touch%20owned)".into()));
    assert!(!text.contains("s3cret"), "{text}");
    assert_eq!(serving.says("alert:"), format!("alert: {}", lines[2]));
    assert!(!home.path().join("owned").exists());
}

#[test]
fn what_an_app_makes_of_a_capture_later_is_told_once() {
    let home = Home::new();
    let app = App::start(|_, _| status(500));
    home.write(
        "creel.toml",
        format!(
            "[[alert]]\nwhen = \"reply>=500\"\nevery = \"1s\"\n[[endpoint]]\nname = \"a\"\npath = \"/a\"\n\
            [[endpoint.forward]]\nto = \"{}\"\nretry = [\"1ms\", \"1ms\"]\n",
            app.url
        ),
    );
    let mut serving = home.serve(&[]);
    let first = serving.post("/a", &[], b"{}");
    assert_eq!(serving.says("alert:"), format!("alert: #{first} POST /a matches `reply>=500`"));
    (0..3).for_each(|_| drop(app.next()));
    let second = serving.post("/a", &[], b"{}");
    assert_eq!(
        serving.says("alert:"),
        format!("alert: #{second} POST /a matches `reply>=500`"),
        "and not the first again"
    );
}

#[test]
fn what_does_not_come_is_told_and_when_it_comes_again() {
    let home = Home::new();
    home.write("creel.toml", "[[alert]]\nwhen = \"event:push\"\nabsent = \"300ms\"\n");
    let mut serving = home.serve(&[]);
    let said = serving.says("alert:");
    assert_eq!(said, "alert: nothing has come for 300 ms that matches `event:push`");
    serving.post("/", &[], b"{}");
    let id = serving.post("/", &[("X-GitHub-Event", "push"), ("X-GitHub-Delivery", "1")], b"{}");
    assert_eq!(serving.says("alert:"), format!("alert: what matches `event:push` comes again: #{id} POST /"));
}

#[test]
fn a_command_that_fails_is_told_and_one_that_hangs_ends_with_creel() {
    let home = Home::new();
    home.write(
        "creel.toml",
        "[[alert]]\nwhen = \"path:/a\"\nrun = \"echo no such channel >&2; exit 3\"\n\
        [[alert]]\nwhen = \"path:/b\"\nrun = \"exec 9>told; sleep 600\"\n",
    );
    let told = fifo(&home);
    let mut serving = home.serve(&[]);
    serving.post("/a", &[], b"{}");
    let said = serving.says("the command of");
    assert_eq!(said, "the command of the alert on `path:/a` failed: it ended with exit status: 3: no such channel");
    serving.post("/b", &[], b"{}");
    let mut alive = fs::File::open(told).unwrap();
    assert_eq!(serving.stop().0, Some(0));
    // The pipe ends when nobody holds it any more.
    assert_eq!(alive.read_to_end(&mut Vec::new()).unwrap(), 0);
}

#[test]
fn a_killed_creel_leaves_no_command_behind() {
    let home = Home::new();
    home.write("creel.toml", "[[alert]]\nwhen = \"\"\nrun = \"exec 9>told; sleep 600 & sleep 600\"\n");
    let told = fifo(&home);
    let serving = home.serve(&[]);
    serving.post("/", &[], b"{}");
    let mut alive = fs::File::open(told).unwrap();
    serving.signal("KILL");
    assert_eq!(alive.read_to_end(&mut Vec::new()).unwrap(), 0);
}

#[test]
fn a_mistake_is_pointed_at() {
    let home = Home::new();
    for (text, place, words) in [
        ("[[alert]]\nwhen = \"sgi:failed\"", "creel.toml:2:8", "did you mean `sig`"),
        ("[[alert]]\nwhen = \"\"\nevery = \"soon\"", "creel.toml:3:9", "`soon` is no time; write 30s, 5m, 1h or 1d"),
        ("[[alert]]\nwhen = \"\"\nabsent = \"0s\"", "creel.toml:3:10", "`0s` is no time"),
        ("[[alert]]\nwhen = \"\"\nrun = \" \"", "creel.toml:3:7", "a command of the shell"),
        ("[[alert]]\nwhen = \"\"\nabsent = \"1h\"\nevery = \"1m\"", "creel.toml:4:9", "is told once"),
        ("[[alert]]\nrun = \"true\"", "creel.toml:1:1", "missing field `when`"),
        ("[[alert]]\nwhen = \"\"\ncommand = \"x\"", "creel.toml:3:1", "unknown field `command`"),
    ] {
        home.write("creel.toml", text);
        let said = home.fails(2, &["serve", "--listen", "127.0.0.1:0"]);
        assert!(said.contains(place) && said.contains(words), "{text}\n→ {said}");
    }
}
