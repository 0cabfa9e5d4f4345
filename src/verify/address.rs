//! The URL as the sender knows it, which a tunnel or a proxy has often changed on the way: the candidates, best first.

use serde::Deserialize;

use super::{Request, form};
use crate::record::text;

/// Other spellings of the URL in which a provider is known to sign it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Spelling {
    /// Without its port, and with the scheme's own port where it has none.
    Port,
    /// With the query percent-encoded as browsers do, and as Node's `querystring` does.
    Query,
}

/// Every URL that the sender may mean, without repetition.
pub(super) fn candidates(request: &Request<'_>, spellings: &[Spelling]) -> Vec<String> {
    let mut urls = match request.url {
        Some(url) => configured(url, &text::lossless(request.target)),
        None => received(request),
    };
    for spelling in spellings {
        let more = |url: String| {
            let others = match spelling {
                Spelling::Port => ports(&url),
                Spelling::Query => queries(&url),
            };
            std::iter::once(url).chain(others).collect::<Vec<_>>()
        };
        urls = urls.into_iter().flat_map(more).collect();
    }
    without_repetition(urls)
}

/// The configured URL; with the query that came, where it has none; and its origin with the target that came.
fn configured(url: &str, target: &str) -> Vec<String> {
    let mut urls = vec![url.to_owned()];
    let query = target.split_once('?').map(|(_, query)| query);
    if let (Some(query), false) = (query, url.contains('?')) {
        urls.push(format!("{url}?{query}"));
    }
    if let Some(url) = Url::parse(url).filter(|_| target.starts_with('/')) {
        urls.push(format!("{}://{}{target}", url.scheme, url.authority));
    }
    urls
}

/// What can be built from what came: by the headers of a proxy first, else over http and, since tunnels end TLS, https.
fn received(request: &Request<'_>) -> Vec<String> {
    let target = text::lossless(request.target);
    if Url::parse(&target).is_some() {
        return vec![target.into_owned()];
    }
    let first_of = |name: &str| request.headers.text(name).map(|list| list.split(',').next().unwrap_or(list).trim());
    let scheme = first_of("x-forwarded-proto").filter(|scheme| matches!(*scheme, "http" | "https"));
    let schemes: Vec<_> = scheme.into_iter().chain(["http", "https"]).collect();
    let hosts = first_of("x-forwarded-host").into_iter().chain(request.headers.text("host"));
    hosts
        .flat_map(|host| schemes.iter().map(move |scheme| (scheme, host)))
        .map(|(s, h)| format!("{s}://{h}{target}"))
        .collect()
}

/// Without a port; with the scheme's own where there is none (twilio-node, `removePort` and `addPort`).
fn ports(url: &str) -> Vec<String> {
    let Some(Url { scheme, authority, rest }) = Url::parse(url) else { return Vec::new() };
    let host_start = authority.rfind('@').map_or(0, |at| at + 1);
    let host_end = authority[host_start..].rfind(']').map_or(host_start, |at| host_start + at);
    if let Some(at) = authority[host_end..].rfind(':') {
        return vec![format!("{scheme}://{}{rest}", &authority[..host_end + at])];
    }
    let port = if scheme.eq_ignore_ascii_case("https") { 443 } else { 80 };
    vec![format!("{scheme}://{authority}:{port}{rest}")]
}

/// With the query written as browsers do, and that one as Node's `querystring` does (twilio-node, `new URL` and
/// `withLegacyQuerystring`).
fn queries(url: &str) -> Vec<String> {
    let Some((before, query)) = url.split_once('?') else { return Vec::new() };
    let browser = as_browsers_do(query);
    let node = form::rewritten(&browser);
    [browser, node].map(|query| format!("{before}?{query}")).into()
}

/// The special-query percent-encode set of the URL standard (url.spec.whatwg.org, section 1.3).
fn as_browsers_do(query: &str) -> String {
    query.bytes().fold(String::new(), |mut text, byte| {
        match byte {
            b'"' | b'#' | b'<' | b'>' | b'\'' => form::push_percent(&mut text, byte),
            0x21..=0x7E => text.push(char::from(byte)),
            _ => form::push_percent(&mut text, byte),
        }
        text
    })
}

fn without_repetition(urls: Vec<String>) -> Vec<String> {
    urls.into_iter().fold(Vec::new(), |mut seen, url| {
        if !seen.contains(&url) {
            seen.push(url);
        }
        seen
    })
}

/// An absolute URL in its parts.
struct Url<'a> {
    scheme: &'a str,
    /// Host and port, with user and password before them.
    authority: &'a str,
    /// Path, query, fragment.
    rest: &'a str,
}

impl<'a> Url<'a> {
    fn parse(url: &'a str) -> Option<Self> {
        let (scheme, after) = url.split_once("://").filter(|(scheme, _)| !scheme.contains(['/', '?']))?;
        let end = after.find(['/', '?', '#']).unwrap_or(after.len());
        Some(Self { scheme, authority: &after[..end], rest: &after[end..] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Headers, Timestamp};

    fn urls(url: Option<&str>, target: &str, headers: &[(&str, &str)], spellings: &[Spelling]) -> Vec<String> {
        let headers: Headers = headers.iter().copied().collect();
        let request = Request {
            method: "POST",
            url,
            target: target.as_bytes(),
            headers: &headers,
            body: b"",
            truncated: false,
            rewritten: false,
            received_at: Timestamp::default(),
        };
        candidates(&request, spellings)
    }

    #[test]
    fn a_received_url_is_guessed_from_its_headers() {
        assert_eq!(urls(None, "/a?b", &[("Host", "h:1")], &[]), ["http://h:1/a?b", "https://h:1/a?b"]);
        assert_eq!(urls(None, "/a", &[], &[]), <[&str; 0]>::default());
        assert_eq!(urls(None, "http://h/a", &[("Host", "x")], &[]), ["http://h/a"]);
        let proxied = [("Host", "127.0.0.1:1"), ("X-Forwarded-Host", "t.example, b"), ("X-Forwarded-Proto", "https")];
        assert_eq!(
            urls(None, "/a", &proxied, &[]),
            ["https://t.example/a", "http://t.example/a", "https://127.0.0.1:1/a", "http://127.0.0.1:1/a"]
        );
    }

    #[test]
    fn a_configured_url_takes_the_received_query() {
        assert_eq!(
            urls(Some("https://t.example/twilio"), "/hook?bodySHA256=ab", &[], &[]),
            [
                "https://t.example/twilio",
                "https://t.example/twilio?bodySHA256=ab",
                "https://t.example/hook?bodySHA256=ab"
            ]
        );
    }

    #[test]
    fn ports_come_and_go() {
        for (url, other) in [
            ("https://h/a", "https://h:443/a"),
            ("http://h", "http://h:80"),
            ("https://h:1234/a?b", "https://h/a?b"),
            ("https://u:p@h/a", "https://u:p@h:443/a"),
            ("http://[::1]/a", "http://[::1]:80/a"),
            ("http://[::1]:8/a", "http://[::1]/a"),
        ] {
            assert_eq!(ports(url), [other]);
        }
        assert_eq!(ports("rubbish"), <[&str; 0]>::default());
    }

    #[test]
    fn queries_are_respelled() {
        assert_eq!(
            queries("https://h/a?b=It's+x y&b=é"),
            ["https://h/a?b=It%27s+x%20y&b=%C3%A9", "https://h/a?b=It's%20x%20y&b=%C3%A9"]
        );
    }
}
