//! Numbers of things, for eyes: the one place that knows when a word has an `s`.

/// So many of something, by its name for one of them: `1 byte`, `1,284 bytes`, `2 tries`.
pub fn counted(number: u64, one: &str) -> String {
    let words = thousands(number);
    match one.strip_suffix('y') {
        _ if number == 1 => format!("{words} {one}"),
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{words} {stem}ies"),
        _ => format!("{words} {one}s"),
    }
}

/// A number with commas: `1,284`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group)).collect();
    groups.join(",")
}

/// A rate as a person reads it: `12/s`, `3/min`, `5/h`, `2/d`.
pub fn rate(per_second: f64) -> String {
    match per_second {
        r if r >= 9.5 => format!("{r:.0}/s"),
        r if r >= 0.95 => format!("{r:.1}/s"),
        r if r * 60.0 >= 0.95 => format!("{:.0}/min", r * 60.0),
        r if r * 3_600.0 >= 0.95 => format!("{:.0}/h", r * 3_600.0),
        r if r * 86_400.0 >= 0.95 => format!("{:.0}/d", r * 86_400.0),
        r if r > 0.0 => "<1/d".to_owned(),
        _ => "0/s".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_one_and_more_have_the_ending_of_their_word() {
        for (number, one, words) in [
            (0, "byte", "0 bytes"),
            (1, "byte", "1 byte"),
            (2, "line", "2 lines"),
            (1, "delivery", "1 delivery"),
            (1_284, "delivery", "1,284 deliveries"),
            (3, "key", "3 keys"),
        ] {
            assert_eq!(counted(number, one), words);
        }
    }

    #[test]
    fn numbers_have_commas() {
        for (number, text) in [(0, "0"), (999, "999"), (1_284, "1,284"), (1_000_000, "1,000,000")] {
            assert_eq!(thousands(number), text);
        }
    }

    #[test]
    fn rates_are_told_in_the_unit_that_fits() {
        for (rate_s, words) in [
            (5_000.0, "5000/s"),
            (1.5, "1.5/s"),
            (0.05, "3/min"),
            (0.001, "4/h"),
            (0.000_05, "4/d"),
            (0.000_001, "<1/d"),
            (0.0, "0/s"),
        ] {
            assert_eq!(rate(rate_s), words);
        }
    }
}
