//! Candidates, as they stand in a provider's file, and the file of the one that was found.

use std::{collections::BTreeSet, fmt::Write as _};

use super::{
    super::{
        Request,
        place::{Place, View},
    },
    marks::{Mark, Moment, sounds_like_one, texts},
    tables::{Algorithm, PREFIXES},
};

/// A scheme as it stands in a file.
pub(super) struct Candidate<'a> {
    pub(super) name: &'a str,
    pub(super) scheme: String,
    pub(super) how: String,
}

/// All that may have been done by an algorithm to make the text of a mark.
pub(super) fn candidates<'a>(
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
pub(super) fn tokens<'a>(request: &'a Request<'a>) -> impl Iterator<Item = Candidate<'a>> {
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

/// The whole file: what marks the sender's requests and where its events stand, as far as one request shows it, and the scheme.
pub(super) fn file(name: &str, request: &Request<'_>, found: &Candidate<'_>, ids: &[String]) -> String {
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
pub(super) fn family(request: &Request<'_>, name: &str) -> Vec<String> {
    let Some(vendor) = vendor(name).filter(|_| request.headers.get(name).is_some()) else { return Vec::new() };
    let is_another = |other: &&str| !other.eq_ignore_ascii_case(name) && self::vendor(other).as_ref() == Some(&vendor);
    let texts = texts(request);
    let headers = texts.iter().filter(|(place, ..)| place.starts_with("header:")).map(|(_, name, _)| *name);
    std::iter::once(name).chain(headers.filter(is_another).take(1)).map(str::to_owned).collect()
}

/// Whose a header is by its name: `acme` of `X-Acme-Signature`.
pub(super) fn vendor(name: &str) -> Option<String> {
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
