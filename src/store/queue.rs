//! The queue before the writer: bounded in number and in bytes, taken whole.

use std::{
    fmt,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Nothing was taken. The wire answers 503.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// The writer has as much to do as it may have.
    Now,
    /// It takes nothing any more: it was told to end, or it failed.
    ForGood,
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Now => "more waits to be stored than creel may hold in memory",
            Self::ForGood => {
                "the store is closed, or the part of creel that writes it has failed; a start opens it again"
            }
        })
    }
}

impl std::error::Error for Full {}

/// How long a patient job may wait for company.
const PATIENCE: Duration = Duration::from_millis(4);
/// How many patient jobs are company enough.
const COMPANY: usize = 256;

/// Whether somebody waits for a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Haste {
    /// Somebody does: it is taken at once, with all that is there.
    Now,
    /// Nobody does: it goes with the next that is in haste, so that it costs no commit of its own that others would have to
    /// wait for; and by itself after a few milliseconds.
    Soon,
}

/// Jobs on their way to the one that takes them. What was taken counts until it is released, so that the bounds are
/// bounds of memory.
#[derive(Debug)]
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    wake: Condvar,
    max_jobs: usize,
    max_bytes: usize,
}

#[derive(Debug)]
struct State<T> {
    waiting: Vec<T>,
    jobs: usize,
    bytes: usize,
    closed: bool,
    asleep: bool,
    /// Whether somebody waits for one of those that wait.
    haste: bool,
}

impl<T> State<T> {
    /// Whether all that waits may wait longer. What takes much of the room there is may not.
    fn is_patient(&self, max_bytes: usize) -> bool {
        !self.haste && !self.closed && self.waiting.len() < COMPANY && self.bytes < max_bytes / 4
    }
}

impl<T> Queue<T> {
    /// A queue with those bounds.
    pub(super) fn new(max_jobs: usize, max_bytes: usize) -> Self {
        let state = State { waiting: Vec::new(), jobs: 0, bytes: 0, closed: false, asleep: false, haste: false };
        Self { state: Mutex::new(state), wake: Condvar::new(), max_jobs, max_bytes }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends a job of `bytes`. A job larger than the bound is taken when nothing else is there: else it never could be.
    pub(super) fn push(&self, job: T, bytes: usize, haste: Haste) -> Result<(), Full> {
        let mut state = self.lock();
        if state.closed {
            return Err(Full::ForGood);
        }
        let over = state.jobs > 0 && state.bytes.saturating_add(bytes) > self.max_bytes;
        if state.jobs >= self.max_jobs || over {
            return Err(Full::Now);
        }
        state.jobs += 1;
        state.bytes += bytes;
        state.waiting.push(job);
        state.haste |= haste == Haste::Now;
        // Who is awake already, for a job that can wait, need not be woken for another.
        if state.asleep && (state.waiting.len() == 1 || !state.is_patient(self.max_bytes)) {
            self.wake.notify_one();
        }
        Ok(())
    }

    /// Waits for jobs and swaps all of them for `into`, which is empty. False: the queue is closed, and nothing is left.
    pub(super) fn take(&self, into: &mut Vec<T>) -> bool {
        let mut state = self.lock();
        while state.waiting.is_empty() && !state.closed {
            state.asleep = true;
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.asleep = false;
        }
        let until = Instant::now() + PATIENCE;
        while state.is_patient(self.max_bytes) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state.asleep = true;
            state = self.wake.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
            state.asleep = false;
        }
        state.haste = false;
        std::mem::swap(&mut state.waiting, into);
        !into.is_empty()
    }

    /// Gives back the room of jobs that were taken.
    pub(super) fn release(&self, jobs: usize, bytes: usize) {
        let mut state = self.lock();
        state.jobs = state.jobs.saturating_sub(jobs);
        state.bytes = state.bytes.saturating_sub(bytes);
    }

    /// Lets no further job in; what is there can be taken.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.wake.notify_all();
    }

    /// Closes, and drops what is there.
    pub(super) fn abandon(&self) {
        self.close();
        let dropped = std::mem::take(&mut self.lock().waiting);
        drop(dropped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_full_by_number_until_what_was_taken_is_released() {
        let queue = Queue::new(2, 100);
        assert_eq!(
            [queue.push('a', 1, Haste::Now), queue.push('b', 1, Haste::Now), queue.push('c', 1, Haste::Now)],
            [Ok(()), Ok(()), Err(Full::Now)]
        );
        let mut taken = Vec::new();
        assert!(queue.take(&mut taken));
        assert_eq!(taken, ['a', 'b']);
        assert_eq!(queue.push('d', 1, Haste::Now), Err(Full::Now), "what is being written is still in memory");
        queue.release(1, 1);
        assert_eq!(queue.push('d', 1, Haste::Now), Ok(()));
    }

    #[test]
    fn it_is_full_by_bytes_but_takes_one_giant() {
        let queue = Queue::new(10, 100);
        assert_eq!([queue.push('G', 1_000, Haste::Now), queue.push('a', 1, Haste::Now)], [Ok(()), Err(Full::Now)]);
        queue.release(1, 1_000);
        assert_eq!(
            [queue.push('a', 60, Haste::Now), queue.push('b', 41, Haste::Now), queue.push('c', 40, Haste::Now)],
            [Ok(()), Err(Full::Now), Ok(())]
        );
    }

    #[test]
    fn closed_it_gives_what_it_has_and_then_ends() {
        let queue = Queue::new(10, 100);
        queue.push('a', 1, Haste::Now).unwrap();
        queue.close();
        assert_eq!(queue.push('b', 1, Haste::Now), Err(Full::ForGood));
        let mut taken = Vec::new();
        assert!(queue.take(&mut taken));
        taken.clear();
        assert!(!queue.take(&mut taken));
    }

    #[test]
    fn one_that_waits_is_woken_by_a_job_and_by_the_end() {
        let queue = Queue::new(10, 100);
        std::thread::scope(|scope| {
            let taker = scope.spawn(|| {
                let (mut all, mut taken) = (Vec::new(), Vec::new());
                while queue.take(&mut taken) {
                    all.append(&mut taken);
                }
                all
            });
            queue.push('a', 1, Haste::Now).unwrap();
            queue.push('b', 1, Haste::Now).unwrap();
            queue.close();
            assert_eq!(taker.join().unwrap(), ['a', 'b']);
        });
    }

    #[test]
    fn what_nobody_waits_for_waits_for_company_and_not_for_long() {
        let queue = Queue::new(2 * COMPANY, 4_000);
        let mut taken = Vec::new();
        let mut take = |queue: &Queue<char>| {
            taken.clear();
            assert!(queue.take(&mut taken));
            taken.len()
        };
        queue.push('a', 1, Haste::Soon).unwrap();
        assert!(queue.lock().is_patient(queue.max_bytes));
        queue.push('b', 1, Haste::Now).unwrap();
        assert!(!queue.lock().is_patient(queue.max_bytes), "one that somebody waits for takes it along");
        assert_eq!(take(&queue), 2);

        queue.push('c', 1, Haste::Soon).unwrap();
        assert!(queue.lock().is_patient(queue.max_bytes), "haste is over with what was in haste");
        assert_eq!(take(&queue), 1, "alone it goes, too");

        (0..COMPANY).for_each(|_| queue.push('d', 1, Haste::Soon).unwrap());
        assert!(!queue.lock().is_patient(queue.max_bytes), "many are company enough");
        assert_eq!(take(&queue), COMPANY);

        queue.release(3 + COMPANY, 3 + COMPANY);
        queue.push('e', 1_000, Haste::Soon).unwrap();
        assert!(!queue.lock().is_patient(queue.max_bytes), "large ones take the room of others");
        assert_eq!(take(&queue), 1);
        queue.release(1, 1_000);

        queue.push('f', 1, Haste::Soon).unwrap();
        assert!(queue.lock().is_patient(queue.max_bytes));
        queue.close();
        assert!(!queue.lock().is_patient(queue.max_bytes), "the end waits for nobody");
    }

    #[test]
    fn abandoned_it_drops_what_waits() {
        let queue = Queue::new(10, 100);
        let job = std::sync::Arc::new(());
        queue.push(std::sync::Arc::clone(&job), 1, Haste::Now).unwrap();
        queue.abandon();
        assert_eq!(std::sync::Arc::strong_count(&job), 1);
    }
}
