//! What the screen knows.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    deleted::Deleted,
    detail::Detail,
    draft::Draft,
    export::Export,
    filters::Shelf,
    hint,
    keys::{Keymap, Mode},
    line::{Piece, Pieces, paragraph, piece},
    list::List,
    look::{Look, Paint},
    news::News,
    palette::Palette,
    prompt::Prompt,
    sheet::Sheet,
    stage::{Door, Place},
    stats::{self, Pulse},
};
use crate::{
    body,
    engine::{Transform, endpoint::Endpoints, target::Targets},
    query::Filter,
    record::{CaptureId, Counters, Failure, Timestamp, Zone},
};

/// Everything that is drawn, and what `update` must remember.
pub(super) struct Model {
    /// Columns and rows of the terminal.
    pub(super) size: (u16, u16),
    pub(super) place: Place,
    /// Whose apps and programs captures go to and through.
    pub(super) endpoints: Endpoints,
    /// The program that was typed last.
    pub(super) program: Option<Transform>,
    /// Places to send to that have a name.
    pub(super) targets: Targets,
    pub(super) zone: Zone,
    pub(super) look: Look,
    /// The time, as of the last frame.
    pub(super) now: Timestamp,
    pub(super) panes: Panes,
    pub(super) keys: Keymap,
    /// Whether the user chose the theme, rather than creel by the background.
    pub(super) theme_chosen: bool,
    /// Whether the mouse is taken, and whether the border between list and detail is being dragged.
    pub(super) mouse: bool,
    pub(super) dragging: bool,
    pub(super) pulse: Pulse,
    pub(super) stats: stats::Shown,
    pub(super) mode: Mode,
    /// Where help was asked from.
    pub(super) before_help: Mode,
    pub(super) help_scroll: usize,
    /// The capture whose URL is to be opened once it has been read.
    pub(super) browses: Option<CaptureId>,
    /// The words that all that is shown of the help must have.
    pub(super) help_words: String,
    pub(super) list: List,
    pub(super) detail: Detail,
    pub(super) counters: Counters,
    pub(super) door: Door,
    /// The last good filter.
    pub(super) filter: Option<Arc<Filter>>,
    /// What helps to type one.
    pub(super) shelf: Shelf,
    /// What is being typed, where something is.
    pub(super) prompt: Option<Prompt>,
    /// The palette, where it is open.
    pub(super) palette: Option<Palette>,
    /// What lies over list and detail.
    pub(super) sheet: Option<Sheet>,
    /// The capture that the next one is compared with.
    pub(super) held: Option<CaptureId>,
    /// Captures that are deleted when creel is left.
    pub(super) deleted: Deleted,
    /// The commands that bodies were given to, newest first, each once.
    pub(super) commands: Vec<String>,
    /// Requests that were edited and are not dropped yet.
    pub(super) drafts: BTreeMap<CaptureId, Draft>,
    pub(super) notice: Option<Notice>,
    pub(super) news: News,
    /// Captures that are on their way to an app.
    pub(super) sending: BTreeSet<CaptureId>,
    /// What is being written to a file.
    pub(super) exporting: Option<Export>,
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

/// How many rows each of a notice's two parts has at most, and how many of the terminal it takes for each of them.
const NOTICE_ROWS: usize = 3;
const ROWS_FOR_EACH: u16 = 6;

/// A word to the user, until the next key.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    pub(super) tone: Tone,
    pub(super) text: String,
    /// What helps; `{undo}` stands for the key of that command.
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
        Self {
            tone: Tone::Bad,
            text: format!("{}: {}", failure.doing, failure.why),
            hint: failure.hint.clone().and_then(hint::here),
        }
    }

    /// Its rows on a terminal of that size: where there is room, the words are wrapped and not cut.
    pub(super) fn rows(&self, size: (u16, u16), keys: &Keymap) -> Vec<Pieces> {
        let paint = match self.tone {
            Tone::Good => Paint::Good,
            Tone::Bad => Paint::Bad,
            Tone::Plain => Paint::Warning,
        };
        let (columns, most) = (usize::from(size.0).saturating_sub(2), most_rows(size.1));
        // A notice may be several lines of words; the first is shown.
        let text = self.text.lines().next().unwrap_or_default();
        let hint = self.hint.iter().map(|hint| keys.told(hint).replace('\n', " "));
        let hint = hint.flat_map(|hint| at_most(Paint::Dim, &hint, columns, most));
        at_most(paint, text, columns, most).into_iter().chain(hint).collect()
    }
}

/// How many rows words have at most on a terminal of so many rows.
pub(super) fn most_rows(rows: u16) -> usize {
    usize::from(rows / ROWS_FOR_EACH).clamp(1, NOTICE_ROWS)
}

/// Words in at most so many rows; what goes on in one more is cut.
pub(super) fn at_most(paint: Paint, text: &str, columns: usize, most: usize) -> Vec<Pieces> {
    let mut rows = paragraph(paint, text, columns);
    if rows.len() > most {
        rows.truncate(most - 1);
        let escaped = body::escape(text);
        // The rest of the words unwrapped, so that the last row is filled.
        let behind = |rest: &'_ str, row: &Pieces| -> usize {
            let end: usize = row.iter().map(|piece| piece.text.len()).sum();
            end + usize::from(rest.get(end..).is_some_and(|rest| rest.starts_with(' ')))
        };
        let end = rows.iter().fold(0, |end, row| end + behind(escaped.get(end..).unwrap_or_default(), row));
        let rest = escaped.get(end..).unwrap_or_default();
        rows.push(vec![Piece { paint, text: body::fit(rest, columns) }]);
    }
    rows.into_iter().map(|row| [vec![piece(paint, " ")], row].concat()).collect()
}

impl Model {
    pub(super) fn new(place: Place, zone: Zone, look: Look, size: (u16, u16)) -> Self {
        Self {
            size,
            place,
            endpoints: Endpoints::new(Vec::new()),
            program: None,
            targets: Targets::default(),
            zone,
            look,
            now: Timestamp::default(),
            panes: Panes::default(),
            keys: Keymap::default(),
            theme_chosen: false,
            mouse: true,
            dragging: false,
            pulse: Pulse::default(),
            stats: stats::Shown::default(),
            mode: Mode::List,
            before_help: Mode::List,
            help_scroll: 0,
            browses: None,
            help_words: String::new(),
            list: List::default(),
            detail: Detail::default(),
            counters: Counters::default(),
            door: Door::default(),
            filter: None,
            shelf: Shelf::default(),
            prompt: None,
            palette: None,
            sheet: None,
            held: None,
            deleted: Deleted::default(),
            commands: Vec::new(),
            drafts: BTreeMap::new(),
            notice: None,
            news: News::default(),
            sending: BTreeSet::new(),
            exporting: None,
            sending_marked: false,
            last_url: None,
            rung: true,
            server_ended: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_wrapped_where_there_is_room_and_cut_where_there_is_none() {
        let text = "forwarding a → b pauses: 5 tries failed one after the other (connection refused: nothing listens)";
        let notice = Notice { tone: Tone::Bad, text: text.to_owned(), hint: Some("start the app".to_owned()) };
        let rows = |size| -> Vec<String> {
            let text = |row: Pieces| row.into_iter().map(|piece| piece.text).collect::<String>();
            notice.rows(size, &Keymap::default()).into_iter().map(text).collect()
        };
        assert_eq!(rows((120, 40)), [format!(" {text}"), " start the app".to_owned()]);
        let wrapped = rows((60, 40));
        assert_eq!((wrapped.len(), wrapped[..2].concat()), (3, format!(" {text}")), "{wrapped:?}");
        let cut = rows((30, 40));
        assert!(cut.len() == 4 && cut[2].ends_with('…') && cut.iter().all(|row| body::width(row) <= 29), "{cut:?}");
        assert!(
            cut[..3].concat().replace(' ', "").starts_with("forwardinga→bpauses:5triesfailedoneaftertheother"),
            "{cut:?}"
        );
        assert_eq!(rows((40, 10)).len(), 2, "where there are few rows, one for each");
        assert_eq!(rows((60, 15)).len(), 3, "and where there are some more, as many as it takes");
    }
}
