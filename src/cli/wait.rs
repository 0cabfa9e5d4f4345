//! `creel wait`: blocks until something comes, or does not.

use std::{
    sync::mpsc::RecvTimeoutError,
    time::{Duration, Instant},
};

use clap::Args;

use super::{
    Answer, Common, input, ls, row,
    tail::{Wake, wakes},
};
use crate::{
    engine::{self, Engine},
    record::{CaptureId, Failure},
    store::Start,
};

#[derive(Debug, Args)]
pub(crate) struct Wait {
    /// Which: for example `provider:stripe event:invoice.paid sig:passed`; all words must match
    filter: Vec<String>,
    /// How many must have come
    #[arg(long, value_name = "N", default_value_t = 1)]
    count: usize,
    /// How long to wait, in seconds
    #[arg(long, value_name = "S", default_value_t = 30.0)]
    timeout: f64,
    /// Yes where none comes for all that time
    #[arg(long, conflicts_with = "count")]
    absent: bool,
    /// Count what is there already, too; else only what comes from now on
    #[arg(long)]
    all: bool,
    /// Count what came after this number
    #[arg(long, value_name = "ID", conflicts_with = "all")]
    after: Option<i64>,
}

pub(super) fn run(wait: &Wait, common: &Common) -> Result<Answer, Failure> {
    let printer = common.printer();
    let filter = input::filter(&wait.filter)?;
    let engine = Engine::watch(common.settings()?)?;
    let rung = wakes(&engine)?;
    let (reader, zone) = (engine.reader()?, engine::zone());
    let mut last = match (wait.after, wait.all) {
        (Some(id), _) => CaptureId(id),
        (None, true) => CaptureId(0),
        (None, false) => engine::newest(&reader)?,
    };
    let patience = Duration::try_from_secs_f64(wait.timeout).unwrap_or(Duration::MAX);
    let until = Instant::now().checked_add(patience);
    let mut found = 0;
    loop {
        let newest = engine::newest(&reader)?;
        let condition = filter.as_ref().map(|filter| filter.sql(engine::now()));
        while found < wait.count {
            let rows = reader.page(Start::After(last), wait.count - found, condition.as_ref())?;
            let Some(row) = rows.first() else { break };
            last = row.id;
            found += rows.len();
            for row in rows.iter().rev() {
                if printer.json {
                    ls::print_json(&reader, row.id, &printer)?;
                } else if !printer.quiet {
                    printer.line(&row::line(row, &zone))?;
                }
            }
        }
        if found >= wait.count {
            return Ok(if wait.absent { Answer::No } else { Answer::Yes });
        }
        last = last.max(newest);
        let left = until.map_or(Duration::MAX, |until| until.saturating_duration_since(Instant::now()));
        match rung.recv_timeout(left) {
            Ok(Wake::Ring) => {}
            Err(RecvTimeoutError::Timeout) if wait.absent => return Ok(Answer::Yes),
            Ok(Wake::Stop) | Err(_) => break,
        }
    }
    if !printer.quiet {
        let words = format!("{found} of {} came within {} s", wait.count, wait.timeout);
        super::report(&words);
    }
    Ok(Answer::No)
}
