//! One entry of each form, as a request. What cannot be one is told in words.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::Value;

use super::{Entry, parts};
use crate::record::{
    Flag, Flags, Head, Headers, Peer, Tagging, Tags, Timestamp, Uid, Version,
    grammar::{is_target, is_token},
};

pub(super) type Read<T> = Result<T, String>;

/// A request of a head and a body, nothing else known.
pub(super) fn plain(head: Head, body: impl Into<Bytes>) -> Entry {
    Entry {
        head,
        body: body.into(),
        trailers: Headers::default(),
        received_at: None,
        peer: None,
        endpoint: None,
        uid: None,
        flags: Flags::default(),
        truncated: false,
        reply_status: None,
        tags: Tags::NONE,
        note: None,
        sha256: None,
    }
}

/// `creel export --as json`: where the parts do not tell every byte, `raw` does.
pub(super) fn json(value: &Value) -> Read<Entry> {
    let parts = || {
        let version = match text(value, "version")? {
            "HTTP/1.0" => Version::Http10,
            "HTTP/2.0" => Version::Http2,
            _ => Version::Http11,
        };
        head(text(value, "method")?, text(value, "target")?.as_bytes(), version, &pairs(&value["headers"])?)
    };
    let body = &value["body"];
    let bytes = match (body["text"].as_str(), body["base64"].as_str()) {
        (Some(text), _) => text.as_bytes().to_vec(),
        (None, Some(coded)) => decoded(coded)?,
        (None, None) => return Err("its body was left out; `creel export` writes it".to_owned()),
    };
    let sha256 = body["sha256"].as_str().map(|hex| {
        let bytes = hex::decode(hex).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.ok_or("the SHA-256 of its body is none")
    });
    Ok(Entry {
        trailers: trailers(value)?,
        received_at: Some(moment(value, "received_at")?),
        peer: peer(value),
        endpoint: value["endpoint"].as_str().map(str::to_owned),
        uid: value["uid"].as_str().and_then(Uid::parse),
        flags: flags(value),
        truncated: body["truncated"] == true,
        reply_status: value["reply"]["status"].as_u64().and_then(|status| u16::try_from(status).ok()),
        tags: tags(value),
        note: value["note"].as_str().map(Tagging::note_of).filter(|note| !note.is_empty()),
        sha256: sha256.transpose()?,
        ..plain(own_head(value, parts)?, bytes)
    })
}

/// The head as creel wrote its bytes down, where its parts do not tell them.
fn own_head(value: &Value, parts: impl FnOnce() -> Read<Head>) -> Read<Head> {
    value["raw"]["head"].as_str().map_or_else(parts, |coded| raw_head(decoded(coded)?))
}

/// The same of the trailers.
fn trailers(value: &Value) -> Read<Headers> {
    let Some(lines) = value["raw"]["trailers"].as_array() else {
        return Ok(pairs(&value["trailers"])?.into_iter().collect());
    };
    let part = |line: &Value, at: usize| decoded(line[at].as_str().unwrap_or_default());
    lines.iter().map(|line| Ok((part(line, 0)?, part(line, 1)?))).collect::<Read<Vec<_>>>().map(Headers::from_iter)
}

/// Who it came from, and whom that spoke for.
fn peer(value: &Value) -> Option<String> {
    let senders = value["forwarded_for"].as_array().into_iter().flatten();
    let forwarded_for = senders.filter_map(Value::as_str).collect();
    value["peer"].as_str().map(|end| Peer { forwarded_for, end }.to_string())
}

/// What a person tagged it with. The other marks are told anew, by the store it comes into.
fn tags(value: &Value) -> Tags {
    let has = |name: &str| value["marks"].as_array().is_some_and(|marks| marks.iter().any(|mark| mark == name));
    let all = [Tags::MARKED, Tags::PINNED, Tags::EDITED].into_iter();
    all.filter(|tag| tag.marks().any(|mark| has(mark.name()))).fold(Tags::NONE, Tags::with)
}

/// An entry of an HTTP Archive 1.2 (w3c.github.io/web-performance/specs/HAR/Overview.html), and what creel adds to it in `_creel`.
pub(super) fn har(value: &Value) -> Read<Entry> {
    let request = &value["request"];
    let url = text(request, "url")?;
    let version = match request["httpVersion"].as_str().unwrap_or_default() {
        "HTTP/1.0" => Version::Http10,
        "h2" | "HTTP/2" | "HTTP/2.0" => Version::Http2,
        _ => Version::Http11,
    };
    let mut lines = Vec::new();
    for line in request["headers"].as_array().into_iter().flatten() {
        let name = text(line, "name")?;
        // Browsers list what HTTP/2 has in the place of a request line.
        if !name.starts_with(':') {
            lines.push((name.as_bytes().to_vec(), text(line, "value")?.as_bytes().to_vec()));
        }
    }
    let (authority, target) = in_two(url);
    let own = &value["_creel"];
    let target = own["target"].as_str().unwrap_or(target);
    let has_host = own.is_object() || lines.iter().any(|(name, _)| name.eq_ignore_ascii_case(b"host"));
    if let Some(host) = authority.filter(|_| !has_host) {
        lines.insert(0, (b"Host".to_vec(), host.as_bytes().to_vec()));
    }
    let data = &request["postData"];
    let content = data["text"].as_str().unwrap_or_default();
    let is_coded = ["_encoding", "encoding"].iter().any(|name| data[*name] == "base64");
    let body = if is_coded { decoded(content)? } else { content.as_bytes().to_vec() };
    let head = own_head(own, || head(text(request, "method")?, target.as_bytes(), version, &lines))?;
    Ok(Entry {
        trailers: if own["trailers"].is_null() { Headers::default() } else { trailers(own)? },
        received_at: Some(moment(value, "startedDateTime")?),
        endpoint: own["endpoint"].as_str().map(str::to_owned),
        uid: own["uid"].as_str().and_then(Uid::parse),
        flags: flags(own),
        // Browsers leave out what they cannot write as text: files, and what was streamed.
        truncated: own["truncated"] == true || (!own.is_object() && is_cut(&head, body.len())),
        reply_status: value["response"]["status"].as_u64().and_then(|status| u16::try_from(status).ok()),
        ..plain(head, body)
    })
}

/// The flags that creel wrote there.
fn flags(value: &Value) -> Flags {
    value["flags"].as_array().into_iter().flatten().filter_map(Value::as_str).filter_map(Flag::named).collect()
}

/// Whether an entry is an e-mail or a question to a name server, which webhook.site lists among the requests.
pub(super) fn is_no_request(value: &Value) -> bool {
    matches!(value["type"].as_str(), Some("email" | "dns"))
}

/// What webhook.site's API gives for `/token/ID/requests` (docs.webhook.site/api/requests.html; `app/Storage/Request.php` of
/// its own source). Names come in lower case there, and in no order; the content as the text of the bytes.
pub(super) fn webhook_site(value: &Value) -> Read<Entry> {
    let lines = parts::lines(&value["headers"])?;
    let (_, target) = in_two(text(value, "url")?);
    let content = value["content"].as_str().unwrap_or_default();
    let at = text(value, "created_at")?;
    let head = head(text(value, "method")?, target.as_bytes(), Version::Http11, &lines)?;
    // Without a zone it is UTC.
    let received_at =
        Timestamp::from_rfc3339(at).or_else(|| Timestamp::from_rfc3339(&format!("{}Z", at.replace(' ', "T"))));
    Ok(Entry {
        received_at: Some(received_at.ok_or("its time is none")?),
        peer: value["ip"].as_str().map(str::to_owned),
        note: value["note"].as_str().map(Tagging::note_of).filter(|note| !note.is_empty()),
        // Of a form with files the fields are listed, and not the bytes.
        truncated: is_cut(&head, content.len()),
        ..plain(head, content.as_bytes().to_vec())
    })
}

/// What ngrok's agent gives for `/api/requests/http` (ngrok.com/docs/agent/api): the very bytes stand there, in base64.
pub(super) fn ngrok(value: &Value) -> Read<Entry> {
    let entry = raw(&decoded(text(&value["request"], "raw")?)?)?;
    Ok(Entry {
        received_at: Some(moment(value, "start")?),
        peer: value["remote_addr"].as_str().map(str::to_owned),
        reply_status: value["response"]["status_code"].as_u64().and_then(|status| u16::try_from(status).ok()),
        ..entry
    })
}

/// The bytes of a request: head, empty line, body to the end. Chunks are put together where they are whole.
pub(super) fn raw(bytes: &[u8]) -> Read<Entry> {
    let start = line_ends(bytes);
    let end = head_end(&bytes[start..]).map(|end| start + end).ok_or("it ends before its head does")?;
    let head = raw_head(bytes[..end].to_vec())?;
    let body = &bytes[end..];
    let is_chunked = is_chunked(&head);
    let whole = if is_chunked { unchunked(body) } else { None };
    let truncated = if is_chunked { whole.is_none() && begins_a_chunk(body) } else { is_cut(&head, body.len()) };
    Ok(Entry { truncated, ..plain(head, whole.unwrap_or_else(|| body.to_vec())) })
}

/// Where a request ends: where its head says so and the line of another one stands there, else with the bytes.
pub(super) fn end_of_request(bytes: &[u8]) -> usize {
    let all = bytes.len();
    let start = line_ends(bytes);
    let Some(end) = head_end(&bytes[start..]).map(|end| start + end) else { return all };
    let head = Head::parse(Bytes::copy_from_slice(&bytes[..end]));
    let declared = head.headers().text("content-length").and_then(|text| text.parse::<usize>().ok());
    let has_none = || matches!(&*head.method(), "GET" | "HEAD" | "OPTIONS" | "DELETE").then_some(0);
    let ends_at = declared.or_else(has_none).and_then(|length| end.checked_add(length)).filter(|at| *at < all);
    ends_at.filter(|at| begins_request(&bytes[*at..])).unwrap_or(all)
}

/// Whether a request line stands there.
fn begins_request(bytes: &[u8]) -> bool {
    let line = bytes[line_ends(bytes)..].split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let versions = [Version::Http10, Version::Http11, Version::Http2];
    let Some(line) = versions.iter().find_map(|version| line.strip_suffix(version.name().as_bytes())) else {
        return false;
    };
    let mut words = line.strip_suffix(b" ").unwrap_or_default().splitn(2, |byte| *byte == b' ');
    words.next().is_some_and(is_token) && words.next().is_some_and(is_target)
}

fn line_ends(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(bytes.len())
}

fn is_chunked(head: &Head) -> bool {
    head.headers().get_all("transfer-encoding").any(|value| value.eq_ignore_ascii_case(b"chunked"))
}

/// The body of a raw request: its chunks put together, where it is of whole chunks; else as it stands.
pub fn body_of(head: &Head, bytes: Bytes) -> Bytes {
    let whole = if is_chunked(head) { unchunked(&bytes) } else { None };
    whole.map_or(bytes, Bytes::from)
}

/// Whether a head declares more than there is.
pub(super) fn is_cut(head: &Head, length: usize) -> bool {
    let declared = head.headers().text("content-length").and_then(|text| text.parse::<usize>().ok());
    declared.is_some_and(|declared| declared > length)
}

/// Where a head ends: after its first empty line.
fn head_end(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\n', &bytes[at..]) {
        let line = &bytes[at..at + found];
        at += found + 1;
        if line.is_empty() || line == b"\r" {
            return Some(at);
        }
    }
    None
}

/// A head as its bytes say it, where it is one.
fn raw_head(bytes: Vec<u8>) -> Read<Head> {
    let start = line_ends(&bytes);
    if head_end(&bytes[start..]).map(|end| start + end) != Some(bytes.len()) {
        return Err("its head does not end with an empty line".to_owned());
    }
    let head = Head::parse(bytes.into());
    check(&head)?;
    Ok(head)
}

fn check_method(method: &str) -> Read<()> {
    let wrong = || "its method is empty, or has signs that no method has".to_owned();
    is_token(method.as_bytes()).then_some(()).ok_or_else(wrong)
}

fn check(head: &Head) -> Read<()> {
    check_method(&head.method())?;
    if !is_target(head.target()) {
        return Err("its target is empty, or has blanks or control characters".to_owned());
    }
    if head.headers().iter().any(|header| header.name.is_empty() || header.value.contains(&0)) {
        return Err("it has a header without a name, or with a NUL in its value".to_owned());
    }
    Ok(())
}

/// A head of its parts: only where it reads as those parts again, since a line end in one would make another of it.
pub(super) fn head(method: &str, target: &[u8], version: Version, lines: &[(Vec<u8>, Vec<u8>)]) -> Read<Head> {
    // A blank in it would be the target's.
    check_method(method)?;
    let headers: Headers = lines.iter().map(|(name, value)| (name, value.trim_ascii())).collect();
    let head = Head::from_parts(method, target, version, &headers);
    check(&head)?;
    if head.method() != method || head.target() != target || *head.headers() != headers {
        return Err("its request line or a header has what cannot stand there".to_owned());
    }
    Ok(head)
}

/// Whether a body begins as one of chunks does. One whose chunks somebody put together does not.
fn begins_a_chunk(body: &[u8]) -> bool {
    let line = memchr::memmem::find(body, b"\r\n").map(|end| &body[..end]);
    let digits = line.and_then(|line| line.split(|byte| *byte == b';').next()).unwrap_or_default().trim_ascii();
    !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit)
}

/// The content of whole chunks, trailers left out.
fn unchunked(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = memchr::memmem::find(bytes, b"\r\n")?;
        let size = std::str::from_utf8(&bytes[..end]).ok()?.split(';').next()?.trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        bytes = &bytes[end + 2..];
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(bytes.get(..size)?);
        bytes = bytes.get(size..)?.strip_prefix(b"\r\n")?;
    }
}

/// Authority and target of a URL, also of one that becomes a WebSocket; what is no URL is a target.
pub(super) fn in_two(url: &str) -> (Option<&str>, &str) {
    let Some(rest) = ["http://", "https://", "ws://", "wss://"].iter().find_map(|scheme| url.strip_prefix(scheme))
    else {
        return (None, url);
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let target = &rest[end..];
    let target = target.split('#').next().unwrap_or(target);
    (Some(&rest[..end]), if target.is_empty() { "/" } else { target })
}

pub(super) fn text<'v>(value: &'v Value, name: &str) -> Read<&'v str> {
    value[name].as_str().ok_or_else(|| {
        if value[name].is_null() { format!("it has no `{name}`") } else { format!("its `{name}` is no text") }
    })
}

pub(super) fn moment(value: &Value, name: &str) -> Read<Timestamp> {
    Timestamp::from_rfc3339(text(value, name)?).ok_or_else(|| format!("its `{name}` is no time"))
}

pub(super) fn decoded(base64: &str) -> Read<Vec<u8>> {
    STANDARD.decode(base64.trim()).map_err(|why| format!("its base64 is none: {why}"))
}

/// A list of `[name, value]`.
fn pairs(value: &Value) -> Read<Vec<(Vec<u8>, Vec<u8>)>> {
    let line = |line: &Value| {
        let [name, value] = &line.as_array()?[..] else { return None };
        Some((name.as_str()?.as_bytes().to_vec(), value.as_str()?.as_bytes().to_vec()))
    };
    let lines = value.as_array().and_then(|all| all.iter().map(line).collect::<Option<Vec<_>>>());
    lines.ok_or_else(|| "its headers are no list of [name, value]".to_owned())
}
