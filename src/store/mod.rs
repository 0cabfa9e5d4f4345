//! **Floor 2 — SQLite and nothing else.** The one file in which every capture, delivery and refusal is kept.
//!
//! One hand writes: a process has one [`Writer`], behind it one thread with the only connection that writes rows. It drains its
//! queue into one transaction, commits it to the disk, and only then answers all who wait. So "stored" means "on the
//! disk", and a thousand senders share one flush. Readers have their own read-only connections and are never held up.
//! The [`Bell`] says that something changed; what changed is asked of a [`Reader`].
//!
//! In reading order: `schema` (the tables and how they grew), `file` (opening: modes, pragmas, whose file it is),
//! `lock` (one capturing process a store), `queue` and `writer` (what callers hold), `scribe` (the thread: batches,
//! trouble, recovery), `shorten` (a WAL that stays short), `insert`, `post` and `batch` (rows in), `seen` (repeats of an event), `select` and `reader` (rows out), `rescue` (what is left of a damaged file), `large` (bodies too large for memory), `codec`
//! (lists of headers and the like as one column), `over` (what goes where less is to be kept), `function` (what filters use in SQL), `search` (rows that a filter takes,
//! a slice at a time), `values` (what stands in its columns, for whoever types a filter), `gram` and `index` (what lets a search pass over most of them), `trouble` (SQLite's errors in words).
//!
//! This room must never: speak HTTP, judge a signature, know a screen, read a clock, acknowledge before the commit, keep
//! a second copy of what the file says, or let a byte of a damaged file panic.

mod batch;
mod bell;
mod codec;
mod file;
mod function;
mod gram;
mod index;
mod insert;
mod large;
mod lock;
mod looker;
mod over;
mod post;
mod queue;
mod reader;
mod rescue;
mod retold;
mod schema;
mod scribe;
mod search;
mod seen;
mod select;
mod shorten;
mod stats;
#[cfg(test)]
mod tests;
mod totals;
mod trouble;
mod values;
mod writer;

pub use bell::Bell;
pub use file::{has_file, sqlite_version};
pub use function::teach;
pub use index::Indexer;
pub use large::{Looking, looking};
pub use lock::{Holder, holder};
pub use looker::{Looker, Sleep};
pub use over::{Bounds, Over, Reach, Spot, Stayed};
pub use post::{Posted, Posting};
pub use queue::{Full, Haste};
pub use reader::{Bodies, Interrupter, Reader, Sorting, Start};
pub use rescue::{List, Rescued};
pub use search::Slice;
pub use stats::{Beat, Counts, PIECES, SIZES, Stats, TIMES, VERDICTS};
pub use totals::{Amount, Kind, Totals};
pub use writer::{Brought, Imported, JudgedAgain, Onward, Pending, Role, Settler, Source, Stored, Writer};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Most jobs that wait to be written or are being written; one more is [`Full`].
pub const QUEUE_JOBS: usize = 4_096;
/// Most bytes of heads and bodies that wait to be written or are being written; more is [`Full`].
pub const QUEUE_BYTES: usize = 64 * MIB;
/// Most jobs in one transaction. A cap of 16 halves the throughput, one job a transaction leaves a tenth.
pub const BATCH_JOBS: usize = 512;
/// Bytes of heads and bodies after which a transaction takes no further job.
pub const BATCH_BYTES: usize = 8 * MIB;
/// Bytes of a body up to which it lies in its capture's row; a larger one lies in chunks of this size, so that no more
/// than one of them is copied at a time.
pub const CHUNK_BYTES: usize = 256 * KIB;
/// Captures that are deleted in one transaction at most.
pub const FORGET_AT_ONCE: usize = 500;
/// How many refusals are kept; of older ones only the count is.
pub const REFUSALS_KEPT: i64 = 10_000;
/// Bytes of refused heads that are kept; of older ones only the count is.
pub const REFUSALS_BYTES: i64 = 64 * MIB as i64;
