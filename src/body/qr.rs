//! A text as a QR code, for a phone's camera.

use qrcode::{Color, EcLevel, QrCode};

/// Light modules around the code. The standard asks for four; two are enough for a camera where what lies beyond is
/// dark or light and nothing else, and leave room for longer texts on a terminal.
const QUIET: usize = 2;

/// A QR code in half blocks, two rows of modules to a line: what is filled is dark, and belongs on a light ground. The
/// code is of the lowest of the four levels of redundancy: a screen has no scratches. None where the text is too long
/// for any code (2,953 bytes).
pub fn qr(text: &str) -> Option<Vec<String>> {
    let code = QrCode::with_error_correction_level(text.as_bytes(), EcLevel::L).ok()?;
    let side = code.width();
    let dark = |x: usize, y: usize| {
        let inside = (QUIET..QUIET + side).contains(&x) && (QUIET..QUIET + side).contains(&y);
        inside && code[(x - QUIET, y - QUIET)] == Color::Dark
    };
    let whole = side + 2 * QUIET;
    let block = |x: usize, y: usize| match (dark(x, y), dark(x, y + 1)) {
        (true, true) => '█',
        (true, false) => '▀',
        (false, true) => '▄',
        (false, false) => ' ',
    };
    Some((0..whole).step_by(2).map(|y| (0..whole).map(|x| block(x, y)).collect()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_blocks_are_the_modules_two_rows_to_a_line() {
        let url = "https://creel.example.com/hooks/stripe";
        let lines = qr(url).unwrap();
        let code = QrCode::with_error_correction_level(url, EcLevel::L).unwrap();
        let side = code.width();
        assert_eq!(lines.len(), (side + 2 * QUIET).div_ceil(2));
        for (y, line) in lines.iter().enumerate() {
            let blocks: Vec<char> = line.chars().collect();
            assert_eq!(blocks.len(), side + 2 * QUIET);
            for (x, block) in blocks.iter().enumerate() {
                for (half, filled) in [(0, "█▀"), (1, "█▄")] {
                    let at = |place: usize| place.checked_sub(QUIET).filter(|place| *place < side);
                    let dark = at(x).zip(at(2 * y + half)).is_some_and(|at| code[at] == Color::Dark);
                    assert_eq!(filled.contains(*block), dark, "{x}, {}", 2 * y + half);
                }
            }
        }
        // The three finders: a ring of seven modules around a square of three.
        assert!(lines[QUIET / 2].starts_with("  █▀▀▀▀▀█ "), "{}", lines[QUIET / 2]);
    }

    #[test]
    fn what_is_too_long_for_a_code_has_none() {
        assert!(qr(&"x".repeat(2_953)).is_some());
        assert!(qr(&"x".repeat(2_954)).is_none());
    }
}
