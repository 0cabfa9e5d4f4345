//! What sending on costs: forwarding beside a direct request, an app that answers in creel's place, many captures sent again,
//! and retries that wait. `cargo bench --bench deliver`.
//!
//! The app, the senders and creel share the machine; each figure stands beside one measured without creel in the same run.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench prints, and fails by panicking")]

mod support;

use std::{
    collections::HashMap,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use creel::{
    engine::{Aim, Engine, Pacing, Settings, Wishes, forward::Answering},
    record::{CaptureId, Head, Headers, Version},
    wire::{Client, Outgoing, PathRule, SendLimits},
};
use support::processor_time;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Requests a second of the paced senders.
const RATE: u32 = 500;
/// How many connections they share.
const SENDERS: u32 = 8;
/// How long they send.
const TIME: Duration = Duration::from_secs(4);
/// Captures that are sent again, their bodies' size, and how many go at a time.
const MANY: usize = 10_000;
const BODY: usize = 1_024;
const JOBS: [usize; 3] = [8, 32, 128];
/// How often each is measured, one after the other.
const ROUNDS: usize = 5;
/// Retries that wait, and how long they are watched.
const QUEUED: usize = 1_000;
const WATCHED: Duration = Duration::from_secs(5);

/// What is measured, by its name.
const PARTS: [(&str, Part); 3] = [("latency", latency), ("bulk", bulk), ("waiting", waiting)];
type Part = fn(&Path);

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let wanted: Vec<_> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    for (name, part) in PARTS {
        if wanted.is_empty() || wanted.iter().any(|want| want == name) {
            part(folder.path());
        }
    }
}

/// When a request arrived, by its path.
type Arrivals = Arc<Mutex<HashMap<String, Instant>>>;

/// An app on a thread of its own: answers at once with a status, and notes when what came.
fn app(status: u16, noted: Option<Arrivals>) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    let serve = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                tokio::spawn(answer(stream, status, noted.clone()));
            }
        });
    };
    thread::Builder::new().name("app".to_owned()).spawn(serve).unwrap();
    address
}

async fn answer(mut stream: tokio::net::TcpStream, status: u16, noted: Option<Arrivals>) {
    let reply = format!("HTTP/1.1 {status} X\r\nContent-Length: 2\r\n\r\nok");
    let mut bytes = Vec::new();
    loop {
        let whole = bytes.windows(4).position(|w| w == b"\r\n\r\n").and_then(|end| {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
            let size = end + 4 + length.map_or(0, |length| length.parse().unwrap_or(0));
            (bytes.len() >= size).then_some(size)
        });
        if let Some(size) = whole {
            if let Some(noted) = &noted {
                let text = String::from_utf8_lossy(&bytes[..size.min(64)]);
                let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
                noted.lock().unwrap().insert(path, Instant::now());
            }
            bytes.drain(..size);
            if stream.write_all(reply.as_bytes()).await.is_err() {
                return;
            }
            continue;
        }
        match stream.read_buf(&mut bytes).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

/// What paced senders saw: when each was sent, by path, and how long its answer took.
fn send(to: SocketAddr, name: &str) -> (HashMap<String, Instant>, Vec<Duration>) {
    let began = Instant::now() + Duration::from_millis(50);
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| {
            let name = name.to_owned();
            thread::spawn(move || {
                let mut stream = TcpStream::connect(to).unwrap();
                stream.set_nodelay(true).unwrap();
                let (mut sent, mut took) = (HashMap::new(), Vec::new());
                for turn in (sender..).step_by(SENDERS as usize) {
                    let due = began + Duration::from_secs(1) * turn / RATE;
                    if due > began + TIME {
                        break;
                    }
                    thread::sleep(due.saturating_duration_since(Instant::now()));
                    let path = format!("/{name}/{turn}");
                    let body = "x".repeat(BODY);
                    let request = format!("POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: {BODY}\r\n\r\n{body}");
                    let at = Instant::now();
                    stream.write_all(request.as_bytes()).unwrap();
                    read_answer(&mut stream);
                    took.push(at.elapsed());
                    sent.insert(path, at);
                }
                (sent, took)
            })
        })
        .collect();
    let (mut sent, mut took) = (HashMap::new(), Vec::new());
    for sender in senders {
        let (more, times) = sender.join().unwrap();
        sent.extend(more);
        took.extend(times);
    }
    (sent, took)
}

fn read_answer(stream: &mut TcpStream) {
    let mut bytes = Vec::new();
    let mut part = [0; 1024];
    loop {
        let n = stream.read(&mut part).unwrap();
        assert!(n > 0, "closed");
        bytes.extend_from_slice(&part[..n]);
        if bytes.ends_with(b"}") || bytes.ends_with(b"\r\n\r\nok") {
            return;
        }
    }
}

fn at(times: &mut [Duration], percent: usize) -> f64 {
    times.sort_unstable();
    times[(times.len() * percent / 100).min(times.len() - 1)].as_secs_f64() * 1e3
}

fn engine(folder: &Path, name: &str, app: SocketAddr, auto: Answering) -> Engine {
    let wishes = Wishes {
        db: Some(folder.join(name)),
        listen: Some("127.0.0.1:0".to_owned()),
        forward: Some(format!("http://{app}")),
        auto: Some(auto),
        ..Wishes::default()
    };
    Engine::capture(Settings::resolve(&wishes).unwrap()).unwrap()
}

/// From the sender's first byte to the app, and back to the sender.
fn latency(folder: &Path) {
    let arrivals = Arrivals::default();
    let address = app(200, Some(Arc::clone(&arrivals)));
    let on_the_way = |sent: &HashMap<String, Instant>| -> Vec<Duration> {
        loop {
            let there = arrivals.lock().unwrap();
            if sent.keys().all(|path| there.contains_key(path)) {
                return sent.iter().map(|(path, at)| there[path].duration_since(*at)).collect();
            }
            drop(there);
            thread::sleep(Duration::from_millis(5));
        }
    };
    println!("at {RATE} requests a second, {BODY} bytes, in ms: to the app p50, p99; the answer p50, p99");
    let row = |name: &str, to: SocketAddr| {
        let (sent, mut took) = send(to, name);
        let mut way = on_the_way(&sent);
        let figures = [at(&mut way, 50), at(&mut way, 99), at(&mut took, 50), at(&mut took, 99)];
        println!("  {name:<8} {:.2} {:.2}   {:.2} {:.2}", figures[0], figures[1], figures[2], figures[3]);
        figures
    };
    let direct = row("direct", address);
    let ack = engine(folder, "ack.db", address, Answering::Ack);
    let forwarded = row("ack", ack.address().unwrap());
    ack.stop().unwrap();
    let proxy = engine(folder, "proxy.db", address, Answering::Proxy);
    let proxied = row("proxy", proxy.address().unwrap());
    proxy.stop().unwrap();
    println!("  forwarding adds {:.2} ms at the median (goal: under 1)", forwarded[0] - direct[0]);
    println!("  a proxied answer's p99 is {:.2} ms over a direct one's (goal: within 3)", proxied[3] - direct[3]);
}

/// Many captures sent again, beside the same requests from memory.
fn bulk(folder: &Path) {
    let address = app(200, None);
    let wishes =
        Wishes { db: Some(folder.join("bulk.db")), listen: Some("127.0.0.1:0".to_owned()), ..Wishes::default() };
    let engine = Engine::capture(Settings::resolve(&wishes).unwrap()).unwrap();
    fill(engine.address().unwrap(), MANY);
    let ids: Vec<_> = (1..=MANY as i64).map(CaptureId).collect();
    println!("{MANY} captures of {BODY} bytes, so many at a time, a second: straight from memory; resent and stored");
    let mut ratios = JOBS.map(|_| Vec::new());
    for turn in 0..ROUNDS * JOBS.len() {
        let jobs = JOBS[turn % JOBS.len()];
        let straight = straight(address, jobs);
        let (began, before) = (Instant::now(), processor_time("self"));
        let (mut right, aim) = (0, Aim { to: Some(format!("http://{address}")), ..Aim::default() });
        let pacing = Pacing { jobs, ..Pacing::default() };
        engine
            .resend_all(ids.clone(), aim, pacing, &mut |each| {
                right += usize::from(each.is_ok_and(|delivery| delivery.outcome.is_success()));
            })
            .unwrap();
        let resent = MANY as f64 / began.elapsed().as_secs_f64();
        assert_eq!(right, MANY);
        let each = processor_time("self").saturating_sub(before) / MANY as u32;
        let ratio = resent / straight;
        ratios[turn % JOBS.len()].push(ratio);
        println!("  {jobs:>3}: {straight:.0}   {resent:.0}   ratio {ratio:.2}, {each:?} of processor time each");
    }
    for (jobs, ratios) in JOBS.iter().zip(&mut ratios) {
        ratios.sort_by(f64::total_cmp);
        println!("  {jobs:>3} at a time: {:.2} in the middle (goal: 0.7)", ratios[ratios.len() / 2]);
    }
    engine.stop().unwrap();
}

/// Puts captures into a store by sending them.
fn fill(to: SocketAddr, count: usize) {
    let senders: Vec<_> = (0..16)
        .map(|sender| {
            thread::spawn(move || {
                let mut stream = TcpStream::connect(to).unwrap();
                stream.set_nodelay(true).unwrap();
                let body = "x".repeat(BODY);
                for n in (sender..count).step_by(16) {
                    let request = format!("POST /{n} HTTP/1.1\r\nHost: h\r\nContent-Length: {BODY}\r\n\r\n{body}");
                    stream.write_all(request.as_bytes()).unwrap();
                    read_answer(&mut stream);
                }
            })
        })
        .collect();
    senders.into_iter().for_each(|sender| sender.join().unwrap());
}

/// The same requests by the same client, from memory and into nothing.
fn straight(to: SocketAddr, jobs: usize) -> f64 {
    let body = Bytes::from("x".repeat(BODY));
    let headers: Headers = [("Host", "h".to_owned()), ("Content-Length", BODY.to_string())].into_iter().collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let began = Instant::now();
    runtime.block_on(async {
        let (client, limits) = (Client::default(), Arc::new(SendLimits::default()));
        let mut senders = tokio::task::JoinSet::new();
        for sender in 0..jobs {
            let (client, limits, body, headers) = (client.clone(), Arc::clone(&limits), body.clone(), headers.clone());
            senders.spawn(async move {
                for n in (sender..MANY).step_by(jobs) {
                    let head = Head::from_parts("POST", format!("/{n}").as_bytes(), Version::Http11, &headers);
                    let (body, to) = (body.clone(), format!("http://{to}"));
                    let outgoing =
                        Outgoing { head, body, to, path: PathRule::Replaced, insecure: false, keep_host: false };
                    assert!(client.send(outgoing, &limits).await.outcome.is_success());
                }
            });
        }
        while senders.join_next().await.is_some() {}
    });
    MANY as f64 / began.elapsed().as_secs_f64()
}

/// Retries that wait cost nothing while they do.
fn waiting(folder: &Path) {
    let address = app(400, None);
    let engine = engine(folder, "waiting.db", address, Answering::Ack);
    fill(engine.address().unwrap(), QUEUED);
    let reader = engine.reader().unwrap();
    while reader.waiting().unwrap().iter().any(|errand| errand.tries == 0) {
        thread::sleep(Duration::from_millis(20));
    }
    // The first gap is 5 s, give or take a tenth: what is watched ends before.
    let (before, watched) = (processor_time("self"), WATCHED.min(Duration::from_secs(3)));
    thread::sleep(watched);
    let share = processor_time("self").saturating_sub(before).as_secs_f64() / watched.as_secs_f64() * 100.0;
    println!("{QUEUED} retries that wait take {share:.2} % of a processor (the app and the senders included)");
    engine.stop().unwrap();
}
