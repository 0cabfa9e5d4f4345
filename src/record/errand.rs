//! What must still be brought to an app: captures that are forwarded, and batches of captures that are sent again.

use std::fmt;

use super::{CaptureId, Timestamp};

/// An errand's number in its store, also of what is sent again in a batch: never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrandId(pub i64);

/// A batch's number in its store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId(pub i64);

impl fmt::Display for BatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A capture that must be brought to an app by itself. It is in the store before it goes out, and until it is done; each try at it
/// is a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errand {
    /// Its number.
    pub id: ErrandId,
    /// What is brought.
    pub capture: CaptureId,
    /// Where to, as the configuration names it.
    pub lane: String,
    /// How often it was tried.
    pub tries: u32,
    /// When the next try is due.
    pub due_at: Timestamp,
    /// Whether it was given up.
    pub dead: bool,
    /// Why the last try failed.
    pub why: Option<String>,
}

/// What becomes of an errand after a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is done.
    Done,
    /// It is tried again at that time, because of that.
    Again(Timestamp, String),
    /// It is given up, because of that.
    Dead(String),
}

/// What a try came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// The errand.
    pub errand: ErrandId,
    /// What becomes of it.
    pub next: Next,
    /// What creel answered the sender because of it, where it waited for that.
    pub answered: Option<u16>,
}

/// Captures that are sent again together, so that they can be stopped and continued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Its number.
    pub id: BatchId,
    /// When it was begun.
    pub at: Timestamp,
    /// How many there were.
    pub total: u64,
    /// How many are left.
    pub left: u64,
    /// How they are sent, as JSON of whoever began it. No secret stands in it.
    pub spec: String,
}

/// An app to which nothing is forwarded for a while, because too much failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circuit {
    /// Where to, as in the errands.
    pub lane: String,
    /// How many tries failed one after the other.
    pub failures: u32,
    /// When it is tried again.
    pub until: Timestamp,
    /// Why the last one failed.
    pub why: String,
}

/// How a capture stands with those that are brought to an app by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Post {
    /// It is on its way.
    Waiting,
    /// It was given up.
    Dead,
}
