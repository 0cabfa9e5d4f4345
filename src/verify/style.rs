//! The ways in which libraries write JSON: what a body that was parsed and written anew may have looked like when it was
//! signed. A library is a row of [`LIBRARIES`]; how it may be told to write is a row of [`SPACINGS`] and an [`Order`].

use std::{
    collections::{BTreeSet, HashSet},
    fmt::Write,
};

use serde_json::{Map, Value, json};

/// How a library writes what JSON lets it choose.
struct Library {
    /// Whose way it is, for eyes; nothing where most do so.
    name: &'static str,
    /// What it does to texts, for eyes.
    about: &'static str,
    /// The letters that it writes as `\u` and four digits, beside those that must be escaped.
    escapes: fn(char) -> bool,
    /// Whether the digits of an escape are capitals.
    capitals: bool,
    /// Whether `/` is written as `\/`.
    slashes: bool,
    /// How it writes a number that it has read.
    floats: &'static Floats,
    /// Whether names that are numbers come first, as in a JavaScript object.
    indices_first: bool,
    /// Whether an object without fields comes out as a list without items, as PHP has one type for both.
    lists: bool,
}

const PLAIN: Library = Library {
    name: "",
    about: "",
    escapes: |_| false,
    capitals: false,
    slashes: false,
    floats: &JAVASCRIPT,
    indices_first: false,
    lists: false,
};

static LIBRARIES: &[Library] = &[
    PLAIN,
    Library { name: "JavaScript", about: "numbers among the names first", indices_first: true, ..PLAIN },
    Library { name: "Python", about: "what is not ASCII as \\u", escapes: is_no_ascii, floats: &PYTHON, ..PLAIN },
    Library { name: "Python", about: "every letter as it is", floats: &PYTHON, ..PLAIN },
    Library {
        name: "PHP",
        about: "slashes escaped, what is not ASCII as \\u",
        escapes: above_ascii,
        slashes: true,
        ..PHP_ROW
    },
    Library { name: "PHP", about: "what is not ASCII as \\u", escapes: above_ascii, ..PHP_ROW },
    Library { name: "PHP", about: "slashes escaped", escapes: is_separator, slashes: true, ..PHP_ROW },
    PHP_ROW,
    Library { name: "Go", about: "<, > and & as \\u", escapes: is_markup, ..PLAIN },
    Library { name: "Rails", about: "<, > and & as \\u", escapes: is_markup, floats: &RUBY, ..PLAIN },
    Library { name: "Ruby", about: "every letter as it is", floats: &RUBY, ..PLAIN },
    Library { name: "Java", about: "every letter as it is", capitals: true, floats: &JAVA, ..PLAIN },
    Library {
        name: "Gson",
        about: "<, >, &, = and ' as \\u",
        escapes: |it| is_markup(it) || matches!(it, '=' | '\''),
        ..GSON_ROW
    },
    Library {
        name: ".NET",
        about: "quotes, <, >, &, +, ' and what is not ASCII as \\u",
        escapes: is_for_net,
        capitals: true,
        ..PLAIN
    },
];

const PHP_ROW: Library =
    Library { name: "PHP", about: "line separators as \\u", escapes: is_separator, floats: &PHP, lists: true, ..PLAIN };

const GSON_ROW: Library = Library { floats: &JAVA, ..PLAIN };

fn is_separator(letter: char) -> bool {
    matches!(letter, '\u{2028}' | '\u{2029}')
}

fn is_markup(letter: char) -> bool {
    matches!(letter, '<' | '>' | '&') || is_separator(letter)
}

fn above_ascii(letter: char) -> bool {
    !letter.is_ascii()
}

/// Python counts DEL among what is not plain ASCII.
fn is_no_ascii(letter: char) -> bool {
    letter >= '\u{7f}'
}

fn is_for_net(letter: char) -> bool {
    is_no_ascii(letter) || matches!(letter, '"' | '&' | '\'' | '+' | '<' | '>' | '`')
}

/// How a number is written that was read as a float.
struct Floats {
    /// Whether a number is none, but whole, and keeps its digits.
    whole: fn(&str) -> bool,
    /// The powers of ten of the first digit for which it has no exponent: from, and up to.
    plain: (i32, i32),
    /// Whether `.0` stands behind one that is whole.
    point: bool,
    /// Whether `.0` stands before an exponent.
    mantissa_point: bool,
    /// What stands before an exponent that is not negative, and before one that is.
    marks: [&'static str; 2],
    /// The digits that an exponent has at least.
    digits: usize,
}

const JAVASCRIPT: Floats =
    Floats { whole: |_| false, plain: (-6, 21), point: false, mantissa_point: false, marks: ["e+", "e-"], digits: 1 };
const PYTHON: Floats =
    Floats { whole: is_whole, plain: (-4, 16), point: true, mantissa_point: false, marks: ["e+", "e-"], digits: 2 };
const RUBY: Floats = Floats { mantissa_point: true, ..PYTHON };
const JAVA: Floats =
    Floats { whole: is_whole, plain: (-3, 7), point: true, mantissa_point: true, marks: ["E", "E-"], digits: 1 };
const PHP: Floats = Floats {
    whole: |text| text.parse::<i64>().is_ok(),
    plain: (-4, 17),
    point: false,
    mantissa_point: true,
    marks: ["e+", "e-"],
    digits: 1,
};

/// A number as Python writes it.
pub(super) fn python_number(text: &str) -> String {
    PYTHON.write(text)
}

fn is_whole(text: &str) -> bool {
    !text.contains(['.', 'e', 'E'])
}

impl Floats {
    fn write(&self, text: &str) -> String {
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
        let Some(number) = number.filter(|_| !(self.whole)(text)) else { return text.to_owned() };
        let shortest = format!("{:e}", number.abs());
        let Some((mantissa, power)) = shortest.split_once('e') else { return text.to_owned() };
        let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
        let power: i32 = power.parse().unwrap_or_default();
        // JavaScript, alone, has no sign before a zero.
        let sign = if number.is_sign_negative() && (self.point || number != 0.0) { "-" } else { "" };
        let (from, to) = self.plain;
        if number == 0.0 || (from..to).contains(&power) {
            return format!("{sign}{}", self.without_exponent(&digits, power));
        }
        let (first, rest) = digits.split_at(1);
        let rest = if rest.is_empty() && self.mantissa_point { "0" } else { rest };
        let dot = if rest.is_empty() { "" } else { "." };
        let mark = self.marks[usize::from(power < 0)];
        format!("{sign}{first}{dot}{rest}{mark}{:0width$}", power.abs(), width = self.digits)
    }

    fn without_exponent(&self, digits: &str, power: i32) -> String {
        let Ok(before) = usize::try_from(power + 1) else {
            return format!("0.{}{digits}", "0".repeat(power.unsigned_abs() as usize - 1));
        };
        match digits.split_at_checked(before.max(1)) {
            Some((whole, part)) if !part.is_empty() && before > 0 => format!("{whole}.{part}"),
            _ if before == 0 => format!("0.{digits}"),
            _ => format!("{digits:0<before$}{}", if self.point { ".0" } else { "" }),
        }
    }
}

/// What stands between the parts of a value.
#[derive(Debug)]
struct Spacing {
    words: &'static str,
    comma: &'static str,
    colon: &'static str,
    /// What a line is indented by, where each item has one.
    indent: Option<&'static str>,
}

static SPACINGS: &[Spacing] = &[
    Spacing { words: "without spaces", comma: ",", colon: ":", indent: None },
    Spacing { words: "with a space after each comma and colon", comma: ", ", colon: ": ", indent: None },
    Spacing { words: "indented by 2", comma: ",", colon: ": ", indent: Some("  ") },
    Spacing { words: "indented by 4", comma: ",", colon: ": ", indent: Some("    ") },
    Spacing { words: "indented by tabs", comma: ",", colon: ": ", indent: Some("\t") },
    Spacing { words: "with a space after each comma and around each colon", comma: ", ", colon: " : ", indent: None },
];

/// In which order the fields of an object come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// As they came.
    Sent,
    /// By their names.
    Sorted,
    /// The shorter name first, as databases have them in their binary JSON.
    ShortFirst,
}

/// A library, and which of its ways are not those of the body as it came.
#[derive(Clone, Copy)]
struct Variant {
    library: &'static Library,
    /// Whether numbers are written anew, not as they were sent.
    numbers: bool,
    /// Whether empty objects become lists.
    lists: bool,
}

/// A way in which a body may have been written.
#[derive(Clone, Copy)]
pub(super) struct Style {
    variant: Variant,
    spacing: &'static Spacing,
    order: Order,
    newline: bool,
}

impl Style {
    /// How many of [`Style::all`] differ in nothing but what stands between the parts.
    pub(super) const PLAINEST: usize = SPACINGS.len();

    /// Those that write a value differently, plainest first.
    pub(super) fn all(value: &Value) -> impl Iterator<Item = Self> {
        let variants = Variant::of(value);
        let orders = [Order::Sent, Order::Sorted, Order::ShortFirst];
        let ways = orders.into_iter().flat_map(|order| [false, true].map(|newline| (order, newline)));
        ways.flat_map(move |(order, newline)| {
            let styles = move |variant| SPACINGS.iter().map(move |spacing| Self { variant, spacing, order, newline });
            variants.clone().into_iter().flat_map(styles)
        })
    }

    /// The class of the change.
    pub(super) fn class(&self) -> &'static str {
        match self {
            Self { order: Order::Sorted | Order::ShortFirst, .. } => "json-key-order",
            Self { variant: Variant { lists: true, .. }, .. } => "json-empty-objects",
            Self { variant: Variant { numbers: true, .. }, .. } => "json-numbers",
            Self { variant: Variant { library, .. }, .. } if library.indices_first => "json-key-order",
            Self { variant: Variant { library, .. }, .. } if !library.name.is_empty() => "json-escapes",
            _ => "json-spacing",
        }
    }

    /// What it is, in words.
    pub(super) fn described(&self) -> String {
        let Variant { library, numbers, lists } = self.variant;
        let way = match library.name {
            "" => String::new(),
            name => format!("as {name} does it ({})", library.about),
        };
        let order = match self.order {
            Order::Sent => "",
            Order::Sorted => "keys sorted",
            Order::ShortFirst => "shorter keys first, as a database's binary JSON has them",
        };
        let numbers = if numbers { "numbers written anew" } else { "" };
        let lists = if lists { "{} as []" } else { "" };
        let newline = if self.newline { "with a newline after it" } else { "" };
        let words = [self.spacing.words, order, &way, numbers, lists, newline];
        let words: Vec<_> = words.into_iter().filter(|words| !words.is_empty()).collect();
        format!("the body parsed and written anew as JSON {}", words.join(", "))
    }

    /// Writes a value.
    pub(super) fn write(&self, value: &Value) -> Vec<u8> {
        let mut out = String::new();
        self.value(value, 0, &mut out);
        out.push_str(if self.newline { "\n" } else { "" });
        out.into_bytes()
    }

    fn value(&self, value: &Value, depth: usize, out: &mut String) {
        match value {
            Value::Null => out.push_str("null"),
            Value::Bool(it) => out.push_str(if *it { "true" } else { "false" }),
            Value::Number(number) if self.variant.numbers => {
                out.push_str(&self.variant.library.floats.write(&number.to_string()));
            }
            Value::Number(number) => out.push_str(&number.to_string()),
            Value::String(text) => self.string(text, out),
            Value::Object(fields) if fields.is_empty() && self.variant.lists => out.push_str("[]"),
            Value::Array(items) => {
                self.list(['[', ']'], items.len(), depth, out, |at, out| self.value(&items[at], depth + 1, out));
            }
            Value::Object(fields) => {
                let fields = self.ordered(fields);
                self.list(['{', '}'], fields.len(), depth, out, |at, out| {
                    let (name, value) = fields[at];
                    self.string(name, out);
                    out.push_str(self.spacing.colon);
                    self.value(value, depth + 1, out);
                });
            }
        }
    }

    fn ordered<'v>(&self, fields: &'v Map<String, Value>) -> Vec<(&'v String, &'v Value)> {
        let mut fields: Vec<_> = fields.iter().collect();
        match self.order {
            Order::Sent => {}
            Order::Sorted => fields.sort_by_key(|field| field.0),
            Order::ShortFirst => fields.sort_by_key(|field| (field.0.len(), field.0)),
        }
        if self.variant.library.indices_first {
            fields.sort_by_key(|field| index(field.0).unwrap_or(u64::MAX));
        }
        fields
    }

    fn list(
        &self,
        ends: [char; 2],
        len: usize,
        depth: usize,
        out: &mut String,
        mut item: impl FnMut(usize, &mut String),
    ) {
        let line = |out: &mut String, depth: usize| {
            if let Some(indent) = self.spacing.indent {
                out.push('\n');
                out.extend(std::iter::repeat_n(indent, depth));
            }
        };
        out.push(ends[0]);
        for at in 0..len {
            if at > 0 {
                out.push_str(self.spacing.comma);
            }
            line(out, depth + 1);
            item(at, out);
        }
        if len > 0 {
            line(out, depth);
        }
        out.push(ends[1]);
    }

    fn string(&self, text: &str, out: &mut String) {
        let library = self.variant.library;
        out.push('"');
        for letter in text.chars() {
            match letter {
                _ if (library.escapes)(letter) => push_escape(letter, library.capitals, out),
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                '/' if library.slashes => out.push_str("\\/"),
                _ if letter < ' ' => push_escape(letter, library.capitals, out),
                _ => out.push(letter),
            }
        }
        out.push('"');
    }
}

fn push_escape(letter: char, capitals: bool, out: &mut String) {
    for unit in letter.encode_utf16(&mut [0; 2]) {
        let _ = if capitals { write!(out, "\\u{unit:04X}") } else { write!(out, "\\u{unit:04x}") };
    }
}

/// A name that is an index of a JavaScript array.
fn index(name: &str) -> Option<u64> {
    let number = name.parse::<u32>().ok().filter(|number| *number < u32::MAX && number.to_string() == name)?;
    Some(u64::from(number))
}

/// The most odd numbers of a body that are looked at to tell whether two libraries write it alike.
const MAX_NUMBERS: usize = 1_000;

impl Variant {
    /// Those that write a value differently.
    fn of(value: &Value) -> Vec<Self> {
        let mut odd = Odd::default();
        odd.look(value);
        let sample = odd.sample();
        let each = |library: &'static Library| {
            let lists = if library.lists { &[false, true][..] } else { &[false] };
            [false, true]
                .into_iter()
                .flat_map(move |numbers| lists.iter().map(move |&lists| Self { library, numbers, lists }))
        };
        let mut seen = HashSet::new();
        let written =
            |variant| Style { variant, spacing: &SPACINGS[0], order: Order::Sent, newline: false }.write(&sample);
        LIBRARIES.iter().flat_map(each).filter(|variant| seen.insert(written(*variant))).collect()
    }
}

/// What is in a value that libraries write differently.
#[derive(Default)]
struct Odd {
    letters: BTreeSet<char>,
    numbers: BTreeSet<String>,
    has_empty_object: bool,
    has_index: bool,
}

impl Odd {
    fn look(&mut self, value: &Value) {
        match value {
            Value::Number(number) if self.numbers.len() < MAX_NUMBERS => {
                let text = number.to_string();
                if text.len() > 15 || !is_whole(&text) || text.starts_with('-') {
                    self.numbers.insert(text);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
            Value::String(text) => self.text(text),
            Value::Array(items) => items.iter().for_each(|item| self.look(item)),
            Value::Object(fields) => {
                self.has_empty_object |= fields.is_empty();
                self.has_index |= fields.keys().any(|name| index(name).is_some());
                fields.iter().for_each(|(name, value)| {
                    self.text(name);
                    self.look(value);
                });
            }
        }
    }

    fn text(&mut self, text: &str) {
        self.letters.extend(text.chars().filter(|letter| !letter.is_ascii_alphanumeric()));
    }

    /// A small value that any two libraries write alike if they write the whole one so.
    fn sample(&self) -> Value {
        let numbers = self.numbers.iter().filter_map(|text| serde_json::from_str(text).ok()).collect();
        let mut parts = vec![Value::String(self.letters.iter().collect()), Value::Array(numbers)];
        parts.extend(self.has_empty_object.then(|| json!({})));
        parts.extend(self.has_index.then(|| json!({"a": 0, "1": 0})));
        Value::Array(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn styled(json: &str, pick: impl Fn(&Style) -> bool) -> String {
        let value = serde_json::from_str(json).unwrap();
        let style = Style::all(&value).find(pick).unwrap();
        String::from_utf8(style.write(&value)).unwrap()
    }

    fn by(style: &Style, name: &str, about: &str) -> bool {
        let Variant { library, numbers, .. } = style.variant;
        library.name == name && library.about.contains(about) && numbers
    }

    /// The first five as Node 20, Python 3.11, PHP 8.2, Ruby 3.1 and Go 1.19 wrote it.
    #[test]
    fn styles_write_as_the_libraries_do() {
        const JSON: &str = r#"{"b":[19.0,1e3,1e-7,1.5e25,12345678901234567890,10.50],"é/<'":{},"1":"\u2028"}"#;
        for (name, about, written) in [
            (
                "JavaScript",
                "",
                "{\"1\":\"\u{2028}\",\"b\":[19,1000,1e-7,1.5e+25,12345678901234567000,10.5],\"é/<'\":{}}",
            ),
            (
                "Python",
                "not ASCII",
                r#"{"b":[19.0,1000.0,1e-07,1.5e+25,12345678901234567890,10.5],"\u00e9/<'":{},"1":"\u2028"}"#,
            ),
            (
                "PHP",
                "slashes escaped, what",
                r#"{"b":[19,1000,1.0e-7,1.5e+25,1.2345678901234567e+19,10.5],"\u00e9\/<'":{},"1":"\u2028"}"#,
            ),
            (
                "Ruby",
                "",
                "{\"b\":[19.0,1000.0,1.0e-07,1.5e+25,12345678901234567890,10.5],\"é/<'\":{},\"1\":\"\u{2028}\"}",
            ),
            ("Go", "", r#"{"b":[19,1000,1e-7,1.5e+25,12345678901234567000,10.5],"é/\u003c'":{},"1":"\u2028"}"#),
            (
                "Gson",
                "",
                r#"{"b":[19.0,1000.0,1.0E-7,1.5E25,12345678901234567890,10.5],"é/\u003c\u0027":{},"1":"\u2028"}"#,
            ),
            (
                ".NET",
                "",
                r#"{"b":[19,1000,1e-7,1.5e+25,12345678901234567000,10.5],"\u00E9/\u003C\u0027":{},"1":"\u2028"}"#,
            ),
        ] {
            let found = styled(JSON, |style| by(style, name, about));
            assert_eq!(found, written, "{name}");
        }
    }

    #[test]
    fn spacing_order_and_end_are_chosen_beside_the_library() {
        const JSON: &str = r#"{"bb":[1,{}],"c":"x","a":[]}"#;
        let plain = |style: &Style| style.order == Order::Sent && !style.newline;
        for (at, written) in [
            r#"{"bb":[1,{}],"c":"x","a":[]}"#,
            r#"{"bb": [1, {}], "c": "x", "a": []}"#,
            "{\n  \"bb\": [\n    1,\n    {}\n  ],\n  \"c\": \"x\",\n  \"a\": []\n}",
            "{\n    \"bb\": [\n        1,\n        {}\n    ],\n    \"c\": \"x\",\n    \"a\": []\n}",
            "{\n\t\"bb\": [\n\t\t1,\n\t\t{}\n\t],\n\t\"c\": \"x\",\n\t\"a\": []\n}",
            r#"{"bb" : [1, {}], "c" : "x", "a" : []}"#,
        ]
        .into_iter()
        .enumerate()
        {
            assert_eq!(styled(JSON, |style| plain(style) && style.spacing.words == SPACINGS[at].words), written);
        }
        assert_eq!(styled(JSON, |style| style.order == Order::Sorted), r#"{"a":[],"bb":[1,{}],"c":"x"}"#);
        assert_eq!(styled(JSON, |style| style.order == Order::ShortFirst), r#"{"a":[],"c":"x","bb":[1,{}]}"#);
        assert_eq!(styled(JSON, |style| style.newline), "{\"bb\":[1,{}],\"c\":\"x\",\"a\":[]}\n");
        assert_eq!(styled(JSON, |style| style.variant.lists), r#"{"bb":[1,[]],"c":"x","a":[]}"#);
    }

    #[test]
    fn libraries_that_write_a_body_alike_are_asked_once() {
        let variants = |json: &str| Variant::of(&serde_json::from_str(json).unwrap()).len();
        assert_eq!(variants(r#"{"a":[1,true,"plain"]}"#), 1);
        assert_eq!(variants(r#"{"a":"https://b"}"#), 2, "PHP escapes slashes");
        assert!(variants(r#"{"a":1.0,"é":"/<'"}"#) > 10);
    }
}
