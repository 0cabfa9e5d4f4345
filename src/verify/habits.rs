//! How a provider delivers: how long it waits, what it takes for success, when it tries again.

use super::{file::DeliveryTable, provider::Wrong};

/// What is known of how a provider delivers; from its own page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Habits {
    /// How long it waits for the answer, in milliseconds.
    pub timeout_ms: Option<u32>,
    /// The statuses that it takes for success, from and to.
    pub success: Vec<(u16, u16)>,
    /// The gaps between its tries, in seconds; none: it is not known; empty: it does not try again.
    pub retries: Option<Vec<u32>>,
    /// What the gaps do not say.
    pub about: Option<String>,
    /// What else it sends that receivers ask for, for samples.
    pub headers: Vec<(String, String)>,
    /// Its own page about that, where it is another than that about signatures.
    pub docs: Option<String>,
}

impl Habits {
    /// Whether the provider takes a status for success. Where nothing is known, 200 to 299 is.
    pub fn is_success(&self, status: u16) -> bool {
        if self.success.is_empty() {
            return (200..300).contains(&status);
        }
        self.success.iter().any(|(from, to)| (*from..=*to).contains(&status))
    }

    pub(super) fn build(table: DeliveryTable) -> Result<Self, Wrong> {
        let success = table.success.iter().map(|text| {
            statuses(text.get_ref()).ok_or_else(|| Wrong::with(text, "is no status; write 200, 2xx or 200-204"))
        });
        let retries = table.retries.map(|retries| {
            let gaps = retries.iter().map(|text| {
                seconds(text.get_ref()).ok_or_else(|| Wrong::with(text, "is no time; write 30s, 5m, 2h or 1d"))
            });
            gaps.collect::<Result<Vec<_>, _>>()
        });
        let timeout_ms = table.timeout.map(|seconds| (seconds * 1_000.0).clamp(1.0, 3.6e6) as u32);
        Ok(Self {
            timeout_ms,
            success: success.collect::<Result<_, _>>()?,
            retries: retries.transpose()?,
            about: table.about,
            headers: table.headers,
            docs: table.docs,
        })
    }

    /// The habits in words, a fact each.
    pub(super) fn facts(&self) -> [(&'static str, String); 4] {
        let statuses: Vec<_> = self.success.iter().map(|&range| shown(range)).collect();
        let about = self.about.clone().unwrap_or_default();
        let retries = match self.retries.as_deref() {
            None => about,
            Some([]) => ["never by itself", &about].join(if about.is_empty() { "" } else { "; " }),
            Some(gaps) => {
                let gaps: Vec<_> = gaps.iter().map(|gap| span(*gap)).collect();
                let sep = if about.is_empty() { "" } else { "; " };
                format!("after {}{sep}{about}", gaps.join(", "))
            }
        };
        [
            (
                "waits",
                self.timeout_ms.map_or(String::new(), |ms| format!("{} s for the answer", f64::from(ms) / 1_000.0)),
            ),
            ("success", statuses.join(", ")),
            ("tries again", retries),
            ("delivery docs", self.docs.clone().unwrap_or_default()),
        ]
    }
}

fn shown((from, to): (u16, u16)) -> String {
    match (from, to) {
        (from, to) if from == to => from.to_string(),
        (from, to) if from % 100 == 0 && to == from + 99 => format!("{}xx", from / 100),
        (from, to) => format!("{from}-{to}"),
    }
}

fn statuses(text: &str) -> Option<(u16, u16)> {
    let status = |text: &str| text.parse().ok().filter(|status| (100..600).contains(status));
    if let Some(class) = text.strip_suffix("xx") {
        let class: u16 = class.parse().ok().filter(|class| (1..6).contains(class))?;
        return Some((class * 100, class * 100 + 99));
    }
    match text.split_once('-') {
        Some((from, to)) => Some((status(from)?, status(to)?)).filter(|(from, to)| from <= to),
        None => status(text).map(|status| (status, status)),
    }
}

/// Seconds of a time as it is written: `30s`, `5m`, `2h`, `1d`.
fn seconds(text: &str) -> Option<u32> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    number.parse::<u32>().ok()?.checked_mul(unit)
}

/// Seconds in the unit that fits them.
pub(super) fn span(seconds: u32) -> String {
    match seconds {
        s if s > 0 && s % 86_400 == 0 => format!("{} d", s / 86_400),
        s if s > 0 && s % 3_600 == 0 => format!("{} h", s / 3_600),
        s if s > 0 && s % 60 == 0 => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_and_times_are_read() {
        for (text, range) in [("200", Some((200, 200))), ("2xx", Some((200, 299))), ("200-204", Some((200, 204)))] {
            assert_eq!(statuses(text), range);
        }
        for text in ["", "2x", "9xx", "204-200", "abc", "999"] {
            assert_eq!(statuses(text), None, "{text}");
        }
        for (text, read) in [("30s", Some(30)), ("5m", Some(300)), ("2h", Some(7_200)), ("1d", Some(86_400))] {
            assert_eq!(seconds(text), read);
        }
        for text in ["", "s", "5", "5 m", "é", "99999999d"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_success_is_the_provider_s_to_say() {
        assert!(Habits::default().is_success(204) && !Habits::default().is_success(302));
        let only = Habits { success: vec![(200, 200)], ..Habits::default() };
        assert!(only.is_success(200) && !only.is_success(204));
    }
}
