//! creel without its screen, used as a script would: the whole circle, each subcommand, each exit code.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod support;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use creel::{
    record::{Headers, Timestamp},
    verify::{Catalog, Request, Secret},
};
use serde_json::Value;
use support::{
    Home,
    app::{App, status},
    port::Port,
};

const SECRET: &str = "It's a Secret to Everybody";
const BODY: &[u8] = br#"{ "action": "opened",  "n": 1.0, "url": "https:\/\/x.test\/a" }"#;

/// The headers GitHub would send with this body, signed with the test's secret.
fn github(body: &[u8], id: &str) -> Vec<(String, String)> {
    let provider = Catalog::builtin().unwrap().get("github").unwrap();
    let headers = Headers::default();
    let request = Request {
        method: "POST",
        url: None,
        target: b"/",
        headers: &headers,
        body,
        truncated: false,
        rewritten: false,
        received_at: Timestamp::from_unix_ms(0),
    };
    let mut signed = provider.sign(&request, &[Secret::new(SECRET)], id).unwrap().headers;
    signed.retain(|(name, _)| !["x-github-event", "x-github-delivery"].contains(&&name.to_lowercase()[..]));
    signed.extend(
        [("X-GitHub-Event", "issues"), ("X-GitHub-Delivery", id), ("Content-Type", "application/json")]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    signed
}

fn post(serving: &support::Serving, headers: &[(String, String)], body: &[u8]) -> i64 {
    let headers: Vec<_> = headers.iter().map(|(name, value)| (&name[..], &value[..])).collect();
    serving.post("/github?x=1&x=2", &headers, body)
}

/// A home with a GitHub endpoint whose secret comes from a file.
fn home() -> Home {
    let home = Home::new();
    home.write("secret", format!("{SECRET}\n"));
    home.write(
        "creel.toml",
        "[[endpoint]]\nname = 'github'\npath = '/github'\nprovider = 'github'\nsecret = { file = 'secret' }\n",
    );
    home
}

#[test]
fn the_circle_closes() {
    let home = home();
    let mut serving = home.serve(&[]);
    // Three arrive: one right, the same event once more, one tampered with.
    let right = post(&serving, &github(BODY, "id-1"), BODY);
    let again = post(&serving, &github(BODY, "id-1"), BODY);
    let wrong = post(&serving, &github(BODY, "id-2"), b"{}");
    assert_eq!((right, again, wrong), (1, 2, 3));
    let lines: Vec<_> = (0..3).map(|_| serving.line()).collect();
    assert!(lines[0].contains("issues") && lines[0].contains("passed"), "{lines:?}");
    assert!(lines[1].contains("duplicate 2 of #1, "), "{lines:?}");
    assert!(lines[2].contains("failed: mismatch"), "{lines:?}");

    // One is shown, with its body untouched.
    let one: Value = serde_json::from_str(&home.yes(&["show", "1", "--json"])).unwrap();
    assert_eq!(one["body"]["text"], std::str::from_utf8(BODY).unwrap());
    assert_eq!(
        (&one["signature"]["verdict"], &one["event"]["type"], &one["endpoint"]),
        (&"passed".into(), &"issues".into(), &"github".into())
    );
    assert_eq!((&one["path"], &one["query"]), (&"/github".into(), &"x=1&x=2".into()));
    assert_eq!(home.yes(&["show", "1", "--body"]).as_bytes(), BODY);

    // It is resent to an app: the same bytes, but for what the receipt says.
    let app = App::start(|_, _| status(200));
    let said = home.yes(&["resend", "1", "--to", &app.url]);
    assert!(said.contains("200 in") && said.contains("~ Host:"), "{said}");
    let text = app.next();
    assert!(text.starts_with("POST /github?x=1&x=2 HTTP/1.1\r\nHost: "), "{text}");
    assert!(text.ends_with(std::str::from_utf8(BODY).unwrap()), "{text}");
    let one: Value = serde_json::from_str(&home.yes(&["show", "1", "--json"])).unwrap();
    assert_eq!((&one["deliveries"][0]["status"], &one["deliveries"][0]["attempt"]), (&200.into(), &1.into()));

    // creel is stopped and started again, and all is there.
    let (code, _, _) = serving.stop();
    assert_eq!(code, Some(0));
    let serving = home.serve(&[]);
    assert_eq!(post(&serving, &github(BODY, "id-2"), BODY), 4);
    let rows = home.captures();
    assert_eq!(rows.len(), 4);
    assert_eq!((&rows[1]["duplicate_of"], &rows[3]["duplicate_of"]), (&1.into(), &3.into()));
    assert!(rows.iter().all(|row| row["body"].get("text").is_none() && row["headers"].is_array()));
}

#[test]
fn the_secret_stands_in_no_file_and_in_no_output() {
    let home = home();
    let serving = home.serve(&["--json"]);
    post(&serving, &github(BODY, "id-1"), BODY);
    post(&serving, &github(BODY, "id-2"), b"{}");
    let mut seen = home.yes(&["show", "2"]) + &home.yes(&["show", "2", "--json"]) + &home.yes(&["providers", "github"]);
    seen += &String::from_utf8(home.run(&["verify", "2"]).stdout).unwrap();
    let (_, printed, said) = serving.stop();
    seen += &(printed + &said);
    for entry in std::fs::read_dir(home.path()).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() != "secret" && entry.file_type().unwrap().is_file() {
            seen += &String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap());
        }
    }
    assert!(seen.contains("id-2"), "the test looks at the wrong place");
    assert!(!seen.contains(SECRET));
}

#[test]
fn every_subcommand_answers_yes_no_and_error() {
    let home = home();
    assert!(home.fails(2, &["ls"]).contains("creel"), "there is no store yet");
    let serving = home.serve(&["--quiet"]);
    assert_eq!(home.run(&["ls"]).status.code(), Some(1));
    post(&serving, &github(BODY, "id-1"), BODY);
    let app = App::start(|_, _| status(200));
    let url = app.url.clone();
    let nobody = Port::reserved();
    let raw = home.write("request.http", "POST / HTTP/1.1\r\nX-Hub-Signature-256: sha256=00\r\n\r\n{}");
    let raw = raw.to_str().unwrap();
    for (code, args) in [
        (0, &["ls"][..]),
        (0, &["ls", "event:issues"]),
        (1, &["ls", "event:push"]),
        (2, &["ls", "even:push"]),
        (0, &["show", "1"]),
        (2, &["show", "2"]),
        (0, &["show", "1", "--as", "curl"]),
        (2, &["show", "1", "--as", "nothing"]),
        (0, &["resend", "1", "--to", &url]),
        (1, &["resend", "1", "--to", &nobody.url()]),
        (2, &["resend", "9", "--to", &url]),
        (2, &["resend", "1"]),
        (0, &["verify", "1"]),
        (1, &["verify", "1", "--secret", "another"]),
        (2, &["verify", "7"]),
        (1, &["verify", "--file", raw, "--provider", "github", "--secret", "s"]),
        (2, &["verify", "--file", "no-such-file"]),
        (2, &["verify", "--file", raw, "--provider", "githob"]),
        (0, &["providers"]),
        (0, &["providers", "stripe"]),
        (2, &["providers", "strip"]),
        (0, &["schema"]),
        (0, &["--help"]),
        (0, &["--version"]),
        (2, &["nonsense"]),
        (2, &["watch"]),
        (2, &["serve", "--listen", "nowhere"]),
        (2, &["serve", "--provider", "strpe"]),
    ] {
        let output = home.run(args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}\n{}{said}", String::from_utf8_lossy(&output.stdout));
        let silent = said.is_empty();
        assert!(if code == 0 { silent } else { code == 1 || !silent }, "{args:?} said {said:?}");
        assert!(!said.contains("panicked"), "{said}");
    }
}

#[test]
fn errors_say_what_to_do() {
    let home = home();
    let serving = home.serve(&["--quiet"]);
    let port = serving.address.port();
    // The same store: who has it, and where it listens.
    let said = home.fails(2, &["serve", "--listen", "0"]);
    assert!(said.contains(&serving.pid().to_string()) && said.contains("creel watch"), "{said}");
    // The same port: that a creel holds it, and what to do.
    let other = Home::new();
    let said = other.fails(2, &["serve", "--listen", &port.to_string()]);
    assert!(said.contains(&format!("port {port} is taken by another creel (pid {})", serving.pid())), "{said}");
    assert!(said.contains("creel watch"), "{said}");
    // A port of somebody else's.
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let said = other.fails(2, &["serve", "--listen", &socket.local_addr().unwrap().to_string()]);
    assert!(said.contains("which is not a creel"), "{said}");
    // An address of no machine's (RFC 5737), and a store where none can be made.
    let said = other.fails(2, &["serve", "--listen", "192.0.2.1:0"]);
    assert!(said.contains("this machine has no such address") && said.contains("0.0.0.0"), "{said}");
    let said = other.fails(2, &["serve", "--listen", "0", "--db", "/dev/null/creel.db"]);
    assert!(said.contains("making the folder /dev/null") && said.contains("with --db"), "{said}");
    // A provider nearly named, a filter nearly right.
    assert!(other.fails(2, &["providers", "strip"]).contains("did you mean `stripe`?"));
    let said = home.fails(2, &["ls", "sig:failed", "prvider:x"]);
    assert!(said.contains("provider") && said.contains("\n             ^"), "{said}");
    // A broken configuration: file, line, column, the nearest key.
    other.write("creel.toml", "listen = '127.0.0.1:0'\n[[endpoint]]\nname = 'a'\npaht = '/a'\n");
    let said = other.fails(2, &["serve"]);
    assert!(said.contains("creel.toml:4:1") && said.contains("did you mean `path`?"), "{said}");
}

#[test]
fn an_unreachable_app_is_a_failed_delivery_with_a_reason() {
    let home = home();
    let serving = home.serve(&["--quiet"]);
    post(&serving, &github(BODY, "id-1"), BODY);
    let nobody = Port::reserved();
    let output = home.run(&["resend", "1", "--to", &nobody.url()]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("connection refused") && said.contains(&nobody.address.to_string()), "{said}");
    let one: Value = serde_json::from_str(&home.yes(&["show", "1", "--json"])).unwrap();
    assert_eq!(one["deliveries"][0]["status"], Value::Null);
    assert!(one["deliveries"][0]["error"].as_str().unwrap().contains("connection refused"), "{one}");
    assert!(home.yes(&["ls", "reply:failed"]).contains("app failed"));
}

#[test]
fn a_bare_creel_that_is_not_on_a_terminal_serves_and_says_so() {
    let home = home();
    let mut child = home
        .command(&["--listen", "127.0.0.1:0"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("listening on http://127.0.0.1:"), "{line}");
    let mut said = String::new();
    BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut said).unwrap();
    assert!(said.contains("not a terminal") && said.contains("creel serve"), "{said}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn tail_follows_what_another_process_commits() {
    let home = home();
    let serving = home.serve(&["--quiet"]);
    post(&serving, &github(BODY, "id-1"), BODY);
    let mut tail = home.command(&["tail", "--json", "event:issues"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(tail.stdout.take().unwrap());
    let mut next = || {
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        serde_json::from_str::<Value>(&line).unwrap()["id"].clone()
    };
    assert_eq!(next(), 1, "what was there");
    serving.post("/other", &[], b"no event");
    post(&serving, &github(BODY, "id-3"), BODY);
    assert_eq!(next(), 3, "what came, and the filter holds");
    tail.kill().unwrap();
    tail.wait().unwrap();
}

#[test]
fn tail_says_that_it_looks_at_each_capture_once() {
    let home = home();
    drop(home.serve(&["--quiet"]));
    let mut tail = home.command(&["tail", "reply:200"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    BufReader::new(tail.stderr.take().unwrap()).read_line(&mut said).unwrap();
    tail.kill().unwrap();
    tail.wait().unwrap();
    assert!(said.contains("looked at once, as it comes; `creel wait` waits for them"), "{said}");
}

#[test]
fn a_pipe_that_closes_is_success() {
    let home = home();
    let serving = home.serve(&["--quiet"]);
    for n in 0..40 {
        post(&serving, &github(BODY, &n.to_string()), BODY);
    }
    let mut ls = home.command(&["ls", "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(ls.stdout.take());
    let output = ls.wait_with_output().unwrap();
    assert_eq!((output.status.code(), &output.stderr[..]), (Some(0), &b""[..]));
}

#[test]
fn who_reads_no_more_holds_up_neither_the_capturing_nor_its_end() {
    let home = Home::new();
    let mut serving = home.serve(&["--json"]);
    let large = "a".repeat(60 << 10);
    // More than a pipe holds.
    for _ in 0..4 {
        serving.post("/", &[("X-Large", &large)], b"");
    }
    let mut tail = home.command(&["tail", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut first = [0];
    tail.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    for pid in [tail.id(), serving.pid()] {
        assert!(Command::new("kill").arg(pid.to_string()).status().unwrap().success());
    }
    assert_eq!(tail.wait().unwrap().code(), Some(0));
    assert_eq!(serving.end_unread(), Some(0));
    assert_eq!(home.captures().len(), 4);
}

#[test]
fn a_list_that_is_cut_says_so() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    let listed = |args: &[&str]| {
        let output = home.run(&[&["ls"], args].concat());
        (output.stdout.split(|&byte| byte == b'\n').count() - 1, String::from_utf8(output.stderr).unwrap())
    };
    let is_cut = |args: &[&str]| {
        let (count, said) = listed(args);
        assert_eq!(count, 50, "{args:?}");
        said.contains("there are more: -n 0 lists all")
    };
    for n in 0..50 {
        serving.post(&format!("/{n}"), &[], b"");
    }
    assert!(!is_cut(&[]), "these are all");
    serving.post("/50", &[], b"");
    assert!(is_cut(&[]) && is_cut(&["--json"]) && is_cut(&["method:POST"]));
    assert!(!is_cut(&["--quiet"]) && !is_cut(&["not", "path:/7"]) && !is_cut(&["-n", "50"]));
    assert_eq!(listed(&["-n", "0"]), (51, String::new()));
}

#[test]
fn a_stopping_creel_finishes_what_it_began() {
    let home = home();
    let serving = home.serve(&["--quiet"]);
    let mut half = serving.connect();
    half.write_all(b"POST /half HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n").unwrap();
    // The go-ahead says that creel is reading this request's body.
    let mut go_ahead = [0; 25];
    half.read_exact(&mut go_ahead).unwrap();
    assert!(go_ahead.starts_with(b"HTTP/1.1 100"));
    serving.signal("TERM");
    half.write_all(b"rest").unwrap();
    let mut answer = String::new();
    half.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("{\"caught\":1}"), "{answer}");
    let mut serving = serving;
    assert_eq!(serving.end().0, Some(0));
    assert_eq!(home.yes(&["show", "1", "--body"]), "rest");
}

#[test]
fn the_beginning_of_a_head_does_not_hold_up_the_end() {
    let home = home();
    home.write("creel.toml", "[limits]\nhead_s = 60\ndrain_s = 60\n");
    let serving = home.serve(&["--quiet"]);
    let mut half = serving.connect();
    half.write_all(b"POST /half HTTP/1.1\r\nHos").unwrap();
    // What came before this was read before this.
    serving.post("/whole", &[], b"");
    assert_eq!(serving.stop().0, Some(0));
    assert_eq!(half.read_to_end(&mut Vec::new()).unwrap(), 0);
    assert!(home.yes(&["refused"]).contains("creel was stopped before the head was whole"));
}

/// A sender of HTTP/2 that is gone answers nothing.
#[test]
fn a_silent_connection_of_http_2_does_not_hold_up_the_end() {
    let home = home();
    home.write("creel.toml", "[limits]\ndrain_s = 60\n");
    let serving = home.serve(&["--quiet"]);
    let mut silent = serving.connect();
    silent.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
    // Its settings say that it speaks HTTP/2 by now.
    silent.read_exact(&mut [0; 9]).unwrap();
    let began = Instant::now();
    assert_eq!(serving.stop().0, Some(0));
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[test]
fn the_schema_is_json_and_names_what_is_printed() {
    let home = home();
    let serving = home.serve(&["--quiet"]);
    post(&serving, &github(BODY, "id-1"), BODY);
    let schema: Value = serde_json::from_str(&home.yes(&["schema"])).unwrap();
    let one: Value = serde_json::from_str(&home.yes(&["show", "1", "--json"])).unwrap();
    let schema = schema["$ref"].as_str().map_or(&schema, |at| schema.pointer(at.trim_start_matches('#')).unwrap());
    for key in one.as_object().unwrap().keys() {
        assert!(schema["properties"].get(key).is_some(), "the schema does not know `{key}`");
    }
}

/// As `nohup` starts it.
#[cfg(target_os = "linux")]
#[test]
fn who_is_to_outlive_its_terminal_does() {
    let home = Home::new();
    let script = "trap '' HUP; exec \"$0\" serve --quiet --listen 127.0.0.1:0";
    let serving = home.serve_by(&["sh", "-c", script, env!("CARGO_BIN_EXE_creel")]);
    serving.signal("HUP");
    serving.post("/a", &[], b"trout");
    assert_eq!((serving.stop().0, home.captures().len()), (Some(0), 1));
    let mut other = home.serve(&["--quiet"]);
    other.signal("HUP");
    assert_eq!(other.end().0, Some(0), "else a hangup is the end");
}

/// A dump of a creel that died would hold its secrets.
#[cfg(target_os = "linux")]
#[test]
fn creel_leaves_no_core() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", serving.pid())).unwrap();
    let core = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().next(), Some("0"), "{core}");
}

/// Large ones would make it half as large again (`main.rs`).
#[cfg(target_os = "linux")]
#[test]
fn creel_takes_small_pages() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    let status = std::fs::read_to_string(format!("/proc/{}/status", serving.pid())).unwrap();
    // Linux says so since 5.0.
    let said = status.lines().find_map(|line| line.strip_prefix("THP_enabled:"));
    assert_eq!(said.map_or("0", str::trim), "0");
}

#[test]
fn a_signature_that_comes_in_two_lines_is_flagged_whichever_of_them_is_right() {
    let home = Home::new();
    let serving = home.serve(&["--quiet", "--provider", "github", "--secret", SECRET]);
    let signed = github(BODY, "1");
    let place = |name: &str| name.eq_ignore_ascii_case("x-hub-signature-256");
    let right = &signed.iter().find(|(name, _)| place(name)).unwrap().1;
    let others: Vec<_> = signed.iter().filter(|(name, _)| !place(name)).cloned().collect();
    let send = |values: &[&str]| {
        let lines = values.iter().map(|value| ("X-Hub-Signature-256", *value));
        let all: Vec<_> = others.iter().map(|(name, value)| (&name[..], &value[..])).chain(lines).collect();
        serving.post("/", &all, BODY);
    };
    for values in [&[&right[..]][..], &[right, right], &[right, "sha256=00"], &["sha256=00", right]] {
        send(values);
    }
    let flagged = |capture: &Value| capture["flags"].as_array().unwrap().contains(&"several-signatures".into());
    let captures = home.captures();
    assert!(captures.iter().all(|capture| capture["signature"]["verdict"] == "passed"), "{captures:?}");
    let flags: Vec<_> = captures.iter().map(|capture| (capture["id"].as_i64().unwrap(), flagged(capture))).collect();
    assert_eq!(flags.iter().filter(|(_, is)| *is).map(|(id, _)| *id).min(), Some(3), "{flags:?}");
    assert_eq!(flags.iter().filter(|(_, is)| *is).count(), 2, "{flags:?}");
}

#[test]
fn what_cannot_be_printed_is_an_error_for_every_command_that_prints() {
    let home = Home::new();
    // Every write to it fails as on a full disk; elsewhere than on Linux there is none.
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else { return };
    for line in ["--help", "help ls", "ls --help", "--version", "completions bash", "man", "schema", "providers"] {
        let words: Vec<_> = line.split(' ').collect();
        let output = home.command(&words).stdout(full.try_clone().unwrap()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{line}: {said}");
        assert!(said.starts_with("creel: writing to standard output: No space left"), "{line}: {said}");
        assert_eq!(said.lines().count(), 1, "{line}: {said}");
        // A reader that has gone away is none.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = home.command(&words).stdout(writer).output().unwrap();
        assert_eq!((output.status.code(), &output.stderr[..]), (Some(0), &b""[..]), "{line}");
    }
}

#[test]
fn a_mistake_on_the_command_line_gives_a_terminal_nothing_to_obey() {
    let home = Home::new();
    for words in [
        &["show", "\u{1b}[2J"][..],
        &["\u{1b}]0;x\u{7}"],
        &["ls", "--\u{1b}[31m"],
        &["play", "d", "--speed", "\u{9b}m"],
    ] {
        let said = home.fails(2, words);
        assert!(said.lines().all(|line| line.chars().all(creel::body::is_safe)), "{said:?}");
        let visible = creel::body::escape(words[words.len() - 1]);
        assert!(said.contains(visible.trim_start_matches('-')), "{said:?}");
    }
}
