//! The format `csv`: a row a capture (RFC 4180), to be opened in a table.
//!
//! A table takes a cell that begins with `=`, `+`, `-` or `@` for a formula and does what it says. Such a cell, and one that
//! begins with a tab or a line end, gets an apostrophe in front; so this form is for reading and is not imported.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::record::{Capture, Fault};

/// The first row.
pub(super) const BEGIN: &str =
    "id,received_at,endpoint,peer,method,path,query,provider,event_type,event_id,signature,fault,size,reply,body\r\n";

pub(super) fn write(capture: &Capture) -> Vec<u8> {
    let (head, judgement, bytes) = (&capture.head, &capture.judgement, &capture.body.bytes);
    let or_nothing = |text: &Option<String>| text.clone().unwrap_or_default();
    let body = std::str::from_utf8(bytes).map_or_else(|_| format!("base64:{}", STANDARD.encode(bytes)), str::to_owned);
    let cells = [
        capture.id.to_string(),
        capture.received_at.to_string(),
        capture.endpoint.clone(),
        capture.peer.clone(),
        head.method().into_owned(),
        head.path().into_owned(),
        head.query().unwrap_or_default().into_owned(),
        or_nothing(&capture.provider),
        or_nothing(&capture.event.kind),
        or_nothing(&capture.event.id),
        judgement.verdict.name().to_owned(),
        judgement.fault.map_or("", Fault::name).to_owned(),
        capture.body.size.to_string(),
        capture.answered().map_or_else(String::new, |status| status.to_string()),
        body,
    ];
    (cells.map(|text| cell(&text)).join(",") + "\r\n").into_bytes()
}

fn cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let safe = if is_formula { format!("'{text}") } else { text.to_owned() };
    if safe.contains([',', '"', '\r', '\n', ';']) || is_formula {
        return format!("\"{}\"", safe.replace('"', "\"\""));
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn no_cell_is_a_formula() {
        for (text, written) in [
            ("plain", "plain"),
            ("=1+1", "\"'=1+1\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("\t=1", "\"'\t=1\""),
            ("a \"b\", c\r\nd", "\"a \"\"b\"\", c\r\nd\""),
            ("", ""),
        ] {
            assert_eq!(cell(text), written);
        }
    }
}
