//! The answer on its way out: whole, or as an endpoint was told to spoil it.

use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use hyper::{
    Response, StatusCode,
    body::{Body, Frame, SizeHint},
    header::{CONNECTION, CONTENT_LENGTH, HeaderName, HeaderValue},
};
use tokio::time::Sleep;

use super::{Answer, Form};

/// How long half an answer stands alone before the connection is closed, so that it is on its way by then.
const HALF_STANDS: Duration = Duration::from_millis(50);
/// The shortest pause between two parts of a slow answer.
const PAUSE: Duration = Duration::from_millis(50);

/// How a malformed request is answered.
pub(super) const BAD: &str = "400 Bad Request";
/// How one is answered whose head is too large.
pub(super) const TOO_LARGE: &str = "431 Request Header Fields Too Large";
/// Why a head is not waited for any longer.
pub(super) const SLOW_HEAD: &str = "slow head";

/// The body of an answer.
pub(super) enum Reply {
    Whole(Bytes),
    Spoiled(Box<Spoiled>),
}

/// A body that comes in parts, and perhaps not to its end.
pub(super) struct Spoiled {
    rest: Bytes,
    /// What the head says of its length.
    declared: u64,
    /// The bytes of a part.
    part: usize,
    pause: Duration,
    sleep: Pin<Box<Sleep>>,
    /// Whether the connection ends where the bytes do.
    breaks: bool,
}

/// A connection is ended in the middle of an answer, or without one.
#[derive(Debug)]
pub(super) struct Abandoned;

impl fmt::Display for Abandoned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer was broken off, as told")
    }
}

impl std::error::Error for Abandoned {}

impl From<Infallible> for Abandoned {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl Reply {
    pub(super) fn new(body: Bytes, form: Form) -> Self {
        match form {
            Form::Whole | Form::Closed => Self::Whole(body),
            Form::Half => {
                // Of an empty body a byte is promised, and none comes.
                let declared = body.len().max(1) as u64;
                let rest = body.slice(..body.len() / 2);
                let part = rest.len().max(1);
                let sleep = Box::pin(tokio::time::sleep(Duration::ZERO));
                Self::Spoiled(Box::new(Spoiled { rest, declared, part, pause: HALF_STANDS, sleep, breaks: true }))
            }
            Form::Slow(whole) => {
                let parts = (whole.as_millis() / PAUSE.as_millis()).clamp(1, body.len().max(1) as u128) as usize;
                let (declared, part) = (body.len() as u64, body.len().div_ceil(parts).max(1));
                let pause = whole / u32::try_from(parts).unwrap_or(u32::MAX);
                let sleep = Box::pin(tokio::time::sleep(pause));
                Self::Spoiled(Box::new(Spoiled { rest: body, declared, part, pause, sleep, breaks: false }))
            }
        }
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Abandoned;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Abandoned>>> {
        match &mut *self {
            Self::Whole(body) if body.is_empty() => Poll::Ready(None),
            Self::Whole(body) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(body))))),
            Self::Spoiled(spoiled) => spoiled.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_empty(),
            Self::Spoiled(spoiled) => spoiled.rest.is_empty() && !spoiled.breaks,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => SizeHint::with_exact(body.len() as u64),
            Self::Spoiled(spoiled) => SizeHint::with_exact(spoiled.declared),
        }
    }
}

impl Spoiled {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Abandoned>>> {
        if self.rest.is_empty() && !self.breaks {
            return Poll::Ready(None);
        }
        ready!(self.sleep.as_mut().poll(cx));
        if self.rest.is_empty() {
            return Poll::Ready(Some(Err(Abandoned)));
        }
        self.sleep.as_mut().reset(tokio::time::Instant::now() + self.pause);
        let part = self.rest.split_to(self.part.min(self.rest.len()));
        self.declared = self.declared.saturating_sub(part.len() as u64);
        Poll::Ready(Some(Ok(Frame::data(part))))
    }
}

/// An answer as hyper takes it. `closes`: nothing more is read of this connection.
pub(super) fn response(answer: Answer, status: u16, closes: bool) -> Response<Reply> {
    let mut response = Response::new(Reply::new(answer.body, answer.manner.form));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        // What is no header cannot be sent as one; settings were checked where they were read.
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    if closes {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// The answer to what never became a request, as it goes over the wire: why, and that nothing more is read.
pub(super) fn refusal(status: &str, why: &str) -> Bytes {
    let length = why.len() + 1;
    let head = format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n"
    );
    format!("{head}{why}\n").into()
}

/// The answer to a head that does not go on.
pub(super) fn slow_head() -> Bytes {
    refusal("408 Request Timeout", SLOW_HEAD)
}

/// The head of an answer: what HEAD asks for. It tells the length of the body that does not follow.
pub(super) fn head_of(mut answer: Response<Reply>) -> Response<Reply> {
    let length = answer.body().size_hint().lower();
    if length > 0 {
        answer.headers_mut().entry(CONTENT_LENGTH).or_insert_with(|| length.into());
    }
    answer.map(|_| Reply::Whole(Bytes::new()))
}
