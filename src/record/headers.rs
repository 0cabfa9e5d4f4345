//! The header list, as it came.

use bytes::Bytes;

use super::text;

/// One header line: name and value as the sender wrote them, without the white space around the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The name in the sender's case.
    pub name: Bytes,
    /// The value's bytes.
    pub value: Bytes,
}

/// A header list that keeps order, case and duplicates. Look-ups ignore case; nothing is ever merged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<Header>);

impl Headers {
    /// A list with room for `n` headers.
    pub fn with_capacity(n: usize) -> Self {
        Self(Vec::with_capacity(n))
    }

    /// Appends a header at the end.
    pub fn push(&mut self, name: impl Into<Bytes>, value: impl Into<Bytes>) {
        self.0.push(Header { name: name.into(), value: value.into() });
    }

    /// The first value of that name.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|h| h.name.eq_ignore_ascii_case(name.as_bytes())).map(|h| &h.value[..])
    }

    /// Every value of that name, in the order they came.
    pub fn get_all<'h, 'n>(&'h self, name: &'n str) -> impl Iterator<Item = &'h [u8]> + use<'h, 'n> {
        self.0.iter().filter(|h| h.name.eq_ignore_ascii_case(name.as_bytes())).map(|h| &h.value[..])
    }

    /// The first value of that name, where it is UTF-8.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// The list as the sender ordered it.
    pub fn iter(&self) -> std::slice::Iter<'_, Header> {
        self.0.iter()
    }

    /// How many header lines there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> IntoIterator for &'a Headers {
    type Item = &'a Header;
    type IntoIter = std::slice::Iter<'a, Header>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl FromIterator<Header> for Headers {
    fn from_iter<T: IntoIterator<Item = Header>>(iter: T) -> Self {
        Self(iter.into_iter().collect())
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> FromIterator<(N, V)> for Headers {
    fn from_iter<T: IntoIterator<Item = (N, V)>>(iter: T) -> Self {
        iter.into_iter()
            .map(|(name, value)| Header {
                name: Bytes::copy_from_slice(name.as_ref()),
                value: Bytes::copy_from_slice(value.as_ref()),
            })
            .collect()
    }
}

/// Headers that speak of one connection, not of the message (RFC 9110, section 7.6.1), and the one that went with an
/// upgrade to HTTP/2.
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
];

/// Headers whose values let somebody in, in lower case.
const LET_IN: &[&str] = &["authorization", "proxy-authorization", "cookie", "set-cookie"];
/// What stands in the names of others.
const LET_IN_PARTS: &[&str] = &["token", "secret", "api-key", "apikey", "password"];

impl Header {
    /// Whether its value lets somebody in, so that it is masked until somebody asks.
    pub fn lets_in(&self) -> bool {
        let name = self.name_text().to_ascii_lowercase();
        LET_IN.contains(&&name[..]) || LET_IN_PARTS.iter().any(|part| name.contains(part))
    }

    /// Whether it speaks of one connection, not of the message.
    pub fn is_hop_by_hop(&self) -> bool {
        HOP_BY_HOP.iter().any(|name| self.name.eq_ignore_ascii_case(name.as_bytes()))
    }

    /// The name as text (see [`text::lossless`]).
    pub fn name_text(&self) -> std::borrow::Cow<'_, str> {
        text::lossless(&self.name)
    }

    /// The value as text (see [`text::lossless`]).
    pub fn value_text(&self) -> std::borrow::Cow<'_, str> {
        text::lossless(&self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_let_somebody_in_are_known() {
        let lets_in = |name: &'static str| Header { name: name.into(), value: Bytes::new() }.lets_in();
        for name in ["Authorization", "cookie", "X-Gitlab-Token", "x-api-key", "X-Webhook-Secret"] {
            assert!(lets_in(name), "{name}");
        }
        assert!(!lets_in("X-Hub-Signature-256") && !lets_in("Content-Type"));
    }
}
