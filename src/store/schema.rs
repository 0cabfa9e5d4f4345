//! The tables, and how an older store becomes a newer one.

use rusqlite::{Connection, TransactionBehavior};

use super::failure;
use crate::record::Failure;

/// "creel" on a phone's keys: tells a store of creel's from any other SQLite file.
const APPLICATION_ID: i64 = 27335;

/// Every step from one version to the next, each with its reason. Only ever appended to: version n is a store on which
/// the first n steps were taken.
const MIGRATIONS: &[&str] = &[
    // 1: captures apart in what a list shows (summary), what a detail shows (content) and large bodies (chunk);
    // deliveries; refused requests; one row of counters that every transaction updates by a difference; the event ids
    // of whole blocks of captures (event_run).
    "CREATE TABLE summary (
        id INTEGER PRIMARY KEY,
        uid BLOB NOT NULL,
        received_at INTEGER NOT NULL,
        endpoint TEXT NOT NULL,
        peer TEXT NOT NULL,
        method TEXT NOT NULL,
        path TEXT NOT NULL,
        query TEXT,
        provider TEXT,
        event_id TEXT,
        event_type TEXT,
        event_at INTEGER,
        verdict INTEGER NOT NULL,
        fault INTEGER,
        covers_body INTEGER,
        age_s INTEGER,
        flags INTEGER NOT NULL,
        duplicate_of INTEGER,
        size INTEGER NOT NULL,
        truncated INTEGER NOT NULL,
        reply INTEGER NOT NULL,
        deliveries INTEGER NOT NULL DEFAULT 0,
        app INTEGER
    );
    CREATE TABLE content (
        id INTEGER PRIMARY KEY,
        head BLOB NOT NULL,
        trailers BLOB,
        judgement TEXT,
        declared INTEGER,
        sha256 BLOB NOT NULL,
        body BLOB
    );
    CREATE TABLE chunk (
        id INTEGER NOT NULL,
        place INTEGER NOT NULL,
        bytes BLOB NOT NULL,
        PRIMARY KEY (id, place)
    );
    CREATE TABLE delivery (
        id INTEGER PRIMARY KEY,
        capture INTEGER NOT NULL,
        target TEXT NOT NULL,
        started_at INTEGER NOT NULL,
        took_ms INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        receipt TEXT NOT NULL,
        error TEXT,
        status INTEGER,
        headers BLOB,
        body BLOB,
        truncated INTEGER
    );
    CREATE INDEX delivery_of ON delivery (capture, id);
    CREATE TABLE refusal (
        id INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        peer TEXT NOT NULL,
        status INTEGER,
        reason TEXT NOT NULL,
        head BLOB NOT NULL
    );
    CREATE TABLE event_run (
        first_id INTEGER PRIMARY KEY,
        last_id INTEGER NOT NULL,
        entries BLOB NOT NULL
    );
    CREATE TABLE counter (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        next_id INTEGER NOT NULL,
        captures INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        failed INTEGER NOT NULL,
        duplicates INTEGER NOT NULL,
        refused INTEGER NOT NULL
    );
    INSERT INTO counter VALUES (1, 1, 0, 0, 0, 0, 0);",
];

/// Brings a store to this creel's version, or says why it cannot be.
pub(super) fn migrate(connection: &mut Connection, doing: &str) -> Result<(), Failure> {
    steps(connection, MIGRATIONS, doing)
}

fn steps(connection: &mut Connection, steps: &[&str], doing: &str) -> Result<(), Failure> {
    if version(connection, steps.len(), doing)? == steps.len() {
        return Ok(());
    }
    let migrated = (|| {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Another process may have been faster: what counts is the version under the lock.
        let from: usize = transaction.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))? as usize;
        for step in steps.iter().skip(from) {
            transaction.execute_batch(step)?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", steps.len() as i64)?;
        transaction.commit()
    })();
    migrated.map_err(|why| failure(doing, &why))
}

/// Whether a reader of this creel understands the store.
pub(super) fn check(connection: &Connection, doing: &str) -> Result<(), Failure> {
    match version(connection, MIGRATIONS.len(), doing)? {
        found if found == MIGRATIONS.len() => Ok(()),
        found => Err(Failure::new(doing, format!("it has version {found}, and this creel reads {}", MIGRATIONS.len()))
            .hint("start `creel` or `creel serve` on it once: that brings it up to date")),
    }
}

/// The store's version: 0 for a file without tables.
fn version(connection: &Connection, newest: usize, doing: &str) -> Result<usize, Failure> {
    let ask = |pragma| {
        connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).map_err(|why| failure(doing, &why))
    };
    let (application, found) = (ask("application_id")?, ask("user_version")?);
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(|why| failure(doing, &why))?;
    if application != APPLICATION_ID && (tables > 0 || found != 0) {
        return Err(Failure::new(doing, "it is a database, but not creel's").hint("name another file with --db"));
    }
    let found = usize::try_from(found).unwrap_or(usize::MAX);
    if found > newest {
        let why = format!("it has version {found}, and this creel knows versions up to {newest}");
        return Err(
            Failure::new(doing, why).hint("a newer creel made it: use that one, or name another file with --db")
        );
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEXT: &str = "ALTER TABLE summary ADD COLUMN mood TEXT;";

    fn user_version(connection: &Connection) -> i64 {
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_store_of_any_older_version_is_brought_up_to_date_with_its_rows() {
        let mut all = MIGRATIONS.to_vec();
        all.push(NEXT);
        for from in 0..all.len() {
            let mut connection = Connection::open_in_memory().unwrap();
            steps(&mut connection, &all[..from], "opening").unwrap();
            if from > 0 {
                connection.execute("UPDATE counter SET captures = 7", []).unwrap();
            }
            steps(&mut connection, &all, "opening").unwrap();
            assert_eq!(user_version(&connection), all.len() as i64);
            let captures: i64 = connection.query_row("SELECT captures FROM counter", [], |row| row.get(0)).unwrap();
            assert_eq!(captures, if from > 0 { 7 } else { 0 });
            connection.prepare("SELECT mood FROM summary").unwrap();
        }
    }

    #[test]
    fn a_newer_store_is_refused_with_both_versions() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, "opening").unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        let failure = migrate(&mut connection, "opening").unwrap_err();
        assert!(failure.why.contains("99") && failure.why.contains(&MIGRATIONS.len().to_string()), "{failure}");
        assert!(check(&connection, "opening").is_err());
    }

    #[test]
    fn a_step_that_fails_leaves_the_store_as_it_was() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, "opening").unwrap();
        let mut all = MIGRATIONS.to_vec();
        all.extend([NEXT, "CREATE TABLE summary (id)"]);
        assert!(steps(&mut connection, &all, "opening").is_err());
        assert_eq!(user_version(&connection), MIGRATIONS.len() as i64);
        assert!(connection.prepare("SELECT mood FROM summary").is_err());
    }
}
