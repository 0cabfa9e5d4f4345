//! By what a provider's requests are recognised.

use memchr::memmem::find;

use super::{
    Request,
    file::{DetectTable, Text},
    place::{Place, View},
    provider::Wrong,
};

/// How much of a body is looked at to tell whose it is, in bytes: marks stand near its beginning.
const LOOKED_AT: usize = 64 << 10;

/// A rule: headers that are all there, and others of which none is.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    /// What must be there; never empty.
    with: Vec<Mark>,
    /// What must not.
    without: Vec<Mark>,
}

/// A header or another place, and what must be there.
#[derive(Clone, Debug)]
struct Mark {
    /// The header's name in lower case, or the place as it is written.
    name: String,
    /// The pattern, `*` for anything; None: any value.
    pattern: Option<String>,
    /// The place, where it is no header.
    place: Option<Place>,
}

impl PartialEq for Mark {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.pattern == other.pattern
    }
}

impl Rule {
    /// Makes a rule of its table.
    pub(super) fn build(table: &DetectTable) -> Result<Self, Wrong> {
        if table.with.get_ref().is_empty() {
            return Err(Wrong::at(table.with.span(), "a rule without a header would mark every request"));
        }
        let mark = |text: &Text| Mark::parse(text.get_ref()).map_err(|why| Wrong::with(text, why));
        let marks = |texts: &[Text]| texts.iter().map(mark).collect::<Result<Vec<_>, _>>();
        Ok(Self { with: marks(table.with.get_ref())?, without: marks(&table.without)? })
    }

    /// The name of its first header, in lower case: without it the rule cannot hold. None for a rule that has none.
    pub(super) fn first_header(&self) -> Option<&str> {
        self.with.iter().find(|mark| mark.place.is_none()).map(|mark| &mark.name[..])
    }

    /// Whether it holds for a request.
    pub(super) fn holds(&self, request: &Request<'_>) -> bool {
        self.with.iter().all(|mark| mark.is_in(request)) && !self.without.iter().any(|mark| mark.is_in(request))
    }

    /// Whether it asks for everything that another asks for, and for more: then it is the more exact of the two.
    pub(super) fn is_narrower_than(&self, other: &Self) -> bool {
        self.with.len() > other.with.len() && other.with.iter().all(|mark| self.with.contains(mark))
    }

    /// The rule for eyes.
    pub(super) fn described(&self) -> String {
        let list = |marks: &[Mark]| marks.iter().map(Mark::described).collect::<Vec<_>>().join(", ");
        let without = if self.without.is_empty() { String::new() } else { format!(" without {}", list(&self.without)) };
        format!("{}{without}", list(&self.with))
    }
}

impl Mark {
    fn parse(text: &str) -> Result<Self, String> {
        const PLACES: [&str; 6] = ["json:", "json-key:", "form:", "query:", "xml:", "method:"];
        if PLACES.iter().any(|kind| text.starts_with(kind)) {
            let (place, pattern) = text.split_once(" = ").map_or((text, None), |(p, v)| (p, Some(v.to_owned())));
            return Ok(Self { name: place.to_owned(), pattern, place: Some(Place::parse(place)?) });
        }
        let (name, pattern) = text.split_once(':').map_or((text, None), |(name, pattern)| (name, Some(pattern.trim())));
        Ok(Self { name: name.trim().to_ascii_lowercase(), pattern: pattern.map(str::to_owned), place: None })
    }

    fn is_in(&self, request: &Request<'_>) -> bool {
        let fits = |value: &[u8]| self.pattern.as_ref().is_none_or(|pattern| matches(pattern.as_bytes(), value));
        match &self.place {
            None => request.headers.get_all(&self.name).any(fits),
            // A body without the name of the field has no such field: most are told apart by that, without being read.
            Some(place) if place.first_name().is_some_and(|name| find(request.body, name.as_bytes()).is_none()) => {
                false
            }
            Some(place) => {
                let start = Request { body: &request.body[..request.body.len().min(LOOKED_AT)], ..*request };
                place.find(View::of(&start)).is_some_and(|found| fits(&found))
            }
        }
    }

    fn described(&self) -> String {
        self.pattern.as_ref().map_or_else(|| self.name.clone(), |pattern| format!("{}: {pattern}", self.name))
    }
}

/// Whether a text looks like a pattern in which each `*` stands for anything. Takes the earliest place for each piece
/// between two stars, so its time is the product of the lengths at worst.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let mut pieces = pattern.split(|&b| b == b'*');
    let Some(mut rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut pieces: Vec<_> = pieces.collect();
    let Some(last) = pieces.pop() else { return rest.is_empty() };
    for piece in pieces.into_iter().filter(|piece| !piece.is_empty()) {
        let Some(at) = rest.windows(piece.len()).position(|window| window == piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, text, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("a*", "ab", true),
            ("*b", "ab", true),
            ("*", "", true),
            ("a*b*c", "a--b--c", true),
            ("a*b*c", "a--c", false),
            ("ab*ba", "aba", false),
            ("*v1,*", "v1a,x v1,y", true),
            ("*v1,*", "v1a,x", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
    }
}
