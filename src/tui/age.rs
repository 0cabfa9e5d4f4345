//! Ageing: what is drawn and becomes untrue by itself, without a tick.
//!
//! The loop asks after each frame when the drawn picture will differ from one drawn then, and sleeps until that or until
//! something happens. Where nothing ages it sleeps without end: an idle screen uses no processor.

use std::time::Duration;

use super::{detail::Tab, keys::Mode, layout, model::Model};
use crate::record::Timestamp;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// How long ago a moment was: `now`, `12s`, `4m`, `3h`, `2d`.
pub(super) fn words(now: Timestamp, at: Timestamp) -> String {
    match elapsed(now, at) {
        ms if ms < SECOND => "now".to_owned(),
        ms if ms < MINUTE => format!("{}s", ms / SECOND),
        ms if ms < HOUR => format!("{}m", ms / MINUTE),
        ms if ms < DAY => format!("{}h", ms / HOUR),
        ms => format!("{}d", ms / DAY),
    }
}

fn elapsed(now: Timestamp, at: Timestamp) -> i64 {
    now.unix_ms().saturating_sub(at.unix_ms()).max(0)
}

/// How long the words of a moment stay true, in milliseconds.
fn lasts(now: Timestamp, at: Timestamp) -> i64 {
    let ms = elapsed(now, at);
    unit(ms) - ms % unit(ms)
}

/// In what a time is told.
fn unit(ms: i64) -> i64 {
    match ms {
        ms if ms < MINUTE => SECOND,
        ms if ms < HOUR => MINUTE,
        ms if ms < DAY => HOUR,
        _ => DAY,
    }
}

/// How long it is until a moment, of so many milliseconds: a second that has begun counts.
pub(super) fn left(ms: i64) -> String {
    words(Timestamp::from_unix_ms(begun(ms)), Timestamp::from_unix_ms(0))
}

fn begun(ms: i64) -> i64 {
    ms.saturating_add(SECOND - 1)
}

/// How long the words of the next tries stay true, where they are shown.
fn tries(model: &Model) -> Option<i64> {
    let is_shown =
        matches!(model.detail.tab, Tab::Overview | Tab::Deliveries) && layout::areas(model).detail.height > 0;
    let waiting = model.detail.errands.iter().filter(|errand| is_shown && !errand.dead);
    let left = waiting.map(|errand| errand.due_at.since_ms(model.now)).filter(|left| *left > 0);
    left.map(|left| begun(left) % unit(begun(left)) + 1).min()
}

/// When the next frame is due though nothing happens; none: never.
pub(super) fn next(model: &Model) -> Option<Duration> {
    if model.mode == Mode::Stats {
        // Counted anew where something came, and where what is counted slides away; nothing slides where nothing is.
        let slides = model.stats.stats.as_ref().is_some_and(|stats| stats.all.iter().any(|count| *count > 0));
        let due = (slides && !model.stats.asked).then(|| model.stats.due(model.now).max(1));
        return due.map(|ms| Duration::from_millis(ms.unsigned_abs()));
    }
    let rows = model.list.seen().filter(|_| model.panes.relative).map(|row| lasts(model.now, row.received_at));
    rows.chain(model.pulse.lasts(model.now))
        .chain(tries(model))
        .min()
        .map(|ms| Duration::from_millis(ms.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_last_as_long_as_they_are_true() {
        let at = Timestamp::from_unix_ms(0);
        for (ms, text) in [(0, "now"), (999, "now"), (1_000, "1s"), (61_500, "1m"), (HOUR, "1h"), (3 * DAY + 5, "3d")] {
            let now = Timestamp::from_unix_ms(ms);
            assert_eq!(words(now, at), text);
            let later = |ms: i64| words(Timestamp::from_unix_ms(now.unix_ms() + ms), at);
            assert_eq!(later(lasts(now, at) - 1), text);
            assert_ne!(later(lasts(now, at)), text);
        }
        assert_eq!(words(at, Timestamp::from_unix_ms(500)), "now", "a clock may go back");
    }

    #[test]
    fn what_is_left_is_told_until_it_is_less() {
        for (ms, text) in [(1, "1s"), (1_000, "1s"), (1_001, "2s"), (59_001, "1m"), (59_000, "59s"), (2 * HOUR, "2h")] {
            assert_eq!(left(ms), text);
            let lasts = begun(ms) % unit(begun(ms)) + 1;
            assert_eq!(left(ms - lasts + 1), text);
            assert_ne!(left(ms - lasts), text);
        }
    }
}
