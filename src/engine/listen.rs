//! The thread that listens, and the port it has.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::mpsc::{Receiver, channel},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use tokio::sync::watch as flag;

use super::{
    Engine,
    admit::Catcher,
    lock,
    port::{self, Listener},
    runtime, spawn,
};
use crate::{record::Failure, store::Settler, wire};

/// How long a process that was killed may still have its port.
const ENDING: Duration = Duration::from_millis(500);

/// The thread that listens.
pub(super) struct Server {
    stop: flag::Sender<bool>,
    thread: JoinHandle<Result<(), Failure>>,
    /// Hears when the thread is over. Taken by whoever waits for it.
    ended: Option<Receiver<()>>,
}

impl Engine {
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
}

impl Server {
    pub(super) fn start(
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

    pub(super) fn stop(self) -> Result<(), Failure> {
        let _ = self.stop.send(true);
        self.thread
            .join()
            .unwrap_or_else(|_| Err(Failure::new("serving", "a part of creel failed; what was answered is stored")))
    }
}

/// Binds the port, or says who has it. A port that nobody is seen to have may be that of a process that is just ending:
/// a creel that was killed and is started again.
pub(super) fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    let is_ending = |why: &io::Error| why.kind() == io::ErrorKind::AddrInUse && port::listener(address).is_none();
    let until = Instant::now() + ENDING;
    let listener = loop {
        match TcpListener::bind(address) {
            Err(why) if is_ending(&why) && Instant::now() < until => thread::sleep(ENDING / 20),
            bound => break bound.map_err(|why| taken(address, &why))?,
        }
    };
    listener.set_nonblocking(true).map_err(|why| Failure::new(format!("listening on {address}"), why))?;
    Ok(listener)
}

fn taken(address: SocketAddr, why: &io::Error) -> Failure {
    let doing = format!("listening on {address}");
    match why.kind() {
        io::ErrorKind::AddrInUse => {}
        io::ErrorKind::AddrNotAvailable => {
            let why = "this machine has no such address";
            return Failure::new(doing, why).hint("127.0.0.1 is this machine alone, 0.0.0.0 every address that it has");
        }
        io::ErrorKind::PermissionDenied => {
            return Failure::new(doing, why).hint("ports below 1024 are mostly the system's: take a higher one");
        }
        _ => return Failure::new(doing, why),
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
