//! Changing a request by a jq program, in a child process that is allowed next to nothing.
//!
//! A jq program may run for ever, take all memory, overflow the stack or read the environment, and its library knows no
//! limits. So it runs in `creel __jq`: no environment, 512 MiB, two seconds, no files; what goes wrong there is a
//! [`Failure`] here.

use std::{
    io::{self, Read, Write},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::channel,
    time::Duration,
};

use bytes::Bytes;
use serde_json::{Value, json};

use super::{edit::no_json, spawn};
use crate::record::{
    Failure, Head, Headers,
    grammar::{is_target, is_token},
    text,
};

/// How long a program may take, from the start of its process to its end.
const DEADLINE: Duration = Duration::from_millis(1_800);
/// The largest result, in bytes.
const LARGEST_RESULT: u64 = 64 << 20;
/// How much of what it says is read, in bytes.
const LONGEST_WORDS: u64 = 4 << 10;

pub(super) const DOING: &str = "transforming by jq";

/// A jq program, and what it is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transform {
    /// The program.
    pub program: String,
    /// Whether it is given the whole request and not only the body: `{"method", "target", "headers": [[NAME, VALUE], …],
    /// "body"}`. The result is of the same form; what it leaves out stays. A body that is no JSON is a text there.
    pub whole: bool,
}

impl Transform {
    /// Reads the program and does not run it: what is wrong with it is said with its column.
    pub fn check(&self) -> Result<(), Failure> {
        ask(&["--check"], &self.program, b"").map(drop)
    }

    /// The request as the program makes it. Where nothing changes, no byte does.
    pub fn apply(&self, head: &Head, body: &Bytes) -> Result<(Head, Bytes), Failure> {
        if !self.whole {
            let made = transform(&self.program, body).map_err(|failure| of_no_json(failure, head, body))?;
            return Ok((head.clone(), made.into()));
        }
        let asked = envelope(head, body)?;
        let result = transform(&self.program, asked.to_string().as_bytes())?;
        let made: Value = serde_json::from_slice(&result).map_err(|why| Failure::new(DOING, why))?;
        changed(head, body, &asked, &made).map_err(|why| {
            Failure::new(DOING, why)
                .hint("the result has method, target, headers [[NAME, VALUE], …] and body, as the input has")
        })
    }
}

/// What to do with a body that a program cannot be given alone.
pub const GIVE_WHOLE: &str = "--whole, or `whole = true` in creel.toml, gives a program such a body as a text";

/// A failure that says what a body is that is no JSON.
fn of_no_json(failure: Failure, head: &Head, body: &[u8]) -> Failure {
    match no_json(body, head.headers()) {
        Some(what) => Failure::new(DOING, format!("the body is {what}")).hint(GIVE_WHOLE),
        None => failure,
    }
}

fn envelope(head: &Head, body: &[u8]) -> Result<Value, Failure> {
    let headers: Value = head.headers().iter().map(|header| json!([header.name_text(), header.value_text()])).collect();
    let body = match serde_json::from_slice::<Value>(body) {
        Ok(value) => value,
        Err(_) => match std::str::from_utf8(body) {
            Ok(text) => text.into(),
            Err(_) => return Err(Failure::new(DOING, "the body is neither JSON nor text")),
        },
    };
    Ok(json!({ "method": head.method(), "target": text::lossless(head.target()), "headers": headers, "body": body }))
}

/// What differs between what was asked and what was made, put into the request.
fn changed(head: &Head, body: &Bytes, asked: &Value, made: &Value) -> Result<(Head, Bytes), String> {
    let member = |name: &str| made.get(name).filter(|value| **value != asked[name]);
    if !made.is_object() {
        return Err("the result is no object".to_owned());
    }
    let is_unknown = |name: &&String| asked.get(name.as_str()).is_none();
    if let Some(name) = made.as_object().into_iter().flat_map(serde_json::Map::keys).find(is_unknown) {
        return Err(format!("the result has a member `{name}`, and a request has none"));
    }
    let body = match member("body") {
        None => body.clone(),
        Some(Value::String(text)) => text.clone().into(),
        Some(value) => value.to_string().into(),
    };
    let method = member("method")
        .map(|value| value.as_str().filter(|name| is_token(name.as_bytes())).ok_or("the method is no token"));
    let target = member("target")
        .map(|value| value.as_str().filter(|text| is_target(text.as_bytes())).ok_or("the target is none"));
    let headers = member("headers").map(|value| header_list(value).ok_or("the headers are no list of [NAME, VALUE]"));
    let (method, target, headers) = (method.transpose()?, target.transpose()?, headers.transpose()?);
    if method.is_none() && target.is_none() && headers.is_none() {
        return Ok((head.clone(), body));
    }
    let method = method.map_or(head.method().into_owned(), str::to_owned);
    let target = target.map_or(head.target().to_vec(), |text| text.as_bytes().to_vec());
    // A value that was not changed keeps its bytes, which its text may not tell.
    let headers = headers.map_or(head.headers().clone(), |list| kept_bytes(head.headers(), &list));
    Ok((head.remade(&method, &target, head.version(), &headers), body))
}

fn header_list(value: &Value) -> Option<Vec<(String, String)>> {
    let line = |line: &Value| {
        let [name, value] = &line.as_array()?[..] else { return None };
        let (name, value) = (name.as_str().filter(|name| is_token(name.as_bytes()))?, value.as_str()?);
        let is_safe = !value.bytes().any(|byte| matches!(byte, b'\r' | b'\n' | 0));
        is_safe.then(|| (name.to_owned(), value.to_owned()))
    };
    value.as_array()?.iter().map(line).collect()
}

fn kept_bytes(captured: &Headers, list: &[(String, String)]) -> Headers {
    let bytes = |name: &str, value: &str| {
        let mut same = captured.iter().filter(|header| header.is(name) && header.value_text() == value);
        same.next().map_or_else(|| value.as_bytes().to_vec(), |header| header.value.to_vec())
    };
    list.iter().map(|(name, value)| (name.clone().into_bytes(), bytes(name, value))).collect()
}

/// The one JSON value that a jq program makes of one. Blocks, two seconds at most. Where the result is the input, it is the
/// input's very bytes; else it is written compactly: white space and the way a text was escaped are lost, numbers that
/// nobody counted with keep their digits.
pub fn transform(program: &str, input: &[u8]) -> Result<Vec<u8>, Failure> {
    let result = ask(&[], program, input)?;
    if result.len() as u64 > LARGEST_RESULT {
        return Err(too_much("its result is larger than 64 MiB"));
    }
    match serde_json::from_slice::<serde::de::IgnoredAny>(&result) {
        Ok(_) => Ok(result),
        Err(_) => Err(Failure::new(DOING, "the result is no JSON")),
    }
}

/// Whether a failure is that of a program, and not of anything else that is done to a request.
pub(super) fn is_of_a_program(failure: &Failure) -> bool {
    failure.doing == DOING
}

/// What the child answers.
fn ask(how: &[&str], program: &str, input: &[u8]) -> Result<Vec<u8>, Failure> {
    let failed = |why: io::Error| Failure::new(DOING, why);
    let mut child = command().args(how).spawn().map_err(failed)?;
    let ended = talk(&mut child, program, input);
    let _ = child.kill();
    let status = child.wait().map_err(failed)?;
    let (result, words) = ended.ok_or_else(|| too_much("it took longer than two seconds"))?;
    match status.code() {
        Some(0) => Ok(result),
        Some(_) => Err(Failure::new(DOING, words.trim())),
        None => Err(too_much(killed_by(status))),
    }
}

fn too_much(why: &str) -> Failure {
    Failure::new(DOING, why).hint("the program may have 2 s and 512 MiB: does it end?")
}

fn killed_by(status: ExitStatus) -> &'static str {
    use std::os::unix::process::ExitStatusExt;
    match status.signal() {
        Some(signal_hook::consts::SIGXCPU | signal_hook::consts::SIGKILL) => "it took more time than it may",
        _ => "it took more memory, or went deeper, than it may",
    }
}

/// The child: this program, without an environment. The link is good even where the file was replaced meanwhile.
fn command() -> Command {
    let link = PathBuf::from("/proc/self/exe");
    let own = if link.exists() { link } else { std::env::current_exe().unwrap_or_else(|_| "creel".into()) };
    let mut command = Command::new(own);
    command.arg("__jq").env_clear().current_dir("/");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Tells the child what to do and hears what it says. None: the deadline came first.
fn talk(child: &mut Child, program: &str, input: &[u8]) -> Option<(Vec<u8>, String)> {
    let (stdin, stdout, stderr) = (child.stdin.take()?, child.stdout.take()?, child.stderr.take()?);
    let length = u32::try_from(program.len()).unwrap_or(u32::MAX).to_be_bytes();
    let told = [&length, program.as_bytes(), input].concat();
    // Each ends when the child does: its pipes are closed then.
    spawn("creel-jq-in", move || {
        let mut stdin = stdin;
        let _ = stdin.write_all(&told);
    })
    .ok()?;
    let (say, heard) = channel();
    spawn("creel-jq-out", move || {
        let result = read(stdout, LARGEST_RESULT + 1);
        let _ = say.send((result, read(stderr, LONGEST_WORDS)));
    })
    .ok()?;
    let (result, words) = heard.recv_timeout(DEADLINE).ok()?;
    Some((result, String::from_utf8_lossy(&words).into_owned()))
}

fn read(from: impl Read, most: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = from.take(most).read_to_end(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> Head {
        Head::parse(Bytes::from_static(b"POST /a HTTP/1.1\r\nHost:x\r\nX-8: caf\xe9\r\n\r\n"))
    }

    #[test]
    fn what_the_result_leaves_as_it_was_keeps_its_bytes() {
        let (head, body) = (head(), Bytes::from_static(b"{ \"n\" : 1.0 }"));
        let asked = envelope(&head, &body).unwrap();
        let (same, kept) = changed(&head, &body, &asked, &asked).unwrap();
        assert_eq!((same.raw(), &kept), (head.raw(), &body));
        let mut made = asked.clone();
        made["method"] = "PUT".into();
        made["headers"].as_array_mut().unwrap().push(json!(["X-New", "1"]));
        let (new, kept) = changed(&head, &body, &asked, &made).unwrap();
        assert_eq!(&new.raw()[..], b"PUT /a HTTP/1.1\r\nHost:x\r\nX-8: caf\xe9\r\nX-New: 1\r\n\r\n");
        assert_eq!(kept, body);
    }

    #[test]
    fn what_would_break_a_request_is_refused() {
        let (head, body) = (head(), Bytes::from_static(b"{}"));
        let asked = envelope(&head, &body).unwrap();
        for (name, value) in [
            ("method", json!("A B")),
            ("method", json!(1)),
            ("target", json!("/a b")),
            ("headers", json!([["A", "b\r\nC: d"]])),
            ("headers", json!([["A:", "b"]])),
            ("headers", json!({ "A": "b" })),
            ("boddy", json!(1)),
        ] {
            let mut made = asked.clone();
            made[name] = value.clone();
            assert!(changed(&head, &body, &asked, &made).is_err(), "{name}: {value}");
        }
        assert!(changed(&head, &body, &asked, &json!([])).is_err());
    }
}
