//! Every view over every fixture, and over bytes nobody thought of: nothing panics, nothing unsafe comes out, nothing is
//! lost, and nothing takes longer than its size allows.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{borrow::Cow, fs, path::Path};

use bytes::Bytes;
use creel::body::{Content, Document, LINE_CHARS, Line, Role, Tree, VIEWS, View, best, escape_bytes, is_safe, shown};
use proptest::prelude::*;

const TYPES: [&str; 16] = [
    "",
    "application/json",
    "application/x-www-form-urlencoded",
    "text/plain",
    "text/plain; charset=iso-8859-1",
    "text/plain; charset=shift_jis",
    "application/xml",
    "text/html; charset=utf-16le",
    "text/csv",
    "application/x-ndjson",
    "multipart/form-data; boundary=x",
    "application/cloudevents-batch+json",
    "application/cbor",
    "application/msgpack",
    "application/x-protobuf",
    "message/rfc822",
];

fn content(bytes: impl Into<Bytes>, content_type: &str) -> Content {
    let content_type = (!content_type.is_empty()).then(|| content_type.to_string());
    Content { bytes: bytes.into(), content_type, ..Content::default() }
}

fn fixtures() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/body");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
        .collect();
    files.sort();
    assert!(files.len() >= 19, "the fixtures are gone");
    files
}

fn open(view: &str, content: &Content) -> Box<dyn Document> {
    let view = VIEWS.iter().find(|row| row.name == view).unwrap();
    (view.open)(content).unwrap()
}

fn all(document: &dyn Document) -> Vec<Line> {
    document.lines(0..document.line_count())
}

/// The text of the spans that are not the view's own.
fn kept(line: &Line, own: &[Role]) -> String {
    line.iter().filter(|span| !own.contains(&span.role)).map(|span| span.text.as_str()).collect()
}

/// What every document owes: safe, short lines, as many as it says, the same from wherever one looks.
fn check(name: &str, document: &dyn Document) {
    let lines = all(document);
    assert_eq!(lines.len(), document.line_count(), "{name}");
    for line in &lines {
        assert!(kept(line, &[]).chars().all(is_safe), "{name}: {line:?}");
        assert!(
            kept(line, &[]).chars().count() <= LINE_CHARS,
            "{name}: {} characters",
            kept(line, &[]).chars().count()
        );
        assert!(line.iter().all(|span| !span.text.is_empty()), "{name}: an empty span");
    }
    assert!(document.note().is_none_or(|note| note.chars().all(is_safe)), "{name}");
    for start in [0, 1, lines.len() / 2, lines.len().saturating_sub(1)] {
        let end = (start + 3).min(lines.len());
        assert_eq!(document.lines(start..start + 3), lines.get(start..end).unwrap_or_default(), "{name} from {start}");
    }
    let past_the_end = lines.len()..usize::MAX;
    assert!(document.lines(past_the_end).is_empty(), "{name}");
}

/// Opens a body in a view, whether it is for such bodies or not: it shows it well, or says why not in one safe line.
fn look(name: &str, view: &View, content: &Content) {
    match (view.open)(content) {
        Ok(document) => {
            check(name, &*document);
            if let Some(tree) = document.tree() {
                fold(name, &*document, tree);
            }
            for part in document.parts() {
                assert!(!part.name.contains(['/', '\\']) && !part.name.starts_with('.'), "{name}: {}", part.name);
                assert!(part.line < document.line_count(), "{name}");
            }
        }
        Err(why) => assert!(!why.is_empty() && why.chars().all(is_safe), "{name}: {why}"),
    }
}

/// Folds some lines and looks at what is left.
fn fold(name: &str, document: &dyn Document, tree: &dyn Tree) {
    let lines = document.line_count();
    for depth in [0, 1, 3] {
        let mut folds = tree.folded_to(depth);
        for line in [0, 1, lines / 2, lines.saturating_sub(1)].into_iter().filter(|line| *line < lines) {
            tree.toggle(&mut folds, line);
            assert!(tree.node(line).is_none_or(|node| node.value.end <= tree.bytes().len()), "{name}");
        }
        let rows = shown(document, &folds, 0..500);
        assert_eq!(rows.len(), folds.shown(lines).min(500), "{name}");
        assert!(rows.iter().all(|(_, line)| kept(line, &[]).chars().all(is_safe)), "{name}");
    }
}

/// The hex view gives every byte back.
fn check_hex(name: &str, bytes: &[u8]) {
    let document = open("hex", &content(bytes.to_vec(), ""));
    let pairs: String = all(&*document)
        .iter()
        .map(|line| kept(line, &[Role::Address])[..49].split_whitespace().collect::<String>())
        .collect();
    let mut given = vec![0; pairs.len() / 2];
    hex::decode_to_slice(&pairs, &mut given).unwrap();
    assert_eq!(given, bytes, "{name}");
}

/// The text view shows each line as the escaper does, tabs apart.
fn check_text(name: &str, bytes: &[u8], is_latin1: bool) {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return;
    }
    let content_type = if is_latin1 { "text/plain; charset=latin1" } else { "text/plain" };
    let document = open("text", &content(bytes.to_vec(), content_type));
    let lines = all(&*document);
    // What was too long for a line is put together again.
    let mut shown: Vec<String> = Vec::new();
    for line in &lines {
        let goes_on = line.first().is_some_and(|span| span.role == Role::Dim);
        match shown.last_mut().filter(|_| goes_on) {
            Some(last) => last.push_str(&kept(line, &[Role::Dim])),
            None => shown.push(kept(line, &[Role::Dim])),
        }
    }
    let text: Cow<'_, [u8]> = if is_latin1 {
        Cow::Owned(bytes.iter().copied().map(char::from).collect::<String>().into_bytes())
    } else {
        Cow::Borrowed(bytes)
    };
    let sent: Vec<&[u8]> = if bytes.is_empty() { Vec::new() } else { text.split(|&byte| byte == b'\n').collect() };
    assert_eq!(shown.len(), sent.len(), "{name}");
    for (shown, sent) in shown.iter().zip(sent) {
        let squeezed = |text: &str| text.replace([' ', '␉'], "");
        // A tower of marks may begin anew in the next line.
        let mark = |char: char| matches!(char, '\u{300}'..='\u{36F}' | '◌');
        if shown.contains("marks›") || shown.contains(mark) {
            continue;
        }
        assert_eq!(squeezed(shown), squeezed(&escape_bytes(sent)), "{name}");
    }
}

/// The JSON view shows every byte but the white space between tokens.
fn check_json(name: &str, bytes: &[u8]) {
    let document = open("json", &content(bytes.to_vec(), "application/json"));
    let shown: String = all(&*document).iter().map(|line| kept(line, &[Role::Dim])).collect();
    let squeezed = |text: &str| text.replace([' ', '␉', '␊', '␍'], "");
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    if bytes.len() < 2_000 {
        let sent = escape_bytes(&bytes.iter().copied().filter(|byte| !is_space(byte)).collect::<Vec<_>>());
        assert_eq!(squeezed(&shown).replace('◌', ""), sent.replace([' ', '◌'], ""), "{name}");
    }
}

#[test]
fn every_view_shows_every_fixture() {
    for (name, bytes) in fixtures() {
        for content_type in TYPES {
            let content = content(bytes.clone(), content_type);
            for view in VIEWS {
                look(&format!("{name} as {content_type:?} in {}", view.name), view, &content);
            }
            best(&content).show(&content).unwrap();
        }
        check_hex(&name, &bytes);
        check_text(&name, &bytes, false);
        check_text(&name, &bytes, true);
        if name.ends_with("json") {
            check_json(&name, &bytes);
        }
    }
}

#[test]
fn every_fixture_finds_its_view_and_a_broken_one_says_why() {
    for (name, bytes) in fixtures() {
        let (content_type, view) = match name.rsplit_once('.').map_or("", |(_, end)| end) {
            "json" => ("application/json", "tree"),
            "ndjson" => ("application/x-ndjson", "table"),
            "form" if name == "github.form" => ("application/x-www-form-urlencoded", "payload"),
            "form" => ("application/x-www-form-urlencoded", "form"),
            "txt" if name == "hostile.txt" => ("text/plain", "hex"),
            "txt" | "" => ("text/plain; charset=utf-8", "text"),
            "xml" => ("application/xml", "xml"),
            "html" => ("text/html", "html"),
            "csv" => ("text/csv", "table"),
            "multipart" => ("multipart/form-data; boundary=x", "multipart"),
            "eml" => ("message/rfc822", "mail"),
            "jwt" => ("application/jwt", "jwt"),
            "event" => ("application/cloudevents+json", "cloudevent"),
            "png" | "jpeg" | "gif" => ("image/png", "picture"),
            "sjis" => ("text/plain; charset=shift_jis", "text"),
            "utf16" => ("text/plain", "text"),
            "cbor" => ("application/vnd.fish+cbor", "cbor"),
            "msgpack" => ("application/x-msgpack", "msgpack"),
            "protobuf" => ("application/x-protobuf", "protobuf"),
            _ => ("application/octet-stream", "hex"),
        };
        let wanted = if name == "lines.ndjson" || name.starts_with("broken-brackets") { None } else { Some(view) };
        let content = content(bytes, content_type);
        let chosen = best(&content);
        assert_eq!(chosen.name, wanted.unwrap_or(chosen.name), "{name}");
        if name.starts_with("broken") {
            let document = (chosen.open)(&content).unwrap();
            assert!(document.note().unwrap().contains("invalid JSON at 1:"), "{name}");
        }
    }
}

#[test]
fn valid_json_is_the_same_value_when_its_lines_are_read_again() {
    for (name, bytes) in
        fixtures().into_iter().filter(|(name, _)| ["stripe.json", "pretty.json"].contains(&name.as_str()))
    {
        let document = open("json", &content(bytes.clone(), "application/json"));
        let shown = all(&*document).iter().map(|line| kept(line, &[])).collect::<Vec<_>>().join("\n");
        let value = |text: &[u8]| serde_json::from_slice::<serde_json::Value>(text).unwrap();
        assert_eq!(value(shown.as_bytes()), value(&bytes), "{name}");
    }
}

/// A line feed too many, a bracket that never closes, a string without an end: each by the ten thousand. A view that
/// looked at the whole body for each of its lines would not come back from this.
#[test]
fn no_body_is_worth_more_than_one_pass() {
    let much = |unit: &str| unit.repeat(100_000 / unit.len());
    let field = |value: String| format!("payload={}&z=1", value.replace('\n', "%0A"));
    for (name, body) in [
        ("one string", format!("{{\"a\":\"{}\"}}", much("x"))),
        ("one string of escapes", format!("{{\"a\":\"{}\"}}", much("\\\""))),
        ("a string without an end", format!("[\"{}", much("\u{1b}é"))),
        ("many strings without ends", much("\"\\")),
        ("opening brackets", much("[")),
        ("closing brackets", much("]}")),
        ("marks", much(":,")),
        ("colons", much(":")),
        ("keys", format!("{{{}", much("\"k\":1,"))),
        ("a word", much("nul")),
        ("line feeds", much("\n")),
        ("fields", much("a={}&")),
        ("a field of lines", field(much("line\n"))),
        ("a field of JSON", field(format!("[{}1]", much("{\"a\":1},")))),
        ("combining marks", much("\u{301}")),
        ("tags that begin", much("<a ")),
        ("tags in each other", much("<a>")),
        ("tags in quotes", much("<a =\"<b\" ")),
        ("quotes", much("<a ='")),
        ("comments", much("<!-- ")),
        ("document types", much("<!DOCTYPE [ ")),
        ("boundaries", format!("--x\n{}", much("--x "))),
        ("parts", much("--x\r\n\r\n1\r\n")),
        ("parts in parts", much("--x\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n")),
        ("heads", much("--x\r\na: b\r\n")),
        ("cells", much(",")),
        ("quoted cells", much("\"\",")),
        ("quotes in cells", much("\",\n")),
        ("names", format!("{{{}", much("\"\":{"))),
    ] {
        for content_type in [TYPES[4], TYPES[10]] {
            let content = content(body.clone(), content_type);
            for view in VIEWS {
                let Ok(document) = (view.open)(&content) else { continue };
                let middle = document.line_count() / 2;
                assert!(document.lines(middle..middle + 50).len() <= 50, "{name}");
            }
            best(&content).show(&content).unwrap();
        }
    }
}

/// Containers that never end or say that they hold more than there is, tags on tags, lengths beyond all bytes: a walk that
/// recursed, or believed a head, would not come back.
#[test]
fn no_binary_body_claims_more_than_its_bytes() {
    let much = |unit: &[u8]| unit.repeat(100_000 / unit.len());
    let nested = |count: usize| {
        (0..count).fold(vec![0_u8], |body, _| {
            let mut outer = vec![0x0A];
            let mut length = body.len();
            while length >= 0x80 {
                outer.push((length & 0x7F) as u8 | 0x80);
                length >>= 7;
            }
            outer.push(length as u8);
            [outer, body].concat()
        })
    };
    for (name, body) in [
        ("arrays in arrays", much(&[0x81])),
        ("arrays without an end", much(&[0x9F])),
        ("maps without an end", much(&[0xBF])),
        ("tags on tags", much(&[0xC1])),
        ("strings in pieces", much(&[0x7F])),
        ("breaks", much(&[0xFF])),
        ("the longest array", [&[0x9B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF][..], &much(&[0])].concat()),
        ("the longest text", [&[0x7B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF][..], &much(b"x")].concat()),
        ("a long text", [&[0x7A, 0, 1, 0x86, 0xA0][..], &b"\\\"".repeat(50_000)].concat()),
        ("small numbers", much(&[1])),
        ("fixed maps", much(&[0x8F])),
        ("the longest map", [&[0xDF, 0xFF, 0xFF, 0xFF, 0xFF][..], &much(&[0])].concat()),
        ("groups in groups", much(&[0x0B])),
        ("groups that end", much(&[0x0C])),
        ("messages in messages", nested(500)),
        ("empty fields", much(&[0x0A, 0])),
        ("numbers without an end", much(&[0x80])),
    ] {
        for view in ["cbor", "msgpack", "protobuf"] {
            let document = open(view, &content(body.clone(), ""));
            assert!(document.line_count() <= body.len() + 1, "{name} in {view}: {}", document.line_count());
            check(&format!("{name} in {view}"), &*document);
        }
    }
}

fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let parts = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\\u00e9",
        "null",
        "-1.5e3",
        "\n",
        "\r\n",
        "\t",
        " ",
        "&",
        "=",
        "%",
        "%7B%7D",
        "+",
        "\u{1b}[2J",
        "\u{9b}",
        "\u{202e}",
        "\u{feff}",
        "\u{301}",
        "東",
        "é",
        "\0",
        "<a b=\"c\">",
        "</a>",
        "<!--",
        "-->",
        "<![CDATA[",
        "--x\r\n",
        "--x--",
        "Content-Disposition: form-data; name=\"a\"; filename=\"../b\"\r\n\r\n",
        "a,\"b\"\n",
        "\u{89}PNG",
        "GIF89a",
        "\"exp\":1795424700",
        "eyJhbGciOiJub25lIn0.e30.",
    ];
    // How items of binary formats begin: of stated and unstated lengths, in each other, at their end.
    let binary: [&[u8]; 14] = [
        b"\x9f",
        b"\xbf",
        b"\xff",
        b"\xa1",
        b"\xc1\x1a\x6b\x04\x05\x06",
        b"\x7f\x61a",
        b"\x5f\x41a",
        b"\xfb\x7f\xf0",
        b"\x82",
        b"\xd6\xff",
        b"\xc7\x0c\xff",
        b"\x0a\x04\x08\x01\x10\x02",
        b"\x0b",
        b"\x0c",
    ];
    let part = prop_oneof![
        8 => prop::sample::select(parts.to_vec()).prop_map(|part| part.as_bytes().to_vec()),
        4 => prop::sample::select(binary.to_vec()).prop_map(<[u8]>::to_vec),
        1 => any::<Vec<u8>>(),
        1 => (prop::sample::select(parts.to_vec()), 1_000usize..3_000).prop_map(|(part, n)| part.repeat(n).into_bytes()),
    ];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_nobody_thought_of_are_shown_too(bytes in hostile(), content_type in prop::sample::select(TYPES.to_vec())) {
        let content = content(bytes.clone(), content_type);
        for view in VIEWS {
            look(view.name, view, &content);
        }
        prop_assert!(best(&content).show(&content).is_ok());
        check_hex("random", &bytes);
        check_text("random", &bytes, false);
        check_text("random", &bytes, true);
    }
}
