//! `creel mark`: what a person says of captures.

use clap::Args;
use serde_json::json;

use super::{Answer, Common, input};
use crate::{
    engine::Engine,
    record::{CaptureId, Failure, Tagging, Tags},
};

#[derive(Debug, Args)]
pub(crate) struct Mark {
    /// The captures' numbers
    #[arg(required_unless_present = "filter", conflicts_with = "filter", value_name = "ID", value_parser = input::id_and_no_filter)]
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

pub(super) fn run(mark: &Mark, common: &Common) -> Result<Answer, Failure> {
    let printer = common.printer();
    let engine = Engine::visit(common.settings()?);
    let ids = match &mark.filter {
        Some(text) => input::matching(&engine.reader()?, std::slice::from_ref(text), common)?,
        None => mark.ids.iter().copied().map(CaptureId).collect(),
    };
    let count = engine.tag(&ids, &mark.tagging())?;
    engine.stop()?;
    if printer.json {
        printer.value(&json!({ "changed": count }))?;
    } else if !printer.quiet {
        let words = if count == ids.len() as u64 { String::new() } else { format!(" of {}", ids.len()) };
        printer.line(&format!("{count}{words} changed"))?;
    }
    Ok(if count > 0 && count == ids.len() as u64 { Answer::Yes } else { Answer::No })
}
