//! What the screen knows of the configuration, at its start and whenever that is read again.

use super::{keys::Keymap, list::Had, model::Model};
use crate::{
    engine::{Engine, endpoint::Endpoints, filters::Filters, target::Targets},
    record::Failure,
};

/// What the screen knows of the configuration.
#[derive(Debug)]
pub(super) struct Configured {
    pub(super) endpoints: Endpoints,
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
            endpoints: engine.endpoints(),
            targets: engine.targets(),
            had: had(engine),
            filters: Filters::with(&screen.filters),
            keys: Keymap::with(&screen.keys),
            theme: screen.theme.clone(),
        }
    }
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
        let Configured { endpoints, targets, had, filters, keys, theme } = configured;
        (self.endpoints, self.targets, self.shelf.named) = (endpoints, targets, filters);
        self.list.had = self.list.had.or(had);
        if let Some(name) = theme.filter(|_| !self.theme_chosen) {
            self.look = self.look.themed(&name);
        }
        self.keys = keys?;
        Ok(())
    }
}
