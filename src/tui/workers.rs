//! The threads that do what is wished for, so that the screen's own never waits.

use std::{
    cell::{Cell, RefCell},
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
        mpsc::{Sender, channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{
    detail::find::{self, Needle},
    draft::{Outside, Returned},
    effect::{Ask, Effect},
    export::Export,
    msg::Msg,
    perform::{perform, previewed, tagged_all},
    stage::Stage,
};
use crate::{
    body::Document,
    engine::mask::Masked,
    query::Filter,
    record::{CaptureId, Failure, Timestamp},
    store,
};

/// How often at most it is told how far a file is.
const PROGRESS: Duration = Duration::from_millis(250);

/// Where what happens is told, and how many wishes are still to be answered there.
#[derive(Clone)]
pub(super) struct Answers {
    to: Sender<Msg>,
    awaited: Arc<AtomicUsize>,
}

/// A wish that is still to be answered; done with when it is dropped.
pub(super) struct Awaited(Answers);

impl Answers {
    pub(super) fn new(to: Sender<Msg>) -> Self {
        Self { to, awaited: Arc::default() }
    }

    /// Tells something. Whether anybody hears it.
    pub(super) fn send(&self, msg: Msg) -> bool {
        self.to.send(msg).is_ok()
    }

    fn promise(&self) -> Awaited {
        self.awaited.fetch_add(1, Ordering::AcqRel);
        Awaited(self.clone())
    }

    /// Whether nothing is on its way: what was wished for is told, or never will be.
    #[cfg(test)]
    pub(super) fn are_told(&self) -> bool {
        self.awaited.load(Ordering::Acquire) == 0
    }
}

impl Awaited {
    fn send(&self, msg: Msg) {
        // A screen that is left hears nothing.
        let _ = self.0.send(msg);
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        self.0.awaited.fetch_sub(1, Ordering::AcqRel);
    }
}

/// What is done to the terminal beside drawing, on the thread that draws, between two frames.
#[derive(Clone, Copy)]
pub(super) struct Hands {
    /// Hands bytes over for the clipboard.
    pub(super) clipboard: fn(&[u8]) -> io::Result<()>,
    /// Takes the mouse, or gives it back.
    pub(super) mouse: fn(bool),
    /// Lends the terminal to a program of the user's, and takes it back; the mouse too where that is said.
    pub(super) lend: fn(&dyn Stage, Outside, bool) -> Result<Returned, Failure>,
    /// Whether there is no terminal any more.
    pub(super) is_gone: fn() -> bool,
}

/// One thread for rows, one for bodies, one for each search, count and resend.
pub(super) struct Workers {
    rows: Sender<(Effect, Awaited)>,
    bodies: Sender<(Effect, Awaited)>,
    /// The latest generation of the detail, and of the list: what was asked for before is not worth doing. Who types a filter
    /// asks anew with each letter.
    latest: Arc<AtomicU64>,
    listed: Arc<AtomicU64>,
    /// The latest search: those before it stop.
    searches: Arc<AtomicU64>,
    hands: Hands,
    /// The export that was begun last: whether it is to end, and its thread.
    exporting: RefCell<Option<(Arc<AtomicBool>, JoinHandle<()>)>>,
    /// What went wrong on the way out.
    failed: RefCell<Option<Failure>>,
    /// Whether the terminal was lent since the last frame.
    lent: Cell<bool>,
    stage: Arc<dyn Stage>,
    answers: Answers,
}

impl Workers {
    pub(super) fn start(stage: &Arc<dyn Stage>, answers: &Answers, hands: Hands) -> Result<Self, Failure> {
        let (latest, listed) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
        Ok(Self {
            rows: worker("creel-rows", stage, &listed)?,
            bodies: worker("creel-bodies", stage, &latest)?,
            latest,
            listed,
            searches: Arc::new(AtomicU64::new(0)),
            hands,
            exporting: RefCell::default(),
            failed: RefCell::new(None),
            lent: Cell::new(false),
            stage: Arc::clone(stage),
            answers: answers.clone(),
        })
    }

    /// Has a wish done.
    pub(super) fn take(&self, effect: Effect) {
        // A worker that is gone has told of its panic.
        match effect {
            Effect::Quit => {}
            Effect::Mouse(taken) => (self.hands.mouse)(taken),
            Effect::Stats { generation, since, until } => self.count(generation, since, until),
            Effect::Resend { id, to, resign } => self.deliver(move |stage| {
                let delivery = catch("resending", || stage.resend(id, to, resign));
                Msg::Resent { id, delivery }
            }),
            Effect::ResendEdited { id, to, resign, request } => self.deliver(move |stage| {
                let delivery = catch("resending", || stage.resend_edited(id, to, resign, &request));
                Msg::Resent { id, delivery }
            }),
            Effect::Pipe { id, command } => self.apart("creel-pipe", "running a command", move |stage| {
                let piped = catch("running a command", || stage.pipe(id, &command));
                Some(Msg::Piped { command, piped })
            }),
            Effect::Doomed => self.look_for_marked(Msg::Doomed),
            Effect::Marked { format, selected } => {
                self.look_for_marked(move |marked| Msg::Marked { format, selected, marked });
            }
            Effect::MarkAll(filter) => self.tag_all(Some(filter)),
            Effect::UnmarkAll => self.tag_all(None),
            Effect::Export(export) => self.export(export),
            Effect::StopExport => {
                if let Some((stopped, _)) = &*self.exporting.borrow() {
                    stopped.store(true, Ordering::Release);
                }
            }
            Effect::Preview { id, lenses } => self.apart("creel-preview", "transforming by jq", move |stage| {
                let made = catch("transforming by jq", || previewed(stage, id, &lenses));
                Some(Msg::Previewed { id, lenses, made })
            }),
            Effect::Browse(url) => self.apart("creel-browse", "opening a URL", move |stage| {
                let browsed = catch("opening a URL", || stage.browse(&url));
                Some(Msg::Browsed { url, browsed })
            }),
            // On the thread that draws: there is no screen meanwhile.
            Effect::Outside { what, mouse } => {
                let returned = catch("lending the terminal", || (self.hands.lend)(&*self.stage, what, mouse));
                self.lent.set(true);
                self.answers.send(Msg::Back(returned));
            }
            // The doctor may take its time.
            Effect::Judge(id) => self.apart("creel-judge", "checking a signature", move |stage| {
                let judged = catch("checking a signature", || stage.judge(id));
                Some(Msg::Judged { id, judged })
            }),
            Effect::ResendDead(id) => self.deliver(move |stage| {
                let delivery = catch("resending", || stage.resend_dead(id));
                Msg::Resent { id, delivery }
            }),
            Effect::ResendMarked(except) => {
                self.deliver(move |stage| Msg::ResentMarked(catch("resending", || stage.resend_marked(&except))));
            }
            Effect::StopResending => self.stage.stop_resending(),
            Effect::Open { generation, .. } | Effect::View { generation, .. } | Effect::Rest { generation, .. } => {
                self.latest.store(generation, Ordering::Release);
                let _ = self.bodies.send((effect, self.answers.promise()));
            }
            Effect::Page { generation, .. } | Effect::Again { generation, .. } | Effect::Sorted { generation, .. } => {
                self.listed.store(generation, Ordering::Release);
                drop(self.rows.send((effect, self.answers.promise())));
            }
            Effect::Find { generation, needle, document, first } => self.find(generation, needle, document, first),
            Effect::Tries { .. }
            | Effect::Prepare { .. }
            | Effect::Reply { .. }
            | Effect::Locate { .. }
            | Effect::FoldTo { .. }
            | Effect::Compare(_) => {
                drop(self.bodies.send((effect, self.answers.promise())));
            }
            Effect::Copy(bytes) => {
                if let Err(why) = (self.hands.clipboard)(&bytes) {
                    self.answers.send(Msg::Kept(Err(Failure::new("copying", why)), Masked::default()));
                }
            }
            Effect::Forget(ids) => drop(self.failed.replace(self.stage.forget(&ids).err())),
            effect => drop(self.rows.send((effect, self.answers.promise()))),
        }
    }

    /// Whether the terminal was lent since this was last asked.
    pub(super) fn was_lent(&self) -> bool {
        self.lent.take()
    }

    /// What is told of the end.
    pub(super) fn leave(&self) -> Result<(), Failure> {
        if let Some((stopped, exporting)) = self.exporting.take() {
            stopped.store(true, Ordering::Release);
            // What it has not finished is its to delete. One that panicked has told of it.
            let _ = exporting.join();
        }
        self.failed.take().map_or(Ok(()), Err)
    }

    /// Looks through a document on a thread of its own, until another search begins or another capture is opened: a
    /// large body must not keep the next one from opening.
    fn find(&self, generation: u64, needle: Needle, document: Arc<dyn Document>, first: usize) {
        self.searches.store(generation, Ordering::Release);
        let (searches, latest) = (Arc::clone(&self.searches), Arc::clone(&self.latest));
        let opened = latest.load(Ordering::Acquire);
        let is_late =
            move || searches.load(Ordering::Acquire) != generation || latest.load(Ordering::Acquire) != opened;
        self.apart("creel-find", "searching", move |_| {
            let looking = store::looking();
            let found = catch_unwind(AssertUnwindSafe(|| find::in_document(&needle, &document, first, is_late)));
            // A search that panicked has told so, and found nothing.
            drop(looking);
            let (hits, more) = found.unwrap_or_else(|_| Some((Vec::new(), false)))?;
            Some(Msg::Found { generation, hits, more })
        });
    }

    /// Writes captures to a file on a thread of its own, and tells now and then how far it is.
    fn export(&self, export: Export) {
        let (answers, stopped) = (self.answers.clone(), Arc::new(AtomicBool::new(false)));
        let is_stopped = Arc::clone(&stopped);
        let thread = self.begin("creel-export", "exporting", move |stage| {
            let mut told = Instant::now();
            let mut goes_on = |count| {
                if told.elapsed() >= PROGRESS {
                    told = Instant::now();
                    answers.send(Msg::Exporting(count));
                }
                !is_stopped.load(Ordering::Acquire)
            };
            let exported = catch("exporting", || stage.export(&export, &mut goes_on));
            Some(Msg::Exported { export, exported })
        });
        self.exporting.replace(thread.map(|thread| (stopped, thread)));
    }

    /// Marks all that a filter takes, or unmarks all, on a thread of its own: there may be many.
    /// Looks what is marked.
    fn look_for_marked(&self, told: impl FnOnce(Result<Vec<CaptureId>, Failure>) -> Msg + Send + 'static) {
        const DOING: &str = "looking for what is marked";
        self.apart("creel-export", DOING, move |stage| Some(told(catch(DOING, || stage.marked()))));
    }

    fn tag_all(&self, filter: Option<Arc<Filter>>) {
        self.apart("creel-mark", "marking", move |stage| {
            let tagged = catch("marking", || tagged_all(stage, filter.as_deref()));
            Some(Msg::TaggedAll { marked: filter.is_some(), tagged })
        });
    }

    /// Counts on a thread of its own: it may look at a million rows.
    fn count(&self, generation: u64, since: Timestamp, until: Timestamp) {
        self.apart("creel-stats", "counting", move |stage| {
            let counted = catch_unwind(AssertUnwindSafe(|| stage.stats(since, until)));
            let stats = counted.unwrap_or_else(|_| Err(broken("counting")));
            Some(Msg::Stats { generation, stats })
        });
    }

    /// Waits for an app on a thread of its own.
    fn deliver(&self, work: impl FnOnce(&dyn Stage) -> Msg + Send + 'static) {
        self.apart("creel-resend", "resending", move |stage| Some(work(stage)));
    }

    /// Works on a thread of its own.
    fn apart(&self, name: &str, doing: &str, work: impl FnOnce(&dyn Stage) -> Option<Msg> + Send + 'static) {
        drop(self.begin(name, doing, work));
    }

    /// Begins a thread for some work. Where there is none, the wish is lost and that is told.
    fn begin(
        &self,
        name: &str,
        doing: &str,
        work: impl FnOnce(&dyn Stage) -> Option<Msg> + Send + 'static,
    ) -> Option<JoinHandle<()>> {
        let (stage, awaited) = (Arc::clone(&self.stage), self.answers.promise());
        let work = move || {
            if let Some(answer) = work(&*stage) {
                awaited.send(answer);
            }
        };
        let spawned = thread::Builder::new().name(name.to_owned()).spawn(work);
        spawned.map_err(|why| self.answers.send(Msg::Panicked(format!("{doing}: {why}")))).ok()
    }
}

/// What a part gives, or the failure of one that panicked.
fn catch<T>(doing: &str, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(broken(doing)))
}

/// A thread that does wishes in their order.
fn worker(name: &str, stage: &Arc<dyn Stage>, latest: &Arc<AtomicU64>) -> Result<Sender<(Effect, Awaited)>, Failure> {
    let (effects, inbox) = channel::<(Effect, Awaited)>();
    let (stage, latest) = (Arc::clone(stage), Arc::clone(latest));
    let work = move || {
        for (effect, awaited) in inbox {
            let late = |generation: u64| generation < latest.load(Ordering::Acquire);
            let looking = store::looking();
            let answer = catch_unwind(AssertUnwindSafe(|| perform(&*stage, effect.clone(), late)));
            if let Some(answer) = answer.unwrap_or_else(|_| unanswered(&effect)) {
                awaited.send(answer);
            }
            drop(looking);
        }
    };
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(work);
    spawned.map(|_| effects).map_err(|why| Failure::new("starting the screen", why))
}

/// The failure of a part that panicked. What it said is told by a message of its own.
fn broken(doing: &str) -> Failure {
    Failure::new(doing, "a part of creel failed").hint("what was answered is stored; the rest goes on")
}

/// The answer to a wish whose fulfilment panicked: who waits for it must not wait for ever.
fn unanswered(effect: &Effect) -> Option<Msg> {
    match effect {
        Effect::Page { generation, ask, .. } => {
            Some(Msg::Page { generation: *generation, ask: *ask, rows: Err(broken("reading the list")) })
        }
        Effect::Again { generation, .. } => {
            Some(Msg::Page { generation: *generation, ask: Ask::Kept, rows: Err(broken("reading the list")) })
        }
        Effect::Beats { .. } => Some(Msg::Beats(Err(broken("counting")))),
        Effect::Arrived { generation, .. } => {
            Some(Msg::Arrived { generation: *generation, counted: Err(broken("counting")) })
        }
        Effect::Sorted { generation, .. } => {
            Some(Msg::Page { generation: *generation, ask: Ask::Newest, rows: Err(broken("sorting the list")) })
        }
        Effect::Open { generation, .. } => {
            Some(Msg::Opened { generation: *generation, opened: Err(broken("opening a capture")) })
        }
        _ => None,
    }
}
