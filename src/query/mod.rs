//! **Floor 1 — the filter language.** The same words in the screen, on the command line and in scripts.
//!
//! A filter is a tree of tests over a row of the list. It can be asked of one row ([`Filter::matches`]) and put to the
//! store as SQL ([`Filter::sql`]); a test holds the two to the same answer. Values are always bound, never written into
//! the SQL: no filter, however odd, is a syntax error of SQLite's.

mod complete;
mod field;
mod inside;
mod magnitude;
mod need;
mod needed;
mod parse;
mod print;
mod value;

use std::{collections::BTreeMap, sync::Arc};

pub use self::{
    complete::{Completion, Offer, complete},
    field::{FIELDS, Field, help},
    inside::{Content, Inside, Pattern, WHOLE_BODY},
    magnitude::marks,
    need::{Need, texts},
    parse::SyntaxError,
    print::quoted,
    value::span,
};
use self::{
    field::{Operator, Test},
    magnitude::Magnitudes,
};
use crate::record::{CaptureId, Summary, Timestamp};

/// Filters by their names, for which `@name` stands in another filter.
pub type Names = BTreeMap<String, Filter>;

/// Whether a text can be a filter's name: letters, digits, `-` and `_`.
pub fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

/// Filters that have names, read from their texts; one may use the names of others. And those that cannot be read, each with
/// what is wrong.
pub fn named<'a>(texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> (Names, Vec<(&'a str, SyntaxError)>) {
    let mut names = Names::new();
    let mut left: Vec<_> = texts.into_iter().collect();
    loop {
        let before = left.len();
        let mut wrong = Vec::new();
        left.retain(|(name, text)| match Filter::parse_with(text, &names) {
            Ok(filter) => {
                names.insert((*name).to_owned(), filter);
                false
            }
            Err(error) => {
                wrong.push((*name, error));
                true
            }
        });
        if left.len() == before {
            return (names, wrong);
        }
    }
}

/// A filter.
#[derive(Clone, Debug)]
pub struct Filter {
    text: String,
    tree: Tree,
}

/// What a filter is made of.
#[derive(Clone, Debug)]
enum Tree {
    /// All of them; of none: everything.
    All(Vec<Tree>),
    /// Any of them.
    Any(Vec<Tree>),
    Not(Box<Tree>),
    /// A word that stands somewhere in the row, or in what the capture holds.
    Word(Word, Inside),
    Test(Asked),
    /// One of these numbers, ascending. Nobody writes it.
    Numbers(Arc<[i64]>),
    /// Another filter by its name, as it was written.
    Named(String, Box<Tree>),
}

/// A test, and as what it was written.
#[derive(Clone, Debug)]
struct Asked {
    name: String,
    operator: Operator,
    value: String,
    test: Test,
}

/// A word that is looked for, ASCII letters in either case.
#[derive(Clone, Debug)]
pub struct Word {
    text: String,
    pattern: Pattern,
}

impl Word {
    /// Makes one ready; else says why not.
    pub fn new(text: &str) -> Result<Self, String> {
        Ok(Self { text: text.to_owned(), pattern: inside::literal(text)? })
    }

    /// Whether it stands in those bytes.
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        bytes.len() >= self.text.len() && self.pattern.is_match(bytes)
    }
}

/// A filter as a boolean expression over the columns of the table `summary`; its values stand for the `?`, in order.
///
/// It uses three functions of the store's: `matches(pattern, text)`, `has(word, text…)`, which asks for a [`Word`], and
/// `takes(test, head, body)`, which asks an [`Inside`] of what a capture holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sql {
    /// The expression. It is 0 or 1, never NULL.
    pub text: String,
    /// What stands for its placeholders.
    pub values: Vec<Value>,
    /// What stands in the texts of every capture that it takes.
    pub need: Need,
    /// Whether it asks for bodies.
    pub reads_bodies: bool,
}

/// A value bound in SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// An integer.
    Int(i64),
    /// Text.
    Text(String),
}

/// The fields whose values change after a capture was stored.
const CHANGING: &[&str] = &["reply", "mark", "note", "age"];

/// The columns that a bare word is looked for in. What stands in them is never changed.
const WORD_COLUMNS: &[&str] = &["method", "path", "query", "event_type", "event_id", "provider", "endpoint"];

impl Filter {
    /// Reads a filter. Blank text is the filter that takes everything.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        Self::parse_with(text, &Names::new())
    }

    /// Reads a filter in which `@name` may stand for one of those.
    pub fn parse_with(text: &str, names: &Names) -> Result<Self, SyntaxError> {
        parse::parse(text, names).map(|tree| Self { text: text.trim().to_owned(), tree })
    }

    /// The filter that takes everything.
    pub fn everything() -> Self {
        Self { text: String::new(), tree: Tree::All(Vec::new()) }
    }

    /// The filter that takes captures by their numbers, however many.
    pub fn of(ids: &[CaptureId]) -> Self {
        let mut numbers: Vec<_> = ids.iter().map(|id| id.0).collect();
        numbers.sort_unstable();
        Self { text: String::new(), tree: Tree::Numbers(numbers.into()) }
    }

    /// What this filter takes less what another one does; it is written as before.
    #[must_use]
    pub fn without(&self, other: Self) -> Self {
        let tree = Tree::All(vec![self.tree.clone(), Tree::Not(Box::new(other.tree))]);
        Self { text: self.text.clone(), tree }
    }

    /// The filter as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it takes everything.
    pub fn is_empty(&self) -> bool {
        matches!(&self.tree, Tree::All(tests) if tests.is_empty())
    }

    /// Whether it takes a row with that content, at that moment.
    pub fn matches(&self, row: &Summary, content: &Content<'_>, now: Timestamp) -> bool {
        self.tree.matches(row, content, now)
    }

    /// The same as SQL.
    pub fn sql(&self, now: Timestamp) -> Sql {
        let mut sql = Sql { need: self.need(), ..Sql::default() };
        self.tree.write(now, &mut sql);
        sql
    }

    /// Whether a capture that it does not take may be taken later: replies, marks, notes and ages change.
    pub fn may_change(&self) -> bool {
        self.tree.may_change()
    }

    /// What stands in the texts of every capture that it takes ([`texts`]).
    pub fn need(&self) -> Need {
        self.tree.need()
    }
}

impl Tree {
    fn matches(&self, row: &Summary, content: &Content<'_>, now: Timestamp) -> bool {
        match self {
            Self::All(trees) => trees.iter().all(|tree| tree.matches(row, content, now)),
            Self::Any(trees) => trees.iter().any(|tree| tree.matches(row, content, now)),
            Self::Not(tree) => !tree.matches(row, content, now),
            Self::Word(word, inside) => {
                let in_row = words_of(row).into_iter().flatten().any(|text| word.is_in(text.as_bytes()));
                in_row || inside.takes(content)
            }
            Self::Test(asked) => asked.test.matches(row, content, now),
            Self::Numbers(numbers) => numbers.binary_search(&row.id.0).is_ok(),
            Self::Named(_, tree) => tree.matches(row, content, now),
        }
    }

    /// The one test of what a capture holds that this is, where it is one.
    fn into_inside(self) -> Option<Inside> {
        match self {
            Self::Word(_, inside) | Self::Test(Asked { test: Test::Inside(inside), .. }) => Some(inside),
            _ => None,
        }
    }

    fn write(&self, now: Timestamp, sql: &mut Sql) {
        match self {
            Self::All(trees) => join(trees, " AND ", "1", now, sql),
            Self::Any(trees) => join(trees, " OR ", "0", now, sql),
            Self::Not(tree) => {
                sql.text.push_str("NOT ");
                tree.write(now, sql);
            }
            Self::Word(word, inside) => {
                // The row first: what stands there costs no look at what the capture holds.
                let columns = WORD_COLUMNS.join(", ");
                sql.text.push_str(&format!("(has(?, {columns}) OR {})", inside.sql()));
                sql.values.push(Value::Text(word.text.clone()));
                sql.values.push(Value::Text(inside.text().to_owned()));
                sql.reads_bodies = true;
            }
            Self::Test(asked) => {
                sql.reads_bodies |= matches!(&asked.test, Test::Inside(inside) if inside.reads_body());
                asked.test.write(now, sql);
            }
            Self::Numbers(numbers) => {
                // One value, however many they are: the statement stays the same, and is kept.
                sql.text.push_str("(id IN (SELECT value FROM json_each(?)))");
                let numbers: Vec<_> = numbers.iter().map(ToString::to_string).collect();
                sql.values.push(Value::Text(format!("[{}]", numbers.join(","))));
            }
            Self::Named(_, tree) => tree.write(now, sql),
        }
    }

    /// How many tests and words it has, and how deep they lie.
    fn measure(&self) -> (usize, usize) {
        match self {
            Self::All(trees) | Self::Any(trees) => {
                trees.iter().map(Self::measure).fold((0, 0), |sum, tree| (sum.0 + tree.0, sum.1.max(tree.1 + 1)))
            }
            Self::Not(tree) | Self::Named(_, tree) => {
                let (tests, depth) = tree.measure();
                (tests, depth + 1)
            }
            Self::Word(..) | Self::Test(_) | Self::Numbers(_) => (1, 1),
        }
    }

    fn may_change(&self) -> bool {
        match self {
            Self::All(trees) | Self::Any(trees) => trees.iter().any(Self::may_change),
            Self::Not(tree) | Self::Named(_, tree) => tree.may_change(),
            Self::Word(..) | Self::Numbers(_) => false,
            Self::Test(asked) => CHANGING.contains(&&asked.name[..]),
        }
    }

    fn need(&self) -> Need {
        match self {
            Self::All(trees) => Need::all(trees.iter().map(Self::need).chain(together(trees))),
            Self::Any(trees) => Need::any(trees.iter().map(Self::need)),
            Self::Not(_) | Self::Numbers(_) => Need::Anything,
            Self::Word(word, _) => Need::text(&word.text),
            Self::Test(asked) => asked.test.need(),
            Self::Named(_, tree) => tree.need(),
        }
    }
}

/// What several comparisons of one value need together: a number between two others is not one above the one and, perhaps
/// elsewhere, one below the other.
fn together(trees: &[Tree]) -> Vec<Need> {
    let mut paths: Vec<(&[String], Vec<Magnitudes>)> = Vec::new();
    for tree in trees {
        let Tree::Test(Asked { test: Test::Inside(inside), .. }) = tree else { continue };
        let Some((path, sizes)) = inside.magnitudes() else { continue };
        match paths.iter_mut().find(|(known, _)| *known == path) {
            Some((_, all)) => all.push(sizes),
            None => paths.push((path, vec![sizes])),
        }
    }
    let several = paths.into_iter().filter(|(_, all)| all.len() > 1);
    several
        .filter_map(|(path, all)| all.into_iter().reduce(|all, one| all.and(&one)).map(|all| all.need(path)))
        .collect()
}

fn words_of(row: &Summary) -> [Option<&str>; 7] {
    [
        Some(&row.method),
        Some(&row.path),
        row.query.as_deref(),
        row.event.kind.as_deref(),
        row.event.id.as_deref(),
        row.provider.as_deref(),
        Some(&row.endpoint),
    ]
}

fn join(trees: &[Tree], word: &str, none: &str, now: Timestamp, sql: &mut Sql) {
    sql.text.push('(');
    for (at, tree) in trees.iter().enumerate() {
        if at > 0 {
            sql.text.push_str(word);
        }
        tree.write(now, sql);
    }
    if trees.is_empty() {
        sql.text.push_str(none);
    }
    sql.text.push(')');
}
