//! A request as a text for a person's editor, and back.
//!
//! The text is the request as it came: request line and headers, an empty line, the body; lines end with LF. Above it
//! stand lines of creel's own, which are left out again. What was not touched comes back byte for byte.

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::record::{
    Capture, CaptureId, Failure, Head,
    grammar::{is_of_value, is_token},
};

/// What the lines of creel's own begin with.
const OURS: &str = "# creel: ";

/// A request that a person wrote anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewritten {
    /// Request line and headers. A `Content-Length` that was right and was not touched is right again.
    pub head: Head,
    /// The body.
    pub body: Bytes,
    /// What to say of a body that is no JSON any more, where it was before.
    pub broken: Option<String>,
}

/// The text to be edited.
pub fn text(capture: &Capture) -> Vec<u8> {
    text_of(capture.id, &capture.head, &capture.body.bytes)
}

/// The text of a request that was made of a capture.
pub fn text_of(id: CaptureId, head: &Head, body: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    for words in [
        format!("this is request #{id}. Edit it, save and close."),
        "an empty text, or one that was not changed, leaves everything as it is.".to_owned(),
    ] {
        text.extend_from_slice(format!("{OURS}{words}\n").as_bytes());
    }
    text.extend_from_slice(&head_text(head));
    text.push(b'\n');
    if is_text(body) {
        text.extend_from_slice(body);
    } else {
        text.extend_from_slice(stand_in(body).as_bytes());
    }
    text
}

/// A head whose `Content-Length`, where it was right, is right for another length.
#[must_use]
pub fn fitting(head: Head, before: usize, after: usize) -> Head {
    with_length(head, &[before], after)
}

/// A head with another value of the header at a place; all else of it stays byte for byte.
#[must_use]
pub fn with_header(head: &Head, at: usize, value: &str) -> Head {
    head.with_value(at, value.as_bytes())
}

/// What stands in the place of a body that an editor could not keep.
fn stand_in(body: &[u8]) -> String {
    let size = body.len();
    format!(
        "{OURS}the body, {size} bytes that are no text, stays as it is; what stands here instead takes its place.\n"
    )
}

/// Whether an editor keeps it: UTF-8 without NUL.
fn is_text(body: &[u8]) -> bool {
    std::str::from_utf8(body).is_ok() && !body.contains(&0)
}

/// Request line and headers, a line each, without what stood before and after them.
fn head_text(head: &Head) -> Vec<u8> {
    let raw = head.raw();
    let start = raw.iter().position(|b| !matches!(b, b'\r' | b'\n')).unwrap_or(raw.len());
    let mut text = Vec::with_capacity(raw.len());
    for line in raw[start..].split(|&b| b == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    text
}

/// Reads the text after it was edited; none where it says what it said before, or nothing.
///
/// An editor's final newline is left out where the body had none. The failure says in which line what is no request.
pub fn read(capture: &Capture, edited: &[u8]) -> Result<Option<Rewritten>, Failure> {
    if edited.trim_ascii().is_empty() {
        return Ok(None);
    }
    let (skipped, rest) = below_ours(edited);
    let (lines, body) = split(rest);
    let was = head_text(&capture.head);
    let is = lines.iter().flat_map(|line| [line, &b"\n"[..]]).flatten().copied().collect::<Vec<_>>();
    let body = body_of(capture, body);
    if is == was && body == capture.body.bytes {
        return Ok(None);
    }
    let head = if is == was { capture.head.clone() } else { head_of(&lines, &was, skipped, capture)? };
    let head = with_length(head, &[capture.body.bytes.len()], body.len());
    let broken = why_broken(&body).filter(|_| why_broken(&capture.body.bytes).is_none());
    let broken = broken.map(|why| format!("its body was JSON and is none any more: {why}"));
    Ok(Some(Rewritten { head, body, broken }))
}

/// How many lines of creel's own there are, and what is below them.
fn below_ours(mut text: &[u8]) -> (usize, &[u8]) {
    let mut count = 0;
    while text.starts_with(OURS.as_bytes()) {
        let end = memchr::memchr(b'\n', text).map_or(text.len(), |at| at + 1);
        text = &text[end..];
        count += 1;
    }
    (count, text)
}

/// The lines up to the first empty one, and what is below it.
fn split(mut text: &[u8]) -> (Vec<&[u8]>, &[u8]) {
    let mut lines = Vec::new();
    while !text.is_empty() {
        let end = memchr::memchr(b'\n', text).unwrap_or(text.len());
        let line = text[..end].strip_suffix(b"\r").unwrap_or(&text[..end]);
        text = &text[(end + 1).min(text.len())..];
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    (lines, text)
}

fn body_of(capture: &Capture, edited: &[u8]) -> Bytes {
    let was = &capture.body.bytes;
    if !is_text(was) && edited.trim_ascii() == stand_in(was).trim_ascii().as_bytes() {
        return was.clone();
    }
    let ended = was.ends_with(b"\n");
    let edited = if ended { edited } else { edited.strip_suffix(b"\n").unwrap_or(edited) };
    Bytes::copy_from_slice(edited)
}

fn head_of(lines: &[&[u8]], was: &[u8], skipped: usize, capture: &Capture) -> Result<Head, Failure> {
    let failed = |line: usize, why: &str| {
        Failure::new(
            format!("reading the edited request #{}", capture.id),
            format!("line {}: {why}", skipped + line + 1),
        )
        .hint("a request is: METHOD TARGET HTTP/1.1, a header a line, an empty line, the body")
    };
    let kept = |line: &[u8]| was.split(|&b| b == b'\n').any(|old| old == line);
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| !kept(line)) {
        if at == 0 {
            check_request_line(line).map_err(|why| failed(at, why))?;
        } else {
            check_header(line).map_err(|why| failed(at, why))?;
        }
    }
    if lines.is_empty() {
        return Err(failed(0, "there is no request line"));
    }
    let raw: Vec<u8> = lines.iter().flat_map(|line| [line, &b"\r\n"[..]]).flatten().copied().collect();
    Ok(Head::parse([&raw[..], b"\r\n"].concat().into()))
}

fn check_request_line(line: &[u8]) -> Result<(), &'static str> {
    let parts: Vec<_> = line.split(|&b| b == b' ').collect();
    match &parts[..] {
        [method, target, version] if is_token(method) && !target.is_empty() => {
            if target.iter().any(u8::is_ascii_control) {
                Err("the target has control characters")
            } else if [&b"HTTP/1.0"[..], b"HTTP/1.1", b"HTTP/2.0"].contains(version) {
                Ok(())
            } else {
                Err("the version is none of HTTP/1.0, HTTP/1.1, HTTP/2.0")
            }
        }
        _ => Err("this is no request line"),
    }
}

fn check_header(line: &[u8]) -> Result<(), &'static str> {
    let Some(colon) = memchr::memchr(b':', line) else { return Err("a header needs a colon") };
    if !is_token(&line[..colon]) {
        return Err("this is no name of a header");
    }
    let is_sound = line[colon..].iter().all(|&byte| is_of_value(byte));
    if is_sound { Ok(()) } else { Err("the header has control characters") }
}

/// With the right `Content-Length`, where it tells one of the lengths that were right before.
pub(super) fn with_length(head: Head, before: &[usize], length: usize) -> Head {
    const NAME: &str = "content-length";
    let told = head.headers().text(NAME);
    if before.contains(&length) && told == Some(&length.to_string())
        || !before.iter().any(|before| told == Some(&before.to_string()))
    {
        return head;
    }
    let new = length.to_string();
    let lengths: Vec<_> =
        head.headers().iter().enumerate().filter(|(_, header)| header.is(NAME)).map(|(at, _)| at).collect();
    lengths.into_iter().fold(head, |head, at| head.with_value(at, new.as_bytes()))
}

/// Why a body is no JSON.
pub(super) fn why_broken(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<&RawValue>(body).err().map(|why| why.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::record::{Body, Timestamp, Uid};

    fn capture(head: &str, body: &[u8]) -> Capture {
        let (head, body) = (Head::parse(Bytes::copy_from_slice(head.as_bytes())), Bytes::copy_from_slice(body));
        Capture { id: CaptureId(12), ..Capture::new(Uid(0), Timestamp::default(), head, Body::whole(body, [0; 32])) }
    }

    const HEAD: &str = "POST /a?x=1 HTTP/1.1\r\nHost:  h\r\nX-Dup: 1\r\nContent-Length: 7\r\nx-dup: 2\r\n\r\n";

    /// What an editor makes of the text.
    fn edited(capture: &Capture, from: &str, to: &str) -> Result<Option<Rewritten>, Failure> {
        let text = String::from_utf8(text(capture)).unwrap();
        assert!(text.contains(from), "{text}");
        // Every editor ends a file's last line.
        read(capture, format!("{}\n", text.replacen(from, to, 1).trim_end_matches('\n')).as_bytes())
    }

    #[test]
    fn the_text_is_the_request_and_what_was_not_touched_comes_back_as_it_was() {
        let capture = capture(HEAD, b"{\"a\":1}");
        let text = String::from_utf8(text(&capture)).unwrap();
        let request = "\nPOST /a?x=1 HTTP/1.1\nHost:  h\nX-Dup: 1\nContent-Length: 7\nx-dup: 2\n\n{\"a\":1}";
        assert!(text.starts_with("# creel: this is request #12.") && text.ends_with(request), "{text}");
        assert_eq!(edited(&capture, "x", "x").unwrap(), None);
        assert_eq!(read(&capture, b" \n").unwrap(), None);
        let new = edited(&capture, "{\"a\":1}", "{\"a\": 1, \"b\": 2}").unwrap().unwrap();
        assert_eq!((&new.body[..], &new.broken), (&b"{\"a\": 1, \"b\": 2}"[..], &None));
        assert_eq!(new.head.headers().text("content-length"), Some("16"));
        let names: Vec<_> = new.head.headers().iter().map(|header| header.name_text().into_owned()).collect();
        assert_eq!(names, ["Host", "X-Dup", "Content-Length", "x-dup"]);
        let new = edited(&capture, "POST /a?x=1", "PUT /b").unwrap().unwrap();
        assert_eq!((&*new.head.method(), &new.head.target()[..]), ("PUT", &b"/b"[..]));
        assert_eq!(new.body, capture.body.bytes);
    }

    #[test]
    fn a_header_and_a_length_are_changed_in_their_place_and_nothing_else_is() {
        const ODD: &str = "POST /a HTTP/1.1\r\nHost:  h\r\nX-Dup:\t1\r\ncontent-LENGTH:7 \r\nx-dup:2\r\n\r\n";
        let odd = || Head::parse(Bytes::from_static(ODD.as_bytes()));
        let raw = |head: Head| String::from_utf8(head.raw().to_vec()).unwrap();
        assert_eq!(raw(with_header(&odd(), 1, "new")), ODD.replace("\t1", "\tnew"));
        assert_eq!(raw(fitting(odd(), 7, 12)), ODD.replace(":7 ", ":12 "));
    }

    #[test]
    fn what_is_no_request_is_told_with_its_line() {
        let capture = capture(HEAD, b"{\"a\":1}");
        for (from, to, why) in [
            ("POST /a?x=1 HTTP/1.1", "POST", "line 3: this is no request line"),
            ("HTTP/1.1", "HTTP/9", "line 3: the version is none of"),
            ("X-Dup: 1", "X-Dup 1", "line 5: a header needs a colon"),
            ("X-Dup: 1", "X Dup: 1", "line 5: this is no name of a header"),
            ("X-Dup: 1", "X-Dup: \u{1b}[2J", "line 5: the header has control characters"),
        ] {
            let failure = edited(&capture, from, to).unwrap_err();
            assert!(failure.why.starts_with(why), "{to}: {failure:?}");
        }
    }

    #[test]
    fn json_that_broke_is_told_and_kept() {
        let capture = capture(HEAD, b"{\"a\":1}");
        let new = edited(&capture, "{\"a\":1}", "{\"a\":1").unwrap().unwrap();
        assert_eq!(&new.body[..], b"{\"a\":1");
        assert!(new.broken.unwrap().contains("EOF"));
    }

    #[test]
    fn a_body_that_is_no_text_stays_unless_a_text_takes_its_place() {
        let capture = capture(HEAD, b"\xff\x00\x01");
        assert_eq!(edited(&capture, "x", "x").unwrap(), None);
        let new = edited(&capture, "x=1", "x=2").unwrap().unwrap();
        assert_eq!(&new.body[..], b"\xff\x00\x01");
        let stand_in = stand_in(&capture.body.bytes);
        let new = edited(&capture, stand_in.trim_end(), "text").unwrap().unwrap();
        assert_eq!(&new.body[..], b"text");
    }

    proptest! {
        #[test]
        fn whatever_the_body_an_untouched_text_changes_nothing(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let capture = capture(HEAD, &body);
            prop_assert_eq!(read(&capture, &text(&capture)).unwrap(), None);
        }

        #[test]
        fn whatever_is_read_nothing_panics(text in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&capture(HEAD, b"{}"), &text);
        }
    }
}
