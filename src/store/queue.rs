//! The way to the writer, and the way back.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, oneshot};

use super::writer::Stored;
use crate::record::{Capture, Delivery, Failure, Refusal};

/// How many jobs may wait.
const JOBS: usize = 4_096;
/// How many bytes of heads and bodies may wait.
const BYTES: usize = 64 << 20;
/// How many jobs go into one transaction.
const BATCH_JOBS: usize = 512;
/// How many bytes go into one transaction, unless a single job has more.
const BATCH_BYTES: usize = 8 << 20;

/// The outcome of a job, once its transaction is committed or has failed.
pub type Pending<T> = oneshot::Receiver<Result<T, Failure>>;

/// The writer cannot keep up: nothing was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl std::fmt::Display for Full {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("more arrives than the disk can take; try again in a moment")
    }
}

impl std::error::Error for Full {}

/// What the writer can be asked to do.
pub(super) enum Job {
    Capture(Box<Capture>, oneshot::Sender<Result<Stored, Failure>>),
    Deliver(Box<Delivery>, oneshot::Sender<Result<Delivery, Failure>>),
    Refuse(Box<Refusal>),
}

impl Job {
    fn bytes(&self) -> usize {
        match self {
            Self::Capture(capture, _) => capture.head.raw().len() + capture.body.bytes.len(),
            Self::Deliver(..) => 0,
            Self::Refuse(refusal) => refusal.head.len(),
        }
    }
}

/// A job's outcome on its way to whoever waits for it.
pub(super) enum Settled {
    Capture(oneshot::Sender<Result<Stored, Failure>>, Result<Stored, Failure>),
    Deliver(oneshot::Sender<Result<Delivery, Failure>>, Result<Delivery, Failure>),
}

impl Settled {
    /// Whoever waited may be gone; the outcome stands in the store all the same.
    fn tell(self) {
        match self {
            Self::Capture(to, outcome) => drop(to.send(outcome)),
            Self::Deliver(to, outcome) => drop(to.send(outcome)),
        }
    }
}

/// The task that wakes all who wait for a batch. It runs in the network's runtime: waking each responder from the
/// writer's thread costs a tenth of the rate.
pub struct Settler(pub(super) mpsc::UnboundedReceiver<Vec<Settled>>);

impl Settler {
    /// Runs until the writer has ended and everybody is told.
    pub async fn run(mut self) {
        while let Some(batch) = self.0.recv().await {
            batch.into_iter().for_each(Settled::tell);
        }
    }
}

/// The jobs that wait.
#[derive(Clone, Default)]
pub(super) struct Queue(Arc<(Mutex<Waiting>, Condvar)>);

#[derive(Default)]
struct Waiting {
    jobs: std::collections::VecDeque<Job>,
    bytes: usize,
    closed: bool,
    /// Whether the writer waits: waking one that does not costs a system call for nothing.
    idle: bool,
    /// Refused requests that found the queue full: they are counted all the same.
    dropped: u64,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a job at the end.
    pub(super) fn push(&self, job: Job) -> Result<(), Full> {
        let bytes = job.bytes();
        let mut waiting = self.lock();
        let over = waiting.jobs.len() >= JOBS || (waiting.bytes > 0 && waiting.bytes + bytes > BYTES);
        if over || waiting.closed {
            waiting.dropped += u64::from(matches!(job, Job::Refuse(_)));
            return Err(Full);
        }
        waiting.bytes += bytes;
        waiting.jobs.push_back(job);
        let idle = std::mem::take(&mut waiting.idle);
        drop(waiting);
        if idle {
            self.0.1.notify_one();
        }
        Ok(())
    }

    /// Waits for work and takes a batch, with the number of refused requests that were dropped. None once the queue is
    /// closed and empty.
    pub(super) fn take(&self) -> Option<(Vec<Job>, u64)> {
        let mut waiting = self.lock();
        while waiting.jobs.is_empty() && !waiting.closed {
            waiting.idle = true;
            waiting = self.0.1.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        waiting.idle = false;
        if waiting.jobs.is_empty() && waiting.dropped == 0 {
            return None;
        }
        let mut batch = Vec::with_capacity(waiting.jobs.len().min(BATCH_JOBS));
        let mut bytes = 0;
        while let Some(job) = waiting.jobs.front() {
            let more = job.bytes();
            if batch.len() >= BATCH_JOBS || (bytes > 0 && bytes + more > BATCH_BYTES) {
                break;
            }
            bytes += more;
            waiting.bytes -= more;
            batch.extend(waiting.jobs.pop_front());
        }
        Some((batch, std::mem::take(&mut waiting.dropped)))
    }

    /// Takes no more jobs; those that wait are still done.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.0.1.notify_all();
    }
}
