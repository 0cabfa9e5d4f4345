//! Bytes as words of a POSIX shell (POSIX.1, XCU section 2.2), on one line and without a byte that acts on a terminal.
//!
//! `$'…'` would be shorter than `printf`, but came into POSIX only in 2024 and is plain text to dash, which is `sh` on
//! Debian and Ubuntu.

use base64::{Engine, engine::general_purpose::STANDARD};

/// The longest word that is given to a program as an argument; Linux takes 128 KiB for one.
const LONGEST_ARGUMENT: usize = 96 * 1024;

/// Letters outside ASCII that are one column or two, combine with nothing and have one direction: what may stand in a
/// command as it is. Everything else is written by its bytes.
const LETTERS: [(char, char); 8] = [
    ('\u{00C0}', '\u{02AF}'), // Latin
    ('\u{0391}', '\u{03CE}'), // Greek
    ('\u{0400}', '\u{0481}'), // Cyrillic
    ('\u{048A}', '\u{052F}'),
    ('\u{3041}', '\u{3096}'), // Hiragana
    ('\u{30A1}', '\u{30FA}'), // Katakana
    ('\u{4E00}', '\u{9FFF}'), // Han
    ('\u{AC00}', '\u{D7A3}'), // Hangul
];

fn is_plain(char: char) -> bool {
    matches!(char, ' '..='~') || LETTERS.iter().any(|&(first, last)| (first..=last).contains(&char))
}

/// The text, if it can stand in a command as it is.
fn plain(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().filter(|text| text.chars().all(is_plain))
}

/// Those bytes as one argument. An argument ends at the first NUL, and a line feed at its end is lost: HTTP lets neither
/// into a head.
pub(super) fn argument(bytes: &[u8]) -> String {
    match plain(bytes) {
        Some(text) => quoted(text),
        None => format!("\"$({})\"", printf(bytes)),
    }
}

/// How bytes come to a program.
pub(super) enum Input {
    /// As an argument.
    Argument(String),
    /// On its standard input, from that command.
    Pipe(String),
}

/// Any bytes, exactly, in the shortest way that works.
pub(super) fn input(bytes: &[u8]) -> Input {
    if let Some(text) = plain(bytes).filter(|text| text.len() <= LONGEST_ARGUMENT && !text.starts_with('@')) {
        return Input::Argument(quoted(text));
    }
    let (text, coded) = (printf(bytes), format!("printf %s {} | base64 -d", STANDARD.encode(bytes)));
    Input::Pipe(if text.len() <= coded.len() { text } else { coded })
}

/// A word in single quotes, or bare where nothing in it means anything to a shell.
fn quoted(text: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+,".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_bare) {
        return text.to_string();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The command that prints those bytes. The format is in single quotes and holds none.
fn printf(bytes: &[u8]) -> String {
    let mut format = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        for char in chunk.valid().chars() {
            match char {
                '\n' => format.push_str("\\n"),
                '\t' => format.push_str("\\t"),
                '\r' => format.push_str("\\r"),
                '%' => format.push_str("%%"),
                '\\' => format.push_str("\\\\"),
                // An interactive shell looks for its history behind a `!` even here; an option begins with `-`.
                '\'' | '!' => octal(&mut format, char as u8),
                '-' if format.is_empty() => octal(&mut format, b'-'),
                char if is_plain(char) => format.push(char),
                char => char.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| octal(&mut format, byte)),
            }
        }
        chunk.invalid().iter().for_each(|&byte| octal(&mut format, byte));
    }
    format!("printf '{format}'")
}

fn octal(format: &mut String, byte: u8) {
    let digit = |shift: u8| char::from(b'0' + (byte >> shift & 7));
    format.extend(['\\', digit(6), digit(3), digit(0)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_only_as_much_as_they_need() {
        for (bytes, word) in [
            (&b"http://127.0.0.1:27335/a"[..], "http://127.0.0.1:27335/a"),
            (b"", "''"),
            (b"a b", "'a b'"),
            (b"it's $(id) `id` !", r"'it'\''s $(id) `id` !'"),
            ("né".as_bytes(), "'né'"),
            (b"a\x1b]0;x\x07", r#""$(printf 'a\033]0;x\007')""#),
            (b"caf\xe9 100% '!\\", r#""$(printf 'caf\351 100%% \047\041\\')""#),
            ("a\u{202e}b".as_bytes(), r#""$(printf 'a\342\200\256b')""#),
        ] {
            assert_eq!(argument(bytes), word);
        }
    }

    #[test]
    fn bodies_take_the_shortest_way() {
        let shown = |bytes: &[u8]| match input(bytes) {
            Input::Argument(word) => word,
            Input::Pipe(command) => format!("{command} |"),
        };
        assert_eq!(shown(b"{\"a\":1}"), "'{\"a\":1}'");
        assert_eq!(shown(b"{\"a\":1}\n"), "printf '{\"a\":1}\\n' |");
        assert_eq!(shown(b"@/etc/passwd"), "printf '@/etc/passwd' |");
        assert_eq!(shown(b"-n\n"), "printf '\\055n\\n' |");
        assert_eq!(shown(&[0xFF; 30]), format!("printf %s {} | base64 -d |", "/".repeat(40)));
        assert!(shown(&vec![b'a'; LONGEST_ARGUMENT + 1]).starts_with("printf"));
    }
}
