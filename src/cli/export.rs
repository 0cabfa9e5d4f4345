//! `creel export`: captures in forms for other tools.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use clap::Args;

use super::{
    Answer, Common, input,
    progress::{self, Progress},
    show::format_names,
};
use crate::{
    export::{FORMATS, Format},
    record::{CaptureId, Failure},
    store::{Bodies, Reader},
};

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Which: for example `provider:stripe age<1d`; all words must match
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
    let count = if let Some(path) = &export.out {
        let progress = Progress::new(&printer);
        to_file(path, |out| write(out, &reader, &ids, format, export.reveal, progress))?
    } else {
        let progress = Progress::beside(&printer);
        write(&mut |bytes: &[u8]| printer.bytes(bytes), &reader, &ids, format, export.reveal, progress)?
    };
    if export.out.is_some() && !printer.quiet {
        printer.line(&format!("{count} exported"))?;
    }
    Ok(if count > 0 { Answer::Yes } else { Answer::No })
}

type Out<'a> = dyn FnMut(&[u8]) -> Result<(), Failure> + 'a;

/// Writes the captures, oldest first; gives how many. One that was deleted meanwhile is left out.
fn write(
    out: &mut Out<'_>,
    reader: &Reader,
    ids: &[CaptureId],
    format: &Format,
    reveal: bool,
    mut progress: Progress,
) -> Result<usize, Failure> {
    let (mut count, mut bytes) = (0, 0);
    out(format.begin.as_bytes())?;
    for &id in ids {
        let Some(capture) = reader.capture(id, Bodies::Read)? else { continue };
        let capture = if reveal { capture } else { capture.masked() };
        if count > 0 {
            out(format.between.as_bytes())?;
        }
        let written = (format.write)(&capture);
        out(&written)?;
        count += 1;
        bytes += written.len() as u64;
        progress.draw(|took| progress::of(count, ids.len(), Some(bytes), took));
    }
    out(format.end.as_bytes())?;
    Ok(count)
}

/// Writes a file beside its place and moves it there when it is whole.
fn to_file(path: &Path, write: impl FnOnce(&mut Out<'_>) -> Result<usize, Failure>) -> Result<usize, Failure> {
    let failed = |why: std::io::Error| Failure::new(format!("writing {}", path.display()), why);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let mut file = BufWriter::new(File::create(&part).map_err(failed)?);
    let written = write(&mut |bytes: &[u8]| file.write_all(bytes).map_err(failed));
    let done = written.and_then(|count| file.flush().map_err(failed).map(|()| count));
    match done.and_then(|count| std::fs::rename(&part, path).map_err(failed).map(|()| count)) {
        Ok(count) => Ok(count),
        Err(failure) => {
            let _ = std::fs::remove_file(&part);
            Err(failure)
        }
    }
}
