//! From the store to an app: a capture is read, sent as it was caught, and what came of it is stored.

use std::path::PathBuf;

use super::{edit::Edit, endpoint::Endpoints};
use crate::{
    record::{CaptureId, Delivery, DeliveryId, Failure, Timestamp},
    store::{Bodies, Reader, Writer},
    wire::{self, Outgoing, PathRule, SendLimits},
};

/// Where and how to send.
#[derive(Clone, Debug, Default)]
pub struct Aim {
    /// The URL; none: the app of the capture's endpoint.
    pub to: Option<String>,
    /// Whether a certificate that nobody vouches for is good enough. For apps on the user's own machines.
    pub insecure: bool,
    /// What is changed of it on the way.
    pub edit: Edit,
}

/// Sends a capture and stores the outcome. A delivery that failed is an outcome too, not an error: errors are a capture
/// that is not there, an endpoint without an app, a store that cannot be written.
pub(super) async fn deliver(
    store: PathBuf,
    writer: Writer,
    endpoints: Endpoints,
    id: CaptureId,
    aim: Aim,
    now: fn() -> Timestamp,
) -> Result<Delivery, Failure> {
    let reader = Reader::open(&store)?;
    let capture = reader.capture(id, Bodies::Read)?.ok_or_else(|| no_such_capture(id))?;
    drop(reader);
    let to = match aim.to {
        Some(to) => to,
        None => app_of(&endpoints, &capture.endpoint)?,
    };
    let endpoint = endpoints.named(&capture.endpoint).unwrap_or_else(|| endpoints.route(&capture.head.path()));
    let edited = if aim.edit.transform.is_none() {
        aim.edit.apply(&capture, endpoint, super::catalog()?, &to)?
    } else {
        // It waits for a child process, and others are being delivered meanwhile.
        let (edit, endpoint, to, catalog) = (aim.edit, endpoint.clone(), to.clone(), super::catalog()?);
        let edited = tokio::task::spawn_blocking(move || edit.apply(&capture, &endpoint, catalog, &to));
        edited.await.map_err(|_| Failure::new("transforming by jq", "its thread died"))??
    };
    let started_at = now();
    let outgoing =
        Outgoing { head: edited.head, body: edited.body, to, path: PathRule::Replaced, insecure: aim.insecure };
    let sent = wire::send(outgoing, &SendLimits::default()).await;
    let delivery = Delivery {
        id: DeliveryId(0),
        capture: id,
        to: sent.to,
        started_at,
        took_ms: sent.took_ms,
        attempt: 0,
        receipt: edited.receipt.into_iter().chain(sent.receipt).collect(),
        outcome: sent.outcome,
        errand: None,
    };
    let pending = writer.deliver(delivery).map_err(|full| Failure::new("storing a delivery", full))?;
    pending.await.unwrap_or_else(|_| Err(Failure::new("storing a delivery", "the store is closed")))
}

fn app_of(endpoints: &Endpoints, name: &str) -> Result<String, Failure> {
    endpoints.named(name).and_then(|endpoint| endpoint.forward.clone()).ok_or_else(|| {
        Failure::new("resending", format!("the endpoint `{name}` has no app"))
            .hint("name one: --to URL, or `forward` in creel.toml")
    })
}

/// The failure for a number that is not, or no longer, in the store.
pub fn no_such_capture(id: CaptureId) -> Failure {
    Failure::new(format!("reading capture {id}"), "there is none").hint("`creel ls` lists what there is")
}
