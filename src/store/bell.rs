//! The doorbell: says that the store changed, and carries nothing.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

type Subscriber = Arc<dyn Fn() + Send + Sync>;

/// A bell that the writer rings once after each commit. Clones are the same bell.
///
/// It carries no data, so that it can neither overflow nor lie: who hears it asks a [`Reader`](super::Reader). Who is
/// rung more often than it can look takes several rings for one; that is the subscriber's own matter.
#[derive(Clone, Default)]
pub struct Bell {
    subscribers: Arc<RwLock<Vec<Subscriber>>>,
}

impl Bell {
    /// A bell nobody listens to yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls `f` at every ring from now on, on the thread that rings. `f` must be quick and must not panic: it runs
    /// between two transactions.
    pub fn on_ring(&self, f: impl Fn() + Send + Sync + 'static) {
        self.subscribers.write().unwrap_or_else(PoisonError::into_inner).push(Arc::new(f));
    }

    /// Rings. The list is copied first, so that a subscriber may itself subscribe another.
    pub fn ring(&self) {
        let subscribers = self.subscribers.read().unwrap_or_else(PoisonError::into_inner).clone();
        for subscriber in subscribers {
            subscriber();
        }
    }
}

impl fmt::Debug for Bell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bell")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn everybody_hears_every_ring_from_any_clone() {
        let bell = Bell::new();
        let heard = Arc::new(AtomicU32::new(0));
        for weight in [1, 100] {
            let heard = Arc::clone(&heard);
            bell.on_ring(move || {
                heard.fetch_add(weight, Ordering::Relaxed);
            });
        }
        bell.clone().ring();
        bell.ring();
        assert_eq!(heard.load(Ordering::Relaxed), 202);
    }

    #[test]
    fn a_subscriber_may_subscribe_another_while_it_is_rung() {
        let bell = Bell::new();
        let same = bell.clone();
        bell.on_ring(move || same.on_ring(|| ()));
        bell.ring();
        assert_eq!(bell.subscribers.read().unwrap().len(), 2);
    }
}
