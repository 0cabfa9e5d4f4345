//! What was typed, read; what asks for help or the version is answered, and a mistake is said.

use std::{
    ffi::OsString,
    io::{self, Write},
};

use clap::{CommandFactory, Error, Parser, error::ErrorKind};

use super::{Cli, print};
use crate::{body, record::Failure};

/// The exit code of a mistake, and of what could not be written.
const ERROR: u8 = 2;

/// Reads a command line. Where there is nothing to do but to say something, that is said: it gives the exit code.
pub fn typed(words: impl IntoIterator<Item = OsString>) -> Result<Cli, u8> {
    let words: Vec<_> = words.into_iter().collect();
    Cli::try_parse_from(&words).map_err(|said| {
        if said.use_stderr() {
            // A closed standard error has no remedy.
            let _ = shown(said, &words).print();
            return ERROR;
        }
        match answer(&said) {
            Ok(()) => 0,
            Err(why) => {
                print::report(&format!("creel: {}", Failure::new(print::WRITING, why)));
                ERROR
            }
        }
    })
}

/// Prints what was asked for. A reader that went away is success.
fn answer(said: &Error) -> io::Result<()> {
    match said.print().and_then(|()| io::stdout().flush()) {
        Err(why) if why.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// A mistake that repeats nothing a terminal would obey: that of the same words, with what is unsafe in them made visible. Its own
/// colours stay.
fn shown(said: Error, words: &[OsString]) -> Error {
    let safe: Vec<_> = words.iter().map(|word| body::escape(&word.to_string_lossy()).into_owned()).collect();
    if words.iter().zip(&safe).all(|(word, safe)| *word == **safe) {
        return said;
    }
    // Where only the unsafe character was the mistake, nothing of the words is repeated.
    let of_the_same_kind = Cli::try_parse_from(&safe).err().filter(Error::use_stderr);
    of_the_same_kind.unwrap_or_else(|| {
        Cli::command().error(ErrorKind::InvalidValue, "a word has a character that cannot stand there")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(words: &[&str]) -> String {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        shown(Cli::try_parse_from(&words).unwrap_err(), &words).to_string()
    }

    #[test]
    fn what_a_mistake_repeats_is_made_visible() {
        for words in [
            ["creel", "show", "\u{1b}[2Jx"],
            ["creel", "\u{1b}]0;x\u{7}", "1"],
            ["creel", "ls", "--\u{9b}31m"],
            ["creel", "wait", "--timeout=\u{1b}[31m"],
            ["creel", "respond", "--status=\u{202e}x"],
            ["creel", "completions", "ba\u{1b}sh"],
        ] {
            let said = said(&words);
            assert!(said.lines().all(|line| line.chars().all(body::is_safe)), "{said:?}");
            let bad = words.iter().find(|word| !word.chars().all(body::is_safe)).unwrap();
            let visible = body::escape(bad.trim_start_matches("--").trim_start_matches("timeout=")).into_owned();
            assert!(said.contains(visible.trim_start_matches("status=")), "{words:?}: {said}");
        }
    }

    #[test]
    fn a_plain_mistake_is_told_as_it_is() {
        assert!(said(&["creel", "shwo", "1"]).contains("similar subcommand"));
    }
}
