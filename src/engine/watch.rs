//! Hearing another process's commits.

use std::{
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

/// A thread that rings the bell whenever another process has committed; it ends when this is dropped.
pub(super) struct Watch(Arc<AtomicBool>);

impl Watch {
    pub(super) fn start(reader: Reader, bell: Bell) -> Result<Self, Failure> {
        let over = Arc::new(AtomicBool::new(false));
        let mut seen = reader.data_version()?;
        let ended = Arc::clone(&over);
        super::spawn("creel-watch", move || {
            while !ended.load(Ordering::Relaxed) {
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
