//! Forms and queries: `name=value` pairs joined by `&`, percent-encoded, a `+` for a space.
//!
//! Decoded to bytes, not to text: a signature covers bytes, and two that no text can hold must not become one.

use std::borrow::Cow;

/// A name and its value, both decoded.
pub type Pair<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

/// The pairs in the order they came.
pub fn pairs(encoded: &[u8]) -> impl Iterator<Item = Pair<'_>> {
    encoded.split(|&b| b == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
        let at = pair.iter().position(|&b| b == b'=');
        let (name, value) = at.map_or((pair, &b""[..]), |at| (&pair[..at], &pair[at + 1..]));
        (decode(name), decode(value))
    })
}

/// The first value of that name.
pub fn value<'a>(encoded: &'a [u8], name: &str) -> Option<Cow<'a, [u8]>> {
    pairs(encoded).find(|(n, _)| **n == *name.as_bytes()).map(|(_, value)| value)
}

/// A name or a value without its escapes.
pub fn decode(encoded: &[u8]) -> Cow<'_, [u8]> {
    if !encoded.iter().any(|b| matches!(b, b'%' | b'+')) {
        return Cow::Borrowed(encoded);
    }
    decoded(encoded).map(|(byte, _)| byte).collect::<Vec<_>>().into()
}

/// Each byte that an encoded text says, and the place where it stands in it.
pub fn decoded(encoded: &[u8]) -> impl Iterator<Item = (u8, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let place = at;
        let (byte, length) = match encoded.get(at..)? {
            [] => return None,
            [b'+', ..] => (b' ', 1),
            [b'%', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                (digit(*high) << 4 | digit(*low), 3)
            }
            [first, ..] => (*first, 1),
        };
        at += length;
        Some((byte, place))
    })
}

fn digit(hex: u8) -> u8 {
    match hex {
        b'0'..=b'9' => hex - b'0',
        _ => (hex | 0x20) - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded_and_odd_ones_kept() {
        let pairs: Vec<_> = pairs(b"a=1&&b&c=x%2By+z&=v&d=%zz%4").collect();
        let text: Vec<_> = pairs.iter().map(|(n, v)| [n, v].map(|b| String::from_utf8_lossy(b).into_owned())).collect();
        assert_eq!(text, [["a", "1"], ["b", ""], ["c", "x+y z"], ["", "v"], ["d", "%zz%4"]]);
        assert_eq!(value(b"x=1&x=2", "x").as_deref(), Some(&b"1"[..]));
        assert_eq!(value(b"x=1", "y"), None);
    }
}
