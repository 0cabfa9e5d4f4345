//! Requests that somebody wrote: in Postman, in Insomnia, for curl, in an editor's file.

use super::*;

fn told(text: &str) -> Vec<(String, String)> {
    let entries = all(text.as_bytes(), None).unwrap();
    let told = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    entries.iter().map(|entry| (told(entry.head.raw()), told(&entry.body))).collect()
}

/// A request, as told.
fn one(head: &str, body: &str) -> Vec<(String, String)> {
    vec![(format!("{}\r\n\r\n", head.replace('\n', "\r\n")), body.to_owned())]
}

/// schema.postman.com/collection/json/v2.1.0/draft-07: folders, both forms of headers and URLs, all modes of a body.
#[test]
fn a_collection_of_postman_s_is_read_with_its_variables() {
    let collection = r#"{"info":{"name":"Hooks","schema":"https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},"item":[
      {"name":"a folder","item":[{"name":"raw","request":{"method":"POST","header":[{"key":"X-A","value":"{{secret}}"},{"key":"X-B","value":"no","disabled":true}],
        "body":{"mode":"raw","raw":"{\"a\": \"{{secret}}\"}","options":{"raw":{"language":"json"}}},"url":{"raw":"{{base}}/hook?a=b c","host":["{{base}}"]}},"response":[]}]},
      {"name":"form","request":{"method":"PUT","header":"X-Old: 1\nX-Two: 2","body":{"mode":"urlencoded","urlencoded":[{"key":"a b","value":"1&2"},{"key":"c","value":"3","disabled":true}]},"url":"http://u:p@h.example/f"}},
      {"name":"get","request":"https://h.example/g"},
      {"name":"file","request":{"method":"POST","url":"{{unknown}}/up","body":{"mode":"formdata","formdata":[{"key":"f","type":"file","src":"/etc/passwd"}]}}}],
      "variable":[{"key":"base","value":"https://api.example:8443"},{"key":"secret","value":"s3cret"}]}"#;
    let requests = told(collection);
    let expected = [
        one(
            "POST /hook?a=b%20c HTTP/1.1\nHost: api.example:8443\nX-A: s3cret\nContent-Type: application/json",
            "{\"a\": \"s3cret\"}",
        ),
        one(
            "PUT /f HTTP/1.1\nHost: h.example\nX-Old: 1\nX-Two: 2\nContent-Type: application/x-www-form-urlencoded",
            "a+b=1%262",
        ),
        one("GET /g HTTP/1.1\nHost: h.example", ""),
        one("POST /{{unknown}}/up HTTP/1.1", ""),
    ];
    assert_eq!(requests, expected.concat());
    let entries = all(collection.as_bytes(), None).unwrap();
    assert_eq!(entries.iter().map(|entry| entry.truncated).collect::<Vec<_>>(), [false, false, false, true]);
    assert_eq!(told(&format!(r#"{{"collection":{collection}}}"#)).len(), 4, "as its API gives it");
    assert_eq!(bad(br#"{"info":{},"item":[]}"#), (1, "there is no request in it".to_owned()));
    assert_eq!(bad(collection.replace("\"method\":\"PUT\"", "\"method\":\"P T\"").as_bytes()).0, 2, "it is counted");
}

/// `packages/insomnia/src/models/request.ts` of Kong/insomnia, in the export's format 4.
#[test]
fn an_export_of_insomnia_s_is_read_with_its_environment() {
    let export = r#"{"_type":"export","__export_format":4,"__export_date":"2024-05-22T00:00:00.000Z","__export_source":"insomnia.desktop.app:v8.6.1","resources":[
      {"_id":"req_1","_type":"request","parentId":"wrk_1","name":"a","method":"POST","url":"{{ _.base }}/hook","headers":[{"name":"X-A","value":"1"},{"name":"X-B","value":"2","disabled":true}],
       "parameters":[{"name":"q","value":"a b"},{"name":"no","value":"1","disabled":true}],"body":{"mimeType":"application/json","text":"{\"k\":\"{{ _.api.key }}\"}"}},
      {"_id":"req_2","_type":"request","name":"b","method":"POST","url":"http://h/?x","headers":[],"parameters":[{"name":"y","value":"1"}],"body":{"mimeType":"application/x-www-form-urlencoded","params":[{"name":"a","value":"b c"}]}},
      {"_id":"wrk_1","_type":"workspace","name":"w"},{"_id":"env_1","_type":"environment","parentId":"wrk_1","data":{"base":"https://api.example","api":{"key":7}}}]}"#;
    let expected = [
        one("POST /hook?q=a%20b HTTP/1.1\nHost: api.example\nX-A: 1\nContent-Type: application/json", "{\"k\":\"7\"}"),
        one("POST /?x&y=1 HTTP/1.1\nHost: h\nContent-Type: application/x-www-form-urlencoded", "a=b+c"),
    ];
    assert_eq!(told(export), expected.concat());
}

#[test]
fn commands_of_curl_are_requests() {
    for (command, head, body) in [
        ("curl https://h.example/a?b=1", "GET /a?b=1 HTTP/1.1\nHost: h.example", ""),
        (
            "$ curl -sSX POST 'https://h.example/hook' \\\n  -H 'Content-Type: application/json' \\\r\n  -d '{\"a\": \"it'\\''s\"}'\n",
            "POST /hook HTTP/1.1\nHost: h.example\nContent-Type: application/json",
            "{\"a\": \"it's\"}",
        ),
        (
            "curl h.example -d a=1 -d \"b=\\\"2\\\"\" --data-urlencode 'c=a b&c' # a comment",
            "POST / HTTP/1.1\nHost: h.example\nContent-Type: application/x-www-form-urlencoded",
            "a=1&b=\"2\"&c=a%20b%26c",
        ),
        (
            "curl --json '{}' -u user:pass https://h.example/",
            "POST / HTTP/1.1\nHost: h.example\nAuthorization: Basic dXNlcjpwYXNz\nContent-Type: application/json\nAccept: application/json",
            "{}",
        ),
        (
            "curl -G https://h/s -d q=1 -H 'X-Empty;' -H 'Accept:' -A me --compressed -o out.txt 2>/dev/null",
            "GET /s?q=1 HTTP/1.1\nHost: h\nX-Empty: \nUser-Agent: me",
            "",
        ),
        (
            "curl 'https://h/x' --data-raw $'{\"a\":\"\\u0041\\n@\"}' -H $'X-Q: it\\'s'",
            "POST /x HTTP/1.1\nHost: h\nX-Q: it's\nContent-Type: application/x-www-form-urlencoded",
            "{\"a\":\"A\n@\"}",
        ),
        ("curl -I -0 --url http://h:8080", "HEAD / HTTP/1.0\nHost: h:8080", ""),
        ("curl -XDELETE --request-target '*' http://h/a/b", "DELETE * HTTP/1.1\nHost: h", ""),
    ] {
        assert_eq!(told(command), one(head, body), "{command}");
    }
    let two = "#!/bin/sh\n# two of them\ncurl http://h/1\necho done && curl http://h/2 | jq .\n";
    assert_eq!(all(two.as_bytes(), Some(Form::Curl)).unwrap().len(), 2);
    assert_eq!(all(two.as_bytes(), None).unwrap().len(), 2);
}

#[test]
fn what_a_command_does_not_say_itself_is_not_made_up() {
    for (command, why) in [
        ("curl -d @body.json http://h", "the file body.json"),
        ("printf x | curl --data-binary @- http://h", "comes through a pipe"),
        ("curl -H \"Authorization: Bearer $TOKEN\" http://h", "in the place of $TOKEN"),
        ("curl -d \"`date`\" http://h", "in the place of `date`"),
        ("curl ${URL}/x", "in the place of ${URL}"),
        ("curl -F file=@a.png http://h", "a form in parts"),
        ("curl -b cookies.txt http://h", "its cookies are in a file"),
        ("curl --frobnicate http://h", "what its option --frobnicate does is not known"),
        ("curl -H", "behind its option -H nothing stands"),
        ("curl 'http://h", "a quotation mark is not closed"),
        ("curl -X 'A B' http://h", "its method"),
        ("curl -d x", "it has no URL"),
        ("curl -d '\u{1}' -H 'A: b\r\nC: d' http://h", "cannot stand there"),
    ] {
        let (entry, words) = bad(command.as_bytes());
        assert!(entry == 1 && words.contains(why), "{command}: {entry} {words}");
    }
}

#[test]
fn an_editor_s_file_has_several_requests() {
    let file = "@host = https://h.example\n@path=/hook\n\n### first\n# a comment\n// another\nPOST {{host}}{{path}}\n    ?a=1\n    &b=2\nContent-Type: application/json\n# within\nX-A: {{path}}\n\n\
                {\n  \"a\": 1\n}\n\n\n### second\nGET https://h.example/x HTTP/2\n\n> {% client.log(1) %}\n### third\nhttps://h.example/y\n\n###\n";
    let requests = told(file);
    let expected = [
        one(
            "POST /hook?a=1&b=2 HTTP/1.1\nHost: h.example\nContent-Type: application/json\nX-A: /hook",
            "{\n  \"a\": 1\n}",
        ),
        one("GET /x HTTP/2.0\nHost: h.example", ""),
        one("GET /y HTTP/1.1\nHost: h.example", ""),
    ];
    assert_eq!(requests, expected.concat());
    assert!(bad(b"### a\nPOST https://h/\nA: 1\n{}\n").1.contains("an empty line is missing, before: {}"));
    assert!(bad(b"### a\nPOST https://h/\n\n< ./body.json\n").1.contains("the file ./body.json"));
    assert_eq!(bad(b"###\n\n###\n").1, "there is no request in it");
    // One request with a version in its line is the bytes of one, as always.
    let raw = b"POST http://h/a HTTP/1.1\r\nHost: h\r\n\r\n# no comment\n";
    assert_eq!(all(raw, None).unwrap()[0].body, &b"# no comment\n"[..]);
    // One from the wire names its host; an editor's does not.
    assert_eq!(
        told("POST https://h.example/a HTTP/1.1\nA: 1\n\n{}\n"),
        one("POST /a HTTP/1.1\nHost: h.example\nA: 1", "{}")
    );
}
