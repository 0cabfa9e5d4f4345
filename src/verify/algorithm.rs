//! The algorithms: what they make of a key and a content.

use hmac::{Hmac, KeyInit, Mac};
use ring::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

/// SHA-256 of some bytes.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// How a scheme signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Algorithm {
    HmacSha1,
    HmacSha256,
    HmacSha512,
    /// RFC 8032; the key a user holds is the public one.
    Ed25519,
    /// Nothing is signed: the secret itself is sent.
    Token,
}

impl Algorithm {
    /// The length of a signature in bytes, where it is always the same.
    pub(super) fn signature_bytes(self) -> Option<usize> {
        match self {
            Self::HmacSha1 => Some(20),
            Self::HmacSha256 => Some(32),
            Self::HmacSha512 | Self::Ed25519 => Some(64),
            Self::Token => None,
        }
    }

    /// The name in words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::HmacSha1 => "HMAC-SHA1",
            Self::HmacSha256 => "HMAC-SHA256",
            Self::HmacSha512 => "HMAC-SHA512",
            Self::Ed25519 => "Ed25519",
            Self::Token => "token compare",
        }
    }

    /// Whether whoever can check a signature can also make it.
    pub(super) fn is_symmetric(self) -> bool {
        self != Self::Ed25519
    }

    /// Whether a key can be one of this algorithm's; else in words why not.
    pub(super) fn takes(self, key: &[u8]) -> Result<(), &'static str> {
        if self == Self::Ed25519 && key.len() != 32 { Err("a public key has 32 bytes") } else { Ok(()) }
    }

    /// The code of a content under a key, fed in parts. None for schemes that are not symmetric.
    pub(super) fn code(self, key: &[u8], content: &dyn Fn(&mut dyn FnMut(&[u8]))) -> Option<Vec<u8>> {
        match self {
            Self::HmacSha1 => Some(hmac::<Hmac<Sha1>>(key, content)),
            Self::HmacSha256 => Some(hmac::<Hmac<Sha256>>(key, content)),
            Self::HmacSha512 => Some(hmac::<Hmac<Sha512>>(key, content)),
            Self::Token => Some(key.to_vec()),
            Self::Ed25519 => None,
        }
    }

    /// Whether a public key says that a signature is of this content.
    pub(super) fn public_key_verifies(self, key: &[u8], content: &[u8], signature: &[u8]) -> bool {
        self == Self::Ed25519 && UnparsedPublicKey::new(&ED25519, key).verify(content, signature).is_ok()
    }

    /// Signs with a private key: an Ed25519 seed, its public key behind it.
    pub(super) fn sign_with_private_key(self, key: &[u8], content: &[u8]) -> Option<Vec<u8>> {
        let (seed, public) = key.split_at_checked(32)?;
        let pair = Ed25519KeyPair::from_seed_and_public_key(seed, public).ok()?;
        Some(pair.sign(content).as_ref().to_vec())
    }
}

fn hmac<M: Mac + KeyInit>(key: &[u8], content: &dyn Fn(&mut dyn FnMut(&[u8]))) -> Vec<u8> {
    // HMAC takes a key of any length (RFC 2104, section 2); the error branch is for algorithms that do not.
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else { return Vec::new() };
    content(&mut |part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}
