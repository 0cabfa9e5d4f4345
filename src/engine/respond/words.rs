//! What a person says of an answer: the same words in `creel.toml`, behind `creel respond` and in the store.

use std::{collections::BTreeMap, fs, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    Respond, Text,
    fault::{Fault, Per, Turn, What},
    is_creels_own,
    template::Template,
};
use crate::record::{
    Failure, Header,
    grammar::{is_of_value, is_token},
};

/// The longest body of an answer, in bytes.
const LONGEST_BODY: u64 = 1 << 20;
/// The longest time that an answer is held back or drawn out, in seconds.
const LONGEST_WAIT_S: u64 = 3_600;
/// How long a slow or a missing answer takes where nobody says, in seconds.
const USUAL_WAIT_S: u64 = 30;

/// What is said of an answer. What is not said stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// The status, 200 to 599.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Headers of the answer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Lines>,
    /// The body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The file that holds the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// Whether the body is a template over the request.
    #[serde(default)]
    pub template: bool,
    /// The body's media type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// How long the answer is held back, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// What goes wrong on purpose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultWords>,
}

/// A header's value, or one for each of its lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a header has a text, or a list of them")]
pub enum Lines {
    /// One line.
    One(String),
    /// Several of one name: two cookies.
    Many(Vec<String>),
}

impl Lines {
    fn values(&self) -> &[String] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }

    /// One more line.
    #[must_use]
    pub fn and(self, value: String) -> Self {
        match self {
            Self::One(first) => Self::Many(vec![first, value]),
            Self::Many(values) => Self::Many(values.into_iter().chain([value]).collect()),
        }
    }
}

/// What is said of a fault.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultWords {
    /// Another status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// `close`, `silence`, `half` or `slow`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// How long a silence or a slow answer takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    /// It happens to the first so many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<u32>,
    /// The first ones of what: `event` or `endpoint`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per: Option<String>,
    /// It happens to every n-th.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<u32>,
    /// It happens to so many of a hundred.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<u32>,
    /// What the hundredths are chosen by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

/// A word that cannot be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The key it stands at.
    pub key: &'static str,
    /// Why not.
    pub why: String,
}

fn wrong<T>(key: &'static str, why: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong { key, why: why.into() })
}

/// A status that can be answered. Below 200 it is none that ends an exchange.
fn status(status: Option<u16>) -> Result<Option<u16>, Wrong> {
    match status {
        Some(code) if !(200..=599).contains(&code) => {
            wrong("status", format!("{code} is no status to answer: 200 to 599"))
        }
        status => Ok(status),
    }
}

/// Whether a name and a value can be sent as a header (RFC 9110, section 5).
fn is_header(name: &str, value: &str) -> bool {
    is_token(name.as_bytes()) && value.bytes().all(is_of_value)
}

/// A header that would break the answer, or stand in it twice.
fn own_header(name: &str) -> bool {
    is_creels_own(Header { name: name.as_bytes(), value: b"" })
}

impl Words {
    /// What these words make of an answer.
    pub fn over(&self, base: &Respond) -> Result<Respond, Wrong> {
        let status = status(self.status)?;
        let mut headers = self.lines()?;
        let named = headers.iter().position(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let named = named.map(|at| headers.remove(at).1);
        let code = status.unwrap_or(base.status);
        if self.has_body() && [204, 304].contains(&code) {
            return wrong("body", format!("an answer of {code} has none"));
        }
        let content_type = self.content_type.clone().or(named).unwrap_or_else(|| match self.has_body() {
            true if self.template => base.content_type.clone(),
            true => "text/plain; charset=utf-8".to_owned(),
            false => base.content_type.clone(),
        });
        if !is_header("Content-Type", &content_type) {
            return wrong("content_type", "it cannot be sent as a header");
        }
        let delay = wait("delay_ms", self.delay_ms.map(Duration::from_millis))?;
        Ok(Respond {
            status: code,
            headers: if headers.is_empty() { base.headers.clone() } else { headers },
            body: self.text()?.or_else(|| base.body.clone()),
            content_type,
            delay: delay.unwrap_or(base.delay),
            fault: self.fault.as_ref().map(FaultWords::fault).transpose()?.or(base.fault),
        })
    }

    /// The headers, a line each.
    fn lines(&self) -> Result<Vec<(String, String)>, Wrong> {
        let each = |(name, lines): (&String, &Lines)| {
            lines.values().iter().map(|value| (name.clone(), value.clone())).collect::<Vec<_>>()
        };
        let lines: Vec<_> = self.headers.iter().flat_map(each).collect();
        if let Some((name, _)) = lines.iter().find(|(name, value)| !is_header(name, value)) {
            return wrong("headers", format!("`{name}` and its value are no header"));
        }
        if let Some((name, _)) = lines.iter().find(|(name, _)| own_header(name)) {
            return wrong("headers", format!("`{name}` is set by creel itself, as each answer needs it: leave it out"));
        }
        let types = lines.iter().filter(|(name, _)| name.eq_ignore_ascii_case("content-type")).count();
        if types + usize::from(self.content_type.is_some()) > 1 {
            return wrong("headers", "the media type is said twice: an answer has one");
        }
        Ok(lines)
    }

    /// With the file's content in place of its name, so that it means the same in another folder.
    pub fn with_its_file(mut self) -> Result<Self, Wrong> {
        if let Some(path) = self.file.take() {
            self.body = Some(content(&path)?);
        }
        Ok(self)
    }

    fn has_body(&self) -> bool {
        self.body.is_some() || self.file.is_some()
    }

    fn text(&self) -> Result<Option<Text>, Wrong> {
        let text = match (&self.body, &self.file) {
            (Some(_), Some(_)) => return wrong("file", "there is a body beside it; one of them"),
            (Some(text), None) => text.clone(),
            (None, Some(path)) => content(path)?,
            (None, None) if self.template => return wrong("template", "there is no body to fill"),
            (None, None) => return Ok(None),
        };
        if !self.template {
            return Ok(Some(Text::Plain(text)));
        }
        let key = if self.file.is_some() { "file" } else { "body" };
        Template::parse(&text).map(|template| Some(Text::Template(template))).or_else(|why| wrong(key, why))
    }
}

fn content(path: &PathBuf) -> Result<String, Wrong> {
    let size = fs::metadata(path).map(|about| about.len());
    match size {
        Ok(size) if size > LONGEST_BODY => wrong("file", format!("{} is larger than 1 MiB", path.display())),
        Ok(_) => fs::read_to_string(path).or_else(|why| wrong("file", format!("{}: {why}", path.display()))),
        Err(why) => wrong("file", format!("{}: {why}", path.display())),
    }
}

fn wait(key: &'static str, time: Option<Duration>) -> Result<Option<Duration>, Wrong> {
    match time {
        Some(time) if time.as_secs() > LONGEST_WAIT_S => wrong(key, format!("it is longer than {LONGEST_WAIT_S} s")),
        time => Ok(time),
    }
}

impl Words {
    /// What somebody types in one line: `503`, `503 first 3`, `close every 2`, `half 20%`, `silence 30`, `delay 500`. None:
    /// `file`, what the configuration says.
    pub fn typed(text: &str) -> Result<Option<Self>, String> {
        let mut words = Self::default();
        let mut fault = FaultWords::default();
        let mut rest = text.split_whitespace().peekable();
        while let Some(word) = rest.next() {
            let mut number = |what: &str| {
                let text = rest.next().ok_or_else(|| format!("how many after `{what}`?"))?;
                text.parse::<u64>().map_err(|_| format!("`{text}` is no number"))
            };
            let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
            match word {
                "file" => return Ok(None),
                "first" => fault.first = Some(small(number(word)?)),
                "every" => fault.every = Some(small(number(word)?)),
                "delay" => words.delay_ms = Some(number(word)?),
                "close" | "half" => fault.kind = Some(word.to_owned()),
                "silence" | "slow" => {
                    fault.kind = Some(word.to_owned());
                    if rest.peek().is_some_and(|next| next.parse::<u64>().is_ok()) {
                        fault.seconds = rest.next().and_then(|next| next.parse().ok());
                    }
                }
                percent if percent.ends_with('%') => {
                    let text = percent.trim_end_matches('%');
                    fault.percent = Some(text.parse().map_err(|_| format!("`{percent}` is no share"))?);
                }
                status => {
                    words.status = Some(status.parse().map_err(|_| {
                        format!(
                            "`{status}`: a status, close, half, slow, silence, first N, every N, N%, delay MS or file"
                        )
                    })?);
                }
            }
        }
        if fault != FaultWords::default() {
            fault.status = words.status.take();
        }
        words.fault = (fault != FaultWords::default()).then_some(fault);
        if words == Self::default() {
            return Err("say what is answered, or `file` for what the configuration says".to_owned());
        }
        words.over(&Respond::default()).map_err(|wrong| format!("{}: {}", wrong.key, wrong.why))?;
        Ok(Some(words))
    }
}

impl FaultWords {
    fn fault(&self) -> Result<Fault, Wrong> {
        Ok(Fault { what: self.what()?, turn: self.turn()? })
    }

    fn what(&self) -> Result<What, Wrong> {
        let time = wait("seconds", self.seconds.map(Duration::from_secs))?;
        let usual = time.unwrap_or(Duration::from_secs(USUAL_WAIT_S));
        let what = match (status(self.status)?, self.kind.as_deref()) {
            (Some(_), Some(_)) => return wrong("kind", "there is a status beside it; one of them"),
            (Some(status), None) => What::Status(status),
            (None, None) => What::Status(500),
            (None, Some("close")) => What::Close,
            (None, Some("half")) => What::Half,
            (None, Some("silence")) => What::Silence(usual),
            (None, Some("slow")) => What::Slow(usual),
            (None, Some(other)) => {
                return wrong("kind", format!("`{other}` is no fault: close, silence, half or slow"));
            }
        };
        let takes_time = matches!(what, What::Silence(_) | What::Slow(_));
        if time.is_some() && !takes_time {
            return wrong("seconds", "only silence and slow take time");
        }
        Ok(what)
    }

    fn turn(&self) -> Result<Turn, Wrong> {
        let per = match self.per.as_deref() {
            None | Some("event") => Per::Event,
            Some("endpoint") => Per::Endpoint,
            Some(other) => return wrong("per", format!("`{other}` is neither event nor endpoint")),
        };
        if self.per.is_some() && self.first.is_none() {
            return wrong("per", "it says whose first ones fail: give `first` too");
        }
        match (self.first, self.every, self.percent) {
            (None, None, None) => Ok(Turn::Always),
            (Some(0), None, None) => wrong("first", "the first 0 are none"),
            (Some(n), None, None) => Ok(Turn::First(n, per)),
            (None, Some(0), None) => wrong("every", "every 0th is none"),
            (None, Some(n), None) => Ok(Turn::Every(n)),
            (None, None, Some(0)) => wrong("percent", "0 of a hundred are none"),
            (None, None, Some(n)) if n <= 100 => Ok(Turn::Percent(n, self.seed.unwrap_or_default())),
            (None, None, Some(n)) => wrong("percent", format!("{n} of a hundred are too many")),
            (Some(_), Some(_), _) => wrong("every", "there is `first` beside it; one of them"),
            _ => wrong("percent", "there is `first` or `every` beside it; one of them"),
        }
    }
}

impl Wrong {
    /// As a failure of a command.
    pub fn failure(self, doing: &str) -> Failure {
        Failure::new(format!("{doing}, {}", self.key), self.why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(toml: &str) -> Result<Respond, Wrong> {
        toml::from_str::<Words>(toml).unwrap().over(&Respond::default())
    }

    #[test]
    fn every_word_is_taken() {
        let respond = words(
            "status = 202\nbody = 'ok {{body.a}}'\ntemplate = true\ndelay_ms = 5\nheaders = { X-A = 'b' }\n\
             fault = { status = 503, first = 2, per = 'endpoint' }",
        )
        .unwrap();
        assert_eq!((respond.status, respond.delay, respond.headers.len()), (202, Duration::from_millis(5), 1));
        let fault = Fault { what: What::Status(503), turn: Turn::First(2, Per::Endpoint) };
        assert_eq!(respond.fault, Some(fault));
        assert!(matches!(respond.body, Some(Text::Template(_))));
    }

    #[test]
    fn a_word_that_cannot_be_meant_is_named() {
        for (toml, key) in [
            ("status = 99", "status"),
            ("status = 600", "status"),
            ("headers = { 'A b' = 'c' }", "headers"),
            ("headers = { A = \"b\\nc\" }", "headers"),
            ("content_type = \"a\\nb\"", "content_type"),
            ("delay_ms = 3601000", "delay_ms"),
            ("template = true", "template"),
            ("body = '{{x}}'\ntemplate = true", "body"),
            ("body = 'a'\nfile = 'b'", "file"),
            ("file = '/no/such/file'", "file"),
            ("fault = { kind = 'tea' }", "kind"),
            ("fault = { kind = 'half', status = 500 }", "kind"),
            ("fault = { kind = 'half', seconds = 3 }", "seconds"),
            ("fault = { every = 0 }", "every"),
            ("fault = { first = 0 }", "first"),
            ("fault = { percent = 0 }", "percent"),
            ("status = 204\nbody = 'x'", "body"),
            ("headers = { Content-Type = ['a/b', 'c/d'] }", "headers"),
            ("content_type = 'a/b'\nheaders = { content-type = 'c/d' }", "headers"),
            ("headers = { X = ['a', \"b\\u0000\"] }", "headers"),
            ("fault = { every = 2, first = 1 }", "every"),
            ("fault = { percent = 101 }", "percent"),
            ("fault = { percent = 1, first = 1 }", "percent"),
            ("fault = { per = 'event' }", "per"),
            ("fault = { first = 1, per = 'day' }", "per"),
        ] {
            assert_eq!(words(toml).unwrap_err().key, key, "{toml}");
        }
    }

    #[test]
    fn a_header_that_creel_sets_is_left_to_creel() {
        for name in [
            "Content-Length",
            "content-LENGTH",
            "Transfer-Encoding",
            "Connection",
            "Keep-Alive",
            "Upgrade",
            "Trailer",
            "Creel-Id",
        ] {
            let wrong = words(&format!("headers = {{ {name} = '5' }}")).unwrap_err();
            assert_eq!(wrong.key, "headers");
            assert!(wrong.why.starts_with(&format!("`{name}` is set by creel itself")), "{}", wrong.why);
        }
        // hyper writes a date of its own only where there is none.
        assert!(words("headers = { Date = 'Thu, 01 Jan 1970 00:00:00 GMT', Content-Language = 'en' }").is_ok());
    }

    #[test]
    fn one_line_says_as_much() {
        for (text, answer) in [
            ("503", "503"),
            ("503 first 3", "503 to the first 3 of each event, else 200"),
            ("first 1", "500 to the first 1 of each event, else 200"),
            ("close every 2", "with a closed connection to one of every 2, else 200"),
            ("half 20%", "with half an answer to 20 %, else 200"),
            ("silence 7", "with silence for 7 s"),
            ("slow delay 5", "with a slow answer over 30 s, after 5 ms"),
        ] {
            let words = Words::typed(text).unwrap().unwrap();
            assert_eq!(words.over(&Respond::default()).unwrap().to_string(), answer, "{text}");
        }
        assert_eq!(Words::typed(" file "), Ok(None));
        for (text, word) in [
            ("", "say what"),
            ("tea", "`tea`"),
            ("99", "200 to 599"),
            ("first", "how many"),
            ("close 503", "one of them"),
            ("x%", "no share"),
        ] {
            assert!(Words::typed(text).is_err_and(|why| why.contains(word)), "{text}");
        }
    }

    #[test]
    fn they_survive_the_store() {
        let words: Words = toml::from_str("status = 500\nfault = { kind = 'slow', seconds = 3 }").unwrap();
        let text = serde_json::to_string(&words).unwrap();
        assert_eq!(serde_json::from_str::<Words>(&text).unwrap(), words);
    }
}
