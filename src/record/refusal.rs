//! A connection or request that never became a capture.

use super::Timestamp;

/// Bytes that were no request creel could take: refused on the wire, counted and listed, with what came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// When.
    pub at: Timestamp,
    /// The other end, `ADDR:PORT`.
    pub peer: String,
    /// What was answered; none where the connection was closed without a word.
    pub status: Option<u16>,
    /// Why, in a few words: "not HTTP: looks like TLS".
    pub reason: String,
    /// The first bytes that came, at most 64 KiB.
    pub head: Vec<u8>,
}
