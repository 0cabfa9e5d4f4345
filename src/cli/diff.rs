//! `creel diff`: in what two captures differ, or the last replies to them.

use std::collections::BTreeMap;

use clap::Args;
use serde_json::json;

use super::{Answer, Common, Printer};
use crate::{
    body::{self, Content, Difference},
    engine::no_such_capture,
    record::{Capture, CaptureId, Failure, Headers, Outcome, Reply, text::lossless},
    store::{Bodies, Reader},
};

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The number of the first capture
    #[arg(value_name = "A")]
    before: i64,
    /// The number of the second
    #[arg(value_name = "B")]
    after: i64,
    /// Compare the last replies of the app to them instead
    #[arg(long)]
    replies: bool,
}

/// A part of the messages, and in what it differs.
pub(super) type Part = (&'static str, Vec<Difference>);

pub(super) fn run(diff: &Diff, common: &Common) -> Result<Answer, Failure> {
    let printer = common.printer();
    let reader = Reader::open(&common.store()?)?;
    let ids = [CaptureId(diff.before), CaptureId(diff.after)];
    let parts = if diff.replies {
        let [before, after] = ids.map(|id| reply(&reader, id));
        of_replies(&before?, &after?)
    } else {
        let [before, after] = ids.map(|id| reader.capture(id, Bodies::Read)?.ok_or_else(|| no_such_capture(id)));
        of_captures(&before?, &after?)
    };
    let is_same = parts.iter().all(|(_, differences)| differences.is_empty());
    print(&parts, &printer)?;
    if is_same && !printer.json && !printer.quiet {
        printer.line("no difference")?;
    }
    Ok(if is_same { Answer::Yes } else { Answer::No })
}

/// The last reply to a capture.
fn reply(reader: &Reader, id: CaptureId) -> Result<(u16, Reply), Failure> {
    let none = || Failure::new(format!("comparing the replies to capture {id}"), "there is none");
    let replied = |outcome: Outcome| match outcome {
        Outcome::Replied(reply) => Some((reply.status, reply)),
        Outcome::Failed(_) => None,
    };
    reader.deliveries(id)?.into_iter().find_map(|delivery| replied(delivery.outcome)).ok_or_else(none)
}

pub(super) fn of_captures(before: &Capture, after: &Capture) -> Vec<Part> {
    let line = |capture: &Capture| {
        let head = &capture.head;
        [("method", head.method().into_owned()), ("target", lossless(head.target()).into_owned())]
    };
    let request =
        line(before).into_iter().zip(line(after)).filter_map(|((at, a), (_, b))| changed(at, &a, &b)).collect();
    vec![
        ("request", request),
        ("headers", headers(before.head.headers(), after.head.headers())),
        ("body", body::diff(&content(before), &content(after))),
    ]
}

fn content(capture: &Capture) -> Content {
    Content::of(&capture.body.bytes, capture.head.headers())
}

fn of_replies((before_status, before): &(u16, Reply), (after_status, after): &(u16, Reply)) -> Vec<Part> {
    let status = changed("status", &before_status.to_string(), &after_status.to_string());
    let content = |reply: &Reply| Content::of(&reply.body, &reply.headers);
    vec![
        ("status", status.into_iter().collect()),
        ("headers", headers(&before.headers, &after.headers)),
        ("body", body::diff(&content(before), &content(after))),
    ]
}

fn changed(at: &str, before: &str, after: &str) -> Option<Difference> {
    let shown = |text: &str| Some(body::escape(text).into_owned());
    (before != after).then(|| Difference { at: at.to_owned(), before: shown(before), after: shown(after) })
}

/// By name, whatever its case; the values of one name in their order.
fn headers(before: &Headers, after: &Headers) -> Vec<Difference> {
    let by_name = |headers: &Headers| {
        let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for header in headers {
            all.entry(header.name_text().to_lowercase()).or_default().push(header.value_text().into_owned());
        }
        all
    };
    let (before, after) = (by_name(before), by_name(after));
    let names: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let of = |values: Option<&Vec<String>>| values.map(|values| body::escape(&values.join(", ")).into_owned());
    names
        .into_iter()
        .filter(|name| before.get(*name) != after.get(*name))
        .map(|name| Difference {
            at: body::escape(name).into_owned(),
            before: of(before.get(name)),
            after: of(after.get(name)),
        })
        .collect()
}

pub(super) fn print(parts: &[Part], printer: &Printer) -> Result<(), Failure> {
    for (name, differences) in parts.iter().filter(|(_, differences)| !differences.is_empty()) {
        if !printer.json && !printer.quiet {
            printer.line(name)?;
        }
        for difference in differences {
            if printer.json {
                let Difference { at, before, after } = difference;
                printer.value(&json!({ "part": name, "at": at, "before": before, "after": after }))?;
            } else if !printer.quiet {
                printer.line(&format!("  {difference}"))?;
            }
        }
    }
    Ok(())
}
