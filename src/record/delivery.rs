//! A capture sent on to an app, and what came of it.

use std::fmt;

use bytes::Bytes;

use super::{
    CaptureId, Cause, ErrandId, Header, Headers, Timestamp,
    mask::{self, HIDDEN},
};

/// A delivery's number in its store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId(pub i64);

/// One try at sending a capture to an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its number; zero before it is stored.
    pub id: DeliveryId,
    /// What was sent.
    pub capture: CaptureId,
    /// The URL it was sent to.
    pub to: String,
    /// When sending began.
    pub started_at: Timestamp,
    /// From the first try to connect to the end of the reply, in milliseconds.
    pub took_ms: u64,
    /// Which try of this capture this is, from 1.
    pub attempt: u32,
    /// Everything in which the sent request differs from the captured one.
    pub receipt: Vec<Change>,
    /// What came of it.
    pub outcome: Outcome,
    /// The errand it was a try at, where it was one that goes by itself or in a batch.
    pub errand: Option<ErrandId>,
}

/// What came of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The app replied.
    Replied(Reply),
    /// No whole reply came: why, as a fact and in one line.
    Failed(Cause, String),
}

/// An app's reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The headers as received.
    pub headers: Headers,
    /// The body, or its first part.
    pub body: Bytes,
    /// Whether the body went on past what was kept.
    pub truncated: bool,
}

/// One line of a delivery's receipt: how the sent request differs from the captured one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A header's value was replaced.
    Replaced {
        /// The header.
        name: String,
        /// The captured value.
        from: String,
        /// The sent value.
        to: String,
    },
    /// A header was left out.
    Dropped {
        /// The header.
        name: String,
        /// The captured value.
        value: String,
    },
    /// A header was added.
    Added {
        /// The header.
        name: String,
        /// The sent value.
        value: String,
    },
    /// Something that is no header was changed: the protocol version, the target.
    Other {
        /// What, in a few words.
        what: String,
        /// As captured.
        from: String,
        /// As sent.
        to: String,
    },
}

impl Change {
    /// The same line without what lets somebody in: a receipt is stored and printed.
    #[must_use]
    pub fn concealed(self) -> Self {
        let hidden = |name: &str, value: String| {
            let header = Header { name: name.as_bytes(), value: value.as_bytes() };
            if header.lets_in() && !value.is_empty() { HIDDEN.to_owned() } else { value }
        };
        let in_target = |text: String| match mask::target(text.as_bytes()) {
            Some((masked, _)) => String::from_utf8_lossy(&masked).into_owned(),
            None => text,
        };
        // Objects are put in as one.
        let in_value = |text: String| {
            let mut bytes = text.into_bytes();
            mask::json(&mut bytes);
            mask::urls(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        };
        match self {
            Self::Replaced { name, from, to } => {
                let (from, to) = (hidden(&name, from), hidden(&name, to));
                Self::Replaced { name, from, to }
            }
            Self::Dropped { name, value } => Self::Dropped { value: hidden(&name, value), name },
            Self::Added { name, value } => Self::Added { value: hidden(&name, value), name },
            Self::Other { what, from, to } if what == "target" => {
                Self::Other { what, from: in_target(from), to: in_target(to) }
            }
            Self::Other { what, .. } if mask::is_secret_at(what.as_bytes()) => {
                Self::Other { what, from: HIDDEN.to_owned(), to: HIDDEN.to_owned() }
            }
            Self::Other { what, from, to } => Self::Other { what, from: in_value(from), to: in_value(to) },
        }
    }
}

impl Delivery {
    /// The reply's status, where there was a reply.
    pub fn status(&self) -> Option<u16> {
        self.outcome.status()
    }
}

impl Outcome {
    /// The reply's status, where there was a reply.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Replied(reply) => Some(reply.status),
            Self::Failed(..) => None,
        }
    }

    /// Whether status and body, or the failure's words, are the same. Headers are not asked: they hold the time; nor is the
    /// cause, which older stores have not noted.
    fn says_the_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Replied(a), Self::Replied(b)) => a.status == b.status && a.body == b.body,
            (Self::Failed(_, a), Self::Failed(_, b)) => a == b,
            _ => false,
        }
    }

    /// Whether the app took it: a status from 200 to 299.
    pub fn is_success(&self) -> bool {
        self.status().is_some_and(|status| (200..300).contains(&status))
    }
}

/// How a reply stands to the last one to the same capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// There was none before.
    First,
    /// It failed before and is right now.
    Fixed,
    /// It was right before and fails now.
    Regressed,
    /// It is what it was.
    Same,
    /// It is another one, and right or wrong as before.
    Changed,
}

impl Turn {
    /// From one outcome to the next.
    pub fn of(before: Option<&Outcome>, after: &Outcome) -> Self {
        let Some(before) = before else { return Self::First };
        match (before.is_success(), after.is_success()) {
            (false, true) => Self::Fixed,
            (true, false) => Self::Regressed,
            _ if before.says_the_same(after) => Self::Same,
            _ => Self::Changed,
        }
    }

    /// The name in words and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Fixed => "fixed",
            Self::Regressed => "regressed",
            Self::Same => "same",
            Self::Changed => "changed",
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replaced { name, from, to } => write!(f, "~ {name}: {from} → {to}"),
            Self::Dropped { name, value } => write!(f, "- {name}: {value}"),
            Self::Added { name, value } => write!(f, "+ {name}: {value}"),
            Self::Other { what, from, to } => write!(f, "~ {what}: {from} → {to}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_a_receipt_lets_somebody_in() {
        let secret = || "hunter2".to_owned();
        let name = || "Authorization".to_owned();
        let other =
            |what: &str, from: &str, to: &str| Change::Other { what: what.into(), from: from.into(), to: to.into() };
        let rows = [
            (Change::Added { name: name(), value: secret() }, "+ Authorization: (a secret)"),
            (Change::Dropped { name: name(), value: secret() }, "- Authorization: (a secret)"),
            (Change::Replaced { name: name(), from: String::new(), to: secret() }, "~ Authorization:  → (a secret)"),
            (Change::Added { name: "X-Mine".into(), value: "1".into() }, "+ X-Mine: 1"),
            (other("target", "/a?token=hunter2&b=1", "/b"), "~ target: /a?token=******&b=1 → /b"),
            (other("data.client_secret", "\"hunter2\"", "\"b\""), "~ data.client_secret: (a secret) → (a secret)"),
            (other("body data.secret[0]", "\"hunter2\"", "1"), "~ body data.secret[0]: (a secret) → (a secret)"),
            (
                other("body data", r#"{"é":1,"token":"hunter…"#, "\"http://u:hunter2@h\", new"),
                r#"~ body data: {"é":1,"token":"********* → "http://u:*******@h", new"#,
            ),
            (other("data.amount", "1", "2"), "~ data.amount: 1 → 2"),
        ];
        for (change, line) in rows {
            assert_eq!(change.concealed().to_string(), line);
        }
    }
}
