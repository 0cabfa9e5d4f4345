//! Signs a request: the check, the other way round.

use std::borrow::Cow;

use super::{
    Provider, Request, Secret,
    content::Missing,
    key::Key,
    place::{Place, View},
    scheme::Scheme,
    sha256,
};
use crate::record::{Failure, Header, Headers};

impl Provider {
    /// The headers that a request must get for its signature to be right: the signature, the timestamp (the request's
    /// `received_at`), and the delivery's id where the provider sends one in a header and `id` is not empty. They take
    /// the place of those of the same name in the request. The other headers that a scheme signs are taken from it.
    ///
    /// Fails where only the sender holds the key, and where the signature sits in the body or in the URL.
    pub fn sign(&self, request: &Request<'_>, secret: &Secret, id: &str) -> Result<Vec<(String, String)>, Failure> {
        let scheme = self.scheme(request);
        let doing = || format!("signing a request as {}", self.title);
        let Some(place) = scheme.places.first().filter(|place| place.header().is_some()) else {
            return Err(Failure::new(doing(), "its signature is not in a header"));
        };
        // A re-signed request keeps the header it came with, where the provider knows several.
        let place = scheme.places.iter().find(|p| p.find(View::of(request)).is_some()).unwrap_or(place);
        let key = key(scheme, secret).map_err(|why| Failure::new(doing(), why))?;
        let url = self.signed_url(scheme, request).map_err(|(why, hint)| Failure::new(doing(), why).hint(hint))?;

        let mut added = self.id_headers(scheme, id);
        let timestamp = timestamp(scheme, request, &mut added);
        let headers = with(request.headers, &added);
        let signed = Request { headers: &headers, ..*request };
        let header =
            signature(scheme, &signed, url.as_deref(), &key, &timestamp).map_err(|why| Failure::new(doing(), why))?;
        added.extend(place.header().map(|name| (name.to_owned(), header)));
        Ok(added)
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
        let signed = scheme.content.places().filter_map(Place::header);
        let signed: Vec<&str> =
            signed.filter(|name| homes.iter().any(|home| home.eq_ignore_ascii_case(name))).collect();
        let first = self.event.id.first().and_then(|choice| choice.place.header()).filter(|_| signed.is_empty());
        let names = signed.into_iter().chain(first).filter(|_| !id.is_empty());
        names.map(|name| (name.to_owned(), id.to_owned())).collect()
    }
}

fn key(scheme: &Scheme, secret: &Secret) -> Result<Key, String> {
    match scheme.secret.key(secret, scheme.algorithm) {
        Ok(Key::Public(_)) => Err("only the sender holds the key that signs; a public key can but check".to_owned()),
        Ok(key) => Ok(key),
        Err(why) => Err(format!("the secret {why}")),
    }
}

/// The timestamp's text: now, where it is ours to send, else what the request holds.
fn timestamp(scheme: &Scheme, request: &Request<'_>, added: &mut Vec<(String, String)>) -> Vec<u8> {
    let Some(clock) = &scheme.clock else { return Vec::new() };
    let now = clock.unit.write(request.received_at);
    if let Some(name) = clock.place.header() {
        added.push((name.to_owned(), now.clone()));
    }
    let is_ours = clock.place.header().is_some() || clock.place.pair().is_some();
    let found = clock.place.find(View::of(request)).map(Cow::into_owned);
    if is_ours { now.into_bytes() } else { found.unwrap_or_default() }
}

fn signature(
    scheme: &Scheme,
    request: &Request<'_>,
    url: Option<&str>,
    key: &Key,
    timestamp: &[u8],
) -> Result<String, String> {
    let view = View { url, ..View::of(request) };
    let missing = |Missing(part)| format!("it signs {part}, which the request does not have");
    let pieces = scheme.content.pieces(view, timestamp).map_err(missing)?;
    let pieces: Vec<&[u8]> = pieces.iter().map(|piece| &**piece).collect();
    let tag = scheme.algorithm.tag(key, &pieces).ok_or("the two halves of the private key do not belong together")?;
    Ok(scheme.written(&tag, timestamp))
}

/// The headers with others in the place of those of the same name.
fn with(headers: &Headers, added: &[(String, String)]) -> Headers {
    let is_replaced = |header: &Header| added.iter().any(|(name, _)| header.name.eq_ignore_ascii_case(name.as_bytes()));
    let mut all: Headers = headers.iter().filter(|header| !is_replaced(header)).cloned().collect();
    for (name, value) in added {
        all.push(name.clone(), value.clone());
    }
    all
}
