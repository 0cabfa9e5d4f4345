//! What the screen may ask for, and who answers.

use std::{
    io::Write,
    os::unix::fs::OpenOptionsExt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use super::{
    arrived::{COUNTED, Counted},
    configured::Configured,
    export::{self, Export, Exported},
    filters::Known,
    keys::Keymap,
    refused::{NEWEST, Refusals, Refused},
};
use crate::{
    body,
    engine::{
        self, Aim, Each, Engine, HearNews, Judged, Pacing, Screen,
        edit::Edit,
        pipe::{self, Piped},
        preview::Lens,
        respond::Words,
        rewrite::Rewritten,
        tunnel,
    },
    query::Filter,
    record::{
        Capture, CaptureId, Counters, Delivery, Errand, Failure, Head, Judgement, Origin, Summary, Tagging, Timestamp,
    },
    store::{Beat, Bodies, Reader, Slice, Sorting, Start, Stats},
    verify::Try,
};

/// How long a search goes on before what it found so far is shown.
const MOMENT: Duration = Duration::from_millis(30);

/// A page that was read and not searched: it goes on behind its last row, where it is full.
pub(super) fn whole(start: Start, limit: usize, rows: Vec<Summary>) -> Slice {
    let end = match start {
        Start::After(_) => rows.first().map(|row| Start::After(row.id)),
        _ => rows.last().map(|row| Start::Before(row.id)),
    };
    let newest = match (rows.first(), start) {
        (Some(row), _) => row.id,
        (None, Start::After(id)) => id,
        (None, _) => CaptureId(0),
    };
    Slice { rest: end.filter(|_| rows.len() >= limit), rows, percent: 100, newest, missed: Vec::new() }
}

/// Everything outside that the screen needs. Called on workers' threads; may block.
///
/// What has a body here is made of other parts of the same stage; nothing has one that does nothing, or that reaches past the
/// stage: who forgets a part is told so by the compiler.
pub(super) trait Stage: Send + Sync + 'static {
    /// A page of the list, newest first; with a filter, what is found of it in a moment.
    fn page(&self, start: Start, limit: usize, filter: Option<&Filter>) -> Result<Slice, Failure>;
    /// Rows as they are now, as far as the filter takes them still.
    fn again(&self, ids: &[CaptureId], filter: &Filter) -> Result<Vec<Summary>, Failure>;
    /// The rows that come first in a sorted order, at most `limit`.
    fn sorted(&self, by: Sorting, limit: usize, filter: Option<&Filter>) -> Result<Slice, Failure>;
    /// How many captures came after one, of those that the filter takes; what is counted in a moment.
    fn arrived(&self, after: CaptureId, filter: Option<&Filter>) -> Result<Counted, Failure> {
        let slice = self.page(Start::After(after), COUNTED, filter)?;
        let repeats = slice.rows.iter().filter(|row| row.duplicate_of.is_some()).count() as u64;
        let (up_to, more) = match slice.rest {
            Some(Start::After(id)) => (id, true),
            _ => (slice.newest, false),
        };
        Ok(Counted { count: slice.rows.len() as u64, repeats, up_to, more })
    }
    /// The values of fields that are known to occur.
    fn known(&self) -> Result<Known, Failure>;
    /// Saves a filter under a name; an empty one takes the name away.
    fn keep_filter(&self, name: &str, text: &str) -> Result<(), Failure>;
    /// Changes what is said of captures; gives how many there are.
    fn tag(&self, ids: &[CaptureId], tagging: &Tagging) -> Result<u64, Failure>;
    /// What came after a capture and since a moment, by second.
    fn beats(&self, after: CaptureId, since: Timestamp) -> Result<(CaptureId, Vec<Beat>), Failure>;
    /// What came between two moments.
    fn stats(&self, since: Timestamp, until: Timestamp) -> Result<Stats, Failure>;
    /// What the store holds.
    fn counters(&self) -> Result<Counters, Failure>;
    /// One capture with its body.
    fn capture(&self, id: CaptureId) -> Result<Option<Capture>, Failure>;
    /// The bytes that a capture's signature is over, where they can be told.
    fn signed(&self, capture: &Capture) -> Option<Vec<u8>>;
    /// One capture, of whose body there may be only the first piece.
    fn opening(&self, id: CaptureId) -> Result<Option<Capture>, Failure>;
    /// The same with its whole body; none where it is gone, or where `goes_on` says no.
    fn rest(&self, capture: &Capture, goes_on: &dyn Fn() -> bool) -> Result<Option<Capture>, Failure>;
    /// Saves bytes under a name, below the working folder as a rule, where nothing has that name yet; gives the place.
    fn save(&self, name: &str, bytes: &[u8]) -> Result<String, Failure>;
    /// A capture's deliveries, newest first.
    fn deliveries(&self, id: CaptureId) -> Result<Vec<Delivery>, Failure>;
    /// What of a capture is still to be brought to an app, or was given up, oldest first.
    fn errands(&self, id: CaptureId) -> Result<Vec<Errand>, Failure>;
    /// The tries at a capture's event, oldest first, where its provider publishes when it tries again.
    fn tries(&self, capture: &Capture) -> Result<Vec<Try>, Failure>;
    /// Judges a capture again, and keeps the verdict.
    fn judge(&self, id: CaptureId) -> Result<Judged, Failure>;
    /// Whose a capture is and what is said of its signature now; none where the capture is gone.
    fn judgement(&self, id: CaptureId) -> Result<Option<(Origin, Judgement)>, Failure> {
        Ok(self.opening(id)?.map(|capture| (capture.origin(), capture.judgement)))
    }
    /// Sends a capture to an app, as it came or signed anew; blocks until the outcome is stored.
    fn resend(&self, id: CaptureId, to: Option<String>, resign: bool) -> Result<Delivery, Failure>;
    /// Sends an edited request in a capture's name; blocks until the outcome is stored.
    fn resend_edited(
        &self,
        id: CaptureId,
        to: Option<String>,
        resign: bool,
        request: &Rewritten,
    ) -> Result<Delivery, Failure>;
    /// Makes an edited request a capture of its own.
    fn keep(&self, capture: &Capture, request: &Rewritten) -> Result<CaptureId, Failure>;
    /// Gives a capture's body to a command of the shell; blocks until it ends, or is ended.
    fn pipe(&self, id: CaptureId, command: &str) -> Result<Piped, Failure>;
    /// A capture as a program makes it; blocks until that ends, or is ended.
    fn through(&self, capture: &Capture, lens: &Lens) -> Result<Capture, Failure>;
    /// Has a URL opened.
    fn browse(&self, url: &str) -> Result<(), Failure>;
    /// What is answered at the door, and how the tunnel stands.
    fn door(&self) -> Result<Door, Failure>;
    /// What was turned away at the door, newest first.
    fn refusals(&self) -> Result<Refusals, Failure>;
    /// Lays words over what an endpoint answers; blocks until they are in force, and gives what is answered.
    fn tell(&self, endpoint: &str, words: Option<&Words>) -> Result<String, Failure>;
    /// Sends all that is marked to the apps of its endpoints; blocks until it is stored, or somebody stops it.
    fn resend_marked(&self, except: &[CaptureId]) -> Result<SentAll, Failure>;
    /// Ends that: what is under way is finished.
    fn stop_resending(&self);
    /// What a filter takes, oldest first.
    fn taken(&self, filter: &Filter) -> Result<Vec<CaptureId>, Failure>;
    /// What is marked, oldest first.
    fn marked(&self) -> Result<Vec<CaptureId>, Failure>;
    /// Writes captures to a file; blocks until it is whole.
    fn export(&self, export: &Export, goes_on: &mut dyn FnMut(usize) -> bool) -> Result<Exported, Failure>;
    /// Sends once more what was given up of a capture.
    fn resend_dead(&self, id: CaptureId) -> Result<Delivery, Failure>;
    /// Ends what of a capture waits to be forwarded or was given up; gives how much that was.
    fn drop_errands(&self, id: CaptureId) -> Result<u64, Failure>;
    /// Calls `hear` with what goes on in forwarding.
    fn on_news(&self, hear: HearNews);
    /// Calls `hear` with what the screen is to know of the configuration, where that is read again.
    fn on_reread(&self, hear: Box<dyn Fn(Configured) + Send>);
    /// Deletes captures.
    fn forget(&self, ids: &[CaptureId]) -> Result<(), Failure>;
    /// Calls `ring` after each commit.
    fn on_ring(&self, ring: Box<dyn Fn() + Send + Sync>);
    /// Calls `over` where the server ends by itself.
    fn on_end(&self, over: Box<dyn FnOnce() + Send>) -> Result<(), Failure>;
}

/// How much of a large body is read before it is shown, in bytes.
const FIRST_PIECE: usize = 256 << 10;

/// What came of sending many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SentAll {
    /// How many were answered 2xx, and how many otherwise or not at all.
    pub(super) right: u64,
    pub(super) wrong: u64,
    /// How many could not be sent, and why the first of them.
    pub(super) unsent: u64,
    pub(super) why: Option<(CaptureId, Failure)>,
}

impl SentAll {
    pub(super) fn count(&mut self, each: Each) {
        match each {
            Ok(delivery) if delivery.outcome.is_success() => self.right += 1,
            Ok(_) => self.wrong += 1,
            Err(why) => {
                self.unsent += 1;
                self.why.get_or_insert(why);
            }
        }
    }
}

/// What is answered at the door where it differs from the configuration, and how the tunnel stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Door {
    /// Endpoints, and what each answers, in a few words.
    pub(super) told: Vec<(String, String)>,
    /// The tunnel, where there is one.
    pub(super) tunnel: Option<tunnel::State>,
    /// Whether what comes cannot be kept, so that senders get 503.
    pub(super) is_failing: bool,
    /// Where another process that captures into the store listens, if one does.
    pub(super) holder: Option<String>,
}

/// The engine as a stage.
pub(super) struct Live {
    engine: Arc<Engine>,
    /// One for the list and one for the detail: a filter that searches long does not keep a capture from opening.
    rows: Mutex<Reader>,
    captures: Mutex<Reader>,
    /// Set to end what is being resent.
    stop: Arc<AtomicBool>,
}

impl Live {
    pub(super) fn new(engine: Arc<Engine>) -> Result<Self, Failure> {
        let (rows, captures) = (Mutex::new(engine.reader()?), Mutex::new(engine.reader()?));
        Ok(Self { engine, rows, captures, stop: Arc::default() })
    }
}

fn lock(reader: &Mutex<Reader>) -> MutexGuard<'_, Reader> {
    reader.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stage for Live {
    fn page(&self, start: Start, limit: usize, filter: Option<&Filter>) -> Result<Slice, Failure> {
        let reader = lock(&self.rows);
        let condition = filter.map(|filter| filter.sql(engine::now()));
        let until = Instant::now() + MOMENT;
        let enough = || Instant::now() >= until;
        let found = match &condition {
            None => reader.page(start, limit, None).map(|rows| whole(start, limit, rows)),
            Some(condition) => reader.search(start, limit, condition, enough),
        };
        // Whatever was wrong: what is no damage of the file ends this, too, and is told as it was met first.
        found.or_else(|why| reader.past_damage(start, limit, condition.as_ref(), enough).map_err(|_| why))
    }

    fn again(&self, ids: &[CaptureId], filter: &Filter) -> Result<Vec<Summary>, Failure> {
        lock(&self.rows).again(ids, &filter.sql(engine::now()))
    }

    fn sorted(&self, by: Sorting, limit: usize, filter: Option<&Filter>) -> Result<Slice, Failure> {
        let condition = filter.map(|filter| filter.sql(engine::now()));
        let reader = lock(&self.rows);
        let sorted = reader.sorted(by, limit, condition.as_ref());
        let sorted = sorted.map(|rows| whole(Start::Newest, usize::MAX, rows));
        sorted.or_else(|why| reader.sorted_past_damage(by, limit, condition.as_ref()).map_err(|_| why))
    }

    fn known(&self) -> Result<Known, Failure> {
        let mut known = Known::new();
        let seen = lock(&self.rows).values()?;
        let providers = engine::catalog()?;
        let providers = providers.iter().map(|provider| provider.name().to_owned());
        let endpoints = self.engine.endpoints();
        let endpoints = endpoints.iter().map(|endpoint| endpoint.name.clone());
        let listed = [("provider", providers.collect()), ("endpoint", endpoints.collect())];
        for (field, values) in seen.into_iter().chain(listed) {
            // What cannot be typed is not offered.
            let values = values.into_iter().filter(|value| value.chars().all(body::is_safe));
            known.entry(field.to_owned()).or_default().extend(values);
        }
        Ok(known)
    }

    fn tag(&self, ids: &[CaptureId], tagging: &Tagging) -> Result<u64, Failure> {
        self.engine.tag(ids, tagging)
    }

    fn beats(&self, after: CaptureId, since: Timestamp) -> Result<(CaptureId, Vec<Beat>), Failure> {
        lock(&self.rows).beats(after, since)
    }

    fn stats(&self, since: Timestamp, until: Timestamp) -> Result<Stats, Failure> {
        // A connection of its own: it may look at a million rows, and nobody else is to wait for that.
        self.engine.reader()?.stats(since, until)
    }

    fn resend_edited(
        &self,
        id: CaptureId,
        to: Option<String>,
        resign: bool,
        request: &Rewritten,
    ) -> Result<Delivery, Failure> {
        let edit = Edit { resign, whole: Some(request.clone()), ..Edit::default() };
        self.engine.resend(id, Aim { to, edit, ..Aim::default() })
    }

    fn keep(&self, capture: &Capture, request: &Rewritten) -> Result<CaptureId, Failure> {
        let edit = Edit { whole: Some(request.clone()), ..Edit::default() };
        self.engine.keep(capture, &Aim { edit, ..Aim::default() })
    }

    fn pipe(&self, id: CaptureId, command: &str) -> Result<Piped, Failure> {
        let body = self.capture(id)?.ok_or_else(|| engine::no_such_capture(id))?.body.bytes;
        pipe::pipe(command, body.to_vec())
    }

    fn through(&self, capture: &Capture, lens: &Lens) -> Result<Capture, Failure> {
        lens.apply(capture)
    }

    fn browse(&self, url: &str) -> Result<(), Failure> {
        pipe::browse(url)
    }

    fn keep_filter(&self, name: &str, text: &str) -> Result<(), Failure> {
        engine::filters::save(name, text)
    }

    fn counters(&self) -> Result<Counters, Failure> {
        lock(&self.rows).counters()
    }

    fn capture(&self, id: CaptureId) -> Result<Option<Capture>, Failure> {
        lock(&self.captures).capture(id, Bodies::Read)
    }

    fn signed(&self, capture: &Capture) -> Option<Vec<u8>> {
        self.engine.signed_bytes(capture)
    }

    fn opening(&self, id: CaptureId) -> Result<Option<Capture>, Failure> {
        lock(&self.captures).capture(id, Bodies::First(FIRST_PIECE))
    }

    fn rest(&self, capture: &Capture, goes_on: &dyn Fn() -> bool) -> Result<Option<Capture>, Failure> {
        lock(&self.captures).body(capture, goes_on)
    }

    fn save(&self, name: &str, bytes: &[u8]) -> Result<String, Failure> {
        let doing = format!("saving as {name}");
        let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(engine::export::PRIVATE).open(name);
        let mut file = made.map_err(|why| match why.kind() {
            std::io::ErrorKind::AlreadyExists => Failure::new(&doing, "a file of that name is there already")
                .hint("it is never written over: give another name"),
            _ => Failure::new(&doing, why),
        })?;
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|why| Failure::new(&doing, why))?;
        Ok(engine::settings::shown(std::path::Path::new(name)))
    }

    fn deliveries(&self, id: CaptureId) -> Result<Vec<Delivery>, Failure> {
        lock(&self.captures).deliveries(id)
    }

    fn errands(&self, id: CaptureId) -> Result<Vec<Errand>, Failure> {
        lock(&self.captures).errands_of(id)
    }

    fn tries(&self, capture: &Capture) -> Result<Vec<Try>, Failure> {
        engine::tries(&lock(&self.captures), capture)
    }

    fn judge(&self, id: CaptureId) -> Result<Judged, Failure> {
        self.engine.judge_again(&[id])
    }

    fn resend(&self, id: CaptureId, to: Option<String>, resign: bool) -> Result<Delivery, Failure> {
        self.engine.resend(id, Aim { to, edit: Edit { resign, ..Edit::default() }, ..Aim::default() })
    }

    fn door(&self) -> Result<Door, Failure> {
        let told = self.engine.told(&lock(&self.captures))?;
        let holder = self.engine.url().is_none().then(|| engine::holder_url(self.engine.db())).flatten();
        Ok(Door { told, tunnel: self.engine.tunnel(), is_failing: !self.engine.is_keeping(), holder })
    }

    fn refusals(&self) -> Result<Refusals, Failure> {
        let reader = lock(&self.rows);
        let newest = reader.refusals(NEWEST)?.into_iter().map(|refusal| {
            let head = Head::parse(refusal.head.clone().into());
            let path = head.path();
            let endpoint = path.starts_with('/').then(|| self.engine.endpoints().route(&path).name.clone());
            Refused { refusal, endpoint }
        });
        Ok(Refusals { newest: newest.collect(), all: reader.counters()?.refused })
    }

    fn tell(&self, endpoint: &str, words: Option<&Words>) -> Result<String, Failure> {
        self.engine.tell(endpoint, words)
    }

    fn resend_marked(&self, except: &[CaptureId]) -> Result<SentAll, Failure> {
        let mut ids = self.marked()?;
        ids.retain(|id| !except.contains(id));
        if ids.is_empty() {
            return Err(Failure::new("resending", "nothing is marked").hint("{mark} marks a capture"));
        }
        self.stop.store(false, Ordering::Release);
        let pacing = Pacing { stop: Arc::clone(&self.stop), ..Pacing::default() };
        let mut all = SentAll::default();
        self.engine.resend_all(ids, Aim::default(), pacing, &mut |each| all.count(each))?;
        Ok(all)
    }

    fn taken(&self, filter: &Filter) -> Result<Vec<CaptureId>, Failure> {
        export::taken(&self.engine.reader()?, filter)
    }

    fn marked(&self) -> Result<Vec<CaptureId>, Failure> {
        export::marked(&self.engine.reader()?)
    }

    fn export(&self, export: &Export, goes_on: &mut dyn FnMut(usize) -> bool) -> Result<Exported, Failure> {
        export.write(&self.engine.reader()?, goes_on)
    }

    fn stop_resending(&self) {
        self.stop.store(true, Ordering::Release);
    }

    fn resend_dead(&self, id: CaptureId) -> Result<Delivery, Failure> {
        let dead = self.engine.reader()?.dead(Some(id))?;
        let mut last = Err(Failure::new("resending", format!("nothing of #{id} was given up")));
        for errand in dead {
            last = self.engine.resend_dead(errand);
        }
        last
    }

    fn drop_errands(&self, id: CaptureId) -> Result<u64, Failure> {
        let left = self.engine.reader()?.errands_of(id)?;
        self.engine.drop_errands(&left.iter().map(|errand| errand.id).collect::<Vec<_>>())
    }

    fn on_news(&self, hear: HearNews) {
        self.engine.on_news(hear);
    }

    fn on_reread(&self, hear: Box<dyn Fn(Configured) + Send>) {
        // Not the engine itself, which holds this.
        let engine = Arc::downgrade(&self.engine);
        let check = |screen: &Screen| Keymap::with(&screen.keys).map(drop);
        self.engine.on_reread(check, move || engine.upgrade().iter().for_each(|engine| hear(Configured::of(engine))));
    }

    fn forget(&self, ids: &[CaptureId]) -> Result<(), Failure> {
        self.engine.forget(&Filter::of(ids).sql(engine::now())).map(drop)
    }

    fn on_ring(&self, ring: Box<dyn Fn() + Send + Sync>) {
        self.engine.on_ring(ring);
    }

    fn on_end(&self, over: Box<dyn FnOnce() + Send>) -> Result<(), Failure> {
        self.engine.on_end(over)
    }
}

/// Where the screen is: the address that catches, or the store that is watched.
pub(super) fn place(engine: &Engine) -> Place {
    match engine.url() {
        Some(url) => Place::Listening(url.to_owned()),
        None => {
            Place::Watching { store: engine::settings::shown(engine.db()), address: engine::holder_url(engine.db()) }
        }
    }
}

/// Where the screen is.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// This process catches at that URL.
    Listening(String),
    /// It looks at a store; where the process that fills it listens, if one does.
    Watching {
        /// The store's file.
        store: String,
        /// The other process's URL.
        address: Option<String>,
    },
}
