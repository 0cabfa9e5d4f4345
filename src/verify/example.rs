//! The requests that prove a provider's file.

use super::{Request, Secret, file::ExampleTable, provider::Wrong};
use crate::record::{Event, Headers, Timestamp};

/// A signed request, made up by whoever wrote the file: its signature is right, and its event is as it says.
#[derive(Clone, Debug)]
pub struct Example {
    /// What it is, in a few words.
    pub about: String,
    /// The method.
    pub method: String,
    /// The URL that the sender knows.
    pub url: String,
    /// The headers.
    pub headers: Headers,
    /// The body.
    pub body: String,
    /// The secret in the form in which the provider hands it out. It guards nothing.
    pub secret: Secret,
    /// What the second secret is, for a scheme that wants one.
    pub second_secret: Option<Secret>,
    /// When it came.
    pub now: Timestamp,
    /// What its event shall be read as.
    pub event: Event,
    /// Whose it looks like by its headers, where that is another provider: many send just what a standard says.
    pub detected_as: Option<String>,
}

impl Example {
    /// All its secrets.
    pub fn secrets(&self) -> Vec<Secret> {
        std::iter::once(&self.secret).chain(&self.second_secret).cloned().collect()
    }

    /// The request.
    pub fn request(&self) -> Request<'_> {
        let after_scheme = self.url.find("://").map_or(0, |at| at + 3);
        let target = self.url[after_scheme..].find('/').map_or("/", |at| &self.url[after_scheme + at..]);
        Request {
            method: &self.method,
            url: Some(&self.url),
            target: target.as_bytes(),
            headers: &self.headers,
            body: self.body.as_bytes(),
            truncated: false,
            rewritten: false,
            received_at: self.now,
        }
    }
}

/// Makes an example of its table.
pub(super) fn build(table: ExampleTable) -> Result<Example, Wrong> {
    let created = table
        .created
        .as_ref()
        .map(|text| Timestamp::from_rfc3339(text.get_ref()).ok_or_else(|| Wrong::with(text, "is no RFC 3339 moment")));
    Ok(Example {
        about: table.about,
        method: table.method.unwrap_or_else(|| "POST".to_owned()),
        url: table.url,
        headers: table.headers.iter().map(|(name, value)| (name, value)).collect(),
        body: table.body,
        secret: Secret::new(table.secret),
        second_secret: table.second_secret.map(Secret::new),
        now: Timestamp::from_unix_s(table.now),
        event: Event { id: table.id, kind: table.r#type, created_at: created.transpose()? },
        detected_as: table.detected_as,
    })
}
