//! Signs a request: the check, the other way round.

use std::borrow::Cow;

use super::{
    Provider, Request, Secret,
    content::{Filling, Missing},
    jwt,
    key::Key,
    mac::Algorithm,
    place::{Place, View},
    put::Parts,
    scheme::Scheme,
    sha256,
    shape::Sent,
};
use crate::record::{Failure, Header, Headers, text};

/// How long a token that is made here is good, in seconds: long enough to be sent by hand.
const TOKEN_S: i64 = 60;

/// What stands in the place of the signature while it is made: nothing that a request would hold.
const PLACEHOLDER: &str = "creel-puts-the-signature-here";

/// What a request must be to be right: the parts of it that signing changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signed {
    /// Headers that take the place of those of the same name.
    pub headers: Vec<(String, String)>,
    /// The body, where the signature or its timestamp sits in it.
    pub body: Option<Vec<u8>>,
    /// The target, where the signature or its timestamp sits in its query.
    pub target: Option<Vec<u8>>,
    /// Whether the headers hold the secret itself, as a token does: they are for the wire and for no eyes.
    pub is_secret: bool,
}

impl Provider {
    /// Signs a request as its provider would, at the moment of its `received_at`: what changes is the signature, the
    /// timestamp, and the delivery's id where the provider sends one in a header and `id` is not empty. The other headers
    /// that a scheme signs are taken from the request.
    ///
    /// Fails where only the sender holds the key, and where the request has no place for the signature.
    pub fn sign(&self, request: &Request<'_>, secrets: &[Secret], id: &str) -> Result<Signed, Failure> {
        let doing = || format!("signing a request as {}", self.title);
        let scheme = self.scheme(request);
        let secret = secrets.first().ok_or_else(|| Failure::new(doing(), "there is no secret"))?;
        let key = key(scheme, secret).map_err(|why| Failure::new(doing(), why))?;
        // A re-signed request keeps the header it came with, where the provider knows several.
        let place = scheme.places.iter().find(|p| p.find(View::of(request)).is_some()).unwrap_or(scheme.first_place());

        let mut headers = self.id_headers(scheme, id);
        let mut parts = Parts::of(request);
        let content_type = request.headers.get("content-type").unwrap_or_default();
        let timestamp = timestamp(scheme, request, &mut headers, &mut parts);
        if place.header().is_none() && !parts.put(place, content_type, PLACEHOLDER) {
            return Err(Failure::new(
                doing(),
                format!("its signature sits at {place}, and this request has no such place"),
            ));
        }
        let all = with(request.headers, &headers);
        let url = request.url.map(|url| with_target(url, &parts.target, request.target));
        let ready =
            Request { headers: &all, body: &parts.body, target: &parts.target, url: url.as_deref(), ..*request };
        let url = self.signed_url(scheme, &ready).map_err(|(why, hint)| Failure::new(doing(), why).hint(hint))?;
        let second = secrets.get(1).map(Secret::bytes);
        let in_content = if scheme.beside.is_some() { second.unwrap_or_default() } else { secret.bytes() };
        let filling = Filling { timestamp: &timestamp, secret: in_content, second, mac: None };
        let named = self.event.id.first().map(|choice| (&choice.place, id));
        let text = signature(scheme, &ready, url.as_deref(), &key, filling, named)
            .map_err(|why| Failure::new(doing(), why))?;
        let text = match scheme.shape.owner_pair() {
            None => text,
            Some(pair) => {
                let owner = second.map(|bytes| text::lossless(bytes).into_owned());
                let came = scheme.received(request).first().map(|(_, text)| text::lossless(text).into_owned());
                let came = came.and_then(|came| came.split_once(pair).map(|(owner, _)| owner.to_owned()));
                let none = || {
                    Failure::new(doing(), "it names a public key beside the signature")
                        .hint("give it as a second secret")
                };
                format!("{}{pair}{text}", owner.or(came).ok_or_else(none)?)
            }
        };
        match place.header() {
            Some(name) => headers.push((name.to_owned(), text)),
            None => drop(parts.put(place, content_type, &text)),
        }
        Ok(Signed {
            headers,
            body: (parts.body != request.body).then_some(parts.body),
            target: (parts.target != request.target).then_some(parts.target),
            is_secret: scheme.algorithm == Algorithm::Token,
        })
    }

    /// A secret of the form this provider hands out that is nobody's.
    pub fn secret_of_nobody(&self) -> Secret {
        self.first.secret.of_nobody()
    }

    /// The URL to sign, where the scheme signs it: the first that names the body, where it shall. Else why such a request
    /// cannot be signed, and what to do.
    fn signed_url(&self, scheme: &Scheme, request: &Request<'_>) -> Result<Option<String>, (String, String)> {
        let hint = |place: &Place| format!("put {} at {place}", hex::encode(sha256(request.body)));
        let content_type = request.headers.text("content-type").unwrap_or_default();
        if scheme.content.has_form() && content_type.contains("json") {
            let place = self.schemes().find_map(|scheme| scheme.body_sha256.as_ref());
            let what = place.map_or("send a form".to_owned(), hint);
            return Err(("it signs the fields of a form, and this body is JSON".to_owned(), what));
        }
        let mut urls = scheme.urls(request).into_iter();
        match &scheme.body_sha256 {
            None => Ok(urls.next().flatten()),
            Some(place) => urls
                .find(|url| Scheme::is_body_named(place, View { url: url.as_deref(), ..View::of(request) }))
                .ok_or_else(|| (format!("what stands at {place} is not the body's SHA-256"), hint(place))),
        }
    }

    /// The id's headers: those that are signed, else the first in which the provider sends it.
    fn id_headers(&self, scheme: &Scheme, id: &str) -> Vec<(String, String)> {
        let homes: Vec<&str> = self.event.id.iter().filter_map(|choice| choice.place.header()).collect();
        let signed = scheme.content.places().into_iter().filter_map(Place::header);
        let signed: Vec<&str> =
            signed.filter(|name| homes.iter().any(|home| home.eq_ignore_ascii_case(name))).collect();
        let first = self.event.id.first().and_then(|choice| choice.place.header()).filter(|_| signed.is_empty());
        let names = signed.into_iter().chain(first).filter(|_| !id.is_empty());
        names.map(|name| (name.to_owned(), id.to_owned())).collect()
    }
}

fn key(scheme: &Scheme, secret: &Secret) -> Result<Key, String> {
    match scheme.secret.key(secret, scheme.algorithm) {
        Ok(_) if scheme.needs.is_some() => Err("only the sender holds the key that signs".to_owned()),
        Ok(Key::Public(_)) => Err("only the sender holds the key that signs; a public key can but check".to_owned()),
        Ok(key) => Ok(key),
        Err(why) => Err(format!("the secret {why}")),
    }
}

/// A URL with another target, where that changed.
fn with_target(url: &str, target: &[u8], old: &[u8]) -> String {
    if target == old {
        return url.to_owned();
    }
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url[host..].find('/').map_or(url.len(), |at| host + at);
    format!("{}{}", &url[..end], text::lossless(target))
}

/// The timestamp's text: now, where it is ours to send, else what the request holds.
fn timestamp(scheme: &Scheme, request: &Request<'_>, added: &mut Vec<(String, String)>, parts: &mut Parts) -> Vec<u8> {
    let Some(clock) = &scheme.clock else { return Vec::new() };
    let now = clock.unit.write(request.received_at);
    if let Some(name) = clock.place.header() {
        added.push((name.to_owned(), now.clone()));
    }
    let content_type = request.headers.get("content-type").unwrap_or_default();
    let is_ours = clock.place.header().is_some() || clock.place.is_in_signature();
    let found = clock.place.find(View::of(request)).map(Cow::into_owned);
    if is_ours || parts.put(&clock.place, content_type, &now) { now.into_bytes() } else { found.unwrap_or_default() }
}

fn signature(
    scheme: &Scheme,
    request: &Request<'_>,
    url: Option<&str>,
    key: &Key,
    filling: Filling<'_>,
    named: Option<(&Place, &str)>,
) -> Result<String, String> {
    // Other items of the list that are signed too (Hygraph's environment) are those the request came with.
    let received = scheme.received(request).into_iter().next();
    let kept = received.as_ref().filter(|(place, _)| place.header().is_some()).map(|(_, text)| &**text);
    let sent = Some(Sent { shape: &scheme.shape, text: kept.unwrap_or(PLACEHOLDER.as_bytes()) });
    let view = View { url, sent, ..View::of(request) };
    let missing = |Missing(part)| format!("it signs {part}, which the request does not have");
    if scheme.algorithm == Algorithm::Jwt {
        return token(scheme, view, key, named).map_err(missing);
    }
    let pieces = scheme.content.pieces(view, filling).map_err(missing)?;
    let pieces: Vec<&[u8]> = pieces.iter().map(|piece| &**piece).collect();
    let tag = scheme.algorithm.tag(key, &pieces).ok_or("the two halves of the private key do not belong together")?;
    let others = scheme
        .content
        .places()
        .into_iter()
        .filter_map(Place::pair)
        .filter_map(|key| Some((key, String::from_utf8_lossy(sent?.last(key)?).into_owned())));
    Ok(scheme.shape.with_items(scheme.written(&tag, filling.timestamp), others))
}

/// A token that says what it should, and is good for [`TOKEN_S`] from the request's moment on. `named` is where the provider has
/// the delivery's id, a claim perhaps, and the new one.
fn token(scheme: &Scheme, view: View<'_>, key: &Key, named: Option<(&Place, &str)>) -> Result<String, Missing> {
    let now = view.request.received_at.unix_s();
    // What else the request's own token says stays: who made it (LiveKit's `iss` is the name of a key), for whom.
    let mut claims = view.sent.map_or_else(Vec::new, |sent| jwt::claims(sent.bare()));
    claims.retain(|(name, _)| !scheme.claims.iter().any(|(own, _)| own == name));
    claims.extend([("iat".into(), now.into()), ("nbf".into(), now.into()), ("exp".into(), (now + TOKEN_S).into())]);
    for (name, content) in &scheme.claims {
        if content.has_body() && view.request.body.is_empty() {
            continue;
        }
        let text = content.pieces(view, Filling::default())?.concat();
        claims.push((name.clone(), String::from_utf8_lossy(&text).into_owned().into()));
    }
    let named = named.filter(|(_, id)| !id.is_empty());
    claims.extend(named.and_then(|(place, id)| Some((place.claim()?.to_owned(), id.into()))));
    let token = jwt::write(key, &claims).ok_or_else(|| Missing("key".to_owned()))?;
    Ok(format!("{}{token}", scheme.shape.prefix))
}

/// The headers with others in the place of those of the same name.
fn with(headers: &Headers, added: &[(String, String)]) -> Headers {
    let is_replaced = |header: &Header<'_>| added.iter().any(|(name, _)| header.is(name));
    let mut all: Headers = headers.iter().filter(|header| !is_replaced(header)).collect();
    for (name, value) in added {
        all.push(name.clone(), value.clone());
    }
    all
}
