//! The last minute, in slots of a few seconds.

use std::{collections::VecDeque, ops::Range};

use crate::{
    record::{CaptureId, Timestamp},
    store::{Beat, Counts, VERDICTS},
    tui::look::Paint,
};

/// How long a slot is, in seconds.
const SLOT_S: i64 = 3;
/// How many slots there are: a minute.
const SLOTS: usize = 20;
/// Over how many whole slots the rate is taken.
const RATE_SLOTS: i64 = 3;

/// What came in the last minute. It is counted once and remembered: each question brings what is new.
#[derive(Debug, Default)]
pub(in crate::tui) struct Pulse {
    /// The newest capture that was counted.
    pub(in crate::tui) after: CaptureId,
    /// Whether an answer is on its way.
    pub(in crate::tui) asked: bool,
    /// Slots by number, oldest first; those without a capture are not there.
    slots: VecDeque<(i64, Counts)>,
}

impl Pulse {
    /// From when on it counts.
    pub(in crate::tui) fn since(now: Timestamp) -> Timestamp {
        Timestamp::from_unix_ms(now.unix_ms().saturating_sub(SLOTS as i64 * SLOT_S * 1_000))
    }

    /// Takes what is new.
    pub(in crate::tui) fn take(&mut self, after: CaptureId, beats: &[Beat]) {
        self.after = after;
        for beat in beats {
            let number = beat.second.div_euclid(SLOT_S);
            let at = self.slots.partition_point(|slot| slot.0 < number);
            if self.slots.get(at).is_none_or(|slot| slot.0 != number) {
                self.slots.insert(at, (number, [0; VERDICTS]));
            }
            if let Some(count) = self.slots.get_mut(at).and_then(|slot| slot.1.get_mut(beat.verdict)) {
                *count += beat.count;
            }
        }
        while self.slots.len() > SLOTS + 1 {
            self.slots.pop_front();
        }
    }

    /// The slots up to now, oldest first; empty ones too. None where nothing came.
    pub(in crate::tui) fn slots(&self, now: Timestamp) -> Option<[Counts; SLOTS]> {
        let last = slot_of(now);
        let mut slots = [[0; VERDICTS]; SLOTS];
        let mut any = false;
        for (number, counts) in &self.slots {
            let place = SLOTS as i64 - 1 - (last - number);
            if let Some(slot) = usize::try_from(place).ok().and_then(|place| slots.get_mut(place)) {
                *slot = *counts;
                any = true;
            }
        }
        any.then_some(slots)
    }

    /// How many a second, over the last whole slots; none where the first have only just come.
    pub(in crate::tui) fn rate(&self, now: Timestamp) -> Option<f64> {
        let last = slot_of(now);
        let count = |slots: Range<i64>| -> u64 {
            self.slots.iter().filter(|slot| slots.contains(&slot.0)).flat_map(|slot| slot.1).sum()
        };
        let whole = count(last - RATE_SLOTS..last);
        (whole > 0 || count(last..last + 1) == 0).then(|| whole as f64 / (RATE_SLOTS * SLOT_S) as f64)
    }

    /// How long what is drawn of it stays true, in milliseconds; none: for ever.
    pub(in crate::tui) fn lasts(&self, now: Timestamp) -> Option<i64> {
        let slot_ms = SLOT_S * 1_000;
        self.slots(now).map(|_| slot_ms - now.unix_ms().rem_euclid(slot_ms))
    }
}

fn slot_of(now: Timestamp) -> i64 {
    now.unix_ms().div_euclid(SLOT_S * 1_000)
}

/// The colour of a number of captures: the worst of their verdicts.
pub(in crate::tui) fn colour(counts: &Counts) -> Paint {
    match counts {
        [_, failed, ..] if *failed > 0 => Paint::Bad,
        [_, _, _, unchecked] if *unchecked > 0 => Paint::Warning,
        [passed, ..] if *passed > 0 => Paint::Good,
        _ => Paint::Dim,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_ms(seconds * 1_000)
    }

    #[test]
    fn a_minute_slides_and_then_nothing_ages() {
        let mut pulse = Pulse::default();
        assert_eq!((pulse.slots(at(300)), pulse.lasts(at(300))), (None, None));
        let beat = |second, verdict, count| Beat { second, verdict, count };
        pulse.take(CaptureId(9), &[beat(299, 0, 4), beat(299, 1, 1), beat(291, 0, 7)]);
        pulse.take(CaptureId(10), &[beat(300, 0, 2)]);
        let slots = pulse.slots(at(301)).unwrap();
        assert_eq!((slots[SLOTS - 1], slots[SLOTS - 2], slots[SLOTS - 4]), ([2, 0, 0, 0], [4, 1, 0, 0], [7, 0, 0, 0]));
        assert_eq!((colour(&slots[SLOTS - 2]), colour(&slots[SLOTS - 1])), (Paint::Bad, Paint::Good));
        assert!((pulse.rate(at(301)).unwrap() - 12.0 / 9.0).abs() < 1e-9);
        assert_eq!(pulse.lasts(at(301)), Some(2_000));
        assert_eq!(pulse.rate(at(320)), Some(0.0), "nothing came of late");
        let mut first = Pulse::default();
        first.take(CaptureId(1), &[beat(300, 0, 5)]);
        assert_eq!(first.rate(at(301)), None, "how many a second is not known yet");
        assert!(pulse.slots(at(301 + 57)).is_some() && pulse.slots(at(301 + 60)).is_none());
        assert_eq!(pulse.lasts(at(301 + 60)), None, "an idle screen sleeps");
    }
}
