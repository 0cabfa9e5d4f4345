//! Looks for what is over, and has it forgotten.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::{
    Keep, captures, mib,
    trust::{DOUBT, Trust},
};
use crate::{
    engine::forward::News,
    record::{CaptureId, Failure, Timestamp, counted, thousands},
    store::{Bounds, Haste, Over, Reach, Reader, Sleep, Spot, Writer},
};

/// How much longer than a step the rest after it is, while captures come.
const PART_OF_STEP: u32 = 3;
/// How much may be over before steps follow each other without a rest: captures and bytes.
const FAR: (u64, u64) = (1 << 17, 256 << 20);
/// How long captures stay that a batch of resends has not sent yet. One that was left for longer is not waited for.
const BATCH: Duration = Duration::from_secs(24 * 60 * 60);

/// What time it is, by the clock that can be set and by the one that cannot.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    pub(super) wall: Timestamp,
    pub(super) steady: Instant,
}

/// What came of a look and of the steps after it.
#[derive(Default)]
pub(super) struct Round {
    /// How long the last look took.
    pub(super) look: Duration,
    /// How long nothing gets too old.
    pub(super) until: Option<Duration>,
}

/// A bound, as a run tells of it.
#[derive(Clone, Copy)]
enum Bound {
    Age,
    Bytes,
    Captures,
}

/// Looks for what is over, and has it forgotten.
pub(super) struct Sweeper {
    keep: Keep,
    db: PathBuf,
    writer: Writer,
    news: News,
    pub(super) sleep: Sleep,
    reader: Option<Reader>,
    trust: Trust,
    /// Which bounds have forgotten something in this run, as [`Bound`] counts them.
    told: [bool; 3],
    told_of_doubt: bool,
    /// Whether all that was left at the last look had to stay.
    is_stuck: bool,
    /// Whether the last look, or what followed, failed.
    is_failing: bool,
}

impl Sweeper {
    pub(super) fn new(keep: Keep, db: &Path, writer: Writer, news: News, sleep: Sleep) -> Self {
        Self {
            keep,
            db: db.to_owned(),
            writer,
            news,
            sleep,
            reader: None,
            trust: Trust::default(),
            told: [false; 3],
            told_of_doubt: false,
            is_stuck: false,
            is_failing: false,
        }
    }

    /// Why nothing can be forgotten is told once, until it can be again.
    pub(super) fn heard(&mut self, round: Result<(), Failure>) {
        match round {
            Err(failure) if !self.is_failing => {
                // Whatever is wrong with it, the next look opens the store again.
                self.news.tell(format!("nothing is forgotten by [keep]: {}", failure.why));
                (self.reader, self.is_failing) = (None, true);
            }
            Err(_) => self.reader = None,
            Ok(()) => self.is_failing = false,
        }
    }

    /// Forgets all that is over by now.
    pub(super) fn round(&mut self, at: Moment) -> Result<Round, Failure> {
        let reader = match self.reader.take() {
            Some(reader) => reader,
            None => Reader::open(&self.db)?,
        };
        let round = self.round_with(&reader, at);
        self.reader = Some(reader);
        round
    }

    fn round_with(&mut self, reader: &Reader, at: Moment) -> Result<Round, Failure> {
        let bounds = Bounds {
            since: self.since(reader, at)?,
            bytes: self.keep.mib.map(|mib| mib.saturating_mul(1 << 20)),
            captures: self.keep.captures,
        };
        let (mut from, mut stays, mut given) = (Spot::default(), None, None);
        let mut round = Round::default();
        while !self.sleep.is_over() {
            let began = Instant::now();
            let none = HashSet::new();
            let over = reader.over(bounds, at.wall, (from, Reach::Step), stays.as_ref().unwrap_or(&none))?;
            round.look = began.elapsed();
            if over.ids.is_empty() {
                self.nothing_more(&over);
                round.until = self.until(&over, at);
                break;
            }
            if stays.is_none() {
                let in_batches = in_batches(reader, at.wall)?;
                let is_any = !in_batches.is_empty();
                stays = Some(in_batches);
                if is_any {
                    continue;
                }
            }
            self.tell_once(reader, &over, bounds, at)?;
            let began = Instant::now();
            if !self.forget(&over)? {
                break;
            }
            let is_alone = given.replace(over.given) == Some(over.given);
            let stayed = over.end.stayed;
            let is_far = over.captures > FAR.0 + stayed.captures || over.bytes > FAR.1 + stayed.bytes;
            let rest = if is_alone || is_far { 0 } else { PART_OF_STEP };
            self.sleep.pause(began.elapsed() * rest);
            from = over.end;
        }
        Ok(round)
    }

    /// Forgets one step. Whether it could: the writer may have more than enough to do.
    fn forget(&self, over: &Over) -> Result<bool, Failure> {
        let Ok(pending) = self.writer.forget_with(over.condition(), Haste::Soon) else { return Ok(false) };
        // Who does not answer is closed, and this thread at its end, too.
        pending.blocking_recv().map_or(Ok(false), |forgotten| forgotten.map(|_| true))
    }

    /// From which moment on captures are young; none where that is not asked for, or the clock is doubted.
    fn since(&mut self, reader: &Reader, at: Moment) -> Result<Option<Timestamp>, Failure> {
        let Some(age) = &self.keep.age else { return Ok(None) };
        let since = at.wall.before(age.span);
        let pause = || reader.pause_around(at.wall.before(age.span / 2), at.wall);
        if !self.trust.is_doubted(at, age.span, pause)? {
            self.told_of_doubt = false;
            return Ok(Some(since));
        }
        let old = if self.told_of_doubt { 0 } else { old(reader, since, at)? };
        if old > 0 {
            self.told_of_doubt = true;
            let (span, text) = (age.span.min(DOUBT), &age.text);
            self.news.tell(format!(
                "{} older than {text} by this machine's clock ({}), which may be wrong: nobody saw that time pass. {} \
                 forgotten in {} if it still says so",
                are(old),
                at.wall,
                if old == 1 { "It is" } else { "They are" },
                if span == DOUBT { "an hour".to_owned() } else { text.clone() },
            ));
        }
        Ok(None)
    }

    /// How long nothing has to be looked for, unless more comes.
    fn until(&self, over: &Over, at: Moment) -> Option<Duration> {
        let age = self.keep.age.as_ref()?;
        let old = over.next.map(|next| {
            let left = next.after(age.span).since_ms(at.wall);
            Duration::from_millis(left.max(0).cast_unsigned().saturating_add(1))
        });
        let trusted = self.trust.until().map(|until| until.saturating_duration_since(at.steady));
        old.into_iter().chain(trusted).min()
    }

    /// Tells of a bound that forgets for the first time in this run.
    fn tell_once(&mut self, reader: &Reader, over: &Over, bounds: Bounds, at: Moment) -> Result<(), Failure> {
        let mut first = |bound: Bound, is_so: bool| is_so && !std::mem::replace(&mut self.told[bound as usize], true);
        let stayed = over.end.stayed;
        let firsts = [
            first(Bound::Age, over.old > 0),
            first(Bound::Bytes, over.bytes > stayed.bytes),
            first(Bound::Captures, over.captures > stayed.captures),
        ];
        if let (Some(since), Some(age), true) = (bounds.since, &self.keep.age, firsts[Bound::Age as usize]) {
            let old = old(reader, since, at)?;
            let they = if old == 1 { "it is" } else { "they are" };
            self.news.tell(format!("{} older than {}: {they} forgotten", are(old), age.text));
        }
        let but = match stayed.captures {
            0 => String::new(),
            1 => ", but for 1 that is pinned or waits".to_owned(),
            kept => format!(", but for {} that are pinned or wait", thousands(kept)),
        };
        let most = [(Bound::Bytes, self.keep.mib.map(mib)), (Bound::Captures, self.keep.captures.map(captures))];
        for (_, most) in most.into_iter().filter(|(bound, _)| firsts[*bound as usize]) {
            let most = most.unwrap_or_default();
            self.news.tell(format!("the store is over {most}: the oldest are forgotten{but}"));
        }
        Ok(())
    }

    /// Tells where more is in the store than the bounds say, once for as long as that lasts.
    fn nothing_more(&mut self, over: &Over) {
        let most = [(over.bytes, self.keep.mib.map(mib)), (over.captures, self.keep.captures.map(captures))];
        let stayed = over.end.stayed.captures;
        let most = most.into_iter().find_map(|(excess, most)| most.filter(|_| excess > 0 && stayed > 0));
        if let Some(most) = most.as_ref().filter(|_| !self.is_stuck) {
            let older = counted(stayed, "older capture");
            let are = if stayed == 1 { "is pinned or waits, and stays" } else { "are pinned or wait, and stay" };
            self.news.tell(format!("the store is over {most}: {older} {are}"));
        }
        self.is_stuck = most.is_some();
    }
}

/// How many captures are too old.
fn old(reader: &Reader, since: Timestamp, at: Moment) -> Result<u64, Failure> {
    let bounds = Bounds { since: Some(since), ..Bounds::default() };
    let over = reader.over(bounds, at.wall, (Spot::default(), Reach::All), &in_batches(reader, at.wall)?)?;
    Ok(over.old)
}

fn are(count: u64) -> String {
    format!("{} {}", counted(count, "capture"), if count == 1 { "is" } else { "are" })
}

/// What batches of resends have still to send, but for those that were left long ago.
fn in_batches(reader: &Reader, now: Timestamp) -> Result<HashSet<CaptureId>, Failure> {
    let mut all = HashSet::new();
    for batch in reader.batches()?.into_iter().filter(|batch| batch.at >= now.before(BATCH)) {
        all.extend(reader.left_of(batch.id)?.into_iter().map(|(capture, _)| capture));
    }
    Ok(all)
}
