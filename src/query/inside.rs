//! What a filter asks of what a capture holds: its headers, its query, its body.
//!
//! The store has no columns for these; it hands over the bytes of a row, and a test says yes or no. A test can be written
//! as text and read back, which is how it gets into SQL: as a value, like everything that a person typed.

use std::borrow::Cow;

use bytes::Bytes;
use regex::bytes::{Regex, RegexBuilder};

use super::{
    Names, Need,
    field::{self, Operator},
    magnitude::{self, Magnitudes},
    parse, print,
    value::lower,
};
use crate::record::{
    Head, json,
    json::Paths,
    pairs,
    token::{string_end, text_of},
};

/// The most that a compiled regular expression may take, in bytes. The engine takes time linear in what it looks at.
const REGEX_BYTES: usize = 1 << 20;

/// A row's body in SQL, of a row of `content`: it lies in the row, or in chunks.
pub const WHOLE_BODY: &str = "CASE chunks WHEN 0 THEN body ELSE (SELECT joined(bytes) FROM (SELECT bytes FROM chunk
    WHERE chunk.id >= content.id * 65536 AND chunk.id < content.id * 65536 + chunks ORDER BY chunk.id)) END";

/// What a capture holds, as a filter asks it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Content<'a> {
    /// The raw head.
    pub head: &'a [u8],
    /// The body, its content codings undone.
    pub body: &'a [u8],
}

/// A test of what a capture holds.
#[derive(Clone, Debug)]
pub struct Inside {
    text: String,
    place: Place,
    wanted: Wanted,
}

/// Where a test looks.
#[derive(Clone, Debug)]
enum Place {
    /// Head and body.
    Anywhere,
    /// The whole body.
    Body,
    /// A value of a JSON body, by its path from the root, or of a form: its field of the first name, or by the rest of the
    /// path what that one holds as JSON; or the field of all of that name, where it is one that only forms have (`user[name]`).
    Path { steps: Vec<String>, all: Paths, rest: Paths, name: Option<String> },
    /// The values of a header.
    Header(String),
    /// The values of a name in the query.
    Param(String),
}

/// What the value there must be.
#[derive(Clone, Debug)]
enum Wanted {
    /// These characters stand in it, ASCII letters in either case.
    Has(Pattern, String),
    /// It has a match.
    Match(Pattern),
    /// It is so, compared as a number where both are numbers, else as text in lower case.
    Compared { operator: Operator, text: String, number: Option<f64> },
}

impl Inside {
    /// A word that stands anywhere in the head or the body; ASCII case says nothing.
    pub(super) fn word(word: &str) -> Result<Self, String> {
        let text = print::word_of(word);
        Ok(Self { text, place: Place::Anywhere, wanted: Wanted::Has(literal(word)?, word.to_owned()) })
    }

    /// A test of the field `name` — `body`, `body.PATH`, `header.NAME` or `query.NAME`.
    pub(super) fn field(name: &str, operator: Operator, value: &str) -> Result<Self, String> {
        let (family, rest) = field::family(name);
        let rest = rest.strip_prefix('.').unwrap_or(rest);
        let place = match (&lower(family)[..], rest) {
            ("body", "") => Place::Body,
            ("body", path) => path_of(path)?,
            ("header", name) => Place::Header(name.to_owned()),
            _ => Place::Param(rest.to_owned()),
        };
        let wanted = match operator {
            Operator::Has => Wanted::Has(literal(value)?, value.to_owned()),
            Operator::Matches => Wanted::Match(Pattern::new(value)?),
            _ if matches!(place, Place::Body) && operator.orders() => {
                return Err(
                    "`body` takes : = != and ~; a value of it is compared by its path, body.amount>5".to_owned()
                );
            }
            _ => Wanted::Compared { operator, text: lower(value), number: value.parse().ok() },
        };
        let text = format!("{name}{}{}", operator.sign(), print::value_after(operator, value));
        Ok(Self { text, place, wanted })
    }

    /// Reads a test back from its text.
    pub fn parse(text: &str) -> Option<Self> {
        parse::parse(text, &Names::new()).ok()?.into_inside()
    }

    /// The test as text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The test as SQL, for a row of `summary`; its text stands for the `?`. The body is not read where it is not asked.
    pub(super) fn sql(&self) -> String {
        let body = if self.reads_body() { WHOLE_BODY } else { "NULL" };
        format!("coalesce((SELECT takes(?, head, {body}) FROM content WHERE content.id = summary.id), 0)")
    }

    /// Whether it asks for the body.
    pub(super) fn reads_body(&self) -> bool {
        matches!(self.place, Place::Anywhere | Place::Body | Place::Path { .. })
    }

    /// What stands in the texts of every capture that passes ([`texts`](super::texts)).
    pub(super) fn need(&self) -> Need {
        // What is not there passes, too.
        if matches!(self.wanted, Wanted::Compared { operator: Operator::IsNot, .. }) {
            return Need::Anything;
        }
        let value = match &self.wanted {
            // In head and body it stands byte for byte as it is wanted.
            Wanted::Has(_, text) if matches!(self.place, Place::Anywhere | Place::Body) => Need::text(text),
            Wanted::Has(_, text) | Wanted::Compared { operator: Operator::Is, text, number: None } => Need::ascii(text),
            Wanted::Compared { operator: Operator::Is, text, number: Some(number) } if number.is_finite() => {
                Need::number(text)
            }
            Wanted::Compared { .. } => Need::Anything,
            Wanted::Match(pattern) => Need::pattern(pattern.text(), !matches!(self.place, Place::Body)),
        };
        let name = match &self.place {
            Place::Anywhere | Place::Body => Need::Anything,
            Place::Header(name) | Place::Param(name) => Need::ascii(name),
            // A number may be a place in a list, which is not written.
            Place::Path { steps, .. } => {
                let names = steps.iter().filter(|name| name.parse::<usize>().is_err());
                Need::all(names.map(|name| Need::ascii(name)))
            }
        };
        Need::all([value, name, self.magnitude()])
    }

    /// What is needed of a body in which a value is compared with a number.
    fn magnitude(&self) -> Need {
        self.magnitudes().map_or(Need::Anything, |(steps, sizes)| sizes.need(steps))
    }

    /// The path of a value in the body that is compared with a number, and which numbers are taken.
    pub(super) fn magnitudes(&self) -> Option<(&[String], Magnitudes)> {
        match (&self.place, &self.wanted) {
            // By a name of a form's own nothing is marked that a path leads to.
            (Place::Path { steps, name: None, .. }, Wanted::Compared { operator, number: Some(number), .. }) => {
                Some((steps, Magnitudes::new(*operator, *number)?))
            }
            _ => None,
        }
    }

    /// Whether a capture with that content passes.
    pub fn takes(&self, content: &Content<'_>) -> bool {
        let passes = |value: &[u8]| self.wanted.passes(value);
        let any = match &self.place {
            Place::Anywhere => passes(content.head) || passes(content.body),
            Place::Body => passes(content.body),
            Place::Path { steps, all, rest, name } => {
                let value = if json::looks_like_json(content.body) {
                    json::value(content.body, all).map(|text| text.into_bytes().into())
                } else {
                    let field = name.as_ref().and_then(|name| pairs::value(content.body, name));
                    field.or_else(|| in_field(content.body, &steps[0], rest))
                };
                value.is_some_and(|value| passes(&value))
            }
            Place::Header(name) => head(content).headers().get_all(name).any(passes),
            Place::Param(name) => {
                let head = head(content);
                let query = head.query().unwrap_or_default();
                pairs::pairs(query.as_bytes()).any(|(key, value)| *key == *name.as_bytes() && passes(&value))
            }
        };
        // What is not there is not equal.
        any != matches!(self.wanted, Wanted::Compared { operator: Operator::IsNot, .. })
    }
}

impl Wanted {
    fn passes(&self, value: &[u8]) -> bool {
        match self {
            Self::Has(pattern, _) | Self::Match(pattern) => pattern.is_match(value),
            Self::Compared { operator, text, number } => {
                // `IsNot` is turned round by the one who asks of all values.
                let operator = if *operator == Operator::IsNot { Operator::Is } else { *operator };
                let numbers = number.zip(magnitude::number(value));
                let ordering = match numbers {
                    Some((wanted, value)) => value.partial_cmp(&wanted),
                    None => Some(lower(&String::from_utf8_lossy(value)).cmp(text)),
                };
                ordering.is_some_and(|ordering| operator.takes(ordering))
            }
        }
    }
}

fn head(content: &Content<'_>) -> Head {
    Head::parse(Bytes::copy_from_slice(content.head))
}

/// A path as it is written; else why it is none.
fn path_of(path: &str) -> Result<Place, String> {
    let steps = steps(path)?;
    let (mut all, mut rest) = (Paths::default(), Paths::default());
    all.add_steps(steps.iter().map(|step| &step[..]), 0);
    if steps.len() > 1 {
        rest.add_steps(steps[1..].iter().map(|step| &step[..]), 0);
    }
    let is_of_forms = |part: &str| !part.starts_with(|c: char| c == '"' || c.is_ascii_digit());
    let name = path.split('[').skip(1).any(is_of_forms).then(|| path.to_owned());
    Ok(Place::Path { steps, all, rest, name })
}

/// The steps of a path, of which there is at least one: `data.items[0].id`, `data["dc.title"]`.
fn steps(path: &str) -> Result<Vec<String>, String> {
    let (mut steps, mut rest) = (Vec::new(), path);
    loop {
        let (step, after) = first_step(rest).ok_or_else(|| format!("`{path}` has a [ without its ]"))?;
        steps.push(step);
        if after.is_empty() {
            return Ok(steps);
        }
        rest = after.strip_prefix('.').unwrap_or(after);
    }
}

fn first_step(path: &str) -> Option<(String, &str)> {
    let Some(inside) = path.strip_prefix('[') else {
        let (step, after) = path.split_at(path.find(['.', '[']).unwrap_or(path.len()));
        return Some((step.to_owned(), after));
    };
    let end = if inside.starts_with('"') { string_end(inside.as_bytes(), 0) } else { inside.find(']') };
    let (step, after) = inside.split_at(end?);
    Some((String::from_utf8_lossy(&text_of(step.as_bytes())).into_owned(), after.strip_prefix(']')?))
}

/// Of a form the field of that name, or by the rest of a path what it holds as JSON.
fn in_field<'a>(form: &'a [u8], field: &str, rest: &Paths) -> Option<Cow<'a, [u8]>> {
    let value = pairs::value(form, field)?;
    if rest.is_empty() { Some(value) } else { json::value(&value, rest).map(|text| Cow::Owned(text.into_bytes())) }
}

/// A pattern that finds these characters, ASCII letters in either case.
pub(super) fn literal(text: &str) -> Result<Pattern, String> {
    let pattern = text.bytes().fold(String::new(), |pattern, byte| match byte {
        b if b.is_ascii_alphanumeric() => pattern + &char::from(b).to_string(),
        b => pattern + &format!("\\x{b:02x}"),
    });
    let built = RegexBuilder::new(&pattern).case_insensitive(true).unicode(false).size_limit(REGEX_BYTES).build();
    built.map(Pattern).map_err(|why| reason(&why))
}

/// A regular expression that a person wrote. Its case counts, unless it begins with `(?i)`.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl Pattern {
    /// Reads one; else says why it is none.
    pub fn new(pattern: &str) -> Result<Self, String> {
        let built = RegexBuilder::new(pattern).size_limit(REGEX_BYTES).build();
        built.map(Self).map_err(|why| format!("`{pattern}` is no regular expression: {}", reason(&why)))
    }

    /// Whether it has a match in those bytes.
    pub fn is_match(&self, bytes: &[u8]) -> bool {
        self.0.is_match(bytes)
    }

    /// As it was written.
    pub(super) fn text(&self) -> &str {
        self.0.as_str()
    }
}

fn reason(why: &regex::Error) -> String {
    match why {
        regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
        // The engine draws the place over several lines; what is wrong stands in the last.
        why => why.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &[u8] = br#"{"type":"charge.failed","data":{"amount":1200,"items":[{"id":"a"},{"id":"b"}],"ok":true}}"#;
    const HEAD: &[u8] = b"POST /hook?team=7&x=%2Fa HTTP/1.1\r\nX-Event: push\r\nx-event: tag\r\nX-Size: 12\r\n\r\n";

    fn takes(text: &str, body: &[u8]) -> bool {
        let inside = Inside::parse(text).unwrap_or_else(|| panic!("{text}"));
        let again = Inside::parse(inside.text()).unwrap();
        let content = Content { head: HEAD, body };
        assert_eq!(inside.takes(&content), again.takes(&content), "{text} is read back as {}", inside.text());
        inside.takes(&content)
    }

    #[test]
    fn a_json_body_is_asked_by_path() {
        for (text, expected) in [
            ("body.type:CHARGE", true),
            ("body.type=charge.failed", true),
            ("body.type=charge", false),
            ("body.type!=charge", true),
            ("body.data.amount>1000", true),
            ("body.data.amount=1200.0", true),
            ("body.data.amount<1000", false),
            ("body.data.items[1].id=b", true),
            ("body.data.items.0.id=b", false),
            ("body[\"data\"].items[1].id=b", true),
            ("body.data.ok=true", true),
            ("body.absent=x", false),
            ("body.absent!=x", true),
            (r"body.type~^charge\.(failed|lost)$", true),
            (r"body.type~^failed", false),
            (r#"body:"\"amount\":1200""#, true),
            ("body~amount.:1[0-9]+", true),
            (r#"body~"\"amount\":\d+,""#, true),
            (r#"body~"failed\\\"""#, false),
        ] {
            assert_eq!(takes(text, JSON), expected, "{text}");
        }
    }

    #[test]
    fn a_form_is_asked_by_name_and_into_its_json() {
        let form = b"token=xyz&payload=%7B%22user%22%3A%7B%22id%22%3A%22U1%22%7D%7D&text=a+b&card%5Bnumber%5D=42";
        for (text, expected) in [
            ("body.token=xyz", true),
            ("body.text=\"a b\"", true),
            ("body.payload.user.id=U1", true),
            ("body.payload.user.id=U2", false),
            ("body.card[number]=42", true),
            ("body[\"card[number]\"]=42", true),
            ("body.card[number]>41", true),
            ("body.card.number=42", false),
        ] {
            assert_eq!(takes(text, form), expected, "{text}");
        }
    }

    #[test]
    fn names_may_be_any_and_are_quoted_where_a_path_would_read_them_as_its_own() {
        let body = br#"{"@type":"Order","a b":{"d.e":[{"x\"y":7}]},"dc:title":"t","\u00e9":1,"q(":2}"#;
        for (text, expected) in [
            ("body.@type=order", true),
            ("body[\"a b\"][\"d.e\"][0][\"x\\\"y\"]>6", true),
            ("body[\"a b\"].d.e[0][\"x\\\"y\"]>6", false),
            ("body[\"dc:title\"]=t", true),
            ("body.é=1", true),
            ("body[\"q(\"]=2", true),
        ] {
            assert_eq!(takes(text, body), expected, "{text}");
        }
        assert!(takes("body[0].id=5", br#"[{"id":5}]"#));
        let marked = [b"\xef\xbb\xbf", &body[..]].concat();
        assert!(takes("body.@type=order", &marked), "behind a byte order mark, too");
    }

    #[test]
    fn every_header_and_parameter_of_a_name_is_asked() {
        for (text, expected) in [
            ("header.x-event=tag", true),
            ("header.X-Event:PU", true),
            ("header.x-event!=push", false),
            ("header.x-size>9", true),
            ("header.absent:a", false),
            ("query.team=7", true),
            ("query.x=/a", true),
            ("query.Team=7", false),
        ] {
            assert_eq!(takes(text, b""), expected, "{text}");
        }
    }

    #[test]
    fn a_word_is_looked_for_in_head_and_body() {
        for (text, body, expected) in [
            ("PUSH", &b""[..], true),
            ("charge.failed", JSON, true),
            ("\"Failed\\\"\"", JSON, true),
            ("trout", JSON, false),
            ("é", "caf\u{e9}".as_bytes(), true),
            ("É", "caf\u{e9}".as_bytes(), false),
            ("\"a.b\"", b"axb", false),
        ] {
            assert_eq!(takes(text, body), expected, "{text}");
        }
    }

    #[test]
    fn a_pattern_that_cannot_be_used_says_why() {
        assert_eq!(Pattern::new("(").unwrap_err(), "`(` is no regular expression: unclosed group");
        assert!(Pattern::new(r"(a{1000}){1000}").unwrap_err().contains("too large"));
    }
}
