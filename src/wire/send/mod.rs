//! Sending a captured request, byte for byte but for what its receipt lists.
//!
//! hyper drives the connection; the stream it writes to replaces the head that hyper wrote by the captured one with the
//! receipt's changes, so that order, case and duplicates are the sender's. Redirects are not followed.

mod plan;
mod stream;
mod tls;
mod url;

use std::{
    error::Error as _,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::{Response, body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::timeout};

use self::{
    plan::Plan,
    stream::{Rewritten, Stream},
    url::Url,
};
use crate::record::{Change, Head, Headers, Outcome, Reply};

/// Scheme and host of a URL, with which a request keeps its own target. What is no URL stays as it is: sending says so.
pub fn origin(url: &str) -> String {
    Url::parse(url).map_or_else(|| url.to_owned(), |url| url.with(b""))
}

/// What to send, and where to.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The captured head.
    pub head: Head,
    /// The captured body.
    pub body: Bytes,
    /// The app's URL. Without a path the captured target is kept whole; with one, its path is replaced and its query kept.
    pub to: String,
    /// Whether a certificate that nobody vouches for is good enough.
    pub insecure: bool,
}

/// How long a connection may take to be made.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// How long all of it may take.
const TOTAL_TIME: Duration = Duration::from_secs(30);
/// How many bytes of a reply are kept.
const REPLY_BYTES: usize = 1 << 20;
/// The largest head of a reply, in bytes.
const REPLY_HEAD_BYTES: usize = 64 << 10;

/// The limits of one delivery.
#[derive(Clone, Debug)]
pub struct SendLimits {
    /// How long a connection may take to be made, with TLS.
    pub connect: Duration,
    /// How long all of it may take.
    pub total: Duration,
    /// How many bytes of a reply are kept; it is read no further.
    pub reply_bytes: usize,
}

impl Default for SendLimits {
    fn default() -> Self {
        Self { connect: CONNECT_TIME, total: TOTAL_TIME, reply_bytes: REPLY_BYTES }
    }
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The URL it was sent to, with the target that was asked for.
    pub to: String,
    /// From the first try to connect to the end of the reply, in milliseconds.
    pub took_ms: u64,
    /// Everything in which the sent request differs from the captured one.
    pub receipt: Vec<Change>,
    /// The reply, or why there is none.
    pub outcome: Outcome,
}

/// Sends a request once. What goes wrong is an outcome.
pub async fn send(outgoing: Outgoing, limits: &SendLimits) -> Sent {
    let began = Instant::now();
    let Some(url) = Url::parse(&outgoing.to) else {
        let why = format!("`{}` is no URL that creel can send to; it takes http://HOST and https://HOST", outgoing.to);
        return Sent { to: outgoing.to, took_ms: 0, receipt: Vec::new(), outcome: Outcome::Failed(why) };
    };
    let plan = Plan::new(&outgoing.head, &outgoing.body, &url);
    let (to, receipt) = (url.with(&plan.target), plan.receipt.clone());
    let exchange = exchange(&url, plan, outgoing.body, outgoing.insecure, limits);
    let outcome = match timeout(limits.total, exchange).await {
        Ok(Ok(reply)) => Outcome::Replied(reply),
        Ok(Err(why)) => Outcome::Failed(why),
        Err(_) => Outcome::Failed(format!("no whole reply within {:?}", limits.total)),
    };
    Sent { to, took_ms: began.elapsed().as_millis() as u64, receipt, outcome }
}

async fn exchange(url: &Url, plan: Plan, body: Bytes, insecure: bool, limits: &SendLimits) -> Result<Reply, String> {
    let connected = timeout(limits.connect, connect(url, insecure)).await;
    let stream =
        connected.map_err(|_| format!("no connection to {} within {:?}", url.authority(), limits.connect))??;
    let reply_head = Arc::new(Mutex::new(BytesMut::new()));
    let stream = Rewritten::new(stream, plan.head, Arc::clone(&reply_head), REPLY_HEAD_BYTES);
    let mut builder = http1::Builder::new();
    builder.max_buf_size(REPLY_HEAD_BYTES);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(|error| words(&error, url))?;
    let request = hyper::Request::builder()
        .method(&plan.method[..])
        .uri("/")
        .header("content-length", body.len())
        .body(Full::new(body))
        .map_err(|_| format!("the method `{}` cannot be sent", plan.method))?;
    // The connection ends with this future: it is dropped with it, and so is what a reply still has to say.
    tokio::select! {
        biased;
        reply = async {
            let response = sender.send_request(request).await.map_err(|error| words(&error, url))?;
            read(response, &reply_head, limits, url).await
        } => reply,
        () = async { drop(connection.await); std::future::pending().await } => unreachable_reply(),
    }
}

/// The second branch waits for ever.
fn unreachable_reply() -> Result<Reply, String> {
    Err("the connection ended".to_owned())
}

async fn connect(url: &Url, insecure: bool) -> Result<Stream, String> {
    let stream = TcpStream::connect((url.host(), url.port())).await.map_err(|why| connecting(&why, url))?;
    let _ = stream.set_nodelay(true);
    if !url.is_https() {
        return Ok(Stream::Plain(stream));
    }
    tls::connect(stream, url.host(), insecure).await.map(|tls| Stream::Tls(Box::new(tls)))
}

fn connecting(why: &io::Error, url: &Url) -> String {
    let authority = url.authority();
    match why.kind() {
        io::ErrorKind::ConnectionRefused => format!("connection refused: nothing listens on {authority}"),
        io::ErrorKind::TimedOut => format!("{authority} does not answer"),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => format!("{authority} cannot be reached"),
        _ if why.to_string().contains("lookup") => format!("there is no host `{}`", url.host()),
        _ => format!("connecting to {authority}: {why}"),
    }
}

async fn read(
    response: Response<Incoming>,
    head: &Mutex<BytesMut>,
    limits: &SendLimits,
    url: &Url,
) -> Result<Reply, String> {
    let status = response.status().as_u16();
    let headers = reply_headers(&head.lock().unwrap_or_else(PoisonError::into_inner), &response);
    let mut incoming = response.into_body();
    let mut body = BytesMut::new();
    let mut truncated = false;
    while let Some(frame) = incoming.frame().await {
        let Ok(data) = frame.map_err(|error| words(&error, url))?.into_data() else { continue };
        let room = limits.reply_bytes - body.len();
        body.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() > room {
            truncated = true;
            break;
        }
    }
    Ok(Reply { status, headers, body: body.freeze(), truncated })
}

/// The reply's headers as they came: read from the stream's own bytes, after any interim replies (RFC 9110, section
/// 15.2); as hyper gives them where those bytes are more than what was kept.
fn reply_headers(raw: &[u8], response: &Response<Incoming>) -> Headers {
    let mut rest = raw;
    while let Some(end) = memchr::memmem::find(rest, b"\r\n\r\n") {
        let interim = rest.get(9) == Some(&b'1');
        if !interim {
            return Head::parse(Bytes::copy_from_slice(&rest[..end + 4])).headers().clone();
        }
        rest = &rest[end + 4..];
    }
    response.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect()
}

/// A protocol's error in words for a person.
fn words(error: &hyper::Error, url: &Url) -> String {
    let authority = url.authority();
    let cut = error.source().and_then(|why| why.downcast_ref::<io::Error>());
    if error.is_incomplete_message() || cut.is_some_and(|why| why.kind() == io::ErrorKind::UnexpectedEof) {
        return format!("{authority} closed the connection without a whole reply");
    }
    if error.is_parse_too_large() {
        return format!("the head of the reply is larger than {} KiB", REPLY_HEAD_BYTES >> 10);
    }
    if error.is_parse() {
        return format!("{authority} did not answer in HTTP/1");
    }
    match error.source() {
        Some(why) => format!("talking to {authority}: {why}"),
        None => format!("talking to {authority}: {error}"),
    }
}
