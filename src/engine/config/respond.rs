//! `respond`: what an endpoint answers.

use serde::Deserialize;
use toml::Spanned;

use super::place::Place;
use crate::{engine::endpoint::Respond, record::Failure};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RespondRow {
    status: Option<Spanned<u16>>,
    body: Option<String>,
    content_type: Option<String>,
}

impl RespondRow {
    pub(super) fn read(self, place: &Place<'_>) -> Result<Respond, Failure> {
        if let Some(status) = &self.status
            && !(200..=599).contains(status.get_ref())
        {
            return Err(place.at(&status.span(), format!("{} is no status to answer: 200 to 599", status.get_ref())));
        }
        let default = Respond::default();
        let text = if self.body.is_some() { "text/plain; charset=utf-8".to_owned() } else { default.content_type };
        Ok(Respond {
            status: self.status.map_or(default.status, Spanned::into_inner),
            content_type: self.content_type.unwrap_or(text),
            body: self.body,
        })
    }
}
