//! What a check looks at.

use crate::record::{Capture, Flag, Headers, Timestamp};

/// One request, as far as its signature and its event are concerned.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method as sent.
    pub method: &'a str,
    /// The URL as the sender knows it, where somebody configured it. None: it is built from the `Host` and the target.
    /// Only schemes that sign the URL look at it.
    pub url: Option<&'a str>,
    /// The request target as sent.
    pub target: &'a [u8],
    /// The headers as sent.
    pub headers: &'a Headers,
    /// The body as received.
    pub body: &'a [u8],
    /// Whether less than the whole body was received: no signature of it can be checked then.
    pub truncated: bool,
    /// Whether the body was written anew from its parts, so that it may differ from the bytes that were signed.
    pub rewritten: bool,
    /// When it came. The age of a timestamp is counted from here.
    pub received_at: Timestamp,
}

impl<'a> Request<'a> {
    /// A capture's, as it came. `method` is its own, `url` the one its sender knows.
    pub fn of(capture: &'a Capture, method: &'a str, url: Option<&'a str>) -> Self {
        Self {
            method,
            url,
            target: capture.head.target(),
            headers: capture.head.headers(),
            body: &capture.body.bytes,
            truncated: capture.body.truncated,
            rewritten: capture.flags.contains(Flag::Rewritten),
            received_at: capture.received_at,
        }
    }
}
