//! The shape of the text that holds the signature: the signature alone, or one item of a list.

use std::borrow::Cow;

use super::{encoding::Encoding, mac::Algorithm};

/// How many signatures of one header are looked at. Senders write two while a secret is rotated; each costs a check.
const MAX_SIGNATURES: usize = 16;

/// How the signature stands in its header.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    /// What stands before the signature: `sha256=`.
    pub(super) prefix: String,
    /// What separates several lists in one header, each with a timestamp of its own: a space (Persona).
    pub(super) sets: Option<String>,
    /// The list, where it is an item of one.
    pub(super) list: Option<List>,
    /// Whether its timestamp is written behind it (Ghost), where both are items of one list.
    pub(super) time_last: bool,
}

/// A list like `t=1,v1=abc,v1=def` or `v1,abc v1,def`.
#[derive(Clone, Debug)]
pub(super) struct List {
    /// What separates two items, as it is written: `,`.
    pub(super) split: String,
    /// How an item is divided into its key and its value; None: every item is a signature.
    pub(super) item: Option<Item>,
}

impl List {
    /// What separates two items of one that is read: the blanks around a comma are the sender's to choose, unless the comma alone
    /// stands between key and value.
    fn separator(&self) -> &str {
        let bare = self.split.trim();
        let is_pair = self.item.as_ref().is_some_and(|item| item.pair == bare);
        if bare.is_empty() || is_pair { &self.split } else { bare }
    }
}

/// An item with a key.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// What stands between key and value: `=`.
    pub(super) pair: String,
    /// The key of a signature: `v1`; `*` for any.
    pub(super) key: String,
}

/// A received header that holds a signature, with its shape.
#[derive(Clone, Copy)]
pub(super) struct Sent<'a> {
    /// The shape.
    pub(super) shape: &'a Shape,
    /// The received text.
    pub(super) text: &'a [u8],
}

impl<'a> Sent<'a> {
    /// The text without its prefix.
    pub(super) fn bare(&self) -> &'a [u8] {
        self.text.strip_prefix(self.shape.prefix.as_bytes()).unwrap_or(self.text)
    }

    /// The n-th item of the list.
    pub(super) fn item(&self, at: usize) -> Option<&'a [u8]> {
        let list = self.shape.list.as_ref()?;
        items(self.text, list.separator()).nth(at)
    }

    /// The value of the last item of that key: of two timestamps the last counts, as in Stripe's libraries.
    pub(super) fn last(&self, key: &str) -> Option<&'a [u8]> {
        self.values(key).last()
    }

    /// The signatures, decoded. The error says what is wrong, in words that can follow the name of the header.
    pub(super) fn signatures(&self, algorithm: Algorithm, encoding: Encoding) -> Result<Vec<Vec<u8>>, String> {
        let candidates = self.candidates();
        if candidates.is_empty() {
            return Err(format!("has no item {}", self.shape.described()));
        }
        let bare: Vec<_> = candidates.iter().filter_map(|c| c.strip_prefix(self.shape.prefix.as_bytes())).collect();
        if bare.is_empty() {
            return Err(format!("does not begin with {}", self.shape.prefix));
        }
        let fits = |bytes: &Vec<u8>| algorithm.length().is_none_or(|length| bytes.len() == length);
        let decoded: Vec<Vec<u8>> =
            bare.iter().filter_map(|text| encoding.read(text)).map(Into::into).filter(fits).collect();
        match (decoded.is_empty(), algorithm.length()) {
            (true, Some(length)) => Err(format!("holds no {length} bytes in {}", encoding.name())),
            (true, None) => Err("cannot be decoded".to_owned()),
            (false, _) => Ok(decoded),
        }
    }

    fn candidates(&self) -> Vec<&'a [u8]> {
        match &self.shape.list {
            None => vec![self.text],
            Some(list @ List { item: None, .. }) => items(self.text, list.separator()).take(MAX_SIGNATURES).collect(),
            Some(List { item: Some(item), .. }) => self.values(&item.key).take(MAX_SIGNATURES).collect(),
        }
    }

    fn values<'k>(&self, key: &'k str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'k> {
        let text = self.text;
        let list = self.shape.list.as_ref();
        let parts = list.and_then(|list| list.item.as_ref().map(|item| (list.separator(), &item.pair)));
        parts.into_iter().flat_map(move |(split, pair)| {
            items(text, split).filter_map(move |item| match key {
                "*" => memchr::memmem::find(item, pair.as_bytes()).map(|at| &item[at + pair.len()..]),
                _ => item.strip_prefix(key.as_bytes())?.strip_prefix(pair.as_bytes()),
            })
        })
    }
}

impl Shape {
    /// Writes a signature, and its timestamp where that is an item of the same list.
    pub(super) fn write(&self, signature: &str, timestamp: Option<(&str, &[u8])>) -> String {
        let signature = format!("{}{signature}", self.prefix);
        let Some(List { split, item }) = &self.list else { return signature };
        let Some(Item { pair, key }) = item else {
            return match timestamp {
                None => signature,
                Some((_, value)) => format!("{}{split}{signature}", String::from_utf8_lossy(value)),
            };
        };
        // Whose the signature is stands before it, and is not ours to say.
        if key == "*" {
            return signature;
        }
        let item = format!("{key}{pair}{signature}");
        match timestamp {
            None => item,
            Some((key, value)) => {
                let time = format!("{key}{pair}{}", String::from_utf8_lossy(value));
                if self.time_last { format!("{item}{split}{time}") } else { format!("{time}{split}{item}") }
            }
        }
    }

    /// What stands between the name of whose signature it is and the signature, where any name may stand there.
    pub(super) fn owner_pair(&self) -> Option<&str> {
        let item = self.list.as_ref()?.item.as_ref()?;
        (item.key == "*").then_some(&*item.pair)
    }

    /// A written list with further items.
    pub(super) fn with_items<'k>(&self, list: String, items: impl Iterator<Item = (&'k str, String)>) -> String {
        let Some(List { split, item: Some(Item { pair, .. }) }) = &self.list else { return list };
        items.fold(list, |list, (key, value)| format!("{list}{split}{key}{pair}{value}"))
    }

    /// The lists of one text.
    pub(super) fn sets<'a>(&self, text: Cow<'a, [u8]>) -> Vec<Cow<'a, [u8]>> {
        match &self.sets {
            None => vec![text],
            Some(split) => items(&text, split).map(|set| Cow::Owned(set.to_vec())).collect(),
        }
    }

    /// What the text looks like, for eyes: `v1=SIGNATURE`.
    pub(super) fn described(&self) -> String {
        let what = format!("{}SIGNATURE", self.prefix);
        match &self.list {
            Some(List { item: Some(Item { pair, key }), .. }) => format!("{key}{pair}{what}"),
            _ => what,
        }
    }
}

fn items<'a>(text: &'a [u8], split: &str) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    let split = split.as_bytes().to_vec();
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let at = text.windows(split.len().max(1)).position(|window| window == split);
        rest = at.map(|at| &text[at + split.len()..]);
        // Some senders put a space after the comma; no signature begins with one.
        Some(at.map_or(text, |at| &text[..at]).trim_ascii_start())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(split: &str, pair: &str, key: &str) -> Shape {
        let item = Some(Item { pair: pair.to_owned(), key: key.to_owned() });
        Shape { list: Some(List { split: split.to_owned(), item }), ..Shape::default() }
    }

    fn texts(shape: &Shape, text: &str) -> Result<Vec<String>, String> {
        let found = Sent { shape, text: text.as_bytes() }.signatures(Algorithm::Token, Encoding::Text)?;
        Ok(found.into_iter().map(|bytes| String::from_utf8(bytes).unwrap()).collect())
    }

    #[test]
    fn signatures_are_taken_out_of_lists() {
        let stripe = list(",", "=", "v1");
        assert_eq!(texts(&stripe, "t=1,v1=a,v0=b,v1=c=").unwrap(), ["a", "c="]);
        assert_eq!(Sent { shape: &stripe, text: b"t=1,v1=a,t=2" }.last("t"), Some(&b"2"[..]));
        assert_eq!(texts(&list(" ", ",", "v1"), "v1,a v1a,b v2,c v1,d").unwrap(), ["a", "d"]);
        let bare = Shape { list: Some(List { split: ", ".to_owned(), item: None }), ..Shape::default() };
        assert_eq!(texts(&bare, "a, b").unwrap(), ["a", "b"]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(texts(&list(",", "=", "v1"), "t=1,v0=b").unwrap_err(), "has no item v1=SIGNATURE");
        let prefixed = Shape { prefix: "sha256=".to_owned(), ..Shape::default() };
        assert_eq!(texts(&prefixed, "sha1=a").unwrap_err(), "does not begin with sha256=");
        let short = Sent { shape: &prefixed, text: b"sha256=abcd" }.signatures(Algorithm::HmacSha256, Encoding::Hex);
        assert_eq!(short.unwrap_err(), "holds no 32 bytes in hex");
    }

    #[test]
    fn blanks_around_a_separator_are_the_sender_s_to_choose() {
        let workos = list(", ", "=", "v1");
        assert_eq!(workos.write("abc", Some(("t", b"17"))), "t=17, v1=abc");
        for text in ["t=17, v1=abc", "t=17,v1=abc", "t=17,  v1=abc"] {
            assert_eq!(texts(&workos, text).unwrap(), ["abc"], "{text}");
        }
        // A comma that stands between key and value separates nothing.
        let supabase = list(", ", ",", "v1");
        assert_eq!(texts(&supabase, "v1,abc, v1,def").unwrap(), ["abc", "def"]);
        assert_eq!(texts(&list(" ", ",", "v1"), "v1,abc v1,def").unwrap(), ["abc", "def"]);
    }

    #[test]
    fn a_signature_is_written_as_it_is_read() {
        let stripe = list(",", "=", "v1");
        assert_eq!(stripe.write("abc", Some(("t", b"17"))), "t=17,v1=abc");
        let ghost = Shape { time_last: true, ..list(", ", "=", "sha256") };
        assert_eq!(ghost.write("abc", Some(("t", b"17"))), "sha256=abc, t=17");
        assert_eq!(list(" ", ",", "v1").write("abc", None), "v1,abc");
        let bare = Shape { list: Some(List { split: ",".to_owned(), item: None }), ..Shape::default() };
        assert_eq!(bare.write("abc", Some(("item", b"17"))), "17,abc");
        assert_eq!(Shape { prefix: "v0=".to_owned(), ..Shape::default() }.write("abc", None), "v0=abc");
    }
}
