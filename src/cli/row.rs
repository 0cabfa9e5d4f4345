//! One capture on one line, for `serve`, `tail` and `ls`.

use crate::{
    body,
    record::{Fault, LastDelivery, Summary, Timestamp, Verdict, Zone, counted},
};

/// Columns of the fixed parts, so that lines of different captures stand under each other.
const PATH_WIDTH: usize = 24;
const EVENT_WIDTH: usize = 28;

/// The line: number, time, method, path, event, size, signature, the app's reply, marks and flags.
pub(super) fn line(row: &Summary, zone: &Zone) -> String {
    let event = row.event.kind.as_deref().unwrap_or("-");
    let parts = [
        format!("{:>6}", row.id.0),
        row.received_at.clock(zone),
        format!("{:<6}", body::fit(&row.method, 12)),
        cell(&row.path, PATH_WIDTH),
        cell(event, EVENT_WIDTH),
        format!("{:>7}", size(row.size)),
        format!("{:<20}", signature(row.verdict, row.fault)),
    ];
    let mut line = parts.join("  ");
    for word in facts(row) {
        line.push_str("  ");
        line.push_str(&word);
    }
    line.truncate(line.trim_end().len());
    line
}

fn cell(text: &str, width: usize) -> String {
    let text = body::fit(text, width);
    let blanks = width.saturating_sub(body::width(&text));
    format!("{text}{:blanks$}", "")
}

/// The verdict in words: `passed`, `failed: mismatch`, `unchecked: secret-missing`.
pub(super) fn signature(verdict: Verdict, fault: Option<Fault>) -> String {
    match fault {
        Some(fault) => format!("{}: {}", verdict.name(), fault.name()),
        None => verdict.name().to_owned(),
    }
}

fn facts(row: &Summary) -> Vec<String> {
    let app = row.last_delivery.map(|last| match last {
        LastDelivery::Replied(status) => format!("app {status}"),
        LastDelivery::Failed => "app failed".to_owned(),
    });
    let duplicate = row.duplicate_of.map(|first| match row.repeat {
        Some(repeat) if repeat.is_replay => {
            format!("replay {} of #{first}, {} later", repeat.attempt, repeat.gap())
        }
        Some(repeat) if repeat.is_retry => format!("retry {} of #{first}, {} later", repeat.attempt, repeat.gap()),
        Some(repeat) => format!("duplicate {} of #{first}, {} later", repeat.attempt, repeat.gap()),
        None => format!("duplicate of #{first}"),
    });
    let edited = row.edited_from.map(|from| format!("edited from #{from}"));
    let late = row.late_ms.map(|_| "out of order".to_owned());
    let partly = row.verdict == Verdict::Passed && row.covers_body == Some(false);
    let partly = partly.then(|| "(not the body)".to_owned());
    let cut = row.truncated.then(|| "body cut".to_owned());
    let flags = row.flags.iter().map(|flag| format!("⚑ {}", flag.name()));
    partly.into_iter().chain(app).chain(duplicate).chain(edited).chain(late).chain(cut).chain(flags).collect()
}

/// A size as a person reads it: `812`, `2.1k`, `25M`.
pub(super) fn size(bytes: u64) -> String {
    body::size(bytes)
}

/// How often something was tried, in words.
pub(super) fn tries(count: u32) -> String {
    counted(count.into(), "try")
}

/// A moment with its date, in the zone.
pub(super) fn moment(at: Timestamp, zone: &Zone) -> String {
    at.date_and_clock(zone)
}
