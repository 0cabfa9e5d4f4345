//! `creel rehearse`: captures as a folder of plain files, for `creel play`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{
    Answer, Common,
    export::{Rescue, stop_by_signal, tell, tell_damaged},
    input,
};
use crate::{
    engine::{
        Rehearsal,
        mask::{Masked, masked},
    },
    record::Failure,
    store::Reader,
};

#[derive(Debug, Args)]
pub(crate) struct Rehearse {
    /// Which: for example `mark:marked`, or `endpoint:shop 'time>2026-11-23'`; all words must match
    #[arg(required = true)]
    filter: Vec<String>,
    /// The folder, which is made
    #[arg(long, short, value_name = "FOLDER")]
    out: PathBuf,
    /// Write what lets somebody in (Authorization, cookies; tokens, keys and passwords in headers, queries, forms,
    /// JSON and XML) as it came
    #[arg(long)]
    reveal: bool,
    #[command(flatten)]
    rescue: Rescue,
}

pub(super) fn run(rehearse: &Rehearse, common: &Common) -> Result<Answer, Failure> {
    let printer = common.printer();
    let reader = Reader::open(&common.store()?)?;
    let wanted = (&rehearse.filter[..], rehearse.rescue.skip_damaged);
    let (mut reading, ids) = input::leaving(&reader, wanted, common)?;
    if ids.is_empty() {
        input::tell_none_matches(&printer);
        return Ok(Answer::No);
    }
    stop_by_signal(&reading)?;
    let mut all = Masked::default();
    let captures = ids.into_iter().map(|id| {
        let capture = reading.read(id)?;
        Ok(capture.map(|capture| {
            if rehearse.reveal {
                return capture;
            }
            let (capture, hidden) = masked(capture);
            all += hidden;
            capture
        }))
    });
    let written = Rehearsal::write(&rehearse.out, captures);
    let damaged = reading.skipped();
    let is_whole = tell_damaged(&damaged);
    let count = written?;
    if printer.json {
        let numbers: Vec<_> = damaged.iter().map(|(id, _)| id.0).collect();
        let folder = rehearse.out.to_string_lossy();
        printer.value(&json!({ "written": count, "folder": folder, "damaged": numbers }))?;
    } else if !printer.quiet {
        let folder = rehearse.out.display();
        printer.line(&format!(
            "{count} written; say what is expected in {folder}/scenario.toml, then: creel play {folder} --to URL"
        ))?;
    }
    tell(&printer, all);
    Ok(if is_whole { Answer::Yes } else { Answer::No })
}
