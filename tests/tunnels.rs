//! Tunnels of the user's own: their URL is found, used and said; they are started again when they die, and end with creel.
//!
//! The tunnels here are shell scripts. Each holds the writing end of a pipe in the file system, so that "it is gone" is an
//! event: the reading end comes to its end.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{io::Read, path::PathBuf, process::Command};

use support::Home;

/// A pipe by its name.
fn pipe(home: &Home) -> PathBuf {
    let path = home.path().join("alive");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

/// Waits until nobody holds the pipe any more, and gives what was written to it.
fn until_gone(reader: &mut impl Read) -> String {
    let mut all = String::new();
    reader.read_to_string(&mut all).unwrap();
    all
}

const TUNNEL: &str = "exec 9>alive
echo \"$1\" >&9
sh -c 'sleep 600' &
echo \"2026 INFO bore_cli::client: listening at 127.0.0.1:4242\" >&2
wait
";

#[test]
fn its_url_is_found_and_it_ends_with_creel() {
    let home = Home::new();
    home.write("bore.sh", TUNNEL);
    let alive = pipe(&home);
    let mut serving = home.serve(&["--tunnel", "sh bore.sh {port}"]);
    let mut alive = std::fs::File::open(alive).unwrap();
    assert_eq!(serving.says("tunnel"), "the tunnel leads here from http://127.0.0.1:4242");
    let port = serving.address.port();
    assert_eq!(serving.stop().0, Some(0));
    assert_eq!(until_gone(&mut alive).trim(), port.to_string());
}

#[test]
fn a_killed_creel_leaves_none_behind() {
    let home = Home::new();
    home.write("bore.sh", TUNNEL);
    let alive = pipe(&home);
    let mut serving = home.serve(&["--tunnel", "sh bore.sh {port}"]);
    let mut alive = std::fs::File::open(alive).unwrap();
    serving.says("leads here");
    serving.signal("KILL");
    until_gone(&mut alive);
}

#[test]
fn one_that_dies_is_started_again_and_that_is_said() {
    let home = Home::new();
    home.write(
        "mine.sh",
        // All of it on one of its two outputs: which of two is read first nobody can say. It ends its lines as ssh does.
        "if [ -e second ]; then echo https://second.example; exec sleep 600; fi
        echo https://first.example >&2; touch second; printf '\u{1b}[31mno\u{1b}[0m route\\r\\n' >&2; exit 3",
    );
    let mut serving = home.serve(&["--tunnel", "sh mine.sh"]);
    let said = serving.says("died");
    assert!(said.contains("exit status: 3: no route") && said.ends_with("again in 1 s"), "{said}");
    assert!(!said.contains('\u{1b}'), "{said}");
    assert_eq!(serving.says("second"), "the tunnel leads here from https://second.example");
}

#[test]
fn one_that_cannot_be_started_does_not_keep_creel_from_catching() {
    let home = Home::new();
    let mut serving = home.serve(&["--tunnel", "no-such-tunnel {port}"]);
    let said = serving.says("died");
    assert!(said.contains("127") || said.contains("not found"), "{said}");
    assert_eq!(serving.post("/", &[], b"x"), 1);
}

#[test]
fn a_scheme_that_signs_the_url_is_checked_by_the_tunnel_s() {
    let home = Home::new();
    home.write("mine.sh", "echo see https://t.example; exec sleep 600");
    home.write("body", "a=1");
    let mut serving = home.serve(&["--provider", "twilio", "--secret", "s", "--tunnel", "sh mine.sh"]);
    serving.says("https://t.example");
    let headers = home.yes(&[
        "sign",
        "--provider",
        "twilio",
        "--secret",
        "s",
        "--url",
        "https://t.example/hook?x=1",
        "--file",
        "body",
    ]);
    let mut pairs: Vec<_> = headers.lines().filter_map(|line| line.split_once(": ")).collect();
    if !pairs.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        pairs.push(("Content-Type", "application/x-www-form-urlencoded"));
    }
    serving.post("/hook?x=1", &pairs, b"a=1");
    assert_eq!(home.captures()[0]["signature"]["verdict"], "passed", "{headers}");
    // Another process, which knows of no tunnel, judges by the URL by which it came: then, and once the tunnel is gone.
    home.write("secret", "s");
    home.write(
        "creel.toml",
        "[[endpoint]]\nname = 'a'\npath = '/hook'\nprovider = 'twilio'\nsecret = { file = 'secret' }\n",
    );
    let is_right =
        || [&["verify", "1"][..], &["verify", "1", "--keep"]].iter().all(|it| home.yes(it).starts_with("passed"));
    assert!(is_right());
    serving.stop();
    assert!(is_right());
    // The URL that an endpoint has goes before it.
    home.write(
        "creel.toml",
        "[[endpoint]]\nname = 'a'\npath = '/hook'\nprovider = 'twilio'\nurl = 'https://other.example/hook'\n\
         secret = { file = 'secret' }\n",
    );
    assert_eq!(home.run(&["verify", "1"]).status.code(), Some(1));
}
