//! creel: a terminal request bin.
pub mod body;
pub mod cli;
pub mod engine;
pub mod export;
pub mod query;
pub mod record;
pub mod store;
pub mod tui;
pub mod verify;
pub mod wire;
