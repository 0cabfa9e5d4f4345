//! Facts: a name in dim, and what it is.

use crate::{
    record::{Capture, Delivery, Fault, Outcome, Verdict},
    tui::{
        line::{self, Piece, Pieces, piece},
        look::Paint,
    },
};

/// How far the names of facts reach.
pub(super) const NAMES: usize = 11;

/// A fact: its name, and what it is.
pub(super) fn fact(name: &str, value: Vec<Piece>) -> Pieces {
    let mut line = vec![piece(Paint::Dim, &format!("{name:<NAMES$}"))];
    line.extend(value);
    line
}

pub(super) fn text_fact(name: &str, value: &str) -> Pieces {
    fact(name, vec![piece(Paint::Plain, value)])
}

pub(super) fn indented(paint: Paint, text: &str, columns: usize) -> Vec<Pieces> {
    told("", paint, text, columns)
}

/// A fact in words of creel's own, wrapped at blanks.
pub(super) fn told(name: &str, paint: Paint, text: &str, columns: usize) -> Vec<Pieces> {
    let rows = line::paragraph(paint, text, columns.saturating_sub(NAMES).max(20));
    rows.into_iter().enumerate().map(|(at, row)| fact(if at == 0 { name } else { "" }, row)).collect()
}

/// A verdict in words and its colour.
pub(super) fn verdict(capture: &Capture) -> Piece {
    let judgement = &capture.judgement;
    let (paint, words) = match judgement.verdict {
        Verdict::Unsigned if judgement.handshake.is_some() => (Paint::Dim, "none: the provider asks, and signs later"),
        verdict => in_words(verdict, judgement.fault, judgement.covers_body),
    };
    piece(paint, words)
}

/// The same of what the list knows.
pub(in crate::tui) fn in_words(
    verdict: Verdict,
    fault: Option<Fault>,
    covers_body: Option<bool>,
) -> (Paint, &'static str) {
    match (verdict, fault) {
        (Verdict::Passed, _) if covers_body == Some(false) => {
            (Paint::Warning, "passed, and says nothing about the body")
        }
        (Verdict::Passed, _) => (Paint::Good, "passed"),
        (Verdict::Failed, Some(Fault::HeaderMissing)) => (Paint::Bad, "failed: it is not there"),
        (Verdict::Failed, Some(Fault::Malformed)) => (Paint::Bad, "failed: it is not in the scheme's form"),
        (Verdict::Failed, Some(Fault::Stale)) => (Paint::Bad, "failed: it is right and too old"),
        (Verdict::Failed, _) => (Paint::Bad, "failed: it is not of these bytes"),
        (Verdict::Unsigned, _) => (Paint::Dim, "none: no provider creel knows signs like this"),
        (Verdict::Unchecked, Some(Fault::SecretMissing)) => (Paint::Warning, "unchecked: no secret"),
        (Verdict::Unchecked, _) => (Paint::Warning, "unchecked: this cannot be checked here"),
    }
}

/// What came of a delivery, with its colour.
pub(super) fn outcome(delivery: &Delivery) -> Piece {
    match &delivery.outcome {
        Outcome::Replied(reply) => {
            let paint = if (200..300).contains(&reply.status) { Paint::Good } else { Paint::Bad };
            piece(paint, &format!("{} in {} ms", reply.status, delivery.took_ms))
        }
        Outcome::Failed(_, why) => piece(Paint::Bad, &format!("failed: {why}")),
    }
}
