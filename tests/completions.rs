//! `creel completions` in a real shell, and the pages of `creel man`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::process::Command;

use support::Home;

/// What bash offers for a line whose last word is being typed.
const OFFER: &str = r#"
    source "$1"
    read -ra COMP_WORDS <<< "$2"
    [[ "$2" == *" " ]] && COMP_WORDS+=("")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _creel creel "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    echo "${COMPREPLY[@]}"
"#;

#[test]
fn bash_completes_commands_options_and_what_creel_knows() {
    let home = Home::new();
    let script = home.write("creel.bash", home.yes(&["completions", "bash"]));
    for (line, offered) in [
        ("creel forg", "forget"),
        ("creel wait --ab", "--absent"),
        ("creel export --as p", "python"),
        ("creel show 1 --view j", "jwt json"),
        ("creel --provider strip", "stripe"),
        ("creel providers strip", "stripe"),
        ("creel send github/pu", "github/push"),
        ("creel respond a --fault ", "close silence half slow"),
        ("creel __", ""),
    ] {
        let output =
            Command::new("bash").args(["--norc", "-c", OFFER, "bash"]).arg(&script).arg(line).output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8(output.stdout).unwrap().trim_end(), offered, "{line}");
    }
    assert!(home.fails(2, &["completions", "tcsh"]).contains("bash, elvish, fish, powershell, zsh"));
}

#[test]
fn there_is_a_page_for_each_command_and_one_that_is_printed() {
    let home = Home::new();
    assert!(home.yes(&["man"]).contains(".TH creel 1  \"creel 0.1.0\" creel"));
    let folder = home.path().join("share/man1");
    let said = home.yes(&["man", folder.to_str().unwrap()]);
    let mut pages: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|page| page.unwrap().file_name()).collect();
    pages.sort();
    assert!(said.starts_with(&format!("{} pages in ", pages.len())), "{said}");
    for page in ["creel.1", "creel-serve.1", "creel-providers-check.1"] {
        assert!(pages.contains(&page.into()), "{page}: {pages:?}");
    }
    assert!(pages.iter().all(|page| !page.to_string_lossy().contains("jq")), "what is not for people has none");
    let forget = std::fs::read_to_string(folder.join("creel-forget.1")).unwrap();
    assert!(forget.contains("Delete captures") && forget.contains("creel forget"), "{forget}");
    home.write("file", "");
    assert!(home.fails(2, &["man", "file"]).contains("writing manual pages to file"));
}
