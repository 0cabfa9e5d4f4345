//! The marks of a run of captures: which pieces of four bytes stand in the texts of which of its blocks.
//!
//! A block is [`BLOCK`] captures with numbers in a row. A *sheet* has a byte, or eight, for each position that a piece can
//! have, and in it a bit for each of its blocks: 8 blocks in a small sheet, 64 in a large one. So a search asks one place
//! in a sheet for each piece of its word, and learns at once which blocks may have it. A bit that is not set is a promise, one
//! that is set is a "perhaps": two pieces may have one position, and captures may have been deleted.
//!
//! What is marked of numbers ([`marks`](crate::query::marks)) has four positions of its own for each mark.
//!
//! A large sheet is eight small ones, byte beside byte. It has a *sharp* filter of its run as a whole, too: that one mistakes
//! a piece that stands nowhere in 4,096 captures for one that does in a few cases of a hundred, where a block does in twenty.

use crate::query::Need;

/// Captures with numbers in a row that have one bit in a sheet.
pub(super) const BLOCK: i64 = 64;
/// Captures of a small sheet, and of a large one.
pub(super) const SMALL: i64 = BLOCK * 8;
pub(super) const LARGE: i64 = BLOCK * 64;
/// Bytes of a text that have a position together.
const GRAM: usize = 4;
/// How wide a sheet is at least and at most: the binary logarithm of its positions.
const NARROWEST: u32 = 16;
const WIDEST: u32 = 20;
pub(super) const WIDTHS: std::ops::RangeInclusive<u32> = NARROWEST..=WIDEST;
/// The part of the bits that may be set before a sheet is made wider, in percent.
const FULL: usize = 35;
/// What a sheet wider than twice the narrowest may take of the bytes that it is made of, in percent.
const SHARE: usize = 12;
/// Words of a sharp filter, by their binary logarithm: 128 KiB.
const SHARP_WORDS: u32 = 14;
/// The part of a sharp filter's bits from which on it tells nothing, in percent.
const BLUNT: usize = 60;
/// Bytes of a part: with its row's head it fills two pages of the store. Eight divide them.
pub(super) const PART_BYTES: usize = 15_888;
/// Parts that a sheet may have, those of its sharp filter among them.
pub(super) const PARTS: i64 = 1_024;
/// The first part of a sharp filter.
pub(super) const SHARP_PART: i64 = 768;
/// How many pieces of a word are asked for; more of them would hardly make it rarer.
const ASKED: usize = 12;

const _: () = assert!((8 << WIDEST) / PART_BYTES < SHARP_PART as usize);
const _: () = assert!(PART_BYTES.is_multiple_of(8));

/// What a sheet's row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sheet {
    /// Binary logarithm of its positions.
    pub width: u32,
    /// Blocks that may hold anything.
    pub always: u64,
    /// Whether it has a sharp filter.
    pub sharp: bool,
}

/// Where a piece is marked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gram {
    position: u32,
    word: u32,
    mask: u64,
}

impl Gram {
    fn of(bytes: u32) -> Self {
        let mixed = u64::from(bytes).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let other = u64::from(bytes ^ 0x5bd1_e995).wrapping_mul(0xd6e8_feb8_6659_fd93);
        let bit = |shift: u32| 1_u64 << (other >> shift & 63);
        Self {
            position: (mixed >> 32) as u32,
            word: (other >> (64 - SHARP_WORDS)) as u32,
            mask: bit(44) | bit(38) | bit(32),
        }
    }

    /// The positions of a mark. It is in no sharp filter: so many numbers are different that they would blunt it.
    fn of_mark(mark: u64) -> [Self; 4] {
        let other = mark.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        [mark, mark >> 32, other >> 22, other >> 44].map(|part| Self { position: part as u32, word: 0, mask: 0 })
    }

    /// The part of a sheet and the place in it where the bits of its blocks stand, which take `bytes`.
    pub(super) fn place(self, width: u32, bytes: usize) -> (i64, usize) {
        let at = (self.position as usize & ((1 << width) - 1)) * bytes;
        ((at / PART_BYTES) as i64, at % PART_BYTES)
    }

    /// The part of a sharp filter and the place in it where its word stands, and the bits that must be set there; none
    /// where it is in no such filter.
    pub(super) fn sharp_place(self) -> Option<(i64, usize, u64)> {
        let at = self.word as usize * 8;
        (self.mask != 0).then_some((SHARP_PART + (at / PART_BYTES) as i64, at % PART_BYTES, self.mask))
    }
}

/// The pieces of a text, ASCII letters in lower case.
fn grams(text: &[u8]) -> impl Iterator<Item = u32> {
    let next = |gram: u32, byte: &u8| gram << 8 | u32::from(byte.to_ascii_lowercase());
    let (first, rest) = text.split_at(text.len().min(GRAM - 1));
    rest.iter().scan(first.iter().fold(0, next), move |gram, byte| {
        *gram = next(*gram, byte);
        Some(*gram)
    })
}

/// What a search asks the sheets.
#[derive(Clone, Debug)]
pub(super) enum Probe {
    /// Nothing: every block may be meant.
    Anything,
    /// The pieces of one text, or the positions of a mark.
    Text(Vec<Gram>),
    All(Vec<Probe>),
    Any(Vec<Probe>),
}

impl Probe {
    pub(super) fn of(need: &Need) -> Self {
        match need {
            Need::Anything => Self::Anything,
            Need::Text(text) => {
                let all: Vec<_> = grams(text).map(Gram::of).collect();
                let every = all.len().div_ceil(ASKED).max(1);
                if all.is_empty() { Self::Anything } else { Self::Text(all.into_iter().step_by(every).collect()) }
            }
            Need::Mark(mark) => Self::Text(Gram::of_mark(*mark).to_vec()),
            Need::All(needs) => Self::All(needs.iter().map(Self::of).collect()),
            Need::Any(needs) => Self::Any(needs.iter().map(Self::of).collect()),
        }
    }

    /// The bits that are left of `all` where each piece leaves what `ask` says of it.
    pub(super) fn ask<E>(&self, all: u64, ask: &mut impl FnMut(Gram) -> Result<u64, E>) -> Result<u64, E> {
        let mut left = all;
        match self {
            Self::Anything => {}
            Self::Text(grams) => {
                for &gram in grams {
                    left = if left == 0 { 0 } else { left & ask(gram)? };
                }
            }
            Self::All(probes) => {
                for probe in probes {
                    left = if left == 0 { 0 } else { probe.ask(left, ask)? };
                }
            }
            Self::Any(probes) => {
                left = 0;
                for probe in probes {
                    left |= probe.ask(all & !left, ask)?;
                }
            }
        }
        Ok(left)
    }
}

/// A small sheet in the making.
pub(super) struct Marks {
    /// A byte a position.
    bytes: Vec<u8>,
    /// The block that is being marked, as its bit.
    block: u8,
    /// The blocks that have a text, and those that may hold anything.
    blocks: u8,
    always: u8,
}

impl Marks {
    /// For captures of so many bytes together.
    pub(super) fn new(bytes: usize) -> Self {
        let room = (bytes / 100 * SHARE).max(1).ilog2();
        let width = room.clamp(NARROWEST + 1, WIDEST);
        Self { bytes: vec![0; 1 << width], block: 0, blocks: 0, always: 0 }
    }

    /// What comes now is of that block.
    pub(super) fn turn_to(&mut self, block: u32) {
        self.block = 1 << block;
        self.blocks |= self.block;
    }

    /// The block may hold anything.
    pub(super) fn pass(&mut self) {
        self.always |= self.block;
    }

    /// Marks the pieces of a text, in the sharp filter, too.
    pub(super) fn add(&mut self, text: &[u8], sharp: &mut Sharp) {
        for gram in grams(text).map(Gram::of) {
            self.set(gram);
            sharp.mark(gram);
        }
    }

    /// Marks what is marked of a number.
    pub(super) fn add_mark(&mut self, mark: u64) {
        Gram::of_mark(mark).into_iter().for_each(|gram| self.set(gram));
    }

    fn set(&mut self, gram: Gram) {
        let last = self.bytes.len() - 1;
        if let Some(byte) = self.bytes.get_mut(gram.position as usize & last) {
            *byte |= self.block;
        }
    }

    /// The sheet as narrow as it can be, and its bits.
    pub(super) fn finish(mut self) -> (Sheet, Vec<u8>) {
        while self.bytes.len() > 1 << NARROWEST {
            let (left, right) = self.bytes.split_at(self.bytes.len() / 2);
            let half: Vec<u8> = left.iter().zip(right).map(|(a, b)| a | b).collect();
            let ones: usize = half.iter().map(|byte| byte.count_ones() as usize).sum();
            if ones * 100 > half.len() * self.blocks.count_ones().max(1) as usize * FULL {
                break;
            }
            self.bytes = half;
        }
        let sheet = Sheet { width: self.bytes.len().ilog2(), always: u64::from(self.always), sharp: false };
        (sheet, self.bytes)
    }
}

/// Eight small sheets as a large one; what there is none of holds nothing.
pub(super) fn joined(small: &[Option<(Sheet, Vec<u8>)>; 8]) -> (Sheet, Vec<u8>) {
    let width = small.iter().flatten().map(|(sheet, _)| sheet.width).max().unwrap_or(NARROWEST);
    let mut bytes = vec![0; 8 << width];
    let mut always = 0;
    for (at, (sheet, from)) in small.iter().enumerate().filter_map(|(at, one)| Some((at, one.as_ref()?))) {
        always |= sheet.always << (at * 8);
        // A narrower sheet is a wide one whose parts are alike.
        let places = bytes.iter_mut().skip(at).step_by(8);
        places.zip(from.iter().cycle()).for_each(|(to, from)| *to = *from);
    }
    (Sheet { width, always, sharp: false }, bytes)
}

/// The sharp filter of a run of captures.
pub(super) struct Sharp(Vec<u64>);

impl Sharp {
    pub(super) fn new() -> Self {
        Self(vec![0; 1 << SHARP_WORDS])
    }

    fn mark(&mut self, gram: Gram) {
        if let Some(word) = self.0.get_mut(gram.word as usize) {
            *word |= gram.mask;
        }
    }

    /// Marks the pieces of a text.
    pub(super) fn add(&mut self, text: &[u8]) {
        grams(text).map(Gram::of).for_each(|gram| self.mark(gram));
    }

    /// Its bytes; none where so many bits are set that it tells nothing.
    pub(super) fn bytes(&self) -> Option<Vec<u8>> {
        let ones: usize = self.0.iter().map(|word| word.count_ones() as usize).sum();
        (ones * 100 < (64 << SHARP_WORDS) * BLUNT).then(|| self.0.iter().flat_map(|word| word.to_le_bytes()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The blocks of a sheet that may be meant.
    fn asked(probe: &Probe, sheet: Sheet, bytes: &[u8], size: usize) -> u64 {
        let all = if size == 8 { u64::MAX } else { 0xff };
        let ask = |gram: Gram| -> Result<u64, ()> {
            let (part, at) = gram.place(sheet.width, size);
            let at = part as usize * PART_BYTES + at;
            Ok(bytes[at..at + size].iter().rev().fold(0, |all, byte| all << 8 | u64::from(*byte)))
        };
        probe.ask(all, &mut { ask }).unwrap() | sheet.always
    }

    fn probe(text: &str) -> Probe {
        Probe::of(&Need::Text(text.as_bytes().to_vec()))
    }

    fn small(texts: &[(u32, &str)], bytes: usize) -> (Sheet, Vec<u8>, Sharp) {
        let (mut marks, mut sharp) = (Marks::new(bytes), Sharp::new());
        for (block, text) in texts {
            marks.turn_to(*block);
            marks.add(text.as_bytes(), &mut sharp);
        }
        let (sheet, bytes) = marks.finish();
        (sheet, bytes, sharp)
    }

    #[test]
    fn a_sheet_knows_the_blocks_of_a_text_in_either_case() {
        let (sheet, bytes, _) = small(&[(0, "A rainbow Trout"), (3, "trout"), (7, "tro ut")], 0);
        assert_eq!((sheet.width, bytes.len()), (16, 1 << 16));
        assert_eq!(asked(&probe("trout"), sheet, &bytes, 1), 0b1001);
        assert_eq!(asked(&probe("rainbow trout"), sheet, &bytes, 1), 0b1);
        assert_eq!(asked(&probe("pike"), sheet, &bytes, 1), 0);
        assert_eq!(asked(&probe("tro"), sheet, &bytes, 1), 0xff, "too short to be asked");
    }

    #[test]
    fn needs_are_joined_as_they_are_written() {
        let (sheet, bytes, _) = small(&[(0, "trout"), (1, "pike"), (2, "trout and pike")], 0);
        let text = |text: &str| Need::Text(text.as_bytes().to_vec());
        let ask = |need: Need| asked(&Probe::of(&need), sheet, &bytes, 1);
        assert_eq!(ask(Need::All(vec![text("trout"), text("pike")])), 0b100);
        assert_eq!(ask(Need::Any(vec![text("trout"), text("pike"), text("perch")])), 0b111);
        assert_eq!(ask(Need::Any(vec![text("perch"), Need::All(vec![text("pike"), Need::Anything])])), 0b110);
    }

    #[test]
    fn eight_small_sheets_say_the_same_as_a_large_one_whatever_their_widths() {
        // As many different pieces as make a sheet wider.
        let mut chance = 1_u64;
        let many: String = std::iter::repeat_with(|| {
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b'a' + (chance >> 33) as u8 % 26)
        })
        .take(200_000)
        .collect();
        let (wide, wide_bytes, _) = small(&[(1, &many), (2, "trout")], 1 << 23);
        assert!(wide.width > 16, "{}", wide.width);
        let (narrow, narrow_bytes, _) = small(&[(0, "trout"), (5, "pike")], 0);
        let mut all: [Option<(Sheet, Vec<u8>)>; 8] = Default::default();
        (all[0], all[6]) = (Some((narrow, narrow_bytes.clone())), Some((wide, wide_bytes.clone())));
        let (large, bytes) = joined(&all);
        assert_eq!(bytes.len(), 8 << wide.width);
        for text in ["trout", "pike", &many[400..420], "perch"] {
            let left = asked(&probe(text), narrow, &narrow_bytes, 1) | asked(&probe(text), wide, &wide_bytes, 1) << 48;
            assert_eq!(asked(&probe(text), large, &bytes, 8), left, "{text}");
        }
    }

    #[test]
    fn a_mark_is_told_from_others_and_is_in_no_sharp_filter() {
        let (mut marks, mut sharp) = (Marks::new(0), Sharp::new());
        marks.turn_to(1);
        marks.add(b"trout", &mut sharp);
        marks.add_mark(7 << 40);
        let (sheet, bytes) = marks.finish();
        let mark = |mark: u64| Probe::of(&Need::Mark(mark));
        assert_eq!(asked(&mark(7 << 40), sheet, &bytes, 1), 0b10);
        assert_eq!(asked(&mark(8 << 40), sheet, &bytes, 1), 0);
        let Probe::Text(grams) = mark(7 << 40) else { panic!() };
        assert!(grams.iter().all(|gram| gram.sharp_place().is_none()));
    }

    #[test]
    fn a_block_that_may_hold_anything_is_always_meant() {
        let (mut marks, mut sharp) = (Marks::new(0), Sharp::new());
        marks.turn_to(2);
        marks.pass();
        marks.add(b"pike", &mut sharp);
        let (sheet, bytes) = marks.finish();
        assert_eq!(asked(&probe("trout"), sheet, &bytes, 1), 0b100);
    }

    #[test]
    fn a_sharp_filter_knows_what_stands_nowhere() {
        let (_, _, mut sharp) = small(&[(0, "trout"), (4, "pike")], 0);
        let bytes = sharp.bytes().unwrap();
        let has = |text: &str| {
            grams(text.to_lowercase().as_bytes()).map(Gram::of).all(|gram| {
                let (part, at, mask) = gram.sharp_place().unwrap();
                let at = (part - SHARP_PART) as usize * PART_BYTES + at;
                u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) & mask == mask
            })
        };
        assert_eq!([has("Trout"), has("pike"), has("perch"), has("zander")], [true, true, false, false]);
        (0..1_u32 << 20).for_each(|n| sharp.add(&n.wrapping_mul(0x9e37_79b1).to_le_bytes()));
        assert!(sharp.bytes().is_none(), "it tells nothing any more");
    }
}
