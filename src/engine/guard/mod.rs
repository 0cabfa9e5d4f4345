//! Who may come in by an endpoint: looked at by the head alone, before the body is read. What is turned away is counted
//! and listed (`creel refused`), never dropped silently.
//!
//! `address` (who a request comes from, and in which networks that is), `rate` (how often). An endpoint without a guard
//! costs a request one branch.

mod address;
mod rate;

use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

pub use address::{Networks, forwarded};
pub use rate::{Buckets, Rate};

use crate::{
    record::{Head, mask::KEY_IN_QUERY, pairs},
    verify::Secret,
    wire::{Entry, Shut},
};

/// What an endpoint asks of those who send to it.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    /// Methods that may come; none named: all.
    pub methods: Vec<String>,
    /// Ways to show that one may come in; one of them is enough. None named: nobody is asked.
    pub keys: Vec<Key>,
    /// Networks that may come; none named: all.
    pub allow: Networks,
    /// Networks that may not.
    pub deny: Networks,
    /// How many requests all together may send, of those that may come in.
    pub rate: Option<Buckets<()>>,
    /// How many each address may send.
    pub rate_per_address: Option<Buckets<IpAddr>>,
    /// The largest body, in bytes.
    pub body_bytes: Option<usize>,
}

/// Something that lets in.
#[derive(Clone, Debug)]
pub enum Key {
    /// `Authorization: Bearer TOKEN`, or `?token=TOKEN` for senders that can set no header.
    Token(Secret),
    /// A name and a password by the Basic scheme (RFC 7617): both, as they are sent.
    Basic(Secret),
    /// A header and its value.
    Header(String, Secret),
}

impl Guard {
    /// The same, where what the one before has counted by a rate that it has, too, goes on.
    pub(in crate::engine) fn after(&self, before: &Self) -> Self {
        let rate = self.rate.as_ref().map(|rate| rate.after(before.rate.as_ref()));
        let each = self.rate_per_address.as_ref();
        let rate_per_address = each.map(|rate| rate.after(before.rate_per_address.as_ref()));
        Self { rate, rate_per_address, ..self.clone() }
    }

    /// What it says to a head from that address; of several, each must be let in.
    pub fn entry(&self, from: &[IpAddr], head: &Head, now: Instant) -> Entry {
        match self.objection(from, head, now) {
            Some(shut) => Entry::Shut(shut),
            None => Entry::Open(self.body_bytes),
        }
    }

    fn objection(&self, from: &[IpAddr], head: &Head, now: Instant) -> Option<Shut> {
        // An address may try few keys a minute; and who may not come in uses up nothing of what all share.
        let mut each = from.iter().copied();
        each.clone()
            .find_map(|from| self.wrong_address(from))
            .or_else(|| each.find_map(|from| self.sends_too_often(from, now)))
            .or_else(|| self.wrong_method(head))
            .or_else(|| self.no_key(head))
            .or_else(|| self.too_many(now))
    }

    fn wrong_address(&self, from: IpAddr) -> Option<Shut> {
        if self.deny.hold(from) {
            return Some(shut(403, format!("the address {from} is denied")));
        }
        let is_stranger = !self.allow.is_empty() && !self.allow.hold(from);
        is_stranger.then(|| shut(403, format!("the address {from} is not among the allowed ones")))
    }

    fn sends_too_often(&self, from: IpAddr, now: Instant) -> Option<Shut> {
        let wait = self.rate_per_address.as_ref()?.take(from, now)?;
        Some(later(wait, format!("the address {from} sends too often")))
    }

    fn too_many(&self, now: Instant) -> Option<Shut> {
        let wait = self.rate.as_ref()?.take((), now)?;
        Some(later(wait, "too many requests for this endpoint".to_owned()))
    }

    fn wrong_method(&self, head: &Head) -> Option<Shut> {
        let method = head.method();
        let is_known = self.methods.is_empty() || self.methods.iter().any(|known| *known == method);
        (!is_known).then(|| {
            let allow = ("Allow".to_owned(), self.methods.join(", "));
            Shut { headers: vec![allow], ..shut(405, "this method is not among the allowed ones".to_owned()) }
        })
    }

    fn no_key(&self, head: &Head) -> Option<Shut> {
        if self.keys.is_empty() {
            return None;
        }
        let shown: Vec<_> = self.keys.iter().flat_map(|key| key.shown(head)).flatten().collect();
        if shown.contains(&true) {
            return None;
        }
        let reason = if shown.is_empty() { "no key was shown" } else { "the key that was shown is wrong" };
        let asks = self.keys.iter().filter_map(Key::challenge);
        let headers = asks.map(|scheme| ("WWW-Authenticate".to_owned(), scheme.to_owned())).collect();
        Some(Shut { headers, ..shut(401, reason.to_owned()) })
    }
}

fn shut(status: u16, reason: String) -> Shut {
    Shut { status, reason, headers: Vec::new() }
}

/// Told to come again, after that time in whole seconds.
fn later(wait: Duration, reason: String) -> Shut {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let header = ("Retry-After".to_owned(), seconds.max(1).to_string());
    Shut { headers: vec![header], ..shut(429, reason) }
}

impl Key {
    /// For each place where it may stand, whether the right one is shown there; none where none is shown at all. Each place
    /// is looked at, since a sender's own `Authorization` may be for somebody behind creel; but of a place the first
    /// value alone, so that one request is no hundred guesses.
    fn shown(&self, head: &Head) -> [Option<bool>; 2] {
        match self {
            Self::Header(name, secret) => [head.headers().get(name).map(|value| secret.is(value)), None],
            Self::Basic(secret) => [authorization(head, "basic").map(|sent| secret.is_in_base64(sent)), None],
            Self::Token(secret) => {
                let in_query = head
                    .query()
                    .and_then(|query| pairs::value(query.as_bytes(), KEY_IN_QUERY).map(|sent| secret.is(&sent)));
                [authorization(head, "bearer").map(|sent| secret.is(sent)), in_query]
            }
        }
    }

    /// What is said to who shows none (RFC 9110, section 11.6.1).
    fn challenge(&self) -> Option<&'static str> {
        match self {
            Self::Token(_) => Some("Bearer realm=\"creel\""),
            Self::Basic(_) => Some("Basic realm=\"creel\", charset=\"UTF-8\""),
            Self::Header(..) => None,
        }
    }
}

/// What stands behind a scheme in `Authorization`, in the first line of that scheme.
fn authorization<'a>(head: &'a Head, scheme: &str) -> Option<&'a [u8]> {
    head.headers().get_all("authorization").find_map(|value| {
        let (name, rest) = value.split_at_checked(scheme.len())?;
        (name.eq_ignore_ascii_case(scheme.as_bytes()) && rest.first() == Some(&b' ')).then(|| rest.trim_ascii())
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn head(lines: &str) -> Head {
        Head::parse(Bytes::from(format!("{lines}\r\n\r\n")))
    }

    fn status(guard: &Guard, lines: &str) -> Option<u16> {
        match guard.entry(&["10.1.2.3".parse().unwrap()], &head(lines), Instant::now()) {
            Entry::Open(_) => None,
            Entry::Shut(shut) => Some(shut.status),
        }
    }

    #[test]
    fn one_right_key_is_enough_and_no_wrong_one_is() {
        let secret = |text: &str| Secret::new(text.as_bytes());
        let keys = vec![
            Key::Token(secret("t0ken")),
            Key::Basic(secret("user:pass")),
            Key::Header("X-Key".to_owned(), secret("k")),
        ];
        let guard = Guard { keys, ..Guard::default() };
        for (lines, expected) in [
            ("GET / HTTP/1.1\r\nAuthorization: Bearer t0ken", None),
            ("GET / HTTP/1.1\r\nauthorization: BEARER  t0ken", None),
            ("GET /?token=t0ken HTTP/1.1", None),
            ("GET / HTTP/1.1\r\nAuthorization: Basic dXNlcjpwYXNz", None),
            ("GET / HTTP/1.1\r\nX-Key: k", None),
            ("GET / HTTP/1.1\r\nAuthorization: Bearer wrong\r\nX-Key: k", None),
            ("GET /?token=t0ken HTTP/1.1\r\nAuthorization: Bearer wrong", None),
            ("GET /?token=wrong HTTP/1.1\r\nAuthorization: Bearer t0ken", None),
            ("GET / HTTP/1.1\r\nAuthorization: Basic eDp5\r\nAuthorization: Bearer t0ken", None),
            ("GET /?token=wrong HTTP/1.1\r\nAuthorization: Bearer wrong", Some(401)),
            ("GET /?token=wrong&token=t0ken HTTP/1.1", Some(401)),
            ("GET / HTTP/1.1", Some(401)),
            ("GET /?token= HTTP/1.1", Some(401)),
            ("GET / HTTP/1.1\r\nAuthorization: Bearer t0ke", Some(401)),
            ("GET / HTTP/1.1\r\nAuthorization: Bearer", Some(401)),
            ("GET / HTTP/1.1\r\nAuthorization: Basic %%%", Some(401)),
            ("GET / HTTP/1.1\r\nAuthorization: Basic dXNlcjp4", Some(401)),
            ("GET / HTTP/1.1\r\nX-Key: K", Some(401)),
            ("GET / HTTP/1.1\r\nX-Key:", Some(401)),
        ] {
            assert_eq!(status(&guard, lines), expected, "{lines}");
        }
    }

    #[test]
    fn networks_and_methods_are_held_to() {
        let networks = |list: &[&str]| Networks::read(list.iter().copied()).unwrap();
        let guard = Guard { methods: vec!["POST".to_owned()], ..Guard::default() };
        assert_eq!([status(&guard, "POST / HTTP/1.1"), status(&guard, "GET / HTTP/1.1")], [None, Some(405)]);
        for (allow, deny, expected) in [
            (&["10.0.0.0/8"][..], &[][..], None),
            (&["10.1.2.3"], &[], None),
            (&["11.0.0.0/8"], &[], Some(403)),
            (&["::ffff:10.0.0.0/104"], &[], None),
            (&["10.0.0.0/8"], &["10.1.0.0/16"], Some(403)),
            (&[], &["10.1.2.3"], Some(403)),
            (&[], &["::/0"], None),
        ] {
            let guard = Guard { allow: networks(allow), deny: networks(deny), ..Guard::default() };
            assert_eq!(status(&guard, "GET / HTTP/1.1"), expected, "{allow:?} {deny:?}");
        }
    }
}
