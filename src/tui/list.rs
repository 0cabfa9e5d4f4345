//! The list: a window of rows around what is seen. The store has the rest.

use std::collections::{BTreeMap, BTreeSet};

use super::{arrived::Arrived, effect::Ask};
use crate::{
    engine::endpoint::OPEN_BIN,
    record::{CaptureId, Summary},
    store::{Slice, Start},
};

/// How many rows are asked for at once, for each row that is seen.
const PAGES: usize = 3;
/// The fewest rows that are asked for at once.
const FEWEST: usize = 60;

/// In which order the rows stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Order {
    /// The newest above.
    #[default]
    Newest,
    /// The newest below, as `tail` has it.
    Oldest,
    /// The largest above.
    Largest,
    /// Those that the app took longest for above.
    Slowest,
}

/// Every order with its name, in the order in which a key goes through them.
pub(super) const ORDERS: &[(Order, &str)] = &[
    (Order::Newest, "newest first"),
    (Order::Oldest, "oldest first"),
    (Order::Largest, "largest first"),
    (Order::Slowest, "slowest first"),
];

impl Order {
    /// What it is called.
    pub(super) fn name(self) -> &'static str {
        ORDERS[self as usize].1
    }

    /// The next one.
    pub(super) fn next(self) -> Self {
        ORDERS[(self as usize + 1) % ORDERS.len()].0
    }

    /// Whether the store has to look at every row for it. Such a list is what there was when it was asked for.
    pub(super) fn is_sorted(self) -> bool {
        matches!(self, Self::Largest | Self::Slowest)
    }
}

/// The window, and what is selected in it.
#[derive(Default)]
pub(super) struct List {
    /// Rows, newest first, without a gap among those that the filter takes; sorted otherwise where the order says so.
    pub(super) rows: Vec<Summary>,
    /// Which rows are shown, in their order: all, or those that are not folded under another one.
    shown: Vec<usize>,
    /// How many repeats the window has of an event, by the event's first capture, where that is in the window.
    repeats: BTreeMap<CaptureId, usize>,
    pub(super) order: Order,
    /// Whether repeats of an event stand under its first capture.
    pub(super) grouped: bool,
    /// The events whose repeats are shown all the same.
    pub(super) unfolded: BTreeSet<CaptureId>,
    /// The selected capture. It is among the rows whenever there are any.
    pub(super) selected: Option<CaptureId>,
    /// What was selected when a filter began to be typed: half a filter may take nothing, and the whole one takes it.
    pub(super) anchor: Option<CaptureId>,
    /// Which of the shown rows is the first that is seen.
    pub(super) top: usize,
    /// Whether the newest capture stays selected as others arrive.
    pub(super) follow: bool,
    /// Whether that only rests, while somebody looks into one capture.
    pub(super) rests: bool,
    /// Whether the window begins with the newest row, and ends with the oldest.
    pub(super) at_newest: bool,
    pub(super) at_oldest: bool,
    /// Where the search goes on below the window, and above it; none where the last row there is the place.
    pub(super) below: Option<Start>,
    pub(super) above: Option<Start>,
    /// How far a search is that was cut off, in percent.
    pub(super) searched: u8,
    /// The newest capture of which it is known whether it is a row.
    pub(super) newest: CaptureId,
    /// What came since following ended.
    pub(super) arrived: Arrived,
    /// What rows had to show, once they had.
    pub(super) had: Had,
    /// Whether a first page has come.
    pub(super) read: bool,
    /// Pages are answered in this generation only; another filter begins another one. And of which one the rows are.
    pub(super) generation: u64,
    taken: u64,
    /// What is on its way.
    pub(super) asked: Option<Ask>,
    /// What is wanted after that.
    pub(super) wanted: Option<Ask>,
    /// How many rows are seen.
    pub(super) height: usize,
    /// What could not be read, and was told.
    pub(super) missed: BTreeSet<CaptureId>,
}

/// What there is a column for, since some row had it or is to be expected to. It stays: a column that came and went with the
/// rows that are seen would move all others while somebody scrolls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Had {
    /// Other endpoints than the open bin.
    pub(super) endpoints: bool,
    /// An event, or a provider.
    pub(super) events: bool,
    /// How long an app took.
    pub(super) took: bool,
}

impl Had {
    /// What either has.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            endpoints: self.endpoints | other.endpoints,
            events: self.events | other.events,
            took: self.took | other.took,
        }
    }
}

impl List {
    /// The shown rows from the first that is seen on.
    pub(super) fn seen(&self) -> impl Iterator<Item = &Summary> {
        self.shown.iter().skip(self.top).take(self.height.max(1)).filter_map(|&at| self.rows.get(at))
    }

    /// The selected row's place among the shown ones.
    pub(super) fn place(&self) -> usize {
        self.selected.and_then(|id| self.place_of(id)).unwrap_or(0)
    }

    fn place_of(&self, id: CaptureId) -> Option<usize> {
        self.shown.iter().position(|&at| self.rows.get(at).is_some_and(|row| row.id == id))
    }

    fn at(&self, place: usize) -> Option<&Summary> {
        self.shown.get(place).and_then(|&at| self.rows.get(at))
    }

    /// The selected row.
    pub(super) fn row(&self) -> Option<&Summary> {
        self.at(self.place())
    }

    /// How many rows there are, where the window has all of them, and not those of the filter before.
    pub(super) fn count(&self) -> Option<usize> {
        let is_whole = self.at_newest && self.at_oldest && !self.order.is_sorted();
        (is_whole && self.taken == self.generation).then_some(self.rows.len())
    }

    /// How many repeats of its event are folded under a row, and whether they are shown.
    pub(super) fn fold_of(&self, id: CaptureId) -> Option<(usize, bool)> {
        let count = self.repeats.get(&id).filter(|_| self.grouped)?;
        Some((*count, self.unfolded.contains(&id)))
    }

    /// Whether a row stands under another one.
    pub(super) fn is_under(&self, row: &Summary) -> bool {
        self.grouped && row.duplicate_of.is_some_and(|first| self.repeats.contains_key(&first))
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
            (Ask::Older, ..) if self.below.is_some() => (self.below.unwrap_or(Start::Newest), self.page()),
            (Ask::Newer, ..) if self.above.is_some() => (self.above.unwrap_or(Start::Newest), self.page()),
            (Ask::Older, _, Some(last)) => (Start::Before(last), self.page()),
            (Ask::Newer, Some(first), _) => (Start::After(first), self.page()),
            (Ask::Again | Ask::Kept, Some(first), _) => {
                (Start::Before(CaptureId(first.0 + 1)), self.rows.len().max(self.page()))
            }
            (Ask::Around, ..) => match self.anchor.or(self.selected) {
                Some(id) => (Start::Before(CaptureId(id.0 + 1)), self.page()),
                None => (Start::Newest, self.page()),
            },
            (Ask::Oldest, ..) => (Start::After(CaptureId(0)), self.page()),
            _ => (Start::Newest, self.page()),
        }
    }

    /// Takes an answer. Whether another row is selected now.
    pub(super) fn take(&mut self, ask: Ask, slice: Slice) -> bool {
        let Slice { rows, rest, percent, newest, missed: _ } = slice;
        let (before, place) = (self.selected, self.place());
        let first_seen = self.at(self.top).map(|row| row.id);
        let full = rest.is_some();
        self.searched = percent;
        self.had.endpoints |= rows.iter().any(|row| row.endpoint != OPEN_BIN);
        self.had.events |= rows.iter().any(|row| row.event.kind.is_some() || row.provider.is_some());
        self.had.took |= rows.iter().any(|row| row.took_ms.is_some());
        self.note_ends(ask, rest, newest);
        (self.read, self.taken) = (true, self.generation);
        match ask {
            Ask::Newest => (self.rows, self.at_newest, self.at_oldest) = (rows, true, !full),
            Ask::Oldest => (self.rows, self.at_newest, self.at_oldest) = (rows, !full, true),
            Ask::Around => (self.rows, self.at_newest, self.at_oldest) = (rows, false, !full),
            // The window as it was, less what was deleted, with what changed.
            Ask::Again => (self.rows, self.at_oldest) = (rows, !full),
            Ask::Kept => self.rows = rows,
            Ask::Older => {
                self.at_oldest = !full;
                self.rows.extend(rows);
                self.trim_front();
            }
            Ask::Newer => {
                self.at_newest = !full;
                let added = rows.len();
                self.rows.splice(..0, rows);
                self.trim_back(added);
            }
        }
        if self.order.is_sorted() {
            (self.at_newest, self.at_oldest) = (true, true);
        }
        self.arrange(first_seen.filter(|_| ask != Ask::Around));
        self.select_after(ask, place);
        self.show_selected();
        self.selected != before
    }

    /// Remembers where the window ends: a search may have gone on behind its last row, or end before it.
    fn note_ends(&mut self, ask: Ask, rest: Option<Start>, newest: CaptureId) {
        if ask == Ask::Newest || (ask == Ask::Newer && rest.is_none()) {
            self.newest = self.newest.max(newest);
        }
        match ask {
            Ask::Newest => (self.below, self.above) = (rest, Some(Start::After(newest))),
            Ask::Oldest => (self.below, self.above) = (None, rest),
            Ask::Around => (self.below, self.above) = (rest, None),
            Ask::Older | Ask::Again => self.below = rest,
            Ask::Newer => self.above = Some(rest.unwrap_or(Start::After(newest))),
            Ask::Kept => {}
        }
    }

    /// Something was committed: there may be newer rows than the window's.
    pub(super) fn rang(&mut self) {
        self.arrived.ring();
        self.at_newest &= self.follow || self.order.is_sorted();
    }

    /// What to ask for, since something is not searched yet or the selected row nears the window's end.
    pub(super) fn wants(&self) -> Option<Ask> {
        if !self.read {
            None
        } else if self.is_searching() {
            Some(Ask::Older)
        } else if self.follow {
            (!self.at_newest).then_some(Ask::Newer)
        } else {
            self.near_an_end()
        }
    }

    /// Whether the window wants rows that a search that was cut off may find.
    pub(super) fn is_searching(&self) -> bool {
        self.below.is_some() && !self.at_oldest && self.rows.len() < self.page()
    }

    fn select_after(&mut self, ask: Ask, place: usize) {
        let there = self.selected.is_some_and(|id| self.place_of(id).is_some());
        let place = match ask {
            _ if self.follow => 0,
            Ask::Oldest => usize::MAX,
            Ask::Around => 0,
            _ if there => return,
            // What was selected is gone: the row that took its place.
            _ => place,
        };
        self.selected = self.at(place.min(self.shown.len().saturating_sub(1))).map(|row| row.id);
    }

    /// Leaves rows out at the newer end, but none that is seen.
    fn trim_front(&mut self) {
        let seen = self.shown.iter().skip(self.top).min().copied().unwrap_or(0);
        let over = self.rows.len().saturating_sub(self.page() * 2).min(seen);
        if over > 0 {
            self.rows.drain(..over);
            (self.at_newest, self.above) = (false, None);
        }
    }

    /// Leaves rows out at the older end, but none that is seen; so many were added before the others.
    fn trim_back(&mut self, added: usize) {
        let seen = self.shown.iter().skip(self.top).take(self.height).max().map_or(0, |at| at + 1);
        let keep = (self.page() * 2).max(seen + added);
        if self.rows.len() > keep {
            self.rows.truncate(keep);
            (self.at_oldest, self.below) = (false, None);
        }
    }

    /// Works out which rows are shown, and in which order. `first_seen` stays where it is, if it is still there.
    fn arrange(&mut self, first_seen: Option<CaptureId>) {
        self.group();
        if let Some(row) = self.selected.and_then(|id| self.rows.iter().find(|row| row.id == id))
            && self.place_of(row.id).is_none()
        {
            // It is folded away: the row that it lies under stands for it.
            self.selected = row.duplicate_of;
        }
        self.top = first_seen.and_then(|id| self.place_of(id)).unwrap_or(0);
    }

    fn group(&mut self) {
        self.repeats.clear();
        let groups = self.grouped && !self.order.is_sorted();
        if !groups {
            self.shown = (0..self.rows.len()).collect();
            return;
        }
        let ids: BTreeSet<CaptureId> = self.rows.iter().map(|row| row.id).collect();
        let first = |row: &Summary| row.duplicate_of.filter(|first| ids.contains(first));
        let mut under: BTreeMap<CaptureId, Vec<usize>> = BTreeMap::new();
        for (at, row) in self.rows.iter().enumerate() {
            if let Some(first) = first(row) {
                under.entry(first).or_default().push(at);
            }
        }
        self.shown.clear();
        for (at, row) in self.rows.iter().enumerate().filter(|(_, row)| first(row).is_none()) {
            self.shown.push(at);
            if let Some(repeats) = under.get(&row.id).filter(|_| self.unfolded.contains(&row.id)) {
                self.shown.extend(repeats);
            }
        }
        self.repeats = under.into_iter().map(|(first, repeats)| (first, repeats.len())).collect();
    }

    /// Shows or hides the repeats of the selected row's event. Whether there are any.
    pub(super) fn fold(&mut self) -> bool {
        let Some(row) = self.row().filter(|_| self.grouped) else { return false };
        let id = row.duplicate_of.filter(|first| self.repeats.contains_key(first)).unwrap_or(row.id);
        if !self.repeats.contains_key(&id) {
            return false;
        }
        if !self.unfolded.remove(&id) {
            self.unfolded.insert(id);
        }
        self.rearrange();
        true
    }

    /// Shows the rows anew after something about their order changed.
    pub(super) fn rearrange(&mut self) {
        let first_seen = self.at(self.top).map(|row| row.id);
        self.arrange(first_seen);
        self.show_selected();
    }

    /// Selects another row, so many below; fewer where the window ends.
    pub(super) fn step(&mut self, rows: isize) -> bool {
        let before = self.selected;
        let place = self.place().saturating_add_signed(rows).min(self.shown.len().saturating_sub(1));
        self.selected = self.at(place).map(|row| row.id);
        self.show_selected();
        self.selected != before
    }

    /// Moves the window's seen part to where the selected row is in it, and no further down than there are rows to fill it.
    /// Where nothing of it is seen, it stays for when it is again.
    pub(super) fn show_selected(&mut self) {
        if self.height == 0 {
            return;
        }
        if self.follow {
            self.top = 0;
        }
        let (place, last_top) = (self.place(), self.shown.len().saturating_sub(self.height));
        self.top = self.top.min(place).max((place + 1).saturating_sub(self.height)).min(last_top);
    }

    /// What to ask for, since the selected row nears the window's end.
    fn near_an_end(&self) -> Option<Ask> {
        let (place, margin) = (self.place(), self.height.max(1));
        if !self.at_oldest && place + margin >= self.shown.len() {
            Some(Ask::Older)
        } else if !self.at_newest && place < margin {
            Some(Ask::Newer)
        } else {
            None
        }
    }
}
