//! The README says what the program does: its tables are the program's own.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

const README: &str = include_str!("../README.md");

#[test]
fn the_readme_counts_the_providers() {
    let count = creel::verify::Catalog::builtin().unwrap().iter().count();
    assert!(README.contains(&format!("creel knows how {count} providers sign")), "there are {count}");
}

/// The tables stand in the README as they are printed. With `CREEL_BLESS=1` they are written into it.
#[test]
fn the_tables_of_keys_and_filters_are_the_programs_own() {
    let mut text = README.to_owned();
    let views =
        creel::body::VIEWS.iter().fold(String::new(), |text, view| format!("{text}{:<12} {}\n", view.name, view.help));
    let tables =
        [("### Filters\n", creel::query::help()), ("### Keys\n", creel::tui::key_help()), ("### Body views\n", views)];
    for (heading, table) in tables {
        let section = text.find(heading).unwrap() + heading.len();
        let open = text[section..].find("```\n").unwrap() + section + 4;
        let close = text[open..].find("```").unwrap() + open;
        text.replace_range(open..close, &table);
    }
    if std::env::var_os("CREEL_BLESS").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"), &text).unwrap();
    }
    assert!(text == README || std::env::var_os("CREEL_BLESS").is_some(), "run CREEL_BLESS=1 cargo test --test readme");
}

/// Every subcommand of the README is one of the program's, and every long option on its line is one of that subcommand's.
#[test]
fn what_the_readme_tells_to_type_can_be_typed() {
    let blocks = README.split("```").skip(1).step_by(2).flat_map(str::lines);
    let lines = blocks.filter(|line| line.starts_with("creel "));
    // Others stand behind it: in its comment, or at the end of its pipe.
    let commands = lines.flat_map(|line| line.split("`creel").flat_map(|part| part.split("xargs creel")));
    let mut seen = 0;
    for command in commands {
        let words = command.strip_prefix("creel").unwrap_or(command);
        // A bare `creel` has its words behind many blanks.
        let word = words.split_whitespace().next().filter(|word| !word.starts_with('-') && !words.starts_with("  "));
        let help = help(word);
        // What is quoted is not for creel to read.
        let words = words.split('\'').step_by(2).flat_map(|part| part.split([' ', ',', ';', '`']));
        for option in words.filter(|word| word.starts_with("--")) {
            assert!(help.contains(option), "creel {} has no {option}: {command}", word.unwrap_or_default());
            seen += 1;
        }
    }
    assert!(seen > 50, "{seen} options were found");
}

/// What a subcommand says of itself.
fn help(word: Option<&str>) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_creel")).args(word).arg("--help").output().unwrap();
    assert!(output.status.success(), "creel {word:?}");
    String::from_utf8(output.stdout).unwrap()
}
