//! Rows out: what the columns of a row mean.

use bytes::Bytes;
use rusqlite::{Error, Row, types::Type};

use super::codec;
use crate::record::{
    Body, Capture, CaptureId, Cause, Circuit, Delivery, DeliveryId, Errand, ErrandId, Event, Fault, Flags, Head,
    Judgement, LastDelivery, Outcome, Post, Refusal, Repeat, Reply, Summary, Tags, Timestamp, Uid, Verdict,
};

/// The columns that [`summary`] reads, in its order.
pub(super) const SUMMARY_COLUMNS: &str = "summary.id, uid, received_at, endpoint, peer, method, path, query, provider,
    event_id, event_type, event_at, verdict, fault, covers_body, age_s, flags, duplicate_of, size, truncated, reply,
    deliveries, app, summary.attempt, gap_ms, retry, late_ms, post, tags, note, summary.took_ms,
    edited_from";
/// The place of the first column after [`SUMMARY_COLUMNS`].
const AFTER_SUMMARY: usize = 32;
/// The columns that [`capture`] reads after [`SUMMARY_COLUMNS`], and what of the body lies in the row itself.
pub(super) const CONTENT_COLUMNS: &str = "sha256, declared, chunks, judgement, trailers, head, body";
/// The same, where nobody wants the body.
pub(super) const CONTENT_COLUMNS_BUT_THE_BODY: &str = "sha256, declared, chunks, judgement, trailers, head, NULL";
/// The columns that [`delivery`] reads.
pub(super) const DELIVERY_COLUMNS: &str =
    "id, capture, url, started_at, took_ms, attempt, receipt, status, error, truncated, headers, body, errand, cause";
/// The columns that [`refusal`] reads.
pub(super) const REFUSAL_COLUMNS: &str = "at, peer, status, reason, head";

/// A row of table `summary`.
pub(super) fn summary(row: &Row<'_>) -> Result<Summary, Error> {
    Ok(Summary {
        id: CaptureId(row.get(0)?),
        uid: Uid(u128::from_be_bytes(row.get(1)?)),
        received_at: Timestamp::from_unix_ms(row.get(2)?),
        endpoint: row.get(3)?,
        peer: row.get(4)?,
        method: row.get(5)?,
        path: row.get(6)?,
        query: row.get(7)?,
        provider: row.get(8)?,
        event: Event {
            id: row.get(9)?,
            kind: row.get(10)?,
            created_at: row.get::<_, Option<i64>>(11)?.map(Timestamp::from_unix_ms),
        },
        verdict: place(12, row.get(12)?, Verdict::all())?,
        fault: row.get::<_, Option<i64>>(13)?.map(|at| place(13, at, Fault::all())).transpose()?,
        covers_body: row.get(14)?,
        age_s: row.get(15)?,
        flags: Flags::from_bits(row.get(16)?),
        duplicate_of: row.get::<_, Option<i64>>(17)?.map(CaptureId),
        size: count(row, 18)?,
        truncated: row.get(19)?,
        reply_status: row.get(20)?,
        deliveries: row.get(21)?,
        last_delivery: row.get::<_, Option<u16>>(22)?.map(|status| match status {
            0 => LastDelivery::Failed,
            status => LastDelivery::Replied(status),
        }),
        repeat: row
            .get::<_, Option<u32>>(23)?
            .map(|attempt| {
                let gap_ms = row.get::<_, Option<i64>>(24)?.unwrap_or_default();
                let kind = row.get::<_, Option<i64>>(25)?.unwrap_or_default();
                Ok::<_, Error>(Repeat { attempt, gap_ms, is_retry: kind & 1 != 0, is_replay: kind & 2 != 0 })
            })
            .transpose()?,
        late_ms: row.get(26)?,
        post: row.get::<_, Option<i64>>(27)?.map(|post| if post > 1 { Post::Dead } else { Post::Waiting }),
        tags: Tags::from_bits(row.get(28)?),
        note: row.get(29)?,
        took_ms: row.get::<_, Option<i64>>(30)?.map(i64::cast_unsigned),
        edited_from: row.get::<_, Option<i64>>(31)?.map(CaptureId),
    })
}

/// What stands at a place of a list of record.
fn place<T>(column: usize, at: i64, mut all: impl Iterator<Item = T>) -> Result<T, Error> {
    usize::try_from(at).ok().and_then(|n| all.nth(n)).ok_or(Error::IntegralValueOutOfRange(column, at))
}

/// A number that counts something.
pub(super) fn count(row: &Row<'_>, column: usize) -> Result<u64, Error> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| Error::IntegralValueOutOfRange(column, value))
}

/// A row of `summary` and `content`, with the body that lies in it; and how many chunks the body has where it does not.
pub(super) fn capture(row: &Row<'_>) -> Result<(Capture, i64), Error> {
    let listed = summary(row)?;
    let at = |n: usize| AFTER_SUMMARY + n;
    let words: Option<String> = row.get(at(3))?;
    let (explanation, evidence, handshake, url) =
        codec::words_out(words.as_deref()).ok_or_else(|| unreadable(at(3), Type::Text))?;
    let capture = Capture {
        id: listed.id,
        uid: listed.uid,
        received_at: listed.received_at,
        endpoint: listed.endpoint,
        peer: listed.peer,
        head: Head::parse(Bytes::from(row.get::<_, Vec<u8>>(at(5))?)),
        body: Body {
            size: listed.size,
            bytes: row.get::<_, Option<Vec<u8>>>(at(6))?.unwrap_or_default().into(),
            sha256: row.get(at(0))?,
            declared: row.get::<_, Option<i64>>(at(1))?.map(i64::cast_unsigned),
            truncated: listed.truncated,
        },
        trailers: codec::headers_out(row.get(at(4))?).ok_or_else(|| unreadable(at(4), Type::Blob))?,
        flags: listed.flags,
        provider: listed.provider,
        event: listed.event,
        judgement: Judgement {
            handshake,
            url,
            verdict: listed.verdict,
            fault: listed.fault,
            explanation,
            evidence,
            age_s: listed.age_s,
            covers_body: listed.covers_body,
        },
        duplicate_of: listed.duplicate_of,
        repeat: listed.repeat,
        late_ms: listed.late_ms,
        edited_from: listed.edited_from,
        tags: listed.tags,
        note: listed.note,
        reply_status: listed.reply_status,
    };
    Ok((capture, row.get(at(2))?))
}

/// A row of table `delivery`.
pub(super) fn delivery(row: &Row<'_>) -> Result<Delivery, Error> {
    let receipt: String = row.get(6)?;
    let outcome = match row.get::<_, Option<u16>>(7)? {
        None => {
            let cause = row.get::<_, Option<i64>>(13)?.map_or_else(Cause::default, Cause::of_number);
            Outcome::Failed(cause, row.get::<_, Option<String>>(8)?.unwrap_or_default())
        }
        Some(status) => Outcome::Replied(Reply {
            status,
            headers: codec::headers_out(row.get(10)?).ok_or_else(|| unreadable(10, Type::Blob))?,
            body: Bytes::from(row.get::<_, Option<Vec<u8>>>(11)?.unwrap_or_default()),
            truncated: row.get(9)?,
        }),
    };
    Ok(Delivery {
        id: DeliveryId(row.get(0)?),
        capture: CaptureId(row.get(1)?),
        to: row.get(2)?,
        started_at: Timestamp::from_unix_ms(row.get(3)?),
        took_ms: row.get::<_, i64>(4)?.cast_unsigned(),
        attempt: row.get(5)?,
        receipt: codec::receipt_out(&receipt).ok_or_else(|| unreadable(6, Type::Text))?,
        outcome,
        errand: row.get::<_, Option<i64>>(12)?.map(ErrandId),
    })
}

/// The columns that [`errand`] reads.
pub(super) const ERRAND_COLUMNS: &str = "id, capture, lane, tries, due_at, dead, why";

/// A row of table `errand`.
pub(super) fn errand(row: &Row<'_>) -> Result<Errand, Error> {
    Ok(Errand {
        id: ErrandId(row.get(0)?),
        capture: CaptureId(row.get(1)?),
        lane: row.get(2)?,
        tries: row.get(3)?,
        due_at: Timestamp::from_unix_ms(row.get(4)?),
        dead: row.get(5)?,
        why: row.get(6)?,
    })
}

/// A row of table `circuit`.
pub(super) fn circuit(row: &Row<'_>) -> Result<Circuit, Error> {
    Ok(Circuit {
        lane: row.get(0)?,
        failures: row.get(1)?,
        until: Timestamp::from_unix_ms(row.get(2)?),
        why: row.get(3)?,
    })
}

/// A row of table `refusal`.
pub(super) fn refusal(row: &Row<'_>) -> Result<Refusal, Error> {
    Ok(Refusal {
        at: Timestamp::from_unix_ms(row.get(0)?),
        peer: row.get(1)?,
        status: row.get(2)?,
        reason: row.get(3)?,
        head: row.get(4)?,
    })
}

/// The error for a column that cannot hold what it should.
pub(super) fn unreadable(column: usize, kind: Type) -> Error {
    Error::FromSqlConversionFailure(column, kind, "the column is damaged".into())
}
