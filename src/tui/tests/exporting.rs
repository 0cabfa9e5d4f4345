//! Captures that go into a file from the screen.

use std::fs;

use super::{script::options, *};
use crate::{
    engine::{Engine, Settings, Wishes, mask::masked},
    export::FORMATS,
    store::{Bodies, Reader},
    tui::{export::Batch, pictures::basket, stage::Live, workers::Workers},
};

fn sees(play: &Play, words: &str) {
    let screen = play.screen();
    assert!(screen.contains(words), "{words}:\n{screen}");
}

fn last(play: &Play) -> &Export {
    play.exported.last().expect("nothing was exported")
}

#[test]
fn the_selected_capture_is_exported_where_nothing_is_marked_and_its_secrets_are_masked() {
    let mut play = Play::new(10, (100, 30));
    play.keys("W");
    sees(&play, "Export #10");
    play.keys("har\n");
    sees(&play, "#10 as har to: creel-10.har");
    play.keys("\n");
    assert_eq!((&last(&play).batch.ids[..], last(&play).reveal), (&[CaptureId(10)][..], false));
    assert_eq!(FORMATS[last(&play).format].name, "har");
    sees(&play, "#10 as har, 2.1k, is written to creel-10.har");
    sees(&play, "masked in it: 2 headers and 1 field of queries");
}

#[test]
fn what_is_marked_is_exported_together_oldest_first() {
    let mut play = Play::new(10, (100, 30));
    play.keys("j j");
    play.keys(" jW");
    sees(&play, "Export 2 marked");
    play.keys("csv\n.x\n");
    assert_eq!(
        (&last(&play).batch.ids[..], &last(&play).path[..]),
        (&[CaptureId(7), CaptureId(9)][..], "creel-2-marked.csv.x")
    );
}

#[test]
fn what_was_deleted_is_not_exported() {
    let mut play = Play::new(10, (100, 30));
    play.keys("  kkDy\nWcurl\n\n");
    assert_eq!(last(&play).batch.ids.len(), 1, "{:?}", last(&play).batch);
}

#[test]
fn the_menu_and_the_palette_have_every_form_and_lead_to_the_same_question() {
    for opens in [".", ":"] {
        for format in FORMATS {
            let mut play = Play::new(3, (100, 30));
            play.keys(opens);
            play.keys(&format!("export as {}:\n", format.name));
            sees(&play, &format!("#3 as {} to: creel-3{}", format.name, format.ending));
        }
    }
}

#[test]
fn secrets_are_written_only_after_they_were_asked_for_and_the_prompt_says_so() {
    let mut play = Play::new(10, (100, 30));
    play.keys("Whttp:\n");
    play.control('r');
    sees(&play, "#10 as http, secrets and all, to:");
    play.control('r');
    sees(&play, "#10 as http to:");
    play.control('r');
    play.keys("\n");
    assert!(last(&play).reveal);
    sees(&play, "with its secrets: keep it to yourself");
}

#[test]
fn what_stands_there_is_written_over_only_after_a_yes() {
    let mut play = Play::new(10, (100, 30));
    play.is_there = true;
    play.keys("Wgo:\n\n");
    sees(&play, "creel-10_test.go is there: y writes over it");
    play.keys("n\n");
    sees(&play, "#10 as go to: creel-10_test.go");
    play.keys("\ny\n");
    assert!(last(&play).over && play.exported.iter().filter(|export| export.over).count() == 1);
    sees(&play, "is written to creel-10_test.go");
}

#[test]
fn leaving_writes_nothing_and_an_empty_store_says_why() {
    let mut play = Play::new(10, (100, 30));
    play.keys("W\u{1b}Wcsv\n\u{1b}");
    assert!(play.exported.is_empty() && play.model.prompt.is_none() && play.model.palette.is_none());
    let mut play = Play::new(0, (100, 30));
    play.keys("W");
    sees(&play, "nothing is caught yet");
}

#[test]
fn how_far_it_is_is_told_and_esc_stops_it() {
    let mut play = Play::new(10, (100, 30));
    play.export_takes_long = true;
    play.keys(" kWhar:\n\n");
    sees(&play, "is being written to");
    play.send(Msg::Exporting(1));
    sees(&play, "1 of 1 are written to creel-1-marked.har; esc stops that");
    play.keys("W");
    sees(&play, "is still being written to creel-1-marked.har");
    play.keys("\u{1b}");
    sees(&play, "export stopped, nothing was written");
    play.send(Msg::Exporting(1));
    sees(&play, "export stopped, nothing was written");
    play.export_takes_long = false;
    play.keys("Whar:\n\n");
    sees(&play, "is written to creel-1-marked.har");
}

#[test]
fn who_leaves_meanwhile_waits_until_the_unfinished_file_is_gone() {
    let scene = Arc::new(Scene::default());
    let stage: Arc<dyn Stage> = scene.clone();
    let (messages, _heard) = channel();
    let workers = Workers::start(&stage, &Answers::new(messages), options(crate::engine::now).hands).unwrap();
    let batch = Batch { ids: [CaptureId(1)].into(), marked: false };
    workers.take(Effect::Export(Export::new(batch, 0)));
    while scene.exports.lock().unwrap().0 == 0 {
        std::thread::yield_now();
    }
    workers.leave().unwrap();
    assert_eq!(*scene.exports.lock().unwrap(), (1, 1));
}

#[test]
fn of_an_export_that_is_stopped_no_file_is_left_and_what_stood_there_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (db, path) = (folder.path().join("creel.db"), folder.path().join("out/x.csv"));
    basket::fill(&db);
    fs::create_dir(folder.path().join("out")).unwrap();
    let reader = Reader::open(&db).unwrap();
    let ids: Vec<_> = reader.page(Start::Newest, 5, None).unwrap().iter().map(|row| row.id).collect();
    let batch = crate::tui::export::Batch { ids: ids.into(), marked: true };
    let mut export = Export { path: path.display().to_string(), ..Export::new(batch, 0) };
    let mut heard = Vec::new();
    let stopped = export.write(&reader, &mut |count| {
        heard.push(count);
        count < 2
    });
    assert_eq!((stopped.unwrap(), heard.last()), (Exported::Stopped, Some(&2)));
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 0);
    assert!(matches!(export.write(&reader, &mut |_| true).unwrap(), Exported::Written { count: 5, .. }));
    let whole = fs::read(&path).unwrap();
    export.over = true;
    assert_eq!(export.write(&reader, &mut |_| false).unwrap(), Exported::Stopped);
    assert_eq!((fs::read(&path).unwrap(), fs::read_dir(path.parent().unwrap()).unwrap().count()), (whole, 1));
}

/// The real thing: a store, the screen's own loop, a file.
#[test]
fn every_form_is_written_by_the_real_loop_as_the_store_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let (db, config) = (folder.path().join("creel.db"), folder.path().join("creel.toml"));
    basket::fill(&db);
    fs::write(&config, "").unwrap();
    let wishes = Wishes { db: Some(db.clone()), config: Some(config), ..Wishes::default() };
    let engine = Arc::new(Engine::visit(Settings::resolve(&wishes).unwrap()));
    let stage: Arc<dyn Stage> = Arc::new(Live::new(engine).unwrap());
    // The first key marks, so that all of them export the same two.
    let mut before = "space j space ".to_owned();
    for format in FORMATS {
        let path = folder.path().join(format!("out{}", format.name));
        let keys = format!("{before}W 'as enter ctrl-u '{} enter", path.display());
        let keys = keys.replace("'as", &format!("'{}:", format.name));
        let ending = script::play(&stage, options(basket::after), (116, 24), &keys);
        assert!(!ending.left);
        let reader = Reader::open(&db).unwrap();
        let ids = super::super::export::marked(&reader).unwrap();
        assert_eq!(ids.len(), 2, "{}", format.name);
        let written =
            ids.iter().map(|id| (format.write)(&masked(reader.capture(*id, Bodies::Read).unwrap().unwrap()).0));
        let whole = [written.collect::<Vec<_>>().join(format.between.as_bytes())].concat();
        let whole = [format.begin.as_bytes(), &whole, format.end.as_bytes()].concat();
        assert!(fs::read(&path).unwrap() == whole, "{}", format.name);
        before.clear();
    }
}
