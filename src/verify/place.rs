//! Where something sits in a request.

use std::{borrow::Cow, fmt};

use super::{Request, form, jwt, shape::Sent, transform};
use crate::record::json::{self, Paths};

/// A place in a request, written as a row of [`KINDS`]. A JSON text inside one of the others is reached by
/// ` > json:PATH` after it: `form:payload > json:type`.
#[derive(Clone, Debug)]
pub(super) struct Place {
    text: String,
    spot: Spot,
    /// Where to go on inside a JSON text found there.
    inside: Option<Paths>,
}

#[derive(Clone, Debug)]
pub(super) enum Spot {
    /// The first header of that name.
    Header(String),
    /// The first field of that name in the query of the URL.
    Query(String),
    /// The first field of that name in a form body, of either media type.
    Form(String),
    /// The text of the first element of that name in an XML body.
    Xml(String),
    /// The name of the n-th member of a JSON body that is an object.
    JsonKey(usize),
    /// The method.
    Method,
    /// The whole body.
    Body,
    /// A value in a JSON body: `data.object.id`, `events.0.type`.
    Json(Paths),
    /// An item of the list in which the signature sits: `t` in `t=…,v1=…`.
    Pair(String),
    /// The n-th item of that list.
    Item(usize),
    /// A claim of the token that is the signature.
    Claim(String),
}

/// The kinds of places: how each is written.
const KINDS: &str = "header:NAME, query:NAME, form:NAME, json:PATH, json-key:N, xml:NAME, pair:KEY, item:N, claim:NAME, \
                     method:METHOD, body:text";

/// What a place is looked up in.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    /// The request.
    pub(super) request: &'a Request<'a>,
    /// The URL whose query counts; None: the target's does.
    pub(super) url: Option<&'a str>,
    /// The header that holds the signature.
    pub(super) sent: Option<Sent<'a>>,
    /// The fields of the form as they are signed, where somebody has sorted them already.
    pub(super) sorted_form: Option<&'a [u8]>,
}

impl<'a> View<'a> {
    /// A view of a request alone.
    pub(super) fn of(request: &'a Request<'a>) -> Self {
        Self { request, url: None, sent: None, sorted_form: None }
    }

    /// Path and query, as the sender knows them where a URL says so.
    pub(super) fn target(self) -> Cow<'a, [u8]> {
        self.url.map_or(Cow::Borrowed(self.request.target), |url| Cow::Borrowed(transform::target_of(url)))
    }

    /// The query, encoded.
    pub(super) fn query(self) -> &'a [u8] {
        query(self)
    }

    /// The body, where it says that it is a form; else nothing.
    pub(super) fn form_body(self) -> &'a [u8] {
        if is_form(self.request) { self.request.body } else { &[] }
    }

    /// The fields of the form as they are signed.
    pub(super) fn sorted_form(self) -> Cow<'a, [u8]> {
        self.sorted_form.map_or_else(|| Cow::Owned(form::sorted(self.request.body)), Cow::Borrowed)
    }
}

impl Place {
    /// Reads a place; the error says what is wrong with the text.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (outer, inside) = match text.split_once(" > ") {
            Some((outer, inside)) => (outer, Some(inside)),
            None => (text, None),
        };
        let (kind, name) = outer.split_once(':').ok_or_else(|| wrong(text))?;
        if name.is_empty() || name.trim() != name {
            return Err(wrong(text));
        }
        let spot = match kind {
            "header" => Spot::Header(name.to_owned()),
            "query" => Spot::Query(name.to_owned()),
            "form" => Spot::Form(name.to_owned()),
            "pair" => Spot::Pair(name.to_owned()),
            "xml" => Spot::Xml(name.to_owned()),
            "claim" => Spot::Claim(name.to_owned()),
            "item" => Spot::Item(name.parse().map_err(|_| wrong(text))?),
            "json-key" => Spot::JsonKey(name.parse().map_err(|_| wrong(text))?),
            "method" => Spot::Method,
            "body" if name == "text" => Spot::Body,
            "json" => Spot::Json(path(name)),
            _ => return Err(wrong(text)),
        };
        let inside =
            inside.map(|inside| inside.strip_prefix("json:").map(path).ok_or_else(|| wrong(text))).transpose()?;
        Ok(Self { text: text.to_owned(), spot, inside })
    }

    /// Where it is, without what is inside.
    pub(super) fn spot(&self) -> &Spot {
        &self.spot
    }

    /// The path inside of a JSON text that is there.
    pub(super) fn inside_path(&self) -> Option<&str> {
        self.inside.as_ref().and(self.text.split_once(" > json:")).map(|(_, path)| path)
    }

    /// The header's name, where the place is a whole header.
    pub(super) fn header(&self) -> Option<&str> {
        match (&self.spot, &self.inside) {
            (Spot::Header(name), None) => Some(name),
            _ => None,
        }
    }

    /// The name of the claim, where it is one.
    pub(super) fn claim(&self) -> Option<&str> {
        match &self.spot {
            Spot::Claim(name) => Some(name),
            _ => None,
        }
    }

    /// The key, where the place is an item of the list in which the signature sits.
    pub(super) fn pair(&self) -> Option<&str> {
        match &self.spot {
            Spot::Pair(key) => Some(key),
            _ => None,
        }
    }

    /// Whether it is found in the text that holds the signature.
    pub(super) fn is_in_signature(&self) -> bool {
        matches!(self.spot, Spot::Pair(_) | Spot::Item(_) | Spot::Claim(_))
    }

    /// Whether it is the field of a form that holds all that the sender has to say.
    pub(super) fn is_whole_payload(&self) -> bool {
        matches!(&self.spot, Spot::Form(name) | Spot::Query(name) if name.ends_with("payload")) && self.inside.is_none()
    }

    /// The JSON path, where the place is in the body: what can be looked up together with others in one pass.
    pub(super) fn json_path(&self) -> Option<&str> {
        match self.spot {
            Spot::Json(_) => self.text.strip_prefix("json:"),
            _ => None,
        }
    }

    /// The first name on the way to a value of a JSON body.
    pub(super) fn first_name(&self) -> Option<&str> {
        self.json_path()?.split(['.', ' ']).find(|step| step.parse::<usize>().is_err())
    }

    /// What a person calls it: the header's name, or the place as it is written in the file.
    pub(super) fn title(&self) -> &str {
        self.header().unwrap_or(&self.text)
    }

    /// What is there.
    pub(super) fn find<'a>(&self, view: View<'a>) -> Option<Cow<'a, [u8]>> {
        let outer = match &self.spot {
            Spot::Header(name) => view.request.headers.get(name).map(Cow::Borrowed),
            Spot::Query(name) => form::value(query(view), name),
            Spot::Form(name) => form_value(view.request, name),
            Spot::Xml(name) => form::xml_text(view.request.body, name).map(Cow::Borrowed),
            Spot::JsonKey(at) => json::key(view.request.body, *at).map(|name| Cow::Owned(name.into_bytes())),
            Spot::Body => Some(Cow::Borrowed(view.request.body)).filter(|body| !body.is_empty()),
            Spot::Method => {
                let named = self.text.strip_prefix("method:").unwrap_or_default();
                (named == view.request.method).then_some(Cow::Borrowed(view.request.method.as_bytes()))
            }
            Spot::Json(paths) => json::value(view.request.body, paths).map(|text| Cow::Owned(text.into_bytes())),
            Spot::Pair(key) => view.sent.and_then(|sent| sent.last(key)).map(Cow::Borrowed),
            Spot::Item(at) => view.sent.and_then(|sent| sent.item(*at)).map(Cow::Borrowed),
            Spot::Claim(name) => {
                view.sent.and_then(|sent| jwt::claim(sent.bare(), name)).map(|text| Cow::Owned(text.into_bytes()))
            }
        };
        match &self.inside {
            None => outer,
            Some(paths) => json::value(&outer?, paths).map(|text| Cow::Owned(text.into_bytes())),
        }
    }

    /// Everything that is there: each of several headers of one name.
    pub(super) fn find_all<'a>(&self, view: View<'a>) -> Vec<Cow<'a, [u8]>> {
        match self.header() {
            Some(name) => view.request.headers.get_all(name).map(Cow::Borrowed).collect(),
            None => self.find(view).into_iter().collect(),
        }
    }
}

/// The place as it is written in the file.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn path(text: &str) -> Paths {
    let mut paths = Paths::default();
    paths.add(text, 0);
    paths
}

fn wrong(text: &str) -> String {
    format!("`{text}` is no place; one is {KINDS}")
}

fn query(view: View<'_>) -> &[u8] {
    let url = view.url.map_or(view.request.target, str::as_bytes);
    let url = url.split(|&b| b == b'#').next().unwrap_or_default();
    url.iter().position(|&b| b == b'?').map_or(&[], |at| &url[at + 1..])
}

/// A field of a form of either media type.
fn form_value<'a>(request: &'a Request<'a>, name: &str) -> Option<Cow<'a, [u8]>> {
    if is_form(request) {
        return form::value(request.body, name);
    }
    form::multipart_place(request.body, request.headers.get("content-type")?, name)
        .map(|place| Cow::Borrowed(&request.body[place]))
}

/// Whether the body says that it is a form. Nothing else is searched for form fields.
fn is_form(request: &Request<'_>) -> bool {
    const FORM: &[u8] = b"application/x-www-form-urlencoded";
    let content_type = request.headers.get("content-type").unwrap_or_default();
    content_type.get(..FORM.len()).is_some_and(|start| start.eq_ignore_ascii_case(FORM))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Headers, Timestamp};

    fn found(place: &str, body: &str, content_type: &str) -> Option<String> {
        let headers: Headers = [("Content-Type", content_type), ("X-Id", "7"), ("x-id", "8")].into_iter().collect();
        let request = Request {
            method: "POST",
            url: None,
            target: b"/hook?hash=%41&hash=b#hash=c",
            headers: &headers,
            body: body.as_bytes(),
            truncated: false,
            rewritten: false,
            received_at: Timestamp::default(),
        };
        let place = Place::parse(place).unwrap();
        place.find(View::of(&request)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    #[test]
    fn every_kind_of_place_is_found() {
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        for (place, body, content_type, expected) in [
            ("header:x-ID", "", "", Some("7")),
            ("header:absent", "", "", None),
            ("query:hash", "", "", Some("A")),
            ("query:absent", "", "", None),
            ("form:a", "b=1&a=x+y", form, Some("x y")),
            ("form:a", "b=1&a=x+y", "text/plain", None),
            ("json:a.b", r#"{"a":{"b":3}}"#, "", Some("3")),
            ("form:payload > json:type", "payload=%7B%22type%22%3A%22view%22%7D", form, Some("view")),
            ("form:payload > json:type", "payload=view", form, None),
            ("pair:t", "", "", None),
        ] {
            assert_eq!(found(place, body, content_type).as_deref(), expected, "{place}");
        }
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for text in ["", "id", "header:", "header: x", "heather:x", "form:a > b", "form:a > form:b"] {
            assert!(Place::parse(text).is_err(), "{text}");
        }
    }
}
