//! `creel respond`: what an endpoint answers from now on, whoever captures.

use std::{collections::BTreeMap, path::PathBuf};

use clap::Args;
use serde_json::json;

use super::{Answer, Common, input, send::header_of};
use crate::{
    engine::{
        Engine,
        respond::{FaultWords, Lines, Words, told},
    },
    record::Failure,
    store::Reader,
};

#[derive(Debug, Default, Args)]
pub(crate) struct Respond {
    /// The endpoint's name; none: say which endpoints answer something else than their configuration says
    endpoint: Option<String>,
    /// Answer what the configuration says again
    #[arg(long, conflicts_with_all = ["status", "delay", "fault", "body", "body_file"])]
    reset: bool,
    /// The status: of every answer, or with --first, --every or --percent of those that fail
    #[arg(long, value_name = "CODE", value_parser = input::whole::<u16>, allow_negative_numbers = true)]
    status: Option<u16>,
    /// What goes wrong instead
    #[arg(long, value_name = "KIND", value_parser = ["close", "silence", "half", "slow"], conflicts_with = "status")]
    fault: Option<String>,
    /// How long a silence or a slow answer takes
    #[arg(long, value_name = "S", requires = "fault", value_parser = input::whole::<u64>, allow_negative_numbers = true)]
    seconds: Option<u64>,
    /// Fail the first N
    #[arg(long, value_name = "N", value_parser = input::whole::<u32>, allow_negative_numbers = true)]
    first: Option<u32>,
    /// The first N of each event, or of the endpoint
    #[arg(long, value_name = "WHAT", value_parser = ["event", "endpoint"], requires = "first")]
    per: Option<String>,
    /// Fail every Nth
    #[arg(long, value_name = "N", conflicts_with = "first", value_parser = input::whole::<u32>, allow_negative_numbers = true)]
    every: Option<u32>,
    /// Fail so many of a hundred
    #[arg(long, value_name = "P", conflicts_with_all = ["first", "every"], value_parser = input::whole::<u32>, allow_negative_numbers = true)]
    percent: Option<u32>,
    /// What those of a hundred are chosen by: the same seed, the same ones
    #[arg(long, value_name = "N", requires = "percent", value_parser = input::whole::<u64>, allow_negative_numbers = true)]
    seed: Option<u64>,
    /// Hold every answer back
    #[arg(long, value_name = "MS", value_parser = input::whole::<u64>, allow_negative_numbers = true)]
    delay: Option<u64>,
    /// A header of the answer, `Name: value`; may be given several times
    #[arg(long = "header", value_name = "HEADER")]
    headers: Vec<String>,
    /// The answer's body
    #[arg(long, value_name = "TEXT")]
    body: Option<String>,
    /// A file that holds it
    #[arg(long, value_name = "PATH", conflicts_with = "body")]
    body_file: Option<PathBuf>,
    /// The body's media type
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
    /// The body is a template: {{body.data.id}}, {{header.x}}, {{query.x}}, {{capture.id}}
    #[arg(long)]
    template: bool,
}

pub(super) fn run(respond: &Respond, common: &Common) -> Result<Answer, Failure> {
    let printer = common.printer();
    let Some(endpoint) = &respond.endpoint else { return list(common) };
    let words = if respond.reset { None } else { Some(words(respond)?) };
    let engine = Engine::visit(common.settings()?);
    let answer = engine.tell(endpoint, words.as_ref())?;
    engine.stop()?;
    if printer.json {
        printer.value(&json!({ "endpoint": endpoint, "answers": answer, "words": words }))?;
    } else if !printer.quiet {
        printer.line(&format!("{endpoint} answers {answer}"))?;
    }
    Ok(Answer::Yes)
}

/// The endpoints that answer something else than their configuration says.
fn list(common: &Common) -> Result<Answer, Failure> {
    let printer = common.printer();
    let settings = common.settings()?;
    let reader = Reader::open(&settings.db)?;
    let words = told(&reader)?;
    let engine = Engine::visit(settings);
    for (endpoint, answer) in engine.told(&reader)? {
        if printer.json {
            let words = words.iter().find(|(name, _)| *name == endpoint).map(|(_, words)| words);
            printer.value(&json!({ "endpoint": endpoint, "answers": answer, "words": words }))?;
        } else {
            printer.line(&format!("{endpoint} answers {answer}"))?;
        }
    }
    if words.is_empty() && !printer.quiet {
        super::report(&"every endpoint answers what its configuration says");
    }
    Ok(if words.is_empty() { Answer::No } else { Answer::Yes })
}

fn words(respond: &Respond) -> Result<Words, Failure> {
    let sometimes = respond.first.is_some() || respond.every.is_some() || respond.percent.is_some();
    let fault = (sometimes || respond.fault.is_some()).then(|| FaultWords {
        status: respond.status,
        kind: respond.fault.clone(),
        seconds: respond.seconds,
        first: respond.first,
        per: respond.per.clone(),
        every: respond.every,
        percent: respond.percent,
        seed: respond.seed,
    });
    let mut headers = BTreeMap::new();
    for (name, value) in respond.headers.iter().map(|line| header_of(line)).collect::<Result<Vec<_>, _>>()? {
        let name = headers.keys().find(|known: &&String| known.eq_ignore_ascii_case(&name)).cloned().unwrap_or(name);
        let lines = match headers.remove(&name) {
            None => Lines::One(value),
            Some(before) => Lines::and(before, value),
        };
        headers.insert(name, lines);
    }
    let words = Words {
        status: respond.status.filter(|_| fault.is_none()),
        headers,
        body: respond.body.clone(),
        file: respond.body_file.clone(),
        template: respond.template,
        content_type: respond.content_type.clone(),
        delay_ms: respond.delay,
        fault,
    };
    if words == Words::default() {
        return Err(Failure::new("telling an endpoint what to answer", "nothing is said of it")
            .hint("for example --status 500 --first 3, or --reset"));
    }
    // Whoever captures has another working folder.
    words.with_its_file().map_err(|wrong| wrong.failure("telling an endpoint what to answer"))
}
