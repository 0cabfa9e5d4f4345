//! Reads a few values out of a JSON text without building the rest.
//!
//! This runs for every captured request, on the network thread, and for every capture that a filter looks into: the text is
//! passed over once, nothing is kept of it but the values asked for, and a text that breaks off gives what stood before
//! the break.

use std::{borrow::Cow, fmt, mem};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::token::{Kind, Token, Tokens, text_of};

/// How deep brackets may lie in each other for what is in them to be read.
const DEEPEST: usize = 1_000;

/// The paths to look for, as a tree: each has a slot into which its value goes.
#[derive(Clone, Debug, Default)]
pub struct Paths {
    slots: Vec<usize>,
    children: Vec<(Step, Paths)>,
}

/// One step of a path: a name in an object, and the place in an array where it is a number.
#[derive(Clone, Debug)]
struct Step {
    name: String,
    index: Option<usize>,
}

impl Paths {
    /// Adds a path (`data.object.id`, `events.0.type`) whose value shall go to that slot.
    pub fn add(&mut self, path: &str, slot: usize) {
        self.add_steps(path.split('.'), slot);
    }

    /// The same of a path in its steps, which may have dots in them.
    pub fn add_steps<'s>(&mut self, steps: impl IntoIterator<Item = &'s str>, slot: usize) {
        let end = steps.into_iter().fold(self, |node, name| node.child(name));
        end.slots.push(slot);
    }

    fn child(&mut self, name: &str) -> &mut Self {
        let at = self.children.iter().position(|(step, _)| step.name == name).unwrap_or_else(|| {
            self.children.push((Step { name: name.to_owned(), index: name.parse().ok() }, Self::default()));
            self.children.len() - 1
        });
        &mut self.children[at].1
    }

    /// Whether there is no path.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty() && self.children.is_empty()
    }

    /// Fills the slots whose paths lead to a text, a number or a boolean. Of a name given twice the last one counts, as
    /// in every JSON reader that an app would use.
    pub fn find(&self, text: &[u8], found: &mut [Option<String>]) {
        if looks_like_json(text) && !self.is_empty() {
            let text = &text[mark_bytes(text)..];
            // A text that breaks off is an error here; what was found before it stays found.
            let _ = Walk { paths: Some(self), found }.deserialize(&mut serde_json::Deserializer::from_slice(text));
        }
    }
}

/// Whether a text begins as an object or an array does, behind a byte order mark perhaps.
pub fn looks_like_json(text: &[u8]) -> bool {
    text[mark_bytes(text)..].trim_ascii_start().first().is_some_and(|first| matches!(first, b'{' | b'['))
}

/// The byte order mark in UTF-8. JSON must not begin with one (RFC 8259, section 8.1), and some senders' does.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// How many bytes the byte order mark at the beginning takes.
pub fn mark_bytes(bytes: &[u8]) -> usize {
    if bytes.starts_with(MARK) { MARK.len() } else { 0 }
}

/// A value that holds no others and is not `null`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scalar<'a> {
    /// A string, its escapes undone.
    Text(Cow<'a, [u8]>),
    /// Anything else, as it is written.
    Word(&'a [u8]),
}

/// Hands on each value of a text of JSON, or of what there is of one, with the name it lies below: `name` where there is none.
/// False where not all was read, because it lies more than a thousand deep.
pub fn scalars<'a>(text: &'a [u8], name: &'a [u8], mut take: impl FnMut(&[u8], Scalar<'a>)) -> bool {
    let mut tokens = Tokens::new(text, mark_bytes(text)).peekable();
    // The name of what comes; and of each bracket that is open the name before it, where another one came in it. A name may be as
    // long as the text, and is not kept for each bracket that lies below it.
    let (mut name, mut names) = (Cow::Borrowed(name), Vec::<Option<Cow<'_, [u8]>>>::new());
    while let Some(Token { kind, range }) = tokens.next() {
        let bytes = &text[range];
        match kind {
            Kind::Open if names.len() >= DEEPEST => return false,
            Kind::Open => names.push(None),
            Kind::Close => name = names.pop().flatten().unwrap_or(name),
            Kind::Text if tokens.peek().is_some_and(|next| next.kind == Kind::Colon) => {
                let before = mem::replace(&mut name, text_of(bytes));
                if let Some(outer @ None) = names.last_mut() {
                    *outer = Some(before);
                }
            }
            Kind::Text => take(&name, Scalar::Text(text_of(bytes))),
            Kind::Word if bytes != b"null" => take(&name, Scalar::Word(bytes)),
            Kind::Word | Kind::Comma | Kind::Colon => {}
        }
    }
    true
}

/// The value at that path, where it is a text, a number or a boolean.
pub fn value(text: &[u8], paths: &Paths) -> Option<String> {
    let mut found = [None];
    paths.find(text, &mut found);
    let [value] = found;
    value
}

/// The name of the n-th member of an object, from 0.
pub fn key(text: &[u8], at: usize) -> Option<String> {
    let mut found = None;
    // What breaks off after the name does not matter.
    let _ = Keys { at, found: &mut found }.deserialize(&mut serde_json::Deserializer::from_slice(text));
    found
}

/// Passes over an object's members and takes one's name.
struct Keys<'f> {
    at: usize,
    found: &'f mut Option<String>,
}

impl<'de> DeserializeSeed<'de> for Keys<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Keys<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        for at in 0.. {
            let Some(name) = map.next_key::<String>()? else { break };
            if at == self.at {
                *self.found = Some(name);
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

struct Walk<'p, 'f> {
    /// What to look for below here; None: nothing.
    paths: Option<&'p Paths>,
    found: &'f mut [Option<String>],
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.paths {
            None => deserializer.deserialize_ignored_any(IgnoredAny).map(drop),
            Some(paths) if paths.slots.is_empty() => deserializer.deserialize_any(self),
            Some(paths) => {
                let raw: &'de RawValue = serde::Deserialize::deserialize(deserializer)?;
                fill(paths, raw.get(), self.found);
                Ok(())
            }
        }
    }
}

fn fill(paths: &Paths, raw: &str, found: &mut [Option<String>]) {
    let value = scalar(raw);
    for &slot in &paths.slots {
        if let Some(place) = found.get_mut(slot) {
            place.clone_from(&value);
        }
    }
    if !paths.children.is_empty() {
        let below = Paths { slots: Vec::new(), children: paths.children.clone() };
        below.find(raw.as_bytes(), found);
    }
}

fn scalar(raw: &str) -> Option<String> {
    match raw.as_bytes().first()? {
        b'"' => serde_json::from_str(raw).ok(),
        b'{' | b'[' | b'n' => None,
        _ => Some(raw.to_owned()),
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let children = self.paths.map_or(&[][..], |paths| &paths.children);
        while let Some(paths) = map.next_key_seed(Name(children))? {
            map.next_value_seed(Walk { paths, found: self.found })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let children = self.paths.map_or(&[][..], |paths| &paths.children);
        for at in 0.. {
            let paths = children.iter().find(|(step, _)| step.index == Some(at)).map(|(_, paths)| paths);
            if seq.next_element_seed(Walk { paths, found: self.found })?.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// Reads a name in an object and says where it leads.
struct Name<'p>(&'p [(Step, Paths)]);

impl<'de, 'p> DeserializeSeed<'de> for Name<'p> {
    type Value = Option<&'p Paths>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'p> Visitor<'_> for Name<'p> {
    type Value = Option<&'p Paths>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().find(|(step, _)| step.name == name).map(|(_, paths)| paths))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(text: &str, paths: &[&str]) -> Vec<Option<String>> {
        let mut tree = Paths::default();
        paths.iter().enumerate().for_each(|(slot, path)| tree.add(path, slot));
        let mut found = vec![None; paths.len()];
        tree.find(text.as_bytes(), &mut found);
        found
    }

    #[test]
    fn each_value_is_told_with_the_name_it_lies_below() {
        let told = |text: &str| {
            let mut all = Vec::new();
            let is_whole = scalars(text.as_bytes(), b"root", |name, scalar| {
                let value = match scalar {
                    Scalar::Text(text) => format!("{:?}", String::from_utf8_lossy(&text)),
                    Scalar::Word(word) => String::from_utf8_lossy(word).into_owned(),
                };
                all.push(format!("{}={value}", String::from_utf8_lossy(name)));
            });
            (all.join(" "), is_whole)
        };
        let text = r#"{"a":1,"l":[2,{"b":"t"},3],"\u0063":"\u0031","n":null,"d":{"e":true},"f":[[4],5]} 6"#;
        let expected = r#"a=1 l=2 b="t" l=3 c="1" e=true f=4 f=5 root=6"#;
        assert_eq!(told(text), (expected.to_owned(), true));
        assert_eq!(told(r#"{"a":{"b":1},"c":"#).0, "b=1");
        assert_eq!(told(&"[".repeat(1_001)), (String::new(), false));
        let long = "\\u0061".repeat(4 << 20);
        let mut lengths = 0;
        let deep = format!("{{\"{long}\":{}1{},\"b\":2}}", "[".repeat(999), "]".repeat(999));
        assert!(
            scalars(deep.as_bytes(), b"", |name, _| lengths = lengths * 10 + name.len()),
            "once, and not a thousand times"
        );
        assert_eq!(lengths, 10 * (4 << 20) + 1);
    }

    #[test]
    fn values_are_found_where_they_are() {
        let text = r#" {"id":"evt_1","n":1.50,"big":12345678901234567890123,"yes":true,"none":null,
            "data":{"object":{"id":"é\n"},"list":[{"t":"a"},{"t":"b"}]},"type":"x.y"}"#;
        let cases = [
            ("id", Some("evt_1")),
            ("n", Some("1.50")),
            ("big", Some("12345678901234567890123")),
            ("yes", Some("true")),
            ("none", None),
            ("data", None),
            ("data.object.id", Some("é\n")),
            ("data.list.1.t", Some("b")),
            ("data.list.2.t", None),
            ("id.x", None),
            ("n.x", None),
            ("type", Some("x.y")),
            ("absent", None),
        ];
        let found = find(text, &cases.map(|case| case.0));
        for ((path, expected), found) in cases.iter().zip(found) {
            assert_eq!(found.as_deref(), *expected, "{path}");
        }
        assert_eq!(find(r#"[{"type":"first"}]"#, &["0.type"]), [Some("first".to_owned())]);
    }

    #[test]
    fn a_member_s_name_is_found_by_its_place() {
        let text = br#"{"update_id":1,"message":{"a":1}}"#;
        assert_eq!(
            [key(text, 0), key(text, 1), key(text, 2)].map(Option::unwrap_or_default),
            ["update_id", "message", ""]
        );
        assert_eq!((key(b"[1]", 0), key(b"", 0)), (None, None));
    }

    #[test]
    fn the_last_of_equal_names_counts() {
        assert_eq!(find(r#"{"id":"a","id":"b"}"#, &["id"]), [Some("b".to_owned())]);
    }

    #[test]
    fn a_text_that_breaks_off_gives_what_stood_before() {
        assert_eq!(find(r#"{"id":"a","type":"unfin"#, &["id", "type"]), [Some("a".to_owned()), None]);
        assert_eq!(find("", &["id"]), [None]);
        assert_eq!(find("id=a", &["id"]), [None]);
        assert_eq!(find(&"[".repeat(100_000), &["0.0.0.id"]), [None]);
        assert_eq!(find(&r#"{"a":"#.repeat(100_000), &["a.a.a"]), [None]);
    }

    #[test]
    fn bytes_that_are_no_text_do_no_harm() {
        let mut tree = Paths::default();
        tree.add("id", 0);
        assert_eq!(value(b"{\"x\":\"\xff\",\"id\":\"a\"}", &tree).as_deref(), Some("a"));
        assert_eq!(value(b"{\"id\":\"\xff\"}", &tree), None);
    }
}
