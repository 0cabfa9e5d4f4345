//! The pictures of the README, drawn by the screen itself on a store of samples. `CREEL_PICTURES=1 cargo test pictures`
//! writes them anew; without, the test only proves that each tells what it is there for.

mod basket;
mod svg;

use std::{fs, path::PathBuf, sync::Arc};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::{Terminal, backend::TestBackend};

use super::{
    effect::Effect,
    look::Look,
    model::Model,
    msg::Msg,
    perform::perform,
    stage::{Live, Place, Stage},
    update::update,
    view,
};
use crate::{
    engine::{Engine, Settings, Wishes},
    record::Zone,
};

/// A picture: its file, what it shows, the size of the terminal, the keys that lead there.
struct Scene {
    file: &'static str,
    title: &'static str,
    size: (u16, u16),
    palette: &'static svg::Palette,
    keys: &'static str,
    /// A word that must be on it.
    tells: &'static str,
}

const SCENES: &[Scene] = &[
    Scene {
        file: "list",
        title: "creel: webhooks of many providers, live, each with its verdict and the app's reply",
        size: (120, 30),
        palette: &svg::DARK,
        keys: "",
        tells: "BOOKING",
    },
    Scene {
        file: "signature",
        title: "creel: why a signature check failed, with proof",
        size: (120, 30),
        palette: &svg::DARK,
        keys: "jj4",
        tells: "newline",
    },
    Scene {
        file: "body",
        title: "creel: a body as a tree, on a light background",
        size: (120, 30),
        palette: &svg::LIGHT,
        keys: "jjjjj2jjj",
        tells: "checkout",
    },
];

#[test]
fn the_pictures_of_the_readme_are_the_screen_s_own() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("creel.db");
    basket::fill(&db);
    let wishes = Wishes { db: Some(db), config: Some(empty_config(folder.path())), ..Wishes::default() };
    let engine = Arc::new(Engine::visit(Settings::resolve(&wishes).unwrap()));
    let stage = Live::new(engine).unwrap();
    for scene in SCENES {
        let drawn = draw(&stage, scene);
        assert!(drawn.contains(scene.tells), "{} does not tell {}:\n{drawn}", scene.file, scene.tells);
        if std::env::var_os("CREEL_PICTURES").is_some() {
            let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("assets/screens");
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(format!("{}.svg", scene.file)), &drawn).unwrap();
        }
    }
}

fn empty_config(folder: &std::path::Path) -> PathBuf {
    let path = folder.join("creel.toml");
    fs::write(&path, "").unwrap();
    path
}

fn draw(stage: &dyn Stage, scene: &Scene) -> String {
    let place = Place::Listening("http://127.0.0.1:27335".to_owned());
    let look = Look::plain(true, true);
    let mut model = Model::new(place, Zone::utc(), look, scene.size);
    send(&mut model, stage, Msg::Frame);
    for key in scene.keys.chars() {
        let code = if key == '\n' { KeyCode::Enter } else { KeyCode::Char(key) };
        send(&mut model, stage, Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)));
        send(&mut model, stage, Msg::Frame);
    }
    let mut terminal = Terminal::new(TestBackend::new(scene.size.0, scene.size.1)).unwrap();
    terminal.draw(|frame| view::draw(&model, frame)).unwrap();
    svg::svg(terminal.backend().buffer(), scene.palette, scene.title)
}

/// Sends a message, and does at once what is wished for because of it.
fn send(model: &mut Model, stage: &dyn Stage, msg: Msg) {
    let mut effects: Vec<Effect> = update(model, msg);
    while !effects.is_empty() {
        let answer = perform(stage, effects.remove(0), |_| false);
        effects.extend(answer.into_iter().flat_map(|answer| update(model, answer)));
    }
}
