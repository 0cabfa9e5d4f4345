//! What a wish gives: each is done by asking the stage, or by reading bytes, and answered with a message.

use std::sync::Arc;

use super::{
    copy,
    detail::Prepared,
    effect::{Ask, Compare, Effect},
    fault,
    list::Order,
    msg::{BodyView, Compared, Msg, Opened},
    stage::{Stage, whole},
    update::SORTED_ROWS,
};
use crate::{
    body::{self, Content, compare},
    engine::{self, preview::Lens},
    query::Filter,
    record::{Capture, CaptureId, Delivery, Errand, Failure, Outcome, Tagging, Tags},
    store::{Slice, Sorting, Start},
};

/// How far the first piece of a large body is undone, in bytes.
const FIRST_UNDONE: u64 = 1 << 20;

/// Does what is wished for. `late` says of a generation whether something else is looked at by now.
pub(super) fn perform(stage: &dyn Stage, effect: Effect, late: impl Fn(u64) -> bool) -> Option<Msg> {
    match effect {
        Effect::Page { generation, .. } | Effect::Again { generation, .. } | Effect::Sorted { generation, .. }
            if late(generation) =>
        {
            None
        }
        Effect::Page { generation, ask, start, limit, filter } => {
            Some(Msg::Page { generation, ask, rows: stage.page(start, limit, filter.as_deref()) })
        }
        Effect::Sorted { generation, order, filter } => {
            let by = if order == Order::Slowest { Sorting::Took } else { Sorting::Size };
            Some(Msg::Page { generation, ask: Ask::Newest, rows: sorted(stage, by, filter.as_deref()) })
        }
        Effect::Again { generation, ids, filter } => {
            let rows = stage.again(&ids, &filter).map(|rows| whole(Start::Newest, usize::MAX, rows));
            Some(Msg::Page { generation, ask: Ask::Kept, rows })
        }
        Effect::Arrived { generation, after, filter } => {
            Some(Msg::Arrived { generation, counted: stage.arrived(after, filter.as_deref()) })
        }
        Effect::Drop(id) => Some(Msg::Dropped { id, dropped: stage.drop_errands(id) }),
        Effect::Tag { ids, tagging } => Some(Msg::Tagged(stage.tag(&ids, &tagging))),
        Effect::Beats { after, since } => Some(Msg::Beats(stage.beats(after, since))),
        Effect::Count => Some(Msg::Counted(stage.counters())),
        Effect::Door => Some(Msg::Door(stage.door())),
        Effect::Refusals { opens } => Some(Msg::Refusals { opens, refusals: stage.refusals() }),
        Effect::Tell { endpoint, words } => {
            let answer = stage.tell(&endpoint, words.as_deref());
            Some(Msg::Told { endpoint, answer })
        }
        Effect::Open { generation, .. } | Effect::View { generation, .. } if late(generation) => None,
        Effect::Rest { generation, capture } => {
            let whole = stage.rest(&capture, &|| !late(generation)).map(|whole| whole.map(Arc::new));
            Some(Msg::Whole { generation, whole })
        }
        Effect::Locate { generation, .. } | Effect::FoldTo { generation, .. } if late(generation) => None,
        Effect::Locate { generation, document, line } => {
            let node = document.tree().and_then(|tree| tree.node(line));
            Some(Msg::Located { generation, line, node })
        }
        Effect::FoldTo { generation, document, depth } => {
            let folds = document.tree().map(|tree| tree.folded_to(depth)).unwrap_or_default();
            Some(Msg::Folded { generation, folds })
        }
        Effect::Save { name, bytes } => {
            let saved = stage.save(&name, &bytes);
            Some(Msg::Saved { name, bytes, saved })
        }
        Effect::Open { generation, id } => {
            fault::point("worker");
            Some(Msg::Opened { generation, opened: open(stage, id) })
        }
        Effect::View { generation, capture, view } => {
            let body = open_in(&content(&capture), view);
            Some(Msg::Viewed { generation, body })
        }
        Effect::Prepare { generation, .. } | Effect::Tries { generation, .. } if late(generation) => None,
        Effect::Reply { generation, id, reply } => {
            Some(Msg::Prepared { generation, prepared: Prepared::reply(id, &reply) })
        }
        Effect::Prepare { generation, capture, part } => {
            let prepared = Prepared::new(part, &capture, |capture| stage.signed(capture));
            Some(Msg::Prepared { generation, prepared })
        }
        Effect::Tries { generation, capture } => Some(Msg::Tries { generation, tries: stage.tries(&capture) }),
        Effect::Deliveries(id) => Some(Msg::Deliveries { id, deliveries: sent(stage, id) }),
        Effect::Judgement(id) => Some(Msg::Judgement { id, judgement: stage.judgement(id) }),
        Effect::Known => Some(Msg::Known(stage.known())),
        Effect::KeepFilter { name, text } => {
            let kept = stage.keep_filter(&name, &text);
            Some(Msg::FilterKept { name, text, kept })
        }
        Effect::Keep { name, bytes, masked } => Some(Msg::Kept(kept(&name, &bytes), masked)),
        Effect::Compare(what) => Some(Msg::Compared(compared(stage, what))),
        Effect::KeepEdited { capture, request } => {
            Some(Msg::KeptEdited { from: capture.id, kept: stage.keep(&capture, &request) })
        }
        Effect::Find { .. }
        | Effect::Judge(_)
        | Effect::ResendEdited { .. }
        | Effect::Pipe { .. }
        | Effect::Preview { .. }
        | Effect::Browse(_)
        | Effect::Outside { .. }
        | Effect::Resend { .. }
        | Effect::ResendDead(_)
        | Effect::ResendMarked(_)
        | Effect::StopResending
        | Effect::Stats { .. }
        | Effect::Mouse(_)
        | Effect::Copy(_)
        | Effect::Doomed
        | Effect::Marked { .. }
        | Effect::MarkAll(_)
        | Effect::UnmarkAll
        | Effect::Export(_)
        | Effect::StopExport
        | Effect::Forget(_)
        | Effect::Quit => None,
    }
}

/// Marks all that a filter takes, or without one unmarks all that is marked; gives how many.
pub(super) fn tagged_all(stage: &dyn Stage, filter: Option<&Filter>) -> Result<u64, Failure> {
    let ids = filter.map_or_else(|| stage.marked(), |filter| stage.taken(filter))?;
    let tagging = match filter {
        Some(_) => Tagging { give: Tags::MARKED, ..Tagging::default() },
        None => Tagging { take: Tags::MARKED, ..Tagging::default() },
    };
    stage.tag(&ids, &tagging)
}

/// The rows that come first in an order.
fn sorted(stage: &dyn Stage, by: Sorting, filter: Option<&Filter>) -> Result<Slice, Failure> {
    // First, so that what comes while it is sorted counts as new.
    let newest = stage.page(Start::Newest, 1, None)?.newest;
    Ok(Slice { newest, ..stage.sorted(by, SORTED_ROWS, filter)? })
}

/// Writes a new file; gives where, and of how many bytes.
fn kept(name: &str, bytes: &[u8]) -> Result<(String, u64), Failure> {
    Ok((copy::keep(name, bytes)?, bytes.len() as u64))
}

/// Compares two messages.
fn compared(stage: &dyn Stage, what: Compare) -> Result<Compared, Failure> {
    match what {
        Compare::Captures(before, after) => {
            let read = |id| stage.capture(id)?.ok_or_else(|| engine::no_such_capture(id));
            let parts = Ok(compare::captures(&read(before)?, &read(after)?));
            Ok(Compared { names: [before, after].map(|id| format!("#{id}")), parts })
        }
        Compare::Replies(id) => {
            let deliveries = stage.deliveries(id)?;
            let replied = deliveries.iter().filter_map(|delivery| match &delivery.outcome {
                Outcome::Replied(reply) => Some((delivery.attempt, reply)),
                Outcome::Failed(..) => None,
            });
            let last: Vec<_> = replied.take(2).collect();
            let [(after_try, after), (before_try, before)] = last[..] else {
                let doing = format!("comparing the replies to capture {id}");
                return Err(Failure::new(doing, "there are not two of them").hint("{resend} resends it"));
            };
            let parts = Ok(compare::replies((before.status, before), (after.status, after)));
            Ok(Compared { names: [before_try, after_try].map(|number| format!("the reply to try {number}")), parts })
        }
    }
}

/// What programs make of a capture, beside what came: one after the other, two seconds each at most.
pub(super) fn previewed(stage: &dyn Stage, id: CaptureId, lenses: &[Lens]) -> Result<Vec<Compared>, Failure> {
    let came = stage.capture(id)?.ok_or_else(|| engine::no_such_capture(id))?;
    let each = lenses.iter().map(|lens| {
        let name = lens.to.as_ref().map_or_else(|| "by jq".to_owned(), |to| format!("for {}", body::escape(to)));
        let parts = stage.through(&came, lens).map(|made| compare::captures(&came, &made));
        Compared { names: [format!("#{id}"), name], parts }
    });
    Ok(each.collect())
}

fn open(stage: &dyn Stage, id: CaptureId) -> Result<Option<Opened>, Failure> {
    let Some(capture) = stage.opening(id)? else { return Ok(None) };
    let (deliveries, errands) = sent(stage, id)?;
    let content = content(&capture);
    Ok(Some(Opened { body: open_in(&content, best(&content)), capture: Arc::new(capture), deliveries, errands }))
}

/// What was sent of a capture, and what is still to be.
fn sent(stage: &dyn Stage, id: CaptureId) -> Result<(Vec<Delivery>, Vec<Errand>), Failure> {
    Ok((stage.deliveries(id)?, stage.errands(id)?))
}

/// The view that fits a body best.
pub(super) fn best(content: &Content) -> usize {
    let best = body::best(content).name;
    body::VIEWS.iter().position(|view| view.name == best).unwrap_or(body::VIEWS.len() - 1)
}

pub(super) fn open_in(content: &Content, view: usize) -> BodyView {
    let fits = body::VIEWS.iter().map(|view| (view.fits)(content)).collect();
    BodyView { view, fits, is_cut: content.is_cut, document: body::VIEWS[view].show(content).map(Arc::from) }
}

/// The body as the views take it. Of a large one there is only the first piece at first.
pub(super) fn content(capture: &Capture) -> Content {
    let (bytes, headers) = (&capture.body.bytes, capture.head.headers());
    let is_whole = bytes.len() as u64 >= capture.body.size;
    let content = if is_whole { Content::of(bytes, headers) } else { Content::beginning(bytes, headers, FIRST_UNDONE) };
    Content { received_at: Some(capture.received_at), is_cut: !is_whole, ..content }
}
