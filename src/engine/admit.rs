//! From the wire to the store: what arrives is judged, stored, and only then answered.

use std::{
    borrow::Cow,
    net::{IpAddr, SocketAddr},
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

use tokio::task::JoinHandle;

use super::{
    catalog::Providers,
    endpoint::{Endpoint, Endpoints},
    forward::{self, News, Post},
    guard::{self, Networks},
    keeping::Keeping,
    respond::{Ear, Plan},
    tunnel::Outlook,
};
use crate::{
    record::{
        Body, Capture, Event, Explanation, Failure, Fault, Flag, Handshake, Head, Headers, Judgement, Peer, Refusal,
        Uid, Verdict,
    },
    store::{Full, Onward, Pending, Reader, Stored, Writer},
    verify::{self, Asked, Budget, Catalog, Provider, Secret, Suspect},
    wire::{Answer, Arrival, Catch, Entry, Shut},
};

/// How long a sender should wait before it tries again, in seconds, when creel could not keep its request.
const RETRY_AFTER_S: &str = "1";
/// What a strict endpoint answers to what does not pass its check.
const UNPROVEN_STATUS: u16 = 401;

/// The one who catches: what `wire` calls for every request. By which rules may change while it does: a request is caught by
/// those that were in force when it came.
#[derive(Clone)]
pub(super) struct Catcher {
    inner: Arc<RwLock<Arc<Inner>>>,
}

struct Inner {
    writer: Writer,
    endpoints: Endpoints,
    catalog: Providers,
    /// Hands on what is forwarded; none: nothing is.
    post: Option<Post>,
    /// The high part of every uid's chance, drawn once a process, and a count below it.
    chance: u128,
    count: AtomicU64,
    /// Whether the doctor is at work.
    examining: AtomicBool,
    /// Whether any endpoint has a guard.
    is_guarded: bool,
    trusted_proxies: Networks,
    ear: Ear,
    tunnel: Option<Outlook>,
    keeping: Arc<Keeping>,
}

impl Catcher {
    pub(super) fn new(
        writer: Writer,
        endpoints: Endpoints,
        trusted_proxies: Networks,
        reader: Reader,
        tunnel: Option<Outlook>,
        post: Option<Post>,
        news: News,
    ) -> Result<Self, Failure> {
        let inner = Inner {
            writer,
            is_guarded: is_guarded(&endpoints),
            endpoints,
            catalog: super::catalog()?,
            post,
            chance: chance()?,
            count: AtomicU64::new(0),
            examining: AtomicBool::new(false),
            trusted_proxies,
            ear: Ear::new(reader),
            tunnel,
            keeping: Arc::new(Keeping::new(news)),
        };
        Ok(Self { inner: Arc::new(RwLock::new(Arc::new(inner))) })
    }

    /// Catches by other rules from now on.
    pub(super) fn follow(
        &self,
        endpoints: Endpoints,
        catalog: Providers,
        trusted_proxies: Networks,
        reader: Reader,
        post: Option<Post>,
    ) -> Result<(), Failure> {
        let now = self.inner();
        let inner = Inner {
            is_guarded: is_guarded(&endpoints),
            endpoints,
            trusted_proxies,
            post,
            // What an endpoint was told to answer is laid over the new ones too.
            ear: Ear::new(reader),
            // With a chance of their own no two numbers are the same.
            chance: chance()?,
            count: AtomicU64::new(0),
            examining: AtomicBool::new(false),
            writer: now.writer.clone(),
            catalog,
            tunnel: now.tunnel.clone(),
            keeping: Arc::clone(&now.keeping),
        };
        *self.inner.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(inner);
        Ok(())
    }

    fn inner(&self) -> Arc<Inner> {
        Arc::clone(&self.inner.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether any endpoint has a guard.
fn is_guarded(endpoints: &Endpoints) -> bool {
    endpoints.iter().any(|endpoint| endpoint.guard.is_some())
}

/// 80 bits of chance, the low 24 of them left for a count.
pub(super) fn chance() -> Result<u128, Failure> {
    let mut bytes = [0; 16];
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes)
        .map_err(|_| Failure::new("drawing a random number", "the system has none"))?;
    Ok(u128::from_ne_bytes(bytes) & !0xff_ffff)
}

impl Catch for Catcher {
    fn catch(&self, arrival: Arrival) -> impl Future<Output = Answer> + Send + use<> {
        let inner = self.inner();
        inner.ear.listen(arrival.received_at, &inner.endpoints);
        let Taken { capture, endpoint, plan } = inner.take(arrival);
        let lanes = inner.lanes(&capture, &endpoint, plan.is_own());
        let asks_for_the_head = capture.head.method() == "HEAD";
        let (storing, heard) = inner.keep(capture, &endpoint, lanes);
        let keeping = Arc::clone(&inner.keeping);
        // What goes wrong on purpose goes wrong whatever the app says.
        let heard = heard.filter(|_| !plan.is_faulted());
        async move {
            let stored = storing.stored().await;
            keeping.hear(&stored);
            if let (Ok(Stored { id, .. }), Some(heard)) = (&stored, heard)
                && let Ok(outcome) = heard.await
            {
                return forward::answered(*id, outcome, asks_for_the_head);
            }
            match stored {
                Ok(Stored { id, .. }) => plan.answer(id),
                Err(_) => unavailable(),
            }
        }
    }

    fn guard(&self, peer: SocketAddr, head: &Head) -> Entry {
        let inner = self.inner();
        if inner.is_guarded { inner.entry(peer, head) } else { Entry::Open(None) }
    }

    fn refuse(&self, refusal: Refusal) {
        let inner = self.inner();
        let says_more = !inner.trusted_proxies.is_empty() && !refusal.head.is_empty();
        let end = refusal.peer.parse().ok().filter(|_| says_more);
        let peer = end.map(|end| inner.peer(end, &Head::parse(refusal.head.clone().into())));
        let refusal = Refusal { peer: peer.unwrap_or(refusal.peer), ..refusal };
        // A full queue counts what it drops; the sender was refused either way.
        let _ = inner.writer.refuse(refusal);
    }
}

/// A request, judged.
struct Taken {
    capture: Box<Capture>,
    endpoint: Arc<Endpoint>,
    /// What is answered once it is stored.
    plan: Plan,
}

/// Whether a header came more than once, and not with the same value.
fn comes_with_several_values(headers: &Headers, name: &str) -> bool {
    let mut values = headers.get_all(name);
    let first = values.next();
    values.any(|value| Some(value) != first)
}

/// A capture on its way into the store.
enum Storing {
    /// It waits for its commit, where the queue had room.
    Queued(Result<Pending<Stored>, Full>),
    /// The doctor looks at it first.
    Examined(JoinHandle<Result<Pending<Stored>, Full>>),
}

impl Storing {
    async fn stored(self) -> Result<Stored, Failure> {
        let pending = match self {
            Self::Queued(pending) => pending,
            Self::Examined(examined) => {
                examined.await.map_err(|_| Failure::new("examining a request", "its thread died"))?
            }
        };
        let pending = pending.map_err(|full| Failure::new("keeping a request", full))?;
        pending.await.unwrap_or_else(|_| Err(Failure::new("keeping a request", "the store is closed")))
    }
}

/// Given back when the doctor is free again.
struct Turn(Arc<Inner>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.examining.store(false, Ordering::Release);
    }
}

impl Inner {
    /// What the endpoint's guard says to a head.
    fn entry(&self, peer: SocketAddr, head: &Head) -> Entry {
        let endpoint = self.endpoints.route(&head.path());
        let Some(guard) = &endpoint.guard else { return Entry::Open(None) };
        match guard.entry(&guard::forwarded(peer.ip(), head, &self.trusted_proxies), head, Instant::now()) {
            Entry::Shut(shut) => Entry::Shut(Shut { reason: format!("{}: {}", endpoint.name, shut.reason), ..shut }),
            open @ Entry::Open(_) => open,
        }
    }

    /// Who something came from: the other end, and whom that speaks for, where it is a trusted proxy.
    fn peer(&self, end: SocketAddr, head: &Head) -> String {
        if self.trusted_proxies.is_empty() {
            return end.to_string();
        }
        let (own, end) = (end.ip().to_canonical(), end.to_string());
        let senders = guard::forwarded(own, head, &self.trusted_proxies);
        let senders: Vec<_> = senders.iter().filter(|sender| **sender != own).map(IpAddr::to_string).collect();
        Peer { forwarded_for: senders.iter().map(String::as_str).collect(), end: &end }.to_string()
    }

    fn take(&self, arrival: Arrival) -> Taken {
        let endpoint = Arc::clone(self.endpoints.route(&arrival.head.path()));
        let method = arrival.head.method();
        let url = self.url(&endpoint);
        let request = verify::Request {
            method: &method,
            url: url.as_deref(),
            target: arrival.head.target(),
            headers: arrival.head.headers(),
            body: &arrival.body,
            truncated: arrival.truncated,
            rewritten: false,
            received_at: arrival.received_at,
        };
        let provider = self.provider(&endpoint, &request);
        let secrets = endpoint.known_secrets();
        let (mut judgement, event) = judge(&self.catalog, provider, &request, &secrets, &endpoint.unset);
        if let Some(provider) = provider {
            endpoint.proven.note(provider, judgement.verdict);
        }
        if let Some(Cow::Owned(url)) = &url {
            judgement.url = Some(url.clone());
        }
        let asked = provider.filter(|_| endpoint.handshake && arrival.decided.is_none()).and_then(|provider| {
            if let Some(secret) = provider.learned(&request) {
                endpoint.learn(secret);
            }
            provider.handshake(&request, &secrets, judgement.verdict, endpoint.verify_token.as_ref())
        });
        let mut flags = arrival.flags;
        let place = judgement.evidence.as_ref().map(|evidence| &evidence.place[..]);
        if place.is_some_and(|place| comes_with_several_values(request.headers, place)) {
            flags.insert(Flag::SeveralSignatures);
        }
        let came_back = self.post.as_ref().is_some_and(|post| post.has_come_back(&arrival.head));
        if came_back {
            flags.insert(Flag::CameBack);
        }
        let answer = asked.and_then(|asked| {
            flags.insert(Flag::Handshake);
            let (handshake, answer) = told(asked);
            judgement.handshake = Some(handshake);
            answer
        });
        let answer = answer.or_else(|| came_back.then(in_a_ring));
        let provider = provider.map(|p| p.name().to_owned());
        let sha256 = verify::sha256(&arrival.body);
        drop(method);
        let peer = self.peer(arrival.peer, &arrival.head);
        let uid = self.uid(&arrival);
        let (declared, truncated) = (arrival.declared, arrival.truncated);
        let body = Body { declared, truncated, ..Body::whole(arrival.body, sha256) };
        let mut capture = Box::new(Capture {
            endpoint: endpoint.name.clone(),
            peer,
            trailers: arrival.trailers,
            flags,
            provider,
            event,
            judgement,
            ..Capture::new(uid, arrival.received_at, arrival.head, body)
        });
        let plan = match (arrival.decided, answer) {
            (Some(status), _) => Plan::refusal(status),
            (None, Some(answer)) => Plan::handshake(answer),
            (None, None) if endpoint.strict && capture.judgement.verdict != Verdict::Passed => {
                Plan::refusal(UNPROVEN_STATUS)
            }
            (None, None) => endpoint.respond.plan(&capture),
        };
        plan.mark(&mut capture.flags);
        capture.reply_status = plan.status;
        Taken { capture, endpoint, plan }
    }

    /// Keeps a capture. What is forwarded is handed on even where the sender leaves meanwhile.
    fn keep(
        self: &Arc<Self>,
        capture: Box<Capture>,
        endpoint: &Arc<Endpoint>,
        lanes: Vec<Arc<str>>,
    ) -> (Storing, Option<forward::Heard>) {
        let post = self.post.as_ref().filter(|_| !lanes.is_empty());
        let (onward, heard) = post.map(|post| post.begin(endpoint, &capture, lanes)).unzip();
        (self.store(capture, endpoint, onward), heard.flatten())
    }

    fn store(self: &Arc<Self>, capture: Box<Capture>, endpoint: &Arc<Endpoint>, onward: Option<Onward>) -> Storing {
        let Some(turn) = self.doctor(&capture) else {
            return Storing::Queued(self.writer.capture_and_forward(capture, onward));
        };
        // It goes on to the store even where the sender leaves while it is examined.
        let (inner, endpoint) = (Arc::clone(self), Arc::clone(endpoint));
        Storing::Examined(tokio::task::spawn_blocking(move || {
            let examined = treated(*capture, |capture| inner.examined(capture, &endpoint));
            let pending = inner.writer.capture_and_forward(examined, onward);
            drop(turn);
            pending
        }))
    }

    /// The lanes in which a capture is forwarded. `is_answered`: by the wire, or as a handshake; it is nothing for an app.
    fn lanes(&self, capture: &Capture, endpoint: &Endpoint, is_answered: bool) -> Vec<Arc<str>> {
        let forwards = self.post.is_some() && !is_answered;
        if forwards { Post::lanes(endpoint, capture) } else { Vec::new() }
    }

    /// The doctor's turn, where the capture is a case and the doctor is free. A flood of wrong signatures is examined as
    /// far as one thread gets; the others are examined when somebody asks (`creel verify ID`).
    fn doctor(self: &Arc<Self>, capture: &Capture) -> Option<Turn> {
        let is_free = || !self.examining.swap(true, Ordering::Acquire);
        (is_case(&capture.judgement) && is_free()).then(|| Turn(Arc::clone(self)))
    }

    /// The capture with what the doctor says.
    fn examined(&self, mut capture: Capture, endpoint: &Endpoint) -> Capture {
        let Some(provider) = capture.provider.as_deref().and_then(|name| self.catalog.get(name)) else {
            return capture;
        };
        let mut judgement = std::mem::take(&mut capture.judgement);
        let (method, url) = (capture.head.method(), endpoint.url.clone().or_else(|| judgement.url.clone()));
        let (request, secrets) = (verify::Request::of(&capture, &method, url.as_deref()), endpoint.known_secrets());
        examine(&self.catalog, provider, &request, &secrets, &self.endpoints, &endpoint.name, &mut judgement);
        drop(method);
        Capture { judgement, ..capture }
    }

    /// The URL as the sender knows it: the endpoint's, else the one that the tunnel leads from.
    fn url<'e>(&self, endpoint: &'e Endpoint) -> Option<Cow<'e, str>> {
        let tunnel = || Some(Cow::Owned(self.tunnel.as_ref()?.url()?));
        endpoint.url.as_deref().map(Cow::Borrowed).or_else(tunnel)
    }

    fn provider(&self, endpoint: &Endpoint, request: &verify::Request<'_>) -> Option<&Provider> {
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

/// What the catalog says of a request. `unset`: where further secrets should have come from, and did not.
pub(super) fn judge(
    catalog: &Catalog,
    provider: Option<&Provider>,
    request: &verify::Request<'_>,
    secrets: &[Secret],
    unset: &[String],
) -> (Judgement, Event) {
    let Some(provider) = provider else { return (Judgement::default(), Event::default()) };
    let mut judgement = provider.judge(request, secrets);
    if let (Some(Fault::SecretMissing), Some(source), Some(why)) =
        (judgement.fault, unset.first(), &mut judgement.explanation)
    {
        why.text = format!(
            "{}'s signature was not checked: {source}, which is to hold the secret, was not set when creel started. Export \
             it, and start creel again.",
            provider.title()
        );
    }
    if judgement.verdict != Verdict::Passed
        && let Some(explanation) = &mut judgement.explanation
        && let Some(other) = looks_like_anothers(catalog, provider, request)
    {
        let (title, name) = (other.title(), other.name());
        explanation.text.push_str(&format!(" But it looks like {title}'s: is `provider = \"{name}\"` meant?"));
    }
    (judgement, provider.event(request))
}

/// Whose marks a request bears that has none of those of the provider it should be of.
fn looks_like_anothers<'c>(
    catalog: &'c Catalog,
    provider: &Provider,
    request: &verify::Request<'_>,
) -> Option<&'c Provider> {
    let other = catalog.detect(request)?;
    (!provider.has_marks(request)).then_some(other)
}

/// Whether there is something for the doctor to find out.
fn is_case(judgement: &Judgement) -> bool {
    let fault = matches!(judgement.fault, Some(Fault::Mismatch | Fault::Malformed | Fault::HeaderMissing));
    judgement.verdict == Verdict::Failed && fault
}

/// A capture as the doctor leaves it; where the doctor fails, as it was: it is kept all the same.
fn treated(capture: Capture, doctor: impl FnOnce(Capture) -> Capture) -> Capture {
    let before = capture.clone();
    panic::catch_unwind(AssertUnwindSafe(|| doctor(capture))).unwrap_or(before)
}

/// Puts what the doctor finds into a judgement that did not pass: the proof where there is one, else how far the search
/// went. `endpoint` is the request's own, whose secrets are `secrets`; those of the others are tried too.
pub(super) fn examine(
    catalog: &Catalog,
    provider: &Provider,
    request: &verify::Request<'_>,
    secrets: &[Secret],
    endpoints: &Endpoints,
    endpoint: &str,
    judgement: &mut Judgement,
) {
    if !is_case(judgement) {
        return;
    }
    let others: Vec<_> = endpoints.iter().filter(|other| other.name != endpoint && !other.secrets.is_empty()).collect();
    let suspects: Vec<_> =
        others.iter().map(|other| Suspect { endpoint: &other.name, secrets: &other.secrets }).collect();
    let began = Instant::now();
    let clock = || u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let found = catalog.diagnose(provider, request, secrets, &suspects, Budget::default(), &clock);
    let is_proven = endpoints.named(endpoint).is_some_and(|endpoint| endpoint.proven.has(provider.name()));
    let found = if is_proven { found.with_a_proven_secret() } else { found };
    let before = judgement.explanation.as_ref().map_or("", |explanation| &explanation.text);
    // What is missing or malformed says more than a search that found nothing.
    let is_said = found.by.is_none() && judgement.fault != Some(Fault::Mismatch);
    let text = if is_said { before.to_owned() } else { found.text };
    judgement.explanation = Some(Explanation { by: found.by.map(str::to_owned), text, tried: found.tried });
    if let Some(evidence) = &mut judgement.evidence {
        evidence.difference = found.difference;
    }
}

/// A handshake as it is kept, and its answer.
pub(super) fn told(asked: Asked) -> (Handshake, Option<verify::Answer>) {
    match asked {
        Asked::Answered(answer) => {
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            (Handshake { about: answer.about.clone(), answer: Some(body), show: answer.show.clone() }, Some(answer))
        }
        Asked::Unanswerable(why) => (Handshake { about: why, answer: None, show: None }, None),
    }
}

/// The answer to what this creel has forwarded itself: whoever sent it here must not send it again.
fn in_a_ring() -> verify::Answer {
    let headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
    let body = "{\"error\":\"creel has forwarded this before: it runs in a ring\"}".into();
    verify::Answer { about: String::new(), status: 508, headers, body, show: None }
}

/// The answer where nothing could be kept: the sender should try again.
fn unavailable() -> Answer {
    let later = ("Retry-After".to_owned(), RETRY_AFTER_S.into());
    let json = ("Content-Type".to_owned(), b"application/json".to_vec());
    Answer::whole(503, vec![json, later], "{\"caught\":null}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Timestamp;

    #[test]
    fn what_waits_for_its_commit_is_small() {
        fn given<R>(_: fn(&Catcher, Arrival) -> R) -> usize {
            size_of::<R>()
        }
        // It waits in what hyper moves for each request.
        let size = given(Catcher::catch);
        assert!(size < 512, "{size}");
    }

    #[test]
    fn a_capture_at_which_the_doctor_fails_is_kept_as_it_was() {
        let body = Body::whole(bytes::Bytes::from_static(b"trout"), verify::sha256(b"trout"));
        let head = Head::parse("POST / HTTP/1.1\r\n\r\n".into());
        let capture = Capture::new(Uid(7), Timestamp::from_unix_ms(1), head, body);
        let renamed = |capture| Capture { endpoint: "examined".into(), ..capture };
        assert_eq!(treated(capture.clone(), renamed).endpoint, "examined");
        let kept = treated(capture, |capture| panic!("at {}", capture.uid));
        assert_eq!((kept.uid, &kept.body.bytes[..]), (Uid(7), &b"trout"[..]));
    }
}
