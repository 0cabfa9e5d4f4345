//! `creel import`: captures out of files, all of them or none.

use std::path::PathBuf;

use clap::{Args, builder::PossibleValue};
use serde_json::json;

use super::{
    Answer, Common,
    progress::{Progress, of_bytes},
};
use crate::{
    engine::{Engine, How},
    import::FORMS,
    record::Failure,
    store::Imported,
};

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The files, read in their order; `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How they are written [default: told by what stands there]
    #[arg(long = "as", value_name = "FORMAT", value_parser = names())]
    format: Option<String>,
    /// The endpoint they are of, by whose provider and secrets they are checked [default: as their paths say]
    #[arg(long, value_name = "NAME")]
    endpoint: Option<String>,
    /// Import also what this store has already, as captures of their own; else they are left out
    #[arg(long)]
    again: bool,
}

fn names() -> clap::builder::PossibleValuesParser {
    FORMS.iter().map(|row| PossibleValue::new(row.name).help(row.help)).collect::<Vec<_>>().into()
}

pub(super) fn run(import: &Import, common: &Common) -> Result<Answer, Failure> {
    let printer = common.printer();
    let form = import.format.as_deref().and_then(|name| FORMS.iter().find(|row| row.name == name)).map(|row| row.form);
    let how = How { form, again: import.again, endpoint: import.endpoint.clone() };
    let engine = Engine::visit(common.settings()?);
    let mut progress = Progress::new(&printer);
    let total = total(&import.files);
    // It ends with the reading, so that its line is wiped before anything else is said.
    let told = move |entries, bytes| progress.draw(|took| of_bytes(entries, bytes, total, took));
    let imported = engine.import(import.files.clone(), how, Box::new(told));
    // Closed even where nothing came of it, so that what was written in vain takes no space.
    let stopped = engine.stop();
    let imported = imported?;
    stopped?;
    let left_out = imported.left_out;
    let Imported { count, first, known, cut } = imported.imported;
    let first = first.0;
    let last = first + count.saturating_sub(1) as i64;
    if printer.json {
        let numbers = (count > 0).then_some((first, last));
        printer.value(&json!({
            "imported": count, "first": numbers.map(|n| n.0), "last": numbers.map(|n| n.1), "known": known, "cut": cut, "left_out": left_out,
        }))?;
    } else if !printer.quiet {
        let said = match count {
            0 if known > 0 => "nothing new".to_owned(),
            0 => "nothing to import".to_owned(),
            1 => format!("1 imported: #{first}"),
            _ => format!("{count} imported: #{first} to #{last}"),
        };
        let besides = [
            (cut, "with a body of which a part is missing (`cut:yes`)"),
            (known, "already here (--again imports them once more)"),
            (left_out, "left out: e-mails and questions to a name server, no requests"),
        ];
        let besides = besides.iter().filter(|(count, _)| *count > 0).map(|(count, words)| format!("; {count} {words}"));
        printer.line(&(said + &besides.collect::<String>()))?;
    }
    // What is here already was asked for and is here.
    Ok(if count + known > 0 { Answer::Yes } else { Answer::No })
}

/// How many bytes the files have, where all of them have a size.
fn total(files: &[PathBuf]) -> Option<u64> {
    files.iter().map(|path| path.metadata().ok().filter(std::fs::Metadata::is_file).map(|found| found.len())).sum()
}
