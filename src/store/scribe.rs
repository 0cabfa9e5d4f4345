//! The one hand that writes: the thread behind a [`Writer`](super::Writer).
//!
//! It takes all that waits, writes it in one transaction, commits, and only then has everybody answered. When a
//! transaction fails, everybody in it gets the failure and nothing of it is in the file; what happens next depends on
//! what the failure says about the file (see [`Kind`]).

use std::{
    ffi::c_int,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rusqlite::{Connection, hooks::Wal};
use tokio::sync::mpsc::UnboundedSender;

use super::{
    BATCH_JOBS, Bell, FORGET_AT_ONCE,
    file::{self, Identity},
    insert::Transaction,
    post::Posted,
    seen::Seen,
    shorten::Shortener,
    trouble::{self, DAMAGED, Kind, Trouble},
    writer::{Brought, Imported, Job, Onward, Role, Settled, Shared, Source, Stored, batch_end},
};
use crate::record::{Delivery, DeliveryId, Failure};

/// Refusals between two looks at how many bytes of them are kept.
const REFUSALS_PER_LOOK: u32 = 256;
/// How long the end waits for readers to let go of the WAL. It is no loss when they do not.
const LAST_CHECKPOINT_WAIT: Duration = Duration::from_millis(250);

const STORING: &str = "storing a batch";

/// What one job came to, before the commit.
enum Done {
    Captured(Stored),
    Delivered(Result<(DeliveryId, u32), Failure>),
    Posted(Posted),
    Told,
    Refused,
    /// How many captures were deleted, tagged or judged.
    Counted(u64),
    Indexed,
    Imported(Imported),
}

/// The connection and what belongs to it; made anew when the file is not trusted any more.
struct Desk {
    connection: Connection,
    identity: Identity,
    seen: Seen,
    /// Pages in the WAL after the last commit.
    log: Arc<AtomicUsize>,
    /// None: a visiting process, which leaves the WAL as it is.
    shortener: Option<Shortener>,
}

/// The thread's state.
pub(super) struct Scribe {
    path: PathBuf,
    role: Role,
    /// None: the file must be opened and checked before anything is written again.
    desk: Option<Desk>,
    shared: Arc<Shared>,
    settled: UnboundedSender<Vec<Settled>>,
    bell: Bell,
    refusals_unlooked: u32,
}

impl Drop for Scribe {
    /// Runs also when the thread panics: then nobody may be left waiting, and the next process may have the store.
    fn drop(&mut self) {
        self.shared.queue.abandon();
        self.desk = None;
        self.shared.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl Scribe {
    /// Opens the file, so that what is wrong with it is known before the thread is started.
    pub(super) fn open(
        path: PathBuf,
        role: Role,
        shared: Arc<Shared>,
        settled: UnboundedSender<Vec<Settled>>,
        bell: Bell,
    ) -> Result<Self, Failure> {
        let mut scribe = Self { path, role, desk: None, shared, settled, bell, refusals_unlooked: REFUSALS_PER_LOOK };
        let connection = file::connect(&scribe.path, role)?;
        if role == Role::Capturing {
            // They do no harm: where they cannot be deleted now, a later start does it.
            let _ = Seen::delete_gone(&connection);
            let _ = connection.execute("DELETE FROM retold WHERE capture NOT IN (SELECT id FROM summary)", ());
        }
        scribe.desk = Some(scribe.sit_down(connection)?);
        Ok(scribe)
    }

    /// Works until the queue is closed and empty.
    pub(super) fn run(mut self) -> Result<(), Failure> {
        let mut jobs = Vec::new();
        while self.shared.queue.take(&mut jobs) {
            while !jobs.is_empty() {
                let end = batch_end(&jobs, BATCH_JOBS);
                self.batch(jobs.drain(..end).collect());
            }
        }
        self.finish()
    }

    /// Writes one batch and has it answered.
    fn batch(&mut self, jobs: Vec<Job>) {
        let (count, bytes) = (jobs.len(), jobs.iter().map(Job::bytes).sum());
        // The index says nothing that nobody knew.
        let tells = jobs.iter().any(|job| !matches!(job, Job::Index(..)));
        let (settled, changed) = match self.transact(&jobs) {
            Ok(done) => (jobs.into_iter().zip(done).filter_map(|(job, done)| answer(job, done)).collect(), true),
            Err(trouble) if trouble.kind == Kind::Job && count > 1 => self.one_by_one(jobs),
            Err(trouble) => (self.refuse_all(jobs, &trouble.failure), false),
        };
        self.shared.queue.release(count, bytes);
        self.settle(settled);
        if changed && tells {
            self.bell.ring();
        }
        self.shorten_log(bytes);
    }

    /// Keeps the WAL short: after everybody was answered, so that nobody waits for it but who comes meanwhile.
    fn shorten_log(&mut self, bytes: usize) {
        let Some(desk) = &mut self.desk else { return };
        let Some(shortener) = &mut desk.shortener else { return };
        if !shortener.after_commit(desk.log.load(Ordering::Relaxed), bytes) {
            return;
        }
        // Where it fails nothing is lost: all of it is in the WAL, and the next commit tries again.
        let _ = file::checkpoint(&desk.connection);
        desk.log.store(0, Ordering::Relaxed);
    }

    /// Writes the jobs of a failed batch each in a transaction of its own: one of them is poison, the others are not.
    fn one_by_one(&mut self, jobs: Vec<Job>) -> (Vec<Settled>, bool) {
        let mut settled = Vec::with_capacity(jobs.len());
        let (mut changed, mut over) = (false, None);
        for job in jobs {
            let result = match &over {
                None => self.transact(std::slice::from_ref(&job)),
                Some(failure) => Err(Trouble { kind: Kind::Job, failure: Failure::clone(failure) }),
            };
            match result {
                Ok(mut done) => {
                    changed = true;
                    settled.extend(done.pop().and_then(|done| answer(job, done)));
                }
                Err(trouble) => {
                    settled.extend(self.refuse(job, trouble.failure.clone()));
                    // The disk or the file, not this job: the rest of the batch is not tried again and again.
                    over = over.or((trouble.kind != Kind::Job).then_some(trouble.failure));
                }
            }
        }
        (settled, changed)
    }

    fn refuse_all(&self, jobs: Vec<Job>, failure: &Failure) -> Vec<Settled> {
        jobs.into_iter().filter_map(|job| self.refuse(job, failure.clone())).collect()
    }

    /// The answer to a job that was not written.
    fn refuse(&self, job: Job, failure: Failure) -> Option<Settled> {
        match job {
            Job::Capture(capture, _, reply) => Some(Settled::Stored(reply, Err(failure), Some(capture))),
            Job::Post(_, reply) => Some(Settled::Posted(reply, Err(failure))),
            Job::Deliver(_, _, reply) => Some(Settled::Delivered(reply, Box::new(Err(failure)))),
            Job::Forget(_, reply) | Job::Tag(_, _, reply) | Job::Judge(_, reply) => {
                Some(Settled::Counted(reply, Err(failure)))
            }
            Job::Index(_, reply) => Some(Settled::Indexed(reply, Err(failure))),
            Job::Import(_, reply) => Some(Settled::Imported(reply, Err(failure))),
            Job::Tell(_, _, reply) => Some(Settled::Told(reply, Err(failure))),
            Job::Refuse(_) => {
                self.shared.lost_refusals.fetch_add(1, Ordering::Relaxed);
                None
            }
            #[cfg(test)]
            Job::Poke(_, reply) => Some(Settled::Stored(reply, Err(failure), None)),
        }
    }

    fn settle(&self, settled: Vec<Settled>) {
        if settled.is_empty() {
            return;
        }
        if let Err(nobody_settles) = self.settled.send(settled) {
            nobody_settles.0.into_iter().for_each(Settled::settle);
        }
    }

    /// Writes jobs in one transaction, all or none. When it returns `Ok`, they are on the disk.
    fn transact(&mut self, jobs: &[Job]) -> Result<Vec<Done>, Trouble> {
        if self.desk.is_none() {
            let desk = self.sit_down_and_check().map_err(|failure| Trouble { kind: Kind::File, failure })?;
            self.desk = Some(desk);
        }
        let Some(desk) = &mut self.desk else {
            return Err(Trouble { kind: Kind::File, failure: Failure::new(STORING, "the store is not open") });
        };
        if !Identity::of(&self.path).is_ok_and(|now| now == desk.identity) {
            return Err(Trouble { kind: Kind::Later, failure: moved(&self.path) });
        }
        let lost = self.shared.lost_refusals.load(Ordering::Relaxed);
        match desk.write(jobs, lost, &mut self.refusals_unlooked) {
            Ok(done) => {
                desk.seen.commit();
                self.shared.lost_refusals.fetch_sub(lost, Ordering::Relaxed);
                Ok(done)
            }
            Err(trouble) => {
                desk.seen.roll_back();
                if trouble.kind == Kind::File || !desk.is_rolled_back() {
                    self.desk = None;
                }
                Err(trouble)
            }
        }
    }

    fn sit_down(&self, mut connection: Connection) -> Result<Desk, Failure> {
        let doing = file::opening(&self.path);
        let log = Arc::new(AtomicUsize::new(0));
        if self.role == Role::Capturing {
            let log = Arc::clone(&log);
            let note = move |_: &mut Wal, pages: c_int| {
                log.store(usize::try_from(pages).unwrap_or_default(), Ordering::Relaxed);
                Ok(())
            };
            connection.wal_hook(Some(note)).map_err(|error| trouble::failure(&doing, &error))?;
        }
        let seen = match self.role {
            Role::Capturing => Seen::load(&connection).map_err(|error| trouble::failure(&doing, &error))?,
            Role::Visiting => Seen::unused(),
        };
        let identity = Identity::of(&self.path).map_err(|error| Failure::new(&doing, error))?;
        let shortener = (self.role == Role::Capturing).then(|| Shortener::start(&self.path)).transpose()?;
        Ok(Desk { connection, identity, seen, log, shortener })
    }

    /// Opens the file again after an error of the disk. The kernel may have thrown away what it could not write, and
    /// say nothing of it a second time; so what is there is checked before a word is said about it.
    fn sit_down_and_check(&self) -> Result<Desk, Failure> {
        let doing = format!("opening the store {} again after an error of the disk", self.path.display());
        let desk = self.sit_down(file::connect(&self.path, self.role)?)?;
        let found: Result<String, _> = desk.connection.query_row("PRAGMA quick_check(1)", (), |row| row.get(0));
        match found.as_deref() {
            Ok("ok") => Ok(desk),
            Ok(damage) => Err(Failure::new(doing, format!("the file is damaged ({damage})")).hint(DAMAGED)),
            Err(error) => Err(trouble::failure(doing, error)),
        }
    }

    /// The end: nothing is left uncounted, and nothing in the WAL, if readers allow.
    fn finish(mut self) -> Result<(), Failure> {
        if self.shared.lost_refusals.load(Ordering::Relaxed) > 0 {
            self.transact(&[]).map_err(|trouble| trouble.failure)?;
        }
        let (Role::Capturing, Some(desk)) = (self.role, &mut self.desk) else { return Ok(()) };
        desk.shortener = None;
        let checkpoint = || {
            desk.connection.busy_timeout(LAST_CHECKPOINT_WAIT)?;
            desk.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()))
        };
        let moved = checkpoint().map_err(|error| Trouble::of_file("moving the store's WAL into its main file", &error));
        match moved {
            // All of it is on the disk already; this only tidies up, and the next start can do it.
            Ok(()) | Err(Trouble { kind: Kind::Later, .. }) => Ok(()),
            Err(Trouble { failure, .. }) => Err(failure),
        }
    }
}

impl Desk {
    fn write(&mut self, jobs: &[Job], lost: i64, unlooked: &mut u32) -> Result<Vec<Done>, Trouble> {
        let of_file = |error| Trouble::of_file(STORING, &error);
        let mut transaction = Transaction::begin(&self.connection).map_err(of_file)?;
        if self.seen.has_news(transaction.last_retold) {
            self.seen.hear(&self.connection).map_err(of_file)?;
        }
        if self.seen.is_beside() && jobs.iter().any(Job::asks_for_events) {
            self.seen = Seen::load_beside(&self.connection).map_err(of_file)?;
        }
        let mut done = Vec::with_capacity(jobs.len());
        let mut refusals = 0;
        for job in jobs {
            done.push(write_job(&mut transaction, job, &mut self.seen)?);
            refusals += u32::from(matches!(job, Job::Refuse(_)));
        }
        if refusals > 0 {
            *unlooked += refusals;
            let look = *unlooked >= REFUSALS_PER_LOOK;
            transaction.trim_refusals(look).map_err(of_file)?;
            *unlooked = if look { 0 } else { *unlooked };
        }
        transaction.commit(&mut self.seen, lost).map_err(of_file)?;
        Ok(done)
    }

    /// Whether the failed transaction is gone, rolling it back where SQLite has not done so by itself.
    fn is_rolled_back(&self) -> bool {
        self.connection.is_autocommit() || self.connection.execute_batch("ROLLBACK").is_ok()
    }
}

fn write_job(transaction: &mut Transaction<'_>, job: &Job, seen: &mut Seen) -> Result<Done, Trouble> {
    match job {
        Job::Capture(capture, onward, _) => transaction
            .capture(capture, onward.as_ref().map_or(&[], |onward| &onward.lanes[..]), seen)
            .map(Done::Captured)
            .map_err(|error| Trouble::of_job("storing a capture", &error)),
        Job::Deliver(delivery, settlement, _) => transaction
            .delivery(delivery, settlement.as_ref())
            .map(Done::Delivered)
            .map_err(|error| Trouble::of_job("keeping a delivery", &error)),
        Job::Post(posting, _) => transaction
            .post(posting)
            .map(Done::Posted)
            .map_err(|error| Trouble::of_job("keeping what is to be sent", &error)),
        Job::Refuse(refusal) => transaction
            .refusal(refusal)
            .map(|()| Done::Refused)
            .map_err(|error| Trouble::of_job("keeping a refusal", &error)),
        Job::Forget(condition, _) => transaction
            .forget(condition, FORGET_AT_ONCE)
            .map(Done::Counted)
            .map_err(|error| Trouble::of_job("deleting captures", &error)),
        Job::Tag(ids, tagging, _) => transaction
            .tag(ids, tagging)
            .map(Done::Counted)
            .map_err(|error| Trouble::of_job("tagging captures", &error)),
        Job::Judge(judged, _) => transaction
            .judge(judged, seen)
            .map(Done::Counted)
            .map_err(|error| Trouble::of_job("keeping a judgement", &error)),
        Job::Index(change, _) => transaction
            .index(change)
            .map(|()| Done::Indexed)
            .map_err(|error| Trouble::of_job("writing the index of searches", &error)),
        Job::Import(source, _) => import(transaction, source, seen).map(Done::Imported),
        Job::Tell(endpoint, words, _) => transaction
            .tell(endpoint, words.as_deref())
            .map(|()| Done::Told)
            .map_err(|error| Trouble::of_job("keeping what an endpoint answers", &error)),
        #[cfg(test)]
        Job::Poke(poke, _) => poke(transaction.connection())
            .map(|()| Done::Captured(Stored { id: crate::record::CaptureId(0), duplicate_of: None, errand: None }))
            .map_err(|error| Trouble::of_job("poking", &error)),
    }
}

const IMPORTING: &str = "storing an import";

/// Writes what a source gives, less what is there already. Where that fails, the transaction does.
fn import(transaction: &mut Transaction<'_>, source: &Mutex<Source>, seen: &mut Seen) -> Result<Imported, Trouble> {
    let mut source = source.lock().unwrap_or_else(PoisonError::into_inner);
    let mut imported = Imported::default();
    let mut known = None;
    while let Some(brought) = source().map_err(|failure| Trouble { kind: Kind::Job, failure })? {
        let Brought { capture, may_be_known } = brought;
        if may_be_known {
            let known = match &mut known {
                Some(known) => known,
                none => none.insert(transaction.uids().map_err(|error| Trouble::of_job(IMPORTING, &error))?),
            };
            if !known.insert(capture.uid) {
                imported.known += 1;
                continue;
            }
        }
        let stored = transaction.capture(&capture, &[], seen);
        let Stored { id, .. } = stored.map_err(|error| Trouble::of_job("storing a capture", &error))?;
        imported.first = if imported.count == 0 { id } else { imported.first };
        imported.count += 1;
        imported.cut += u64::from(capture.body.truncated);
    }
    let kept = transaction.imported(imported.first, imported.count);
    kept.map_err(|error| Trouble::of_job(IMPORTING, &error))?;
    Ok(imported)
}

/// The answer to a job that is on the disk. A capture is handed on first.
fn answer(job: Job, done: Done) -> Option<Settled> {
    match (job, done) {
        (Job::Capture(capture, onward, reply), Done::Captured(stored)) => {
            if let Some(Onward { then, .. }) = onward {
                then(stored);
            }
            Some(Settled::Stored(reply, Ok(stored), Some(capture)))
        }
        (Job::Post(_, reply), Done::Posted(posted)) => Some(Settled::Posted(reply, Ok(posted))),
        (Job::Deliver(delivery, _, reply), Done::Delivered(kept)) => {
            let kept = kept.map(|(id, attempt)| Delivery { id, attempt, ..*delivery });
            Some(Settled::Delivered(reply, Box::new(kept)))
        }
        (Job::Forget(_, reply) | Job::Tag(_, _, reply) | Job::Judge(_, reply), Done::Counted(count)) => {
            Some(Settled::Counted(reply, Ok(count)))
        }
        (Job::Index(_, reply), Done::Indexed) => Some(Settled::Indexed(reply, Ok(()))),
        (Job::Import(_, reply), Done::Imported(imported)) => Some(Settled::Imported(reply, Ok(imported))),
        (Job::Tell(_, _, reply), Done::Told) => Some(Settled::Told(reply, Ok(()))),
        #[cfg(test)]
        (Job::Poke(_, reply), Done::Captured(stored)) => Some(Settled::Stored(reply, Ok(stored), None)),
        _ => None,
    }
}

/// The file under the store's name is not the one that is open. What would be written now, nobody would find again.
fn moved(path: &std::path::Path) -> Failure {
    Failure::new(STORING, format!("the file {} was moved or deleted while creel had it open", path.display()))
        .hint("move it back, or start creel again")
}
