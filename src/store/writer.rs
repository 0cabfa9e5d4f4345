//! The one hand that writes.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
};

use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use tokio::sync::{mpsc, oneshot};

use super::{
    Bell, CHUNK_BYTES, failure, file,
    lock::Lock,
    queue::{Full, Job, Pending, Queue, Settled, Settler},
    rows,
    seen::{EventKey, Seen},
};
use crate::record::{Capture, CaptureId, Delivery, DeliveryId, Failure, Outcome, Refusal, Verdict};

/// How many refused requests are kept.
const REFUSALS: i64 = 10_000;

/// In what capacity a process writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It captures: one process at a time, held by a lock beside the store.
    Capturing,
    /// It stores deliveries beside another process that captures.
    Visiting,
}

/// A capture's place after the commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its number.
    pub id: CaptureId,
    /// The first capture of the same event.
    pub duplicate_of: Option<CaptureId>,
}

/// The writer's thread, and how it ended.
type Thread = JoinHandle<Result<(), Failure>>;

/// The way to the writer's thread. Clones are the same writer.
#[derive(Clone)]
pub struct Writer {
    queue: Queue,
    lock: Option<Arc<Lock>>,
    thread: Arc<Mutex<Option<Thread>>>,
}

impl Writer {
    /// Opens the store, makes or migrates it, and starts the thread that writes. The settler must run somewhere.
    pub fn open(path: &Path, role: Role, bell: Bell) -> Result<(Self, Settler), Failure> {
        // The lock's file stands in the store's folder, which opening makes.
        let connection = file::open_for_writing(path)?;
        let lock = match role {
            Role::Capturing => Some(Arc::new(Lock::take(path)?)),
            Role::Visiting => None,
        };
        let queue = Queue::default();
        let (settle, settled) = mpsc::unbounded_channel();
        let hand = Hand::new(path, role, connection)?;
        let work = Work { queue: queue.clone(), bell, settle, hand };
        let thread = thread::Builder::new()
            .name("creel-writer".to_owned())
            .spawn(move || work.run())
            .map_err(|why| Failure::new("starting the writer", why))?;
        Ok((Self { queue, lock, thread: Arc::new(Mutex::new(Some(thread))) }, Settler(settled)))
    }

    /// Lets others read where this process listens.
    pub fn announce(&self, address: &str) {
        // The lock holds without these words; they only make an error of another process better.
        let _ = self.lock.as_ref().map(|lock| lock.say(Some(address)));
    }

    /// Stores a capture. Its number is given by the store.
    pub fn capture(&self, capture: Capture) -> Result<Pending<Stored>, Full> {
        let (told, outcome) = oneshot::channel();
        self.queue.push(Job::Capture(Box::new(capture), told)).map(|()| outcome)
    }

    /// Stores a delivery and gives it back with its number and attempt.
    pub fn deliver(&self, delivery: Delivery) -> Result<Pending<Delivery>, Full> {
        let (told, outcome) = oneshot::channel();
        self.queue.push(Job::Deliver(Box::new(delivery), told)).map(|()| outcome)
    }

    /// Stores a refused request. Nobody waits for it; where the queue is full it is counted only.
    pub fn refuse(&self, refusal: Refusal) -> Result<(), Full> {
        self.queue.push(Job::Refuse(Box::new(refusal)))
    }

    /// Does what waits, copies the log into the file, and ends the thread.
    pub fn close(self) -> Result<(), Failure> {
        self.queue.close();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        thread.map_or(Ok(()), |thread| {
            thread
                .join()
                .unwrap_or_else(|_| Err(Failure::new("writing", "the writer failed; what was acknowledged is stored")))
        })
    }
}

impl Drop for Writer {
    /// The last clone ends the thread once it has done what waits; nobody is kept waiting for it.
    fn drop(&mut self) {
        if Arc::strong_count(&self.thread) == 1 {
            self.queue.close();
        }
    }
}

/// What the writer's thread does.
struct Work {
    queue: Queue,
    bell: Bell,
    settle: mpsc::UnboundedSender<Vec<Settled>>,
    hand: Hand,
}

impl Work {
    fn run(mut self) -> Result<(), Failure> {
        while let Some((jobs, dropped)) = self.queue.take() {
            let settled = self.hand.write(jobs, dropped);
            // Where nobody settles, nobody waits.
            let _ = self.settle.send(settled);
            self.bell.ring();
        }
        self.hand.finish()
    }
}

/// The writing connection, and what it must remember between transactions.
struct Hand {
    path: PathBuf,
    role: Role,
    connection: Connection,
    seen: Option<Seen>,
    next_id: i64,
    /// After a failure of the disk nothing is acknowledged before the store was opened again and found whole.
    suspect: bool,
}

/// What a transaction adds to the counters.
#[derive(Default)]
struct Sums {
    captures: i64,
    bytes: i64,
    failed: i64,
    duplicates: i64,
    refused: i64,
}

/// The answer to a job, before it is known whether its transaction commits.
enum Done {
    Capture(Stored),
    Deliver(DeliveryId, u32),
    Refuse,
}

impl Hand {
    fn new(path: &Path, role: Role, connection: Connection) -> Result<Self, Failure> {
        let mut hand = Self { path: path.to_owned(), role, connection, seen: None, next_id: 0, suspect: false };
        hand.learn().map_err(|why| failure("reading the store", &why))?;
        Ok(hand)
    }

    /// Reads what must be remembered between transactions.
    fn learn(&mut self) -> rusqlite::Result<()> {
        self.connection.set_prepared_statement_cache_capacity(32);
        if self.role == Role::Capturing {
            self.next_id = self.connection.query_row("SELECT next_id FROM counter", [], |row| row.get(0))?;
            self.seen = Some(Seen::load(&self.connection)?);
        }
        Ok(())
    }

    /// Writes a batch in one transaction. Where that fails each job gets one of its own, so that one that cannot be
    /// written does not take the others with it.
    fn write(&mut self, jobs: Vec<Job>, dropped: u64) -> Vec<Settled> {
        if let Err(failure) = self.recover() {
            return jobs.into_iter().filter_map(|job| settled(job, Err(failure.clone()))).collect();
        }
        match self.transact(&jobs, dropped) {
            Ok(done) => jobs.into_iter().zip(done).filter_map(|(job, done)| settled(job, Ok(done))).collect(),
            Err(why) if jobs.len() > 1 && !is_of_the_disk(&why) => {
                let alone = jobs.into_iter().flat_map(|job| self.write(vec![job], 0));
                alone.collect()
            }
            Err(why) => {
                self.suspect = is_doubtful(&why);
                let failure = failure("storing", &why);
                jobs.into_iter().filter_map(|job| settled(job, Err(failure.clone()))).collect()
            }
        }
    }

    /// After a failed write the system may have thrown away what SQLite believes is on the disk: the store is opened
    /// again and must be found whole before anything more is acknowledged.
    fn recover(&mut self) -> Result<(), Failure> {
        if !self.suspect {
            return Ok(());
        }
        self.connection = file::open_for_writing(&self.path)?;
        let whole = self.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
        match whole {
            Ok(word) if word == "ok" => {}
            Ok(word) => return Err(Failure::new("checking the store", word)),
            Err(why) => return Err(failure("checking the store", &why)),
        }
        self.learn().map_err(|why| failure("reading the store", &why))?;
        self.suspect = false;
        Ok(())
    }

    fn transact(&mut self, jobs: &[Job], dropped: u64) -> rusqlite::Result<Vec<Done>> {
        let first = self.next_id;
        let done = self.try_transact(jobs, dropped);
        if done.is_err() {
            self.next_id = first;
            if let Some(seen) = &mut self.seen {
                seen.forget_from(CaptureId(first));
            }
        }
        done
    }

    fn try_transact(&mut self, jobs: &[Job], dropped: u64) -> rusqlite::Result<Vec<Done>> {
        let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
        let mut sums = Sums { refused: dropped as i64, ..Sums::default() };
        let mut done = Vec::with_capacity(jobs.len());
        for job in jobs {
            done.push(match job {
                Job::Capture(capture, _) => {
                    let seen = self.seen.as_mut().ok_or(rusqlite::Error::InvalidQuery)?;
                    let stored = capture_row(&transaction, seen, CaptureId(self.next_id), capture, &mut sums)?;
                    self.next_id += 1;
                    Done::Capture(stored)
                }
                Job::Deliver(delivery, _) => deliver_row(&transaction, delivery)?,
                Job::Refuse(refusal) => refuse_row(&transaction, refusal, &mut sums)?,
            });
        }
        count(&transaction, &sums)?;
        let last = CaptureId(self.next_id - 1);
        let due = self.seen.as_ref().filter(|seen| seen.is_due(last));
        due.map_or(Ok(()), |seen| seen.store(&transaction, last))?;
        let is_due = due.is_some();
        transaction.commit()?;
        if let Some(seen) = self.seen.as_mut().filter(|_| is_due) {
            seen.stored(last);
        }
        Ok(done)
    }

    /// Copies the log into the file, so that a stopped creel leaves one file behind.
    fn finish(self) -> Result<(), Failure> {
        let _ = self.connection.pragma_update(None, "wal_checkpoint", "TRUNCATE");
        self.connection.close().map_err(|(_, why)| failure("closing the store", &why))
    }
}

/// Whether an error speaks of the disk rather than of one row.
fn is_of_the_disk(why: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{
        CannotOpen, DatabaseBusy, DatabaseCorrupt, DatabaseLocked, DiskFull, OutOfMemory, ReadOnly, SystemIoFailure,
    };
    matches!(
        why.sqlite_error_code(),
        Some(
            CannotOpen
                | DatabaseBusy
                | DatabaseCorrupt
                | DatabaseLocked
                | DiskFull
                | OutOfMemory
                | ReadOnly
                | SystemIoFailure
        )
    )
}

/// Whether an error leaves it open what is on the disk. A full disk and a busy store do not: SQLite rolled back.
fn is_doubtful(why: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{CannotOpen, DatabaseCorrupt, OutOfMemory, SystemIoFailure};
    matches!(why.sqlite_error_code(), Some(CannotOpen | DatabaseCorrupt | OutOfMemory | SystemIoFailure))
}

fn settled(job: Job, done: Result<Done, Failure>) -> Option<Settled> {
    match (job, done) {
        (Job::Capture(_, to), Ok(Done::Capture(stored))) => Some(Settled::Capture(to, Ok(stored))),
        (Job::Capture(_, to), Err(failure)) => Some(Settled::Capture(to, Err(failure))),
        (Job::Deliver(delivery, to), Ok(Done::Deliver(id, attempt))) => {
            Some(Settled::Deliver(to, Ok(Delivery { id, attempt, ..*delivery })))
        }
        (Job::Deliver(_, to), Err(failure)) => Some(Settled::Deliver(to, Err(failure))),
        _ => None,
    }
}

fn capture_row(
    connection: &Connection,
    seen: &mut Seen,
    id: CaptureId,
    capture: &Capture,
    sums: &mut Sums,
) -> rusqlite::Result<Stored> {
    let key = match (&capture.provider, &capture.event.id) {
        (Some(provider), Some(event_id)) => Some(EventKey { endpoint: &capture.endpoint, provider, event_id }),
        _ => None,
    };
    let duplicate_of = key.as_ref().map_or(Ok(None), |key| seen.first(connection, key))?;
    summary_row(connection, id, capture, duplicate_of)?;
    content_rows(connection, id, capture)?;
    if let Some(key) = &key {
        seen.insert(id, key);
    }
    sums.captures += 1;
    sums.bytes += (capture.head.raw().len() + capture.body.bytes.len()) as i64;
    sums.failed += i64::from(capture.judgement.verdict == Verdict::Failed);
    sums.duplicates += i64::from(duplicate_of.is_some());
    Ok(Stored { id, duplicate_of })
}

fn summary_row(
    connection: &Connection,
    id: CaptureId,
    capture: &Capture,
    duplicate_of: Option<CaptureId>,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO summary (id, uid, received_at, endpoint, peer, method, path, query, provider, event_id, event_type, \
               event_at, verdict, fault, covers_body, age_s, flags, duplicate_of, size, truncated, reply) \
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let judgement = &capture.judgement;
    connection
        .prepare_cached(sql)?
        .execute(params![
            id.0,
            capture.uid.0.to_be_bytes(),
            capture.received_at.unix_ms(),
            capture.endpoint,
            capture.peer,
            capture.head.method(),
            capture.head.path(),
            capture.head.query(),
            capture.provider,
            capture.event.id,
            capture.event.kind,
            capture.event.created_at.map(crate::record::Timestamp::unix_ms),
            judgement.verdict as i64,
            judgement.fault.map(|fault| fault as i64),
            judgement.covers_body,
            judgement.age_s,
            capture.flags.bits(),
            duplicate_of.map(|first| first.0),
            capture.body.size as i64,
            capture.body.truncated,
            capture.reply_status,
        ])
        .map(drop)
}

fn content_rows(connection: &Connection, id: CaptureId, capture: &Capture) -> rusqlite::Result<()> {
    let bytes = &capture.body.bytes;
    let inline = (bytes.len() <= CHUNK_BYTES).then_some(&bytes[..]);
    let trailers = (!capture.trailers.is_empty()).then(|| rows::header_bytes(&capture.trailers));
    let sql =
        "INSERT INTO content (id, head, trailers, judgement, declared, sha256, body) VALUES (?, ?, ?, ?, ?, ?, ?)";
    connection.prepare_cached(sql)?.execute(params![
        id.0,
        &capture.head.raw()[..],
        trailers.as_deref(),
        rows::judgement_text(&capture.judgement),
        capture.body.declared.map(|n| n as i64),
        capture.body.sha256,
        inline,
    ])?;
    if inline.is_none() {
        let mut insert = connection.prepare_cached("INSERT INTO chunk (id, place, bytes) VALUES (?, ?, ?)")?;
        for (place, chunk) in bytes.chunks(CHUNK_BYTES).enumerate() {
            insert.execute(params![id.0, place as i64, chunk])?;
        }
    }
    Ok(())
}

fn deliver_row(connection: &Connection, delivery: &Delivery) -> rusqlite::Result<Done> {
    let attempt = "SELECT count(*) + 1 FROM delivery WHERE capture = ?";
    let attempt: u32 = connection.prepare_cached(attempt)?.query_row([delivery.capture.0], |row| row.get(0))?;
    let (error, reply) = match &delivery.outcome {
        Outcome::Failed(why) => (Some(why), None),
        Outcome::Replied(reply) => (None, Some(reply)),
    };
    let sql = "INSERT INTO delivery (capture, target, started_at, took_ms, attempt, receipt, error, status, headers, body, \
               truncated) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    connection.prepare_cached(sql)?.execute(params![
        delivery.capture.0,
        delivery.to,
        delivery.started_at.unix_ms(),
        delivery.took_ms as i64,
        attempt,
        rows::receipt_text(&delivery.receipt),
        error,
        reply.map(|r| r.status),
        reply.map(|r| rows::header_bytes(&r.headers)).as_deref(),
        reply.map(|r| &r.body[..]),
        reply.map(|r| r.truncated),
    ])?;
    let id = DeliveryId(connection.last_insert_rowid());
    let app = delivery.status().unwrap_or_default();
    let sql = "UPDATE summary SET deliveries = ?, app = ? WHERE id = ?";
    connection.prepare_cached(sql)?.execute(params![attempt, app, delivery.capture.0])?;
    Ok(Done::Deliver(id, attempt))
}

fn refuse_row(connection: &Connection, refusal: &Refusal, sums: &mut Sums) -> rusqlite::Result<Done> {
    let sql = "INSERT INTO refusal (at, peer, status, reason, head) VALUES (?, ?, ?, ?, ?)";
    let parameters = params![refusal.at.unix_ms(), refusal.peer, refusal.status, refusal.reason, refusal.head];
    connection.prepare_cached(sql)?.execute(parameters)?;
    let oldest = connection.last_insert_rowid() - REFUSALS;
    connection.prepare_cached("DELETE FROM refusal WHERE id <= ?")?.execute([oldest])?;
    sums.refused += 1;
    Ok(Done::Refuse)
}

fn count(connection: &Connection, sums: &Sums) -> rusqlite::Result<()> {
    let sql = "UPDATE counter SET next_id = next_id + ?1, captures = captures + ?1, bytes = bytes + ?2, failed = failed + ?3, \
               duplicates = duplicates + ?4, refused = refused + ?5";
    let parameters = params![sums.captures, sums.bytes, sums.failed, sums.duplicates, sums.refused];
    connection.prepare_cached(sql)?.execute(parameters).map(drop)
}
