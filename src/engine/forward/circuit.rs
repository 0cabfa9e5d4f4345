//! Sparing an app that is down: after several failures nothing goes there for a while, and then one try at a time.
//! Pure: the clock is handed in.

use std::time::Duration;

use super::policy::earlier;
use crate::record::{Outcome, Timestamp};

/// How many tries must fail one after the other before an app counts as down.
const OPENS_AFTER: u32 = 5;
/// How long it is spared then; doubled with each try that fails meanwhile.
const FIRST_REST: Duration = Duration::from_secs(10);
/// How long it is spared at most.
const LONGEST_REST: Duration = Duration::from_secs(5 * 60);

/// What a circuit has to say after a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turned {
    /// The app is down: nothing goes there until then.
    Down(Timestamp),
    /// The app is up again.
    Up,
}

/// How an app has been doing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Circuit {
    failures: u32,
    until: Option<Timestamp>,
}

impl Circuit {
    /// How many tries have failed one after the other.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// Whether it counts as down.
    pub(super) fn is_spared(&self) -> bool {
        self.until.is_some()
    }

    /// How many may be under way, of so many at other times.
    pub(super) fn room(&self, usual: usize) -> usize {
        if self.failures >= OPENS_AFTER { 1 } else { usual }
    }

    /// When something may go there; none: now.
    pub(super) fn closed_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.until.filter(|until| *until > now)
    }

    /// The clock was set back by so many milliseconds.
    pub(super) fn set_back(&mut self, ms: i64) {
        self.until = self.until.map(|until| earlier(until, ms));
    }

    /// A try is over. Says so where the app is down, or up again.
    pub(super) fn tried(&mut self, outcome: &Outcome, now: Timestamp) -> Option<Turned> {
        if !is_down(outcome) {
            let was_down = self.until.take().is_some();
            self.failures = 0;
            return was_down.then_some(Turned::Up);
        }
        self.failures += 1;
        let over = self.failures.checked_sub(OPENS_AFTER)?;
        let rest = FIRST_REST.saturating_mul(2_u32.saturating_pow(over)).min(LONGEST_REST);
        let until = now.after(rest);
        self.until = Some(until);
        Some(Turned::Down(until))
    }
}

/// Whether an outcome speaks of the app and not of this capture: no reply, a 5xx, a 429. One that says 401 is up.
fn is_down(outcome: &Outcome) -> bool {
    match outcome.status() {
        None => true,
        Some(508) => false,
        Some(status) => status >= 500 || status == 429,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::record::{Cause, Headers, Reply};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_ms(seconds * 1000)
    }

    fn said(status: u16) -> Outcome {
        Outcome::Replied(Reply { status, headers: Headers::default(), body: Bytes::new(), truncated: false })
    }

    #[test]
    fn an_app_that_fails_again_and_again_is_spared_for_ever_longer_until_it_answers() {
        let mut circuit = Circuit::default();
        let refused = Outcome::Failed(Cause::Refused, "refused".into());
        for _ in 1..OPENS_AFTER {
            assert_eq!(circuit.tried(&refused, at(0)), None);
        }
        assert_eq!((circuit.room(16), circuit.closed_until(at(0))), (16, None));
        assert_eq!(circuit.tried(&said(503), at(0)), Some(Turned::Down(at(10))));
        assert_eq!(
            (circuit.room(16), circuit.closed_until(at(9)), circuit.closed_until(at(10))),
            (1, Some(at(10)), None)
        );
        assert_eq!(circuit.tried(&refused, at(10)), Some(Turned::Down(at(30))));
        for _ in 0..99 {
            circuit.tried(&refused, at(0));
        }
        assert_eq!(circuit.closed_until(at(0)), Some(at(300)));
        circuit.set_back(100_000);
        assert_eq!(circuit.closed_until(at(0)), Some(at(200)), "as far off as it was, by a clock that was set back");
        assert_eq!(circuit.tried(&said(401), at(300)), Some(Turned::Up));
        assert_eq!((circuit.room(16), circuit.failures(), circuit.tried(&said(200), at(301))), (16, 0, None));
    }
}
