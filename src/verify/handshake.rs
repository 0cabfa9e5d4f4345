//! Handshakes: requests by which a provider asks whether somebody is there, whether the URL is yours, whether you hold
//! the secret. Each is a `[[handshake]]` of the provider's file; what it wants to hear is a template.

use super::{
    Provider, Request, Secret,
    content::{Content, Filling},
    file::{HandshakeTable, Outcome, Text},
    key::Key,
    place::{Place, View},
    provider::{Wrong, condition, place},
    scheme::Condition,
};
use crate::record::{Verdict, text};

/// One way to ask, and what to answer.
#[derive(Clone, Debug)]
pub(super) struct Handshake {
    about: String,
    when: Vec<Condition>,
    outcome: Option<Outcome>,
    token: Option<Place>,
    status: u16,
    headers: Vec<(String, Content)>,
    body: Option<Content>,
    learns: Option<Place>,
    show: Option<Place>,
}

/// What a provider wants to hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What was asked, in words.
    pub about: String,
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// What a person must see, or open: a URL, a token.
    pub show: Option<String>,
}

/// What came of a request that is a handshake.
#[derive(Debug)]
pub enum Asked {
    /// It is answered so.
    Answered(Answer),
    /// It cannot be answered; why, in a sentence.
    Unanswerable(String),
}

impl Provider {
    /// What to answer, where the request is a handshake. `verify_token` is what the person told the provider to send
    /// (Meta, WebSub); without one, any is taken.
    pub fn handshake(
        &self,
        request: &Request<'_>,
        secrets: &[Secret],
        verdict: Verdict,
        verify_token: Option<&Secret>,
    ) -> Option<Asked> {
        let handshake = self.handshakes.iter().find(|handshake| handshake.fits(request, verdict))?;
        let view = View::of(request);
        if let (Some(place), Some(token)) = (&handshake.token, verify_token) {
            let sent = place.find(view).unwrap_or_default();
            if !super::compare::Tag::new(token.bytes()).is(&sent) {
                let why = format!("{}, but {} is not the configured verify-token.", handshake.about, place.title());
                return Some(Asked::Unanswerable(why));
            }
        }
        Some(self.answer(handshake, request, secrets))
    }

    /// Whether it is a handshake that cannot be signed: it has no body that a signature would cover, or it hands over the
    /// very secret (Meta, X, Microsoft Graph; Asana, Notion).
    pub(super) fn asks_unsigned(&self, request: &Request<'_>) -> bool {
        let mut asked = self.handshakes.iter().filter(|handshake| handshake.fits(request, Verdict::Unsigned));
        asked.next().is_some_and(|handshake| request.body.is_empty() || handshake.learns.is_some())
    }

    /// The secret that a handshake hands over, where the request is such a one.
    pub fn learned(&self, request: &Request<'_>) -> Option<Secret> {
        let handshake = self.handshakes.iter().find(|handshake| handshake.fits(request, Verdict::Unchecked))?;
        let found = handshake.learns.as_ref()?.find(View::of(request))?;
        (!found.is_empty()).then(|| Secret::new(found.into_owned()))
    }

    /// What its handshakes are, in words.
    pub fn handshakes(&self) -> impl Iterator<Item = &str> {
        self.handshakes.iter().map(|handshake| &handshake.about[..])
    }

    fn answer(&self, handshake: &Handshake, request: &Request<'_>, secrets: &[Secret]) -> Asked {
        let scheme = self.scheme(request);
        let first = secrets.first().filter(|secret| !secret.is_empty());
        let key: Option<Key> = first.and_then(|secret| scheme.secret.key(secret, scheme.algorithm).ok());
        let filling = Filling {
            secret: first.map(Secret::bytes).unwrap_or_default(),
            second: secrets.get(1).map(Secret::bytes),
            mac: key.as_ref().map(|key| (scheme.algorithm, key, scheme.encoding)),
            ..Filling::default()
        };
        let view = View::of(request);
        let fill = |content: &Content| content.pieces(view, filling).map(|pieces| pieces.concat()).map_err(|it| it.0);
        let headers: Result<Vec<_>, String> = handshake
            .headers
            .iter()
            .map(|(name, value)| fill(value).map(|value| (name.clone(), text::lossless(&value).into_owned())))
            .collect();
        let body = handshake.body.as_ref().map(fill).transpose();
        match (headers, body) {
            (Ok(headers), Ok(body)) => Asked::Answered(Answer {
                about: handshake.about.clone(),
                status: handshake.status,
                headers,
                body: body.unwrap_or_default(),
                show: handshake
                    .show
                    .as_ref()
                    .and_then(|place| place.find(view))
                    .map(|it| text::lossless(&it).into_owned()),
            }),
            (Err(missing), _) | (_, Err(missing)) => {
                Asked::Unanswerable(format!("{}; the answer needs the {missing}, which there is not.", handshake.about))
            }
        }
    }
}

impl Handshake {
    fn fits(&self, request: &Request<'_>, verdict: Verdict) -> bool {
        let is_right = match self.outcome {
            None => true,
            Some(Outcome::Passed) => verdict == Verdict::Passed,
            Some(Outcome::Failed) => verdict == Verdict::Failed,
        };
        is_right && self.when.iter().all(|when| when.holds(View::of(request)))
    }
}

/// Makes a handshake of its table.
pub(super) fn build(table: HandshakeTable) -> Result<Handshake, Wrong> {
    let template = |text: &Text| Content::parse(text.get_ref()).map_err(|why| Wrong::with(text, why));
    Ok(Handshake {
        about: table.about,
        when: table.when.iter().map(condition).collect::<Result<_, _>>()?,
        outcome: table.verdict,
        token: table.token.as_ref().map(place).transpose()?,
        status: table.status.unwrap_or(200),
        headers: table
            .headers
            .into_iter()
            .map(|(name, value)| template(&value).map(|value| (name, value)))
            .collect::<Result<_, _>>()?,
        body: table.body.as_ref().map(template).transpose()?,
        learns: table.learns.as_ref().map(place).transpose()?,
        show: table.show.as_ref().map(place).transpose()?,
    })
}
