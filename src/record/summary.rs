//! What the list shows of a capture, and what the header shows of a store.

use super::{CaptureId, Event, Fault, Flags, Mark, Post, Tags, Timestamp, Uid, Verdict};

/// One row of the list. Read without touching a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Its number.
    pub id: CaptureId,
    /// Its name among all stores.
    pub uid: Uid,
    /// When its head was complete.
    pub received_at: Timestamp,
    /// The endpoint it came in by.
    pub endpoint: String,
    /// Who it came from, as [`Peer`](super::Peer) reads it.
    pub peer: String,
    /// The method as sent.
    pub method: String,
    /// The target's path, not decoded.
    pub path: String,
    /// The target's query, not decoded.
    pub query: Option<String>,
    /// How many bytes of the body are kept.
    pub size: u64,
    /// Whether less than the whole body is kept.
    pub truncated: bool,
    /// What is odd about it.
    pub flags: Flags,
    /// The provider.
    pub provider: Option<String>,
    /// The provider's event.
    pub event: Event,
    /// The result of the signature check.
    pub verdict: Verdict,
    /// Why it did not pass.
    pub fault: Option<Fault>,
    /// Whether the signature covers the body.
    pub covers_body: Option<bool>,
    /// How old the signature's timestamp was, in seconds.
    pub age_s: Option<i64>,
    /// The first capture of the same event.
    pub duplicate_of: Option<CaptureId>,
    /// Which delivery of its event it is, where it is not the first.
    pub repeat: Option<Repeat>,
    /// By how many milliseconds its event is older than one that came before it.
    pub late_ms: Option<i64>,
    /// The capture that a person made it out of, where it was not caught but edited.
    pub edited_from: Option<CaptureId>,
    /// The status creel answered.
    pub reply_status: u16,
    /// How often it was delivered to an app.
    pub deliveries: u32,
    /// What came of the last delivery.
    pub last_delivery: Option<LastDelivery>,
    /// How long the last delivery took.
    pub took_ms: Option<u64>,
    /// Whether it is being forwarded, or was given up.
    pub post: Option<Post>,
    /// What a person tagged it with.
    pub tags: Tags,
    /// What a person noted.
    pub note: Option<String>,
}

/// What came of a capture's last delivery, for the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastDelivery {
    /// The app replied with that status.
    Replied(u16),
    /// No reply came.
    Failed,
}

impl Summary {
    /// What is noteworthy about it.
    pub fn marks(&self) -> impl Iterator<Item = Mark> {
        marks(self.duplicate_of, self.repeat, self.fault, self.late_ms).chain(self.tags.marks())
    }
}

/// What is noteworthy about a delivery, out of its facts.
pub fn marks(
    duplicate_of: Option<CaptureId>,
    repeat: Option<Repeat>,
    fault: Option<Fault>,
    late_ms: Option<i64>,
) -> impl Iterator<Item = Mark> {
    let duplicate = duplicate_of.map(|_| Mark::Duplicate);
    let retry = repeat.filter(|repeat| repeat.is_retry).map(|_| Mark::Retry);
    let replayed = repeat.filter(|repeat| repeat.is_replay).map(|_| Mark::Replayed);
    let stale = (fault == Some(Fault::Stale)).then_some(Mark::Stale);
    let late = late_ms.map(|_| Mark::OutOfOrder);
    duplicate.into_iter().chain(retry).chain(replayed).chain(stale).chain(late)
}

/// A delivery of an event that had come before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// Which delivery of the event it is: 2 for the first repeat.
    pub attempt: u32,
    /// Milliseconds since the last one.
    pub gap_ms: i64,
    /// Whether the last one had failed (creel or the app did not answer 2xx), so that this is a retry.
    pub is_retry: bool,
    /// Whether it bears the very signature of the last one, whose time is signed: it was played back, or sent again by
    /// somebody who does not sign anew.
    pub is_replay: bool,
}

impl Repeat {
    /// The gap in words: `42 s`, `1.3 s`, `5 min`.
    pub fn gap(self) -> String {
        gap(self.gap_ms)
    }
}

/// A time between two things in words, from milliseconds: `42 s`, `1.3 s`, `5 min`.
pub fn gap(ms: i64) -> String {
    match ms {
        ms if ms < 1_000 => format!("{ms} ms"),
        ms if ms < 10_000 => format!("{:.1} s", ms as f64 / 1_000.0),
        ms if ms < 120_000 => format!("{} s", ms / 1_000),
        ms if ms < 7_200_000 => format!("{} min", ms / 60_000),
        ms if ms < 172_800_000 => format!("{} h", ms / 3_600_000),
        ms => format!("{} d", ms / 86_400_000),
    }
}

/// Seconds as a person reads them: those that a provider's window is counted in stay what they are.
pub fn span(seconds: i64) -> String {
    if seconds < 600 { format!("{seconds} s") } else { gap(seconds.saturating_mul(1_000)) }
}

/// What a store holds, counted as it was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Captures.
    pub captures: u64,
    /// Bytes of heads and bodies.
    pub bytes: u64,
    /// Captures whose check failed.
    pub failed: u64,
    /// Captures of an event that had come before.
    pub duplicates: u64,
    /// Requests refused on the wire.
    pub refused: u64,
    /// Captures that wait to be forwarded, once for each app.
    pub waiting: u64,
    /// Those that were given up.
    pub dead: u64,
    /// Apps to which nothing is forwarded for a while, because too much failed.
    pub down: u64,
}
