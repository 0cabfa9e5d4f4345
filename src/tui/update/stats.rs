//! What happens to the statistics and to the last minute's beat.

use super::say;
use crate::{
    record::{CaptureId, Failure},
    store::{Beat, Stats},
    tui::{
        effect::Effect,
        keys::Mode,
        model::{Model, Notice},
        stats::{Pulse, WINDOWS},
        view,
    },
};

/// Opens the statistics, or closes them.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    if model.mode == Mode::Stats {
        model.mode = Mode::List;
    } else {
        model.mode = Mode::Stats;
        forget(model);
    }
    Vec::new()
}

/// Shows another time.
pub(super) fn turn(model: &mut Model, by: isize) -> Vec<Effect> {
    let count = WINDOWS.len() as isize;
    model.stats.window = (model.stats.window as isize + by).rem_euclid(count) as usize;
    forget(model);
    Vec::new()
}

/// Scrolls the statistics.
pub(super) fn scroll(model: &mut Model, rows: isize) -> Vec<Effect> {
    let last = view::last_stats_row(model);
    model.stats.scroll = model.stats.scroll.min(last).saturating_add_signed(rows).min(last);
    Vec::new()
}

/// What was counted is of another time.
fn forget(model: &mut Model) {
    model.stats.stats = None;
    model.stats.asked = false;
    model.stats.generation += 1;
}

/// Asks for the statistics where they are shown and due.
pub(super) fn ask(model: &mut Model) -> Vec<Effect> {
    let shown = &mut model.stats;
    let is_due = shown.stats.is_none() || shown.due(model.now) == 0;
    if model.mode != Mode::Stats || shown.asked || !is_due {
        return Vec::new();
    }
    shown.asked = true;
    let (since, until) = shown.span(model.now);
    vec![Effect::Stats { generation: shown.generation, since, until }]
}

/// Statistics came.
pub(super) fn came(model: &mut Model, generation: u64, stats: Result<Stats, Failure>) -> Vec<Effect> {
    if generation != model.stats.generation {
        return Vec::new();
    }
    model.stats.asked = false;
    model.stats.at = model.now;
    match stats {
        Ok(stats) => {
            model.stats.stats = Some(stats);
            Vec::new()
        }
        Err(failure) => {
            // What was counted before is told no longer, and not asked for again and again.
            model.stats.stats = Some(Stats::default());
            say(model, Notice::of(&failure))
        }
    }
}

/// Asks for what came since the last time.
pub(super) fn ask_for_beats(model: &mut Model) -> Option<Effect> {
    if model.pulse.asked {
        return None;
    }
    model.pulse.asked = true;
    Some(Effect::Beats { after: model.pulse.after, since: Pulse::since(model.now) })
}

/// What is new came.
pub(super) fn beats(model: &mut Model, beats: Result<(CaptureId, Vec<Beat>), Failure>) -> Vec<Effect> {
    model.pulse.asked = false;
    match beats {
        Ok((after, beats)) => {
            model.pulse.take(after, &beats);
            Vec::new()
        }
        Err(failure) => say(model, Notice::of(&failure)),
    }
}
