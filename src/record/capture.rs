//! One request, caught.

use std::fmt;

use bytes::Bytes;

use super::{Body, Event, Fault, Flag, Flags, Head, Headers, Judgement, Origin, Repeat, Tags, Timestamp};

/// A capture's number in its store: ascending in the order of commit, never used twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaptureId(pub i64);

impl fmt::Display for CaptureId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A capture's name among all stores: a ULID, 48 bits of Unix milliseconds and 80 of chance, in Crockford's base 32
/// (github.com/ulid/spec). It sorts by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uid(pub u128);

impl Uid {
    /// The uid of that moment, with the low 80 bits of `chance`.
    pub fn new(at: Timestamp, chance: u128) -> Self {
        Self((at.unix_ms().max(0) as u128) << 80 | (chance & ((1 << 80) - 1)))
    }
}

/// Crockford's base 32.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

impl Uid {
    /// A uid as it is shown: 26 characters, the first of them up to 7.
    pub fn parse(text: &str) -> Option<Self> {
        let digit = |byte: u8| ALPHABET.iter().position(|letter| *letter == byte.to_ascii_uppercase());
        let is_short = text.len() == 26 && text.as_bytes().first().is_some_and(|first| *first <= b'7');
        let all = text.bytes().try_fold(0u128, |value, byte| Some(value << 5 | digit(byte)? as u128));
        all.filter(|_| is_short).map(Self)
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (0..26).rev().try_for_each(|digit| {
            let value = (self.0 >> (digit * 5)) as usize & 31;
            write!(f, "{}", char::from(ALPHABET[value]))
        })
    }
}

/// One request with everything creel knows about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// Its number; zero before it is stored.
    pub id: CaptureId,
    /// Its name among all stores.
    pub uid: Uid,
    /// When its head was complete.
    pub received_at: Timestamp,
    /// The endpoint it came in by.
    pub endpoint: String,
    /// Who it came from, as [`Peer`](super::Peer) reads it: the other end of the connection, `ADDR:PORT`, and whom that speaks
    /// for.
    pub peer: String,
    /// Request line and headers.
    pub head: Head,
    /// The body.
    pub body: Body,
    /// Headers that came after the body.
    pub trailers: Headers,
    /// What is odd about it.
    pub flags: Flags,
    /// The provider, configured or detected.
    pub provider: Option<String>,
    /// The provider's event.
    pub event: Event,
    /// What creel thinks of its signature.
    pub judgement: Judgement,
    /// The first capture of the same event, where there is one. Found by the store on commit.
    pub duplicate_of: Option<CaptureId>,
    /// Which delivery of its event it is, where it is not the first. Found by the store on commit.
    pub repeat: Option<Repeat>,
    /// By how many milliseconds its event is older than one that came before it. Found by the store on commit.
    pub late_ms: Option<i64>,
    /// The capture that a person made it out of, where it was not caught but edited.
    pub edited_from: Option<CaptureId>,
    /// The status its sender was answered; 0: nobody was, or nobody knows.
    pub reply_status: u16,
    /// What a person tagged it with.
    pub tags: Tags,
    /// What a person noted.
    pub note: Option<String>,
}

impl Capture {
    /// That request, and nothing that anybody found out about it yet.
    pub fn new(uid: Uid, received_at: Timestamp, head: Head, body: Body) -> Self {
        Self {
            id: CaptureId::default(),
            uid,
            received_at,
            endpoint: String::new(),
            peer: String::new(),
            head,
            body,
            trailers: Headers::default(),
            flags: Flags::default(),
            provider: None,
            event: Event::default(),
            judgement: Judgement::default(),
            duplicate_of: None,
            repeat: None,
            late_ms: None,
            edited_from: None,
            reply_status: 0,
            tags: Tags::NONE,
            note: None,
        }
    }

    /// The same with another request in it, to be sent or looked at: its hash stays that of what came.
    #[must_use]
    pub fn with_request(&self, head: Head, bytes: Bytes) -> Self {
        let body = Body { size: bytes.len() as u64, bytes, ..self.body.clone() };
        Self { head, body, ..self.clone() }
    }

    /// Whose it is, and what its event is.
    pub fn origin(&self) -> Origin {
        Origin { provider: self.provider.clone(), event: self.event.clone() }
    }

    /// The status its sender was answered, 0 where nobody was; none where that is not known.
    pub fn answered(&self) -> Option<u16> {
        let is_imported = self.flags.contains(Flag::Imported) && !self.flags.contains(Flag::Unanswered);
        (self.reply_status != 0 || !is_imported).then_some(self.reply_status)
    }

    /// What its sender was answered, for eyes.
    pub fn answer_in_words(&self) -> String {
        match self.answered() {
            None => "not known: what it was imported from does not say".to_owned(),
            Some(0) if self.edited_from.is_some() => "nobody sent it".to_owned(),
            Some(0) if self.flags.contains(Flag::Unanswered) => "nothing, on purpose".to_owned(),
            Some(0) => "nobody was left to answer".to_owned(),
            Some(status) => status.to_string(),
        }
    }

    /// How it stands among the deliveries of its event and the others of its endpoint, a sentence each.
    pub fn course(&self) -> Vec<String> {
        let edited = self.edited_from.map(|from| format!("not caught but made: an edited #{from}"));
        let first = self.duplicate_of.map(|first| match self.repeat {
            Some(repeat) => {
                let what = match repeat {
                    Repeat { is_replay: true, .. } => "replayed: under the last one's very signature, its time too",
                    Repeat { is_retry: true, .. } => "a retry: the last one failed",
                    _ => "a duplicate",
                };
                let (attempt, gap) = (repeat.attempt, repeat.gap());
                format!("delivery {attempt} of the event of #{first}, {gap} after the last ({what})")
            }
            None => format!("the same event as #{first}"),
        });
        let late = self.late_ms.map(|ms| {
            format!("out of order: it happened {:.1} s before an event that came earlier", ms as f64 / 1_000.0)
        });
        let stale = self.judgement.age_s.filter(|_| self.judgement.fault == Some(Fault::Stale)).map(|age| match age {
            0.. => format!("stale by its signature, which was made {age} s before it came"),
            _ => format!("from the future: its signature was made {} s after it came", -age),
        });
        edited.into_iter().chain(first).chain(late).chain(stale).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_is_a_ulid() {
        // The example of the specification's time part: 1469918176385 ms is 01ARYZ6S41.
        let uid = Uid::new(Timestamp::from_unix_ms(1_469_918_176_385), u128::MAX);
        assert_eq!(uid.to_string(), "01ARYZ6S41ZZZZZZZZZZZZZZZZ");
        assert_eq!(Uid::parse("01ARYZ6S41ZZZZZZZZZZZZZZZZ"), Some(uid));
        for text in ["", "8ZZZZZZZZZZZZZZZZZZZZZZZZZ", "01ARYZ6S41ZZZZZZZZZZZZZZZU", "01ARYZ6S41"] {
            assert_eq!(Uid::parse(text), None, "{text}");
        }
    }
}
