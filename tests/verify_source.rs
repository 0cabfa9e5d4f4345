//! Holds that secret bytes are compared in constant time only: in one function of one file, by `subtle`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{fs, path::Path};

/// The files of the room, name and text without comments.
fn sources() -> Vec<(String, String)> {
    below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/verify"))
}

fn below(folder: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { below(&path) } else { vec![source(&path)] }).collect()
}

fn source(path: &Path) -> (String, String) {
    let text = fs::read_to_string(path).unwrap();
    let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    (path.file_name().unwrap().to_string_lossy().into_owned(), code.collect::<Vec<_>>().join("\n"))
}

/// The code of a file without its tests.
fn code(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap()
}

#[test]
fn one_function_compares_and_it_takes_constant_time() {
    let sources = sources();
    let comparing: Vec<_> =
        sources.iter().filter(|(_, text)| code(text).contains("ct_eq")).map(|(name, _)| &name[..]).collect();
    assert_eq!(comparing, ["compare.rs"]);
    let (_, text) = sources.iter().find(|(name, _)| name == "compare.rs").unwrap();
    let code = code(text);
    assert_eq!(code.matches("ct_eq").count(), 1);
    for other in ["==", "!=", ".eq(", ".cmp(", "PartialEq", "PartialOrd", "Deref", "AsRef", "pub(super) Vec"] {
        assert!(!code.contains(other), "compare.rs must not hold {other}");
    }
    assert!(code.contains("struct Tag(Vec<u8>)"), "a tag's bytes are private to its file");
}

#[test]
fn what_a_secret_makes_becomes_a_tag_at_once() {
    for (name, text) in sources() {
        for line in code(&text).lines().filter(|line| line.contains(".finalize(") || line.contains("pair.sign(")) {
            assert!(line.contains("Tag::new("), "{name}: {line}");
        }
        assert!(!code(&text).contains("finalize_fixed"), "{name}");
    }
}

#[test]
fn neither_secrets_nor_keys_nor_written_tags_can_be_compared() {
    let words = ["expected", "tag", "secret", "seed", "signature"];
    for (name, text) in sources() {
        for line in code(&text).lines() {
            let compares = ["==", "!="].iter().find_map(|sign| line.split_once(sign));
            let Some((left, right)) = compares else { continue };
            let left = left.trim_end().rsplit([' ', '(', '.', '!']).next().unwrap_or_default();
            let right = right.trim_start().split([' ', ')', '.', ',']).next().unwrap_or_default();
            for side in [left, right] {
                let side = side.trim_matches(|c: char| !c.is_alphanumeric());
                assert!(!words.contains(&side), "{name}: {line}");
            }
        }
        for kind in ["struct Secret", "enum Key ", "struct Tag"] {
            let Some(at) = code(&text).find(kind) else { continue };
            let before = code(&text)[..at].rsplit("\n\n").next().unwrap();
            assert!(!before.contains("PartialEq"), "{name}: {kind} must not be comparable");
        }
    }
}
