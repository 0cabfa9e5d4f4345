//! What `update` may wish for.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    detail::{Part, find::Needle},
    list::Order,
};
use crate::{
    body::Document,
    query::Filter,
    record::{Capture, CaptureId, Tagging},
    store::Start,
};

/// A wish, as data. It is done off the screen's thread.
#[derive(Clone)]
pub(super) enum Effect {
    /// Read rows of the list.
    Page { generation: u64, ask: Ask, start: Start, limit: usize, filter: Option<Arc<Filter>> },
    /// Read the rows that come first in an order of their own.
    Sorted { generation: u64, order: Order, filter: Option<Arc<Filter>> },
    /// Change what is said of captures.
    Tag { ids: Vec<CaptureId>, tagging: Tagging },
    /// Read the counters.
    Count,
    /// Read a capture and open its body in the view that fits.
    Open { generation: u64, id: CaptureId },
    /// Open a body in a view.
    View { generation: u64, capture: Arc<Capture>, view: usize },
    /// Make a part of a capture that a tab shows.
    Prepare { generation: u64, capture: Arc<Capture>, part: Part },
    /// Look through a document, whose first line is the tab's line `first`.
    Find { generation: u64, needle: Needle, document: Arc<dyn Document>, first: usize },
    /// Read the rest of a capture's body, of which the first piece is shown.
    Rest { generation: u64, capture: Arc<Capture> },
    /// Find what stands under a line of a body.
    Locate { generation: u64, document: Arc<dyn Document>, line: usize },
    /// Fold all of a body that opens at a depth.
    FoldTo { generation: u64, document: Arc<dyn Document>, depth: u32 },
    /// Save a part of a body under a name, where nothing has it yet.
    Save { name: String, bytes: Bytes },
    /// Read a capture's deliveries again.
    Deliveries(CaptureId),
    /// Send a capture to an app; none: its endpoint's. As it came, or signed anew.
    Resend { id: CaptureId, to: Option<String>, resign: bool },
    /// Send once more what was given up of a capture.
    ResendDead(CaptureId),
    /// Send all that is marked.
    ResendMarked,
    /// End that.
    StopResending,
    /// Leave.
    Quit,
}

/// What a page was asked for, and so what becomes of its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// They are the newest: the window begins with them.
    Newest,
    /// They are the oldest: the window ends with them.
    Oldest,
    /// They go below the window.
    Older,
    /// They go above it.
    Newer,
    /// They are the window's own rows, read again.
    Again,
    /// They begin with the selected row, or with the next older one that the filter takes.
    Around,
}
