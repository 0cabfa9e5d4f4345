//! A provider: its file, read and put together.

use std::ops::Range;

use super::{
    Confidence, Example, Request,
    content::Content,
    detect::Rule,
    event::EventPlaces,
    example,
    file::{File, SchemeTable, SecretTable, SignatureTable, Text, TimestampTable},
    habits::Habits,
    handshake::{self, Handshake},
    key::SecretForm,
    mac::Algorithm,
    place::Place,
    scheme::{Clock, Condition, Scheme},
    shape::{Item, List, Shape},
    time::Tolerance,
};
use crate::record::Failure;

/// Everything creel knows about one sender of webhooks: how it signs, how it is recognised, where its events stand.
#[derive(Clone, Debug)]
pub struct Provider {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) docs: String,
    pub(super) confidence: Confidence,
    pub(super) addresses: Vec<String>,
    pub(super) rules: Vec<Rule>,
    pub(super) event: EventPlaces,
    /// The first scheme: there is always one.
    pub(super) first: Scheme,
    /// The others.
    pub(super) others: Vec<Scheme>,
    pub(super) handshakes: Vec<Handshake>,
    pub(super) habits: Habits,
    pub(super) examples: Vec<Example>,
}

impl Provider {
    /// Reads a provider's file. The failure names the line and the column, and the key that was probably meant.
    pub fn parse(name: &str, toml: &str) -> Result<Self, Failure> {
        let doing = || format!("reading the provider file {name}.toml");
        let file: File = toml::from_str(toml).map_err(|error| {
            let place = error.span().map_or(String::new(), |span| position(toml, &span));
            let failure = Failure::new(doing(), format!("{place}{}", error.message()));
            match nearest_expected(error.message()) {
                Some(key) => failure.hint(format!("did you mean `{key}`?")),
                None => failure,
            }
        })?;
        build(name, file).map_err(|wrong| Failure::new(doing(), format!("{}{}", position(toml, &wrong.at), wrong.why)))
    }

    /// The networks it says it sends from; none where it does not say.
    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// The name of its file: `stripe`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a request bears marks by which this provider is told.
    pub fn has_marks(&self, request: &Request<'_>) -> bool {
        self.rules.iter().any(|rule| rule.holds(request))
    }

    /// What people call it: `Stripe`.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The provider's own page about its signatures.
    pub fn docs(&self) -> &str {
        &self.docs
    }

    /// How sure the file is.
    pub fn confidence(&self) -> Confidence {
        self.confidence
    }

    /// How it delivers.
    pub fn habits(&self) -> &Habits {
        &self.habits
    }

    /// The requests that prove the file.
    pub fn examples(&self) -> &[Example] {
        &self.examples
    }

    /// How many schemes it has.
    pub fn scheme_count(&self) -> usize {
        1 + self.others.len()
    }

    /// Which of its schemes counts for a request, from 0: the first whose signature is there, else the first that is not
    /// ruled out.
    pub fn scheme_of(&self, request: &Request<'_>) -> usize {
        let place_of = |test: &dyn Fn(&Scheme) -> bool| self.schemes().position(test);
        place_of(&|scheme| scheme.applies(request) && scheme.is_signed(request))
            .or_else(|| place_of(&|scheme| scheme.applies(request)))
            .unwrap_or_default()
    }

    pub(super) fn schemes(&self) -> impl Iterator<Item = &Scheme> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// The names of the places where a signature may sit, of all schemes: `A or B`.
    pub(super) fn place_titles(&self) -> String {
        let mut titles: Vec<&str> = Vec::new();
        for title in self.schemes().flat_map(|scheme| &scheme.places).map(Place::title) {
            if !titles.contains(&title) {
                titles.push(title);
            }
        }
        titles.join(" or ")
    }

    pub(super) fn scheme(&self, request: &Request<'_>) -> &Scheme {
        let at = self.scheme_of(request);
        at.checked_sub(1).and_then(|at| self.others.get(at)).unwrap_or(&self.first)
    }
}

/// What is wrong with a file, and where.
pub(super) struct Wrong {
    at: Range<usize>,
    why: String,
}

impl Wrong {
    /// Something wrong with that text.
    pub(super) fn with(text: &Text, why: impl Into<String>) -> Self {
        Self { at: text.span(), why: format!("`{}`: {}", text.get_ref(), why.into()) }
    }

    /// Something wrong at that place.
    pub(super) fn at(at: Range<usize>, why: &str) -> Self {
        Self { at, why: why.to_owned() }
    }
}

fn build(name: &str, file: File) -> Result<Provider, Wrong> {
    let span = file.scheme.span();
    let mut schemes = file.scheme.into_inner().into_iter().map(scheme).collect::<Result<Vec<_>, _>>()?.into_iter();
    let first = schemes.next().ok_or_else(|| Wrong::at(span, "a provider needs a [[scheme]]"))?;
    Ok(Provider {
        name: name.to_owned(),
        title: file.title,
        docs: file.docs,
        confidence: file.confidence,
        addresses: file.addresses,
        rules: file.detect.iter().map(Rule::build).collect::<Result<_, _>>()?,
        event: EventPlaces::build(&file.event)?,
        first,
        others: schemes.collect(),
        handshakes: file.handshake.into_iter().map(handshake::build).collect::<Result<_, _>>()?,
        habits: Habits::build(file.delivery)?,
        examples: file.example.into_iter().map(example::build).collect::<Result<_, _>>()?,
    })
}

fn scheme(table: SchemeTable) -> Result<Scheme, Wrong> {
    let (algorithm, at) = (*table.algorithm.get_ref(), table.algorithm.span());
    let content = content(table.content.as_ref(), algorithm, &at)?;
    let clock = table.timestamp.as_ref().map(clock).transpose()?;
    let (places, shape) = signature(table.signature)?;
    if content.has_timestamp() && clock.is_none() {
        return Err(Wrong::at(at, "the content has a {timestamp}, but no `timestamp` says where it is"));
    }
    let uses_pair = clock.as_ref().is_some_and(|clock| clock.place.pair().is_some());
    if uses_pair && shape.list.as_ref().is_none_or(|list| list.item.is_none()) {
        return Err(Wrong::at(at, "the timestamp is an item of a list, but the signature is not in one"));
    }
    if algorithm.is_bare_hash() && !content.has_secret() {
        return Err(Wrong::at(at, "a hash without a key proves nothing unless the {secret} is in the content"));
    }
    if (algorithm == Algorithm::Remote) != table.needs.is_some() {
        return Err(Wrong::at(at, "`needs` says what a remote algorithm would ask for; the two go together"));
    }
    let SecretTable { form, prefix, private_prefix, beside, begins } = table.secret;
    Ok(Scheme {
        when: table.when.as_ref().map(condition).transpose()?,
        claims: table.claims.into_iter().map(claim).collect::<Result<_, _>>()?,
        beside,
        begins,
        needs: table.needs,
        says_covers_body: table.covers_body,
        places,
        shape,
        algorithm,
        encoding: table.encoding,
        secret: SecretForm { form, prefix, private_prefix },
        content,
        clock,
        body_sha256: table.body_sha256.as_ref().map(place).transpose()?,
        url_spellings: table.url_spellings,
    })
}

fn content(text: Option<&Text>, algorithm: Algorithm, at: &Range<usize>) -> Result<Content, Wrong> {
    match (text, algorithm) {
        (None, Algorithm::Token | Algorithm::Jwt | Algorithm::Remote) => Ok(Content::default()),
        (None, _) => Err(Wrong::at(at.clone(), "this algorithm signs something, but no `content` says what")),
        (Some(text), Algorithm::Token) => Err(Wrong::with(text, "a token signs nothing")),
        (Some(text), Algorithm::Jwt) => Err(Wrong::with(text, "what a JWT says stands in `claims`")),
        (Some(text), _) => Content::parse(text.get_ref()).map_err(|why| Wrong::with(text, why)),
    }
}

fn signature(table: toml::Spanned<SignatureTable>) -> Result<(Vec<Place>, Shape), Wrong> {
    let at = table.span();
    let SignatureTable { r#in, prefix, sets, split, pair, key, time_last } = table.into_inner();
    let item = match (pair, key) {
        (Some(pair), Some(key)) => Some(Item { pair, key }),
        (None, None) => None,
        _ => return Err(Wrong::at(at, "`pair` and `key` go together")),
    };
    let list = match (split, item) {
        (Some(split), item) if !split.is_empty() => Some(List { split, item }),
        (None, None) => None,
        _ => return Err(Wrong::at(at, "a list needs a `split`")),
    };
    let places = r#in.iter().map(place).collect::<Result<Vec<_>, _>>()?;
    if places.is_empty() {
        return Err(Wrong::at(at, "`in` names no place"));
    }
    Ok((places, Shape { prefix, sets, list, time_last }))
}

/// Reads a condition that stands in a file.
pub(super) fn condition(text: &Text) -> Result<Condition, Wrong> {
    Condition::parse(text.get_ref()).map_err(|why| Wrong { at: text.span(), why })
}

fn claim((name, text): (String, Text)) -> Result<(String, Content), Wrong> {
    let content = Content::parse(text.get_ref()).map_err(|why| Wrong::with(&text, why))?;
    Ok((name, content))
}

fn clock(table: &TimestampTable) -> Result<Clock, Wrong> {
    let tolerance = table.tolerance.map(|seconds| Tolerance { seconds: i64::from(seconds), window: table.window });
    Ok(Clock { place: place(&table.r#in)?, unit: table.unit, tolerance })
}

/// Reads a place that stands in a file.
pub(super) fn place(text: &Text) -> Result<Place, Wrong> {
    Place::parse(text.get_ref()).map_err(|why| Wrong { at: text.span(), why })
}

/// `line L, column C: `, both from 1, the column in characters.
fn position(text: &str, at: &Range<usize>) -> String {
    let before = text.get(..at.start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {line}, column {column}: ")
}

/// The expected word nearest to the one that was found, out of a message like "unknown field `titel`, expected one of
/// `title`, `docs`".
fn nearest_expected(message: &str) -> Option<&str> {
    /// Below this likeness (0 to 1) two words have nothing to do with each other.
    const ALIKE: f64 = 0.7;
    let mut quoted = message.split('`').skip(1).step_by(2);
    let found = quoted.next().filter(|_| message.starts_with("unknown "))?;
    nearest(found, quoted, ALIKE)
}

/// The word most like another, if it is at least that much alike (0 to 1).
pub(super) fn nearest<'a>(word: &str, words: impl Iterator<Item = &'a str>, alike: f64) -> Option<&'a str> {
    words
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= alike)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
title = "Acme"
docs = "https://example.com"
confidence = "low"

[[scheme]]
signature = { in = ["header:X-Sig"], split = ",", pair = "=", key = "v1" }
algorithm = "hmac-sha256"
encoding = "hex"
content = "{timestamp}.{body}"
timestamp = { in = "pair:t" }
"#;

    #[test]
    fn a_file_becomes_a_provider() {
        let provider = Provider::parse("acme", GOOD).unwrap();
        assert_eq!((provider.name(), provider.title(), provider.scheme_count()), ("acme", "Acme", 1));
        assert_eq!(provider.confidence(), Confidence::Low);
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said_where_it_is() {
        for (from, to, why, hint) in [
            ("title =", "titel =", "line 2, column 1: unknown field `titel`", Some("did you mean `title`?")),
            ("hmac-sha256", "hmac-sha265", "line 8, column 13: unknown variant", Some("did you mean `hmac-sha256`?")),
            ("{body}", "{bodi}", "line 10, column 11: `{timestamp}.{bodi}`: {bodi} is no part", None),
            ("header:", "heather:", "line 7, column 21: `heather:X-Sig` is no place", None),
            (", key = \"v1\"", "", "line 7, column 13: `pair` and `key` go together", None),
            ("split = \",\", ", "", "line 7, column 13: a list needs a `split`", None),
            ("[\"header:X-Sig\"]", "[]", "line 7, column 13: `in` names no place", None),
            ("timestamp = { in = \"pair:t\" }", "", "line 8, column 13: the content has a {timestamp}", None),
            (", split = \",\", pair = \"=\", key = \"v1\"", "", "line 8, column 13: the timestamp is an item", None),
            ("content = \"{timestamp}.{body}\"", "", "line 8, column 13: this algorithm signs something", None),
            ("hmac-sha256", "token", "line 10, column 11: `{timestamp}.{body}`: a token signs nothing", None),
        ] {
            let failure = Provider::parse("acme", &GOOD.replacen(from, to, 1)).unwrap_err();
            assert!(failure.why.starts_with(why), "{}", failure.why);
            assert_eq!(failure.hint.as_deref(), hint);
            assert_eq!(failure.doing, "reading the provider file acme.toml");
        }
    }

    #[test]
    fn a_provider_needs_a_scheme_and_a_rule_needs_a_header() {
        let head = GOOD.split("[[scheme]]").next().unwrap();
        let none = Provider::parse("acme", &format!("scheme = []{head}")).unwrap_err();
        assert_eq!(none.why, "line 1, column 10: a provider needs a [[scheme]]");
        let rule = Provider::parse("acme", &format!("{GOOD}[[detect]]\nwith = []")).unwrap_err();
        assert_eq!(rule.why, "line 13, column 8: a rule without a header would mark every request");
    }
}
