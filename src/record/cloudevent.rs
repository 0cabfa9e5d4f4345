//! The headers by which an event of `CloudEvents` describes itself beside a body that stays as it is: the binary mode of the HTTP
//! Protocol Binding 1.0.2, section 3.1.3 (cloudevents.io).

use super::{Headers, pairs};

/// How their names begin.
pub const PREFIX: &str = "ce-";
/// The attribute that every event has.
pub const SPECVERSION: &str = "specversion";

/// The attributes that headers tell, by their names in lower case.
pub fn attributes(headers: &Headers) -> Vec<(String, String)> {
    let attribute = |(name, value): (String, String)| Some((name.strip_prefix(PREFIX)?.to_owned(), decoded(&value)));
    let lines = headers.iter().map(|line| (line.name_text().to_ascii_lowercase(), line.value_text().into_owned()));
    lines.filter_map(attribute).collect()
}

/// A text as a header's value: what is not printable ASCII, a blank, a quotation mark and the percent sign are coded.
pub fn coded(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'%');
    text.bytes().fold(String::new(), |coded, byte| {
        if is_plain(byte) { coded + char::from(byte).encode_utf8(&mut [0; 4]) } else { format!("{coded}%{byte:02X}") }
    })
}

fn decoded(value: &str) -> String {
    let bytes = value.as_bytes();
    // In a form a plus is a blank; here it is itself.
    let decoded = pairs::decoded(bytes).map(|(byte, at)| if bytes[at] == b'+' { b'+' } else { byte });
    String::from_utf8_lossy(&decoded.collect::<Vec<_>>()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_coded_is_read_back() {
        for (text, value) in [("a+b", "a+b"), ("50 %", "50%20%25"), ("\"é\"", "%22%C3%A9%22"), ("/x?y=1&z", "/x?y=1&z")]
        {
            assert_eq!(coded(text), value);
            let headers: Headers = [("CE-Subject", value), ("Content-Type", "x")].into_iter().collect();
            assert_eq!(attributes(&headers), [("subject".to_owned(), text.to_owned())]);
        }
    }
}
