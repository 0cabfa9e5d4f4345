//! Whether the clock can be believed.
//!
//! *A clock that is wrong* would make everything old at once. So the clock is doubted where it went on further than half of
//! the time that is kept and nobody saw that time pass: at a start by what came meanwhile, later by the clock that nobody can
//! set. It is said then how much would go, and that happens only after a while, if the clock still says so. A machine that
//! slept, or a creel that was not needed for long, loses that while and nothing else. A clock that is behind makes nothing old.

use std::time::{Duration, Instant};

use super::sweeper::Moment;
use crate::record::{Failure, whole_ms};

/// How long nothing is forgotten by age once the clock is doubted; and no longer than what is kept.
pub(super) const DOUBT: Duration = Duration::from_secs(60 * 60);

/// Whether the clock can be believed.
#[derive(Default)]
pub(super) struct Trust {
    last: Option<Moment>,
    /// Until when it is doubted.
    until: Option<Instant>,
}

impl Trust {
    /// Until when it is doubted.
    pub(super) fn until(&self) -> Option<Instant> {
        self.until
    }

    /// `pause` tells for how long nothing came around the middle of the time that is kept: any time without captures in it
    /// that is longer than its half has that middle in it.
    pub(super) fn is_doubted(
        &mut self,
        at: Moment,
        kept: Duration,
        pause: impl FnOnce() -> Result<i64, Failure>,
    ) -> Result<bool, Failure> {
        let leap = match self.last {
            None => pause()?,
            Some(last) => {
                let seen = whole_ms(at.steady.saturating_duration_since(last.steady));
                at.wall.since_ms(last.wall).saturating_sub(seen)
            }
        };
        self.last = Some(at);
        if leap > whole_ms(kept) / 2 {
            self.until = Some(at.steady + kept.min(DOUBT));
        }
        self.until = self.until.filter(|until| *until > at.steady);
        Ok(self.until.is_some())
    }
}
