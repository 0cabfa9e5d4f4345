//! What changes on the screen when the configuration is read again.

use super::*;
use crate::{engine::KeyWish, tui::theme};

fn keys(command: &str, chord: &str) -> Result<Keymap, Failure> {
    let at = "creel.toml:2:1".to_owned();
    let wish = KeyWish { command: command.to_owned(), chords: vec![chord.to_owned()], at: at.clone(), chords_at: at };
    Keymap::with(&[wish])
}

#[test]
fn apps_keys_and_theme_are_those_of_the_new_configuration() {
    let mut play = Play::new(3, (120, 24));
    play.model.look = Look { themes: Box::leak(theme::all(None).0.into_boxed_slice()), ..play.model.look };
    play.keys("r");
    assert!(play.screen().contains("resend #3 to: "), "nobody knows an app: {}", play.screen());
    play.keys("\u{1b}");
    let endpoints = Endpoints::new(vec![with_app()]);
    let (keys, theme) = (keys("filter", "f1"), Some("light".to_owned()));
    play.send(Msg::Configured(Box::new(Configured { endpoints, keys, theme, ..script::configured() })));
    play.keys("r");
    assert!(play.model.prompt.is_none(), "{}", play.screen());
    assert!(play.screen().contains("f1 filter"), "{}", play.screen());
    assert_eq!(play.model.look.theme.map(|theme| &theme.name[..]), Some("light"));
}

#[test]
fn keys_that_cannot_be_leave_those_that_are() {
    let mut play = Play::new(3, (120, 24));
    play.send(Msg::Configured(Box::new(Configured { keys: keys("quit", "no such key"), ..script::configured() })));
    assert!(play.screen().contains("`no such key` is no key"), "{}", play.screen());
    play.keys("j");
    assert_eq!(play.selected(), 2);
}

#[test]
fn a_theme_that_is_none_is_told_and_leaves_the_one_that_is() {
    let mut play = Play::new(3, (120, 24));
    let themes = Box::leak(theme::all(None).0.into_boxed_slice());
    play.model.look = Look { themes, ..play.model.look }.themed("dark");
    play.send(Msg::Configured(Box::new(Configured { theme: Some("drak".to_owned()), ..script::configured() })));
    assert!(play.screen().contains("there is no theme `drak`; there are "), "{}", play.screen());
    assert_eq!(play.model.look.theme.map(|theme| &theme.name[..]), Some("dark"));
}
