//! `[[endpoint]]`: one way in.

use std::{slice, sync::Arc};

use serde::Deserialize;
use toml::Spanned;

use super::{
    AskProviders, Named, Notice, forward,
    guard::{GuardRow, Table},
    known_provider, not_set,
    place::Place,
    read_secrets_at, respond,
};
use crate::{
    engine::{
        endpoint::{Endpoint, Learned, Proven},
        respond::{Standing, Words},
        secret::{Source, Sources},
    },
    record::Failure,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndpointRow {
    name: Spanned<String>,
    path: Spanned<String>,
    provider: Option<Spanned<String>>,
    secret: Option<Spanned<Sources>>,
    url: Option<Spanned<String>>,
    forward: Option<Spanned<forward::ForwardRows>>,
    respond: Option<Spanned<Words>>,
    guard: Option<Table<GuardRow>>,
    #[serde(default)]
    strict: bool,
    #[serde(default = "yes")]
    handshake: bool,
    verify_token: Option<Spanned<Source>>,
}

/// What is wrong with an address that is none.
pub(in crate::engine) const NO_URL: &str = "it is the whole URL as the sender knows it: https://HOST/PATH";

/// Whether a text is a URL that a sender can know an endpoint by.
pub(in crate::engine) fn is_url(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|host| !host.is_empty() && !host.starts_with('/') && !text.contains(char::is_whitespace))
}

fn yes() -> bool {
    true
}

fn check(
    place: &Place<'_>,
    row: &EndpointRow,
    before: &[Endpoint],
    providers: AskProviders<'_>,
) -> Result<(), Failure> {
    let path = row.path.get_ref();
    if !path.starts_with('/') || path.contains(['?', '#']) {
        return Err(place.at(&row.path.span(), format!("`{path}` is no path: it starts with / and has no query")));
    }
    if before.iter().any(|e| e.path.trim_end_matches('/') == path.trim_end_matches('/')) {
        return Err(place.at(&row.path.span(), format!("two endpoints have the path `{path}`")));
    }
    if let Some(url) = row.url.as_ref().filter(|url| !is_url(url.get_ref())) {
        return Err(place.at(&url.span(), NO_URL));
    }
    let name = row.name.get_ref();
    if name.trim().is_empty() {
        return Err(place.at(&row.name.span(), "an endpoint has a name, by which the list and filters call it"));
    }
    if before.iter().any(|e| e.name == *name) {
        return Err(place.at(&row.name.span(), format!("two endpoints are called `{name}`")));
    }
    if let Some(provider) = &row.provider {
        known_provider(provider.get_ref(), providers).map_err(|hint| {
            place.at(&provider.span(), format!("no provider is called `{}`", provider.get_ref())).hint(hint)
        })?;
    }
    Ok(())
}

impl EndpointRow {
    /// The endpoint, and what a person should know of it. `before` are those that stand above it in the file.
    pub(super) fn read(
        self,
        place: &Place<'_>,
        before: &[Endpoint],
        named: &Named<'_>,
    ) -> Result<(Endpoint, Vec<Notice>), Failure> {
        check(place, &self, before, named.providers)?;
        let name = self.name.into_inner();
        let (secrets, unset) = read_secrets_at(self.secret.as_ref(), |it| &it.0, place)?;
        let (tokens, more) = read_secrets_at(self.verify_token.as_ref(), slice::from_ref, place)?;
        let mut notices: Vec<_> = unset.iter().chain(&more).map(|source| not_set(source, &name)).collect();
        let (app, forwards) = forward::read(self.forward, &name, place, named)?;
        let respond = Standing::new(respond::read(self.respond, place)?);
        let guard = self.guard.map(|Table(row)| row.read(place, &name, named.providers)).transpose()?;
        let guard = guard.map(|(guard, more)| {
            notices.extend(more);
            Arc::new(guard)
        });
        let endpoint = Endpoint {
            name,
            path: self.path.into_inner(),
            provider: self.provider.map(Spanned::into_inner),
            secrets,
            unset,
            url: self.url.map(Spanned::into_inner),
            app,
            forwards,
            respond,
            handshake: self.handshake,
            verify_token: tokens.into_iter().next(),
            guard,
            strict: self.strict,
            learned: Learned::default(),
            proven: Proven::default(),
        };
        Ok((endpoint, notices))
    }
}
