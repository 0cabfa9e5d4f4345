//! The palette: every command and everything that can be done with a capture, found by a few letters.

use nucleo_matcher::{
    Config, Matcher,
    pattern::{AtomKind, CaseMatching, Normalization, Pattern},
};

use super::{
    copy::{self, Copied},
    keys::{Command, KEYMAP, Mode},
    model::Model,
    prompt::{Prompt, Purpose},
};

/// The open palette.
#[derive(Clone, Debug)]
pub(super) struct Palette {
    /// What was typed of a row's name.
    pub(super) typed: Prompt,
    /// Whether all commands are in it, or only what is done with the capture.
    all: bool,
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
        Self { typed: Prompt::new(Purpose::Find, text), all, chosen: 0 }
    }

    /// What it is called.
    pub(super) fn title(&self) -> &'static str {
        if self.all { "Commands" } else { "What can be done with the capture" }
    }

    /// The rows that fit what was typed, the best first.
    pub(super) fn rows(&self, model: &Model) -> Vec<Row> {
        let rows = if self.all { [commands(model), actions(model)].concat() } else { actions(model) };
        let pattern = Pattern::new(&self.typed.text(), CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy);
        let mut matcher = Matcher::new(Config::DEFAULT);
        pattern.match_list(rows, &mut matcher).into_iter().map(|(row, _)| row).collect()
    }

    /// Chooses a row so many below.
    pub(super) fn step(&mut self, rows: isize, count: usize) {
        self.chosen = self.chosen.saturating_add_signed(rows).min(count.saturating_sub(1));
    }
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
    let done = [Command::Resend, Command::ResendTo, Command::Resign, Command::Diff, Command::Delete, Command::Undo];
    let done = KEYMAP.iter().filter(|key| done.contains(&key.command) && key.modes.contains(&Mode::List));
    let done =
        done.map(|key| Row { name: key.help.to_owned(), chord: key.chords[0], choice: Choice::Command(key.command) });
    let others = [
        row("in what the app's last two replies differ".to_owned(), Choice::Replies),
        row("QR code of the address".to_owned(), Choice::Qr),
    ];
    copies.chain(done).chain(others).chain(keeps).collect()
}
