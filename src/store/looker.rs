//! A thread that looks at what was committed and sleeps in between: the index of searches, alerts, what bounds the store.

use std::{
    fmt,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::Bell;
use crate::record::Failure;

/// What such a thread sleeps on. Rings that come while it looks or pauses wake it once.
#[derive(Clone, Default)]
pub struct Sleep(Arc<(Mutex<State>, Condvar)>);

#[derive(Default)]
struct State {
    /// Whether something was committed since the last look began.
    is_rung: bool,
    is_over: bool,
}

impl Sleep {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A look begins: what is committed from now on ends the next sleep. Whether there is anything to look for any more.
    pub fn begins_to_look(&self) -> bool {
        let mut state = self.state();
        state.is_rung = false;
        !state.is_over
    }

    /// Whether the thread is to end.
    pub fn is_over(&self) -> bool {
        self.state().is_over
    }

    /// Sleeps so long, whatever is committed, or until the end.
    pub fn pause(&self, time: Duration) {
        self.sleep(Instant::now().checked_add(time), |state| state.is_over);
    }

    /// Sleeps until something was committed since the look began, until a time where there is one, or until the end.
    pub fn until_rung(&self, until: Option<Instant>) {
        self.sleep(until, |state| state.is_rung || state.is_over);
    }

    fn sleep(&self, until: Option<Instant>, is_enough: impl Fn(&State) -> bool) {
        let (mut state, wake) = (self.state(), &self.0.1);
        while !is_enough(&state) {
            let Some(until) = until else {
                state = wake.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = wake.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn ring(&self) {
        if !std::mem::replace(&mut self.state().is_rung, true) {
            self.0.1.notify_all();
        }
    }

    fn end(&self) {
        self.state().is_over = true;
        self.0.1.notify_all();
    }
}

/// The thread. It ends when this is dropped.
pub struct Looker {
    sleep: Sleep,
    thread: Option<JoinHandle<()>>,
}

impl fmt::Debug for Looker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Looker")
    }
}

impl Looker {
    /// Starts it. The bell is rung by the one who writes.
    pub fn start(name: &str, bell: &Bell, body: impl FnOnce(Sleep) + Send + 'static) -> Result<Self, Failure> {
        let sleep = Sleep::default();
        let (own, rung) = (sleep.clone(), sleep.clone());
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || body(own))
            .map_err(|why| Failure::new(format!("starting the thread {name}"), why))?;
        bell.on_ring(move || rung.ring());
        Ok(Self { sleep, thread: Some(thread) })
    }
}

impl Drop for Looker {
    fn drop(&mut self) {
        self.sleep.end();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_ring_in_a_look_is_not_missed_and_rings_while_it_pauses_wake_it_once() {
        let (bell, (looked, looks), (go, going)) = (Bell::new(), channel(), channel());
        let looker = Looker::start("looker", &bell, move |sleep| {
            while sleep.begins_to_look() {
                looked.send(()).unwrap();
                going.recv().unwrap();
                sleep.until_rung(None);
            }
        });
        let looker = looker.unwrap();
        looks.recv().unwrap();
        (0..3).for_each(|_| bell.ring());
        go.send(()).unwrap();
        looks.recv().unwrap();
        go.send(()).unwrap();
        bell.ring();
        looks.recv().unwrap();
        go.send(()).unwrap();
        drop(looker);
        assert!(looks.try_recv().is_err(), "the end is no ring");
    }

    #[test]
    fn a_time_ends_a_sleep_and_a_ring_no_pause() {
        let sleep = Sleep::default();
        sleep.ring();
        let began = Instant::now();
        sleep.pause(Duration::from_millis(20));
        assert!(began.elapsed() >= Duration::from_millis(20));
        sleep.until_rung(None);
        assert!(sleep.begins_to_look());
        sleep.until_rung(Some(Instant::now() + Duration::from_millis(5)));
        sleep.end();
        sleep.pause(Duration::MAX);
        assert!(sleep.is_over() && !sleep.begins_to_look());
    }
}
