//! All providers that creel knows.

use std::sync::OnceLock;

use super::{Provider, Request};
use crate::record::Failure;

/// The files of `assets/providers/`, name and text, listed by the build script.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/providers.rs"));

/// The providers, by name.
#[derive(Debug)]
pub struct Catalog(Vec<Provider>);

impl Catalog {
    /// The catalog that creel comes with.
    pub fn builtin() -> Result<&'static Self, Failure> {
        static CATALOG: OnceLock<Result<Catalog, Failure>> = OnceLock::new();
        let read =
            || FILES.iter().map(|(name, text)| Provider::parse(name, text)).collect::<Result<_, _>>().map(Catalog);
        CATALOG.get_or_init(read).as_ref().map_err(Clone::clone)
    }

    /// The provider of that name.
    pub fn get(&self, name: &str) -> Option<&Provider> {
        self.0.iter().find(|provider| provider.name() == name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Provider> {
        self.0.iter()
    }

    /// The name nearest to one that is not there, where one is near.
    pub fn nearest(&self, name: &str) -> Option<&str> {
        let near = |provider: &&Provider| strsim::jaro_winkler(name, provider.name());
        let best = self.0.iter().max_by(|a, b| near(a).total_cmp(&near(b)))?;
        (near(&best) > 0.75).then(|| best.name())
    }

    /// Whose request this is, by its headers: the provider most of whose marks are there. None where two have as many.
    pub fn detect(&self, request: &Request<'_>) -> Option<&Provider> {
        let mut best: Option<(usize, &Provider)> = None;
        let mut tie = false;
        for provider in &self.0 {
            let Some(marks) = provider.recognises(request) else { continue };
            match best {
                Some((most, _)) if marks < most => {}
                Some((most, _)) if marks == most => tie = true,
                _ => (best, tie) = (Some((marks, provider)), false),
            }
        }
        best.filter(|_| !tie).map(|(_, provider)| provider)
    }
}
