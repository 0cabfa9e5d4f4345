//! The one place where secret bytes are compared, in constant time.
//!
//! What a secret makes (a MAC, or a token itself) lives in a [`Tag`], which is no `PartialEq` and gives its bytes away
//! only encoded. So a comparison that stops at the first wrong byte, and tells by its time where that was, cannot be
//! written by mistake. `tests/verify_source.rs` holds it.

use subtle::ConstantTimeEq;

use super::encoding::Encoding;

/// Bytes that only the holder of the secret can make.
pub(super) struct Tag(Vec<u8>);

impl Tag {
    /// Takes the bytes in.
    pub(super) fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// Whether the received bytes are these. The time depends on the lengths only.
    pub(super) fn is(&self, received: &[u8]) -> bool {
        self.0.ct_eq(received).into()
    }

    /// The bytes as the scheme writes them.
    pub(super) fn written(&self, encoding: Encoding) -> String {
        encoding.write(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_its_own_bytes_and_no_others() {
        let tag = Tag::new(*b"abc");
        assert!(tag.is(b"abc"));
        for other in [&b"abd"[..], b"ab", b"abcd", b""] {
            assert!(!tag.is(other));
        }
        assert_eq!(tag.written(Encoding::Hex), "616263");
    }
}
