//! Many captures sent again: several at a time, at a rate, stopped at any moment and continued later.
//!
//! A batch stands in the store before anything of it goes out: a row a capture, which goes when its delivery is stored. What
//! is left of it after a stop, or a crash, is what is left to send.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};

use super::{
    Aim, Transform,
    deliver::{Courier, no_such_capture},
    edit::Edit,
};
use crate::{
    record::{Batch, Capture, CaptureId, Delivery, ErrandId, Failure, Header, Headers},
    store::{Bodies, Posting, Reader},
};

/// KiB of bodies that are read ahead of the sending.
const AHEAD_KIB: usize = 64 << 10;
/// Captures that are read ahead of the sending.
const AHEAD: usize = 64;
/// Deliveries that wait to be stored.
const UNSTORED: usize = 1_024;

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
    let (set, dropped, resign, new_id) = (spec.set, spec.dropped, spec.resign, spec.new_id);
    let secrets = again.edit.secrets.clone();
    let edit = Edit { transform, set, headers, dropped, resign, secrets, new_id, whole: None };
    Ok(Aim { to: spec.to, append_path: spec.append_path, insecure: spec.insecure, edit })
}

/// A capture that was read ahead, with its part of the bytes that may be.
type Ahead = (ErrandId, Result<Capture, (CaptureId, Failure)>, OwnedSemaphorePermit);

/// Reads the captures ahead of the sending, on the caller's thread.
pub(super) fn read_ahead(
    db: &Path,
    left: Vec<(CaptureId, ErrandId)>,
    runtime: &Handle,
) -> Result<tokio::sync::mpsc::Receiver<Ahead>, Failure> {
    let reader = Reader::open(db)?;
    let (ahead, captures) = tokio::sync::mpsc::channel(AHEAD);
    let (room, runtime) = (Arc::new(Semaphore::new(AHEAD_KIB)), runtime.clone());
    super::spawn("creel-read", move || {
        for (id, errand) in left {
            let read = reader.capture(id, Bodies::Read);
            let capture = read.and_then(|found| found.ok_or_else(|| no_such_capture(id))).map_err(|why| (id, why));
            let size = capture.as_ref().map_or(0, |capture| capture.body.bytes.len() >> 10);
            let room = Arc::clone(&room).acquire_many_owned(size.clamp(1, AHEAD_KIB) as u32);
            let Ok(permit) = runtime.block_on(room) else { return };
            if ahead.blocking_send((errand, capture, permit)).is_err() {
                return;
            }
        }
    })?;
    Ok(captures)
}

/// Sends what was read ahead; tells what came of each.
pub(super) async fn send_all(
    courier: Courier,
    mut captures: tokio::sync::mpsc::Receiver<Ahead>,
    aim: Aim,
    pacing: Pacing,
    told: mpsc::Sender<Each>,
) {
    let (courier, aim) = (Arc::new(courier), Arc::new(aim));
    let unstored = Arc::new(Semaphore::new(UNSTORED));
    let (mut under_way, began) = (JoinSet::new(), Instant::now());
    for turn in 0_u32.. {
        let Some((errand, capture, room)) = captures.recv().await else { break };
        while under_way.len() >= pacing.jobs.max(1) {
            let _ = under_way.join_next().await;
        }
        let due = |rate| Duration::try_from_secs_f64(f64::from(turn) / rate).unwrap_or(Duration::MAX);
        // Asked after all that is waited for: none begins once it was stopped.
        if pacing.is_stopped_before(began, pacing.rate.map_or(Duration::ZERO, due)).await {
            break;
        }
        let Ok(unstored) = Arc::clone(&unstored).acquire_owned().await else { break };
        let (courier, aim, told) = (Arc::clone(&courier), Arc::clone(&aim), told.clone());
        under_way.spawn(async move {
            let sent = match capture {
                Ok(capture) => courier.send(&capture, &aim, errand).await.map_err(|why| (capture.id, why)),
                Err(unread) => Err(unread),
            };
            drop(room);
            // The next one may go while this one is stored.
            tokio::spawn(async move {
                let each = store(&courier, errand, sent).await;
                let _ = told.send(each);
                drop(unstored);
            });
        });
    }
    while under_way.join_next().await.is_some() {}
}

/// Stores what came of one; what could not even be sent is no longer to be sent.
async fn store(courier: &Courier, errand: ErrandId, sent: Each) -> Each {
    let delivery = match sent {
        Ok(delivery) => delivery,
        Err(failed) => {
            if let Ok(pending) = courier.writer.post(Posting::Drop(vec![errand])) {
                let _ = pending.await;
            }
            return Err(failed);
        }
    };
    let id = delivery.capture;
    let pending = courier.store(delivery).map_err(|why| (id, why))?;
    let stored = pending.await.unwrap_or_else(|_| Err(Failure::new("storing a delivery", "the store is closed")));
    stored.map_err(|why| (id, why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        record::{BatchId, Timestamp},
        verify::Secret,
    };

    fn kept(aim: &Aim) -> Batch {
        Batch { id: BatchId(1), at: Timestamp::from_unix_ms(0), total: 1, left: 1, spec: spec(aim) }
    }

    #[test]
    fn a_batch_is_continued_as_it_was_begun_and_keeps_no_secret() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let edit = Edit {
            set: vec![pair("a.b", "1")],
            headers: vec![pair("X-Mine", "2")],
            dropped: vec!["X-Old".into()],
            resign: true,
            ..Edit::default()
        };
        let aim = Aim { to: Some("staging".into()), append_path: true, insecure: true, edit };
        let again = continued(&kept(&aim), &Aim::default()).unwrap();
        assert_eq!((again.to, again.append_path, again.insecure), (aim.to.clone(), true, true));
        assert_eq!((&again.edit.set, &again.edit.headers), (&aim.edit.set, &aim.edit.headers));
        assert_eq!((&again.edit.dropped, again.edit.resign), (&aim.edit.dropped, true));

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
