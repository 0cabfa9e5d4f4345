//! `creel resend`: captures thrown at an app again.

mod edit;
mod report;
mod watch;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use self::{report::Report, watch::Folder};
use super::{
    Answer, Common, Printer, Secrets, diff, input, row,
    send::{SET_HELP, sendable_headers, settings_of},
};
use crate::{
    body::compare,
    engine::{
        self, Aim, Each, Engine, Pacing, Transform,
        edit::Edit,
        no_such_capture,
        preview::{self, Lens},
    },
    export::json,
    record::{Batch, BatchId, Capture, CaptureId, Failure},
    store::{Bodies, Reader},
};
use clap::{ArgGroup, Args, builder::RangedU64ValueParser};

/// How many captures may be under way at a time: as many connections are open, and a system allows a process few thousand.
const MOST_JOBS: u64 = 512;

fn jobs() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=MOST_JOBS)
}

/// How often, and after what pause, an app is tried again that was built a moment ago and does not listen yet.
const UP_TRIES: usize = 20;
const UP_PAUSE: Duration = Duration::from_millis(250);

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("which").required(true).multiple(true).args(["ids", "filter", "marked", "dead", "continued"])))]
pub(crate) struct Resend {
    /// The captures' numbers
    #[arg(value_name = "ID",
          conflicts_with_all = ["filter", "marked", "dead", "continued"], value_parser = input::id_and_no_filter)]
    ids: Vec<i64>,
    /// All that match a filter, oldest first, in place of numbers
    #[arg(long, value_name = "FILTER", conflicts_with_all = ["marked", "dead", "continued"])]
    filter: Option<String>,
    /// The marked ones, oldest first, in place of numbers
    #[arg(long, conflicts_with_all = ["dead", "continued"])]
    marked: bool,
    /// What was to be forwarded and was given up (`creel dead`), to where it was to go
    #[arg(long, conflicts_with_all = ["continued", "to"])]
    dead: bool,
    /// What is left of a batch that was stopped: the last one, or that of a number
    #[arg(long = "continue", value_name = "BATCH", num_args = 0..=1, default_missing_value = "0", value_parser = input::batch)]
    continued: Option<i64>,
    /// The app, a URL or a target of creel.toml; without a path the captured target is kept whole, with one its path takes
    /// the captured one's place [default: the endpoint's `forward`]
    #[arg(long, value_name = "URL|TARGET")]
    to: Option<String>,
    /// Append the captured path to the URL's, in place of replacing it
    #[arg(long)]
    append_path: bool,
    /// How many at a time, 512 at most; one keeps their order
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = jobs())]
    jobs: usize,
    /// Send again whenever something in this folder changes, until it is stopped
    #[arg(long, value_name = "DIR", conflicts_with_all = ["dead", "continued"])]
    watch: Option<PathBuf>,
    /// Send again whenever something in the folder of --watch, or in this one, changes, until all are answered 2xx
    #[arg(long, conflicts_with_all = ["dead", "continued"])]
    until_ok: bool,
    /// Change the body by a jq program, or the program in a file of that name, before all other changes
    #[arg(long, value_name = "EXPR|FILE")]
    transform: Option<String>,
    /// Give the program the whole request: {method, target, headers: [[NAME, VALUE], …], body}
    #[arg(long, requires = "transform")]
    whole: bool,
    /// Show what the program changes, and send nothing; without --transform: the programs of the endpoint's forwards
    #[arg(long)]
    transform_preview: bool,
    /// Edit the request in $VISUAL or $EDITOR first; what is not changed is not sent
    #[arg(long, conflicts_with_all = ["filter", "marked", "dead", "continued"])]
    edit: bool,
    /// With --edit: send JSON that the edit broke as it is, where there is no terminal to ask on
    #[arg(long, requires = "edit")]
    as_it_is: bool,
    /// Send nothing: store what would be sent as a new capture that is marked as edited
    #[arg(long, conflicts_with_all = ["filter", "marked", "dead", "continued", "watch", "until_ok"])]
    save: bool,
    #[arg(long, value_name = "PATH=VALUE", help = SET_HELP)]
    set: Vec<String>,
    /// Replace a header, or add it where there is none; the same name once more is a second line of it. Host, too
    #[arg(long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// Leave a header out
    #[arg(long, value_name = "NAME")]
    drop_header: Vec<String>,
    /// Add the headers of the CloudEvents form (ce-id, ce-type, …); the body stays
    #[arg(long)]
    cloudevents: bool,
    /// Sign it anew, with a fresh timestamp, by the endpoint's secret or the one given here
    #[arg(long)]
    resign: bool,
    /// With --resign: give it a new delivery id
    #[arg(long, requires = "resign")]
    new_id: bool,
    #[command(flatten)]
    secrets: Secrets,
    /// How many a second at most
    #[arg(long, value_name = "N", value_parser = input::amount, allow_negative_numbers = true)]
    rate: Option<f64>,
    /// Take an https certificate that nobody vouches for
    #[arg(long)]
    insecure: bool,
}

pub(super) fn run(resend: &Resend, common: &Common) -> Result<Answer, Failure> {
    let printer = common.printer();
    let mut aim = aim(resend)?;
    let engine = Engine::visit(common.settings()?);
    if let Some(to) = &aim.to {
        engine.targets().named(to)?;
    }
    let reader = engine.reader()?;
    if resend.dead {
        return dead(&engine, &reader, &printer);
    }
    if let Some(batch) = resend.continued {
        let batch = batch_of(&reader, batch)?;
        let sending = Sending { engine: &engine, aim: engine::continued(&batch, &aim)?, resend, stop: stop(&printer)? };
        return sending.left_of(&batch, &reader, &printer);
    }
    let ids = chosen(resend, &reader, common)?;
    if resend.transform_preview {
        return preview(&engine, &reader, &ids, aim.edit.transform.as_ref(), &printer);
    }
    if ids.is_empty() {
        input::tell_none_matches(&printer);
        return Ok(Answer::No);
    }
    let stop = stop(&printer)?;
    if resend.edit {
        aim.edit.whole = edit::in_editor(&only(&ids, &reader, "--edit")?, resend.as_it_is)?;
        if aim.edit.whole.is_none() {
            return Ok(Answer::No);
        }
    }
    if resend.save {
        return save(&engine, &only(&ids, &reader, "--save")?, &aim, &printer);
    }
    let sending = Sending { engine: &engine, aim, resend, stop };
    let answer = if resend.until_ok || resend.watch.is_some() {
        sending.again_and_again(&ids, &reader, &printer)
    } else {
        sending.once(&ids, &reader, &printer).map(|right| if right { Answer::Yes } else { Answer::No })
    };
    engine.stop()?;
    answer
}

fn chosen(resend: &Resend, reader: &Reader, common: &Common) -> Result<Vec<CaptureId>, Failure> {
    let marked = resend.marked.then(|| "mark:marked".to_owned());
    match resend.filter.clone().or(marked) {
        Some(text) => input::matching(reader, &[text], common),
        None => Ok(resend.ids.iter().copied().map(CaptureId).collect()),
    }
}

/// The capture, where only one was named: a person edits one request.
fn only(ids: &[CaptureId], reader: &Reader, flag: &str) -> Result<Capture, Failure> {
    match ids {
        [id] => reader.capture(*id, Bodies::Read)?.ok_or_else(|| no_such_capture(*id)),
        _ => Err(Failure::new(format!("resending with {flag}"), "it takes one capture, and several were named")),
    }
}

/// Stores what would be sent, and says under which number.
fn save(engine: &Engine, capture: &Capture, aim: &Aim, printer: &Printer) -> Result<Answer, Failure> {
    let id = engine.keep(capture, aim)?;
    let made = engine.reader()?.capture(id, Bodies::Leave)?.ok_or_else(|| no_such_capture(id))?;
    if printer.json {
        printer.value(&json::capture(&made, &[], false))?;
    } else {
        let verdict = row::signature(made.judgement.verdict, made.judgement.fault);
        printer.line(&format!("#{id} is an edited #{}: {verdict}", capture.id))?;
    }
    engine.stop()?;
    Ok(Answer::Yes)
}

/// Set by the first signal: what is under way is finished, and the rest can be continued. The second ends it at once.
fn stop(printer: &Printer) -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let (asked, is_quiet) = (Arc::clone(&stop), printer.quiet);
    engine::on_signal(move || {
        if asked.swap(true, Ordering::AcqRel) {
            std::process::exit(2);
        }
        if !is_quiet {
            super::report(&"stopping: what is under way is finished; once more ends it at once");
        }
    })?;
    Ok(stop)
}

/// The batch of that number; 0: the last one that is not at its end.
fn batch_of(reader: &Reader, number: i64) -> Result<Batch, Failure> {
    let batches = reader.batches()?;
    let found = batches.into_iter().find(|batch| number == 0 || batch.id == BatchId(number));
    found.ok_or_else(|| Failure::new("continuing a batch", "there is none with anything left to send"))
}

/// Sends once more what was given up.
fn dead(engine: &Engine, reader: &Reader, printer: &Printer) -> Result<Answer, Failure> {
    let dead = reader.dead(None)?;
    if dead.is_empty() && !printer.quiet {
        super::report(&"nothing was given up");
    }
    let mut report = Report::new(printer, reader, dead.len());
    for errand in dead {
        let id = errand.capture;
        report.take(engine.resend_dead(errand).map_err(|failure| (id, failure)))?;
    }
    report.summary()?;
    engine.stop()?;
    report.failed().map_or(Ok(if report.is_all_right() { Answer::Yes } else { Answer::No }), Err)
}

/// What is sent, and how.
struct Sending<'a> {
    engine: &'a Engine,
    aim: Aim,
    resend: &'a Resend,
    stop: Arc<AtomicBool>,
}

impl Sending<'_> {
    fn pacing(&self) -> Pacing {
        let rate = self.resend.rate.filter(|rate| *rate > 0.0);
        Pacing { jobs: self.resend.jobs, rate, stop: Arc::clone(&self.stop) }
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Sends them. Whether all are right.
    fn once(&self, ids: &[CaptureId], reader: &Reader, printer: &Printer) -> Result<bool, Failure> {
        let mut report = Report::new(printer, reader, ids.len());
        Self::fill(&mut report, |take| self.engine.resend_all(ids.to_vec(), self.aim.clone(), self.pacing(), take))?;
        self.sum_up(&mut report)
    }

    fn left_of(&self, batch: &Batch, reader: &Reader, printer: &Printer) -> Result<Answer, Failure> {
        let mut report = Report::new(printer, reader, batch.left as usize);
        Self::fill(&mut report, |take| self.engine.resend_left(batch.id, self.aim.clone(), self.pacing(), take))?;
        let right = self.sum_up(&mut report)?;
        self.engine.stop()?;
        Ok(if right { Answer::Yes } else { Answer::No })
    }

    fn sum_up(&self, report: &mut Report<'_>) -> Result<bool, Failure> {
        report.summary()?;
        let left = report.left();
        if self.is_stopped() && left > 0 {
            let are = if left == 1 { "is" } else { "are" };
            super::report(&format!("{left} {are} left; `creel resend --continue` sends them"));
        }
        report.failed().map_or(Ok(report.is_all_right()), Err)
    }

    /// Sends them now, and again whenever something changed.
    fn again_and_again(&self, ids: &[CaptureId], reader: &Reader, printer: &Printer) -> Result<Answer, Failure> {
        let folder = self.resend.watch.as_deref().unwrap_or(Path::new("."));
        let watch = Folder::watch(folder, self.engine.db())?;
        loop {
            let right = self.until_it_listens(ids, reader, printer)?;
            if right && self.resend.until_ok {
                return Ok(Answer::Yes);
            }
            if !printer.quiet && !printer.json {
                super::report(&format!("waiting for a change in {}", folder.display()));
            }
            if !watch.wait(|| self.is_stopped()) {
                return Ok(if right { Answer::Yes } else { Answer::No });
            }
        }
    }

    /// An app that was built a moment ago may not listen yet: the first one is sent until it does, and then the others.
    fn until_it_listens(&self, ids: &[CaptureId], reader: &Reader, printer: &Printer) -> Result<bool, Failure> {
        let mut report = Report::new(printer, reader, ids.len());
        let (first, others) = ids.split_at(1);
        for turn in 1..=UP_TRIES {
            let mut sent = None;
            self.engine.resend_all(first.to_vec(), self.aim.clone(), self.pacing(), &mut |each| sent = Some(each))?;
            let refused = sent.as_ref().is_some_and(report::is_refused);
            if refused && turn < UP_TRIES && !self.is_stopped() {
                thread::sleep(UP_PAUSE);
                continue;
            }
            sent.map_or(Ok(()), |each| report.take(each))?;
            break;
        }
        if !others.is_empty() {
            Self::fill(&mut report, |take| {
                self.engine.resend_all(others.to_vec(), self.aim.clone(), self.pacing(), take)
            })?;
        }
        self.sum_up(&mut report)
    }

    /// Fills a report by what a sending tells.
    fn fill(
        report: &mut Report<'_>,
        send: impl FnOnce(&mut dyn FnMut(Each)) -> Result<u64, Failure>,
    ) -> Result<(), Failure> {
        let mut printed = Ok(());
        send(&mut |each| {
            let taken = report.take(each);
            if printed.is_ok() {
                printed = taken;
            }
        })?;
        printed
    }
}

fn aim(resend: &Resend) -> Result<Aim, Failure> {
    let secrets = resend.secrets.read()?;
    let headers = sendable_headers(&resend.headers)?;
    let headers = headers.iter().map(|header| (header.name_text().into_owned(), header.value_text().into_owned()));
    let edit = Edit {
        transform: resend.transform.as_deref().map(|text| program(text, resend.whole)).transpose()?,
        set: settings_of(&resend.set)?,
        headers: headers.collect(),
        dropped: resend.drop_header.clone(),
        cloudevents: resend.cloudevents,
        resign: resend.resign,
        secrets,
        new_id: resend.new_id,
        whole: None,
    };
    Ok(Aim { to: resend.to.clone(), append_path: resend.append_path, insecure: resend.insecure, edit })
}

/// A jq program: the text itself, or what stands in the file of that name. What is wrong with it is said once, and not of each
/// capture.
fn program(text: &str, whole: bool) -> Result<Transform, Failure> {
    let path = Path::new(text);
    let is_file = path.is_file();
    let is_meant_as_one = path.extension().is_some_and(|end| end == "jq") && !text.contains([' ', '|']);
    let (doing, program) = if is_file || is_meant_as_one {
        let doing = format!("reading {text}");
        let program = String::from_utf8(input::read(path)?).map_err(|why| Failure::new(&doing, why))?;
        (doing, program)
    } else {
        ("reading --transform".to_owned(), text.to_owned())
    };
    let transform = Transform { program, whole };
    transform.check().map_err(|failure| Failure { doing, ..failure })?;
    Ok(transform)
}

/// In what the transformed captures differ from those that came: by a program, else by those that forwards have.
fn preview(
    engine: &Engine,
    reader: &Reader,
    ids: &[CaptureId],
    given: Option<&Transform>,
    printer: &Printer,
) -> Result<Answer, Failure> {
    let (mut is_changed, mut has_failed) = (false, false);
    if ids.is_empty() {
        input::tell_none_matches(printer);
    }
    for &id in ids {
        let Some(before) = reader.capture(id, Bodies::Read)? else {
            if ids.len() == 1 {
                return Err(no_such_capture(id));
            }
            super::report(&format!("#{id}: {}", no_such_capture(id)));
            has_failed = true;
            continue;
        };
        for lens in lenses(engine, &before, given)? {
            let name = lens.to.as_ref().map(|to| format!(" → {to}")).unwrap_or_default();
            let after = match lens.apply(&before) {
                Ok(made) => made,
                Err(failure) if ids.len() == 1 => return Err(failure),
                Err(failure) => {
                    super::report(&format!("#{id}{name}: {failure}"));
                    has_failed = true;
                    continue;
                }
            };
            let parts = compare::captures(&before, &after);
            is_changed |= parts.iter().any(|part| !part.differences.is_empty());
            if !printer.json && !printer.quiet {
                printer.line(&format!("#{id}{name}"))?;
            }
            diff::print(&parts, printer, &[("capture", id.0.into()), ("to", lens.to.clone().into())])?;
        }
    }
    Ok(if is_changed && !has_failed { Answer::Yes } else { Answer::No })
}

/// The programs that change a capture.
fn lenses(engine: &Engine, capture: &Capture, given: Option<&Transform>) -> Result<Vec<Lens>, Failure> {
    if let Some(transform) = given {
        return Ok(vec![Lens::typed(transform.clone())]);
    }
    let endpoints = engine.endpoints();
    let endpoint = endpoints.of_capture(capture);
    let programs = preview::lenses(endpoint);
    if programs.is_empty() {
        let why = format!("no forward of the endpoint `{}` has a program", endpoint.name);
        return Err(Failure::new("showing what a program changes", why)
            .hint("give one with --transform, or `transform` in its [[endpoint.forward]]"));
    }
    Ok(programs)
}
