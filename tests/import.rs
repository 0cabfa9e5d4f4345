//! `creel import`: what others wrote comes in whole or not at all, judged as at capture.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    io::{Read, Write},
    process::Stdio,
};

use serde_json::Value;
use support::{Home, Serving};

/// Odd requests, to be exported and imported again.
fn odd(serving: &Serving) {
    for raw in [
        &b"POST /a?x=1 HTTP/1.1\r\nHost:x\r\nX-Dup: 1\r\nx-dup: caf\xe9\r\nContent-Length: 3\r\n\r\n\x00\xff\n"[..],
        b"POST /caf\xc3\xa9 HTTP/1.1\r\nhOst: x\r\nX-Utf: caf\xc3\xa9\r\nX-Empty:\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
        b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-T: \xff\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
    ] {
        let mut stream = serving.connect();
        stream.write_all(raw).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
    }
}

/// A capture in all that is its own, without what belongs to its store.
fn lasting(home: &Home, id: usize) -> Value {
    let text = home.yes(&["export", &format!("id={id}"), "--reveal"]);
    let mut capture: Value = serde_json::from_str(&text).unwrap();
    for name in ["id", "flags", "duplicate_of", "attempt", "gap_ms", "late_ms", "marks"] {
        capture.as_object_mut().unwrap().shift_remove(name);
    }
    capture
}

#[test]
fn json_lines_come_back_as_they_left() {
    let (home, other) = (Home::new(), Home::new());
    let serving = home.serve(&["--quiet"]);
    odd(&serving);
    serving.post("/big", &[], &vec![7; 300_000]);
    drop(serving);
    home.yes(&["mark", "2", "3", "--note", "the odd ones"]);
    home.yes(&["mark", "3"]);
    home.yes(&["mark", "3", "--pin"]);
    let lines = home.path().join("all.jsonl");
    home.yes(&["export", "--reveal", "--out", lines.to_str().unwrap()]);
    let said = other.yes(&["import", lines.to_str().unwrap(), "--json"]);
    assert_eq!(said, "{\"imported\":6,\"first\":1,\"last\":6,\"known\":0,\"cut\":0,\"left_out\":0}\n");
    for id in 1..=6 {
        assert_eq!(lasting(&other, id), lasting(&home, id), "{id}");
    }
    let captures = other.captures();
    let (marks, noted) = (["marked", "pinned"], serde_json::json!("the odd ones"));
    assert_eq!(captures[2]["marks"], serde_json::json!(marks), "what a person said of them comes along");
    assert_eq!((&captures[1]["note"], &captures[2]["note"]), (&noted, &noted));
    assert!(captures.iter().all(|capture| capture["flags"].as_array().unwrap().contains(&"imported".into())));
    // The raw request tells it too, all of them in one file: not a byte differs.
    let third = Home::new();
    let raw = third.write("all.http", home.run(&["export", "--as", "http", "--reveal"]).stdout);
    assert_eq!(third.yes(&["import", raw.to_str().unwrap()]), "6 imported: #1 to #6\n");
    for id in ["1", "2", "3", "5", "6"] {
        assert_eq!(home.run(&["show", id, "--as", "http"]).stdout, third.run(&["show", id, "--as", "http"]).stdout);
    }
    for id in ["1", "2", "3", "5"] {
        assert_eq!(home.run(&["show", id, "--as", "http"]).stdout, other.run(&["show", id, "--as", "http"]).stdout);
    }
}

#[test]
fn a_har_of_its_own_comes_back() {
    let (home, other) = (Home::new(), Home::new());
    let serving = home.serve(&["--quiet"]);
    serving.post("/a?x=1#y", &[("X-Dup", "1"), ("x-dup", "2")], b"\xff\x00");
    odd(&serving);
    let har = home.path().join("all.har");
    home.yes(&["export", "--as", "har", "--out", har.to_str().unwrap()]);
    assert_eq!(other.yes(&["import", har.to_str().unwrap()]), "6 imported: #1 to #6\n");
    for id in 1..=6 {
        let (mine, came) = (lasting(&home, id), lasting(&other, id));
        for name in ["uid", "received_at", "endpoint", "method", "target", "headers", "trailers", "raw", "reply"] {
            assert_eq!(mine[name], came[name], "{id} {name}");
        }
        assert_eq!(mine["body"]["sha256"], came["body"]["sha256"], "{id}");
        let raw = |home: &Home| home.run(&["show", &id.to_string(), "--as", "http", "--reveal"]).stdout;
        assert_eq!(raw(&home), raw(&other), "{id}: not a byte differs");
    }
}

#[test]
fn what_comes_in_is_judged_by_its_own_time() {
    let home = Home::new();
    home.write(
        "creel.toml",
        "[[endpoint]]\nname = 'stripe'\npath = '/stripe'\nprovider = 'stripe'\nsecret = { command = 'echo s3cret' }\n",
    );
    home.write("body", "{\"id\":\"evt_1\",\"type\":\"charge.succeeded\"}");
    let at = "1795424700";
    let args = ["sign", "--provider", "stripe", "--secret", "s3cret", "--now", at, "--file", "body"];
    let header = home.yes(&args);
    let request = |endpoint: &str| {
        format!(
            "{{\"log\":{{\"entries\":[{{\"startedDateTime\":\"2026-11-23T09:05:03Z\",\"request\":{{\"method\":\"POST\",\
             \"url\":\"http://h/{endpoint}\",\"headers\":[{{\"name\":\"Stripe-Signature\",\"value\":{}}}],\
             \"postData\":{{\"text\":\"{{\\\"id\\\":\\\"evt_1\\\",\\\"type\\\":\\\"charge.succeeded\\\"}}\"}}}}}}]}}}}",
            Value::from(header.trim().split_once(": ").unwrap().1)
        )
    };
    home.write("a.har", request("stripe"));
    // Twice in one go: the second is a repeat of the first.
    assert_eq!(home.yes(&["import", "--again", "a.har", "a.har"]), "2 imported: #1 to #2\n");
    let captures = home.captures();
    assert_eq!(captures[0]["signature"]["verdict"], "passed", "{}", captures[0]);
    assert_eq!((&captures[0]["endpoint"], &captures[0]["event"]["id"]), (&"stripe".into(), &"evt_1".into()));
    assert_eq!(captures[0]["received_at"], "2026-11-23T09:05:03.000Z");
    assert_eq!(captures[1]["duplicate_of"], 1);
    // A creel that captures afterwards knows them.
    let serving = home.serve(&["--quiet"]);
    let again = serving.post("/stripe", &[], b"{\"id\":\"evt_1\",\"type\":\"charge.succeeded\"}");
    assert_eq!(home.captures()[again as usize - 1]["duplicate_of"], 1);
}

#[test]
fn a_body_that_is_cut_is_imported_and_said_to_be() {
    let home = Home::new();
    let said = "; 1 with a body of which a part is missing (`cut:yes`)\n";
    for (n, (framing, body, is_cut)) in [
        ("Content-Length: 5", "abc", true),
        ("Content-Length: 5", "abcde", false),
        ("Transfer-Encoding: chunked", "5\r\nab", true),
        ("Transfer-Encoding: chunked", "2\r\nab\r\n0\r\n\r\n", false),
        ("Transfer-Encoding: chunked", "the chunks were put together", false),
        ("Transfer-Encoding: chunked", "", false),
    ]
    .into_iter()
    .enumerate()
    {
        home.write("request.http", format!("POST /{n} HTTP/1.1\r\nHost: h\r\n{framing}\r\n\r\n{body}"));
        let end = if is_cut { said } else { "\n" };
        assert_eq!(home.yes(&["import", "request.http"]), format!("1 imported: #{}{end}", n + 1), "{framing} {body:?}");
    }
    assert_eq!(home.yes(&["ls", "cut:yes"]).lines().count(), 2);
    let json: Value = serde_json::from_str(&home.yes(&["import", "request.http", "--json"])).unwrap();
    assert_eq!(json["cut"], 0);
    assert!(home.fails(2, &["import", "."]).contains("importing .: it is a folder"));
}

#[test]
fn what_is_here_already_is_not_imported_twice() {
    let (home, other) = (Home::new(), Home::new());
    let serving = home.serve(&["--quiet"]);
    for n in 0..3 {
        serving.post(&format!("/{n}"), &[], b"x");
    }
    let lines = home.yes(&["export"]);
    let file = other.write("all.jsonl", &lines);
    let file = file.to_str().unwrap();
    let first_two = lines.lines().take(2).collect::<Vec<_>>().join("\n");
    other.write("two.jsonl", format!("{first_two}\n{first_two}\n"));
    let known = "already here (--again imports them once more)";
    assert_eq!(other.yes(&["import", "two.jsonl"]), format!("2 imported: #1 to #2; 2 {known}\n"));
    assert_eq!(other.yes(&["import", file]), format!("1 imported: #3; 2 {known}\n"));
    let said = other.yes(&["import", file, "--json"]);
    assert_eq!(said, "{\"imported\":0,\"first\":null,\"last\":null,\"known\":3,\"cut\":0,\"left_out\":0}\n");
    // As jq writes them anew, one after the other or in a list.
    let values: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let spread = values.iter().map(|value| format!("{value:#}")).collect::<Vec<_>>().join("\n");
    for (name, text) in [("spread.json", spread), ("list.json", Value::from(values).to_string())] {
        other.write(name, text);
        assert_eq!(other.yes(&["import", name]), format!("nothing new; 3 {known}\n"), "{name}");
    }
    // Beside the one who caught them, too; and what was deleted there comes back.
    home.yes(&["forget", "id=2"]);
    assert_eq!(home.yes(&["import", file]), format!("1 imported: #4; 2 {known}\n"));
    assert_eq!(home.yes(&["import", file]), format!("nothing new; 3 {known}\n"));
    assert_eq!(other.yes(&["import", file, "--again"]), "3 imported: #4 to #6\n");
    let mut uids: Vec<_> = other.captures().iter().map(|capture| capture["uid"].clone()).collect();
    uids.sort_by_key(ToString::to_string);
    uids.dedup();
    assert_eq!(uids.len(), 6, "each has a name of its own");
}

#[test]
fn what_a_browser_wrote_comes_in_once_and_as_often_as_it_is_in_one_file() {
    let home = Home::new();
    let entry = |n: u32| {
        format!(
            r#"{{"startedDateTime":"2026-11-23T09:05:00.00{n}Z","request":{{"method":"POST","url":"http://h/{n}","httpVersion":"h2",
            "headers":[],"postData":{{"mimeType":"a/b","text":"x"}}}},"response":{{"status":200}}}}"#
        )
    };
    let har = |entries: &[u32]| {
        let entries: Vec<_> = entries.iter().map(|n| entry(*n)).collect();
        format!(r#"{{"log":{{"version":"1.2","entries":[{}]}}}}"#, entries.join(","))
    };
    let known = "already here (--again imports them once more)";
    home.write("first.har", har(&[1, 2, 2]));
    home.write("later.har", har(&[1, 2, 2, 3]));
    assert_eq!(home.yes(&["import", "first.har", "first.har"]), format!("3 imported: #1 to #3; 3 {known}\n"));
    assert_eq!(home.yes(&["import", "later.har"]), format!("1 imported: #4; 3 {known}\n"));
    assert_eq!(home.yes(&["import", "later.har", "--again"]), "4 imported: #5 to #8\n");
}

#[test]
fn a_cut_file_leaves_nothing_behind_and_names_the_entry() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    for n in 0..50 {
        serving.post(&format!("/{n}"), &[], &vec![b'x'; 20_000]);
    }
    let other = Home::new();
    let har = home.path().join("all.har");
    home.yes(&["export", "--as", "har", "--out", har.to_str().unwrap()]);
    let whole = std::fs::read(&har).unwrap();
    let cut = other.write("cut.har", &whole[..whole.len() * 9 / 10]);
    let said = other.fails(2, &["import", cut.to_str().unwrap()]);
    assert!(said.contains("entry 45: the file ends in the middle of it"), "{said}");
    assert!(said.contains("nothing was imported"), "{said}");
    assert_eq!(other.captures().len(), 0);
    let left = std::fs::metadata(other.path().join("creel.db-wal")).map_or(0, |wal| wal.len());
    assert_eq!(left, 0, "what was written in vain takes no space");
    assert!(other.yes(&["import", har.to_str().unwrap()]).starts_with("50 imported"));
    // Of several files, too, all or none; and beside a creel that captures.
    let said = home.fails(2, &["import", har.to_str().unwrap(), cut.to_str().unwrap()]);
    assert!(said.contains("cut.har: entry 45"), "{said}");
    assert_eq!(home.captures().len(), 50);
    home.yes(&["import", "--again", har.to_str().unwrap()]);
    assert_eq!(serving.post("/after", &[], b"x"), 101);
    assert_eq!(home.captures().len(), 101);
}

#[test]
fn killed_in_the_middle_nothing_is_half_imported() {
    let home = Home::new();
    let line = |n: usize| {
        format!(
            "{{\"id\":{n},\"uid\":null,\"received_at\":\"2026-11-23T09:05:00Z\",\"method\":\"POST\",\"target\":\"/{n}\",\
             \"version\":\"HTTP/1.1\",\"headers\":[],\"trailers\":[],\"body\":{{\"text\":\"{}\"}}}}\n",
            "x".repeat(2_000)
        )
    };
    let mut child = home.command(&["import", "-"]).stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for n in 0..500 {
        stdin.write_all(line(n).as_bytes()).unwrap();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(home.captures().len(), 0);
}

#[test]
fn a_body_that_is_not_the_exported_one_is_refused() {
    let (home, other) = (Home::new(), Home::new());
    home.serve(&["--quiet"]).post("/a", &[], b"one");
    let lines = home.yes(&["export"]).replace("\"one\"", "\"two\"");
    other.write("forged.jsonl", lines);
    assert!(other.fails(2, &["import", "forged.jsonl"]).contains("entry 1: its body is not the one that was exported"));
    assert!(other.fails(2, &["import", "no-such-file"]).contains("importing no-such-file"));
    other.write("empty", "\n");
    assert_eq!(other.run(&["import", "empty"]).status.code(), Some(1));
}

#[test]
fn a_terminal_shows_how_far_it_is_and_nobody_else_does() {
    let (home, other) = (Home::new(), Home::new());
    let serving = home.serve(&["--quiet"]);
    for n in 0..50 {
        serving.post(&format!("/{n}"), &[], &[b'x'; 1_000]);
    }
    let (code, shown) = home.on_a_terminal(&["export", "--out", "all.jsonl"]);
    assert!(code == 0 && shown.contains("\r\u{1b}[K1 of 50, ") && shown.contains(" s left "), "{shown}");
    assert!(shown.ends_with("\r\u{1b}[K50 exported\r\n"), "wiped before the result: {shown}");
    let (code, shown) = home.on_a_terminal(&["export"]);
    assert!(code == 0 && !shown.contains(" s left"), "what is exported is not written over: {shown}");
    let file = home.path().join("all.jsonl");
    let (code, shown) = other.on_a_terminal(&["import", file.to_str().unwrap()]);
    assert!(code == 0 && shown.contains("1 read, ") && shown.contains(" a second, "), "{shown}");
    assert!(shown.ends_with("\r\u{1b}[K50 imported: #1 to #50\r\n"), "{shown}");
    let (_, shown) = other.on_a_terminal(&["import", "--quiet", file.to_str().unwrap()]);
    assert_eq!(shown, "");
    other.yes(&["import", file.to_str().unwrap()]);
}

#[test]
fn who_captures_meanwhile_waits_for_no_pipe() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    serving.post("/a", &[], &vec![b'x'; 100_000]);
    let line = home.yes(&["export"]);
    let mut import =
        home.command(&["import", "-", "--again"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut pipe = import.stdin.take().unwrap();
    // More than a pipe holds: some of it is read by then.
    (0..3).for_each(|_| pipe.write_all(line.as_bytes()).unwrap());
    assert_eq!(serving.post("/b", &[], b"meanwhile"), 2);
    drop(pipe);
    let said = String::from_utf8(import.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(said, "3 imported: #3 to #5\n");
}

/// What GitHub's API tells of a delivery: headers as they were sent, the payload taken apart.
fn delivery(signature: &str, payload: &str) -> String {
    format!(
        r#"{{"id":1,"guid":"0b989ba4-242f-11e5-81e1-c7b6966d2516","delivered_at":"2026-11-23T09:05:00Z","status_code":502,"event":"push","url":"https://h.example/github",
        "request":{{"headers":{{"Accept":"*/*","X-GitHub-Event":"push","X-GitHub-Delivery":"0b989ba4-242f-11e5-81e1-c7b6966d2516","X-Hub-Signature-256":"{signature}",
        "content-type":"application/json"}},"payload":{payload}}},"response":{{"headers":{{}},"payload":"Bad Gateway"}}}}"#
    )
}

#[test]
fn a_body_that_was_kept_as_parts_passes_or_is_said_to_be_unchecked() {
    let (home, other) = (Home::new(), Home::new());
    home.write(
        "creel.toml",
        "[[endpoint]]\nname = 'github'\npath = '/gh'\nprovider = 'github'\nsecret = { command = 'echo s3cret' }\n\
         [[endpoint]]\nname = 'stripe'\npath = '/stripe'\nprovider = 'stripe'\nsecret = { command = 'echo s3cret' }\n",
    );
    let signed = |body: &str| {
        home.write("body", body);
        let line = home.yes(&["sign", "--provider", "github", "--secret", "s3cret", "--file", "body"]);
        line.lines().find_map(|line| line.strip_prefix("X-Hub-Signature-256: ")).unwrap().to_owned()
    };
    let payload = r#"{"ref":"refs/heads/main","n":1.50}"#;
    home.write("same.json", delivery(&signed(payload), "{ \"ref\": \"refs/heads/main\",\n \"n\": 1.50 }"));
    home.write("other.json", delivery(&signed("{\"ref\": \"refs/heads/main\"}"), "{\"ref\":\"refs/heads/main\"}"));
    home.write(
        "event.json",
        r#"{"id":"evt_1","object":"event","created":1795424700,"data":{"object":{}},"livemode":false,"pending_webhooks":1,"type":"charge.succeeded"}"#,
    );
    home.yes(&["import", "same.json", "other.json", "--endpoint", "github"]);
    home.yes(&["import", "event.json", "--endpoint", "stripe"]);
    let captures = home.captures();
    let flags = |capture: &Value| capture["flags"].as_array().unwrap().contains(&"rewritten".into());
    let signature = |at: usize| &captures[at]["signature"];
    // Written anew they are the bytes that were signed: nothing is left to be said.
    assert_eq!((&signature(0)["verdict"], flags(&captures[0])), (&"passed".into(), false), "{}", captures[0]);
    assert_eq!((&captures[0]["endpoint"], &captures[0]["reply"]["status"]), (&"github".into(), &502.into()));
    // They are others: that says nothing of what was sent.
    assert_eq!((&signature(1)["verdict"], flags(&captures[1])), (&"unchecked".into(), true));
    assert_eq!(signature(1)["fault"], "unsupported");
    assert!(signature(1)["explanation"]["text"].as_str().unwrap().contains("not as the bytes that were sent"));
    assert_eq!((&signature(2)["verdict"], flags(&captures[2])), (&"unchecked".into(), true));
    assert!(signature(2)["explanation"]["text"].as_str().unwrap().contains("no headers were kept"));
    assert_eq!(
        (&captures[2]["event"]["id"], &captures[2]["event"]["type"]),
        (&"evt_1".into(), &"charge.succeeded".into())
    );
    // Judged again, and in another store, it is the same.
    let again = |id: &str| serde_json::from_slice::<Value>(&home.run(&["verify", id, "--json"]).stdout).unwrap();
    assert_eq!(again("1")["verdict"], "passed", "by the endpoint it was said to be of");
    assert_eq!((&again("2")["verdict"], &again("2")["fault"]), (&"unchecked".into(), &"unsupported".into()));
    let lines = home.yes(&["export", "--reveal"]);
    let file = other.write("all.jsonl", lines);
    other.yes(&["import", file.to_str().unwrap()]);
    assert_eq!(other.captures().iter().map(flags).collect::<Vec<_>>(), [false, true, true]);
    let unknown = home.fails(2, &["import", "event.json", "--endpoint", "strip"]);
    assert!(
        unknown.contains("there is no endpoint strip") && unknown.contains("there are: ") && unknown.contains("stripe")
    );
}

#[test]
fn a_body_that_was_written_anew_is_what_was_sent_once_its_signature_is_proved() {
    let home = Home::new();
    let endpoint = |secret: &str| {
        let keys = format!("provider = 'github'\nsecret = {{ command = 'echo {secret}' }}");
        home.write("creel.toml", format!("[[endpoint]]\nname = 'github'\npath = '/github'\n{keys}\n"));
    };
    endpoint("wrong");
    home.write("body", "{}");
    let line = home.yes(&["sign", "--provider", "github", "--secret", "s3cret", "--file", "body"]);
    let signature = line.lines().find_map(|line| line.strip_prefix("X-Hub-Signature-256: ")).unwrap();
    home.write("one.json", delivery(signature, "{}"));
    home.yes(&["import", "one.json"]);
    let state = || {
        let capture = home.captures().remove(0);
        let is_rewritten = capture["flags"].as_array().unwrap().contains(&"rewritten".into());
        (capture["signature"]["verdict"].as_str().unwrap().to_owned(), is_rewritten)
    };
    assert_eq!(state(), ("unchecked".to_owned(), true));
    home.run(&["verify", "1", "--keep"]);
    assert_eq!(state(), ("unchecked".to_owned(), true));
    endpoint("s3cret");
    home.yes(&["verify", "1", "--keep"]);
    assert_eq!(state(), ("passed".to_owned(), false));
}

#[test]
fn a_list_of_deliveries_says_what_to_ask_for_and_a_folder_of_forms_comes_in_at_once() {
    let home = Home::new();
    home.write("list.json", r#"[{"id":1,"guid":"g","delivered_at":"2026-11-23T09:05:00Z","event":"push"}]"#);
    let said = home.fails(2, &["import", "list.json"]);
    assert!(
        said.contains("entry 1: it has no payload, as in lists") && said.contains("nothing was imported"),
        "{said}"
    );
    home.write("page.html", "<!DOCTYPE html><title>Log in</title>");
    let said = home.fails(2, &["import", "page.html"]);
    assert!(said.contains("importing page.html: it begins like HTML or XML") && !said.contains("entry"), "{said}");
    home.write("one.sh", "curl -X POST http://h/one -d 'a=1'\n");
    home.write("two.http", "### two\nPOST http://h/two\n\n{}\n");
    home.write("three.json", r#"{"info":{"name":"x"},"item":[{"request":"http://h/three"}]}"#);
    let names = ["one.sh", "two.http", "three.json"];
    assert_eq!(home.yes(&[&["import"][..], &names].concat()), "3 imported: #1 to #3\n");
    let paths: Vec<_> = home.captures().iter().map(|capture| capture["path"].clone()).collect();
    assert_eq!(paths, ["/one", "/two", "/three"]);
}

#[test]
fn what_was_imported_for_an_endpoint_is_of_it_whatever_takes_its_path() {
    let home = Home::new();
    home.write("secret", "trout");
    home.write("other", "pike");
    let endpoint = |name: &str, path: &str, secret: &str| {
        format!(
            "[[endpoint]]\nname = '{name}'\npath = '{path}'\nprovider = 'gitlab-token'\nsecret = {{ file = '{secret}' }}\n"
        )
    };
    home.write("creel.toml", endpoint("all", "/", "secret") + &endpoint("lab", "/lab", "other"));
    home.write("a.http", "POST /lab HTTP/1.1\r\nX-Gitlab-Event: Push Hook\r\nX-Gitlab-Token: trout\r\n\r\n{}");
    home.yes(&["import", "a.http"]);
    home.yes(&["import", "a.http", "--endpoint", "all"]);
    let told = |at: usize| {
        let capture = &home.captures()[at];
        format!("{} {}", capture["endpoint"].as_str().unwrap(), capture["signature"]["verdict"].as_str().unwrap())
    };
    assert_eq!([told(0), told(1)], ["lab failed", "all passed"]);
    assert_eq!(home.run(&["verify", "1", "--keep"]).status.code(), Some(1));
    assert!(home.yes(&["verify", "2", "--keep"]).starts_with("passed"), "it stays of the one it was said to be of");
}

#[test]
fn of_what_was_imported_without_an_answer_none_is_made_up() {
    let home = Home::new();
    home.write("creel.toml", "[[endpoint]]\nname = 'a'\npath = '/a'\nrespond = { status = 503 }\n");
    home.write(
        "a.http",
        "POST /a HTTP/1.1\r\nX-Github-Event: push\r\nX-Hub-Signature-256: x\r\nX-GitHub-Delivery: 7\r\n\r\n{}",
    );
    home.yes(&["import", "a.http"]);
    let capture: Value = serde_json::from_str(&home.yes(&["show", "1", "--json"])).unwrap();
    assert_eq!(capture["reply"], serde_json::json!({ "status": null }));
    let shown = home.yes(&["show", "1"]);
    assert!(shown.contains("answered   not known: what it was imported from does not say"), "{shown}");
    let table = String::from_utf8(home.run(&["export", "--as", "csv"]).stdout).unwrap();
    let (head, row) = table.split_once("\r\n").unwrap();
    let at = head.split(',').position(|name| name == "reply").unwrap();
    assert_eq!(row.split(',').nth(at), Some(""), "{table}");
    // The next of its event is no retry: nobody knows that the first failed.
    let serving = home.serve(&["--quiet"]);
    serving.post("/a", &[("X-Github-Event", "push"), ("X-Hub-Signature-256", "x"), ("X-GitHub-Delivery", "7")], b"{}");
    assert_eq!(home.captures()[1]["marks"], serde_json::json!(["duplicate"]));
    // What an export does not say it does not say when it comes back.
    let lines = home.yes(&["export", "id=1", "--reveal"]);
    let other = Home::new();
    other.write("all.jsonl", lines);
    other.yes(&["import", "all.jsonl"]);
    assert_eq!(other.captures()[0]["reply"]["status"], Value::Null);
}
