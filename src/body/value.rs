//! The value at a path of a body, as a person names it: of JSON, of a form, of JSON in a form.

use bytes::Bytes;

use super::{Content, Path, Step, form};
use crate::record::pairs;

/// A value that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// JSON, as sent.
    Json(Bytes),
    /// A field of a form, decoded.
    Field(Bytes),
}

impl Value {
    /// The value as it would be pasted: a text without its quotes and with what is escaped in it as itself, anything else as
    /// sent.
    pub fn plain(&self) -> Bytes {
        match self {
            Self::Field(bytes) => bytes.clone(),
            Self::Json(bytes) => {
                let text = bytes.starts_with(b"\"").then(|| serde_json::from_slice::<String>(bytes));
                text.and_then(Result::ok).map_or_else(|| bytes.clone(), Bytes::from)
            }
        }
    }
}

/// The value at that path, where there is one.
pub fn value(content: &Content, path: &Path) -> Option<Value> {
    if content.refuse_coding().is_err() {
        return None;
    }
    if !form::fits(content) {
        return path.find(&content.bytes).map(|range| Value::Json(content.bytes.slice(range)));
    }
    let Some((Step::Name(name), rest)) = path.0.split_first() else { return None };
    let field = Bytes::from(pairs::value(&content.bytes, name)?.into_owned());
    if rest.is_empty() {
        return Some(Value::Field(field));
    }
    Path(rest.to_vec()).find(&field).map(|range| Value::Json(field.slice(range)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_in_json_and_in_forms() {
        let content = |bytes: &'static str, kind: &str| Content {
            bytes: bytes.into(),
            content_type: Some(kind.to_owned()),
            ..Content::default()
        };
        let plain = |content: &Content, path: &str| {
            value(content, &Path::parse(path).unwrap()).map(|value| String::from_utf8(value.plain().to_vec()).unwrap())
        };
        let json = content(r#"{"data":{"object":{"id":"evt_\u00e9","n":1.0}}}"#, "application/json");
        assert_eq!(plain(&json, "data.object.id").as_deref(), Some("evt_é"));
        assert_eq!(plain(&json, ".data.object").as_deref(), Some(r#"{"id":"evt_\u00e9","n":1.0}"#));
        assert_eq!(plain(&json, "/data/object/n").as_deref(), Some("1.0"));
        assert_eq!(plain(&json, "data.other"), None);
        let form = content("a=1+2&a=3&payload=%7B%22x%22%3A%5B7%5D%7D", "application/x-www-form-urlencoded");
        assert_eq!(plain(&form, "a").as_deref(), Some("1 2"), "the first of its name, as for filters");
        assert_eq!(plain(&form, "payload.x[0]").as_deref(), Some("7"));
        assert_eq!(plain(&form, "."), None);
    }
}
