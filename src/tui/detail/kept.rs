//! How captures were left: the view of the body, its folds, the cursor, how far each tab was scrolled. Who comes back finds it
//! so.

use std::collections::{BTreeSet, VecDeque};

use super::{Detail, Scroll, TABS, Tab};
use crate::{
    body::Folds,
    record::{CaptureId, DeliveryId},
};

/// How many captures are remembered.
const CAPTURES: usize = 50;
/// The most folds that are remembered of one: beyond them it is opened as it was the first time.
const FOLDS: usize = 10_000;

/// How a capture was left.
#[derive(Clone, Debug)]
pub(super) struct Left {
    view: usize,
    folds: Folds,
    row: usize,
    scroll: [Scroll; TABS.len()],
    delivery: usize,
    toggled: BTreeSet<DeliveryId>,
}

/// Captures and how they were left, the last one last.
#[derive(Debug, Default)]
pub(super) struct Kept(VecDeque<(CaptureId, Left)>);

impl Kept {
    fn keep(&mut self, id: CaptureId, left: Left) {
        self.0.retain(|(other, _)| *other != id);
        if self.0.len() == CAPTURES {
            self.0.pop_front();
        }
        self.0.push_back((id, left));
    }

    fn of(&self, id: CaptureId) -> Option<Left> {
        self.0.iter().find(|(other, _)| *other == id).map(|(_, left)| left.clone())
    }
}

impl Detail {
    /// Remembers how the open capture is left. One that was left before its whole body came was left as it was found.
    pub(super) fn leave(&mut self) {
        let (Some(capture), Some(body)) = (&self.capture, &self.body) else { return };
        let (folds, row) = self.cursor.left();
        if self.returning.is_some() || folds.count() > FOLDS {
            return;
        }
        let left = Left {
            view: body.view,
            folds: folds.clone(),
            row,
            scroll: self.scroll,
            delivery: self.delivery,
            toggled: self.toggled.clone(),
        };
        self.kept.keep(capture.id, left);
    }

    /// Stands as the capture was left that was opened; its body as soon as that is there, whole and in its view.
    pub(super) fn come_back(&mut self) {
        self.returning = self.capture.as_ref().and_then(|capture| self.kept.of(capture.id));
        if let Some(left) = &self.returning {
            (self.scroll, self.toggled) = (left.scroll, left.toggled.clone());
            self.delivery = left.delivery.min(self.deliveries.len().saturating_sub(1));
        }
        self.body_comes_back();
    }

    pub(super) fn body_comes_back(&mut self) {
        let is_there = |left: &Left| self.body.as_ref().is_some_and(|body| body.view == left.view && !body.is_cut);
        let Some(left) = self.returning.take_if(|left| is_there(left)) else { return };
        self.scroll[Tab::Body as usize] = left.scroll[Tab::Body as usize];
        if let Some(body) = &mut self.body {
            self.cursor.stand(body, left.folds, left.row);
        }
    }

    /// The view in which the body was left, where it is not shown so yet.
    pub(in crate::tui) fn left_in(&self) -> Option<usize> {
        self.returning.as_ref().map(|left| left.view)
    }

    /// The user goes on with what is shown.
    pub(in crate::tui) fn stays(&mut self) {
        self.returning = None;
    }
}
