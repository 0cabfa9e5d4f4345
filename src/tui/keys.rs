//! The keys: one table, read by the loop, the help, the footer and the README.

use std::borrow::Cow;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::{engine::KeyWish, record::Failure};

/// Where the user is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// In the list.
    List,
    /// In the detail of a capture.
    Detail,
    /// In the help.
    Help,
    /// In the statistics.
    Stats,
    /// In a comparison, or what else lies over list and detail.
    Sheet,
    /// In the prompt of a filter: beside these, its keys edit a line.
    Prompt,
}

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Down,
    Up,
    PageDown,
    PageUp,
    Top,
    Bottom,
    Open,
    Back,
    Tab(usize),
    NextTab,
    PreviousTab,
    ScrollDown,
    ScrollUp,
    ScrollRight,
    ScrollLeft,
    NextView,
    OtherView,
    Toggle,
    FoldLess,
    FoldMore,
    Unfold,
    Spell,
    Save,
    Unmask,
    Resend,
    ResendTo,
    Resign,
    ResendMarked,
    ResendDead,
    Drop,
    Judge,
    Preview,
    Program,
    Whole,
    Edit,
    EditValue,
    Pager,
    Pipe,
    Browse,
    Filter,
    Take,
    ChooseNext,
    ChoosePrevious,
    OlderFilter,
    NewerFilter,
    SaveFilter,
    Reveal,
    Mark,
    Pin,
    Note,
    PinnedOnly,
    Order,
    Clock,
    Group,
    Fold,
    Zoom,
    Widen,
    Narrow,
    Theme,
    Find,
    FindNext,
    FindPrevious,
    NextDelivery,
    PreviousDelivery,
    Mouse,
    Stats,
    NextWindow,
    PreviousWindow,
    Answer,
    Refused,
    News,
    Palette,
    Menu,
    Copy,
    Export,
    Diff,
    Turn,
    Delete,
    DeleteMarked,
    Undo,
    Help,
    Suspend,
    Quit,
}

impl Command {
    /// Whether it only goes somewhere else.
    pub(super) fn is_movement(self) -> bool {
        matches!(
            self,
            Self::Down
                | Self::Up
                | Self::PageDown
                | Self::PageUp
                | Self::Top
                | Self::Bottom
                | Self::Open
                | Self::Back
                | Self::Tab(_)
                | Self::NextTab
                | Self::PreviousTab
                | Self::ScrollDown
                | Self::ScrollUp
                | Self::ScrollRight
                | Self::ScrollLeft
                | Self::FindNext
                | Self::FindPrevious
                | Self::NextDelivery
                | Self::PreviousDelivery
        )
    }

    /// Whether it only changes how something is shown.
    pub(super) fn is_of_looks(self) -> bool {
        matches!(
            self,
            Self::NextView
                | Self::OtherView
                | Self::Toggle
                | Self::FoldLess
                | Self::FoldMore
                | Self::Unfold
                | Self::Spell
                | Self::Order
                | Self::Clock
                | Self::Group
                | Self::Fold
                | Self::Zoom
                | Self::Widen
                | Self::Narrow
                | Self::Theme
                | Self::Mouse
        )
    }

    /// Whether it does something with a capture, or among captures: where there is none, it can do nothing.
    pub(super) fn needs_capture(self) -> bool {
        !matches!(
            self,
            Self::Back
                | Self::Filter
                | Self::ResendMarked
                | Self::DeleteMarked
                | Self::PinnedOnly
                | Self::Order
                | Self::Theme
                | Self::Mouse
                | Self::Stats
                | Self::NextWindow
                | Self::PreviousWindow
                | Self::Answer
                | Self::Refused
                | Self::News
                | Self::Take
                | Self::ChooseNext
                | Self::ChoosePrevious
                | Self::OlderFilter
                | Self::NewerFilter
                | Self::SaveFilter
                | Self::Reveal
                | Self::Whole
                | Self::Palette
                | Self::Undo
                | Self::Help
                | Self::Suspend
                | Self::Quit
        )
    }
}

/// A row of the table.
#[derive(Debug)]
pub(super) struct Key {
    /// The chords, the one to show first.
    pub(super) chords: &'static [&'static str],
    pub(super) modes: &'static [Mode],
    pub(super) command: Command,
    /// What it does, for the help.
    pub(super) help: &'static str,
    /// What it does, for the footer; none where it is not for there.
    pub(super) footer: Option<&'static str>,
    /// The part of the help that begins with it.
    pub(super) part: Option<&'static str>,
}

const BOTH: &[Mode] = &[Mode::List, Mode::Detail];
const LIST: &[Mode] = &[Mode::List];
const DETAIL: &[Mode] = &[Mode::Detail];
const UNMASK: &[Mode] = &[Mode::Detail, Mode::Sheet];
const TEXTS: &[Mode] = &[Mode::Detail, Mode::Help];
const ALL: &[Mode] = &[Mode::List, Mode::Detail, Mode::Help, Mode::Stats, Mode::Sheet];
const STATS: &[Mode] = &[Mode::Stats];
const SHEET: &[Mode] = &[Mode::Sheet];
const PROMPT: &[Mode] = &[Mode::Prompt];

const fn key(
    chords: &'static [&'static str],
    modes: &'static [Mode],
    command: Command,
    help: &'static str,
    footer: Option<&'static str>,
) -> Key {
    Key { chords, modes, command, help, footer, part: None }
}

/// Every key.
pub(super) const KEYMAP: &[Key] = &[
    key(&["j", "down"], ALL, Command::Down, "next capture, or next line", None).begins("Moving"),
    key(&["k", "up"], ALL, Command::Up, "previous capture, or previous line", None),
    key(&["pagedown", "ctrl-d", "ctrl-f"], ALL, Command::PageDown, "a page down", None),
    key(&["pageup", "ctrl-u", "ctrl-b"], ALL, Command::PageUp, "a page up", None),
    key(&["g", "home"], ALL, Command::Top, "to the top: the newest, and follow; or the first line", None),
    key(&["G", "end"], ALL, Command::Bottom, "to the end: the oldest, or the last line", None),
    key(&["enter"], LIST, Command::Open, "open the capture", Some("open")),
    key(&["esc"], ALL, Command::Back, "back; in the list, take the filter away", None),
    key(&["tab", "l"], BOTH, Command::NextTab, "next tab of the detail", None),
    key(&["shift-tab", "h"], BOTH, Command::PreviousTab, "previous tab", None),
    key(&["1"], BOTH, Command::Tab(0), "Overview", None),
    key(&["2"], BOTH, Command::Tab(1), "Body", None),
    key(&["3"], BOTH, Command::Tab(2), "Headers", None),
    key(&["4"], BOTH, Command::Tab(3), "Signature", None),
    key(&["5"], BOTH, Command::Tab(4), "Deliveries", None),
    key(&["6"], BOTH, Command::Tab(5), "Raw: the request as it came", None),
    key(&["J"], BOTH, Command::ScrollDown, "scroll the detail down", None),
    key(&["K"], BOTH, Command::ScrollUp, "scroll the detail up", None),
    key(&["right"], BOTH, Command::ScrollRight, "a column of a wide table to the right; else the next tab", None),
    key(&["left"], BOTH, Command::ScrollLeft, "a column of it to the left; else the previous tab", None),
    key(&["}"], BOTH, Command::NextDelivery, "the next delivery of the capture", None),
    key(&["{"], BOTH, Command::PreviousDelivery, "the delivery before it", None),
    key(&["v"], BOTH, Command::NextView, "show the body in the next view that fits it", Some("view")).begins("Reading"),
    key(&["V"], BOTH, Command::OtherView, "show the body in the next of all views", None),
    key(
        &["enter", "x"],
        DETAIL,
        Command::Toggle,
        "fold or unfold what the cursor is on: JSON, a long text, or a delivery",
        Some("fold"),
    ),
    key(&["-"], DETAIL, Command::FoldMore, "fold the body to one level less", None),
    key(&["+", "="], DETAIL, Command::FoldLess, "fold the body to one level more", None),
    key(&["*"], DETAIL, Command::Unfold, "unfold all", None),
    key(&["i"], DETAIL, Command::Spell, "write the path as jq does, as a JSON pointer, or with dots", None),
    key(&["w"], DETAIL, Command::Save, "save the part of the body under the cursor to a file", None),
    key(&["m"], UNMASK, Command::Unmask, "show or mask secrets: in target and headers, and in what is copied", None),
    key(&["/"], LIST, Command::Filter, "filter the list", Some("filter")).begins("Filtering and finding"),
    key(&["tab"], PROMPT, Command::Take, "while a filter is typed: take what is offered", Some("takes")),
    key(&["down"], PROMPT, Command::ChooseNext, "choose the next of what is offered; or a newer line", None),
    key(&["up"], PROMPT, Command::ChoosePrevious, "choose the one before; or a line that was used before", None),
    key(
        &["ctrl-p"],
        PROMPT,
        Command::OlderFilter,
        "a filter, or a command behind `|`, that was used before",
        Some("older"),
    ),
    key(&["ctrl-n"], PROMPT, Command::NewerFilter, "a newer one of them", None),
    key(&["ctrl-s"], PROMPT, Command::SaveFilter, "save the filter under a name, for `@name`", Some("saves")),
    key(
        &["ctrl-r"],
        PROMPT,
        Command::Reveal,
        "while an export is named: write secrets as they came, or masked",
        Some("secrets, or masked"),
    ),
    key(
        &["ctrl-t"],
        PROMPT,
        Command::Whole,
        "while a jq program is typed: give it the whole request, or only the body",
        Some("whole request, or body"),
    ),
    key(
        &["/"],
        TEXTS,
        Command::Find,
        "find a text in the open tab, where a capital makes case matter, or in this help",
        Some("find"),
    ),
    key(&["n"], DETAIL, Command::FindNext, "the next place of it", None),
    key(&["N"], DETAIL, Command::FindPrevious, "the place before it", None),
    key(&["r"], BOTH, Command::Resend, "resend to the endpoint's app", Some("resend")).begins("Sending"),
    key(&["R"], BOTH, Command::ResendTo, "resend to a URL", None),
    key(&["s"], BOTH, Command::Resign, "resend, signed anew with a fresh timestamp", None),
    key(&["B"], BOTH, Command::ResendMarked, "resend all that is marked; again: stop that", None),
    key(&["U"], BOTH, Command::ResendDead, "send once more what was given up of the capture", None),
    key(&["C"], BOTH, Command::Drop, "forward the capture no more: end what waits or was given up", None),
    key(&["f"], BOTH, Command::Preview, "preview a forward's jq program on the capture, or one you type", None),
    key(&["f"], SHEET, Command::Program, "type another jq program, and preview it", Some("another jq program")),
    key(&["e"], BOTH, Command::Edit, "edit the request in your editor, then resend or save it", Some("edit")),
    key(&["E"], DETAIL, Command::EditValue, "edit the JSON value under the cursor in place", None),
    key(&[":", "ctrl-p"], BOTH, Command::Palette, "every command, found by a few letters", None)
        .begins("With a capture"),
    key(&[".", "a"], BOTH, Command::Menu, "what can be done with the capture", Some("actions")),
    key(&["c"], BOTH, Command::Judge, "check the signature again, by the secrets of now", None),
    key(&["y"], BOTH, Command::Copy, "copy the body, the URL, a header, a curl line …", Some("copy")),
    key(&["W"], BOTH, Command::Export, "export what is marked, or else this capture, to a file", None),
    key(
        &["d"],
        BOTH,
        Command::Diff,
        "compare a retry with its original, or a capture with the one held before",
        Some("diff"),
    ),
    key(&["v"], SHEET, Command::Turn, "a comparison side by side, or not", Some("side by side")),
    key(&["L"], BOTH, Command::Pager, "show the body in your pager", None),
    key(&["|"], BOTH, Command::Pipe, "give the body to a shell command and show what it prints", None),
    key(&["O"], BOTH, Command::Browse, "open the URL under the cursor, in the body, or of the provider's page", None),
    key(&["D"], BOTH, Command::Delete, "delete the capture", None),
    key(&["ctrl-x"], BOTH, Command::DeleteMarked, "delete all that is marked", None),
    key(&["u"], BOTH, Command::Undo, "bring back what was deleted last", None),
    key(&["space"], BOTH, Command::Mark, "mark or unmark; `mark:marked` finds them all", Some("mark"))
        .begins("Marking"),
    key(&["p"], BOTH, Command::Pin, "pin or unpin", None),
    key(&[";"], BOTH, Command::Note, "note something of the capture", None),
    key(&["P"], BOTH, Command::PinnedOnly, "show only what is pinned, or all again", None),
    key(&["o"], BOTH, Command::Order, "order: newest, oldest, largest, slowest first", Some("order"))
        .begins("The list"),
    key(&["t"], BOTH, Command::Clock, "tell times by the clock, or by how long ago", None),
    key(&["X"], BOTH, Command::Group, "put repeats of an event under its first capture, or not", None),
    key(&["x"], LIST, Command::Fold, "show or hide the repeats under a capture", None),
    key(&["z"], BOTH, Command::Zoom, "give the pane all the room, or not", Some("zoom")),
    key(&["]"], BOTH, Command::Widen, "widen the list", None),
    key(&["["], BOTH, Command::Narrow, "narrow the list", None),
    key(&["S"], ALL, Command::Stats, "statistics of the last minute, hour or day", Some("stats"))
        .begins("What goes on"),
    key(&["tab", "l", "right"], STATS, Command::NextWindow, "statistics of a longer time", Some("minute, hour, day")),
    key(&["shift-tab", "h", "left"], STATS, Command::PreviousWindow, "statistics of a shorter time", None),
    key(&["!"], BOTH, Command::News, "what creel said by itself: apps that are down, what was given up, alerts", None),
    key(&["F"], BOTH, Command::Refused, "what was turned away at the door, and why", None),
    key(&["A"], BOTH, Command::Answer, "answer something else from now on: a status, a delay, a fault", None),
    key(&["T"], ALL, Command::Theme, "next theme", None).begins("creel"),
    key(&["M"], ALL, Command::Mouse, "use the mouse, or leave it to the terminal's own selection", None),
    key(&["?"], ALL, Command::Help, "this help", Some("help")),
    key(
        &["ctrl-z"],
        ALL,
        Command::Suspend,
        "leave the terminal to the shell until `fg`, where another creel captures",
        None,
    ),
    key(&["q", "ctrl-c"], ALL, Command::Quit, "quit", Some("quit")),
];

/// The keys as this user has them.
#[derive(Clone, Debug)]
pub(super) struct Keymap {
    rows: Vec<Bound>,
}

/// A row of the table with the chords that do it.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub(super) key: &'static Key,
    /// Its name in the configuration, and in words that speak of it.
    pub(super) name: String,
    pub(super) chords: Vec<String>,
}

impl Default for Keymap {
    fn default() -> Self {
        let bound = |key: &'static Key| Bound {
            key,
            name: key.name(),
            chords: key.chords.iter().map(|&chord| chord.to_owned()).collect(),
        };
        Self { rows: KEYMAP.iter().map(bound).collect() }
    }
}

impl Keymap {
    /// The table with what the configuration says otherwise.
    pub(super) fn with(wishes: &[KeyWish]) -> Result<Self, Failure> {
        let mut keys = Self::default();
        for wish in wishes {
            keys.bind(wish)?;
        }
        for wish in wishes {
            keys.refuse_twice(wish)?;
        }
        if keys.rows.iter().any(|row| row.key.command == Command::Quit && row.chords.is_empty()) {
            return Err(Failure::new("reading the keys", "no key is left that quits"));
        }
        Ok(keys)
    }

    fn bind(&mut self, wish: &KeyWish) -> Result<(), Failure> {
        if let Some(chord) = wish.chords.iter().find(|chord| !is_chord(chord)) {
            let hint = "for example: j, G, ctrl-d, alt-x, enter, esc, tab, shift-tab, space, pageup, left, f1";
            return Err(Failure::new(format!("reading {}", wish.chords_at), format!("`{chord}` is no key")).hint(hint));
        }
        let name = wish.command.to_lowercase();
        let mut rows = self.rows.iter_mut().filter(|row| row.name == name).peekable();
        if rows.peek().is_none() {
            let names = KEYMAP.iter().map(Key::name);
            let near = names.min_by_key(|known| strsim::damerau_levenshtein(known, &name)).unwrap_or_default();
            let why = format!("there is no command `{}`", wish.command);
            return Err(Failure::new(format!("reading {}", wish.at), why).hint(format!("did you mean `{near}`?")));
        }
        rows.for_each(|row| row.chords.clone_from(&wish.chords));
        Ok(())
    }

    /// A chord does one thing in a mode.
    fn refuse_twice(&self, wish: &KeyWish) -> Result<(), Failure> {
        let name = wish.command.to_lowercase();
        let own = self.rows.iter().filter(|row| row.name == name);
        for (row, chord) in own.flat_map(|row| row.chords.iter().map(move |chord| (row, chord))) {
            let shares = |other: &&Bound| {
                !std::ptr::eq(*other, row)
                    && other.chords.contains(chord)
                    && other.key.modes.iter().any(|mode| row.key.modes.contains(mode))
            };
            if let Some(other) = self.rows.iter().find(shares) {
                let why = format!("`{chord}` is bound to `{}` already", other.name);
                let hint = format!("give that one another key: {} = \"…\"", other.name);
                return Err(Failure::new(format!("reading {}", wish.chords_at), why).hint(hint));
            }
        }
        Ok(())
    }

    /// The rows.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Bound> {
        self.rows.iter()
    }

    /// The row of a key that does something, wherever that is.
    pub(super) fn anywhere(&self, chord: &str) -> Option<&Bound> {
        let is_bound = |row: &&Bound| row.chords.iter().any(|own| own == chord);
        self.rows.iter().filter(|row| row.key.modes != PROMPT).find(is_bound)
    }

    /// The first key that this user has for a command.
    pub(super) fn first(&self, command: Command) -> Option<&str> {
        self.rows.iter().find(|row| row.key.command == command)?.chords.first().map(|chord| &chord[..])
    }

    /// The same, as words name it.
    pub(super) fn of(&self, command: Command) -> String {
        self.rows.iter().find(|row| row.key.command == command).map(Bound::shown).unwrap_or_default()
    }

    /// Words in which `{next-tab}` stands for the key of that command. Other braces stay as they are.
    pub(super) fn told<'t>(&self, words: &'t str) -> Cow<'t, str> {
        let mut parts = words.split('{');
        let mut told = Cow::Borrowed(parts.next().unwrap_or_default());
        for part in parts {
            let named = part.split_once('}').and_then(|(name, behind)| {
                let row = self.rows.iter().find(|row| row.name == name)?;
                Some([&row.shown(), behind].concat())
            });
            let told = told.to_mut();
            told.push_str(&named.unwrap_or_else(|| ["{", part].concat()));
        }
        told
    }

    /// What a key press does in a mode.
    pub(super) fn command(&self, mode: Mode, event: &KeyEvent) -> Option<Command> {
        let chord = chord(event)?;
        let row = self.rows.iter().find(|row| row.key.modes.contains(&mode) && row.chords.contains(&chord));
        row.map(|row| row.key.command)
    }
}

impl Bound {
    /// Its key for words; where none is left, its name and that.
    fn shown(&self) -> String {
        self.chords.first().cloned().unwrap_or_else(|| format!("{} (no key)", self.name))
    }
}

impl Key {
    /// The same, with which a part of the help begins.
    const fn begins(self, part: &'static str) -> Self {
        Self { part: Some(part), ..self }
    }

    /// The command's name in the configuration: `next-tab`, `tab-1`.
    pub(super) fn name(&self) -> String {
        let mut name = String::new();
        for c in format!("{:?}", self.command).chars() {
            match c {
                '(' => name.push('-'),
                ')' => {}
                // People count from one.
                c if c.is_ascii_digit() => name.push_str(&(c as u8 - b'0' + 1).to_string()),
                c if c.is_uppercase() && !name.is_empty() => {
                    name.push('-');
                    name.extend(c.to_lowercase());
                }
                c => name.extend(c.to_lowercase()),
            }
        }
        name
    }
}

/// The names of keys that are no characters.
const NAMED: &[&str] = &[
    "space",
    "enter",
    "esc",
    "tab",
    "shift-tab",
    "backspace",
    "delete",
    "insert",
    "up",
    "down",
    "left",
    "right",
    "home",
    "end",
    "pageup",
    "pagedown",
    "f1",
    "f2",
    "f3",
    "f4",
    "f5",
    "f6",
    "f7",
    "f8",
    "f9",
    "f10",
    "f11",
    "f12",
];

/// Whether a text is a chord as [`chord`] writes it.
fn is_chord(text: &str) -> bool {
    let rest = text.strip_prefix("ctrl-").unwrap_or(text);
    let rest = rest.strip_prefix("alt-").unwrap_or(rest);
    NAMED.contains(&rest) || (rest.chars().count() == 1 && !rest.contains([' ', '\t']))
}

/// A key press as the table writes it; none for a release.
pub(super) fn chord(event: &KeyEvent) -> Option<String> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let name = match event.code {
        KeyCode::Char(' ') => "space".to_owned(),
        KeyCode::Char(c) => c.to_string(),
        KeyCode::BackTab => return Some("shift-tab".to_owned()),
        KeyCode::PageDown => "pagedown".to_owned(),
        KeyCode::PageUp => "pageup".to_owned(),
        KeyCode::F(number) => format!("f{number}"),
        code => format!("{code:?}").to_lowercase(),
    };
    let control = if event.modifiers.contains(KeyModifiers::CONTROL) { "ctrl-" } else { "" };
    let alt = if event.modifiers.contains(KeyModifiers::ALT) { "alt-" } else { "" };
    Some(format!("{control}{alt}{name}"))
}

/// The keys as the README lists them: part by part, chords and what they do, a line each.
pub fn help() -> String {
    KEYMAP.iter().fold(String::new(), |text, key| {
        let gap = if text.is_empty() { "" } else { "\n" };
        let part = key.part.map_or(String::new(), |part| format!("{gap}{part}\n"));
        format!("{text}{part}  {:<26} {}\n", key.chords.join(" "), key.help)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_stands_in_a_part_of_the_help_and_no_part_is_long() {
        let parts: Vec<_> = KEYMAP.chunk_by(|_, next| next.part.is_none()).collect();
        assert!(parts.iter().all(|part| part[0].part.is_some()), "{parts:?}");
        assert!(parts.iter().all(|part| part.len() <= 25), "{parts:?}");
    }

    #[test]
    fn no_chord_is_bound_twice_in_a_mode() {
        for mode in [Mode::List, Mode::Detail, Mode::Help, Mode::Stats, Mode::Sheet, Mode::Prompt] {
            let mut chords: Vec<_> =
                KEYMAP.iter().filter(|key| key.modes.contains(&mode)).flat_map(|key| key.chords).collect();
            let count = chords.len();
            chords.sort_unstable();
            chords.dedup();
            assert_eq!(chords.len(), count, "{mode:?}");
        }
    }

    fn wish(command: &str, chords: &[&str]) -> KeyWish {
        let chords = chords.iter().map(|&chord| chord.to_owned()).collect();
        KeyWish {
            command: command.to_owned(),
            at: "creel.toml:2:1".to_owned(),
            chords,
            chords_at: "creel.toml:2:8".to_owned(),
        }
    }

    fn press(c: char) -> KeyEvent {
        KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE)
    }

    #[test]
    fn every_command_has_a_name_of_its_own_and_can_be_bound() {
        for key in KEYMAP {
            let name = key.name();
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{name}");
            let keys = Keymap::with(&[wish(&name, &["ctrl-alt-x"])]).unwrap();
            let event = KeyEvent::new(KeyCode::Char('x'), KeyModifiers::CONTROL | KeyModifiers::ALT);
            assert_eq!(keys.command(key.modes[0], &event), Some(key.command), "{name}");
            assert!(key.chords.iter().all(|chord| is_chord(chord)), "{name}");
        }
        assert_eq!(Key { command: Command::Tab(0), ..key(&[], ALL, Command::Quit, "", None) }.name(), "tab-1");
    }

    #[test]
    fn keys_are_bound_anew_and_a_mistake_is_told_with_its_place() {
        let keys = Keymap::with(&[wish("down", &["ü"]), wish("quit", &["Q"])]).unwrap();
        assert_eq!(keys.command(Mode::List, &press('ü')), Some(Command::Down));
        assert_eq!((keys.command(Mode::List, &press('j')), keys.command(Mode::List, &press('q'))), (None, None));
        let failed = |wishes: &[KeyWish]| Keymap::with(wishes).unwrap_err().to_string();
        let text = failed(&[wish("dwon", &["n"])]);
        assert!(text.contains("creel.toml:2:1") && text.contains("did you mean `down`?"), "{text}");
        let text = failed(&[wish("down", &["k"])]);
        assert!(text.contains("creel.toml:2:8") && text.contains("`k` is bound to `up` already"), "{text}");
        assert!(failed(&[wish("down", &["strg-x"])]).contains("`strg-x` is no key"));
        assert!(failed(&[wish("quit", &[])]).contains("no key is left that quits"));
        assert!(Keymap::with(&[wish("down", &["k"]), wish("up", &["j"])]).is_ok(), "two may change places");
        assert!(Keymap::with(&[wish("theme", &[])]).unwrap().command(Mode::List, &press('T')).is_none());
    }

    #[test]
    fn words_name_a_key_as_it_is_bound() {
        let keys = Keymap::with(&[wish("undo", &["ü", "U"]), wish("next-tab", &[]), wish("resend-dead", &[])]).unwrap();
        assert_eq!(keys.told("{undo} brings it back, {open} opens"), "ü brings it back, enter opens");
        assert_eq!(keys.told("{next-tab} goes on"), "next-tab (no key) goes on");
        for other in ["", "no key", "{", "{port} }{", "{\"a\":{}}", "{undo", "a{}b"] {
            assert_eq!(keys.told(other), other);
        }
        assert_eq!((keys.of(Command::Undo), keys.of(Command::Quit)), ("ü".to_owned(), "q".to_owned()));
    }

    #[test]
    fn a_press_is_written_as_the_table_writes_it() {
        for (code, modifiers, name) in [
            (KeyCode::Char('j'), KeyModifiers::NONE, "j"),
            (KeyCode::Char('G'), KeyModifiers::SHIFT, "G"),
            (KeyCode::Char(' '), KeyModifiers::NONE, "space"),
            (KeyCode::Char('c'), KeyModifiers::CONTROL, "ctrl-c"),
            (KeyCode::BackTab, KeyModifiers::SHIFT, "shift-tab"),
            (KeyCode::PageDown, KeyModifiers::NONE, "pagedown"),
            (KeyCode::Esc, KeyModifiers::NONE, "esc"),
            (KeyCode::Left, KeyModifiers::NONE, "left"),
        ] {
            assert_eq!(chord(&KeyEvent::new(code, modifiers)).as_deref(), Some(name));
        }
        let mut release = KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE);
        release.kind = KeyEventKind::Release;
        assert_eq!(chord(&release), None);
    }
}
