//! Secrets, and what becomes of them before they are keys.

use std::fmt;

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// A secret as a user has it. It cannot be printed.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// A secret from its bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// How a provider hands its secret out.
#[derive(Clone, Debug)]
pub(super) struct Form {
    /// What may stand before it and is no part of the key.
    pub(super) prefix: Option<String>,
    pub(super) coding: Coding,
}

/// How the rest of it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Coding {
    /// The text's own bytes are the key.
    Text,
    /// Base 64, with padding or without (RFC 4648, section 4).
    Base64,
    /// Hexadecimal, either case.
    Hex,
}

/// Base 64 that takes padding or none, and refuses bits that nothing stands for.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl Form {
    /// The key, or in words why this cannot be the secret. The words never have any of it.
    pub(super) fn key(&self, secret: &Secret) -> Result<Vec<u8>, &'static str> {
        let bytes = secret.bytes();
        let bytes = match &self.prefix {
            Some(prefix) => bytes.strip_prefix(prefix.as_bytes()).unwrap_or(bytes),
            None => bytes,
        };
        match self.coding {
            Coding::Text => Ok(bytes.to_vec()),
            Coding::Base64 => BASE64.decode(bytes.trim_ascii()).map_err(|_| "it is not base64"),
            Coding::Hex => hex::decode(bytes.trim_ascii()).map_err(|_| "it is not hexadecimal"),
        }
    }

    /// The form in words.
    pub(super) fn words(&self) -> String {
        let coding = match self.coding {
            Coding::Text => "text, used as it is",
            Coding::Base64 => "base64",
            Coding::Hex => "hexadecimal",
        };
        self.prefix.as_ref().map_or_else(|| coding.to_owned(), |prefix| format!("{coding} after `{prefix}`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_cannot_be_printed() {
        assert_eq!(format!("{:?}", Secret::new("whsec_abc")), "[redacted]");
    }

    #[test]
    fn a_key_is_read_in_its_form() {
        let key = |prefix: Option<&str>, coding, secret: &str| {
            Form { prefix: prefix.map(str::to_owned), coding }.key(&Secret::new(secret))
        };
        assert_eq!(key(None, Coding::Text, "whsec_a").unwrap(), b"whsec_a");
        assert_eq!(key(Some("whsec_"), Coding::Base64, "whsec_YWI=").unwrap(), b"ab");
        assert_eq!(key(Some("whsec_"), Coding::Base64, "YWI").unwrap(), b"ab");
        assert_eq!(key(None, Coding::Hex, "00fF").unwrap(), [0, 255]);
        assert!(key(None, Coding::Base64, "YW!").is_err() && key(None, Coding::Base64, "YWJ=").is_err());
    }
}
