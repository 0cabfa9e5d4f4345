//! How moments are written in a request, and how old one may be.

use serde::Deserialize;

use crate::record::Timestamp;

/// How a moment is written.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) enum Unit {
    /// Unix seconds.
    #[default]
    #[serde(rename = "s")]
    Seconds,
    /// Unix milliseconds.
    #[serde(rename = "ms")]
    Milliseconds,
    /// RFC 3339 text, with any offset and fraction.
    #[serde(rename = "rfc3339")]
    Rfc3339,
    /// The same, where a zone may be missing: it is UTC then.
    #[serde(rename = "utc")]
    Utc,
    /// The date of HTTP (RFC 9110, section 5.6.7).
    #[serde(rename = "http-date")]
    HttpDate,
}

/// On which side of now a moment may lie.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Window {
    /// Not too old and not too far in the future.
    #[default]
    Both,
    /// Not too old; the future is let pass.
    Past,
}

/// How old a timestamp may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tolerance {
    /// In seconds.
    pub(super) seconds: i64,
    /// On which sides.
    pub(super) window: Window,
}

impl Unit {
    /// What it is, for eyes.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Seconds => "Unix seconds",
            Self::Milliseconds => "Unix milliseconds",
            Self::Rfc3339 => "RFC 3339",
            Self::Utc => "RFC 3339, in UTC",
            Self::HttpDate => "an HTTP date",
        }
    }

    /// Reads a moment. Numbers are digits only: no sign, no fraction, no space.
    pub(super) fn read(self, text: &[u8]) -> Option<Timestamp> {
        match self {
            Self::Seconds => digits(text).map(Timestamp::from_unix_s),
            Self::Milliseconds => digits(text).map(Timestamp::from_unix_ms),
            Self::Rfc3339 => std::str::from_utf8(text).ok().and_then(Timestamp::from_rfc3339),
            Self::Utc => std::str::from_utf8(text).ok().and_then(|text| {
                Timestamp::from_rfc3339(text).or_else(|| Timestamp::from_rfc3339(&format!("{text}Z")))
            }),
            Self::HttpDate => std::str::from_utf8(text).ok().and_then(Timestamp::from_http_date),
        }
    }

    /// Writes a moment.
    pub(super) fn write(self, moment: Timestamp) -> String {
        match self {
            Self::Seconds => moment.unix_s().to_string(),
            Self::Milliseconds => moment.unix_ms().to_string(),
            Self::Rfc3339 | Self::Utc => moment.to_string(),
            Self::HttpDate => moment.http_date(),
        }
    }
}

impl Tolerance {
    /// Whether an age in seconds is let pass.
    pub(super) fn allows(self, age_s: i64) -> bool {
        let too_old = age_s > self.seconds;
        let too_new = matches!(self.window, Window::Both) && age_s < -self.seconds;
        !too_old && !too_new
    }
}

/// The whole seconds from a moment to another, rounded down; negative where it lies after.
pub(super) fn age_s(of: Timestamp, at: Timestamp) -> i64 {
    at.since_ms(of).div_euclid(1000)
}

fn digits(text: &[u8]) -> Option<i64> {
    let only_digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    only_digits.then(|| std::str::from_utf8(text).ok()?.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_in_each_unit() {
        let moment = Timestamp::from_unix_s(1_614_265_330);
        assert_eq!(Unit::Seconds.read(b"1614265330"), Some(moment));
        assert_eq!(Unit::Milliseconds.read(b"1614265330000"), Some(moment));
        assert_eq!(Unit::Rfc3339.read(b"2021-02-25T16:02:10+01:00"), Some(moment));
        assert_eq!(Unit::Utc.read(b"2021-02-25T16:02:10+01:00"), Some(moment));
        assert_eq!(Unit::Utc.read(b"2021-02-25T15:02:10.000"), Some(moment));
        assert_eq!(Unit::Rfc3339.read(b"2021-02-25T15:02:10"), None, "its zone is not known");
        assert_eq!(Unit::HttpDate.read(b"Thu, 25 Feb 2021 15:02:10 GMT"), Some(moment));
        for unit in [Unit::Seconds, Unit::Milliseconds, Unit::Rfc3339, Unit::Utc, Unit::HttpDate] {
            assert_eq!(unit.read(unit.write(moment).as_bytes()), Some(moment), "{}", unit.name());
            for rubbish in [&b""[..], b"+1", b"-1", b"1.5", b" 1", b"99999999999999999999", b"\xff"] {
                assert_eq!(unit.read(rubbish), None);
            }
        }
    }

    #[test]
    fn the_window_is_closed_at_its_ends() {
        let both = Tolerance { seconds: 300, window: Window::Both };
        let past = Tolerance { seconds: 300, window: Window::Past };
        for (age, in_both, in_past) in [(300, true, true), (301, false, false), (-300, true, true), (-301, false, true)]
        {
            assert_eq!((both.allows(age), past.allows(age)), (in_both, in_past), "{age}");
        }
        let (early, late) = (Timestamp::from_unix_ms(1_000), Timestamp::from_unix_ms(2_999));
        assert_eq!((age_s(early, late), age_s(late, early)), (1, -2));
    }
}
