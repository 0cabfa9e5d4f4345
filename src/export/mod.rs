//! **Floor 1 — how a capture leaves.** Writes a capture in forms that other programs take: a shell command, the bytes of
//! an HTTP request, JSON.
//!
//! A format is one file and one row of [`FORMATS`]; [`json`] is besides that the contract of every `--json` output, and
//! [`SCHEMA`] its description.
//!
//! What this room must never do: send or write anything anywhere (it returns bytes); alter a byte of the body; put a
//! byte of a payload where a shell could take it for more than text; say more than a capture holds.

mod curl;
mod http;
pub mod json;
mod shell;

use crate::record::Capture;

/// One form to export a capture in.
pub struct Format {
    /// Its name on the command line and on the screen.
    pub name: &'static str,
    /// What it is good for, in a few words.
    pub help: &'static str,
    /// The whole export, its last line ended. The capture must have been read with its body.
    pub write: fn(&Capture) -> Vec<u8>,
}

/// Every format.
pub const FORMATS: &[Format] = &[
    Format { name: "curl", help: "a shell command that sends the request again", write: curl::write },
    Format { name: "http", help: "the bytes of the request, for `creel verify --file`", write: http::write },
    Format { name: "json", help: "the capture as one JSON object, without its deliveries", write: json::write },
];

/// The JSON Schema (2020-12) of what [`json::capture`] gives.
pub const SCHEMA: &str = include_str!("../../assets/schema.json");
