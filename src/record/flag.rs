//! What is odd about a request, and what is noteworthy about a delivery.

/// Something odd that the wire saw: the request is kept, shown with its flag, and answered as the row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flag {
    /// Both `Content-Length` and `Transfer-Encoding`.
    BothLengths,
    /// More than one `Content-Length`.
    DuplicateLength,
    /// A transfer coding other than `chunked` alone.
    TransferCoding,
    /// Line ends without CR.
    LenientFraming,
    /// No `Host` on HTTP/1.1.
    HostMissing,
    /// Several `Host` headers, or one that is no host.
    HostBad,
    /// An absolute target that names another host than `Host`.
    HostDisagrees,
    /// CONNECT: somebody takes creel for a proxy.
    ProxyProbe,
    /// A method of more letters than any.
    MethodTooLong,
    /// An expectation other than `100-continue`.
    Expectation,
    /// The protocol should be changed; it was not.
    UpgradeAsked,
    /// A body larger than the limit; its first part is kept.
    TooLarge,
    /// The body ended before its declared end, or came too slowly.
    Cut,
    /// The body's chunks were malformed; what came before is kept.
    BadChunk,
    /// Headers came after the body.
    Trailers,
    /// The page of some web site sent it (`Origin` or `Sec-Fetch-Site`).
    FromWebPage,
    /// Control or 8-bit bytes in the target or a header.
    ControlBytes,
    /// Creel was at its limit of bytes in flight and kept the head only.
    Overload,
    /// The provider asked whether somebody is there.
    Handshake,
    /// It was read out of a file.
    Imported,
    /// This creel has forwarded it before.
    CameBack,
    /// Its answer went wrong on purpose.
    Faulted,
    /// Its answer was held back.
    AnswerDelayed,
    /// Its answer came in small parts.
    AnswerSlow,
    /// Half of its answer came.
    AnswerHalf,
    /// It was not answered.
    Unanswered,
    /// The header of its signature came more than once, and not with the same value.
    SeveralSignatures,
    /// Secrets were masked in it when it was exported.
    Masked,
    /// Where it was imported from its body was kept as parts, of which it was written anew.
    Rewritten,
}

/// The rows: flag, name in JSON and in filters, the sentence for eyes. The row's place is the flag's bit in the store,
/// so rows are only ever appended.
const FLAGS: [(Flag, &str, &str); 29] = [
    (Flag::BothLengths, "both-lengths", "request smuggling? Content-Length and Transfer-Encoding together"),
    (Flag::DuplicateLength, "duplicate-length", "request smuggling? more than one Content-Length"),
    (Flag::TransferCoding, "transfer-coding", "unusual transfer coding"),
    (Flag::LenientFraming, "lenient-framing", "line ends without CR"),
    (Flag::HostMissing, "host-missing", "no Host header"),
    (Flag::HostBad, "host-bad", "several Host headers, or one that is no host"),
    (Flag::HostDisagrees, "host-disagrees", "the target names another host than the Host header"),
    (Flag::ProxyProbe, "proxy-probe", "somebody takes creel for a proxy"),
    (Flag::MethodTooLong, "method-too-long", "no such method"),
    (Flag::Expectation, "expectation", "an expectation that cannot be met"),
    (Flag::UpgradeAsked, "upgrade-asked", "an upgrade was asked for and not made"),
    (Flag::TooLarge, "too-large", "the body is over the limit; its first part is kept"),
    (Flag::Cut, "cut", "the body ended early"),
    (Flag::BadChunk, "bad-chunk", "malformed chunks; the part before them is kept"),
    (Flag::Trailers, "trailers", "headers came after the body"),
    (Flag::FromWebPage, "from-web-page", "sent by the page of a web site"),
    (Flag::ControlBytes, "control-bytes", "control or 8-bit bytes in the head"),
    (Flag::Overload, "overload", "too many bytes in flight; the body was not read"),
    (Flag::Handshake, "handshake", "a handshake: the provider asks, and expects an answer of its own"),
    (Flag::Imported, "imported", "read out of a file by `creel import`"),
    (Flag::CameBack, "came-back", "creel forwarded it and it came back: forwarding runs in a ring, which ends here"),
    (Flag::Faulted, "faulted", "the answer went wrong on purpose, as the endpoint was told"),
    (Flag::AnswerDelayed, "answer-delayed", "the answer was held back, as the endpoint was told"),
    (Flag::AnswerSlow, "answer-slow", "the answer came in small parts, as the endpoint was told"),
    (Flag::AnswerHalf, "answer-half", "half of the answer came, as the endpoint was told"),
    (Flag::Unanswered, "unanswered", "the connection was closed without an answer, as the endpoint was told"),
    (
        Flag::SeveralSignatures,
        "several-signatures",
        "the signature's header came more than once with other values: each was judged, and an app may look at another one",
    ),
    (Flag::Masked, "masked", "its secrets were masked when it was exported: a signature over one of them cannot fit"),
    (
        Flag::Rewritten,
        "rewritten",
        "its body was written anew from the parts that it was imported as: the bytes that were sent may have been others",
    ),
];

impl Flag {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        FLAGS.iter().map(|row| row.0)
    }

    /// The name in JSON and in filters.
    pub fn name(self) -> &'static str {
        FLAGS[self as usize].1
    }

    /// What it means, for eyes.
    pub fn sentence(self) -> &'static str {
        FLAGS[self as usize].2
    }

    /// The flag of that name.
    pub fn named(name: &str) -> Option<Self> {
        FLAGS.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// Its bit in [`Flags::bits`].
    pub fn bit(self) -> i64 {
        1 << self as u32
    }
}

/// A set of flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(i64);

impl Flags {
    /// The set that the store keeps as one integer.
    pub fn from_bits(bits: i64) -> Self {
        Self(bits)
    }

    /// The set as one integer.
    pub fn bits(self) -> i64 {
        self.0
    }

    /// Puts a flag in.
    pub fn insert(&mut self, flag: Flag) {
        self.0 |= flag.bit();
    }

    /// Takes a flag out.
    pub fn remove(&mut self, flag: Flag) {
        self.0 &= !flag.bit();
    }

    /// Whether a flag is in.
    pub fn contains(self, flag: Flag) -> bool {
        self.0 & flag.bit() != 0
    }

    /// Whether it is empty.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The flags in it.
    pub fn iter(self) -> impl Iterator<Item = Flag> {
        Flag::all().filter(move |&flag| self.contains(flag))
    }
}

impl FromIterator<Flag> for Flags {
    fn from_iter<T: IntoIterator<Item = Flag>>(iter: T) -> Self {
        let mut flags = Self::default();
        iter.into_iter().for_each(|flag| flags.insert(flag));
        flags
    }
}

/// What is noteworthy about a capture: among its like, or because a person said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mark {
    /// The same event id came before.
    Duplicate,
    /// The same event came before, and was not answered with success.
    Retry,
    /// The same event came before under the very same signature, whose time is signed.
    Replayed,
    /// The signature's timestamp is outside the scheme's tolerance.
    Stale,
    /// An event that happened later came before it.
    OutOfOrder,
    /// A person chose it.
    Marked,
    /// A person wants to find it again.
    Pinned,
    /// A person made it, out of another one.
    Edited,
}

/// Every mark with its name in JSON and in filters.
const MARKS: [(Mark, &str); 8] = [
    (Mark::Duplicate, "duplicate"),
    (Mark::Retry, "retry"),
    (Mark::Replayed, "replayed"),
    (Mark::Stale, "stale"),
    (Mark::OutOfOrder, "out-of-order"),
    (Mark::Marked, "marked"),
    (Mark::Pinned, "pinned"),
    (Mark::Edited, "edited"),
];

impl Mark {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        MARKS.iter().map(|row| row.0)
    }

    /// The name in JSON and in filters.
    pub fn name(self) -> &'static str {
        MARKS[self as usize].1
    }

    /// The mark of that name.
    pub fn named(name: &str) -> Option<Self> {
        MARKS.iter().find(|row| row.1 == name).map(|row| row.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_finds_its_own_row_and_survives_the_store() {
        for flag in Flag::all() {
            assert_eq!(Flag::named(flag.name()), Some(flag));
            let kept = Flags::from_bits([flag].into_iter().collect::<Flags>().bits());
            assert_eq!(kept.iter().collect::<Vec<_>>(), [flag]);
        }
    }
}
