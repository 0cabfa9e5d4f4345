//! `creel import`: captures out of files, all of them or none.

use std::{
    io::{self, IsTerminal, Write},
    path::PathBuf,
    time::{Duration, Instant},
};

use clap::{Args, builder::PossibleValue};
use serde_json::json;

use super::{Answer, Common};
use crate::{body, engine::Engine, import::FORMS, record::Failure};

/// How often a person is told how far it is.
const TOLD_EVERY: Duration = Duration::from_millis(200);

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The files, read in their order; `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How they are written [default: told by what stands there]
    #[arg(long = "as", value_name = "FORMAT", value_parser = names())]
    format: Option<String>,
}

fn names() -> clap::builder::PossibleValuesParser {
    FORMS.iter().map(|(name, help, _)| PossibleValue::new(*name).help(*help)).collect::<Vec<_>>().into()
}

pub(super) fn run(import: &Import, common: &Common) -> Result<Answer, Failure> {
    let printer = common.printer();
    let form = import.format.as_deref().and_then(|name| FORMS.iter().find(|row| row.0 == name)).map(|row| row.2);
    let engine = Engine::visit(common.settings()?);
    let is_shown = io::stderr().is_terminal() && !printer.quiet && !printer.json;
    let imported = engine.import(import.files.clone(), form, Box::new(progress(is_shown)))?;
    engine.stop()?;
    if is_shown {
        clear_line();
    }
    let (count, first) = (imported.count, imported.first.0);
    let last = first + count.saturating_sub(1) as i64;
    if printer.json {
        let numbers = (count > 0).then_some((first, last));
        printer.value(&json!({ "imported": count, "first": numbers.map(|n| n.0), "last": numbers.map(|n| n.1) }))?;
    } else if !printer.quiet {
        printer.line(&match count {
            0 => "nothing to import".to_owned(),
            1 => format!("1 imported: #{first}"),
            _ => format!("{count} imported: #{first} to #{last}"),
        })?;
    }
    Ok(if count > 0 { Answer::Yes } else { Answer::No })
}

/// Says on a terminal's line how far it is, now and then.
fn progress(is_shown: bool) -> impl FnMut(u64, u64) + Send {
    let mut told = Instant::now();
    move |entries, bytes| {
        if is_shown && told.elapsed() >= TOLD_EVERY {
            told = Instant::now();
            let _ = write!(io::stderr(), "\r{entries} read, {} ", body::size(bytes));
        }
    }
}

fn clear_line() {
    let _ = write!(io::stderr(), "\r\x1b[K");
}
