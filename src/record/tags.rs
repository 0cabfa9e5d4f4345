//! What a person said of a capture: tags and a note. Kept in the store, beside the facts and never in place of them.

use super::Mark;

/// The most characters that a note has.
pub const NOTE_CHARS: usize = 500;

/// A set of a person's tags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tags(i64);

impl Tags {
    /// No tag.
    pub const NONE: Self = Self(0);
    /// Chosen for something to be done with all that are.
    pub const MARKED: Self = Self(1);
    /// To be found again.
    pub const PINNED: Self = Self(2);
    /// Not caught but made: a capture that was edited and saved anew.
    pub const EDITED: Self = Self(4);

    /// The set that the store keeps as one integer.
    pub fn from_bits(bits: i64) -> Self {
        Self(bits)
    }

    /// The set as one integer.
    pub const fn bits(self) -> i64 {
        self.0
    }

    /// Whether all tags of another set are in it.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The tags of both.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The tags that are not in another set.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The tags as marks.
    pub fn marks(self) -> impl Iterator<Item = Mark> {
        [(Self::MARKED, Mark::Marked), (Self::PINNED, Mark::Pinned), (Self::EDITED, Mark::Edited)]
            .into_iter()
            .filter_map(move |(tag, mark)| self.has(tag).then_some(mark))
    }
}

/// What is to be changed of what a person said of a capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tagging {
    /// Tags to give.
    pub give: Tags,
    /// Tags to take away, before the others are given.
    pub take: Tags,
    /// Another note, of at most [`NOTE_CHARS`] characters; an empty one takes it away, none leaves it.
    pub note: Option<String>,
}

impl Tagging {
    /// The note as it is kept: on one line, no longer than it may be.
    pub fn note_of(text: &str) -> String {
        let line: String = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        line.chars().take(NOTE_CHARS).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_given_and_taken_one_by_one() {
        let tags = Tags::NONE.with(Tags::MARKED).with(Tags::EDITED);
        assert_eq!(tags.marks().collect::<Vec<_>>(), [Mark::Marked, Mark::Edited]);
        assert_eq!(tags.without(Tags::MARKED), Tags::EDITED);
        assert!(!tags.has(Tags::PINNED) && Tags::from_bits(tags.bits()) == tags);
    }

    #[test]
    fn a_note_is_a_short_line() {
        assert_eq!(Tagging::note_of("  ask\nAnna \u{1b}[31m "), "ask Anna  [31m");
        assert_eq!(Tagging::note_of(&"é".repeat(900)).chars().count(), NOTE_CHARS);
    }
}
