//! Sample events: what providers send, to try an app with. Each is a file of `assets/samples/PROVIDER/`.

use std::borrow::Cow;

use super::{
    Provider, Request, Secret, Signed,
    place::{Place, View},
    put::Parts,
};
use crate::record::{Failure, Headers, Timestamp};

/// The files: provider, event, kind of the file, text; listed by `build.rs`.
const FILES: &[(&str, &str, &str, &str)] = include!(concat!(env!("OUT_DIR"), "/samples.rs"));

/// An event as its provider would send it, with ids of nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Whose it is.
    pub provider: &'static str,
    /// Its type.
    pub event: &'static str,
    /// Its media type.
    pub content_type: &'static str,
    /// Its body.
    pub body: &'static str,
}

impl Sample {
    /// All of them, in the order of their providers.
    pub fn all() -> impl Iterator<Item = Self> {
        FILES.iter().map(|&(provider, event, kind, text)| Self {
            provider,
            event,
            content_type: if kind == "form" { "application/x-www-form-urlencoded" } else { "application/json" },
            body: if kind == "form" { text.trim_end() } else { text },
        })
    }

    /// Those of a provider.
    pub fn of(provider: &str) -> impl Iterator<Item = Self> {
        Self::all().filter(move |sample| sample.provider == provider)
    }
}

/// An event to be sent: what the provider would say of it.
#[derive(Clone, Copy, Debug)]
pub struct Letter<'a> {
    /// The event's type.
    pub event: &'a str,
    /// The body's media type.
    pub content_type: &'a str,
    /// The body.
    pub body: &'a [u8],
    /// The event's id, put where the provider has one.
    pub id: &'a str,
    /// When it happens.
    pub at: Timestamp,
    /// The URL it is sent to.
    pub url: &'a str,
    /// Headers beside those.
    pub headers: &'a Headers,
}

/// A request, as its provider would send it.
#[derive(Clone, Debug)]
pub struct Dressed {
    /// The headers, without those that speak of the connection.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
    /// Path and query.
    pub target: Vec<u8>,
}

impl Dressed {
    fn request<'a>(&'a self, letter: &Letter<'a>) -> Request<'a> {
        Request {
            method: "POST",
            url: Some(letter.url),
            target: &self.target,
            headers: &self.headers,
            body: &self.body,
            truncated: false,
            rewritten: false,
            received_at: letter.at,
        }
    }
}

impl Provider {
    /// Makes a request of a letter, and signs it where there is a secret: the id, the type and the moment are put where
    /// this provider has them.
    pub fn dress(&self, letter: &Letter<'_>, secrets: &[Secret]) -> Result<Dressed, Failure> {
        let mut dressed = self.undressed(letter);
        if secrets.is_empty() {
            return Ok(dressed);
        }
        let request = dressed.request(letter);
        let Signed { headers, body, target, .. } = self.sign(&request, secrets, letter.id)?;
        for (name, value) in headers {
            set(&mut dressed.headers, &name, value);
        }
        dressed.body = body.unwrap_or(dressed.body);
        dressed.target = target.unwrap_or(dressed.target);
        Ok(dressed)
    }

    /// Whether what signs a letter says when that was: only then can one be too old.
    pub fn signs_time(&self, letter: &Letter<'_>) -> bool {
        self.scheme(&self.undressed(letter).request(letter)).signs_time()
    }

    /// The request before it is signed.
    fn undressed(&self, letter: &Letter<'_>) -> Dressed {
        let habits = self.habits.headers.iter().map(|(name, value)| (&name[..], &value[..]));
        let own = habits.chain([("Content-Type", letter.content_type), ("Accept", "*/*")]);
        let mut headers = Headers::default();
        for (name, value) in own.filter(|(name, _)| letter.headers.get(name).is_none()) {
            if headers.get(name).is_none() {
                headers.push(name, value);
            }
        }
        for header in letter.headers {
            headers.push(header.name, header.value);
        }
        let target = super::transform::target_of(letter.url).to_vec();
        let mut parts = Parts { body: letter.body.to_vec(), target };
        let before = self.event.created.first().and_then(|choice| {
            let request = unsigned(&parts, &headers, letter);
            choice.place.find(View::of(&request)).map(Cow::into_owned)
        });
        let at = self.event.written(letter.at, before.as_deref());
        let ids = self.event.id.iter().take(1).map(|choice| (&choice.place, letter.id));
        let kinds = self.event.kind.iter().take(1).map(|choice| (&choice.place, letter.event));
        let moments = self.event.created.iter().take(1).map(|choice| (&choice.place, &at[..]));
        for (place, text) in ids.chain(kinds).chain(moments).filter(|(_, text)| !text.is_empty()) {
            match place.header() {
                Some(name) if headers.get(name).is_none() => headers.push(name, text),
                Some(_) => {}
                None => put_where_it_is(&mut parts, place, &headers, letter, text),
            }
        }
        // What else is signed beside these is a nonce, or nothing that this request could know.
        for name in self.first.content.places().into_iter().filter_map(Place::header) {
            if headers.get(name).is_none() {
                headers.push(name, letter.id);
            }
        }
        Dressed { headers, body: parts.body, target: parts.target }
    }
}

/// Replaces a value of the body; where there is none, none is added.
fn put_where_it_is(parts: &mut Parts, place: &Place, headers: &Headers, letter: &Letter<'_>, text: &str) {
    if place.find(View::of(&unsigned(parts, headers, letter))).is_some() {
        parts.put(place, letter.content_type.as_bytes(), text);
    }
}

fn unsigned<'a>(parts: &'a Parts, headers: &'a Headers, letter: &Letter<'_>) -> Request<'a> {
    Request {
        method: "POST",
        url: None,
        target: &parts.target,
        headers,
        body: &parts.body,
        truncated: false,
        rewritten: false,
        received_at: letter.at,
    }
}

/// Puts a header in the place of those of the same name.
fn set(headers: &mut Headers, name: &str, value: String) {
    let mut others: Headers = headers.iter().filter(|header| !header.is(name)).collect();
    others.push(name, value);
    *headers = others;
}
