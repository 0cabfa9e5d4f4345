//! Sizes for eyes.

use crate::record::counted;

/// A number of bytes in at most five columns: `0`, `812`, `2.1k`, `25M`. Of 1,024.
pub fn size(bytes: u64) -> String {
    const UNITS: &[&str] = &["", "k", "M", "G", "T", "P", "E"];
    let (mut value, mut unit) = (bytes as f64, 0);
    // What would be written as 1000 or more goes to the next unit.
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let decimals = usize::from(unit > 0 && value < 9.95);
    format!("{value:.decimals$}{}", UNITS[unit])
}

/// The same where no column says what it is: `812 bytes`, `2.1k`.
pub fn amount(bytes: u64) -> String {
    if bytes < 1_000 { counted(bytes, "byte") } else { size(bytes) }
}

#[cfg(test)]
mod tests {
    use super::{amount, size};

    #[test]
    fn a_size_is_short() {
        for (bytes, text) in [
            (0, "0"),
            (812, "812"),
            (999, "999"),
            (1000, "1.0k"),
            (2150, "2.1k"),
            (12_000, "12k"),
            (26_214_400, "25M"),
            (u64::MAX, "16E"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn an_amount_is_never_a_bare_number() {
        for (bytes, text) in [(0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (2150, "2.1k")] {
            assert_eq!(amount(bytes), text);
        }
    }
}
