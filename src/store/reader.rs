//! Reading beside the writer.

use std::path::Path;

use bytes::{Bytes, BytesMut};
use rusqlite::{Connection, InterruptHandle, OptionalExtension, ToSql, types::ToSqlOutput};

use super::{failure, file, rows};
use crate::{
    query::{Filter, Sql, Value},
    record::{Capture, CaptureId, Counters, Delivery, Failure, Refusal, Summary, Timestamp},
};

/// Where a page begins. Pages are always given newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At the newest capture.
    Newest,
    /// Below this one: the next older ones.
    Before(CaptureId),
    /// Above this one: the next newer ones.
    After(CaptureId),
}

/// Whether a capture is read with its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bodies {
    /// With it.
    Read,
    /// Without: the body's bytes are left in the store.
    Leave,
}

/// A reading connection. One for each thread that reads.
pub struct Reader {
    connection: Connection,
}

/// Ends what a reader is at, from another thread.
pub struct Interrupter(InterruptHandle);

impl Interrupter {
    /// The query that runs now fails; the next one does not.
    pub fn stop(&self) {
        self.0.interrupt();
    }
}

impl Reader {
    /// Opens a store for reading.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        file::open_for_reading(path).map(|connection| Self { connection })
    }

    /// A page of the list, newest first, at most `limit` rows of those that the filter takes. By key, not by offset: the
    /// millionth page costs what the first does.
    pub fn page(
        &self,
        start: Start,
        limit: usize,
        filter: Option<&Filter>,
        now: Timestamp,
    ) -> Result<Vec<Summary>, Failure> {
        let condition = filter.filter(|filter| !filter.is_empty()).map(|filter| filter.sql(now));
        self.try_page(start, limit, condition).map_err(|why| failure("reading a page of the list", &why))
    }

    fn try_page(&self, start: Start, limit: usize, condition: Option<Sql>) -> rusqlite::Result<Vec<Summary>> {
        let (bound, order, id) = match start {
            Start::Newest => ("id < ?", "DESC", i64::MAX),
            Start::Before(id) => ("id < ?", "DESC", id.0),
            Start::After(id) => ("id > ?", "ASC", id.0),
        };
        let and = condition.as_ref().map_or(String::new(), |sql| format!(" AND ({})", sql.text));
        let sql = format!("SELECT {} FROM summary WHERE {bound}{and} ORDER BY id {order} LIMIT ?", rows::SUMMARY);
        let mut parameters = vec![Value::Int(id)];
        parameters.extend(condition.into_iter().flat_map(|sql| sql.values));
        parameters.push(Value::Int(i64::try_from(limit).unwrap_or(i64::MAX)));
        let mut statement = self.connection.prepare_cached(&sql)?;
        let bound = rusqlite::params_from_iter(parameters.iter().map(Bound));
        let mut page = statement.query_map(bound, rows::summary)?.collect::<rusqlite::Result<Vec<_>>>()?;
        if matches!(start, Start::After(_)) {
            page.reverse();
        }
        Ok(page)
    }

    /// One row of the list.
    pub fn summary(&self, id: CaptureId) -> Result<Option<Summary>, Failure> {
        self.try_summary(id).map_err(|why| failure("reading a capture", &why))
    }

    fn try_summary(&self, id: CaptureId) -> rusqlite::Result<Option<Summary>> {
        let sql = format!("SELECT {} FROM summary WHERE id = ?", rows::SUMMARY);
        self.connection.prepare_cached(&sql)?.query_row([id.0], rows::summary).optional()
    }

    /// A capture, whole or without its body's bytes.
    pub fn capture(&self, id: CaptureId, bodies: Bodies) -> Result<Option<Capture>, Failure> {
        self.try_capture(id, bodies).map_err(|why| failure("reading a capture", &why))
    }

    fn try_capture(&self, id: CaptureId, bodies: Bodies) -> rusqlite::Result<Option<Capture>> {
        // One moment for both rows and the chunks, whatever is deleted meanwhile.
        let transaction = self.connection.unchecked_transaction()?;
        let Some(summary) = self.try_summary(id)? else { return Ok(None) };
        let sql = format!("SELECT {} FROM content WHERE id = ?", rows::CONTENT);
        let content = transaction.prepare_cached(&sql)?.query_row([id.0], rows::content).optional()?;
        let Some(content) = content else { return Ok(None) };
        let bytes = match bodies {
            Bodies::Read => self.body(id, summary.size)?,
            Bodies::Leave => Bytes::new(),
        };
        Ok(Some(rows::capture(summary, content, bytes)))
    }

    fn body(&self, id: CaptureId, size: u64) -> rusqlite::Result<Bytes> {
        let sql = "SELECT body FROM content WHERE id = ?";
        let inline: Option<Vec<u8>> = self.connection.prepare_cached(sql)?.query_row([id.0], |row| row.get(0))?;
        if let Some(bytes) = inline {
            return Ok(bytes.into());
        }
        let mut bytes = BytesMut::with_capacity(size as usize);
        let mut chunks = self.connection.prepare_cached("SELECT bytes FROM chunk WHERE id = ? ORDER BY place")?;
        let mut chunks = chunks.query([id.0])?;
        while let Some(chunk) = chunks.next()? {
            bytes.extend_from_slice(chunk.get_ref(0)?.as_blob()?);
        }
        Ok(bytes.freeze())
    }

    /// A capture's deliveries, newest first.
    pub fn deliveries(&self, id: CaptureId) -> Result<Vec<Delivery>, Failure> {
        let sql = format!("SELECT {} FROM delivery WHERE capture = ? ORDER BY id DESC", rows::DELIVERY);
        let mut statement = self.connection.prepare_cached(&sql).map_err(|why| failure("reading deliveries", &why))?;
        let rows = statement.query_map([id.0], rows::delivery).and_then(Iterator::collect);
        rows.map_err(|why| failure("reading deliveries", &why))
    }

    /// The latest refused requests, newest first.
    pub fn refusals(&self, limit: usize) -> Result<Vec<Refusal>, Failure> {
        let sql = "SELECT at, peer, status, reason, head FROM refusal ORDER BY id DESC LIMIT ?";
        let mut statement =
            self.connection.prepare_cached(sql).map_err(|why| failure("reading refused requests", &why))?;
        let rows = statement.query_map([limit as i64], rows::refusal).and_then(Iterator::collect);
        rows.map_err(|why| failure("reading refused requests", &why))
    }

    /// What the store holds.
    pub fn counters(&self) -> Result<Counters, Failure> {
        let sql = "SELECT captures, bytes, failed, duplicates, refused FROM counter";
        let read = || {
            self.connection.prepare_cached(sql)?.query_row([], |row| {
                let count = |at| row.get::<_, i64>(at).map(|n| n as u64);
                Ok(Counters {
                    captures: count(0)?,
                    bytes: count(1)?,
                    failed: count(2)?,
                    duplicates: count(3)?,
                    refused: count(4)?,
                })
            })
        };
        read().map_err(|why: rusqlite::Error| failure("reading the counters", &why))
    }

    /// A number that is another one after another connection's commit.
    pub fn data_version(&self) -> Result<i64, Failure> {
        self.connection
            .pragma_query_value(None, "data_version", |row| row.get(0))
            .map_err(|why| failure("asking whether the store changed", &why))
    }

    /// Ends what this reader is at, from another thread.
    pub fn interrupter(&self) -> Interrupter {
        Interrupter(self.connection.get_interrupt_handle())
    }
}

/// A value of the filter's as a parameter.
struct Bound<'a>(&'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self.0 {
            Value::Int(n) => n.to_sql(),
            Value::Text(text) => text.to_sql(),
        }
    }
}
