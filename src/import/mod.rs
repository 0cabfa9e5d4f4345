//! **Floor 1 — how captures of others come in.** Reads requests out of files that creel, browsers, proxies and other bins
//! wrote, one after the other, in as much memory as the largest of them takes.
//!
//! A form is a row of [`FORMS`]; its entries are one function. What a file says is checked before it becomes a request: a
//! header that would break the head is an error with the entry's number, never a request that nobody sent.
//!
//! What this room must never do: open a file (it is given what to read); follow a path or a URL that stands in one; judge.

mod document;
mod entry;

use std::{
    cell::Cell,
    io::{BufRead, Read},
};

use bytes::Bytes;
use serde_json::Value;

pub use self::entry::body_of;
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

/// How the entries of a file are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `creel export`: an object a line.
    Json,
    /// HTTP Archive.
    Har,
    /// What webhook.site's API gives for `/token/ID/requests`.
    WebhookSite,
    /// What ngrok's agent gives for `/api/requests/http`.
    Ngrok,
    /// The bytes of one request, to the end of the file.
    Http,
}

/// Every form: its name, and what it is.
pub const FORMS: &[(&str, &str, Form)] = &[
    ("json", "JSON lines of `creel export`", Form::Json),
    ("har", "HTTP Archive 1.2, of browsers and proxies", Form::Har),
    ("webhook.site", "what webhook.site's API lists: /token/ID/requests", Form::WebhookSite),
    ("ngrok", "what ngrok's agent lists: /api/requests/http", Form::Ngrok),
    ("http", "the bytes of one request, to the end of the file", Form::Http),
];

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
    match form.or_else(|| guess(&begin)) {
        Some(Form::Http) => one(&mut input, begin, &mut count)?,
        Some(Form::Json) => lines(std::io::BufReader::new(begin.chain(input)), &mut count)?,
        Some(form) => document(begin.chain(input), Some(form), &mut count)?,
        None if begin.first().is_some_and(|byte| matches!(byte, b'{' | b'[')) => {
            document(begin.chain(input), None, &mut count)?;
        }
        None if begin.is_empty() => {}
        None => {
            let names: Vec<_> = FORMS.iter().map(|form| form.0).collect();
            return count.bad(format!("it is of none of the forms {}", names.join(", ")));
        }
    }
    Ok(Found { requests: count.entry - 1, others: count.others })
}

/// How much is looked at to tell the form, in bytes.
const LOOKED_AT: u64 = 4 << 10;

fn begin(input: &mut impl Read) -> Result<Vec<u8>, Stop> {
    let mut begin = Vec::new();
    let read = input.take(LOOKED_AT).read_to_end(&mut begin);
    read.map_err(|why| Stop::Bad { entry: 1, why: why.to_string() })?;
    if begin.starts_with(b"\xef\xbb\xbf") {
        begin.drain(..3);
    }
    let blank = begin.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    begin.drain(..blank);
    Ok(begin)
}

/// The form that a file begins like. Documents are told apart by their members, as they come.
fn guess(begin: &[u8]) -> Option<Form> {
    if begin.starts_with(b"{") {
        let name = begin.split(|&byte| byte == b'"').nth(1).unwrap_or_default();
        return [&b"id"[..], b"uid", b"received_at"].contains(&name).then_some(Form::Json);
    }
    let line = begin.split(|&byte| byte == b'\n').next().unwrap_or_default();
    line.windows(6).any(|part| part == b" HTTP/").then_some(Form::Http)
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

    fn add(&mut self, form: Option<Form>, value: &Value) -> Result<(), Stop> {
        match entry::of(form, value) {
            Ok(entry) => self.hand_on(entry),
            Err(why) => self.bad(why),
        }
    }

    fn hand_on(&mut self, entry: Entry) -> Result<(), Stop> {
        (self.take)(entry).map_err(Stop::Told)?;
        self.entry += 1;
        self.since.set(0);
        Ok(())
    }
}

/// One request that is the whole file.
fn one(input: &mut impl Read, mut begin: Vec<u8>, count: &mut Count<'_>) -> Result<(), Stop> {
    if let Err(why) = input.read_to_end(&mut begin) {
        return count.bad(why.to_string());
    }
    match entry::raw(&begin) {
        Ok(entry) => count.hand_on(entry),
        Err(why) => count.bad(why),
    }
}

/// The entries of a document. Of those bins that list the newest first, the oldest comes first here.
fn document(input: impl Read, form: Option<Form>, count: &mut Count<'_>) -> Result<(), Stop> {
    let mut held = Held::default();
    let ended = document::read(input, &mut |value| {
        let form = form.or_else(|| entry::form(value));
        if !matches!(form, Some(Form::WebhookSite | Form::Ngrok)) {
            return count.add(form, value);
        }
        if form == Some(Form::WebhookSite) && entry::is_no_request(value) {
            count.others += 1;
            count.since.set(0);
            return Ok(());
        }
        let entry = entry::of(form, value);
        let number = count.number(&held);
        held.push(entry.map_err(|why| Stop::Bad { entry: number, why })?)
            .map_or(Ok(()), |why| Err(Stop::Bad { entry: number, why }))?;
        count.since.set(0);
        Ok(())
    });
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
                Ok(value) => count.add(Some(Form::Json), &value)?,
                Err(why) => return count.bad(words(&why, !line.ends_with(b"\n"))),
            },
        }
    }
}

fn words(why: &serde_json::Error, at_the_end: bool) -> String {
    if why.is_eof() && at_the_end {
        "the file ends in the middle of it".to_owned()
    } else {
        format!("it is no JSON: {why}")
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
