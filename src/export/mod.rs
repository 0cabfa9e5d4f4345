//! **Floor 1 — how a capture leaves.** One file and one row of [`FORMATS`] for each form that another tool can read, and
//! [`json`], the contract of `--json`.
//!
//! A format must give the capture's bytes back: nothing is re-encoded on the way. Where a form cannot hold something,
//! its file says so.

mod base64;
mod curl;
mod http;
pub mod json;

use crate::record::Capture;

/// A form in which a capture leaves.
pub struct Format {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is, in a few words.
    pub help: &'static str,
    /// Writes a capture, its body read.
    pub write: fn(&Capture) -> Vec<u8>,
}

/// Every format.
pub const FORMATS: &[Format] = &[
    Format { name: "curl", help: "a shell command that sends it again", write: curl::write },
    Format { name: "http", help: "the raw request: head and body as they came", write: http::write },
    Format { name: "json", help: "the object of --json", write: json::write },
];

#[cfg(test)]
pub(crate) mod fixture {
    use bytes::Bytes;

    use crate::record::{
        Body, Capture, CaptureId, Event, Evidence, Explanation, Fault, Flag, Head, Headers, Judgement, Timestamp, Uid,
        Verdict,
    };

    /// A capture with something in every field.
    pub(crate) fn capture(head: &'static [u8], body: &'static [u8]) -> Capture {
        Capture {
            id: CaptureId(42),
            uid: Uid::new(Timestamp::from_unix_ms(1_795_424_700_123), 7),
            received_at: Timestamp::from_unix_ms(1_795_424_700_123),
            endpoint: "github".to_owned(),
            peer: "127.0.0.1:50712".to_owned(),
            head: Head::parse(Bytes::from_static(head)),
            body: Body {
                size: body.len() as u64,
                bytes: Bytes::from_static(body),
                sha256: [0xab; 32],
                declared: None,
                truncated: false,
            },
            trailers: Headers::default(),
            flags: [Flag::HostMissing].into_iter().collect(),
            provider: Some("github".to_owned()),
            event: Event { id: Some("id-1".to_owned()), kind: Some("push".to_owned()), created_at: None },
            judgement: Judgement {
                verdict: Verdict::Failed,
                fault: Some(Fault::Mismatch),
                explanation: Some(Explanation { by: None, text: "Not the one.".to_owned(), tried: 1 }),
                evidence: Some(Evidence {
                    place: "X-Hub-Signature-256".to_owned(),
                    received: Some("sha256=00".to_owned()),
                    expected: Some("sha256=ff".to_owned()),
                    content: "{body}".to_owned(),
                }),
                age_s: None,
                covers_body: Some(true),
            },
            duplicate_of: Some(CaptureId(41)),
            reply_status: 200,
        }
    }
}
