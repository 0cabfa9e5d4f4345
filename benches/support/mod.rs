//! What benches share: a store made through the real writer, and figures of processes.

#![allow(dead_code, reason = "no bench uses all of it")]

use std::{
    collections::VecDeque,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use bytes::Bytes;
use creel::{
    record::{Body, Capture, CaptureId, Event, Flags, Head, Headers, Judgement, Tags, Timestamp, Uid, Verdict},
    store::{Bell, Role, Writer},
    verify::sha256,
};

/// Shapes of events: provider, type, path.
pub(crate) const EVENTS: [(&str, &str, &str); 4] = [
    ("github", "push", "/github"),
    ("stripe", "charge.succeeded", "/stripe"),
    ("shopify", "orders/create", "/shopify"),
    ("slack", "app_mention", "/slack/events"),
];
/// Captures that wait for their commit at once.
const WAITING: usize = 2_000;

/// A store of so many captures; the writer is still open.
pub(crate) fn fill(db: &Path, captures: impl Iterator<Item = Capture>) -> Writer {
    let (writer, settler) = Writer::open(db, Role::Capturing, Bell::new()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let settling = runtime.spawn(settler.run());
    runtime.block_on(async {
        let mut pending = VecDeque::new();
        for capture in captures {
            pending.push_back(writer.capture(capture).unwrap());
            if pending.len() >= WAITING {
                pending.pop_front().unwrap().await.unwrap().unwrap();
            }
        }
        for waiting in pending {
            waiting.await.unwrap().unwrap();
        }
    });
    // From now on the writer's thread answers by itself.
    settling.abort();
    writer
}

/// The `n`th capture, of event `event` and with that body.
pub(crate) fn capture(n: usize, event: &str, body: impl Into<Bytes>) -> Capture {
    let body = body.into();
    let (provider, kind, path) = EVENTS[n % EVENTS.len()];
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nUser-Agent: a sender's name and version\r\n\
         X-Delivery: {event}\r\nX-Event: {kind}\r\nX-Signature: sha256={:016x}{:016x}\r\nContent-Length: {}\r\n\r\n",
        chance(n ^ 0x1111),
        chance(n ^ 0x2222),
        body.len()
    );
    let at = Timestamp::from_unix_ms(1_795_424_700_000 + n as i64);
    Capture {
        id: CaptureId::default(),
        uid: Uid::new(at, n as u128),
        received_at: at,
        endpoint: "default".to_owned(),
        peer: "127.0.0.1:50712".to_owned(),
        head: Head::parse(Bytes::from(head)),
        body: Body { size: body.len() as u64, sha256: sha256(&body), bytes: body, declared: None, truncated: false },
        trailers: Headers::default(),
        flags: Flags::default(),
        provider: Some(provider.to_owned()),
        event: Event { id: Some(event.to_owned()), kind: Some(kind.to_owned()), created_at: None },
        judgement: Judgement { verdict: Verdict::Passed, covers_body: Some(true), ..Judgement::default() },
        duplicate_of: None,
        repeat: None,
        late_ms: None,
        edited_from: None,
        tags: Tags::NONE,
        note: None,
        reply_status: 200,
    }
}

/// The `n`th capture with a body of about a kilobyte.
pub(crate) fn common(n: usize) -> Capture {
    let (event, kind) = (format!("evt_{n:016x}"), EVENTS[n % EVENTS.len()].1);
    let words = "a payload repeats its own words in urls and names ".repeat(9 + n % 23);
    let body = format!(r#"{{"id":"{event}","type":"{kind}","number":{n},"text":"{words}"}}"#);
    capture(n, &event, body)
}

/// A number that looks like chance.
pub(crate) fn chance(n: usize) -> u64 {
    let mut x = (n as u64).wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A number from the environment.
pub(crate) fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let began = Instant::now();
    (work(), began.elapsed())
}

/// Median, 99th percentile and worst.
pub(crate) fn spread(mut all: Vec<Duration>) -> String {
    all.sort_unstable();
    let last = all.len() - 1;
    format!("median {:.1?}, p99 {:.1?}, worst {:.1?}", all[last / 2], all[last * 99 / 100], all[last])
}

/// Resident memory of a process in MiB (proc(5): `status`, `VmRSS`); `self` is this one.
pub(crate) fn resident(process: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or(0.0) / 1024.0
}

/// User and system time of a process (proc(5): `stat`, fields 14 and 15, in ticks of 10 ms).
pub(crate) fn processor_time(process: &str) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let ticks: u64 = after_name.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}
