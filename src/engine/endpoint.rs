//! Endpoints: which path belongs to whom.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::{forward::Forward, target::Target};
use super::{
    guard::Guard,
    respond::{Respond, Standing},
};
use crate::{
    record::{Capture, Flag, Flags, Summary, Verdict},
    verify::{Provider, Secret},
};

/// The name of the open bin: where a request goes that no endpoint's path takes.
pub const OPEN_BIN: &str = "default";

/// One way in: a path and all below it, with what is known of those who send there.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Shown in the list.
    pub name: String,
    /// This path and all below it.
    pub path: String,
    /// Who sends there; detected from the headers where none is named.
    pub provider: Option<String>,
    /// Its secrets, tried in order.
    pub secrets: Vec<Secret>,
    /// Where a further secret should have come from and none was: variables that are not set.
    pub unset: Vec<String>,
    /// The URL as the sender knows it, for schemes that sign it.
    pub url: Option<String>,
    /// The app that captures are resent to.
    pub app: Option<Target>,
    /// Where captures go by themselves.
    pub forwards: Vec<Arc<Forward>>,
    /// What is answered after the commit.
    pub respond: Standing,
    /// Who may come in; none: everybody.
    pub guard: Option<Arc<Guard>>,
    /// Whether what does not pass its check is answered with 401. It is kept all the same.
    pub strict: bool,
    /// Whether the provider's handshakes are answered in its place.
    pub handshake: bool,
    /// What the provider was told to send with a handshake, where it sends such a thing.
    pub verify_token: Option<Secret>,
    /// Secrets that handshakes have handed over. They live as long as creel runs.
    pub learned: Learned,
    /// Whose signatures were right here since creel runs.
    pub proven: Proven,
}

/// Providers whose signatures the secrets were right for: so a wrong one is hardly the secret's fault.
#[derive(Clone, Debug, Default)]
pub struct Proven(Arc<RwLock<Vec<String>>>);

impl Proven {
    /// Notes whose signature was right, where one was.
    pub fn note(&self, provider: &Provider, verdict: Verdict) {
        if verdict == Verdict::Passed && !self.has(provider.name()) {
            self.0.write().unwrap_or_else(PoisonError::into_inner).push(provider.name().to_owned());
        }
    }

    /// Whether one of that provider was right.
    pub fn has(&self, provider: &str) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).iter().any(|known| known == provider)
    }
}

/// Secrets that were handed over by handshakes, where none is configured.
#[derive(Clone, Debug, Default)]
pub struct Learned(Arc<Mutex<Vec<Secret>>>);

impl Learned {
    /// How many are kept: hooks of one endpoint.
    const MOST: usize = 16;

    fn all(&self) -> Vec<Secret> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn add(&self, secret: Secret) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() < Self::MOST {
            all.push(secret);
        }
    }
}

impl Endpoint {
    /// The open bin.
    pub fn open_bin() -> Self {
        Self {
            name: OPEN_BIN.to_owned(),
            path: "/".to_owned(),
            provider: None,
            secrets: Vec::new(),
            unset: Vec::new(),
            url: None,
            app: None,
            forwards: Vec::new(),
            respond: Standing::new(Respond::default()),
            guard: None,
            strict: false,
            handshake: true,
            verify_token: None,
            learned: Learned::default(),
            proven: Proven::default(),
        }
    }

    /// Its secrets: the configured ones, else those that were learned.
    pub fn known_secrets(&self) -> std::borrow::Cow<'_, [Secret]> {
        if self.secrets.is_empty() { self.learned.all().into() } else { (&self.secrets[..]).into() }
    }

    /// Keeps a secret that a handshake handed over. A configured one is never put aside for it: anybody could send one.
    pub(super) fn learn(&self, secret: Secret) {
        if self.secrets.is_empty() {
            self.learned.add(secret);
        }
    }

    /// The same, with what the one of before has learned and counted.
    fn after(&self, before: &Self) -> Self {
        let guard = self.guard.as_ref().map(|guard| match &before.guard {
            Some(before) => Arc::new(guard.after(before)),
            None => Arc::clone(guard),
        });
        Self { learned: before.learned.clone(), guard, ..self.clone() }
    }

    /// Whether a request's path is the endpoint's or below it: `/a` takes `/a`, `/a/` and `/a/b`, not `/ab`.
    fn takes(&self, path: &str) -> bool {
        let own = self.path.trim_end_matches('/');
        path.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// All endpoints, longest path first.
#[derive(Clone, Debug)]
pub struct Endpoints(Arc<[Arc<Endpoint>]>);

impl Endpoints {
    /// The endpoints, with the open bin added where none takes every path.
    pub fn new(mut endpoints: Vec<Endpoint>) -> Self {
        if !endpoints.iter().any(|e| e.path == "/") {
            endpoints.push(Endpoint::open_bin());
        }
        endpoints.sort_by_key(|e| std::cmp::Reverse(e.path.trim_end_matches('/').len()));
        Self(endpoints.into_iter().map(Arc::new).collect())
    }

    /// The same, with what endpoints of these names have learned by handshakes and counted by their rates before.
    pub(super) fn after(self, before: &Self) -> Self {
        let after = |endpoint: Arc<Endpoint>| match before.named(&endpoint.name) {
            Some(old) => Arc::new(endpoint.after(old)),
            None => endpoint,
        };
        Self(self.0.iter().cloned().map(after).collect())
    }

    /// The endpoint of a path: the longest match; else the open bin, for `*` and the like.
    pub fn route(&self, path: &str) -> &Arc<Endpoint> {
        self.0.iter().find(|e| e.takes(path)).unwrap_or(&self.0[self.0.len() - 1])
    }

    /// The endpoint of what came by one of that name on that path: that one. Where there is none of that name now, or it is the one
    /// for all that no other takes, the one that takes the path now: who saw something come writes an endpoint for it then.
    pub fn of(&self, name: &str, path: &str) -> &Arc<Endpoint> {
        let takes_the_rest = |endpoint: &&Arc<Endpoint>| endpoint.path.trim_end_matches('/').is_empty();
        self.named(name).filter(|endpoint| !takes_the_rest(endpoint)).unwrap_or_else(|| self.route(path))
    }

    /// The endpoint of what lies in the store. What was imported for one is of that one, even where it takes all paths: the path
    /// of another bin says nothing here.
    fn of_stored(&self, name: &str, path: &str, flags: Flags) -> &Arc<Endpoint> {
        let is_told = name != OPEN_BIN && flags.contains(Flag::Imported);
        self.named(name).filter(|_| is_told).unwrap_or_else(|| self.of(name, path))
    }

    /// The endpoint of a capture.
    pub fn of_capture(&self, capture: &Capture) -> &Arc<Endpoint> {
        self.of_stored(&capture.endpoint, &capture.head.path(), capture.flags)
    }

    /// The endpoint of a row of the list.
    pub fn of_row(&self, row: &Summary) -> &Arc<Endpoint> {
        self.of_stored(&row.endpoint, &row.path, row.flags)
    }

    /// The endpoint of that name.
    pub fn named(&self, name: &str) -> Option<&Arc<Endpoint>> {
        self.0.iter().find(|e| e.name == name)
    }

    /// All of them, longest path first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Endpoint>> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints(paths: &[&str]) -> Endpoints {
        let rows = paths.iter().map(|path| Endpoint {
            name: (*path).to_owned(),
            path: (*path).to_owned(),
            ..Endpoint::open_bin()
        });
        Endpoints::new(rows.collect())
    }

    #[test]
    fn the_longest_path_that_takes_it_wins() {
        let endpoints = endpoints(&["/a", "/a/b", "/c/"]);
        for (path, name) in [
            ("/a", "/a"),
            ("/a/", "/a"),
            ("/a/b", "/a/b"),
            ("/a/b/c", "/a/b"),
            ("/ab", OPEN_BIN),
            ("/c", "/c/"),
            ("/c/d", "/c/"),
            ("/", OPEN_BIN),
            ("*", OPEN_BIN),
            ("", OPEN_BIN),
        ] {
            assert_eq!(endpoints.route(path).name, name, "{path}");
        }
    }

    #[test]
    fn what_came_before_its_endpoint_was_configured_is_of_it() {
        let endpoints = endpoints(&["/a", "/b"]);
        for (name, path, expected) in [
            (OPEN_BIN, "/a/x", "/a"),
            ("gone", "/a", "/a"),
            ("/b", "/a", "/b"),
            (OPEN_BIN, "/c", OPEN_BIN),
            ("", "*", OPEN_BIN),
        ] {
            assert_eq!(endpoints.of(name, path).name, expected, "{name} {path}");
        }
    }

    #[test]
    fn what_was_imported_for_an_endpoint_is_of_it_though_another_takes_its_path() {
        let endpoints = endpoints(&["/", "/b"]);
        let imported: Flags = [Flag::Imported].into_iter().collect();
        for (name, path, flags, expected) in [
            ("/", "/b", imported, "/"),
            ("/", "/b", Flags::default(), "/b"),
            ("gone", "/b", imported, "/b"),
            (OPEN_BIN, "/b", imported, "/b"),
        ] {
            assert_eq!(endpoints.of_stored(name, path, flags).name, expected, "{name} {path}");
        }
    }

    #[test]
    fn an_endpoint_at_the_root_is_the_open_bin() {
        let endpoints = endpoints(&["/", "/x"]);
        assert_eq!(endpoints.iter().count(), 2);
        assert_eq!(endpoints.route("/y").name, "/");
    }
}
