//! **Floor 2 — SQLite and nothing else.** One file holds everything; one thread writes it; readers read beside it.
//!
//! A capture is acknowledged only after the transaction that holds it is on the disk. Nothing here may ever answer
//! before that, write a row by half, or let a reader see a body when it asked for a list. This room knows neither HTTP
//! nor the screen nor where secrets come from: no secret ever gets here.

mod bell;
mod file;
mod lock;
mod queue;
mod reader;
mod rows;
mod schema;
mod seen;
mod writer;

pub use bell::Bell;
pub use lock::{Holder, holder};
pub use queue::{Full, Pending, Settler};
pub use reader::{Bodies, Interrupter, Reader, Start};
pub use writer::{Role, Stored, Writer};

use crate::record::Failure;

/// Bodies up to this many bytes stand in their capture's row, larger ones in chunks of this size. 256 KiB keeps memory
/// bounded and costs nothing against one large value.
const CHUNK_BYTES: usize = 256 << 10;

/// A failure of SQLite, in words.
fn failure(doing: &str, why: &rusqlite::Error) -> Failure {
    let failure = Failure::new(doing, plain(why));
    match why.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => failure.hint("free some space; creel goes on by itself"),
        Some(rusqlite::ErrorCode::NotADatabase) => failure.hint("name another file with --db"),
        Some(rusqlite::ErrorCode::DatabaseCorrupt) => {
            failure.hint("the store is damaged; move it away, and creel begins a new one")
        }
        _ => failure,
    }
}

/// SQLite's words without its numbers.
fn plain(why: &rusqlite::Error) -> String {
    match why {
        rusqlite::Error::SqliteFailure(code, text) => text.clone().unwrap_or_else(|| code.to_string()),
        other => other.to_string(),
    }
}
