//! The captures of one event, as the tries of its provider.

use std::time::{Duration, Instant};

use crate::{
    query::{self, Filter},
    record::{Capture, CaptureId, Failure, Summary},
    store::{Reader, Start},
    verify::Try,
};

/// The most tries that are looked for.
const MOST: usize = 50;
/// How long they are looked for at most: there is an index of what stands in captures, and where it is behind, a bound.
const PATIENCE: Duration = Duration::from_millis(300);

/// The tries at the event of a capture, oldest first, where its provider publishes a schedule that they can be held against;
/// else none.
pub fn tries(reader: &Reader, capture: &Capture) -> Result<Vec<Try>, Failure> {
    let catalog = super::catalog()?;
    let provider = capture.provider.as_deref().and_then(|name| catalog.get(name));
    let has_schedule = provider.is_some_and(|it| it.habits().retries.as_ref().is_some_and(|gaps| !gaps.is_empty()));
    let Some(event) = capture.event.id.as_deref().filter(|_| has_schedule) else { return Ok(Vec::new()) };
    let first = capture.duplicate_of.unwrap_or(capture.id);
    let filter = Filter::parse(&format!("event.id={}", query::quoted(event)))
        .map_err(|why| Failure::new("looking for the tries of an event", why))?;
    let until = Instant::now() + PATIENCE;
    let start = Start::After(CaptureId(first.0 - 1));
    let found = reader.search(start, MOST, &filter.sql(super::now()), || Instant::now() >= until)?;
    let is_one = |row: &&Summary| row.id == first || row.duplicate_of == Some(first);
    let tries = found.rows.iter().rev().filter(is_one);
    Ok(tries.map(|row| Try { id: row.id, at: row.received_at, status: row.reply_status }).collect())
}
