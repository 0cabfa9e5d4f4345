//! Reading: pages of the list, captures, deliveries, counts. Never held up by the writer, and never holding it up.

use std::{
    path::{Path, PathBuf},
    sync::LazyLock,
};

use bytes::Bytes;
use rusqlite::{Connection, Error, InterruptHandle, OptionalExtension, ToSql, params_from_iter, types::ToSqlOutput};

use super::{
    CHUNK_BYTES, batch, file,
    insert::{chunk_id, of_capture},
    large::{READ_INTO_MEMORY, Sheet},
    select::{
        self, CONTENT_COLUMNS, CONTENT_COLUMNS_BUT_THE_BODY, DELIVERY_COLUMNS, ERRAND_COLUMNS, REFUSAL_COLUMNS,
        SUMMARY_COLUMNS,
    },
    trouble::{DAMAGED, Kind, Trouble},
};
use crate::query::{Sql, Value};
use crate::record::{
    Batch, BatchId, Body, Capture, CaptureId, Circuit, Counters, Delivery, DeliveryId, Errand, ErrandId, Failure,
    Refusal, Summary,
};
use crate::verify;

/// The deliveries of a capture, newest first.
pub(super) fn deliveries_of() -> String {
    let of = of_capture!();
    format!("{of} SELECT {DELIVERY_COLUMNS} FROM delivery WHERE id IN of AND capture = ?1 ORDER BY id DESC")
}

/// What is still to be brought of one capture, or was given up, by the numbers of its errands.
pub(super) const OF_CAPTURE: &str = "id >= (SELECT errand FROM summary WHERE id = ?1)
    AND id < (SELECT errand + lanes FROM summary WHERE id = ?1) AND capture = ?1";

/// One capture, by its number: with the body that lies in its row, and without.
static CAPTURE: LazyLock<String> = LazyLock::new(|| captures_with(CONTENT_COLUMNS, "summary.id = ?"));
static CAPTURE_BUT_THE_BODY: LazyLock<String> =
    LazyLock::new(|| captures_with(CONTENT_COLUMNS_BUT_THE_BODY, "summary.id = ?"));
static RUN: LazyLock<String> =
    LazyLock::new(|| captures_with(CONTENT_COLUMNS, "summary.id >= ? ORDER BY summary.id LIMIT ?"));

fn captures_with(content: &str, wanted: &str) -> String {
    format!("SELECT {SUMMARY_COLUMNS}, {content} FROM summary JOIN content USING (id) WHERE {wanted}")
}

/// A reading connection. Each thread that reads has its own.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
    path: PathBuf,
}

/// Where a page of the list begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At the newest capture.
    Newest,
    /// At the next older than that one, which need not exist any more.
    Before(CaptureId),
    /// So that the page ends with the next newer than that one, which need not exist any more.
    After(CaptureId),
}

/// By what rows are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sorting {
    /// The largest bodies first.
    Size,
    /// The slowest apps first; captures that were never delivered are left out.
    Took,
}

impl Sorting {
    fn column(self) -> &'static str {
        match self {
            Self::Size => "summary.size",
            Self::Took => "summary.took_ms",
        }
    }
}

/// Whether a capture's body is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bodies {
    /// With its bytes.
    Read,
    /// With at least so many of its first bytes, or all where there are not so many; [`Reader::body`] reads the whole. What
    /// lies in the row is read whole.
    First(usize),
    /// Without; its size, hash and marks are there all the same.
    Leave,
}

impl ToSql for Value {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>, Error> {
        match self {
            Self::Int(value) => value.to_sql(),
            Self::Text(value) => value.to_sql(),
        }
    }
}

/// Ends what a [`Reader`] is doing, from another thread.
pub struct Interrupter(InterruptHandle);

impl Interrupter {
    /// Ends the query that runs now, if one does: it fails with "stopped".
    pub fn stop(&self) {
        self.0.interrupt();
    }
}

impl std::fmt::Debug for Interrupter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Interrupter")
    }
}

impl Reader {
    /// Opens the store at `path`. Fails where there is none, where the file is not creel's, or where a newer creel
    /// wrote it; an older store is brought up to this version.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let path = file::absolute(path)?;
        file::connect_reading(&path).map(|connection| Self { connection, path })
    }

    /// The store's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is a store to open: nobody may have captured into it yet.
    pub fn is_made(path: &Path) -> Result<bool, Failure> {
        file::is_made(&file::absolute(path)?)
    }

    /// At most `limit` rows of the list that fulfil the condition, newest first. Without a condition it takes the same
    /// time anywhere in the list; with one, [`Reader::search`] gives what there is so far.
    pub fn page(&self, start: Start, limit: usize, condition: Option<&Sql>) -> Result<Vec<Summary>, Failure> {
        match condition {
            None => self.ask("reading the list", || self.rows(start, limit)),
            Some(condition) => self.search_all(start, limit, condition),
        }
    }

    fn rows(&self, start: Start, limit: usize) -> Result<Vec<Summary>, Error> {
        let (bound, order) = match start {
            Start::Newest => (i64::MAX, "id <= ? ORDER BY id DESC"),
            Start::Before(id) => (id.0, "id < ? ORDER BY id DESC"),
            Start::After(id) => (id.0, "id > ? ORDER BY id"),
        };
        let sql = format!("SELECT {SUMMARY_COLUMNS} FROM summary WHERE {order} LIMIT ?");
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows: Vec<Summary> = statement.query_map([bound, limit], select::summary)?.collect::<Result<_, _>>()?;
        if matches!(start, Start::After(_)) {
            rows.reverse();
        }
        Ok(rows)
    }

    /// The rows that fulfil the condition and come first in an order of their own: at most `limit`. It looks at every row
    /// once, and holds no more than `limit` of them.
    pub fn sorted(&self, by: Sorting, limit: usize, condition: Option<&Sql>) -> Result<Vec<Summary>, Failure> {
        let wanted = condition.map_or(String::new(), |condition| format!("AND ({})", condition.text));
        let column = by.column();
        let sql = format!(
            "SELECT {SUMMARY_COLUMNS} FROM summary WHERE {column} IS NOT NULL {wanted}
            ORDER BY {column} DESC, summary.id DESC LIMIT ?"
        );
        let mut values: Vec<Value> = condition.into_iter().flat_map(|condition| condition.values.clone()).collect();
        values.push(Value::Int(i64::try_from(limit).unwrap_or(i64::MAX)));
        self.ask("sorting the list", || {
            self.connection.prepare_cached(&sql)?.query_map(params_from_iter(&values), select::summary)?.collect()
        })
    }

    /// One row of the list.
    pub fn summary(&self, id: CaptureId) -> Result<Option<Summary>, Failure> {
        let sql = format!("SELECT {SUMMARY_COLUMNS} FROM summary WHERE id = ?");
        self.ask(&format!("reading capture {id}"), || {
            self.connection.prepare_cached(&sql)?.query_row([id.0], select::summary).optional()
        })
    }

    /// One capture, with or without its body. Without, the body is not touched, however large it is.
    pub fn capture(&self, id: CaptureId, bodies: Bodies) -> Result<Option<Capture>, Failure> {
        self.find(id, bodies).map_err(|trouble| trouble.failure)
    }

    pub(super) fn find(&self, id: CaptureId, bodies: Bodies) -> Result<Option<Capture>, Trouble> {
        let doing = format!("reading capture {id}");
        let found = self.look(&doing, || match capture(&self.connection, id, bodies)? {
            Some((_, chunks)) if chunks > 0 && bodies != Bodies::Leave => {
                // Both looks see one state of the store.
                let _state = self.state()?;
                let Some((mut capture, chunks)) = capture(&self.connection, id, Bodies::Leave)? else {
                    return Ok(None);
                };
                let wanted = match bodies {
                    Bodies::First(bytes) => chunks.min(bytes.div_ceil(CHUNK_BYTES) as i64),
                    Bodies::Read | Bodies::Leave => chunks,
                };
                capture.body.bytes = body(&self.connection, id.0, wanted, &|| true)?.unwrap_or_default();
                Ok(Some(capture))
            }
            found => Ok(found.map(|(capture, _)| capture)),
        })?;
        let is_whole = |capture: &&Capture| {
            bodies == Bodies::Read || (bodies != Bodies::Leave && capture.body.bytes.len() as u64 >= capture.body.size)
        };
        match found.as_ref().filter(is_whole).and_then(damage) {
            Some(damage) => Err(Trouble { kind: Kind::File, failure: damaged(doing, damage) }),
            None => Ok(found),
        }
    }

    /// The captures from one on whose numbers follow each other and whose bodies lie in their rows, `count` of them at most,
    /// until `each` says that it has enough: in two thirds of the time that [`Reader::capture`] takes. It ends before what is
    /// not there, is large or is damaged; `capture` tells which.
    pub fn run(&self, first: CaptureId, count: usize, each: &mut dyn FnMut(Capture) -> bool) -> Result<(), Failure> {
        self.ask("reading captures", || {
            let mut statement = self.connection.prepare_cached(&RUN)?;
            let mut rows = statement.query([first.0, i64::try_from(count).unwrap_or(i64::MAX)])?;
            for number in first.0.. {
                let Some(row) = rows.next()? else { break };
                let (capture, chunks) = select::capture(row)?;
                let is_next = capture.id.0 == number && chunks == 0 && damage(&capture).is_none();
                if !is_next || !each(capture) {
                    break;
                }
            }
            Ok(())
        })
    }

    /// Reads several things as the store stands at one moment: it takes half the time, since SQLite looks only once for what
    /// was written meanwhile. Not for long: the WAL grows as long as it lasts.
    pub fn at_once<T>(&self, read: impl FnOnce(&Self) -> T) -> Result<T, Failure> {
        let state = self.ask("reading the store", || self.state())?;
        let read = read(self);
        drop(state);
        Ok(read)
    }

    /// The present state of the store, until it is dropped; none where it is held already.
    fn state(&self) -> Result<Option<rusqlite::Transaction<'_>>, Error> {
        self.connection.is_autocommit().then(|| self.connection.unchecked_transaction()).transpose()
    }

    /// A capture with its whole body, in place of its first bytes; none where it is gone, or where `goes_on` says no. That is
    /// asked between pieces, so that a large body that nobody waits for any more is left.
    pub fn body(&self, capture: &Capture, goes_on: &dyn Fn() -> bool) -> Result<Option<Capture>, Failure> {
        let doing = format!("reading the body of capture {}", capture.id);
        let bytes = self.ask(&doing, || {
            let sql = "SELECT chunks FROM content WHERE id = ?";
            let _state = self.state()?;
            let mut statement = self.connection.prepare_cached(sql)?;
            let chunks = statement.query_row([capture.id.0], |row| row.get(0)).optional()?;
            chunks.map_or(Ok(None), |chunks| body(&self.connection, capture.id.0, chunks, goes_on))
        })?;
        let Some(bytes) = bytes.filter(|_| goes_on()) else { return Ok(None) };
        let whole = Capture { body: Body { bytes, ..capture.body.clone() }, ..capture.clone() };
        match damage(&whole) {
            Some(damage) => Err(damaged(doing, damage)),
            None => Ok(Some(whole)),
        }
    }

    /// The deliveries of a capture, newest first.
    pub fn deliveries(&self, id: CaptureId) -> Result<Vec<Delivery>, Failure> {
        let sql = deliveries_of();
        self.ask(&format!("reading the deliveries of capture {id}"), || {
            self.connection.prepare_cached(&sql)?.query_map([id.0], select::delivery)?.collect()
        })
    }

    /// The captures that were delivered after a delivery, in the order of that, at most so many deliveries of them; and the last
    /// delivery that was looked at.
    pub fn delivered(&self, after: DeliveryId, limit: usize) -> Result<(DeliveryId, Vec<CaptureId>), Failure> {
        self.ask("reading what was delivered", || {
            let sql = "SELECT id, capture FROM delivery WHERE id > ? ORDER BY id LIMIT ?";
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let mut statement = self.connection.prepare_cached(sql)?;
            let mut rows = statement.query([after.0, limit])?;
            let (mut last, mut captures) = (after, Vec::new());
            while let Some(row) = rows.next()? {
                last = DeliveryId(row.get(0)?);
                captures.push(CaptureId(row.get(1)?));
            }
            Ok((last, captures))
        })
    }

    /// The newest delivery, or zero.
    pub fn newest_delivery(&self) -> Result<DeliveryId, Failure> {
        self.ask("reading what was delivered", || {
            let sql = "SELECT coalesce(max(id), 0) FROM delivery";
            self.connection.prepare_cached(sql)?.query_row((), |row| row.get(0)).map(DeliveryId)
        })
    }

    /// What waits to be forwarded, oldest first.
    pub fn waiting(&self) -> Result<Vec<Errand>, Failure> {
        self.errands("dead = 0", None)
    }

    /// What was given up, oldest first; of one capture, or all.
    pub fn dead(&self, capture: Option<CaptureId>) -> Result<Vec<Errand>, Failure> {
        match capture {
            Some(id) => Ok(self.errands_of(id)?.into_iter().filter(|errand| errand.dead).collect()),
            None => self.errands("dead = 1", None),
        }
    }

    /// What of a capture is still to be brought to an app, or was given up, oldest first.
    pub fn errands_of(&self, id: CaptureId) -> Result<Vec<Errand>, Failure> {
        self.errands(OF_CAPTURE, Some(id.0))
    }

    /// What is left of a batch, in its order.
    pub fn left_of(&self, id: BatchId) -> Result<Vec<(CaptureId, ErrandId)>, Failure> {
        self.ask(&format!("reading batch {id}"), || {
            let _state = self.state()?;
            batch::left_of(&self.connection, id)
        })
    }

    fn errands(&self, condition: &str, value: Option<i64>) -> Result<Vec<Errand>, Failure> {
        let sql = format!("SELECT {ERRAND_COLUMNS} FROM errand WHERE {condition} ORDER BY id");
        self.ask("reading what is to be sent", || {
            self.connection.prepare_cached(&sql)?.query_map(params_from_iter(value), select::errand)?.collect()
        })
    }

    /// The batches that are not at their end, newest first.
    pub fn batches(&self) -> Result<Vec<Batch>, Failure> {
        self.ask("reading the batches", || {
            let _state = self.state()?;
            batch::unended(&self.connection)
        })
    }

    /// The apps to which nothing goes for a while.
    pub fn circuits(&self) -> Result<Vec<Circuit>, Failure> {
        let sql = "SELECT lane, failures, until, why FROM circuit ORDER BY lane";
        self.ask("reading which apps are down", || {
            self.connection.prepare_cached(sql)?.query_map((), select::circuit)?.collect()
        })
    }

    /// The store's mark on what it forwards.
    pub fn instance(&self) -> Result<String, Failure> {
        self.ask("reading the store's mark", || {
            self.connection.query_row("SELECT lower(hex(instance)) FROM counter", (), |row| row.get(0))
        })
    }

    /// The newest refusals, newest first.
    pub fn refusals(&self, limit: usize) -> Result<Vec<Refusal>, Failure> {
        let sql = format!("SELECT {REFUSAL_COLUMNS} FROM refusal ORDER BY id DESC LIMIT ?");
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.ask("reading what was refused", || {
            self.connection.prepare_cached(&sql)?.query_map([limit], select::refusal)?.collect()
        })
    }

    /// The endpoints that answer something else than their configuration says, with what they were told, as JSON.
    pub fn responds(&self) -> Result<Vec<(String, String)>, Failure> {
        self.ask("reading what endpoints answer", || {
            let sql = "SELECT endpoint, words FROM respond ORDER BY endpoint";
            self.connection.prepare_cached(sql)?.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
    }

    /// What the store holds, as it was counted when it was written.
    pub fn counters(&self) -> Result<Counters, Failure> {
        self.ask("reading the counts", || {
            let sql = "SELECT captures, bytes, failed, duplicates, refused, waiting, dead,
                (SELECT count(*) FROM circuit) FROM counter";
            self.connection.prepare_cached(sql)?.query_row((), |row| {
                Ok(Counters {
                    captures: select::count(row, 0)?,
                    bytes: select::count(row, 1)?,
                    failed: select::count(row, 2)?,
                    duplicates: select::count(row, 3)?,
                    refused: select::count(row, 4)?,
                    waiting: select::count(row, 5)?,
                    dead: select::count(row, 6)?,
                    down: select::count(row, 7)?,
                })
            })
        })
    }

    /// A number that changes whenever anybody, in any process, commits to the store: the bell across processes.
    pub fn data_version(&self) -> Result<i64, Failure> {
        self.ask("looking for changes", || {
            self.connection.prepare_cached("PRAGMA data_version")?.query_row((), |row| row.get(0))
        })
    }

    /// What stops this reader from another thread.
    pub fn interrupter(&self) -> Interrupter {
        Interrupter(self.connection.get_interrupt_handle())
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(super) fn ask<T>(&self, doing: &str, ask: impl FnOnce() -> Result<T, Error>) -> Result<T, Failure> {
        self.look(doing, ask).map_err(|trouble| trouble.failure)
    }

    /// The same, with what an error says about the file.
    pub(super) fn look<T>(&self, doing: &str, ask: impl FnOnce() -> Result<T, Error>) -> Result<T, Trouble> {
        ask().map_err(|error| Trouble::of_file(&format!("{doing} in {}", self.path.display()), &error))
    }
}

pub(super) fn damaged(doing: String, damage: &str) -> Failure {
    Failure::new(doing, format!("{damage}: the file is damaged")).hint(DAMAGED)
}

/// What is wrong with a body that was read, by its length and hash. A disk may give back other bytes without a word.
fn damage(capture: &Capture) -> Option<&'static str> {
    let body = &capture.body;
    if body.bytes.len() as u64 != body.size {
        return Some("a part of its body is missing");
    }
    (verify::sha256(&body.bytes) != body.sha256).then_some("its body is not the one that came (SHA-256)")
}

/// A capture with the body that lies in its row, where it is wanted; and how many chunks it has elsewhere.
fn capture(state: &Connection, id: CaptureId, bodies: Bodies) -> Result<Option<(Capture, i64)>, Error> {
    let sql = if bodies == Bodies::Leave { &CAPTURE_BUT_THE_BODY } else { &CAPTURE };
    state.prepare_cached(sql)?.query_row([id.0], select::capture).optional()
}

/// The body of a capture: from its row, or put together from so many of its chunks. None where it was left.
fn body(state: &Connection, id: i64, chunks: i64, goes_on: &dyn Fn() -> bool) -> Result<Option<Bytes>, Error> {
    if chunks == 0 {
        let body: Option<Vec<u8>> =
            state.prepare_cached("SELECT body FROM content WHERE id = ?")?.query_row([id], |row| row.get(0))?;
        return Ok(Some(body.unwrap_or_default().into()));
    }
    let pieces = |put: &mut dyn FnMut(&[u8])| -> Result<bool, Error> {
        let sql = "SELECT bytes FROM chunk WHERE id >= ? AND id < ? ORDER BY id";
        let mut statement = state.prepare_cached(sql)?;
        let mut rows = statement.query([chunk_id(id, 0), chunk_id(id, chunks)])?;
        while let Some(row) = rows.next()? {
            if !goes_on() {
                return Ok(false);
            }
            put(row.get_ref(0)?.as_blob()?);
        }
        Ok(true)
    };
    let folder = state.path().and_then(|path| Path::new(path).parent());
    let is_large = chunks.unsigned_abs() as usize * CHUNK_BYTES > READ_INTO_MEMORY;
    if let Some(mut sheet) = folder.filter(|_| is_large).and_then(|folder| Sheet::new(folder).ok()) {
        if !pieces(&mut |piece| sheet.add(piece))? {
            return Ok(None);
        }
        if let Some(bytes) = sheet.finish() {
            return Ok(Some(bytes));
        }
    }
    let mut body = Vec::new();
    Ok(pieces(&mut |piece| body.extend_from_slice(piece))?.then(|| body.into()))
}
