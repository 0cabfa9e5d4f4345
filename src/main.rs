//! creel.
fn main() {}
