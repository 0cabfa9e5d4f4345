//! Lists and texts that lie in one column, written and read back without losing a byte.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::record::{Change, Evidence, Explanation, Handshake, Headers, Judgement};

/// Bytes of a length in a header list: little-endian, unsigned.
const LENGTH_BYTES: usize = 4;

/// Headers as one blob: name and value of each in order, each after its length. None for no headers.
///
/// Lengths and not lines, because a list need not have come from lines: HTTP/2 and trailers may hold any byte.
pub(super) fn headers_in(headers: &Headers) -> Option<Vec<u8>> {
    if headers.is_empty() {
        return None;
    }
    let size = headers.iter().map(|h| h.name.len() + h.value.len() + 2 * LENGTH_BYTES).sum();
    let mut blob = Vec::with_capacity(size);
    for part in headers.iter().flat_map(|header| [header.name, header.value]) {
        blob.extend_from_slice(&(part.len() as u32).to_le_bytes());
        blob.extend_from_slice(part);
    }
    Some(blob)
}

/// The headers of a blob; none where it is not whole.
pub(super) fn headers_out(blob: Option<Vec<u8>>) -> Option<Headers> {
    let blob = blob.unwrap_or_default();
    let mut rest = &blob[..];
    let mut headers = Headers::default();
    while !rest.is_empty() {
        headers.push(part(&mut rest)?, part(&mut rest)?);
    }
    Some(headers)
}

fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<LENGTH_BYTES>()?;
    let (part, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    *rest = after;
    Some(part)
}

/// The words of a judgement, as JSON in column `judgement`. What filters ask for has columns of its own.
#[derive(Serialize, Deserialize)]
struct Words<'a> {
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    explanation: Option<ExplanationWords<'a>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    evidence: Option<EvidenceWords<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    handshake: Option<HandshakeWords<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    url: Option<Cow<'a, str>>,
}

#[derive(Serialize, Deserialize)]
struct HandshakeWords<'a> {
    #[serde(borrow)]
    about: Cow<'a, str>,
    answer: Option<Cow<'a, str>>,
    show: Option<Cow<'a, str>>,
}

#[derive(Serialize, Deserialize)]
struct ExplanationWords<'a> {
    by: Option<Cow<'a, str>>,
    #[serde(borrow)]
    text: Cow<'a, str>,
    tried: u64,
}

#[derive(Serialize, Deserialize)]
struct EvidenceWords<'a> {
    #[serde(borrow)]
    place: Cow<'a, str>,
    received: Option<Cow<'a, str>>,
    /// None where it is the one that was received, or where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expected: Option<Cow<'a, str>>,
    /// Whether what was expected is what was received: so it is where a check passed, and need not stand twice.
    #[serde(default, skip_serializing_if = "is_no")]
    same: bool,
    #[serde(borrow)]
    content: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    difference: Option<Cow<'a, str>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_no(yes: &bool) -> bool {
    !yes
}

/// What stands in words in a judgement as JSON; none where there is nothing of it.
pub(super) fn words_in(judgement: &Judgement) -> Option<String> {
    let words = Words {
        explanation: judgement.explanation.as_ref().map(|words| ExplanationWords {
            by: words.by.as_deref().map(Cow::Borrowed),
            text: Cow::Borrowed(&words.text),
            tried: words.tried,
        }),
        evidence: judgement.evidence.as_ref().map(|words| EvidenceWords {
            place: Cow::Borrowed(&words.place),
            received: words.received.as_deref().map(Cow::Borrowed),
            expected: words.expected.as_deref().filter(|_| !is_same(words)).map(Cow::Borrowed),
            same: is_same(words),
            content: Cow::Borrowed(&words.content),
            difference: words.difference.as_deref().map(Cow::Borrowed),
        }),
        handshake: judgement.handshake.as_ref().map(|words| HandshakeWords {
            about: Cow::Borrowed(&words.about),
            answer: words.answer.as_deref().map(Cow::Borrowed),
            show: words.show.as_deref().map(Cow::Borrowed),
        }),
        url: judgement.url.as_deref().map(Cow::Borrowed),
    };
    let any =
        words.explanation.is_some() || words.evidence.is_some() || words.handshake.is_some() || words.url.is_some();
    any.then(|| serde_json::to_string(&words).unwrap_or_default())
}

/// Whether what was expected came.
fn is_same(words: &Evidence) -> bool {
    words.expected.is_some() && words.expected == words.received
}

/// What stands in words in a judgement.
pub(super) type JudgedWords = (Option<Explanation>, Option<Evidence>, Option<Handshake>, Option<String>);

/// The words of a column; none where they cannot be read.
pub(super) fn words_out(json: Option<&str>) -> Option<JudgedWords> {
    let Some(json) = json else { return Some((None, None, None, None)) };
    let words: Words<'_> = serde_json::from_str(json).ok()?;
    let explanation = words.explanation.map(|words| Explanation {
        by: words.by.map(Cow::into_owned),
        text: words.text.into_owned(),
        tried: words.tried,
    });
    let evidence = words.evidence.map(|words| Evidence {
        place: words.place.into_owned(),
        expected: if words.same { words.received.as_deref() } else { words.expected.as_deref() }.map(str::to_owned),
        received: words.received.map(Cow::into_owned),
        content: words.content.into_owned(),
        difference: words.difference.map(Cow::into_owned),
    });
    let handshake = words.handshake.map(|words| Handshake {
        about: words.about.into_owned(),
        answer: words.answer.map(Cow::into_owned),
        show: words.show.map(Cow::into_owned),
    });
    Some((explanation, evidence, handshake, words.url.map(Cow::into_owned)))
}

/// One line of a receipt, as JSON in column `receipt`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    Replaced(String, String, String),
    Dropped(String, String),
    Added(String, String),
    Other(String, String, String),
}

/// A receipt as JSON.
pub(super) fn receipt_in(receipt: &[Change]) -> String {
    let lines: Vec<Line> = receipt.iter().cloned().map(Line::from).collect();
    serde_json::to_string(&lines).unwrap_or_default()
}

/// The receipt of a column; none where it cannot be read.
pub(super) fn receipt_out(json: &str) -> Option<Vec<Change>> {
    let lines: Vec<Line> = serde_json::from_str(json).ok()?;
    Some(lines.into_iter().map(Change::from).collect())
}

impl From<Change> for Line {
    fn from(change: Change) -> Self {
        match change {
            Change::Replaced { name, from, to } => Self::Replaced(name, from, to),
            Change::Dropped { name, value } => Self::Dropped(name, value),
            Change::Added { name, value } => Self::Added(name, value),
            Change::Other { what, from, to } => Self::Other(what, from, to),
        }
    }
}

impl From<Line> for Change {
    fn from(line: Line) -> Self {
        match line {
            Line::Replaced(name, from, to) => Self::Replaced { name, from, to },
            Line::Dropped(name, value) => Self::Dropped { name, value },
            Line::Added(name, value) => Self::Added { name, value },
            Line::Other(what, from, to) => Self::Other { what, from, to },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_any_bytes_come_back() {
        let headers: Headers =
            [(&b"X-A"[..], &b"1"[..]), (b"x-a", b""), (b"", b"\x00\n: \xff"), (b"a:b\r\n", b"c")].into_iter().collect();
        assert_eq!(headers_out(headers_in(&headers)), Some(headers));
        assert_eq!(headers_in(&Headers::default()), None);
        assert_eq!(headers_out(None), Some(Headers::default()));
    }

    #[test]
    fn a_cut_header_list_is_noticed_wherever_it_is_cut() {
        let headers: Headers = [("Date", "today")].into_iter().collect();
        let blob = headers_in(&headers).unwrap();
        for end in 1..blob.len() {
            assert_eq!(headers_out(Some(blob[..end].to_vec())), None, "cut after {end}");
        }
        assert_eq!(headers_out(Some(vec![0xff; 12])), None);
    }

    #[test]
    fn a_judgement_s_words_come_back() {
        let explanation = Explanation { by: Some("newline".into()), text: "a \"quoted\" \u{1f41f}".into(), tried: 3 };
        let evidence = Evidence {
            place: "X-Sig".into(),
            received: Some("a\\b\n".into()),
            expected: None,
            content: "{body}".into(),
            difference: Some("byte 1: signed a, received b".into()),
        };
        let handshake = Handshake { about: "is it you?".into(), answer: Some("{\"a\":1}".into()), show: None };
        let passed = Evidence { expected: evidence.received.clone(), ..evidence.clone() };
        let failed = Evidence { expected: Some("b".into()), ..evidence.clone() };
        for (explanation, evidence, handshake) in [
            (None, None, None),
            (None, Some(passed), None),
            (None, Some(failed), None),
            (Some(explanation.clone()), None, None),
            (None, Some(evidence.clone()), None),
            (None, None, Some(handshake.clone())),
            (Some(Explanation { by: None, ..explanation }), Some(evidence), Some(handshake)),
        ] {
            let judgement = Judgement {
                explanation: explanation.clone(),
                evidence: evidence.clone(),
                handshake: handshake.clone(),
                ..Judgement::default()
            };
            let url = Some("https://a.example".to_owned());
            let tunnelled = Judgement { url: url.clone(), ..judgement.clone() };
            for (judgement, url) in [(judgement, None), (tunnelled, url)] {
                let words = (explanation.clone(), evidence.clone(), handshake.clone(), url);
                assert_eq!(words_out(words_in(&judgement).as_deref()), Some(words));
            }
        }
        assert_eq!(words_in(&Judgement::default()), None);
        assert_eq!(words_out(Some("{\"explanation\":7}")), None);
    }

    #[test]
    fn a_receipt_comes_back() {
        let (name, value) = (String::from("Host"), String::from("a\tb"));
        let receipt = vec![
            Change::Replaced { name: name.clone(), from: value.clone(), to: "c".into() },
            Change::Dropped { name: name.clone(), value: value.clone() },
            Change::Added { name: name.clone(), value: value.clone() },
            Change::Other { what: "version".into(), from: name, to: value },
        ];
        assert_eq!(receipt_out(&receipt_in(&receipt)), Some(receipt));
        assert_eq!(receipt_out("[{\"eaten\":[]}]"), None);
    }
}
