//! The streams to an app: plain or TLS, and the one that replaces hyper's head by the captured one.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;

/// A connection to an app.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

/// What is said on a connection at the moment: the head to send, how long its body is, and what came back so far. Who
/// sends sets it before each request; the stream reads and fills it.
#[derive(Debug, Default)]
pub(super) struct Turn {
    /// The head that goes out in place of hyper's.
    pub(super) head: Bytes,
    /// Bytes of the body behind it.
    pub(super) body: usize,
    /// The beginning of what came back.
    pub(super) heard: BytesMut,
}

/// A stream on which requests go out, one after the other: what hyper writes up to the end of its head is swallowed, and
/// the own head goes out in its place. What comes back is kept, up to a limit, for the reply's headers as they came.
pub(super) struct Rewritten<S> {
    stream: S,
    turn: Arc<Mutex<Turn>>,
    /// How much of the end of hyper's head was seen: of CR LF CR LF.
    matched: usize,
    /// Bytes of the body that are still to come; only after the head.
    left: usize,
    /// The own head, and a body small enough to go in one write with it.
    pending: BytesMut,
    heard_limit: usize,
}

const END: &[u8] = b"\r\n\r\n";
/// Bytes up to which head and body go out in one write.
const ONE_WRITE: usize = 32 << 10;

impl<S> Rewritten<S> {
    pub(super) fn new(stream: S, turn: Arc<Mutex<Turn>>, heard_limit: usize) -> Self {
        Self { stream, turn, matched: 0, left: 0, pending: BytesMut::new(), heard_limit }
    }

    /// How many bytes of what hyper writes are its head's; all of them, until its end was seen.
    fn swallow(&mut self, bytes: &[u8]) -> usize {
        for (at, &byte) in bytes.iter().enumerate() {
            self.matched = if byte == END[self.matched] { self.matched + 1 } else { usize::from(byte == b'\r') };
            if self.matched == END.len() {
                self.begin();
                return at + 1;
            }
        }
        bytes.len()
    }

    /// hyper's head is over: the own one goes out, and then the body.
    fn begin(&mut self) {
        let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.pending.extend_from_slice(&std::mem::take(&mut turn.head));
        (self.matched, self.left) = (0, turn.body);
    }
}

impl<S: AsyncWrite + Unpin> Rewritten<S> {
    /// Writes what is pending.
    fn poll_pending(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.pending.has_remaining() {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, &self.pending))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                n => self.pending.advance(n),
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Rewritten<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.left == 0 {
            return Poll::Ready(Ok(this.swallow(buf)));
        }
        let part = &buf[..buf.len().min(this.left)];
        if !this.pending.is_empty() && this.pending.len() + part.len() <= ONE_WRITE {
            this.pending.extend_from_slice(part);
            this.left -= part.len();
            return Poll::Ready(Ok(part.len()));
        }
        ready!(this.poll_pending(cx))?;
        let written = ready!(Pin::new(&mut this.stream).poll_write(cx, part))?;
        this.left -= written;
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_pending(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_pending(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Rewritten<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        let limit = self.heard_limit;
        let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let new = &buf.filled()[before..];
        let room = limit.saturating_sub(turn.heard.len());
        turn.heard.extend_from_slice(&new[..new.len().min(room)]);
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What goes out of what hyper writes for several requests, each with the own head in place of its, in pieces of a size.
    fn passed(requests: &[(&[u8], &'static str, usize)], size: usize) -> String {
        let turn = Arc::new(Mutex::new(Turn::default()));
        let mut stream = Rewritten::new(Vec::<u8>::new(), Arc::clone(&turn), 0);
        let mut cx = Context::from_waker(std::task::Waker::noop());
        for &(written, head, body) in requests {
            *turn.lock().unwrap() = Turn { head: head.into(), body, heard: BytesMut::new() };
            let mut rest = written;
            while !rest.is_empty() {
                let part = &rest[..size.min(rest.len())];
                let Poll::Ready(Ok(n)) = Pin::new(&mut stream).poll_write(&mut cx, part) else { panic!("it waits") };
                rest = &rest[n..];
            }
            assert!(Pin::new(&mut stream).poll_flush(&mut cx).is_ready());
        }
        String::from_utf8(stream.stream).unwrap()
    }

    #[test]
    fn heads_are_replaced_and_bodies_pass_however_they_are_cut() {
        let first = b"POST / HTTP/1.1\r\n\r\r\na: b\r\n\r\nbody\r\n\r\n";
        let requests: [(&[u8], _, _); 3] =
            [(first, "A\n", 8), (b"GET / HTTP/1.1\r\n\r\n", "B\n", 0), (b"POST / HTTP/1.1\r\n\r\nx", "C\n", 1)];
        for size in 1..=first.len() {
            assert_eq!(passed(&requests, size), "A\nbody\r\n\r\nB\nC\nx", "in pieces of {size}");
        }
    }
}
