//! What is printed, and how.

use std::{
    cell::Cell,
    io::{self, IsTerminal, Write},
};

use crate::{body, record::Failure};

/// What fails where standard output takes nothing.
pub(super) const WRITING: &str = "writing to standard output";

/// Standard output for one command. A reader that went away is success: the rest is not printed, and
/// [`Printer::closed`] says so. Any other failure to write is one.
pub struct Printer {
    /// Print JSON.
    pub json: bool,
    /// Print no words beside the result.
    pub quiet: bool,
    terminal: bool,
    closed: Cell<bool>,
}

impl Printer {
    /// A printer on standard output.
    pub fn new(json: bool, quiet: bool) -> Self {
        Self { json, quiet, terminal: io::stdout().is_terminal(), closed: Cell::new(false) }
    }

    /// Whether a person reads along.
    pub fn on_a_terminal(&self) -> bool {
        self.terminal
    }

    /// Whether the reader went away.
    pub fn closed(&self) -> bool {
        self.closed.get()
    }

    /// Prints a line of creel's own words and of payload text. What is unsafe for a terminal is made visible, whether
    /// or not this is one: a line is a line.
    pub fn line(&self, text: &str) -> Result<(), Failure> {
        let mut safe = body::escape(text).into_owned();
        safe.push('\n');
        self.write(safe.as_bytes())
    }

    /// Prints a JSON value on one line. JSON escapes C0 itself; the rest of what a terminal might obey is escaped here.
    pub fn value(&self, value: &serde_json::Value) -> Result<(), Failure> {
        let mut text = ascii_where_unsafe(&value.to_string());
        text.push('\n');
        self.write(text.as_bytes())
    }

    /// Prints a payload's bytes as they are where no terminal listens; else escaped, line by line.
    pub fn bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        if !self.terminal {
            return self.write(bytes);
        }
        bytes.split(|&b| b == b'\n').try_for_each(|line| {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            self.write(format!("{}\n", body::escape_bytes(line)).as_bytes())
        })
    }

    fn write(&self, bytes: &[u8]) -> Result<(), Failure> {
        if self.closed.get() {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        match out.write_all(bytes).and_then(|()| out.flush()) {
            Err(why) if why.kind() == io::ErrorKind::BrokenPipe => {
                self.closed.set(true);
                Ok(())
            }
            other => other.map_err(|why| Failure::new(WRITING, why)),
        }
    }
}

/// JSON text in which every character that a terminal might obey is a `\u` escape. Such characters stand only within
/// strings, so the value is the same.
fn ascii_where_unsafe(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if body::is_safe(c) {
            out.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

/// Says on standard error what failed, or what a person should know. A closed standard error has no remedy.
pub fn report(words: &dyn std::fmt::Display) {
    for line in words.to_string().lines() {
        let _ = writeln!(io::stderr(), "{}", body::escape(line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_its_value_and_loses_what_a_terminal_obeys() {
        let value = serde_json::json!({"a": "\u{9b}2J \u{202e}x \u{1b}[m ✓ \u{e0041} \u{7f}\n\t"});
        let text = ascii_where_unsafe(&value.to_string());
        assert!(
            text.contains("\\u009b")
                && text.contains("\\u202e")
                && text.contains("\\udb40\\udc41")
                && text.contains('✓')
        );
        assert!(text.chars().all(body::is_safe));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
