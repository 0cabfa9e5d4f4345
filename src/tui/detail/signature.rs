//! The signature's tab.

use super::facts::{NAMES, fact, indented, text_fact, told, verdict};
use crate::{
    body,
    engine::suggest,
    record::{Capture, Evidence, Fault, Verdict, counted, span},
    tui::{
        keys::Command,
        line::{Piece, Pieces, piece},
        look::Paint,
        model::Model,
    },
};

/// What came, what was expected, and why it did not pass.
pub(super) fn signature(model: &Model, capture: &Capture, columns: usize) -> Vec<Pieces> {
    let judgement = &capture.judgement;
    let verdict = verdict(capture);
    let mut lines = told("verdict", verdict.paint, &verdict.text, columns);
    if let Some(explanation) = &judgement.explanation {
        lines.extend(indented(Paint::Plain, &explanation.text, columns));
    }
    lines.extend(suggested(model, capture));
    if judgement.verdict == Verdict::Unsigned && capture.provider.is_none() {
        // Who looks here for a signature that there should be is not left with a "none".
        const WHOSE: &str = "Where it should be signed, name who does: `provider` of its endpoint in creel.toml. `creel providers` lists all.";
        let learning = suggest::learning(capture);
        let (paint, words) = learning.as_deref().map_or((Paint::Dim, WHOSE), |words| (Paint::Plain, words));
        lines.extend(indented(paint, words, columns));
    }
    let is_proved = judgement.explanation.as_ref().is_some_and(|explanation| explanation.by.is_some());
    if judgement.fault == Some(Fault::Mismatch) && !is_proved {
        // Most often it is the secret, and that may be another one by now.
        let words = model.keys.told("{judge} checks it again by the secrets of now");
        lines.extend(indented(Paint::Dim, &words, columns));
    }
    let Some(evidence) = &judgement.evidence else { return lines };
    lines.push(Vec::new());
    if let Some(provider) = &capture.provider {
        lines.push(text_fact("provider", provider));
    }
    lines.push(text_fact("header", &evidence.place));
    lines.push(text_fact("signed", &evidence.content));
    if let Some(age) = judgement.age_s {
        lines.push(text_fact("timestamp", &age_words(age)));
    }
    if let Some(words) = judgement.uncovered() {
        lines.push(fact("covers", vec![piece(Paint::Warning, &words)]));
    }
    // Where nothing came there was nothing to search for.
    let is_searched = |tried: u64| tried > 1 && evidence.received.is_some();
    if let Some(explanation) = judgement.explanation.as_ref().filter(|explanation| is_searched(explanation.tried)) {
        lines.extend(explanation.by.iter().map(|by| text_fact("proof", by)));
        lines.push(text_fact("searched", &counted(explanation.tried, "candidate")));
    }
    lines.extend(evidence.difference.iter().flat_map(|difference| differs(difference)));
    lines.push(Vec::new());
    lines.extend(compared(evidence, judgement.verdict, judgement.fault, columns));
    if let Some((size, _)) = &model.detail.signed {
        let words = format!("what is signed, {}, as it came:", counted(*size as u64, "byte"));
        lines.extend([Vec::new(), vec![piece(Paint::Dim, &words)], Vec::new()]);
    }
    lines
}

/// What to write into `creel.toml`, where a secret is all that is missing.
fn suggested(model: &Model, capture: &Capture) -> Vec<Pieces> {
    let is_missing = capture.judgement.fault == Some(Fault::SecretMissing);
    let Some((place, text)) = suggest::lines(capture).filter(|_| is_missing) else { return Vec::new() };
    let head = format!("to {place}; {} copies it:", model.keys.of(Command::Copy));
    let lines = text.lines().map(|line| fact("", vec![piece(Paint::Good, line)]));
    [Vec::new(), fact("add", vec![piece(Paint::Dim, &head)])].into_iter().chain(lines).collect()
}

/// Where the signed body differs from the one that came: the place, and both one under the other.
fn differs(difference: &str) -> Vec<Pieces> {
    let parts = difference.split_once(": signed ").zip(difference.rsplit_once(", received "));
    let Some(((place, _), (signed, received))) = parts else { return vec![text_fact("differs", difference)] };
    let signed = signed.split_once(": signed ").map_or(signed, |(_, signed)| signed);
    vec![
        text_fact("differs", &format!("at {place}")),
        fact("  signed", vec![piece(Paint::Good, signed)]),
        fact("  came", vec![piece(Paint::Bad, received)]),
    ]
}

fn age_words(age: i64) -> String {
    match age {
        0 => "of the same second as the request".to_owned(),
        1.. => format!("{} before the request came", span(age)),
        _ => format!("{} after the request came", span(age.saturating_neg())),
    }
}

/// Received over expected, wrapped alike, with the characters marked that differ.
fn compared(evidence: &Evidence, verdict: Verdict, fault: Option<Fault>, columns: usize) -> Vec<Pieces> {
    let received = evidence.received.as_deref();
    if received.is_none() && evidence.expected.is_none() && fault != Some(Fault::HeaderMissing) {
        let words = "a token: it is the secret itself, and is not shown";
        return vec![fact("received", vec![piece(Paint::Dim, words)])];
    }
    let Some(expected) = evidence.expected.as_deref() else {
        let words = received
            .map_or_else(|| fact("received", vec![piece(Paint::Bad, "nothing")]), |it| text_fact("received", it));
        return vec![words];
    };
    let Some(received) = received else {
        return vec![fact("received", vec![piece(Paint::Bad, "nothing")]), text_fact("expected", expected)];
    };
    let part = same_part(received, expected);
    let mut lines = Vec::new();
    if part != received {
        lines.push(text_fact("header", received));
        lines.push(Vec::new());
    }
    if part == expected {
        // Of two rows that are alike nobody looks for what differs.
        let same = fact("expected", vec![piece(Paint::Good, "the same")]);
        lines.extend([text_fact("received", part), same]);
        return lines;
    }
    let width = columns.saturating_sub(NAMES).max(16);
    let (came, due): (Vec<char>, Vec<char>) = (part.chars().collect(), expected.chars().collect());
    let rows = came.len().max(due.len()).div_ceil(width);
    for row in 0..rows {
        let slice = |chars: &[char]| chars.iter().skip(row * width).take(width).copied().collect::<Vec<_>>();
        let (came, due) = (slice(&came), slice(&due));
        // Both names in each pair: of four rows under each other nobody knows which is whose.
        lines.push(fact("received", marked(&came, &due, verdict, Paint::Marked)));
        lines.push(fact("expected", marked(&due, &came, verdict, Paint::Good)));
    }
    lines
}

/// The part of a header that is to be compared: for a list of signatures, the first of the expected one's kind.
fn same_part<'a>(received: &'a str, expected: &str) -> &'a str {
    let key = expected.find(['=', ',']).map_or("", |at| &expected[..=at]);
    let start = if key.len() <= 8 { received.find(key).unwrap_or(0) } else { 0 };
    let rest = &received[start..];
    rest.char_indices().nth(expected.chars().count()).map_or(rest, |(at, _)| &rest[..at])
}

fn marked(chars: &[char], others: &[char], verdict: Verdict, paint: Paint) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for (at, c) in chars.iter().enumerate() {
        let differs = verdict == Verdict::Failed && others.get(at) != Some(c);
        let paint = if differs { paint } else { Paint::Plain };
        match pieces.last_mut() {
            Some(last) if last.paint == paint => last.text.push_str(&body::escape(&c.to_string())),
            _ => pieces.push(piece(paint, &c.to_string())),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_as_a_person_reads_it() {
        for (age, words) in [
            (0, "of the same second as the request"),
            (305, "305 s before the request came"),
            (10_800, "3 h before the request came"),
            (-1_800, "30 min after the request came"),
            (i64::MIN, "106751991167 d after the request came"),
        ] {
            assert_eq!(age_words(age), words);
        }
    }

    #[test]
    fn the_signature_of_the_expected_kind_is_compared() {
        for (received, expected, part) in [
            ("sha256=00ff", "sha256=11ee", "sha256=00ff"),
            ("t=1,v1=aaaa,v0=bbbb", "v1=cccc", "v1=aaaa"),
            ("v1,AAAA v1,BBBB", "v1,CCCC", "v1,AAAA"),
            ("rubbish", "v1=cccc", "rubbish"),
            ("", "v1=cccc", ""),
        ] {
            assert_eq!(same_part(received, expected), part);
        }
    }
}
