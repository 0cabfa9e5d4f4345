//! By what a request of the store or of a file is judged: the provider, the secrets and the URL of its endpoint, or others in
//! their place.

use super::{
    admit::{examine, judge},
    endpoint::Endpoints,
};
use crate::{
    record::{Capture, Judgement},
    verify::{Catalog, Provider, Request, Secret},
};

/// What a request is judged by.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Who should have sent it; none: told by its headers.
    pub provider: Option<String>,
    /// Who was said to have sent it when it came, where its headers tell nobody.
    told: Option<String>,
    /// The URL as the sender knows it.
    pub url: Option<String>,
    /// Tried in order.
    pub secrets: Vec<Secret>,
    /// Where a further secret should have come from, and did not.
    unset: Vec<String>,
    /// The endpoint it belongs to, and all of them: whose secrets may have been taken by mistake.
    endpoint: String,
    endpoints: Endpoints,
}

impl Terms {
    /// Those of no endpoint, to be filled.
    pub fn of_nobody() -> Self {
        Self {
            provider: None,
            told: None,
            url: None,
            secrets: Vec::new(),
            unset: Vec::new(),
            endpoint: String::new(),
            endpoints: Endpoints::new(Vec::new()),
        }
    }

    /// Those of a capture: its endpoint's, whose provider goes before the one that its headers tell, and that before the one
    /// that was told when it came. `tunnel`: the URL that leads here, where neither the endpoint has one nor it is known by
    /// which the capture came.
    pub fn of(capture: &Capture, endpoints: &Endpoints, tunnel: impl FnOnce() -> Option<String>) -> Self {
        let endpoint = endpoints.of_capture(capture);
        Self {
            provider: endpoint.provider.clone(),
            told: capture.provider.clone(),
            url: endpoint.url.clone().or_else(|| capture.judgement.url.clone()).or_else(tunnel),
            secrets: endpoint.known_secrets().into_owned(),
            unset: endpoint.unset.clone(),
            endpoint: endpoint.name.clone(),
            endpoints: endpoints.clone(),
        }
    }

    /// Whose signature is looked for, where somebody's is known.
    pub fn provider<'c>(&self, catalog: &'c Catalog, request: &Request<'_>) -> Option<&'c Provider> {
        match &self.provider {
            Some(name) => catalog.get(name),
            None => catalog.detect(request).or_else(|| catalog.get(self.told.as_deref()?)),
        }
    }

    /// What is to be said of a request.
    pub fn judge(&self, catalog: &Catalog, provider: &Provider, request: &Request<'_>) -> Judgement {
        let (judgement, _) = judge(catalog, Some(provider), request, &self.secrets, &self.unset);
        if let Some(endpoint) = self.endpoints.named(&self.endpoint) {
            endpoint.proven.note(provider, judgement.verdict);
        }
        judgement
    }

    /// Puts in why it did not pass, where that can be found out.
    pub fn examine(&self, catalog: &Catalog, provider: &Provider, request: &Request<'_>, judgement: &mut Judgement) {
        examine(catalog, provider, request, &self.secrets, &self.endpoints, &self.endpoint, judgement);
    }
}
