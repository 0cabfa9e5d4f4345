//! **Floor 3 — the running creel, without a face.** Settings become endpoints, arrivals become captures, wishes become
//! deliveries. Both faces, the screen and the command line, stand on this.
//!
//! Threads: `creel-wire` runs the network on a current-thread runtime (a second worker gains nothing, and one keeps the
//! order of things plain); the store's writer has its own; `creel-send` runs deliveries, so that a slow app never
//! touches a capture. Faces run on whatever thread they like and read through readers of their own.
//!
//! This room must never know how a face looks, nor SQLite, nor hyper: it passes plain records between the rooms below.

mod admit;
mod batch;
mod catalog;
mod config;
mod deliver;
pub mod edit;
pub mod endpoint;
pub mod forward;
pub mod guard;
mod identity;
mod import;
mod port;
mod rehearsal;
pub mod respond;
pub mod rewrite;
pub mod secret;
pub mod send;
pub mod settings;
pub mod state;
pub mod target;
mod transform;
pub mod tunnel;
mod watch;

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        mpsc::{Receiver, channel},
    },
    thread::{self, JoinHandle},
    time::SystemTime,
};

pub use admit::examine;
pub use batch::{Each, Pacing, continued};
pub use catalog::{catalog, own_folder, read as read_provider};
pub use config::{KeyWish, Notice, Screen};
pub use deliver::{Aim, no_such_capture};
pub use import::Progress;
pub use rehearsal::{Expect, OneOrMany, Play, Played, Rehearsal, Step};
pub use settings::{Settings, Wishes};
use tokio::sync::watch as flag;
pub use transform::{Transform, transform};

use self::{
    admit::Catcher,
    deliver::Courier,
    endpoint::Endpoints,
    forward::{Ground, News, Post},
    port::Listener,
    respond::Words,
    target::Targets,
    tunnel::{Outlook, Tunnel},
    watch::Watch,
};
use crate::{
    query::Sql,
    record::{BatchId, Capture, CaptureId, Delivery, Errand, ErrandId, Failure, Tagging, Timestamp, Zone},
    store::{self, Bell, Indexer, Posted, Posting, Reader, Role, Settler, Start, Writer},
    verify::Request,
    wire,
};

/// A running creel. Dropping it without [`Engine::stop`] ends it abruptly; nothing acknowledged is lost either way.
pub struct Engine {
    db: PathBuf,
    bell: Bell,
    endpoints: Endpoints,
    targets: Targets,
    post: Option<Post>,
    news: News,
    notices: Vec<Notice>,
    screen: config::Screen,
    address: Option<SocketAddr>,
    url: Option<String>,
    fingerprint: Option<String>,
    outlook: Option<Outlook>,
    tunnel: Mutex<Option<Tunnel>>,
    newest_before: CaptureId,
    server: Mutex<Option<Server>>,
    sender: Mutex<Option<Sender>>,
    writer: Mutex<Option<Writer>>,
    indexer: Mutex<Option<Indexer>>,
    _watch: Option<Watch>,
}

/// The thread that listens.
struct Server {
    stop: flag::Sender<bool>,
    thread: JoinHandle<Result<(), Failure>>,
    /// Hears when the thread is over. Taken by whoever waits for it.
    ended: Option<Receiver<()>>,
}

/// The thread that delivers.
struct Sender {
    runtime: tokio::runtime::Handle,
    stop: flag::Sender<bool>,
    thread: JoinHandle<()>,
}

impl Engine {
    /// Starts capturing: binds the port, takes the store, and listens.
    pub fn capture(settings: Settings) -> Result<Self, Failure> {
        let Settings { db, listen, endpoints, targets, tls, tunnel, trusted_proxies, limits, notices, screen } =
            settings;
        forward::check(&endpoints)?;
        let listener = bind(listen)?;
        let address = listener.local_addr().map_err(|why| Failure::new("listening", why))?;
        let identity = tls.map(|tls| tls.identity(&db, address)).transpose()?;
        let fingerprint = identity.as_ref().map(identity::fingerprint);
        let url = format!("{}://{address}", if identity.is_some() { "https" } else { "http" });
        let bell = Bell::new();
        let (writer, settler) = Writer::open(&db, Role::Capturing, bell.clone())?;
        // The lock holds without these words; they only make another process's error better.
        let _ = writer.announce(&url);
        let newest_before = newest(&Reader::open(&db)?)?;
        let (news, mut sender) = (News::default(), None);
        let ground = Ground {
            db: db.clone(),
            writer: writer.clone(),
            endpoints: endpoints.clone(),
            own: vec![address],
            news: news.clone(),
        };
        let post = forward::start(ground, || Ok(sender.insert(Sender::start()?).runtime.clone()))?;
        let outlook = tunnel.is_some().then(Outlook::new);
        let reader = Reader::open(&db)?;
        let (to, gate) = (endpoints.clone(), outlook.clone());
        let catcher = Catcher::new(writer.clone(), to, trusted_proxies, reader, gate, post.clone())?;
        let server = Server::start(listener, limits, identity, catcher, settler)?;
        let tunnel = match (tunnel, &outlook) {
            (Some(command), Some(outlook)) => {
                let bell = bell.clone();
                let changed = move || bell.ring();
                Some(Tunnel::start(&command, address.port(), outlook.clone(), changed)?)
            }
            _ => None,
        };
        let indexer = Indexer::start(&db, &writer, &bell)?;
        Ok(Self {
            db,
            bell,
            endpoints,
            targets,
            post,
            news,
            notices,
            screen,
            address: Some(address),
            url: Some(url),
            fingerprint,
            outlook,
            tunnel: Mutex::new(tunnel),
            newest_before,
            server: Mutex::new(Some(server)),
            sender: Mutex::new(sender),
            writer: Mutex::new(Some(writer)),
            indexer: Mutex::new(Some(indexer)),
            _watch: None,
        })
    }

    /// Looks at a store that another creel fills. The bell rings when that one commits.
    pub fn watch(settings: Settings) -> Result<Self, Failure> {
        let bell = Bell::new();
        let watch = Watch::start(Reader::open(&settings.db)?, bell.clone())?;
        Ok(Self { _watch: Some(watch), ..Self::idle(settings, bell) })
    }

    /// Works on a store without watching it: for commands that come and go.
    pub fn visit(settings: Settings) -> Self {
        Self::idle(settings, Bell::new())
    }

    /// Neither listens nor watches.
    fn idle(settings: Settings, bell: Bell) -> Self {
        let Settings { db, endpoints, targets, notices, screen, .. } = settings;
        Self {
            db,
            bell,
            endpoints,
            targets,
            post: None,
            news: News::default(),
            notices,
            screen,
            address: None,
            url: None,
            fingerprint: None,
            outlook: None,
            tunnel: Mutex::new(None),
            newest_before: CaptureId(0),
            server: Mutex::new(None),
            sender: Mutex::new(None),
            writer: Mutex::new(None),
            indexer: Mutex::new(None),
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

    /// The endpoints.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// What a person should know and need not act on.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// What the configuration says of the screen.
    pub fn screen(&self) -> &config::Screen {
        &self.screen
    }

    /// A reader of the store, for the caller's thread.
    pub fn reader(&self) -> Result<Reader, Failure> {
        Reader::open(&self.db)
    }

    /// Calls `ring` after each commit. It must be quick: the store's writer waits for it.
    pub fn on_ring(&self, ring: impl Fn() + Send + Sync + 'static) {
        self.bell.on_ring(ring);
    }

    /// Sends a capture to an app and stores what came of it. Blocks until then.
    pub fn resend(&self, id: CaptureId, aim: Aim) -> Result<Delivery, Failure> {
        if self.reader()?.summary(id)?.is_none() {
            return Err(no_such_capture(id));
        }
        let mut delivered = None;
        self.resend_all(vec![id], aim, Pacing::default(), &mut |each| delivered = Some(each))?;
        let each = delivered.ok_or_else(|| Failure::new("resending", "creel is stopping"))?;
        each.map_err(|(_, failure)| failure)
    }

    /// Sends captures to apps, and tells what came of each as it is stored. Blocks until all are, or it was stopped: what is
    /// left then is a batch that can be continued. Gives how many were sent.
    pub fn resend_all(
        &self,
        ids: Vec<CaptureId>,
        aim: Aim,
        pacing: Pacing,
        each: &mut dyn FnMut(batch::Each),
    ) -> Result<u64, Failure> {
        let (spec, captures) = (batch::spec(&aim), ids.clone());
        let posting = Posting::Batch { at: now(), spec, captures };
        let pending = self.writer()?.post(posting).map_err(|full| Failure::new("resending", full))?;
        let begun = pending.blocking_recv().map_err(|_| Failure::new("resending", "the store is closed"))??;
        let Posted::Batch(_, first) = begun else { return Ok(0) };
        let left = ids.into_iter().zip((first.0..).map(ErrandId)).collect();
        self.send_left(left, aim, pacing, each)
    }

    /// Sends what is left of a batch.
    pub fn resend_left(
        &self,
        batch: BatchId,
        aim: Aim,
        pacing: Pacing,
        each: &mut dyn FnMut(batch::Each),
    ) -> Result<u64, Failure> {
        let left = self.reader()?.left_of(batch)?.into_iter().map(|errand| (errand.capture, errand.id)).collect();
        self.send_left(left, aim, pacing, each)
    }

    fn send_left(
        &self,
        left: Vec<(CaptureId, ErrandId)>,
        aim: Aim,
        pacing: Pacing,
        each: &mut dyn FnMut(batch::Each),
    ) -> Result<u64, Failure> {
        let client = (left.len() > 1).then(wire::Client::default);
        let (endpoints, targets) = (self.endpoints.clone(), self.targets.clone());
        let courier = Courier { writer: self.writer()?, endpoints, targets, client };
        let runtime = self.sending()?;
        let captures = batch::read_ahead(&self.db, left, &runtime)?;
        let (told, hear) = channel();
        runtime.spawn(batch::send_all(courier, captures, aim, pacing, told));
        let mut count = 0;
        for one in hear {
            count += 1;
            each(one);
        }
        Ok(count)
    }

    /// Sends once more what was given up. Blocks until what came of it is stored.
    pub fn resend_dead(&self, dead: Errand) -> Result<Delivery, Failure> {
        let theirs = holder(&self.db).and_then(|holder| holder.address?.parse().ok());
        let ground = Ground {
            db: self.db.clone(),
            writer: self.writer()?,
            endpoints: self.endpoints.clone(),
            own: self.address.into_iter().chain(theirs).collect(),
            news: self.news.clone(),
        };
        let (answer, outcome) = channel();
        self.sending()?.spawn(async move {
            let _ = answer.send(forward::redeliver(ground, dead).await);
        });
        outcome.recv().map_err(|_| Failure::new("resending", "creel is stopping"))?
    }

    /// Calls `hear` with what goes on in forwarding, a line each: an app that is down or up again, a capture that is given up.
    pub fn on_news(&self, hear: impl Fn(&str) + Send + 'static) {
        self.news.listen(Box::new(hear));
    }

    /// Where captures can be sent, by name.
    pub fn targets(&self) -> &Targets {
        &self.targets
    }

    /// Deletes every capture that a condition takes, with its deliveries; gives how many. Blocks until then. It goes on in
    /// steps, so that a creel that captures into the store is not held up.
    pub fn forget(&self, condition: &Sql) -> Result<u64, Failure> {
        let writer = self.writer()?;
        let mut all = 0;
        loop {
            let pending = writer.forget(condition.clone()).map_err(|full| Failure::new("deleting captures", full))?;
            match pending.blocking_recv() {
                Ok(Ok(0)) => return Ok(all),
                Ok(count) => all += count?,
                Err(_) => return Err(Failure::new("deleting captures", "the store is closed")),
            }
        }
    }

    /// Changes what a person said of captures; gives how many of them there are. Blocks until it is stored.
    pub fn tag(&self, ids: &[CaptureId], tagging: &Tagging) -> Result<u64, Failure> {
        const DOING: &str = "tagging captures";
        let writer = self.writer()?;
        ids.chunks(store::FORGET_AT_ONCE).try_fold(0, |all, ids| {
            let pending = writer.tag(ids.to_vec(), tagging.clone()).map_err(|full| Failure::new(DOING, full))?;
            let closed = |_| Failure::new(DOING, "the store is closed");
            Ok(all + pending.blocking_recv().map_err(closed)??)
        })
    }

    /// The bytes that a capture's signature is over, as far as its provider is known and no secret is among them.
    pub fn signed_bytes(&self, capture: &Capture) -> Option<Vec<u8>> {
        let provider = catalog().ok()?.get(capture.provider.as_deref()?)?;
        let endpoint = self.endpoints.named(&capture.endpoint);
        provider.signed_bytes(&Request {
            method: &capture.head.method(),
            url: endpoint.and_then(|endpoint| endpoint.url.as_deref()),
            target: capture.head.target(),
            headers: capture.head.headers(),
            body: &capture.body.bytes,
            truncated: capture.body.truncated,
            received_at: capture.received_at,
        })
    }

    /// Lays words over what an endpoint answers, or takes them away; whoever captures into the store hears of it. Blocks
    /// until every request that comes from now on is answered so.
    pub fn tell(&self, endpoint: &str, words: Option<&Words>) -> Result<String, Failure> {
        let doing = || format!("telling the endpoint `{endpoint}` what to answer");
        let Some(known) = self.endpoints.named(endpoint) else {
            let names: Vec<_> = self.endpoints.iter().map(|endpoint| &endpoint.name[..]).collect();
            return Err(
                Failure::new(doing(), "there is none of that name").hint(format!("there are: {}", names.join(", ")))
            );
        };
        let file = known.respond.file();
        let answer = words.map_or_else(|| Ok(file.clone()), |words| words.over(file));
        let answer = answer.map_err(|wrong| wrong.failure(&doing()))?;
        let text = words.map(serde_json::to_string).transpose().map_err(|why| Failure::new(doing(), why))?;
        let pending = self.writer()?.tell(endpoint.to_owned(), text).map_err(|full| Failure::new(doing(), full))?;
        pending.blocking_recv().map_err(|_| Failure::new(doing(), "the store is closed"))??;
        thread::sleep(respond::HEARD_AFTER);
        Ok(answer.to_string())
    }

    /// The endpoints that answer something else than their configuration says, and what, in a few words.
    pub fn told(&self, reader: &Reader) -> Result<Vec<(String, String)>, Failure> {
        let told = respond::told(reader)?;
        let answers = told.into_iter().filter_map(|(name, words)| {
            let answer = words.over(self.endpoints.named(&name)?.respond.file()).ok()?;
            Some((name, answer.to_string()))
        });
        Ok(answers.collect())
    }

    /// Sends a request that is in no store. Blocks until there is a reply, or none.
    pub fn send(&self, outgoing: wire::Outgoing) -> Result<wire::Sent, Failure> {
        let (answer, outcome) = channel();
        self.sending()?.spawn(async move {
            let _ = answer.send(wire::send(outgoing, &wire::SendLimits::default()).await);
        });
        outcome.recv().map_err(|_| Failure::new("sending", "creel is stopping"))
    }

    /// Calls `over` when the server has ended by itself, which it only does where it failed.
    pub fn on_end(&self, over: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
        let ended = lock(&self.server).as_mut().and_then(|server| server.ended.take());
        ended.map_or(Ok(()), |ended| {
            let wait = move || {
                let _ = ended.recv();
                over();
            };
            spawn("creel-end", wait).map(drop)
        })
    }

    /// Stops in order: no new connections, those in flight finished and committed, the store closed. Twice does no harm.
    pub fn stop(&self) -> Result<(), Failure> {
        let tunnel = lock(&self.tunnel).take();
        tunnel.into_iter().for_each(Tunnel::stop);
        let server = lock(&self.server).take();
        let served = server.map_or(Ok(()), Server::stop);
        if let Some(post) = &self.post {
            post.stop();
        }
        let sender = lock(&self.sender).take();
        sender.into_iter().for_each(Sender::stop);
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

    /// The runtime of deliveries, started when it is first needed.
    fn sending(&self) -> Result<tokio::runtime::Handle, Failure> {
        let mut sender = lock(&self.sender);
        if let Some(sender) = &*sender {
            return Ok(sender.runtime.clone());
        }
        let new = Sender::start()?;
        let runtime = new.runtime.clone();
        *sender = Some(new);
        Ok(runtime)
    }
}

impl Server {
    fn start(
        listener: TcpListener,
        limits: wire::Limits,
        identity: Option<wire::Identity>,
        catcher: Catcher,
        settler: Settler,
    ) -> Result<Self, Failure> {
        let runtime = runtime()?;
        let (stop, mut stopped) = flag::channel(false);
        let (over, ended) = channel();
        let body = move || {
            let served = runtime.block_on(async move {
                tokio::spawn(settler.run());
                let listener =
                    tokio::net::TcpListener::from_std(listener).map_err(|why| Failure::new("listening", why))?;
                let until = async move { drop(stopped.wait_for(|&stop| stop).await) };
                wire::serve(listener, limits, identity, catcher, until).await
            });
            drop(over);
            served
        };
        let thread = spawn("creel-wire", body)?;
        Ok(Self { stop, thread, ended: Some(ended) })
    }

    fn stop(self) -> Result<(), Failure> {
        let _ = self.stop.send(true);
        self.thread
            .join()
            .unwrap_or_else(|_| Err(Failure::new("serving", "a part of creel failed; what was answered is stored")))
    }
}

impl Sender {
    fn start() -> Result<Self, Failure> {
        let runtime = runtime()?;
        let (stop, mut stopped) = flag::channel(false);
        let handle = runtime.handle().clone();
        let thread = spawn("creel-send", move || {
            runtime.block_on(async move { drop(stopped.wait_for(|&stop| stop).await) });
        })?;
        Ok(Self { runtime: handle, stop, thread })
    }

    fn stop(self) {
        let _ = self.stop.send(true);
        let _ = self.thread.join();
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
    let rows = reader.page(Start::Newest, 1, None)?;
    Ok(rows.first().map_or(CaptureId(0), |row| row.id))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Binds the port, or says who has it.
fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    let listener = TcpListener::bind(address).map_err(|why| taken(address, &why))?;
    listener.set_nonblocking(true).map_err(|why| Failure::new(format!("listening on {address}"), why))?;
    Ok(listener)
}

fn taken(address: SocketAddr, why: &std::io::Error) -> Failure {
    let doing = format!("listening on {address}");
    if why.kind() != std::io::ErrorKind::AddrInUse {
        return Failure::new(doing, why);
    }
    let port = address.port();
    match port::listener(address) {
        Some(Listener { pid, program }) if program == "creel" => {
            Failure::new(doing, format!("port {port} is taken by another creel (pid {pid})"))
                .hint("look at what it catches with `creel watch`, or listen elsewhere with --listen 0")
        }
        Some(Listener { pid, program }) => {
            Failure::new(doing, format!("port {port} is taken by `{program}` (pid {pid}), which is not a creel"))
                .hint("listen elsewhere with --listen 0; `creel watch` looks at a store without listening")
        }
        None => Failure::new(doing, format!("port {port} is taken, and by whom is not to be seen"))
            .hint("listen elsewhere with --listen 0; if a creel of yours has it, `creel watch` shows what it catches"),
    }
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

/// What must be done when the process is asked to end: calls `on_stop` once for each SIGINT, SIGTERM or SIGHUP, on a
/// thread of its own.
pub fn on_signal(mut on_stop: impl FnMut() + Send + 'static) -> Result<(), Failure> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])
        .map_err(|why| Failure::new("listening for signals", why))?;
    spawn("creel-signals", move || signals.forever().for_each(|_| on_stop())).map(drop)
}
