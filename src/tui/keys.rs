//! The keys: one table, read by the loop, the help, the footer and the README.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// Where the user is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// In the list.
    List,
    /// In the detail of a capture.
    Detail,
    /// In the help.
    Help,
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
    Filter,
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
    Help,
    Quit,
}

/// A row of the table.
pub(super) struct Key {
    /// The chords, the one to show first.
    pub(super) chords: &'static [&'static str],
    pub(super) modes: &'static [Mode],
    pub(super) command: Command,
    /// What it does, for the help.
    pub(super) help: &'static str,
    /// What it does, for the footer; none where it is not for there.
    pub(super) footer: Option<&'static str>,
}

const BOTH: &[Mode] = &[Mode::List, Mode::Detail];
const LIST: &[Mode] = &[Mode::List];
const DETAIL: &[Mode] = &[Mode::Detail];
const ALL: &[Mode] = &[Mode::List, Mode::Detail, Mode::Help];

const fn key(
    chords: &'static [&'static str],
    modes: &'static [Mode],
    command: Command,
    help: &'static str,
    footer: Option<&'static str>,
) -> Key {
    Key { chords, modes, command, help, footer }
}

/// Every key.
pub(super) const KEYMAP: &[Key] = &[
    key(&["j", "down"], ALL, Command::Down, "next capture, or next line", None),
    key(&["k", "up"], ALL, Command::Up, "previous capture, or previous line", None),
    key(&["pagedown", "ctrl-d", "ctrl-f"], ALL, Command::PageDown, "a page down", None),
    key(&["pageup", "ctrl-u", "ctrl-b"], ALL, Command::PageUp, "a page up", None),
    key(&["g", "home"], ALL, Command::Top, "the newest capture, and follow; or the first line", None),
    key(&["G", "end"], ALL, Command::Bottom, "the oldest capture, or the last line", None),
    key(&["enter"], LIST, Command::Open, "open the capture", Some("open")),
    key(&["esc"], ALL, Command::Back, "back; in the list, take the filter away", None),
    key(&["tab", "l", "right"], BOTH, Command::NextTab, "next tab of the detail", None),
    key(&["shift-tab", "h", "left"], BOTH, Command::PreviousTab, "previous tab", None),
    key(&["1"], BOTH, Command::Tab(0), "Overview", None),
    key(&["2"], BOTH, Command::Tab(1), "Body", None),
    key(&["3"], BOTH, Command::Tab(2), "Headers", None),
    key(&["4"], BOTH, Command::Tab(3), "Signature", None),
    key(&["5"], BOTH, Command::Tab(4), "Deliveries", None),
    key(&["6"], BOTH, Command::Tab(5), "Raw: the request as it came", None),
    key(&["J"], BOTH, Command::ScrollDown, "scroll the detail down", None),
    key(&["K"], BOTH, Command::ScrollUp, "scroll the detail up", None),
    key(&["v"], BOTH, Command::NextView, "show the body in the next view that fits it", Some("view")),
    key(&["V"], BOTH, Command::OtherView, "show the body in the next of all views", None),
    key(
        &["enter", "x"],
        DETAIL,
        Command::Toggle,
        "fold or unfold what the cursor is on: JSON, or a delivery",
        Some("fold"),
    ),
    key(&["-"], DETAIL, Command::FoldMore, "fold the body to one level less", None),
    key(&["+", "="], DETAIL, Command::FoldLess, "fold the body to one level more", None),
    key(&["*"], DETAIL, Command::Unfold, "unfold all", None),
    key(&["i"], DETAIL, Command::Spell, "write the path as jq does, as a JSON pointer, or with dots", None),
    key(&["w"], DETAIL, Command::Save, "save the part of the body under the cursor to a file", None),
    key(&["m"], DETAIL, Command::Unmask, "show or mask secrets in the headers", None),
    key(&["/"], LIST, Command::Filter, "filter the list", Some("filter")),
    key(&["/"], DETAIL, Command::Find, "find a text in the open tab; a capital makes case matter", Some("find")),
    key(&["n"], DETAIL, Command::FindNext, "the next place of it", None),
    key(&["N"], DETAIL, Command::FindPrevious, "the place before it", None),
    key(&["}"], BOTH, Command::NextDelivery, "the next delivery of the capture", None),
    key(&["{"], BOTH, Command::PreviousDelivery, "the delivery before it", None),
    key(&["r"], BOTH, Command::Resend, "resend to the endpoint's app", Some("resend")),
    key(&["R"], BOTH, Command::ResendTo, "resend to a URL", None),
    key(&["s"], BOTH, Command::Resign, "resend, signed anew with a fresh timestamp", None),
    key(&["a"], BOTH, Command::ResendMarked, "resend all that is marked; again: stop that", None),
    key(&["D"], BOTH, Command::ResendDead, "send once more what was given up of the capture", None),
    key(&["space"], BOTH, Command::Mark, "mark or unmark; `mark:marked` finds them all", Some("mark")),
    key(&["p"], BOTH, Command::Pin, "pin or unpin", None),
    key(&["P"], BOTH, Command::PinnedOnly, "show only what is pinned, or all again", None),
    key(&[";"], BOTH, Command::Note, "note something of the capture", None),
    key(&["o"], BOTH, Command::Order, "order: newest, oldest, largest, slowest first", Some("order")),
    key(&["t"], BOTH, Command::Clock, "tell times by the clock, or by how long ago", None),
    key(&["X"], BOTH, Command::Group, "put repeats of an event under its first capture, or not", None),
    key(&["x"], LIST, Command::Fold, "show or hide the repeats under a capture", None),
    key(&["z"], BOTH, Command::Zoom, "give the pane all the room, or not", Some("zoom")),
    key(&["]"], BOTH, Command::Widen, "widen the list", None),
    key(&["["], BOTH, Command::Narrow, "narrow the list", None),
    key(&["T"], ALL, Command::Theme, "next theme", None),
    key(&["?"], ALL, Command::Help, "this help", Some("help")),
    key(&["q", "ctrl-c"], ALL, Command::Quit, "quit", Some("quit")),
];

/// What a chord does in a mode.
pub(super) fn command(mode: Mode, event: &KeyEvent) -> Option<Command> {
    let chord = chord(event)?;
    KEYMAP.iter().find(|key| key.modes.contains(&mode) && key.chords.contains(&&chord[..])).map(|key| key.command)
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
        code => format!("{code:?}").to_lowercase(),
    };
    let control = if event.modifiers.contains(KeyModifiers::CONTROL) { "ctrl-" } else { "" };
    let alt = if event.modifiers.contains(KeyModifiers::ALT) { "alt-" } else { "" };
    Some(format!("{control}{alt}{name}"))
}

/// The keys as the README lists them: chords and what they do, a line each.
pub fn help() -> String {
    KEYMAP.iter().fold(String::new(), |text, key| format!("{text}{:<26} {}\n", key.chords.join(" "), key.help))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_chord_is_bound_twice_in_a_mode() {
        for mode in [Mode::List, Mode::Detail, Mode::Help] {
            let mut chords: Vec<_> =
                KEYMAP.iter().filter(|key| key.modes.contains(&mode)).flat_map(|key| key.chords).collect();
            let count = chords.len();
            chords.sort_unstable();
            chords.dedup();
            assert_eq!(chords.len(), count, "{mode:?}");
        }
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
