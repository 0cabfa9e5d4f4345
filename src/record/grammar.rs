//! What HTTP lets stand where in a head: the same for who reads one and for who writes one.

/// Whether it is a token, as methods and the names of headers are (RFC 9110, section 5.6.2).
pub fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|&byte| is_of_token(byte))
}

/// Whether a byte may stand in a token.
pub fn is_of_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Whether a byte may stand in a header's value (RFC 9110, section 5.5): what is no control character, and a tab.
pub fn is_of_value(byte: u8) -> bool {
    byte == b'\t' || !byte.is_ascii_control()
}

/// Whether it can be sent as a target: a blank would end it, a control character is none of it (RFC 9112, section 3.2).
/// Bytes above ASCII are taken: senders use them, and they are kept.
pub fn is_target(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|&byte| byte != b' ' && !byte.is_ascii_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_stands_where_it_may() {
        let all = |is: fn(u8) -> bool| (0..=u8::MAX).filter(|&byte| is(byte)).count();
        assert_eq!(all(is_of_token), 26 + 26 + 10 + 15);
        assert_eq!(all(is_of_value), 256 - 33 + 1, "the 33 control characters but the tab");
        assert!(is_token(b"X-Hub_Signature") && is_target("/caf\u{e9}?a=[1]".as_bytes()));
        for wrong in ["", "a b", "a:b", "a\tb", "caf\u{e9}"] {
            assert!(!is_token(wrong.as_bytes()), "{wrong:?}");
        }
        for wrong in ["", "/a b", "/a\tb", "/a\x7f", "/a\r\nb"] {
            assert!(!is_target(wrong.as_bytes()), "{wrong:?}");
        }
    }
}
