//! The view of text: its lines as sent, in the charset that its mark or the sender names.

use bytes::Bytes;
use encoding_rs::{Encoding, UTF_8};
use memchr::{memchr, memmem};

use super::{
    Content, Document, LINE_CHARS, Role, escape, fit, json,
    piece::{Sink, Sparse, Walk, cut},
};
use crate::record::json::mark_bytes;

/// How much of a body is looked at to tell text from other bytes.
const LOOKED_AT: usize = 8_192;

/// Room that a line keeps for its arrow.
const SPARE: usize = 4;

/// Any bytes without NUL that are UTF-8, that have the mark of UTF-16, or that the sender calls text.
pub(super) fn fits(content: &Content) -> bool {
    let head = &content.bytes[..content.bytes.len().min(LOOKED_AT)];
    if content.coding().is_some() {
        return false;
    }
    let charset = charset(content);
    if matches!(charset, Charset::Other(_)) {
        return !decoded_head(head, &charset).contains('\0');
    }
    if head.contains(&0) {
        return false;
    }
    let media = content.media();
    let is_named = media.starts_with("text/") || media.ends_with("xml") || media == "application/x-www-form-urlencoded";
    let is_readable =
        matches!(charset, Charset::Latin1) || is_utf8(head, head.len() < content.bytes.len() || content.is_cut);
    match charset {
        Charset::Unknown(_) => is_readable,
        _ => is_readable || is_named || content.says_json(),
    }
}

fn is_utf8(head: &[u8], is_cut: bool) -> bool {
    match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(error) => is_cut && error.error_len().is_none(),
    }
}

/// How bytes become characters.
enum Charset {
    Utf8,
    /// ISO 8859-1 to the letter: browsers take its name for windows-1252, which has no C1 to be wary of.
    Latin1,
    Other(&'static Encoding),
    /// Shown as UTF-8, with a note.
    Unknown(String),
}

/// The charset by the mark at the beginning, or as the sender names it.
fn charset(content: &Content) -> Charset {
    match Encoding::for_bom(&content.bytes) {
        Some((encoding, _)) if encoding != UTF_8 => return Charset::Other(encoding),
        _ => {}
    }
    match content.charset().or_else(|| declared(&content.bytes)).as_deref() {
        None | Some("utf-8" | "utf8" | "us-ascii" | "ascii") => Charset::Utf8,
        Some("iso-8859-1" | "iso8859-1" | "latin1" | "latin-1" | "l1") => Charset::Latin1,
        Some(other) => match Encoding::for_label(other.as_bytes()) {
            Some(encoding) if encoding == UTF_8 => Charset::Utf8,
            Some(encoding) => Charset::Other(encoding),
            None => Charset::Unknown(other.to_string()),
        },
    }
}

/// The encoding that XML names in its first line (XML 1.0, section 4.3.3), in lower case.
fn declared(bytes: &[u8]) -> Option<String> {
    const LINE: usize = 200;
    let line = &bytes[mark_bytes(bytes)..];
    let line = line.strip_prefix(b"<?xml")?;
    let line = std::str::from_utf8(&line[..memmem::find(&line[..line.len().min(LINE)], b"?>")?]).ok()?;
    let value = line.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let name = value[1..].split_once(quote)?.0.to_ascii_lowercase();
    // A line that can be read as ASCII is in no other: what says UTF-16 here was written into a text and sent as UTF-8.
    Encoding::for_label(name.as_bytes()).is_some_and(Encoding::is_ascii_compatible).then_some(name)
}

fn decoded_head(head: &[u8], charset: &Charset) -> String {
    match charset {
        Charset::Other(encoding) => encoding.decode(head).0.into_owned(),
        _ => String::from_utf8_lossy(head).into_owned(),
    }
}

/// The body in UTF-8, where it is in another charset, and what is to be said of that.
pub(super) fn decoded(content: &Content) -> (Bytes, Option<String>) {
    match charset(content) {
        Charset::Utf8 => (content.bytes.clone(), None),
        Charset::Latin1 => {
            let text: String = content.bytes.iter().copied().map(char::from).collect();
            (text.into(), Some("ISO-8859-1".to_owned()))
        }
        Charset::Other(encoding) => {
            let (text, _, has_errors) = encoding.decode(&content.bytes);
            let wrong = if has_errors { ", with bytes that are none of its characters" } else { "" };
            (text.into_owned().into(), Some(format!("{}{wrong}", encoding.name())))
        }
        Charset::Unknown(name) => (content.bytes.clone(), Some(format!("charset {} shown as UTF-8", fit(&name, 40)))),
    }
}

/// Counts the lines: one pass over the bytes.
pub(super) fn open(content: &Content) -> Result<Box<dyn Document>, String> {
    content.refuse_coding()?;
    let mut notes = Vec::new();
    if content.bytes.is_empty() {
        notes.push("no body".to_string());
    } else if content.says_json() && !json::fits(content) {
        let why = json::check(&content.bytes).err().map(|broken| broken.to_string());
        notes.push(format!("Content-Type says JSON: {}", why.as_deref().unwrap_or("nothing but white space")));
    }
    let is_latin1 = matches!(charset(content), Charset::Latin1);
    let (bytes, said) = if is_latin1 { (content.bytes.clone(), None) } else { decoded(content) };
    notes.extend(said);
    if let (false, Err(error)) = (is_latin1, std::str::from_utf8(&bytes))
        && !(content.is_cut && error.error_len().is_none())
    {
        notes.push(format!("not UTF-8 at byte {}", error.valid_up_to()));
    }
    let note = (!notes.is_empty()).then(|| escape(&notes.join("; ")).into_owned());
    Ok(document(bytes, is_latin1, note))
}

/// The lines of those bytes.
pub(super) fn document(bytes: Bytes, is_latin1: bool, note: Option<String>) -> Box<dyn Document> {
    Box::new(Sparse::new(Text { bytes, is_latin1 }, note))
}

struct Text {
    bytes: Bytes,
    is_latin1: bool,
}

/// Before a line: its first byte. One past the end where the text ends with a line end, for the empty line after it.
#[derive(Clone, Copy)]
struct Place {
    at: usize,
    is_last: bool,
}

impl Walk for Text {
    type Place = Place;

    fn start(&self) -> Place {
        Place { at: 0, is_last: self.bytes.is_empty() }
    }

    fn ended(&self, place: &Place) -> bool {
        place.is_last
    }

    /// A line ends before a line feed; a carriage return before it is part of what was sent and is shown. Text that
    /// ends with a line feed has an empty last line, so that the two cases differ for the eye as for a signature.
    fn step(&self, place: &mut Place, sink: &mut impl Sink) {
        if place.at > 0 && self.bytes[place.at - 1] != b'\n' {
            sink.continued();
        }
        let rest = &self.bytes[place.at..];
        // No line holds more bytes than four for each of its characters, so a line end further on does not matter.
        let window = &rest[..rest.len().min(LINE_CHARS * 4)];
        let line_end = memchr(b'\n', window);
        let segment = &window[..line_end.unwrap_or(window.len())];
        let taken = if segment.is_empty() { 0 } else { self.cut(segment) };
        self.draw(&segment[..taken], sink);
        place.at += taken;
        match line_end {
            Some(end) if end == taken => place.at += 1,
            _ => place.is_last = place.at == self.bytes.len(),
        }
    }
}

impl Text {
    fn cut(&self, segment: &[u8]) -> usize {
        // Of ISO 8859-1 only C1 is shown in more than one character, in eight.
        const WIDEST: usize = 8;
        let room = LINE_CHARS - SPARE;
        if !self.is_latin1 {
            return cut(segment, room).bytes;
        }
        let mut used = 0;
        let shown = |byte: &u8| if matches!(byte, 0x80..=0x9F | b'\t' | 0xAD) { WIDEST } else { 1 };
        let fitting = segment.iter().take_while(|byte| {
            used += shown(byte);
            used <= room
        });
        fitting.count()
    }

    fn draw<S: Sink>(&self, line: &[u8], sink: &mut S) {
        if !S::DRAWS {
            return;
        }
        for (place, part) in line.split(|&byte| byte == b'\t').enumerate() {
            if place > 0 {
                sink.tab();
            }
            if self.is_latin1 {
                sink.put_text(Role::Plain, &part.iter().copied().map(char::from).collect::<String>());
            } else {
                sink.put(Role::Plain, part);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(bytes: &[u8], content_type: &str) -> Box<dyn Document> {
        let bytes = Bytes::copy_from_slice(bytes);
        open(&Content { bytes, content_type: Some(content_type.into()), ..Content::default() }).unwrap()
    }

    fn shown(document: &dyn Document) -> Vec<String> {
        let lines = document.lines(0..document.line_count());
        lines.iter().map(|line| line.iter().map(|span| span.text.as_str()).collect()).collect()
    }

    #[test]
    fn a_final_line_end_is_seen() {
        assert_eq!(shown(&*opened(b"a\nb", "text/plain")), ["a", "b"]);
        assert_eq!(shown(&*opened(b"a\nb\n", "text/plain")), ["a", "b", ""]);
        assert_eq!(shown(&*opened(b"\n", "text/plain")), ["", ""]);
        assert_eq!(shown(&*opened(b"a\r\nb", "text/plain")), ["a␍", "b"]);
        let empty = opened(b"", "text/plain");
        assert_eq!((empty.line_count(), empty.note()), (0, Some("no body")));
    }

    #[test]
    fn tabs_lead_to_their_stops() {
        assert_eq!(shown(&*opened("a\tb\n\tc\n東\td".as_bytes(), "text/plain")), ["a   b", "    c", "東  d"]);
    }

    #[test]
    fn bytes_are_read_by_their_charset() {
        assert_eq!(shown(&*opened(b"caf\xe9 \x9b", "text/plain; charset=\"ISO-8859-1\"")), ["café ‹U+009B›"]);
        let unnamed = opened(b"caf\xe9", "text/plain");
        assert_eq!((shown(&*unnamed), unnamed.note()), (vec!["caf\\xe9".into()], Some("not UTF-8 at byte 3")));
        let other = opened("ok".as_bytes(), "text/plain; charset=x-creel");
        assert_eq!(other.note(), Some("charset x-creel shown as UTF-8"));
    }

    #[test]
    fn other_charsets_are_decoded_and_named() {
        let shift_jis = opened(b"\x8b\x9b\x82\xf0\x92\xde\x82\xe9", "text/plain; charset=Shift_JIS");
        assert_eq!((shown(&*shift_jis), shift_jis.note()), (vec!["魚を釣る".into()], Some("Shift_JIS")));
        let marked = opened(b"\xff\xfef\0i\0s\0h\0", "text/plain");
        assert_eq!((shown(&*marked), marked.note()), (vec!["fish".into()], Some("UTF-16LE")));
        let wrong = opened(b"\x81\xff", "text/plain; charset=shift_jis");
        assert!(wrong.note().unwrap().contains("with bytes that are none"));
    }

    #[test]
    fn a_body_that_is_not_the_json_it_claims_to_be_says_so() {
        let document = opened(b"hello", "application/json");
        assert_eq!(document.note(), Some("Content-Type says JSON: invalid JSON at 1:1 (byte 0): expected value"));
        assert_eq!(opened(b"{}", "application/json").note(), None);
    }

    #[test]
    fn a_long_line_goes_on_in_the_next_and_loses_nothing() {
        for (unit, content_type) in
            [("x", "text/plain"), ("é\u{1b}東", "text/plain"), ("y", "text/plain; charset=latin1")]
        {
            let sent = unit.repeat(9_000) + "\nend";
            let document = opened(sent.as_bytes(), content_type);
            let lines = document.lines(0..document.line_count());
            let is_mark = |span: &&crate::body::Span| span.role == Role::Dim;
            for line in &lines {
                assert!(line.iter().map(|span| span.text.chars().count()).sum::<usize>() <= LINE_CHARS);
            }
            assert_eq!(lines.iter().flatten().filter(is_mark).count(), lines.len() - 2);
            let kept: String = lines.iter().flatten().filter(|s| !is_mark(s)).map(|s| s.text.as_str()).collect();
            assert_eq!(kept, sent.replace('\u{1b}', "␛").replace('\n', ""));
        }
    }
}
