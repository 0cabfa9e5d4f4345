//! What goes on to an app is changed on its way by a program, signed anew where that is wished for, and where the program
//! fails, that is a delivery that failed.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use support::{
    Home, Serving,
    app::{App, status},
};

/// An endpoint that takes GitHub's deliveries and has these forwards.
fn config(home: &Home, forwards: &str) {
    home.write(
        "creel.toml",
        format!(
            "[[endpoint]]\nname = 'gh'\npath = '/'\nprovider = 'github'\nsecret = {{ command = 'echo s' }}\n{forwards}\n"
        ),
    );
}

/// Posts a signed body, and gives its signature.
fn post_signed(home: &Home, serving: &Serving, body: &str) -> String {
    home.write("body", body);
    let headers = home.yes(&["sign", "--provider", "github", "--secret", "s", "--file", "body"]);
    let headers: Vec<_> = headers.lines().filter_map(|line| line.split_once(": ")).collect();
    serving.post("/hook", &headers, body.as_bytes());
    let signature = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("x-hub-signature-256"));
    signature.unwrap().1.to_owned()
}

#[test]
fn each_app_gets_what_its_program_makes_signed_anew_where_that_is_wished_for() {
    let home = Home::new();
    let (anew, left, plain) =
        (App::start(|_, _| status(200)), App::start(|_, _| status(200)), App::start(|_, _| status(200)));
    home.write("more.jq", "# adds one\n.n += 1");
    config(
        &home,
        &format!(
            "[[endpoint.forward]]\nto = '{}'\ntransform = '.n = 5 | .to = \"app\"'\nresign = true\n\
             [[endpoint.forward]]\nto = '{}'\ntransform = {{ file = 'more.jq' }}\n\
             [[endpoint.forward]]\nto = '{}'\n",
            anew.url, left.url, plain.url
        ),
    );
    let serving = home.serve(&["--quiet"]);
    let signature = post_signed(&home, &serving, "{\"n\": 1}");
    let (got, kept, same) = (anew.next(), left.next(), plain.next());
    assert!(got.ends_with("\r\n\r\n{\"n\":5,\"to\":\"app\"}") && got.contains("Content-Length: 18\r\n"), "{got}");
    home.write("got.http", &got);
    let judged = home.yes(&["verify", "--file", "got.http", "--provider", "github", "--secret", "s"]);
    assert!(judged.starts_with("passed"), "{judged}");
    assert!(kept.ends_with("\r\n\r\n{\"n\":2}") && kept.contains(&signature), "{kept}");
    assert!(same.ends_with("\r\n\r\n{\"n\": 1}") && same.contains(&signature), "{same}");
    let shown = home.until(&["show", "1"], |shown| shown.matches("200 in ").count() == 3);
    assert!(shown.contains("~ body: 8 bytes → 18 bytes, by jq"), "{shown}");
    let unfit = "~ signature: of the body that came → left as it is; it does not fit this one";
    assert_eq!(shown.matches(unfit).count(), 1, "{shown}");
    // What each program makes of it, beside what came, and nothing is sent.
    let preview = home.yes(&["resend", "1", "--transform-preview"]);
    assert_eq!(
        preview,
        format!("#1 → {}\nbody\n  ~ .n: 1 → 5\n  + .to: \"app\"\n#1 → {}\nbody\n  ~ .n: 1 → 2\n", anew.url, left.url)
    );
    assert_eq!((anew.paths(), left.paths(), plain.paths()), (Vec::new(), Vec::new(), Vec::new()));
}

#[test]
fn a_program_that_fails_is_a_failed_delivery_and_not_the_app_s_fault() {
    let home = Home::new();
    let app = App::start(|_, _| status(200));
    let program = "if .n then error(\"no \\(.n)\") else .ok = true end";
    config(&home, &format!("forward = {{ to = '{}', transform = '{program}', retry = ['1ms'] }}", app.url));
    let serving = home.serve(&["--quiet"]);
    for n in 1..=6 {
        serving.post("/bad", &[], format!("{{\"n\":{n}}}").as_bytes());
    }
    let dead = home.until(&["dead"], |dead| dead.lines().count() == 6);
    assert!(dead.contains("#6") && dead.contains("2 tries  transforming by jq: \"no 6\""), "{dead}");
    // Twelve tries failed one after the other, and the app is not spared for it: it heard nothing of them.
    serving.post("/good", &[], b"{}");
    let got = app.next();
    assert!(got.starts_with("POST /good") && got.ends_with("\r\n\r\n{\"ok\":true}"), "{got}");
    let shown = home.until(&["show", "1"], |shown| shown.matches("failed: transforming by jq: \"no 1\"").count() == 2);
    assert!(shown.contains(&app.url), "{shown}");
    // Where the program was mended, what was given up goes once more.
    let (code, _, said) = serving.stop();
    assert!(code == Some(0) && !said.contains("pauses") && said.contains("#1 is given up after 2 tries"), "{said}");
    config(&home, &format!("forward = {{ to = '{}', transform = '.n += 10' }}", app.url));
    home.yes(&["resend", "--dead"]);
    assert_eq!(app.paths(), ["/bad"; 6]);
}

#[test]
fn a_sender_who_waits_for_the_app_hears_that_there_was_no_reply() {
    let home = Home::new();
    let app = App::start(|_, _| status(200));
    config(&home, &format!("forward = {{ to = '{}', answer = 'proxy', transform = '.n | error' }}", app.url));
    let serving = home.serve(&["--quiet"]);
    let answer = serving.raw(b"POST /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 7\r\n\r\n{\"n\":1}");
    assert!(answer.starts_with("HTTP/1.1 502") && answer.contains("\"caught\":1"), "{answer}");
    assert_eq!(app.paths(), [""; 0]);
}

#[test]
fn a_program_that_nobody_can_read_is_refused_at_the_start_with_its_column() {
    let home = Home::new();
    home.write("bad.jq", "# one\n.a | no_such(1)\n");
    for (transform, place, words) in [
        ("'.a | no_such'", "creel.toml:6:52", "there is no filter `no_such` (column 6)"),
        ("{ jq = '.a |' }", "creel.toml:6:52", "at its end (column 5)"),
        ("'.a + (1'", "creel.toml:6:52", "closing parenthesis expected at its end (column 8)"),
        ("{ file = 'bad.jq' }", "bad.jq", "there is no filter `no_such` (line 2, column 6)"),
        ("{ file = 'none.jq' }", "creel.toml:6:52", "reading none.jq: No such file"),
        ("{ fil = 'none.jq' }", "creel.toml:6:", "is a jq program"),
        ("5", "creel.toml:6:", "is a jq program"),
    ] {
        config(&home, &format!("forward = {{ to = 'http://127.0.0.1:9', transform = {transform} }}"));
        let said = home.fails(2, &["serve", "--listen", "0"]);
        assert!(said.contains(place) && said.contains(words), "{transform}: {said}");
        assert!(!home.db().exists(), "nothing was begun");
    }
}

#[test]
fn an_app_that_wants_one_form_reads_who_sent_what_in_headers_and_the_body_as_it_came() {
    let home = Home::new();
    let app = App::start(|_, _| status(200));
    config(&home, &format!("[[endpoint.forward]]\nto = '{}'\ncloudevents = true\n", app.url));
    let serving = home.serve(&["--quiet"]);
    let signature = post_signed(&home, &serving, "{\"n\": 1}");
    let got = app.next();
    for line in
        ["ce-specversion: 1.0", "ce-source: /gh", "ce-type: github.event", "ce-signature: passed", "ce-creelid: 1"]
    {
        assert!(got.lines().any(|it| it == line), "{line}: {got}");
    }
    assert!(got.ends_with("\r\n\r\n{\"n\": 1}") && got.contains(&signature), "{got}");
    home.until(&["show", "1"], |shown| shown.contains("+ ce-signature: passed"));
    // By hand, and of one that is an event already: nothing is added.
    let event = [("ce-specversion", "1.0"), ("ce-id", "9"), ("ce-source", "/own"), ("ce-type", "own")];
    serving.post("/hook", &event, b"x");
    app.next();
    home.yes(&["resend", "2", "--to", &app.url, "--cloudevents"]);
    let got = app.next();
    assert!(got.contains("ce-source: /own") && !got.contains("ce-creelid"), "{got}");
}
