//! The other ways in which a request may have been written when it was signed: what the doctor tries.

use std::fmt::Write;

use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use super::{Request, form, place::View, scheme::Scheme, time::Unit};
use crate::record::text;

/// A style in which libraries write JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Style {
    spacing: Spacing,
    sorted: bool,
    ascii: bool,
    slashes: bool,
    html: bool,
    numbers: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spacing {
    /// No spaces: JavaScript, Go, Rust.
    Compact,
    /// A space after each colon and comma: Python.
    Spaced,
    /// Indented by so many spaces.
    Indented(usize),
}

impl Style {
    /// All of them, plainest first.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let spacings = [Spacing::Compact, Spacing::Spaced, Spacing::Indented(2), Spacing::Indented(4)];
        let bits = 0_u8..32;
        bits.flat_map(move |bits| {
            spacings.into_iter().map(move |spacing| Self {
                spacing,
                sorted: bits & 1 != 0,
                ascii: bits & 2 != 0,
                slashes: bits & 4 != 0,
                numbers: bits & 8 != 0,
                html: bits & 16 != 0,
            })
        })
        // Three at once are no library's doing.
        .filter(|style| {
            [style.sorted, style.ascii, style.slashes, style.numbers, style.html].iter().filter(|b| **b).count() < 3
        })
    }

    /// The class of the change.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self { sorted: true, .. } => "json-key-order",
            Self { numbers: true, .. } => "json-numbers",
            Self { ascii: true, .. } | Self { slashes: true, .. } | Self { html: true, .. } => "json-escapes",
            _ => "json-spacing",
        }
    }

    /// What it is, in words.
    pub(super) fn described(self) -> String {
        let spacing = match self.spacing {
            Spacing::Compact => "without spaces".to_owned(),
            Spacing::Spaced => "with a space after each comma and colon".to_owned(),
            Spacing::Indented(by) => format!("indented by {by}"),
        };
        let extras = [
            (self.sorted, "keys sorted"),
            (self.ascii, "what is not ASCII as \\u"),
            (self.slashes, "slashes escaped"),
            (self.numbers, "numbers written anew"),
            (self.html, "<, > and & as \\u"),
        ];
        let extras = extras.iter().filter(|row| row.0).map(|row| row.1);
        let how: Vec<&str> = std::iter::once(&spacing[..]).chain(extras).collect();
        format!("the body parsed and written anew as JSON {}", how.join(", "))
    }

    /// Writes a value.
    pub(super) fn write(self, value: &Value) -> Vec<u8> {
        let mut out = String::new();
        self.value(value, 0, &mut out);
        out.into_bytes()
    }

    fn value(self, value: &Value, depth: usize, out: &mut String) {
        match value {
            Value::Null => out.push_str("null"),
            Value::Bool(it) => out.push_str(if *it { "true" } else { "false" }),
            Value::Number(number) => out.push_str(&self.number(&number.to_string())),
            Value::String(text) => self.string(text, out),
            Value::Array(items) => {
                self.list(['[', ']'], items.len(), depth, out, |at, out| self.value(&items[at], depth + 1, out));
            }
            Value::Object(fields) => {
                let mut fields: Vec<_> = fields.iter().collect();
                if self.sorted {
                    fields.sort_by(|a, b| a.0.cmp(b.0));
                }
                self.list(['{', '}'], fields.len(), depth, out, |at, out| {
                    let (name, value) = fields[at];
                    self.string(name, out);
                    out.push_str(if self.spacing == Spacing::Compact { ":" } else { ": " });
                    self.value(value, depth + 1, out);
                });
            }
        }
    }

    fn list(
        self,
        ends: [char; 2],
        len: usize,
        depth: usize,
        out: &mut String,
        mut item: impl FnMut(usize, &mut String),
    ) {
        let line = |out: &mut String, depth: usize| {
            if let Spacing::Indented(by) = self.spacing {
                out.push('\n');
                out.extend(std::iter::repeat_n(' ', by * depth));
            }
        };
        out.push(ends[0]);
        for at in 0..len {
            if at > 0 {
                out.push_str(if self.spacing == Spacing::Spaced { ", " } else { "," });
            }
            line(out, depth + 1);
            item(at, out);
        }
        if len > 0 {
            line(out, depth);
        }
        out.push(ends[1]);
    }

    /// A number as JavaScript writes it.
    fn number(self, text: &str) -> String {
        match text.parse::<f64>() {
            Ok(number) if self.numbers && number.is_finite() && number.abs() < 1e21 => format!("{number}"),
            _ => text.to_owned(),
        }
    }

    fn string(self, text: &str, out: &mut String) {
        out.push('"');
        for letter in text.chars() {
            match letter {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                '/' if self.slashes => out.push_str("\\/"),
                '<' | '>' | '&' if self.html => push_escape(letter, out),
                _ if letter < ' ' || (self.ascii && !letter.is_ascii()) => push_escape(letter, out),
                _ => out.push(letter),
            }
        }
        out.push('"');
    }
}

fn push_escape(letter: char, out: &mut String) {
    for unit in letter.encode_utf16(&mut [0; 2]) {
        let _ = write!(out, "\\u{unit:04x}");
    }
}

/// What came of a change, where it changed anything.
pub(super) fn other(changed: Vec<u8>, was: &[u8]) -> Option<Vec<u8>> {
    (changed != was).then_some(changed)
}

/// A secret in Unicode's form NFKD.
pub(super) fn decomposed(secret: &[u8]) -> Option<Vec<u8>> {
    Some(std::str::from_utf8(secret).ok()?.nfkd().collect::<String>().into_bytes())
}

/// A body without one line end at its end.
pub(super) fn without_newline(body: &[u8]) -> Option<Vec<u8>> {
    let body = body.strip_suffix(b"\n")?;
    Some(body.strip_suffix(b"\r").unwrap_or(body).to_vec())
}

/// LF for every CR LF.
pub(super) fn with_lf(body: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr(b'\r', body)?;
    let mut out = Vec::with_capacity(body.len());
    for (at, &byte) in body.iter().enumerate() {
        if byte != b'\r' || body.get(at + 1) != Some(&b'\n') {
            out.push(byte);
        }
    }
    Some(out)
}

/// Each byte taken for a letter of Latin-1, in UTF-8.
pub(super) fn latin1_to_utf8(body: &[u8]) -> Option<Vec<u8>> {
    (!body.is_ascii()).then(|| body.iter().map(|&b| char::from(b)).collect::<String>().into_bytes())
}

/// The letters of UTF-8 in Latin-1, where it has all of them.
pub(super) fn utf8_to_latin1(body: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok().filter(|text| !text.is_ascii())?;
    text.chars().map(|letter| u8::try_from(u32::from(letter)).ok()).collect()
}

/// `%20` for every `+`.
pub(super) fn plus_as_percent(body: &[u8]) -> Option<Vec<u8>> {
    replaced(body, b"+", b"%20")
}

/// `+` for every `%20`.
pub(super) fn percent_as_plus(body: &[u8]) -> Option<Vec<u8>> {
    replaced(body, b"%20", b"+")
}

fn replaced(body: &[u8], from: &[u8], to: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = memchr::memmem::find(rest, from) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    out.extend_from_slice(rest);
    (out != body).then_some(out)
}

/// A form with its names and values decoded.
pub(super) fn form_decoded(body: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr(b'=', body)?;
    let pairs: Vec<Vec<u8>> = form::pairs(body).map(|(name, value)| [&name[..], b"=", &value].concat()).collect();
    Some(pairs.join(&b'&'))
}

/// What a form's field `payload` holds.
pub(super) fn form_payload(body: &[u8]) -> Option<Vec<u8>> {
    form::value(body, "payload").map(std::borrow::Cow::into_owned)
}

/// The URLs that may have been signed, with what is other about each.
pub(super) fn urls(request: &Request<'_>) -> Vec<(String, &'static str)> {
    let target = text::lossless(request.target).into_owned();
    let host = |name: &str| request.headers.text(name).map(str::to_owned);
    let configured = request.url.and_then(|url| url.split_once("://")).map(|(_, rest)| rest.to_owned());
    let configured_host = configured.as_ref().and_then(|rest| rest.split(['/', '?']).next().map(str::to_owned));
    let hosts: Vec<(String, &'static str)> = [
        (configured_host, "the configured host"),
        (host("x-forwarded-host"), "the host of X-Forwarded-Host"),
        (host("x-original-host"), "the host of X-Original-Host"),
        (host("host"), "the host of Host"),
    ]
    .into_iter()
    .filter_map(|(host, words)| host.map(|host| (host, words)))
    .collect();
    let configured_target =
        configured.map(|rest| rest.find(['/', '?']).map_or(String::new(), |at| rest[at..].to_owned()));
    let mut targets = vec![(target, "")];
    targets.extend(configured_target.map(|target| (target, "the configured path")));
    let targets: Vec<_> = targets.into_iter().flat_map(|(target, words)| targets_of(&target, words)).collect();
    let mut urls = Vec::new();
    for (host, host_words) in &hosts {
        for (target, words) in &targets {
            for scheme in ["https", "http"] {
                let bare = host.rsplit_once(':').map_or(&host[..], |(bare, _)| bare);
                let port = if scheme == "https" { "443" } else { "80" };
                urls.push((format!("{scheme}://{host}{target}"), if words.is_empty() { *host_words } else { *words }));
                urls.push((format!("{scheme}://{bare}{target}"), "without a port"));
                urls.push((format!("{scheme}://{bare}:{port}{target}"), "with the usual port"));
            }
        }
    }
    urls
}

/// A target in other spellings.
fn targets_of(target: &str, words: &'static str) -> Vec<(String, &'static str)> {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let with = |path: &str, query: Option<&str>| query.map_or(path.to_owned(), |query| format!("{path}?{query}"));
    let mut all = vec![(target.to_owned(), words)];
    match path.strip_suffix('/') {
        Some(bare) => all.push((with(bare, query), "without the slash at its end")),
        None => all.push((with(&format!("{path}/"), query), "with a slash at its end")),
    }
    if let Some(query) = query {
        all.push((path.to_owned(), "without its query"));
        let mut fields: Vec<&str> = query.split('&').collect();
        fields.sort_unstable();
        all.push((with(path, Some(&fields.join("&"))), "with its query sorted"));
        let decoded: Vec<String> = form::pairs(query.as_bytes())
            .map(|(name, value)| format!("{}={}", text::lossless(&name), text::lossless(&value)))
            .collect();
        all.push((with(path, Some(&decoded.join("&"))), "with its query decoded"));
        let encoded: Vec<String> = form::pairs(query.as_bytes())
            .map(|(name, value)| format!("{}={}", form::escaped(&name), form::escaped(&value)))
            .collect();
        all.push((with(path, Some(&encoded.join("&"))), "with its query encoded anew"));
    }
    all
}

/// The timestamps that may have been signed, with what is other about each.
pub(super) fn times(request: &Request<'_>, scheme: &Scheme) -> Vec<(String, &'static str)> {
    let units = [
        (Unit::Seconds, "in seconds"),
        (Unit::Milliseconds, "in milliseconds"),
        (Unit::Rfc3339, "as RFC 3339"),
        (Unit::HttpDate, "as an HTTP date"),
    ];
    let mut all = vec![(String::new(), "none at all")];
    let received = scheme.received(request);
    for (_, sent) in &received {
        let sent = Some(super::shape::Sent { shape: &scheme.shape, text: sent });
        let view = View { sent, ..View::of(request) };
        let Some(found) = scheme.clock.as_ref().and_then(|clock| clock.place.find(view)) else { continue };
        let moment = units.iter().find_map(|(unit, _)| unit.read(&found));
        all.extend(moment.into_iter().flat_map(|moment| units.map(|(unit, words)| (unit.write(moment), words))));
        // Between seconds and milliseconds nothing tells which is meant.
        if let Ok(number) = String::from_utf8_lossy(&found).parse::<i64>() {
            all.push(((number / 1000).to_string(), "in seconds"));
            all.push((number.saturating_mul(1000).to_string(), "in milliseconds"));
        }
    }
    for header in request.headers {
        let value = header.value_text();
        let is_time = units.iter().any(|(unit, _)| unit.read(value.as_bytes()).is_some()) && value.len() >= 9;
        if is_time {
            all.push((value.into_owned(), "from another header"));
        }
    }
    all
}

/// Where two bodies differ first, for eyes: a few bytes around it of each.
pub(super) fn difference(signed: &[u8], received: &[u8]) -> String {
    const AROUND: usize = 16;
    let at = signed.iter().zip(received).take_while(|(a, b)| a == b).count();
    let part = |bytes: &[u8]| {
        let from = at.saturating_sub(AROUND);
        let to = bytes.len().min(at + AROUND);
        let part = String::from_utf8_lossy(bytes.get(from..to).unwrap_or_default());
        let text = part.chars().fold(String::new(), |mut text, letter| {
            if letter.is_control() {
                text.extend(letter.escape_debug());
            } else {
                text.push(letter);
            }
            text
        });
        let dots = [if from > 0 { "…" } else { "" }, if to < bytes.len() { "…" } else { "" }];
        format!("{}{text}{}", dots[0], dots[1])
    };
    format!("byte {at}: signed {}, received {}", part(signed), part(received))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn styled(json: &str, pick: impl Fn(&Style) -> bool) -> String {
        let style = Style::all().find(pick).unwrap();
        String::from_utf8(style.write(&serde_json::from_str(json).unwrap())).unwrap()
    }

    #[test]
    fn styles_write_as_the_libraries_do() {
        let json = r#"{"b":[1.0,{}],"a":"é/<"}"#;
        let plain = |style: &Style| !style.sorted && !style.ascii && !style.slashes && !style.html && !style.numbers;
        assert_eq!(styled(json, |s| plain(s) && s.spacing == Spacing::Spaced), r#"{"b": [1.0, {}], "a": "é/<"}"#);
        let indented = "{\n  \"b\": [\n    1.0,\n    {}\n  ],\n  \"a\": \"é/<\"\n}";
        assert_eq!(styled(json, |s| plain(s) && s.spacing == Spacing::Indented(2)), indented);
        assert_eq!(styled(json, |s| s.sorted), r#"{"a":"é/<","b":[1.0,{}]}"#);
        assert_eq!(styled(json, |s| s.ascii && s.slashes), r#"{"b":[1.0,{}],"a":"\u00e9\/<"}"#);
        assert_eq!(styled(json, |s| s.html && s.numbers), r#"{"b":[1,{}],"a":"é/\u003c"}"#);
    }

    #[test]
    fn a_difference_is_shown_with_what_stands_around_it() {
        assert_eq!(difference(b"{}", b"{}\n"), "byte 2: signed {}, received {}\\n");
        let long = b"a body that is longer than what is shown of it, by far";
        assert_eq!(
            difference(&long[..], b"a body that is longer than what IS shown of it, by far"),
            "byte 32: signed …onger than what is shown of it, …, received …onger than what IS shown of it, …"
        );
    }
}
