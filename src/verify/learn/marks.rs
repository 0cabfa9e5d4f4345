//! What of a request may be a signature, a moment or an id that is signed with the body.

use super::{
    super::{Request, encoding::Encoding, time::Unit},
    tables::ALGORITHMS,
};

/// Texts in which a signature may stand that are looked at, the likeliest first.
pub(super) const MAX_MARKS: usize = 24;

/// Moments, and ids, of a request that may be signed beside its body.
const MAX_BESIDE: usize = 6;

/// Characters of a header that may hold a signature.
const MAX_TEXT: usize = 4_096;

/// A text that may be a signature.
pub(super) struct Mark {
    pub(super) place: String,
    /// The header's or the field's name.
    pub(super) name: String,
    pub(super) prefix: String,
    /// What separates items, what separates an item's key from its value, and the key.
    pub(super) list: Option<(char, char, String)>,
    pub(super) encoding: Encoding,
    pub(super) bytes: usize,
    /// The items of the same list, by key.
    pub(super) items: Vec<(String, String)>,
}

/// A moment that stands in a request: where, and how it is written.
#[derive(Clone)]
pub(super) struct Moment {
    pub(super) place: String,
    pub(super) unit: &'static str,
}

/// Headers and fields of the query: place, name and value of each that is a text.
pub(super) fn texts<'a>(request: &'a Request<'a>) -> Vec<(String, &'a str, &'a str)> {
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
pub(super) fn marks(request: &Request<'_>) -> Vec<Mark> {
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
pub(super) fn moments(request: &Request<'_>, mark: &Mark) -> Vec<Moment> {
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
pub(super) fn ids(request: &Request<'_>) -> Vec<String> {
    let is_id = |name: &str| {
        let name = name.to_ascii_lowercase();
        name.split('-').any(|word| matches!(word, "id" | "uuid" | "nonce" | "delivery")) || name.ends_with("id")
    };
    let headers = texts(request).into_iter().filter(|(place, name, _)| place.starts_with("header:") && is_id(name));
    headers.map(|(_, name, _)| name.to_owned()).take(MAX_BESIDE).collect()
}
