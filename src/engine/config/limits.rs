//! `[limits]`: what a sender may ask of creel at most.

use std::{num::NonZeroU32, time::Duration};

use serde::Deserialize;

use crate::wire::Limits;

/// The limits that can be set, named with their units. What each is for stands at `wire::Limits`. Where 0 would let nobody in, it
/// is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitRows {
    head_s: Option<NonZeroU32>,
    head_kib: Option<NonZeroU32>,
    headers: Option<NonZeroU32>,
    body_idle_s: Option<NonZeroU32>,
    body_total_s: Option<NonZeroU32>,
    body_mib: Option<u32>,
    in_flight_mib: Option<u32>,
    keep_alive_s: Option<NonZeroU32>,
    connections: Option<NonZeroU32>,
    connections_per_address: Option<NonZeroU32>,
    drain_s: Option<u32>,
}

impl LimitRows {
    pub(super) fn lay_over(&self, limits: &mut Limits) {
        let some = |value: Option<NonZeroU32>| value.map(NonZeroU32::get);
        let set = |value: Option<u32>, to: &mut Duration| {
            if let Some(seconds) = value {
                *to = Duration::from_secs(seconds.into());
            }
        };
        set(some(self.head_s), &mut limits.head_time);
        set(some(self.body_idle_s), &mut limits.body_idle);
        set(some(self.body_total_s), &mut limits.body_total);
        set(some(self.keep_alive_s), &mut limits.keep_alive);
        set(self.drain_s, &mut limits.drain);
        let set = |value: Option<u32>, unit: usize, to: &mut usize| {
            if let Some(value) = value {
                *to = (value as usize).saturating_mul(unit);
            }
        };
        set(some(self.head_kib), 1 << 10, &mut limits.head_bytes);
        set(some(self.headers), 1, &mut limits.headers);
        set(self.body_mib, 1 << 20, &mut limits.body_bytes);
        set(self.in_flight_mib, 1 << 20, &mut limits.in_flight_bytes);
        set(some(self.connections), 1, &mut limits.connections);
        set(some(self.connections_per_address), 1, &mut limits.connections_per_address);
    }
}
