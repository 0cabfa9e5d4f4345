//! A disk that is really full: senders hear it, a person hears it, nothing acknowledged is lost, and it goes on by itself.
//!
//! The disk is a small one in memory, seen by the creel under test alone. Where the system lets nobody have one, nothing is
//! tested and that is said.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{collections::BTreeSet, path::PathBuf, process::Command};

use support::Home;

/// How large the disk is, and what is on it that can be deleted.
const DISK: &str = "size=4m";
const FILLER: usize = 1 << 20;
/// More of these than the disk has room for.
const REQUESTS: usize = 200;

/// Whether this system gives away small disks.
fn has_disks() -> bool {
    let tried = Command::new("unshare").args(["-Urm", "mount", "-t", "tmpfs", "none", "/mnt"]).output();
    tried.is_ok_and(|output| output.status.success())
}

#[test]
fn nothing_acknowledged_is_lost_and_it_goes_on_when_there_is_space() {
    if !has_disks() {
        eprintln!("not tested: this system lets nobody mount a disk of their own");
        return;
    }
    let home = Home::new();
    let disk = home.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let script =
        format!("mount -t tmpfs -o {DISK} none disk && exec \"$0\" serve --listen 127.0.0.1:0 --db disk/creel.db");
    let mut serving = home.serve_by(&["unshare", "-Urm", "sh", "-c", &script, env!("CARGO_BIN_EXE_creel")]);
    // The way to that disk from outside.
    let inside = PathBuf::from(format!("/proc/{}/root{}", serving.pid(), disk.display()));
    std::fs::write(inside.join("filler"), vec![0; FILLER]).unwrap();

    let body = vec![b'x'; 40_000];
    let request = |n: usize| {
        let head =
            format!("POST /{n} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
        [head.as_bytes(), &body].concat()
    };
    let mut acknowledged = BTreeSet::new();
    let mut refused = 0;
    for n in 0..REQUESTS {
        let answer = serving.raw(&request(n));
        if answer.starts_with("HTTP/1.1 200 ") {
            acknowledged.insert(format!("/{n}"));
        } else {
            assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("retry-after: 1"), "{answer}");
            assert!(answer.ends_with("{\"caught\":null}"), "{answer}");
            refused += 1;
        }
    }
    assert!(acknowledged.len() > 10 && refused > 10, "{} and {refused}", acknowledged.len());
    let said = serving.says("cannot be kept");
    assert!(said.contains("senders get 503: the disk is full") && said.contains("free some space"), "{said}");

    std::fs::remove_file(inside.join("filler")).unwrap();
    let answer = serving.raw(&request(REQUESTS));
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    acknowledged.insert(format!("/{REQUESTS}"));
    assert_eq!(serving.says("again"), format!("what comes is kept again; {refused} got 503 meanwhile"));

    // Nothing is written any more: what stands in the two files is all there is.
    for name in ["creel.db", "creel.db-wal"] {
        std::fs::copy(inside.join(name), home.path().join(name)).unwrap();
    }
    let listed = home.yes(&["ls", "--json", "--limit", "0"]);
    let kept: BTreeSet<_> = listed
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["path"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kept, acknowledged, "what was acknowledged is there, and nothing else");
    let (code, _, said) = serving.stop();
    assert_eq!((code, &said[..]), (Some(0), ""));
}

#[test]
fn what_is_on_a_full_disk_can_be_read() {
    if !has_disks() {
        eprintln!("not tested: this system lets nobody mount a disk of their own");
        return;
    }
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    serving.post("/a", &[], b"trout");
    serving.stop();
    std::fs::create_dir(home.path().join("disk")).unwrap();
    let script = "mount -t tmpfs -o size=1m none disk && cp creel.db disk && cat /dev/zero >disk/filler 2>/dev/null
        \"$0\" show 1 --body --db disk/creel.db && \"$0\" ls --db disk/creel.db";
    let mut command = Command::new("unshare");
    command.args(["-Urm", "sh", "-c", script, env!("CARGO_BIN_EXE_creel")]).current_dir(home.path());
    let output = command.env("HOME", home.path()).output().unwrap();
    let (told, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(told.starts_with("trout") && told.contains("/a") && output.status.success(), "{told}{said}");
}

#[test]
fn files_that_may_not_grow_are_answered_like_a_full_disk() {
    let home = Home::new();
    // In blocks of 512 bytes, or of 1024: there is room for a few of the bodies.
    let script = "ulimit -f 600; exec \"$0\" serve --listen 127.0.0.1:0";
    let mut serving = home.serve_by(&["sh", "-c", script, env!("CARGO_BIN_EXE_creel")]);
    let body = vec![b'x'; 40_000];
    let head = format!("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    let answers: Vec<_> = (0..40).map(|_| serving.raw(&[head.as_bytes(), &body].concat())).collect();
    let kept = answers.iter().filter(|answer| answer.starts_with("HTTP/1.1 200 ")).count();
    let refused = answers.iter().filter(|answer| answer.starts_with("HTTP/1.1 503 ")).count();
    assert!(kept > 0 && refused > 0 && kept + refused == answers.len(), "{kept} and {refused}");
    serving.says("cannot be kept");
    assert_eq!(serving.stop().0, Some(0));
    assert_eq!(home.captures().len(), kept, "what was acknowledged is there, and nothing else");
}

#[test]
fn too_few_files_that_may_be_open_are_raised_or_told() {
    let home = Home::new();
    let by = |limit: &str| {
        let script = format!("{limit}; exec \"$0\" providers");
        let mut command = Command::new("sh");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_creel")]).current_dir(home.path());
        command.env("HOME", home.path()).output().unwrap()
    };
    for few in ["6", "12", "16", "63"] {
        let output = by(&format!("ulimit -n {few}"));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(
            said.contains(&format!("no more than {few} files may be open")) && said.contains("`ulimit -n 1024`"),
            "{said}"
        );
    }
    // Where only the softer of both limits is that low, nobody need do anything.
    let output = by("ulimit -S -n 12");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[cfg(target_os = "linux")]
#[test]
fn an_output_that_takes_nothing_keeps_creel_from_no_capturing() {
    use std::io::{BufRead, BufReader};

    let home = Home::new();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = home.command(&["serve", "--listen", "127.0.0.1:0"]);
    let mut child = command.stdout(full).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(said.any(|line| line.starts_with("capturing goes on")));
    // Where it listens, its store tells.
    home.yes(&["send", "github/push", "--as", "unsigned", "--times", "3"]);
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    assert_eq!((child.wait().unwrap().code(), home.captures().len()), (Some(0), 3));
    let more: Vec<_> = said.filter(|line| line.contains("lines again") || line.contains("goes on")).collect();
    assert!(more.is_empty(), "it is said once, and nothing of lines that were not printed: {more:?}");
}
