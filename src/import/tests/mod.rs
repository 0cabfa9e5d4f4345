use base64::{Engine, engine::general_purpose::STANDARD};

use super::*;
use crate::record::Version;

fn all(text: &[u8], form: Option<Form>) -> Result<Vec<Entry>, Stop> {
    let mut entries = Vec::new();
    read(text, form, &mut |entry| {
        entries.push(entry);
        Ok(())
    })?;
    Ok(entries)
}

fn bad(text: &[u8]) -> (u64, String) {
    match all(text, None) {
        Err(Stop::Bad { entry, why }) => (entry, why),
        other => panic!("{other:?}"),
    }
}

const HAR: &str = r#"{"log":{"version":"1.2","pages":[{"id":"p"}],"entries":[
 {"startedDateTime":"2026-11-23T09:05:00.123Z","request":{"method":"POST","url":"https://h.example:1/a?x=1#f","httpVersion":"h2",
  "headers":[{"name":":method","value":"POST"},{"name":"x-a","value":"1"}],"postData":{"mimeType":"a/b","text":"hi"}},"response":{"status":204}},
 {"startedDateTime":"2026-11-23T09:06:00Z","request":{"method":"GET","url":"http://h/","httpVersion":"HTTP/1.1","headers":[{"name":"Host","value":"o"}]}}
]}}"#;

#[test]
fn a_browser_s_har_is_read() {
    let entries = all(HAR.as_bytes(), None).unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(&entries[0].head.raw()[..], b"POST /a?x=1 HTTP/2.0\r\nHost: h.example:1\r\nx-a: 1\r\n\r\n");
    assert_eq!((&entries[0].body[..], entries[0].reply_status), (&b"hi"[..], Some(204)));
    assert_eq!(entries[0].received_at, Timestamp::from_rfc3339("2026-11-23T09:05:00.123Z"));
    assert_eq!(&entries[1].head.raw()[..], b"GET / HTTP/1.1\r\nHost: o\r\n\r\n");
}

/// A browser writes no body that is a file, and what it could not read of one.
#[test]
fn of_a_har_without_a_body_it_is_told_that_it_is_not_there() {
    let entry = |url: &str, headers: &str, data: &str| {
        let text = format!(
            r#"{{"log":{{"entries":[{{"startedDateTime":"2026-11-23T09:05:00Z","request":{{"method":"POST","url":"{url}",
            "httpVersion":"HTTP/1.1","headers":[{headers}]{data}}}}}]}}}}"#
        );
        all(text.as_bytes(), None).unwrap().remove(0)
    };
    let length = r#"{"name":"content-length","value":"420925"}"#;
    let form = r#","postData":{"mimeType":"multipart/form-data; boundary=x","params":[{"name":"a"}]}"#;
    assert!(entry("https://h/", length, form).truncated && !entry("https://h/", "", form).truncated);
    let socket = entry("wss://h.example/live?x", "", "");
    assert_eq!(&socket.head.raw()[..], b"POST /live?x HTTP/1.1\r\nHost: h.example\r\n\r\n");
}

#[test]
fn webhook_site_and_ngrok_list_the_newest_first_and_are_read_oldest_first() {
    let text = br#"{"data":[
      {"uuid":"2","token_id":"t","type":"web","ip":"192.0.2.1","method":"POST","url":"https://webhook.site/t?b","headers":{"x-a":["1","2"],"host":["webhook.site"]},"content":"{}","created_at":"2026-11-23 09:06:00"},
      {"uuid":"1","token_id":"t","type":"web","ip":"192.0.2.1","method":"GET","url":"https://webhook.site/t","headers":{},"content":null,"created_at":"2026-11-23 09:05:00"}],"total":2}"#;
    let entries = all(text, None).unwrap();
    assert_eq!(entries.iter().map(|entry| entry.head.method().into_owned()).collect::<Vec<_>>(), ["GET", "POST"]);
    assert_eq!(&entries[1].head.raw()[..], b"POST /t?b HTTP/1.1\r\nx-a: 1\r\nx-a: 2\r\nhost: webhook.site\r\n\r\n");
    assert_eq!(entries[1].peer.as_deref(), Some("192.0.2.1"));

    let raw = STANDARD.encode(
        b"POST /n HTTP/1.1\r\nhOst: x\r\nX-8: caf\xe9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n\x00\xff\r\n0\r\n\r\n",
    );
    let text = format!(
        r#"{{"uri":"/api/requests/http","requests":[{{"uri":"/x","id":"i","start":"2026-11-23T10:05:00.123456789+01:00",
        "remote_addr":"192.0.2.7","request":{{"method":"POST","raw":"{raw}"}},"response":{{"status_code":502}}}}]}}"#
    );
    let entries = all(text.as_bytes(), None).unwrap();
    assert!(entries[0].head.raw().ends_with(b"X-8: caf\xe9\r\nTransfer-Encoding: chunked\r\n\r\n"));
    assert_eq!((&entries[0].body[..], entries[0].reply_status), (&b"\x00\xff"[..], Some(502)));
    assert_eq!(entries[0].received_at, Timestamp::from_rfc3339("2026-11-23T09:05:00.123Z"));
}

#[test]
fn what_is_listed_and_no_request_is_passed_over_and_counted() {
    let text = br#"{"data":[{"uuid":"3","type":"email","subject":"hello"},
      {"uuid":"2","type":"web","method":"GET","url":"https://webhook.site/t","headers":{},"content":"","created_at":"2026-11-23 09:06:00"},
      {"uuid":"1","type":"dns","hostname":"x.dnshook.site"}],"total":3}"#;
    let mut paths = Vec::new();
    let found = read(&text[..], None, &mut |entry| {
        paths.push(entry.head.path().to_string());
        Ok(())
    });
    assert_eq!(found, Ok(Found { requests: 1, others: 2 }));
    assert_eq!(paths, ["/t"]);
}

/// As webhook.site documents `/token/ID/requests`: a form with a file, of whose body only the fields are told.
#[test]
fn of_a_listed_form_with_a_file_it_is_told_that_its_body_is_not_there() {
    let text = br#"{"data":[{"uuid":"a2a6a4ae","type":"web","token_id":"a94a7294","ip":"127.0.0.1","country_code":"DK","hostname":"webhook.site",
      "method":"POST","user_agent":"Paw","content":"","query":{"action":"create"},"request":{"status":"example"},
      "files":{"file":{"id":"98bf","filename":"example.png","size":420915,"content_type":"image/png"}},
      "headers":{"content-length":["420925"],"request-id":["37856131"]},"url":"https:\/\/webhook.site\/a94a7294\/201?","size":420925,
      "custom_action_output":{},"custom_action_errors":[],"note":"look here","time":0.0015,"created_at":"2019-10-03 19:06:35",
      "updated_at":"2019-10-03 19:06:35","sorting":1778164375611988}],"total":1,"per_page":50,"current_page":1,"is_last_page":true,"from":1,"to":1}"#;
    let entries = all(text, None).unwrap();
    assert_eq!((&entries[0].head.target()[..], entries[0].truncated), (&b"/a94a7294/201?"[..], true));
    assert_eq!(entries[0].note.as_deref(), Some("look here"));
    assert_eq!(entries[0].received_at, Timestamp::from_rfc3339("2019-10-03T19:06:35Z"));
}

#[test]
fn a_raw_request_keeps_every_byte() {
    let raw = b"POST /a HTTP/1.1\nHost:x\r\nX-8: \xff\r\ncontent-length: 9\r\n\r\n\x00\r\n";
    let entries = all(raw, None).unwrap();
    assert_eq!([entries[0].head.raw(), &entries[0].body[..]].concat(), raw);
    assert!(entries[0].truncated, "it declares nine bytes and has three");
    assert_eq!(entries[0].head.version(), Version::Http11);
    assert_eq!(all(b"", None).unwrap(), []);
}

#[test]
fn several_raw_requests_in_a_file_are_several() {
    let (one, two) = ("POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi", "GET /b HTTP/1.0\n\n");
    let three = "POST /c HTTP/1.1\r\n\r\nGET /no HTTP/1.1\r\n\r\n";
    let entries = all(format!("{one}{two}\r\n{three}").as_bytes(), None).unwrap();
    let told: Vec<_> = entries.iter().map(|entry| (entry.head.path().to_string(), &entry.body[..])).collect();
    // One that does not say how long it is goes to the end, whatever stands there.
    let last = &b"GET /no HTTP/1.1\r\n\r\n"[..];
    assert_eq!(told, [("/a".to_owned(), &b"hi"[..]), ("/b".to_owned(), b""), ("/c".to_owned(), last)]);
    // What is no request is the body's, though its head says otherwise.
    for more in ["more", "GET", "GET /x y HTTP/1.1\r\n", "G@T /x HTTP/1.1\r\n", "GET /x HTTP/3\r\n"] {
        let entries = all(format!("{one}{more}").as_bytes(), None).unwrap();
        assert_eq!((entries.len(), &entries[0].body[..]), (1, format!("hi{more}").as_bytes()), "{more}");
    }
    assert_eq!(bad(format!("{one}{one}GET / HTTP/1.1\r\n").as_bytes()), (3, "it ends before its head does".to_owned()));
}

#[test]
fn what_is_wrong_is_told_with_its_number() {
    let cut = &HAR.as_bytes()[..HAR.len() - 60];
    assert_eq!(bad(cut), (2, "the file ends in the middle of it".to_owned()));
    let line = |target: &str, body: &str| {
        format!(
            r#"{{"id":1,"uid":"01J0000000000000000000000A","received_at":"2026-11-23T09:05:00Z","method":"GET","target":"{target}","version":"HTTP/1.1","headers":[],"trailers":[],"body":{body}}}"#
        )
    };
    let good = line("/", r#"{"size":0,"text":""}"#);
    assert_eq!(all(format!("{good}\n\n{good}").as_bytes(), None).unwrap().len(), 2);
    for (text, entry, why) in [
        (format!("{good}\n{}", &good[..good.len() - 9]), 2, "the file ends in the middle of it"),
        (format!("{good}\n{{]\n"), 2, "it is no JSON"),
        (line("/a b", r#"{"text":""}"#), 1, "its target is empty, or has blanks"),
        (line("/", "{}"), 1, "its body was left out"),
        (line("/", r#"{"base64":"!"}"#), 1, "its base64 is none"),
        (good.replace(r#""headers":[]"#, r#""headers":[["A","b\r\nC: d"]]"#), 1, "cannot stand there"),
        (good.replace("2026", "then"), 1, "is no time"),
        ("{\"a\":1}".to_owned(), 1, "a body alone is sent by `creel send PROVIDER --body FILE`"),
        ("[1]".to_owned(), 1, "it is no object, so no request"),
        ("{\"guid\":\"1\"}".to_owned(), 1, "the nearest is github, which has `delivered_at`, too"),
        (
            "{\"source_ip\":\"h\",\"method\":\"GET\"}".to_owned(),
            1,
            "the nearest is hooksense, which has `received_at` and `headers`, too",
        ),
        (format!("{}1{}", "[".repeat(400), "]".repeat(400)), 1, "nested too deeply"),
        ("[{\"uuid\":\"1\",\"type\":\"email\"},{\"uuid\":\"2\",\"type\":\"web\"}]".to_owned(), 2, "`url`"),
        ("GET / HTTP/1.1\r\nHost: x\r\n".to_owned(), 1, "it ends before its head does"),
    ] {
        let (number, words) = bad(text.as_bytes());
        assert!(number == entry && words.contains(why), "{text}: {number}: {words}");
    }
}

#[test]
fn of_a_file_of_no_form_it_is_said_what_it_is() {
    for (text, why) in [
        (&b"hello"[..], "it is of none of the forms that `creel import --help` lists"),
        (b"\x1f\x8b\x08\0", "gunzip -c FILE | creel import -"),
        (b"SQLite format 3\0", "creel --db FILE"),
        (b"\xff\xfe{\0", "UTF-16"),
        (b"<!DOCTYPE html>", "a page of an error"),
        (b"type: collection.insomnia.rest/5.0", "Insomnia v4 (JSON)"),
        (b"\x80\0\x01", "it is of none of the forms"),
    ] {
        match all(text, None) {
            Err(Stop::Unknown(words)) => assert!(words.contains(why), "{words}"),
            other => panic!("{text:?}: {other:?}"),
        }
    }
}

#[test]
fn each_form_has_one_row_and_is_told_by_its_own_marks() {
    for row in FORMS {
        assert_eq!(row.form.row().map(|found| found.name), Some(row.name), "{}", row.name);
        assert_eq!(FORMS.iter().filter(|other| other.form == row.form).count(), 1, "{}", row.name);
        assert!(!row.help.is_empty() && !row.help.ends_with('.'), "{}", row.name);
    }
}

#[test]
fn the_one_who_takes_can_have_enough() {
    let enough = Failure::new("keeping", "the disk is full");
    let stopped = read(HAR.as_bytes(), None, &mut |_| Err(enough.clone()));
    assert_eq!(stopped, Err(Stop::Told(enough)));
}

mod hostile;
mod others;
mod written;
