//! **Floor 2 — HTTP and nothing else.** What comes over the wire is handed on as plain records; what is to be sent is
//! written as it was caught. hyper drives the protocol in both directions; recorders around its streams keep the bytes.
//!
//! This room decides nothing but what the protocol demands. It must never upgrade a connection, follow a redirect, open
//! a tunnel, or answer before its catcher has said so.

mod receive;
mod send;

pub use receive::{Answer, Arrival, Catch, Entry, Form, Identity, Limits, Manner, Papers, Shut, self_signed, serve};
pub use send::{Client, Outgoing, PathRule, SendLimits, Sent, asked, can_send_to, origin, send, without_login};

use std::time::SystemTime;

use crate::record::Timestamp;

/// The moment something came or went.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
