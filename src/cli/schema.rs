//! `creel schema`: what a capture looks like in JSON.

use super::{Answer, Common};
use crate::{export::json, record::Failure};

pub(super) fn run(common: &Common) -> Result<Answer, Failure> {
    common.printer().bytes(json::SCHEMA.as_bytes()).map(|()| Answer::Yes)
}
