//! The detail: one capture, in tabs, a file each.

mod body_tab;
mod deliveries;
mod facts;
mod headers;
mod overview;
mod signature;

use std::sync::Arc;

use super::{
    layout,
    line::{self, Pieces},
    model::Model,
    msg::{BodyView, Opened},
};
use crate::record::{Capture, CaptureId, Delivery};

/// The tabs, with their names.
pub(super) const TABS: &[(Tab, &str)] = &[
    (Tab::Overview, "Overview"),
    (Tab::Body, "Body"),
    (Tab::Headers, "Headers"),
    (Tab::Signature, "Signature"),
    (Tab::Deliveries, "Deliveries"),
];

/// A side of a capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tab {
    #[default]
    Overview,
    Body,
    Headers,
    Signature,
    Deliveries,
}

/// A place in a document: a line, and which of the rows it takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Scroll {
    pub(super) line: usize,
    pub(super) row: usize,
}

/// What is open.
#[derive(Default)]
pub(super) struct Detail {
    pub(super) tab: Tab,
    pub(super) capture: Option<Arc<Capture>>,
    /// Newest first.
    pub(super) deliveries: Vec<Delivery>,
    pub(super) body: Option<BodyView>,
    pub(super) scroll: [Scroll; 5],
    /// Whether secrets in headers are shown.
    pub(super) unmasked: bool,
    /// Answers of other generations are late.
    pub(super) generation: u64,
    /// What is open, or on its way.
    wanted: Option<CaptureId>,
}

impl Detail {
    /// What is open, or on its way.
    pub(super) fn id(&self) -> Option<CaptureId> {
        self.wanted
    }

    /// Whether another capture should be opened.
    pub(super) fn wants(&self, id: CaptureId) -> bool {
        self.wanted != Some(id)
    }

    /// A capture is on its way. What is open stays until it comes.
    pub(super) fn open(&mut self, id: CaptureId) {
        self.generation += 1;
        self.wanted = Some(id);
        self.unmasked = false;
    }

    /// Nothing is open.
    pub(super) fn close(&mut self) {
        self.generation += 1;
        (self.wanted, self.capture, self.body) = (None, None, None);
        self.deliveries.clear();
    }

    /// Takes what came.
    pub(super) fn take(&mut self, opened: Opened) {
        self.scroll = Default::default();
        self.deliveries = opened.deliveries;
        self.body = Some(opened.body);
        self.capture = Some(opened.capture);
    }

    /// Takes deliveries that were read again.
    pub(super) fn take_deliveries(&mut self, id: CaptureId, deliveries: Vec<Delivery>) {
        if self.wanted == Some(id) {
            self.deliveries = deliveries;
        }
    }
}

/// A document as the detail scrolls through it: lines that are made when they are asked for.
pub(super) struct Source<'a> {
    count: usize,
    lines: Box<dyn Fn(usize) -> Pieces + 'a>,
}

impl Source<'_> {
    /// The rows from a place on, each with its place, at most so many.
    pub(super) fn rows(&self, from: Scroll, columns: usize, most: usize) -> Vec<(Scroll, Pieces)> {
        let mut rows = Vec::new();
        let mut skip = from.row;
        for line in from.line..self.count {
            let wrapped = line::wrap(&(self.lines)(line), columns).into_iter().enumerate().skip(skip);
            rows.extend(wrapped.map(|(row, pieces)| (Scroll { line, row }, pieces)));
            skip = 0;
            if rows.len() >= most {
                break;
            }
        }
        rows.truncate(most);
        rows
    }

    /// The place so many rows above another one.
    fn above(&self, mut at: Scroll, columns: usize, mut rows: usize) -> Scroll {
        while rows > at.row && at.line > 0 {
            rows -= at.row + 1;
            at.line -= 1;
            at.row = line::wrap(&(self.lines)(at.line), columns).len() - 1;
        }
        Scroll { row: at.row.saturating_sub(rows), ..at }
    }

    /// The last place from which a whole screen is seen.
    fn last(&self, columns: usize, height: usize) -> Scroll {
        let Some(line) = self.count.checked_sub(1) else { return Scroll::default() };
        let end = Scroll { line, row: line::wrap(&(self.lines)(line), columns).len() - 1 };
        self.above(end, columns, height.saturating_sub(1))
    }
}

/// What the open tab shows at a width.
pub(super) fn source(model: &Model, columns: usize) -> Source<'_> {
    if model.detail.tab == Tab::Body
        && let Some(BodyView { document: Ok(document), .. }) = &model.detail.body
    {
        return Source { count: document.line_count(), lines: Box::new(|at| body_tab::body_line(document, at)) };
    }
    let lines = match &model.detail.capture {
        Some(capture) => tab_lines(model, capture, columns),
        None => Vec::new(),
    };
    Source { count: lines.len(), lines: Box::new(move |at| lines.get(at).cloned().unwrap_or_default()) }
}

/// Keeps the scroll within what there is.
pub(super) fn clamp(model: &mut Model) {
    scroll(model, 0);
}

/// Scrolls the open tab by rows; `isize::MIN` and `MAX` are its ends.
pub(super) fn scroll(model: &mut Model, rows: isize) {
    let area = layout::areas(model).detail;
    if area.height == 0 || model.detail.capture.is_none() {
        return;
    }
    let (columns, height) = (usize::from(area.width), usize::from(area.height));
    let at = model.detail.scroll[model.detail.tab as usize];
    let source = source(model, columns);
    let last = source.last(columns, height);
    let to = match rows {
        isize::MIN => Scroll::default(),
        isize::MAX => last,
        up if up < 0 => source.above(at, columns, up.unsigned_abs()),
        down => {
            let down = down.unsigned_abs();
            source.rows(at, columns, down + 1).last().map_or(at, |row| row.0)
        }
    };
    drop(source);
    model.detail.scroll[model.detail.tab as usize] = to.min(last);
}

fn tab_lines(model: &Model, capture: &Capture, columns: usize) -> Vec<Pieces> {
    match model.detail.tab {
        Tab::Overview => overview::overview(model, capture, columns),
        Tab::Body => body_tab::no_body(model, columns),
        Tab::Headers => headers::headers(model, capture),
        Tab::Signature => signature::signature(capture, columns),
        Tab::Deliveries => deliveries::deliveries(model, columns),
    }
}
