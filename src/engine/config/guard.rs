//! `guard`: who may come in by an endpoint.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor, value::MapAccessDeserializer},
};
use toml::Spanned;

use super::{AskProviders, Notice, known_provider, place::Place};
use crate::{
    engine::{
        guard::{Buckets, Guard, Key, Networks, Rate},
        secret::Source,
    },
    record::{Failure, grammar::is_token},
    verify::Secret,
};

/// The part of a minute's requests that may come at once, where nobody says.
const USUAL_BURST: u32 = 6;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GuardRow {
    token: Option<Source>,
    basic: Option<Table<BasicRow>>,
    header: Option<Table<HeaderRow>>,
    allow: Option<Spanned<Vec<Spanned<String>>>>,
    #[serde(default)]
    deny: Vec<Spanned<String>>,
    rate: Option<Table<RateRow>>,
    rate_per_address: Option<Table<RateRow>>,
    methods: Option<Spanned<Vec<Spanned<String>>>>,
    body_kib: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BasicRow {
    user: Spanned<String>,
    password: Source,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderRow {
    name: Spanned<String>,
    value: Source,
}

/// A table, and how it is written.
pub(super) trait Row {
    const WRITTEN: &'static str;
}

impl Row for GuardRow {
    const WRITTEN: &'static str = "{ token = { env = \"NAME\" } }, or with basic, header, allow, rate …";
}

impl Row for BasicRow {
    const WRITTEN: &'static str = "{ user = \"NAME\", password = { env = \"NAME\" } }";
}

impl Row for HeaderRow {
    const WRITTEN: &'static str = "{ name = \"NAME\", value = { env = \"NAME\" } }";
}

impl Row for RateRow {
    const WRITTEN: &'static str = "{ per_minute = 600 }, or with burst";
}

/// A table of keys. A text in its place is most likely a secret, and refused without being repeated.
pub(super) struct Table<T>(pub(super) T);

impl<'de, T: Row + Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(OneTable(PhantomData))
    }
}

struct OneTable<T>(PhantomData<T>);

impl<'de, T: Row + Deserialize<'de>> Visitor<'de> for OneTable<T> {
    type Value = Table<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::WRITTEN)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Table<T>, E> {
        Err(E::custom(format!("this is a table, and no secret stands in this file; write it as {}", T::WRITTEN)))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Table<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Table)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RateRow {
    per_minute: Spanned<u32>,
    burst: Option<u32>,
}

impl GuardRow {
    /// The guard. A key whose variable is not set lets nobody in: a door that was meant to be locked is not left open.
    pub(super) fn read(
        self,
        place: &Place<'_>,
        endpoint: &str,
        providers: AskProviders<'_>,
    ) -> Result<(Guard, Vec<Notice>), Failure> {
        let mut notices = Vec::new();
        let mut keys = Vec::new();
        let mut key = |source: &Source, make: &dyn Fn(Secret) -> Key| -> Result<(), Failure> {
            let secret = source.read()?;
            if secret.is_none() {
                let name = source.name();
                notices.push(format!("{name} is not set: nobody can come in by the endpoint `{endpoint}` with it"));
            }
            keys.push(make(secret.unwrap_or_else(|| Secret::new(Vec::new()))));
            Ok(())
        };
        if let Some(source) = &self.token {
            key(source, &Key::Token)?;
        }
        if let Some(Table(BasicRow { user, password })) = &self.basic {
            if user.get_ref().contains(':') {
                return Err(place.at(&user.span(), "a name of the Basic scheme has no colon"));
            }
            key(password, &|secret| Key::Basic(secret.after(format!("{}:", user.get_ref()).as_bytes())))?;
        }
        if let Some(Table(HeaderRow { name, value })) = &self.header {
            if !is_token(name.get_ref().as_bytes()) {
                return Err(place.at(&name.span(), format!("no header has the name `{}`", name.get_ref())));
            }
            key(value, &|secret| Key::Header(name.get_ref().clone(), secret))?;
        }
        let guard = Guard {
            methods: methods(some_of(self.methods.as_ref(), place)?, place)?,
            keys,
            allow: networks(some_of(self.allow.as_ref(), place)?, place, providers)?,
            deny: networks(&self.deny, place, providers)?,
            rate: self.rate.map(|Table(row)| row.read(place)).transpose()?.map(Buckets::new),
            rate_per_address: self.rate_per_address.map(|Table(row)| row.read(place)).transpose()?.map(Buckets::new),
            body_bytes: self.body_kib.map(|kib| kib.saturating_mul(1 << 10)),
        };
        Ok((guard, notices))
    }
}

impl RateRow {
    fn read(self, place: &Place<'_>) -> Result<Rate, Failure> {
        let per_minute = *self.per_minute.get_ref();
        if per_minute == 0 || self.burst == Some(0) {
            return Err(place.at(&self.per_minute.span(), "a rate of nothing lets nobody in"));
        }
        Ok(Rate { per_minute, burst: self.burst.unwrap_or((per_minute / USUAL_BURST).max(1)) })
    }
}

/// The rows of a list that lets in. An empty one reads as if it let in nobody, and one that is left out lets in all: a door
/// that was meant to be locked is not left open.
fn some_of<'r, T>(list: Option<&'r Spanned<Vec<T>>>, place: &Place<'_>) -> Result<&'r [T], Failure> {
    match list {
        Some(list) if list.get_ref().is_empty() => Err(place
            .at(&list.span(), "an empty list lets nobody in")
            .hint("name what is let in, or leave the key out to let in all")),
        list => Ok(list.map_or(&[], |list| list.get_ref())),
    }
}

fn methods(rows: &[Spanned<String>], place: &Place<'_>) -> Result<Vec<String>, Failure> {
    let is_one = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_uppercase() || b == b'-');
    rows.iter()
        .map(|row| match row.get_ref() {
            text if is_one(text) => Ok(text.clone()),
            text => Err(place.at(&row.span(), format!("`{text}` is no method: they are written like POST"))),
        })
        .collect()
}

/// Addresses and networks, and by a provider's name those it publishes.
pub(super) fn networks(
    rows: &[Spanned<String>],
    place: &Place<'_>,
    providers: AskProviders<'_>,
) -> Result<Networks, Failure> {
    let mut all = Networks::default();
    for row in rows {
        let text = row.get_ref();
        let found = match Networks::read([&text[..]]) {
            Ok(networks) => networks,
            Err(_) => of_provider(text, providers).map_err(|(why, hint)| {
                let failure = place.at(&row.span(), why);
                Failure { hint, ..failure }
            })?,
        };
        all.extend(found);
    }
    Ok(all)
}

fn of_provider(text: &str, providers: AskProviders<'_>) -> Result<Networks, (String, Option<String>)> {
    let named = text.starts_with(|c: char| c.is_ascii_alphabetic()) && !text.contains(['.', ':', '/']);
    if !named {
        return Err((format!("`{text}` is no address and no network"), Some("like 192.0.2.7 or 192.0.2.0/24".into())));
    }
    known_provider(text, providers).map_err(|hint| (format!("`{text}` is no address and no provider"), Some(hint)))?;
    let catalog = providers().map_err(|failure| (failure.to_string(), None))?;
    let published = catalog.get(text).map_or(&[][..], |provider| provider.addresses());
    if published.is_empty() {
        return Err((format!("{text} publishes no addresses that creel knows"), Some("write the networks out".into())));
    }
    Networks::read(published.iter().map(String::as_str))
        .map_err(|wrong| (format!("the provider file of {text} has `{wrong}`, which is no network"), None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addresses_of_every_provider_are_networks() {
        let catalog = crate::engine::catalog().unwrap();
        let with: Vec<_> = catalog.iter().filter(|provider| !provider.addresses().is_empty()).collect();
        assert!(with.len() >= 5);
        for provider in with {
            let found = of_provider(provider.name(), &crate::engine::catalog);
            assert!(found.is_ok(), "{}: {found:?}", provider.name());
        }
    }
}
