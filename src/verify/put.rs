//! Puts a text at a place of a request: the signatures and timestamps that do not sit in a header.

use serde_json::{Map, Number, Value};

use super::{
    Request, form,
    place::{Place, Spot},
};

/// A body and a target that are being changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) body: Vec<u8>,
    pub(super) target: Vec<u8>,
}

impl Parts {
    /// Those of a request.
    pub(super) fn of(request: &Request<'_>) -> Self {
        Self { body: request.body.to_vec(), target: request.target.to_vec() }
    }

    /// Puts a text at a place. JSON is written anew for it, without spaces. False where there is no such place to put it:
    /// a body that is no JSON, a header.
    pub(super) fn put(&mut self, place: &Place, content_type: &[u8], text: &str) -> bool {
        let put = match (place.spot(), place.inside_path()) {
            (Spot::Json(_), _) => place.json_path().and_then(|path| with_json(&self.body, path, text)).map(Part::Body),
            (Spot::Query(name), None) => Some(Part::Target(with_query(&self.target, name, text))),
            (Spot::Form(name), inside) => with_form(&self.body, content_type, name, inside, text).map(Part::Body),
            (Spot::Body, None) => Some(Part::Body(text.as_bytes().to_vec())),
            _ => None,
        };
        match put {
            Some(Part::Body(body)) => self.body = body,
            Some(Part::Target(target)) => self.target = target,
            None => return false,
        }
        true
    }
}

enum Part {
    Body(Vec<u8>),
    Target(Vec<u8>),
}

/// JSON with a text at a path; objects are made on the way. A number stays a number where the text is one.
fn with_json(json: &[u8], path: &str, text: &str) -> Option<Vec<u8>> {
    let mut root: Value = serde_json::from_slice(json).ok()?;
    let mut at = &mut root;
    for step in path.split('.') {
        at = match at {
            Value::Array(items) => items.get_mut(step.parse::<usize>().ok()?)?,
            Value::Object(fields) => fields.entry(step).or_insert_with(|| Value::Object(Map::new())),
            _ => return None,
        };
    }
    let number = at.is_number().then(|| text.parse::<Number>().ok()).flatten();
    *at = number.map_or_else(|| Value::String(text.to_owned()), Value::Number);
    serde_json::to_vec(&root).ok()
}

fn with_query(target: &[u8], name: &str, text: &str) -> Vec<u8> {
    let at = target.iter().position(|&b| b == b'?').unwrap_or(target.len());
    let query = target.get(at + 1..).unwrap_or_default();
    [&target[..at], b"?", &with_field(query, name, text)].concat()
}

fn with_form(body: &[u8], content_type: &[u8], name: &str, inside: Option<&str>, text: &str) -> Option<Vec<u8>> {
    if form::is_multipart(content_type) {
        let place = form::multipart_place(body, content_type, name)?;
        let old = &body[place.clone()];
        let new = inside.map_or_else(|| Some(text.as_bytes().to_vec()), |path| with_json(old, path, text))?;
        return Some([&body[..place.start], &new, &body[place.end..]].concat());
    }
    match inside {
        None => Some(with_field(body, name, text)),
        Some(path) => {
            let old = form::value(body, name)?;
            let new = with_json(&old, path, text)?;
            Some(with_field(body, name, &String::from_utf8_lossy(&new)))
        }
    }
}

/// An encoded form or query in which the first field of that name has that value; appended where there is none.
fn with_field(encoded: &[u8], name: &str, text: &str) -> Vec<u8> {
    let value = form::escaped(text.as_bytes());
    let field = format!("{}={value}", form::escaped(name.as_bytes())).into_bytes();
    let mut found = false;
    let mut fields: Vec<Vec<u8>> = Vec::new();
    for old in encoded.split(|&b| b == b'&').filter(|field| !field.is_empty()) {
        let is_it = !found && form::pairs(old).next().is_some_and(|(n, _)| *n == *name.as_bytes());
        found |= is_it;
        fields.push(if is_it { field.clone() } else { old.to_vec() });
    }
    if !found {
        fields.push(field);
    }
    fields.join(&b'&')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(place: &str, body: &str, target: &str, content_type: &str) -> Option<(String, String)> {
        let mut parts = Parts { body: body.into(), target: target.into() };
        let done = parts.put(&Place::parse(place).unwrap(), content_type.as_bytes(), "7+");
        done.then(|| (String::from_utf8(parts.body).unwrap(), String::from_utf8(parts.target).unwrap()))
    }

    #[test]
    fn a_text_is_put_where_its_place_says() {
        let form = "application/x-www-form-urlencoded";
        let multi = "multipart/form-data; boundary=b";
        let part = |text: &str| format!("--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n{text}\r\n--b--\r\n");
        for (place, body, target, content_type, new_body, new_target) in [
            ("json:a.b", r#"{"a": {"b": 1}, "c":2}"#, "/", "", r#"{"a":{"b":"7+"},"c":2}"#, "/"),
            ("json:l.1.x", r#"{"l":[0,{}]}"#, "/", "", r#"{"l":[0,{"x":"7+"}]}"#, "/"),
            ("query:s", "", "/p?a=1&s=0&b", "", "", "/p?a=1&s=7%2B&b"),
            ("query:s", "", "/p", "", "", "/p?s=7%2B"),
            ("form:s", "a=1", "/", form, "a=1&s=7%2B", "/"),
            ("form:a > json:x", "a=%7B%7D", "/", form, "a=%7B%22x%22%3A%227%2B%22%7D", "/"),
            ("form:a", &part("old"), "/", multi, &part("7+"), "/"),
            ("form:a > json:x", &part("{}"), "/", multi, &part("{\"x\":\"7+\"}"), "/"),
        ] {
            let expected = Some((new_body.to_owned(), new_target.to_owned()));
            assert_eq!(put(place, body, target, content_type), expected, "{place}");
        }
        let twins = |text: &str| part("old").replace("\"a\"", "\"b\"").replace("--b--\r\n", "") + &part(text);
        let expected = Some((twins("7+"), "/".to_owned()));
        assert_eq!(put("form:a", &twins("old"), "/", multi), expected, "and not the other part that holds the same");
        for (place, body) in
            [("json:a", "no"), ("json:a.b", r#"{"a":1}"#), ("header:A", ""), ("json:l.9", r#"{"l":[]}"#)]
        {
            assert_eq!(put(place, body, "/", ""), None, "{place}");
        }
    }
}
