//! The raw request. What came in chunks is written with its length, since the chunks are not kept; an HTTP/2 request is
//! written in the form of HTTP/1.1. `creel verify --file` reads it back.

use crate::record::{Capture, Head, Header, Headers, Version};

pub(super) fn write(capture: &Capture) -> Vec<u8> {
    let head = &capture.head;
    let coded = head.headers().get("transfer-encoding").is_some();
    let raw = if coded || head.version() == Version::Http2 { rewritten(capture) } else { head.raw().to_vec() };
    [&raw[..], &capture.body.bytes].concat()
}

fn rewritten(capture: &Capture) -> Vec<u8> {
    let mut headers = Headers::default();
    for Header { name, value } in capture.head.headers() {
        let is = |other: &[u8]| name.eq_ignore_ascii_case(other);
        if is(b":authority") {
            headers.push("Host", value.clone());
        } else if is(b"transfer-encoding") {
            headers.push("Content-Length", capture.body.size.to_string());
        } else {
            headers.push(name.clone(), value.clone());
        }
    }
    Head::from_parts(&capture.head.method(), capture.head.target(), Version::Http11, &headers).raw().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::fixture;

    #[test]
    fn the_bytes_are_those_that_came() {
        let head = b"POST /a?x HTTP/1.1\r\nhOST: h\r\nX: 1\r\nx:  2\r\nContent-Length: 3\r\n\r\n";
        assert_eq!(write(&fixture::capture(head, b"\x00\r\n")), [&head[..], b"\x00\r\n"].concat());
    }

    #[test]
    fn chunks_and_http_2_become_a_length_and_http_1() {
        let chunked =
            write(&fixture::capture(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nA: 1\r\n\r\n", b"abc"));
        assert_eq!(chunked, b"POST / HTTP/1.1\r\nContent-Length: 3\r\nA: 1\r\n\r\nabc");
        let http2 = write(&fixture::capture(b"POST / HTTP/2.0\r\n:authority: h\r\na: 1\r\n\r\n", b""));
        assert_eq!(http2, b"POST / HTTP/1.1\r\nHost: h\r\na: 1\r\n\r\n");
    }
}
