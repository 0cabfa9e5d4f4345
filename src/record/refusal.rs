//! A connection or request that never became a capture.

use super::{
    Head, Header, Timestamp,
    mask::{self, MASK},
};

/// Bytes that were no request creel could take: refused on the wire, counted and listed, with what came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// When.
    pub at: Timestamp,
    /// Who it came from, as [`Peer`](super::Peer) reads it.
    pub peer: String,
    /// What was answered; none where the connection was closed without a word.
    pub status: Option<u16>,
    /// Why, in a few words: "not HTTP: looks like TLS".
    pub reason: String,
    /// The first bytes that came, at most 64 KiB.
    pub head: Vec<u8>,
}

impl Refusal {
    /// The head that came as text, with what lets somebody in masked. Bytes that are no head are given as they are.
    pub fn masked_head(&self) -> String {
        let head = Head::parse(self.head.clone().into());
        let target = mask::target(head.target()).map(|(target, _)| target);
        if target.is_some() || head.headers().iter().any(Header::lets_in) {
            let target = target.unwrap_or_else(|| head.target().to_vec());
            let mut text = format!("{} {} {}\n", head.method(), String::from_utf8_lossy(&target), head.version());
            for header in head.headers() {
                let value = if header.lets_in() { MASK.into() } else { String::from_utf8_lossy(header.value) };
                text.push_str(&format!("{}: {value}\n", String::from_utf8_lossy(header.name)));
            }
            return text;
        }
        String::from_utf8_lossy(&self.head).into_owned()
    }
}
