//! A provider, and the engine that runs its schemes.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Request, Secret,
    algorithm::{Algorithm, sha256},
    compare, explain, grammar,
    place::Place,
    secret::Form,
    signature::Shape,
    template::{self, Candidate, Template},
};
use crate::record::{Event, Evidence, Explanation, Failure, Fault, Judgement, Timestamp, Verdict, text};

/// A sender whose signatures creel knows.
#[derive(Debug)]
pub struct Provider {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) docs: String,
    pub(super) confidence: &'static str,
    pub(super) marks: Vec<Mark>,
    pub(super) without: Vec<Mark>,
    pub(super) event_id: Vec<Place>,
    pub(super) event_type: Vec<Place>,
    pub(super) event_time: Vec<Place>,
    pub(super) schemes: Vec<Scheme>,
    pub(super) examples: Vec<Example>,
}

/// A header by which a provider is known: its name, and how its value begins.
#[derive(Debug)]
pub(super) struct Mark {
    pub(super) name: String,
    pub(super) start: String,
}

/// One way in which a provider signs.
#[derive(Debug)]
pub(super) struct Scheme {
    pub(super) algorithm: Algorithm,
    pub(super) header: String,
    pub(super) shape: Shape,
    pub(super) form: Form,
    pub(super) content: Option<Template>,
    pub(super) stamp: Option<Stamp>,
    pub(super) when_query: Option<String>,
    pub(super) body_hash_query: Option<String>,
}

/// A scheme's timestamp, in Unix seconds.
#[derive(Debug)]
pub(super) struct Stamp {
    pub(super) place: StampPlace,
    pub(super) tolerance_s: Option<i64>,
    pub(super) future: bool,
}

#[derive(Debug)]
pub(super) enum StampPlace {
    Header(String),
    Pair(String),
}

/// A delivery that proves a provider's file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// The method.
    pub method: String,
    /// The URL as the sender knows it.
    pub url: String,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
    /// A secret that looks like none: it is published here.
    pub secret: String,
    /// When it is judged, in Unix seconds.
    pub now: i64,
    /// The event's id, as found in it.
    pub event_id: Option<String>,
    /// The event's type, as found in it.
    pub event_type: Option<String>,
}

/// What went wrong with a check.
struct Problem(Verdict, Fault, Option<Explanation>);

impl Provider {
    /// Reads a provider's file.
    pub fn parse(name: &str, text: &str) -> Result<Self, Failure> {
        grammar::parse(name, text)
    }

    /// The name in settings, filters and JSON.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name for people.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The deliveries that prove the file.
    pub fn examples(&self) -> &[Example] {
        &self.examples
    }

    /// How many headers say that a request is this provider's; none where one is missing.
    pub(super) fn recognises(&self, request: &Request<'_>) -> Option<usize> {
        let has = |mark: &Mark| {
            let mut values = request.headers.get_all(&mark.name);
            values.any(|value| value.starts_with(mark.start.as_bytes()))
        };
        (self.marks.iter().all(has) && !self.without.iter().any(has)).then_some(self.marks.len())
    }

    /// The provider's event.
    pub fn event(&self, request: &Request<'_>) -> Event {
        let first = |places: &[Place]| places.iter().find_map(|place| place.find(request));
        Event {
            id: first(&self.event_id),
            kind: first(&self.event_type),
            created_at: first(&self.event_time).and_then(|text| moment(&text)),
        }
    }

    /// Judges a request's signature with the secrets, any of which may be the right one.
    pub fn judge(&self, request: &Request<'_>, secrets: &[Secret]) -> Judgement {
        let scheme = self.scheme(request);
        let mut judgement = Judgement { covers_body: Some(scheme.covers_body()), ..Judgement::default() };
        match scheme.check(self, request, secrets, &mut judgement) {
            Ok(()) => judgement.verdict = Verdict::Passed,
            Err(Problem(verdict, fault, explanation)) => {
                (judgement.verdict, judgement.fault, judgement.explanation) = (verdict, Some(fault), explanation);
            }
        }
        judgement
    }

    /// The scheme that a request means: the first whose condition holds and whose header is there, else the first.
    fn scheme(&self, request: &Request<'_>) -> &Scheme {
        let meant = |s: &&Scheme| s.when_query.as_ref().is_none_or(|field| request.query(field).is_some());
        let mut candidates = self.schemes.iter().filter(meant);
        let first = candidates.clone().next().unwrap_or(&self.schemes[0]);
        candidates.find(|scheme| request.headers.get(&scheme.header).is_some()).unwrap_or(first)
    }

    /// The headers with which this provider would send a request: signature, timestamp, and what else is signed. The
    /// timestamp is the request's moment; `id` stands where a signed header is not given.
    pub fn sign(&self, request: &Request<'_>, secret: &Secret, id: &str) -> Result<Vec<(String, String)>, Failure> {
        let doing = || format!("signing for {}", self.name);
        let scheme = self.scheme(request);
        let key = scheme
            .form
            .key(secret)
            .map_err(|why| Failure::new(doing(), format!("the secret cannot be used: {why}")))?;
        let mut headers = request.headers.clone();
        let mut added = Vec::new();
        let signed = scheme.content.iter().flat_map(Template::headers);
        for name in signed.filter(|name| headers.get(name).is_none()).map(str::to_owned).collect::<Vec<_>>() {
            headers.push(name.clone(), id.to_owned());
            added.push((name, id.to_owned()));
        }
        let stamp = request.received_at.unix_s().to_string();
        let request = Request { headers: &headers, ..*request };
        let signature = scheme.signature(&request, &key, &stamp).ok_or_else(|| {
            Failure::new(doing(), "only the sender has the key that signs")
                .hint("a private key can sign, a public one cannot")
        })?;
        let mut value = scheme.shape.write(&signature);
        match scheme.stamp.as_ref().map(|stamp| &stamp.place) {
            Some(StampPlace::Header(name)) => added.push((name.clone(), stamp)),
            Some(StampPlace::Pair(key)) => {
                let (pair, separator) =
                    scheme.shape.list.as_ref().map_or(('=', ','), |list| (list.pair, list.separator));
                value = format!("{key}{pair}{stamp}{separator}{value}");
            }
            None => {}
        }
        added.push((scheme.header.clone(), value));
        Ok(added)
    }

    /// What the file says, for `creel providers NAME`.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = vec![
            ("name", self.name.clone()),
            ("title", self.title.clone()),
            ("documentation", self.docs.clone()),
            ("confidence", self.confidence.to_owned()),
        ];
        for scheme in &self.schemes {
            facts.extend(scheme.facts());
        }
        for (name, places) in
            [("event id", &self.event_id), ("event type", &self.event_type), ("event time", &self.event_time)]
        {
            if !places.is_empty() {
                facts.push((name, places.iter().map(ToString::to_string).collect::<Vec<_>>().join(", else ")));
            }
        }
        facts
    }

    /// What the file says, in JSON.
    pub fn json(&self) -> Value {
        let places = |places: &[Place]| places.iter().map(ToString::to_string).collect::<Vec<_>>();
        json!({
            "name": self.name, "title": self.title, "docs": self.docs, "confidence": self.confidence,
            "schemes": self.schemes.iter().map(Scheme::json).collect::<Vec<_>>(),
            "event": {"id": places(&self.event_id), "type": places(&self.event_type), "time": places(&self.event_time)},
        })
    }
}

impl Scheme {
    fn covers_body(&self) -> bool {
        self.body_hash_query.is_some() || self.content.as_ref().is_some_and(Template::has_body)
    }

    /// What a signature looks like.
    pub(super) fn form_of_signature(&self) -> String {
        let value = self.shape.list.as_ref().map_or_else(
            || format!("{}SIGNATURE", self.shape.prefix),
            |list| format!("{}{}SIGNATURE", list.key, list.pair),
        );
        let value = match self.stamp.as_ref().map(|stamp| &stamp.place) {
            Some(StampPlace::Pair(key)) => {
                let (pair, separator) = self.shape.list.as_ref().map_or(('=', ','), |list| (list.pair, list.separator));
                format!("{key}{pair}TIMESTAMP{separator}{value}")
            }
            _ => value,
        };
        format!("{}: {value}", self.header)
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = vec![
            ("signature", self.form_of_signature()),
            ("algorithm", format!("{}, {}", self.algorithm.words(), self.shape.encoding.words())),
            ("signed", self.content.as_ref().map_or_else(|| "nothing".to_owned(), |content| content.text().to_owned())),
            (
                "covers body",
                if self.covers_body() { "yes" } else { "no: whoever has the token can send any body" }.to_owned(),
            ),
            ("secret", self.form.words()),
        ];
        if let Some(stamp) = &self.stamp {
            let sides = if stamp.future { "past and future" } else { "past" };
            let window = stamp.tolerance_s.map_or_else(|| "no limit named".to_owned(), |s| format!("{s} s, {sides}"));
            facts.push(("timestamp", format!("in {}, {window}", self.stamp_place(stamp))));
        }
        facts
    }

    fn json(&self) -> Value {
        json!({
            "header": self.header, "form": self.form_of_signature(), "algorithm": self.algorithm.words(),
            "encoding": self.shape.encoding.words(), "content": self.content.as_ref().map(Template::text),
            "covers_body": self.covers_body(), "secret": self.form.words(),
            "timestamp": self.stamp.as_ref().map(|stamp| json!({
                "place": self.stamp_place(stamp), "tolerance_s": stamp.tolerance_s, "future": stamp.future,
            })),
        })
    }

    fn stamp_place(&self, stamp: &Stamp) -> String {
        match &stamp.place {
            StampPlace::Header(name) => name.clone(),
            StampPlace::Pair(key) => format!("`{key}` of {}", self.header),
        }
    }

    /// The check, step by step; what is learnt on the way goes into the judgement, whatever comes of it.
    fn check(
        &self,
        provider: &Provider,
        request: &Request<'_>,
        secrets: &[Secret],
        judgement: &mut Judgement,
    ) -> Result<(), Problem> {
        let failed = |fault, explanation| Problem(Verdict::Failed, fault, explanation);
        let unchecked = |fault, explanation| Problem(Verdict::Unchecked, fault, explanation);
        judgement.evidence = Some(self.evidence(request));
        let missing = || failed(Fault::HeaderMissing, explain::header_missing(provider, self));
        let value = request.headers.get(&self.header).map(text::lossless).ok_or_else(missing)?;
        let signatures = self.shape.signatures(&value, self.algorithm.signature_bytes());
        let stamp = self.stamp_text(provider, request, &value)?;
        judgement.age_s = stamp.map(|stamp| request.received_at.unix_s().saturating_sub(stamp));
        if signatures.is_empty() {
            return Err(failed(Fault::Malformed, explain::malformed(self)));
        }
        if secrets.is_empty() {
            return Err(unchecked(Fault::SecretMissing, explain::no_secret(provider)));
        }
        if request.truncated && self.covers_body() {
            return Err(unchecked(Fault::Unsupported, explain::cut_body()));
        }
        let keys =
            self.keys(secrets).map_err(|why| unchecked(Fault::Unsupported, explain::unusable_secret(self, why)))?;
        let stamp_text = self.raw_stamp(request, &value).unwrap_or_default();
        let (right, tried) = self.search(request, &keys, &signatures, &stamp_text, judgement);
        if !right {
            return Err(failed(Fault::Mismatch, explain::mismatch(self, tried, keys.len())));
        }
        self.check_body_hash(request).map_err(|field| failed(Fault::Mismatch, explain::body_changed(field, tried)))?;
        match (self.stamp.as_ref().and_then(|stamp| stamp.outside(judgement.age_s)), judgement.age_s) {
            (Some(tolerance), Some(age)) => Err(failed(Fault::Stale, explain::stale(age, tolerance, tried))),
            _ => Ok(()),
        }
    }

    /// What is known before anything is computed. A token is the secret itself: only its length is told.
    fn evidence(&self, request: &Request<'_>) -> Evidence {
        let received = request.headers.get(&self.header).map(|value| match self.algorithm {
            Algorithm::Token => format!("a token of {} bytes", value.len()),
            _ => Evidence::shown(value),
        });
        let content =
            self.content.as_ref().map_or_else(|| "nothing: the token is compared".to_owned(), |c| c.text().to_owned());
        Evidence { place: self.header.clone(), received, expected: None, content }
    }

    /// The timestamp in Unix seconds, where the scheme has one.
    fn stamp_text(&self, provider: &Provider, request: &Request<'_>, value: &str) -> Result<Option<i64>, Problem> {
        let Some(stamp) = &self.stamp else { return Ok(None) };
        let place = self.stamp_place(stamp);
        let Some(text) = self.raw_stamp(request, value) else {
            let (fault, why) = match stamp.place {
                StampPlace::Header(_) => (Fault::HeaderMissing, explain::stamp_missing(provider, &place)),
                StampPlace::Pair(_) => (Fault::Malformed, explain::malformed(self)),
            };
            return Err(Problem(Verdict::Failed, fault, why));
        };
        let malformed = || Problem(Verdict::Failed, Fault::Malformed, explain::stamp_malformed(&place));
        text.trim().parse().map(Some).map_err(|_| malformed())
    }

    /// The timestamp's text as sent.
    fn raw_stamp(&self, request: &Request<'_>, value: &str) -> Option<String> {
        match &self.stamp.as_ref()?.place {
            StampPlace::Header(name) => request.headers.get(name).map(|value| text::lossless(value).into_owned()),
            StampPlace::Pair(key) => self.shape.list.as_ref()?.values(value, key).next().map(str::to_owned),
        }
    }

    /// The keys of the secrets that can be this scheme's; why none can, where none can.
    fn keys(&self, secrets: &[Secret]) -> Result<Vec<Vec<u8>>, &'static str> {
        let mut why = "";
        let mut keys = Vec::with_capacity(secrets.len());
        for secret in secrets {
            match self.form.key(secret).and_then(|key| self.algorithm.takes(&key).map(|()| key)) {
                Ok(key) => keys.push(key),
                Err(reason) => why = reason,
            }
        }
        if keys.is_empty() { Err(why) } else { Ok(keys) }
    }

    /// Tries every key with every content the scheme may mean, until one gives a signature that came.
    fn search(
        &self,
        request: &Request<'_>,
        keys: &[Vec<u8>],
        signatures: &[Vec<u8>],
        timestamp: &str,
        judgement: &mut Judgement,
    ) -> (bool, u64) {
        let mut tried = 0;
        let form = if self.content.as_ref().is_some_and(Template::has_form) {
            template::form_pairs(request)
        } else {
            Vec::new()
        };
        let urls =
            if self.content.as_ref().is_some_and(Template::has_url) { request.urls() } else { vec![String::new()] };
        for key in keys {
            for url in &urls {
                let candidate = Candidate { timestamp, url, form: &form };
                tried += signatures.len() as u64;
                if self.matches(request, key, candidate, signatures, judgement) {
                    return (true, tried);
                }
            }
        }
        (false, tried)
    }

    fn matches(
        &self,
        request: &Request<'_>,
        key: &[u8],
        candidate: Candidate<'_>,
        signatures: &[Vec<u8>],
        judgement: &mut Judgement,
    ) -> bool {
        if !self.algorithm.is_symmetric() {
            let content = self.content_bytes(request, candidate);
            return signatures.iter().any(|signature| self.algorithm.public_key_verifies(key, &content, signature));
        }
        let Some(code) = self.code(request, key, candidate) else { return false };
        let right = signatures.iter().fold(false, |right, signature| compare::same(&code, signature) | right);
        // What is shown as expected is what the first secret gives, or what was right.
        if let Some(evidence) =
            judgement.evidence.as_mut().filter(|e| self.content.is_some() && (right || e.expected.is_none()))
        {
            evidence.expected = Some(self.shape.write(&code));
        }
        right
    }

    fn code(&self, request: &Request<'_>, key: &[u8], candidate: Candidate<'_>) -> Option<Vec<u8>> {
        let feed =
            |to: &mut dyn FnMut(&[u8])| self.content.iter().for_each(|content| content.feed(request, candidate, to));
        self.algorithm.code(key, &feed)
    }

    fn content_bytes(&self, request: &Request<'_>, candidate: Candidate<'_>) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(request.body.len() + 128);
        self.content
            .iter()
            .for_each(|content| content.feed(request, candidate, &mut |part| bytes.extend_from_slice(part)));
        bytes
    }

    /// Whether the body is the one whose hash the URL carries; else the field's name.
    fn check_body_hash(&self, request: &Request<'_>) -> Result<(), &str> {
        let Some(field) = &self.body_hash_query else { return Ok(()) };
        let hash = request.query(field).and_then(|text| hex::decode(text).ok()).unwrap_or_default();
        if compare::same(&sha256(request.body), &hash) { Ok(()) } else { Err(field) }
    }

    /// The signature of a request; none where the key cannot make one.
    fn signature(&self, request: &Request<'_>, key: &[u8], timestamp: &str) -> Option<Vec<u8>> {
        let form = template::form_pairs(request);
        let url = request.urls().into_iter().next().unwrap_or_default();
        let candidate = Candidate { timestamp, url: &url, form: &form };
        if self.algorithm.is_symmetric() {
            self.code(request, key, candidate)
        } else {
            self.algorithm.sign_with_private_key(key, &self.content_bytes(request, candidate))
        }
    }
}

impl Stamp {
    /// The tolerance that an age is outside of.
    fn outside(&self, age_s: Option<i64>) -> Option<i64> {
        let (tolerance, age) = (self.tolerance_s?, age_s?);
        (age > tolerance || (self.future && age < -tolerance)).then_some(tolerance)
    }
}

/// A moment as providers write it: RFC 3339, or Unix seconds or milliseconds.
fn moment(text: &str) -> Option<Timestamp> {
    /// Seconds of this many are past the year 5000: such a number counts milliseconds.
    const SECONDS_END: i64 = 100_000_000_000;
    match text.parse::<i64>() {
        Ok(number) if number.abs() >= SECONDS_END => Some(Timestamp::from_unix_ms(number)),
        Ok(number) => Some(Timestamp::from_unix_s(number)),
        Err(_) => Timestamp::from_rfc3339(text),
    }
}
