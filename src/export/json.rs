//! The format `json`, and the contract of every `--json` output: one object a capture, its members in one order.
//!
//! Bytes that are not UTF-8 become text by [`crate::record::text::lossless`] in names, values and targets, and base64 in bodies.
//! [`super::SCHEMA`] describes every member; a test holds the two together.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::record::{
    Capture, Delivery, Errand, Evidence, Explanation, Fault, Flag, Head, Headers, Judgement, Mark, Outcome, Peer,
    Reply, text::lossless,
};

/// The row of the format: the object on one line. A capture does not know its deliveries, so it does not say there are
/// none either.
pub(super) fn write(capture: &Capture) -> Vec<u8> {
    let mut object = self::capture(capture, &[], true);
    object.as_object_mut().and_then(|members| members.shift_remove("deliveries"));
    if let Some(raw) = raw(capture) {
        object["raw"] = raw;
    }
    format!("{object}\n").into_bytes()
}

/// The bytes of head and trailers that the other members do not tell, for the way back.
pub(super) fn raw(capture: &Capture) -> Option<Value> {
    let head = &capture.head;
    let text = |headers: &Headers| -> Headers {
        headers.iter().map(|header| (header.name_text().into_owned(), header.value_text().into_owned())).collect()
    };
    let target = lossless(head.target());
    let told = Head::from_parts(&head.method(), target.as_bytes(), head.version(), &text(head.headers()));
    let mut raw = serde_json::Map::new();
    if told.raw() != head.raw() {
        raw.insert("head".to_owned(), STANDARD.encode(head.raw()).into());
    }
    if text(&capture.trailers) != capture.trailers {
        let lines =
            capture.trailers.iter().map(|line| json!([STANDARD.encode(line.name), STANDARD.encode(line.value)]));
        raw.insert("trailers".to_owned(), lines.collect());
    }
    (!raw.is_empty()).then(|| raw.into())
}

/// A capture with its deliveries, in the order they are given in. Without `bodies` the content of its body and of the
/// replies is left out, and their sizes stay; content that was left in the store is left out in any case.
pub fn capture(capture: &Capture, deliveries: &[Delivery], bodies: bool) -> Value {
    let (head, peer) = (&capture.head, Peer::of(&capture.peer));
    json!({
        "id": capture.id.0,
        "uid": capture.uid.to_string(),
        "received_at": capture.received_at.to_string(),
        "endpoint": capture.endpoint,
        "peer": peer.end,
        "forwarded_for": peer.forwarded_for,
        "method": head.method(),
        "target": lossless(head.target()),
        "path": head.path(),
        "query": head.query(),
        "version": head.version().name(),
        "headers": headers(head.headers()),
        "trailers": headers(&capture.trailers),
        "body": body(capture, bodies),
        "provider": capture.provider,
        "event": {
            "id": capture.event.id,
            "type": capture.event.kind,
            "created_at": capture.event.created_at.map(|moment| moment.to_string()),
        },
        "signature": signature(capture),
        "handshake": capture.judgement.handshake.as_ref().map(|asked| {
            json!({ "about": asked.about, "answer": asked.answer, "show": asked.show })
        }),
        "flags": capture.flags.iter().map(Flag::name).collect::<Vec<_>>(),
        "marks": marks(capture),
        "note": capture.note,
        "edited_from": capture.edited_from.map(|id| id.0),
        "duplicate_of": capture.duplicate_of.map(|id| id.0),
        "attempt": capture.repeat.map_or(1, |repeat| repeat.attempt),
        "gap_ms": capture.repeat.map(|repeat| repeat.gap_ms),
        "late_ms": capture.late_ms,
        "reply": { "status": capture.answered() },
        "deliveries": deliveries.iter().map(|delivery| self::delivery(delivery, bodies)).collect::<Vec<_>>(),
    })
}

/// A delivery, as it stands in its capture's object.
pub fn delivery(delivery: &Delivery, bodies: bool) -> Value {
    let reply = match &delivery.outcome {
        Outcome::Replied(reply) => Some(self::reply(reply, bodies)),
        Outcome::Failed(..) => None,
    };
    let (error, error_kind) = error(&delivery.outcome);
    json!({
        "id": delivery.id.0,
        "to": delivery.to,
        "status": delivery.status(),
        "took_ms": delivery.took_ms,
        "attempt": delivery.attempt,
        "started_at": delivery.started_at.to_string(),
        "error": error,
        "error_kind": error_kind,
        "receipt": delivery.receipt.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "reply": reply,
    })
}

/// Why no reply came, in words and by the name of its cause: `error` and `error_kind` wherever an outcome is told.
pub fn error(outcome: &Outcome) -> (Option<&str>, Option<&'static str>) {
    match outcome {
        Outcome::Replied(_) => (None, None),
        Outcome::Failed(cause, why) => (Some(why), Some(cause.name())),
    }
}

/// What `verify` prints of a judgement: verdict, fault and explanation.
pub fn judgement(judgement: &Judgement) -> Value {
    json!({
        "verdict": judgement.verdict.name(),
        "fault": judgement.fault.map(Fault::name),
        "explanation": judgement.explanation.as_ref().map(explanation),
    })
}

/// A failed check's explanation: `{"by", "text", "tried"}`.
pub fn explanation(explanation: &Explanation) -> Value {
    json!({ "by": explanation.by, "text": explanation.text, "tried": explanation.tried })
}

pub(super) fn headers(headers: &Headers) -> Value {
    headers.iter().map(|header| json!([header.name_text(), header.value_text()])).collect()
}

fn body(capture: &Capture, with_content: bool) -> Value {
    let body = &capture.body;
    let mut object = json!({ "size": body.size, "sha256": hex::encode(body.sha256), "truncated": body.truncated });
    // A reader may have left the bytes in the store.
    let is_here = body.bytes.len() as u64 == body.size;
    add_content(&mut object, &body.bytes, with_content && is_here);
    object
}

/// What is still to be brought to an app, or was given up.
pub fn errand(errand: &Errand) -> Value {
    json!({
        "errand": errand.id.0,
        "lane": errand.lane,
        "tries": errand.tries,
        "due_at": errand.due_at.to_string(),
        "dead": errand.dead,
        "why": errand.why,
    })
}

fn reply(reply: &Reply, with_content: bool) -> Value {
    let mut body = json!({ "size": reply.body.len(), "truncated": reply.truncated });
    add_content(&mut body, &reply.body, with_content);
    json!({ "headers": headers(&reply.headers), "body": body })
}

fn add_content(object: &mut Value, bytes: &[u8], is_wanted: bool) {
    if !is_wanted {
        return;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => object["text"] = text.into(),
        Err(_) => object["base64"] = STANDARD.encode(bytes).into(),
    }
}

fn signature(capture: &Capture) -> Value {
    let judgement = &capture.judgement;
    let mut value = self::judgement(judgement);
    value["age_s"] = judgement.age_s.into();
    value["covers_body"] = judgement.covers_body.into();
    value["evidence"] = judgement.evidence.as_ref().map_or(Value::Null, evidence);
    value
}

fn evidence(evidence: &Evidence) -> Value {
    json!({
        "place": evidence.place,
        "received": evidence.received,
        "expected": evidence.expected,
        "content": evidence.content,
        "difference": evidence.difference,
    })
}

/// The same marks as on the row of the list.
fn marks(capture: &Capture) -> Vec<&'static str> {
    let fault = capture.judgement.fault;
    crate::record::marks(capture.duplicate_of, capture.repeat, fault, capture.late_ms)
        .chain(capture.tags.marks())
        .map(Mark::name)
        .collect()
}
