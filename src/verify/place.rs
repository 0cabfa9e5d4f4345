//! Where a provider puts what it says: in a header, in the JSON body, in a form's field.

use std::{borrow::Cow, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::request::Request;
use crate::record::{Headers, text};

/// A place: `header:NAME`, `json:a.b.0`, `form:NAME`, or `form:NAME:a.b` for JSON within a form's field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Header(String),
    Json(Vec<String>),
    Form(String, Option<Vec<String>>),
}

impl Place {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let path = |text: &str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
        match text.split_once(':') {
            Some(("header", name)) if !name.is_empty() => Ok(Self::Header(name.to_owned())),
            Some(("json", steps)) if !steps.is_empty() => Ok(Self::Json(path(steps))),
            Some(("form", rest)) if !rest.is_empty() => Ok(match rest.split_once(':') {
                Some((name, steps)) => Self::Form(name.to_owned(), Some(path(steps))),
                None => Self::Form(rest.to_owned(), None),
            }),
            _ => Err(format!("`{text}` is no place; there are header:NAME, json:a.b, form:NAME and form:NAME:a.b")),
        }
    }

    /// What stands there; none where nothing does, or nothing that is one value.
    pub(super) fn find(&self, request: &Request<'_>) -> Option<String> {
        let found = match self {
            Self::Header(name) => request.headers.get(name).map(|value| text::lossless(value).into_owned()),
            Self::Json(path) => json_at(request.body, path),
            Self::Form(name, path) => {
                let value = form_field(request, name)?;
                path.as_ref().map_or_else(|| Some(value.clone().into_owned()), |path| json_at(value.as_bytes(), path))
            }
        };
        found.filter(|value| !value.is_empty())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => write!(f, "header {name}"),
            Self::Json(path) => write!(f, "JSON {}", path.join(".")),
            Self::Form(name, None) => write!(f, "form field {name}"),
            Self::Form(name, Some(path)) => write!(f, "JSON {} in form field {name}", path.join(".")),
        }
    }
}

/// Whether the body is a form.
pub(super) fn is_form(headers: &Headers) -> bool {
    const FORM: &[u8] = b"application/x-www-form-urlencoded";
    headers.get("content-type").is_some_and(|kind| kind.get(..FORM.len()).is_some_and(|k| k.eq_ignore_ascii_case(FORM)))
}

fn form_field<'a>(request: &Request<'a>, name: &str) -> Option<Cow<'a, str>> {
    let mut pairs = is_form(request.headers).then(|| form_urlencoded::parse(request.body))?;
    pairs.find(|(key, _)| key == name).map(|(_, value)| value)
}

/// The single value at a path of a JSON text. The text is read in a stream only as far as that value: no tree is built,
/// and what comes after it is not looked at.
fn json_at(bytes: &[u8], path: &[String]) -> Option<String> {
    if !matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'[')) {
        return None;
    }
    let mut found = None;
    // The walk ends with an error once it has found something; that error is not one.
    let _ = Walk { path, found: &mut found }.deserialize(&mut serde_json::Deserializer::from_slice(bytes));
    found
}

struct Walk<'a> {
    path: &'a [String],
    found: &'a mut Option<String>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if !self.path.is_empty() {
            return deserializer.deserialize_any(self);
        }
        let raw: &RawValue = serde::Deserialize::deserialize(deserializer)?;
        *self.found = scalar(raw.get());
        Err(D::Error::custom("found"))
    }
}

fn scalar(raw: &str) -> Option<String> {
    match raw.as_bytes().first()? {
        b'"' => serde_json::from_str(raw).ok(),
        b'{' | b'[' | b'n' => None,
        _ => Some(raw.to_owned()),
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (step, rest) = (&self.path[0], &self.path[1..]);
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            if key == **step {
                map.next_value_seed(Walk { path: rest, found: self.found })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let index: usize = self.path[0].parse().map_err(|_| A::Error::custom("no index"))?;
        for _ in 0..index {
            if seq.next_element::<IgnoredAny>()?.is_none() {
                return Ok(());
            }
        }
        seq.next_element_seed(Walk { path: &self.path[1..], found: self.found }).map(drop)
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, path: &str) -> Option<String> {
        json_at(text.as_bytes(), &path.split('.').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn a_value_is_found_at_its_path_as_it_was_sent() {
        let text = r#"{"x":{"id":9,"y":[1,{"z":"caf\u00e9"}]},"id":"a","big":12345678901234567890123,"f":1.0,"t":true,"n":null} rubbish"#;
        for (path, value) in [
            ("id", Some("a")),
            ("x.id", Some("9")),
            ("x.y.1.z", Some("café")),
            ("big", Some("12345678901234567890123")),
            ("f", Some("1.0")),
            ("t", Some("true")),
            ("n", None),
            ("x", None),
            ("x.y", None),
            ("id.more", None),
            ("big.more", None),
            ("x.y.7", None),
            ("x.y.z", None),
            ("none", None),
        ] {
            assert_eq!(at(text, path).as_deref(), value, "{path}");
        }
    }

    #[test]
    fn what_is_no_json_has_no_value_and_does_no_harm() {
        for text in ["", "id=1", "{", "{\"a\"", "{\"a\":1", "[[[[", "\u{0}"] {
            assert_eq!(at(text, "id"), None, "{text:?}");
        }
        assert_eq!(json_at(&b"[".repeat(100_000), &["0".to_owned()]), None);
    }

    #[test]
    fn places_are_written_in_three_ways() {
        let headers: Headers =
            [("Content-Type", "application/x-www-form-urlencoded"), ("X-A", "1")].into_iter().collect();
        let request = Request {
            method: "POST",
            url: None,
            target: b"/",
            headers: &headers,
            body: b"a=b+c&payload=%7B%22t%22%3A%22x%22%7D",
            truncated: false,
            received_at: crate::record::Timestamp::default(),
        };
        for (place, value) in [
            ("header:x-a", Some("1")),
            ("form:a", Some("b c")),
            ("form:payload:t", Some("x")),
            ("form:none", None),
            ("json:t", None),
        ] {
            assert_eq!(Place::parse(place).unwrap().find(&request).as_deref(), value, "{place}");
        }
        assert!(Place::parse("cookie:a").is_err() && Place::parse("json:").is_err());
    }
}
