//! Every key, by a script over the real loop: what the screen shows then is compared with a file of `golden/`.
//!
//! `CREEL_GOLDEN=1 cargo test golden` writes them anew: read what changed before it is kept. In the margin `>` stands
//! beside a row in which something stands out by its background.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use ratatui::{
    buffer::Buffer,
    style::{Color, Modifier},
};
use tempfile::TempDir;

use super::script::{Ending, options, play, press};
use crate::{
    engine::{Engine, KeyWish, Settings, Wishes},
    tui::{
        keys::{Command, KEYMAP, Key, Keymap, Mode},
        pictures::basket,
        stage::{Live, Place, Stage},
    },
};

const SIZE: (u16, u16) = (116, 24);

/// What leads to where each key shows what it does, by the key's name.
const KEYS: &[(&str, &str)] = &[
    ("down", ""),
    ("up", "j j"),
    ("page-down", ""),
    ("page-up", "G"),
    ("top", "j j j"),
    ("bottom", ""),
    ("open", "j"),
    ("back", "/ 'sig:failed enter"),
    ("next-tab", ""),
    ("previous-tab", "3"),
    ("tab-1", "2"),
    ("tab-2", ""),
    ("tab-3", ""),
    ("tab-4", "j j j"),
    ("tab-5", ""),
    ("tab-6", "j"),
    ("scroll-down", "j 6 esc"),
    ("scroll-up", "j 6 J J esc"),
    ("scroll-right", "j 2 V V V V V V V V V V V V V V V"),
    ("scroll-left", "j 2 V V V V V V V V V V V V V V V right right"),
    ("next-delivery", "j 5"),
    ("previous-delivery", "j 5"),
    ("next-view", "j 2"),
    ("other-view", "j 2"),
    ("toggle", "j 2 j"),
    ("fold-more", "j 2"),
    ("fold-less", "j 2 - - -"),
    ("unfold", "j 2 - - -"),
    ("spell", "j 2 j j"),
    ("save", "2 j"),
    ("unmask", "3"),
    ("filter", ""),
    ("take", "/ 'prov"),
    ("choose-next", "/ 's"),
    ("choose-previous", "/ 's down down"),
    ("older-filter", "/ 'stripe enter esc /"),
    ("newer-filter", "/ 'stripe enter / ctrl-p"),
    ("save-filter", "/ 'sig:failed"),
    ("reveal", "j W 'har enter"),
    ("whole", "j f"),
    ("find", "j 2"),
    ("find-next", "j 2 / 'id enter"),
    ("find-previous", "j 2 / 'id enter"),
    ("resend", ""),
    ("resend-to", "j"),
    ("resign", "j"),
    ("resend-marked", ""),
    ("resend-dead", "j"),
    ("drop", "j"),
    ("preview", "j"),
    ("program", "/ 'dup:yes enter j d"),
    ("edit", "j"),
    ("edit-value", "j 2 j j"),
    ("palette", ""),
    ("menu", "j"),
    ("judge", "j"),
    ("copy", "j"),
    ("export", "j"),
    ("diff", "/ 'dup:yes enter j"),
    ("turn", "/ 'dup:yes enter j d"),
    ("pager", "j"),
    ("pipe", "j"),
    ("browse", "j"),
    ("delete", "j"),
    ("delete-marked", "j space space"),
    ("undo", "j D 'y enter"),
    ("mark", "j"),
    ("pin", "j"),
    ("note", "j"),
    ("pinned-only", "j p"),
    ("order", ""),
    ("clock", ""),
    ("group", "/ 'orders enter G"),
    ("fold", "X / 'orders enter G"),
    ("zoom", "j enter"),
    ("widen", ""),
    ("narrow", ""),
    ("stats", ""),
    ("next-window", "S"),
    ("previous-window", "S tab tab"),
    ("news", ""),
    ("refused", ""),
    ("answer", "j"),
    ("theme", ""),
    ("mouse", ""),
    ("help", ""),
    ("suspend", ""),
    ("quit", ""),
];

/// What a newcomer and a narrow terminal see: the file, the size, the store, the keys.
const SCENES: &[(&str, (u16, u16), Kind, &str)] = &[
    ("empty", (80, 24), Kind::Empty, ""),
    ("empty-small", (40, 10), Kind::Empty, ""),
    ("empty-esc", (80, 24), Kind::Empty, "esc esc esc"),
    ("empty-watching", (80, 24), Kind::Watched, ""),
    ("narrow-list", (80, 24), Kind::Full, ""),
    ("narrow-detail", (80, 24), Kind::Full, "j enter 4"),
    ("narrow-tree", (80, 24), Kind::Full, "j 2 j j"),
    ("narrow-filter", (80, 24), Kind::Full, "/ 'stripe"),
    ("narrow-filter-wrong", (80, 24), Kind::Full, "/ 'sig:stolen"),
    ("narrow-nothing", (80, 24), Kind::Full, "/ 'salmon enter"),
    ("small-list", (40, 10), Kind::Full, "j"),
    ("small-detail", (40, 10), Kind::Full, "j enter"),
];

/// What is in the store.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Full,
    Empty,
    /// Nothing, and nobody catches.
    Watched,
}

/// The stores that scripts begin with: each plays on a copy of its own.
struct Stores(TempDir);

impl Stores {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["full", "empty"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let full = folder.path().join("full/creel.db");
        basket::fill(&full);
        basket::add_parts(&full);
        basket::open(&folder.path().join("empty/creel.db")).close().unwrap();
        Self(folder)
    }

    /// Plays a script on a screen of that size.
    fn play(&self, kind: Kind, size: (u16, u16), keys: &str) -> Ending {
        self.play_with(&Keymap::default(), kind, size, keys)
    }

    /// The same, with keys of somebody's own.
    fn play_with(&self, keymap: &Keymap, kind: Kind, size: (u16, u16), keys: &str) -> Ending {
        let folder = tempfile::tempdir().unwrap();
        let name = if kind == Kind::Full { "full" } else { "empty" };
        for file in fs::read_dir(self.0.path().join(name)).unwrap().map(Result::unwrap) {
            fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
        }
        let (db, config) = (folder.path().join("creel.db"), folder.path().join("creel.toml"));
        fs::write(&config, "").unwrap();
        let wishes = Wishes { db: Some(db), config: Some(config), ..Wishes::default() };
        let engine = Arc::new(Engine::visit(Settings::resolve(&wishes).unwrap()));
        let stage: Arc<dyn Stage> = Arc::new(Live::new(engine).unwrap());
        let mut options = options(basket::after);
        options.configured.keys = Ok(keymap.clone());
        if kind == Kind::Watched {
            options.place = Place::Watching { store: "~/creel.db".to_owned(), address: None };
        }
        play(&stage, options, size, keys)
    }
}

/// The screen as text, a margin before each row.
fn text(screen: &Buffer) -> String {
    let (columns, rows) = (screen.area.width, screen.area.height);
    let row = |y: u16| {
        let cells = || (0..columns).map(|x| &screen[(x, y)]);
        let stands_out = cells().any(|cell| cell.bg != Color::Reset || cell.modifier.contains(Modifier::REVERSED));
        // What is behind a wide character is no character of its own.
        let mut skip = 0;
        let symbols = cells().filter(|cell| {
            let seen = skip == 0;
            skip = if seen { crate::body::width(cell.symbol()).saturating_sub(1) } else { skip - 1 };
            seen
        });
        let line: String = symbols.map(ratatui::buffer::Cell::symbol).collect();
        format!("{}{}", if stands_out { '>' } else { '|' }, line.trim_end())
    };
    (0..rows).map(row).map(|row| row + "\n").collect()
}

/// Compares a screen with its file, or writes it anew. Gives what is wrong.
fn compare(name: &str, screen: &Buffer) -> Option<String> {
    let file = golden().join(format!("{name}.txt"));
    let shown = text(screen);
    if std::env::var_os("CREEL_GOLDEN").is_some() {
        fs::write(&file, &shown).unwrap();
        return None;
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    (shown != expected).then(|| format!("{name} shows\n{shown}\nand not\n{expected}"))
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tui/tests/golden")
}

#[test]
fn every_key_leads_to_its_golden_screen() {
    let named: Vec<_> = KEYMAP.iter().map(Key::name).collect();
    let scripted: Vec<_> = KEYS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(named, scripted, "a key needs a script here");
    let stores = Stores::new();
    let mut wrong = Vec::new();
    for (key, (name, before)) in KEYMAP.iter().zip(KEYS) {
        let ending = stores.play(Kind::Full, SIZE, &format!("{before} {}", key.chords[0]));
        assert_eq!(ending.left, key.command == Command::Quit, "{name}");
        wrong.extend(compare(name, &ending.screen));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_chord_of_a_key_does_what_its_first_does() {
    let keys = Keymap::default();
    for key in KEYMAP {
        for (mode, chord) in key.modes.iter().flat_map(|mode| key.chords.iter().map(move |chord| (mode, chord))) {
            assert_eq!(keys.command(*mode, &press(chord)[0]), Some(key.command), "{chord} in {mode:?}");
        }
    }
}

#[test]
fn newcomers_and_narrow_terminals_have_their_golden_screens() {
    let stores = Stores::new();
    let wrong: Vec<_> = SCENES
        .iter()
        .filter_map(|&(name, size, kind, keys)| {
            let ending = stores.play(kind, size, keys);
            assert!(!ending.left, "{name}");
            compare(name, &ending.screen)
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_golden_screen_is_left_behind() {
    for file in fs::read_dir(golden()).unwrap().map(Result::unwrap) {
        let name = file.file_name().to_string_lossy().trim_end_matches(".txt").to_owned();
        let known = KEYS.iter().any(|row| row.0 == name) || SCENES.iter().any(|row| row.0 == name);
        assert!(known, "nothing shows {name}");
    }
}

/// Where keys are pressed, one by one: what leads there, and the size.
const PLACES: &[(&str, (u16, u16), Mode)] = &[
    ("j", SIZE, Mode::List),
    ("j", (80, 24), Mode::List),
    ("j enter", SIZE, Mode::Detail),
    ("j 2", SIZE, Mode::Detail),
    ("2", SIZE, Mode::Detail),
    ("j 2 v v", SIZE, Mode::Detail),
    ("j 3", SIZE, Mode::Detail),
    ("j 5", SIZE, Mode::Detail),
    ("5", SIZE, Mode::Detail),
    ("j 6", SIZE, Mode::Detail),
    ("S", SIZE, Mode::Stats),
    ("F", SIZE, Mode::Sheet),
    ("?", SIZE, Mode::Help),
];

/// What leads to words that speak of keys and that no key of its own leads to.
const NOTICES: &[&str] = &[
    "j d",
    "D 'y enter",
    "esc",
    "/ 'nothing-has-this enter",
    "/ 'nothing-has-this enter esc j",
    "j enter n",
    "j 3",
    "j 3 -",
    "j 2 *",
    "j 2 - - - - -",
    "j 2 V -",
    "j 4 E",
    "3 m 1 m",
    "j y 'raw enter",
    "j x",
    "o o o o",
    "j 5 C",
    "S tab",
    "space B",
    "space space ctrl-x",
    "space space ctrl-x 'y enter",
    "space space ctrl-x 'y enter u",
    "ctrl-x",
    ": 'mark space 'all enter",
    "/ 'stripe enter : 'mark space 'all enter",
    "? / 'nothing-has-this enter",
    "j E",
    "j 6 E",
    "j : 'replies enter",
    "j 4",
    "/ 'sig:failed enter c",
];

/// What somebody who is there already may press without a word: where to is seen.
fn only_moves(command: Command) -> bool {
    use Command::{Bottom, Down, PageDown, PageUp, ScrollDown, ScrollUp, Tab, Top, Up};
    matches!(command, Down | Up | PageDown | PageUp | Top | Bottom | ScrollDown | ScrollUp | Tab(_))
}

#[test]
fn a_key_that_has_nothing_to_do_says_why() {
    let stores = Stores::new();
    let mut silent = Vec::new();
    for &(before, size, mode) in PLACES {
        let shown = text(&stores.play(Kind::Full, size, before).screen);
        for key in KEYMAP.iter().filter(|key| key.modes.contains(&mode) && !only_moves(key.command)) {
            let ending = stores.play(Kind::Full, size, &format!("{before} {}", key.chords[0]));
            if !ending.left && text(&ending.screen) == shown {
                silent.push(format!("{:?} after {before:?} at {size:?}", key.command));
            }
        }
    }
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}

/// Keys that each have another one first, and what creel has for them behind it: that one is named nowhere, and scripts go
/// on with it.
fn renamed() -> Keymap {
    let wish = |(at, key): (usize, &Key)| {
        // Nothing else on the screen is Cyrillic.
        let own = char::from_u32(0x410 + at as u32).unwrap().to_string();
        let chords = [own].into_iter().chain(key.chords.iter().map(|&chord| chord.to_owned())).collect();
        KeyWish { command: key.name(), at: String::new(), chords, chords_at: String::new() }
    };
    Keymap::with(&KEYMAP.iter().enumerate().map(wish).collect::<Vec<_>>()).unwrap()
}

/// What is fixed, however keys are bound: the palette's own keys, and what is typed as an answer.
const FIXED: &[&str] = &["enter does it", "esc leaves", "esc keeps", "y deletes", "y writes"];

/// The rows of a screen that say what a key does, or to press it, where that is a key as creel has it.
fn own_keys(screen: &str) -> Vec<String> {
    // "given up, alerts" and "a shell command" speak of no keys.
    let is_other = |word: &str| matches!(word, "a" | "up" | "down" | "home" | "end" | "left" | "right");
    let is_key = |word: &str| !is_other(word) && KEYMAP.iter().any(|key| key.chords.contains(&word));
    let is_number = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
    let says = |words: &[&str]| match *words {
        ["press" | "with", key] => is_key(key),
        [key, does] if is_number(key) => is_key(key) && matches!(does, "shows" | "says"),
        [key, does] => is_key(key) && does.len() > 2 && does.ends_with('s'),
        _ => false,
    };
    let row = |row: &str| {
        let bare =
            FIXED.iter().fold(row.replace(['│', '|', '>', '(', ')', ','], " "), |row, fixed| row.replace(fixed, ""));
        let words: Vec<_> = bare.split_whitespace().map(|word| word.trim_end_matches([';', ':'])).collect();
        words.windows(2).any(says).then(|| row.to_owned())
    };
    screen.lines().filter_map(row).collect()
}

#[test]
fn no_word_on_the_screen_names_a_key_otherwise_than_it_is_bound() {
    let (stores, keymap) = (Stores::new(), renamed());
    let scripts = KEYMAP.iter().zip(KEYS).filter(|(key, _)| key.command != Command::Help);
    let scripts = scripts.map(|(key, (_, before))| (Kind::Full, SIZE, format!("{before} {}", key.chords[0])));
    let scenes = SCENES.iter().map(|&(_, size, kind, keys)| (kind, size, keys.to_owned()));
    let words = NOTICES.iter().map(|keys| (Kind::Full, SIZE, (*keys).to_owned()));
    let mut named = Vec::new();
    for (kind, size, keys) in scripts.chain(scenes).chain(words) {
        let screen = text(&stores.play_with(&keymap, kind, size, &keys).screen);
        named.extend(own_keys(&screen).into_iter().map(|row| format!("{keys}: {row}")));
    }
    assert!(named.is_empty(), "{}", named.join("\n"));
    let told = own_keys("> #3 is deleted\n| u brings it back\n| b brings it back\n| press d there\n| 1 s before");
    assert_eq!(told, ["| u brings it back", "| press d there"], "a key that is named is found");
}

#[test]
fn no_key_is_dead_before_the_first_capture_and_only_quit_leaves() {
    let stores = Stores::new();
    let before = text(&stores.play(Kind::Empty, (80, 24), "").screen);
    for key in KEYMAP.iter().filter(|key| key.modes.contains(&Mode::List)) {
        let ending = stores.play(Kind::Empty, (80, 24), key.chords[0]);
        assert_eq!(ending.left, key.command == Command::Quit, "{:?}", key.command);
        assert!(ending.left || text(&ending.screen) != before, "{:?} does nothing", key.command);
    }
}
