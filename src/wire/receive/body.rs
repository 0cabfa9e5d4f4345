//! Reading a body, as far as it comes and as far as it may.

use std::{error::Error as _, io};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use tokio::time::{Instant, timeout_at};

use super::{Limits, crowd::Hold};
use crate::record::{Flag, Headers};

/// A body of so many bytes or fewer is copied out of the connection's buffer, which then takes the next request: else each would
/// hold a whole one until its commit, and another would be allocated.
const COPIED_BYTES: usize = 16 << 10;

/// What was kept of a body.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) bytes: Bytes,
    pub(super) trailers: Headers,
    pub(super) truncated: bool,
    /// What went wrong.
    pub(super) flag: Option<Flag>,
    /// The status that this demands.
    pub(super) status: Option<u16>,
    /// Whether the sender is gone.
    pub(super) gone: bool,
}

/// How a body ended that is not whole.
struct End {
    flag: Flag,
    status: u16,
    gone: bool,
}

/// Reads a body of `most` bytes at most. What is declared to be too large is not waited for.
pub(super) async fn read(
    mut incoming: Incoming,
    declared: Option<u64>,
    limits: &Limits,
    most: usize,
    hold: &mut Hold,
) -> Kept {
    if incoming.is_end_stream() {
        return Kept::default();
    }
    if declared.is_some_and(|size| size > most as u64) {
        return Kept { truncated: true, flag: Some(Flag::TooLarge), status: Some(413), ..Kept::default() };
    }
    let mut parts = Parts { declared: declared.unwrap_or_default() as usize, ..Parts::default() };
    let ended = parts.collect(&mut incoming, limits, most, hold).await;
    let (bytes, trailers) = (parts.bytes(), parts.trailers);
    match ended {
        Ok(()) => Kept { bytes, trailers, ..Kept::default() },
        Err(End { flag, status, gone }) => {
            Kept { bytes, trailers, truncated: true, flag: Some(flag), status: Some(status), gone }
        }
    }
}

/// The parts of a body. A large body that comes in one part is not copied.
#[derive(Default)]
struct Parts {
    /// The size that was declared; 0 where none was.
    declared: usize,
    /// For how many bytes there is room, in the first part or in the copy of all.
    room: usize,
    /// Whether the connection's buffer, which grows with a body of several parts, is counted.
    has_buffer: bool,
    first: Bytes,
    all: Vec<u8>,
    trailers: Headers,
}

impl Parts {
    async fn collect(
        &mut self,
        incoming: &mut Incoming,
        limits: &Limits,
        most: usize,
        hold: &mut Hold,
    ) -> Result<(), End> {
        let end = Instant::now() + limits.body_total;
        loop {
            let until = end.min(Instant::now() + limits.body_idle);
            let slow = End { flag: Flag::Cut, status: 408, gone: false };
            let Some(frame) = timeout_at(until, incoming.frame()).await.map_err(|_| slow)? else { return Ok(()) };
            match frame.map_err(|error| broken(&error))?.into_data() {
                Ok(data) => self.add(data, limits, most, hold)?,
                Err(frame) => self.add_trailers(frame.into_trailers().ok()),
            }
        }
    }

    fn add(&mut self, data: Bytes, limits: &Limits, most: usize, hold: &mut Hold) -> Result<(), End> {
        let left = most - self.len();
        let over = data.len() > left;
        let data = if over { data.slice(..left) } else { data };
        let room = self.room_for(self.len() + data.len());
        // What is allocated counts, not only what has come.
        let goes_on = self.len() > 0;
        let buffer = if goes_on && !self.has_buffer { limits.read_bytes() } else { 0 };
        if !hold.more(room - self.room + buffer, limits) {
            return Err(End { flag: Flag::Overload, status: 503, gone: false });
        }
        (self.room, self.has_buffer) = (room, goes_on);
        if self.len() == 0 {
            self.first = if data.len() <= COPIED_BYTES { Bytes::copy_from_slice(&data) } else { data };
        } else {
            self.all.reserve_exact(room - self.all.len());
            self.all.extend_from_slice(&std::mem::take(&mut self.first));
            self.all.extend_from_slice(&data);
        }
        if over { Err(End { flag: Flag::TooLarge, status: 413, gone: false }) } else { Ok(()) }
    }

    fn add_trailers(&mut self, trailers: Option<hyper::HeaderMap>) {
        for (name, value) in &trailers.unwrap_or_default() {
            self.trailers.push(name.as_str(), Bytes::copy_from_slice(value.as_bytes()));
        }
    }

    /// The room for a body that is so long by now: what there is; else twice that, but no more than was declared.
    fn room_for(&self, length: usize) -> usize {
        if length <= self.room {
            return self.room;
        }
        let most = if self.declared > 0 { self.declared } else { usize::MAX };
        length.max((2 * self.room).min(most))
    }

    fn len(&self) -> usize {
        self.first.len() + self.all.len()
    }

    fn bytes(&mut self) -> Bytes {
        if self.all.is_empty() { std::mem::take(&mut self.first) } else { std::mem::take(&mut self.all).into() }
    }
}

/// What a body's error means: its chunks were malformed, or its sender is gone.
fn broken(error: &hyper::Error) -> End {
    let kind = error.source().and_then(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    match kind {
        Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) => {
            End { flag: Flag::BadChunk, status: 400, gone: false }
        }
        _ => End { flag: Flag::Cut, status: 400, gone: true },
    }
}

#[cfg(test)]
mod tests {
    use super::{super::crowd::Crowd, *};

    #[test]
    fn the_buffer_of_a_body_in_several_parts_counts_once() {
        let (_stop, stopped) = tokio::sync::watch::channel(false);
        let crowd = Crowd::new(stopped);
        let parts = |in_flight_bytes: usize, sizes: &[usize]| {
            let limits = Limits { in_flight_bytes, ..Limits::default() };
            let (mut parts, mut hold) = (Parts::default(), crowd.hold());
            sizes.iter().all(|&size| parts.add(vec![b'x'; size].into(), &limits, usize::MAX, &mut hold).is_ok())
        };
        let buffer = Limits::default().read_bytes();
        assert!(parts(0, &[buffer]), "one part is the buffer itself");
        assert!(!parts(0, &[1, 1]), "two are beside it");
        assert!(parts(4, &[1, 1, 1, 1]), "and so are all others, beside the same one");
        assert!(!parts(4, &[1, 1, 1, 1, 1]));
    }
}
