//! What is signed: a template like `{timestamp}.{body}`, taken apart once when its file is read.

use std::borrow::Cow;

use super::{
    form,
    place::{Place, View},
};

/// What is signed.
#[derive(Clone, Debug, Default)]
pub(super) struct Content {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    /// Characters of the template itself.
    Literal(String),
    /// The body as received.
    Body,
    /// The timestamp's text exactly as it was sent.
    Timestamp,
    /// The method as sent.
    Method,
    /// The URL as the sender knows it.
    Url,
    /// The fields of a form body: sorted, each pair once, names and values without anything between.
    SortedForm,
    /// What is at a place.
    Place(Place),
}

/// A part that the request does not have: the place, as a person calls it.
pub(super) struct Missing(pub(super) String);

impl Content {
    /// Reads a template; the error says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find(['{', '}']) {
            let after = &rest[start..];
            let end = after.find('}').filter(|_| after.starts_with('{')).ok_or("a brace has no partner".to_owned())?;
            push_literal(&mut parts, &rest[..start]);
            parts.push(part(&after[1..end])?);
            rest = &after[end + 1..];
        }
        push_literal(&mut parts, rest);
        if parts.is_empty() {
            return Err("it is empty".to_owned());
        }
        Ok(Self { text: text.to_owned(), parts })
    }

    /// The template as it is written in the file.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether the body is part of it.
    pub(super) fn has_body(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Body | Part::SortedForm))
    }

    /// Whether the fields of a form are part of it.
    pub(super) fn has_form(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::SortedForm))
    }

    /// Whether the URL is part of it.
    pub(super) fn has_url(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Url))
    }

    /// Whether the timestamp is part of it.
    pub(super) fn has_timestamp(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Timestamp))
    }

    /// The places that are part of it.
    pub(super) fn places(&self) -> impl Iterator<Item = &Place> {
        self.parts.iter().filter_map(|part| match part {
            Part::Place(place) => Some(place),
            _ => None,
        })
    }

    /// The bytes that are signed, in pieces.
    pub(super) fn pieces<'a>(&'a self, view: View<'a>, timestamp: &'a [u8]) -> Result<Vec<Cow<'a, [u8]>>, Missing> {
        self.parts.iter().map(|part| part.bytes(view, timestamp)).collect()
    }
}

impl Part {
    fn bytes<'a>(&'a self, view: View<'a>, timestamp: &'a [u8]) -> Result<Cow<'a, [u8]>, Missing> {
        match self {
            Self::Literal(text) => Ok(Cow::Borrowed(text.as_bytes())),
            Self::Body => Ok(Cow::Borrowed(view.request.body)),
            Self::Timestamp => Ok(Cow::Borrowed(timestamp)),
            Self::Method => Ok(Cow::Borrowed(view.request.method.as_bytes())),
            Self::Url => view.url.map(|url| Cow::Borrowed(url.as_bytes())).ok_or_else(|| Missing("Host".to_owned())),
            Self::SortedForm => {
                Ok(view.sorted_form.map_or_else(|| Cow::Owned(form::sorted(view.request.body)), Cow::Borrowed))
            }
            Self::Place(place) => place.find(view).ok_or_else(|| Missing(place.title().to_owned())),
        }
    }
}

fn push_literal(parts: &mut Vec<Part>, text: &str) {
    if !text.is_empty() {
        parts.push(Part::Literal(text.to_owned()));
    }
}

fn part(name: &str) -> Result<Part, String> {
    match name {
        "body" => Ok(Part::Body),
        "timestamp" => Ok(Part::Timestamp),
        "method" => Ok(Part::Method),
        "url" => Ok(Part::Url),
        "sorted-form" => Ok(Part::SortedForm),
        _ => Place::parse(name).map(Part::Place).map_err(|_| {
            format!(
                "{{{name}}} is no part; one is {{body}}, {{timestamp}}, {{method}}, {{url}}, {{sorted-form}} or a place"
            )
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        record::{Headers, Timestamp},
        verify::Request,
    };

    #[test]
    fn a_template_is_filled_with_what_the_request_holds() {
        let headers: Headers = [("webhook-id", "msg_1")].into_iter().collect();
        let request = Request {
            method: "PUT",
            url: None,
            target: b"/",
            headers: &headers,
            body: b"b=2&a=1",
            truncated: false,
            received_at: Timestamp::default(),
        };
        let view = View { url: Some("http://h/"), ..View::of(&request) };
        let text = |template: &str| {
            let content = Content::parse(template).unwrap();
            content.pieces(view, b"17").map(|pieces| String::from_utf8(pieces.concat()).unwrap()).map_err(|m| m.0)
        };
        assert_eq!(text("{header:webhook-id}.{timestamp}.{body}").as_deref(), Ok("msg_1.17.b=2&a=1"));
        assert_eq!(text("v0:{method}:{url}{sorted-form}").as_deref(), Ok("v0:PUT:http://h/a1b2"));
        assert_eq!(text("{header:absent}{body}"), Err("absent".to_owned()));
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for text in ["", "{body", "body}", "{bodi}", "{}", "{body}}", "{{body}}"] {
            assert!(Content::parse(text).is_err(), "{text}");
        }
    }
}
