//! **Floor 1 — how bytes are read by eyes.** Turns the bytes of a payload into lines that are safe to show.
//!
//! Two things live here: [`escape()`], the one escaper that every byte of a payload passes on its way to a terminal, and
//! the views, one file and one row of [`VIEWS`] each, which open a body as a [`Document`] of finished lines. [`mask`] hides
//! from eyes what lets somebody in.
//!
//! What this room must never do: let a control, bidirectional, zero-width or private character out unescaped; build a
//! tree of a payload (a document keeps the bytes and a sparse index, and makes only the lines it is asked for); undo a
//! content coding without a bound or without saying so; panic or take more than linear time over any bytes; know a colour or a screen.

mod beside;
mod cbor;
mod cloudevent;
mod coding;
pub mod compare;
mod content;
mod diff;
mod double;
mod escape;
mod fold;
mod form;
mod hex;
mod items;
mod json;
mod jwt;
mod mail;
mod markup;
pub mod mask;
mod msgpack;
mod multipart;
mod omit;
mod path;
mod picture;
mod piece;
mod pretty;
mod protobuf;
mod put;
mod qr;
mod size;
mod stack;
mod table;
mod text;
mod tree;
mod value;

use std::ops::Range;

use bytes::Bytes;

pub use coding::UNDONE_BYTES;
pub use content::{Content, Undone};
pub use diff::{Difference, diff};
pub use escape::{escape, escape_bytes, fit, is_safe, width};
pub use fold::{Folds, folded, shown};
pub use path::{Node, Path, Spelling, Step};
pub use picture::shade;
pub use put::Put;
pub use qr::qr;
pub use size::{amount, size};
pub use tree::Tree;
pub use value::{Value, value};

/// How many characters a [`Line`] has at most. What is longer goes on in the next line, which then begins with a
/// [`Role::Dim`] arrow.
pub const LINE_CHARS: usize = 4_096;

/// What a piece of text is, for colouring. The screen maps roles to its theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Text of no special kind, and white space.
    Plain,
    /// The name of a member or field.
    Key,
    /// A string, a field's value.
    Text,
    /// A number.
    Number,
    /// `true`, `false`, `null`.
    Literal,
    /// Brackets, commas, colons.
    Punctuation,
    /// Tags of a markup language.
    Markup,
    /// Where something lies: the offsets of a hex view.
    Address,
    /// What the view added, and what matters little.
    Dim,
    /// A character or byte that is shown by its picture, name or number. Tells `␛` that stands for an escape from a `␛`
    /// that the sender wrote.
    Control,
    /// What is not as it should be.
    Error,
    /// Two pixels of a picture, one above the other: their red, green and blue. The text is a half block; where there are
    /// no colours, [`shade`] gives what stands for it.
    Pixels([u8; 3], [u8; 3]),
}

/// A piece of a line in one role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// What it is.
    pub role: Role,
    /// The text, already escaped: every character of it [`is_safe`].
    pub text: String,
}

/// One line of a document, from left to right.
pub type Line = Vec<Span>;

/// A body, opened by a view: lines that are made when they are asked for.
pub trait Document: Send + Sync {
    /// How many lines there are.
    fn line_count(&self) -> usize;
    /// Those lines; the part of the range that lies past the end is left out.
    fn lines(&self, range: Range<usize>) -> Vec<Line>;
    /// The rows that a line takes in so many columns, where it must not be wrapped like a text: what stands in columns would
    /// be torn.
    fn rows_within(&self, line: usize, columns: usize) -> Option<Vec<Line>> {
        let _ = (line, columns);
        None
    }
    /// Where its columns stand in a line, from left to right, where its lines stand in columns; a line that begins with
    /// [`Role::Error`] does not.
    fn columns(&self) -> &[Range<usize>] {
        &[]
    }
    /// What a reader should know about the whole, in one safe line: that it is broken and where, that it is encoded.
    fn note(&self) -> Option<&str>;
    /// How its lines lie in each other, where they do: for folding, and for paths to what a line shows.
    fn tree(&self) -> Option<&dyn Tree> {
        None
    }
    /// Its parts that can be saved, by the lines they begin with.
    fn parts(&self) -> &[Part] {
        &[]
    }
    /// How much memory it takes beside the body to lead to any line, in bytes, where that is known.
    fn index_bytes(&self) -> usize {
        0
    }
}

/// A part of a body that can be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The line that it begins with.
    pub line: usize,
    /// A name to save it under: never a path, never hidden, and no character that hides or acts.
    pub name: String,
    /// Its bytes.
    pub bytes: Bytes,
}

/// How many times its size a body unfolds to before that is worth a word.
const MUCH: usize = 100;

/// A document of a body whose content coding was undone, which its note says.
struct Unfolded {
    document: Box<dyn Document>,
    note: String,
}

impl Document for Unfolded {
    fn line_count(&self) -> usize {
        self.document.line_count()
    }

    fn lines(&self, range: Range<usize>) -> Vec<Line> {
        self.document.lines(range)
    }

    fn rows_within(&self, line: usize, columns: usize) -> Option<Vec<Line>> {
        self.document.rows_within(line, columns)
    }

    fn columns(&self) -> &[Range<usize>] {
        self.document.columns()
    }

    fn note(&self) -> Option<&str> {
        Some(&self.note)
    }

    fn tree(&self) -> Option<&dyn Tree> {
        self.document.tree()
    }

    fn parts(&self) -> &[Part] {
        self.document.parts()
    }

    fn index_bytes(&self) -> usize {
        self.document.index_bytes()
    }
}

impl View {
    /// Opens the body, and says in the note where a content coding was undone for it.
    pub fn show(&self, content: &Content) -> Result<Box<dyn Document>, String> {
        let document = (self.open)(content)?;
        match content.undone.as_ref().filter(|_| self.name != HEX.name) {
            None => Ok(document),
            Some(undone) => {
                let undone = undone_words(undone, content.bytes.len());
                let note = [Some(&undone[..]), document.note()].into_iter().flatten().collect::<Vec<_>>().join("; ");
                Ok(Box::new(Unfolded { document, note }))
            }
        }
    }
}

/// What is said of a coding that was undone: from how much to how much, whether there is more, whether that is odd.
fn undone_words(undone: &Undone, bytes: usize) -> String {
    let Undone { received, coding, stopped } = undone;
    let (to, from) = (amount(bytes as u64), amount(received.len() as u64));
    let times = bytes / received.len().max(1);
    let odd = if times >= MUCH { format!(", {times} times as much") } else { String::new() };
    match stopped {
        true => format!("{coding} undone, stopped at {to} of > {to}, from {from}{odd}"),
        false => format!("{coding} undone: {to} from {from}{odd}"),
    }
}

/// One way to look at a body.
pub struct View {
    /// Its name in settings and on the screen.
    pub name: &'static str,
    /// What it shows, in a few words.
    pub help: &'static str,
    /// Whether the body looks like one that this view is for.
    pub fits: fn(&Content) -> bool,
    /// Opens the body, whether it fits or not. Why not, in one line, where that cannot be.
    pub open: fn(&Content) -> Result<Box<dyn Document>, String>,
}

/// Every view, the most telling first. The last one fits everything.
pub const VIEWS: &[View] = &[
    view("jwt", "a JSON Web Token: header, claims, moments in words", jwt::fits, jwt::open),
    view("cloudevent", "what an event says of itself, and its data", cloudevent::fits, cloudevent::open),
    view("multipart", "parts and files, each in the view that fits", multipart::fits, multipart::open),
    view("mail", "a mail: its head, decoded, and its parts", mail::fits, mail::open),
    view("picture", "format, size, and the picture in blocks", picture::fits, picture::open),
    view("table", "CSV or lines of JSON, in columns", table::fits, table::open),
    view("payload", "the JSON in a field of a form, as a tree", form::fits_payload, form::open_payload),
    view("tree", "JSON that folds, with times and coded texts read", json::fits, tree::open),
    view("json", "JSON, indented, every value as sent", json::fits, json::open),
    view("form", "form fields, decoded, one a line", form::fits, form::open),
    view("html", "HTML, indented", markup::fits_html, markup::open_html),
    view("xml", "XML, indented, entities as written", markup::fits_xml, markup::open_xml),
    view("cbor", "CBOR, in diagnostic notation", cbor::fits, cbor::open),
    view("msgpack", "MessagePack, as JSON is written", msgpack::fits, msgpack::open),
    view("protobuf", "the fields of a message, without its schema", protobuf::fits, protobuf::open),
    view("text", "the text as sent, line by line", text::fits, text::open),
    HEX,
];

const HEX: View = view("hex", "every byte, with its offset", self::hex::fits, self::hex::open);

const fn view(
    name: &'static str,
    help: &'static str,
    fits: fn(&Content) -> bool,
    open: fn(&Content) -> Result<Box<dyn Document>, String>,
) -> View {
    View { name, help, fits, open }
}

/// The lines of JSON, without a look at whether it is right: the index that every view of JSON stands on.
pub fn index(bytes: Bytes) -> Box<dyn Document> {
    tree::document(bytes)
}

/// The view of that name.
pub fn view_named(name: &str) -> Option<&'static View> {
    VIEWS.iter().find(|view| view.name == name)
}

/// The first view that fits: by the bytes first, by what the sender says about them second.
pub fn best(content: &Content) -> &'static View {
    const FALLBACK: &View = &HEX;
    VIEWS.iter().find(|view| (view.fits)(content)).unwrap_or(FALLBACK)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(bytes: &'static [u8], content_type: &str, coding: &str) -> Content {
        let named = |value: &str| (!value.is_empty()).then(|| value.to_string());
        Content {
            bytes: Bytes::from_static(bytes),
            content_type: named(content_type),
            content_encoding: named(coding),
            ..Content::default()
        }
    }

    #[test]
    fn the_view_is_chosen_by_the_bytes_and_by_what_the_sender_says() {
        for (bytes, content_type, coding, view) in [
            (&b"{\"a\":1}"[..], "application/json", "", "tree"),
            (b"{\"a\":1}", "", "", "tree"),
            (b"{\"a\":1}", "application/x-www-form-urlencoded", "", "tree"),
            (b"{\"a\":1", "application/vnd.x+json; charset=utf-8", "", "tree"),
            (b"{\"a\":1", "text/plain", "", "text"),
            (b"{\"a\":1}\n{\"a\":2}\n", "application/x-ndjson", "", "table"),
            (b"not json", "application/json", "", "text"),
            (b"true", "application/json", "", "tree"),
            (b"true", "text/plain", "", "text"),
            (b"payload=%7Bx", "application/x-www-form-urlencoded", "", "form"),
            (b"a=1", "", "", "text"),
            (b"", "application/json", "", "text"),
            (b"caf\xe9", "text/plain; charset=ISO-8859-1", "", "text"),
            (b"caf\xe9", "text/plain", "", "text"),
            (b"caf\xe9", "", "", "hex"),
            (b"\x89PNG\r\n\x1a\n\0\0", "image/png", "", "picture"),
            (b"a,b\n1,2", "text/csv", "", "table"),
            (b"From: a@b\n\nhello", "message/rfc822", "", "mail"),
            (b"hello", "message/rfc822", "", "text"),
            (b"<a/>", "application/xml", "", "xml"),
            (b"<?xml version='1.0'?><a/>", "", "", "xml"),
            (b"<!doctype html><p>", "", "", "html"),
            (b"payload=%7B%22a%22:1%7D", "application/x-www-form-urlencoded", "", "payload"),
            (b"--x\r\n\r\n1\r\n--x--", "multipart/form-data; boundary=x", "", "multipart"),
            (b"\xff\xfea\0", "", "", "text"),
            (b"\x1b]52;c;aGk=\x07", "text/plain", "", "text"),
            (b"{\"a\":1}", "application/json", "gzip", "hex"),
            (b"{\"a\":1}", "application/json", "identity", "tree"),
        ] {
            let chosen = best(&content(bytes, content_type, coding));
            assert_eq!(chosen.name, view, "{} as {content_type:?} {coding:?}", escape_bytes(bytes));
        }
    }

    #[test]
    fn a_body_in_a_content_coding_is_shown_as_received_with_a_note() {
        let zipped = content(b"\x1f\x8b\x08", "application/json", "gzip");
        let document = (best(&zipped).open)(&zipped).unwrap();
        assert_eq!(document.note(), Some("content-encoding gzip: shown as received"));
        for view in VIEWS.iter().filter(|view| view.name != "hex") {
            assert!((view.open)(&zipped).err().unwrap().contains("gzip"), "{}", view.name);
        }
    }

    #[test]
    fn a_coding_that_can_be_undone_is_and_the_hex_view_shows_what_came() {
        use std::io::Write;
        let mut zipped = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        zipped.write_all(b"{\"fish\":1}").unwrap();
        let zipped = Bytes::from(zipped.finish().unwrap());
        let headers = [("Content-Type", "application/json"), ("Content-Encoding", "gzip")].into_iter().collect();
        let content = Content::of(&zipped, &headers);
        let view = best(&content);
        let document = view.show(&content).unwrap();
        assert_eq!(view.name, "tree");
        assert!(document.note().unwrap().starts_with("gzip undone: "), "{:?}", document.note());
        assert_eq!(document.lines(1..2)[0].iter().map(|span| &span.text[..]).collect::<String>().trim(), "\"fish\": 1");
        let hex = HEX.show(&content).unwrap();
        assert_eq!(hex.note(), Some("content-encoding gzip: shown as received"));
        let first: String = hex.lines(0..1)[0].iter().map(|span| &span.text[..]).collect();
        assert!(first.starts_with("00000000  1f 8b "), "{first}");
        let cut = Content::of(&zipped.slice(..12), &headers);
        assert_eq!((best(&cut).name, &cut.undone), ("hex", &None), "what is no whole gzip is shown as received");
        let said = HEX.show(&cut).unwrap();
        assert!(said.note().unwrap().contains("shown as received: it is no whole gzip"), "{:?}", said.note());
    }

    #[test]
    fn a_bomb_is_stopped_and_its_size_is_told() {
        use std::io::Write;
        let mut zipped = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        zipped.write_all(&vec![b'a'; 2 << 20]).unwrap();
        let headers = [("Content-Type", "text/plain"), ("Content-Encoding", "gzip")].into_iter().collect();
        let content = Content::within(&zipped.finish().unwrap().into(), &headers, 1 << 20);
        let document = best(&content).show(&content).unwrap();
        let note = document.note().unwrap();
        assert!(note.starts_with("gzip undone, stopped at 1.0M of > 1.0M, from 2.0k, 50"), "{note}");
        assert!(note.ends_with(" times as much"), "{note}");
    }

    #[test]
    fn what_a_header_says_reaches_a_note_only_escaped() {
        let hostile = content(b"x", "application/json", "\u{1b}]0;gotcha\u{7}");
        let document = (best(&hostile).open)(&hostile).unwrap();
        assert!(document.note().unwrap().chars().all(is_safe));
    }

    #[test]
    fn every_view_has_its_own_name_and_says_what_it_shows() {
        let mut names: Vec<_> = VIEWS.iter().map(|view| view.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), VIEWS.len());
        assert!(VIEWS.iter().all(|view| !view.help.is_empty()));
    }
}
