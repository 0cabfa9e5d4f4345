//! `[tls]`: a given certificate for HTTPS.

use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use super::place::Place;
use crate::{engine::identity::Tls, record::Failure};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TlsRow {
    cert: Option<PathBuf>,
    key: Option<PathBuf>,
}

/// Which papers; a table with nothing in it means creel's own.
pub(super) fn read(row: Option<Spanned<TlsRow>>, place: &Place<'_>) -> Result<Option<Tls>, Failure> {
    let Some(row) = row else { return Ok(None) };
    let span = row.span();
    match row.into_inner() {
        TlsRow { cert: Some(cert), key: Some(key) } => Ok(Some(Tls::Given { cert, key })),
        TlsRow { cert: None, key: None } => Ok(Some(Tls::SelfMade)),
        _ => Err(place.at(&span, "`cert` and `key` go together, each a file in PEM")),
    }
}
