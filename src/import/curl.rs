//! Commands of curl, as documentation shows them and browsers copy them: a request of each that a file holds.
//!
//! Nothing is run, and no file that a command names is opened: such a command is an error that says so.

use std::{iter::Peekable, str::CharIndices};

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{
    Entry,
    clients::Many,
    entry::{Read, in_two},
    parts::{Content, Lines, form_quoted, header, request},
};
use crate::record::Version;

/// The requests of a text: a command a request. What is no command of curl is passed over.
pub(super) fn requests(text: &str) -> Many {
    let mut found = Vec::new();
    for command in commands(text).map_err(|why| (0, why))? {
        let at = command.iter().position(|word| word.text == "curl" || word.text.ends_with("/curl"));
        // A shell's prompt may stand before it, and what sets a variable.
        let Some(at) = at.filter(|at| *at <= 1) else { continue };
        found.push(of(&command[at + 1..]).map_err(|why| (found.len() as u64, why))?);
    }
    if found.is_empty() { Err((0, "there is no command of curl in it".to_owned())) } else { Ok(found) }
}

/// A word of a shell.
#[derive(Default)]
struct Word {
    text: String,
    /// What the shell would put into it, which nobody knows here.
    unknown: Option<String>,
}

/// The commands of a text as words.
fn commands(text: &str) -> Read<Vec<Vec<Word>>> {
    let (mut commands, mut command, mut word) = (Vec::new(), Vec::new(), None::<Word>);
    let mut signs = text.char_indices().peekable();
    while let Some((at, sign)) = signs.next() {
        match sign {
            '\\' if ends_line(&mut signs) => {}
            '\\' => word.get_or_insert_default().text.extend(signs.next().map(|(_, sign)| sign)),
            '\'' => single(&mut signs, word.get_or_insert_default())?,
            '"' => double(text, &mut signs, word.get_or_insert_default())?,
            '$' if signs.next_if(|(_, next)| *next == '\'').is_some() => {
                escaped(&mut signs, word.get_or_insert_default())?;
            }
            '$' | '`' => expansion(&text[at..], word.get_or_insert_default()),
            '#' if word.is_none() => while signs.next_if(|(_, sign)| *sign != '\n').is_some() {},
            '\n' | ';' | '|' | '&' | '(' | ')' => {
                command.extend(word.take());
                commands.push(std::mem::take(&mut command));
            }
            sign if sign.is_whitespace() => command.extend(word.take()),
            sign => word.get_or_insert_default().text.push(sign),
        }
    }
    command.extend(word);
    commands.push(command);
    Ok(commands)
}

type Signs<'t> = Peekable<CharIndices<'t>>;

/// Whether a backslash ends a line that goes on in the next one.
fn ends_line(signs: &mut Signs<'_>) -> bool {
    signs.next_if(|(_, sign)| *sign == '\r');
    signs.next_if(|(_, sign)| *sign == '\n').is_some()
}

const OPEN: &str = "a quotation mark is not closed";

fn single(signs: &mut Signs<'_>, word: &mut Word) -> Read<()> {
    loop {
        match signs.next() {
            None => return Err(OPEN.to_owned()),
            Some((_, '\'')) => return Ok(()),
            Some((_, sign)) => word.text.push(sign),
        }
    }
}

fn double(text: &str, signs: &mut Signs<'_>, word: &mut Word) -> Read<()> {
    loop {
        match signs.next() {
            None => return Err(OPEN.to_owned()),
            Some((_, '"')) => return Ok(()),
            Some((at, '$' | '`')) => expansion(&text[at..], word),
            Some((_, '\\')) => match signs.next() {
                Some((_, '\n')) => {}
                Some((_, sign @ ('"' | '\\' | '$' | '`'))) => word.text.push(sign),
                Some((_, sign)) => word.text.extend(['\\', sign]),
                None => return Err(OPEN.to_owned()),
            },
            Some((_, sign)) => word.text.push(sign),
        }
    }
}

/// What stands in `$'…'`.
fn escaped(signs: &mut Signs<'_>, word: &mut Word) -> Read<()> {
    loop {
        match signs.next() {
            None => return Err(OPEN.to_owned()),
            Some((_, '\'')) => return Ok(()),
            Some((_, '\\')) => match signs.next() {
                Some((_, 'n')) => word.text.push('\n'),
                Some((_, 'r')) => word.text.push('\r'),
                Some((_, 't')) => word.text.push('\t'),
                Some((_, 'u')) => word.text.push(numbered(signs, 4)?),
                Some((_, 'x')) => word.text.push(numbered(signs, 2)?),
                Some((_, sign)) => word.text.push(sign),
                None => return Err(OPEN.to_owned()),
            },
            Some((_, sign)) => word.text.push(sign),
        }
    }
}

/// The sign of a number of so many digits at most. A byte above ASCII is none.
fn numbered(signs: &mut Signs<'_>, most: u32) -> Read<char> {
    let (mut number, mut digits) = (0, 0);
    while let Some(digit) = signs.peek().and_then(|(_, sign)| sign.to_digit(16)).filter(|_| digits < most) {
        signs.next();
        number = number * 16 + digit;
        digits += 1;
    }
    let is_sign = digits > 0 && (most > 2 || number < 0x80);
    char::from_u32(number).filter(|_| is_sign).ok_or_else(|| "an escape in $'…' is no text".to_owned())
}

/// Notes what the shell would put in the place of a `$` or a backquote; a lone dollar is one.
fn expansion(rest: &str, word: &mut Word) {
    let after = rest.chars().nth(1).unwrap_or(' ');
    if rest.starts_with('`') || after.is_alphanumeric() || matches!(after, '_' | '{' | '(') {
        let is_within = |sign: &char| !sign.is_whitespace() && !matches!(sign, '"' | '\'' | '/');
        word.unknown.get_or_insert_with(|| rest.chars().take_while(is_within).take(40).collect());
    }
    word.text.push_str(&rest[..1]);
}

/// What an option does; those that say how curl goes about it are passed over.
#[derive(Clone, Copy)]
enum Does {
    Method,
    Header,
    Data,
    RawData,
    EncodedData,
    Json,
    User,
    Agent,
    Referer,
    Cookie,
    Url,
    Target,
    Get,
    Head,
    Version(Version),
    /// Nothing that is seen in the request.
    Nothing,
    /// The same, with a word.
    NothingOf,
    /// What cannot be known without sending.
    Unread(&'static str),
}

/// The options: names, and what they do.
const OPTIONS: &[(&[&str], Does)] = &[
    (&["-X", "--request"], Does::Method),
    (&["-H", "--header"], Does::Header),
    (&["-d", "--data", "--data-ascii", "--data-binary"], Does::Data),
    (&["--data-raw"], Does::RawData),
    (&["--data-urlencode"], Does::EncodedData),
    (&["--json"], Does::Json),
    (&["-u", "--user"], Does::User),
    (&["-A", "--user-agent"], Does::Agent),
    (&["-e", "--referer"], Does::Referer),
    (&["-b", "--cookie"], Does::Cookie),
    (&["--url"], Does::Url),
    (&["--request-target"], Does::Target),
    (&["-G", "--get"], Does::Get),
    (&["-I", "--head"], Does::Head),
    (&["-0", "--http1.0"], Does::Version(Version::Http10)),
    (&["--http1.1"], Does::Version(Version::Http11)),
    (&["--http2", "--http2-prior-knowledge", "--http3"], Does::Version(Version::Http2)),
    (&["-F", "--form", "--form-string"], Does::Unread("a form in parts, which curl makes as it sends")),
    (&["-T", "--upload-file"], Does::Unread("a file, and no file that another names is read")),
    (&["-K", "--config"], Does::Unread("options out of a file, and no file that another names is read")),
    (
        &[
            "-s",
            "--silent",
            "-S",
            "--show-error",
            "-k",
            "--insecure",
            "-L",
            "--location",
            "-v",
            "--verbose",
            "-i",
            "--include",
            "-f",
            "--fail",
            "--fail-with-body",
            "-g",
            "--globoff",
            "-N",
            "--no-buffer",
            "-#",
            "--progress-bar",
            "--compressed",
            "--path-as-is",
            "-4",
            "--ipv4",
            "-6",
            "--ipv6",
            "-O",
            "--remote-name",
            "--location-trusted",
            "--no-progress-meter",
            "--tlsv1.2",
            "--tlsv1.3",
            "-n",
            "--netrc",
            "-q",
            "--disable",
            "--raw",
            "--no-keepalive",
            "--ssl-no-revoke",
        ],
        Does::Nothing,
    ),
    (
        &[
            "-o",
            "--output",
            "-m",
            "--max-time",
            "--connect-timeout",
            "--retry",
            "--retry-delay",
            "--retry-max-time",
            "-w",
            "--write-out",
            "-x",
            "--proxy",
            "--cacert",
            "-E",
            "--cert",
            "--key",
            "-c",
            "--cookie-jar",
            "-D",
            "--dump-header",
            "--resolve",
            "--connect-to",
            "--limit-rate",
            "--max-redirs",
            "--interface",
            "-y",
            "-Y",
            "--unix-socket",
            "--stderr",
        ],
        Does::NothingOf,
    ),
];

fn option(name: &str) -> Read<Does> {
    let row = OPTIONS.iter().find(|row| row.0.contains(&name));
    row.map(|row| row.1).ok_or_else(|| format!("what its option {name} does is not known here: leave it out"))
}

impl Does {
    fn takes_a_word(self) -> bool {
        !matches!(self, Self::Get | Self::Head | Self::Version(_) | Self::Nothing)
    }
}

/// What a command asks for, as it is read.
struct Asked {
    method: Option<String>,
    url: Option<String>,
    target: Option<String>,
    version: Version,
    lines: Lines,
    /// Headers that curl shall not add.
    without: Vec<Vec<u8>>,
    data: Option<String>,
    is_json: bool,
    is_get: bool,
    is_head: bool,
}

fn of(words: &[Word]) -> Read<Entry> {
    if let Some(unknown) = words.iter().find_map(|word| word.unknown.as_ref()) {
        return Err(format!("the shell would put something in the place of {unknown}: write there what it is"));
    }
    let mut asked = Asked {
        method: None,
        url: None,
        target: None,
        version: Version::Http11,
        lines: Vec::new(),
        without: Vec::new(),
        data: None,
        is_json: false,
        is_get: false,
        is_head: false,
    };
    let mut words = words.iter().map(|word| &word.text[..]).filter(|word| !is_redirection(word));
    while let Some(word) = words.next() {
        if !word.starts_with('-') || word.len() == 1 {
            asked.url = asked.url.or_else(|| Some(word.to_owned()));
        } else if let Some(name) = word.strip_prefix("--") {
            let (name, joined) = name.split_once('=').map_or((name, None), |(name, value)| (name, Some(value)));
            let does = option(&format!("--{name}"))?;
            let of = if does.takes_a_word() { joined.or_else(|| words.next()) } else { Some("") };
            asked.take(does, of.ok_or_else(|| format!("behind its option --{name} nothing stands"))?)?;
        } else {
            short(&word[1..], &mut words, &mut asked)?;
        }
    }
    asked.request()
}

fn is_redirection(word: &str) -> bool {
    word.trim_start_matches(|sign: char| sign.is_ascii_digit()).starts_with('>')
}

/// Options of one letter, several in a word; the first that takes a word takes what is left of it.
fn short<'w>(letters: &'w str, words: &mut impl Iterator<Item = &'w str>, asked: &mut Asked) -> Read<()> {
    for (at, letter) in letters.char_indices() {
        let does = option(&format!("-{letter}"))?;
        let rest = &letters[at + letter.len_utf8()..];
        if !does.takes_a_word() {
            asked.take(does, "")?;
            continue;
        }
        let of = if rest.is_empty() { words.next() } else { Some(rest) };
        return asked.take(does, of.ok_or_else(|| format!("behind its option -{letter} nothing stands"))?);
    }
    Ok(())
}

impl Asked {
    fn take(&mut self, does: Does, word: &str) -> Read<()> {
        match does {
            Does::Method => self.method = Some(word.to_owned()),
            Does::Header => self.header(word)?,
            Does::Data => self.add(no_file(word)?),
            Does::RawData => self.add(word),
            Does::EncodedData => self.add(&encoded(word)?),
            Does::Json => {
                // Several of them are one text.
                self.data.get_or_insert_default().push_str(no_file(word)?);
                self.is_json = true;
            }
            Does::User => {
                let coded = STANDARD.encode(word);
                self.line("Authorization", &format!("Basic {coded}"));
            }
            Does::Agent => self.line("User-Agent", word),
            Does::Referer => self.line("Referer", word),
            Does::Cookie if word.contains('=') => self.line("Cookie", word),
            Does::Cookie => return Err("its cookies are in a file, and no file that another names is read".to_owned()),
            Does::Url => self.url = Some(word.to_owned()),
            Does::Target => self.target = Some(word.to_owned()),
            Does::Get => self.is_get = true,
            Does::Head => self.is_head = true,
            Does::Version(version) => self.version = version,
            Does::Nothing | Does::NothingOf => {}
            Does::Unread(what) => return Err(format!("it sends {what}")),
        }
        Ok(())
    }

    fn line(&mut self, name: &str, value: &str) {
        self.lines.push((name.as_bytes().to_vec(), value.as_bytes().to_vec()));
    }

    /// `Name: value`; `Name;` for one without a value, and `Name:` for none of it.
    fn header(&mut self, text: &str) -> Read<()> {
        no_file(text)?;
        if let Some((name, value)) = text.split_once(':') {
            match value.trim() {
                "" => self.without.push(name.trim().to_ascii_lowercase().into_bytes()),
                value => self.line(name.trim(), value),
            }
        } else if let Some(name) = text.strip_suffix(';') {
            self.line(name, "");
        }
        Ok(())
    }

    fn add(&mut self, data: &str) {
        match &mut self.data {
            Some(before) => before.extend(["&", data]),
            none => *none = Some(data.to_owned()),
        }
    }

    fn request(mut self) -> Read<Entry> {
        let mut url = self.url.take().ok_or("it has no URL")?;
        if !url.contains("://") {
            url = format!("http://{url}");
        }
        if let Some(query) = self.data.take_if(|_| self.is_get) {
            let sign = if url.contains('?') { '&' } else { '?' };
            url = format!("{url}{sign}{query}");
        }
        if let Some(target) = self.target.take() {
            let host = in_two(&url).0.filter(|_| header(&self.lines, "host").is_none()).map(str::to_owned);
            let host = host.map(|host| (b"Host".to_vec(), host.into_bytes()));
            self.lines.splice(0..0, host);
            url = target;
        }
        let kinds = match (&self.data, self.is_json) {
            (None, _) => &[][..],
            (Some(_), false) => &[("Content-Type", "application/x-www-form-urlencoded")][..],
            (Some(_), true) => &[("Content-Type", "application/json"), ("Accept", "application/json")][..],
        };
        for (name, value) in kinds {
            let is_there = header(&self.lines, name).is_some();
            if !is_there && !self.without.contains(&name.to_ascii_lowercase().into_bytes()) {
                self.line(name, value);
            }
        }
        let own = if self.is_head {
            "HEAD"
        } else if self.data.is_some() {
            "POST"
        } else {
            "GET"
        };
        let method = self.method.as_deref().unwrap_or(own);
        request(method, &url, self.version, self.lines, Content::kept(self.data.unwrap_or_default()))
    }
}

fn no_file(word: &str) -> Read<&str> {
    let name = word.strip_prefix('@');
    name.map_or(Ok(word), |name| {
        Err(if name == "-" {
            "it sends what comes through a pipe, which is not run here".to_owned()
        } else {
            format!("it sends the file {name}, and no file that another names is read: put its content there")
        })
    })
}

/// `content`, `=content` or `name=content`, of which the content is quoted.
fn encoded(word: &str) -> Read<String> {
    match word.split_once('=') {
        Some((name, content)) if !name.contains('@') => {
            let name = if name.is_empty() { String::new() } else { format!("{name}=") };
            Ok(name + &form_quoted(content.as_bytes()).replace('+', "%20"))
        }
        None if !word.contains('@') => Ok(form_quoted(word.as_bytes()).replace('+', "%20")),
        _ => Err("it sends a file, and no file that another names is read: put its content there".to_owned()),
    }
}
