//! `forward` of an endpoint: its app, and what goes there by itself.

use std::{fmt, fs, ops::Range, path::PathBuf, sync::Arc, time::Duration};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use toml::Spanned;

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

/// A URL or a target's name, which names the app and forwards nothing; or a table, or several, that forward.
pub(super) enum ForwardRows {
    App(String),
    Rows(Vec<ForwardRow>),
}

impl<'de> Deserialize<'de> for ForwardRows {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(SomeRows)
    }
}

struct SomeRows;

impl<'de> Visitor<'de> for SomeRows {
    type Value = ForwardRows;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a URL, a target's name, or { to = \"http://HOST\", … }")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<ForwardRows, E> {
        Ok(ForwardRows::App(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ForwardRows, A::Error> {
        ForwardRow::deserialize(MapAccessDeserializer::new(map)).map(|row| ForwardRows::Rows(vec![row]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<ForwardRows, A::Error> {
        all(list).map(ForwardRows::Rows)
    }
}

/// A row that forwards.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ForwardRow {
    to: Spanned<String>,
    #[serde(default = "yes")]
    auto: bool,
    when: Option<Spanned<String>>,
    #[serde(default)]
    answer: Answering,
    #[serde(default)]
    order: Order,
    retry: Option<Spanned<RetryRow>>,
    timeout_s: Option<Spanned<f64>>,
    transform: Option<Spanned<TransformRow>>,
    #[serde(default)]
    resign: bool,
    #[serde(default)]
    cloudevents: bool,
}

fn yes() -> bool {
    true
}

enum RetryRow {
    Word(String),
    Gaps(Vec<Spanned<String>>),
}

impl<'de> Deserialize<'de> for RetryRow {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(OneRetry)
    }
}

/// How `retry` is written.
const RETRY: &str = "\"provider\", \"never\" or a list of times: [\"5s\", \"1m\"]";

struct OneRetry;

impl<'de> Visitor<'de> for OneRetry {
    type Value = RetryRow;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(RETRY)
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<RetryRow, E> {
        Ok(RetryRow::Word(word.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<RetryRow, A::Error> {
        all(list).map(RetryRow::Gaps)
    }
}

fn all<'de, T: Deserialize<'de>, A: SeqAccess<'de>>(mut list: A) -> Result<Vec<T>, A::Error> {
    std::iter::from_fn(|| list.next_element().transpose()).collect()
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

/// The app that is named, and what goes to apps by itself.
pub(super) fn read(
    forward: Option<Spanned<ForwardRows>>,
    endpoint: &str,
    place: &Place<'_>,
    named: &Named<'_>,
) -> Result<Forwards, Failure> {
    let Some(forward) = forward else { return Ok((None, Vec::new())) };
    let at = forward.span();
    let rows = match forward.into_inner() {
        ForwardRows::App(text) => return Ok((Some(target(&text, &at, place, named.targets)?), Vec::new())),
        ForwardRows::Rows(rows) => rows,
    };
    let (mut app, mut forwards) = (None, Vec::<Arc<Forward>>::new());
    for row in rows {
        let (auto, at) = (row.auto, row.to.span());
        let forward = row.read(endpoint, place, named)?;
        app.get_or_insert_with(|| forward.to.clone());
        if !auto {
            continue;
        }
        if forwards.iter().any(|other| other.lane == forward.lane) {
            return Err(place.at(&at, format!("`{}` is forwarded to twice", forward.to.title())));
        }
        forwards.push(Arc::new(forward));
    }
    if forwards.iter().filter(|forward| forward.answer == Answering::Proxy).count() > 1 {
        let why = "only one app can answer the sender: one `answer = \"proxy\"` an endpoint";
        return Err(place.at(&at, why));
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
    fn read(self, endpoint: &str, place: &Place<'_>, named: &Named<'_>) -> Result<Forward, Failure> {
        let mut to = target(self.to.get_ref(), &self.to.span(), place, named.targets)?;
        let when =
            self.when.map(|text| filter(text.get_ref(), named.filters).map_err(|why| place.at(&text.span(), why)));
        let program = self.transform.map(|row| {
            let at = row.span();
            row.into_inner().read(&at, place)
        });
        let timeout = self.timeout_s.map(|seconds| {
            let time = Duration::try_from_secs_f64(*seconds.get_ref()).ok().filter(|time| !time.is_zero());
            let why = || format!("{} is no number of seconds to wait", seconds.get_ref());
            time.ok_or_else(|| place.at(&seconds.span(), why()))
        });
        let retry = self.retry.map_or(Ok(Retry::default()), |row| retry(&row, place))?;
        to.resign |= self.resign;
        to.cloudevents |= self.cloudevents;
        let (when, program, timeout) = (when.transpose()?, program.transpose()?, timeout.transpose()?);
        Ok(Forward { when, program, order: self.order, retry, timeout, ..Forward::plain(endpoint, to, self.answer) })
    }
}

fn retry(row: &Spanned<RetryRow>, place: &Place<'_>) -> Result<Retry, Failure> {
    let gap = |text: &Spanned<String>| {
        let why = || format!("`{}` is no time; write 500ms, 5s, 2m or 1h", text.get_ref());
        settings::time(text.get_ref()).ok_or_else(|| place.at(&text.span(), why()))
    };
    match row.get_ref() {
        RetryRow::Word(word) if word == "provider" => Ok(Retry::Provider),
        RetryRow::Word(word) if word == "never" => Ok(Retry::After(Vec::new())),
        RetryRow::Word(word) => Err(place.at(&row.span(), format!("`retry` is {RETRY}, not `{word}`"))),
        RetryRow::Gaps(gaps) => gaps.iter().map(gap).collect::<Result<_, _>>().map(Retry::After),
    }
}
