//! Public keys as they are handed out: PEM (RFC 7468) of a key or of a certificate, or the DER inside in base64.

use super::encoding::read_secret_base64;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const CONTEXT_0: u8 = 0xa0;

/// The bytes of the public key itself: a point, an `RSAPublicKey`, the 32 bytes of Ed25519. None where the text holds
/// neither a key (RFC 5280, section 4.1.2.7) nor a certificate.
pub(super) fn public_key(text: &[u8]) -> Option<Vec<u8>> {
    let der = read_secret_base64(&base64_of(text)?)?;
    let (_, outer, _) = element(&der)?;
    key_info(&der).or_else(|| certificate_key(outer)).map(<[u8]>::to_vec)
}

/// The base64 between the lines of PEM, or the text where it has no such lines. Backslash-n stands for a line end, as
/// such keys are written in environment files.
fn base64_of(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?.replace("\\n", "\n");
    let inner = match text.split_once("-----BEGIN ") {
        None => &text[..],
        Some((_, after)) => after.split_once("-----")?.1.split("-----END").next()?,
    };
    Some(inner.bytes().filter(|b| !b.is_ascii_whitespace()).collect())
}

/// A `SubjectPublicKeyInfo`: the algorithm, then the key as a bit string.
fn key_info(der: &[u8]) -> Option<&[u8]> {
    let (_, inner, _) = element(der).filter(|it| it.0 == SEQUENCE)?;
    let (_, _, rest) = element(inner).filter(|it| it.0 == SEQUENCE)?;
    let (_, bits, _) = element(rest).filter(|it| it.0 == BIT_STRING)?;
    bits.strip_prefix(&[0])
}

/// The key of a certificate, given the inside of its outer sequence: after the version, the number, the algorithm, the
/// issuer, the validity and the subject.
fn certificate_key(outer: &[u8]) -> Option<&[u8]> {
    let (_, mut rest, _) = element(outer).filter(|it| it.0 == SEQUENCE)?;
    if let Some((CONTEXT_0, _, after)) = element(rest) {
        rest = after;
    }
    let (_, _, mut rest) = element(rest).filter(|it| it.0 == INTEGER)?;
    for _ in 0..4 {
        rest = element(rest)?.2;
    }
    key_info(rest)
}

/// The first element: its tag, what it holds, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let digits = usize::from(first & 0x7f);
        let number = rest.get(..digits).filter(|_| (1..=4).contains(&digits))?;
        (number.iter().fold(0, |sum, &byte| sum << 8 | usize::from(byte)), &rest[digits..])
    };
    let content = rest.get(..length)?;
    Some((tag, content, &rest[length..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8410, section 10.1.
    const ED25519: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";

    #[test]
    fn a_key_is_read_however_it_is_handed_out() {
        let expected = hex::decode("19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1").unwrap();
        let bare = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
        for text in [ED25519, &ED25519.replace('\n', "\r\n"), &ED25519.replace('\n', "\\n"), bare] {
            assert_eq!(public_key(text.as_bytes()).as_deref(), Some(&expected[..]), "{text}");
        }
    }

    #[test]
    fn a_certificate_gives_its_key() {
        let key = public_key(include_bytes!("../../tests/data/tls/cert.pem")).unwrap();
        assert_eq!((key.len(), key[0]), (65, 4), "a point of P-256, not compressed");
    }

    #[test]
    fn rubbish_is_no_key() {
        for text in [&b""[..], b"hunter2", b"-----BEGIN PUBLIC KEY-----", b"\xff", b"MCowBQYDK2Vw", b"MIL/////"] {
            assert!(public_key(text).is_none());
        }
    }
}
