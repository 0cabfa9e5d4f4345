//! `creel forget`: deletes captures, and says how many.

use clap::Args;
use serde_json::json;

use super::{Answer, Common, input};
use crate::{
    engine::{self, Engine},
    query::Sql,
    record::Failure,
};

#[derive(Debug, Args)]
pub(crate) struct Forget {
    /// Which: for example `'age>7d'` or `id:10..20`; all words must match
    #[arg(conflicts_with = "all")]
    filter: Vec<String>,
    /// All of them
    #[arg(long)]
    all: bool,
}

pub(super) fn run(forget: &Forget, common: &Common) -> Result<Answer, Failure> {
    let printer = common.printer();
    input::refuse_bare_numbers("deleting captures", &forget.filter)?;
    let condition = match input::filter(&forget.filter, common)? {
        Some(filter) => filter.sql(engine::now()),
        None if forget.all => Sql { text: "1".to_owned(), ..Sql::default() },
        None => {
            return Err(Failure::new("deleting captures", "the filter is empty")
                .hint("say which, or --all for every capture of the store"));
        }
    };
    let engine = Engine::visit(common.settings()?);
    let count = engine.forget(&condition)?;
    engine.stop()?;
    if printer.json {
        printer.value(&json!({ "forgotten": count }))?;
    } else if !printer.quiet {
        printer.line(&format!("{count} forgotten"))?;
    }
    Ok(if count > 0 { Answer::Yes } else { Answer::No })
}
