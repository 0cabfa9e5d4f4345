//! What the forms of others have in common: headers as an object, bodies that were taken apart, URLs, moments.

use serde_json::Value;

use super::{
    Entry,
    entry::{Read, head, in_two, is_cut, plain},
};
use crate::record::{Flag, Timestamp, Version};

/// Header lines: names and values.
pub(super) type Lines = Vec<(Vec<u8>, Vec<u8>)>;

/// The headers of an object that has a text, a number or a list of them for each name.
pub(super) fn lines(headers: &Value) -> Read<Lines> {
    let mut lines = Vec::new();
    for (name, values) in headers.as_object().into_iter().flatten() {
        let one = std::slice::from_ref(values);
        for value in values.as_array().map_or(one, |all| &all[..]) {
            let value = scalar(value).ok_or("a header has no text")?;
            lines.push((name.as_bytes().to_vec(), value.into_bytes()));
        }
    }
    Ok(lines)
}

/// The headers of a list of objects, each with a name and a value under these names; what is `disabled` is left out.
pub(super) fn listed(headers: &Value, (name, value): (&str, &str)) -> Lines {
    let all = headers.as_array().into_iter().flatten().filter(|line| line["disabled"] != true);
    let line = |line: &Value| Some((line[name].as_str()?.trim().to_owned(), scalar(&line[value]).unwrap_or_default()));
    let named = all.filter_map(line).filter(|(name, _)| !name.is_empty());
    named.map(|(name, value)| (name.into_bytes(), value.into_bytes())).collect()
}

/// A text, or what stands for one.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// The value of a header, by its name in any case.
pub(super) fn header<'l>(lines: &'l Lines, name: &str) -> Option<&'l [u8]> {
    lines.iter().find(|line| line.0.eq_ignore_ascii_case(name.as_bytes())).map(|line| &line.1[..])
}

/// A body, and whether it was written anew.
pub(super) struct Content {
    /// Its bytes.
    pub(super) bytes: Vec<u8>,
    /// Whether they are those of the sender only by chance.
    pub(super) rewritten: bool,
}

impl Content {
    /// As it was kept.
    pub(super) fn kept(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), rewritten: false }
    }

    /// Written anew.
    pub(super) fn anew(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), rewritten: true }
    }
}

/// A body that is there as a text, or that was taken apart. Of what was taken apart the bytes are those of which there were as
/// many as the sender said, else the shortest.
pub(super) fn content(value: &Value, lines: &Lines) -> Content {
    match value {
        Value::Null => Content::kept(""),
        Value::String(text) => Content::kept(text.as_bytes()),
        value => {
            let declared =
                header(lines, "content-length").and_then(|length| std::str::from_utf8(length).ok()?.parse().ok());
            let mut ways = [serde_json::to_vec(value), serde_json::to_vec_pretty(value)].into_iter().flatten();
            let shortest = ways.next().unwrap_or_default();
            let other = ways.next().filter(|other| declared == Some(other.len()));
            Content::anew(other.unwrap_or(shortest))
        }
    }
}

/// A request of those parts. A `Host` is taken from the URL where no line has one.
pub(super) fn request(method: &str, url: &str, version: Version, mut lines: Lines, body: Content) -> Read<Entry> {
    let (authority, target) = in_two(url);
    let host = authority.map(|authority| authority.rsplit('@').next().unwrap_or(authority));
    let host = host.filter(|host| !host.is_empty() && !host.contains(['{', '<', ' ']));
    if let Some(host) = host.filter(|_| header(&lines, "host").is_none()) {
        lines.insert(0, (b"Host".to_vec(), host.as_bytes().to_vec()));
    }
    let target = if target.starts_with(['/', '*']) { target.to_owned() } else { format!("/{target}") };
    let mut entry = plain(head(method, blanks_quoted(&target).as_bytes(), version, &lines)?, body.bytes);
    entry.truncated = !body.rewritten && is_cut(&entry.head, entry.body.len());
    if body.rewritten {
        entry.flags.insert(Flag::Rewritten);
    }
    Ok(entry)
}

/// A target with percent signs for what would end it.
fn blanks_quoted(target: &str) -> String {
    let mut quoted = String::with_capacity(target.len());
    for sign in target.chars() {
        match sign {
            ' ' | '\0'..='\x1f' | '\x7f' => quoted.push_str(&format!("%{:02X}", sign as u32)),
            sign => quoted.push(sign),
        }
    }
    quoted
}

/// A name or a value as forms write it: a plus for a blank.
pub(super) fn form_quoted(text: &[u8]) -> String {
    quoted(text, b"*-._").replace("%20", "+")
}

/// A name or a value as queries write it.
pub(super) fn quoted(text: &[u8], besides: &[u8]) -> String {
    let mut quoted = String::with_capacity(text.len());
    for &byte in text {
        if byte.is_ascii_alphanumeric() || besides.contains(&byte) {
            quoted.push(char::from(byte));
        } else {
            quoted.push_str(&format!("%{byte:02X}"));
        }
    }
    quoted
}

/// Signs that queries keep (RFC 3986, section 2.3).
pub(super) const UNRESERVED: &[u8] = b"-._~";

/// A query of an object that has a text or a list of them for each name.
pub(super) fn query(fields: &Value) -> Read<String> {
    let pairs = lines(fields).map_err(|_| "its query has a value that is no text")?;
    let pair =
        |(name, value): &(Vec<u8>, Vec<u8>)| format!("{}={}", quoted(name, UNRESERVED), quoted(value, UNRESERVED));
    Ok(pairs.iter().map(pair).collect::<Vec<_>>().join("&"))
}

/// A path and a query as a target.
pub(super) fn target(path: &str, query: &str) -> String {
    let path = if path.is_empty() { "/" } else { path };
    if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.trim_start_matches('?')) }
}

/// A moment in milliseconds, as a number or a text of one.
pub(super) fn unix_ms(value: &Value) -> Option<Timestamp> {
    moment_of(value.as_f64().or_else(|| value.as_str()?.parse().ok())?)
}

/// The end of the year 9999, in milliseconds: no calendar goes further.
const LAST: f64 = 253_402_300_799_999.0;

/// The moment of so many milliseconds, where there was one.
pub(super) fn moment_of(ms: f64) -> Option<Timestamp> {
    (ms > 0.0 && ms <= LAST).then(|| Timestamp::from_unix_ms(ms as i64))
}

/// A status that a sender was answered, where it is one.
pub(super) fn status(value: &Value) -> Option<u16> {
    value.as_u64().and_then(|status| u16::try_from(status).ok()).filter(|status| *status >= 100)
}
