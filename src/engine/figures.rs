//! What came in a time, in words: the same ones in `creel stats` and in the screen's statistics.

use crate::{
    body,
    record::{Verdict, counted, gap, rate, thousands},
    store::{Counts, Stats},
};

/// How many there are, whatever their verdict.
pub fn sum(counts: &Counts) -> u64 {
    counts.iter().sum()
}

/// How many came, how many that is in a time, and how much: `357`, `15/h`, `22M`.
pub fn caught(stats: &Stats) -> [String; 3] {
    let seconds = (stats.until.unix_ms() - stats.since.unix_ms()).max(1) as f64 / 1_000.0;
    let all = sum(&stats.all);
    [thousands(all), rate(all as f64 / seconds), body::amount(stats.bytes)]
}

/// How many there are of each verdict, and the same in words: `326 passed`.
pub fn verdicts(counts: &Counts) -> impl Iterator<Item = (u64, String)> {
    Verdict::all().zip(*counts).map(|(verdict, count)| (count, format!("{} {}", thousands(count), verdict.name())))
}

/// What an endpoint or a provider is called: nobody's name is none.
pub fn name(name: &str) -> &str {
    if name.is_empty() { "-" } else { name }
}

/// How many there are, and what failed of them, where something did: `329`, `, 3 failed`.
pub fn all_and_failed(counts: &Counts) -> [String; 2] {
    let failed = match counts[Verdict::Failed as usize] {
        0 => String::new(),
        failed => format!(", {} failed", thousands(failed)),
    };
    [thousands(sum(counts)), failed]
}

/// What was sent to apps, where something was: how often, how much of it they took, and how long that took.
pub fn sent(stats: &Stats) -> Option<[String; 4]> {
    let (half, most) = stats.took?;
    let tries = stats.times.iter().sum::<u64>();
    let share = stats.answered * 100 / tries.max(1);
    let part = |percent: u64, ms: u64| format!("p{percent} {}", took(ms));
    Some([counted(tries, "try"), format!("{share} % 2xx"), part(50, half), part(95, most)])
}

/// How long an app took: `12 ms`, `1.5 s`.
pub fn took(ms: u64) -> String {
    gap(i64::try_from(ms).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Timestamp;

    #[test]
    fn numbers_are_told_with_what_they_are_of() {
        let mut stats =
            Stats { until: Timestamp::from_unix_ms(60_000), all: [1_200, 3, 0, 0], bytes: 812, ..Stats::default() };
        assert_eq!(caught(&stats), ["1,203", "20/s", "812 bytes"]);
        let words: Vec<_> = verdicts(&stats.all).filter(|(count, _)| *count > 0).map(|(_, words)| words).collect();
        assert_eq!(words, ["1,200 passed", "3 failed"]);
        assert_eq!(all_and_failed(&stats.all).concat(), "1,203, 3 failed");
        assert_eq!(all_and_failed(&[7, 0, 0, 1]).concat(), "8");
        assert_eq!(sent(&stats), None);
        (stats.times[1], stats.answered, stats.took) = (3, 2, Some((8, 1_500)));
        assert_eq!(sent(&stats).unwrap(), ["3 tries", "66 % 2xx", "p50 8 ms", "p95 1.5 s"]);
    }
}
