//! The contract of `--json`: `assets/schema.json` says what each field is, and a test holds the two together.

use serde_json::{Map, Value, json};

use super::base64;
use crate::record::{
    Body, Capture, Delivery, Evidence, Explanation, Flag, Header, Headers, Judgement, Mark, Outcome, Reply, Timestamp,
};

/// The JSON Schema of a capture.
pub const SCHEMA: &str = include_str!("../../assets/schema.json");

/// A capture as an object. Without `bodies` the contents of bodies are left out, their sizes not.
pub fn capture(capture: &Capture, deliveries: &[Delivery], bodies: bool) -> Value {
    let head = &capture.head;
    let mut signature = judgement(&capture.judgement);
    signature["age_s"] = json!(capture.judgement.age_s);
    signature["covers_body"] = json!(capture.judgement.covers_body);
    signature["evidence"] = capture.judgement.evidence.as_ref().map_or(Value::Null, evidence);
    json!({
        "id": capture.id.0,
        "uid": capture.uid.to_string(),
        "received_at": capture.received_at.to_string(),
        "endpoint": capture.endpoint,
        "peer": capture.peer,
        "method": head.method(),
        "target": crate::record::text::lossless(head.target()),
        "path": head.path(),
        "query": head.query(),
        "version": head.version().name(),
        "headers": headers(head.headers()),
        "trailers": headers(&capture.trailers),
        "body": body(&capture.body, bodies),
        "provider": capture.provider,
        "event": {
            "id": capture.event.id,
            "type": capture.event.kind,
            "created_at": capture.event.created_at.map(|at: Timestamp| at.to_string()),
        },
        "signature": signature,
        "marks": marks(capture),
        "flags": capture.flags.iter().map(Flag::name).collect::<Vec<_>>(),
        "duplicate_of": capture.duplicate_of.map(|id| id.0),
        "reply": {"status": (capture.reply_status != 0).then_some(capture.reply_status)},
        "deliveries": deliveries.iter().map(|it| delivered(it, bodies)).collect::<Vec<_>>(),
    })
}

pub(super) fn write(capture_: &Capture) -> Vec<u8> {
    format!("{}\n", capture(capture_, &[], true)).into_bytes()
}

/// What `verify` prints: verdict, fault and explanation.
pub fn judgement(judgement: &Judgement) -> Value {
    json!({
        "verdict": judgement.verdict.name(),
        "fault": judgement.fault.map(crate::record::Fault::name),
        "explanation": judgement.explanation.as_ref().map_or(Value::Null, explanation),
    })
}

fn explanation(it: &Explanation) -> Value {
    json!({"by": it.by, "text": it.text, "tried": it.tried})
}

fn evidence(it: &Evidence) -> Value {
    json!({"place": it.place, "received": it.received, "expected": it.expected, "content": it.content})
}

fn headers(headers: &Headers) -> Value {
    headers.iter().map(|header: &Header| json!([header.name_text(), header.value_text()])).collect()
}

fn body(body: &Body, content: bool) -> Value {
    let mut value = json!({"size": body.size, "sha256": hex(&body.sha256), "truncated": body.truncated});
    if content && let Value::Object(fields) = &mut value {
        put_content(fields, &body.bytes);
    }
    value
}

/// `text` where the bytes are UTF-8, else `base64`.
fn put_content(fields: &mut Map<String, Value>, bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(text) => fields.insert("text".to_owned(), json!(text)),
        Err(_) => fields.insert("base64".to_owned(), json!(base64::encode(bytes))),
    };
}

fn marks(capture: &Capture) -> Vec<&'static str> {
    let duplicate = capture.duplicate_of.map(|_| Mark::Duplicate);
    let stale = (capture.judgement.fault == Some(crate::record::Fault::Stale)).then_some(Mark::Stale);
    duplicate.into_iter().chain(stale).map(Mark::name).collect()
}

/// A delivery as an object, its reply's body with it.
pub fn delivery(it: &Delivery) -> Value {
    delivered(it, true)
}

fn delivered(it: &Delivery, bodies: bool) -> Value {
    let (error, reply) = match &it.outcome {
        Outcome::Failed(why) => (Some(why), None),
        Outcome::Replied(reply) => (None, Some(reply)),
    };
    json!({
        "id": it.id.0,
        "capture": it.capture.0,
        "to": it.to,
        "status": it.status(),
        "error": error,
        "started_at": it.started_at.to_string(),
        "took_ms": it.took_ms,
        "attempt": it.attempt,
        "receipt": it.receipt.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "reply": reply.map(|reply| replied(reply, bodies)),
    })
}

fn replied(reply: &Reply, bodies: bool) -> Value {
    let mut content = json!({"size": reply.body.len(), "truncated": reply.truncated});
    if bodies && let Value::Object(fields) = &mut content {
        put_content(fields, &reply.body);
    }
    json!({"headers": headers(&reply.headers), "body": content})
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::{
        export::fixture,
        record::{CaptureId, Change, DeliveryId},
    };

    fn example() -> Value {
        let it = fixture::capture(b"POST /a?x=1 HTTP/1.1\r\nHost: h\r\nX-8: caf\xe9\r\n\r\n", b"{}");
        let reply = Reply {
            status: 200,
            headers: [("A", "1")].into_iter().collect(),
            body: Bytes::from_static(b"\xff"),
            truncated: false,
        };
        let delivery = Delivery {
            id: DeliveryId(7),
            capture: CaptureId(42),
            to: "http://h/".to_owned(),
            started_at: Timestamp::from_unix_ms(0),
            took_ms: 12,
            attempt: 1,
            receipt: vec![Change::Added { name: "Connection".to_owned(), value: "close".to_owned() }],
            outcome: Outcome::Replied(reply),
        };
        capture(&it, &[delivery], true)
    }

    #[test]
    fn the_contract_is_kept_to_the_letter() {
        assert_eq!(
            serde_json::to_string_pretty(&example()).unwrap().trim(),
            include_str!("../../tests/data/capture.json").trim()
        );
    }

    #[test]
    fn without_bodies_only_their_contents_are_missing() {
        let it = fixture::capture(b"POST / HTTP/1.1\r\n\r\n", b"{}");
        let value = capture(&it, &[], false);
        assert_eq!(value["body"], json!({"size": 2, "sha256": "ab".repeat(32), "truncated": false}));
    }

    /// Every key that is written is described, and every key that must be there is written.
    #[test]
    fn the_schema_describes_what_is_written() {
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        let mut wrong = Vec::new();
        agree(&schema, &schema, &example(), "capture", &mut wrong);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    fn agree(root: &Value, schema: &Value, value: &Value, place: &str, wrong: &mut Vec<String>) {
        let schema = schema["$ref"].as_str().map_or(schema, |at| root.pointer(at.trim_start_matches('#')).unwrap());
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    match schema["properties"].get(key) {
                        Some(schema) => agree(root, schema, value, &format!("{place}.{key}"), wrong),
                        None => wrong.push(format!("{place}.{key} is not described")),
                    }
                }
                let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
                wrong.extend(
                    required
                        .filter(|key| !fields.contains_key(*key))
                        .map(|key| format!("{place}.{key} is not written")),
                );
            }
            Value::Array(items) => {
                for item in items {
                    agree(root, &schema["items"], item, &format!("{place}[]"), wrong);
                }
            }
            _ if schema["type"].is_null() && schema["enum"].is_null() => wrong.push(format!("{place} has no type")),
            _ => {}
        }
    }
}
