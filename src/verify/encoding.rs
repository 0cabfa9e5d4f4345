//! How bytes are written in a header.

use std::borrow::Cow;

use base64::{
    Engine,
    alphabet::STANDARD as ALPHABET,
    engine::{
        DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig,
        general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
    },
};
use serde::Deserialize;

/// Base64 with or without its padding: how secrets are handed out. Trailing bits that no encoder writes are refused
/// here too, so that one key has one spelling.
const PADDING_OPTIONAL: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// How a signature is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Encoding {
    /// Hexadecimal digits: written in lower case, read in both, since the bytes are compared.
    Hex,
    /// Base64 (RFC 4648, section 4) with padding. Read strictly: non-zero trailing bits (section 3.5) are refused.
    Base64,
    /// Base64 with the URL alphabet (RFC 4648, section 5), without padding.
    Base64url,
    /// As it is.
    Text,
    /// Base64 whose padding was left out: no provider's, but a mistake that the doctor names.
    #[serde(skip)]
    Base64Unpadded,
    /// Base64 with the URL alphabet and with padding: a mistake, too.
    #[serde(skip)]
    Base64urlPadded,
    /// Base64 of hexadecimal digits, where a hash was given as a text: a mistake, too.
    #[serde(skip)]
    HexInBase64,
}

impl Encoding {
    /// The name in a provider's file.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Hex => "hex",
            Self::Base64 => "base64",
            Self::Base64url => "base64url",
            Self::Text => "text",
            Self::Base64Unpadded => "base64 without its padding (=)",
            Self::Base64urlPadded => "base64url with padding (=)",
            Self::HexInBase64 => "base64 of hex digits, not of the bytes themselves",
        }
    }

    /// Writes bytes.
    pub(super) fn write(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => write_hex(bytes),
            Self::Base64 => STANDARD.encode(bytes),
            Self::Base64url => URL_SAFE_NO_PAD.encode(bytes),
            Self::Text => String::from_utf8_lossy(bytes).into_owned(),
            Self::Base64Unpadded => STANDARD_NO_PAD.encode(bytes),
            Self::Base64urlPadded => URL_SAFE.encode(bytes),
            Self::HexInBase64 => STANDARD.encode(write_hex(bytes)),
        }
    }

    /// Reads bytes; None where the text is not of this encoding.
    pub(super) fn read(self, text: &[u8]) -> Option<Cow<'_, [u8]>> {
        match self {
            Self::Hex => hex::decode(text).ok().map(Cow::Owned),
            Self::Base64 => STANDARD.decode(text).ok().map(Cow::Owned),
            Self::Base64url => URL_SAFE_NO_PAD.decode(text).ok().map(Cow::Owned),
            Self::Text => Some(Cow::Borrowed(text)),
            Self::Base64Unpadded => STANDARD_NO_PAD.decode(text).ok().map(Cow::Owned),
            Self::Base64urlPadded => URL_SAFE.decode(text).ok().map(Cow::Owned),
            Self::HexInBase64 => STANDARD.decode(text).ok().and_then(|digits| hex::decode(digits).ok()).map(Cow::Owned),
        }
    }
}

/// Digits in one go: a check writes them for every request, and `hex::encode` pushes them one by one.
fn write_hex(bytes: &[u8]) -> String {
    let mut digits = vec![0; bytes.len() * 2];
    let written = hex::encode_to_slice(bytes, &mut digits);
    written.ok().and_then(|()| String::from_utf8(digits).ok()).unwrap_or_else(|| hex::encode(bytes))
}

/// Reads a secret's base64, whose padding is optional.
pub(super) fn read_secret_base64(text: &[u8]) -> Option<Vec<u8>> {
    PADDING_OPTIONAL.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let wrong = [Encoding::Base64Unpadded, Encoding::Base64urlPadded, Encoding::HexInBase64];
        for encoding in [Encoding::Hex, Encoding::Base64, Encoding::Base64url, Encoding::Text].into_iter().chain(wrong)
        {
            let written = encoding.write(b"\x00ink?>");
            assert_eq!(encoding.read(written.as_bytes()).as_deref(), Some(&b"\x00ink?>"[..]), "{}", encoding.name());
        }
    }

    #[test]
    fn base64_has_one_spelling() {
        // RFC 4648, section 3.5: the last two bits of "Zg==" are no data; "Zh==" would decode to the same byte.
        assert!(Encoding::Base64.read(b"Zg==").is_some());
        for wrong in [&b"Zh=="[..], b"Zg", b"Zg=", b"Zg== ", b"Z g=="] {
            assert!(Encoding::Base64.read(wrong).is_none());
        }
        assert!(toml::from_str::<HashMap<String, Encoding>>("a = 'base64-unpadded'").is_err(), "no provider writes it");
        assert_eq!(read_secret_base64(b"Zg").as_deref(), Some(&b"f"[..]));
        assert_eq!(read_secret_base64(b"Zg==").as_deref(), Some(&b"f"[..]));
        assert!(read_secret_base64(b"Zh").is_none());
    }
}
