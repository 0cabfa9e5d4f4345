//! **Floor 1 — how captures of others come in.** Reads requests out of files that creel, browsers, proxies and other bins
//! wrote, one after the other, in as much memory as the largest of them takes.
//!
//! A form is a row of [`FORMS`]; its entries are one function, whose comment says where the form is described. What a file says is
//! checked before it becomes a request: a header that would break the head is an error with the entry's number, never a request
//! that nobody sent. Where a form has no bytes but parts, the body is written anew, and has the flag `rewritten`.
//!
//! What this room must never do: open a file (it is given what to read); follow a path or a URL that stands in one; judge.

mod bins;
mod clients;
mod curl;
mod document;
mod entry;
mod form;
mod http_file;
mod parts;
mod senders;

use std::{
    cell::Cell,
    io::{BufRead, Read},
};

use bytes::Bytes;
use serde_json::Value;

use self::{clients::Many, form::Reads};
pub use self::{
    entry::body_of,
    form::{FORMS, Form, Row},
};
use crate::record::{Failure, Flags, Head, Headers, Tags, Timestamp, Uid};

/// The largest entry that is read, in bytes of the file: a body of 128 MiB in base64, and its head.
const LARGEST_ENTRY: u64 = 192 << 20;

/// One request out of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Request line and headers.
    pub head: Head,
    /// The body.
    pub body: Bytes,
    /// Headers after the body.
    pub trailers: Headers,
    /// When it was received, where the file says so.
    pub received_at: Option<Timestamp>,
    /// Who sent it, where the file says so.
    pub peer: Option<String>,
    /// The endpoint it came in by, where it is a creel's.
    pub endpoint: Option<String>,
    /// Its name among all stores, where it has one.
    pub uid: Option<Uid>,
    /// What was odd about it.
    pub flags: Flags,
    /// Whether less than the whole body is there.
    pub truncated: bool,
    /// What its sender was answered, where the file says so.
    pub reply_status: Option<u16>,
    /// What a person tagged it with, where it is a creel's.
    pub tags: Tags,
    /// What a person noted, where it is a creel's.
    pub note: Option<String>,
    /// What the SHA-256 of its body must be, where the file says so.
    pub sha256: Option<[u8; 32]>,
}

/// Why reading ended early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// This entry, from 1, is not what it should be.
    Bad {
        /// Its number.
        entry: u64,
        /// What is wrong.
        why: String,
    },
    /// The file is of no form that is known, or not to be read: why.
    Unknown(String),
    /// The one who takes the entries had enough.
    Told(Failure),
}

/// How much a file held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Requests, each of which was handed on.
    pub requests: u64,
    /// Entries that are none and were passed over: e-mails and questions to a name server.
    pub others: u64,
}

/// Takes an entry.
pub type Take<'t> = dyn FnMut(Entry) -> Result<(), Failure> + 't;

/// Reads all entries and gives each to `take`; tells how many there were. Without a form it is told by what stands there.
pub fn read(input: impl BufRead, form: Option<Form>, take: &mut Take<'_>) -> Result<Found, Stop> {
    let since = Cell::new(0);
    let mut input = Metered { input, since: &since };
    let begin = begin(&mut input)?;
    let mut count = Count { entry: 1, others: 0, since: &since, take };
    let form = form.and_then(Form::row);
    let all = begin.chain(input);
    match shape(&begin, form.map(|row| row.reads)) {
        None if begin.is_empty() => {}
        None => return Err(Stop::Unknown(form::stranger(&begin))),
        Some(Shape::Bytes) => one(all, &mut count)?,
        Some(Shape::Lines) => lines(std::io::BufReader::new(all), &mut count)?,
        Some(Shape::Events) => events(std::io::BufReader::new(all), form, &mut count)?,
        Some(Shape::Text(read)) => text(all, read, &mut count)?,
        Some(Shape::Document) => document(all, form, &mut count)?,
    }
    Ok(Found { requests: count.entry - 1, others: count.others })
}

/// How much is looked at to tell the form, in bytes.
const LOOKED_AT: u64 = 4 << 10;

fn begin(input: &mut impl Read) -> Result<Vec<u8>, Stop> {
    let mut begin = Vec::new();
    let read = input.take(LOOKED_AT).read_to_end(&mut begin);
    read.map_err(|why| Stop::Unknown(why.to_string()))?;
    if begin.starts_with(b"\xef\xbb\xbf") {
        begin.drain(..3);
    }
    let blank = begin.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    begin.drain(..blank);
    Ok(begin)
}

/// How entries follow each other in a file.
enum Shape {
    /// JSON: one document or several, with lists or without.
    Document,
    /// An object of `creel export` a line.
    Lines,
    /// `data:` lines of a stream of events.
    Events,
    /// A text that is read as a whole.
    Text(fn(&str) -> Many),
    /// The bytes of one request.
    Bytes,
}

/// The shape of what begins so, and is to be read so.
fn shape(begin: &[u8], reads: Option<Reads>) -> Option<Shape> {
    let is_events = [&b"data:"[..], b"event:", b"id:", b"retry:", b":"].iter().any(|word| begin.starts_with(word));
    match reads {
        Some(Reads::Bytes) => Some(Shape::Bytes),
        Some(Reads::Text(read)) => Some(Shape::Text(read)),
        Some(Reads::Lines(_)) => Some(Shape::Lines),
        _ if is_events => Some(Shape::Events),
        Some(_) => Some(Shape::Document),
        None => guess(begin),
    }
}

/// The shape that a file begins like. Documents are told apart by their members, as they come.
fn guess(begin: &[u8]) -> Option<Shape> {
    if begin.starts_with(b"[") {
        return Some(Shape::Document);
    }
    if begin.starts_with(b"{") {
        let mut names = begin.split(|&byte| matches!(byte, b'{' | b',')).skip(1).take(2).map(<[u8]>::trim_ascii_start);
        let is_own = names.any(|name| name.starts_with(b"\"uid\":") || name.starts_with(b"\"received_at\":"));
        // What jq wrote anew has a line a member.
        let is_spread = begin.split(|&byte| byte == b'\n').next().is_some_and(|line| line.trim_ascii() == b"{");
        return Some(if is_own && !is_spread { Shape::Lines } else { Shape::Document });
    }
    let text = String::from_utf8_lossy(begin);
    if http_file::begins(&text) {
        return Some(Shape::Text(http_file::requests));
    }
    let line = text.lines().next().unwrap_or_default();
    if line.contains(" HTTP/") {
        return Some(Shape::Bytes);
    }
    let is_curl = |line: &str| {
        line.split(['|', ';', '&']).any(|command| {
            let word = command.trim_start_matches(['$', ' ', '\t']).split_whitespace().next().unwrap_or_default();
            word == "curl" || word.ends_with("/curl")
        })
    };
    text.lines().any(is_curl).then_some(Shape::Text(curl::requests))
}

/// The entries as they are counted, checked and handed on.
struct Count<'c> {
    entry: u64,
    others: u64,
    since: &'c Cell<u64>,
    take: &'c mut Take<'c>,
}

impl Count<'_> {
    /// The number of the entry that comes next, where so many are held back.
    fn number(&self, held: &Held) -> u64 {
        self.entry + self.others + held.entries.len() as u64
    }

    fn bad<T>(&self, why: impl Into<String>) -> Result<T, Stop> {
        Err(Stop::Bad { entry: self.entry, why: why.into() })
    }

    fn all(&mut self, entries: Many) -> Result<(), Stop> {
        match entries {
            Ok(entries) => entries.into_iter().try_for_each(|entry| self.hand_on(entry)),
            Err((at, why)) => Err(Stop::Bad { entry: self.entry + at, why }),
        }
    }

    fn hand_on(&mut self, entry: Entry) -> Result<(), Stop> {
        (self.take)(entry).map_err(Stop::Told)?;
        self.entry += 1;
        self.since.set(0);
        Ok(())
    }
}

/// The bytes of a request, or of several: where one ends as its head says, another may begin.
fn one(mut input: impl Read, count: &mut Count<'_>) -> Result<(), Stop> {
    let mut bytes = Vec::new();
    if let Err(why) = input.read_to_end(&mut bytes) {
        return count.bad(why.to_string());
    }
    let mut rest = &bytes[..];
    loop {
        let (request, next) = rest.split_at(entry::end_of_request(rest));
        match entry::raw(request) {
            Ok(entry) => count.hand_on(entry)?,
            Err(why) => return count.bad(why),
        }
        if next.is_empty() {
            return Ok(());
        }
        rest = next;
    }
}

/// A text that is read as a whole.
fn text(mut input: impl Read, read: fn(&str) -> Many, count: &mut Count<'_>) -> Result<(), Stop> {
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes).map_err(|why| Stop::Unknown(why.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| Stop::Unknown("it is no UTF-8, so no text".to_owned()))?;
    count.all(read(&text))
}

/// The entries of documents.
fn document(input: impl Read, form: Option<&Row>, count: &mut Count<'_>) -> Result<(), Stop> {
    let mut held = Held::default();
    let ended = document::read(input, &mut |value| add(value, form, count, &mut held));
    match ended {
        Err(document::End::Stop(stop)) => return Err(stop),
        Err(document::End::Bad(why)) => {
            count.entry = count.number(&held);
            return count.bad(why);
        }
        Ok(()) => {}
    }
    held.in_order().into_iter().try_for_each(|entry| count.hand_on(entry))
}

/// The entries of the events of a stream. Those that only keep it open are passed over.
fn events(mut input: impl BufRead, form: Option<&Row>, count: &mut Count<'_>) -> Result<(), Stop> {
    let mut held = Held::default();
    let (mut line, mut data) = (Vec::new(), Vec::new());
    loop {
        line.clear();
        let read = input.read_until(b'\n', &mut line).or_else(|why| count.bad(why.to_string()))?;
        let text = line.trim_ascii();
        if let Some(more) = text.strip_prefix(b"data:") {
            data.extend_from_slice(more);
            data.push(b'\n');
        } else if text.is_empty() && data.trim_ascii().starts_with(b"{") {
            match serde_json::from_slice::<Value>(&data) {
                Ok(value) if value.as_object().is_some_and(serde_json::Map::is_empty) => {}
                Ok(value) => add(&value, form, count, &mut held)?,
                Err(why) => return count.bad(words(&why, read == 0)),
            }
        }
        if text.is_empty() {
            data.clear();
        }
        if read == 0 {
            return held.in_order().into_iter().try_for_each(|entry| count.hand_on(entry));
        }
    }
}

/// Adds what a value holds. Of those who list the newest first, the oldest comes first here.
fn add(value: &Value, form: Option<&Row>, count: &mut Count<'_>, held: &mut Held) -> Result<(), Stop> {
    if let Value::Array(all) = value {
        return all.iter().try_for_each(|value| add(value, form, count, held));
    }
    let number = count.number(held);
    let bad = |why| Stop::Bad { entry: number, why };
    let row = form.or_else(|| form::of(value)).ok_or_else(|| bad(form::nearest(value)))?;
    if row.form == Form::WebhookSite && entry::is_no_request(value) {
        count.others += 1;
        count.since.set(0);
        return Ok(());
    }
    let entry = match row.reads {
        Reads::Entry(read) | Reads::Lines(read) => read(value).map_err(bad)?,
        Reads::Document(read) => return count.all(read(value)),
        Reads::Text(_) | Reads::Bytes => return Err(bad(form::nearest(value))),
    };
    if !row.is_newest_first {
        return count.hand_on(entry);
    }
    count.since.set(0);
    held.push(entry).map_or(Ok(()), |why| Err(bad(why)))
}

/// How much is held to be put in order, in bytes: those lists hold some hundred requests.
const HELD: usize = 256 << 20;

/// Entries that are put in order before they are handed on.
#[derive(Default)]
struct Held {
    entries: Vec<Entry>,
    bytes: usize,
}

impl Held {
    /// Holds one; says why not.
    fn push(&mut self, entry: Entry) -> Option<String> {
        self.bytes += entry.head.raw().len() + entry.body.len();
        self.entries.push(entry);
        (self.bytes > HELD).then(|| format!("the list is larger than {} MiB", HELD >> 20))
    }

    /// By their time; those of one time, or of none, in the opposite of the list's order.
    fn in_order(mut self) -> Vec<Entry> {
        self.entries.reverse();
        self.entries.sort_by_key(|entry| entry.received_at);
        self.entries
    }
}

/// An object a line; empty lines are passed over.
fn lines(mut input: impl BufRead, count: &mut Count<'_>) -> Result<(), Stop> {
    let mut line = Vec::new();
    loop {
        line.clear();
        match input.read_until(b'\n', &mut line) {
            Err(why) => return count.bad(why.to_string()),
            Ok(0) => return Ok(()),
            Ok(_) if line.trim_ascii().is_empty() => {}
            Ok(_) => match serde_json::from_slice(&line) {
                Ok(value) => count.all(entry::json(&value).map(|entry| vec![entry]).map_err(|why| (0, why)))?,
                Err(why) => return count.bad(words(&why, !line.ends_with(b"\n"))),
            },
        }
    }
}

fn words(why: &serde_json::Error, at_the_end: bool) -> String {
    let text = why.to_string();
    match () {
        () if why.is_eof() && at_the_end => "the file ends in the middle of it".to_owned(),
        () if text.starts_with("recursion limit") => "it is nested too deeply to be a request".to_owned(),
        // What could not be read is no fault of the JSON.
        () if why.is_io() => text.split(" at line ").next().unwrap_or_default().to_owned(),
        () => format!("it is no JSON: {text}"),
    }
}

/// What is read, with how much of it since the last entry.
struct Metered<'c, R> {
    input: R,
    since: &'c Cell<u64>,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = self.input.read(into)?;
        self.since.set(self.since.get() + read as u64);
        if self.since.get() > LARGEST_ENTRY {
            return Err(std::io::Error::other(format!("it is larger than {} MiB", LARGEST_ENTRY >> 20)));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
