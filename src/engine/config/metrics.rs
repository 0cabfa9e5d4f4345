//! `[metrics]`: where totals are told.

use std::net::SocketAddr;

use serde::Deserialize;
use toml::Spanned;

use super::place::Place;
use crate::{engine::settings, record::Failure};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MetricsRow {
    listen: Spanned<String>,
}

/// The address.
pub(super) fn read(row: Option<MetricsRow>, place: &Place<'_>) -> Result<Option<SocketAddr>, Failure> {
    let Some(MetricsRow { listen }) = row else { return Ok(None) };
    let wrong = |failure: Failure| {
        let why = format!("`{}`: {}; write 127.0.0.1:27336, or a port alone", listen.get_ref(), failure.why);
        place.at(&listen.span(), why)
    };
    settings::address(listen.get_ref()).map(Some).map_err(wrong)
}
