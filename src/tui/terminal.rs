//! The terminal, taken and given back.
//!
//! Whatever ends the screen — quitting, an error, a signal, a panic — the terminal is as it was before. A panic on another
//! thread does not touch it: it becomes a message, and the screen goes on.

use std::{
    io::{self, Stdout, Write},
    panic,
    sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc::Sender},
    thread,
    time::Duration,
};

use crossterm::{
    cursor,
    event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture},
    execute,
    terminal::{self, EnterAlternateScreen, LeaveAlternateScreen},
};
use ratatui::{Terminal, backend::CrosstermBackend};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use super::msg::Msg;
use crate::record::Failure;

/// The taken terminal. Given back when it is dropped.
pub(super) struct Guard;

impl Guard {
    /// Takes the terminal: raw mode, the other screen, no cursor, pastes as one event.
    pub(super) fn take() -> Result<(Self, Terminal<CrosstermBackend<Frames>>), Failure> {
        let failed = |why: io::Error| Failure::new("taking the terminal", why).hint("`creel serve` needs none");
        terminal::enable_raw_mode().map_err(failed)?;
        let guard = Self;
        execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, cursor::Hide).map_err(failed)?;
        let terminal = Terminal::new(CrosstermBackend::new(Frames::new(io::stdout()))).map_err(failed)?;
        Ok((guard, terminal))
    }
}

/// Hands each frame to the terminal in one piece, and asks it to show it in one: "synchronized output", mode 2026, which
/// terminals that do not know it pass over. No half-drawn screen is seen.
pub(super) struct Frames {
    to: Stdout,
    frame: Vec<u8>,
}

impl Frames {
    const BEGIN: &[u8] = b"\x1b[?2026h";
    const END: &[u8] = b"\x1b[?2026l";

    fn new(to: Stdout) -> Self {
        Self { to, frame: Vec::new() }
    }
}

impl Write for Frames {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.frame.is_empty() {
            self.frame.extend_from_slice(Self::BEGIN);
        }
        self.frame.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.frame.is_empty() {
            return Ok(());
        }
        self.frame.extend_from_slice(Self::END);
        let sent = self.to.write_all(&self.frame).and_then(|()| self.to.flush());
        self.frame.clear();
        // Its window was closed. The loop learns that otherwise, and what is left to write on the way out is for nobody.
        if sent.is_err() && is_gone() { Ok(()) } else { sent }
    }
}

/// What a program that was killed may have left switched on: attributes, a scroll region, application keys, its own mouse, focus
/// and paste reports, the cursor's shape, no wrapping, and the other screen.
const RESET: &[u8] = b"\x1b[m\x1b[r\x1b[?1l\x1b>\x1b[?7h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1006l\x1b[?2004l\x1b[>4m\x1b[0 q\x1b[?1049l";

/// How long is waited until the thread that reads keys has heard that it is to read none.
const HEARD_WITHIN: Duration = Duration::from_secs(1);

/// Whether keys are read.
#[derive(Clone, Copy, PartialEq)]
enum Keys {
    Read,
    /// They are still read, and shall not be.
    Asked,
    Left,
}

static KEYS: (Mutex<Keys>, Condvar) = (Mutex::new(Keys::Read), Condvar::new());

fn keys() -> MutexGuard<'static, Keys> {
    KEYS.0.lock().unwrap_or_else(PoisonError::into_inner)
}

/// For the thread that reads keys, between two of them: waits as long as the terminal is lent.
pub(super) fn pause_where_asked() {
    let mut state = keys();
    if *state != Keys::Asked {
        return;
    }
    *state = Keys::Left;
    KEYS.1.notify_all();
    drop(KEYS.1.wait_while(state, |state| *state == Keys::Left));
}

/// Has the keys left to others. The thread that reads them waits for the terminal, and what wakes it without one is the signal
/// of another size.
fn leave_keys() {
    let mut state = keys();
    *state = Keys::Asked;
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::WINCH);
    drop(KEYS.1.wait_timeout_while(state, HEARD_WITHIN, |state| *state == Keys::Asked));
}

fn take_keys() {
    *keys() = Keys::Read;
    KEYS.1.notify_all();
}

/// Gives the terminal up while a program has it, and takes it back whole, whatever the program did to it. The screen is to be
/// drawn anew from nothing.
pub(super) fn lend<T>(mouse_taken: bool, work: impl FnOnce() -> T) -> Result<T, Failure> {
    leave_keys();
    let done = lend_whole(mouse_taken, RESET, work);
    take_keys();
    done
}

/// Stops, and all of the same job, as Ctrl-Z does elsewhere, until the shell wants it to go on. Where no shell waits for that the
/// kernel passes over it.
pub(super) fn stop(mouse_taken: bool) -> Result<(), Failure> {
    let stop = || {
        let _ = rustix::process::kill_current_process_group(rustix::process::Signal::TSTP);
    };
    leave_keys();
    // The shell left nothing switched on, and its cursor stays where it is: creel's end comes below what was typed there.
    let done = lend_whole(mouse_taken, b"", stop);
    take_keys();
    done
}

fn lend_whole<T>(mouse_taken: bool, reset: &[u8], work: impl FnOnce() -> T) -> Result<T, Failure> {
    drop(Guard);
    let before = tcgetattr(io::stdin()).ok();
    let done = work();
    if let Some(before) = before {
        // A program that was killed leaves its own mode behind; what is raw mode's opposite must be the user's.
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &before);
    }
    let failed = |why: io::Error| Failure::new("taking the terminal back", why);
    terminal::enable_raw_mode().map_err(failed)?;
    io::stdout().write_all(reset).map_err(failed)?;
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, cursor::Hide).map_err(failed)?;
    mouse(mouse_taken);
    Ok(done)
}

/// Takes the mouse, or leaves it to the terminal. What cannot be written now cannot be helped.
pub(super) fn mouse(taken: bool) {
    let _ =
        if taken { execute!(io::stdout(), EnableMouseCapture) } else { execute!(io::stdout(), DisableMouseCapture) };
}

impl Drop for Guard {
    fn drop(&mut self) {
        // What cannot be written now cannot be helped.
        let _ = execute!(io::stdout(), DisableMouseCapture, DisableBracketedPaste, LeaveAlternateScreen, cursor::Show);
        let _ = terminal::disable_raw_mode();
        let _ = io::stdout().flush();
    }
}

/// Gives the terminal back for good, from another thread than the one that draws: nothing is drawn from now on.
pub(super) fn leave() {
    let nobody_draws = io::stdout().lock();
    drop(Guard);
    std::mem::forget(nobody_draws);
}

/// Whether there is no terminal any more: its window was closed.
pub(super) fn is_gone() -> bool {
    terminal::window_size().is_err()
}

/// Says something where the screen was. Nobody hears it where the terminal is gone, and that is no reason to fail.
pub(super) fn tell(words: &str) {
    let _ = writeln!(io::stderr(), "creel: {words}");
}

/// What panicked, to be told once the terminal is given back.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// From now on a panic is kept in a few words, to be told once the terminal is given back; one of another thread is a
/// message too.
pub(super) fn tell_panics(to: Sender<Msg>) {
    let screen = thread::current().id();
    let to = Mutex::new(to);
    panic::set_hook(Box::new(move |info| {
        let words = words(info);
        PANICS.lock().unwrap_or_else(PoisonError::into_inner).push(words.clone());
        // The screen's own ends the loop: the terminal is given back on the way out, and the words are told then.
        if thread::current().id() == screen {
            return;
        }
        let _ = to.lock().unwrap_or_else(PoisonError::into_inner).send(Msg::Panicked(words));
    }));
}

/// What panicked since the last time this was asked.
pub(super) fn panics() -> Vec<String> {
    std::mem::take(&mut *PANICS.lock().unwrap_or_else(PoisonError::into_inner))
}

/// A panic in a line: where, and what it said.
fn words(info: &panic::PanicHookInfo<'_>) -> String {
    let payload = info.payload();
    let said = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(|s| &s[..]));
    let place = info.location().map_or(String::new(), |at| format!(" ({}:{})", at.file(), at.line()));
    format!("{}{place}", said.unwrap_or("no words").lines().next().unwrap_or_default())
}
