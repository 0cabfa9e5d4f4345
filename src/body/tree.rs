//! The view of JSON that folds: what the JSON view shows, and beside it what times, tokens and coded texts stand for.

use bytes::Bytes;

use super::{
    Content, Document, Line,
    beside::beside,
    double::doubled,
    fold::{Fold, Folds, MOST_FOLDS},
    json, path,
    path::Node,
    piece::{Sparse, Walk},
    pretty::{Place, Pretty},
};

/// How many lines are looked at to count what a fold holds; of a larger one its lines are counted.
const COUNTED_LINES: usize = 100_000;

/// How many bytes of a text are read to count its characters; of a larger one, and of one that is no JSON, its lines are counted.
const COUNTED_BYTES: usize = 1 << 20;
/// How many lines are looked at together.
const LINES_AT_ONCE: usize = 128;

/// From how many bytes on a text folds by itself: three rows of a narrow pane.
const LONG: usize = 160;

/// A document whose lines lie in each other, each in the one that opens what it lies in.
pub trait Tree {
    /// Folds what a line opens, or unfolds it; folds what it lies in where it opens nothing. Gives the line to go on from.
    fn toggle(&self, folds: &mut Folds, line: usize) -> usize;
    /// With everything folded that opens at that depth; nothing where nothing does. Looks at all lines.
    fn folded_to(&self, depth: u32) -> Folds;
    /// What was folded in its first piece, of so many lines: what the piece broke off ends further down.
    fn gone_on(&self, folds: &Folds, lines: usize) -> Folds;
    /// The value that a line shows, names or closes. Looks at all bytes before it.
    fn node(&self, line: usize) -> Option<Node>;
    /// The bytes that nodes are places in: the body, its content codings undone.
    fn bytes(&self) -> &Bytes;
    /// The line that shows the byte at that place.
    fn line_with(&self, byte: usize) -> usize;
    /// The line that opens what a line lies in.
    fn parent(&self, line: usize) -> Option<usize>;
}

/// JSON that folds.
struct Folding(Sparse<Pretty>);

/// Counts the lines: one pass over the bytes, no tree.
pub(super) fn open(content: &Content) -> Result<Box<dyn Document>, String> {
    let (pretty, note) = json::read(content)?;
    Ok(Box::new(Folding(Sparse::new(pretty, note))))
}

/// The lines of JSON that lies in another body.
pub(super) fn document(bytes: Bytes) -> Box<dyn Document> {
    Box::new(Folding(Sparse::new(Pretty { bytes, error: None, doubled: Vec::new() }, None)))
}

/// The same, with what a reader should know.
pub(super) fn noted(bytes: Bytes, note: String) -> Box<dyn Document> {
    let doubled = doubled(&bytes).into_iter().map(|name| name.start).collect();
    Box::new(Folding(Sparse::new(Pretty { bytes, error: None, doubled }, Some(note))))
}

impl Document for Folding {
    fn line_count(&self) -> usize {
        self.0.line_count()
    }

    fn lines(&self, range: std::ops::Range<usize>) -> Vec<Line> {
        let mut lines = self.0.lines(range);
        lines.iter_mut().for_each(beside);
        lines
    }

    fn note(&self) -> Option<&str> {
        self.0.note()
    }

    fn index_bytes(&self) -> usize {
        self.0.index_bytes()
    }

    fn tree(&self) -> Option<&dyn Tree> {
        Some(self)
    }
}

impl Folding {
    fn depth(&self, line: usize) -> Option<u32> {
        self.0.place(line).map(|place| self.0.walk.depth(&place))
    }

    /// Whether a line shows a value of its own: it closes nothing and goes on with nothing.
    fn is_value(&self, place: &Place) -> bool {
        let byte = self.0.walk.bytes.get(self.0.walk.offset(place));
        !self.0.walk.goes_on(place) && !matches!(byte, Some(b'}' | b']'))
    }

    /// What would be folded into a line, where it opens something or is a long text.
    fn fold(&self, line: usize) -> Option<Fold> {
        self.text(line).or_else(|| self.container(line))
    }

    /// A long text, folded into the line that it begins in.
    fn text(&self, line: usize) -> Option<Fold> {
        let place = self.0.place(line).filter(|place| !self.0.walk.goes_on(place))?;
        let text = self.0.walk.text_of(self.0.walk.offset(&place)).filter(|text| text.len() > LONG)?;
        let raw = self.0.walk.bytes.get(text.clone())?;
        let short = Some(raw).filter(|raw| raw.len() <= COUNTED_BYTES);
        let count =
            short.and_then(|raw| serde_json::from_slice::<String>(raw).ok()).map(|it| it.chars().count() as u32);
        let end = self.0.line_with(text.end - 1).max(line);
        Some(Fold { line: line as u32, end: end as u32, count, is_text: true })
    }

    /// The line in which the value begins that a line goes on with: one pass over the lines of that, some at a time.
    fn beginning(&self, line: usize) -> usize {
        let mut end = line + 1;
        while end > 0 {
            let from = end.saturating_sub(LINES_AT_ONCE);
            let places = self.0.places(from).take(end - from);
            if let Some((begins, _)) = places.filter(|(_, place)| !self.0.walk.goes_on(place)).last() {
                return begins;
            }
            end = from;
        }
        line
    }

    /// What would be folded into a line that opens something.
    fn container(&self, line: usize) -> Option<Fold> {
        let depth = self.depth(line)?;
        if self.depth(line + 1)? <= depth {
            return None;
        }
        let lines = self.0.line_count();
        let mut after = self.0.shallow(line + 1..lines, depth).filter(|(_, place)| self.0.walk.depth(place) <= depth);
        let end = after.next().map_or(lines, |(after, _)| after) - 1;
        let (mut count, mut looked) = (0_u32, 0);
        for (_, place) in self.0.shallow(line + 1..end + 1, depth + 1).take(COUNTED_LINES + 1) {
            looked += 1;
            count += u32::from(self.0.walk.depth(&place) == depth + 1 && self.is_value(&place));
        }
        let count = (looked <= COUNTED_LINES).then_some(count);
        Some(Fold { line: line as u32, end: end as u32, count, is_text: false })
    }

    /// What opens right below a line, folded.
    fn folds_below(&self, fold: Fold) -> Vec<Fold> {
        let Some(depth) = self.depth(fold.line as usize).filter(|_| !fold.is_text) else { return Vec::new() };
        self.folds_at(fold.line as usize + 1..fold.end as usize, depth + 1)
    }

    /// What opens at that depth within those lines, folded.
    fn folds_at(&self, range: std::ops::Range<usize>, depth: u32) -> Vec<Fold> {
        let mut folds = Vec::new();
        let mut shallow: Option<usize> = None;
        let mut open: Option<Fold> = None;
        for (line, place) in self.0.shallow(range.clone(), depth + 1) {
            let at = self.0.walk.depth(&place);
            if at <= depth {
                folds.extend(open.take().map(|fold| Fold { end: line as u32 - 1, ..fold }));
                shallow = (at == depth).then_some(line);
                if folds.len() >= MOST_FOLDS {
                    return folds;
                }
            } else if at == depth + 1 {
                if open.is_none() && shallow.is_some_and(|opening| opening + 1 == line) {
                    open = Some(Fold { line: line as u32 - 1, end: 0, count: Some(0), is_text: false });
                }
                if let Some(fold) = open.as_mut().filter(|_| self.is_value(&place)) {
                    fold.count = fold.count.map(|count| count + 1);
                }
            }
        }
        let end = range.end.min(self.0.line_count()) as u32;
        folds.extend(open.map(|fold| Fold { end: end.saturating_sub(1).max(fold.line), ..fold }));
        folds
    }
}

impl Tree for Folding {
    fn toggle(&self, folds: &mut Folds, line: usize) -> usize {
        if let Some(&fold) = folds.at(line) {
            let below = if folds.depth().is_some() { self.folds_below(fold) } else { Vec::new() };
            folds.open(line, below);
            return line;
        }
        let line = self.beginning(line);
        let line = if self.fold(line).is_some() { Some(line) } else { self.parent(line) };
        let Some(fold) = line.and_then(|line| self.fold(line)) else { return line.unwrap_or_default() };
        folds.close(fold);
        fold.line as usize
    }

    fn folded_to(&self, depth: u32) -> Folds {
        let closed = self.folds_at(0..self.0.line_count(), depth);
        let depth = (!closed.is_empty()).then_some(depth);
        Folds::new(closed, depth)
    }

    fn gone_on(&self, folds: &Folds, lines: usize) -> Folds {
        let is_whole = |fold: &Fold| fold.end as usize + 1 < lines;
        folds.each(|fold| if is_whole(fold) { Some(*fold) } else { self.fold(fold.line as usize) })
    }

    fn node(&self, line: usize) -> Option<Node> {
        let place = self.0.place(line)?;
        path::node(&self.0.walk.bytes, self.0.walk.offset(&place))
    }

    fn bytes(&self) -> &Bytes {
        &self.0.walk.bytes
    }

    fn line_with(&self, byte: usize) -> usize {
        self.0.line_with(byte)
    }

    fn parent(&self, line: usize) -> Option<usize> {
        self.0.last_above(line, self.depth(line)?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        body::{Span, Spelling, fold::shown},
        record::counted,
    };

    fn opened(text: impl Into<Bytes>) -> Box<dyn Document> {
        open(&Content { bytes: text.into(), ..Content::default() }).unwrap()
    }

    fn text(line: &[Span]) -> String {
        line.iter().map(|span| &span.text[..]).collect()
    }

    fn seen(document: &dyn Document, folds: &Folds) -> Vec<String> {
        shown(document, folds, 0..usize::MAX).iter().map(|(_, line)| text(line)).collect()
    }

    const ORDER: &str = r#"{"id":1,"items":[{"sku":"a","qty":2},{"sku":"b"}],"empty":{},"to":{"name":"x"}}"#;

    #[test]
    fn what_was_folded_in_the_first_piece_is_folded_to_its_end_in_the_whole() {
        let (piece, all) = (opened(&ORDER[..40]), opened(ORDER));
        let mut folds = Folds::default();
        for line in [3, 2] {
            piece.tree().unwrap().toggle(&mut folds, line);
        }
        let tree = all.tree().unwrap();
        let folds = tree.gone_on(&folds, piece.line_count());
        let lines = seen(&*all, &folds);
        assert_eq!(lines[2..5], ["  \"items\": […], 2 values", "  \"empty\": {},", "  \"to\": {"]);
        let mut inner = folds;
        tree.toggle(&mut inner, 2);
        assert_eq!(seen(&*all, &inner)[3], "    {…}, 2 values", "what lies in it is folded as it was");
    }

    #[test]
    fn a_line_folds_what_it_opens_and_says_how_much() {
        let document = opened(ORDER);
        let tree = document.tree().unwrap();
        let mut folds = Folds::default();
        assert_eq!(tree.toggle(&mut folds, 2), 2);
        let lines = seen(&*document, &folds);
        assert_eq!(lines[..4], ["{", "  \"id\": 1,", "  \"items\": […], 2 values", "  \"empty\": {},"]);
        assert_eq!(tree.toggle(&mut folds, 2), 2);
        assert!(folds.is_empty());
        assert_eq!(seen(&*document, &folds).len(), document.line_count());
    }

    #[test]
    fn a_line_that_opens_nothing_folds_what_it_lies_in() {
        let document = opened(ORDER);
        let tree = document.tree().unwrap();
        let mut folds = Folds::default();
        assert_eq!(tree.toggle(&mut folds, 4), 3);
        assert_eq!(seen(&*document, &folds)[3], "    {…}, 2 values");
        assert_eq!(tree.toggle(&mut folds, 0), 0);
        assert_eq!(seen(&*document, &folds), ["{…} 4 values"]);
        assert_eq!(tree.toggle(&mut folds, 0), 0);
        assert_eq!(seen(&*document, &folds)[3], "    {…}, 2 values", "what lies in a fold stays folded");
    }

    #[test]
    fn a_long_text_folds_into_its_beginning_and_says_how_long_it_is() {
        let short = "x".repeat(LONG - 2);
        let long = format!("{}\\n{}", "lorem ipsum ".repeat(20), "é".repeat(8_000));
        let text = format!("{{\"id\":1,\"short\":\"{short}\",\"note\":\"{long}\",\"to\":{{\"list\":[\"{long}\"]}}}}");
        let document = opened(text);
        let tree = document.tree().unwrap();
        let end = tree.line_with(tree.bytes().windows(4).position(|four| four == b"\"to\"").unwrap());
        assert!(end > 5, "it stands on several lines");
        let mut folds = Folds::default();
        for line in [3, end - 1] {
            assert_eq!(tree.toggle(&mut folds, line), 3, "on whichever of its lines the cursor is");
            let shown = seen(&*document, &folds);
            assert_eq!(shown[3], "  \"note\": \"lorem ipsum lorem i…\", 8,241 characters");
            assert_eq!((&shown[4][..], folds.hides(3), folds.hides(end)), ("  \"to\": {", true, false));
            assert_eq!(tree.toggle(&mut folds, 3), 3);
            assert!(folds.is_empty());
        }
        assert_eq!(tree.toggle(&mut folds, end + 2), end + 2);
        assert_eq!(seen(&*document, &folds)[end + 2], "      \"lorem ipsum lorem i…\" 8,241 characters");
        folds.reveal(end + 2);
        assert!(folds.is_empty(), "what is found in it is shown");
        assert_eq!(tree.toggle(&mut folds, 2), 0, "a short text folds what it lies in");
    }

    #[test]
    fn a_text_of_megabytes_folds_from_its_last_line_on() {
        let document = opened(format!("[\"{}\",2]", "x".repeat(8 << 20)));
        let tree = document.tree().unwrap();
        let mut folds = Folds::default();
        assert_eq!(tree.toggle(&mut folds, document.line_count() - 3), 1);
        let lines = document.line_count() - 3;
        assert_eq!(
            seen(&*document, &folds)[1..],
            [format!("  \"{}…\", {}", "x".repeat(19), counted(lines as u64, "line")), "  2".to_owned(), "]".to_owned()]
        );
    }

    #[test]
    fn a_text_that_never_ends_folds_to_the_end_of_the_body() {
        let document = opened(format!("{{\"a\":\"{}", "x".repeat(10_000)));
        let tree = document.tree().unwrap();
        let mut folds = Folds::default();
        assert_eq!(tree.toggle(&mut folds, 1), 1);
        assert_eq!(seen(&*document, &folds).len(), 2);
    }

    #[test]
    fn a_document_folds_to_a_depth_and_opens_level_by_level() {
        let document = opened(ORDER);
        let tree = document.tree().unwrap();
        let mut folds = tree.folded_to(1);
        let lines = seen(&*document, &folds);
        assert_eq!(
            lines,
            ["{", "  \"id\": 1,", "  \"items\": […], 2 values", "  \"empty\": {},", "  \"to\": {…} 1 value", "}"]
        );
        tree.toggle(&mut folds, 2);
        assert_eq!(seen(&*document, &folds)[3..5], ["    {…}, 2 values", "    {…} 1 value"]);
        assert_eq!(seen(&*document, &tree.folded_to(2)).len(), 11);
        assert!(tree.folded_to(3).is_empty() && tree.folded_to(3).depth().is_none());
    }

    #[test]
    fn broken_and_unending_json_folds_to_its_end() {
        let document = opened("{\"a\":[1,[2,3");
        let tree = document.tree().unwrap();
        let mut folds = Folds::default();
        tree.toggle(&mut folds, 1);
        assert_eq!(folds.shown(document.line_count()), 2);
        assert_eq!(seen(&*document, &tree.folded_to(1)).len(), 2);
    }

    #[test]
    fn the_root_of_a_million_lines_folds_at_once() {
        let text = format!("[{}1]", "{\"a\":[1,2]},".repeat(100_000));
        let document = opened(text);
        let tree = document.tree().unwrap();
        let mut folds = Folds::default();
        tree.toggle(&mut folds, 0);
        assert_eq!(seen(&*document, &folds), ["[…] 600,001 lines"]);
        let folds = tree.folded_to(1);
        assert_eq!(folds.shown(document.line_count()), 100_003);
        assert_eq!(tree.node(folds.line(99_999)).unwrap().path.spelled(Spelling::Jq), ".[99998]");
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            any::<i32>().prop_map(serde_json::Value::from),
            "[a-z\"\\\\é ]{0,8}".prop_map(serde_json::Value::from),
            Just(serde_json::Value::Null),
        ];
        leaf.prop_recursive(5, 60, 5, |inner| {
            let object = prop::collection::vec(("[a-z.~/\" ]{0,4}", inner.clone()), 0..5);
            prop_oneof![
                prop::collection::vec(inner, 0..5).prop_map(serde_json::Value::from),
                object.prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_line_leads_to_the_value_that_serde_finds_by_its_pointer(value in json()) {
            let document = opened(value.to_string());
            let tree = document.tree().unwrap();
            for line in 0..document.line_count() {
                let node = tree.node(line).unwrap();
                let found: serde_json::Value = serde_json::from_slice(&tree.bytes()[node.value.clone()]).unwrap();
                prop_assert_eq!(value.pointer(&node.path.spelled(Spelling::Pointer)), Some(&found));
                prop_assert_eq!(node.path.find(tree.bytes()), Some(node.value.clone()));
                prop_assert!(tree.line_with(node.value.start) <= line);
            }
        }

        #[test]
        fn whatever_is_folded_and_unfolded_again_shows_the_pretty_lines(value in json(), toggles in prop::collection::vec(0usize..40, 0..8), depth in 0u32..4) {
            let document = opened(value.to_string());
            let tree = document.tree().unwrap();
            let mut folds = tree.folded_to(depth);
            for line in toggles {
                tree.toggle(&mut folds, line.min(document.line_count() - 1));
                let rows = shown(&*document, &folds, 0..usize::MAX);
                prop_assert_eq!(rows.len(), folds.shown(document.line_count()));
                prop_assert!(rows.windows(2).all(|pair| pair[0].0 < pair[1].0));
            }
            (0..document.line_count()).for_each(|line| folds.reveal(line));
            let shown: Vec<Line> = shown(&*document, &folds, 0..usize::MAX).into_iter().map(|(_, line)| line).collect();
            prop_assert_eq!(shown, document.lines(0..document.line_count()));
        }
    }
}
