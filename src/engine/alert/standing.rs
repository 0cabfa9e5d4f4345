//! How an alert stands: what came and was not told, and when there is something to say. Rules of time and nothing else.

use std::time::{Duration, Instant};

use super::Alert;

/// What a look found: how many, and the newest.
pub(super) struct Found<T> {
    pub(super) count: u64,
    pub(super) newest: Option<T>,
}

impl<T> Default for Found<T> {
    fn default() -> Self {
        Self { count: 0, newest: None }
    }
}

/// What is to be told.
#[derive(Debug, PartialEq)]
pub(super) enum Call<T> {
    /// So many came, the newest of them that one.
    Came { count: u64, newest: T },
    /// Nothing came for so long.
    Silent(Duration),
    /// After that, something came.
    Back(T),
}

/// What happened so far.
pub(super) struct Standing<T> {
    untold: Found<T>,
    /// When it was told last that something came.
    told: Option<Instant>,
    /// Since when nothing has come.
    quiet: Instant,
    /// Whether that was told.
    is_silent: bool,
}

impl<T> Standing<T> {
    /// Nothing has come yet: for how long, counts from `now`.
    pub(super) fn new(now: Instant) -> Self {
        Self { untold: Found::default(), told: None, quiet: now, is_silent: false }
    }

    /// What there is to tell at `now`, when that was found.
    pub(super) fn hear(&mut self, alert: &Alert, found: Found<T>, now: Instant) -> Option<Call<T>> {
        match alert.absent {
            Some(longest) => self.hear_silence(longest, found, now),
            None => self.hear_captures(alert.every, found, now),
        }
    }

    fn hear_captures(&mut self, every: Duration, found: Found<T>, now: Instant) -> Option<Call<T>> {
        self.untold.count += found.count;
        self.untold.newest = found.newest.or(self.untold.newest.take());
        if self.told.is_some_and(|told| now < told + every) {
            return None;
        }
        let Found { count, newest } = std::mem::take(&mut self.untold);
        let newest = newest?;
        self.told = Some(now);
        Some(Call::Came { count, newest })
    }

    fn hear_silence(&mut self, longest: Duration, found: Found<T>, now: Instant) -> Option<Call<T>> {
        if let Some(newest) = found.newest {
            self.quiet = now;
            return std::mem::take(&mut self.is_silent).then_some(Call::Back(newest));
        }
        if self.is_silent || now < self.quiet + longest {
            return None;
        }
        self.is_silent = true;
        Some(Call::Silent(longest))
    }

    /// When there may be something to tell though nothing comes.
    pub(super) fn due(&self, alert: &Alert) -> Option<Instant> {
        match alert.absent {
            Some(longest) => (!self.is_silent).then(|| self.quiet + longest),
            None => self.untold.newest.as_ref().and(self.told).map(|told| told + alert.every),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Filter;

    fn alert(absent: Option<u64>) -> Alert {
        let when = Filter::parse("sig:failed").unwrap();
        Alert { when, absent: absent.map(Duration::from_secs), every: Duration::from_secs(60), run: None }
    }

    fn found(count: u64, newest: u64) -> Found<u64> {
        Found { count, newest: Some(newest) }
    }

    #[test]
    fn the_first_is_told_at_once_and_what_follows_together_when_the_time_is_up() {
        let (alert, began) = (alert(None), Instant::now());
        let at = |seconds| began + Duration::from_secs(seconds);
        let mut standing = Standing::new(began);
        assert_eq!(standing.hear(&alert, Found::default(), at(0)), None);
        assert_eq!(standing.due(&alert), None);
        assert_eq!(standing.hear(&alert, found(1, 1), at(5)), Some(Call::Came { count: 1, newest: 1 }));
        assert_eq!(standing.due(&alert), None, "there is nothing that waits");
        assert_eq!(standing.hear(&alert, found(2, 3), at(6)), None);
        assert_eq!(standing.hear(&alert, found(4, 9), at(64)), None);
        assert_eq!(standing.due(&alert), Some(at(65)));
        assert_eq!(standing.hear(&alert, Found::default(), at(65)), Some(Call::Came { count: 6, newest: 9 }));
        assert_eq!(standing.hear(&alert, Found::default(), at(200)), None);
    }

    #[test]
    fn silence_is_told_once_and_its_end_once() {
        let (alert, began) = (alert(Some(10)), Instant::now());
        let at = |seconds| began + Duration::from_secs(seconds);
        let mut standing = Standing::new(began);
        assert_eq!(standing.due(&alert), Some(at(10)));
        assert_eq!(standing.hear(&alert, found(3, 3), at(9)), None);
        assert_eq!(standing.hear(&alert, Found::default(), at(18)), None);
        assert_eq!(standing.hear(&alert, Found::default(), at(19)), Some(Call::Silent(Duration::from_secs(10))));
        assert_eq!(standing.due(&alert), None, "only what comes can be told now");
        assert_eq!(standing.hear(&alert, Found::default(), at(99)), None);
        assert_eq!(standing.hear(&alert, found(1, 4), at(100)), Some(Call::Back(4)));
        assert_eq!(standing.hear(&alert, found(1, 5), at(101)), None);
        assert_eq!(standing.due(&alert), Some(at(111)));
    }
}
