//! Captures into a file, in a form for other tools: the whole file or none.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, BufWriter, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::mask::{Masked, masked};
use crate::{
    export::Format,
    query::Sql,
    record::{Capture, CaptureId, Failure},
    store::{Reader, Rescued, has_file},
};

/// How many names for an unfinished file are tried.
const PARTS: u32 = 1_000;
/// The mode of a file that is written: what is in it is for its owner to show.
pub const PRIVATE: u32 = 0o600;

/// Where written bytes go.
pub type Out<'a> = dyn FnMut(&[u8]) -> Result<(), Failure> + 'a;

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// How many captures.
    pub count: usize,
    /// What was masked in them.
    pub masked: Masked,
}

/// A capture that could not be read, and why.
pub type Damaged = (CaptureId, Failure);

/// Reads what leaves, one capture after the other.
#[derive(Debug)]
pub struct Reading<'a> {
    reader: &'a Reader,
    /// What is damaged is left out, and kept here to be told.
    skipped: Option<Vec<Damaged>>,
    /// Whether it is to end before its end.
    stop: Arc<AtomicBool>,
}

impl<'a> Reading<'a> {
    /// From a store; where something there is damaged, it ends, or goes on with the next if that is skipped.
    pub fn of(reader: &'a Reader, skips_damaged: bool) -> Self {
        Self { reader, skipped: skips_damaged.then(Vec::new), stop: Arc::default() }
    }

    /// What ends it by a failure, so that nothing unfinished is left of what is written.
    pub fn stop(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    /// The captures that fulfil the condition, oldest first, where what is damaged is skipped; else whoever reads asks the list.
    pub fn sift(&mut self, condition: Option<&Sql>) -> Option<Result<Vec<CaptureId>, Failure>> {
        let skipped = self.skipped.as_mut()?;
        Some(self.reader.sift(condition, &mut |id, why| skipped.push((id, why))))
    }

    /// The next. None where it was deleted meanwhile, or is skipped.
    pub fn read(&mut self, id: CaptureId) -> Result<Option<Capture>, Failure> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(Failure::new("writing captures", "it was told to stop"));
        }
        match (self.reader.rescue(id)?, &mut self.skipped) {
            (Rescued::Whole(capture), _) => Ok(Some(*capture)),
            (Rescued::Gone, _) => Ok(None),
            (Rescued::Damaged(why), None) => Err(why),
            (Rescued::Damaged(why), Some(skipped)) => {
                skipped.push((id, why));
                Ok(None)
            }
        }
    }

    /// What was skipped.
    pub fn skipped(self) -> Vec<Damaged> {
        self.skipped.unwrap_or_default()
    }
}

/// Writes captures, in the order of their ids as given. One that was deleted meanwhile is left out. What lets somebody in is
/// masked unless it is to be revealed. `told` hears after each how many are written, and how many bytes.
pub fn write(
    out: &mut Out<'_>,
    reading: &mut Reading<'_>,
    ids: &[CaptureId],
    (format, reveal): (&Format, bool),
    mut told: impl FnMut(usize, u64),
) -> Result<Written, Failure> {
    let (mut all, mut bytes) = (Written::default(), 0);
    out(format.begin.as_bytes())?;
    for &id in ids {
        let Some(capture) = reading.read(id)? else { continue };
        let (capture, hidden) = if reveal { (capture, Masked::default()) } else { masked(capture) };
        if all.count > 0 {
            out(format.between.as_bytes())?;
        }
        let written = (format.write)(&capture);
        out(&written)?;
        all.count += 1;
        all.masked += hidden;
        bytes += written.len() as u64;
        told(all.count, bytes);
    }
    out(format.end.as_bytes())?;
    Ok(all)
}

/// Writes a file beside its place and moves it there when it is whole; gives what `write` gives. None where something stands
/// at that place and is not to be replaced: then that stays as it is. A link stays one: what it leads to is replaced; and a device
/// or a pipe is written into. A new file is its owner's alone, and the files of the store at `store` are never replaced.
pub fn to_file<T>(
    store: &Path,
    path: &Path,
    replace: bool,
    write: impl FnOnce(&mut Out<'_>) -> Result<T, Failure>,
) -> Result<Option<T>, Failure> {
    let failed = |why: io::Error| Failure::new(format!("writing {}", path.display()), why);
    if path.is_dir() || path.file_name().is_none() {
        let why = Failure::new(format!("writing {}", path.display()), "it is a folder");
        return Err(why.hint("name a file in it"));
    }
    if !replace && path.symlink_metadata().is_ok() {
        return Ok(None);
    }
    if path.metadata().is_ok_and(|found| !found.is_file()) {
        return through(path, write).map(Some);
    }
    refuse_store(store, path)?;
    refuse_no_folder(path)?;
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let (file, part) = part_of(path).map_err(failed)?;
    let mut file = BufWriter::new(file);
    let written = write(&mut |bytes: &[u8]| file.write_all(bytes).map_err(failed));
    let done = written.and_then(|given| {
        file.flush().and_then(|()| file.get_ref().sync_all()).map_err(failed)?;
        Ok(put(&part, path, replace).map_err(failed)?.then_some(given))
    });
    if !matches!(done, Ok(Some(_))) {
        // What is unfinished is of no use; what went wrong first is told.
        let _ = fs::remove_file(&part);
    }
    done
}

/// Says no to a place where the store itself is: what is in it would be lost.
pub fn refuse_store(store: &Path, path: &Path) -> Result<(), Failure> {
    if has_file(store, path) {
        let why = "the store is there, with all that was captured";
        return Err(Failure::new(format!("writing {}", path.display()), why).hint("name another file"));
    }
    Ok(())
}

/// Says no to a place in a folder that is not there: which of the two is missing the system does not say.
fn refuse_no_folder(path: &Path) -> Result<(), Failure> {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        Some(folder) => {
            let why = format!("there is no folder {}", folder.display());
            Err(Failure::new(format!("writing {}", path.display()), why).hint("make it first, or name another place"))
        }
        None => Ok(()),
    }
}

/// Writes into a device or a pipe: it is there, and stays.
fn through<T>(path: &Path, write: impl FnOnce(&mut Out<'_>) -> Result<T, Failure>) -> Result<T, Failure> {
    let failed = |why: io::Error| Failure::new(format!("writing {}", path.display()), why);
    let mut file = BufWriter::new(File::options().write(true).open(path).map_err(failed)?);
    let given = write(&mut |bytes: &[u8]| file.write_all(bytes).map_err(failed))?;
    file.flush().map_err(failed)?;
    Ok(given)
}

/// A new file beside a place, with a name that nothing has, and with the mode of what stands there.
fn part_of(path: &Path) -> io::Result<(File, PathBuf)> {
    let mode = path.metadata().map_or(PRIVATE, |found| found.permissions().mode());
    for number in 0..PARTS {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(if number == 0 { ".part".to_owned() } else { format!(".{number}.part") });
        let part = path.with_file_name(name);
        match OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(&part) {
            Ok(file) => {
                file.set_permissions(Permissions::from_mode(mode))?;
                return Ok((file, part));
            }
            Err(why) if why.kind() == io::ErrorKind::AlreadyExists => {}
            Err(why) => return Err(why),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Moves a finished file to its place. Whether it is there: what came to stand there meanwhile is not replaced unasked.
fn put(part: &Path, path: &Path, replace: bool) -> io::Result<bool> {
    if replace {
        return fs::rename(part, path).map(|()| true);
    }
    // A link is refused where a name is taken; a move would take its place.
    match fs::hard_link(part, path) {
        Ok(()) => fs::remove_file(part).map(|()| true),
        Err(why) if why.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        // Not every file system has links.
        Err(_) if path.symlink_metadata().is_ok() => Ok(false),
        Err(_) => fs::rename(part, path).map(|()| true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// None that is there.
    fn store() -> &'static Path {
        Path::new("creel.db")
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_whole_or_not_there_and_replaced_only_when_that_is_wished() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.har");
        let broken = |out: &mut Out<'_>| -> Result<(), Failure> {
            out(b"half")?;
            Err(Failure::new("exporting", "the store is gone"))
        };
        assert!(to_file(store(), &path, false, broken).is_err());
        assert!(names(folder.path()).is_empty());
        let text = |text: &'static [u8]| move |out: &mut Out<'_>| out(text).map(|()| text.len());
        assert_eq!(to_file(store(), &path, false, text(b"one")).unwrap(), Some(3));
        assert_eq!(to_file(store(), &path, false, text(b"two!")).unwrap(), None);
        assert!(to_file(store(), &path, true, broken).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(to_file(store(), &path, true, text(b"two!")).unwrap(), Some(4));
        assert_eq!(fs::read(&path).unwrap(), b"two!");
        assert_eq!(names(folder.path()), ["x.har"]);
    }

    #[test]
    fn a_new_file_is_its_owner_s_alone_and_what_stands_there_keeps_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        to_file(store(), &path, false, |out| out(b"one")).unwrap();
        assert_eq!(mode(), 0o600);
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        to_file(store(), &path, true, |out| out(b"two")).unwrap();
        assert_eq!((mode(), fs::read(&path).unwrap()), (0o640, b"two".to_vec()));
    }

    #[test]
    fn the_store_is_never_replaced_by_whatever_name() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        ["creel.db", "creel.db-wal"].iter().for_each(|name| fs::write(at(name), "all").unwrap());
        std::os::unix::fs::symlink(at("creel.db"), at("link")).unwrap();
        for name in ["creel.db", "creel.db-wal", "link", "./creel.db"] {
            let path = at(name);
            let said = to_file(&at("creel.db"), &path, true, |out| out(b"x")).unwrap_err().to_string();
            assert!(said.contains("the store is there"), "{said}");
            assert_eq!(fs::read(&path).unwrap(), b"all");
        }
        assert_eq!(names(folder.path()), ["creel.db", "creel.db-wal", "link"]);
        assert!(to_file(&at("creel.db"), &at("creel.db.jsonl"), true, |out| out(b"x")).is_ok());
    }

    #[test]
    fn what_comes_to_stand_there_meanwhile_stays_and_so_does_anothers_unfinished_file() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("x"), folder.path().join("x.part"));
        fs::write(&other, b"another's").unwrap();
        let wrote = to_file(store(), &path, false, |out| {
            fs::write(&path, b"faster").unwrap();
            out(b"slower")
        });
        assert_eq!(wrote.unwrap(), None);
        assert_eq!((fs::read(&path).unwrap(), fs::read(&other).unwrap()), (b"faster".to_vec(), b"another's".to_vec()));
        assert_eq!(names(folder.path()), ["x", "x.part"]);
    }

    #[test]
    fn a_folder_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        for replace in [false, true] {
            let said = to_file(store(), folder.path(), replace, |out| out(b"x")).unwrap_err().to_string();
            assert!(said.contains("it is a folder") && said.contains("name a file in it"), "{said}");
        }
    }
}
