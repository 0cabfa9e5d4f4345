//! The request as a program sends it again over HTTP/1.1: what every form that is code has in common.
//!
//! Method, target, headers with their order, case and repeats, and body are the captured ones. Another value has `Host`,
//! which is the app's; the first framing header becomes the `Content-Length`; headers that speak of the connection (RFC
//! 9110, section 7.6.1) and `Expect` go, and a `Connection: close` comes last. So it is what `creel resend` sends,
//! but for the white space around a value: that is written by the libraries of the languages, as `Name: value`.

use crate::record::{Capture, Header, grammar::is_token};

/// A header line to send.
pub(super) enum Line {
    /// `Host`, with the name as it was written; its value is known when it is sent.
    Host(Vec<u8>),
    /// Any other, name and value.
    Header(Vec<u8>, Vec<u8>),
}

/// The header lines, in their order.
pub(super) fn lines(capture: &Capture) -> Vec<Line> {
    let headers = capture.head.headers();
    let named = headers.named_by_connection();
    let length = capture.body.bytes.len().to_string().into_bytes();
    let (mut has_host, mut has_length) = (false, false);
    let mut lines = Vec::with_capacity(headers.len() + 3);
    for header in headers.iter().filter(|header| is_token(header.name)) {
        let name = header.name_text().to_ascii_lowercase();
        match &name[..] {
            "host" if !std::mem::replace(&mut has_host, true) => lines.push(Line::Host(header.name.to_vec())),
            "content-length" if !std::mem::replace(&mut has_length, true) => {
                lines.push(Line::Header(header.name.to_vec(), length.clone()));
            }
            "host" | "content-length" | "expect" => {}
            _ if header.is_of_connection(&named) => {}
            _ => lines.push(Line::Header(header.name.to_vec(), header.value.to_vec())),
        }
    }
    if !has_host {
        lines.push(Line::Host(b"Host".to_vec()));
    }
    if !has_length && !capture.body.bytes.is_empty() {
        lines.push(Line::Header(b"Content-Length".to_vec(), length));
    }
    lines.push(Line::Header(b"Connection".to_vec(), b"close".to_vec()));
    lines
}

/// Whether a header is sent: a real one, and of the message.
pub(super) fn is_sent(header: Header<'_>, named: &[String]) -> bool {
    is_token(header.name) && !header.is_of_connection(named)
}

/// The host and port it was sent to, where a URL can hold them; else creel's usual address.
pub(super) fn authority(capture: &Capture) -> &str {
    capture.head.headers().text("host").filter(|host| is_authority(host)).unwrap_or(USUAL_AUTHORITY)
}

/// Where creel listens unless told otherwise.
const USUAL_AUTHORITY: &str = "127.0.0.1:27335";

/// Whether a `Host` can stand in a URL and comes out of it as it went in.
pub(super) fn is_authority(host: &str) -> bool {
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(&byte);
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) if address.parse::<std::net::Ipv6Addr>().is_ok() => ("", port),
        Some(_) => return false,
        None => host.find(':').map_or((host, ""), |at| host.split_at(at)),
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|number| number.to_string() == port && number != 80);
    let is_named = !name.starts_with('-') && name.bytes().all(is_name) && (!name.is_empty() || host.starts_with('['));
    is_named && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}

#[cfg(test)]
mod tests {
    use super::is_authority;

    #[test]
    fn a_host_goes_into_the_url_only_if_it_comes_out_the_same() {
        for host in ["127.0.0.1:27335", "localhost", "[::1]:9", "[::1]", "a-b.example:8080"] {
            assert!(is_authority(host), "{host}");
        }
        for host in [
            "",
            ":9",
            "h:80",
            "h:",
            "h:080",
            "h:x",
            "Example.com",
            "a b",
            "user@h",
            "-o",
            "h/p",
            "h:70000",
            "[::1",
            "[x]",
            "h]:1",
        ] {
            assert!(!is_authority(host), "{host}");
        }
    }
}
