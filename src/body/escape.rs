//! The one escaper, and the measuring of what it gives.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::record::counted;

/// How many combining marks in a row are shown; a note counts the rest. A terminal stacks them in one cell without end.
const MARKS_IN_A_ROW: usize = 8;

/// Characters that act on a terminal or on their neighbours, or that nobody sees, besides the control characters:
/// `Default_Ignorable_Code_Point` of the Unicode Character Database (`DerivedCoreProperties.txt`), the line separators,
/// the interlinear annotations, and the private use areas, whose meaning and width each font makes up for itself.
const HIDDEN: [(u32, u32); 21] = [
    (0x00AD, 0x00AD),     // soft hyphen
    (0x034F, 0x034F),     // combining grapheme joiner
    (0x061C, 0x061C),     // Arabic letter mark
    (0x115F, 0x1160),     // Hangul fillers
    (0x17B4, 0x17B5),     // Khmer inherent vowels
    (0x180B, 0x180F),     // Mongolian variation selectors
    (0x200B, 0x200F),     // zero-width space, joiners, direction marks
    (0x2028, 0x202E),     // line and paragraph separator, embeddings and overrides
    (0x2060, 0x206F),     // word joiner, invisible operators, isolates
    (0x3164, 0x3164),     // Hangul filler
    (0xE000, 0xF8FF),     // private use
    (0xFDD0, 0xFDEF),     // noncharacters
    (0xFE00, 0xFE0F),     // variation selectors
    (0xFEFF, 0xFEFF),     // byte order mark
    (0xFFA0, 0xFFA0),     // halfwidth Hangul filler
    (0xFFF0, 0xFFFB),     // unassigned ignorables, interlinear annotation
    (0xFFFE, 0xFFFF),     // noncharacters
    (0x1BCA0, 0x1BCA3),   // shorthand format controls
    (0x1D173, 0x1D17A),   // musical format controls
    (0xE0000, 0xE0FFF),   // tags, variation selectors supplement
    (0xF0000, 0x10_FFFF), // private use planes
];

/// Whether a character may reach the terminal as it is. What may not is shown by [`escape`].
pub fn is_safe(char: char) -> bool {
    match u32::from(char) {
        0x20..=0x7E | 0xA0..=0xAC => true,
        0x00..=0x9F => false,
        code => HIDDEN.binary_search_by(|&(first, last)| place(first, last, code)).is_err() && code & 0xFFFE != 0xFFFE,
    }
}

fn place(first: u32, last: u32, code: u32) -> std::cmp::Ordering {
    if last < code {
        std::cmp::Ordering::Less
    } else if first > code {
        std::cmp::Ordering::Greater
    } else {
        std::cmp::Ordering::Equal
    }
}

/// Text that is safe to show, for one line: C0 and DEL as pictures (`␛`, `␊`, `␡`), what else acts or hides as
/// `‹U+202E›`, more than eight combining marks in a row as a count, a combining mark with nothing before it on a dotted
/// circle. Everything else stays, and text that is safe already is given back as it is.
pub fn escape(text: &str) -> Cow<'_, str> {
    if is_plain(text.as_bytes()) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    pieces(text.as_bytes(), &mut |piece, _| shown.push_str(piece));
    if shown == text { Cow::Borrowed(text) } else { Cow::Owned(shown) }
}

/// Bytes that are safe to show, for one line: [`escape`] where they are UTF-8, `\x9b` where they are not.
pub fn escape_bytes(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len() + 16);
    pieces(bytes, &mut |piece, _| shown.push_str(piece));
    shown
}

/// Whether all bytes are printable ASCII: what most of every payload is.
pub(super) fn is_plain(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, 0x20..=0x7E))
}

/// Walks the shown form of bytes: `show(text, is_escaped)` in order, runs of safe text in one piece.
pub(super) fn pieces(bytes: &[u8], show: &mut impl FnMut(&str, bool)) {
    let mut marks = Marks::default();
    for chunk in bytes.utf8_chunks() {
        text_pieces(chunk.valid(), &mut marks, show);
        for byte in chunk.invalid() {
            marks.flush(show);
            marks.based = true;
            show(&format!("\\x{byte:02x}"), true);
        }
    }
    marks.flush(show);
}

/// The combining marks in a row before the place the walk is at.
#[derive(Default)]
struct Marks {
    /// Whether something came before that a mark can stand on.
    based: bool,
    run: usize,
}

impl Marks {
    fn flush(&mut self, show: &mut impl FnMut(&str, bool)) {
        let hidden = self.run.saturating_sub(MARKS_IN_A_ROW);
        if hidden > 0 {
            show(&format!("‹+{}›", counted(hidden as u64, "mark")), true);
        }
        self.run = 0;
    }
}

fn text_pieces(text: &str, marks: &mut Marks, show: &mut impl FnMut(&str, bool)) {
    let mut start = 0;
    for (at, char) in text.char_indices() {
        if is_mark(char) {
            if !marks.based {
                show("◌", true);
                marks.based = true;
            }
            marks.run += 1;
            if marks.run > MARKS_IN_A_ROW {
                emit(&text[start..at], show);
                start = at + char.len_utf8();
            }
            continue;
        }
        if marks.run > MARKS_IN_A_ROW {
            marks.flush(show);
        }
        (marks.run, marks.based) = (0, true);
        if !is_safe(char) {
            emit(&text[start..at], show);
            name(char, show);
            start = at + char.len_utf8();
        }
    }
    emit(&text[start..], show);
}

fn emit(text: &str, show: &mut impl FnMut(&str, bool)) {
    if !text.is_empty() {
        show(text, false);
    }
}

/// Shows an unsafe character by its picture (U+2400 and on) or its number.
fn name(char: char, show: &mut impl FnMut(&str, bool)) {
    match u32::from(char) {
        code @ 0..=0x1F => show(picture(0x2400 + code).encode_utf8(&mut [0; 4]), true),
        0x7F => show("␡", true),
        code => show(&format!("‹U+{code:04X}›"), true),
    }
}

fn picture(code: u32) -> char {
    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// Whether a character is safe and takes no room of its own.
fn is_mark(char: char) -> bool {
    char >= '\u{300}' && is_safe(char) && char.width() == Some(0)
}

/// How many characters the shown form of a character has at most.
pub(super) fn shown_chars(char: char) -> usize {
    match char {
        '\0'..='\x7F' => 1,
        _ if !is_safe(char) => 10,
        // The ninth mark in a row brings the count, the first may bring a circle: three each is more than both.
        _ if is_mark(char) => 3,
        _ => 1,
    }
}

/// How many columns of a terminal a text takes: what its grapheme clusters take, as the screen draws them.
pub fn width(text: &str) -> usize {
    if is_plain(text.as_bytes()) {
        return text.len();
    }
    text.graphemes(true).map(UnicodeWidthStr::width).sum()
}

/// The text, escaped and cut to that many columns, with `…` where it was cut. Never splits a grapheme cluster, so a
/// wide character at the edge leaves one column empty.
pub fn fit(text: &str, columns: usize) -> String {
    let text = escape(text);
    if width(&text) <= columns {
        return text.into_owned();
    }
    let Some(room) = columns.checked_sub(1) else { return String::new() };
    let mut used = 0;
    let kept = text.graphemes(true).take_while(|grapheme| {
        used += grapheme.width();
        used <= room
    });
    kept.chain(["…"]).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_shown_instead() {
        for (text, shown) in [
            ("\u{1b}]52;c;aGk=\u{7}", "␛]52;c;aGk=␇"),
            ("a\0b\r\n\t\u{7f}", "a␀b␍␊␉␡"),
            ("\u{9b}31m", "‹U+009B›31m"),
            ("user\u{202e}gpj.exe", "user‹U+202E›gpj.exe"),
            ("a\u{200b}b\u{feff}c\u{2028}d", "a‹U+200B›b‹U+FEFF›c‹U+2028›d"),
            ("\u{e0041}\u{e000}\u{10ffff}", "‹U+E0041›‹U+E000›‹U+10FFFF›"),
            ("❤\u{fe0f}", "❤‹U+FE0F›"),
            ("\u{301}", "◌\u{301}"),
            ("naïve ✓ 東京 🦀", "naïve ✓ 東京 🦀"),
        ] {
            assert_eq!(escape(text), shown);
        }
        assert_eq!(escape_bytes(b"caf\xe9 \x9b31m \xf0\x9f"), "caf\\xe9 \\x9b31m \\xf0\\x9f");
    }

    #[test]
    fn a_tower_of_marks_is_eight_high_and_counted() {
        let tower = |n: usize| format!("e{}x", "\u{301}".repeat(n));
        assert_eq!(escape(&tower(8)), tower(8));
        assert_eq!(escape(&tower(9)), format!("e{}‹+1 mark›x", "\u{301}".repeat(8)));
        assert_eq!(escape(&tower(4_000)), format!("e{}‹+3,992 marks›x", "\u{301}".repeat(8)));
    }

    #[test]
    fn the_table_of_hidden_characters_is_in_order() {
        assert!(HIDDEN.is_sorted_by(|a, b| a.1 < b.0));
    }

    #[test]
    fn text_is_cut_to_columns_between_clusters() {
        for (text, columns, shown) in [
            ("hello", 5, "hello"),
            ("hello", 4, "hel…"),
            ("hello", 1, "…"),
            ("hello", 0, ""),
            ("東京都", 6, "東京都"),
            ("東京都", 5, "東京…"),
            ("東京都", 4, "東…"),
            ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"),
            ("\u{1b}[2J", 3, "␛[…"),
        ] {
            assert_eq!(fit(text, columns), shown, "{text} in {columns}");
        }
        assert_eq!((width("東京"), width("abc"), width("e\u{301}")), (4, 3, 1));
    }

    proptest! {
        #[test]
        fn nothing_unsafe_comes_out_whatever_goes_in(bytes: Vec<u8>) {
            prop_assert!(escape_bytes(&bytes).chars().all(is_safe));
        }

        #[test]
        fn what_is_safe_stays_as_it_is(text in any::<String>()) {
            let once = escape(&text).into_owned();
            prop_assert!(once.chars().all(is_safe));
            prop_assert!(matches!(escape(&once), Cow::Borrowed(again) if again == once));
        }

        #[test]
        fn a_fitted_text_fits(text in "(\\PC|[\\x00-\\x1f\u{300}\u{202e}東🦀])*", columns in 0usize..30) {
            let shown = fit(&text, columns);
            prop_assert!(width(&shown) <= columns);
            prop_assert!(shown.chars().all(is_safe));
        }

        #[test]
        fn the_count_of_shown_characters_is_never_too_small(text in "[a\u{301}\u{9b}\u{202e}\u{1b}東]{0,40}") {
            let most: usize = text.chars().map(shown_chars).sum();
            prop_assert!(escape(&text).chars().count() <= most);
        }
    }
}
