//! What goes wrong with an answer on purpose, and whose turn it is. Nothing here is left to chance: the same requests in
//! the same order meet the same faults.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    time::Duration,
};

/// Events of which is remembered how often they came. Of more, the oldest are forgotten, and fail anew.
const REMEMBERED: usize = 16_384;

/// A fault, and when it has its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What happens.
    pub what: What,
    /// To whom.
    pub turn: Turn,
}

/// What happens in place of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Another status.
    Status(u16),
    /// The connection is closed without an answer.
    Close,
    /// Nothing comes for so long; then the connection is closed.
    Silence(Duration),
    /// The head and half of the body come.
    Half,
    /// The body comes in small parts over that time.
    Slow(Duration),
}

/// To which requests it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// To all.
    Always,
    /// To the first so many.
    First(u32, Per),
    /// To every n-th: the n-th, the 2n-th.
    Every(u32),
    /// To so many of a hundred, chosen by that seed.
    Percent(u32, u64),
}

/// What the first ones are counted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Per {
    /// The event's id, or the same body where there is none: each event fails so often, and its retry then succeeds.
    #[default]
    Event,
    /// All requests of the endpoint.
    Endpoint,
}

/// How often who came.
#[derive(Debug, Default)]
pub(super) struct Turns {
    count: u64,
    events: HashMap<u64, u32>,
    order: VecDeque<u64>,
}

impl Turns {
    /// Whether the fault has its turn, with the request of that event.
    pub(super) fn take(&mut self, turn: Turn, event: u64) -> bool {
        let before = self.count;
        self.count += 1;
        match turn {
            Turn::Always => true,
            Turn::First(n, Per::Endpoint) => before < u64::from(n),
            Turn::First(n, Per::Event) => self.came(event) < n,
            Turn::Every(n) => self.count.is_multiple_of(u64::from(n.max(1))),
            Turn::Percent(percent, seed) => mix(seed ^ mix(before)) % 100 < u64::from(percent),
        }
    }

    /// How often an event came before.
    fn came(&mut self, event: u64) -> u32 {
        let count = self.events.entry(event).or_insert_with(|| {
            self.order.push_back(event);
            0
        });
        let before = *count;
        *count = count.saturating_add(1);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.events.remove(&oldest);
        }
        before
    }
}

/// `SplitMix64`'s finalizer (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "{status}"),
            Self::Close => f.write_str("with a closed connection"),
            Self::Silence(time) => write!(f, "with silence for {} s", time.as_secs()),
            Self::Half => f.write_str("with half an answer"),
            Self::Slow(time) => write!(f, "with a slow answer over {} s", time.as_secs()),
        }
    }
}

impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always => Ok(()),
            Self::First(n, Per::Event) => write!(f, " to the first {n} of each event"),
            Self::First(n, Per::Endpoint) => write!(f, " to the first {n}"),
            Self::Every(n) => write!(f, " to one of every {n}"),
            Self::Percent(n, _) => write!(f, " to {n} %"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(turn: Turn, events: &[u64]) -> Vec<bool> {
        let mut turns = Turns::default();
        events.iter().map(|&event| turns.take(turn, event)).collect()
    }

    #[test]
    fn each_has_its_turn() {
        for (turn, events, expected) in [
            (Turn::Always, vec![1, 1], vec![true, true]),
            (Turn::First(1, Per::Event), vec![1, 2, 1, 2, 3], vec![true, true, false, false, true]),
            (Turn::First(2, Per::Endpoint), vec![1, 2, 3], vec![true, true, false]),
            (Turn::Every(2), vec![1, 1, 1, 1], vec![false, true, false, true]),
            (Turn::Percent(0, 1), vec![1, 2], vec![false, false]),
            (Turn::Percent(100, 1), vec![1, 2], vec![true, true]),
        ] {
            assert_eq!(turns(turn, &events), expected, "{turn:?}");
        }
    }

    #[test]
    fn chance_is_the_seed_s() {
        let events = vec![0; 1_000];
        let one = turns(Turn::Percent(30, 7), &events);
        assert_eq!(one, turns(Turn::Percent(30, 7), &events));
        assert_ne!(one, turns(Turn::Percent(30, 8), &events));
        let hit = one.iter().filter(|hit| **hit).count();
        assert!((250..350).contains(&hit), "{hit}");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut turns = Turns::default();
        for event in 0..40_000 {
            turns.take(Turn::First(1, Per::Event), event);
        }
        assert!(turns.events.len() <= REMEMBERED && turns.order.len() <= REMEMBERED);
    }
}
