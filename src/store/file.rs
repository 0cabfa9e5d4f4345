//! Opening the file: whose it is, who may read it, and how SQLite is told to use it.

use std::{
    ffi::OsString,
    fs::{self, DirBuilder, OpenOptions, Permissions},
    io::ErrorKind,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, Error, ErrorCode, OpenFlags, config::DbConfig, ffi};

use super::{
    KIB,
    function::teach,
    lock::Lock,
    schema::{self, Migration, State},
    trouble,
    writer::Role,
};
use crate::record::Failure;

/// Mode of the store's files: the owner's alone. SQLite gives the WAL and its index the mode of the main file.
pub(super) const FILE_MODE: u32 = 0o600;
/// Mode of a folder that is made for the store.
const FOLDER_MODE: u32 = 0o700;
/// SQLite's first version without the WAL-reset bug, by which two connections could damage a file
/// (`sqlite.org/releaselog/3_51_3.html`).
const SQLITE_VERSION_MIN: i32 = 3_051_003;
/// Bytes of a page. Smaller ones write large bodies slower, larger ones what is forwarded: a commit of one capture writes
/// a few whole pages, however little is new in each.
pub(super) const PAGE_BYTES: usize = 8 * KIB;
/// Pages of WAL after which a visiting process moves them into the main file, within a commit: it leaves it to the
/// capturing one while there is one.
const VISITING_CHECKPOINT_PAGES: i64 = 8_000;
/// Bytes of WAL that stay on the disk after a burst.
const WAL_KEPT_BYTES: i64 = 64 * 1024 * 1024;
/// KiB of pages that a writing connection keeps in memory.
const WRITER_CACHE_KIB: i64 = 2 * 1024;
/// KiB of pages that a reading connection keeps in memory.
const READER_CACHE_KIB: i64 = 2 * 1024;
/// Bytes of the first part of a WAL's index. One that is shorter could not be made, and nobody has it.
const INDEX_BYTES: u64 = 32 * 1024;
/// How long one process waits for another's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Prepared statements a connection keeps.
const STATEMENTS: usize = 64;

/// The version of the SQLite inside, as `3.54.1`.
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}

/// What to do where a store cannot be made or used.
pub(super) const ELSEWHERE: &str = "name another file with --db";

/// What is being done, for a failure.
pub(super) fn opening(path: &Path) -> String {
    format!("opening the store {}", path.display())
}

/// The path of a file that belongs to the store: `creel.db-lock`.
pub(super) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    PathBuf::from(name)
}

/// The path from the root. SQLite would take a relative `file:x` for a URI.
pub(super) fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| Failure::new(opening(path), error).hint("name a file with --db"))
}

/// What the names of the other files of a store have behind that of the main one.
const BESIDE: [&str; 4] = ["", "-wal", "-shm", "-lock"];

/// Whether a path, by whatever name, leads to one of the files of the store at `store`.
pub fn has_file(store: &Path, path: &Path) -> bool {
    let is_it =
        |file: Identity| BESIDE.iter().any(|end| Identity::of(&beside(store, end)).is_ok_and(|own| own == file));
    Identity::of(path).is_ok_and(is_it)
}

/// Says no to a symbolic link: what it points to is not creel's to write.
pub(super) fn refuse_symlink(path: &Path) -> Result<(), String> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => Err(format!("{} is a symbolic link", path.display())),
        Ok(found) if !found.is_file() => Err(format!("{} is not a file", path.display())),
        _ => Ok(()),
    }
}

/// Makes the store's folder, where there is none, for the owner alone. A folder that was there is left as it is: it is
/// the person's, not creel's.
pub(super) fn make_folder(path: &Path) -> Result<(), Failure> {
    let Some(folder) = path.parent().filter(|folder| !folder.is_dir()) else { return Ok(()) };
    DirBuilder::new()
        .recursive(true)
        .mode(FOLDER_MODE)
        .create(folder)
        .map_err(|error| Failure::new(format!("making the folder {}", folder.display()), error).hint(ELSEWHERE))
}

/// Makes the file, where there is none, before SQLite sees it: SQLite would use the process's mask.
pub(super) fn make(path: &Path) -> Result<(), Failure> {
    let made = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path);
    match made {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(Failure::new(opening(path), error).hint(ELSEWHERE)),
    }
}

/// Which file a path leads to, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    /// The file at that path now.
    pub(super) fn of(path: &Path) -> std::io::Result<Self> {
        fs::metadata(path).map(|found| Self { device: found.dev(), inode: found.ino() })
    }
}

/// Opens the writing connection of a process, on a file that exists. The caller holds the lock, when it captures.
pub(super) fn connect(path: &Path, role: Role) -> Result<Connection, Failure> {
    connect_with(path, role, schema::MIGRATIONS)
}

/// [`connect`] with other migrations.
pub(super) fn connect_with(path: &Path, role: Role, steps: &[Migration]) -> Result<Connection, Failure> {
    assert_version(path)?;
    let doing = opening(path);
    let mut connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let state = schema::state(&connection, path)?;
    schema::refuse_newer(state, steps.len(), path)?;
    // Only now is it known to be creel's.
    fs::set_permissions(path, Permissions::from_mode(FILE_MODE)).map_err(|error| match error.kind() {
        ErrorKind::PermissionDenied => {
            let why = "the file is somebody else's, and creel writes only to what it can keep from all others";
            Failure::new(&doing, why).hint(COPY_IT)
        }
        _ => Failure::new(&doing, error),
    })?;
    set_up(&connection, role).map_err(|error| trouble::failure(&doing, &error))?;
    if state != State::Version(steps.len()) {
        let _lock = (role == Role::Visiting).then(|| Lock::take_to_bring_up(path)).transpose()?;
        back_up(&connection, state, path)?;
        schema::migrate(&mut connection, steps)?;
    }
    Ok(connection)
}

/// Opens a connection that only moves pages from the WAL into the main file, on a store that is open.
pub(super) fn connect_to_shorten(path: &Path) -> Result<Connection, Failure> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    set_up(&connection, Role::Capturing).map_err(|error| trouble::failure(opening(path), &error))?;
    Ok(connection)
}

/// Moves what it can from the WAL into the main file, without waiting for anybody.
pub(super) fn checkpoint(connection: &Connection) -> Result<(), Error> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |_| Ok(()))
}

/// Opens a reading connection, on a store that exists.
pub(super) fn connect_reading(path: &Path) -> Result<Connection, Failure> {
    assert_version(path)?;
    refuse_missing(path)?;
    let (connection, is_fixed) = look(path)?;
    let known = schema::MIGRATIONS.len();
    let state = schema::state(&connection, path)?;
    schema::refuse_newer(state, known, path)?;
    match state {
        State::Fresh => return Err(missing(path, "nothing has been captured into it yet")),
        State::Version(version) if version < known && is_fixed => {
            let why = "it is of an older version and must be brought up to this one, and nothing may be written there";
            return Err(Failure::new(opening(path), why).hint(COPY_IT));
        }
        // An older store is brought up by a visiting writer, which is at once gone again.
        State::Version(version) if version < known => drop(connect(path, Role::Visiting)?),
        State::Version(_) => (),
    }
    let pragmas = || -> Result<(), Error> {
        connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
        connection.pragma_update(None, "query_only", true)
    };
    pragmas().map_err(|error| trouble::failure(opening(path), &error))?;
    Ok(connection)
}

/// What to do about a store that cannot be read where it is.
const COPY_IT: &str =
    "copy it, with all files that begin with its name, to a folder of yours and name that one with --db";

/// Opens a store for reading, and says whether it is one that nobody changes: where nothing can be written beside it, SQLite is
/// told so, since it keeps a WAL's index there otherwise.
fn look(path: &Path) -> Result<(Connection, bool), Failure> {
    // Where it is there, this process may have the store open, and to close the file once more would let go of SQLite's locks
    // on it.
    let has_index = fs::symlink_metadata(beside(path, "-shm")).is_ok_and(|found| found.len() >= INDEX_BYTES);
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    match connection.pragma_query_value(None, "user_version", |_| Ok(())) {
        Err(error) if !has_index && lacks_its_index(path, &error) => fixed(path).map(|connection| (connection, true)),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
            read_a_cut_file(&connection).map_err(|error| trouble::failure(opening(path), &error))?;
            Ok((connection, false))
        }
        // Any other trouble is told by whoever asks next.
        _ => Ok((connection, false)),
    }
}

/// Lets a file be read that is shorter than it says, as far as it goes: SQLite reads nothing of one otherwise, but where its
/// schema may be written, which a connection that only reads cannot do anyway.
fn read_a_cut_file(connection: &Connection) -> Result<(), Error> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false)?;
    connection.pragma_update(None, "writable_schema", true)
}

/// Whether an error says that the WAL's index cannot be made, since nothing may be written or the disk is full, and the store
/// itself can be read.
fn lacks_its_index(path: &Path, error: &Error) -> bool {
    let is_forbidden = matches!(error.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly));
    let has_no_room = error.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_IOERR_SHMSIZE);
    (is_forbidden || has_no_room) && fs::File::open(path).is_ok()
}

/// Opens a store as a file that nobody changes. What stands in a WAL would not be seen, so there may be none.
fn fixed(path: &Path) -> Result<Connection, Failure> {
    let wal = beside(path, "-wal");
    if fs::metadata(&wal).is_ok_and(|found| found.len() > 0) {
        let why =
            format!("what came last is in {}, and SQLite reads that only where it may write beside it", wal.display());
        return Err(Failure::new(opening(path), why).hint(COPY_IT));
    }
    let uri = PathBuf::from(format!("file:{}?immutable=1", percent(path)));
    open_as(&uri, path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI)
}

/// A path as it stands in a URI.
fn percent(path: &Path) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    let bytes = path.as_os_str().as_encoded_bytes().iter();
    bytes.map(|&byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// Whether a store is there and ready to be read.
pub(super) fn is_made(path: &Path) -> Result<bool, Failure> {
    if refuse_missing(path).is_err() {
        return Ok(false);
    }
    let (connection, _) = look(path)?;
    Ok(!matches!(schema::state(&connection, path)?, State::Fresh))
}

/// Refuses a store that is not there, with what to do.
pub(super) fn refuse_missing(path: &Path) -> Result<(), Failure> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Err(missing(path, "there is none")),
        _ => Ok(()),
    }
}

fn missing(path: &Path, why: &str) -> Failure {
    Failure::new(opening(path), why).hint("`creel` or `creel serve` makes it; --db PATH names another")
}

fn assert_version(path: &Path) -> Result<(), Failure> {
    if rusqlite::version_number() >= SQLITE_VERSION_MIN {
        return Ok(());
    }
    let why = format!("creel was built with SQLite {}, whose WAL can damage a file", rusqlite::version());
    Err(Failure::new(opening(path), why).hint("build it with SQLite 3.51.3 or newer: the bundled one"))
}

fn open(path: &Path, access: OpenFlags) -> Result<Connection, Failure> {
    open_as(path, path, access)
}

/// Opens the store at `path` by another name that SQLite knows for it.
fn open_as(name: &Path, path: &Path, access: OpenFlags) -> Result<Connection, Failure> {
    refuse_symlink(path).map_err(|why| Failure::new(opening(path), why).hint("name the file itself with --db"))?;
    let connection = || -> Result<Connection, Error> {
        let connection = Connection::open_with_flags(name, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        // A file may come from anywhere: its schema runs no functions, and SQL cannot rewrite it.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        // Else SQLite compiles a kept statement anew each time it is used: its plan might depend on the values
        // (`sqlite.org/queryplanner-ng.html#qpsg`), and taking the last ones out of it counts as other values.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.pragma_update(None, "cell_size_check", true)?;
        teach(&connection)?;
        Ok(connection)
    };
    connection().map_err(|error| trouble::failure(opening(path), &error))
}

/// The pragmas of a writing connection. The page size must be said before the WAL is switched on; in a file that has
/// pages already it says nothing.
fn set_up(connection: &Connection, role: Role) -> Result<(), Error> {
    let checkpoint = match role {
        // SQLite would do it before it says that the commit is through, and everybody in it would wait: see `shorten`.
        Role::Capturing => 0,
        Role::Visiting => VISITING_CHECKPOINT_PAGES,
    };
    connection.pragma_update(None, "page_size", PAGE_BYTES as i64)?;
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "full")?;
    // On macOS an fsync ends in the drive's cache; only F_FULLFSYNC reaches the disk (https://sqlite.org/pragma.html#pragma_fullfsync).
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", checkpoint, |_| Ok(()))?;
    connection.pragma_update_and_check(None, "journal_size_limit", WAL_KEPT_BYTES, |_| Ok(()))?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)
}

/// Copies an older store before it is migrated, to `creel.db.v1`.
fn back_up(connection: &Connection, state: State, path: &Path) -> Result<(), Failure> {
    let State::Version(version) = state else { return Ok(()) };
    let copy = beside(path, &format!(".v{version}"));
    let doing = format!("copying the store to {} before it is brought up to this version", copy.display());
    // A copy that is there was cut off, or the migration after it: the store itself is whole and still old.
    match fs::remove_file(&copy) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(Failure::new(doing, error)),
        _ => make(&copy)?,
    }
    let name = copy.to_str().ok_or_else(|| Failure::new(&doing, "its name is not UTF-8"))?;
    connection.execute("VACUUM INTO ?1", [name]).map_err(|error| trouble::failure(doing, &error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sqlite_inside_is_free_of_the_wal_reset_bug() {
        assert!(rusqlite::version_number() >= SQLITE_VERSION_MIN, "{}", sqlite_version());
    }

    fn pragma(connection: &Connection, name: &str) -> String {
        connection
            .pragma_query_value(None, name, |row| row.get_ref(0).map(|value| format!("{value:?}")))
            .unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    #[test]
    fn a_writing_connection_syncs_every_commit_into_a_short_wal_of_large_pages() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("creel.db");
        make(&path).unwrap();
        let connection = connect(&path, Role::Capturing).unwrap();
        for (name, value) in [
            ("page_size", "Integer(8192)"),
            ("synchronous", "Integer(2)"),
            ("fullfsync", "Integer(1)"),
            ("wal_autocheckpoint", "Integer(0)"),
            ("cache_size", "Integer(-2048)"),
            ("busy_timeout", "Integer(5000)"),
            ("trusted_schema", "Integer(0)"),
        ] {
            assert_eq!(pragma(&connection, name), value, "{name}");
        }
        let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
        assert_eq!(mode, "wal");
    }

    #[test]
    fn a_store_that_nobody_changes_is_read_where_it_has_no_wal_and_whatever_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("odd ?#%41&immutable=0é.db");
        make(&path).unwrap();
        connect(&path, Role::Capturing).unwrap().execute("UPDATE counter SET captures = 7", ()).unwrap();
        let count = |connection: &Connection| -> i64 {
            connection.query_row("SELECT captures FROM counter", (), |row| row.get(0)).unwrap()
        };
        let connection = fixed(&path).unwrap();
        assert_eq!(count(&connection), 7);
        assert!(!beside(&path, "-shm").exists(), "nothing is made beside it");
        fs::write(beside(&path, "-wal"), "").unwrap();
        assert_eq!(count(&fixed(&path).unwrap()), 7, "an empty WAL holds nothing");
        fs::write(beside(&path, "-wal"), "frames").unwrap();
        let said = fixed(&path).unwrap_err().to_string();
        assert!(said.contains("-wal") && said.contains("copy it"), "{said}");
    }

    #[test]
    fn a_kept_statement_is_compiled_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("creel.db");
        make(&path).unwrap();
        let connection = connect(&path, Role::Capturing).unwrap();
        let sql = "SELECT chunks FROM summary JOIN content USING (id) WHERE summary.id = ?";
        for capture in 0..5 {
            assert!(!connection.prepare_cached(sql).unwrap().exists([capture]).unwrap());
        }
        let again = connection.prepare_cached(sql).unwrap().get_status(rusqlite::StatementStatus::RePrepare);
        assert_eq!(again, 0);
    }

    #[test]
    fn an_older_store_is_copied_before_it_is_migrated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("creel.db");
        make(&path).unwrap();
        connect(&path, Role::Capturing).unwrap().execute("UPDATE counter SET captures = 7", ()).unwrap();
        let next = Migration { reason: "a synthetic step", sql: "UPDATE counter SET captures = 8" };
        let steps: Vec<_> = schema::MIGRATIONS
            .iter()
            .map(|step| Migration { reason: step.reason, sql: step.sql })
            .chain([next])
            .collect();
        let copy = beside(&path, &format!(".v{}", schema::MIGRATIONS.len()));
        fs::write(&copy, "the rest of a copy that was cut off").unwrap();
        let captures = |connection: &Connection| -> i64 {
            connection.query_row("SELECT captures FROM counter", (), |row| row.get(0)).unwrap()
        };
        assert_eq!(captures(&connect_with(&path, Role::Visiting, &steps).unwrap()), 8);
        assert_eq!(captures(&Connection::open(&copy).unwrap()), 7);
        assert_eq!(fs::metadata(&copy).unwrap().mode() & 0o777, FILE_MODE);
    }

    #[test]
    fn who_reads_what_an_older_creel_captures_into_is_told_to_stop_that_one_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("creel.db");
        make(&path).unwrap();
        let newest = schema::MIGRATIONS.len();
        let older = connect_with(&path, Role::Capturing, &schema::MIGRATIONS[..newest - 1]).unwrap();
        let mut lock = Lock::take(&path).unwrap();
        lock.announce("http://127.0.0.1:27335").unwrap();
        for refused in [connect_reading(&path), connect(&path, Role::Visiting)] {
            let said = refused.unwrap_err().to_string();
            let pid = std::process::id().to_string();
            for words in ["must be brought up", &pid, "http://127.0.0.1:27335", "stop that one", "`creel serve`"] {
                assert!(said.contains(words), "{words}: {said}");
            }
            assert!(!said.contains("creel watch"), "{said}");
        }
        assert_eq!(schema::state(&older, &path).unwrap(), State::Version(newest - 1));
        drop((older, lock));
        assert_eq!(schema::state(&connect_reading(&path).unwrap(), &path).unwrap(), State::Version(newest));
    }
}
