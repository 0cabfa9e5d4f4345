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

/// A stream on which one request goes out: what hyper writes up to the end of its head is swallowed, and the own head
/// goes out in its place. What comes back is kept, up to a limit, for the reply's headers as they came.
pub(super) struct Rewritten<S> {
    stream: S,
    head: Bytes,
    /// How much of the end of hyper's head was seen: of CR LF CR LF.
    matched: usize,
    reply: Arc<Mutex<BytesMut>>,
    reply_limit: usize,
}

const END: &[u8] = b"\r\n\r\n";

impl<S> Rewritten<S> {
    pub(super) fn new(stream: S, head: Bytes, reply: Arc<Mutex<BytesMut>>, reply_limit: usize) -> Self {
        Self { stream, head, matched: 0, reply, reply_limit }
    }

    /// How many bytes of what hyper writes are its head's; all of them, until its end was seen.
    fn swallow(&mut self, bytes: &[u8]) -> usize {
        for (at, &byte) in bytes.iter().enumerate() {
            if self.matched == END.len() {
                return at;
            }
            self.matched = if byte == END[self.matched] { self.matched + 1 } else { usize::from(byte == b'\r') };
        }
        bytes.len()
    }
}

impl<S: AsyncWrite + Unpin> Rewritten<S> {
    /// Writes what is left of the own head.
    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.head.has_remaining() {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, &self.head))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                n => self.head.advance(n),
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Rewritten<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.matched < END.len() {
            let swallowed = this.swallow(buf);
            return Poll::Ready(Ok(swallowed));
        }
        ready!(this.poll_head(cx))?;
        Pin::new(&mut this.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.matched == END.len() {
            ready!(self.poll_head(cx))?;
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Rewritten<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        let mut reply = self.reply.lock().unwrap_or_else(PoisonError::into_inner);
        let new = &buf.filled()[before..];
        let room = self.reply_limit.saturating_sub(reply.len());
        reply.extend_from_slice(&new[..new.len().min(room)]);
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_head_is_found_however_it_is_cut() {
        let written = b"POST / HTTP/1.1\r\n\r\r\na: b\r\n\r\nbody\r\n\r\n";
        for size in 1..written.len() {
            let mut stream = Rewritten::new((), Bytes::new(), Arc::default(), 0);
            let mut passed = Vec::new();
            for part in written.chunks(size) {
                let swallowed = stream.swallow(part);
                passed.extend_from_slice(&part[swallowed..]);
            }
            assert_eq!(passed, b"body\r\n\r\n", "in pieces of {size}");
        }
    }
}
