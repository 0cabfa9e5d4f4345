//! The keys of the detail's tabs, on captures that mean no good.

use super::{super::age, *};
use crate::record::{Change, DeliveryId, Outcome, Reply};

fn delivery(id: i64, took_ms: u64, status: u16) -> Delivery {
    Delivery {
        id: DeliveryId(id),
        capture: CaptureId(10),
        to: "http://localhost:3000/\u{1b}[31mhook".to_owned(),
        started_at: Timestamp::from_unix_ms(0),
        took_ms,
        attempt: id as u32,
        errand: None,
        receipt: vec![Change::Replaced {
            name: "Host".to_owned(),
            from: "h".to_owned(),
            to: "localhost:3000".to_owned(),
        }],
        outcome: Outcome::Replied(Reply {
            status,
            headers: [("X-App", "\u{9b}31m")].into_iter().collect(),
            body: Bytes::from(format!("{{\"reply\":{id},\"evil\":\"\\u001b[2J\"}}")),
            truncated: false,
        }),
    }
}

/// A capture that is open in the detail.
fn open(size: (u16, u16)) -> Play {
    let mut play = Play::new(10, size);
    play.keys("\n");
    play
}

#[test]
fn a_text_is_found_counted_and_walked_around_the_ends() {
    let mut play = open((80, 12));
    play.keys("3/h");
    let screen = play.screen();
    assert!(screen.contains("find: h") && screen.contains("/h 1/"), "{screen}");
    play.keys("ost\n");
    assert!(play.screen().contains("/host 1/1"), "{}", play.screen());
    play.keys("/e\n");
    let count = |play: &Play| {
        let screen = play.screen();
        let words = screen.split("/e ").nth(1).unwrap_or_else(|| panic!("{screen}"));
        let (at, all) = words.split_once('/').unwrap();
        let number = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<usize>();
        (number(at).unwrap(), number(all).unwrap())
    };
    let (first, all) = count(&play);
    assert!(first == 1 && all > 3, "{first} of {all}");
    play.keys("n");
    assert_eq!(count(&play), (2, all));
    play.keys("NN");
    assert_eq!(count(&play), (all, all), "around the beginning");
    play.keys("n");
    assert_eq!(count(&play), (1, all), "around the end");
    play.keys("/E\n");
    assert!(play.screen().contains("/E 1/2"), "a capital makes case matter: X-Evil\n{}", play.screen());
    play.keys("2");
    assert!(play.screen().contains("/E not here"), "another tab is searched anew: {}", play.screen());
    play.keys("\u{1b}");
    assert!(!play.screen().contains("not here") && play.model.mode == crate::tui::keys::Mode::Detail);
    play.keys("/evil\u{1b}");
    assert!(play.model.detail.find.is_none() && play.model.prompt.is_none());
}

#[test]
fn how_often_a_text_is_there_is_told_in_the_narrowest_detail() {
    for (columns, told) in [(40, "/a:pike… not here"), (60, "/a:pike_and_trout not here")] {
        let mut play = open((columns, 10));
        play.keys("2/a:pike_and_trout\n");
        let row = play.screen().lines().nth(1).unwrap().to_owned();
        assert!(row.contains(" 1  Body  3  4  5  6 ") && row.contains(told), "{row}");
        // The tabs that are seen as keys are where the mouse hits them.
        let columns = usize::from(columns);
        assert_eq!(
            [1, 4, 10, 19].map(|at| super::super::view::tab_at(&play.model, columns, at)),
            [0, 1, 2, 5].map(Some)
        );
        play.keys("\u{1b}");
        assert!(play.screen().lines().nth(1).unwrap().contains(" Head"), "{}", play.screen());
    }
}

#[test]
fn what_is_found_below_the_screen_is_shown() {
    let mut play = open((80, 10));
    let text = (0..5_000).map(|line| format!("line {line}\n")).collect::<Vec<_>>().concat();
    let content = body::Content { bytes: text.into(), ..body::Content::default() };
    let view = body::VIEWS.iter().position(|view| view.name == "text").unwrap();
    let document = (body::VIEWS[view].open)(&content).map(Arc::from);
    let generation = play.model.detail.generation;
    play.keys("2");
    play.send(Msg::Viewed { generation, body: view_of(view, document) });
    assert!(!play.screen().contains("line 4321"));
    play.keys("/line 4321\n");
    assert!(play.screen().contains("line 4321") && play.screen().contains("1/1"), "{}", play.screen());
}

#[test]
fn late_places_of_an_earlier_search_are_dropped() {
    let mut play = open((80, 24));
    play.keys("2/evil\n");
    assert!(play.screen().contains("/evil 1/1"), "{}", play.screen());
    play.send(Msg::Found { generation: 1, hits: Vec::new(), more: true });
    assert!(play.screen().contains("/evil 1/1"), "{}", play.screen());
}

#[test]
fn the_raw_request_has_its_line_ends_and_no_secret_until_asked() {
    let mut play = open((100, 30));
    play.keys("6");
    let screen = play.screen();
    for words in [
        "POST /path/10?x HTTP/1.1␍␊",
        "Host: h␍␊",
        "Authorization: ••••••",
        "X-Evil: ‹U+009B›31m‹U+202E›␍␊",
        "{\"evil\":\"␛]0;owned␇\"",
    ] {
        assert!(screen.contains(words), "{words}:\n{screen}");
    }
    play.keys("m");
    assert!(play.screen().contains("Authorization: Bearer abcdef␍␊"), "{}", play.screen());
}

#[test]
fn no_secret_of_a_query_is_shown_before_somebody_asks() {
    let mut play = open((100, 30));
    let secret = "/hook?token=hunter2&b=1";
    let with_secret = |capture: &mut Capture| {
        let head = &capture.head;
        capture.head = head.remade(&head.method(), secret.as_bytes(), head.version(), head.headers());
    };
    with_secret(Arc::make_mut(play.model.detail.capture.as_mut().unwrap()));
    for tab in ["1", "3", "6"] {
        play.keys(tab);
        assert!(!play.screen().contains("hunter2") && play.screen().contains("token=******&b=1"), "{}", play.screen());
        play.keys("m");
        assert!(play.screen().contains("token=hunter2&b=1"), "{}", play.screen());
        play.keys("m");
    }
}

#[test]
fn headers_are_explained_and_the_signed_bytes_shown() {
    let mut play = open((110, 30));
    play.keys("3");
    assert!(play.screen().contains("lets somebody in"), "{}", play.screen());
    play.keys("4");
    let screen = play.screen();
    assert!(screen.contains("what is signed, 17 bytes") && screen.contains("signed ␛[2J bytes"), "{screen}");
}

#[test]
fn what_waits_or_was_given_up_is_dropped_by_a_key_that_says_where_there_is_nothing() {
    use crate::record::Post;
    for post in [Post::Waiting, Post::Dead] {
        let mut play = Play::new(3, (100, 30));
        play.keys("C");
        assert!(play.screen().contains("nothing of #3 waits to be forwarded"), "{}", play.screen());
        play.basket.0.lock().unwrap()[2].post = Some(post);
        play.ring();
        play.keys("C");
        assert!(play.screen().contains("1 delivery of #3 dropped"), "{}", play.screen());
        assert_eq!(play.basket.0.lock().unwrap()[2].post, None);
    }
}

#[test]
fn what_was_given_up_says_so_with_the_key_that_sends_it_once_more() {
    let mut play = Play::new(3, (80, 40));
    play.basket.0.lock().unwrap()[2].post = Some(crate::record::Post::Dead);
    play.ring();
    play.keys("\n");
    let words = "given up after 2 tries: answered 500; U sends it once more, C drops it";
    assert!(
        play.screen().replace("\n             ", " ").contains("given up after 2 tries: answered 500;"),
        "{}",
        play.screen()
    );
    play.keys("5");
    assert!(play.screen().contains(words), "{}", play.screen());
    play.basket.0.lock().unwrap()[2].post = None;
    play.ring();
    assert!(play.screen().contains("Not sent on yet"), "{}", play.screen());
}

#[test]
fn what_failed_by_nobody_knows_what_is_checked_again_by_a_key_that_is_named() {
    let mut play = open((110, 30));
    play.keys("4");
    assert!(play.screen().contains("c checks it again by the"), "{}", play.screen());
    play.open = |id| {
        let Opened { capture, body, deliveries, errands } = opened(id);
        let mut capture = Capture::clone(&capture);
        capture.judgement.explanation.as_mut().unwrap().by = Some("body-final-newline".to_owned());
        Opened { capture: Arc::new(capture), body, deliveries, errands }
    };
    play.keys("\u{1b}j\n4");
    let screen = play.screen();
    assert!(
        screen.contains("Not of these bytes") && !screen.contains("checks it again"),
        "the secret is right: {screen}"
    );
}

#[test]
fn when_the_next_try_is_due_is_told_and_counted_down() {
    let mut play = Play::new(3, (100, 40));
    play.basket.0.lock().unwrap()[2].post = Some(crate::record::Post::Waiting);
    let received = play.basket.0.lock().unwrap()[2].received_at.unix_ms();
    let at = |ms: i64, play: &mut Play| {
        play.send(Msg::Clock(Timestamp::from_unix_ms(received + ms)));
        play.screen()
    };
    play.ring();
    play.keys("\n5");
    assert!(at(0, &mut play).contains("try 3 in 1m, at 09:06:33; C ends that"), "{}", play.screen());
    assert!(at(86_500, &mut play).contains("try 3 in 4s, at 09:06:33"), "{}", play.screen());
    assert_eq!(age::next(&play.model), Some(std::time::Duration::from_millis(500)));
    assert!(at(87_000, &mut play).contains("try 3 in 3s"), "{}", play.screen());
    play.keys("1");
    assert!(play.screen().contains("try 3 in 3s, at 09:06:33; C ends that"), "{}", play.screen());
    play.keys("3");
    assert_eq!(age::next(&play.model), None, "nothing that is seen ages");
    play.keys("5");
    assert!(at(90_000, &mut play).contains("try 3 is on its way, or waits for its turn"), "{}", play.screen());
    assert_eq!(age::next(&play.model), None);
    play.keys("C");
    play.ring();
    assert!(play.screen().contains("Not sent on yet"), "{}", play.screen());
}

#[test]
fn a_time_without_traffic_says_so_and_where_there_may_be_some() {
    let mut play = Play::new(0, (80, 24));
    play.keys("S");
    play.frame();
    assert!(play.screen().contains("Nothing came in the last minute; tab shows a longer time."), "{}", play.screen());
    play.keys("\t\t");
    play.frame();
    assert!(play.screen().contains("Nothing came in the last day."), "{}", play.screen());
}

#[test]
fn deliveries_are_folded_one_by_one_and_compared_by_their_time() {
    let mut play = open((100, 40));
    let deliveries = vec![delivery(2, 400, 200), delivery(1, 100, 500)];
    play.send(Msg::Deliveries { id: CaptureId(10), deliveries: Ok((deliveries, Vec::new())) });
    play.keys("5");
    let screen = play.screen();
    for words in [
        "▾ try 2",
        "━━━━━━━━━━━━━━━━━━━━━━━━ 400 ms",
        "━━━━━━────────────────── 100 ms",
        "\"reply\": 2",
        "\"reply\": 2",
        "▸ try 1",
    ] {
        assert!(screen.contains(words), "{words}:\n{screen}");
    }
    assert!(!screen.contains("\"reply\": 1"), "{screen}");
    play.keys("\n");
    assert!(!play.screen().contains("\"reply\": 2"), "{}", play.screen());
    play.keys("}\n");
    let screen = play.screen();
    assert!(
        screen.contains("▾ try 1") && screen.contains("\"reply\": 1") && !screen.contains("\"reply\": 2"),
        "{screen}"
    );
    play.keys("{\n");
    assert!(play.screen().contains("\"reply\": 2"), "{}", play.screen());
}

#[test]
fn no_tab_lets_a_control_character_out_at_any_size() {
    for size in [(1, 1), (20, 6), (80, 24), (200, 60)] {
        let mut play = open(size);
        play.send(Msg::Deliveries { id: CaptureId(10), deliveries: Ok((vec![delivery(1, 1, 200)], Vec::new())) });
        for tab in "123456".chars() {
            play.keys(&format!("{tab}m/e\nnN"));
            let (columns, rows) = play.model.size;
            let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
            terminal.draw(|frame| view::draw(&play.model, frame)).unwrap();
            let cells = &terminal.backend().buffer().content;
            assert!(cells.iter().all(|cell| cell.symbol().chars().all(body::is_safe)), "tab {tab} at {size:?}");
        }
    }
}

/// The tree of the body that is open, in another body's lines.
fn tree_of(play: &mut Play, text: &str) {
    let content = body::Content { bytes: Bytes::from(text.to_owned()), ..body::Content::default() };
    let view = body::VIEWS.iter().position(|view| view.name == "tree").unwrap();
    let document = (body::VIEWS[view].open)(&content).map(Arc::from);
    let generation = play.model.detail.generation;
    play.send(Msg::Viewed { generation, body: view_of(view, document) });
}

#[test]
fn what_is_folded_away_is_found_and_unfolded() {
    let mut play = open((80, 20));
    play.keys("2");
    tree_of(&mut play, r#"{"a":{"fish":["trout","pike"]},"b":{"c":{"fish":"trout"}},"trout":1}"#);
    play.keys("--");
    assert!(!play.screen().contains("pike"), "{}", play.screen());
    play.keys("/trout\n");
    let screen = play.screen();
    assert!(screen.contains("/trout 1/3") && screen.contains("pike") && screen.contains("a.fish[0]"), "{screen}");
    assert!(screen.contains("\"b\": {…}, 1 value"), "the others stay folded: {screen}");
    play.keys("n");
    let screen = play.screen();
    assert!(screen.contains("/trout 2/3") && screen.contains("b.c.fish"), "{screen}");
    play.keys("-");
    play.keys("nn");
    assert!(play.screen().contains("/trout 1/3") && play.screen().contains("\"trout\","), "{}", play.screen());
}

#[test]
fn who_comes_back_to_a_capture_finds_it_as_it_was_left() {
    let mut play = open((120, 30));
    play.keys("2jj");
    let row = play.model.detail.cursor.row();
    play.keys("\u{1b}j\n");
    assert_eq!(play.model.detail.cursor.row(), 0, "another capture begins at its top");
    play.keys("v");
    let view = play.model.detail.body.as_ref().unwrap().view;
    play.keys("\u{1b}k\n");
    assert_eq!(play.model.detail.cursor.row(), row);
    play.keys("gx");
    assert!(play.screen().contains("{…} 3 values"), "{}", play.screen());
    play.keys("\u{1b}j\n");
    assert_eq!(play.model.detail.body.as_ref().unwrap().view, view, "it was left in another view");
    play.keys("\u{1b}k\n");
    assert!(play.screen().contains("{…} 3 values"), "{}", play.screen());
}

#[test]
fn a_note_is_told_as_a_whole_and_what_was_done_in_words() {
    let mut play = open((80, 24));
    let note = "ask Anna whether the trout of the second order was sent twice, or whether the first one never left";
    {
        let mut rows = play.basket.0.lock().unwrap();
        rows[9].note = Some(note.to_owned());
        rows[9].tags = crate::record::Tags::MARKED.with(crate::record::Tags::PINNED);
    }
    play.ring();
    let screen = play.screen().replace('"', "");
    assert!(screen.contains("note       ask Anna") && screen.contains("you        marked and pinned it"), "{screen}");
    let words = screen.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains(note), "{words}");
}

#[test]
fn the_tries_at_an_event_stand_beside_the_schedule_of_its_provider() {
    for (size, at_once) in [((110, 40), false), ((240, 60), true)] {
        let mut play = open(size);
        let one = |id: i64, second: i64, status| crate::verify::Try {
            id: CaptureId(id),
            at: Timestamp::from_unix_ms(second * 1_000),
            status,
        };
        let mut shown = (**play.model.detail.capture.as_ref().unwrap()).clone();
        (shown.provider, shown.event.id) = (Some("svix".to_owned()), Some("evt".to_owned()));
        play.model.detail.capture = Some(Arc::new(shown));
        let generation = play.model.detail.generation;
        play.send(Msg::Tries { generation, tries: Ok(vec![one(7, 0, 503), one(10, 5, 503), one(12, 905, 200)]) });
        let screen = play.screen();
        for words in
            ["retries, after 5 s, 5 min", "#10    try 2  +5.0 s", "━┃", "as published (5.0 s)", "later than published"]
        {
            assert!(screen.contains(words), "{words}:\n{screen}");
        }
        let row = screen.lines().find(|row| row.contains("#10    try 2")).unwrap();
        assert_eq!(row.contains("as published"), at_once, "{screen}");
        play.send(Msg::Tries { generation: generation - 1, tries: Ok(Vec::new()) });
        assert!(play.screen().contains("try 2"), "a late answer is dropped");
    }
}

/// A body in the view of tables.
fn open_table(size: (u16, u16)) -> Play {
    let mut play = open(size);
    play.keys("2");
    let table = body::VIEWS.iter().position(|view| view.name == "table").unwrap();
    while play.model.detail.body.as_ref().unwrap().view != table {
        play.keys("V");
    }
    play
}

#[test]
fn the_overview_shows_the_rows_of_a_wide_table_as_far_as_there_is_room() {
    let mut play = open_table((18, 60));
    play.keys("1");
    let screen = play.screen();
    let mut rows = screen.lines().map(|row| row.trim_matches('"').trim_end());
    assert!(rows.any(|row| row.starts_with("evil") && row.ends_with('›')), "{screen}");
}

#[test]
fn a_table_that_is_wider_than_its_pane_scrolls_sideways_and_says_which_columns_are_seen() {
    let mut play = open_table((18, 12));
    let row = |play: &Play, at: usize| play.screen().lines().nth(at).unwrap().trim_matches('"').trim_end().to_owned();
    let first = [row(&play, 2), row(&play, 3)];
    assert!(first[0].starts_with("evil") && first[0].ends_with('›'), "{first:?}");
    assert!(play.screen().contains("columns 1-2 of 3"), "{}", play.screen());
    play.press(KeyCode::Right);
    assert_eq!([row(&play, 2), row(&play, 3)], ["‹ n    id", "‹ 1.0  1"], "the names go with their cells");
    assert!(play.screen().contains("columns 2-3 of 3"), "{}", play.screen());
    play.press(KeyCode::Right);
    assert_eq!(row(&play, 2), "‹ n    id", "the last column is seen: there is no further");
    play.press(KeyCode::Left);
    assert_eq!([row(&play, 2), row(&play, 3)], first);
    play.keys("/id\n");
    assert_eq!(row(&play, 2), "‹ n    id", "what is found is shown");
    play.keys("\u{1b}3");
    play.press(KeyCode::Right);
    assert_eq!(play.model.detail.tab as usize, 3, "where nothing is wider than the pane it is the next tab");
}

#[test]
fn a_reply_is_read_off_the_screens_thread_once_for_each_that_is_shown() {
    let mut play = open((100, 40));
    play.keys("5");
    let deliveries = vec![delivery(2, 5, 200), delivery(1, 5, 500)];
    let asked =
        update(&mut play.model, Msg::Deliveries { id: CaptureId(10), deliveries: Ok((deliveries, Vec::new())) });
    let replies = asked.into_iter().filter_map(|effect| match effect {
        Effect::Reply { id, reply, .. } => Some((id, reply)),
        _ => None,
    });
    let replies: Vec<_> = replies.collect();
    assert_eq!(replies.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [DeliveryId(2)], "the other one is folded");
    assert!(play.screen().contains('…') && !play.screen().contains("\"reply\": 2"), "{}", play.screen());
    assert!(!update(&mut play.model, Msg::Frame).iter().any(|effect| matches!(effect, Effect::Reply { .. })));
    let (id, reply) = &replies[0];
    play.send(Msg::Prepared { generation: 0, prepared: Prepared::reply(*id, reply) });
    assert!(play.screen().contains("\"reply\": 2"), "{}", play.screen());
    play.keys("}\n");
    assert!(play.screen().contains("\"reply\": 1"), "{}", play.screen());
}

#[test]
fn a_secret_that_stands_in_the_target_alone_is_shown_when_somebody_asks() {
    let mut play = open((100, 20));
    let head = Head::parse(Bytes::from_static(b"GET /fish?token=s3cret HTTP/1.1\r\nHost: h\r\n\r\n"));
    let capture = Capture { head, ..(**play.model.detail.capture.as_ref().unwrap()).clone() };
    play.model.detail.capture = Some(Arc::new(capture));
    play.keys("6");
    assert!(play.screen().contains("/fish?token=") && !play.screen().contains("s3cret"), "{}", play.screen());
    play.keys("m");
    assert!(play.screen().contains("/fish?token=s3cret"), "{}", play.screen());
}

#[test]
fn a_signature_is_checked_again_and_row_and_detail_say_what_it_comes_to() {
    let mut play = Play::new(20, (120, 30));
    play.keys("4");
    assert!(play.screen().contains("it is not of these bytes"), "{}", play.screen());
    play.keys("c");
    play.ring();
    assert!(play.screen().contains("#20 passes"), "{}", play.screen());
    assert!(!play.screen().contains("it is not of these bytes"), "{}", play.screen());
    assert_eq!(play.model.list.row().unwrap().verdict, Verdict::Passed);
    // What another process has judged is seen, too.
    play.keys("\u{1b}jjjjj");
    assert!(play.selected() == 15 && play.screen().contains("it is not of these bytes"), "{}", play.screen());
    play.basket.judge(CaptureId(15));
    play.ring();
    assert!(!play.screen().contains("it is not of these bytes"), "{}", play.screen());
    // Of an unknown sender there is nothing to check.
    play.basket.0.lock().unwrap()[14].provider = None;
    play.ring();
    play.keys("c");
    assert!(play.screen().contains("nobody knows who signed #15"), "{}", play.screen());
}

#[test]
fn where_a_secret_is_missing_the_lines_that_name_one_are_shown_and_copied() {
    let mut play = Play::new(20, (120, 30));
    play.open = |id| {
        let mut it = opened(id);
        let fault = Some(Fault::SecretMissing);
        let judgement = Judgement { verdict: Verdict::Unchecked, fault, ..it.capture.judgement.clone() };
        it.capture = Arc::new(Capture { endpoint: "default".to_owned(), judgement, ..capture(id) });
        it
    };
    play.keys("j4");
    let screen = play.screen();
    for line in ["[[endpoint]]", "provider = \"github\"", "secret = { file = \"github.secret\" }", "y copies it"] {
        assert!(screen.contains(line), "{line}: {screen}");
    }
    play.keys("y\n");
    let copied = String::from_utf8(play.copied.pop().unwrap()).unwrap();
    assert!(copied.starts_with("[[endpoint]]\nname = \"github\"\npath = "), "{copied}");
}
