//! What a person sends: captures again, one or many, what was given up, and requests that are in no store. The thread they
//! go out on.

use std::{
    sync::{Mutex, mpsc::channel},
    thread::JoinHandle,
};

use tokio::sync::watch as flag;

use super::{
    Aim, Engine, Pacing, batch,
    deliver::{Courier, no_such_capture},
    forward::{self, Ground},
    lock, now,
    own::Own,
    runtime, spawn,
};
use crate::{
    record::{BatchId, CaptureId, Delivery, Errand, ErrandId, Failure},
    store::{Posted, Posting},
    wire,
};

/// The thread that delivers.
pub(super) struct Sender {
    pub(super) runtime: tokio::runtime::Handle,
    stop: flag::Sender<bool>,
    thread: JoinHandle<()>,
}

impl Engine {
    /// Sends a capture to an app and stores what came of it. Blocks until then.
    pub fn resend(&self, id: CaptureId, aim: Aim) -> Result<Delivery, Failure> {
        if self.reader()?.summary(id)?.is_none() {
            return Err(no_such_capture(id));
        }
        let mut delivered = None;
        self.resend_all(vec![id], aim, Pacing::default(), &mut |each| delivered = Some(each))?;
        let each = delivered.ok_or_else(|| Failure::new("resending", "creel is stopping"))?;
        each.map_err(|(_, failure)| failure)
    }

    /// Sends captures to apps, and tells what came of each as it is stored. Blocks until all are, or it was stopped: what is
    /// left then is a batch that can be continued. Gives how many were sent.
    pub fn resend_all(
        &self,
        ids: Vec<CaptureId>,
        aim: Aim,
        pacing: Pacing,
        each: &mut dyn FnMut(batch::Each),
    ) -> Result<u64, Failure> {
        let (spec, captures) = (batch::spec(&aim), ids.clone());
        let posting = Posting::Batch { at: now(), spec, captures };
        let pending = self.writer()?.post(posting).map_err(|full| Failure::new("resending", full))?;
        let begun = pending.blocking_recv().map_err(|_| Failure::new("resending", "the store is closed"))??;
        let Posted::Batch(_, first) = begun else { return Ok(0) };
        let left = ids.into_iter().zip((first.0..).map(ErrandId)).collect();
        self.send_left(left, aim, pacing, each)
    }

    /// Sends what is left of a batch.
    pub fn resend_left(
        &self,
        batch: BatchId,
        aim: Aim,
        pacing: Pacing,
        each: &mut dyn FnMut(batch::Each),
    ) -> Result<u64, Failure> {
        let left = self.reader()?.left_of(batch)?;
        self.send_left(left, aim, pacing, each)
    }

    fn send_left(
        &self,
        left: Vec<(CaptureId, ErrandId)>,
        aim: Aim,
        pacing: Pacing,
        each: &mut dyn FnMut(batch::Each),
    ) -> Result<u64, Failure> {
        let client = (left.len() > 1).then(wire::Client::default);
        // A sender stands ready for each at most, however many are wished for.
        let pacing = Pacing { jobs: pacing.jobs.min(left.len()), ..pacing };
        let (endpoints, targets) = (self.endpoints(), self.targets());
        let courier = Courier { writer: self.writer()?, endpoints, targets, client };
        let (runtime, ended) = self.with_sender(|sender| (sender.runtime.clone(), sender.stop.subscribe()))?;
        let loads = batch::read_ahead(&self.db, left, &runtime)?;
        let mut stored = batch::send_all(&courier, loads, aim, &pacing, &ended)?;
        let mut count = 0;
        while let Some(one) = stored.blocking_recv() {
            count += 1;
            each(one.wait());
        }
        Ok(count)
    }

    /// Sends once more what was given up. Blocks until what came of it is stored.
    pub fn resend_dead(&self, dead: Errand) -> Result<Delivery, Failure> {
        let ground = Ground {
            db: self.db.clone(),
            writer: self.writer()?,
            endpoints: self.endpoints(),
            own: Own::new(self.address, self.outlook.clone()).and_of_the_holder(&self.db),
            news: self.news.clone(),
        };
        let (answer, outcome) = channel();
        self.sending()?.spawn(async move {
            let _ = answer.send(forward::redeliver(ground, dead).await);
        });
        outcome.recv().map_err(|_| Failure::new("resending", "creel is stopping"))?
    }

    /// Sends a request that is in no store. Blocks until there is a reply, or none.
    pub fn send(&self, outgoing: wire::Outgoing) -> Result<wire::Sent, Failure> {
        let (answer, outcome) = channel();
        self.sending()?.spawn(async move {
            let _ = answer.send(wire::send(outgoing, &wire::SendLimits::default()).await);
        });
        outcome.recv().map_err(|_| Failure::new("sending", "creel is stopping"))
    }

    /// The runtime of deliveries.
    pub(super) fn sending(&self) -> Result<tokio::runtime::Handle, Failure> {
        self.with_sender(|sender| sender.runtime.clone())
    }

    fn with_sender<T>(&self, ask: impl FnOnce(&Sender) -> T) -> Result<T, Failure> {
        Sender::with(&self.sender, ask)
    }
}

impl Sender {
    /// Asks the thread that delivers for something; it is started when it is first needed.
    pub(super) fn with<T>(sender: &Mutex<Option<Self>>, ask: impl FnOnce(&Self) -> T) -> Result<T, Failure> {
        let mut sender = lock(sender);
        if sender.is_none() {
            *sender = Some(Self::start()?);
        }
        sender.as_ref().map(ask).ok_or_else(|| Failure::new("sending", "creel is stopping"))
    }

    pub(super) fn start() -> Result<Self, Failure> {
        let runtime = runtime()?;
        let (stop, mut stopped) = flag::channel(false);
        let handle = runtime.handle().clone();
        let thread = spawn("creel-send", move || {
            runtime.block_on(async move { drop(stopped.wait_for(|&stop| stop).await) });
        })?;
        Ok(Self { runtime: handle, stop, thread })
    }

    pub(super) fn stop(self) {
        let _ = self.stop.send(true);
        let _ = self.thread.join();
    }
}
