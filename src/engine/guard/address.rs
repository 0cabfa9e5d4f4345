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
///
/// A proxy that writes one of the two headers passes the other on as its sender wrote it, and which one is the proxy's own
/// nobody can see. Where they differ there are two addresses, and each of them must be let in.
pub fn forwarded(peer: IpAddr, head: &Head, trusted: &Networks) -> Vec<IpAddr> {
    let peer = peer.to_canonical();
    if !trusted.hold(peer) {
        return vec![peer];
    }
    let mut all: Vec<_> = chains(head.headers()).iter().map(|chain| first_stranger(peer, chain, trusted)).collect();
    all.dedup();
    if all.is_empty() { vec![peer] } else { all }
}

/// The first address from the right that is no trusted proxy's.
fn first_stranger(peer: IpAddr, chain: &[Option<IpAddr>], trusted: &Networks) -> IpAddr {
    let mut from = peer;
    for step in chain.iter().rev().take(STEPS) {
        // What is no address ends the chain: whoever wrote it hides the rest.
        let Some(address) = step else { break };
        from = *address;
        if !trusted.hold(from) {
            break;
        }
    }
    from
}

/// The addresses that a request is said to have passed, the farthest first: by each of the headers that is there.
fn chains(headers: &Headers) -> Vec<Vec<Option<IpAddr>>> {
    let steps = |name| {
        let values = headers.get_all(name).filter_map(|value| std::str::from_utf8(value).ok());
        values.flat_map(|value| value.split(',')).collect::<Vec<_>>()
    };
    let plain = steps("x-forwarded-for").into_iter().map(address).collect();
    let named = steps("forwarded").into_iter().map(|step| address(of(step)?)).collect();
    [plain, named].into_iter().filter(|chain: &Vec<_>| !chain.is_empty()).collect()
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
            ("127.0.0.1", "X-Forwarded-For: 1.1.1.1\r\nForwarded: for=1.1.1.1", "1.1.1.1"),
            ("127.0.0.1", "X-Forwarded-For: 6.6.6.6\r\nForwarded: for=1.1.1.1", "6.6.6.6 1.1.1.1"),
            ("127.0.0.1", "X-Forwarded-For: rubbish\r\nForwarded: for=1.1.1.1", "127.0.0.1 1.1.1.1"),
            ("192.0.2.9", "X-Forwarded-For: 6.6.6.6\r\nForwarded: for=1.1.1.1", "192.0.2.9"),
        ] {
            let head = Head::parse(Bytes::from(format!("GET / HTTP/1.1\r\n{lines}\r\n\r\n")));
            let found = forwarded(peer.parse().unwrap(), &head, &trusted);
            let found: Vec<_> = found.iter().map(IpAddr::to_string).collect();
            assert_eq!(found.join(" "), from, "{peer} {lines}");
        }
    }

    #[test]
    fn what_is_no_network_is_named() {
        for text in ["10.0.0.0/33", "10.0.0", "github.example", ""] {
            assert_eq!(Networks::read(["10.0.0.1", text]), Err(text.to_owned()));
        }
    }
}
