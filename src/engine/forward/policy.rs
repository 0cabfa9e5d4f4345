//! When a failed errand is tried again. Pure: chance and clock are handed in.

use std::time::Duration;

use crate::{
    record::{Outcome, Timestamp},
    verify::Habits,
};

/// The gaps where neither the configuration nor the provider names any: a short look, then ever further apart.
const GAPS: &[u64] = &[5, 30, 2 * 60, 10 * 60, 60 * 60];
/// How far a gap may be off, as a part of it, so that many that failed together do not come back together.
const JITTER: f64 = 0.1;
/// The longest that an app can make creel wait by `Retry-After`.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// When a failed errand is tried again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Retry {
    /// As its provider would, where that is known; else after 5 s, 30 s, 2 min, 10 min and 1 h.
    #[default]
    Provider,
    /// After these; after none: never.
    After(Vec<Duration>),
}

impl Retry {
    /// How long to wait after so many tries; none: it is given up. `chance` is 0 to 1.
    pub(super) fn wait(&self, tries: u32, habits: Option<&Habits>, chance: f64) -> Option<Duration> {
        let turn = (tries as usize).checked_sub(1)?;
        let gap = match (self, habits.and_then(|habits| habits.retries.as_ref())) {
            (Self::After(gaps), _) => gaps.get(turn).copied(),
            // A provider that never tries again leaves it to creel, which was told to.
            (Self::Provider, Some(gaps)) if !gaps.is_empty() => {
                gaps.get(turn).map(|&seconds| Duration::from_secs(seconds.into()))
            }
            (Self::Provider, _) => GAPS.get(turn).map(|&seconds| Duration::from_secs(seconds)),
        };
        gap.map(|gap| gap.mul_f64(1.0 - JITTER + 2.0 * JITTER * chance.clamp(0.0, 1.0)))
    }
}

/// How long the app asks creel to wait: seconds or a date (RFC 9110, section 10.2.3).
pub(super) fn asked_to_wait(outcome: &Outcome, now: Timestamp) -> Option<Duration> {
    let Outcome::Replied(reply) = outcome else { return None };
    let text = reply.headers.text("retry-after")?.trim();
    let wait = if let Ok(seconds) = text.parse::<u64>() {
        Duration::from_secs(seconds)
    } else {
        let until = Timestamp::from_http_date(text)?;
        Duration::from_millis(until.since_ms(now).max(0) as u64)
    };
    Some(wait.min(LONGEST_WAIT))
}

/// So many milliseconds before that.
pub(super) fn earlier(at: Timestamp, ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(at.unix_ms().saturating_sub(ms))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::record::Reply;

    fn seconds(gaps: &[u64]) -> Vec<Duration> {
        gaps.iter().map(|&s| Duration::from_secs(s)).collect()
    }

    /// The whole schedule, without chance.
    fn schedule(retry: &Retry, habits: Option<&Habits>) -> Vec<Duration> {
        (1..).map_while(|tries| retry.wait(tries, habits, 0.5)).collect()
    }

    #[test]
    fn the_provider_s_schedule_a_given_one_or_the_usual() {
        let svix = Habits { retries: Some(vec![5, 300, 1800]), ..Habits::default() };
        let once = Habits { retries: Some(Vec::new()), ..Habits::default() };
        assert_eq!(schedule(&Retry::Provider, Some(&svix)), seconds(&[5, 300, 1800]));
        assert_eq!(schedule(&Retry::Provider, Some(&once)), seconds(GAPS));
        assert_eq!(schedule(&Retry::Provider, None), seconds(GAPS));
        assert_eq!(schedule(&Retry::After(seconds(&[1, 2])), Some(&svix)), seconds(&[1, 2]));
        assert_eq!(schedule(&Retry::After(Vec::new()), Some(&svix)), Vec::<Duration>::new());
    }

    #[test]
    fn chance_moves_a_gap_by_a_tenth() {
        let retry = Retry::After(seconds(&[100]));
        let waits = [0.0, 1.0, -5.0, 9.0].map(|chance| retry.wait(1, None, chance).unwrap().as_secs());
        assert_eq!(waits, [90, 110, 90, 110]);
    }

    #[test]
    fn what_an_app_asks_for_is_read_in_both_forms_and_bounded() {
        let now = Timestamp::from_unix_ms(784_111_767_000);
        for (text, wait) in [
            ("120", Some(120)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(10)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("999999999999", Some(86_400)),
            ("soon", None),
            ("-1", None),
        ] {
            let headers = [("Retry-After", text)].into_iter().collect();
            let reply = Outcome::Replied(Reply { status: 503, headers, body: Bytes::new(), truncated: false });
            assert_eq!(asked_to_wait(&reply, now), wait.map(Duration::from_secs), "{text}");
        }
    }
}
