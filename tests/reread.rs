//! The configuration is read again when its file changes: while creel runs, and without a request lost.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use support::{
    Home, Serving,
    app::{App, status},
    port::Port,
};

const AGAIN: &str = "creel.toml was read again: ";

/// Writes the file, waits until it is in force, and gives what is said of it.
fn told(home: &Home, serving: &mut Serving, text: &str) -> String {
    home.write("creel.toml", text);
    serving.says(AGAIN).strip_prefix(AGAIN).unwrap().to_owned()
}

/// An endpoint's table.
fn endpoint(name: &str, rest: &str) -> String {
    format!("[[endpoint]]\nname = '{name}'\npath = '/{name}'\n{rest}\n")
}

/// What an endpoint says of a GitLab delivery with that token.
fn verdict(home: &Home, serving: &Serving, token: &str) -> String {
    let id = serving.post("/lab", &[("X-Gitlab-Event", "Push Hook"), ("X-Gitlab-Token", token)], b"{}");
    let captures = home.captures();
    let capture = captures.iter().find(|capture| capture["id"] == id).unwrap();
    format!("{} {}", capture["endpoint"].as_str().unwrap(), capture["signature"]["verdict"].as_str().unwrap())
}

#[test]
fn an_endpoint_and_its_secret_are_in_force_once_the_file_is_written() {
    let home = Home::new();
    let mut serving = home.serve(&[]);
    assert_eq!(verdict(&home, &serving, "trout"), "default unchecked");
    home.write("secret", "trout");
    let lab = endpoint("lab", "provider = 'gitlab-token'\nsecret = { file = 'secret' }");
    assert_eq!(told(&home, &mut serving, &lab), "endpoint lab is new");
    assert_eq!(verdict(&home, &serving, "trout"), "lab passed");
    assert_eq!(verdict(&home, &serving, "pike"), "lab failed");
    // Another secret in the same file: the configuration says what it said, and is read again because somebody saved it.
    home.write("secret", "pike");
    let said = told(&home, &mut serving, &format!("{lab}# another secret\n"));
    assert_eq!(said, "it says what it said; files of secrets were read again, too");
    assert_eq!(verdict(&home, &serving, "pike"), "lab passed");
    assert_eq!(told(&home, &mut serving, ""), "endpoint lab is gone");
    assert_eq!(verdict(&home, &serving, "pike"), "default unchecked");
}

#[test]
fn what_is_saved_while_creel_starts_is_in_force_too() {
    let home = Home::new();
    home.write("new.toml", endpoint("new", ""));
    let slow = endpoint("lab", "secret = { command = 'cp new.toml creel.toml; echo trout' }");
    home.write("creel.toml", &slow);
    let mut serving = home.serve(&[]);
    assert_eq!(serving.says(AGAIN).strip_prefix(AGAIN).unwrap(), "endpoint new is new, endpoint lab is gone");
}

#[test]
fn a_command_that_gives_a_secret_is_run_once_whatever_else_changes() {
    let home = Home::new();
    let lab = endpoint("lab", "provider = 'gitlab-token'\nsecret = { command = 'echo >> runs; echo trout' }");
    home.write("creel.toml", &lab);
    let mut serving = home.serve(&[]);
    assert_eq!(told(&home, &mut serving, &(lab + &endpoint("b", ""))), "endpoint b is new");
    assert_eq!(verdict(&home, &serving, "trout"), "lab passed");
    assert_eq!(std::fs::read_to_string(home.path().join("runs")).unwrap(), "\n");
}

#[test]
fn a_mistake_is_pointed_at_and_changes_nothing() {
    let home = Home::new();
    home.write("creel.toml", endpoint("a", "respond = { status = 201 }"));
    let mut serving = home.serve(&[]);
    home.write("creel.toml", endpoint("a", "respnd = { status = 202 }"));
    let said = serving.says("reading creel.toml");
    assert!(said.starts_with("reading creel.toml:4:1: unknown field `respnd`"), "{said}");
    assert!(said.contains("did you mean `respond`?") && said.ends_with("; creel goes on as before"), "{said}");
    let answer = |serving: &Serving| serving.raw(b"POST /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert!(answer(&serving).starts_with("HTTP/1.1 201"));
    assert_eq!(told(&home, &mut serving, &endpoint("a", "respond = { status = 202 }")), "endpoint a changed");
    assert!(answer(&serving).starts_with("HTTP/1.1 202"));
    // What it was told to answer lies over the new words, too.
    home.yes(&["respond", "a", "--status", "503"]);
    assert_eq!(told(&home, &mut serving, &endpoint("a", "respond = { status = 203 }")), "endpoint a changed");
    assert!(answer(&serving).starts_with("HTTP/1.1 503"));
    home.yes(&["respond", "a", "--reset"]);
    assert!(answer(&serving).starts_with("HTTP/1.1 203"));
}

#[test]
fn what_is_forwarded_and_where_changes_and_what_waits_meanwhile_goes_out_later() {
    let home = Home::new();
    let (first, second) = (App::start(|_, _| status(200)), App::start(|_, _| status(200)));
    let forward = |app: &App| endpoint("a", &format!("[[endpoint.forward]]\nto = '{}'", app.url));
    let mut serving = home.serve(&[]);
    serving.post("/a/0", &[], b"");
    assert_eq!(told(&home, &mut serving, &forward(&first)), "endpoint a is new");
    serving.post("/a/1", &[], b"");
    assert_eq!(first.path(), "/a/1", "and not what came before anybody wanted it");
    assert_eq!(told(&home, &mut serving, &forward(&second)), "endpoint a changed");
    serving.post("/a/2", &[], b"");
    assert_eq!(second.path(), "/a/2");
    assert_eq!(
        told(&home, &mut serving, &(forward(&first) + &endpoint("b", ""))),
        "endpoint a changed, endpoint b is new"
    );
    serving.post("/a/3", &[], b"");
    assert_eq!(first.path(), "/a/3", "what was forwarded before is again");
    assert!(first.is_idle() && second.is_idle());
    home.until(&["ls", "reply:200"], |listed| listed.lines().count() == 3);
}

#[test]
fn what_an_app_that_is_down_has_left_waits_while_nothing_forwards_and_goes_out_once_something_does() {
    let home = Home::new();
    let is_up = Arc::new(AtomicBool::new(false));
    let up = Arc::clone(&is_up);
    let app = App::start(move |_, _| status(if up.load(Ordering::SeqCst) { 200 } else { 503 }));
    let forward = endpoint("a", &format!("[[endpoint.forward]]\nto = '{}'\nretry = ['1s', '1s', '1s', '1s']", app.url));
    home.write("creel.toml", &forward);
    let mut serving = home.serve(&[]);
    serving.post("/a", &[], b"");
    assert_eq!(app.path(), "/a");
    home.write("creel.toml", "");
    let said = serving.says("1 delivery waits for what nothing forwards to here");
    assert!(said.contains("a → http://127.0.0.1:"), "{said}");
    assert_eq!(serving.says(AGAIN), format!("{AGAIN}endpoint a is gone"));
    home.until(&["ls", "reply:waiting"], |listed| listed.contains("/a"));
    app.paths();
    is_up.store(true, Ordering::SeqCst);
    assert_eq!(told(&home, &mut serving, &forward), "endpoint a is new");
    assert_eq!(app.path(), "/a");
    home.until(&["ls", "reply:200"], |listed| listed.contains("/a"));
}

#[test]
fn a_pipe_is_read_once_and_keeps_nobody_waiting() {
    let home = Home::new();
    let pipe = home.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let writer = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::write(&pipe, endpoint("a", "respond = { status = 202 }")).unwrap()
    });
    let serving = home.serve(&["--config", pipe.to_str().unwrap()]);
    assert!(serving.raw(b"POST /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").starts_with("HTTP/1.1 202"));
    writer.join().unwrap();
}

#[test]
fn alerts_follow_and_what_takes_a_new_start_is_said() {
    let home = Home::new();
    let mut serving = home.serve(&[]);
    assert_eq!(told(&home, &mut serving, "[[alert]]\nwhen = 'path:/pay'\n"), "alert 1 is new");
    let id = serving.post("/pay", &[], b"");
    assert_eq!(serving.says("alert:"), format!("alert: #{id} POST /pay matches `path:/pay`"));
    let text = "listen = '127.0.0.1:0'\n[limits]\nbody_mib = 1\n[keep]\ncaptures = 1\n";
    home.write("creel.toml", text);
    assert!(serving.says("[keep] forgets").contains("the oldest over 1 capture"));
    let said = serving.says(AGAIN);
    let words = "keep is new, alert 1 is gone, limits takes a new start of creel, listen takes a new start of creel";
    assert_eq!(said, format!("{AGAIN}{words}"));
    serving.post("/pay", &[], b"");
    home.until(&["ls"], |listed| listed.lines().count() == 1);
}

#[test]
fn while_the_file_is_written_again_and_again_under_load_nothing_is_lost() {
    let home = Home::new();
    let app = App::start(|_, _| status(200));
    let with = endpoint("a", &format!("[[endpoint.forward]]\nto = '{}'", app.url));
    let mut serving = home.serve(&[]);
    let mut sent = 0;
    for turn in 0..6 {
        home.write("creel.toml", if turn % 2 == 0 { &with } else { "" });
        for _ in 0..20 {
            serving.post("/a", &[], b"");
            sent += 1;
        }
        serving.says(AGAIN);
    }
    assert_eq!(home.captures().len(), sent);
    home.write("creel.toml", &with);
    serving.says(AGAIN);
    // What came while it was forwarded went out once each, whatever the file said when its turn came.
    home.until(&["ls", "reply:200", "--limit", "0"], |_| home.run(&["ls", "reply:waiting"]).status.code() == Some(1));
    let replied = home.yes(&["ls", "reply:200", "--limit", "0"]).lines().count();
    assert_eq!(app.paths().len(), replied);
}

#[test]
fn what_came_before_its_secret_was_there_is_checked_once_it_is() {
    let home = Home::new();
    let mut serving = home.serve(&[]);
    let post = |serving: &Serving, token| {
        serving.post("/lab", &[("X-Gitlab-Event", "Push Hook"), ("X-Gitlab-Token", token)], b"{}")
    };
    let (right, wrong) = (post(&serving, "trout"), post(&serving, "pike"));
    assert_eq!(home.yes(&["ls", "fault:secret-missing"]).lines().count(), 2);
    home.write("secret", "trout");
    home.write("creel.toml", endpoint("lab", "provider = 'gitlab-token'\nsecret = { file = 'secret' }"));
    assert_eq!(serving.says("that waited"), "2 captures that waited for a secret were checked: 1 passed, 1 failed");
    let verdict = |id: i64| home.yes(&["show", &id.to_string(), "--json"]);
    assert!(verdict(right).contains(r#""verdict":"passed""#));
    assert!(verdict(wrong).contains(r#""verdict":"failed""#) && verdict(wrong).contains(r#""fault":"mismatch""#));
    // Another secret in the file, for whoever starts creel with it: nothing waits any more, so nothing is judged unasked.
    home.write("secret", "pike");
    drop(serving);
    let mut serving = home.serve(&[]);
    post(&serving, "pike");
    assert!(verdict(right).contains(r#""verdict":"passed""#));
    let stats: serde_json::Value = serde_json::from_str(&home.yes(&["stats", "--json"])).unwrap();
    assert_eq!((&stats["verdicts"]["passed"], &stats["verdicts"]["failed"]), (&2.into(), &1.into()));
    told(&home, &mut serving, "");
}

/// A provider of the user's own: its token stands in that header, its event in that member.
fn own_provider(title: &str, kind: &str) -> String {
    format!(
        "title = '{title}'\ndocs = ''\nconfidence = 'low'\n[[detect]]\nwith = ['X-Mine']\n[event]\ntype = ['json:{kind}']\n\
         [[scheme]]\nalgorithm = 'token'\nencoding = 'text'\nsignature = {{ in = ['header:X-Mine'] }}\n"
    )
}

/// What a capture of that header is said to be: its provider, and its event's type.
fn told_as(home: &Home, serving: &Serving) -> String {
    let id = serving.post("/mine", &[("X-Mine", "trout")], br#"{"a":"spawned","b":"hatched"}"#);
    let capture: serde_json::Value = serde_json::from_str(&home.yes(&["show", &id.to_string(), "--json"])).unwrap();
    format!("{} {}", capture["provider"].as_str().unwrap_or("nobody"), capture["event"]["type"].as_str().unwrap_or("-"))
}

#[test]
fn a_provider_of_the_users_own_is_in_force_once_its_file_is_written() {
    const OWN: &str = ".config/creel/providers";
    let home = Home::new();
    fs::create_dir_all(home.path().join(OWN)).unwrap();
    let file = format!("{OWN}/mine.toml");
    let mut serving = home.serve(&[]);
    let again = |serving: &mut Serving, text: &str| {
        home.write(&file, text);
        serving.says("read again: ")
    };
    assert_eq!(told_as(&home, &serving), "nobody -");
    let said = again(&mut serving, &own_provider("Mine", "a"));
    assert_eq!(said, "~/.config/creel/providers was read again: provider mine is new");
    assert_eq!(told_as(&home, &serving), "mine spawned");
    // A mistake is pointed at, and what is judged goes on by the file as it was.
    home.write(&file, own_provider("Mine", "b").replace("encoding", "encodin"));
    let said = serving.says("mine.toml");
    assert!(said.contains("line 10, column 1: unknown field `encodin`"), "{said}");
    assert!(said.contains("did you mean `encoding`?") && said.ends_with("; creel goes on as before"), "{said}");
    assert_eq!(told_as(&home, &serving), "mine spawned");
    let said = again(&mut serving, &own_provider("Mine too", "b"));
    assert_eq!(said, "~/.config/creel/providers was read again: provider mine changed");
    assert_eq!(told_as(&home, &serving), "mine hatched");
    // An endpoint may name it; while one does, it cannot go.
    let named = told(&home, &mut serving, &endpoint("mine", "provider = 'mine'"));
    assert_eq!(named, "endpoint mine is new");
    fs::remove_file(home.path().join(&file)).unwrap();
    let said = serving.says("creel.toml");
    assert!(said.contains("no provider is called `mine`") && said.ends_with("; creel goes on as before"), "{said}");
    assert_eq!(told_as(&home, &serving), "mine hatched");
    assert_eq!(told(&home, &mut serving, ""), "endpoint mine is gone, provider mine is gone");
    assert_eq!(told_as(&home, &serving), "nobody -");
}

/// What the page of metrics at an address says of how many captures there were.
fn counted(address: &str) -> Option<usize> {
    let mut stream = TcpStream::connect(address).ok()?;
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").ok()?;
    let mut page = String::new();
    stream.read_to_string(&mut page).ok()?;
    let counts = page.lines().filter(|line| line.starts_with("creel_captures_total{"));
    Some(counts.filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok()).sum())
}

#[test]
fn metrics_are_told_elsewhere_or_no_more_and_what_was_counted_goes_on() {
    let home = Home::new();
    let mut serving = home.serve(&[]);
    serving.post("/", &[], b"");
    // What came before anybody wanted to know is counted since the start, as its name says.
    let mut told_at = |listen: &str, how: &str| {
        home.write("creel.toml", format!("[metrics]\nlisten = '{listen}'\n"));
        let said = serving.says("metrics are told at");
        assert_eq!(serving.says(AGAIN), format!("{AGAIN}metrics {how}"));
        said.rsplit("http://").next().unwrap().trim_end_matches("/metrics").to_owned()
    };
    let first = told_at("0", "is new");
    assert_eq!(counted(&first), Some(1));
    let port = Port::reserved();
    let (address, _held) = (port.address, port.lent());
    let second = told_at(&address.to_string(), "changed");
    assert_eq!((counted(&first), counted(&second)), (None, Some(1)));
    // Of the same port, where one address covers the other.
    let third = told_at(&format!("0.0.0.0:{}", address.port()), "changed");
    assert!(third.ends_with(", to whoever reaches it"), "{third}");
    assert_eq!(counted(&second), Some(1));
    // A port that is taken is said, and all goes on where it was.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    home.write("creel.toml", format!("[metrics]\nlisten = '{}'\n", taken.local_addr().unwrap()));
    let said = serving.says("creel goes on as before");
    assert!(said.contains(&taken.local_addr().unwrap().to_string()) && said.contains("[metrics]"), "{said}");
    assert_eq!(counted(&second), Some(1));
    home.write("creel.toml", "");
    serving.says("metrics are told no more");
    assert_eq!(counted(&second), None);
}

#[test]
fn a_rate_goes_on_counting_where_it_is_as_it_was() {
    let home = Home::new();
    let guarded = |name: &str, rest: &str| {
        endpoint(name, &format!("guard = {{ rate_per_address = {{ per_minute = 1, burst = 2 }}, {rest} }}"))
    };
    let slow = "rate = { per_minute = 1, burst = 1 }";
    home.write("creel.toml", guarded("a", slow));
    let mut serving = home.serve(&[]);
    let status = |serving: &Serving| {
        let answer = serving.raw(b"POST /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!([status(&serving), status(&serving)], ["200", "429"]);
    told(&home, &mut serving, &(guarded("a", slow) + &guarded("b", slow)));
    assert_eq!(status(&serving), "429", "somebody saved the file, and a sender is as fast as before");
    // Another rate begins anew; the one beside it, of two a burst, has counted three requests and lets none in.
    told(&home, &mut serving, &guarded("a", "rate = { per_minute = 1, burst = 9 }"));
    assert_eq!(status(&serving), "429");
    told(&home, &mut serving, &endpoint("a", "guard = { rate = { per_minute = 1, burst = 9 } }"));
    assert_eq!(status(&serving), "200");
}
