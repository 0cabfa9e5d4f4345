//! `[[alert]]`: says that something came, or that nothing did, and runs a command of the user's for it.
//!
//! Each alert has a thread, which sleeps until the bell rings and looks at what was committed since: nobody who captures waits
//! for an alert, and a command that hangs holds up no other one. A payload chooses neither whether a command runs nor
//! which: the filter and the command are of the configuration, and the command gets what came as its input, never as words
//! of its line.

mod standing;

use std::{
    borrow::Cow,
    collections::{HashSet, VecDeque},
    path::Path,
    time::{Duration, Instant},
};

use self::standing::{Call, Found, Standing};
use super::{
    forward::{News, Tidings},
    mask, newest, now, pipe,
};
use crate::{
    body,
    export::json,
    query::Filter,
    record::{CaptureId, DeliveryId, Failure, Flag, Summary, counted, gap, span, whole_ms},
    store::{Bell, Bodies, Looker, Reader, Sleep, Start},
};

/// The shortest time between two looks at the store, so that a flood does not wake a thread with each commit.
const LOOK: Duration = Duration::from_millis(200);
/// The time after which is tried again what failed.
const AGAIN: Duration = Duration::from_secs(5);
/// How long a command may take.
const LONGEST: Duration = Duration::from_secs(30);
/// How many rows are read at once.
const PAGE: usize = 500;
/// Of how many captures is remembered that they were told, where a later delivery may make a filter take them again.
const REMEMBERED: usize = 10_000;
/// How much of a path is told.
const PATH_WIDTH: usize = 60;

/// An alert, as it is configured.
#[derive(Clone, Debug)]
pub(super) struct Alert {
    /// What it looks for.
    pub(super) when: Filter,
    /// It is told that nothing came for so long; none: that something did.
    pub(super) absent: Option<Duration>,
    /// The shortest time between two calls for what came.
    pub(super) every: Duration,
    /// A command of the shell.
    pub(super) run: Option<String>,
}

/// A time that was configured, as a person reads it.
pub(super) fn in_words(time: Duration) -> String {
    let ms = whole_ms(time);
    if ms % 1_000 == 0 { span(ms / 1_000) } else { gap(ms) }
}

/// Keeps alerts on what comes from now on into a store; `bell` is its writer's. They end when what this gives is dropped, and with
/// them the commands that run.
pub(super) fn start(alerts: &[Alert], db: &Path, bell: &Bell, news: &News) -> Result<Vec<Looker>, Failure> {
    let start = |alert: &Alert| {
        let (alert, news) = (alert.clone(), news.clone());
        let eye = Eye::new(Reader::open(db)?, alert.when.clone())?;
        let standing = Standing::new(Instant::now());
        Looker::start("creel-alert", bell, move |sleep| Lookout { alert, eye, standing, news, sleep }.run())
    };
    alerts.iter().map(start).collect()
}

/// Sees what the filter takes of what was committed since the last look.
struct Eye {
    reader: Reader,
    filter: Filter,
    last: CaptureId,
    last_delivery: DeliveryId,
    told: Told,
}

impl Eye {
    /// Looks at what is committed from now on.
    fn new(reader: Reader, filter: Filter) -> Result<Self, Failure> {
        let (last, last_delivery) = (newest(&reader)?, reader.newest_delivery()?);
        Ok(Self { reader, filter, last, last_delivery, told: Told::default() })
    }

    /// What came, and what a delivery made to match. Each capture is found once.
    fn look(&mut self) -> Result<Found<Summary>, Failure> {
        let condition = self.filter.sql(now());
        let mut found = Found::default();
        // Read before the pages: what comes meanwhile is for the next look.
        let newest = newest(&self.reader)?;
        while self.last < newest {
            let rows = self.reader.page(Start::After(self.last), PAGE, Some(&condition))?;
            let end = rows.first().filter(|_| rows.len() == PAGE).map(|row| row.id);
            self.last = end.unwrap_or_else(|| newest.max(rows.first().map_or(newest, |row| row.id)));
            self.add(rows, &mut found);
        }
        while self.filter.may_change() {
            let (last, captures) = self.reader.delivered(self.last_delivery, PAGE)?;
            if captures.is_empty() {
                break;
            }
            let rows = self.reader.again(&captures, &condition)?;
            self.last_delivery = last;
            self.add(rows, &mut found);
        }
        Ok(found)
    }

    /// Adds those that are traffic and were not found before.
    fn add(&mut self, mut rows: Vec<Summary>, found: &mut Found<Summary>) {
        rows.retain(|row| !row.flags.contains(Flag::Imported) && row.edited_from.is_none());
        if self.filter.may_change() {
            rows.retain(|row| self.told.insert(row.id));
        }
        found.count += rows.len() as u64;
        found.newest = found.newest.take().into_iter().chain(rows).max_by_key(|row| row.id);
    }
}

/// The captures that were told last.
#[derive(Default)]
struct Told {
    ids: HashSet<CaptureId>,
    in_order: VecDeque<CaptureId>,
}

impl Told {
    /// Whether it is new.
    fn insert(&mut self, id: CaptureId) -> bool {
        if !self.ids.insert(id) {
            return false;
        }
        self.in_order.push_back(id);
        if self.in_order.len() > REMEMBERED
            && let Some(oldest) = self.in_order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

/// The thread of one alert.
struct Lookout {
    alert: Alert,
    eye: Eye,
    standing: Standing<Summary>,
    news: News,
    sleep: Sleep,
}

impl Lookout {
    fn run(mut self) {
        let mut is_blind = false;
        while self.sleep.begins_to_look() {
            match self.eye.look() {
                Ok(found) => {
                    is_blind = false;
                    if let Some(call) = self.standing.hear(&self.alert, found, Instant::now()) {
                        self.call(&call);
                    }
                    self.sleep.pause(LOOK);
                }
                Err(failure) => {
                    if !std::mem::replace(&mut is_blind, true) {
                        self.news.tell(format!("the alert on {} sees nothing: {}", self.about(), failure.why));
                    }
                    self.sleep.pause(AGAIN);
                }
            }
            self.sleep.until_rung(self.standing.due(&self.alert));
        }
    }

    /// What it looks for, as it was written.
    fn about(&self) -> Cow<'static, str> {
        match self.alert.when.text() {
            "" => "any capture".into(),
            text => format!("`{}`", body::escape(text)).into(),
        }
    }

    /// Tells a person, and runs the command.
    fn call(&mut self, call: &Call<Summary>) {
        let text = self.words(call);
        let tidings = if matches!(call, Call::Back(_)) { Tidings::Good } else { Tidings::Bad };
        self.news.tell_as(tidings, format!("alert: {text}"));
        if let Some(command) = self.alert.run.clone()
            && let Err(why) = self.command(&command, call, text)
        {
            self.news.tell(format!("the command of the alert on {} failed: {why}", self.about()));
        }
    }

    fn words(&self, call: &Call<Summary>) -> String {
        let about = self.about();
        let newest =
            |row: &Summary| format!("#{} {}", row.id, body::fit(&format!("{} {}", row.method, row.path), PATH_WIDTH));
        match call {
            Call::Came { count: 1, newest: row } => format!("{} matches {about}", newest(row)),
            Call::Came { count, newest: row } => {
                format!("{} match {about}, the newest is {}", counted(*count, "capture"), newest(row))
            }
            Call::Silent(time) => {
                format!("nothing has come for {} that matches {about}", in_words(*time))
            }
            Call::Back(row) => format!("what matches {about} comes again: {}", newest(row)),
        }
    }

    /// Runs the command, with what it is about in its environment and the newest capture on its input, as `ls --json`
    /// prints it, without what lets somebody in: the command may well send it elsewhere.
    fn command(&self, command: &str, call: &Call<Summary>, text: String) -> Result<(), String> {
        let (count, newest) = match call {
            Call::Came { count, newest } => (*count, Some(newest)),
            Call::Back(newest) => (1, Some(newest)),
            Call::Silent(_) => (0, None),
        };
        let input = newest.map_or(Ok(Vec::new()), |row| self.input(row.id)).map_err(|failure| failure.why)?;
        let id = newest.map_or(String::new(), |row| row.id.to_string());
        let env = [("CREEL_ALERT", text), ("CREEL_COUNT", count.to_string()), ("CREEL_ID", id)];
        let piped =
            pipe::pipe_with(command, input, &env, LONGEST, &|| !self.sleep.is_over()).map_err(|failure| failure.why)?;
        let Some(ended) = piped.ended.filter(|_| !self.sleep.is_over()) else { return Ok(()) };
        let output = String::from_utf8_lossy(&piped.output);
        let said = output.lines().find(|line| !line.trim().is_empty());
        Err(said.map_or_else(|| ended.clone(), |said| format!("{ended}: {}", body::escape(said))))
    }

    fn input(&self, id: CaptureId) -> Result<Vec<u8>, Failure> {
        let Some(capture) = self.eye.reader.capture(id, Bodies::Leave)? else { return Ok(Vec::new()) };
        let (capture, _) = mask::masked(capture);
        let mut line = json::capture(&capture, &self.eye.reader.deliveries(id)?, false).to_string().into_bytes();
        line.push(b'\n');
        Ok(line)
    }
}
