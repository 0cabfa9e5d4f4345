//! `creel check`: what the configuration says, before creel runs by it.

use clap::Args;
use serde_json::json;

use super::{Answer, Bin, Common, Listen, ScreenCheck, report};
use crate::{
    engine::{Outline, outline, settings},
    record::Failure,
};

#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    bin: Bin,
    #[command(flatten)]
    listen: Listen,
}

pub(super) fn run(check: &Check, common: &Common, screen: ScreenCheck) -> Result<Answer, Failure> {
    let printer = common.printer();
    let Outline { files, rows, mut notices, screen: wishes } = outline(&common.wishes(&check.bin, &check.listen))?;
    notices.extend(screen(&wishes)?);
    let files: Vec<_> = files.iter().map(|path| settings::shown(path)).collect();
    if printer.json {
        let rows: Vec<_> = rows.iter().map(|(what, words)| json!({ "what": what, "words": words })).collect();
        printer.value(&json!({ "files": files, "rows": rows, "notices": notices }))?;
    } else if !printer.quiet {
        let read = if files.is_empty() { vec!["no creel.toml here, and none of yours".to_owned()] } else { files };
        let read = read.iter().map(|file| ("read", file));
        let all = read.chain(rows.iter().map(|(what, words)| (*what, words)));
        all.into_iter().try_for_each(|(what, words)| printer.line(&format!("{what:<9} {words}")))?;
    }
    if !printer.json {
        notices.iter().for_each(|notice| report(notice));
    }
    Ok(if notices.is_empty() { Answer::Yes } else { Answer::No })
}
