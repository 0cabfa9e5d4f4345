//! What a check looks at.

use crate::record::{Headers, Timestamp, text};

/// A request as a check sees it.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method as sent.
    pub method: &'a str,
    /// The URL as its sender knows it, where that is configured; else it is told from `Host` and the target.
    pub url: Option<&'a str>,
    /// The target as sent.
    pub target: &'a [u8],
    /// The headers as sent.
    pub headers: &'a Headers,
    /// The body as received.
    pub body: &'a [u8],
    /// Whether the body is not whole.
    pub truncated: bool,
    /// When it arrived.
    pub received_at: Timestamp,
}

impl Request<'_> {
    /// The first value of a query's field, decoded.
    pub(super) fn query(&self, name: &str) -> Option<String> {
        let at = memchr::memchr(b'?', self.target)?;
        let mut pairs = form_urlencoded::parse(&self.target[at + 1..]);
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// The URLs that the sender may have meant. A configured one stands alone but for its port; one that is told from
    /// the request is tried with the scheme that a tunnel's end names, then with both. Each with its port and
    /// without, since senders disagree on it.
    pub(super) fn urls(&self) -> Vec<String> {
        let mut urls = Vec::new();
        for url in self.url.map_or_else(|| self.told_urls(), |url| vec![url.to_owned()]) {
            for variant in [with_port(&url), without_port(&url), Some(url)].into_iter().flatten().rev() {
                if !urls.contains(&variant) {
                    urls.push(variant);
                }
            }
        }
        urls
    }

    fn told_urls(&self) -> Vec<String> {
        let header = |name| self.headers.get(name).map(|value| text::lossless(value).into_owned());
        let target = text::lossless(self.target);
        if target.starts_with("http://") || target.starts_with("https://") {
            return vec![target.into_owned()];
        }
        let hosts = [header("x-forwarded-host"), header("host"), header(":authority")];
        let schemes = [header("x-forwarded-proto"), Some("https".to_owned()), Some("http".to_owned())];
        let all = hosts.iter().flatten().flat_map(|host| schemes.iter().flatten().map(move |scheme| (scheme, host)));
        all.map(|(scheme, host)| format!("{scheme}://{host}{target}")).collect()
    }
}

/// Scheme, host, port and the rest.
fn split(url: &str) -> Option<(&str, &str, Option<&str>, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => {
            Some((scheme, host, Some(port), rest))
        }
        _ => Some((scheme, authority, None, rest)),
    }
}

fn with_port(url: &str) -> Option<String> {
    let (scheme, host, port, rest) = split(url)?;
    let default = if scheme == "https" { "443" } else { "80" };
    port.is_none().then(|| format!("{scheme}://{host}:{default}{rest}"))
}

fn without_port(url: &str) -> Option<String> {
    let (scheme, host, port, rest) = split(url)?;
    port.map(|_| format!("{scheme}://{host}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_tried_with_its_port_and_without() {
        let headers: Headers = [("Host", "h:8080")].into_iter().collect();
        let request = Request {
            method: "POST",
            url: Some("https://a/b?c"),
            target: b"/b?c=d%20e",
            headers: &headers,
            body: b"",
            truncated: false,
            received_at: Timestamp::default(),
        };
        assert_eq!(request.urls(), ["https://a/b?c", "https://a:443/b?c"]);
        let told = Request { url: None, ..request }.urls();
        assert_eq!(told[..2], ["https://h:8080/b?c=d%20e", "https://h/b?c=d%20e"]);
        assert!(told.contains(&"http://h:8080/b?c=d%20e".to_owned()));
        assert_eq!(request.query("c").as_deref(), Some("d e"));
    }
}
