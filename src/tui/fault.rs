//! Places where a test lets a part of creel fail. Builds for use have none.

/// Panics where the environment names this place in `CREEL_FAULT`.
#[cfg(debug_assertions)]
pub(super) fn point(place: &str) {
    assert!(std::env::var("CREEL_FAULT").as_deref() != Ok(place), "a fault was asked for at the {place}");
}

#[cfg(not(debug_assertions))]
pub(super) fn point(_: &str) {}
