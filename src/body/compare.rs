//! In what two requests differ, or two replies: part by part, headers and query by name, the body by what it is.

use std::collections::{BTreeMap, BTreeSet};

use super::{Content, Difference, diff, escape};
use crate::record::{Capture, Headers, Reply, counted, pairs::pairs, text::lossless};

/// A part of a message, and in what it differs from the other's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its name: `request`, `status`, `query`, `headers`, `body`, and `trailers` where there are any.
    pub name: &'static str,
    /// Nothing where the two are the same.
    pub differences: Vec<Difference>,
}

/// In what a request differs from another.
pub fn captures(before: &Capture, after: &Capture) -> Vec<Part> {
    let line = |capture: &Capture| {
        let head = &capture.head;
        [
            ("method", head.method().into_owned()),
            ("path", head.path().into_owned()),
            ("version", head.version().to_string()),
        ]
    };
    let request =
        line(before).into_iter().zip(line(after)).filter_map(|((at, a), (_, b))| changed(at, &a, &b)).collect();
    let query = |capture: &Capture| fields(capture.head.query().unwrap_or_default().as_bytes());
    let content = |capture: &Capture| Content::of(&capture.body.bytes, capture.head.headers());
    let mut parts = vec![
        Part { name: "request", differences: request },
        Part { name: "query", differences: named(&query(before), &query(after)) },
        Part { name: "headers", differences: headers(before.head.headers(), after.head.headers()) },
        Part { name: "body", differences: diff(&content(before), &content(after)) },
    ];
    // Few requests have any.
    if !(before.trailers.is_empty() && after.trailers.is_empty()) {
        parts.push(Part { name: "trailers", differences: headers(&before.trailers, &after.trailers) });
    }
    parts
}

/// In what a reply differs from another: each a status and what came with it. That each has a date of its own says nothing.
pub fn replies((before_status, before): (u16, &Reply), (after_status, after): (u16, &Reply)) -> Vec<Part> {
    let status = changed("status", &before_status.to_string(), &after_status.to_string());
    let content = |reply: &Reply| Content::of(&reply.body, &reply.headers);
    let is_dated = |it: &Difference| it.at == "date" && it.before.is_some() && it.after.is_some();
    let mut headers = headers(&before.headers, &after.headers);
    headers.retain(|it| !is_dated(it));
    vec![
        Part { name: "status", differences: status.into_iter().collect() },
        Part { name: "headers", differences: headers },
        Part { name: "body", differences: diff(&content(before), &content(after)) },
    ]
}

fn changed(at: &str, before: &str, after: &str) -> Option<Difference> {
    let shown = |text: &str| Some(escape(text).into_owned());
    (before != after).then(|| Difference { at: at.to_owned(), before: shown(before), after: shown(after), to: None })
}

/// The values of each name, in their order.
type Named = BTreeMap<String, Vec<String>>;

/// By name, whatever its case.
fn headers(before: &Headers, after: &Headers) -> Vec<Difference> {
    let by_name = |headers: &Headers| {
        let mut all = Named::new();
        for header in headers {
            all.entry(header.name_text().to_lowercase()).or_default().push(header.value_text().into_owned());
        }
        all
    };
    named(&by_name(before), &by_name(after))
}

/// The fields of a query, decoded.
fn fields(query: &[u8]) -> Named {
    let mut all = Named::new();
    for (name, value) in pairs(query) {
        all.entry(lossless(&name).into_owned()).or_default().push(lossless(&value).into_owned());
    }
    all
}

fn named(before: &Named, after: &Named) -> Vec<Difference> {
    let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let joined = |values: &Vec<String>| escape(&values.join(", ")).into_owned();
    // "a, b" and "a", "b" look alike, and some readers hold them to be the same: then it is said how many values there are.
    let numbered = |values: &Vec<String>| format!("{} ({})", joined(values), counted(values.len() as u64, "value"));
    let differ = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    let difference = |name: &String| {
        let (before, after) = (before.get(name), after.get(name));
        let is_alike = before.map(joined) == after.map(joined);
        let of = |values: Option<&Vec<String>>| values.map(|it| if is_alike { numbered(it) } else { joined(it) });
        Difference { at: escape(name).into_owned(), before: of(before), after: of(after), to: None }
    };
    differ.map(difference).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(before: &[u8], after: &[u8]) -> Vec<String> {
        named(&fields(before), &fields(after)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_query_differs_by_the_values_of_its_names() {
        assert_eq!(
            found(b"a=1&b=x%20y&b=2&gone", b"b=x+y&b=3&a=1&new=%1b"),
            ["~ b: x y, 2 → x y, 3", "- gone: ", "+ new: ␛"]
        );
        assert!(found(b"a=1&b=2", b"b=2&a=1").is_empty(), "an order says nothing");
    }

    #[test]
    fn replies_of_two_moments_do_not_differ_for_that() {
        let reply = |headers: &[(&str, &str)]| Reply {
            status: 200,
            headers: headers.iter().copied().collect(),
            body: bytes::Bytes::new(),
            truncated: false,
        };
        let (first, later) = (reply(&[("Date", "Thu, 1"), ("X", "1")]), reply(&[("date", "Thu, 2"), ("X", "2")]));
        let found = |a: &Reply, b: &Reply| {
            let parts = replies((200, a), (200, b));
            parts.iter().flat_map(|part| &part.differences).map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(found(&first, &later), ["~ x: 1 → 2"]);
        assert_eq!(found(&first, &reply(&[("X", "1")])), ["- date: Thu, 1"]);
    }

    #[test]
    fn headers_differ_whatever_their_case() {
        let headers_of = |pairs: &[(&str, &str)]| pairs.iter().copied().collect::<Headers>();
        let before = headers_of(&[("Content-Type", "a"), ("X-One", "1"), ("X-One", "2")]);
        let after = headers_of(&[("content-type", "a"), ("x-one", "1")]);
        let found: Vec<_> = headers(&before, &after).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["~ x-one: 1, 2 → 1"]);
        let joined = headers_of(&[("Content-Type", "a"), ("X-One", "1, 2")]);
        let found: Vec<_> = headers(&before, &joined).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["~ x-one: 1, 2 (2 values) → 1, 2 (1 value)"]);
    }
}
