//! Paths into JSON, in the three spellings that other tools know.

use std::{fmt, ops::Range};

use crate::record::{
    json::mark_bytes,
    token::{self, Kind, Members, Token, Tokens},
};

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// To the member of that name.
    Name(String),
    /// To the element at that place, from 0.
    Place(usize),
}

/// A path from the root of a JSON value to one within it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path(pub Vec<Step>);

/// How a path is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spelling {
    /// `.data.items[0]`, as jq takes it.
    #[default]
    Jq,
    /// `/data/items/0` (RFC 6901).
    Pointer,
    /// `data.items[0]`, as creel's filters and `--set` take it.
    Dots,
}

impl Spelling {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jq => "jq",
            Self::Pointer => "JSON pointer",
            Self::Dots => "dot path",
        }
    }

    /// The one after it, round and round.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Jq => Self::Pointer,
            Self::Pointer => Self::Dots,
            Self::Dots => Self::Jq,
        }
    }
}

impl Path {
    /// The path as text. Not escaped for a terminal.
    pub fn spelled(&self, spelling: Spelling) -> String {
        match spelling {
            Spelling::Jq => self.jq(),
            Spelling::Pointer => self.pointer(),
            Spelling::Dots => self.to_string(),
        }
    }

    fn jq(&self) -> String {
        if self.0.is_empty() {
            return ".".to_owned();
        }
        let mut text = String::new();
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Name(name) if is_word(name) => text.extend([".", name]),
                Step::Name(name) => {
                    text.push_str(if at == 0 { ".[" } else { "[" });
                    text.extend([&quoted(name), "]"]);
                }
                Step::Place(place) => text.push_str(&format!("{}[{place}]", if at == 0 { "." } else { "" })),
            }
        }
        text
    }

    fn pointer(&self) -> String {
        let step = |step: &Step| match step {
            Step::Name(name) => format!("/{}", name.replace('~', "~0").replace('/', "~1")),
            Step::Place(place) => format!("/{place}"),
        };
        self.0.iter().map(step).collect()
    }

    /// Reads any of the spellings, and `$.data`; the empty text, `.` and `$` are the root. Why not, in one line, where it is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(names) = text.strip_prefix('/') {
            let names = names.split('/').map(|name| name.replace("~1", "/").replace("~0", "~"));
            return Ok(Self(names.map(Step::Name).collect()));
        }
        let mut steps = Vec::new();
        let root = text.strip_prefix('$').filter(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
        let text = root.unwrap_or(text);
        let mut rest = text.strip_prefix('.').unwrap_or(text);
        while !rest.is_empty() {
            let (step, after) = first_step(rest)?;
            steps.push(step);
            rest = match after.strip_prefix('.') {
                Some("") => return Err("a path does not end with a dot".to_owned()),
                Some(after) => after,
                None => after,
            };
        }
        Ok(Self(steps))
    }

    /// Where the value is that the path leads to, in a JSON text. Of a name that is there twice the last one counts, as in
    /// every reader that an app would use. A name of digits is a place, where there is an array.
    pub fn find(&self, bytes: &[u8]) -> Option<Range<usize>> {
        let mut tokens = Tokens::new(bytes, mark_bytes(bytes));
        let first = tokens.next()?;
        if self.0.is_empty() {
            return Some(tokens.value(&first));
        }
        self.0.iter().try_fold(first.range, |at, step| child(bytes, at.start, step))
    }
}

/// As creel's filters write it.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            let dot = if at == 0 { "" } else { "." };
            match step {
                Step::Name(name) if is_bare(name) => write!(f, "{dot}{name}")?,
                Step::Name(name) => write!(f, "[{}]", quoted(name))?,
                Step::Place(place) => write!(f, "[{place}]")?,
            }
        }
        Ok(())
    }
}

/// Whether a dot path takes a name without quotes, and a filter too: there blanks, brackets and operators would end it.
fn is_bare(name: &str) -> bool {
    let is_sign = |char: char| char.is_whitespace() || ".[]\"():=!<>~".contains(char);
    !name.is_empty() && name != "$" && !name.starts_with('/') && !name.contains(is_sign)
}

/// Whether jq takes a name without quotes.
fn is_word(name: &str) -> bool {
    let is_letter = |char: char| char.is_ascii_alphabetic() || char == '_';
    name.starts_with(is_letter) && name.chars().all(|char| is_letter(char) || char.is_ascii_digit())
}

fn quoted(name: &str) -> String {
    serde_json::Value::from(name).to_string()
}

/// The step at the beginning of a text, and the rest of the text.
fn first_step(text: &str) -> Result<(Step, &str), String> {
    let Some(inside) = text.strip_prefix('[') else {
        let end = text.find(['.', '[']).unwrap_or(text.len());
        // jq also takes `."a name"`.
        if text.starts_with('"') {
            return quoted_step(text);
        }
        let (name, rest) = text.split_at(end);
        return if name.is_empty() {
            Err("two dots beside each other".to_owned())
        } else {
            Ok((Step::Name(name.to_owned()), rest))
        };
    };
    let (step, rest) = if inside.starts_with('"') {
        quoted_step(inside)?
    } else {
        let end = inside.find(']').ok_or("a [ without its ]")?;
        let place =
            inside[..end].trim().parse().map_err(|_| format!("[{}] is no place: [0] is the first", &inside[..end]))?;
        (Step::Place(place), &inside[end..])
    };
    Ok((step, rest.strip_prefix(']').ok_or("a [ without its ]")?))
}

fn quoted_step(text: &str) -> Result<(Step, &str), String> {
    let end = token::string_end(text.as_bytes(), 0).ok_or("a quote without its end")?;
    let name = serde_json::from_str(&text[..end]).map_err(|why| format!("{}: {why}", &text[..end]))?;
    Ok((Step::Name(name), &text[end..]))
}

fn child(bytes: &[u8], at: usize, step: &Step) -> Option<Range<usize>> {
    let mut members = Members::of(bytes, at)?;
    match step {
        Step::Name(name) if members.is_object() => {
            let is_it = |range: &Range<usize>| name_of(&bytes[range.clone()]) == *name;
            members.filter(|member| member.name.as_ref().is_some_and(is_it)).last().map(|member| member.value)
        }
        Step::Place(place) if !members.is_object() => members.nth(*place).map(|member| member.value),
        Step::Name(name) => members.nth(name.parse().ok()?).map(|member| member.value),
        Step::Place(_) => None,
    }
}

/// The name in a string token; as it stands where it is none.
pub(super) fn name_of(token: &[u8]) -> String {
    String::from_utf8_lossy(&token::text_of(token)).into_owned()
}

/// What stands at a place of a JSON text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The way to it from the root.
    pub path: Path,
    /// Where its value is.
    pub value: Range<usize>,
    /// Which of several values one after another its root is, from 0.
    pub nth: usize,
}

/// An object or array that is open at a place.
struct Open {
    start: usize,
    is_object: bool,
    name: Option<Range<usize>>,
    place: usize,
}

/// The value that the token at that place belongs to: a name its member, a closing bracket what it closes. One pass over what
/// stands before. None where there is no token.
pub(super) fn node(bytes: &[u8], at: usize) -> Option<Node> {
    let mut tokens = Tokens::new(bytes, mark_bytes(bytes));
    let mut way: Vec<Open> = Vec::new();
    let mut last_text = None;
    let mut roots = 0_usize;
    while let Some(token) = tokens.next() {
        if token.range.end > at {
            let nth = if way.is_empty() { roots } else { roots.saturating_sub(1) };
            return Some(Node { nth, ..ending(bytes, way, tokens, token) });
        }
        if way.is_empty() && matches!(token.kind, Kind::Open | Kind::Text | Kind::Word) {
            roots += 1;
        }
        match (token.kind, way.last_mut()) {
            (Kind::Open, _) => {
                let is_object = bytes[token.range.start] == b'{';
                way.push(Open { start: token.range.start, is_object, name: None, place: 0 });
            }
            (Kind::Close, _) => drop(way.pop()),
            (Kind::Comma, Some(open)) => (open.place, open.name) = (open.place + 1, None),
            (Kind::Colon, Some(open)) if open.name.is_none() => open.name = last_text.take(),
            (Kind::Text, _) => last_text = Some(token.range),
            _ => {}
        }
    }
    None
}

fn ending(bytes: &[u8], mut way: Vec<Open>, mut tokens: Tokens<'_>, token: Token) -> Node {
    let value = match token.kind {
        Kind::Close => way.pop().map_or(token.range.clone(), |open| open.start..token.range.end),
        Kind::Text => match name_ahead(&mut tokens, way.last_mut(), &token) {
            Some(first) => tokens.value(&first),
            None => token.range,
        },
        _ => tokens.value(&token),
    };
    let steps = way.into_iter().filter_map(|open| match (open.is_object, open.name) {
        (true, Some(name)) => Some(Step::Name(name_of(&bytes[name]))),
        (true, None) => None,
        (false, _) => Some(Step::Place(open.place)),
    });
    Node { path: Path(steps.collect()), value, nth: 0 }
}

/// Where a text is a name: notes it, and gives the first token of its value.
fn name_ahead(tokens: &mut Tokens<'_>, open: Option<&mut Open>, token: &Token) -> Option<Token> {
    let open = open.filter(|open| open.is_object && open.name.is_none())?;
    if tokens.next()?.kind != Kind::Colon {
        return None;
    }
    open.name = Some(token.range.clone());
    tokens.next().filter(|first| !matches!(first.kind, Kind::Close | Kind::Comma | Kind::Colon))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(steps: &[&str]) -> Path {
        let step = |text: &&str| text.parse().map_or_else(|_| Step::Name((*text).to_owned()), Step::Place);
        Path(steps.iter().map(step).collect())
    }

    #[test]
    fn a_path_is_written_in_three_ways_and_read_in_each() {
        for (steps, jq, pointer, dots) in [
            (&[][..], ".", "", ""),
            (&["data", "items", "0", "id"], ".data.items[0].id", "/data/items/0/id", "data.items[0].id"),
            (&["0", "a b"], ".[0][\"a b\"]", "/0/a b", "[0][\"a b\"]"),
            (&["a/b", "x~y", "d.e"], ".[\"a/b\"][\"x~y\"][\"d.e\"]", "/a~1b/x~0y/d.e", "a/b[\"x~y\"][\"d.e\"]"),
            (&["x", "é\"", ""], ".x[\"é\\\"\"][\"\"]", "/x/é\"/", "x[\"é\\\"\"][\"\"]"),
        ] {
            let path = path(steps);
            let spelled = [Spelling::Jq, Spelling::Pointer, Spelling::Dots].map(|spelling| path.spelled(spelling));
            assert_eq!(spelled, [jq, pointer, dots]);
            assert_eq!(Path::parse(jq), Ok(path.clone()), "{jq}");
            assert_eq!(Path::parse(dots), Ok(path), "{dots}");
        }
        assert_eq!(Path::parse("/items/0").unwrap().find(b"{\"items\":[7]}"), Some(10..11));
        for wrong in ["a..b", "a.", "a[", "a[x]", "a[\"b", "[0"] {
            assert!(Path::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_last_of_two_members_of_one_name_counts() {
        let text = br#"{"a":1,"a":{"b":[true, 2]},"c":"x"}"#;
        let found = |path: &str| Path::parse(path).unwrap().find(text).map(|range| &text[range]);
        assert_eq!(found("a.b[1]"), Some(&b"2"[..]));
        assert_eq!(found("a.b.0"), Some(&b"true"[..]));
        assert_eq!(found("c"), Some(&b"\"x\""[..]));
        assert_eq!((found("c.d"), found("a.b[2]"), found("z")), (None, None, None));
        assert_eq!(found("."), Some(&text[..]));
    }

    #[test]
    fn a_place_in_the_bytes_has_its_path() {
        let text = br#"{"a":[1,{"b":"x"}],"c":{}} 7 [8]"#;
        let at = |needle: &[u8]| memchr::memmem::find(text, needle).unwrap();
        for (place, path, value, nth) in [
            (0, ".", &br#"{"a":[1,{"b":"x"}],"c":{}}"#[..], 0),
            (at(b"\"a\""), ".a", br#"[1,{"b":"x"}]"#, 0),
            (at(b"1,"), ".a[0]", b"1", 0),
            (at(b"{\"b\""), ".a[1]", br#"{"b":"x"}"#, 0),
            (at(b"\"b\""), ".a[1].b", b"\"x\"", 0),
            (at(b"\"x\""), ".a[1].b", b"\"x\"", 0),
            (at(b"}]"), ".a[1]", br#"{"b":"x"}"#, 0),
            (at(b"],"), ".a", br#"[1,{"b":"x"}]"#, 0),
            (at(b"\"c\""), ".c", b"{}", 0),
            (at(b"7"), ".", b"7", 1),
            (at(b"8"), ".[0]", b"8", 2),
        ] {
            let node = node(text, place).unwrap();
            assert_eq!(
                (&node.path.spelled(Spelling::Jq)[..], &text[node.value], node.nth),
                (path, value, nth),
                "{place}"
            );
        }
        assert_eq!(node(text, text.len()), None);
    }

    proptest! {
        #[test]
        fn no_bytes_and_no_path_panic(bytes in "[\\[\\]{}:,\"a1 \\\\]{0,40}", at in 0usize..45, text in "[a.\\[\\]\"/0~]{0,12}") {
            let _ = node(bytes.as_bytes(), at);
            if let Ok(path) = Path::parse(&text) {
                let _ = path.find(bytes.as_bytes());
            }
        }

        #[test]
        fn a_path_of_any_names_is_read_back(names in prop::collection::vec(".{0,6}", 0..4)) {
            let path = Path(names.into_iter().map(Step::Name).collect());
            prop_assert_eq!(Path::parse(&path.spelled(Spelling::Jq)).unwrap(), path.clone());
            prop_assert_eq!(Path::parse(&path.spelled(Spelling::Dots)).unwrap(), path);
        }
    }
}
