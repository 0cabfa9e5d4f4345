//! What headers are for, in a few words.

use crate::record::{Capture, Header, Verdict};

/// Headers and what they say. A name that ends with `*` is any that begins so.
const HEADERS: &[(&str, &str)] = &[
    // Tracing.
    ("traceparent", "trace context (W3C): version, trace, parent span, flags"),
    ("tracestate", "trace context (W3C), what the tracing systems keep"),
    ("baggage", "values that travel with the trace (W3C)"),
    ("b3", "trace context of Zipkin"),
    ("x-b3-*", "trace context of Zipkin"),
    ("x-cloud-trace-context", "trace context of Google Cloud"),
    ("x-amzn-trace-id", "trace of Amazon's load balancer"),
    ("x-datadog-*", "trace context of Datadog"),
    ("sentry-trace", "trace context of Sentry"),
    ("x-request-id", "names this request at the sender's or a proxy"),
    ("x-correlation-id", "joins requests that belong together"),
    ("request-id", "names this request at the sender's"),
    // Who sends, and through whom.
    ("forwarded", "who it came from, as a proxy says (RFC 7239)"),
    ("x-forwarded-for", "whom proxies say it came from; the last is the nearest"),
    ("x-forwarded-proto", "the scheme the client used, as a proxy says"),
    ("x-forwarded-host", "the host the client asked for, as a proxy says"),
    ("x-forwarded-port", "the port the client asked for, as a proxy says"),
    ("x-real-ip", "whom the nearest proxy says it came from"),
    ("cf-connecting-ip", "whom Cloudflare says it came from"),
    ("cf-ray", "names this request at Cloudflare"),
    ("fly-client-ip", "whom Fly says it came from"),
    ("ngrok-*", "added by ngrok"),
    ("via", "the proxies it passed"),
    ("user-agent", "the program that sent it, by its own account"),
    ("from", "who runs the program that sent it"),
    // Letting in.
    ("authorization", "lets somebody in"),
    ("proxy-authorization", "lets somebody through a proxy"),
    ("cookie", "a browser's session; odd for a webhook"),
    ("x-api-key", "a key that lets somebody in"),
    // Origins.
    ("origin", "the web page that sent it: a browser did"),
    ("referer", "the web page it was sent from"),
    ("sec-fetch-*", "a browser says how it came to send this"),
    // The message.
    ("content-encoding", "the body is packed; the views unpack it"),
    ("transfer-encoding", "how the body was framed; undone before it is kept"),
    ("idempotency-key", "the same for each try of one event"),
    ("digest", "a hash of the body"),
    ("content-digest", "a hash of the body (RFC 9530)"),
    ("content-md5", "an MD5 of the body"),
    ("signature", "a signature of parts of the message (RFC 9421)"),
    ("signature-input", "what the signature covers (RFC 9421)"),
    ("webhook-id", "names the event, the same for each try (Standard Webhooks)"),
    ("webhook-timestamp", "when it was signed (Standard Webhooks)"),
    ("ce-*", "attribute of a CloudEvent"),
    ("expect", "asks whether to go on before the body is sent"),
];

/// A few words about a header; none where there is nothing to say.
pub(super) fn explained(capture: &Capture, header: Header<'_>) -> Option<String> {
    let place = capture.judgement.evidence.as_ref().map(|evidence| &evidence.place[..]);
    if place.is_some_and(|place| header.is(place)) {
        let words = match capture.judgement.verdict {
            Verdict::Passed => "passed",
            Verdict::Failed => "failed: {tab-4} says why",
            Verdict::Unchecked => "not checked",
            Verdict::Unsigned => "not known",
        };
        return Some(format!("the signature, {words}"));
    }
    if header.is("traceparent")
        && let Some(words) = trace(&header.value_text())
    {
        return Some(words);
    }
    about(&header.name_text().to_ascii_lowercase()).map(str::to_owned)
}

fn about(name: &str) -> Option<&'static str> {
    let is_it = |row: &str| row.strip_suffix('*').map_or(row == name, |start| name.starts_with(start));
    HEADERS.iter().find(|(row, _)| is_it(row)).map(|(_, words)| *words)
}

/// A trace context in words (w3.org/TR/trace-context, section 3.2).
fn trace(value: &str) -> Option<String> {
    let parts: Vec<_> = value.split('-').collect();
    let [_, trace, span, flags] = parts[..] else { return None };
    let is_hex = |text: &str, length| text.len() == length && text.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_hex(trace, 32) || !is_hex(span, 16) || !is_hex(flags, 2) {
        return None;
    }
    let sampled = u8::from_str_radix(flags, 16).is_ok_and(|flags| flags & 1 == 1);
    let kept = if sampled { "recorded" } else { "not recorded" };
    Some(format!("trace context (W3C): trace {}…, span {span}, {kept}", &trace[..8]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_reached_by_its_own_name_and_says_something_short() {
        for (name, words) in HEADERS {
            assert_eq!(about(&name.replace('*', "x")), Some(*words), "{name}: an earlier row takes it");
            assert!(name.to_ascii_lowercase() == *name && words.len() <= 60, "{name}");
        }
        assert_eq!(about("x-own"), None);
    }

    #[test]
    fn a_trace_context_is_read_and_rubbish_is_not() {
        let words = trace("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
        assert_eq!(words, "trace context (W3C): trace 4bf92f35…, span 00f067aa0ba902b7, recorded");
        assert_eq!(trace("00-é-1-2"), None);
    }
}
