//! Lists the files of `assets/providers/` and `assets/samples/` for `include_str!`, so that a provider, and an event that
//! it may send, is one file and no Rust.

use std::{
    env,
    fmt::Write,
    fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    let assets = PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join("assets");
    let out = PathBuf::from(variable("OUT_DIR")?);
    let mut providers = String::from("&[\n");
    for path in files(&assets.join("providers"))?.iter().filter(|path| path.extension().is_some_and(|e| e == "toml")) {
        row(&mut providers, &[&stem(path)], path)?;
    }
    fs::write(out.join("providers.rs"), providers + "]\n")?;
    let mut samples = String::from("&[\n");
    for folder in files(&assets.join("samples"))? {
        for path in files(&folder)? {
            let kind = path.extension().unwrap_or_default().to_string_lossy().into_owned();
            row(&mut samples, &[&stem(&folder), &decoded(&stem(&path)), &kind], &path)?;
        }
    }
    fs::write(out.join("samples.rs"), samples + "]\n")
}

fn variable(name: &str) -> io::Result<String> {
    env::var(name).map_err(io::Error::other)
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    println!("cargo:rerun-if-changed={}", folder.display());
    let mut files: Vec<_> = fs::read_dir(folder)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    files.sort();
    Ok(files)
}

/// A row of the table: the words, and the file's text.
fn row(table: &mut String, words: &[&str], path: &Path) -> io::Result<()> {
    println!("cargo:rerun-if-changed={}", path.display());
    let words = words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", ");
    writeln!(table, "    ({words}, include_str!({:?})),", path.display().to_string()).map_err(io::Error::other)
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// A name in which letters that no file name may hold are written as `%XX`.
fn decoded(name: &str) -> String {
    let mut parts = name.split('%');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let letter = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).map(char::from);
        match letter {
            Some(letter) => format!("{text}{letter}{}", &part[2..]),
            None => format!("{text}%{part}"),
        }
    })
}
