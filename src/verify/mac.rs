//! The algorithms: what a key makes of some bytes.

use hmac::{
    Hmac, KeyInit, Mac,
    digest::{Digest, FixedOutput, Update},
};
use md5::Md5;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, Ed25519KeyPair, RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, UnparsedPublicKey, VerificationAlgorithm,
};
use serde::Deserialize;
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

use super::{compare::Tag, key::Key};

/// How a signature is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Algorithm {
    /// HMAC (RFC 2104) with MD5.
    HmacMd5,
    /// HMAC with SHA-1.
    HmacSha1,
    /// HMAC with SHA-256.
    HmacSha256,
    /// HMAC with SHA-384.
    HmacSha384,
    /// HMAC with SHA-512.
    HmacSha512,
    /// MD5 of what is signed, the secret among it.
    Md5,
    /// SHA-1 of what is signed, the secret among it.
    Sha1,
    /// SHA-256 of what is signed, the secret among it.
    Sha256,
    /// SHA-512 of what is signed, the secret among it.
    Sha512,
    /// Ed25519 (RFC 8032): the sender holds the private key, we the public one.
    Ed25519,
    /// ECDSA over P-256 with SHA-256, the signature in DER.
    EcdsaP256Sha256,
    /// RSA PKCS#1 v1.5 with SHA-1.
    RsaSha1,
    /// RSA PKCS#1 v1.5 with SHA-256.
    RsaSha256,
    /// A JSON Web Token (RFC 7519) whose claims name what is signed.
    Jwt,
    /// A detached JWS (RFC 7515, appendix F) with ES512 over what is signed.
    JwsDetached,
    /// Nothing is signed: the secret itself is sent.
    Token,
    /// A scheme that cannot be checked without asking somebody on the network.
    Remote,
}

/// What an algorithm is called, and how long its signature is in bytes, where that is fixed.
const NAMES: [(Algorithm, &str, Option<usize>); 17] = [
    (Algorithm::HmacMd5, "HMAC-MD5", Some(16)),
    (Algorithm::HmacSha1, "HMAC-SHA1", Some(20)),
    (Algorithm::HmacSha256, "HMAC-SHA256", Some(32)),
    (Algorithm::HmacSha384, "HMAC-SHA384", Some(48)),
    (Algorithm::HmacSha512, "HMAC-SHA512", Some(64)),
    (Algorithm::Md5, "MD5 hash", Some(16)),
    (Algorithm::Sha1, "SHA-1 hash", Some(20)),
    (Algorithm::Sha256, "SHA-256 hash", Some(32)),
    (Algorithm::Sha512, "SHA-512 hash", Some(64)),
    (Algorithm::Ed25519, "Ed25519", Some(64)),
    (Algorithm::EcdsaP256Sha256, "ECDSA P-256 SHA-256", None),
    (Algorithm::RsaSha1, "RSA-SHA1", None),
    (Algorithm::RsaSha256, "RSA-SHA256", None),
    (Algorithm::Jwt, "JWT", None),
    (Algorithm::JwsDetached, "detached JWS, ES512", None),
    (Algorithm::Token, "token", None),
    (Algorithm::Remote, "a key from the network", None),
];

impl Algorithm {
    /// Its name, for eyes.
    pub(super) fn name(self) -> &'static str {
        NAMES[self as usize].1
    }

    /// How long its signature is in bytes, where that is fixed.
    pub(super) fn length(self) -> Option<usize> {
        NAMES[self as usize].2
    }

    /// Whether only the sender can sign.
    pub(super) fn has_public_key(self) -> bool {
        self.verification().is_some() || self == Self::JwsDetached
    }

    /// Whether its hash is one that nobody should choose any more.
    pub(super) fn is_outdated(self) -> bool {
        matches!(self, Self::HmacMd5 | Self::HmacSha1 | Self::Md5 | Self::Sha1 | Self::RsaSha1)
    }

    /// Whether the secret must be part of what is signed, because nothing else holds it.
    pub(super) fn is_bare_hash(self) -> bool {
        matches!(self, Self::Md5 | Self::Sha1 | Self::Sha256 | Self::Sha512)
    }

    /// Those that a shared secret and some bytes are enough for: what else the sender may have meant.
    pub(super) fn keyed() -> impl Iterator<Item = Self> {
        [Self::HmacSha256, Self::HmacSha1, Self::HmacSha512, Self::HmacSha384, Self::HmacMd5].into_iter()
    }

    /// Those that have no key at all.
    pub(super) fn bare() -> impl Iterator<Item = Self> {
        [Self::Sha256, Self::Sha1, Self::Sha512, Self::Md5].into_iter()
    }

    /// What the key makes of these parts in a row. None where only the sender can make it.
    pub(super) fn tag(self, key: &Key, parts: &[&[u8]]) -> Option<Tag> {
        match (self, key) {
            (Self::HmacMd5, Key::Shared(key)) => hmac::<Hmac<Md5>>(key, parts),
            (Self::HmacSha1, Key::Shared(key)) => hmac::<Hmac<Sha1>>(key, parts),
            (Self::HmacSha256, Key::Shared(key)) => hmac::<Hmac<Sha256>>(key, parts),
            (Self::HmacSha384, Key::Shared(key)) => hmac::<Hmac<Sha384>>(key, parts),
            (Self::HmacSha512, Key::Shared(key)) => hmac::<Hmac<Sha512>>(key, parts),
            (Self::Md5, Key::Shared(_)) => Some(hash::<Md5>(parts)),
            (Self::Sha1, Key::Shared(_)) => Some(hash::<Sha1>(parts)),
            (Self::Sha256, Key::Shared(_)) => Some(hash::<Sha256>(parts)),
            (Self::Sha512, Key::Shared(_)) => Some(hash::<Sha512>(parts)),
            (Self::Token, Key::Shared(key)) => Some(Tag::new(&key[..])),
            (Self::Ed25519, Key::Private { seed, public }) => {
                let pair = Ed25519KeyPair::from_seed_and_public_key(seed, public).ok()?;
                Some(Tag::new(pair.sign(&parts.concat()).as_ref()))
            }
            _ => None,
        }
    }

    /// Whether a signature is the sender's, for algorithms with a public key.
    pub(super) fn is_of_sender(self, key: &Key, parts: &[&[u8]], signature: &[u8]) -> bool {
        match (key, self.verification()) {
            (Key::Public(public) | Key::Private { public, .. }, Some(verification)) => {
                UnparsedPublicKey::new(verification, public).verify(&parts.concat(), signature).is_ok()
            }
            _ => false,
        }
    }

    fn verification(self) -> Option<&'static dyn VerificationAlgorithm> {
        match self {
            Self::Ed25519 => Some(&ED25519),
            Self::EcdsaP256Sha256 => Some(&ECDSA_P256_SHA256_ASN1),
            Self::RsaSha1 => Some(&RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY),
            Self::RsaSha256 => Some(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY),
            _ => None,
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

fn hash<D: Digest>(parts: &[&[u8]]) -> Tag {
    let mut digest = D::new();
    for part in parts {
        Digest::update(&mut digest, part);
    }
    Tag::new(&digest.finalize()[..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::encoding::Encoding;

    #[test]
    fn every_algorithm_has_its_own_row() {
        assert!(NAMES.iter().enumerate().all(|(at, row)| row.0 as usize == at));
    }

    #[test]
    fn hmac_gives_what_the_rfcs_say() {
        // RFC 2202, sections 2 and 3, and RFC 4231, section 4.3: test case 2.
        let cases = [
            (Algorithm::HmacMd5, "750c783e6ab0b503eaa86e310a5db738"),
            (Algorithm::HmacSha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            (Algorithm::HmacSha256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
            (
                Algorithm::HmacSha384,
                "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
            ),
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
        let is_right = |text: &[u8]| Algorithm::Ed25519.is_of_sender(&Key::Public(public.clone()), &[text], &signature);
        assert!(is_right(b"\x72") && !is_right(b"\x73"));
        assert!(Algorithm::Ed25519.tag(&Key::Public(public), &[b"\x72"]).is_none());
    }
}
