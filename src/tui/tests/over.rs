//! What lies over list and detail: the palette, sheets, statistics, what was refused.

use super::*;
use crate::record::Refusal;

/// The sizes at which everything must fit.
const SIZES: [(u16, u16); 5] = [(40, 10), (60, 15), (80, 24), (120, 35), (200, 60)];

/// The rows of the screen between header and footer, without the quotes that the backend prints around them.
fn middle(play: &Play) -> Vec<String> {
    let rows: Vec<String> = play.screen().lines().map(|row| row.trim_matches('"').to_owned()).collect();
    rows[1..rows.len() - 1].to_vec()
}

fn refused(peer: &str, endpoint: Option<&str>, reason: &str, head: &[u8]) -> Refused {
    let at = Timestamp::from_unix_ms(1_795_424_700_000);
    let refusal =
        Refusal { at, peer: peer.to_owned(), status: Some(401), reason: reason.to_owned(), head: head.to_vec() };
    Refused { refusal, endpoint: endpoint.map(str::to_owned) }
}

#[test]
fn the_help_is_narrowed_to_what_has_the_words() {
    for size in SIZES {
        let mut play = Play::new(20, size);
        play.keys("?");
        let whole = play.screen();
        play.keys("/SIGNED anew");
        let found = middle(&play).join("\n");
        assert!(found.contains("Help: SIGNED anew") && found.contains("resend, signed"), "{size:?}: {found}");
        assert!(
            !found.contains("Signs") && !found.contains("the next tab"),
            "a group without any has no heading: {found}"
        );
        play.keys("\n");
        assert_eq!(middle(&play).join("\n"), found, "it stays so");
        play.keys("/zoom\n");
        assert!(middle(&play).join(" ").contains("give the pane"), "by what the footer calls it: {}", play.screen());
        play.keys("/ zzzz\n");
        assert!(middle(&play).join(" ").contains("nothing in this help says zzzz"), "{}", play.screen());
        play.keys("\u{1b}");
        assert_eq!(play.screen(), whole, "esc shows all of it again");
        play.keys("/provider:");
        assert!(middle(&play).join("\n").contains("provider:"), "a field by its example: {}", play.screen());
        play.keys("\u{1b}");
        assert_eq!(play.screen(), whole, "typed and left");
        play.keys("/tab\n?");
        assert!(!play.screen().contains("Help"), "the key that opens it closes it");
        play.keys("?");
        assert_eq!(play.screen(), whole, "and nothing of it is left");
    }
}

#[test]
fn the_palette_has_a_frame_and_fits_every_size() {
    for size in SIZES {
        let mut play = Play::new(20, size);
        play.keys(":");
        let rows = middle(&play);
        assert!(rows[0].contains("╭─ Commands ") && rows[0].contains("1 of "), "{size:?}: {rows:?}");
        let last = rows.iter().rposition(|row| row.contains('╰')).unwrap();
        assert!(rows[last].contains("enter does it") || size.0 == 40, "{rows:?}");
        assert!(rows[2].contains(" > "), "the chosen row stands out without colours, too: {rows:?}");
        for _ in 0..200 {
            play.press(KeyCode::Down);
        }
        let rows = middle(&play);
        assert!(rows[last - 1].contains(" > "), "the chosen row is seen: {rows:?}");
        play.keys("zzzzqq");
        assert!(middle(&play).join("\n").contains("nothing has these letters"));
    }
}

#[test]
fn keys_stand_in_a_column_of_their_own() {
    let mut play = Play::new(20, (120, 35));
    play.keys(":resend");
    let rows = middle(&play);
    let end = |words: &str, chord: char| {
        let row = rows.iter().find(|row| row.contains(words)).unwrap_or_else(|| panic!("{words}: {rows:?}"));
        let row = row.trim_end_matches([' ', '│']);
        assert!(row.ends_with(&format!("  {chord}")), "{row}");
        row.chars().count()
    };
    assert_eq!(end("resend to the endpoint's app", 'r'), end("resend to a URL", 'R'));
}

#[test]
fn a_click_does_what_a_row_of_the_palette_says_and_beside_it_leaves() {
    let mut play = Play::new(20, (120, 35));
    play.keys(":statistics of the last");
    let rows = middle(&play);
    let row = rows.iter().position(|row| row.contains("statistics of the last")).unwrap() as u16 + 1;
    let left = MouseEventKind::Down(MouseButton::Left);
    let second = rows.iter().rposition(|row| row.contains("statistics of the last")).unwrap() as u16 + 1;
    assert!(second > row, "the line that is typed stands above it");
    play.send(mouse(left, 60, second));
    assert!(play.model.mode == Mode::Stats && play.model.palette.is_none());
    play.keys("\u{1b}:");
    play.send(mouse(left, 1, 30));
    assert!(play.model.palette.is_none() && play.model.mode == Mode::List);
}

#[test]
fn statistics_scroll_and_fit_every_size() {
    for size in SIZES {
        let mut play = Play::new(0, size);
        play.basket.put(200);
        play.send(Msg::Clock(Timestamp::from_unix_ms(1_795_424_700_000 + 200_500)));
        play.ring();
        play.keys("S");
        play.frame();
        let rows = middle(&play);
        assert!(rows[0].contains("Statistics") && rows[1].contains("last minute"), "{size:?}: {rows:?}");
        assert!(rows.iter().any(|row| row.contains("60 caught")) && rows.iter().any(|row| row.contains("12 failed")));
        play.keys("G");
        let end = middle(&play).join("\n");
        assert!(end.contains("sent on") && end.contains("last minute"), "{size:?}: {end}");
        play.keys("ggkj");
    }
}

#[test]
fn a_sheet_says_how_much_of_it_is_seen() {
    let mut play = Play::new(20, (60, 19));
    play.keys(".qr\n");
    let rows = middle(&play);
    assert!(rows[0].contains("╭─ The address ") && rows[0].contains(" of "), "{rows:?}");
    assert!(rows.iter().all(|row| row.chars().count() == 60), "{rows:?}");
}

#[test]
fn what_was_turned_away_is_listed_and_like_ones_are_counted() {
    for size in SIZES {
        let mut play = Play::new(3, size);
        let head = b"POST /shop?token=abc HTTP/1.1\r\nAuthorization: Bearer abc\r\n\r\n";
        let newest = vec![
            refused("10.0.0.1:4", Some("shop"), "the token is missing", head),
            refused("10.0.0.1:5", Some("shop"), "shop: the token is missing", head),
            refused("10.0.0.2:5", None, "not HTTP: looks like TLS", b"\x16\x03\x01"),
        ];
        play.refusals = Refusals { newest, all: 1_003 };
        play.keys("F");
        let rows = middle(&play).join("\n");
        for words in ["Turned away at the door", "    2  401", "10.0.0.1", "shop", "    1  401", "10.0.0.2"] {
            assert!(rows.contains(words), "{words} at {size:?}:\n{rows}");
        }
        assert!(!rows.contains("abc"), "no key is shown: {rows}");
        assert!(size.0 == 40 || rows.contains("the token is missing"), "{rows}");
        play.keys("G");
        assert!(middle(&play).join("\n").contains("1003 were refused") || size.0 == 40);
        play.refusals.newest.truncate(1);
        play.ring();
        assert!(middle(&play).join("\n").contains("    1  401"), "it is live: {rows}");
        play.keys("\u{1b}");
        assert_eq!(play.model.mode, Mode::List);
    }
}

#[test]
fn where_nothing_was_turned_away_it_is_told_what_would_stand_there() {
    for size in SIZES {
        let mut play = Play::new(3, size);
        play.keys("F");
        assert!(middle(&play).join("\n").contains("Nothing was turned away"), "{}", play.screen());
    }
}

#[test]
fn the_count_in_the_header_leads_to_the_list() {
    let mut play = Play::new(3, (120, 24));
    play.model.counters.refused = 7;
    let screen = play.screen();
    let header: String = screen.lines().next().unwrap().trim_matches('"').to_owned();
    let at = header.find("7 refused").unwrap();
    let column = header[..at].chars().count() as u16;
    play.send(mouse(MouseEventKind::Down(MouseButton::Left), column + 3, 0));
    assert_eq!(play.model.mode, Mode::Sheet);
    play.keys("\u{1b}");
    play.send(mouse(MouseEventKind::Down(MouseButton::Left), column - 3, 0));
    assert_eq!(play.model.mode, Mode::List);
}

#[test]
fn what_creel_said_is_counted_until_it_is_read() {
    for size in SIZES {
        let mut play = Play::new(3, size);
        play.keys("!");
        assert!(middle(&play).join(" ").contains("Nothing was said yet"), "{}", play.screen());
        play.keys("\u{1b}");
        play.send(Msg::Clock(Timestamp::from_unix_ms(1_795_424_700_000)));
        play.send(Msg::News(
            "an app is down: \u{1b}[2J nothing listens at a port that somebody named".to_owned(),
            Tidings::Bad,
        ));
        play.send(Msg::News("alert: #3 POST / matches `sig:failed`".to_owned(), Tidings::Bad));
        play.keys("j");
        assert!(play.screen().contains("2 news") || size.0 == 40, "{}", play.screen());
        play.keys("!");
        let rows = middle(&play);
        let place = |words: &str| rows.iter().position(|row| row.contains(words)).unwrap_or_else(|| panic!("{rows:?}"));
        assert!(place("alert: #3") < place("an app is down"), "the newest first: {rows:?}");
        assert!(rows[place("alert: #3")].contains("09:05:00  alert"), "{rows:?}");
        play.send(Msg::News("alert: #4 POST / matches `sig:failed`".to_owned(), Tidings::Bad));
        assert!(middle(&play)[1].contains("alert: #4"), "it is live: {}", play.screen());
        assert!(!play.screen().contains(" news"), "{}", play.screen());
        play.keys("\u{1b}");
        assert_eq!(play.model.mode, Mode::List);
    }
}
