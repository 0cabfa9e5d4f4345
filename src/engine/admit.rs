//! From the wire to the store: what arrives is judged, stored, and only then answered.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::endpoint::{Endpoint, Endpoints};
use crate::{
    record::{Body, Capture, CaptureId, Event, Failure, Judgement, Refusal, Uid},
    store::{Stored, Writer},
    verify::{self, Catalog, Provider},
    wire::{Answer, Arrival, Catch},
};

/// How long a sender should wait before it tries again, in seconds, when creel could not keep its request.
const RETRY_AFTER_S: &str = "1";

/// The one who catches: what `wire` calls for every request.
#[derive(Clone)]
pub(super) struct Catcher {
    inner: Arc<Inner>,
}

struct Inner {
    writer: Writer,
    endpoints: Endpoints,
    catalog: &'static Catalog,
    /// The high part of every uid's chance, drawn once a process, and a count below it.
    chance: u128,
    count: AtomicU64,
}

impl Catcher {
    pub(super) fn new(writer: Writer, endpoints: Endpoints) -> Result<Self, Failure> {
        let catalog = Catalog::builtin()?;
        let inner = Inner { writer, endpoints, catalog, chance: chance()?, count: AtomicU64::new(0) };
        Ok(Self { inner: Arc::new(inner) })
    }
}

/// 80 bits of chance, the low 24 of them left for a count.
fn chance() -> Result<u128, Failure> {
    let mut bytes = [0; 16];
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes)
        .map_err(|_| Failure::new("drawing a random number", "the system has none"))?;
    Ok(u128::from_ne_bytes(bytes) & !0xff_ffff)
}

impl Catch for Catcher {
    async fn catch(&self, arrival: Arrival) -> Answer {
        let decided = arrival.decided;
        let (capture, endpoint) = self.inner.capture(arrival);
        let stored = match self.inner.writer.capture(capture) {
            Ok(pending) => {
                pending.await.unwrap_or_else(|_| Err(Failure::new("keeping a request", "the store is closed")))
            }
            Err(full) => Err(Failure::new("keeping a request", full)),
        };
        match stored {
            Ok(Stored { id, .. }) => caught(id, decided, &endpoint),
            Err(_) => unavailable(),
        }
    }

    fn refuse(&self, refusal: Refusal) {
        // A full queue counts what it drops; the sender was refused either way.
        let _ = self.inner.writer.refuse(refusal);
    }
}

impl Inner {
    fn capture(&self, arrival: Arrival) -> (Capture, Arc<Endpoint>) {
        let endpoint = Arc::clone(self.endpoints.route(&arrival.head.path()));
        let method = arrival.head.method();
        let request = verify::Request {
            method: &method,
            url: endpoint.url.as_deref(),
            target: arrival.head.target(),
            headers: arrival.head.headers(),
            body: &arrival.body,
            truncated: arrival.truncated,
            received_at: arrival.received_at,
        };
        let provider = self.provider(&endpoint, &request);
        let (judgement, event) = judge(provider, &request, &endpoint);
        let provider = provider.map(|p| p.name().to_owned());
        let sha256 = verify::sha256(&arrival.body);
        drop(method);
        let capture = Capture {
            id: CaptureId::default(),
            uid: self.uid(&arrival),
            received_at: arrival.received_at,
            endpoint: endpoint.name.clone(),
            peer: arrival.peer.to_string(),
            head: arrival.head,
            body: Body {
                size: arrival.body.len() as u64,
                sha256,
                declared: arrival.declared,
                truncated: arrival.truncated,
                bytes: arrival.body,
            },
            trailers: arrival.trailers,
            flags: arrival.flags,
            provider,
            event,
            judgement,
            duplicate_of: None,
            reply_status: arrival.decided.unwrap_or(endpoint.respond.status),
        };
        (capture, endpoint)
    }

    fn provider(&self, endpoint: &Endpoint, request: &verify::Request<'_>) -> Option<&'static Provider> {
        match &endpoint.provider {
            Some(name) => self.catalog.get(name),
            None => self.catalog.detect(request),
        }
    }

    fn uid(&self, arrival: &Arrival) -> Uid {
        let count = u128::from(self.count.fetch_add(1, Ordering::Relaxed)) & 0xff_ffff;
        Uid::new(arrival.received_at, self.chance | count)
    }
}

/// What the catalog says of a request. Shared with `creel verify`.
pub(super) fn judge(
    provider: Option<&Provider>,
    request: &verify::Request<'_>,
    endpoint: &Endpoint,
) -> (Judgement, Event) {
    match provider {
        Some(provider) => (provider.judge(request, &endpoint.secrets), provider.event(request)),
        None => (Judgement::default(), Event::default()),
    }
}

/// The answer after the commit.
fn caught(id: CaptureId, decided: Option<u16>, endpoint: &Endpoint) -> Answer {
    let number = ("Creel-Id".to_owned(), id.to_string());
    if let Some(status) = decided {
        let body = format!("{{\"caught\":{id},\"refused\":{status}}}");
        return Answer { status, headers: vec![json(), number], body: body.into() };
    }
    let respond = &endpoint.respond;
    let kind = ("Content-Type".to_owned(), respond.content_type.clone());
    let body = respond.body.clone().unwrap_or_else(|| format!("{{\"caught\":{id}}}"));
    Answer { status: respond.status, headers: vec![kind, number], body: body.into() }
}

/// The answer where nothing could be kept: the sender should try again.
fn unavailable() -> Answer {
    let later = ("Retry-After".to_owned(), RETRY_AFTER_S.to_owned());
    Answer { status: 503, headers: vec![json(), later], body: "{\"caught\":null}".into() }
}

fn json() -> (String, String) {
    ("Content-Type".to_owned(), "application/json".to_owned())
}
