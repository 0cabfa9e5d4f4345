//! Finds out how a sender signs whom no file describes: one request and the secret are enough.
//!
//! What is tried are provider files. Each candidate is written as one, read like any other, and judges the request; so
//! what is found is proved by the request before anybody sees it, and can be kept as it stands. What senders do to sign
//! stands in the tables here: [`ALGORITHMS`] by the length of what they make, [`CONTENTS`] and [`HASHED`] what is signed.
//! A signature in a body, a token that is a JWT and a key that signs whole heads (RFC 9421) are not looked for.
//!
//! A secret goes into no candidate and no answer; nor does a part of one.

use std::{collections::BTreeSet, fmt::Write as _, ops::RangeInclusive};

use super::{
    Provider, Request, Secret,
    encoding::Encoding,
    place::{Place, View},
    time::Unit,
};
use crate::record::Verdict;

/// Texts in which a signature may stand that are looked at, the likeliest first.
const MAX_MARKS: usize = 24;
/// Moments, and ids, of a request that may be signed beside its body.
const MAX_BESIDE: usize = 6;
/// When a search ends: each of the two is about a second.
const BUDGET: Budget = Budget { tried: 30_000, bytes: 1 << 30 };
/// What a sender is called whose headers are anybody's.
const NAMELESS: &str = "sender";
/// Characters of a header that may hold a signature.
const MAX_TEXT: usize = 4_096;

/// An algorithm: its name in a file, how many bytes it makes, and the forms in which a secret for it is handed out.
struct Algorithm {
    name: &'static str,
    bytes: RangeInclusive<usize>,
    forms: &'static [&'static str],
    contents: &'static [&'static str],
}

const SHARED: &[&str] = &["text", "base64", "hex"];
const ALGORITHMS: &[Algorithm] = &[
    Algorithm { name: "hmac-sha256", bytes: 32..=32, forms: SHARED, contents: CONTENTS },
    Algorithm { name: "hmac-sha1", bytes: 20..=20, forms: SHARED, contents: CONTENTS },
    Algorithm { name: "hmac-sha512", bytes: 64..=64, forms: SHARED, contents: CONTENTS },
    Algorithm { name: "hmac-sha384", bytes: 48..=48, forms: SHARED, contents: CONTENTS },
    Algorithm { name: "hmac-md5", bytes: 16..=16, forms: SHARED, contents: CONTENTS },
    Algorithm { name: "ed25519", bytes: 64..=64, forms: &["hex", "base64", "pem"], contents: CONTENTS },
    Algorithm { name: "rsa-sha256", bytes: 128..=512, forms: &["pem"], contents: CONTENTS },
    Algorithm { name: "rsa-sha1", bytes: 128..=512, forms: &["pem"], contents: CONTENTS },
    Algorithm { name: "ecdsa-p256-sha256", bytes: 68..=72, forms: &["pem", "base64"], contents: CONTENTS },
    Algorithm { name: "sha256", bytes: 32..=32, forms: &["text"], contents: HASHED },
    Algorithm { name: "sha1", bytes: 20..=20, forms: &["text"], contents: HASHED },
    Algorithm { name: "sha512", bytes: 64..=64, forms: &["text"], contents: HASHED },
    Algorithm { name: "md5", bytes: 16..=16, forms: &["text"], contents: HASHED },
];

/// What stands before a secret and is no part of it.
const PREFIXES: &[&str] = &["", "whsec_", "whpk_"];

/// What is signed, the likeliest first: `TIME` is each moment that stands in the request, `ID` each id.
const CONTENTS: &[&str] = &[
    "{body}",
    "TIME.{body}",
    "TIME:{body}",
    "TIME{body}",
    "v0:TIME:{body}",
    "v1:TIME:{body}",
    "{body}.TIME",
    "{body}TIME",
    "{body}:TIME",
    "TIME|{body}",
    "TIME\n{body}",
    "TIME,{body}",
    "ID.TIME.{body}",
    "ID.{body}",
    "ID:TIME:{body}",
    "IDTIME{body}",
    "TIME.ID.{body}",
    "TIMEID{body}",
    "TIME:ID:{body}",
    "{url}{body}",
    "{url}.{body}",
    "{url}:{body}",
    "{body}{url}",
    "{method}{url}{body}",
    "{method}{url}{body}TIME",
    "TIME{method}{url}{body}",
    "TIME.{url}.{body}",
    "TIME{url}{body}",
    "{method}{target}{body}",
    "TIME{method}{target}{body}",
    "TIME.{method}.{target}.{body}",
    "TIME{target}{body}",
    "{method}\n{target}\n{body}",
    "{method}\n{target}\nTIME\n{body}",
    "{target}{body}",
    "{path}{body}",
    "{url}{sorted-form}",
    "{body-sha256}",
    "TIME.{body-sha256}",
    "TIME{body-sha256}",
    "{url}",
    "TIME.{url}",
    "TIME",
    "ID",
    "ID.TIME",
    "IDTIME",
];

/// What a plain hash is made of.
const HASHED: &[&str] = &[
    "{body}{secret}",
    "{secret}{body}",
    "{body}.{secret}",
    "{secret}.{body}",
    "{secret}:{body}",
    "{body}:{secret}",
    "TIME{body}{secret}",
    "{secret}TIME{body}",
    "TIME{secret}{body}",
    "{body}TIME{secret}",
    "TIME.{body}.{secret}",
    "{secret}{method}{url}{body}",
    "TIME{secret}",
    "{secret}TIME",
    "ID{secret}",
    "IDTIME{secret}",
];

/// What was found out of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Learned {
    /// What the sender is called: as was wished, or as a header's name tells.
    pub name: String,
    /// The provider's file, by which the request passes.
    pub file: String,
    /// Where the signature stands.
    pub place: String,
    /// How it is made, for eyes.
    pub how: String,
    /// Whether its headers tell the sender; else an endpoint must name it.
    pub is_told: bool,
    /// Candidates that were tried, this one with them.
    pub tried: u64,
}

/// What was tried in vain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unlearned {
    /// Where something stands that may be a signature, the likeliest first.
    pub places: Vec<String>,
    /// Candidates that were tried.
    pub tried: u64,
    /// Whether some were left out, since the body is large or much may be a signature.
    pub is_cut: bool,
}

/// What a search may cost.
#[derive(Clone, Copy)]
struct Budget {
    /// Candidates that are tried.
    tried: u64,
    /// Bytes that go through an algorithm.
    bytes: usize,
}

/// A text that may be a signature.
struct Mark {
    place: String,
    /// The header's or the field's name.
    name: String,
    prefix: String,
    /// What separates items, what separates an item's key from its value, and the key.
    list: Option<(char, char, String)>,
    encoding: Encoding,
    bytes: usize,
    /// The items of the same list, by key.
    items: Vec<(String, String)>,
}

/// A moment that stands in a request: where, and how it is written.
#[derive(Clone)]
struct Moment {
    place: String,
    unit: &'static str,
}

/// Searches for a provider's file by which a request passes, with one of these secrets. `name` is what the file calls
/// the sender, if somebody says so.
pub fn learn(name: Option<&str>, request: &Request<'_>, secrets: &[Secret]) -> Result<Learned, Unlearned> {
    learn_within(BUDGET, name, request, secrets)
}

fn learn_within(
    budget: Budget,
    name: Option<&str>,
    request: &Request<'_>,
    secrets: &[Secret],
) -> Result<Learned, Unlearned> {
    let marks = marks(request);
    let ids = ids(request);
    let mut places: Vec<String> = Vec::new();
    for name in marks.iter().map(|mark| &mark.name) {
        if !places.contains(name) {
            places.push(name.clone());
        }
    }
    let mut search = Search { budget, request, secrets, tried: 0, bytes: 0 };
    let learned = |found: Candidate<'_>, search: &Search<'_>| {
        let name = name.map(str::to_owned).or_else(|| vendor(found.name)).unwrap_or_else(|| NAMELESS.to_owned());
        let file = file(&name, request, &found, &ids);
        let is_told = !family(request, found.name).is_empty();
        Learned { name, file, place: found.name.to_owned(), how: found.how, is_told, tried: search.tried }
    };
    for mark in &marks {
        let moments = moments(request, mark);
        for algorithm in ALGORITHMS.iter().filter(|algorithm| algorithm.bytes.contains(&mark.bytes)) {
            for candidate in candidates(mark, algorithm, &moments, &ids) {
                if search.is_over() {
                    return Err(Unlearned { places, tried: search.tried, is_cut: true });
                }
                if search.fits(&candidate.scheme) {
                    return Ok(learned(candidate, &search));
                }
            }
        }
    }
    for candidate in tokens(request) {
        if search.fits(&candidate.scheme) {
            return Ok(learned(candidate, &search));
        }
    }
    Err(Unlearned { places, tried: search.tried, is_cut: false })
}

struct Search<'a> {
    budget: Budget,
    request: &'a Request<'a>,
    secrets: &'a [Secret],
    tried: u64,
    bytes: usize,
}

impl Search<'_> {
    fn is_over(&self) -> bool {
        self.bytes > self.budget.bytes || self.tried >= self.budget.tried
    }

    /// Whether the request passes by that scheme.
    fn fits(&mut self, scheme: &str) -> bool {
        let text = format!("title = \"\"\ndocs = \"\"\nconfidence = \"low\"\n{scheme}");
        let Ok(provider) = Provider::parse("learned", &text) else { return false };
        self.tried += 1;
        self.bytes += (self.request.body.len() + 1) * self.secrets.len();
        provider.judge(self.request, self.secrets).verdict == Verdict::Passed
    }
}

/// A scheme as it stands in a file.
struct Candidate<'a> {
    name: &'a str,
    scheme: String,
    how: String,
}

/// All that may have been done by an algorithm to make the text of a mark.
fn candidates<'a>(
    mark: &'a Mark,
    algorithm: &'a Algorithm,
    moments: &'a [Moment],
    ids: &'a [String],
) -> impl Iterator<Item = Candidate<'a>> {
    let contents = algorithm.contents.iter().flat_map(|template| filled(template, moments, ids));
    contents.flat_map(move |(content, moment)| {
        let prefixes = algorithm.forms.iter().flat_map(|form| PREFIXES.iter().map(move |prefix| (*form, *prefix)));
        prefixes.map(move |(form, prefix)| Candidate {
            name: &mark.name,
            scheme: scheme(mark, algorithm.name, &content, moment, form, prefix),
            how: format!("{} of {} in {}", algorithm.name, content.replace('\n', "\\n"), mark.encoding.name()),
        })
    })
}

/// A template with each moment and each id of the request in it that it has room for.
fn filled<'a>(template: &str, moments: &'a [Moment], ids: &[String]) -> Vec<(String, Option<&'a Moment>)> {
    let with_ids: Vec<String> = if template.contains("ID") {
        ids.iter().map(|id| template.replace("ID", &format!("{{header:{id}}}"))).collect()
    } else {
        vec![template.to_owned()]
    };
    let with_moments = |text: String| {
        if text.contains("TIME") {
            moments.iter().map(|moment| (text.replace("TIME", "{timestamp}"), Some(moment))).collect()
        } else {
            vec![(text, None)]
        }
    };
    with_ids.into_iter().flat_map(with_moments).collect()
}

/// A `[[scheme]]`.
fn scheme(
    mark: &Mark,
    algorithm: &str,
    content: &str,
    moment: Option<&Moment>,
    form: &str,
    secret_prefix: &str,
) -> String {
    let list = mark.list.as_ref().map_or(String::new(), |(split, pair, key)| {
        format!(", split = {}, pair = {}, key = {}", quoted(&split.to_string()), quoted(&pair.to_string()), quoted(key))
    });
    let prefix = part("prefix", &mark.prefix);
    let secret_prefix = part("prefix", secret_prefix);
    let mut text = format!(
        "\n[[scheme]]\nsignature = {{ in = [{}]{prefix}{list} }}\nalgorithm = \"{algorithm}\"\nencoding = \"{}\"\n\
         secret = {{ form = \"{form}\"{secret_prefix} }}\ncontent = {}\n",
        quoted(&mark.place),
        mark.encoding.name(),
        quoted(content),
    );
    if let Some(Moment { place, unit }) = moment {
        let _ = writeln!(text, "timestamp = {{ in = {}, unit = \"{unit}\" }}", quoted(place));
    }
    text
}

fn part(key: &str, value: &str) -> String {
    if value.is_empty() { String::new() } else { format!(", {key} = {}", quoted(value)) }
}

/// A string of TOML.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Headers that hand over the secret itself, bare or after a word.
fn tokens<'a>(request: &'a Request<'a>) -> impl Iterator<Item = Candidate<'a>> {
    let of = |(place, name, value): (String, &'a str, &'a str)| {
        let word = value.split_once(' ').map_or("", |(word, _)| &value[..=word.len()]);
        let prefixes: BTreeSet<&str> = ["", word].into();
        prefixes.into_iter().map(move |prefix| Candidate {
            name,
            scheme: format!(
                "\n[[scheme]]\nsignature = {{ in = [{}]{} }}\nalgorithm = \"token\"\nencoding = \"text\"\n\
                 secret = {{ form = \"text\" }}\n",
                quoted(&place),
                part("prefix", prefix),
            ),
            how: format!("the secret itself in {name}"),
        })
    };
    texts(request).into_iter().flat_map(of)
}

/// Headers and fields of the query: place, name and value of each that is a text.
fn texts<'a>(request: &'a Request<'a>) -> Vec<(String, &'a str, &'a str)> {
    /// What every request has.
    const COMMON: &[&str] =
        &["host", "user-agent", "accept", "accept-encoding", "content-type", "content-length", "connection", "cookie"];
    let is_of_interest = |name: &str| !COMMON.iter().any(|common| name.eq_ignore_ascii_case(common));
    let headers = request.headers.iter().filter_map(|header| {
        let (name, value) = (std::str::from_utf8(header.name).ok()?, std::str::from_utf8(header.value).ok()?);
        is_of_interest(name).then(|| (format!("header:{name}"), name, value))
    });
    let target = std::str::from_utf8(request.target).unwrap_or_default();
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let fields = query.split('&').filter_map(|field| field.split_once('='));
    let fields = fields.map(|(name, value)| (format!("query:{name}"), name, value));
    headers.chain(fields).filter(|(_, _, value)| !value.is_empty() && value.len() <= MAX_TEXT).collect()
}

/// The texts that may be a signature, the likeliest first.
fn marks(request: &Request<'_>) -> Vec<Mark> {
    let mut marks: Vec<Mark> =
        texts(request).into_iter().flat_map(|(place, name, value)| marks_in(&place, name, value)).collect();
    marks.sort_by_key(|mark| !sounds_like_one(&mark.name));
    marks.truncate(MAX_MARKS);
    marks
}

/// Whether a header's name says that it holds a signature.
pub fn sounds_like_one(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["sign", "hmac", "hash", "digest", "sha256", "x-hub"].iter().any(|word| name.contains(word))
}

/// The marks in a text: of each reading that can be decoded to as many bytes as an algorithm makes.
fn marks_in(place: &str, name: &str, value: &str) -> Vec<Mark> {
    let is_made = |bytes: usize| ALGORITHMS.iter().any(|algorithm| algorithm.bytes.contains(&bytes));
    let encodings = [Encoding::Hex, Encoding::Base64, Encoding::Base64url];
    let mark = |reading: &Reading<'_>, encoding: Encoding| {
        let bytes = encoding.read(reading.text.as_bytes())?.len();
        is_made(bytes).then(|| Mark {
            place: place.to_owned(),
            name: name.to_owned(),
            prefix: reading.prefix.to_owned(),
            list: reading.list.map(|(split, pair, key)| (split, pair, key.to_owned())),
            encoding,
            bytes,
            items: reading.items.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect(),
        })
    };
    let readings = readings(value);
    readings.iter().flat_map(|reading| encodings.into_iter().filter_map(|it| mark(reading, it))).collect()
}

/// A way to find a signature in a text.
struct Reading<'a> {
    prefix: &'a str,
    list: Option<(char, char, &'a str)>,
    text: &'a str,
    items: Vec<(&'a str, &'a str)>,
}

/// How a text may hold a signature: alone, after a prefix, or as an item of a list.
fn readings(value: &str) -> Vec<Reading<'_>> {
    let alone = |prefix, text| Reading { prefix, list: None, text, items: Vec::new() };
    let ends = ['=', ':', ' ', ','].into_iter().filter_map(|end| value.find(end));
    let prefixed = ends.map(|at| alone(&value[..=at], &value[at + 1..]));
    let pairs = ['=', ':', ','];
    let lists = [',', ';', ' ', '&'].into_iter().flat_map(|split| pairs.map(|pair| (split, pair)));
    let listed = lists.filter(|(split, pair)| split != pair).flat_map(|(split, pair)| {
        let parts = value.split(split).map(|item| item.trim().split_once(pair));
        let items = parts.collect::<Option<Vec<_>>>().filter(|items| items.len() > 1).unwrap_or_default();
        let reading = |&(key, text)| Reading { prefix: "", list: Some((split, pair, key)), text, items: items.clone() };
        items.iter().map(reading).collect::<Vec<_>>()
    });
    std::iter::once(alone("", value)).chain(prefixed).chain(listed).collect()
}

/// The moments that may be signed: those beside the signature first.
fn moments(request: &Request<'_>, mark: &Mark) -> Vec<Moment> {
    let beside = mark.items.iter().filter_map(|(key, text)| moment(format!("pair:{key}"), text));
    let others = texts(request).into_iter().filter_map(|(place, _, value)| moment(place, value));
    beside.chain(others).take(MAX_BESIDE).collect()
}

fn moment(place: String, text: &str) -> Option<Moment> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let is_written = |unit: Unit| unit.read(text.as_bytes()).is_some();
    let unit = match text.len() {
        10 if is_number => "s",
        13 if is_number => "ms",
        _ if is_number => return None,
        _ if is_written(Unit::Rfc3339) => "rfc3339",
        _ if is_written(Unit::HttpDate) => "http-date",
        _ => return None,
    };
    Some(Moment { place, unit })
}

/// The headers that may hold an id.
fn ids(request: &Request<'_>) -> Vec<String> {
    let is_id = |name: &str| {
        let name = name.to_ascii_lowercase();
        name.split('-').any(|word| matches!(word, "id" | "uuid" | "nonce" | "delivery")) || name.ends_with("id")
    };
    let headers = texts(request).into_iter().filter(|(place, name, _)| place.starts_with("header:") && is_id(name));
    headers.map(|(_, name, _)| name.to_owned()).take(MAX_BESIDE).collect()
}

/// The whole file: what marks the sender's requests and where its events stand, as far as one request shows it, and the scheme.
fn file(name: &str, request: &Request<'_>, found: &Candidate<'_>, ids: &[String]) -> String {
    let marks: Vec<String> = family(request, found.name).into_iter().map(|name| quoted(&name)).collect();
    let detect =
        if marks.is_empty() { String::new() } else { format!("\n[[detect]]\nwith = [{}]\n", marks.join(", ")) };
    let ids = ids.iter().map(|id| format!("header:{id}"));
    let id =
        first_there(request, ids.chain(["json:id", "json:event_id", "json:eventId", "json:uuid"].map(str::to_owned)));
    let kinds = texts(request).into_iter().filter(|(place, name, _)| place.starts_with("header:") && is_kind(name));
    let kinds = kinds.map(|(place, ..)| place).collect::<Vec<_>>().into_iter();
    let in_body = ["json:type", "json:event", "json:event_type", "json:eventType", "json:topic", "json:action"];
    let kind = first_there(request, kinds.chain(in_body.map(str::to_owned)));
    let event: String = [("id", id), ("type", kind)]
        .into_iter()
        .filter_map(|(key, place)| Some(format!("{key} = [{}]\n", quoted(&place?))))
        .collect();
    let event = if event.is_empty() { event } else { format!("\n[event]\n{event}") };
    format!("title = {}\ndocs = \"\"\nconfidence = \"low\"\n{detect}{event}{}", quoted(name), found.scheme)
}

/// Whether a header's name says that it holds the type of an event.
fn is_kind(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    !sounds_like_one(&name)
        && name.split('-').next_back().is_some_and(|word| matches!(word, "event" | "topic" | "type" | "kind"))
}

fn first_there(request: &Request<'_>, mut places: impl Iterator<Item = String>) -> Option<String> {
    places.find(|text| {
        let found = Place::parse(text).ok().and_then(|place| place.find(View::of(request)).map(|it| it.len()));
        found.is_some_and(|length| (1..=200).contains(&length))
    })
}

/// The headers of whoever a header's name tells of, that one first: by two of them the sender is known. None where the name
/// is anybody's.
fn family(request: &Request<'_>, name: &str) -> Vec<String> {
    let Some(vendor) = vendor(name).filter(|_| request.headers.get(name).is_some()) else { return Vec::new() };
    let is_another = |other: &&str| !other.eq_ignore_ascii_case(name) && self::vendor(other).as_ref() == Some(&vendor);
    let texts = texts(request);
    let headers = texts.iter().filter(|(place, ..)| place.starts_with("header:")).map(|(_, name, _)| *name);
    std::iter::once(name).chain(headers.filter(is_another).take(1)).map(str::to_owned).collect()
}

/// Whose a header is by its name: `acme` of `X-Acme-Signature`.
fn vendor(name: &str) -> Option<String> {
    /// Words that are nobody's.
    const ANYBODYS: &[&str] = &[
        "x",
        "webhook",
        "webhooks",
        "hook",
        "request",
        "event",
        "message",
        "payload",
        "body",
        "content",
        "timestamp",
        "date",
        "id",
        "authorization",
        "auth",
        "api",
        "key",
        "token",
        "custom",
        "http",
        "header",
        "delivery",
        "secret",
    ];
    let mut words = name.split(['-', '_']).map(str::to_ascii_lowercase);
    let is_name = |word: &String| {
        !word.is_empty()
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && !word.bytes().all(|byte| byte.is_ascii_digit())
            && !ANYBODYS.contains(&word.as_str())
            && !sounds_like_one(word)
    };
    words.find(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        record::{Headers, Timestamp},
        verify::Catalog,
    };

    /// A request by its headers, and what is found out of it.
    fn found(headers: &[(&str, &str)], body: &[u8], secret: &str) -> Result<Learned, Unlearned> {
        let headers: Headers = headers.iter().copied().collect();
        learn(None, &request(&headers, body), &[Secret::new(secret)])
    }

    fn request<'a>(headers: &'a Headers, body: &'a [u8]) -> Request<'a> {
        Request {
            method: "POST",
            url: None,
            target: b"/hook",
            headers,
            body,
            truncated: false,
            rewritten: false,
            received_at: Timestamp::from_unix_s(1_763_978_700),
        }
    }

    #[test]
    fn most_of_the_catalog_is_found_out_from_one_request_of_each() {
        let (mut all, mut learned_of) = (BTreeSet::new(), BTreeSet::new());
        for provider in Catalog::builtin().unwrap().iter() {
            for example in provider.examples() {
                let (request, secrets) = (example.request(), example.secrets());
                if provider.judge(&request, &secrets).verdict != Verdict::Passed {
                    continue;
                }
                all.insert(provider.name());
                let Ok(learned) = learn(None, &request, &secrets) else { continue };
                learned_of.insert(provider.name());
                let file = Provider::parse(&learned.name, &learned.file).unwrap();
                let judgement = file.judge(&request, &secrets);
                assert_eq!(judgement.verdict, Verdict::Passed, "{}", learned.file);
                assert!(file.rules.is_empty() || file.has_marks(&request), "{}", learned.file);
                for secret in &secrets {
                    let secret = String::from_utf8_lossy(secret.bytes()).into_owned();
                    assert!(!learned.file.contains(&secret), "{}", learned.file);
                }
                if judgement.covers_body == Some(true) && !request.body.is_empty() {
                    let changed = [b"x", request.body].concat();
                    let tampered = Request { body: &changed, ..request };
                    assert_eq!(file.judge(&tampered, &secrets).verdict, Verdict::Failed, "{}", learned.file);
                }
            }
        }
        assert!(learned_of.len() * 10 >= all.len() * 7, "{} of {}: {learned_of:?}", learned_of.len(), all.len());
        for name in ["github", "stripe", "slack", "shopify", "svix", "discord", "zoom", "square", "twilio", "telegram"]
        {
            assert!(learned_of.contains(name), "{name}");
        }
    }

    #[test]
    fn a_file_tells_the_sender_and_its_events_as_far_as_a_request_shows_them() {
        const MODEL: &str = r#"
title = ""
docs = ""
confidence = "low"
[[scheme]]
signature = { in = ["header:X-Acme-Signature"], split = ";", pair = ":", key = "sig" }
algorithm = "hmac-sha512"
encoding = "base64"
content = "{body}.{timestamp}"
timestamp = { in = "pair:at", unit = "ms" }
"#;
        let body = br#"{"id":"evt_1","type":"fish.caught"}"#;
        let headers: Headers = [("X-Acme-Event", "fish.caught")].into_iter().collect();
        let model = Provider::parse("model", MODEL).unwrap();
        let signed = model.sign(&request(&headers, body), &[Secret::new("s3cr3t")], "").unwrap();
        let (name, value) = &signed.headers[0];
        let learned = found(&[("X-Acme-Event", "fish.caught"), (name, value)], body, "s3cr3t").unwrap();
        assert_eq!(
            learned.file,
            r#"title = "acme"
docs = ""
confidence = "low"

[[detect]]
with = ["X-Acme-Signature", "X-Acme-Event"]

[event]
id = ["json:id"]
type = ["header:X-Acme-Event"]

[[scheme]]
signature = { in = ["header:X-Acme-Signature"], split = ";", pair = ":", key = "sig" }
algorithm = "hmac-sha512"
encoding = "base64"
secret = { form = "text" }
content = "{body}.{timestamp}"
timestamp = { in = "pair:at", unit = "ms" }
"#
        );
        assert_eq!((&*learned.name, &*learned.place), ("acme", "X-Acme-Signature"));
        assert_eq!(learned.how, "hmac-sha512 of {body}.{timestamp} in base64");
    }

    #[test]
    fn where_nothing_fits_it_is_said_what_was_looked_at() {
        let hex = "0a".repeat(32);
        let sent = [("X-Trace", hex.as_str()), ("X-Acme-Signature", hex.as_str()), ("Accept", "*/*")];
        let unlearned = found(&sent, b"{}", "s3cr3t").unwrap_err();
        assert_eq!(unlearned.places, ["X-Acme-Signature", "X-Trace"]);
        assert!(unlearned.tried > 100 && !unlearned.is_cut);
        assert_eq!(found(&[("Accept", "*/*")], b"{}", "s3cr3t").unwrap_err().places, Vec::<String>::new());
    }

    #[test]
    fn what_a_sender_writes_stays_a_text_of_the_file_and_its_amount_is_bounded() {
        let hex = "0a".repeat(32);
        let many: Vec<(String, String)> =
            (0..200).map(|at| (format!("X-Sign-{at}-Id"), format!("\u{1b}[2J\"\\\n\"\"\"={hex}"))).collect();
        let many: Vec<_> = many.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let headers: Headers = many.iter().copied().collect();
        let secrets = [Secret::new("s3cr3t")];
        let unlearned =
            learn_within(Budget { tried: 500, ..BUDGET }, None, &request(&headers, b"{}"), &secrets).unwrap_err();
        assert!(unlearned.places.len() <= MAX_MARKS && unlearned.is_cut, "{unlearned:?}");
        assert_eq!(unlearned.tried, 500, "each could be read");
    }

    #[test]
    fn a_large_body_ends_the_search_before_it_takes_long() {
        let headers: Headers = [("X-Signature", "0a".repeat(32))].into_iter().collect();
        let budget = Budget { bytes: 1_000, ..BUDGET };
        let secrets = [Secret::new("s3cr3t")];
        let unlearned = learn_within(budget, None, &request(&headers, &[b' '; 300]), &secrets).unwrap_err();
        assert!(unlearned.is_cut && unlearned.tried == 4, "{unlearned:?}");
    }
}
