//! Sending a captured request, byte for byte but for what its receipt lists.
//!
//! hyper drives the connection; the stream it writes to replaces the head that hyper wrote by the captured one with the
//! receipt's changes, so that order, case and duplicates are the sender's. Redirects are not followed.

mod plan;
mod pool;
mod stream;
mod tls;
mod url;

use std::{
    borrow::Cow,
    error::Error as _,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::{Response, body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};

use self::{
    plan::{Plan, Rules},
    pool::{Door, Driver, Line, Pool},
    stream::{Rewritten, Stream, Turn},
    url::Url,
};
use crate::record::{Cause, Change, Head, Headers, Outcome, Reply};

/// Scheme and host of a URL, with which a request keeps its own target. What is no URL stays as it is: sending says so.
pub fn origin(url: &str) -> String {
    Url::parse(url).map_or_else(|| url.to_owned(), |url| url.with(b""))
}

/// The URL that a request of that head asks for when it is sent there. What is no URL stays as it is.
pub fn asked(to: &str, path: PathRule, head: &Head) -> String {
    let with_target = |url: Url| url.with(&plan::target(head, &url, path, &mut Vec::new()));
    Url::parse(to).map_or_else(|| to.to_owned(), with_target)
}

/// Whether creel can send to a URL.
pub fn can_send_to(url: &str) -> bool {
    Url::parse(url).is_some()
}

/// What stands in the place of a name and a password.
const MASK: &str = "******";

/// A text that is no URL that creel can send to, as it may be repeated: a name and a password that stand in it are masked.
pub fn without_login(url: &str) -> Cow<'_, str> {
    let start = url.find("://").map_or(0, |at| at + "://".len());
    // A password may hold what usually ends a host.
    match url[start..].rfind('@') {
        Some(at) => Cow::Owned(format!("{}{MASK}{}", &url[..start], &url[start + at..])),
        None => Cow::Borrowed(url),
    }
}

/// What becomes of the captured path at an app whose URL has a path of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PathRule {
    /// The URL's path takes its place.
    #[default]
    Replaced,
    /// It is appended to the URL's.
    Appended,
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
    /// What becomes of the captured path where the URL has one.
    pub path: PathRule,
    /// Whether a certificate that nobody vouches for is good enough.
    pub insecure: bool,
    /// Whether the head's own `Host` is sent, and not the URL's: somebody wished for it.
    pub keep_host: bool,
}

/// How long a connection may take to be made.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// How long all of it may take.
const TOTAL_TIME: Duration = Duration::from_secs(30);
/// How many bytes of a reply are kept.
const REPLY_BYTES: usize = 1 << 20;
/// The largest head of a reply, in bytes.
const REPLY_HEAD_BYTES: usize = 64 << 10;
/// How many headers hyper reads of a reply.
const REPLY_HEADERS: usize = 100;

/// The limits of one delivery.
#[derive(Clone, Debug)]
pub struct SendLimits {
    /// How long a connection may take to be made, with TLS.
    pub connect: Duration,
    /// How long all of it may take.
    pub total: Duration,
    /// How many bytes of a reply are kept; it is read no further.
    pub reply_bytes: usize,
    /// Addresses that are never connected to: creel's own listeners, where it forwards.
    pub own: Vec<SocketAddr>,
    /// URLs whose hosts are never connected to: those that lead to creel's own listeners from elsewhere.
    pub own_urls: Vec<String>,
}

impl Default for SendLimits {
    fn default() -> Self {
        Self {
            connect: CONNECT_TIME,
            total: TOTAL_TIME,
            reply_bytes: REPLY_BYTES,
            own: Vec::new(),
            own_urls: Vec::new(),
        }
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

/// Sends a request once, on a connection that is closed afterwards. What goes wrong is an outcome.
pub async fn send(outgoing: Outgoing, limits: &SendLimits) -> Sent {
    deliver(None, outgoing, limits).await
}

/// Sends requests on connections that are kept for the next. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Client {
    pool: Pool,
}

impl Client {
    /// Sends a request once. What goes wrong is an outcome.
    ///
    /// Where an app closes a kept connection just when a request is on its way there and says nothing, the request is sent
    /// again on a fresh one: that is how a server ends a connection that it holds for unused (RFC 9112, section 9.5).
    pub async fn send(&self, outgoing: Outgoing, limits: &SendLimits) -> Sent {
        deliver(Some(&self.pool), outgoing, limits).await
    }
}

async fn deliver(pool: Option<&Pool>, outgoing: Outgoing, limits: &SendLimits) -> Sent {
    let began = Instant::now();
    let Outgoing { head, body, to, path, insecure, keep_host } = outgoing;
    let Some(url) = Url::parse(&to) else {
        let to = without_login(&to).into_owned();
        let why = format!("`{to}` is no URL that creel can send to; it takes http://HOST and https://HOST");
        return Sent { to, took_ms: 0, receipt: Vec::new(), outcome: Outcome::Failed(Cause::Unsendable, why) };
    };
    let Plan { method, target, head, receipt } =
        Plan::new(&head, &body, &url, Rules { path, insecure, keep_host, stays_open: pool.is_some() });
    let mut call = Call { url: &url, method: &method, head, body, insecure, limits, reply_head: Headers::default() };
    let outcome = match timeout(limits.total, call.make(pool)).await {
        Ok(Ok(reply)) => Outcome::Replied(reply),
        Ok(Err(Why(cause, words))) => Outcome::Failed(cause, words),
        Err(_) => Outcome::Failed(Cause::TimedOut, format!("no whole reply within {:?}", limits.total)),
    };
    Sent { to: url.with(&target), took_ms: began.elapsed().as_millis() as u64, receipt, outcome }
}

/// One request on its way.
struct Call<'a> {
    url: &'a Url,
    method: &'a str,
    head: Bytes,
    body: Bytes,
    insecure: bool,
    limits: &'a SendLimits,
    reply_head: Headers,
}

/// Why there is no reply: as a fact, and in words for a person.
struct Why(Cause, String);

/// An exchange without a reply.
struct Broken {
    why: Why,
    /// Whether the connection had ended before a byte of a reply came.
    unheard: bool,
}

impl Call<'_> {
    async fn make(&mut self, pool: Option<&Pool>) -> Result<Reply, Why> {
        let own = self.limits.own_urls.iter().find(|own| Url::parse(own).is_some_and(|own| own.is_beside(self.url)));
        if let Some(own) = own {
            return Err(ring(own));
        }
        let Some(pool) = pool else {
            let mut line = self.connect().await?;
            return self.exchange(&mut line).await.map(|(reply, _)| reply).map_err(|broken| broken.why);
        };
        let door = Door::of(self.url, self.insecure);
        let mut line = match pool.take(&door) {
            Some(line) => line,
            None => self.connect().await?,
        };
        let exchanged = match self.exchange(&mut line).await {
            Err(broken) if broken.unheard && line.used => {
                line = self.connect().await?;
                self.exchange(&mut line).await
            }
            exchanged => exchanged,
        };
        let (reply, is_whole) = exchanged.map_err(|broken| broken.why)?;
        if is_whole {
            pool.put(door, line);
        }
        Ok(reply)
    }

    /// Sends the request on a connection. Gives the reply, and whether it was read to its end.
    async fn exchange(&mut self, line: &mut Line) -> Result<(Reply, bool), Broken> {
        let broken = |why: Why, unheard: bool| Broken { why, unheard };
        *lock(&line.turn) = Turn { head: self.head.clone(), body: self.body.len(), heard: BytesMut::new() };
        let request = hyper::Request::builder()
            .method(self.method)
            .uri("/")
            .header("content-length", self.body.len())
            .body(Full::new(self.body.clone()))
            .map_err(|_| broken(self.unsendable(), false))?;
        line.sender.ready().await.map_err(|error| broken(why(&error, self.url, b""), true))?;
        let response = line.sender.send_request(request).await;
        let response = response.map_err(|error| {
            let heard = &lock(&line.turn).heard;
            broken(why(&error, self.url, heard), heard.is_empty())
        })?;
        let headers = reply_headers(&lock(&line.turn).heard, &response);
        self.reply_head = headers.ok_or_else(|| broken(head_too_large(), false))?;
        self.read(response).await.map_err(|why| broken(why, false))
    }

    async fn read(&mut self, response: Response<Incoming>) -> Result<(Reply, bool), Why> {
        let status = response.status().as_u16();
        let headers = std::mem::take(&mut self.reply_head);
        let mut incoming = response.into_body();
        let mut body = BytesMut::new();
        while let Some(frame) = incoming.frame().await {
            let Ok(data) = frame.map_err(|error| why(&error, self.url, b""))?.into_data() else { continue };
            let room = self.limits.reply_bytes - body.len();
            body.extend_from_slice(&data[..data.len().min(room)]);
            if data.len() > room {
                return Ok((Reply { status, headers, body: body.freeze(), truncated: true }, false));
            }
        }
        Ok((Reply { status, headers, body: body.freeze(), truncated: false }, true))
    }

    fn unsendable(&self) -> Why {
        Why(Cause::Unsendable, format!("the method `{}` cannot be sent", self.method))
    }

    async fn connect(&self) -> Result<Line, Why> {
        let (url, limits) = (self.url, self.limits);
        let began = Instant::now();
        let connected = timeout(limits.connect, reach(url, &limits.own)).await;
        let late = || format!("no connection to {} within {:?}", url.authority(), limits.connect);
        let stream = connected.map_err(|_| Why(Cause::Unreachable, late()))??;
        let left = limits.connect.saturating_sub(began.elapsed());
        let secured = timeout(left, secure(stream, url, self.insecure)).await;
        let stream = secured.map_err(|_| no_handshake(url, limits.connect))??;
        let turn = Arc::new(Mutex::new(Turn::default()));
        let stream = Rewritten::new(stream, Arc::clone(&turn), REPLY_HEAD_BYTES);
        let mut builder = http1::Builder::new();
        builder.max_buf_size(REPLY_HEAD_BYTES);
        let (sender, connection) =
            builder.handshake(TokioIo::new(stream)).await.map_err(|error| why(&error, url, b""))?;
        let driver = tokio::spawn(async move { drop(connection.await) });
        let driver = Driver(driver.abort_handle());
        Ok(Line { sender, turn, used: false, driver, since: Instant::now() })
    }
}

fn lock(turn: &Mutex<Turn>) -> std::sync::MutexGuard<'_, Turn> {
    turn.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn reach(url: &Url, own: &[SocketAddr]) -> Result<TcpStream, Why> {
    // Asked once: what was looked at is what is connected to.
    let addresses = lookup_host((url.host(), url.port())).await.map_err(|why| nowhere(url, &why))?;
    let addresses: Vec<SocketAddr> = addresses.collect();
    if let Some(own) = own.iter().find(|own| addresses.iter().any(|address| is_own(address, own))) {
        return Err(ring(own));
    }
    let stream = TcpStream::connect(&addresses[..]).await.map_err(|why| connecting(&why, url))?;
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

async fn secure(stream: TcpStream, url: &Url, insecure: bool) -> Result<Stream, Why> {
    if !url.is_https() {
        return Ok(Stream::Plain(stream));
    }
    tls::connect(stream, url.host(), insecure).await.map(|tls| Stream::Tls(Box::new(tls)))
}

/// Whether an address leads to a listener. One that listens everywhere is reached at every address of this machine; that
/// of another machine with the same port is not told apart by its number, but by the mark that forwarding puts on.
fn is_own(address: &SocketAddr, own: &SocketAddr) -> bool {
    let (ip, own_ip) = (address.ip().to_canonical(), own.ip().to_canonical());
    let here = ip.is_loopback() || ip.is_unspecified();
    let everywhere = own_ip.is_unspecified() && here;
    address.port() == own.port() && (ip == own_ip || everywhere || (here && own_ip.is_loopback()))
}

fn ring(own: &impl std::fmt::Display) -> Why {
    Why(Cause::Ring, format!("{own} is creel's own address: nothing is forwarded in a ring"))
}

/// In the resolver's own words: it may know that there is no such name, or not know just now.
fn nowhere(url: &Url, why: &io::Error) -> Why {
    let said = why.to_string();
    let said = said.strip_prefix("failed to lookup address information: ").unwrap_or(&said);
    Why(Cause::NoHost, format!("no address for `{}`: {said}", url.host()))
}

fn connecting(why: &io::Error, url: &Url) -> Why {
    let authority = url.authority();
    // No app has been asked yet, so none took too long.
    let cause = match cause(why) {
        Cause::TimedOut => Cause::Unreachable,
        cause => cause,
    };
    let words = match cause {
        Cause::Refused => format!("connection refused: nothing listens on {authority}"),
        Cause::Unreachable => format!("{authority} cannot be reached"),
        // A name without an address.
        _ if why.kind() == io::ErrorKind::InvalidInput => return nowhere(url, why),
        _ => format!("connecting to {authority}: {why}"),
    };
    Why(cause, words)
}

/// What an error of the network says of the other side.
fn cause(why: &io::Error) -> Cause {
    use io::ErrorKind as Kind;
    match why.kind() {
        Kind::ConnectionRefused => Cause::Refused,
        Kind::TimedOut => Cause::TimedOut,
        Kind::HostUnreachable | Kind::NetworkUnreachable => Cause::Unreachable,
        Kind::UnexpectedEof | Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe => Cause::BrokenOff,
        _ => Cause::Other,
    }
}

/// One who speaks HTTP without TLS waits for a line of it, and says nothing to what TLS begins with.
fn no_handshake(url: &Url, within: Duration) -> Why {
    let authority = url.authority();
    let words = format!(
        "the connection to {authority} was made, and no handshake of TLS came within {within:?}: the port may speak http \
         without TLS"
    );
    Why(Cause::NoTls, words)
}

fn head_too_large() -> Why {
    Why(Cause::TooLarge, format!("the head of the reply is larger than {} KiB", REPLY_HEAD_BYTES >> 10))
}

/// A head that hyper finds too large: it has too many bytes, or too many lines.
fn too_large(heard: &[u8]) -> Why {
    let lines = memchr::memchr_iter(b'\n', heard).count();
    if lines <= REPLY_HEADERS {
        return head_too_large();
    }
    Why(Cause::TooLarge, format!("the reply has more than {REPLY_HEADERS} headers"))
}

/// The reply's headers as they came: read from the stream's own bytes, after any interim replies (RFC 9110, section
/// 15.2); as hyper gives them where its lines end otherwise. None where all of that is larger than what is kept.
fn reply_headers(raw: &[u8], response: &Response<Incoming>) -> Option<Headers> {
    let mut rest = raw;
    while let Some(end) = memchr::memmem::find(rest, b"\r\n\r\n") {
        let interim = rest.get(9) == Some(&b'1');
        if !interim {
            return Some(Head::parse(Bytes::copy_from_slice(&rest[..end + 4])).headers().clone());
        }
        rest = &rest[end + 4..];
    }
    if raw.len() >= REPLY_HEAD_BYTES && memchr::memmem::find(raw, b"\n\n").is_none() {
        return None;
    }
    let headers = response.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    Some(headers)
}

/// What a protocol's error comes to; `heard` is the beginning of what came.
fn why(error: &hyper::Error, url: &Url, heard: &[u8]) -> Why {
    let authority = url.authority();
    let source = error.source().and_then(|why| why.downcast_ref::<io::Error>());
    if error.is_incomplete_message() || source.is_some_and(|why| why.kind() == io::ErrorKind::UnexpectedEof) {
        return Why(Cause::BrokenOff, format!("{authority} closed the connection without a whole reply"));
    }
    if error.is_parse_too_large() {
        return too_large(heard);
    }
    if error.is_parse() && heard.starts_with(b"HTTP/1.") {
        return Why(Cause::BrokenHttp, format!("{authority} answered in broken HTTP: {error}"));
    }
    if error.is_parse() {
        return Why(Cause::NotHttp, format!("{authority} did not answer in HTTP/1"));
    }
    let cause = match source {
        Some(why) if tls::is_of_tls(why) => Cause::Tls,
        // Chunks that are none.
        Some(why) if matches!(why.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => {
            Cause::BrokenHttp
        }
        Some(why) => cause(why),
        None if error.is_canceled() || error.is_closed() => Cause::BrokenOff,
        None => Cause::Other,
    };
    let said = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    Why(cause, format!("talking to {authority}: {said}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_is_not_made_in_time_is_no_app_that_works_too_long() {
        let url = Url::parse("http://h").unwrap();
        for (kind, cause) in [
            (io::ErrorKind::TimedOut, Cause::Unreachable),
            (io::ErrorKind::ConnectionRefused, Cause::Refused),
            (io::ErrorKind::HostUnreachable, Cause::Unreachable),
        ] {
            assert_eq!(connecting(&kind.into(), &url).0, cause);
        }
    }
}
