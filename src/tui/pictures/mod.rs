//! The pictures of the README, drawn by the screen itself on a store of samples. `CREEL_PICTURES=1 cargo test pictures`
//! writes them anew; without, the test only proves that each tells what it is there for.

pub(super) mod basket;
mod svg;

use std::{fs, path::PathBuf, sync::Arc};

use super::{
    stage::{Live, Stage},
    tests::script::{options, play},
};
use crate::engine::{Engine, Settings, Wishes};

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
        keys: "j j 4",
        tells: "newline",
    },
    Scene {
        file: "body",
        title: "creel: a body as a tree, on a light background",
        size: (120, 30),
        palette: &svg::LIGHT,
        keys: "j j j j j 2 j j j",
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
    let stage: Arc<dyn Stage> = Arc::new(Live::new(engine).unwrap());
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

fn draw(stage: &Arc<dyn Stage>, scene: &Scene) -> String {
    let drawn = play(stage, options(basket::after), scene.size, scene.keys);
    svg::svg(&drawn.screen, scene.palette, scene.title)
}
