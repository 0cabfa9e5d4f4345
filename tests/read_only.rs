//! A store where nothing may be written: it is read where that can be, and else it is said why not.
//!
//! The folder is made so by a mount that the creel under test alone sees, since some users may write everywhere. Where the
//! system lets nobody have one, nothing is tested and that is said.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    fs,
    process::{Command, Output},
};

use support::Home;

/// Runs a command on the store in `folder`, into which it cannot write.
fn run(home: &Home, folder: &str, args: &[&str]) -> Output {
    let script = format!(
        "mount --bind {folder} {folder} && mount -o remount,ro,bind {folder} && exec \"$0\" --db {folder}/creel.db \"$@\""
    );
    let command = home.command(args);
    let mut inside = Command::new("unshare");
    inside.args(["-Urm", "sh", "-c", &script]).arg(command.get_program()).args(args).current_dir(home.path());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => inside.env(name, value),
            None => inside.env_remove(name),
        };
    }
    inside.output().unwrap()
}

/// Whether this system gives away mounts.
fn has_mounts(home: &Home) -> bool {
    run(home, ".", &["--version"]).status.success()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_store_in_a_folder_that_may_not_be_written_is_read_and_left_as_it_is() {
    let home = Home::new();
    if !has_mounts(&home) {
        eprintln!("not tested: this system lets nobody mount a folder of their own");
        return;
    }
    let serving = home.serve(&["--quiet"]);
    serving.post("/a", &[], b"trout");
    serving.post("/b", &[], b"pike");
    let copy = |folder: &str, end: &str| {
        fs::create_dir_all(home.path().join(folder)).unwrap();
        let name = format!("creel.db{end}");
        fs::copy(home.path().join(&name), home.path().join(folder).join(&name)).unwrap();
    };
    // One with all its files, as a capturing creel has them; one alone, as a stopped one leaves it; one whose WAL came alone.
    for end in ["", "-wal", "-shm"] {
        copy("whole", end);
    }
    assert_eq!(serving.stop().0, Some(0));
    copy("lone", "");
    copy("torn", "");
    fs::write(home.path().join("torn/creel.db-wal"), [0x37; 64]).unwrap();
    for folder in ["whole", "lone"] {
        for (args, words) in [
            (&["ls"][..], "/b"),
            (&["show", "1", "--body"], "trout"),
            (&["export", "--as", "curl"], "pike"),
            (&["ls", "body:pike"], "/b"),
            (&["diff", "1", "2"], "/a → /b"),
        ] {
            let output = run(&home, folder, args);
            let said = text(&output.stderr);
            assert!(text(&output.stdout).contains(words) && said.is_empty(), "{folder} {args:?}: {output:?}");
        }
        for args in [&["mark", "1"][..], &["forget", "--all"], &["serve", "--listen", "127.0.0.1:0"]] {
            let output = run(&home, folder, args);
            assert_eq!(output.status.code(), Some(2), "{folder} {args:?}");
            assert!(text(&output.stderr).contains("opening the store"), "{output:?}");
        }
    }
    let torn = run(&home, "torn", &["ls"]);
    assert_eq!(torn.status.code(), Some(2));
    let said = text(&torn.stderr);
    assert!(
        said.contains("what came last is in") && said.contains("creel.db-wal") && said.contains("copy it"),
        "{said}"
    );
    let names = |folder: &str| fs::read_dir(home.path().join(folder)).unwrap().count();
    assert_eq!((names("whole"), names("lone")), (3, 1), "nothing was made there");
}
