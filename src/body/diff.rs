//! In what two bodies differ: JSON by its values, anything else by its lines.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    fmt,
    hash::Hash,
    ops::Range,
    rc::Rc,
};

use serde_json::Value;

use super::{
    Content,
    double::{Overridden, overridden},
    escape, fit,
    path::{self, Path, Spelling},
};
use crate::record::{counted, thousands, token};

/// The largest body that is compared as JSON or by lines, in bytes; of larger ones it is only said that they differ.
const COMPARED_BYTES: usize = 4 << 20;
/// Lines on both sides, multiplied, up to which the shortest difference is looked for. Beyond it only what is equal at
/// both ends is left out.
const COMPARED_LINES: usize = 4_000_000;
/// The longest value, in characters of JSON, that is too common to tell that it moved and is not another one like it.
const SMALL: usize = 5;
/// Among how many equal values it is looked for where one moved to.
const MOVES_TRIED: usize = 64;
/// The longest value that is shown, in characters.
const SHOWN: usize = 120;
/// The longest path that is shown, and the longest name in one, in characters.
const PATH_SHOWN: usize = 500;
/// How many differences are told: fewer than there are values in [`super::double`] that readers drop, so that it is said where there are
/// more. Two bodies of a few megabytes can have a million.
const MOST: usize = 5_000;

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where: a path in JSON (`.data.items[3].id`), or a line of the first body (`line 7`). Empty for the whole.
    pub at: String,
    /// What was there; none: it was added. Safe to show.
    pub before: Option<String>,
    /// What is there; none: it was removed. Safe to show.
    pub after: Option<String>,
    /// Where it stands now, where it only moved: then both values are the same.
    pub to: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(to), Some(value)) = (&self.to, &self.before) {
            return write!(f, "> {} → {to}: {value}", self.at);
        }
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => write!(f, "~ {}: {before} → {after}", self.at),
            (Some(before), None) => write!(f, "- {}: {before}", self.at),
            (None, Some(after)) => write!(f, "+ {}: {after}", self.at),
            (None, None) => write!(f, "  {}", self.at),
        }
    }
}

/// In what a body differs from another; nothing where they are the same, byte for byte. Where two are equal as JSON and
/// not as bytes, that is the difference.
pub fn diff(before: &Content, after: &Content) -> Vec<Difference> {
    if before.bytes == after.bytes {
        return Vec::new();
    }
    let bytes = |content: &Content| counted(content.bytes.len() as u64, "byte");
    let whole = |words: String| {
        vec![Difference { at: "body".to_owned(), before: Some(words), after: Some(bytes(after)), to: None }]
    };
    if before.bytes.len().max(after.bytes.len()) > COMPARED_BYTES {
        return whole(format!("{}, too many to compare", bytes(before)));
    }
    let json = |content: &Content| serde_json::from_slice::<Value>(&content.bytes).ok();
    if let Some((a, b)) = json(before).zip(json(after)) {
        let mut found = Vec::new();
        values(None, &a, &b, &mut found);
        let mut found = moved(&found);
        found.extend(dropped(&before.bytes, &after.bytes));
        return if found.is_empty() {
            let at = format!(
                "the same JSON written otherwise, {} and then {}: {}",
                bytes(before),
                bytes(after),
                how(before, after)
            );
            vec![Difference { at, before: None, after: None, to: None }]
        } else {
            bounded(found)
        };
    }
    match (std::str::from_utf8(&before.bytes), std::str::from_utf8(&after.bytes)) {
        (Ok(a), Ok(b)) => bounded(lines(a, b)),
        _ => whole(bytes(before)),
    }
}

/// How two texts differ that say the same JSON.
fn how(before: &Content, after: &Content) -> &'static str {
    let (mut a, mut b): (Vec<_>, Vec<_>) = (tokens(&before.bytes).collect(), tokens(&after.bytes).collect());
    if a == b {
        return "only the white space differs";
    }
    a.sort_unstable();
    b.sort_unstable();
    if a == b { "the names stand in another order" } else { "texts are spelled another way" }
}

/// What JSON is made of, the white space left out.
fn tokens(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = 0;
    std::iter::from_fn(move || {
        at = token::after_space(bytes, at);
        let end = match bytes.get(at)? {
            b'"' => token::string_end(bytes, at).unwrap_or(bytes.len()),
            b'{' | b'}' | b'[' | b']' | b',' | b':' => at + 1,
            _ => token::word_end(bytes, at).max(at + 1),
        };
        let token = bytes.get(at..end)?;
        at = end;
        Some(token)
    })
}

/// No more than can be told; where there are more, that is said.
fn bounded(mut found: Vec<Difference>) -> Vec<Difference> {
    if found.len() > MOST {
        found.truncate(MOST);
        let at = format!("and more: these are the first {} differences", thousands(MOST as u64));
        found.push(Difference { at, before: None, after: None, to: None });
    }
    found
}

/// In what the values differ that readers drop, since a later one has the same name: of those with one path the first is
/// compared with the first. One may lie in another, and all of them are read: together no more than a body.
fn dropped(before: &[u8], after: &[u8]) -> Vec<Difference> {
    let of = |bytes: &[u8]| {
        let mut all: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        let mut left = COMPARED_BYTES;
        for Overridden { path, value } in overridden(bytes) {
            let Some(rest) = left.checked_sub(value.len()) else { break };
            left = rest;
            let value = serde_json::from_slice(&bytes[value]).unwrap_or_default();
            all.entry(fit(&path.spelled(Spelling::Jq), PATH_SHOWN)).or_default().push(value);
        }
        all
    };
    let (a, b) = (of(before), of(after));
    let paths: BTreeSet<_> = a.keys().chain(b.keys()).collect();
    let mut found = Vec::new();
    for path in paths {
        let all = |of: &'_ BTreeMap<String, Vec<Value>>| of.get(path).cloned().unwrap_or_default();
        let (a, b) = (all(&a), all(&b));
        let pairs = (0..a.len().max(b.len())).map(|at| (a.get(at), b.get(at)));
        let shown = |value: Option<&Value>| value.map(|value| shown(&value.to_string()));
        found.extend(pairs.filter(|(a, b)| a != b).map(|(a, b)| Difference {
            at: format!("{path} (overridden)"),
            before: shown(a),
            after: shown(b),
            to: None,
        }));
    }
    found
}

/// What is at a path on one side or on both.
struct Found<'a> {
    way: Option<Rc<Way<'a>>>,
    before: Option<&'a Value>,
    after: Option<&'a Value>,
}

/// The way to a value that is not the root: to what it lies in, and one step on. What lies in one object shares the way to it,
/// however long its name is and however much lies there.
struct Way<'a> {
    within: Option<Rc<Way<'a>>>,
    step: Step<'a>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step<'a> {
    Name(&'a str),
    Place(usize),
}

type Within<'w, 'a> = Option<&'w Rc<Way<'a>>>;

fn values<'a>(way: Within<'_, 'a>, before: &'a Value, after: &'a Value, found: &mut Vec<Found<'a>>) {
    match (before, after) {
        (Value::Object(a), Value::Object(b)) => {
            for (name, value) in a {
                both(way, Step::Name(name), Some(value), b.get(name), found);
            }
            for (name, value) in b.iter().filter(|(name, _)| !a.contains_key(*name)) {
                both(way, Step::Name(name), None, Some(value), found);
            }
        }
        (Value::Array(a), Value::Array(b)) => items(way, a, b, found),
        (a, b) if a == b => {}
        (a, b) => found.push(Found { way: way.cloned(), before: Some(a), after: Some(b) }),
    }
}

/// What stands on both sides one step further on, or on one. Nothing more is looked for where there is more than can be told.
fn both<'a>(
    within: Within<'_, 'a>,
    step: Step<'a>,
    before: Option<&'a Value>,
    after: Option<&'a Value>,
    found: &mut Vec<Found<'a>>,
) {
    if found.len() > MOST {
        return;
    }
    let way = Rc::new(Way { within: within.cloned(), step });
    match (before, after) {
        (Some(before), Some(after)) => values(Some(&way), before, after, found),
        (before, after) => found.push(Found { way: Some(way), before, after }),
    }
}

/// Items of two arrays: the longest common sequence stays, of what stands between its members the pairs are compared, and
/// what has no pair was removed or added.
fn items<'a>(way: Within<'_, 'a>, before: &'a [Value], after: &'a [Value], found: &mut Vec<Found<'a>>) {
    for (range, other) in gaps(before, after) {
        for at in 0..range.len().max(other.len()) {
            let (value, new) = (before[range.clone()].get(at), after[other.clone()].get(at));
            let place = if value.is_some() { range.start + at } else { other.start + at };
            both(way, Step::Place(place), value, new, found);
        }
    }
}

/// What was removed at one path and added at another has moved. Of values as small as `true` only those that kept
/// their name or their array are believed to be the same.
fn moved(found: &[Found<'_>]) -> Vec<Difference> {
    let mut targets: HashMap<String, Vec<usize>> = HashMap::new();
    for (at, one) in found.iter().enumerate().filter(|(_, one)| one.before.is_none()) {
        targets.entry(one.after.map(ToString::to_string).unwrap_or_default()).or_default().push(at);
    }
    let mut taken = HashSet::new();
    let mut to = HashMap::new();
    for (at, one) in found.iter().enumerate().filter(|(_, one)| one.after.is_none()) {
        let value = one.before.map(ToString::to_string).unwrap_or_default();
        let there = targets.get(&value).into_iter().flatten().take(MOVES_TRIED);
        let same = |other: &&usize| is_telling(&value) || is_alike(one, &found[**other]);
        if let Some(target) = there.filter(|other| !taken.contains(*other)).find(same) {
            taken.insert(*target);
            to.insert(at, *target);
        }
    }
    let rest = found.iter().enumerate().filter(|(at, _)| !taken.contains(at));
    rest.map(|(at, one)| {
        let to = to.get(&at).map(|target| shown_path(&found[*target]));
        let after = if to.is_some() { one.before } else { one.after };
        let value = |value: Option<&Value>| value.map(|value| shown(&value.to_string()));
        Difference { at: shown_path(one), before: value(one.before), after: value(after), to }
    })
    .collect()
}

/// Whether a value, as JSON, is so much its own that the same one elsewhere is the one that moved.
fn is_telling(value: &str) -> bool {
    value.chars().count() > if value.starts_with(['[', '{']) { 2 } else { SMALL }
}

/// Whether two values have the same name, or lie in one array.
fn is_alike(one: &Found<'_>, other: &Found<'_>) -> bool {
    let (Some(one), Some(other)) = (&one.way, &other.way) else { return false };
    match (one.step, other.step) {
        (Step::Place(_), Step::Place(_)) => match (&one.within, &other.within) {
            (Some(array), Some(other)) => Rc::ptr_eq(array, other),
            (array, other) => array.is_none() && other.is_none(),
        },
        (step, other) => step == other,
    }
}

fn shown_path(one: &Found<'_>) -> String {
    let mut steps: Vec<_> = std::iter::successors(one.way.as_ref(), |way| way.within.as_ref())
        .map(|way| match way.step {
            Step::Name(name) => path::Step::Name(match name.char_indices().nth(PATH_SHOWN) {
                Some((end, _)) => format!("{}…", &name[..end]),
                None => name.to_owned(),
            }),
            Step::Place(place) => path::Step::Place(place),
        })
        .collect();
    steps.reverse();
    fit(&Path(steps).spelled(Spelling::Jq), PATH_SHOWN)
}

fn shown(text: &str) -> String {
    let mut letters = text.chars();
    let short: String = letters.by_ref().take(SHOWN).collect();
    let dots = if letters.next().is_some() { "…" } else { "" };
    format!("{}{dots}", escape(&short))
}

/// By lines: the longest common sequence stays, what is between is removed and added.
fn lines(before: &str, after: &str) -> Vec<Difference> {
    let (a, b): (Vec<&str>, Vec<&str>) = (before.split('\n').collect(), after.split('\n').collect());
    let at = |place: usize| format!("line {}", place + 1);
    let one = |at, before: Option<&str>, after: Option<&str>| Difference {
        at,
        before: before.map(shown),
        after: after.map(shown),
        to: None,
    };
    let mut found = Vec::new();
    for (range, other) in gaps(&a, &b) {
        let end = range.end;
        found.extend(range.map(|place| one(at(place), Some(a[place]), None)));
        found.extend(other.map(|place| one(at(end), None, Some(b[place]))));
    }
    found
}

/// Where two sequences differ: what stands on either side between the members of their longest common sequence. Where
/// that would take too long to find, all between an equal beginning and an equal end.
fn gaps<T: Eq + Hash>(before: &[T], after: &[T]) -> Vec<(Range<usize>, Range<usize>)> {
    let start = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let rest = before.len().min(after.len()) - start;
    let end = before.iter().rev().zip(after.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let (a, b) = (&before[start..before.len() - end], &after[start..after.len() - end]);
    if a.is_empty() && b.is_empty() {
        return Vec::new();
    }
    if a.len().min(b.len()) == 0 || a.len().max(b.len()) == 1 || a.len().saturating_mul(b.len()) > COMPARED_LINES {
        return vec![(start..start + a.len(), start..start + b.len())];
    }
    let numbers = numbered(a, b);
    let (a, b) = numbers.split_at(a.len());
    let table = common(a, b);
    let (mut i, mut j, mut found) = (0, 0, Vec::new());
    let (mut from, mut other) = (0, 0);
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            found.push((start + from..start + i, start + other..start + j));
            (i, j) = (i + 1, j + 1);
            (from, other) = (i, j);
        } else if j == b.len() || (i < a.len() && table[i + 1][j] >= table[i][j + 1]) {
            i += 1;
        } else {
            j += 1;
        }
    }
    found.push((start + from..start + i, start + other..start + j));
    found.retain(|(range, other)| !range.is_empty() || !other.is_empty());
    found
}

/// A number for each, those of one sequence behind those of the other: the same for what is equal. So each is read once, and not
/// once for each that it is compared with.
fn numbered<T: Eq + Hash>(a: &[T], b: &[T]) -> Vec<usize> {
    let mut numbers = HashMap::new();
    let number = |one| {
        let next = numbers.len();
        *numbers.entry(one).or_insert(next)
    };
    a.iter().chain(b).map(number).collect()
}

/// How long the longest common sequence is of what follows each pair of places.
fn common(a: &[usize], b: &[usize]) -> Vec<Vec<u32>> {
    let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            table[i][j] = if a[i] == b[j] { table[i + 1][j + 1] + 1 } else { table[i + 1][j].max(table[i][j + 1]) };
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(before: &str, after: &str) -> Vec<String> {
        let content = |text: &str| Content { bytes: text.to_owned().into(), ..Content::default() };
        diff(&content(before), &content(after)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn json_differs_by_its_values() {
        assert_eq!(
            found(
                r#"{"a":1,"b":{"c":[1,2,3],"odd key":null},"gone":true}"#,
                r#"{"b":{"c":[1,5],"odd key":"x"},"a":1,"new":{"d":1.0}}"#
            ),
            [
                "~ .b.c[1]: 2 → 5",
                "- .b.c[2]: 3",
                "~ .b[\"odd key\"]: null → \"x\"",
                "- .gone: true",
                "+ .new: {\"d\":1.0}",
            ]
        );
        assert_eq!(found("1", "[1]"), ["~ .: 1 → [1]"]);
        assert_eq!(
            found(r#"{"a":1,"a":2,"b":{"c":1,"c":1}}"#, r#"{"a":3,"a":2,"b":{"c":1}}"#),
            ["~ .a (overridden): 1 → 3", "- .b.c (overridden): 1"],
            "what most readers drop stands there all the same"
        );
        let same = "  the same JSON written otherwise";
        for (before, after, words) in [
            (r#"{"a":1}"#, r#"{ "a": 1 }"#, "7 bytes and then 10 bytes: only the white space differs"),
            (
                r#"{"a":[1,2],"b":"x"}"#,
                r#"{"b":"x", "a":[1,2]}"#,
                "19 bytes and then 20 bytes: the names stand in another order",
            ),
            (r#"{"a":"é"}"#, r#"{"a":"\u00e9"}"#, "10 bytes and then 14 bytes: texts are spelled another way"),
        ] {
            assert_eq!(found(before, after), [format!("{same}, {words}")]);
        }
        assert_eq!(found(r#"{"n":1.0}"#, r#"{"n":1.00}"#), ["~ .n: 1.0 → 1.00"], "numbers are compared as they stand");
    }

    #[test]
    fn what_moved_is_told_from_what_went_and_what_came() {
        assert_eq!(
            found(
                r#"{"a":{"id":"evt_1"},"list":[1,2,3],"on":true}"#,
                r#"{"b":{"id":"evt_1"},"list":[3,1,2],"off":true}"#
            ),
            ["> .a → .b: {\"id\":\"evt_1\"}", "> .list[2] → .list[0]: 3", "- .on: true", "+ .off: true"]
        );
        assert_eq!(found(r#"{"x":{"n":1}}"#, r#"{"y":{"z":{"n":1}}}"#), ["- .x: {\"n\":1}", "+ .y: {\"z\":{\"n\":1}}"]);
        assert_eq!(
            found(r#"[{"i":1},{"i":2,"k":0}]"#, r#"[{"i":0},{"i":1},{"i":2,"k":9}]"#),
            ["+ .[0]: {\"i\":0}", "~ .[1].k: 0 → 9"]
        );
    }

    #[test]
    fn each_of_two_long_lists_is_read_a_few_times_and_not_once_for_each_of_the_other() {
        thread_local!(static READ: std::cell::Cell<usize> = const { std::cell::Cell::new(0) });
        struct Item(usize);
        impl PartialEq for Item {
            fn eq(&self, other: &Self) -> bool {
                READ.set(READ.get() + 1);
                self.0 == other.0
            }
        }
        impl Eq for Item {}
        impl Hash for Item {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                READ.set(READ.get() + 1);
                self.0.hash(state);
            }
        }
        let list = |from: usize| (from..from + 1_000).map(Item).collect::<Vec<_>>();
        let found = gaps(&list(0), &list(500));
        assert_eq!(found, [(0..500, 0..0), (1_000..1_000, 500..1_000)]);
        assert!(READ.get() < 20_000, "{}", READ.get());
    }

    #[test]
    fn a_hostile_body_is_told_in_few_and_short_words() {
        let long = "n".repeat(1 << 20);
        let same_name = |value: u32| format!("{{\"{long}\":[{}0]}}", format!("{{\"x\":{value}}},").repeat(20_000));
        let doubled = |value: u32| format!("{{\"{long}\":{{{}\"a\":0}}}}", format!("\"a\":{value},").repeat(20_000));
        for (before, after) in
            [(same_name(1), same_name(2)), (doubled(1), doubled(2)), ("1\n".repeat(20_000), "2\n".repeat(21_000))]
        {
            let found = found(&before, &after);
            assert_eq!(found.len(), MOST + 1);
            assert_eq!(found[MOST], "  and more: these are the first 5,000 differences");
            let longest = found.iter().map(|line| line.chars().count()).max().unwrap();
            assert!(longest < 2 * PATH_SHOWN, "{longest}");
        }
    }

    #[test]
    fn text_differs_by_its_lines() {
        assert_eq!(found("a\nb\nc\nd", "a\nc\nx\nd"), ["- line 2: b", "+ line 4: x"]);
        assert_eq!(found("a", "a\n"), ["+ line 2: "]);
        assert!(found("same", "same").is_empty());
    }

    #[test]
    fn nothing_of_a_body_is_shown_unescaped_or_without_end() {
        let long = format!("\"{}\"", "\u{1b}[31m".repeat(200));
        let found = found("1", &long.replace('\u{1b}', "\\u001b"));
        assert!(found[0].chars().all(super::super::is_safe) && found[0].chars().count() < 900, "{found:?}");
        let binary = Content { bytes: vec![0xff].into(), ..Content::default() };
        assert_eq!(diff(&binary, &Content::default()).len(), 1);
    }
}
