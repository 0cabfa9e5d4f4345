//! `creel show`: one capture, whole.

use std::borrow::Cow;

use clap::Args;

use super::{Answer, Common, Printer, input, row};
use crate::{
    body::{self, Content, Role, Span, View},
    engine::{
        self,
        mask::{Masked, masked},
        no_such_capture, suggest,
    },
    export::{self, json},
    record::{Capture, CaptureId, Delivery, Errand, Failure, Header, Outcome, Reply, Zone, counted},
    store::{Bodies, Reader, Rescued},
    verify::{self, Try},
};

/// How many lines of a body are formatted at a time.
const SLICE: usize = 1_000;
/// How many lines of a reply's body are printed for eyes. An app may send without end, at each try.
const REPLY_LINES: usize = 200;
/// How many columns a picture takes.
const PICTURE_COLUMNS: u16 = 78;

/// Said here, since its brackets would be links in a comment.
const PATH_HELP: &str = "Print a value of the body and nothing else: data.items[0].id, .data.items[0].id or \
    /data/items/0/id; exit code 1 where it is not there";

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The capture's number
    #[arg(value_parser = input::id)]
    id: i64,
    /// In a form for other tools: see the list below
    #[arg(long = "as", value_name = "FORMAT", value_parser = format_names())]
    format: Option<String>,
    /// With --as: write what lets somebody in as it came, too (else it is masked, as in `creel export`)
    #[arg(long, requires = "format")]
    reveal: bool,
    /// Print the body's bytes and nothing else
    #[arg(long, conflicts_with = "format")]
    body: bool,
    /// Print the body in that view and nothing else
    #[arg(long, value_name = "NAME", conflicts_with_all = ["format", "body"], value_parser = view_names())]
    view: Option<String>,
    /// A value of the body by its path.
    #[arg(long, help = PATH_HELP, value_name = "PATH", conflicts_with_all = ["format", "body", "view"])]
    path: Option<String>,
}

fn view_names() -> clap::builder::PossibleValuesParser {
    let values = body::VIEWS.iter().map(|view| clap::builder::PossibleValue::new(view.name).help(view.help));
    values.collect::<Vec<_>>().into()
}

pub(super) fn format_names() -> clap::builder::PossibleValuesParser {
    let values = export::FORMATS.iter().map(|f| clap::builder::PossibleValue::new(f.name).help(f.help));
    values.collect::<Vec<_>>().into()
}

pub(super) fn run(show: &Show, common: &Common) -> Result<Answer, Failure> {
    let printer = common.printer();
    let reader = Reader::open(&common.store()?)?;
    let id = CaptureId(show.id);
    let capture = match reader.rescue(id)? {
        Rescued::Whole(capture) => *capture,
        Rescued::Gone => return Err(no_such_capture(id)),
        Rescued::Damaged(why) if show.wants_all() => return print_rest(&reader, id, &printer, why),
        Rescued::Damaged(why) => return Err(why),
    };
    if show.body {
        return printer.bytes(&capture.body.bytes).map(|()| Answer::Yes);
    }
    if let Some(view) = show.view.as_deref().and_then(body::view_named) {
        return print_view(&printer, &content(&capture), view, usize::MAX).map(|()| Answer::Yes);
    }
    if let Some(path) = &show.path {
        return print_value(&printer, &capture, path);
    }
    if let Some(format) = show.format.as_ref().and_then(|name| export::FORMATS.iter().find(|f| f.name == name)) {
        let (capture, hidden) = if show.reveal { (capture, Masked::default()) } else { masked(capture) };
        printer.bytes(&format.whole(&capture))?;
        super::export::tell(&printer, hidden);
        return Ok(Answer::Yes);
    }
    print_all(&reader, &capture, &printer, &mut Missed::default())
}

impl Show {
    /// Whether everything is wanted, and not one thing of it.
    fn wants_all(&self) -> bool {
        self.format.is_none() && !self.body && self.view.is_none() && self.path.is_none()
    }
}

/// What of a capture could not be read, and why.
#[derive(Default)]
struct Missed(Vec<Failure>);

impl Missed {
    /// What was read; else nothing, which is told in the end.
    fn or_none<T: Default>(&mut self, read: Result<T, Failure>) -> T {
        read.unwrap_or_else(|why| {
            self.0.push(why);
            T::default()
        })
    }

    /// Says what is missing. Whether nothing is.
    fn tell(&self) -> bool {
        self.0.iter().for_each(|failure| super::report(&format!("left out: {}: {}", failure.doing, failure.why)));
        if !self.0.is_empty() {
            super::report(&"what is told is not all; keep a copy of the store's file");
        }
        self.0.is_empty()
    }
}

/// What is left of a capture that cannot be read as a whole: all but its body, else its row of the list.
fn print_rest(reader: &Reader, id: CaptureId, printer: &Printer, why: Failure) -> Result<Answer, Failure> {
    if let Ok(Some(capture)) = reader.capture(id, Bodies::Leave) {
        return print_all(reader, &capture, printer, &mut Missed(vec![why]));
    }
    match reader.summary(id) {
        Ok(Some(row)) if !printer.json => {
            printer.line(&row::line(&row, &engine::zone()))?;
            Missed(vec![why]).tell();
            Ok(Answer::No)
        }
        _ => Err(why),
    }
}

/// All of it; what cannot be read of it is told.
fn print_all(reader: &Reader, capture: &Capture, printer: &Printer, missed: &mut Missed) -> Result<Answer, Failure> {
    // Where the body is missing, it is not told as an empty one.
    let has_body = missed.0.is_empty();
    let deliveries = missed.or_none(reader.deliveries(capture.id));
    let errands = missed.or_none(reader.errands_of(capture.id));
    if printer.json {
        let mut value = json::capture(capture, &deliveries, has_body);
        for (at, delivery) in deliveries.iter().enumerate() {
            value["deliveries"][at]["says"] = says(capture, delivery)?.into();
        }
        value["errands"] = errands.iter().map(json::errand).collect();
        printer.value(&value)?;
    } else {
        let tries = missed.or_none(engine::tries(reader, capture));
        let zone = engine::zone();
        print(printer, capture, &tries, &deliveries, &zone)?;
        errands.iter().try_for_each(|errand| print_errand(printer, errand, &zone))?;
    }
    Ok(if missed.tell() { Answer::Yes } else { Answer::No })
}

fn print(
    printer: &Printer,
    capture: &Capture,
    tries: &[Try],
    deliveries: &[Delivery],
    zone: &Zone,
) -> Result<(), Failure> {
    for (name, value) in facts(capture, zone) {
        printer.line(&format!("{name:<10} {value}"))?;
    }
    print_tries(printer, capture, tries)?;
    printer.line("")?;
    let target = String::from_utf8_lossy(capture.head.target());
    printer.line(&format!("{} {target} {}", capture.head.method(), capture.head.version()))?;
    print_headers(printer, capture.head.headers().iter())?;
    if !capture.trailers.is_empty() {
        printer.line("")?;
        printer.line("trailers")?;
        print_headers(printer, capture.trailers.iter())?;
    }
    print_body(printer, &content(capture), usize::MAX)?;
    deliveries.iter().rev().try_for_each(|delivery| print_delivery(printer, capture, delivery, zone))
}

/// When it came, and from whom where that is known; of what nobody sent, when it was made.
fn received(capture: &Capture, zone: &Zone) -> (&'static str, String) {
    let at = row::moment(capture.received_at, zone);
    let from = if capture.peer.is_empty() { String::new() } else { format!(" from {}", capture.peer) };
    (if capture.edited_from.is_some() { "made" } else { "received" }, format!("{at}{from}"))
}

fn facts(capture: &Capture, zone: &Zone) -> Vec<(&'static str, String)> {
    let judgement = &capture.judgement;
    let mut facts = vec![
        ("capture", format!("#{}  {}", capture.id, capture.uid)),
        received(capture, zone),
        ("endpoint", capture.endpoint.clone()),
    ];
    let mut add = |name, value: Option<String>| facts.extend(value.map(|value| (name, value)));
    add("provider", capture.provider.clone());
    add("event", capture.event.kind.clone());
    add("event id", capture.event.id.clone());
    add("event time", capture.event.created_at.map(|at| row::moment(at, zone)));
    add("signature", Some(row::signature(judgement.verdict, judgement.fault)));
    add("", judgement.explanation.as_ref().map(|e| e.text.clone()));
    add("", suggest::learning(capture));
    if let Some(evidence) = &judgement.evidence {
        add("signs", Some(format!("{} in {}", evidence.content, evidence.place)));
        add("received", evidence.received.clone());
        add("expected", evidence.expected.clone());
        add("differs", evidence.difference.clone());
    }
    add("age", judgement.age_s.map(|s| format!("{s} s")));
    add("covers", judgement.uncovered());
    if let Some(asked) = &judgement.handshake {
        add("handshake", Some(asked.about.clone()));
        add("", asked.show.clone());
        add("answer", asked.answer.clone().filter(|answer| !answer.is_empty()));
    }
    for sentence in capture.course() {
        add("delivery", Some(sentence));
    }
    for flag in capture.flags.iter() {
        add("flag", Some(flag.sentence().to_owned()));
    }
    add("answered", Some(capture.answer_in_words()));
    let cut = capture.body.declared.filter(|&n| n != capture.body.size);
    let of = cut.map_or(String::new(), |n| format!(" of {n} declared"));
    add("body", Some(format!("{}{of}, sha256 {}", counted(capture.body.size, "byte"), hex(&capture.body.sha256))));
    facts
}

/// The tries at its event beside the schedule that the provider publishes.
fn print_tries(printer: &Printer, capture: &Capture, tries: &[Try]) -> Result<(), Failure> {
    let catalog = engine::catalog()?;
    let provider = capture.provider.as_deref().and_then(|name| catalog.get(name));
    let rows = provider.map_or_else(Vec::new, |provider| verify::retries(tries, provider.habits(), true));
    rows.iter().enumerate().try_for_each(|(at, row)| {
        let name = if at == 0 { "tries" } else { "" };
        printer.line(&format!("{name:<10} {:<23}{}  {}", row.name, row.bar, row.words))
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

fn print_headers<'a>(printer: &Printer, headers: impl Iterator<Item = Header<'a>>) -> Result<(), Failure> {
    for header in headers {
        printer.line(&format!("{}: {}", body::escape_bytes(header.name), body::escape_bytes(header.value)))?;
    }
    Ok(())
}

fn content(capture: &Capture) -> Content {
    let content = Content::of(&capture.body.bytes, capture.head.headers());
    Content { received_at: Some(capture.received_at), columns: PICTURE_COLUMNS, ..content }
}

/// The body through the view that fits it best, its first lines.
fn print_body(printer: &Printer, content: &Content, most: usize) -> Result<(), Failure> {
    if content.bytes.is_empty() {
        return Ok(());
    }
    printer.line("")?;
    print_view(printer, content, body::best(content), most)
}

fn print_view(printer: &Printer, content: &Content, view: &View, most: usize) -> Result<(), Failure> {
    let document = view.show(content).map_err(|why| Failure::new(format!("showing the body as {}", view.name), why))?;
    let (all, count) = (document.line_count(), document.line_count().min(most));
    for from in (0..count).step_by(SLICE) {
        for line in document.lines(from..count.min(from + SLICE)) {
            printer.line(&line.iter().map(plain).collect::<String>())?;
        }
        if printer.closed() {
            break;
        }
    }
    if all > count {
        printer.line(&format!("({} more, in --json)", counted((all - count) as u64, "line")))?;
    }
    document.note().map_or(Ok(()), |note| printer.line(&format!("({note})")))
}

/// A piece of a line without colours.
fn plain(span: &Span) -> Cow<'_, str> {
    match span.role {
        Role::Pixels(top, bottom) => Cow::Owned(span.text.chars().map(|_| body::shade(top, bottom)).collect()),
        _ => Cow::Borrowed(&span.text),
    }
}

/// The value at a path: a text without its quotes, anything else as sent; with `--json` as JSON.
fn print_value(printer: &Printer, capture: &Capture, path: &str) -> Result<Answer, Failure> {
    let parsed = body::Path::parse(path).map_err(|why| {
        Failure::new(format!("reading the path {path}"), why)
            .hint("write it as data.items[0].id, as jq does with a dot before it, or as a JSON pointer")
    })?;
    let Some(value) = body::value(&content(capture), &parsed) else {
        if !printer.quiet {
            super::report(&format!("capture {} has nothing at {path}", capture.id));
        }
        return Ok(Answer::No);
    };
    match &value {
        _ if !printer.json => {
            printer.bytes(&value.plain())?;
            if !printer.on_a_terminal() {
                printer.bytes(b"\n")?;
            }
        }
        body::Value::Json(raw) => {
            let value =
                serde_json::from_slice(raw).map_err(|why| Failure::new(format!("reading the value at {path}"), why))?;
            printer.value(&value)?;
        }
        body::Value::Field(field) => printer.value(&String::from_utf8_lossy(field).into_owned().into())?,
    }
    Ok(Answer::Yes)
}

/// Whose bug it is.
fn says(capture: &Capture, delivery: &Delivery) -> Result<Vec<String>, Failure> {
    let catalog = engine::catalog()?;
    let provider = capture.provider.as_deref().and_then(|name| catalog.get(name));
    Ok(verify::blame(&capture.judgement, delivery, provider))
}

fn print_delivery(printer: &Printer, capture: &Capture, delivery: &Delivery, zone: &Zone) -> Result<(), Failure> {
    printer.line("")?;
    printer.line(&outcome(delivery))?;
    says(capture, delivery)?.iter().try_for_each(|sentence| printer.line(&format!("  {sentence}")))?;
    printer.line(&format!("  at {}, try {}", row::moment(delivery.started_at, zone), delivery.attempt))?;
    for change in &delivery.receipt {
        printer.line(&format!("  {change}"))?;
    }
    match &delivery.outcome {
        Outcome::Replied(reply) => print_reply(printer, reply),
        Outcome::Failed(..) => Ok(()),
    }
}

/// What is still to be brought to an app, and when; or that it was given up.
fn print_errand(printer: &Printer, errand: &Errand, zone: &Zone) -> Result<(), Failure> {
    let Errand { lane, tries, due_at, dead, .. } = errand;
    printer.line("")?;
    let times = row::tries(*tries);
    if *dead {
        return printer.line(&format!("{lane}: given up after {times}; `creel resend --dead` sends it once more"));
    }
    let when =
        if *tries == 0 { "waits for its turn".to_owned() } else { format!("next at {}", row::moment(*due_at, zone)) };
    printer.line(&format!("{lane}: waits, after {times}; {when}"))
}

fn print_reply(printer: &Printer, reply: &Reply) -> Result<(), Failure> {
    print_headers(printer, reply.headers.iter())?;
    print_body(printer, &Content::of(&reply.body, &reply.headers), REPLY_LINES)?;
    if reply.truncated { printer.line("(the reply went on; this is its first part)") } else { Ok(()) }
}

/// What came of a delivery, on one line. Shared with `creel resend`.
pub(super) fn outcome(delivery: &Delivery) -> String {
    let result = match &delivery.outcome {
        Outcome::Replied(reply) => format!("{} in {} ms", reply.status, delivery.took_ms),
        Outcome::Failed(_, why) => format!("failed: {why}"),
    };
    format!("#{} → {}  {result}", delivery.capture, delivery.to)
}
