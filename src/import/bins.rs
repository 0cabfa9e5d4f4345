//! Entries of bins, and of those who pass requests on.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::{
    Entry,
    entry::{Read, decoded, moment, text},
    parts::{Content, content, form_quoted, header, lines, moment_of, query, request, status, target, unix_ms},
};
use crate::record::Version;

/// A request, an event or an attempt's event of Hookdeck's API: `GET /requests/ID`, `GET /events/ID`
/// (hookdeck.com/docs/api; `ShortEventData` of its SDKs). A request has no method there, and JSON is taken apart; an event is what
/// Hookdeck sent on, with headers of its own.
pub(super) fn hookdeck(value: &Value) -> Read<Entry> {
    let data = &value["data"];
    if !data.is_object() {
        return Err("its `data` was left out, as in lists: ask for each by its id (`GET /requests/ID`)".to_owned());
    }
    let lines = lines(&data["headers"])?;
    let target = target(data["path"].as_str().unwrap_or_default(), data["query"].as_str().unwrap_or_default());
    let url = match data["url"].as_str() {
        Some(url) => format!("{}{target}", origin(url)),
        None => target,
    };
    let body = content(&data["body"], &lines);
    let at = if value["ingested_at"].is_string() { "ingested_at" } else { "created_at" };
    Ok(Entry {
        received_at: Some(moment(value, at)?),
        reply_status: status(&value["response_status"]),
        ..request(data["method"].as_str().unwrap_or("POST"), &url, Version::Http11, lines, body)?
    })
}

/// A URL up to its path.
fn origin(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    &url[..url[start..].find(['/', '?', '#']).map_or(url.len(), |at| start + at)]
}

/// A request of an HTTP source or of a bin of Pipedream, as it is emitted (`components/http/README.md` of its repository), or a row of
/// `GET /sources/ID/event_summaries?expand=event` around it (pipedream.com/docs/rest-api). JSON is taken apart there.
pub(super) fn pipedream(value: &Value) -> Read<Entry> {
    let event = if value["event"].is_object() { &value["event"] } else { value };
    if event["method"].is_null() {
        return Err("its `event` is no request: `expand=event` gives all of it".to_owned());
    }
    let mut lines = lines(&event["headers"])?;
    // Its oldest rows tell the version among the headers.
    let version = header(&lines, "version").filter(|version| version.starts_with(b"HTTP/")).map(<[u8]>::to_vec);
    lines.retain(|line| version.is_none() || !line.0.eq_ignore_ascii_case(b"version"));
    let url = match event["url"].as_str() {
        Some(url) => url.to_owned(),
        None => target(event["path"].as_str().unwrap_or_default(), &query(&event["query"])?),
    };
    let body = match &event["bodyRaw"] {
        Value::String(text) => Content::kept(text.as_bytes()),
        _ => content(&event["body"], &lines),
    };
    Ok(Entry {
        received_at: unix_ms(&value["indexed_at_ms"]),
        peer: event["client_ip"].as_str().map(str::to_owned),
        ..request(text(event, "method")?, &url, Version::Http11, lines, body)?
    })
}

/// A request of Runscope's `RequestBin` and of all who run it themselves: `GET /api/v1/bins/BIN/requests` (`requestbin/models.py`
/// there). The body is there as it came; a query is taken apart, and of a name that it has twice only one is left.
pub(super) fn request_bin(value: &Value) -> Read<Entry> {
    let lines = lines(&value["headers"])?;
    let raw = value["raw"].as_str().filter(|raw| !raw.is_empty());
    let body = match (raw, value["body"].as_str().filter(|body| !body.is_empty())) {
        (Some(bytes), _) | (None, Some(bytes)) => Content::kept(bytes),
        (None, None) => form(&value["form_data"]),
    };
    let declared = value["content_length"].as_u64().unwrap_or_default();
    let is_cut = !body.rewritten && declared > body.bytes.len() as u64;
    let url = match value["query_string"].as_str() {
        Some(query) => target(text(value, "path")?, query),
        None => target(text(value, "path")?, &query(&value["query_string"])?),
    };
    let entry = request(text(value, "method")?, &url, Version::Http11, lines, body)?;
    let at = value["time"].as_f64().and_then(|seconds| moment_of(seconds * 1000.0));
    Ok(Entry {
        received_at: at,
        peer: value["remote_addr"].as_str().map(str::to_owned),
        truncated: entry.truncated || is_cut,
        ..entry
    })
}

/// A form of a list of `[name, value]`.
fn form(fields: &Value) -> Content {
    let word = |pair: &Value, at: usize| form_quoted(pair[at].as_str().unwrap_or_default().as_bytes());
    let pairs: Vec<_> = fields.as_array().into_iter().flatten().collect();
    let written: Vec<_> = pairs.iter().map(|pair| format!("{}={}", word(pair, 0), word(pair, 1))).collect();
    if written.is_empty() { Content::kept("") } else { Content::anew(written.join("&")) }
}

/// A request of `HookSense`'s export (hooksense.com/docs/export). It has no path; a body that is no UTF-8 is in base64, which only its
/// size tells.
pub(super) fn hook_sense(value: &Value) -> Read<Entry> {
    let kept = value["body"].as_str().unwrap_or_default();
    let size = value["size_bytes"].as_u64();
    let coded = || STANDARD.decode(kept).ok().filter(|bytes| Some(bytes.len() as u64) == size);
    let is_text = size.is_none_or(|size| size == kept.len() as u64);
    let bytes = if is_text { None } else { coded() };
    let body = Content::kept(bytes.unwrap_or_else(|| kept.as_bytes().to_vec()));
    let target = target("/", &query(&value["query"])?);
    Ok(Entry {
        received_at: Some(moment(value, "received_at")?),
        peer: value["source_ip"].as_str().map(str::to_owned),
        ..request(text(value, "method")?, &target, Version::Http11, lines(&value["headers"])?, body)?
    })
}

/// An event that smee.io and gosmee send to those who listen: `data:` of their stream (`lib/server.js` of smee.io, `gosmee/server.go`).
/// All headers stand beside the body, in lower case; smee.io takes JSON apart, gosmee has the bytes in base64. Neither has a path.
pub(super) fn smee(value: &Value) -> Read<Entry> {
    let own = ["body", "bodyB", "query", "timestamp"];
    let head = value.as_object().into_iter().flatten().filter(|(name, _)| !own.contains(&&name[..]));
    let lines = lines(&head.map(|(name, value)| (name.clone(), value.clone())).collect())?;
    let body = match value["bodyB"].as_str() {
        Some(coded) => Content::kept(decoded(coded)?),
        None => content(&value["body"], &lines),
    };
    let target = target("/", &query(&value["query"])?);
    Ok(Entry { received_at: unix_ms(&value["timestamp"]), ..request("POST", &target, Version::Http11, lines, body)? })
}
