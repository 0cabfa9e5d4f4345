//! Entries of what senders keep themselves, and of the cloud that a request went through.

use serde_json::Value;

use super::{
    Entry,
    entry::{Read, decoded, moment, text},
    parts::{Content, content, form_quoted, header, lines, moment_of, query, request, status, target, unix_ms},
};
use crate::record::{Timestamp, Version};

/// One delivery of GitHub's API: `GET /repos/OWNER/REPO/hooks/ID/deliveries/ID`, and the same of organizations and apps
/// (docs.github.com/en/rest/repos/webhooks). It has the headers as they were sent, with the signature; the payload is taken apart, and
/// written as GitHub writes it: short, its members in their order.
pub(super) fn github(value: &Value) -> Read<Entry> {
    let (sent, payload) = (&value["request"]["headers"], &value["request"]["payload"]);
    if !payload.is_object() {
        let each = "`gh api repos/OWNER/REPO/hooks/ID/deliveries/ID` gives each with it";
        return Err(format!("it has no payload, as in lists: {each}"));
    }
    let lines = lines(sent)?;
    let mut body = content(payload, &lines);
    if header(&lines, "content-type").is_some_and(|kind| kind.starts_with(b"application/x-www-form-urlencoded")) {
        body.bytes = format!("payload={}", form_quoted(&body.bytes)).into_bytes();
    }
    Ok(Entry {
        received_at: Some(moment(value, "delivered_at")?),
        reply_status: status(&value["status_code"]),
        ..request("POST", value["url"].as_str().unwrap_or("/"), Version::Http11, lines, body)?
    })
}

/// An event of Stripe: `stripe events list`, `stripe events retrieve ID`, `stripe listen --format JSON` (docs.stripe.com/api/events).
/// It has no headers, so no signature; it is written in lines, as Stripe writes what it sends.
pub(super) fn stripe(value: &Value) -> Read<Entry> {
    let object = text(value, "object")?;
    if object != "event" && object != "v2.core.event" {
        return Err(format!("its `object` is {object}, and not event"));
    }
    let at = match &value["created"] {
        Value::String(at) => Timestamp::from_rfc3339(at),
        at => at.as_f64().and_then(|seconds| moment_of(seconds * 1000.0)),
    };
    let body = Content::anew(serde_json::to_vec_pretty(value).unwrap_or_default());
    let lines = vec![(b"Content-Type".to_vec(), b"application/json; charset=utf-8".to_vec())];
    Ok(Entry {
        received_at: Some(at.ok_or("its `created` is no time")?),
        ..request("POST", "/", Version::Http11, lines, body)?
    })
}

/// What AWS gives a Lambda function for a request: of API Gateway in both its versions, of a load balancer, of a function's URL
/// (docs.aws.amazon.com: lambda/latest/dg/services-apigateway, services-alb, urls-invocation). The body is there as it came. In the
/// older version a query is taken apart; in the newer one headers of one name are joined.
pub(super) fn aws(value: &Value) -> Read<Entry> {
    let context = &value["requestContext"];
    let body = match (value["body"].as_str(), value["isBase64Encoded"] == true) {
        (None, _) => Content::kept(""),
        (Some(coded), true) => Content::kept(decoded(coded)?),
        (Some(text), false) => Content::kept(text),
    };
    let is_new = value["rawPath"].is_string();
    let (method, target) = if is_new {
        (&context["http"]["method"], new_target(value))
    } else {
        (&value["httpMethod"], old_target(value)?)
    };
    let many = &value["multiValueHeaders"];
    let mut lines = lines(if many.is_object() { many } else { &value["headers"] })?;
    let cookies: Vec<_> = value["cookies"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !cookies.is_empty() {
        lines.push((b"cookie".to_vec(), cookies.join("; ").into_bytes()));
    }
    let protocol = if is_new { &context["http"]["protocol"] } else { &context["protocol"] };
    let version = match protocol.as_str().unwrap_or_default() {
        "HTTP/1.0" => Version::Http10,
        "HTTP/2" | "HTTP/2.0" => Version::Http2,
        _ => Version::Http11,
    };
    let peer = if is_new { &context["http"]["sourceIp"] } else { &context["identity"]["sourceIp"] };
    Ok(Entry {
        received_at: unix_ms(if is_new { &context["timeEpoch"] } else { &context["requestTimeEpoch"] }),
        peer: peer.as_str().map(str::to_owned),
        ..request(method.as_str().ok_or("it has no method")?, &target, version, lines, body)?
    })
}

fn new_target(value: &Value) -> String {
    target(value["rawPath"].as_str().unwrap_or_default(), value["rawQueryString"].as_str().unwrap_or_default())
}

/// With the stage, where one is told apart from the path. A load balancer leaves percent signs in, a gateway does not.
fn old_target(value: &Value) -> Read<String> {
    let whole = value["requestContext"]["path"].as_str();
    let many = &value["multiValueQueryStringParameters"];
    let fields = if many.is_object() { many } else { &value["queryStringParameters"] };
    let written = if value["requestContext"]["elb"].is_object() { as_they_came(fields)? } else { query(fields)? };
    Ok(target(whole.map_or_else(|| text(value, "path"), Ok)?, &written))
}

fn as_they_came(fields: &Value) -> Read<String> {
    let line = |(name, value): (Vec<u8>, Vec<u8>)| [&name[..], b"=", &value].concat();
    let pairs: Vec<_> = lines(fields)?.into_iter().map(line).collect();
    Ok(String::from_utf8_lossy(&pairs.join(&b'&')).into_owned())
}
