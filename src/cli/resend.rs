//! `creel resend`: captures thrown at an app again.

use std::path::Path;

use clap::Args;
use serde_json::json;

use super::{
    Answer, Common, Printer, Secrets, diff, input,
    send::{Pace, headers_of, settings_of},
    show,
};
use crate::{
    body::compare,
    engine::{Aim, Engine, Transform, Wishes, edit::Edit, no_such_capture},
    export::json,
    record::{Body, Capture, CaptureId, Delivery, Failure},
    store::{Bodies, Reader},
};

#[derive(Debug, Args)]
pub(crate) struct Resend {
    /// The captures' numbers
    #[arg(required_unless_present = "filter", conflicts_with = "filter", value_name = "ID")]
    ids: Vec<i64>,
    /// All that match a filter, oldest first, in place of numbers
    #[arg(long, value_name = "FILTER")]
    filter: Option<String>,
    /// The app; without a path the captured target is kept whole [default: the endpoint's `forward`]
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// Change the body by a jq program, or the program in a file of that name, before all other changes
    #[arg(long, value_name = "EXPR|FILE")]
    transform: Option<String>,
    /// Give the program the whole request: {method, target, headers: [[NAME, VALUE], …], body}
    #[arg(long, requires = "transform")]
    whole: bool,
    /// Show what the program changes, and send nothing
    #[arg(long, requires = "transform")]
    transform_preview: bool,
    /// Set a value of a JSON body: data.amount=5; a value that is no JSON is a text
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Replace or add a header
    #[arg(long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// Leave a header out
    #[arg(long, value_name = "NAME")]
    drop_header: Vec<String>,
    /// Sign it anew, with a fresh timestamp, by the endpoint's secret or the one given here
    #[arg(long)]
    resign: bool,
    /// With --resign: give it a new delivery id
    #[arg(long, requires = "resign")]
    new_id: bool,
    #[command(flatten)]
    secrets: Secrets,
    /// How many a second at most
    #[arg(long, value_name = "N")]
    rate: Option<f64>,
    /// Take an https certificate that nobody vouches for
    #[arg(long)]
    insecure: bool,
}

pub(super) fn run(resend: &Resend, common: &Common) -> Result<Answer, Failure> {
    let printer = common.printer();
    let aim = aim(resend)?;
    let engine = Engine::visit(common.settings()?);
    let ids = match &resend.filter {
        Some(text) => input::matching(&engine.reader()?, std::slice::from_ref(text))?,
        None => resend.ids.iter().copied().map(CaptureId).collect(),
    };
    if let Some(transform) = aim.edit.transform.as_ref().filter(|_| resend.transform_preview) {
        return preview(&engine.reader()?, &ids, transform, &printer);
    }
    let pace = Pace::new(resend.rate);
    let mut right = 0;
    for (turn, &id) in ids.iter().enumerate() {
        pace.wait_for(turn);
        let delivery = engine.resend(id, aim.clone())?;
        right += usize::from(delivery.outcome.is_success());
        print(&printer, id, &delivery)?;
    }
    if ids.len() > 1 && !printer.json && !printer.quiet {
        let words = format!("{} sent, {right} answered 2xx, {} not", ids.len(), ids.len() - right);
        printer.line(&format!("{words}, in {:.1} s", pace.elapsed().as_secs_f64()))?;
    }
    engine.stop()?;
    if ids.is_empty() && !printer.quiet {
        super::report(&"no capture matches");
    }
    Ok(if right == ids.len() && right > 0 { Answer::Yes } else { Answer::No })
}

fn aim(resend: &Resend) -> Result<Aim, Failure> {
    let wishes =
        Wishes { secrets: resend.secrets.given.clone(), sources: resend.secrets.sources(), ..Wishes::default() };
    let (secrets, notices) = wishes.open_bin_secrets()?;
    notices.iter().for_each(|notice| super::report(notice));
    let headers = headers_of(&resend.headers)?;
    let headers = headers.iter().map(|header| (header.name_text().into_owned(), header.value_text().into_owned()));
    let edit = Edit {
        transform: resend.transform.as_deref().map(|text| program(text, resend.whole)).transpose()?,
        set: settings_of(&resend.set)?,
        headers: headers.collect(),
        dropped: resend.drop_header.clone(),
        resign: resend.resign,
        secrets,
        new_id: resend.new_id,
        whole: None,
    };
    Ok(Aim { to: resend.to.clone(), insecure: resend.insecure, edit })
}

/// A jq program: the text itself, or what stands in the file of that name.
fn program(text: &str, whole: bool) -> Result<Transform, Failure> {
    let path = Path::new(text);
    let program = if path.is_file() {
        String::from_utf8(input::read(path)?).map_err(|why| Failure::new(format!("reading {text}"), why))?
    } else {
        text.to_owned()
    };
    Ok(Transform { program, whole })
}

/// In what the transformed captures differ from those that came.
fn preview(reader: &Reader, ids: &[CaptureId], transform: &Transform, printer: &Printer) -> Result<Answer, Failure> {
    let mut is_changed = false;
    for &id in ids {
        let before = reader.capture(id, Bodies::Read)?.ok_or_else(|| no_such_capture(id))?;
        let (head, bytes) = transform.apply(&before.head, &before.body.bytes)?;
        let body = Body { bytes, ..before.body.clone() };
        let parts = compare::captures(&before, &Capture { head, body, ..before.clone() });
        is_changed |= parts.iter().any(|part| !part.differences.is_empty());
        if !printer.json && !printer.quiet {
            printer.line(&format!("#{id}"))?;
        }
        diff::print(&parts, printer)?;
    }
    Ok(if is_changed { Answer::Yes } else { Answer::No })
}

fn print(printer: &Printer, id: CaptureId, delivery: &Delivery) -> Result<(), Failure> {
    if printer.json {
        let mut value = json::delivery(delivery, true);
        // Several captures may be sent: each line says which.
        value["capture"] = json!(id.0);
        return printer.value(&value);
    }
    printer.line(&show::outcome(delivery))?;
    if !printer.quiet {
        delivery.receipt.iter().try_for_each(|change| printer.line(&format!("  {change}")))?;
    }
    Ok(())
}
