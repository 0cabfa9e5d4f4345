//! The format `http`: the bytes of the request, as a file that can be judged, kept or sent.
//!
//! The head is the one from the wire, byte for byte, and the body follows to the end of the file. One line may differ:
//! where the body came in chunks, their sizes are gone with the transfer coding (RFC 9112, section 7.1), so the
//! `Transfer-Encoding` line is replaced by a `Content-Length`, and what came after the chunks is left out. Of a body
//! that was cut the length in the head says that there was more. A request over HTTP/2 is written in the form of
//! HTTP/1.

use crate::record::Capture;

pub(super) fn write(capture: &Capture) -> Vec<u8> {
    let (head, body) = (capture.head.raw(), &capture.body.bytes);
    let is_coded = capture.head.headers().get("transfer-encoding").is_some();
    let mut request = if is_coded { with_length(head, body.len()) } else { head.to_vec() };
    if !request.ends_with(b"\n") {
        request.extend_from_slice(b"\r\n");
    }
    if !request.ends_with(b"\n\n") && !request.ends_with(b"\n\r\n") {
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(body);
    request
}

/// The head with a `Content-Length` in the place of its first framing line, and no other.
fn with_length(head: &[u8], length: usize) -> Vec<u8> {
    let mut written = Vec::with_capacity(head.len() + 32);
    let mut is_framed = false;
    for line in head.split_inclusive(|&byte| byte == b'\n') {
        if !is_framing(line) {
            written.extend_from_slice(line);
        } else if !std::mem::replace(&mut is_framed, true) {
            let end = if line.ends_with(b"\r\n") { "\r\n" } else { "\n" };
            written.extend_from_slice(format!("Content-Length: {length}{end}").as_bytes());
        }
    }
    written
}

fn is_framing(line: &[u8]) -> bool {
    let name = line.split(|&byte| byte == b':').next().unwrap_or_default();
    line.len() > name.len()
        && ["transfer-encoding", "content-length"].iter().any(|n| name.eq_ignore_ascii_case(n.as_bytes()))
}
