//! Elements of HTML whose end tag may be left out, and which of them are open.
//!
//! The table is that of <https://html.spec.whatwg.org/multipage/syntax.html#optional-tags>.

/// How many of the innermost open elements are told apart; those around them are taken for such as need an end tag.
const INNERMOST: usize = 32;

/// What ends a cell, a row, or a part of a table: what begins beside it, or beside what it lies in.
const PARTS: &[&str] = &["tbody", "tfoot", "thead"];
const ROWS: &[&str] = &["tr"];
const CELLS: &[&str] = &["td", "th"];
const ITEMS: &[&str] = &["li"];
const TERMS: &[&str] = &["dt", "dd"];
const OPTIONS: &[&str] = &["option"];
const GROUPS: &[&str] = &["optgroup", "hr"];
const RUBY: &[&str] = &["rt", "rp"];
/// What no paragraph holds.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "details",
    "dialog",
    "div",
    "dl",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hgroup",
    "hr",
    "main",
    "menu",
    "nav",
    "ol",
    "p",
    "pre",
    "search",
    "section",
    "table",
    "ul",
];

/// Each with the start tags that end it: those that stand for its own end, and those that end what it lies in.
const OMITTED: &[(&str, &[&[&str]])] = &[
    ("p", &[BLOCKS, ITEMS, TERMS, CELLS, ROWS, PARTS]),
    ("li", &[ITEMS]),
    ("dt", &[TERMS]),
    ("dd", &[TERMS]),
    ("option", &[OPTIONS, GROUPS]),
    ("optgroup", &[GROUPS]),
    ("td", &[CELLS, ROWS, PARTS]),
    ("th", &[CELLS, ROWS, PARTS]),
    ("tr", &[ROWS, PARTS]),
    ("thead", &[PARTS]),
    ("tbody", &[PARTS]),
    ("tfoot", &[PARTS]),
    ("rt", &[RUBY]),
    ("rp", &[RUBY]),
];

/// The open elements: how many, and of the innermost, the last one first, their place in the table counted from one; zero for
/// any other.
#[derive(Clone, Copy, Default)]
pub(super) struct Open {
    depth: u32,
    innermost: [u8; INNERMOST],
}

impl Open {
    pub(super) fn depth(&self) -> u32 {
        self.depth
    }

    /// An element of any language begins.
    pub(super) fn push(&mut self) {
        self.push_as(0);
    }

    /// An element of any language ends.
    pub(super) fn pop(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.innermost.rotate_left(1);
        self.innermost[INNERMOST - 1] = 0;
    }

    /// An element of HTML begins that has that name.
    pub(super) fn begin(&mut self, name: &str) {
        self.push_as(place(name));
    }

    /// Ends what a start tag of that name ends.
    pub(super) fn before(&mut self, name: &str) {
        while self.last().is_some_and(|(_, ends)| ends.iter().any(|names| names.contains(&name))) {
            self.pop();
        }
    }

    /// An end tag of that name: ends what lies in its element, too. One that ends nothing is passed over.
    pub(super) fn end(&mut self, name: &str) {
        let wanted = place(name);
        let ends = self.innermost.iter().take_while(|it| **it != 0 && **it != wanted).count();
        let is_open = self.innermost.get(ends) == Some(&wanted) && ends < self.depth as usize;
        if wanted == 0 || is_open {
            (0..=ends).for_each(|_| self.pop());
        }
    }

    fn push_as(&mut self, place: u8) {
        self.depth = self.depth.saturating_add(1);
        self.innermost.rotate_right(1);
        self.innermost[0] = place;
    }

    fn last(&self) -> Option<&'static (&'static str, &'static [&'static [&'static str]])> {
        OMITTED.get(usize::from(self.innermost[0]).checked_sub(1)?)
    }
}

/// Where an element stands in the table, counted from one; zero where it does not.
fn place(name: &str) -> u8 {
    OMITTED.iter().position(|(it, _)| *it == name).map_or(0, |at| at as u8 + 1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_row_ends_by_each_of_its_start_tags_and_by_no_other() {
        let starts: BTreeSet<_> = OMITTED.iter().flat_map(|(_, ends)| ends.iter().copied().flatten()).collect();
        for (name, ends) in OMITTED {
            for start in starts.iter().copied().chain([&"b"]) {
                let mut open = Open::default();
                open.push();
                open.begin(name);
                open.before(start);
                let is_ended = ends.iter().any(|names| names.contains(start));
                assert_eq!(open.depth(), if is_ended { 1 } else { 2 }, "{name}, {start}");
            }
        }
    }

    #[test]
    fn what_lies_deeper_than_is_kept_is_ended_all_the_same() {
        let mut open = Open::default();
        (0..1_000).for_each(|_| open.begin("p"));
        (0..1_000).for_each(|_| open.end("div"));
        assert_eq!(open.depth(), 0);
    }
}
