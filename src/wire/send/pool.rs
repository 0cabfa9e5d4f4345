//! Connections to apps that are kept for the next request.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::SendRequest;
use tokio::task::AbortHandle;

use super::{stream::Turn, url::Url};

/// How long a connection is kept unused: less than the 5 s after which the most impatient of common servers closes it.
const IDLE: Duration = Duration::from_secs(4);
/// How many unused connections are kept to one app.
const IDLE_AT_ONE: usize = 256;

/// Where a connection leads, and on what terms.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Door {
    https: bool,
    host: String,
    port: u16,
    insecure: bool,
}

impl Door {
    pub(super) fn of(url: &Url, insecure: bool) -> Self {
        Self { https: url.is_https(), host: url.host().to_owned(), port: url.port(), insecure }
    }
}

/// A connection, driven by a task that ends with it.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) sender: SendRequest<Full<Bytes>>,
    pub(super) turn: Arc<Mutex<Turn>>,
    /// Whether a request has been answered on it before.
    pub(super) used: bool,
    pub(super) driver: Driver,
    pub(super) since: Instant,
}

/// Ends a connection's task, and so what its reply still has to say.
#[derive(Debug)]
pub(super) struct Driver(pub(super) AbortHandle);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Unused connections, newest last.
#[derive(Clone, Debug, Default)]
pub(super) struct Pool(Arc<Mutex<HashMap<Door, Vec<Line>>>>);

impl Pool {
    /// The connection that was used last, where it is still good.
    pub(super) fn take(&self, door: &Door) -> Option<Line> {
        let mut doors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = doors.get_mut(door)?;
        let line = lines.pop().filter(Line::is_good);
        if line.is_none() {
            // All others are older.
            lines.clear();
        }
        line
    }

    /// Keeps a connection for the next.
    pub(super) fn put(&self, door: Door, mut line: Line) {
        (line.used, line.since) = (true, Instant::now());
        let mut doors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = doors.entry(door).or_default();
        let stale = lines.iter().take_while(|line| !line.is_good()).count();
        lines.drain(..stale);
        if lines.len() < IDLE_AT_ONE {
            lines.push(line);
        }
    }
}

impl Line {
    fn is_good(&self) -> bool {
        !self.driver.0.is_finished() && !self.sender.is_closed() && self.since.elapsed() < IDLE
    }
}
