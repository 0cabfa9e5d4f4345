//! Bodies of several parts (RFC 2046, section 5.1; RFC 7578 for forms): where each part lies, and what its head says.

use std::ops::Range;

use memchr::memmem::Finder;

/// How many lines of head a part has at most: what has more is taken for content.
const HEAD_LINES: usize = 100;

/// Where the parts lie, one after the other.
#[derive(Debug)]
pub struct Parts<'a> {
    bytes: &'a [u8],
    /// Finds what begins a boundary.
    mark: Finder<'static>,
    /// Where the first part's boundary begins.
    start: usize,
    at: usize,
    ended: bool,
    cut: bool,
}

impl<'a> Parts<'a> {
    /// Those that a boundary separates; none where no line is that boundary.
    pub fn of(bytes: &'a [u8], boundary: &[u8]) -> Option<Self> {
        let mark = Finder::new(&[b"--", boundary].concat()).into_owned();
        let first = delimiter(bytes, &mark, 0)?;
        Some(Self { bytes, mark, start: first.start, at: first.end, ended: first.is_last, cut: false })
    }

    /// Where the first boundary begins.
    pub fn start(&self) -> usize {
        self.start
    }

    /// How far the boundaries were followed.
    pub fn end(&self) -> usize {
        self.at
    }

    /// Whether the part that was given last has no end.
    pub fn is_cut(&self) -> bool {
        self.cut
    }
}

impl Iterator for Parts<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        if self.ended {
            return None;
        }
        let start = self.at;
        let next = delimiter(self.bytes, &self.mark, start);
        self.cut = next.is_none();
        let Delimiter { start: end, end: goes_on, is_last } =
            next.unwrap_or(Delimiter { start: self.bytes.len(), end: self.bytes.len(), is_last: true });
        (self.at, self.ended) = (goes_on, is_last);
        Some(start..end.max(start))
    }
}

/// A line that separates parts: where it begins, its line end before it included, where the next line begins, and whether
/// it is the last one.
struct Delimiter {
    start: usize,
    end: usize,
    is_last: bool,
}

fn delimiter(bytes: &[u8], mark: &Finder<'_>, from: usize) -> Option<Delimiter> {
    let mut at = from;
    loop {
        let start = at + mark.find(bytes.get(at..)?)?;
        let after = start + mark.needle().len();
        let is_last = bytes[after..].starts_with(b"--");
        let rest = &bytes[after + if is_last { 2 } else { 0 }..];
        let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let end = bytes.len() - rest.len() + blanks;
        let line_end = match &bytes[end..] {
            [b'\r', b'\n', ..] => Some(2),
            [b'\n', ..] => Some(1),
            [] => Some(0),
            _ => None,
        };
        let begins_line = start == 0 || bytes[start - 1] == b'\n';
        if let Some(line_end) = line_end.filter(|_| begins_line) {
            let before =
                bytes[..start].strip_suffix(b"\n").map_or(start, |text| text.strip_suffix(b"\r").unwrap_or(text).len());
            return Some(Delimiter { start: before.max(from.min(start)), end: end + line_end, is_last });
        }
        at = after;
    }
}

/// A part: what its head says, and where its body lies.
#[derive(Debug)]
pub struct Part {
    /// Names and values, in their order.
    pub head: Vec<(String, String)>,
    /// Where its content lies.
    pub body: Range<usize>,
}

impl Part {
    /// A text that is one part by itself, with a head of its own.
    pub fn whole(bytes: &[u8]) -> Self {
        Self::at(bytes, 0..bytes.len())
    }

    /// The part that lies there.
    pub fn at(bytes: &[u8], range: Range<usize>) -> Self {
        let (mut head, mut at) = (Vec::new(), range.start);
        for _ in 0..HEAD_LINES {
            let rest = &bytes[at..range.end];
            let Some(length) = memchr::memchr(b'\n', rest) else { break };
            let line = rest[..length].strip_suffix(b"\r").unwrap_or(&rest[..length]);
            if line.is_empty() {
                return Self { head, body: at + length + 1..range.end };
            }
            let text = String::from_utf8_lossy(line);
            // A line that begins with a blank goes on with the one before (RFC 5322, section 2.2.3).
            match (head.last_mut(), text.split_once(':')) {
                (Some((_, value)), _) if text.starts_with([' ', '\t']) => {
                    let value: &mut String = value;
                    value.push(' ');
                    value.push_str(text.trim());
                }
                (_, Some((name, value))) => head.push((name.trim().to_owned(), value.trim().to_owned())),
                (_, None) => break,
            }
            at += length + 1;
        }
        // An empty line is missing: what is there is all content.
        Self { head: Vec::new(), body: range }
    }

    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.iter().find(|(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, value)| &value[..])
    }

    /// The name of the form's field that it is.
    pub fn name(&self) -> Option<String> {
        parameter(self.header("content-disposition")?, "name")
    }
}

/// A parameter of a header value (`form-data; name="a"`), without quotes and with what is escaped in them as itself.
pub fn parameter(value: &str, wanted: &str) -> Option<String> {
    let mut rest = value;
    while let Some(at) = rest.find(';') {
        rest = rest[at + 1..].trim_start();
        let Some((name, after)) = rest.split_once('=') else { break };
        // A name that holds a `;` was no parameter of the form name=value.
        if name.contains(';') {
            continue;
        }
        let (value, end) = if let Some(quoted) = after.strip_prefix('"') {
            let (value, length) = unquoted(quoted);
            (value, name.len() + 2 + length)
        } else {
            let value = after.split(';').next().unwrap_or_default();
            (value.trim().to_owned(), name.len() + 1 + value.len())
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = rest.get(end..).unwrap_or_default();
    }
    None
}

/// The text up to the closing quote, and how many bytes that is with the quote.
fn unquoted(text: &str) -> (String, usize) {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return (value, at + 1),
            // Browsers send the backslashes of a Windows path unescaped: one stands for itself before anything but these.
            '\\' if text[at + 1..].starts_with(['"', '\\']) => value.extend(chars.next().map(|(_, char)| char)),
            char => value.push(char),
        }
    }
    (value, text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_lie_between_whole_lines_of_the_boundary() {
        let body = b"before\r\n--b\r\nA: 1\r\n 2\r\nb:3\r\n\r\n1 --b\r\n--bc\r\n--b \n\nno head:\n--b--\r\nafter";
        let mut parts = Parts::of(body, b"b").unwrap();
        let found: Vec<_> =
            parts.by_ref().map(|place| Part::at(body, place)).map(|part| (part.head.len(), &body[part.body])).collect();
        assert_eq!(found, [(2, &b"1 --b\r\n--bc"[..]), (0, b"no head:")]);
        assert_eq!(
            (&body[..parts.start()], &body[parts.end()..], parts.is_cut()),
            (&b"before"[..], &b"after"[..], false)
        );
        let mut open = Parts::of(b"--b\n\n1\n--b\n\n2", b"b").unwrap();
        assert_eq!((open.by_ref().count(), open.is_cut()), (2, true));
        assert!(Parts::of(b"--by\r\n", b"b").is_none());
        assert_eq!(Parts::of(b"--b--", b"b").unwrap().count(), 0);
    }

    #[test]
    fn the_head_of_a_part_is_read_and_its_lines_are_joined() {
        let part = Part::whole(b"Content-Disposition: form-data;\r\n name=\"a\"\r\nX:y\r\n\r\nbody");
        assert_eq!((part.name().as_deref(), part.header("x")), (Some("a"), Some("y")));
        let long = "a:b\n".repeat(HEAD_LINES + 1) + "\nbody";
        assert_eq!(Part::whole(long.as_bytes()).body, 0..long.len());
    }

    #[test]
    fn parameters_are_read_with_and_without_quotes() {
        let value = r#"form-data; name="a;\"b"; filename=x.txt ; empty="" ;flag; Charset=UTF-8"#;
        for (name, expected) in [
            ("name", Some("a;\"b")),
            ("filename", Some("x.txt")),
            ("empty", Some("")),
            ("charset", Some("UTF-8")),
            ("other", None),
        ] {
            assert_eq!(parameter(value, name).as_deref(), expected, "{name}");
        }
        assert_eq!(parameter("x; a=\"never ends", "a").as_deref(), Some("never ends"));
        assert_eq!(parameter("x; a=\"é", "b"), None);
    }
}
