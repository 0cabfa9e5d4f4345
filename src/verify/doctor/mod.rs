//! Finds out why a signature is not the one it should be: searches what would *reproduce* the received one, and says
//! what did. It proves or says that it could not; it never guesses.
//!
//! The classes of changes are rows: of secrets ([`SECRETS`], [`UNSET`]), of bodies ([`BODIES`], [`Style`]), of URLs, timestamps,
//! algorithms, contents, and of whose scheme it is. Each candidate is put through the same check as the request itself.

mod both;
mod rows;

use serde_json::Value;

use self::{
    both::{other_readings_and_bodies, other_secrets_and_bodies, other_secrets_and_styles},
    rows::{BODIES, CONTENTS, CUTS, FORMS, HASHED, MEND_BODY, PREFIXES, SECRETS, SIGNATURE_PREFIXES, UNSET},
};
use super::{
    Catalog, Provider, Request, Secret,
    check::{self, Attempt},
    content::Content,
    encoding::Encoding,
    key::{Form, SecretForm},
    mac::Algorithm,
    place::Place,
    rewrite,
    scheme::Scheme,
    shape::Shape,
    style::Style,
    transform,
};
use crate::record::{Headers, counted};

/// How long the doctor may look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Candidates that are tried at most.
    pub candidates: u64,
    /// Milliseconds after which no further candidate is begun.
    pub ms: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { candidates: 20_000, ms: 50 }
    }
}

/// Somebody else's secrets, which may have been taken by mistake.
#[derive(Clone, Copy, Debug)]
pub struct Suspect<'a> {
    /// The endpoint.
    pub endpoint: &'a str,
    /// Its secrets.
    pub secrets: &'a [Secret],
}

/// What the doctor found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// The class of the change that reproduces the received signature.
    pub by: Option<&'static str>,
    /// One or two sentences: the proof, and how to mend it.
    pub text: String,
    /// Candidates that were tried.
    pub tried: u64,
    /// Milliseconds that took.
    pub took_ms: u64,
    /// Where the signed body differs from the received one, for eyes.
    pub difference: Option<String>,
    /// How the search ended.
    pub search: Search,
    /// Whether the URL is signed too.
    pub signs_url: bool,
}

/// How a search ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// There is no more to search for.
    Found,
    /// Nothing reproduces it, and the check itself has proved what is wrong: the signature is the sender's, of something else.
    Proved,
    /// Everything was tried, and nothing reproduces it.
    Exhausted,
    /// The budget was used up.
    BrokenOff,
}

impl Diagnosis {
    /// The same for who knows that the secret is right, since it was for another request of the same sender: then it is not the
    /// secret that is another one.
    #[must_use]
    pub fn with_a_proven_secret(self) -> Self {
        let likely = if self.signs_url { OTHER_URL_OR_SENDER } else { OTHER_SENDER };
        let text = match self.search {
            Search::Found | Search::Proved => self.text,
            Search::Exhausted => not_reproduced(self.tried, likely),
            Search::BrokenOff => format!("{} {likely}", self.text),
        };
        Self { text, ..self }
    }
}

/// What is likely where nothing reproduces a signature.
const OTHER_SECRET: &str = "The secret is probably another one.";
const OTHER_URL: &str = "Probably its sender knows this endpoint by another URL, which is signed too: set that as its `url`. Else the secret is \
                         another one.";
/// The same where the secret was right for others. A sender may have several hooks, or a test mode, each with a secret of its own.
const OTHER_SENDER: &str = "The secret is right, as others that came here show: so something that is signed was changed on its way, or \
                            another hook of the sender signed it with a secret of its own (name that too, `secret` takes a list), or \
                            somebody else did.";
const OTHER_URL_OR_SENDER: &str = "The secret is right, as others that came here show: so its sender knows this endpoint by another URL, \
                                   which is signed too (set that as its `url`), or something that is signed was changed on its way, \
                                   or another hook of the sender signed it with a secret of its own (name that too, `secret` takes a \
                                   list), or somebody else did.";

/// The largest body that is read as JSON to be written in other styles, in bytes: reading it costs as much as a hundred
/// candidates.
const MAX_JSON: usize = 1 << 20;

/// What reproduced the signature.
struct Found {
    class: &'static str,
    /// Which signature is right, where it is not the one that was judged.
    which: Option<String>,
    /// What the received signature is a signature of.
    is: String,
    mend: String,
    /// The body that was signed, where it is another.
    body: Option<Vec<u8>>,
}

/// What is examined.
#[derive(Clone, Copy)]
struct Case<'a> {
    catalog: &'a Catalog,
    provider: &'a Provider,
    scheme: &'a Scheme,
    request: &'a Request<'a>,
    secrets: &'a [Secret],
    others: &'a [Suspect<'a>],
}

/// What was spent.
struct Meter<'a> {
    budget: Budget,
    clock: &'a dyn Fn() -> u64,
    tried: u64,
}

/// The budget is used up.
struct Over;

type Step = Result<Option<Found>, Over>;

/// The steps, likeliest first.
const STEPS: &[fn(&Case<'_>, &mut Meter<'_>) -> Step] = &[
    other_secrets,
    other_readings,
    other_bodies,
    parts_of_body,
    other_styles,
    other_urls,
    other_times,
    other_algorithms,
    other_spellings,
    other_headers,
    other_contents,
    other_hashes,
    other_providers,
    other_secrets_and_bodies,
    other_secrets_and_styles,
];

impl Catalog {
    /// Looks for what reproduces the signature of a request whose check failed. `clock` gives the milliseconds since it
    /// began; `others` are the secrets of other endpoints.
    pub fn diagnose(
        &self,
        provider: &Provider,
        request: &Request<'_>,
        secrets: &[Secret],
        others: &[Suspect<'_>],
        budget: Budget,
        clock: &dyn Fn() -> u64,
    ) -> Diagnosis {
        let case = Case { catalog: self, provider, scheme: provider.scheme(request), request, secrets, others };
        let mut meter = Meter { budget, clock, tried: 0 };
        let beside = |scheme: &&Scheme| scheme.is_beside(case.scheme) && scheme.applies(request);
        let is_right = |scheme| meter.is(&Attempt { scheme, ..case.attempt() }).unwrap_or_default();
        if provider.schemes().filter(beside).any(is_right) {
            let text = "The signature is right for this request as it came: there is nothing to explain.".to_owned();
            return Diagnosis {
                by: None,
                text,
                tried: meter.tried,
                took_ms: clock(),
                difference: None,
                search: Search::Found,
                signs_url: case.scheme.signs_url(),
            };
        }
        let found = match STEPS.iter().find_map(|step| step(&case, &mut meter).transpose()).transpose() {
            // These are many: where the budget ends in them, all that is likely was tried.
            Ok(None) => Ok(other_readings_and_bodies(&case, &mut meter).unwrap_or_default()),
            found => found,
        };
        let (tried, took_ms) = (meter.tried, clock());
        let proved = || provider.proved(request, secrets);
        let (by, text, difference, search) = match found {
            Ok(Some(found)) => {
                let difference = found.body.as_ref().map(|body| rewrite::difference(body, request.body));
                let which = found.which.as_deref().unwrap_or("The signature");
                let text = format!("{which} is right for {}. {}", found.is, found.mend);
                (Some(found.class), text, difference, Search::Found)
            }
            nothing => match (proved(), nothing) {
                (Some(proved), _) => {
                    let text = format!("{proved} None of {} is the one that was signed.", counted(tried, "candidate"));
                    (None, text, None, Search::Proved)
                }
                (None, Ok(_)) => (None, not_reproduced(tried, &likely(&case)), None, Search::Exhausted),
                (None, Err(Over)) => {
                    let hint = another_key(&case).map_or(String::new(), |hint| format!(" {hint}"));
                    (None, over(tried, took_ms, budget) + &hint, None, Search::BrokenOff)
                }
            },
        };
        Diagnosis { by, text, tried, took_ms, difference, search, signs_url: case.scheme.signs_url() }
    }
}

/// What is likely where nothing reproduces a signature.
fn likely(case: &Case<'_>) -> String {
    let unknown = if case.scheme.signs_url() { OTHER_URL } else { OTHER_SECRET };
    another_key(case).unwrap_or_else(|| unknown.to_owned())
}

/// That no secret is one of those that the provider signs with, where these are told by how they begin.
fn another_key(case: &Case<'_>) -> Option<String> {
    let begins = case.scheme.begins.as_deref()?;
    let title = &case.provider.title;
    let is_none = case.secrets.iter().all(|secret| !secret.bytes().starts_with(begins.as_bytes()));
    is_none.then(|| {
        format!(
            "{title}'s signing secrets begin with {begins}, and what is configured does not: it is another key of it."
        )
    })
}

fn not_reproduced(tried: u64, likely: &str) -> String {
    format!(
        "Nothing of {} reproduces the signature (other readings of the secret, other bodies, URLs, times, algorithms and \
         schemes). {likely}",
        counted(tried, "candidate")
    )
}

fn over(tried: u64, took_ms: u64, Budget { candidates, ms }: Budget) -> String {
    format!(
        "Nothing of the first {} reproduces the signature; the search ended after {took_ms} ms, since it may try {} in {ms} ms.",
        counted(tried, "candidate"),
        counted(candidates, "candidate")
    )
}

impl Meter<'_> {
    /// Tries one candidate.
    fn is(&mut self, attempt: &Attempt<'_>) -> Result<bool, Over> {
        if self.tried >= self.budget.candidates || (self.clock)() >= self.budget.ms {
            return Err(Over);
        }
        let (is_it, tried) = check::reproduces(attempt);
        self.tried += tried.max(1);
        Ok(is_it)
    }
}

impl<'a> Case<'a> {
    /// The request as it is.
    fn attempt(&self) -> Attempt<'a> {
        Attempt { scheme: self.scheme, request: *self.request, secrets: self.secrets, timestamp: None }
    }
}

fn found(class: &'static str, is: impl Into<String>, mend: impl Into<String>) -> Found {
    Found { class, which: None, is: is.into(), mend: mend.into(), body: None }
}

fn other_secrets(case: &Case<'_>, meter: &mut Meter<'_>) -> Step {
    for other in case.others {
        if meter.is(&Attempt { secrets: other.secrets, ..case.attempt() })? {
            let name = other.endpoint;
            return Ok(Some(found(
                "secret-of-other-endpoint",
                format!("the secret of endpoint `{name}`"),
                format!("Configure that one here, or let the sender send to the path of `{name}`."),
            )));
        }
    }
    Ok(None)
}

/// The secret in other words, and in other forms.
fn other_readings(case: &Case<'_>, meter: &mut Meter<'_>) -> Step {
    for secret in case.secrets.iter().filter(|secret| !secret.is_empty()) {
        for change in SECRETS {
            let Some(text) = (change.make)(secret.bytes()).and_then(|text| rewrite::other(text, secret.bytes())) else {
                continue;
            };
            if meter.is(&Attempt { secrets: &[Secret::new(text)], ..case.attempt() })? {
                return Ok(Some(found(change.class, change.is, change.mend)));
            }
        }
        if let Some(found) = other_prefixes(case, meter, secret)? {
            return Ok(Some(found));
        }
        if let Some(found) = other_forms(case, meter, secret)? {
            return Ok(Some(found));
        }
    }
    no_secret(case, meter)
}

/// What a sender signs with that has no secret.
fn no_secret(case: &Case<'_>, meter: &mut Meter<'_>) -> Step {
    for (text, is) in UNSET {
        if meter.is(&Attempt { secrets: &[Secret::new(*text)], ..case.attempt() })? {
            return Ok(Some(found(
                "secret-unset",
                *is,
                "The sender has no secret where it signs: set it there (a variable of its environment is missing, as a rule).",
            )));
        }
    }
    Ok(None)
}

/// With and without what stands before a secret, as the text it is or as base64.
fn other_prefixes(case: &Case<'_>, meter: &mut Meter<'_>, secret: &Secret) -> Step {
    if case.scheme.algorithm.has_public_key() {
        return Ok(None);
    }
    let own = &case.scheme.secret.prefix[..];
    for prefix in PREFIXES.iter().copied().chain((!own.is_empty()).then_some(own)) {
        let bare = secret.bytes().strip_prefix(prefix.as_bytes());
        let (text, words) = match bare {
            Some(bare) => (bare.to_vec(), "without"),
            None => ([prefix.as_bytes(), secret.bytes()].concat(), "with"),
        };
        for (form, reading) in &FORMS[..3] {
            let scheme = with_secret_form(case.scheme, *form);
            if meter.is(&Attempt { scheme: &scheme, secrets: &[Secret::new(text.clone())], ..case.attempt() })? {
                return Ok(Some(found(
                    "secret-prefix",
                    format!("the secret {words} its prefix {prefix}, {reading}"),
                    format!("{} uses it {}.", case.provider.title, described(case.scheme)),
                )));
            }
        }
    }
    Ok(None)
}

fn other_forms(case: &Case<'_>, meter: &mut Meter<'_>, secret: &Secret) -> Step {
    if case.scheme.algorithm.has_public_key() {
        return Ok(None);
    }
    for (form, reading) in FORMS {
        let scheme = with_secret_form(case.scheme, *form);
        if meter.is(&Attempt { scheme: &scheme, secrets: std::slice::from_ref(secret), ..case.attempt() })? {
            return Ok(Some(found(
                "secret-form",
                format!("the secret {reading}"),
                format!("{} uses it {}: the sender should too.", case.provider.title, described(case.scheme)),
            )));
        }
    }
    Ok(None)
}

fn with_secret_form(scheme: &Scheme, form: Form) -> Scheme {
    Scheme { secret: SecretForm { form, prefix: String::new(), private_prefix: None }, ..scheme.clone() }
}

fn described(scheme: &Scheme) -> String {
    format!("as {}", scheme.secret.described(scheme.algorithm))
}

fn other_bodies(case: &Case<'_>, meter: &mut Meter<'_>) -> Step {
    if !case.scheme.covers_body() {
        return Ok(None);
    }
    for change in BODIES {
        let body = (change.make)(case.request.body).and_then(|body| rewrite::other(body, case.request.body));
        let Some(body) = body else { continue };
        if let Some(found) = is_body(case, meter, change.class, change.is, body)? {
            return Ok(Some(found));
        }
    }
    // What a file holds behind the body that its head tells the length of.
    let declared = case.request.headers.text("content-length").and_then(|text| text.parse().ok());
    for cut in declared.into_iter().chain(CUTS.iter().copied()).filter(|&cut| cut < case.request.body.len()) {
        let body = case.request.body[..cut].to_vec();
        if let Some(found) =
            is_body(case, meter, "body-cut", &format!("the first {} of the body", counted(cut as u64, "byte")), body)?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// What a field of the JSON holds: what came was wrapped on its way, or only a part of it was signed.
fn parts_of_body(case: &Case<'_>, meter: &mut Meter<'_>) -> Step {
    if !case.scheme.covers_body() || case.request.body.len() > MAX_JSON {
        return Ok(None);
    }
    for (name, part) in rewrite::parts(case.request.body) {
        if let Some(found) = is_body(case, meter, "body-part", &format!("what stands in its field `{name}`"), part)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The body as JSON in the styles in which libraries write it.
fn other_styles(case: &Case<'_>, meter: &mut Meter<'_>) -> Step {
    if !case.scheme.covers_body() || case.request.body.len() > MAX_JSON {
        return Ok(None);
    }
    let Ok(json) = serde_json::from_slice::<Value>(case.request.body) else { return Ok(None) };
    for style in Style::all(&json) {
        let body = style.write(&json);
        if body == case.request.body {
            continue;
        }
        if let Some(found) = is_body(case, meter, style.class(), &style.described(), body)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn is_body(case: &Case<'_>, meter: &mut Meter<'_>, class: &'static str, is: &str, body: Vec<u8>) -> Step {
    let request = Request { body: &body, ..*case.request };
    if !meter.is(&Attempt { request, ..case.attempt() })? {
        return Ok(None);
    }
    Ok(Some(Found { body: Some(body), ..found(class, is, MEND_BODY) }))
}

/// Other URLs, where the scheme signs one.
fn other_urls(case: &Case<'_>, meter: &mut Meter<'_>) -> Step {
    if !case.scheme.signs_url() {
        return Ok(None);
    }
    for (url, is) in rewrite::urls(case.request) {
        let request = Request { url: Some(&url), ..*case.request };
        if meter.is(&Attempt { request, ..case.attempt() })? {
            let bare = transform::without_query(&url);
            let is_known = match case.request.url.map(transform::without_query) {
                Some(own) => own == bare,
                // Then it is taken from the request, query and all.
                None => is.contains("its query"),
            };
            let mend = if is_known {
                "Something between the sender and creel changes its query: let it through as it is sent.".to_owned()
            } else {
                format!("Set `url = \"{bare}\"` for this endpoint.")
            };
            return Ok(Some(found("url", format!("the URL {url} ({is})"), mend)));
        }
    }
    Ok(None)
}

/// The time in another unit, out of another header.
fn other_times(case: &Case<'_>, meter: &mut Meter<'_>) -> Step {
    if !case.scheme.content.has_timestamp() {
        return Ok(None);
    }
    for (text, is) in rewrite::times(case.request, case.scheme) {
        if meter.is(&Attempt { timestamp: Some(text.as_bytes()), ..case.attempt() })? {
            let place = case.scheme.clock.as_ref().map_or("", |clock| clock.place.title());
            return Ok(Some(found(
                "timestamp",
                format!("the timestamp `{text}` ({is})"),
                format!("Send that text in {place}, or sign the one that is sent there."),
            )));
        }
    }
    Ok(None)
}

/// Other hashes and other ways to write them, and the signature out of another header.
fn other_algorithms(case: &Case<'_>, meter: &mut Meter<'_>) -> Step {
    let scheme = case.scheme;
    if matches!(scheme.algorithm, Algorithm::Token | Algorithm::Jwt | Algorithm::JwsDetached | Algorithm::Remote) {
        return Ok(None);
    }
    let mend = format!(
        "{} writes {} of {} in {}: let the sender do so too.",
        case.provider.title,
        scheme.shape.described(),
        scheme.algorithm.name(),
        scheme.encoding.name()
    );
    // A public key is of its own algorithm and of no other.
    let keyed = Algorithm::keyed().filter(|_| !scheme.algorithm.has_public_key());
    let algorithms: Vec<_> = std::iter::once(scheme.algorithm).chain(keyed).collect();
    let spellings = spellings(&scheme.shape);
    let all = spellings.iter().flat_map(|spelling| algorithms.iter().map(move |algorithm| (spelling, *algorithm)));
    for ((shape, encoding), algorithm) in all {
        let other = Scheme { algorithm, encoding: *encoding, shape: shape.clone(), ..scheme.clone() };
        if meter.is(&Attempt { scheme: &other, ..case.attempt() })? {
            let (class, is) = if algorithm == scheme.algorithm {
                ("encoding", format!("these bytes, written in {} as {}", encoding.name(), shape.described()))
            } else {
                ("algorithm", format!("these bytes by {} in {}", algorithm.name(), encoding.name()))
            };
            return Ok(Some(found(class, is, mend)));
        }
    }
    Ok(None)
}

/// The ways to write a signature: each prefix, before what the scheme has and before nothing else, in each encoding.
fn spellings(own: &Shape) -> Vec<(Shape, Encoding)> {
    let prefixes = SIGNATURE_PREFIXES.iter().copied().chain([&own.prefix[..]]);
    let shapes = prefixes
        .flat_map(|prefix| [own.clone(), Shape::default()].map(|shape| Shape { prefix: prefix.to_owned(), ..shape }));
    shapes.flat_map(|shape| ENCODINGS.map(|encoding| (shape.clone(), encoding))).collect()
}

const ENCODINGS: [Encoding; 6] = [
    Encoding::Hex,
    Encoding::Base64,
    Encoding::Base64Unpadded,
    Encoding::Base64url,
    Encoding::Base64urlPadded,
    Encoding::HexInBase64,
];

/// The signature somewhere within what its header holds: in quotes, behind another word, as one of several.
fn other_spellings(case: &Case<'_>, meter: &mut Meter<'_>) -> Step {
    let scheme = case.scheme;
    if matches!(scheme.algorithm, Algorithm::Token | Algorithm::Jwt | Algorithm::JwsDetached | Algorithm::Remote)
        || scheme.shape.list.is_some()
    {
        return Ok(None);
    }
    let bare = Scheme { shape: Shape::default(), ..scheme.clone() };
    for (place, text) in scheme.received(case.request) {
        let Some(name) = place.header() else { continue };
        for (word, how) in rewrite::words_of(&text) {
            let mut headers: Headers = case.request.headers.iter().filter(|header| !header.is(name)).collect();
            headers.push(name, &word);
            let request = Request { headers: &headers, ..*case.request };
            for encoding in ENCODINGS {
                let other = Scheme { encoding, ..bare.clone() };
                if meter.is(&Attempt { scheme: &other, request, ..case.attempt() })? {
                    return Ok(Some(found(
                        "encoding",
                        format!("these bytes, written in {}, {how} of what {name} holds", encoding.name()),
                        format!(
                            "{} writes {} in {} there, and nothing else.",
                            case.provider.title,
                            scheme.shape.described(),
                            scheme.encoding.name()
                        ),
                    )));
                }
            }
        }
    }
    Ok(None)
}

/// The signature out of another header.
fn other_headers(case: &Case<'_>, meter: &mut Meter<'_>) -> Step {
    let scheme = case.scheme;
    if matches!(scheme.algorithm, Algorithm::Token | Algorithm::Jwt | Algorithm::Remote) {
        return Ok(None);
    }
    let is_own =
        |name: &str| scheme.places.iter().any(|it| it.header().is_some_and(|own| own.eq_ignore_ascii_case(name)));
    for header in case.request.headers {
        let name = header.name_text();
        if header.value.len() < SHORTEST_SIGNATURE || is_own(&name) {
            continue;
        }
        let Ok(place) = Place::parse(&format!("header:{name}")) else { continue };
        let other = Scheme { places: vec![place], ..scheme.clone() };
        if meter.is(&Attempt { scheme: &other, ..case.attempt() })? {
            let own = scheme.place_titles();
            return Ok(Some(found(
                "other-header",
                format!("this request, but it stands in {name}"),
                format!(
                    "{} writes it into {own}: let the sender do so too, and what stands between leave the name.",
                    case.provider.title
                ),
            )));
        }
    }
    Ok(None)
}

/// Letters that a signature has at least: 16 bytes in base64.
const SHORTEST_SIGNATURE: usize = 22;

/// Other templates, in the place of what the provider signs.
fn other_contents(case: &Case<'_>, meter: &mut Meter<'_>) -> Step {
    let scheme = case.scheme;
    if matches!(scheme.algorithm, Algorithm::Token | Algorithm::Jwt | Algorithm::JwsDetached) {
        return Ok(None);
    }
    let has_time = |content: &Content| !content.has_timestamp() || scheme.clock.is_some();
    let contents = CONTENTS.iter().filter(|text| **text != scheme.content.text());
    for content in contents.filter_map(|text| Content::parse(text).ok()).filter(has_time) {
        let mut other = scheme.clone();
        if other.algorithm.is_bare_hash() {
            let Ok(with_secret) = Content::parse(&format!("{{secret}}{}", content.text())) else { continue };
            other.content = with_secret;
        } else {
            other.content = content;
        }
        if meter.is(&Attempt { scheme: &other, ..case.attempt() })? {
            return Ok(Some(found(
                "content",
                format!("`{}`", other.content.text()),
                format!("{} signs `{}`: let the sender do so too.", case.provider.title, scheme.content.text()),
            )));
        }
    }
    Ok(None)
}

/// A hash in which the secret stands beside the body, or does not stand at all, and HMAC with both in each other's place.
fn other_hashes(case: &Case<'_>, meter: &mut Meter<'_>) -> Step {
    let scheme = case.scheme;
    if !Algorithm::keyed().any(|keyed| keyed == scheme.algorithm) {
        return Ok(None);
    }
    let mend = || format!("{} uses {} with the secret as its key.", case.provider.title, scheme.algorithm.name());
    for algorithm in Algorithm::bare() {
        for (text, is) in HASHED {
            let Ok(content) = Content::parse(text) else { continue };
            let other = Scheme { algorithm, content, ..scheme.clone() };
            if meter.is(&Attempt { scheme: &other, ..case.attempt() })? {
                return Ok(Some(found("algorithm", format!("a mere {} of {is}", algorithm.name()), mend())));
            }
        }
    }
    for secret in case.secrets.iter().filter(|_| scheme.covers_body()) {
        let request = Request { body: secret.bytes(), ..*case.request };
        if meter.is(&Attempt { request, secrets: &[Secret::new(case.request.body)], ..case.attempt() })? {
            let is = format!("{} with the body as its key and the secret as its text", scheme.algorithm.name());
            return Ok(Some(found("algorithm", is, mend())));
        }
    }
    Ok(None)
}

/// The schemes of others whose signatures the request holds.
fn other_providers(case: &Case<'_>, meter: &mut Meter<'_>) -> Step {
    for provider in case.catalog.iter().filter(|provider| provider.name != case.provider.name) {
        for scheme in provider.schemes().filter(|scheme| proves(scheme)) {
            if !scheme.applies(case.request) || !scheme.is_signed(case.request) || is_lesser_token(case.scheme, scheme)
            {
                continue;
            }
            if meter.is(&Attempt { scheme, ..case.attempt() })? {
                return Ok(Some(beside_own(case, provider, scheme).unwrap_or_else(|| {
                    found(
                        "other-provider",
                        format!("the scheme of {}", provider.title),
                        format!("Set `provider = \"{}\"` for this endpoint.", provider.name),
                    )
                })));
            }
        }
    }
    Ok(None)
}

/// What it says that another scheme's signature is right, where the provider's own came too, in a place of its own: secret and
/// body are the sender's, and to check the other one in its stead would be a step down, not a remedy.
fn beside_own(case: &Case<'_>, provider: &Provider, scheme: &Scheme) -> Option<Found> {
    let places = |scheme: &Scheme| {
        let received = scheme.received(case.request);
        received.iter().map(|(place, _)| place.title().to_owned()).collect::<Vec<_>>()
    };
    let (own, others) = (places(case.scheme), places(scheme));
    let (own_place, place) = own.first().zip(others.first())?;
    if others.iter().any(|other| own.iter().any(|own| own.eq_ignore_ascii_case(other))) {
        return None;
    }
    let is = format!("this request, by the scheme of {}", provider.title);
    let weaker = scheme.algorithm.is_outdated() && !case.scheme.algorithm.is_outdated();
    let warning = if weaker { format!(" Do not fall back on {}.", scheme.algorithm.name()) } else { String::new() };
    let mend = format!(
        "So secret and body are the sender's, and {own_place} was altered on its way or made by another rule: mend that one.\
         {warning}"
    );
    let which = format!("Not the signature in {own_place} but the one beside it, in {place},");
    Some(Found { which: Some(which), ..found("other-signature", is, mend) })
}

/// Whether a scheme takes a token at its word where the own one holds it against the body: it would let pass what the own one
/// found out.
fn is_lesser_token(own: &Scheme, other: &Scheme) -> bool {
    own.algorithm == Algorithm::Jwt && other.algorithm == Algorithm::Jwt && own.covers_body() && !other.covers_body()
}

/// Whether a scheme that fits is a proof: a token that is sent in a common header is not whose it is.
fn proves(scheme: &Scheme) -> bool {
    !matches!(scheme.algorithm, Algorithm::Token | Algorithm::Remote)
}
