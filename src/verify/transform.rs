//! What providers make of a request before they sign it.

use std::{borrow::Cow, io::Read};

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Crc, read::GzDecoder};
use md5::{Digest, Md5};

use super::{Request, form, jwt, place::View, sha256};
use crate::record::json::{self, Paths};

/// The most that a gzipped body may unfold to before it is no body to sign any more, in bytes.
const MAX_UNZIPPED: u64 = 64 << 20;

/// What a gzipped body holds; the body itself where it is not gzip, or unfolds without end.
pub(super) fn gunzipped(body: &[u8]) -> Cow<'_, [u8]> {
    if !body.starts_with(&[0x1f, 0x8b]) {
        return Cow::Borrowed(body);
    }
    let mut unzipped = Vec::new();
    match GzDecoder::new(body).take(MAX_UNZIPPED + 1).read_to_end(&mut unzipped) {
        Ok(length) if length as u64 <= MAX_UNZIPPED => Cow::Owned(unzipped),
        _ => Cow::Borrowed(body),
    }
}

/// The body with the secret in the place of the signature that stands in it.
pub(super) fn with_secret(body: &[u8], signature: &[u8], secret: &[u8]) -> Vec<u8> {
    match memchr::memmem::find(body, signature).filter(|_| !signature.is_empty()) {
        Some(at) => [&body[..at], secret, &body[at + signature.len()..]].concat(),
        None => body.to_vec(),
    }
}

/// Every run of CR and LF as one CR LF (Kontent.ai's webhook helper).
pub(super) fn with_crlf(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut in_run = false;
    for &byte in body {
        let is_end = matches!(byte, b'\r' | b'\n');
        if is_end && !in_run {
            out.extend_from_slice(b"\r\n");
        } else if !is_end {
            out.push(byte);
        }
        in_run = is_end;
    }
    out
}

/// A JSON string, as `JSON.stringify` writes it.
pub(super) fn as_json_string(text: &[u8]) -> Vec<u8> {
    serde_json::to_vec(&String::from_utf8_lossy(text)).unwrap_or_default()
}

/// The SHA-256 in hex.
pub(super) fn sha256_hex(bytes: &[u8]) -> Vec<u8> {
    hex::encode(sha256(bytes)).into_bytes()
}

/// The SHA-256 in base64.
pub(super) fn sha256_base64(bytes: &[u8]) -> Vec<u8> {
    STANDARD.encode(sha256(bytes)).into_bytes()
}

/// The MD5 in base64.
pub(super) fn md5_base64(bytes: &[u8]) -> Vec<u8> {
    STANDARD.encode(Md5::digest(bytes)).into_bytes()
}

/// The CRC-32 (RFC 1952) in decimal.
pub(super) fn crc32(bytes: &[u8]) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum().to_string().into_bytes()
}

/// Path and query of a URL.
pub(super) fn target_of(url: &str) -> &[u8] {
    let after = url.split_once("://").map_or(url, |(_, after)| after);
    let after = after.split('#').next().unwrap_or(after);
    after.find(['/', '?']).map_or(&b"/"[..], |at| &after.as_bytes()[at..])
}

/// A URL up to its query.
pub(super) fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

/// A target as JavaScript's `encodeURI` writes it, its query encoded once before that (Contentful's library,
/// `getNormalizedEncodedURI`); what stands behind a second `?` is left out.
pub(super) fn target_encoded(target: &[u8]) -> Vec<u8> {
    const COMPONENT: &[u8] = b"-_.!~*'()";
    const URI: &[u8] = b"-_.!~*'();,/?:@&=+$#";
    let mut parts = target.split(|&byte| byte == b'?');
    let path = parts.next().unwrap_or_default();
    let query = parts.next().filter(|query| !query.is_empty());
    let query = query.map(|query| [&b"?"[..], form::with_percents(query, COMPONENT).as_bytes()].concat());
    form::with_percents(&[path, &query.unwrap_or_default()].concat(), URI).into_bytes()
}

/// A target up to its query.
pub(super) fn path(target: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    let end = target.iter().position(|b| matches!(b, b'?' | b'#')).unwrap_or(target.len());
    match target {
        Cow::Borrowed(bytes) => Cow::Borrowed(&bytes[..end]),
        Cow::Owned(bytes) => Cow::Owned(bytes[..end].to_vec()),
    }
}

/// The fields of a query as `name=value&…`, sorted, without `hmac` and `signature` (Shopify's library,
/// `hmac_valid`): `%` and `&` are escaped again, and `=` in names.
pub(super) fn sorted_query(query: &[u8]) -> Vec<u8> {
    let escaped = |text: &[u8], is_name: bool| {
        text.iter().fold(Vec::new(), |mut out, &byte| {
            match byte {
                b'%' => out.extend_from_slice(b"%25"),
                b'&' => out.extend_from_slice(b"%26"),
                b'=' if is_name => out.extend_from_slice(b"%3D"),
                _ => out.push(byte),
            }
            out
        })
    };
    let pairs = form::pairs(query).filter(|(name, _)| !matches!(&name[..], b"hmac" | b"signature"));
    let mut lines: Vec<Vec<u8>> =
        pairs.map(|(name, value)| [&escaped(&name, true)[..], b"=", &escaped(&value, false)].concat()).collect();
    lines.sort();
    lines.join(&b'&')
}

/// The fields of a query and of a form as `&name=value`, sorted, without `sig`; `&` and `=` within values become `_`
/// (Vonage's library, `sign_params`).
pub(super) fn sorted_params(query: &[u8], form: &[u8]) -> Vec<u8> {
    let mut pairs: Vec<_> =
        form::pairs(query).chain(form::pairs(form)).filter(|(name, _)| &name[..] != b"sig").collect();
    pairs.sort();
    let clean = |value: &[u8]| value.iter().map(|&b| if matches!(b, b'&' | b'=') { b'_' } else { b }).collect();
    pairs.iter().fold(Vec::new(), |mut out, (name, value)| {
        let value: Vec<u8> = clean(value);
        [&b"&"[..], name, b"=", &value].into_iter().for_each(|part| out.extend_from_slice(part));
        out
    })
}

/// What Plivo signs in its third version, but for the nonce (plivo-python, `signature_v3.generate_url`).
pub(super) fn plivo(url: &str, view: View<'_>) -> Vec<u8> {
    let base = without_query(url);
    let query = url.split('#').next().and_then(|url| url.split_once('?')).map_or("", |(_, query)| query);
    let mut of_query: Vec<_> = form::pairs(query.as_bytes()).collect();
    let mut of_form: Vec<_> = form::pairs(view.form_body()).collect();
    let mark = if of_query.is_empty() && of_form.is_empty() { "" } else { "?" };
    let mut signed = [base.as_bytes(), mark.as_bytes()].concat();
    if view.request.method == "GET" {
        of_query.append(&mut of_form);
    }
    of_query.sort();
    of_form.sort();
    let lines: Vec<Vec<u8>> = of_query.iter().map(|(name, value)| [name, &b"="[..], value].concat()).collect();
    signed.extend(lines.join(&b'&'));
    if !of_query.is_empty() && !of_form.is_empty() {
        signed.push(b'.');
    }
    of_form.iter().for_each(|(name, value)| signed.extend([&name[..], value].concat()));
    signed
}

/// What Amazon SNS signs of a message (aws-js-sns-message-validator): a line for each name and each value. None where
/// a field is missing.
pub(super) fn sns(body: &[u8]) -> Option<Cow<'static, [u8]>> {
    const NOTIFICATION: [&str; 6] = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"];
    const CONFIRMATION: [&str; 7] = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"];
    let field = |name: &str| {
        let mut paths = Paths::default();
        paths.add(name, 0);
        json::value(body, &paths)
    };
    let names: &[&str] = if field("Type")? == "Notification" { &NOTIFICATION } else { &CONFIRMATION };
    let mut signed = String::new();
    for name in names {
        match field(name) {
            Some(value) => signed.push_str(&format!("{name}\n{value}\n")),
            None if *name == "Subject" => {}
            None => return None,
        }
    }
    Some(Cow::Owned(signed.into_bytes()))
}

/// The headers that a header lists, as `name:value` with `;` between (Contentful's node-apps-toolkit): names in lower
/// case, values without white space around them.
pub(super) fn listed_headers(request: &Request<'_>, name: &str) -> Option<Cow<'static, [u8]>> {
    let list = request.headers.text(name)?;
    let line = |name: &str| {
        let value = request.headers.get(name)?;
        Some([name.to_ascii_lowercase().as_bytes(), b":", value.trim_ascii()].concat())
    };
    let lines = list.split(',').map(|name| line(name.trim())).collect::<Option<Vec<_>>>()?;
    Some(Cow::Owned(lines.join(&b';')))
}

/// The headers that the head of a detached JWS names in `tl_headers`, as `Name: value` and a line end each, the names
/// as the head writes them (TrueLayer's signing specification).
pub(super) fn jws_headers(view: View<'_>) -> Option<Cow<'static, [u8]>> {
    let names = jwt::header_field(view.sent?.text, "tl_headers").unwrap_or_default();
    let mut lines = Vec::new();
    for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let value = view.request.headers.get(name)?;
        lines.extend([name.as_bytes(), b": ", value, b"\n"].concat());
    }
    Some(Cow::Owned(lines))
}
