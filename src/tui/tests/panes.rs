//! Panes, the cursor in a body, the mouse, and what a person set for themselves.

use super::*;

#[test]
fn the_detail_has_what_there_is_to_know_and_nothing_that_acts() {
    let mut play = Play::new(10, (100, 40));
    play.keys("\n");
    let overview = play.screen();
    for words in
        ["#10 POST /path/10?x", "failed: it is not of these bytes", "sent by the page of a web site", "\"evil\""]
    {
        assert!(overview.contains(words), "{words}:\n{overview}");
    }
    play.keys("2");
    assert!(play.screen().contains("\"␛]0;owned␇\""), "{}", play.screen());
    play.keys("v");
    assert!(play.screen().contains("invalid JSON at 1:9 (byte 8): control character"), "{}", play.screen());
    play.keys("3");
    let headers = play.screen();
    assert!(headers.contains("Authorization: ••••••") && !headers.contains("Bearer"), "{headers}");
    assert!(headers.contains("‹U+009B›31m‹U+202E›"), "{headers}");
    play.keys("m");
    assert!(play.screen().contains("Bearer abcdef"));
    play.keys("4");
    let signature = play.screen();
    for words in ["received   sha256=00ff", "expected   sha256=01ff", "signed     {body}"] {
        assert!(signature.contains(words), "{words}:\n{signature}");
    }
    play.keys("5");
    assert!(play.screen().contains("Not sent on yet"));
    play.keys("?");
    assert!(play.screen().contains("Moving"));
    play.keys("\u{1b}\u{1b}\u{1b}");
    assert!(!play.quit, "Esc never quits");
    play.keys("q");
    assert!(play.quit);
}

#[test]
fn the_overview_shows_bytes_in_whole_rows_however_narrow_it_is() {
    let hex = body::VIEWS.iter().position(|view| view.name == "hex").unwrap();
    for columns in [40, 60, 80, 120] {
        let mut play = Play::new(10, (columns, 40));
        play.keys("\n");
        let content = body::Content { bytes: Bytes::from((0..=90).collect::<Vec<u8>>()), ..body::Content::default() };
        let document = (body::VIEWS[hex].open)(&content).map(Arc::from);
        play.model.detail.body = Some(view_of(hex, document));
        let width = usize::from(super::super::layout::areas(&play.model).detail.width);
        let screen = play.screen();
        let rows: Vec<&str> = screen.lines().filter(|row| row.contains("000000")).collect();
        assert!(rows.len() >= 6, "{columns}: {screen}");
        let bytes = |row: &str| {
            let row: String =
                row.trim_matches('"').chars().rev().take(width).collect::<Vec<_>>().into_iter().rev().collect();
            let words: Vec<_> = row.split_whitespace().map(str::to_owned).collect();
            words.iter().skip(1).take_while(|word| word.len() == 2).count()
        };
        let counts: Vec<usize> = rows.iter().map(|row| bytes(row)).collect();
        assert!(
            counts[0].is_multiple_of(4) && counts[..5].iter().all(|count| *count == counts[0]),
            "{columns}: {counts:?}\n{screen}"
        );
    }
}

#[test]
fn what_curl_sends_unasked_is_said_to_be_json_and_its_kind_once() {
    let json = body::VIEWS.iter().position(|view| view.name == "json").unwrap();
    let bytes = Bytes::from_static(br#"{"hello":"creel"}"#);
    let head = "POST /hello HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n";
    let mut play = Play::new(1, (140, 30));
    play.keys("\n");
    let mut capture = Capture { head: Head::parse(head.into()), ..capture(CaptureId(1)) };
    capture.body.size = bytes.len() as u64;
    let content_type = Some("application/x-www-form-urlencoded".to_owned());
    let content = body::Content { bytes, content_type, ..body::Content::default() };
    play.model.detail.capture = Some(Arc::new(capture));
    play.model.detail.body = Some(view_of(json, (body::VIEWS[json].open)(&content).map(Arc::from)));
    let screen = play.screen();
    assert!(screen.contains("body       17 bytes; JSON, though its Content-Type says"), "{screen}");
    assert_eq!(screen.matches("x-www-form").count(), 1, "{screen}");
}

#[test]
fn a_target_of_thousands_of_characters_pushes_nothing_away_and_is_whole_in_the_raw_request() {
    for columns in [40, 80, 120] {
        let mut play = Play::new(3, (columns, 30));
        play.keys("\n");
        let head = format!("GET /{}end HTTP/1.1\r\nHost: h\r\n\r\n", "long/".repeat(800));
        let capture = Capture { head: Head::parse(head.into()), ..capture(CaptureId(3)) };
        play.model.detail.capture = Some(Arc::new(capture));
        let screen = play.screen();
        assert!(screen.contains("received") && screen.contains('…') && !screen.contains("/end"), "{screen}");
        play.keys("6G");
        play.send(Msg::Clock(Timestamp::default()));
        assert!(play.screen().contains("end HTTP/1.1"), "{}", play.screen());
    }
}

#[test]
fn going_to_the_body_moves_no_tab_whatever_its_view() {
    for columns in [40, 60, 80, 116, 120, 130, 200] {
        let mut play = Play::new(3, (columns, 30));
        play.keys("\n");
        let tabs = |play: &Play| {
            let screen = play.screen();
            let row = screen.lines().nth(1).unwrap();
            row[..row.find(" Raw").unwrap_or_else(|| panic!("{columns}: {row}"))].to_owned()
        };
        let before = tabs(&play);
        play.keys("2");
        for view in 0..body::VIEWS.len() {
            play.model.detail.body.as_mut().unwrap().view = view;
            assert_eq!(tabs(&play), before, "{} in {columns}", body::VIEWS[view].name);
        }
    }
}

#[test]
fn a_wide_terminal_gives_both_sides_more_room() {
    for (columns, list) in [(110, 66), (120, 66), (200, 110), (300, 150)] {
        let play = Play::new(3, (columns, 40));
        let areas = super::super::layout::areas(&play.model);
        assert_eq!((areas.list.width, areas.detail.width), (list, columns - list - 2), "{columns}");
    }
}

#[test]
fn a_pane_is_widened_narrowed_and_zoomed() {
    let mut play = Play::new(20, (160, 40));
    let width = |play: &Play| super::super::layout::areas(&play.model).list.width;
    let before = width(&play);
    play.keys("]]");
    assert!(width(&play) > before);
    play.keys("[[[[[[[[[[[[[[[[[[[[[[[");
    assert_eq!(width(&play), 160 / 5);
    play.keys("z");
    assert_eq!(width(&play), 160);
    play.keys("\n");
    assert_eq!(super::super::layout::areas(&play.model).detail.width, 160);
    assert!(play.screen().contains("Overview"));
    play.keys("z");
    assert!(super::super::layout::areas(&play.model).list.width > 0);
}

#[test]
fn a_body_folds_under_the_cursor_and_says_where_it_is() {
    let mut play = Play::new(10, (100, 40));
    play.keys("\n2j");
    let screen = play.screen();
    assert!(screen.contains(".evil  jq"), "{screen}");
    play.keys("i");
    assert!(play.screen().contains("/evil  JSON pointer"), "{}", play.screen());
    play.keys("ii\n");
    let screen = play.screen();
    assert!(screen.contains("{…} 3 values") && screen.contains(".  jq"), "{screen}");
    play.keys("\n");
    assert!(play.screen().contains("\"n\": 1.0"), "{}", play.screen());
    play.keys("-");
    assert_eq!(play.model.detail.cursor.under().unwrap().path, ".", "nothing opens below the first level");
    play.keys("G");
    assert_eq!(play.model.detail.cursor.row(), 4);
    play.keys("kk");
    let under = play.model.detail.cursor.under().unwrap();
    assert_eq!((&under.path[..], &under.value[..]), (".n", &b"1.0"[..]));
    play.keys("*+x");
}

#[test]
fn what_folds_is_offered_only_where_something_folds() {
    let mut play = Play::new(10, (120, 40));
    play.keys("\n2");
    assert!(play.screen().contains("enter fold"), "{}", play.screen());
    play.keys("+");
    assert!(play.screen().contains("all is unfolded"), "{}", play.screen());
    play.keys("-");
    assert!(play.screen().contains("nothing lies below the first level"), "{}", play.screen());
    let text = body::VIEWS.iter().position(|view| view.name == "text").unwrap();
    while play.model.detail.body.as_ref().unwrap().view != text {
        play.keys("v");
    }
    assert!(!play.screen().contains("enter fold"), "{}", play.screen());
    play.keys("\n");
    assert!(play.screen().contains("nothing folds in this view"), "{}", play.screen());
    assert!(play.screen().contains("v goes through the views"), "{}", play.screen());
}

#[test]
fn what_was_looked_for_is_told_apart_in_the_row_of_the_cursor() {
    let mut play = Play::new(10, (80, 24));
    play.keys("\n2/evil\n");
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    terminal.draw(|frame| view::draw(&play.model, frame)).unwrap();
    let buffer = terminal.backend().buffer();
    let row = play.screen().lines().position(|row| row.contains("\"evil\"")).unwrap() as u16;
    let style = |x| buffer[(x, row)].style();
    assert_ne!(style(3), style(2), "the name beside its quotation mark");
    assert_eq!(style(2), style(9), "the rest of the row is one");
}

#[test]
fn the_body_is_one_key_away_where_the_list_has_all_the_room() {
    let mut play = Play::new(10, (80, 24));
    play.keys("v");
    assert_eq!((play.model.mode, play.model.detail.tab as usize), (Mode::Detail, 1));
    assert!(play.screen().contains("\"evil\""), "{}", play.screen());
}

#[test]
fn what_is_said_is_seen_over_the_help_and_over_a_sheet() {
    for over in ["?", "S", "F"] {
        let mut play = Play::new(10, (100, 24));
        play.keys(over);
        play.send(Msg::News("what comes cannot be kept: the disk is full".to_owned(), Tidings::Bad));
        let screen = play.screen();
        assert!(screen.contains("the disk is full") && screen.contains('╰'), "{over}: {screen}");
    }
}

#[test]
fn of_a_watched_store_the_end_of_its_path_and_whether_anybody_captures_are_always_seen() {
    for (address, words) in [(Some("http://127.0.0.1:1".to_owned()), "● live"), (None, "nobody captures")] {
        for columns in [40, 60, 80, 120] {
            let mut play = Play::new(3, (columns, 24));
            let store = "/home/somebody/a/rather/long/way/to/the/store/of/creel.db".to_owned();
            play.model.place = Place::Watching { store, address: address.clone() };
            let screen = play.screen();
            let header = screen.lines().next().unwrap();
            assert!(header.contains("l.db  ") && header.contains(words), "{columns}: {header}");
        }
    }
}

#[test]
fn the_mouse_clicks_scrolls_and_drags_until_it_is_switched_off() {
    let left = MouseEventKind::Down(MouseButton::Left);
    let mut play = Play::new(200, (160, 40));
    play.send(mouse(left, 5, 6));
    assert_eq!(play.selected(), 196);
    play.send(mouse(MouseEventKind::ScrollDown, 5, 6));
    assert_eq!(play.selected(), 193);
    play.keys("o");
    let bottom = super::super::layout::areas(&play.model).list.bottom() - 1;
    play.send(mouse(left, 5, bottom));
    let below = play.selected();
    play.send(mouse(left, 5, bottom - 1));
    assert_eq!(play.selected(), below - 1, "the newest is below");
    let areas = super::super::layout::areas(&play.model);
    play.send(mouse(left, areas.tabs.x + 12, areas.tabs.y));
    assert_eq!((play.model.detail.tab as usize, play.model.mode), (1, Mode::Detail));
    play.send(mouse(left, areas.rule.x, 10));
    play.send(mouse(MouseEventKind::Drag(MouseButton::Left), 48, 12));
    play.send(mouse(MouseEventKind::Up(MouseButton::Left), 48, 12));
    assert_eq!(super::super::layout::areas(&play.model).list.width, 48);
    play.send(mouse(MouseEventKind::Drag(MouseButton::Left), 90, 12));
    assert_eq!(super::super::layout::areas(&play.model).list.width, 48, "nothing is held any more");
    play.keys("M");
    assert!(!play.mouse && play.screen().contains("the mouse is the terminal's"));
}

#[test]
fn a_click_opens_what_is_selected_and_does_what_the_footer_says() {
    let left = MouseEventKind::Down(MouseButton::Left);
    let mut play = Play::new(200, (80, 24));
    let at = |play: &Play, words: &str| {
        let screen = play.screen();
        let footer = screen.lines().last().unwrap().trim_start_matches('"').to_owned();
        footer.find(words).unwrap_or_else(|| panic!("{words} in {footer}")) as u16
    };
    play.send(mouse(left, 5, 6));
    assert_eq!((play.selected(), play.model.mode), (196, Mode::List));
    play.send(mouse(left, 5, 6));
    assert_eq!((play.selected(), play.model.mode), (196, Mode::Detail));
    play.send(mouse(left, at(&play, "tabs"), 23));
    assert_eq!(play.model.detail.tab as usize, 1);
    play.send(mouse(left, at(&play, "back"), 23));
    assert_eq!(play.model.mode, Mode::List);
    play.send(mouse(left, at(&play, "help") + 3, 23));
    assert_eq!(play.model.mode, Mode::Help);
    play.send(mouse(left, at(&play, "esc"), 23));
    play.send(mouse(left, at(&play, "help") + 5, 23));
    assert_eq!(play.model.mode, Mode::List, "between two words is nothing");
    play.send(mouse(left, at(&play, "/ filter"), 23));
    assert!(play.model.prompt.is_some());
    play.keys("\u{1b}S");
    play.send(mouse(left, at(&play, "quit"), 23));
    assert!(!play.quit, "a hand that slips leaves nothing");
    // Beside the list it is open already.
    let mut play = Play::new(200, (160, 40));
    play.send(mouse(left, 5, 6));
    play.send(mouse(left, 5, 6));
    assert_eq!(play.model.mode, Mode::List);
}

#[test]
fn what_was_left_is_there_again() {
    let mut play = Play::new(30, (160, 40));
    play.keys("]tXzo/sig:failed\n");
    let state = State::parse(&State::of(&play.model).text());
    let mut again = Play::new(30, (160, 40));
    state.lay_over(&mut again.model);
    assert_eq!((again.model.panes, again.model.list.order), (play.model.panes, Order::Oldest));
    assert_eq!(again.model.filter.as_ref().unwrap().text(), "sig:failed");
    assert!(again.model.list.grouped && again.model.mouse);
}

#[test]
fn the_footer_the_help_and_the_palette_tell_the_users_own_keys() {
    let mut play = Play::new(3, (120, 35));
    let wish = crate::engine::KeyWish {
        command: "filter".to_owned(),
        at: String::new(),
        chords: vec!["f1".to_owned()],
        chords_at: String::new(),
    };
    play.model.keys = Keymap::with(&[wish]).unwrap();
    assert!(play.screen().contains("f1 filter"), "{}", play.screen());
    play.keys("/");
    assert!(play.model.prompt.is_none());
    play.send(Msg::Key(KeyEvent::new(KeyCode::F(1), KeyModifiers::NONE)));
    assert!(play.model.prompt.is_some());
    play.keys("\u{1b}:");
    let screen = play.screen();
    let row = screen.lines().find(|row| row.contains("filter the list")).unwrap();
    assert!(row.contains(" f1 "), "{row}");
}
