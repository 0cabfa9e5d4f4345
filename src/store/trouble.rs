//! SQLite's errors in words, and what each means for who reads or writes.

use rusqlite::{Error, ErrorCode, ffi};

use super::file::ELSEWHERE;
use crate::record::Failure;

/// What to do with a damaged file.
pub(super) const DAMAGED: &str = "keep a copy of the file; `creel export --skip-damaged` writes what can be read of it; go on \
    with a fresh one: --db PATH";

/// What to do with one that cannot be used.
const PERMISSIONS: &str =
    "look at the permissions of the file, of those beside it and of its folder, or name another file with --db";

/// What an error says about the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One job cannot be written; the others can.
    Job,
    /// Nothing can be written now; the connection is sound.
    Later,
    /// The file or the disk cannot be trusted: open again and check before anything is acknowledged.
    File,
}

/// An error, and what it says.
#[derive(Debug)]
pub(super) struct Trouble {
    pub kind: Kind,
    pub failure: Failure,
}

struct Words {
    code: ErrorCode,
    kind: Kind,
    why: &'static str,
    hint: &'static str,
}

/// The rows: what each of SQLite's errors is called here. Errors without a row keep SQLite's own words.
const WORDS: &[Words] = &[
    Words {
        code: ErrorCode::DiskFull,
        kind: Kind::Later,
        why: "the disk is full",
        hint: "free some space; a creel that captures goes on by itself",
    },
    Words {
        code: ErrorCode::DatabaseBusy,
        kind: Kind::Later,
        why: "another process has been writing to it for too long",
        hint: "see which other programs have the file open",
    },
    Words {
        code: ErrorCode::DatabaseLocked,
        kind: Kind::Later,
        why: "another process has been writing to it for too long",
        hint: "see which other programs have the file open",
    },
    Words {
        code: ErrorCode::OutOfMemory,
        kind: Kind::Later,
        why: "there is not enough memory",
        hint: "free some memory; a creel that captures goes on by itself",
    },
    Words {
        code: ErrorCode::SystemIoFailure,
        kind: Kind::File,
        why: "the disk reported an error",
        hint: "look into the system's log; creel opens the file again and checks it before it goes on",
    },
    Words { code: ErrorCode::DatabaseCorrupt, kind: Kind::File, why: "the file is damaged", hint: DAMAGED },
    Words { code: ErrorCode::NotADatabase, kind: Kind::File, why: "it is not a SQLite database", hint: ELSEWHERE },
    Words { code: ErrorCode::CannotOpen, kind: Kind::File, why: "the file cannot be opened", hint: PERMISSIONS },
    Words { code: ErrorCode::PermissionDenied, kind: Kind::File, why: "the file may not be used", hint: PERMISSIONS },
    Words { code: ErrorCode::ReadOnly, kind: Kind::File, why: "the file may not be written", hint: PERMISSIONS },
    Words {
        code: ErrorCode::TooBig,
        kind: Kind::Job,
        why: "it is larger than SQLite can hold",
        hint: "lower the limit of a body's size",
    },
    Words {
        code: ErrorCode::OperationInterrupted,
        kind: Kind::Job,
        why: "stopped",
        hint: "ask again, perhaps for less",
    },
];

fn row(error: &Error) -> Option<&'static Words> {
    // Room for the index of the WAL that the disk does not have, and no error of the disk.
    let is_full = error.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_IOERR_SHMSIZE);
    let code = if is_full { ErrorCode::DiskFull } else { error.sqlite_error_code()? };
    WORDS.iter().find(|row| row.code == code)
}

/// The failure of doing something, in words.
pub(super) fn failure(doing: impl Into<String>, error: &Error) -> Failure {
    match row(error) {
        Some(words) => Failure::new(doing, format!("{} (SQLite: {error})", words.why)).hint(words.hint),
        None => Failure::new(doing, error),
    }
}

impl Trouble {
    /// An error that one job's statement gave.
    pub(super) fn of_job(doing: &str, error: &Error) -> Self {
        Self { kind: row(error).map_or(Kind::Job, |words| words.kind), failure: failure(doing, error) }
    }

    /// An error of the transaction itself: begin, counters, commit. What is not known there is not trusted.
    pub(super) fn of_file(doing: &str, error: &Error) -> Self {
        let kind = row(error).map_or(Kind::File, |words| words.kind);
        Self { kind: if kind == Kind::Job { Kind::File } else { kind }, failure: failure(doing, error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: i32) -> Error {
        Error::SqliteFailure(ffi::Error::new(code), None)
    }

    #[test]
    fn a_full_disk_is_waited_for_and_a_broken_one_is_not_trusted() {
        assert_eq!(Trouble::of_job("", &error(ffi::SQLITE_FULL)).kind, Kind::Later);
        assert_eq!(Trouble::of_job("", &error(ffi::SQLITE_BUSY)).kind, Kind::Later);
        assert_eq!(Trouble::of_job("", &error(ffi::SQLITE_IOERR | (4 << 8))).kind, Kind::File);
        assert_eq!(Trouble::of_job("", &error(ffi::SQLITE_CORRUPT)).kind, Kind::File);
        assert_eq!(Trouble::of_job("", &error(ffi::SQLITE_CONSTRAINT)).kind, Kind::Job);
        assert_eq!(Trouble::of_file("", &error(ffi::SQLITE_CONSTRAINT)).kind, Kind::File);
        assert_eq!(Trouble::of_file("", &Error::QueryReturnedNoRows).kind, Kind::File);
    }

    #[test]
    fn every_error_a_person_can_act_on_has_a_hint() {
        let full = failure("storing", &error(ffi::SQLITE_FULL));
        assert!(full.why.starts_with("the disk is full"), "{full}");
        let index = failure("opening", &error(ffi::SQLITE_IOERR_SHMSIZE));
        assert!(index.why.starts_with("the disk is full"), "{index}");
        assert!(full.hint.is_some());
        assert_eq!(failure("storing", &Error::QueryReturnedNoRows).hint, None);
    }
}
