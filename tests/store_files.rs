//! The store as files: whose they are, who may have them, and what is left of them after a kill or a fall.
#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

mod store_support;

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    process::{Command, Stdio},
};

use creel::{
    record::{Capture, CaptureId},
    store::{Bell, Bodies, Reader, Role, Start, Writer, holder},
};
use rusqlite::Connection;
use store_support::{body, capture, fill, place, store};

/// Where the child of a test finds its store.
const CHILD_STORE: &str = "CREEL_TEST_CHILD_STORE";

/// This test program again, as a process of its own that runs one of its ignored tests.
fn child(test: &str, store: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "umask 000; exec \"$@\"", "sh"]).arg(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture"]).env(CHILD_STORE, store);
    command.stdout(Stdio::piped());
    command
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn open(path: &Path, role: Role) -> Result<Writer, creel::record::Failure> {
    Writer::open(path, role, Bell::new()).map(|(writer, _)| writer)
}

#[test]
#[ignore = "the child of the tests below"]
fn child_captures_until_killed() {
    let Some(path) = std::env::var_os(CHILD_STORE) else { return };
    let writer = open(Path::new(&path), Role::Capturing).unwrap();
    writer.announce("http://127.0.0.1:27335").unwrap();
    for n in 1.. {
        let pending: Vec<_> = (0..20).map(|_| writer.capture(capture(n)).unwrap()).collect();
        for pending in pending {
            let id = pending.blocking_recv().unwrap().unwrap().id;
            writeln!(std::io::stdout(), "acknowledged {id}").unwrap();
        }
    }
}

#[test]
fn a_killed_process_has_lost_nothing_it_acknowledged_and_its_files_were_its_owner_s_alone() {
    let place = place();
    let path = place.folder.path().join("deep/er/creel.db");
    let mut child = child("child_captures_until_killed", &path).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let id_of = |line: &str| line.strip_prefix("acknowledged ").and_then(|id| id.parse::<i64>().ok());
    let mut acknowledged: Vec<i64> = lines.by_ref().filter_map(|line| id_of(&line)).take(500).collect();

    // While it lives, under a mask that forbids nothing.
    for folder in ["deep", "deep/er"] {
        assert_eq!(mode(&place.folder.path().join(folder)), 0o700, "{folder}");
    }
    let files: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 4, "store, WAL, its index, lock: {files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    let refused = open(&path, Role::Capturing).unwrap_err();
    assert!(refused.why.contains(&format!("process {}", child.id())), "{refused}");
    assert!(refused.why.contains("http://127.0.0.1:27335"), "{refused}");
    assert!(refused.hint.unwrap().contains("creel watch"));
    assert_eq!(holder(&path).unwrap().pid, Some(child.id()));

    child.kill().unwrap();
    child.wait().unwrap();
    // What it had still written into the pipe was acknowledged too; its last line may be cut.
    acknowledged.extend(lines.filter_map(|line| id_of(&line)));
    acknowledged.pop();
    assert_eq!(holder(&path), None);
    // A reader comes first: it has to find its way through the WAL that was left behind.
    let reader = Reader::open(&path).unwrap();
    let stored = reader.page(Start::Newest, usize::MAX, None).unwrap();
    assert_eq!(stored.len() as i64, stored[0].id.0, "none is there twice, none is missing in between");
    assert!(acknowledged.iter().all(|&id| id <= stored[0].id.0));
    assert_eq!(reader.counters().unwrap().captures, stored.len() as u64);
    let writer = open(&path, Role::Capturing).unwrap();
    assert_eq!(store(&writer, capture(0)).unwrap().id.0, stored[0].id.0 + 1);
    let check: String =
        Connection::open(&path).unwrap().query_row("PRAGMA integrity_check", (), |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}

#[test]
fn a_writer_that_is_dropped_writes_what_it_had_taken() {
    let place = place();
    let writer = place.capturing();
    let pending: Vec<_> = (0..100).map(|n| writer.capture(capture(n)).unwrap()).collect();
    drop(writer);
    assert!(pending.into_iter().all(|pending| pending.blocking_recv().unwrap().is_ok()));
    assert_eq!(Reader::open(&place.path).unwrap().counters().unwrap().captures, 100);
}

#[test]
fn a_closed_store_is_one_file_and_its_lock_is_free() {
    let place = place();
    let writer = place.capturing();
    let clone = writer.clone();
    fill(&writer, 10);
    writer.close().unwrap();
    assert!(clone.capture(capture(1)).is_err(), "closed is closed for all clones");
    clone.close().unwrap();
    assert!(!place.path.with_extension("db-wal").exists());
    // A process that another test is starting has the lock's descriptor too, until it is another program.
    let late = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while holder(&place.path).is_some() && std::time::Instant::now() < late {
        std::thread::yield_now();
    }
    assert_eq!(holder(&place.path), None);
    fill(&place.capturing(), 1);
}

#[test]
fn a_folder_that_was_there_keeps_its_mode_and_a_store_with_a_wide_one_does_not() {
    let place = place();
    fs::set_permissions(place.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    place.capturing().close().unwrap();
    fs::set_permissions(&place.path, fs::Permissions::from_mode(0o644)).unwrap();
    place.capturing().close().unwrap();
    assert_eq!((mode(place.folder.path()), mode(&place.path)), (0o755, 0o600));
}

#[test]
fn a_symlink_in_place_of_the_store_is_refused() {
    let place = place();
    let real = place.folder.path().join("real.db");
    open(&real, Role::Capturing).unwrap().close().unwrap();
    symlink(&real, &place.path).unwrap();
    for refused in [open(&place.path, Role::Capturing).map(drop), Reader::open(&place.path).map(drop)] {
        assert!(refused.unwrap_err().why.contains("symbolic link"));
    }
    let nowhere = place.folder.path().join("nowhere.db");
    symlink(place.folder.path().join("made by creel?"), &nowhere).unwrap();
    open(&nowhere, Role::Capturing).unwrap_err();
    assert!(!place.folder.path().join("made by creel?").exists());
}

#[test]
fn a_missing_store_is_said_to_be_missing_and_is_not_made_by_looking() {
    let place = place();
    for missing in [Reader::open(&place.path).map(drop), open(&place.path, Role::Visiting).map(drop)] {
        let missing = missing.unwrap_err();
        assert!(missing.why.contains("there is none"), "{missing}");
        assert!(missing.hint.is_some_and(|hint| hint.contains("creel serve")));
    }
    assert_eq!(fs::read_dir(place.folder.path()).unwrap().count(), 0);
    fs::write(&place.path, "").unwrap();
    assert!(Reader::open(&place.path).unwrap_err().why.contains("nothing has been captured"));
}

#[test]
fn other_files_are_refused_and_left_as_they_are() {
    let place = place();
    let foreign = place.folder.path().join("foreign.db");
    Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE diary (day TEXT)").unwrap();
    let text = place.folder.path().join("notes.txt");
    fs::write(&text, "no database").unwrap();
    let long = place.folder.path().join("long.txt");
    fs::write(&long, "no database ".repeat(5_000)).unwrap();
    for (path, why) in
        [(&foreign, "another program's"), (&text, "not a SQLite database"), (&long, "not a SQLite database")]
    {
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
        let before = fs::read(path).unwrap();
        for refused in [open(path, Role::Capturing).map(drop), Reader::open(path).map(drop)] {
            let refused = refused.unwrap_err();
            assert!(refused.why.contains(why) && refused.hint.is_some(), "{refused}");
        }
        assert_eq!((fs::read(path).unwrap(), mode(path)), (before, 0o644));
    }
    let folder = open(place.folder.path(), Role::Capturing).unwrap_err();
    assert!(folder.why.contains("is not a file"), "{folder}");
}

#[test]
fn a_store_of_a_newer_creel_is_refused_with_both_versions() {
    let place = place();
    place.capturing().close().unwrap();
    Connection::open(&place.path).unwrap().pragma_update(None, "user_version", 77).unwrap();
    let results = [
        open(&place.path, Role::Capturing).map(drop),
        open(&place.path, Role::Visiting).map(drop),
        Reader::open(&place.path).map(drop),
    ];
    for refused in results {
        let refused = refused.unwrap_err();
        assert!(refused.why.contains("version 77") && refused.why.contains("knows versions up to "), "{refused}");
        assert!(refused.hint.is_some());
    }
}

#[test]
fn a_name_that_looks_like_a_uri_is_a_name() {
    let place = place();
    let path = place.folder.path().join("file:creel.db?mode=memory");
    open(&path, Role::Capturing).unwrap().close().unwrap();
    assert!(path.exists());
}

/// A generator of chance that gives the same every time (xorshift, Marsaglia 2003).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}

#[test]
fn flipped_bytes_never_panic_and_never_pass_for_a_body() {
    let place = place();
    let writer = place.capturing();
    fill(&writer, 200);
    store(&writer, large()).unwrap();
    writer.close().unwrap();
    let whole = fs::read(&place.path).unwrap();
    let mut chance = Chance(0x00c0_ffee);
    for round in 0..60 {
        let mut damaged = whole.clone();
        // Half of the rounds hit the first pages, where the schema and the counters are.
        let end = if round % 2 == 0 { 24 * 8_192 } else { damaged.len() };
        for _ in 0..=chance.below(100) {
            let at = chance.below(end);
            damaged[at] ^= 1 << chance.below(8);
        }
        fs::write(&place.path, damaged).unwrap();
        if let Ok(reader) = Reader::open(&place.path) {
            look_at_everything(&reader);
        }
        if let Ok(writer) = open(&place.path, Role::Capturing) {
            let _ = store(&writer, capture(1));
            let _ = writer.close();
        }
        for end in ["db-wal", "db-shm"] {
            let _ = fs::remove_file(place.path.with_extension(end));
        }
    }
}

/// A capture whose body lies in chunks.
fn large() -> Capture {
    Capture { body: body(vec![7; 300 * 1024]), ..capture(201) }
}

fn look_at_everything(reader: &Reader) {
    let _ = (reader.counters(), reader.refusals(10), reader.page(Start::Newest, 300, None));
    for id in (1..=201).map(CaptureId) {
        let _ = reader.deliveries(id);
        let Ok(Some(found)) = reader.capture(id, Bodies::Read) else { continue };
        assert_eq!(found.body.bytes.len() as u64, found.body.size);
        let came = if id.0 == 201 { large() } else { capture(id.0 as u64) };
        assert!(found.body.bytes == came.body.bytes, "a wrong body of {id}");
    }
}
