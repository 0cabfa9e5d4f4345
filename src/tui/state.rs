//! What the screen remembers between its starts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{filters, list::ORDERS, model::Model};

/// What is remembered, as its file has it. What is missing is as at a first start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct State {
    pub(super) theme: Option<String>,
    /// How many percent of the width the list has.
    pub(super) share: Option<u16>,
    pub(super) zoomed: bool,
    pub(super) relative: bool,
    pub(super) grouped: bool,
    pub(super) order: Option<String>,
    pub(super) filter: Option<String>,
    /// The store that it was in force over, by its path.
    pub(super) store: Option<String>,
    /// Whether the mouse is left to the terminal.
    pub(super) no_mouse: bool,
    /// Filters that were used, newest first.
    pub(super) used: Vec<String>,
    /// Commands that bodies were given to, newest first.
    pub(super) commands: Vec<String>,
    /// Filters that were saved under a name. They are written when they are saved.
    pub(super) filters: BTreeMap<String, String>,
}

impl State {
    /// What is to be remembered of a screen.
    pub(super) fn of(model: &Model) -> Self {
        Self {
            theme: model.theme_chosen.then(|| model.look.theme.map(|theme| theme.name.clone())).flatten(),
            share: model.panes.share,
            zoomed: model.panes.zoomed,
            relative: model.panes.relative,
            grouped: model.list.grouped,
            order: Some(model.list.order.name().to_owned()),
            filter: model.filter.as_deref().map(|filter| filter.text().to_owned()),
            store: None,
            no_mouse: !model.mouse,
            used: model.shelf.used.clone(),
            commands: model.commands.clone(),
            filters: BTreeMap::new(),
        }
    }

    /// This state in a file that another screen may have written meanwhile: what it used and saved stays.
    #[must_use]
    pub(super) fn over(self, file: Self) -> Self {
        let both = |own: &[String], others: &[String]| filters::merged(own.iter().chain(others).map(|text| &text[..]));
        let (used, commands) = (both(&self.used, &file.used), both(&self.commands, &file.commands));
        Self { used, commands, filters: file.filters, ..self }
    }

    /// As a screen over that store begins: the filter of another would hide what nobody meant.
    #[must_use]
    pub(super) fn begun_over(self, store: &str) -> Self {
        let filter = self.filter.filter(|_| self.store.as_deref() == Some(store));
        Self { filter, ..self }
    }

    /// As a screen over that store was left.
    #[must_use]
    pub(super) fn left_over(self, store: String) -> Self {
        Self { store: Some(store), ..self }
    }

    /// Reads a file; one that is damaged is as none.
    pub(super) fn parse(text: &str) -> Self {
        toml::from_str(text).unwrap_or_default()
    }

    /// The file's text.
    pub(super) fn text(&self) -> String {
        toml::to_string(self).unwrap_or_default()
    }

    /// Puts a screen that begins into this state.
    pub(super) fn lay_over(&self, model: &mut Model) {
        if let Some(name) = &self.theme {
            model.look = model.look.themed(name);
            model.theme_chosen = true;
        }
        model.panes.share = self.share;
        model.panes.zoomed = self.zoomed;
        model.panes.relative = self.relative;
        model.list.grouped = self.grouped;
        let order = ORDERS.iter().find(|(_, name)| Some(*name) == self.order.as_deref());
        // A sort over all rows is not begun with: it is for a moment, and following is for every day.
        model.list.order = order.map_or_else(Default::default, |order| order.0);
        if model.list.order.is_sorted() {
            model.list.order = super::list::Order::Newest;
        }
        model.shelf.used.clone_from(&self.used);
        model.commands.clone_from(&self.commands);
        let filter = self.filter.as_deref().and_then(|text| model.shelf.named.parse(text).ok());
        model.filter = filter.filter(|filter| !filter.is_empty()).map(std::sync::Arc::new);
        model.mouse = !self.no_mouse;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_in_force_again_over_its_own_store_alone() {
        let left = State { filter: Some("sig:failed".to_owned()), zoomed: true, ..State::default() };
        assert_eq!(left.clone().begun_over("/a").filter, None, "nobody said over which");
        let left = State::parse(&left.left_over("/a".to_owned()).text());
        assert_eq!(left.clone().begun_over("/a"), left);
        assert_eq!(left.clone().begun_over("/b"), State { filter: None, ..left });
    }

    #[test]
    fn it_outlives_its_file_and_a_damaged_one_is_a_first_start() {
        let state = State {
            share: Some(40),
            filter: Some("sig:failed \"a\nb\"".to_owned()),
            used: vec!["@bad size>1k".to_owned(), "\"a \\\" b\"".to_owned()],
            commands: vec!["jq '.a | \"b\"'".to_owned()],
            filters: BTreeMap::from([("bad".to_owned(), "sig:failed".to_owned())]),
            ..State::default()
        };
        assert_eq!(State::parse(&state.text()), state);
        let (used, commands) = (vec!["x".to_owned()], vec!["wc".to_owned(), state.commands[0].clone()]);
        let left = State { used, commands, ..State::default() }.over(state.clone());
        assert_eq!((left.commands.len(), &left.commands[0][..]), (2, "wc"));
        assert_eq!((left.used.len(), &left.used[0][..], left.filters), (3, "x", state.filters));
        for damaged in ["", "\u{0}", "share = \"x\"", "share = 40\nfilter = [", "unknown = 1"] {
            assert_eq!(State::parse(damaged), State::default(), "{damaged:?}");
        }
    }
}
