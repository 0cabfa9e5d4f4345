//! Hearing another process's commits, and its coming and going.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use crate::{
    record::Failure,
    store::{Bell, Reader},
};

/// How often the store is asked whether somebody wrote to it. One question costs a few microseconds, and a row must be
/// on the screen within 50 ms of its commit.
const EVERY: Duration = Duration::from_millis(10);
/// At how many of these questions it is also asked whether somebody captures into the store.
const SELDOM: u32 = 50;

/// A thread that rings the bell whenever another process has committed, has begun to capture or has ended; it ends when this
/// is dropped.
pub(super) struct Watch(Arc<AtomicBool>);

impl Watch {
    pub(super) fn start(db: &Path, bell: Bell) -> Result<Self, Failure> {
        let (reader, db) = (Reader::open(db)?, db.to_owned());
        let over = Arc::new(AtomicBool::new(false));
        let mut seen = reader.data_version()?;
        let mut holder = super::holder_url(&db);
        let ended = Arc::clone(&over);
        super::spawn("creel-watch", move || {
            for question in 0_u32.. {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                if question % SELDOM == 0 {
                    let now = super::holder_url(&db);
                    if now != holder {
                        holder = now;
                        bell.ring();
                    }
                }
                // A store that cannot be read now may be readable in a moment; what the face asks for says why.
                if let Ok(version) = reader.data_version()
                    && version != seen
                {
                    seen = version;
                    bell.ring();
                }
                thread::sleep(EVERY);
            }
        })?;
        Ok(Self(over))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
