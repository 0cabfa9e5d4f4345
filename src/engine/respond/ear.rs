//! Hearing what endpoints are told to answer, by whatever process: it stands in the store.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use super::Words;
use crate::{
    engine::endpoint::Endpoints,
    record::{Failure, Timestamp},
    store::Reader,
};

/// How old what is known may be when a request is answered, in milliseconds. A look after a commit costs some fifty
/// microseconds, so that a flood spends a hundredth of its time on them; an idle creel does not look at all.
const FRESH_MS: i64 = 5;

/// How long after its commit what an endpoint is told is heard for certain.
pub(in crate::engine) const HEARD_AFTER: Duration = Duration::from_millis(2 * FRESH_MS as u64);

/// Looks into the store when a request comes, not more often than every few milliseconds.
pub(in crate::engine) struct Ear {
    looked_at: AtomicI64,
    heard: Mutex<Heard>,
}

struct Heard {
    reader: Reader,
    version: Option<i64>,
}

impl Ear {
    pub(in crate::engine) fn new(reader: Reader) -> Self {
        let heard = Mutex::new(Heard { reader, version: None });
        Self { looked_at: AtomicI64::new(i64::MIN), heard }
    }

    /// Looks, where the last look is too old for a request of that moment.
    pub(in crate::engine) fn listen(&self, now: Timestamp, endpoints: &Endpoints) {
        let (now, last) = (now.unix_ms(), self.looked_at.load(Ordering::Relaxed));
        // A clock that was put back makes the last look older, not newer.
        if last <= now && now.saturating_sub(last) < FRESH_MS {
            return;
        }
        self.looked_at.store(now, Ordering::Relaxed);
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        // What cannot be read now leaves what is in force; the next look tries again.
        let _ = heard.look(endpoints);
    }
}

impl Heard {
    fn look(&mut self, endpoints: &Endpoints) -> Result<(), Failure> {
        let version = Some(self.reader.data_version()?);
        if self.version == version {
            return Ok(());
        }
        let told = told(&self.reader)?;
        for endpoint in endpoints.iter() {
            let words = told.iter().find(|(name, _)| *name == endpoint.name).map(|(_, words)| words.clone());
            // Words that another version of creel wrote, or that name a file which is gone, leave what is in force.
            let _ = endpoint.respond.lay_over(words);
        }
        self.version = version;
        Ok(())
    }
}

/// What endpoints are told to answer, by the store. What cannot be read is left out.
pub fn told(reader: &Reader) -> Result<Vec<(String, Words)>, Failure> {
    let rows = reader.responds()?;
    Ok(rows.into_iter().filter_map(|(name, text)| Some((name, serde_json::from_str(&text).ok()?))).collect())
}
