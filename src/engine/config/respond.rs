//! `respond`: what an endpoint answers.

use toml::Spanned;

use super::place::Place;
use crate::{
    engine::respond::{Respond, Words},
    record::Failure,
};

/// The answer that the words mean, or the place of the one that means nothing.
pub(super) fn read(row: Option<Spanned<Words>>, place: &Place<'_>) -> Result<Respond, Failure> {
    let Some(row) = row else { return Ok(Respond::default()) };
    let span = row.span();
    row.into_inner().over(&Respond::default()).map_err(|wrong| place.at(&place.value_of(wrong.key, &span), wrong.why))
}
