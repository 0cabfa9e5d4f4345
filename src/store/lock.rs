//! Who captures into a store.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use crate::record::Failure;

/// The process that captures into a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its process id.
    pub pid: u32,
    /// Where it listens, once it does.
    pub address: Option<String>,
}

/// The held lock: a file beside the store, locked as long as its process lives.
pub(super) struct Lock(File);

fn path_of(db: &Path) -> PathBuf {
    let mut path = db.as_os_str().to_owned();
    path.push("-lock");
    path.into()
}

impl Lock {
    /// Takes the lock, or says who has it.
    pub(super) fn take(db: &Path) -> Result<Self, Failure> {
        let doing = || format!("taking the store {}", db.display());
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(path_of(db)).map_err(|why| Failure::new(doing(), why))?;
        match file.try_lock() {
            Ok(()) => {
                let lock = Self(file);
                lock.say(None).map_err(|why| Failure::new(doing(), why))?;
                Ok(lock)
            }
            Err(TryLockError::WouldBlock) => Err(Failure::new(doing(), already(holder(db)))
                .hint("`creel watch` shows what that one catches; --db PATH takes another store")),
            Err(TryLockError::Error(why)) => Err(Failure::new(doing(), why)),
        }
    }

    /// Writes who holds it, for others to read.
    pub(super) fn say(&self, address: Option<&str>) -> std::io::Result<()> {
        let mut file = &self.0;
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}\n{}", std::process::id(), address.unwrap_or_default())
    }
}

fn already(holder: Option<Holder>) -> String {
    match holder {
        Some(Holder { pid, address: Some(address) }) => {
            format!("another creel (pid {pid}) captures into it, listening on http://{address}")
        }
        Some(Holder { pid, .. }) => format!("another creel (pid {pid}) captures into it"),
        None => "another creel captures into it".to_owned(),
    }
}

/// Who captures into a store now; none where nobody does.
pub fn holder(db: &Path) -> Option<Holder> {
    let mut file = File::open(path_of(db)).ok()?;
    if file.try_lock_shared().is_ok() {
        return None;
    }
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    let mut lines = text.lines();
    let pid = lines.next()?.parse().ok()?;
    Some(Holder { pid, address: lines.next().filter(|line| !line.is_empty()).map(str::to_owned) })
}
