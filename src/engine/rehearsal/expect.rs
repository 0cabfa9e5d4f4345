//! What is expected of a reply, and in what one is not as expected.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use crate::{
    engine::transform::{Transform, transform},
    record::{Outcome, Reply, grammar::is_token, text::lossless},
};

/// How much of a value that is not what was expected is shown, in characters.
const SHOWN: usize = 120;

/// What is expected of a reply. Without a status one of 2xx is.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The status: 200, "2xx", or a list of such.
    pub status: Option<OneOrMany>,
    /// The longest time until the whole reply is there, in milliseconds.
    pub within_ms: Option<u64>,
    /// Texts that stand in the body.
    pub body_contains: Option<OneOrMany>,
    /// Headers, and a text that stands in the value of each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub header: BTreeMap<String, String>,
    /// Places in a JSON body (RFC 6901), and the value at each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub json: BTreeMap<String, Value>,
    /// jq programs that give true for the JSON body.
    pub jq: Option<OneOrMany>,
}

/// A value, or a list of them.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// Several. The first that fits is taken, and a list is a value too.
    Many(Vec<Value>),
    /// One.
    One(Value),
}

impl Expect {
    /// Whether any reply could be as this says: what none can be is a mistake of whoever wrote it, and no fault of an app.
    pub(super) fn check(&self) -> Result<(), String> {
        for rule in all(self.status.as_ref()) {
            let is_one = rule.as_u64().is_some_and(|status| (100..=599).contains(&status));
            if !is_one && !rule.as_str().is_some_and(is_status) {
                return Err(format!("no status is `{}`: write 200, \"2xx\", or a list of such", plain(rule)));
            }
        }
        if let Some(name) = self.header.keys().find(|name| !is_token(name.as_bytes())) {
            return Err(format!("no header has the name `{name}`"));
        }
        if all(self.body_contains.as_ref()).into_iter().any(|text| plain(text).is_empty()) {
            return Err("body_contains is empty: every body has that".to_owned());
        }
        if let Some(pointer) = self.json.keys().find(|pointer| !pointer.is_empty() && !pointer.starts_with('/')) {
            return Err(format!("`{pointer}` is no JSON pointer: write `/{}`", pointer.replace('.', "/")));
        }
        for program in all(self.jq.as_ref()) {
            let text = program.as_str().ok_or_else(|| format!("jq = {program} is no program: it is a text"))?;
            let program = Transform { program: text.to_owned(), whole: false };
            program.check().map_err(|failure| format!("jq = `{text}`: {}", failure.why))?;
        }
        Ok(())
    }
}

/// Whether a text is a status or a rule for several.
fn is_status(text: &str) -> bool {
    hundreds(text).is_some() || text.parse().is_ok_and(|status: u16| (100..=599).contains(&status))
}

/// In what a reply is not as expected, a sentence each.
pub(super) fn faults(expect: &Expect, outcome: &Outcome, took_ms: u64) -> Vec<String> {
    let reply = match outcome {
        Outcome::Failed(_, why) => return vec![why.clone()],
        Outcome::Replied(reply) => reply,
    };
    let mut faults = Vec::new();
    faults.extend(status_fault(expect.status.as_ref(), reply.status));
    let late = expect.within_ms.filter(|most| took_ms > *most);
    faults.extend(late.map(|most| format!("it took {took_ms} ms, not {most} ms at most")));
    for (name, text) in &expect.header {
        let mut values = reply.headers.get_all(name).map(lossless);
        if !values.any(|value| value.contains(text)) {
            faults.push(format!("there is no `{text}` in a header {name}"));
        }
    }
    let body = lossless(&reply.body);
    for text in all(expect.body_contains.as_ref()) {
        if !body.contains(&plain(text)) {
            faults.push(format!("there is no `{}` in the body", plain(text)));
        }
    }
    faults.extend(json_faults(expect, reply));
    faults
}

fn status_fault(wanted: Option<&OneOrMany>, status: u16) -> Option<String> {
    let fits = |rule: &Value| {
        let rule = plain(rule);
        rule == status.to_string() || hundreds(&rule).is_some_and(|hundreds| hundreds == status / 100)
    };
    let rules = if wanted.is_some() { all(wanted) } else { vec![] };
    if rules.is_empty() {
        return (!(200..300).contains(&status)).then(|| format!("the status is {status}, not 2xx"));
    }
    let words = || rules.iter().map(|rule| plain(rule)).collect::<Vec<_>>().join(" or ");
    (!rules.iter().any(|rule| fits(rule))).then(|| format!("the status is {status}, not {}", words()))
}

/// The first digit of a rule like `2xx`.
fn hundreds(rule: &str) -> Option<u16> {
    let digit = rule.to_ascii_lowercase().strip_suffix("xx")?.parse().ok()?;
    (1..=5).contains(&digit).then_some(digit)
}

fn json_faults(expect: &Expect, reply: &Reply) -> Vec<String> {
    let programs = all(expect.jq.as_ref());
    if expect.json.is_empty() && programs.is_empty() {
        return Vec::new();
    }
    let Ok(body) = serde_json::from_slice::<Value>(&reply.body) else { return vec!["the body is no JSON".to_owned()] };
    let mut faults = Vec::new();
    for (pointer, wanted) in &expect.json {
        let place = if pointer.is_empty() { "the root" } else { pointer };
        match body.pointer(pointer) {
            Some(found) if is_same(found, wanted) => {}
            Some(found) => faults.push(format!("at {place} stands {}, not {}", short(found), short(wanted))),
            None => faults.push(format!("there is nothing at {pointer}")),
        }
    }
    for program in programs.into_iter().map(plain) {
        match transform(&program, &reply.body) {
            Ok(result) if result == b"true" => {}
            Ok(result) => faults.push(format!("`{program}` gives {}", short_text(&lossless(&result)))),
            Err(failure) => faults.push(format!("`{program}`: {}", failure.why)),
        }
    }
    faults
}

fn all(values: Option<&OneOrMany>) -> Vec<&Value> {
    match values {
        None => Vec::new(),
        Some(OneOrMany::One(value)) => vec![value],
        Some(OneOrMany::Many(values)) => values.iter().collect(),
    }
}

/// A text without its quotes; any other value as JSON.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Whether two values are the same; numbers by what they are, not by how they are written.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => is_same_number(x, y),
        (Value::Array(x), Value::Array(y)) => x.len() == y.len() && x.iter().zip(y).all(|(x, y)| is_same(x, y)),
        (Value::Object(x), Value::Object(y)) => {
            x.len() == y.len() && x.iter().all(|(name, x)| y.get(name).is_some_and(|y| is_same(x, y)))
        }
        _ => a == b,
    }
}

/// Whole numbers digit by digit, however large; others as every reader of JSON takes them.
fn is_same_number(a: &Number, b: &Number) -> bool {
    let is_whole = |number: &Number| number.as_str().bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    a == b || (!(is_whole(a) && is_whole(b)) && a.as_f64().is_some() && a.as_f64() == b.as_f64())
}

fn short(value: &Value) -> String {
    short_text(&value.to_string())
}

fn short_text(text: &str) -> String {
    if text.chars().count() <= SHOWN { text.to_owned() } else { text.chars().take(SHOWN).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::record::Cause;

    fn expect(toml: &str) -> Expect {
        toml::from_str(toml).unwrap()
    }

    fn reply(status: u16, body: &'static str) -> Outcome {
        let headers = [("Content-Type", "application/json")].into_iter().collect();
        Outcome::Replied(Reply { status, headers, body: Bytes::from_static(body.as_bytes()), truncated: false })
    }

    #[test]
    fn a_reply_is_held_against_what_is_expected() {
        let good = reply(201, r#"{"ok":true,"n":1.0,"items":[{"id":"a"}],"large":12345678901234567890}"#);
        for toml in [
            "",
            "status = 201",
            "status = '2xx'",
            "status = [200, '2xx']",
            "within_ms = 12",
            "body_contains = ['true', 'items']",
            "header = { content-type = 'json' }",
            "status = '2XX'",
            "json = { '/n' = 1, '/items/0/id' = 'a', '/items' = [{ id = 'a' }], '/large' = 12345678901234567890 }",
        ] {
            expect(toml).check().unwrap();
            assert_eq!(faults(&expect(toml), &good, 12), [""; 0], "{toml}");
        }
        for (toml, fault) in [
            ("status = 200", "the status is 201, not 200"),
            ("status = [200, '5xx']", "the status is 201, not 200 or 5xx"),
            ("within_ms = 11", "it took 12 ms, not 11 ms at most"),
            ("body_contains = 'no'", "there is no `no` in the body"),
            ("header = { x = 'y' }", "there is no `y` in a header x"),
            ("json = { '/n' = 2 }", "at /n stands 1.0, not 2"),
            ("json = { '/m' = 2 }", "there is nothing at /m"),
            (
                "json = { '/large' = 12345678901234567891 }",
                "at /large stands 12345678901234567890, not 12345678901234567891",
            ),
        ] {
            assert_eq!(faults(&expect(toml), &good, 12), [fault], "{toml}");
        }
        assert_eq!(faults(&expect(""), &reply(500, ""), 1), ["the status is 500, not 2xx"]);
        assert_eq!(faults(&expect("json = { '/a' = 1 }"), &reply(200, "x"), 1), ["the body is no JSON"]);
        assert_eq!(faults(&expect(""), &Outcome::Failed(Cause::Refused, "refused".into()), 1), ["refused"]);
        assert!(toml::from_str::<Expect>("stauts = 200").is_err());
    }

    #[test]
    fn what_no_reply_can_be_is_a_mistake() {
        for (toml, words) in [
            ("status = 999", "no status is `999`"),
            ("status = ['2xx', '20x']", "no status is `20x`"),
            ("status = true", "no status is `true`"),
            ("header = { 'Content Type' = 'json' }", "no header has the name `Content Type`"),
            ("body_contains = ['a', '']", "body_contains is empty"),
            ("json = { 'data.id' = 7 }", "`data.id` is no JSON pointer: write `/data/id`"),
            ("jq = 5", "jq = 5 is no program"),
        ] {
            let said = expect(toml).check().unwrap_err();
            assert!(said.starts_with(words), "{toml}: {said}");
        }
    }
}
