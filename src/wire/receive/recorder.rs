//! The stream that hyper reads, with an ear on it: each request's head is kept as it came, and its body is skipped by
//! its framing to find the next one. The recorder also keeps the connection's time: hyper's own head timer runs while a
//! connection idles, and costs an allocation a request.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, Bytes, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep},
};

use super::{
    limits::{Limits, REFUSED_BYTES},
    malformed::{malformed, too_large},
    reply::{BAD, TOO_LARGE, refusal, slow_head},
};
use crate::record::{Head, Timestamp};

/// How long a closing connection listens on, so that a sender in the middle of a body can read the answer before its
/// writing fails (RFC 9112, section 9.6).
const LINGER: Duration = Duration::from_secs(1);
/// How many bytes a closing connection throws away at most.
const LINGER_BYTES: usize = 1 << 20;
/// The longest line of a chunk's size or of a trailer, in bytes. hyper's own limits are lower.
const LINE_BYTES: usize = 64 << 10;

/// What the recorder heard, shared with the service.
#[derive(Clone, Default)]
pub(super) struct Record(Arc<Mutex<Heard>>);

#[derive(Default)]
struct Heard {
    phase: Phase,
    /// The head that is not whole yet.
    partial: BytesMut,
    /// Whole heads that the service has not taken yet, with the moment each was whole.
    heads: VecDeque<(Head, Timestamp)>,
    /// Why the recorder ended the connection.
    slow: bool,
    /// Whether a request was handed on.
    has_asked: bool,
}

/// Where in the stream the next byte stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// Between requests.
    #[default]
    Idle,
    /// Within a head.
    Head,
    /// Within a body of which so many bytes are to come.
    Body(u64),
    /// Within the line of a chunk's size: what it says so far, whether its digits have ended, and its length.
    Size { size: u64, digits_over: bool, line: usize },
    /// Within a chunk.
    Chunk(u64),
    /// Within the line end after a chunk.
    ChunkEnd,
    /// Within the trailers: the length of the line so far, CR apart.
    Trailers { line: usize },
    /// Nothing that can be followed: HTTP/2, or something hyper will refuse.
    Opaque,
}

impl Record {
    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The head of the request that hyper hands on now.
    pub(super) fn take(&self) -> Option<(Head, Timestamp)> {
        let mut heard = self.heard();
        heard.has_asked = true;
        heard.heads.pop_front()
    }

    /// Whether nothing came but the beginning of a first head.
    pub(super) fn is_but_begun(&self) -> bool {
        let heard = self.heard();
        heard.phase == Phase::Head && !heard.has_asked && heard.heads.is_empty()
    }

    /// What came and was never handed on: the head that hyper refused, or the beginning of one.
    pub(super) fn rest(&self) -> Vec<u8> {
        let heard = self.heard();
        let rest = heard.heads.front().map_or(&heard.partial[..], |(head, _)| head.raw());
        rest[..rest.len().min(REFUSED_BYTES)].to_vec()
    }

    /// Whether the connection ended because its head came too slowly.
    pub(super) fn was_slow(&self) -> bool {
        self.heard().slow
    }
}

impl Heard {
    /// Follows bytes of the stream.
    fn hear(&mut self, mut bytes: &[u8], limit: usize) {
        while !bytes.is_empty() {
            let taken = match self.phase {
                Phase::Opaque => bytes.len(),
                Phase::Idle | Phase::Head => self.head(bytes, limit),
                Phase::Body(left) => {
                    self.skip(bytes, left, |left| if left == 0 { Phase::Idle } else { Phase::Body(left) })
                }
                Phase::Chunk(left) => {
                    self.skip(bytes, left, |left| if left == 0 { Phase::ChunkEnd } else { Phase::Chunk(left) })
                }
                _ => self.line(bytes[0]),
            };
            bytes = &bytes[taken..];
        }
    }

    fn skip(&mut self, bytes: &[u8], left: u64, next: fn(u64) -> Phase) -> usize {
        let taken = left.min(bytes.len() as u64);
        self.phase = next(left - taken);
        taken as usize
    }

    /// Takes bytes of a head. Empty lines before it are no part of it (RFC 9112, section 2.2).
    fn head(&mut self, bytes: &[u8], limit: usize) -> usize {
        let blank =
            if self.partial.is_empty() { bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count() } else { 0 };
        let bytes = &bytes[blank..];
        if bytes.is_empty() {
            return blank;
        }
        self.phase = Phase::Head;
        let Some((raw, taken)) = self.whole_head(bytes) else {
            if self.partial.len() > limit.max(REFUSED_BYTES) {
                self.phase = Phase::Opaque;
            }
            return blank + bytes.len();
        };
        let head = Head::parse(raw);
        self.phase = framing(&head);
        self.heads.push_back((head, crate::wire::now()));
        blank + taken
    }

    /// The head that ends within these bytes, and how many of them are its; else they are kept. What is behind it is its body's,
    /// and not copied.
    fn whole_head(&mut self, bytes: &[u8]) -> Option<(Bytes, usize)> {
        if self.partial.is_empty()
            && let Some(end) = end_of_head(bytes, 0)
        {
            return Some((Bytes::copy_from_slice(&bytes[..end]), end));
        }
        let before = self.partial.len();
        self.partial.extend_from_slice(bytes);
        let end = end_of_head(&self.partial, before.saturating_sub(3))?;
        let raw = self.partial.split_to(end).freeze();
        self.partial.clear();
        Some((raw, end - before))
    }

    /// Takes one byte of a line within a chunked body.
    fn line(&mut self, byte: u8) -> usize {
        self.phase = match (self.phase, byte) {
            (Phase::ChunkEnd, b'\r') => Phase::ChunkEnd,
            (Phase::ChunkEnd, b'\n') => Phase::Size { size: 0, digits_over: false, line: 0 },
            (Phase::Size { size: 0, .. }, b'\n') => Phase::Trailers { line: 0 },
            (Phase::Size { size, .. }, b'\n') => Phase::Chunk(size),
            (Phase::Size { size, digits_over, line }, byte) if line < LINE_BYTES => match char::from(byte).to_digit(16)
            {
                Some(digit) if !digits_over && size < 1 << 59 => {
                    Phase::Size { size: size << 4 | u64::from(digit), digits_over, line: line + 1 }
                }
                _ => Phase::Size { size, digits_over: true, line: line + 1 },
            },
            (Phase::Trailers { line: 0 }, b'\n') => Phase::Idle,
            (Phase::Trailers { .. }, b'\n') => Phase::Trailers { line: 0 },
            (Phase::Trailers { line }, b'\r') => Phase::Trailers { line },
            (Phase::Trailers { line }, _) if line < LINE_BYTES => Phase::Trailers { line: line + 1 },
            _ => Phase::Opaque,
        };
        1
    }
}

/// Where a head ends: after the first empty line. Looks from `from` on.
fn end_of_head(bytes: &[u8], from: usize) -> Option<usize> {
    memchr::memchr_iter(b'\n', &bytes[from..]).find_map(|at| match &bytes[from + at + 1..] {
        [b'\n', ..] => Some(from + at + 2),
        [b'\r', b'\n', ..] => Some(from + at + 3),
        _ => None,
    })
}

/// How the body after a head is framed (RFC 9112, section 6.3), in the way hyper reads it. Where hyper refuses the
/// head, it does not matter: nothing after it is read.
fn framing(head: &Head) -> Phase {
    let headers = head.headers();
    if headers.get("transfer-encoding").is_some() {
        return Phase::Size { size: 0, digits_over: false, line: 0 };
    }
    let Some(text) = headers.text("content-length") else { return Phase::Idle };
    // Digits alone are a length; what else a parser might take, such as a sign, hyper refuses.
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    match text.parse() {
        Ok(0) if digits => Phase::Idle,
        Ok(length) if digits => Phase::Body(length),
        _ => Phase::Opaque,
    }
}

/// The stream itself.
pub(super) struct Recorder<S> {
    stream: S,
    /// What was read before the recorder was.
    first: Bytes,
    record: Record,
    limits: Arc<Limits>,
    /// When the phase began that the clock is for.
    since: Instant,
    /// Whether the clock is for a head rather than for idling.
    in_head: bool,
    alarm: Pin<Box<Sleep>>,
    closing: Option<Closing>,
    /// What is left to be said of why a head was refused, once that is said in hyper's place.
    said: Option<Bytes>,
}

/// The end of a connection whose sender may still be writing.
struct Closing {
    until: Pin<Box<Sleep>>,
    left: usize,
}

impl<S> Recorder<S> {
    /// Records a stream from which `first` was already read.
    pub(super) fn new(stream: S, first: Bytes, limits: Arc<Limits>) -> Self {
        let since = Instant::now();
        let alarm = Box::pin(tokio::time::sleep_until(since + limits.head_time.min(limits.keep_alive)));
        Self {
            stream,
            first,
            record: Record::default(),
            limits,
            since,
            in_head: true,
            alarm,
            closing: None,
            said: None,
        }
    }

    /// A stream that is no HTTP/1 and only needs its clock.
    pub(super) fn opaque(stream: S, first: Bytes, limits: Arc<Limits>) -> Self {
        let recorder = Self::new(stream, first, limits);
        recorder.record.heard().phase = Phase::Opaque;
        recorder
    }

    /// What is heard.
    pub(super) fn record(&self) -> Record {
        self.record.clone()
    }

    fn hear(&mut self, bytes: &[u8]) {
        let mut heard = self.record.heard();
        heard.hear(bytes, self.limits.head_bytes);
        let in_head = heard.phase == Phase::Head;
        // The time for a head runs from its first byte, not from its latest.
        if !(in_head && self.in_head) {
            self.since = Instant::now();
        }
        self.in_head = in_head;
    }

    /// Whether the time is up for what is waited for. Bodies have a clock of their own.
    fn poll_alarm(&mut self, cx: &mut Context<'_>) -> Poll<Late> {
        loop {
            let phase = self.record.heard().phase;
            let (limit, late) = match phase {
                Phase::Head => (self.limits.head_time, Late::Head),
                Phase::Idle | Phase::Opaque => (self.limits.keep_alive, Late::Idle),
                _ => return Poll::Pending,
            };
            let due = self.since + limit;
            // The alarm is moved only when it rings or rings too late: not once a request.
            if self.alarm.deadline() > due {
                self.alarm.as_mut().reset(due);
            }
            ready!(self.alarm.as_mut().poll(cx));
            if Instant::now() >= due {
                return Poll::Ready(late);
            }
            self.alarm.as_mut().reset(due);
        }
    }
}

/// The status with which hyper itself refuses a head, where these bytes begin that answer: it has no body, and no other answer
/// begins so.
fn refused(answer: &[u8]) -> Option<&'static str> {
    [BAD, TOO_LARGE].into_iter().find(|status| {
        let rest = answer.strip_prefix(b"HTTP/1.1 ").and_then(|rest| rest.strip_prefix(status.as_bytes()));
        rest.is_some_and(|rest| rest.starts_with(b"\r\nconnection: close\r\ncontent-length: 0\r\n"))
    })
}

/// For what the time was up.
enum Late {
    Idle,
    Head,
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Recorder<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        if this.first.has_remaining() {
            let part = this.first.split_to(this.first.len().min(buf.remaining()));
            buf.put_slice(&part);
        } else if let Poll::Ready(result) = Pin::new(&mut this.stream).poll_read(cx, buf) {
            result?;
        } else {
            return match ready!(this.poll_alarm(cx)) {
                Late::Idle => Poll::Ready(Ok(())),
                Late::Head => {
                    this.record.heard().slow = true;
                    // hyper answers nothing to a head that never ends; whether these words arrive changes nothing.
                    let _ = Pin::new(&mut this.stream).poll_write(cx, &slow_head());
                    Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
                }
            };
        }
        let heard = &buf.filled()[before..];
        this.hear(heard);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Recorder<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        this.touch();
        if this.said.is_none() {
            this.said = this.reason(buf);
        }
        let Some(said) = &mut this.said else { return Pin::new(&mut this.stream).poll_write(cx, buf) };
        while said.has_remaining() {
            let written = ready!(Pin::new(&mut this.stream).poll_write(cx, said))?;
            said.advance(if written == 0 { return Poll::Ready(Ok(0)) } else { written });
        }
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let Some(first) = bufs.first().filter(|first| self.said.is_some() || refused(first).is_some()) {
            return self.poll_write(cx, first);
        }
        self.touch();
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// Says that nothing more comes, then listens on for a moment where the sender is within a body.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.closing.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            if this.record.heard().phase == Phase::Idle {
                return Poll::Ready(Ok(()));
            }
            this.closing = Some(Closing { until: Box::pin(tokio::time::sleep(LINGER)), left: LINGER_BYTES });
        }
        let Some(closing) = &mut this.closing else { return Poll::Ready(Ok(())) };
        let mut scrap = [0; 8192];
        while closing.left > 0 && closing.until.as_mut().poll(cx).is_pending() {
            let mut scrap = ReadBuf::new(&mut scrap);
            let read = ready!(Pin::new(&mut this.stream).poll_read(cx, &mut scrap));
            if read.is_err() || scrap.filled().is_empty() {
                break;
            }
            closing.left = closing.left.saturating_sub(scrap.filled().len());
        }
        Poll::Ready(Ok(()))
    }
}

impl<S> Recorder<S> {
    /// What is said in place of hyper's own answer to a head that it cannot take.
    fn reason(&self, answer: &[u8]) -> Option<Bytes> {
        let status = refused(answer)?;
        let rest = self.record.rest();
        let why = if status == BAD { malformed(&rest) } else { too_large(&rest, &self.limits) };
        Some(refusal(status, &why))
    }

    /// An answer that is being written starts the idle clock anew.
    fn touch(&mut self) {
        if !self.in_head {
            self.since = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] = b"\r\nPOST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\n\n\nab\rGET /b HTTP/1.1\nHost: h\n\n\
        PUT /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4;ext=\"1\"\r\n\r\n\r\n\r\n0a\r\n0123456789\r\n0\r\nX-T: 1\r\n\r\n\
        GET /d HTTP/1.1\r\n\r\nGET /par";

    fn heads(stream: &[u8], size: usize) -> (Vec<String>, Heard) {
        let mut heard = Heard::default();
        stream.chunks(size).for_each(|part| heard.hear(part, 64 << 10));
        let heads = heard.heads.iter().map(|(head, _)| String::from_utf8_lossy(head.raw()).into_owned()).collect();
        (heads, heard)
    }

    #[test]
    fn every_head_is_found_however_the_stream_is_cut() {
        let (whole, _) = heads(STREAM, STREAM.len());
        assert_eq!(
            whole,
            [
                "POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\n",
                "GET /b HTTP/1.1\nHost: h\n\n",
                "PUT /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
                "GET /d HTTP/1.1\r\n\r\n"
            ]
        );
        for size in 1..STREAM.len() {
            let (cut, heard) = heads(STREAM, size);
            assert_eq!(cut, whole, "in pieces of {size}");
            assert_eq!((&heard.partial[..], heard.phase), (&b"GET /par"[..], Phase::Head));
        }
    }

    #[test]
    fn what_cannot_be_followed_is_not_guessed_at() {
        for stream in [
            &b"POST / HTTP/1.1\r\nContent-Length: +5\r\n\r\nGET /x HTTP/1.1\r\n\r\n"[..],
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabGET /x HTTP/1.1\r\n\r\n",
        ] {
            let (heads, heard) = heads(stream, 7);
            assert_eq!((heads.len(), heard.phase), (1, Phase::Opaque));
        }
    }

    #[test]
    fn a_head_without_end_is_kept_up_to_its_limit() {
        let (heads, heard) = heads(&vec![b'a'; 300 << 10], 1000);
        assert_eq!((heads.len(), heard.phase), (0, Phase::Opaque));
        assert!(heard.partial.len() <= REFUSED_BYTES + 1000);
    }
}
