//! Forwarding: captures go on to apps by themselves, as they arrive.
//!
//! A capture is stored together with an *errand* for each app, in one transaction; so what was acknowledged is forwarded
//! even where creel is killed right afterwards. One task, the `runner`, takes errands in hand, a *lane* an endpoint and
//! app. Each try is a delivery, and bears the errand's id in `Creel-Delivery-Id`: the same on each try, since an app may get one
//! twice (a crash between its reply and our commit) and never not at all. What failed waits in one heap of times and is
//! tried again by the provider's own schedule; what failed too often is given up and kept, to be looked at and resent.
//!
//! What is never forwarded by itself: what a web page sent, what creel refused or answered as a handshake, bodies that are
//! not whole, and what came back (`Creel-Hops`). Targets come from the configuration alone; no sender can choose one.

mod circuit;
mod errand;
mod lane;
mod policy;
mod proxy;
mod runner;

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool, mpsc},
    time::Duration,
};

use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc as channel, oneshot};

pub use self::{errand::SEND_ELSEWHERE, policy::Retry};
pub(super) use self::{errand::redeliver, proxy::answered};
use super::{
    Transform,
    endpoint::{Endpoint, Endpoints},
    own::Own,
    target::Target,
};
use crate::{
    query::Filter,
    record::{Capture, CaptureId, Errand, ErrandId, Failure, Flag, Head, Outcome, counted},
    store::{Onward, Posting, Reader, Stored, Writer},
    wire::Client,
};

/// The header that tells an app which errand it is: the same on each try.
const DELIVERY_ID: &str = "Creel-Delivery-Id";
/// The header with the marks of the creels that have forwarded a request, separated by commas.
const HOPS: &str = "Creel-Hops";

/// How long a stopping creel waits for what is under way. What is cut off is sent again at the next start.
const DRAIN: Duration = Duration::from_secs(3);

/// KiB of captures that are on their way to the runner in memory. What is more is read from the store.
const AT_HAND_KIB: usize = 4 << 10;

/// Who answers the sender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answering {
    /// creel, at once after the commit.
    #[default]
    Ack,
    /// The app: its reply goes back to the sender.
    Proxy,
}

/// Whether one waits for the one before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Several at a time; what failed holds up nobody.
    #[default]
    Parallel,
    /// One after the other, each when the one before it is done or given up.
    Kept,
}

/// What goes from an endpoint to an app by itself.
#[derive(Clone, Debug)]
pub struct Forward {
    /// What it is called in the store: endpoint and target.
    pub lane: Arc<str>,
    /// Where to.
    pub to: Target,
    /// Which captures; none: all.
    pub when: Option<Filter>,
    /// Who answers the sender.
    pub answer: Answering,
    /// Whether one waits for the one before it.
    pub order: Order,
    /// When a failed one is tried again.
    pub retry: Retry,
    /// How long the app may take; none: as long as the provider waits, or 30 s.
    pub timeout: Option<Duration>,
    /// What changes it on its way.
    pub program: Option<Program>,
}

/// A jq program that changes what is forwarded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The program.
    pub transform: Transform,
    /// Where it stands, for whoever must mend it: file, line and column.
    pub stands: String,
}

impl Forward {
    /// Everything of an endpoint goes to that app, as it comes.
    pub fn plain(endpoint: &str, to: Target, answer: Answering) -> Self {
        let lane = same_lane(&format!("{endpoint} → {}", to.title())).into();
        let (order, retry) = (Order::default(), Retry::default());
        Self { lane, to, when: None, answer, order, retry, timeout: None, program: None }
    }
}

/// A lane's name in the one way in which all that mean it write it: a URL's path of `/` alone says nothing. Older stores
/// hold names with it.
fn same_lane(name: &str) -> &str {
    let bare =
        name.strip_suffix('/').filter(|bare| bare.rsplit_once("://").is_some_and(|(_, host)| !host.contains('/')));
    bare.unwrap_or(name)
}

/// Whether all programs can be read: a bad one is refused at the start, and not when the first capture comes.
pub(super) fn check(endpoints: &Endpoints) -> Result<(), Failure> {
    let forwards = endpoints.iter().flat_map(|endpoint| &endpoint.forwards);
    forwards.filter_map(|forward| forward.program.as_ref()).try_for_each(|Program { transform, stands }| {
        transform.check().map_err(|failure| Failure::new(format!("reading {stands}"), failure.why))
    })
}

/// A sender's side of a proxied capture: hears what the app replied; hears nothing where it is not forwarded.
pub(super) type Heard = oneshot::Receiver<Outcome>;

/// A capture that has just been stored and need not be read again, with its part of the bytes that are held so.
pub(super) struct AtHand {
    capture: Capture,
    _room: OwnedSemaphorePermit,
}

/// An errand to take in hand.
pub(super) struct Item {
    pub(super) errand: ErrandId,
    pub(super) capture: CaptureId,
    /// The capture itself; none: it is read from the store.
    pub(super) at_hand: Option<Arc<AtHand>>,
    pub(super) tries: u32,
    /// Who waits for the reply.
    pub(super) answer: Option<oneshot::Sender<Outcome>>,
}

/// What the runner is told.
pub(super) enum Told {
    /// An errand of that lane.
    Errand(usize, Item),
    /// What there is to forward from now on.
    Rows(Rows),
    /// Take nothing new in hand; say when what is under way is over.
    Stop(mpsc::Sender<()>),
}

/// Forwards, each with its lane's place, which it keeps as long as creel runs, and what waits in the store for those that were
/// not there before.
pub(super) struct Rows {
    rows: Vec<(usize, Arc<Endpoint>, Arc<Forward>)>,
    left: Vec<Errand>,
}

/// What goes on is told to whoever shows it. What is told before anybody listens is kept for them.
#[derive(Clone, Default)]
pub(super) struct News {
    listener: Arc<Mutex<Listener>>,
    /// Whether what comes cannot be kept, as was told last.
    pub(super) is_failing: Arc<AtomicBool>,
}

/// What kind of thing is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tidings {
    /// Something is right, or right again.
    Good,
    /// Somebody should know, or do something.
    Bad,
}

/// Who hears it.
pub type HearNews = Box<dyn Fn(&str, Tidings) + Send>;

#[derive(Default)]
struct Listener {
    hear: Option<HearNews>,
    kept: Vec<(String, Tidings)>,
}

impl News {
    pub(super) fn tell(&self, text: String) {
        self.tell_as(Tidings::Bad, text);
    }

    pub(super) fn tell_as(&self, tidings: Tidings, text: String) {
        let mut listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
        match &listener.hear {
            Some(hear) => hear(&text, tidings),
            None => listener.kept.push((text, tidings)),
        }
    }

    pub(super) fn listen(&self, hear: HearNews) {
        let mut listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
        listener.kept.drain(..).for_each(|(text, tidings)| hear(&text, tidings));
        listener.hear = Some(hear);
    }
}

/// Hands what is caught to the runner.
#[derive(Clone)]
pub(super) struct Post {
    lanes: Arc<HashMap<Arc<str>, usize>>,
    runner: channel::UnboundedSender<Told>,
    /// The store's mark.
    mark: Arc<str>,
    at_hand: Arc<Semaphore>,
}

/// What forwarding stands on.
pub(super) struct Ground {
    pub(super) db: PathBuf,
    pub(super) writer: Writer,
    pub(super) endpoints: Endpoints,
    /// Where nothing goes.
    pub(super) own: Own,
    pub(super) news: News,
}

/// Starts forwarding: what waits in the store, and what will come. None where no endpoint forwards. What waits in a lane that
/// is not configured goes on waiting, since it may be this start that is odd and not the store: one in another folder, say,
/// without its creel.toml. It is said, so that it is seen.
pub(super) fn start(
    ground: Ground,
    runtime: impl FnOnce() -> Result<tokio::runtime::Handle, Failure>,
) -> Result<Option<Post>, Failure> {
    let reader = Reader::open(&ground.db)?;
    let mut lanes = HashMap::new();
    let rows = rows(&ground.endpoints, &mut lanes);
    let left = left(&reader, &rows, &ground.news)?;
    let settle = |posting| ground.writer.post(posting).map(drop).map_err(|full| Failure::new("forwarding", full));
    // What was down when the last process ended is found out anew.
    for circuit in reader.circuits()? {
        settle(Posting::Close(circuit.lane))?;
    }
    if rows.is_empty() {
        return Ok(None);
    }
    let mark: Arc<str> = reader.instance()?.into();
    let (runner, told) = channel::unbounded_channel();
    let at_hand = Arc::new(Semaphore::new(AT_HAND_KIB));
    let post = Post { lanes: Arc::new(lanes), runner, mark: Arc::clone(&mark), at_hand };
    let carrier = errand::Carrier::new(ground, reader, Client::default(), mark);
    let mut runner = runner::Runner::new(carrier);
    runner.follow(Rows { rows, left });
    runtime()?.spawn(runner.run(told));
    Ok(Some(post))
}

/// All forwards, each with its lane's place: the one it has, or the next.
fn rows(endpoints: &Endpoints, lanes: &mut HashMap<Arc<str>, usize>) -> Vec<(usize, Arc<Endpoint>, Arc<Forward>)> {
    let rows = endpoints.iter().flat_map(|endpoint| endpoint.forwards.iter().map(move |forward| (endpoint, forward)));
    let placed = rows.map(|(endpoint, forward)| {
        let next = lanes.len();
        (*lanes.entry(Arc::clone(&forward.lane)).or_insert(next), Arc::clone(endpoint), Arc::clone(forward))
    });
    placed.collect()
}

/// What waits in the store for these forwards; of what waits for others is told.
fn left(reader: &Reader, rows: &[(usize, Arc<Endpoint>, Arc<Forward>)], news: &News) -> Result<Vec<Errand>, Failure> {
    let is_here = |errand: &Errand| rows.iter().any(|(_, _, forward)| *forward.lane == *same_lane(&errand.lane));
    let (here, kept): (Vec<_>, Vec<_>) = reader.waiting()?.into_iter().partition(is_here);
    kept_waiting(&kept).into_iter().for_each(|words| news.tell(words));
    Ok(here)
}

/// What is said of errands in lanes that are not configured; nothing of none.
fn kept_waiting(kept: &[Errand]) -> Option<String> {
    let lane = &kept.first()?.lane;
    let others = if kept.iter().all(|errand| errand.lane == *lane) { "" } else { " and others" };
    let wait = format!("{} {}", counted(kept.len() as u64, "delivery"), if kept.len() == 1 { "waits" } else { "wait" });
    Some(format!(
        "{wait} for what nothing forwards to here ({lane}{others}), and will go once something does: `creel ls \
         reply:waiting` lists what waits, `creel drop reply:waiting` ends that"
    ))
}

impl AtHand {
    /// Where there is room, in KiB.
    fn of(capture: &Capture, room: &Arc<Semaphore>) -> Option<Self> {
        let kib = (capture.head.raw().len() + capture.body.bytes.len()).div_ceil(1 << 10);
        let room = Arc::clone(room).try_acquire_many_owned(u32::try_from(kib).ok()?).ok()?;
        Some(Self { capture: capture.clone(), _room: room })
    }

    /// With the number that it has in the store.
    fn numbered(mut self, id: CaptureId) -> Self {
        self.capture.id = id;
        self
    }

    pub(super) fn capture(&self) -> &Capture {
        &self.capture
    }
}

impl Post {
    /// The lanes in which a capture is forwarded.
    pub(super) fn lanes(endpoint: &Endpoint, capture: &Capture) -> Vec<Arc<str>> {
        let kept_back = [Flag::FromWebPage, Flag::CameBack].iter().any(|&flag| capture.flags.contains(flag));
        if endpoint.forwards.is_empty() || kept_back || capture.body.truncated {
            return Vec::new();
        }
        endpoint.forwards.iter().map(|forward| Arc::clone(&forward.lane)).collect()
    }

    /// Forwards by other endpoints from now on, in place of those before; whoever catches by them must use what this gives. What
    /// waits for a forward that is new goes out; what waits for one that is gone goes on waiting, and is told.
    pub(super) fn follow(&self, endpoints: &Endpoints, before: &Endpoints, ground: &Ground) -> Result<Self, Failure> {
        let mut lanes = HashMap::clone(&self.lanes);
        let rows = rows(endpoints, &mut lanes);
        let mut left = left(&Reader::open(&ground.db)?, &rows, &ground.news)?;
        let was_here = |lane: &str| before.iter().flat_map(|it| &it.forwards).any(|it| *it.lane == *lane);
        left.retain(|errand| !was_here(same_lane(&errand.lane)));
        let _ = self.runner.send(Told::Rows(Rows { rows, left }));
        Ok(Self { lanes: Arc::new(lanes), ..self.clone() })
    }

    /// Whether this very store has forwarded the request before.
    pub(super) fn has_come_back(&self, head: &Head) -> bool {
        let mut marks = head.headers().get_all(HOPS);
        marks.any(|marks| marks.split(|&b| b == b',').any(|mark| mark.trim_ascii() == self.mark.as_bytes()))
    }

    /// Prepares for a capture that is about to be stored: what takes its errands in hand once it is, and what its sender
    /// waits for, where an app answers in creel's place.
    pub(super) fn begin(
        &self,
        endpoint: &Endpoint,
        capture: &Capture,
        lanes: Vec<Arc<str>>,
    ) -> (Onward, Option<Heard>) {
        let mut heard = None;
        let items: Vec<_> = endpoint
            .forwards
            .iter()
            .map(|forward| {
                let answer = (forward.answer == Answering::Proxy).then(|| {
                    let (answer, hears) = oneshot::channel();
                    heard = Some(hears);
                    answer
                });
                (self.lanes.get(&forward.lane).copied(), answer)
            })
            .collect();
        let (runner, at_hand) = (self.runner.clone(), AtHand::of(capture, &self.at_hand));
        let then = move |stored: Stored| {
            let Some(first) = stored.errand else { return };
            let at_hand = at_hand.map(|at_hand| Arc::new(at_hand.numbered(stored.id)));
            for ((lane, answer), errand) in items.into_iter().zip(first.0..) {
                let Some(lane) = lane else { continue };
                let (errand, at_hand) = (ErrandId(errand), at_hand.clone());
                // A runner that is gone leaves the errand in the store for the next start.
                let _ = runner.send(Told::Errand(lane, Item { errand, capture: stored.id, at_hand, tries: 0, answer }));
            }
        };
        (Onward { lanes, then: Box::new(then) }, heard)
    }

    /// Waits, for a while, until what is under way is over. Blocks.
    pub(super) fn stop(&self) {
        let (over, wait) = mpsc::channel();
        if self.runner.send(Told::Stop(over)).is_ok() {
            let _ = wait.recv_timeout(DRAIN);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_a_slash_alone_is_no_other_lane() {
        let plain = |url: &str| Forward::plain("bin", Target::url(url), Answering::Ack).lane;
        assert_eq!(plain("http://h/"), plain("http://h"));
        assert_eq!(same_lane("bin → https://h:1/"), "bin → https://h:1");
        for name in ["bin → http://h/a/", "bin → http://h/?a=/", "bin → staging", "bin → odd/", ""] {
            assert_eq!(same_lane(name), name);
        }
    }
}
