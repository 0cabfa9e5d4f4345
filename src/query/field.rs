//! The fields, a row each.

use std::{cmp::Ordering, fmt::Write};

use super::{
    Content, Inside, Need, Pattern, Sql, Value, WORD_COLUMNS,
    value::{lower, moment, size, span, whole},
};
use crate::record::{Fault, Flag, LastDelivery, Mark, Post, Summary, Tags, Timestamp, Verdict};

/// A field that a filter can ask about.
#[derive(Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it is, in a few words.
    pub help: &'static str,
    /// A filter that uses it.
    pub example: &'static str,
    kind: Kind,
}

/// How a field is asked. Text stands somewhere in its value with `:`, is its value with `=`; ASCII case says nothing.
#[derive(Debug)]
enum Kind {
    Text(&'static str, fn(&Summary) -> &str),
    /// A number, of the size and of nothing else perhaps with a unit; a column that may be NULL.
    Number(&'static str, fn(&Summary) -> Option<i64>, fn(&str) -> Option<i64>),
    /// A number, or a hundred of them: `5xx`.
    Status(&'static str, fn(&Summary) -> Option<i64>),
    /// `failed`, `none`, `waiting`, `dead`, or a status: the app's last reply.
    Reply,
    /// One of some names, each with the number that stands for it in a column.
    Name(&'static str, fn(&Summary) -> Option<i64>, fn(&str) -> Option<i64>, fn() -> Vec<&'static str>),
    /// One of the flags.
    Flag,
    /// One of the marks.
    Mark,
    Truth(&'static str, fn(&Summary) -> bool),
    /// How long ago it came.
    Age,
    /// Something of what the capture holds, which no column has ([`Inside`]).
    Inside,
}

/// What stands in a field's name for a name or a path of one's own.
const OPEN: &str = "NAME";

impl Field {
    /// Whether its name ends in a name or a path of one's own.
    pub(super) fn is_family(&self) -> bool {
        self.name.ends_with(OPEN)
    }

    /// Whether `~` looks into it.
    pub fn is_text(&self) -> bool {
        matches!(self.kind, Kind::Text(..) | Kind::Inside)
    }

    /// Whether its values have an order.
    fn is_ordered(&self) -> bool {
        matches!(self.kind, Kind::Number(..) | Kind::Status(..) | Kind::Reply | Kind::Age | Kind::Inside)
    }

    /// The values it may have, where they are few and known.
    pub fn values(&self) -> Vec<&'static str> {
        match self.kind {
            Kind::Name(.., names) => names(),
            Kind::Flag => Flag::all().map(Flag::name).collect(),
            Kind::Mark => Mark::all().map(Mark::name).collect(),
            Kind::Truth(..) => vec!["yes", "no"],
            Kind::Reply => vec!["failed", "none", "waiting", "dead"],
            Kind::Age => vec!["5m", "1h", "1d"],
            _ => Vec::new(),
        }
    }

    /// The operators that it takes, and what each asks.
    pub(super) fn operators(&self) -> Vec<(&'static str, &'static str)> {
        let has = match self.kind {
            Kind::Text(..) | Kind::Inside => "has it somewhere",
            Kind::Age => "came within that time",
            Kind::Number(..) => "is it, or within a range: 1..9",
            Kind::Status(..) | Kind::Reply => "is it, or within a range: 5xx, 400..409",
            _ => "is it",
        };
        let mut all = vec![(":", has)];
        let is_exact = matches!(self.kind, Kind::Text(..) | Kind::Inside | Kind::Number(..) | Kind::Status(..));
        if is_exact {
            all.push(("=", "is exactly it"));
        }
        all.push(("!=", "is not it"));
        if self.is_text() {
            all.push(("~", "a regular expression finds it"));
        }
        if self.is_ordered() && self.name != "body" {
            all.extend([(">", "is more"), (">=", "is it or more"), ("<", "is less"), ("<=", "is it or less")]);
        }
        all
    }

    /// Whether a name that somebody wrote, in lower case, is this field's: its own, or of its family.
    fn is_named(&self, name: &str) -> bool {
        match self.name.strip_suffix(OPEN) {
            // A path may begin with a bracket: `body[0].id`.
            Some("body.") if name.starts_with("body[") => true,
            Some(family) => name.len() > family.len() && name.starts_with(family),
            None => name == self.name,
        }
    }
}

/// The name of a family, and what follows it: the name or path of one's own with its dot or bracket.
pub(super) fn family(name: &str) -> (&str, &str) {
    name.split_at(name.find(['.', '[']).unwrap_or(name.len()))
}

/// The field of a name, whose case says nothing.
pub(super) fn named(name: &str) -> Option<&'static Field> {
    let name = lower(name);
    FIELDS.iter().find(|field| field.is_named(&name))
}

/// Every field.
pub const FIELDS: &[Field] = &[
    Field { name: "id", help: "number", example: "id:10..20", kind: Kind::Number("id", |r| Some(r.id.0), whole) },
    Field { name: "method", help: "method", example: "method=POST", kind: Kind::Text("method", |r| &r.method) },
    Field {
        name: "path",
        help: "path of the target, as sent",
        example: "path:/stripe",
        kind: Kind::Text("path", |r| &r.path),
    },
    Field {
        name: "query",
        help: "query of the target, as sent",
        example: "query:x=1",
        kind: Kind::Text("coalesce(query, '')", |r| r.query.as_deref().unwrap_or_default()),
    },
    Field {
        name: "provider",
        help: "signature provider",
        example: "provider:stripe",
        kind: Kind::Text("coalesce(provider, '')", |r| r.provider.as_deref().unwrap_or_default()),
    },
    Field {
        name: "event",
        help: "event type",
        example: "event:charge.succeeded",
        kind: Kind::Text("coalesce(event_type, '')", |r| r.event.kind.as_deref().unwrap_or_default()),
    },
    Field {
        name: "event.id",
        help: "event id",
        example: "event.id=evt_1",
        kind: Kind::Text("coalesce(event_id, '')", |r| r.event.id.as_deref().unwrap_or_default()),
    },
    Field {
        name: "endpoint",
        help: "endpoint",
        example: "endpoint:shop",
        kind: Kind::Text("endpoint", |r| &r.endpoint),
    },
    Field {
        name: "ip",
        help: "address of the sender or proxy",
        example: "ip:127.0.0.1",
        kind: Kind::Text("peer", |r| &r.peer),
    },
    Field {
        name: "sig",
        help: "passed, failed, unsigned, unchecked",
        example: "sig:failed",
        kind: Kind::Name(
            "verdict",
            |r| Some(r.verdict as i64),
            |name| Verdict::named(name).map(|verdict| verdict as i64),
            || Verdict::all().map(Verdict::name).collect(),
        ),
    },
    Field {
        name: "fault",
        help: "why the check did not pass",
        example: "fault:mismatch",
        kind: Kind::Name(
            "coalesce(fault, -1)",
            |r| Some(r.fault.map_or(-1, |fault| fault as i64)),
            |name| Fault::named(name).map(|fault| fault as i64),
            || Fault::all().map(Fault::name).collect(),
        ),
    },
    Field {
        name: "size",
        help: "bytes of the body, k and M allowed",
        example: "size>10k",
        kind: Kind::Number("size", |r| Some(r.size as i64), size),
    },
    Field {
        name: "status",
        help: "what creel answered",
        example: "status:413",
        kind: Kind::Status("reply", |r| Some(i64::from(r.reply_status))),
    },
    Field {
        name: "reply",
        help: "what the app last answered: a status, 5xx, failed, none, waiting, dead",
        example: "reply>=500",
        kind: Kind::Reply,
    },
    Field {
        name: "dup",
        help: "yes where the event had come before",
        example: "dup:yes",
        kind: Kind::Truth("duplicate_of IS NOT NULL", |r| r.duplicate_of.is_some()),
    },
    Field {
        name: "mark",
        help: "duplicate, retry, replayed, stale, out-of-order; marked, pinned, edited",
        example: "mark:retry",
        kind: Kind::Mark,
    },
    Field {
        name: "note",
        help: "what was noted of it",
        example: "note:anna",
        kind: Kind::Text("coalesce(note, '')", |r| r.note.as_deref().unwrap_or_default()),
    },
    Field {
        name: "attempt",
        help: "which delivery of its event it is",
        example: "attempt>2",
        kind: Kind::Number(
            "coalesce(attempt, 1)",
            |r| Some(r.repeat.map_or(1, |repeat| i64::from(repeat.attempt))),
            whole,
        ),
    },
    Field {
        name: "gap",
        help: "time since the last delivery of its event",
        example: "gap<5m",
        kind: Kind::Number("gap_ms", |r| r.repeat.map(|repeat| repeat.gap_ms), span),
    },
    Field {
        name: "cut",
        help: "yes where the body is not whole",
        example: "cut:yes",
        kind: Kind::Truth("truncated <> 0", |r| r.truncated),
    },
    Field { name: "flag", help: "what is odd about it", example: "flag:both-lengths", kind: Kind::Flag },
    Field { name: "age", help: "how long ago: s, m, h, d, w", example: "age<5m", kind: Kind::Age },
    Field {
        name: "time",
        help: "when: a date, or RFC 3339",
        example: "time>2026-11-23",
        kind: Kind::Number("received_at", |r| Some(r.received_at.unix_ms()), moment),
    },
    Field { name: "body", help: "the whole body, codings undone", example: "body:\"trout\"", kind: Kind::Inside },
    Field {
        name: "body.NAME",
        help: "a value of a JSON body or a form: body.a.b[0]",
        example: "body.data.amount>5",
        kind: Kind::Inside,
    },
    Field { name: "header.NAME", help: "a header", example: "header.x-event=push", kind: Kind::Inside },
    Field { name: "query.NAME", help: "a value of the query, decoded", example: "query.x=1", kind: Kind::Inside },
];

/// Where the fault is `stale`, by its number in the store.
const STALE: &str = "coalesce(fault, -1) = 3";
const _: () = assert!(Fault::Stale as i64 == 3);

/// The fields with their examples, a line each, for help texts.
pub fn help() -> String {
    FIELDS.iter().fold(String::new(), |mut lines, field| {
        let _ = writeln!(lines, "{:<12} {:<24} {}", field.name, field.example, field.help);
        lines
    })
}

/// What is asked of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    /// `:`
    Has,
    /// `=`
    Is,
    /// `!=`
    IsNot,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `~`: a regular expression has a match in it.
    Matches,
}

/// The operators as they are written, those first that begin with another one.
pub(super) const OPERATORS: &[(&str, Operator)] = &[
    ("!=", Operator::IsNot),
    (">=", Operator::AtLeast),
    ("<=", Operator::AtMost),
    (":", Operator::Has),
    ("=", Operator::Is),
    (">", Operator::Above),
    ("<", Operator::Below),
    ("~", Operator::Matches),
];

impl Operator {
    /// As it is written.
    pub(super) fn sign(self) -> &'static str {
        OPERATORS.iter().find(|row| row.1 == self).map_or(":", |row| row.0)
    }

    pub(super) fn takes(self, ordering: Ordering) -> bool {
        match self {
            Self::Has | Self::Is | Self::Matches => ordering.is_eq(),
            Self::IsNot => ordering.is_ne(),
            Self::Above => ordering.is_gt(),
            Self::AtLeast => ordering.is_ge(),
            Self::Below => ordering.is_lt(),
            Self::AtMost => ordering.is_le(),
        }
    }

    fn sql(self) -> &'static str {
        match self {
            Self::Has | Self::Is | Self::Matches => "=",
            Self::IsNot => "<>",
            Self::Above => ">",
            Self::AtLeast => ">=",
            Self::Below => "<",
            Self::AtMost => "<=",
        }
    }

    pub(super) fn orders(self) -> bool {
        matches!(self, Self::Above | Self::AtLeast | Self::Below | Self::AtMost)
    }
}

/// A field, an operator and a value, understood.
#[derive(Clone, Debug)]
pub(super) enum Test {
    Text {
        column: &'static str,
        of: fn(&Summary) -> &str,
        operator: Operator,
        value: String,
    },
    Match {
        column: &'static str,
        of: fn(&Summary) -> &str,
        pattern: Pattern,
    },
    Number {
        column: &'static str,
        of: fn(&Summary) -> Option<i64>,
        operator: Operator,
        value: i64,
    },
    Range {
        column: &'static str,
        of: fn(&Summary) -> Option<i64>,
        from: i64,
        to: i64,
        wanted: bool,
    },
    Truth {
        sql: &'static str,
        of: fn(&Summary) -> bool,
        wanted: bool,
    },
    Flag {
        bit: i64,
        wanted: bool,
    },
    Age {
        operator: Operator,
        span: i64,
    },
    /// Younger than the second and not younger than the first, in milliseconds.
    Ages {
        from: i64,
        to: i64,
    },
    Inside(Inside),
}

/// Understands a test of a field by the name it was written with; else says why not.
pub(super) fn test(field: &'static Field, name: &str, operator: Operator, value: &str) -> Result<Test, String> {
    if operator == Operator::Matches && !matches!(field.kind, Kind::Text(..) | Kind::Inside) {
        return Err(format!("`{}` is no text, which `~` looks into; for example {}", field.name, field.example));
    }
    let number = |read: fn(&str) -> Option<i64>, what: &str| {
        read(value).ok_or_else(|| format!("`{value}` is no {what}; for example {}", field.example))
    };
    let unordered = || {
        if operator.orders() {
            Err(format!("`{}` takes : = and != and no order; for example {}", field.name, field.example))
        } else {
            Ok(())
        }
    };
    match &field.kind {
        Kind::Text(column, of) => {
            unordered()?;
            if operator == Operator::Matches {
                return Ok(Test::Match { column, of: *of, pattern: Pattern::new(value)? });
            }
            Ok(Test::Text { column, of: *of, operator, value: lower(value) })
        }
        Kind::Number(column, of, read) => match range(operator, value, *read, i64::MIN, "1..9")? {
            Some((from, to)) => Ok(Test::Range { column, of: *of, from, to, wanted: true }),
            None => Ok(Test::Number { column, of: *of, operator, value: number(*read, "number")? }),
        },
        Kind::Status(column, of) => match status(column, *of, operator, value) {
            Some(test) => Ok(test),
            None => Err(format!("`{value}` is no status; for example {}, {}:5xx", field.example, field.name)),
        },
        Kind::Reply => reply(field, operator, value),
        Kind::Name(column, of, named, names) => {
            unordered()?;
            let value = named(&lower(value)).ok_or_else(|| format!("`{value}` is none of {}", names().join(", ")))?;
            Ok(Test::Number { column, of: *of, operator, value })
        }
        Kind::Flag => {
            unordered()?;
            let flag = Flag::named(&lower(value))
                .ok_or_else(|| format!("`{value}` is none of {}", list(Flag::all().map(Flag::name))))?;
            Ok(Test::Flag { bit: flag.bit(), wanted: operator != Operator::IsNot })
        }
        Kind::Mark => {
            unordered()?;
            let mark = Mark::named(&lower(value))
                .ok_or_else(|| format!("`{value}` is none of {}", list(Mark::all().map(Mark::name))))?;
            let (sql, of): (&'static str, fn(&Summary) -> bool) = match mark {
                Mark::Duplicate => ("duplicate_of IS NOT NULL", |r| r.marks().any(|mark| mark == Mark::Duplicate)),
                Mark::Retry => ("coalesce(retry, 0) & 1 <> 0", |r| r.marks().any(|mark| mark == Mark::Retry)),
                Mark::Replayed => ("coalesce(retry, 0) & 2 <> 0", |r| r.marks().any(|mark| mark == Mark::Replayed)),
                Mark::Stale => (STALE, |r| r.marks().any(|mark| mark == Mark::Stale)),
                Mark::OutOfOrder => ("late_ms IS NOT NULL", |r| r.marks().any(|mark| mark == Mark::OutOfOrder)),
                Mark::Marked => ("tags & 1 <> 0", |r| r.tags.has(Tags::MARKED)),
                Mark::Pinned => ("tags & 2 <> 0", |r| r.tags.has(Tags::PINNED)),
                Mark::Edited => ("tags & 4 <> 0", |r| r.tags.has(Tags::EDITED)),
            };
            Ok(Test::Truth { sql, of, wanted: operator != Operator::IsNot })
        }
        Kind::Truth(sql, of) => {
            unordered()?;
            let truth = match &lower(value)[..] {
                "yes" | "true" | "1" => true,
                "no" | "false" | "0" => false,
                _ => return Err(format!("`{value}` is neither yes nor no")),
            };
            Ok(Test::Truth { sql, of: *of, wanted: truth == (operator != Operator::IsNot) })
        }
        Kind::Age => match range(operator, value, span, 0, "5m..1h")? {
            Some((from, to)) => Ok(Test::Ages { from, to }),
            None => Ok(Test::Age { operator, span: number(span, "time")? }),
        },
        Kind::Inside => Inside::field(name, operator, value).map(Test::Inside),
    }
}

/// The two ends of a range `from..to`, of which one may be left out; none where the value is no range.
fn range(
    operator: Operator,
    value: &str,
    read: fn(&str) -> Option<i64>,
    least: i64,
    example: &str,
) -> Result<Option<(i64, i64)>, String> {
    let Some((from, to)) = value.split_once("..").filter(|_| operator == Operator::Has) else { return Ok(None) };
    let bound = |text: &str, open: i64| if text.is_empty() { Some(open) } else { read(text) };
    let range = bound(from, least).zip(bound(to, i64::MAX));
    range.map(Some).ok_or_else(|| format!("`{value}` is no range; for example {example}"))
}

fn reply(field: &Field, operator: Operator, value: &str) -> Result<Test, String> {
    match (&lower(value)[..], operator) {
        ("none", Operator::Has | Operator::Is | Operator::IsNot) => {
            let of: fn(&Summary) -> bool = |row| row.last_delivery.is_none();
            Ok(Test::Truth { sql: "app IS NULL", of, wanted: operator != Operator::IsNot })
        }
        ("waiting", Operator::Has | Operator::Is | Operator::IsNot) => {
            let of: fn(&Summary) -> bool = |row| row.post == Some(Post::Waiting);
            Ok(Test::Truth { sql: "coalesce(post, 0) = 1", of, wanted: operator != Operator::IsNot })
        }
        ("dead", Operator::Has | Operator::Is | Operator::IsNot) => {
            let of: fn(&Summary) -> bool = |row| row.post == Some(Post::Dead);
            Ok(Test::Truth { sql: "coalesce(post, 0) = 2", of, wanted: operator != Operator::IsNot })
        }
        ("failed", Operator::Has | Operator::Is | Operator::IsNot) => {
            Ok(Test::Number { column: "app", of: last, operator, value: 0 })
        }
        _ => {
            // No reply is none below 400 either, but it is none that is 200.
            let test = if operator.orders() {
                status("nullif(app, 0)", |row| last(row).filter(|status| *status > 0), operator, value)
            } else {
                status("app", last, operator, value)
            };
            test.ok_or_else(|| {
                let example = field.example;
                format!(
                    "`{value}` is no status; for example {example}, reply:5xx, reply:failed, reply:none, reply:dead"
                )
            })
        }
    }
}

/// The app's last reply as its column has it: 0 where none came.
fn last(row: &Summary) -> Option<i64> {
    row.last_delivery.map(|last| match last {
        LastDelivery::Replied(status) => i64::from(status),
        LastDelivery::Failed => 0,
    })
}

/// A test of a status, of a hundred of them or of a range.
fn status(column: &'static str, of: fn(&Summary) -> Option<i64>, operator: Operator, value: &str) -> Option<Test> {
    let of_hundred = hundred(value).filter(|_| !operator.orders()).map(|first| (first, first + 99));
    match of_hundred.or_else(|| range(operator, value, whole, 1, "").ok().flatten()) {
        Some((from, to)) => Some(Test::Range { column, of, from, to, wanted: operator != Operator::IsNot }),
        None => whole(value).map(|value| Test::Number { column, of, operator, value }),
    }
}

/// The first status of a hundred, from `5xx`.
fn hundred(text: &str) -> Option<i64> {
    let (digit, rest) = text.split_at_checked(1)?;
    let digit = digit.parse::<i64>().ok().filter(|digit| (1..=5).contains(digit))?;
    rest.eq_ignore_ascii_case("xx").then_some(digit * 100)
}

fn list(names: impl Iterator<Item = &'static str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

impl Test {
    pub(super) fn matches(&self, row: &Summary, content: &Content<'_>, now: Timestamp) -> bool {
        match self {
            Self::Match { of, pattern, .. } => pattern.is_match(of(row).as_bytes()),
            Self::Inside(inside) => inside.takes(content),
            Self::Text { of, operator: Operator::Has, value, .. } => lower(of(row)).contains(&value[..]),
            Self::Text { of, operator, value, .. } => operator.takes(lower(of(row)).cmp(value)),
            Self::Number { of, operator, value, .. } => of(row).is_some_and(|n| operator.takes(n.cmp(value))),
            Self::Range { of, from, to, wanted, .. } => of(row).is_some_and(|n| (*from..=*to).contains(&n) == *wanted),
            Self::Truth { of, wanted, .. } => of(row) == *wanted,
            Self::Flag { bit, wanted } => (row.flags.bits() & bit != 0) == *wanted,
            Self::Age { operator, span } => {
                age_operator(*operator).takes(row.received_at.unix_ms().cmp(&now.unix_ms().saturating_sub(*span)))
            }
            Self::Ages { from, to } => {
                let (first, last) = moments(*from, *to, now);
                (first..=last).contains(&row.received_at.unix_ms())
            }
        }
    }

    /// What stands in the texts of every capture that passes. Only the columns that words are looked for in are texts.
    pub(super) fn need(&self) -> Need {
        let is_a_text =
            |column: &str| WORD_COLUMNS.iter().any(|word| column == *word || column == format!("coalesce({word}, '')"));
        match self {
            Self::Inside(inside) => inside.need(),
            Self::Text { column, operator: Operator::Has | Operator::Is, value, .. } if is_a_text(column) => {
                Need::text(value)
            }
            _ => Need::Anything,
        }
    }

    /// Writes the test; what may be NULL is made 0.
    pub(super) fn write(&self, now: Timestamp, sql: &mut Sql) {
        let (text, values) = match self {
            Self::Match { column, pattern, .. } => {
                (format!("matches(?, {column})"), vec![Value::Text(pattern.text().to_owned())])
            }
            Self::Inside(inside) => (inside.sql(), vec![Value::Text(inside.text().to_owned())]),
            Self::Text { column, operator: Operator::Has, value, .. } => {
                (format!("instr(lower({column}), ?) > 0"), vec![Value::Text(value.clone())])
            }
            Self::Text { column, operator, value, .. } => {
                (format!("lower({column}) {} ?", operator.sql()), vec![Value::Text(value.clone())])
            }
            Self::Number { column, operator, value, .. } => {
                (format!("coalesce({column} {} ?, 0)", operator.sql()), vec![Value::Int(*value)])
            }
            Self::Range { column, from, to, wanted, .. } => {
                let not = if *wanted { "" } else { "NOT " };
                (format!("coalesce({column} {not}BETWEEN ? AND ?, 0)"), vec![Value::Int(*from), Value::Int(*to)])
            }
            Self::Truth { sql, wanted, .. } => (format!("({sql}) = ?"), vec![Value::Int(i64::from(*wanted))]),
            Self::Flag { bit, wanted } => {
                ("(flags & ? <> 0) = ?".to_owned(), vec![Value::Int(*bit), Value::Int(i64::from(*wanted))])
            }
            Self::Age { operator, span } => (
                format!("received_at {} ?", age_operator(*operator).sql()),
                vec![Value::Int(now.unix_ms().saturating_sub(*span))],
            ),
            Self::Ages { from, to } => {
                let (first, last) = moments(*from, *to, now);
                ("received_at BETWEEN ? AND ?".to_owned(), vec![Value::Int(first), Value::Int(last)])
            }
        };
        sql.text.push_str(&format!("({text})"));
        sql.values.extend(values);
    }
}

/// A range of ages as one of moments, in Unix milliseconds.
fn moments(from: i64, to: i64, now: Timestamp) -> (i64, i64) {
    (now.unix_ms().saturating_sub(to), now.unix_ms().saturating_sub(from))
}

/// An age seen as a moment: what is younger came later. `age:5m` means within the last five minutes.
fn age_operator(operator: Operator) -> Operator {
    match operator {
        Operator::Has | Operator::AtMost => Operator::AtLeast,
        Operator::Below => Operator::Above,
        Operator::Above => Operator::Below,
        Operator::AtLeast => Operator::AtMost,
        same => same,
    }
}
