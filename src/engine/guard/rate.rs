//! How often somebody may send: a bucket that fills steadily and from which each request takes one.

use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How many buckets are kept. Full ones are forgotten first: they mean nothing.
const BUCKETS: usize = 16_384;

/// A rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Requests a minute.
    pub per_minute: u32,
    /// How many may come at once after a pause.
    pub burst: u32,
}

/// A bucket for each of those who are counted apart. A clone counts in the same ones.
#[derive(Clone)]
pub struct Buckets<K> {
    /// The time in which one more may come.
    step: Duration,
    burst: u32,
    /// When each bucket is full again.
    full_at: Arc<Mutex<HashMap<K, Instant>>>,
}

/// Who is counted apart: an address of IPv6 is its network of 64 bits, since a sender has as many of it as it likes.
pub trait Counted: Copy + Eq + Hash {
    /// Whose bucket it is.
    fn whose(self) -> Self;
}

impl Counted for () {
    fn whose(self) {}
}

impl Counted for IpAddr {
    fn whose(self) -> Self {
        match self {
            Self::V4(_) => self,
            Self::V6(address) => Self::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        }
    }
}

impl<K: Counted> Buckets<K> {
    /// Full buckets.
    pub fn new(rate: Rate) -> Self {
        let step = Duration::from_secs(60) / rate.per_minute.max(1);
        Self { step, burst: rate.burst.max(1), full_at: Arc::default() }
    }

    /// Those of before where they are of the same rate: what was counted goes on. Else these.
    pub(in crate::engine) fn after(&self, before: Option<&Self>) -> Self {
        let is_same = |before: &&Self| (before.step, before.burst) == (self.step, self.burst);
        before.filter(is_same).unwrap_or(self).clone()
    }

    /// Takes one; where there is none, gives the time until there is.
    pub fn take(&self, who: K, now: Instant) -> Option<Duration> {
        let mut all = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= BUCKETS {
            all.retain(|_, full_at| *full_at > now);
            if all.len() >= BUCKETS {
                all.clear();
            }
        }
        let full_at = all.entry(who.whose()).or_insert(now);
        let after = (*full_at).max(now) + self.step;
        let room = self.step * self.burst;
        let missing = (after - now).saturating_sub(room);
        if !missing.is_zero() {
            return Some(missing);
        }
        *full_at = after;
        None
    }
}

impl<K> fmt::Debug for Buckets<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one each {:?}, {} at once", self.step, self.burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_one_a_step() {
        let buckets = Buckets::new(Rate { per_minute: 60, burst: 3 });
        let begin = Instant::now();
        let take = |ms: u64| buckets.take((), begin + Duration::from_millis(ms));
        assert_eq!([take(0), take(0), take(0)], [None; 3]);
        assert_eq!(take(0), Some(Duration::from_secs(1)));
        assert_eq!(take(400), Some(Duration::from_millis(600)));
        assert_eq!([take(1_000), take(1_001).map(|_| Duration::ZERO)], [None, Some(Duration::ZERO)]);
        assert_eq!([take(60_000), take(60_000), take(60_000)], [None; 3]);
        assert!(take(60_000).is_some());
    }

    #[test]
    fn each_address_has_its_own_and_a_network_of_ipv6_one() {
        let buckets = Buckets::new(Rate { per_minute: 1, burst: 1 });
        let now = Instant::now();
        let taken = ["10.0.0.1", "10.0.0.2", "10.0.0.1", "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"]
            .map(|text| buckets.take(text.parse::<IpAddr>().unwrap(), now).is_none());
        assert_eq!(taken, [true, true, false, true, false, true]);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let buckets = Buckets::new(Rate { per_minute: 1, burst: 1 });
        let now = Instant::now();
        for n in 0..40_000_u32 {
            buckets.take(IpAddr::from(n.to_be_bytes()), now);
        }
        assert!(buckets.full_at.lock().unwrap().len() <= BUCKETS);
    }
}
