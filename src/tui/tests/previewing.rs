//! A capture is looked at through a jq program, and nothing is sent.

use super::*;
use crate::engine::forward::{Answering, Forward, Program};

/// What is on the screen.
fn said(play: &Play, words: &[&str]) {
    let screen = play.screen();
    for words in words {
        assert!(screen.contains(words), "{words}:\n{screen}");
    }
}

/// A screen whose endpoint forwards to apps, each by a program.
fn forwarding(size: (u16, u16), programs: &[(&str, &str)]) -> Play {
    let mut play = Play::new(10, size);
    let forward = |(to, program): &(&str, &str)| {
        let transform = Transform { program: (*program).to_owned(), whole: false };
        let program = Some(Program { transform, stands: String::new() });
        Arc::new(Forward { program, ..Forward::plain("default", Target::url(to), Answering::default()) })
    };
    let forwards = programs.iter().map(forward).collect();
    play.model.endpoints = Endpoints::new(vec![Endpoint { forwards, ..with_app() }]);
    play
}

#[test]
fn what_the_program_of_a_forward_makes_stands_beside_what_came() {
    let mut play = forwarding((100, 30), &[("staging", r#"{"id":2}"#)]);
    play.keys("f");
    said(&play, &["#10 by jq: 2 differences", "- #10", "+ for staging", "line 1", "+ {\"id\":2}"]);
    play.keys("v");
    said(&play, &["│ {\"id\":2}"]);
    play.keys("\u{1b}");
    assert!(play.model.sheet.is_none() && play.model.mode == Mode::List);
}

#[test]
fn each_of_several_programs_is_shown_and_one_that_fails_says_why() {
    let mut play = forwarding((100, 40), &[("staging", r#"{"id":2}"#), ("http://b", ".a(")]);
    play.keys("\nf");
    said(&play, &["+ for staging", "+ for http://b", "column 2: no such function", "mend it"]);
    let mut play = forwarding((100, 40), &[("http://b", ".a(")]);
    play.keys("f");
    assert!(play.model.sheet.is_none() && play.model.prompt.is_none());
    said(&play, &["transforming by jq: column 2: no such function"]);
}

#[test]
fn a_program_is_typed_where_no_forward_has_one_and_can_be_mended() {
    let mut play = Play::new(10, (100, 30));
    play.keys("f");
    said(&play, &["jq on the body of #10:", "whole request, or body"]);
    play.keys("{}x\n");
    said(&play, &["jq on the body of #10: {}x", "column 2: no such function"]);
    play.press(KeyCode::Backspace);
    play.keys("\n");
    said(&play, &["#10 by jq: 2 differences", "+ by jq"]);
    play.keys("f");
    said(&play, &["jq on the body of #10: {}"]);
    play.control('t');
    said(&play, &["jq on the whole of #10: {}"]);
    play.keys("\n");
    said(&play, &["method", "- POST", "+ PUT"]);
    play.keys("f\u{1b}");
    assert!(play.model.prompt.is_none() && play.model.sheet.is_some(), "who thinks better of it is where it was asked");
    play.keys("\u{1b}\u{1b}f");
    said(&play, &["jq on the whole of #10: {}"]);
}

#[test]
fn who_types_a_program_is_told_the_key_that_gives_it_a_body_of_another_kind() {
    let mut play = Play::new(10, (120, 30));
    let why = Failure::new("jq", "the body is no JSON: at line 1 column 9").hint(crate::engine::GIVE_WHOLE);
    let lenses = vec![Lens::typed(Transform { program: ".data".to_owned(), whole: false })];
    let made = Compared { names: ["#10", "by jq"].map(str::to_owned), parts: Err(why) };
    play.send(Msg::Previewed { id: CaptureId(10), lenses, made: Ok(vec![made]) });
    said(&play, &["the body is no JSON", "ctrl-t gives it the whole request"]);
    assert_eq!(play.model.prompt.as_ref().unwrap().error.as_ref().unwrap().column, 1);
}

#[test]
fn a_program_of_many_lines_is_not_put_into_a_prompt_of_one() {
    let mut play = forwarding((100, 30), &[("staging", "{\"id\":\n2}")]);
    play.keys("ff");
    said(&play, &["jq on the body of #10:"]);
    assert_eq!(play.model.prompt.as_ref().unwrap().text(), "");
}
