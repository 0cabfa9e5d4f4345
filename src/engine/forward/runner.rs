//! The task that takes errands in hand. It sleeps until something comes, is over, or is due: one heap holds the times of
//! all that waits, and nothing is looked at before its time; but for what holds up others, which a person may drop.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use tokio::sync::mpsc as channel;

use super::{
    Item, Rows, Tidings, Told,
    circuit::Turned,
    errand::{Came, Carrier, unwritten, words},
    lane::Lane,
    policy::earlier,
    same_lane,
};
use crate::{
    engine,
    record::{CaptureId, Circuit, Errand, ErrandId, Next, Outcome, Timestamp, counted, span, whole_ms},
    store::Posting,
};

/// The longest sleep: the wall clock, which times are told by, may be set meanwhile.
const LONGEST_SLEEP: Duration = Duration::from_secs(60 * 60);

/// By how much a clock that was set back is noticed, in milliseconds.
const SET_BACK_MS: i64 = 1_000;

/// How often it is looked whether what holds up others was dropped meanwhile, by whatever process. Where nothing does, nobody
/// looks.
const LOOKS_EVERY: Duration = Duration::from_millis(200);

/// An errand that waits: when it is due, which it is (older ones first), and what is needed to take it in hand.
type Waiting = Reverse<(Timestamp, ErrandId, usize, CaptureId, u32)>;

/// What the clocks said when they were looked at last.
#[derive(Clone, Copy)]
struct Clocks {
    wall: Timestamp,
    steady: Instant,
}

impl Clocks {
    /// Looks again. Gives by how much the wall clock was set back meanwhile, in milliseconds. One that was set ahead looks like a
    /// machine that slept, and needs no care: what is due is due.
    fn look(&mut self, wall: Timestamp, steady: Instant) -> Option<i64> {
        let passed = whole_ms(steady.saturating_duration_since(self.steady));
        let back = passed.saturating_sub(wall.since_ms(self.wall));
        *self = Self { wall, steady };
        (back >= SET_BACK_MS).then_some(back)
    }
}

/// A try under way. However it ends, it is told: else its lane would wait for it for ever.
struct Try {
    lane: usize,
    errand: ErrandId,
    capture: CaptureId,
    tries: u32,
    came: Option<Came>,
    over: channel::UnboundedSender<Over>,
}

impl Try {
    fn ends(mut self, came: Came) {
        self.came = Some(came);
    }
}

impl Drop for Try {
    fn drop(&mut self) {
        let &mut Self { lane, errand, capture, tries, .. } = self;
        // What ended without a word has left nothing in the store.
        let came = self.came.take().unwrap_or_else(unwritten);
        let _ = self.over.send(Over { lane, errand, capture, tries, came });
    }
}

/// A try that is over.
struct Over {
    lane: usize,
    errand: ErrandId,
    capture: CaptureId,
    tries: u32,
    came: Came,
}

pub(super) struct Runner {
    carrier: Arc<Carrier>,
    lanes: Vec<Lane>,
    waiting: BinaryHeap<Waiting>,
    under_way: usize,
    over: channel::UnboundedSender<Over>,
    ended: channel::UnboundedReceiver<Over>,
    stopping: Option<mpsc::Sender<()>>,
    /// When it was looked last for what was dropped, and how the store stood then.
    looked: Option<(Instant, Option<i64>)>,
    clocks: Clocks,
}

impl Runner {
    pub(super) fn new(carrier: Carrier) -> Self {
        let (over, ended) = channel::unbounded_channel();
        Self {
            carrier: Arc::new(carrier),
            lanes: Vec::new(),
            waiting: BinaryHeap::new(),
            under_way: 0,
            over,
            ended,
            stopping: None,
            looked: None,
            clocks: Clocks { wall: engine::now(), steady: Instant::now() },
        }
    }

    /// Forwards what these rows say. A lane that is not among them is closed: what waits in it does so in the store.
    pub(super) fn follow(&mut self, Rows { rows, left }: Rows) {
        for (at, lane) in self.lanes.iter_mut().enumerate() {
            if rows.iter().all(|(row, ..)| *row != at) {
                lane.close();
            }
        }
        self.waiting.retain(|Reverse((_, _, lane, ..))| !self.lanes[*lane].is_closed);
        for (at, endpoint, forward) in rows {
            match self.lanes.get_mut(at) {
                Some(lane) => lane.open(endpoint, forward),
                // Each new one has the next place.
                None => self.lanes.push(Lane::new(endpoint, forward)),
            }
        }
        for errand in left {
            if let Some(lane) = self.lanes.iter().position(|lane| *lane.forward.lane == *same_lane(&errand.lane)) {
                self.take_up(lane, &errand);
            }
        }
    }

    /// An errand that stands in the store from before. In a lane that keeps order all stand behind the first, in their order.
    fn take_up(&mut self, at: usize, errand: &Errand) {
        let &Errand { id, capture, tries, due_at, .. } = errand;
        let lane = &mut self.lanes[at];
        if lane.keeps_order() {
            lane.held_until = lane.held_until.or((tries > 0).then_some(due_at));
            lane.ready.push_back(Item { errand: id, capture, at_hand: None, tries, answer: None });
        } else {
            self.waiting.push(Reverse((due_at, id, at, capture, tries)));
        }
    }

    pub(super) async fn run(mut self, mut told: channel::UnboundedReceiver<Told>) {
        loop {
            let now = engine::now();
            self.follow_the_clock(now);
            self.wake(now);
            self.let_go(now);
            self.start(now);
            if self.under_way == 0
                && let Some(over) = self.stopping.take()
            {
                let _ = over.send(());
                return;
            }
            let sleep = self.sleep(now);
            tokio::select! {
                message = told.recv() => match message {
                    Some(Told::Errand(lane, item)) => self.lanes[lane].join(item),
                    Some(Told::Rows(rows)) => self.follow(rows),
                    Some(Told::Stop(over)) => self.stopping = Some(over),
                    None => return,
                },
                Some(over) = self.ended.recv() => self.take_back(over),
                () = tokio::time::sleep(sleep.unwrap_or_default()), if sleep.is_some() => {}
            }
        }
    }

    /// Times that were told by a clock which was set back since are brought back with it: else all would wait for as long.
    fn follow_the_clock(&mut self, now: Timestamp) {
        let Some(back) = self.clocks.look(now, Instant::now()) else { return };
        let waiting = std::mem::take(&mut self.waiting).into_iter();
        self.waiting = waiting
            .map(|Reverse((due_at, errand, lane, capture, tries))| {
                Reverse((earlier(due_at, back), errand, lane, capture, tries))
            })
            .collect();
        self.lanes.iter_mut().for_each(|lane| lane.set_back(back));
    }

    /// What is due stands in its lane again.
    fn wake(&mut self, now: Timestamp) {
        while let Some(Reverse((due_at, ..))) = self.waiting.peek()
            && *due_at <= now
            && let Some(Reverse((_, errand, lane, capture, tries))) = self.waiting.pop()
        {
            self.lanes[lane].ready.push_back(Item { errand, capture, at_hand: None, tries, answer: None });
        }
    }

    /// What was dropped while it held up others holds them up no longer.
    fn let_go(&mut self, now: Timestamp) {
        let is_due = self.looked.is_none_or(|(looked, _)| looked.elapsed() >= LOOKS_EVERY);
        if !is_due || !self.lanes.iter().any(|lane| lane.holds_up(now).is_some()) {
            return;
        }
        let version = self.carrier.version();
        let is_as_it_was = self.looked.is_some_and(|(_, seen)| seen == version);
        self.looked = Some((Instant::now(), version));
        if is_as_it_was {
            return;
        }
        for lane in &mut self.lanes {
            let was_dropped = |item: &Item| !self.carrier.is_left(item.errand, item.capture);
            if lane.holds_up(now).is_some_and(was_dropped) {
                lane.let_go();
            }
        }
    }

    /// Begins what may begin.
    fn start(&mut self, now: Timestamp) {
        if self.stopping.is_some() {
            return;
        }
        for (at, lane) in self.lanes.iter_mut().enumerate() {
            while let Some(item) = lane.next(now) {
                self.under_way += 1;
                let (carrier, over) = (Arc::clone(&self.carrier), self.over.clone());
                let (endpoint, forward) = (Arc::clone(&lane.endpoint), Arc::clone(&lane.forward));
                let Item { errand, capture, tries, .. } = item;
                let under_way = Try { lane: at, errand, capture, tries, came: None, over };
                tokio::spawn(async move {
                    under_way.ends(carrier.carry(&endpoint, &forward, item).await);
                });
            }
        }
    }

    /// How long there is nothing to do; none: until something comes.
    fn sleep(&self, now: Timestamp) -> Option<Duration> {
        if self.stopping.is_some() {
            return None;
        }
        let due = self.waiting.peek().map(|Reverse((due_at, ..))| *due_at);
        let wakes = self.lanes.iter().filter_map(|lane| lane.wakes_at(now));
        let at = due.into_iter().chain(wakes).min()?;
        let is_held_up = self.lanes.iter().any(|lane| lane.holds_up(now).is_some());
        let longest = if is_held_up { LOOKS_EVERY } else { LONGEST_SLEEP };
        Some(Duration::from_millis(at.since_ms(now).max(1) as u64).min(longest))
    }

    fn take_back(&mut self, over: Over) {
        let Over { lane: at, errand, capture, tries, came } = over;
        self.under_way -= 1;
        let lane = &mut self.lanes[at];
        lane.under_way -= 1;
        lane.held_until = None;
        match came {
            Came::Dropped => {}
            Came::GivenUp(why) => self.tell_given_up(at, capture, tries, &why),
            Came::Unwritten(at_time) => self.put_back(at, errand, capture, tries, at_time),
            Came::Tried(outcome, next) => {
                self.go_on(at, errand, capture, tries + 1, next);
                self.judge_app(at, &outcome);
            }
            Came::Unmade(next) => self.go_on(at, errand, capture, tries + 1, next),
        }
    }

    /// What becomes of an errand after so many tries.
    fn go_on(&mut self, at: usize, errand: ErrandId, capture: CaptureId, tries: u32, next: Next) {
        match next {
            Next::Done => {}
            Next::Again(due_at, _) => self.put_back(at, errand, capture, tries, due_at),
            Next::Dead(why) => self.tell_given_up(at, capture, tries, &why),
        }
    }

    fn put_back(&mut self, at: usize, errand: ErrandId, capture: CaptureId, tries: u32, due_at: Timestamp) {
        let lane = &mut self.lanes[at];
        if lane.is_closed {
            return;
        }
        if lane.keeps_order() {
            lane.ready.push_front(Item { errand, capture, at_hand: None, tries, answer: None });
            lane.held_until = Some(due_at);
        } else {
            self.waiting.push(Reverse((due_at, errand, at, capture, tries)));
        }
    }

    fn judge_app(&mut self, at: usize, outcome: &Outcome) {
        let lane = &mut self.lanes[at];
        if lane.is_proxied() {
            return;
        }
        let was_spared = lane.circuit.is_spared();
        let (turned, name) = (lane.circuit.tried(outcome, engine::now()), lane.forward.lane.to_string());
        match turned {
            None => {}
            Some(Turned::Up) => {
                self.carrier.mark_app(Posting::Close(name.clone()));
                self.carrier.ground.news.tell_as(Tidings::Good, format!("forwarding {name}: it answers again"));
            }
            Some(Turned::Down(until)) => {
                let (failures, why) = (self.lanes[at].circuit.failures(), words(outcome));
                if !was_spared {
                    let seconds = until.since_ms(engine::now()).max(0) / 1_000;
                    let failed = counted(failures.into(), "try");
                    self.tell(format!(
                        "forwarding {name} pauses: {failed} failed one after the other ({why}); the next in {}",
                        span(seconds)
                    ));
                }
                self.carrier.mark_app(Posting::Open(Circuit { lane: name, failures, until, why }));
            }
        }
    }

    fn tell_given_up(&self, at: usize, capture: CaptureId, tries: u32, why: &str) {
        let times = counted(tries.into(), "try");
        let lane = &self.lanes[at].forward.lane;
        self.tell(format!("forwarding {lane}: #{capture} is given up after {times} ({why}); `creel dead` lists it"));
    }

    fn tell(&self, text: String) {
        self.carrier.ground.news.tell(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_back_is_noticed_and_a_machine_that_slept_is_not() {
        let (steady, at) = (Instant::now(), Timestamp::from_unix_ms);
        let mut clocks = Clocks { wall: at(1_000_000), steady };
        let after = |ms| steady + Duration::from_millis(ms);
        assert_eq!(clocks.look(at(1_005_000), after(5_000)), None);
        assert_eq!(clocks.look(at(1_005_900), after(6_500)), None, "no more than any clock is off");
        assert_eq!(clocks.look(at(605_900), after(7_500)), Some(401_000));
        assert_eq!(clocks.look(at(606_900), after(8_500)), None, "once");
        assert_eq!(clocks.look(at(9_000_000), after(8_600)), None, "set ahead, or it slept");
    }

    #[test]
    fn a_try_that_dies_is_told_and_done_again() {
        let (over, mut ended) = channel::unbounded_channel();
        let dying = Try { lane: 3, errand: ErrandId(7), capture: CaptureId(5), tries: 2, came: None, over };
        let died = std::thread::spawn(move || {
            let _try = dying;
            std::panic::resume_unwind(Box::new(()));
        });
        assert!(died.join().is_err());
        let Over { lane, errand, capture, tries, came } = ended.try_recv().unwrap();
        assert_eq!((lane, errand, capture, tries), (3, ErrandId(7), CaptureId(5), 2));
        assert!(matches!(came, Came::Unwritten(_)));
    }
}
