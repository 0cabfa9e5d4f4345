//! Rows in: what one job writes, inside the transaction of its batch.

use std::collections::HashSet;

use rusqlite::{CachedStatement, Connection, Error, OptionalExtension, Row, params, params_from_iter};

use super::{
    CHUNK_BYTES, REFUSALS_BYTES, REFUSALS_KEPT,
    batch::Batches,
    codec,
    gram::PARTS,
    index::{Change, VERSION},
    post::worst,
    retold::may_hold_what_was_retold,
    seen::{Key, Seen},
    writer::{JudgedAgain, Stored},
};
use crate::query::{Sql, Value};
use crate::record::{
    Capture, CaptureId, Delivery, DeliveryId, ErrandId, Failure, Flag, Flags, Judgement, Outcome, Refusal, Repeat,
    Settlement, Tagging, Timestamp, Uid, Verdict,
};

/// How many bits of a chunk's id count the chunks of a capture.
const CHUNK_BITS: u32 = 16;
// Filters put a body together in SQL (`query::Inside`).
const _: () = assert!(1 << CHUNK_BITS == 65_536);

const BEGIN: &str = "BEGIN IMMEDIATE";
const COMMIT: &str = "COMMIT";
const NEXT: &str = "SELECT next_id, next_delivery, next_errand, next_batch, (SELECT coalesce(max(n), 0) FROM retold)
    FROM counter";
// Added to and never set: another process may have counted since.
const COUNT: &str =
    "UPDATE counter SET next_id = next_id + ?, next_delivery = next_delivery + ?, captures = captures + ?,
    bytes = bytes + ?, failed = failed + ?, duplicates = duplicates + ?, refused = refused + ?,
    next_errand = next_errand + ?, next_batch = next_batch + ?, waiting = waiting + ?, dead = dead + ?";
const SUMMARY: &str =
    "INSERT INTO summary (id, uid, received_at, endpoint, peer, method, path, query, provider, event_id,
    event_type, event_at, verdict, fault, covers_body, age_s, flags, duplicate_of, size, truncated, reply, deliveries,
    attempt, gap_ms, retry, late_ms, post, errand, lanes, tags, note, edited_from)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
// The newest of an event's captures stands in the first one's row.
const LAST_OF_EVENT: &str =
    "SELECT attempt, received_at, reply, app, judgement, flags, uid FROM summary JOIN content USING (id)
    WHERE summary.id = (SELECT coalesce(last_repeat, id) FROM summary WHERE id = ?)";
const TAG: &str =
    "UPDATE summary SET tags = tags & ~?2 | ?3, note = CASE WHEN ?4 IS NULL THEN note ELSE nullif(?4, '') END
    WHERE id = ?1";
const REPEATED: &str = "UPDATE summary SET last_repeat = ? WHERE id = ?";
const CONTENT: &str = "INSERT INTO content (id, sha256, declared, chunks, judgement, trailers, head, body)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
const CHUNK: &str = "INSERT INTO chunk (id, bytes) VALUES (?, ?)";
const SAME_EVENT: &str =
    "SELECT 1 FROM summary WHERE id = ? AND event_id = ? AND endpoint = ? AND provider IS ? AND event_type IS ?";
// Asked for before it is written: `RETURNING` makes a table of its own for its one row, which takes longer than both.
const DELIVERIES: &str = "SELECT deliveries, delivery FROM summary WHERE id = ?";
/// The deliveries of capture `?1` as the table `of`: its row leads to the newest, and each to the one before it.
macro_rules! of_capture {
    () => {
        "WITH RECURSIVE of (id) AS (SELECT delivery FROM summary WHERE id = ?1 AND delivery IS NOT NULL
        UNION ALL SELECT before FROM of CROSS JOIN delivery USING (id) WHERE before < delivery.id) "
    };
}
pub(super) use of_capture;

/// With what became of the capture's errands, where something did, and what its sender was answered.
pub(super) const DELIVERED: &str = concat!(
    "UPDATE summary SET deliveries = ?2, app = ?3, took_ms = ?4, reply = coalesce(?5, reply), delivery = ?7,
    post = CASE WHEN ?6 THEN ",
    worst!(),
    " ELSE post END WHERE id = ?1"
);
const DELIVERY: &str = "INSERT INTO delivery (id, capture, url, started_at, took_ms, attempt, receipt, status, error,
    truncated, headers, body, errand, cause, before) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const REFUSAL: &str = "INSERT INTO refusal (at, peer, status, reason, head) VALUES (?, ?, ?, ?, ?)";
const UIDS: &str = "SELECT uid FROM summary";
const IMPORTED: &str = "INSERT INTO imported (first_id, last_id) VALUES (?, ?)";
const TELL: &str = "INSERT OR REPLACE INTO respond (endpoint, words) VALUES (?, ?)";
const UNTELL: &str = "DELETE FROM respond WHERE endpoint = ?";
const REFUSALS_OVER_COUNT: &str = "DELETE FROM refusal WHERE id <= (SELECT max(id) FROM refusal) - ?";
const REFUSALS_OVER_BYTES: &str = "DELETE FROM refusal WHERE id <= (
    SELECT max(id) FROM (SELECT id, sum(length(head)) OVER (ORDER BY id DESC) AS bytes FROM refusal) WHERE bytes > ?)";

const SHEET: &str = "INSERT OR REPLACE INTO gram_sheet (id, version, width, always, sharp) VALUES (?, ?, ?, ?, ?)";
const PART: &str = "INSERT OR REPLACE INTO gram_part (id, bits) VALUES (?, ?)";
const NO_SHEET: &str = "DELETE FROM gram_sheet WHERE id = ?";
const NO_PARTS: &str = "DELETE FROM gram_part WHERE id >= ? AND id < ?";

const VERDICT: &str = "SELECT verdict FROM summary WHERE id = ?";
const JUDGED: &str =
    "UPDATE summary SET verdict = ?2, fault = ?3, covers_body = ?4, age_s = ?5, flags = flags & ~?6 WHERE id = ?1";
const WORDS: &str = "UPDATE content SET judgement = ?2 WHERE id = ?1";
const TO_FORGET: &str = "SELECT post IS NOT NULL, length(head) + size, verdict, duplicate_of IS NOT NULL
    FROM summary JOIN content USING (id) WHERE summary.id = ?";
/// What is deleted with a capture: each takes its number, and the first and the last place of its chunks.
pub(super) const FORGET: [&str; 4] = [
    "DELETE FROM chunk WHERE id BETWEEN ?2 AND ?3 AND ?1 = ?1",
    concat!(of_capture!(), "DELETE FROM delivery WHERE id IN of AND capture = ?1 AND ?2 = ?2 AND ?3 = ?3"),
    "DELETE FROM content WHERE id = ?1 AND ?2 = ?2 AND ?3 = ?3",
    "DELETE FROM summary WHERE id = ?1 AND ?2 = ?2 AND ?3 = ?3",
];

/// What one transaction adds to the counters.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    captures: i64,
    bytes: i64,
    failed: i64,
    pub(super) duplicates: i64,
    deliveries: i64,
    refused: i64,
    pub(super) errands: i64,
    pub(super) batches: i64,
    /// Errands that wait, and those that were given up: only of what is forwarded.
    pub(super) waiting: i64,
    pub(super) dead: i64,
    /// Captures that were deleted. They had been counted, and their numbers are not given again.
    forgotten: i64,
}

/// Uids that there are: 16 bytes each of those in the store, more of those that came since.
pub(super) struct Uids {
    stored: Vec<Uid>,
    added: HashSet<Uid>,
}

impl Uids {
    fn new(mut stored: Vec<Uid>) -> Self {
        // They begin with the time, and so are nearly in order.
        stored.sort_unstable();
        Self { stored, added: HashSet::new() }
    }

    /// Adds one. Whether it is new.
    pub(super) fn insert(&mut self, uid: Uid) -> bool {
        self.stored.binary_search(&uid).is_err() && self.added.insert(uid)
    }
}

/// How a capture stands among the others of its event and of its endpoint.
#[derive(Clone, Copy)]
struct Course {
    duplicate_of: Option<i64>,
    repeat: Option<Repeat>,
    late_ms: Option<i64>,
}

/// One open transaction.
pub(super) struct Transaction<'c> {
    pub(super) connection: &'c Connection,
    summary: CachedStatement<'c>,
    content: CachedStatement<'c>,
    same_event: CachedStatement<'c>,
    deliveries: CachedStatement<'c>,
    delivered: CachedStatement<'c>,
    delivery: CachedStatement<'c>,
    next_id: i64,
    next_delivery: i64,
    pub(super) next_errand: i64,
    pub(super) next_batch: i64,
    /// The last row of what was told anew.
    pub(super) last_retold: i64,
    pub(super) batches: Batches,
    pub(super) tally: Tally,
}

impl<'c> Transaction<'c> {
    /// Begins. Waits for another process's transaction, within the busy timeout.
    pub(super) fn begin(connection: &'c Connection) -> Result<Self, Error> {
        connection.prepare_cached(BEGIN)?.execute(())?;
        let (next_id, next_delivery, next_errand, next_batch, last_retold) =
            connection.prepare_cached(NEXT)?.query_row((), |row| {
                Ok((number(row, 0)?, number(row, 1)?, number(row, 2)?, number(row, 3)?, row.get(4)?))
            })?;
        Ok(Self {
            connection,
            summary: connection.prepare_cached(SUMMARY)?,
            content: connection.prepare_cached(CONTENT)?,
            same_event: connection.prepare_cached(SAME_EVENT)?,
            deliveries: connection.prepare_cached(DELIVERIES)?,
            delivered: connection.prepare_cached(DELIVERED)?,
            delivery: connection.prepare_cached(DELIVERY)?,
            next_id,
            next_delivery,
            next_errand,
            next_batch,
            last_retold,
            batches: Batches::default(),
            tally: Tally::default(),
        })
    }

    /// Writes a capture, and an errand for each lane. Gives its id, and the first capture of its event.
    pub(super) fn capture(
        &mut self,
        capture: &Capture,
        lanes: &[std::sync::Arc<str>],
        seen: &mut Seen,
    ) -> Result<Stored, Error> {
        let id = self.next_id + self.tally.captures;
        // What a person made is no delivery of its event.
        let is_made = capture.edited_from.is_some();
        let duplicate_of = if is_made { None } else { self.first_of(capture, id, seen)? };
        let course = Course {
            duplicate_of,
            repeat: duplicate_of.map(|first| self.repeat(capture, id, first)).transpose()?.flatten(),
            // When an imported one came here says nothing, and it is not what others come after.
            late_ms: if is_made || is_imported(capture) { None } else { seen.late_ms(capture, duplicate_of.is_some()) },
        };
        let is_forwarded = !lanes.is_empty();
        let errand = is_forwarded.then(|| self.errands(CaptureId(id), lanes, capture.received_at)).transpose()?;
        self.insert_summary(capture, id, course, errand.map(|first| (first, lanes.len())))?;
        self.insert_content(capture, id)?;
        let tally = &mut self.tally;
        tally.captures += 1;
        tally.bytes += (capture.head.raw().len() + capture.body.bytes.len()) as i64;
        tally.failed += i64::from(capture.judgement.verdict == Verdict::Failed);
        tally.duplicates += i64::from(duplicate_of.is_some());
        Ok(Stored { id: CaptureId(id), duplicate_of: duplicate_of.map(CaptureId), errand })
    }

    /// The uids of all captures. Read once for an import that needs them: an index would cost each capture a random page.
    pub(super) fn uids(&self) -> Result<Uids, Error> {
        let mut statement = self.connection.prepare_cached(UIDS)?;
        let all = statement.query_map((), |row| Ok(Uid(u128::from_be_bytes(row.get(0)?))))?;
        all.collect::<Result<_, _>>().map(Uids::new)
    }

    /// Keeps which numbers an import gave.
    pub(super) fn imported(&self, first: CaptureId, count: u64) -> Result<(), Error> {
        if count > 0 {
            let last = first.0.saturating_add(count.cast_signed()).saturating_sub(1);
            self.connection.prepare_cached(IMPORTED)?.execute([first.0, last])?;
        }
        Ok(())
    }

    fn first_of(&mut self, capture: &Capture, id: i64, seen: &mut Seen) -> Result<Option<i64>, Error> {
        let Some(event_id) = capture.event.id.as_deref() else { return Ok(None) };
        let (provider, event_type) = (capture.provider.as_deref(), capture.event.kind.as_deref());
        let key = Key { endpoint: &capture.endpoint, provider, event_id, event_type };
        let same_event = &mut self.same_event;
        seen.admit(&key, id, |candidate| {
            same_event.exists(params![candidate, event_id, key.endpoint, provider, event_type])
        })
    }

    /// Which delivery of its event a capture is, by the newest of the event's captures, whose place it takes. None for an
    /// imported one that is older than that, or that very capture: it is no delivery after it.
    fn repeat(&self, capture: &Capture, id: i64, first: i64) -> Result<Option<Repeat>, Error> {
        let last = self.connection.prepare_cached(LAST_OF_EVENT)?.query_row([first], |row| {
            let (attempt, received_at): (Option<u32>, i64) = (row.get(0)?, row.get(1)?);
            let (reply, app): (u16, Option<u16>) = (row.get(2)?, row.get(3)?);
            let has_failed = has_failed(reply, app, Flags::from_bits(row.get(5)?));
            let is_itself = row.get_ref(6)?.as_blob()? == capture.uid.0.to_be_bytes();
            Ok((attempt.unwrap_or(1), received_at, has_failed, row.get::<_, Option<String>>(4)?, is_itself))
        });
        let Some((attempt, received_at, has_failed, words, is_itself)) = last.optional()? else { return Ok(None) };
        if is_imported(capture) && (is_itself || capture.received_at.unix_ms() < received_at) {
            return Ok(None);
        }
        self.connection.prepare_cached(REPEATED)?.execute([id, first])?;
        Ok(Some(Repeat {
            attempt: attempt.saturating_add(1),
            gap_ms: capture.received_at.unix_ms().saturating_sub(received_at),
            is_retry: has_failed,
            is_replay: is_replay(capture, words.as_deref()),
        }))
    }

    fn insert_summary(
        &mut self,
        capture: &Capture,
        id: i64,
        course: Course,
        errands: Option<(ErrandId, usize)>,
    ) -> Result<(), Error> {
        let Course { duplicate_of, repeat, late_ms } = course;
        let Capture { head, event, judgement, body, .. } = capture;
        let (method, path, query) = (head.method(), head.path(), head.query());
        self.summary.execute(params![
            id,
            capture.uid.0.to_be_bytes(),
            capture.received_at.unix_ms(),
            capture.endpoint,
            capture.peer,
            method,
            path,
            query,
            capture.provider,
            event.id,
            event.kind,
            event.created_at.map(Timestamp::unix_ms),
            judgement.verdict as i64,
            judgement.fault.map(|fault| fault as i64),
            judgement.covers_body,
            judgement.age_s,
            capture.flags.bits(),
            duplicate_of,
            body.bytes.len() as i64,
            body.truncated,
            capture.reply_status,
            repeat.map(|repeat| repeat.attempt),
            repeat.map(|repeat| repeat.gap_ms),
            repeat.map(|repeat| i64::from(repeat.is_retry) | i64::from(repeat.is_replay) << 1),
            late_ms,
            errands.map(|_| 1),
            errands.map(|(first, _)| first.0),
            errands.map(|(_, lanes)| lanes as i64),
            capture.tags.bits(),
            capture.note,
            capture.edited_from.map(|id| id.0),
        ])?;
        Ok(())
    }

    fn insert_content(&mut self, capture: &Capture, id: i64) -> Result<(), Error> {
        let body = &capture.body;
        let inline = body.bytes.len() <= CHUNK_BYTES;
        let chunks = if inline { 0 } else { body.bytes.len().div_ceil(CHUNK_BYTES) };
        self.content.execute(params![
            id,
            body.sha256,
            body.declared.map(u64::cast_signed),
            chunks as i64,
            codec::words_in(&capture.judgement),
            codec::headers_in(&capture.trailers),
            &capture.head.raw()[..],
            inline.then_some(&body.bytes[..]),
        ])?;
        if !inline {
            let mut insert = self.connection.prepare_cached(CHUNK)?;
            for (chunk, part) in body.bytes.chunks(CHUNK_BYTES).zip(0..) {
                insert.execute(params![chunk_id(id, part), chunk])?;
            }
        }
        Ok(())
    }

    /// Deletes the oldest captures that a condition takes, with all that belongs to them: `limit` at most. Gives how many.
    pub(super) fn forget(&mut self, condition: &Sql, limit: usize) -> Result<u64, Error> {
        let sql = format!("SELECT id FROM summary WHERE ({}) ORDER BY id LIMIT ?", condition.text);
        let limit = Value::Int(i64::try_from(limit).unwrap_or(i64::MAX));
        let values = condition.values.iter().cloned().chain([limit]);
        let ids: Vec<i64> = self
            .connection
            .prepare(&sql)?
            .query_map(params_from_iter(values), |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for &id in &ids {
            self.forget_one(id)?;
        }
        Ok(ids.len() as u64)
    }

    fn forget_one(&mut self, id: i64) -> Result<(), Error> {
        let read = |row: &Row<'_>| -> Result<(bool, i64, i64, bool), Error> {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        };
        let counted = self.connection.prepare_cached(TO_FORGET)?.query_row([id], read);
        let tally = &mut self.tally;
        tally.forgotten += 1;
        if let Some((has_errands, bytes, verdict, is_duplicate)) = counted.optional()? {
            tally.bytes -= bytes;
            tally.failed -= i64::from(verdict == Verdict::Failed as i64);
            tally.duplicates -= i64::from(is_duplicate);
            if has_errands {
                self.forget_errands(id)?;
            }
        }
        for sql in FORGET {
            self.connection.prepare_cached(sql)?.execute([id, chunk_id(id, 0), chunk_id(id + 1, 0) - 1])?;
        }
        Ok(())
    }

    /// Changes what a person said of captures. Gives how many of them there are.
    pub(super) fn tag(&self, ids: &[CaptureId], tagging: &Tagging) -> Result<u64, Error> {
        let mut statement = self.connection.prepare_cached(TAG)?;
        let note = tagging.note.as_deref().map(Tagging::note_of);
        ids.iter().try_fold(0, |count, id| {
            let row = params![id.0, tagging.take.bits(), tagging.give.bits(), note];
            Ok(count + statement.execute(row)? as u64)
        })
    }

    /// Keeps other judgements of captures, and what they are besides. Gives how many of them there are.
    pub(super) fn judge(&mut self, judged: &[JudgedAgain], seen: &mut Seen) -> Result<u64, Error> {
        let (mut count, mut anew) = (0, Vec::new());
        for JudgedAgain { id, judgement, told } in judged {
            let before: Option<i64> =
                self.connection.prepare_cached(VERDICT)?.query_row([id.0], |row| row.get(0)).optional()?;
            let Some(before) = before else { continue };
            let Judgement { verdict, fault, covers_body, age_s, .. } = judgement;
            let fault = fault.map(|fault| fault as i64);
            // What was written anew is what was sent.
            let disproved: Flags = judgement.proves_the_body().then_some(Flag::Rewritten).into_iter().collect();
            self.connection.prepare_cached(JUDGED)?.execute(params![
                id.0,
                *verdict as i64,
                fault,
                covers_body,
                age_s,
                disproved.bits()
            ])?;
            self.connection.prepare_cached(WORDS)?.execute(params![id.0, codec::words_in(judgement)])?;
            self.tally.failed += i64::from(*verdict == Verdict::Failed) - i64::from(before == Verdict::Failed as i64);
            anew.extend(told.as_ref().map(|told| (id.0, told)));
            count += 1;
        }
        if !anew.is_empty() {
            self.tell_anew(&anew, seen)?;
        }
        Ok(count)
    }

    /// Writes a part of the index.
    pub(super) fn index(&self, change: &Change) -> Result<(), Error> {
        for &sheet in &change.dropped {
            self.connection.prepare_cached(NO_SHEET)?.execute([sheet])?;
            self.connection.prepare_cached(NO_PARTS)?.execute([sheet * PARTS, (sheet + 1) * PARTS])?;
        }
        for (id, bits) in &change.parts {
            self.connection.prepare_cached(PART)?.execute(params![id, bits])?;
        }
        if let Some((id, sheet)) = &change.sheet {
            let always = sheet.always.cast_signed();
            self.connection.prepare_cached(SHEET)?.execute(params![id, VERSION, sheet.width, always, sheet.sharp])?;
            may_hold_what_was_retold(self.connection, *id)?;
        }
        Ok(())
    }

    /// Writes a delivery. Gives its id and which attempt it is, or that there is no such capture.
    pub(super) fn delivery(
        &mut self,
        delivery: &Delivery,
        settlement: Option<&Settlement>,
    ) -> Result<Result<(DeliveryId, u32), Failure>, Error> {
        // It holds even where the capture was deleted meanwhile.
        let is_changed = settlement.map_or(Ok(false), |settlement| self.settle(settlement))?;
        let app = delivery.status().unwrap_or(0);
        let read = |row: &Row<'_>| Ok((row.get::<_, u32>(0)?, row.get::<_, Option<i64>>(1)?));
        let before = self.deliveries.query_row([delivery.capture.0], read);
        let Some((count, before)) = before.optional()? else {
            let why = format!("there is no capture {}", delivery.capture);
            return Ok(Err(Failure::new("keeping a delivery", why).hint("it may have been deleted meanwhile")));
        };
        let attempt = count.saturating_add(1);
        let id = self.next_delivery + self.tally.deliveries;
        self.tally.deliveries += 1;
        let answered = settlement.and_then(|settlement| settlement.answered);
        let took_ms = delivery.took_ms.cast_signed();
        let row = params![delivery.capture.0, attempt, app, took_ms, answered, is_changed, id];
        self.delivered.execute(row)?;
        self.insert_delivery(delivery, id, attempt, before)?;
        Ok(Ok((DeliveryId(id), attempt)))
    }

    fn insert_delivery(
        &mut self,
        delivery: &Delivery,
        id: i64,
        attempt: u32,
        before: Option<i64>,
    ) -> Result<(), Error> {
        let (reply, cause, error) = match &delivery.outcome {
            Outcome::Replied(reply) => (Some(reply), None, None),
            Outcome::Failed(cause, why) => (None, Some(cause.number()), Some(why)),
        };
        self.delivery.execute(params![
            id,
            delivery.capture.0,
            delivery.to,
            delivery.started_at.unix_ms(),
            delivery.took_ms.cast_signed(),
            attempt,
            codec::receipt_in(&delivery.receipt),
            reply.map(|reply| reply.status),
            error,
            reply.is_some_and(|reply| reply.truncated),
            reply.and_then(|reply| codec::headers_in(&reply.headers)),
            reply.map(|reply| &reply.body[..]),
            delivery.errand.map(|errand| errand.0),
            cause,
            before,
        ])?;
        Ok(())
    }

    /// Writes what an endpoint answers from now on.
    pub(super) fn tell(&self, endpoint: &str, words: Option<&str>) -> Result<(), Error> {
        match words {
            Some(words) => self.connection.prepare_cached(TELL)?.execute([endpoint, words])?,
            None => self.connection.prepare_cached(UNTELL)?.execute([endpoint])?,
        };
        Ok(())
    }

    /// Writes a refusal.
    pub(super) fn refusal(&mut self, refusal: &Refusal) -> Result<(), Error> {
        let Refusal { at, peer, status, reason, head } = refusal;
        self.connection.prepare_cached(REFUSAL)?.execute(params![at.unix_ms(), peer, status, reason, head])?;
        self.tally.refused += 1;
        Ok(())
    }

    /// Deletes the refusals over their number; and over their bytes, where `bytes` says so, since that reads all rows.
    pub(super) fn trim_refusals(&self, bytes: bool) -> Result<(), Error> {
        self.connection.prepare_cached(REFUSALS_OVER_COUNT)?.execute([REFUSALS_KEPT])?;
        if bytes {
            self.connection.prepare_cached(REFUSALS_OVER_BYTES)?.execute([REFUSALS_BYTES])?;
        }
        Ok(())
    }

    /// The connection, for a test that interferes.
    #[cfg(test)]
    pub(super) fn connection(&self) -> &Connection {
        self.connection
    }

    /// Counts, and commits: when this returns, it is on the disk. `lost` are the refusals that were never written.
    pub(super) fn commit(self, seen: &mut Seen, lost: i64) -> Result<(), Error> {
        let Tally {
            captures,
            bytes,
            failed,
            duplicates,
            deliveries,
            refused,
            errands,
            batches,
            waiting,
            dead,
            forgotten,
        } = self.tally;
        if captures > 0 {
            seen.write_run(self.connection, self.next_id + captures - 1)?;
        }
        self.batches.write(self.connection)?;
        self.connection.prepare_cached(COUNT)?.execute(params![
            captures,
            deliveries,
            captures - forgotten,
            bytes,
            failed,
            duplicates,
            refused + lost,
            errands,
            batches,
            waiting,
            dead,
        ])?;
        self.connection.prepare_cached(COMMIT)?.execute(())?;
        Ok(())
    }
}

fn is_imported(capture: &Capture) -> bool {
    capture.flags.contains(Flag::Imported)
}

/// Whether a delivery failed, by what its sender was answered and what its app said last: so that the next one is a retry.
pub(super) fn has_failed(reply: u16, app: Option<u16>, flags: Flags) -> bool {
    let is_success = |status: u16| (200..300).contains(&status);
    // An answer that broke off was none; and of what was imported nobody may know one.
    let is_known = reply != 0 || !flags.contains(Flag::Imported);
    let is_answered = is_success(reply) && !flags.contains(Flag::AnswerHalf);
    (is_known && !is_answered) || app.is_some_and(|status| !is_success(status))
}

/// Whether a signature is the one of the delivery before it, and its time is signed.
pub(super) fn is_replay_of(age_s: Option<i64>, received: Option<&str>, last: Option<&str>) -> bool {
    age_s.is_some() && received.is_some() && received == last
}

/// Whether a capture bears the signature of the one before it, whose words these are, and that signature's time is signed.
fn is_replay(capture: &Capture, last: Option<&str>) -> bool {
    let received = capture.judgement.evidence.as_ref().and_then(|evidence| evidence.received.as_deref());
    let last = codec::words_out(last).and_then(|(_, evidence, ..)| evidence?.received);
    is_replay_of(capture.judgement.age_s, received, last.as_deref())
}

/// A number to be given next; not one that only a damaged file can hold.
fn number(row: &Row<'_>, column: usize) -> Result<i64, Error> {
    let next = row.get(column)?;
    if (1..i64::MAX >> CHUNK_BITS).contains(&next) {
        Ok(next)
    } else {
        Err(Error::IntegralValueOutOfRange(column, next))
    }
}

/// The id of a part of a capture's body. The parts of a capture lie beside each other, after those of the one before.
pub(super) fn chunk_id(capture: i64, part: i64) -> i64 {
    (capture << CHUNK_BITS).saturating_add(part)
}
