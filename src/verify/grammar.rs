//! What a provider's file may say. An unknown word, or a value that cannot be, is an error with its line and column.

use serde::Deserialize;
use toml::Spanned;

use super::{
    algorithm::Algorithm,
    place::Place,
    provider::{Example, Mark, Provider, Scheme, Stamp, StampPlace},
    secret::{Coding, Form},
    signature::{Encoding, List, Shape},
    template::Template,
};
use crate::record::Failure;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// The provider's name for people.
    title: String,
    /// The provider's own page about its signatures.
    docs: String,
    /// How sure the facts are: `high` where read in the provider's own page, library or source.
    confidence: Confidence,
    detect: Detect,
    #[serde(default)]
    event: EventPlaces,
    scheme: Vec<SchemeRow>,
    example: Vec<Example>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Confidence {
    High,
    Medium,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Detect {
    /// Headers that are all there: `NAME`, or `NAME: BEGINNING OF ITS VALUE`.
    headers: Vec<String>,
    /// Headers of which none is there, written likewise.
    #[serde(default)]
    without: Vec<String>,
}

/// Where the event is named; the first place that has something counts.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct EventPlaces {
    #[serde(default)]
    id: Vec<Spanned<String>>,
    #[serde(default, rename = "type")]
    kind: Vec<Spanned<String>>,
    #[serde(default)]
    time: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemeRow {
    algorithm: Algorithm,
    /// The header of the signature.
    header: String,
    encoding: Encoding,
    /// What stands before the signature.
    #[serde(default)]
    prefix: String,
    /// Where the header is a list of pairs.
    list: Option<List>,
    secret: SecretRow,
    /// What is signed; none for tokens.
    content: Option<Spanned<String>>,
    timestamp: Option<Spanned<StampRow>>,
    /// The scheme is meant only where the query has this field.
    when_query: Option<String>,
    /// The query's field that has the hexadecimal SHA-256 of the body, where the URL is signed and the body is not.
    body_hash_query: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretRow {
    coding: Coding,
    prefix: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StampRow {
    header: Option<String>,
    /// The key in the signature's list of pairs.
    pair: Option<String>,
    /// How far it may lie in the past, in seconds; none where the provider names no limit.
    tolerance_s: Option<i64>,
    /// Whether the same holds for the future.
    #[serde(default)]
    future: bool,
}

/// Compiles a provider's file.
pub(super) fn parse(name: &str, text: &str) -> Result<Provider, Failure> {
    let at = |start: usize, why: &str| {
        let before = &text[..start.min(text.len())];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Failure::new(format!("reading the provider `{name}` at {line}:{column}"), why)
    };
    let file: File = toml::from_str(text)
        .map_err(|error| at(error.span().map_or(0, |span| span.start), error.message().trim_end()))?;
    let places = |rows: Vec<Spanned<String>>| {
        rows.iter()
            .map(|row| Place::parse(row.get_ref()).map_err(|why| at(row.span().start, &why)))
            .collect::<Result<Vec<_>, _>>()
    };
    if file.example.is_empty() || file.scheme.is_empty() {
        return Err(at(0, "a provider has at least one scheme, and one example that proves it"));
    }
    Ok(Provider {
        name: name.to_owned(),
        title: file.title,
        docs: file.docs,
        confidence: match file.confidence {
            Confidence::High => "high",
            Confidence::Medium => "medium",
        },
        marks: file.detect.headers.iter().map(|text| mark(text)).collect(),
        without: file.detect.without.iter().map(|text| mark(text)).collect(),
        event_id: places(file.event.id)?,
        event_type: places(file.event.kind)?,
        event_time: places(file.event.time)?,
        schemes: file.scheme.into_iter().map(|row| scheme(row, &at)).collect::<Result<_, _>>()?,
        examples: file.example,
    })
}

fn mark(text: &str) -> Mark {
    let (name, start) = text.split_once(": ").unwrap_or((text, ""));
    Mark { name: name.to_owned(), start: start.to_owned() }
}

fn scheme(row: SchemeRow, at: &dyn Fn(usize, &str) -> Failure) -> Result<Scheme, Failure> {
    let content = match &row.content {
        Some(text) => Some(Template::parse(text.get_ref()).map_err(|why| at(text.span().start, &why))?),
        None => None,
    };
    if content.is_none() != (row.algorithm == Algorithm::Token) {
        return Err(at(0, "a scheme signs a content, unless it sends a token"));
    }
    let stamp = match row.timestamp {
        Some(stamp) => {
            let start = stamp.span().start;
            Some(stamp_of(stamp.into_inner(), row.list.as_ref(), &|why: &str| at(start, why))?)
        }
        None => None,
    };
    Ok(Scheme {
        algorithm: row.algorithm,
        header: row.header,
        shape: Shape { list: row.list, prefix: row.prefix, encoding: row.encoding },
        form: Form { prefix: row.secret.prefix, coding: row.secret.coding },
        content,
        stamp,
        when_query: row.when_query,
        body_hash_query: row.body_hash_query,
    })
}

fn stamp_of(row: StampRow, list: Option<&List>, fail: &dyn Fn(&str) -> Failure) -> Result<Stamp, Failure> {
    let place = match (row.header, row.pair) {
        (Some(header), None) => StampPlace::Header(header),
        (None, Some(pair)) if list.is_some() => StampPlace::Pair(pair),
        (None, Some(_)) => return Err(fail("a `pair` needs a signature with a `list`")),
        _ => return Err(fail("a timestamp stands in a `header` or in a `pair`")),
    };
    Ok(Stamp { place, tolerance_s: row.tolerance_s, future: row.future })
}
