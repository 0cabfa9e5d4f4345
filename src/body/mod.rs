//! **Floor 1 — how bytes are read by eyes.** Turns the bytes of a payload into lines that are safe to show.
//!
//! Two things live here: [`escape()`], the one escaper that every byte of a payload passes on its way to a terminal, and
//! the views, one file and one row of [`VIEWS`] each, which open a body as a [`Document`] of finished lines.
//!
//! What this room must never do: let a control, bidirectional, zero-width or private character out unescaped; build a
//! tree of a payload (a document keeps the bytes and a sparse index, and makes only the lines it is asked for); undo a
//! content coding without a bound or without saying so; panic or take more than linear time over any bytes; know a colour or a screen.

mod coding;
pub mod compare;
mod diff;
mod escape;
mod form;
mod hex;
mod json;
mod piece;
mod pretty;
mod qr;
mod size;
mod text;

use std::ops::Range;

use bytes::Bytes;

use crate::record::Headers;

pub use coding::UNDONE_BYTES;
pub use diff::{Difference, diff};
pub use escape::{escape, escape_bytes, fit, is_safe, width};
pub use qr::qr;
pub use size::size;

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
    /// What a reader should know about the whole, in one safe line: that it is broken and where, that it is encoded.
    fn note(&self) -> Option<&str>;
}

/// A body and what its sender said about it.
#[derive(Clone, Debug, Default)]
pub struct Content {
    /// The bytes as received, after transfer decoding.
    pub bytes: Bytes,
    /// The value of `Content-Type`.
    pub content_type: Option<String>,
    /// The value of `Content-Encoding`, where that was not undone.
    pub content_encoding: Option<String>,
    /// What was undone, where `bytes` are what was under a content coding.
    pub undone: Option<Undone>,
}

/// A content coding that was undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undone {
    /// The bytes as received.
    pub received: Bytes,
    /// The coding's name, shown safely and briefly.
    pub coding: String,
}

impl Content {
    /// A body with what its headers say of it, its content codings undone up to [`UNDONE_BYTES`].
    pub fn of(bytes: &Bytes, headers: &Headers) -> Self {
        Self::within(bytes, headers, UNDONE_BYTES)
    }

    /// The same with another bound: for a thread that must not take long.
    pub fn within(bytes: &Bytes, headers: &Headers, limit: u64) -> Self {
        let header = |name| headers.text(name).map(str::to_owned);
        let content = Self {
            bytes: bytes.clone(),
            content_type: header("content-type"),
            content_encoding: header("content-encoding"),
            undone: None,
        };
        content.unfolded(limit)
    }

    /// With its content codings undone; as it is where they cannot be.
    fn unfolded(self, limit: u64) -> Self {
        let Some(coding) = self.coding().filter(|_| !self.bytes.is_empty()) else { return self };
        let named = self.content_encoding.as_deref().unwrap_or_default();
        match coding::undone(&self.bytes, named, limit) {
            Ok(bytes) => {
                let undone = Some(Undone { received: self.bytes, coding });
                Self { undone, bytes: bytes.into(), content_encoding: None, ..self }
            }
            Err(_) => self,
        }
    }

    /// The media type without parameters, in lower case: `application/json`. Empty where there is none.
    fn media(&self) -> String {
        let value = self.content_type.as_deref().unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// The `charset` parameter in lower case, without quotes.
    fn charset(&self) -> Option<String> {
        let parameters = self.content_type.as_deref()?.split(';').skip(1);
        let pairs = parameters.filter_map(|parameter| parameter.split_once('='));
        let named = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
        named.map(|(_, value)| value.trim().trim_matches('"').to_ascii_lowercase()).next()
    }

    /// Whether the sender says that this is JSON: `application/json`, `text/json`, `…+json`, and the line formats.
    fn says_json(&self) -> bool {
        let media = self.media();
        let kind = media.split_once('/').map_or("", |(_, kind)| kind);
        matches!(kind, "json" | "x-ndjson" | "ndjson" | "jsonl" | "x-jsonlines" | "jsonlines" | "csp-report")
            || kind.ends_with("+json")
    }

    /// The content coding, shown safely and briefly, where the body is in one.
    fn coding(&self) -> Option<String> {
        let value = self.content_encoding.as_deref()?.trim();
        (!value.is_empty() && !value.eq_ignore_ascii_case("identity")).then(|| fit(value, 40))
    }

    /// What a view that wants plain bytes says to a body in a content coding.
    fn refuse_coding(&self) -> Result<(), String> {
        self.coding()
            .map_or(Ok(()), |coding| Err(format!("the body is in content-encoding {coding}, which is not undone")))
    }
}

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

    fn note(&self) -> Option<&str> {
        Some(&self.note)
    }
}

impl View {
    /// Opens the body, and says in the note where a content coding was undone for it.
    pub fn show(&self, content: &Content) -> Result<Box<dyn Document>, String> {
        let document = (self.open)(content)?;
        match content.undone.as_ref().filter(|_| self.name != HEX.name) {
            None => Ok(document),
            Some(Undone { received, coding }) => {
                let (to, from) = (size(content.bytes.len() as u64), size(received.len() as u64));
                let undone = format!("{coding} undone: {to} from {from}");
                let note = [Some(&undone[..]), document.note()].into_iter().flatten().collect::<Vec<_>>().join("; ");
                Ok(Box::new(Unfolded { document, note }))
            }
        }
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
    View { name: "json", help: "JSON, indented, every value as sent", fits: json::fits, open: json::open },
    View { name: "form", help: "form fields, decoded, one a line", fits: form::fits, open: form::open },
    View { name: "text", help: "the text as sent, line by line", fits: text::fits, open: text::open },
    HEX,
];

const HEX: View =
    View { name: "hex", help: "every byte, with its offset", fits: self::hex::fits, open: self::hex::open };

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
            undone: None,
        }
    }

    #[test]
    fn the_view_is_chosen_by_the_bytes_and_by_what_the_sender_says() {
        for (bytes, content_type, coding, view) in [
            (&b"{\"a\":1}"[..], "application/json", "", "json"),
            (b"{\"a\":1}", "", "", "json"),
            (b"{\"a\":1}", "application/x-www-form-urlencoded", "", "json"),
            (b"{\"a\":1", "application/vnd.x+json; charset=utf-8", "", "json"),
            (b"{\"a\":1", "text/plain", "", "text"),
            (b"{\"a\":1}\n{\"a\":2}\n", "application/x-ndjson", "", "json"),
            (b"not json", "application/json", "", "text"),
            (b"true", "application/json", "", "json"),
            (b"true", "text/plain", "", "text"),
            (b"payload=%7B%7D", "application/x-www-form-urlencoded", "", "form"),
            (b"a=1", "", "", "text"),
            (b"", "application/json", "", "text"),
            (b"caf\xe9", "text/plain; charset=ISO-8859-1", "", "text"),
            (b"caf\xe9", "text/plain", "", "text"),
            (b"caf\xe9", "", "", "hex"),
            (b"\x89PNG\r\n\x1a\n\0\0", "image/png", "", "hex"),
            (b"\x1b]52;c;aGk=\x07", "text/plain", "", "text"),
            (b"{\"a\":1}", "application/json", "gzip", "hex"),
            (b"{\"a\":1}", "application/json", "identity", "json"),
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
        assert_eq!(view.name, "json");
        assert!(document.note().unwrap().starts_with("gzip undone: "), "{:?}", document.note());
        assert_eq!(document.lines(1..2)[0].iter().map(|span| &span.text[..]).collect::<String>().trim(), "\"fish\": 1");
        let hex = HEX.show(&content).unwrap();
        assert_eq!(hex.note(), Some("content-encoding gzip: shown as received"));
        let first: String = hex.lines(0..1)[0].iter().map(|span| &span.text[..]).collect();
        assert!(first.starts_with("00000000  1f 8b "), "{first}");
        let cut = Content::of(&zipped.slice(..12), &headers);
        assert_eq!((best(&cut).name, cut.undone), ("hex", None), "what is no whole gzip is shown as received");
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
        names.dedup();
        assert_eq!(names, ["json", "form", "text", "hex"]);
        assert!(VIEWS.iter().all(|view| !view.help.is_empty()));
    }
}
