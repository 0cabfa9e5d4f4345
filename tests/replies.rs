//! Replies under control: what an endpoint is told to answer, it answers; what goes wrong goes wrong when it was told to.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    io::{Read, Write},
    time::Instant,
};

use support::{Home, Serving};

/// Posts a body with an event's id; gives all that comes back.
fn post(serving: &Serving, id: &str, body: &str) -> String {
    serving.raw(
        format!(
            "POST /a?n=7 HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-Name: \"<b>\r\nX-GitHub-Event: push\r\n\
             X-GitHub-Delivery: {id}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .as_bytes(),
    )
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

fn home(respond: &str) -> Home {
    let home = Home::new();
    let respond = if respond.is_empty() { String::new() } else { format!("respond = {{ {respond} }}\n") };
    home.write("creel.toml", format!("[[endpoint]]\nname = 'a'\npath = '/a'\nprovider = 'github'\n{respond}"));
    home
}

fn last(home: &Home) -> (u64, Vec<String>) {
    let row = home.captures().pop().unwrap();
    let flags = row["flags"].as_array().unwrap().iter().map(|flag| flag.as_str().unwrap().to_owned()).collect();
    (row["reply"]["status"].as_u64().unwrap(), flags)
}

#[test]
fn every_word_of_the_file_is_in_the_answer() {
    let home = home("status = 202, body = 'ok', headers = { X-One = '1', X-Two = '2' }, content_type = 'text/x'");
    let serving = home.serve(&["--quiet"]);
    let answer = post(&serving, "1", "{}");
    assert_eq!((status(&answer), body(&answer)), (202, "ok"));
    for line in ["x-one: 1", "x-two: 2", "content-type: text/x", "creel-id: 1"] {
        assert!(answer.to_lowercase().contains(&format!("\r\n{line}\r\n")), "no {line} in {answer}");
    }
    assert_eq!(last(&home), (202, Vec::new()));
}

#[test]
fn a_header_may_have_several_lines_and_the_media_type_has_one() {
    let home = home("body = 'ok', headers = { Set-Cookie = ['a=1', 'b=2'], Content-Type = 'text/y' }");
    let serving = home.serve(&["--quiet"]);
    let headers = |answer: &str| {
        let wanted = |line: &&str| line.starts_with("set-cookie") || line.starts_with("content-type");
        answer.to_lowercase().lines().map(str::to_owned).filter(|line| wanted(&&line[..])).collect::<Vec<_>>()
    };
    let sorted = |mut lines: Vec<String>| {
        lines.sort();
        lines
    };
    let answer = post(&serving, "1", "{}");
    assert_eq!(sorted(headers(&answer)), ["content-type: text/y", "set-cookie: a=1", "set-cookie: b=2"]);
    home.yes(&["respond", "a", "--header", "Set-Cookie: c=3", "--header", "set-cookie: d=4", "--header", "X: 1"]);
    let answer = post(&serving, "2", "{}");
    assert_eq!(sorted(headers(&answer)), ["content-type: text/y", "set-cookie: c=3", "set-cookie: d=4"]);
    home.yes(&["respond", "a", "--header", "Content-Type: a/b"]);
    let answer = post(&serving, "3", "{}");
    assert_eq!(sorted(headers(&answer)), ["content-type: a/b", "set-cookie: a=1", "set-cookie: b=2"]);
}

#[test]
fn a_place_of_a_template_may_hold_an_object_and_a_field_of_a_form() {
    let home = home(
        "body = '{{body.o}} {{body.o.k[1]}} {{body.none}} {{body.f}}', template = true, content_type = 'text/plain'",
    );
    let serving = home.serve(&["--quiet"]);
    assert_eq!(body(&post(&serving, "1", "{\"o\": {\"k\": [1, 2.0]}}")), "{\"k\": [1, 2.0]} 2.0  ");
    let form = "POST /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n\
                Content-Length: 7\r\n\r\nf=a+%26";
    assert_eq!(body(&serving.raw(form.as_bytes())), "   a &");
}

#[test]
fn a_template_is_filled_by_the_request_and_cannot_be_left() {
    let home = Home::new();
    home.write("reply.json", r#"{"n":"{{query.n}}","id":"{{body.data.id}}","who":"{{header.x-name}}","got":{{capture.id}},"event":"{{event.type}}","none":"{{body.none}}"}"#);
    home.write(
        "creel.toml",
        "[[endpoint]]\nname = 'a'\npath = '/a'\nprovider = 'github'\nrespond = { file = 'reply.json', template = true }\n",
    );
    let serving = home.serve(&["--quiet"]);
    let answer = post(&serving, "1", r#"{"data":{"id":"\"x"}}"#);
    let value: serde_json::Value = serde_json::from_str(body(&answer)).unwrap();
    let expected = serde_json::json!({ "n": "7", "id": "\"x", "who": "\"<b>", "got": 1, "event": "push", "none": "" });
    assert_eq!(value, expected);
}

#[test]
fn the_first_of_each_event_fail_and_their_retry_succeeds() {
    let home = home("body = 'fine', fault = { status = 503, first = 1 }");
    let serving = home.serve(&["--quiet"]);
    let statuses: Vec<_> = ["x", "y", "x", "y", "x"].map(|id| status(&post(&serving, id, "{}"))).to_vec();
    assert_eq!(statuses, [503, 503, 200, 200, 200]);
    let rows = home.captures();
    assert_eq!((&rows[0]["reply"]["status"], &rows[0]["flags"][0]), (&503.into(), &"faulted".into()));
    assert_eq!(rows[2]["marks"][1], "retry", "the third follows one that failed: {}", rows[2]);
    assert_eq!(rows[4]["marks"].as_array().unwrap().len(), 1, "the last follows one that did not: {}", rows[4]);
}

#[test]
fn every_fault_does_on_the_wire_what_it_says_and_is_kept_so() {
    let whole = "0123456789";
    for (fault, kept, flags, came) in [
        ("kind = 'close'", 0, &["faulted", "unanswered"][..], ""),
        ("kind = 'half'", 200, &["faulted", "answer-half"], "01234"),
        ("kind = 'slow', seconds = 1", 200, &["faulted", "answer-slow"], whole),
        ("kind = 'silence', seconds = 1", 0, &["faulted", "answer-delayed", "unanswered"], ""),
        ("status = 418", 418, &["faulted"], "{\"caught\":1,\"refused\":418}"),
    ] {
        let home = home(&format!("body = '{whole}', fault = {{ {fault} }}"));
        let serving = home.serve(&["--quiet"]);
        let began = Instant::now();
        let answer = post(&serving, "1", "{}");
        assert_eq!(body(&answer), came, "{fault}: {answer}");
        assert_eq!(last(&home), (kept, flags.iter().map(ToString::to_string).collect()), "{fault}");
        if kept == 0 {
            assert_eq!(answer, "", "{fault}");
        } else {
            assert_eq!(u64::from(status(&answer)), kept, "{fault}");
        }
        if fault.contains("half") {
            assert!(answer.contains("content-length: 10\r\n"), "half of what was promised: {answer}");
        }
        if fault.contains("seconds") {
            assert!(began.elapsed().as_millis() >= 900, "{fault}: {:?}", began.elapsed());
        }
    }
}

#[test]
fn an_answer_is_held_back_after_the_commit_and_a_stop_does_not_wait_for_it() {
    let home = home("delay_ms = 600000");
    let mut serving = home.serve(&[]);
    let mut stream = serving.connect();
    stream.write_all(b"POST /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").unwrap();
    // It is on the disk, and printed, while its sender waits.
    assert!(serving.line().contains("answer-delayed"));
    let began = Instant::now();
    serving.signal("TERM");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(status(&answer), 200, "{answer}");
    assert_eq!(serving.end().0, Some(0));
    assert!(began.elapsed().as_secs() < 8);
}

#[test]
fn another_process_says_what_is_answered_from_the_next_request_on() {
    let home = home("body = 'file'");
    let serving = home.serve(&["--quiet"]);
    let next = || {
        let answer = post(&serving, "same", "{}");
        (status(&answer), body(&answer).to_owned())
    };
    assert_eq!(next(), (200, "file".to_owned()));
    assert_eq!(home.fails(1, &["respond"]), "every endpoint answers what its configuration says\n");
    for (args, answers, expected) in [
        (&["--status", "500"][..], "500", [500, 500, 500]),
        (&["--status", "502", "--first", "2"], "502 to the first 2 of each event, else 200", [502, 502, 200]),
        (&["--status", "503", "--every", "2"], "503 to one of every 2, else 200", [200, 503, 200]),
        (
            &["--fault", "close", "--first", "1", "--per", "endpoint"],
            "with a closed connection to the first 1, else 200",
            [0, 200, 200],
        ),
    ] {
        let said = home.yes(&[&["respond", "a"], args].concat());
        assert_eq!(said, format!("a answers {answers}\n"));
        assert_eq!([next().0, next().0, next().0], expected, "{args:?}");
        assert_eq!(home.yes(&["respond"]), format!("a answers {answers}\n"));
    }
    home.yes(&["respond", "a", "--body", "told {{capture.id}}", "--template", "--content-type", "text/plain"]);
    assert_eq!(next(), (200, "told 14".to_owned()));
    assert_eq!(home.yes(&["respond", "a", "--reset"]), "a answers 200\n");
    assert_eq!(next(), (200, "file".to_owned()));
}

#[test]
fn what_was_told_outlives_a_restart_and_is_said_at_the_start() {
    let home = home("");
    drop(home.serve(&["--quiet"]));
    home.yes(&["respond", "a", "--status", "410"]);
    let serving = home.serve(&[]);
    assert_eq!(status(&post(&serving, "1", "{}")), 410);
    let (_, _, said) = serving.stop();
    assert!(said.contains("a answers 410") && said.contains("creel respond a --reset"), "{said}");
}

#[test]
fn a_word_that_cannot_be_meant_is_refused_with_its_place() {
    for (args, word) in [
        (&["respond", "b", "--status", "500"][..], "there are: a, default"),
        (&["respond", "a", "--status", "99"], "200 to 599"),
        (&["respond", "a"], "nothing is said"),
        (&["respond", "a", "--body", "{{tea}}", "--template"], "`tea` is no place"),
        (&["respond", "a", "--header", "x"], "no colon"),
        (&["respond", "a", "--status", "204", "--body", "x"], "an answer of 204 has none"),
        (&["respond", "a", "--status", "503", "--first", "0"], "the first 0 are none"),
        (&["respond", "a", "--content-type", "a/b", "--header", "Content-Type: c/d"], "the media type is said twice"),
        (&["respond", "a", "--header", "A b: c"], "no header"),
        (&["respond", "a", "--header", "Content-Length: 7", "--body", "ok"], "`Content-Length` is set by creel itself"),
    ] {
        let home = home("");
        drop(home.serve(&["--quiet"]));
        assert!(home.fails(2, args).contains(word), "{args:?}");
    }
    for (respond, place, word) in [
        ("status = 199", "creel.toml:5:22", "200 to 599"),
        ("body = '{{x}}', template = true", "creel.toml:5:20", "`x` is no place"),
        ("fault = { kind = 'tea' }", "creel.toml:5:30", "close, silence, half or slow"),
        ("headers = { X = '1', connection = 'close' }", "creel.toml:5:23", "`connection` is set by creel itself"),
        ("fault = { frist = 1 }", "creel.toml:5:", "did you mean `first`"),
    ] {
        let said = home(respond).fails(2, &["serve", "--listen", "0"]);
        assert!(said.contains(place) && said.contains(word), "{respond}: {said}");
    }
}
