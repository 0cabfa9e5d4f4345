//! How far something is, on a terminal's line: drawn now and then, and wiped before anything else is said.

use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

use super::Printer;
use crate::body;

/// How often it is drawn anew.
const DRAWN_EVERY: Duration = Duration::from_millis(200);

/// The line.
pub(super) struct Progress {
    is_shown: bool,
    began: Instant,
    drawn: Option<Instant>,
}

impl Progress {
    /// On standard error, where that is a terminal and words are wished for.
    pub(super) fn new(printer: &Printer) -> Self {
        Self::shown(!printer.quiet && io::stderr().is_terminal())
    }

    /// For something that prints its result meanwhile: only where that goes elsewhere.
    pub(super) fn beside(printer: &Printer) -> Self {
        let progress = Self::new(printer);
        Self { is_shown: progress.is_shown && !printer.on_a_terminal(), ..progress }
    }

    fn shown(is_shown: bool) -> Self {
        Self { is_shown, began: Instant::now(), drawn: None }
    }

    /// Draws it, where that is due: `words` says how far it is, after so much time.
    pub(super) fn draw(&mut self, words: impl FnOnce(Duration) -> String) {
        if !self.is_shown || self.drawn.is_some_and(|drawn| drawn.elapsed() < DRAWN_EVERY) {
            return;
        }
        self.drawn = Some(Instant::now());
        // A closed standard error has no remedy.
        let _ = write!(io::stderr(), "\r\x1b[K{} ", words(self.began.elapsed()));
    }

    /// Wipes it.
    pub(super) fn wipe(&mut self) {
        if self.drawn.take().is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.wipe();
    }
}

/// How many of how many, with how many bytes, how many a second and for how long still.
pub(super) fn of(done: usize, total: usize, bytes: Option<u64>, took: Duration) -> String {
    let (done, total) = (done as u64, total as u64);
    let rate = rate(done, took);
    let bytes = bytes.map_or(String::new(), |bytes| format!("{}, ", body::size(bytes)));
    format!("{done} of {total}, {bytes}{rate:.0} a second, {}", left(done, total, rate))
}

/// How many entries, how many bytes of how many, how many bytes a second and for how long still.
pub(super) fn of_bytes(entries: u64, done: u64, total: Option<u64>, took: Duration) -> String {
    let (rate, size) = (rate(done, took), body::size(done));
    let speed = format!("{} a second", body::size(rate as u64));
    match total {
        Some(total) => format!("{entries} read, {size} of {}, {speed}, {}", body::size(total), left(done, total, rate)),
        None => format!("{entries} read, {size}, {speed}"),
    }
}

fn rate(done: u64, took: Duration) -> f64 {
    done as f64 / took.as_secs_f64().max(0.001)
}

fn left(done: u64, total: u64, rate: f64) -> String {
    format!("{:.0} s left", total.saturating_sub(done) as f64 / rate.max(0.001))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_it_is_and_how_long_still() {
        let took = Duration::from_secs(2);
        assert_eq!(of(50, 200, None, took), "50 of 200, 25 a second, 6 s left");
        assert_eq!(of(50, 200, Some(3 << 20), took), "50 of 200, 3.0M, 25 a second, 6 s left");
        assert_eq!(of_bytes(9, 4 << 20, Some(8 << 20), took), "9 read, 4.0M of 8.0M, 2.0M a second, 2 s left");
        assert_eq!(of_bytes(9, 4 << 20, None, took), "9 read, 4.0M, 2.0M a second");
    }
}
