//! Each capture as an event of `CloudEvents` 1.0 (cloudevents.io), whoever sent it: many senders in one form. As a file a batch of
//! JSON objects; as headers that go with a request whose body stays as it came (the binary mode of HTTP).
//!
//! `source` is the endpoint, `type` the provider and its type of event, `id` the provider's: a delivery that comes twice is the
//! same event. What comes as a `CloudEvent` says all that of itself, and keeps it.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use crate::record::{
    Capture,
    cloudevent::{self, PREFIX, SPECVERSION, coded},
};

/// The media types of events in structured mode begin so.
const STRUCTURED: &str = "application/cloudevents";

pub(super) const FRAME: (&str, &str, &str) = ("[\n", ",", "]\n");

/// The headers that make a request one; none where it is one.
pub fn headers(capture: &Capture) -> Vec<(String, String)> {
    if own(capture).is_some() || is_structured(capture) {
        return Vec::new();
    }
    attributes(capture).into_iter().map(|(name, value)| (format!("{PREFIX}{name}"), coded(&value))).collect()
}

/// The event as an object of JSON, its data as it came.
pub(super) fn write(capture: &Capture) -> Vec<u8> {
    let body = &capture.body.bytes;
    if is_structured(capture) && is_json(body) && body.trim_ascii_start().first() == Some(&b'{') {
        return [body.trim_ascii(), b"\n"].concat();
    }
    let attributes = own(capture).unwrap_or_else(|| attributes(capture));
    let mut object: Map<String, Value> = attributes.into_iter().map(|(name, value)| (name, value.into())).collect();
    if let Some(kind) = capture.head.headers().text("content-type") {
        object.insert("datacontenttype".to_owned(), kind.into());
    }
    let data = data(capture, &mut object);
    let mut text = Value::Object(object).to_string().into_bytes();
    if let Some(data) = data {
        text.pop();
        text.extend_from_slice(b",\"data\":");
        text.extend_from_slice(data);
        text.push(b'}');
    }
    text.push(b'\n');
    text
}

/// The body where it is JSON and stands as it came; any other is put into the object.
fn data<'a>(capture: &'a Capture, object: &mut Map<String, Value>) -> Option<&'a [u8]> {
    let body = &capture.body.bytes[..];
    let says_json = media(capture).is_some_and(|media| media.ends_with("/json") || media.ends_with("+json"));
    if body.is_empty() {
        return None;
    }
    if says_json && is_json(body) {
        return Some(body.trim_ascii());
    }
    match std::str::from_utf8(body) {
        // A text under a media type of JSON would be taken for a value of it.
        Ok(text) if !says_json => object.insert("data".to_owned(), text.into()),
        _ => object.insert("data_base64".to_owned(), STANDARD.encode(body).into()),
    };
    None
}

fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(body).is_ok()
}

fn media(capture: &Capture) -> Option<String> {
    let kind = capture.head.headers().text("content-type")?;
    Some(kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

fn is_structured(capture: &Capture) -> bool {
    media(capture).is_some_and(|media| media.starts_with(STRUCTURED))
}

/// What an event in binary mode says of itself.
fn own(capture: &Capture) -> Option<Vec<(String, String)>> {
    let attributes = cloudevent::attributes(capture.head.headers());
    attributes.iter().any(|(name, _)| name == SPECVERSION).then_some(attributes)
}

/// What creel says of any other capture.
fn attributes(capture: &Capture) -> Vec<(String, String)> {
    let event = &capture.event;
    let kind = match (&capture.provider, &event.kind) {
        (Some(provider), Some(kind)) => format!("{provider}.{kind}"),
        (Some(provider), None) => format!("{provider}.event"),
        (None, _) => format!("http.{}", capture.head.method().to_ascii_lowercase()),
    };
    let id = event.id.clone().unwrap_or_else(|| capture.uid.to_string());
    [
        (SPECVERSION, "1.0".to_owned()),
        ("id", id),
        ("source", format!("/{}", coded(&capture.endpoint))),
        ("type", kind),
        ("time", event.created_at.unwrap_or(capture.received_at).to_string()),
        // Extensions: letters and digits alone may be in their names.
        ("signature", capture.judgement.verdict.name().to_owned()),
        ("creelid", capture.id.to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::record::{Body, CaptureId, Event, Head, Timestamp, Uid, Verdict};

    fn capture(head: &str, body: &'static [u8]) -> Capture {
        let head = Head::parse(Bytes::from(format!("POST /hook HTTP/1.1\r\n{head}\r\n")));
        let body = Body::whole(Bytes::from_static(body), [0; 32]);
        let capture = Capture::new(Uid(0), Timestamp::from_unix_ms(1_795_424_700_000), head, body);
        Capture { id: CaptureId(7), endpoint: "shop é".to_owned(), ..capture }
    }

    fn object(capture: &Capture) -> Value {
        serde_json::from_slice(&write(capture)).unwrap()
    }

    #[test]
    fn any_capture_is_an_event_and_its_json_stands_as_it_came() {
        let mut paid =
            capture("Content-Type: application/json; charset=utf-8\r\n", b" {\"amount\": 1.50,\n\"amount\":2}\n");
        paid.provider = Some("stripe".to_owned());
        paid.event = Event { id: Some("evt_1".into()), kind: Some("invoice.paid".into()), created_at: None };
        paid.judgement.verdict = Verdict::Passed;
        let text = String::from_utf8(write(&paid)).unwrap();
        assert!(text.contains("\"data\":{\"amount\": 1.50,\n\"amount\":2}}\n"), "{text}");
        let event = object(&paid);
        for (name, value) in [
            ("specversion", "1.0"),
            ("id", "evt_1"),
            ("source", "/shop%20%C3%A9"),
            ("type", "stripe.invoice.paid"),
            ("time", "2026-11-23T09:05:00.000Z"),
            ("signature", "passed"),
            ("creelid", "7"),
            ("datacontenttype", "application/json; charset=utf-8"),
        ] {
            assert_eq!(event[name], value, "{name}");
        }
    }

    #[test]
    fn a_body_that_is_no_json_is_a_text_or_base64() {
        let plain = object(&capture("Content-Type: text/plain\r\n", b"{\"not\": \"json\"}"));
        assert_eq!((&plain["data"], &plain["type"]), (&"{\"not\": \"json\"}".into(), &"http.post".into()));
        assert_eq!(object(&capture("", b"\xff\x00"))["data_base64"], "/wA=");
        assert_eq!(object(&capture("Content-Type: application/json\r\n", b"{broken"))["data_base64"], "e2Jyb2tlbg==");
        let empty = object(&capture("", b""));
        assert!(empty.get("data").is_none() && empty.get("data_base64").is_none(), "{empty}");
    }

    #[test]
    fn what_is_one_keeps_what_it_says_of_itself() {
        let binary = capture("ce-specversion: 1.0\r\nCe-Id: a%20%25\r\nce-source: /own\r\nce-type: t\r\n", b"x");
        let event = object(&binary);
        assert_eq!((&event["id"], &event["source"], event.get("creelid")), (&"a %".into(), &"/own".into(), None));
        let structured = capture("Content-Type: application/cloudevents+json\r\n", b"{\"id\":\"9\"}");
        assert_eq!(write(&structured), b"{\"id\":\"9\"}\n");
        assert!(headers(&binary).is_empty() && headers(&structured).is_empty());
        let made = headers(&capture("", b""));
        assert!(made.contains(&("ce-source".to_owned(), "/shop%20%C3%A9".replace('%', "%25"))), "{made:?}");
    }
}
