//! `creel refused`: what was turned away, and why.

use clap::Args;
use serde_json::json;

use super::{Answer, Common, input, row};
use crate::{
    engine,
    record::{Failure, Peer},
    store::Reader,
};

#[derive(Debug, Args)]
pub(crate) struct Refused {
    /// How many at most, newest first; 0 for all that are kept
    #[arg(long, short = 'n', default_value_t = 50, value_name = "N", value_parser = input::whole::<usize>, allow_negative_numbers = true)]
    limit: usize,
    /// With the heads that came
    #[arg(long)]
    heads: bool,
}

pub(super) fn run(refused: &Refused, common: &Common) -> Result<Answer, Failure> {
    let printer = common.printer();
    let reader = Reader::open(&common.store()?)?;
    let (count, zone) = (reader.counters()?.refused, engine::zone());
    let rows = reader.refusals(if refused.limit == 0 { usize::MAX } else { refused.limit })?;
    for row in &rows {
        let head = row.masked_head();
        if printer.json {
            let peer = Peer::of(&row.peer);
            printer.value(&json!({
                "at": row.at.to_string(), "peer": peer.end, "forwarded_for": peer.forwarded_for, "status": row.status, "reason": row.reason, "head": head,
            }))?;
            continue;
        }
        let status = row.status.map_or_else(|| "  -".to_owned(), |status| status.to_string());
        let first = head.lines().next().unwrap_or_default();
        let when = row::moment(row.at, &zone);
        printer.line(&format!("{when}  {status}  {:<22}  {}  {first}", row.peer, row.reason))?;
        if refused.heads {
            head.lines().skip(1).try_for_each(|line| printer.line(&format!("    {line}")))?;
        }
    }
    if !printer.quiet && !printer.json && (rows.len() as u64) < count {
        super::report(&format!("{count} were refused in all; these are the newest"));
    } else if rows.is_empty() && !printer.quiet {
        super::report(&"nothing was refused");
    }
    Ok(if rows.is_empty() { Answer::No } else { Answer::Yes })
}
