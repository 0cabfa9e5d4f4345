//! A store whose file is damaged: what can be read of it is told, and what cannot is named.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    cmp::Reverse,
    collections::BTreeSet,
    io::{BufRead, BufReader},
    process::Stdio,
};

use creel::{
    query::{Filter, Sql},
    record::{CaptureId, Timestamp},
    store::{Reader, Sorting, Start},
};
use support::Home;

const ALL: usize = 150;

/// A store of [`ALL`] captures but #148, in which a page of the list cannot be read.
fn home_with_a_damaged_list() -> Home {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    for n in 1..=ALL {
        serving.post("/a", &[], format!("{{\"n\":{n}}}").as_bytes());
    }
    serving.stop();
    home.yes(&["forget", "id:148"]);
    let store = rusqlite::Connection::open(home.db()).unwrap();
    let number = |sql: &str| store.query_row(sql, (), |row| row.get::<_, u32>(0)).unwrap() as usize;
    let size = number("PRAGMA page_size");
    let root = (number("SELECT rootpage FROM sqlite_schema WHERE name = 'summary'") - 1) * size;
    drop(store);
    let mut bytes = std::fs::read(home.db()).unwrap();
    // The last of the pages that the first one leads to holds the newest rows (SQLite's file format, section 1.6).
    let last = u32::from_be_bytes(bytes[root + 8..root + 12].try_into().unwrap()) as usize;
    bytes[(last - 1) * size..][..8].fill(0);
    home.write("creel.db", bytes);
    home
}

/// A store in which three captures have another body than came, a part of it, or none; the first and the last are whole.
fn damaged_home() -> Home {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    for path in ["/whole", "/changed", "/cut", "/bare", "/whole"] {
        let size = if path == "/cut" { 600_000 } else { 6 };
        serving.post(path, &[], &vec![b'x'; size]);
    }
    serving.stop();
    let store = rusqlite::Connection::open(home.db()).unwrap();
    store
        .execute_batch(
            "UPDATE content SET body = x'797979797979' WHERE id = 2;
            DELETE FROM chunk WHERE id = (SELECT max(id) FROM chunk);
            DELETE FROM content WHERE id = 4;",
        )
        .unwrap();
    home
}

#[test]
fn what_is_left_of_a_damaged_store_can_be_had_and_what_is_missing_is_told() {
    let home = damaged_home();
    let said = home.fails(2, &["export", "--out", "all"]);
    assert!(said.contains("reading capture 2: ") && said.contains("creel export --skip-damaged"), "{said}");
    assert!(!home.path().join("all").exists() && !home.path().join("all.part").exists());

    let output = home.run(&["export", "--skip-damaged", "--out", "all", "--json", "--quiet"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "not all is there: {said}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "{\"exported\":2,\"damaged\":[2,3,4]}\n");
    for words in [
        "left out: #2: its body is not the one that came",
        "left out: #3: a part of its body is missing",
        "left out: #4: only its row of the list is there",
        "without 3 damaged captures",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let other = Home::new();
    other.yes(&["import", home.path().join("all").to_str().unwrap()]);
    assert_eq!(other.captures().len(), 2);
    assert!(home.yes(&["export", "--skip-damaged", "path:/whole", "--out", "whole"]).starts_with("2 exported"));
}

#[test]
fn a_rehearsal_leaves_out_what_is_damaged_where_that_is_wished() {
    let home = damaged_home();
    assert!(home.fails(2, &["rehearse", "id>0", "--out", "shop"]).contains("--skip-damaged"));
    assert!(home.fails(1, &["rehearse", "id>0", "--skip-damaged", "--out", "shop"]).contains("left out: #4"));
    assert!(home.path().join("shop/002.http").exists() && !home.path().join("shop/003.http").exists());
    let said = home.fails(2, &["rehearse", "id:2..4", "--skip-damaged", "--out", "none"]);
    assert!(said.contains("left out: #2") && said.contains("there is nothing to write"), "{said}");
    assert!(!home.path().join("none").exists() && !home.path().join("none.part").exists());
}

#[test]
fn what_is_left_of_a_damaged_list_can_be_had_too() {
    let home = home_with_a_damaged_list();
    assert!(home.fails(2, &["export"]).contains("the file is damaged"));
    let output = home.run(&["export", "--skip-damaged"]);
    let (told, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let count = told.lines().count();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!((1..ALL).contains(&count), "{count} of them: {said}");
    // The one that was deleted is not missing.
    assert!(said.contains(&format!("left out: #{} to #147: the file is damaged", count + 1)), "{said}");
    assert!(said.contains("left out: #149 to #150: ") && !said.contains("#148"), "{said}");
    // The filter cannot be asked of what is left out, which may be meant.
    assert!(home.fails(1, &["export", "--skip-damaged", "body.n=1", "--out", "one"]).contains("#149 to #150"));
    assert!(std::fs::read_to_string(home.path().join("one")).unwrap().starts_with("{\"id\":1,"));
}

#[test]
fn what_is_left_of_a_damaged_list_is_listed_and_what_is_missing_is_named() {
    let home = home_with_a_damaged_list();
    for args in [&["ls", "-n", "0"][..], &["ls", "-n", "0", "--json"], &["ls", "-n", "0", "path:/a"]] {
        let output = home.run(args);
        let (told, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        let count = told.lines().count();
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        assert!((1..ALL).contains(&count), "{args:?}: {count}");
        assert!(said.contains(&format!("left out: #{} to #147: the file is damaged", count + 1)), "{said}");
        assert!(said.contains("left out: #149 to #150: ") && said.contains("keep a copy"), "{said}");
        let first = told.lines().next().unwrap();
        assert!(first.contains(&count.to_string()), "the newest that is left comes first: {first}");
    }
    assert!(home.yes(&["show", "1"]).contains("POST /a HTTP/1.1"));
    assert!(home.fails(2, &["show", "150"]).contains("the file is damaged"));
}

#[test]
fn what_follows_a_damaged_list_goes_past_what_is_missing() {
    let home = home_with_a_damaged_list();
    let listed = String::from_utf8(home.run(&["ls", "-n", "0"]).stdout).unwrap();
    let oldest_first: Vec<_> = listed.lines().rev().collect();
    for filter in [&[][..], &["path:/a"]] {
        let args = [&["tail", "-n", "500"], filter].concat();
        let mut tail = home.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let told = BufReader::new(tail.stdout.take().unwrap()).lines().take(oldest_first.len());
        assert_eq!(told.collect::<Result<Vec<_>, _>>().unwrap(), oldest_first);
        let said = BufReader::new(tail.stderr.take().unwrap()).lines().map(Result::unwrap).take(3).collect::<Vec<_>>();
        let missed = format!("left out: #{} to #147: the file is damaged", oldest_first.len() + 1);
        assert!(said[0].contains(&missed) && said[1].contains("left out: #149 to #150: "), "{said:?}");
        tail.kill().unwrap();
        tail.wait().unwrap();
    }
}

#[test]
fn pages_past_the_damage_meet_whichever_way_they_go() {
    let home = home_with_a_damaged_list();
    let reader = Reader::open(&home.db()).unwrap();
    let left = reader.list(None).page(ALL).unwrap();
    let pages = |mut start: Start, condition: Option<&Sql>, enough: fn() -> bool| {
        let (mut ids, mut missed) = (Vec::new(), BTreeSet::new());
        loop {
            let slice = reader.past_damage(start, 7, condition, enough).unwrap();
            assert!(slice.rows.len() <= 7 && slice.rows.is_sorted_by_key(|row| Reverse(row.id)));
            assert_eq!(slice.newest, CaptureId(ALL as i64));
            ids.extend(slice.rows.iter().map(|row| row.id));
            missed.extend(slice.missed.iter().map(|(id, _)| id.0));
            let Some(rest) = slice.rest else { break };
            start = rest;
        }
        ids.sort_unstable();
        assert_eq!(ids, left.iter().rev().map(|row| row.id).collect::<Vec<_>>());
        assert_eq!(
            missed.iter().copied().collect::<Vec<_>>(),
            (ids.len() as i64 + 1..=147).chain([149, 150]).collect::<Vec<_>>()
        );
    };
    let condition = Filter::parse("body.n>0").unwrap().sql(Timestamp::default());
    for start in [Start::Newest, Start::Before(CaptureId(i64::MAX)), Start::After(CaptureId(0))] {
        pages(start, None, || false);
        pages(start, Some(&condition), || true);
    }
    let sorted = reader.sorted_past_damage(Sorting::Size, 5, None).unwrap();
    let mut by_size: Vec<_> = left.iter().map(|row| (row.size, row.id)).collect();
    by_size.sort_unstable_by_key(|row| Reverse(*row));
    assert_eq!(sorted.rows.iter().map(|row| (row.size, row.id)).collect::<Vec<_>>(), by_size[..5]);
    assert!(!sorted.missed.is_empty());
}

#[test]
fn of_a_capture_that_cannot_be_read_as_a_whole_the_rest_is_shown() {
    let home = damaged_home();
    // Its body is another one, and its body ends too early.
    for id in ["2", "3"] {
        let output = home.run(&["show", id]);
        let (told, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(told.contains("endpoint   default") && told.contains(" HTTP/1.1\n"), "{told}");
        assert!(!told.contains("yyyyyy") && !told.contains("xxx"), "{told}");
        assert!(said.contains(&format!("left out: reading capture {id}: ")) && said.contains("not all"), "{said}");
        let json: serde_json::Value = serde_json::from_slice(&home.run(&["show", id, "--json"]).stdout).unwrap();
        assert!(json["body"]["size"].is_u64() && json["body"].get("text").is_none(), "{json}");
        assert!(home.fails(2, &["show", id, "--body"]).contains("the file is damaged"));
    }
    assert!(home.fails(1, &["show", "4"]).contains("only its row of the list is there"));
}

#[test]
fn of_a_file_that_was_cut_the_beginning_can_be_had() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    for _ in 0..ALL {
        serving.post("/a", &[], &[b'x'; 2_000]);
    }
    serving.stop();
    let whole = std::fs::read(home.db()).unwrap();
    // Whole pages, and all of the list.
    home.write("creel.db", &whole[..whole.len() / 8_192 * 9 / 10 * 8_192]);
    let output = home.run(&["export", "--skip-damaged"]);
    let (told, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(1), "{said}");
    let count = told.lines().count();
    assert!((1..ALL).contains(&count) && said.contains(&format!("without {} damaged captures", ALL - count)), "{said}");
    assert_eq!(home.run(&["ls", "-n", "0", "--json"]).status.code(), Some(1));
    // It is no store to go on with.
    assert!(home.fails(2, &["serve", "--listen", "0"]).contains("the file is damaged"));
}
