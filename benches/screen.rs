//! The screen on a real terminal over a store of a million captures: when it is there, how long a key takes, with nothing
//! going on and while captures come, how soon a capture is a row, and what it takes in memory and of the processor.
//!
//! `cargo bench --bench screen`; `CREEL_BENCH_ROWS` (1,000,000), `CREEL_BENCH_RATE` (5,000 a second) and `CREEL_BENCH_MB`
//! (100, of a body that is opened; 0: none) set its size. What one frame takes is told by
//! `cargo test --release a_frame_takes -- --nocapture`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench that cannot run ends")]

mod support;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    num::NonZero,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};
use support::{common, fill, number, processor_time, resident, spread, timed};

const ROWS: u16 = 60;
const COLS: u16 = 200;
/// How often each key is pressed.
const PRESSES: usize = 100;
/// Longer than a frame lasts.
const BETWEEN_KEYS: Duration = Duration::from_millis(30);
/// How many single captures are watched for.
const SINGLES: usize = 40;
/// Connections over which the flood comes.
const SENDERS: usize = 16;
/// Longer than anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() {
    let rows = number("CREEL_BENCH_ROWS", 1_000_000);
    let rate = number("CREEL_BENCH_RATE", 5_000);
    let megabytes = number("CREEL_BENCH_MB", 100);
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("creel.db");
    let ((), took) = timed(|| fill(&db, (0..rows).map(common)).close().unwrap());
    println!("{rows} captures in {took:.1?}; a terminal of {COLS}×{ROWS}");

    std::fs::write(
        folder.path().join("creel.toml"),
        "[limits]\nbody_mib = 1024\nin_flight_mib = 2048\nconnections_per_address = 1024\n",
    )
    .unwrap();
    let server = Server::start(folder.path(), &db);
    let (terminal, began) = (Terminal::start(folder.path(), &db), Instant::now());
    terminal.wait("the rows", |screen| screen.contains("/slack/events"));
    println!("from the start of the process to its first rows: {:.1?}", began.elapsed());
    println!("resident: {:.1} MiB", resident(&terminal.pid));

    println!("a key, with nothing going on: {}", terminal.keys(&["j", "k", "G", "g", "\x1b[6~", "\x1b[5~"]));
    terminal.press("g");
    println!(
        "a row after its capture was answered: {}",
        spread((0..SINGLES).map(|n| single(&terminal, server.address, n)).collect())
    );
    idle(&terminal);

    let flood = Flood::start(server.address, rate);
    let (frames, before, began) = (terminal.frames(), processor_time(&terminal.pid), Instant::now());
    println!(
        "a key, while {rate} captures a second are asked for: {}",
        terminal.keys(&["j", "k", "G", "g", "\x1b[6~", "\x1b[5~"])
    );
    terminal.press("g");
    thread::sleep(Duration::from_secs(1));
    let took = began.elapsed().as_secs_f64();
    println!(
        "  {:.0} a second came; {:.0} frames a second; the screen took {:.0} % of a processor",
        flood.end() as f64 / took,
        (terminal.frames() - frames) as f64 / took,
        processor_time(&terminal.pid).saturating_sub(before).as_secs_f64() * 100.0 / took,
    );
    println!("resident: {:.1} MiB", resident(&terminal.pid));

    if megabytes > 0 {
        post(server.address, "/large", &large(megabytes * 1_000_000));
        terminal.press("g");
        terminal.wait("the large one", |screen| screen.contains("/large"));
        let began = Instant::now();
        terminal.press("\r2");
        // The tab says its view's name once the whole body is there.
        terminal.wait("its body", |screen| screen.contains("jq, ") && screen.contains("evt_00000000"));
        println!("a body of {megabytes} MB opened: {:.1?}", began.elapsed());
        println!("a key in it: {}", terminal.keys(&["j", "k", "\x1b[6~", "\x1b[5~"]));
        println!("resident: {:.1} MiB", resident(&terminal.pid));
    }
}

/// A capture answered, and the time until its path is on the screen.
fn single(terminal: &Terminal, address: SocketAddr, n: usize) -> Duration {
    let path = format!("/single-{n}-");
    post(address, &path, b"{}");
    let began = Instant::now();
    terminal.wait("the row", |screen| screen.contains(&path));
    began.elapsed()
}

/// What the screen takes of the processor once the rate in its header has run out.
fn idle(terminal: &Terminal) {
    let second = || {
        let before = processor_time(&terminal.pid);
        thread::sleep(Duration::from_secs(1));
        processor_time(&terminal.pid).saturating_sub(before)
    };
    let quiet = (1..=90).find(|_| second() == Duration::ZERO);
    println!(
        "idle: no tick of the processor in a second, {} s after the last row",
        quiet.map_or("never, in 90".to_owned(), |s| s.to_string())
    );
}

/// `creel serve`, ended when it is dropped.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(folder: &Path, db: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_creel"))
            .args(["serve", "--quiet", "--listen", "127.0.0.1:0"])
            .current_dir(folder)
            .env("CREEL_DB", db)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address =
            line.trim().strip_prefix("listening on http://").expect("the server's first line").parse().unwrap();
        Self { child, address }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `creel watch` on a terminal.
struct Terminal {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    keyboard: Mutex<Box<dyn Write + Send>>,
    seen: Arc<(Mutex<Seen>, Condvar)>,
    pid: String,
    _master: Box<dyn MasterPty + Send>,
}

struct Seen {
    screen: vt100::Parser,
    /// How many times something was drawn.
    frames: u64,
}

impl Terminal {
    fn start(folder: &Path, db: &Path) -> Self {
        let pty =
            native_pty_system().openpty(PtySize { rows: ROWS, cols: COLS, pixel_width: 0, pixel_height: 0 }).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_creel"));
        command.arg("watch");
        command.cwd(folder);
        let home = folder.to_string_lossy().into_owned();
        for (name, value) in
            [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("HOME", &home), ("CREEL_DB", &db.to_string_lossy())]
        {
            command.env(name, value);
        }
        ["XDG_STATE_HOME", "XDG_CONFIG_HOME", "CREEL_CONFIG", "NO_COLOR"]
            .iter()
            .for_each(|name| command.env_remove(name));
        let child = pty.slave.spawn_command(command).unwrap();
        let size = |n| NonZero::new(n).unwrap();
        let seen = Seen { screen: vt100::Parser::new(size(ROWS), size(COLS), 0), frames: 0 };
        let seen = Arc::new((Mutex::new(seen), Condvar::new()));
        let (mut output, heard) = (pty.master.try_clone_reader().unwrap(), Arc::clone(&seen));
        thread::spawn(move || {
            let mut part = vec![0; 1 << 16];
            while let Ok(n @ 1..) = output.read(&mut part) {
                let mut seen = heard.0.lock().unwrap();
                seen.screen.process(&part[..n]);
                seen.frames += memchr::memmem::find_iter(&part[..n], FRAME).count() as u64;
                heard.1.notify_all();
            }
        });
        let keyboard = Mutex::new(pty.master.take_writer().unwrap());
        let pid = child.process_id().unwrap().to_string();
        Self { child, keyboard, seen, pid, _master: pty.master }
    }

    fn press(&self, key: &str) {
        let mut keyboard = self.keyboard.lock().unwrap();
        keyboard.write_all(key.as_bytes()).unwrap();
        keyboard.flush().unwrap();
    }

    fn wait(&self, what: &str, wanted: impl Fn(&str) -> bool) {
        let until = Instant::now() + PATIENCE;
        let mut seen = self.seen.0.lock().unwrap();
        loop {
            let text = seen.screen.screen().contents();
            if wanted(&text) {
                return;
            }
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "never saw {what}:\n{text}");
            seen = self.seen.1.wait_timeout(seen, left).unwrap().0;
        }
    }

    fn frames(&self) -> u64 {
        self.seen.0.lock().unwrap().frames
    }

    /// Keys in turn, each pressed when the one before was answered by a frame: how long until a frame came that was begun
    /// after the key.
    fn keys(&self, keys: &[&str]) -> String {
        let press = |key: &&str| {
            // A person is slower than 60 keys a second; and what comes right behind a frame waits for the next one.
            thread::sleep(BETWEEN_KEYS);
            let before = self.frames();
            let began = Instant::now();
            self.press(key);
            let seen = self.seen.0.lock().unwrap();
            let (seen, late) =
                self.seen.1.wait_timeout_while(seen, Duration::from_secs(2), |seen| seen.frames == before).unwrap();
            drop(seen);
            // A key at the end of the list changes nothing and draws nothing.
            (!late.timed_out()).then(|| began.elapsed())
        };
        spread(keys.iter().cycle().take(PRESSES * keys.len()).filter_map(press).collect())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.press("\x03");
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What ends a frame: the end of a synchronized update.
const FRAME: &[u8] = b"\x1b[?2026l";

fn large(bytes: usize) -> Vec<u8> {
    let mut text = String::with_capacity(bytes + 200);
    text.push_str("{\"events\":[{\"id\":\"evt_00000000\"}");
    for n in 1.. {
        if text.len() >= bytes {
            break;
        }
        text.push_str(&format!(
            ",{{\"id\":\"evt_{n:08}\",\"amount\":{},\"currency\":\"eur\",\"tags\":[\"a\",\"b\",null]}}",
            n * 7 % 100_000
        ));
    }
    text.push_str("]}");
    text.into_bytes()
}

fn post(address: SocketAddr, path: &str, body: &[u8]) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "POST {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
}

/// Captures at a rate, over several connections.
struct Flood {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    senders: Vec<thread::JoinHandle<()>>,
}

impl Flood {
    fn start(address: SocketAddr, rate: usize) -> Self {
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let gap = Duration::from_secs_f64(SENDERS as f64 / rate as f64);
        let senders = (0..SENDERS)
            .map(|n| {
                let (stop, sent) = (Arc::clone(&stop), Arc::clone(&sent));
                thread::spawn(move || send(address, n, gap, &stop, &sent))
            })
            .collect();
        Self { stop, sent, senders }
    }

    fn end(self) -> u64 {
        self.stop.store(true, Ordering::Release);
        self.senders.into_iter().for_each(|sender| sender.join().unwrap());
        self.sent.load(Ordering::Acquire)
    }
}

fn send(address: SocketAddr, sender: usize, gap: Duration, stop: &AtomicBool, sent: &AtomicU64) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut answer = [0; 4096];
    let mut next = Instant::now();
    for n in 0.. {
        if stop.load(Ordering::Acquire) {
            break;
        }
        let body =
            format!("{{\"id\":\"flood-{sender}-{n}\",\"text\":\"{}\"}}", "a payload repeats its own words ".repeat(30));
        let head = format!(
            "POST /flood HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).unwrap();
        assert!(stream.read(&mut answer).unwrap() > 0, "the server closed the connection");
        sent.fetch_add(1, Ordering::AcqRel);
        next += gap;
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
}
