//! What Python's `str()` makes of an object that was read from JSON: what was signed where somebody gave the object to a function
//! that wants a text.

use std::fmt::Write;

use serde_json::Value;

use super::style;

/// The largest body that is read for it, in bytes.
const LARGEST: usize = 1 << 20;

/// The text of a body's object or list, where it is one.
pub(super) fn of(body: &[u8]) -> Option<Vec<u8>> {
    let value: Value = serde_json::from_slice(Some(body).filter(|body| body.len() <= LARGEST)?).ok()?;
    let mut text = String::new();
    if value.is_object() || value.is_array() {
        write(&value, &mut text);
    }
    (!text.is_empty()).then_some(text.into_bytes())
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("None"),
        Value::Bool(truth) => out.push_str(if *truth { "True" } else { "False" }),
        Value::Number(number) => out.push_str(&style::python_number(&number.to_string())),
        Value::String(text) => string(text, out),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            out.push('{');
            for (at, (name, value)) in fields.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                string(name, out);
                out.push_str(": ");
                write(value, out);
            }
            out.push('}');
        }
    }
}

/// In single quotes, unless only these stand in it.
fn string(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for letter in text.chars() {
        match letter {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            _ if letter == quote => out.extend(['\\', quote]),
            _ if is_seen(letter) => out.push(letter),
            _ => {
                let _ = match letter as u32 {
                    number @ 0..=0xff => write!(out, "\\x{number:02x}"),
                    number @ 0x100..=0xffff => write!(out, "\\u{number:04x}"),
                    number => write!(out, "\\U{number:08x}"),
                };
            }
        }
    }
    out.push(quote);
}

/// Whether Python prints it as it is: no control, format or private letter, and no space but the one.
fn is_seen(letter: char) -> bool {
    let is_hidden = letter.is_control()
        || (letter.is_whitespace() && letter != ' ')
        || matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(letter, '\u{feff}' | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..);
    !is_hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `str(json.loads(body))` of Python 3.11 wrote them.
    #[test]
    fn objects_are_written_as_python_does() {
        for (body, text) in [
            (r#"{"a": 1, "b": [true, false, null], "c": {}}"#, "{'a': 1, 'b': [True, False, None], 'c': {}}"),
            (r#"{"it's": "say \"x\"", "both": "'\""}"#, r#"{"it's": 'say "x"', 'both': '\'"'}"#),
            (
                "{\"n\":1.50,\"e\":1e20,\"big\":12345678901234567890123}",
                "{'n': 1.5, 'e': 1e+20, 'big': 12345678901234567890123}",
            ),
            ("[\"a\\n\\t\\\\b\\u0000\\u00a0caf\u{e9}\\u2028\u{1f41f}\"]", "['a\\n\\t\\\\b\\x00\\xa0café\\u2028🐟']"),
        ] {
            assert_eq!(of(body.as_bytes()).map(|text| String::from_utf8(text).unwrap()).as_deref(), Some(text));
        }
        assert_eq!((of(b"1"), of(b"not JSON")), (None, None));
    }
}
