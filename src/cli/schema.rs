//! `creel schema`: what a capture looks like in JSON.

use super::{Answer, Common};
use crate::{export, record::Failure};

pub(super) fn run(common: &Common) -> Result<Answer, Failure> {
    common.printer().bytes(export::SCHEMA.as_bytes()).map(|()| Answer::Yes)
}
