//! **Floor 1 — is it from whom it says?** Signature schemes declared as data and run by one engine.
//!
//! A provider is a file in `assets/providers/`; what it may say is `grammar.rs`, and no provider has Rust of its own.
//! This room is pure: the request, the secrets and the moment are given to it. It must never say [`Verdict::Passed`] of
//! what it could not check, never compare a signature but in constant time (`compare.rs`), and never show a secret.
//!
//! [`Verdict::Passed`]: crate::record::Verdict::Passed

mod algorithm;
mod catalog;
mod compare;
mod explain;
mod grammar;
mod place;
mod provider;
mod request;
mod secret;
mod signature;
mod template;

pub use algorithm::sha256;
pub use catalog::Catalog;
pub use provider::{Example, Provider};
pub use request::Request;
pub use secret::Secret;
