//! The palette: every command and everything that can be done with a capture, found by a few letters.

use nucleo_matcher::{
    Config, Matcher,
    pattern::{AtomKind, CaseMatching, Normalization, Pattern},
};

use super::{
    copy::{self, Copied},
    draft::{self, Step},
    keys::{Command, KEYMAP, Mode},
    model::Model,
    prompt::{Prompt, Purpose},
};
use crate::record::CaptureId;

/// The open palette.
#[derive(Clone, Debug)]
pub(super) struct Palette {
    /// What was typed of a row's name.
    pub(super) typed: Prompt,
    /// Whether all commands are in it, or only what is done with the capture.
    all: bool,
    /// The capture of whose edited request it asks what becomes; then nothing else is in it.
    pub(super) draft: Option<CaptureId>,
    /// Which of the rows that fit is chosen.
    pub(super) chosen: usize,
}

/// What a row does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    Command(Command),
    Copy(Copied),
    /// The same into a file.
    Keep(Copied),
    /// Say in what the app's last two replies differ.
    Replies,
    /// Do something with an edited request.
    Draft(CaptureId, Step),
    /// Edit the value of a header, by its place.
    Header(usize),
    /// Show the address as a QR code.
    Qr,
}

/// A row of the palette.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) name: String,
    /// The key that does the same, where there is one.
    pub(super) chord: &'static str,
    pub(super) choice: Choice,
}

impl AsRef<str> for Row {
    fn as_ref(&self) -> &str {
        &self.name
    }
}

impl Palette {
    pub(super) fn new(all: bool, text: &str) -> Self {
        Self { typed: Prompt::new(Purpose::Find, text), all, draft: None, chosen: 0 }
    }

    /// What becomes of an edited request?
    pub(super) fn of_draft(id: CaptureId) -> Self {
        Self { draft: Some(id), ..Self::new(false, "") }
    }

    /// What is wrong with the edited request.
    pub(super) fn warning(&self, model: &Model) -> Option<String> {
        model.drafts.get(&self.draft?)?.wrong()
    }

    /// What it is called.
    pub(super) fn title(&self) -> String {
        match self.draft {
            Some(id) => format!("#{id} was edited; esc keeps that for later"),
            None if self.all => "Commands".to_owned(),
            None => "What can be done with the capture".to_owned(),
        }
    }

    /// The rows that fit what was typed, the best first.
    pub(super) fn rows(&self, model: &Model) -> Vec<Row> {
        let rows = if let Some(id) = self.draft {
            of_draft(model, id)
        } else if self.all {
            [commands(model), actions(model)].concat()
        } else {
            actions(model)
        };
        let pattern = Pattern::new(&self.typed.text(), CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy);
        let mut matcher = Matcher::new(Config::DEFAULT);
        pattern.match_list(rows, &mut matcher).into_iter().map(|(row, _)| row).collect()
    }

    /// Chooses a row so many below.
    pub(super) fn step(&mut self, rows: isize, count: usize) {
        self.chosen = self.chosen.saturating_add_signed(rows).min(count.saturating_sub(1));
    }
}

/// What can become of an edited request.
fn of_draft(model: &Model, id: CaptureId) -> Vec<Row> {
    let steps = model.drafts.get(&id).map(draft::steps).unwrap_or_default();
    let row = |(step, name): (Step, &str)| Row { name: name.to_owned(), chord: "", choice: Choice::Draft(id, step) };
    steps.into_iter().map(row).collect()
}

/// Every command of the mode that the palette was opened in.
fn commands(model: &Model) -> Vec<Row> {
    let here = KEYMAP.iter().filter(|key| key.modes.contains(&model.mode));
    let rows = here.filter(|key| !matches!(key.command, Command::Palette | Command::Menu));
    rows.map(|key| Row { name: key.help.to_owned(), chord: key.chords[0], choice: Choice::Command(key.command) })
        .collect()
}

/// What can be done with the open or selected capture.
fn actions(model: &Model) -> Vec<Row> {
    let row = |name: String, choice| Row { name, chord: "", choice };
    let things = copy::things(model);
    let copies = things.iter().map(|(name, copied)| row(format!("copy {name}"), Choice::Copy(copied.clone())));
    let keeps = things.iter().map(|(name, copied)| row(format!("save {name} to a file"), Choice::Keep(copied.clone())));
    let done = [
        Command::Resend,
        Command::ResendTo,
        Command::Resign,
        Command::Edit,
        Command::Pager,
        Command::Pipe,
        Command::Browse,
        Command::Diff,
        Command::Delete,
        Command::Undo,
    ];
    let done = KEYMAP.iter().filter(|key| done.contains(&key.command) && key.modes.contains(&Mode::List));
    let done =
        done.map(|key| Row { name: key.help.to_owned(), chord: key.chords[0], choice: Choice::Command(key.command) });
    let others = [
        row("in what the app's last two replies differ".to_owned(), Choice::Replies),
        row("QR code of the address".to_owned(), Choice::Qr),
    ];
    let headers = things.iter().filter_map(|(name, copied)| match copied {
        Copied::Header(at) => Some(row(format!("edit {name}"), Choice::Header(*at))),
        _ => None,
    });
    copies.chain(done).chain(others).chain(headers).chain(keeps).collect()
}
