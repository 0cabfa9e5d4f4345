//! Catching: connections, requests, bodies, and the limits on all of them.

mod body;
mod connection;
mod crowd;
mod limits;
mod malformed;
mod recorder;
mod reply;
mod request;
mod strict;
mod tls;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
pub use limits::Limits;
pub use tls::{Identity, Papers, self_signed};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
};

use self::{connection::Connection, crowd::Crowd};
use crate::record::{Failure, Flags, Head, Headers, Refusal, Timestamp};

/// How long the server rests when the system has no descriptor left for another connection.
const BREATHER: Duration = Duration::from_millis(50);

/// One request, as far as it came.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The other end of the connection.
    pub peer: SocketAddr,
    /// When the head was complete.
    pub received_at: Timestamp,
    /// Request line and headers, as sent.
    pub head: Head,
    /// The body after transfer decoding, or its first part.
    pub body: Bytes,
    /// The size the sender declared.
    pub declared: Option<u64>,
    /// Whether the body is not whole.
    pub truncated: bool,
    /// Headers that came after the body.
    pub trailers: Headers,
    /// What is odd about it.
    pub flags: Flags,
    /// The status that the wire insists on, whatever the catcher says. None: the catcher decides. Where nobody is left
    /// to answer, it is what would have been answered.
    pub decided: Option<u16>,
}

/// What is answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status, 200 to 599.
    pub status: u16,
    /// Headers beside those that the protocol needs. A value is bytes: what an app says need be no UTF-8.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Bytes,
    /// How it is given.
    pub manner: Manner,
}

impl Answer {
    /// An answer that is given whole and at once.
    pub fn whole(status: u16, headers: Vec<(String, Vec<u8>)>, body: impl Into<Bytes>) -> Self {
        Self { status, headers, body: body.into(), manner: Manner::default() }
    }
}

/// How an answer is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    /// How long it is held back. A server that is asked to stop holds nothing back.
    pub delay: Duration,
    /// How much of it comes, and how fast.
    pub form: Form,
}

/// How much of an answer comes, and how fast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// All of it, at once.
    #[default]
    Whole,
    /// Its body in small parts over that time.
    Slow(Duration),
    /// Its head and the first half of its body; then the connection ends.
    Half,
    /// Nothing; the connection ends.
    Closed,
}

/// What a guard says to a head, before the body is read.
#[derive(Clone, Debug)]
pub enum Entry {
    /// It may come in; with a body of so many bytes at most, where the limit is lower than everybody's.
    Open(Option<usize>),
    /// It may not: nothing is read of its body, nothing is caught.
    Shut(Shut),
}

/// A request that is turned away at the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shut {
    /// What is answered.
    pub status: u16,
    /// Why, for the list of what was refused. Never a secret.
    pub reason: String,
    /// Headers of the answer.
    pub headers: Vec<(String, String)>,
}

/// The one who catches.
pub trait Catch: Clone + Send + Sync + 'static {
    /// Keeps a request and says what to answer. The request is the catcher's once this returns, even where the sender goes away
    /// meanwhile. What is given is small, since it waits in the connection.
    fn catch(&self, arrival: Arrival) -> impl Future<Output = Answer> + Send + use<Self>;

    /// Looks at a head before its body is read.
    fn guard(&self, _peer: SocketAddr, _head: &Head) -> Entry {
        Entry::Open(None)
    }

    /// Hears of what never became a request.
    fn refuse(&self, refusal: Refusal);
}

/// Serves until `stop`: then no connection is taken any more, what is in flight is finished within the drain limit, and
/// this returns. Fails only where the listener itself does. With an identity it speaks HTTPS alone.
pub async fn serve(
    listener: TcpListener,
    limits: Limits,
    identity: Option<Identity>,
    catch: impl Catch,
    stop: impl Future<Output = ()>,
) -> Result<(), Failure> {
    let (stopping, stopped) = watch::channel(false);
    let (limits, crowd) = (Arc::new(limits), Crowd::new(stopped.clone()));
    let (alive, mut drained) = mpsc::channel::<()>(1);
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else {
            // Out of descriptors, or a connection that ended before it began: neither is a reason to stop.
            tokio::time::sleep(BREATHER).await;
            continue;
        };
        // A listener for both IPs shows an address of the fourth in the clothes of the sixth.
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        let Some(place) = crowd.enter(peer.ip(), &limits) else {
            turn_away(&stream, peer, &crowd, &catch);
            continue;
        };
        let connection = Connection {
            peer,
            limits: Arc::clone(&limits),
            crowd: crowd.clone(),
            catch: catch.clone(),
            stopped: stopped.clone(),
            identity: identity.clone(),
        };
        let alive = alive.clone();
        tokio::spawn(async move {
            connection.welcome(stream).await;
            drop((place, alive));
        });
    }
    drop((listener, alive));
    let _ = stopping.send(true);
    let _ = tokio::time::timeout(limits.drain, drained.recv()).await;
    Ok(())
}

/// Says that there are too many. What cannot be written at once is not worth waiting for.
fn turn_away(stream: &TcpStream, peer: SocketAddr, crowd: &Crowd, catch: &impl Catch) {
    let _ = stream.try_write(
        b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    );
    crowd.refuse(catch, peer, Some(503), "too many connections", Vec::new());
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// Fails where that is asked for, and keeps what is refused.
    #[derive(Clone, Default)]
    struct Failing(Arc<Mutex<Vec<Refusal>>>);

    impl Catch for Failing {
        fn catch(&self, arrival: Arrival) -> impl Future<Output = Answer> + Send + use<> {
            assert_ne!(arrival.head.target(), &b"/fail"[..]);
            let target = arrival.head.target().clone();
            async move {
                assert_ne!(&target[..], b"/late");
                Answer::whole(200, Vec::new(), "caught")
            }
        }

        fn refuse(&self, refusal: Refusal) {
            self.0.lock().unwrap().push(refusal);
        }
    }

    /// How large what a function gives is.
    fn given<C, A, R>(_: impl Fn(C, A) -> R) -> usize {
        size_of::<R>()
    }

    #[test]
    fn what_waits_for_its_answer_is_small() {
        // hyper moves it for each request, and keeps it for each connection: as large as it once was, 11 KiB, it took a tenth of the
        // network thread's time.
        let size = given(request::Exchange::<Failing>::answer);
        assert!(size < 2_048, "{size}");
    }

    #[tokio::test]
    async fn an_address_is_told_as_its_owner_writes_it() {
        let Ok(listener) = TcpListener::bind("[::]:0").await else {
            return eprintln!("not tested: this system has no IPv6");
        };
        let address = ("127.0.0.1", listener.local_addr().unwrap().port());
        let failing = Failing::default();
        let served = tokio::spawn(serve(listener, Limits::default(), None, failing.clone(), std::future::pending()));
        let Ok(mut stream) = TcpStream::connect(address).await else {
            return eprintln!("not tested: this system's IPv6 listeners hear no IPv4");
        };
        stream.write_all(b"SSH-2.0-x\r\n").await.unwrap();
        stream.read_to_end(&mut Vec::new()).await.unwrap();
        let own = stream.local_addr().unwrap().to_string();
        assert_eq!(failing.0.lock().unwrap()[0].peer, own);
        served.abort();
    }

    #[tokio::test]
    async fn a_request_on_which_creel_fails_is_answered_and_listed_and_the_next_is_caught() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let failing = Failing::default();
        let served = tokio::spawn(serve(listener, Limits::default(), None, failing.clone(), std::future::pending()));
        let mut stream = TcpStream::connect(address).await.unwrap();
        let requests = "GET /fail HTTP/1.1\r\nHost: h\r\n\r\nGET /late HTTP/1.1\r\nHost: h\r\n\r\n\
                        GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
        stream.write_all(requests.as_bytes()).await.unwrap();
        let mut answers = String::new();
        stream.read_to_string(&mut answers).await.unwrap();
        assert_eq!(answers.matches("HTTP/1.1 500 ").count(), 2, "{answers}");
        assert!(answers.ends_with("caught"), "{answers}");
        let refused = failing.0.lock().unwrap();
        let told: Vec<_> = refused.iter().map(|one| (one.status, one.head.get(..9))).collect();
        assert_eq!(told, [(Some(500), Some(&b"GET /fail"[..])), (Some(500), Some(b"GET /late"))]);
        served.abort();
    }
}
