//! The tries of a provider at one event, held against the schedule that it publishes.

use super::{Habits, habits::span};
use crate::record::{CaptureId, Timestamp, counted, gap};

/// By how much a gap may differ from the published one and still be that: a part of it, and at least so many milliseconds.
/// Providers add chance, so that not all comes back at once.
const TOLERANCE: f64 = 0.2;
const TOLERANCE_MS: i64 = 2_000;
/// How wide a bar is, in columns.
const BAR: usize = 24;
/// How many of the published gaps are told.
const TOLD: usize = 8;

/// A try that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Try {
    /// The capture that it was.
    pub id: CaptureId,
    /// When it came.
    pub at: Timestamp,
    /// What it was answered; zero where nobody was left to answer.
    pub status: u16,
}

/// A try beside the schedule, as text in three columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Which it is, and how long after the last: `#12  try 2  +5.1 s`.
    pub name: String,
    /// The gap as a bar, and a mark where the published one ends. Both by the logarithm: gaps grow from seconds to hours.
    pub bar: String,
    /// How the two agree.
    pub words: String,
    /// Whether they do.
    pub agrees: bool,
}

/// The tries of an event, oldest first, beside the provider's schedule; nothing where it publishes none, or where there was but
/// one try. The first row tells the schedule.
pub fn retries(tries: &[Try], habits: &Habits, unicode: bool) -> Vec<Row> {
    let schedule = habits.retries.as_deref().unwrap_or_default();
    if schedule.is_empty() || tries.len() < 2 {
        return Vec::new();
    }
    let due = |at: usize| schedule.get(at).map(|&seconds| i64::from(seconds) * 1_000);
    let gaps: Vec<i64> = tries.windows(2).map(|pair| pair[1].at.since_ms(pair[0].at).max(0)).collect();
    let is_over = tries.last().is_some_and(|last| habits.is_success(last.status));
    let next = due(gaps.len()).filter(|_| !is_over);
    let longest = (0..gaps.len()).filter_map(due).chain(gaps.iter().copied()).chain(next).max().unwrap_or(1);
    let bar = |came: i64, due: Option<i64>| bar(came, due, longest, unicode);
    let blank = || " ".repeat(BAR);
    let status = |one: &Try| if one.status == 0 { "no answer".to_owned() } else { one.status.to_string() };
    let told = Row { name: "published".to_owned(), bar: blank(), words: published(schedule), agrees: true };
    let first = tries.first().map(|first| Row {
        name: name(first, 1, ""),
        bar: blank(),
        words: format!("answered {}", status(first)),
        agrees: true,
    });
    let later = tries.iter().skip(1).zip(&gaps).enumerate().map(|(at, (one, &came))| {
        let (words, agrees) = compared(came, due(at));
        let words = format!("{words}; answered {}", status(one));
        Row { name: name(one, at + 2, &format!("+{}", gap(came))), bar: bar(came, due(at)), words, agrees }
    });
    let end = match next {
        Some(next) => ("next", bar(0, Some(next)), format!("{} after the last, as published", gap(next))),
        None if is_over => ("", blank(), "the last was answered as the provider wants it: no other follows".to_owned()),
        None => ("", blank(), "the published schedule is at its end: no other follows".to_owned()),
    };
    let end = Row { name: end.0.to_owned(), bar: end.1, words: end.2, agrees: true };
    std::iter::once(told).chain(first).chain(later).chain([end]).collect()
}

fn name(one: &Try, number: usize, gap: &str) -> String {
    format!("#{:<5} try {number:<2} {gap:<8}", one.id.0)
}

fn published(schedule: &[u32]) -> String {
    let gaps: Vec<_> = schedule.iter().take(TOLD).map(|&seconds| span(seconds)).collect();
    let more = if schedule.len() > TOLD { ", …" } else { "" };
    format!("{}, after {}{more}", counted(schedule.len() as u64, "retry"), gaps.join(", "))
}

/// How a gap agrees with the published one, in words.
fn compared(came: i64, due: Option<i64>) -> (String, bool) {
    let Some(due) = due else { return ("more than the schedule has".to_owned(), false) };
    let most = TOLERANCE_MS.max((due as f64 * TOLERANCE) as i64);
    match came - due {
        off if off.abs() <= most => (format!("as published ({})", gap(due)), true),
        off if off < 0 => (format!("{} sooner than published ({})", gap(-off), gap(due)), false),
        off => (format!("{} later than published ({})", gap(off), gap(due)), false),
    }
}

/// The bar: filled as far as the gap that came, marked where the published one ends.
fn bar(came: i64, due: Option<i64>, longest: i64, unicode: bool) -> String {
    let length = |ms: i64| ((ms as f64 / 1_000.0).ln_1p() / (longest.max(1) as f64 / 1_000.0).ln_1p()).clamp(0.0, 1.0);
    let columns = |ms: i64| (length(ms) * (BAR - 1) as f64).round() as usize;
    let (came, due) = (columns(came), due.map(columns));
    let [full, empty, mark] = if unicode { ["━", "─", "┃"] } else { ["=", "-", "|"] };
    (0..BAR)
        .map(|at| {
            if due == Some(at) {
                mark
            } else if at < came {
                full
            } else {
                empty
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tries(seconds: &[i64], last: u16) -> Vec<Try> {
        let count = seconds.len();
        let one = |(at, second): (usize, &i64)| Try {
            id: CaptureId(at as i64 + 10),
            at: Timestamp::from_unix_ms(1_795_424_700_000 + second * 1_000),
            status: if at + 1 == count { last } else { 503 },
        };
        seconds.iter().enumerate().map(one).collect()
    }

    fn svix() -> Habits {
        Habits { retries: Some(vec![5, 300, 1_800]), ..Habits::default() }
    }

    fn words(rows: &[Row]) -> Vec<&str> {
        rows.iter().map(|row| &row.words[..]).collect()
    }

    #[test]
    fn each_try_is_held_against_the_published_gap() {
        let rows = retries(&tries(&[0, 5, 400, 500], 503), &svix(), true);
        let said = [
            "3 retries, after 5 s, 5 min, 30 min",
            "answered 503",
            "as published (5.0 s); answered 503",
            "95 s later than published (5 min); answered 503",
            "28 min sooner than published (30 min); answered 503",
            "the published schedule is at its end: no other follows",
        ];
        assert_eq!(words(&rows), said);
        assert_eq!(rows.iter().map(|row| row.agrees).collect::<Vec<_>>(), [true, true, true, false, false, true]);
        assert_eq!(rows[2].name, "#11    try 2  +5.0 s  ");
        assert!(rows.iter().all(|row| row.bar.chars().count() == BAR));
    }

    #[test]
    fn what_follows_is_told_by_the_last_answer() {
        let rows = retries(&tries(&[0, 6], 503), &svix(), true);
        assert_eq!(words(&rows).last(), Some(&"5 min after the last, as published"));
        let rows = retries(&tries(&[0, 6], 204), &svix(), true);
        assert!(words(&rows).last().unwrap().contains("no other follows"));
        let rows = retries(&tries(&[0, 5, 305, 2_105, 9_000], 503), &svix(), true);
        assert!(words(&rows)[5].starts_with("more than the schedule has"), "{:?}", words(&rows));
    }

    #[test]
    fn a_bar_ends_where_its_mark_is_when_both_agree_and_grows_by_the_logarithm() {
        assert_eq!(bar(1_800_000, Some(1_800_000), 1_800_000, true), format!("{}┃", "━".repeat(BAR - 1)));
        assert_eq!(bar(0, Some(0), 10, false), format!("|{}", "-".repeat(BAR - 1)));
        let filled = |ms| bar(ms, None, 36_000_000, false).matches('=').count();
        assert!(filled(5_000) >= 3 && filled(300_000) > filled(5_000) && filled(36_000_000) == BAR - 1);
    }

    #[test]
    fn without_a_schedule_or_a_second_try_there_is_nothing_to_draw() {
        assert!(retries(&tries(&[0], 503), &svix(), true).is_empty());
        assert!(retries(&tries(&[0, 5], 503), &Habits::default(), true).is_empty());
        let never = Habits { retries: Some(Vec::new()), ..Habits::default() };
        assert!(retries(&tries(&[0, 5], 503), &never, true).is_empty());
        // A clock that was set back breaks nothing.
        assert_eq!(retries(&tries(&[5, 0], 503), &svix(), true).len(), 4);
    }
}
