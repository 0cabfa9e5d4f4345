//! A filter as text: what is printed is read as the same filter.

use std::fmt::{self, Display, Formatter};

use super::{Asked, Filter, Tree, field::Operator};

impl Display for Filter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        print(&self.tree, Place::Alone, f)
    }
}

/// Where a part stands, by what holds it together more closely.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Alone,
    InAny,
    InAll,
    AfterNot,
}

fn print(tree: &Tree, place: Place, f: &mut Formatter<'_>) -> fmt::Result {
    match tree {
        Tree::All(trees) if trees.is_empty() => Ok(()),
        Tree::All(trees) => joined(trees, " ", Place::InAll, place >= Place::InAll, f),
        Tree::Any(trees) => joined(trees, " or ", Place::InAny, place >= Place::InAny, f),
        Tree::Not(tree) => {
            f.write_str("not ")?;
            print(tree, Place::AfterNot, f)
        }
        Tree::Word(word, _) => f.write_str(&word_of(&word.text)),
        Tree::Test(asked) => asked.fmt(f),
        Tree::Numbers(numbers) => {
            let each: Vec<_> = numbers.iter().map(|number| format!("id={number}")).collect();
            write!(f, "({})", each.join(" or "))
        }
        Tree::Named(name, _) => f.write_str(name),
    }
}

fn joined(trees: &[Tree], between: &str, inside: Place, in_brackets: bool, f: &mut Formatter<'_>) -> fmt::Result {
    if in_brackets {
        f.write_str("(")?;
    }
    for (at, tree) in trees.iter().enumerate() {
        if at > 0 {
            f.write_str(between)?;
        }
        print(tree, inside, f)?;
    }
    if in_brackets { f.write_str(")") } else { Ok(()) }
}

impl Display for Asked {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.name, self.operator.sign(), value_after(self.operator, &self.value))
    }
}

/// A value as it is written behind an operator: bare where it can be. `name://` would be a word, a URL's beginning.
pub(super) fn value_after(operator: Operator, value: &str) -> String {
    let is_url = operator == Operator::Has && value.starts_with("//");
    match operator {
        // The backslashes of a regular expression are its own; only a quote needs one more.
        Operator::Matches if !is_plain(value) || value.contains('\\') => format!("\"{}\"", value.replace('"', "\\\"")),
        _ if is_plain(value) && !is_url => value.to_owned(),
        _ => quoted(value),
    }
}

/// A word as it is written: in quotes where bare it would mean something else.
pub(super) fn word_of(word: &str) -> String {
    let is_bare = is_plain(word)
        && word.chars().all(|c| c.is_alphanumeric() || matches!(c, '/' | '-' | '_' | '.'))
        && !["and", "or", "not"].iter().any(|other| other.eq_ignore_ascii_case(word));
    if is_bare { word.to_owned() } else { quoted(word) }
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(|c| c.is_whitespace() || matches!(c, '(' | ')' | '"'))
}

/// A text in quotes, as a value or a word of a filter.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::query::{FIELDS, Filter, Names};

    #[test]
    fn a_filter_is_printed_in_its_plainest_form() {
        for (text, printed) in [
            ("a  and b", "a b"),
            ("a b or c", "a b or c"),
            ("(a or b) c", "(a or b) c"),
            ("((a))", "a"),
            ("not (a b)", "not (a b)"),
            ("NOT not a", "not not a"),
            ("\"a\" \"a b\" \"or\" \"@x\"", "a \"a b\" \"or\" \"@x\""),
            ("SIG:Failed size>\"10k\"", "sig:Failed size>10k"),
            ("Header.X-Event:\"a \\\" b\"", "header.X-Event:\"a \\\" b\""),
            ("body~\"a \\\" \\d\"", "body~\"a \\\" \\d\""),
            ("path~^/(a|b)", "path~\"^/(a|b)\""),
            ("Body[\"A (b)\"].$c:1", "body[\"A (b)\"].$c:1"),
            ("http://x", "\"http://x\""),
            ("((path:\"//\"))", "path:\"//\""),
            ("path=//x", "path=//x"),
            ("", ""),
        ] {
            assert_eq!(Filter::parse(text).unwrap().to_string(), printed, "{text}");
        }
    }

    #[test]
    fn a_name_stands_for_its_filter_and_is_printed_as_it_was() {
        let names = Names::from([("bad".to_owned(), Filter::parse("sig:failed or reply>=500").unwrap())]);
        let filter = Filter::parse_with("@bad path:/a", &names).unwrap();
        assert_eq!(filter.to_string(), "@bad path:/a");
        let whole = Filter::parse("(sig:failed or reply>=500) path:/a").unwrap();
        assert_eq!(filter.sql(crate::record::Timestamp::default()), whole.sql(crate::record::Timestamp::default()));
        assert_eq!(Filter::parse_with("@example.com", &names).unwrap().to_string(), "\"@example.com\"", "no name");
        assert_eq!(Filter::parse_with("\"@bad\"", &names).unwrap().to_string(), "\"@bad\"");
    }

    /// Filters at random, as a person may write them.
    fn filters() -> impl Strategy<Value = String> {
        let value = prop_oneof![
            "[a-zA-Z0-9/._-]{1,6}",
            "[ -~é]{1,6}".prop_map(|text| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))),
        ];
        let leaf = prop_oneof![
            value.clone(),
            (0..FIELDS.len()).prop_map(|at| FIELDS[at].example.to_owned()),
            (
                "(path|event|body|body\\.A\\.b\\[0\\]|body\\[\"a \\(.\"\\]|body\\.@é|Header\\.X-y|query\\.q)",
                "(:|=|!=)",
                value
            )
                .prop_map(|(f, s, v)| f + &s + &v),
            ("(path|body|header\\.x)~", "[a-z.+(|)\\\\d\" ]{1,5}")
                .prop_map(|(f, v)| format!("{f}\"{}\"", v.replace('"', "\\\""))),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 1..4).prop_map(|all| format!("({})", all.join(" "))),
                prop::collection::vec(inner.clone(), 1..4).prop_map(|all| format!("({})", all.join(" or "))),
                inner.prop_map(|one| format!("not {one}")),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn what_is_printed_is_read_as_the_same_filter(text in filters()) {
            let Ok(filter) = Filter::parse(&text) else { return Ok(()) };
            let printed = filter.to_string();
            let again = Filter::parse(&printed).unwrap_or_else(|error| panic!("{text} → {printed}: {error}"));
            prop_assert_eq!(again.to_string(), printed.clone(), "{}", text);
            let now = crate::record::Timestamp::from_unix_ms(1_795_424_700_000);
            // A bracket of brackets is one: the SQL may differ in those alone, never in what it asks.
            let asked = |filter: &Filter| (filter.sql(now).values, filter.sql(now).text.replace(['(', ')'], ""), filter.need());
            prop_assert_eq!(asked(&again), asked(&filter), "{} → {}", text, printed);
        }
    }
}
