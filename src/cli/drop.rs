//! `creel drop`: what waits to be forwarded, or was given up, is not to be forwarded any more.

use std::collections::{BTreeSet, HashSet};

use clap::Args;
use serde_json::json;

use super::{Answer, Common, input};
use crate::{
    engine::Engine,
    record::{Errand, Failure},
};

#[derive(Debug, Args)]
pub(crate) struct Drop {
    /// Which captures: for example `reply:dead` or `'age>1h'`; all words must match
    #[arg(conflicts_with = "all")]
    filter: Vec<String>,
    /// All captures
    #[arg(long)]
    all: bool,
    /// Only what goes there: the app's URL or a part of what `creel dead` calls it
    #[arg(long, value_name = "APP")]
    to: Option<String>,
}

/// That nothing is left for an app of that name, and for which there is something.
fn nothing_goes_to(to: &str, left: &[Errand]) -> String {
    let lanes: BTreeSet<_> = left.iter().map(|errand| &errand.lane[..]).collect();
    let lanes: Vec<_> = lanes.into_iter().collect();
    let others = if lanes.is_empty() { String::new() } else { format!("; something does by {}", lanes.join(", ")) };
    format!("nothing that waits or was given up goes to {to}{others}")
}

pub(super) fn run(drop: &Drop, common: &Common) -> Result<Answer, Failure> {
    let printer = common.printer();
    input::refuse_bare_numbers("dropping deliveries", &drop.filter)?;
    let to = drop.to.as_deref().map(|to| to.trim_end_matches('/'));
    if to.is_some_and(str::is_empty) {
        return Err(Failure::new("dropping deliveries", "--to names no app")
            .hint("`creel dead` and `show` tell which there are"));
    }
    let engine = Engine::visit(common.settings()?);
    let reader = engine.reader()?;
    let captures = match drop.filter.join(" ").trim() {
        "" if drop.all => None,
        "" => {
            return Err(Failure::new("dropping deliveries", "the filter is empty")
                .hint("say of which captures, for example reply:dead, or --all"));
        }
        _ => Some(input::matching(&reader, &drop.filter, common)?.into_iter().collect::<HashSet<_>>()),
    };
    let is_meant = |errand: &Errand| {
        captures.as_ref().is_none_or(|captures| captures.contains(&errand.capture))
            && to.is_none_or(|to| errand.lane.contains(to))
    };
    let left = [reader.waiting()?, reader.dead(None)?].concat();
    let meant: Vec<_> = left.iter().filter(|errand| is_meant(errand)).map(|errand| errand.id).collect();
    let count = engine.drop_errands(&meant)?;
    engine.stop()?;
    if let Some(to) = to.filter(|to| left.iter().all(|errand| !errand.lane.contains(to)))
        && !printer.quiet
    {
        super::report(&nothing_goes_to(to, &left));
    }
    if printer.json {
        printer.value(&json!({ "dropped": count }))?;
    } else if !printer.quiet {
        printer.line(&format!("{count} dropped"))?;
    }
    Ok(if count > 0 { Answer::Yes } else { Answer::No })
}
