//! What to write into `creel.toml` so that the signature of a capture can be checked.

use super::endpoint::OPEN_BIN;
use crate::record::Capture;

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
    use crate::record::{Body, Head, Timestamp, Uid};

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
