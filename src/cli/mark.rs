//! `creel mark`: what a person says of captures.

use std::collections::BTreeSet;

use clap::{ArgGroup, Args};
use serde_json::json;

use super::{Answer, Common, input};
use crate::{
    engine::{Engine, no_such_capture},
    record::{CaptureId, Failure, Tagging, Tags},
    store::Reader,
};

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("which").required(true).multiple(true).args(["ids", "filter"])))]
pub(crate) struct Mark {
    /// The captures' numbers
    #[arg(conflicts_with = "filter", value_name = "ID", value_parser = input::id_and_no_filter)]
    ids: Vec<i64>,
    /// All that match a filter, in place of numbers
    #[arg(long, value_name = "FILTER")]
    filter: Option<String>,
    /// Take the mark away
    #[arg(long)]
    unmark: bool,
    /// Pin them, and leave the mark as it is
    #[arg(long, conflicts_with = "unpin")]
    pin: bool,
    /// Take the pin away
    #[arg(long)]
    unpin: bool,
    /// Note something of them; an empty text takes the note away
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

impl Mark {
    /// Without an option it marks; with one it does what the option says, and nothing else.
    fn tagging(&self) -> Tagging {
        let plain = !(self.unmark || self.pin || self.unpin || self.note.is_some());
        let set = |wanted: bool, tag: Tags| if wanted { tag } else { Tags::NONE };
        Tagging {
            give: set(plain, Tags::MARKED).with(set(self.pin, Tags::PINNED)),
            take: set(self.unmark, Tags::MARKED).with(set(self.unpin, Tags::PINNED)),
            note: self.note.clone(),
        }
    }
}

/// Those that are there, and those that are not, each once.
fn there(reader: &Reader, ids: &[i64]) -> Result<(Vec<CaptureId>, Vec<CaptureId>), Failure> {
    let (mut there, mut missing) = (Vec::new(), Vec::new());
    for id in ids.iter().copied().map(CaptureId).collect::<BTreeSet<_>>() {
        let is_there = reader.summary(id)?.is_some();
        if is_there { &mut there } else { &mut missing }.push(id);
    }
    Ok((there, missing))
}

pub(super) fn run(mark: &Mark, common: &Common) -> Result<Answer, Failure> {
    let printer = common.printer();
    let engine = Engine::visit(common.settings()?);
    let reader = engine.reader()?;
    let (ids, missing) = match &mark.filter {
        Some(text) => (input::matching(&reader, std::slice::from_ref(text), common)?, Vec::new()),
        None => there(&reader, &mark.ids)?,
    };
    let asked = ids.len() + missing.len();
    if let ([id], 1) = (&missing[..], asked) {
        return Err(no_such_capture(*id));
    }
    let count = engine.tag(&ids, &mark.tagging())?;
    engine.stop()?;
    if printer.json {
        let missing: Vec<_> = missing.iter().map(|id| id.0).collect();
        printer.value(&json!({ "changed": count, "missing": missing }))?;
    } else if !printer.quiet {
        let words = if count == asked as u64 { String::new() } else { format!(" of {asked}") };
        printer.line(&format!("{count}{words} changed"))?;
    }
    missing.iter().for_each(|id| super::report(&no_such_capture(*id)));
    if asked == 0 {
        input::tell_none_matches(&printer);
    }
    Ok(if count > 0 && count == asked as u64 { Answer::Yes } else { Answer::No })
}
