//! The providers of this machine: those that are built in, and the user's own files.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use super::settings;
use crate::{
    record::Failure,
    verify::{Catalog, Provider},
};

/// The folder of the user's own provider files, beside the user's `creel.toml`.
pub(super) fn own_folder() -> Option<PathBuf> {
    settings::user_config().and_then(|file| file.parent().map(|folder| folder.join("providers")))
}

/// All providers. A file of the user's own takes the place of a built-in one of its name. Read at the first call.
pub fn catalog() -> Result<&'static Catalog, Failure> {
    static ALL: OnceLock<Result<Option<Catalog>, Failure>> = OnceLock::new();
    let all = ALL.get_or_init(|| with_own(own_folder().as_deref())).as_ref().map_err(Clone::clone)?;
    all.as_ref().map_or_else(Catalog::builtin, Ok)
}

/// The catalog with the files of a folder; none where there are no files.
fn with_own(folder: Option<&Path>) -> Result<Option<Catalog>, Failure> {
    let own = folder.map_or_else(|| Ok(Vec::new()), files)?;
    if own.is_empty() {
        return Ok(None);
    }
    let own = own.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    let is_own = |provider: &&Provider| own.iter().any(|mine| mine.name() == provider.name());
    let others: Vec<_> = Catalog::builtin()?.iter().filter(|provider| !is_own(provider)).cloned().collect();
    Ok(Some(Catalog::new(others.into_iter().chain(own).collect())))
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |why: io::Error| Failure::new(format!("reading the folder {}", folder.display()), why);
    let entries = match fs::read_dir(folder) {
        Err(why) if settings::is_missing(&why) && !folder.exists() => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut files = entries.map(|entry| entry.map(|it| it.path())).collect::<Result<Vec<_>, _>>().map_err(failed)?;
    files.retain(|path| path.extension().is_some_and(|end| end == "toml"));
    files.sort();
    Ok(files)
}

/// Reads one provider's file. The failure names the file, the line and the column.
pub fn read(path: &Path) -> Result<Provider, Failure> {
    let doing = format!("reading {}", path.display());
    let text = fs::read_to_string(path).map_err(|why| Failure::new(&doing, why))?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    Provider::parse(&name, &text).map_err(|failure| Failure { doing, ..failure })
}
