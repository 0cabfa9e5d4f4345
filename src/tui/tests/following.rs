//! The list follows, is walked, filtered and searched.

use super::*;

#[test]
fn the_newest_is_followed_until_the_user_moves() {
    let mut play = Play::new(100, (80, 24));
    assert_eq!(play.selected(), 100);
    play.basket.put(5);
    play.ring();
    assert_eq!(play.selected(), 105);
    play.keys("jj");
    play.basket.put(7);
    play.ring();
    assert_eq!(play.selected(), 103);
    assert!(play.screen().contains("7 new ↑"), "{}", play.screen());
    play.keys("g");
    assert_eq!(play.selected(), 112);
    assert!(!play.screen().contains("new ↑"));
}

#[test]
fn who_looks_into_a_capture_is_not_carried_off_to_the_next() {
    for (looks, leaves) in [("\n", "\u{1b}"), ("2", "\u{1b}"), ("\n?", "?\u{1b}"), (".", "\u{1b}"), ("R", "\u{1b}")] {
        let mut play = Play::new(100, (160, 35));
        play.keys(looks);
        play.ring();
        play.keys(leaves);
        assert!(play.model.list.follow, "nothing came: {looks:?}");
        play.basket.put(5);
        play.ring();
        assert_eq!(play.selected(), 105);
        play.keys(looks);
        play.basket.put(7);
        play.ring();
        assert_eq!((play.selected(), play.model.detail.id()), (105, Some(CaptureId(105))), "{looks:?}");
        play.keys(leaves);
        assert_eq!(play.selected(), 105);
        assert!(play.screen().contains("7 new ↑"), "{}", play.screen());
        play.keys("g");
        assert_eq!((play.selected(), play.model.list.follow), (112, true));
    }
    let mut play = Play::new(100, (120, 35));
    play.keys("/sig:failed");
    let failed = play.selected();
    play.basket.put(40);
    play.ring();
    assert!(play.selected() > failed, "what a filter takes is seen while it is typed");
    play.keys("\n:to the top\n");
    assert!(play.model.list.follow, "as the palette was told");
}

#[test]
fn a_long_list_is_walked_from_end_to_end_with_a_window_that_stays_small() {
    let mut play = Play::new(5_000, (80, 24));
    for _ in 0..4_999 {
        play.keys("j");
    }
    assert_eq!(play.selected(), 1);
    assert!(play.model.list.rows.len() < 500, "{} rows", play.model.list.rows.len());
    for _ in 0..4_999 {
        play.keys("k");
    }
    assert_eq!(play.selected(), 5_000);
    play.keys("G");
    assert_eq!(play.selected(), 1);
    play.keys("g");
    assert_eq!(play.selected(), 5_000);
}

#[test]
fn a_filter_keeps_the_selection_where_it_can_and_the_last_good_one_stays() {
    let mut play = Play::new(300, (80, 24));
    play.keys("jjjjj");
    assert_eq!(play.selected(), 295);
    play.keys("/sig:failed");
    assert_eq!(play.selected(), 295, "it is among the failed");
    assert!(play.model.list.rows.iter().all(|row| row.verdict == Verdict::Failed));
    play.keys(" evnt:x");
    let screen = play.screen();
    assert!(screen.contains("there is no field `evnt`; did you mean `event`?"), "{screen}");
    // What was typed before the colon was a word, and a good filter.
    assert_eq!(play.model.filter.as_ref().unwrap().text(), "sig:failed evnt");
    play.keys("\u{1b}");
    assert!(play.model.filter.is_none() && play.model.prompt.is_none());
    assert_eq!(play.selected(), 295);
    play.keys("/path:/nowhere\n");
    assert!(play.screen().contains("Nothing matches"), "{}", play.screen());
    play.keys("\u{1b}");
    assert!(play.model.filter.is_none() && !play.quit);
}

#[test]
fn a_search_shows_what_it_found_while_it_goes_on() {
    let mut play = Play::new(2_000, (120, 30));
    play.keys("/path:/path/77\n");
    assert_eq!(play.model.list.rows.len(), 11, "77 and 770 to 779, forty pieces apart");
    assert!(!play.model.list.is_searching() && !play.screen().contains("searching"));
    let generation = play.model.list.generation;
    let piece =
        |rows: Vec<Summary>, rest| Slice { rows, rest, percent: 62, newest: CaptureId(2_000), missed: Vec::new() };
    let first = piece(vec![summary(779)], Some(Start::Before(CaptureId(700))));
    let effects = update(&mut play.model, Msg::Page { generation, ask: Ask::Newest, rows: Ok(first) });
    assert!(play.screen().contains("/path/779") && play.screen().contains("62 %"), "{}", play.screen());
    let goes_on =
        |effect: &Effect| matches!(effect, Effect::Page { ask: Ask::Older, start: Start::Before(CaptureId(700)), .. });
    assert!(effects.iter().any(goes_on));
    // Typing on leaves the search: what it still finds is not wanted any more.
    play.keys("/0");
    let late = piece(vec![summary(1)], None);
    update(&mut play.model, Msg::Page { generation, ask: Ask::Older, rows: Ok(late) });
    assert!(play.model.list.rows.iter().all(|row| row.id.0 != 1));
}

#[test]
fn what_cannot_be_read_is_told_once_and_kept() {
    let mut play = Play::new(20, (120, 30));
    let why = |id| (CaptureId(id), Failure::new("reading the list", "the file is damaged").hint("keep a copy"));
    let mut page = |missed: &[i64]| {
        let (generation, rows) = (play.model.list.generation, play.model.list.rows.clone());
        let missed = missed.iter().copied().map(why).collect();
        let slice = Slice { missed, ..whole(Start::Newest, usize::MAX, rows) };
        play.send(Msg::Page { generation, ask: Ask::Newest, rows: Ok(slice) });
        let screen = play.screen();
        play.keys("t");
        screen
    };
    let screen = page(&[5, 6, 4]);
    assert!(
        screen.contains("#4 to #6 cannot be read: the file is damaged") && screen.contains("keep a copy"),
        "{screen}"
    );
    assert!(!page(&[6, 5, 4]).contains("cannot be read"), "it was told");
    assert!(page(&[4, 9]).contains("#9 cannot be read: the file is damaged"));
    assert!(page(&[1, 11, 4]).contains("2 captures between #1 and #11 cannot be read"));
    play.keys("!");
    assert_eq!(play.screen().matches("cannot be read").count(), 3, "{}", play.screen());
}

#[test]
fn what_comes_while_a_filter_is_followed_is_added_above() {
    let mut play = Play::new(300, (120, 30));
    play.keys("/path:/path/3\n");
    let before = play.model.list.rows.len();
    play.basket.put(200);
    play.send(Msg::Ring);
    play.send(Msg::Frame);
    assert!(play.model.list.rows.len() > before, "{before}");
    assert_eq!(play.model.list.rows[0].id.0, 399);
}

#[test]
fn no_row_is_hidden_above_while_there_is_room_below() {
    let seen = |play: &Play| play.model.list.seen().count();
    for steps in ["G/sig:failed\n", "G/path:/path/1\n", "gjjjjjjjj\n\u{1b}", "gjjjj\nzz\u{1b}", "Goo", "Go"] {
        for size in [(100, 24), (120, 18)] {
            let mut play = Play::new(30, size);
            play.keys(steps);
            let wanted = play.model.list.rows.len().min(play.model.list.height);
            assert_eq!(seen(&play), wanted, "{steps:?} at {size:?}:\n{}", play.screen());
        }
    }
    let mut play = Play::new(30, (100, 24));
    play.keys("jj");
    let before = play.screen();
    play.keys("\n\u{1b}");
    assert_eq!(play.screen(), before, "a list that was covered stands as it stood");
}

#[test]
fn a_sorted_list_begins_with_its_first_and_goes_back_to_it() {
    let mut play = Play::new(90, (120, 35));
    play.keys("jjjjjoo");
    let first = play.selected();
    assert_eq!(first, play.model.list.rows[0].id.0, "{}", play.screen());
    play.keys("jjjg");
    assert_eq!(play.selected(), first);
    play.keys("Gg");
    assert_eq!(play.selected(), first);
}

#[test]
fn late_answers_are_dropped() {
    let mut play = Play::new(50, (120, 30));
    let before = play.model.list.generation;
    play.keys("/event:push\n");
    let rows = whole(Start::Newest, 60, vec![summary(999)]);
    play.send(Msg::Page { generation: before, ask: Ask::Newest, rows: Ok(rows) });
    assert!(play.model.list.rows.iter().all(|row| row.id.0 != 999));
    let stale = play.model.detail.generation;
    play.keys("j");
    play.send(Msg::Opened { generation: stale, opened: Ok(Some(opened(CaptureId(777)))) });
    assert_ne!(play.model.detail.capture.as_ref().unwrap().id.0, 777);
}

#[test]
fn what_is_told_as_new_is_what_the_filter_takes() {
    let mut play = Play::new(100, (80, 24));
    play.keys("/sig:failed\nj");
    assert_eq!(play.selected(), 95);
    play.basket.put(7);
    play.ring();
    assert!(play.screen().contains(" 1 new ↑ g "), "of 101 to 107 one failed: {}", play.screen());
    play.basket.put(1_200);
    play.ring();
    assert!(play.screen().contains(" 241 new ↑ g "), "{}", play.screen());
    play.keys("\u{1b}");
    assert!(play.screen().contains(" 1,207 new ↑ g "), "another filter counts anew: {}", play.screen());
    play.keys("/method:PUT\n");
    assert!(!play.screen().contains(" new "), "{}", play.screen());
    play.keys("\u{1b}g");
    assert!(!play.screen().contains(" new ") && play.selected() == 1_307, "{}", play.screen());
}

#[test]
fn where_the_newest_stand_below_they_are_told_there_and_the_end_follows() {
    let mut play = Play::new(100, (80, 24));
    play.keys("oj");
    assert_eq!(play.selected(), 100);
    play.keys("k");
    play.basket.put(3);
    play.ring();
    assert!(play.screen().contains(" 3 new ↓ G "), "{}", play.screen());
    play.keys("g");
    assert_eq!((play.selected(), play.model.list.follow), (1, false), "the top is the oldest");
    play.keys("G");
    assert_eq!((play.selected(), play.model.list.follow), (103, true));
    play.basket.put(2);
    play.ring();
    assert_eq!(play.selected(), 105);
    play.keys("o");
    play.basket.put(4);
    play.ring();
    assert!(play.screen().contains(" 4 new g "), "a sorted list is what there was: {}", play.screen());
    play.keys("g");
    assert!(!play.screen().contains(" new "), "{}", play.screen());
}

#[test]
fn repeats_that_are_folded_away_are_told_apart() {
    let mut play = Play::new(30, (100, 24));
    play.keys("Xj");
    play.basket.put(3);
    for at in [30_usize, 32] {
        play.basket.0.lock().unwrap()[at].duplicate_of = Some(CaptureId(20));
    }
    play.ring();
    assert!(play.screen().contains(" 3 new, 2 repeats ↑ g "), "{}", play.screen());
    play.keys("X");
    assert!(play.screen().contains(" 3 new ↑ g "), "{}", play.screen());
}

#[test]
fn what_is_new_is_told_beside_the_names_of_the_columns_and_over_none_of_them() {
    for columns in [28, 40, 62, 80, 110, 120, 200, 300] {
        let mut play = Play::new(200, (columns, 24));
        play.keys("j");
        let names = list_rows(&play)[0].clone();
        play.basket.put(1_284);
        play.ring();
        let told = list_rows(&play)[0].clone();
        assert!(told.contains("1,284") || columns < 40, "{columns}: {told}");
        let words = |row: &str| row.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let told = words(&told);
        assert!(words(&names).iter().all(|name| told.contains(name)), "{columns}: {names}\n{told:?}");
    }
}

#[test]
fn what_leads_to_the_newest_is_told_where_it_does() {
    let mut play = Play::new(200, (160, 24));
    play.keys("j\n");
    play.basket.put(3);
    play.ring();
    assert!(play.screen().contains(" 3 new ↑ size"), "in the detail the key leads elsewhere: {}", play.screen());
    play.keys("\u{1b}");
    assert!(play.screen().contains(" 3 new ↑ g "), "{}", play.screen());
}

#[test]
fn who_walks_up_reaches_what_is_new_without_a_jump() {
    let mut play = Play::new(100, (80, 24));
    play.keys("jjj");
    play.basket.put(5);
    play.ring();
    assert_eq!(play.selected(), 97);
    for _ in 0..8 {
        play.keys("k");
    }
    assert_eq!(play.selected(), 105);
}
