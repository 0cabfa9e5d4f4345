//! The other ways in which a request may have been written when it was signed: what the doctor tries.

use std::{borrow::Cow, collections::BTreeMap};

use encoding_rs::WINDOWS_1252;
use serde_json::value::RawValue;
use unicode_normalization::UnicodeNormalization;

use super::{Request, encoding::Encoding, form, place::View, scheme::Scheme, time::Unit};
use crate::record::{pairs, text};

/// What came of a change, where it changed anything.
pub(super) fn other(changed: Vec<u8>, was: &[u8]) -> Option<Vec<u8>> {
    (changed != was).then_some(changed)
}

/// What stands behind the name in `NAME=SECRET`, without quotes.
pub(super) fn behind_its_name(secret: &[u8]) -> Option<Vec<u8>> {
    let at = memchr::memchr2(b'=', b':', secret)?;
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b' ' | b'-');
    let (name, value) = (&secret[..at], &secret[at + 1..]);
    let value = unquoted(value.trim_ascii()).unwrap_or_else(|| value.trim_ascii().to_vec());
    (name.iter().all(is_of_name) && !value.is_empty()).then_some(value)
}

/// What stands in quotes.
pub(super) fn unquoted(text: &[u8]) -> Option<Vec<u8>> {
    match text {
        [first @ (b'"' | b'\'' | b'`'), inner @ .., last] if first == last => Some(inner.to_vec()),
        _ => None,
    }
}

/// The last word of several.
pub(super) fn last_word(text: &[u8]) -> Option<Vec<u8>> {
    let at = text.trim_ascii_end().iter().rposition(u8::is_ascii_whitespace)?;
    Some(text[at + 1..].trim_ascii_end().to_vec())
}

/// The bytes of base64 in the URL's alphabet, where it is in that one.
pub(super) fn from_base64url(text: &[u8]) -> Option<Vec<u8>> {
    let encodings = [Encoding::Base64url, Encoding::Base64urlPadded];
    memchr::memchr2(b'-', b'_', text)?;
    encodings.iter().find_map(|encoding| encoding.read(text)).map(Cow::into_owned)
}

/// A text in UTF-16.
pub(super) fn utf8_to_utf16(body: &[u8], write: fn(u16) -> [u8; 2]) -> Option<Vec<u8>> {
    Some(std::str::from_utf8(body).ok()?.encode_utf16().flat_map(write).collect())
}

/// A text in UTF-8 that is in UTF-16, without the mark of its byte order.
pub(super) fn utf16_to_utf8(body: &[u8], read: fn([u8; 2]) -> u16) -> Option<Vec<u8>> {
    let (pairs, rest) = body.as_chunks::<2>();
    let text = String::from_utf16(&pairs.iter().map(|pair| read(*pair)).collect::<Vec<_>>()).ok()?;
    rest.is_empty().then(|| text.strip_prefix('\u{feff}').unwrap_or(&text).as_bytes().to_vec())
}

/// The words of a header: what stands between signs that no signature has, and what percent signs or blanks stand for.
pub(super) fn words_of(text: &[u8]) -> Vec<(Vec<u8>, &'static str)> {
    let is_between =
        |byte: &u8| matches!(byte, b' ' | b'\t' | b',' | b';' | b':' | b'"' | b'\'' | b'<' | b'>' | b'{' | b'}');
    let mut words: Vec<Vec<u8>> = Vec::new();
    for word in text.split(is_between).take(MAX_WORDS) {
        // A signature may end with `=`, and what stands before one may end so, too.
        let behind = word.trim_ascii_end().strip_suffix(b"=").unwrap_or(word);
        let at = memchr::memchr(b'=', behind.strip_suffix(b"=").unwrap_or(behind)).map_or(0, |at| at + 1);
        words.extend([word, &word[at..]].map(<[u8]>::to_vec));
    }
    let mut words: Vec<_> = words.into_iter().map(|word| (word, "a part")).collect();
    words.push((percent_undone(text), "after the percent signs are undone, all"));
    words.extend(replaced(text.trim_ascii(), b" ", b"+").map(|text| (text, "with + for each blank, all")));
    words.retain(|(word, _)| !word.is_empty() && word != text);
    words
}

/// What percent signs stand for; a `+` stays one.
pub(super) fn percent_undone(text: &[u8]) -> Vec<u8> {
    let text = replaced(text, b"+", b"%2B").map_or(Cow::Borrowed(text), Cow::Owned);
    pairs::decode(&text).into_owned()
}

/// The most words of a header that are looked at.
const MAX_WORDS: usize = 16;

/// A secret in Unicode's form NFKD.
pub(super) fn decomposed(secret: &[u8]) -> Option<Vec<u8>> {
    Some(std::str::from_utf8(secret).ok()?.nfkd().collect::<String>().into_bytes())
}

/// A body without one line end at its end.
pub(super) fn without_newline(body: &[u8]) -> Option<Vec<u8>> {
    let body = body.strip_suffix(b"\n")?;
    Some(body.strip_suffix(b"\r").unwrap_or(body).to_vec())
}

/// LF for every CR LF.
pub(super) fn with_lf(body: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr(b'\r', body)?;
    let mut out = Vec::with_capacity(body.len());
    for (at, &byte) in body.iter().enumerate() {
        if byte != b'\r' || body.get(at + 1) != Some(&b'\n') {
            out.push(byte);
        }
    }
    Some(out)
}

/// Each byte taken for a letter of Latin-1, in UTF-8.
pub(super) fn latin1_to_utf8(body: &[u8]) -> Option<Vec<u8>> {
    (!body.is_ascii()).then(|| body.iter().map(|&b| char::from(b)).collect::<String>().into_bytes())
}

/// The letters of UTF-8 in Latin-1, where it has all of them.
pub(super) fn utf8_to_latin1(body: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok().filter(|text| !text.is_ascii())?;
    text.chars().map(|letter| u8::try_from(u32::from(letter)).ok()).collect()
}

/// The bytes of Windows-1252, each for its letter, in UTF-8.
pub(super) fn windows_to_utf8(body: &[u8]) -> Option<Vec<u8>> {
    (!body.is_ascii()).then(|| WINDOWS_1252.decode_without_bom_handling(body).0.into_owned().into_bytes())
}

/// The letters of UTF-8 in Windows-1252, where it has all of them.
pub(super) fn utf8_to_windows(body: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok().filter(|text| !text.is_ascii())?;
    let (bytes, _, is_short_of_any) = WINDOWS_1252.encode(text);
    (!is_short_of_any).then(|| bytes.into_owned())
}

/// A text with each letter and its accents as one sign (NFC).
pub(super) fn composed(body: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok().filter(|text| !text.is_ascii())?;
    Some(text.nfc().collect::<String>().into_bytes())
}

/// A text with each accent as a sign of its own (NFD).
pub(super) fn taken_apart(body: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok().filter(|text| !text.is_ascii())?;
    Some(text.nfd().collect::<String>().into_bytes())
}

/// The text in a JSON string.
pub(super) fn in_json_string(body: &[u8]) -> Option<Vec<u8>> {
    body.trim_ascii_start()
        .starts_with(b"\"")
        .then(|| serde_json::from_slice::<String>(body).ok())?
        .map(String::into_bytes)
}

/// The most fields of a body that are taken for what was signed.
const MAX_PARTS: usize = 64;

/// What the fields of a JSON object hold, with their names: a text as it is meant, all else as it stands there.
pub(super) fn parts(body: &[u8]) -> Vec<(String, Vec<u8>)> {
    let Ok(fields) = serde_json::from_slice::<BTreeMap<String, &RawValue>>(body) else { return Vec::new() };
    let meant = |raw: &str| match serde_json::from_str::<String>(raw) {
        Ok(text) => text.into_bytes(),
        Err(_) => raw.as_bytes().to_vec(),
    };
    // What is shorter than any JSON object of use is no body.
    let parts = fields.into_iter().map(|(name, raw)| (name, meant(raw.get()))).filter(|(_, part)| part.len() > 6);
    parts.take(MAX_PARTS).collect()
}

/// A form written anew: letters, digits and `plain` as they are, a blank as that, all else as `%XX`.
pub(super) fn form_anew(body: &[u8], plain: &[u8], blank: &str) -> Option<Vec<u8>> {
    memchr::memchr(b'=', body)?;
    // No sign but a blank becomes `%20`.
    let written = |text: &[u8]| form::with_percents(text, plain).replace("%20", blank);
    let pairs: Vec<_> =
        form::pairs(body).map(|(name, value)| format!("{}={}", written(&name), written(&value))).collect();
    Some(pairs.join("&").into_bytes())
}

/// JSON that a framework took for the name of a form's only field.
pub(super) fn json_as_form(body: &[u8]) -> Option<Vec<u8>> {
    let (name, value) = form::pairs(body).next()?;
    let text = if value.is_empty() { name.into_owned() } else { [&name[..], b"=", &value[..]].concat() };
    text.trim_ascii_start().starts_with(b"{").then_some(text)
}

/// `%20` for every `+`.
pub(super) fn plus_as_percent(body: &[u8]) -> Option<Vec<u8>> {
    replaced(body, b"+", b"%20")
}

/// `+` for every `%20`.
pub(super) fn percent_as_plus(body: &[u8]) -> Option<Vec<u8>> {
    replaced(body, b"%20", b"+")
}

fn replaced(body: &[u8], from: &[u8], to: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = memchr::memmem::find(rest, from) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    out.extend_from_slice(rest);
    (out != body).then_some(out)
}

/// A form with its names and values decoded.
pub(super) fn form_decoded(body: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr(b'=', body)?;
    let pairs: Vec<Vec<u8>> = form::pairs(body).map(|(name, value)| [&name[..], b"=", &value].concat()).collect();
    Some(pairs.join(&b'&'))
}

/// What a form's field `payload` holds.
pub(super) fn form_payload(body: &[u8]) -> Option<Vec<u8>> {
    form::value(body, "payload").map(std::borrow::Cow::into_owned)
}

/// The URLs that may have been signed, with what is other about each.
pub(super) fn urls(request: &Request<'_>) -> Vec<(String, &'static str)> {
    let target = text::lossless(request.target).into_owned();
    let host = |name: &str| request.headers.text(name).map(str::to_owned);
    let configured = request.url.and_then(|url| url.split_once("://")).map(|(_, rest)| rest.to_owned());
    let configured_host = configured.as_ref().and_then(|rest| rest.split(['/', '?']).next().map(str::to_owned));
    let hosts: Vec<(String, &'static str)> = [
        (configured_host, "the configured host"),
        (host("x-forwarded-host"), "the host of X-Forwarded-Host"),
        (host("x-original-host"), "the host of X-Original-Host"),
        (forwarded_host(request), "the host of Forwarded"),
        (host("host"), "the host of Host"),
    ]
    .into_iter()
    .filter_map(|(host, words)| host.map(|host| (host, words)))
    .collect();
    let configured_target =
        configured.map(|rest| rest.find(['/', '?']).map_or(String::new(), |at| rest[at..].to_owned()));
    let stripped = host("x-forwarded-prefix").map(|prefix| format!("{}{target}", prefix.trim_end_matches('/')));
    let mut targets = vec![(target, "")];
    targets.extend(configured_target.map(|target| (target, "the configured path")));
    targets.extend(stripped.map(|target| (target, "with what X-Forwarded-Prefix says")));
    let rewritten = ["x-original-uri", "x-original-url", "x-rewrite-url", "x-forwarded-uri"].into_iter().find_map(host);
    targets.extend(rewritten.filter(|it| it.starts_with('/')).map(|target| (target, "as a proxy says that it was")));
    let targets: Vec<_> = targets.into_iter().flat_map(|(target, words)| targets_of(&target, words)).collect();
    let forwarded_port = host("x-forwarded-port").filter(|port| port.parse::<u16>().is_ok());
    let mut urls = Vec::new();
    for (host, host_words) in &hosts {
        for (target, words) in &targets {
            for scheme in ["https", "http"] {
                let bare = host.rsplit_once(':').map_or(&host[..], |(bare, _)| bare);
                let port = if scheme == "https" { "443" } else { "80" };
                urls.push((format!("{scheme}://{host}{target}"), if words.is_empty() { *host_words } else { *words }));
                urls.push((format!("{scheme}://{bare}{target}"), "without a port"));
                urls.push((format!("{scheme}://{bare}:{port}{target}"), "with the usual port"));
                let other = forwarded_port.iter().map(|port| format!("{scheme}://{bare}:{port}{target}"));
                urls.extend(other.map(|url| (url, "with the port of X-Forwarded-Port")));
            }
        }
    }
    urls
}

/// The host that `Forwarded` names (RFC 7239, section 5.3): what the first proxy was asked for.
fn forwarded_host(request: &Request<'_>) -> Option<String> {
    let first = request.headers.text("forwarded")?.split(',').next()?;
    let pairs = first.split(';').filter_map(|pair| pair.trim().split_once('='));
    let host = pairs.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("host"))?.1;
    Some(host.trim_matches('"').to_owned())
}

/// A target in other spellings.
fn targets_of(target: &str, words: &'static str) -> Vec<(String, &'static str)> {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let with = |path: &str, query: Option<&str>| query.map_or(path.to_owned(), |query| format!("{path}?{query}"));
    let mut all = vec![(target.to_owned(), words)];
    match path.strip_suffix('/') {
        Some(bare) => all.push((with(bare, query), "without the slash at its end")),
        None => all.push((with(&format!("{path}/"), query), "with a slash at its end")),
    }
    if let Some(query) = query {
        all.push((path.to_owned(), "without its query"));
        let mut fields: Vec<&str> = query.split('&').collect();
        fields.sort_unstable();
        all.push((with(path, Some(&fields.join("&"))), "with its query sorted"));
        let decoded: Vec<String> = form::pairs(query.as_bytes())
            .map(|(name, value)| format!("{}={}", text::lossless(&name), text::lossless(&value)))
            .collect();
        all.push((with(path, Some(&decoded.join("&"))), "with its query decoded"));
        let encoded: Vec<String> = form::pairs(query.as_bytes())
            .map(|(name, value)| format!("{}={}", form::escaped(&name), form::escaped(&value)))
            .collect();
        all.push((with(path, Some(&encoded.join("&"))), "with its query encoded anew"));
    }
    all
}

/// The timestamps that may have been signed, with what is other about each.
pub(super) fn times(request: &Request<'_>, scheme: &Scheme) -> Vec<(String, &'static str)> {
    let units = [
        (Unit::Seconds, "in seconds"),
        (Unit::Milliseconds, "in milliseconds"),
        (Unit::Rfc3339, "as RFC 3339"),
        (Unit::HttpDate, "as an HTTP date"),
    ];
    let mut all = vec![(String::new(), "none at all")];
    let received = scheme.received(request);
    for (_, sent) in &received {
        let sent = Some(super::shape::Sent { shape: &scheme.shape, text: sent });
        let view = View { sent, ..View::of(request) };
        let Some(found) = scheme.clock.as_ref().and_then(|clock| clock.place.find(view)) else { continue };
        let moment = units.iter().find_map(|(unit, _)| unit.read(&found));
        all.extend(moment.into_iter().flat_map(|moment| units.map(|(unit, words)| (unit.write(moment), words))));
        // Between seconds and milliseconds nothing tells which is meant.
        if let Ok(number) = String::from_utf8_lossy(&found).parse::<i64>() {
            all.push(((number / 1000).to_string(), "in seconds"));
            all.push((number.saturating_mul(1000).to_string(), "in milliseconds"));
            all.extend(SHIFTS.map(|by| (number.saturating_add(by).to_string(), "the clock was read twice")));
        }
    }
    for header in request.headers {
        let value = header.value_text();
        let is_time = units.iter().any(|(unit, _)| unit.read(value.as_bytes()).is_some()) && value.len() >= 9;
        if is_time {
            all.push((value.into_owned(), "from another header"));
        }
    }
    all
}

/// By how much a timestamp is off where the clock was read once for what is sent and once for what is signed.
const SHIFTS: [i64; 4] = [1, -1, 2, -2];

/// Where two bodies differ first, for eyes: a few bytes around it of each.
pub(super) fn difference(signed: &[u8], received: &[u8]) -> String {
    const AROUND: usize = 16;
    let at = signed.iter().zip(received).take_while(|(a, b)| a == b).count();
    let part = |bytes: &[u8]| {
        let from = at.saturating_sub(AROUND);
        let to = bytes.len().min(at + AROUND);
        let part = String::from_utf8_lossy(bytes.get(from..to).unwrap_or_default());
        let text = part.chars().fold(String::new(), |mut text, letter| {
            if letter.is_control() {
                text.extend(letter.escape_debug());
            } else {
                text.push(letter);
            }
            text
        });
        let dots = [if from > 0 { "…" } else { "" }, if to < bytes.len() { "…" } else { "" }];
        format!("{}{text}{}", dots[0], dots[1])
    };
    format!("byte {at}: signed {}, received {}", part(signed), part(received))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_shown_with_what_stands_around_it() {
        assert_eq!(difference(b"{}", b"{}\n"), "byte 2: signed {}, received {}\\n");
        let long = b"a body that is longer than what is shown of it, by far";
        assert_eq!(
            difference(&long[..], b"a body that is longer than what IS shown of it, by far"),
            "byte 32: signed …onger than what is shown of it, …, received …onger than what IS shown of it, …"
        );
    }
}
