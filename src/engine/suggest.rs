//! What to do so that the signature of a capture can be checked: what to write into `creel.toml`, or how to find out.

use super::endpoint::OPEN_BIN;
use crate::{record::Capture, verify::sounds_like_one};

/// How to find out by what rules a capture is signed whose sender nobody knows; none where no header looks like a signature.
pub fn learning(capture: &Capture) -> Option<String> {
    let is_unknown = capture.provider.is_none() && capture.judgement.handshake.is_none();
    let header = capture.head.headers().iter().find(|header| is_unknown && sounds_like_one(&header.name_text()))?;
    let (name, id) = (header.name_text().into_owned(), capture.id.0);
    Some(format!(
        "{name} looks like a signature; `creel providers learn {id} --secret-env NAME` finds out how it is made"
    ))
}

/// The lines, and where they belong; none where nobody knows who sent it. A payload chooses a path in them at most, and that in
/// quotation marks.
pub fn lines(capture: &Capture) -> Option<(&'static str, String)> {
    let provider = capture.provider.as_deref()?;
    let secret = format!("secret = {{ file = \"{provider}.secret\" }}\n");
    if capture.endpoint != OPEN_BIN {
        return Some(("the endpoint's table", secret));
    }
    let path = toml::Value::String(capture.head.path().into_owned());
    let table = format!("[[endpoint]]\nname = \"{provider}\"\npath = {path}\nprovider = \"{provider}\"\n");
    Some(("creel.toml", table + &secret))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Body, CaptureId, Head, Timestamp, Uid};

    #[test]
    fn how_an_unknown_sender_signs_is_to_be_found_out_where_a_header_looks_like_a_signature() {
        let body = || Body::whole(bytes::Bytes::new(), [0; 32]);
        let capture = |header: &str| {
            let head = Head::parse(format!("POST / HTTP/1.1\r\n{header}: 1\r\n\r\n").into_bytes().into());
            Capture { id: CaptureId(7), ..Capture::new(Uid(1), Timestamp::default(), head, body()) }
        };
        let words = "X-Acme-Signature looks like a signature; `creel providers learn 7 --secret-env NAME` finds out how it is made";
        assert_eq!(learning(&capture("X-Acme-Signature")).as_deref(), Some(words));
        assert_eq!(learning(&capture("X-Acme-Trace")), None);
        let known = Capture { provider: Some("stripe".to_owned()), ..capture("X-Acme-Signature") };
        assert_eq!(learning(&known), None);
    }

    #[test]
    fn the_lines_are_an_endpoint_whatever_the_path_is() {
        for path in ["/stripe", "/", "/a'b\"c\\d", "/\u{1b}[2J", "/ünï"] {
            let head = Head::parse(format!("POST {path} HTTP/1.1\r\n\r\n").into_bytes().into());
            let body = Body::whole(bytes::Bytes::new(), [0; 32]);
            let capture = Capture {
                endpoint: OPEN_BIN.to_owned(),
                provider: Some("stripe".to_owned()),
                ..Capture::new(Uid(1), Timestamp::default(), head, body)
            };
            let (_, text) = lines(&capture).unwrap();
            let table: toml::Table = text.parse().unwrap();
            let row = &table["endpoint"][0];
            assert_eq!((row["path"].as_str(), row["name"].as_str()), (Some(&*capture.head.path()), Some("stripe")));
            assert_eq!(row["secret"]["file"].as_str(), Some("stripe.secret"));
            let configured = Capture { endpoint: "pay".to_owned(), ..capture.clone() };
            assert_eq!(lines(&configured).unwrap().1, "secret = { file = \"stripe.secret\" }\n");
            assert_eq!(lines(&Capture { provider: None, ..capture }), None);
        }
    }
}
