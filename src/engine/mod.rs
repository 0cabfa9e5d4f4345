//! **Floor 3 — the running creel, without a face.** Settings become endpoints, arrivals become captures, wishes become
//! deliveries. Both faces, the screen and the command line, stand on this.
//!
//! Threads: `creel-wire` runs the network on a current-thread runtime (a second worker gains nothing, and one keeps the
//! order of things plain); the store's writer has its own; `creel-send` runs deliveries, so that a slow app never
//! touches a capture; `creel-forget` looks for what is over the bounds of `[keep]`. Faces run on
//! whatever thread they like and read through readers of their own.
//!
//! This room must never know how a face looks, nor SQLite, nor hyper: it passes plain records between the rooms below.

mod admit;
mod alert;
pub mod aside;
mod batch;
pub mod bounds;
mod catalog;
mod change;
mod config;
mod deliver;
pub mod edit;
pub mod endpoint;
pub mod export;
pub mod figures;
pub mod filters;
pub mod forward;
pub mod guard;
mod identity;
mod import;
mod keep;
mod keeping;
mod learn;
mod listen;
pub mod mask;
mod metrics;
mod outline;
mod own;
pub mod pipe;
mod port;
pub mod preview;
mod processor;
mod rehearsal;
mod rejudge;
mod reread;
pub mod respond;
pub mod rewrite;
pub mod secret;
pub mod send;
pub mod settings;
pub mod state;
pub mod suggest;
pub mod target;
mod terms;
mod throw;
mod transform;
mod tries;
pub mod tunnel;
mod watch;

use std::{
    mem,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    thread::{self, JoinHandle},
    time::SystemTime,
};

pub use batch::{Each, Pacing, continued};
pub use catalog::{Providers, catalog, read as read_provider};
pub use config::{FilterRow, KeyWish, Notice, Screen};
pub use deliver::{Aim, LIST_CAPTURES, NAME_APP, no_such_capture};
pub use forward::{HearNews, Tidings};
pub use import::{How, Import, Progress};
pub use learn::keep_provider;
pub use outline::{Outline, outline};
pub use rehearsal::{Expect, OneOrMany, Play, Played, Rehearsal, Step};
pub use rejudge::Judged;
pub use settings::{Settings, Wishes};
pub use terms::Terms;
pub use transform::{GIVE_WHOLE, Transform, transform};
pub use tries::tries;

use self::{
    admit::Catcher,
    endpoint::Endpoints,
    forward::{Ground, News},
    listen::Server,
    metrics::Metrics,
    own::Own,
    reread::{Capturing, Followers, InForce, Reread, Rules},
    target::Targets,
    throw::Sender,
    tunnel::{Outlook, Tunnel},
    watch::Watch,
};
use crate::{
    record::{Capture, CaptureId, Failure, Timestamp, Zone},
    store::{self, Bell, Indexer, Looker, Reader, Role, Start, Writer},
    verify::Request,
};

/// A running creel. Dropping it without [`Engine::stop`] ends it abruptly; nothing acknowledged is lost either way.
pub struct Engine {
    db: PathBuf,
    bell: Bell,
    in_force: InForce,
    news: News,
    notices: Vec<Notice>,
    address: Option<SocketAddr>,
    url: Option<String>,
    fingerprint: Option<String>,
    outlook: Option<Outlook>,
    tunnel: Mutex<Option<Tunnel>>,
    newest_before: CaptureId,
    server: Mutex<Option<Server>>,
    sender: Arc<Mutex<Option<Sender>>>,
    writer: Mutex<Option<Writer>>,
    indexer: Mutex<Option<Indexer>>,
    alerts: Arc<Mutex<Vec<Looker>>>,
    metrics: Option<Arc<Metrics>>,
    forgetting: Arc<Mutex<Option<Looker>>>,
    reread: Mutex<Option<Reread>>,
    _watch: Option<Watch>,
}

impl Engine {
    /// Starts capturing: binds the port, takes the store, and listens.
    pub fn capture(settings: Settings) -> Result<Self, Failure> {
        let Settings {
            wishes,
            seen,
            db,
            listen,
            endpoints,
            targets,
            tls,
            tunnel,
            trusted_proxies,
            limits,
            metrics,
            alerts,
            keep,
            mut notices,
            screen,
        } = settings;
        forward::check(&endpoints)?;
        let listener = listen::bind(listen)?;
        let address = listener.local_addr().map_err(|why| Failure::new("listening", why))?;
        let url = format!("{}://{address}", if tls.is_some() { "https" } else { "http" });
        let bell = Bell::new();
        let (writer, settler) = Writer::open(&db, Role::Capturing, bell.clone())?;
        // Its own lies beside the store, whose folder is there by now.
        let identity = tls.map(|tls| tls.identity(&db, address)).transpose()?;
        let fingerprint = identity.as_ref().map(identity::fingerprint);
        // The lock holds without these words; they only make another process's error better.
        let _ = writer.announce(&url);
        let reader = Reader::open(&db)?;
        let newest_before = newest(&reader)?;
        let (news, mut sender) = (News::default(), None);
        let outlook = tunnel.is_some().then(Outlook::new);
        let (own, to, by, told) = (Own::new(Some(address), outlook.clone()), db.clone(), writer.clone(), news.clone());
        let ground = move |endpoints| Ground {
            db: to.clone(),
            writer: by.clone(),
            endpoints,
            own: own.clone(),
            news: told.clone(),
        };
        let telling = Arc::new(Metrics::new(&db, &reader, news.clone()));
        let post = forward::start(ground(endpoints.clone()), || Ok(sender.insert(Sender::start()?).runtime.clone()))?;
        let (to, gate) = (endpoints.clone(), outlook.clone());
        let catcher = Catcher::new(writer.clone(), to, trusted_proxies, reader, gate, post.clone(), news.clone())?;
        // Before the first request: what comes from now on counts.
        let alerts = alert::start(&alerts, &db, &bell, &news)?;
        telling.tell_at(metrics)?;
        let server = Server::start(listener, limits, identity, catcher.clone(), settler)?;
        let tunnel = match (tunnel, &outlook) {
            (Some(command), Some(outlook)) => {
                let bell = bell.clone();
                let changed = move || bell.ring();
                Some(Tunnel::start(&command, address.port(), outlook.clone(), changed)?)
            }
            _ => None,
        };
        let indexer = Indexer::start(&db, &writer, &bell)?;
        notices.extend(keep.words());
        let forgetting = Arc::new(Mutex::new(bounds::start(keep, &db, &writer, &bell, news.clone())?));
        let (sender, alerts) = (Arc::new(Mutex::new(sender)), Arc::new(Mutex::new(alerts)));
        let in_force = InForce::new(Rules { endpoints, targets, screen: Arc::new(screen), post });
        let capturing = Capturing {
            db: db.clone(),
            bell: bell.clone(),
            writer: writer.clone(),
            catcher,
            outlook: outlook.clone(),
            ground: Box::new(ground),
            sender: Arc::clone(&sender),
            alerts: Arc::clone(&alerts),
            forgetting: Arc::clone(&forgetting),
            metrics: Arc::clone(&telling),
        };
        let followers = Followers { in_force: in_force.clone(), news: news.clone(), capturing: Some(capturing) };
        let reread = Reread::start(wishes, seen, notices.clone(), followers)?;
        Ok(Self {
            db,
            bell,
            in_force,
            news,
            notices,
            address: Some(address),
            url: Some(url),
            fingerprint,
            outlook,
            tunnel: Mutex::new(tunnel),
            newest_before,
            server: Mutex::new(Some(server)),
            sender,
            writer: Mutex::new(Some(writer)),
            indexer: Mutex::new(Some(indexer)),
            alerts,
            metrics: Some(telling),
            forgetting,
            reread: Mutex::new(Some(reread)),
            _watch: None,
        })
    }

    /// Looks at a store that another creel fills. The bell rings when that one commits.
    pub fn watch(mut settings: Settings) -> Result<Self, Failure> {
        let bell = Bell::new();
        let watch = Watch::start(&settings.db, bell.clone())?;
        let (wishes, seen) = (mem::take(&mut settings.wishes), mem::take(&mut settings.seen));
        let idle = Self::idle(settings, bell);
        let followers = Followers { in_force: idle.in_force.clone(), news: idle.news.clone(), capturing: None };
        let reread = Reread::start(wishes, seen, idle.notices.clone(), followers)?;
        Ok(Self { _watch: Some(watch), reread: Mutex::new(Some(reread)), ..idle })
    }

    /// Works on a store without watching it: for commands that come and go.
    pub fn visit(settings: Settings) -> Self {
        Self::idle(settings, Bell::new())
    }

    /// Neither listens nor watches.
    fn idle(settings: Settings, bell: Bell) -> Self {
        let Settings { db, endpoints, targets, notices, screen, .. } = settings;
        let rules = Rules { endpoints, targets, screen: Arc::new(screen), post: None };
        Self {
            db,
            bell,
            in_force: InForce::new(rules),
            news: News::default(),
            notices,
            address: None,
            url: None,
            fingerprint: None,
            outlook: None,
            tunnel: Mutex::new(None),
            newest_before: CaptureId(0),
            server: Mutex::new(None),
            sender: Arc::default(),
            writer: Mutex::new(None),
            indexer: Mutex::new(None),
            alerts: Arc::default(),
            metrics: None,
            forgetting: Arc::default(),
            reread: Mutex::new(None),
            _watch: None,
        }
    }

    /// Where it listens; none where it only looks.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Where it catches, as a URL; none where it only looks.
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// The SHA-256 of the certificate it shows; none where it speaks HTTP.
    pub fn fingerprint(&self) -> Option<&str> {
        self.fingerprint.as_deref()
    }

    /// Whether what comes is kept: senders get 503 while it cannot be.
    pub fn is_keeping(&self) -> bool {
        !self.news.is_failing.load(Ordering::Relaxed)
    }

    /// How the tunnel stands, where there is one.
    pub fn tunnel(&self) -> Option<tunnel::State> {
        self.outlook.as_ref().map(Outlook::state)
    }

    /// The newest capture there was before this process began to catch.
    pub fn newest_before(&self) -> CaptureId {
        self.newest_before
    }

    /// The store's file.
    pub fn db(&self) -> &Path {
        &self.db
    }

    /// The endpoints, as the configuration has them now.
    pub fn endpoints(&self) -> Endpoints {
        self.in_force.now().endpoints
    }

    /// What a person should know and need not act on, by the configuration at the start.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// What the configuration says of the screen now.
    pub fn screen(&self) -> Arc<Screen> {
        self.in_force.now().screen
    }

    /// A reader of the store, for the caller's thread.
    pub fn reader(&self) -> Result<Reader, Failure> {
        Reader::open(&self.db)
    }

    /// Calls `ring` after each commit. It must be quick: the store's writer waits for it.
    pub fn on_ring(&self, ring: impl Fn() + Send + Sync + 'static) {
        self.bell.on_ring(ring);
    }

    /// Calls `hear` with what creel says by itself, a line each, and whether that is good: an app that is down or up again, a
    /// capture that is given up, an alert.
    pub fn on_news(&self, hear: impl Fn(&str, Tidings) + Send + 'static) {
        self.news.listen(Box::new(hear));
    }

    /// Where captures can be sent, by name, as the configuration has it now.
    pub fn targets(&self) -> Targets {
        self.in_force.now().targets
    }

    /// The bytes that a capture's signature is over, as far as its provider is known and no secret is among them.
    pub fn signed_bytes(&self, capture: &Capture) -> Option<Vec<u8>> {
        let catalog = catalog().ok()?;
        let provider = catalog.get(capture.provider.as_deref()?)?;
        let endpoints = self.endpoints();
        let url = endpoints.of_capture(capture).url.as_deref().or(capture.judgement.url.as_deref());
        provider.signed_bytes(&Request::of(capture, &capture.head.method(), url))
    }

    /// Stops in order: no new connections, those in flight finished and committed, the store closed. Twice does no harm.
    pub fn stop(&self) -> Result<(), Failure> {
        let tunnel = lock(&self.tunnel).take();
        tunnel.into_iter().for_each(Tunnel::stop);
        drop(lock(&self.reread).take());
        drop(lock(&self.forgetting).take());
        let server = lock(&self.server).take();
        let served = server.map_or(Ok(()), Server::stop);
        if let Some(post) = &self.in_force.now().post {
            post.stop();
        }
        let sender = lock(&self.sender).take();
        sender.into_iter().for_each(Sender::stop);
        lock(&self.alerts).clear();
        self.metrics.iter().for_each(|metrics| metrics.stop());
        drop(lock(&self.indexer).take());
        let writer = lock(&self.writer).take();
        served.and(writer.map_or(Ok(()), Writer::close))
    }

    /// The writer; a visiting one is opened when it is first needed.
    fn writer(&self) -> Result<Writer, Failure> {
        self.writer_as(Role::Visiting)
    }

    /// The writer; where there is none yet, one in that role.
    fn writer_as(&self, role: Role) -> Result<Writer, Failure> {
        let mut writer = lock(&self.writer);
        if let Some(writer) = &*writer {
            return Ok(writer.clone());
        }
        let (new, settler) = Writer::open(&self.db, role, self.bell.clone())?;
        self.sending()?.spawn(settler.run());
        *writer = Some(new.clone());
        Ok(new)
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|why| Failure::new("starting the network", why))
}

fn spawn<T: Send + 'static>(name: &str, body: impl FnOnce() -> T + Send + 'static) -> Result<JoinHandle<T>, Failure> {
    thread::Builder::new().name(name.to_owned()).spawn(body).map_err(|why| Failure::new("starting a thread", why))
}

/// The newest capture's number, or zero.
pub fn newest(reader: &Reader) -> Result<CaptureId, Failure> {
    match reader.page(Start::Newest, 1, None) {
        Ok(rows) => Ok(rows.first().map_or(CaptureId(0), |row| row.id)),
        // The counts tell it where the list is damaged; what else is wrong is wrong there, too.
        Err(why) => reader.past_damage(Start::Newest, 0, None, || true).map(|slice| slice.newest).map_err(|_| why),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Now, by the system's clock.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// The time zone of the machine, or of `TZ`.
pub fn zone() -> Zone {
    Zone::from_jiff(jiff::tz::TimeZone::system())
}

/// Who captures into a store, if somebody does.
pub fn holder(db: &Path) -> Option<store::Holder> {
    store::holder(db)
}

/// Where somebody captures into a store, as a URL.
pub fn holder_url(db: &Path) -> Option<String> {
    let said = store::holder(db)?.address?;
    Some(if said.contains("://") { said } else { format!("http://{said}") })
}

/// Makes a file that may not grow (`ulimit -f`) an error of whoever writes it, like a full disk: by itself the system would end
/// the process, and creel would catch nothing more.
pub fn outlive_large_files() {
    // Where it cannot be had, all is as it would be without.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
}

/// Whether a signal was ignored when the process began, by proc(5): who is started by `nohup` is to outlive its terminal. Where
/// that cannot be told it was not.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (signal - 1)) != 0)
}

/// Ends the process by SIGQUIT, as it would end by itself, but not before `put_right` was called. In a program of the user's that
/// has the terminal it is that program's.
pub fn before_quitting(put_right: impl Fn() + Send + 'static) -> Result<(), Failure> {
    use signal_hook::{consts::SIGQUIT, iterator::Signals, low_level::emulate_default_handler};
    let mut signals = Signals::new([SIGQUIT]).map_err(|why| Failure::new("listening for signals", why))?;
    let wait = move || {
        for _ in signals.forever().filter(|_| !aside::is_running()) {
            put_right();
            // Where it cannot be had the process goes on, on a terminal that is not its own.
            let _ = emulate_default_handler(SIGQUIT);
        }
    };
    spawn("creel-quit", wait).map(drop)
}

/// What must be done when the process is asked to end: calls `on_stop` once for each SIGINT, SIGTERM or SIGHUP, on a
/// thread of its own. A hangup that was ignored stays so.
pub fn on_signal(mut on_stop: impl FnMut() + Send + 'static) -> Result<(), Failure> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    // Ctrl-C in the user's editor is for the editor.
    let is_ours = |&signal: &i32| signal != SIGINT || !aside::is_running();
    let all = [SIGINT, SIGTERM].into_iter().chain((!is_ignored(SIGHUP)).then_some(SIGHUP));
    let mut signals =
        signal_hook::iterator::Signals::new(all).map_err(|why| Failure::new("listening for signals", why))?;
    spawn("creel-signals", move || signals.forever().filter(is_ours).for_each(|_| on_stop())).map(drop)
}
