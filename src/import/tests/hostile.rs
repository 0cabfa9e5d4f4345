//! What is cut, garbled, or of other types than it should be is told, and never a panic.

use serde_json::json;

use super::*;

/// An entry of each form, as short as it may be.
fn documents() -> Vec<Value> {
    let raw = STANDARD.encode("POST /n HTTP/1.1\r\nA: 1\r\n\r\nx");
    let headers = json!({"host": "h", "x-a": ["1", 2], "content-length": "7"});
    let at = "2026-11-23T09:05:00Z";
    vec![
        json!({"id": 1, "uid": "01J0000000000000000000000A", "received_at": at, "method": "GET", "target": "/", "version": "HTTP/1.1",
            "headers": [["A", "b"]], "trailers": [], "body": {"text": "x"}, "marks": ["pinned"], "flags": ["cut"]}),
        json!({"log": {"entries": [{"startedDateTime": at, "request": {"method": "POST", "url": "http://h/?a", "httpVersion": "h2",
            "headers": [{"name": "a", "value": "b"}], "postData": {"text": "eA==", "encoding": "base64"}}, "response": {"status": 200}}]}}),
        json!({"data": [{"uuid": "1", "type": "web", "method": "GET", "url": "http://h/", "headers": headers, "content": "x", "created_at": "2026-11-23 09:05:00"}]}),
        json!({"requests": [{"start": at, "request": {"raw": raw}, "remote_addr": "1", "response": {"status_code": 200}}]}),
        json!({"guid": "1", "delivered_at": at, "url": "http://h/", "status_code": 200, "request": {"headers": headers, "payload": {"a": 1}}}),
        json!({"data": [{"object": "event", "type": "t", "created": 1, "data": {}}]}),
        json!({"team_id": "t", "source_id": "s", "ingested_at": at, "data": {"headers": headers, "body": {"a": 1}, "path": "/", "query": "a=b"}}),
        json!([{"query_string": {"a": "b"}, "remote_addr": "1", "method": "POST", "headers": headers, "path": "/", "raw": "x", "time": 1.5, "form_data": [["a", "b"]], "content_length": 1}]),
        json!({"requests": [{"source_ip": "1", "received_at": at, "method": "POST", "headers": headers, "body": "eA==", "size_bytes": 1, "query": {}}]}),
        json!({"data": [{"indexed_at_ms": 5, "event": {"method": "POST", "headers": headers, "path": "/", "query": {"a": "b"}, "body": [1]}}]}),
        json!({"timestamp": 5, "bodyB": "eA==", "query": {"a": "b"}, "host": "h"}),
        json!({"requestContext": {"elb": {}, "http": {"method": "GET"}, "requestTimeEpoch": 5}, "httpMethod": "GET", "path": "/", "headers": headers,
            "multiValueQueryStringParameters": {"a": ["b"]}, "body": "eA==", "isBase64Encoded": true, "cookies": ["a"]}),
        json!({"requestContext": {"http": {"method": "GET", "sourceIp": "1"}, "timeEpoch": 5}, "rawPath": "/", "rawQueryString": "a", "headers": headers}),
        json!({"info": {}, "item": [{"item": [{"request": {"method": "POST", "url": {"raw": "{{b}}/x"}, "header": [{"key": "a", "value": "{{b}}"}],
            "body": {"mode": "urlencoded", "urlencoded": [{"key": "a", "value": "b"}]}}}]}], "variable": [{"key": "b", "value": "http://h"}]}),
        json!({"__export_format": 4, "resources": [{"_type": "request", "method": "POST", "url": "{{ _.b }}/", "headers": [{"name": "a", "value": "b"}],
            "parameters": [{"name": "q", "value": "r"}], "body": {"mimeType": "a/b", "text": "x"}}, {"_type": "environment", "data": {"b": {"c": 1}}}]}),
    ]
}

const TEXTS: [&str; 5] = [
    "curl -X POST 'http://h/a?b' -H \"A: \\\"b\\\"\" -u a:b --json $'\\x41\\u00e9' -d a=b \\\n --data-urlencode 'c=d e' # e\ncurl h\n",
    "@a = b\n### x\n# c\nPOST http://h/{{a}}\n  ?c=d\nA: {{a}}\n\n{\"a\": 1}\n\n### y\nhttp://h/\n",
    "id: 1\nevent: x\ndata: {\"timestamp\":5,\"body\":{\"a\":1},\"query\":{}}\n\ndata: {}\n\n",
    "POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nhiGET /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
    "\u{feff}{\"uid\":\"01J0000000000000000000000A\",\"received_at\":\"2026-11-23T09:05:00Z\"}\n\n",
];

/// Reads it as what it looks like, and as every form.
fn read_in_all_ways(bytes: &[u8], forms: &[Option<Form>]) {
    for form in forms {
        match all(bytes, *form) {
            Ok(entries) => assert!(entries.iter().all(|entry| !entry.head.method().is_empty())),
            Err(Stop::Bad { entry, why }) => assert!(entry > 0 && !why.is_empty()),
            Err(Stop::Unknown(why)) => assert!(!why.is_empty()),
            Err(Stop::Told(failure)) => panic!("{failure:?}"),
        }
    }
}

#[test]
fn what_is_whole_is_read() {
    for document in documents() {
        let read = all(document.to_string().as_bytes(), None);
        assert!(read.is_ok_and(|entries| entries.len() == 1), "{document}");
    }
}

#[test]
fn cut_and_garbled_files_are_told() {
    let forms: Vec<_> = FORMS.iter().map(|row| Some(row.form)).chain([None]).collect();
    let texts = TEXTS.iter().map(|text| text.as_bytes().to_vec());
    for bytes in texts.chain(documents().iter().map(|document| document.to_string().into_bytes())) {
        read_in_all_ways(&bytes, &forms);
        for at in 0..bytes.len() {
            read_in_all_ways(&bytes[..at], &[None]);
            for other in [b'"', b'\'', b'{', b'\\', b'\n', b'$', 0, 0xff] {
                let mut garbled = bytes.clone();
                garbled[at] = other;
                read_in_all_ways(&garbled, &[None]);
            }
        }
    }
}

#[test]
fn values_of_other_types_are_told() {
    let others = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1e300),
        json!(""),
        json!("\r\n \u{0}"),
        json!([]),
        json!([[]]),
        json!({"a": {}}),
    ];
    for document in documents() {
        for place in places(&document) {
            for other in &others {
                let mut changed = document.clone();
                if let Some(value) = changed.pointer_mut(&place) {
                    *value = other.clone();
                }
                read_in_all_ways(changed.to_string().as_bytes(), &[None]);
            }
        }
    }
}

/// The JSON pointers of all values within one.
fn places(value: &Value) -> Vec<String> {
    let within = |name: String, value: &Value| {
        places(value).into_iter().map(move |place| format!("/{name}{place}")).collect::<Vec<_>>()
    };
    let deeper: Vec<String> = match value {
        Value::Array(items) => items.iter().enumerate().flat_map(|(at, item)| within(at.to_string(), item)).collect(),
        Value::Object(fields) => fields.iter().flat_map(|(name, value)| within(name.clone(), value)).collect(),
        _ => Vec::new(),
    };
    std::iter::once(String::new()).chain(deeper).collect()
}
