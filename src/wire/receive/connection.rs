//! One connection, from its first byte to its last.

use std::{borrow::Cow, error::Error as _, future, io, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
};

use super::{
    Catch, Limits,
    crowd::Crowd,
    limits::REFUSED_BYTES,
    malformed::{malformed, too_large},
    recorder::{Record, Recorder},
    reply::{BAD, SLOW_HEAD, refusal, slow_head},
    request::Exchange,
    tls::{Identity, Welcome, not_agreed},
};

/// What an HTTP/2 client sends first (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// What is said to a plain request where TLS is spoken.
const PLAIN_TO_TLS: &str = "This port speaks HTTPS: write https:// in place of http";
/// Why a head is not waited for.
const STOPPED: &str = "creel was stopped before the head was whole";
/// How long a request may still come on an HTTP/2 connection whose sender was told to send no more.
const LAST_REQUEST: Duration = Duration::from_secs(1);
/// The most requests at once on one HTTP/2 connection.
const STREAMS: u32 = 200;
/// How many times as large as is taken a head of HTTP/2 is read, to be refused by creel and listed: a larger one h2 refuses by
/// itself, and tells nobody.
const HEARD_HEADS: usize = 2;

/// What bytes come and go by.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for S {}

/// What a connection needs.
pub(super) struct Connection<C> {
    pub(super) peer: SocketAddr,
    pub(super) limits: Arc<Limits>,
    pub(super) crowd: Crowd,
    pub(super) catch: C,
    pub(super) stopped: watch::Receiver<bool>,
    pub(super) identity: Option<Identity>,
}

/// What the first bytes look like.
enum Opening {
    Http1,
    Http2,
    /// No HTTP at all; what it looks like.
    Other(&'static str),
    /// Nothing came.
    Silence,
    /// A head began and did not go on.
    Slow,
}

impl<C: Catch> Connection<C> {
    /// Takes a connection, through TLS where the server has an identity.
    pub(super) async fn welcome(mut self, stream: TcpStream) {
        // Answers are small and whole; there is nothing to wait for.
        let _ = stream.set_nodelay(true);
        let Some(identity) = self.identity.take() else { return self.serve(stream).await };
        let mut stopped = self.stopped.clone();
        let secured = tokio::select! {
            biased;
            secured = self.secured(stream, identity) => secured,
            // Nothing was asked yet, so that nothing is lost.
            () = asked_to_stop(&mut stopped) => None,
        };
        if let Some(stream) = secured {
            self.serve(stream).await;
        }
    }

    /// Agrees on TLS. None where that fails, which is told.
    async fn secured(&self, mut stream: TcpStream, identity: Identity) -> Option<impl Stream> {
        let limit = self.limits.head_time;
        match tokio::time::timeout(limit, identity.accept(&mut stream)).await.unwrap_or(Welcome::Silence) {
            Welcome::Secure(accept) => match tokio::time::timeout(limit, accept.stream(stream)).await {
                Ok(Ok(stream)) => return Some(stream),
                Ok(Err(why)) => self.refuse(None, not_agreed(&why), b""),
                Err(_) => self.refuse(None, "slow TLS", b""),
            },
            Welcome::Plain(first) => {
                let _ = stream.write_all(&refusal(BAD, PLAIN_TO_TLS)).await;
                self.refuse(Some(400), "plain HTTP to the HTTPS port: write https:// in the URL", &first);
            }
            Welcome::Silence => {}
        }
        None
    }

    async fn serve(mut self, mut stream: impl Stream) {
        let mut first = BytesMut::with_capacity(4096);
        match self.opening(&mut stream, &mut first).await {
            Opening::Http1 => self.http1(stream, first.freeze()).await,
            Opening::Http2 => self.http2(stream, first.freeze()).await,
            Opening::Other(reason) => {
                let _ = stream.write_all(&refusal(BAD, reason)).await;
                self.refuse(Some(400), reason, &first);
            }
            Opening::Silence => {}
            Opening::Slow => self.refuse(Some(408), SLOW_HEAD, &first),
        }
    }

    fn refuse(&self, status: Option<u16>, reason: impl Into<Cow<'static, str>>, head: &[u8]) {
        self.crowd.refuse(&self.catch, self.peer, status, reason, head[..head.len().min(REFUSED_BYTES)].to_vec());
    }

    /// Reads until it is clear what this is.
    async fn opening(&mut self, stream: &mut impl Stream, first: &mut BytesMut) -> Opening {
        let head_time = self.limits.head_time;
        loop {
            let read = tokio::select! {
                biased;
                read = tokio::time::timeout(head_time, stream.read_buf(first)) => read,
                () = asked_to_stop(&mut self.stopped) => return Opening::Silence,
            };
            match read {
                Ok(Ok(0) | Err(_)) | Err(_) if first.is_empty() => return Opening::Silence,
                Ok(Ok(0) | Err(_)) => return look(first).unwrap_or(Opening::Http1),
                Err(_) => {
                    let _ = stream.write_all(&slow_head()).await;
                    return Opening::Slow;
                }
                Ok(Ok(_)) => {}
            }
            if let Some(opening) = look(first) {
                return opening;
            }
        }
    }

    async fn http1(mut self, stream: impl Stream, first: Bytes) {
        let recorder = Recorder::new(stream, first, Arc::clone(&self.limits));
        let record = recorder.record();
        let exchange = self.exchange(Some(record.clone()));
        let service = service_fn(move |request: hyper::Request<Incoming>| exchange.clone().answer(request));
        let mut builder = http1::Builder::new();
        builder.half_close(true).max_headers(self.limits.headers).max_header_size(self.limits.head_bytes);
        builder.max_buf_size(self.limits.read_bytes());
        let connection = builder.serve_connection(TokioIo::new(recorder), service);
        let over = asked_to_stop(&mut self.stopped);
        // hyper would wait for the rest of a first head; of one behind a request that was answered it does not.
        let given_up = async {
            if !record.is_but_begun() {
                future::pending::<()>().await;
            }
        };
        match to_its_end(connection, http1::Connection::graceful_shutdown, over, given_up).await {
            Ok(()) if record.is_but_begun() => self.refuse(None, STOPPED, &record.rest()),
            Ok(()) => {}
            Err(error) => self.refuse_head(&error, &record),
        }
    }

    /// Tells of a head that hyper refused. A connection that ends within a body or between requests is none.
    fn refuse_head(&self, error: &hyper::Error, record: &Record) {
        let rest = record.rest();
        let (status, reason) = if record.was_slow() {
            (Some(408), SLOW_HEAD.into())
        } else if error.is_parse_too_large() {
            (Some(431), too_large(&rest, &self.limits))
        } else if error.is_parse() {
            (Some(400), malformed(&rest))
        } else if error.is_incomplete_message() {
            (None, "the head ended early".into())
        } else {
            return;
        };
        if !rest.is_empty() {
            self.refuse(status, reason, &rest);
        }
    }

    async fn http2(mut self, stream: impl Stream, first: Bytes) {
        let recorder = Recorder::opaque(stream, first, Arc::clone(&self.limits));
        let (exchange, open) = (self.exchange(None), Arc::new(watch::Sender::new(0)));
        let (mut requests, mut left) = (open.subscribe(), open.subscribe());
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let (exchange, open) = (exchange.clone(), Open::new(&open));
            async move {
                let answer = exchange.answer(request).await;
                drop(open);
                answer
            }
        });
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .keep_alive_interval(Some(self.limits.keep_alive / 2))
            .keep_alive_timeout(self.limits.keep_alive / 2)
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(u32::try_from(self.limits.head_bytes * HEARD_HEADS).unwrap_or(u32::MAX));
        let connection = builder.serve_connection(TokioIo::new(recorder), service);
        // Its clock on the stream is wound by the answers to PING, too, which say nothing of requests.
        let over = async {
            tokio::select! {
                () = asked_to_stop(&mut self.stopped) => {}
                () = idle(&mut requests, self.limits.keep_alive) => {}
            }
        };
        // h2 would wait for an answer to its PING, which a sender that is gone does not give.
        let given_up = idle(&mut left, LAST_REQUEST);
        if let Err(error) = to_its_end(connection, http2::Connection::graceful_shutdown, over, given_up).await {
            self.refuse_frames(&error);
        }
    }

    /// Tells of frames that h2 could not take. A connection that breaks is none.
    fn refuse_frames(&self, error: &hyper::Error) {
        if let Some(cause) = error.source().filter(|cause| !cause.is::<io::Error>()) {
            let cause = cause.to_string();
            let words = cause.strip_prefix("connection error detected: ").unwrap_or(&cause);
            self.refuse(None, format!("malformed HTTP/2: {words}"), b"");
        }
    }

    fn exchange(&self, record: Option<Record>) -> Exchange<C> {
        Exchange {
            peer: self.peer,
            limits: Arc::clone(&self.limits),
            crowd: self.crowd.clone(),
            catch: self.catch.clone(),
            record,
        }
    }
}

/// A request that is open on an HTTP/2 connection, until this is dropped.
struct Open(Arc<watch::Sender<usize>>);

impl Open {
    fn new(all: &Arc<watch::Sender<usize>>) -> Self {
        all.send_modify(|open| *open += 1);
        Self(Arc::clone(all))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open -= 1);
    }
}

/// Waits until no request has been open for so long.
async fn idle(requests: &mut watch::Receiver<usize>, limit: Duration) {
    while requests.wait_for(|&open| open == 0).await.is_ok() {
        if tokio::time::timeout(limit, requests.changed()).await.is_err() {
            return;
        }
    }
}

/// Drives a connection to its end; once that is `over`, to the end of what is in flight, or until that is `given_up`.
async fn to_its_end<T: Future<Output = hyper::Result<()>>>(
    connection: T,
    finish: impl FnOnce(Pin<&mut T>),
    over: impl Future<Output = ()>,
    given_up: impl Future<Output = ()>,
) -> hyper::Result<()> {
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        biased;
        ended = connection.as_mut() => return ended,
        () = over => {}
    }
    finish(connection.as_mut());
    tokio::select! {
        biased;
        ended = connection => ended,
        () = given_up => Ok(()),
    }
}

/// Waits until the server is asked to stop.
async fn asked_to_stop(stopped: &mut watch::Receiver<bool>) {
    drop(stopped.wait_for(|&stop| stop).await);
}

/// What bytes begin; none where more are needed to tell.
fn look(first: &[u8]) -> Option<Opening> {
    if first.starts_with(PREFACE) {
        return Some(Opening::Http2);
    }
    if PREFACE.starts_with(first) {
        return None;
    }
    // A TLS record: handshake, version 3.x (RFC 8446, section 5.1).
    if matches!(first, [0x16, 3, ..]) {
        return Some(Opening::Other("not HTTP: looks like TLS; write http://, or start creel with --tls"));
    }
    if first.starts_with(b"SSH-") {
        return Some(Opening::Other("not HTTP: looks like SSH"));
    }
    let start = first.iter().find(|b| !matches!(b, b'\r' | b'\n'))?;
    if start.is_ascii_graphic() { Some(Opening::Http1) } else { Some(Opening::Other("not HTTP: no method")) }
}
