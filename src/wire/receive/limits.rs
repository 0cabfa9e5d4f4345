//! What a sender may ask of creel at most. Each limit has a constant for its default and can be set.

use std::time::Duration;

/// A head must be whole this long after its first byte.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// The longest head, in bytes.
const HEAD_BYTES: usize = 64 << 10;
/// The most header lines.
const HEADERS: usize = 100;
/// The longest pause within a body.
const BODY_IDLE: Duration = Duration::from_secs(15);
/// The longest time for a body.
const BODY_TOTAL: Duration = Duration::from_secs(120);
/// The largest body, in bytes: the largest that GitHub sends.
const BODY_BYTES: usize = 25 << 20;
/// The most bytes of bodies that are being read or wait for their commit, over all connections.
const IN_FLIGHT_BYTES: usize = 128 << 20;
/// The longest time between two requests on one connection.
const KEEP_ALIVE: Duration = Duration::from_secs(60);
/// The most connections.
const CONNECTIONS: usize = 1_024;
/// The most connections of one address.
const CONNECTIONS_PER_ADDRESS: usize = 256;
/// How long a stopping server waits for what is in flight.
const DRAIN: Duration = Duration::from_secs(10);

/// The most that is read of a connection at once, in bytes. hyper's own measure is 400 KiB, for each of a thousand connections
/// that send large bodies.
const READ_BYTES: usize = 64 << 10;
/// What must fit behind a head that is as long as it may be.
const BEHIND_A_HEAD: usize = 8 << 10;
/// The longest method, in letters.
pub(super) const METHOD_LETTERS: usize = 32;
/// How much of a refused head is kept, in bytes.
pub(super) const REFUSED_BYTES: usize = 64 << 10;

/// The limits in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A head must be whole this long after its first byte.
    pub head_time: Duration,
    /// The longest head, in bytes.
    pub head_bytes: usize,
    /// The most header lines.
    pub headers: usize,
    /// The longest pause within a body.
    pub body_idle: Duration,
    /// The longest time for a body.
    pub body_total: Duration,
    /// The largest body, in bytes.
    pub body_bytes: usize,
    /// The most bytes of bodies that are being read or wait for their commit, over all connections.
    pub in_flight_bytes: usize,
    /// The longest time between two requests on one connection.
    pub keep_alive: Duration,
    /// The most connections.
    pub connections: usize,
    /// The most connections of one address.
    pub connections_per_address: usize,
    /// How long a stopping server waits for what is in flight.
    pub drain: Duration,
}

impl Limits {
    /// The buffer of a connection: the most that is read of it at once, in bytes.
    pub(super) fn read_bytes(&self) -> usize {
        READ_BYTES.max(self.head_bytes + BEHIND_A_HEAD)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_time: HEAD_TIME,
            head_bytes: HEAD_BYTES,
            headers: HEADERS,
            body_idle: BODY_IDLE,
            body_total: BODY_TOTAL,
            body_bytes: BODY_BYTES,
            in_flight_bytes: IN_FLIGHT_BYTES,
            keep_alive: KEEP_ALIVE,
            connections: CONNECTIONS,
            connections_per_address: CONNECTIONS_PER_ADDRESS,
            drain: DRAIN,
        }
    }
}
