//! From the store to an app: a capture is read, sent as it was caught, and what came of it is stored.

use super::{
    edit::{Edit, Edited},
    endpoint::{Endpoint, Endpoints},
    target::{Target, Targets},
};
use crate::{
    record::{Capture, CaptureId, Change, Delivery, DeliveryId, ErrandId, Failure, Next, Settlement},
    store::{Haste, Pending, Writer},
    wire::{self, Client, Outgoing, PathRule, SendLimits},
};

/// Where and how to send.
#[derive(Clone, Debug, Default)]
pub struct Aim {
    /// The URL, or the name of a target; none: the app of the capture's endpoint.
    pub to: Option<String>,
    /// Whether the captured path is appended to the URL's, in place of being replaced by it.
    pub append_path: bool,
    /// Whether a certificate that nobody vouches for is good enough. For apps on the user's own machines.
    pub insecure: bool,
    /// What is changed of it on the way.
    pub edit: Edit,
}

/// Who brings captures to apps when a person says so.
#[derive(Clone)]
pub(super) struct Courier {
    pub(super) writer: Writer,
    pub(super) endpoints: Endpoints,
    pub(super) targets: Targets,
    /// Connections that are kept for the next; none: each is closed after its request.
    pub(super) client: Option<Client>,
}

impl Courier {
    /// Sends a capture. A delivery that failed is an outcome, not an error: errors are an endpoint without an app, an edit
    /// that cannot be made.
    pub(super) async fn send(&self, capture: &Capture, aim: &Aim, errand: ErrandId) -> Result<Delivery, Failure> {
        let endpoint = self.endpoints.of_capture(capture);
        let to = self.target(endpoint, aim)?;
        let (resign, cloudevents) = (aim.edit.resign || to.resign, aim.edit.cloudevents || to.cloudevents);
        let edit = Edit { cloudevents, resign, ..aim.edit.clone() };
        let edited = edit.applied(capture, endpoint, (&to.url, to.path)).await?;
        let Edited { head, body, keep_host, receipt } = edited;
        let Target { url, insecure, path, .. } = to;
        let outgoing = Outgoing { head, body, to: url, path, insecure, keep_host };
        let (started_at, limits) = (super::now(), SendLimits::default());
        let sent = match &self.client {
            Some(client) => client.send(outgoing, &limits).await,
            None => wire::send(outgoing, &limits).await,
        };
        Ok(Delivery {
            id: DeliveryId(0),
            capture: capture.id,
            to: sent.to,
            started_at,
            took_ms: sent.took_ms,
            attempt: 0,
            receipt: receipt.into_iter().chain(sent.receipt).map(Change::concealed).collect(),
            outcome: sent.outcome,
            errand: Some(errand),
        })
    }

    /// Has a delivery stored, and its errand done with it.
    pub(super) fn store(
        &self,
        delivery: Delivery,
        errand: ErrandId,
        haste: Haste,
    ) -> Result<Pending<Delivery>, Failure> {
        let done = Settlement { errand, next: Next::Done, answered: None };
        self.writer.settle(delivery, done, haste).map_err(|full| Failure::new("storing a delivery", full))
    }

    fn target(&self, endpoint: &Endpoint, aim: &Aim) -> Result<Target, Failure> {
        let mut target = match &aim.to {
            Some(to) => self.targets.named(to)?,
            None => endpoint.app.clone().ok_or_else(|| no_app(&endpoint.name))?,
        };
        target.insecure |= aim.insecure;
        if aim.append_path {
            target.path = PathRule::Appended;
        }
        Ok(target)
    }
}

/// What to do where an endpoint has no app.
pub const NAME_APP: &str = "name one: --to URL, or `forward` in creel.toml";

/// What to do where a number is not in the store.
pub const LIST_CAPTURES: &str = "`creel ls` lists what there is";

fn no_app(endpoint: &str) -> Failure {
    Failure::new("resending", format!("the endpoint `{endpoint}` has no app")).hint(NAME_APP)
}

/// The failure for a number that is not, or no longer, in the store.
pub fn no_such_capture(id: CaptureId) -> Failure {
    Failure::new(format!("reading capture {id}"), "there is none").hint(LIST_CAPTURES)
}
