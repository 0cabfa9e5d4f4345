//! creel is an angler's basket: it catches webhooks, keeps them, and throws them back. This is the map.
//!
//! # The circle
//!
//! Facts enter by the wire, are judged by pure rules, and are written by one hand; a bell rings; the screen asks for what
//! it shows; a person's wish becomes a command, a command an effect, an effect a new fact.
//!
//! ```text
//!  wire/receive ─► Capture ─► engine/admit ─► verify ─► Judgement ─► store/writer ─► store/bell
//!       ▲                                                                │               │ rings, carries no data
//!  wire/send ◄─ engine/deliver ◄─ Effect ◄─ tui/update ◄─ Command        │               ▼
//!       └──────────► Delivery (the outcome) ───────────────────────────► ┘   Effect::Page ─► store/reader ─► Model ─► tui/view
//! ```
//!
//! What is forwarded goes the same way without a person: `engine/admit` has an errand stored with the capture, `engine/forward`
//! brings it to its app, and what came of it is a fact like any other.
//!
//! # The floors
//!
//! A room imports only from floors below its own, never from a sibling; a third-party crate has one home.
//! `tests/floors.rs` holds both. In reading order:
//!
//! | floor | rooms | must never know |
//! |---|---|---|
//! | 0 | [`record`]: plain data, the vocabulary of all others | anything |
//! | 1 | [`verify`]: is it from whom it says · [`body`]: how bytes are read by eyes · [`query`]: the filter language · [`export`]: how a capture leaves · [`import`]: how captures of others come in | files, sockets, the clock, the screen |
//! | 2 | [`store`]: SQLite and nothing else · [`wire`]: HTTP and nothing else | each other, the screen |
//! | 3 | [`engine`]: the running creel without a face | SQLite, hyper, ratatui |
//! | 4 | [`tui`]: the screen · [`cli`]: the subcommands | each other, SQLite, hyper |
//! | 5 | `main.rs`: chooses the face | how either works |
//!
//! # The rules
//!
//! One writer; the bell is a doorbell, not a parcel; `update` is total and pure and `view` changes nothing; late answers
//! are dropped; nothing is lost silently; every limit is a named constant with its unit; errors are data, worded once.
//! `ARCHITECTURE.md` gives the reasons.

#[cfg(not(unix))]
compile_error!("creel runs on Linux, macOS and their like. On Windows build and run it in WSL.");

pub mod body;
pub mod cli;
pub mod engine;
pub mod export;
pub mod import;
pub mod query;
pub mod record;
pub mod store;
pub mod tui;
pub mod verify;
pub mod wire;
