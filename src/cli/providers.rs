//! `creel providers`: the catalog.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use super::{Answer, Common, Printer, learn};
use crate::{
    engine,
    record::{Failure, Verdict, counted},
    verify::{Catalog, Provider, Sample},
};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Providers {
    /// Show one of them
    name: Option<String>,
    #[command(subcommand)]
    work: Option<Work>,
}

#[derive(Debug, Subcommand)]
enum Work {
    /// Judge a provider's file: whether it can be read, and whether its examples prove it
    Check {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Find out how an unknown sender signs, from a capture and its secret, and print the provider's file that proves it
    Learn(learn::Learn),
}

pub(super) fn run(providers: &Providers, common: &Common) -> Result<Answer, Failure> {
    let printer = common.printer();
    match &providers.work {
        Some(Work::Check { file }) => return check(file, &printer),
        Some(Work::Learn(wish)) => return learn::run(wish, common),
        None => {}
    }
    let catalog = engine::catalog()?;
    if let Some(name) = &providers.name {
        let provider = named(&catalog, name)?;
        if printer.json {
            return printer.value(&provider.json()).map(|()| Answer::Yes);
        }
        let samples: Vec<_> = Sample::of(provider.name()).map(|sample| sample.event).collect();
        let samples = [("samples", samples.join(", "))].into_iter().filter(|(_, value)| !value.is_empty());
        for (fact, value) in provider.facts().into_iter().chain(samples) {
            printer.line(&format!("{fact:<15} {value}"))?;
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

/// Whether a file is one, and every example of it passes; and there is an example of every scheme.
fn check(file: &Path, printer: &Printer) -> Result<Answer, Failure> {
    let provider = engine::read_provider(file)?;
    let mut wrong = Vec::new();
    let mut proved = vec![false; provider.scheme_count()];
    for example in provider.examples() {
        let judgement = provider.judge(&example.request(), &example.secrets());
        if judgement.verdict == Verdict::Passed {
            proved[provider.scheme_judged(&example.request(), &example.secrets())] = true;
        } else {
            let why = judgement.explanation.map_or_else(String::new, |explanation| explanation.text);
            wrong.push(format!("the example `{}` is {}: {why}", example.about, judgement.verdict.name()));
        }
        if provider.event(&example.request()) != example.event {
            let found = provider.event(&example.request());
            wrong.push(format!(
                "the event of the example `{}` is read as id {:?}, type {:?}, created {:?}",
                example.about,
                found.id,
                found.kind,
                found.created_at.map(|at| at.to_string())
            ));
        }
    }
    let unproved = proved.iter().enumerate().filter(|(_, proved)| !**proved);
    wrong.extend(unproved.map(|(at, _)| format!("no example proves scheme {}", at + 1)));
    if printer.json {
        printer.value(&json!({ "provider": provider.name(), "ok": wrong.is_empty(), "wrong": wrong }))?;
    } else if wrong.is_empty() {
        let count = provider.examples().len();
        let pass = if count == 1 { "passes" } else { "pass" };
        printer.line(&format!("{}: right; {} {pass}", provider.name(), counted(count as u64, "example")))?;
    } else {
        wrong.iter().try_for_each(|line| printer.line(line))?;
    }
    Ok(if wrong.is_empty() { Answer::Yes } else { Answer::No })
}

/// The provider of that name, or the nearest one's name in a failure.
pub(super) fn named<'a>(catalog: &'a Catalog, name: &str) -> Result<&'a Provider, Failure> {
    catalog.get(name).ok_or_else(|| {
        let near = catalog.nearest(name).map_or(String::new(), |near| format!("did you mean `{near}`? "));
        Failure::new(format!("looking for the provider `{name}`"), "creel knows none of that name")
            .hint(format!("{near}`creel providers` lists them all"))
    })
}
