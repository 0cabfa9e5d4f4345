//! One line that the user types.

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{
    export::{Batch, Export},
    filters::Assist,
    keys::{self, Command},
    line::Pieces,
    look::Paint,
    model::{at_most, most_rows},
};
use crate::{
    body,
    query::{Filter, SyntaxError},
    record::{Capture, CaptureId},
};

/// The most characters that a prompt takes.
pub(super) const LONGEST: usize = 2_000;

/// How many columns there are for what is typed at least.
const TYPED: usize = 12;

/// How wide a name of the sender's is before a prompt at most, in columns.
const LABEL: usize = 30;

/// A prompt: what for, what was typed, where the cursor stands.
#[derive(Clone, Debug)]
pub(super) struct Prompt {
    pub(super) purpose: Purpose,
    /// What was typed, as characters: the cursor counts those.
    pub(super) text: Vec<char>,
    pub(super) cursor: usize,
    /// What is wrong with it.
    pub(super) error: Option<SyntaxError>,
    /// What helps to type it.
    pub(super) assist: Assist,
}

/// What a prompt is for.
#[derive(Clone, Debug)]
pub(super) enum Purpose {
    /// A filter; the one that was there before.
    Filter(Option<Arc<Filter>>),
    /// The name under which a filter is saved; of an empty one, the name that is taken away.
    FilterName(String),
    /// Whether to delete a capture, or what is marked.
    Delete(Batch),
    /// What to look for in the open tab, or in the help.
    Find,
    /// The URL to resend a capture to, and whether it is signed anew.
    Url(CaptureId, bool),
    /// The URL to send an edited request to, and whether it is signed anew.
    EditedUrl(CaptureId, bool),
    /// The shell command that a capture's body is given to.
    Pipe(CaptureId),
    /// The jq program that a capture is looked at through, and whether it is given the whole request.
    Program(CaptureId, bool),
    /// The URL to be opened.
    Browse,
    /// Another value in the place of one in a JSON body.
    Value(Arc<Capture>, body::Path),
    /// Another value of a header, by its place.
    Header(Arc<Capture>, usize),
    /// What an endpoint answers from now on.
    Answer(String),
    /// What to note of a capture.
    Note(CaptureId),
    /// The name to save a part of a body under.
    Save(bytes::Bytes),
    /// Where captures are written to.
    Export(Export),
    /// Whether what stands there is written over.
    Over(Export),
}

/// What a key did to a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// The text is another one.
    Changed,
    /// At most the cursor moved.
    Kept,
    /// Enter.
    Done,
    /// Escape.
    Left,
}

impl Prompt {
    pub(super) fn new(purpose: Purpose, text: &str) -> Self {
        let text: Vec<char> = text.chars().collect();
        Self { purpose, cursor: text.len(), text, error: None, assist: Assist::default() }
    }

    /// Whether a filter of the list is typed.
    pub(super) fn is_filter(&self) -> bool {
        matches!(self.purpose, Purpose::Filter(_))
    }

    /// Whether a key of prompts does something in this one.
    pub(super) fn knows(&self, command: Command) -> bool {
        match self.purpose {
            Purpose::Filter(_) => !matches!(command, Command::Reveal | Command::Whole),
            Purpose::Export(_) => command == Command::Reveal,
            Purpose::Program(..) => command == Command::Whole,
            Purpose::Pipe(_) => matches!(command, Command::OlderFilter | Command::NewerFilter),
            _ => false,
        }
    }

    /// Puts another text in place of what was typed.
    pub(super) fn replace(&mut self, text: &str) {
        self.text = text.chars().take(LONGEST).collect();
        self.cursor = self.text.len();
    }

    /// Puts a text in place of what stands between a place and the cursor.
    pub(super) fn put(&mut self, from: usize, text: &str) {
        self.text.drain(from.min(self.cursor)..self.cursor);
        self.cursor = from.min(self.cursor);
        self.insert(text);
    }

    /// What was typed.
    pub(super) fn text(&self) -> String {
        self.text.iter().collect()
    }

    /// The first character that is seen in so many columns: what does not fit scrolls away to the left, so that the cursor is
    /// always seen.
    pub(super) fn first_seen(&self, columns: usize) -> usize {
        let mut left = columns.saturating_sub(1);
        let fits = |c: &&char| {
            let rest = left.checked_sub(body::width(c.encode_utf8(&mut [0; 4])));
            left = rest.unwrap_or(0);
            rest.is_some()
        };
        self.cursor - self.text[..self.cursor].iter().rev().take_while(fits).count()
    }

    /// What is seen of a piece of the text: where something scrolled away, a mark stands for the first character.
    pub(super) fn seen(&self, first: usize, piece: std::ops::Range<usize>) -> String {
        let shown = |at: usize| match self.text[at] {
            c if at == first && (1..self.cursor).contains(&first) => {
                format!("{:<1$}", "…", body::width(c.encode_utf8(&mut [0; 4])))
            }
            c => c.to_string(),
        };
        piece.map(shown).collect()
    }

    /// What stands before the text.
    pub(super) fn label(&self) -> String {
        match &self.purpose {
            Purpose::Filter(_) => "filter: ".to_owned(),
            Purpose::FilterName(text) if text.is_empty() => "take away the filter named @".to_owned(),
            Purpose::FilterName(_) => "save this filter as @".to_owned(),
            Purpose::Answer(endpoint) => format!("{endpoint} answers: "),
            Purpose::Note(id) => format!("note on #{id}: "),
            Purpose::Delete(batch) if batch.marked => {
                format!("delete all {}? y deletes, esc leaves them: ", batch.words())
            }
            Purpose::Delete(batch) => format!("delete {}? y deletes, esc leaves it: ", batch.words()),
            Purpose::Find => "find: ".to_owned(),
            Purpose::Save(_) => "save as: ".to_owned(),
            Purpose::Export(export) if export.reveal => format!("{}, secrets and all, to: ", export.words()),
            Purpose::Export(export) => format!("{} to: ", export.words()),
            Purpose::Over(export) => {
                format!("{} is there: y writes over it, n asks for another name: ", body::fit(&export.path, LABEL))
            }
            Purpose::EditedUrl(id, false) => format!("resend the edited #{id} to: "),
            Purpose::EditedUrl(id, true) => format!("resend the edited #{id}, signed anew, to: "),
            Purpose::Pipe(id) => format!("the body of #{id} to: "),
            Purpose::Program(id, false) => format!("jq on the body of #{id}: "),
            Purpose::Program(id, true) => format!("jq on the whole of #{id}: "),
            Purpose::Browse => "open: ".to_owned(),
            Purpose::Value(_, path) if path.0.is_empty() => "the whole: ".to_owned(),
            Purpose::Value(_, path) => format!("{}: ", body::fit(&path.to_string(), LABEL)),
            Purpose::Header(capture, at) => {
                let name = capture.head.headers().iter().nth(*at).map(|header| header.name_text().into_owned());
                format!("{}: ", body::fit(&name.unwrap_or_default(), LABEL))
            }
            Purpose::Url(id, false) => format!("resend #{id} to: "),
            Purpose::Url(id, true) => format!("resend #{id}, signed anew, to: "),
        }
    }

    /// What stands in rows of its own above the text, where it leaves hardly any room beside it.
    pub(super) fn above(&self, (columns, rows): (u16, u16)) -> Vec<Pieces> {
        let (label, columns) = (self.label(), usize::from(columns));
        if body::width(&label) + TYPED <= columns {
            return Vec::new();
        }
        at_most(Paint::Heading, label.trim_end(), columns.saturating_sub(2), most_rows(rows).max(2))
    }

    /// What is wrong and to be told: of what has only begun, as long as it is offered how it may go on, nothing is.
    pub(super) fn mistake(&self) -> Option<&SyntaxError> {
        self.error.as_ref().filter(|_| self.assist.completion.offers.is_empty())
    }

    /// What is wrong, in rows; where there are few, in one more than a notice, since it is all that helps.
    pub(super) fn wrong(&self, (columns, rows): (u16, u16)) -> Vec<Pieces> {
        let Some(error) = self.mistake() else { return Vec::new() };
        let most = most_rows(rows).max(2);
        at_most(Paint::Bad, &error.to_string(), usize::from(columns).saturating_sub(2), most)
    }

    /// Takes a key.
    pub(super) fn key(&mut self, event: &KeyEvent) -> Typed {
        let Some(chord) = keys::chord(event) else { return Typed::Kept };
        match &chord[..] {
            "enter" => return Typed::Done,
            "esc" | "ctrl-c" => return Typed::Left,
            "left" | "ctrl-b" => self.cursor = self.cursor.saturating_sub(1),
            "right" | "ctrl-f" => self.cursor = (self.cursor + 1).min(self.text.len()),
            "home" | "ctrl-a" => self.cursor = 0,
            "end" | "ctrl-e" => self.cursor = self.text.len(),
            "backspace" | "ctrl-h" => return self.remove(self.cursor.saturating_sub(1)),
            "delete" | "ctrl-d" => return self.remove(self.cursor),
            "ctrl-u" => return self.remove(0),
            "ctrl-w" => return self.remove(self.word_start()),
            _ => {}
        }
        match event.code {
            KeyCode::Char(c) if !event.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) => {
                self.insert(&c.to_string())
            }
            _ => Typed::Kept,
        }
    }

    /// Puts text in at the cursor; what is no character of a line is left out.
    pub(super) fn insert(&mut self, text: &str) -> Typed {
        let room = LONGEST - self.text.len().min(LONGEST);
        let new: Vec<char> = text.chars().filter(|&c| body::is_safe(c)).take(room).collect();
        let count = new.len();
        self.text.splice(self.cursor..self.cursor, new);
        self.cursor += count;
        if count > 0 { Typed::Changed } else { Typed::Kept }
    }

    /// Takes out what stands between a place and the cursor, or at the place where that is the cursor's.
    fn remove(&mut self, from: usize) -> Typed {
        let to = if from == self.cursor { from + 1 } else { self.cursor };
        if from >= self.text.len() || to > self.text.len() {
            return Typed::Kept;
        }
        self.text.drain(from..to);
        self.cursor = from;
        Typed::Changed
    }

    fn word_start(&self) -> usize {
        let before = &self.text[..self.cursor];
        let word = before.iter().rposition(|c| !c.is_whitespace()).unwrap_or(0);
        before[..word].iter().rposition(|c| c.is_whitespace()).map_or(0, |at| at + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(prompt: &mut Prompt, code: KeyCode, modifiers: KeyModifiers) -> Typed {
        prompt.key(&KeyEvent::new(code, modifiers))
    }

    #[test]
    fn a_line_is_edited() {
        let mut prompt = Prompt::new(Purpose::Filter(None), "sig:failed pth");
        for _ in 0..2 {
            press(&mut prompt, KeyCode::Left, KeyModifiers::NONE);
        }
        assert_eq!(press(&mut prompt, KeyCode::Char('a'), KeyModifiers::NONE), Typed::Changed);
        assert_eq!(prompt.text(), "sig:failed path");
        press(&mut prompt, KeyCode::End, KeyModifiers::NONE);
        press(&mut prompt, KeyCode::Char('w'), KeyModifiers::CONTROL);
        assert_eq!(prompt.text(), "sig:failed ");
        press(&mut prompt, KeyCode::Backspace, KeyModifiers::NONE);
        assert_eq!(prompt.insert("\u{1b}[2J ü\n"), Typed::Changed);
        assert_eq!(prompt.text(), "sig:failed[2J ü");
        press(&mut prompt, KeyCode::Char('u'), KeyModifiers::CONTROL);
        assert_eq!(press(&mut prompt, KeyCode::Backspace, KeyModifiers::NONE), Typed::Kept);
        assert_eq!(press(&mut prompt, KeyCode::Delete, KeyModifiers::NONE), Typed::Kept);
        assert_eq!(prompt.text(), "");
    }
}
