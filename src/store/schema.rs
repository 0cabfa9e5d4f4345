//! The tables, and how they grew.
//!
//! `PRAGMA user_version` is the number of migrations the file has had. A migration, once released, is never changed:
//! what is wrong with it is put right by the next one.

use std::path::Path;

use rusqlite::{Connection, Error, TransactionBehavior};

use super::{file, trouble};
use crate::record::Failure;

/// Says whose file this is, in SQLite's header (`PRAGMA application_id`): "CREL".
pub(super) const APPLICATION_ID: i32 = 0x4352_454c;

/// One step of the schema.
pub(super) struct Migration {
    /// What the step is for.
    pub reason: &'static str,
    /// The statements.
    pub sql: &'static str,
}

/// All steps, oldest first; rows are only ever appended.
pub(super) const MIGRATIONS: &[Migration] = &[
    Migration {
        reason: "the first tables: what the list shows apart from what a capture holds, so that a page is read fast",
        sql: "
        -- What the list shows and filters ask for. Narrow, so that a screenful lies on few pages.
        CREATE TABLE summary (
            id INTEGER PRIMARY KEY,         -- ascending in the order of commit, never used twice
            uid BLOB NOT NULL,              -- the ULID, 16 bytes, big-endian
            received_at INTEGER NOT NULL,   -- Unix milliseconds
            endpoint TEXT NOT NULL,
            peer TEXT NOT NULL,
            method TEXT NOT NULL,
            path TEXT NOT NULL,
            query TEXT,
            provider TEXT,
            event_id TEXT,
            event_type TEXT,
            event_at INTEGER,               -- Unix milliseconds
            verdict INTEGER NOT NULL,       -- place in Verdict::all()
            fault INTEGER,                  -- place in Fault::all()
            covers_body INTEGER,            -- 0, 1
            age_s INTEGER,
            flags INTEGER NOT NULL,         -- Flags::bits()
            duplicate_of INTEGER,
            size INTEGER NOT NULL,          -- bytes of the body that are kept
            truncated INTEGER NOT NULL,     -- 0, 1
            reply INTEGER NOT NULL,         -- the status creel answered
            deliveries INTEGER NOT NULL,
            app INTEGER                     -- the last delivery's status; 0: it failed
        ) STRICT;

        -- What a capture holds. The body is last: SQLite reads a row from its front, so the head is read without it.
        CREATE TABLE content (
            id INTEGER PRIMARY KEY,         -- of the capture
            sha256 BLOB NOT NULL,
            declared INTEGER,
            chunks INTEGER NOT NULL,        -- rows of the body in chunk; 0: it is in this row
            judgement TEXT,                 -- explanation and evidence, JSON
            trailers BLOB,                  -- each name and value after its length, 4 bytes little-endian
            head BLOB NOT NULL,
            body BLOB
        ) STRICT;

        -- The parts of a large body. The id is capture * 65536 + part: one tree, filled at its end.
        CREATE TABLE chunk (
            id INTEGER PRIMARY KEY,
            bytes BLOB NOT NULL
        ) STRICT;

        CREATE TABLE delivery (
            id INTEGER PRIMARY KEY,
            capture INTEGER NOT NULL,
            url TEXT NOT NULL,
            started_at INTEGER NOT NULL,
            took_ms INTEGER NOT NULL,
            attempt INTEGER NOT NULL,
            receipt TEXT NOT NULL,          -- JSON
            status INTEGER,                 -- of the reply; null: it failed
            error TEXT,                     -- why it failed
            truncated INTEGER NOT NULL,
            headers BLOB,                   -- as trailers
            body BLOB
        ) STRICT;
        CREATE INDEX delivery_of ON delivery (capture);

        CREATE TABLE refusal (
            id INTEGER PRIMARY KEY,
            at INTEGER NOT NULL,
            peer TEXT NOT NULL,
            status INTEGER,
            reason TEXT NOT NULL,
            head BLOB NOT NULL
        ) STRICT;

        -- One row, changed once a transaction.
        CREATE TABLE counter (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            next_id INTEGER NOT NULL,       -- of a capture
            next_delivery INTEGER NOT NULL,
            captures INTEGER NOT NULL,
            bytes INTEGER NOT NULL,
            failed INTEGER NOT NULL,
            duplicates INTEGER NOT NULL,
            refused INTEGER NOT NULL,
            seed BLOB NOT NULL              -- the key of the event hash, 16 bytes of chance
        ) STRICT;
        INSERT INTO counter VALUES (1, 1, 1, 0, 0, 0, 0, 0, randomblob(16));

        -- The event hashes of the captures first_id to last_id: hash and id, 4 bytes each, little-endian. An index over
        -- event ids would rewrite a random page for every capture.
        CREATE TABLE event_run (
            first_id INTEGER PRIMARY KEY,
            last_id INTEGER NOT NULL,
            entries BLOB NOT NULL
        ) STRICT;
    ",
    },
    Migration {
        reason: "which delivery of an event a capture is, and whether it came out of order",
        sql: "
        ALTER TABLE summary ADD COLUMN attempt INTEGER;      -- of its event, from 2; null: the first
        ALTER TABLE summary ADD COLUMN gap_ms INTEGER;       -- since the last delivery of it
        ALTER TABLE summary ADD COLUMN retry INTEGER;        -- bit 0: the last one had failed; bit 1: it has its signature
        ALTER TABLE summary ADD COLUMN late_ms INTEGER;      -- how much older its event is than one before it
        ALTER TABLE summary ADD COLUMN last_repeat INTEGER;  -- in the first capture of an event: the newest of it
    ",
    },
    Migration {
        reason: "what must still be brought to an app, so that it outlives the process",
        sql: "
        -- A row is there before anything goes out, and goes when it is done.
        CREATE TABLE errand (
            id INTEGER PRIMARY KEY,         -- never used twice
            capture INTEGER NOT NULL,
            lane TEXT NOT NULL,             -- where to, as the configuration names it; empty in a batch
            batch INTEGER,
            tries INTEGER NOT NULL,
            due_at INTEGER NOT NULL,        -- Unix milliseconds
            dead INTEGER NOT NULL,          -- 1: given up
            why TEXT                        -- why the last try failed
        ) STRICT;
        CREATE INDEX errand_of ON errand (capture);

        CREATE TABLE batch (
            id INTEGER PRIMARY KEY,
            at INTEGER NOT NULL,
            total INTEGER NOT NULL,
            spec TEXT NOT NULL              -- JSON; no secret
        ) STRICT;

        -- Apps to which nothing goes for a while.
        CREATE TABLE circuit (
            lane TEXT PRIMARY KEY,
            failures INTEGER NOT NULL,
            until INTEGER NOT NULL,
            why TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;

        ALTER TABLE counter ADD COLUMN next_errand INTEGER NOT NULL DEFAULT 1;
        ALTER TABLE counter ADD COLUMN waiting INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE counter ADD COLUMN dead INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE counter ADD COLUMN instance BLOB NOT NULL DEFAULT x'';  -- the store's mark on what it forwards
        UPDATE counter SET instance = randomblob(8);
        ALTER TABLE summary ADD COLUMN post INTEGER;        -- 1: waits to be forwarded; 2: given up
        ALTER TABLE delivery ADD COLUMN errand INTEGER;
    ",
    },
    Migration {
        reason: "what a person says of a capture: marked, pinned, edited, and a note",
        sql: "
        ALTER TABLE summary ADD COLUMN tags INTEGER NOT NULL DEFAULT 0;  -- Tags::bits()
        ALTER TABLE summary ADD COLUMN note TEXT;
    ",
    },
    Migration {
        reason: "what stands in the texts of captures, so that a search passes over those that it cannot mean",
        sql: "
        -- What is known of a run of captures (`gram`). Written long after them; what has no sheet is looked through.
        CREATE TABLE gram_sheet (
            id INTEGER PRIMARY KEY,         -- place * 2 + level
            version INTEGER NOT NULL,       -- of how texts are cut and where their pieces are marked
            width INTEGER NOT NULL,         -- binary logarithm of the positions
            always INTEGER NOT NULL,        -- bit n: its block n may hold anything
            sharp INTEGER NOT NULL          -- whether the whole run has a filter of its own: 0, 1
        ) STRICT;

        -- The bits of the sheets, cut so that each piece fills a page. The id is sheet * 1024 + part.
        CREATE TABLE gram_part (
            id INTEGER PRIMARY KEY,
            bits BLOB NOT NULL
        ) STRICT;
    ",
    },
    Migration {
        reason: "how long the app took, in the list",
        sql: "
        ALTER TABLE summary ADD COLUMN took_ms INTEGER;      -- of the last delivery
        UPDATE summary SET took_ms = (SELECT took_ms FROM delivery WHERE capture = summary.id ORDER BY id DESC LIMIT 1)
            WHERE deliveries > 0;
    ",
    },
    Migration {
        reason: "what endpoints were told to answer while creel ran",
        sql: "
        -- A row for each endpoint that answers something else than its configuration says.
        CREATE TABLE respond (
            endpoint TEXT PRIMARY KEY,
            words TEXT NOT NULL             -- JSON
        ) STRICT;
    ",
    },
    Migration {
        reason: "which numbers were imported, so that their times are not taken for those of what came",
        sql: "
        -- A row for each import. Elsewhere times ascend with numbers.
        CREATE TABLE imported (
            first_id INTEGER PRIMARY KEY,
            last_id INTEGER NOT NULL
        ) STRICT;
        INSERT INTO imported SELECT min(id), max(id) FROM
            (SELECT id, id - row_number() OVER (ORDER BY id) AS block FROM summary WHERE flags & 524288)
            GROUP BY block;
    ",
    },
    Migration {
        reason: "out of which capture a person made another one",
        sql: "
        ALTER TABLE summary ADD COLUMN edited_from INTEGER;
    ",
    },
    Migration {
        reason: "why a delivery got no reply, as a fact beside the words",
        sql: "
        ALTER TABLE delivery ADD COLUMN cause INTEGER;       -- Cause::number(); null: it was not noted, or there was a reply
    ",
    },
    Migration {
        reason: "where a capture's errands stand, in its own row: an index over them was a page more in each commit",
        sql: "
        -- The errands of a capture are written together, so their numbers follow each other.
        ALTER TABLE summary ADD COLUMN errand INTEGER;       -- the first of them that forward it; null: it has none
        ALTER TABLE summary ADD COLUMN lanes INTEGER;        -- among how many numbers from there on they are
        UPDATE summary SET errand = of.first, lanes = of.last - of.first + 1 FROM
            (SELECT capture, min(id) AS first, max(id) AS last FROM errand WHERE batch IS NULL GROUP BY capture) AS of
            WHERE summary.id = of.capture;
        DROP INDEX errand_of;
    ",
    },
    Migration {
        reason: "what is left of a batch as ranges of numbers, in place of a row for each of its captures",
        sql: "
        -- Captures of a batch, 8 bytes each, big-endian. The id is the errand number of the first; the others follow it.
        CREATE TABLE batch_list (
            id INTEGER PRIMARY KEY,
            captures BLOB NOT NULL
        ) STRICT;
        INSERT INTO batch_list SELECT min(id), unhex(group_concat(printf('%016x', capture), '' ORDER BY id)) FROM
            (SELECT id, capture, batch, id - row_number() OVER (PARTITION BY batch ORDER BY id) AS run
                FROM errand WHERE batch IS NOT NULL)
            GROUP BY batch, run;

        -- Those of which something is left.
        CREATE TABLE batch_now (
            first INTEGER PRIMARY KEY,      -- the errand numbers of its first and last
            last INTEGER NOT NULL,
            id INTEGER NOT NULL,            -- never used twice
            at INTEGER NOT NULL,            -- Unix milliseconds
            total INTEGER NOT NULL,
            ranges BLOB NOT NULL,           -- the errand numbers that are left: first and last of each range, 8 bytes, big-endian
            spec TEXT NOT NULL              -- JSON; no secret
        ) STRICT;
        INSERT INTO batch_now SELECT min(first), max(last), batch.id, at, total,
            unhex(group_concat(printf('%016x%016x', first, last), '' ORDER BY first)), spec FROM
            (SELECT id AS first, id + length(captures) / 8 - 1 AS last,
                (SELECT batch FROM errand WHERE errand.id = batch_list.id) AS batch FROM batch_list) AS run
            JOIN batch ON batch.id = run.batch GROUP BY batch.id;

        ALTER TABLE counter ADD COLUMN next_batch INTEGER NOT NULL DEFAULT 1;
        UPDATE counter SET next_batch = (SELECT coalesce(max(id), 0) + 1 FROM batch);
        DROP TABLE batch;
        ALTER TABLE batch_now RENAME TO batch;
        DELETE FROM errand WHERE batch IS NOT NULL;
        ALTER TABLE errand DROP COLUMN batch;
    ",
    },
    Migration {
        reason: "from a capture to its deliveries by their numbers: an index over them was a page more in each commit",
        sql: "
        ALTER TABLE summary ADD COLUMN delivery INTEGER;    -- the newest; null: there is none
        ALTER TABLE delivery ADD COLUMN before INTEGER;     -- the one of the same capture before it; null: it is the first
        UPDATE summary SET delivery = (SELECT max(id) FROM delivery WHERE capture = summary.id) WHERE deliveries > 0;
        UPDATE delivery SET before =
            (SELECT max(id) FROM delivery AS other WHERE other.capture = delivery.capture AND other.id < delivery.id);
        DROP INDEX delivery_of;
    ",
    },
    Migration {
        reason: "an event is told apart by its type, too: the hashes of all that came are made anew, and written by and by",
        sql: "DELETE FROM event_run;",
    },
    Migration {
        reason: "which captures are of another provider or event than when they came, for all that knows them by that",
        sql: "
        CREATE TABLE retold (
            n INTEGER PRIMARY KEY,          -- ascending in the order in which they were told anew
            capture INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX retold_capture ON retold (capture);
    ",
    },
];

/// What stands in a file's header about its schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing: a new file.
    Fresh,
    /// One of creel's, with that many migrations.
    Version(usize),
}

/// Reads whose file it is. Changes nothing.
pub(super) fn state(connection: &Connection, path: &Path) -> Result<State, Failure> {
    let doing = file::opening(path);
    let read = || -> Result<(i32, i64, i64), Error> {
        let application = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
        let version = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let tables = connection.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?;
        Ok((application, version, tables))
    };
    match read().map_err(|error| trouble::failure(&doing, &error))? {
        (0, 0, 0) => Ok(State::Fresh),
        (APPLICATION_ID, version, _) => Ok(State::Version(usize::try_from(version).unwrap_or(usize::MAX))),
        _ => Err(Failure::new(doing, "it is another program's SQLite database").hint(file::ELSEWHERE)),
    }
}

/// Refuses a file that a newer creel has written.
pub(super) fn refuse_newer(state: State, known: usize, path: &Path) -> Result<(), Failure> {
    match state {
        State::Version(version) if version > known => Err(Failure::new(
            file::opening(path),
            format!("it has version {version}, and this creel knows versions up to {known}"),
        )
        .hint("use the newer creel that wrote it, or name another file with --db")),
        _ => Ok(()),
    }
}

/// Takes every step the file has not had, all or none, and gives how many were taken.
pub(super) fn migrate(connection: &mut Connection, steps: &[Migration]) -> Result<usize, Failure> {
    let failed = |error: Error| trouble::failure("bringing the store up to this version", &error);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    // Asked again inside: another process may have been faster.
    let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
    let missing = steps.get(usize::try_from(version).unwrap_or_default()..).unwrap_or_default();
    for Migration { reason, sql } in missing {
        let doing = || format!("bringing the store up to this version, the step \"{reason}\"");
        transaction.execute_batch(sql).map_err(|error| trouble::failure(doing(), &error))?;
    }
    if !missing.is_empty() {
        transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
        transaction.pragma_update(None, "user_version", steps.len() as i64).map_err(failed)?;
    }
    transaction.commit().map_err(failed)?;
    Ok(missing.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        record::{Cause, Flag, Outcome},
        store::select,
    };

    const NEXT: Migration = Migration {
        reason: "a synthetic step, to prove that an old store survives one",
        sql: "ALTER TABLE summary ADD COLUMN colour TEXT; UPDATE counter SET captures = captures + 1;",
    };
    const BROKEN: Migration =
        Migration { reason: "a step that fails half way", sql: "CREATE TABLE half (a); CREATE TABLE summary (a);" };

    /// The steps of this creel and one more.
    fn steps(last: Migration) -> Vec<Migration> {
        let known = MIGRATIONS.iter().map(|step| Migration { reason: step.reason, sql: step.sql });
        known.chain([last]).collect()
    }

    fn version(connection: &Connection) -> i64 {
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
    }

    #[test]
    fn every_version_before_becomes_the_newest() {
        let newest = steps(NEXT);
        for before in 0..=newest.len() {
            let mut old = Connection::open_in_memory().unwrap();
            assert_eq!(migrate(&mut old, &newest[..before]).unwrap(), before);
            assert_eq!(migrate(&mut old, &newest).unwrap(), newest.len() - before, "from {before}");
            assert_eq!(version(&old), newest.len() as i64);
            assert_eq!(old.query_row("SELECT captures FROM counter", (), |row| row.get(0)), Ok(1));
            assert_eq!(state(&old, Path::new("x")), Ok(State::Version(newest.len())));
        }
    }

    #[test]
    fn a_step_that_fails_leaves_the_old_state() {
        let mut store = Connection::open_in_memory().unwrap();
        migrate(&mut store, MIGRATIONS).unwrap();
        let failed = migrate(&mut store, &steps(BROKEN)).unwrap_err();
        assert!(failed.doing.contains(BROKEN.reason), "{failed}");
        assert_eq!(version(&store), MIGRATIONS.len() as i64);
        let half: i64 =
            store.query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'half'", (), |row| row.get(0)).unwrap();
        assert_eq!(half, 0);
    }

    #[test]
    fn a_newer_file_is_refused_with_both_versions() {
        let refused = refuse_newer(State::Version(9), 3, Path::new("x")).unwrap_err();
        assert!(refused.why.contains("version 9") && refused.why.contains("up to 3"), "{refused}");
        assert!(refused.hint.is_some());
        for fine in [State::Fresh, State::Version(0), State::Version(3)] {
            assert_eq!(refuse_newer(fine, 3, Path::new("x")), Ok(()));
        }
    }

    #[test]
    fn imports_of_an_older_store_are_found() {
        let mut store = Connection::open_in_memory().unwrap();
        let before = MIGRATIONS.iter().position(|step| step.sql.contains("CREATE TABLE imported")).unwrap();
        migrate(&mut store, &MIGRATIONS[..before]).unwrap();
        let imported = Flag::Imported.bit();
        for (id, flags) in [(1, 0), (2, imported), (3, imported | 1), (4, 1), (6, imported), (7, 0)] {
            let row = "INSERT INTO summary (id, uid, received_at, endpoint, peer, method, path, verdict, flags, size,
                truncated, reply, deliveries) VALUES (?, x'', 0, '', '', '', '', 0, ?, 0, 0, 200, 0)";
            store.execute(row, [id, flags]).unwrap();
        }
        migrate(&mut store, MIGRATIONS).unwrap();
        let mut rows = store.prepare("SELECT first_id, last_id FROM imported").unwrap();
        let found: Vec<(i64, i64)> =
            rows.query_map((), |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
        assert_eq!(found, [(2, 3), (6, 6)]);
    }

    #[test]
    fn a_failed_delivery_of_an_older_store_keeps_its_words_and_has_no_known_cause() {
        let mut store = Connection::open_in_memory().unwrap();
        let before = MIGRATIONS.iter().position(|step| step.sql.contains("COLUMN cause")).unwrap();
        migrate(&mut store, &MIGRATIONS[..before]).unwrap();
        let row = "INSERT INTO delivery (id, capture, url, started_at, took_ms, attempt, receipt, error, truncated)
            VALUES (1, 1, '', 0, 0, 1, '[]', 'connection refused', 0)";
        store.execute(row, ()).unwrap();
        migrate(&mut store, MIGRATIONS).unwrap();
        let sql = format!("SELECT {} FROM delivery", select::DELIVERY_COLUMNS);
        let read = store.query_row(&sql, (), select::delivery).unwrap();
        assert_eq!(read.outcome, Outcome::Failed(Cause::Other, "connection refused".to_owned()));
    }

    /// A store as it was before the step that has those words.
    fn before(words: &str) -> Connection {
        let mut store = Connection::open_in_memory().unwrap();
        let before = MIGRATIONS.iter().position(|step| step.sql.contains(words)).unwrap();
        migrate(&mut store, &MIGRATIONS[..before]).unwrap();
        store
    }

    #[test]
    fn the_deliveries_of_an_older_store_are_found_from_their_captures() {
        let mut store = before("DROP INDEX delivery_of");
        for (id, deliveries) in [(1, 3), (2, 0), (3, 1)] {
            let row = "INSERT INTO summary (id, uid, received_at, endpoint, peer, method, path, verdict, flags, size,
                truncated, reply, deliveries) VALUES (?, x'', 0, '', '', '', '', 0, 0, 0, 0, 200, ?)";
            store.execute(row, (id, deliveries)).unwrap();
        }
        for (id, capture) in [(1, 1), (2, 3), (3, 1), (9, 1)] {
            let row = "INSERT INTO delivery (id, capture, url, started_at, took_ms, attempt, receipt, truncated)
                VALUES (?, ?, '', 0, 0, 1, '[]', 0)";
            store.execute(row, (id, capture)).unwrap();
        }
        migrate(&mut store, MIGRATIONS).unwrap();
        let sql = crate::store::reader::deliveries_of().replace(select::DELIVERY_COLUMNS, "id");
        let of = |capture: i64| -> Vec<i64> {
            let mut found = store.prepare(&sql).unwrap();
            found.query_map([capture], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        assert_eq!([of(1), of(2), of(3), of(4)], [vec![9, 3, 1], vec![], vec![2], vec![]]);
        // Where a damaged file leads round in a ring, or to another capture's, that is not followed.
        store
            .execute_batch("UPDATE delivery SET before = 9 WHERE id = 1; UPDATE delivery SET before = 1 WHERE id = 2")
            .unwrap();
        assert_eq!([of(1), of(3)], [vec![9, 3, 1], vec![2]]);
    }

    #[test]
    fn the_errands_of_an_older_store_are_found_by_their_numbers() {
        let mut store = before("DROP INDEX errand_of");
        for (id, post) in [(1, Some(1)), (2, None), (3, Some(2)), (4, Some(1))] {
            let row = "INSERT INTO summary (id, uid, received_at, endpoint, peer, method, path, verdict, flags, size,
                truncated, reply, deliveries, post) VALUES (?, x'', 0, '', '', '', '', 0, 0, 0, 0, 200, 0, ?)";
            store.execute(row, (id, post)).unwrap();
        }
        // The first lane's of capture 1 is done, the middle one's of capture 3; 5 and 6 are of a batch.
        let rows = [(2, 1, None, 0), (3, 3, None, 0), (5, 1, Some(1), 0), (6, 2, Some(1), 0), (7, 4, None, 0)];
        let dead = [(13, 3, None, 1)];
        for (id, capture, batch, dead) in rows.into_iter().chain(dead) {
            let row =
                "INSERT INTO errand (id, capture, lane, batch, tries, due_at, dead) VALUES (?, ?, 'a', ?, 0, 0, ?)";
            store.execute(row, (id, capture, batch, dead)).unwrap();
        }
        migrate(&mut store, MIGRATIONS).unwrap();
        let mut rows = store.prepare("SELECT errand, lanes FROM summary ORDER BY id").unwrap();
        let found: Vec<(Option<i64>, Option<i64>)> =
            rows.query_map((), |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
        assert_eq!(found, [(Some(2), Some(1)), (None, None), (Some(3), Some(11)), (Some(7), Some(1))]);
        let index = "SELECT count(*) FROM sqlite_schema WHERE name = 'errand_of'";
        assert_eq!(store.query_row(index, (), |row| row.get(0)), Ok(0));
    }

    #[test]
    fn every_step_says_why() {
        assert!(MIGRATIONS.iter().all(|step| step.reason.len() > 10));
    }
}
