//! How values are written: sizes, ages, moments.

use crate::record::Timestamp;

/// Text as it is compared: ASCII letters in lower case, all others as they are. SQLite's `lower` does the same.
pub(super) fn lower(text: &str) -> String {
    text.to_ascii_lowercase()
}

/// A whole number, and nothing beside it.
pub(super) fn whole(text: &str) -> Option<i64> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A number, perhaps with `k` or `M` (of 1,024).
pub(super) fn size(text: &str) -> Option<i64> {
    let text = lower(text);
    let text = text.strip_suffix('b').unwrap_or(&text);
    let (digits, unit) = match text.as_bytes().last()? {
        b'k' => (&text[..text.len() - 1], 1 << 10),
        b'm' => (&text[..text.len() - 1], 1 << 20),
        _ => (text, 1),
    };
    scaled(digits, unit)
}

/// A span of time, `90s`, `5m`, `2h`, `7d`, in milliseconds.
pub fn span(text: &str) -> Option<i64> {
    const UNITS: &[(&str, i64)] =
        &[("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000)];
    UNITS.iter().find_map(|(unit, ms)| text.strip_suffix(unit).and_then(|digits| scaled(digits, *ms)))
}

fn scaled(digits: &str, unit: i64) -> Option<i64> {
    let whole =
        digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') && digits.starts_with(|c: char| c.is_ascii_digit());
    if !whole {
        return None;
    }
    match digits.parse::<i64>() {
        Ok(number) => number.checked_mul(unit),
        Err(_) if digits.contains('.') => digits.parse::<f64>().ok().map(|number| (number * unit as f64) as i64),
        Err(_) => None,
    }
}

/// A moment: RFC 3339, without a zone in UTC, or a date alone, in Unix milliseconds.
pub(super) fn moment(text: &str) -> Option<i64> {
    let full = [text.to_owned(), format!("{text}Z"), format!("{text}:00Z"), format!("{text}T00:00:00Z")];
    full.iter().find_map(|text| Timestamp::from_rfc3339(text)).map(Timestamp::unix_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_with_their_units() {
        assert_eq!(
            [size("10"), size("2k"), size("1.5K"), size("1MB"), size("k"), size("-1")],
            [Some(10), Some(2048), Some(1536), Some(1 << 20), None, None]
        );
        assert_eq!(
            [span("90s"), span("5m"), span("1.5h"), span("3"), span("x")],
            [Some(90_000), Some(300_000), Some(5_400_000), None, None]
        );
        assert_eq!(
            [whole("10"), whole("+1"), whole("2k"), whole("1.5"), whole("")],
            [Some(10), None, None, None, None]
        );
        assert_eq!([size("99999999999999999999"), span("999999999999999999w")], [None, None]);
        let noon = moment("2026-11-23T12:00:00Z");
        assert!(noon.is_some());
        assert_eq!(
            [moment("2026-11-23T12:00:00"), moment("2026-11-23T12:00"), moment("2026-11-23T13:00:00+01:00")],
            [noon; 3]
        );
        assert_eq!(moment("2026-11-23"), noon.map(|ms| ms - 43_200_000));
        assert_eq!(moment("yesterday"), None);
    }
}
