//! A drawn frame as SVG, cell by cell, so that the README shows what the screen is and not what somebody drew of it.

use std::fmt::Write;

use ratatui::{
    buffer::{Buffer, Cell},
    style::{Color, Modifier},
};
use unicode_width::UnicodeWidthStr;

/// A cell's width and height, and the size of its letters, in pixels.
const CELL: (f32, f32) = (8.4, 18.0);
const LETTERS: f32 = 14.0;
/// Pixels around the frame.
const MARGIN: f32 = 14.0;
const FONT: &str = "ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono',monospace";

/// What a terminal shows for colours that it names itself.
#[derive(Clone, Copy)]
pub(super) struct Palette {
    pub(super) paper: u32,
    pub(super) ink: u32,
    /// Black, red, green, yellow, blue, magenta, cyan, white; then the bright ones.
    pub(super) named: [u32; 16],
}

pub(super) const DARK: Palette = Palette {
    paper: 0x10_1418,
    ink: 0xd8_dee4,
    named: [
        0x10_1418, 0xf0_6a6a, 0x7f_c782, 0xe3_b75d, 0x6c_a8f0, 0xc4_92e8, 0x5f_c8d0, 0xc8_d0d8, 0x5f_6a75, 0xff_8a80,
        0x9b_e09f, 0xff_d27f, 0x8c_c0ff, 0xdb_b2ff, 0x84_e0e8, 0xff_ffff,
    ],
};

pub(super) const LIGHT: Palette = Palette {
    paper: 0xfd_fcf8,
    ink: 0x24_292f,
    named: [
        0x24_292f, 0xc0_2f2f, 0x2f_7d32, 0x96_6a00, 0x1f_62b5, 0x8a_3fb0, 0x0f_7580, 0xe4_e2dc, 0x8b_949e, 0xd0_3c3c,
        0x3a_8f3e, 0xa8_7900, 0x2f_72c5, 0x9a_4fc0, 0x1f_8590, 0xfd_fcf8,
    ],
};

/// The style of a run of cells.
#[derive(Clone, Copy, PartialEq)]
struct Ink {
    fore: u32,
    back: u32,
    modifier: Modifier,
}

/// The frame as an SVG document.
pub(super) fn svg(frame: &Buffer, palette: &Palette, title: &str) -> String {
    let (columns, rows) = (frame.area.width, frame.area.height);
    let (width, height) = (f32::from(columns) * CELL.0 + 2.0 * MARGIN, f32::from(rows) * CELL.1 + 2.0 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"{FONT}\" \
         font-size=\"{LETTERS:.0}\" xml:space=\"preserve\">\n<title>{}</title>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"10\" fill=\"{}\"/>\n",
        escaped(title),
        colour(palette.paper)
    );
    for y in 0..rows {
        row(&mut svg, frame, palette, y);
    }
    svg.push_str("</svg>\n");
    svg
}

/// A row: its cells in runs of one style.
fn row(svg: &mut String, frame: &Buffer, palette: &Palette, y: u16) {
    let mut x = 0;
    while x < frame.area.width {
        let (start, ink) = (x, Ink::of(&frame[(x, y)], palette));
        let mut text = String::new();
        while x < frame.area.width && Ink::of(&frame[(x, y)], palette) == ink {
            let symbol = frame[(x, y)].symbol();
            text.push_str(symbol);
            x += symbol.width().max(1) as u16;
        }
        run(svg, palette, &text, ink, (start, y), x - start);
    }
}

fn run(svg: &mut String, palette: &Palette, text: &str, ink: Ink, (x, y): (u16, u16), columns: u16) {
    let (left, top) = (MARGIN + f32::from(x) * CELL.0, MARGIN + f32::from(y) * CELL.1);
    let width = f32::from(columns) * CELL.0;
    if ink.back != palette.paper {
        let fill = colour(ink.back);
        let _ = writeln!(
            svg,
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{:.1}\" fill=\"{fill}\"/>",
            CELL.1
        );
    }
    let style = ink.style();
    let mut x = left;
    // Word by word: a font that is wider or narrower than the cells then shifts nothing further than a word.
    for word in text.split_inclusive(' ') {
        let letters = word.trim_end_matches(' ');
        let long = letters.width() as f32 * CELL.0;
        if !letters.is_empty() {
            let _ = writeln!(
                svg,
                "<text x=\"{x:.1}\" y=\"{:.1}\" textLength=\"{long:.1}\" lengthAdjust=\"spacingAndGlyphs\" \
                 {style}>{}</text>",
                top + CELL.1 * 0.74,
                escaped(letters)
            );
        }
        x += word.width() as f32 * CELL.0;
    }
}

impl Ink {
    fn of(cell: &Cell, palette: &Palette) -> Self {
        let (mut ink, mut paper) = (named(cell.fg, palette, palette.ink), named(cell.bg, palette, palette.paper));
        if cell.modifier.contains(Modifier::REVERSED) {
            (ink, paper) = (paper, ink);
        }
        if cell.modifier.contains(Modifier::DIM) {
            ink = between(ink, paper);
        }
        Self { fore: ink, back: paper, modifier: cell.modifier - Modifier::REVERSED - Modifier::DIM }
    }

    fn style(self) -> String {
        let mut style = format!("fill=\"{}\"", colour(self.fore));
        for (modifier, words) in [
            (Modifier::BOLD, " font-weight=\"bold\""),
            (Modifier::ITALIC, " font-style=\"italic\""),
            (Modifier::UNDERLINED, " text-decoration=\"underline\""),
        ] {
            if self.modifier.contains(modifier) {
                style.push_str(words);
            }
        }
        style
    }
}

fn named(colour: Color, palette: &Palette, own: u32) -> u32 {
    let at = match colour {
        Color::Reset => return own,
        Color::Rgb(r, g, b) => return u32::from(r) << 16 | u32::from(g) << 8 | u32::from(b),
        Color::Indexed(n) => return indexed(n, palette),
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
    };
    palette.named[at]
}

/// The 256 colours of xterm: 16 named ones, a cube of six steps a side, 24 greys.
fn indexed(n: u8, palette: &Palette) -> u32 {
    const STEPS: [u32; 6] = [0, 95, 135, 175, 215, 255];
    match n {
        0..16 => palette.named[usize::from(n)],
        16..232 => {
            let at = usize::from(n - 16);
            STEPS[at / 36] << 16 | STEPS[at / 6 % 6] << 8 | STEPS[at % 6]
        }
        232.. => (8 + u32::from(n - 232) * 10) * 0x01_0101,
    }
}

fn between(a: u32, b: u32) -> u32 {
    [16, 8, 0].iter().map(|shift| (((a >> shift & 0xff) * 3 + (b >> shift & 0xff) * 2) / 5) << shift).sum()
}

fn colour(rgb: u32) -> String {
    format!("#{rgb:06x}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
