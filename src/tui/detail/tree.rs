//! The cursor in a body that folds or has parts: its folds, and the path of what stands under it.

use std::sync::Arc;

use super::{Scroll, Tab, source};
use crate::{
    body::{self, Document, Folds, Node, Spelling},
    tui::{
        effect::Effect,
        keys::{Command, Keymap},
        layout,
        model::{Model, Notice, Tone},
        msg::BodyView,
    },
};

/// The cursor, and what is folded around it.
#[derive(Default)]
pub(in crate::tui) struct Cursor {
    /// The document with nothing folded; none where it neither folds nor has parts.
    whole: Option<Arc<dyn Document>>,
    folds: Folds,
    /// The row under the cursor, among those that are shown.
    row: usize,
    spelling: Spelling,
    /// What was last found under the cursor, with its line.
    node: Option<(usize, Option<Node>)>,
    /// The line for which that is asked.
    asked: Option<usize>,
}

/// What stands under the cursor.
pub(in crate::tui) struct Under {
    /// Its path, in the spelling that is shown.
    pub(in crate::tui) path: String,
    /// Its value, as sent.
    pub(in crate::tui) value: bytes::Bytes,
}

impl Cursor {
    /// Begins at the top of a body that was opened.
    pub(super) fn take(&mut self, body: Option<&BodyView>) {
        let document = body.and_then(|body| body.document.as_ref().ok());
        let whole = document.filter(|document| document.tree().is_some() || !document.parts().is_empty()).cloned();
        *self = Self { whole, spelling: self.spelling, ..Self::default() };
    }

    /// Goes on in the whole of a body of which the first piece was shown: its lines are the same as far as they went.
    pub(super) fn go_on(&mut self, body: Option<&mut BodyView>) {
        let Some(body) = body else { return };
        let (row, folds) = (self.row, std::mem::take(&mut self.folds));
        let lines = self.whole.as_ref().map_or(0, |whole| whole.line_count());
        self.take(Some(body));
        if let Some(whole) = &self.whole {
            let folds = whole.tree().map_or_else(Folds::default, |tree| tree.gone_on(&folds, lines));
            body.document = Ok(body::folded(Arc::clone(whole), &folds));
            (self.row, self.folds) = (row, folds);
        }
    }

    /// The document with nothing folded.
    pub(in crate::tui) fn whole(&self) -> Option<&Arc<dyn Document>> {
        self.whole.as_ref()
    }

    /// Whether nothing is folded.
    pub(in crate::tui) fn is_unfolded(&self) -> bool {
        self.folds.is_empty()
    }

    /// The depth that all was folded to, where it was.
    pub(in crate::tui) fn depth(&self) -> Option<u32> {
        self.folds.depth()
    }

    /// How it is left: what is folded, and the row under it.
    pub(super) fn left(&self) -> (&Folds, usize) {
        (&self.folds, self.row)
    }

    /// Stands again as it was left in the same document.
    pub(super) fn stand(&mut self, body: &mut BodyView, folds: Folds, row: usize) {
        let Some(whole) = &self.whole else { return };
        body.document = Ok(body::folded(Arc::clone(whole), &folds));
        self.row = row.min(folds.shown(whole.line_count()).saturating_sub(1));
        self.folds = folds;
    }

    /// Whether there is one.
    pub(in crate::tui) fn is_on(&self) -> bool {
        self.whole.is_some()
    }

    /// The row under it, among those that are shown.
    pub(in crate::tui) fn row(&self) -> usize {
        self.row
    }

    /// The line under it, among all of the document.
    fn line(&self) -> usize {
        self.folds.line(self.row)
    }

    /// What stands under it, where that is known yet.
    pub(in crate::tui) fn under(&self) -> Option<Under> {
        let (line, node) = self.node.as_ref()?;
        let node = node.as_ref().filter(|_| *line == self.line())?;
        let value = self.whole.as_ref()?.tree()?.bytes().slice(node.value.clone());
        Some(Under { path: node.path.spelled(self.spelling), value })
    }

    /// The place of that, and the bytes that it is a place in.
    pub(in crate::tui) fn node(&self) -> Option<(&Node, &bytes::Bytes)> {
        let (line, node) = self.node.as_ref()?;
        let node = node.as_ref().filter(|_| *line == self.line())?;
        Some((node, self.whole.as_ref()?.tree()?.bytes()))
    }

    /// The part that it stands in, where the body has parts.
    pub(in crate::tui) fn part(&self) -> Option<&body::Part> {
        let parts = self.whole.as_ref()?.parts();
        let line = self.line();
        parts.iter().rev().find(|part| part.line <= line)
    }

    /// Where it stands, in words, for a row below the body.
    pub(in crate::tui) fn words(&self, keys: &Keymap) -> String {
        let Some(whole) = &self.whole else { return String::new() };
        if whole.tree().is_none() {
            let key = keys.of(Command::Save);
            return self.part().map_or(String::new(), |part| format!("{key} saves this part as {}", part.name));
        }
        let nth = self.node.as_ref().and_then(|(_, node)| node.as_ref()).map_or(0, |node| node.nth);
        let nth = if nth > 0 { format!("value {}: ", nth + 1) } else { String::new() };
        match self.under() {
            Some(under) if under.path.is_empty() => format!("{nth}the whole"),
            Some(under) => format!("{nth}{}", under.path),
            None => "…".to_owned(),
        }
    }

    /// How the path is written, in words.
    pub(in crate::tui) fn spelling(&self) -> Option<&'static str> {
        self.whole.as_ref()?.tree().map(|_| self.spelling.name())
    }

    /// Asks for what stands under the cursor, where that is not known and not asked yet.
    fn ask(&mut self, generation: u64) -> Vec<Effect> {
        let line = self.line();
        let Some(document) = self.whole.as_ref().filter(|whole| whole.tree().is_some()) else { return Vec::new() };
        if self.asked.is_some() || self.node.as_ref().is_some_and(|(known, _)| *known == line) {
            return Vec::new();
        }
        self.asked = Some(line);
        vec![Effect::Locate { generation, document: Arc::clone(document), line }]
    }
}

/// Moves the cursor by rows; `isize::MIN` and `MAX` are the ends.
pub(in crate::tui) fn step(model: &mut Model, rows: isize) -> Vec<Effect> {
    let cursor = &mut model.detail.cursor;
    let Some(whole) = &cursor.whole else { return Vec::new() };
    let last = cursor.folds.shown(whole.line_count()).saturating_sub(1);
    cursor.row = cursor.row.saturating_add_signed(rows).min(last);
    if rows == isize::MIN {
        cursor.row = 0;
    }
    show(model)
}

/// Scrolls so that the cursor is seen, and asks what stands under it.
pub(in crate::tui) fn show(model: &mut Model) -> Vec<Effect> {
    let area = layout::areas(model).detail;
    let (columns, height) = (usize::from(area.width), usize::from(super::body_rows(model, area.height)));
    let row = model.detail.cursor.row;
    let at = model.detail.scroll[Tab::Body as usize];
    if model.detail.tab == Tab::Body && height > 0 {
        let source = source(model, columns);
        let top = Scroll { line: row, row: 0 };
        let rows = source.rows(at, columns, height);
        let is_seen = at <= top && rows.last().is_some_and(|(last, _)| last.line >= row);
        if !is_seen {
            let to = if top < at { top } else { source.above(top, columns, height - 1) };
            drop(source);
            model.detail.scroll[Tab::Body as usize] = to;
        }
    }
    let generation = model.detail.generation;
    model.detail.cursor.ask(generation)
}

/// Folds what the cursor is on, or unfolds it.
pub(in crate::tui) fn toggle(model: &mut Model) -> Vec<Effect> {
    let cursor = &mut model.detail.cursor;
    let Some(whole) = cursor.whole.clone() else { return Vec::new() };
    let Some(tree) = whole.tree() else { return Vec::new() };
    let mut folds = std::mem::take(&mut cursor.folds);
    let on = folds.line(cursor.row);
    let line = tree.toggle(&mut folds, on);
    refold(model, folds, line)
}

/// Folds one level more or less; asks for it, since that looks at all lines.
pub(in crate::tui) fn deepen(model: &Model, deeper: bool) -> Vec<Effect> {
    let cursor = &model.detail.cursor;
    let Some(document) = cursor.whole.as_ref().filter(|whole| whole.tree().is_some()) else { return Vec::new() };
    let depth = match (cursor.folds.depth(), deeper) {
        (Some(depth), true) => depth + 1,
        (Some(depth), false) => depth.saturating_sub(1).max(1),
        (None, false) => 1,
        (None, true) => return Vec::new(),
    };
    vec![Effect::FoldTo { generation: model.detail.generation, document: Arc::clone(document), depth }]
}

/// Folds all of a document to the depth that its first piece was folded to.
pub(in crate::tui) fn go_on(model: &Model) -> Option<Effect> {
    let cursor = &model.detail.cursor;
    let (document, depth) = (cursor.whole.as_ref()?, cursor.folds.depth()?);
    Some(Effect::FoldTo { generation: model.detail.generation, document: Arc::clone(document), depth })
}

/// Unfolds all.
pub(in crate::tui) fn unfold(model: &mut Model) -> Vec<Effect> {
    let line = model.detail.cursor.line();
    if model.detail.cursor.is_on() { refold(model, Folds::default(), line) } else { Vec::new() }
}

/// Unfolds whatever hides a line of the whole document, and moves the cursor there.
pub(super) fn reveal(model: &mut Model, line: usize) -> Vec<Effect> {
    let cursor = &mut model.detail.cursor;
    if !cursor.folds.hides(line) {
        cursor.row = cursor.folds.row(line);
        return show(model);
    }
    let mut folds = std::mem::take(&mut cursor.folds);
    folds.reveal(line);
    refold(model, folds, line)
}

/// The line of the whole document that a row of the body shows.
pub(super) fn line_at(model: &Model, row: usize) -> usize {
    model.detail.cursor.folds.line(row)
}

/// The row of the body at which a line of the whole document is shown.
pub(super) fn row_of(model: &Model, line: usize) -> usize {
    model.detail.cursor.folds.row(line)
}

/// Takes folds that were asked for.
pub(in crate::tui) fn folded(model: &mut Model, generation: u64, folds: Folds) -> Vec<Effect> {
    if generation != model.detail.generation || !model.detail.cursor.is_on() {
        return Vec::new();
    }
    if folds.is_empty() && model.detail.cursor.is_unfolded() {
        let text = "nothing lies below the first level".to_owned();
        model.notice = Some(Notice { tone: Tone::Plain, text, hint: None });
    }
    let line = model.detail.cursor.line();
    refold(model, folds, line)
}

/// Shows the document with other folds, the cursor on that line or on what hides it.
fn refold(model: &mut Model, folds: Folds, line: usize) -> Vec<Effect> {
    let cursor = &mut model.detail.cursor;
    let (Some(whole), Some(body)) = (&cursor.whole, &mut model.detail.body) else { return Vec::new() };
    cursor.row = folds.row(line);
    cursor.folds = folds;
    body.document = Ok(body::folded(Arc::clone(whole), &cursor.folds));
    show(model)
}

/// Takes what stands under a line; asks again where the cursor has gone on.
pub(in crate::tui) fn located(model: &mut Model, generation: u64, line: usize, node: Option<Node>) -> Vec<Effect> {
    if generation != model.detail.generation {
        return Vec::new();
    }
    let cursor = &mut model.detail.cursor;
    cursor.asked = None;
    cursor.node = Some((line, node));
    cursor.ask(generation)
}

/// Writes the path in the next spelling.
pub(in crate::tui) fn respell(model: &mut Model) -> Vec<Effect> {
    model.detail.cursor.spelling = model.detail.cursor.spelling.next();
    Vec::new()
}
