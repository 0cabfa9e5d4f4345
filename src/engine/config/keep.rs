//! `[keep]`: how much is kept at most.

use std::time::Duration;

use serde::Deserialize;
use toml::{Spanned, Value};

use super::place::Place;
use crate::{
    engine::{
        bounds::{Age, Keep},
        settings,
    },
    record::Failure,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeepRow {
    r#for: Option<Spanned<Value>>,
    mib: Option<Spanned<u64>>,
    captures: Option<Spanned<u64>>,
}

impl KeepRow {
    pub(super) fn read(self, place: &Place<'_>) -> Result<Keep, Failure> {
        Ok(Keep {
            age: self.r#for.map(|row| age(&row, place)).transpose()?,
            mib: some(self.mib, place)?,
            captures: some(self.captures, place)?,
        })
    }
}

fn age(row: &Spanned<Value>, place: &Place<'_>) -> Result<Age, Failure> {
    let text = match row.get_ref() {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match row.get_ref().as_str().and_then(settings::time) {
        Some(Duration::ZERO) => Err(nothing(row, place)),
        Some(span) => Ok(Age { span, text }),
        None => Err(place
            .at(&row.span(), format!("`{text}` is no time"))
            .hint("write it like for = \"30d\": s, m (minutes), h, d or w")),
    }
}

fn some(row: Option<Spanned<u64>>, place: &Place<'_>) -> Result<Option<u64>, Failure> {
    match row {
        Some(row) if *row.get_ref() == 0 => Err(nothing(&row, place)),
        row => Ok(row.map(Spanned::into_inner)),
    }
}

fn nothing<T>(row: &Spanned<T>, place: &Place<'_>) -> Failure {
    place.at(&row.span(), "of nothing nothing is kept").hint("leave the key out to keep all")
}
