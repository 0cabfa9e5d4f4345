//! How fast creel catches, beside what cannot be beaten: bare hyper, which keeps nothing, and hyper with an append-only
//! log and one `fdatasync` a batch, which keeps the least that is durable. All three run in turn, in one run, under the
//! same load: a 1 KiB JSON body and 14 headers, each with a GitHub signature that creel checks. Only the ratios count;
//! the machine's noise is in all three.
//!
//! `cargo bench --bench capture`; `CREEL_BENCH_ROUNDS` (5) and `CREEL_BENCH_SECONDS` (2) set its length, and
//! `CREEL_BENCH_CONNECTIONS` (`8,64,256`) the connection counts.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench that cannot run ends")]

mod support;

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use creel::{
    record::{Headers, Timestamp},
    verify::{Catalog, Request, Secret},
};
use http_body_util::{BodyExt, Full};
use hyper::{Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use support::{number, processor_time, resident};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

/// The connection counts that are measured.
const CONNECTIONS: &str = "8,64,256";
const SECRET: &str = "a-secret-of-the-bench";
const SERVERS: [&str; 3] = ["hyper", "log", "creel"];

fn main() {
    if let Ok(name) = env::var("CREEL_BENCH_SERVER") {
        return serve(&name);
    }
    let rounds = number("CREEL_BENCH_ROUNDS", 5);
    let length = Duration::from_secs(number("CREEL_BENCH_SECONDS", 2) as u64);
    let folder = tempfile::tempdir().unwrap();
    println!(
        "{rounds} rounds of {length:?} a server and connection count; medians; ratios are of each round, then their median"
    );
    let counts = env::var("CREEL_BENCH_CONNECTIONS").unwrap_or_else(|_| CONNECTIONS.to_owned());
    for connections in counts.split(',').map(|count| count.parse().expect("numbers with commas between them")) {
        let mut results: Vec<[Run; 3]> = Vec::new();
        for round in 0..rounds {
            let runs = SERVERS.map(|server| {
                measure(server, connections, length, &folder.path().join(format!("{server}-{connections}-{round}")))
            });
            results.push(runs);
        }
        report(connections, &results);
    }
}

/// What one server did in one round.
struct Run {
    rate: f64,
    p50_us: f64,
    p99_us: f64,
    processor_us: f64,
    resident_mib: f64,
}

fn report(connections: usize, results: &[[Run; 3]]) {
    println!("\n{connections} connections      req/s   p50 us   p99 us   cpu us/req   RSS MiB");
    for (at, server) in SERVERS.iter().enumerate() {
        let of = |f: fn(&Run) -> f64| median(results.iter().map(|runs| f(&runs[at])).collect());
        println!(
            "  {server:<12} {:>12.0} {:>8.0} {:>8.0} {:>12.1} {:>9.1}",
            of(|r| r.rate),
            of(|r| r.p50_us),
            of(|r| r.p99_us),
            of(|r| r.processor_us),
            of(|r| r.resident_mib)
        );
    }
    for (words, other, figure) in [
        ("rate of creel / bare hyper", 0, (|r: &Run| r.rate) as fn(&Run) -> f64),
        ("rate of creel / log", 1, |r| r.rate),
        ("p99 of creel / log", 1, |r| r.p99_us),
    ] {
        let mut ratios: Vec<_> = results.iter().map(|runs| figure(&runs[2]) / figure(&runs[other])).collect();
        ratios.sort_by(f64::total_cmp);
        let (low, high) = (ratios[0], ratios[ratios.len() - 1]);
        println!("  {words:<28} {:.2}  [{low:.2}-{high:.2}]", median(ratios));
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Starts a server, loads it, and ends it.
fn measure(server: &str, connections: usize, length: Duration, folder: &Path) -> Run {
    fs::create_dir_all(folder).unwrap();
    let (mut child, address) = start(server, folder);
    let request = request();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(load(address, connections, length / 2, &request));
    let before = processor_time(&child.id().to_string());
    let began = Instant::now();
    let mut latencies = runtime.block_on(load(address, connections, length, &request));
    let took = began.elapsed();
    let processor = processor_time(&child.id().to_string()).saturating_sub(before);
    let resident_mib = resident(&child.id().to_string());
    child.kill().unwrap();
    child.wait().unwrap();
    fs::remove_dir_all(folder).unwrap();
    latencies.sort_unstable();
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize] as f64 / 1e3;
    Run {
        rate: latencies.len() as f64 / took.as_secs_f64(),
        p50_us: at(0.5),
        p99_us: at(0.99),
        processor_us: processor.as_secs_f64() * 1e6 / latencies.len() as f64,
        resident_mib,
    }
}

fn start(server: &str, folder: &Path) -> (Child, SocketAddr) {
    let mut command = if server == "creel" {
        let mut command = Command::new(env!("CARGO_BIN_EXE_creel"));
        // The senders all have one address, and those of the warm-up may not be gone when the others come.
        fs::write(folder.join("creel.toml"), "[limits]\nconnections_per_address = 1024\n").unwrap();
        command.args(["serve", "--quiet", "--listen", "127.0.0.1:0", "--provider", "github", "--secret", SECRET]);
        command
    } else {
        let mut command = Command::new(env::current_exe().unwrap());
        command.env("CREEL_BENCH_SERVER", server);
        command
    };
    command.current_dir(folder).env("CREEL_DB", folder.join("creel.db"));
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on http://").expect("the server's first line").parse().unwrap();
    (child, address)
}

/// The request, and where its delivery id stands, which is another one each time.
struct Template {
    bytes: Vec<u8>,
    id_at: usize,
}

fn request() -> Template {
    let padding = "a webhook's payload is mostly urls that repeat each other ".repeat(16);
    let mut body = format!(r#"{{"action":"opened","issue":{{"number":7,"title":"bench"}},"padding":"{padding}"#);
    body.truncate(1022);
    body.push_str("\"}");
    let provider = Catalog::builtin().unwrap().get("github").unwrap();
    let headers = Headers::default();
    let unsigned = Request {
        method: "POST",
        url: None,
        target: b"/",
        headers: &headers,
        body: body.as_bytes(),
        truncated: false,
        rewritten: false,
        received_at: Timestamp::from_unix_ms(0),
    };
    let signature = provider.sign(&unsigned, &[Secret::new(SECRET)], "").unwrap();
    let (name, value) = signature.headers.first().unwrap();
    let id = "00000000-0000-11ef-8000-000000000000";
    let head = format!(
        "POST /github HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: GitHub-Hookshot/044aadd\r\nContent-Length: {}\r\n\
         Accept: */*\r\nAccept-Encoding: gzip\r\nContent-Type: application/json\r\nX-GitHub-Delivery: {id}\r\n\
         X-GitHub-Event: issues\r\nX-GitHub-Hook-ID: 292430182\r\nX-GitHub-Hook-Installation-Target-ID: 79929171\r\n\
         X-GitHub-Hook-Installation-Target-Type: repository\r\n{name}: {value}\r\nX-Forwarded-For: 192.0.2.1\r\n\
         X-Forwarded-Proto: https\r\n\r\n",
        body.len()
    );
    let id_at = head.find(id).unwrap();
    Template { bytes: [head.as_bytes(), body.as_bytes()].concat(), id_at }
}

/// Keeps `connections` connections busy for a while; gives each request's time in nanoseconds.
async fn load(address: SocketAddr, connections: usize, length: Duration, template: &Template) -> Vec<u64> {
    // No two requests of a run are of one delivery: creel looks a repeat's first one up, and the others do nothing alike.
    static SENDERS: AtomicUsize = AtomicUsize::new(0);
    let first = SENDERS.fetch_add(connections, Ordering::Relaxed);
    let until = Instant::now() + length;
    let senders: Vec<_> = (first..first + connections)
        .map(|n| tokio::spawn(send(address, until, template.bytes.clone(), template.id_at, n)))
        .collect();
    let mut latencies = Vec::new();
    for sender in senders {
        latencies.extend(sender.await.unwrap());
    }
    latencies
}

async fn send(address: SocketAddr, until: Instant, mut request: Vec<u8>, id_at: usize, sender: usize) -> Vec<u64> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut latencies = Vec::with_capacity(4096);
    let mut answer = [0; 4096];
    for n in 0_u32.. {
        let began = Instant::now();
        if began >= until {
            break;
        }
        write!(&mut request[id_at..id_at + 17], "{n:08x}{sender:08x}").unwrap();
        stream.write_all(&request).await.unwrap();
        let mut filled = 0;
        while !whole(&answer[..filled]) {
            let n = stream.read(&mut answer[filled..]).await.unwrap();
            assert!(n > 0, "the server closed the connection");
            filled += n;
        }
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer[..filled]));
        latencies.push(began.elapsed().as_nanos() as u64);
    }
    latencies
}

/// Whether an answer is whole: its head, and as many bytes as it declares.
fn whole(answer: &[u8]) -> bool {
    let Some(head) = memchr::memmem::find(answer, b"\r\n\r\n") else { return false };
    // Both servers are hyper, which writes the name in lower case. No allocation: the load shares the servers' cores.
    let name = b"content-length: ";
    let declared = memchr::memmem::find(&answer[..head], name).map_or(0, |at| {
        let digits = answer[at + name.len()..].iter().take_while(|byte| byte.is_ascii_digit());
        digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0'))
    });
    answer.len() >= head + 4 + declared
}

/// The servers to compare with, on the same kind of runtime as creel's.
fn serve(name: &str) {
    let log = (name == "log").then(|| Arc::new(Log { queue: Mutex::default(), filled: Condvar::new() }));
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async move {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("listening on http://{}", listener.local_addr().unwrap());
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let log = log.clone();
            tokio::spawn(
                http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service_fn(move |request| answer(request, log.clone()))),
            );
        }
    });
}

async fn answer(
    request: hyper::Request<Incoming>,
    log: Option<Arc<Log>>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    if let Some(log) = log {
        let (done, kept) = oneshot::channel();
        let mut record = Vec::with_capacity(2048);
        for (name, value) in &head.headers {
            record.extend_from_slice(name.as_str().as_bytes());
            record.extend_from_slice(value.as_bytes());
        }
        record.extend_from_slice(&body);
        log.append(record, done);
        let _ = kept.await;
    }
    Ok(Response::new(Full::new(Bytes::from_static(b"{\"caught\":1}"))))
}

/// An append-only log: one thread writes what has queued up, syncs once, and lets a task wake all who wait.
struct Log {
    queue: Mutex<Vec<(Vec<u8>, oneshot::Sender<()>)>>,
    filled: Condvar,
}

impl Log {
    fn append(self: &Arc<Self>, record: Vec<u8>, done: oneshot::Sender<()>) {
        static WRITER: std::sync::Once = std::sync::Once::new();
        WRITER.call_once(|| {
            let log = Arc::clone(self);
            let (batches, mut settled) = tokio::sync::mpsc::unbounded_channel::<Vec<oneshot::Sender<()>>>();
            tokio::spawn(async move {
                while let Some(batch) = settled.recv().await {
                    for done in batch {
                        let _ = done.send(());
                    }
                }
            });
            thread::spawn(move || log.write(&batches));
        });
        self.queue.lock().unwrap().push((record, done));
        self.filled.notify_one();
    }

    fn write(&self, settled: &tokio::sync::mpsc::UnboundedSender<Vec<oneshot::Sender<()>>>) {
        let mut file = fs::OpenOptions::new().create(true).append(true).open("log").unwrap();
        let mut bytes = Vec::new();
        loop {
            let mut queue = self.queue.lock().unwrap();
            while queue.is_empty() {
                queue = self.filled.wait(queue).unwrap();
            }
            let batch = std::mem::take(&mut *queue);
            drop(queue);
            bytes.clear();
            batch.iter().for_each(|(record, _)| bytes.extend_from_slice(record));
            file.write_all(&bytes).unwrap();
            file.sync_data().unwrap();
            settled.send(batch.into_iter().map(|(_, done)| done).collect()).unwrap();
        }
    }
}
