//! `creel export`: captures in forms for other tools.

use std::path::PathBuf;

use clap::Args;

use super::{
    Answer, Common, input,
    progress::{self, Progress},
    show::format_names,
};
use crate::{
    engine::export::{to_file, write},
    export::FORMATS,
    record::Failure,
    store::Reader,
};

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Which: for example `provider:stripe 'age<1d'`; all words must match
    filter: Vec<String>,
    /// The form
    #[arg(long = "as", value_name = "FORMAT", value_parser = format_names(), default_value = "json")]
    format: String,
    /// The file to write; it appears when it is whole [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write the headers that let somebody in (Authorization, cookies, tokens) as they came
    #[arg(long)]
    reveal: bool,
}

pub(super) fn run(export: &Export, common: &Common) -> Result<Answer, Failure> {
    let printer = common.printer();
    let Some(format) = FORMATS.iter().find(|format| format.name == export.format) else {
        return Err(Failure::new("exporting", format!("there is no form `{}`", export.format)));
    };
    let reader = Reader::open(&common.store()?)?;
    let ids = input::matching(&reader, &export.filter, common)?;
    let how = (format, export.reveal);
    let told = |mut progress: Progress| {
        let all = ids.len();
        move |count, bytes| progress.draw(|took| progress::of(count, all, Some(bytes), took))
    };
    let count = if let Some(path) = &export.out {
        let written = to_file(path, true, |out| write(out, &reader, &ids, how, told(Progress::new(&printer))));
        written?.unwrap_or_default()
    } else {
        let mut out = |bytes: &[u8]| printer.bytes(bytes);
        write(&mut out, &reader, &ids, how, told(Progress::beside(&printer)))?
    };
    if export.out.is_some() && !printer.quiet {
        printer.line(&format!("{count} exported"))?;
    }
    Ok(if count > 0 { Answer::Yes } else { Answer::No })
}
