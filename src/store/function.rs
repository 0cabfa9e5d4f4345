//! The functions that filters use in SQL. What they ask is said in `query`; what they are handed is decided here. Each is
//! pure and looks at one row, so that an [`Interrupter`](super::Interrupter) ends a search between two of them.

use std::borrow::Cow;

use bytes::Bytes;
use rusqlite::{
    Connection, Error,
    functions::{Aggregate, Context, FunctionFlags},
};

use crate::{
    body,
    query::{Content, Inside, Pattern},
    record::Head,
};

/// Teaches a connection the functions that a [`Sql`](crate::query::Sql) uses: `matches(pattern, text)`,
/// `takes(test, head, body)` and, to put a body together, `joined(bytes)`.
pub fn teach(connection: &Connection) -> Result<(), Error> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function("matches", 2, flags, matches)?;
    connection.create_scalar_function("takes", 3, flags, takes)?;
    connection.create_aggregate_function("joined", 1, flags, Joined)
}

fn matches(context: &Context<'_>) -> Result<bool, Error> {
    let pattern = context.get_or_create_aux(0, |text| Pattern::new(text.as_str()?).map_err(wrong))?;
    let text = context.get_raw(1).as_bytes_or_null()?;
    Ok(pattern.is_match(text.unwrap_or_default()))
}

fn takes(context: &Context<'_>) -> Result<bool, Error> {
    // Read once a statement, not once a row.
    let inside = context.get_or_create_aux(0, |text| {
        Inside::parse(text.as_str()?).ok_or_else(|| wrong("it is no test of what a capture holds".to_owned()))
    })?;
    let head = context.get_raw(1).as_bytes()?;
    let body = context.get_raw(2).as_bytes_or_null()?.unwrap_or_default();
    Ok(inside.takes(&Content { head, body: &plain(head, body) }))
}

/// A body with its content codings undone, where it has any that can be.
fn plain<'a>(head: &[u8], body: &'a [u8]) -> Cow<'a, [u8]> {
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

fn wrong(why: String) -> Error {
    Error::UserFunctionError(why.into())
}
