//! The list: a window of rows around what is seen. The store has the rest.

use super::effect::Ask;
use crate::{
    record::{CaptureId, Summary},
    store::Start,
};

/// How many rows are asked for at once, for each row that is seen.
const PAGES: usize = 3;
/// The fewest rows that are asked for at once.
const FEWEST: usize = 60;

/// The window, and what is selected in it.
#[derive(Default)]
pub(super) struct List {
    /// Rows, newest first, without a gap among those that the filter takes.
    pub(super) rows: Vec<Summary>,
    /// The selected capture. It is among the rows whenever there are any.
    pub(super) selected: Option<CaptureId>,
    /// What was selected when a filter began to be typed: half a filter may take nothing, and the whole one takes it.
    pub(super) anchor: Option<CaptureId>,
    /// Which row is the first that is seen.
    pub(super) top: usize,
    /// Whether the newest capture stays selected as others arrive.
    pub(super) follow: bool,
    /// Whether the window begins with the newest row, and ends with the oldest.
    pub(super) at_newest: bool,
    pub(super) at_oldest: bool,
    /// How many captures there were when following ended.
    pub(super) left_at: u64,
    /// Whether a first page has come.
    pub(super) read: bool,
    /// Pages are answered in this generation only; another filter begins another one.
    pub(super) generation: u64,
    /// What is on its way.
    pub(super) asked: Option<Ask>,
    /// What is wanted after that.
    pub(super) wanted: Option<Ask>,
    /// How many rows are seen.
    pub(super) height: usize,
}

impl List {
    /// The selected row's place in the window.
    pub(super) fn place(&self) -> usize {
        self.selected.and_then(|id| self.rows.iter().position(|row| row.id == id)).unwrap_or(0)
    }

    /// The selected row.
    pub(super) fn row(&self) -> Option<&Summary> {
        self.rows.get(self.place())
    }

    /// How many rows one question brings.
    pub(super) fn page(&self) -> usize {
        (self.height * PAGES).max(FEWEST)
    }

    /// Where a page begins, and how many rows it has.
    pub(super) fn start(&self, ask: Ask) -> (Start, usize) {
        let first = self.rows.first().map(|row| row.id);
        let last = self.rows.last().map(|row| row.id);
        match (ask, first, last) {
            (Ask::Older, _, Some(last)) => (Start::Before(last), self.page()),
            (Ask::Newer, Some(first), _) => (Start::After(first), self.page()),
            (Ask::Again, Some(first), _) => (Start::Before(CaptureId(first.0 + 1)), self.rows.len().max(self.page())),
            (Ask::Around, ..) => match self.anchor.or(self.selected) {
                Some(id) => (Start::Before(CaptureId(id.0 + 1)), self.page()),
                None => (Start::Newest, self.page()),
            },
            (Ask::Oldest, ..) => (Start::After(CaptureId(0)), self.page()),
            _ => (Start::Newest, self.page()),
        }
    }

    /// Takes an answer. Whether another row is selected now.
    pub(super) fn take(&mut self, ask: Ask, rows: Vec<Summary>) -> bool {
        let (before, place) = (self.selected, self.place());
        let full = rows.len() >= self.page();
        self.read = true;
        match ask {
            Ask::Newest => (self.rows, self.at_newest, self.at_oldest) = (rows, true, !full),
            Ask::Oldest => (self.rows, self.at_newest, self.at_oldest) = (rows, !full, true),
            Ask::Around => (self.rows, self.at_newest, self.at_oldest, self.top) = (rows, false, !full, 0),
            // The window as it was, less what was deleted, with what changed.
            Ask::Again => {
                self.at_oldest = rows.len() < self.rows.len().max(self.page());
                self.rows = rows;
            }
            Ask::Older => {
                self.at_oldest = !full;
                self.rows.extend(rows);
                self.trim_front();
            }
            Ask::Newer => {
                self.at_newest = !full;
                self.top += rows.len();
                self.rows.splice(..0, rows);
                self.trim_back();
            }
        }
        self.select_after(ask, place);
        self.show_selected();
        self.selected != before
    }

    fn select_after(&mut self, ask: Ask, place: usize) {
        let there = self.selected.is_some_and(|id| self.rows.iter().any(|row| row.id == id));
        let row = match ask {
            _ if self.follow => self.rows.first(),
            Ask::Oldest => self.rows.last(),
            Ask::Around => self.rows.first(),
            _ if there => return,
            // What was selected is gone: the row that took its place.
            _ => self.rows.get(place).or(self.rows.last()),
        };
        self.selected = row.map(|row| row.id);
    }

    fn trim_front(&mut self) {
        let over = self.rows.len().saturating_sub(self.page() * 2).min(self.top);
        if over > 0 {
            self.rows.drain(..over);
            self.top -= over;
            self.at_newest = false;
        }
    }

    fn trim_back(&mut self) {
        let keep = (self.page() * 2).max(self.top + self.height);
        if self.rows.len() > keep {
            self.rows.truncate(keep);
            self.at_oldest = false;
        }
    }

    /// Selects another row, so many below; fewer where the window ends.
    pub(super) fn step(&mut self, rows: isize) -> bool {
        let before = self.selected;
        let place = self.place().saturating_add_signed(rows).min(self.rows.len().saturating_sub(1));
        self.selected = self.rows.get(place).map(|row| row.id);
        self.show_selected();
        self.selected != before
    }

    /// Moves the window's seen part to where the selected row is in it.
    pub(super) fn show_selected(&mut self) {
        let (place, height) = (self.place(), self.height.max(1));
        if self.follow {
            self.top = 0;
        }
        let last_top = self.rows.len().saturating_sub(height);
        self.top = self.top.min(place).max((place + 1).saturating_sub(height)).min(last_top.max(place.min(self.top)));
    }

    /// What to ask for, since the selected row nears the window's end.
    pub(super) fn near_an_end(&self) -> Option<Ask> {
        let (place, margin) = (self.place(), self.height.max(1));
        if !self.at_oldest && place + margin >= self.rows.len() {
            Some(Ask::Older)
        } else if !self.at_newest && place < margin {
            Some(Ask::Newer)
        } else {
            None
        }
    }
}
