//! The queue before the writer: bounded in number and in bytes, taken whole.

use std::{
    fmt,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

/// The writer has as much to do as it may have: nothing was taken. The wire answers 503.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("more waits to be stored than creel may hold in memory")
    }
}

impl std::error::Error for Full {}

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
}

impl<T> Queue<T> {
    /// A queue with those bounds.
    pub(super) fn new(max_jobs: usize, max_bytes: usize) -> Self {
        let state = State { waiting: Vec::new(), jobs: 0, bytes: 0, closed: false, asleep: false };
        Self { state: Mutex::new(state), wake: Condvar::new(), max_jobs, max_bytes }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends a job of `bytes`. A job larger than the bound is taken when nothing else is there: else it never could be.
    pub(super) fn push(&self, job: T, bytes: usize) -> Result<(), Full> {
        let mut state = self.lock();
        let over = state.jobs > 0 && state.bytes.saturating_add(bytes) > self.max_bytes;
        if state.closed || state.jobs >= self.max_jobs || over {
            return Err(Full);
        }
        state.jobs += 1;
        state.bytes += bytes;
        state.waiting.push(job);
        if state.asleep {
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
        assert_eq!([queue.push('a', 1), queue.push('b', 1), queue.push('c', 1)], [Ok(()), Ok(()), Err(Full)]);
        let mut taken = Vec::new();
        assert!(queue.take(&mut taken));
        assert_eq!(taken, ['a', 'b']);
        assert_eq!(queue.push('d', 1), Err(Full), "what is being written is still in memory");
        queue.release(1, 1);
        assert_eq!(queue.push('d', 1), Ok(()));
    }

    #[test]
    fn it_is_full_by_bytes_but_takes_one_giant() {
        let queue = Queue::new(10, 100);
        assert_eq!([queue.push('G', 1_000), queue.push('a', 1)], [Ok(()), Err(Full)]);
        queue.release(1, 1_000);
        assert_eq!([queue.push('a', 60), queue.push('b', 41), queue.push('c', 40)], [Ok(()), Err(Full), Ok(())]);
    }

    #[test]
    fn closed_it_gives_what_it_has_and_then_ends() {
        let queue = Queue::new(10, 100);
        queue.push('a', 1).unwrap();
        queue.close();
        assert_eq!(queue.push('b', 1), Err(Full));
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
            queue.push('a', 1).unwrap();
            queue.push('b', 1).unwrap();
            queue.close();
            assert_eq!(taker.join().unwrap(), ['a', 'b']);
        });
    }

    #[test]
    fn abandoned_it_drops_what_waits() {
        let queue = Queue::new(10, 100);
        let job = std::sync::Arc::new(());
        queue.push(std::sync::Arc::clone(&job), 1).unwrap();
        queue.abandon();
        assert_eq!(std::sync::Arc::strong_count(&job), 1);
    }
}
