//! What a face remembers between its starts: a small file in the platform's folder for state. It is no fact of a capture's
//! and no setting; where it is missing or damaged, nothing is lost but a habit.

use std::{io::Write, path::PathBuf};

use crate::record::Failure;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 256 << 10;

/// The file. None where the platform has no folder for it.
fn path() -> Option<PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    // Not every platform tells state from data.
    let folder =
        etcetera::BaseStrategy::state_dir(&strategy).unwrap_or_else(|| etcetera::BaseStrategy::data_dir(&strategy));
    Some(folder.join("creel").join("screen.toml"))
}

/// What was remembered. None where nothing was, or where it cannot be read.
pub fn remembered() -> Option<String> {
    let path = path()?;
    let size = std::fs::metadata(&path).ok()?.len();
    std::fs::read_to_string(path).ok().filter(|_| size <= LARGEST)
}

/// Remembers a text in place of the one before: wholly, or not at all.
pub fn remember(text: &str) -> Result<(), Failure> {
    let Some(path) = path() else { return Ok(()) };
    let write = || {
        let folder = path.parent().unwrap_or(&path);
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.persist(&path).map(drop).map_err(|error| error.error)
    };
    write().map_err(|why| Failure::new(format!("remembering the screen in {}", path.display()), why))
}

/// Changes something of what is remembered and leaves the rest; a file that is damaged is begun anew.
pub fn change(change: impl FnOnce(&mut toml::Table)) -> Result<(), Failure> {
    let mut file: toml::Table = remembered().and_then(|text| text.parse().ok()).unwrap_or_default();
    change(&mut file);
    remember(&file.to_string())
}
