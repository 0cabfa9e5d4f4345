//! What the screen knows of the configuration, at its start and whenever that is read again.

use std::collections::BTreeMap;

use super::{keys::Keymap, list::Had, model::Model};
use crate::{
    engine::{
        Engine,
        filters::Filters,
        preview::{self, Lens},
        target::Targets,
    },
    record::Failure,
};

/// What the screen knows of the configuration.
#[derive(Debug)]
pub(super) struct Configured {
    /// The apps of the endpoints that have one.
    pub(super) apps: BTreeMap<String, String>,
    /// The programs of the endpoints' forwards.
    pub(super) lenses: BTreeMap<String, Vec<Lens>>,
    pub(super) targets: Targets,
    /// What the list has a column for.
    pub(super) had: Had,
    /// Filters that have names.
    pub(super) filters: Filters,
    /// The keys, or what is wrong with them.
    pub(super) keys: Result<Keymap, Failure>,
    pub(super) theme: Option<String>,
}

impl Configured {
    pub(super) fn of(engine: &Engine) -> Self {
        let screen = engine.screen();
        Self {
            apps: apps(engine),
            lenses: lenses(engine),
            targets: engine.targets(),
            had: had(engine),
            filters: Filters::with(&screen.filters),
            keys: Keymap::with(&screen.keys),
            theme: screen.theme.clone(),
        }
    }
}

/// The apps of the endpoints that have one.
fn apps(engine: &Engine) -> BTreeMap<String, String> {
    let endpoints = engine.endpoints();
    endpoints.iter().filter_map(|endpoint| Some((endpoint.name.clone(), endpoint.app.as_ref()?.url.clone()))).collect()
}

/// The programs of the endpoints' forwards, by endpoint.
fn lenses(engine: &Engine) -> BTreeMap<String, Vec<Lens>> {
    let endpoints = engine.endpoints();
    let of = |name: &str| (name.to_owned(), preview::lenses(&endpoints, name));
    endpoints.iter().map(|endpoint| of(&endpoint.name)).collect()
}

/// What the list has a column for from the beginning, by the configuration: an app, a provider, or an endpoint beside the open bin.
fn had(engine: &Engine) -> Had {
    let endpoints = engine.endpoints();
    Had {
        endpoints: endpoints.iter().count() > 1,
        events: endpoints.iter().any(|endpoint| endpoint.provider.is_some()),
        took: endpoints.iter().any(|endpoint| endpoint.app.is_some()),
    }
}

impl Model {
    /// Goes by another configuration from now on. Where its keys cannot be, they stay as they are, and why is given; a theme that
    /// was chosen by key stays chosen.
    pub(super) fn follow(&mut self, configured: Configured) -> Result<(), Failure> {
        let Configured { apps, lenses, targets, had, filters, keys, theme } = configured;
        (self.apps, self.lenses, self.targets, self.shelf.named) = (apps, lenses, targets, filters);
        self.list.had = self.list.had.or(had);
        if let Some(name) = theme.filter(|_| !self.theme_chosen) {
            self.look = self.look.themed(&name);
        }
        self.keys = keys?;
        Ok(())
    }
}
