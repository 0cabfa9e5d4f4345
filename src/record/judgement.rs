//! What creel thinks of a signature, and why.

use super::{
    mask::{self, MASK},
    text,
};

/// The result of a signature check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The signature is right, and its timestamp, where there is one, is fresh.
    Passed,
    /// The check was made and did not pass; a [`Fault`] says how.
    Failed,
    /// Nothing says that this request should be signed.
    #[default]
    Unsigned,
    /// A provider is known, but its signature could not be checked: no secret, or a scheme creel cannot check.
    Unchecked,
}

/// Why a check did not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// A header (or field) that the scheme needs is not there.
    HeaderMissing,
    /// The signature or its timestamp is not in the form of the scheme.
    Malformed,
    /// The signature is of other bytes, or made with another secret.
    Mismatch,
    /// The signature is right and its timestamp is too old, or too far in the future.
    Stale,
    /// No secret is configured.
    SecretMissing,
    /// What the scheme needs cannot be checked here.
    Unsupported,
}

/// Every verdict with its name in JSON and in filters, and its number in the store.
const VERDICTS: [(Verdict, &str); 4] = [
    (Verdict::Passed, "passed"),
    (Verdict::Failed, "failed"),
    (Verdict::Unsigned, "unsigned"),
    (Verdict::Unchecked, "unchecked"),
];

/// Every fault with its name in JSON and in filters, and its number in the store.
const FAULTS: [(Fault, &str); 6] = [
    (Fault::HeaderMissing, "header-missing"),
    (Fault::Malformed, "malformed"),
    (Fault::Mismatch, "mismatch"),
    (Fault::Stale, "stale"),
    (Fault::SecretMissing, "secret-missing"),
    (Fault::Unsupported, "unsupported"),
];

impl Verdict {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        VERDICTS.iter().map(|row| row.0)
    }

    /// The name in JSON and in filters.
    pub fn name(self) -> &'static str {
        VERDICTS[self as usize].1
    }

    /// The verdict of that name.
    pub fn named(name: &str) -> Option<Self> {
        VERDICTS.iter().find(|row| row.1 == name).map(|row| row.0)
    }
}

impl Fault {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        FAULTS.iter().map(|row| row.0)
    }

    /// The name in JSON and in filters.
    pub fn name(self) -> &'static str {
        FAULTS[self as usize].1
    }

    /// The fault of that name.
    pub fn named(name: &str) -> Option<Self> {
        FAULTS.iter().find(|row| row.1 == name).map(|row| row.0)
    }
}

/// Why a check failed, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The class of the change that reproduces the received signature, where one does.
    pub by: Option<String>,
    /// One or two sentences.
    pub text: String,
    /// How many candidates were tried.
    pub tried: u64,
}

/// What came and what should have come. Both are signatures, never secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Where the signature was looked for: a header's name, or a field's.
    pub place: String,
    /// The signature as it was received, where there was one.
    pub received: Option<String>,
    /// The signature that the first configured secret gives, in the form the scheme writes it. None where only the
    /// sender can make one (public key schemes).
    pub expected: Option<String>,
    /// What is signed, in the terms of the provider's file: `{timestamp}.{body}`.
    pub content: String,
    /// Where the body that was signed differs from the one that came, where that was found out.
    pub difference: Option<String>,
}

/// A question of the provider: whether somebody is there, whether the URL is yours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// What was asked, in words.
    pub about: String,
    /// The body of the answer; none where it was not answered.
    pub answer: Option<String>,
    /// What a person must see or do.
    pub show: Option<String>,
}

/// The whole judgement of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// The result.
    pub verdict: Verdict,
    /// Why it did not pass.
    pub fault: Option<Fault>,
    /// Why it did not pass, in words.
    pub explanation: Option<Explanation>,
    /// What came, what was expected.
    pub evidence: Option<Evidence>,
    /// How old the signature's timestamp was on arrival, in seconds; negative where it lay in the future.
    pub age_s: Option<i64>,
    /// Whether the signature covers the body. A token in a header does not.
    pub covers_body: Option<bool>,
    /// What the provider asked, where the request is a handshake.
    pub handshake: Option<Handshake>,
    /// The URL that led here as it came, where a tunnel did: schemes may sign it, and nobody else knows it afterwards.
    pub url: Option<String>,
}

impl Judgement {
    /// Whether it proves that every byte of the body is what was sent.
    pub fn proves_the_body(&self) -> bool {
        self.verdict == Verdict::Passed && self.covers_body == Some(true)
    }

    /// What a signature that passed says nothing about, in words; none where it covers the body.
    pub fn uncovered(&self) -> Option<String> {
        let evidence = self.evidence.as_ref().filter(|_| self.covers_body == Some(false))?;
        Some(match evidence.content.strip_prefix("nothing") {
            Some(_) => "a token only: whoever has it can send any body".to_owned(),
            None => format!("only {} is signed: the body could be any", evidence.content),
        })
    }

    /// The same for others: without the signature that was expected, which would let in who sends that body; without the secrets of
    /// URLs; and, where the request `has_secrets`, without what is repeated of it.
    #[must_use]
    pub fn concealed(mut self, has_secrets: bool) -> Self {
        let hide = |text: &mut String| MASK.clone_into(text);
        let hide_in_urls = |text: &mut String| {
            let mut bytes = std::mem::take(text).into_bytes();
            mask::urls(&mut bytes);
            *text = String::from_utf8_lossy(&bytes).into_owned();
        };
        self.explanation.iter_mut().for_each(|explanation| hide_in_urls(&mut explanation.text));
        if let Some(evidence) = &mut self.evidence {
            evidence.expected.iter_mut().for_each(hide);
            evidence.difference.iter_mut().filter(|_| has_secrets).for_each(hide);
        }
        if let Some(asked) = &mut self.handshake {
            asked.answer.iter_mut().filter(|_| has_secrets).for_each(hide);
            // A URL to open, or the very secret.
            asked.show.iter_mut().for_each(|show| if show.contains("://") { hide_in_urls(show) } else { hide(show) });
        }
        self
    }
}

impl Evidence {
    /// The received bytes as text for evidence (see [`text::lossless`]).
    pub fn shown(bytes: &[u8]) -> String {
        text::lossless(bytes).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shared_of_a_judgement_lets_nobody_in() {
        let evidence = |expected: &str, difference: &str| Evidence {
            place: "X-Sig".to_owned(),
            received: Some("sig".to_owned()),
            expected: Some(expected.to_owned()),
            content: "{url}".to_owned(),
            difference: Some(difference.to_owned()),
        };
        let explained = |text: &str| Explanation { by: None, text: text.to_owned(), tried: 1 };
        let asked = |answer: &str, show: &str| Handshake {
            about: "it asks".to_owned(),
            answer: Some(answer.to_owned()),
            show: Some(show.to_owned()),
        };
        let judgement = Judgement {
            explanation: Some(explained("It covers the URL, taken to be https://h/?a=1&token=hush.")),
            evidence: Some(evidence("good", "byte 7")),
            handshake: Some(asked("yes", "https://h/?Token=hush")),
            ..Judgement::default()
        };
        let without = |judgement: &Judgement, has_secrets| {
            let it = judgement.clone().concealed(has_secrets);
            (it.explanation.unwrap().text, it.evidence.unwrap(), it.handshake.unwrap())
        };
        let text = "It covers the URL, taken to be https://h/?a=1&token=*****".to_owned();
        let shown = (text.clone(), evidence(MASK, "byte 7"), asked("yes", "https://h/?Token=****"));
        assert_eq!(without(&judgement, false), shown);
        assert_eq!(without(&judgement, true), (text, evidence(MASK, MASK), asked(MASK, "https://h/?Token=****")));
        let token = Judgement { handshake: Some(asked("yes", "hush")), ..judgement };
        assert_eq!(without(&token, false).2, asked("yes", MASK));
    }

    #[test]
    fn every_name_finds_its_own_row() {
        assert!(Verdict::all().all(|v| Verdict::named(v.name()) == Some(v)));
        assert!(Fault::all().all(|f| Fault::named(f.name()) == Some(f)));
        assert_eq!((Verdict::all().count(), Fault::all().count()), (VERDICTS.len(), FAULTS.len()));
    }
}
