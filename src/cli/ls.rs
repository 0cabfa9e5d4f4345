//! `creel ls`: the newest captures.

use clap::Args;
use serde_json::Value;

use super::{Answer, Common, export::tell_damaged, input, row};
use crate::{
    engine,
    export::json,
    record::{CaptureId, Failure},
    store::{Bodies, Reader},
};

/// How many are listed where nobody says.
const USUAL: usize = 50;

#[derive(Debug, Args)]
pub(crate) struct Ls {
    /// Which: for example `provider:stripe sig:failed`; all words must match
    filter: Vec<String>,
    /// How many at most; 0 for all [default: 50]
    #[arg(long, short = 'n', value_name = "N", value_parser = input::whole::<usize>, allow_negative_numbers = true)]
    limit: Option<usize>,
}

pub(super) fn run(ls: &Ls, common: &Common) -> Result<Answer, Failure> {
    let printer = common.printer();
    let filter = input::filter(&ls.filter, common)?;
    let reader = Reader::open(&common.store()?)?;
    let (condition, zone) = (filter.as_ref().map(|filter| filter.sql(engine::now())), engine::zone());
    let mut left = ls.limit.map_or(USUAL, |limit| if limit == 0 { usize::MAX } else { limit });
    let (mut list, mut unread) = (reader.list(condition.as_ref()), Vec::new());
    let mut found = false;
    while left > 0 && !printer.closed() {
        let rows = list.page(left.min(input::PAGE))?;
        if rows.is_empty() {
            break;
        }
        (left, found) = (left - rows.len(), true);
        for row in &rows {
            if !printer.json {
                printer.line(&row::line(row, &zone))?;
                continue;
            }
            match object(&reader, row.id) {
                Ok(object) => object.map_or(Ok(()), |object| printer.value(&object))?,
                Err(why) => unread.push((row.id, why)),
            }
        }
    }
    // Who says how many knows that there may be more.
    let is_cut = left == 0 && ls.limit.is_none() && !printer.quiet && !printer.closed();
    if is_cut && !list.page(1)?.is_empty() {
        super::report(&format!("these are the newest {USUAL}, and there are more: -n 0 lists all"));
    }
    unread.extend(list.missed());
    unread.sort_by_key(|(id, _)| *id);
    let is_whole = tell_damaged(&unread);
    if !found && is_whole && !printer.quiet {
        super::report(&if filter.is_some() { "no capture matches" } else { "no captures yet" });
    }
    Ok(if found && is_whole { Answer::Yes } else { Answer::No })
}

/// A capture as an object, the body's content left out. None where it was deleted meanwhile.
fn object(reader: &Reader, id: CaptureId) -> Result<Option<Value>, Failure> {
    let Some(capture) = reader.capture(id, Bodies::Leave)? else { return Ok(None) };
    Ok(Some(json::capture(&capture, &reader.deliveries(id)?, false)))
}

/// A capture as an object on a line, the body's content left out. Nothing where it was deleted meanwhile.
pub(super) fn print_json(reader: &Reader, id: CaptureId, printer: &super::Printer) -> Result<(), Failure> {
    object(reader, id)?.map_or(Ok(()), |object| printer.value(&object))
}
