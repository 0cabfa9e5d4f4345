//! One try at an errand: the capture is read, sent, and what came of it is stored, in one transaction with what becomes of
//! the errand.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Answering, DELIVERY_ID, Forward, Ground, HOPS, Item, Order, policy, proxy, same_lane};
use crate::{
    body,
    engine::{
        self,
        edit::{Edit, Edited},
        endpoint::{Endpoint, Endpoints},
        transform::is_of_a_program,
    },
    query::{Content, Filter},
    record::{
        Capture, CaptureId, Cause, Change, Delivery, DeliveryId, Errand, ErrandId, Failure, Next, Outcome, Settlement,
        Timestamp,
    },
    store::{Bodies, Haste, Posting, Reader},
    verify::{Habits, Provider},
    wire::{Client, Outgoing, SendLimits},
};

/// Bytes of a reply that goes back to a sender: more than what is kept of others.
const PROXIED_REPLY_BYTES: usize = 16 << 20;
/// How long to wait before what could not be written to the store is done again.
const UNWRITTEN_WAIT_MS: i64 = 5_000;

/// Brings captures to apps.
pub(super) struct Carrier {
    pub(super) ground: Ground,
    reader: Mutex<Reader>,
    client: Client,
    mark: Arc<str>,
}

/// What became of an errand.
pub(super) enum Came {
    /// There is nothing to bring any more: the filter does not take it, or it was deleted.
    Dropped,
    /// It cannot be brought.
    GivenUp(String),
    /// It was tried, and is done, or goes on at that time.
    Tried(Outcome, Next),
    /// Its program failed, so that the app heard nothing of it.
    Unmade(Next),
    /// Whatever it came to is not in the store: it must be done again.
    Unwritten(Timestamp),
}

/// What came of one try.
struct Attempt {
    delivery: Delivery,
    /// Whether anything was sent.
    went_out: bool,
}

/// For how long after it came nobody is thought to have dropped what is brought on, in milliseconds.
const JUST_CAME_MS: i64 = 1_000;

/// A request as it goes out.
struct Prepared {
    outgoing: Outgoing,
    receipt: Vec<Change>,
}

impl Carrier {
    pub(super) fn new(ground: Ground, reader: Reader, client: Client, mark: Arc<str>) -> Self {
        Self { ground, reader: Mutex::new(reader), client, mark }
    }

    /// Tries an errand once.
    pub(super) async fn carry(&self, endpoint: &Arc<Endpoint>, forward: &Forward, item: Item) -> Came {
        let Item { errand, capture: id, at_hand, tries, answer } = item;
        if at_hand.as_ref().is_none_or(|at_hand| is_old(at_hand.capture())) && !self.is_left(errand, id) {
            return Came::Dropped;
        }
        // A filter asks for the row as it stands in the store.
        let at_hand = at_hand.filter(|_| forward.when.is_none());
        let read = if at_hand.is_none() { self.capture(forward, id) } else { Ok(None) };
        let capture = match (&at_hand, &read) {
            (Some(at_hand), _) => at_hand.capture(),
            (None, Ok(Some(capture))) => capture,
            (None, Ok(None)) => return self.posted(Posting::Drop(vec![errand]), Came::Dropped).await,
            (None, Err(failure)) => return self.give_up(errand, failure.to_string()).await,
        };
        let catalog = engine::catalog().ok();
        let provider = capture.provider.as_deref().and_then(|name| catalog.as_ref()?.get(name));
        let Attempt { delivery, went_out } = match self.send(endpoint, forward, errand, capture, provider).await {
            Ok(attempt) => attempt,
            Err(failure) => return self.give_up(errand, failure.to_string()).await,
        };
        let sent = delivery.outcome.clone();
        let next = next(forward, provider.map(Provider::habits), &sent, tries + 1, chance());
        let answered = answer.map(|answer| {
            let status = proxy::status(&sent);
            // A sender that has gone away is not told; the delivery stands.
            let _ = answer.send(sent.clone());
            status
        });
        // What keeps its order waits for this one.
        let haste = if forward.order == Order::Kept { Haste::Now } else { Haste::Soon };
        match self.settle(delivery, Settlement { errand, next: next.clone(), answered }, haste).await {
            Ok(()) if went_out => Came::Tried(sent, next),
            Ok(()) => Came::Unmade(next),
            Err(_) => unwritten(),
        }
    }

    /// Whether an errand is still to be done: a person may have dropped it, in another process. Where that cannot be told it is.
    pub(super) fn is_left(&self, errand: ErrandId, capture: CaptureId) -> bool {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        reader.errands_of(capture).map_or(true, |left| left.iter().any(|it| it.id == errand && !it.dead))
    }

    /// A number that is another one after each commit of anybody; none where the store cannot be asked now.
    pub(super) fn version(&self) -> Option<i64> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner).data_version().ok()
    }

    /// The capture of an errand, where it is still there and the forward takes it.
    fn capture(&self, forward: &Forward, id: CaptureId) -> Result<Option<Capture>, Failure> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(capture) = reader.capture(id, Bodies::Read)? else { return Ok(None) };
        let Some(filter) = &forward.when else { return Ok(Some(capture)) };
        let Some(row) = reader.summary(id)? else { return Ok(None) };
        Ok(takes(filter, &row, &capture).then_some(capture))
    }

    async fn send(
        &self,
        endpoint: &Arc<Endpoint>,
        forward: &Forward,
        errand: ErrandId,
        capture: &Capture,
        provider: Option<&Provider>,
    ) -> Result<Attempt, Failure> {
        let Prepared { outgoing, receipt } = match self.prepare(endpoint, forward, errand, capture).await {
            Ok(prepared) => prepared,
            Err(failure) if is_of_a_program(&failure) => return Ok(unmade(forward, errand, capture.id, &failure)),
            Err(failure) => return Err(failure),
        };
        let patience = provider.and_then(|provider| provider.habits().timeout_ms).map(u64::from);
        let patience = forward.timeout.or(patience.map(std::time::Duration::from_millis));
        let usual = SendLimits::default();
        let mut limits = SendLimits {
            total: patience.unwrap_or(usual.total),
            reply_bytes: if forward.answer == Answering::Proxy { PROXIED_REPLY_BYTES } else { usual.reply_bytes },
            ..usual
        };
        self.ground.own.keep_out(&mut limits);
        let started_at = engine::now();
        let sent = self.client.send(outgoing, &limits).await;
        let delivery = Delivery {
            id: DeliveryId(0),
            capture: capture.id,
            to: sent.to,
            started_at,
            took_ms: sent.took_ms,
            attempt: 0,
            receipt: receipt.into_iter().chain(sent.receipt).map(Change::concealed).collect(),
            outcome: sent.outcome,
            errand: Some(errand),
        };
        Ok(Attempt { delivery, went_out: true })
    }

    async fn prepare(
        &self,
        endpoint: &Arc<Endpoint>,
        forward: &Forward,
        errand: ErrandId,
        capture: &Capture,
    ) -> Result<Prepared, Failure> {
        let before: Vec<_> =
            capture.head.headers().get_all(HOPS).map(|marks| String::from_utf8_lossy(marks).into_owned()).collect();
        let hops: Vec<_> = before.iter().map(String::as_str).chain([&*self.mark]).collect();
        let to = &forward.to;
        let edit = Edit {
            transform: forward.program.as_ref().map(|program| program.transform.clone()),
            headers: vec![
                (DELIVERY_ID.to_owned(), format!("{}-{}", capture.uid, errand.0)),
                (HOPS.to_owned(), hops.join(", ")),
            ],
            resign: to.resign,
            cloudevents: to.cloudevents,
            ..Edit::default()
        };
        let Edited { head, body, keep_host, receipt } = edit.applied(capture, endpoint, (&to.url, to.path)).await?;
        let (to, path, insecure) = (to.url.clone(), to.path, to.insecure);
        Ok(Prepared { outgoing: Outgoing { head, body, to, path, insecure, keep_host }, receipt })
    }

    async fn give_up(&self, errand: ErrandId, why: String) -> Came {
        self.posted(Posting::GiveUp(vec![errand], why.clone()), Came::GivenUp(why)).await
    }

    /// Writes a change, and gives what it means.
    async fn posted(&self, posting: Posting, came: Came) -> Came {
        let Ok(pending) = self.ground.writer.post(posting) else { return unwritten() };
        match pending.await {
            Ok(Ok(_)) => came,
            _ => unwritten(),
        }
    }

    async fn settle(&self, delivery: Delivery, settlement: Settlement, haste: Haste) -> Result<(), Failure> {
        let storing = |why: &dyn std::fmt::Display| Failure::new("storing a delivery", why);
        let pending = self.ground.writer.settle(delivery, settlement, haste).map_err(|full| storing(&full))?;
        pending.await.unwrap_or_else(|_| Err(storing(&"the store is closed"))).map(drop)
    }

    /// Sets the store's mind about an app that is down, or up again. Nobody waits for it.
    pub(super) fn mark_app(&self, posting: Posting) {
        let _ = self.ground.writer.post(posting);
    }
}

/// A try that ended before anything was sent, since the program that changes it failed.
fn unmade(forward: &Forward, errand: ErrandId, capture: CaptureId, failure: &Failure) -> Attempt {
    let delivery = Delivery {
        id: DeliveryId(0),
        capture,
        to: forward.to.url.clone(),
        started_at: engine::now(),
        took_ms: 0,
        attempt: 0,
        receipt: Vec::new(),
        outcome: Outcome::Failed(Cause::Unsendable, format!("{}: {}", failure.doing, failure.why)),
        errand: Some(errand),
    };
    Attempt { delivery, went_out: false }
}

/// What to do with what nothing forwards any more.
pub const SEND_ELSEWHERE: &str = "send it where you like with `creel resend ID --to URL`";

/// Sends once more what was given up. Where it fails again, it stays given up.
pub(in crate::engine) async fn redeliver(ground: Ground, dead: Errand) -> Result<Delivery, Failure> {
    let doing = || format!("sending #{} once more", dead.capture);
    let reader = Reader::open(&ground.db)?;
    let (endpoint, forward) = row_of(&ground.endpoints, &dead.lane).ok_or_else(|| {
        Failure::new(doing(), format!("creel.toml does not forward `{}` any more", dead.lane)).hint(SEND_ELSEWHERE)
    })?;
    let mark: Arc<str> = reader.instance()?.into();
    let capture = reader.capture(dead.capture, Bodies::Read)?.ok_or_else(|| engine::no_such_capture(dead.capture))?;
    let carrier = Carrier::new(ground, reader, Client::default(), mark);
    let catalog = engine::catalog()?;
    let provider = capture.provider.as_deref().and_then(|name| catalog.get(name));
    let Attempt { delivery, .. } = carrier.send(&endpoint, &forward, dead.id, &capture, provider).await?;
    let next = if success(provider.map(Provider::habits), &delivery.outcome) {
        Next::Done
    } else {
        Next::Again(engine::now(), words(&delivery.outcome))
    };
    let settlement = Settlement { errand: dead.id, next, answered: None };
    let pending =
        carrier.ground.writer.settle(delivery, settlement, Haste::Now).map_err(|full| Failure::new(doing(), full))?;
    pending.await.unwrap_or_else(|_| Err(Failure::new(doing(), "the store is closed")))
}

/// The endpoint and the forward of a lane.
fn row_of(endpoints: &Endpoints, lane: &str) -> Option<(Arc<Endpoint>, Arc<Forward>)> {
    endpoints.iter().find_map(|endpoint| {
        let forward = endpoint.forwards.iter().find(|forward| *forward.lane == *same_lane(lane))?;
        Some((Arc::clone(endpoint), Arc::clone(forward)))
    })
}

/// Whether a filter takes a capture that is in the store.
fn takes(filter: &Filter, row: &crate::record::Summary, capture: &Capture) -> bool {
    let undone = body::Content::of(&capture.body.bytes, capture.head.headers());
    let content = Content { head: capture.head.raw(), body: &undone.bytes };
    filter.matches(row, &content, engine::now())
}

/// Whether it has waited since it came, so that somebody may have dropped it meanwhile.
fn is_old(capture: &Capture) -> bool {
    engine::now().since_ms(capture.received_at) >= JUST_CAME_MS
}

/// What becomes of an errand after so many tries.
fn next(forward: &Forward, habits: Option<&Habits>, outcome: &Outcome, tries: u32, chance: f64) -> Next {
    // A proxied sender has the reply and tries again by itself where it does not like it.
    if success(habits, outcome) || forward.answer == Answering::Proxy {
        return Next::Done;
    }
    let in_a_ring = match outcome {
        Outcome::Replied(reply) => reply.status == 508,
        Outcome::Failed(cause, _) => *cause == Cause::Ring,
    };
    let now = engine::now();
    match forward.retry.wait(tries, habits, chance).filter(|_| !in_a_ring) {
        Some(wait) => {
            let wait = policy::asked_to_wait(outcome, now).map_or(wait, |asked| asked.max(wait));
            Next::Again(now.after(wait), words(outcome))
        }
        None => Next::Dead(words(outcome)),
    }
}

fn success(habits: Option<&Habits>, outcome: &Outcome) -> bool {
    outcome
        .status()
        .is_some_and(|status| habits.map_or_else(|| outcome.is_success(), |habits| habits.is_success(status)))
}

/// An outcome in a few words.
pub(super) fn words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Replied(reply) => format!("answered {}", reply.status),
        Outcome::Failed(_, why) => why.clone(),
    }
}

/// Nothing of it is in the store: it is done again after a while.
pub(super) fn unwritten() -> Came {
    Came::Unwritten(Timestamp::from_unix_ms(engine::now().unix_ms() + UNWRITTEN_WAIT_MS))
}

/// Something between 0 and 1. Where the system has no chance, a half.
fn chance() -> f64 {
    let mut bytes = [0; 4];
    match ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes) {
        Ok(()) => f64::from(u32::from_ne_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 0.5,
    }
}
