//! The format `har`: HTTP Archive 1.2 (the W3C's historical draft), as browsers and proxies read it. One file holds many
//! requests; what HAR has no word for stands in `_creel`, in the words of [`super::json`].

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::json as own;
use crate::record::{Capture, Flag, Headers, text::lossless};

/// What stands before the first entry.
pub(super) const BEGIN: &str = concat!(
    "{\"log\":{\"version\":\"1.2\",\"creator\":{\"name\":\"creel\",\"version\":\"",
    env!("CARGO_PKG_VERSION"),
    "\"},\"entries\":[\n"
);
/// What stands after the last.
pub(super) const END: &str = "]}}\n";

/// One entry.
pub(super) fn write(capture: &Capture) -> Vec<u8> {
    let head = &capture.head;
    let host = head.headers().text("host").unwrap_or("localhost");
    let target = lossless(head.target());
    let url = if target.starts_with('/') { format!("http://{host}{target}") } else { target.clone().into_owned() };
    let mut entry = json!({
        "startedDateTime": capture.received_at.to_string(),
        "time": 0,
        "request": {
            "method": head.method(),
            "url": url,
            "httpVersion": head.version().name(),
            "cookies": [],
            "headers": headers(head.headers()),
            "queryString": query(head.query().as_deref().unwrap_or_default()),
            "postData": post_data(capture),
            "headersSize": head.raw().len(),
            "bodySize": capture.body.bytes.len(),
        },
        "response": {
            "status": capture.reply_status,
            "statusText": "",
            "httpVersion": head.version().name(),
            "cookies": [],
            "headers": [],
            "content": { "size": 0, "mimeType": "" },
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": -1,
        },
        "cache": {},
        "timings": { "send": 0, "wait": 0, "receive": 0 },
        "_creel": { "id": capture.id.0, "uid": capture.uid.to_string(), "endpoint": capture.endpoint },
    });
    if !capture.flags.is_empty() {
        entry["_creel"]["flags"] = capture.flags.iter().map(Flag::name).collect();
    }
    if capture.body.truncated {
        entry["_creel"]["truncated"] = true.into();
    }
    if !capture.trailers.is_empty() {
        entry["_creel"]["trailers"] = own::headers(&capture.trailers);
    }
    if let Some(raw) = own::raw(capture) {
        entry["_creel"]["raw"] = raw;
    }
    // What a URL does not tell.
    if !target.starts_with('/') || target.contains('#') {
        entry["_creel"]["target"] = target.into();
    }
    format!("{entry}\n").into_bytes()
}

fn headers(headers: &Headers) -> Value {
    headers.iter().map(|header| json!({ "name": header.name_text(), "value": header.value_text() })).collect()
}

/// The fields of a query as they stand there: HAR does not say that they are decoded.
fn query(query: &str) -> Value {
    let fields = query.split('&').filter(|field| !field.is_empty());
    fields
        .map(|field| {
            let (name, value) = field.split_once('=').unwrap_or((field, ""));
            json!({ "name": name, "value": value })
        })
        .collect()
}

/// The body; in base64 where it is no text, as `_encoding` says.
fn post_data(capture: &Capture) -> Value {
    let bytes = &capture.body.bytes;
    let mime = capture.head.headers().text("content-type").unwrap_or_default();
    match std::str::from_utf8(bytes) {
        _ if bytes.is_empty() => Value::Null,
        Ok(text) => json!({ "mimeType": mime, "text": text }),
        Err(_) => json!({ "mimeType": mime, "text": STANDARD.encode(bytes), "_encoding": "base64" }),
    }
}
