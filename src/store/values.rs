//! What stands in the columns of the newest captures, for whoever types a filter.

use super::Reader;
use crate::record::Failure;

/// How many of the newest captures are looked at: some milliseconds.
const LOOKED_AT: i64 = 10_000;
/// The most values of a column that are given.
const MOST: i64 = 200;

/// Fields of filters, and the columns that they ask.
const COLUMNS: &[(&str, &str)] = &[
    ("provider", "provider"),
    ("event", "event_type"),
    ("endpoint", "endpoint"),
    ("method", "method"),
    ("path", "path"),
    ("note", "note"),
];

impl Reader {
    /// The values that fields of filters have among the newest captures, the most frequent first.
    pub fn values(&self) -> Result<Vec<(&'static str, Vec<String>)>, Failure> {
        self.ask("looking for values", || {
            let of = |&(field, column): &(&'static str, &str)| {
                let sql = format!(
                    "SELECT value FROM (SELECT {column} AS value FROM summary ORDER BY id DESC LIMIT ?)
                    WHERE value <> '' GROUP BY value ORDER BY count(*) DESC, value LIMIT ?"
                );
                let mut statement = self.connection().prepare_cached(&sql)?;
                let values = statement.query_map([LOOKED_AT, MOST], |row| row.get(0))?;
                Ok((field, values.collect::<Result<_, _>>()?))
            };
            COLUMNS.iter().map(of).collect()
        })
    }
}
