//! A sheet: something that is shown over list and detail until it is put away. A comparison, a QR code, what was
//! turned away.

use std::borrow::Cow;

use super::{
    hint,
    keys::{Command, Mode},
    line::{self, Piece, Pieces, piece},
    look::Paint,
    model::Model,
    msg::Compared,
    news,
    refused::{self, Refusals},
    view,
};
use crate::{
    body::{self, Difference, compare::Part},
    record::{Failure, Header, counted, mask},
};

/// A sheet.
#[derive(Clone, Debug)]
pub(super) struct Sheet {
    pub(super) title: String,
    pub(super) content: Content,
    /// How many rows are scrolled away.
    pub(super) scroll: usize,
    /// Where it was asked for.
    pub(super) before: Mode,
}

/// What is on a sheet.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// In what messages differ, two by two, whether a program made the second of each, and whether they stand side by side.
    Diff { all: Vec<Compared>, is_preview: bool, beside: bool },
    /// What was turned away at the door.
    Refusals(Refusals),
    /// What creel said by itself; it stands in the model.
    News,
    /// Lines of text, escaped.
    Text(Vec<String>),
    /// A QR code and what it says.
    Qr { code: Vec<String>, text: String },
}

impl Sheet {
    /// The rows at a width, a blank before each.
    pub(super) fn rows(&self, model: &Model, columns: usize) -> Vec<Pieces> {
        let rows = self.bare_rows(model, columns.saturating_sub(1)).into_iter();
        rows.map(|row| [vec![piece(Paint::Plain, " ")], row].concat()).collect()
    }

    fn bare_rows(&self, model: &Model, columns: usize) -> Vec<Pieces> {
        match &self.content {
            Content::Text(lines) if lines.is_empty() => vec![vec![piece(Paint::Dim, "it printed nothing")]],
            Content::Text(lines) => lines.iter().flat_map(|text| hung(&[piece(Paint::Plain, text)], columns)).collect(),
            Content::Refusals(refusals) => refused::rows(model, refusals, columns),
            Content::News => news::rows(model, columns),
            Content::Qr { code, text } => {
                let text = line::paragraph(Paint::Brand, text, columns);
                let is_narrow = code.first().is_some_and(|row| body::width(row) > columns);
                if is_narrow || code.len() > usize::from(view::rows_over(model)) || !model.look.unicode {
                    let words = "A camera wants a code whole, and this terminal has no room for it.";
                    return [text, vec![Vec::new()], line::paragraph(Paint::Dim, words, columns)].concat();
                }
                let code = code.iter().map(|row| vec![line::modules(row, model.look)]);
                code.chain([Vec::new()]).chain(text).collect()
            }
            Content::Diff { all, beside, .. } => {
                let each = all.iter().map(|compared| compared_rows(model, compared, *beside, columns));
                each.collect::<Vec<_>>().join(&[Vec::new(), Vec::new()][..])
            }
        }
    }
}

/// In what two messages differ, or why nobody can say.
fn compared_rows(model: &Model, Compared { names, parts }: &Compared, beside: bool, columns: usize) -> Vec<Pieces> {
    let of_parts = parts.as_deref().unwrap_or_default();
    let mut rows = vec![legend(model, of_parts, names, beside, columns)];
    let (same, differ): (Vec<_>, Vec<_>) = of_parts.iter().partition(|part| part.differences.is_empty());
    rows.extend(differ.into_iter().flat_map(|part| part_rows(model, part, beside, columns)));
    if !same.is_empty() {
        let names: Vec<_> = same.iter().map(|part| part.name).collect();
        rows.push(Vec::new());
        rows.extend(line::paragraph(Paint::Dim, &format!("the same: {}", names.join(", ")), columns));
    }
    if let Err(Failure { why, hint, .. }) = parts {
        rows.push(Vec::new());
        rows.extend(line::paragraph(Paint::Bad, why, columns));
        let hint = hint.clone().and_then(hint::here);
        rows.extend(hint.iter().flat_map(|hint| line::paragraph(Paint::Dim, &model.keys.told(hint), columns)));
    }
    rows
}

/// What is what: where both stand side by side, each above its side.
fn legend(model: &Model, parts: &[Part], names: &[String; 2], beside: bool, columns: usize) -> Pieces {
    let [before, after] = names;
    let mut row = if beside {
        pair(model, vec![piece(Paint::Bad, before)], vec![piece(Paint::Good, after)], columns)
    } else {
        let gap = piece(Paint::Dim, "   ");
        vec![piece(Paint::Bad, &format!("- {before}")), gap, piece(Paint::Good, &format!("+ {after}"))]
    };
    if parts.iter().flat_map(|part| &part.differences).any(|difference| difference.to.is_some()) {
        row.push(piece(Paint::Dim, "   > moved"));
    }
    row
}

fn part_rows(model: &Model, part: &Part, beside: bool, columns: usize) -> Vec<Pieces> {
    let mut rows = vec![Vec::new(), vec![piece(Paint::Heading, part.name)]];
    let each = |difference: &Difference| {
        let difference = &veiled(model, part.name, difference);
        if beside { side_by_side(model, difference, columns) } else { unified(difference, columns) }
    };
    rows.extend(part.differences.iter().flat_map(each));
    rows
}

/// A difference, its values masked where they let somebody in and nobody asked to see such.
fn veiled<'d>(model: &Model, part: &str, difference: &'d Difference) -> Cow<'d, Difference> {
    let name = difference.at.as_bytes();
    let lets_in = match part {
        "headers" | "trailers" => Header { name, value: b"" }.lets_in(),
        "query" => mask::is_secret_in_query(name),
        _ => false,
    };
    if !lets_in || model.detail.unmasked {
        return Cow::Borrowed(difference);
    }
    let (sign, key) = (model.look.signs().mask, model.keys.of(Command::Unmask));
    let veil = |value: &Option<String>| {
        let length = value.as_ref()?.chars().count() as u64;
        Some(format!("{sign} {}, {key} shows them", counted(length, "character")))
    };
    Cow::Owned(Difference { before: veil(&difference.before), after: veil(&difference.after), ..difference.clone() })
}

/// Where, and below it what was and what is.
fn unified(difference: &Difference, columns: usize) -> Vec<Pieces> {
    let mut rows = vec![place(difference)];
    if difference.to.is_none() {
        let (before, after) = marked(difference);
        rows.extend(before.map(|value| signed("    - ", Paint::Bad, value)));
        rows.extend(after.map(|value| signed("    + ", Paint::Good, value)));
    }
    rows.iter().flat_map(|row| hung(row, columns)).collect()
}

/// A line's rows, those after the first below what it holds.
fn hung(row: &[Piece], columns: usize) -> Vec<Pieces> {
    line::wrap_under(row, columns, line::hang(row, columns))
}

fn place(difference: &Difference) -> Pieces {
    let mut row = vec![piece(Paint::Dim, "  "), piece(Paint::Body(body::Role::Key), &difference.at)];
    if let Some(to) = &difference.to {
        row.push(piece(Paint::Warning, " > "));
        row.push(piece(Paint::Body(body::Role::Key), to));
        row.push(piece(Paint::Dim, &format!("   {}", difference.before.as_deref().unwrap_or_default())));
    }
    row
}

fn signed(sign: &str, paint: Paint, value: Pieces) -> Pieces {
    [vec![piece(paint, sign)], value].concat()
}

/// Where, and below it what was to the left of what is.
fn side_by_side(model: &Model, difference: &Difference, columns: usize) -> Vec<Pieces> {
    let half = half(columns);
    let mut rows = line::wrap(&place(difference), columns);
    if difference.to.is_some() {
        return rows;
    }
    let (before, after) = marked(difference);
    let side = |value: Option<Pieces>| value.map_or_else(Vec::new, |value| line::wrap(&value, half));
    let (left, right) = (side(before), side(after));
    let cell = |side: &[Pieces], at: usize| side.get(at).cloned().unwrap_or_default();
    let lines = left.len().max(right.len());
    rows.extend((0..lines).map(|at| pair(model, cell(&left, at), cell(&right, at), columns)));
    rows
}

/// How wide each of two sides is.
fn half(columns: usize) -> usize {
    columns.saturating_sub(5) / 2
}

/// A row of two sides.
fn pair(model: &Model, left: Pieces, right: Pieces, columns: usize) -> Pieces {
    let used = line::width(&left);
    let blanks = " ".repeat(half(columns).saturating_sub(used));
    let rule = piece(Paint::Dim, &format!("{blanks} {} ", model.look.signs().rule));
    [vec![piece(Paint::Dim, "  ")], left, vec![rule], right].concat()
}

/// Both values, with what differs between an equal beginning and an equal end marked.
fn marked(difference: &Difference) -> (Option<Pieces>, Option<Pieces>) {
    let letters = |text: &Option<String>| text.as_ref().map(|text| text.chars().collect::<Vec<_>>());
    let (before, after) = (letters(&difference.before), letters(&difference.after));
    // What `true` and `false` have in common says nothing.
    let is_word = |value: &Vec<char>| value.iter().all(char::is_ascii_alphabetic);
    let both = before.as_ref().zip(after.as_ref()).filter(|(a, b)| !is_word(a) || !is_word(b));
    let Some((a, b)) = both else {
        let whole = |value: Option<Vec<char>>, paint| value.map(|value| vec![piece(paint, &String::from_iter(value))]);
        return (whole(before, Paint::Bad), whole(after, Paint::Good));
    };
    let start = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let rest = a.len().min(b.len()) - start;
    let end = a.iter().rev().zip(b.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let parts = |value: &[char], paint| {
        let (middle, end) = value[start..].split_at(value.len() - start - end);
        [(Paint::Plain, &value[..start]), (paint, middle), (Paint::Plain, end)]
            .into_iter()
            .filter(|(_, letters)| !letters.is_empty())
            .map(|(paint, letters)| piece(paint, &letters.iter().collect::<String>()))
            .collect()
    };
    (Some(parts(a, Paint::Marked)), Some(parts(b, Paint::Added)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_between_equal_ends_is_marked() {
        let difference = Difference {
            at: ".a".to_owned(),
            before: Some("\"evt_12\"".to_owned()),
            after: Some("\"evt_342\"".to_owned()),
            to: None,
        };
        let (before, after) = marked(&difference);
        let texts = |pieces: Option<Pieces>| pieces.unwrap().iter().map(|it| it.text.clone()).collect::<Vec<_>>();
        assert_eq!(texts(before), ["\"evt_", "1", "2\""]);
        assert_eq!(texts(after), ["\"evt_", "34", "2\""]);
        let shown = |text: &str| Some(text.to_owned());
        let (before, after) = marked(&Difference { before: shown("false"), after: shown("true"), ..difference });
        assert_eq!((texts(before), texts(after)), (vec!["false".to_owned()], vec!["true".to_owned()]));
    }
}
