//! The real loop, played by a script on a terminal in memory: a key is pressed when all that the last one brought about
//! is drawn, and the clock stands still.

use std::{
    cell::{Cell, RefCell},
    sync::{
        Arc,
        mpsc::{Receiver, TryRecvError, channel},
    },
    thread,
    time::Duration,
};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::{Terminal, backend::TestBackend, buffer::Buffer};

use crate::{
    engine::{endpoint::Endpoints, target::Targets},
    record::{Failure, Timestamp, Zone},
    tui::{
        configured::Configured,
        keys::Keymap,
        list::Had,
        look::Look,
        msg::Msg,
        run::{Inbox, Options, run},
        stage::{Place, Stage},
        state::State,
        workers::{Answers, Hands},
    },
};

/// How a script ended.
pub(in crate::tui) struct Ending {
    /// What was on the screen last.
    pub(in crate::tui) screen: Buffer,
    /// Whether a key of the script left the screen.
    pub(in crate::tui) left: bool,
}

/// The options of a screen that listens, with nothing remembered.
pub(in crate::tui) fn options(clock: fn() -> Timestamp) -> Options {
    Options {
        place: Place::Listening("http://127.0.0.1:27335".to_owned()),
        configured: configured(),
        notices: Vec::new(),
        zone: Zone::utc(),
        look: Look::plain(true, true),
        state: State::default(),
        typed: Vec::new(),
        hands: Hands {
            clipboard: |_| Ok(()),
            mouse: drop,
            lend: |_, _, _| Err(Failure::new("lending the terminal", "there is none")),
            is_gone: || false,
        },
        clock,
    }
}

/// A configuration that says nothing.
pub(in crate::tui) fn configured() -> Configured {
    Configured {
        endpoints: Endpoints::new(Vec::new()),
        targets: Targets::default(),
        had: Had::default(),
        filters: crate::engine::filters::Filters::default(),
        keys: Ok(Keymap::default()),
        theme: None,
    }
}

/// Plays keys in the words of [`press`].
pub(in crate::tui) fn play(stage: &Arc<dyn Stage>, options: Options, size: (u16, u16), keys: &str) -> Ending {
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
    let (messages, heard) = channel();
    let answers = Answers::new(messages);
    let script = Script {
        keys: RefCell::new(press(keys)),
        heard,
        answers: answers.clone(),
        calm: Cell::default(),
        stopped: Cell::default(),
    };
    run(&mut terminal, stage, options, &answers, &script).unwrap();
    Ending { screen: terminal.backend().buffer().clone(), left: !script.stopped.get() }
}

/// Key presses in the words of the keymap, a blank between them; what stands in quotes is typed.
pub(super) fn press(keys: &str) -> Vec<KeyEvent> {
    let words = keys.split(' ').filter(|word| !word.is_empty());
    let mut presses: Vec<_> = words
        .flat_map(|word| match word.strip_prefix('\'') {
            Some(text) => text
                .trim_end_matches('\'')
                .chars()
                .map(|c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE))
                .collect(),
            None => vec![chord(word)],
        })
        .collect();
    presses.reverse();
    presses
}

/// A press of a chord that the keymap has.
fn chord(name: &str) -> KeyEvent {
    let (name, modifiers) = match name.strip_prefix("ctrl-") {
        Some(rest) => (rest, KeyModifiers::CONTROL),
        None => (name, KeyModifiers::NONE),
    };
    let code = match name {
        "down" => KeyCode::Down,
        "up" => KeyCode::Up,
        "left" => KeyCode::Left,
        "right" => KeyCode::Right,
        "home" => KeyCode::Home,
        "end" => KeyCode::End,
        "pagedown" => KeyCode::PageDown,
        "pageup" => KeyCode::PageUp,
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "tab" => KeyCode::Tab,
        "shift-tab" => KeyCode::BackTab,
        "backspace" => KeyCode::Backspace,
        "space" => KeyCode::Char(' '),
        name => KeyCode::Char(
            name.chars().next().filter(|c| name.len() == c.len_utf8()).unwrap_or_else(|| panic!("{name} is no key")),
        ),
    };
    KeyEvent::new(code, modifiers)
}

/// The inbox that presses the keys, and stops after the last.
struct Script {
    /// The next key last.
    keys: RefCell<Vec<KeyEvent>>,
    heard: Receiver<Msg>,
    answers: Answers,
    /// Whether nothing was to be told the last time: then that is drawn by now.
    calm: Cell<bool>,
    stopped: Cell<bool>,
}

impl Inbox for Script {
    /// Never waits for the clock: a script has all the time there is.
    fn next(&self, _: Option<Duration>) -> Option<Msg> {
        if let Some(msg) = self.told() {
            self.calm.set(false);
            return Some(msg);
        }
        // Once more round the loop: a frame may wish for something.
        if !self.calm.replace(true) {
            return None;
        }
        self.calm.set(false);
        let key = self.keys.borrow_mut().pop();
        self.stopped.set(key.is_none());
        Some(key.map_or(Msg::Stop, Msg::Key))
    }
}

impl Script {
    /// What is told next; none where nothing is on its way.
    fn told(&self) -> Option<Msg> {
        loop {
            let last = self.answers.are_told();
            match self.heard.try_recv() {
                Ok(msg) => return Some(msg),
                Err(TryRecvError::Disconnected) => return None,
                Err(TryRecvError::Empty) if last => return None,
                Err(TryRecvError::Empty) => thread::yield_now(),
            }
        }
    }
}
