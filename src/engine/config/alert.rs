//! `[[alert]]`: what somebody wants to be told.

use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::{forward::filter, place::Place};
use crate::{
    engine::{alert::Alert, settings},
    query::Names,
    record::Failure,
};

/// The shortest time between two calls where nobody says.
const EVERY: Duration = Duration::from_secs(60);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AlertRow {
    when: Spanned<String>,
    absent: Option<Spanned<String>>,
    every: Option<Spanned<String>>,
    run: Option<Spanned<String>>,
}

impl AlertRow {
    /// The alert. In its filter `@name` may stand for another one.
    pub(super) fn read(self, place: &Place<'_>, names: &Names) -> Result<Alert, Failure> {
        let when = filter(self.when.get_ref(), names).map_err(|why| place.at(&self.when.span(), why))?;
        if let (Some(_), Some(every)) = (&self.absent, &self.every) {
            return Err(place.at(&every.span(), "`every` is for what comes; that nothing does is told once"));
        }
        let time = |text: Option<Spanned<String>>| text.map(|text| self::time(&text, place)).transpose();
        let (absent, every) = (time(self.absent)?, time(self.every)?);
        if let Some(run) = self.run.as_ref().filter(|run| run.get_ref().trim().is_empty()) {
            return Err(place.at(&run.span(), "`run` is a command of the shell; without it the alert is only told"));
        }
        let run = self.run.map(Spanned::into_inner);
        Ok(Alert { when, absent, every: every.unwrap_or(EVERY), run })
    }
}

fn time(text: &Spanned<String>, place: &Place<'_>) -> Result<Duration, Failure> {
    let time = settings::time(text.get_ref()).filter(|time| !time.is_zero());
    time.ok_or_else(|| place.at(&text.span(), format!("`{}` is no time; write 30s, 5m, 1h or 1d", text.get_ref())))
}
