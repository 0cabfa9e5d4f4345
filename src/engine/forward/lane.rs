//! A lane: what goes from one endpoint to one app, and how much of it at a time.

use std::{collections::VecDeque, sync::Arc};

use super::{Answering, Forward, Item, Order, circuit::Circuit, policy::earlier};
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
    /// Whether nothing is forwarded here any more.
    pub(super) is_closed: bool,
}

impl Lane {
    pub(super) fn new(endpoint: Arc<Endpoint>, forward: Arc<Forward>) -> Self {
        let (ready, circuit) = (VecDeque::new(), Circuit::default());
        Self { endpoint, forward, ready, under_way: 0, held_until: None, circuit, is_closed: false }
    }

    /// Nothing new goes here from now on. What is under way is finished.
    pub(super) fn close(&mut self) {
        self.is_closed = true;
        self.held_until = None;
        self.ready.clear();
    }

    /// Goes on by another endpoint and forward of its name.
    pub(super) fn open(&mut self, endpoint: Arc<Endpoint>, forward: Arc<Forward>) {
        self.is_closed = false;
        (self.endpoint, self.forward) = (endpoint, forward);
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
    fn rests_until(&self, now: Timestamp) -> Option<Timestamp> {
        let held = self.held_until.filter(|until| *until > now);
        let closed = self.circuit.closed_until(now).filter(|_| !self.is_proxied());
        held.max(closed)
    }

    /// Stands at its end. Whoever has to wait is read from the store when its time comes.
    pub(super) fn join(&mut self, item: Item) {
        if self.is_closed {
            return;
        }
        let waits = !self.ready.is_empty() || self.under_way >= self.room();
        let at_hand = item.at_hand.filter(|_| !waits);
        self.ready.push_back(Item { at_hand, ..item });
    }

    /// What was tried and holds up the others behind it until its next try.
    pub(super) fn holds_up(&self, now: Timestamp) -> Option<&Item> {
        let is_held = self.keeps_order() && self.held_until.is_some_and(|until| until > now);
        self.ready.front().filter(|_| is_held && self.ready.len() > 1)
    }

    /// The clock was set back by so many milliseconds.
    pub(super) fn set_back(&mut self, ms: i64) {
        self.held_until = self.held_until.map(|until| earlier(until, ms));
        self.circuit.set_back(ms);
    }

    /// Leaves out what holds up the others: it was dropped.
    pub(super) fn let_go(&mut self) {
        self.ready.pop_front();
        self.held_until = None;
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

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tokio::sync::Semaphore;

    use super::*;
    use crate::{
        engine::{forward::AtHand, target::Target},
        record::{Body, Capture, CaptureId, ErrandId, Head, Uid},
    };

    #[test]
    fn what_has_to_wait_is_not_held_in_memory_meanwhile() {
        let body = Body::whole(vec![b'x'; 2 << 10].into(), [0; 32]);
        let head = Head::parse(Bytes::from_static(b"POST / HTTP/1.1\r\n\r\n"));
        let capture = Capture::new(Uid(0), Timestamp::default(), head, body);
        let room = Arc::new(Semaphore::new(7));
        let item = |id: i64| Item {
            errand: ErrandId(id),
            capture: CaptureId(id),
            at_hand: AtHand::of(&capture, &room).map(Arc::new),
            tries: 0,
            answer: None,
        };
        let kept = Forward { order: Order::Kept, ..Forward::plain("e", Target::url("http://h"), Answering::Ack) };
        let mut lane = Lane::new(Arc::new(Endpoint::open_bin()), Arc::new(kept));
        lane.join(item(1));
        let first = lane.next(Timestamp::default()).unwrap();
        assert!(first.at_hand.is_some(), "it goes at once");
        assert!(AtHand::of(&capture, &room).is_some(), "3 KiB each, of 7");
        lane.join(item(2));
        assert!(lane.ready[0].at_hand.is_none(), "its turn comes later");
        let second = item(3);
        assert!(second.at_hand.is_some() && item(4).at_hand.is_none(), "no more than there is room for");
        drop(first);
        assert!(item(4).at_hand.is_some(), "what was sent makes room");
    }
}
