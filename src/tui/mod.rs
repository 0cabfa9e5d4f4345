//! **Floor 4 — the screen.** What happens becomes a message; `update` turns messages into a new model and
//! wishes; wishes are done off the screen's thread and come back as messages; the view draws the model and changes
//! nothing.
//!
//! ```text
//!  terminal ─┐                                    ┌─► view ─► sweep ─► terminal
//!  bell ─────┼─► Msg ─► update(&mut Model) ───────┤
//!  answers ──┘              ▲                     └─► Vec<Effect> ─► worker ─► Stage (store, engine)
//!                           └───────────────────── answers, with the generation they were asked in
//! ```
//!
//! This room must never know SQLite or HTTP, never wait in `update` or `view`, and never let a payload's byte reach the
//! terminal unescaped: texts pass [`body::escape`](crate::body::escape), and the whole frame is swept before it is drawn.

mod age;
mod arrived;
mod background;
mod configured;
mod copy;
mod deleted;
mod detail;
mod draft;
mod effect;
mod export;
mod fault;
mod filters;
mod hint;
mod keys;
mod layout;
mod line;
mod list;
mod look;
mod model;
mod msg;
mod news;
mod outside;
mod palette;
mod perform;
#[cfg(test)]
mod pictures;
mod prompt;
mod refused;
mod run;
mod sheet;
mod stage;
mod state;
mod stats;
mod terminal;
#[cfg(test)]
mod tests;
mod theme;
mod update;
mod view;
mod workers;

use std::sync::Arc;

use crossterm::event::KeyEvent;

pub use keys::help as key_help;

use crate::{
    engine::{self, Engine, Notice, Screen},
    record::Failure,
};

/// Shows the screen until the user quits, or the process is asked to end.
pub fn show(engine: &Arc<Engine>) -> Result<(), Failure> {
    let mut notices = engine.notices().to_vec();
    let configured = configured::Configured::of(engine);
    let db = engine.db();
    let store = std::path::absolute(db).unwrap_or_else(|_| db.to_owned()).display().to_string();
    let state = remembered().begun_over(&store);
    let (look, typed) = look(configured.theme.as_deref(), &state, &mut notices);
    let options = run::Options {
        place: stage::place(engine),
        configured,
        zone: engine::zone(),
        look,
        typed,
        notices,
        state,
        hands: workers::Hands {
            clipboard: copy::to_terminal,
            mouse: terminal::mouse,
            lend: outside::lend,
            is_gone: terminal::is_gone,
        },
        clock: engine::now,
    };
    let stage: Arc<dyn stage::Stage> = Arc::new(stage::Live::new(Arc::clone(engine))?);
    let left = run::on_terminal(&stage, options)?.over(remembered()).left_over(store);
    if let Err(failure) = engine::state::remember(&left.text()) {
        // A habit is lost, and nothing else.
        terminal::tell(&failure.to_string());
    }
    Ok(())
}

/// Whether a screen can be as the configuration says; gives what a person should know of it.
pub fn check(wishes: &Screen) -> Result<Vec<Notice>, Failure> {
    keys::Keymap::with(&wishes.keys)?;
    let (themes, failures) = themes();
    let unknown = wishes.theme.as_deref().and_then(|name| unknown_theme(&themes, name));
    Ok(failures.into_iter().chain(unknown).collect())
}

/// The themes that there are, and what is wrong with the user's own.
fn themes() -> (Vec<theme::Theme>, Vec<Notice>) {
    let folder = engine::settings::config_folder().map(|folder| folder.join("themes"));
    let (themes, failures) = theme::all(folder.as_deref());
    (themes, failures.iter().map(ToString::to_string).collect())
}

/// What is said of a theme that is none of them.
fn unknown_theme(themes: &[theme::Theme], name: &str) -> Option<Notice> {
    let names: Vec<_> = themes.iter().map(|theme| &theme.name[..]).collect();
    (!names.contains(&name)).then(|| format!("there is no theme `{name}`; there are {}", names.join(", ")))
}

/// How a screen was left the last time.
fn remembered() -> state::State {
    engine::state::remembered().map_or_else(state::State::default, |text| state::State::parse(&text))
}

/// How the screen looks at its start: the theme that was chosen, else the one that is configured, else the one for the
/// terminal's background.
fn look(configured: Option<&str>, state: &state::State, notices: &mut Vec<String>) -> (look::Look, Vec<KeyEvent>) {
    let (themes, failures) = themes();
    notices.extend(failures);
    notices.extend(configured.and_then(|name| unknown_theme(&themes, name)));
    // They are looked at until the process ends.
    let look = look::Look { themes: Box::leak(themes.into_boxed_slice()), ..look::Look::from_environment() };
    let known = |name: &&str| look.themes.iter().any(|theme| theme.name == **name);
    match state.theme.as_deref().or(configured).filter(known) {
        Some(name) => (look.themed(name), Vec::new()),
        None if !look.colour => (look, Vec::new()),
        None => {
            let (is_light, typed) = background::is_light();
            (look.themed(if is_light { "light" } else { "dark" }), typed)
        }
    }
}
