//! Large bodies that are read: in a file without a name and not in memory, and looked at through a mapping of it.
//!
//! Who holds one sees bytes as any others. What of them was looked at lies in the process until the kernel takes it back;
//! and gives it again, page by page, to whoever looks again. That is asked of it every few milliseconds while somebody is
//! [`looking`] through bodies, and when they are done. Where there is no room for the file, the body is read into memory as
//! a small one is.

use std::{
    fs::File,
    io::{Result, Write},
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak},
    thread,
    time::Duration,
};

use bytes::Bytes;
use mmap_io::{MemoryMappedFile, MmapAdvice, MmapMode};

/// Bytes of a body above which it is not read into memory.
pub(super) const READ_INTO_MEMORY: usize = 16 * super::MIB;
/// How long what was looked at stays while somebody is looking. A fast pass gets through 40 MB in that time.
const EASE_EVERY: Duration = Duration::from_millis(4);

/// What this process has of large bodies, and who looks at them.
struct State {
    held: Vec<Weak<Mapped>>,
    looking: usize,
    /// Whether there is a thread that eases while somebody looks.
    is_eased: bool,
}

static STATE: Mutex<State> = Mutex::new(State { held: Vec::new(), looking: 0, is_eased: false });
static CHANGED: Condvar = Condvar::new();

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    /// Takes the pages of large bodies out of this process. Nothing that anybody holds of them changes.
    fn ease(&mut self) {
        self.held.retain(|body| body.strong_count() > 0);
        for body in self.held.iter().filter_map(Weak::upgrade) {
            // Where that fails the pages stay, and the next time may do better.
            let _ = body.0.advise(0, body.0.len(), MmapAdvice::DontNeed);
        }
    }
}

/// Somebody who looks through bodies, until it is dropped.
#[derive(Debug)]
pub struct Looking(());

/// Says that bodies are looked through: so that a large one is not in memory as a whole afterwards, or meanwhile.
pub fn looking() -> Looking {
    state().looking += 1;
    CHANGED.notify_one();
    Looking(())
}

impl Drop for Looking {
    fn drop(&mut self) {
        let mut state = state();
        state.looking -= 1;
        state.ease();
    }
}

/// Eases for as long as somebody looks; sleeps while nobody does, or there is no large body.
fn keep_easing() {
    let mut now = state();
    loop {
        let idle = |state: &mut State| state.looking == 0 || state.held.is_empty();
        now = CHANGED.wait_while(now, idle).unwrap_or_else(PoisonError::into_inner);
        now.ease();
        now = CHANGED.wait_timeout(now, EASE_EVERY).unwrap_or_else(PoisonError::into_inner).0;
    }
}

/// A body in its file.
struct Mapped(MemoryMappedFile);

/// Owns the bytes that are given out.
struct Owner(Arc<Mapped>);

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        let file = &self.0.0;
        // It is mapped to be read, as a whole: that gives all of it.
        file.as_slice_bytes(0, file.len()).unwrap_or_default()
    }
}

/// A file that a body is written into, piece by piece.
pub(super) struct Sheet {
    file: File,
    written: Result<()>,
}

impl Sheet {
    /// One in that folder, without a name: nobody else can open it, and it is gone with the process.
    pub(super) fn new(folder: &Path) -> Result<Self> {
        Ok(Self { file: tempfile::tempfile_in(folder)?, written: Ok(()) })
    }

    /// Adds a piece. After one that could not be written, none is.
    pub(super) fn add(&mut self, piece: &[u8]) {
        if self.written.is_ok() {
            self.written = self.file.write_all(piece);
        }
    }

    /// The whole; none where it was not all written, or cannot be mapped.
    pub(super) fn finish(self) -> Option<Bytes> {
        self.written.ok()?;
        let map = MemoryMappedFile::from_file(self.file, MmapMode::ReadOnly, "").ok()?;
        let mapped = Arc::new(Mapped(map));
        let mut state = state();
        state.held.push(Arc::downgrade(&mapped));
        if !state.is_eased {
            // Without the thread it is eased when they are done.
            state.is_eased = thread::Builder::new().name("creel-ease".into()).spawn(keep_easing).is_ok();
        }
        drop(state);
        CHANGED.notify_one();
        Some(Bytes::from_owner(Owner(mapped)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many KiB of a file in that folder are in this process (proc(5): `smaps`); none where none is mapped.
    #[cfg(target_os = "linux")]
    fn resident(folder: &Path) -> Option<u64> {
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let mut lines = maps.lines().skip_while(|line| !line.contains(folder.to_str().unwrap()));
        let said = lines.find_map(|line| line.strip_prefix("Rss:"))?;
        said.trim().strip_suffix(" kB")?.parse().ok()
    }

    #[test]
    fn what_was_written_is_read_as_often_as_anybody_likes() {
        let folder = tempfile::tempdir().unwrap();
        let mut sheet = Sheet::new(folder.path()).unwrap();
        let body: Vec<u8> = (0..=u8::MAX).cycle().take(3 * super::super::MIB + 1).collect();
        body.chunks(100_000).for_each(|piece| sheet.add(piece));
        let bytes = sheet.finish().unwrap();
        let end = bytes.slice(bytes.len() - 5..);
        for _ in 0..2 {
            let looking = looking();
            assert!(bytes == body);
            drop(looking);
            #[cfg(target_os = "linux")]
            assert_eq!(resident(folder.path()), Some(0), "what was looked at is given back");
        }
        drop(bytes);
        assert_eq!(end, body[body.len() - 5..], "a piece of it holds it");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the file has no name");
    }

    #[test]
    fn what_could_not_be_written_is_not_given() {
        let folder = tempfile::tempdir().unwrap();
        let mut sheet = Sheet::new(folder.path()).unwrap();
        sheet.add(b"a");
        // Open to be read alone, a file takes nothing.
        sheet.file = File::open(std::env::current_exe().unwrap()).unwrap();
        sheet.add(b"b");
        sheet.add(b"c");
        assert!(sheet.finish().is_none());
        assert!(Sheet::new(&folder.path().join("nowhere")).is_err());
    }
}
