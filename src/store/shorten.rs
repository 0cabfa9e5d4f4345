//! The second hand at the WAL: copies pages of it into the main file while the writer goes on.
//!
//! A checkpoint that the writer makes alone holds up everybody who comes meanwhile, for as long as the disk takes to sync
//! some megabytes. So the WAL is copied a step at a time beside the writer, and what is left to the writer, between two
//! commits, are the few pages that came since: only who writes knows that nothing more comes, so that the WAL may begin
//! anew.
//!
//! This thread must never write a row, hold the lock that the writer needs, or be what "stored" hangs on: all of it is in
//! the WAL, which SQLite keeps until the main file has everything and is synced.

use std::{
    fs::File,
    io,
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

use rusqlite::Connection;

use super::{
    KIB,
    file::{self, Identity},
};
use crate::record::Failure;

/// Pages of WAL after which it is moved into the main file and begun anew: seldom enough that at some hundred commits a
/// second fewer than one of a hundred waits for it.
const CHECKPOINT_PAGES: usize = 2_000;
/// Bytes of what was stored that are copied at a time: a commit that comes while they are synced waits for about a
/// millisecond more. Pages would be the wrong measure: those of a thousand small commits are the same few.
const STEP_BYTES: usize = 256 * KIB;
/// What the writer does not copy alone even where the WAL is long: a large body.
const LARGE_BYTES: usize = 16 * STEP_BYTES;
/// Pages of WAL at which the writer waits for the second hand: the disk does not keep up with who writes.
const CHECKPOINT_PAGES_MAX: usize = 4 * CHECKPOINT_PAGES;

/// Whose turn it is after a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Nobodys,
    /// The second hand copies what there is.
    Beside,
    /// The writer copies the rest, and begins the WAL anew.
    Writers,
}

/// Whose turn it is with `pages` in the WAL, and `fresh` bytes stored since somebody had a turn.
fn turn(pages: usize, fresh: usize, state: State) -> Turn {
    match (pages, state) {
        (CHECKPOINT_PAGES_MAX.., _) => Turn::Writers,
        (_, State::Asked) => Turn::Nobodys,
        (CHECKPOINT_PAGES.., State::Idle) if fresh >= LARGE_BYTES => Turn::Beside,
        (..CHECKPOINT_PAGES, State::Idle) if fresh >= STEP_BYTES => Turn::Beside,
        (CHECKPOINT_PAGES.., _) => Turn::Writers,
        _ => Turn::Nobodys,
    }
}

/// The thread, as the writer sees it. Dropping it ends the thread.
pub(super) struct Shortener {
    task: Arc<Task>,
    thread: Option<JoinHandle<()>>,
    /// Bytes that were stored since somebody had a turn.
    fresh: usize,
}

#[derive(Default)]
struct Task {
    state: Mutex<State>,
    changed: Condvar,
}

/// What the thread is at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Idle,
    Asked,
    /// It is gone, or about to go: the writer does all of it.
    Ended,
}

impl Shortener {
    /// Starts the thread, on a store that is open.
    pub(super) fn start(path: &Path) -> Result<Self, Failure> {
        let connection = file::connect_to_shorten(path)?;
        let main = never_closed(path).map_err(|error| Failure::new(file::opening(path), error))?;
        let task = Arc::new(Task::default());
        let thread = thread::Builder::new()
            .name("creel-shorten".into())
            .spawn({
                let task = Arc::clone(&task);
                move || task.run(&connection, main)
            })
            .map_err(|error| Failure::new("starting the thread that keeps the store's WAL short", error))?;
        Ok(Self { task, thread: Some(thread), fresh: 0 })
    }

    /// What follows from a commit of `bytes` that left `pages` in the WAL. True: the writer is to move the rest now.
    pub(super) fn after_commit(&mut self, pages: usize, bytes: usize) -> bool {
        self.fresh = self.fresh.saturating_add(bytes);
        let mut state = self.task.lock();
        let turn = turn(pages, self.fresh, *state);
        if turn == Turn::Nobodys {
            return false;
        }
        self.fresh = 0;
        if turn == Turn::Beside {
            *state = State::Asked;
            self.task.changed.notify_all();
            return false;
        }
        drop(state);
        self.wait();
        true
    }

    /// Waits until the thread is through with what it was asked.
    fn wait(&self) {
        drop(self.task.while_it_is(State::Asked));
    }
}

impl Drop for Shortener {
    fn drop(&mut self) {
        self.task.end();
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Task {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for another state than this.
    fn while_it_is(&self, state: State) -> MutexGuard<'_, State> {
        self.changed.wait_while(self.lock(), |now| *now == state).unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self) {
        *self.lock() = State::Ended;
        self.changed.notify_all();
    }

    fn run(&self, connection: &Connection, main: &File) {
        let _end = AtTheEnd(self);
        while *self.while_it_is(State::Idle) == State::Asked {
            // Where one of these fails nothing is lost: the writer does both again before the WAL begins anew. SQLite itself
            // syncs the main file only once nothing is left in the WAL, and that would then take the writer's time.
            let _ = file::checkpoint(connection);
            let _ = main.sync_data();
            let mut state = self.lock();
            if *state == State::Asked {
                *state = State::Idle;
            }
            self.changed.notify_all();
        }
    }
}

/// However the thread ends, nobody waits for it.
struct AtTheEnd<'a>(&'a Task);

impl Drop for AtTheEnd<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// The main file, to sync it. It is never closed, and opened once: closing any descriptor of a file lets go of all locks
/// that the process has on it, SQLite's among them (`sqlite.org/howtocorrupt.html`, section 2.2).
fn never_closed(path: &Path) -> io::Result<&'static File> {
    static OPEN: Mutex<Vec<(Identity, &File)>> = Mutex::new(Vec::new());
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    let identity = Identity::of(path)?;
    if let Some((_, file)) = open.iter().find(|(known, _)| *known == identity) {
        return Ok(file);
    }
    let file: &File = Box::leak(Box::new(File::open(path)?));
    open.push((identity, file));
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::{super::writer::Role, *};

    #[test]
    fn the_second_hand_copies_by_steps_and_the_writer_begins_anew() {
        for (pages, fresh, state, whose) in [
            (9, 9_000, State::Idle, Turn::Nobodys),
            (60, STEP_BYTES, State::Idle, Turn::Beside),
            (120, STEP_BYTES, State::Asked, Turn::Nobodys),
            (CHECKPOINT_PAGES, 9_000, State::Asked, Turn::Nobodys),
            (CHECKPOINT_PAGES, 9_000, State::Idle, Turn::Writers),
            // Who goes on storing a step at a time does not keep the WAL from beginning anew.
            (CHECKPOINT_PAGES, STEP_BYTES, State::Idle, Turn::Writers),
            // One large body: what it wrote is not left to the writer either.
            (3_200, 100 * STEP_BYTES, State::Idle, Turn::Beside),
            (3_209, 9_000, State::Idle, Turn::Writers),
            (CHECKPOINT_PAGES_MAX, STEP_BYTES, State::Asked, Turn::Writers),
            (60, STEP_BYTES, State::Ended, Turn::Nobodys),
            (CHECKPOINT_PAGES, STEP_BYTES, State::Ended, Turn::Writers),
        ] {
            assert_eq!(turn(pages, fresh, state), whose, "{pages} pages, {fresh} bytes, {state:?}");
        }
    }

    #[test]
    fn nobody_waits_for_a_thread_that_died_at_its_work() {
        let task = Arc::new(Task::default());
        *task.lock() = State::Asked;
        let dying = Arc::clone(&task);
        let thread = thread::spawn(move || drop(AtTheEnd(&dying)));
        let mut shortener = Shortener { task, thread: Some(thread), fresh: 0 };
        shortener.wait();
        assert!(!shortener.after_commit(60, STEP_BYTES), "the WAL may grow for a while yet");
        assert!(shortener.after_commit(CHECKPOINT_PAGES, 9_000), "then the writer does it alone");
    }

    #[test]
    fn what_is_copied_beside_stands_in_the_main_file_and_the_wal_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("creel.db");
        file::make(&path).unwrap();
        let writer = file::connect(&path, Role::Capturing).unwrap();
        let mut shortener = Shortener::start(&path).unwrap();
        let bytes = || std::fs::metadata(&path).unwrap().len();
        let before = bytes();
        writer.execute("INSERT INTO chunk VALUES (1, zeroblob(2000000))", ()).unwrap();
        assert!(!shortener.after_commit(130, 2_000_000), "a step is not the writer's to do");
        shortener.wait();
        assert!(bytes() >= before + 2_000_000, "{before} bytes before, {} after", bytes());
        assert!(!shortener.after_commit(139, 9_000), "a few pages are left for later");
        assert!(!shortener.after_commit(2_130, LARGE_BYTES), "the next step");
        shortener.wait();
        assert!(shortener.after_commit(2_139, 9_000), "few are left, and the WAL is long");
        assert!(!shortener.after_commit(9, 9_000), "it has begun anew");
    }

    #[test]
    fn the_main_file_is_opened_once_however_often_the_store_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("creel.db");
        file::make(&path).unwrap();
        assert!(std::ptr::eq(never_closed(&path).unwrap(), never_closed(&path).unwrap()));
    }
}
