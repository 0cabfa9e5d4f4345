//! The functions that filters use in SQL. What they ask is said in `query`; what they are handed is decided here. Each is
//! pure and looks at one row, so that an [`Interrupter`](super::Interrupter) ends a search between two of them.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use rusqlite::{
    Connection, Error,
    functions::{Aggregate, Context, FunctionFlags},
    types::ValueRef,
};

use crate::{
    body,
    query::{Content, Inside, Pattern, Word},
    record::Head,
};

/// How many tests a connection keeps ready. A search asks the same few of one piece of the list after another.
const READY: usize = 32;

/// Teaches a connection the functions that a [`Sql`](crate::query::Sql) uses: `matches(pattern, text)`,
/// `has(word, text…)`, `takes(test, head, body)` and, to put a body together, `joined(bytes)`.
pub fn teach(connection: &Connection) -> Result<(), Error> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    let patterns = Ready::new(Pattern::new);
    connection.create_scalar_function("matches", 2, flags, move |context| matches(context, &patterns))?;
    let words = Ready::new(Word::new);
    connection.create_scalar_function("has", -1, flags, move |context| has(context, &words))?;
    let tests =
        Ready::new(|text| Inside::parse(text).ok_or_else(|| "it is no test of what a capture holds".to_owned()));
    connection.create_scalar_function("takes", 3, flags, move |context| takes(context, &tests))?;
    connection.create_aggregate_function("joined", 1, flags, Joined)
}

/// Tests that were read from their text and are kept for the next rows and the next statements, the newest last.
struct Ready<T> {
    read: fn(&str) -> Result<T, String>,
    kept: Mutex<Vec<(String, Arc<T>)>>,
}

impl<T> Ready<T> {
    fn new(read: fn(&str) -> Result<T, String>) -> Self {
        Self { read, kept: Mutex::new(Vec::new()) }
    }

    /// The test that an argument's text stands for.
    fn get(&self, text: ValueRef<'_>) -> Result<Arc<T>, Error> {
        let text = text.as_str()?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, test)) = kept.iter().rev().find(|(of, _)| of == text) {
            return Ok(Arc::clone(test));
        }
        let test = Arc::new((self.read)(text).map_err(|why| Error::UserFunctionError(why.into()))?);
        if kept.len() >= READY {
            kept.remove(0);
        }
        kept.push((text.to_owned(), Arc::clone(&test)));
        Ok(test)
    }
}

fn matches(context: &Context<'_>, patterns: &Ready<Pattern>) -> Result<bool, Error> {
    let text = context.get_raw(1).as_bytes_or_null()?;
    Ok(patterns.get(context.get_raw(0))?.is_match(text.unwrap_or_default()))
}

fn has(context: &Context<'_>, words: &Ready<Word>) -> Result<bool, Error> {
    let word = words.get(context.get_raw(0))?;
    for at in 1..context.len() {
        if context.get_raw(at).as_bytes_or_null()?.is_some_and(|text| word.is_in(text)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn takes(context: &Context<'_>, tests: &Ready<Inside>) -> Result<bool, Error> {
    let inside = tests.get(context.get_raw(0))?;
    let head = context.get_raw(1).as_bytes()?;
    let body = context.get_raw(2).as_bytes_or_null()?.unwrap_or_default();
    Ok(inside.takes(&Content { head, body: &plain(head, body) }))
}

/// A body with its content codings undone, where it has any that can be.
pub(super) fn plain<'a>(head: &[u8], body: &'a [u8]) -> Cow<'a, [u8]> {
    // Most heads name no coding, and a look at the bytes says so without taking them apart.
    let names_one =
        |at: usize| head.get(at + 1..at + 1 + CODING.len()).is_some_and(|name| name.eq_ignore_ascii_case(CODING));
    if body.is_empty() || !memchr::memchr_iter(b'\n', head).any(names_one) {
        return Cow::Borrowed(body);
    }
    let head = Head::parse(Bytes::copy_from_slice(head));
    let content = body::Content::of(&Bytes::copy_from_slice(body), head.headers());
    Cow::Owned(content.bytes.into())
}

/// The header that tells of a content coding.
const CODING: &[u8] = b"content-encoding";

/// Puts a body's chunks together.
struct Joined;

impl Aggregate<Vec<u8>, Vec<u8>> for Joined {
    fn init(&self, _: &mut Context<'_>) -> Result<Vec<u8>, Error> {
        Ok(Vec::new())
    }

    fn step(&self, context: &mut Context<'_>, all: &mut Vec<u8>) -> Result<(), Error> {
        all.extend_from_slice(context.get_raw(0).as_blob()?);
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, all: Option<Vec<u8>>) -> Result<Vec<u8>, Error> {
        Ok(all.unwrap_or_default())
    }
}
