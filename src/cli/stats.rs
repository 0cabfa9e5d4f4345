//! `creel stats`: what came in a time, in numbers.

use std::time::Duration;

use clap::Args;
use serde_json::{Map, Value, json};

use super::{Answer, Common, row};
use crate::{
    engine::{self, figures, settings},
    record::{Failure, Timestamp, Verdict, whole_ms},
    store::{Counts, Reader, SIZES, Stats as Counted, TIMES},
};

#[derive(Debug, Args)]
pub(crate) struct Stats {
    /// Of how long ago until now: 30s, 5m, 1h, 7d
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = time)]
    last: Duration,
}

fn time(text: &str) -> Result<Duration, String> {
    let time = settings::time(text).filter(|time| !time.is_zero());
    time.ok_or_else(|| "a time is wanted, like 30s, 5m, 1h or 7d".to_owned())
}

pub(super) fn run(stats: &Stats, common: &Common) -> Result<Answer, Failure> {
    let printer = common.printer();
    let reader = Reader::open(&common.store()?)?;
    // The moment itself is counted, too.
    let until = engine::now().unix_ms().saturating_add(1);
    let [since, until] = [until.saturating_sub(whole_ms(stats.last)).max(0), until].map(Timestamp::from_unix_ms);
    let counted = reader.stats(since, until)?;
    if printer.json {
        printer.value(&object(&counted))?;
    } else {
        let zone = engine::zone();
        printer.line(&format!("from {} to {}", row::moment(since, &zone), row::moment(until, &zone)))?;
        lines(&counted).iter().try_for_each(|line| printer.line(line))?;
    }
    Ok(if figures::sum(&counted.all) > 0 { Answer::Yes } else { Answer::No })
}

/// The numbers under each other, each kind after its name.
fn lines(stats: &Counted) -> Vec<String> {
    let verdicts = figures::verdicts(&stats.all).map(|(_, words)| words);
    let mut lines = vec![
        line("caught", &figures::caught(stats).join("   ")),
        line("signature", &verdicts.collect::<Vec<_>>().join("   ")),
    ];
    lines.extend(named("endpoint", &stats.endpoints));
    lines.extend(named("provider", &stats.providers));
    lines.extend(figures::sent(stats).map(|words| line("sent on", &words.join("   "))));
    lines
}

fn line(name: &str, words: &str) -> String {
    format!("{name:<10} {words}")
}

/// Those that have a name, each with what failed of it.
fn named<'a>(kind: &'a str, all: &'a [(String, Counts)]) -> impl Iterator<Item = String> + 'a {
    all.iter().enumerate().map(move |(at, (name, counts))| {
        let words = format!("{} {}", figures::name(name), figures::all_and_failed(counts).concat());
        line(if at == 0 { kind } else { "" }, &words)
    })
}

fn object(stats: &Counted) -> Value {
    let verdicts = |counts: &Counts| -> Value {
        Verdict::all()
            .zip(counts)
            .map(|(verdict, count)| (verdict.name().to_owned(), json!(count)))
            .collect::<Map<_, _>>()
            .into()
    };
    let named = |all: &[(String, Counts)]| -> Value {
        all.iter()
            .map(|(name, counts)| json!({ "name": Some(name).filter(|name| !name.is_empty()), "verdicts": verdicts(counts) }))
            .collect()
    };
    let classes = |ends: &[u64], counts: &[u64], end: &str| -> Value {
        let ends = ends.iter().map(Some).chain([None]);
        ends.zip(counts).map(|(to, count)| json!({ end: to, "count": count })).collect()
    };
    let length = (stats.until.unix_ms() - stats.since.unix_ms()) / stats.pieces.len().max(1) as i64;
    let at = |piece: usize| Timestamp::from_unix_ms(stats.since.unix_ms() + length * piece as i64).to_string();
    let series = stats.pieces.iter().enumerate();
    json!({
        "since": stats.since.to_string(),
        "until": stats.until.to_string(),
        "captures": figures::sum(&stats.all),
        "bytes": stats.bytes,
        "verdicts": verdicts(&stats.all),
        "endpoints": named(&stats.endpoints),
        "providers": named(&stats.providers),
        "sizes": classes(&SIZES, &stats.sizes, "under_bytes"),
        "series": series.map(|(piece, counts)| json!({ "at": at(piece), "verdicts": verdicts(counts) })).collect::<Value>(),
        "deliveries": {
            "count": stats.times.iter().sum::<u64>(),
            "answered_2xx": stats.answered,
            "p50_ms": stats.took.map(|took| took.0),
            "p95_ms": stats.took.map(|took| took.1),
            "times": classes(&TIMES, &stats.times, "under_ms"),
        },
    })
}
