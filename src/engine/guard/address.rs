//! Who a request comes from: the other end of the connection, or whom a trusted proxy names.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::record::{Head, Headers};

/// How many steps of a forwarding chain are looked at.
const STEPS: usize = 32;

/// A list of networks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Reads addresses (`192.0.2.1`) and networks (`192.0.2.0/24`); the error is the first that is neither.
    pub fn read<'a>(list: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        list.into_iter().map(|text| network(text).ok_or_else(|| text.to_owned())).collect::<Result<_, _>>().map(Self)
    }

    /// Whether none is named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an address is in one of them.
    pub fn hold(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// With those of another list.
    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

/// A network; an address is one of itself alone, and an IPv4 address in the clothes of IPv6 (RFC 4291, section 2.5.5.2)
/// is an IPv4 address.
fn network(text: &str) -> Option<IpNet> {
    const MAPPED: u8 = 96;
    let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()?;
    match (network.addr().to_canonical(), network.addr()) {
        (canonical @ IpAddr::V4(_), IpAddr::V6(_)) if network.prefix_len() >= MAPPED => {
            IpNet::new(canonical, network.prefix_len() - MAPPED).ok()
        }
        _ => Some(network),
    }
}

/// Who a request comes from. What a head says of that is believed only as far as trusted proxies say it: from the right,
/// the first address that is no trusted proxy's (MDN's and nginx's reading of `X-Forwarded-For`; RFC 7239 of `Forwarded`).
pub fn forwarded(peer: IpAddr, head: &Head, trusted: &Networks) -> IpAddr {
    let mut from = peer.to_canonical();
    if !trusted.hold(from) {
        return from;
    }
    for step in chain(head.headers()).into_iter().rev().take(STEPS) {
        // What is no address ends the chain: whoever wrote it hides the rest.
        let Some(address) = step else { break };
        from = address;
        if !trusted.hold(from) {
            break;
        }
    }
    from
}

/// The addresses that a request is said to have passed, the farthest first.
fn chain(headers: &Headers) -> Vec<Option<IpAddr>> {
    let values = |name| headers.get_all(name).filter_map(|value| std::str::from_utf8(value).ok()).collect::<Vec<_>>();
    let plain = values("x-forwarded-for");
    if !plain.is_empty() {
        return plain.iter().flat_map(|value| value.split(',')).map(address).collect();
    }
    let steps = values("forwarded");
    steps.iter().flat_map(|value| value.split(',')).map(|step| address(of(step)?)).collect()
}

/// The `for` of a step of `Forwarded`.
fn of(step: &str) -> Option<&str> {
    step.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(value)
    })
}

/// An address as proxies write it: with or without a port, brackets, quotes.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let bare = match text.strip_prefix('[') {
        Some(rest) => rest.split(']').next()?,
        None if text.matches(':').count() == 1 => text.split(':').next()?,
        None => text,
    };
    bare.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let trusted = Networks::read(["127.0.0.1", "10.0.0.0/8"]).unwrap();
        for (peer, lines, from) in [
            ("192.0.2.9", "X-Forwarded-For: 1.1.1.1", "192.0.2.9"),
            ("127.0.0.1", "", "127.0.0.1"),
            ("127.0.0.1", "X-Forwarded-For: 1.1.1.1", "1.1.1.1"),
            ("::ffff:127.0.0.1", "X-Forwarded-For: 1.1.1.1", "1.1.1.1"),
            ("127.0.0.1", "X-Forwarded-For: 6.6.6.6, 1.1.1.1", "1.1.1.1"),
            ("127.0.0.1", "X-Forwarded-For: 6.6.6.6, 1.1.1.1, 10.2.3.4", "1.1.1.1"),
            ("127.0.0.1", "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 1.1.1.1:80", "1.1.1.1"),
            ("127.0.0.1", "X-Forwarded-For: 1.1.1.1, rubbish", "127.0.0.1"),
            ("127.0.0.1", "X-Forwarded-For: 10.1.1.1", "10.1.1.1"),
            ("127.0.0.1", "Forwarded: for=6.6.6.6, For=\"[2001:db8::1]:99\";proto=https", "2001:db8::1"),
            ("127.0.0.1", "Forwarded: proto=https", "127.0.0.1"),
            ("127.0.0.1", "X-Forwarded-For: [::ffff:1.1.1.1]", "1.1.1.1"),
        ] {
            let head = Head::parse(Bytes::from(format!("GET / HTTP/1.1\r\n{lines}\r\n\r\n")));
            let found = forwarded(peer.parse().unwrap(), &head, &trusted);
            assert_eq!(found.to_string(), from, "{peer} {lines}");
        }
    }

    #[test]
    fn what_is_no_network_is_named() {
        for text in ["10.0.0.0/33", "10.0.0", "github.example", ""] {
            assert_eq!(Networks::read(["10.0.0.1", text]), Err(text.to_owned()));
        }
    }
}
