//! Requests that are edited on the screen, and what becomes of them.

use super::*;

/// An editor that puts `25` in the place of `1.0`.
#[allow(clippy::unnecessary_wraps, reason = "it stands where an editor may fail")]
fn amount(what: Outside) -> Result<Returned, Failure> {
    Ok(edited(what, "1.0", "25"))
}

fn edited(what: Outside, from: &str, to: &str) -> Returned {
    let Outside::Edit { id, text } = what else { return Returned::Nothing };
    let mut capture = capture(id);
    // The stage's own body has a byte in it that JSON has not.
    capture.body.bytes = Bytes::from_static(b"{\"id\":1,\"n\":1.0}");
    let capture = Arc::new(capture);
    let text = text.unwrap_or_else(|| rewrite::text(&capture));
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains(from), "{text}");
    Returned::Edited { capture, text: text.replacen(from, to, 1).into_bytes() }
}

fn play(editor: fn(Outside) -> Result<Returned, Failure>) -> Play {
    let mut play = Play::new(10, (100, 30));
    play.editor = editor;
    play
}

/// The body of the edited request that was sent last.
fn sent(play: &Play) -> String {
    String::from_utf8_lossy(&play.edited.last().expect("nothing was sent").2.body).into_owned()
}

fn sees(play: &Play, words: &str) {
    let screen = play.screen();
    assert!(screen.contains(words), "{words}:\n{screen}");
}

#[test]
fn an_edited_request_is_sent_to_the_url_that_is_asked_for_and_kept_for_the_next_try() {
    let mut play = play(amount);
    play.keys("e");
    sees(&play, "resend as edited");
    sees(&play, "#10 was edited");
    play.keys("\n");
    sees(&play, "resend the edited #10 to: http://localhost:");
    play.keys("3000\n");
    assert_eq!(play.edited[0].0.as_deref(), Some("http://localhost:3000"));
    assert!(!play.edited[0].1 && sent(&play).contains("\"n\":25"), "{}", sent(&play));
    // What the app says may want another edit.
    play.keys("e");
    sees(&play, "edit again");
    play.keys("signed\n\n");
    assert!(play.edited[1].1, "signed anew");
}

#[test]
fn it_goes_to_the_endpoints_app_without_a_question() {
    let mut play = play(amount);
    play.model.endpoints = Endpoints::new(vec![with_app()]);
    play.keys("e\n");
    assert_eq!((play.edited.len(), &play.edited[0].0), (1, &None));
}

#[test]
fn it_becomes_a_capture_of_its_own_or_is_dropped() {
    let mut play = play(amount);
    play.keys("esave\n");
    sees(&play, "#99 is an edited #10");
    assert!(play.model.drafts.is_empty());
    play.keys("edrop\n");
    sees(&play, "the edit of #10 is dropped");
    assert!(play.model.drafts.is_empty() && play.edited.is_empty());
}

#[test]
fn leaving_the_choice_keeps_the_edit_and_editing_goes_on_from_it() {
    let mut play = play(amount);
    play.keys("e\u{1b}");
    sees(&play, "the edit of #10 is kept");
    assert_eq!(play.lent.len(), 1);
    play.editor = |what| Ok(edited(what, "25", "1.0"));
    play.keys("eagain\n");
    let [_, Outside::Edit { text: Some(text), .. }] = &play.lent[..] else { panic!("{:?}", play.lent) };
    assert!(String::from_utf8_lossy(text).contains("\"n\":25"));
    sees(&play, "#10 was not changed");
    assert!(play.model.drafts.is_empty());
}

#[test]
fn json_that_broke_and_a_head_that_is_none_are_said_in_the_choice() {
    let mut play = play(|what| Ok(edited(what, "1.0", "1.0.0")));
    play.keys("e");
    sees(&play, "its body was JSON and is none any more");
    sees(&play, "resend as it is, broken");
    play.keys("drop\n");
    play.editor = |what| Ok(edited(what, " HTTP/1.1", ""));
    play.keys("e");
    sees(&play, "this is no request: line 3");
    let screen = play.screen();
    assert!(screen.contains("edit again") && !screen.contains("resend as"), "{screen}");
}

#[test]
fn an_editor_that_fails_is_told() {
    let mut play = play(|_| Err(Failure::new("editing in `vi`", "it ended with signal: 9")));
    play.keys("e");
    sees(&play, "editing in `vi`: it ended with signal: 9");
    assert!(play.model.palette.is_none());
}

#[test]
fn a_value_is_edited_in_place_and_nothing_else_of_the_body_changes() {
    let mut play = play(amount);
    play.keys("\n2jj");
    play.keys("E");
    sees(&play, "n: 1.0");
    for _ in 0..3 {
        play.send(Msg::Key(KeyEvent::new(KeyCode::Backspace, KeyModifiers::NONE)));
    }
    play.keys("{\"a\":");
    play.keys("\n");
    assert!(play.model.prompt.is_some(), "what is no JSON is not taken");
    sees(&play, "this is no JSON");
    play.keys(" 2}\n");
    sees(&play, "#10 was edited");
    play.keys("\n3000\n");
    assert_eq!(sent(&play), "{\"evil\":\"\u{1b}]0;owned\u{7}\",\"n\":{\"a\": 2},\"id\":1}");
    // A second value goes into the same edit.
    play.keys("jE");
    sees(&play, "id: 1");
    play.keys("7\n");
    play.keys("\n\n");
    assert_eq!(sent(&play), "{\"evil\":\"\u{1b}]0;owned\u{7}\",\"n\":{\"a\": 2},\"id\":17}");
}

#[test]
fn a_value_that_a_line_cannot_hold_is_left_to_the_editor() {
    let mut play = play(amount);
    play.keys("\n2E");
    sees(&play, "e edits the whole request in the editor");
    assert!(play.model.prompt.is_none());
    play.keys("3E");
    sees(&play, "2 shows the body");
}

#[test]
fn a_header_is_edited_from_the_menu() {
    let mut play = play(amount);
    let name = capture(CaptureId(10)).head.headers().iter().next().unwrap().name_text().into_owned();
    play.keys(&format!(".edit the header {name}\n"));
    sees(&play, &format!("{name}: "));
    play.keys("-new\n");
    sees(&play, "#10 was edited");
    play.keys("\n3000\n");
    let request = &play.edited[0].2;
    assert!(request.head.headers().iter().next().unwrap().value.ends_with(b"-new"));
    assert_eq!(request.body, capture(CaptureId(10)).body.bytes);
}

#[test]
fn what_is_under_the_cursor_is_copied_with_its_path_in_three_spellings() {
    let mut play = play(amount);
    let copied = |play: &Play| String::from_utf8_lossy(play.copied.last().map_or(&[][..], |it| it)).into_owned();
    play.keys("\n2jj");
    for (row, value) in [("value under", "1.0"), ("path: jq", ".n"), ("path: JSON pointer", "/n"), ("path: dot", "n")] {
        play.keys(&format!("y{row}\n"));
        assert_eq!(copied(&play), value, "{row}");
    }
    play.keys("gysubtree\n");
    assert_eq!(copied(&play), String::from_utf8_lossy(&capture(CaptureId(10)).body.bytes));
}

#[test]
fn the_body_goes_to_the_pager() {
    let mut play = play(amount);
    play.keys("L");
    assert_eq!(play.lent, [Outside::Page { id: CaptureId(10) }]);
}

#[test]
fn the_body_goes_to_a_command_and_what_that_prints_is_shown_escaped() {
    let mut play = play(amount);
    play.keys("|jq .\n");
    sees(&play, "jq .: it ended with 10");
    sees(&play, "second");
    assert!(!play.screen().contains('\u{1b}'));
    play.keys("\u{1b}");
    assert!(play.model.sheet.is_none());
    play.keys("|");
    sees(&play, "the body of #10 to: jq .");
    play.keys("\u{1b}");
}

#[test]
fn commands_that_were_used_come_back_by_the_keys_of_the_filters_but_not_what_began_with_a_blank() {
    let mut play = play(amount);
    for command in ["jq .a", "wc -c", " secret", "jq .a", "xxd"] {
        play.keys("|");
        play.control('u');
        play.keys(&format!("{command}\n\u{1b}"));
    }
    assert_eq!(play.model.commands, ["xxd", "jq .a", "wc -c"]);
    play.keys("|");
    sees(&play, "to: xxd");
    sees(&play, "ctrl-p older");
    for (older, seen) in [(true, "jq .a"), (true, "wc -c"), (true, "wc -c"), (false, "jq .a"), (false, "xxd")] {
        play.press(if older { KeyCode::Up } else { KeyCode::Down });
        sees(&play, &format!("to: {seen} "));
    }
    play.control('p');
    play.keys("x\n");
    assert_eq!(play.model.commands[0], "jq .ax");
    let again = State::parse(&State::of(&play.model).text());
    let mut next = Play::new(3, (100, 30));
    again.lay_over(&mut next.model);
    next.keys("|");
    sees(&next, "the body of #3 to: jq .ax");
}

#[test]
fn a_url_is_opened_only_after_it_was_shown() {
    let mut play = play(amount);
    play.keys("\nO");
    sees(&play, "open: https://");
    play.keys("\n");
    sees(&play, "https://docs.github.com");
    play.keys("O\u{1b}");
    assert!(play.model.notice.is_none());
}
