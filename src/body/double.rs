//! Names that are there twice in one object: most readers keep the last and drop the others without a word.

use std::{borrow::Cow, collections::HashMap, ops::Range};

use super::path::{Path, Step, name_of};
use crate::record::token::{Kind, Token, Tokens, text_of};

/// The largest body that is looked through, in bytes: the names of open objects are all kept in mind.
const LOOKED_THROUGH: usize = 8 << 20;
/// How many are remembered.
const MOST: usize = 10_000;
/// How much of a name is kept for each that stands below it, in bytes.
const NAME_BYTES: usize = 200;

/// Where names begin that their object had before, in order.
pub(super) fn doubled(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    each(bytes, |again| found.push(again.name));
    found
}

/// A value that a later one of the same name in its object makes most readers drop.
pub(super) struct Overridden {
    /// Where both stand.
    pub(super) path: Path,
    /// The value's place in the bytes.
    pub(super) value: Range<usize>,
}

/// The values that readers drop, in the order of the names that make them.
pub(super) fn overridden(bytes: &[u8]) -> Vec<Overridden> {
    let mut found = Vec::new();
    each(bytes, |again| {
        let steps = again.way.iter().filter_map(|open| match (&open.members, &open.name) {
            (None, _) => Some(Step::Place(open.place)),
            (Some(_), name) => name.as_ref().map(|name| Step::Name(shortened(&bytes[name.clone()]))),
        });
        found.push(Overridden { path: Path(steps.collect()), value: again.value });
    });
    found
}

/// A name of a path, which is kept as often as something stands below it.
fn shortened(token: &[u8]) -> String {
    if token.len() <= NAME_BYTES { name_of(token) } else { name_of(&token[..NAME_BYTES]) + "…" }
}

/// An object or array that is not at its end.
struct Open<'b> {
    start: usize,
    /// The last value of each name so far; none for an array.
    members: Option<HashMap<Cow<'b, [u8]>, Range<usize>>>,
    /// The name of the value that comes.
    name: Option<Range<usize>>,
    place: usize,
}

/// A name that was there before.
struct Again<'o, 'b> {
    name: Range<usize>,
    /// The value that stood under it.
    value: Range<usize>,
    /// What is open there, the outermost first.
    way: &'o [Open<'b>],
}

/// Tells each name that its object had before; the first ones, where there are many.
fn each(bytes: &[u8], mut take: impl FnMut(Again<'_, '_>)) {
    let (mut open, mut last_text, mut count) = (Vec::<Open<'_>>::new(), None, 0);
    let tokens = Tokens::new(bytes, if bytes.len() > LOOKED_THROUGH { bytes.len() } else { 0 });
    for Token { kind, range } in tokens {
        match kind {
            Kind::Open => {
                let members = (bytes[range.start] == b'{').then(HashMap::new);
                open.push(Open { start: range.start, members, name: None, place: 0 });
            }
            Kind::Close => {
                let Some(closed) = open.pop() else { continue };
                ended(bytes, &mut open, closed.start..range.end);
            }
            Kind::Comma => {
                let Some(open) = open.last_mut() else { continue };
                (open.place, open.name) = (open.place + 1, None);
            }
            Kind::Colon => {
                let Some(Open { members: Some(members), name, .. }) = open.last_mut() else { continue };
                let Some(text) = last_text.take() else { continue };
                *name = Some(Range::clone(&text));
                let Some(value) = members.get(&text_of(&bytes[text.clone()])).cloned() else { continue };
                take(Again { name: text, value, way: &open });
                count += 1;
            }
            Kind::Text => {
                last_text = Some(range.clone());
                ended(bytes, &mut open, range);
            }
            Kind::Word => ended(bytes, &mut open, range),
        }
        if count >= MOST {
            break;
        }
    }
}

/// What the end of a value means: the member that it is of is at its end.
fn ended<'b>(bytes: &'b [u8], open: &mut [Open<'b>], value: Range<usize>) {
    if let Some(Open { members: Some(members), name, .. }) = open.last_mut()
        && let Some(name) = name.take()
    {
        members.insert(text_of(&bytes[name]), value);
    }
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
        assert_eq!(found(r#"{"a":1,"a":{"b":[[2]],"b":3}}"#), [".a 1", ".a.b [[2]]"]);
        assert!(found(r#"{"a":"a","b":{"a":["a","a"]},"c":{"a":1}}"#).is_empty());
        assert!(overridden(b"}}{\"a\":[\"a\":\"a\":1,,:]]").is_empty());
    }
}
