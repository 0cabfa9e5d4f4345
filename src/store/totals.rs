//! What came and went since a moment, counted on from look to look: for who wants totals again and again, and pays for what
//! is new alone.

use std::collections::BTreeMap;

use rusqlite::Error;

use super::{Reader, TIMES, select, stats::place};
use crate::record::{CaptureId, DeliveryId, Failure, Flag, Timestamp};

/// How many numbers are gone through in one look: it holds no state of the store for long.
const PIECE: i64 = 50_000;

/// What captures are told apart by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// The endpoint's name.
    pub endpoint: String,
    /// The provider's; empty: of nobody known.
    pub provider: String,
    /// The verdict, by its place in `Verdict::all()`.
    pub verdict: usize,
    /// Whether its event had come before.
    pub is_repeat: bool,
    /// What creel answered.
    pub status: u16,
}

/// How many there are of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Captures.
    pub count: u64,
    /// Bytes of their bodies.
    pub bytes: u64,
}

/// Totals since they were begun. What is deleted before it is looked at is not in them, nor is what was imported or edited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Captures.
    pub captures: BTreeMap<Kind, Amount>,
    /// Deliveries, by endpoint and by the reply's status; 0: there was none.
    pub deliveries: BTreeMap<(String, u16), u64>,
    /// Deliveries, by class of [`TIMES`].
    pub times: [u64; TIMES.len() + 1],
    /// What they took together, in milliseconds.
    pub took_ms: u64,
    /// When the newest came.
    pub newest: Option<Timestamp>,
    last: CaptureId,
    last_delivery: DeliveryId,
}

impl Reader {
    /// Totals of nothing yet: of what comes from now on.
    pub fn totals(&self) -> Result<Totals, Failure> {
        self.ask("counting what came", || {
            Ok(Totals {
                last: CaptureId(self.highest("summary")?),
                last_delivery: DeliveryId(self.highest("delivery")?),
                ..Totals::default()
            })
        })
    }

    /// Adds what came since the last time.
    pub fn count_on(&self, totals: &mut Totals) -> Result<(), Failure> {
        self.ask("counting what came", || {
            let newest = self.highest("summary")?;
            while totals.last.0 < newest {
                let end = newest.min(totals.last.0.saturating_add(PIECE));
                self.count_captures(totals, end)?;
                totals.last = CaptureId(end);
            }
            let newest = self.highest("delivery")?;
            while totals.last_delivery.0 < newest {
                let end = newest.min(totals.last_delivery.0.saturating_add(PIECE));
                self.count_deliveries(totals, end)?;
                totals.last_delivery = DeliveryId(end);
            }
            Ok(())
        })
    }

    fn highest(&self, table: &str) -> Result<i64, Error> {
        let sql = format!("SELECT coalesce(max(id), 0) FROM {table}");
        self.connection().prepare_cached(&sql)?.query_row((), |row| row.get(0))
    }

    fn count_captures(&self, totals: &mut Totals, end: i64) -> Result<(), Error> {
        let mut statement = self.connection().prepare_cached(
            "SELECT endpoint, coalesce(provider, ''), verdict, duplicate_of IS NOT NULL, reply, count(*), sum(size),
            max(received_at) FROM summary WHERE id > ? AND id <= ? AND flags & ? = 0 AND edited_from IS NULL
            GROUP BY 1, 2, 3, 4, 5",
        )?;
        let mut rows = statement.query([totals.last.0, end, Flag::Imported.bit()])?;
        while let Some(row) = rows.next()? {
            let kind = Kind {
                endpoint: row.get(0)?,
                provider: row.get(1)?,
                verdict: place(row, 2)?,
                is_repeat: row.get(3)?,
                status: row.get(4)?,
            };
            let amount = totals.captures.entry(kind).or_default();
            amount.count += select::count(row, 5)?;
            amount.bytes += select::count(row, 6)?;
            totals.newest = totals.newest.max(Some(Timestamp::from_unix_ms(row.get(7)?)));
        }
        Ok(())
    }

    fn count_deliveries(&self, totals: &mut Totals, end: i64) -> Result<(), Error> {
        let mut statement = self.connection().prepare_cached(
            "SELECT endpoint, coalesce(status, 0), delivery.took_ms FROM delivery JOIN summary ON summary.id = capture
            WHERE delivery.id > ? AND delivery.id <= ?",
        )?;
        let mut rows = statement.query([totals.last_delivery.0, end])?;
        while let Some(row) = rows.next()? {
            let took = select::count(row, 2)?;
            *totals.deliveries.entry((row.get(0)?, row.get(1)?)).or_default() += 1;
            totals.times[TIMES.partition_point(|end| *end <= took)] += 1;
            totals.took_ms += took;
        }
        Ok(())
    }
}
