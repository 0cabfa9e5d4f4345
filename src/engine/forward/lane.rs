//! A lane: what goes from one endpoint to one app, and how much of it at a time.

use std::{collections::VecDeque, sync::Arc};

use super::{Answering, Forward, Item, Order, circuit::Circuit};
use crate::{engine::endpoint::Endpoint, record::Timestamp};

/// How many are under way to one app at a time, where their order does not matter.
const AT_ONCE: usize = 32;
/// How many where senders wait for them.
const PROXIED_AT_ONCE: usize = 512;

pub(super) struct Lane {
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) forward: Arc<Forward>,
    /// What is due, in order.
    pub(super) ready: VecDeque<Item>,
    pub(super) under_way: usize,
    /// Until when the first one waits to be tried again, where the others must wait for it.
    pub(super) held_until: Option<Timestamp>,
    pub(super) circuit: Circuit,
}

impl Lane {
    pub(super) fn new(endpoint: Arc<Endpoint>, forward: Arc<Forward>) -> Self {
        let (ready, circuit) = (VecDeque::new(), Circuit::default());
        Self { endpoint, forward, ready, under_way: 0, held_until: None, circuit }
    }

    pub(super) fn keeps_order(&self) -> bool {
        self.forward.order == Order::Kept
    }

    /// Whether senders wait for what goes here: then it is tried even where the app seems down.
    pub(super) fn is_proxied(&self) -> bool {
        self.forward.answer == Answering::Proxy
    }

    fn room(&self) -> usize {
        let usual = match (self.keeps_order(), self.is_proxied()) {
            (true, _) => 1,
            (false, true) => return PROXIED_AT_ONCE,
            (false, false) => AT_ONCE,
        };
        self.circuit.room(usual)
    }

    /// Until when nothing goes; none: now.
    pub(super) fn rests_until(&self, now: Timestamp) -> Option<Timestamp> {
        let held = self.held_until.filter(|until| *until > now);
        let closed = self.circuit.closed_until(now).filter(|_| !self.is_proxied());
        held.max(closed)
    }

    /// Stands at its end. Whoever has to wait is read from the store when its time comes.
    pub(super) fn join(&mut self, item: Item) {
        let waits = !self.ready.is_empty() || self.under_way >= self.room();
        let at_hand = item.at_hand.filter(|_| !waits);
        self.ready.push_back(Item { at_hand, ..item });
    }

    /// The next one, where one may go now.
    pub(super) fn next(&mut self, now: Timestamp) -> Option<Item> {
        if self.under_way >= self.room() || self.rests_until(now).is_some() {
            return None;
        }
        let item = self.ready.pop_front()?;
        self.under_way += 1;
        Some(item)
    }

    /// When it wants to be looked at, where it waits for nothing but a time.
    pub(super) fn wakes_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.rests_until(now).filter(|_| !self.ready.is_empty())
    }
}
