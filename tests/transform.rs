//! jq programs change what is sent again, and can do nothing else: not run on, not eat the machine, not read it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::{Duration, Instant};

use support::{
    Home,
    app::{App, status},
};

#[test]
fn a_body_is_changed_on_its_way_and_its_numbers_keep_their_digits() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    serving.post("/a", &[], br#"{"n": 1.00, "big": 12345678901234567890123, "old": true}"#);
    let program = ".old = false";
    let shown = home.yes(&["resend", "1", "--transform", program, "--transform-preview"]);
    assert_eq!(shown, "#1\nbody\n  ~ .old: true → false\n");
    let app = App::start(|_, _| status(200));
    let said = home.yes(&["resend", "1", "--to", &app.url, "--transform", program]);
    assert!(said.contains("~ body: 56 bytes → 52 bytes, by jq"), "{said}");
    let got = app.next();
    assert!(got.ends_with("\r\n\r\n{\"n\":1.00,\"big\":12345678901234567890123,\"old\":false}"), "{got}");
    assert!(got.contains("Content-Length: 52\r\n"), "{got}");
}

#[test]
fn what_a_program_leaves_alone_keeps_its_bytes() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    serving.post("/a", &[], br#"{ "u" : "\u00e9\/" }"#);
    let app = App::start(|_, _| status(200));
    home.write("same.jq", "if .u then . else {} end\n");
    home.yes(&["resend", "1", "--to", &app.url, "--transform", "same.jq"]);
    let got = app.next();
    assert!(got.ends_with("\r\n\r\n{ \"u\" : \"\\u00e9\\/\" }"), "{got}");
}

#[test]
fn a_whole_request_is_changed() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    serving.post("/a?x=1", &[("X-One", "1")], br#"{"a":1}"#);
    let app = App::start(|_, _| status(200));
    let program = r#".method = "PUT" | .target = "/b" | .headers += [["X-Two", "2"]] | .body.a = 2"#;
    home.yes(&["resend", "1", "--to", &app.url, "--whole", "--transform", program]);
    let got = app.next();
    assert!(got.starts_with("PUT /b HTTP/1.1\r\n") && got.ends_with("\r\n\r\n{\"a\":2}"), "{got}");
    assert!(got.contains("X-One: 1\r\n") && got.contains("X-Two: 2\r\n"), "{got}");
}

#[test]
fn a_program_that_would_not_end_or_eats_the_machine_is_gone_in_two_seconds() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    serving.post("/a", &[], b"{}");
    for (program, why) in [
        ("last(repeat(1))", "two seconds"),
        ("def f: 1+f; f", "memory"),
        ("[range(1000000000)]", "than"),
        ("\"a\" * 2000000000", "memory"),
        ("reduce range(1000000000) as $x (\"\"; . + \"aaaaaaaaaaaaaaaa\")", "than"),
        ("def f: [f]; f", "memory"),
        ("[limit(100000000; repeat(\"x\"))] | length", "than"),
        ("until(false; . + {a: 1})", "two seconds"),
    ] {
        let began = Instant::now();
        let said = home.fails(2, &["resend", "1", "--to", "http://127.0.0.1:1", "--transform", program]);
        assert!(said.contains("transforming by jq") && said.contains(why), "{program}: {said}");
        // The child is waited for: it is gone when this is said. The rest is the test machine's.
        assert!(began.elapsed() < Duration::from_secs(4), "{program}: {:?}", began.elapsed());
        assert_eq!(serving.post("/b", &[], b"still there"), home.captures().len() as i64);
    }
}

#[test]
fn a_program_sees_no_environment_and_loads_no_files() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    serving.post("/a", &[], b"{\"a\":1}");
    let shown = |program: &str| home.yes(&["resend", "1", "--transform", program, "--transform-preview"]);
    assert!(shown(".env = env").contains("+ .env: {}"));
    home.write("secrets.jq", "def leak: 1;");
    for (program, why) in [
        ("$ENV", "there is no variable `$ENV`"),
        ("import \"secrets\" as s; s::leak", "reading --transform: the program may load no module"),
        ("input", "there is no filter `input`"),
        (".a |", "at its end"),
        (".b | error", "null"),
        ("empty", "gives no value"),
        ("1, 2", "more than one value"),
        ("nan", "no JSON"),
        ("halt", "halts"),
    ] {
        let said = home.fails(2, &["resend", "1", "--transform", program, "--transform-preview"]);
        assert!(said.contains(why), "{program}: {said}");
    }
}

#[test]
fn what_is_wrong_with_a_program_is_said_once_and_what_it_fails_at_by_its_number() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    serving.post("/a", &[], b"{\"a\":1}");
    serving.post("/b", &[("Content-Type", "application/x-www-form-urlencoded")], b"a=1");
    serving.post("/c", &[], b"");
    let app = App::start(|_, _| status(200));
    home.write("wrong.jq", ".a ==\n");
    let resend = |program: &str| ["resend", "1", "2", "3", "--to", &app.url, "--transform", program].map(str::to_owned);
    for (program, said) in [
        (".a ==", "creel: reading --transform: term expected at its end (column 6)\n"),
        ("wrong.jq", "creel: reading wrong.jq: term expected at its end (column 1)\n"),
        ("none.jq", "creel: reading none.jq: No such file or directory (os error 2)\n"),
    ] {
        let args = resend(program);
        assert_eq!(home.fails(2, &args.each_ref().map(|arg| &arg[..])), said);
    }
    assert!(app.is_idle(), "nothing was sent by a program that cannot be read");
    let args = resend(".a = 2");
    let output = home.run(&args.each_ref().map(|arg| &arg[..]));
    let (shown, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(shown.contains("\n1 sent in ") && shown.ends_with("; 2 could not be sent\n"), "{shown}");
    assert!(said.contains("#2: transforming by jq: the body is a form, and no JSON"), "{said}");
    assert!(said.contains("#3: transforming by jq: the body is empty"), "{said}");
    let none = home.run(&["resend", "2", "3", "--to", &app.url, "--transform", "."]);
    assert!(String::from_utf8(none.stdout).unwrap().starts_with("0 sent in "));
    let preview = home.run(&["resend", "2", "1", "--transform", ".a = 2", "--transform-preview"]);
    assert_eq!(preview.status.code(), Some(1));
    assert_eq!(String::from_utf8(preview.stdout).unwrap(), "#1\nbody\n  ~ .a: 1 → 2\n");
    assert!(String::from_utf8(preview.stderr).unwrap().starts_with("#2: transforming by jq: the body is a form"));
    let args = ["resend", "99", "1", "--transform", ".a = 2", "--transform-preview", "--json"];
    let preview = home.run(&args);
    assert!(String::from_utf8(preview.stderr).unwrap().starts_with("#99: reading capture 99: there is none"));
    let line: serde_json::Value = serde_json::from_slice(&preview.stdout).unwrap();
    assert_eq!((&line["capture"], &line["at"]), (&serde_json::json!(1), &serde_json::json!(".a")));
    let same = home.run(&["resend", "1", "--transform", ".", "--transform-preview"]);
    assert_eq!((same.status.code(), &same.stdout[..]), (Some(1), &b"#1\nno difference\n"[..]));
    let typo = home.fails(2, &["resend", "1", "--to", &app.url, "--whole", "--transform", ".boddy = 1"]);
    assert!(typo.contains("the result has a member `boddy`"), "{typo}");
}
