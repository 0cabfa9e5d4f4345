//! Sending again whenever the app was built anew.

use std::{
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::Duration,
};

use notify::{Event, EventKind, RecursiveMode, Watcher};

use crate::record::Failure;

/// How long nothing must change before the app counts as built: a build writes many files.
const QUIET: Duration = Duration::from_millis(300);
/// How often the wish to stop is looked for while nothing changes.
const LOOK: Duration = Duration::from_millis(500);

/// A folder under watch.
pub(super) struct Folder {
    changes: Receiver<()>,
    _watcher: notify::RecommendedWatcher,
}

impl Folder {
    /// Watches a folder and all below it; not the store, which changes with each delivery, nor what git keeps.
    pub(super) fn watch(folder: &Path, db: &Path) -> Result<Self, Failure> {
        let doing = format!("watching {}", folder.display());
        folder.metadata().map_err(|why| Failure::new(&doing, why))?;
        let failed = |why: notify::Error| Failure::new(&doing, why);
        let (changed, changes) = channel();
        let store = db.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let counts = move |path: &PathBuf| {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            !name.starts_with(&store) && !path.components().any(|part| part.as_os_str() == ".git")
        };
        let mut watcher = notify::recommended_watcher(move |event: Result<Event, notify::Error>| {
            let is_change =
                event.is_ok_and(|event| !matches!(event.kind, EventKind::Access(_)) && event.paths.iter().any(&counts));
            if is_change {
                let _ = changed.send(());
            }
        })
        .map_err(failed)?;
        watcher.watch(folder, RecursiveMode::Recursive).map_err(failed)?;
        Ok(Self { changes, _watcher: watcher })
    }

    /// Waits until something changed and then nothing did for a while. False: it was to stop, or the watch ended.
    pub(super) fn wait(&self, stop: impl Fn() -> bool) -> bool {
        loop {
            match self.changes.recv_timeout(LOOK) {
                Ok(()) => break,
                Err(RecvTimeoutError::Timeout) if !stop() => {}
                Err(_) => return false,
            }
        }
        while self.changes.recv_timeout(QUIET).is_ok() {}
        !stop()
    }
}
