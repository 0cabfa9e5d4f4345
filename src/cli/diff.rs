//! `creel diff`: in what two captures differ, or the last replies to them.

use clap::Args;
use serde_json::{Value, json};

use super::{Answer, Common, Printer, input};
use crate::{
    body::{
        Difference,
        compare::{self, Part},
    },
    engine::no_such_capture,
    record::{CaptureId, Failure, Outcome, Reply},
    store::{Bodies, Reader},
};

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The number of the first capture
    #[arg(value_name = "A", value_parser = input::id)]
    before: i64,
    /// The number of the second
    #[arg(value_name = "B", value_parser = input::id)]
    after: i64,
    /// Compare the last replies of the app to them instead
    #[arg(long)]
    replies: bool,
}

pub(super) fn run(diff: &Diff, common: &Common) -> Result<Answer, Failure> {
    let printer = common.printer();
    let reader = Reader::open(&common.store()?)?;
    let ids = [CaptureId(diff.before), CaptureId(diff.after)];
    let parts = if diff.replies {
        let [before, after] = ids.map(|id| reply(&reader, id));
        let ((before_status, before), (after_status, after)) = (before?, after?);
        compare::replies((before_status, &before), (after_status, &after))
    } else {
        let [before, after] = ids.map(|id| reader.capture(id, Bodies::Read)?.ok_or_else(|| no_such_capture(id)));
        compare::captures(&before?, &after?)
    };
    let is_same = parts.iter().all(|part| part.differences.is_empty());
    print(&parts, &printer, &[])?;
    Ok(if is_same { Answer::Yes } else { Answer::No })
}

/// The last reply to a capture.
fn reply(reader: &Reader, id: CaptureId) -> Result<(u16, Reply), Failure> {
    reader.summary(id)?.ok_or_else(|| no_such_capture(id))?;
    let none = || {
        Failure::new(format!("comparing the replies to capture {id}"), "there is none")
            .hint(format!("`creel resend {id}` sends it to its app, and keeps the reply"))
    };
    let replied = |outcome: Outcome| match outcome {
        Outcome::Replied(reply) => Some((reply.status, reply)),
        Outcome::Failed(..) => None,
    };
    reader.deliveries(id)?.into_iter().find_map(|delivery| replied(delivery.outcome)).ok_or_else(none)
}

/// `of`: what each object of JSON says beside, where it is not clear what differs.
pub(super) fn print(parts: &[Part], printer: &Printer, of: &[(&str, Value)]) -> Result<(), Failure> {
    if parts.iter().all(|part| part.differences.is_empty()) && !printer.json && !printer.quiet {
        return printer.line("no difference");
    }
    for Part { name, differences } in parts.iter().filter(|part| !part.differences.is_empty()) {
        if !printer.json && !printer.quiet {
            printer.line(name)?;
        }
        for difference in differences {
            if printer.json {
                let Difference { at, before, after, to } = difference;
                let mut value = json!({ "part": name, "at": at, "before": before, "after": after });
                if let Some(to) = to {
                    value["moved_to"] = json!(to);
                }
                of.iter().for_each(|(name, it)| value[*name] = it.clone());
                printer.value(&value)?;
            } else if !printer.quiet {
                printer.line(&format!("  {difference}"))?;
            }
        }
    }
    Ok(())
}
