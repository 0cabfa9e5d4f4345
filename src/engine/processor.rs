//! Threads that each keep to a processor of their own.
//!
//! Who sends to an app on the same machine is woken by it, and wakes it: a scheduler brings all of them together on one
//! processor, since what one has just written the other is about to read, and on a machine of few leaves the others idle
//! meanwhile. Of as many threads as there are processors, which take their work from one line, each may keep to its own:
//! one whose processor is busy with something else takes less. Of fewer none does: the scheduler knows better which are free.

/// Where a thread is to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Wherever there is room.
    Anywhere,
    /// On that processor, by its number.
    #[cfg(target_os = "linux")]
    On(usize),
}

/// The places of so many threads.
pub(super) fn places(threads: usize) -> Vec<Place> {
    let processors = processors();
    if threads == processors.len() { processors } else { vec![Place::Anywhere; threads] }
}

/// The processors that this process may use, by `sched_getaffinity(2)`. None: they are not told.
#[cfg(target_os = "linux")]
fn processors() -> Vec<Place> {
    use rustix::thread::{CpuSet, sched_getaffinity};
    let Ok(allowed) = sched_getaffinity(None) else { return Vec::new() };
    (0..CpuSet::MAX_CPU).filter(|&processor| allowed.is_set(processor)).map(Place::On).collect()
}

#[cfg(not(target_os = "linux"))]
fn processors() -> Vec<Place> {
    Vec::new()
}

impl Place {
    /// Takes the calling thread there. Where that is not allowed it stays free, which costs time and nothing else.
    pub(super) fn take(self) {
        match self {
            Self::Anywhere => {}
            #[cfg(target_os = "linux")]
            Self::On(processor) => {
                let mut only = rustix::thread::CpuSet::new();
                only.set(processor);
                let _ = rustix::thread::sched_setaffinity(None, &only);
            }
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn each_processor_has_its_thread_or_all_are_free() {
        let all = processors();
        assert!(!all.is_empty());
        assert_eq!(places(all.len()), all);
        assert_eq!(places(all.len() + 1), vec![Place::Anywhere; all.len() + 1]);
        let kept: Vec<_> = places(all.len())
            .into_iter()
            .map(|place| {
                let there = move || {
                    place.take();
                    processors()
                };
                thread::spawn(there).join().unwrap()
            })
            .collect();
        assert_eq!(kept.concat(), all, "each thread may run on its own alone");
        assert_eq!(processors(), all, "and who started them stays free");
    }
}
