//! `creel dead`: what was to be forwarded and was given up.

use clap::Args;
use serde_json::json;

use super::{Answer, Common, row};
use crate::{record::Failure, store::Reader};

#[derive(Debug, Args)]
pub(crate) struct Dead {}

pub(super) fn run(_: &Dead, common: &Common) -> Result<Answer, Failure> {
    let printer = common.printer();
    let dead = Reader::open(&common.store()?)?.dead(None)?;
    for errand in &dead {
        let why = errand.why.as_deref().unwrap_or_default();
        if printer.json {
            printer.value(&json!({
                "capture": errand.capture.0, "errand": errand.id.0, "lane": errand.lane, "tries": errand.tries, "why": why,
            }))?;
        } else {
            let (lane, tries) = (&errand.lane, errand.tries);
            printer.line(&format!("#{}  {lane}  {}  {why}", errand.capture, row::tries(tries)))?;
        }
    }
    if dead.is_empty() && !printer.quiet {
        super::report(&"nothing was given up");
    }
    Ok(if dead.is_empty() { Answer::No } else { Answer::Yes })
}
