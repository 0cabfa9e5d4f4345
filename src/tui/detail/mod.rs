//! The detail: one capture, in tabs, a file each.

pub(super) mod aside;
mod body_tab;
mod deliveries;
mod explained;
pub(in crate::tui) mod facts;
pub(super) mod find;
mod headers;
mod kept;
mod overview;
mod raw;
mod signature;
pub(super) mod tree;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    effect::Effect,
    layout,
    line::{self, Pieces},
    model::Model,
    msg::{BodyView, Opened},
    view,
};
use crate::{
    body::{self, Document},
    record::{
        Capture, CaptureId, Delivery, DeliveryId, Errand, Judgement, Origin, Outcome, Post, Reply, Summary, mask,
    },
    verify::Try,
};

/// How many forms the name of a tab has.
pub(super) const FORMS: usize = 4;

/// The tabs, with their names: whole, and as they are where there is less and less room; the last is the key.
pub(super) const TABS: &[(Tab, [&str; FORMS])] = &[
    (Tab::Overview, ["Overview", "Overview", "Over", "1"]),
    (Tab::Body, ["Body", "Body", "Body", "2"]),
    (Tab::Headers, ["Headers", "Headers", "Head", "3"]),
    (Tab::Signature, ["Signature", "Sign", "Sign", "4"]),
    (Tab::Deliveries, ["Deliveries", "Deliv", "Deliv", "5"]),
    (Tab::Raw, ["Raw", "Raw", "Raw", "6"]),
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
    Raw,
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
    /// What is still to be brought to an app, or was given up.
    pub(super) errands: Vec<Errand>,
    /// The tries at the event, oldest first, where its provider publishes when it tries again; and up to which capture they were
    /// looked for.
    pub(super) tries: Vec<Try>,
    pub(super) tries_to: CaptureId,
    pub(super) body: Option<BodyView>,
    /// The cursor in the body, and what is folded in it.
    pub(super) cursor: tree::Cursor,
    pub(super) scroll: [Scroll; TABS.len()],
    /// From which of its columns on a wide table is seen.
    aside: aside::Aside,
    /// Whether secrets in headers are shown.
    pub(super) unmasked: bool,
    /// Deliveries that are folded where they would be open, and open where they would be folded.
    toggled: BTreeSet<DeliveryId>,
    /// Which of the deliveries the cursor is on.
    pub(super) delivery: usize,
    /// The body's bytes as text, for the raw request.
    raw: Option<Result<Arc<dyn Document>, String>>,
    /// The signed bytes, where they can be told.
    signed: Signed,
    /// The lines of replies; none of one that is on its way.
    replies: BTreeMap<DeliveryId, Option<Vec<Pieces>>>,
    /// What is being prepared for its tab.
    preparing: Option<(u64, Part)>,
    /// How captures were left that were open before, and how the open one was, until it can be so again.
    kept: kept::Kept,
    returning: Option<kept::Left>,
    /// What is looked for.
    pub(super) find: Option<find::Find>,
    /// How many searches there were.
    finds: u64,
    /// Another one whenever a tab shows something else.
    stamp: u64,
    /// Answers of other generations are late.
    pub(super) generation: u64,
    /// What is open, or on its way.
    wanted: Option<CaptureId>,
}

/// What is made for a tab on a worker's thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The body as lines of text.
    Raw,
    /// The bytes that were signed.
    Signed,
}

/// A part, made.
#[derive(Clone)]
pub(super) enum Prepared {
    Raw(Result<Arc<dyn Document>, String>),
    Signed(Signed),
    Reply(DeliveryId, Vec<Pieces>),
}

/// The bytes that were signed: how many, and as lines of text. None where they cannot be told.
pub(super) type Signed = Option<(usize, Arc<dyn Document>)>;

/// A document is as long as it is.
impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Raw(_) => "Raw",
            Self::Signed(_) => "Signed",
            Self::Reply(..) => "Reply",
        })
    }
}

impl Prepared {
    /// Makes the lines of a reply. Slow, too: it may have megabytes.
    pub(super) fn reply(id: DeliveryId, reply: &Reply) -> Self {
        Self::Reply(id, deliveries::reply_lines(reply))
    }

    /// Makes a part. Slow: for a worker. The signed bytes are told by who knows the provider.
    pub(super) fn new(part: Part, capture: &Capture, signed: impl FnOnce(&Capture) -> Option<Vec<u8>>) -> Self {
        match part {
            Part::Raw => Self::Raw(raw::document(capture.body.bytes.clone())),
            Part::Signed => Self::Signed(signed(capture).and_then(|bytes| {
                let size = bytes.len();
                raw::document(bytes.into()).ok().map(|document| (size, document))
            })),
        }
    }
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
        self.leave();
        self.generation += 1;
        (self.wanted, self.capture, self.body) = (None, None, None);
        (self.deliveries, self.errands) = (Vec::new(), Vec::new());
    }

    /// Takes what came.
    pub(super) fn take(&mut self, opened: Opened) {
        self.leave();
        self.scroll = Default::default();
        (self.raw, self.signed, self.preparing) = (None, None, None);
        self.replies.clear();
        self.delivery = 0;
        (self.tries, self.tries_to) = (Vec::new(), CaptureId(0));
        self.toggled.clear();
        self.stamp += 1;
        (self.deliveries, self.errands) = (opened.deliveries, opened.errands);
        self.body = Some(opened.body);
        self.cursor.take(self.body.as_ref());
        self.capture = Some(opened.capture);
        self.come_back();
    }

    /// Takes a body that was opened in a view. What only goes on from the piece that was shown before moves nothing; whether it
    /// does.
    pub(super) fn take_body(&mut self, body: BodyView) -> bool {
        let goes_on =
            self.body.as_ref().is_some_and(|before| before.is_cut && !body.is_cut && before.view == body.view);
        let fits = self.body.as_ref().map(|before| Arc::clone(&before.fits)).filter(|fits| !fits.is_empty());
        self.body = Some(BodyView { fits: fits.unwrap_or_else(|| Arc::clone(&body.fits)), ..body });
        if goes_on {
            self.cursor.go_on(self.body.as_mut());
        } else {
            self.cursor.take(self.body.as_ref());
            self.scroll[Tab::Body as usize] = Scroll::default();
        }
        self.stamp += 1;
        self.body_comes_back();
        goes_on
    }

    /// Whether a row tells of other deliveries than are known, or of another end.
    pub(super) fn lags_behind(&self, row: &Summary) -> bool {
        let post = match &self.errands[..] {
            [] => None,
            errands if errands.iter().any(|errand| errand.dead) => Some(Post::Dead),
            _ => Some(Post::Waiting),
        };
        row.deliveries as usize != self.deliveries.len() || row.post != post
    }

    /// Takes deliveries that were read again.
    pub(super) fn take_deliveries(&mut self, id: CaptureId, deliveries: Vec<Delivery>, errands: Vec<Errand>) {
        if self.wanted == Some(id) {
            (self.deliveries, self.errands) = (deliveries, errands);
            self.delivery = self.delivery.min(self.deliveries.len().saturating_sub(1));
            self.stamp += 1;
        }
    }

    /// Takes whose it is and what is said of its signature now.
    pub(super) fn take_judgement(&mut self, id: CaptureId, told: Origin, judgement: Judgement) {
        let Some(capture) = self.capture.as_ref().filter(|it| it.id == id) else { return };
        let Origin { provider, event } = told;
        let now = Capture { provider, event, judgement, ..Capture::clone(capture) };
        if (now.origin(), &now.judgement) != (capture.origin(), &capture.judgement) {
            self.capture = Some(Arc::new(now));
            self.stamp += 1;
        }
    }

    /// Takes the tries at the event.
    pub(super) fn take_tries(&mut self, tries: Vec<Try>) {
        if self.tries != tries {
            self.tries = tries;
            self.stamp += 1;
        }
    }

    /// Takes a part that was made for a tab.
    pub(super) fn take_prepared(&mut self, generation: u64, prepared: Prepared) {
        let is_late = match &prepared {
            // Those of another capture nobody waits for any more.
            Prepared::Reply(id, _) => !self.replies.contains_key(id),
            _ => self.preparing.is_none_or(|(asked, _)| asked != generation),
        };
        if is_late {
            return;
        }
        self.stamp += 1;
        match prepared {
            Prepared::Reply(id, lines) => drop(self.replies.insert(id, Some(lines))),
            Prepared::Raw(document) => self.raw = Some(document),
            Prepared::Signed(signed) => self.signed = signed,
        }
    }

    /// Whether the body looks like one for a view.
    pub(super) fn fits(&self, view: &str) -> bool {
        let fits = self.body.as_ref().map_or(&[][..], |body| &body.fits[..]);
        body::VIEWS.iter().zip(fits).any(|(it, fits)| it.name == view && *fits)
    }

    /// The target of a capture, the secrets in its query masked until somebody asks.
    fn target<'a>(&self, capture: &'a Capture) -> Cow<'a, [u8]> {
        let target = &capture.head.target()[..];
        let masked = if self.unmasked { None } else { mask::target(target) };
        masked.map_or(Cow::Borrowed(target), |(masked, _)| Cow::Owned(masked))
    }

    /// Shows or masks secrets.
    pub(super) fn unmask(&mut self) {
        self.unmasked = !self.unmasked;
        self.stamp += 1;
    }

    /// Whether a delivery is shown with its reply: the newest is, unless somebody folded it.
    fn is_unfolded(&self, at: usize, id: DeliveryId) -> bool {
        (at == 0) != self.toggled.contains(&id)
    }

    /// Folds the delivery under the cursor, or unfolds it.
    pub(super) fn fold(&mut self) {
        let Some(delivery) = self.deliveries.get(self.delivery) else { return };
        if !self.toggled.remove(&delivery.id) {
            self.toggled.insert(delivery.id);
        }
        self.stamp += 1;
    }
}

/// Wishes for what the open tab shows and nobody made yet.
pub(super) fn prepare(model: &mut Model, effects: &mut Vec<Effect>) {
    let is_shown = layout::areas(model).detail.height > 0;
    let part = match model.detail.tab {
        Tab::Raw => Part::Raw,
        Tab::Signature => Part::Signed,
        Tab::Deliveries if is_shown => return prepare_replies(&mut model.detail, effects),
        _ => return,
    };
    let asked = Some((model.detail.generation, part));
    let is_made = part == Part::Raw && model.detail.raw.is_some();
    let Some(capture) = model.detail.capture.as_ref().filter(|capture| Some(capture.id) == model.detail.wanted) else {
        return;
    };
    if !is_shown || is_made || model.detail.preparing == asked {
        return;
    }
    let capture = Arc::clone(capture);
    effects.push(Effect::Prepare { generation: model.detail.generation, capture, part });
    model.detail.preparing = asked;
}

/// Wishes for the lines of the replies that are shown.
fn prepare_replies(detail: &mut Detail, effects: &mut Vec<Effect>) {
    let Some(capture) = detail.capture.as_ref().map(|capture| capture.id).filter(|id| Some(*id) == detail.wanted)
    else {
        return;
    };
    for (at, delivery) in detail.deliveries.iter().enumerate() {
        let Outcome::Replied(reply) = &delivery.outcome else { continue };
        let is_missing = delivery.capture == capture && !detail.replies.contains_key(&delivery.id);
        if is_missing && !reply.body.is_empty() && detail.is_unfolded(at, delivery.id) {
            detail.replies.insert(delivery.id, None);
            effects.push(Effect::Reply { generation: detail.generation, id: delivery.id, reply: reply.clone() });
        }
    }
}

/// Moves the cursor to another delivery, and shows it.
pub(super) fn step_delivery(model: &mut Model, forward: bool) {
    let detail = &mut model.detail;
    let last = detail.deliveries.len().saturating_sub(1);
    detail.tab = Tab::Deliveries;
    detail.delivery = if forward { (detail.delivery + 1).min(last) } else { detail.delivery.saturating_sub(1) };
    let line = deliveries::first_line(model);
    model.detail.scroll[Tab::Deliveries as usize] = Scroll { line, row: 0 };
}

/// What the detail scrolls through: lines that are there, and below them a document, whose lines are made when they are
/// asked for.
pub(super) struct Source<'a> {
    model: &'a Model,
    before: Vec<Pieces>,
    document: Option<&'a Arc<dyn Document>>,
}

impl Source<'_> {
    fn count(&self) -> usize {
        self.before.len() + self.document.map_or(0, |document| document.line_count())
    }

    /// A line as it is.
    fn line(&self, at: usize) -> Pieces {
        match (self.before.get(at), self.document) {
            (Some(line), _) => line.clone(),
            (None, Some(document)) => body_tab::body_line(document, at - self.before.len()),
            (None, None) => Vec::new(),
        }
    }

    /// The rows of a line that must not be wrapped like a text.
    fn fixed(&self, at: usize, columns: usize) -> Option<Vec<Pieces>> {
        let (document, line) = (self.document?, at.checked_sub(self.before.len())?);
        if let Some(row) = aside::row(self.model, line, columns) {
            return Some(vec![row]);
        }
        let rows = document.rows_within(line, columns)?;
        Some(rows.into_iter().map(line::of_body).collect())
    }

    /// How many rows a line takes.
    fn height(&self, at: usize, columns: usize) -> usize {
        self.fixed(at, columns).map_or_else(|| wrapped(&self.line(at), columns).len(), |rows| rows.len())
    }

    /// The rows of a line with what is looked for marked.
    fn drawn(&self, at: usize, columns: usize) -> Vec<Pieces> {
        if let Some(rows) = self.fixed(at, columns) {
            return rows.into_iter().map(|row| find::marked(self.model, row)).collect();
        }
        let pieces = self.line(at);
        let indent = line::hang(&pieces, columns);
        line::wrap_under(&find::marked(self.model, pieces), columns, indent)
    }

    /// The rows from a place on, each with its place, at most so many.
    pub(super) fn rows(&self, from: Scroll, columns: usize, most: usize) -> Vec<(Scroll, Pieces)> {
        let mut rows = Vec::new();
        let mut skip = from.row;
        for line in from.line..self.count() {
            let wrapped = self.drawn(line, columns).into_iter().enumerate().skip(skip);
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
            at.row = self.height(at.line, columns).saturating_sub(1);
        }
        Scroll { row: at.row.saturating_sub(rows), ..at }
    }

    /// The last place from which a whole screen is seen.
    fn last(&self, columns: usize, height: usize) -> Scroll {
        let Some(line) = self.count().checked_sub(1) else { return Scroll::default() };
        let end = Scroll { line, row: self.height(line, columns).saturating_sub(1) };
        self.above(end, columns, height.saturating_sub(1))
    }
}

/// The rows of a line of the detail.
fn wrapped(pieces: &[line::Piece], columns: usize) -> Vec<Pieces> {
    line::wrap_under(pieces, columns, line::hang(pieces, columns))
}

/// What the open tab shows at a width.
pub(super) fn source(model: &Model, columns: usize) -> Source<'_> {
    let document = document(&model.detail);
    let before = match &model.detail.capture {
        Some(capture) => tab_lines(model, capture, columns),
        None => Vec::new(),
    };
    Source { model, before, document }
}

/// The document that stands below the open tab's lines.
fn document(detail: &Detail) -> Option<&Arc<dyn Document>> {
    detail.capture.as_ref()?;
    match detail.tab {
        Tab::Body => detail.body.as_ref().and_then(|body| body.document.as_ref().ok()),
        Tab::Raw => detail.raw.as_ref().and_then(|raw| raw.as_ref().ok()),
        Tab::Signature => detail.signed.as_ref().map(|(_, document)| document),
        _ => None,
    }
}

/// Keeps the scroll within what there is.
pub(super) fn clamp(model: &mut Model) {
    scroll(model, 0);
}

/// Scrolls the open tab by rows; `isize::MIN` and `MAX` are its ends.
pub(super) fn scroll(model: &mut Model, rows: isize) {
    let area = layout::areas(model).detail;
    let is_on_its_way = model.detail.tab == Tab::Deliveries && model.detail.replies.values().any(Option::is_none);
    // Where it was left may be within a reply whose lines are still to come.
    if area.height == 0 || model.detail.capture.is_none() || (rows == 0 && is_on_its_way) {
        return;
    }
    let (columns, height) = (usize::from(area.width), usize::from(body_rows(model, area.height)));
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

/// How many of so many rows the open tab has: the body's gives one to the path of the cursor, where there is one, or to what is
/// said of the body and has no room above.
pub(super) fn body_rows(model: &Model, rows: u16) -> u16 {
    let has_path = model.detail.tab == Tab::Body && model.detail.cursor.is_on();
    let is_taken = has_path || view::note_below(model).is_some();
    rows.saturating_sub(u16::from(is_taken && rows > 2))
}

fn tab_lines(model: &Model, capture: &Capture, columns: usize) -> Vec<Pieces> {
    match model.detail.tab {
        Tab::Overview => overview::overview(model, capture, columns),
        Tab::Body => body_tab::no_body(model, columns),
        Tab::Headers => headers::headers(model, capture, columns),
        Tab::Signature => signature::signature(model, capture, columns),
        Tab::Deliveries => deliveries::deliveries(model, columns),
        Tab::Raw => raw::head(model, capture),
    }
}
