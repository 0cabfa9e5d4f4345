//! A body and what its sender said about it.

use bytes::Bytes;

use super::{
    coding::{self, UNDONE_BYTES},
    fit,
};
use crate::record::{Headers, Timestamp, cloudevent, multipart::parameter};

/// How many columns a picture is drawn in where nobody says.
const COLUMNS: u16 = 48;

/// A body and what its sender said about it.
#[derive(Clone, Debug, Default)]
pub struct Content {
    /// The bytes as received, after transfer decoding.
    pub bytes: Bytes,
    /// The value of `Content-Type`.
    pub content_type: Option<String>,
    /// The value of `Content-Encoding`, where that was not undone.
    pub content_encoding: Option<String>,
    /// Why the content coding was not undone, where there is one.
    pub not_undone: Option<String>,
    /// What was undone, where `bytes` are what was under a content coding.
    pub undone: Option<Undone>,
    /// The values of the `ce-` headers by which an event describes itself (`CloudEvents`, binary mode), names without the prefix.
    pub attributes: Vec<(String, String)>,
    /// When it was received, for views that say how far a moment is from then.
    pub received_at: Option<Timestamp>,
    /// Whether these are only the first bytes of a body.
    pub is_cut: bool,
    /// How many columns there are for a picture; zero where nobody says.
    pub columns: u16,
    /// How many bodies this one lies in.
    pub depth: u8,
}

/// A content coding that was undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undone {
    /// The bytes as received.
    pub received: Bytes,
    /// The coding's name, shown safely and briefly.
    pub coding: String,
    /// Whether there is more than was undone.
    pub stopped: bool,
}

impl Content {
    /// A body with what its headers say of it, its content codings undone up to [`UNDONE_BYTES`].
    pub fn of(bytes: &Bytes, headers: &Headers) -> Self {
        Self::within(bytes, headers, UNDONE_BYTES)
    }

    /// The same with another bound: for a thread that must not take long.
    pub fn within(bytes: &Bytes, headers: &Headers, limit: u64) -> Self {
        Self::said(bytes, headers).unfolded(limit)
    }

    /// The first bytes of a body of which the rest is still to be read.
    pub fn beginning(bytes: &Bytes, headers: &Headers, limit: u64) -> Self {
        Self { is_cut: true, ..Self::said(bytes, headers) }.unfolded(limit)
    }

    fn said(bytes: &Bytes, headers: &Headers) -> Self {
        let header = |name| headers.text(name).map(str::to_owned);
        Self {
            bytes: bytes.clone(),
            content_type: header("content-type"),
            content_encoding: header("content-encoding"),
            attributes: cloudevent::attributes(headers),
            ..Self::default()
        }
    }

    /// With its content codings undone; as it is where they cannot be.
    fn unfolded(self, limit: u64) -> Self {
        let Some(coding) = self.coding().filter(|_| !self.bytes.is_empty()) else { return self };
        let named = self.content_encoding.as_deref().unwrap_or_default();
        match coding::undone(&self.bytes, named, limit, self.is_cut) {
            Ok(unfolded) => {
                let undone = Some(Undone { received: self.bytes, coding, stopped: unfolded.stopped });
                let is_cut = self.is_cut || unfolded.stopped;
                Self { undone, bytes: unfolded.bytes.into(), content_encoding: None, is_cut, ..self }
            }
            Err(why) => Self { not_undone: Some(why), ..self },
        }
    }

    /// A body that lies in this one.
    pub(super) fn within_it(&self, bytes: Bytes, content_type: Option<String>) -> Self {
        Self {
            bytes,
            content_type,
            received_at: self.received_at,
            columns: self.columns,
            depth: self.depth.saturating_add(1),
            ..Self::default()
        }
    }

    /// Whether the sender calls it a form, and it is not packed.
    pub fn is_form(&self) -> bool {
        self.coding().is_none() && self.media() == "application/x-www-form-urlencoded"
    }

    /// The media type without parameters, in lower case: `application/json`. Empty where there is none.
    pub(super) fn media(&self) -> String {
        let value = self.content_type.as_deref().unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// The `charset` parameter in lower case, without quotes.
    pub(super) fn charset(&self) -> Option<String> {
        self.parameter("charset").map(|value| value.to_ascii_lowercase())
    }

    /// A parameter of the content type, without quotes.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        parameter(self.content_type.as_deref()?, name)
    }

    /// Whether the sender says that this is JSON: `application/json`, `text/json`, `…+json`, and the line formats.
    pub(super) fn says_json(&self) -> bool {
        let media = self.media();
        let kind = media.split_once('/').map_or("", |(_, kind)| kind);
        matches!(kind, "json" | "csp-report") || kind.ends_with("+json") || self.says_json_lines()
    }

    /// Whether the sender says that each line is JSON.
    pub(super) fn says_json_lines(&self) -> bool {
        let media = self.media();
        let kind = media.split_once('/').map_or("", |(_, kind)| kind);
        matches!(kind, "x-ndjson" | "ndjson" | "jsonl" | "x-jsonlines" | "jsonlines" | "x-jsonl")
    }

    /// The content coding, shown safely and briefly, where the body is in one.
    pub(super) fn coding(&self) -> Option<String> {
        let value = self.content_encoding.as_deref()?.trim();
        (!value.is_empty() && !value.eq_ignore_ascii_case("identity")).then(|| fit(value, 40))
    }

    /// What a view that wants plain bytes says to a body in a content coding.
    pub(super) fn refuse_coding(&self) -> Result<(), String> {
        self.coding()
            .map_or(Ok(()), |coding| Err(format!("the body is in content-encoding {coding}, which is not undone")))
    }

    /// How many columns a picture may take.
    pub(super) fn picture_columns(&self) -> usize {
        usize::from(if self.columns == 0 { COLUMNS } else { self.columns.clamp(16, 160) })
    }
}
