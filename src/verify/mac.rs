//! The algorithms: what a key makes of some bytes.

use hmac::{
    Hmac, KeyInit, Mac,
    digest::{FixedOutput, Update},
};
use ring::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};
use serde::Deserialize;
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use super::{compare::Tag, key::Key};

/// How a signature is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Algorithm {
    /// HMAC (RFC 2104) with SHA-1.
    HmacSha1,
    /// HMAC with SHA-256.
    HmacSha256,
    /// HMAC with SHA-512.
    HmacSha512,
    /// Ed25519 (RFC 8032): the sender holds the private key, we the public one.
    Ed25519,
    /// Nothing is signed: the secret itself is sent.
    Token,
}

impl Algorithm {
    /// Its name, for eyes.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::HmacSha1 => "HMAC-SHA1",
            Self::HmacSha256 => "HMAC-SHA256",
            Self::HmacSha512 => "HMAC-SHA512",
            Self::Ed25519 => "Ed25519",
            Self::Token => "token",
        }
    }

    /// How long its signature is in bytes, where that is fixed.
    pub(super) fn length(self) -> Option<usize> {
        match self {
            Self::HmacSha1 => Some(20),
            Self::HmacSha256 => Some(32),
            Self::HmacSha512 | Self::Ed25519 => Some(64),
            Self::Token => None,
        }
    }

    /// Whether only the sender can sign.
    pub(super) fn has_public_key(self) -> bool {
        self == Self::Ed25519
    }

    /// What the key makes of these parts in a row. None where only the sender can make it.
    pub(super) fn tag(self, key: &Key, parts: &[&[u8]]) -> Option<Tag> {
        match (self, key) {
            (Self::HmacSha1, Key::Shared(key)) => hmac::<Hmac<Sha1>>(key, parts),
            (Self::HmacSha256, Key::Shared(key)) => hmac::<Hmac<Sha256>>(key, parts),
            (Self::HmacSha512, Key::Shared(key)) => hmac::<Hmac<Sha512>>(key, parts),
            (Self::Token, Key::Shared(key)) => Some(Tag::new(&key[..])),
            (Self::Ed25519, Key::Private { seed, public }) => {
                let pair = Ed25519KeyPair::from_seed_and_public_key(seed, public).ok()?;
                Some(Tag::new(pair.sign(&parts.concat()).as_ref()))
            }
            _ => None,
        }
    }

    /// Whether a signature is the sender's, for algorithms with a public key.
    pub(super) fn is_of_sender(key: &Key, parts: &[&[u8]], signature: &[u8]) -> bool {
        match key {
            Key::Public(public) | Key::Private { public, .. } => {
                UnparsedPublicKey::new(&ED25519, public).verify(&parts.concat(), signature).is_ok()
            }
            Key::Shared(_) => false,
        }
    }
}

fn hmac<M: Mac + KeyInit + Update + FixedOutput>(key: &[u8], parts: &[&[u8]]) -> Option<Tag> {
    // HMAC takes a key of any length (RFC 2104, section 3), so this is never None.
    let mut mac = <M as KeyInit>::new_from_slice(key).ok()?;
    for part in parts {
        Mac::update(&mut mac, part);
    }
    Some(Tag::new(&mac.finalize().into_bytes()[..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::encoding::Encoding;

    #[test]
    fn hmac_gives_what_the_rfcs_say() {
        // RFC 2202, section 3 and RFC 4231, section 4.3: test case 2.
        let cases = [
            (Algorithm::HmacSha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            (Algorithm::HmacSha256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
            (
                Algorithm::HmacSha512,
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1\
                 a34d4a6b4b636e070a38bce737",
            ),
        ];
        for (algorithm, expected) in cases {
            let tag = algorithm.tag(&Key::Shared(b"Jefe".to_vec()), &[b"what do ya want ", b"for nothing?"]);
            assert_eq!(tag.map(|tag| tag.written(Encoding::Hex)).as_deref(), Some(expected));
        }
    }

    #[test]
    fn ed25519_gives_what_the_rfc_says() {
        // RFC 8032, section 7.1, test 2.
        let seed = hex::decode("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb").unwrap();
        let public = hex::decode("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c").unwrap();
        let expected = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c\
                        387b2eaeb4302aeeb00d291612bb0c00";
        let private = Key::Private { seed, public: public.clone() };
        let tag = Algorithm::Ed25519.tag(&private, &[b"\x72"]).unwrap();
        assert_eq!(tag.written(Encoding::Hex), expected);
        let signature = hex::decode(expected).unwrap();
        assert!(Algorithm::is_of_sender(&Key::Public(public.clone()), &[b"\x72"], &signature));
        assert!(!Algorithm::is_of_sender(&Key::Public(public.clone()), &[b"\x73"], &signature));
        assert!(Algorithm::Ed25519.tag(&Key::Public(public), &[b"\x72"]).is_none());
    }
}
