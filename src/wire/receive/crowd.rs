//! All connections together: how many there are, how many bytes they hold, and what was refused.

use std::{
    borrow::Cow,
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::watch;

use super::{Catch, Limits};
use crate::record::Refusal;

/// The same refusal of the same address is told at most once in this time; the others are counted into the next one.
const TOLD_EVERY: Duration = Duration::from_secs(60);
/// From so many bytes in flight on, what they took is given back to the system once they are gone.
const SWOLLEN_BYTES: usize = 16 << 20;
/// How often, and how long after one another, the allocator is asked to give back what nobody uses. It keeps that for a second.
const SETTLINGS: u32 = 4;
const SETTLES_AFTER: Duration = Duration::from_millis(1_200);
/// It looks at blocks of one size when one of them is asked for: the sizes are eight in each doubling, from 4 KiB to 32 MiB.
const STIRRED: std::ops::Range<usize> = 12..25;
/// How many addresses and reasons are remembered for that. Over it, all are forgotten.
const REMEMBERED: usize = 4_096;

/// What the connections share.
#[derive(Clone)]
pub(super) struct Crowd(Arc<Shared>);

struct Shared {
    bytes: AtomicUsize,
    /// Whether there were many bytes since there were none.
    swollen: AtomicBool,
    ledger: Mutex<Ledger>,
    stopped: watch::Receiver<bool>,
}

#[derive(Default)]
struct Ledger {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
    told: HashMap<(IpAddr, &'static str), (Instant, u64)>,
}

/// A connection's place; given back when it is dropped.
pub(super) struct Place(Crowd, IpAddr);

/// A number of bytes in flight; given back when it is dropped.
pub(super) struct Hold(Crowd, usize);

impl Crowd {
    /// Nobody yet. `stopped` says when the server is asked to stop.
    pub(super) fn new(stopped: watch::Receiver<bool>) -> Self {
        Self(Arc::new(Shared {
            bytes: AtomicUsize::default(),
            swollen: AtomicBool::default(),
            ledger: Mutex::default(),
            stopped,
        }))
    }

    /// Waits so long, or until the server is asked to stop.
    pub(super) async fn wait(&self, delay: Duration) {
        let mut stopped = self.0.stopped.clone();
        let stop = async move { drop(stopped.wait_for(|&stop| stop).await) };
        let _ = tokio::time::timeout(delay, stop).await;
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.0.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for another connection, where there is one.
    pub(super) fn enter(&self, address: IpAddr, limits: &Limits) -> Option<Place> {
        let mut ledger = self.ledger();
        let own = ledger.by_address.get(&address).copied().unwrap_or_default();
        if ledger.all >= limits.connections || own >= limits.connections_per_address {
            return None;
        }
        ledger.all += 1;
        ledger.by_address.insert(address, own + 1);
        Some(Place(self.clone(), address))
    }

    /// A hold on no bytes yet.
    pub(super) fn hold(&self) -> Hold {
        Hold(self.clone(), 0)
    }

    /// Tells of a refusal, unless it is noise and the same was told of that address within the minute.
    pub(super) fn refuse(
        &self,
        catch: &impl Catch,
        peer: SocketAddr,
        status: Option<u16>,
        reason: impl Into<Cow<'static, str>>,
        head: Vec<u8>,
    ) {
        let reason = reason.into();
        let untold = match reason {
            Cow::Borrowed(noise) if is_noise(noise) => self.tell(peer.ip(), noise),
            _ => Some(0),
        };
        let Some(untold) = untold else { return };
        let reason = match untold {
            0 => reason.into_owned(),
            n => format!("{reason} (and {n} more since the last)"),
        };
        catch.refuse(Refusal { at: crate::wire::now(), peer: peer.to_string(), status, reason, head });
    }

    /// How many like it were not told; none where this one should not be told either.
    fn tell(&self, address: IpAddr, reason: &'static str) -> Option<u64> {
        let now = Instant::now();
        let mut ledger = self.ledger();
        if ledger.told.len() >= REMEMBERED {
            ledger.told.clear();
        }
        let entry = ledger.told.entry((address, reason));
        let (last, untold) = entry.or_insert((now, u64::MAX));
        if *untold != u64::MAX && now.duration_since(*last) < TOLD_EVERY {
            *untold += 1;
            return None;
        }
        let count = if *untold == u64::MAX { 0 } else { *untold };
        (*last, *untold) = (now, 0);
        Some(count)
    }
}

/// Whether a refusal says nothing new the second time. A malformed head is another one each time.
fn is_noise(reason: &str) -> bool {
    reason.starts_with("not HTTP") || reason == "too many connections"
}

impl Hold {
    /// Holds more bytes, where there is room for them.
    pub(super) fn more(&mut self, bytes: usize, limits: &Limits) -> bool {
        let before = self.0.0.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.1 += bytes;
        if before + bytes >= SWOLLEN_BYTES {
            self.0.0.swollen.store(true, Ordering::Relaxed);
        }
        // A body as large as may be in flight fits, with its connection's buffer.
        before + bytes <= limits.in_flight_bytes + limits.read_bytes()
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let shared = &self.0.0;
        let left = shared.bytes.fetch_sub(self.1, Ordering::Relaxed) - self.1;
        if left == 0 && self.1 > 0 && shared.swollen.swap(false, Ordering::Relaxed) {
            settle();
        }
    }
}

/// Lets the allocator give back what a flood of large bodies took. By itself it does so only when somebody allocates, and after
/// a flood nobody may for hours.
fn settle() {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
    runtime.spawn(async {
        for _ in 0..SETTLINGS {
            tokio::time::sleep(SETTLES_AFTER).await;
            for bytes in STIRRED.flat_map(|shift| (8..16).map(move |eighths| eighths << (shift - 3))) {
                drop(std::hint::black_box(Vec::<u8>::with_capacity(bytes)));
            }
        }
    });
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut ledger = self.0.ledger();
        ledger.all -= 1;
        if let Some(own) = ledger.by_address.get_mut(&self.1) {
            *own -= 1;
            if *own == 0 {
                ledger.by_address.remove(&self.1);
            }
        }
    }
}
