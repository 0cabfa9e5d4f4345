//! Secrets, and the keys they are made into.

use std::fmt;

use serde::Deserialize;

use super::{
    encoding::{Encoding, read_secret_base64},
    mac::Algorithm,
};

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
        match (algorithm.has_public_key(), bytes.len()) {
            (_, 0) => Err("holds no key".to_owned()),
            (false, _) => Ok(Key::Shared(bytes)),
            (true, ED25519_KEY) => Ok(Key::Public(bytes)),
            (true, length) => Err(format!("holds {length} bytes; a public key has {ED25519_KEY}")),
        }
    }

    /// What a secret looks like, for eyes.
    pub(super) fn described(&self, algorithm: Algorithm) -> String {
        let what = if algorithm.has_public_key() { "public key, " } else { "" };
        let form = match self.form {
            Form::Text => "the text itself",
            Form::Base64 => "base64",
            Form::Hex => "hex",
        };
        let prefix = if self.prefix.is_empty() { String::new() } else { format!(" after {}", self.prefix) };
        let private = self.private_prefix.as_ref().map_or(String::new(), |p| format!(" (private key: after {p})"));
        format!("{what}{form}{prefix}{private}")
    }

    fn decode(&self, text: &[u8]) -> Result<Vec<u8>, String> {
        match self.form {
            Form::Text => Ok(text.to_vec()),
            Form::Base64 => read_secret_base64(text).ok_or_else(|| self.not("base64")),
            Form::Hex => Encoding::Hex.read(text).map(Into::into).ok_or_else(|| self.not("hex")),
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
        return Err(format!("holds {} bytes; a private key has {}", bytes.len(), 2 * ED25519_KEY));
    }
    let (seed, public) = bytes.split_at(ED25519_KEY);
    Ok(Key::Private { seed: seed.to_vec(), public: public.to_vec() })
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
