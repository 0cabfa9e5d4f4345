//! `[keep]`: what is over a bound is forgotten, the oldest first, by a thread of its own.
//!
//! It looks after something was stored, at most every few seconds, and when the next capture gets too old. What it forgets goes
//! in small transactions with rests between them, which it leaves out only where what is over grows faster than that.
//!
//! `sweeper` looks and forgets, `trust` says whether the clock can be believed.

mod sweeper;
#[cfg(test)]
mod tests;
mod trust;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use self::sweeper::{Moment, Sweeper};
use super::{forward::News, now};
use crate::{
    record::{Failure, counted, thousands},
    store::{Bell, Looker, Writer},
};

/// The shortest time between two looks, so that a flood does not wake the thread with each commit.
const LOOK: Duration = Duration::from_secs(2);
/// The longest: what another process stored rings no bell here.
const LONGEST: Duration = Duration::from_secs(60);
/// How much longer than a look the rest after it is: one that passes over many pinned ones may take its time.
const PART_OF_LOOK: u32 = 50;
/// When is tried again what failed.
const AGAIN: Duration = Duration::from_secs(10);

/// How much is kept, as it is configured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// For how long.
    pub age: Option<Age>,
    /// How many MiB of heads and bodies.
    pub mib: Option<u64>,
    /// How many captures.
    pub captures: Option<u64>,
}

/// A time, and how it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Age {
    /// The time.
    pub span: Duration,
    /// As it was written: `30d`.
    pub text: String,
}

impl Keep {
    /// What a person should know of it at a start; nothing where all is kept.
    pub(super) fn words(&self) -> Option<String> {
        let age = self.age.as_ref().map(|age| format!("what is older than {}", age.text));
        let most = [self.mib.map(mib), self.captures.map(captures)].into_iter().flatten();
        let most: Vec<_> = most.map(|most| format!("over {most}")).collect();
        let most = (!most.is_empty()).then(|| format!("the oldest {}", most.join(" or ")));
        let all: Vec<_> = age.into_iter().chain(most).collect();
        (!all.is_empty()).then(|| format!("[keep] forgets {}; what is pinned or waits stays", all.join(", and ")))
    }
}

fn mib(most: u64) -> String {
    format!("{} MiB", thousands(most))
}

fn captures(most: u64) -> String {
    counted(most, "capture")
}

/// Starts the thread for the store of a capturing writer; `bell` is that writer's. It ends when what this gives is dropped. None
/// where all is kept.
pub(super) fn start(
    keep: Keep,
    db: &Path,
    writer: &Writer,
    bell: &Bell,
    news: News,
) -> Result<Option<Looker>, Failure> {
    if keep == Keep::default() {
        return Ok(None);
    }
    let (db, writer) = (db.to_owned(), writer.clone());
    Looker::start("creel-forget", bell, move |sleep| run(Sweeper::new(keep, &db, writer, news, sleep))).map(Some)
}

fn run(mut sweeper: Sweeper) {
    while sweeper.sleep.begins_to_look() {
        let at = Moment { wall: now(), steady: Instant::now() };
        let round = sweeper.round(at);
        let (least, most) = match &round {
            Ok(round) => (LOOK.max(round.look * PART_OF_LOOK), round.until.unwrap_or(LONGEST).min(LONGEST)),
            Err(_) => (AGAIN, AGAIN),
        };
        sweeper.heard(round.map(drop));
        sweeper.sleep.pause(least);
        sweeper.sleep.until_rung(Some(Instant::now() + most.saturating_sub(least)));
    }
}
