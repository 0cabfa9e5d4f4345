//! Everything that can happen to the screen.

use std::sync::Arc;

use bytes::Bytes;
use crossterm::event::{KeyEvent, MouseEvent};

use super::{
    arrived,
    configured::Configured,
    detail::{Prepared, find::Hit},
    draft::Returned,
    effect::Ask,
    export::{Export, Exported},
    filters::Known,
    refused::Refusals,
    stage::{Door, SentAll},
};
use crate::{
    body::{Document, Folds, Node, compare::Part},
    engine::{Judged, Tidings, mask::Masked, pipe::Piped, preview::Lens},
    record::{Capture, CaptureId, Counters, Delivery, Errand, Failure, Judgement, Origin, Timestamp},
    store::{Beat, Slice, Stats},
    verify::Try,
};

/// A message, by where it comes from.
#[derive(Debug)]
pub(super) enum Msg {
    // The terminal.
    /// A key was pressed.
    Key(KeyEvent),
    /// The mouse did something.
    Mouse(MouseEvent),
    /// Text was pasted.
    Paste(String),
    /// The terminal has another size: columns, rows.
    Resize(u16, u16),

    // The process.
    /// It is asked to end.
    Stop,
    /// The server ended by itself.
    ServerEnded,
    /// Something goes on in forwarding; in a line.
    News(String, Tidings),
    /// The configuration was read again.
    Configured(Box<Configured>),
    /// A part of creel panicked; in a few words.
    Panicked(String),

    // The store's bell.
    /// Something was committed.
    Ring,

    // The loop.
    /// It is that time.
    Clock(Timestamp),
    /// A frame is about to be drawn.
    Frame,

    // Answers to effects.
    /// Rows of the list, newest first, and where a search goes on that was cut off.
    Page {
        generation: u64,
        ask: Ask,
        rows: Result<Slice, Failure>,
    },
    Counted(Result<Counters, Failure>),
    /// What came since following ended was counted, or a part of it.
    Arrived {
        generation: u64,
        counted: Result<arrived::Counted, Failure>,
    },
    /// What is new came, up to a capture.
    Beats(Result<(CaptureId, Vec<Beat>), Failure>),
    /// Statistics were made.
    Stats {
        generation: u64,
        stats: Result<Stats, Failure>,
    },
    Door(Result<Door, Failure>),
    /// What was turned away at the door, to be shown now or where it is shown.
    Refusals {
        opens: bool,
        refusals: Result<Refusals, Failure>,
    },
    /// What an endpoint answers from now on.
    Told {
        endpoint: String,
        answer: Result<String, Failure>,
    },
    /// What of a capture waited or was given up was ended: how many errands.
    Dropped {
        id: CaptureId,
        dropped: Result<u64, Failure>,
    },
    /// A capture was judged again.
    Judged {
        id: CaptureId,
        judged: Result<Judged, Failure>,
    },
    /// Whose a capture is and its judgement, as they are now; none where the capture is gone.
    Judgement {
        id: CaptureId,
        judgement: Result<Option<(Origin, Judgement)>, Failure>,
    },
    /// Captures were tagged: how many.
    Tagged(Result<u64, Failure>),
    /// Many were marked, or unmarked: how many.
    TaggedAll {
        marked: bool,
        tagged: Result<u64, Failure>,
    },
    /// A capture was opened; none where it is gone.
    Opened {
        generation: u64,
        opened: Result<Option<Opened>, Failure>,
    },
    /// A body was opened in another view.
    Viewed {
        generation: u64,
        body: BodyView,
    },
    /// A part of a capture was made for a tab.
    Prepared {
        generation: u64,
        prepared: Prepared,
    },
    /// A document was looked through: where the text is, and whether it is in more places.
    Found {
        generation: u64,
        hits: Vec<Hit>,
        more: bool,
    },
    /// The rest of a body was read; none where the capture is gone or nobody waits.
    Whole {
        generation: u64,
        whole: Result<Option<Arc<Capture>>, Failure>,
    },
    /// What stands under a line of a body.
    Located {
        generation: u64,
        line: usize,
        node: Option<Node>,
    },
    /// A body is folded to a depth.
    Folded {
        generation: u64,
        folds: Folds,
    },
    /// A part of a body was saved under a name, at that place.
    Saved {
        name: String,
        bytes: Bytes,
        saved: Result<String, Failure>,
    },
    /// What was sent of a capture, and what is still to be.
    Deliveries {
        id: CaptureId,
        deliveries: Result<(Vec<Delivery>, Vec<Errand>), Failure>,
    },
    /// Values of fields are known to occur.
    Known(Result<Known, Failure>),
    /// A filter was saved under a name, or an empty one took the name away.
    FilterKept {
        name: String,
        text: String,
        kept: Result<(), Failure>,
    },
    /// The tries at the event of the open capture, oldest first.
    Tries {
        generation: u64,
        tries: Result<Vec<Try>, Failure>,
    },
    /// A file was written: where, and of how many bytes; and what is masked in it.
    Kept(Result<(String, u64), Failure>, Masked),
    /// What is marked, oldest first, to be deleted.
    Doomed(Result<Vec<CaptureId>, Failure>),
    /// What is marked, oldest first, to be exported; and what was selected when that was asked.
    Marked {
        format: Option<usize>,
        selected: Option<CaptureId>,
        marked: Result<Vec<CaptureId>, Failure>,
    },
    /// So many captures are in the file that is being written.
    Exporting(usize),
    /// Captures were written to a file, or not.
    Exported {
        export: Export,
        exported: Result<Exported, Failure>,
    },
    /// Two messages were compared.
    Compared(Result<Compared, Failure>),
    Resent {
        id: CaptureId,
        delivery: Result<Delivery, Failure>,
    },
    /// A command that was given a body ended.
    Piped {
        command: String,
        piped: Result<Piped, Failure>,
    },
    /// A capture was looked at through programs: what each makes of it.
    Previewed {
        id: CaptureId,
        lenses: Vec<Lens>,
        made: Result<Vec<Compared>, Failure>,
    },
    /// A URL was opened.
    Browsed {
        url: String,
        browsed: Result<(), Failure>,
    },
    /// The terminal was lent and is back.
    Back(Result<Returned, Failure>),
    /// An edited request became a capture of its own.
    KeptEdited {
        from: CaptureId,
        kept: Result<CaptureId, Failure>,
    },
    /// What was marked was sent.
    ResentMarked(Result<SentAll, Failure>),
}

/// In what two messages differ, and what they are called.
#[derive(Clone, Debug)]
pub(super) struct Compared {
    pub(super) names: [String; 2],
    /// Why there is nothing to compare, where a program failed.
    pub(super) parts: Result<Vec<Part>, Failure>,
}

/// A capture with its body in the view that fits best.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) capture: Arc<Capture>,
    pub(super) deliveries: Vec<Delivery>,
    pub(super) errands: Vec<Errand>,
    pub(super) body: BodyView,
}

/// A body in one view.
#[derive(Clone)]
pub(super) struct BodyView {
    /// Its place in `body::VIEWS`.
    pub(super) view: usize,
    /// Which views the body looks like one for.
    pub(super) fits: Arc<[bool]>,
    /// Whether these are the first lines of a body of which the rest is still read.
    pub(super) is_cut: bool,
    /// The lines, or why there are none.
    pub(super) document: Result<Arc<dyn Document>, String>,
}

/// A document is as long as it is: its view says enough.
impl std::fmt::Debug for BodyView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let document = self.document.as_ref().map(|document| document.line_count());
        f.debug_struct("BodyView").field("view", &self.view).field("lines", &document).finish_non_exhaustive()
    }
}
