//! Captures that go into a file in a form for other tools: which, as what, where to; and how that is done.

use std::{
    cell::Cell,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    engine::{self, export, mask::Masked, settings},
    export::{FORMATS, Format},
    query::Filter,
    record::{CaptureId, Failure, thousands},
    store::{Reader, Start},
};

/// What is marked.
const MARKED: &str = "mark:marked";
/// How many rows one question to the store brings: each ends its read transaction.
const PAGE: usize = 500;

/// Captures that are exported together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Batch {
    /// Oldest first.
    pub(super) ids: Arc<[CaptureId]>,
    /// Whether they are what is marked; else the one that was selected.
    pub(super) marked: bool,
}

impl Batch {
    /// The one that was selected.
    pub(super) fn one(id: CaptureId) -> Self {
        Self { ids: [id].into(), marked: false }
    }

    /// In few words: `#12`, `3 marked`.
    pub(super) fn words(&self) -> String {
        match self.ids.first() {
            Some(id) if !self.marked => format!("#{id}"),
            _ => format!("{} marked", thousands(self.ids.len() as u64)),
        }
    }
}

/// A wish for a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Export {
    pub(super) batch: Batch,
    /// A place in [`FORMATS`].
    pub(super) format: usize,
    /// Whether what lets somebody in is written as it came.
    pub(super) reveal: bool,
    /// Where to, as it was typed.
    pub(super) path: String,
    /// Whether what stands there is written over.
    pub(super) over: bool,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Exported {
    Written {
        path: String,
        count: usize,
        bytes: u64,
        masked: Masked,
    },
    /// Something stands at that place, and was left as it is.
    IsThere,
    /// Somebody stopped it before the file was whole.
    Stopped,
}

impl Export {
    pub(super) fn new(batch: Batch, format: usize) -> Self {
        let name = match batch.ids.first() {
            Some(id) if !batch.marked => format!("creel-{id}"),
            _ => format!("creel-{}-marked", batch.ids.len()),
        };
        let ending = FORMATS.get(format).map_or("", |format| format.ending);
        Self { batch, format, reveal: false, path: format!("{name}{ending}"), over: false }
    }

    /// What it is called: `3 marked as har`.
    pub(super) fn words(&self) -> String {
        let format = self.form().map_or("", |format| format.name);
        format!("{} as {format}", self.batch.words())
    }

    fn form(&self) -> Option<&'static Format> {
        FORMATS.get(self.format)
    }

    /// Writes the file. Each capture is read when its turn has come. Between two of them `goes_on` hears how many are written,
    /// and says whether to go on.
    pub(super) fn write(&self, reader: &Reader, goes_on: &mut dyn FnMut(usize) -> bool) -> Result<Exported, Failure> {
        let Some(format) = self.form() else { return Err(Failure::new("exporting", "there is no such form")) };
        let path = place(&self.path);
        let mut bytes = 0;
        let (written_yet, mut stopped) = (Cell::new(0), false);
        let written = export::to_file(reader.path(), &path, self.over, |out| {
            let mut counted = |written: &[u8]| {
                if !goes_on(written_yet.get()) {
                    stopped = true;
                    return Err(Failure::new("exporting", "it was stopped"));
                }
                bytes += written.len() as u64;
                out(written)
            };
            let told = |count, _| written_yet.set(count);
            let mut reading = export::Reading::of(reader, false);
            let all = export::write(&mut counted, &mut reading, &self.batch.ids, (format, self.reveal), told)?;
            if all.count == 0 {
                return Err(Failure::new("exporting", "none of it is in the store any more"));
            }
            Ok(all)
        });
        if stopped {
            return Ok(Exported::Stopped);
        }
        let written = written?;
        let whole = std::path::absolute(&path).unwrap_or(path);
        let path = settings::shown(&whole);
        Ok(written.map_or(Exported::IsThere, |all| {
            let export::Written { count, masked } = all;
            Exported::Written { path, count, bytes, masked }
        }))
    }
}

/// The place that a typed path means: as in a shell `~/` is the user's own folder.
fn place(typed: &str) -> PathBuf {
    let home = typed.strip_prefix("~/").zip(std::env::var_os("HOME"));
    home.map_or_else(|| PathBuf::from(typed), |(below, home)| Path::new(&home).join(below))
}

/// What is marked, oldest first.
pub(super) fn marked(reader: &Reader) -> Result<Vec<CaptureId>, Failure> {
    let filter = Filter::parse(MARKED).map_err(|error| Failure::new("looking for what is marked", error.message))?;
    taken(reader, &filter)
}

/// What a filter takes, oldest first.
pub(super) fn taken(reader: &Reader, filter: &Filter) -> Result<Vec<CaptureId>, Failure> {
    let condition = filter.sql(engine::now());
    let (mut ids, mut start) = (Vec::new(), Start::Newest);
    loop {
        let rows = reader.page(start, PAGE, Some(&condition))?;
        let Some(last) = rows.last() else { break };
        start = Start::Before(last.id);
        ids.extend(rows.iter().map(|row| row.id));
    }
    ids.reverse();
    Ok(ids)
}
