//! What `update` may wish for.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    detail::{Part, find::Needle},
    draft::Outside,
    export::Export,
    list::Order,
};
use crate::{
    body::Document,
    engine::{mask::Masked, preview::Lens, respond::Words, rewrite::Rewritten},
    query::Filter,
    record::{Capture, CaptureId, DeliveryId, Reply, Tagging, Timestamp},
    store::Start,
};

/// A wish, as data. It is done off the screen's thread.
#[derive(Clone)]
pub(super) enum Effect {
    /// Read rows of the list.
    Page { generation: u64, ask: Ask, start: Start, limit: usize, filter: Option<Arc<Filter>> },
    /// Read these rows again: what the filter still takes of them.
    Again { generation: u64, ids: Vec<CaptureId>, filter: Arc<Filter> },
    /// Read the rows that come first in an order of their own.
    Sorted { generation: u64, order: Order, filter: Option<Arc<Filter>> },
    /// Count what came after a capture.
    Arrived { generation: u64, after: CaptureId, filter: Option<Arc<Filter>> },
    /// Change what is said of captures.
    Tag { ids: Vec<CaptureId>, tagging: Tagging },
    /// Mark all that a filter takes.
    MarkAll(Arc<Filter>),
    /// Unmark all that is marked.
    UnmarkAll,
    /// Count what came after a capture and since a moment.
    Beats { after: CaptureId, since: Timestamp },
    /// Count what came between two moments.
    Stats { generation: u64, since: Timestamp, until: Timestamp },
    /// Take the mouse, or leave it to the terminal.
    Mouse(bool),
    /// Read the counters.
    Count,
    /// Read a capture and open its body in the view that fits.
    Open { generation: u64, id: CaptureId },
    /// Open a body in a view.
    View { generation: u64, capture: Arc<Capture>, view: usize },
    /// Make a part of a capture that a tab shows.
    Prepare { generation: u64, capture: Arc<Capture>, part: Part },
    /// Make the lines of a reply.
    Reply { generation: u64, id: DeliveryId, reply: Reply },
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
    /// Look for the tries at a capture's event.
    Tries { generation: u64, capture: Arc<Capture> },
    /// Read a capture's deliveries again.
    Deliveries(CaptureId),
    /// Judge a capture again, and keep the verdict.
    Judge(CaptureId),
    /// Read a capture's judgement again.
    Judgement(CaptureId),
    /// Send a capture to an app; none: its endpoint's. As it came, or signed anew.
    Resend { id: CaptureId, to: Option<String>, resign: bool },
    /// Send an edited request in a capture's name, as it is or signed anew.
    ResendEdited { id: CaptureId, to: Option<String>, resign: bool, request: Arc<Rewritten> },
    /// Make an edited request a capture of its own.
    KeepEdited { capture: Arc<Capture>, request: Arc<Rewritten> },
    /// Lend the terminal to a program of the user's, and take it back.
    Outside { what: Outside, mouse: bool },
    /// Give a capture's body to a command of the shell.
    Pipe { id: CaptureId, command: String },
    /// Look at a capture through programs.
    Preview { id: CaptureId, lenses: Vec<Lens> },
    /// Have a URL opened.
    Browse(String),
    /// See what is answered at the door, and how the tunnel stands.
    Door,
    /// Read what was turned away at the door, to be shown now or where it is shown.
    Refusals { opens: bool },
    /// Lay words over what an endpoint answers; none: what its configuration says.
    Tell { endpoint: String, words: Option<Box<Words>> },
    /// Send once more what was given up of a capture.
    ResendDead(CaptureId),
    /// End what of a capture waits to be forwarded or was given up.
    Drop(CaptureId),
    /// Send all that is marked but these.
    ResendMarked(Vec<CaptureId>),
    /// End that.
    StopResending,
    /// Look for the values that fields of filters have.
    Known,
    /// Save a filter under a name; an empty one takes the name away.
    KeepFilter { name: String, text: String },
    /// Hand bytes to the terminal for the clipboard.
    Copy(Vec<u8>),
    /// Write a new file of that name.
    Keep { name: String, bytes: Vec<u8>, masked: Masked },
    /// Look what is marked, to be deleted.
    Doomed,
    /// Look what is marked, to be exported.
    Marked { format: Option<usize>, selected: Option<CaptureId> },
    /// Write captures to a file.
    Export(Export),
    /// End that.
    StopExport,
    /// Say in what two messages differ.
    Compare(Compare),
    /// Delete captures for good. Done before anything that follows.
    Forget(Vec<CaptureId>),
    /// Leave.
    Quit,
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compare {
    /// Two captures.
    Captures(CaptureId, CaptureId),
    /// The last two replies of an app to a capture.
    Replies(CaptureId),
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
    /// They are those of the window's own rows that the filter takes still.
    Kept,
    /// They begin with the selected row, or with the next older one that the filter takes.
    Around,
}
