//! Rehearsals: captures as a folder of plain files that can be kept beside an app's tests, and played to the app again.
//!
//! A request is a `.http` file of its very bytes. `scenario.toml` says in which order and after which gaps they are sent
//! and what is expected of the replies. Files are named by their place, never by what a payload says.

mod expect;

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
    sync::{Arc, mpsc::Receiver},
    time::{Duration, Instant},
};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use self::expect::faults;
pub use self::expect::{Expect, OneOrMany};
use super::{
    Engine,
    config::Place,
    edit::{self, Edit},
    endpoint::Endpoint,
    export::PRIVATE,
    now,
};
use crate::{
    export::FORMATS,
    import::{self, Entry, Form, Stop},
    record::{Body, Capture, Failure, Head, Outcome, Uid},
    verify::{self, Catalog},
    wire::{Outgoing, PathRule},
};

/// The file that says how a rehearsal goes.
const SCENARIO: &str = "scenario.toml";
/// The largest scenario, in bytes.
const LARGEST_SCENARIO: u64 = 8 << 20;
/// The mode of a rehearsal's folder.
const PRIVATE_FOLDER: u32 = 0o700;
const PREFACE: &str =
    "# A rehearsal: `creel play FOLDER --to URL` sends these requests in this order and with these gaps.
# Under [step.expect] may stand, beside or in place of status: within_ms = 500, body_contains = \"ok\",
# header = { Content-Type = \"json\" }, json = { \"/data/id\" = 7 } by JSON pointers, jq = \".ok == true\".
";

/// A whole rehearsal.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    /// What is sent, in its order.
    pub steps: Vec<Step>,
}

/// One request of a rehearsal.
#[derive(Clone, Debug)]
pub struct Step {
    /// The name of its file.
    pub file: String,
    /// How long after the step before it, in milliseconds.
    pub gap_ms: u64,
    /// Who signs it.
    pub provider: Option<String>,
    /// The endpoint it came in by.
    pub endpoint: Option<String>,
    /// What its event is.
    pub event: Option<String>,
    /// The request line and headers.
    pub head: Head,
    /// The body.
    pub body: Bytes,
    /// What is expected of the reply.
    pub expect: Expect,
}

/// How a rehearsal is played.
#[derive(Clone, Debug, Default)]
pub struct Play {
    /// The app.
    pub to: String,
    /// Whether a certificate that nobody vouches for is good enough.
    pub insecure: bool,
    /// How many times as fast as it came; 0 for as fast as it goes.
    pub speed: f64,
    /// Backwards.
    pub reverse: bool,
    /// In an order that this number gives.
    pub shuffle: Option<u64>,
    /// Each request twice.
    pub double: bool,
    /// What is changed of each on the way.
    pub edit: Edit,
}

/// How one step went.
#[derive(Clone, Debug)]
pub struct Played {
    /// Which step, by its place in the rehearsal.
    pub step: usize,
    /// From the first try to connect to the end of the reply, in milliseconds.
    pub took_ms: u64,
    /// What came.
    pub outcome: Outcome,
    /// In what it is not as expected; none: it is.
    pub faults: Vec<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    #[serde(default)]
    step: Vec<Written>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Written {
    file: String,
    #[serde(default)]
    gap_ms: u64,
    provider: Option<String>,
    endpoint: Option<String>,
    event: Option<String>,
    #[serde(default)]
    expect: Expect,
}

impl Rehearsal {
    /// Writes captures as a rehearsal into a new folder, which appears when it is whole, with those above it; gives how many.
    pub fn write(
        folder: &Path,
        captures: impl Iterator<Item = Result<Option<Capture>, Failure>>,
    ) -> Result<usize, Failure> {
        let failed = |why: std::io::Error| Failure::new(format!("writing {}", folder.display()), why);
        if folder.exists() {
            let doing = format!("writing {}", folder.display());
            return Err(Failure::new(doing, "it is there already").hint("name a folder that is not there yet"));
        }
        let mut name = folder.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let part = folder.with_file_name(name);
        // `tests/webhooks` is asked for where there is no `tests` yet, too.
        if let Some(above) = folder.parent().filter(|above| !above.as_os_str().is_empty()) {
            fs::create_dir_all(above).map_err(failed)?;
        }
        fs::DirBuilder::new().mode(PRIVATE_FOLDER).create(&part).map_err(|why| {
            let failure = Failure::new(format!("writing {}", part.display()), &why);
            let is_left = why.kind() == std::io::ErrorKind::AlreadyExists;
            if is_left {
                failure.hint("one that was stopped has left it: delete it, or name another folder")
            } else {
                failure
            }
        })?;
        let written = fill(&part, captures).and_then(|count| {
            fs::rename(&part, folder).map_err(failed)?;
            Ok(count)
        });
        if written.is_err() {
            let _ = fs::remove_dir_all(&part);
        }
        written
    }

    /// Reads a folder.
    pub fn read(folder: &Path) -> Result<Self, Failure> {
        // Who names the file means its folder.
        let is_scenario = folder.file_name().is_some_and(|name| name == SCENARIO) && folder.is_file();
        let folder = folder.parent().filter(|_| is_scenario).unwrap_or(folder);
        let path = folder.join(SCENARIO);
        let doing = format!("reading {}", path.display());
        let size = path.metadata().map_err(|why| {
            let failure = Failure::new(&doing, &why);
            let is_none = why.kind() == std::io::ErrorKind::NotFound;
            if is_none { failure.hint("`creel rehearse FILTER --out FOLDER` makes such a folder") } else { failure }
        })?;
        let size = size.len();
        if size > LARGEST_SCENARIO {
            return Err(Failure::new(doing, format!("it is larger than {} MiB", LARGEST_SCENARIO >> 20)));
        }
        let text = fs::read_to_string(&path).map_err(|why| Failure::new(&doing, why))?;
        let place = Place { path: &path, text: &text };
        let scenario: Scenario = toml::from_str(&text).map_err(|why| place.syntax(&why))?;
        if scenario.step.is_empty() {
            return Err(Failure::new(doing, "there is no [[step]] in it, so nothing to play"));
        }
        for (number, written) in (1..).zip(&scenario.step) {
            let in_step = |why| Failure::new(format!("{doing}, step {number} ({})", written.file), why);
            written.expect.check().map_err(in_step)?;
        }
        let steps = scenario.step.into_iter().map(|written| step(folder, written));
        Ok(Self { steps: steps.collect::<Result<_, _>>()? })
    }
}

/// Writes the requests and the scenario.
fn fill(folder: &Path, captures: impl Iterator<Item = Result<Option<Capture>, Failure>>) -> Result<usize, Failure> {
    let failed = |why: std::io::Error| Failure::new(format!("writing {}", folder.display()), why);
    let Some(http) = FORMATS.iter().find(|format| format.name == "http") else { return Ok(0) };
    let (mut step, mut before) = (Vec::new(), None);
    for capture in captures {
        let Some(capture) = capture? else { continue };
        let file = format!("{:03}.http", step.len() + 1);
        private(&folder.join(&file), &(http.write)(&capture)).map_err(failed)?;
        let at = capture.received_at;
        let gap = before.map_or(0, |before| at.since_ms(before).max(0).cast_unsigned());
        before = Some(at);
        let status = Some(OneOrMany::One("2xx".into()));
        step.push(Written {
            file,
            gap_ms: gap,
            provider: capture.provider,
            endpoint: Some(capture.endpoint),
            event: capture.event.kind,
            expect: Expect { status, ..Expect::default() },
        });
    }
    let count = step.len();
    if count == 0 {
        return Err(Failure::new(format!("writing {}", folder.display()), "there is nothing to write"));
    }
    let text = toml::to_string(&Scenario { step }).map_err(|why| Failure::new("writing a scenario", why))?;
    private(&folder.join(SCENARIO), format!("{PREFACE}\n{text}").as_bytes()).map_err(failed)?;
    Ok(count)
}

/// Writes a new file that is its owner's alone, as the folder is: who gives it to others decides that, and not the umask.
fn private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(path)?.write_all(bytes)
}

fn step(folder: &Path, written: Written) -> Result<Step, Failure> {
    let Written { file, gap_ms, provider, endpoint, event, expect } = written;
    let path = folder.join(&file);
    let doing = || format!("reading {}", path.display());
    // A scenario names files of its own folder and no others.
    if Path::new(&file).file_name() != Some(file.as_ref()) {
        return Err(Failure::new(doing(), "it is no name of a file in the folder"));
    }
    let input = fs::File::open(&path).map_err(|why| Failure::new(doing(), why))?;
    let mut read = None;
    let take = &mut |entry: Entry| match read.replace(entry) {
        None => Ok(()),
        Some(_) => Err(Failure::new(doing(), "it holds more than one request: a step is one")),
    };
    import::read(std::io::BufReader::new(input), Some(Form::Http), take).map_err(|stop| match stop {
        Stop::Bad { why, .. } | Stop::Unknown(why) => Failure::new(doing(), why),
        Stop::Told(failure) => failure,
    })?;
    let entry = read.ok_or_else(|| Failure::new(doing(), "it is empty"))?;
    Ok(Step { file, gap_ms, provider, endpoint, event, head: entry.head, body: entry.body, expect })
}

impl Play {
    /// The steps in the order they are sent, each with its gap in milliseconds. Gaps stay in their places: shuffled requests
    /// come in the same rhythm.
    pub fn order(&self, rehearsal: &Rehearsal) -> Vec<(usize, u64)> {
        let mut order: Vec<usize> = (0..rehearsal.steps.len()).collect();
        if self.reverse {
            order.reverse();
        }
        if let Some(seed) = self.shuffle {
            shuffle(&mut order, seed);
        }
        let gaps = rehearsal.steps.iter().map(|step| step.gap_ms);
        let all = order.into_iter().zip(gaps);
        if self.double { all.flat_map(|(step, gap)| [(step, gap), (step, 0)]).collect() } else { all.collect() }
    }

    fn pause(&self, gap_ms: u64) -> Duration {
        let seconds = if self.speed > 0.0 { gap_ms as f64 / 1_000.0 / self.speed } else { 0.0 };
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}

/// The order that a seed gives, by the method of Fisher and Yates over `SplitMix64`.
fn shuffle(order: &mut [usize], seed: u64) {
    let mut state = seed;
    for last in (1..order.len()).rev() {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        order.swap(last, ((mixed ^ mixed >> 31) % (last as u64 + 1)) as usize);
    }
}

impl Engine {
    /// Plays a rehearsal: one request after the other, each after its gap or when the reply to the one before is there,
    /// whichever is later. `told` hears of each; a word by `stop` ends it.
    pub fn play(
        &self,
        rehearsal: &Rehearsal,
        play: &Play,
        stop: &Receiver<()>,
        mut told: impl FnMut(&Played) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.check_signers(rehearsal, &play.edit)?;
        let mut due = Instant::now();
        for (place, gap_ms) in play.order(rehearsal) {
            let Some(step) = rehearsal.steps.get(place) else { continue };
            due += play.pause(gap_ms);
            if stop.recv_timeout(due.saturating_duration_since(Instant::now())).is_ok() {
                return Err(Failure::new("playing", "it was told to stop before the last step"));
            }
            let (head, body) = self.rehearsed(step, play)?;
            let (to, path, insecure) = (play.to.clone(), PathRule::default(), play.insecure);
            let outgoing = Outgoing { head, body, to, path, insecure, keep_host: false };
            let sent = self.send(outgoing)?;
            let faults = faults(&step.expect, &sent.outcome, sent.took_ms);
            told(&Played { step: place, took_ms: sent.took_ms, outcome: sent.outcome, faults })?;
        }
        Ok(())
    }

    /// Whether there is a signer for every step, where all are signed anew: known before the first is sent, so that no app is
    /// left in the middle of a story.
    fn check_signers(&self, rehearsal: &Rehearsal, edit: &Edit) -> Result<(), Failure> {
        let catalog = super::catalog()?;
        for step in rehearsal.steps.iter().filter(|_| edit.resign) {
            let endpoint = &self.endpoint_of(step);
            let provider = edit::provider(step.provider.as_deref(), endpoint, &catalog);
            let provider = provider.ok_or_else(|| nobodys(step, &catalog))?;
            edit.secrets_for(provider, endpoint)
                .map_err(|it| Failure { doing: format!("{}: {}", step.file, it.doing), ..it })?;
        }
        Ok(())
    }

    fn endpoint_of(&self, step: &Step) -> Arc<Endpoint> {
        let endpoints = self.endpoints();
        Arc::clone(endpoints.of(step.endpoint.as_deref().unwrap_or_default(), &step.head.path()))
    }

    /// A step's request with the changes that are asked for.
    fn rehearsed(&self, step: &Step, play: &Play) -> Result<(Head, Bytes), Failure> {
        let to = (&play.to[..], PathRule::default());
        let edited = play.edit.apply(&capture(step), &self.endpoint_of(step), &*super::catalog()?, to);
        let edited = edited.map_err(|it| Failure { doing: format!("{}: {}", step.file, it.doing), ..it })?;
        Ok((edited.head, edited.body))
    }
}

/// The failure of signing a step that names no provider, or one that nobody knows.
fn nobodys(step: &Step, catalog: &Catalog) -> Failure {
    let doing = format!("signing {} anew", step.file);
    match &step.provider {
        None => Failure::new(doing, "nobody says who signs it")
            .hint(format!("write provider = \"NAME\" under its [[step]] in {SCENARIO}; `creel providers` lists them")),
        Some(name) => {
            let near = catalog.nearest(name).map_or(String::new(), |near| format!("did you mean `{near}`? "));
            Failure::new(
                doing,
                format!("its [[step]] in {SCENARIO} names the provider `{name}`, and creel knows none of that name"),
            )
            .hint(format!("{near}`creel providers` lists them all"))
        }
    }
}

/// A step as what it was: a capture.
fn capture(step: &Step) -> Capture {
    let at = now();
    let body = Body::whole(step.body.clone(), verify::sha256(&step.body));
    Capture {
        endpoint: step.endpoint.clone().unwrap_or_default(),
        provider: step.provider.clone(),
        ..Capture::new(Uid::new(at, 0), at, step.head.clone(), body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_the_seed_s_and_the_rhythm_stays() {
        let head = Head::parse(Bytes::from_static(b"GET / HTTP/1.1\r\n\r\n"));
        let step = |gap_ms| Step {
            file: String::new(),
            gap_ms,
            provider: None,
            endpoint: None,
            event: None,
            head: head.clone(),
            body: Bytes::new(),
            expect: Expect::default(),
        };
        let rehearsal = Rehearsal { steps: [0, 10, 20, 30, 40].map(step).to_vec() };
        let order = |play: Play| play.order(&rehearsal);
        assert_eq!(order(Play::default()), [(0, 0), (1, 10), (2, 20), (3, 30), (4, 40)]);
        assert_eq!(order(Play { reverse: true, ..Play::default() }), [(4, 0), (3, 10), (2, 20), (1, 30), (0, 40)]);
        let doubled = order(Play { double: true, ..Play::default() });
        assert_eq!(doubled[..4], [(0, 0), (0, 0), (1, 10), (1, 0)]);
        let shuffled = |seed| order(Play { shuffle: Some(seed), ..Play::default() });
        assert_eq!(shuffled(7), shuffled(7));
        assert!((1..9).any(|seed| shuffled(seed) != shuffled(0)));
        let mut places: Vec<_> = shuffled(7).iter().map(|(place, _)| *place).collect();
        places.sort_unstable();
        assert_eq!(places, [0, 1, 2, 3, 4]);
        let ten = Play { speed: 10.0, ..Play::default() };
        assert_eq!((ten.pause(1_000), Play::default().pause(1_000)), (Duration::from_millis(100), Duration::ZERO));
    }
}
