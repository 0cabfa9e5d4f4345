//! Reading a filter: `provider:stripe sig:failed or (size>10k and not "a phrase")`.

use std::fmt;

use super::{
    Asked, Inside, Names, Tree, Word,
    field::{self, FIELDS, Field, OPERATORS, Operator},
    value::lower,
};

/// How deep parentheses and `not` may go.
const DEPTH: usize = 64;

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
    let mut parser = Parser { tokens: &tokens, names, at: 0, end: text.chars().count() + 1, depth: 0 };
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
            Kind::Word(word, is_quoted) => {
                let read = || Ok(Tree::Word(Word::new(&word)?, Inside::word(&word)?));
                let named = self.named(&word).filter(|_| !is_quoted);
                named.map_or_else(read, Ok).map_err(|message: String| error(token.column, message))?
            }
            Kind::Test { name, operator, value, value_column } => {
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

    /// The filter that `@name` stands for. A word that begins with `@` and is no name is a word.
    fn named(&self, word: &str) -> Option<Tree> {
        let filter = self.names.get(word.strip_prefix('@')?)?;
        Some(Tree::Named(word.to_owned(), Box::new(filter.tree.clone())))
    }
}

/// A field's name as it is printed: what follows the first dot of a family is somebody else's name, and keeps its case.
fn lower_family(field: &Field, name: &str) -> String {
    match name.split_once('.').filter(|_| field.is_family()) {
        Some((family, rest)) => format!("{}.{rest}", lower(family)),
        None => lower(name),
    }
}

fn named(name: &str, column: usize) -> Result<&'static Field, SyntaxError> {
    if let Some(field) = field::named(name) {
        return Ok(field);
    }
    let lower = lower(name);
    let nearness = |field: &&Field| strsim::jaro_winkler(&lower, field.name);
    let near = FIELDS.iter().max_by(|a, b| nearness(a).total_cmp(&nearness(b))).filter(|field| nearness(field) > 0.75);
    let hint = match near {
        Some(field) => format!("did you mean `{}`?", field.name),
        None => format!("quote it to search for it as it is: \"{name}:…\""),
    };
    Err(SyntaxError { column, message: format!("there is no field `{name}`"), hint: Some(hint) })
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
            operator_at(&chars[*at..]).filter(|_| is_name(&chars[start..*at]) && !is_url(&chars[*at..]))
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

fn is_name(chars: &[char]) -> bool {
    chars.first().is_some_and(char::is_ascii_alphabetic)
        && chars.iter().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '[' | ']'))
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
    use crate::query::Filter;

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
            ("a and or b", 7, "something should stand before"),
            ("age<5", 5, "is no time"),
            ("dup:maybe", 5, "neither yes nor no"),
            ("id:1..x", 4, "is no range"),
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
        assert!(Filter::parse(&"a ".repeat(10_000)).is_ok());
    }
}
