//! Reading a filter: `provider:stripe sig:failed or (size>10k and not "a phrase")`.

use std::fmt;

use super::{
    Asked, Inside, Names, Tree, Word,
    field::{self, FIELDS, Field, OPERATORS, Operator},
    is_name,
    value::lower,
};

/// How deep parentheses and `not` may go, those of the filters that names stand for among them.
const DEPTH: usize = 64;
/// How many words and tests a filter may have, those that names stand for among them: SQLite takes 1,000 beside each other.
const TESTS: usize = 800;

/// What is wrong with a filter, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// The column, counted in characters from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What may be meant.
    pub hint: Option<String>,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "; {hint}"))
    }
}

impl std::error::Error for SyntaxError {}

/// A piece of a filter, and its column.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Token {
    column: usize,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Open,
    Close,
    And,
    Or,
    Not,
    /// A word as it was written, and whether it stood in quotes.
    Word(String, bool),
    Test {
        name: String,
        operator: Operator,
        value: String,
        value_column: usize,
    },
}

pub(super) fn parse(text: &str, names: &Names) -> Result<Tree, SyntaxError> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, names, at: 0, end: text.chars().count() + 1, depth: 0, tests: 0 };
    if tokens.is_empty() {
        return Ok(Tree::All(Vec::new()));
    }
    let tree = parser.any()?;
    match parser.peek() {
        None => Ok(tree),
        Some(token) => Err(error(token.column, "this `)` closes nothing")),
    }
}

fn error(column: usize, message: impl Into<String>) -> SyntaxError {
    SyntaxError { column, message: message.into(), hint: None }
}

struct Parser<'a> {
    tokens: &'a [Token],
    /// The filters that have names.
    names: &'a Names,
    at: usize,
    end: usize,
    depth: usize,
    /// How many words and tests were read.
    tests: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn takes(&mut self, kind: &Kind) -> bool {
        let there = self.peek().is_some_and(|token| token.kind == *kind);
        self.at += usize::from(there);
        there
    }

    fn any(&mut self) -> Result<Tree, SyntaxError> {
        let mut trees = vec![self.all()?];
        while self.takes(&Kind::Or) {
            trees.push(self.all()?);
        }
        Ok(if trees.len() == 1 { trees.remove(0) } else { Tree::Any(trees) })
    }

    /// Tests beside each other must all hold, with `and` between them or without.
    fn all(&mut self) -> Result<Tree, SyntaxError> {
        let mut trees = vec![self.one()?];
        loop {
            let and = self.takes(&Kind::And);
            match self.peek().map(|token| &token.kind) {
                None | Some(Kind::Or | Kind::Close) if !and => break,
                _ => trees.push(self.one()?),
            }
        }
        Ok(if trees.len() == 1 { trees.remove(0) } else { Tree::All(trees) })
    }

    fn one(&mut self) -> Result<Tree, SyntaxError> {
        let Some(token) = self.peek().cloned() else { return Err(error(self.end, "something should follow here")) };
        self.at += 1;
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(error(token.column, "this goes too deep"));
        }
        let tree = match token.kind {
            Kind::Not => Tree::Not(Box::new(self.one()?)),
            Kind::Open => {
                let tree = self.any()?;
                if !self.takes(&Kind::Close) {
                    return Err(error(token.column, "this `(` is never closed"));
                }
                tree
            }
            Kind::Word(word, false) if word == "@" => return Err(error(token.column + 1, "a name should follow `@`")),
            Kind::Word(word, false) if word.strip_prefix('@').is_some_and(is_name) => {
                self.named(word.trim_start_matches('@'), token.column)?
            }
            Kind::Word(word, _) => {
                self.count(1, token.column)?;
                let read = Word::new(&word).and_then(|read| Ok(Tree::Word(read, Inside::word(&word)?)));
                read.map_err(|message| error(token.column, message))?
            }
            Kind::Test { name, operator, value, value_column } => {
                self.count(1, token.column)?;
                let field = named(&name, token.column)?;
                let name = lower_family(field, &name);
                let test = field::test(field, &name, operator, &value);
                let test = test.map_err(|message| error(value_column, message))?;
                Tree::Test(Asked { name, operator, value, test })
            }
            Kind::Close => return Err(error(token.column, "something should stand before this `)`")),
            Kind::And | Kind::Or => return Err(error(token.column, "something should stand before this word")),
        };
        self.depth -= 1;
        Ok(tree)
    }

    /// The filter that `@name` stands for. A name that nobody gave is a mistake and no word: `not @nmae` would take all.
    fn named(&mut self, name: &str, column: usize) -> Result<Tree, SyntaxError> {
        let Some(filter) = self.names.get(name) else { return Err(self.no_such(name, column)) };
        let (tests, depth) = filter.tree.measure();
        self.count(tests, column)?;
        if self.depth + depth > DEPTH {
            return Err(error(column, "with what this name stands for it goes too deep"));
        }
        Ok(Tree::Named(format!("@{name}"), Box::new(filter.tree.clone())))
    }

    fn no_such(&self, name: &str, column: usize) -> SyntaxError {
        let hint = match nearest(name, self.names.keys().map(|known| &known[..])) {
            Some(known) => format!("did you mean `@{known}`?"),
            None => format!("quote it to search for it as it is: \"@{name}\""),
        };
        SyntaxError { column, message: format!("no filter has the name `{name}`"), hint: Some(hint) }
    }

    fn count(&mut self, tests: usize, column: usize) -> Result<(), SyntaxError> {
        self.tests += tests;
        if self.tests > TESTS {
            return Err(error(column, format!("a filter has at most {TESTS} words and tests")));
        }
        Ok(())
    }
}

/// A field's name as it is printed: what follows the first dot of a family is somebody else's name, and keeps its case.
fn lower_family(field: &Field, name: &str) -> String {
    let (family, rest) = if field.is_family() { field::family(name) } else { (name, "") };
    lower(family) + rest
}

fn named(name: &str, column: usize) -> Result<&'static Field, SyntaxError> {
    if let Some(field) = field::named(name) {
        return Ok(field);
    }
    let hint = match nearest(&lower(name), FIELDS.iter().map(|field| field.name)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("quote it to search for it as it is: \"{name}:…\""),
    };
    Err(SyntaxError { column, message: format!("there is no field `{name}`"), hint: Some(hint) })
}

/// The known name that was probably meant: one that looks alike, or with one letter more, less or in another place.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let nearness = |known: &str| {
        let is_slip = name.len() > 2 && strsim::damerau_levenshtein(name, known) == 1;
        if is_slip { 1.0 } else { strsim::jaro_winkler(name, known) }
    };
    let near = known.map(|known| (nearness(known), known)).max_by(|a, b| a.0.total_cmp(&b.0));
    near.filter(|near| near.0 > 0.75).map(|near| near.1)
}

/// Cuts the text into pieces.
fn tokens(text: &str) -> Result<Vec<Token>, SyntaxError> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let column = at + 1;
        let kind = match chars[at] {
            c if c.is_whitespace() => {
                at += 1;
                continue;
            }
            '(' => {
                at += 1;
                Kind::Open
            }
            ')' => {
                at += 1;
                Kind::Close
            }
            '"' => Kind::Word(quoted(&chars, &mut at, &['"', '\\'])?, true),
            _ => word(&chars, &mut at)?,
        };
        tokens.push(Token { column, kind });
    }
    Ok(tokens)
}

/// Text in quotes; a backslash takes the next character as it is, where that is one of `escaped`.
fn quoted(chars: &[char], at: &mut usize, escaped: &[char]) -> Result<String, SyntaxError> {
    let open = *at;
    let mut text = String::new();
    *at += 1;
    while let Some(&c) = chars.get(*at) {
        *at += 1;
        match c {
            '"' => return Ok(text),
            '\\' if chars.get(*at).is_some_and(|next| escaped.contains(next)) => {
                text.push(chars[*at]);
                *at += 1;
            }
            c => text.push(c),
        }
    }
    Err(error(open + 1, "this quote is never closed"))
}

/// A bare word, a word of the language, or a test.
fn word(chars: &[char], at: &mut usize) -> Result<Kind, SyntaxError> {
    let start = *at;
    while let Some(&c) = chars.get(*at) {
        if let Some((sign, operator)) =
            operator_at(&chars[*at..]).filter(|_| is_field(&chars[start..*at]) && !is_url(&chars[*at..]))
        {
            let name = chars[start..*at].iter().collect();
            *at += sign.chars().count();
            let value_column = *at + 1;
            let value = if operator == Operator::Matches { pattern(chars, at)? } else { value(chars, at)? };
            if value.is_empty() {
                return Err(error(value_column, format!("a value should follow `{sign}`")));
            }
            return Ok(Kind::Test { name, operator, value, value_column });
        }
        if c.is_whitespace() || matches!(c, '(' | ')' | '"') {
            break;
        }
        *at += 1;
        // A name in a path may be quoted, and hold what ends a word.
        if c == '[' && chars.get(*at) == Some(&'"') && is_of_family(&chars[start..*at]) {
            quoted(chars, at, &['"', '\\'])?;
        }
    }
    let word: String = chars[start..*at].iter().collect();
    Ok(match &lower(&word)[..] {
        "and" => Kind::And,
        "or" => Kind::Or,
        "not" => Kind::Not,
        _ => Kind::Word(word, false),
    })
}

fn operator_at(chars: &[char]) -> Option<(&'static str, Operator)> {
    OPERATORS.iter().copied().find(|(sign, _)| sign.chars().zip(chars).filter(|(a, b)| a == *b).count() == sign.len())
}

/// A URL's scheme is no field.
fn is_url(chars: &[char]) -> bool {
    chars.starts_with(&[':', '/', '/'])
}

/// Whether it can be the name of a field: what follows the dot of a family is somebody else's, and may be any.
fn is_field(chars: &[char]) -> bool {
    is_of_family(chars)
        || chars.first().is_some_and(char::is_ascii_alphabetic)
            && chars.iter().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '[' | ']'))
}

fn is_of_family(chars: &[char]) -> bool {
    field::named(&chars.iter().collect::<String>()).is_some_and(Field::is_family)
}

fn value(chars: &[char], at: &mut usize) -> Result<String, SyntaxError> {
    if chars.get(*at) == Some(&'"') {
        return quoted(chars, at, &['"', '\\']);
    }
    let start = *at;
    while chars.get(*at).is_some_and(|c| !c.is_whitespace() && !matches!(c, '(' | ')')) {
        *at += 1;
    }
    Ok(chars[start..*at].iter().collect())
}

/// A regular expression: its own parentheses belong to it, one that closes what it did not open does not.
fn pattern(chars: &[char], at: &mut usize) -> Result<String, SyntaxError> {
    if chars.get(*at) == Some(&'"') {
        // Its backslashes are its own.
        return quoted(chars, at, &['"']);
    }
    let (start, mut open) = (*at, 0_usize);
    while let Some(&c) = chars.get(*at).filter(|c| !c.is_whitespace()) {
        match c {
            '\\' => *at += 1,
            '(' => open += 1,
            ')' if open == 0 => break,
            ')' => open -= 1,
            _ => {}
        }
        *at = (*at + 1).min(chars.len());
    }
    Ok(chars[start..*at].iter().collect())
}

#[cfg(test)]
mod tests {
    use crate::query::{Filter, named};

    #[test]
    fn mistakes_are_pointed_at() {
        for (text, column, words) in [
            ("prvider:stripe", 1, "did you mean `provider`?"),
            ("a sig:fialed", 7, "passed, failed"),
            ("size>big", 6, "is no number; for example size>10k"),
            ("path>5", 6, "takes : = and !="),
            ("path~(", 6, "unclosed group"),
            ("size~1", 6, "is no text"),
            ("body>5", 6, "body.amount>5"),
            ("\"a", 1, "never closed"),
            ("(a", 1, "never closed"),
            ("a)", 2, "closes nothing"),
            ("a or", 5, "something should follow"),
            ("and a", 1, "something should stand before"),
            ("sig:", 5, "a value should follow `:`"),
            ("()", 2, "something should stand before"),
            ("a @", 4, "a name should follow"),
            ("a and or b", 7, "something should stand before"),
            ("age<5", 5, "is no time"),
            ("dup:maybe", 5, "neither yes nor no"),
            ("id:1..x", 4, "is no range"),
            ("status:6xx", 8, "is no status; for example status:413, status:5xx"),
            ("body[\"a:1", 6, "never closed"),
            ("body.a[1=2", 10, "has a [ without its ]"),
            ("body.=1", 1, "did you mean `body`?"),
        ] {
            let error = Filter::parse(text).unwrap_err();
            assert_eq!(error.column, column, "{text}: {error}");
            assert!(error.to_string().contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn odd_text_is_plain_words() {
        for text in ["*", "%", "_", "'", "a'--", "http://x", "12:30", "=", "a&b", "\\", "näh", "\"a \\\" b\"", "é:x"]
        {
            assert!(Filter::parse(text).is_ok(), "{text}: {:?}", Filter::parse(text));
        }
        assert!(Filter::parse("  ").unwrap().is_empty());
    }

    #[test]
    fn depth_has_an_end() {
        assert!(Filter::parse(&"(".repeat(10_000)).unwrap_err().message.contains("too deep"));
        assert!(Filter::parse(&"not ".repeat(10_000)).unwrap_err().message.contains("too deep"));
        assert!(Filter::parse(&"a ".repeat(800)).is_ok());
        assert!(Filter::parse(&"a ".repeat(801)).unwrap_err().message.contains("at most 800"));
    }

    #[test]
    fn names_may_use_each_other_and_their_filters_count_as_if_they_were_written_out() {
        let (names, wrong) = named([("slow", "@bad size>1M"), ("bad", "sig:failed"), ("a", "@b"), ("b", "not @a")]);
        assert_eq!(names.keys().collect::<Vec<_>>(), ["bad", "slow"]);
        let wrong: Vec<_> = wrong.iter().map(|(name, error)| (*name, error.column, error.to_string())).collect();
        assert_eq!((wrong[0].0, wrong[0].1, wrong[1].0, wrong[1].1), ("a", 1, "b", 5), "a ring is no filter");
        let error = Filter::parse_with("path:/a not @bda", &names).unwrap_err();
        assert_eq!((error.column, &error.to_string()[..]), (13, "no filter has the name `bda`; did you mean `@bad`?"));
        assert!(Filter::parse("@nobody").unwrap_err().to_string().contains("quote it"));
        let texts: Vec<_> = (1..30).map(|n| (format!("n{n}"), format!("@n{} @n{}", n - 1, n - 1))).collect();
        let texts = texts.iter().map(|(name, text)| (&name[..], &text[..])).chain([("n0", "x")]);
        assert_eq!(named(texts).0.len(), 10, "each has twice as many tests as the one before");
    }
}
