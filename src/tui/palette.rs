//! The palette: every command and everything that can be done with a capture, found by a few letters.

use nucleo_matcher::{
    Config, Matcher,
    pattern::{AtomKind, CaseMatching, Normalization, Pattern},
};

use super::{
    copy::{self, Copied},
    draft::{self, Step},
    export::Batch,
    keys::{Bound, Command, Mode},
    model::Model,
    prompt::{Prompt, Purpose},
};
use crate::{
    export::{FORMATS, Format},
    record::CaptureId,
};

/// The open palette.
#[derive(Clone, Debug)]
pub(super) struct Palette {
    /// What was typed of a row's name.
    pub(super) typed: Prompt,
    about: About,
    /// Which of the rows that fit is chosen.
    pub(super) chosen: usize,
}

/// What is in a palette.
#[derive(Clone, Debug)]
enum About {
    /// All commands.
    All,
    /// What is done with the capture.
    Capture,
    /// What becomes of the capture's edited request.
    Draft(CaptureId),
    /// The forms to export captures in.
    Export(Batch),
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
    /// Write captures to a file in a form, by its place in `FORMATS`; without captures, what is marked or else selected.
    Export(Option<Batch>, usize),
    /// Show the address as a QR code.
    Qr,
    /// Mark all that the filter takes, or unmark all.
    MarkAll,
    UnmarkAll,
}

/// A row of the palette.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) name: String,
    /// The key that does the same, where there is one.
    pub(super) chord: String,
    pub(super) choice: Choice,
}

impl AsRef<str> for Row {
    fn as_ref(&self) -> &str {
        &self.name
    }
}

impl Palette {
    pub(super) fn new(all: bool, text: &str) -> Self {
        Self::about(if all { About::All } else { About::Capture }, text)
    }

    fn about(about: About, text: &str) -> Self {
        Self { typed: Prompt::new(Purpose::Find, text), about, chosen: 0 }
    }

    /// What becomes of an edited request?
    pub(super) fn of_draft(id: CaptureId) -> Self {
        Self::about(About::Draft(id), "")
    }

    /// In which form are captures exported?
    pub(super) fn of_export(batch: Batch) -> Self {
        Self::about(About::Export(batch), "")
    }

    /// The capture of whose edited request it asks.
    pub(super) fn draft(&self) -> Option<CaptureId> {
        if let About::Draft(id) = self.about { Some(id) } else { None }
    }

    /// What is wrong with the edited request.
    pub(super) fn warning(&self, model: &Model) -> Option<String> {
        model.drafts.get(&self.draft()?)?.wrong()
    }

    /// What it is called.
    pub(super) fn title(&self) -> String {
        match &self.about {
            About::Draft(id) => format!("#{id} was edited; esc keeps that for later"),
            About::All => "Commands".to_owned(),
            About::Capture => "What can be done with the capture".to_owned(),
            About::Export(batch) => format!("Export {}", batch.words()),
        }
    }

    /// The rows that fit what was typed, the best first.
    pub(super) fn rows(&self, model: &Model) -> Vec<Row> {
        let rows = self.all_rows(model);
        let pattern = Pattern::new(&self.typed.text(), CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut fitting: Vec<Row> = pattern.match_list(rows, &mut matcher).into_iter().map(|(row, _)| row).collect();
        // Who types how it begins means that one, and not what has the same words somewhere.
        let text = self.typed.text().trim().to_lowercase();
        fitting.sort_by_key(|row| match row.name.to_lowercase().find(&text) {
            Some(0) => 0,
            Some(_) => 1,
            None => 2,
        });
        fitting
    }

    /// All its rows, whatever was typed.
    pub(super) fn all_rows(&self, model: &Model) -> Vec<Row> {
        match &self.about {
            About::Draft(id) => of_draft(model, *id),
            // What is looked for stands first: what does something, then what changes how it looks; moving about is for the keys.
            About::All => {
                let (moves, others): (Vec<_>, Vec<_>) = commands(model).into_iter().partition(is(Command::is_movement));
                let (looks, does): (Vec<_>, Vec<_>) = others.into_iter().partition(is(Command::is_of_looks));
                [does, things(model), looks, moves].concat()
            }
            About::Capture => [done(model), things(model)].concat(),
            About::Export(batch) => forms("", Some(batch)),
        }
    }

    /// Chooses a row so many below.
    pub(super) fn step(&mut self, rows: isize, count: usize) {
        self.chosen = self.chosen.saturating_add_signed(rows).min(count.saturating_sub(1));
    }
}

/// What can become of an edited request.
fn of_draft(model: &Model, id: CaptureId) -> Vec<Row> {
    let steps = model.drafts.get(&id).map(draft::steps).unwrap_or_default();
    let row = |(step, name): (Step, &str)| Row {
        name: name.to_owned(),
        chord: String::new(),
        choice: Choice::Draft(id, step),
    };
    steps.into_iter().map(row).collect()
}

/// Every command of the mode that the palette was opened in.
fn commands(model: &Model) -> Vec<Row> {
    let here = model.keys.rows().filter(|row| row.key.modes.contains(&model.mode));
    here.filter(|row| !matches!(row.key.command, Command::Palette | Command::Menu)).map(by_key).collect()
}

/// What a key does, with the first chord that the user has for it.
fn by_key(row: &Bound) -> Row {
    let chord = row.chords.first().cloned().unwrap_or_default();
    Row { name: row.key.help.to_owned(), chord, choice: Choice::Command(row.key.command) }
}

/// The forms to export captures in.
fn forms(before: &str, batch: Option<&Batch>) -> Vec<Row> {
    let row = |(at, format): (usize, &Format)| Row {
        name: format!("{before}as {}: {}", format.name, format.help),
        chord: String::new(),
        choice: Choice::Export(batch.cloned(), at),
    };
    FORMATS.iter().enumerate().map(row).collect()
}

fn is(what: fn(Command) -> bool) -> impl Fn(&Row) -> bool {
    move |row| matches!(row.choice, Choice::Command(command) if what(command))
}

/// What can be done with the open or selected capture by a key.
fn done(model: &Model) -> Vec<Row> {
    let done = [
        Command::Resend,
        Command::ResendTo,
        Command::Resign,
        Command::Edit,
        Command::Pager,
        Command::Pipe,
        Command::Preview,
        Command::Browse,
        Command::Export,
        Command::Diff,
        Command::Delete,
        Command::Undo,
    ];
    let done = model.keys.rows().filter(|row| done.contains(&row.key.command) && row.key.modes.contains(&Mode::List));
    done.map(by_key).collect()
}

/// What else can be done with it.
fn things(model: &Model) -> Vec<Row> {
    let row = |name: String, choice| Row { name, chord: String::new(), choice };
    let things = copy::things(model);
    let copies = things.iter().map(|(name, copied)| row(format!("copy {name}"), Choice::Copy(copied.clone())));
    // A form has its own way into a file: for what is marked, too, and under a name that is asked for.
    let keeps = things.iter().filter(|(_, copied)| !matches!(copied, Copied::As(_)));
    let keeps = keeps.map(|(name, copied)| row(format!("save {name} to a file"), Choice::Keep(copied.clone())));
    let others = [
        row("compare the app's last two replies".to_owned(), Choice::Replies),
        row("QR code of the address".to_owned(), Choice::Qr),
    ];
    let many = [
        row("mark all that the filter takes".to_owned(), Choice::MarkAll),
        row("unmark all that is marked".to_owned(), Choice::UnmarkAll),
    ];
    let headers = things.iter().filter_map(|(name, copied)| match copied {
        Copied::Header(at) => Some(row(format!("edit {name}"), Choice::Header(*at))),
        _ => None,
    });
    others.into_iter().chain(copies).chain(headers).chain(forms("export ", None)).chain(keeps).chain(many).collect()
}
