//! What is signed: a template like `{timestamp}.{body}`, taken apart once when its file is read.
//!
//! `{…}` holds the name of a part (see [`BUILTINS`]), a place, or a place with `?` after it, which is empty where there is
//! nothing. `[…]` around some of it leaves that out where a place in it holds nothing. `{open}` and `{close}` are braces.

use std::borrow::Cow;

use super::{
    key::Key,
    mac::Algorithm,
    place::{Place, View},
    transform,
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
    /// The timestamp's text exactly as it was sent.
    Timestamp,
    /// The secret as it is configured.
    Secret,
    /// The second of them: for answers to handshakes (Braintree's public key).
    SecondSecret,
    /// The body with the secret in the place of the signature (Unisender Go).
    BodyWithSecret,
    /// Something that is made of the request.
    Builtin(&'static Builtin),
    /// What is at a place.
    Place(Place),
    /// What is at a place, or nothing.
    Optional(Place),
    /// The headers that a header lists, as `name:value;name:value` (Contentful).
    Listed(String),
    /// These texts sorted and joined (WeCom).
    Sorted(Vec<Part>),
    /// What the scheme's key makes of these texts in a row: for answers to handshakes.
    Mac(Vec<Part>),
    /// What is at a place, as a JSON string: for answers to handshakes.
    Json(Place),
    /// Left out where something in it is missing.
    Group(Vec<Part>),
}

/// A part that is made of the request.
#[derive(Debug)]
struct Builtin {
    name: &'static str,
    make: for<'a> fn(View<'a>) -> Result<Cow<'a, [u8]>, Missing>,
    covers_body: bool,
    /// Whether it looks at the URL, of which there may be several spellings.
    has_url: bool,
}

const fn row(
    name: &'static str,
    make: for<'a> fn(View<'a>) -> Result<Cow<'a, [u8]>, Missing>,
    covers_body: bool,
    has_url: bool,
) -> Builtin {
    Builtin { name, make, covers_body, has_url }
}

/// The parts that are made of the request.
static BUILTINS: [Builtin; 23] = [
    row("body", |view| Ok(Cow::Borrowed(view.request.body)), true, false),
    // Stream signs what its gzip holds.
    row("body-gunzipped", |view| Ok(transform::gunzipped(view.request.body)), true, false),
    // Kontent.ai signs the body with every line end as CR LF.
    row("body-crlf", |view| Ok(transform::with_crlf(view.request.body).into()), true, false),
    // Hygraph signs JSON in which the body is a string.
    row("body-as-json", |view| Ok(transform::as_json_string(view.request.body).into()), true, false),
    row("body-sha256", |view| Ok(transform::sha256_hex(view.request.body).into()), true, false),
    row("body-sha256-base64", |view| Ok(transform::sha256_base64(view.request.body).into()), true, false),
    row("body-md5-base64", |view| Ok(transform::md5_base64(view.request.body).into()), true, false),
    // PayPal signs the CRC-32 of the body, in decimal.
    row("body-crc32", |view| Ok(transform::crc32(view.request.body).into()), true, false),
    row("method", |view| Ok(Cow::Borrowed(view.request.method.as_bytes())), false, false),
    row("url", |view| url(view).map(|url| url.as_bytes().into()), false, true),
    row("url-without-query", |view| url(view).map(|url| transform::without_query(url).as_bytes().into()), false, true),
    row("url-sha256", |view| url(view).map(|url| transform::sha256_hex(url.as_bytes()).into()), false, true),
    row("target", |view| Ok(view.target()), false, false),
    // The target once more encoded, as Contentful's library does it.
    row("target-encoded", |view| Ok(transform::target_encoded(&view.target()).into()), false, false),
    row("path", |view| Ok(transform::path(view.target())), false, false),
    // The fields of a form: sorted, each pair once, names and values without anything between (Twilio).
    row("sorted-form", |view| Ok(view.sorted_form()), true, false),
    // The fields of the query as `name=value&…`, sorted, without the signature's own (Shopify).
    row("sorted-query", |view| Ok(transform::sorted_query(view.query()).into()), false, false),
    // The fields of the query or the form as `&name=value`, sorted, without `sig` (Vonage).
    row("sorted-params", |view| Ok(transform::sorted_params(view.query(), view.form_body()).into()), true, false),
    // The URL with its query sorted, and the fields of the form (Plivo, version 3).
    row("plivo-url", |view| url(view).map(|url| transform::plivo(url, view).into()), true, true),
    // The fields of a message of Amazon SNS, a line for each name and each value.
    row(
        "sns-message",
        |view| transform::sns(view.request.body).ok_or_else(|| Missing("SNS message".into())),
        true,
        false,
    ),
    // The headers that the head of a detached JWS names, a line each (TrueLayer).
    row("jws-headers", |view| transform::jws_headers(view).ok_or_else(|| Missing("tl_headers".into())), false, false),
    row("open", |_| Ok(Cow::Borrowed(b"{")), false, false),
    row("close", |_| Ok(Cow::Borrowed(b"}")), false, false),
];

fn url(view: View<'_>) -> Result<&str, Missing> {
    view.url.ok_or_else(|| Missing("Host".to_owned()))
}

/// A part that the request does not have: the place, as a person calls it.
pub(super) struct Missing(pub(super) String);

/// What a template is filled with beside the request.
#[derive(Clone, Copy, Default)]
pub(super) struct Filling<'a> {
    /// The timestamp's text.
    pub(super) timestamp: &'a [u8],
    /// The secret as it is configured.
    pub(super) secret: &'a [u8],
    /// The second of several secrets.
    pub(super) second: Option<&'a [u8]>,
    /// The algorithm and the key that make `{mac …}`, and how it is written.
    pub(super) mac: Option<(Algorithm, &'a Key, super::encoding::Encoding)>,
}

impl Content {
    /// Reads a template; the error says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut rest = text;
        let parts = parts(&mut rest, false)?;
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
        self.any(|part| {
            matches!(part, Part::Builtin(builtin) if builtin.covers_body)
                || matches!(part, Part::BodyWithSecret)
                || matches!(part, Part::Place(place) if place.is_whole_payload())
        })
    }

    /// Whether the fields of a form are part of it.
    pub(super) fn has_form(&self) -> bool {
        self.any(|part| matches!(part, Part::Builtin(builtin) if builtin.name == "sorted-form"))
    }

    /// Whether the URL is part of it.
    pub(super) fn has_url(&self) -> bool {
        self.any(|part| matches!(part, Part::Builtin(builtin) if builtin.has_url))
    }

    /// Whether the timestamp is part of it.
    pub(super) fn has_timestamp(&self) -> bool {
        self.any(|part| matches!(part, Part::Timestamp))
    }

    /// Whether the secret is part of it.
    pub(super) fn has_secret(&self) -> bool {
        self.any(|part| matches!(part, Part::Secret | Part::BodyWithSecret))
    }

    /// The places that are part of it.
    pub(super) fn places(&self) -> Vec<&Place> {
        let mut all = Vec::new();
        each(&self.parts, &mut |part| {
            if let Part::Place(place) | Part::Optional(place) | Part::Json(place) = part {
                all.push(place);
            }
        });
        all
    }

    /// The bytes that are signed, in pieces.
    pub(super) fn pieces<'a>(&'a self, view: View<'a>, filling: Filling<'a>) -> Result<Vec<Cow<'a, [u8]>>, Missing> {
        self.parts.iter().map(|part| part.bytes(view, filling)).collect()
    }

    fn any(&self, test: impl Fn(&Part) -> bool) -> bool {
        let mut found = false;
        each(&self.parts, &mut |part| found |= test(part));
        found
    }
}

/// Calls for every part, those within others too.
fn each<'p>(parts: &'p [Part], call: &mut dyn FnMut(&'p Part)) {
    for part in parts {
        call(part);
        if let Part::Sorted(inner) | Part::Mac(inner) | Part::Group(inner) = part {
            each(inner, call);
        }
    }
}

impl Part {
    fn bytes<'a>(&'a self, view: View<'a>, filling: Filling<'a>) -> Result<Cow<'a, [u8]>, Missing> {
        let missing = |place: &Place| Missing(place.title().to_owned());
        let all = |parts: &'a [Self]| parts.iter().map(|p| p.bytes(view, filling)).collect::<Result<Vec<_>, _>>();
        match self {
            Self::Literal(text) => Ok(Cow::Borrowed(text.as_bytes())),
            Self::Timestamp => Ok(Cow::Borrowed(filling.timestamp)),
            Self::Secret => Ok(Cow::Borrowed(filling.secret)),
            Self::SecondSecret => filling.second.map(Cow::Borrowed).ok_or_else(|| Missing("second secret".to_owned())),
            Self::BodyWithSecret => {
                let signature = view.sent.map_or(&[][..], |sent| sent.bare());
                Ok(transform::with_secret(view.request.body, signature, filling.secret).into())
            }
            Self::Builtin(builtin) => (builtin.make)(view),
            Self::Place(place) => place.find(view).ok_or_else(|| missing(place)),
            Self::Optional(place) => Ok(place.find(view).unwrap_or_default()),
            Self::Listed(name) => transform::listed_headers(view.request, name).ok_or_else(|| Missing(name.clone())),
            Self::Json(place) => {
                let found = place.find(view).ok_or_else(|| missing(place))?;
                Ok(transform::as_json_string(&found).into())
            }
            Self::Sorted(parts) => {
                let mut texts = all(parts)?;
                texts.sort();
                Ok(texts.concat().into())
            }
            Self::Mac(parts) => {
                let texts = all(parts)?;
                let texts: Vec<&[u8]> = texts.iter().map(|text| &**text).collect();
                let made = filling
                    .mac
                    .and_then(|(algorithm, key, encoding)| algorithm.tag(key, &texts).map(|tag| tag.written(encoding)));
                made.map(|text| text.into_bytes().into()).ok_or_else(|| Missing("secret".to_owned()))
            }
            Self::Group(parts) => Ok(all(parts).map(|texts| texts.concat()).unwrap_or_default().into()),
        }
    }
}

/// Reads parts to the end of the text, or to the `]` that ends a group.
fn parts(rest: &mut &str, in_group: bool) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    while let Some(at) = rest.find(['{', '}', '[', ']']) {
        if at > 0 {
            parts.push(Part::Literal(rest[..at].to_owned()));
        }
        let (found, after) = rest[at..].split_at(1);
        *rest = after;
        match found {
            "{" => {
                let (name, after) = after.split_once('}').ok_or("a brace has no partner")?;
                *rest = after;
                parts.push(part(name)?);
            }
            "[" if !in_group => parts.push(Part::Group(self::parts(rest, true)?)),
            "]" if in_group => return Ok(parts),
            "}" => return Err("a brace has no partner".to_owned()),
            _ => return Err("a bracket has no partner".to_owned()),
        }
    }
    if in_group {
        return Err("a bracket has no partner".to_owned());
    }
    if !rest.is_empty() {
        parts.push(Part::Literal(std::mem::take(rest).to_owned()));
    }
    Ok(parts)
}

fn part(name: &str) -> Result<Part, String> {
    if let Some(builtin) = BUILTINS.iter().find(|builtin| builtin.name == name) {
        return Ok(Part::Builtin(builtin));
    }
    if let Some((_, part)) = NAMED.iter().find(|(named, _)| *named == name) {
        return Ok(part.clone());
    }
    let made =
        name.split_once(' ').and_then(|(maker, of)| MADE.iter().find(|row| row.0 == maker).map(|row| (row.1, of)));
    match (made, name.strip_suffix('?')) {
        (Some((make, of)), _) => make(of),
        (None, Some(name)) => place(name).map(Part::Optional),
        (None, None) => place(name).map(Part::Place),
    }
}

/// The parts that are not made of the request alone.
const NAMED: &[(&str, Part)] = &[
    ("timestamp", Part::Timestamp),
    ("secret", Part::Secret),
    ("second-secret", Part::SecondSecret),
    ("body-with-secret", Part::BodyWithSecret),
];

/// Reads what follows the name of a part.
type Make = fn(&str) -> Result<Part, String>;

/// The parts that are made of what follows their name.
const MADE: &[(&str, Make)] = &[
    ("sorted", |names| several(names).map(Part::Sorted)),
    ("mac", |names| several(names).map(Part::Mac)),
    ("json", |name| place(name).map(Part::Json)),
    ("headers-listed-in", |name| Ok(Part::Listed(name.to_owned()))),
];

fn several(names: &str) -> Result<Vec<Part>, String> {
    names.split(' ').map(part).collect()
}

fn place(name: &str) -> Result<Place, String> {
    Place::parse(name).map_err(|_| {
        let named = NAMED.iter().map(|row| row.0).chain(BUILTINS.iter().map(|builtin| builtin.name));
        let all = named.map(|name| format!("{{{name}}}")).chain(MADE.iter().map(|row| format!("{{{} …}}", row.0)));
        format!("{{{name}}} is no part; one is {}, or a place", all.collect::<Vec<_>>().join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        record::{Headers, Timestamp},
        verify::Request,
    };

    fn filled(template: &str, body: &str) -> Result<String, String> {
        let headers: Headers =
            [("webhook-id", "msg_1"), ("X-Signed", "X-B, webhook-id"), ("x-b", " two ")].into_iter().collect();
        let request = Request {
            method: "PUT",
            url: None,
            target: b"/a/b?z=1&hmac=0&a=2",
            headers: &headers,
            body: body.as_bytes(),
            truncated: false,
            rewritten: false,
            received_at: Timestamp::default(),
        };
        let content = Content::parse(template).unwrap();
        let view = View { url: content.has_url().then_some("http://h/?q"), ..View::of(&request) };
        let filling = Filling { timestamp: b"17", secret: b"s3", ..Filling::default() };
        content.pieces(view, filling).map(|pieces| String::from_utf8(pieces.concat()).unwrap()).map_err(|m| m.0)
    }

    #[test]
    fn a_template_is_filled_with_what_the_request_holds() {
        for (template, body, expected) in [
            ("{header:webhook-id}.{timestamp}.{body}", "x", "msg_1.17.x"),
            ("v0:{method}:{url}{sorted-form}", "b=2&a=1", "v0:PUT:http://h/?qa1b2"),
            ("{url-without-query}|{target}|{path}", "", "http://h/|/?q|/"),
            ("{target}|{path}", "", "/a/b?z=1&hmac=0&a=2|/a/b"),
            ("{secret}{body-sha256}", "", "s3e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("{body-sha256-base64}", "", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
            ("{body-md5-base64}", "", "1B2M2Y8AsgTpgAmY7PhCfg=="),
            // The check value of CRC-32 (RFC 1952): "123456789".
            ("{body-crc32}", "123456789", "3421780262"),
            ("{body-crlf}", "a\nb\r\nc\r\rd", "a\r\nb\r\nc\r\nd"),
            ("{open}\"B\":{body-as-json}{close}", "{\"a\":\"é\n\"}", "{\"B\":\"{\\\"a\\\":\\\"é\\n\\\"}\"}"),
            ("{json:a?}:{json:b?}", r#"{"a":1}"#, "1:"),
            ("[id:{json:a};][b:{json:b};]ts", r#"{"a":1}"#, "id:1;ts"),
            ("{sorted secret timestamp header:webhook-id}", "", "17msg_1s3"),
            ("{sorted-query}", "", "a=2&z=1"),
            ("{headers-listed-in X-Signed}", "", "x-b:two;webhook-id:msg_1"),
            ("{json header:x-b}", "", "\" two \""),
        ] {
            assert_eq!(filled(template, body).as_deref(), Ok(expected), "{template}");
        }
        assert_eq!(filled("{header:absent}{body}", ""), Err("absent".to_owned()));
        assert_eq!(filled("{mac body}", ""), Err("secret".to_owned()));
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for text in ["", "{body", "body}", "{bodi}", "{}", "{body}}", "{{body}}", "[{body}", "{body}]", "[[{body}]]"] {
            assert!(Content::parse(text).is_err(), "{text}");
        }
    }
}
