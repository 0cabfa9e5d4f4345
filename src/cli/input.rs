//! What the user typed, read with words for what is wrong with it.

use std::{
    fs,
    io::{self, Read},
    path::Path,
    str::FromStr,
};

use super::{Common, Printer};
use crate::{
    body,
    engine::{self, export::Reading, filters::Filters},
    query::{Filter, Sql},
    record::{CaptureId, Failure},
    store::{Reader, Start},
};

/// How many rows one question to the store brings. Many short ones, not one long: each ends its read transaction.
pub(super) const PAGE: usize = 500;

/// The largest file that is read for a request or a body, in bytes: well over the largest body creel captures unless told
/// to.
const LARGEST: u64 = 256 << 20;

/// A capture's number, as it is typed or copied from where it is shown: `42` or `#42`.
pub(super) fn id(text: &str) -> Result<i64, String> {
    text.trim_start_matches('#').parse().map_err(|_| "a capture's number is wanted, like 42".to_owned())
}

/// The same where a filter may stand in place of numbers.
pub(super) fn id_and_no_filter(text: &str) -> Result<i64, String> {
    id(text).map_err(|why| format!("{why}; a filter stands behind --filter"))
}

/// So many seconds, or how many a second: no less than nothing, and with an end.
pub(super) fn amount(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0);
    number.ok_or_else(|| "a number is wanted, 0 or more, like 2.5".to_owned())
}

/// A whole number, 0 or more.
pub(super) fn whole<N: FromStr>(text: &str) -> Result<N, String> {
    let is_large = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let why = if is_large { "it is too large" } else { "a whole number is wanted, 0 or more" };
    text.parse().map_err(|_| why.to_owned())
}

/// How many, one at least.
pub(super) fn count<N: FromStr + Default + PartialEq>(text: &str) -> Result<N, String> {
    match whole(text) {
        Ok(count) if count != N::default() => Ok(count),
        Err(why) if !why.contains("wanted") => Err(why),
        _ => Err("a whole number is wanted, 1 or more".to_owned()),
    }
}

/// A batch's number.
pub(super) fn batch(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| "a batch's number is wanted, like 3".to_owned())
}

/// A moment in Unix seconds.
pub(super) fn unix(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| "a moment in Unix seconds is wanted, like 1795424700".to_owned())
}

/// A file's bytes, or those of standard input for `-`.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let doing = || format!("reading {}", path.display());
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        io::stdin().take(LARGEST + 1).read_to_end(&mut bytes)
    } else {
        fs::File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
    };
    read.map_err(|why| Failure::new(doing(), why))?;
    if bytes.len() as u64 > LARGEST {
        return Err(Failure::new(doing(), format!("it is larger than {} MiB", LARGEST >> 20)));
    }
    Ok(bytes)
}

/// A filter from the words of a command line, joined by blanks. None where there are none.
pub(super) fn filter(words: &[String], common: &Common) -> Result<Option<Filter>, Failure> {
    let text = words.join(" ");
    if text.trim().is_empty() {
        return Ok(None);
    }
    // The files are read where something may stand in them.
    let filters = if text.contains('@') { Filters::read(common.config.as_deref())? } else { Filters::default() };
    filters.parse(&text).map(Some).map_err(|error| {
        let pointer = pointed_at(&text, error.column);
        let hint = error.hint.map_or(pointer.clone(), |hint| format!("{pointer}\n  {hint}"));
        Failure::new("reading the filter", format!("{}, at column {}", error.message, error.column)).hint(hint)
    })
}

/// A text, and below it a mark at one of its characters, counted from one.
fn pointed_at(text: &str, column: usize) -> String {
    let before: String = text.chars().take(column.saturating_sub(1)).collect();
    let blanks = " ".repeat(body::width(&body::escape(&before)));
    format!("{}\n  {blanks}^", body::escape(text))
}

/// Refuses a number by itself in a filter by which something is lost: it is a word, which stands in nearly every capture, and
/// who types it means the capture of that number.
pub(super) fn refuse_bare_numbers(doing: &str, words: &[String]) -> Result<(), Failure> {
    let text = words.join(" ");
    let unquoted: String = text.split('"').step_by(2).collect::<Vec<_>>().join("\"");
    let is_number = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let mut numbers = unquoted.split_whitespace().map(|word| word.trim_start_matches('#'));
    match numbers.find(is_number) {
        None => Ok(()),
        Some(number) => Err(Failure::new(doing, format!("{number} by itself is a word, and looked for everywhere"))
            .hint(format!("id:{number} is the capture of that number; '\"{number}\"' is the word"))),
    }
}

/// What of a store leaves, and what a filter takes of it, oldest first. Where what is damaged is skipped, the list is read past
/// what is damaged in it.
pub(super) fn leaving<'a>(
    reader: &'a Reader,
    (words, skips_damaged): (&[String], bool),
    common: &Common,
) -> Result<(Reading<'a>, Vec<CaptureId>), Failure> {
    let mut reading = Reading::of(reader, skips_damaged);
    let condition = filter(words, common)?.map(|filter| filter.sql(engine::now()));
    let ids = reading.sift(condition.as_ref()).unwrap_or_else(|| listed(reader, condition.as_ref()))?;
    Ok((reading, ids))
}

/// The captures that a filter takes, oldest first: those that are there now. With them something is done, so that they are named.
pub(super) fn matching(reader: &Reader, words: &[String], common: &Common) -> Result<Vec<CaptureId>, Failure> {
    let Some(filter) = filter(words, common)? else {
        // Who writes an empty variable does not mean everything that was ever captured.
        return Err(Failure::new("reading the filter", "it is empty").hint("'id>0' takes every capture of the store"));
    };
    listed(reader, Some(&filter.sql(engine::now())))
}

/// Says on standard error that a filter takes nothing.
pub(super) fn tell_none_matches(printer: &Printer) {
    if !printer.quiet {
        super::report(&"no capture matches");
    }
}

fn listed(reader: &Reader, condition: Option<&Sql>) -> Result<Vec<CaptureId>, Failure> {
    let (mut ids, mut start) = (Vec::new(), Start::Newest);
    loop {
        let rows = reader.page(start, PAGE, condition)?;
        let Some(last) = rows.last() else { break };
        start = Start::Before(last.id);
        ids.extend(rows.iter().map(|row| row.id));
    }
    ids.reverse();
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_pointed_at_however_far_it_stands_and_whatever_stands_before() {
        assert_eq!(pointed_at("日\u{1b}\n(", 4), "日␛␊(\n      ^");
        assert!(pointed_at(&" ".repeat(70_000), 70_000).ends_with(" ^"));
    }

    #[test]
    fn a_number_by_itself_is_told_from_one_of_a_field_or_in_quotes() {
        let is_refused = |text: &str| refuse_bare_numbers("", &[text.to_owned()]).is_err();
        for text in ["42", "#42", "path:/a 42", "1 or 2", "\"a\" 7"] {
            assert!(is_refused(text), "{text}");
        }
        for text in ["id:42", "size>42", "\"42\"", "\"order 42 of\"", "42nd", "path:\"/a 42 b\" age>7d", ""] {
            assert!(!is_refused(text), "{text}");
        }
    }
}
