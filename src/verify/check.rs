//! Judges a request.

use std::borrow::Cow;

use super::{
    Provider, Request, Secret,
    content::Missing,
    explain, form,
    key::Key,
    mac::Algorithm,
    place::{Place, View},
    scheme::{Clock, Scheme},
    shape::Sent,
    time::age_s,
};
use crate::record::{Evidence, Explanation, Judgement, Verdict};

/// How many bytes are put through the algorithm for one signature header before no further spelling of the URL is
/// tried. Each spelling costs a pass over the body; real bodies of schemes that sign the URL have some KiB.
const MAX_BYTES: usize = 8 << 20;

/// Why a check did not pass, or was not made.
pub(super) enum Problem {
    /// There is no secret.
    SecretMissing,
    /// No secret is of the scheme's form; what is wrong with the first.
    SecretUnusable(String),
    /// The signature is not there.
    SignatureMissing,
    /// Something else that is signed is not there; its place.
    PartMissing(String),
    /// A part of the body is missing, and the signature covers it.
    Truncated,
    /// The signature cannot be read; why, in a sentence without its stop.
    Malformed(String),
    /// The timestamp cannot be read; why, in a sentence without its stop.
    BadTimestamp(String),
    /// No secret gives the signature.
    Mismatch,
    /// The signature is right, but it covers another body.
    BodyChanged,
    /// The signature is right, and its timestamp is outside the tolerance.
    Stale,
}

/// What was found out about one received signature header. It has no default: one in which nobody found a problem
/// has passed.
pub(super) struct Finding<'a> {
    /// Where it sat, or should.
    pub(super) place: &'a Place,
    /// The header as received.
    received: Option<String>,
    /// What the first secret gives.
    expected: Option<String>,
    /// How old the timestamp was.
    pub(super) age_s: Option<i64>,
    /// How many pairs of a key and a signature were tried, for each spelling of the URL.
    tried: u64,
    /// The URLs that were tried.
    pub(super) urls: Vec<String>,
    /// What is not right.
    pub(super) problem: Option<Problem>,
}

impl Provider {
    /// Judges a request by the provider's rules. With several signatures or several secrets, one pair that fits is
    /// enough. Never `Unsigned`: that is for requests without a provider.
    ///
    /// What the evidence shows is never a secret: where the secret itself is sent, it shows neither what came nor what
    /// was expected.
    pub fn judge(&self, request: &Request<'_>, secrets: &[Secret]) -> Judgement {
        let scheme = self.scheme(request);
        let received = scheme.received(request);
        let unmade = |problem| Finding::of(scheme, request, received.first(), problem);
        let best = match ready(scheme, request, secrets, received.is_empty()) {
            Err(problem) => unmade(problem),
            Ok(keys) => {
                let checked = received.iter().map(|text| checked(scheme, request, &keys, text));
                let best = checked.max_by_key(|finding| rank(finding.problem.as_ref()));
                best.unwrap_or_else(|| unmade(Problem::SignatureMissing))
            }
        };
        self.report(scheme, secrets.len(), best)
    }

    fn report(&self, scheme: &Scheme, secrets: usize, finding: Finding<'_>) -> Judgement {
        let (verdict, fault) = finding.problem.as_ref().map_or((Verdict::Passed, None), |problem| {
            let (verdict, fault) = explain::judged(problem);
            (verdict, Some(fault))
        });
        let explanation = finding.problem.as_ref().map(|problem| Explanation {
            by: None,
            text: explain::text(self, scheme, secrets, problem, &finding),
            tried: finding.tried,
        });
        Judgement {
            verdict,
            fault,
            explanation,
            age_s: finding.age_s,
            covers_body: Some(scheme.covers_body()),
            evidence: Some(Evidence {
                place: finding.place.title().to_owned(),
                received: finding.received,
                expected: finding.expected,
                content: scheme.content_described(),
            }),
        }
    }
}

/// Of several signature headers the one that came nearest to passing is told about.
fn rank(problem: Option<&Problem>) -> u8 {
    match problem {
        None => 4,
        Some(Problem::Stale) => 3,
        Some(Problem::BodyChanged) => 2,
        Some(Problem::Mismatch) => 1,
        Some(_) => 0,
    }
}

/// The keys, if there is everything that a check needs.
fn ready(scheme: &Scheme, request: &Request<'_>, secrets: &[Secret], unsigned: bool) -> Result<Vec<Key>, Problem> {
    let keys = keys(scheme, secrets)?;
    match () {
        () if unsigned => Err(Problem::SignatureMissing),
        () if request.truncated && scheme.covers_body() => Err(Problem::Truncated),
        () => Ok(keys),
    }
}

/// Checks one of the received texts.
fn checked<'a>(
    scheme: &'a Scheme,
    request: &Request<'_>,
    keys: &[Key],
    received: &(&'a Place, Cow<'_, [u8]>),
) -> Finding<'a> {
    let mut finding = Finding::of(scheme, request, Some(received), Problem::Mismatch);
    let sent = Sent { shape: &scheme.shape, text: &received.1 };
    finding.problem = Check { scheme, request, place: received.0, sent, keys }.run(&mut finding).err();
    finding
}

fn keys(scheme: &Scheme, secrets: &[Secret]) -> Result<Vec<Key>, Problem> {
    let mut keys = Vec::with_capacity(secrets.len());
    let mut wrong = None;
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        match scheme.secret.key(secret, scheme.algorithm) {
            Ok(key) => keys.push(key),
            Err(why) => wrong = wrong.or(Some(why)),
        }
    }
    match (keys.is_empty(), wrong) {
        (false, _) => Ok(keys),
        (true, Some(why)) => Err(Problem::SecretUnusable(why)),
        (true, None) => Err(Problem::SecretMissing),
    }
}

impl<'a> Finding<'a> {
    /// What can be said before anything is checked.
    fn of(
        scheme: &'a Scheme,
        request: &Request<'_>,
        received: Option<&(&'a Place, Cow<'_, [u8]>)>,
        problem: Problem,
    ) -> Self {
        let text = received.map(|(_, text)| text);
        let sent = text.map(|text| Sent { shape: &scheme.shape, text });
        let view = View { sent, ..View::of(request) };
        let moment = scheme.clock.as_ref().and_then(|clock| clock.unit.read(&clock.place.find(view)?));
        let shown = text.filter(|_| scheme.algorithm != Algorithm::Token);
        Self {
            place: received.map_or(scheme.first_place(), |(place, _)| place),
            received: shown.map(|text| Evidence::shown(text)),
            expected: None,
            age_s: moment.map(|moment| age_s(moment, request.received_at)),
            tried: 0,
            urls: Vec::new(),
            problem: Some(problem),
        }
    }
}

/// The check of one signature header.
struct Check<'a> {
    scheme: &'a Scheme,
    request: &'a Request<'a>,
    place: &'a Place,
    sent: Sent<'a>,
    keys: &'a [Key],
}

impl Check<'_> {
    fn run(&self, finding: &mut Finding<'_>) -> Result<(), Problem> {
        let timestamp = self.scheme.clock.as_ref().map(|clock| self.timestamp(clock)).transpose()?.unwrap_or_default();
        let signatures = self.sent.signatures(self.scheme.algorithm, self.scheme.encoding);
        let signatures = signatures.map_err(|why| Problem::Malformed(format!("{} {why}", self.place.title())))?;
        self.search(&timestamp, &signatures, finding)?;
        let tolerance = self.scheme.clock.as_ref().and_then(|clock| clock.tolerance);
        match (tolerance, finding.age_s) {
            (Some(tolerance), Some(age)) if !tolerance.allows(age) => Err(Problem::Stale),
            _ => Ok(()),
        }
    }

    /// The timestamp's text. One that nobody looks at may be anything, since it is signed as it stands.
    fn timestamp(&self, clock: &Clock) -> Result<Cow<'_, [u8]>, Problem> {
        let title = clock.place.title();
        let found = clock.place.find(View { sent: Some(self.sent), ..View::of(self.request) });
        match (found, clock.place.pair()) {
            (None, Some(key)) => Err(Problem::BadTimestamp(format!("{} has no timestamp {key}", self.place.title()))),
            (None, None) => Err(Problem::PartMissing(title.to_owned())),
            (Some(text), _) if clock.tolerance.is_some() && clock.unit.read(&text).is_none() => {
                let place = clock.place.pair().map_or(title, |_| self.place.title());
                Err(Problem::BadTimestamp(format!("The timestamp in {place} is not in {}", clock.unit.name())))
            }
            (Some(text), _) => Ok(text),
        }
    }

    /// Tries every key against every signature, for every URL that the sender may have meant.
    fn search(&self, timestamp: &[u8], signatures: &[Vec<u8>], finding: &mut Finding<'_>) -> Result<(), Problem> {
        let mut problem = Problem::Mismatch;
        let mut bytes = 0;
        let sorted_form = self.scheme.content.has_form().then(|| form::sorted(self.request.body));
        for url in self.scheme.urls(self.request) {
            let sorted_form = sorted_form.as_deref();
            let view = View { request: self.request, url: url.as_deref(), sent: Some(self.sent), sorted_form };
            let pieces =
                self.scheme.content.pieces(view, timestamp).map_err(|Missing(part)| Problem::PartMissing(part))?;
            let pieces: Vec<&[u8]> = pieces.iter().map(|piece| &**piece).collect();
            let is_right = self.is_right(&pieces, timestamp, signatures, finding);
            match is_right.then(|| self.is_body_right(view)) {
                Some(true) => return Ok(()),
                Some(false) => problem = Problem::BodyChanged,
                None => {}
            }
            bytes += pieces.iter().map(|piece| piece.len()).sum::<usize>();
            finding.urls.extend(url);
            if bytes > MAX_BYTES {
                break;
            }
        }
        Err(problem)
    }

    /// Whether one of the signatures is what one of the keys gives for these bytes.
    fn is_right(&self, pieces: &[&[u8]], timestamp: &[u8], signatures: &[Vec<u8>], finding: &mut Finding<'_>) -> bool {
        self.keys.iter().any(|key| {
            finding.tried += signatures.len() as u64;
            if self.scheme.algorithm.has_public_key() {
                return signatures.iter().any(|signature| Algorithm::is_of_sender(key, pieces, signature));
            }
            let Some(tag) = self.scheme.algorithm.tag(key, pieces) else { return false };
            if finding.expected.is_none() && self.scheme.algorithm != Algorithm::Token {
                finding.expected = Some(self.scheme.written(&tag, timestamp));
            }
            signatures.iter().any(|signature| tag.is(signature))
        })
    }

    /// Whether the body is the one whose SHA-256 is signed in its place; true where the body itself is signed.
    fn is_body_right(&self, view: View<'_>) -> bool {
        self.scheme.body_sha256.as_ref().is_none_or(|place| Scheme::is_body_named(place, view))
    }
}
