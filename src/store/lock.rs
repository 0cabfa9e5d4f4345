//! One capturing process a store: a lock file beside it.
//!
//! The kernel holds the lock (`flock`) and lets go of it when the process ends, however it ends; so a lock file that
//! was left behind means nothing. The file itself stays: removing it would let two processes lock two files of one name.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process, thread,
    time::Duration,
};

use super::file;
use crate::record::Failure;

/// How often a held lock is tried: [`holder`] holds it for an instant while it looks.
const TRIES: u32 = 5;
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(20);
/// Most bytes read of a lock file.
const CONTENT_BYTES: u64 = 4_096;

/// The process that captures into a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its process id; none for the instant between its locking and its saying so.
    pub pid: Option<u32>,
    /// Where it listens, as it announced it.
    pub address: Option<String>,
}

/// The held lock; dropping it lets go.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock of the store at `path`, an absolute path.
    pub(super) fn take(path: &Path) -> Result<Self, Failure> {
        Self::take_or(path, |holder| taken(path, holder))
    }

    /// The same, to bring an older store up to this version.
    pub(super) fn take_to_bring_up(path: &Path) -> Result<Self, Failure> {
        Self::take_or(path, |holder| outdated(path, holder))
    }

    fn take_or(path: &Path, refused: impl FnOnce(&Holder) -> Failure) -> Result<Self, Failure> {
        let file =
            open(&lock_path(path), true).map_err(|why| Failure::new(file::opening(path), why).hint(file::ELSEWHERE))?;
        for _ in 0..TRIES {
            match file.try_lock() {
                Ok(()) => return Self { file }.introduced(path),
                Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
                Err(TryLockError::Error(error)) => return Err(Failure::new(file::opening(path), error)),
            }
        }
        Err(refused(&read(&file)))
    }

    fn introduced(mut self, path: &Path) -> Result<Self, Failure> {
        self.write("").map_err(|error| Failure::new(file::opening(path), error))?;
        Ok(self)
    }

    /// Says where this process listens.
    pub(super) fn announce(&mut self, address: &str) -> Result<(), Failure> {
        self.write(address).map_err(|error| Failure::new("saying beside the store where creel listens", error))
    }

    fn write(&mut self, address: &str) -> std::io::Result<()> {
        let address = address.lines().next().unwrap_or_default();
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(format!("{}\n{address}\n", process::id()).as_bytes())
    }
}

/// The process that captures into the store at `path` now, if one does.
pub fn holder(path: &Path) -> Option<Holder> {
    let path = std::path::absolute(path).ok()?;
    let file = open(&lock_path(&path), false).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Some(read(&file)),
        _ => None,
    }
}

fn lock_path(path: &Path) -> PathBuf {
    file::beside(path, "-lock")
}

fn open(path: &Path, create: bool) -> Result<File, String> {
    file::refuse_symlink(path)?;
    let opened =
        OpenOptions::new().read(true).write(create).create(create).truncate(false).mode(file::FILE_MODE).open(path);
    opened.map_err(|error| format!("{}: {error}", path.display()))
}

fn read(mut file: &File) -> Holder {
    let mut text = String::new();
    // What cannot be read is not said; that the lock is held is known all the same.
    let _ = file.seek(SeekFrom::Start(0)).and_then(|_| file.take(CONTENT_BYTES).read_to_string(&mut text));
    let mut lines = text.lines();
    let pid = lines.next().and_then(|line| line.parse().ok());
    Holder { pid, address: lines.next().filter(|line| !line.is_empty()).map(str::to_owned) }
}

/// Who holds it, and where that listens, as far as it is known.
fn words(holder: &Holder) -> (String, String) {
    let who = holder.pid.map_or_else(|| "another process".into(), |pid| format!("process {pid}"));
    let place = holder.address.as_ref().map(|address| format!(", listening on {address}")).unwrap_or_default();
    (who, place)
}

/// An older creel captures into a store that this one would have to bring up first.
fn outdated(path: &Path, holder: &Holder) -> Failure {
    let (who, place) = words(holder);
    let why =
        format!("it is of an older version and must be brought up to this one, but {who} captures into it{place}");
    let stop = holder.pid.map_or_else(|| "stop that one".to_owned(), |pid| format!("stop that one (`kill {pid}`)"));
    Failure::new(file::opening(path), why)
        .hint(format!("{stop}, then start this version once, to capture: `creel` or `creel serve`"))
}

fn taken(path: &Path, holder: &Holder) -> Failure {
    let (who, place) = words(holder);
    Failure::new(file::opening(path), format!("{who} captures into it already{place}"))
        .hint("`creel watch` shows what it catches; --db PATH captures into another file")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_is_known_while_it_holds_and_not_after() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("creel.db");
        assert_eq!(holder(&store), None);
        let mut lock = Lock::take(&store).unwrap();
        let me = Some(process::id());
        assert_eq!(holder(&store), Some(Holder { pid: me, address: None }));
        lock.announce("http://127.0.0.1:1\nnot a second line").unwrap();
        assert_eq!(holder(&store), Some(Holder { pid: me, address: Some("http://127.0.0.1:1".into()) }));
        let refused = Lock::take(&store).unwrap_err();
        assert!(refused.why.contains(&process::id().to_string()), "{refused}");
        assert!(refused.why.contains("http://127.0.0.1:1"), "{refused}");
        assert!(refused.hint.is_some_and(|hint| hint.contains("creel watch")));
        drop(lock);
        assert_eq!(holder(&store), None);
        Lock::take(&store).unwrap();
    }

    #[test]
    fn a_lock_file_left_behind_or_full_of_rubbish_holds_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("creel.db");
        std::fs::write(lock_path(&store), b"\xff\xfe no pid").unwrap();
        assert_eq!(holder(&store), None);
        Lock::take(&store).unwrap();
    }

    #[test]
    fn a_symlink_in_place_of_the_lock_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("creel.db");
        let victim = folder.path().join("victim");
        std::fs::write(&victim, "precious").unwrap();
        std::os::unix::fs::symlink(&victim, lock_path(&store)).unwrap();
        assert!(Lock::take(&store).unwrap_err().why.contains("symbolic link"));
        assert_eq!(std::fs::read_to_string(victim).unwrap(), "precious");
    }
}
