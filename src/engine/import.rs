//! From files to the store: what others wrote is judged as at capture and stored in one transaction, all of it or nothing.
//!
//! One thread reads and judges, the writer stores; a few captures are between them, so that a file of any size needs the
//! memory of its largest entries.

use std::{
    cell::Cell,
    collections::HashMap,
    fs::File,
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, channel, sync_channel},
    },
    time::{Duration, Instant},
};

use super::{
    Engine,
    admit::{chance, examine, judge, told},
    catalog::Providers,
    endpoint::Endpoints,
    now, spawn,
};
use crate::{
    import::{self, Entry, Form, Stop},
    record::{Body, Capture, Failure, Flag, Uid},
    store::{self, Brought, Imported, Role, Source, Writer},
    verify,
};

/// How many captures are between the reader and the writer.
const BETWEEN: usize = 8;
/// How long the doctor may work for one import, all together; the rest is examined when somebody asks.
const DOCTOR_TIME: Duration = Duration::from_secs(5);
/// The largest files, all together, that are imported beside a creel that captures: its senders wait meanwhile.
const LARGEST_BESIDE: u64 = 64 << 20;
/// How much is read at once, in bytes.
const PART: usize = 64 << 10;

/// How far an import is: entries read, and bytes.
pub type Progress = dyn FnMut(u64, u64) + Send;

/// How files are imported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct How {
    /// How they are written; None: each tells its own form.
    pub form: Option<Form>,
    /// Whether what the store has already becomes another capture of its own; else it is left out.
    pub again: bool,
    /// The endpoint they are of, whatever their path and their file say.
    pub endpoint: Option<String>,
}

/// What came of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Import {
    /// The captures.
    pub imported: Imported,
    /// What the files list besides and is no request.
    pub left_out: u64,
}

/// What the reader tells the writer.
enum Word {
    Capture(Box<Brought>),
    Failed(Failure),
    End,
}

impl Engine {
    /// Imports files, `-` for standard input, one after the other.
    pub fn import(&self, files: Vec<PathBuf>, how: How, progress: Box<Progress>) -> Result<Import, Failure> {
        let endpoints = self.endpoints();
        known(how.endpoint.as_deref(), &endpoints)?;
        let is_beside = store::holder(&self.db).is_some();
        if is_beside {
            refuse_large(&files)?;
        }
        let writer = self.importing(is_beside)?;
        let judge = Judge { told: how.endpoint.clone(), ..Judge::new(endpoints)? };
        let (tell, heard) = sync_channel(BETWEEN);
        let (others, left_out) = channel();
        let most = if is_beside { LARGEST_BESIDE } else { u64::MAX };
        spawn("creel-import", move || {
            let read = read_all(&files, &how, judge, &tell, progress, most);
            let end = read.map_or_else(Word::Failed, |left_out| {
                let _ = others.send(left_out);
                Word::End
            });
            let _ = tell.send(end);
        })?;
        let source = if is_beside { source(all_of(heard).into_iter()) } else { source(heard.into_iter()) };
        let pending = writer.import(source).map_err(|full| Failure::new("importing", full))?;
        let imported =
            pending.blocking_recv().unwrap_or_else(|_| Err(Failure::new("importing", "the store is closed")));
        let imported = imported.map_err(|failure| {
            let hint = failure.hint.as_ref().map_or_else(String::new, |hint| format!("; {hint}"));
            failure.hint(format!("nothing was imported{hint}"))
        })?;
        Ok(Import { imported, left_out: left_out.recv().unwrap_or_default() })
    }

    /// The writer for it: the one who captures where nobody does, so that all repeats are known.
    fn importing(&self, is_beside: bool) -> Result<Writer, Failure> {
        let visiting = || self.writer();
        if is_beside { visiting() } else { self.writer_as(Role::Capturing).or_else(|_| visiting()) }
    }
}

/// Says no to an endpoint that is not configured.
fn known(name: Option<&str>, endpoints: &Endpoints) -> Result<(), Failure> {
    let Some(name) = name.filter(|name| endpoints.named(name).is_none()) else { return Ok(()) };
    let names: Vec<_> = endpoints.iter().map(|endpoint| &endpoint.name[..]).collect();
    let failure = Failure::new("importing", format!("there is no endpoint {name}"));
    Err(if names.is_empty() { failure } else { failure.hint(format!("there are: {}", names.join(", "))) })
}

/// Says no to files of which it is seen that a creel that captures would have to wait too long for them.
fn refuse_large(files: &[PathBuf]) -> Result<(), Failure> {
    let sizes = files.iter().filter_map(|path| path.metadata().ok()).map(|found| found.len());
    if sizes.sum::<u64>() > LARGEST_BESIDE {
        return Err(Failure::new("importing", too_large())
            .hint("its senders would wait: stop it first, or take --db with another store"));
    }
    Ok(())
}

fn too_large() -> String {
    format!("more than {} MiB, and another creel captures into this store", LARGEST_BESIDE >> 20)
}

fn source(mut words: impl Iterator<Item = Word> + Send + 'static) -> Source {
    Box::new(move || match words.next() {
        Some(Word::Capture(brought)) => Ok(Some(*brought)),
        Some(Word::End) => Ok(None),
        Some(Word::Failed(failure)) => Err(failure),
        None => Err(Failure::new("importing", "a part of creel failed")),
    })
}

/// All that is read, before any of it is written: whoever captures into the store waits for no pipe, and for no doctor. Of what
/// fails only that is left.
fn all_of(heard: Receiver<Word>) -> Vec<Word> {
    let mut all: Vec<_> = heard.into_iter().collect();
    if let Some(failed) = all.pop_if(|word| matches!(word, Word::Failed(_))) {
        all = vec![failed];
    }
    all
}

fn read_all(
    files: &[PathBuf],
    how: &How,
    mut judge: Judge,
    tell: &SyncSender<Word>,
    mut progress: Box<Progress>,
    most: u64,
) -> Result<u64, Failure> {
    let (mut entries, mut left_out, bytes) = (0, 0, Cell::new(0));
    for path in files {
        let is_piped = path == Path::new("-");
        let doing = if is_piped { "importing standard input".into() } else { format!("importing {}", path.display()) };
        let input = Metered { input: open(path).map_err(|why| Failure::new(&doing, why))?, bytes: &bytes, most };
        let mut names = Names::default();
        let mut take = |mut entry: Entry| {
            entries += 1;
            entry.uid = if how.again { None } else { entry.uid.or_else(|| names.of(&entry)) };
            entry.flags.insert(Flag::Imported);
            let may_be_known = entry.uid.is_some();
            let capture = judge.judged(entry).map_err(|why| Failure::new(&doing, format!("entry {entries}: {why}")))?;
            let brought = Box::new(Brought { capture, may_be_known });
            tell.send(Word::Capture(brought)).map_err(|_| Failure::new(&doing, "the store is closed"))?;
            progress(entries, bytes.get());
            Ok(())
        };
        let read = import::read(BufReader::with_capacity(PART, input), how.form, &mut take);
        let found = read.map_err(|stop| match stop {
            Stop::Told(failure) => failure,
            Stop::Bad { entry, why } => Failure::new(&doing, format!("entry {entry}: {why}")),
            Stop::Unknown(why) => Failure::new(&doing, why),
        })?;
        left_out += found.others;
        progress(entries, bytes.get());
    }
    Ok(left_out)
}

/// Names for what comes from others, who gave it none: by its moment and what it is, so that a file that is read twice, or that
/// holds more than when it was read before, brings each once. How often each came in the file, by a part of its hash.
#[derive(Default)]
struct Names(HashMap<u64, u32>);

impl Names {
    /// None for one of no time: the same request may be meant to come again.
    fn of(&mut self, entry: &Entry) -> Option<Uid> {
        let at = entry.received_at?;
        let parts = [entry.head.raw(), &entry.body, entry.peer.as_deref().unwrap_or_default().as_bytes()];
        let hashes = parts.map(verify::sha256).concat();
        let hash = verify::sha256(&[&at.unix_ms().to_be_bytes()[..], &hashes].concat());
        let chance = hash.iter().fold(0_u128, |chance, &byte| chance << 8 | u128::from(byte));
        // Two in one file that are alike to the millisecond came twice.
        let nth = self.0.entry(chance as u64).and_modify(|nth| *nth += 1).or_default();
        Some(Uid::new(at, chance.wrapping_add(u128::from(*nth))))
    }
}

/// Judges entries as the door judges what arrives.
pub(super) struct Judge {
    endpoints: Endpoints,
    /// The endpoint that all are of, whatever they say; none: each says it, or its path.
    told: Option<String>,
    catalog: Providers,
    /// The high part of every new uid's chance, and a count below it.
    chance: u128,
    count: u128,
    /// How long the doctor may still work.
    doctor: Duration,
}

impl Judge {
    pub(super) fn new(endpoints: Endpoints) -> Result<Self, Failure> {
        Ok(Self { endpoints, told: None, catalog: super::catalog()?, chance: chance()?, count: 0, doctor: DOCTOR_TIME })
    }

    /// An entry as a capture. Why not, where it is none.
    pub(super) fn judged(&mut self, entry: Entry) -> Result<Capture, String> {
        let sha256 = verify::sha256(&entry.body);
        if entry.sha256.is_some_and(|said| said != sha256) {
            return Err("its body is not the one that was exported (SHA-256)".to_owned());
        }
        let received_at = entry.received_at.unwrap_or_else(now);
        let meant = self.told.as_deref().and_then(|name| self.endpoints.named(name));
        let name = entry.endpoint.as_deref().unwrap_or_default();
        let endpoint = Arc::clone(meant.unwrap_or_else(|| self.endpoints.of(name, &entry.head.path())));
        let name = entry.endpoint.filter(|_| meant.is_none()).unwrap_or_else(|| endpoint.name.clone());
        let method = entry.head.method().into_owned();
        let request = verify::Request {
            method: &method,
            url: endpoint.url.as_deref(),
            target: entry.head.target(),
            headers: entry.head.headers(),
            body: &entry.body,
            truncated: entry.truncated,
            rewritten: entry.flags.contains(Flag::Rewritten),
            received_at,
        };
        let provider = match &endpoint.provider {
            Some(name) => self.catalog.get(name),
            None => self.catalog.detect(&request),
        };
        let secrets = endpoint.known_secrets();
        let (mut judgement, event) = judge(&self.catalog, provider, &request, &secrets, &endpoint.unset);
        if let Some(provider) = provider {
            endpoint.proven.note(provider, judgement.verdict);
        }
        let mut flags = entry.flags;
        if judgement.proves_the_body() {
            flags.remove(Flag::Rewritten);
        }
        let asked = provider.filter(|_| endpoint.handshake).and_then(|provider| {
            provider.handshake(&request, &secrets, judgement.verdict, endpoint.verify_token.as_ref())
        });
        if let Some(asked) = asked {
            flags.insert(Flag::Handshake);
            judgement.handshake = Some(told(asked).0);
        }
        if let Some(provider) = provider.filter(|_| !self.doctor.is_zero()) {
            let began = Instant::now();
            let (endpoints, name) = (&self.endpoints, &endpoint.name);
            examine(&self.catalog, provider, &request, &secrets, endpoints, name, &mut judgement);
            self.doctor = self.doctor.saturating_sub(began.elapsed());
        }
        self.count += 1;
        let uid = entry.uid.unwrap_or_else(|| Uid::new(received_at, self.chance | self.count & 0xff_ffff));
        let declared = entry.head.headers().text("content-length").and_then(|text| text.parse().ok());
        let body = Body { declared, truncated: entry.truncated, ..Body::whole(entry.body, sha256) };
        Ok(Capture {
            endpoint: name,
            peer: entry.peer.unwrap_or_default(),
            provider: provider.map(|provider| provider.name().to_owned()),
            event,
            judgement,
            trailers: entry.trailers,
            flags,
            tags: entry.tags,
            note: entry.note,
            // What its sender was answered elsewhere is not what an endpoint here would say.
            reply_status: entry.reply_status.unwrap_or_default(),
            ..Capture::new(uid, received_at, entry.head, body)
        })
    }
}

fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    match path {
        _ if path == Path::new("-") => Ok(Box::new(io::stdin())),
        _ if path.is_dir() => Err(io::Error::other("it is a folder")),
        _ => Ok(Box::new(File::open(path)?)),
    }
}

/// Counts what is read, and reads no more than so much.
struct Metered<'b, R> {
    input: R,
    bytes: &'b Cell<u64>,
    most: u64,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(into)?;
        self.bytes.set(self.bytes.get() + read as u64);
        if self.bytes.get() > self.most {
            return Err(io::Error::other(too_large()));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_read_than_may_be() {
        let read = |most| {
            let bytes = Cell::new(0);
            Metered { input: &b"0123456789"[..], bytes: &bytes, most }.read_to_end(&mut Vec::new())
        };
        assert_eq!(read(10).unwrap(), 10);
        assert!(read(9).unwrap_err().to_string().contains("another creel captures"));
    }

    #[test]
    fn of_what_fails_only_the_failure_is_left() {
        let all = |last| {
            let (tell, heard) = sync_channel(3);
            for word in [Word::End, Word::End, last] {
                tell.send(word).unwrap();
            }
            drop(tell);
            all_of(heard)
        };
        assert_eq!(all(Word::End).len(), 3);
        assert!(matches!(all(Word::Failed(Failure::new("importing", "it is cut")))[..], [Word::Failed(_)]));
    }
}
