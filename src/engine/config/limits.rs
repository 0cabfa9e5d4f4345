//! `[limits]`: what a sender may ask of creel at most.

use std::time::Duration;

use serde::Deserialize;

use crate::wire::Limits;

/// The limits that can be set, named with their units. What each is for stands at `wire::Limits`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitRows {
    head_s: Option<u64>,
    head_kib: Option<usize>,
    headers: Option<usize>,
    body_idle_s: Option<u64>,
    body_total_s: Option<u64>,
    body_mib: Option<usize>,
    in_flight_mib: Option<usize>,
    keep_alive_s: Option<u64>,
    connections: Option<usize>,
    connections_per_address: Option<usize>,
    drain_s: Option<u64>,
}

impl LimitRows {
    pub(super) fn lay_over(&self, limits: &mut Limits) {
        let set = |value: Option<u64>, to: &mut Duration| {
            if let Some(seconds) = value {
                *to = Duration::from_secs(seconds);
            }
        };
        set(self.head_s, &mut limits.head_time);
        set(self.body_idle_s, &mut limits.body_idle);
        set(self.body_total_s, &mut limits.body_total);
        set(self.keep_alive_s, &mut limits.keep_alive);
        set(self.drain_s, &mut limits.drain);
        let set = |value: Option<usize>, unit: usize, to: &mut usize| {
            if let Some(value) = value {
                *to = value.saturating_mul(unit);
            }
        };
        set(self.head_kib, 1 << 10, &mut limits.head_bytes);
        set(self.headers, 1, &mut limits.headers);
        set(self.body_mib, 1 << 20, &mut limits.body_bytes);
        set(self.in_flight_mib, 1 << 20, &mut limits.in_flight_bytes);
        set(self.connections, 1, &mut limits.connections);
        set(self.connections_per_address, 1, &mut limits.connections_per_address);
    }
}
