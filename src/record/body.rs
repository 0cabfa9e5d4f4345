//! A request's body.

use bytes::Bytes;

/// The body as received, after transfer decoding; a content encoding is not undone here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// How many bytes are kept.
    pub size: u64,
    /// The bytes kept; empty where a reader was asked to leave them in the store.
    pub bytes: Bytes,
    /// SHA-256 of the bytes kept.
    pub sha256: [u8; 32],
    /// The size the sender declared, where it did.
    pub declared: Option<u64>,
    /// Whether less than the whole body is kept: over the limit, or ended early.
    pub truncated: bool,
}

impl Body {
    /// A body that is whole, of those bytes and their SHA-256.
    pub fn whole(bytes: Bytes, sha256: [u8; 32]) -> Self {
        Self { size: bytes.len() as u64, bytes, sha256, declared: None, truncated: false }
    }
}
