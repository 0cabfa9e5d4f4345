//! The signed content, as a provider's file writes it: `v0:{ts}:{body}`.

use super::{place, request::Request};

/// A piece of signed content.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    /// Words of the scheme's own.
    Literal(String),
    /// `{body}`: the body as received.
    Body,
    /// `{ts}`: the timestamp's text as sent.
    Timestamp,
    /// `{url}`: the URL as its sender knows it.
    Url,
    /// `{form}`: the form's pairs, sorted by name, names and values run together, the same pair but once.
    Form,
    /// `{h:NAME}`: a header's value.
    Header(String),
}

/// A compiled content.
#[derive(Clone, Debug)]
pub(super) struct Template {
    text: String,
    pieces: Vec<Piece>,
}

/// The values that only one candidate of a content has.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Candidate<'a> {
    pub(super) timestamp: &'a str,
    pub(super) url: &'a str,
    /// The form's pairs, run together.
    pub(super) form: &'a [u8],
}

impl Template {
    /// Compiles a content; what it does not know is an error in words.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            if open > 0 {
                pieces.push(Piece::Literal(rest[..open].to_owned()));
            }
            let close = rest[open..].find('}').ok_or("a `{` has no `}`")? + open;
            pieces.push(piece(&rest[open + 1..close])?);
            rest = &rest[close + 1..];
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.to_owned()));
        }
        Ok(Self { text: text.to_owned(), pieces })
    }

    /// The template as the file writes it.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn has_body(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Body | Piece::Form))
    }

    pub(super) fn has_url(&self) -> bool {
        self.pieces.contains(&Piece::Url)
    }

    pub(super) fn has_form(&self) -> bool {
        self.pieces.contains(&Piece::Form)
    }

    /// The headers that are signed.
    pub(super) fn headers(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Header(name) => Some(&name[..]),
            _ => None,
        })
    }

    /// Feeds the content's bytes in order.
    pub(super) fn feed(&self, request: &Request<'_>, candidate: Candidate<'_>, to: &mut dyn FnMut(&[u8])) {
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => to(text.as_bytes()),
                Piece::Body => to(request.body),
                Piece::Timestamp => to(candidate.timestamp.as_bytes()),
                Piece::Url => to(candidate.url.as_bytes()),
                Piece::Form => to(candidate.form),
                Piece::Header(name) => to(request.headers.get(name).unwrap_or_default()),
            }
        }
    }
}

fn piece(name: &str) -> Result<Piece, String> {
    match name.split_once(':') {
        Some(("h", header)) if !header.is_empty() => Ok(Piece::Header(header.to_owned())),
        None if name == "body" => Ok(Piece::Body),
        None if name == "ts" => Ok(Piece::Timestamp),
        None if name == "url" => Ok(Piece::Url),
        None if name == "form" => Ok(Piece::Form),
        _ => Err(format!(
            "`{{{name}}}` is no piece of a content; there are {{body}}, {{ts}}, {{url}}, {{form}} and {{h:NAME}}"
        )),
    }
}

/// A form's pairs as `{form}` feeds them. A body that is no form has none.
pub(super) fn form_pairs(request: &Request<'_>) -> Vec<u8> {
    if !place::is_form(request.headers) {
        return Vec::new();
    }
    let mut pairs: Vec<_> = form_urlencoded::parse(request.body).collect();
    pairs.sort();
    pairs.dedup();
    pairs.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()].concat()).collect()
}
