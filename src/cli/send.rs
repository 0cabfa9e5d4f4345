//! `creel send`: a signed sample event, to any URL.

use std::{
    ffi::OsStr,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use clap::{
    Arg, ArgGroup, Args, Command, Error,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
    error::{ContextKind, ContextValue},
};
use serde_json::json;

use super::{Answer, Common, Printer, Secrets, input};
use crate::{
    engine::{
        self, Engine, Settings,
        edit::{no_secret, with_value},
        endpoint::Endpoint,
        send::{Event, SPOILS, Spoil},
        settings::whole_url,
        target::sendable,
    },
    export::json,
    record::{Failure, Header, Headers, Outcome, grammar::is_token},
    verify::{Provider, Sample, Secret},
    wire::{self, Outgoing, PathRule},
};

/// Said here, since its brackets would be links in a comment. Shared with `creel resend`.
pub(super) const SET_HELP: &str =
    "Set a value of a JSON body: data.amount=5, items[0].id=7 or /items/0/id=7; a value that is no JSON is a text";

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("which").required(true).multiple(true).args(["what", "list"])))]
pub(crate) struct Send {
    /// Who should seem to send, and which event: `stripe`, `stripe/charge.succeeded`; `creel send --list` lists them
    #[arg(value_name = "PROVIDER[/EVENT]")]
    what: Option<String>,
    /// List the sample events
    #[arg(long)]
    list: bool,
    /// The URL [default: the creel that captures into this store]
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    #[command(flatten)]
    secrets: Secrets,
    /// Send this file's bytes instead of the sample; - for standard input
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// The media type of --body [default: application/json]
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
    #[arg(long, value_name = "PATH=VALUE", help = SET_HELP)]
    set: Vec<String>,
    /// A header beside the provider's own, as often as there are headers; Host, too
    #[arg(long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// The URL that is signed, where it is not the one it is sent to
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Spoil it, to see what the app does
    #[arg(long = "as", value_name = "FAULT", value_parser = spoil_names())]
    spoil: Option<String>,
    /// How often
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = input::count::<u32>, allow_negative_numbers = true)]
    times: u32,
    /// How many a second at most
    #[arg(long, value_name = "N", value_parser = input::amount, allow_negative_numbers = true)]
    rate: Option<f64>,
    /// Take an https certificate that nobody vouches for
    #[arg(long)]
    insecure: bool,
}

/// The names of the ways to spoil an event. Where a provider's stands there, or one like it, it is said where that belongs.
#[derive(Clone)]
struct SpoilNames(PossibleValuesParser);

fn spoil_names() -> SpoilNames {
    SpoilNames(PossibleValuesParser::new(SPOILS.iter().map(|(name, _)| *name)))
}

impl TypedValueParser for SpoilNames {
    type Value = String;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<String, Error> {
        self.0.parse_ref(command, arg, value).map_err(|mut wrong| {
            let catalog = engine::catalog().ok().filter(|_| wrong.get(ContextKind::SuggestedValue).is_none());
            let text = value.to_string_lossy();
            let provider = catalog
                .as_ref()
                .and_then(|catalog| catalog.get(&text).map(Provider::name).or_else(|| catalog.nearest(&text)));
            if let Some(name) = provider {
                let tip = format!("--as says how to spoil it; who sends stands first: creel send {name}");
                wrong.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
            }
            wrong
        })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        self.0.possible_values()
    }
}

fn spoil(send: &Send) -> Spoil {
    let named = SPOILS.iter().find(|(name, _)| send.spoil.as_deref() == Some(*name));
    named.map_or(Spoil::Nothing, |(_, spoil)| *spoil)
}

/// The event to send.
struct Letter {
    kind: String,
    content_type: String,
    body: Vec<u8>,
}

pub(super) fn run(send: &Send, common: &Common) -> Result<Answer, Failure> {
    let printer = common.printer();
    let Some(what) = send.what.as_deref().filter(|_| !send.list) else { return list(&printer) };
    let (name, kind) = what.split_once('/').map_or((what, None), |(name, kind)| (name, Some(kind)));
    let catalog = engine::catalog()?;
    let provider = super::providers::named(&catalog, name)?;
    let letter = letter(send, provider, kind)?;
    send.url.as_deref().map_or(Ok(()), whole_url)?;
    let settings = common.settings()?;
    let secrets = secrets(send, provider, &settings)?;
    let (to, is_own) = target(send, provider, &settings)?;
    // The creel that captures here shows a certificate of its own, which nobody else vouches for.
    let insecure = send.insecure || is_own;
    let headers = sendable_headers(&send.headers)?;
    let event = Event {
        provider,
        secrets: &secrets,
        kind: &letter.kind,
        content_type: &letter.content_type,
        body: &letter.body,
        url: send.url.as_deref().unwrap_or(&to),
        headers: &headers,
        spoil: spoil(send),
    };
    let engine = Engine::visit(settings);
    let keep_host = headers.get("host").is_some();
    let mut ids = ids();
    let mut answer = Answer::Yes;
    let pace = Pace::new(send.rate);
    for turn in 0..send.times {
        pace.wait_for(turn as usize);
        for (head, body) in event.requests(&mut ids)? {
            let (origin, path) = (wire::origin(&to), PathRule::Replaced);
            let outgoing = Outgoing { head, body, to: origin, path, insecure, keep_host };
            let sent = engine.send(outgoing)?;
            if !sent.outcome.is_success() {
                answer = Answer::No;
            }
            print(&printer, provider, &letter.kind, &to, sent.took_ms, &sent.outcome)?;
        }
    }
    engine.stop()?;
    Ok(answer)
}

/// When the next of several is due.
pub(super) struct Pace {
    began: Instant,
    /// How many a second; none: as fast as they go.
    rate: Option<f64>,
}

impl Pace {
    pub(super) fn new(rate: Option<f64>) -> Self {
        Self { began: Instant::now(), rate: rate.filter(|rate| *rate > 0.0) }
    }

    /// Waits for that one's turn, counted from 0.
    pub(super) fn wait_for(&self, turn: usize) {
        let due = |rate| Duration::try_from_secs_f64(turn as f64 / rate).unwrap_or(Duration::MAX);
        let due = self.rate.map_or(Duration::ZERO, due);
        thread::sleep(due.saturating_sub(self.elapsed()));
    }

    /// Since the first one's turn.
    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}

fn print(
    printer: &Printer,
    provider: &Provider,
    kind: &str,
    to: &str,
    took_ms: u64,
    outcome: &Outcome,
) -> Result<(), Failure> {
    let (status, (error, error_kind)) = (outcome.status(), json::error(outcome));
    if printer.json {
        let value = json!({
            "provider": provider.name(), "event": kind, "to": to, "status": status, "error": error, "error_kind": error_kind,
            "took_ms": took_ms,
        });
        return printer.value(&value);
    }
    let result =
        status.map_or_else(|| format!("failed: {}", error.unwrap_or_default()), |s| format!("{s} in {took_ms} ms"));
    printer.line(&format!("{}/{kind} → {to}  {result}", provider.name()))
}

fn list(printer: &Printer) -> Result<Answer, Failure> {
    for sample in Sample::all() {
        if printer.json {
            printer.value(&json!({ "provider": sample.provider, "event": sample.event }))?;
        } else {
            printer.line(&format!("{}/{}", sample.provider, sample.event))?;
        }
    }
    Ok(Answer::Yes)
}

fn letter(send: &Send, provider: &Provider, kind: Option<&str>) -> Result<Letter, Failure> {
    let doing = || format!("sending an event of {}", provider.name());
    let samples: Vec<Sample> = Sample::of(provider.name()).collect();
    let sample = match kind {
        Some(kind) => samples.iter().find(|sample| sample.event == kind),
        None => samples.first(),
    };
    let mut letter = match (&send.body, sample) {
        (Some(path), _) => Letter {
            kind: kind.or(sample.map(|sample| sample.event)).unwrap_or_default().to_owned(),
            content_type: send.content_type.clone().unwrap_or_else(|| "application/json".to_owned()),
            body: input::read(path)?,
        },
        (None, Some(sample)) => Letter {
            kind: sample.event.to_owned(),
            content_type: sample.content_type.to_owned(),
            body: sample.body.into(),
        },
        (None, None) => {
            let known: Vec<_> = samples.iter().map(|sample| sample.event).collect();
            let hint = if known.is_empty() {
                "send a body of yours: --body FILE".to_owned()
            } else {
                format!("there are {}", known.join(", "))
            };
            return Err(Failure::new(doing(), "creel has no such sample").hint(hint));
        }
    };
    let mut headers = headers_of(&send.headers)?;
    headers.push("Content-Type", &letter.content_type);
    for (path, value) in settings_of(&send.set)? {
        letter.body = with_value(&letter.body, &headers, &path, &value)?.0;
    }
    Ok(letter)
}

/// The secrets given, else those of the endpoint of this provider.
fn secrets(send: &Send, provider: &Provider, settings: &Settings) -> Result<Vec<Secret>, Failure> {
    if !send.secrets.is_empty() {
        return send.secrets.read();
    }
    let endpoint = endpoint_of(provider, settings);
    let secrets = endpoint.map(|endpoint| endpoint.secrets.clone()).unwrap_or_default();
    if secrets.is_empty() && !matches!(spoil(send), Spoil::Unsigned | Spoil::WrongSecret) {
        return Err(no_secret(provider, endpoint)
            .hint("give one with --secret-env, --secret-file or --secret, or send it --as unsigned"));
    }
    Ok(secrets)
}

/// The endpoint of a provider: of several the one that has its name, else the one with the shortest path.
fn endpoint_of<'a>(provider: &Provider, settings: &'a Settings) -> Option<&'a Endpoint> {
    let own = settings.endpoints.iter().filter(|endpoint| endpoint.provider.as_deref() == Some(provider.name()));
    own.min_by_key(|endpoint| (endpoint.name != provider.name(), endpoint.path.len())).map(|endpoint| &**endpoint)
}

/// The URL given, else the endpoint of this provider at the creel that captures into this store; and whether it is that one.
fn target(send: &Send, provider: &Provider, settings: &Settings) -> Result<(String, bool), Failure> {
    if let Some(to) = &send.to {
        return sendable(to).map(|()| (to.clone(), false));
    }
    let path = endpoint_of(provider, settings)
        .map_or_else(|| format!("/{}", provider.name()), |endpoint| endpoint.path.clone());
    engine::holder_url(&settings.db).map(|url| (format!("{url}{path}"), true)).ok_or_else(|| {
        Failure::new("sending an event", "no creel captures into this store")
            .hint("start one with `creel` or `creel serve`, or name a URL: --to URL")
    })
}

/// Values of a JSON body as they are given on the command line.
pub(super) fn settings_of(lines: &[String]) -> Result<Vec<(String, String)>, Failure> {
    let setting = |line: &String| {
        let (path, value) = line.split_once('=').filter(|(path, _)| !path.is_empty()).ok_or_else(|| {
            Failure::new("reading --set", format!("`{line}` sets nothing"))
                .hint("write it as PATH=VALUE: data.amount=5")
        })?;
        // `resend` takes the path as filters write it.
        Ok((path.strip_prefix("body.").unwrap_or(path).to_owned(), value.to_owned()))
    };
    lines.iter().map(setting).collect()
}

/// Headers as they are given on the command line.
pub(super) fn headers_of(lines: &[String]) -> Result<Headers, Failure> {
    let rows: Result<Vec<_>, _> = lines.iter().map(|line| header_of(line)).collect();
    rows.map(|rows| rows.into_iter().collect())
}

/// The same of a request that creel sends: how its body is framed and what becomes of the connection creel says itself.
pub(super) fn sendable_headers(lines: &[String]) -> Result<Headers, Failure> {
    let headers = headers_of(lines)?;
    let frames = |header: &Header<'_>| header.is_hop_by_hop() || header.is("content-length") || header.is("expect");
    match headers.iter().find(frames) {
        None => Ok(headers),
        Some(header) => {
            let why = "creel sets it itself, by the body and the connection that there are";
            Err(Failure::new(format!("reading --header `{}`", header.name_text()), why).hint("leave it out"))
        }
    }
}

/// A header as it is given on the command line; else what of it no request or answer could hold. Its value may let somebody
/// in: no more than its name is repeated.
pub(super) fn header_of(line: &str) -> Result<(String, String), Failure> {
    const HINT: &str = "write it as NAME: VALUE, each as a --header of its own";
    let (name, value) = line.split_once(':').unwrap_or_default();
    let (name, value) = (name.trim(), value.trim());
    if name.is_empty() {
        return Err(
            Failure::new("reading --header", "it is no header: there is no colon, or no name before it").hint(HINT)
        );
    }
    let wrong = |why: &str| Err(Failure::new(format!("reading --header `{name}`"), why).hint(HINT));
    if !is_token(name.as_bytes()) {
        return wrong("it is no header: a name has only letters, digits and !#$%&'*+-.^_`|~");
    }
    if value.contains(['\r', '\n', '\0']) {
        return wrong("there is a line end or a NUL in the value, and no header can hold one");
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// Ids that nobody has used: the moment, and a count.
fn ids() -> impl FnMut() -> String {
    let mut count = 0_u32;
    let began = engine::now().unix_ms();
    move || {
        count += 1;
        format!("evt_{began:x}{count:04x}")
    }
}
