//! The bell: something was committed.

use std::sync::{Arc, PoisonError, RwLock};

/// A doorbell, not a parcel: it says that something changed, never what. Whoever hears it asks the store; so a slow
/// listener can lag but not lie, and nothing can overflow.
#[derive(Clone, Default)]
pub struct Bell(Arc<RwLock<Vec<Listener>>>);

/// What is called at a ring.
type Listener = Box<dyn Fn() + Send + Sync>;

impl Bell {
    /// A bell that nobody hears yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls `f` at each ring, on the ringer's thread: it must be quick.
    pub fn on_ring(&self, f: impl Fn() + Send + Sync + 'static) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(Box::new(f));
    }

    /// Rings.
    pub fn ring(&self) {
        self.0.read().unwrap_or_else(PoisonError::into_inner).iter().for_each(|hear| hear());
    }
}
