//! Secrets, and the keys they are made into.

use std::{borrow::Cow, fmt};

use ring::signature::{Ed25519KeyPair, KeyPair};
use serde::Deserialize;
use sha1::{Digest, Sha1};
use sha2::Sha256;
use unicode_normalization::UnicodeNormalization;

use super::{
    compare::Tag,
    encoding::{Encoding, read_secret_base64},
    mac::Algorithm,
    pem,
};
use crate::record::counted;

/// The length of an Ed25519 public key, and of the seed of a private one, in bytes (RFC 8032, section 5.1.5).
const ED25519_KEY: usize = 32;

/// A secret in the form in which the provider hands it out. It shows itself to nobody: `Debug` prints `[redacted]`,
/// there is no `Display`, and it cannot be compared.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Takes a secret in.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// Whether it is no secret at all. An empty key would let everybody sign.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether these bytes are the secret. An empty one is nobody's.
    pub fn is(&self, shown: &[u8]) -> bool {
        !self.is_empty() && Tag::new(&self.0[..]).is(shown)
    }

    /// Whether this is the secret in Base64.
    pub fn is_in_base64(&self, shown: &[u8]) -> bool {
        Encoding::Base64.read(shown).is_some_and(|bytes| self.is(&bytes))
    }

    /// The secret with something before it, such as a name and a colon. An empty one stays empty.
    #[must_use]
    pub fn after(self, before: &[u8]) -> Self {
        if self.is_empty() { self } else { Self([before, &self.0].concat()) }
    }

    /// The bytes, for the parts of this room that make other secrets of them or put them into what is hashed.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// How a secret is written.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Form {
    /// Its bytes are the key.
    #[default]
    Text,
    /// Base64 of the key; padding optional.
    Base64,
    /// Hexadecimal digits of the key.
    Hex,
    /// The key is the SHA-1 of the text (Braintree).
    Sha1,
    /// The key is the SHA-256 of the text (ConnectWise).
    Sha256,
    /// The text in Unicode's form NFKD (EasyPost).
    Nfkd,
    /// The text repeated to 32 bytes is the seed of an Ed25519 key (QQ).
    Seed,
    /// PEM of a public key or of a certificate, or its base64 alone.
    Pem,
}

/// How a secret becomes a key.
#[derive(Clone, Debug)]
pub(super) struct SecretForm {
    /// How it is written.
    pub(super) form: Form,
    /// What may stand before it and is no part of it: `whsec_`.
    pub(super) prefix: String,
    /// What stands before a private key of a public-key scheme: `whsk_`.
    pub(super) private_prefix: Option<String>,
}

/// A secret, ready for its algorithm.
pub(super) enum Key {
    /// A key that both sides hold.
    Shared(Vec<u8>),
    /// The sender's public key.
    Public(Vec<u8>),
    /// The sender's own key: its seed and the public key that belongs to it.
    Private {
        /// The seed.
        seed: Vec<u8>,
        /// The public key.
        public: Vec<u8>,
    },
}

impl SecretForm {
    /// Makes the key. Where the secret is none of this form, the error names what is wrong with it in words that can
    /// follow "the secret", and never a part of it.
    pub(super) fn key(&self, secret: &Secret, algorithm: Algorithm) -> Result<Key, String> {
        let private = self.private_prefix.as_deref().and_then(|prefix| secret.0.strip_prefix(prefix.as_bytes()));
        if let Some(private) = private {
            return private_key(&self.decode(private)?);
        }
        let text = secret.0.strip_prefix(self.prefix.as_bytes()).unwrap_or(&secret.0);
        let bytes = self.decode(text)?;
        match (algorithm, bytes.len()) {
            (_, 0) => Err("holds no key".to_owned()),
            (Algorithm::Ed25519, _) if matches!(self.form, Form::Seed) => seeded(bytes),
            (Algorithm::Ed25519, ED25519_KEY) => Ok(Key::Public(bytes)),
            (Algorithm::Ed25519, length) => {
                Err(format!("holds {}; a public key has {ED25519_KEY}", counted(length as u64, "byte")))
            }
            (Algorithm::Jwt, _) => Ok(self.jwt_key(text, bytes)),
            (algorithm, _) if algorithm.has_public_key() => Ok(Key::Public(bytes)),
            _ => Ok(Key::Shared(bytes)),
        }
    }

    /// A token is signed with either kind: a text that is PEM is a public key, any other a shared secret.
    fn jwt_key(&self, text: &[u8], bytes: Vec<u8>) -> Key {
        let is_pem = text.trim_ascii_start().starts_with(b"-----BEGIN ");
        match (is_pem || matches!(self.form, Form::Pem)).then(|| pem::public_key(text)).flatten() {
            Some(public) => Key::Public(public),
            None => Key::Shared(bytes),
        }
    }

    /// What a secret looks like, for eyes.
    pub(super) fn described(&self, algorithm: Algorithm) -> String {
        let shared = !algorithm.has_public_key() || matches!(self.form, Form::Seed);
        let what = if shared { "" } else { "public key, " };
        let form = match self.form {
            Form::Text => "the text itself",
            Form::Base64 => "base64",
            Form::Hex => "hex",
            Form::Sha1 => "the text, of which the SHA-1 is the key",
            Form::Sha256 => "the text, of which the SHA-256 is the key",
            Form::Nfkd => "the text in Unicode's form NFKD",
            Form::Seed => "the text; repeated to 32 bytes it is the seed",
            Form::Pem => "PEM, or a certificate in PEM",
        };
        let prefix = if self.prefix.is_empty() { String::new() } else { format!(" after {}", self.prefix) };
        let private = self.private_prefix.as_ref().map_or(String::new(), |p| format!(" (private key: after {p})"));
        format!("{what}{form}{prefix}{private}")
    }

    fn decode(&self, text: &[u8]) -> Result<Vec<u8>, String> {
        match self.form {
            Form::Text => Ok(text.to_vec()),
            Form::Base64 => read_secret_base64(text).ok_or_else(|| self.not("base64")),
            Form::Hex => Encoding::Hex.read(text).map(Cow::into_owned).ok_or_else(|| self.not("hex")),
            Form::Sha1 => Ok(Sha1::digest(text).to_vec()),
            Form::Sha256 => Ok(Sha256::digest(text).to_vec()),
            Form::Nfkd => Ok(String::from_utf8_lossy(text).nfkd().collect::<String>().into_bytes()),
            Form::Seed => Ok(text.iter().copied().cycle().take(ED25519_KEY).collect()),
            Form::Pem => pem::public_key(text).ok_or_else(|| self.not("a public key or certificate in PEM")),
        }
    }

    fn not(&self, form: &str) -> String {
        match &*self.prefix {
            "" => format!("is not {form}"),
            prefix => format!("is not {form} after {prefix}"),
        }
    }
}

/// Standard Webhooks writes a private key as its seed and its public key in a row.
fn private_key(bytes: &[u8]) -> Result<Key, String> {
    if bytes.len() != 2 * ED25519_KEY {
        return Err(format!("holds {}; a private key has {}", counted(bytes.len() as u64, "byte"), 2 * ED25519_KEY));
    }
    let (seed, public) = bytes.split_at(ED25519_KEY);
    Ok(Key::Private { seed: seed.to_vec(), public: public.to_vec() })
}

impl SecretForm {
    /// A secret of this form that is nobody's.
    pub(super) fn of_nobody(&self) -> Secret {
        let text = match self.form {
            Form::Base64 => format!("{}{}", self.prefix, Encoding::Base64.write(b"a secret that nobody was given!!")),
            Form::Hex => "6e6f626f6479206e6f626f6479206e6f626f6479206e6f626f6479206e6f2121".to_owned(),
            _ => format!("{}a-secret-that-nobody-was-given", self.prefix),
        };
        Secret::new(text)
    }
}

/// The key pair of a seed.
fn seeded(seed: Vec<u8>) -> Result<Key, String> {
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| "is no seed of a key".to_owned())?;
    Ok(Key::Private { public: pair.public_key().as_ref().to_vec(), seed })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(form: Form, prefix: &str) -> SecretForm {
        SecretForm { form, prefix: prefix.to_owned(), private_prefix: Some("whsk_".to_owned()) }
    }

    #[test]
    fn a_secret_shows_itself_to_nobody() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "[redacted]");
    }

    #[test]
    fn a_prefix_may_be_there_or_not() {
        for text in ["whsec_aGk=", "aGk=", "aGk", "whsec_aGk"] {
            let key = form(Form::Base64, "whsec_").key(&Secret::new(text), Algorithm::HmacSha256);
            assert!(matches!(key, Ok(Key::Shared(bytes)) if bytes == b"hi"), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_secret_is_said_without_it() {
        let cases = [
            (Form::Base64, "whsec_hunter2!", Algorithm::HmacSha256, "is not base64 after whsec_"),
            (Form::Base64, "whsec_", Algorithm::HmacSha256, "holds no key"),
            (Form::Hex, "hunter2", Algorithm::Ed25519, "is not hex after whsec_"),
            (Form::Hex, "abcd", Algorithm::Ed25519, "holds 2 bytes; a public key has 32"),
            (Form::Base64, "whsk_aGk=", Algorithm::Ed25519, "holds 2 bytes; a private key has 64"),
        ];
        for (kind, text, algorithm, expected) in cases {
            let problem = form(kind, "whsec_").key(&Secret::new(text), algorithm).err();
            assert_eq!(problem.as_deref(), Some(expected));
        }
    }
}
