//! Many thrown again: stopped in the middle and continued, several at a time, at a rate, and again whenever the app was
//! built anew. Each of them goes once, and none is forgotten.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Read},
    process::{Child, ChildStderr, Command, Stdio},
    sync::{Arc, Barrier, Mutex, atomic, mpsc},
    time::{Duration, Instant},
};

use support::{
    Home,
    app::{App, status},
    port::Port,
};

/// A home with so many captures, `/00`, `/01` and so on.
fn caught(count: usize) -> Home {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    for n in 0..count {
        serving.post(&format!("/{n:02}"), &[], b"{}");
    }
    home
}

fn named(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|n| format!("/{n:02}")).collect()
}

/// An app that holds back every answer from that one on, until the test lets one go.
fn holding(from: usize) -> (App, mpsc::Sender<()>) {
    let (go, gate) = mpsc::channel();
    let gate = Mutex::new(gate);
    let app = App::start(move |turn, _| {
        let is_let_go = turn < from || gate.lock().unwrap().recv().is_ok();
        if is_let_go { status(200) } else { None }
    });
    (app, go)
}

/// Waits until what came of so many is in the store: only that outlives a process that is killed.
fn until_stored(home: &Home, count: usize) {
    home.until(&["ls", "reply:200", "--limit", "0", "--json"], |rows| rows.lines().count() >= count);
}

/// A `creel resend` that runs on; killed when dropped.
struct Resending {
    child: Child,
    err: BufReader<ChildStderr>,
}

impl Resending {
    fn start(home: &Home, args: &[&str]) -> Self {
        let mut command = home.command(&[&["resend"], args].concat());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let err = BufReader::new(child.stderr.take().unwrap());
        Self { child, err }
    }

    /// Waits until it says something with these words on standard error.
    fn says(&mut self, words: &str) {
        let mut line = String::new();
        while !line.contains(words) {
            line.clear();
            assert!(self.err.read_line(&mut line).unwrap() > 0, "it never said `{words}`");
        }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// Its exit code, and what it printed and still said.
    fn end(mut self) -> (Option<i32>, String, String) {
        let (mut printed, mut said) = (String::new(), String::new());
        self.child.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
        self.err.read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code(), printed, said)
    }
}

impl Drop for Resending {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_was_stopped_in_the_middle_goes_on_where_it_was() {
    let home = caught(20);
    let (app, go) = holding(6);
    let mut sending = Resending::start(&home, &["--filter", "path:/", "--to", &app.url]);
    assert_eq!((0..7).map(|_| app.path()).collect::<Vec<_>>(), named(0..7));
    sending.signal("INT");
    sending.says("stopping: what is under way is finished");
    go.send(()).unwrap();
    let (code, printed, said) = sending.end();
    assert_eq!((code, app.paths()), (Some(1), Vec::new()), "the one under way was the last: {printed}");
    assert!(printed.contains("7 sent in ") && printed.contains(": 7 × 2xx;"), "{printed}");
    assert!(said.contains("13 are left; `creel resend --continue` sends them"), "{said}");
    (0..13).for_each(|_| go.send(()).unwrap());
    let rest = home.yes(&["resend", "--continue"]);
    assert_eq!(app.paths(), named(7..20), "nothing twice, nothing missing, in their order");
    assert!(rest.contains("13 sent in ") && rest.contains(": 13 × 2xx;"), "{rest}");
    assert!(home.fails(2, &["resend", "--continue"]).contains("none with anything left to send"));
}

#[test]
fn several_under_way_are_finished_before_it_stops() {
    let home = caught(30);
    let (app, go) = holding(8);
    let mut sending = Resending::start(&home, &["--filter", "path:/", "--to", &app.url, "--jobs", "4"]);
    let mut came: BTreeSet<_> = (0..12).map(|_| app.path()).collect();
    sending.signal("TERM");
    sending.says("stopping");
    (0..4).for_each(|_| go.send(()).unwrap());
    let (code, printed, _) = sending.end();
    assert_eq!((code, came.len(), app.paths()), (Some(1), 12, Vec::new()));
    assert!(printed.contains("12 sent in "), "{printed}");
    (0..18).for_each(|_| go.send(()).unwrap());
    home.yes(&["resend", "--continue", "--jobs", "4"]);
    let rest = app.paths();
    assert_eq!(rest.len(), 18);
    came.extend(rest);
    assert_eq!(came.into_iter().collect::<Vec<_>>(), named(0..30));
}

#[test]
fn a_second_signal_ends_it_at_once_and_what_was_under_way_goes_once_more() {
    let home = caught(5);
    let (app, go) = holding(2);
    let mut sending = Resending::start(&home, &["--filter", "path:/", "--to", &app.url]);
    assert_eq!((0..3).map(|_| app.path()).collect::<Vec<_>>(), named(0..3));
    until_stored(&home, 2);
    sending.signal("INT");
    sending.says("stopping");
    sending.signal("INT");
    assert_eq!(sending.end().0, Some(2));
    // Let go are the one that nobody waits for any more, and all that come.
    (0..100).for_each(|_| go.send(()).unwrap());
    home.yes(&["resend", "--continue"]);
    assert_eq!(app.paths(), named(2..5));
}

#[test]
fn killed_in_the_middle_it_forgets_none() {
    let home = caught(40);
    let (app, go) = holding(15);
    let sending = Resending::start(&home, &["--filter", "path:/", "--to", &app.url, "--jobs", "3"]);
    let mut came: Vec<_> = (0..18).map(|_| app.path()).collect();
    until_stored(&home, 15);
    sending.signal("KILL");
    drop(sending);
    // Let go are the three that nobody waits for any more, and all that come.
    (0..100).for_each(|_| go.send(()).unwrap());
    home.yes(&["resend", "--continue"]);
    came.extend(app.paths());
    assert!(home.fails(2, &["resend", "--continue"]).contains("none with anything left"));
    let again: BTreeSet<_> = came[18..].iter().filter(|path| came[..18].contains(path)).collect();
    assert!(again.len() >= 3 && again.len() + 40 == came.len(), "only what was not stored yet comes twice: {came:?}");
    assert_eq!(came.into_iter().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>(), named(0..40));
}

#[test]
fn as_many_go_at_a_time_as_are_asked_for_and_no_more() {
    let home = caught(12);
    // Nobody is answered before four are there; a fifth would be seen.
    let (four, now, most) = (Barrier::new(4), atomic::AtomicUsize::new(0), Arc::new(atomic::AtomicUsize::new(0)));
    let seen = Arc::clone(&most);
    let app = App::start(move |_, _| {
        let under_way = now.fetch_add(1, atomic::Ordering::SeqCst) + 1;
        seen.fetch_max(under_way, atomic::Ordering::SeqCst);
        four.wait();
        now.fetch_sub(1, atomic::Ordering::SeqCst);
        status(200)
    });
    home.yes(&["resend", "--filter", "path:/", "--to", &app.url, "--jobs", "4"]);
    assert_eq!((app.paths().len(), most.load(atomic::Ordering::SeqCst)), (12, 4));
}

#[test]
fn no_more_go_in_a_second_than_are_asked_for() {
    let home = caught(6);
    let app = App::start(|_, _| status(200));
    let began = Instant::now();
    home.yes(&["resend", "--filter", "path:/", "--to", &app.url, "--jobs", "4", "--rate", "20"]);
    // The sixth of twenty a second goes a quarter of a second after the first.
    assert!(began.elapsed() >= Duration::from_millis(250), "{:?}", began.elapsed());
    assert_eq!(app.paths().len(), 6);
}

#[test]
fn a_slow_rate_does_not_keep_it_from_stopping() {
    let home = caught(3);
    let app = App::start(|_, _| status(200));
    let mut sending = Resending::start(&home, &["--filter", "path:/", "--to", &app.url, "--rate", "0.001"]);
    assert_eq!(app.path(), "/00");
    sending.signal("INT");
    sending.says("stopping");
    // The next one would go in a quarter of an hour.
    let (code, printed, said) = sending.end();
    assert_eq!(code, Some(1));
    assert!(printed.contains("1 sent in ") && said.contains("2 are left"), "{printed}{said}");
}

#[test]
fn the_marked_go_again_whenever_the_app_was_built_anew() {
    let home = caught(4);
    home.yes(&["mark", "2", "4"]);
    std::fs::create_dir(home.path().join("target")).unwrap();
    // It does not parse at first, then it parses one of them, and then all.
    let app = App::start(|turn, request| {
        let is_right = turn >= 4 || (turn >= 2 && request.starts_with("POST /01"));
        status(if is_right { 200 } else { 500 })
    });
    let args = ["--marked", "--to", &app.url, "--watch", "target", "--until-ok"];
    let mut sending = Resending::start(&home, &args);
    for round in 0..3 {
        assert_eq!([app.path(), app.path()], ["/01", "/03"], "round {round}");
        if round < 2 {
            sending.says("waiting for a change in target");
            assert_eq!(app.paths(), [""; 0]);
            home.write(&format!("target/app-{round}"), "built");
        }
    }
    let (code, printed, _) = sending.end();
    assert_eq!(code, Some(0), "{printed}");
    let fixed: Vec<_> = printed.lines().filter(|line| line.contains("(fixed)")).collect();
    assert_eq!(fixed.len(), 2, "{printed}");
    assert!(printed.matches("2 sent in ").count() == 3 && printed.contains("1 fixed"), "{printed}");
}

#[test]
fn without_until_ok_it_watches_until_it_is_stopped() {
    let home = caught(1);
    std::fs::create_dir(home.path().join("target")).unwrap();
    let app = App::start(|turn, _| status(if turn == 1 { 500 } else { 200 }));
    let mut sending = Resending::start(&home, &["1", "--to", &app.url, "--watch", "target"]);
    for round in 0..3 {
        assert_eq!(app.path(), "/00");
        sending.says("waiting for a change in target");
        if round < 2 {
            home.write(&format!("target/app-{round}"), "built");
        }
    }
    sending.signal("INT");
    let (code, printed, _) = sending.end();
    assert_eq!(code, Some(0), "{printed}");
    assert!(printed.contains("(regressed)") && printed.contains("(fixed)"), "{printed}");
}

#[test]
fn an_app_that_does_not_listen_yet_is_waited_for() {
    let home = caught(3);
    let place = Port::reserved();
    let sending = Resending::start(&home, &["--filter", "path:/", "--to", &place.url(), "--until-ok"]);
    while home.run(&["ls", "reply:failed"]).status.code() != Some(0) {
        std::thread::yield_now();
    }
    let app = App::on(place.listen(), |_, _| status(200));
    let (code, printed, _) = sending.end();
    assert_eq!((code, app.paths()), (Some(0), named(0..3)), "{printed}");
}

#[test]
fn a_terminal_shows_how_far_it_is_and_one_summary() {
    let home = caught(60);
    let app = App::start(|turn, _| status(if turn == 30 { 500 } else { 200 }));
    let (code, shown) = home.on_a_terminal(&["resend", "--filter", "path:/", "--to", &app.url, "--jobs", "4"]);
    assert_eq!(code, 1, "{shown}");
    assert!(shown.contains(" of 60, ") && shown.contains(" a second, ") && shown.contains(" s left"), "{shown}");
    assert_eq!(shown.matches("60 sent in ").count(), 1, "{shown}");
    assert!(shown.contains("1 × 5xx, 59 × 2xx"), "{shown}");
    let lines: Vec<_> = shown.lines().filter(|line| line.contains("500 in ")).collect();
    assert_eq!(lines.len(), 1, "only what is not right has a line: {shown}");
}
