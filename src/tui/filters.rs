//! What helps to type a filter: values that are known, filters that have names, and those that were used before.

use std::collections::BTreeMap;

use crate::{
    engine::filters::Filters,
    query::{self, Completion},
};

/// How many lines that were used are remembered.
const USED: usize = 100;
/// How long they are together at most, in bytes.
const USED_BYTES: usize = 16 << 10;

/// Values of fields that are known to occur, by the field's name in the table of fields.
pub(super) type Known = BTreeMap<String, Vec<String>>;

/// What is known of filters.
#[derive(Clone, Debug, Default)]
pub(super) struct Shelf {
    /// Those that have names.
    pub(super) named: Filters,
    /// Those that were used, newest first, each once.
    pub(super) used: Vec<String>,
    pub(super) known: Known,
}

impl Shelf {
    /// Remembers a filter that is used now.
    pub(super) fn keep(&mut self, text: &str) {
        let text = text.trim();
        if !text.is_empty() {
            self.used = merged([text].into_iter().chain(self.used.iter().map(|text| &text[..])));
        }
    }

    /// What may be meant by the piece before the cursor.
    pub(super) fn complete(&self, text: &str, cursor: usize) -> Completion {
        let seen = |field: &str| self.known.get(field).map_or(&[][..], |values| &values[..]);
        let texts: Vec<_> = self.named.names.iter().map(|(name, filter)| (&name[..], filter.text())).collect();
        query::complete(text, cursor, seen, texts.into_iter())
    }
}

/// Lines that were used, newest first: each once, and no more than are remembered.
pub(super) fn merged<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let (mut kept, mut bytes) = (Vec::<String>::new(), 0);
    for text in texts {
        if kept.iter().any(|other| other == text) {
            continue;
        }
        bytes += text.len();
        if kept.len() == USED || bytes > USED_BYTES {
            break;
        }
        kept.push(text.to_owned());
    }
    kept
}

/// What is offered in a prompt, and where in the used filters it is.
#[derive(Clone, Debug, Default)]
pub(super) struct Assist {
    /// What may be meant by the piece before the cursor.
    pub(super) completion: Completion,
    /// Which of that is chosen.
    pub(super) chosen: Option<usize>,
    /// Which of the used lines stands there, and what was typed before one did.
    pub(super) recalled: Option<(usize, String)>,
}

impl Assist {
    /// Chooses the next of what is offered, or the one before, around the ends.
    pub(super) fn choose(&mut self, forward: bool) {
        let count = self.completion.offers.len();
        self.chosen = match self.chosen {
            _ if count == 0 => None,
            None if forward => Some(0),
            None => Some(count - 1),
            Some(at) if forward => Some((at + 1) % count),
            Some(at) => Some((at + count - 1) % count),
        };
    }

    /// Offers nothing any more.
    pub(super) fn close(&mut self) {
        (self.completion, self.chosen) = (Completion::default(), None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn used_filters_are_kept_newest_first_each_once_and_not_without_end() {
        let mut shelf = Shelf::default();
        for text in ["a", "b", " a ", "", "  "] {
            shelf.keep(text);
        }
        assert_eq!(shelf.used, ["a", "b"]);
        (0..500).for_each(|number| shelf.keep(&format!("id:{number}")));
        assert_eq!((shelf.used.len(), &shelf.used[0][..]), (USED, "id:499"));
        shelf.keep(&"x".repeat(USED_BYTES - 10));
        assert_eq!(shelf.used.len(), 2);
    }
}
