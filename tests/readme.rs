//! The README says what the program does: its tables are the program's own.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

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

/// Every subcommand and every long option of the README is one of the program's.
#[test]
fn what_the_readme_tells_to_type_can_be_typed() {
    let blocks = README.split("```").skip(1).step_by(2).flat_map(str::lines);
    for line in blocks.filter(|line| line.starts_with("creel ")) {
        let word = line.split_whitespace().nth(1).unwrap();
        // A bare `creel` has its words behind many blanks.
        if !line.starts_with("creel  ") {
            let output =
                std::process::Command::new(env!("CARGO_BIN_EXE_creel")).args([word, "--help"]).output().unwrap();
            assert!(output.status.success(), "creel {word}");
        }
    }
}
