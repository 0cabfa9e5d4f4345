//! The prompt of a filter: what is offered, what was used before, what has a name.

use super::*;

fn typed(play: &Play) -> String {
    play.model.prompt.as_ref().map_or(String::new(), super::super::prompt::Prompt::text)
}

fn filter(play: &Play) -> String {
    play.model.filter.as_ref().map_or(String::new(), |filter| filter.text().to_owned())
}

#[test]
fn fields_operators_and_values_are_offered_and_tab_takes_them() {
    let mut play = Play::new(50, (120, 30));
    play.keys("/si");
    let screen = play.screen();
    assert!(screen.contains("sig:") && screen.contains("size:") && screen.contains("bytes of the body"), "{screen}");
    play.keys("\t");
    assert!(typed(&play) == "sig:" && play.screen().contains("sig:unchecked"), "{}", play.screen());
    play.keys("f\t");
    assert_eq!((&typed(&play)[..], &filter(&play)[..]), ("sig:failed", "sig:failed"));
    play.keys(" size");
    assert!(play.screen().contains("size>=  is it or more"), "{}", play.screen());
    play.keys(">1k event:");
    assert!(play.screen().contains("event:issues"), "{}", play.screen());
    play.keys("pu\t\n");
    assert_eq!((&filter(&play)[..], play.model.prompt.is_none()), ("sig:failed size>1k event:push", true));
}

#[test]
fn what_has_only_begun_is_no_mistake_until_it_is_entered_or_left() {
    let mut play = Play::new(50, (80, 24));
    play.keys("/sig:fa");
    let screen = play.screen();
    assert!(screen.contains("sig:failed") && !screen.contains("is none of"), "{screen}");
    play.keys("\n");
    assert!(play.screen().contains("`fa` is none of passed, failed"), "{}", play.screen());
    play.keys("i");
    assert!(!play.screen().contains("is none of"), "{}", play.screen());
    play.keys("x");
    assert!(play.screen().contains("`faix` is none of"), "nothing is offered any more: {}", play.screen());
}

#[test]
fn how_many_match_is_told_of_no_other_filter_than_is_in_force() {
    let mut play = Play::new(50, (120, 30));
    play.keys("/sig:failed\n");
    assert!(play.screen().contains("filter: sig:failed, 10 match"), "{}", play.screen());
    super::super::update::update(&mut play.model, Msg::Key(KeyEvent::from(KeyCode::Char('/'))));
    // What is asked for is not answered yet.
    for key in " id<9".chars() {
        super::super::update::update(&mut play.model, Msg::Key(KeyEvent::from(KeyCode::Char(key))));
    }
    assert!(play.screen().contains("filter: sig:failed id<9") && !play.screen().contains("match"), "{}", play.screen());
}

#[test]
fn what_is_pasted_is_one_line_and_what_has_no_room_is_told() {
    let mut play = Play::new(50, (80, 24));
    play.keys("/");
    play.send(Msg::Paste("path:/path/4\r\nsig:passed\n".to_owned()));
    assert_eq!((&typed(&play)[..], &filter(&play)[..]), ("path:/path/4 sig:passed", "path:/path/4 sig:passed"));
    play.send(Msg::Paste(format!(" {}", "y".repeat(5_000))));
    assert!(play.screen().contains("a prompt has room for 2,000 characters"), "{}", play.screen());
    assert_eq!(typed(&play).len(), 2_000);
    play.keys("\n");
    let screen = play.screen();
    assert!(screen.contains("Nothing matches") && screen.contains("esc takes it away"), "{screen}");
}

#[test]
fn arrows_choose_of_what_is_offered_enter_takes_it_and_escape_puts_it_away() {
    let mut play = Play::new(50, (120, 30));
    play.keys("/provider:git");
    play.press(KeyCode::Down);
    play.press(KeyCode::Down);
    assert_eq!(play.model.prompt.as_ref().unwrap().assist.chosen, Some(1));
    play.keys("\n");
    assert_eq!((&typed(&play)[..], play.model.prompt.is_some()), ("provider:gitlab", true), "it is still typed");
    play.keys("\n/ e");
    play.press(KeyCode::Up);
    assert!(play.model.prompt.as_ref().unwrap().assist.chosen > Some(1), "the last of them");
    play.keys("\u{1b}");
    assert!(typed(&play) == "provider:gitlab e" && !play.screen().contains("event:"), "{}", play.screen());
    play.keys("\u{1b}");
    assert!(play.model.prompt.is_none());
}

#[test]
fn the_list_of_offers_never_covers_what_is_typed() {
    for size in [(20, 3), (40, 10), (80, 24), (120, 35), (200, 60)] {
        let mut play = Play::new(50, size);
        for text in ["/e", "vent:", "p", " sig:failed and endpoint:default header.x-y", " fla"] {
            play.keys(text);
            let screen = play.screen();
            let last = screen.lines().rfind(|row| row.contains("filter: ")).unwrap();
            let shown: String = typed(&play).chars().rev().take(6).collect::<String>().chars().rev().collect();
            assert!(last.contains(&shown), "{shown} at {size:?}:\n{screen}");
        }
        let (at, rows) = (play.model.prompt.as_ref().unwrap().cursor, play.model.size.1);
        assert!(at > 0 && usize::from(rows) == play.screen().lines().count());
    }
}

#[test]
fn used_filters_come_back_newest_first_and_what_was_typed_is_behind_them() {
    let mut play = Play::new(50, (120, 30));
    for text in ["sig:failed", "event:push", "sig:failed", "method:POST"] {
        play.keys("/");
        play.control('u');
        play.keys(text);
        play.keys("\n");
    }
    play.keys("/");
    play.control('u');
    play.keys("id>3 ");
    let mut seen = Vec::new();
    for _ in 0..4 {
        play.control('p');
        seen.push(filter(&play));
    }
    assert_eq!(seen, ["method:POST", "sig:failed", "event:push", "event:push"]);
    play.press(KeyCode::Down);
    assert_eq!(typed(&play), "sig:failed", "where nothing is offered, arrows recall, too");
    play.control('n');
    play.control('n');
    assert_eq!(typed(&play), "id>3 ");
    play.keys("\u{1b}");
    assert_eq!(filter(&play), "method:POST", "Escape brings back the filter that was in force");
    play.keys("/");
    play.control('p');
    assert_eq!(typed(&play), "sig:failed", "what stands there already is passed over");
}

#[test]
fn a_filter_is_saved_under_a_name_and_found_by_it() {
    let mut play = Play::new(50, (120, 30));
    play.keys("/sig:failed");
    play.control('s');
    assert!(play.screen().contains("save this filter as @"), "{}", play.screen());
    play.keys("a b\n");
    assert!(play.model.prompt.is_some() && play.screen().contains("`a b` is no name"), "{}", play.screen());
    play.control('u');
    play.keys("bad\n");
    assert!(
        play.screen().contains("@bad is sig:failed") && play.screen().contains("creel ls @bad"),
        "{}",
        play.screen()
    );
    play.keys("/");
    play.control('u');
    play.keys("event:push @b");
    assert!(play.screen().contains("@bad  sig:failed"), "{}", play.screen());
    assert_eq!(filter(&play), "event:push", "half a name is none; the last good filter stays");
    play.keys("\t");
    assert_eq!(filter(&play), "event:push @bad");
    play.frame();
    assert!(play.model.list.rows.iter().all(|row| row.id.0 % 15 == 0), "the events are pushes that failed");
    play.keys("\nDy\n");
    play.frame();
    assert!(
        !play.model.list.rows.is_empty() && play.model.list.rows.len() < 3,
        "a deletion leaves the name its meaning"
    );
    play.keys("/");
    play.control('u');
    play.control('s');
    play.keys("bad\n");
    play.keys("/@bad");
    assert!(play.screen().contains("no filter has the name `bad`"), "{}", play.screen());
}

#[test]
fn a_name_of_the_configuration_is_changed_there_alone() {
    let mut play = Play::new(5, (120, 30));
    play.model.shelf.named.configured.insert("bad".to_owned());
    play.keys("/x");
    play.control('s');
    play.keys("@bad\n");
    assert!(play.screen().contains("stands in the configuration"), "{}", play.screen());
    play.keys("2\n");
    assert!(play.screen().contains("@bad2 is x"), "the prompt stayed: {}", play.screen());
}

#[test]
fn what_is_wrong_is_said_whole_where_one_row_is_not_enough() {
    for size in [(40, 10), (60, 20)] {
        let mut play = Play::new(50, size);
        play.keys("/sig:stolen");
        let screen: String = play.screen().replace(['"', '\n'], "").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(screen.contains("`stolen` is none of passed, failed, unsigned, unchecked"), "{size:?}: {screen}");
        assert!(list_rows(&play).len() > 3 && play.model.list.height > 2, "the list is still there");
    }
}

#[test]
fn of_a_filter_as_much_is_seen_as_of_where_the_screen_is() {
    for columns in [40, 60, 80] {
        let mut play = Play::new(50, (columns, 20));
        let store = "/home/somebody/somewhere/creel.db".to_owned();
        play.model.place = Place::Watching { store, address: Some("http://127.0.0.1:1".to_owned()) };
        play.keys("/sig:failed\n");
        let screen = play.screen();
        let header = screen.lines().next().unwrap();
        assert!(header.contains("filter: sig:"), "{columns}: {header}");
        assert!(header.contains(".db  ● live"), "{columns}: {header}");
        play.model.door.told = vec![("default".to_owned(), "503 to the first 3 of each event, else 200".to_owned())];
        let screen = play.screen();
        let header = screen.lines().next().unwrap();
        let seen = [("live", 0), ("default answers 503", 80), ("  default a", 60), ("filter: sig:f", 60), (" fil", 0)];
        for (words, _) in seen.into_iter().filter(|(_, from)| columns >= *from) {
            assert!(header.contains(words), "{words} in {columns}: {header}");
        }
    }
}

#[test]
fn what_is_wrong_is_pointed_at_and_the_last_good_filter_stays() {
    let mut play = Play::new(50, (100, 24));
    play.keys("/sig:failed sgi:");
    let screen = play.screen();
    let lines: Vec<&str> = screen.lines().collect();
    let (typed, error) = (lines[lines.len() - 2], lines[lines.len() - 1]);
    let column = |line: &str, of: &str| line.find(of).unwrap_or_else(|| panic!("no {of} in {line}"));
    assert_eq!(column(error, "^"), column(typed, "sgi:") + 4, "{screen}");
    assert!(error.contains("a value should follow"), "{screen}");
    play.keys("x");
    let screen = play.screen();
    let (typed, error) = (screen.lines().rev().nth(1).unwrap(), screen.lines().last().unwrap());
    assert_eq!(column(error, "^"), column(typed, "sgi:"), "{screen}");
    assert!(filter(&play).starts_with("sig:failed"), "{}", filter(&play));
}
