//! What a row of the list says, and how rows are ordered and folded.

use super::*;

#[test]
fn marks_pins_and_notes_show_in_the_row_and_can_be_taken_back() {
    let mut play = Play::new(20, (80, 24));
    play.keys(" ");
    assert_eq!(play.selected(), 19, "the next one is at hand");
    play.keys("p;ask Anna\n");
    play.ring();
    let rows = list_rows(&play);
    assert!(rows[1].starts_with("●    20"), "{rows:?}");
    assert!(rows[2].starts_with(" ◆   19"), "{rows:?}");
    assert_eq!(play.model.list.row().unwrap().note.as_deref(), Some("ask Anna"));
    play.keys("P");
    assert_eq!((play.model.list.rows.len(), play.selected()), (1, 19));
    play.keys("Pp");
    play.ring();
    assert_eq!(play.model.list.rows.len(), 20);
    assert!(list_rows(&play).iter().any(|row| row.starts_with(" ¶   19")), "the note is left");
    play.keys(";");
    play.send(Msg::Key(KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL)));
    play.keys("\n");
    play.ring();
    assert_eq!(play.model.list.row().unwrap().note, None);
}

#[test]
fn a_first_mark_moves_nothing_in_the_list_whatever_its_size_and_numbers_grow_as_they_must() {
    for size in [(40, 10), (80, 24), (200, 60)] {
        let mut play = Play::new(20, size);
        let before = list_rows(&play)[2].clone();
        play.keys(" k");
        play.ring();
        let rows = list_rows(&play);
        assert!(rows[1].starts_with('●') && rows[2] == before, "{before}\n{rows:?}");
    }
    let mut play = Play::new(3, (80, 24));
    play.basket.0.lock().unwrap()[2].id = CaptureId(1_234_567);
    play.ring();
    assert!(list_rows(&play)[1].starts_with("  1234567 "), "{:?}", list_rows(&play));
}

#[test]
fn the_columns_stand_still_while_rows_that_have_more_to_show_come_and_go() {
    let mut play = Play::new(2_000, (200, 24));
    {
        let mut rows = play.basket.0.lock().unwrap();
        rows.iter_mut().for_each(|row| (row.event.kind, row.provider) = (None, None));
        rows[1_000].took_ms = Some(12);
        rows[1_000].endpoint = "shop".to_owned();
        rows[1_000].event.kind = Some("push".to_owned());
        rows[1_010].flags = [Flag::FromWebPage].into_iter().collect();
        rows[1_010].late_ms = Some(12);
        rows[99_usize].id = CaptureId(100);
    }
    play.model.list.had = list::Had::default();
    play.send(Msg::Ring);
    play.frame();
    let names = |play: &Play| list_rows(play)[0].clone();
    let (mut seen, mut last) = (Vec::new(), String::new());
    for _ in 0..1_999 {
        play.keys("j");
        if names(&play) != last {
            last = names(&play);
            seen.push(last.clone());
        }
    }
    assert_eq!(seen.len(), 2, "they came once, and stayed: {seen:?}");
    assert!(["endpoint", "event", "took"].iter().all(|name| !seen[0].contains(name)), "{seen:?}");
    assert!(
        seen[1].contains("endpoint")
            && seen[1].contains("event")
            && seen[1].contains("took")
            && !seen[1].contains("facts"),
        "{seen:?}"
    );
    play.keys("/path:/path/1011\n");
    assert!(list_rows(&play)[1].contains("⇅ ⚑ /path/1011"), "what has no column is said: {:?}", list_rows(&play));
}

#[test]
fn numbers_are_as_wide_as_the_newest_wherever_somebody_is() {
    let mut play = Play::new(300, (80, 24));
    for (at, row) in play.basket.0.lock().unwrap().iter_mut().enumerate() {
        row.id = CaptureId(99_801 + at as i64);
    }
    play.send(Msg::Ring);
    play.frame();
    let names = list_rows(&play)[0].clone();
    play.keys("G");
    assert_eq!(list_rows(&play)[0], names);
}

#[test]
fn the_order_turns_around_and_sorts_and_the_selection_stays_or_is_the_first() {
    let mut play = Play::new(300, (80, 24));
    {
        let mut rows = play.basket.0.lock().unwrap();
        for (at, row) in rows.iter_mut().enumerate() {
            row.size = (at as u64 * 7919) % 1000;
            row.took_ms = (at % 100 == 0).then_some(at as u64);
        }
    }
    play.keys("jj");
    play.keys("o");
    assert_eq!((play.model.list.order, play.selected()), (Order::Oldest, 298));
    let rows = list_rows(&play);
    let at = |id: &str| rows.iter().position(|row| row.contains(&format!(" {id} "))).unwrap();
    assert!(at("297") < at("298") && at("298") < at("299"), "{rows:?}");
    play.keys("j");
    assert_eq!(play.selected(), 299, "down is to the newer");
    play.keys("o");
    assert_eq!(play.selected(), play.model.list.rows[0].id.0, "the largest is what was asked for");
    let sizes: Vec<_> = play.model.list.rows.iter().map(|row| row.size).collect();
    assert!(sizes.is_sorted_by(|a, b| a >= b) && sizes.len() == 300);
    play.basket.put(5);
    play.ring();
    assert_eq!(play.model.list.rows.len(), 300, "a sorted list is what there was");
    play.keys("o");
    let ids: Vec<_> = play.model.list.rows.iter().map(|row| row.id.0).collect();
    assert_eq!(ids, [201, 101, 1], "the others were never delivered");
    play.keys("o");
    play.keys("g");
    assert_eq!((play.model.list.order, play.selected()), (Order::Newest, 305));
}

#[test]
fn all_that_a_filter_takes_is_marked_at_once_and_unmarked() {
    let mut play = Play::new(30, (120, 30));
    play.keys(":mark all\n");
    assert!(play.screen().contains("no filter says which captures are meant"), "{}", play.screen());
    play.keys(":unmark all\n");
    assert!(play.screen().contains("nothing is marked"), "{}", play.screen());
    play.keys("/sig:failed\n:mark all\n");
    assert!(play.screen().contains("6 captures marked"), "{}", play.screen());
    assert_eq!(play.basket.marked().len(), 6);
    play.keys("\u{1b}:unmark all\n");
    assert!(play.screen().contains("6 captures unmarked"), "{}", play.screen());
    assert!(play.basket.marked().is_empty());
    play.keys("/path:/nowhere\n:mark all\n");
    assert!(play.screen().contains("there was nothing to mark"), "{}", play.screen());
}

#[test]
fn repeats_are_folded_under_their_first_and_counted() {
    let mut play = Play::new(30, (80, 24));
    {
        let mut rows = play.basket.0.lock().unwrap();
        for (at, attempt) in [(21_usize, 2), (24, 3), (29, 4)] {
            rows[at].duplicate_of = Some(CaptureId(20));
            rows[at].repeat = Some(Repeat { attempt, gap_ms: 1_000, is_retry: true, is_replay: false });
        }
    }
    play.ring();
    assert_eq!(play.selected(), 30);
    play.keys("X");
    assert_eq!(play.selected(), 20, "what is folded away is stood for by its first");
    let rows = list_rows(&play).join("\n");
    assert!(rows.contains("▸+3 /path/20") && !rows.contains("/path/30"), "{rows}");
    play.keys("x");
    let rows = list_rows(&play);
    let first = rows.iter().position(|row| row.contains("▾3 /path/20")).unwrap();
    assert!(rows[first + 1].contains("  ↻4 /path/30") && rows[first + 3].contains("↻2 /path/22"), "{rows:?}");
    play.keys("jx");
    assert_eq!(play.selected(), 20);
    play.keys("Xg");
    assert!(list_rows(&play).join("\n").contains("/path/30"));
}

#[test]
fn times_are_told_by_how_long_ago_and_the_frame_comes_when_they_age() {
    let mut play = Play::new(3, (80, 24));
    play.send(Msg::Clock(Timestamp::from_unix_ms(1_795_424_703_000 + 65_200)));
    assert_eq!(super::super::age::next(&play.model), None, "by the clock nothing ages");
    play.keys("t");
    assert!(list_rows(&play)[1].contains("     1m "), "{:?}", list_rows(&play));
    assert_eq!(super::super::age::next(&play.model), Some(std::time::Duration::from_millis(52_800)), "until 2m");
}
