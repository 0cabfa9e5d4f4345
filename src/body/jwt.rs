//! The view of a JSON Web Token (RFC 7519): header and claims as JSON, moments in words. The signature is not checked.

use base64::Engine;
use serde_json::Value;

use super::{Content, Document, Role, beside, stack, stack::Stack, tree};
use crate::record::{Timestamp, counted};

/// The longest token, in bytes.
const LONGEST: usize = 1 << 20;

/// A token, its parts decoded.
pub(super) struct Token {
    pub(super) header: Vec<u8>,
    pub(super) claims: Vec<u8>,
    signature: Vec<u8>,
}

/// Three parts in base64url of which the first two are JSON objects, the first with an `alg` (RFC 7515, section 7.1).
pub(super) fn read(text: &[u8]) -> Option<Token> {
    if text.len() > LONGEST || !text.starts_with(b"ey") {
        return None;
    }
    let mut parts =
        text.split(|&byte| byte == b'.').map(|part| base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part));
    let token = Token { header: parts.next()?.ok()?, claims: parts.next()?.ok()?, signature: parts.next()?.ok()? };
    let header: Value = serde_json::from_slice(&token.header).ok()?;
    let claims: Value = serde_json::from_slice(&token.claims).ok()?;
    (parts.next().is_none() && header.get("alg").is_some() && claims.is_object()).then_some(token)
}

/// A token and nothing else.
pub(super) fn fits(content: &Content) -> bool {
    content.coding().is_none() && read(content.bytes.trim_ascii()).is_some()
}

/// Decodes the token.
pub(super) fn open(content: &Content) -> Result<Box<dyn Document>, String> {
    content.refuse_coding()?;
    let token = read(content.bytes.trim_ascii())
        .ok_or("this is no JSON Web Token: three parts in base64url, the first two JSON")?;
    let claims: Value = serde_json::from_slice(&token.claims).unwrap_or_default();
    let heading = |text: &str| vec![stack::span(Role::Markup, text)];
    let mut stack = Stack::default();
    stack.add(vec![heading("header")]);
    stack.push(tree::document(token.header.into()));
    stack.add(vec![heading("claims")]);
    stack.push(tree::document(token.claims.into()));
    let moments = moments(&claims, content.received_at);
    if !moments.is_empty() {
        stack.add([vec![heading("moments")], moments].concat());
    }
    let hex = token.signature.iter().take(64).fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let words = format!("{}, not checked", counted(token.signature.len() as u64, "byte"));
    stack.add(vec![heading("signature"), stack::fact(&words, &hex)]);
    Ok(stack.noted(&["the signature is not checked here".to_owned()]))
}

/// The moments that claims speak of, each with how far it was from when the token came.
fn moments(claims: &Value, received_at: Option<Timestamp>) -> Vec<super::Line> {
    let names = [("iat", "issued"), ("nbf", "valid from"), ("exp", "valid until"), ("auth_time", "signed in")];
    let moments = names.iter().filter_map(|(name, words)| {
        let moment = claims
            .get(name)?
            .as_f64()
            .filter(|number| *number >= 0.0)
            .and_then(|number| beside::unix(number as u64))?;
        let apart = received_at.map_or(String::new(), |at| format!(", {}", apart(moment, at)));
        Some(stack::fact(words, &format!("{}{apart}", beside::words(moment))))
    });
    moments.collect()
}

/// How far a moment was from another one, in words.
fn apart(moment: Timestamp, from: Timestamp) -> String {
    let s = moment.since_ms(from) / 1000;
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let (unit, name) = units.into_iter().find(|(unit, _)| s.abs() >= *unit).unwrap_or((1, "second"));
    let words = counted(s.unsigned_abs() / unit.unsigned_abs(), name);
    if s == 0 {
        return "as it came".to_owned();
    }
    format!("{words} {} it came", if s < 0 { "before" } else { "after" })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJjcmVlbCIsImV4cCI6MTc5NTQyNDcwMCwiaWF0IjoxNzk1NDI0NDAwfQ.c2ln";

    fn lines(content: &Content) -> Vec<String> {
        let document = open(content).unwrap();
        let lines = document.lines(0..document.line_count());
        lines.iter().map(|line| line.iter().map(|span| &span.text[..]).collect()).collect()
    }

    #[test]
    fn a_token_is_taken_apart_and_its_moments_are_put_in_words() {
        let content = Content {
            bytes: TOKEN.as_bytes().to_vec().into(),
            received_at: Some(Timestamp::from_unix_s(1_795_424_460)),
            ..Content::default()
        };
        assert!(fits(&content));
        let lines = lines(&content);
        assert_eq!(lines[..4], ["header", "{", "  \"alg\": \"HS256\"", "}"]);
        assert!(
            lines.contains(&"issued           2026-11-23 09:00:00 UTC, 1 minute before it came".to_owned()),
            "{lines:?}"
        );
        assert!(
            lines.contains(&"valid until      2026-11-23 09:05:00 UTC, 4 minutes after it came".to_owned()),
            "{lines:?}"
        );
        assert_eq!(lines.last().unwrap(), "3 bytes, not checked 736967");
    }

    #[test]
    fn what_is_no_token_is_none() {
        for text in ["", "a.b.c", "eyJh.eyJh", &TOKEN[1..], &TOKEN.replace('.', " "), &format!("{TOKEN}.x")] {
            let content = Content { bytes: text.as_bytes().to_vec().into(), ..Content::default() };
            assert!(!fits(&content) && open(&content).is_err(), "{text}");
        }
    }
}
