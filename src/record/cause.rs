//! Why a delivery got no reply, as a fact beside its words.

/// What kept a reply from coming.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Cause {
    /// Something else, or nobody noted it: deliveries of older stores.
    #[default]
    Other,
    /// It could not be sent at all: no URL that creel sends to, a method that cannot be written, a program that failed.
    Unsendable,
    /// It would have come back to the creel that sends it.
    Ring,
    /// No address was found for the name of the host: there is none, or nobody could be asked.
    NoHost,
    /// No way leads to the host, or none in time: no connection was made within the time that creel waits for one.
    Unreachable,
    /// Nothing listens there.
    Refused,
    /// No whole reply within the time that creel waits.
    TimedOut,
    /// The connection ended before the reply was whole.
    BrokenOff,
    /// What came is not HTTP/1.
    NotHttp,
    /// The head of the reply is larger than creel reads.
    TooLarge,
    /// What came is not TLS.
    NotTls,
    /// Nobody vouches for the certificate.
    Certificate,
    /// Both speak TLS and do not agree.
    Tls,
    /// The connection was made, and nothing of TLS came within the time that creel waits.
    NoTls,
    /// What came is HTTP/1 that breaks its rules.
    BrokenHttp,
}

/// The rows: cause, name in JSON. The row's place is the number in the store, so rows are only ever appended.
const CAUSES: [(Cause, &str); 15] = [
    (Cause::Other, "other"),
    (Cause::Unsendable, "unsendable"),
    (Cause::Ring, "ring"),
    (Cause::NoHost, "no-host"),
    (Cause::Unreachable, "unreachable"),
    (Cause::Refused, "refused"),
    (Cause::TimedOut, "timed-out"),
    (Cause::BrokenOff, "broken-off"),
    (Cause::NotHttp, "not-http"),
    (Cause::TooLarge, "too-large"),
    (Cause::NotTls, "not-tls"),
    (Cause::Certificate, "certificate"),
    (Cause::Tls, "tls"),
    (Cause::NoTls, "no-tls"),
    (Cause::BrokenHttp, "broken-http"),
];

impl Cause {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        CAUSES.iter().map(|row| row.0)
    }

    /// The name in JSON.
    pub fn name(self) -> &'static str {
        CAUSES[self as usize].1
    }

    /// Its number in the store.
    pub fn number(self) -> i64 {
        self as i64
    }

    /// The cause of that number; [`Cause::Other`] where there is none.
    pub fn of_number(number: i64) -> Self {
        usize::try_from(number).ok().and_then(|place| CAUSES.get(place)).map_or_else(Self::default, |row| row.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_found_by_the_number_it_is_kept_under() {
        assert!(Cause::all().enumerate().all(|(place, cause)| cause.number() == place as i64));
        assert!(Cause::all().all(|cause| Cause::of_number(cause.number()) == cause));
        assert_eq!([-1, CAUSES.len() as i64, i64::MAX].map(Cause::of_number), [Cause::Other; 3]);
    }
}
