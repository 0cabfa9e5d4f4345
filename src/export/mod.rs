//! **Floor 1 — how a capture leaves.** Writes a capture in forms that other programs take: a shell command, the bytes of
//! an HTTP request, JSON, an archive, a row of a table, code for a test.
//!
//! A format is one file and one row of [`FORMATS`]; [`json`] is besides that the contract of every `--json` output, and
//! [`SCHEMA`] its description.
//!
//! What this room must never do: send or write anything anywhere (it returns bytes); alter a byte of the body; put a
//! byte of a payload where a shell could take it for more than text; say more than a capture holds.

pub mod cloudevents;
mod code;
mod csv;
mod curl;
mod har;
mod http;
mod httpie;
pub mod json;
mod sent;
mod shell;

use crate::record::Capture;

/// One form to export a capture in.
pub struct Format {
    /// Its name on the command line and on the screen.
    pub name: &'static str,
    /// What it is good for, in a few words.
    pub help: &'static str,
    /// How the name of such a file ends.
    pub ending: &'static str,
    /// One capture, its last line ended. The capture must have been read with its body.
    pub write: fn(&Capture) -> Vec<u8>,
    /// What stands before the first capture of a file, between two, and after the last.
    pub begin: &'static str,
    /// Between two.
    pub between: &'static str,
    /// After the last.
    pub end: &'static str,
}

impl Format {
    const fn plain(
        name: &'static str,
        ending: &'static str,
        help: &'static str,
        write: fn(&Capture) -> Vec<u8>,
    ) -> Self {
        Self { name, ending, help, write, begin: "", between: "", end: "" }
    }

    const fn framed(
        name: &'static str,
        ending: &'static str,
        help: &'static str,
        write: fn(&Capture) -> Vec<u8>,
        (begin, end): (&'static str, &'static str),
    ) -> Self {
        Self { name, ending, help, write, begin, between: "", end }
    }

    /// A whole file of one capture.
    pub fn whole(&self, capture: &Capture) -> Vec<u8> {
        [self.begin.as_bytes(), &(self.write)(capture), self.end.as_bytes()].concat()
    }
}

/// Every format.
pub const FORMATS: &[Format] = &[
    Format::plain("curl", ".sh", "a shell command that sends the request again", curl::write),
    Format::plain("http", ".http", "the bytes of the request, for `creel verify --file`", http::write),
    Format::plain("json", ".jsonl", "the capture as one JSON object on a line, without its deliveries", json::write),
    Format {
        name: "har",
        ending: ".har",
        help: "HTTP Archive 1.2, for browsers and proxies",
        write: har::write,
        begin: har::BEGIN,
        between: ",",
        end: har::END,
    },
    Format::plain("httpie", ".sh", "an `http` command that sends the request again", httpie::write),
    Format::framed("python", "_test.py", "a test in Python, for pytest or by itself", code::python, code::PYTHON),
    Format::framed("javascript", "_test.cjs", "a test in JavaScript, for node", code::javascript, code::JAVASCRIPT),
    Format::framed("rust", ".rs", "a test in Rust, without dependencies", code::rust, code::RUST),
    Format::framed("go", "_test.go", "a test in Go", code::go, code::GO),
    Format {
        name: "cloudevents",
        ending: ".json",
        help: "a batch of CloudEvents 1.0, whoever sent them",
        write: cloudevents::write,
        begin: cloudevents::FRAME.0,
        between: cloudevents::FRAME.1,
        end: cloudevents::FRAME.2,
    },
    Format::framed("csv", ".csv", "a row a capture, for tables; safe to open in one", csv::write, (csv::BEGIN, "")),
];

/// The JSON Schema (2020-12) of what [`json::capture`] gives.
pub const SCHEMA: &str = include_str!("../../assets/schema.json");
