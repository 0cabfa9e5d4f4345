//! Names that are there twice in one object: most readers keep the last and drop the others without a word.

use std::{borrow::Cow, collections::HashSet, ops::Range};

use crate::record::token::{Kind, Tokens};

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

    #[test]
    fn a_name_counts_within_its_own_object() {
        let text = br#"{"a":{"a":1},"b":[{"a":1},{"a":2}],"\u0061":3,"b":"b"}"#;
        let names: Vec<_> = doubled(text).into_iter().map(|name| &text[name]).collect();
        assert_eq!(names, [&br#""\u0061""#[..], b"\"b\""]);
        assert!(doubled(b"}}{\"a\":[\"a\":\"a\":1").is_empty());
    }
}
