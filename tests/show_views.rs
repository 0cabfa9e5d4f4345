//! `creel show` gives a body in the view that was asked for, and one value by its path.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod support;

use creel::body::VIEWS;
use support::Home;

const ORDER: &str =
    r#"{"id":"evt_1","created":1795424700,"data":{"object":{"id":"ch_9","amount":5.00,"tags":["a","b"]}}}"#;

fn home_with(kind: &str, body: &[u8]) -> Home {
    let home = Home::new();
    let serving = home.serve(&[]);
    assert_eq!(serving.post("/x", &[("Content-Type", kind)], body), 1);
    serving.stop();
    home
}

#[test]
fn a_value_is_printed_by_its_path_in_any_spelling() {
    let home = home_with("application/json", ORDER.as_bytes());
    for path in ["data.object.id", ".data.object.id", "/data/object/id"] {
        assert_eq!(home.yes(&["show", "1", "--path", path]), "ch_9\n", "{path}");
    }
    assert_eq!(home.yes(&["show", "1", "--path", "data.object.amount"]), "5.00\n");
    assert_eq!(home.yes(&["show", "1", "--path", "data.object.tags"]), "[\"a\",\"b\"]\n");
    assert_eq!(home.yes(&["show", "1", "--path", "data.object.id", "--json"]), "\"ch_9\"\n");
    assert!(home.fails(1, &["show", "1", "--path", "data.object.nothing"]).contains("nothing at data.object.nothing"));
    assert!(home.fails(2, &["show", "1", "--path", "a..b"]).contains("two dots"));
}

#[test]
fn a_body_is_printed_in_the_view_that_was_asked_for() {
    let home = home_with("application/json", ORDER.as_bytes());
    let tree = home.yes(&["show", "1", "--view", "tree"]);
    assert!(tree.contains("\"created\": 1795424700,  2026-11-23 09:05:00 UTC\n"), "{tree}");
    assert!(home.yes(&["show", "1", "--view", "json"]).contains("\"created\": 1795424700,\n"));
    assert_eq!(home.yes(&["show", "1", "--view", "text"]), format!("{ORDER}\n"));
    assert!(home.yes(&["show", "1", "--view", "hex"]).starts_with("00000000  7b 22 69 64 "));
    assert!(home.fails(2, &["show", "1", "--view", "jwt"]).contains("no JSON Web Token"));
    let help = String::from_utf8(home.run(&["show", "--help"]).stdout).unwrap();
    assert!(VIEWS.iter().all(|view| help.contains(view.help)), "{help}");
}

#[test]
fn a_picture_is_printed_in_shades() {
    let png = include_bytes!("data/body/good.png");
    let home = home_with("image/png", png);
    let shown = home.yes(&["show", "1", "--view", "picture"]);
    assert!(shown.starts_with("PNG picture, 32 x 32 pixels, "), "{shown}");
    assert!(shown.contains('▒') && !shown.contains('▀'), "{shown}");
}
