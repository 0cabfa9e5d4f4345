//! The view of mails (RFC 5322) as senders of inbound mail post them: their head, coded words decoded, and what they hold in the
//! view that fits. How parts are packed for the way (RFC 2045, section 6) is undone here.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use encoding_rs::Encoding;

use super::{Content, Document, stack, stack::Stack};
use crate::record::{counted, multipart::Part};

/// Whatever the sender calls a mail and begins with a head.
pub(super) fn fits(content: &Content) -> bool {
    content.coding().is_none() && content.media() == "message/rfc822" && !Part::whole(&content.bytes).head.is_empty()
}

/// Head and body.
pub(super) fn open(content: &Content) -> Result<Box<dyn Document>, String> {
    content.refuse_coding()?;
    let mail = Part::whole(&content.bytes);
    if mail.head.is_empty() {
        return Err("there is no head of a mail, which an empty line ends".to_owned());
    }
    let mut stack = Stack::default();
    stack.add(mail.head.iter().map(|(name, value)| stack::fact(name, &words(value))).collect());
    let bytes = content.bytes.slice(mail.body.clone());
    let bytes = mail.header("content-transfer-encoding").and_then(|coding| undone(&bytes, coding)).unwrap_or(bytes);
    stack.open(&content.within_it(bytes, mail.header("content-type").map(str::to_owned)));
    Ok(stack.noted(&[format!("a mail of {}", counted(mail.head.len() as u64, "header"))]))
}

/// What was packed for the way; none where it was not, or is not what it says.
pub(super) fn undone(bytes: &Bytes, coding: &str) -> Option<Bytes> {
    match &coding.trim().to_ascii_lowercase()[..] {
        "base64" => {
            let text: Vec<u8> = bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
            STANDARD.decode(text).ok().map(Bytes::from)
        }
        "quoted-printable" => Some(quoted_printable(bytes).into()),
        _ => None,
    }
}

/// Text with `=XX` for bytes and `=` at the end of a line that goes on (RFC 2045, section 6.7). What is none stays.
fn quoted_printable(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'=', [b'\r', b'\n', after @ ..] | [b'\n', after @ ..]) => rest = after,
            (b'=', [high, low, after @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    out.push(high << 4 | low);
                    rest = after;
                }
                _ => out.push(b'='),
            },
            _ => out.push(first),
        }
    }
    out
}

fn digit(letter: u8) -> Option<u8> {
    char::from(letter).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// A header's text with its coded words (RFC 2047) decoded, and the blanks between two of them left out.
fn words(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    let mut is_behind_one = false;
    while let Some(at) = rest.find("=?") {
        let before = &rest[..at];
        if let Some((word, length)) = word(&rest[at..]) {
            out.push_str(if is_behind_one && before.trim().is_empty() { "" } else { before });
            out.push_str(&word);
            rest = &rest[at + length..];
            is_behind_one = true;
        } else {
            out.push_str(&rest[..at + 2]);
            rest = &rest[at + 2..];
            is_behind_one = false;
        }
    }
    out + rest
}

/// The coded word that a text begins with, decoded, and how many bytes it takes.
fn word(text: &str) -> Option<(String, usize)> {
    let mut parts = text.strip_prefix("=?")?.splitn(4, '?');
    let (name, coding, coded) = (parts.next()?, parts.next()?, parts.next()?);
    parts.next().filter(|rest| rest.starts_with('='))?;
    let bytes = match coding {
        "B" | "b" => STANDARD.decode(coded).ok()?,
        "Q" | "q" => quoted_printable(coded.replace('_', " ").as_bytes()),
        _ => return None,
    };
    // Behind a star stands the language (RFC 2231, section 5).
    let charset = name.split('*').next().unwrap_or_default();
    let word = Encoding::for_label(charset.as_bytes())?.decode_without_bom_handling(&bytes).0.into_owned();
    Some((word, "=????=".len() + name.len() + coding.len() + coded.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(mail: &str) -> Vec<String> {
        let kind = Some("message/rfc822".to_owned());
        let content = Content { bytes: mail.to_owned().into(), content_type: kind, ..Content::default() };
        assert!(fits(&content));
        let document = open(&content).unwrap();
        let lines = document.lines(0..document.line_count());
        lines.iter().map(|line| line.iter().map(|span| &span.text[..]).collect()).collect()
    }

    /// As Python's `email` writes such a mail.
    #[test]
    fn a_mail_is_shown_with_its_words_decoded_and_its_parts_unpacked() {
        let mail = "From: =?utf-8?q?Zo=C3=AB?= <z@x.y>\r\nSubject: =?utf-8?b?R3LDvMOfZSBhdXMgS8O2bG4s?=\r\n \
                    =?utf-8?q?_am_Main?= =?no\r\nContent-Type: multipart/mixed;\r\n boundary=\"b\"\r\n\r\n\
                    --b\r\nContent-Type: text/plain; charset=\"utf-8\"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
                    caf=C3=A9 =3D =\r\n1 =zz\r\n\
                    --b\r\nContent-Type: application/json\r\nContent-Transfer-Encoding: base64\r\n\r\neyJh\r\nIjoxfQ==\r\n--b--\r\n";
        assert_eq!(
            shown(mail),
            [
                "From             Zoë <z@x.y>",
                "Subject          Grüße aus Köln, am Main =?no",
                "Content-Type     multipart/mixed; boundary=\"b\"",
                "multipart: 2 parts",
                "part 1  text/plain; charset=\"utf-8\"  13 bytes",
                "Content-Transfer-Encoding quoted-printable",
                "café = 1 =zz",
                "part 2  application/json  7 bytes",
                "Content-Transfer-Encoding base64",
                "{",
                "  \"a\": 1",
                "}",
            ]
        );
    }

    #[test]
    fn what_is_not_packed_as_it_says_stays_as_it_came() {
        assert_eq!(undone(&Bytes::from_static(b"no base64!"), "base64"), None);
        assert_eq!(undone(&Bytes::from_static(b"as it is"), "8bit"), None);
        assert_eq!(words("=?utf-8?x?a?= =?utf-8?q?b"), "=?utf-8?x?a?= =?utf-8?q?b");
        assert_eq!(words("=?iso-8859-1*de?Q?=FCber?="), "über");
        let no_head = Content { bytes: "no head".into(), ..Content::default() };
        assert!(open(&no_head).is_err() && !fits(&no_head));
    }
}
