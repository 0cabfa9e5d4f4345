//! **Floor 1 — the filter language.** The same words in the screen, on the command line and in scripts.
//!
//! A filter is a tree of tests over a row of the list. It can be asked of one row ([`Filter::matches`]) and put to the
//! store as SQL ([`Filter::sql`]); a test holds the two to the same answer. Values are always bound, never written into
//! the SQL: no filter, however odd, is a syntax error of SQLite's.

mod field;
mod inside;
mod parse;
mod value;

use self::{field::Test, value::lower};
pub use self::{
    field::{FIELDS, Field, help},
    inside::{Content, Inside, Pattern},
    parse::SyntaxError,
};
use crate::record::{Summary, Timestamp};

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
    /// A word that stands somewhere in the row, in lower case, or in what the capture holds.
    Word(String, Inside),
    Test(Test),
}

/// A filter as a boolean expression over the columns of the table `summary`; its values stand for the `?`, in order.
///
/// It uses two functions of the store's: `matches(pattern, text)`, and `takes(test, head, body)`, which asks an [`Inside`]
/// of what a capture holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sql {
    /// The expression. It is 0 or 1, never NULL.
    pub text: String,
    /// What stands for its placeholders.
    pub values: Vec<Value>,
}

/// A value bound in SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// An integer.
    Int(i64),
    /// Text.
    Text(String),
}

/// The columns that a bare word is looked for in.
const WORD_COLUMNS: &[&str] = &["method", "path", "query", "event_type", "event_id", "provider", "endpoint"];

impl Filter {
    /// Reads a filter. Blank text is the filter that takes everything.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        parse::parse(text).map(|tree| Self { text: text.trim().to_owned(), tree })
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
        let mut sql = Sql::default();
        self.tree.write(now, &mut sql);
        sql
    }
}

impl Tree {
    fn matches(&self, row: &Summary, content: &Content<'_>, now: Timestamp) -> bool {
        match self {
            Self::All(trees) => trees.iter().all(|tree| tree.matches(row, content, now)),
            Self::Any(trees) => trees.iter().any(|tree| tree.matches(row, content, now)),
            Self::Not(tree) => !tree.matches(row, content, now),
            Self::Word(word, inside) => {
                let in_row = words_of(row).into_iter().flatten().any(|text| lower(text).contains(word));
                in_row || inside.takes(content)
            }
            Self::Test(test) => test.matches(row, content, now),
        }
    }

    /// The one test of what a capture holds that this is, where it is one.
    fn into_inside(self) -> Option<Inside> {
        match self {
            Self::Word(_, inside) | Self::Test(Test::Inside(inside)) => Some(inside),
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
                let tests = WORD_COLUMNS.iter().map(|column| format!("instr(lower(coalesce({column}, '')), ?) > 0"));
                // The row first: what stands there costs no look at what the capture holds.
                let tests = tests.chain([inside.sql()]).collect::<Vec<_>>();
                sql.text.push_str(&format!("({})", tests.join(" OR ")));
                sql.values.extend(WORD_COLUMNS.iter().map(|_| Value::Text(word.clone())));
                sql.values.push(Value::Text(inside.text().to_owned()));
            }
            Self::Test(test) => test.write(now, sql),
        }
    }
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
