//! Keeps what was found out of how a sender signs, as a provider's file of the user's own.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::PathBuf,
};

use super::catalog;
use crate::record::Failure;

/// Writes a provider's file of the user's own, and gives its path. One that is there is never written over.
pub fn keep_provider(name: &str, file: &str) -> Result<PathBuf, Failure> {
    let doing = format!("saving the provider `{name}`");
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !is_name {
        return Err(
            Failure::new(doing, "a provider's name is of letters, digits and dashes").hint("give it one with --name")
        );
    }
    let folder = catalog::own_folder()
        .ok_or_else(|| Failure::new(&doing, "this user has no folder for configurations").hint("set HOME"))?;
    let path = folder.join(format!("{name}.toml"));
    let write = || {
        fs::create_dir_all(&folder)?;
        OpenOptions::new().write(true).create_new(true).open(&path)?.write_all(file.as_bytes())
    };
    write().map(|()| path.clone()).map_err(|why: io::Error| {
        let failure = Failure::new(&doing, format!("{}: {why}", path.display()));
        if why.kind() == io::ErrorKind::AlreadyExists {
            failure.hint("give it another name with --name")
        } else {
            failure
        }
    })
}
