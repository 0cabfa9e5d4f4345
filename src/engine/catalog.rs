//! The providers of this machine: those that are built in, and the user's own files, which are read again when they change.

use std::{
    fs, io,
    ops::Deref,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
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

/// All providers that are known at a moment. A file of the user's own takes the place of a built-in one of its name.
#[derive(Clone, Debug)]
pub enum Providers {
    /// Those that are built in: there are no other files.
    BuiltIn(&'static Catalog),
    /// With those of the user's own.
    WithOwn(Arc<Catalog>),
}

impl Deref for Providers {
    type Target = Catalog;

    fn deref(&self) -> &Catalog {
        match self {
            Self::BuiltIn(catalog) => catalog,
            Self::WithOwn(catalog) => catalog,
        }
    }
}

/// Those that are in force: none before somebody asked for them.
static IN_FORCE: RwLock<Option<Result<Providers, Failure>>> = RwLock::new(None);

/// All providers, as they are in force now. The user's files are read at the first call, and by a creel that runs whenever they
/// change.
pub fn catalog() -> Result<Providers, Failure> {
    if let Some(known) = &*IN_FORCE.read().unwrap_or_else(PoisonError::into_inner) {
        return known.clone();
    }
    let mut in_force = IN_FORCE.write().unwrap_or_else(PoisonError::into_inner);
    in_force.get_or_insert_with(read_all).clone()
}

/// All providers, as the files have them now.
pub(super) fn read_all() -> Result<Providers, Failure> {
    with_own(&own_files()?)
}

/// Has these in force from now on. Who has others keeps them to the end of what it does.
pub(super) fn put(providers: Providers) {
    *IN_FORCE.write().unwrap_or_else(PoisonError::into_inner) = Some(Ok(providers));
}

/// The user's own files.
pub(super) fn own_files() -> Result<Vec<PathBuf>, Failure> {
    own_folder().map_or_else(|| Ok(Vec::new()), |folder| files(&folder))
}

/// The catalog with these files.
fn with_own(own: &[PathBuf]) -> Result<Providers, Failure> {
    let builtin = Catalog::builtin()?;
    if own.is_empty() {
        return Ok(Providers::BuiltIn(builtin));
    }
    let own = own.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    let is_own = |provider: &&Provider| own.iter().any(|mine| mine.name() == provider.name());
    let others: Vec<_> = builtin.iter().filter(|provider| !is_own(provider)).cloned().collect();
    Ok(Providers::WithOwn(Arc::new(Catalog::new(others.into_iter().chain(own).collect()))))
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
