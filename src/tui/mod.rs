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
mod copy;
mod detail;
mod effect;
mod keys;
mod layout;
mod line;
mod list;
mod look;
mod model;
mod msg;
mod palette;
mod prompt;
mod run;
mod sheet;
mod stage;
mod terminal;
#[cfg(test)]
mod tests;
mod theme;
mod update;
mod view;

use std::sync::Arc;

pub use keys::help as key_help;

use crate::{engine::Engine, record::Failure};

/// Shows the screen until the user quits, or the process is asked to end.
pub fn show(engine: &Arc<Engine>) -> Result<(), Failure> {
    let options = run::Options {
        place: stage::place(engine),
        apps: stage::apps(engine),
        notices: engine.notices().to_vec(),
        zone: crate::engine::zone(),
        look: look(),
        clipboard: copy::to_terminal,
    };
    let stage: Arc<dyn stage::Stage> = Arc::new(stage::Live::new(Arc::clone(engine))?);
    run::on_terminal(&stage, options)
}

/// How the screen looks at its start.
fn look() -> look::Look {
    let (themes, _) =
        theme::all(crate::engine::settings::config_folder().map(|folder| folder.join("themes")).as_deref());
    // They are looked at until the process ends.
    let look = look::Look { themes: Box::leak(themes.into_boxed_slice()), ..look::Look::from_environment() };
    look.themed("dark")
}
