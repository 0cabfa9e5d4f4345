//! The keys of comparing, copying, deleting, and of the palette.

use super::*;

/// What was wished for beyond what the play's stage does.
fn said(play: &Play, words: &[&str]) {
    let screen = play.screen();
    for words in words {
        assert!(screen.contains(words), "{words}:\n{screen}");
    }
}

#[test]
fn a_retry_is_compared_with_its_original_at_one_key() {
    let mut play = Play::new(10, (100, 30));
    play.basket.0.lock().unwrap()[9].duplicate_of = Some(CaptureId(4));
    play.ring();
    play.keys("d");
    said(&play, &["#4 and #10:", "- #4", "+ #10", "path", "/path/4", "/path/10", "headers", "the same"]);
    play.keys("v");
    said(&play, &["/path/4", "│ /path/10"]);
    play.keys("jkGg\u{1b}");
    assert!(play.model.sheet.is_none() && play.screen().contains("j/k move"), "{}", play.screen());
}

#[test]
fn any_other_capture_is_held_until_a_second_one_is_chosen() {
    let mut play = Play::new(10, (100, 30));
    play.keys("d");
    said(&play, &["#10 is held to be compared", "d: #10"]);
    play.keys("jjd");
    said(&play, &["#10 and #8:"]);
    play.keys("\u{1b}dd");
    said(&play, &["#8 is let go"]);
    assert!(play.model.held.is_none());
}

#[test]
fn the_palette_finds_a_command_by_a_few_of_its_letters() {
    let mut play = Play::new(10, (100, 30));
    play.keys(":");
    said(&play, &["> filter the list", "resend to a URL", "enter does it", "esc leaves"]);
    play.keys("resurl");
    said(&play, &["resend to a URL"]);
    play.keys("\n");
    assert!(play.screen().contains("resend #10 to: "), "{}", play.screen());
    play.keys("\u{1b}:zzzz\n\u{1b}");
    assert!(play.model.palette.is_none() && play.model.prompt.is_none() && !play.quit);
}

#[test]
fn what_is_copied_is_what_came_and_secrets_only_when_they_are_shown() {
    let mut play = Play::new(10, (100, 30));
    let copied = |play: &Play| String::from_utf8_lossy(play.copied.last().map_or(&[][..], |it| it)).into_owned();
    play.keys("\n.copy the body\n");
    assert_eq!(copied(&play), "{\"evil\":\"\u{1b}]0;owned\u{7}\",\"n\":1.0,\"id\":1}");
    said(&play, &["handed to the terminal", "OSC 52"]);
    play.keys("ythe url\n");
    assert_eq!(copied(&play), "http://127.0.0.1:27335/path/10?x");
    play.keys("ycurl\n");
    assert!(copied(&play).contains("curl") && !copied(&play).contains("Bearer"), "{}", copied(&play));
    play.keys("mycurl\n");
    assert!(copied(&play).contains("Bearer abcdef"), "{}", copied(&play));
    play.keys("yheader authorization\n");
    assert_eq!(copied(&play), "Bearer abcdef");
}

#[test]
fn what_is_too_large_for_the_terminal_goes_to_a_file() {
    let mut play = Play::new(10, (100, 30));
    play.keys("\n");
    let mut large = (**play.model.detail.capture.as_ref().unwrap()).clone();
    large.body.bytes = vec![b'x'; crate::tui::copy::CLIPBOARD_BYTES + 1].into();
    play.model.detail.capture = Some(Arc::new(large));
    play.keys("ythe body\n");
    assert!(play.copied.is_empty());
    said(&play, &["written to creel-10-body"]);
}

#[test]
fn a_deletion_is_asked_for_undone_and_made_good_when_creel_is_left() {
    let mut play = Play::new(10, (100, 30));
    play.keys("jD");
    said(&play, &["delete #9? y deletes, esc leaves it"]);
    play.keys("n\n");
    said(&play, &["#9 stays", "/path/9"]);
    play.keys("Dy\n");
    said(&play, &["#9 is deleted", "u brings it back"]);
    assert!(!play.screen().contains("/path/9 ") && play.selected() == 8, "{}", play.screen());
    play.keys("Dy\nu");
    said(&play, &["#8 is back"]);
    assert_eq!(play.selected(), 8);
    play.keys("/path:/path/1\n");
    assert!(!play.screen().contains("/path/9 "), "a filter does not bring it back");
    play.keys("q");
    assert_eq!((&play.forgotten[..], play.quit), (&[CaptureId(9)][..], true));
}

#[test]
fn all_that_is_marked_is_deleted_at_once_and_comes_back_at_once() {
    let mut play = Play::new(10, (100, 30));
    play.control('x');
    said(&play, &["nothing is marked", "space marks a capture"]);
    play.keys("   ");
    assert_eq!((play.basket.marked().len(), play.selected()), (3, 7));
    play.control('x');
    said(&play, &["delete all 3 marked? y deletes, esc leaves them"]);
    play.keys("n\n");
    said(&play, &["3 captures stay", "/path/9"]);
    play.keys("Dy\n");
    play.control('x');
    play.keys("y\n");
    said(&play, &["3 captures are deleted", "u brings them back", "4 deleted", "/path/6"]);
    assert!(
        ["/path/8 ", "/path/9 ", "/path/10 "].iter().all(|path| !play.screen().contains(path)),
        "{}",
        play.screen()
    );
    play.control('x');
    said(&play, &["nothing is marked"]);
    play.keys("B");
    let spared: Vec<_> = [7, 8, 9, 10].map(CaptureId).into();
    assert_eq!(play.spared, spared, "what is deleted is not sent any more");
    play.keys("u");
    said(&play, &["3 captures are back", "/path/8", "/path/9", "/path/10"]);
    assert_eq!(play.selected(), 10);
    play.keys("u");
    said(&play, &["#7 is back"]);
    play.control('x');
    play.keys("yes\nq");
    assert_eq!((&play.forgotten[..], play.quit), (&[8, 9, 10].map(CaptureId)[..], true));
}

#[test]
fn a_key_of_another_place_says_where_it_does_something() {
    let mut play = Play::new(3, (80, 24));
    play.keys("E");
    said(&play, &["E is for an open capture: edit the JSON value under the cursor in place", "enter opens it"]);
    play.keys("Q");
    said(&play, &["Q is no key", "? shows every key"]);
    play.keys("Sr");
    said(&play, &["r is for the list and an open capture", "esc goes back there"]);
    play.keys("\u{1b}j");
    assert_eq!(play.model.notice.as_ref().map(|notice| &notice.text), None);
    let mut play = Play::new(0, (80, 24));
    play.keys("E");
    said(&play, &["nothing is caught yet"]);
}

#[test]
fn where_no_detail_stands_beside_it_the_list_says_what_the_sign_of_a_signature_means() {
    let mut play = Play::new(5, (80, 24));
    said(&play, &["✗  signature failed: it is not of these bytes   4 says why"]);
    play.keys("j");
    said(&play, &["✓  signature passed   enter opens the capture"]);
    play.keys("k");
    play.send(Msg::Resize(40, 12));
    said(&play, &["✗  signature failed: it is not of thes…"]);
    for (count, size) in [(22, (80, 24)), (5, (120, 24))] {
        let play = Play::new(count, size);
        assert!(!play.screen().contains("enter opens the capture"), "{}", play.screen());
    }
}

#[test]
fn no_more_is_deleted_than_the_screen_can_leave_out() {
    let mut play = Play::new(10, (100, 30));
    let many: Vec<_> = (1..=10_001).map(CaptureId).collect();
    play.send(Msg::Doomed(Ok(many)));
    said(&play, &["10,000 captures at most are deleted before creel is left", "`creel forget FILTER` deletes"]);
    assert!(play.model.prompt.is_none());
    play.send(Msg::Doomed(Err(Failure::new("looking for what is marked", "the store is locked"))));
    said(&play, &["looking for what is marked: the store is locked"]);
}

#[test]
fn to_mark_all_takes_a_filter_even_where_something_is_deleted() {
    let mut play = Play::new(10, (100, 30));
    play.keys("Dy\n:mark all\n");
    said(&play, &["no filter says which captures are meant"]);
    assert_eq!(play.basket.marked(), []);
}

#[test]
fn the_address_is_shown_as_a_code() {
    let mut play = Play::new(1, (80, 24));
    play.keys(".qr\n");
    said(&play, &["█▀▀▀▀▀█", "http://127.0.0.1:27335"]);
    play.model.look = Look::plain(false, true);
    said(&play, &[" ▄▄▄▄▄ "]);
    play.send(Msg::Resize(60, 15));
    let screen = play.screen();
    assert!(screen.contains("wants a code whole") && !screen.contains('▄'), "half a code is none: {screen}");
}

#[test]
fn a_secret_in_which_two_captures_differ_is_masked_until_somebody_asks() {
    let mut play = Play::new(10, (100, 30));
    let part = |name, at: &str, before: &str, after: &str| {
        let shown = |text: &str| Some(text.to_owned());
        let difference = body::Difference { at: at.to_owned(), before: shown(before), after: shown(after), to: None };
        body::compare::Part { name, differences: vec![difference] }
    };
    let parts = Ok(vec![
        part("query", "access_token", "tokenone", "tokentwo"),
        part("headers", "authorization", "Bearer one", "Bearer three"),
        part("body", ".token", "\"seen\"", "\"as before\""),
    ]);
    play.keys("\n");
    play.send(Msg::Compared(Ok(Compared { names: ["#1".to_owned(), "#2".to_owned()], parts })));
    let screen = play.screen();
    for secret in ["tokenone", "tokentwo", "Bearer"] {
        assert!(!screen.contains(secret), "{secret}:\n{screen}");
    }
    said(&play, &["10 characters, m shows them", "12 characters", "as before"]);
    play.keys("m");
    said(&play, &["Bearer one", "Bearer three", "tokentwo", "secrets are shown"]);
    play.keys("m");
    said(&play, &["12 characters, m shows them", "secrets are masked"]);
}
