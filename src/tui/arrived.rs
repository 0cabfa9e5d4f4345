//! What came since following ended, counted as the list counts: only what its filter takes.

use super::{effect::Effect, model::Model, update};
use crate::record::CaptureId;

/// How many rows one question counts at most.
pub(super) const COUNTED: usize = 500;

/// The count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Arrived {
    /// How many came.
    pub(super) count: u64,
    /// How many of them are repeats of an event that came before.
    pub(super) repeats: u64,
    /// The newest capture when following ended.
    left: CaptureId,
    /// How far was counted.
    after: CaptureId,
    /// Whether there may be more to count.
    due: bool,
    /// Whether an answer is on its way.
    asked: bool,
    /// Answers of other generations are late.
    generation: u64,
}

/// An answer: how many came after a capture, and up to which one that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) count: u64,
    pub(super) repeats: u64,
    pub(super) up_to: CaptureId,
    /// Whether it ended before the newest.
    pub(super) more: bool,
}

impl Arrived {
    /// Begins behind a capture: what is newer is new.
    pub(super) fn begin(&mut self, newest: CaptureId) {
        *self = Self { left: newest, after: newest, due: true, generation: self.generation + 1, ..Self::default() };
    }

    /// Counts anew, since another filter is in force.
    pub(super) fn restart(&mut self) {
        self.begin(self.left);
    }

    /// Something was committed.
    pub(super) fn ring(&mut self) {
        self.due = true;
    }

    /// Takes an answer.
    pub(super) fn take(&mut self, generation: u64, counted: Option<Counted>) {
        if generation != self.generation {
            return;
        }
        self.asked = false;
        // Without an answer it is asked again at the next ring; the list says what is wrong with the store.
        let Some(counted) = counted else { return };
        self.count += counted.count;
        self.repeats += counted.repeats;
        self.after = self.after.max(counted.up_to);
        self.due |= counted.more;
    }
}

/// Asks for what is not counted yet, where it is told.
pub(super) fn ask(model: &mut Model, effects: &mut Vec<Effect>) {
    let filter = update::filter(model);
    let list = &mut model.list;
    if list.follow || !list.read || !list.arrived.due || list.arrived.asked {
        return;
    }
    (list.arrived.due, list.arrived.asked) = (false, true);
    effects.push(Effect::Arrived { generation: list.arrived.generation, after: list.arrived.after, filter });
}
