//! Filters that have names: from the configuration and from the screen, the same on every command line.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use support::{
    Home,
    app::{App, status},
};

/// A home with two captures, of which the second is larger.
fn home() -> Home {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    serving.post("/small", &[], b"{}");
    serving.post("/large", &[], b"{\"fish\":\"a trout that is longer than the other one\"}");
    home
}

#[test]
fn a_name_stands_for_its_filter_on_every_command_line() {
    let home = home();
    home.write("creel.toml", "[filters]\nlong = \"size>20\"\nfish = \"@long trout\"\n");
    assert!(home.yes(&["ls", "@long"]).contains("/large") && !home.yes(&["ls", "@long"]).contains("/small"));
    assert!(home.yes(&["ls", "path:/small", "or", "@fish"]).lines().count() == 2);
    assert!(home.yes(&["export", "@fish"]).contains("/large"));
    assert!(home.yes(&["wait", "@fish", "--all", "--timeout", "30"]).contains("/large"));
    assert_eq!(home.yes(&["mark", "--filter", "@fish"]), "1 changed\n");
    assert_eq!(home.yes(&["forget", "@long"]), "1 forgotten\n");
    assert!(home.yes(&["ls"]).contains("/small"));
}

#[test]
fn a_name_that_nobody_gave_is_a_mistake_and_no_word() {
    let home = home();
    home.write("creel.toml", "[filters]\nlong = \"size>20\"\n");
    let said = home.fails(2, &["forget", "not", "@lnog"]);
    assert!(said.contains("no filter has the name `lnog`") && said.contains("did you mean `@long`?"), "{said}");
    assert!(said.contains("\n  not @lnog\n") || said.contains("not @lnog\n"), "{said}");
    assert_eq!(home.captures().len(), 2);
    home.fails(1, &["ls", "\"@lnog\""]);
    home.fails(1, &["ls", "anna@example.com"]);
}

#[test]
fn what_cannot_be_read_is_pointed_at_in_its_file() {
    let home = home();
    home.write("creel.toml", "[filters]\nlong = \"size>big\"\n");
    let said = home.fails(2, &["ls", "@long"]);
    assert!(said.contains("creel.toml:2:8") && said.contains("the filter `long`"), "{said}");
    assert!(home.fails(2, &["serve", "--listen", "0"]).contains("creel.toml:2:8"));
    home.yes(&["ls", "path:/large"]);
}

#[test]
fn what_the_screen_saved_has_its_name_here_and_the_configuration_goes_before_it() {
    let home = home();
    std::fs::create_dir_all(home.path().join(".local/state/creel")).unwrap();
    home.write(".local/state/creel/screen.toml", "used = []\n[filters]\nlong = \"size<5\"\nmine = \"@long path:/\"\n");
    assert!(home.yes(&["ls", "@mine"]).contains("/small"));
    home.write("creel.toml", "[filters]\nlong = \"size>20\"\n");
    assert!(home.yes(&["ls", "@mine"]).contains("/large"));
}

#[test]
fn forwarding_takes_the_names_too_and_a_wrong_one_is_pointed_at_in_its_file() {
    let home = Home::new();
    let app = App::start(|_, _| status(200));
    let endpoint = |when: &str| {
        let url = &app.url;
        format!("[[endpoint]]\nname = \"a\"\npath = \"/\"\n[[endpoint.forward]]\nto = \"{url}\"\nwhen = \"{when}\"\n")
    };
    home.write("creel.toml", &(endpoint("@lnog") + "[filters]\nlong = \"size>20\"\n"));
    let said = home.fails(2, &["serve", "--listen", "0"]);
    for words in ["creel.toml:6:8", "no filter has the name `lnog`", "did you mean `@long`?"] {
        assert!(said.contains(words), "{said}");
    }
    home.write("creel.toml", &(endpoint("@long or @mine") + "[filters]\nlong = \"size>20\"\n"));
    std::fs::create_dir_all(home.path().join(".local/state/creel")).unwrap();
    home.write(".local/state/creel/screen.toml", "[filters]\nmine = \"path:/mine\"\n");
    let serving = home.serve(&["--quiet"]);
    for (path, body) in [("/small", "{}"), ("/large", "{\"fish\":\"a trout that is long\"}"), ("/mine", "{}")] {
        serving.post(path, &[], body.as_bytes());
    }
    let mut paths = [app.path(), app.path()];
    paths.sort();
    assert_eq!(paths, ["/large", "/mine"]);
    home.until(&["ls", "reply:200"], |listed| listed.lines().count() == 2);
    assert!(home.yes(&["ls", "reply:none"]).contains("/small") && app.is_idle());
}
