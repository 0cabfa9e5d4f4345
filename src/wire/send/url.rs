//! The URL of an app: `http` or `https`, a host, perhaps a port, perhaps a path (RFC 3986, section 3).

use std::net::Ipv6Addr;

use crate::record::grammar::is_target;

/// A URL taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    https: bool,
    host: String,
    port: Option<u16>,
    /// Path and query, where there is more than `/`.
    target: Option<String>,
}

impl Url {
    /// Reads a URL; none where it is not one. A fragment is left out; user and password are not for a URL that is stored.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.trim().split_once("://")?;
        let https = match &scheme.to_ascii_lowercase()[..] {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let rest = rest.split('#').next()?;
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port.parse().ok()?)),
            _ => (authority, None),
        };
        if !is_host(host) || !(target.is_empty() || is_target(target.as_bytes())) {
            return None;
        }
        let target = match target {
            "" | "/" => None,
            query if query.starts_with('?') => Some(format!("/{query}")),
            target => Some(target.to_owned()),
        };
        Some(Self { https, host: host.to_owned(), port, target })
    }

    pub(super) fn is_https(&self) -> bool {
        self.https
    }

    /// The host for a connection: an IPv6 address without its brackets.
    pub(super) fn host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    pub(super) fn port(&self) -> u16 {
        self.port.unwrap_or(if self.https { 443 } else { 80 })
    }

    /// Whether both are of one host and port. One host's usual ports, 80 and 443, count as one.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        let is_usual = |url: &Self| matches!(url.port(), 80 | 443);
        let is_same_port = self.port() == other.port() || (is_usual(self) && is_usual(other));
        is_same_port && self.host().eq_ignore_ascii_case(other.host())
    }

    /// Host and port as a `Host` header has them.
    pub(super) fn authority(&self) -> String {
        self.port.map_or_else(|| self.host.clone(), |port| format!("{}:{port}", self.host))
    }

    /// The path and query it names, where it names more than `/`.
    pub(super) fn target(&self) -> Option<&str> {
        self.target.as_deref()
    }

    /// The whole URL with another target.
    pub(super) fn with(&self, target: &[u8]) -> String {
        let scheme = if self.https { "https" } else { "http" };
        format!("{scheme}://{}{}", self.authority(), crate::record::text::lossless(target))
    }
}

/// A name, an IPv4 address, or an IPv6 address in brackets, which may name its interface.
fn is_host(text: &str) -> bool {
    let is_sound = |b: u8| b.is_ascii_alphanumeric() || b"-._~%".contains(&b) || b >= 0x80;
    match text.strip_prefix('[') {
        None => !text.is_empty() && text.bytes().all(is_sound),
        Some(rest) => rest.strip_suffix(']').is_some_and(|inside| {
            let (address, zone) = inside.split_once('%').unwrap_or((inside, ""));
            address.parse::<Ipv6Addr>().is_ok() && zone.bytes().all(is_sound)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_host_and_port_is_known_in_every_spelling() {
        let url = |text| Url::parse(text).unwrap();
        for (other, is_beside) in [
            ("https://t.example/hooks?x=1", true),
            ("http://T.Example", true),
            ("https://t.example:443", true),
            ("https://t.example:8443", false),
            ("https://x.t.example", false),
        ] {
            assert_eq!(url("https://t.example").is_beside(&url(other)), is_beside, "{other}");
        }
        assert!(url("http://bore.pub:4000").is_beside(&url("http://bore.pub:4000/x")));
        assert!(!url("http://bore.pub:4000").is_beside(&url("http://bore.pub:4001/x")));
    }

    #[test]
    fn a_url_is_taken_apart() {
        for (text, host, port, authority, target) in [
            ("http://localhost:3000", "localhost", 3000, "localhost:3000", None),
            ("http://h/", "h", 80, "h", None),
            ("HTTPS://h/a?b=c#d", "h", 443, "h", Some("/a?b=c")),
            ("http://[::1]:8/x", "::1", 8, "[::1]:8", Some("/x")),
            ("http://[::1]", "::1", 80, "[::1]", None),
            ("http://[fe80::1%25eth0]:8", "fe80::1%25eth0", 8, "[fe80::1%25eth0]:8", None),
            ("http://h?q", "h", 80, "h", Some("/?q")),
        ] {
            let url = Url::parse(text).unwrap();
            assert_eq!((url.host(), url.port(), &url.authority()[..], url.target()), (host, port, authority, target));
        }
        for text in [
            "",
            "localhost:3000",
            "ftp://h",
            "http://",
            "http://h:x",
            "http://a b",
            "http://u:p@h",
            "http://h/a b",
            "http://h:99999",
            "http://[::1",
            "http://::1",
            "http://[h]:80",
            "http://a[b]",
        ] {
            assert_eq!(Url::parse(text), None, "{text}");
        }
    }
}
