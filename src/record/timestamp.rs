//! Moments, to the millisecond.

use std::{fmt, time::Duration};

/// A moment: milliseconds since 1970 in UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From Unix milliseconds.
    pub fn from_unix_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// From Unix seconds.
    pub fn from_unix_s(s: i64) -> Self {
        Self(s.saturating_mul(1000))
    }

    /// From RFC 3339 text, with any offset and any fraction.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        text.trim().parse::<jiff::Timestamp>().ok().map(|t| Self(t.as_millisecond()))
    }

    /// From the date of HTTP: `Thu, 25 Feb 2021 15:02:10 GMT` (RFC 9110, section 5.6.7).
    pub fn from_http_date(text: &str) -> Option<Self> {
        let date = jiff::fmt::rfc2822::parse(text).ok()?;
        Some(Self(date.timestamp().as_millisecond()))
    }

    /// The date of HTTP, to the second.
    pub fn http_date(self) -> String {
        let printer = jiff::fmt::rfc2822::DateTimePrinter::new();
        let moment = jiff::Timestamp::from_millisecond(self.0).unwrap_or_default();
        printer.timestamp_to_rfc9110_string(&moment).unwrap_or_default()
    }

    /// Unix milliseconds.
    pub fn unix_ms(self) -> i64 {
        self.0
    }

    /// Unix seconds, rounded down.
    pub fn unix_s(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Milliseconds from `earlier` to this moment; negative where it is later.
    pub fn since_ms(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The moment so long before this one.
    #[must_use]
    pub fn before(self, time: Duration) -> Self {
        Self(self.0.saturating_sub(whole_ms(time)))
    }

    /// The moment so long after this one.
    #[must_use]
    pub fn after(self, time: Duration) -> Self {
        Self(self.0.saturating_add(whole_ms(time)))
    }

    /// The wall clock there, `09:05:00`.
    pub fn clock(self, zone: &Zone) -> String {
        self.format(zone, "%H:%M:%S")
    }

    /// Date and wall clock there, `2026-11-23 09:05:00.123`.
    pub fn date_and_clock(self, zone: &Zone) -> String {
        self.format(zone, "%Y-%m-%d %H:%M:%S%.3f")
    }

    fn format(self, zone: &Zone, format: &str) -> String {
        jiff::Timestamp::from_millisecond(self.0)
            .map_or_else(|_| self.0.to_string(), |t| t.to_zoned(zone.0.clone()).strftime(format).to_string())
    }
}

/// A time in whole milliseconds; one of millions of years is as long as can be told.
pub fn whole_ms(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// RFC 3339 in UTC to the millisecond: `2026-11-23T09:05:00.123Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(moment) => write!(f, "{moment:.3}"),
            Err(_) => write!(f, "{}", self.0),
        }
    }
}

/// The time zone in which moments are shown to a person.
#[derive(Clone, Debug)]
pub struct Zone(jiff::tz::TimeZone);

impl Zone {
    /// UTC.
    pub fn utc() -> Self {
        Self(jiff::tz::TimeZone::UTC)
    }

    /// The zone that the caller found on the machine.
    pub fn from_jiff(zone: jiff::tz::TimeZone) -> Self {
        Self(zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_and_read_in_rfc_3339() {
        let moment = Timestamp::from_unix_ms(1_795_424_700_123);
        assert_eq!(moment.to_string(), "2026-11-23T09:05:00.123Z");
        assert_eq!(Timestamp::from_rfc3339("2026-11-23T10:05:00.123456+01:00"), Some(moment));
        assert_eq!(moment.clock(&Zone::utc()), "09:05:00");
        assert_eq!(moment.date_and_clock(&Zone::utc()), "2026-11-23 09:05:00.123");
        assert_eq!(Timestamp::from_rfc3339("yesterday"), None);
    }

    #[test]
    fn no_time_is_too_long_to_go_back_or_on() {
        let moment = Timestamp::from_unix_ms(1_000);
        let day = Duration::from_secs(86_400);
        assert_eq!((moment.after(day).unix_ms(), moment.before(day).unix_ms()), (86_401_000, -86_399_000));
        assert_eq!(moment.after(Duration::MAX), Timestamp::from_unix_ms(i64::MAX));
        assert!(moment.before(Duration::MAX) < Timestamp::default());
    }

    #[test]
    fn no_moment_panics() {
        for ms in [i64::MIN, -1, 0, i64::MAX] {
            assert!(!Timestamp::from_unix_ms(ms).to_string().is_empty());
            assert!(!Timestamp::from_unix_ms(ms).clock(&Zone::utc()).is_empty());
        }
    }
}
