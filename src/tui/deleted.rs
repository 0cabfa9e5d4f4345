//! What is deleted when creel is left, and can be brought back until then.

use std::collections::BTreeSet;

use super::export::Batch;
use crate::{query::Filter, record::CaptureId};

/// How many captures can be deleted before creel is left: each is looked for in every question for rows until then.
pub(super) const DELETED: usize = 10_000;

/// The captures that are deleted, by what was deleted together.
#[derive(Clone, Debug, Default)]
pub(super) struct Deleted {
    /// The last one last.
    batches: Vec<Batch>,
    all: BTreeSet<CaptureId>,
    /// The filter that takes them; none where nothing is deleted.
    filter: Option<Filter>,
}

impl Deleted {
    /// How many are deleted.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn contains(&self, id: CaptureId) -> bool {
        self.all.contains(&id)
    }

    /// Whether so many more can be.
    pub(super) fn has_room(&self, count: usize) -> bool {
        self.len() + count <= DELETED
    }

    pub(super) fn add(&mut self, batch: Batch) {
        self.all.extend(batch.ids.iter().copied());
        self.batches.push(batch);
        self.look();
    }

    /// Brings back what was deleted last.
    pub(super) fn bring_back(&mut self) -> Option<Batch> {
        let batch = self.batches.pop()?;
        for id in &*batch.ids {
            self.all.remove(id);
        }
        self.look();
        Some(batch)
    }

    fn look(&mut self) {
        self.filter = (!self.all.is_empty()).then(|| Filter::of(&self.ids()));
    }

    /// All of them.
    pub(super) fn ids(&self) -> Vec<CaptureId> {
        self.all.iter().copied().collect()
    }

    /// The filter that rows are asked for with: the one in force, less what is deleted.
    pub(super) fn left_of(&self, filter: Option<&Filter>) -> Option<Filter> {
        let deleted = self.filter.as_ref()?;
        Some(filter.cloned().unwrap_or_else(Filter::everything).without(deleted.clone()))
    }
}
