//! The views of XML and HTML: tags indented by how they lie in each other, text between them. Entities stay as they are
//! written: nothing is expanded and nothing fetched.

use std::ops::Range;

use bytes::Bytes;
use memchr::{memchr, memchr2, memchr3, memmem};
use quick_xml::{Reader, events::Event};

use super::{
    Content, Document, LINE_CHARS, Role, escape,
    omit::Open,
    piece::{Sink, Sparse, Walk, cut},
    text,
};
use crate::record::{counted, json::mark_bytes, token};

/// How deep the indentation goes; what lies deeper is shown at this depth.
const DEEPEST_INDENT: u32 = 40;
/// The longest text, in bytes, that stands on one line with the tags around it.
const BESIDE: usize = 160;
/// How far the end of a document type with an inner part is looked for, in bytes.
const TYPE_BYTES: usize = 64 << 10;
/// Elements of HTML that have no end tag.
const VOID: &[&str] =
    &["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"];

/// What the sender calls XML, or what begins as XML does.
pub(super) fn fits_xml(content: &Content) -> bool {
    let media = content.media();
    let is_named = media.ends_with("/xml") || media.ends_with("+xml");
    content.coding().is_none() && begins_with_tag(content) && (is_named || head(content).starts_with(b"<?xml"))
}

/// What may be XML, byte for byte: it begins with a tag, in a charset in which that is ASCII, and is no HTML.
pub(super) fn can_be_xml(content: &Content) -> bool {
    let bytes = &content.bytes[mark_bytes(&content.bytes)..];
    let is_ascii = !bytes[..bytes.len().min(8_192)].contains(&0);
    content.coding().is_none()
        && is_ascii
        && bytes.trim_ascii_start().first() == Some(&b'<')
        && content.media() != "text/html"
        && !fits_html(content)
}

/// What the sender calls HTML, or what begins as HTML does.
pub(super) fn fits_html(content: &Content) -> bool {
    let head = head(content).to_ascii_lowercase();
    let begins = head.starts_with(b"<!doctype html") || head.starts_with(b"<html");
    content.coding().is_none() && begins_with_tag(content) && (content.media() == "text/html" || begins)
}

fn head(content: &Content) -> &[u8] {
    let bytes = &content.bytes[mark_bytes(&content.bytes)..];
    let bytes = bytes.trim_ascii_start();
    &bytes[..bytes.len().min(64)]
}

/// Other charsets have NUL between the characters of ASCII, or marks before them.
fn begins_with_tag(content: &Content) -> bool {
    let (bytes, _) = text::decoded(content);
    let bytes = &bytes[..bytes.len().min(8_192)];
    bytes[mark_bytes(bytes)..].trim_ascii_start().first() == Some(&b'<') && !bytes.contains(&0)
}

/// Counts the lines, and looks whether tags and their ends agree.
pub(super) fn open_xml(content: &Content) -> Result<Box<dyn Document>, String> {
    open(content, false)
}

/// Counts the lines.
pub(super) fn open_html(content: &Content) -> Result<Box<dyn Document>, String> {
    open(content, true)
}

fn open(content: &Content, is_html: bool) -> Result<Box<dyn Document>, String> {
    content.refuse_coding()?;
    let (bytes, note) = text::decoded(content);
    let mut notes: Vec<String> = note.into_iter().collect();
    if bytes.is_empty() {
        notes.push("no body".to_owned());
    } else if !is_html && !content.is_cut {
        notes.extend(broken(&bytes));
    }
    let note = (!notes.is_empty()).then(|| escape(&notes.join("; ")).into_owned());
    Ok(Box::new(Sparse::new(Markup { bytes, is_html }, note)))
}

/// Where and why the bytes are no well-formed XML.
fn broken(bytes: &[u8]) -> Option<String> {
    let mut reader = Reader::from_reader(bytes);
    let mut open = 0_usize;
    let why = loop {
        match reader.read_event() {
            Ok(Event::Eof) if open > 0 => break format!("{} without an end", counted(open as u64, "element")),
            Ok(Event::Eof) => return None,
            Ok(Event::Start(_)) => open += 1,
            Ok(Event::End(_)) => open = open.saturating_sub(1),
            Ok(_) => {}
            Err(why) => break why.to_string(),
        }
    };
    Some(format!(
        "not well-formed at byte {}: {}",
        reader.error_position().max(reader.buffer_position()),
        super::fit(&why, 160)
    ))
}

/// The tags of XML and what stands between them, one after the other: all of the bytes.
pub(super) fn tokens(bytes: Bytes) -> impl Iterator<Item = (Kind, Range<usize>)> {
    let markup = Markup { bytes, is_html: false };
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at;
        (start < markup.bytes.len()).then(|| {
            let (kind, end) = markup.token(start);
            at = end;
            (kind, start..end)
        })
    })
}

struct Markup {
    bytes: Bytes,
    is_html: bool,
}

/// Before a line: the next byte, which elements are open, and what the line goes on with.
#[derive(Clone, Copy)]
struct Place {
    at: usize,
    open: Open,
    inside: Option<Run>,
}

/// Bytes of one kind that take several lines.
#[derive(Clone, Copy)]
struct Run {
    end: usize,
    role: Role,
}

/// What begins at a place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Start,
    End,
    /// An element without content.
    Whole,
    /// A comment, an instruction, a document type.
    Aside,
    Text,
}

impl Walk for Markup {
    type Place = Place;

    fn start(&self) -> Place {
        Place { at: self.after_space(0), open: Open::default(), inside: None }
    }

    fn ended(&self, place: &Place) -> bool {
        place.at >= self.bytes.len()
    }

    fn step(&self, place: &mut Place, sink: &mut impl Sink) {
        match place.inside.take() {
            Some(run) => self.run(place, run, true, 0, sink),
            None => self.line(place, sink),
        }
        if place.inside.is_none() {
            place.at = self.after_space(place.at);
        }
    }
}

impl Markup {
    fn after_space(&self, at: usize) -> usize {
        token::after_space(&self.bytes, at)
    }

    fn line<S: Sink>(&self, place: &mut Place, sink: &mut S) {
        let (kind, end) = self.token(place.at);
        self.close(&mut place.open, kind, place.at..end);
        let depth = place.open.depth().min(DEEPEST_INDENT);
        if S::DRAWS {
            (0..depth).for_each(|_| sink.add(Role::Plain, "  "));
        }
        let used = depth as usize * 2;
        match kind {
            Kind::Text => self.run(place, Run { end, role: Role::Plain }, false, used, sink),
            Kind::Aside => self.run(place, Run { end, role: Role::Dim }, false, used, sink),
            _ if end - place.at > LINE_CHARS / 8 => {
                let tag = place.at..end;
                if kind == Kind::Start {
                    self.open(&mut place.open, tag);
                }
                self.run(place, Run { end, role: Role::Markup }, false, used, sink);
            }
            _ => {
                let tag = place.at..end;
                self.tag(tag.clone(), sink);
                place.at = end;
                if kind == Kind::Start && !self.beside(place, tag.clone(), sink) {
                    self.open(&mut place.open, tag);
                }
            }
        }
    }

    /// Ends what a tag ends: in HTML an element whose end tag is left out, too.
    fn close(&self, open: &mut Open, kind: Kind, tag: Range<usize>) {
        match kind {
            Kind::End if self.is_html => open.end(&self.name(tag)),
            Kind::End => open.pop(),
            Kind::Start | Kind::Whole if self.is_html => open.before(&self.name(tag)),
            _ => {}
        }
    }

    fn open(&self, open: &mut Open, tag: Range<usize>) {
        if self.is_html { open.begin(&self.name(tag)) } else { open.push() }
    }

    /// The name in a tag of HTML, in small letters.
    fn name(&self, tag: Range<usize>) -> String {
        let bytes = self.bytes[tag].iter().skip_while(|byte| matches!(byte, b'<' | b'/'));
        bytes
            .take_while(|byte| byte.is_ascii_alphanumeric())
            .map(|byte| char::from(byte.to_ascii_lowercase()))
            .collect()
    }

    /// Text that stands beside its tags, with the end tag; whether it does.
    fn beside<S: Sink>(&self, place: &mut Place, tag: Range<usize>, sink: &mut S) -> bool {
        let window = &self.bytes[place.at..self.bytes.len().min(place.at + BESIDE)];
        let Some(length) = memchr2(b'<', b'\n', window).filter(|&length| window[length..].starts_with(b"</")) else {
            return false;
        };
        let (kind, end) = self.token(place.at + length);
        if kind != Kind::End || end - place.at > 2 * BESIDE {
            return false;
        }
        if self.is_html && self.name(tag) != self.name(place.at + length..end) {
            // The end tag of what lies around it.
            return false;
        }
        if S::DRAWS && length > 0 {
            sink.put(Role::Plain, &window[..length]);
        }
        self.tag(place.at + length..end, sink);
        place.at = end;
        true
    }

    /// A tag that fits in a line: its names and values in their colours.
    fn tag<S: Sink>(&self, range: Range<usize>, sink: &mut S) {
        if !S::DRAWS {
            return;
        }
        let tag = &self.bytes[range];
        let name = tag.iter().position(u8::is_ascii_whitespace).unwrap_or(tag.len());
        sink.put(Role::Markup, &tag[..name]);
        let mut rest = &tag[name..];
        while !rest.is_empty() {
            let (role, length) = match rest[0] {
                quote @ (b'"' | b'\'') => (Role::Text, memchr(quote, &rest[1..]).map_or(rest.len(), |end| end + 2)),
                b'=' => (Role::Punctuation, 1),
                b'>' | b'/' | b'?' => (Role::Markup, 1),
                _ => (Role::Key, memchr3(b'=', b'>', b'"', rest).unwrap_or(rest.len()).max(1)),
            };
            sink.put(role, &rest[..length]);
            rest = &rest[length..];
        }
    }

    /// As much of a run as a line has room for, up to the next line end.
    fn run<S: Sink>(&self, place: &mut Place, run: Run, goes_on: bool, used: usize, sink: &mut S) {
        let breaks = goes_on && place.at > 0 && self.bytes[place.at - 1] != b'\n';
        if breaks {
            sink.continued();
        }
        let rest = &self.bytes[place.at..run.end];
        let window = &rest[..rest.len().min(LINE_CHARS * 4)];
        let line = memchr(b'\n', window).unwrap_or(window.len());
        let line = &window[..line];
        let taken = if line.is_empty() { 0 } else { cut(line, LINE_CHARS.saturating_sub(used + 4)).bytes };
        if S::DRAWS && taken > 0 {
            sink.put(run.role, &line[..taken]);
        }
        place.at += taken;
        if taken == line.len() && self.bytes.get(place.at) == Some(&b'\n') && place.at < run.end {
            place.at += 1;
        }
        place.inside = (place.at < run.end).then_some(run);
    }

    /// What begins there, and where it ends. Looks no further than what it takes.
    fn token(&self, at: usize) -> (Kind, usize) {
        let rest = &self.bytes[at..];
        let until = |mark: &[u8]| at + memmem::find(rest, mark).map_or(rest.len(), |end| end + mark.len());
        match rest {
            [b'<', b'!', b'-', b'-', ..] => (Kind::Aside, until(b"-->")),
            [b'<', b'!', b'[', b'C', b'D', ..] => (Kind::Text, until(b"]]>")),
            [b'<', b'!', ..] => (Kind::Aside, at + declaration(rest)),
            [b'<', b'?', ..] => (Kind::Aside, until(b"?>")),
            [b'<', b'/', ..] => (Kind::End, at + tag_end(rest).unwrap_or(1)),
            [b'<', first, ..] if first.is_ascii_alphabetic() || *first >= 0x80 || matches!(first, b'_' | b':') => {
                match tag_end(rest) {
                    Some(end) => (self.kind(&rest[..end]), at + end),
                    None => (Kind::Text, at + 1),
                }
            }
            // A text ends before the next tag; a `<` that begins none is text.
            _ => (Kind::Text, at + 1 + memchr(b'<', &rest[1..]).unwrap_or(rest.len() - 1)),
        }
    }

    fn kind(&self, tag: &[u8]) -> Kind {
        let name = tag[1..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let name = String::from_utf8_lossy(&tag[1..=name]).to_ascii_lowercase();
        let is_void = self.is_html && VOID.contains(&&name[..]);
        if is_void || tag.ends_with(b"/>") { Kind::Whole } else { Kind::Start }
    }
}

/// Where a tag ends: after its `>`, those in quotes aside. None where another tag begins before.
fn tag_end(rest: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += memchr3(b'>', b'<', b'=', &rest[at..])?;
        match (rest[at], rest.get(at + 1)) {
            (b'>', _) => return Some(at + 1),
            (b'<', _) => return None,
            (_, Some(&quote @ (b'"' | b'\''))) => match memchr2(quote, b'<', &rest[at + 2..]) {
                Some(end) if rest[at + 2 + end] == quote => at += end + 3,
                // No value holds a `<` in XML, and looking past it would be looking at the next tags again and again.
                Some(_) => return None,
                None => at += 1,
            },
            _ => at += 1,
        }
    }
}

/// How long a document type is: to its `>`, or that behind its inner part.
fn declaration(rest: &[u8]) -> usize {
    let window = &rest[..rest.len().min(TYPE_BYTES)];
    let end = memchr(b'>', window);
    let inner = memchr(b'[', window).filter(|&inner| end.is_none_or(|end| inner < end));
    let inner_end = inner.and_then(|inner| memmem::find(&window[inner..], b"]>").map(|end| inner + end + 2));
    inner_end.or(end.map(|end| end + 1)).unwrap_or(window.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(body: impl Into<Bytes>, kind: &str) -> (Vec<String>, Option<String>) {
        let content = Content { bytes: body.into(), content_type: Some(kind.to_owned()), ..Content::default() };
        let document = if kind == "text/html" { open_html(&content) } else { open_xml(&content) }.unwrap();
        let lines = document.lines(0..document.line_count());
        let text = lines.iter().map(|line| line.iter().map(|span| &span.text[..]).collect()).collect();
        (text, document.note().map(str::to_owned))
    }

    #[test]
    fn elements_are_indented_and_short_texts_stand_beside_their_tags() {
        let (lines, note) = shown(
            "<?xml version=\"1.0\"?><order id=\"a>b\"><sku>fly &amp; line</sku><empty/><!-- two\nlines --><n>1<b>2</b></n></order>",
            "application/xml",
        );
        assert_eq!(
            lines,
            [
                "<?xml version=\"1.0\"?>",
                "<order id=\"a>b\">",
                "  <sku>fly &amp; line</sku>",
                "  <empty/>",
                "  <!-- two",
                "lines -->",
                "  <n>",
                "    1",
                "    <b>2</b>",
                "  </n>",
                "</order>",
            ]
        );
        assert_eq!(note, None);
    }

    #[test]
    fn xml_is_read_in_the_encoding_that_it_names() {
        let bytes = Bytes::from_static(b"<?xml version='1.0' encoding=\"ISO-8859-1\"?><a>caf\xe9</a>");
        let content = Content { bytes, content_type: Some("text/xml".to_owned()), ..Content::default() };
        let document = open_xml(&content).unwrap();
        let lines = document.lines(0..document.line_count());
        assert_eq!(lines[1].iter().map(|span| &span.text[..]).collect::<String>(), "<a>café</a>");
        assert_eq!(document.note(), Some("ISO-8859-1"), "and it is well-formed");
        let (lines, note) = shown("<?xml version='1.0' encoding='utf-16'?><a>caf\u{e9}</a>", "text/xml");
        assert_eq!((&lines[1][..], note), ("<a>café</a>", None), "sent as UTF-8 all the same");
    }

    #[test]
    fn broken_xml_shows_and_says_where() {
        let (lines, note) = shown("<a><b>1</a>", "text/xml");
        assert_eq!(lines, ["<a>", "  <b>1</a>"]);
        assert!(note.unwrap().starts_with("not well-formed at byte "));
        assert!(shown("<a>", "text/xml").1.unwrap().contains("1 element without an end"));
        assert_eq!(shown("<a <b", "text/xml").0.concat(), "<a <b");
    }

    #[test]
    fn a_billion_laughs_stay_as_they_are_written() {
        let body = "<!DOCTYPE l [<!ENTITY a \"lol\"><!ENTITY b \"&a;&a;&a;\">]><l>&b;</l>";
        assert_eq!(
            shown(body, "text/xml").0,
            ["<!DOCTYPE l [<!ENTITY a \"lol\"><!ENTITY b \"&a;&a;&a;\">]>", "<l>&b;</l>"]
        );
    }

    #[test]
    fn a_million_elements_deep_open_at_once() {
        let body = "<a>".repeat(1_000_000) + &"</a>".repeat(1_000_000);
        let (lines, note) = shown(body, "text/xml");
        // The innermost stands on one line.
        assert_eq!((lines.len(), note), (1_999_999, None));
    }

    #[test]
    fn html_knows_elements_without_end() {
        let (lines, _) = shown("<!DOCTYPE html><p>a<br>b<img src=x></p>", "text/html");
        assert_eq!(lines, ["<!DOCTYPE html>", "<p>", "  a", "  <br>", "  b", "  <img src=x>", "</p>"]);
    }

    #[test]
    fn html_whose_end_tags_are_left_out_goes_no_deeper() {
        let body = "<ul><li>one<li>two <b>bold</b><ul><li>in</ul><li>last</ul><p>a<p>b<table><tr><td>1<td>2<tr><td>3</table></p>";
        let (lines, _) = shown(body, "text/html");
        assert_eq!(
            lines,
            [
                "<ul>",
                "  <li>",
                "    one",
                "  <li>",
                "    two ",
                "    <b>bold</b>",
                "    <ul>",
                "      <li>",
                "        in",
                "    </ul>",
                "  <li>",
                "    last",
                "</ul>",
                "<p>",
                "  a",
                "<p>",
                "  b",
                "<table>",
                "  <tr>",
                "    <td>",
                "      1",
                "    <td>",
                "      2",
                "  <tr>",
                "    <td>",
                "      3",
                "</table>",
                "</p>",
            ]
        );
        let (lines, _) = shown("<dl><dt>t<dd>d<dt>u<dd>e</dl><select><option>x<option>y</select>", "text/html");
        let depth = |line: &String| line.len() - line.trim_start().len();
        assert_eq!(lines.iter().map(depth).max(), Some(4));
        assert_eq!(lines.last().map(String::as_str), Some("</select>"));
    }

    #[test]
    fn xml_keeps_every_element_open_until_its_end() {
        let (lines, _) = shown("<r><li><li>x</li></li></r>", "text/xml");
        assert_eq!(lines, ["<r>", "  <li>", "    <li>x</li>", "  </li>", "</r>"]);
    }
}
