//! What the screen knows.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{detail::Detail, keys::Mode, list::List, look::Look, prompt::Prompt, stage::Place};
use crate::{
    query::Filter,
    record::{CaptureId, Counters, Failure, Timestamp, Zone},
};

/// Everything that is drawn, and what `update` must remember.
pub(super) struct Model {
    /// Columns and rows of the terminal.
    pub(super) size: (u16, u16),
    pub(super) place: Place,
    /// The apps of the endpoints that have one.
    pub(super) apps: BTreeMap<String, String>,
    pub(super) zone: Zone,
    pub(super) look: Look,
    /// The time, as of the last frame.
    pub(super) now: Timestamp,
    pub(super) panes: Panes,
    pub(super) mode: Mode,
    /// Where help was asked from.
    pub(super) before_help: Mode,
    pub(super) help_scroll: usize,
    pub(super) list: List,
    pub(super) detail: Detail,
    pub(super) counters: Counters,
    /// The last good filter.
    pub(super) filter: Option<Arc<Filter>>,
    /// What is being typed, where something is.
    pub(super) prompt: Option<Prompt>,
    pub(super) notice: Option<Notice>,
    /// Captures that are on their way to an app.
    pub(super) sending: BTreeSet<CaptureId>,
    /// Whether all that is marked is on its way.
    pub(super) sending_marked: bool,
    /// The URL that was last resent to.
    pub(super) last_url: Option<String>,
    /// Whether something was committed since the last page was asked for.
    pub(super) rung: bool,
    pub(super) server_ended: bool,
}

/// How the room is divided, and what is shown in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Panes {
    /// How many percent of the width the list has; none: as much as its columns use.
    pub(super) share: Option<u16>,
    /// Whether the pane that has the keys has all the room.
    pub(super) zoomed: bool,
    /// Whether times are told by how long ago they were.
    pub(super) relative: bool,
}

/// A word to the user, until the next key.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    pub(super) tone: Tone,
    pub(super) text: String,
    pub(super) hint: Option<String>,
}

/// How a notice is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Bad,
    Plain,
}

impl Notice {
    pub(super) fn of(failure: &Failure) -> Self {
        Self { tone: Tone::Bad, text: format!("{}: {}", failure.doing, failure.why), hint: failure.hint.clone() }
    }
}

impl Model {
    pub(super) fn new(place: Place, zone: Zone, look: Look, size: (u16, u16)) -> Self {
        Self {
            size,
            place,
            apps: BTreeMap::new(),
            zone,
            look,
            now: Timestamp::default(),
            panes: Panes::default(),
            mode: Mode::List,
            before_help: Mode::List,
            help_scroll: 0,
            list: List::default(),
            detail: Detail::default(),
            counters: Counters::default(),
            filter: None,
            prompt: None,
            notice: None,
            sending: BTreeSet::new(),
            sending_marked: false,
            last_url: None,
            rung: true,
            server_ended: false,
        }
    }
}
