//! `creel send`: sample events, made and signed as their provider would, and spoiled where somebody wants to see what an
//! app does with that.

use bytes::Bytes;

use super::now;
use crate::{
    record::{Failure, Head, Headers, Timestamp, Version},
    verify::{Letter, Provider, Secret},
};

/// How an event is spoiled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spoil {
    /// Not at all.
    #[default]
    Nothing,
    /// Signed with a secret of nobody.
    WrongSecret,
    /// Signed long ago.
    Stale,
    /// Changed after it was signed.
    Tampered,
    /// Not signed.
    Unsigned,
    /// The same event twice.
    Duplicate,
    /// A newer event first, then an older one.
    Reordered,
}

/// The ways to spoil an event, by name.
pub const SPOILS: &[(&str, Spoil)] = &[
    ("wrong-secret", Spoil::WrongSecret),
    ("stale", Spoil::Stale),
    ("tampered", Spoil::Tampered),
    ("unsigned", Spoil::Unsigned),
    ("duplicate", Spoil::Duplicate),
    ("reordered", Spoil::Reordered),
];

/// How long ago a stale event is signed, in seconds: longer than the widest window of any provider.
const STALE_S: i64 = 3 * 60 * 60;
/// How far apart two events are that come in the wrong order, in seconds.
const APART_S: i64 = 60;

/// What is to be sent.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    /// Who should seem to send it.
    pub provider: &'a Provider,
    /// Its secrets; none: it is not signed.
    pub secrets: &'a [Secret],
    /// The event's type.
    pub kind: &'a str,
    /// The body's media type.
    pub content_type: &'a str,
    /// The body.
    pub body: &'a [u8],
    /// The URL.
    pub url: &'a str,
    /// Headers beside the provider's own.
    pub headers: &'a Headers,
    /// How it is spoiled.
    pub spoil: Spoil,
}

impl Event<'_> {
    /// The requests to send, in their order. `id` makes the events' ids.
    pub fn requests(&self, mut id: impl FnMut() -> String) -> Result<Vec<(Head, Bytes)>, Failure> {
        let at = now();
        let older = |seconds: i64| Timestamp::from_unix_ms(at.unix_ms() - seconds * 1000);
        match self.spoil {
            Spoil::Duplicate => {
                let id = id();
                Ok(vec![self.request(&id, at, self.secrets)?, self.request(&id, at, self.secrets)?])
            }
            Spoil::Reordered => {
                Ok(vec![self.request(&id(), at, self.secrets)?, self.request(&id(), older(APART_S), self.secrets)?])
            }
            Spoil::Stale if !self.signs_time(at) => Err(self.timeless()),
            Spoil::Stale => Ok(vec![self.request(&id(), older(STALE_S), self.secrets)?]),
            Spoil::Unsigned => Ok(vec![self.request(&id(), at, &[])?]),
            Spoil::WrongSecret => {
                let wrong = self.provider.secret_of_nobody();
                Ok(vec![self.request(&id(), at, &[wrong])?])
            }
            Spoil::Tampered => {
                let (head, body) = self.request(&id(), at, self.secrets)?;
                Ok(vec![(head, tampered(&body))])
            }
            Spoil::Nothing => Ok(vec![self.request(&id(), at, self.secrets)?]),
        }
    }

    fn letter<'a>(&'a self, id: &'a str, at: Timestamp) -> Letter<'a> {
        let Self { kind: event, content_type, body, url, headers, .. } = *self;
        Letter { event, content_type, body, id, at, url, headers }
    }

    fn signs_time(&self, at: Timestamp) -> bool {
        self.provider.signs_time(&self.letter("", at))
    }

    fn timeless(&self) -> Failure {
        let title = self.provider.title();
        let why = format!("{title} signs no time: an old event is as good as a new one, and none is stale");
        Failure::new(format!("sending a stale event of {title}"), why)
            .hint("--as duplicate tests what an app has instead: whether it knows an id that it has seen")
    }

    fn request(&self, id: &str, at: Timestamp, secrets: &[Secret]) -> Result<(Head, Bytes), Failure> {
        let dressed = self.provider.dress(&self.letter(id, at), secrets)?;
        let mut all = Headers::with_capacity(dressed.headers.len() + 2);
        // What somebody wished for goes before what creel would say.
        let own = [("Host", ""), ("User-Agent", concat!("creel/", env!("CARGO_PKG_VERSION")))];
        for (name, value) in own.into_iter().filter(|(name, _)| dressed.headers.get(name).is_none()) {
            all.push(name, value);
        }
        for header in &dressed.headers {
            all.push(header.name, header.value);
        }
        all.push("Content-Length", dressed.body.len().to_string());
        Ok((Head::from_parts("POST", &dressed.target, Version::Http11, &all), dressed.body.into()))
    }
}

/// The body with one digit changed, or a byte added where it has none: as little as a forger would.
fn tampered(body: &[u8]) -> Bytes {
    let mut body = body.to_vec();
    match body.iter().rposition(u8::is_ascii_digit) {
        Some(at) => body[at] = if body[at] == b'9' { b'8' } else { body[at] + 1 },
        None => body.push(b' '),
    }
    body.into()
}
