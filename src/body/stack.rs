//! Documents one below the other: what a body consists of, each part in the view that fits it.

use std::ops::Range;

use super::{Content, Document, LINE_CHARS, Line, Part, Role, Span, best, escape};

/// How deep bodies are opened that lie in bodies.
const DEEPEST: u8 = 3;

/// Documents one below the other.
#[derive(Default)]
pub(super) struct Stack {
    /// Each with its first line.
    documents: Vec<(usize, Box<dyn Document>)>,
    lines: usize,
    parts: Vec<Part>,
    note: Option<String>,
}

/// Lines that were finished elsewhere.
struct Finished(Vec<Line>);

impl Document for Finished {
    fn line_count(&self) -> usize {
        self.0.len()
    }

    fn lines(&self, range: Range<usize>) -> Vec<Line> {
        let range = range.start..range.end.min(self.0.len());
        self.0.get(range).unwrap_or_default().to_vec()
    }

    fn note(&self) -> Option<&str> {
        None
    }
}

/// A piece of any text, escaped, and cut where no line could hold it.
pub(super) fn span(role: Role, text: &str) -> Span {
    let text = escape(text);
    let most = LINE_CHARS / 4;
    let text = match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    };
    Span { role, text }
}

/// A line that names something and says what it is.
pub(super) fn fact(name: &str, value: &str) -> Line {
    let name = format!("{name:<16} ");
    let pieces = [(Role::Key, &name[..]), (Role::Text, value)].into_iter();
    pieces.filter(|(_, text)| !text.is_empty()).map(|(role, text)| span(role, text)).collect()
}

/// Whether a document begins with what it says of itself.
fn says(document: &dyn Document, note: &str) -> bool {
    let first = document.lines(0..1).into_iter().flatten();
    first.map(|span| span.text).collect::<String>().contains(note)
}

impl Stack {
    /// Puts a document below the others.
    pub(super) fn push(&mut self, document: Box<dyn Document>) {
        let first = self.lines;
        self.lines += document.line_count();
        self.documents.push((first, document));
    }

    /// Puts lines below.
    pub(super) fn add(&mut self, lines: Vec<Line>) {
        self.push(Box::new(Finished(lines)));
    }

    /// Puts a body below in the view that fits it best.
    pub(super) fn open(&mut self, content: &Content) {
        if content.bytes.is_empty() {
            return;
        }
        if content.depth > DEEPEST {
            self.add(vec![vec![span(Role::Dim, "this lies too deep to be opened; the hex view shows its bytes")]]);
            return;
        }
        let view = best(content);
        match (view.open)(content) {
            Ok(document) => {
                if let Some(note) = document.note().filter(|note| !says(&*document, note)) {
                    self.add(vec![vec![span(Role::Dim, &format!("{}: {note}", view.name))]]);
                }
                self.push(document);
            }
            Err(why) => self.add(vec![vec![span(Role::Error, &why)]]),
        }
    }

    /// Says that a part that can be saved begins with the next line.
    pub(super) fn part(&mut self, part: Part) {
        self.parts.push(Part { line: self.lines, ..part });
    }

    /// What a reader should know of the whole.
    pub(super) fn noted(mut self, notes: &[String]) -> Box<dyn Document> {
        self.note = (!notes.is_empty()).then(|| escape(&notes.join("; ")).into_owned());
        Box::new(self)
    }
}

impl Document for Stack {
    fn line_count(&self) -> usize {
        self.lines
    }

    fn lines(&self, range: Range<usize>) -> Vec<Line> {
        let range = range.start..range.end.min(self.lines);
        if range.is_empty() {
            return Vec::new();
        }
        let from = self.documents.partition_point(|(first, _)| *first <= range.start).saturating_sub(1);
        let mut lines = Vec::new();
        for (first, document) in self.documents.iter().skip(from).take_while(|(first, _)| *first < range.end) {
            lines.extend(document.lines(range.start.saturating_sub(*first)..range.end - first));
        }
        lines
    }

    fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    fn parts(&self) -> &[Part] {
        &self.parts
    }
}
