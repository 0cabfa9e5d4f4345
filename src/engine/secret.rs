//! Where secrets come from. They are read at the start and when the configuration is read again, and never written anywhere.

use std::{
    collections::BTreeMap,
    fmt,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

use crate::{record::Failure, verify::Secret};

/// The largest file or output that is taken for a secret, in bytes. Keys in PEM are the longest there are.
const LARGEST: usize = 64 * 1024;

/// A secret's source, as `creel.toml` and the command line name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// An environment variable.
    Env(String),
    /// A file; one line end at its end is not part of the secret.
    File(PathBuf),
    /// A shell command's standard output; one line end at its end is not part of the secret.
    Command(String),
}

/// One source, or a list of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources(pub Vec<Source>);

/// How a source is written.
const SOURCE: &str = "{ env = \"NAME\" }, { file = \"PATH\" } or { command = \"LINE\" }";

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Kind {
    Env,
    File,
    Command,
}

/// A secret that stands in the file itself is refused without being repeated.
fn bare<E: Error>() -> E {
    E::custom(format!("a secret does not stand in this file; say where it is: {SOURCE}"))
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(OneSource)
    }
}

impl<'de> Deserialize<'de> for Sources {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(SomeSources)
    }
}

struct OneSource;

impl<'de> Visitor<'de> for OneSource {
    type Value = Source;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SOURCE)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Source, E> {
        Err(bare())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Source, A::Error> {
        let source = match map.next_key()? {
            Some(Kind::Env) => Source::Env(map.next_value()?),
            Some(Kind::File) => Source::File(map.next_value()?),
            Some(Kind::Command) => Source::Command(map.next_value()?),
            None => return Err(A::Error::custom(format!("no source is named: {SOURCE}"))),
        };
        match map.next_key::<Kind>()? {
            None => Ok(source),
            Some(_) => Err(A::Error::custom("one source is named at a time; several secrets are a list of them")),
        }
    }
}

struct SomeSources;

impl<'de> Visitor<'de> for SomeSources {
    type Value = Sources;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SOURCE}, or a list of them")
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Sources, E> {
        Err(bare())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Sources, A::Error> {
        Source::deserialize(MapAccessDeserializer::new(map)).map(|source| Sources(vec![source]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Sources, A::Error> {
        let mut sources = Vec::new();
        while let Some(source) = list.next_element()? {
            sources.push(source);
        }
        Ok(Sources(sources))
    }
}

/// Secrets as somebody typed them.
pub fn plain(given: &[String]) -> Result<Vec<Secret>, Failure> {
    if given.iter().any(String::is_empty) {
        return Err(Failure::new("reading --secret", "it is empty").hint("an empty secret would let everybody sign"));
    }
    Ok(given.iter().map(|text| Secret::new(text.as_bytes().to_vec())).collect())
}

/// What a command gave, which is run once: it may ask a person for something, and there is a screen when the configuration is read
/// again.
fn once(line: &str, output: impl FnOnce() -> Result<Vec<u8>, Failure>) -> Result<Vec<u8>, Failure> {
    static OUTPUTS: Mutex<BTreeMap<String, Vec<u8>>> = Mutex::new(BTreeMap::new());
    let mut outputs = OUTPUTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = outputs.get(line) {
        return Ok(known.clone());
    }
    let output = output()?;
    if !output.is_empty() {
        outputs.insert(line.to_owned(), output.clone());
    }
    Ok(output)
}

impl Source {
    /// Reads a secret that something is to be done with now: here a variable that is not set is a mistake.
    pub fn demanded(&self) -> Result<Secret, Failure> {
        self.read()?.ok_or_else(|| self.failure("it is not set").hint("export it in this shell, or name another"))
    }

    /// Reads the secret. None where an environment variable is not set: that is a machine's state, not a mistake, and
    /// the endpoint's signatures stay unchecked.
    pub fn read(&self) -> Result<Option<Secret>, Failure> {
        let bytes = match self {
            Self::Env(name) => match std::env::var_os(name) {
                None => return Ok(None),
                Some(value) => value.into_encoded_bytes(),
            },
            Self::File(path) => beginning(path).map_err(|why| self.failure(why))?,
            Self::Command(line) => once(line, || self.output_of(line))?,
        };
        let bytes = if matches!(self, Self::Env(_)) { &bytes[..] } else { without_line_end(&bytes) };
        if bytes.is_empty() {
            return Err(self.failure("it is empty").hint("an empty secret would let everybody sign"));
        }
        if bytes.len() > LARGEST {
            return Err(self.failure(format!("it is larger than {} KiB", LARGEST / 1024)));
        }
        if !bytes.starts_with(b"-----BEGIN ") && bytes.iter().any(|b| matches!(b, b'\n' | b'\r')) {
            return Err(self
                .failure("there is a line end in it")
                .hint("a secret is one line; only keys in PEM have more"));
        }
        Ok(Some(Secret::new(bytes)))
    }

    /// What the source is called in an error or a notice. Never the secret.
    pub fn name(&self) -> String {
        match self {
            Self::Env(name) => format!("the environment variable {name}"),
            Self::File(path) => format!("the file {}", path.display()),
            Self::Command(line) => format!("the command `{line}`"),
        }
    }

    fn failure(&self, why: impl std::fmt::Display) -> Failure {
        Failure::new(format!("reading a secret from {}", self.name()), why)
    }

    fn output_of(&self, line: &str) -> Result<Vec<u8>, Failure> {
        let output = Command::new("sh").args(["-c", line]).output().map_err(|why| self.failure(why))?;
        if output.status.success() { Ok(output.stdout) } else { Err(self.failure(output.status)) }
    }
}

/// As much of a file as tells whether it is too large: a device may have no end.
fn beginning(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST as u64 + 3).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn without_line_end(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(line: &str) -> Result<Option<Secret>, Failure> {
        Source::Command(line.to_owned()).read()
    }

    #[test]
    fn a_command_and_a_file_lose_one_line_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, "abc\r\n").unwrap();
        assert!(Source::File(path).read().unwrap().is_some());
        assert!(command("echo abc").unwrap().is_some());
        assert_eq!(without_line_end(b"abc\r\n"), b"abc");
        assert_eq!(without_line_end(b"abc\n\n"), b"abc\n");
    }

    #[test]
    fn what_cannot_be_a_secret_is_refused_without_showing_it() {
        for (line, why) in [("printf ''", "it is empty"), ("printf 'ab\\ncd'", "line end"), ("exit 3", "3")] {
            let failure = command(line).unwrap_err();
            assert!(failure.why.contains(why), "{line}: {failure}");
            assert!(!failure.why.contains("ab"), "{failure}");
        }
        let endless = Source::File("/dev/zero".into()).read().unwrap_err();
        assert!(endless.why.contains("larger than 64 KiB"), "{endless}");
    }

    #[test]
    fn a_variable_that_is_not_set_is_no_secret() {
        assert!(Source::Env("CREEL_TEST_NO_SUCH_VARIABLE".to_owned()).read().unwrap().is_none());
    }
}
