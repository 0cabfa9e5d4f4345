//! Judges a request.

use std::borrow::Cow;

use super::{
    Provider, Request, Secret,
    content::{Filling, Missing},
    explain, form,
    jwt::{self, Token},
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
    /// A second secret is needed, which is this.
    SecondSecretMissing(String),
    /// The check would have to ask somebody on the network for this.
    Remote(String),
    /// The signature is not there.
    SignatureMissing,
    /// Something else that is signed is not there; its place.
    PartMissing(String),
    /// A part of the body is missing, and the signature covers it.
    Truncated,
    /// The body was written anew, and the signature covers the one that was sent.
    Rewritten,
    /// No signature is there, and that may be since only the body was kept of what was sent.
    NotKept,
    /// The signature cannot be read; why, in a sentence without its stop.
    Malformed(String),
    /// The timestamp cannot be read; why, in a sentence without its stop.
    BadTimestamp(String),
    /// No secret gives the signature.
    Mismatch,
    /// The signature is right, but it covers another body.
    BodyChanged,
    /// The token is right, but a claim of it does not say what it should: its name.
    ClaimWrong(String),
    /// The signature is right, and its timestamp is outside the tolerance.
    Stale,
    /// The token is right, and this many seconds past its end; negative before its beginning.
    OutOfTime(i64),
}

impl Problem {
    /// The problem as it is of a body that was written anew: what does not fit it says nothing of the one that was sent.
    fn of_rewritten(self, scheme: &Scheme, request: &Request<'_>) -> Self {
        match self {
            Self::Mismatch | Self::BodyChanged if request.rewritten && scheme.covers_body() => Self::Rewritten,
            Self::SignatureMissing if request.rewritten && has_no_head(request) => Self::NotKept,
            problem => problem,
        }
    }
}

/// Whether no header is there but the one that says what the body is.
fn has_no_head(request: &Request<'_>) -> bool {
    request.headers.iter().all(|header| header.is("content-type"))
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
    /// enough. `Unsigned` is only a question that bears no signature, and cannot: one without a body, or that hands over the secret.
    ///
    /// What the evidence shows is never a secret: where the secret itself is sent, it shows neither what came nor what
    /// was expected.
    pub fn judge(&self, request: &Request<'_>, secrets: &[Secret]) -> Judgement {
        let (scheme, mut finding) = self.best(request, secrets);
        finding.problem = finding.problem.map(|problem| problem.of_rewritten(scheme, request));
        if finding.received.is_none() && finding.problem.is_some() && self.asks_unsigned(request) {
            return Judgement::default();
        }
        self.report(scheme, secrets.len(), finding)
    }

    /// Which of the schemes [`Provider::judge`] tells about, from 0.
    pub fn scheme_judged(&self, request: &Request<'_>, secrets: &[Secret]) -> usize {
        let (best, _) = self.best(request, secrets);
        self.schemes().position(|scheme| std::ptr::eq(scheme, best)).unwrap_or_default()
    }

    /// The scheme that counts for a request and what it found; of several that read the same place, the one that came
    /// nearest to passing.
    fn best<'a>(&'a self, request: &Request<'_>, secrets: &[Secret]) -> (&'a Scheme, Finding<'a>) {
        let first = self.scheme(request);
        let mut best = (first, found(first, request, secrets));
        for scheme in self.schemes().filter(|scheme| !std::ptr::eq(*scheme, first)) {
            if best.1.problem.is_none() {
                break;
            }
            if !scheme.is_beside(first) || !scheme.applies(request) {
                continue;
            }
            let finding = found(scheme, request, secrets);
            if rank(finding.problem.as_ref()) > rank(best.1.problem.as_ref()) {
                best = (scheme, finding);
            }
        }
        best
    }

    /// What a check that failed has proved all the same: that the signature is the sender's, of another body or for another
    /// request.
    pub(super) fn proved(&self, request: &Request<'_>, secrets: &[Secret]) -> Option<String> {
        let (scheme, finding) = self.best(request, secrets);
        let is_proof = |problem: &&Problem| matches!(problem, Problem::BodyChanged | Problem::ClaimWrong(_));
        let problem = finding.problem.as_ref().filter(is_proof)?;
        Some(explain::text(self, scheme, secrets.len(), problem, &finding))
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
                difference: None,
            }),
            handshake: None,
            url: None,
        }
    }
}

/// What one scheme finds.
fn found<'a>(scheme: &'a Scheme, request: &Request<'_>, secrets: &[Secret]) -> Finding<'a> {
    let received = scheme.received(request);
    let unmade = |problem| Finding::of(scheme, request, received.first(), problem);
    match ready(scheme, request, secrets, received.is_empty()) {
        Err(problem) => unmade(problem),
        Ok(keys) => {
            let checked = received.iter().map(|text| checked(scheme, request, &keys, text, None));
            let best = checked.max_by_key(|finding| rank(finding.problem.as_ref()));
            best.unwrap_or_else(|| unmade(Problem::SignatureMissing))
        }
    }
}

/// Of several signatures the one that came nearest to passing is told about.
fn rank(problem: Option<&Problem>) -> u8 {
    match problem {
        None => 5,
        Some(Problem::Stale | Problem::OutOfTime(_)) => 4,
        Some(Problem::BodyChanged | Problem::ClaimWrong(_)) => 3,
        Some(Problem::Mismatch) => 2,
        Some(Problem::Malformed(_) | Problem::BadTimestamp(_)) => 1,
        Some(_) => 0,
    }
}

/// One thing that may have been signed, for the doctor.
#[derive(Clone, Copy)]
pub(super) struct Attempt<'a> {
    /// By whose rules.
    pub(super) scheme: &'a Scheme,
    /// The request.
    pub(super) request: Request<'a>,
    /// With which secrets.
    pub(super) secrets: &'a [Secret],
    /// With which timestamp, where not the one that was sent.
    pub(super) timestamp: Option<&'a [u8]>,
}

/// Whether an attempt gives the signature that was received, however old it is, and how many pairs of a key and a
/// signature that took.
pub(super) fn reproduces(attempt: &Attempt<'_>) -> (bool, u64) {
    let Attempt { scheme, request, secrets, timestamp } = attempt;
    let received = scheme.received(request);
    let Ok(keys) = ready(scheme, request, secrets, received.is_empty()) else { return (false, 0) };
    let mut tried = 0;
    let is_it = received.iter().any(|text| {
        let finding = checked(scheme, request, &keys, text, *timestamp);
        tried += finding.tried;
        matches!(finding.problem, None | Some(Problem::Stale | Problem::OutOfTime(_)))
    });
    (is_it, tried)
}

/// A key, and the secret it was made of.
struct Held<'a> {
    key: Key,
    /// What stands in the content where that holds the secret.
    secrets: Vec<&'a [u8]>,
}

/// The keys, if there is everything that a check needs.
fn ready<'s>(
    scheme: &Scheme,
    request: &Request<'_>,
    secrets: &'s [Secret],
    unsigned: bool,
) -> Result<Vec<Held<'s>>, Problem> {
    if let Some(needs) = &scheme.needs {
        return Err(if unsigned { Problem::SignatureMissing } else { Problem::Remote(needs.clone()) });
    }
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
    keys: &[Held<'_>],
    received: &(&'a Place, Cow<'_, [u8]>),
    timestamp: Option<&[u8]>,
) -> Finding<'a> {
    let mut finding = Finding::of(scheme, request, Some(received), Problem::Mismatch);
    let sent = Sent { shape: &scheme.shape, text: &received.1 };
    finding.problem = Check { scheme, request, place: received.0, sent, keys, timestamp }.run(&mut finding).err();
    finding
}

fn keys<'s>(scheme: &Scheme, secrets: &'s [Secret]) -> Result<Vec<Held<'s>>, Problem> {
    let mut keys = Vec::with_capacity(secrets.len());
    let (mut wrong, mut others) = (None, Vec::new());
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        match scheme.secret.key(secret, scheme.algorithm) {
            Ok(key) => keys.push(Held { key, secrets: vec![secret.bytes()] }),
            Err(why) => {
                others.push(secret.bytes());
                wrong = wrong.or(Some(why));
            }
        }
    }
    if let Some(beside) = &scheme.beside {
        if others.is_empty() && !keys.is_empty() {
            return Err(Problem::SecondSecretMissing(beside.clone()));
        }
        keys.iter_mut().for_each(|held| held.secrets.clone_from(&others));
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
    keys: &'a [Held<'a>],
    /// The timestamp, where not the one that was sent.
    timestamp: Option<&'a [u8]>,
}

impl Check<'_> {
    fn run(&self, finding: &mut Finding<'_>) -> Result<(), Problem> {
        if self.scheme.algorithm == Algorithm::Jwt {
            self.token(finding)?;
            return self.in_time(finding);
        }
        let timestamp = match (self.timestamp, &self.scheme.clock) {
            (Some(text), _) => Ok(Some(Cow::Borrowed(text))),
            (None, clock) => clock.as_ref().map(|clock| self.timestamp(clock)).transpose(),
        };
        // A time that is signed in the body is looked at only where the body is the one that was signed.
        let (timestamp, unreadable) = match timestamp {
            Ok(text) => (text.unwrap_or_default(), None),
            Err(problem) if self.scheme.content.has_timestamp() => return Err(problem),
            Err(problem) => (Cow::default(), Some(problem)),
        };
        if self.scheme.algorithm == Algorithm::JwsDetached && !jwt::is_detached(self.sent.bare()) {
            return Err(Problem::Malformed(format!("{} holds no detached JWS", self.place.title())));
        }
        let signatures = self.sent.signatures(self.scheme.algorithm, self.scheme.encoding);
        let signatures = signatures.map_err(|why| Problem::Malformed(format!("{} {why}", self.place.title())))?;
        self.search(&timestamp, &signatures, finding)?;
        unreadable.map_or_else(|| self.in_time(finding), Err)
    }

    fn in_time(&self, finding: &Finding<'_>) -> Result<(), Problem> {
        let tolerance = self.scheme.clock.as_ref().and_then(|clock| clock.tolerance);
        match (tolerance, finding.age_s) {
            (Some(tolerance), Some(age)) if !tolerance.allows(age) => Err(Problem::Stale),
            _ => Ok(()),
        }
    }

    /// Checks a token: who made it, what it says, when it ends.
    fn token(&self, finding: &mut Finding<'_>) -> Result<(), Problem> {
        let malformed = |why: &str| Problem::Malformed(format!("{} {why}", self.place.title()));
        let token = Token::parse(self.sent.bare()).map_err(malformed)?;
        if !token.is_known() {
            return Err(malformed(&format!("names the algorithm {}, which is none to trust", token.algorithm)));
        }
        finding.tried = self.keys.len() as u64;
        if !self.keys.iter().any(|held| token.is_of(&held.key)) {
            return Err(Problem::Mismatch);
        }
        let mut problem = None;
        for url in self.scheme.urls(self.request) {
            problem = self.wrong_claim(&token, url.as_deref())?;
            finding.urls.extend(url);
            if problem.is_none() {
                break;
            }
        }
        match (problem, token.out_of_time(self.request.received_at.unix_s())) {
            (Some(problem), _) => Err(problem),
            (None, 0) => Ok(()),
            (None, seconds) => Err(Problem::OutOfTime(seconds)),
        }
    }

    /// The first claim that does not say what it should. One about the body may be left out where there is no body.
    fn wrong_claim(&self, token: &Token<'_>, url: Option<&str>) -> Result<Option<Problem>, Problem> {
        let view = View { url, sent: Some(self.sent), ..View::of(self.request) };
        for (name, content) in &self.scheme.claims {
            let pieces =
                content.pieces(view, Filling::default()).map_err(|Missing(part)| Problem::PartMissing(part))?;
            let is_right = match token.claim(name) {
                Some(claim) => claim.as_bytes() == pieces.concat(),
                None => content.has_body() && self.request.body.is_empty(),
            };
            if !is_right {
                let wrong = if content.has_body() { Problem::BodyChanged } else { Problem::ClaimWrong(name.clone()) };
                return Ok(Some(wrong));
            }
        }
        Ok(None)
    }

    /// The timestamp's text. One that nobody looks at may be anything, since it is signed as it stands.
    fn timestamp(&self, clock: &Clock) -> Result<Cow<'_, [u8]>, Problem> {
        let title = clock.place.title();
        let found = clock.place.find(View { sent: Some(self.sent), ..View::of(self.request) });
        match (found, clock.place.pair()) {
            (None, Some(key)) => Err(Problem::BadTimestamp(format!("{} has no timestamp {key}", self.place.title()))),
            (None, None) if clock.place.is_in_signature() => {
                Err(Problem::BadTimestamp(format!("{} has no timestamp", self.place.title())))
            }
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
        let content = &self.scheme.content;
        let sorted_form = content.has_form().then(|| form::sorted(self.request.body));
        for url in self.scheme.urls(self.request) {
            let sorted_form = sorted_form.as_deref();
            let view = View { request: self.request, url: url.as_deref(), sent: Some(self.sent), sorted_form };
            let pieces = |secret| {
                let filling = Filling { timestamp, secret, ..Filling::default() };
                content.pieces(view, filling).map_err(|Missing(part)| Problem::PartMissing(part))
            };
            let shared = if content.has_secret() { None } else { Some(pieces(&[])?) };
            let mut is_right = false;
            for (held, secret) in self.keys.iter().flat_map(|held| held.secrets.iter().map(move |s| (held, *s))) {
                let own = if shared.is_none() { Some(pieces(secret)?) } else { None };
                let Some(pieces) = shared.as_ref().or(own.as_ref()) else { continue };
                let pieces: Vec<&[u8]> = pieces.iter().map(|piece| &**piece).collect();
                bytes += pieces.iter().map(|piece| piece.len()).sum::<usize>();
                is_right = self.is_right(&held.key, &pieces, timestamp, signatures, finding);
                if is_right {
                    break;
                }
            }
            match is_right.then(|| self.is_body_right(view)) {
                Some(true) => return Ok(()),
                Some(false) => problem = Problem::BodyChanged,
                None => {}
            }
            finding.urls.extend(url);
            if bytes > MAX_BYTES {
                break;
            }
        }
        Err(problem)
    }

    /// Whether one of the signatures is what that key gives for these bytes.
    fn is_right(
        &self,
        key: &Key,
        pieces: &[&[u8]],
        timestamp: &[u8],
        signatures: &[Vec<u8>],
        finding: &mut Finding<'_>,
    ) -> bool {
        let algorithm = self.scheme.algorithm;
        finding.tried += signatures.len() as u64;
        if algorithm == Algorithm::JwsDetached {
            return jwt::is_detached_of(key, self.sent.bare(), pieces);
        }
        if algorithm.has_public_key() {
            return signatures.iter().any(|signature| algorithm.is_of_sender(key, pieces, signature));
        }
        let Some(tag) = algorithm.tag(key, pieces) else { return false };
        if finding.expected.is_none() && algorithm != Algorithm::Token {
            finding.expected = Some(self.scheme.written(&tag, timestamp));
        }
        signatures.iter().any(|signature| tag.is(signature))
    }

    /// Whether the body is the one whose SHA-256 is signed in its place; true where the body itself is signed.
    fn is_body_right(&self, view: View<'_>) -> bool {
        self.scheme.body_sha256.as_ref().is_none_or(|place| Scheme::is_body_named(place, view))
    }
}
