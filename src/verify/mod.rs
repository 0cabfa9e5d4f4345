//! **Floor 1 — is it from whom it says.** Judges a request's signature by the rules of its provider, reads the
//! provider's event out of it, and signs requests by the same rules.
//!
//! A provider is data: one TOML file in `assets/providers/`, read by [`Provider::parse`] into the parts of this room. The
//! grammar is `file`; a `place` says where something sits in a request, a `content` what is signed, a `key` what
//! a secret is made of, a `scheme` how all of it belongs together. `check` judges with it, `sign` signs with it,
//! `event` and `detect` read the rest. No provider has a line of Rust.
//!
//! This room is pure and must stay so: it reads no clock (a request carries the moment it came), opens no file and no
//! socket, and keeps nothing between two calls. It never shows a secret, in no error, no explanation and no `Debug`. It
//! compares secret bytes only in `compare`, in constant time. It never panics on what a sender or a file may hold.

mod address;
mod blame;
mod catalog;
mod check;
mod compare;
mod content;
mod detect;
mod doctor;
mod encoding;
mod event;
mod example;
mod explain;
mod facts;
mod file;
mod form;
mod habits;
mod handshake;
mod jwt;
mod key;
mod learn;
mod mac;
mod pem;
mod place;
mod provider;
mod put;
mod repr;
mod request;
mod retries;
mod rewrite;
mod sample;
mod scheme;
mod shape;
mod sign;
mod signed;
mod style;
mod time;
mod transform;

pub use blame::blame;
pub use catalog::Catalog;
pub use doctor::{Budget, Diagnosis, Search, Suspect};
pub use example::Example;
pub use file::Confidence;
pub use habits::Habits;
pub use handshake::{Answer, Asked};
pub use key::Secret;
pub use learn::{Learned, Unlearned, learn, sounds_like_one};
pub use provider::Provider;
pub use request::Request;
pub use retries::{Row as Retry, Try, retries};
pub use sample::{Dressed, Letter, Sample};
pub use sign::Signed;

use sha2::{Digest, Sha256};

/// The SHA-256 of some bytes: what names a body in the store.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
