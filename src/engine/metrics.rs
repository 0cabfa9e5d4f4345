//! `[metrics]`: totals and standings for who collects such, in the text format of Prometheus, at an address of its own: on
//! creel's own every path is a webhook's. Nothing is counted while nobody asks: each answer counts what came since the last.
//!
//! Where they are told may change while creel runs: what was counted goes on.
//!
//! The format: <https://prometheus.io/docs/instrumenting/exposition_formats/>, version 0.0.4.

use std::{
    fmt::{Display, Write},
    future, mem,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, atomic::Ordering},
    thread::JoinHandle,
};

use tokio::sync::watch as flag;

use super::{Engine, forward::News, listen, lock, runtime, settings, spawn};
use crate::{
    record::{Counters, Failure, Head, Refusal, Verdict},
    store::{Reader, TIMES, Totals},
    wire::{self, Answer, Arrival, Catch, Entry, Limits},
};

/// Where they are.
const PATH: &str = "/metrics";
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";
/// The most connections: one who collects, and some who look.
const CONNECTIONS: usize = 16;

/// What is told, and where.
pub(super) struct Metrics {
    db: PathBuf,
    news: News,
    /// Since creel was started; none where the store did not say then how far it was.
    totals: Arc<Mutex<Option<Totals>>>,
    /// None: nowhere.
    telling: Mutex<Option<Telling>>,
}

/// The thread that tells them.
struct Telling {
    /// What somebody wished; its port may be any.
    wished: SocketAddr,
    address: SocketAddr,
    stop: flag::Sender<bool>,
    thread: JoinHandle<()>,
}

impl Metrics {
    /// Counts from now on what comes into a store, and tells nobody yet.
    pub(super) fn new(db: &Path, reader: &Reader, news: News) -> Self {
        let totals = Arc::new(Mutex::new(reader.totals().ok()));
        Self { db: db.to_owned(), news, totals, telling: Mutex::default() }
    }

    /// Tells them there from now on, or nowhere; where they are told then, if that is another place. Where nobody can listen
    /// there all stays as it was.
    pub(super) fn tell_at(&self, wished: Option<SocketAddr>) -> Result<Option<String>, Failure> {
        let mut telling = lock(&self.telling);
        if telling.as_ref().map(|it| it.wished) == wished {
            return Ok(None);
        }
        // Of one port it may be that nobody else can have it before it is let go.
        let has_its_port = |old: &mut Telling| wished.is_some_and(|new| new.port() == old.address.port());
        let let_go = telling.take_if(has_its_port).map(|old| {
            let wished = old.wished;
            old.stop();
            wished
        });
        match wished.map(|wished| self.telling(wished)).transpose() {
            Ok(new) => {
                let words = new.as_ref().map_or_else(|| "metrics are told no more".to_owned(), Telling::words);
                mem::replace(&mut *telling, new).into_iter().for_each(Telling::stop);
                Ok(Some(words))
            }
            Err(failure) => {
                *telling = telling.take().or_else(|| self.telling(let_go?).ok());
                Err(failure)
            }
        }
    }

    fn telling(&self, wished: SocketAddr) -> Result<Telling, Failure> {
        let listener = listen::bind(wished)
            .map_err(|failure| failure.hint("give another address to `listen` in [metrics] of creel.toml"))?;
        let address = listener.local_addr().map_err(|why| Failure::new("listening for who asks for metrics", why))?;
        let reader = Reader::open(&self.db)?;
        let mut totals = lock(&self.totals);
        if totals.is_none() {
            *totals = Some(reader.totals()?);
        }
        drop(totals);
        let ledger = Ledger { reader, totals: Arc::clone(&self.totals), news: self.news.clone() };
        let teller = Teller(Arc::new(Mutex::new(ledger)));
        let limits = Limits { connections: CONNECTIONS, connections_per_address: CONNECTIONS, ..Limits::default() };
        let (stop, mut stopped) = flag::channel(false);
        let runtime = runtime()?;
        let thread = spawn("creel-metrics", move || {
            let _ = runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener)
                    .map_err(|why| Failure::new("listening for who asks for metrics", why))?;
                let until = async move { drop(stopped.wait_for(|&stop| stop).await) };
                wire::serve(listener, limits, None, teller, until).await
            });
        })?;
        Ok(Telling { wished, address, stop, thread })
    }

    pub(super) fn stop(&self) {
        lock(&self.telling).take().into_iter().for_each(Telling::stop);
    }
}

impl Telling {
    /// Where, and to whom.
    fn words(&self) -> String {
        let whom = if settings::is_loopback(&self.address) { "" } else { ", to whoever reaches it" };
        format!("metrics are told at http://{}{PATH}{whom}", self.address)
    }

    fn stop(self) {
        let _ = self.stop.send(true);
        let _ = self.thread.join();
    }
}

impl Engine {
    /// Where metrics are told, and to whom; none where they are not.
    pub fn metrics(&self) -> Option<String> {
        lock(&self.metrics.as_ref()?.telling).as_ref().map(Telling::words)
    }
}

/// Answers who asks./// Answers who asks.
#[derive(Clone)]
struct Teller(Arc<Mutex<Ledger>>);

struct Ledger {
    reader: Reader,
    totals: Arc<Mutex<Option<Totals>>>,
    news: News,
}

impl Catch for Teller {
    fn catch(&self, arrival: Arrival) -> impl Future<Output = Answer> + Send + use<> {
        let (status, kind, text) = match &arrival.head.path()[..] {
            PATH => match self.page() {
                Ok(page) => (200, CONTENT_TYPE, page),
                Err(failure) => (500, PLAIN, format!("{failure}\n")),
            },
            _ => (404, PLAIN, format!("metrics are at {PATH}\n")),
        };
        future::ready(Answer::whole(status, vec![("Content-Type".to_owned(), kind.into())], text))
    }

    /// Nothing is to be sent here.
    fn guard(&self, _: SocketAddr, head: &Head) -> Entry {
        if matches!(&head.method()[..], "GET" | "HEAD") {
            return Entry::Open(Some(0));
        }
        let headers = vec![("Allow".to_owned(), "GET, HEAD".to_owned())];
        Entry::Shut(wire::Shut { status: 405, reason: "metrics are read".to_owned(), headers })
    }

    /// What is no request asks for no metrics.
    fn refuse(&self, _: Refusal) {}
}

impl Teller {
    fn page(&self) -> Result<String, Failure> {
        let ledger = &mut *lock(&self.0);
        let totals = &mut *lock(&ledger.totals);
        let totals = totals.get_or_insert_default();
        ledger.reader.count_on(totals)?;
        let counters = ledger.reader.counters()?;
        Ok(page(totals, &counters, !ledger.news.is_failing.load(Ordering::Relaxed)))
    }
}

/// The whole text.
fn page(totals: &Totals, counters: &Counters, is_keeping: bool) -> String {
    let mut page = Page::default();
    captures(&mut page, totals);
    deliveries(&mut page, totals);
    page.one("creel_refused_total", "counter", "Requests turned away at the door, of all times.", counters.refused);
    page.one("creel_store_captures", "gauge", "Captures in the store.", counters.captures);
    page.one("creel_store_bytes", "gauge", "Bytes of heads and bodies in the store.", counters.bytes);
    page.one("creel_waiting", "gauge", "Captures that wait to be forwarded, once for each app.", counters.waiting);
    page.one("creel_given_up", "gauge", "Captures whose forwarding was given up, once for each app.", counters.dead);
    page.one("creel_apps_down", "gauge", "Apps that are spared for a while, because too much failed.", counters.down);
    page.one("creel_keeping", "gauge", "1 while what comes is stored, 0 while senders get 503.", u8::from(is_keeping));
    page.family("creel_build_info", "gauge", "The version that runs.");
    page.sample("creel_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    page.0
}

fn captures(page: &mut Page, totals: &Totals) {
    let name = "creel_captures_total";
    page.family(name, "counter", "Captures since creel was started, by what creel made of them and answered.");
    for (kind, amount) in &totals.captures {
        let verdict = Verdict::all().nth(kind.verdict).map_or("", Verdict::name);
        let labels = [
            ("endpoint", &kind.endpoint[..]),
            ("provider", &kind.provider),
            ("verdict", verdict),
            ("duplicate", if kind.is_repeat { "yes" } else { "no" }),
            ("status", &kind.status.to_string()),
        ];
        page.sample(name, &labels, amount.count);
    }
    let bytes = totals.captures.values().map(|amount| amount.bytes).sum::<u64>();
    page.one("creel_body_bytes_total", "counter", "Bytes of their bodies.", bytes);
    if let Some(newest) = totals.newest {
        let seconds = newest.unix_ms() as f64 / 1_000.0;
        page.one("creel_last_capture_timestamp_seconds", "gauge", "When the newest of them came.", seconds);
    }
}

fn deliveries(page: &mut Page, totals: &Totals) {
    let name = "creel_deliveries_total";
    page.family(
        name,
        "counter",
        "What was sent to apps since creel was started, by the status of the reply; none: there was no reply.",
    );
    for ((endpoint, status), count) in &totals.deliveries {
        let status = if *status == 0 { "none".to_owned() } else { status.to_string() };
        page.sample(name, &[("endpoint", endpoint), ("status", &status)], count);
    }
    let name = "creel_delivery_seconds";
    page.family(name, "histogram", "How long that took.");
    let mut so_far = 0;
    for (end_ms, count) in TIMES.iter().zip(totals.times) {
        so_far += count;
        page.sample("creel_delivery_seconds_bucket", &[("le", &seconds(*end_ms))], so_far);
    }
    let all = totals.times.iter().sum::<u64>();
    page.sample("creel_delivery_seconds_bucket", &[("le", "+Inf")], all);
    page.sample("creel_delivery_seconds_sum", &[], seconds(totals.took_ms));
    page.sample("creel_delivery_seconds_count", &[], all);
}

fn seconds(ms: u64) -> String {
    (ms as f64 / 1_000.0).to_string()
}

/// The text in the making.
#[derive(Default)]
struct Page(String);

impl Page {
    /// What samples of a name are.
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<_> = labels.iter().map(|(label, text)| format!("{label}=\"{}\"", quoted(text))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    /// A family of one sample.
    fn one(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }
}

/// A label's text between its quotation marks.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_labels_text_cannot_leave_its_quotes() {
        let mut page = Page::default();
        page.sample("x", &[("endpoint", "a\"} 1\nb\\")], 2);
        assert_eq!(page.0, "x{endpoint=\"a\\\"} 1\\nb\\\\\"} 2\n");
    }

    #[test]
    fn classes_of_times_add_up() {
        let (mut page, mut totals) = (Page::default(), Totals::default());
        (totals.times, totals.took_ms) = ([3, 0, 1, 0, 0, 0, 0, 0, 2], 12_345);
        deliveries(&mut page, &totals);
        for line in [
            "creel_delivery_seconds_bucket{le=\"0.005\"} 3",
            "creel_delivery_seconds_bucket{le=\"0.025\"} 4",
            "creel_delivery_seconds_bucket{le=\"5\"} 4",
            "creel_delivery_seconds_bucket{le=\"+Inf\"} 6",
            "creel_delivery_seconds_sum 12.345",
            "creel_delivery_seconds_count 6",
        ] {
            assert!(page.0.lines().any(|it| it == line), "{line}\n{}", page.0);
        }
    }
}
