//! Programs of the user's that have the terminal for a while: the editor and the pager.
//!
//! They are run without a shell. What creel wrote for them lies in a folder of the user's alone, which goes with them,
//! however they end; so do the copies that an editor leaves beside its file.

use std::{
    env,
    fs::{self, Permissions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
    process::{Command, ExitStatus},
    sync::atomic::{AtomicUsize, Ordering},
};

use crate::record::Failure;

/// The editor where the user names none.
const EDITOR: &str = "vi";
/// The pager where the user names none.
const PAGER: &str = "less";
/// The largest file that is read back from an editor, in bytes.
const LARGEST: u64 = 256 << 20;

/// How many such programs run. Ctrl-C is meant for them as long.
static RUNNING: AtomicUsize = AtomicUsize::new(0);

/// Whether a program of the user's has the terminal.
pub(super) fn is_running() -> bool {
    RUNNING.load(Ordering::Acquire) > 0
}

/// Has a text edited by the user's editor (`$VISUAL`, `$EDITOR`), as a file of that name; gives what it left. Blocks until
/// the editor ends.
pub fn edit(text: &[u8], name: &str) -> Result<Vec<u8>, Failure> {
    let words = chosen(&["VISUAL", "EDITOR"], EDITOR)?;
    let doing = || format!("editing in `{}`", words.join(" "));
    let status = |why: io::Error| Failure::new(doing(), why).hint("name another editor in EDITOR");
    let (folder, path) = laid_out(text, name).map_err(|why| Failure::new("writing a text for the editor", why))?;
    let ended = run(Command::new(&words[0]).args(&words[1..]).arg(&path)).map_err(status)?;
    if !ended.success() {
        return Err(Failure::new(doing(), format!("it ended with {ended}")).hint("nothing was done with the text"));
    }
    let size = fs::metadata(&path).map_err(|why| Failure::new(doing(), why))?.len();
    if size > LARGEST {
        return Err(Failure::new(doing(), format!("the text is larger than {} MiB", LARGEST >> 20)));
    }
    let edited = fs::read(&path).map_err(|why| Failure::new(doing(), why))?;
    folder.close().map_err(|why| Failure::new("removing the edited text", why))?;
    Ok(edited)
}

/// Shows bytes in the user's pager (`$PAGER`), as a file of that name. Blocks until the pager ends.
pub fn page(bytes: &[u8], name: &str) -> Result<(), Failure> {
    let words = chosen(&["PAGER"], PAGER)?;
    let doing = || format!("showing it in `{}`", words.join(" "));
    let (_folder, path) = laid_out(bytes, name).map_err(|why| Failure::new("writing a text for the pager", why))?;
    let ended = run(Command::new(&words[0]).args(&words[1..]).arg(&path));
    match ended.map_err(|why| Failure::new(doing(), why).hint("name another pager in PAGER"))? {
        ended if ended.success() => Ok(()),
        ended => Err(Failure::new(doing(), format!("it ended with {ended}"))),
    }
}

/// A program that has the terminal until it ends.
fn run(command: &mut Command) -> io::Result<ExitStatus> {
    RUNNING.fetch_add(1, Ordering::AcqRel);
    let ended = command.status();
    RUNNING.fetch_sub(1, Ordering::AcqRel);
    ended
}

/// A file that its owner alone can read, in a folder that nobody else can look into.
fn laid_out(text: &[u8], name: &str) -> io::Result<(tempfile::TempDir, std::path::PathBuf)> {
    let folder = tempfile::Builder::new().prefix("creel-").permissions(Permissions::from_mode(0o700)).tempdir()?;
    let path = folder.path().join(Path::new(name).file_name().unwrap_or_default());
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    file.write_all(text)?;
    Ok((folder, path))
}

/// The words of the first of those variables that says something, else of the default.
fn chosen(variables: &[&str], default: &str) -> Result<Vec<String>, Failure> {
    let said = variables.iter().find_map(|name| {
        let text = env::var(name).ok().filter(|text| !text.trim().is_empty())?;
        Some((*name, text))
    });
    let Some((name, text)) = said else { return Ok(vec![default.to_owned()]) };
    match words(&text) {
        Some(words) if !words.is_empty() => Ok(words),
        _ => Err(Failure::new(format!("reading {name}"), format!("a quotation mark in `{text}` is not closed"))
            .hint("write it as a shell takes it: code --wait, or \"/a b/editor\" -x")),
    }
}

/// Splits a command into words as a shell does, and does nothing else that a shell does; none where a quotation mark is not
/// closed.
pub fn words(text: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quote): (_, Option<String>, Option<char>) = (Vec::new(), None, None);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None | Some('"'), '\\') => word.get_or_insert_default().push(chars.next()?),
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_does_and_nothing_is_expanded() {
        let cases: &[(&str, Option<&[&str]>)] = &[
            ("code --wait", Some(&["code", "--wait"])),
            ("  '/a b/vim'  -c \"set ft=http\" ", Some(&["/a b/vim", "-c", "set ft=http"])),
            (r#"a\ b "c\"d" 'e\f' '' $HOME `x` a;b"#, Some(&["a b", "c\"d", "e\\f", "", "$HOME", "`x`", "a;b"])),
            ("", Some(&[])),
            ("vim 'a", None),
            ("vim \\", None),
        ];
        for (text, expected) in cases {
            let expected = expected.map(|words| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>());
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn a_text_is_laid_out_for_its_owner_alone_and_goes_again() {
        let (folder, path) = laid_out(b"secret", "../request-1.http").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(folder.path()), mode(&path)), (0o700, 0o600));
        assert_eq!(path.parent(), Some(folder.path()));
        drop(folder);
        assert!(!path.exists());
    }
}
