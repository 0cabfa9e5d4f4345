//! Traffic over time: the last minute in the header, and the statistics of a minute, an hour or a day.

mod pulse;

pub(super) use self::pulse::{Pulse, colour};
use crate::{record::Timestamp, store::Stats};

/// The times that statistics are made of: what they are called, and how long they are in milliseconds.
pub(super) const WINDOWS: &[(&str, i64)] =
    &[("last minute", 60_000), ("last hour", 3_600_000), ("last day", 86_400_000)];

/// The shortest time between two counts, in milliseconds: one may go over a million rows.
const PAUSE_MS: i64 = 1_000;

/// The statistics that are shown.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// The place in [`WINDOWS`].
    pub(super) window: usize,
    pub(super) stats: Option<Stats>,
    /// Answers of other generations are late.
    pub(super) generation: u64,
    /// Whether an answer is on its way.
    pub(super) asked: bool,
    /// When the last one came.
    pub(super) at: Timestamp,
    /// How many rows are scrolled away.
    pub(super) scroll: usize,
}

impl Shown {
    /// The time that is counted, up to now.
    pub(super) fn span(&self, now: Timestamp) -> (Timestamp, Timestamp) {
        let length = WINDOWS.get(self.window).map_or(60_000, |window| window.1);
        // The moment itself is counted too.
        let until = now.unix_ms().saturating_add(1);
        (Timestamp::from_unix_ms(until.saturating_sub(length)), Timestamp::from_unix_ms(until))
    }

    /// How long until the next count is due, in milliseconds. A piece of a long time does not fill in a second.
    pub(super) fn due(&self, now: Timestamp) -> i64 {
        let length = WINDOWS.get(self.window).map_or(60_000, |window| window.1);
        let pause = PAUSE_MS.max(length / 60 / 4);
        (self.at.unix_ms().saturating_add(pause)).saturating_sub(now.unix_ms()).max(0)
    }
}
