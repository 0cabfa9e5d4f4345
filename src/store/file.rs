//! Opening the file: its rights before its contents, its kind before its rows.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};

use super::{failure, schema};
use crate::record::Failure;

/// Bytes a page. Large pages make few of them: the pause of a checkpoint follows their number.
const PAGE_BYTES: u32 = 16 << 10;
/// Pages in the log before it is copied into the file: 4 MB.
const CHECKPOINT_PAGES: u32 = 250;
/// How long a connection waits for another process's commit.
const BUSY: Duration = Duration::from_secs(5);
/// The writer's page cache, in KiB.
const WRITER_CACHE_KIB: u32 = 8 << 10;
/// A reader's page cache, in KiB.
const READER_CACHE_KIB: u32 = 4 << 10;
/// The oldest SQLite without the bug that corrupts a log which two connections write (fixed in 3.51.3).
const OLDEST_SQLITE: i32 = 3_051_003;

/// Opens the store for writing; makes it where there is none, and brings its tables up to date.
pub(super) fn open_for_writing(path: &Path) -> Result<Connection, Failure> {
    let doing = format!("opening the store {}", path.display());
    check_library(&doing)?;
    prepare(path).map_err(|why| Failure::new(doing.clone(), why))?;
    refuse_link(path, &doing)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let mut connection = Connection::open_with_flags(path, flags).map_err(|why| failure(&doing, &why))?;
    set_up(&connection).map_err(|why| failure(&doing, &why))?;
    schema::migrate(&mut connection, &doing)?;
    Ok(connection)
}

fn set_up(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "cache_size", -i64::from(WRITER_CACHE_KIB))
}

/// Opens the store for reading.
pub(super) fn open_for_reading(path: &Path) -> Result<Connection, Failure> {
    let doing = format!("opening the store {}", path.display());
    check_library(&doing)?;
    if !path.exists() {
        return Err(Failure::new(doing, "there is none yet")
            .hint("start `creel` or `creel serve` to capture into it, or name another one with --db"));
    }
    refuse_link(path, &doing)?;
    // Not SQLITE_OPEN_READ_ONLY: a reader of a log that no writer has open must be able to rebuild the log's index.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags).map_err(|why| failure(&doing, &why))?;
    let ready = connection
        .busy_timeout(BUSY)
        .and_then(|()| connection.pragma_update(None, "cache_size", -i64::from(READER_CACHE_KIB)))
        .and_then(|()| connection.pragma_update(None, "query_only", true));
    ready.map_err(|why| failure(&doing, &why))?;
    schema::check(&connection, &doing)?;
    Ok(connection)
}

fn check_library(doing: &str) -> Result<(), Failure> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        let why = format!("SQLite {} can corrupt a store that is read while it is written", rusqlite::version());
        return Err(Failure::new(doing, why).hint("build creel with its bundled SQLite"));
    }
    Ok(())
}

/// Makes folder and file with their rights, so that SQLite's own files beside it take the same.
fn prepare(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(why) if why.kind() != io::ErrorKind::AlreadyExists => Err(why),
        _ => Ok(()),
    }
}

fn refuse_link(path: &Path, doing: &str) -> Result<(), Failure> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => {
            Err(Failure::new(doing, "it is a symbolic link").hint("name the file itself with --db"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_bundled_sqlite_is_new_enough() {
        assert!(rusqlite::version_number() >= OLDEST_SQLITE);
    }

    #[test]
    fn a_new_store_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/creel.db");
        let connection = open_for_writing(&path).unwrap();
        connection.execute("UPDATE counter SET captures = captures", []).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        assert_eq!(mode(&folder.path().join("a/b/creel.db-wal")), 0o600);
    }

    #[test]
    fn what_is_no_store_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let missing = open_for_reading(&folder.path().join("none.db")).unwrap_err();
        assert!(missing.why.contains("none yet"), "{missing}");

        let text = folder.path().join("text.db");
        fs::write(&text, "this is a text of more than sixteen bytes, and no database").unwrap();
        let failure = open_for_writing(&text).unwrap_err();
        assert!(failure.why.contains("not a database"), "{failure}");

        let foreign = folder.path().join("foreign.db");
        Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE t (a); PRAGMA user_version = 1;").unwrap();
        for failure in [open_for_writing(&foreign).unwrap_err(), open_for_reading(&foreign).unwrap_err()] {
            assert!(failure.why.contains("not creel's"), "{failure}");
        }

        let real = folder.path().join("real.db");
        drop(open_for_writing(&real).unwrap());
        let link = folder.path().join("link.db");
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert!(open_for_writing(&link).unwrap_err().why.contains("symbolic link"));
    }
}
