//! The configuration, read again when its files change: endpoints, secrets, forwards, targets, guards, alerts, filters, bounds,
//! metrics, keys and providers of the user's own are in force from then on, and no connection, no tunnel and no capture is lost
//! for it. What stands in it otherwise (where creel listens, its store, its limits) takes a new start, which is said. A file with
//! a mistake changes nothing.
//!
//! Who acts by a rule asks for it at that moment ([`InForce::now`]) and keeps what it got to the end of what it does.

use std::{
    collections::BTreeMap,
    fs::{self, Metadata},
    mem,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel},
    },
    thread::JoinHandle,
    time::{Duration, SystemTime},
};

use super::{
    Engine,
    admit::Catcher,
    alert, bounds,
    catalog::{self, Providers},
    config::{self, Notice, Screen},
    endpoint::Endpoints,
    forward::{self, Ground, News, Post, Tidings},
    lock,
    metrics::Metrics,
    rejudge,
    settings::{Settings, Wishes, shown},
    spawn,
    target::Targets,
    throw::Sender as Sending,
    tunnel::Outlook,
};
use crate::{
    record::Failure,
    store::{Bell, Looker, Reader, Writer},
};

/// How often it is looked whether a file changed. It is read once it stays as it is for as long: an editor may still write.
const EVERY: Duration = Duration::from_millis(250);

/// What takes a new start.
const FIXED: &[&str] = &["listen", "db", "tls", "tunnel", "limits"];

/// What may change while creel runs.
#[derive(Clone)]
pub(super) struct Rules {
    pub(super) endpoints: Endpoints,
    pub(super) targets: Targets,
    pub(super) screen: Arc<Screen>,
    /// Hands on what is forwarded; none: nothing is.
    pub(super) post: Option<Post>,
}

/// The rules that are in force.
#[derive(Clone)]
pub(super) struct InForce(Arc<RwLock<Rules>>);

impl InForce {
    pub(super) fn new(rules: Rules) -> Self {
        Self(Arc::new(RwLock::new(rules)))
    }

    /// Those of this moment.
    pub(super) fn now(&self) -> Rules {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, rules: Rules) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = rules;
    }
}

/// Says what is wrong with what the files have for a screen.
type Check = dyn Fn(&Screen) -> Result<(), Failure> + Send;

/// Who shows what is in force.
struct Face {
    check: Box<Check>,
    /// Called when other rules are in force.
    hear: Box<dyn Fn() + Send>,
}

type Hear = Mutex<Option<Face>>;

/// The thread that looks at the files. It ends when this is dropped.
pub(super) struct Reread {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
    hear: Arc<Hear>,
}

impl Reread {
    /// Starts it. `wishes` are what the configuration lies under, `seen` is what it was when it was read.
    pub(super) fn start(
        wishes: Wishes,
        seen: Seen,
        notices: Vec<Notice>,
        followers: Followers,
    ) -> Result<Self, Failure> {
        let (end, over) = channel();
        let hear = Arc::new(Hear::default());
        let reading = Reading { wishes, seen, notices, followers, hear: Arc::clone(&hear) };
        let thread = spawn("creel-config", move || reading.run(&over))?;
        Ok(Self { end: Some(end), thread: Some(thread), hear })
    }
}

impl Drop for Reread {
    fn drop(&mut self) {
        drop(self.end.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Engine {
    /// Calls `hear` when another configuration is in force; none is of which `check` says that the screen cannot go by it.
    pub fn on_reread(
        &self,
        check: impl Fn(&Screen) -> Result<(), Failure> + Send + 'static,
        hear: impl Fn() + Send + 'static,
    ) {
        if let Some(reread) = &*lock(&self.reread) {
            *lock(&reread.hear) = Some(Face { check: Box::new(check), hear: Box::new(hear) });
        }
    }
}

/// Who follows the rules.
pub(super) struct Followers {
    pub(super) in_force: InForce,
    pub(super) news: News,
    /// Those of a creel that captures.
    pub(super) capturing: Option<Capturing>,
}

/// Who follows the rules where creel captures.
pub(super) struct Capturing {
    pub(super) db: PathBuf,
    pub(super) bell: Bell,
    pub(super) writer: Writer,
    pub(super) catcher: Catcher,
    pub(super) outlook: Option<Outlook>,
    pub(super) ground: Box<dyn Fn(Endpoints) -> Ground + Send>,
    pub(super) sender: Arc<Mutex<Option<Sending>>>,
    pub(super) alerts: Arc<Mutex<Vec<Looker>>>,
    pub(super) forgetting: Arc<Mutex<Option<Looker>>>,
    pub(super) metrics: Arc<Metrics>,
}

/// When a file was changed last, and its size; none: it is not there.
type Stamp = Option<(SystemTime, u64)>;

/// How the files stood when they were looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Stamps {
    /// The configuration's, in the order of their places.
    files: Vec<Stamp>,
    /// The user's own providers.
    providers: Vec<(PathBuf, Stamp)>,
}

/// What the files say, by its name: a key, or a table of a list and its own name; of a provider all of its file.
type Parts = BTreeMap<String, toml::Value>;

/// The files as they were just before they were read: what is saved from then on is not in force yet, and found.
#[derive(Debug, Default)]
pub(super) struct Seen {
    stamps: Stamps,
    parts: Parts,
}

impl Seen {
    /// Looks at them.
    pub(super) fn now(wishes: &Wishes) -> Result<Self, Failure> {
        Ok(Self { stamps: stamps(wishes), parts: parts(wishes)? })
    }
}

struct Reading {
    wishes: Wishes,
    seen: Seen,
    /// What a person was told of it.
    notices: Vec<Notice>,
    followers: Followers,
    hear: Arc<Hear>,
}

impl Reading {
    fn run(mut self, over: &Receiver<()>) {
        self.check_what_waits(over);
        let mut last = self.seen.stamps.clone();
        while over.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
            let stamps = stamps(&self.wishes);
            if stamps == last && stamps != self.seen.stamps {
                let before = mem::replace(&mut self.seen.stamps, stamps.clone());
                self.read(&before);
                self.check_what_waits(over);
            }
            last = stamps;
        }
    }

    /// Checks what came before its secret was there.
    fn check_what_waits(&self, over: &Receiver<()>) {
        let Some(Capturing { db, writer, outlook, .. }) = &self.followers.capturing else { return };
        let goes_on = || over.try_recv() == Err(TryRecvError::Empty);
        let endpoints = self.followers.in_force.now().endpoints;
        let said = rejudge::waiting_for_secrets(db, writer, endpoints, outlook.clone(), &goes_on);
        let (tidings, words) = match said {
            Ok(None) => return,
            Ok(Some(words)) => (Tidings::Good, words),
            Err(failure) => (Tidings::Bad, failure.in_a_line()),
        };
        self.followers.news.tell_as(tidings, words);
    }

    /// Reads the files and has what they say followed. `before` is how they stood the last time.
    fn read(&mut self, before: &Stamps) {
        let followed = catalog::read_all().and_then(|providers| {
            let mut settings = Settings::by(&self.wishes, &|| Ok(providers.clone()))?;
            let parts = mem::take(&mut settings.seen.parts);
            let changed = changed(&self.seen.parts, &parts);
            let notices = settings.notices.clone();
            lock(&self.hear).as_ref().map_or(Ok(()), |face| (face.check)(&settings.screen))?;
            self.followers.follow(settings, providers, &changed)?;
            self.seen.parts = parts;
            Ok((changed, notices))
        });
        let news = &self.followers.news;
        match followed {
            Ok((changed, notices)) => {
                news.tell_as(Tidings::Good, format!("{} read again: {}", self.what_changed(before), words(&changed)));
                notices.iter().filter(|it| !self.notices.contains(it)).for_each(|it| news.tell(it.clone()));
                self.notices = notices;
                if let Some(face) = &*lock(&self.hear) {
                    (face.hear)();
                }
            }
            Err(failure) => {
                news.tell(format!("{}; creel goes on as before", failure.in_a_line()));
            }
        }
    }
}

impl Reading {
    /// Which files are others than they were, as the beginning of a sentence.
    fn what_changed(&self, before: &Stamps) -> String {
        let now = &self.seen.stamps;
        let file = || shown(self.wishes.config.as_deref().unwrap_or_else(|| Path::new(config::NAME)));
        let folder = catalog::own_folder().filter(|_| before.providers != now.providers);
        match folder {
            Some(folder) if before.files == now.files => format!("{} was", shown(&folder)),
            Some(folder) => format!("{} and {} were", file(), shown(&folder)),
            None => format!("{} was", file()),
        }
    }
}

impl Followers {
    fn follow(&self, settings: Settings, providers: Providers, changed: &[Changed]) -> Result<(), Failure> {
        forward::check(&settings.endpoints)?;
        let before = self.in_force.now();
        let endpoints = settings.endpoints.after(&before.endpoints);
        let settings = Settings { endpoints: endpoints.clone(), ..settings };
        let (targets, screen) = (settings.targets.clone(), Arc::new(settings.screen.clone()));
        let post = match &self.capturing {
            Some(capturing) => capturing.follow(settings, &providers, &before, changed, &self.news)?,
            None => None,
        };
        catalog::put(providers);
        self.in_force.put(Rules { endpoints, targets, screen, post });
        Ok(())
    }
}

impl Capturing {
    /// Has forwards, door, alerts, bounds and metrics follow. What may fail comes first.
    fn follow(
        &self,
        settings: Settings,
        providers: &Providers,
        before: &Rules,
        changed: &[Changed],
        news: &News,
    ) -> Result<Option<Post>, Failure> {
        let Settings { endpoints, trusted_proxies, alerts, keep, metrics, .. } = settings;
        let is_changed = |part: &str| changed.iter().any(|it| it.is_of(part));
        let reader = Reader::open(&self.db)?;
        let alerts = (is_changed("alert") || is_changed("filters"))
            .then(|| alert::start(&alerts, &self.db, &self.bell, news))
            .transpose()?;
        let words = keep.words().filter(|_| is_changed("keep"));
        let forgetting = is_changed("keep")
            .then(|| bounds::start(keep, &self.db, &self.writer, &self.bell, news.clone()))
            .transpose()?;
        let metrics = self.metrics.tell_at(metrics)?;
        let ground = (self.ground)(endpoints.clone());
        let post = match &before.post {
            Some(post) => Some(post.follow(&endpoints, &before.endpoints, &ground)?),
            None => forward::start(ground, || Sending::with(&self.sender, |it| it.runtime.clone()))?,
        };
        self.catcher.follow(endpoints, providers.clone(), trusted_proxies, reader, post.clone())?;
        if let Some(alerts) = alerts {
            drop(mem::replace(&mut *lock(&self.alerts), alerts));
        }
        if let Some(forgetting) = forgetting {
            drop(mem::replace(&mut *lock(&self.forgetting), forgetting));
        }
        words.into_iter().chain(metrics).for_each(|words| news.tell_as(Tidings::Good, words));
        Ok(post)
    }
}

fn stamps(wishes: &Wishes) -> Stamps {
    let stamp = |path: &Path| {
        let file = path.metadata().ok().filter(Metadata::is_file)?;
        Some((file.modified().ok()?, file.len()))
    };
    let files = config::places(wishes.config.as_deref()).iter().map(|path| stamp(path)).collect();
    let providers = catalog::own_files().unwrap_or_default().into_iter();
    Stamps { files, providers: providers.map(|path| (path.clone(), stamp(&path))).collect() }
}

/// The user's own providers as they stand in their files. What is wrong with one is said by who reads it.
fn providers() -> Parts {
    let files = catalog::own_files().unwrap_or_default();
    let read = |path: &PathBuf| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let text = fs::read(path).unwrap_or_default();
        (format!("provider {name}"), toml::Value::String(String::from_utf8_lossy(&text).into_owned()))
    };
    files.iter().map(read).collect()
}

/// What the files say now. What stands in several is the first one's, as it is in force.
fn parts(wishes: &Wishes) -> Result<Parts, Failure> {
    let mut parts = providers();
    for table in config::tables(wishes.config.as_deref())? {
        for (key, value) in table {
            match value {
                toml::Value::Array(rows) if rows.iter().all(toml::Value::is_table) => {
                    for (at, row) in rows.into_iter().enumerate() {
                        let name = row.get("name").and_then(toml::Value::as_str);
                        let name = name.map_or_else(|| (at + 1).to_string(), str::to_owned);
                        parts.entry(format!("{key} {name}")).or_insert(row);
                    }
                }
                value => drop(parts.entry(key).or_insert(value)),
            }
        }
    }
    Ok(parts)
}

/// A part that is not what it was.
#[derive(Debug, PartialEq, Eq)]
struct Changed {
    part: String,
    how: &'static str,
}

impl Changed {
    /// Whether it is that key, or one of the tables of that list.
    fn is_of(&self, key: &str) -> bool {
        self.part.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    }
}

fn changed(before: &Parts, now: &Parts) -> Vec<Changed> {
    let gone = before.keys().filter(|part| !now.contains_key(*part)).map(|part| (part, "is gone"));
    let here = now.iter().filter_map(|(part, value)| match before.get(part) {
        None => Some((part, "is new")),
        Some(old) => (old != value).then_some((part, "changed")),
    });
    let both = here.chain(gone).map(|(part, how)| Changed { part: part.clone(), how });
    let (fixed, others): (Vec<_>, Vec<_>) = both.partition(|it| FIXED.contains(&&it.part[..]));
    let fixed = fixed.into_iter().map(|it| Changed { how: "takes a new start of creel", ..it });
    others.into_iter().chain(fixed).collect()
}

fn words(changed: &[Changed]) -> String {
    if changed.is_empty() {
        return "it says what it said; files of secrets were read again, too".to_owned();
    }
    changed.iter().map(|Changed { part, how }| format!("{part} {how}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_is_told_by_its_name() {
        let parts = |text: &str| {
            let table: toml::Table = text.parse().unwrap();
            table.into_iter().collect::<Parts>()
        };
        let (before, now) =
            (parts("keep = 1\nlisten = 'a'\ntheme = 'dark'"), parts("keep = 2\nlisten = 'b'\nkeys = 1"));
        assert_eq!(
            words(&changed(&before, &now)),
            "keep changed, keys is new, theme is gone, listen takes a new start of creel"
        );
        assert!(words(&changed(&now, &now)).starts_with("it says what it said;"));
        let endpoint = Changed { part: "endpoint shop".into(), how: "is new" };
        assert!(endpoint.is_of("endpoint") && !endpoint.is_of("end"));
    }
}
