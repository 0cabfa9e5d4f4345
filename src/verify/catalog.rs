//! All providers.

use std::{collections::HashMap, sync::OnceLock};

use super::{Provider, Request, provider::nearest};
use crate::record::Failure;

/// The files of `assets/providers/`: name and text, listed by `build.rs`.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/providers.rs"));

/// Below this likeness (0 to 1) a name is not taken for another one misspelled.
const ALIKE: f64 = 0.8;

/// The providers that creel knows, by name.
#[derive(Debug)]
pub struct Catalog {
    /// In the order of their names.
    providers: Vec<Provider>,
    /// The detection rules by the name of a header without which they cannot hold: provider and rule.
    rules: HashMap<String, Vec<(usize, usize)>>,
    /// Those that need no header: tried where no other holds.
    body_rules: Vec<(usize, usize)>,
}

impl Catalog {
    /// The providers that are built in. Read at the first call.
    pub fn builtin() -> Result<&'static Self, Failure> {
        static BUILTIN: OnceLock<Result<Catalog, Failure>> = OnceLock::new();
        let read = || FILES.iter().map(|(name, text)| Provider::parse(name, text)).collect::<Result<Vec<_>, _>>();
        BUILTIN.get_or_init(|| read().map(Self::new)).as_ref().map_err(Clone::clone)
    }

    /// A catalog of these providers.
    pub fn new(mut providers: Vec<Provider>) -> Self {
        providers.sort_by(|a, b| a.name().cmp(b.name()));
        let mut rules: HashMap<String, Vec<(usize, usize)>> = HashMap::new();
        let mut body_rules = Vec::new();
        for (at, provider) in providers.iter().enumerate() {
            for (rule_at, rule) in provider.rules.iter().enumerate() {
                match rule.first_header() {
                    Some(name) => rules.entry(name.to_owned()).or_default().push((at, rule_at)),
                    None => body_rules.push((at, rule_at)),
                }
            }
        }
        Self { providers, rules, body_rules }
    }

    /// The provider of that name.
    pub fn get(&self, name: &str) -> Option<&Provider> {
        let at = self.providers.binary_search_by(|provider| provider.name().cmp(name)).ok()?;
        self.providers.get(at)
    }

    /// All providers, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Provider> {
        self.providers.iter()
    }

    /// The name that was probably meant.
    pub fn nearest(&self, name: &str) -> Option<&str> {
        nearest(&name.to_ascii_lowercase(), self.providers.iter().map(Provider::name), ALIKE)
    }

    /// The provider whose marks a request bears. Where the rules of several hold, the one that asks for all that the
    /// others ask for and more is meant (GitLab's requests are Standard Webhooks with a header of its own); where there
    /// is no such one, nobody is.
    pub fn detect(&self, request: &Request<'_>) -> Option<&Provider> {
        let mut name = String::new();
        let mut held: Vec<(usize, usize)> = Vec::new();
        for header in request.headers {
            name.clear();
            name.extend(header.name.iter().map(|b| char::from(b.to_ascii_lowercase())));
            let Some(candidates) = self.rules.get(&name) else { continue };
            let fresh = candidates.iter().filter(|&&(p, r)| self.providers[p].rules[r].holds(request));
            held.extend(fresh.copied());
        }
        if held.is_empty() {
            let holds = |&&(p, r): &&(usize, usize)| self.providers[p].rules[r].holds(request);
            held.extend(self.body_rules.iter().filter(holds));
        }
        let narrowest = held.iter().find(|best| held.iter().all(|other| self.is_at_least(**best, *other)))?;
        self.providers.get(narrowest.0)
    }

    fn is_at_least(&self, best: (usize, usize), other: (usize, usize)) -> bool {
        let rule = |(provider, rule): (usize, usize)| &self.providers[provider].rules[rule];
        best.0 == other.0 || rule(best).is_narrower_than(rule(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Headers, Timestamp};

    fn provider(name: &str, detect: &str) -> Provider {
        let file = format!(
            "title = 'A'\ndocs = ''\nconfidence = 'low'\n{detect}\n[[scheme]]\nalgorithm = 'token'\nencoding = \
             'text'\nsignature = {{ in = ['header:X'] }}"
        );
        Provider::parse(name, &file).unwrap()
    }

    fn detected(catalog: &Catalog, headers: &[(&str, &str)]) -> Option<String> {
        let headers: Headers = headers.iter().copied().collect();
        let request = Request {
            method: "POST",
            url: None,
            target: b"/",
            headers: &headers,
            body: b"",
            truncated: false,
            rewritten: false,
            received_at: Timestamp::default(),
        };
        catalog.detect(&request).map(|provider| provider.name().to_owned())
    }

    #[test]
    fn the_more_exact_rule_wins_and_a_tie_is_silent() {
        let catalog = Catalog::new(vec![
            provider("wide", "[[detect]]\nwith = ['X-Sig']"),
            provider("narrow", "[[detect]]\nwith = ['x-sig', 'X-Kind: push*']"),
            provider("other", "[[detect]]\nwith = ['X-Other']\nwithout = ['X-Quiet']\n[[detect]]\nwith = ['X-Alias']"),
            provider("never", ""),
        ]);
        for (headers, expected) in [
            (&[("X-Sig", "1")][..], Some("wide")),
            (&[("x-kind", "pushed"), ("X-SIG", "1")], Some("narrow")),
            (&[("X-Kind", "pull"), ("X-Sig", "1")], Some("wide")),
            (&[("X-Sig", "1"), ("X-Sig", "2")], Some("wide")),
            (&[("X-Sig", "1"), ("X-Other", "1")], None),
            (&[("X-Other", "1"), ("X-Alias", "1")], Some("other")),
            (&[("X-Other", "1"), ("X-Quiet", "1")], None),
            (&[], None),
        ] {
            assert_eq!(detected(&catalog, headers).as_deref(), expected, "{headers:?}");
        }
    }

    #[test]
    fn a_misspelled_name_finds_its_neighbour() {
        let catalog = Catalog::builtin().unwrap();
        assert_eq!(catalog.nearest("strip"), Some("stripe"));
        assert_eq!(catalog.nearest("GitHub"), Some("github"));
        assert_eq!([catalog.nearest("zzz"), catalog.nearest("nope")], [None, None]);
        assert_eq!([catalog.nearest("shopfy"), catalog.nearest("git-hub")], [Some("shopify"), Some("github")]);
        assert!(catalog.get("stripe").is_some() && catalog.get("strip").is_none());
    }
}
