//! Bytes as text without losing one.

use std::borrow::Cow;

/// Text that stands for exactly these bytes: UTF-8 where they are UTF-8, else ISO 8859-1 byte by byte, which is how
/// HTTP has always read field values that are not ASCII (RFC 9110, section 5.5).
///
/// This is for JSON and for comparing. What goes to a terminal passes the escaper in `body` afterwards.
pub fn lossless(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().copied().map(char::from).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::lossless;

    #[test]
    fn text_stays_and_other_bytes_become_latin_1() {
        assert_eq!(lossless("naïve ✓".as_bytes()), "naïve ✓");
        assert_eq!(lossless(b"caf\xe9 \x9b"), "caf\u{e9} \u{9b}");
    }
}
