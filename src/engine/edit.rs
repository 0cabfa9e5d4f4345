//! What is changed of a capture before it is sent again, and the receipt of it: headers, values of a JSON body, a fresh
//! signature.

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;
use serde_json::{Value, value::RawValue};

use super::{
    Transform,
    endpoint::Endpoint,
    now,
    rewrite::{self, Rewritten},
    transform::DOING,
};
use crate::{
    body,
    export::cloudevents,
    record::{Capture, Change, Failure, Head, Headers, counted, mask::HIDDEN, text},
    verify::{Catalog, Provider, Request, Secret, Signed},
    wire::{self, PathRule},
};

/// The changes that are asked for.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// A jq program that changes it before all else.
    pub transform: Option<Transform>,
    /// Values of a JSON body: path and value.
    pub set: Vec<(String, String)>,
    /// Headers that take the place of those of the same name, or are added. One that was named before is a further line of it.
    pub headers: Vec<(String, String)>,
    /// Headers that are left out.
    pub dropped: Vec<String>,
    /// Whether headers are added that make it a `CloudEvent`. Its body stays.
    pub cloudevents: bool,
    /// Whether it is signed anew, with a fresh timestamp.
    pub resign: bool,
    /// The secrets to sign with; none: the endpoint's.
    pub secrets: Vec<Secret>,
    /// Whether it gets a new delivery id where the provider sends one in a header.
    pub new_id: bool,
    /// The request as a person rewrote it; the other changes are made of this one.
    pub whole: Option<Rewritten>,
}

/// What is sent, and how it differs from what was caught.
pub(super) struct Edited {
    pub(super) head: Head,
    pub(super) body: Bytes,
    /// Whether its `Host` was wished for, and is not to be the app's.
    pub(super) keep_host: bool,
    pub(super) receipt: Vec<Change>,
}

impl Edit {
    /// Applies the changes to a capture, and holds up nothing else that is under way: a jq program is waited for on a thread
    /// of its own.
    pub(super) async fn applied(
        self,
        capture: &Capture,
        endpoint: &Arc<Endpoint>,
        (to, path): (&str, PathRule),
    ) -> Result<Edited, Failure> {
        let catalog = super::catalog()?;
        if self.transform.is_none() {
            return self.apply(capture, endpoint, &catalog, (to, path));
        }
        let (capture, endpoint, to) = (capture.clone(), Arc::clone(endpoint), to.to_owned());
        let edited = tokio::task::spawn_blocking(move || self.apply(&capture, &endpoint, &catalog, (&to, path)));
        edited.await.map_err(|_| Failure::new(DOING, "its thread died"))?
    }

    /// Applies the changes to a capture.
    pub(super) fn apply(
        &self,
        capture: &Capture,
        endpoint: &Endpoint,
        catalog: &Catalog,
        to: (&str, PathRule),
    ) -> Result<Edited, Failure> {
        let (caught, mut receipt) = (capture, Vec::new());
        let whole = self.whole.as_ref().map(|whole| whole_of(whole, capture, &mut receipt));
        let capture = whole.as_ref().unwrap_or(capture);
        let transformed = self.transform.as_ref().map(|by| transformed(by, capture, &mut receipt)).transpose()?;
        let capture = transformed.as_ref().unwrap_or(capture);
        // Of what is not changed nothing is copied.
        let mut headers = Cow::Borrowed(capture.head.headers());
        for name in &self.dropped {
            headers = Cow::Owned(without(&headers, name, &mut receipt));
        }
        for (at, (name, value)) in self.headers.iter().enumerate() {
            let is_again = self.headers[..at].iter().any(|(before, _)| before.eq_ignore_ascii_case(name));
            let put = if is_again { with_another } else { with };
            headers = Cow::Owned(put(&headers, name, value, &mut receipt, false));
        }
        for (name, value) in self.cloudevents.then(|| cloudevents::headers(capture)).into_iter().flatten() {
            headers = Cow::Owned(with(&headers, &name, &value, &mut receipt, false));
        }
        let mut body = capture.body.bytes.clone();
        for (path, value) in &self.set {
            let of_it = |it: Failure| Failure { doing: format!("{} of capture {}", it.doing, capture.id), ..it };
            let (set, change) = with_value(&body, &headers, path, value).map_err(of_it)?;
            if set != body {
                receipt.push(change);
                body = set.into();
            }
        }
        let mut target = capture.head.target().clone();
        if self.resign {
            let signed = self.signed(capture, endpoint, catalog, to, &headers, &body)?;
            for (name, value) in &signed.headers {
                headers = Cow::Owned(with(&headers, name, value, &mut receipt, signed.is_secret));
            }
            body = signed.body.map_or(body, Bytes::from);
            target = signed.target.map_or(target, Bytes::from);
        }
        receipt.extend(other_body(&capture.body.bytes, &body, "edited"));
        let captured = capture.head.target();
        if target != captured {
            receipt.push(other("target", text::lossless(captured).into_owned(), text::lossless(&target).into_owned()));
        }
        receipt.extend(self.unfit_signature(caught, &body));
        let are_kept = matches!(headers, Cow::Borrowed(_)) || *headers == *capture.head.headers();
        let is_as_it_was = target == captured && are_kept;
        let head = if is_as_it_was {
            capture.head.clone()
        } else {
            capture.head.remade(&capture.head.method(), &target, capture.head.version(), &headers)
        };
        let keep_host = self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host"))
            || head.headers().get("host").is_some_and(|host| caught.head.headers().get("host") != Some(host));
        Ok(Edited { head, body, keep_host, receipt })
    }

    /// The line of a receipt that says that a signature was left which does not fit the changed body; none where it was
    /// replaced, or says nothing of the body.
    fn unfit_signature(&self, caught: &Capture, body: &Bytes) -> Option<Change> {
        let judgement = &caught.judgement;
        let place = &judgement.evidence.as_ref().filter(|evidence| evidence.received.is_some())?.place;
        let is_named = |name: &str| name.eq_ignore_ascii_case(place);
        let is_given = self.headers.iter().any(|(name, _)| is_named(name)) || self.dropped.iter().any(|n| is_named(n));
        let is_left = judgement.covers_body == Some(true) && is_other(body, &caught.body.bytes);
        (is_left && !self.resign && !is_given && self.whole.is_none()).then(|| {
            other("signature", "of the body that came".to_owned(), "left as it is; it does not fit this one".to_owned())
        })
    }

    /// The secrets to sign with: those that were given, else the endpoint's.
    pub(super) fn secrets_for<'s>(
        &'s self,
        provider: &Provider,
        endpoint: &'s Endpoint,
    ) -> Result<Cow<'s, [Secret]>, Failure> {
        let secrets = if self.secrets.is_empty() { endpoint.known_secrets() } else { (&self.secrets[..]).into() };
        if secrets.is_empty() { Err(no_secret(provider, Some(endpoint))) } else { Ok(secrets) }
    }

    /// What signs the changed request.
    fn signed(
        &self,
        capture: &Capture,
        endpoint: &Endpoint,
        catalog: &Catalog,
        (to, path): (&str, PathRule),
        headers: &Headers,
        body: &[u8],
    ) -> Result<Signed, Failure> {
        let provider = provider(capture.provider.as_deref(), endpoint, catalog).ok_or_else(|| {
            Failure::new(format!("signing capture {}", capture.id), "nobody knows whose it is")
                .hint("name the provider in the endpoint")
        })?;
        let secrets = self.secrets_for(provider, endpoint)?;
        let at = now();
        // What the app sees of it, and the sender would have been told.
        let asked = wire::asked(to, path, &capture.head);
        let request = Request {
            method: &capture.head.method(),
            url: Some(endpoint.url.as_deref().unwrap_or(&asked)),
            target: capture.head.target(),
            headers,
            body,
            truncated: capture.body.truncated,
            rewritten: false,
            received_at: at,
        };
        let id = if self.new_id { format!("resend_{:x}", at.unix_ms()) } else { String::new() };
        provider.sign(&request, &secrets, &id)
    }
}

/// Whether a body is another one. Most are the very same bytes, which need not be read for that.
fn is_other(one: &Bytes, other: &Bytes) -> bool {
    let is_same = one.as_ptr() == other.as_ptr() && one.len() == other.len();
    !is_same && one != other
}

/// The line of a receipt for a body that was changed; none where it is the same.
fn other_body(before: &Bytes, after: &Bytes, how: &str) -> Option<Change> {
    let size = |body: &Bytes| counted(body.len() as u64, "byte");
    is_other(before, after).then(|| other("body", size(before), format!("{}, {how}", size(after))))
}

/// The capture as a jq program makes it. Its values may be secrets: the receipt says what was changed, and not into what.
fn transformed(by: &Transform, capture: &Capture, receipt: &mut Vec<Change>) -> Result<Capture, Failure> {
    let (head, bytes) = by.apply(&capture.head, &capture.body.bytes)?;
    receipt.extend(other_body(&capture.body.bytes, &bytes, "by jq"));
    if head != capture.head {
        let lines = |head: &Head| counted(head.headers().len() as u64, "header");
        receipt.push(other("head", lines(&capture.head), format!("{}, by jq", lines(&head))));
    }
    Ok(capture.with_request(head, bytes))
}

/// The capture as a person rewrote it.
fn whole_of(whole: &Rewritten, capture: &Capture, receipt: &mut Vec<Change>) -> Capture {
    rewritten(&capture.head, &whole.head, receipt);
    receipt.extend(other_body(&capture.body.bytes, &whole.body, "edited"));
    capture.with_request(whole.head.clone(), whole.body.clone())
}

/// What to do where a secret is missing to sign with.
pub const GIVE_SECRET: &str = "configure the endpoint's, or give one with --secret-env, --secret-file or --secret";

/// The failure of signing as a provider whose secret nobody gave, for an endpoint where there is one.
pub fn no_secret(provider: &Provider, endpoint: Option<&Endpoint>) -> Failure {
    let unset = endpoint.and_then(|endpoint| endpoint.unset.first());
    let why =
        unset.map_or("there is no secret".to_owned(), |source| format!("there is no secret: {source} is not set"));
    Failure::new(format!("signing as {}", provider.title()), why).hint(GIVE_SECRET)
}

fn other(what: &str, from: String, to: String) -> Change {
    Change::Other { what: what.to_owned(), from, to }
}

/// The receipt of a head that a person wrote anew: the method, and what differs of the headers by name.
fn rewritten(before: &Head, after: &Head, receipt: &mut Vec<Change>) {
    if before.method() != after.method() {
        receipt.push(other("method", before.method().into_owned(), after.method().into_owned()));
    }
    if before.target() != after.target() {
        let shown = |head: &Head| text::lossless(head.target()).into_owned();
        receipt.push(other("target", shown(before), shown(after)));
    }
    let names = before.headers().iter().chain(after.headers());
    let mut told: Vec<String> = Vec::new();
    for header in names {
        let key = header.name_text().to_lowercase();
        if told.contains(&key) {
            continue;
        }
        let of = |headers: &Headers| {
            let values =
                headers.iter().filter(|it| it.is(&key)).map(|it| (it.value.to_vec(), it.value_text().into_owned()));
            values.collect::<Vec<_>>()
        };
        let (was, is) = (of(before.headers()), of(after.headers()));
        let name = || header.name_text().into_owned();
        for at in 0..was.len().max(is.len()) {
            receipt.extend(match (was.get(at), is.get(at)) {
                (Some((was, from)), Some((is, to))) if was != is => {
                    Some(Change::Replaced { name: name(), from: from.clone(), to: to.clone() })
                }
                (Some((_, value)), None) => Some(Change::Dropped { name: name(), value: value.clone() }),
                (None, Some((_, value))) => Some(Change::Added { name: name(), value: value.clone() }),
                _ => None,
            });
        }
        told.push(key);
    }
}

/// Whose a request is: what its endpoint says goes before what was told of it.
pub(super) fn provider<'a>(told: Option<&str>, endpoint: &Endpoint, catalog: &'a Catalog) -> Option<&'a Provider> {
    catalog.get(endpoint.provider.as_deref().or(told)?)
}

/// The headers without those of a name.
fn without(headers: &Headers, name: &str, receipt: &mut Vec<Change>) -> Headers {
    let gone = headers.iter().filter(|header| header.is(name));
    receipt.extend(gone.map(|header| Change::Dropped {
        name: header.name_text().into_owned(),
        value: header.value_text().into_owned(),
    }));
    headers.iter().filter(|header| !header.is(name)).collect()
}

/// The headers with a value in the place of the first of that name; further ones are left out.
fn with(headers: &Headers, name: &str, value: &str, receipt: &mut Vec<Change>, is_secret: bool) -> Headers {
    let shown = |text: &str| if is_secret { HIDDEN.to_owned() } else { text.to_owned() };
    let mut all = Headers::with_capacity(headers.len() + 1);
    let mut found = false;
    for header in headers {
        let was = header.value_text();
        if !header.name.eq_ignore_ascii_case(name.as_bytes()) {
            all.push(header.name, header.value);
        } else if found {
            receipt.push(Change::Dropped { name: header.name_text().into_owned(), value: shown(&was) });
        } else {
            found = true;
            all.push(header.name, value);
            if was != value {
                let (from, to) = (shown(&was), shown(value));
                receipt.push(Change::Replaced { name: header.name_text().into_owned(), from, to });
            }
        }
    }
    if !found {
        all.push(name, value);
        receipt.push(Change::Added { name: name.to_owned(), value: shown(value) });
    }
    all
}

/// The headers with one more line of a name, behind the others of it.
fn with_another(headers: &Headers, name: &str, value: &str, receipt: &mut Vec<Change>, is_secret: bool) -> Headers {
    let mut lines: Vec<(&[u8], &[u8])> = headers.iter().map(|header| (header.name, header.value)).collect();
    let last = headers.iter().rposition(|header| header.is(name));
    lines.insert(last.map_or(lines.len(), |at| at + 1), (name.as_bytes(), value.as_bytes()));
    let shown = if is_secret { HIDDEN.to_owned() } else { value.to_owned() };
    receipt.push(Change::Added { name: name.to_owned(), value: shown });
    lines.into_iter().collect()
}

/// How many characters of a value a receipt repeats.
const SHOWN_CHARS: usize = 60;

/// JSON with a value at a path, all else of it as it was, and the line of a receipt for that. A value that is no JSON is a
/// text. The headers say what a body is that is no JSON.
pub fn with_value(body: &[u8], headers: &Headers, path: &str, value: &str) -> Result<(Vec<u8>, Change), Failure> {
    let failure = |why: String| Failure::new(format!("setting {path}"), why);
    let way = body::Path::parse(path).map_err(|why| {
        failure(why).hint("write it as data.items[0].id, as jq does with a dot before it, or as a JSON pointer")
    })?;
    if let Some(what) = no_json(body, headers) {
        return Err(failure(format!("the body is {what}")).hint("--set changes a value of JSON"));
    }
    let value = value.trim();
    let is_json = serde_json::from_str::<&RawValue>(value).is_ok();
    let value = if is_json { Cow::Borrowed(value) } else { Cow::Owned(Value::from(value).to_string()) };
    let put = way.put(body, &value).map_err(failure)?;
    let (from, to) = match put.before {
        Some(place) => (shortened(&text::lossless(&body[place])), shortened(&value)),
        None => ("nothing".to_owned(), format!("{}, new", shortened(&value))),
    };
    Ok((put.bytes, other(&format!("body {way}"), from, to)))
}

fn shortened(value: &str) -> String {
    match value.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}

/// What a body is that is no JSON.
pub(super) fn no_json(body: &[u8], headers: &Headers) -> Option<String> {
    let broken = rewrite::why_broken(body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body))?;
    let said = |name| headers.text(name).unwrap_or_default().trim().to_ascii_lowercase();
    let (coding, kind) = (said("content-encoding"), said("content-type"));
    Some(match &kind[..] {
        _ if body.is_empty() => "empty".to_owned(),
        _ if !matches!(&coding[..], "" | "identity") => {
            format!("{coding}-coded (Content-Encoding), and no JSON as it came")
        }
        kind if kind.starts_with("application/x-www-form-urlencoded") => "a form, and no JSON".to_owned(),
        kind if kind.starts_with("multipart/") => "a form of several parts, and no JSON".to_owned(),
        _ => format!("no JSON: {broken}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(body: &str, (name, value): (&str, &str), path: &str, to: &str) -> (String, String) {
        let headers: Headers = [(name, value)].into_iter().collect();
        match with_value(body.as_bytes(), &headers, path, to) {
            Ok((body, change)) => (String::from_utf8(body).unwrap(), change.to_string()),
            Err(failure) => (String::new(), failure.to_string()),
        }
    }

    #[test]
    fn a_value_is_set_in_its_place_and_told() {
        const JSON: (&str, &str) = ("Content-Type", "application/json");
        for (path, to, body, told) in [
            ("b[1].c", "y", "{\"a\":1.0e2, \"b\":[1,{\"c\":\"y\"}]}", "~ body b[1].c: \"x\" → \"y\""),
            ("/a", "2.50", "{\"a\":2.50, \"b\":[1,{\"c\":\"x\"}]}", "~ body a: 1.0e2 → 2.50"),
            (
                "$.d",
                "[1 , 2]",
                "{\"a\":1.0e2, \"b\":[1,{\"c\":\"x\"}], \"d\":[1 , 2]}",
                "~ body d: nothing → [1 , 2], new",
            ),
        ] {
            let set = set("{\"a\":1.0e2, \"b\":[1,{\"c\":\"x\"}]}", JSON, path, to);
            assert_eq!(set, (body.to_owned(), told.to_owned()), "{path}");
        }
        assert!(set("{}", JSON, "a", &"é".repeat(99)).1.ends_with(&format!("{}…, new", "é".repeat(59))));
    }

    #[test]
    fn a_body_that_is_no_json_is_called_what_it_is() {
        for (body, header, words) in [
            ("\x1f", ("Content-Encoding", "gzip"), "setting a: the body is gzip-coded (Content-Encoding)"),
            ("a=1", ("Content-Type", "application/x-www-form-urlencoded"), "the body is a form"),
            ("--x", ("Content-Type", "multipart/form-data; boundary=x"), "the body is a form of several parts"),
            ("{\"a\":}", ("Content-Type", "application/json"), "no JSON: expected value at line 1 column 6"),
            ("", ("X", "x"), "the body is empty"),
        ] {
            let (_, said) = set(body, header, "a", "2");
            assert!(said.contains(words), "{said}");
        }
    }
}
