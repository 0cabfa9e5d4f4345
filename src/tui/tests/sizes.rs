//! Every size, without colour and without Unicode; what the header and the statistics draw.

use super::*;

#[test]
fn nothing_caught_yet_tells_where_to_send() {
    for size in [(40, 10), (80, 24), (200, 60)] {
        let play = Play::new(0, size);
        let screen = play.screen().replace(['\n', '"', ' '], "");
        assert!(screen.contains("http://127.0.0.1:27335"), "{screen}");
    }
    assert!(Play::new(0, (80, 24)).screen().contains("curl -d '{\"hello\":\"creel\"}' http://127.0.0.1:27335/hello"));
}

#[test]
fn beside_the_first_words_stands_nothing_and_where_there_is_hardly_room_who_this_is_gives_way() {
    let mut play = Play::new(0, (160, 40));
    assert!(!play.screen().contains('│'), "{}", play.screen());
    play.basket.put(1);
    play.ring();
    assert!(play.screen().contains('│'), "{}", play.screen());
    play.keys("/path:/nowhere\n");
    assert!(play.screen().contains("Nothing matches") && play.screen().contains('│'), "{}", play.screen());
    let mut play = Play::new(3, (40, 10));
    play.model.place = Place::Watching { store: "/var/lib/creel.db".to_owned(), address: None };
    assert!(play.screen().contains("creel  …lib/creel.db  nobody captures"), "{}", play.screen());
    play.keys("/sig:passed\n");
    let header = play.screen().lines().next().unwrap().to_owned();
    assert!(header.contains("…el.db  nobody captures") && header.contains("filter: si…"), "{header}");
}

#[test]
fn of_what_no_app_was_given_none_is_the_slowest() {
    let mut play = Play::new(9, (120, 30));
    play.send(Msg::Counted(Ok(play.basket.counters())));
    play.keys("ooo");
    let screen = play.screen();
    assert!(screen.contains("Nothing was sent to an app yet") && !screen.contains("caught yet"), "{screen}");
    assert!(play.model.detail.id().is_none(), "what was open before is not of this list");
    play.keys("r");
    assert!(play.screen().contains("nothing was sent to an app yet"), "{}", play.screen());
    play.keys("o");
    assert!(play.screen().contains("/path/9") && play.model.detail.id().is_some(), "{}", play.screen());
}

#[test]
fn every_size_shows_the_rows_and_their_verdicts() {
    for size in [(40, 10), (80, 24), (120, 35), (200, 60), (300, 100)] {
        let screen = Play::new(200, size).screen();
        assert!(screen.contains("/path/200") && screen.contains('✗') && screen.contains('✓'), "{size:?}\n{screen}");
    }
}

#[test]
fn without_colour_and_without_unicode_the_same_is_told() {
    let mut play = Play::new(20, (120, 30));
    play.model.look = Look::plain(false, false);
    let mut terminal = Terminal::new(TestBackend::new(120, 30)).unwrap();
    terminal.draw(|frame| view::draw(&play.model, frame)).unwrap();
    let buffer = terminal.backend().buffer();
    let colourless = |colour| colour == ratatui::style::Color::Reset;
    assert!(buffer.content.iter().all(|cell| colourless(cell.fg) && colourless(cell.bg)));
    let list = buffer.content.iter().enumerate().filter(|(at, _)| at % 120 < 60);
    assert!(list.clone().all(|(_, cell)| cell.symbol().is_ascii()));
    assert!(list.clone().any(|(_, cell)| cell.symbol() == "x"));
}

#[test]
fn the_last_minute_beats_in_the_header_and_goes_quiet() {
    let mut play = Play::new(0, (160, 40));
    play.basket.put(60);
    let newest = 1_795_424_700_000 + 60_000;
    play.send(Msg::Clock(Timestamp::from_unix_ms(newest + 500)));
    play.ring();
    let header = |play: &Play| play.screen().lines().next().unwrap().to_owned();
    assert!(header(&play).contains("▁") || header(&play).contains("█"), "{}", header(&play));
    assert!(header(&play).contains("1.0/s"), "{}", header(&play));
    let due = super::super::age::next(&play.model).unwrap();
    assert!(due.as_millis() <= 3_000);
    play.send(Msg::Clock(Timestamp::from_unix_ms(newest + 70_000)));
    assert!(!header(&play).contains("/s "), "{}", header(&play));
    assert_eq!(super::super::age::next(&play.model), None, "an idle screen sleeps without end");
}

#[test]
fn statistics_are_drawn_for_a_minute_an_hour_and_a_day() {
    let mut play = Play::new(0, (120, 35));
    play.basket.put(200);
    play.send(Msg::Clock(Timestamp::from_unix_ms(1_795_424_700_000 + 200_500)));
    play.ring();
    play.keys("S");
    play.frame();
    let minute = play.screen();
    for words in ["60 caught", "1.0/s", "48 passed", "12 failed", "endpoint", "default", "1m ago", "now", "█"] {
        assert!(minute.contains(words), "{words}:\n{minute}");
    }
    play.keys("l");
    play.frame();
    assert!(play.screen().contains("200 caught"), "{}", play.screen());
    for size in [(1, 1), (20, 5), (80, 24), (200, 60)] {
        play.send(Msg::Resize(size.0, size.1));
        play.screen();
    }
    play.keys("\u{1b}");
    assert_eq!(play.model.mode, Mode::List);
    assert!(!play.quit);
}

#[test]
fn a_tunnel_is_in_the_header_and_a_camera_can_read_it() {
    let mut play = Play::new(0, (80, 24));
    play.model.door.tunnel = Some(Tunnel::Open("https://t.example".to_owned()));
    // Where nothing can be painted dark on light, the light is filled.
    for (depth, colour, finder) in
        [(Depth::True, false, " ▄▄▄▄▄ "), (Depth::Sixteen, true, "█▀▀▀▀▀█"), (Depth::True, true, "█▀▀▀▀▀█")]
    {
        play.model.look = Look { colour, depth, ..LOOK };
        let screen = play.screen();
        assert!(screen.lines().next().unwrap().contains("⇄ https://t.example"), "{screen}");
        assert_eq!(screen.matches(finder).count(), 3, "its three corners are there\n{screen}");
    }
    play.model.size = (80, 14);
    assert!(!play.screen().contains('▀'), "half a code is none");
    play.model.size = (80, 24);
    play.model.door.tunnel = Some(Tunnel::Down("exit status: 1: \u{1b}[2Jno route".to_owned(), 4));
    let screen = play.screen();
    assert!(screen.contains("tunnel down") && screen.contains("again in 4 s"), "{screen}");
}

/// Prints what a frame takes; told with `--release` and `--nocapture`. A frame is drawn whole, whatever the last one was.
#[test]
fn a_frame_takes_so_long_and_says_the_same_twice() {
    let count = if cfg!(debug_assertions) { 7 } else { 201 };
    for (what, keys) in [("the list", ""), ("the list and a body", "\r2"), ("statistics", "S")] {
        let mut play = Play::new(1_000, (200, 60));
        play.keys(keys);
        let mut terminal = Terminal::new(TestBackend::new(200, 60)).unwrap();
        let mut times: Vec<_> = (0..count)
            .map(|_| {
                play.keys("j");
                let began = std::time::Instant::now();
                terminal.draw(|frame| view::draw(&play.model, frame)).unwrap();
                began.elapsed()
            })
            .collect();
        times.sort_unstable();
        println!("a frame of 200×60, {what}: median {:.2?}, worst {:.2?}", times[count / 2], times[count - 1]);
        let drawn = terminal.backend().buffer().clone();
        let mut fresh = Terminal::new(TestBackend::new(200, 60)).unwrap();
        fresh.draw(|frame| view::draw(&play.model, frame)).unwrap();
        fresh.backend().assert_buffer(&drawn);
    }
}
