//! What of a capture can be copied, and where it goes.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    sync::Arc,
};

use super::{detail::Tab, model::Model, stage::Place};
use crate::{
    body::{Spelling, Value},
    engine::{
        mask::{Masked, masked},
        suggest,
    },
    export::FORMATS,
    record::{Capture, CaptureId, Failure, Fault, text::lossless},
};

/// The most bytes that are handed to the terminal: what fits, as base64, into the 100,000 bytes that the strictest of
/// the terminals that know OSC 52 take. What is larger goes to a file.
pub(super) const CLIPBOARD_BYTES: usize = 74_994;
/// How many files of one name are made before it is given up.
const FILES: u32 = 1_000;

/// A thing to copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Copied {
    Url,
    Id,
    Body,
    Raw,
    /// The value under the cursor: a text without its quotes, anything else as sent.
    Value,
    /// The same as sent.
    Subtree,
    /// The path of it.
    Path(Spelling),
    /// A header, by its place.
    Header(usize),
    /// What to write into `creel.toml`, so that its signature can be checked.
    Suggested,
    /// The capture in a form, by its place in `FORMATS`.
    As(usize),
}

/// What there is to copy of the open capture, with its name.
pub(super) fn things(model: &Model) -> Vec<(String, Copied)> {
    let Some(capture) = open(model) else { return Vec::new() };
    let mut all = under_cursor(model);
    if capture.judgement.fault == Some(Fault::SecretMissing) {
        all.push(("the lines for creel.toml by which it is checked".to_owned(), Copied::Suggested));
    }
    all.extend([
        ("the URL".to_owned(), Copied::Url),
        ("the body".to_owned(), Copied::Body),
        ("the raw request".to_owned(), Copied::Raw),
        ("the id".to_owned(), Copied::Id),
    ]);
    all.extend(
        FORMATS.iter().enumerate().map(|(at, format)| (format!("as {}: {}", format.name, format.help), Copied::As(at))),
    );
    let headers = capture.head.headers().iter().enumerate();
    all.extend(headers.map(|(at, header)| (format!("the header {}", header.name_text()), Copied::Header(at))));
    all
}

/// What stands under the cursor of a JSON body.
fn under_cursor(model: &Model) -> Vec<(String, Copied)> {
    if model.detail.tab != Tab::Body {
        return Vec::new();
    }
    let Some(under) = model.detail.cursor.under() else { return Vec::new() };
    let mut all = match under.value.first() {
        Some(b'{' | b'[') => vec![("the subtree under the cursor".to_owned(), Copied::Subtree)],
        Some(b'"') => vec![
            ("the value under the cursor".to_owned(), Copied::Value),
            ("the value under the cursor as JSON".to_owned(), Copied::Subtree),
        ],
        _ => vec![("the value under the cursor".to_owned(), Copied::Value)],
    };
    let spellings = [Spelling::Jq, Spelling::Pointer, Spelling::Dots];
    all.extend(spellings.map(|spelling| (format!("its path: {}", spelling.name()), Copied::Path(spelling))));
    all
}

/// The capture that is open, where no other one is on its way.
pub(super) fn open(model: &Model) -> Option<&Arc<Capture>> {
    model.detail.capture.as_ref().filter(|capture| Some(capture.id) == model.detail.id())
}

/// The bytes of a thing.
pub(super) fn bytes(model: &Model, copied: &Copied) -> Option<Vec<u8>> {
    taken(model, copied).map(|(bytes, _)| bytes)
}

/// The bytes of a thing, and what was masked in them. What lets somebody in is masked unless it is shown on the screen; in a
/// header that was asked for by its name, a body, or a part of one it is not.
pub(super) fn taken(model: &Model, copied: &Copied) -> Option<(Vec<u8>, Masked)> {
    let capture = open(model)?;
    let mut hidden = Masked::default();
    let mut shown = || {
        let whole = Capture::clone(capture);
        if model.detail.unmasked {
            return whole;
        }
        let (shown, all) = masked(whole);
        hidden = all;
        shown
    };
    let bytes = match copied {
        Copied::Url => url(model, capture).into_bytes(),
        Copied::Id => capture.id.to_string().into_bytes(),
        Copied::Body => capture.body.bytes.to_vec(),
        Copied::Raw => {
            let shown = shown();
            [&shown.head.raw()[..], &shown.body.bytes].concat()
        }
        Copied::Value => Value::Json(model.detail.cursor.under()?.value).plain().to_vec(),
        Copied::Subtree => model.detail.cursor.under()?.value.to_vec(),
        Copied::Path(spelling) => model.detail.cursor.node()?.0.path.spelled(*spelling).into_bytes(),
        Copied::Header(at) => capture.head.headers().iter().nth(*at)?.value.to_vec(),
        Copied::Suggested => suggest::lines(capture)?.1.into_bytes(),
        Copied::As(at) => FORMATS.get(*at)?.whole(&shown()),
    };
    Some((bytes, hidden))
}

/// The URL that the request came to.
fn url(model: &Model, capture: &Capture) -> String {
    let target = lossless(capture.head.target()).into_owned();
    match address(model) {
        Some(address) if target.starts_with('/') => format!("{address}{target}"),
        _ => target,
    }
}

/// Where creel listens.
pub(super) fn address(model: &Model) -> Option<&str> {
    match &model.place {
        Place::Listening(url) => Some(url),
        Place::Watching { address, .. } => address.as_deref(),
    }
}

/// What a file of it is called.
pub(super) fn file_name(id: CaptureId, copied: &Copied) -> String {
    let name = match copied {
        Copied::Url => "url.txt".to_owned(),
        Copied::Id => "id.txt".to_owned(),
        Copied::Body => "body".to_owned(),
        Copied::Raw => "raw.http".to_owned(),
        Copied::Value => "value.txt".to_owned(),
        Copied::Subtree => "value.json".to_owned(),
        Copied::Path(_) => "path.txt".to_owned(),
        Copied::Header(at) => format!("header-{at}.txt"),
        Copied::Suggested => "creel.toml".to_owned(),
        Copied::As(at) => FORMATS.get(*at).map_or("export", |format| format.name).to_owned(),
    };
    format!("creel-{id}-{name}")
}

/// Writes a new file into the folder for temporary files, for its owner alone; gives its path. What is there is never
/// written over. For a worker.
pub(super) fn keep(name: &str, bytes: &[u8]) -> Result<String, Failure> {
    let folder = std::env::temp_dir();
    let failed = |why: io::Error| Failure::new(format!("writing {name} into {}", folder.display()), why);
    for number in 0..FILES {
        let name = if number == 0 { name.to_owned() } else { format!("{name}.{number}") };
        let path = folder.join(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&path) {
            Ok(mut file) => return file.write_all(bytes).map(|()| path.display().to_string()).map_err(failed),
            Err(why) if why.kind() == io::ErrorKind::AlreadyExists => {}
            Err(why) => return Err(failed(why)),
        }
    }
    Err(failed(io::Error::from(io::ErrorKind::AlreadyExists)))
}

/// Hands bytes to the terminal for the clipboard (OSC 52). For the thread that draws.
pub(super) fn to_terminal(bytes: &[u8]) -> io::Result<()> {
    crossterm::execute!(io::stdout(), crossterm::clipboard::CopyToClipboard::to_clipboard_from(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_never_written_over_and_its_owners_alone() {
        let name = format!("creel-test-{}", std::process::id());
        let paths = [keep(&name, b"one").unwrap(), keep(&name, b"two").unwrap()];
        assert!(paths[0] != paths[1] && paths[1].ends_with(".1"), "{paths:?}");
        assert_eq!(std::fs::read(&paths[0]).unwrap(), b"one");
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&paths[1]).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        paths.iter().for_each(|path| std::fs::remove_file(path).unwrap());
    }
}
