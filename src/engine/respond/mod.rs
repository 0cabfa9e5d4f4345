//! What an endpoint answers: by its file, or by what somebody laid over it while creel runs; and what goes wrong with it on
//! purpose, so that a provider's retries can be watched.
//!
//! In reading order: `words` (what a person says, in the file, on the command line, on the screen and in the store alike),
//! `template` (a body made of the request), `fault` (what goes wrong, and whose turn it is), `standing` (what is in force).
//!
//! A template sees the request it answers and nothing else: an answer never holds what is stored.

mod ear;
mod fault;
mod standing;
mod template;
mod words;

use std::time::Duration;

pub use ear::told;
pub(super) use ear::{Ear, HEARD_AFTER};
pub use standing::Standing;
pub use words::{FaultWords, Lines, Words, Wrong};

pub use self::fault::{Fault, Per, Turn, What};
use self::template::Template;
use crate::{
    record::{Capture, CaptureId, Flag, Flags, Header},
    verify,
    wire::{Answer, Form, Manner},
};

/// What an endpoint answers, after the commit.
#[derive(Clone, Debug, PartialEq)]
pub struct Respond {
    /// The status, 200 to 599.
    pub status: u16,
    /// Headers beside those that the protocol needs.
    pub headers: Vec<(String, String)>,
    /// The body; none: `{"caught":ID}`.
    pub body: Option<Text>,
    /// The body's media type.
    pub content_type: String,
    /// How long every answer is held back.
    pub delay: Duration,
    /// What goes wrong on purpose.
    pub fault: Option<Fault>,
}

/// The body of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Text {
    /// The same for everybody.
    Plain(String),
    /// Made of the request.
    Template(Template),
}

impl Default for Respond {
    fn default() -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body: None,
            content_type: "application/json".to_owned(),
            delay: Duration::ZERO,
            fault: None,
        }
    }
}

/// What one request is answered: decided before it is stored, so that it is stored with it; given after the commit.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) status: u16,
    manner: Manner,
    headers: Vec<(String, String)>,
    body: Draft,
    /// Whether a fault has its turn.
    faulted: bool,
    /// Whether it is creel's own or a provider's affair, and nothing for an app.
    own: bool,
}

/// A body that waits for the capture's number.
#[derive(Debug)]
enum Draft {
    Number,
    Refused(u16),
    Bytes(Vec<u8>),
    /// Parts between which the number stands.
    Parts(Vec<String>),
}

/// Whether creel says it itself in an answer: what is of the one connection, how long the body is, and the number. What
/// somebody else says of these would break the answer off, or stand in it a second time.
pub(super) fn is_creels_own(header: Header<'_>) -> bool {
    header.is_hop_by_hop() || header.is("content-length") || header.is("creel-id")
}

impl Respond {
    /// Plans the answer to a request; `fault` where one has its turn.
    fn plan(&self, capture: &Capture, fault: Option<What>) -> Plan {
        let whole = Manner { delay: self.delay, form: Form::Whole };
        let (status, manner) = match fault {
            None => (self.status, whole),
            Some(What::Status(status)) => (status, whole),
            Some(What::Close) => (0, Manner { form: Form::Closed, ..whole }),
            Some(What::Silence(time)) => (0, Manner { delay: time, form: Form::Closed }),
            Some(What::Half) => (self.status, Manner { form: Form::Half, ..whole }),
            Some(What::Slow(time)) => (self.status, Manner { form: Form::Slow(time), ..whole }),
        };
        let mut headers = vec![("Content-Type".to_owned(), self.content_type.clone())];
        headers.extend(self.headers.iter().cloned());
        let body = match &self.body {
            // What is said of success is not said of a failure.
            _ if status != self.status && status != 0 => Draft::Refused(status),
            None => Draft::Number,
            Some(Text::Plain(text)) => Draft::Bytes(text.clone().into_bytes()),
            Some(Text::Template(template)) => Draft::Parts(template.fill(capture, &self.content_type)),
        };
        if matches!(body, Draft::Refused(_)) {
            "application/json".clone_into(&mut headers[0].1);
        }
        Plan { status, manner, headers, body, faulted: fault.is_some(), own: false }
    }
}

impl Plan {
    /// The answer that the wire or a guard insists on, whatever the endpoint would say.
    pub(super) fn refusal(status: u16) -> Self {
        let headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
        Self { status, manner: Manner::default(), headers, body: Draft::Refused(status), faulted: false, own: true }
    }

    /// The provider's own answer to its handshake.
    pub(super) fn handshake(answer: verify::Answer) -> Self {
        let verify::Answer { status, headers, body, .. } = answer;
        Self { status, manner: Manner::default(), headers, body: Draft::Bytes(body), faulted: false, own: true }
    }

    /// Whether an app has nothing to do with it: a refusal, a handshake.
    pub(super) fn is_own(&self) -> bool {
        self.own
    }

    /// Whether it goes wrong on purpose.
    pub(super) fn is_faulted(&self) -> bool {
        self.faulted
    }

    /// What is marked of it in the capture.
    pub(super) fn mark(&self, flags: &mut Flags) {
        if self.faulted {
            flags.insert(Flag::Faulted);
        }
        if !self.manner.delay.is_zero() {
            flags.insert(Flag::AnswerDelayed);
        }
        match self.manner.form {
            Form::Whole => {}
            Form::Slow(_) => flags.insert(Flag::AnswerSlow),
            Form::Half => flags.insert(Flag::AnswerHalf),
            Form::Closed => flags.insert(Flag::Unanswered),
        }
    }

    /// The answer, with the number that the store gave.
    pub(super) fn answer(self, id: CaptureId) -> Answer {
        let number = ("Creel-Id".to_owned(), id.to_string());
        let headers = self.headers.into_iter().chain([number]);
        let headers = headers.map(|(name, value)| (name, value.into_bytes())).collect();
        let body = match self.body {
            Draft::Number => format!("{{\"caught\":{id}}}").into_bytes(),
            Draft::Refused(status) => format!("{{\"caught\":{id},\"refused\":{status}}}").into_bytes(),
            Draft::Bytes(bytes) => bytes,
            Draft::Parts(parts) => parts.join(&id.to_string()).into_bytes(),
        };
        Answer { status: self.status, headers, body: body.into(), manner: self.manner }
    }
}
