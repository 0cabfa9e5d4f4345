//! `creel ls`: the newest captures.

use clap::Args;

use super::{Answer, Common, input, row};
use crate::{
    engine,
    export::json,
    record::{CaptureId, Failure},
    store::{Bodies, Reader, Start},
};

#[derive(Debug, Args)]
pub(crate) struct Ls {
    /// Which: for example `provider:stripe sig:failed`; all words must match
    filter: Vec<String>,
    /// How many at most; 0 for all
    #[arg(long, short = 'n', default_value_t = 50, value_name = "N")]
    limit: usize,
}

pub(super) fn run(ls: &Ls, common: &Common) -> Result<Answer, Failure> {
    let printer = common.printer();
    let filter = input::filter(&ls.filter, common)?;
    let reader = Reader::open(&common.store()?)?;
    let (condition, zone) = (filter.as_ref().map(|filter| filter.sql(engine::now())), engine::zone());
    let mut left = if ls.limit == 0 { usize::MAX } else { ls.limit };
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
