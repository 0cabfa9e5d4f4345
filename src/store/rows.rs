//! Records as rows, and rows as records.

use bytes::Bytes;
use rusqlite::Row;
use serde_json::{Value, json};

use crate::record::{
    Body, Capture, CaptureId, Change, Delivery, DeliveryId, Event, Evidence, Explanation, Fault, Flags, Head, Headers,
    Judgement, LastDelivery, Outcome, Refusal, Reply, Summary, Timestamp, Uid, Verdict, Version,
};

/// The columns of [`summary`], in its order.
pub(super) const SUMMARY: &str = "id, uid, received_at, endpoint, peer, method, path, query, size, truncated, flags, \
     provider, event_id, event_type, event_at, verdict, fault, covers_body, age_s, duplicate_of, reply, deliveries, app";

/// A row of the list.
pub(super) fn summary(row: &Row<'_>) -> rusqlite::Result<Summary> {
    Ok(Summary {
        id: CaptureId(row.get(0)?),
        uid: Uid(u128::from_be_bytes(row.get(1)?)),
        received_at: Timestamp::from_unix_ms(row.get(2)?),
        endpoint: row.get(3)?,
        peer: row.get(4)?,
        method: row.get(5)?,
        path: row.get(6)?,
        query: row.get(7)?,
        size: row.get::<_, i64>(8)? as u64,
        truncated: row.get(9)?,
        flags: Flags::from_bits(row.get(10)?),
        provider: row.get(11)?,
        event: Event {
            id: row.get(12)?,
            kind: row.get(13)?,
            created_at: row.get::<_, Option<i64>>(14)?.map(Timestamp::from_unix_ms),
        },
        verdict: verdict(row.get(15)?),
        fault: row.get::<_, Option<i64>>(16)?.and_then(fault),
        covers_body: row.get(17)?,
        age_s: row.get(18)?,
        duplicate_of: row.get::<_, Option<i64>>(19)?.map(CaptureId),
        reply_status: row.get(20)?,
        deliveries: row.get(21)?,
        last_delivery: row.get::<_, Option<u16>>(22)?.map(|app| match app {
            0 => LastDelivery::Failed,
            status => LastDelivery::Replied(status),
        }),
    })
}

/// A verdict by its place among all. One that a newer creel knows is shown as unchecked.
fn verdict(place: i64) -> Verdict {
    Verdict::all().nth(place as usize).unwrap_or(Verdict::Unchecked)
}

fn fault(place: i64) -> Option<Fault> {
    Fault::all().nth(place as usize)
}

/// Reads a capture from its two rows and its body.
pub(super) fn capture(summary: Summary, content: Content, bytes: Bytes) -> Capture {
    let explained =
        content.judgement.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null);
    Capture {
        id: summary.id,
        uid: summary.uid,
        received_at: summary.received_at,
        endpoint: summary.endpoint,
        peer: summary.peer,
        head: Head::parse(content.head),
        body: Body {
            size: summary.size,
            bytes,
            sha256: content.sha256,
            declared: content.declared,
            truncated: summary.truncated,
        },
        trailers: content.trailers.map_or_else(Headers::default, header_list),
        flags: summary.flags,
        provider: summary.provider,
        event: summary.event,
        judgement: Judgement {
            verdict: summary.verdict,
            fault: summary.fault,
            explanation: explanation(&explained),
            evidence: evidence(&explained),
            age_s: summary.age_s,
            covers_body: summary.covers_body,
        },
        duplicate_of: summary.duplicate_of,
        reply_status: summary.reply_status,
    }
}

/// A row of `content`, its body apart.
pub(super) struct Content {
    head: Bytes,
    trailers: Option<Bytes>,
    judgement: Option<String>,
    declared: Option<u64>,
    sha256: [u8; 32],
}

/// The columns of [`content`], in its order.
pub(super) const CONTENT: &str = "head, trailers, judgement, declared, sha256";

/// A capture's content without its body.
pub(super) fn content(row: &Row<'_>) -> rusqlite::Result<Content> {
    Ok(Content {
        head: row.get::<_, Vec<u8>>(0)?.into(),
        trailers: row.get::<_, Option<Vec<u8>>>(1)?.map(Bytes::from),
        judgement: row.get(2)?,
        declared: row.get::<_, Option<i64>>(3)?.map(|n| n as u64),
        sha256: row.get(4)?,
    })
}

/// Explanation and evidence as one JSON text; none where there is neither.
pub(super) fn judgement_text(judgement: &Judgement) -> Option<String> {
    if judgement.explanation.is_none() && judgement.evidence.is_none() {
        return None;
    }
    let explanation = judgement.explanation.as_ref().map(|e| json!([e.by, e.text, e.tried]));
    let evidence = judgement.evidence.as_ref().map(|e| json!([e.place, e.received, e.expected, e.content]));
    Some(json!([explanation, evidence]).to_string())
}

fn explanation(both: &Value) -> Option<Explanation> {
    let row = &both[0];
    Some(Explanation { text: text(&row[1])?, by: text(&row[0]), tried: row[2].as_u64().unwrap_or_default() })
}

fn evidence(both: &Value) -> Option<Evidence> {
    let row = &both[1];
    Some(Evidence { place: text(&row[0])?, received: text(&row[1]), expected: text(&row[2]), content: text(&row[3])? })
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// Headers as bytes: a head's lines without a request line.
pub(super) fn header_bytes(headers: &Headers) -> Bytes {
    Head::from_parts("", b"", Version::Http11, headers).raw().clone()
}

fn header_list(bytes: Bytes) -> Headers {
    Head::parse(bytes).headers().clone()
}

/// The columns of [`delivery`], in its order.
pub(super) const DELIVERY: &str =
    "id, capture, target, started_at, took_ms, attempt, receipt, error, status, headers, body, truncated";

/// A delivery.
pub(super) fn delivery(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    let receipt: Value = serde_json::from_str(row.get_ref(6)?.as_str()?).unwrap_or(Value::Null);
    let outcome = match row.get::<_, Option<u16>>(8)? {
        None => Outcome::Failed(row.get::<_, Option<String>>(7)?.unwrap_or_default()),
        Some(status) => Outcome::Replied(Reply {
            status,
            headers: header_list(row.get::<_, Vec<u8>>(9)?.into()),
            body: row.get::<_, Vec<u8>>(10)?.into(),
            truncated: row.get(11)?,
        }),
    };
    Ok(Delivery {
        id: DeliveryId(row.get(0)?),
        capture: CaptureId(row.get(1)?),
        to: row.get(2)?,
        started_at: Timestamp::from_unix_ms(row.get(3)?),
        took_ms: row.get::<_, i64>(4)? as u64,
        attempt: row.get(5)?,
        receipt: receipt.as_array().into_iter().flatten().filter_map(change).collect(),
        outcome,
    })
}

/// A receipt as JSON text.
pub(super) fn receipt_text(receipt: &[Change]) -> String {
    let rows = receipt.iter().map(|change| match change {
        Change::Replaced { name, from, to } => json!(["replaced", name, from, to]),
        Change::Dropped { name, value } => json!(["dropped", name, value]),
        Change::Added { name, value } => json!(["added", name, value]),
        Change::Other { what, from, to } => json!(["other", what, from, to]),
    });
    Value::Array(rows.collect()).to_string()
}

fn change(row: &Value) -> Option<Change> {
    let (name, first) = (text(&row[1])?, text(&row[2])?);
    match row[0].as_str()? {
        "replaced" => Some(Change::Replaced { name, from: first, to: text(&row[3])? }),
        "dropped" => Some(Change::Dropped { name, value: first }),
        "added" => Some(Change::Added { name, value: first }),
        "other" => Some(Change::Other { what: name, from: first, to: text(&row[3])? }),
        _ => None,
    }
}

/// A refused request.
pub(super) fn refusal(row: &Row<'_>) -> rusqlite::Result<Refusal> {
    Ok(Refusal {
        at: Timestamp::from_unix_ms(row.get(0)?),
        peer: row.get(1)?,
        status: row.get(2)?,
        reason: row.get(3)?,
        head: row.get(4)?,
    })
}
