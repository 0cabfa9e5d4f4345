//! What an endpoint answers now.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use super::{Plan, Respond, Turn, Words, Wrong, fault::Turns};
use crate::record::Capture;

/// What an endpoint answers: the file's words, or those that were laid over them. Clones are the same.
#[derive(Clone, Debug)]
pub struct Standing(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    file: Respond,
    now: RwLock<Arc<Now>>,
}

/// What is in force. What was counted of its fault's turns ends with it.
#[derive(Debug)]
struct Now {
    respond: Respond,
    words: Option<Words>,
    turns: Mutex<Turns>,
}

impl Now {
    fn new(respond: Respond, words: Option<Words>) -> Arc<Self> {
        Arc::new(Self { respond, words, turns: Mutex::default() })
    }
}

impl Standing {
    /// What the file says.
    pub(in crate::engine) fn new(file: Respond) -> Self {
        let now = RwLock::new(Now::new(file.clone(), None));
        Self(Arc::new(Shared { file, now }))
    }

    fn now(&self) -> Arc<Now> {
        Arc::clone(&self.0.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What the file says, whatever is in force.
    pub fn file(&self) -> &Respond {
        &self.0.file
    }

    /// Plans the answer to a request, and counts it.
    pub(in crate::engine) fn plan(&self, capture: &Capture) -> Plan {
        let now = self.now();
        let fault = now.respond.fault.filter(|fault| {
            let mut turns = now.turns.lock().unwrap_or_else(PoisonError::into_inner);
            turns.take(fault.turn, event(capture))
        });
        now.respond.plan(capture, fault.map(|fault| fault.what))
    }

    /// Lays words over the file's, or takes them away. The same words again change nothing: counting goes on.
    pub(in crate::engine) fn lay_over(&self, words: Option<Words>) -> Result<(), Wrong> {
        if self.now().words == words {
            return Ok(());
        }
        let respond = words.as_ref().map_or_else(|| Ok(self.0.file.clone()), |words| words.over(&self.0.file))?;
        *self.0.now.write().unwrap_or_else(PoisonError::into_inner) = Now::new(respond, words);
        Ok(())
    }
}

impl std::fmt::Display for Respond {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut words = vec![match self.fault {
            Some(fault) if fault.turn == Turn::Always => fault.what.to_string(),
            Some(fault) => format!("{}{}, else {}", fault.what, fault.turn, self.status),
            None => self.status.to_string(),
        }];
        if !self.delay.is_zero() {
            words.push(format!("after {} ms", self.delay.as_millis()));
        }
        f.write_str(&words.join(", "))
    }
}

/// What tells events apart: the event's id, or the body where there is none.
fn event(capture: &Capture) -> u64 {
    let mut hasher = DefaultHasher::new();
    match &capture.event.id {
        Some(id) => id.hash(&mut hasher),
        None => capture.body.sha256.hash(&mut hasher),
    }
    hasher.finish()
}
