//! `creel export`: captures in forms for other tools.

use std::{
    path::{Path, PathBuf},
    process,
    sync::atomic::Ordering,
};

use clap::Args;
use serde_json::json;

use super::{
    Answer, Common, Printer, input,
    progress::{self, Progress},
    show::format_names,
};
use crate::{
    engine::{
        self,
        export::{Damaged, Out, Reading, Written, to_file, write},
        mask::Masked,
    },
    export::FORMATS,
    record::{Failure, counted},
    store::Reader,
};

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Which: for example `provider:stripe 'age<1d'`; all words must match
    filter: Vec<String>,
    /// The form
    #[arg(long = "as", value_name = "FORMAT", value_parser = format_names(), default_value = "json")]
    format: String,
    /// The file to write; it appears when it is whole [default, and -: standard output]
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write what lets somebody in (Authorization, cookies; tokens, keys and passwords in headers, queries, forms,
    /// JSON and XML) as it came
    #[arg(long)]
    reveal: bool,
    #[command(flatten)]
    rescue: Rescue,
}

/// What becomes of what cannot be read.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Rescue {
    /// Leave out what the store cannot give back since its file is damaged, and say which; exit code 1 then
    #[arg(long)]
    pub(super) skip_damaged: bool,
}

pub(super) fn run(export: &Export, common: &Common) -> Result<Answer, Failure> {
    let printer = common.printer();
    let Some(format) = FORMATS.iter().find(|format| format.name == export.format) else {
        return Err(Failure::new("exporting", format!("there is no form `{}`", export.format)));
    };
    let reader = Reader::open(&common.store()?)?;
    let wanted = (&export.filter[..], export.rescue.skip_damaged);
    let (mut reading, ids) = input::leaving(&reader, wanted, common)?;
    let how = (format, export.reveal);
    let told = |mut progress: Progress| {
        let all = ids.len();
        move |count, bytes| progress.draw(|took| progress::of(count, all, Some(bytes), took))
    };
    let named = export.out.as_deref().filter(|path| *path != Path::new("-"));
    let Written { count, masked } = if let Some(path) = named {
        stop_by_signal(&reading)?;
        let fill = |out: &mut Out<'_>| write(out, &mut reading, &ids, how, told(Progress::new(&printer)));
        to_file(reader.path(), path, true, fill)?.unwrap_or_default()
    } else {
        let mut out = |bytes: &[u8]| printer.bytes(bytes);
        write(&mut out, &mut reading, &ids, how, told(Progress::beside(&printer)))?
    };
    let damaged = reading.skipped();
    if named.is_some() && printer.json {
        let numbers: Vec<_> = damaged.iter().map(|(id, _)| id.0).collect();
        printer.value(&json!({ "exported": count, "damaged": numbers }))?;
    } else if named.is_some() && !printer.quiet {
        printer.line(&format!("{count} exported"))?;
    }
    tell(&printer, masked);
    let is_whole = tell_damaged(&damaged);
    if ids.is_empty() && is_whole {
        input::tell_none_matches(&printer);
    }
    Ok(if count > 0 && is_whole { Answer::Yes } else { Answer::No })
}

/// The first signal ends what is written to a file or a folder, and takes away what there is of it; the second ends all.
pub(super) fn stop_by_signal(reading: &Reading<'_>) -> Result<(), Failure> {
    let stop = reading.stop();
    engine::on_signal(move || {
        if stop.swap(true, Ordering::Relaxed) {
            process::exit(2);
        }
    })
}

/// Says on standard error what is missing in what was written, also where nothing else is said. Whether nothing is.
pub(super) fn tell_damaged(damaged: &[Damaged]) -> bool {
    let follows = |a: &Damaged, b: &Damaged| a.0.0 + 1 == b.0.0 && a.1.why == b.1.why;
    for run in damaged.chunk_by(follows) {
        let (Some((first, failure)), Some((last, _))) = (run.first(), run.last()) else { continue };
        let which = if first == last { format!("#{first}") } else { format!("#{first} to #{last}") };
        super::report(&format!("left out: {which}: {}", failure.why));
    }
    if !damaged.is_empty() {
        let count = counted(damaged.len() as u64, "damaged capture");
        super::report(&format!("without {count}; keep a copy of the store's file"));
    }
    damaged.is_empty()
}

/// Says on standard error what was masked, since it leaves changed, and what is secret and could not be.
pub(super) fn tell(printer: &Printer, masked: Masked) {
    if printer.quiet {
        return;
    }
    if let Some(words) = masked.words() {
        let fits = if masked.values > 0 { " (a signature over such a body does not fit any more)" } else { "" };
        let unread = match masked.unread as u64 {
            0 => String::new(),
            count => format!("; {} of other kinds than JSON, forms and XML may hold more", counted(count, "body")),
        };
        super::report(&format!("masked: {words}{fits}{unread}; --reveal leaves all as it came"));
    }
    if let Some(words) = masked.left() {
        super::report(&format!("not masked: {words}"));
    }
}
