//! What was turned away at the door: like ones together, the last first.

use super::{
    line::{self, Pieces, piece},
    look::Paint,
    model::Model,
};
use crate::{
    body,
    record::{Peer, Refusal, Timestamp},
};

/// How many of the newest refusals are looked at.
pub(super) const NEWEST: usize = 500;
/// From how many columns on what came stands in the row, and not below it.
const WIDE: usize = 120;
/// The most columns that names of endpoints and addresses have.
const NAME: usize = 16;

/// What was refused, and the endpoint that it was for; none where it was no request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) refusal: Refusal,
    pub(super) endpoint: Option<String>,
}

/// The newest refusals, and how many there were in all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Refusals {
    pub(super) newest: Vec<Refused>,
    pub(super) all: u64,
}

/// Refusals of one address, at one endpoint, for one reason.
struct Like<'a> {
    count: usize,
    last: Timestamp,
    status: Option<u16>,
    address: &'a str,
    endpoint: &'a str,
    reason: &'a str,
    /// The first line of what came last.
    line: String,
}

/// The refusals that are alike together, those first whose last one is newest.
fn alike(newest: &[Refused]) -> Vec<Like<'_>> {
    let mut all: Vec<Like<'_>> = Vec::new();
    for Refused { refusal, endpoint } in newest {
        let address = Peer::of(&refusal.peer).address();
        let endpoint = endpoint.as_deref().unwrap_or("-");
        // The endpoint's guard says its name, too.
        let own = refusal.reason.strip_prefix(endpoint).and_then(|rest| rest.strip_prefix(": "));
        let (status, reason) = (refusal.status, own.unwrap_or(&refusal.reason));
        let is_like = |like: &&mut Like<'_>| {
            (like.status, like.address, like.endpoint, like.reason) == (status, address, endpoint, reason)
        };
        if let Some(like) = all.iter_mut().find(is_like) {
            like.count += 1;
            continue;
        }
        let line = refusal.masked_head().lines().next().unwrap_or_default().to_owned();
        all.push(Like { count: 1, last: refusal.at, status, address, endpoint, reason, line });
    }
    all
}

/// The rows at a width.
pub(super) fn rows(model: &Model, refusals: &Refusals, columns: usize) -> Vec<Pieces> {
    let all = alike(&refusals.newest);
    if all.is_empty() {
        return nothing(columns);
    }
    let address = all.iter().map(|like| body::width(like.address)).max().unwrap_or(0).clamp("from".len(), NAME);
    let endpoint = all.iter().map(|like| body::width(like.endpoint)).max().unwrap_or(0).clamp("endpoint".len(), NAME);
    let widths = [8, 5, 4, address, endpoint];
    let reason = all.iter().map(|like| body::width(like.reason)).max().unwrap_or(0).max(3);
    let names = cells(&["last", "times", "said", "from", "endpoint"], &widths);
    let names = if columns >= WIDE { format!("{names}why") } else { names };
    let mut rows = vec![vec![piece(Paint::Dim, &names)]];
    for like in &all {
        let when = like.last.clock(&model.zone);
        let said = like.status.map_or_else(|| "-".to_owned(), |status| status.to_string());
        let facts = [&when[..], &like.count.to_string(), &said, like.address, like.endpoint];
        let facts = piece(Paint::Dim, &cells(&facts, &widths));
        let blanks = " ".repeat((reason + 2).saturating_sub(body::width(like.reason)));
        let why = piece(Paint::Warning, &format!("{}{blanks}", like.reason));
        let came = piece(Paint::Plain, &like.line);
        if columns >= WIDE {
            rows.push(vec![facts, why, came]);
        } else {
            rows.extend([vec![facts], vec![piece(Paint::Plain, "  "), why, came]]);
        }
    }
    if refusals.all > refusals.newest.len() as u64 {
        let words = format!("{} were refused in all; these are the newest {}", refusals.all, refusals.newest.len());
        rows.extend([Vec::new(), vec![piece(Paint::Dim, &words)]]);
    }
    rows
}

/// Texts in columns; numbers stand to the right in theirs.
fn cells(texts: &[&str; 5], widths: &[usize; 5]) -> String {
    texts.iter().zip(widths).enumerate().fold(String::new(), |row, (at, (text, &width))| {
        let text = body::fit(&body::escape(text), width);
        let blanks = " ".repeat(width.saturating_sub(body::width(&text)));
        if at == 1 { format!("{row}{blanks}{text}  ") } else { format!("{row}{text}{blanks}  ") }
    })
}

fn nothing(columns: usize) -> Vec<Pieces> {
    let words = [
        "Here stands what creel did not take: what is no HTTP or breaks its rules, heads and bodies that are too large or too slow, \
         and what the guard of an endpoint turns away ([endpoint.guard] in creel.toml: keys, networks, methods, rates).",
        "Each is counted in the header and kept with its reason; `creel refused --heads` prints what came.",
    ];
    let mut rows = vec![Vec::new(), vec![piece(Paint::Heading, "Nothing was turned away")], Vec::new()];
    for words in words {
        rows.extend(line::paragraph(Paint::Plain, words, columns.saturating_sub(1)));
        rows.push(Vec::new());
    }
    rows
}
