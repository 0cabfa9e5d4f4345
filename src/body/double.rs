//! Names that are there twice in one object: most readers keep the last and drop the others without a word.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    ops::Range,
};

use super::path::{Path, Step};
use crate::record::token::{Kind, Token, Tokens, text_of};

/// The largest body that is looked through, in bytes: the names of open objects are all kept in mind.
pub(super) const LOOKED_THROUGH: usize = 8 << 20;
/// How many are remembered.
const MOST: usize = 10_000;

/// Where names begin that their object had before, in order.
pub(super) fn doubled(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    if bytes.len() > LOOKED_THROUGH {
        return found;
    }
    // None for an array.
    let mut open: Vec<Option<HashSet<Cow<'_, [u8]>>>> = Vec::new();
    let mut last_text = None;
    for token in Tokens::new(bytes, 0) {
        match token.kind {
            Kind::Open => open.push((bytes[token.range.start] == b'{').then(HashSet::new)),
            Kind::Close => drop(open.pop()),
            Kind::Text => last_text = Some(token.range),
            Kind::Colon => {
                let (Some(Some(names)), Some(name)) = (open.last_mut(), last_text.take()) else { continue };
                if !names.insert(plain(&bytes[name.clone()])) {
                    found.push(name);
                }
            }
            Kind::Comma | Kind::Word => {}
        }
        if found.len() >= MOST {
            break;
        }
    }
    found
}

/// A value that a later one of the same name in its object makes most readers drop.
pub(super) struct Overridden {
    /// Where both stand.
    pub(super) path: Path,
    /// The value's place in the bytes.
    pub(super) value: Range<usize>,
}

/// An object or array that is not at its end.
struct Open {
    start: usize,
    /// The last value of each name so far; none for an array.
    members: Option<HashMap<String, Range<usize>>>,
}

/// The values that readers drop, in the order in which they are dropped.
pub(super) fn overridden(bytes: &[u8]) -> Vec<Overridden> {
    let (mut found, mut open, mut path) = (Vec::new(), Vec::<Open>::new(), Path::default());
    let mut last_text = None;
    for Token { kind, range } in Tokens::new(bytes, 0) {
        match kind {
            Kind::Open => {
                let members = (bytes[range.start] == b'{').then(HashMap::new);
                // The members of an array have places, which count on at its commas; those of an object names.
                path.0.extend(members.is_none().then_some(Step::Place(0)));
                open.push(Open { start: range.start, members });
            }
            Kind::Close => {
                let Some(Open { start, members }) = open.pop() else { break };
                if members.is_none() {
                    path.0.pop();
                }
                ended(&mut open, &mut path, start..range.end, &mut found);
            }
            Kind::Colon => {
                let name = last_text.take().map(|name: Range<usize>| text_of(&bytes[name]));
                path.0.extend(name.map(|name| Step::Name(String::from_utf8_lossy(&name).into_owned())));
            }
            Kind::Comma => {
                let is_in_array = open.last().is_some_and(|open| open.members.is_none());
                if let Some(Step::Place(place)) = path.0.last_mut().filter(|_| is_in_array) {
                    *place += 1;
                }
            }
            Kind::Text if is_name(bytes, range.end, open.last()) => last_text = Some(range),
            Kind::Text | Kind::Word => ended(&mut open, &mut path, range, &mut found),
        }
        if found.len() >= MOST {
            break;
        }
    }
    found
}

/// Whether a string that ends there is the name of a member.
fn is_name(bytes: &[u8], end: usize, open: Option<&Open>) -> bool {
    let is_object = open.is_some_and(|open| open.members.is_some());
    is_object && Tokens::new(bytes, end).next().is_some_and(|token| token.kind == Kind::Colon)
}

/// What the end of a value means: a member is at its end, and the one of its name before it is dropped.
fn ended(open: &mut [Open], path: &mut Path, value: Range<usize>, found: &mut Vec<Overridden>) {
    let Some(members) = open.last_mut().and_then(|open| open.members.as_mut()) else { return };
    let Some(Step::Name(name)) = path.0.last() else { return };
    if let Some(value) = members.insert(name.clone(), value) {
        found.push(Overridden { path: path.clone(), value });
    }
    path.0.pop();
}

/// A name without what is escaped in it: `"a"` and `"\u0061"` are one name.
fn plain(name: &[u8]) -> Cow<'_, [u8]> {
    if name.contains(&b'\\')
        && let Ok(text) = serde_json::from_slice::<String>(name)
    {
        return Cow::Owned(serde_json::Value::from(text).to_string().into_bytes());
    }
    Cow::Borrowed(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::path::Spelling;

    #[test]
    fn a_name_counts_within_its_own_object() {
        let text = br#"{"a":{"a":1},"b":[{"a":1},{"a":2}],"\u0061":3,"b":"b"}"#;
        let names: Vec<_> = doubled(text).into_iter().map(|name| &text[name]).collect();
        assert_eq!(names, [&br#""\u0061""#[..], b"\"b\""]);
        assert!(doubled(b"}}{\"a\":[\"a\":\"a\":1").is_empty());
    }

    #[test]
    fn what_readers_drop_is_told_with_its_path() {
        let found = |text: &str| {
            let of = |it: Overridden| format!("{} {}", it.path.spelled(Spelling::Jq), &text[it.value]);
            overridden(text.as_bytes()).into_iter().map(of).collect::<Vec<_>>()
        };
        assert_eq!(
            found(r#"{"a":1,"b":[0,{"c":{"x":[1]},"\u0063":"two","c":3}],"a":null}"#),
            [r#".b[1].c {"x":[1]}"#, r#".b[1].c "two""#, ".a 1"]
        );
        assert!(found(r#"{"a":"a","b":{"a":["a","a"]},"c":{"a":1}}"#).is_empty());
        assert!(overridden(b"}}{\"a\":[\"a\":\"a\":1,,:]]").is_empty());
    }
}
