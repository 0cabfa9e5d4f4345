//! The house stands: a room imports only from floors below its own, and a third-party crate has one home.
//!
//! The sources are read as text, comments and strings aside: `crate::ROOM`, or a crate's name before `::`, is an import.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The rooms and their floors.
const FLOORS: &[(&str, u8)] = &[
    ("record", 0),
    ("verify", 1),
    ("body", 1),
    ("query", 1),
    ("export", 1),
    ("import", 1),
    ("store", 2),
    ("wire", 2),
    ("engine", 3),
    ("tui", 4),
    ("cli", 4),
];

/// The floor of `main.rs`.
const TOP: u8 = 5;

/// Every dependency of `Cargo.toml` and the rooms it may stand in; `*` is any room.
const HOMES: &[(&str, &[&str])] = &[
    ("base64", &["verify", "export", "import", "body"]),
    ("brotli_decompressor", &["body"]),
    ("bytes", &["*"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("crossterm", &["tui"]),
    ("encoding_rs", &["body", "verify"]),
    ("etcetera", &["engine"]),
    ("flate2", &["body", "verify"]),
    ("hex", &["verify", "export", "import"]),
    ("hmac", &["verify"]),
    ("http_body_util", &["wire"]),
    ("hyper", &["wire"]),
    ("hyper_util", &["wire"]),
    ("image", &["body"]),
    ("ipnet", &["engine"]),
    ("jaq_core", &["cli"]),
    ("jaq_json", &["cli"]),
    ("jaq_std", &["cli"]),
    ("jiff", &["record", "engine"]),
    ("md5", &["verify"]),
    ("memchr", &["*"]),
    ("mimalloc", &["main"]),
    ("mmap_io", &["store"]),
    ("notify", &["cli"]),
    ("nucleo_matcher", &["tui"]),
    ("p521", &["verify"]),
    ("qrcode", &["body"]),
    ("quick_xml", &["body"]),
    ("ratatui", &["tui"]),
    ("rcgen", &["wire"]),
    ("regex", &["query"]),
    ("regex_syntax", &["query"]),
    ("ring", &["verify", "engine"]),
    ("rusqlite", &["store"]),
    ("rustix", &["cli", "engine", "main", "store", "tui"]),
    ("rustls", &["wire"]),
    ("ruzstd", &["body"]),
    ("serde", &["*"]),
    ("serde_json", &["*"]),
    ("sha1", &["verify"]),
    ("sha2", &["verify"]),
    ("signal_hook", &["engine"]),
    ("strsim", &["verify", "query", "engine", "tui"]),
    ("subtle", &["verify"]),
    ("tempfile", &["*"]),
    ("tokio", &["store", "wire", "engine"]),
    ("tokio_rustls", &["wire"]),
    ("toml", &["verify", "engine", "tui"]),
    ("unicode_normalization", &["verify"]),
    ("unicode_segmentation", &["body", "tui"]),
    ("unicode_width", &["body", "tui"]),
    ("webpki_roots", &["wire"]),
];

#[test]
fn a_room_imports_only_from_the_floors_below() {
    let mut wrong = Vec::new();
    for Source { room, path, code } in sources() {
        let own = floor(&room);
        for other in FLOORS.iter().filter(|(other, _)| *other != room && names(&code, "crate", other)) {
            if other.1 >= own {
                wrong.push(format!(
                    "{}: `{room}` (floor {own}) imports `{}` (floor {})",
                    path.display(),
                    other.0,
                    other.1
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_crate_stands_only_in_its_home() {
    let mut wrong = Vec::new();
    for Source { room, path, code } in sources() {
        for (name, homes) in HOMES {
            if uses(&code, name) && !homes.contains(&"*") && !homes.contains(&&room[..]) {
                wrong.push(format!("{}: `{name}` does not live in `{room}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_dependency_has_a_home_and_every_home_a_tenant() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let section = manifest.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    let declared: BTreeSet<_> = section
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(" = ").map(|(name, _)| name.replace('-', "_")))
        .collect();
    let housed: BTreeSet<_> = HOMES.iter().map(|row| row.0.to_owned()).collect();
    assert_eq!(declared, housed);
    let sources = sources();
    for (name, homes) in HOMES {
        let empty: Vec<_> = homes
            .iter()
            .filter(|home| !sources.iter().any(|s| (**home == "*" || s.room == **home) && uses(&s.code, name)))
            .collect();
        assert!(empty.is_empty(), "`{name}` no longer lives in {empty:?}");
    }
}

#[test]
fn the_pure_rooms_touch_neither_files_nor_the_clock_nor_the_environment() {
    let mut wrong = Vec::new();
    for Source { room, path, code } in sources().into_iter().filter(|s| floor(&s.room) <= 1) {
        for word in [
            "std::fs",
            "TcpStream",
            "TcpListener",
            "UdpSocket",
            "ToSocketAddrs",
            "std::env",
            "std::process",
            "std::thread",
            "SystemTime",
            "Instant",
        ] {
            if code.contains(word) {
                wrong.push(format!("{}: `{word}` in `{room}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_test_can_fail() {
    assert!(names("use crate::{body, store};", "crate", "store"));
    assert!(names("use crate::{record::{A, B}, store::X};", "crate", "store"));
    assert!(names("crate::store::open()", "crate", "store"));
    assert!(!names("use crate::{body, storeroom};", "crate", "store"));
    assert!(!names("use crate::record::store;", "crate", "store"));
    assert!(uses("use hyper::{a};", "hyper") && uses("fn f() { hyper::g() }", "hyper"));
    assert!(!uses("use crate::hyper::x;", "hyper") && !uses("my_hyper::x", "hyper"));
    assert_eq!(code_of("a // crate::x\n\"crate::y\" b"), "a \n b");
}

struct Source {
    room: String,
    path: PathBuf,
    code: String,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn floor(room: &str) -> u8 {
    FLOORS.iter().find(|row| row.0 == room).map_or(TOP, |row| row.1)
}

fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    walk(&root().join("src"), &mut found);
    assert!(found.len() > FLOORS.len(), "the sources were not found");
    found
}

fn walk(folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("src/lib.rs") {
            let below = path.strip_prefix(root().join("src")).unwrap();
            let room = below.components().next().unwrap().as_os_str().to_string_lossy().replace(".rs", "");
            let text = fs::read_to_string(&path).unwrap();
            // In-room tests may lean on a neighbour's facts; the room itself may not.
            let code = code_of(text.split("#[cfg(test)]\nmod tests").next().unwrap());
            found.push(Source { room, path: below.to_owned(), code });
        }
    }
}

/// The text without comments and without what stands in plain string literals.
fn code_of(text: &str) -> String {
    let mut code = String::new();
    for line in text.lines() {
        let mut in_string = false;
        let mut chars = line.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '\\' if in_string => drop(chars.next()),
                '"' => in_string = !in_string,
                '/' if !in_string && chars.peek() == Some(&'/') => break,
                c if !in_string => code.push(c),
                _ => {}
            }
        }
        code.push('\n');
    }
    code.truncate(code.trim_end_matches('\n').len());
    code
}

/// Whether `base::name` is named: straight, or as a top entry of `base::{…}`.
fn names(code: &str, base: &str, name: &str) -> bool {
    let start = format!("{base}::");
    code.match_indices(&start).any(|(at, _)| {
        let rest = &code[at + start.len()..];
        match rest.strip_prefix('{') {
            Some(list) => top_entries(list).iter().any(|entry| entry == name),
            None => first_word(rest) == name,
        }
    })
}

/// Whether a crate's name stands before `::`, or is imported whole.
fn uses(code: &str, name: &str) -> bool {
    let bare = format!("use {name};");
    code.contains(&bare)
        || code
            .match_indices(&format!("{name}::"))
            .any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':' || c == '.'))
}

fn top_entries(list: &str) -> Vec<String> {
    let mut depth = 0;
    let mut entries = vec![String::new()];
    for c in list.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => entries.push(String::new()),
            c if depth == 0 => entries.last_mut().unwrap().push(c),
            _ => {}
        }
    }
    entries.iter().map(|entry| first_word(entry.trim()).to_owned()).collect()
}

fn first_word(text: &str) -> &str {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
}
