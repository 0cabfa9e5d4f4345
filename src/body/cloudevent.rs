//! The view of an event in the form of `CloudEvents` (cloudevents.io, version 1.0): what it says of itself, and its data in the view that fits. In
//! all three modes: structured (one JSON object), binary (`ce-` headers and a body), batch (an array of events).

use std::{collections::BTreeMap, ops::Range};

use base64::Engine;
use bytes::Bytes;

use super::{Content, Document, Line, Role, path::name_of, stack, stack::Stack};
use crate::record::token::{Kind, Members, Tokens};

/// How many events of a batch are opened.
const OPENED: usize = 1_000;
/// How much of a body is looked at to tell an event from other JSON.
const LOOKED_AT: usize = 8_192;
/// Attributes that every event must have, and the known others, in the order they are shown.
const KNOWN: &[&str] = &["type", "source", "id", "specversion", "subject", "time", "datacontenttype", "dataschema"];
const REQUIRED: &[&str] = &["type", "source", "id", "specversion"];

/// What an event says of itself.
type Attributes = BTreeMap<String, String>;

/// Whatever the sender calls one, has the headers of one, or has all that one must have.
pub(super) fn fits(content: &Content) -> bool {
    if content.coding().is_some() || content.depth > 0 {
        return false;
    }
    let is_binary = content.attributes.iter().any(|(name, _)| name == "specversion");
    let media = content.media();
    let first = content.bytes.trim_ascii_start().first();
    match media.strip_prefix("application/cloudevents") {
        Some("+json") => first == Some(&b'{'),
        Some("-batch+json") => first == Some(&b'['),
        _ => is_binary || (first == Some(&b'{') && is_event(&content.bytes)),
    }
}

/// Looks at the whole body only where its beginning speaks of an event.
fn is_event(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(LOOKED_AT)];
    if memchr::memmem::find(head, b"\"specversion\"").is_none() {
        return false;
    }
    let (attributes, _) = structured(bytes, 0);
    REQUIRED.iter().all(|name| attributes.contains_key(*name))
}

/// Reads what the events say of themselves.
pub(super) fn open(content: &Content) -> Result<Box<dyn Document>, String> {
    content.refuse_coding()?;
    let mut stack = Stack::default();
    let mut notes = Vec::new();
    if content.attributes.iter().any(|(name, _)| name == "specversion") {
        notes.push("binary mode: it describes itself in headers".to_owned());
        let attributes: Attributes = content.attributes.iter().cloned().collect();
        let data = content.within_it(content.bytes.clone(), content.content_type.clone());
        event(&mut stack, &attributes, Some(&data), &mut notes);
        return Ok(stack.noted(&notes));
    }
    let Some(first) = Tokens::new(&content.bytes, 0).next().filter(|token| token.kind == Kind::Open) else {
        return Err("this is no CloudEvent: neither ce- headers nor an object or array of JSON".to_owned());
    };
    if content.bytes[first.range.start] == b'{' {
        notes.push("structured mode".to_owned());
        one(&mut stack, content, first.range.start, &mut notes);
        return Ok(stack.noted(&notes));
    }
    let events = Members::of(&content.bytes, first.range.start).into_iter().flatten();
    let mut count = 0_usize;
    for member in events {
        count += 1;
        if count <= OPENED {
            stack.add(vec![vec![stack::span(Role::Markup, &format!("event {count}"))]]);
            one(&mut stack, content, member.value.start, &mut notes);
        }
    }
    notes.push(format!("a batch of {count}"));
    if count > OPENED {
        notes.push(format!("the first {OPENED} are shown"));
    }
    Ok(stack.noted(&notes))
}

/// An event that is an object of JSON.
fn one(stack: &mut Stack, content: &Content, at: usize, notes: &mut Vec<String>) {
    let (attributes, data) = structured(&content.bytes, at);
    let kind = attributes.get("datacontenttype").cloned();
    let data = data.map(|(range, is_coded)| {
        let raw = content.bytes.slice(range);
        match decoded(&raw, is_coded) {
            Some(bytes) => content.within_it(bytes.into(), kind),
            None => content.within_it(raw, Some("application/json".to_owned())),
        }
    });
    event(stack, &attributes, data.as_ref(), notes);
}

/// The data as bytes, where it is a text in JSON and not JSON itself: one in base64, or one of another type.
fn decoded(raw: &Bytes, is_coded: bool) -> Option<Vec<u8>> {
    let text: String = serde_json::from_slice(raw).ok()?;
    if is_coded { base64::engine::general_purpose::STANDARD.decode(&text).ok() } else { Some(text.into_bytes()) }
}

/// The attributes of an event in JSON, and where its data is; whether that is in base64.
fn structured(bytes: &[u8], at: usize) -> (Attributes, Option<(Range<usize>, bool)>) {
    let (mut attributes, mut data) = (Attributes::new(), None);
    for member in Members::of(bytes, at).into_iter().flatten() {
        let name = member.name.map(|name| name_of(&bytes[name])).unwrap_or_default();
        match &name[..] {
            "data" => data = Some((member.value, false)),
            "data_base64" => data = Some((member.value, true)),
            _ => drop(attributes.insert(name, name_of(&bytes[member.value]))),
        }
    }
    (attributes, data)
}

fn event(stack: &mut Stack, attributes: &Attributes, data: Option<&Content>, notes: &mut Vec<String>) {
    let known = KNOWN.iter().filter_map(|name| Some((*name, attributes.get(*name)?)));
    let others = attributes.iter().filter(|(name, _)| !KNOWN.contains(&&name[..]));
    let mut lines: Vec<Line> = known.map(|(name, value)| stack::fact(name, value)).collect();
    lines.extend(others.map(|(name, value)| stack::fact(name, value)));
    let missing: Vec<_> = REQUIRED.iter().filter(|name| !attributes.contains_key(**name)).copied().collect();
    if !missing.is_empty() && notes.len() < 3 {
        notes.push(format!("without {}, which every event must have", missing.join(", ")));
    }
    lines.push(vec![stack::span(Role::Markup, if data.is_some() { "data" } else { "no data" })]);
    stack.add(lines);
    if let Some(data) = data {
        stack.open(data);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(document: &dyn Document) -> Vec<String> {
        let lines = document.lines(0..document.line_count());
        lines.iter().map(|line| line.iter().map(|span| &span.text[..]).collect()).collect()
    }

    fn content(body: &str, media: &str) -> Content {
        Content { bytes: body.to_owned().into(), content_type: Some(media.to_owned()), ..Content::default() }
    }

    const EVENT: &str =
        r#"{"specversion":"1.0","type":"fish.caught","source":"/river","id":"1","zone":"x","data":{"n":1}}"#;

    #[test]
    fn a_structured_event_shows_what_it_says_of_itself_and_its_data() {
        let event = content(EVENT, "application/json");
        assert!(fits(&event));
        let document = open(&event).unwrap();
        let expected = [
            "type             fish.caught",
            "source           /river",
            "id               1",
            "specversion      1.0",
            "zone             x",
            "data",
            "{",
            "  \"n\": 1",
            "}",
        ];
        assert_eq!(lines(&*document), expected);
        assert_eq!(document.note(), Some("structured mode"));
    }

    #[test]
    fn data_in_base64_is_decoded_and_opened_by_its_type() {
        let coded = r#"{"specversion":"1.0","type":"t","source":"s","id":"1","datacontenttype":"text/plain","data_base64":"aGVsbG8="}"#;
        let document = open(&content(coded, "application/cloudevents+json")).unwrap();
        assert_eq!(lines(&*document).last().unwrap(), "hello");
    }

    #[test]
    fn a_binary_event_describes_itself_in_headers() {
        let headers =
            [("ce-specversion", "1.0"), ("Ce-Type", "t"), ("ce-source", "s"), ("content-type", "application/json")];
        let event = Content::of(&Bytes::from_static(b"{\"a\":1}"), &headers.into_iter().collect());
        assert!(fits(&event));
        let document = open(&event).unwrap();
        assert_eq!(lines(&*document)[..3], ["type             t", "source           s", "specversion      1.0"]);
        assert!(document.note().unwrap().contains("without id"));
    }

    #[test]
    fn a_batch_shows_each_and_counts_all() {
        let batch = format!("[{}]", vec![EVENT; 1_200].join(","));
        let document = open(&content(&batch, "application/cloudevents-batch+json")).unwrap();
        assert_eq!(document.note(), Some("a batch of 1200; the first 1000 are shown"));
        assert_eq!(lines(&*document)[0], "event 1");
        assert!(!fits(&content("[1]", "application/json")));
    }
}
