//! The signature's text: where it begins in a header, how many there are, how it is written.

use base64::Engine;

use super::secret::BASE64;

/// How the bytes of a signature are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Encoding {
    /// Hexadecimal, either case.
    Hex,
    /// Base 64, with padding or without.
    Base64,
    /// The bytes themselves: tokens.
    Raw,
}

impl Encoding {
    pub(super) fn decode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Hex => hex::decode(text).ok(),
            Self::Base64 => BASE64.decode(text).ok(),
            Self::Raw => Some(text.as_bytes().to_vec()),
        }
    }

    pub(super) fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => hex::encode(bytes),
            Self::Base64 => base64::engine::general_purpose::STANDARD.encode(bytes),
            Self::Raw => String::from_utf8_lossy(bytes).into_owned(),
        }
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Hex => "hexadecimal",
            Self::Base64 => "base64",
            Self::Raw => "as it is",
        }
    }
}

/// A list of pairs in one header: `t=1,v1=ab,v1=cd` or `v1,ab v1,cd`.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct List {
    /// Between the pairs.
    pub(super) separator: char,
    /// Between a pair's key and its value.
    pub(super) pair: char,
    /// The key of a signature.
    pub(super) key: String,
}

impl List {
    /// The values of a key. White space around pairs, keys and values is no part of them.
    pub(super) fn values<'a>(&self, text: &'a str, key: &str) -> impl Iterator<Item = &'a str> {
        let pairs = text.split(self.separator).filter_map(|item| item.trim().split_once(self.pair));
        pairs.filter(move |(name, _)| name.trim() == key).map(|(_, value)| value.trim())
    }
}

/// Whether a header has a signature, and how it is written.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) list: Option<List>,
    pub(super) prefix: String,
    pub(super) encoding: Encoding,
}

impl Shape {
    /// The signatures of a header's value, decoded; those that have not the right form or length are left out.
    pub(super) fn signatures(&self, text: &str, length: Option<usize>) -> Vec<Vec<u8>> {
        let decode = |text: &str| self.encoding.decode(text).filter(|bytes| length.is_none_or(|n| n == bytes.len()));
        match &self.list {
            Some(list) => list.values(text, &list.key).filter_map(decode).collect(),
            None => text.trim().strip_prefix(&self.prefix[..]).and_then(decode).into_iter().collect(),
        }
    }

    /// A signature as the scheme writes it, without what else stands in the header.
    pub(super) fn write(&self, signature: &[u8]) -> String {
        let text = self.encoding.encode(signature);
        match &self.list {
            Some(list) => format!("{}{}{text}", list.key, list.pair),
            None => format!("{}{text}", self.prefix),
        }
    }
}
