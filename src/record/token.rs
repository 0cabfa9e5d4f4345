//! Tokens of JSON, one after another from any place in any bytes, valid or not: what paths, folds, tables and numbers are found with.

use std::{borrow::Cow, ops::Range};

use memchr::memchr2;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `{` or `[`.
    Open,
    /// `}` or `]`.
    Close,
    /// `,`.
    Comma,
    /// `:`.
    Colon,
    /// A string, with its quotes.
    Text,
    /// Anything else that is no white space.
    Word,
}

/// A token and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Where it stands: places in the bytes.
    pub range: Range<usize>,
}

/// The tokens from a place on.
pub struct Tokens<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Tokens<'a> {
    /// Those of `bytes` from the place `at` on, which is no place within a token.
    pub fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at: at.min(bytes.len()) }
    }

    /// The value that begins with a token, up to its end or that of the bytes: a whole object or array.
    pub fn value(&mut self, first: &Token) -> Range<usize> {
        if first.kind != Kind::Open {
            return first.range.clone();
        }
        let mut open = 1_usize;
        for token in self.by_ref() {
            match token.kind {
                Kind::Open => open += 1,
                Kind::Close => open -= 1,
                _ => {}
            }
            if open == 0 {
                return first.range.start..token.range.end;
            }
        }
        first.range.start..self.bytes.len()
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let start = after_space(self.bytes, self.at);
        let (kind, end) = match self.bytes.get(start)? {
            b'{' | b'[' => (Kind::Open, start + 1),
            b'}' | b']' => (Kind::Close, start + 1),
            b',' => (Kind::Comma, start + 1),
            b':' => (Kind::Colon, start + 1),
            b'"' => (Kind::Text, string_end(self.bytes, start).unwrap_or(self.bytes.len())),
            _ => (Kind::Word, word_end(self.bytes, start)),
        };
        self.at = end;
        Some(Token { kind, range: start..end })
    }
}

/// The first place from there on that is no white space of JSON.
pub fn after_space(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    at + rest.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).unwrap_or(rest.len())
}

/// The place after the closing quote of a string that begins there; none where it has none.
pub fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found;
        if bytes[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
    None
}

/// What a string says: without its quotes, its escapes undone; as it stands where they are none of JSON's.
pub fn text_of(string: &[u8]) -> Cow<'_, [u8]> {
    let text = string.strip_prefix(b"\"").unwrap_or(string);
    let text = text.strip_suffix(b"\"").unwrap_or(text);
    if !text.contains(&b'\\') {
        return Cow::Borrowed(text);
    }
    serde_json::from_slice::<String>(string).map_or(Cow::Borrowed(text), |text| Cow::Owned(text.into_bytes()))
}

/// The place after a word: before the next white space or mark.
pub fn word_end(bytes: &[u8], start: usize) -> usize {
    let stop =
        |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b':' | b'{' | b'}' | b'[' | b']' | b'"');
    let rest = &bytes[start..];
    start + rest.iter().position(stop).unwrap_or(rest.len())
}

/// The members of the object or the elements of the array that begins there, each with its name, until the value ends.
pub struct Members<'a> {
    tokens: Tokens<'a>,
    is_object: bool,
    /// An element that was passed while a name was looked for.
    ended: bool,
}

/// A member's name, with its quotes, and its value.
pub struct Member {
    /// None for an element of an array.
    pub name: Option<Range<usize>>,
    /// All of it, with its quotes or brackets.
    pub value: Range<usize>,
}

impl<'a> Members<'a> {
    /// None where no object or array begins there.
    pub fn of(bytes: &'a [u8], at: usize) -> Option<Self> {
        let mut tokens = Tokens::new(bytes, at);
        let first = tokens.next().filter(|token| token.kind == Kind::Open)?;
        Some(Self { is_object: bytes[first.range.start] == b'{', tokens, ended: false })
    }

    /// Whether they have names.
    pub fn is_object(&self) -> bool {
        self.is_object
    }
}

impl Iterator for Members<'_> {
    type Item = Member;

    fn next(&mut self) -> Option<Member> {
        let mut name = None;
        while !self.ended {
            let token = self.tokens.next()?;
            match token.kind {
                Kind::Close => self.ended = true,
                Kind::Comma => name = None,
                Kind::Colon => {}
                Kind::Text if self.is_object && name.is_none() => name = Some(token.range),
                _ => return Some(Member { name, value: self.tokens.value(&token) }),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_with_their_names() {
        let text = br#" {"a": [1, {"x": "}"}], "b":"\"", "c":{}} tail"#;
        let members = Members::of(text, 0).unwrap();
        assert!(members.is_object());
        let found: Vec<_> = members
            .map(|member| {
                let text = |range: Range<usize>| std::str::from_utf8(&text[range]).unwrap().to_owned();
                (text(member.name.unwrap()), text(member.value))
            })
            .collect();
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(found, [pair("\"a\"", "[1, {\"x\": \"}\"}]"), pair("\"b\"", r#""\"""#), pair("\"c\"", "{}")]);
        assert_eq!(Members::of(b"[1, [2], 3", 0).unwrap().count(), 3);
        assert!(Members::of(b"7", 0).is_none());
    }
}
