//! One request on a connection: its head is looked up, its body read, the catcher asked, the answer given.

use std::{
    future::poll_fn,
    net::SocketAddr,
    panic::{self, AssertUnwindSafe},
    pin::pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::{
    Method, Request, Response,
    body::{Body as _, Incoming},
    http::request::Parts,
};

use super::{
    Answer, Arrival, Catch, Entry, Form, Limits, Manner, Shut,
    body::{self, Kept},
    crowd::Crowd,
    limits::REFUSED_BYTES,
    malformed::too_large,
    recorder::Record,
    reply::{self, Abandoned, Reply},
    strict::{self, Ruling},
};
use crate::record::{Flag, Head, Headers, Refusal, Timestamp, Version};

/// Why a request is not believed of which nobody can say where it begins.
const AMBIGUOUS: &str = "ambiguous framing";
/// Why a request is not caught on which creel itself failed.
const FAILED: &str = "a part of creel failed on it, and says why on standard error";

/// What a request needs of its connection.
#[derive(Clone)]
pub(super) struct Exchange<C> {
    pub(super) peer: SocketAddr,
    pub(super) limits: Arc<Limits>,
    pub(super) crowd: Crowd,
    pub(super) catch: C,
    /// What was heard on the stream; none for HTTP/2.
    pub(super) record: Option<Record>,
}

/// A request that may come in.
struct Entered {
    head: Head,
    received_at: Timestamp,
    ruling: Ruling,
    /// The size that its sender declared.
    declared: Option<u64>,
    /// The largest body that is taken.
    most: usize,
}

impl<C: Catch> Exchange<C> {
    /// What is answered. This waits in the connection, one of a thousand, so that what need not wait is done before: hyper's
    /// parts of the head are gone by then, and so is all that the catcher makes of the request.
    pub(super) fn answer(
        self,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<Reply>, Abandoned>> + Send + use<C> {
        // In HTTP/1 hyper leaves the body out.
        let is_head_alone = self.record.is_none() && request.method() == Method::HEAD;
        let (parts, incoming) = request.into_parts();
        let entered = self.enter(&parts);
        drop(parts);
        async move {
            let answer = match entered {
                Ok(entered) => self.whole_answer(entered, incoming).await?,
                Err(refused) => *refused,
            };
            Ok(if is_head_alone { reply::head_of(answer) } else { answer })
        }
    }

    /// Looks at a head: the request comes in, or that is what it is told.
    fn enter(&self, parts: &Parts) -> Result<Entered, Box<Response<Reply>>> {
        let Some((head, received_at)) = self.head(parts) else {
            // The recorder and hyper disagree about where requests begin: neither is to be believed.
            self.crowd.refuse(&self.catch, self.peer, Some(400), AMBIGUOUS, Vec::new());
            return Err(Box::new(ambiguous()));
        };
        let turn_away = |shut| Err(Box::new(self.turn_away(shut, &head, received_at)));
        if self.record.is_none() && self.is_too_large(&head) {
            let (reason, headers) = (too_large(head.raw(), &self.limits).into_owned(), Vec::new());
            return turn_away(Shut { status: 431, reason, headers });
        }
        let most = match self.catch.guard(self.peer, &head) {
            Entry::Open(most) => most.unwrap_or(usize::MAX).min(self.limits.body_bytes),
            Entry::Shut(shut) => return turn_away(shut),
        };
        let declared = head.headers().text("content-length").and_then(|text| text.parse().ok());
        Ok(Entered { ruling: strict::rule(&head), head, received_at, declared, most })
    }

    async fn whole_answer(self, entered: Entered, incoming: Incoming) -> Result<Response<Reply>, Abandoned> {
        // Given back when the answer is: until then the body's bytes wait for their commit.
        let mut hold = self.crowd.hold();
        let kept = if entered.ruling.status.is_some() {
            Kept::unread(&incoming)
        } else {
            body::read(incoming, entered.declared, &self.limits, entered.most, &mut hold).await
        };
        let gone = kept.gone;
        let arrival = self.arrival(entered, kept);
        let (raw, received_at, decided) = (arrival.head.raw().clone(), arrival.received_at, arrival.decided);
        let answer = if gone {
            // hyper drops what it was doing when the connection ends; whether it could be kept is told all the same.
            tokio::spawn(unless_it_panics(&self.catch, arrival)).await.ok().flatten()
        } else {
            unless_it_panics(&self.catch, arrival).await
        };
        let answer = answer.unwrap_or_else(|| {
            self.refuse(FAILED.to_owned(), 500, &raw, received_at);
            Answer::whole(500, Vec::new(), Bytes::new())
        });
        drop(hold);
        let Manner { delay, form } = answer.manner;
        if !delay.is_zero() {
            self.crowd.wait(delay).await;
        }
        let status = decided.unwrap_or(answer.status);
        if form == Form::Closed {
            return Err(Abandoned);
        }
        Ok(reply::response(answer, status, decided.is_some() && self.record.is_some()))
    }

    /// A request, as far as it came.
    fn arrival(&self, entered: Entered, kept: Kept) -> Arrival {
        let Entered { head, received_at, ruling, declared, .. } = entered;
        let mut flags = ruling.flags;
        kept.flag.into_iter().for_each(|flag| flags.insert(flag));
        if !kept.trailers.is_empty() {
            flags.insert(Flag::Trailers);
        }
        Arrival {
            peer: self.peer,
            received_at,
            head,
            body: kept.bytes,
            declared,
            truncated: kept.truncated,
            trailers: kept.trailers,
            flags,
            decided: ruling.status.or(kept.status),
        }
    }

    /// Whether a head of HTTP/2 is larger than is taken; in HTTP/1 hyper refuses one.
    fn is_too_large(&self, head: &Head) -> bool {
        head.raw().len() > self.limits.head_bytes || head.headers().len() > self.limits.headers
    }

    /// Says to a request that it may not come in, and tells of it.
    fn turn_away(&self, shut: Shut, head: &Head, at: Timestamp) -> Response<Reply> {
        let Shut { status, reason, headers } = shut;
        self.refuse(reason, status, head.raw(), at);
        let body = format!("{{\"caught\":null,\"refused\":{status}}}");
        let headers = headers.into_iter().map(|(name, value)| (name, value.into_bytes())).collect();
        let answer = Answer::whole(status, headers, body);
        reply::response(answer, status, self.record.is_some())
    }

    /// Tells of a request that is not caught.
    fn refuse(&self, reason: String, status: u16, raw: &[u8], at: Timestamp) {
        let head = raw[..raw.len().min(REFUSED_BYTES)].to_vec();
        self.catch.refuse(Refusal { at, peer: self.peer.to_string(), status: Some(status), reason, head });
    }

    /// The head of this request, and when it was whole.
    fn head(&self, parts: &Parts) -> Option<(Head, Timestamp)> {
        let Some(record) = &self.record else { return Some((http2_head(parts), crate::wire::now())) };
        let (head, at) = record.take()?;
        let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
        let same = head.method() == parts.method.as_str()
            && (head.target().starts_with(target.as_bytes()) || parts.uri.authority().is_some());
        same.then_some((head, at))
    }
}

/// What the catcher answers; none where it panicked. One request must not take those along that share its connection.
fn unless_it_panics<C: Catch>(catch: &C, arrival: Arrival) -> impl Future<Output = Option<Answer>> + Send + use<C> {
    let caught = panic::catch_unwind(AssertUnwindSafe(|| catch.catch(arrival)));
    async move {
        let mut caught = pin!(caught.ok()?);
        let poll = |cx: &mut Context<'_>| {
            let polled = panic::catch_unwind(AssertUnwindSafe(|| caught.as_mut().poll(cx)));
            polled.map_or(Poll::Ready(None), |polled| polled.map(Some))
        };
        poll_fn(poll).await
    }
}

/// A head in the form of HTTP/1 for a request that never had one: the pseudo headers become the request line and, as
/// RFC 9113, section 8.3.1, has it, a `host`, unless the same was sent as one; the others follow as hyper gives them. Two
/// hosts that differ are two `host` lines, and are refused as such.
fn http2_head(parts: &Parts) -> Head {
    let mut headers = Headers::with_capacity(parts.headers.len() + 1);
    let sent_too = |authority: &str| parts.headers.get_all("host").iter().any(|host| host == authority);
    if let Some(authority) = parts.uri.authority().filter(|authority| !sent_too(authority.as_str())) {
        headers.push("host", authority.as_str());
    }
    for (name, value) in &parts.headers {
        headers.push(Bytes::copy_from_slice(name.as_str().as_bytes()), Bytes::copy_from_slice(value.as_bytes()));
    }
    let target = parts.uri.path_and_query().map_or("*", |target| target.as_str());
    Head::from_parts(parts.method.as_str(), target.as_bytes(), Version::Http2, &headers)
}

fn ambiguous() -> Response<Reply> {
    let kind = ("Content-Type".to_owned(), b"text/plain".to_vec());
    reply::response(Answer::whole(400, vec![kind], format!("{AMBIGUOUS}\n")), 400, true)
}

impl Kept {
    /// Nothing of a body, because its request is refused by its head.
    fn unread(incoming: &Incoming) -> Self {
        Self { truncated: !incoming.is_end_stream(), ..Self::default() }
    }
}
