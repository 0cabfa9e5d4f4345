//! What callers hold of the writing side: the writer, and the settler that answers who waits.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicI64, atomic::Ordering},
    thread::{self, JoinHandle},
};

use tokio::sync::{mpsc, oneshot};

use super::{
    BATCH_BYTES, Bell, QUEUE_BYTES, QUEUE_JOBS, file,
    index::Change,
    lock::Lock,
    post::{Posted, Posting},
    queue::{Full, Haste, Queue},
    scribe::Scribe,
};
use crate::query::Sql;
use crate::record::{Capture, CaptureId, Delivery, ErrandId, Failure, Judgement, Origin, Refusal, Settlement, Tagging};

/// What a process does in a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It stores captures. There is one such process a store; it holds the store's lock file.
    Capturing,
    /// It keeps deliveries beside a capturing process: a resend, a watching screen.
    Visiting,
}

/// What became of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its number.
    pub id: CaptureId,
    /// The first capture of the same event, where there is one.
    pub duplicate_of: Option<CaptureId>,
    /// The first of its errands, where it is forwarded; the others follow it.
    pub errand: Option<ErrandId>,
}

/// Captures that were written together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// How many.
    pub count: u64,
    /// The number of the first; the others follow it.
    pub first: CaptureId,
    /// How many were left out, since the store has them.
    pub known: u64,
    /// How many of them have a body of which a part is missing.
    pub cut: u64,
}

/// What is said of a capture now.
#[derive(Clone, Debug)]
pub struct JudgedAgain {
    /// The capture.
    pub id: CaptureId,
    /// What is said of its signature.
    pub judgement: Judgement,
    /// Whose it is and what its event is, where that is not what it was.
    pub told: Option<Origin>,
}

/// A capture that comes with others.
#[derive(Clone, Debug)]
pub struct Brought {
    /// The capture.
    pub capture: Capture,
    /// Whether its uid was given elsewhere: where the store has it already, it is left out.
    pub may_be_known: bool,
}

/// Gives captures one after the other, and none after the last. Asked on the writer's thread.
pub type Source = Box<dyn FnMut() -> Result<Option<Brought>, Failure> + Send>;

/// How a capture goes on from the store.
pub struct Onward {
    /// The lanes in which it is forwarded: an errand for each is written with it.
    pub lanes: Vec<Arc<str>>,
    /// What hands it on as soon as it is on the disk, before who waits is answered, and whether or not anybody does. It is
    /// called on the writer's thread, so it must not block.
    pub then: Box<dyn FnOnce(Stored) + Send>,
}

/// The answer that comes after the commit. It is an error of the channel only where the writer was torn down.
pub type Pending<T> = oneshot::Receiver<Result<T, Failure>>;

/// Bytes that a job takes in memory beside its head and body, roughly.
const JOB_BYTES: usize = 512;

pub(super) type Reply<T> = oneshot::Sender<Result<T, Failure>>;

/// What a test does in the middle of a transaction.
#[cfg(test)]
pub(super) type Poke = Box<dyn Fn(&rusqlite::Connection) -> Result<(), rusqlite::Error> + Send>;

/// Something to write.
pub(super) enum Job {
    Capture(Box<Capture>, Option<Onward>, Reply<Stored>),
    /// A delivery, and what it means for its errand.
    Deliver(Box<Delivery>, Option<Settlement>, Reply<Delivery>),
    Post(Box<Posting>, Reply<Posted>),
    Refuse(Box<Refusal>),
    Forget(Box<Sql>, Reply<u64>),
    Tag(Vec<CaptureId>, Tagging, Reply<u64>),
    Judge(Vec<JudgedAgain>, Reply<u64>),
    Index(Box<Change>, Reply<()>),
    Import(Mutex<Source>, Reply<Imported>),
    /// What an endpoint answers from now on; none: what its configuration says.
    Tell(String, Option<String>, Reply<()>),
    #[cfg(test)]
    Poke(Poke, Reply<Stored>),
}

impl Job {
    /// Whether it cannot be done without knowing which events came before.
    pub(super) fn asks_for_events(&self) -> bool {
        match self {
            Self::Import(..) => true,
            Self::Judge(judged, _) => judged.iter().any(|one| one.told.is_some()),
            _ => false,
        }
    }

    /// Bytes it takes in memory.
    pub(super) fn bytes(&self) -> usize {
        JOB_BYTES
            + match self {
                Self::Capture(capture, ..) => capture.head.raw().len() + capture.body.bytes.len(),
                Self::Deliver(delivery, ..) => match &delivery.outcome {
                    crate::record::Outcome::Replied(reply) => reply.body.len(),
                    crate::record::Outcome::Failed(..) => 0,
                },
                Self::Refuse(refusal) => refusal.head.len(),
                Self::Post(posting, _) => posting.bytes(),
                Self::Tell(_, words, _) => words.as_ref().map_or(0, String::len),
                Self::Tag(ids, tagging, _) => size_of_val(&ids[..]) + tagging.note.as_ref().map_or(0, String::len),
                Self::Judge(judged, _) => size_of_val(&judged[..]),
                Self::Index(change, _) => change.bytes(),
                Self::Forget(..) | Self::Import(..) => 0,
                #[cfg(test)]
                Self::Poke(..) => 0,
            }
    }
}

/// Someone who waits, and the answer. A stored capture goes back with it, to be freed on the thread that allocated it:
/// freed elsewhere, each of its two dozen pieces costs both threads an atomic operation on a shared line.
pub(super) enum Settled {
    Stored(Reply<Stored>, Result<Stored, Failure>, Option<Box<Capture>>),
    Delivered(Reply<Delivery>, Box<Result<Delivery, Failure>>),
    Posted(Reply<Posted>, Result<Posted, Failure>),
    /// How many captures were deleted, tagged or judged.
    Counted(Reply<u64>, Result<u64, Failure>),
    Indexed(Reply<()>, Result<(), Failure>),
    Imported(Reply<Imported>, Result<Imported, Failure>),
    Told(Reply<()>, Result<(), Failure>),
}

impl Settled {
    /// Gives the answer. Who does not wait any more is not told.
    pub(super) fn settle(self) {
        match self {
            Self::Stored(reply, result, capture) => drop((reply.send(result), capture)),
            Self::Delivered(reply, result) => drop(reply.send(*result)),
            Self::Posted(reply, result) => drop(reply.send(result)),
            Self::Counted(reply, result) => drop(reply.send(result)),
            Self::Imported(reply, result) => drop(reply.send(result)),
            Self::Indexed(reply, result) | Self::Told(reply, result) => drop(reply.send(result)),
        }
    }
}

/// The task that answers who waits, a whole batch at a time: waking each from the writer's thread costs a tenth of the
/// throughput. Spawn [`Settler::run`] in the runtime in which the answers are awaited; or drop it, and the writer's
/// thread answers by itself. Kept and not run, it leaves everybody waiting.
#[derive(Debug)]
pub struct Settler {
    batches: mpsc::UnboundedReceiver<Vec<Settled>>,
}

impl Settler {
    /// Answers until the writer is closed and everybody has been answered.
    pub async fn run(mut self) {
        while let Some(batch) = self.batches.recv().await {
            batch.into_iter().for_each(Settled::settle);
        }
    }
}

impl std::fmt::Debug for Settled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Settled")
    }
}

/// What the handles and the thread share.
pub(super) struct Shared {
    pub queue: Queue<Job>,
    /// Refusals that were not written, and are still to be counted.
    pub lost_refusals: AtomicI64,
    /// Held while the thread lives; a visiting writer has none.
    pub lock: Mutex<Option<Lock>>,
}

/// The writing side of a store: hands jobs to the one thread that writes. Clones are the same writer. When the last one
/// is dropped, the thread writes what it has and ends by itself; [`Writer::close`] waits for that.
#[derive(Clone)]
pub struct Writer {
    handle: Arc<Handle>,
}

struct Handle {
    shared: Arc<Shared>,
    role: Role,
    thread: Mutex<Option<JoinHandle<Result<(), Failure>>>>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.queue.close();
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("role", &self.handle.role).finish_non_exhaustive()
    }
}

impl Writer {
    /// Opens the store at `path` for writing, and rings `bell` after each commit.
    ///
    /// A capturing writer makes the folder, the file and the tables where there are none, and is refused where another
    /// process captures into the store. A visiting one needs a store that is there.
    pub fn open(path: &Path, role: Role, bell: Bell) -> Result<(Self, Settler), Failure> {
        let path = file::absolute(path)?;
        let lock = match role {
            Role::Capturing => {
                file::make_folder(&path)?;
                let lock = Lock::take(&path)?;
                file::make(&path)?;
                Some(lock)
            }
            Role::Visiting => {
                file::refuse_missing(&path)?;
                None
            }
        };
        let shared = Arc::new(Shared {
            queue: Queue::new(QUEUE_JOBS, QUEUE_BYTES),
            lost_refusals: AtomicI64::new(0),
            lock: Mutex::new(lock),
        });
        let (settled, batches) = mpsc::unbounded_channel();
        let scribe = Scribe::open(path, role, Arc::clone(&shared), settled, bell)?;
        let thread = thread::Builder::new()
            .name("creel-store".into())
            .spawn(move || scribe.run())
            .map_err(|error| Failure::new("starting the thread that writes the store", error))?;
        let handle = Handle { shared, role, thread: Mutex::new(Some(thread)) };
        Ok((Self { handle: Arc::new(handle) }, Settler { batches }))
    }

    /// Stores a capture; its id is given by the store, and what it holds in `id` and `duplicate_of` is not looked at.
    /// A visiting writer answers with a failure.
    pub fn capture(&self, capture: Capture) -> Result<Pending<Stored>, Full> {
        self.capture_and_forward(capture, None)
    }

    /// Stores a capture with its errands, in one transaction, and hands it on, where it goes on.
    pub fn capture_and_forward(
        &self,
        capture: impl Into<Box<Capture>>,
        onward: Option<Onward>,
    ) -> Result<Pending<Stored>, Full> {
        let (reply, pending) = oneshot::channel();
        if self.handle.role == Role::Visiting {
            let why = "this process does not hold the store's lock";
            Settled::Stored(reply, Err(Failure::new("storing a capture", why)), None).settle();
            return Ok(pending);
        }
        self.push(Job::Capture(capture.into(), onward, reply)).map(|()| pending)
    }

    /// Keeps a delivery, and gives it back with its id and its attempt, which are the store's to say.
    pub fn deliver(&self, delivery: Delivery) -> Result<Pending<Delivery>, Full> {
        let (reply, pending) = oneshot::channel();
        self.push(Job::Deliver(Box::new(delivery), None, reply)).map(|()| pending)
    }

    /// Keeps a delivery with what it means for its errand, in one transaction.
    pub fn settle(&self, delivery: Delivery, settlement: Settlement, haste: Haste) -> Result<Pending<Delivery>, Full> {
        let (reply, pending) = oneshot::channel();
        self.push_with(Job::Deliver(Box::new(delivery), Some(settlement), reply), haste).map(|()| pending)
    }

    /// Changes what must still be brought to an app.
    pub fn post(&self, posting: Posting) -> Result<Pending<Posted>, Full> {
        let (reply, pending) = oneshot::channel();
        let haste = posting.haste();
        self.push_with(Job::Post(Box::new(posting), reply), haste).map(|()| pending)
    }

    /// Keeps a refusal. Nobody waits for it; where it cannot be kept, it is counted all the same.
    pub fn refuse(&self, refusal: Refusal) -> Result<(), Full> {
        let taken = self.push_with(Job::Refuse(Box::new(refusal)), Haste::Soon);
        if taken.is_err() {
            self.handle.shared.lost_refusals.fetch_add(1, Ordering::Relaxed);
        }
        taken
    }

    /// Deletes the oldest captures that a condition takes, at most [`FORGET_AT_ONCE`](super::FORGET_AT_ONCE) of them, so
    /// that nobody who captures waits long; gives how many. Again until it gives 0.
    pub fn forget(&self, condition: Sql) -> Result<Pending<u64>, Full> {
        self.forget_with(condition, Haste::Now)
    }

    /// The same, which nobody waits for unless it is in haste.
    pub fn forget_with(&self, condition: Sql, haste: Haste) -> Result<Pending<u64>, Full> {
        let (reply, pending) = oneshot::channel();
        self.push_with(Job::Forget(Box::new(condition), reply), haste).map(|()| pending)
    }

    /// Changes what a person said of captures, at most [`FORGET_AT_ONCE`](super::FORGET_AT_ONCE) of them, so that nobody
    /// who captures waits long; gives how many there are.
    pub fn tag(&self, ids: Vec<CaptureId>, tagging: Tagging) -> Result<Pending<u64>, Full> {
        let (reply, pending) = oneshot::channel();
        self.push(Job::Tag(ids, tagging, reply)).map(|()| pending)
    }

    /// Keeps other judgements of captures, at most [`FORGET_AT_ONCE`](super::FORGET_AT_ONCE) of them, so that nobody who captures
    /// waits long; gives how many captures there are still.
    pub fn judge(&self, judged: Vec<JudgedAgain>) -> Result<Pending<u64>, Full> {
        let (reply, pending) = oneshot::channel();
        self.push(Job::Judge(judged, reply)).map(|()| pending)
    }

    /// Writes a part of the index.
    pub(super) fn index(&self, change: Change) -> Result<Pending<()>, Full> {
        let (reply, pending) = oneshot::channel();
        self.push(Job::Index(Box::new(change), reply)).map(|()| pending)
    }

    /// Writes all captures that a source gives, in one transaction: all of them, or where the source fails none. Who else
    /// writes waits until it is through.
    pub fn import(&self, source: Source) -> Result<Pending<Imported>, Full> {
        let (reply, pending) = oneshot::channel();
        self.push(Job::Import(Mutex::new(source), reply)).map(|()| pending)
    }

    /// Keeps what an endpoint answers from now on, as JSON; none: what its configuration says.
    pub fn tell(&self, endpoint: String, words: Option<String>) -> Result<Pending<()>, Full> {
        let (reply, pending) = oneshot::channel();
        self.push(Job::Tell(endpoint, words, reply)).map(|()| pending)
    }

    /// Says beside the store where this process listens, for [`holder`](super::holder) and for who is refused. One
    /// line; a visiting writer has nothing to say.
    pub fn announce(&self, address: &str) -> Result<(), Failure> {
        let mut lock = self.handle.shared.lock.lock().unwrap_or_else(PoisonError::into_inner);
        lock.as_mut().map_or(Ok(()), |lock| lock.announce(address))
    }

    /// Lets nothing more in, writes what is there, moves the WAL into the main file, and waits until all that is done.
    /// Of several clones the first does it. Blocks: not for a runtime's thread that others need.
    pub fn close(self) -> Result<(), Failure> {
        self.handle.shared.queue.close();
        let thread = self.handle.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(thread) = thread else { return Ok(()) };
        thread.join().unwrap_or_else(|_| Err(Failure::new("closing the store", "the thread that writes it had died")))
    }

    fn push(&self, job: Job) -> Result<(), Full> {
        self.push_with(job, Haste::Now)
    }

    fn push_with(&self, job: Job, haste: Haste) -> Result<(), Full> {
        let bytes = job.bytes();
        self.handle.shared.queue.push(job, bytes, haste)
    }

    #[cfg(test)]
    pub(super) fn poke(
        &self,
        poke: impl Fn(&rusqlite::Connection) -> Result<(), rusqlite::Error> + Send + 'static,
    ) -> Pending<Stored> {
        let (reply, pending) = oneshot::channel();
        self.push(Job::Poke(Box::new(poke), reply)).unwrap();
        pending
    }
}

/// Where a batch of the jobs ends that begin at `from`: its caps are reached, or the jobs are at an end.
pub(super) fn batch_end(jobs: &[Job], max_jobs: usize) -> usize {
    let mut bytes = 0;
    let fits = |job: &&Job| {
        let before = bytes;
        bytes += job.bytes();
        before < BATCH_BYTES
    };
    jobs.iter().take(max_jobs).take_while(fits).count()
}
