//! `creel ls`: the newest captures.

use clap::Args;

use super::{Answer, Common, input, row};
use crate::{
    engine,
    export::json,
    record::{CaptureId, Failure},
    store::{Bodies, Reader, Start},
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
    let mut start = Start::Newest;
    let mut found = false;
    while left > 0 && !printer.closed() {
        let rows = reader.page(start, left.min(input::PAGE), condition.as_ref())?;
        let Some(last) = rows.last() else { break };
        (start, left, found) = (Start::Before(last.id), left - rows.len(), true);
        for row in &rows {
            if printer.json {
                print_json(&reader, row.id, &printer)?;
            } else {
                printer.line(&row::line(row, &zone))?;
            }
        }
    }
    // Who says how many knows that there may be more.
    let is_cut = left == 0 && ls.limit.is_none() && !printer.quiet && !printer.closed();
    if is_cut && !reader.page(start, 1, condition.as_ref())?.is_empty() {
        super::report(&format!("these are the newest {USUAL}, and there are more: -n 0 lists all"));
    }
    if !found && !printer.quiet {
        super::report(&if filter.is_some() { "no capture matches" } else { "no captures yet" });
    }
    Ok(if found { Answer::Yes } else { Answer::No })
}

/// A capture as an object on a line, the body's content left out. Nothing where it was deleted meanwhile.
pub(super) fn print_json(reader: &Reader, id: CaptureId, printer: &super::Printer) -> Result<(), Failure> {
    let Some(capture) = reader.capture(id, Bodies::Leave)? else { return Ok(()) };
    printer.value(&json::capture(&capture, &reader.deliveries(id)?, false))
}
