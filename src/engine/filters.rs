//! Filters by name, for which `@name` stands: those of the configuration, and those that were saved on the screen.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{
    config::{self, FilterRow},
    state,
};
use crate::{
    query::{self, Filter, Names},
    record::Failure,
};

/// The most filters that are saved.
const SAVED: usize = 200;
/// The table of the state's file that holds them.
const TABLE: &str = "filters";

/// Filters by name.
#[derive(Clone, Debug, Default)]
pub struct Filters {
    /// All of them.
    pub names: Names,
    /// The names that stand in a configuration file: they are changed there.
    pub configured: BTreeSet<String>,
}

impl Filters {
    /// Those of the configuration, and the saved ones beside them. A saved one that can no longer be read has no name.
    pub fn with(configured: &[FilterRow]) -> Self {
        let saved = saved();
        let is_free = |name: &&String| configured.iter().all(|row| row.name != **name);
        let others = saved.iter().filter(|(name, _)| is_free(name)).map(|(name, text)| (&name[..], &text[..]));
        let (names, _) = query::named(configured.iter().map(|row| (&row.name[..], &row.text[..])).chain(others));
        Self { names, configured: configured.iter().map(|row| row.name.clone()).collect() }
    }

    /// The same, read from the usual files or the named one. Nothing else of them is looked at.
    pub fn read(named: Option<&Path>) -> Result<Self, Failure> {
        let rows = config::filters(named)?;
        check(&rows)?;
        Ok(Self::with(&rows))
    }

    /// Reads a filter in which `@name` may stand for one of them.
    pub fn parse(&self, text: &str) -> Result<Filter, query::SyntaxError> {
        Filter::parse_with(text, &self.names)
    }
}

/// Whether the filters of the configuration can be read.
fn check(rows: &[FilterRow]) -> Result<(), Failure> {
    if let Some(row) = rows.iter().find(|row| !query::is_name(&row.name)) {
        let why = format!("`{}` is no name for a filter", row.name);
        return Err(Failure::new(format!("reading {}", row.name_at), why).hint("letters, digits, - and _"));
    }
    let (_, wrong) = query::named(rows.iter().map(|row| (&row.name[..], &row.text[..])));
    let first = rows.iter().find_map(|row| Some((row, &wrong.iter().find(|(name, _)| *name == row.name)?.1)));
    first.map_or(Ok(()), |(row, error)| {
        let why = format!("the filter `{}`: {}, at column {}", row.name, error.message, error.column);
        let failure = Failure::new(format!("reading {}", row.text_at), why);
        Err(error.hint.iter().fold(failure, Failure::hint))
    })
}

/// The saved ones, as text.
pub fn saved() -> BTreeMap<String, String> {
    let file: Option<toml::Table> = state::remembered().and_then(|text| text.parse().ok());
    let table = file.and_then(|mut file| file.remove(TABLE));
    let Some(toml::Value::Table(table)) = table else { return BTreeMap::new() };
    table.into_iter().filter_map(|(name, text)| Some((name, text.as_str()?.to_owned()))).collect()
}

/// Saves a filter under a name, in place of what had it; an empty text takes the name away.
pub fn save(name: &str, text: &str) -> Result<(), Failure> {
    let doing = || format!("saving the filter `{name}`");
    if saved().len() >= SAVED && !text.is_empty() {
        return Err(Failure::new(doing(), format!("{SAVED} are saved already")).hint("an empty one takes a name away"));
    }
    state::change(|file| {
        let table = file.entry(TABLE).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        let Some(table) = table.as_table_mut() else { return };
        if text.is_empty() {
            table.remove(name);
        } else {
            table.insert(name.to_owned(), text.into());
        }
    })
    .map_err(|failure| Failure { doing: doing(), ..failure })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, text: &str) -> FilterRow {
        let at = |column: u8| format!("creel.toml:2:{column}");
        FilterRow { name: name.to_owned(), name_at: at(1), text: text.to_owned(), text_at: at(7) }
    }

    #[test]
    fn a_filter_of_the_configuration_that_cannot_be_read_is_pointed_at() {
        assert!(check(&[row("slow", "@bad size>1M"), row("bad", "sig:failed")]).is_ok());
        for (name, text, at, words) in [
            ("a b", "x", "creel.toml:2:1", "`a b` is no name"),
            ("bad", "sgi:failed", "creel.toml:2:7", "the filter `bad`: there is no field `sgi`, at column 1"),
            ("bad", "a @ring", "creel.toml:2:7", "no filter has the name `ring`, at column 3"),
        ] {
            let said = check(&[row(name, text)]).unwrap_err().to_string();
            assert!(said.contains(at) && said.contains(words), "{said}");
        }
    }
}
