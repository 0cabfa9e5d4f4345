//! What is wrong with what was entered is said where it was entered, and can be mended there.

use super::*;
use crate::engine::target::{Target, Targets};

fn typed(play: &Play) -> String {
    play.model.prompt.as_ref().map_or_else(String::new, super::super::prompt::Prompt::text)
}

#[test]
fn a_wrong_entry_stays_in_its_prompt_with_what_is_wrong_until_it_is_mended() {
    let long = "n".repeat(501);
    for (asks, entry, words) in [
        ("R", "localhost:9", "it is no URL that creel can send to; did you mean http://localhost:9?"),
        ("R", "http://u:trout@h", "a URL with a name and a password is not taken"),
        ("R", "stagin", "it is neither a URL nor a target of creel.toml; the targets are staging"),
        ("s", "ftp://h", "it is http://HOST or https://HOST"),
        ("O", "file:///etc/passwd", "only URLs of http and https are opened"),
        ("A", "tea", "`tea`"),
        (";", &long, "a note has 500 characters at most, and this 501"),
    ] {
        let mut play = Play::new(3, (160, 24));
        play.model.targets = Targets::new(vec![Target { name: Some("staging".into()), ..Target::url("http://h") }]);
        play.keys(asks);
        play.control('u');
        play.keys(entry);
        play.keys("\n");
        assert_eq!(typed(&play), entry, "the prompt of {asks} stays");
        let screen = play.screen();
        assert!(screen.contains(words), "{asks} {entry}: {words}\n{screen}");
        assert_eq!(play.model.last_url, None, "it is not offered again");
        play.keys("\n");
        assert_eq!(typed(&play), entry, "to enter it again does not help");
        play.press(KeyCode::Backspace);
        assert!(!play.screen().contains(words), "what is typed now is not judged yet");
        play.control('u');
        play.keys("\n");
        assert!(play.model.prompt.is_none() && play.model.sending.is_empty(), "{asks}: nothing entered, nothing done");
    }
}

#[test]
fn what_is_typed_last_is_always_seen_however_wide_it_is_and_where_it_began_is_marked() {
    for (text, last, columns) in
        [("o".repeat(90), "oooooo", 80), ("漢".repeat(90), "漢漢漢", 60), ("é".repeat(90), "éé", 40)]
    {
        let mut play = Play::new(3, (columns, 20));
        play.keys("/");
        play.keys(&text);
        let screen = play.screen();
        let row = screen.lines().last().unwrap().split('"').nth(1).unwrap();
        assert!(row.contains(&format!("{last} ")) || row.ends_with(last), "{columns}: {row}");
        assert!(row.starts_with(" filter: …"), "{columns}: {row}");
        assert!(body::width(row.trim_end()) <= usize::from(columns), "{columns}: {row}");
    }
}

#[test]
fn a_question_leaves_room_for_its_answer_on_the_smallest_terminal() {
    let mut play = Play::new(10, (40, 12));
    play.is_there = true;
    play.keys("Wgo:\n\n");
    play.keys("n");
    let screen = play.screen().replace(['"', '\n'], "").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(screen.contains("creel-10_test.go is there: y writes over it, n asks for another name: > n"), "{screen}");
    let mut play = Play::new(10, (40, 12));
    play.keys("Dy");
    assert!(play.screen().contains(" > y"), "{}", play.screen());
}

#[test]
fn a_targets_name_is_as_good_as_its_url() {
    let mut play = Play::new(3, (100, 24));
    play.model.targets = Targets::new(vec![Target { name: Some("staging".into()), ..Target::url("http://h") }]);
    play.keys("R");
    play.control('u');
    play.keys("staging\n");
    assert_eq!((play.model.prompt.is_none(), play.model.last_url.as_deref()), (true, Some("staging")));
}

#[test]
fn what_could_not_be_written_is_asked_for_again_and_does_not_push_itself_before_something_else() {
    let refused = || Failure::new("saving as a.txt", "it is there").hint("give it another name");
    let save = || Msg::Saved { name: "a.txt".to_owned(), bytes: Bytes::from_static(b"x"), saved: Err(refused()) };
    let export = || {
        let batch = super::super::export::Batch { ids: [CaptureId(1)].into(), marked: false };
        let export = Export { path: "no/such/folder.har".to_owned(), ..Export::new(batch, 0) };
        Msg::Exported { export, exported: Err(refused()) }
    };
    for (msg, name) in [(save(), "a.txt"), (export(), "no/such/folder.har")] {
        let mut play = Play::new(3, (100, 24));
        play.send(msg);
        assert_eq!(typed(&play), name);
        assert!(play.screen().contains("it is there; give it another name"), "{}", play.screen());
    }
    for msg in [save(), export()] {
        let mut play = Play::new(3, (100, 24));
        play.keys(";what was begun meanwhile");
        play.send(msg);
        assert_eq!(typed(&play), "what was begun meanwhile");
        assert!(play.screen().contains("saving as a.txt: it is there"), "{}", play.screen());
    }
}
