//! `creel providers`: the catalog.

use clap::Args;

use super::{Answer, Common};
use crate::{
    record::Failure,
    verify::{Catalog, Provider},
};

#[derive(Debug, Args)]
pub(crate) struct Providers {
    /// Show one of them
    name: Option<String>,
}

pub(super) fn run(providers: &Providers, common: &Common) -> Result<Answer, Failure> {
    let printer = common.printer();
    let catalog = Catalog::builtin()?;
    if let Some(name) = &providers.name {
        let provider = named(catalog, name)?;
        if printer.json {
            return printer.value(&provider.json()).map(|()| Answer::Yes);
        }
        for (fact, value) in provider.facts() {
            printer.line(&format!("{fact:<14} {value}"))?;
        }
        return Ok(Answer::Yes);
    }
    for provider in catalog.iter() {
        if printer.json {
            printer.value(&provider.json())?;
        } else {
            printer.line(&format!("{:<28} {}", provider.name(), provider.title()))?;
        }
    }
    Ok(Answer::Yes)
}

/// The provider of that name, or the nearest one's name in a failure.
pub(super) fn named<'a>(catalog: &'a Catalog, name: &str) -> Result<&'a Provider, Failure> {
    catalog.get(name).ok_or_else(|| {
        let near = catalog.nearest(name).map_or(String::new(), |near| format!("did you mean `{near}`? "));
        Failure::new(format!("looking for the provider `{name}`"), "creel knows none of that name")
            .hint(format!("{near}`creel providers` lists them all"))
    })
}
