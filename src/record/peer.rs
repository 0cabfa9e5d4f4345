//! Who a request came from, as one text: the other end of the connection; where that is a proxy that is believed, whom it
//! speaks for stands before it.

/// Between those whom a proxy speaks for and the proxy.
const VIA: &str = " via ";
/// Between two of whom one is the sender, and nobody can see which.
const OR: &str = " or ";

/// Who sent something, and by which end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer<'a> {
    /// The addresses of those whom the other end speaks for; none where it speaks for itself.
    pub forwarded_for: Vec<&'a str>,
    /// The other end of the connection, `ADDR:PORT`.
    pub end: &'a str,
}

impl<'a> Peer<'a> {
    /// As it is written in one text: `203.0.113.9 via 127.0.0.1:50712`.
    pub fn of(text: &'a str) -> Self {
        match text.rsplit_once(VIA) {
            Some((senders, end)) => Self { forwarded_for: senders.split(OR).collect(), end },
            None => Self { forwarded_for: Vec::new(), end: text },
        }
    }

    /// The sender's address without a port, as far as it is known.
    pub fn address(&self) -> &'a str {
        let end = || self.end.rsplit_once(':').map_or(self.end, |(address, _)| address);
        self.forwarded_for.first().copied().unwrap_or_else(end)
    }
}

impl std::fmt::Display for Peer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.forwarded_for.is_empty() {
            write!(f, "{}{VIA}", self.forwarded_for.join(OR))?;
        }
        f.write_str(self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_read_as_it_is_written() {
        for (text, forwarded_for, end, address) in [
            ("127.0.0.1:5", &[][..], "127.0.0.1:5", "127.0.0.1"),
            ("203.0.113.9 via 127.0.0.1:5", &["203.0.113.9"], "127.0.0.1:5", "203.0.113.9"),
            ("2001:db8::1 or ::1 via [::1]:5", &["2001:db8::1", "::1"], "[::1]:5", "2001:db8::1"),
            ("", &[], "", ""),
        ] {
            let peer = Peer::of(text);
            assert_eq!(peer, Peer { forwarded_for: forwarded_for.to_vec(), end });
            assert_eq!((peer.address(), peer.to_string()), (address, text.to_owned()));
        }
    }
}
