//! `forward` of an endpoint: its app, and what goes there by itself.

use std::{fs, ops::Range, path::PathBuf, sync::Arc, time::Duration};

use serde::Deserialize;
use toml::{Spanned, Value};

use super::{Named, place::Place, target::wrong_target};
use crate::{
    engine::{
        Transform,
        forward::{Answering, Forward, Order, Program, Retry},
        settings,
        target::{Target, Targets},
    },
    query::{Filter, Names},
    record::Failure,
};

/// A row that forwards.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ForwardRow {
    to: String,
    #[serde(default = "yes")]
    auto: bool,
    when: Option<String>,
    #[serde(default)]
    answer: Answering,
    #[serde(default)]
    order: Order,
    retry: Option<RetryRow>,
    timeout_s: Option<f64>,
    transform: Option<TransformRow>,
    #[serde(default)]
    resign: bool,
    #[serde(default)]
    cloudevents: bool,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "`retry` is \"provider\", \"never\" or a list of times: [\"5s\", \"1m\"]")]
enum RetryRow {
    Word(String),
    Gaps(Vec<String>),
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "`transform` is a jq program, { jq = \"PROGRAM\" } or { file = \"FILE\" }, with `whole`")]
enum TransformRow {
    Program(String),
    Given {
        jq: String,
        #[serde(default)]
        whole: bool,
    },
    File {
        file: PathBuf,
        #[serde(default)]
        whole: bool,
    },
}

/// The app that captures are resent to, and the rows that forward by themselves.
pub(super) type Forwards = (Option<Target>, Vec<Arc<Forward>>);

/// A URL or a target's name names the app and forwards nothing; a table, or several, forward.
pub(super) fn read(
    forward: Option<Spanned<Value>>,
    endpoint: &str,
    place: &Place<'_>,
    named: &Named<'_>,
) -> Result<Forwards, Failure> {
    let targets = named.targets;
    let Some(forward) = forward else { return Ok((None, Vec::new())) };
    let at = forward.span();
    let wrong = |why: String| place.at(&at, why);
    let rows = match forward.into_inner() {
        Value::String(text) => return Ok((Some(target(&text, &at, place, targets)?), Vec::new())),
        Value::Array(rows) => rows,
        row => vec![row],
    };
    let (mut app, mut forwards) = (None, Vec::<Arc<Forward>>::new());
    // Where the next program stands, and the next filter: behind the one before it.
    let (mut below, mut below_filter) = (at.clone(), at.clone());
    for row in rows {
        let mut row = ForwardRow::deserialize(row).map_err(|error| place.within(&at, &error))?;
        let to = target(&row.to, &place.quoted(&row.to, &at), place, targets)?;
        app.get_or_insert_with(|| to.clone());
        let program = row.transform.take().map(|row| {
            let stands = place.value_of("transform", &below);
            below.start = stands.start;
            row.read(&stands, place)
        });
        let program = program.transpose()?;
        let when = row.when.take().map(|text| {
            let stands = place.value_of("when", &below_filter);
            below_filter.start = stands.start;
            filter(&text, named.filters).map_err(|why| place.at(&stands, why))
        });
        let when = when.transpose()?;
        if !row.auto {
            continue;
        }
        let wrong_word = |(word, why): (String, String)| place.at(&place.quoted(&word, &at), why);
        let forward = Forward { when, program, ..row.read(endpoint, to).map_err(wrong_word)? };
        if forwards.iter().any(|other| other.lane == forward.lane) {
            return Err(wrong(format!("`{}` is forwarded to twice", forward.to.title())));
        }
        forwards.push(Arc::new(forward));
    }
    if forwards.iter().filter(|forward| forward.answer == Answering::Proxy).count() > 1 {
        return Err(wrong("only one app can answer the sender: one `answer = \"proxy\"` an endpoint".to_owned()));
    }
    Ok((app, forwards))
}

/// A filter, in which `@name` may stand for another one.
pub(super) fn filter(text: &str, names: &Names) -> Result<Filter, String> {
    Filter::parse_with(text, names).map_err(|error| {
        let hint = error.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
        format!("`when`: {}, at column {}{hint}", error.message, error.column)
    })
}

fn target(text: &str, at: &std::ops::Range<usize>, place: &Place<'_>, targets: &Targets) -> Result<Target, Failure> {
    targets.named(text).map_err(|failure| wrong_target(place, at, failure))
}

impl TransformRow {
    fn read(self, at: &Range<usize>, place: &Place<'_>) -> Result<Program, Failure> {
        let (program, whole, stands) = match self {
            Self::Program(program) => (program, false, place.words(at)),
            Self::Given { jq, whole } => (jq, whole, place.words(at)),
            Self::File { file, whole } => {
                let program = fs::read_to_string(&file)
                    .map_err(|why| place.at(at, format!("reading {}: {why}", file.display())))?;
                (program, whole, file.display().to_string())
            }
        };
        Ok(Program { transform: Transform { program, whole }, stands })
    }
}

impl ForwardRow {
    /// The forward; or the word that is wrong, and why.
    fn read(self, endpoint: &str, mut to: Target) -> Result<Forward, (String, String)> {
        let retry = match self.retry {
            None => Retry::default(),
            Some(RetryRow::Word(word)) => match &word[..] {
                "provider" => Retry::Provider,
                "never" => Retry::After(Vec::new()),
                _ => {
                    let why = format!("`retry` is \"provider\", \"never\" or a list of times, not `{word}`");
                    return Err((word, why));
                }
            },
            Some(RetryRow::Gaps(gaps)) => Retry::After(
                gaps.iter()
                    .map(|gap| {
                        let wrong = || (gap.clone(), format!("`{gap}` is no time; write 500ms, 5s, 2m or 1h"));
                        settings::time(gap).ok_or_else(wrong)
                    })
                    .collect::<Result<_, _>>()?,
            ),
        };
        let timeout = self.timeout_s.map(|seconds| {
            Duration::try_from_secs_f64(seconds)
                .ok()
                .filter(|time| !time.is_zero())
                .ok_or_else(|| (String::new(), format!("{seconds} is no number of seconds to wait")))
        });
        to.resign |= self.resign;
        to.cloudevents |= self.cloudevents;
        let (order, timeout) = (self.order, timeout.transpose()?);
        Ok(Forward { order, retry, timeout, ..Forward::plain(endpoint, to, self.answer) })
    }
}
