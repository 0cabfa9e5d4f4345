//! What a jq program makes of a capture: to be looked at, and never sent.

use super::{Transform, endpoint::Endpoint};
use crate::record::{Capture, Failure};

/// A program that a capture is looked at through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lens {
    /// Where what it makes is forwarded to; none for one that somebody typed.
    pub to: Option<String>,
    /// The program.
    pub transform: Transform,
}

impl Lens {
    /// A program that somebody typed.
    pub fn typed(transform: Transform) -> Self {
        Self { to: None, transform }
    }

    /// The capture as the program makes it. Blocks, two seconds at most.
    pub fn apply(&self, capture: &Capture) -> Result<Capture, Failure> {
        let (head, bytes) = self.transform.apply(&capture.head, &capture.body.bytes)?;
        Ok(capture.with_request(head, bytes))
    }
}

/// The programs that an endpoint's forwards have.
pub fn lenses(endpoint: &Endpoint) -> Vec<Lens> {
    let lenses = endpoint.forwards.iter().filter_map(|forward| {
        let transform = forward.program.as_ref()?.transform.clone();
        Some(Lens { to: Some(forward.to.title().to_owned()), transform })
    });
    lenses.collect()
}
