//! The view of parts (RFC 2046, section 5.1; RFC 7578 for forms): what each is called and holds, and what it holds in the
//! view that fits.

use std::ops::Range;

use super::{Content, Document, Part, Role, amount, mail, stack, stack::Stack};
use crate::record::{
    counted,
    multipart::{self, Parts, parameter},
    pairs, thousands,
};

/// How many parts are opened. The rest is counted.
const OPENED: usize = 1_000;
/// How long the name of a saved part may be, in bytes.
const NAME_BYTES: usize = 120;
/// The longest boundary (RFC 2046, section 5.1.1, says 70).
const BOUNDARY_BYTES: usize = 256;

/// Whatever the sender calls multipart and has a line with the boundary.
pub(super) fn fits(content: &Content) -> bool {
    content.coding().is_none()
        && content.media().starts_with("multipart/")
        && boundary(content).is_some_and(|boundary| Parts::of(&content.bytes, &boundary).is_some())
}

/// The boundary that the sender names, or that the first line is.
fn boundary(content: &Content) -> Option<Vec<u8>> {
    let named = content.parameter("boundary").filter(|name| !name.is_empty()).map(String::into_bytes);
    named.or_else(|| {
        let line = content.bytes.split(|&byte| byte == b'\n').next()?.trim_ascii_end();
        line.strip_prefix(b"--").filter(|name| !name.is_empty() && name.len() <= BOUNDARY_BYTES).map(<[u8]>::to_vec)
    })
}

/// A part as a field of a form.
pub(super) struct Field {
    pub(super) name: Option<String>,
    /// Whether a file is what it holds.
    pub(super) is_file: bool,
    pub(super) content_type: Option<String>,
    /// Where its content lies.
    pub(super) place: Range<usize>,
}

/// The parts as fields of a form; none where the body has no such parts.
pub(super) fn fields(content: &Content) -> Vec<Field> {
    let Some(boundary) = boundary(content) else { return Vec::new() };
    let field = |place| {
        let part = multipart::Part::at(&content.bytes, place);
        Field {
            name: part.name(),
            is_file: part.header("content-disposition").and_then(file_name).is_some(),
            content_type: part.header("content-type").map(str::to_owned),
            place: part.body,
        }
    };
    Parts::of(&content.bytes, &boundary).into_iter().flatten().map(field).collect()
}

/// Finds the parts.
pub(super) fn open(content: &Content) -> Result<Box<dyn Document>, String> {
    content.refuse_coding()?;
    let boundary = boundary(content).ok_or("the sender names no boundary between parts, and the first line is none")?;
    let mut parts = Parts::of(&content.bytes, &boundary)
        .ok_or_else(|| format!("no line of the body is the boundary {}", String::from_utf8_lossy(&boundary)))
        .map_err(|why| super::fit(&why, 200))?;
    let mut stack = Stack::default();
    let mut notes = Vec::new();
    beside_parts(&mut stack, content, 0..parts.start(), "before the first part");
    let mut count = 0_usize;
    for place in parts.by_ref() {
        count += 1;
        if count <= OPENED {
            add(&mut stack, content, &multipart::Part::at(&content.bytes, place), count);
        }
    }
    if parts.is_cut() && !content.is_cut {
        notes.push("the last part has no end".to_owned());
    }
    beside_parts(&mut stack, content, parts.end()..content.bytes.len(), "after the last part");
    notes.insert(0, counted(count as u64, "part"));
    if count > OPENED {
        notes.push(format!("the first {} are shown", thousands(OPENED as u64)));
    }
    Ok(stack.noted(&notes))
}

/// What readers of parts leave out, and a person should see.
fn beside_parts(stack: &mut Stack, content: &Content, range: Range<usize>, words: &str) {
    let bytes = content.bytes.slice(range);
    if !bytes.trim_ascii().is_empty() {
        stack.add(vec![vec![stack::span(Role::Error, words)]]);
        stack.open(&content.within_it(bytes, Some("text/plain".to_owned())));
    }
}

fn add(stack: &mut Stack, content: &Content, part: &multipart::Part, count: usize) {
    let disposition = part.header("content-disposition").unwrap_or_default();
    let bytes = content.bytes.slice(part.body.clone());
    let bytes = part.header("content-transfer-encoding").and_then(|it| mail::undone(&bytes, it)).unwrap_or(bytes);
    let kind = part.header("content-type").map(str::to_owned);
    let file = file_name(disposition);
    let mut line = vec![stack::span(Role::Markup, &format!("part {count}  "))];
    line.extend(part.name().map(|name| stack::span(Role::Key, &format!("{name}  "))));
    line.extend(file.as_ref().map(|name| stack::span(Role::Text, &format!("file {name}  "))));
    let words = format!("{}  {}", kind.clone().unwrap_or_default(), amount(bytes.len() as u64));
    line.push(stack::span(Role::Dim, words.trim_start()));
    // What says nothing of itself is text (RFC 7578, section 4.4), where it can be.
    let is_text = kind.is_none() && !bytes.is_empty() && std::str::from_utf8(&bytes).is_ok();
    let kind_of_file = if is_text { Some("txt") } else { kind.as_deref() };
    stack.part(Part { line: 0, name: base_name(file.as_deref(), count, kind_of_file), bytes: bytes.clone() });
    let shown = ["content-disposition", "content-type"];
    let others = part.head.iter().filter(|(name, _)| !shown.contains(&&name.to_ascii_lowercase()[..]));
    let heads = others.map(|(name, value)| stack::fact(name, value));
    stack.add([line].into_iter().chain(heads).collect());
    stack.open(&content.within_it(bytes, kind));
}

/// The name that the sender gives a file: `filename*` (RFC 8187) before `filename`.
fn file_name(disposition: &str) -> Option<String> {
    let extended = parameter(disposition, "filename*").and_then(|value| {
        // A `+` is one here.
        let parts = value.splitn(3, '\'').nth(2)?.split('+').map(|part| pairs::decode(part.as_bytes()));
        String::from_utf8(parts.collect::<Vec<_>>().join(&b'+')).ok()
    });
    extended.or_else(|| parameter(disposition, "filename"))
}

/// A name under which a part can be saved: never a path, never hidden, never empty, no character that hides or acts.
fn base_name(name: Option<&str>, count: usize, kind: Option<&str>) -> String {
    let last = name.unwrap_or_default().rsplit(['/', '\\', ':']).next().unwrap_or_default();
    let safe: String = last.chars().filter(|char| super::is_safe(*char) && !"<>|?*\"".contains(*char)).collect();
    let safe = safe.trim().trim_start_matches('.').trim();
    let mut end = safe.len().min(NAME_BYTES);
    while !safe.is_char_boundary(end) {
        end -= 1;
    }
    if end > 0 {
        return safe[..end].to_owned();
    }
    let kind = kind.map(|kind| if kind.starts_with("text/plain") { "txt" } else { kind });
    let ending = kind.and_then(|kind| kind.split([';', '/', '+']).map(str::trim).find(|word| ENDINGS.contains(word)));
    format!("part-{count}.{}", ending.unwrap_or("bin"))
}

/// Words of media types that are endings of files too.
const ENDINGS: &[&str] = &["txt", "json", "xml", "html", "csv", "png", "jpeg", "gif", "webp", "pdf", "zip"];

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    const BODY: &str = "--x\r\nContent-Disposition: form-data; name=\"data\"\r\nContent-Type: application/json\r\n\r\n{\"a\":1}\r\n--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"../../etc/pass\u{1b}wd.txt\"\r\n\r\nline --x\r\n--xy\r\n\r\n--x--\r\n";

    fn content(body: impl Into<Bytes>, kind: &str) -> Content {
        Content { bytes: body.into(), content_type: Some(kind.to_owned()), ..Content::default() }
    }

    fn lines(document: &dyn Document) -> Vec<String> {
        let lines = document.lines(0..document.line_count());
        lines.iter().map(|line| line.iter().map(|span| &span.text[..]).collect()).collect()
    }

    #[test]
    fn each_part_is_named_and_opened_in_the_view_that_fits() {
        let content = content(BODY, "multipart/form-data; boundary=x");
        assert!(fits(&content));
        let document = open(&content).unwrap();
        let lines = lines(&*document);
        assert_eq!(lines[..4], ["part 1  data  application/json  7 bytes", "{", "  \"a\": 1", "}"]);
        assert_eq!(lines[4], "part 2  f  file ../../etc/pass␛wd.txt  16 bytes");
        assert_eq!(lines[5..], ["line --x␍", "--xy␍", ""]);
        assert_eq!(document.note(), Some("2 parts"));
        let parts: Vec<_> = document.parts().iter().map(|part| (part.line, &part.name[..], &part.bytes[..])).collect();
        assert_eq!(parts, [(0, "part-1.json", &b"{\"a\":1}"[..]), (4, "passwd.txt", b"line --x\r\n--xy\r\n")]);
    }

    #[test]
    fn what_a_part_says_of_itself_is_said_once() {
        let body = b"--x\r\nContent-Type: image/gif\r\n\r\nGIF89a\x02\x00\x03\x00\x00\x00\x00\r\n--x\r\nContent-Type: \
                     application/json\r\n\r\n{\"a\":1\r\n--x--\r\n";
        let document = open(&content(&body[..], "multipart/form-data; boundary=x")).unwrap();
        let shown = lines(&*document);
        let said = |words: &str| shown.iter().filter(|line| line.contains(words)).count();
        assert_eq!(said("GIF picture, 2 x 3 pixels, 13 bytes"), 1, "{shown:?}");
        assert_eq!(said("invalid JSON at 1:"), 1, "{shown:?}");
    }

    #[test]
    fn parts_without_end_and_what_stands_beside_them_are_shown() {
        let document =
            open(&content("hello\r\n--x\r\n\r\none\r\n--x\r\nno head", "multipart/mixed; boundary=\"x\"")).unwrap();
        assert_eq!(document.note(), Some("2 parts; the last part has no end"));
        assert_eq!(
            lines(&*document),
            ["before the first part", "hello", "part 1  3 bytes", "one", "part 2  7 bytes", "no head"]
        );
        assert!(open(&content("--y", "multipart/mixed; boundary=x")).err().unwrap().contains("is the boundary x"));
        let unnamed = content("--b\r\n\r\n1\r\n--b--", "multipart/form-data");
        assert_eq!(open(&unnamed).unwrap().note(), Some("1 part"));
    }

    #[test]
    fn ten_thousand_parts_are_counted_and_the_first_are_opened() {
        let document =
            open(&content("--x\r\n\r\na\r\n".repeat(10_000) + "--x--", "multipart/mixed; boundary=x")).unwrap();
        assert_eq!((document.note(), document.line_count()), (Some("10,000 parts; the first 1,000 are shown"), 2_000));
    }

    #[test]
    fn a_name_to_save_under_is_never_a_path_and_never_empty() {
        for (name, base) in [
            ("/etc/passwd", "passwd"),
            ("..", "part-3.bin"),
            ("C:\\docs\\a.pdf", "a.pdf"),
            (".bashrc", "bashrc"),
            ("a\u{202e}fdp.exe", "afdp.exe"),
            ("x\0\n", "x"),
            ("", "part-3.bin"),
        ] {
            assert_eq!(base_name(Some(name), 3, None), base, "{name:?}");
        }
        assert!(base_name(Some(&"é".repeat(500)), 1, None).len() <= NAME_BYTES);
        assert_eq!(file_name("attachment; filename=a; filename*=UTF-8''%e2%82%ac.txt").as_deref(), Some("€.txt"));
        assert_eq!(file_name("attachment; filename*=UTF-8''a+b%20c.txt").as_deref(), Some("a+b c.txt"));
    }
}
