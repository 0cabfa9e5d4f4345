//! Many captures sent again: several at a time, at a rate, stopped at any moment and continued later.
//!
//! A batch stands in the store before anything of it goes out; each of it is struck out when its delivery is stored. What is
//! left of it after a stop, or a crash, is what is left to send.

use std::{
    collections::VecDeque,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use tokio::{
    runtime::Handle,
    sync::{
        Mutex, OwnedSemaphorePermit, Semaphore,
        mpsc::{Receiver, Sender},
        watch,
    },
    task::JoinSet,
};

use super::{
    Aim, Transform,
    deliver::{Courier, no_such_capture},
    edit::Edit,
    processor,
};
use crate::{
    record::{Batch, Capture, CaptureId, Delivery, ErrandId, Failure, Header, Headers},
    store::{Bodies, Haste, Pending, Posted, Posting, Reader},
    wire::Client,
};

/// KiB of bodies that are read ahead of the sending.
const AHEAD_KIB: usize = 64 << 10;
/// Captures that are read at a time, and their KiB.
const LOAD: usize = 64;
const LOAD_KIB: usize = 256;
/// How often so many are read ahead of the sending.
const LOADS: usize = 4;
/// Deliveries that wait to be stored.
const UNSTORED: usize = 1_024;
/// Threads that send, where there are as many processors: to send takes longer than to read and to store together, so one
/// alone would leave a processor idle.
const THREADS: usize = 4;

/// How often the wish to stop is looked for while the next one is not due.
const LOOK: Duration = Duration::from_millis(100);

/// How many of a batch go at a time, and how fast.
#[derive(Clone, Debug)]
pub struct Pacing {
    /// How many at a time; one keeps the order.
    pub jobs: usize,
    /// How many a second at most; none: as fast as they go.
    pub rate: Option<f64>,
    /// Ends it when it is set: what is under way is finished.
    pub stop: Arc<AtomicBool>,
}

impl Default for Pacing {
    fn default() -> Self {
        Self { jobs: 1, rate: None, stop: Arc::default() }
    }
}

impl Pacing {
    /// Waits until so long after the beginning, and says whether it was stopped before.
    async fn is_stopped_before(&self, began: Instant, due: Duration) -> bool {
        loop {
            let early = due.saturating_sub(began.elapsed());
            if early.is_zero() || self.stop.load(Ordering::Acquire) {
                return self.stop.load(Ordering::Acquire);
            }
            tokio::time::sleep(early.min(LOOK)).await;
        }
    }
}

/// What came of one of a batch.
pub type Each = Result<Delivery, (CaptureId, Failure)>;

/// How a batch is sent, as it is kept in the store: everything but secrets.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Spec {
    to: Option<String>,
    append_path: bool,
    insecure: bool,
    jq: Option<String>,
    whole: bool,
    set: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    dropped: Vec<String>,
    resign: bool,
    cloudevents: bool,
    new_id: bool,
    /// Whether the whole request was written anew by hand, which is not kept.
    edited: bool,
    /// What must be given again, since it is a secret.
    missing: Vec<String>,
}

/// How it is kept. No secret, and no header that lets somebody in, is written.
pub(super) fn spec(aim: &Aim) -> String {
    let edit = &aim.edit;
    let lets_in = |(name, value): &(String, String)| {
        let headers: Headers = [(name, value)].into_iter().collect();
        headers.iter().any(Header::lets_in)
    };
    let (secret, headers): (Vec<_>, Vec<_>) = edit.headers.iter().cloned().partition(lets_in);
    let secrets = (!edit.secrets.is_empty()).then(|| "--secret".to_owned());
    let spec = Spec {
        to: aim.to.clone(),
        append_path: aim.append_path,
        insecure: aim.insecure,
        jq: edit.transform.as_ref().map(|transform| transform.program.clone()),
        whole: edit.transform.as_ref().is_some_and(|transform| transform.whole),
        set: edit.set.clone(),
        headers,
        dropped: edit.dropped.clone(),
        resign: edit.resign,
        cloudevents: edit.cloudevents,
        new_id: edit.new_id,
        edited: edit.whole.is_some(),
        missing: secret.into_iter().map(|(name, _)| format!("--header '{name}: …'")).chain(secrets).collect(),
    };
    serde_json::to_string(&spec).unwrap_or_default()
}

/// How a batch that was stopped is continued. What is a secret must be in `again`.
pub fn continued(batch: &Batch, again: &Aim) -> Result<Aim, Failure> {
    let doing = || format!("continuing batch {}", batch.id);
    let spec: Spec = serde_json::from_str(&batch.spec).map_err(|why| Failure::new(doing(), why))?;
    if spec.edited {
        let why = "its requests were written anew by hand, which creel does not keep";
        return Err(Failure::new(doing(), why).hint("edit and send them again"));
    }
    let given = again.edit.secrets.len() + again.edit.headers.len();
    if given == 0 && !spec.missing.is_empty() {
        return Err(Failure::new(doing(), "it was begun with a secret, which creel does not keep")
            .hint(format!("give it again: {}", spec.missing.join(", "))));
    }
    let transform = spec.jq.map(|program| Transform { program, whole: spec.whole });
    let headers = spec.headers.into_iter().chain(again.edit.headers.iter().cloned()).collect();
    let (set, dropped, secrets) = (spec.set, spec.dropped, again.edit.secrets.clone());
    let (cloudevents, resign, new_id) = (spec.cloudevents, spec.resign, spec.new_id);
    let edit = Edit { transform, set, headers, dropped, cloudevents, resign, secrets, new_id, whole: None };
    Ok(Aim { to: spec.to, append_path: spec.append_path, insecure: spec.insecure, edit })
}

/// A capture that was read ahead.
type Ahead = (ErrandId, Result<Capture, (CaptureId, Failure)>);

/// Some that were read ahead, with their part of the bytes that may be: it is given back when the last of them was sent.
pub(super) struct Load {
    captures: VecDeque<Ahead>,
    room: Arc<OwnedSemaphorePermit>,
}

/// All that is read ahead, as it comes.
pub(super) struct Loads {
    coming: Receiver<Load>,
    total: usize,
}

/// Reads the captures ahead of the sending, on a thread of its own, some at a time.
pub(super) fn read_ahead(db: &Path, left: Vec<(CaptureId, ErrandId)>, runtime: &Handle) -> Result<Loads, Failure> {
    let reader = Reader::open(db)?;
    let (ahead, coming) = tokio::sync::mpsc::channel(LOADS);
    let total = left.len();
    let (room, runtime) = (Arc::new(Semaphore::new(AHEAD_KIB)), runtime.clone());
    super::spawn("creel-read", move || {
        let mut left = &left[..];
        while !left.is_empty() {
            // Where it cannot be read at once, each of them says so.
            let (captures, kib) = reader.at_once(|reader| load(reader, left)).unwrap_or_else(|_| load(&reader, left));
            left = &left[captures.len()..];
            let room = Arc::clone(&room).acquire_many_owned(kib.min(AHEAD_KIB) as u32);
            let Ok(room) = runtime.block_on(room) else { return };
            if ahead.blocking_send(Load { captures, room: Arc::new(room) }).is_err() {
                return;
            }
        }
    })?;
    Ok(Loads { coming, total })
}

/// Reads the first ones: so many, or of so many bytes. Those whose numbers follow each other are read in one go.
fn load(reader: &Reader, left: &[(CaptureId, ErrandId)]) -> (VecDeque<Ahead>, usize) {
    let (mut captures, mut kib) = (VecDeque::with_capacity(LOAD), 0);
    let left = &left[..left.len().min(LOAD)];
    while let Some(&(id, errand)) = left.get(captures.len())
        && kib < LOAD_KIB
    {
        let begun = captures.len();
        let follow = left[begun..].iter().zip(id.0..).take_while(|((id, _), number)| id.0 == *number).count();
        // What it does not give is read alone, and tells why.
        let _ = reader.run(id, follow, &mut |capture| {
            kib += kib_of(&capture);
            captures.push_back((left[captures.len()].1, Ok(capture)));
            kib < LOAD_KIB
        });
        if captures.len() == begun {
            let read = reader.capture(id, Bodies::Read);
            let capture = read.and_then(|found| found.ok_or_else(|| no_such_capture(id))).map_err(|why| (id, why));
            kib += capture.as_ref().map_or(1, kib_of);
            captures.push_back((errand, capture));
        }
    }
    (captures, kib)
}

/// What a capture takes of the room.
fn kib_of(capture: &Capture) -> usize {
    (capture.body.bytes.len() >> 10) + 1
}

impl Load {
    fn take(&mut self) -> Option<Held> {
        self.captures.pop_front().map(|ahead| (ahead, Arc::clone(&self.room)))
    }
}

/// One that was read ahead, and its part of the room that its load takes.
type Held = (Ahead, Arc<OwnedSemaphorePermit>);

/// What is sent next, and when: asked by all senders, whatever their thread.
struct Line {
    /// What was read last, as far as nobody took it. Locked for a moment, and never while anything is waited for.
    ready: std::sync::Mutex<Option<Load>>,
    /// Waited at by one sender for all.
    coming: Mutex<Receiver<Load>>,
    /// How many there are in all, and how many of them were taken.
    total: usize,
    taken: AtomicUsize,
    began: Instant,
    pacing: Pacing,
}

impl Line {
    fn new(loads: Loads, pacing: Pacing) -> Self {
        let Loads { coming, total } = loads;
        let (ready, coming) = (std::sync::Mutex::default(), Mutex::new(coming));
        Self { ready, coming, total, taken: AtomicUsize::new(0), began: Instant::now(), pacing }
    }

    /// The next one, once it is due. None: there is none, or the batch was stopped.
    async fn next(&self) -> Option<Held> {
        let held = self.take().await?;
        let before = self.taken.fetch_add(1, Ordering::Relaxed);
        let due = |rate| Duration::try_from_secs_f64(before as f64 / rate).unwrap_or(Duration::MAX);
        let due = self.pacing.rate.map_or(Duration::ZERO, due);
        // Asked after all that is waited for: none begins once it was stopped.
        if self.pacing.is_stopped_before(self.began, due).await { None } else { Some(held) }
    }

    async fn take(&self) -> Option<Held> {
        loop {
            if let Some(held) = self.ready() {
                return Some(held);
            }
            let mut coming = self.coming.lock().await;
            // Another sender may have got a load while this one waited for its turn.
            if let Some(held) = self.ready() {
                return Some(held);
            }
            *super::lock(&self.ready) = Some(coming.recv().await?);
        }
    }

    fn ready(&self) -> Option<Held> {
        super::lock(&self.ready).as_mut().and_then(Load::take)
    }

    /// How soon what was sent is stored: the next goes meanwhile, and where there is none somebody waits for the last.
    fn haste(&self) -> Haste {
        if self.taken.load(Ordering::Relaxed) < self.total { Haste::Soon } else { Haste::Now }
    }
}

/// What is being stored of one that was sent, or not.
pub(super) enum Storing {
    Delivery(CaptureId, Pending<Delivery>),
    /// It could not even be sent, and is no longer to be; or not be stored.
    Failed(CaptureId, Failure, Option<Pending<Posted>>),
}

/// What was sent, in the order in which it is stored.
pub(super) type Stored = Receiver<Storing>;

/// Sends what was read ahead, as many at a time as is wished for, until `ended` says so.
pub(super) fn send_all(
    courier: &Courier,
    loads: Loads,
    aim: Aim,
    pacing: &Pacing,
    ended: &watch::Receiver<bool>,
) -> Result<Stored, Failure> {
    // The next one may go while this one is stored.
    let (unstored, storing) = tokio::sync::mpsc::channel(UNSTORED);
    let (line, aim) = (Arc::new(Line::new(loads, pacing.clone())), Arc::new(aim));
    let shares = shares(pacing.jobs);
    let places = processor::places(shares.len());
    for (senders, place) in shares.into_iter().zip(places) {
        let crew = Crew {
            // Connections are driven by the thread that made them.
            courier: Courier { client: courier.client.is_some().then(Client::default), ..courier.clone() },
            aim: Arc::clone(&aim),
            line: Arc::clone(&line),
            unstored: unstored.clone(),
            ended: ended.clone(),
        };
        let runtime = super::runtime()?;
        super::spawn("creel-resend", move || {
            place.take();
            runtime.block_on(crew.send(senders));
        })?;
    }
    Ok(storing)
}

/// How many senders each thread has.
fn shares(jobs: usize) -> Vec<usize> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = jobs.max(1);
    let threads = processors.min(THREADS).min(jobs);
    (0..threads).map(|thread| jobs / threads + usize::from(thread < jobs % threads)).collect()
}

/// Those that send on one thread.
struct Crew {
    courier: Courier,
    aim: Arc<Aim>,
    line: Arc<Line>,
    unstored: Sender<Storing>,
    ended: watch::Receiver<bool>,
}

impl Crew {
    /// Until there is nothing left, or creel ends: what is under way then is broken off, and stays to be sent.
    async fn send(mut self, senders: usize) {
        let courier = Arc::new(self.courier);
        let mut all = JoinSet::new();
        for _ in 0..senders {
            all.spawn(send_some(
                Arc::clone(&courier),
                Arc::clone(&self.aim),
                Arc::clone(&self.line),
                self.unstored.clone(),
            ));
        }
        drop(self.unstored);
        tokio::select! {
            () = async { while all.join_next().await.is_some() {} } => {}
            _ = self.ended.wait_for(|&ended| ended) => {}
        }
    }
}

/// One of several that send: until there is nothing left.
async fn send_some(courier: Arc<Courier>, aim: Arc<Aim>, line: Arc<Line>, unstored: Sender<Storing>) {
    while let Some(((errand, capture), _room)) = line.next().await {
        let sent = match capture {
            Ok(capture) => courier.send(&capture, &aim, errand).await.map_err(|why| (capture.id, why)),
            Err(unread) => Err(unread),
        };
        if unstored.send(store(&courier, errand, sent, line.haste())).await.is_err() {
            return;
        }
    }
}

/// Has one stored.
fn store(courier: &Courier, errand: ErrandId, sent: Each, haste: Haste) -> Storing {
    match sent {
        Err((id, why)) => Storing::Failed(id, why, courier.writer.post(Posting::Drop(vec![errand])).ok()),
        Ok(delivery) => {
            let id = delivery.capture;
            match courier.store(delivery, errand, haste) {
                Ok(pending) => Storing::Delivery(id, pending),
                // It stays to be sent: that it was is not in the store.
                Err(full) => Storing::Failed(id, full, None),
            }
        }
    }
}

impl Storing {
    /// What came of it, once it is stored. Blocks until then.
    pub(super) fn wait(self) -> Each {
        match self {
            Self::Delivery(id, pending) => {
                let closed = |_| Err(Failure::new("storing a delivery", "the store is closed"));
                pending.blocking_recv().unwrap_or_else(closed).map_err(|why| (id, why))
            }
            Self::Failed(id, why, pending) => {
                let _ = pending.map(Pending::blocking_recv);
                Err((id, why))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        record::{BatchId, Body, Head, Timestamp, Uid},
        store::{Bell, Role, Writer},
        verify::{self, Secret},
    };

    #[test]
    fn what_is_read_ahead_keeps_its_order_and_ends_at_its_bounds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("creel.db");
        let (writer, settler) = Writer::open(&path, Role::Capturing, Bell::new()).unwrap();
        drop(settler);
        let (small, large) = (1, LOAD_KIB << 10);
        for size in std::iter::repeat_n(small, LOAD).chain([large, small]) {
            let body = bytes::Bytes::from(vec![b'x'; size]);
            let (head, sha256) = (Head::parse("POST / HTTP/1.1\r\n\r\n".into()), verify::sha256(&body));
            let capture = Capture::new(Uid(1), Timestamp::from_unix_ms(1), head, Body::whole(body, sha256));
            writer.capture(capture).unwrap().blocking_recv().unwrap().unwrap();
        }
        let reader = Reader::open(&path).unwrap();
        let loaded = |ids: &[i64]| {
            let left: Vec<_> = ids.iter().zip(70..).map(|(&id, errand)| (CaptureId(id), ErrandId(errand))).collect();
            let (captures, _) = load(&reader, &left);
            for ((id, errand), (loaded, read)) in left.iter().zip(&captures) {
                assert_eq!((errand, *id), (loaded, read.as_ref().map_or_else(|(id, _)| *id, |capture| capture.id)));
            }
            captures.iter().map(|(_, read)| read.is_ok()).collect::<Vec<_>>()
        };
        let many: Vec<_> = (1..=LOAD as i64 + 2).collect();
        assert!(loaded(&[]).is_empty());
        assert_eq!(loaded(&[5, 6, 999, 2, 1, 1, 7]), [true, true, false, true, true, true, true]);
        assert_eq!(loaded(&many).len(), LOAD);
        assert_eq!(loaded(&many[LOAD - 2..]).len(), 3, "none after the large one");
    }

    fn kept(aim: &Aim) -> Batch {
        Batch { id: BatchId(1), at: Timestamp::from_unix_ms(0), total: 1, left: 1, spec: spec(aim) }
    }

    #[test]
    fn the_last_ones_are_stored_at_once_and_the_others_with_the_next() {
        let (ahead, coming) = tokio::sync::mpsc::channel(1);
        let line = Line::new(Loads { coming, total: 2 }, Pacing::default());
        let runtime = crate::engine::runtime().unwrap();
        runtime.block_on(async {
            let room = Arc::new(Arc::new(Semaphore::new(1)).acquire_owned().await.unwrap());
            let gone = |id| (ErrandId(id), Err((CaptureId(id), no_such_capture(CaptureId(id)))));
            ahead.send(Load { captures: [gone(1), gone(2)].into(), room }).await.unwrap_or_else(|_| panic!("closed"));
            drop(ahead);
            for (id, haste) in [(1, Haste::Soon), (2, Haste::Now)] {
                let ((errand, _), _room) = line.next().await.unwrap();
                assert_eq!((errand, line.haste()), (ErrandId(id), haste));
            }
            assert!(line.next().await.is_none());
        });
    }

    #[test]
    fn the_senders_are_shared_out_among_the_threads() {
        for jobs in 1..40 {
            let shares = shares(jobs);
            assert_eq!(shares.iter().sum::<usize>(), jobs, "{shares:?}");
            assert!(!shares.contains(&0) && shares.len() <= THREADS, "{shares:?}");
        }
    }

    #[test]
    fn a_batch_is_continued_as_it_was_begun_and_keeps_no_secret() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let edit = Edit {
            set: vec![pair("a.b", "1")],
            headers: vec![pair("X-Mine", "2")],
            dropped: vec!["X-Old".into()],
            resign: true,
            cloudevents: true,
            ..Edit::default()
        };
        let aim = Aim { to: Some("staging".into()), append_path: true, insecure: true, edit };
        let again = continued(&kept(&aim), &Aim::default()).unwrap();
        assert_eq!((again.to, again.append_path, again.insecure), (aim.to.clone(), true, true));
        assert_eq!((&again.edit.set, &again.edit.headers), (&aim.edit.set, &aim.edit.headers));
        assert_eq!((&again.edit.dropped, again.edit.resign, again.edit.cloudevents), (&aim.edit.dropped, true, true));

        let mut secret = aim.clone();
        secret.edit.secrets = vec![Secret::new(b"trout".to_vec())];
        secret.edit.headers.push(pair("Authorization", "Bearer trout"));
        let batch = kept(&secret);
        assert!(!batch.spec.contains("trout"), "{}", batch.spec);
        let refused = continued(&batch, &Aim::default()).unwrap_err().to_string();
        assert!(refused.contains("--secret") && refused.contains("Authorization"), "{refused}");
        assert_eq!(continued(&batch, &secret).unwrap().edit.secrets.len(), 1);
    }
}
