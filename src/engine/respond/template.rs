//! A body made of the request: `{"ok":true,"id":"{{body.data.id}}"}`.

use crate::{
    body::{self, Content, Path},
    record::{Capture, pairs},
};

/// The longest value that is put in, in bytes: an answer is no echo of a large body.
const LONGEST: usize = 64 << 10;

/// Text with places in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// The capture's number, which is known after the commit.
    Id,
    Hole(Hole),
}

/// What is put into a place, by what stands between the braces.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Hole {
    Body,
    /// A value of a JSON body, or of a form; of an object or a list its JSON.
    BodyValue(Path),
    Header(String),
    Query(String),
    /// A row of [`FACTS`].
    Fact(usize),
}

/// What reads a fact out of a capture.
type Read = fn(&Capture) -> String;

/// The places with a fixed name.
const FACTS: [(&str, Read); 8] = [
    ("capture.uid", |c| c.uid.to_string()),
    ("capture.time", |c| c.received_at.to_string()),
    ("capture.endpoint", |c| c.endpoint.clone()),
    ("method", |c| c.head.method().into_owned()),
    ("path", |c| c.head.path().into_owned()),
    ("provider", |c| c.provider.clone().unwrap_or_default()),
    ("event.id", |c| c.event.id.clone().unwrap_or_default()),
    ("event.type", |c| c.event.kind.clone().unwrap_or_default()),
];

impl Template {
    /// Reads a template; the error says which place is none.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((name, after)) = after.split_once("}}") else {
                return Err("a place begins with {{ and does not end with }}".to_owned());
            };
            parts.push(Part::Text(before.to_owned()));
            parts.push(part(name.trim())?);
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self(parts))
    }

    /// The text for a request, cut where the capture's number belongs. Values are escaped as the media type demands, so
    /// that a sender cannot write into the answer's structure.
    pub(super) fn fill(&self, capture: &Capture, content_type: &str) -> Vec<String> {
        let escape = escape_of(content_type);
        let mut parts = vec![String::new()];
        for part in &self.0 {
            let Some(last) = parts.last_mut() else { break };
            match part {
                Part::Text(text) => last.push_str(text),
                Part::Hole(hole) => last.push_str(&escape(cut(&hole.value(capture)))),
                Part::Id => parts.push(String::new()),
            }
        }
        parts
    }
}

fn part(name: &str) -> Result<Part, String> {
    if name == "capture.id" {
        return Ok(Part::Id);
    }
    if let Some(row) = FACTS.iter().position(|row| row.0 == name) {
        return Ok(Part::Hole(Hole::Fact(row)));
    }
    let hole = match name.split_once('.') {
        None if name == "body" => Some(Hole::Body),
        Some(("body", path)) => Path::parse(path).ok().filter(|path| !path.0.is_empty()).map(Hole::BodyValue),
        Some(("header", name)) if !name.is_empty() => Some(Hole::Header(name.to_owned())),
        Some(("query", name)) if !name.is_empty() => Some(Hole::Query(name.to_owned())),
        _ => None,
    };
    hole.map(Part::Hole).ok_or_else(|| {
        let facts = FACTS.map(|row| row.0).join(", ");
        format!("`{name}` is no place: capture.id, body, body.NAME, header.NAME, query.NAME, {facts}")
    })
}

impl Hole {
    fn value(&self, capture: &Capture) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match self {
            Self::Body => text(&capture.body.bytes),
            Self::Header(name) => capture.head.headers().get(name).map(text).unwrap_or_default(),
            Self::Query(name) => {
                let query = capture.head.query().unwrap_or_default();
                pairs::value(query.as_bytes(), name).map(|value| text(&value)).unwrap_or_default()
            }
            Self::BodyValue(path) => {
                let content = Content::of(&capture.body.bytes, capture.head.headers());
                body::value(&content, path).map(|value| text(&value.plain())).unwrap_or_default()
            }
            Self::Fact(row) => FACTS.get(*row).map(|row| (row.1)(capture)).unwrap_or_default(),
        }
    }
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// How a value is written in a text of that media type: as it stands within a JSON string, as text of HTML or XML, or
/// as it is.
fn escape_of(content_type: &str) -> fn(&str) -> String {
    if content_type.contains("json") {
        |text| {
            let quoted = serde_json::Value::from(text).to_string();
            quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
        }
    } else if content_type.contains("html") || content_type.contains("xml") {
        |text| {
            text.replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
                .replace('"', "&quot;")
                .replace('\'', "&#39;")
        }
    } else {
        str::to_owned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_is_none_is_named() {
        for (text, word) in [("{{body.a", "}}"), ("{{colour}}", "`colour`"), ("{{header.}}", "`header.`")] {
            assert!(Template::parse(text).unwrap_err().contains(word), "{text}");
        }
        assert!(Template::parse("{ } {{ body.a }} {{capture.id}}").is_ok());
    }

    #[test]
    fn a_value_cannot_leave_its_place() {
        assert_eq!(escape_of("application/json")("a\"},{\n"), "a\\\"},{\\n");
        assert_eq!(escape_of("text/html")("<script>'&"), "&lt;script&gt;&#39;&amp;");
        assert_eq!(escape_of("text/plain")("<a>"), "<a>");
        assert_eq!(cut(&"é".repeat(LONGEST)).len(), LONGEST);
    }
}
