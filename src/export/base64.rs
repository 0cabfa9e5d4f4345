//! Bytes as base 64 text, with padding (RFC 4648, section 4).

use ::base64::{Engine, engine::general_purpose::STANDARD};

pub(super) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}
