//! What stands beside a value of JSON: the moment a number or text means, what a token says, what lies in a coded text, or
//! which letters are escaped in it.

use base64::Engine;

use super::{Line, Role, Span, fit};
use crate::record::Timestamp;

/// How many columns what lies in a coded text may take.
const COLUMNS: usize = 72;
/// The shortest text that is taken for base64: shorter ones are words.
const SHORTEST: usize = 16;
/// The longest text that is looked at, in bytes.
const LONGEST: usize = 4_096;
/// The largest whole number that every reader keeps: beyond it, many make it a double and round it.
const EXACT: u64 = 1 << 53;

/// Names that moments have, in lower case.
const NAMES: &[&str] =
    &["exp", "iat", "nbf", "ts", "t", "at", "on", "since", "until", "start", "end", "when", "auth_time"];
/// How such names end.
const ENDS: &[&str] = &["_at", "_on", "_ts", "_start", "_end", "_after", "_before", "_until", "_since", "_exp"];
/// What stands in such names.
const PARTS: &[&str] = &["time", "date", "stamp", "created", "updated", "expir", "modified", "deadline"];

/// Whether a name stands out because it was there before, and not because it is no text of JSON.
fn is_again(name: &Span) -> bool {
    // What stands for a control character is no such character any more.
    let is_control = |c: char| ('\u{2400}'..='\u{2421}').contains(&c);
    name.role == Role::Error
        && !name.text.contains(is_control)
        && serde_json::from_str::<serde::de::IgnoredAny>(&name.text).is_ok()
}

/// Adds to a line what its value stands for, where that is known.
pub(super) fn beside(line: &mut Line) {
    let name = line.iter().find(|span| span.role == Role::Key).map(|span| span.text.trim_matches('"'));
    let again = line.iter().position(|span| span.text == ":").is_some_and(|colon| line[..colon].iter().any(is_again));
    let value = line.iter().find(|span| matches!(span.role, Role::Text | Role::Number));
    let words = match value {
        _ if again => Some("this name was there before".to_owned()),
        Some(span) if span.role == Role::Number => number(name.unwrap_or_default(), &span.text),
        Some(span) => quoted(&span.text).and_then(text),
        None => None,
    };
    let name_reads = || name.and_then(spelled_out).map(|name| format!("the name reads {name}"));
    let words = words.or_else(name_reads);
    if let Some(words) = words {
        line.push(Span { role: Role::Dim, text: format!("  {}", fit(&words, COLUMNS)) });
    }
}

/// What is between the quotes of a whole string on one line.
fn quoted(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.strip_suffix('"')
}

/// A moment, where the name says that it is one; a number that not every reader keeps.
fn number(name: &str, text: &str) -> Option<String> {
    let Ok(whole) = text.parse::<u64>() else {
        let is_huge = text.len() > 19 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        return is_huge.then(|| "more than most readers keep exactly".to_owned());
    };
    let moment = if means_a_moment(name) { unix(whole) } else { None };
    let is_large = whole > EXACT && moment.is_none();
    moment.map(words).or_else(|| is_large.then(|| "more than a double keeps exactly".to_owned()))
}

/// Whether a member of that name holds a moment, as a rule.
fn means_a_moment(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    NAMES.contains(&&lower[..])
        || ENDS.iter().any(|end| lower.ends_with(end))
        || name.ends_with("At")
        || name.ends_with("On")
        || PARTS.iter().any(|part| lower.contains(part))
}

/// The moment of a Unix time in seconds, milli-, micro- or nanoseconds, told by its size: 2001 to 2100.
pub(super) fn unix(number: u64) -> Option<Timestamp> {
    const SECONDS: std::ops::RangeInclusive<u64> = 1_000_000_000..=4_102_444_800;
    let in_ms = |ms: u64| i64::try_from(ms).ok().map(Timestamp::from_unix_ms);
    [(1, 1000, 1), (1_000, 1, 1), (1_000_000, 1, 1_000), (1_000_000_000, 1, 1_000_000)]
        .into_iter()
        .find(|(unit, ..)| SECONDS.contains(&(number / unit)))
        .and_then(|(_, times, by)| in_ms(number * times / by))
}

/// A moment as a person reads it, to the second where it is on one.
pub(super) fn words(moment: Timestamp) -> String {
    let text = moment.to_string().replacen('T', " ", 1);
    let text = text.trim_end_matches('Z');
    format!("{} UTC", text.strip_suffix(".000").unwrap_or(text))
}

/// What a text stands for: a moment in another spelling, a token, a coded text.
fn text(text: &str) -> Option<String> {
    if text.len() > LONGEST {
        return None;
    }
    let spelled = spelled_out(text).map(|text| format!("reads {text}"));
    if text.len() < 10 {
        return spelled;
    }
    spelled.or_else(|| moment(text)).or_else(|| token(text)).or_else(|| coded(text))
}

/// A text whose letters are escaped (RFC 8259, section 7), as many libraries write all but ASCII: the letters themselves. None
/// where there are none, or only signs that the escapes are right for.
fn spelled_out(text: &str) -> Option<String> {
    if text.len() > LONGEST || !text.contains("\\u") {
        return None;
    }
    let letters: String = serde_json::from_str(&format!("\"{text}\"")).ok()?;
    letters.chars().any(|char| !char.is_ascii() && !char.is_control()).then_some(letters)
}

fn moment(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    if text.len() > 40 || bytes.get(4) != Some(&b'-') || bytes.get(7) != Some(&b'-') {
        return None;
    }
    let moment = Timestamp::from_rfc3339(text)?;
    let is_utc = text.ends_with(['Z', 'z']) || text.ends_with("+00:00");
    let unix = format!("unix {}", moment.unix_s());
    Some(if is_utc { unix } else { format!("{}, {unix}", words(moment)) })
}

/// What a JSON Web Token says of itself.
fn token(text: &str) -> Option<String> {
    let token = super::jwt::read(text.as_bytes())?;
    let member = |part: &[u8], name: &str| -> Option<String> {
        let value: serde_json::Value = serde_json::from_slice(part).ok()?;
        let value = value.get(name)?;
        Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    let mut words_ = format!("JWT {}", member(&token.header, "alg").unwrap_or_default());
    for name in ["iss", "sub"] {
        words_.extend(member(&token.claims, name).map(|value| format!(", {name} {value}")));
    }
    let end = member(&token.claims, "exp").and_then(|exp| exp.parse().ok()).and_then(unix);
    words_.extend(end.map(|end| format!(", until {}", words(end))));
    Some(words_)
}

/// The text in base64, where it is one that a person can read.
fn coded(text: &str) -> Option<String> {
    // PHP writes `\/` for `/`.
    let text = text.replace("\\/", "/");
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if text.len() < SHORTEST || is_hex || !text.len().is_multiple_of(4) {
        return None;
    }
    let bytes = base64::engine::general_purpose::STANDARD.decode(&text).ok()?;
    let plain = std::str::from_utf8(&bytes).ok()?;
    let is_readable = plain.chars().all(|char| !char.is_control() || matches!(char, '\n' | '\r' | '\t'));
    is_readable.then(|| format!("base64 of {plain}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::{Content, is_safe, tree};

    fn beside_of(json: &str) -> String {
        let content = Content { bytes: json.as_bytes().to_vec().into(), ..Content::default() };
        let document = tree::open(&content).unwrap();
        let line = document.lines(1..2).remove(0);
        let text = line.iter().filter(|span| span.role == Role::Dim).map(|span| &span.text[..]).collect::<String>();
        assert!(text.chars().all(is_safe));
        text.trim().to_owned()
    }

    #[test]
    fn what_a_value_stands_for_is_beside_it() {
        for (json, words) in [
            (r#"{"created":1795424700}"#, "2026-11-23 09:05:00 UTC"),
            (r#"{"createdAt":1795424700123}"#, "2026-11-23 09:05:00.123 UTC"),
            (r#"{"event_ts":1795424700123456}"#, "2026-11-23 09:05:00.123 UTC"),
            (r#"{"time":1795424700123456789}"#, "2026-11-23 09:05:00.123 UTC"),
            (r#"{"id":1795424700}"#, ""),
            (r#"{"id":9007199254740993}"#, "more than a double keeps exactly"),
            (r#"{"id":123456789012345678901234567890}"#, "more than most readers keep exactly"),
            (r#"{"a":"2026-11-23T09:05:00Z"}"#, "unix 1795424700"),
            (r#"{"a":"2026-11-23T10:05:00+01:00"}"#, "2026-11-23 09:05:00 UTC, unix 1795424700"),
            (r#"{"a":"2026-11-23"}"#, ""),
            (r#"{"a":"eyJmaXNoIjoidHJvdXQifQ=="}"#, r#"base64 of {"fish":"trout"}"#),
            (r#"{"a":"charge.succeeded"}"#, ""),
            (r#"{"a":"\u6f22\u5b57"}"#, "reads 漢字"),
            (r#"{"a":"caf\u00e9 \ud83d\ude00"}"#, "reads café 😀"),
            (r#"{"a":"\ud83d\ude00"}"#, "reads 😀"),
            (r#"{"\u6f22":1}"#, "the name reads 漢"),
            (r#"{"a":"\u001b]0;x\u0007"}"#, ""),
            (r#"{"a":"\ud83d alone"}"#, ""),
            (r#"{"a":"\u202eevil\u00e9"}"#, "reads ‹U+202E›evilé"),
            (r#"{"a":"deadbeefdeadbeefdeadbeef"}"#, ""),
            (r#"{"a":"G10wO293bmVkBwcHBwcHBwcH"}"#, ""),
            (
                r#"{"a":"eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJjcmVlbCIsImV4cCI6MTc5NTQyNDcwMH0.c2ln"}"#,
                "JWT HS256, iss creel, until 2026-11-23 09:05:00 UTC",
            ),
        ] {
            assert_eq!(beside_of(json), words, "{json}");
        }
        let again = Content { bytes: r#"{"a":1,"b":{"a":2},"a":3}"#.into(), ..Content::default() };
        let document = tree::open(&again).unwrap();
        let line = document.lines(5..6).remove(0);
        assert!(line.last().unwrap().text.contains("was there before"), "{line:?}");
        assert_eq!(document.note(), Some("1 name is there twice in its object: \"a\""));
        for broken in ["{\"a\":\"\u{1b}\"}", "{\"a\u{1b}\":1}", "{\"\\x\":1}"] {
            let document = tree::open(&Content { bytes: broken.into(), ..Content::default() }).unwrap();
            let shown: String = document.lines(0..3).into_iter().flatten().map(|span| span.text).collect();
            assert!(!shown.contains("was there before"), "{shown}");
        }
    }
}
