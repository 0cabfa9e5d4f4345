//! The loop: messages in, frames out, wishes to the workers.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use crossterm::event::{self, Event, KeyEvent};
use ratatui::{Terminal, backend::Backend};

use super::{
    age, copy,
    detail::{
        Prepared,
        find::{self, Needle},
    },
    effect::{Ask, Compare, Effect},
    keys::Keymap,
    list::Order,
    look::Look,
    model::{Model, Notice, Tone},
    msg::{BodyView, Compared, Msg, Opened},
    stage::{Place, Stage, whole},
    state::State,
    terminal::{self, Guard},
    update::{SORTED_ROWS, update},
    view,
};
use crate::{
    body::{self, Content, Document, compare},
    engine,
    record::{Capture, CaptureId, Failure, Outcome, Timestamp, Zone},
    store::{Sorting, Start},
};

/// How far the first piece of a large body is undone, in bytes.
const FIRST_UNDONE: u64 = 1 << 20;
/// The shortest time between two frames: at most 60 a second.
const FRAME: Duration = Duration::from_micros(16_667);

/// What the screen is told at its start.
pub(super) struct Options {
    pub(super) place: Place,
    pub(super) apps: BTreeMap<String, String>,
    pub(super) notices: Vec<String>,
    pub(super) zone: Zone,
    pub(super) look: Look,
    pub(super) keys: Keymap,
    /// How it was left the last time.
    pub(super) state: State,
    /// What was typed before the loop began.
    pub(super) typed: Vec<KeyEvent>,
    /// Hands bytes to the clipboard. Called on the thread that draws.
    pub(super) clipboard: fn(&[u8]) -> io::Result<()>,
}

/// Runs the screen on the terminal until it is left.
pub(super) fn on_terminal(stage: &Arc<dyn Stage>, options: Options) -> Result<State, Failure> {
    let (messages, inbox) = channel();
    terminal::tell_panics(messages.clone());
    let stop = messages.clone();
    engine::on_signal(move || drop(stop.send(Msg::Stop)))?;
    let over = messages.clone();
    stage.on_end(Box::new(move || drop(over.send(Msg::ServerEnded))))?;
    let news = messages.clone();
    stage.on_news(Box::new(move |text| drop(news.send(Msg::News(text.to_owned())))));
    let (guard, mut terminal) = Guard::take()?;
    for key in &options.typed {
        let _ = messages.send(Msg::Key(*key));
    }
    listen_to_keys(messages.clone())?;
    let left = catch_unwind(AssertUnwindSafe(|| run(&mut terminal, stage, options, &messages, &inbox)));
    drop(guard);
    let mut panics = terminal::panics();
    let left = left.unwrap_or_else(|_| {
        let words = panics.pop().unwrap_or_default();
        Err(Failure::new("showing the screen", words).hint("what was answered is stored; start creel again"))
    });
    for words in panics {
        eprintln!("creel: a part of creel failed while it ran: {}", body::escape(&words));
    }
    left
}

/// A thread that waits for the terminal. It ends with the process: nothing can wake it.
fn listen_to_keys(messages: Sender<Msg>) -> Result<(), Failure> {
    let listen = move || {
        while let Ok(event) = event::read() {
            let message = match event {
                Event::Key(key) => Msg::Key(key),
                Event::Mouse(event) => Msg::Mouse(event),
                Event::Paste(text) => Msg::Paste(text),
                Event::Resize(columns, rows) => Msg::Resize(columns, rows),
                _ => continue,
            };
            if messages.send(message).is_err() {
                return;
            }
        }
        // The terminal is gone.
        let _ = messages.send(Msg::Stop);
    };
    let spawned = thread::Builder::new().name("creel-keys".to_owned()).spawn(listen);
    spawned.map(drop).map_err(|why| Failure::new("listening to the keys", why))
}

/// The loop itself, on any backend: blocks until something happens, takes all that has, draws once.
///
/// Gives how it is left, where it is left in order.
pub(super) fn run<B: Backend>(
    terminal: &mut Terminal<B>,
    stage: &Arc<dyn Stage>,
    options: Options,
    messages: &Sender<Msg>,
    inbox: &Receiver<Msg>,
) -> Result<State, Failure> {
    let failed = |why: B::Error| Failure::new("drawing", why);
    let size = terminal.size().map_err(failed)?;
    let mut model = Model::new(options.place, options.zone, options.look, (size.width, size.height));
    model.apps = options.apps;
    model.keys = options.keys;
    options.state.lay_over(&mut model);
    stage.mouse(model.mouse);
    model.notice = options.notices.first().map(|text| Notice { tone: Tone::Plain, text: text.clone(), hint: None });
    let bell = ring_once(stage, messages);
    let workers = Workers::start(stage, messages, options.clipboard)?;
    let mut next_frame = Instant::now();
    loop {
        // What is asked for here is answered after this frame, and drawn in the next.
        bell.store(false, Ordering::Release);
        update(&mut model, Msg::Clock(engine::now()));
        if dispatch(&workers, update(&mut model, Msg::Frame)) {
            return workers.leave().map(|()| State::of(&model));
        }
        fault::point("screen");
        terminal.draw(|frame| view::draw(&model, frame)).map_err(failed)?;
        next_frame = Instant::now().max(next_frame) + FRAME;
        // What is drawn may age: then the next frame comes by itself, and no sooner than something changes in it.
        let mut message = match age::next(&model) {
            None => Some(match inbox.recv() {
                Ok(message) => message,
                Err(_) => return Ok(State::of(&model)),
            }),
            Some(wait) => match inbox.recv_timeout(wait) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return Ok(State::of(&model)),
            },
        };
        while let Some(it) = message {
            if dispatch(&workers, update(&mut model, it)) {
                return workers.leave().map(|()| State::of(&model));
            }
            // Between frames messages are taken as they come, so that a flood costs no more than its frames.
            message = match inbox.recv_timeout(next_frame.saturating_duration_since(Instant::now())) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return Ok(State::of(&model)),
            };
            if Instant::now() >= next_frame {
                if let Some(it) = message.take()
                    && dispatch(&workers, update(&mut model, it))
                {
                    return workers.leave().map(|()| State::of(&model));
                }
                break;
            }
        }
    }
}

/// Turns the bell's rings into at most one message between two frames.
fn ring_once(stage: &Arc<dyn Stage>, messages: &Sender<Msg>) -> Arc<AtomicBool> {
    let rung = Arc::new(AtomicBool::new(false));
    let (heard, messages) = (Arc::clone(&rung), messages.clone());
    stage.on_ring(Box::new(move || {
        if !heard.swap(true, Ordering::AcqRel) {
            let _ = messages.send(Msg::Ring);
        }
    }));
    rung
}

/// Hands wishes out. Whether the wish is to leave.
fn dispatch(workers: &Workers, effects: Vec<Effect>) -> bool {
    effects.into_iter().any(|effect| {
        let quit = matches!(effect, Effect::Quit);
        workers.take(effect);
        quit
    })
}

/// The threads that do what is wished for: one for rows, one for bodies, one for each resend.
struct Workers {
    rows: Sender<Effect>,
    bodies: Sender<Effect>,
    /// The latest generation of the detail: what was asked for before is not worth doing.
    latest: Arc<AtomicU64>,
    /// The latest search: those before it stop.
    searches: Arc<AtomicU64>,
    clipboard: fn(&[u8]) -> io::Result<()>,
    /// What went wrong on the way out.
    failed: RefCell<Option<Failure>>,
    stage: Arc<dyn Stage>,
    messages: Sender<Msg>,
}

impl Workers {
    fn start(
        stage: &Arc<dyn Stage>,
        messages: &Sender<Msg>,
        clipboard: fn(&[u8]) -> io::Result<()>,
    ) -> Result<Self, Failure> {
        let latest = Arc::new(AtomicU64::new(0));
        Ok(Self {
            rows: worker("creel-rows", stage, messages, &latest)?,
            bodies: worker("creel-bodies", stage, messages, &latest)?,
            latest,
            searches: Arc::new(AtomicU64::new(0)),
            clipboard,
            failed: RefCell::new(None),
            stage: Arc::clone(stage),
            messages: messages.clone(),
        })
    }

    fn take(&self, effect: Effect) {
        // A worker that is gone has told of its panic.
        match effect {
            Effect::Quit => {}
            // Written by the thread that draws, between two frames.
            Effect::Mouse(taken) => self.stage.mouse(taken),
            Effect::Stats { generation, since, until } => self.count(generation, since, until),
            Effect::Resend { id, to, resign } => self.deliver(move |stage| {
                let delivery = catch(|| stage.resend(id, to, resign));
                Msg::Resent { id, delivery }
            }),
            Effect::ResendDead(id) => self.deliver(move |stage| {
                let delivery = catch(|| stage.resend_dead(id));
                Msg::Resent { id, delivery }
            }),
            Effect::ResendMarked => self.deliver(|stage| Msg::ResentMarked(catch(|| stage.resend_marked()))),
            Effect::StopResending => self.stage.stop_resending(),
            Effect::Open { generation, .. } | Effect::View { generation, .. } | Effect::Rest { generation, .. } => {
                self.latest.store(generation, Ordering::Release);
                let _ = self.bodies.send(effect);
            }
            Effect::Find { generation, needle, document, first } => self.find(generation, needle, document, first),
            Effect::Prepare { .. } | Effect::Locate { .. } | Effect::FoldTo { .. } | Effect::Compare(_) => {
                drop(self.bodies.send(effect));
            }
            Effect::Copy(bytes) => {
                if let Err(why) = (self.clipboard)(&bytes) {
                    let _ = self.messages.send(Msg::Kept(Err(Failure::new("copying", why))));
                }
            }
            Effect::Forget(ids) => drop(self.failed.replace(self.stage.forget(&ids).err())),
            effect => drop(self.rows.send(effect)),
        }
    }

    /// What is told of the end.
    fn leave(&self) -> Result<(), Failure> {
        self.failed.take().map_or(Ok(()), Err)
    }

    /// Looks through a document on a thread of its own, until another search begins or another capture is opened: a
    /// large body must not keep the next one from opening.
    fn find(&self, generation: u64, needle: Needle, document: Arc<dyn Document>, first: usize) {
        self.searches.store(generation, Ordering::Release);
        let (searches, latest, messages) =
            (Arc::clone(&self.searches), Arc::clone(&self.latest), self.messages.clone());
        let opened = latest.load(Ordering::Acquire);
        let is_late =
            move || searches.load(Ordering::Acquire) != generation || latest.load(Ordering::Acquire) != opened;
        let work = move || {
            let found = catch_unwind(AssertUnwindSafe(|| find::in_document(&needle, &document, first, is_late)));
            // A search that panicked has told so, and found nothing.
            if let Some((hits, more)) = found.unwrap_or_else(|_| Some((Vec::new(), false))) {
                let _ = messages.send(Msg::Found { generation, hits, more });
            }
        };
        if let Err(why) = thread::Builder::new().name("creel-find".to_owned()).spawn(work) {
            let _ = self.messages.send(Msg::Panicked(format!("searching: {why}")));
        }
    }

    /// A thread of its own: it may look at a million rows.
    fn count(&self, generation: u64, since: Timestamp, until: Timestamp) {
        let (stage, messages) = (Arc::clone(&self.stage), self.messages.clone());
        let work = move || {
            let counted = catch_unwind(AssertUnwindSafe(|| stage.stats(since, until)));
            let stats = counted.unwrap_or_else(|_| Err(broken("counting")));
            let _ = messages.send(Msg::Stats { generation, stats });
        };
        if let Err(why) = thread::Builder::new().name("creel-stats".to_owned()).spawn(work) {
            let stats = Err(Failure::new("counting", why));
            let _ = self.messages.send(Msg::Stats { generation, stats });
        }
    }

    /// Waits for an app on a thread of its own. Where there is none, the wish is lost and that is told.
    fn deliver(&self, work: impl FnOnce(&dyn Stage) -> Msg + Send + 'static) {
        let (stage, messages) = (Arc::clone(&self.stage), self.messages.clone());
        let work = move || drop(messages.send(work(&*stage)));
        if let Err(why) = thread::Builder::new().name("creel-resend".to_owned()).spawn(work) {
            let _ = self.messages.send(Msg::Panicked(format!("resending: {why}")));
        }
    }
}

/// What a part gives, or the failure of one that panicked.
fn catch<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(broken("resending")))
}

fn worker(
    name: &str,
    stage: &Arc<dyn Stage>,
    messages: &Sender<Msg>,
    latest: &Arc<AtomicU64>,
) -> Result<Sender<Effect>, Failure> {
    let (effects, inbox) = channel::<Effect>();
    let (stage, messages, latest) = (Arc::clone(stage), messages.clone(), Arc::clone(latest));
    let work = move || {
        for effect in inbox {
            let late = |generation: u64| generation < latest.load(Ordering::Acquire);
            let answer = catch_unwind(AssertUnwindSafe(|| perform(&*stage, effect.clone(), late)));
            if let Some(answer) = answer.unwrap_or_else(|_| unanswered(&effect))
                && messages.send(answer).is_err()
            {
                return;
            }
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
        Effect::Sorted { generation, .. } => {
            Some(Msg::Page { generation: *generation, ask: Ask::Newest, rows: Err(broken("sorting the list")) })
        }
        Effect::Open { generation, .. } => {
            Some(Msg::Opened { generation: *generation, opened: Err(broken("opening a capture")) })
        }
        _ => None,
    }
}

/// Does what is wished for.
pub(super) fn perform(stage: &dyn Stage, effect: Effect, late: impl Fn(u64) -> bool) -> Option<Msg> {
    match effect {
        Effect::Page { generation, ask, start, limit, filter } => {
            Some(Msg::Page { generation, ask, rows: stage.page(start, limit, filter.as_deref()) })
        }
        Effect::Sorted { generation, order, filter } => {
            let by = if order == Order::Slowest { Sorting::Took } else { Sorting::Size };
            let rows =
                stage.sorted(by, SORTED_ROWS, filter.as_deref()).map(|rows| whole(Start::Newest, usize::MAX, rows));
            Some(Msg::Page { generation, ask: Ask::Newest, rows })
        }
        Effect::Again { generation, ids, filter } => {
            let rows = stage.again(&ids, &filter).map(|rows| whole(Start::Newest, usize::MAX, rows));
            Some(Msg::Page { generation, ask: Ask::Kept, rows })
        }
        Effect::Tag { ids, tagging } => Some(Msg::Tagged(stage.tag(&ids, &tagging))),
        Effect::Beats { after, since } => Some(Msg::Beats(stage.beats(after, since))),
        Effect::Count => Some(Msg::Counted(stage.counters())),
        Effect::Door => Some(Msg::Door(stage.door())),
        Effect::Tell { endpoint, words } => {
            let answer = stage.tell(&endpoint, words.as_deref());
            Some(Msg::Told { endpoint, answer })
        }
        Effect::Open { generation, .. } | Effect::View { generation, .. } if late(generation) => None,
        Effect::Rest { generation, capture } => {
            let whole = stage.rest(&capture, &|| !late(generation)).map(|whole| whole.map(Arc::new));
            Some(Msg::Whole { generation, whole })
        }
        Effect::Locate { generation, .. } | Effect::FoldTo { generation, .. } if late(generation) => None,
        Effect::Locate { generation, document, line } => {
            let node = document.tree().and_then(|tree| tree.node(line));
            Some(Msg::Located { generation, line, node })
        }
        Effect::FoldTo { generation, document, depth } => {
            let folds = document.tree().map(|tree| tree.folded_to(depth)).unwrap_or_default();
            Some(Msg::Folded { generation, folds })
        }
        Effect::Save { name, bytes } => Some(Msg::Saved(stage.save(&name, &bytes))),
        Effect::Open { generation, id } => {
            fault::point("worker");
            Some(Msg::Opened { generation, opened: open(stage, id) })
        }
        Effect::View { generation, capture, view } => {
            let body = open_in(&content(&capture), view);
            Some(Msg::Viewed { generation, body })
        }
        Effect::Prepare { generation, .. } if late(generation) => None,
        Effect::Prepare { generation, capture, part } => {
            let prepared = Prepared::new(part, &capture, |capture| stage.signed(capture));
            Some(Msg::Prepared { generation, prepared })
        }
        Effect::Deliveries(id) => Some(Msg::Deliveries { id, deliveries: stage.deliveries(id) }),
        Effect::Keep { name, bytes } => {
            let size = bytes.len() as u64;
            Some(Msg::Kept(copy::keep(&name, &bytes).map(|path| (path, size))))
        }
        Effect::Compare(what) => Some(Msg::Compared(compared(stage, what))),
        Effect::Find { .. }
        | Effect::Resend { .. }
        | Effect::ResendDead(_)
        | Effect::ResendMarked
        | Effect::StopResending
        | Effect::Stats { .. }
        | Effect::Mouse(_)
        | Effect::Copy(_)
        | Effect::Forget(_)
        | Effect::Quit => None,
    }
}

/// Compares two messages.
fn compared(stage: &dyn Stage, what: Compare) -> Result<Compared, Failure> {
    match what {
        Compare::Captures(before, after) => {
            let read = |id| stage.capture(id)?.ok_or_else(|| engine::no_such_capture(id));
            let parts = compare::captures(&read(before)?, &read(after)?);
            Ok(Compared { names: [before, after].map(|id| format!("#{id}")), parts })
        }
        Compare::Replies(id) => {
            let deliveries = stage.deliveries(id)?;
            let replied = deliveries.iter().filter_map(|delivery| match &delivery.outcome {
                Outcome::Replied(reply) => Some((delivery.attempt, reply)),
                Outcome::Failed(_) => None,
            });
            let last: Vec<_> = replied.take(2).collect();
            let [(after_try, after), (before_try, before)] = last[..] else {
                let doing = format!("comparing the replies to capture {id}");
                return Err(Failure::new(doing, "there are not two of them").hint("r resends it"));
            };
            let parts = compare::replies((before.status, before), (after.status, after));
            Ok(Compared { names: [before_try, after_try].map(|number| format!("the reply to try {number}")), parts })
        }
    }
}

fn open(stage: &dyn Stage, id: CaptureId) -> Result<Option<Opened>, Failure> {
    let Some(capture) = stage.opening(id)? else { return Ok(None) };
    let deliveries = stage.deliveries(id)?;
    let content = content(&capture);
    let best = body::best(&content).name;
    let view = body::VIEWS.iter().position(|view| view.name == best).unwrap_or(body::VIEWS.len() - 1);
    Ok(Some(Opened { body: open_in(&content, view), capture: Arc::new(capture), deliveries }))
}

fn open_in(content: &Content, view: usize) -> BodyView {
    let fits = body::VIEWS.iter().map(|view| (view.fits)(content)).collect();
    BodyView { view, fits, is_cut: content.is_cut, document: body::VIEWS[view].show(content).map(Arc::from) }
}

/// The body as the views take it. Of a large one there is only the first piece at first.
fn content(capture: &Capture) -> Content {
    let (bytes, headers) = (&capture.body.bytes, capture.head.headers());
    let is_whole = bytes.len() as u64 >= capture.body.size;
    let content = if is_whole { Content::of(bytes, headers) } else { Content::beginning(bytes, headers, FIRST_UNDONE) };
    Content { received_at: Some(capture.received_at), is_cut: !is_whole, ..content }
}

/// Places where a test lets a part of creel fail. Builds for use have none.
mod fault {
    /// Panics where the environment names this place in `CREEL_FAULT`.
    #[cfg(debug_assertions)]
    pub(super) fn point(place: &str) {
        assert!(std::env::var("CREEL_FAULT").as_deref() != Ok(place), "a fault was asked for at the {place}");
    }

    #[cfg(not(debug_assertions))]
    pub(super) fn point(_: &str) {}
}
