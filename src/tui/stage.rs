//! What the screen may ask for, and who answers.

use std::{
    collections::BTreeMap,
    io::Write,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{
    engine::{self, Aim, Each, Engine, Pacing, edit::Edit},
    query::Filter,
    record::{Capture, CaptureId, Counters, Delivery, Failure, Summary, Tagging},
    store::{Bodies, Reader, Sorting, Start},
};

/// Everything outside that the screen needs. Called on workers' threads; may block.
pub(super) trait Stage: Send + Sync + 'static {
    /// A page of the list, newest first.
    fn page(&self, start: Start, limit: usize, filter: Option<&Filter>) -> Result<Vec<Summary>, Failure>;
    /// The rows that come first in a sorted order, at most `limit`.
    fn sorted(&self, by: Sorting, limit: usize, filter: Option<&Filter>) -> Result<Vec<Summary>, Failure>;
    /// Changes what is said of captures; gives how many there are.
    fn tag(&self, ids: &[CaptureId], tagging: &Tagging) -> Result<u64, Failure>;
    /// What the store holds.
    fn counters(&self) -> Result<Counters, Failure>;
    /// One capture with its body.
    fn capture(&self, id: CaptureId) -> Result<Option<Capture>, Failure>;
    /// The bytes that a capture's signature is over, where they can be told.
    fn signed(&self, capture: &Capture) -> Option<Vec<u8>>;
    /// One capture, of whose body there may be only the first piece.
    fn opening(&self, id: CaptureId) -> Result<Option<Capture>, Failure> {
        self.capture(id)
    }
    /// The same with its whole body; none where it is gone, or where `goes_on` says no.
    fn rest(&self, capture: &Capture, goes_on: &dyn Fn() -> bool) -> Result<Option<Capture>, Failure> {
        if goes_on() { self.capture(capture.id) } else { Ok(None) }
    }
    /// Saves bytes under a name, below the working folder as a rule, where nothing has that name yet; gives the place.
    fn save(&self, name: &str, bytes: &[u8]) -> Result<String, Failure>;
    /// A capture's deliveries, newest first.
    fn deliveries(&self, id: CaptureId) -> Result<Vec<Delivery>, Failure>;
    /// Sends a capture to an app, as it came or signed anew; blocks until the outcome is stored.
    fn resend(&self, id: CaptureId, to: Option<String>, resign: bool) -> Result<Delivery, Failure>;
    /// Sends all that is marked to the apps of its endpoints; blocks until it is stored, or somebody stops it. Gives how many
    /// were sent, and how many of them were answered 2xx.
    fn resend_marked(&self) -> Result<(u64, u64), Failure>;
    /// Ends that: what is under way is finished.
    fn stop_resending(&self);
    /// Sends once more what was given up of a capture.
    fn resend_dead(&self, id: CaptureId) -> Result<Delivery, Failure>;
    /// Calls `hear` with what goes on in forwarding.
    fn on_news(&self, hear: Box<dyn Fn(&str) + Send>);
    /// Calls `ring` after each commit.
    fn on_ring(&self, ring: Box<dyn Fn() + Send + Sync>);
    /// Calls `over` where the server ends by itself.
    fn on_end(&self, over: Box<dyn FnOnce() + Send>) -> Result<(), Failure>;
}

/// How much of a large body is read before it is shown, in bytes.
const FIRST_PIECE: usize = 256 << 10;

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
    fn page(&self, start: Start, limit: usize, filter: Option<&Filter>) -> Result<Vec<Summary>, Failure> {
        let condition = filter.map(|filter| filter.sql(engine::now()));
        lock(&self.rows).page(start, limit, condition.as_ref())
    }

    fn sorted(&self, by: Sorting, limit: usize, filter: Option<&Filter>) -> Result<Vec<Summary>, Failure> {
        let condition = filter.map(|filter| filter.sql(engine::now()));
        lock(&self.rows).sorted(by, limit, condition.as_ref())
    }

    fn tag(&self, ids: &[CaptureId], tagging: &Tagging) -> Result<u64, Failure> {
        self.engine.tag(ids, tagging)
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
        let made = std::fs::OpenOptions::new().write(true).create_new(true).open(name);
        let mut file = made.map_err(|why| {
            let hint = "a file that is there is never written over: give it another name";
            Failure::new(&doing, &why).hint(if why.kind() == std::io::ErrorKind::AlreadyExists { hint } else { "" })
        })?;
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|why| Failure::new(&doing, why))?;
        Ok(engine::settings::shown(std::path::Path::new(name)))
    }

    fn deliveries(&self, id: CaptureId) -> Result<Vec<Delivery>, Failure> {
        lock(&self.captures).deliveries(id)
    }

    fn resend(&self, id: CaptureId, to: Option<String>, resign: bool) -> Result<Delivery, Failure> {
        self.engine.resend(id, Aim { to, edit: Edit { resign, ..Edit::default() }, ..Aim::default() })
    }

    fn resend_marked(&self) -> Result<(u64, u64), Failure> {
        let filter =
            Filter::parse("mark:marked").map_err(|error| Failure::new("looking for what is marked", error.message))?;
        let condition = filter.sql(engine::now());
        let mut rows = self.engine.reader()?.page(Start::Newest, usize::MAX, Some(&condition))?;
        rows.reverse();
        if rows.is_empty() {
            return Err(
                Failure::new("resending", "nothing is marked").hint("space marks the capture, a filter finds it")
            );
        }
        self.stop.store(false, Ordering::Release);
        let pacing = Pacing { stop: Arc::clone(&self.stop), ..Pacing::default() };
        let (ids, mut right) = (rows.iter().map(|row| row.id).collect(), 0);
        let mut take = |each: Each| right += u64::from(each.is_ok_and(|sent| sent.outcome.is_success()));
        let count = self.engine.resend_all(ids, Aim::default(), pacing, &mut take)?;
        Ok((count, right))
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

    fn on_news(&self, hear: Box<dyn Fn(&str) + Send>) {
        self.engine.on_news(hear);
    }

    fn on_ring(&self, ring: Box<dyn Fn() + Send + Sync>) {
        self.engine.on_ring(ring);
    }

    fn on_end(&self, over: Box<dyn FnOnce() + Send>) -> Result<(), Failure> {
        self.engine.on_end(over)
    }
}

/// The apps of the endpoints that have one.
pub(super) fn apps(engine: &Engine) -> BTreeMap<String, String> {
    let endpoints = engine.endpoints().iter();
    endpoints.filter_map(|endpoint| Some((endpoint.name.clone(), endpoint.app.as_ref()?.url.clone()))).collect()
}

/// Where the screen is: the address that catches, or the store that is watched.
pub(super) fn place(engine: &Engine) -> Place {
    match engine.address() {
        Some(address) => Place::Listening(format!("http://{address}")),
        None => Place::Watching {
            store: engine::settings::shown(engine.db()),
            address: engine::holder(engine.db())
                .and_then(|holder| holder.address)
                .map(|address| format!("http://{address}")),
        },
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
